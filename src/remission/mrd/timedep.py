"""MRD as a covariate that changes: the hazard of relapse by the last state known, each day anew."""

from __future__ import annotations

from functools import partial as bound
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import counting, wording
from remission.mrd.landmark import by_arm_and_together, fitted, ratio
from remission.study import Study

RECORDS = [*counting.COLUMNS, "positive", "level"]
TABLE = ["arm", "covariate", "sample at least", "patients", "relapses", "hazard ratio (Firth)", "ordinary Cox",
         "log-rank"]


def process(adtv: pd.DataFrame, days: int = 0) -> pd.DataFrame:
    """Records of follow-up with the last known state, from the day on which one was known.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of states; stretches without a known state are left out, so that such patients enter late.
    days : int
        A sample counts only once it is so many days old.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `start`, `stop`, `event`, `positive` (0, 1), `level` (log10 %).

    Examples
    --------
    >>> from remission import schema
    >>> process(schema.empty(schema.ANALYSIS["adtv"])).empty
    True
    """
    known = adtv[adtv["MRDPOS"].notna()]
    made = pd.DataFrame({"patient": known["USUBJID"], "arm": known["TRT01A"], "start": known["SAMPDY"].astype("int64"),
                         "stop": known["TSTOP"].astype("int64"), "event": known["EVENT"] == 1,
                         "positive": known["MRDPOS"].astype("int64"), "level": known["LEVEL"].astype(float)})
    made = made.astype({"event": bool}).reset_index(drop=True)
    return counting.lagged(made, days, made.groupby("patient")["stop"].max())[RECORDS]


def analyse(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Hazard of relapse by the state known now, in each arm and together, with and without a delay.

    Parameters
    ----------
    adtv : DataFrame
    study : Study
        `lag_days` of `[mrd]`.

    Returns
    -------
    DataFrame
        Results `timedep.TTRLP.mrd_known.<arm>.<statistic>`: `HR[positive now]` and `HR[level now]` (per log10) with
        Firth's penalty, the same with `HR_cox`, `p[positive now]` (log-rank, Mantel and Byar); for a sample at least k
        days old `... k days ago` instead of `now`. Together: stratified by arm. Empty without samples.

    Notes
    -----
    Source: Crowley and Hu, JASA 1977;72:27; Mantel and Byar, JASA 1974;69:81. A state known shortly before relapse may
    already be the relapse; the delays show how much of the ratio rests on such samples.

    Examples
    --------
    >>> from remission import schema
    >>> analyse(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    made: list[dict[str, Any]] = []
    for days in (0, *rules(study)["lag_days"]):
        when = f"{days} days ago" if days else "now"
        for arm, records in by_arm_and_together(process(adtv, days), study).items():
            made += _rows(records, arm, when)
    return results.frame(made)


def _rows(records: pd.DataFrame, arm: str, when: str) -> list[dict[str, Any]]:
    strata, within = ("arm", ", stratified by arm") if arm == "all" else (None, "")
    made = []
    for name, words, rows in (("positive", "positive against negative", records),
                              ("level", "per log10 higher, the limit for levels below it",
                               records[records["level"].notna()])):
        common = {"n": rows["patient"].nunique(), "events": int(rows["event"].sum())}
        named = bound(results.row, "timedep", "TTRLP", "mrd_known", arm, **common)
        for statistic, method in (("HR", "firth"), ("HR_cox", "wald")):
            fit = counting.hazard_ratio(rows, [name], strata, method)
            made.append(named(f"{statistic}[{name} {when}]", **ratio(
                fit, f"{fitted(method)}, time-dependent covariate{within}; {words}")))
        if name == "positive":
            test = counting.logrank(rows, name, strata)
            made.append(named(f"p[{name} {when}]", test.p, unit="p", display=wording.p_value(test.p, test.note),
                              method=f"log-rank test of Mantel and Byar, two-sided{within}"))
    return made


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Time-dependent results for readers: a line an arm, covariate and delay.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> table(results.frame([])).empty
    True
    """
    shown = {(row.arm, row.statistic): row.display for row in rows.itertuples()}
    made = []
    for row in rows[rows["statistic"].str.startswith("HR[")].itertuples():
        name, when = row.statistic.removeprefix("HR[").removesuffix("]").split(" ", 1)
        made.append([row.arm, {"positive": "positive or negative", "level": "level, per log10"}[name],
                     "-" if when == "now" else f"{when.removesuffix(' ago')} old", row.n, row.events, row.display,
                     shown[row.arm, f"HR_cox[{name} {when}]"], shown.get((row.arm, f"p[{name} {when}]"), "")])
    order = {arm: place for place, arm in enumerate(dict.fromkeys(rows["arm"]))}
    made.sort(key=lambda line: order[line[0]])
    return pd.DataFrame(made, columns=TABLE)


def in_words(rows: pd.DataFrame) -> str:
    """What the delay does to the hazard ratio, in a sentence an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> in_words(results.frame([]))
    'No follow-up with a known MRD state.'
    """
    found = rows[rows["statistic"].str.startswith("HR[positive")]
    if found.empty:
        return "No follow-up with a known MRD state."
    said = []
    for arm, mine in found.groupby("arm", sort=False):
        parts = []
        for row in mine.itertuples():
            when = row.statistic.removeprefix("HR[positive ").removesuffix("]")
            old = "" if when == "now" else f" at least {when.removesuffix(' ago')} old"
            parts.append(f"{row.display} by the last sample{old} ({row.events} relapses)")
        said.append(f"**{'All arms together' if arm == 'all' else arm}.** Hazard ratio of positive against negative: "
                    f"{'; '.join(parts)}.")
    return "\n\n".join(said)
