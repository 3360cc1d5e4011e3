"""Proportions with exact intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from remission.estimators.curves import Estimate


def exact_interval(events: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson interval of a proportion.

    Parameters
    ----------
    events, n : array_like
        Patients with the event and patients at risk.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Limits as proportions, 0 to 1; NaN where nobody is at risk.

    Source
    ------
    Clopper and Pearson, Biometrika 1934;26:404, through quantiles of the beta distribution.

    Examples
    --------
    >>> lower, upper = exact_interval(9, 18)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.2602, 0.7398)
    """
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - level) / 2
    none, every = events <= 0, events >= n
    lower = np.where(none, 0.0, betaincinv(np.where(none, 1, events), n - events + 1, tail))
    upper = np.where(every, 1.0, betaincinv(events + 1, np.where(every, 1, n - events), 1 - tail))
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def proportion(count: int, total: int) -> Estimate:
    """A proportion with its exact 95% interval.

    Parameters
    ----------
    count, total : int
        Patients with the outcome, and patients who could have had it.

    Returns
    -------
    Estimate
        Proportion and Clopper-Pearson limits; NaN without patients.

    Source
    ------
    Clopper and Pearson, Biometrika 1934;26:404. R: `binom.test(count, total)`.

    Examples
    --------
    >>> [round(x, 4) for x in proportion(3, 19)]
    [0.1579, 0.0338, 0.3958]
    """
    lower, upper = exact_interval(count, total)
    return Estimate(count / total if total else math.nan, float(lower), float(upper))
