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


class Parts(NamedTuple):
    """What a report speaks of beside relapse; without `deaths` nobody dies in remission."""

    survival: bool = False
    diagnosis: bool = False
    treatment: bool = False
    group: bool = False
    deaths: bool = True


class Grain(NamedTuple):
    """Logs of the chances that a time is in a grain, is in it or later, and is later."""

    inside: np.ndarray
    reached: np.ndarray
    passed: np.ndarray


#: Parameters of one arm; a family that needs fewer for relapse leaves the others alone.
WIDTH = max(FAMILIES.values()) + sum(OTHERS.values())


def used(family: np.ndarray, parts: Parts) -> np.ndarray:
    """Parameters on which a density depends: (B, WIDTH) of bool; the others keep to their prior by themselves.

    Examples
    --------
    >>> used(np.array([0, 1]), Parts()).sum(axis=1).tolist()
    [5, 9]
    """
    sizes = np.array(list(FAMILIES.values()))[family]
    speaks = [parts.deaths, True, parts.diagnosis, parts.survival, parts.treatment, parts.group]
    others = np.repeat(speaks, list(OTHERS.values()))
    relapse = np.arange(max(FAMILIES.values())) < sizes[:, None]
    return np.concatenate([relapse, np.broadcast_to(others, (len(family), len(others)))], axis=1)


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


