"""Printed claims as rows of a mixed-integer programme: no solution, no cohort.

Every arm and every clock (remission, survival, treatment) is a row of places in order of time. A place holds a time in
whole grains and what ended it. At the k-th of n places n - k patients are at risk, so the logarithm of a Kaplan-Meier
curve is a sum over places, linear in what ended them; a group of an arm is a path through (place, members left), which
makes its curve linear as well.

What one clock prints is rendered exactly, except for groups of more than `WHOLE` patients. Between clocks only
necessary conditions stand (see `_Cohort.link`): no patient's treatment outlasts remission, no remission survival, no
survival that from diagnosis. So the programme may have a solution where no cohort exists, never the reverse.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from remission.batch.curves import TOLERANCE
from remission.ensemble.abstract import COUNTS, Abstract, Claim

#: Clock of an endpoint, and what ends a time as an event; what else may end it is `LAST` of the clock.
ENDPOINTS = {"relapse": ("remission", (0,)), "relapse_or_death": ("remission", (0, 1)),
             "death_in_remission": ("remission", (1,)), "survival": ("survival", (0,)),
             "survival_from_diagnosis": ("survival_from_diagnosis", (0,)), "treatment": ("treatment", (0,))}
#: Code of what is still going on. In remission: relapse 0, death 1, ongoing 2; elsewhere event 0, ongoing 1.
LAST = {"remission": 2, "survival": 1, "survival_from_diagnosis": 1, "treatment": 1}
#: A patient's times never fall along this line, so neither do those of equal place among the arm's sorted times.
ORDER = ("treatment", "remission", "survival", "survival_from_diagnosis")
#: Up to so many patients every height of a curve is listed, and no two cohorts can be mistaken for each other.
LISTED = 22
#: Curves in the programme are logarithms times this: the solver forgives 1e-6 in a row, hence 1e-8 of a curve.
SCALE = 100.0
#: Up to so many patients of an arm its groups are made of whole patients; beyond, a patient may be divided between
#: them: that takes a tenth of the time and allows more, so that what is impossible still is.
WHOLE = 10
#: Branches before the solver gives up; it is then not known whether a cohort exists.
NODES = 50_000

#: Sum of variables times coefficients; the key -1 holds a constant.
Expression = dict[int, float]


def decidable(claim: Claim) -> bool:
    """Whether a claim can be put into rows.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> [claim.id for claim in read("ash2012_reconstructed").claims if not decidable(claim)]
    ['R07', 'S08', 'M08']
    """
    asked = claim.quantity
    if asked.kind in (*COUNTS, "ongoing_time", "shortest", "longest"):
        pooled = asked.kind == "ongoing_time" and not asked.arm
        return not pooled and (asked.kind in COUNTS or asked.endpoint in ENDPOINTS)
    open_ended = claim.holds(math.inf) and math.isfinite(claim.lower)
    return (asked.kind in ("median", "survival") and asked.arm != "" and asked.endpoint in ENDPOINTS
            and asked.endpoint != "death_in_remission" and not open_ended)


def solve(abstract: Abstract, claims: Iterable[Claim], presolve: bool = True) -> dict | None:
    """Look for times and outcomes that satisfy every row.

    Parameters
    ----------
    abstract : Abstract
    claims : iterable of Claim
        Each `decidable`.
    presolve : bool
        Off for a second proof by another way.

    Returns
    -------
    dict or None
        None is a proof that no cohort exists. Else (arm, clock) to times, codes and group numbers (0 the reference
        group, 1 the other, empty without whole groups), each in order of place; empty when the search was given up.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> abstract = read("ash2012_reconstructed")
    >>> found = solve(abstract, [claim for claim in abstract.claims if claim.id in ("F01", "F06", "R03")])
    >>> found["IFN+IM", "remission"][1].count(0)
    12
    """
    claims = list(claims)
    cohort = _Cohort(abstract, claims)
    for claim in claims:
        cohort.ask(claim)
    cohort.link()
    return cohort.solve(presolve)


class _Programme:
    """Variables and rows as they are added."""

    def __init__(self):
        self.limits: list[tuple[float, float, bool]] = []
        self.rows: list[tuple[Expression, float, float]] = []

    def variable(self, high: float = 1, low: float = 0, whole: bool = True) -> Expression:
        self.limits.append((low, high, whole))
        return {len(self.limits) - 1: 1.0}

    def row(self, expression: Expression, low: float = -math.inf, high: float = math.inf) -> None:
        """Demand low <= expression <= high."""
        constant = expression.get(-1, 0.0)
        self.rows.append(({key: value for key, value in expression.items() if key >= 0}, low - constant,
                          high - constant))

    def solve(self, presolve: bool) -> np.ndarray | None:
        """A solution; None when there is none; an empty array when the search was given up."""
        if any(not terms and (low > 0 or high < 0) for terms, low, high in self.rows):
            return None
        cells = [(number, key, value) for number, (terms, *_) in enumerate(self.rows) for key, value in terms.items()]
        place, key, value = zip(*cells, strict=True)
        low, high, whole = map(np.array, zip(*self.limits, strict=True))
        matrix = coo_array((value, (place, key)), shape=(len(self.rows), len(low))).tocsr()
        found = milp(np.zeros(len(low)), integrality=whole.astype(int), bounds=Bounds(low, high),
                     constraints=LinearConstraint(matrix, [row[1] for row in self.rows], [row[2] for row in self.rows]),
                     options={"presolve": presolve, "node_limit": NODES})
        if found.status == 2:
            return None
        return np.array([]) if found.x is None else found.x


class _Curve(NamedTuple):
    """A Kaplan-Meier curve over the places of its arm.

    `heights`: its logarithm after each place, and `deep` what that is at least; `ended`: whether nobody is left after
    it; `zero`: whether the last to leave had the event; `members`: whether who left at a place belongs to the curve.
    """

    heights: list[Expression]
    deep: list[float]
    ended: list[Expression]
    zero: Expression
    members: list[Expression]


class _Cohort:
    """Places of every arm and clock that a claim speaks of."""

    def __init__(self, abstract: Abstract, claims: list[Claim]):
        self.abstract, self.programme = abstract, _Programme()
        self.size = {arm.key: arm.patients for arm in abstract.arms}
        self.times: dict[tuple[str, str], list[Expression]] = {}
        self.codes: dict[tuple[str, str], list[list[Expression]]] = {}
        self.paths: dict[tuple[str, str], list[dict[tuple[int, int, tuple[int, ...]], Expression]]] = {}
        # From diagnosis nobody's time is limited by the horizon: beyond every number that is printed, time is all one.
        said = [bound for claim in abstract.claims for bound in (claim.lower, claim.upper, claim.quantity.at)
                if math.isfinite(bound)]
        self.limit = abstract.horizon + 2 * math.ceil(max([0, *said])) + 2

        # A path tells apart what some claim about a group tells apart, and no more: it is the costly part.
        asked = [_concerns(claim) for claim in claims if claim.quantity.group]
        self.classes = {clock: _classes(range(last + 1), [codes for mine, codes in asked if mine == clock])
                        for clock, last in LAST.items()}

    def clock(self, arm: str, clock: str) -> None:
        """Places of an arm on a clock, once: times in order, one code each, and events before the rest on equal days.

        On equal days a relapse comes before a death and both before what goes on, so that one order serves every
        endpoint of the clock.
        """
        if (arm, clock) in self.times:
            return
        programme, count = self.programme, self.size[arm]
        limit = self.limit if clock == "survival_from_diagnosis" else self.abstract.horizon
        times = [programme.variable(limit) for _ in range(count)]
        codes = [[programme.variable() for _ in range(LAST[clock] + 1)] for _ in range(count)]
        for one in codes:
            programme.row(_sum(one), 1, 1)
        for k in range(count - 1):
            step = _add(times[k + 1], times[k], -1)
            programme.row(step, 0)
            for code in range(LAST[clock]):
                later, earlier = _sum(codes[k][code + 1:]), codes[k + 1][code]
                programme.row(_add(_add(step, later, -1), earlier, -1), -1)
        self.times[arm, clock], self.codes[arm, clock] = times, codes

    def path(self, arm: str, clock: str) -> list[dict[tuple[int, int, tuple[int, ...]], Expression]]:
        """Who belongs to which group: for each place, (members of the reference group left, group, code) to a step."""
        self.clock(arm, clock)
        if (arm, clock) in self.paths:
            return self.paths[arm, clock]
        programme, count, kinds = self.programme, self.size[arm], self.classes[clock]
        whole = count <= WHOLE
        steps = [{(left, group, code): programme.variable(whole=whole)
                  for left in range(count - k + 1) for group in (0, 1) for code in kinds
                  if (count - k - left if group else left) > 0} for k in range(count)]
        for k, mine in enumerate(steps):
            for code in kinds:
                chosen = _sum(step for (_, _, kind), step in mine.items() if kind == code)
                programme.row(_add(chosen, _sum(self.codes[arm, clock][k][one] for one in code), -1), 0, 0)
            if k:
                for left in range(count - k + 1):
                    arriving = _sum(step for (was, group, _), step in steps[k - 1].items()
                                    if was - (group == 0) == left)
                    leaving = _sum(step for (is_, _, _), step in mine.items() if is_ == left)
                    programme.row(_add(arriving, leaving, -1), 0, 0)
        self.paths[arm, clock] = steps
        return steps

    def link(self) -> None:
        """What holds between clocks of one arm: sorted times stand in order, deaths are deaths on every clock."""
        programme = self.programme
        for arm in self.size:
            mine = [clock for clock in ORDER if (arm, clock) in self.times]
            for first, second in itertools.pairwise(mine):
                for one, other in zip(self.times[arm, first], self.times[arm, second], strict=True):
                    programme.row(_add(other, one, -1), 0)
            dead = [_sum(one[1 if clock == "remission" else 0] for one in self.codes[arm, clock])
                    for clock in mine if clock != "treatment"]
            for number, (fewer, more) in enumerate(itertools.pairwise(dead)):
                same = number or "remission" not in mine
                programme.row(_add(more, fewer, -1), 0, 0 if same else math.inf)
            sizes = [self.paths[key] for key in self.paths if key[0] == arm]
            for one, other in itertools.pairwise(sizes):  # groups are as large on every clock
                for left in range(self.size[arm] + 1):
                    programme.row(_add(_starts(one, left), _starts(other, left), -1), 0, 0)

    def members(self, arm: str, group: str, clock: str, codes: Iterable[int]) -> list[Expression]:
        """For each place, 1 if a patient of the arm, or of a group of it, left there with one of the codes."""
        codes = tuple(codes)
        if not group:
            self.clock(arm, clock)
            return [_sum(one[code] for code in codes) for one in self.codes[arm, clock]]
        number = self.abstract.groups.index(group)
        return [_sum(step for (_, mine, code), step in one.items() if mine == number and code[0] in codes)
                for one in self.path(arm, clock)]

    def curve(self, arm: str, group: str, clock: str, codes: tuple[int, ...], lowest: float) -> _Curve:
        """Kaplan-Meier curve of an arm or of a group of it; a curve at zero only has to stand below `lowest`."""
        count, members = self.size[arm], self.members(arm, group, clock, range(LAST[clock] + 1))
        number = self.abstract.groups.index(group) if group else 0
        height, found, ended, zero, deep = {}, [], [], {}, []
        for k in range(count):
            if group:
                left = {step: count - k - step[0] if number else step[0] for step in self.path(arm, clock)[k]}
                steps = self.path(arm, clock)[k]
                falls = [(one, left[step]) for step, one in steps.items() if step[1] == number and step[2][0] in codes]
                ended.append(_sum(one for step, one in steps.items() if left[step] == (step[1] == number)))
            else:
                falls = [(self.codes[arm, clock][k][code], count - k) for code in codes]
                ended.append({-1: float(k == count - 1)})
            for one, at_risk in falls:
                height = _add(height, one, SCALE * (math.log1p(-1 / at_risk) if at_risk > 1 else lowest - 1))
            zero = _sum([zero, *(one for one, at_risk in falls if at_risk == 1)])
            last = group or k == count - 1
            deep.append(SCALE * (math.log(max(1, count - k - 1) / count) + (lowest - 1 if last else 0)))
            fallen, height = height, self.programme.variable(0, deep[-1], whole=False)
            self.programme.row(_add(fallen, height, -1), 0, 0)
            found.append(height)
        return _Curve(found, deep, ended, zero, members)

    def ask(self, claim: Claim) -> None:
        """Add the rows of one claim."""
        asked = claim.quantity
        arms = [asked.arm] if asked.arm else list(self.size)
        clock, codes = _concerns(claim)
        if asked.kind in COUNTS:
            chosen = [one for arm in arms for one in self.members(arm, asked.group, clock, codes)]
            low, high = _whole(claim, sum(self.size.values()))
            self.programme.row(_sum(chosen), low, high)
            return
        limit = self.limit if clock == "survival_from_diagnosis" else self.abstract.horizon
        if asked.kind in ("shortest", "longest"):
            places = [(time, one) for arm in arms for one, time in zip(
                self.members(arm, asked.group, clock, codes), self.times[arm, clock], strict=True)]
            _extreme(self.programme, places, _whole(claim, limit), limit, asked.kind == "shortest")
        elif asked.kind == "ongoing_time":
            mine = self.members(asked.arm, asked.group, clock, codes)
            places = list(zip(self.times[asked.arm, clock], mine, strict=True))
            _ranked(self.programme, places, asked.rank, _whole(claim, limit), limit)
        else:
            median, count = asked.kind == "median", self.size[asked.arm]
            cuts = half(count)[::-1] if median else heights(count, claim)
            lowest = min((cut for cut in cuts if math.isfinite(cut)), default=0.0)
            curve = self.curve(asked.arm, asked.group, clock, codes, lowest)
            (_median if median else _survival)(self.programme, claim, self.times[asked.arm, clock], curve, cuts, limit)

    def solve(self, presolve: bool) -> dict | None:
        """Places of a solution."""
        if not self.programme.rows:
            return {}
        found = self.programme.solve(presolve)
        if found is None or not len(found):
            return None if found is None else {}
        value = {key: round(number) for key, number in enumerate(found)}
        made = {}
        for key, times in self.times.items():
            codes = [next(code for code, one in enumerate(place) if value[_key(one)]) for place in self.codes[key]]
            groups = [next(group for (_, group, _), one in place.items() if value[_key(one)])
                      for place in self.paths.get(key, [])] if len(times) <= WHOLE else []
            made[key] = [value[_key(one)] for one in times], codes, groups
        return made


def _concerns(claim: Claim) -> tuple[str, tuple[int, ...]]:
    """Clock that a claim is about, and the codes of the patients whom it counts."""
    asked = claim.quantity
    if asked.kind in COUNTS:
        return "remission", (COUNTS.index(asked.kind),)
    if asked.kind == "ongoing_time":
        return "remission", (LAST["remission"],)
    clock, codes = ENDPOINTS[asked.endpoint]
    everybody = asked.kind in ("shortest", "longest") and asked.among == "all"
    return clock, tuple(range(LAST[clock] + 1)) if everybody else codes


def _classes(codes: Iterable[int], asked: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Codes in classes that none of the sets asked for divides.

    >>> _classes(range(3), [(0,)])
    [(0,), (1, 2)]
    """
    found: dict[tuple[bool, ...], tuple[int, ...]] = {}
    for code in codes:
        mark = tuple(code in one for one in asked)
        found[mark] = (*found.get(mark, ()), code)
    return list(found.values())


