"""From rows of cells to a table: header, edges without content, rows of the wrong length."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, count, islice

import numpy as np
import pandas as pd

from remission import checks, schema
from remission.errors import Problem
from remission.raw.encoding import Note

#: Column that holds the line number in the file, or the row of the sheet; the header is line 1.
LINE = "_line"
#: How far down a header is looked for when the first line is none.
HEADER_SEARCH = 20
#: What the second and third byte of a letter in UTF-8 look like in Latin-1 and Windows-1252.
_TAIL = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_GARBLED = re.compile(f"[ÂÃ]{_TAIL}|â{_TAIL}{_TAIL}|\ufffd")


def plain(name: str) -> str:
    """Name of a table or column without case, spaces and hyphens.

    Examples
    --------
    >>> plain(" Remission Events")
    'remission_events'
    """
    return re.sub(r"[\s-]+", "_", " ".join(name.split())).casefold()


def table(name: str, rows: Iterable[tuple[int, list[str]]], *, source: str = "", separator: str = "",
          notes: list[Note] | None = None, problems: list[Problem] | None = None, packed: bool = False) -> pd.DataFrame:
    """Table of rows of cells, the first of which is the header.

    Parameters
    ----------
    name : str
        Name of the table in messages.
    rows : iterable of (int, list of str)
        Line on which each row begins, and its cells; rows that hold no cell at all are left out. Taken in one pass, to
        its end.
    source : str
        File, and sheet where it has several, for readers.
    separator : str
        Of a CSV file.
    notes : list of Note
        What was noted so far.
    problems : list of Problem
        What is wrong so far; a table with a problem of the whole has no columns.
    packed : bool
        Categories in place of texts, as `raw.read` describes.

    Returns
    -------
    DataFrame
        As `raw.read` describes.
    """
    notes, problems, rows = list(notes or ()), list(problems or ()), iter(rows)
    start = list(islice(rows, HEADER_SEARCH))
    if not problems and not start:
        problems = [checks.problem("empty_file", name, what="the file is empty")]
    if not problems and (fault := _title(name, start)):
        problems = [fault]
    if problems:
        for _ in rows:  # what is wrong further down comes first
            pass
        return frame({}, [], source=source, separator=separator, notes=notes, problems=problems)
    (header_line, header), start = start[0], start[1:]
    texts, cells, lines, ragged = _numbered(chain(start, rows), len(header))
    if ragged and 2 * len(ragged) >= len(lines):
        problems.append(checks.problem("ragged_table", name, "", tuple(ragged),
                                       f"{len(ragged)} of {len(lines)} rows have not the {len(header)} cells of the "
                                       "header"))
        ragged = {}
    keep = _without_edges(header, texts, cells, notes)
    header = [header[place] for place in keep]
    broken = _header(header, header_line, name)
    if broken:
        return frame({}, [], source=source, separator=separator, notes=notes, problems=broken)
    columns = {column: _column(texts, cells[:, place], packed) for column, place in zip(header, keep, strict=True)}
    made = frame(columns, lines, source=source, separator=separator, notes=notes, problems=problems, ragged=ragged)
    made.attrs["notes"] += _garbled(made)
    return made


def _numbered(rows: Iterable[tuple[int, list[str]]], width: int) -> tuple[np.ndarray, np.ndarray, Sequence[int],
                                                                          dict[int, list[str]]]:
    """Cells as numbers of their texts, as most cells say what another one said; rows are cut or filled to `width`.

    Returns
    -------
    texts : ndarray of str
    cells : ndarray of int, shape (rows, width)
    lines : sequence of int
    ragged : dict
        Cells of the rows of another length, by line.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    number, cells, lines, ragged = numbers.__getitem__, array("i"), array("q"), {}
    for line, row in rows:
        lines.append(line)
        if len(row) != width:
            ragged[line] = row
            row = (row + [""] * width)[:width]
        cells.extend(map(number, row))
    texts = np.empty(len(numbers), dtype=object)
    texts[:] = list(numbers)
    return texts, np.frombuffer(cells, dtype=np.intc).reshape(-1, width), lines, ragged


def _column(texts: np.ndarray, cells: np.ndarray, packed: bool) -> np.ndarray | pd.Categorical:
    """One column, from the numbers of its texts."""
    if not packed:
        return texts[cells]
    codes, used = pd.factorize(cells)
    return _categories(codes, texts[used])


