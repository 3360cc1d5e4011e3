"""Log-rank tests of many cohorts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfc

from remission.batch.curves import survival
from remission.batch.risk import Table, before, counter, first_of_tie, held_back, tables


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
    count, parts = tables(time, event, np.asarray(arm, bool), bits=1)
    score, variance = np.zeros(count), np.zeros(count)
    for part, table in parts:
        if len(table.event):
            score[part], variance[part] = _sums(table, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.where(variance > 0, score * score / variance, np.nan)
    return LogRank(score, variance, chi2, erfc(np.sqrt(chi2 / 2)))


def _check_weight(weight) -> None:
    """Refuse a weight that is none."""
    if weight in ("log-rank", "Gehan"):
        return
    if not (isinstance(weight, tuple) and len(weight) == 2 and min(weight) >= 0):
        raise ValueError(f'a weight is "log-rank", "Gehan" or (rho, gamma), not {weight!r}')


def _sums(table: Table, weight) -> tuple[np.ndarray, np.ndarray]:
    """Score and variance of a chunk.

    Events of one day are taken one after another with the risk set of that day. For the k-th of them (from 0) the
    variance term is p (1 - p) (r - 1 - 2k) / (r - 1): over all d of them that adds up to the hypergeometric d (r - d) /
    (r - 1).
    """
    patients = len(table.event)
    other = table.payload.astype(counter(table))
    gone = before(other)
    total = gone[-1] + other[-1]
    first = first_of_tie(table)
    at_risk = (patients - first).astype(float)
    share = (total - held_back(gone, table)) / at_risk
    hit = table.event.astype(float)
    if weight != "log-rank":
        hit *= _weights(table, weight, at_risk)
    expected = share * hit
    score = (other * hit).sum(axis=0) - expected.sum(axis=0)
    np.subtract(1, share, out=share)
    share *= expected
    if weight != "log-rank":
        share *= hit
    if table.tied.any():
        twice = 2 * np.arange(patients, dtype=other.dtype)[:, None]
        share *= (patients - 1 - twice + first) / np.maximum(at_risk - 1, 1)
        # When everybody still at risk fails at the last time the terms cancel; rounding must not leave a crumb.
        alone = table.event[-1] & table.tied[-1]
        if alone.any():
            share *= ~(alone & (first == first[-1]))
    return score, share.sum(axis=0)


def _weights(table: Table, weight, at_risk: np.ndarray) -> np.ndarray:
    """Weight of every patient's time: the number at risk, or Fleming and Harrington's."""
    if weight == "Gehan":
        return at_risk
    lost = np.zeros(table.event.shape)
    lost[1:] = 1 - survival(table)[:-1]
    left = 1 - held_back(lost, table)
    return left ** weight[0] * (1 - left) ** weight[1]
