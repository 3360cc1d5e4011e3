"""Cohorts that a report allows: one dated to an order of events, or many drawn at random."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import batch
from remission.estimators import curves
from remission.identification.lattice import Step
from remission.identification.printed import Group, Printed, Window

#: Codes of how a remission ended, as in `survival.endpoint`.
ONGOING, RELAPSE, DEATH = 0, 1, 2


def schedule(steps: tuple[Step, ...], printed: Printed, both_medians: bool = False,
             longest_is_death: bool = False) -> pd.DataFrame | None:
    """Date an order of events so that every printed number holds.

    Parameters
    ----------
    steps : tuple of Step
        From the full cohort to the reference arm's last exit.
    printed : Printed
    both_medians : bool
        The other arm's median holds for relapse-or-death too.
    longest_is_death : bool
        The longest ended remission ended in death.

    Returns
    -------
    DataFrame or None
        `patient`, `arm`, `time` (days), `event` (relapse), `code`, `entry`, as from `survival.endpoint`; None when no
        dates fit the order.

    Examples
    --------
    >>> one = Group("A", 2, 2, 0, (), Window(4, 4), Window(1, 1), Window(3, 3), False)
    >>> other = Group("B", 2, 2, 0, (), Window(6, 6), Window(2, 2), Window(4, 4), True)
    >>> made = schedule((Step(1, 0, 0, 0), Step(0, 0, 1, 0), Step(1, 0, 0, 0)), Printed(other, one, 0, 1))
    >>> made[["arm", "time"]].values.tolist()
    [['A', 1], ['B', 2], ['A', 3], ['B', 4]]
    """
    other = printed.other
    after = [Step(0, 0, 1, 0)] * (other.relapses - sum(step.other_relapses for step in steps))
    deaths = [Step(0, 0, 0, 1)] * (other.deaths - sum(step.deaths for step in steps))
    whole = [*steps, *(after + deaths if longest_is_death else deaths + after)]
    windows = _windows(whole, len(steps), printed)
    middles = [(*_middle(whole, printed.reference.patients, lambda step: (step.relapses, step.exits)),
                printed.reference.median),
               (*_middle(whole, other.patients, lambda step: (step.other_relapses, step.deaths)), other.median)]
    if both_medians:
        middles.append((*_middle(whole, other.patients, lambda step: (step.other_relapses + step.deaths, 0)),
                        other.median))
    days = _dates(windows, middles)
    return None if days is None else _frame(whole, days, printed)


def _windows(steps: list[Step], before: int, printed: Printed) -> list[Window]:
    """First and last day of every step that the printed ranges and ongoing remissions allow."""
    other, reference = printed.other, printed.reference
    windows, relapsed, exits, other_relapsed = [], 0, 0, 0
    for place, step in enumerate(steps):
        lower, upper = reference.shortest.lower, reference.longest.upper if place < before else other.longest.upper
        if step.relapses and not relapsed:
            upper = min(upper, reference.shortest.upper)
        if step.other_relapses or step.deaths:
            lower = other.shortest.lower
        if step.other_relapses and not other_relapsed:
            upper = min(upper, other.shortest.upper)
        if step.exits:
            lower, upper = max(lower, reference.ongoing[exits].lower), min(upper, reference.ongoing[exits].upper)
        if place == len(steps) - 1 and other.longest_ended:
            lower, upper = max(lower, other.longest.lower), min(upper, other.longest.upper)
        windows.append(Window(lower, upper))
        relapsed, exits, other_relapsed = (relapsed + step.relapses, exits + step.exits,
                                           other_relapsed + step.other_relapses)
    return windows


def _middle(steps: list[Step], at_risk: int, leaving) -> tuple[int, int]:
    """Steps at which Kaplan-Meier reaches one half, and falls below it."""
    survival, reaches = Fraction(1), -1
    for place, step in enumerate(steps):
        events, censored = leaving(step)
        if events:
            survival *= Fraction(at_risk - events, at_risk)
        at_risk -= events + censored
        if survival <= Fraction(1, 2) and reaches < 0:
            reaches = place
        if survival < Fraction(1, 2):
            return reaches, place
    raise ValueError("the median is not reached")


def _dates(windows: list[Window], middles: list[tuple[int, int, Window]]) -> np.ndarray | None:
    """Days in strict order inside their windows, with the sum of two middle days (twice the median) inside its own."""
    earliest, latest = _room(windows)
    if (earliest > latest).any():
        return None
    if not middles:
        # The mean of two schedules, both strictly increasing, is one as well, and leaves room on both sides.
        return (earliest + latest) // 2
    (one, two, total), rest = middles[0], middles[1:]
    for day in _from_the_middle(int(earliest[one]), int(latest[one])):
        if one == two:
            first = second = Window(-(-total.lower // 2), total.upper // 2)
        else:
            first, second = Window(day, day), Window(total.lower - day, total.upper - day)
        tried = list(windows)
        for place, window in ((one, first), (two, second)):
            tried[place] = Window(max(tried[place].lower, window.lower), min(tried[place].upper, window.upper))
        days = _dates(tried, rest)
        if days is not None or one == two:
            return days
    return None


def _room(windows: list[Window]) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest day of every step when each comes at least a day after the one before."""
    lower, upper = np.array(windows).T
    steps = np.arange(len(windows))
    earliest = np.maximum.accumulate(lower - steps) + steps
    latest = np.minimum.accumulate((upper - steps)[::-1])[::-1] + steps
    return earliest, latest


