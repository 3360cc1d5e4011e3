"""How patients might have fared before anything is printed: families of survival laws, and their densities.

Every law is written in time as a share of the horizon, and every parameter as a standard normal number, so that one
prior serves all reports and all families. A family says how relapses come; death in remission, follow-up, front-line
time, survival after relapse, treatment and group have one law each, the same in all families.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr

from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts

#: Families of time to relapse, with the number of their parameters.
FAMILIES = {"weibull": 2, "piecewise": 6, "cure": 3, "uniform": 1}
#: Where the hazard of the piecewise family changes, as shares of the horizon.
CUTS = np.array([0.0, 0.05, 0.1, 0.2, 0.4])
#: Parameters beside the family's: death, follow-up (2), front-line time (2), after relapse (2), treatment, group (2).
OTHERS = {"death": 1, "follow_up": 2, "front": 2, "after": 2, "treatment": 1, "group": 2}


class Law(NamedTuple):
    """Logs of a density and of the survival beyond, at the same times."""

    density: np.ndarray
    survival: np.ndarray


#: Parameters of one arm; a family that needs fewer for relapse leaves the others alone.
WIDTH = max(FAMILIES.values()) + sum(OTHERS.values())


def split(z: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters of one arm by law: (B, WIDTH) into arrays of shape (k, B, 1).

    Examples
    --------
    >>> {name: len(part) for name, part in split(np.zeros((4, WIDTH))).items()}["relapse"]
    6
    """
    sizes = [max(FAMILIES.values()), *OTHERS.values()]
    parts = np.split(z.T[:, :, None], np.cumsum(sizes)[:-1])
    return dict(zip(["relapse", *OTHERS], parts, strict=True))


def relapse_law(family: str, z: np.ndarray, x: np.ndarray) -> Law:
    """Time to relapse in a family.

    Parameters
    ----------
    family : str
        `weibull`; `piecewise` (exponential); `cure`: a share never relapses, the others by a Weibull law; `uniform`: a
        share never relapses, the others at any time up to the horizon alike.
    z : array (k, B, 1)
        Parameters as standard normal numbers.
    x : array (B, patients)
        Times as shares of the horizon, above 0.

    Returns
    -------
    Law

    Examples
    --------
    >>> law = relapse_law("uniform", np.zeros((1, 1, 1)), np.array([[0.5]]))
    >>> np.exp(law.density).tolist(), np.exp(law.survival).round(12).tolist()
    ([[0.5]], [[0.75]])
    """
    if family == "weibull":
        return _weibull(np.log(0.3) + 1.2 * z[0], 0.5 * z[1], x)
    if family == "cure":
        law = _weibull(np.log(0.15) + z[1], 0.4 * z[2], x)
        cured, not_cured = log_ndtr(z[0]), log_ndtr(-z[0])
        return Law(not_cured + law.density, np.logaddexp(cured, not_cured + law.survival))
    if family == "uniform":
        inside = x < 1
        density = np.where(inside, log_ndtr(-z[0]), -np.inf)
        return Law(density, np.log1p(-ndtr(-z[0]) * np.minimum(x, 1 - 1e-12)))
    if family == "piecewise":
        return _piecewise(np.log(2) + z[0] + 0.8 * z[1:6], x)
    raise ValueError(f"unknown family {family!r}: one of {', '.join(FAMILIES)}")


def _relapse(family: np.ndarray, z: np.ndarray, x: np.ndarray) -> Law:
    """Time to relapse where every cohort has a family of its own, by its place in `FAMILIES`."""
    made = Law(np.empty(x.shape), np.empty(x.shape))
    for place, name in enumerate(FAMILIES):
        rows = np.flatnonzero(family == place)
        if len(rows) == len(family):
            return relapse_law(name, z, x)
        if len(rows):
            law = relapse_law(name, z[:, rows], x[rows])
            made.density[rows], made.survival[rows] = law
    return made


