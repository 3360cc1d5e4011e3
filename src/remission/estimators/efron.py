"""The Cox partial likelihood of two arms under Efron's ties, as a function of the log hazard ratio."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from remission.estimators.comparisons import incomparable, risk_sets

#: Points of the scan for the highest maximum of a penalised likelihood, which need not have only one.
SCAN = 64


class Likelihood(NamedTuple):
    """What the partial likelihood needs; one entry a term, as many terms at a time as events at it.

    `offset` is the log of the numbers at risk, other against reference arm, after Efron's correction; `place` the row
    of `risk_sets` that a term belongs to. Only times with both arms at risk have terms; the rest is in `constant`.
    """

    offset: np.ndarray
    place: np.ndarray
    deaths: float
    constant: float


def no_maximum(data: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Why the partial likelihood has no maximum, or nothing.

    Parameters
    ----------
    data, frame : DataFrame
        One endpoint, and `comparisons.design` of it.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.estimators.comparisons import design
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [1, 2, 8, 9], "event": [True, True, False, False]})
    >>> no_maximum(rows, design(rows, "A")).split(", ")[1]
    'so the likelihood pushes the ratio to 0'
    """
    table = risk_sets(frame)
    why = incomparable(data, frame, table)
    if why:
        return why
    both = table[(table["at_risk0"] > 0) & (table["at_risk1"] > 0)]
    # A time at which a whole arm fails at once still tells the arms apart through the other arm's survivors.
    for arm, words in ((0, "only in the reference arm, so the likelihood pushes the ratio to 0"),
                       (1, "only in the other arm, so the likelihood pushes the ratio to infinity")):
        if both[f"events{1 - arm}"].sum() == 0:
            return f"events while both arms were at risk fell {words}"
    return ""


def likelihood(table: pd.DataFrame) -> Likelihood:
    """Prepare the partial likelihood of one indicator, other against reference arm.

    Parameters
    ----------
    table : DataFrame
        From `comparisons.risk_sets`; left truncation is in its numbers at risk already.

    Returns
    -------
    Likelihood

    Source
    ------
    Efron, JASA 1977;72:557: the i-th of d tied events takes i / d of all d out of its own risk set.

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [2], "at_risk1": [2], "events0": [1], "events1": [1]})
    >>> likelihood(table).offset.tolist()
    [0.0, 0.0]
    """
    at0, at1, ev0, ev1 = (table[name].to_numpy(float) for name in ("at_risk0", "at_risk1", "events0", "events1"))
    tied = (ev0 + ev1).astype(int)
    place = np.repeat(np.arange(len(tied)), tied)
    share = (np.arange(len(place)) - np.repeat(np.cumsum(tied) - tied, tied)) / tied[place]
    zero, one = at0[place] - share * ev0[place], at1[place] - share * ev1[place]
    both = (zero > 0) & (one > 0)
    # With one arm at risk the log hazard ratio cancels; with both, the reference arm's number is taken out as a factor.
    constant = -np.log(np.where(zero > 0, zero, one)).sum()
    deaths = ev1[(at0 > 0) & (at1 > 0)].sum()
    return Likelihood(np.log(one[both]) - np.log(zero[both]), place[both], float(deaths), float(constant))


def loglik(terms: Likelihood, log_ratio: float) -> float:
    """Log partial likelihood at a log hazard ratio; R: `coxph(init = log_ratio, iter.max = 0)$loglik`.

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [2], "at_risk1": [2], "events0": [1], "events1": [0]})
    >>> round(loglik(likelihood(table), 0.0), 4)  # the event is one of four patients': log(1 / 4)
    -1.3863
    """
    return terms.constant + terms.deaths * log_ratio - float(np.logaddexp(0, terms.offset + log_ratio).sum())


def moments(terms: Likelihood, log_ratio: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance and third central moment of the arm indicator over each term's weighted risk set.

    Their sums give score (`deaths` minus the means), information and the information's slope.

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [1], "at_risk1": [1], "events0": [1], "events1": [0]})
    >>> [float(one[0]) for one in moments(likelihood(table), 0.0)]
    [0.5, 0.25, 0.0]
    """
    mean, rest = expit(terms.offset + log_ratio), expit(-terms.offset - log_ratio)
    return mean, mean * rest, mean * rest * (rest - mean)


def information(terms: Likelihood, log_ratio: float) -> float:
    """Fisher information of the log hazard ratio.

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [1], "at_risk1": [1], "events0": [1], "events1": [0]})
    >>> information(likelihood(table), 0.0)
    0.25
    """
    return float(moments(terms, log_ratio)[1].sum())


def penalised(terms: Likelihood, log_ratio: float) -> float:
    """Log partial likelihood plus Jeffreys' penalty, half the log of the information.

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [1], "at_risk1": [1], "events0": [1], "events1": [0]})
    >>> round(penalised(likelihood(table), 0.0), 4)  # log(1 / 2) + log(1 / 4) / 2
    -1.3863
    """
    # Far out the moments underflow together; log(mean * rest) does not.
    shifted = terms.offset + log_ratio
    logs = -np.logaddexp(0, shifted) - np.logaddexp(0, -shifted)
    return loglik(terms, log_ratio) + 0.5 * float(np.logaddexp.reduce(logs))


def maximum(terms: Likelihood, firth: bool = False) -> float:
    """Log hazard ratio of the highest likelihood.

    Parameters
    ----------
    terms : Likelihood
        With at least one term; without `firth` the events of those terms must have fallen in both arms.
    firth : bool
        Maximise `penalised` instead.

    Returns
    -------
    float

    Examples
    --------
    >>> table = pd.DataFrame({"at_risk0": [1], "at_risk1": [1], "events0": [1], "events1": [0]})
    >>> round(maximum(likelihood(table), firth=True), 6)  # the penalised score is 1 / 2 - 2 r / (1 + r): r = 1 / 3
    -1.098612
    """
    def slope(log_ratio: float) -> float:
        mean, variance, third = (one.sum() for one in moments(terms, log_ratio))
        return terms.deaths - mean + (0.5 * third / variance if firth else 0.0)

    # Beyond the outermost offsets the penalty pulls back, and the likelihood falls or is flat: no maximum lies there.
    low, high = -terms.offset.max() - 1, -terms.offset.min() + 1
    while slope(low) <= 0:
        low -= 2
    while slope(high) >= 0:
        high += 2
    if firth:
        grid = np.linspace(low, high, SCAN)
        best = int(np.argmax([penalised(terms, point) for point in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, SCAN - 1)]
    return float(brentq(slope, low, high, xtol=1e-14, rtol=1e-14))


def limits(curve: Callable[[float], float], top: float, drop: float, step: float) -> tuple[float, float]:
    """Where a likelihood has fallen by `drop` below its maximum, on either side.

    Parameters
    ----------
    curve : callable
        Log likelihood of the log hazard ratio.
    top : float
        Where it is highest.
    drop : float
        Half the quantile of chi-squared, such as 1.92.
    step : float
        Width of the first bracket, such as the standard error.

    Returns
    -------
    lower, upper : float

    Examples
    --------
    >>> [round(limit, 6) for limit in limits(lambda x: -0.5 * x**2, 0.0, 2.0, 1.0)]
    [-2.0, 2.0]
    """
    level = curve(top) - drop
    found = []
    for side in (-step, step):
        near, far = top, top + side
        while curve(far) > level:
            near, far = far, far + side
        found.append(float(brentq(lambda point: curve(point) - level, near, far, xtol=1e-13, rtol=1e-13)))
    return found[0], found[1]