def _extreme(programme: _Programme, places: list, window: tuple[int, int], limit: int, shortest: bool) -> None:
    """Nobody eligible lies beyond the window on one side, and somebody lies inside."""
    low, high = window
    chosen = []
    for time, eligible in places:
        pick = programme.variable()
        programme.row(_add(eligible, pick, -1), 0)
        chosen.append(pick)
        at_least, at_most = (eligible, pick) if shortest else (pick, eligible)
        programme.row(_add(time, at_least, -low), 0)
        programme.row(_add(time, at_most, limit - high), high=limit)
    programme.row(_sum(chosen), 1)
    if low > high:
        programme.row({}, 1)


def _ranked(programme: _Programme, places: list, rank: int, window: tuple[int, int], limit: int) -> None:
    """At least `rank` eligible times lie at or below the window's end, and fewer below its start."""
    low, high = window
    reached, earlier = [], []
    for time, eligible in places:
        below, before = programme.variable(), programme.variable()
        programme.row(_add(eligible, below, -1), 0)
        programme.row(_add(time, below, limit - high), high=limit)
        programme.row(_add(_add(time, eligible, -low), before, low), 0)
        reached.append(below)
        earlier.append(before)
    programme.row(_sum(reached), rank)
    programme.row(_sum(earlier), high=rank - 1)
    if low > high:
        programme.row({}, 1)


