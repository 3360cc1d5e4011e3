"""From the starting dose to the target: how fast, how many, and how many are still there."""

from __future__ import annotations

import math

import pandas as pd

from remission import study as units
from remission.adam.adex import at_target
from remission.estimators import competing
from remission.estimators.proportions import proportion
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import EXACT, count_result
from remission.toxicity.courses import ENDS, EVENT, at_months, first_of, groups, incidences, shown

#: Who is counted at a fixed month, and how a result names it.
DENOMINATORS = {"all evaluable": "", "alive in remission": "_in_remission"}


def stepped(study: Study, drug: str) -> bool:
    """Whether a drug's plan starts below its target, so that there is a target to reach."""
    plan = study.dose_plans.get(drug, {})
    return bool(plan) and plan["start"] < plan["target"]


def target_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Time to the target dose, with stop, relapse and death before it as competing ends.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
        Plans in `dose_plans`; drugs whose plan starts at target are left out.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N (patients with a dose and usable dates), reached, then what came before the target:
        stop, relapse, death, none yet; half (day by which half of all N had reached it; missing when half never did),
        first_day, last_day (among those who reached it; days from the first dose).
    """
    made = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        if not stepped(study, drug):
            continue
        data = first_of(course, course["TARGETDY"])
        curve = competing.cumulative_incidence(data)
        half = curve.loc[(curve["cause"] == EVENT) & (curve["incidence"] >= 0.5 - 1e-12), "time"]
        days = data.loc[data["event"], "time"]
        made.append({"drug": drug, "population": code, "TRT01A": arm, "N": len(data), "reached": len(days),
                     **{words: int((data["code"] == end).sum()) for end, words in ENDS.items()},
                     "none yet": int((data["code"] == 0).sum()), "half": half.min() if len(half) else math.nan,
                     "first_day": days.min(), "last_day": days.max()})
    return pd.DataFrame(made, columns=None if made else ["drug", "population", "TRT01A", "N"])


def target_times(study: Study, drug: str) -> dict[str, int]:
    """Days at which the incidence of the target dose is read: the end of the planned ramp, and the fixed months.

    Examples
    --------
    >>> plans = {"x": {"ramp_days": 28}}
    >>> list(target_times(Study("demo", "own", "", "", (), dose_plans=plans), "x"))[:2]
    ['28 days', '2 months']
    """
    ramp = study.dose_plans[drug].get("ramp_days", 0)
    return ({f"{ramp} days": ramp} if ramp else {}) | {"2 months": units.to_days(2, "month")} | at_months()


def target_results(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows `target.<drug>.<population>.<arm>.reached[<time>]` and `.half`."""
    rows, table = [], target_table(adexst, adsl, study)
    method = "Aalen-Johansen, stop, relapse and death competing, from the first dose; log-log interval"
    for drug, code, arm, course in groups(adexst, adsl, study):
        if not stepped(study, drug):
            continue
        data = first_of(course, course["TARGETDY"])
        for label, found in incidences(data, target_times(study, drug)):
            rows.append(row("target", drug, code, arm, f"reached[{label}]", found.value, lower=found.lower,
                            upper=found.upper, unit="%", n=len(data), events=int(data["event"].sum()), method=method,
                            display=shown(found)))
    for one in table.itertuples():
        said = "half never reached it" if math.isnan(one.half) else f"day {one.half:.0f}"
        rows.append(row("target", one.drug, one.population, one.TRT01A, "half", one.half, lower=one.first_day,
                        upper=one.last_day, unit="d", n=one.N, events=one.reached,
                        method="first day with a cumulative incidence of one half or more; limits are the first and "
                               "the last such day of a patient", display=said))
    return rows


def at_target_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients ever at target by a fixed month, and patients at target on that day.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        drug, population, TRT01A, time, denominator (all evaluable; alive in remission: and followed to that day), N,
        unseen (not followed to that day; counted in N of the first denominator as not at target), ever, at, and their
        percentages and exact limits (%).

    Notes
    -----
    Months count from the first dose. Who relapsed or died on the very day is not in remission on it.
    """
    made = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        if not stepped(study, drug):
            continue
        mine = adexst[(adexst["EXDRUG"] == drug) & at_target(adexst["WKDOSE"], adexst["EXDRUG"], study)]
        for label, days in at_months().items():
            day = course["START"] + days
            ever = course["TARGETDY"] <= day
            here = course["USUBJID"].isin(_on(mine, course.assign(day=day)))
            gone = (course["RELDY"] <= day) | (course["DTHDY"] <= day)
            unseen = ~gone & ~(course["LSTALVDY"] >= day)
            for denominator in DENOMINATORS:
                among = pd.Series(True, index=course.index)
                if denominator == "alive in remission":
                    among = (course["TTEFL"] == "Y") & ~gone & ~unseen
                made.append({"drug": drug, "population": code, "TRT01A": arm, "time": label,
                             "denominator": denominator, "N": int(among.sum()), "unseen": int((unseen & among).sum()),
                             "ever": int((ever & among).sum()), "at": int((here & among).sum())})
    table = pd.DataFrame(made)
    for name in ("ever", "at") if made else ():
        shares = [proportion(count, n) for count, n in zip(table[name], table["N"], strict=True)]
        for place, suffix in enumerate(("pct", "lower", "upper")):
            table[f"{name}_{suffix}"] = [100 * share[place] for share in shares]
    return table if made else pd.DataFrame(columns=["drug", "population", "TRT01A", "N"])


def _on(stretches: pd.DataFrame, days: pd.DataFrame) -> pd.Series:
    """Patients whose own day lies inside one of their stretches."""
    joined = stretches.merge(days[["USUBJID", "day"]], on="USUBJID")
    inside = (joined["STDY"] <= joined["day"]) & (joined["ENDY"].isna() | (joined["day"] <= joined["ENDY"]))
    return joined.loc[inside.fillna(False), "USUBJID"]


def at_target_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `at_target_table`: `target.<drug>.<population>.<arm>.ever[<months>]`, `.at[<months>]`.

    The second denominator is in the name: `.ever_in_remission[<months>]`, `.at_in_remission[<months>]`.
    """
    words = {"ever": "patients at the target dose on or before that day",
             "at": "patients at the target dose on that day"}
    return [count_result(("target", one.drug, one.population, one.TRT01A,
                          f"{name}{DENOMINATORS[one.denominator]}[{one.time}]"), getattr(one, name), one.N,
                         f"{said}; of {one.denominator}; {EXACT.removeprefix('patients at worst grade; ')}")
            for one in table.itertuples() for name, said in words.items()]
