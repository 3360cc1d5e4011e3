"""What two readings of one p-value give, in words and short tables."""

from __future__ import annotations

import pandas as pd

from remission import study as units
from remission.study import Study

#: What a reader is told of each rule about equal days.
DAYS = {"none": "if no two patients leave after equally many days",
                 "pair": "if one death and one relapse may come after equally many days",
                 "relapses": "if relapses may come after equally many days, but no death with them",
                 "any": "even if anybody may leave after equally many days"}
INTERVALS = ["deaths before", "smallest p", "none below", "largest p", "none above", "median prints alike under",
             "smallest p, counted to the first exit"]
ALIKE = ["deaths before", "longest remission ended by", "provided that", "both p as printed", "p, relapse",
         "p, relapse or death"]
MARKS = {0: "+", 1: "", 2: "d"}
SAMPLE = ["deaths before", "cohorts", "p of relapse as printed", "both as printed", "smallest p of relapse or death",
          "largest p of relapse or death"]


def reading(joint, study: Study) -> str:
    """Say what was found: whether one printed p-value can stand for both readings.

    Parameters
    ----------
    joint : Joint
        From `both_readings.analyse`.
    study : Study

    Returns
    -------
    str
        Markdown; one line where the question does not arise.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> reading(analyse(pd.DataFrame(columns=["result_id"]), one), one)
    'This section does not apply to this cohort: there are not two arms.'
    """
    if joint.printed is None:
        return f"This section does not apply to this cohort: {joint.note}."
    printed = joint.printed
    window = f"[{printed.p_lower:g}, {printed.p_upper:g})"
    exit_ = f"the last {printed.reference.arm} patient leaves (about {_when(printed.last_exit, study)})"
    return "\n\n".join([
        f"No death in remission up to the day on which {exit_}: both tests are then the same number, and both can lie "
        f"in {window}. {_exceptions(joint)}",
        _growth(joint, study),
        f"Should the longest remission of {printed.other.arm} have ended in death and not in relapse: "
        f"{_listed(joint.alike[joint.alike['longest'] == 'death'])}."])


def _exceptions(joint) -> str:
    mine = joint.alike[joint.alike["longest"] == "relapse"]
    said = f"With such deaths, over every order of events that fits the printed numbers: {_listed(mine)}."
    nearest = joint.intervals[(joint.intervals["deaths_before"] == 1) & joint.intervals["smallest"].notna()]
    if len(nearest):
        one = nearest.iloc[0]
        said += (" Where all patients leave after different numbers of days, one death comes nearest, with p = "
                 f"{four(one['p_relapse_at_smallest'])} for relapse alone and p = {four(one['smallest'])} for relapse "
                 "or death.")
    return f"{said} {_conclusion(mine)}"


def _conclusion(mine: pd.DataFrame) -> str:
    """The refined claim, where everything was settled."""
    if (mine["answer"] == "not settled").any():
        return "Not every case was settled."
    ways = [f"with {deaths(row.deaths_before)} up to that day {DAYS[row.equal_days]}"
            for row in mine[mine["answer"] == "possible"].itertuples()]
    only = "only with every death in remission after that day"
    return ("**So one printed p can stand for both readings " + only
            + (f", or {', or '.join(ways)}" if ways else "") + ".**")


def _listed(rows: pd.DataFrame) -> str:
    """Answers in words, one clause a number of deaths; numbers with the same answer together."""
    clauses: dict[str, list[int]] = {}
    for count, mine in rows.groupby("deaths_before"):
        words = []
        for row in mine.itertuples():
            numbers = f" (p = {four(row.p_relapse)} and {four(row.p_relapse_or_death)})"
            words.append(f"{row.answer} {DAYS[row.equal_days]}{numbers if row.answer == 'possible' else ''}")
        clauses.setdefault(", ".join(words), []).append(int(count))
    return "; ".join(f"with {_counts(counts)} it is {words}" for words, counts in clauses.items())


def _counts(counts: list[int]) -> str:
    if len(counts) == 1:
        return deaths(counts[0])
    return f"{', '.join(map(str, counts[:-1]))} or {deaths(counts[-1])}"


def _growth(joint, study: Study) -> str:
    later = joint.intervals[joint.intervals["deaths_before"] > 0]
    spans = [f"{four(row.smallest)} to {four(row.largest)} with {deaths(row.deaths_before)}"
             for row in later.itertuples()]
    said = ("With p of relapse alone printed as published and all days different, p of relapse or death is "
            f"{', '.join(spans)} up to that day.")
    three = joint.early[joint.early["deaths_before"] >= 3]
    if len(three):
        said += (f" Three or more deaths before the first {joint.printed.reference.arm} patient in ongoing remission "
                 f"leaves (about {_when(joint.printed.first_exit, study)}) put it at "
                 f"{four(three['smallest'].min())} or above.")
    held = later["medians"] == "both"
    return said + (" Every one of these ends is attained by a cohort whose median prints the same under both readings, "
                   "so asking for both medians changes none of them." if held.all() else "")


