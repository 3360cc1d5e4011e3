"""How far apart, or how close, two log-rank tests can be over all orders of events: search with a proof."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import erfc, erfcinv

from remission.identification.lattice import Lattice, Step

#: Weights between the two inequalities that an order must satisfy; each gives a valid bound, the best one counts.
BALANCE = np.array([0.5, 0.48, 0.52, 0.45, 0.55, 0.0, 1.0])
#: Widest stretch of variance over which a square root may stand as its chord.
WIDEST = 0.6
#: Two p-values this close are one, told apart by rounding alone.
EQUAL = 1e-10


class Order(NamedTuple):
    """One order of events and the two p-values that it gives."""

    p_relapse: float
    p_relapse_or_death: float
    steps: tuple[Step, ...]


class Goal(NamedTuple):
    """What is looked for: p of relapse alone in [p_lower, p_upper), p of relapse-or-death beyond `p`.

    `smallest` looks for p of relapse-or-death below `p`, otherwise above it.
    """

    p_lower: float
    p_upper: float
    p: float
    smallest: bool = True


class Search(NamedTuple):
    """Outcome of a search: the best order found, and whether no order was left out."""

    order: Order | None
    complete: bool


class Extreme(NamedTuple):
    """The outermost p of relapse-or-death found, and a p beyond which none exists."""

    order: Order | None
    bound: float


def p_value(chi2):
    """Upper tail of chi-squared on one degree of freedom.

    Examples
    --------
    >>> round(float(p_value(3.841459)), 4)
    0.05
    """
    return erfc(np.sqrt(np.asarray(chi2) / 2))


def chi_squared(p: float) -> float:
    """Chi-squared on one degree of freedom with this upper tail.

    Examples
    --------
    >>> round(chi_squared(0.05), 6)
    3.841459
    """
    return float(2 * erfcinv(p) ** 2)


def search(lattice: Lattice, goal: Goal, most: int = 1_000_000) -> Search:
    """Look for an order of events that reaches a goal.

    Parameters
    ----------
    lattice : Lattice
    goal : Goal
    most : int
        Partial orders kept in any one state; the most promising are kept when there are more.

    Returns
    -------
    Search
        The order with the outermost p of relapse-or-death among those kept, if any. When `complete`, nothing was left
        out: no order found means that none exists.

    Notes
    -----
    Only orders in which the other arm does better (expected minus observed relapses above zero) are looked at; for the
    smallest p of relapse-or-death, better by that count too.
    With x, X the score and variance that must lie far out, and y, Y those that must not, an order reaches the goal if
    x >= sqrt(a X) and y <= sqrt(b Y). The first root is at least its chord over a narrow range of X, the second at most
    any tangent; any mixture of the two inequalities is then linear in the four sums, and the most that it can still
    gain from a state is found once for all by dynamic programming. A partial order that some mixture excludes is
    dropped: every completion of it misses the goal.
    """
    level = chi_squared(goal.p)
    lowest, highest = chi_squared(goal.p_upper), chi_squared(goal.p_lower)
    far, near = (level, highest) if goal.smallest else (lowest, level)
    ends = lattice.potentials(np.array([[0.0, 1, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1], [0, 0, 0, -1]]))[0]
    lower, upper = (-ends[3], ends[2]) if goal.smallest else (-ends[1], ends[0])
    if not np.isfinite(upper):  # no order at all
        return Search(None, True)
    return _over(lattice, goal, (far, near), (max(lower, 0.01) - 1e-9, upper + 1e-9), most)


def _over(lattice: Lattice, goal: Goal, levels: tuple[float, float], part: tuple[float, float], most: int) -> Search:
    """Search one range of variance, halved until it is narrow or excluded as a whole."""
    bound = _bound(lattice, goal, levels, part)
    if bound.rest[0].min() < 0:
        return Search(None, True)
    if part[1] - part[0] <= WIDEST:
        if not most:
            return Search(None, False)
        return _follow(lattice, goal, bound, most)
    middle, best, complete = sum(part) / 2, None, True
    for half in ((part[0], middle), (middle, part[1])):
        found = _over(lattice, goal, levels, half, most)
        complete &= found.complete
        if not (most or complete):
            break
        if found.order:
            best = found.order if best is None or _further(found.order, best, goal) else best
    return Search(best, complete)


def _further(one: Order, two: Order, goal: Goal) -> bool:
    """Whether one order lies further out; where the last bits would decide, the steps do."""
    if abs(one.p_relapse_or_death - two.p_relapse_or_death) < EQUAL:
        return one.steps < two.steps
    return (one.p_relapse_or_death < two.p_relapse_or_death) == goal.smallest


class _Bound(NamedTuple):
    weights: np.ndarray
    rest: np.ndarray


def _bound(lattice: Lattice, goal: Goal, levels: tuple[float, float], part: tuple[float, float]) -> _Bound:
    """Linear inequalities that every order with the variance in `part` and the goal reached satisfies."""
    (far, near), (lower, upper) = levels, part
    slope = (math.sqrt(far * upper) - math.sqrt(far * lower)) / (upper - lower)
    chord = math.sqrt(far * lower) - slope * lower
    rows, constants = [], []
    # Deaths make the second variance the larger one, so the other variance lies below or above this one.
    for shift in np.linspace(-0.8, 0.2, 6) * (1 if goal.smallest else -1):
        root = math.sqrt(near * max((lower + upper) / 2 + shift, 0.1))
        rows.append(np.stack([BALANCE, -BALANCE * slope, BALANCE - 1, (1 - BALANCE) * near / (2 * root)], axis=1))
        constants.append(-BALANCE * chord + (1 - BALANCE) * root / 2)
    # Ordered by balance, so that the strongest exclude first.
    weights = np.stack(rows, axis=1).reshape(-1, 4)
    weights = np.concatenate([weights, [[0, 1, 0, 0], [0, -1, 0, 0]]])
    constants = np.concatenate([np.stack(constants, axis=1).ravel(), [-lower, upper]])
    if goal.smallest:
        weights = weights[:, [2, 3, 0, 1]]
    return _Bound(weights, lattice.potentials(weights) + constants + 1e-12)


def _follow(lattice: Lattice, goal: Goal, bound: _Bound, most: int) -> Search:
    """Follow all partial orders that no bound excludes, state by state."""
    waiting: dict[int, list] = {0: [(np.zeros((1, 4)), np.full((1, 2), -1))]}
    trails, best, complete = {}, None, True
    for state in range(len(lattice.states)):
        if state not in waiting:
            continue
        sums, trail = (np.concatenate(part) for part in zip(*waiting.pop(state), strict=True))
        if len(sums) > most:
            keep = np.argsort(-(sums @ bound.weights.T + bound.rest[state]).min(axis=1), kind="stable")[:most]
            sums, trail, complete = sums[keep], trail[keep], False
        trails[state] = trail
        lower, upper = lattice.starts[state:state + 2]
        if lower == upper:
            found = _best(lattice, goal, sums, state, trails)
            best = found if best is None or (found and _further(found, best, goal)) else best
            continue
        who, step = _kept(sums, lattice.terms[lower:upper], bound, lattice.target[lower:upper])
        target = lattice.target[lower + step]
        for after in np.unique(target):
            chosen = target == after
            waiting.setdefault(int(after), []).append((
                sums[who[chosen]] + lattice.terms[lower + step[chosen]],
                np.stack([lower + step[chosen], who[chosen]], axis=1)))
    return Search(best, complete)


def _kept(sums: np.ndarray, terms: np.ndarray, bound: _Bound, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of partial order and next step that no inequality excludes; a few strong ones are asked first."""
    who, step = (axis.ravel() for axis in np.indices((len(sums), len(terms))))
    for part in (slice(0, 6), slice(6, None)):
        ahead = terms @ bound.weights[part].T + bound.rest[target, part]
        kept = ((sums @ bound.weights[part].T)[who] + ahead[step] >= 0).all(axis=1)
        who, step = who[kept], step[kept]
    return who, step


