"""Tests of equal survival."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2

from remission.estimators.curves import observed


class Test(NamedTuple):
    """A chi-squared test; `note` says why there is no number when there is none.

    `score` is observed minus expected events of the other arm, where the test has such a thing.
    """

    __test__ = False  # not a test class for pytest

    chi2: float
    p: float
    note: str = ""
    score: float = math.nan


class Difference(NamedTuple):
    """A difference, other arm minus reference arm, with its 95% interval and p; `note` as in `Test`."""

    value: float
    lower: float
    upper: float
    p: float
    note: str = ""


def logrank(data: pd.DataFrame, reference: str, truncated: bool = False) -> Test:
    """Two-sided log-rank test of two arms.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm compared against; the test itself is symmetric.
    truncated : bool
        Count patients as at risk only after `entry`; those who left by then are not counted at all.

    Returns
    -------
    Test
        Chi-squared on one degree of freedom, hypergeometric variance.

    Source
    ------
    Mantel, Cancer Chemother Rep 1966;50:163. R: `survdiff(Surv(time, event) ~ arm)`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": ["A", "A", "B", "B"], "time": [1, 2, 3, 4], "event": True})
    >>> round(logrank(rows, "A").chi2, 3)
    2.882
    """
    return weighted_logrank(data, reference, truncated=truncated)


def weighted_logrank(data: pd.DataFrame, reference: str, weight: str | tuple[float, float] = "log-rank",
                     truncated: bool = False) -> Test:
    """Two-sided weighted log-rank test of two arms.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm compared against.
    weight : str or (float, float)
        `log-rank`: every event alike. `Gehan`: by the number at risk, so early events count most. (rho, gamma):
        Fleming and Harrington's S ** rho * (1 - S) ** gamma, S the pooled Kaplan-Meier estimate just before the event;
        (1, 0) stresses early, (0, 1) late, (1, 1) middle differences.
    truncated : bool
        Count patients as at risk only after `entry`; those who left by then are not counted at all.

    Returns
    -------
    Test
        Chi-squared on one degree of freedom, hypergeometric variance; `score` is weighted observed minus expected
        events of the other arm, below zero when it fares better.

    Raises
    ------
    ValueError
        For an unknown weight.

    Source
    ------
    Gehan, Biometrika 1965;52:203; Fleming and Harrington, Counting Processes and Survival Analysis, 1991, chapter 7.
    R: `survdiff(Surv(time, event) ~ arm, rho = 1)` is (1, 0), with the same S just before the event.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": ["A", "A", "B", "B"], "time": [1, 2, 3, 4], "event": True})
    >>> round(weighted_logrank(rows, "A", "Gehan").chi2, 3)
    2.667
    """
    frame = design(data, reference, truncated)
    table = risk_sets(frame)
    factor = _weights(table, weight)
    why = incomparable(data, frame, table)
    if why:
        return Test(math.nan, math.nan, why)
    score, spread = _excess(table)
    return _tested(float(factor @ score), float(factor**2 @ spread), bool(spread.any()))


def stratified_logrank(data: pd.DataFrame, reference: str, stratum: str, truncated: bool = False) -> Test:
    """Two-sided log-rank test of two arms in which patients are compared within their stratum only.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms, and a column that names the stratum.
    reference : str
        The arm compared against.
    stratum : str
        Name of that column.
    truncated : bool
        Count patients as at risk only after `entry`; those who left by then are not counted at all.

    Returns
    -------
    Test
        Observed minus expected events and hypergeometric variances are added up over the strata.

    Source
    ------
    Mantel, Cancer Chemother Rep 1966;50:163. R: `survdiff(Surv(time, event) ~ arm + strata(stratum))`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("ABAB"), "time": [1, 2, 3, 4], "event": True, "at": [1, 1, 2, 2]})
    >>> round(stratified_logrank(rows, "A", "at").chi2, 3)  # by hand: (1/2 + 1/2)**2 / (1/4 + 1/4)
    2.0
    """
    frame = design(data, reference, truncated)
    tables = [risk_sets(mine) for _, mine in frame.groupby(data[stratum], sort=True)]
    if frame["other"].nunique() != 2 or frame["event"].sum() == 0:
        return Test(math.nan, math.nan, "no events" if frame["other"].nunique() == 2 else "two arms are needed")
    if not any(((table["at_risk0"] > 0) & (table["at_risk1"] > 0)).any() for table in tables):
        return Test(math.nan, math.nan, "no event while both arms of a stratum were at risk")
    parts = [_excess(table) for table in tables]
    score, spread = (float(sum(part[which].sum() for part in parts)) for which in (0, 1))
    return _tested(score, spread, False)


def _excess(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Observed minus expected events of the other arm, and their hypergeometric variance, at each time."""
    at0, at1, ev0, ev1 = (table[name].to_numpy(float) for name in ("at_risk0", "at_risk1", "events0", "events1"))
    at_risk, events = at0 + at1, ev0 + ev1
    share = at1 / at_risk
    return ev1 - events * share, events * share * (1 - share) * (at_risk - events) / np.maximum(at_risk - 1, 1)


def _tested(score: float, variance: float, weighted: bool) -> Test:
    """The test of a score; `weighted` when some time has a variance that its weight took away."""
    if variance <= 0:
        alone = "no weight on any event that tells the arms apart: " if weighted else "all events at one time: "
        return Test(math.nan, math.nan, f"{alone}the test's variance is zero", score)
    statistic = score**2 / variance
    return Test(statistic, float(chi2.sf(statistic, 1)), "", score)