def _from_the_middle(lower: int, upper: int, tries: int = 15) -> list[int]:
    days = np.unique(np.linspace(lower, upper, tries).round().astype(int))
    return sorted(days.tolist(), key=lambda day: abs(day - (lower + upper) / 2))


def _frame(steps: list[Step], days: np.ndarray, printed: Printed) -> pd.DataFrame:
    other, reference = printed.other.arm, printed.reference.arm
    rows = []
    for step, day in zip(steps, days.tolist(), strict=True):
        rows += [(reference, day, RELAPSE)] * step.relapses + [(reference, day, ONGOING)] * step.exits
        rows += [(other, day, RELAPSE)] * step.other_relapses + [(other, day, DEATH)] * step.deaths
    taken = {day for _, day, _ in rows}
    for window in printed.other.ongoing:
        day = next(day for day in _from_the_middle(*window) if day not in taken)
        taken.add(day)
        rows.append((other, day, ONGOING))
    made = pd.DataFrame(rows, columns=["arm", "time", "code"])
    patient = [f"{arm} {number + 1}" for arm, number in zip(made["arm"], made.groupby("arm").cumcount(), strict=True)]
    return made.assign(patient=patient, event=made["code"] == RELAPSE, entry=0)[
        ["patient", "arm", "time", "event", "code", "entry"]]


def violations(data: pd.DataFrame, printed: Printed, both_medians: bool = False) -> list[str]:
    """Name every printed number that a cohort misses, by the estimators of the analysis.

    Parameters
    ----------
    data : DataFrame
        From `schedule`.
    printed : Printed
    both_medians : bool
        Hold the other arm's median of relapse-or-death to the printed one too.

    Returns
    -------
    list of str
        Empty when all hold.

    Examples
    --------
    >>> group = Group("B", 2, 2, 0, (), Window(4, 4), Window(1, 1), Window(3, 3), True)
    >>> data = pd.DataFrame({"arm": "B", "time": [1, 3], "event": True, "code": 1})
    >>> violations(data, Printed(group, group, 0, 1))
    []
    """
    missed = []
    for group in (printed.other, printed.reference):
        mine = data[data["arm"] == group.arm]
        relapses, deaths, ongoing = (np.sort(mine.loc[mine["code"] == code, "time"])
                                     for code in (RELAPSE, DEATH, ONGOING))
        ended = np.concatenate([relapses, deaths])
        said = {
            "patients": len(mine) == group.patients, "relapses": len(relapses) == group.relapses,
            "deaths": len(deaths) == group.deaths,
            "ongoing remissions": len(ongoing) == len(group.ongoing) and all(
                _inside(day, window) for day, window in zip(ongoing, group.ongoing, strict=True)),
            "median": _inside(2 * _median(mine), group.median),
            "shortest": _inside(ended.min(), group.shortest) and _inside(relapses.min(), group.shortest),
            "longest": _inside(ended.max() if group.longest_ended else mine["time"].max(), group.longest),
        }
        if both_medians:
            said["median of relapse or death"] = _inside(2 * _median(mine.assign(event=mine["code"] > 0)), group.median)
        missed += [f"{name} of {group.arm}" for name, holds in said.items() if not holds]
    return missed


def _median(data: pd.DataFrame) -> float:
    return curves.quantile(curves.kaplan_meier(data)).value


def _inside(value: float, window: Window) -> bool:
    return bool(window.lower <= value <= window.upper)


class Draws(NamedTuple):
    """Random cohorts: `time` (B, n) in days; `code` and `arm` (n,), the same in every cohort."""

    time: np.ndarray
    code: np.ndarray
    arm: np.ndarray


