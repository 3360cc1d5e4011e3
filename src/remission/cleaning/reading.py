"""What all readers have in common: the frame that they make, and texts that none of them takes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

#: What spreadsheets in English and German show in place of a value.
_ERROR_CELL = re.compile(r"#(?:REF|VALUE|WERT|BEZUG|ZAHL|NUM|NULL|SPILL|CALC|ÜBERLAUF|KALK)!|#DIV/0!?|#NAME\?|#N/A|#NV"
                         r"|#GETTING_DATA|#{2,}|Err:\d{3}", re.IGNORECASE)


def readings(rows: Mapping[str, tuple], columns: tuple[str, ...] = ("value", "rule", "fault")) -> pd.DataFrame:
    """Readings of distinct texts as a frame indexed by text.

    Examples
    --------
    >>> readings({"1": (1, "", "")}).loc["1", "value"].item()
    1
    """
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), dtype=object), columns=list(columns))


def unusable(text: str) -> str:
    """Fault of a text that is no content of any column: a spreadsheet's error, a formula; "" for every other text.

    Examples
    --------
    >>> unusable("#REF!"), unusable("=B2*2"), unusable("Fatigue")
    ("a spreadsheet's error in place of a value", 'formula without its value', '')
    """
    if _ERROR_CELL.fullmatch(text):
        return "a spreadsheet's error in place of a value"
    return "formula without its value" if text.startswith("=") else ""


def strange(text: str) -> bool:
    """Whether a text holds digits of another script, which look like numbers to a computer and to no laboratory.

    Examples
    --------
    >>> strange("١٢"), strange("12"), strange("½")
    (True, False, False)
    """
    return not text.isascii() and any(sign.isdigit() and not sign.isascii() for sign in text)