def _best(lattice: Lattice, goal: Goal, sums: np.ndarray, state: int, trails: dict) -> Order | None:
    """The order that reaches the goal with the outermost p, among those that have come to an end."""
    score, variance, score_all, variance_all = sums.T
    alone, both = p_value(score**2 / variance), p_value(score_all**2 / variance_all)
    good = (score > 0) & (alone >= goal.p_lower) & (alone < goal.p_upper)
    good &= (both < goal.p) & (score_all > 0) if goal.smallest else both > goal.p
    if not good.any():
        return None
    furthest = both[good].min() if goal.smallest else both[good].max()
    rows = np.flatnonzero(good & (np.abs(both - furthest) < EQUAL))
    return min((Order(float(alone[row]), float(both[row]), _steps(lattice, trails, state, row)) for row in rows),
               key=lambda order: order.steps)


def _steps(lattice: Lattice, trails: dict, state: int, row: int) -> tuple[Step, ...]:
    """Walk an order back to the full cohort."""
    steps = []
    while state != 0:
        edge, row = trails[state][row]
        steps.append(Step(*map(int, lattice.steps[edge])))
        state = int(lattice.source[edge])
    return tuple(reversed(steps))


def extreme(lattice: Lattice, p_lower: float, p_upper: float, smallest: bool, few: int = 100,
            most: int = 30_000, tolerance: float = 5e-4) -> Extreme:
    """Find the smallest or largest p of relapse-or-death while p of relapse alone stays in its window.

    Parameters
    ----------
    lattice : Lattice
    p_lower, p_upper : float
        Window of the p of relapse alone.
    smallest : bool
        Whether the smallest is asked for.
    few, most : int
        Partial orders kept in a state, first to find a good order, then to find the best.
    tolerance : float
        Distance of order and bound, in p, at which the search may stop.

    Returns
    -------
    Extreme
        An order, and a p that no order passes.
    """
    goal = Goal(p_lower, p_upper, 0, smallest)

    def ask(p: float, kept: int) -> Search:
        return search(lattice, goal._replace(p=p), kept)

    proved, possible = (0.0, 1.0) if smallest else (1.0, 0.0)
    while abs(possible - proved) > tolerance:
        middle = (proved + possible) / 2
        if ask(middle, 0).complete:
            proved = middle
        else:
            possible = middle
    order, reach = None, tolerance
    while order is None and 0 < (aim := possible + reach if smallest else possible - reach) < 1:
        order, complete = ask(aim, few)
        proved, reach = (aim if complete and order is None else proved), 2 * reach
    if order is None:
        return Extreme(None, proved)
    # Asked a hair further in, the search finds the same end again, and among equal orders always the same one.
    inside, improved = 10 * EQUAL if smallest else -10 * EQUAL, True
    while improved:
        better = ask(order.p_relapse_or_death + inside, most)
        improved = better.order is not None and _further(better.order, order, goal) and not better.complete
        order = better.order or order
    if better.complete:  # nothing was left out, so nothing lies further out
        return Extreme(order, order.p_relapse_or_death)
    while abs(order.p_relapse_or_death - proved) > tolerance:
        aim = (order.p_relapse_or_death + proved) / 2
        better = ask(aim, most)
        if better.order is None and not better.complete:
            break
        order, proved = (better.order, proved) if better.order else (order, aim)
    return Extreme(order, proved)
