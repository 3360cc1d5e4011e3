"""Kaplan-Meier curves: estimates, quantiles, fixed times, counts at risk."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from sksurv.nonparametric import kaplan_meier_estimator

#: A survival within this of a level is on it: sqrt of the machine epsilon, as R's `quantile.survfit` has it.
TOLERANCE = math.sqrt(np.finfo(float).eps)
CURVE_COLUMNS = ["time", "at_risk", "events", "censored", "survival", "lower", "upper"]


class Estimate(NamedTuple):
    """A value with its 95% interval; NaN where not reached or not defined."""

    value: float
    lower: float
    upper: float


def observed(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of a group as arrays, refused where they cannot be what they claim.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `event` (bool, or 0 and 1).

    Returns
    -------
    time, event : ndarray
        float and bool.

    Raises
    ------
    ValueError
        When a time is missing or negative, or an event is anything but yes or no: a code of 2 (a competing event) taken
        as yes would change the estimand without a word.

    Examples
    --------
    >>> observed(pd.DataFrame({"time": [3, 1], "event": [1, 0]}))
    (array([3., 1.]), array([ True, False]))
    """
    time, event = data["time"].to_numpy(float), data["event"]
    wrong, unknown = ~(time >= 0), ~event.isin([0, 1]).to_numpy()
    if wrong.any():
        raise ValueError(f"times must be known and not negative, not {sorted(set(map(str, time[wrong])))[:5]}")
    if unknown.any():
        raise ValueError(f"an event is True or False (1 or 0), not {sorted(set(map(str, event[unknown])))[:5]}")
    return time, event.to_numpy(bool)


