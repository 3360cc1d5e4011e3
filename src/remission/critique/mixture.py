"""Mixture cure models by maximum likelihood: some patients never have the event, the others have it in time."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize, root
from scipy.special import expit, log_ndtr, logit
from scipy.stats import chi2

#: Distributions of the times of those who are not cured; the first is the primary one.
FAMILIES = ("Weibull", "log-normal")
#: Fractions at which a profile likelihood is computed.
FRACTIONS = np.round(np.linspace(0, 0.98, 50), 2)
#: Drop of the log-likelihood at the limits of a 95% interval.
DROP = chi2.ppf(0.95, 1) / 2
#: Decimals kept of what an iteration found: beyond them digits may differ from machine to machine.
DECIMALS = 7
#: With fewer events a model with three parameters says nothing.
FEWEST = 3


class Point(NamedTuple):
    """A fraction with the location and scale of log days that fit best, and the log-likelihood there."""

    fraction: float
    location: float
    scale: float
    loglik: float


class Cure(NamedTuple):
    """A fitted mixture: best point, best point without cure, profile 95% limits of the fraction, test of no cure.

    `note` says why there is no number when there is none.
    """

    best: Point
    nobody: Point
    lower: float
    upper: float
    p: float
    profile: pd.DataFrame
    note: str = ""


def fit(data: pd.DataFrame, family: str = "Weibull") -> Cure:
    """Fit S(t) = cured + (1 - cured) S0(t) to one group.

    Parameters
    ----------
    data : DataFrame
        `time` (days; a time of 0 enters as half a day) and `event` (bool); one group.
    family : str
        `Weibull` or `log-normal`: S0, the times of those who are not cured.

    Returns
    -------
    Cure
        Location and scale are those of log days; a Weibull distribution has scale exp(location) and shape 1 / scale.
        The limits hold the fractions whose profile log-likelihood lies within 1.92 of the maximum; `profile` has
        `fraction` and `loglik`, 0 at the maximum. A fraction cannot be negative, so half of the chi-squared
        distribution of the test lies at zero. NaN with a note for fewer than three events, or events at one time only.

    Source
    ------
    Boag, J R Stat Soc B 1949;11:15. Boundary: Self and Liang, J Am Stat Assoc 1987;82:605.

    Examples
    --------
    >>> found = fit(pd.DataFrame({"time": [20, 40, 50, 80, 110, 900, 900], "event": [True] * 5 + [False] * 2}))
    >>> round(found.best.fraction, 3)
    0.286
    """
    times = _times(data)
    why = _cannot(times)
    if why:
        blank = Point(*[math.nan] * 4)
        return Cure(blank, blank, math.nan, math.nan, math.nan, pd.DataFrame(columns=["fraction", "loglik"]), why)
    chains = _chains(times, family)
    points = [max(pair, key=_height) for pair in zip(*chains, strict=True)]
    nobody, highest = points[0], max(points, key=_height)
    best = max(_free(times, family, highest), highest, key=_height)
    if best.loglik - nobody.loglik < 1e-9:
        best = nobody
    twice = 2 * (best.loglik - nobody.loglik)
    p = float(chi2.sf(twice, 1)) / 2 if twice > 0 else 1.0
    heights = np.round([one.loglik - best.loglik for one in points], DECIMALS) + 0.0
    line = pd.DataFrame({"fraction": FRACTIONS, "loglik": heights})
    return Cure(best, nobody, *_limits(times, family, best, chains), p, line)


def curve(point: Point, days: ArrayLike, family: str = "Weibull") -> np.ndarray:
    """Survival under a fitted model.

    Parameters
    ----------
    point : Point
        `best` or `nobody` of a fit.
    days : array_like
        Times above 0.
    family : str

    Returns
    -------
    ndarray
        Probability of no event so far.

    Examples
    --------
    >>> curve(Point(0.5, 0, 1, 0), [1.0]).round(4).tolist()
    [0.6839]
    """
    z = (np.log(np.asarray(days, dtype=float)) - point.location) / point.scale
    return point.fraction + (1 - point.fraction) * np.exp(_log_survival(family, z)[0])


def median_not_cured(point: Point, family: str = "Weibull") -> float:
    """Median time, in days, of those who are not cured.

    Examples
    --------
    >>> round(median_not_cured(Point(0.5, 0, 1, 0)), 4)
    0.6931
    """
    middle = math.log(math.log(2)) if family == "Weibull" else 0.0
    return math.exp(point.location + point.scale * middle)


def sufficiency(data: pd.DataFrame) -> tuple[float, float, int]:
    """Whether follow-up after the last event is long enough to speak of a plateau: Maller and Zhou's criterion.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `event` (bool); one group.

    Returns
    -------
    gap : float
        Days from the last event to the last follow-up; 0 when the longest time is an event.
    alpha : float
        (1 - N / n) ** n, small when follow-up is long enough. NaN without events.
    recent : int
        N: events within one gap before the last event, that one included; 0 without a gap.

    Source
    ------
    Maller and Zhou, J Am Stat Assoc 1994;89:1499.

    Examples
    --------
    >>> sufficiency(pd.DataFrame({"time": [1, 4, 6, 9], "event": [True, True, True, False]}))
    (3.0, 0.0625, 2)
    """
    time, event = data["time"].to_numpy(float), data["event"].to_numpy(bool)
    if not event.any():
        return math.nan, math.nan, 0
    last = time[event].max()
    gap = float(time.max() - last)
    recent = int((event & (time > last - gap)).sum())
    return gap, float((1 - recent / len(time)) ** len(time)), recent


class _Times(NamedTuple):
    """Distinct log days with an event or a censoring, and how many patients share each."""

    log_time: np.ndarray
    event: np.ndarray
    count: np.ndarray


def _times(data: pd.DataFrame) -> _Times:
    """Patients who share a day and an outcome count together: a large cohort has no more terms than days."""
    days = np.maximum(data["time"].to_numpy(float), 0.5)
    pairs, count = np.unique(np.column_stack([np.log(days), data["event"].to_numpy(bool)]), axis=0, return_counts=True)
    return _Times(pairs[:, 0], pairs[:, 1] == 1, count.astype(float))


def _cannot(times: _Times) -> str:
    if times.count[times.event].sum() < FEWEST:
        return f"fewer than {FEWEST} events"
    return "all events at one time" if times.event.sum() < 2 else ""


def _height(point: Point) -> float:
    return point.loglik


def _log_survival(family: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log survival at standardised log times, and its slope."""
    if family == "Weibull":
        grown = np.exp(np.minimum(z, 30.0))
        return -grown, -grown
    beyond = log_ndtr(-z)
    return beyond, -np.exp(_log_normal(z) - beyond)


