"""Twelve questions of critical appraisal: the results that each is answered from, and the answer in one sentence.

The sentences are made from rows of `results.csv`, so that they follow the numbers of whatever cohort is read.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from remission import show
from remission.estimators import wording
from remission.study import Study
from remission.survival.endpoints import fixed_times, rmst_times

TABLE = ["what", "result", "row of results.csv"]


class Question(NamedTuple):
    """`rows`: words and result_id by key, with places for the study's arms and times; `answer`: from rows by key.

    `more`: rows that are shown where a cohort has them, and may be used where they are there.
    """

    rows: dict[str, tuple[str, str]]
    answer: Callable[[dict], str]
    more: dict[str, tuple[str, str]] = MappingProxyType({})


def _comparable(row: dict) -> str:
    apart = row["entry"].value < 0.05
    return (f"Median age is {row['age'].display} against {row['age_ref'].display} years, but half of the patients had "
            f"entered by {row['entered'].display} in one arm and by {row['entered_ref'].display} in the other "
            f"({row['entry'].display}): the arms were "
            + ("treated in different years, and whatever else changed in those years is part of the contrast."
               if apart else "treated in much the same years; what differs besides is not excluded by that."))


def _counted(row: dict) -> str:
    below = sum(row[key].value < 0.05 for key in ("censored", "counted"))
    return (f"The same patients give {row['censored'].display} when a death in remission is censored and "
            f"{row['counted'].display} when it counts: "
            + {0: "below 0.05 under neither rule", 1: "below 0.05 under one rule only",
               2: "below 0.05 under both rules"}[below]
            + f", with hazard ratios of {row['hr'].display} and {row['hr_counted'].display}.")


def _wide(row: dict) -> str:
    low, high = row["hr"].lower, row["hr"].upper
    large = ("a halving of the hazard", 0.5) if row["hr"].value < 1 else ("a doubling of the hazard", 2.0)
    said = [f"{'holds' if low <= value <= high else 'excludes'} {words}" for words, value in
            (("no effect at all", 1.0), large)]
    bounds = f"; the printed numbers by themselves leave it at {row['bounds'].display}" if "bounds" in row else ""
    return (f"The hazard ratio is {row['hr'].display} and the mean time free of relapse differs by "
            f"{row['mean'].display}; the interval of the ratio {' and '.join(said)}{bounds}.")


def _fragile(row: dict) -> str:
    return (f"The log-rank test says {row['logrank'].display} and the permutation test of the same data "
            f"{row['exact'].display}; for p to cross 0.05 the outcome must change in {row['sets'].display}.")


def _long_term(row: dict) -> str:
    one, two = (row[key] for key in ("ongoing", "ongoing_ref"))
    low, high = max(one.lower, two.lower) / 100, min(one.upper, two.upper) / 100  # these are in %
    return (f"{one.display} against {two.display}: the exact intervals "
            + ("do not overlap." if low > high else
               f"share all from {wording.percent(low)} to {wording.percent(high)}%, so that the counts by themselves "
               "tell neither a benefit nor its absence."))


def _offset(row: dict) -> str:
    sums = [row[f"relapse{end}"].value + row[f"death{end}"].value for end in ("", "_ref")]
    return (f"Relapse {row['relapse'].display} and death in remission {row['death'].display} against "
            f"{row['relapse_ref'].display} and {row['death_ref'].display}: together "
            f"{wording.percent(sums[0])}% against {wording.percent(sums[1])}%, a difference of "
            f"{wording.percent(abs(sums[1] - sums[0]))} percentage points where relapse alone differs by "
            f"{wording.percent(abs(row['relapse_ref'].value - row['relapse'].value))}.")


def _immortal(row: dict) -> str:
    return (f"The hazard ratio hardly notices ({row['naive'].display} from diagnosis, {row['truncated'].display} with "
            f"patients at risk only once they are under observation), for both arms carry such time; but "
            f"{row['share'].display} and {row['share_ref'].display} of the two median survivals had passed before "
            "anybody could enter."
            if abs(row["naive"].value - row["truncated"].value) < 0.1 else
            f"The hazard ratio moves from {row['naive'].display} to {row['truncated'].display} once patients are at "
            "risk only while under observation.")


def _conventions(row: dict) -> str:
    return (f"In one arm the longest remission that ended in relapse lasted {row['ended'].display} and the longest of "
            f"all {row['any'].display}, in the other {row['ended_ref'].display} and {row['any_ref'].display}: a range "
            "means nothing before its convention is said, and two ranges in one table may follow two.")


def _predictive(row: dict) -> str:
    return (f"The ratio between the groups is {row['hr'].display}, and the power to see a hazard ratio of 2 was "
            f"{row['power'].display.split(' for ')[0]}; {row['needed'].display} relapses would have been needed: "
            f"*{row['verdict'].display}*.")


def _codings(row: dict) -> str:
    return (f"{row['all'].display} codings are {row['distinct'].display} different analyses; {row['hits'].display} of "
            f"them find that a worse level predicts relapse, with ratios {row['ratios'].display}, while shuffled "
            f"outcomes give at least one such finding in {row['chance'].display}.")


def _delivered(row: dict) -> str:
    return (f"Of the planned dose a median of {row['stop'].display} was given until the drug was stopped, and "
            f"{row['end'].display} until maintenance ended: the first looks at the days on the drug, the second at the "
            "promise.")


def _reported(row: dict) -> str:
    return (f"Of what a report of harms should hold, {row['yes'].display} are there in full, {row['partly'].display} "
            f"in part and {row['no'].display} not at all; and reductions of the dose were {row['evaluable'].display} "
            f"or {row['everybody'].display}, by a denominator that the reader has to look for.")


#: In the order of the notebook. `{arm}`, `{ref}`: the arms; `{contrast}`; `{late}`: the last fixed time; `{tau}`: the
#: first horizon; `{drug}`: the first drug with a plan.
QUESTIONS = {
    "comparable": Question({
        "age": ("median age, {arm}", "age.-.all.{arm}.median"),
        "age_ref": ("median age, {ref}", "age.-.all.{ref}.median"),
        "entered": ("median day of entry, {arm}", "order.-.all.{arm}.entry_median"),
        "entered_ref": ("median day of entry, {ref}", "order.-.all.{ref}.entry_median"),
        "entry": ("days of entry compared", "order.-.all.{contrast}.entry_p"),
    }, _comparable, {
        "told": ("how well baseline tells the arms apart", "overlap.-.all.{contrast}.c_statistic"),
        "outside": ("{ref} beyond the scores of {arm}", "overlap.-.all.{ref}.outside"),
    }),
    "deaths": Question({
        "censored": ("log-rank, death in remission censored", "logrank.TTRLP.all.{contrast}.p"),
        "counted": ("log-rank, death in remission counted", "logrank.RFS.all.{contrast}.p"),
        "hr": ("hazard ratio, censored", "cox.TTRLP.all.{contrast}.HR"),
        "hr_counted": ("hazard ratio, counted", "cox.RFS.all.{contrast}.HR"),
    }, _counted, {
        "gray": ("Gray's test, death in remission competing", "gray.TTRLP.all.{contrast}.relapse_p"),
    }),
    "width": Question({
        "hr": ("hazard ratio of relapse", "cox.TTRLP.all.{contrast}.HR"),
        "mean": ("mean time free of relapse within {tau}, difference", "rmst.TTRLP.all.{contrast}.difference[{tau}]"),
    }, _wide, {
        "bounds": ("hazard ratio over all cohorts that agree with the printed numbers",
                   "ensemble.TTRLP.all.{contrast}.hazard_ratio"),
    }),
    "fragile": Question({
        "logrank": ("log-rank", "logrank.TTRLP.all.{contrast}.p"),
        "exact": ("permutation", "permutation.TTRLP.all.{contrast}.linear_p"),
        "sets": ("patients to change for p to cross 0.05", "fragility.TTRLP.all.{contrast}.patients"),
    }, _fragile, {
        "back": ("the same with deaths counted", "fragility.RFS.all.{contrast}.patients"),
    }),
    "long_term": Question({
        "ongoing": ("in ongoing remission, {arm}", "status.-.all.{arm}.ongoing"),
        "ongoing_ref": ("in ongoing remission, {ref}", "status.-.all.{ref}.ongoing"),
    }, _long_term),
    "offset": Question({
        f"{cause}{end}": (f"{words} by {{late}}, {{{arm}}}", f"cif.TTRLP.all.{{{arm}}}.{statistic}[{{late}}]")
        for end, arm in (("", "arm"), ("_ref", "ref"))
        for cause, statistic, words in (("relapse", "relapse", "relapse"),
                                        ("death", "death_in_remission", "death in remission"))
    }, _offset),
    "immortal": Question({
        "naive": ("hazard ratio of death, from diagnosis", "cox.OSDX.all.{contrast}.HR"),
        "truncated": ("the same, at risk from entry", "cox_truncated.OSDX.all.{contrast}.HR"),
        "share": ("share of median survival before entry, {arm}", "immortal.OSDX.all.{arm}.share_of_median"),
        "share_ref": ("share of median survival before entry, {ref}", "immortal.OSDX.all.{ref}.share_of_median"),
    }, _immortal),
    "conventions": Question({
        f"{kind}{end}": (f"longest remission, {words}, {{{arm}}}", f"range.TTRLP.all.{{{arm}}}.{statistic}")
        for end, arm in (("", "arm"), ("_ref", "ref"))
        for kind, statistic, words in (("ended", "max_event", "ended by relapse"), ("any", "max_any", "of all"))
    }, _conventions),
    "predictive": Question({
        "hr": ("hazard ratio, no early response against response", "mrd.response6m.all.{arm}.HR"),
        "power": ("power", "mrd.response6m.all.{arm}.power"),
        "needed": ("relapses needed for a power of 80%", "evidence.response6m.all.{arm}.events_needed"),
        "verdict": ("verdict against the margins", "mrd.response6m.all.{arm}.verdict"),
    }, _predictive, {
        "printed": ("power to see the printed contrast", "printed.response6m.all.{arm}.power"),
    }),
    "codings": Question({
        "all": ("codings", "multiverse.codings.all.{arm}.specifications"),
        "distinct": ("different analyses", "multiverse.codings.all.{arm}.distinct"),
        "hits": ("analyses that find a worse level to predict relapse", "multiverse.codings.all.{arm}.predicts"),
        "ratios": ("median hazard ratio", "multiverse.codings.all.{arm}.median_HR"),
        "chance": ("shuffled outcomes with at least one such finding", "multiverse.codings.all.{arm}.chance_any"),
    }, _codings),
    "delivered": Question({
        "stop": ("relative dose intensity until stopped", "rdi.{drug}.{dosed}.{arm}.median[to stop]"),
        "end": ("relative dose intensity until the end of maintenance",
                "rdi.{drug}.{dosed}.{arm}.median[to end of maintenance]"),
    }, _delivered),
    "reported": Question({
        "yes": ("items on harms, reported", "consort_harms.-.abstract.all.yes"),
        "partly": ("in part", "consort_harms.-.abstract.all.partly"),
        "no": ("not at all", "consort_harms.-.abstract.all.no"),
        "evaluable": ("reductions, of those who took the drug", "reduction.{drug}.{dosed}.{arm}.patients"),
        "everybody": ("reductions, of the arm", "reduction.{drug}.all.{arm}.patients"),
    }, _reported, {
        "remark": ("items of REMARK for the markers, reported", "remark.-.abstract.all.yes"),
        "version": ("patients with another grade of neutropenia under CTCAE 6.0",
                    "version.ANC.all.{arm}.changed[CTCAE 6.0]"),
    }),
}


def answer(name: str, results: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, str]:
    """Answer one question from a cohort's results.

    Parameters
    ----------
    name : str
        One of `QUESTIONS`.
    results : DataFrame
        The cohort's `results.csv`.
    study : Study

    Returns
    -------
    tuple
        The rows that the answer rests on, as they stand there, and the answer in one sentence; a cohort that lacks one
        of them is told which.

    Raises
    ------
    KeyError
        When there is no such question.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> answer("fragile", pd.DataFrame(columns=["result_id"]), two)[1]
    'This cohort cannot answer it; its results lack: log-rank; permutation; patients to change for p to cross 0.05.'
    """
    places = _places(results, study)
    question = QUESTIONS[name]
    asked = {key: (words.format(**places), place.format(**places))
             for key, (words, place) in {**question.rows, **question.more}.items()}
    found = {row.result_id: row for row in results.itertuples()}
    rows = {key: found[place] for key, (_, place) in asked.items() if place in found}
    table = pd.DataFrame([(words, rows[key].display, place) for key, (words, place) in asked.items() if key in rows],
                         columns=TABLE)
    missing = [asked[key][0] for key in question.rows
               if key not in rows or rows[key].display.startswith("not estimable")]
    if missing and not study.contrast:
        return table, "This cohort has no two arms to ask it of."
    return table, (f"This cohort cannot answer it; its results lack: {'; '.join(missing)}." if missing else
                   question.answer(rows))


def tell(name: str, results: pd.DataFrame, study: Study) -> None:
    """Show an answer: the rows that it rests on, then the sentence.

    Parameters
    ----------
    name, results, study
        As for `answer`.
    """
    table, sentence = answer(name, results, study)
    show.table(table, absent="No row of results.csv bears on this question.")
    show.say(f"**Answer.** {sentence}")


def _places(results: pd.DataFrame, study: Study) -> dict[str, str]:
    """What stands in the places of the names of results."""
    arm, _, ref = (study.contrast or study.arm_keys[0]).partition(" vs ")
    drug = next(iter(study.dose_plans), "-")
    dosed = results.loc[results["result_id"].str.startswith(f"rdi.{drug}."), "population"] if len(results) else []
    return {"arm": arm, "ref": ref or "-", "contrast": study.contrast or "-", "drug": drug,
            "dosed": next((name for name in dosed if name != "all"), "all"),
            "late": list(fixed_times(study))[-1], "tau": next(iter(rmst_times(study)))}