def kaplan_meier(data: pd.DataFrame, truncated: bool = False) -> pd.DataFrame:
    """Kaplan-Meier curve of one group, with log-log intervals.

    Parameters
    ----------
    data : DataFrame
        `time` (days), `event` (bool) and, when truncated, `entry` (days); one group.
    truncated : bool
        Count patients as at risk only after `entry`; those who left by then are not counted at all.

    Returns
    -------
    DataFrame
        One row a distinct time: `time`, `at_risk` just before it, `events` and `censored` at it, `survival`, `lower`,
        `upper`. The interval is undefined (NaN) once survival is zero, and is 1 to 1 before the first event.

    Source
    ------
    Interval: S ** exp(+-z * se / (S * log S)) with Greenwood's se; Borgan and Liestol, Scand J Stat 1990;17:35.
    The numbers of R's `survfit(conf.type = "log-log")`.

    Examples
    --------
    >>> kaplan_meier(pd.DataFrame({"time": [1, 2, 3, 4], "event": True}))["survival"].round(2).tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    if truncated:
        data = data[data["entry"] < data["time"]]
    if data.empty:
        return pd.DataFrame(columns=CURVE_COLUMNS, dtype=float)
    time, event = observed(data)
    entry = data["entry"].to_numpy(float) if truncated else None
    at, survival, interval = kaplan_meier_estimator(event, time, time_enter=entry, conf_type="log-log")
    kept = np.isin(at, time)  # with left truncation the estimator lists times of entry too
    at, survival, interval = at[kept], survival[kept], interval[:, kept]
    gone = survival <= 0
    place = np.searchsorted(at, time)
    return pd.DataFrame({
        "time": at, "at_risk": _at_risk(data, at, truncated), "events": np.bincount(place[event], minlength=len(at)),
        "censored": np.bincount(place[~event], minlength=len(at)), "survival": survival,
        "lower": np.where(gone, np.nan, interval[0]), "upper": np.where(gone, np.nan, interval[1]),
    })


def greenwood(curve: pd.DataFrame) -> np.ndarray:
    """Greenwood's increment at each time of a curve: the variance that it adds to the log of survival.

    Parameters
    ----------
    curve : DataFrame
        From `kaplan_meier`, or its first rows.

    Returns
    -------
    ndarray
        d / (n * (n - d)) for d events in n at risk; 0 where all at risk had the event, for survival is 0 from then on.

    Source
    ------
    Greenwood, Reports on Public Health and Medical Subjects 1926;33:1.

    Examples
    --------
    >>> greenwood(kaplan_meier(pd.DataFrame({"time": [1, 2], "event": True}))).tolist()
    [0.5, 0.0]
    """
    at_risk, events = curve["at_risk"].to_numpy(float), curve["events"].to_numpy(float)
    left = at_risk - events
    return np.where(left > 0, events / (at_risk * np.maximum(left, 1)), 0.0)


def _at_risk(data: pd.DataFrame, times, truncated: bool) -> np.ndarray:
    """Patients under observation just before each time: entered before it, not gone before it."""
    left = np.searchsorted(np.sort(data["time"].to_numpy(float)), times, side="left")
    if not truncated:
        return len(data) - left
    return np.searchsorted(np.sort(data["entry"].to_numpy(float)), times, side="left") - left


def quantile(curve: pd.DataFrame, probability: float = 0.5, first: bool = False) -> Estimate:
    """Time by which a fraction of patients has had the event, with the Brookmeyer-Crowley interval.

    Parameters
    ----------
    curve : DataFrame
        From `kaplan_meier`.
    probability : float
        0.5 for the median, 0.25 for the first quartile of the times.
    first : bool
        Take the first time on or below the level instead of the midpoint of a plateau: the other convention.

    Returns
    -------
    Estimate
        Days; NaN where the curve (or its limit) stays above the level.

    Notes
    -----
    Where survival lies exactly on the level, every time of that plateau is a median; the midpoint is taken, as R does.
    With an even number of events and no censoring this is the usual mean of the two middle times.

    Source
    ------
    Brookmeyer and Crowley, Biometrics 1982;38:29, with log-log limits. R: `quantile(survfit(...))`; where a limit rises
    again, as it can under left truncation, its first crossing counts, as in R's `summary(survfit(...))$table`.

    Examples
    --------
    >>> quantile(kaplan_meier(pd.DataFrame({"time": [1, 2, 3, 4], "event": True}))).value
    2.5
    """
    times = np.concatenate([[0.0], curve["time"]])
    return Estimate(*(float(_crossing(times, np.concatenate([[1.0], curve[column]]), probability, first))
                      for column in ("survival", "lower", "upper")))


def _crossing(times: np.ndarray, curve: np.ndarray, probability: float, first: bool) -> float:
    """First time at which a curve falls to 1 - probability; unless `first`, the midpoint if it rests there."""
    reaches = times[1 - curve >= probability - TOLERANCE]  # NaN compares as False
    passes = times[1 - curve >= probability + TOLERANCE]
    if not len(reaches):
        return math.nan
    if first:
        return reaches[0]
    if len(passes):
        return (reaches[0] + passes[0]) / 2
    # The curve ends on the level: its plateau lasts to the end of follow-up, unless the last limit is undefined.
    return math.nan if np.isnan(curve[-1]) else (reaches[0] + times[-1]) / 2


def survival_at(curve: pd.DataFrame, time: float) -> Estimate:
    """Survival at one time; an event at exactly that time counts.

    Parameters
    ----------
    curve : DataFrame
        From `kaplan_meier`.
    time : float
        Days.

    Returns
    -------
    Estimate
        Probability; NaN after the last follow-up of a curve that has not reached zero, where nobody was observed.

    Examples
    --------
    >>> survival_at(kaplan_meier(pd.DataFrame({"time": [1, 2, 3, 4], "event": True})), 2).value
    0.5
    """
    if curve.empty or (time > curve["time"].iloc[-1] and curve["survival"].iloc[-1] > 0):
        return Estimate(math.nan, math.nan, math.nan)
    row = int(np.searchsorted(curve["time"], time, side="right")) - 1
    return Estimate(1.0, 1.0, 1.0) if row < 0 else Estimate(*map(float, curve.loc[row, ["survival", "lower", "upper"]]))


def counts_at(data: pd.DataFrame, times) -> pd.DataFrame:
    """Numbers below a survival curve: at risk just before each time, censored and with event before it.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; one group.
    times : sequence of float
        Days.

    Returns
    -------
    DataFrame
        `time`, `at_risk`, `censored`, `events`; the three add up to the number of patients at every time.

    Source
    ------
    Layout: Morris and others, BMJ Open 2019;9:e030215 (KMunicate).

    Examples
    --------
    >>> counts_at(pd.DataFrame({"time": [1, 2, 2], "event": [True, True, False]}), [0, 2, 3]).values.tolist()
    [[0, 3, 0, 0], [2, 2, 0, 1], [3, 0, 1, 2]]
    """
    times = np.asarray(times)
    event = data["event"].to_numpy(bool)
    gone = {name: np.searchsorted(np.sort(data["time"].to_numpy()[which]), times, side="left")
            for name, which in (("censored", ~event), ("events", event))}
    return pd.DataFrame({"time": times, "at_risk": len(data) - gone["censored"] - gone["events"], **gone})


def follow_up(data: pd.DataFrame) -> Estimate:
    """Median follow-up by the reverse Kaplan-Meier method: events and censorings change places.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; one group.

    Returns
    -------
    Estimate
        Days; NaN when fewer than half would still be followed.

    Source
    ------
    Schemper and Smith, Control Clin Trials 1996;17:343. R: `survfit(Surv(time, 1 - event) ~ 1)`.

    Examples
    --------
    >>> follow_up(pd.DataFrame({"time": [2, 5, 7], "event": [True, False, False]})).value
    6.0
    """
    return quantile(kaplan_meier(data.assign(event=~observed(data)[1])))
