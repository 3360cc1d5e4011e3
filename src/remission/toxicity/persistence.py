"""How long patients stayed on a drug: time to its permanent stop, with relapse and death read three ways."""

from __future__ import annotations

import math

import pandas as pd

from remission.estimators import curves, wording
from remission.estimators.curves import Estimate
from remission.results import row
from remission.study import Study
from remission.toxicity.courses import ENDS, EVENT, STOP, at_months, first_of, groups, incidences, shown

#: What a curve of persistence means, by the rule for relapse and death.
READINGS = {
    "on drug": "stop for any reason, relapse and death included, is the event: share of patients on the drug",
    "censored": "stop for any other reason is the event, relapse and death are censored: share on the drug if nobody "
                "relapsed or died",
    "stopped in remission": "stop while alive in remission is the event, relapse and death compete: share of patients "
                            "who gave the drug up",
}


def any_end(course: pd.DataFrame) -> pd.DataFrame:
    """Time on a drug, every end of it alike.

    Parameters
    ----------
    course : DataFrame
        From `courses.courses`.

    Returns
    -------
    DataFrame
        USUBJID, arm, time (days from the first dose to the day after the last), event (bool; False while it goes on).
        Patients whose drug had no recorded end and whose last contact is unknown are left out.

    Examples
    --------
    >>> nan = float("nan")
    >>> course = pd.DataFrame({"USUBJID": ["1", "2"], "TRT01A": "A", "START": [0.0, 10.0], "STOPDY": [90.0, nan],
    ...                        "LSTALVDY": [400.0, 60.0]})
    >>> any_end(course)[["time", "event"]].values.tolist()
    [[90, True], [50, False]]
    """
    last = course["STOPDY"].fillna(course["LSTALVDY"])
    made = course.loc[last.notna(), ["USUBJID", "TRT01A"]].rename(columns={"TRT01A": "arm"})
    made["time"] = (last - course["START"])[last.notna()].astype(int)
    return made.assign(event=course.loc[last.notna(), "STOPDY"].notna()).reset_index(drop=True)


def own_stop(course: pd.DataFrame) -> pd.DataFrame:
    """What ended a drug first: a stop in remission (code 1), relapse (3) or death (4); 0 while it goes on.

    Parameters
    ----------
    course : DataFrame
        From `courses.courses`.

    Returns
    -------
    DataFrame
        As from `courses.first_of`; relapse ends remission on its day, even where the drug went on.
    """
    made = first_of(course, pd.Series(math.nan, index=course.index))
    made["code"] = made["code"].replace(STOP, EVENT)
    return made.assign(event=made["code"] == EVENT)


def persistence_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Persistence on each drug by reading, at fixed months after its first dose.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        drug, population, TRT01A, reading (a key of `READINGS`), N, events, then median, median lower, median upper
        (days; not for the incidence) and, in %, value and limits at each fixed month.
    """
    made = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        for reading in READINGS:
            data = any_end(course) if reading == "on drug" else own_stop(course)
            one = {"drug": drug, "population": code, "TRT01A": arm, "reading": reading, "N": len(data),
                   "events": int(data["event"].sum())}
            if reading == "stopped in remission":
                at, median = incidences(data, at_months()), Estimate(math.nan, math.nan, math.nan)
            else:
                curve = curves.kaplan_meier(data)
                median = curves.quantile(curve)
                at = [(label, Estimate(*(100 * part for part in curves.survival_at(curve, day))))
                      for label, day in at_months().items()]
            one |= {"median": median.value, "median lower": median.lower, "median upper": median.upper}
            for label, found in at:
                one |= {label: found.value, f"{label} lower": found.lower, f"{label} upper": found.upper}
            made.append(one)
    return pd.DataFrame(made, columns=None if made else ["drug", "population", "TRT01A", "N"])


def persistence_results(table: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows `persistence.<drug>.<population>.<arm>.<reading>[<months>]` and `.<reading>_median`.

    Readings stand with underscores; the incidence has no median.
    """
    rows = []
    for one in table.to_dict("records"):
        name = (one["drug"], one["population"], one["TRT01A"])
        incidence = one["reading"] == "stopped in remission"
        method = f"{'Aalen-Johansen' if incidence else 'Kaplan-Meier'}, {READINGS[one['reading']]}; log-log interval"
        common, short = {"n": one["N"], "events": one["events"], "method": method}, one["reading"].replace(" ", "_")
        for label in at_months():
            found = Estimate(*(one[key] for key in (label, f"{label} lower", f"{label} upper")))
            rows.append(row("persistence", *name, f"{short}[{label}]", found.value, lower=found.lower,
                            upper=found.upper, unit="%", display=shown(found), **common))
        if not incidence:
            found = Estimate(*(one[key] for key in ("median", "median lower", "median upper")))
            rows.append(row("persistence", *name, f"{short}_median", found.value, lower=found.lower, upper=found.upper,
                            unit="d", display=wording.duration_interval(found, study.report_unit), **common))
    return rows


def ends_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """What ended each drug: the patients behind the curves.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N, stop (in remission), relapse, death, on drug.
    """
    made = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        counted = own_stop(course)["code"].replace(EVENT, STOP).value_counts()
        made.append({"drug": drug, "population": code, "TRT01A": arm, "N": int(counted.sum()),
                     **{words: int(counted.get(end, 0)) for end, words in ENDS.items()},
                     "on drug": int(counted.get(0, 0))})
    return pd.DataFrame(made, columns=None if made else ["drug", "population", "TRT01A", "N"])
