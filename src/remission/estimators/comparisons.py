"""Tests of equal survival."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines.statistics import logrank_test


class Test(NamedTuple):
    """A chi-squared test; `note` says why there is no number when there is none."""

    __test__ = False  # not a test class for pytest

    chi2: float
    p: float
    note: str = ""


def logrank(data: pd.DataFrame, reference: str) -> Test:
    """Two-sided log-rank test of two arms.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm compared against; the test itself is symmetric.

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
    frame = design(data, reference)
    why = _cannot(data, frame)
    if why:
        return Test(math.nan, math.nan, why)
    one, other = frame[frame["other"] == 0], frame[frame["other"] == 1]
    found = logrank_test(one["time"], other["time"], one["event"], other["event"])
    return Test(float(found.test_statistic), float(found.p_value))


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

    Examples
    --------
    >>> design(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "event": True}), "A")["other"].tolist()
    [0, 1]
    """
    frame = pd.DataFrame({"time": data["time"].astype(float), "event": data["event"].astype(int),
                          "other": (data["arm"] != reference).astype(int)})
    return frame.assign(entry=data["entry"].astype(float))[data["entry"] < data["time"]] if truncated else frame


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
    times = np.sort(frame.loc[frame["event"] == 1, "time"].unique())
    table = pd.DataFrame({"time": times})
    for arm in (0, 1):
        mine = frame[frame["other"] == arm]
        gone = np.searchsorted(np.sort(mine["time"]), times, side="left")
        come = len(mine) if "entry" not in mine else np.searchsorted(np.sort(mine["entry"]), times, side="left")
        table[f"at_risk{arm}"] = come - gone
    for arm in (0, 1):
        hit = np.searchsorted(times, frame.loc[(frame["other"] == arm) & (frame["event"] == 1), "time"])
        table[f"events{arm}"] = np.bincount(hit, minlength=len(times))
    return table


def _cannot(data: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Why two arms cannot be compared, or nothing."""
    if data["arm"].nunique() != 2 or frame["other"].nunique() != 2:
        return "two arms are needed"
    table = risk_sets(frame)
    if table.empty:
        return "no events"
    at0, at1, ev0, ev1 = (table[name] for name in ("at_risk0", "at_risk1", "events0", "events1"))
    if not ((at0 > 0) & (at1 > 0)).any():
        return "no event while both arms were at risk"
    if not ((at0 > 0) & (at1 > 0) & (at0 + at1 > ev0 + ev1)).any():
        return "all events at one time: the test's variance is zero"
    return ""
