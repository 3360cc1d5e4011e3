"""Tables for spreadsheet programs: text that such a program would run as a formula is made harmless."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from remission import paths

#: First signs that make a spreadsheet program take a text for a formula, full-width forms and line ends among them.
SIGNS = tuple("=+-@\t\r\n＝＋－＠")
#: What begins with such a sign and is a number, or a number with its interval in words, as displays of results are.
_NUMBER = re.compile(r"[+-]\d[\d.,]*(?:[eE][+-]?\d+)?\s?%?")
_ESTIMATE = re.compile(r"[+-]\d[\d.,]* ?%?(?: [a-z]+){0,2} \((?:[\w.,%+-]| (?!=))*\)")


def harmless(text: object) -> object:
    """Put an apostrophe before a text that would be taken for a formula; numbers and all else stay as they are.

    Parameters
    ----------
    text : object
        One cell.

    Returns
    -------
    object
        The cell; only texts are ever changed.

    Examples
    --------
    >>> harmless("=HYPERLINK(A1)"), harmless("-2+3"), harmless("-2.5"), harmless("+1.2 years (95% CI -0.1 to 2.5)")
    ("'=HYPERLINK(A1)", "'-2+3", '-2.5', '+1.2 years (95% CI -0.1 to 2.5)')
    """
    if not isinstance(text, str) or not text.startswith(SIGNS):
        return text
    return text if _NUMBER.fullmatch(text) or _ESTIMATE.fullmatch(text) else f"'{text}"


def neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose text cells and column names no spreadsheet program runs.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    DataFrame
        The frame itself where nothing had to be changed, so that nothing is copied in vain.

    Notes
    -----
    Analysis tables and `results.csv` are read again by the next notebook and stay as they are: a spreadsheet that shall
    show them is filled by import, with every column declared as text.

    Examples
    --------
    >>> neutral(pd.DataFrame({"a": ["=1+1", "x"], "b": [-1, 2]})).values.tolist()
    [["'=1+1", -1], ['x', 2]]
    """
    changed = {}
    for column in frame.columns:
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
            continue
        risky = [isinstance(one, str) and one.startswith(SIGNS) for one in values]
        if any(risky):
            changed[column] = values.astype(object).map(harmless)
    made = frame.assign(**changed) if changed else frame
    heads = {name: harmless(name) for name in frame.columns if harmless(name) != name}
    return made.rename(columns=heads) if heads else made


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table for a spreadsheet program: harmless, whole or not at all, UTF-8 with the mark that Excel looks for.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    """
    with paths.atomic(path) as temporary:
        neutral(frame).to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")
