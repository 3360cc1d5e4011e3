"""Small cells: counts of fewer than a few patients hidden in tables that leave the house, at the cohort's own choice.

`[report] suppress_below = 5` in `study.toml` turns this on. A count of 1 to 4 is shown as `<5`, one that leaves 1 to 4
others as more than the rest; percentages and intervals, which give the count back, go with it. Where a total or the
other parts of one would still give a hidden count back, a further count is hidden.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

HIDDEN = "not shown"
#: Sums are looked for among so few lines or columns only; longer lists are no parts of one whole.
MOST_PARTS = 8
_OF = re.compile(r"\b(\d+) of (\d+)(?: \([^)]*\))?")
_SIZE = re.compile(r"\bN = (\d+)")


@dataclass(frozen=True)
class Sum:
    """Counts that add up to a total: places of the parts, and the place of the total or a number of patients."""

    parts: tuple[tuple[int, int], ...]
    total: tuple[int, int] | int

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """Places of all counts involved."""
        return self.parts if isinstance(self.total, int) else (*self.parts, self.total)


def small(count: float, limit: int) -> bool:
    """Whether a count is to be hidden: at least one, and below the limit.

    Examples
    --------
    >>> [small(count, 5) for count in (0, 1, 4, 5)]
    [False, True, True, False]
    """
    return bool(count > 0) and bool(count < limit)


def words(count: int, size: int, limit: int) -> str:
    """A count among `size` patients, no finer than the limit allows.

    Examples
    --------
    >>> words(2, 19, 5), words(17, 19, 5), words(9, 19, 5), words(0, 19, 5), words(2, 4, 5)
    ('<5 of 19', '>14 of 19', '9 of 19', '0 of 19', 'not shown')
    """
    if small(size, limit):
        return HIDDEN
    if small(count, limit):
        return f"<{limit} of {size}" if size > limit else HIDDEN
    if small(size - count, limit):
        return f">{size - limit} of {size}"
    return f"{count} of {size}"


def in_text(text: str, limit: int) -> str:
    """Hide small counts wherever a text says "x of n"; a limit of 0 hides nothing.

    Examples
    --------
    >>> in_text("Rash 2 of 12 (16.7%, 95% CI 2.1 to 48.4); Fever 6 of 12 (50%)", 5)
    'Rash <5 of 12; Fever 6 of 12 (50%)'
    """
    def hide(found: re.Match) -> str:
        count, size = int(found[1]), int(found[2])
        return found[0] if not _hides(count, size, limit) else words(count, size, limit)

    return _SIZE.sub(lambda found: f"N < {limit}" if small(int(found[1]), limit) else found[0],
                     _OF.sub(hide, text)) if limit else text


def _hides(count: float, size: float, limit: int) -> bool:
    return small(count, limit) or small(size - count, limit) or small(size, limit)


def displays(rows: pd.DataFrame, limit: int) -> pd.Series:
    """Display strings of results without small counts.

    Parameters
    ----------
    rows : DataFrame
        Results, from `results.frame` or `results.load`; their numbers are not changed.
    limit : int
        Counts below it are hidden; 0 hides none.

    Returns
    -------
    Series
        One string a row.

    Notes
    -----
    Each row is taken by itself. A table of several counts needs `hide`, which knows what adds up.

    Examples
    --------
    >>> from remission import results
    >>> one = results.row("ae", "Rash", "all", "IM", "any", 2, unit="n", n=12, method="", display="2 of 12 (17%)")
    >>> displays(results.frame([one]), 5).tolist()
    ['<5 of 12']
    """
    return pd.Series([_display(one, limit) for one in rows.itertuples()], index=rows.index, dtype=object)


def _display(one, limit: int) -> str:
    if not limit:
        return one.display
    size = float("nan") if pd.isna(one.n) else float(one.n)
    events = float("nan") if pd.isna(one.events) else float(one.events)
    if small(size, limit):
        return f"{HIDDEN}: fewer than {limit} patients"
    said = in_text(one.display, limit)
    if said != one.display:
        return said
    share = one.unit == "%" and size > 0 and abs(one.value - 100 * events / size) < 0.05
    rate = small(events, limit) and re.match(r"\d+ in ", one.display)
    if share and _hides(events, size, limit):
        return words(int(events), int(size), limit)
    if rate:
        return f"<{limit}{one.display[rate.end() - 4:].partition(':')[0]}"
    if one.unit == "n" and small(one.value, limit) and re.match(rf"{one.value:g}\b", one.display):
        return f"<{limit}"
    return one.display


def hide(counts: pd.DataFrame, sizes: pd.Series, groups: pd.Series, limit: int) -> pd.DataFrame:
    """Decide which counts of a table to hide: small ones, and those that would give a small one back.

    Parameters
    ----------
    counts : DataFrame
        One line a statistic, one column an arm or population; NaN where a cell is no count.
    sizes : Series
        Number of patients of each column, by its name.
    groups : Series
        Group of each line; lines of one group may be parts of a whole.
    limit : int

    Returns
    -------
    DataFrame
        Of the same shape: "" where the count may stand, `small` where it or its complement is small, `other` where it
        is hidden on account of others.

    Notes
    -----
    Sums are found in the numbers themselves: lines of a group that add up to the column's patients or to another line,
    columns that add up to another column. A sum by chance hides a count in vain; none is missed among so few lines.
    With two hidden parts of a known sum each must still have more than one possible value.

    Examples
    --------
    >>> counts = pd.DataFrame({"IM, N = 20": [2.0, 7.0, 11.0]})
    >>> hide(counts, pd.Series({"IM, N = 20": 20}), pd.Series("transcript", counts.index), 5)["IM, N = 20"].tolist()
    ['small', 'other', '']
    """
    values = counts.to_numpy(dtype=float)
    marks = np.full(values.shape, "", dtype=object)
    whole = sizes.reindex(counts.columns).to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        close = ((values > 0) & (values < limit)) | ((whole - values > 0) & (whole - values < limit))
    marks[close] = "small"
    marks[:, (whole > 0) & (whole < limit)] = "other"
    sums = _sums(values, whole, groups.to_numpy())
    while True:
        weak = next((one for one in sums if _given_back(one, values, marks, limit)), None)
        if weak is None:
            return pd.DataFrame(marks, index=counts.index, columns=counts.columns)
        open_ = [place for place in weak.cells if marks[place] == ""]
        marks[min(open_, key=lambda place: (values[place] == 0, values[place], place))] = "other"


def _sums(values: np.ndarray, whole: np.ndarray, groups: np.ndarray) -> list[Sum]:
    made = []
    for column in range(values.shape[1]):
        for group in dict.fromkeys(groups):
            lines = [(line, column) for line in np.flatnonzero(groups == group) if not np.isnan(values[line, column])]
            if len(lines) > 1 and sum(values[place] for place in lines) == whole[column]:
                made.append(Sum(tuple(lines), int(whole[column])))
            made += _parts(lines, values)
    for line in range(values.shape[0]):
        columns = np.flatnonzero(~np.isnan(values[line]))
        made += _parts([(line, column) for column in columns], values)
    return made


def _parts(places: list[tuple[int, int]], values: np.ndarray) -> list[Sum]:
    """Sums of two or three counts among a few that make up another one."""
    filled = [place for place in places if values[place] > 0]
    if not 3 <= len(filled) <= MOST_PARTS:
        return []
    return [Sum(parts, total) for size in (2, 3) for parts in combinations(filled, size) for total in filled
            if total not in parts and sum(values[part] for part in parts) == values[total]]


def _given_back(one: Sum, values: np.ndarray, marks: np.ndarray, limit: int) -> bool:
    """Whether a hidden count follows from the others of a sum, and another one could still be hidden."""
    hidden = [place for place in one.cells if marks[place]]
    if not hidden or len(hidden) == len(one.cells):
        return False
    if len(hidden) == 1:
        return True
    if not isinstance(one.total, int) and marks[one.total]:
        return False
    rest = (one.total if isinstance(one.total, int) else values[one.total]) - sum(
        values[place] for place in one.parts if not marks[place])
    if any(marks[place] == "other" or values[place] >= limit for place in hidden):
        return False
    # All hidden ones at the same end of what is possible.
    return bool(np.isin(rest, [len(hidden), len(hidden) * (limit - 1)]))


def nested(columns: list[str], sizes: pd.Series, limit: int) -> dict[str, str]:
    """Columns of a part of an arm that lacks so few of its patients that a difference would tell of them.

    Returns
    -------
    dict of str
        The column of the whole arm, by that of the part.

    Examples
    --------
    >>> sizes = pd.Series({"IM, N = 19": 19, "IM, evaluable, N = 18": 18, "IM, treated, N = 9": 9})
    >>> nested(list(sizes.index), sizes, 5)
    {'IM, evaluable, N = 18': 'IM, N = 19'}
    """
    arms = {column: column.partition(", N = ")[0] for column in columns}
    return {column: other for column in columns for other in columns
            if arms[column].startswith(f"{arms[other]}, ") and small(sizes[other] - sizes[column], limit)}


def cells(frame: pd.DataFrame, columns: list[str], limit: int) -> pd.DataFrame:
    """Strings of a table for publication, with small counts hidden and headings to match.

    Parameters
    ----------
    frame : DataFrame
        From `publication.arrange`, whose attributes hold the numbers behind its strings; without them, only counts that
        a string names as "x of n" are hidden.
    columns : list of str
        Columns that hold cells.
    limit : int

    Returns
    -------
    DataFrame
    """
    counts, sizes = (pd.DataFrame(frame.attrs.get(name, {}), index=frame.index, columns=columns, dtype=float)
                     for name in ("counts", "sizes"))
    found = {column: re.search(r", N = (\d+)", column) for column in columns}
    patients = pd.Series({column: float(one[1]) if one else np.nan for column, one in found.items()}, dtype=float)
    groups = frame["group"] if "group" in frame else pd.Series("", frame.index)
    marks = hide(counts, patients, groups, limit)
    made = frame.copy()
    for column in columns:
        lines = zip(frame[column], counts[column], sizes[column].fillna(patients[column]), marks[column], strict=True)
        made[column] = [_cell(*line, limit) for line in lines]
    for part, whole in nested(columns, patients, limit).items():
        both = (frame[part] != "") & (frame[whole] != "") & counts[part].notna()
        made[part] = made[part].mask(both, HIDDEN)
    return made.rename(columns={column: in_text(column, limit) for column in columns})


def _cell(text: str, count: float, size: float, mark: str, limit: int) -> str:
    if not text or not (mark or small(size, limit)):
        return in_text(text, limit)
    if mark != "small" or small(size, limit):
        return HIDDEN
    said = words(int(count), int(size), limit)
    return said if " of " in text else said.partition(" of ")[0]
