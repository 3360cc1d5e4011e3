"""CSV text as a table: separator, quotes, lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pandas as pd

from remission import checks
from remission.errors import Problem
from remission.raw import grid
from remission.raw.encoding import Note, decode

SEPARATORS = (",", ";", "\t", "|")
#: No header is longer; a quotation mark that never closes would make it the whole file.
HEADER_LENGTH = 10000
#: No cell is longer. The csv module has the same limit, but one for the whole process, and scipy takes it away.
LONGEST = 131072
#: Signs that are split into lines at a time.
PART = 1 << 20
_LINE_END = re.compile(r"\r\n|\r|\n")
#: First line with which a file tells a spreadsheet its separator.
_TOLD = re.compile(r'"?sep=([^"\r\n])"?[ \t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


def read(content: bytes, name: str, source: str = "", *, packed: bool = False) -> pd.DataFrame:
    """Read the content of one CSV file; separator comma, semicolon, tab or bar, taken from the header line.

    Parameters
    ----------
    content : bytes
    name : str
        Name of the table in messages.
    source : str
        Name of the file for readers.
    packed : bool
        Categories in place of texts, as `raw.read` describes.

    Returns
    -------
    DataFrame
        As `raw.read` describes; without columns when the file is no table.

    Examples
    --------
    >>> read(b"sep=;\\npatient_id;arm\\n01;IM\\n", "patients").to_dict("list")
    {'patient_id': ['01'], 'arm': ['IM'], '_line': [3]}
    """
    text, notes, fault = decode(content, name)
    # A large file is not held twice.
    del content
    if fault is None:
        fault = _no_table(text, name)
    if fault is not None:
        return grid.table(name, (), source=source, problems=[fault])
    separator, first, start = "", 0, 0
    if told := _TOLD.match(text):
        separator, first, start = told[1], 1, told.end()
        notes.append(("separator_line", "", -1, told[0].strip(), "passed over"))
    separator = separator or sniff(_header(text, start))
    try:
        return grid.table(name, _rows(text, start, separator, first, name), source=source, separator=separator,
                          notes=notes, packed=packed)
    except _Stray as fault:
        return grid.table(name, (), source=source, separator=separator, notes=notes, problems=[fault.problem])


def sniff(header: str) -> str:
    """Separator of a header line: the candidate that occurs most often outside quotes, the comma in a tie.

    Examples
    --------
    >>> sniff("patient_id;arm;sex")
    ';'
    """
    bare = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def _lines(text: str, start: int) -> Iterator[str]:
    """Lines of a text from a place on, each with its end; by parts, as a buffer takes four bytes a sign."""
    while start < len(text):
        cut = _LINE_END.search(text, start + PART)
        end = cut.end() if cut else len(text)
        yield from io.StringIO(text[start:end], newline="")
        start = end


def _header(text: str, start: int) -> str:
    """The first line that holds anything, and those after it over which a quoted name runs."""
    header = ""
    for line in _lines(text, start):
        header += line if header or line.strip() else ""
        if header and (header.count('"') % 2 == 0 or len(header) > HEADER_LENGTH):
            break
    return header


def _no_table(text: str, name: str) -> Problem | None:
    """A text that is something else than a table."""
    start = text.lstrip()[:1]
    if not start:
        return checks.problem("empty_file", name, what="the file is empty")
    if start == "<":
        return checks.problem("not_a_table", name, "", (1,), "the file is an HTML page or XML, not a CSV table",
                              "save the table itself, not the web page that shows it")
    if start in "{[":
        return checks.problem("not_a_table", name, "", (1,), "the file is JSON, not a CSV table")
    return None


class _Stray(Exception):
    """A quotation mark after which nobody can say where a row ends."""

    def __init__(self, name: str, line: int, what: str):
        self.problem = checks.problem("stray_quote", name, "", (line,), what)


def _rows(text: str, start: int, separator: str, first: int, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV text with the line each begins on; lines without any character are passed over."""
    reader = csv.reader(_lines(text, start), delimiter=separator, strict=True)
    width, line = 0, 1
    try:
        for row in reader:
            if row:
                width = width or len(row)
                if max(map(len, row)) > LONGEST:
                    raise csv.Error("too long")
                if reader.line_num > line and _swallows(row, width, separator):
                    what = f"a quoted cell runs on to line {reader.line_num + first} and holds whole rows"
                    raise _Stray(name, line + first, what)
                yield line + first, row
            line = reader.line_num + 1
    except csv.Error as error:
        what = ("a quotation mark opens a cell that is never closed" if "end of data" in str(error) else
                "a quotation mark inside a quoted cell" if "expected after" in str(error) else
                f"a cell that is too long: {LONGEST} characters and more")
        raise _Stray(name, line + first, what) from error


def _swallows(row: list[str], width: int, separator: str) -> bool:
    """Whether a line inside a cell has as many separators as a row."""
    return width > 1 and any(inner.count(separator) >= width - 1 for cell in row if "\n" in cell or "\r" in cell
                             for inner in re.split(r"\r\n|\r|\n", cell))


__all__ = ["SEPARATORS", "Note", "read", "sniff"]
