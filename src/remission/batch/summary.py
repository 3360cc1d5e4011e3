"""The five statistics of two arms in one pass: every cohort is put in order once, and all read the same risk table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from remission.batch.arms import Arms, arms
from remission.batch.comparisons import sums, test
from remission.batch.concordance import of_arms
from remission.batch.cox import maximum, odds
from remission.batch.curves import TOLERANCE
from remission.batch.risk import Table, running, tables, tally


class Summary(NamedTuple):
    """Five statistics of two arms, one row a cohort; in arrays (B, 2) the reference arm comes first, the other second.

    Each is defined as by the function of its name in `remission.batch`.
    """

    median: np.ndarray  #: (B, 2)
    mean: np.ndarray  #: (B, 2), restricted to tau
    mean_variance: np.ndarray  #: (B, 2)
    score: np.ndarray
    variance: np.ndarray
    chi2: np.ndarray
    p: np.ndarray
    log_hr: np.ndarray
    se: np.ndarray
    lower: np.ndarray  #: limits of the hazard ratio; NaN where it is infinite, 0 or not known
    upper: np.ndarray
    concordance: np.ndarray


def summary(time, event, arm, tau: float, level: float = 0.95) -> Summary:
    """Medians, restricted means, log-rank test, hazard ratio and concordance of two arms, for every cohort.

    Parameters
    ----------
    time, event, arm : array (B, n) or (n,)
        `arm` is True in the other arm.
    tau : float
        Time to which means are restricted, in the unit of `time`.
    level : float
        0.95 for a 95% interval of the hazard ratio (Wald, on the log scale).

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        Tau is not positive, the level is not between 0 and 1, or a time is missing.

    Source
    ------
    As `quantile`, `rmst`, `logrank`, `cox` and `concordance`, each with its call in R.

    Examples
    --------
    >>> found = summary([1, 3, 2, 4], [1, 1, 1, 1], [0, 0, 1, 1], tau=4)
    >>> found.median.tolist(), found.mean.tolist(), round(float(np.exp(found.log_hr[0])), 4)
    ([[2.0, 3.0]], [[2.0, 3.0]], 0.3904)
    """
    if not tau > 0:
        raise ValueError(f"tau is a positive time, not {tau}")
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    count, parts = tables(time, event, arm, bits=1)
    median, mean, mean_variance = (np.full((count, 2), np.nan) for _ in range(3))
    score, variance = np.zeros(count), np.zeros(count)
    log_hr, se, concordance = (np.full(count, np.nan) for _ in range(3))
    for part, table in parts:
        if not len(table.event):
            continue
        counts = arms(table)
        median[part], mean[part], mean_variance[part] = _curves(table, counts, tau)
        score[part], variance[part] = sums(table, counts)
        log_hr[part], se[part] = maximum(*odds(table, counts))
        concordance[part] = of_arms(table, counts)
    width = ndtri((1 + level) / 2) * se
    return Summary(median, mean, mean_variance, *test(score, variance), log_hr, se,
                   np.exp(log_hr - width), np.exp(log_hr + width), concordance)


def _curves(table: Table, counts: Arms, tau: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Medians, restricted means and their variances of both arms of a chunk, (cohorts, 2)."""
    patients = len(counts.other)
    place, gone = counts.split(counts.gone[:-1])
    left = counts.total - gone
    rest = (patients - place) - left
    own = (rest + counts.other * (left - rest)).astype(float)  # left in the patient's own arm, himself included
    hazard = np.broadcast_to(table.event, own.shape).astype(float)
    hazard /= own
    # Events of one day leave one after another: the terms add up to Greenwood's d / (r (r - d)).
    own -= 1
    greenwood = hazard / np.maximum(own, 1, out=own)
    times = np.broadcast_to(table.times(), own.shape)
    inside = np.minimum(times, tau)
    width = np.zeros(own.shape)
    np.subtract(inside[1:], inside[:-1], out=width[:-1])
    mine = counts.other.astype(float)
    of_other = hazard * mine, greenwood * mine
    of_reference = np.subtract(hazard, of_other[0], out=hazard), np.subtract(greenwood, of_other[1], out=greenwood)
    found = [_curve(times, inside[0], width, *terms, remaining, tau)
             for terms, remaining in ((of_reference, rest), (of_other, left))]
    return tuple(np.stack(pair, axis=1) for pair in zip(*found, strict=True))


def _curve(times, start, width, hazard, greenwood, remaining, tau: float) -> tuple[np.ndarray, ...]:
    """Median, restricted mean and its variance of one arm, along the patients of both; works in place."""
    columns = np.arange(times.shape[1])
    last = tally(remaining > 0) - 1  # the arm's last patient; -1 for an empty arm
    curve = running(np.multiply, np.subtract(1, hazard, out=hazard))
    reaches, passes = tally(curve > 0.5 + TOLERANCE), np.minimum(tally(curve > 0.5 - TOLERANCE), last)
    median = (times[np.minimum(reaches, len(times) - 1), columns] + times[passes, columns]) / 2
    median = np.where(reaches == len(times), np.inf, median)
    unknown = (times[last, columns] < tau) & (curve[-1] > 0) | (last < 0)
    curve *= width
    area = running(np.add, curve[::-1])[::-1]
    mean = start + area[0]
    area *= area
    area *= greenwood
    return (np.where(last < 0, np.nan, median), np.where(unknown, np.nan, mean),
            np.where(unknown, np.nan, area.sum(axis=0)))
