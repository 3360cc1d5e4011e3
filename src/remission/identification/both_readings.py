"""Whether one printed p-value could have come from either reading: death in remission censored, or an event."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission.estimators import comparisons
from remission.identification import cohorts, extremes, lattice, words
from remission.identification import printed as report
from remission.identification.extremes import Goal, Order
from remission.identification.lattice import Rules
from remission.identification.printed import Printed
from remission.study import Study

#: Partial orders kept in a state where one order is enough, and where all are wanted.
FEW, MANY = 300, 300_000
INTERVALS = ["deaths_before", "smallest", "smallest_bound", "largest", "largest_bound", "p_relapse_at_smallest",
             "p_relapse_at_largest", "medians"]
ALIKE = ["deaths_before", "longest", "equal_days", "answer", "p_relapse", "p_relapse_or_death"]
EARLY = ["deaths_before", "smallest", "smallest_bound"]
SAMPLE = ["p_relapse", "p_relapse_or_death", "deaths_before", "both_medians"]
WITNESSES = ["witness", "patient", "arm", "time", "event", "code"]
METHOD = ("two-sided log-rank p over all orders of events that the printed numbers allow, p of relapse alone in "
          "[{:g}, {:g}); branch and bound; {}")


class Joint(NamedTuple):
    """What both readings can give together; frames without rows, and a `note`, where the question does not arise.

    `intervals`: per number of deaths before the reference arm's last exit, the smallest and largest p of
    relapse-or-death while p of relapse alone prints as published, no two patients leaving after equally many days.
    `alike`: whether both can print the same, and who must share a day for it. `early`: the smallest p by the number of
    deaths before the reference arm's first exit. `witnesses`: cohorts, in days, that attain these ends.
    `sample`: random cohorts.
    """

    printed: Printed | None
    intervals: pd.DataFrame
    alike: pd.DataFrame
    early: pd.DataFrame
    witnesses: pd.DataFrame
    sample: pd.DataFrame
    note: str = ""


def analyse(claims: pd.DataFrame, study: Study, draws: int = 4000, seed: int = 1) -> Joint:
    """Hold both readings of a printed p-value against each other, over every cohort that the printed numbers allow.

    Parameters
    ----------
    claims : DataFrame
        From `ledger.read_claims`.
    study : Study
    draws, seed : int
        Random cohorts for the picture; no answer depends on them.

    Returns
    -------
    Joint

    Examples
    --------
    >>> from remission import ledger
    >>> from remission.study import read as read_study
    >>> study = read_study("freireich1963")
    >>> analyse(ledger.read_claims(study), study).note
    'no p-value of a log-rank test of the two arms is printed'
    """
    printed = report.read(claims, study)
    if printed is None:
        blank = [pd.DataFrame(columns=columns) for columns in (INTERVALS, ALIKE, EARLY, WITNESSES, SAMPLE)]
        return Joint(None, *blank, report.why_not(claims, study))
    deaths = range(1, printed.other.deaths + 1)
    witnesses: dict[str, pd.DataFrame] = {}
    intervals = pd.DataFrame([_none(printed), *(_interval(printed, count, witnesses) for count in deaths)])
    alike = pd.DataFrame([row for dead in (False, True) for row in _alike(printed, dead, witnesses)], columns=ALIKE)
    early = pd.DataFrame([_early(printed, count, witnesses) for count in deaths], columns=EARLY)
    whole = pd.concat([data.assign(witness=name) for name, data in witnesses.items()], ignore_index=True)
    return Joint(printed, intervals[INTERVALS], alike, early, whole[WITNESSES], sample(printed, draws, seed))


def sample(printed: Printed, draws: int, seed: int) -> pd.DataFrame:
    """Both p-values of random cohorts that the printed numbers allow.

    Parameters
    ----------
    printed : Printed
    draws, seed : int

    Returns
    -------
    DataFrame
        One row a cohort: `p_relapse`, `p_relapse_or_death`, `deaths_before` the reference arm's last exit (deaths on
        that very day among them), and `both_medians`: whether the other arm's median of relapse-or-death prints as the
        published one too.
    """
    found = cohorts.draw(printed, draws, seed)
    relapse, ended = found.code == cohorts.RELAPSE, found.code != cohorts.ONGOING
    last = found.time[:, ~found.arm].max(axis=1, keepdims=True)
    twice = 2 * batch.quantile(found.time[:, found.arm], ended[found.arm])
    window = printed.other.median
    return pd.DataFrame({
        "p_relapse": batch.logrank(found.time, relapse, found.arm).p,
        "p_relapse_or_death": batch.logrank(found.time, ended, found.arm).p,
        "deaths_before": (found.time[:, found.code == cohorts.DEATH] <= last).sum(axis=1),
        "both_medians": (twice >= window.lower) & (twice <= window.upper)})


def _none(printed: Printed) -> dict:
    """Without a death before the last exit both tests are one."""
    return {"deaths_before": 0, "smallest": printed.p_lower, "smallest_bound": printed.p_lower,
            "largest": printed.p_upper, "largest_bound": printed.p_upper, "p_relapse_at_smallest": printed.p_lower,
            "p_relapse_at_largest": printed.p_upper, "medians": "both"}


def _interval(printed: Printed, deaths: int, witnesses: dict) -> dict:
    made, row, medians = lattice.build(printed, Rules(deaths)), {"deaths_before": deaths}, []
    for name, smallest in (("smallest", True), ("largest", False)):
        found = extremes.extreme(made, printed.p_lower, printed.p_upper, smallest, FEW, MANY)
        said = _witness(found.order, printed, f"{name} p, {words.deaths(deaths)}", witnesses)
        row |= {name: found.order.p_relapse_or_death if said else math.nan, f"{name}_bound": found.bound,
                f"p_relapse_at_{name}": found.order.p_relapse if said else math.nan}
        medians.append(said)
    return row | {"medians": "both" if medians == ["both", "both"] else "relapse only" if all(medians) else "no dates"}


def _early(printed: Printed, deaths: int, witnesses: dict) -> dict:
    made = lattice.build(printed, Rules(early=deaths))
    found = extremes.extreme(made, printed.p_lower, printed.p_upper, True, FEW, MANY)
    said = _witness(found.order, printed, f"smallest p, {words.deaths(deaths)} before the first exit", witnesses)
    return {"deaths_before": deaths, "smallest": found.order.p_relapse_or_death if said else math.nan,
            "smallest_bound": found.bound}


def _alike(printed: Printed, longest_is_death: bool, witnesses: dict) -> list[dict]:
    """For every number of deaths before the last exit: can both p-values print as published, and how."""
    rows, goal = [], Goal(printed.p_lower, printed.p_upper, printed.p_upper)
    longest = "death" if longest_is_death else "relapse"
    for deaths in range(1, printed.other.deaths + (not longest_is_death)):
        # The rule that lets in most is asked where it can be answered; what it excludes, no other lets in.
        rules = Rules(deaths, longest_is_death=longest_is_death)
        asked = ["pair", "none"] if longest_is_death else ["pair", "relapses", "none"]
        if extremes.search(lattice.build(printed, rules._replace(equal_days="pair")), goal, FEW).order is None:
            asked = ["any", "relapses", "none"]
        for equal_days in asked:
            made = lattice.build(printed, rules._replace(equal_days=equal_days))
            if equal_days == "pair":
                order, bound = extremes.extreme(made, printed.p_lower, printed.p_upper, True, FEW, MANY)
                order, complete = (order, False) if order.p_relapse_or_death < goal.p else (None, bound >= goal.p)
            else:
                order, complete = extremes.search(made, goal, MANY)
            name = f"both alike, {words.deaths(deaths)} ({equal_days}; longest remission ended by {longest})"
            dated = order and _witness(order, printed, name, witnesses, longest_is_death)
            answer = "possible" if dated else "impossible" if complete and order is None else "not settled"
            rows.append({"deaths_before": deaths, "longest": longest, "equal_days": equal_days, "answer": answer,
                         "p_relapse": order.p_relapse if dated else math.nan,
                         "p_relapse_or_death": order.p_relapse_or_death if dated else math.nan})
            if equal_days != "pair" and answer == "impossible":
                break
    return rows


def _witness(order: Order | None, printed: Printed, name: str, witnesses: dict, longest_is_death: bool = False) -> str:
    """Date an order, hold it against the report and both tests with the analysis's own estimators, and keep it.

    Returns under which medians it was dated: `both`, `relapse only`, or nothing.
    """
    if order is None:
        return ""
    for said, both in (("both", True), ("relapse only", False)):
        data = cohorts.schedule(order.steps, printed, both, longest_is_death)
        if data is None or cohorts.violations(data, printed, both):
            continue
        ended = data.assign(event=data["code"] != cohorts.ONGOING)
        tests = [comparisons.logrank(frame, printed.reference.arm).p for frame in (data, ended)]
        if np.allclose(tests, order[:2], rtol=1e-9, atol=0):
            witnesses[name] = data
            return said
    return ""


def result_rows(joint: Joint, study: Study) -> pd.DataFrame:
    """Result rows, analysis `joint`: the ends of every interval, and whether both readings can print alike.

    Parameters
    ----------
    joint : Joint
        From `analyse`.
    study : Study

    Returns
    -------
    DataFrame
        Results; empty where the question does not arise.

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> result_rows(analyse(pd.DataFrame(columns=["result_id"]), one), one).empty
    True
    """
    if joint.printed is None:
        return results.frame([])
    apart = "no two patients leave after equally many days"
    rows = [_row(joint, study, f"{name}_p[{words.deaths(row.deaths_before)}]", getattr(row, name),
                 getattr(row, f"{name}_bound"), apart)
            for row in joint.intervals.itertuples() for name in ("smallest", "largest")]
    rows += [_row(joint, study, f"early_smallest_p[{words.deaths(row.deaths_before)}]", row.smallest,
                  row.smallest_bound, f"{apart}; deaths counted to the reference arm's first exit")
             for row in joint.early.itertuples()]
    for row in joint.alike[joint.alike["longest"] == "relapse"].itertuples():
        shown = f"{row.answer}: {words.four(row.p_relapse)} and {words.four(row.p_relapse_or_death)}"
        rows.append(results.row(
            "joint", "-", "all", study.contrast, f"alike_p[{words.deaths(row.deaths_before)}, {row.equal_days}]",
            row.p_relapse_or_death, unit="p", n=_patients(joint.printed),
            method=_method(joint.printed, f"asked {words.DAYS[row.equal_days]}"),
            display=shown if row.answer == "possible" else row.answer))
    return results.frame(rows)


def _row(joint: Joint, study: Study, name: str, value: float, bound: float, scope: str) -> dict:
    proved = "attained and proved" if value == bound else f"attained; proved bound {words.four(bound)}"
    shown = f"p = {words.four(value)}" if value == value else f"no cohort dated; bound p = {words.four(bound)}"
    return results.row("joint", "-", "all", study.contrast, name, value, unit="p", n=_patients(joint.printed),
                       method=_method(joint.printed, f"{scope}; {proved}"),
                       display=shown)


def _method(printed: Printed, scope: str) -> str:
    return METHOD.format(printed.p_lower, printed.p_upper, scope)


def _patients(printed: Printed) -> int:
    return printed.other.patients + printed.reference.patients
