"""Simple, direct statistics for checking the claims: on purpose not those of the analysis, which they cross-check."""

from __future__ import annotations

import math

import numpy as np


def km_median(time: np.ndarray, event: np.ndarray) -> float:
    """Kaplan-Meier median; where the curve stands at one half, the middle of that step.

    Parameters
    ----------
    time : array of int
        Days to event or censoring.
    event : array of bool

    Returns
    -------
    float
        Days; NaN when the curve stays above one half, or stands at one half to its end: there even R has two answers
        (`print(survfit)` and `quantile(survfit)` differ).

    Examples
    --------
    >>> km_median(np.array([1, 2, 3, 4]), np.ones(4, bool))
    2.5
    """
    moments, deaths = np.unique(time[event], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), moments)
    survival = np.cumprod(1 - deaths / at_risk)
    reached = np.flatnonzero(survival < 0.5 + 1e-9)
    if not len(reached):
        return math.nan
    first = reached[0]
    on_half = survival[first] > 0.5 - 1e-9
    if on_half and first + 1 == len(moments):
        return math.nan
    return float((moments[first] + moments[first + on_half]) / 2)


def logrank_p(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> float:
    """Two-sided log-rank p of two groups.

    Parameters
    ----------
    time : array of int
    event, group : array of bool

    Returns
    -------
    float

    Source
    ------
    Mantel 1966; the variance is hypergeometric.

    Examples
    --------
    >>> time, event = np.array([1, 2, 3, 4]), np.ones(4, bool)
    >>> round(logrank_p(time, event, np.array([True, False, True, False])), 4)  # R: survdiff(Surv(1:4) ~ c(1,0,1,0))
    0.4328
    """
    if not event.any() or group.all() or not group.any():
        return math.nan
    unique = np.unique(time[event])[:, None]
    at_risk = time[None, :] >= unique
    n, n1 = at_risk.sum(1), (at_risk & group).sum(1)
    dies = (time[None, :] == unique) & event
    d, d1 = dies.sum(1), (dies & group).sum(1)
    some = n > 1
    variance = (d * n1 * (n - n1) * (n - d))[some] / (n[some] ** 2 * (n[some] - 1))
    return _chi_p(float((d1 - d * n1 / n).sum()) ** 2 / float(variance.sum()))


def score_p(time: np.ndarray, event: np.ndarray, marker: np.ndarray) -> float:
    """Two-sided p of Cox's score test for one marker.

    Parameters
    ----------
    time : array of int
    event : array of bool
    marker : array of float

    Returns
    -------
    float
        NaN when the marker does not vary among those at risk.

    Source
    ------
    Cox 1972: at a coefficient of zero the score sums marker less mean over those at risk, its information their
    variance (Breslow's form with ties).

    Examples
    --------
    >>> round(score_p(np.array([1, 2, 3, 4]), np.ones(4, bool), np.array([1.0, 0, 1, 0])), 4)
    0.4328
    """
    score = information = 0.0
    for t in time[event]:
        there = marker[time >= t]
        information += there.var()
    for t, x in zip(time[event], marker[event], strict=True):
        score += x - marker[time >= t].mean()
    return _chi_p(score**2 / information) if information > 1e-12 else math.nan


def _chi_p(chi2: float) -> float:
    return math.erfc(math.sqrt(chi2 / 2))
