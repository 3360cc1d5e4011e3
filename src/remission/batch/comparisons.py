"""Log-rank tests of many cohorts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfc

from remission.batch.arms import Arms, arms, before_time
from remission.batch.curves import survival
from remission.batch.risk import Table, held_back, tables


class LogRank(NamedTuple):
    """Log-rank tests, one a cohort: `score` is observed minus expected events of the other arm."""

    score: np.ndarray
    variance: np.ndarray
    chi2: np.ndarray
    p: np.ndarray


def logrank(time, event, arm, weight="log-rank") -> LogRank:
    """Two-sided log-rank test of two arms, perhaps weighted, for every cohort.

    Parameters
    ----------
    time, event, arm : array (B, n) or (n,)
        `arm` is True in the other arm. Cohorts that differ only in their arms (permutations) are put in order once.
    weight : str or tuple
        "log-rank", "Gehan" (number at risk), or (rho, gamma) of Fleming and Harrington, on the pooled Kaplan-Meier
        curve just before each time.

    Returns
    -------
    LogRank
        `score`, `variance` (hypergeometric), `chi2` on one degree of freedom, `p`; each (B,). Chi-squared and p are NaN
        where the variance is 0: an empty arm, no event while both arms were at risk, or all events at one last time.

    Raises
    ------
    ValueError
        The weight is unknown.

    Source
    ------
    Mantel, Cancer Chemother Rep 1966;50:163; Gehan, Biometrika 1965;52:203, in Mantel's form with hypergeometric
    variance; Harrington and Fleming, Biometrika 1982;69:553. R: `survdiff(Surv(time, event) ~ arm, rho = rho)`.

    Examples
    --------
    >>> found = logrank([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1])
    >>> round(float(found.score[0]), 4), round(float(found.chi2[0]), 3)
    (-1.1667, 2.882)
    """
    _check_weight(weight)
    count, parts = tables(time, event, arm, bits=1)
    score, variance = np.zeros(count), np.zeros(count)
    for part, table in parts:
        if len(table.event):
            score[part], variance[part] = sums(table, arms(table), weight)
    return test(score, variance)


def test(score: np.ndarray, variance: np.ndarray) -> LogRank:
    """Chi-squared and p of scores; NaN where the variance is 0.

    Examples
    --------
    >>> test(np.array([2.0]), np.array([4.0])).chi2.tolist()
    [1.0]
    """
    chi2 = np.divide(score * score, variance, out=np.full(len(score), np.nan), where=variance > 0)
    return LogRank(score, variance, chi2, erfc(np.sqrt(chi2 / 2)))


def _check_weight(weight) -> None:
    """Refuse a weight that is none."""
    if weight in ("log-rank", "Gehan"):
        return
    if not (isinstance(weight, tuple) and len(weight) == 2 and min(weight) >= 0):
        raise ValueError(f'a weight is "log-rank", "Gehan" or (rho, gamma), not {weight!r}')


def sums(table: Table, counts: Arms, weight="log-rank") -> tuple[np.ndarray, np.ndarray]:
    """Score and variance of a chunk.

    Events of one day are taken one after another with the risk set of that day. For the k-th of them (from 0) the
    variance term is p (1 - p) (r - 1 - 2k) / (r - 1): over all d of them that adds up to the hypergeometric d (r - d) /
    (r - 1).

    Parameters
    ----------
    table : Table
    counts : Arms
    weight : str or tuple
        As `logrank` takes it.

    Returns
    -------
    score, variance : array (cohorts,)

    Examples
    --------
    >>> table = next(tables([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1], bits=1)[1])[1]
    >>> [round(float(one[0]), 4) for one in sums(table, arms(table))]
    [-1.1667, 0.4722]
    """
    patients = len(table.event)
    first, gone = before_time(table, counts)
    at_risk = (patients - first).astype(float)
    share = ((counts.total - gone) * table.event).astype(float)
    share /= at_risk
    observed = counts.other * table.event
    spread = share * share
    np.subtract(share, spread, out=spread)
    if weight == "log-rank":
        score = observed.sum(axis=0, dtype=observed.dtype) - share.sum(axis=0)
    else:
        weights = _weights(table, weight, at_risk)
        score = ((observed - share) * weights).sum(axis=0)
        spread *= weights
        spread *= weights
    if table.tied.any():
        place = np.arange(patients, dtype=counts.other.dtype)[:, None]
        factor = (patients - 1 - place) - (place - first)
        # When everybody still at risk fails at the last time the terms cancel; rounding must not leave a crumb.
        alone = table.event[-1] & table.tied[-1]
        if alone.any():
            factor = factor * ~(alone & (first == first[-1]))
        at_risk -= 1
        spread /= np.maximum(at_risk, 1, out=at_risk)
        spread *= factor
    return score, spread.sum(axis=0)


def _weights(table: Table, weight, at_risk: np.ndarray) -> np.ndarray:
    """Weight of every patient's time: the number at risk, or Fleming and Harrington's."""
    if weight == "Gehan":
        return at_risk
    lost = np.zeros(table.event.shape)
    lost[1:] = 1 - survival(table)[:-1]
    left = 1 - held_back(lost, table)
    return left ** weight[0] * (1 - left) ** weight[1]