def _weibull(log_scale, log_shape, x) -> Law:
    shape = np.exp(log_shape)
    log_ratio = np.log(x) - log_scale
    power = np.exp(np.minimum(shape * log_ratio, 700))
    return Law(log_shape - log_scale + (shape - 1) * log_ratio - power, -power)


def _piecewise(log_hazard: np.ndarray, x: np.ndarray) -> Law:
    hazard = np.exp(log_hazard)
    ends = np.append(CUTS[1:], np.inf)
    total, now = 0.0, 0.0
    for level, log_level, start, end in zip(hazard, log_hazard, CUTS, ends, strict=True):
        total = total + level * np.clip(x - start, 0, end - start)
        now = np.where(x >= start, log_level, now)
    return Law(now - total, -total)


def _follow_up(z: np.ndarray, x: np.ndarray) -> Law:
    """Time to last contact: a logistic normal law below the horizon."""
    y = np.clip(x, 1e-12, 1 - 1e-12)
    spread = np.exp(-0.5 + 0.4 * z[1])
    away = (np.log(y) - np.log1p(-y) - 0.5 - z[0]) / spread
    density = -0.5 * away**2 - 0.5 * np.log(2 * np.pi) - np.log(spread) - np.log(y) - np.log1p(-y)
    return Law(np.where(x < 1, density, -np.inf), log_ndtr(-away))


