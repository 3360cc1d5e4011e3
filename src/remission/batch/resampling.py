"""Resampling of patients, and the intervals made from it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri


class Interval(NamedTuple):
    """Limits of an interval; `note` says what is not as it should be."""

    lower: float
    upper: float
    note: str = ""


def bootstrap(strata, draws: int, seed: int) -> np.ndarray:
    """Patients of bootstrap cohorts, drawn with replacement within strata.

    Parameters
    ----------
    strata : array (n,)
        Group of each patient, an arm for instance; each cohort keeps the size of every group.
    draws : int
        Number of cohorts.
    seed : int

    Returns
    -------
    array (draws, n) of int
        Row numbers; position i holds a patient of the stratum of patient i, so the strata need no resampling.

    Examples
    --------
    >>> bootstrap(["A", "A", "B"], draws=2, seed=1).tolist()
    [[0, 1, 2], [1, 1, 2]]
    """
    strata = np.asarray(strata)
    rng = np.random.default_rng(seed)
    drawn = np.empty((draws, len(strata)), np.int64)
    for one in np.unique(strata):
        mine = np.flatnonzero(strata == one)
        drawn[:, mine] = mine[rng.integers(0, len(mine), size=(draws, len(mine)))]
    return drawn


def leave_one_out(n: int) -> np.ndarray:
    """Patients of the n cohorts that each lack one: row i is without patient i.

    Parameters
    ----------
    n : int

    Returns
    -------
    array (n, n - 1) of int

    Examples
    --------
    >>> leave_one_out(3).tolist()
    [[1, 2], [0, 2], [0, 1]]
    """
    return np.nonzero(~np.eye(n, dtype=bool))[1].reshape(n, max(n - 1, 0))


def bca(estimate: float, replicates, jackknife, level: float = 0.95, strata=None) -> Interval:
    """Bias-corrected and accelerated bootstrap interval.

    Parameters
    ----------
    estimate : float
        The statistic of the cohort itself.
    replicates : array (B,)
        The statistic of the bootstrap cohorts; infinities are values like others, NaN are left out with a note.
    jackknife : array (n,)
        The statistic without patient i.
    level : float
        0.95 for a 95% interval.
    strata : array (n,), optional
        The strata within which patients were resampled.

    Returns
    -------
    Interval
        When the bias correction or the acceleration cannot be computed (an infinite leave-one-out value, or all of them
        equal) the percentile interval, with a note that says so.

    Source
    ------
    Efron, JASA 1987;82:171; with strata Davison and Hinkley, Bootstrap Methods, section 5.3. Quantiles by
    interpolation on the normal scale as in R's `boot::boot.ci(type = "bca")`; replicates equal to the estimate count
    half, which matters for medians.

    Examples
    --------
    >>> values = np.array([3.0, 5, 8, 9, 15])
    >>> means = values[bootstrap(np.zeros(5), 2000, seed=1)].mean(axis=1)
    >>> limits = bca(values.mean(), means, values[leave_one_out(5)].mean(axis=1))
    >>> [round(limit, 1) for limit in limits[:2]]
    [5.0, 12.4]
    """
    replicates, jackknife = np.asarray(replicates, float), np.asarray(jackknife, float)
    known = np.sort(replicates[~np.isnan(replicates)])
    note = "" if len(known) == len(replicates) else (
        f"{len(replicates) - len(known)} of {len(replicates)} bootstrap cohorts have no value and are left out")
    if math.isnan(estimate) or not len(known):
        return Interval(math.nan, math.nan, "; ".join(filter(None, ["the statistic has no value", note])))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    share = ((known < estimate).mean() + (known <= estimate).mean()) / 2
    speed, why = acceleration(jackknife, strata)
    if not why and not 0 < share < 1:
        why = "every bootstrap value lies on one side of the estimate"
    if why:
        why = f"percentile interval: {why}"
    else:
        shifted = ndtri(share) + ndtri(tails)
        tails = ndtr(ndtri(share) + shifted / (1 - speed * shifted))
    return Interval(*(float(_quantile(known, tail)) for tail in tails), "; ".join(filter(None, [why, note])))


def acceleration(jackknife, strata=None) -> tuple[float, str]:
    """Acceleration of the BCa interval from leave-one-out values.

    Parameters
    ----------
    jackknife : array (n,)
    strata : array (n,), optional

    Returns
    -------
    tuple
        The acceleration, and why there is none (NaN) or an empty string.

    Examples
    --------
    >>> acceleration(np.array([1.0, 2.0, 3.0]))
    (0.0, '')
    """
    jackknife = np.asarray(jackknife, float)
    if not np.isfinite(jackknife).all():
        return math.nan, "a leave-one-out value is not finite, so the acceleration is not defined"
    strata = np.zeros(len(jackknife)) if strata is None else np.asarray(strata)
    influence = np.empty(len(jackknife))
    for one in np.unique(strata):
        mine = strata == one
        # Influence (n_s - 1)(mean - value) over the size of the stratum.
        influence[mine] = (mine.sum() - 1) / mine.sum() * (jackknife[mine].mean() - jackknife[mine])
    squares = float((influence**2).sum())
    if squares <= 1e-24 * float((jackknife**2).sum()):
        return math.nan, "no patient's leaving changes the estimate, so the acceleration is not defined"
    return float((influence**3).sum()) / (6 * squares**1.5), ""


def _quantile(ordered: np.ndarray, tail: float) -> float:
    """Quantile of ordered values, interpolated on the normal scale between the order statistics around (B + 1) tail."""
    rank = (len(ordered) + 1) * tail
    below = math.floor(rank)
    if below < 1 or below >= len(ordered):
        return ordered[0] if below < 1 else ordered[-1]
    low, high = ordered[below - 1], ordered[below]
    if low == high or rank == below or math.isinf(low):
        return low
    scale = ndtri(np.array([tail, below / (len(ordered) + 1), (below + 1) / (len(ordered) + 1)]))
    return low + (scale[0] - scale[1]) / (scale[2] - scale[1]) * (high - low)