def relapse_survival(family: str, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log chance of no relapse before a time, in a family.

    Parameters
    ----------
    family : str
        `weibull`; `piecewise` (exponential); `cure`: a share never relapses, the others by a Weibull law; `uniform`: a
        share never relapses, the others at any time up to the horizon alike.
    z : array (k, B, 1)
        Parameters as standard normal numbers.
    x : array (B, patients)
        Times as shares of the horizon.

    Returns
    -------
    array (B, patients)

    Examples
    --------
    >>> np.exp(relapse_survival("uniform", np.zeros((1, 1, 1)), np.array([[0.5]]))).round(12).tolist()
    [[0.75]]
    """
    if family == "weibull":
        return _weibull(np.log(0.3) + 1.2 * z[0], 0.5 * z[1], x)
    if family == "cure":
        return np.logaddexp(log_ndtr(z[0]), log_ndtr(-z[0]) + _weibull(np.log(0.15) + z[1], 0.4 * z[2], x))
    if family == "uniform":
        return np.log1p(-ndtr(-z[0]) * np.minimum(x, 1 - 1e-12))
    if family == "piecewise":
        return _piecewise(np.log(2) + z[0] + 0.8 * z[1:6], x)
    raise ValueError(f"unknown family {family!r}: one of {', '.join(FAMILIES)}")


def _relapse(family: np.ndarray, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same where every cohort has a family of its own, by its place in `FAMILIES`."""
    made = np.empty(x.shape)
    for place, name in enumerate(FAMILIES):
        rows = np.flatnonzero(family == place)
        if len(rows) == len(family):
            return relapse_survival(name, z, x)
        if len(rows):
            made[rows] = relapse_survival(name, z[:, rows], x[rows])
    return made


def _log(x: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(x, 1e-300))


def _weibull(log_scale, log_shape, x) -> np.ndarray:
    return -np.exp(np.minimum(np.exp(log_shape) * (_log(x) - log_scale), 700))


def _piecewise(log_hazard: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = 0.0
    for level, start, end in zip(np.exp(log_hazard), CUTS, np.append(CUTS[1:], np.inf), strict=True):
        total = total - level * np.clip(x - start, 0, end - start)
    return total


def _follow_up(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log chance of follow-up to a time: a logistic normal law below the horizon."""
    y = np.clip(x, 1e-12, 1 - 1e-12)  # from the horizon on a chance so small that nobody stays there
    return log_ndtr((0.5 + z[0] - np.log(y) + np.log1p(-y)) * np.exp(0.5 - 0.4 * z[1]))


def _front(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log chance of a longer time from diagnosis to the start: log-normal around a twelfth of the horizon."""
    away = (np.log(1 / 12) + 0.5 * z[0] - _log(x)) / (0.4 * np.exp(0.3 * z[1]))
    return np.where(x < 1, log_ndtr(away), -np.inf)


def _grain(law, z: np.ndarray, time: np.ndarray, horizon: int) -> Grain:
    """What a law gives for whole numbers: t stands for all times from t up to t + 1."""
    both = law(z, np.concatenate([time, time + 1], axis=1) / horizon)
    reached, passed = both[:, :time.shape[1]], both[:, time.shape[1]:]
    return Grain(reached + _log(-np.expm1(passed - reached)), reached, passed)


def log_density(family: np.ndarray, z: np.ndarray, cohorts: Cohorts, horizon: int,
                parts: Parts, changed: Collection[str] = Cohorts._fields) -> np.ndarray:
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
    parts : Parts
    changed : collection of str
        Fields of `Cohorts`; factors that depend on none of them are left out.

    Returns
    -------
    array (B, k)

    Notes
    -----
    Relapse, death in remission and follow-up are independent, each at a whole number of grains; the first of them ends
    the remission, in this order within one grain. Chances of all that can happen to a patient add up to 1.
    """
    law = split(z)
    total = np.where(cohorts.time >= 0, 0.0, -np.inf)
    if not {"time", "code", "after", "dead"}.isdisjoint(changed):
        total += _course(family, law, cohorts, horizon, parts)
    if parts.diagnosis and "front" in changed:
        total += _grain(_front, law["front"], cohorts.front, horizon).inside
    if parts.treatment and "share" in changed:
        through = law["treatment"][0]
        total += np.where(cohorts.share == 1, log_ndtr(through), log_ndtr(-through))
    if parts.group and not {"time", "label"}.isdisjoint(changed):
        odds = _odds(law["group"], cohorts.time, horizon)
        total -= np.logaddexp(0, np.where(cohorts.label == 1, -odds, odds))
    return total


def _odds(z: np.ndarray, time: np.ndarray, horizon: int) -> np.ndarray:
    """Log odds of belonging to the other group."""
    return z[0] + z[1] * (np.log((time + 0.5) / horizon) + 1.5)


def _course(family: np.ndarray, law: dict[str, np.ndarray], cohorts: Cohorts, horizon: int,
            parts: Parts) -> np.ndarray:
    """Log chance of how and when remissions end, and of what follows a relapse."""
    time = cohorts.time
    relapse = _grain(lambda z, x: _relapse(family, z, x), law["relapse"], time, horizon)
    relapsed, going = cohorts.code == RELAPSE, cohorts.code == ONGOING
    total = np.where(relapsed, relapse.inside, relapse.passed)
    if parts.deaths:
        death = _grain(lambda z, x: -0.5 * np.exp(z[0]) * x, law["death"], time, horizon)
        total += np.where(relapsed, death.reached, np.where(going, death.passed, death.inside))
    if not parts.survival:
        last = _grain(_follow_up, law["follow_up"], time, horizon)
        return total + np.where(going, last.inside, last.reached)
    last = _grain(_follow_up, law["follow_up"], time + cohorts.after * relapsed, horizon)
    total += np.where(going | (relapsed & ~cohorts.dead), last.inside, last.reached)
    later = _grain(lambda z, x: _weibull(np.log(0.1) + z[0], 0.3 * z[1], x), law["after"], cohorts.after, horizon)
    # Without a relapse `after` and `dead` say nothing: any value alike, so that a code can change and back.
    return total + np.where(relapsed, np.where(cohorts.dead, later.inside, later.passed), np.log(0.5 / horizon))


def simulate(family: str, z: np.ndarray, patients: int, horizon: int, parts: Parts,
             rng: np.random.Generator) -> Cohorts:
    """Draw patients of one arm from the laws that `log_density` scores.

    Parameters
    ----------
    family : str
    z : array (B, WIDTH)
    patients : int
    horizon : int
        Grains.
    parts : Parts
    rng : Generator

    Returns
    -------
    Cohorts
        Arrays (B, patients).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> simulate("uniform", np.zeros((2, WIDTH)), 3, 100, Parts(), rng).time.shape
    (2, 3)
    """
    law, shape = split(z), (len(z), patients)

    def grains(times: np.ndarray) -> np.ndarray:
        return np.floor(np.minimum(times, 2) * horizon).astype(np.int32)

    relapse = grains(_relapse_times(family, law["relapse"], shape, rng))
    death = grains(rng.exponential(size=shape) / (0.5 * np.exp(law["death"][0]) if parts.deaths else 1e-9))
    spread = np.exp(-0.5 + 0.4 * law["follow_up"][1])
    last = grains(1 / (1 + np.exp(-(0.5 + law["follow_up"][0] + spread * rng.standard_normal(shape)))))
    last = np.minimum(last, horizon - 1)
    time = np.minimum(np.minimum(relapse, death), last)
    code = np.select([relapse == time, death == time], [RELAPSE, DEATH], ONGOING)
    after, dead = rng.integers(0, horizon, shape, dtype=np.int32), rng.random(shape) < 0.5
    if parts.survival:
        later = grains(0.1 * np.exp(law["after"][0]) * rng.weibull(np.exp(0.3 * law["after"][1]) * np.ones(shape)))
        dead = np.where(code == RELAPSE, time + later <= last, dead)
        after = np.where(code == RELAPSE, np.minimum(later, last - time), after)
    front = np.exp(np.log(1 / 12) + 0.5 * law["front"][0]
                   + 0.4 * np.exp(0.3 * law["front"][1]) * rng.standard_normal(shape))
    share = np.where(rng.random(shape) < ndtr(law["treatment"][0]), 1.0, rng.random(shape))
    label = rng.random(shape) < 1 / (1 + np.exp(-_odds(law["group"], time, horizon)))
    return Cohorts(time, code.astype(np.int8), np.minimum(grains(front), horizon - 1), after, dead, share,
                   label.astype(np.int8))


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