def _log_normal(z: np.ndarray) -> np.ndarray:
    """Log density of the standard normal distribution."""
    return -0.5 * z * z - 0.5 * math.log(2 * math.pi)


def _loglik(times: _Times, family: str, fraction: float, location: float, log_scale: float) -> tuple[float, np.ndarray]:
    """Log-likelihood of days, and its slope in fraction, location and log scale."""
    log_time, event, count = times
    z = (log_time - location) * math.exp(-log_scale)
    alive, slope = _log_survival(family, z)
    weibull = family == "Weibull"
    density = alive + z if weibull else _log_normal(z)
    density_slope = slope + 1 if weibull else -z
    log_free = np.logaddexp(math.log(fraction) if fraction > 0 else -np.inf, math.log1p(-fraction) + alive)
    term = np.where(event, math.log1p(-fraction) + density - log_scale - log_time, log_free)
    share = np.exp(math.log1p(-fraction) + alive - log_free)  # of those free of the event, who is not cured
    by_z = np.where(event, density_slope, share * slope)
    with np.errstate(over="ignore"):  # far out, with no fraction at all, the slope in it is infinite and is not used
        by_fraction = np.where(event, -1 / (1 - fraction), -np.expm1(alive) * np.exp(-log_free))
    return float(count @ term), np.array([count @ by_fraction, -(count @ by_z) * math.exp(-log_scale),
                                          -(count @ (by_z * z + event))])