def _weights(table: pd.DataFrame, weight: str | tuple[float, float]) -> np.ndarray:
    """Weight of each time of an event."""
    if weight == "log-rank":
        return np.ones(len(table))
    at_risk = (table["at_risk0"] + table["at_risk1"]).to_numpy(float)
    if weight == "Gehan":
        return at_risk
    if isinstance(weight, str) or len(weight) != 2 or min(weight) < 0:
        raise ValueError(f"weight {weight!r} is none of log-rank, Gehan, (rho, gamma) with neither below 0")
    survival = pooled_survival(table)
    return survival ** weight[0] * (1 - survival) ** weight[1]


def pooled_survival(table: pd.DataFrame) -> np.ndarray:
    """Kaplan-Meier estimate of both arms together, just before each time of an event.

    Examples
    --------
    >>> pooled_survival(pd.DataFrame({"at_risk0": [2, 1], "at_risk1": [2, 1], "events0": [1, 0], "events1": [0, 1]}))
    array([1.  , 0.75])
    """
    at_risk, events = table["at_risk0"] + table["at_risk1"], table["events0"] + table["events1"]
    return np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])[:-1]


def one_sided(test: Test) -> float:
    """One-sided p in the direction of a benefit of the other arm: fewer events than expected.

    Examples
    --------
    >>> round(one_sided(Test(3.8415, 0.05, score=-2.0)), 3), round(one_sided(Test(3.8415, 0.05, score=2.0)), 3)
    (0.025, 0.975)
    """
    return test.p / 2 if test.score < 0 else 1 - test.p / 2


def design(data: pd.DataFrame, reference: str, truncated: bool = False) -> pd.DataFrame:
    """Two arms as numbers: time, event, an indicator of the other arm, and entry where it matters.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`.
    reference : str
        The arm coded 0.
    truncated : bool
        Keep `entry`, and drop patients who left by then.

    Returns
    -------
    DataFrame
        `time`, `event` (0 or 1), `other` (0 or 1), perhaps `entry`.

    Raises
    ------
    ValueError
        When a time is missing or negative, or an event is anything but yes or no.

    Examples
    --------
    >>> design(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "event": True}), "A")["other"].tolist()
    [0, 1]
    """
    time, event = observed(data)
    frame = pd.DataFrame({"time": time, "event": event.astype(int), "other": (data["arm"] != reference).astype(int)},
                         index=data.index)
    return frame.assign(entry=data["entry"].astype(float))[data["entry"] < data["time"]] if truncated else frame


def split(data: pd.DataFrame, reference: str) -> dict[str, pd.DataFrame]:
    """Two arms apart, the other arm first; empty when there are not two, of which one is the reference.

    Examples
    --------
    >>> list(split(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2]}), "A")), split(pd.DataFrame({"arm": ["A"]}), "A")
    (['B', 'A'], {})
    """
    names = sorted(data["arm"].unique(), key=lambda arm: arm == reference)
    return {arm: data[data["arm"] == arm] for arm in names} if len(names) == 2 and names[1] == reference else {}


def risk_sets(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers at risk and events by arm, at every distinct time of an event.

    Parameters
    ----------
    frame : DataFrame
        `time`, `event` (0 or 1), `other` (0 or 1) and optionally `entry`, in days.

    Returns
    -------
    DataFrame
        `time`, `at_risk0`, `at_risk1`, `events0`, `events1`; 1 is the other arm.

    Examples
    --------
    >>> risk_sets(pd.DataFrame({"time": [1, 2, 3], "event": [1, 0, 1], "other": [0, 1, 1]})).values.tolist()
    [[1, 1, 2, 1, 0], [3, 0, 1, 0, 1]]
    """
    time, event, other = frame["time"].to_numpy(), frame["event"].to_numpy() == 1, frame["other"].to_numpy() == 1
    times = np.unique(time[event])
    at_risk, events = {}, {}
    for arm, mine in enumerate((~other, other)):
        gone = np.searchsorted(np.sort(time[mine]), times, side="left")
        come = mine.sum() if "entry" not in frame else np.searchsorted(
            np.sort(frame["entry"].to_numpy()[mine]), times, side="left")
        at_risk[f"at_risk{arm}"] = come - gone
        events[f"events{arm}"] = np.bincount(np.searchsorted(times, time[mine & event]), minlength=len(times))
    return pd.DataFrame({"time": times, **at_risk, **events})


def incomparable(data: pd.DataFrame, frame: pd.DataFrame, table: pd.DataFrame) -> str:
    """Why the data say nothing about two arms, or nothing.

    Parameters
    ----------
    data, frame, table : DataFrame
        One endpoint, `design` of it, and `risk_sets` of that.

    Returns
    -------
    str

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "event": [False, True]})
    >>> incomparable(rows, design(rows, "A"), risk_sets(design(rows, "A")))
    'no event while both arms were at risk'
    """
    if data["arm"].nunique() != 2 or frame["other"].nunique() != 2:
        return "two arms are needed"
    if table.empty:
        return "no events"
    if not ((table["at_risk0"] > 0) & (table["at_risk1"] > 0)).any():
        return "no event while both arms were at risk"
    return ""