def _when(window, study: Study) -> str:
    return f"{units.from_days((window.lower + window.upper) / 2, study.report_unit):.1f} {study.report_unit}s"


def deaths(count: int) -> str:
    """A number of deaths.

    Examples
    --------
    >>> deaths(1), deaths(2)
    ('1 death', '2 deaths')
    """
    return f"{count} death{'' if count == 1 else 's'}"


def four(p: float) -> str:
    """A p-value with four decimals: with fewer, those beside a window's edge would look alike.

    Examples
    --------
    >>> four(0.0753306)
    '0.0753'
    """
    return f"{p:.4f}"


def sample_table(joint) -> pd.DataFrame:
    """Random cohorts by their number of deaths before the last exit.

    Parameters
    ----------
    joint : Joint
        From `both_readings.analyse`.

    Returns
    -------
    DataFrame
        Cohorts drawn; those whose p of relapse alone, and whose both p-values, print as published; the smallest and
        largest p of relapse or death among the former.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> sample_table(analyse(pd.DataFrame(columns=["result_id"]), one)).empty
    True
    """
    if joint.printed is None:
        return pd.DataFrame(columns=SAMPLE)
    window = joint.printed.p_lower, joint.printed.p_upper
    alone, either = (joint.sample[name].between(*window, inclusive="left")
                     for name in ("p_relapse", "p_relapse_or_death"))
    rows = []
    for count, mine in joint.sample.groupby("deaths_before"):
        here = mine[alone[mine.index]]["p_relapse_or_death"]
        rows.append((int(count), len(mine), len(here), int((alone & either)[mine.index].sum()), here.min(), here.max()))
    return pd.DataFrame(rows, columns=SAMPLE)


def interval_table(joint) -> pd.DataFrame:
    """How far apart the two p-values must be, by the number of deaths before the last exit.

    Parameters
    ----------
    joint : Joint
        From `both_readings.analyse`.

    Returns
    -------
    DataFrame
        Columns `INTERVALS`, p-values as text: the smallest and largest p of relapse or death, a p that nothing passes,
        under which readings the median prints as published, and the smallest p where the deaths are counted to the
        first exit already. A p without a dated cohort is `not dated`.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> interval_table(analyse(pd.DataFrame(columns=["result_id"]), one)).empty
    True
    """
    early = joint.early.set_index("deaths_before")["smallest"]
    rows = []
    for row in joint.intervals.itertuples():
        ends = row.smallest, row.smallest_bound, row.largest, row.largest_bound
        counted_early = _shown(early.loc[row.deaths_before]) if row.deaths_before in early.index else ""
        rows.append((row.deaths_before, *map(_shown, ends), row.medians, counted_early))
    return pd.DataFrame(rows, columns=INTERVALS)


def alike_table(joint) -> pd.DataFrame:
    """Whether both p-values can print as published, by number of deaths and by who may share a day.

    Parameters
    ----------
    joint : Joint
        From `both_readings.analyse`.

    Returns
    -------
    DataFrame
        Columns `ALIKE`, p-values as text, blank where no cohort exists.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> alike_table(analyse(pd.DataFrame(columns=["result_id"]), one)).empty
    True
    """
    rows = [(row.deaths_before, row.longest, DAYS[row.equal_days].removeprefix("even ").removeprefix("if "), row.answer,
             *(four(p) if row.answer == "possible" else "" for p in (row.p_relapse, row.p_relapse_or_death)))
            for row in joint.alike.itertuples()]
    return pd.DataFrame(rows, columns=ALIKE)


def _shown(p: float) -> str:
    return four(p) if p == p else "not dated"


def witness(joint) -> str:
    """The cohort with a death before the last exit whose two p-values come closest to printing alike.

    Parameters
    ----------
    joint : Joint
        From `both_readings.analyse`.

    Returns
    -------
    str
        Markdown: days, arm by arm; one line where there is none.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> witness(analyse(pd.DataFrame(columns=["result_id"]), one))
    'There is no such cohort to show.'
    """
    names = [name for name in joint.witnesses["witness"].unique() if name.startswith(("both alike", "smallest"))]
    names.sort(key=lambda name: not name.startswith("both alike"))
    if not names:
        return "There is no such cohort to show."
    mine = joint.witnesses[joint.witnesses["witness"] == names[0]].sort_values(["time", "code"])
    lines = [f"- **{arm}**, days: {', '.join(f'{row.time}{MARKS[row.code]}' for row in group.itertuples())}"
             for arm, group in mine.groupby("arm", sort=False)]
    return f"Constructed cohort, no evidence ({names[0]}):\n\n" + "\n".join(lines)
