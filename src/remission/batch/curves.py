"""Kaplan-Meier statistics of many cohorts: quantiles, fixed times, restricted means."""

from __future__ import annotations

import math

import numpy as np

from remission.batch.risk import Table, running, tables, tally

#: A survival within this of a level is on it: sqrt of the machine epsilon, as R's `quantile.survfit` has it.
TOLERANCE = math.sqrt(np.finfo(float).eps)


def survival(table: Table) -> np.ndarray:
    """Kaplan-Meier survival after each patient of a risk table; events of one day leave one after another.

    Parameters
    ----------
    table : Table

    Returns
    -------
    array (patients, cohorts)

    Examples
    --------
    >>> from remission.batch.risk import tables
    >>> survival(next(tables([1, 2, 3, 4], [1, 1, 0, 1])[1])[1])[:, 0].tolist()
    [0.75, 0.5, 0.5, 0.0]
    """
    kept = table.event * (-1 / np.arange(len(table.event), 0, -1.0)[:, None])
    kept += 1
    return running(np.multiply, kept)


def quantile(time, event, probability: float = 0.5) -> np.ndarray:
    """Time by which a fraction of patients has had the event, for every cohort.

    Parameters
    ----------
    time, event : array (B, n) or (n,)
        One group's patients a cohort.
    probability : float
        0.5 for the median.

    Returns
    -------
    array (B,)
        In the unit of `time`; infinite where the curve stays above the level, NaN for a cohort without patients.

    Raises
    ------
    ValueError
        The probability is not above 0 and at most 1, or a time is missing.

    Source
    ------
    R: `quantile(survfit(...))`; on a plateau at the level, its midpoint. As `estimators.curves.quantile`.

    Examples
    --------
    >>> quantile([[1, 2, 3, 4], [1, 2, 3, 4]], [[1, 1, 1, 1], [1, 0, 0, 0]]).tolist()
    [2.5, inf]
    """
    if not 0 < probability <= 1:
        raise ValueError(f"a probability is above 0 and at most 1, not {probability}")
    count, parts = tables(time, event)
    found = np.full(count, np.nan)
    for part, table in parts:
        if len(table.event):
            found[part] = _crossing(table, probability)
    return found


def _crossing(table: Table, probability: float) -> np.ndarray:
    """Where the curves of a chunk pass 1 - probability."""
    curve, last = survival(table), len(table.event) - 1
    reaches = tally(curve > 1 - probability + TOLERANCE)
    passes = np.minimum(tally(curve > 1 - probability - TOLERANCE), last)  # a last plateau ends with follow-up
    middle = (table.time_of(np.minimum(reaches, last)) + table.time_of(passes)) / 2
    return np.where(reaches > last, np.inf, middle)


def survival_at(time, event, at) -> np.ndarray:
    """Kaplan-Meier survival at fixed times, for every cohort; an event at exactly that time counts.

    Parameters
    ----------
    time, event : array (B, n) or (n,)
    at : sequence of float
        In the unit of `time`.

    Returns
    -------
    array (B, len(at))
        NaN after the last follow-up of a curve that has not reached zero, where nobody was observed.

    Examples
    --------
    >>> survival_at([1, 2, 3, 4], [1, 1, 1, 0], [0, 2, 5]).tolist()
    [[1.0, 0.5, nan]]
    """
    at = np.atleast_1d(np.asarray(at, float))
    count, parts = tables(time, event)
    found = np.full((count, len(at)), np.nan)
    for part, table in parts:
        if not len(table.event):
            continue
        curve = np.concatenate([np.ones((1, table.event.shape[1])), survival(table)])
        columns, latest = np.arange(curve.shape[1]), table.time[-1] + table.origin
        for place, moment in enumerate(at):
            value = curve[table.until(float(moment)), columns]
            found[part, place] = np.where((moment > latest) & (curve[-1] > 0), np.nan, value)
    return found


def rmst(time, event, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Restricted mean survival time up to tau, with its variance, for every cohort.

    Parameters
    ----------
    time, event : array (B, n) or (n,)
    tau : float
        In the unit of `time`.

    Returns
    -------
    mean, variance : array (B,)
        NaN where tau lies beyond the last follow-up and the curve has not reached zero.

    Raises
    ------
    ValueError
        Tau is not positive.

    Source
    ------
    Klein and Moeschberger, Survival Analysis, 2nd edition, section 4.5. The variance is the square of `se(rmean)` of
    R's `print(survfit(...), rmean = tau)`: Greenwood's sum of the squared areas to the right.

    Examples
    --------
    >>> mean, variance = rmst([1, 2, 3, 4], [1, 1, 1, 1], 4)
    >>> mean.tolist(), variance.tolist()
    ([2.5], [0.3125])
    """
    if not tau > 0:
        raise ValueError(f"tau is a positive time, not {tau}")
    count, parts = tables(time, event)
    mean, variance = np.full(count, np.nan), np.full(count, np.nan)
    for part, table in parts:
        if len(table.event):
            mean[part], variance[part] = _area(table, tau)
    return mean, variance


def _area(table: Table, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Area below the curves of a chunk up to tau, and its variance."""
    patients = len(table.event)
    times, curve = table.times(), survival(table)
    unknown = (times[-1] < tau) & (curve[-1] > 0)
    np.clip(times, 0, tau, out=times)
    after = np.zeros_like(curve)  # area from each patient's time to the next one's, then to tau
    np.multiply(curve[:-1], np.diff(times, axis=0), out=after[:-1])
    after = running(np.add, after[::-1])[::-1]
    mean = times[0] + after[0]
    # Events of one day leave one after another: the terms add up to Greenwood's d / (r (r - d)).
    left = np.arange(patients, 0, -1.0)[:, None]
    after *= after
    after *= table.event * (1 / (left * np.maximum(left - 1, 1)))  # beyond the last patient there is no area
    variance = after.sum(axis=0)
    return np.where(unknown, np.nan, mean), np.where(unknown, np.nan, variance)