def _given(times: _Times, family: str, fraction: float, start: Point) -> Point:
    """Best location and scale for one fraction, near a start."""
    def minus(at):
        value, slopes = _loglik(times, family, fraction, *at)
        return -value, -slopes[1:]

    found = _maximum(minus, [start.location, math.log(start.scale)])
    return Point(fraction, float(found[0]), math.exp(found[1]), -minus(found)[0])


def _maximum(minus, start: list[float]) -> np.ndarray:
    """Where a likelihood is highest, near a start; `minus` gives its negative, and the slopes of that.

    Where BFGS stops depends on the last bits, in which processors differ. The root of the slopes does not, as long as
    it is the same maximum.
    """
    near = minimize(minus, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        sharp = root(lambda at: minus(at)[1], near.x, method="hybr", options={"xtol": 1e-13})
    if np.allclose(sharp.x, near.x, rtol=1e-5, atol=1e-5) and np.abs(sharp.fun).max() <= np.abs(near.jac).max():
        return sharp.x
    return near.x


def _chains(times: _Times, family: str) -> tuple[list[Point], list[Point]]:
    """Best points over the grid of fractions, each started from its neighbour: once upwards, once downwards.

    At one fraction a long tail of the times and a short one can both be local maxima, so one direction may miss the
    higher of the two.
    """
    log_time, event, count = times
    middle = np.average(log_time, weights=count)
    spread = math.sqrt(np.average((log_time - middle) ** 2, weights=count))
    early = np.average(log_time, weights=count * event)
    up, down = [Point(0.0, float(middle), max(spread, 0.1), 0.0)], [Point(1.0, float(early), max(spread, 0.1), 0.0)]
    for fraction in FRACTIONS:
        up.append(_given(times, family, float(fraction), up[-1]))
    for fraction in FRACTIONS[::-1]:
        down.append(_given(times, family, float(fraction), down[-1]))
    return up[1:], down[:0:-1]


def _free(times: _Times, family: str, start: Point) -> Point:
    """Best point over fraction, location and scale together, near a start."""
    def minus(at):
        fraction = float(expit(at[0]))
        value, slopes = _loglik(times, family, fraction, *at[1:])
        return -value, -slopes * [fraction * (1 - fraction), 1, 1]

    at = [logit(max(start.fraction, 0.005)), start.location, math.log(start.scale)]
    found = _maximum(minus, at)
    return Point(float(expit(found[0])), float(found[1]), math.exp(found[2]), -minus(found)[0])


def _limits(times: _Times, family: str, best: Point, chains: tuple[list[Point], list[Point]]) -> tuple[float, float]:
    """Fractions below and above the best one at which the profile has dropped by 1.92; 0 or 1 where it never does."""
    heights = np.max([[_height(one) for one in chain] for chain in chains], axis=0) - best.loglik + DROP
    low = np.flatnonzero((heights < 0) & (best.fraction > FRACTIONS))
    high = np.flatnonzero((heights < 0) & (best.fraction < FRACTIONS))

    def crossing(outer: int, inner: int) -> float:
        # The higher of both chains on either side: the crossing may lie on the shoulder of either maximum.
        starts = [max((chain[at] for chain in chains), key=_height) for at in (outer, inner)]

        def height(fraction: float) -> float:
            return max(_given(times, family, fraction, start).loglik for start in starts) - best.loglik + DROP

        # Between two neighbours of the grid, or between one of them and the best point where that is nearer.
        near = min(FRACTIONS[inner], best.fraction) if inner > outer else max(FRACTIONS[inner], best.fraction)
        return float(brentq(height, FRACTIONS[outer], near, xtol=1e-9))

    return (crossing(low[-1], low[-1] + 1) if len(low) else 0.0, crossing(high[0], high[0] - 1) if len(high) else 1.0)