def _categories(codes: np.ndarray, texts: np.ndarray) -> pd.Categorical:
    """Categories of texts; "" is always one, as cells are made blank."""
    categories = pd.Index(texts if "" in texts else [*texts, ""], dtype=object)
    return pd.Categorical.from_codes(codes, categories)


def packed(made: pd.DataFrame) -> pd.DataFrame:
    """A table of texts as categories.

    Examples
    --------
    >>> packed(frame({"arm": ["IM", "IM"]}, [2, 3]))["arm"].cat.categories.tolist()
    ['IM', '']
    """
    columns = {column: _categories(*pd.factorize(made[column].to_numpy())) for column in made.columns.drop(LINE)}
    return frame(columns, made[LINE].to_numpy(), **made.attrs)


def frame(columns: dict[str, Sequence[str]], lines: Sequence[int], **attrs) -> pd.DataFrame:
    """Text columns with their lines; `attrs` as `raw.read` describes."""
    made = pd.DataFrame({column: pd.Series(cells, dtype=None if isinstance(cells, pd.Categorical) else object)
                         for column, cells in columns.items()}, index=range(len(lines)))
    made[LINE] = np.array(lines, dtype="int64")
    made.attrs = {"separator": "", "source": "", "problems": [], "ragged": {}, "notes": []} | attrs
    return made


def _title(name: str, start: list[tuple[int, list[str]]]) -> Problem | None:
    """Lines of title or comment above the header, which every table of the contract begins with its patient."""
    if name not in schema.RAW or any(plain(cell) == "patient_id" for cell in start[0][1]):
        return None
    for line, row in start[1:]:
        if any(plain(cell) == "patient_id" for cell in row):
            return checks.problem("header_not_first", name, "", (line,),
                                  f"the header stands on line {line}; what is above it is no part of the table",
                                  "delete the lines above it")
    return None


def _without_edges(header: list[str], texts: np.ndarray, cells: np.ndarray, notes: list[Note]) -> list[int]:
    """Places of the columns that have a name or a cell.

    Rows of the wrong length stay as they are, as nobody can say which of their cells belongs where.
    """
    every = list(range(len(header)))
    blank = [place for place in every if not header[place].strip()]
    blank = [place for place in blank if not any(text.strip() for text in texts[np.unique(cells[:, place])])]
    if not blank or len(blank) == len(header):
        return every
    notes.append(("blank_edges", "", -1, f"{len(blank)} column{'s' if len(blank) > 1 else ''} without name and cells",
                  "passed over"))
    return [place for place in every if place not in blank]


def _header(header: list[str], line: int, name: str) -> list[Problem]:
    clean = [cell.strip() for cell in header]
    if not any(clean):
        return [checks.problem("nameless_column", name, "", (line,), "no column has a name")]
    if "" in clean:
        place = clean.index("") + 1
        return [checks.problem("nameless_column", name, "", (line,), f"column {place} has no name")]
    if LINE in clean:
        return [checks.problem("repeated_column", name, LINE, (line,), "this name is kept for the line number",
                               "rename the column")]
    if len(clean) == 1 and name in schema.RAW:
        return [checks.problem("no_separator", name, "", (line,))]
    twice = sorted({cell for cell in clean if clean.count(cell) > 1})
    return [checks.problem("repeated_column", name, column, (line,), "the header names this column twice")
            for column in twice]


def _garbled(made: pd.DataFrame) -> list[Note]:
    """Letters that look like UTF-8 read in another character set, or that were lost; at the first cell of each."""
    notes = []
    for column in made.columns.drop(LINE):
        cells = made[column]
        bad = {text: found[0] for text in cells.unique() if not text.isascii() and (found := _GARBLED.search(text))}
        if not bad:
            continue
        hits = cells[cells.isin(list(bad))].astype(object).map(bad)
        for fragment, group in hits.groupby(hits, sort=False):
            if said := _meant(fragment):
                more = f"; {len(group)} cells" if len(group) > 1 else ""
                notes.append(("garbled_letters", column, int(made[LINE].loc[group.index[0]]), fragment, said + more))
    return notes


def _meant(fragment: str) -> str:
    """What a garbled fragment looks like; "" when it is none."""
    if fragment == "\ufffd":
        return "unchanged; the letter is lost"
    try:
        content = b"".join(sign.encode("latin-1") if ord(sign) < 256 else sign.encode("cp1252") for sign in fragment)
        return f"unchanged; looks like {content.decode('utf-8')}"
    except UnicodeError:
        return ""
