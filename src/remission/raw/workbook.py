"""Workbooks (xlsx) as tables: each cell as the text that the program shows, at full precision."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from remission import checks, schema
from remission.errors import Problem
from remission.raw import grid
from remission.raw.encoding import Note

#: Unpacked size beyond which a workbook is not opened: no export of ten tables comes near it.
LARGEST = 2 * 1024 ** 3
#: Merged ranges named one by one.
MERGES_NAMED = 50
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]+(\d+)[^"]*)"')
_HIDDEN = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*?\br="(\d+)"')
_HIDDEN_COLUMNS = re.compile(rb'<(?:\w+:)?col\b(?=[^>]*\bhidden="(?:1|true)")[^>]*>')
#: Formula without a saved result; a saved empty text has the type `str`.
_UNSAVED = re.compile(rb'<(?:\w+:)?c\b([^>]*?)\br="([A-Z]+\d+)"([^>]*)>\s*'
                      rb'<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>([^<]*)</(?:\w+:)?f>)'
                      rb'\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>')


def read(path: Path, decimal: str = ".") -> dict[str, pd.DataFrame]:
    """Read the tables of one workbook.

    Parameters
    ----------
    path : Path
        A workbook named like a table and holding it alone, or any workbook whose sheets are named like tables.
    decimal : str
        Decimal sign of the study: numbers are written with it, as the program would show them.

    Returns
    -------
    dict of DataFrame
        As `raw.read` describes; `_line` is the row of the sheet. Sheets that are no table of the contract come without
        rows, beside others that are. A workbook that cannot be opened is one table with that problem.

    Notes
    -----
    Dates come with the workbook's own epoch as YYYY-MM-DD. Numbers have the 15 digits that spreadsheets keep; a
    percentage is written as such, as its cell holds a hundredth of what the reader sees; a format of zeros keeps
    leading zeros. A formula is its saved result; without one the cell is the formula itself, which no reader takes.
    """
    stem = grid.plain(path.stem)
    try:
        with warnings.catch_warnings():
            # Styles and extensions that are not understood do not touch values.
            warnings.simplefilter("ignore")
            return _tables(path, stem, decimal)
    except _TooLarge as error:
        fault = checks.problem("broken_workbook", stem, what=str(error), mend="export the tables as CSV")
    except OSError as error:
        fault = checks.problem("unreadable_file", stem, what=f"the workbook cannot be opened: {error.strerror}")
    except Exception:  # a damaged workbook fails anywhere in the reader, with any error
        fault = _broken(path, stem)
    return {stem: grid.table(stem, (), source=path.name, problems=[fault])}


class _TooLarge(ValueError):
    """The workbook would unpack into more than memory should hold."""


def _broken(path: Path, stem: str) -> Problem:
    with path.open("rb") as handle:
        start = handle.read(4)
    if start == b"\xd0\xcf\x11\xe0":
        return checks.problem("broken_workbook", stem, what="the workbook is protected by a password, or in the format "
                              "before 2007", mend="save it again as xlsx, without password")
    what = "the workbook is damaged" if start[:2] == b"PK" else "the file is no workbook, although its name says xlsx"
    return checks.problem("broken_workbook", stem, what=what, mend="save it again as xlsx, or export CSV")


def _tables(path: Path, stem: str, decimal: str) -> dict[str, pd.DataFrame]:
    import openpyxl  # here, as it takes a quarter of a second and most cohorts have no workbook

    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST:
            raise _TooLarge(f"the workbook unpacks into more than {LARGEST // 1024 ** 3} GB")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        names = {title: grid.plain(title) for title in sheets}
        known = [title for title in sheets if names[title] in schema.RAW]
        if not known and stem not in schema.RAW:
            return {stem: grid.frame({}, [], source=path.name)}
        if known:
            made: dict[str, pd.DataFrame] = {}
            for title in known:
                made[names[title]] = _again(names[title], path) if names[title] in made else _sheet(
                    path, sheets[title], names[title], decimal)
            made |= {f"{stem}.{names[title]}": grid.frame({}, [], source=f"{path.name}, sheet {title}")
                     for title in sheets if title not in known}
            return made
        full = [title for title in sheets if any(_cells(sheets[title], decimal, {}))]
        if len(full) > 1:
            fault = checks.problem("which_sheet", stem, what=f"the workbook has {len(full)} sheets with content, none "
                                   f"named {stem}", mend=f"name the sheet that holds the table {stem}")
            return {stem: grid.table(stem, (), source=path.name, problems=[fault])}
        return {stem: _sheet(path, sheets[full[0]] if full else None, stem, decimal)}
    finally:
        book.close()


def _again(name: str, path: Path) -> pd.DataFrame:
    fault = checks.problem("two_files", name, what=f"two sheets of {path.name} are named {name}",
                           mend="keep one of them")
    return grid.table(name, (), source=path.name, problems=[fault])


def _sheet(path: Path, sheet: Any, name: str, decimal: str) -> pd.DataFrame:
    """One sheet as a table."""
    if sheet is None:
        return grid.table(name, (), source=path.name)
    notes, unsaved = _look(path, sheet)
    if sheet.title != name and grid.plain(sheet.title) == name:
        notes.insert(0, ("table_name", "", -1, sheet.title, name))
    found = list(_cells(sheet, decimal, unsaved))
    width = max((len(row) for _, row in found), default=0)
    rows = ((line, row + [""] * (width - len(row))) for line, row in found)
    return grid.table(name, rows, source=f"{path.name}, sheet {sheet.title}", notes=notes)


def _cells(sheet: Any, decimal: str, unsaved: dict[tuple[int, int], str]):
    """Rows of a sheet that hold anything, with their number and without blank cells at their end."""
    # What the file says of its own size is often wrong.
    sheet.reset_dimensions()
    for line, row in enumerate(sheet.iter_rows(), 1):
        texts = [_text(cell, decimal) if cell.value is not None else "" for cell in row]
        if unsaved:
            ends = [place for at, place in unsaved if at == line]
            texts += [""] * (max(ends, default=0) - len(texts))
            for place in ends:
                texts[place - 1] = texts[place - 1] or unsaved[line, place]
        while texts and not texts[-1].strip():
            texts.pop()
        if texts:
            yield line, texts


def _text(cell: Any, decimal: str) -> str:
    """What a cell shows."""
    value = cell.value
    if isinstance(value, str):
        return value.replace("_x000D_", "")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        clock = value.time() != dt.time()
        return value.isoformat(sep=" ", timespec="seconds") if clock else value.date().isoformat()
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "General", decimal)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _number(value: float, style: str, decimal: str) -> str:
    """A number as the study writes numbers, at the precision that spreadsheets keep.

    Examples
    --------
    >>> _number(0.1 + 0.2, "General", ","), _number(0.0005, "0.00%", ","), _number(7, "000", ",")
    ('0,3', '0,05%', '007')
    """
    if re.fullmatch("0{2,}", style) and value >= 0 and value == int(value):
        return str(int(value)).zfill(len(style))
    percent = "%" in re.sub(r'"[^"]*"|\\.', "", style)
    text = format(Decimal(format(value * 100 if percent else value, ".15g")), "f")
    return text.replace(".", decimal) + ("%" if percent else "")


def _look(path: Path, sheet: Any) -> tuple[list[Note], dict[tuple[int, int], str]]:
    """What the cells do not tell: merged ranges, hidden rows and columns, formulas without a saved result."""
    from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

    with zipfile.ZipFile(path) as archive:
        content = archive.read(sheet._worksheet_path)
    notes: list[Note] = []
    if sheet.sheet_state != "visible":
        notes.append(("hidden_rows", "", -1, f"the sheet {sheet.title} is hidden", "read like any other"))
    merged = [(found[1].decode(), int(found[2])) for found in _MERGED.finditer(content)]
    notes += [("merged_cells", "", line, cells, "unchanged; only the first cell holds the value")
              for cells, line in merged[:MERGES_NAMED]]
    if merged[MERGES_NAMED:]:
        notes.append(("merged_cells", "", -1, f"{len(merged) - MERGES_NAMED} more ranges", "unchanged"))
    hidden = [found[1].decode() for found in _HIDDEN.finditer(content)]
    if hidden:
        more = f" and {len(hidden) - 8} more" if hidden[8:] else ""
        notes.append(("hidden_rows", "", -1, f"hidden rows {', '.join(hidden[:8])}{more}", "read like any others"))
    if _HIDDEN_COLUMNS.search(content):
        notes.append(("hidden_rows", "", -1, "hidden columns", "read like any others"))
    unsaved = {}
    for found in _UNSAVED.finditer(content) if re.search(rb"<(?:\w+:)?f\b", content) else ():
        if b't="str"' in found[1] + found[3] and b"v>" in found[0]:
            continue
        letters, row = coordinate_from_string(found[2].decode())
        formula = (found[4] or b"").decode("utf-8", "replace")
        unsaved[row, column_index_from_string(letters)] = f"={formula}"
    return notes, unsaved
