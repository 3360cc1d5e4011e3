"""Landmark analyses: the last known MRD state on a fixed day, and the time from that day to relapse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from remission import results
from remission import study as units
from remission.adam.admrd import rules
from remission.estimators import counting, curves, wording
from remission.estimators.comparisons import Test
from remission.estimators.curves import Estimate
from remission.estimators.models import HazardRatio
from remission.study import Study

STATES = ("negative", "positive")
FRAME = ["patient", "arm", "time", "event", "state", "category", "level", "age"]
TABLE = ["landmark", "arm", "state", "at risk", "relapses", "median from landmark", "log-rank", "hazard ratio (Firth)"]


def landmarks(study: Study) -> dict[str, int]:
    """Landmarks of a cohort: words, and days from the origin.

    Parameters
    ----------
    study : Study
        `landmarks` of `[mrd]`, in months.

    Returns
    -------
    dict

    Examples
    --------
    >>> landmarks(Study("demo", "own", "", "", (), mrd={"landmarks": [1, 6]}))
    {'1 month': 30, '6 months': 183}
    """
    return {f"{months:g} month{'' if months == 1 else 's'}": units.to_days(months, "month")
            for months in rules(study)["landmarks"]}


def at_landmark(adtv: pd.DataFrame, day: int, oldest: int, threshold: float | None = None) -> pd.DataFrame:
    """Everybody still in remission after a day, with the last state known by then.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of states.
    day : int
        Landmark, days from the origin. A sample of that day counts, a relapse of that day excludes.
    oldest : int
        A sample more than so many days old says nothing about the landmark.
    threshold : float, optional
        Ratio in % from which a sample is positive; without one, every detectable level is. A sample whose detection
        limit lies at the threshold or above it is then unknown, unless it was measured.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `time` (days from the landmark to relapse or censoring), `event`, `state` (positive, negative,
        unknown), `category`, `level` (log10 %), `age` of the sample in days.

    Source
    ------
    Anderson, Cain and Gelber, J Clin Oncol 1983;1:710.

    Examples
    --------
    >>> from remission import schema
    >>> at_landmark(schema.empty(schema.ANALYSIS["adtv"]), 91, 183).empty
    True
    """
    by_patient = adtv.groupby("USUBJID")
    here = adtv[(adtv["TSTART"] <= day) & (day < adtv["TSTOP"])]
    end, relapsed = (here["USUBJID"].map(by_patient[name].max()) for name in ("TSTOP", "EVENT"))
    age = day - here["SAMPDY"]
    known = (here["MRDPOS"].notna() & (age <= oldest)).fillna(False).to_numpy(bool)
    positive = (here["MRDPOS"] == 1).fillna(False).to_numpy(bool)
    if threshold is not None:
        level, measured = here["LEVEL"].to_numpy(float, na_value=np.nan), (here["LEVCENS"] == "N").to_numpy(bool)
        below, positive = level < math.log10(threshold), (level >= math.log10(threshold)) & measured
        known &= below | positive
    return pd.DataFrame({
        "patient": here["USUBJID"], "arm": here["TRT01A"], "time": (end - day).astype("int64"),
        "event": (relapsed == 1).astype(bool),
        "state": np.where(known, np.where(positive, "positive", "negative"), "unknown"),
        "category": here["CATEGORY"].where(known, "unknown"), "level": here["LEVEL"].astype(float).where(known),
        "age": age.where(known)})[FRAME].reset_index(drop=True)


def by_arm_and_together(data: pd.DataFrame, study: Study) -> dict[str, pd.DataFrame]:
    """Patients of each arm, then of all arms where there are several.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("B", "B"), Arm("A", "A", True)))
    >>> list(by_arm_and_together(pd.DataFrame({"arm": ["A", "B"]}), two))
    ['B', 'A', 'all']
    """
    parts = {arm: data[data["arm"] == arm] for arm in study.arm_keys if (data["arm"] == arm).any()}
    return parts if len(parts) < 2 else {**parts, "all": data}


def analyse(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Time to relapse from each landmark by the state known there, in each arm and together.

    Parameters
    ----------
    adtv : DataFrame
    study : Study
        `landmarks` and `landmark_age_days` of `[mrd]`.

    Returns
    -------
    DataFrame
        Results `landmark.TTRLP.<landmark>.<arm>.<statistic>`: `median[negative]`, `median[positive]` (with patients at
        risk and relapses), `unknown` (at risk without a telling sample), `category[...]`, `p`, `HR` (Firth, positive
        against negative), `HR_cox`, `HR[level]` (Firth, per log10). Together: stratified by arm. Empty without samples.

    Examples
    --------
    >>> from remission import schema
    >>> analyse(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    made: list[dict[str, Any]] = []
    for words, day in landmarks(study).items() if len(adtv) else ():
        for arm, data in by_arm_and_together(at_landmark(adtv, day, rules(study)["landmark_age_days"]), study).items():
            made += _state_rows(data, words, arm, study) + _test_rows(data, words, arm)
    return results.frame(made)


def _row(data: pd.DataFrame, landmark: str, arm: str, statistic: str, value: float, **more) -> dict[str, Any]:
    population = "landmark_" + landmark.replace(" ", "_")
    return results.row("landmark", "TTRLP", population, arm, statistic, value, n=len(data),
                       events=int(data["event"].sum()), **more)


def _words(population: str) -> str:
    return population.removeprefix("landmark_").replace("_", " ")


def _state_rows(data: pd.DataFrame, landmark: str, arm: str, study: Study) -> list[dict[str, Any]]:
    made = []
    for state in STATES:
        mine = data[data["state"] == state]
        median = curves.quantile(curves.kaplan_meier(mine)) if len(mine) else Estimate(*[math.nan] * 3)
        made.append(_row(mine, landmark, arm, f"median[{state}]", median.value, lower=median.lower, upper=median.upper,
                         unit="d", method="Kaplan-Meier from the landmark, 95% interval log-log",
                         display=wording.duration_interval(median, study.report_unit) if len(mine) else "no patient"))
    for statistic, mine in (("unknown", data[data["state"] == "unknown"]),
                            *((f"category[{one}]", data[data["category"] == one])
                              for one in ("complete", "intermediate", "failure"))):
        made.append(_row(mine, landmark, arm, statistic, len(mine), unit="n", display=f"{len(mine)} of {len(data)}",
                         method="count of patients at risk at the landmark"))
    return made


def compared(data: pd.DataFrame, together: bool = False) -> tuple[pd.DataFrame, Test, HazardRatio]:
    """Test patients positive at a landmark against those negative there.

    Parameters
    ----------
    data : DataFrame
        From `at_landmark`.
    together : bool
        Whether several arms are compared as one, stratified by arm.

    Returns
    -------
    tuple
        Records of the patients whose state is known, with `positive` (0 and 1); log-rank test; hazard ratio, Firth.

    Examples
    --------
    >>> data = pd.DataFrame({"patient": list("abc"), "arm": "A", "time": [9, 4, 6], "event": True,
    ...                      "state": ["negative", "positive", "unknown"]})
    >>> records, test, _ = compared(data)
    >>> len(records), round(test.p, 3)
    (2, 0.317)
    """
    known = data[data["state"] != "unknown"]
    records = counting.whole(known.assign(positive=(known["state"] == "positive").astype(int)))
    strata = "arm" if together else None
    return (records, counting.logrank(records, "positive", strata),
            counting.hazard_ratio(records, ["positive"], strata, "firth"))


def _test_rows(data: pd.DataFrame, landmark: str, arm: str) -> list[dict[str, Any]]:
    records, test, firth = compared(data, arm == "all")
    strata, within = ("arm", ", stratified by arm") if arm == "all" else (None, "")
    made = [_row(records, landmark, arm, "p", test.p, unit="p", display=wording.p_value(test.p, test.note),
                 method=f"log-rank test from the landmark, two-sided{within}")]
    measured = records[records["level"].notna()]
    words, higher = "positive against negative", "per log10 higher, the limit for levels below it"
    for statistic, rows, method, fit, meaning in (
            ("HR", records, "firth", firth, words),
            ("HR_cox", records, "wald", counting.hazard_ratio(records, ["positive"], strata, "wald"), words),
            ("HR[level]", measured, "firth", counting.hazard_ratio(measured, ["level"], strata, "firth"), higher)):
        made.append(_row(rows, landmark, arm, statistic,
                         **ratio(fit, f"{fitted(method)} from the landmark{within}; {meaning}")))
    return made


def fitted(method: str) -> str:
    """What a method of `counting.hazard_ratio` is, in words.

    Examples
    --------
    >>> fitted("wald")
    'Cox model, Efron ties, Wald interval'
    """
    return {"firth": "Cox model with Firth's penalty, Efron ties, profile interval",
            "wald": "Cox model, Efron ties, Wald interval"}[method]


def ratio(fit: HazardRatio, method: str) -> dict[str, Any]:
    """A hazard ratio as the fields of a result row.

    Examples
    --------
    >>> ratio(HazardRatio(2.0, 1.0, 4.0, 0.05), "by hand")["display"]
    '2.00 (95% CI 1.00 to 4.00), p = 0.050'
    """
    shown = wording.ratio_interval(fit.value, fit.lower, fit.upper, fit.note)
    return {"value": fit.value, "lower": fit.lower, "upper": fit.upper, "unit": "HR", "method": method,
            "display": shown if math.isnan(fit.p) else f"{shown}, {wording.p_value(fit.p)}"}


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Landmark results for readers: a line a landmark, arm and state.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    DataFrame
        Tests stand in the line of the first state; `unknown` counts patients at risk without a telling sample.

    Examples
    --------
    >>> table(results.frame([])).empty
    True
    """
    made = []
    for (population, arm), mine in rows.groupby(["population", "arm"], sort=False):
        found = mine.set_index("statistic")
        tests = [found.loc["p", "display"], found.loc["HR", "display"]]
        for state in STATES:
            line = found.loc[f"median[{state}]"]
            made.append([_words(population), arm, state, line["n"], line["events"], line["display"],
                         *tests])
            tests = ["", ""]
        if found.loc["unknown", "value"]:
            line = found.loc["unknown"]
            made.append([_words(population), arm, "unknown", line["n"], line["events"], "", "", ""])
    return pd.DataFrame(made, columns=TABLE)
