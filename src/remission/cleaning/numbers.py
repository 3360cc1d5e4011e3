"""Reader of numbers: decimal signs, grouped thousands, powers of ten; and why a text is none."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from remission.cleaning.dates import is_date
from remission.cleaning.reading import readings, strange

LARGEST = 1e12
#: Longer texts are no numbers.
LONGEST = 60
_SCIENTIFIC = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:e|[x*·×]\s*10\s*\^?)\s*([+-]?\d+)", re.IGNORECASE)
_GROUP = "[ '’\u00a0\u202f\u2009]"
#: Both signs in one number: the last one is the decimal sign, whatever is declared.
_BOTH = re.compile(r"([+-]?)(?:([1-9]\d{0,2}(?:\.\d{3})+),(\d+)|([1-9]\d{0,2}(?:,\d{3})+)\.(\d+))")
_SIGNED = re.compile(r"(?:[<>≤≥~≈]|ca\.?\s|circa\s|about\s|<=|>=|unter\s|über\s|kleiner\s|below\s|above\s).*\d.*",
                     re.IGNORECASE)
_UNIT = re.compile(r"[+-]?\d[\d.,' ]*\s*(?:[^\W\d_]|[%‰/°µμ]).*")


def read_numbers(texts: Iterable[str], decimal: str, single: str = "refuse", *, percent: bool = False) -> pd.DataFrame:
    """Read numbers.

    Parameters
    ----------
    texts : iterable of str
    decimal : str
        Declared decimal sign, "." or ",".
    single : str
        What the other sign before exactly three digits means (12.500 where the comma is declared): `group` of
        thousands, `decimal`, or `refuse` as ambiguous.
    percent : bool
        Whether the column is in percent, so that a percent sign adds nothing.

    Returns
    -------
    DataFrame
        `value` is float or None.

    Examples
    --------
    >>> read_numbers(["1,5", "0.5", "12.500", "1.2E-03"], ",", "group")["value"].tolist()
    [1.5, 0.5, 12500.0, 0.0012]
    """
    return readings({text: read_number(text, decimal, single, percent=percent) for text in texts})


def read_number(text: str, decimal: str, single: str, *, percent: bool = False) -> tuple[float | None, str, str]:
    """Value, rule and fault of one number; the arguments are those of `read_numbers`."""
    if strange(text) or len(text) > LONGEST:
        return None, "", "not a number"
    bare = text.removesuffix("%").rstrip() if percent else text
    value, rule, fault = _parse(bare, decimal, single)
    if fault == "not a number":
        fault = _why(text)
    # Beyond this no measurement lies; powers of ten would run over into infinity.
    if value is not None and abs(value) > LARGEST:
        return None, "", "number out of range"
    return value, rule or ("percent_sign" if value is not None and bare != text else ""), fault


def _parse(text: str, decimal: str, single: str) -> tuple[float | None, str, str]:
    own, other = re.escape(decimal), re.escape("," if decimal == "." else ".")
    if re.fullmatch(rf"[+-]?\d+(?:{own}\d+)?", text):
        return float(text.replace(decimal, ".")), "", ""
    plain = text.replace("−", "-").replace("–", "-")
    if found := _SCIENTIFIC.fullmatch(plain):
        # A power of more digits than these is out of range, and no work for the computer.
        power = found[2] if len(found[2]) < 6 else "99999"
        return float(f"{found[1].replace(',', '.')}e{power}"), "number_notation", ""
    grouped = re.fullmatch(rf"([+-]?)(\d{{1,3}}(?:{_GROUP}\d{{3}})+|\d{{1,3}}(?:{other}\d{{3}})+"
                           rf"|\d{{1,3}}(?:{own}\d{{3}}){{2,}})(?:{own}(\d+))?", plain)
    one = re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}{other}\d{{3}}", plain)
    if one and single == "refuse":
        return None, "", "ambiguous number: thousands or decimals"
    if grouped and not (one and single == "decimal") and not grouped[2].startswith("0"):
        whole = re.sub(r"\D", "", grouped[2])
        return float(f"{grouped[1]}{whole}.{grouped[3] or 0}"), "number_notation", ""
    if found := _BOTH.fullmatch(plain):
        whole, rest = re.sub(r"\D", "", found[2] or found[4]), found[3] or found[5]
        return float(f"{found[1]}{whole}.{rest}"), "number_notation", ""
    if re.fullmatch(r"[+-]?\d*(?:[.,]\d+)|[+-]?\d+", plain):
        return float(plain.replace(",", ".")), "number_notation", ""
    return None, "", "not a number"


def _why(text: str) -> str:
    """What stands in place of a number."""
    if _SIGNED.fullmatch(text):
        return "a limit, not a value"
    if is_date(text):
        return "a date, not a number"
    return "a unit inside the number" if _UNIT.fullmatch(text) else "not a number"


def read_integers(texts: Iterable[str], decimal: str) -> pd.DataFrame:
    """Read whole numbers; a fraction is a fault.

    Examples
    --------
    >>> read_integers(["66", "66,0", "66,5"], ",")["fault"].tolist()
    ['', '', 'not a whole number']
    """
    made = read_numbers(texts, decimal)
    broken = made["value"].notna() & (made["value"].astype(float) % 1 != 0)
    made.loc[broken, ["value", "rule", "fault"]] = [None, "", "not a whole number"]
    native = made.index.str.fullmatch(r"[+-]?\d+") | (made["fault"] != "")
    return made.assign(rule=made["rule"].where(native, "number_notation"))
