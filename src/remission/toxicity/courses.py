"""Each patient's course on a drug as days: first dose, target, reductions, stop, and what ended remission."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from remission import study as units
from remission.adam.adex import at_target
from remission.estimators import competing, wording
from remission.estimators.curves import Estimate
from remission.study import Study
from remission.toxicity.counts import is_interferon, population

#: Months after the first dose at which delivery is read.
MONTHS = (3, 6, 12, 24)
#: What can come first in a patient on a drug. Codes of competing risks; 0 is none of them by last contact.
EVENT, STOP, RELAPSE, DEATH = 1, 2, 3, 4
ENDS = {STOP: "stop", RELAPSE: "relapse", DEATH: "death"}
#: Changes of `adexst` that lower the dose and leave some.
LOWER = ("reduced", "resumed lower")
COLUMNS = ["USUBJID", "TRT01A", "START", "STOPDY", "STOPREAS", "TARGETDY", "LOWERDY", "BREAKDY", "REDAEDY", "RELDY",
           "DTHDY", "LSTALVDY", "TTEFL"]


def drugs(adexst: pd.DataFrame, study: Study) -> list[str]:
    """Drugs with a recorded dose: planned ones first, in the plan's order.

    Examples
    --------
    >>> drugs(pd.DataFrame({"EXDRUG": ["b", "a"], "EXDOSE": [1.0, 2.0]}), Study("demo", "own", "", "", ()))
    ['a', 'b']
    """
    found = set(adexst.loc[adexst["EXDOSE"] > 0, "EXDRUG"])
    return [drug for drug in [*study.dose_plans, *sorted(found - set(study.dose_plans))] if drug in found]


def population_of(drug: str) -> str:
    """Population in which a drug's delivery is read: `ifn_evaluable` for an interferon, `all` for others.

    Examples
    --------
    >>> population_of("imatinib")
    'all'
    """
    return "ifn_evaluable" if is_interferon(drug) else "all"


def courses(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study, drug: str) -> pd.DataFrame:
    """Course of every patient who had a drug.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
    drug : str

    Returns
    -------
    DataFrame
        One row a patient of the drug's population with a dose above zero. Days from the time origin: START (first
        dose), STOPDY (day after the last dose; missing while the drug goes on), TARGETDY (first day at target),
        LOWERDY (first lower dose above zero), BREAKDY (first interruption), REDAEDY (first reduction, interruption or
        stop for an adverse event), RELDY, DTHDY, LSTALVDY; STOPREAS (recorded reason of the stop), TTEFL.

    Notes
    -----
    A stop is permanent: no dose above zero is recorded later. Dose zero that lasts to the end of the record is a stop
    on its first day.
    """
    mine = adexst[adexst["EXDRUG"] == drug].astype({"STDY": float, "ENDY": float, "CHANGEDY": float})
    given = mine[mine["EXDOSE"] > 0]
    stopped = mine[mine["CHANGE"] == "stopped"].set_index("USUBJID")
    subjects = population(adsl, population_of(drug))
    made = subjects.loc[subjects["USUBJID"].isin(given["USUBJID"]), ["USUBJID", "TRT01A", "RELDY", "DTHDY", "LSTALVDY",
                                                                    "TTEFL"]].reset_index(drop=True)
    made = made.astype({"RELDY": float, "DTHDY": float, "LSTALVDY": float})
    harmed = mine[mine["CHANGE"].isin(["reduced", "interrupted", "stopped"]) & (mine["REASON"] == "adverse event")]
    days = {"START": given.groupby("USUBJID")["STDY"].min(), "STOPDY": stopped["CHANGEDY"],
            "TARGETDY": given[at_target(given["WKDOSE"], given["EXDRUG"], study)].groupby("USUBJID")["STDY"].min(),
            "LOWERDY": mine[mine["CHANGE"].isin(LOWER)].groupby("USUBJID")["CHANGEDY"].min(),
            "BREAKDY": mine[mine["CHANGE"] == "interrupted"].groupby("USUBJID")["CHANGEDY"].min(),
            "REDAEDY": harmed.groupby("USUBJID")["CHANGEDY"].min()}
    for name, values in days.items():
        made[name] = made["USUBJID"].map(values).astype(float)
    made["STOPREAS"] = made["USUBJID"].map(stopped["REASON"])
    return made[COLUMNS]


def groups(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Drug, population, arm and courses, for every drug and arm in which anybody had it."""
    for drug in drugs(adexst, study):
        whole = courses(adexst, adsl, study, drug)
        for arm in study.arm_keys:
            mine = whole[whole["TRT01A"] == arm].reset_index(drop=True)
            if len(mine):
                yield drug, population_of(drug), arm, mine


