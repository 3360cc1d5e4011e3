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

from remission.ensemble import rows
from remission.ensemble.abstract import COUNTS, Abstract, Claim
from remission.ensemble.cuts import half, heights, whole_numbers
from remission.ensemble.programme import Expression, Programme, add, key_of, total
from remission.ensemble.rows import SCALE, Curve

#: Clock of an endpoint, and what ends a time as an event; what else may end it is `LAST` of the clock.
ENDPOINTS = {"relapse": ("remission", (0,)), "relapse_or_death": ("remission", (0, 1)),
             "death_in_remission": ("remission", (1,)), "survival": ("survival", (0,)),
             "survival_from_diagnosis": ("survival_from_diagnosis", (0,)), "treatment": ("treatment", (0,))}
#: Code of what is still going on. In remission: relapse 0, death 1, ongoing 2; elsewhere event 0, ongoing 1.
LAST = {"remission": 2, "survival": 1, "survival_from_diagnosis": 1, "treatment": 1}
#: A patient's times never fall along this line, so neither do those of equal place among the arm's sorted times.
ORDER = ("treatment", "remission", "survival", "survival_from_diagnosis")
#: Up to so many patients of an arm its groups are made of whole patients; beyond, a patient may be divided between
#: them: that takes a tenth of the time and allows more, so that what is impossible still is.
WHOLE = 10


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


