"""All orders of events that a report allows, as paths through a graph of risk sets.

A log-rank test depends on nothing but the order in which patients leave. Between two days on which somebody leaves,
the cohort is in one state: how many relapses and exits the reference arm has had, how many relapses and deaths in
remission the other. An order is a path from the full cohort to the last exit of the reference arm, after which neither
test changes. Both tests' scores and variances are sums over the steps of the path.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np

from remission.identification.printed import Printed

#: Who may leave after equally many days: nobody; one death with one relapse; relapses, but no death with them; anybody.
EQUAL_DAYS = ("none", "pair", "relapses", "any")


class Rules(NamedTuple):
    """Which orders count.

    `deaths`: how many deaths in remission come no later than the reference arm's last exit. `early`: how many no later
    than its first. None leaves either open. `equal_days`: one of `EQUAL_DAYS`.
    `longest_is_death`: the longest ended remission ended in death, not in relapse.
    """

    deaths: int | None = None
    early: int | None = None
    equal_days: str = "none"
    longest_is_death: bool = False


class Step(NamedTuple):
    """Who leaves on one day: relapses and exits of the reference arm, relapses and deaths of the other."""

    relapses: int
    exits: int
    other_relapses: int
    deaths: int


@dataclass(frozen=True)
class Lattice:
    """States in topological order; steps sorted by the state they start from.

    `terms` holds what a step adds: expected minus observed relapses of the other arm and their variance, then the same
    of relapse-or-death. `starts`: first step of every state. `levels`: stretches of steps from states with equally many
    gone, and where in them each state begins.
    """

    states: np.ndarray
    source: np.ndarray
    target: np.ndarray
    steps: np.ndarray
    terms: np.ndarray
    ends: np.ndarray
    levels: tuple[tuple[int, int, np.ndarray], ...]
    starts: np.ndarray

    def potentials(self, weights: np.ndarray) -> np.ndarray:
        """Most that each weighting of the four sums can still gain from every state to an end.

        Parameters
        ----------
        weights : array (m, 4)

        Returns
        -------
        array (states, m)
            Minus infinity where no end can be reached.
        """
        best = np.full((len(self.states), len(weights)), -np.inf)
        best[self.ends] = 0
        gain = self.terms @ weights.T
        for lower, upper, first in reversed(self.levels):
            ahead = best[self.target[lower:upper]] + gain[lower:upper]
            best[self.source[lower:upper][first]] = np.maximum.reduceat(ahead, first, axis=0)
        return best


def build(printed: Printed, rules: Rules) -> Lattice:
    """Build the graph of all orders that a report allows.

    Parameters
    ----------
    printed : Printed
    rules : Rules

    Returns
    -------
    Lattice

    Notes
    -----
    The printed median is that of time to relapse, and no death comes before the shortest remission.

    The windows of a report force some events before others (a control's first relapse before the trial arm's, the
    control median before the other). Every order that fits the windows is a path; a path need not fit, so what no path
    reaches is impossible, and what one reaches is shown by dates in `cohorts.schedule`.

    Examples
    --------
    >>> from remission import ledger
    >>> from remission.identification import printed
    >>> from remission.study import read as read_study
    >>> study = read_study("ash2012_reconstructed")
    >>> made = build(printed.read(ledger.read_claims(study), study), Rules(deaths=1))
    >>> len(made.states), len(made.steps)
    (249, 581)
    """
    limits = _limits(printed, rules)
    full = (0, 0, 0, 0, len(limits.shapes) - 1)
    numbers, queue, rows = {full: 0}, [full], []
    palette = _palette(limits, rules.equal_days)
    for state in queue:  # grows while it is read
        if state[:2] == (limits.relapses, limits.exits):
            continue
        for step in _steps(state, palette, limits, rules):
            shape = _next_shape(state, step, limits)
            if shape < 0:
                continue
            after = (state[0] + step[0], state[1] + step[1], state[2] + step[2], state[3] + step[3], shape)
            if after not in numbers:
                numbers[after] = len(queue)
                queue.append(after)
            rows.append((numbers[state], numbers[after], *step))
    return _arrays(np.array(queue), np.array(rows), limits, rules)


class _Limits(NamedTuple):
    patients: int
    controls: int
    relapses: int
    exits: int
    other_relapses: int
    deaths: int
    shapes: list
    needed: int
    first_alone: bool


def _limits(printed: Printed, rules: Rules) -> _Limits:
    other, reference = printed.other, printed.reference
    last = other.longest_ended and other.longest.lower > printed.last_exit.upper
    most_relapses = other.relapses - (last and not rules.longest_is_death)
    most_deaths = other.deaths - (last and rules.longest_is_death)
    if (rules.deaths or 0) > most_deaths:
        raise ValueError(f"{rules.deaths} deaths before the last exit are more than the report leaves")
    deaths = most_deaths if rules.deaths is None else rules.deaths
    # The control median's second half is over before the other arm's median can fall.
    passes = 2 * reference.median.upper - 2 * reference.shortest.lower
    sure = passes < other.median.lower
    return _Limits(other.patients, reference.patients, reference.relapses, len(reference.ongoing), most_relapses,
                   deaths, curve_shapes(other.patients, other.relapses, deaths),
                   reference.patients // 2 + 1 if sure else 0, reference.shortest.upper < other.shortest.lower)


def curve_shapes(patients: int, relapses: int, deaths: int) -> list[tuple[int, int]]:
    """Everything that matters of a Kaplan-Meier curve until it falls below one half.

    Parameters
    ----------
    patients, relapses, deaths : int
        Of the arm; deaths are censored, and nobody else is before the median.

    Returns
    -------
    list of (int, int)
        For each shape, the shape after a relapse and after a death; -1 where there is none left. Shape 0 is a curve
        below one half, and the last shape that of the full arm. Curves that fall below one half at the same relapse
        whatever comes next share a shape, so there are few.

    Examples
    --------
    >>> curve_shapes(3, 3, 0)
    [(0, 0), (0, -1), (1, -1)]
    """
    numbers = {(0, 0): 0}

    @cache
    def shape(relapsed: int, died: int, survival: Fraction) -> int:
        if survival < Fraction(1, 2):
            return 0
        at_risk = patients - relapsed - died
        after_relapse = after_death = -1
        if at_risk and relapsed < relapses:
            after_relapse = shape(relapsed + 1, died, survival * Fraction(at_risk - 1, at_risk))
        if at_risk and died < deaths:
            after_death = shape(relapsed, died + 1, survival)
        return numbers.setdefault((after_relapse, after_death), len(numbers))

    shape(0, 0, Fraction(1))
    return list(numbers)


def _palette(limits: _Limits, equal_days: str) -> list[Step]:
    """Everything that may happen on one day."""
    most = (limits.relapses, 1, limits.other_relapses, limits.deaths)
    steps = itertools.starmap(Step, itertools.product(*(range(count + 1) for count in most)))
    return [step for step in steps if any(step) and _day_allowed(step, equal_days)]


def _day_allowed(step: Step, equal_days: str) -> bool:
    alone, pair = sum(step) == 1, sum(step) == 2 and step.deaths == 1 and not step.exits
    return {"none": alone, "pair": alone or pair, "relapses": step.deaths in (0, sum(step)), "any": True}[equal_days]


def _steps(state, palette: list[Step], limits: _Limits, rules: Rules):
    """What may happen on the next day after a state."""
    relapses, exits, other_relapses, deaths, shape = state
    for step in palette:
        if (step[0] > limits.relapses - relapses or step[1] > limits.exits - exits
                or step[2] > limits.other_relapses - other_relapses or step[3] > limits.deaths - deaths):
            continue
        if limits.first_alone and not relapses and (step[1] or step[2] or step[3]):
            continue
        if step[1] and shape:
            continue
        if rules.early is not None and not exits:
            total = deaths + step[3]
            if total > rules.early or (step[1] and total != rules.early):
                continue
        yield step


def _next_shape(state, step: Step, limits: _Limits) -> int:
    """Shape of the other arm's curve after a step, or -1 where the step cannot be; deaths leave after relapses."""
    shape = state[4]
    if not shape:
        return 0
    for after, count in ((0, step[2]), (1, step[3])):
        for _ in range(count):
            if shape > 0:
                shape = limits.shapes[shape][after]
    return -1 if not shape and state[0] < limits.needed else shape


