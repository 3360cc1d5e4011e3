"""What the multiverse gives by chance: outcomes permuted against all codings at once, everything tested again."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from remission.mrd.multiverse.analyses import TESTS, Found, Multiverse, Outcomes, first_alike, tests

#: Groupings tested in one go.
STEP = 20_000


class Reference(NamedTuple):
    """One entry a permutation; the observed value of each statistic first.

    `share`: of the distinct analyses, with p < 0.05 and the poor side earlier; `reverse`: the good side earlier.
    `smallest`: smallest p with the poor side earlier, 1 where there is none. `middle`: median hazard ratio of the
    distinct data sets, over Firth-penalised fits. `analyses`: how many distinct analyses there are.
    """

    share: np.ndarray
    reverse: np.ndarray
    smallest: np.ndarray
    middle: np.ndarray
    analyses: np.ndarray
    draws: int
    seed: int


def reference(multiverse: Multiverse, seed: int, draws: int = 2000) -> Reference:
    """Permute outcomes against all codings jointly, within arms, and repeat every analysis.

    Parameters
    ----------
    multiverse : Multiverse
        From `specify`.
    seed : int
    draws : int
        Number of permutations.

    Returns
    -------
    Reference
        Arrays (1 + draws,), the data as observed first; empty arrays where nothing was analysed.

    Notes
    -----
    A patient's endpoints stay together, and so do all codings of one patient: only the link between the two is cut,
    so the correlation among specifications is kept. An analysis without a p counts as one that found nothing. Source:
    Simonsohn, Simmons and Nelson, Nat Hum Behav 2020;4:1208.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.mrd.multiverse.analyses import specify
    >>> from remission.study import Study
    >>> empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]
    >>> len(reference(specify({}, *empty, Study("demo", "own", "", "", ())), seed=1).share)
    0
    """
    groups, outcomes = multiverse.groups, multiverse.outcomes
    if not len(groups):
        return Reference(*[np.empty(0)] * 5, draws, seed)
    orders = np.vstack([np.arange(groups.shape[1]), _orders(outcomes.stratum, draws, np.random.default_rng(seed))])
    step = max(1, STEP // len(groups))
    parts = [_statistics(groups, outcomes, orders[start:start + step]) for start in range(0, len(orders), step)]
    return Reference(*(np.concatenate(one) for one in zip(*parts, strict=True)), draws, seed)


def _orders(stratum: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Random orders of the patients, (draws, n), within their arms."""
    orders = np.tile(np.arange(len(stratum)), (draws, 1))
    for one in dict.fromkeys(stratum):
        mine = np.flatnonzero(stratum == one)
        orders[:, mine] = random.permuted(orders[:, mine], axis=1)
    return orders


def _statistics(groups: np.ndarray, outcomes: Outcomes, orders: np.ndarray) -> list[np.ndarray]:
    """Share, reverse share, smallest p, median ratio and number of analyses of some orders."""
    shape = (len(orders), len(groups))
    drawn = groups[:, orders].swapaxes(0, 1).reshape(-1, groups.shape[1])
    known = np.isfinite(drawn)
    found, new = [], []
    for place in range(len(outcomes.names)):
        found.append(tests(drawn, outcomes.time[place], outcomes.event[place], outcomes.stratum))
        new.append((first_alike(known, outcomes, place) == place).reshape(shape))
    count = len(TESTS) * sum(one.sum(axis=1) for one in new)
    ahead, behind, smallest = (np.zeros(len(orders)), np.zeros(len(orders)), np.ones(len(orders)))
    for one, fresh in zip(found, new, strict=True):
        for test in TESTS:
            p, direction = one.p[test].reshape(shape), one.direction[test].reshape(shape)
            hit = (p < 0.05) & fresh
            ahead += (hit & (direction > 0)).sum(axis=1)
            behind += (hit & ~(direction > 0)).sum(axis=1)
            smallest = np.minimum(smallest, np.where((direction > 0) & (p == p), p, 1.0).min(axis=1))
    return [ahead / count, behind / count, smallest, _middle(found, new, shape), count]


def _middle(found: list[Found], new: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Median hazard ratio over the distinct data sets of each order; NaN where none has one."""
    logs = np.hstack([np.where(fresh, one.direction["firth"].reshape(shape), np.nan)
                      for one, fresh in zip(found, new, strict=True)])
    values = np.full(len(logs), math.nan)
    some = np.isfinite(logs).any(axis=1)
    values[some] = np.exp(np.nanmedian(logs[some], axis=1))
    return values


def chance_p(values: np.ndarray, large: bool = True) -> float:
    """Permutation p of the first value: the share of all that are at least as extreme, itself included.

    Parameters
    ----------
    values : array (1 + draws,)
        The observed value first.
    large : bool
        Whether large values are extreme, or small ones.

    Returns
    -------
    float

    Notes
    -----
    Source: Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39.

    Examples
    --------
    >>> chance_p(np.array([0.3, 0.1, 0.3, 0.0]))
    0.5
    """
    edge = 1e-12
    extreme = values >= values[0] - edge if large else values <= values[0] + edge
    return float(extreme.mean())
