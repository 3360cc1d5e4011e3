"""Permutation log-rank tests of one cohort: exact over every allocation of patients to arms, or Monte Carlo.

Two statistics are in use, and they give different p-values. The linear one is O - E, observed minus expected events of
the other arm: a sum of fixed scores. The studentised one is the log-rank chi-squared, whose hypergeometric variance
changes from one allocation to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from remission.batch.allocations import allocations
from remission.batch.comparisons import logrank

TIES = ("mid-ranks", "Hothorn-Lausen", "average-scores")
STATISTICS = ("linear", "studentised")
#: Above so many patients exact scores are refused: their denominators grow without use, exact counting being hopeless.
PATIENTS = 400
#: Random numbers of one Monte Carlo step.
STEP = 1 << 20
#: What coin takes as equal: a sum of scores in the lower tail, ten standard deviations times as much in the upper.
COIN = math.sqrt(np.finfo(float).eps)
#: Relative distance below which two studentised statistics are the same one.
SAME = 1e-9


class Scores(NamedTuple):
    """Exact rational scores of patients: `numerators` over one common `denominator`."""

    numerators: tuple[int, ...]
    denominator: int

    def floats(self) -> np.ndarray:
        """The scores as floating-point numbers."""
        return np.array([float(Fraction(one, self.denominator)) for one in self.numerators])


class Permutation(NamedTuple):
    """A permutation test: two-sided `p`, the one-sided p of a `lower` or `upper` statistic, and their making.

    `error` is the Monte Carlo standard error of `p`, 0 when every allocation was counted.
    """

    statistic: float
    p: float
    lower: float
    upper: float
    allocations: int
    method: str
    error: float = 0.0


def scores(time, event, ties: str = "mid-ranks") -> Scores:
    """Exact log-rank scores of one cohort: event minus the Nelson-Aalen estimate at the patient's own time.

    Parameters
    ----------
    time, event : array (n,)
    ties : str
        "mid-ranks": tied times pooled, so that the sum over an arm is its O - E, the linear statistic. The other two
        are coin's variants: "Hothorn-Lausen" puts only the last of the tied patients into the risk set,
        "average-scores" averages over every order of tied events.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        The rule is unknown, a time is missing, or there are too many patients for exact numbers.

    Source
    ------
    R: minus `coin::logrank_trafo(Surv(time, event), ties.method = ties)`. Hothorn and Lausen, CSDA 2003;43:121;
    Callaert, JASA 2003;98:214.

    Examples
    --------
    >>> scores([1, 2, 3], [1, 1, 0])
    Scores(numerators=(4, 1, -5), denominator=6)
    """
    if ties not in TIES:
        raise ValueError(f"a rule for ties is one of {', '.join(TIES)}, not {ties!r}")
    time, event = np.asarray(time), np.asarray(event, bool)
    if time.dtype.kind == "f" and np.isnan(time).any():
        raise ValueError("a time is missing")
    if len(time) > PATIENTS:
        raise ValueError(f"{len(time):,} patients, above the bound of {PATIENTS} for exact scores: use Monte Carlo")
    found = [Fraction(0)] * len(time)
    hazard, gone = Fraction(0), 0
    for moment in np.unique(time):
        mine = np.flatnonzero(time == moment)
        deaths, at_risk = int(event[mine].sum()), len(time) - gone
        if ties == "average-scores":
            steps = [Fraction(1, at_risk - step) for step in range(deaths)]
            tied = sum((step * (deaths - place) for place, step in enumerate(steps)), Fraction(0))
            own = hazard + (tied / deaths if deaths else 0)
            hazard += sum(steps, Fraction(0))
        else:
            hazard += Fraction(deaths, at_risk if ties == "mid-ranks" else at_risk - len(mine) + 1)
            own = hazard
        for patient in mine:
            found[patient] = 1 - own if event[patient] else -hazard
        gone += len(mine)
    common = math.lcm(*(one.denominator for one in found))
    return Scores(tuple(int(one * common) for one in found), common)


def exact(scores: Scores, arm, as_coin: bool = False) -> Permutation:
    """Exact permutation test of a linear statistic: the sum of the other arm's scores, over every allocation.

    Parameters
    ----------
    scores : Scores
        From `scores`; with the default ties the statistic is O - E of the other arm (linear, not studentised).
    arm : array (n,)
        True in the other arm. Every choice of as many patients is equally likely.
    as_coin : bool
        Count statistics just short of the observed one too, as coin does, whose sums are floating-point numbers and
        whose equality is an approximate one (1.5e-8, and in the upper tail 1.5e-7 standard deviations).

    Returns
    -------
    Permutation
        `statistic`: the sum minus its mean over allocations. Two-sided `p`: share of allocations at least as far from
        the mean; `lower`, `upper`: share with a statistic at most, at least, the observed one. Equality is decided on
        whole numbers, and an equal statistic counts as at least as extreme.

    Raises
    ------
    ValueError
        Too many different sums (about 44 patients without ties), or too long whole numbers: use `monte_carlo`.

    Source
    ------
    Pagano and Tritchler, JASA 1983;78:435, for exact counting. R: `coin::logrank_test(Surv(time, event) ~ arm,
    distribution = "exact", ties.method = ties)`.

    Examples
    --------
    >>> found = exact(scores([1, 2, 3, 4], [1, 1, 1, 1]), [True, True, False, False])
    >>> round(found.statistic, 4), round(found.p, 4), found.allocations
    (1.1667, 0.3333, 6)
    """
    arm = np.asarray(arm, bool)
    patients, size = len(arm), int(arm.sum())
    if len(scores.numerators) != patients:
        raise ValueError(f"{len(scores.numerators)} scores for {patients} patients")
    # Centred: whole numbers whose sum over an arm has mean zero, over a denominator `patients` times as large.
    total = sum(scores.numerators)
    centred = [patients * one - total for one in scores.numerators]
    shrink = math.gcd(*centred) or 1
    centred = [one // shrink for one in centred]
    unit = Fraction(shrink, max(patients, 1) * scores.denominator)
    observed = sum(one for one, other in zip(centred, arm, strict=True) if other)
    below, above = _near(centred, size, unit) if as_coin else (0, 0)
    ways, every = allocations(centred, size), math.comb(patients, size)
    low, high = ways.at_most(-abs(observed) + below), every - ways.at_most(abs(observed) - above - 1)
    lower, upper = low, high
    if observed > 0:
        lower = ways.at_most(observed + below)
    elif observed < 0:
        upper = every - ways.at_most(observed - above - 1)
    both = every if observed == 0 else low + high
    name = "linear statistic, exact over all allocations" + (", near ties as in coin" if as_coin else "")
    return Permutation(float(observed * unit), both / every, lower / every, upper / every, every, name)


def _near(centred: list[int], size: int, unit: Fraction) -> tuple[int, int]:
    """How far short of the observed one coin lets a statistic fall, in the lower and in the upper tail."""
    patients = len(centred)
    deviation = 0.0
    if patients > 1:
        squares = float(sum(one * one for one in centred) * unit**2)
        deviation = math.sqrt(size * (patients - size) / (patients * (patients - 1)) * squares)
    return int(COIN / unit), int((10 * COIN * deviation) / unit)


def monte_carlo(time, event, arm, draws: int, seed: int, statistic: str = "linear") -> Permutation:
    """Permutation log-rank test of one cohort over randomly drawn allocations.

    Parameters
    ----------
    time, event, arm : array (n,)
        `arm` is True in the other arm.
    draws : int
        Allocations drawn, each equally likely.
    seed : int
    statistic : str
        "linear": |O - E| with tied times pooled. "studentised": the log-rank chi-squared, O - E squared over the
        hypergeometric variance of each allocation. Their p-values differ.

    Returns
    -------
    Permutation
        The observed allocation counts as one more draw, so p is never 0 and the test keeps its level. `statistic`:
        O - E, or the chi-squared; `lower`, `upper`: one-sided p of a low or high O - E, or of the chi-squared's signed
        root. `error`: the binomial standard error of `p`.

    Raises
    ------
    ValueError
        The statistic is unknown, or the chi-squared has no value because its variance is 0.

    Source
    ------
    Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39. R (linear): `coin::logrank_test(...,
    distribution = coin::approximate(nresample = draws))`, which does not count the observed one.

    Examples
    --------
    >>> found = monte_carlo([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 0, 0], draws=1000, seed=1)
    >>> round(found.p, 1), round(found.error, 3), found.method
    (0.3, 0.015, 'linear statistic, Monte Carlo, 1,000 allocations, seed 1')
    """
    if statistic not in STATISTICS:
        raise ValueError(f"a statistic is one of {', '.join(STATISTICS)}, not {statistic!r}")
    time, event, arm = np.asarray(time), np.asarray(event, bool), np.asarray(arm, bool)
    value = _linear(time, event) if statistic == "linear" else _studentised(time, event)
    observed = value(arm[None])[0]
    if math.isnan(observed):
        raise ValueError("the log-rank statistic has no variance, so there is nothing to permute")
    room = SAME * max(abs(observed), 1e-3)
    counts = np.zeros(3, np.int64)
    for arms in _random_arms(arm, draws, seed):
        values = np.nan_to_num(value(arms))  # an allocation without variance says nothing: 0
        counts += [(np.abs(values) >= abs(observed) - room).sum(), (values <= observed + room).sum(),
                   (values >= observed - room).sum()]
    p, lower, upper = (float(one + 1) / (draws + 1) for one in counts)
    shown = float(observed if statistic == "linear" else observed**2)
    return Permutation(shown, p, lower, upper, draws,
                       f"{statistic} statistic, Monte Carlo, {draws:,} allocations, seed {seed}",
                       math.sqrt(p * (1 - p) / draws))


def _random_arms(arm: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Random allocations with the arms' own sizes, some thousand at a time."""
    rng = np.random.default_rng(seed)
    step = max(1, STEP // max(len(arm), 1))
    for start in range(0, draws, step):
        yield rng.permuted(np.broadcast_to(arm, (min(step, draws - start), len(arm))), axis=1)


def _linear(time: np.ndarray, event: np.ndarray) -> Callable:
    """O - E of allocations, as the sum of scores in floating-point numbers."""
    moments, place = np.unique(time, return_inverse=True)
    deaths, all_ = (np.bincount(place, weights=one, minlength=len(moments)) for one in (event, np.ones(len(event))))
    own = event - np.cumsum(deaths / np.cumsum(all_[::-1])[::-1])[place]
    return lambda arms: arms @ own


def _studentised(time: np.ndarray, event: np.ndarray) -> Callable:
    """O - E over its hypergeometric standard deviation, for each allocation."""
    def value(arms: np.ndarray) -> np.ndarray:
        found = logrank(time, event, arms)
        return np.sign(found.score) * np.sqrt(found.chi2)
    return value