def _arrays(states: np.ndarray, rows: np.ndarray, limits: _Limits, rules: Rules) -> Lattice:
    level = states[:, :4].sum(axis=1)
    rank = np.argsort(level, kind="stable")
    place = np.empty_like(rank)
    place[rank] = np.arange(len(rank))
    states, level = states[rank], level[rank]
    rows[:, :2] = place[rows[:, :2]]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    source, target, steps = rows[:, 0], rows[:, 1], rows[:, 2:]
    done = (states[:, 0] == limits.relapses) & (states[:, 1] == limits.exits)
    if rules.deaths is not None:
        done &= states[:, 3] == rules.deaths
    starts = np.searchsorted(source, np.arange(len(states) + 1))
    cuts = np.searchsorted(source, np.flatnonzero(np.diff(level, prepend=-1)))
    levels = tuple((lower, upper, np.flatnonzero(np.diff(source[lower:upper], prepend=-1)))
                   for lower, upper in itertools.pairwise([*cuts, len(source)]) if upper > lower)
    return Lattice(states, source, target, steps, _terms(states[source], steps, limits),
                   np.flatnonzero(done & (states[:, 4] == 0)), levels, starts)


def _terms(before: np.ndarray, steps: np.ndarray, limits: _Limits) -> np.ndarray:
    """What each step adds to the two scores (expected minus observed) and to their hypergeometric variances."""
    at_risk = limits.patients - before[:, 2] - before[:, 3]
    total = at_risk + limits.controls - before[:, 0] - before[:, 1]
    share = at_risk / total
    spread = share * (1 - share) / np.maximum(total - 1, 1)
    columns = []
    for mine in (steps[:, 2], steps[:, 2] + steps[:, 3]):
        events = mine + steps[:, 0]
        columns += [events * share - mine, events * (total - events) * spread]
    return np.stack(columns, axis=1)
