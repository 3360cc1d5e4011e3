"""Tables as received: every cell as text with its line number, nothing cleaned, nothing guessed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from remission import checks, paths, schema
from remission.raw import grid, text, workbook
from remission.raw.grid import LINE
from remission.raw.text import SEPARATORS, sniff
from remission.study import Study

__all__ = ["LINE", "SEPARATORS", "files", "fingerprint", "known_columns", "overview", "read", "read_table", "sniff"]

#: Files of a cohort's folder that are no patient tables.
OTHER_FILES = frozenset({"claims", "readings", "external"})
TEXT, WORKBOOK = (".csv",), (".xlsx", ".xlsm")
#: Formats that are not read, and the check that says so.
UNREAD = {".xls": "old_workbook"} | dict.fromkeys(
    (".xlsb", ".ods", ".numbers", ".tsv", ".txt", ".sav", ".sas7bdat", ".xpt", ".dta", ".rds", ".rdata", ".json",
     ".xml", ".html", ".htm", ".pdf", ".docx", ".doc", ".mdb", ".accdb", ".zip", ".gz", ".parquet"), "other_format")
#: Those of them that may hold all tables under any name.
SPREADSHEETS = (".xls", ".xlsb", ".ods", ".numbers")


def files(cohort: str) -> list[Path]:
    """Files of a cohort's folder from which `read` takes tables, sorted by name.

    Examples
    --------
    >>> [path.name for path in files("freireich1963")]
    ['disposition.csv', 'patients.csv', 'remission_events.csv']
    """
    return [path for path in _folder(cohort) if path.suffix.lower() in TEXT + WORKBOOK]


def _folder(cohort: str) -> list[Path]:
    """Files that a user put into the folder; not those that a program left there while a file was open."""
    home = paths.raw(cohort)
    return [path for path in (sorted(home.iterdir()) if home.is_dir() else ())
            if not path.name.startswith((".", "~$")) and path.stem not in OTHER_FILES]


def read(study: Study, *, packed: bool = False) -> dict[str, pd.DataFrame]:
    """Read every table of a cohort as text.

    Parameters
    ----------
    study : Study
    packed : bool
        Hold the texts of a column as categories, "" among them: a large cohort takes a tenth of the memory.

    Returns
    -------
    dict of DataFrame
        Tables by name, those of the contract first. Every column is text ("" where blank) but `_line`, the line number
        in the file or the row of the sheet. `attrs` of a frame hold what the file itself says: `source` (file, and
        sheet), `separator`, `problems` (a file that is no table at all), `ragged` (cells of rows whose number of cells
        is not the header's, by line) and `notes` (what was repaired or is worth a question: rule, column, line or -1,
        before, after).

    Notes
    -----
    A table is `<table>.csv`, `<table>.xlsx`, or a sheet of that name in any workbook. Nothing is raised here, so that
    `cleaning.clean` can report the faults of files and of cells together.

    Examples
    --------
    >>> from remission.study import read as read_study
    >>> list(read(read_study("freireich1963")))[0]
    'patients'
    """
    found: dict[str, list[pd.DataFrame]] = {}
    for path in files(study.name):
        for name, frame in _open(path, study.decimal, packed).items():
            found.setdefault(name, []).append(frame)
    for name, frame in _unread(study.name, set(found)):
        found.setdefault(name, []).append(frame)
    order = [name for name in schema.RAW if name in found] + [name for name in found if name not in schema.RAW]
    return {name: found[name][0] if len(found[name]) == 1 else _twice(name, found[name]) for name in order}


def _open(path: Path, decimal: str, packed: bool) -> dict[str, pd.DataFrame]:
    """Tables of one file."""
    if path.suffix.lower() in WORKBOOK:
        made = workbook.read(path, decimal)
        made = {name: grid.packed(frame) for name, frame in made.items()} if packed else made
    else:
        made = {_name(path): read_table(path, _name(path), packed=packed)}
    for name, frame in made.items():
        if name == grid.plain(path.stem) and path.stem != name and name in schema.RAW:
            frame.attrs["notes"] = [("table_name", "", -1, path.name, name), *frame.attrs["notes"]]
    return made


def _name(path: Path) -> str:
    """Name of the table in a file: the contract's spelling where it is one of its tables."""
    return grid.plain(path.stem) if grid.plain(path.stem) in schema.RAW else path.stem


