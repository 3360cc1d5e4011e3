"""The Cox partial likelihood under Efron's ties: covariates of any kind, strata, records that start late.

`remission.estimators.efron` has the special case of two arms, in which counts at risk are all that is needed.
"""

from __future__ import annotations

import math
from functools import partial as bound
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr
from scipy.stats import chi2

from remission.estimators import efron
from remission.estimators.level import Z
from remission.estimators.models import DROP, HazardRatio

#: Newton's steps, and the decrement (in standard errors, squared) below which nothing is left to gain.
STEPS, GAIN = 200, 1e-24
#: A coefficient per standard deviation beyond this is on its way to infinity; so is one with less information.
SPAN, FADED = 40.0, 1e-7
FLAT = "no event fell while patients at risk differed"
ENDLESS = "the likelihood has no maximum: every event came at the same extreme of all at risk"


class Block(NamedTuple):
    """One stratum in order of time: standardised covariates, who is at risk when, and which rows had the event.

    `at_risk` is None where nobody enters late; then row `first[t]` and all after it are at risk at the t-th time.
    `powers`: products of the covariates of order 0 to 3, side by side, which every step needs anew.
    """

    x: np.ndarray
    powers: np.ndarray
    first: np.ndarray
    at_risk: np.ndarray | None
    rows: np.ndarray
    starts: np.ndarray
    place: np.ndarray
    share: np.ndarray


class Records(NamedTuple):
    """What the likelihood needs: one block a stratum, and the scale on which covariates were standardised."""

    blocks: tuple[Block, ...]
    scale: np.ndarray
    note: str


class Fit(NamedTuple):
    """Coefficients with their covariance, log likelihood at and without them; `note` says why there are none."""

    coefficients: np.ndarray
    covariance: np.ndarray
    loglik: float
    loglik_null: float
    note: str = ""


def prepare(stop: ArrayLike, event: ArrayLike, x: ArrayLike, start: ArrayLike | None = None,
            strata: ArrayLike | None = None) -> Records:
    """Put records in the order that the partial likelihood needs.

    Parameters
    ----------
    stop : array of shape (n,)
        End of each record, in days.
    event : array of bool, shape (n,)
        Whether the event came at `stop`.
    x : array of shape (n,) or (n, p)
        Covariates, constant over a record.
    start : array of shape (n,), optional
        A record is at risk in (start, stop]; without it, from the beginning.
    strata : array of shape (n,), optional
        Risk sets hold records of one stratum only.

    Returns
    -------
    Records
        `note` says why nothing can be estimated, where that is so.

    Raises
    ------
    ValueError
        When a time or covariate is missing, or a record does not end after its start.

    Examples
    --------
    >>> prepare([1, 2, 3], [1, 1, 0], [0, 0, 0]).note
    'no event fell while patients at risk differed'
    """
    stop, event = np.asarray(stop, float), np.asarray(event, bool)
    x = np.asarray(x, float)
    x = x[:, None] if x.ndim == 1 else x
    start = None if start is None else np.asarray(start, float)
    if np.isnan(stop).any() or np.isnan(x).any() or (start is not None and not (start < stop).all()):
        raise ValueError("times and covariates must be known, and a record must end after its start")
    scale = x.std(axis=0) if len(x) else np.ones(x.shape[1])
    scale = np.where(scale > 0, scale, 1.0)
    standard = (x - (x.mean(axis=0) if len(x) else 0)) / scale
    strata = np.zeros(len(stop)) if strata is None else np.asarray(strata)
    blocks = tuple(_block(stop[mine], event[mine], standard[mine], None if start is None else start[mine])
                   for mine in (strata == one for one in np.unique(strata)) if event[mine].any())
    return Records(blocks, scale, _why(blocks, x.shape[1]))