class _Cohort:
    """Places of every arm and clock that a claim speaks of."""

    def __init__(self, abstract: Abstract, claims: list[Claim]):
        self.abstract, self.programme = abstract, Programme()
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
            programme.row(total(one), 1, 1)
        for k in range(count - 1):
            step = add(times[k + 1], times[k], -1)
            programme.row(step, 0)
            for code in range(LAST[clock]):
                later, earlier = total(codes[k][code + 1:]), codes[k + 1][code]
                programme.row(add(add(step, later, -1), earlier, -1), -1)
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
                chosen = total(step for (_, _, kind), step in mine.items() if kind == code)
                programme.row(add(chosen, total(self.codes[arm, clock][k][one] for one in code), -1), 0, 0)
            if k:
                for left in range(count - k + 1):
                    arriving = total(step for (was, group, _), step in steps[k - 1].items()
                                    if was - (group == 0) == left)
                    leaving = total(step for (is_, _, _), step in mine.items() if is_ == left)
                    programme.row(add(arriving, leaving, -1), 0, 0)
        self.paths[arm, clock] = steps
        return steps

    def link(self) -> None:
        """What holds between clocks of one arm: sorted times stand in order, deaths are deaths on every clock."""
        programme = self.programme
        for arm in self.size:
            mine = [clock for clock in ORDER if (arm, clock) in self.times]
            for first, second in itertools.pairwise(mine):
                for one, other in zip(self.times[arm, first], self.times[arm, second], strict=True):
                    programme.row(add(other, one, -1), 0)
            dead = [total(one[1 if clock == "remission" else 0] for one in self.codes[arm, clock])
                    for clock in mine if clock != "treatment"]
            for number, (fewer, more) in enumerate(itertools.pairwise(dead)):
                same = number or "remission" not in mine
                programme.row(add(more, fewer, -1), 0, 0 if same else math.inf)
            sizes = [self.paths[key] for key in self.paths if key[0] == arm]
            for one, other in itertools.pairwise(sizes):  # groups are as large on every clock
                for left in range(self.size[arm] + 1):
                    programme.row(add(_starts(one, left), _starts(other, left), -1), 0, 0)

    def members(self, arm: str, group: str, clock: str, codes: Iterable[int]) -> list[Expression]:
        """For each place, 1 if a patient of the arm, or of a group of it, left there with one of the codes."""
        codes = tuple(codes)
        if not group:
            self.clock(arm, clock)
            return [total(one[code] for code in codes) for one in self.codes[arm, clock]]
        number = self.abstract.groups.index(group)
        return [total(step for (_, mine, code), step in one.items() if mine == number and code[0] in codes)
                for one in self.path(arm, clock)]

    def curve(self, arm: str, group: str, clock: str, codes: tuple[int, ...], lowest: float) -> Curve:
        """Kaplan-Meier curve of an arm or of a group of it; a curve at zero only has to stand below `lowest`."""
        count, members = self.size[arm], self.members(arm, group, clock, range(LAST[clock] + 1))
        number = self.abstract.groups.index(group) if group else 0
        height, found, ended, zero, deep = {}, [], [], {}, []
        for k in range(count):
            if group:
                left = {step: count - k - step[0] if number else step[0] for step in self.path(arm, clock)[k]}
                steps = self.path(arm, clock)[k]
                falls = [(one, left[step]) for step, one in steps.items() if step[1] == number and step[2][0] in codes]
                ended.append(total(one for step, one in steps.items() if left[step] == (step[1] == number)))
            else:
                falls = [(self.codes[arm, clock][k][code], count - k) for code in codes]
                ended.append({-1: float(k == count - 1)})
            for one, at_risk in falls:
                height = add(height, one, SCALE * (math.log1p(-1 / at_risk) if at_risk > 1 else lowest - 1))
            zero = total([zero, *(one for one, at_risk in falls if at_risk == 1)])
            left_over = 1 if group else max(1, count - k - 1)  # a group may be any part of the arm
            last = lowest - 1 if group or k == count - 1 else 0.0
            deep.append(SCALE * (math.log(left_over / count) + last))
            fallen, height = height, self.programme.variable(0, deep[-1], whole=False)
            self.programme.row(add(fallen, height, -1), 0, 0)
            found.append(height)
        return Curve(found, deep, ended, zero, members)

    def ask(self, claim: Claim) -> None:
        """Add the rows of one claim."""
        asked = claim.quantity
        arms = [asked.arm] if asked.arm else list(self.size)
        clock, codes = _concerns(claim)
        if asked.kind in COUNTS:
            chosen = [one for arm in arms for one in self.members(arm, asked.group, clock, codes)]
            low, high = whole_numbers(claim, sum(self.size.values()))
            self.programme.row(total(chosen), low, high)
            return
        limit = self.limit if clock == "survival_from_diagnosis" else self.abstract.horizon
        if asked.kind in ("shortest", "longest"):
            places = [(time, one) for arm in arms for one, time in zip(
                self.members(arm, asked.group, clock, codes), self.times[arm, clock], strict=True)]
            rows.extreme(self.programme, places, whole_numbers(claim, limit), limit, asked.kind == "shortest")
        elif asked.kind == "ongoing_time":
            mine = self.members(asked.arm, asked.group, clock, codes)
            places = list(zip(self.times[asked.arm, clock], mine, strict=True))
            rows.ranked(self.programme, places, asked.rank, whole_numbers(claim, limit), limit)
        else:
            median, count = asked.kind == "median", self.size[asked.arm]
            cuts = half(count)[::-1] if median else heights(count, claim)
            lowest = min((cut for cut in cuts if math.isfinite(cut)), default=0.0)
            curve = self.curve(asked.arm, asked.group, clock, codes, lowest)
            (rows.median if median else rows.survival)(self.programme, claim, self.times[asked.arm, clock], curve, cuts,
                                                       limit)

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
            codes = [next(code for code, one in enumerate(place) if value[key_of(one)]) for place in self.codes[key]]
            groups = [next(group for (_, group, _), one in place.items() if value[key_of(one)])
                      for place in self.paths.get(key, [])] if len(times) <= WHOLE else []
            made[key] = [value[key_of(one)] for one in times], codes, groups
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


def _starts(path: list[dict], left: int) -> Expression:
    """1 if a path starts with so many members of the reference group."""
    return total(step for (members, _, _), step in path[0].items() if members == left)
