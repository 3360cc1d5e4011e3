"""Tables as received: every cell as text with its line number, nothing cleaned, nothing guessed."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pandas as pd

from remission import paths, schema
from remission.errors import Problem
from remission.study import Study

#: Column that holds the line number in the file; the header is line 1.
LINE = "_line"
SEPARATORS = (",", ";", "\t")
#: Files of a cohort's folder that are no patient tables.
OTHER_FILES = frozenset({"claims", "external", "readings"})
_CONTROL = frozenset(map(chr, range(32))) - set("\t\n\r\f")


def read(study: Study) -> dict[str, pd.DataFrame]:
    """Read every table of a cohort as text.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of DataFrame
        Tables by file name, those of the contract first. Every column is text ("" where blank) but `_line`, the line
        number in the file. `attrs` of a frame hold what the file itself says: `separator`, `problems` (a file that is
        no table at all) and `ragged` (cells of rows whose number of cells is not the header's, by line).

    Notes
    -----
    Nothing is raised here, so that `cleaning.clean` can report the faults of files and of cells together.

    Examples
    --------
    >>> from remission.study import read as read_study
    >>> list(read(read_study("freireich1963")))[0]
    'patients'
    """
    found = {path.stem: path for path in sorted(paths.raw(study.name).glob("*.csv")) if path.stem not in OTHER_FILES}
    order = [name for name in schema.RAW if name in found] + [name for name in found if name not in schema.RAW]
    return {name: read_table(found[name], name) for name in order}


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Read one CSV file as text; separator comma, semicolon or tab, taken from the header line.

    Parameters
    ----------
    path : Path
    name : str
        Name of the table in messages.

    Returns
    -------
    DataFrame
        As `read` describes; without columns when the file is no table.
    """
    content = path.read_bytes()
    text, fault = _decode(content, name)
    if fault is None and not text.strip():
        fault = Problem(name, "", (), "the file is empty", "export the table again, header line first")
    if fault is None and text.lstrip()[:1] == "<":
        fault = Problem(name, "", (1,), "the file is an HTML page, not a CSV table",
                        "save the table itself, not the web page that shows it")
    if fault is not None:
        return _frame([], [], [], problems=[fault])
    separator = sniff(text.splitlines()[0])
    lines, rows = _rows(text, separator)
    header = rows.pop(0)
    lines.pop(0)
    problems = _header_problems(header, name)
    if problems:
        return _frame([], [], [], separator=separator, problems=problems)
    width = len(header)
    ragged = {line: row for line, row in zip(lines, rows, strict=True) if len(row) != width}
    if ragged and 2 * len(ragged) >= len(rows):
        problems.append(Problem(
            name, "", tuple(ragged), f"{len(ragged)} of {len(rows)} rows have not the {width} cells of the header",
            "quote decimal commas in a comma-separated file, or separate by semicolons"))
        ragged = {}
    square = [row if len(row) == width else (row + [""] * width)[:width] for row in rows]
    return _frame(header, square, lines, separator=separator, problems=problems, ragged=ragged)


def sniff(header: str) -> str:
    """Separator of a header line: the candidate that occurs most often outside quotes, the comma in a tie.

    Examples
    --------
    >>> sniff("patient_id;arm;sex")
    ';'
    """
    bare = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def overview(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What came: rows, columns and separator of each table.

    Parameters
    ----------
    tables : dict of DataFrame
        From `read`.

    Returns
    -------
    DataFrame
        One row a table: table, rows, columns, separator, extra (columns that the contract does not name).
    """
    words = {",": "comma", ";": "semicolon", "\t": "tab", "": ""}
    made = []
    for name, frame in tables.items():
        known = known_columns(name)
        columns = [column for column in frame.columns if column != LINE]
        extra = ", ".join(column for column in columns if column not in known)
        made.append({"table": name, "rows": len(frame), "columns": len(columns),
                     "separator": words[frame.attrs.get("separator", "")], "extra": extra})
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


def _decode(content: bytes, name: str) -> tuple[str, Problem | None]:
    """Text of a file, or why it has none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        binary = b"\x00" in content or content[:2] == b"PK"
        what = "not a text file" if binary else f"not UTF-8 (byte 0x{content[error.start]:02x})"
        return "", Problem(name, "", (line,), what, "export the table as CSV, character set UTF-8")
    if not _CONTROL.isdisjoint(text):
        first = min(text.index(sign) for sign in _CONTROL.intersection(text))
        line = text[:first].count("\n") + 1
        return "", Problem(name, "", (line,), "not a text file: it holds control characters",
                           "export the table as CSV, character set UTF-8")
    return text, None


def _rows(text: str, separator: str) -> tuple[list[int], list[list[str]]]:
    """Rows of a CSV text with the line each begins on; lines without any character are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines, rows, line = [], [], 1
    for row in reader:
        if row:
            lines.append(line)
            rows.append(row)
        line = reader.line_num + 1
    return lines, rows


def _header_problems(header: list[str], name: str) -> list[Problem]:
    clean = [cell.strip() for cell in header]
    if "" in clean:
        place = clean.index("") + 1
        return [Problem(name, "", (1,), f"column {place} has no name", "name it or delete it")]
    twice = sorted({cell for cell in clean if clean.count(cell) > 1})
    return [Problem(name, column, (1,), "the header names this column twice", "keep one of them") for column in twice]


def _frame(header: list[str], rows: list[list[str]], lines: list[int], *, separator: str = "",
           problems: list[Problem] | None = None, ragged: dict[int, list[str]] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=header, dtype=object)
    frame[LINE] = pd.Series(lines, dtype="int64", index=frame.index)
    frame.attrs = {"separator": separator, "problems": problems or [], "ragged": ragged or {}}
    return frame