def _block(stop: np.ndarray, event: np.ndarray, x: np.ndarray, start: np.ndarray | None) -> Block:
    order = np.argsort(stop, kind="stable")
    stop, event, x = stop[order], event[order], x[order]
    rows = np.flatnonzero(event)
    times, starts, tied = np.unique(stop[rows], return_index=True, return_counts=True)
    place = np.repeat(np.arange(len(times)), tied)
    share = (np.arange(len(rows)) - np.repeat(starts, tied)) / tied[place]
    first = np.searchsorted(stop, times, side="left")
    at_risk = None if start is None else (start[order] < times[:, None]) & (stop >= times[:, None])
    return Block(x, _powers(x), first, at_risk, rows, starts, place, share)


def _powers(x: np.ndarray) -> np.ndarray:
    rows = len(x)
    return np.hstack([np.ones((rows, 1)), x, (x[:, :, None] * x[:, None, :]).reshape(rows, -1),
                      (x[:, :, None, None] * x[:, None, :, None] * x[:, None, None, :]).reshape(rows, -1)])


def _why(blocks: tuple[Block, ...], columns: int) -> str:
    """Why the coefficients cannot be estimated at all, penalty or not."""
    if not blocks:
        return "no events"
    information = sum(_moments(block, np.zeros(columns))[2].sum(axis=0) for block in blocks)
    known = np.linalg.eigvalsh(information)[0] > 1e-12
    return "" if known else FLAT if columns == 1 else "the covariates cannot be told apart at the times of events"


def _moments(block: Block, beta: np.ndarray, third: bool = False) -> tuple[np.ndarray, ...]:
    """Log of the weight at risk, mean, covariance and perhaps third central moments of x, one entry a term."""
    x, columns = block.x, block.x.shape[1]
    eta = x @ beta
    peak = eta.max()
    powers = block.powers if third else block.powers[:, :1 + columns + columns**2]
    weighted = powers * np.exp(eta - peak)[:, None]
    late = block.at_risk is not None
    sums = block.at_risk @ weighted if late else weighted[::-1].cumsum(axis=0)[::-1][block.first]
    gone = np.add.reduceat(weighted[block.rows], block.starts, axis=0)
    terms = sums[block.place] - block.share[:, None] * gone[block.place]
    whole = np.maximum(terms[:, 0], np.finfo(float).tiny)
    mean = terms[:, 1:1 + columns] / whole[:, None]
    square = (terms[:, 1 + columns:1 + columns + columns**2] / whole[:, None]).reshape(-1, columns, columns)
    found = [np.log(whole) + peak, mean, square - mean[:, :, None] * mean[:, None, :]]
    if third:
        cube = (terms[:, 1 + columns + columns**2:] / whole[:, None]).reshape(-1, columns, columns, columns)
        mixed = (square[:, :, :, None] * mean[:, None, None, :] + square[:, :, None, :] * mean[:, None, :, None]
                 + square[:, None, :, :] * mean[:, :, None, None])
        found.append(cube - mixed + 2 * mean[:, :, None, None] * mean[:, None, :, None] * mean[:, None, None, :])
    return tuple(found)