def first_of(course: pd.DataFrame, event: pd.Series) -> pd.DataFrame:
    """What came first in each patient: the event, a permanent stop, relapse or death; time from the first dose.

    Parameters
    ----------
    course : DataFrame
        From `courses`.
    event : Series of float
        Day of the event of interest, from the time origin; missing where it did not happen.

    Returns
    -------
    DataFrame
        USUBJID, arm, time (days from the first dose), code (1 the event, 2 stop, 3 relapse, 4 death, 0 none by last
        contact), event (code 1). Patients without usable dates, or first treated after relapse, are left out.

    Notes
    -----
    A stop recorded as due to relapse or death is that end. On one day the event comes before relapse, relapse before
    death, death before another stop.

    Examples
    --------
    >>> row = dict.fromkeys(COLUMNS, float("nan")) | {"START": 0, "STOPDY": 50, "LSTALVDY": 90, "TTEFL": "Y"}
    >>> made = first_of(pd.DataFrame([row]), pd.Series([60.0]))
    >>> made[["time", "code"]].values.tolist()
    [[50, 2]]
    """
    kept = (course["TTEFL"] == "Y") & ~(course["RELDY"] < course["START"])
    course, event = course[kept], event[kept]
    why = course["STOPREAS"].astype(object)
    relapse = course[["RELDY"]].assign(other=course["STOPDY"].where(why == "relapse")).min(axis=1)
    death = course[["DTHDY"]].assign(other=course["STOPDY"].where(why == "death")).min(axis=1)
    stop = course["STOPDY"].where(~why.isin(["relapse", "death"]))
    days = np.column_stack([event, relapse, death, stop, course["LSTALVDY"]]).astype(float)
    # A change recorded on the day after last contact is known by that day, so last contact does not come before it.
    days[:, 4] = np.where(np.isnan(days[:, :4]).all(axis=1), days[:, 4], np.inf)
    first = np.nanargmin(np.where(np.isnan(days), np.inf, days), axis=1)
    code = np.array([EVENT, RELAPSE, DEATH, STOP, 0])[first]
    time = days[np.arange(len(days)), first] - course["START"].to_numpy()
    made = pd.DataFrame({"USUBJID": course["USUBJID"], "arm": course["TRT01A"], "time": time.astype(int), "code": code})
    return made.assign(event=made["code"] == EVENT).reset_index(drop=True)


def incidences(data: pd.DataFrame, times: dict[str, int]) -> list[tuple[str, Estimate]]:
    """Cumulative incidence of the event at some times, in %, with log-log limits.

    Parameters
    ----------
    data : DataFrame
        From `first_of`; one arm.
    times : dict
        Days by label.

    Returns
    -------
    list of (label, Estimate)
        NaN beyond the follow-up.

    Examples
    --------
    >>> rows = pd.DataFrame({"time": [1, 2, 3, 4], "code": [1, 2, 1, 0]})
    >>> incidences(rows, {"3 days": 3})[0][1].value
    50.0
    """
    curve = competing.cumulative_incidence(data)
    return [(label, Estimate(*(100 * one for one in competing.incidence_at(data, curve, EVENT, day))))
            for label, day in times.items()]


def at_months() -> dict[str, int]:
    """Days of the fixed months by their label.

    Examples
    --------
    >>> at_months()["12 months"]
    365
    """
    return {f"{month} months": units.to_days(month, "month") for month in MONTHS}


def shown(estimate: Estimate) -> str:
    """A percentage with its interval for readers.

    Examples
    --------
    >>> shown(Estimate(50.0, 25.0, 75.0))
    '50.0% (95% CI 25.0 to 75.0)'
    """
    return wording.percent_interval(Estimate(*(one / 100 for one in estimate)))