def draw(printed: Printed, size: int, seed: int) -> Draws:
    """Draw cohorts at random in which every printed number holds, the p-value aside.

    Parameters
    ----------
    printed : Printed
    size : int
        Cohorts wanted.
    seed : int

    Returns
    -------
    Draws
        As many cohorts as came out of eight rounds, at most `size`.

    Notes
    -----
    Times between an arm's extremes are beta variates whose shape changes from cohort to cohort; then time is stretched
    piecewise so that the median prints as it should. The cohorts show what is possible. How often something happens
    among them depends on this recipe and means nothing.
    """
    rng = np.random.default_rng(seed)
    groups = (printed.other, printed.reference)
    code = np.concatenate([_codes(group) for group in groups])
    arm = np.repeat([True, False], [group.patients for group in groups])
    found: list[np.ndarray] = []
    for _ in range(8):
        times = [_arm_times(group, size, rng) for group in groups]
        good = np.logical_and(*(_fits(time, group) for time, group in zip(times, groups, strict=True)))
        found.append(np.concatenate(times, axis=1)[good])
        if sum(map(len, found)) >= size:
            break
    return Draws(np.concatenate(found)[:size], code, arm)


def _codes(group: Group) -> np.ndarray:
    return np.repeat([RELAPSE, DEATH, ONGOING], [group.relapses, group.deaths, len(group.ongoing)])


def _arm_times(group: Group, size: int, rng: np.random.Generator) -> np.ndarray:
    """Times of one arm in `size` cohorts: relapses (the first the shortest), deaths, ongoing remissions."""
    first = rng.integers(group.shortest.lower, group.shortest.upper + 1, (size, 1))
    last = rng.integers(group.longest.lower, group.longest.upper + 1, (size, 1))
    parts = [first]
    # Deaths are drawn more widely than relapses: all early in one cohort, all late in another.
    for count, most in ((group.relapses - 1 - group.longest_ended, (2.5, 4.0)), (group.deaths, (40.0, 4.0))):
        shape = np.exp(rng.uniform(np.log([0.4, 0.5]), np.log(most), (size, 2)))
        parts.append(first + (last - first) * rng.beta(shape[:, :1], shape[:, 1:], (size, count)))
        if group.longest_ended and len(parts) == 2:
            parts.append(last)
    ended = np.concatenate(parts, axis=1)
    windows = np.array(group.ongoing).T
    ongoing = rng.integers(windows[0], windows[1] + 1, (size, len(group.ongoing)))
    stretched = _stretch(ended, group, first, last, rng, ongoing)
    return np.concatenate([np.floor(stretched + 0.5), ongoing], axis=1)


def _stretch(ended, group: Group, first, last, rng: np.random.Generator, ongoing) -> np.ndarray:
    """Stretch time, first and last day held, so that the Kaplan-Meier median of relapse falls into its window."""
    time, event = np.concatenate([ended, ongoing], axis=1), _codes(group) == RELAPSE
    reaches, passes = (batch.quantile(time, event, 0.5 + side)[:, None] for side in (-1e-4, 1e-4))
    aim = rng.uniform(group.median.lower, group.median.upper, (len(time), 1)) / 2
    plateau = rng.beta(0.7, 1.5, (len(time), 1)) * (aim - first) * (passes > reaches)
    down, up = aim - plateau, aim + plateau
    with np.errstate(divide="ignore", invalid="ignore"):
        early = first + (ended - first) * (down - first) / (reaches - first)
        middle = down + (ended - reaches) * (up - down) / (passes - reaches)
        late = up + (ended - passes) * (last - up) / (last - passes)
    moved = np.where(ended <= reaches, early, np.where(ended >= passes, late, middle))
    # A median beyond the last ended remission cannot be moved; `_fits` turns such a cohort away.
    return np.where(np.isfinite(moved), moved, first)


def _fits(time: np.ndarray, group: Group) -> np.ndarray:
    """Which cohorts have one arm as printed."""
    code = _codes(group)
    ended = time[:, code != ONGOING]
    longest = ended.max(axis=1) if group.longest_ended else time.max(axis=1)
    relapses = time[:, code == RELAPSE]
    good = np.ones(len(time), bool)
    for value, window in ((2 * batch.quantile(time, code == RELAPSE, 0.5), group.median), (longest, group.longest),
                          (ended.min(axis=1), group.shortest), (relapses.min(axis=1), group.shortest)):
        good &= (value >= window.lower) & (value <= window.upper)
    return good
