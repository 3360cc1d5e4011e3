"""What a cohort's tables hold, finding by finding and row by row: of a large cohort, a few patients at a time.

The cells of a large cohort are held as categories, a few bytes each, and read in blocks of whole patients by the same
rules as a small cohort's. What needs all rows is settled apart: files, columns and identifiers of persons, the order
of day and month in a column, arms, medians.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from remission import cleaning, privacy, raw, schema
from remission.cleaning import cells, questions, readers
from remission.cleaning.audit import QUERY_COLUMNS, REPAIR_COLUMNS, Audit, join_repairs
from remission.errors import Problem
from remission.study import Study

#: Files larger than this together (bytes) are read in blocks.
LARGE = 20_000_000
#: Rows of a block, over all tables; one patient is never divided.
ROWS = 250_000


@dataclass(frozen=True)
class Survey:
    """What was found: `problems` stop the run; `queries` ask, or tell which rows are set aside; `repairs` are made.

    `accounts`: one tuple a table: name, and rows read, analysed, set aside, to be mended first. `extra`: tables that
    the contract does not know. `private`: table and column of what identifies persons.
    """

    problems: list[Problem]
    queries: pd.DataFrame
    repairs: pd.DataFrame
    accounts: list[tuple[str, int, int, int, int]]
    extra: list[str]
    private: set[tuple[str, str]]


def survey(study: Study, rows: int | None = None) -> Survey:
    """Look at everything in a cohort's raw tables.

    Parameters
    ----------
    study : Study
    rows : int or None
        Rows of a block; None takes a small cohort as a whole and a large one in blocks of `ROWS`.

    Returns
    -------
    Survey
        The same whatever the blocks are.

    Examples
    --------
    >>> from remission.study import read as read_study
    >>> study = read_study("freireich1963")
    >>> survey(study).accounts == survey(study, rows=10).accounts
    True
    """
    if rows is None and sum(path.stat().st_size for path in raw.files(study.name)) <= LARGE:
        return _at_once(study)
    return _in_blocks(study, rows or ROWS)


def _at_once(study: Study) -> Survey:
    tables = raw.read(study)
    found = cleaning.examine(tables, study)
    lines = {name: audit.lines[~audit.kept].to_numpy() for name, audit in found.audits.items()}
    return _survey(tables, found.problems, [_Told.of(found.audits)], lines)


@dataclass(frozen=True)
class _Told:
    """Queries and repairs of the audits of a part."""

    queries: pd.DataFrame
    repairs: pd.DataFrame

    @classmethod
    def of(cls, audits: dict[str, Audit]) -> _Told:
        queries = [found for audit in audits.values() if len(found := audit.queries())]
        repairs = [found for audit in audits.values() if len(found := audit.repairs())]
        return cls(pd.concat(queries) if queries else pd.DataFrame(columns=QUERY_COLUMNS),
                   pd.concat(repairs) if repairs else pd.DataFrame(columns=REPAIR_COLUMNS))


def _survey(tables: dict[str, pd.DataFrame], problems: list[Problem], told: list[_Told],
            aside: dict[str, np.ndarray]) -> Survey:
    """Parts put together; `aside`: lines of the rows set aside, by table that could be read."""
    queries = [one.queries for one in told if len(one.queries)] or [told[0].queries]
    queries = pd.concat(queries, ignore_index=True).astype({"line": "Int64"})
    repairs = [one.repairs for one in told if len(one.repairs)] or [told[0].repairs]
    veiled = _veiled(queries, problems)
    for name, lines in queries[veiled].groupby("table")["line"]:
        aside[name] = np.setdiff1d(aside[name], lines.to_numpy(dtype="int64"))
    return Survey(problems, queries[~veiled].reset_index(drop=True), join_repairs(repairs),
                  _accounts(tables, problems, aside), [name for name in tables if name not in schema.RAW],
                  privacy.refused(problems))


def _veiled(queries: pd.DataFrame, problems: list[Problem]) -> pd.Series:
    """Queries about a blank cell that was blanked for privacy: it was named already, and is to be mended first."""
    made = pd.Series(False, queries.index)
    for problem in problems:
        if problem.code.startswith("P"):
            mine = (queries["table"] == problem.table) & (queries["column"] == problem.column)
            made |= mine & (queries["rule"] == "missing_value") & queries["line"].isin(problem.rows)
    return made


def _accounts(tables: dict[str, pd.DataFrame], problems: list[Problem],
              aside: dict[str, np.ndarray]) -> list[tuple[str, int, int, int, int]]:
    """Where every row that was read has gone."""
    blamed: dict[str, set[int]] = {}
    for problem in problems:
        blamed.setdefault(problem.table, set()).update(problem.rows)
    made = []
    for name, frame in tables.items():
        read = len(frame)
        if name in schema.RAW and name not in aside:
            made.append((name, read, 0, 0, read))
        elif name in schema.RAW:
            held = len(blamed.get(name, set()).intersection(frame[raw.LINE].tolist()).difference(aside[name].tolist()))
            made.append((name, read, read - len(aside[name]) - held, len(aside[name]), held))
    return made


def _in_blocks(study: Study, rows: int) -> Survey:
    tables = raw.read(study, packed=True)
    named, renamed, problems = cleaning.first_look(tables, study)
    usable = cleaning.readable(named, problems)
    attributes = {name: frame.attrs for name, frame in usable.items()}
    for frame in usable.values():
        frame.attrs = {}  # they would be copied with every step
    orders = {name: _orders(frame, name, study) for name, frame in usable.items()}
    lost = _no_cell(usable["remission_events"]) if "remission_events" in usable else None
    parts, told, aside = [], [], {name: [] for name in usable}
    for number, block in enumerate(_blocks(usable, attributes, study, rows)):
        part = cleaning.look(block, study, renamed, cleaning.Whole(number == 0, orders, lost))
        told.append(_Told.of(part.audits))
        for name, audit in part.audits.items():
            aside[name].append(audit.lines[~audit.kept].to_numpy())
        parts.append(cleaning.Part({}, {}, part.faults, part.found, part.tally))
    if tallies := [part.tally for part in parts if part.tally is not None]:
        told.append(_Told.of(_ask_whole(tallies, usable)))
    return _survey(tables, cleaning.judge(parts, problems, study), told,
                   {name: np.concatenate(lines) for name, lines in aside.items()})


def _ask_whole(tallies: list[questions.Tally], usable: dict[str, pd.DataFrame]) -> dict[str, Audit]:
    """Record of the questions that only the whole cohort answers."""
    lines = {"patients": []}
    if "laboratory" in usable:
        lines["laboratory"] = questions.far(tallies).index
    audits = {name: _record(usable[name], name, wanted) for name, wanted in lines.items()}
    questions.ask_whole(tallies, audits)
    return audits


def _record(frame: pd.DataFrame, name: str, lines: pd.Index | list[int]) -> Audit:
    """An empty record of some rows, with their patients."""
    received = _texts(frame[frame[raw.LINE].isin(lines)])
    audit = Audit(name, received)
    audit.patients = cells.stripped(received, Audit(name, received))["patient_id"]
    return audit


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a packed table as texts."""
    return frame.astype(dict.fromkeys(frame.columns.drop(raw.LINE), object)).reset_index(drop=True)