def _front(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log density of the time from diagnosis to the start: log-normal around a twelfth of the horizon."""
    spread = 0.4 * np.exp(0.3 * z[1])
    away = (np.log(x) - np.log(1 / 12) - 0.5 * z[0]) / spread
    return -0.5 * away**2 - 0.5 * np.log(2 * np.pi) - np.log(spread) - np.log(x)


def log_density(family: np.ndarray, z: np.ndarray, cohorts: Cohorts, horizon: int,
                parts: tuple[bool, bool, bool, bool], changed: Collection[str] = Cohorts._fields) -> np.ndarray:
    """Log density of patients of one arm, each by itself.

    Parameters
    ----------
    family : array (B,) of int
        Places in `FAMILIES`.
    z : array (B, WIDTH)
        Parameters of the arm.
    cohorts : Cohorts
        The patients concerned, arrays (B, k).
    horizon : int
        Grains.
    parts : tuple of bool
        Whether survival, time from diagnosis, treatment and group are part of the report.
    changed : collection of str
        Fields of `Cohorts`; factors that depend on none of them are left out.

    Returns
    -------
    array (B, k)

    Notes
    -----
    A patient whose remission ended at t has the density of that end and the survival beyond t of the other two laws:
    relapse, death in remission and follow-up are independent. A whole number t stands for [t, t + 1), by its middle.
    """
    law, x = split(z), (cohorts.time + 0.5) / horizon
    survival, diagnosis, treatment, group = parts
    total = np.where(cohorts.time >= 0, 0.0, -np.inf)
    if not {"time", "code", "after", "dead"}.isdisjoint(changed):
        total += _course(family, law, cohorts, x, horizon, survival)
    if diagnosis and "front" in changed:
        total += _front(law["front"], (cohorts.front + 0.5) / horizon)
    if treatment and "share" in changed:
        through = law["treatment"][0]
        total += np.where(cohorts.share == 1, log_ndtr(through), log_ndtr(-through))
    if group and not {"time", "label"}.isdisjoint(changed):
        odds = law["group"][0] + law["group"][1] * (np.log(x) + 1.5)
        total -= np.logaddexp(0, np.where(cohorts.label == 1, -odds, odds))
    return total


def _course(family: np.ndarray, law: dict[str, np.ndarray], cohorts: Cohorts, x: np.ndarray, horizon: int,
            survival: bool) -> np.ndarray:
    """Log density of how and when remissions end, and of what follows a relapse."""
    relapse = _relapse(family, law["relapse"], x)
    hazard = np.log(0.5) + law["death"][0]
    relapsed, died, going = (cohorts.code == code for code in (RELAPSE, DEATH, ONGOING))
    total = np.where(relapsed, relapse.density, relapse.survival) + died * hazard - np.exp(hazard) * x
    if not survival:
        last = _follow_up(law["follow_up"], x)
        return total + np.where(going, last.density, last.survival)
    last = _follow_up(law["follow_up"], x + cohorts.after / horizon * relapsed)
    total += np.where(going | (relapsed & ~cohorts.dead), last.density, last.survival)
    later = _weibull(np.log(0.1) + law["after"][0], 0.3 * law["after"][1], (cohorts.after + 0.5) / horizon)
    # Without a relapse `after` and `dead` say nothing: any value alike, so that a code can change and back.
    return total + np.where(relapsed, np.where(cohorts.dead, later.density, later.survival), np.log(0.5))


def simulate(family: str, z: np.ndarray, patients: int, horizon: int, parts: tuple[bool, bool, bool, bool],
             rng: np.random.Generator) -> Cohorts:
    """Draw patients of one arm from the laws that `log_density` scores.

    Parameters
    ----------
    family : str
    z : array (B, WIDTH)
    patients : int
    horizon : int
        Grains.
    parts : tuple of bool
        As for `log_density`.
    rng : Generator

    Returns
    -------
    Cohorts
        Arrays (B, patients).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> simulate("uniform", np.zeros((2, WIDTH)), 3, 100, (False,) * 4, rng).time.shape
    (2, 3)
    """
    law = split(z)
    shape = (len(z), patients)
    relapse = _relapse_times(family, law["relapse"], shape, rng)
    death = rng.exponential(size=shape) / (0.5 * np.exp(law["death"][0]))
    spread = np.exp(-0.5 + 0.4 * law["follow_up"][1])
    last = 1 / (1 + np.exp(-(0.5 + law["follow_up"][0] + spread * rng.standard_normal(shape))))
    first = np.minimum(np.minimum(relapse, death), last)
    code = np.select([relapse == first, death == first], [RELAPSE, DEATH], ONGOING)
    after, dead = np.zeros(shape), np.zeros(shape, bool)
    if parts[0]:
        later = 0.1 * np.exp(law["after"][0]) * rng.weibull(np.exp(0.3 * law["after"][1]) * np.ones(shape))
        dead = (code == RELAPSE) & (first + later <= last)
        after = np.where(code == RELAPSE, np.minimum(later, last - first), 0)
    front = np.exp(np.log(1 / 12) + 0.5 * law["front"][0]
                   + 0.4 * np.exp(0.3 * law["front"][1]) * rng.standard_normal(shape)) * parts[1]
    share = np.where(rng.random(shape) < ndtr(law["treatment"][0]), 1.0, rng.random(shape))
    odds = law["group"][0] + law["group"][1] * (np.log(first + 0.5 / horizon) + 1.5)
    label = rng.random(shape) < 1 / (1 + np.exp(-odds))
    grains = [np.floor(part * horizon).astype(np.int32) for part in (first, front, after)]
    return Cohorts(grains[0], code.astype(np.int8), grains[1], grains[2], dead, share, label.astype(np.int8))


def _relapse_times(family: str, z: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Times to relapse as shares of the horizon; infinite for the cured."""
    never = 1e9
    if family == "weibull":
        return 0.3 * np.exp(1.2 * z[0]) * rng.weibull(np.exp(0.5 * z[1]) * np.ones(shape))
    if family == "piecewise":
        hazard = np.exp(np.log(2) + z[0] + 0.8 * z[1:6])
        left, time, done = rng.exponential(size=shape), np.zeros(shape), np.zeros(shape, bool)
        for level, start, end in zip(hazard, CUTS, np.append(CUTS[1:], np.inf), strict=True):
            here = ~done & (left <= level * (end - start))
            time = np.where(here, start + left / level, time)
            done |= here
            left = left - level * (end - start)
        return time
    cured = rng.random(shape) < ndtr(z[0])
    if family == "uniform":
        return np.where(cured, never, rng.random(shape))
    return np.where(cured, never, 0.15 * np.exp(z[1]) * rng.weibull(np.exp(0.4 * z[2]) * np.ones(shape)))