def _median(programme: _Programme, claim: Claim, times: list, curve: _Curve,
            cuts: tuple[float, float], limit: int) -> None:
    """Midpoint of the time when the curve reaches one half and the time when it passes it.

    Where it never passes, the last patient's time stands for it, as in R's `quantile(survfit(...))`.
    """
    below, above = (cut * SCALE for cut in cuts)
    if claim.lower == math.inf:
        programme.row(_sum(curve.members), 1)
        programme.row(curve.heights[-1], above)
        return
    low, high = _whole(claim, limit, 2)
    if low > high:
        programme.row({}, 1)
        return
    most = high // 2, min(limit, high)  # the first is no later than the midpoint, the second no earlier
    start, stop = programme.variable(most[0]), programme.variable(most[1], (low + 1) // 2)
    reached: Expression = {}
    passed: Expression = {}
    for time, height, deep, ended in zip(times, curve.heights, curve.deep, curve.ended, strict=True):
        here, past = programme.variable(), programme.variable()
        programme.row(_add(height, here, max(0.0, above - deep)), above)
        programme.row(_add(height, here, -above), high=0)
        programme.row(_add(height, past, max(0.0, below - deep)), below)
        programme.row(_add(_add(height, past, -below), ended, below), high=0)
        programme.row(_add(past, ended, -1), 0)
        for moment, flag, before, latest in ((start, here, reached, most[0]), (stop, past, passed, most[1])):
            gap = _add(moment, time, -1)
            programme.row(_add(gap, flag, latest), high=latest)
            programme.row(_add(gap, before, limit), 0)
            programme.row(_add(flag, before, -1), 0)
        reached, passed = here, past
    programme.row(reached, 1)
    programme.row(_add(start, stop), low, high)


def _survival(programme: _Programme, claim: Claim, times: list, curve: _Curve,
              cuts: tuple[float, float], limit: int) -> None:
    """Height of the curve at a time; where nobody is followed so long, only a curve at zero has one."""
    at = claim.quantity.at
    low, high = (cut * SCALE for cut in cuts)
    last, height = {-1: 1.0}, {}
    watched = [curve.zero]
    for time, after, deep, member in zip(times, curve.heights, curve.deep, curve.members, strict=True):
        gone, later = programme.variable(), programme.variable()
        programme.row(_add(time, gone, limit - math.floor(at)), high=limit)
        programme.row(_add(time, gone, math.floor(at) + 1), math.floor(at) + 1)
        programme.row(_add(last, gone, -1), 0)
        if high < 0:
            programme.row(_add(height, gone, high), high=high)
        if low > deep:
            programme.row(_add(after, gone, deep - low), deep)
        programme.row(_add(member, later, -1), 0)
        programme.row(_add(time, later, -math.ceil(at)), 0)
        watched.append(later)
        last, height = gone, after
    programme.row(height, high=high)
    programme.row(_sum(watched), 1)
    if low > high:
        programme.row({}, 1)


@lru_cache(maxsize=4)
def _listed(patients: int) -> np.ndarray:
    """Every height that a curve of so many patients can have, in order."""
    found = np.ones(1)
    for at_risk in range(1, patients + 1):
        found = np.unique(np.concatenate([found, found * ((at_risk - 1) / at_risk)]))
    return found


def half(patients: int) -> tuple[float, float]:
    """Logarithms that part curves above one half from those on it, and those on it from those below.

    Parameters
    ----------
    patients : int

    Returns
    -------
    above, below
        Up to `LISTED` patients midway to the nearest height that is not one half, which is at least 5.6e-6 away; else
        as far away as `batch.quantile` takes for one half.

    Examples
    --------
    >>> half(2) == (math.log(0.75), math.log(0.25))
    True
    """
    if patients > LISTED:
        return math.log(0.5 + TOLERANCE), math.log(0.5 - TOLERANCE)
    found = _listed(patients)
    return (math.log((found[found > 0.5 + TOLERANCE].min() + 0.5) / 2),
            math.log((found[found < 0.5 - TOLERANCE].max() + 0.5) / 2))


def heights(patients: int, claim: Claim) -> tuple[float, float]:
    """Logarithms between which a curve's height agrees with a claim.

    Parameters
    ----------
    patients : int
    claim : Claim

    Returns
    -------
    low, high
        Up to `LISTED` patients midway to the nearest height that does not agree; low above high when none does.

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> low, high = heights(2, Claim("a", Quantity("survival", "relapse", "A", at=1), 0.45, 0.55, False, "0.5"))
    >>> round(math.exp(low), 6), round(math.exp(high), 6)
    (0.25, 0.75)
    """
    if patients > LISTED:
        low, high = claim.lower - 1e-8, min(claim.upper + 1e-8, 1.0)
        if low > 1 or high < 0:
            return 1.0, 0.0
        return (math.log(low) if low > 0 else -math.inf), (math.log(high) if high > 0 else -20.0)
    found = _listed(patients)
    agree = found[claim.holds(found)]
    if not len(agree):
        return 1.0, 0.0
    lower, higher = found[found < agree[0]], found[found > agree[-1]]
    return (math.log((lower[-1] + agree[0]) / 2) if len(lower) else -math.inf,
            math.log((higher[0] + agree[-1]) / 2) if len(higher) else 0.0)


def _whole(claim: Claim, limit: int, parts: int = 1) -> tuple[int, int]:
    """First and last whole number of which a part agrees with a claim; the first is larger where none does."""
    if claim.lower == math.inf:
        return 1, 0
    low, most = max(0, math.floor(claim.lower * parts) - 1), limit * parts
    low = next((one for one in range(low, low + 4) if claim.holds(one / parts)), most + 1)
    high = most if claim.upper == math.inf else min(most, math.ceil(claim.upper * parts) + 1)
    return low, next((one for one in range(high, high - 4, -1) if claim.holds(one / parts)), low - 1)


def _starts(path: list[dict], left: int) -> Expression:
    """1 if a path starts with so many members of the reference group."""
    return _sum(step for (members, _, _), step in path[0].items() if members == left)


def _add(one: Expression, other: Expression, factor: float = 1.0) -> Expression:
    """one + factor * other."""
    made = dict(one)
    for key, value in other.items():
        made[key] = made.get(key, 0.0) + factor * value
    return made


def _sum(parts: Iterable[Expression]) -> Expression:
    made: Expression = {}
    for part in parts:
        for key, value in part.items():
            made[key] = made.get(key, 0.0) + value
    return made


def _key(variable: Expression) -> int:
    return next(iter(variable))
