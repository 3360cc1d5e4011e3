"""Levels below a limit: regression of a left- or interval-censored level, and multiple imputation of it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import t as student

from remission.estimators.level import Z


class Tobit(NamedTuple):
    """Normal regression of a censored level: coefficients (first the mean at x = 0), standard deviation, covariance.

    `covariance` is of the coefficients and of the log standard deviation; `note` says why there is no fit.
    """

    coefficients: np.ndarray
    sd: float
    covariance: np.ndarray
    loglik: float
    note: str = ""


class Pooled(NamedTuple):
    """An estimate over imputations, with its 95% interval and p; `missing` is the fraction of information missing.

    `error` is the Monte Carlo standard error that a finite number of imputations leaves.
    """

    value: float
    lower: float
    upper: float
    p: float
    missing: float
    error: float
    note: str = ""


def tobit(lower: ArrayLike, upper: ArrayLike, x: ArrayLike | None = None) -> Tobit:
    """Regress a level that is known exactly, or only to lie between two limits, by maximum likelihood.

    Parameters
    ----------
    lower, upper : array of shape (n,)
        Equal where the level was measured; `lower` is minus infinity where it lies below a detection limit.
    x : array of shape (n,) or (n, p), optional
        Covariates; an intercept is added.

    Returns
    -------
    Tobit
        NaN with a note where fewer than two different levels were measured, covariates cannot be told apart, or the
        likelihood rises for ever.

    Source
    ------
    Tobin, Econometrica 1958;26:24; concave in Olsen's scale, Econometrica 1978;46:1211. R: `survreg(Surv(lower, upper,
    type = "interval2") ~ x, dist = "gaussian")`, or `Surv(y, measured, type = "left")`.

    Examples
    --------
    >>> fit = tobit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    >>> round(float(fit.coefficients[0]), 6), round(fit.sd, 6)  # nothing censored: mean and root mean square
    (2.0, 0.816497)
    """
    lower, upper = np.asarray(lower, float), np.asarray(upper, float)
    columns = [] if x is None else [np.asarray(x, float).reshape(len(lower), -1)]
    design = np.column_stack([np.ones(len(lower)), *columns])
    exact = lower == upper
    why = _unfit(lower, exact, design)
    if not why:
        # Around the measured levels' own mean and spread the search starts near its end, whatever the unit.
        centre, scale = lower[exact].mean(), lower[exact].std()
        low, high = (lower - centre) / scale, (upper - centre) / scale
        theta, value, information = _climb(low, high, exact, design)
        why = "" if theta is not None else "the likelihood rises for ever: a group has no measured level"
    if why:
        size = design.shape[1]
        return Tobit(np.full(size, np.nan), math.nan, np.full((size + 1, size + 1), np.nan), math.nan, why)
    return _from_olsen(theta, np.linalg.inv(information), value - exact.sum() * math.log(scale), centre, scale)


def _unfit(lower: np.ndarray, exact: np.ndarray, design: np.ndarray) -> str:
    if len(np.unique(lower[exact])) < 2:
        return "fewer than two different levels were measured"
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "the groups cannot be told apart"
    if np.linalg.matrix_rank(design[exact]) < design.shape[1]:
        return "a group has no measured level"
    return "" if exact.sum() > design.shape[1] else "too few levels were measured"


def _climb(low: np.ndarray, high: np.ndarray, exact: np.ndarray,
           design: np.ndarray) -> tuple[np.ndarray | None, float, np.ndarray]:
    """Maximum in Olsen's scale (coefficients over SD, then 1 over SD): quasi-Newton, then Newton to the last digit."""
    start = np.zeros(design.shape[1] + 1)
    start[-1] = 1.0
    found = minimize(lambda one: tuple(-part for part in _olsen(one, low, high, exact, design)[:2]), start, jac=True,
                     method="L-BFGS-B", bounds=[(None, None)] * design.shape[1] + [(1e-6, None)])
    theta = found.x
    for _ in range(50):
        _, score, information = _olsen(theta, low, high, exact, design)
        step = np.linalg.solve(information, score)
        theta = theta + step * min(1.0, 0.5 * theta[-1] / max(abs(step[-1]), 1e-300))
        if np.abs(step).max() < 1e-12 * (1 + np.abs(theta).max()):
            break
    value, _, information = _olsen(theta, low, high, exact, design)
    fine = np.abs(theta).max() < 1e4 and np.linalg.eigvalsh(information)[0] > 1e-10
    return (theta if fine else None), value, information


def _olsen(theta: np.ndarray, low: np.ndarray, high: np.ndarray, exact: np.ndarray,
           design: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Log likelihood, score and information at coefficients over SD and 1 over SD."""
    gamma, precision = theta[:-1], theta[-1]
    full = np.column_stack([-design, np.zeros(len(design))])
    value, score, information = 0.0, np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
    rows = full[exact].copy()
    rows[:, -1] = low[exact]
    z = rows @ theta
    value += float((-0.5 * z**2).sum()) - 0.5 * math.log(2 * math.pi) * len(z) + len(z) * math.log(precision)
    score -= rows.T @ z
    score[-1] += len(z) / precision
    information += rows.T @ rows
    information[-1, -1] += len(z) / precision**2
    if (~exact).any():
        mean = design[~exact] @ gamma
        one, two = full[~exact].copy(), full[~exact].copy()
        one[:, -1], two[:, -1] = np.where(np.isinf(low[~exact]), 0, low[~exact]), high[~exact]
        b = high[~exact] * precision - mean
        a = np.where(np.isinf(low[~exact]), -np.inf, one[:, -1] * precision - mean)
        log = _log_between(a, b)
        value += float(log.sum())
        at_a, at_b = (np.exp(-0.5 * edge**2 - log) / math.sqrt(2 * math.pi) for edge in (a, b))
        slope = at_b[:, None] * two - at_a[:, None] * one
        score += slope.sum(axis=0)
        a_finite = np.where(np.isinf(a), 0.0, a)
        curve = (np.einsum("i,ij,ik->jk", -b * at_b, two, two) - np.einsum("i,ij,ik->jk", -a_finite * at_a, one, one)
                 - slope.T @ slope)
        information -= curve
    return value, score, information


def _log_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Log of the normal probability of (a, b); in the lower half, where tails keep their digits."""
    flip = a > 0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    upper = log_ndtr(b)
    return upper + np.log1p(-np.exp(np.where(np.isinf(a), -np.inf, log_ndtr(a)) - upper))


def _from_olsen(theta: np.ndarray, covariance: np.ndarray, loglik: float, centre: float, scale: float) -> Tobit:
    """Back to coefficients and log SD in the unit of the level (delta method, exact at the maximum)."""
    sd = 1 / theta[-1]
    coefficients = theta[:-1] * sd
    jacobian = np.zeros((len(theta), len(theta)))
    jacobian[:-1, :-1] = np.eye(len(theta) - 1) * sd * scale
    jacobian[:-1, -1] = -theta[:-1] * sd**2 * scale
    jacobian[-1, -1] = -sd
    coefficients = coefficients * scale
    coefficients[0] += centre
    return Tobit(coefficients, float(sd * scale), jacobian @ covariance @ jacobian.T, loglik)


def interval(fit: Tobit, column: int) -> tuple[float, float, float]:
    """One coefficient with its Wald interval.

    Examples
    --------
    >>> [round(one, 3) for one in interval(tobit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), 0)]
    [2.0, 1.076, 2.924]
    """
    if fit.note:
        return math.nan, math.nan, math.nan
    value = float(fit.coefficients[column])
    half = Z * math.sqrt(fit.covariance[column, column])
    return value, value - half, value + half


def nelson_aalen(time: ArrayLike, event: ArrayLike) -> np.ndarray:
    """Nelson-Aalen cumulative hazard at each patient's own time.

    Parameters
    ----------
    time, event : array of shape (n,)

    Returns
    -------
    array of shape (n,)

    Examples
    --------
    >>> nelson_aalen([1, 2, 3], [1, 0, 1]).round(3).tolist()
    [0.333, 0.333, 1.333]
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    moments, place, all_ = np.unique(time, return_inverse=True, return_counts=True)
    died = np.bincount(place, weights=event, minlength=len(moments))
    return np.cumsum(died / np.cumsum(all_[::-1])[::-1])[place]


def impute(lower: ArrayLike, upper: ArrayLike, outcome: ArrayLike, *, seed: int,
           imputations: int = 100) -> tuple[np.ndarray, str]:
    """Draw levels for those that are known only to lie between limits, given each patient's outcome.

    Parameters
    ----------
    lower, upper : array of shape (n,)
        As in `tobit`.
    outcome : array of shape (n, p)
        What the level may depend on: whether the patient relapsed, the Nelson-Aalen hazard at the patient's time,
        perhaps the arm. Without it the imputed levels would be unrelated to relapse, and an effect of the level
        diluted.
    seed, imputations : int

    Returns
    -------
    levels : array of shape (imputations, n)
        Measured levels as they are, the others drawn from a normal distribution cut to their limits, with its
        parameters drawn anew for each imputation.
    note : str
        Why there are none, or nothing.

    Source
    ------
    White and Royston, Stat Med 2009;28:1982, for the outcome; Rubin, Multiple Imputation, 1987, for the parameters.

    Examples
    --------
    >>> levels, _ = impute([-np.inf, 1.0, 2.0, 3.0], [0.5, 1.0, 2.0, 3.0], np.empty((4, 0)), seed=1, imputations=2)
    >>> bool((levels[:, 0] < 0.5).all()), levels[:, 1:].tolist()
    (True, [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    """
    lower, upper = np.asarray(lower, float), np.asarray(upper, float)
    outcome = np.asarray(outcome, float).reshape(len(lower), -1)
    fit = tobit(lower, upper, outcome)
    if fit.note:
        return np.empty((0, len(lower))), fit.note
    rng = np.random.default_rng(seed)
    theta = rng.multivariate_normal(np.append(fit.coefficients, math.log(fit.sd)), fit.covariance, imputations,
                                    method="cholesky")
    uniform = rng.random((imputations, len(lower)))
    mean = theta[:, :-1] @ np.column_stack([np.ones(len(lower)), outcome]).T
    sd = np.exp(theta[:, -1:])
    drawn = mean + sd * truncated((lower - mean) / sd, (upper - mean) / sd, uniform)
    return np.where(lower == upper, lower, np.clip(drawn, lower, upper)), ""


def truncated(low: np.ndarray, high: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Standard normal numbers between limits, by inversion in whichever tail keeps the digits.

    Examples
    --------
    >>> truncated(np.array([-np.inf]), np.array([0.0]), np.array([0.5])).round(4).tolist()
    [-0.6745]
    """
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    share = ndtr(a) + uniform * (ndtr(b) - ndtr(a))
    found = ndtri(np.clip(share, 1e-300, 1.0))
    return np.where(flip, -found, found)


def pool(values: ArrayLike, variances: ArrayLike, patients: int) -> Pooled:
    """Combine estimates of several imputations by Rubin's rules.

    Parameters
    ----------
    values, variances : array of shape (m,)
        Estimate and its variance in each imputed table; NaN where one could not be fitted.
    patients : int
        For the degrees of freedom of the complete data, patients less one.

    Returns
    -------
    Pooled
        Interval and p from Student's t with Barnard and Rubin's degrees of freedom.

    Source
    ------
    Rubin, Multiple Imputation, 1987, section 3.1; Barnard and Rubin, Biometrika 1999;86:948. R: `mice::pool.scalar`.

    Examples
    --------
    >>> found = pool([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], 1_000_000)
    >>> round(found.value, 3), round(found.error, 3)  # total variance 1 + (1 + 1 / 3) * 1
    (2.0, 0.577)
    """
    values, variances = np.asarray(values, float), np.asarray(variances, float)
    known = ~np.isnan(values) & ~np.isnan(variances)
    if known.sum() < 2:
        return Pooled(*[math.nan] * 6, "fewer than two imputed tables could be fitted")
    values, variances, count = values[known], variances[known], int(known.sum())
    value, within, between = float(values.mean()), float(variances.mean()), float(values.var(ddof=1))
    total = within + (1 + 1 / count) * between
    share = (1 + 1 / count) * between / total
    complete = patients - 1
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    freedom = observed if share < 1e-12 else 1 / (1 / ((count - 1) / share**2) + 1 / observed)
    half = float(student.ppf(0.975, freedom)) * math.sqrt(total)
    p = float(2 * student.sf(abs(value) / math.sqrt(total), freedom))
    note = "" if known.all() else f"{int((~known).sum())} of {len(known)} imputed tables could not be fitted"
    return Pooled(value, value - half, value + half, p, share, math.sqrt(between / count), note)
