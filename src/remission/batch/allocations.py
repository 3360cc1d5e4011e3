"""Counting the allocations of patients to an arm by the sum of their scores, exactly, without listing them.

The patients are cut into halves. The sums of all subsets of each half are put in order, by number of patients; for
every sum of one half a binary search counts the partners in the other that keep the total within a bound. Patients of
equal score are taken together with a binomial weight, so ties shorten the work.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

#: Sums held for one half of the patients; above, counting is refused. Two to the 22nd take about a second.
LIMIT = 1 << 22
#: Pairs of sums that floating-point numbers leave in doubt, above which counting is refused.
DOUBTS = 1 << 24
#: Half-width of the doubt, relative to the sum of all scores: far above rounding, far below any count of pairs.
DOUBT = 1e-11


class Sums(NamedTuple):
    """Sums of the subsets of one half with a given number of patients, in order."""

    order: np.ndarray  #: whole numbers if they fit 63 bits, else floats that are near
    exact: np.ndarray  #: whole numbers modulo 2**64
    ways: np.ndarray | None  #: how many subsets have each sum; None: one each
    upto: np.ndarray | None  #: how many have one of the first so many sums


class Allocations(NamedTuple):
    """Both halves of a cohort, ready for counting."""

    left: list[Sums]
    right: list[Sums]
    size: int
    doubt: float  #: 0 if the order is exact

    def at_most(self, bound: int) -> int:
        """Number of allocations whose sum is at most a whole number.

        Examples
        --------
        >>> allocations([1, 2, 3, 4], 2).at_most(5)
        4
        """
        found = 0
        for taken, mine in enumerate(self.left):
            if 0 <= self.size - taken < len(self.right):
                found += _pairs(mine, self.right[self.size - taken], bound, self.doubt)
        return found


def allocations(values: list[int], size: int) -> Allocations:
    """Prepare the counting of all choices of some patients.

    Parameters
    ----------
    values : list of int
        Score of every patient; Python's whole numbers, of any length.
    size : int
        Number of patients chosen.

    Returns
    -------
    Allocations

    Raises
    ------
    ValueError
        Too many different sums, or too long numbers.

    Source
    ------
    Meet in the middle: Horowitz and Sahni, J ACM 1974;21:277.

    Examples
    --------
    >>> allocations([1, 1, 1, 5], 3).at_most(3)
    1
    """
    spread = sum(map(abs, values))
    wide = spread >= 2**62
    left, right = _halves(values)
    if math.comb(len(values), size) >= 2**62 or spread * Fraction(DOUBT) >= 2**60:
        raise ValueError("the whole numbers needed are too long for exact counting: use Monte Carlo")
    return Allocations(_subsets(left, size, wide), _subsets(right, size, wide), size, DOUBT * spread if wide else 0.0)


def _halves(values: list[int]) -> list[list[tuple[int, int]]]:
    """Different scores with their multiplicities, in two halves of about as many subsets."""
    groups = {one: values.count(one) for one in set(values)}
    halves, sizes = [[], []], [1, 1]
    for one in sorted(groups, key=lambda one: (-groups[one], one)):
        smaller = int(sizes[1] < sizes[0])
        halves[smaller].append((one, groups[one]))
        sizes[smaller] *= groups[one] + 1
    if max(sizes) > LIMIT:
        raise ValueError(f"{max(sizes):.3g} sums in one half of the patients, above the bound of {LIMIT:,} for exact "
                         "counting: use Monte Carlo")
    return halves


def _subsets(half: list[tuple[int, int]], size: int, wide: bool) -> list[Sums]:
    """Sums of a half's subsets by number of patients."""
    near, exact, ways = np.zeros(1), np.zeros(1, np.int64), np.ones(1, np.int64)
    sizes = np.zeros(1, np.int16)
    weighted = any(many > 1 for _, many in half)
    for value, many in half:
        taken = np.arange(many + 1)[:, None]
        sizes = (sizes + taken.astype(np.int16)).ravel()
        exact = (exact + taken * _modulo(value)).ravel()  # wraps around: only differences of near sums are read
        if wide:
            near = (near + taken * float(value)).ravel()
        if weighted:
            ways = (ways * np.array([[math.comb(many, one)] for one in range(many + 1)])).ravel()
    found = []
    for wanted in range(min(size, sum(many for _, many in half)) + 1):
        mine = np.flatnonzero(sizes == wanted)
        if not wide and not weighted:
            ordered = np.sort(exact[mine])
            found.append(Sums(ordered, ordered, None, None))
            continue
        mine = mine[np.argsort((near if wide else exact)[mine])]
        many = ways[mine] if weighted else None
        upto = np.concatenate([[0], np.cumsum(many)]) if weighted else None
        found.append(Sums((near if wide else exact)[mine], exact[mine], many, upto))
    return found


def _modulo(value: int) -> np.int64:
    """A whole number modulo 2**64, as a signed one."""
    return np.int64((value + 2**63) % 2**64 - 2**63)


def _pairs(one: Sums, two: Sums, bound: int, doubt: float) -> int:
    """Number of pairs of subsets, one of each half, whose sum is at most the bound."""
    if len(one.order) > len(two.order):
        one, two = two, one
    until = np.searchsorted(two.order, bound - one.order - doubt, side="right")
    total = until if two.upto is None else two.upto[until]
    found = int(total.sum() if one.ways is None else np.dot(total, one.ways))
    if not doubt:
        return found
    # Between bound - doubt and bound + doubt the whole numbers decide, modulo 2**64, which the difference fits.
    open_ = np.searchsorted(two.order, bound - one.order + doubt, side="right") - until
    if open_.sum() > DOUBTS:
        raise ValueError("too many nearly equal sums for exact counting: use Monte Carlo")
    mine = np.repeat(np.arange(len(until)), open_)
    theirs = np.arange(len(mine)) - np.repeat(np.cumsum(open_) - open_, open_) + until[mine]
    within = one.exact[mine] + two.exact[theirs] - _modulo(bound) <= 0
    weight = np.ones(len(mine), np.int64) if one.ways is None else one.ways[mine]
    return found + int((weight * (1 if two.ways is None else two.ways[theirs]) * within).sum())
