"""Posterior of a hazard ratio under a sceptical and an enthusiastic prior: on a grid, and by the normal shortcut."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.stats import norm

from remission.estimators import partial

#: Probability that each prior leaves to the side that it does not believe in.
DOUBT = 0.05
#: Points of the grid, and how many standard deviations it reaches beyond priors and likelihood.
POINTS, REACH = 401, 8.0


class Prior(NamedTuple):
    """A normal prior of the log hazard ratio, unfavourable against favourable side; `words` for readers."""

    name: str
    mean: float
    sd: float
    words: str


class Posterior(NamedTuple):
    """Median and central 95% interval of the hazard ratio, and probabilities; `note` says why there are none.

    `below_margin`, `within` and `above_margin` add up to 1; `above_one` cuts across them.
    """

    median: float
    lower: float
    upper: float
    above_one: float
    below_margin: float
    within: float
    above_margin: float
    note: str = ""


def priors(margins: tuple[float, float]) -> tuple[Prior, Prior]:
    """The two opinions that the data have to overcome, fixed by the margins alone.

    Parameters
    ----------
    margins : tuple of float
        Hazard ratios between which a difference would not matter.

    Returns
    -------
    tuple of Prior
        `sceptical`: centred on no effect, 5% for a hazard ratio above the upper margin (and, by symmetry, 5% below its
        inverse). `enthusiastic`: centred on the upper margin, of the same width, so 5% for a hazard ratio below 1.

    Notes
    -----
    Source: Spiegelhalter, Freedman and Parmar, J R Stat Soc A 1994;157:357, sections 3.3 and 3.4.

    Examples
    --------
    >>> [(one.name, round(one.mean, 3), round(one.sd, 3)) for one in priors((0.5, 2))]
    [('sceptical', 0.0, 0.421), ('enthusiastic', 0.693, 0.421)]
    """
    far = math.log(margins[1])
    sd = far / float(norm.ppf(1 - DOUBT))
    return (Prior("sceptical", 0.0, sd, f"centred on 1, {100 * DOUBT:.0f}% above {margins[1]:g} and "
                  f"{100 * DOUBT:.0f}% below {1 / margins[1]:.2g}"),
            Prior("enthusiastic", far, sd, f"centred on {margins[1]:g}, {100 * DOUBT:.0f}% below 1"))


def worth(prior: Prior, spread: float = 0.25) -> float:
    """Events that a prior is worth: those of a study that would give its standard deviation.

    Parameters
    ----------
    prior : Prior
    spread : float
        Variance of the marker, 0.25 for two equal groups.

    Returns
    -------
    float

    Notes
    -----
    Source: Spiegelhalter, Freedman and Parmar, J R Stat Soc A 1994;157:357: variance 4 / events with two equal groups.

    Examples
    --------
    >>> round(worth(priors((0.5, 2))[0]), 1)
    22.5
    """
    return 1 / (spread * prior.sd**2)


def conjugate(log_ratio: float, se: float, prior: Prior) -> tuple[float, float]:
    """Mean and standard deviation of the posterior where likelihood and prior are both normal.

    Parameters
    ----------
    log_ratio, se : float
        Log hazard ratio and its standard error.
    prior : Prior

    Returns
    -------
    mean, sd : float
        Of the log hazard ratio.

    Examples
    --------
    >>> [round(one, 4) for one in conjugate(1.0, 0.5, Prior("demo", 0.0, 0.5, ""))]
    [0.5, 0.3536]
    """
    data, belief = 1 / se**2, 1 / prior.sd**2
    return (data * log_ratio + belief * prior.mean) / (data + belief), math.sqrt(1 / (data + belief))


def normal_posterior(log_ratio: float, se: float, prior: Prior, margins: tuple[float, float],
                     note: str = "") -> Posterior:
    """Posterior from an estimate and its standard error: the shortcut of the literature.

    Parameters
    ----------
    log_ratio, se : float
        Of an ordinary Cox model; NaN where its likelihood has no maximum.
    prior : Prior
    margins : tuple of float
        Hazard ratios.
    note : str
        Why there is no estimate, where there is none.

    Returns
    -------
    Posterior

    Examples
    --------
    >>> found = normal_posterior(0.0, 0.5, priors((0.5, 2))[0], (0.5, 2))
    >>> round(found.median, 2), round(found.above_one, 2), round(found.within, 2)
    (1.0, 0.5, 0.97)
    """
    if math.isnan(log_ratio) or math.isnan(se):
        return _nothing(note or "no estimate")
    mean, sd = conjugate(log_ratio, se, prior)
    below, above = (float(norm.cdf((math.log(margin) - mean) / sd)) for margin in margins)
    half = float(norm.ppf(0.975)) * sd
    return Posterior(math.exp(mean), math.exp(mean - half), math.exp(mean + half), float(norm.sf(-mean / sd)),
                     below, above - below, 1 - above)


def _nothing(why: str) -> Posterior:
    return Posterior(*[math.nan] * 7, why)


class Grid(NamedTuple):
    """Log partial likelihood, up to a constant, at log hazard ratios; `note` says why it tells nothing."""

    log_ratio: np.ndarray
    loglik: np.ndarray
    note: str = ""


def likelihood(time: ArrayLike, event: ArrayLike, x: ArrayLike, strata: ArrayLike | None,
               margins: tuple[float, float]) -> Grid:
    """The partial likelihood of one marker on a grid that holds all that prior and data could believe.

    Parameters
    ----------
    time, event, x : array of shape (n,)
        Days, whether relapse came then, marker on the scale on which it is judged.
    strata : array of shape (n,), optional
        Arms to stratify by.
    margins : tuple of float
        They fix the priors.

    Returns
    -------
    Grid
        Efron ties; highest value 0. Without points where no event fell while patients at risk differed.

    Examples
    --------
    >>> likelihood([1, 2], [1, 0], [0, 0], None, (0.5, 2)).note
    'no event fell while patients at risk differed'
    """
    records = partial.prepare(time, event, x, strata=strata)
    if records.note:
        return Grid(np.empty(0), np.empty(0), records.note)
    both = priors(margins)
    ends = [one.mean + side * REACH * one.sd for one in both for side in (-1, 1)]
    fit = partial.ratio(records)
    if not fit.note and fit.lower > 0 and math.isfinite(fit.upper):
        ends += [math.log(fit.lower), math.log(fit.upper)]
    grid = np.linspace(min(ends), max(ends), POINTS)
    values = partial.curve(records, grid)
    return Grid(grid, values - values.max())


def density(grid: Grid, prior: Prior | None) -> np.ndarray:
    """Density of the log hazard ratio on the grid: posterior, or the standardised likelihood without a prior.

    Parameters
    ----------
    grid : Grid
    prior : Prior or None

    Returns
    -------
    array of shape (k,)
        Integrates to 1 over the grid; without a prior only over the grid, if the likelihood is flat to one side.

    Examples
    --------
    >>> flat = Grid(np.linspace(-4.0, 4.0, 801), np.zeros(801))
    >>> round(float(density(flat, priors((0.5, 2))[0]).max()), 3)  # the prior itself: 1 / (0.421 * sqrt(2 pi))
    0.947
    """
    logs = grid.loglik if prior is None else grid.loglik + norm.logpdf(grid.log_ratio, prior.mean, prior.sd)
    raw = np.exp(logs - logs.max())
    return raw / float(CubicSpline(grid.log_ratio, raw).integrate(grid.log_ratio[0], grid.log_ratio[-1]))


def grid_posterior(grid: Grid, prior: Prior, margins: tuple[float, float]) -> Posterior:
    """Posterior from the partial likelihood itself: right too where the estimate is infinite or the curve is skew.

    Parameters
    ----------
    grid : Grid
        From `likelihood`.
    prior : Prior
    margins : tuple of float
        Hazard ratios.

    Returns
    -------
    Posterior

    Notes
    -----
    The density is interpolated by a cubic spline and integrated exactly; no sampler. Treating a partial likelihood as
    a likelihood: Sinha, Ibrahim and Chen, Biometrika 2003;90:629.

    Examples
    --------
    >>> flat = Grid(np.linspace(-4.0, 4.0, 801), np.zeros(801))
    >>> found = grid_posterior(flat, priors((0.5, 2))[0], (0.5, 2))
    >>> round(found.above_margin, 4), round(found.within, 4)
    (0.05, 0.9)
    """
    if grid.note:
        return _nothing(grid.note)
    first, last = float(grid.log_ratio[0]), float(grid.log_ratio[-1])
    whole = CubicSpline(grid.log_ratio, density(grid, prior)).antiderivative()
    base = float(whole(first))

    def upto(log_ratio: float) -> float:
        return float(whole(min(max(log_ratio, first), last))) - base

    median, lower, upper = (math.exp(brentq(lambda at, level=level: upto(at) - level, first, last, xtol=1e-12))
                            for level in (0.5, 0.025, 0.975))
    below, above = (upto(math.log(margin)) for margin in margins)
    return Posterior(median, lower, upper, 1 - upto(0.0), below, above - below, 1 - above)
