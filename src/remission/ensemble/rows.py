"""Rows of the kinds of claims: ranges, ranks, medians, heights of a curve at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

from remission.ensemble.abstract import Claim
from remission.ensemble.cuts import whole_numbers
from remission.ensemble.programme import Expression, Programme, add, total

#: Curves in the programme are logarithms times this: the solver forgives 1e-6 in a row, hence 1e-8 of a curve.
SCALE = 100.0


class Curve(NamedTuple):
    """A Kaplan-Meier curve over the places of its arm.

    `heights`: its logarithm after each place, and `deep` what that is at least; `ended`: whether nobody is left after
    it; `zero`: whether the last to leave had the event; `members`: whether who left at a place belongs to the curve.
    """

    heights: list[Expression]
    deep: list[float]
    ended: list[Expression]
    zero: Expression
    members: list[Expression]


def extreme(programme: Programme, places: list, window: tuple[int, int], limit: int, shortest: bool) -> None:
    """Nobody eligible lies beyond the window on one side, and somebody lies inside.

    Parameters
    ----------
    programme : Programme
        Takes the rows.
    places : list of (time, eligible)
        Eligible is 1 or 0.
    window : (int, int)
        First and last whole number that agree.
    limit : int
        No time is longer.
    shortest : bool
        Else the longest.
    """
    low, high = window
    chosen = []
    for time, eligible in places:
        pick = programme.variable()
        programme.row(add(eligible, pick, -1), 0)
        chosen.append(pick)
        at_least, at_most = (eligible, pick) if shortest else (pick, eligible)
        programme.row(add(time, at_least, -low), 0)
        programme.row(add(time, at_most, limit - high), high=limit)
    programme.row(total(chosen), 1)
    if low > high:
        programme.row({}, 1)


def ranked(programme: Programme, places: list, rank: int, window: tuple[int, int], limit: int) -> None:
    """At least `rank` eligible times lie at or below the window's end, and fewer below its start.

    Parameters
    ----------
    programme : Programme
        Takes the rows.
    places : list of (time, eligible)
    rank : int
        1 for the shortest.
    window : (int, int)
    limit : int
    """
    low, high = window
    reached, earlier = [], []
    for time, eligible in places:
        below, before = programme.variable(), programme.variable()
        programme.row(add(eligible, below, -1), 0)
        programme.row(add(time, below, limit - high), high=limit)
        programme.row(add(add(time, eligible, -low), before, low), 0)
        reached.append(below)
        earlier.append(before)
    programme.row(total(reached), rank)
    programme.row(total(earlier), high=rank - 1)
    if low > high:
        programme.row({}, 1)


def median(programme: Programme, claim: Claim, times: list, curve: Curve,
            cuts: tuple[float, float], limit: int) -> None:
    """Midpoint of the time when the curve reaches one half and the time when it passes it.

    Where it never passes, the last patient's time stands for it, as in R's `quantile(survfit(...))`.

    Parameters
    ----------
    programme : Programme
        Takes the rows.
    claim : Claim
    times : list of Expression
    curve : Curve
    cuts : (float, float)
        From `cuts.half`, below first.
    limit : int
    """
    below, above = (cut * SCALE for cut in cuts)
    if claim.lower == math.inf:
        programme.row(total(curve.members), 1)
        programme.row(curve.heights[-1], above)
        return
    low, high = whole_numbers(claim, limit, 2)
    if low > high:
        programme.row({}, 1)
        return
    most = high // 2, min(limit, high)  # the first is no later than the midpoint, the second no earlier
    start, stop = programme.variable(most[0]), programme.variable(most[1], (low + 1) // 2)
    reached: Expression = {}
    passed: Expression = {}
    for time, height, deep, ended in zip(times, curve.heights, curve.deep, curve.ended, strict=True):
        here, past = programme.variable(), programme.variable()
        programme.row(add(height, here, max(0.0, above - deep)), above)
        programme.row(add(height, here, -above), high=0)
        programme.row(add(height, past, max(0.0, below - deep)), below)
        programme.row(add(add(height, past, -below), ended, below), high=0)
        programme.row(add(past, ended, -1), 0)
        for moment, flag, before, latest in ((start, here, reached, most[0]), (stop, past, passed, most[1])):
            gap = add(moment, time, -1)
            programme.row(add(gap, flag, latest), high=latest)
            programme.row(add(gap, before, limit), 0)
            programme.row(add(flag, before, -1), 0)
        reached, passed = here, past
    programme.row(reached, 1)
    programme.row(add(start, stop), low, high)


def survival(programme: Programme, claim: Claim, times: list, curve: Curve,
              cuts: tuple[float, float], limit: int) -> None:
    """Height of the curve at a time; where nobody is followed so long, only a curve at zero has one.

    Parameters
    ----------
    programme : Programme
        Takes the rows.
    claim : Claim
    times : list of Expression
    curve : Curve
    cuts : (float, float)
        From `cuts.heights`.
    limit : int
    """
    at = claim.quantity.at
    low, high = (cut * SCALE for cut in cuts)
    last, height = {-1: 1.0}, {}
    watched = [curve.zero]
    for time, after, deep, member in zip(times, curve.heights, curve.deep, curve.members, strict=True):
        gone, later = programme.variable(), programme.variable()
        programme.row(add(time, gone, limit - math.floor(at)), high=limit)
        programme.row(add(time, gone, math.floor(at) + 1), math.floor(at) + 1)
        programme.row(add(last, gone, -1), 0)
        if high < 0:
            programme.row(add(height, gone, high), high=high)
        if low > deep:
            programme.row(add(after, gone, deep - low), deep)
        programme.row(add(member, later, -1), 0)
        programme.row(add(time, later, -math.ceil(at)), 0)
        watched.append(later)
        last, height = gone, after
    programme.row(height, high=high)
    programme.row(total(watched), 1)
    if low > high:
        programme.row({}, 1)