def _no_cell(frame: pd.DataFrame) -> bool:
    """Whether no cell of a packed table is filled."""
    return not any(text.strip() for column in frame.columns.drop(raw.LINE) for text in frame[column].unique())


def _distinct(frame: pd.DataFrame, column: str, name: str, study: Study) -> pd.Series:
    """Distinct texts of a packed column as their reader gets them, by text as received."""
    texts = np.asarray(frame[column].unique(), dtype=object)
    received = pd.DataFrame({column: texts, raw.LINE: np.arange(len(texts))})
    audit = Audit(name, received)
    return cells.forget_defects(cells.stripped(received, audit), name, study, audit)[column].set_axis(texts)


def _orders(frame: pd.DataFrame, name: str, study: Study) -> dict[str, readers.Order]:
    """Order of day and month of every date column, from all its texts."""
    return {column.name: readers.column_order(_distinct(frame, column.name, name, study).unique(), study.date_order)
            for column in cells.declared(name, study).columns if column.kind == "date" and column.name in frame}


def _patients(frame: pd.DataFrame, name: str, study: Study) -> pd.Series:
    """Patient of every row of a packed table, missing where it has none."""
    texts = _distinct(frame, "patient_id", name, study)
    read = cells.read_values(texts.reset_index(drop=True), name, schema.RAW[name]["patient_id"], study,
                             Audit(name, pd.DataFrame({raw.LINE: np.arange(len(texts))})))
    return frame["patient_id"].map(dict(zip(texts.index, read, strict=True))).astype(object)


def _blocks(usable: dict[str, pd.DataFrame], attributes: dict[str, dict], study: Study,
            rows: int) -> Iterator[dict[str, pd.DataFrame]]:
    """The tables in blocks of whole patients, about `rows` rows each; rows without a patient are spread over them."""
    codes, patients = {}, pd.Index([], dtype=object)
    for name, frame in usable.items():
        codes[name], patients = _numbered(_patients(frame, name, study), patients)
    each = sum((np.bincount(code[code >= 0], minlength=len(patients)) for code in codes.values()),
               np.zeros(len(patients), dtype=int))
    nobody = sum(int((code < 0).sum()) for code in codes.values())
    total = int(each.sum()) + nobody
    count = max(1, min(-(-total // rows), len(patients)))
    block = np.minimum((each.cumsum() - each) * count // max(int(each.sum()), 1), count - 1).astype(np.int32)
    places = {name: _places(code, block, count) for name, code in codes.items()}
    del codes
    for number in range(count):
        yield {name: _part(frame, places[name][number], attributes[name], first=number == 0)
               for name, frame in usable.items()}


def _numbered(who: pd.Series, known: pd.Index) -> tuple[np.ndarray, pd.Index]:
    """Patients as numbers, -1 for none, and all patients met so far."""
    own, names = pd.factorize(who)
    known = known.append(pd.Index(names, dtype=object).difference(known, sort=False))
    place = np.append(known.get_indexer(names), -1).astype(np.int32)
    return place[own], known


def _places(code: np.ndarray, block: np.ndarray, count: int) -> list[np.ndarray]:
    """Rows of each block, in file order."""
    spread = np.arange(len(code), dtype=np.int64) * count // max(len(code), 1)
    mine = np.where(code < 0, spread, np.append(block, 0)[code]).astype(np.int32)
    order = np.argsort(mine, kind="stable").astype(np.int32)
    return np.split(order, np.cumsum(np.bincount(mine, minlength=count))[:-1])


def _part(frame: pd.DataFrame, rows: np.ndarray, attributes: dict, *, first: bool) -> pd.DataFrame:
    """Some rows of a packed table as texts; what was noted of the table as a whole stays with the first part."""
    made = _texts(frame.iloc[rows])
    mine = set(made[raw.LINE])
    notes = attributes.get("notes", ())
    if first and notes:
        every = set(frame[raw.LINE])
        notes = [note for note in notes if note[2] in mine or note[2] not in every]
    else:
        notes = [note for note in notes if note[2] in mine]
    ragged = {line: row for line, row in attributes.get("ragged", {}).items() if line in mine}
    made.attrs = attributes | {"notes": notes, "ragged": ragged}
    return made