def _likelihood(records: Records, beta: np.ndarray, firth: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """Log likelihood, score and information on the standardised scale, with the penalty's share in the first two."""
    columns = len(records.scale)
    value, score, information = 0.0, np.zeros(columns), np.zeros((columns, columns))
    slope = np.zeros((columns,) * 3)
    for block in records.blocks:
        found = _moments(block, beta, third=firth)
        events = block.x[block.rows].sum(axis=0)
        value += float(events @ beta - found[0].sum())
        score += events - found[1].sum(axis=0)
        information += found[2].sum(axis=0)
        if firth:
            slope += found[3].sum(axis=0)
    if firth:
        sign, log = np.linalg.slogdet(information)
        if sign <= 0 or not math.isfinite(log):
            return -math.inf, score, information
        value += 0.5 * float(log)
        score = score + 0.5 * np.einsum("ij,jik->k", np.linalg.inv(information), slope)
    return value, score, information


def loglik(records: Records, beta: ArrayLike, firth: bool = False) -> float:
    """Log partial likelihood at given coefficients; with `firth`, plus half the log determinant of its information.

    Parameters
    ----------
    records : Records
        From `prepare`.
    beta : float or array of shape (p,)
        Log hazard ratios per unit of x.
    firth : bool

    Returns
    -------
    float
        R: `coxph(..., init = beta, iter.max = 0)$loglik`.

    Examples
    --------
    >>> round(loglik(prepare([1, 2], [1, 0], [0, 1]), 0.0), 4)  # the event is one of two patients': log(1 / 2)
    -0.6931
    """
    return _in_units(records, _likelihood(records, np.atleast_1d(beta) * records.scale, firth)[0], firth)


def _in_units(records: Records, value: float, firth: bool) -> float:
    """The penalty depends on the unit of x: back from standard deviations."""
    return value + float(np.log(records.scale).sum()) if firth else value


def curve(records: Records, grid: ArrayLike, firth: bool = False) -> np.ndarray:
    """Log partial likelihood over a grid of values of a single coefficient.

    Parameters
    ----------
    records : Records
        Of one covariate.
    grid : array of shape (k,)
        Log hazard ratios.
    firth : bool

    Returns
    -------
    array of shape (k,)

    Examples
    --------
    >>> curve(prepare([1, 2], [1, 0], [0, 1]), [0.0, 1.0]).round(4).tolist()
    [-0.6931, -1.3133]
    """
    return np.array([loglik(records, one, firth) for one in np.asarray(grid, float)])


def fit(records: Records, firth: bool = False) -> Fit:
    """Maximise the partial likelihood.

    Parameters
    ----------
    records : Records
    firth : bool
        With Jeffreys' penalty: finite even when every event fell on one side.

    Returns
    -------
    Fit
        Covariance: inverse information, without the penalty's curvature. NaN with a note where nothing can be
        estimated or, without the penalty, the likelihood has no maximum.

    Source
    ------
    Efron, JASA 1977;72:557; Heinze and Schemper, Biometrics 2001;57:114. R: `coxph(..., ties = "efron")`.

    Examples
    --------
    >>> float(fit(prepare([1, 3, 2, 4], [1, 1, 1, 1], [0, 0, 1, 1])).coefficients.round(4)[0])
    -0.9406
    """
    columns = len(records.scale)
    nothing = np.full(columns, np.nan), np.full((columns, columns), np.nan), math.nan, math.nan
    why = records.note or ("" if firth else _endless(records))
    if why:
        return Fit(*nothing, why)
    beta, value, information = _climb(records, firth, np.zeros(columns), np.arange(columns))
    if np.abs(beta).max() > SPAN or np.linalg.eigvalsh(information)[0] < FADED:
        return Fit(*nothing, ENDLESS)
    covariance = np.linalg.inv(information) / np.outer(records.scale, records.scale)
    null = _likelihood(records, np.zeros(columns), firth)[0]
    return Fit(beta / records.scale, covariance, _in_units(records, value, firth), _in_units(records, null, firth))


def _climb(records: Records, firth: bool, beta: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Newton's steps in the free coefficients, halved where they would lead down."""
    value, score, information = _likelihood(records, beta, firth)
    for _ in range(STEPS if len(free) else 0):
        step, curvature = np.zeros(len(beta)), information[np.ix_(free, free)]
        if firth:
            curvature = _penalised_curvature(records, beta, free, curvature)
        step[free] = np.linalg.lstsq(curvature, score[free], rcond=None)[0]
        if float(score[free] @ step[free]) < GAIN or np.abs(beta).max() > SPAN:
            break
        step *= min(1.0, 2.0 / np.abs(step).max())
        new = _likelihood(records, beta + step, firth)
        # At the top rounding alone moves the likelihood: a loss of that size is none.
        while new[0] < value - 1e-13 * (1 + abs(value)) and np.abs(step).max() > 1e-12:
            step /= 2
            new = _likelihood(records, beta + step, firth)
        beta = beta + step
        value, score, information = new
    return beta, value, information


def _penalised_curvature(records: Records, beta: np.ndarray, free: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Curvature of the penalised likelihood, by differences of its score; where it is not yet a hill, the information.

    With few events the penalty bends the likelihood as much as the data do: steps by the information alone then hardly
    converge.
    """
    slopes = np.empty((len(free), len(free)))
    for column, place in enumerate(free):
        shift = np.zeros(len(beta))
        shift[place] = 1e-4
        ahead, behind = (_likelihood(records, beta + side * shift, True)[1][free] for side in (1, -1))
        slopes[column] = (behind - ahead) / 2e-4
    slopes = (slopes + slopes.T) / 2
    fine = np.isfinite(slopes).all() and np.linalg.eigvalsh(slopes)[0] > 1e-6 * np.linalg.eigvalsh(information)[-1]
    return slopes if fine else information


def _endless(records: Records) -> str:
    """Why an unpenalised likelihood of one covariate has no maximum: every event at an extreme of all at risk."""
    if len(records.scale) > 1:
        return ""
    top = bottom = True
    for block in records.blocks:
        x, moment = block.x[:, 0], block.place
        if block.at_risk is None:
            high = np.maximum.accumulate(x[::-1])[::-1][block.first]
            low = np.minimum.accumulate(x[::-1])[::-1][block.first]
        else:
            high = np.where(block.at_risk, x, -np.inf).max(axis=1)
            low = np.where(block.at_risk, x, np.inf).min(axis=1)
        top &= bool((x[block.rows] == high[moment]).all())
        bottom &= bool((x[block.rows] == low[moment]).all())
    return ENDLESS if top or bottom else ""


def ratio(records: Records, method: str = "wald", column: int = 0) -> HazardRatio:
    """Hazard ratio per unit of one covariate, with its interval and p.

    Parameters
    ----------
    records : Records
    method : str
        `wald`; `profile`: limits where the likelihood, maximised over the other covariates, has fallen by half the
        95% quantile of chi-squared, and likelihood-ratio p; `firth`: the same under Jeffreys' penalty.
    column : int
        Which covariate.

    Returns
    -------
    HazardRatio
        NaN with a note as in `fit`.

    Raises
    ------
    ValueError
        For an unknown method.

    Source
    ------
    Venzon and Moolgavkar, Appl Stat 1988;37:87; Heinze and Schemper, Biometrics 2001;57:114.

    Examples
    --------
    >>> [round(one, 3) for one in ratio(prepare([1, 3, 2, 4], [1, 1, 1, 1], [0, 0, 1, 1]), "profile")[:4]]
    [0.39, 0.018, 4.185, 0.432]
    """
    if method not in ("wald", "profile", "firth"):
        raise ValueError(f"a method is wald, profile or firth, not {method!r}")
    firth = method == "firth"
    made = fit(records, firth)
    if made.note:
        return HazardRatio(*[math.nan] * 4, made.note)
    top, se = float(made.coefficients[column]), math.sqrt(made.covariance[column, column])
    if method == "wald":
        return HazardRatio(_exp(top), _exp(top - Z * se), _exp(top + Z * se), float(2 * ndtr(-abs(top) / se)))
    scale = records.scale[column]
    profile = bound(_profile, records, firth, made.coefficients * records.scale, column)
    lower, upper = efron.limits(profile, top * scale, DROP, se * scale)
    statistic = 2 * (profile(top * scale) - profile(0.0))
    return HazardRatio(_exp(top), _exp(lower / scale), _exp(upper / scale), float(chi2.sf(max(statistic, 0.0), 1)))


def _profile(records: Records, firth: bool, near: np.ndarray, column: int, value: float) -> float:
    """Likelihood at one value of one standardised coefficient, highest over the others."""
    beta = near.copy()
    beta[column] = value
    return _climb(records, firth, beta, np.delete(np.arange(len(beta)), column))[1]


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