def read_table(path: Path, name: str, *, packed: bool = False) -> pd.DataFrame:
    """Read one CSV file as text; separator comma, semicolon, tab or bar, taken from the header line.

    Parameters
    ----------
    path : Path
    name : str
        Name of the table in messages.
    packed : bool
        As in `read`.

    Returns
    -------
    DataFrame
        As `read` describes; without columns when the file is no table.
    """
    try:
        return text.read(path.read_bytes(), name, path.name, packed=packed)
    except OSError as error:
        fault = checks.problem("unreadable_file", name, what=f"the file cannot be opened: {error.strerror}")
        return grid.table(name, (), source=path.name, problems=[fault])


def _unread(cohort: str, have: set[str]) -> list[tuple[str, pd.DataFrame]]:
    """Files in formats that are not read: those named like a table, and workbooks while a required table is missing."""
    missing = any(table.required and table.name not in have for table in schema.RAW.values())
    made = []
    for path in _folder(cohort):
        rule, name = UNREAD.get(path.suffix.lower()), grid.plain(path.stem)
        if rule and (name in schema.RAW or (missing and path.suffix.lower() in SPREADSHEETS)):
            fault = checks.problem(rule, name, what=f"{path.name} is not read: its format is {path.suffix.lower()[1:]}")
            made.append((name, grid.table(name, (), source=path.name, problems=[fault])))
    return made


def _twice(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """A table that came in several files: none of them is taken."""
    sources = " and ".join(frame.attrs["source"] for frame in frames)
    if name not in schema.RAW:
        return grid.frame({}, [], source=sources)
    fault = checks.problem("two_files", name, what=f"the table came more than once: {sources}")
    return grid.table(name, (), source=sources, problems=[fault])


def overview(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What came: rows, columns and separator of each table.

    Parameters
    ----------
    tables : dict of DataFrame
        From `read`.

    Returns
    -------
    DataFrame
        One row a table: table, rows, columns, separator ("sheet" for a workbook), extra (columns that the contract
        does not name).
    """
    words = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "": ""}
    made = []
    for name, frame in tables.items():
        known = known_columns(name)
        columns = [column for column in frame.columns if column != LINE]
        extra = ", ".join(column for column in columns if column not in known)
        sign = frame.attrs.get("separator", "")
        sheet = "sheet" if ", sheet " in frame.attrs.get("source", "") else ""
        made.append({"table": name, "rows": len(frame), "columns": len(columns),
                     "separator": words.get(sign, sign) or sheet, "extra": extra})
    return pd.DataFrame(made, columns=["table", "rows", "columns", "separator", "extra"])


def known_columns(name: str) -> set[str]:
    """Columns that the contract names for a table, study-time twins of the dates among them."""
    if name not in schema.RAW:
        return set()
    names = schema.RAW[name].names
    return set(names) | {schema.DAY_COLUMN[column] for column in names if column in schema.DAY_COLUMN}


def fingerprint(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Fingerprint of every raw column, so that a change of any single cell shows.

    Parameters
    ----------
    tables : dict of DataFrame
        From `read`.

    Returns
    -------
    DataFrame
        One row a column: table, column, rows, blank, distinct, sha256 (first 12 hexadecimal digits of the hash of the
        cells in file order).

    Examples
    --------
    >>> print(fingerprint({"t": pd.DataFrame({"a": ["1", ""]})}).to_string(index=False))
    table column  rows  blank  distinct       sha256
        t      a     2      1         2 2b8d9cc6944c
    """
    made = []
    for name, frame in tables.items():
        for column in frame.columns.drop(LINE, errors="ignore"):
            cells = frame[column]
            digest = hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()[:12]
            made.append({"table": name, "column": column, "rows": len(cells), "blank": int((cells == "").sum()),
                         "distinct": cells.nunique(), "sha256": digest})
    return pd.DataFrame(made, columns=["table", "column", "rows", "blank", "distinct", "sha256"])
