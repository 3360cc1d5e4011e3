"""Readers: from distinct texts to values, each with the rule that was needed or the fault that was met.

Every reader takes the distinct texts of a column (stripped, not blank) and returns a frame indexed by text: `value`,
`rule` ("" for native reading) and `fault` ("" when the text could be read).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable, Mapping

import pandas as pd

from remission.cleaning.vocabulary import fold

#: Two-digit years up to this one belong to the 2000s.
PIVOT = 49
FIRST_YEAR, LAST_YEAR = 1900, 2100
LARGEST = 1e12
_MONTH_NAMES = """januar january jan jaen jaenner; februar february feb febr; maerz march mar mrz maer; april apr;
mai may; juni june jun; juli july jul; august aug; september sep sept; oktober october okt oct; november nov;
dezember december dez dec"""
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES.split(";"), 1) for name in names.split()}
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_TIMED = re.compile(r"(\d{4})-(\d{2})-(\d{2})[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?")
_THREE = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})\.?[\s-]*([a-z]+)\.?[\s,-]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([a-z]+)\.?\s*(\d{1,2}),?\s+(\d{4})")
_PARTIAL = re.compile(r"(?:(?:00|x{1,2}|-{1,2}|\?{1,2})[./])?(\d{1,2})[./](\d{4})"
                      r"|(\d{4})-(\d{1,2})(?:-(?:00|xx|\?\?))?")
_PARTIAL_NAMED = re.compile(r"([a-z]+)\.?\s*(\d{4})")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_GRADE = re.compile(r"(?:(?:ctc(?:ae)?|grad|grade|gr\.?|g|°)[\s-]*)*([1-5]|i{1,3}|iv|v)\s*°?")


def readings(rows: Mapping[str, tuple], columns: tuple[str, ...] = ("value", "rule", "fault")) -> pd.DataFrame:
    """Readings of distinct texts as a frame indexed by text."""
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), dtype=object), columns=list(columns))


def read_dates(texts: Iterable[str], order: str, edge: str = "") -> pd.DataFrame:
    """Read dates.

    Parameters
    ----------
    texts : iterable of str
    order : str
        Declared order of numbers, `DMY`, `MDY` or `YMD`. ISO is read under each; `D.M.YYYY` is native to DMY and
        `M/D/YYYY` to MDY.
    edge : str
        `first` or `last`: a month without a day becomes its first or last day; "" refuses it.

    Returns
    -------
    DataFrame
        `value` is a datetime.date or None. Where a column mixes both orders of slashed dates, those that can be read
        either way are faults.

    Examples
    --------
    >>> read_dates(["2004-05-12", "12.5.2004", "12. Mai 2004", "05/2004"], "DMY", "last")["value"].astype(str).tolist()
    ['2004-05-12', '2004-05-12', '2004-05-12', '2004-05-31']
    """
    made = {text: _read_date(text, order, edge) for text in texts}
    mixed = {text: _both_ways(text) for text in made} if order == "DMY" else {}
    if any(ways == "swapped" for ways in mixed.values()):
        made |= {text: (None, "", "ambiguous date, as this column mixes day/month and month/day")
                 for text, ways in mixed.items() if ways == "either"}
    return readings(made)


def _read_date(text: str, order: str, edge: str) -> tuple[dt.date | None, str, str]:
    folded = fold(text)
    if _strange(text):
        return None, "", "not a date"
    if found := _ISO.fullmatch(text):
        return _date(*map(int, found.groups()), rule="")
    if found := _TIMED.fullmatch(text):
        return _date(*map(int, found.groups()), rule="drop_clock_time")
    if found := _THREE.fullmatch(text):
        return _three(found, order)
    if found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *compact = found.groups()
        return _date(*map(int, (year, month, day) if year else compact), rule="iso_spelling")
    if (found := _NAMED.fullmatch(folded)) and found[2] in MONTHS:
        return _date(_year(found[3]), MONTHS[found[2]], int(found[1]), rule="month_name_date")
    if (found := _NAMED_FIRST.fullmatch(folded)) and found[1] in MONTHS:
        return _date(int(found[3]), MONTHS[found[1]], int(found[2]), rule="month_name_date")
    year = month = 0
    if found := _PARTIAL.fullmatch(folded):
        month, year = (int(found[1]), int(found[2])) if found[1] else (int(found[4]), int(found[3]))
    elif (found := _PARTIAL_NAMED.fullmatch(folded)) and found[1] in MONTHS:
        month, year = MONTHS[found[1]], int(found[2])
    if 1 <= month <= 12:
        if not edge:
            return None, "", "date without a day"
        last = calendar.monthrange(year, month)[1] if FIRST_YEAR <= year <= LAST_YEAR else 1
        return _date(year, month, last if edge == "last" else 1, rule="impute_partial_date")
    if re.fullmatch(r"\d{5}", text):
        return None, "", "a spreadsheet's serial number, not a date"
    return None, "", "not a date"


def _three(found: re.Match, order: str) -> tuple[dt.date | None, str, str]:
    first, sign, second, year = int(found[1]), found[2], int(found[3]), found[4]
    short = len(year) == 2
    if sign == "-" and short:
        return None, "", "ambiguous date"
    if sign == "." or order == "DMY":
        day, month, native = first, second, sign == "." and order == "DMY"
    elif order == "MDY":
        day, month, native = second, first, sign == "/"
    elif short:
        return None, "", "ambiguous date"
    else:
        # Year-first cohorts declare no order for the rest: only a date with one possible reading is read.
        if first <= 12 and second <= 12 and first != second:
            return None, "", "ambiguous date"
        day, month, native = (second, first, False) if second > 12 else (first, second, False)
    names = {".": "dotted_date", "/": "slash_date", "-": "dashed_date"}
    rule = "two_digit_year" if short else "" if native else names[sign]
    return _date(_year(year), month, day, rule=rule)


def _both_ways(text: str) -> str:
    """Whether a slashed date can be read in either order, only month first (swapped), or not so."""
    found = _THREE.fullmatch(text)
    if not found or found[2] == ".":
        return ""
    first, second = int(found[1]), int(found[3])
    if first <= 12 < second <= 31:
        return "swapped"
    return "either" if first <= 12 and second <= 12 and first != second else ""


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year <= PIVOT else 1900)


def _date(year: int, month: int, day: int, *, rule: str) -> tuple[dt.date | None, str, str]:
    try:
        made = dt.date(year, month, day)
    except ValueError:
        return None, "", "no such day in the calendar"
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None, "", f"year outside {FIRST_YEAR} to {LAST_YEAR}"
    return made, rule, ""


def read_numbers(texts: Iterable[str], decimal: str, single: str = "refuse") -> pd.DataFrame:
    """Read numbers.

    Parameters
    ----------
    texts : iterable of str
    decimal : str
        Declared decimal sign, "." or ",".
    single : str
        What the other sign before exactly three digits means (12.500 where the comma is declared): `group` of
        thousands, `decimal`, or `refuse` as ambiguous.

    Returns
    -------
    DataFrame
        `value` is float or None.

    Examples
    --------
    >>> read_numbers(["1,5", "0.5", "12.500", "1.2E-03"], ",", "group")["value"].tolist()
    [1.5, 0.5, 12500.0, 0.0012]
    """
    return readings({text: read_number(text, decimal, single) for text in texts})


def read_number(text: str, decimal: str, single: str) -> tuple[float | None, str, str]:
    """Value, rule and fault of one number; the arguments are those of `read_numbers`."""
    if _strange(text):
        return None, "", "not a number"
    value, rule, fault = _parse_number(text, decimal, single)
    # Beyond this no measurement lies; powers of ten would run over into infinity.
    return (None, "", "number out of range") if value is not None and abs(value) > LARGEST else (value, rule, fault)


def _strange(text: str) -> bool:
    """Whether a text holds digits of another script, which look like numbers to a computer and to no laboratory."""
    return not text.isascii() and any(sign.isdigit() and not sign.isascii() for sign in text)


def _parse_number(text: str, decimal: str, single: str) -> tuple[float | None, str, str]:
    own, other = re.escape(decimal), re.escape("," if decimal == "." else ".")
    if re.fullmatch(rf"[+-]?\d+(?:{own}\d+)?", text):
        return float(text.replace(decimal, ".")), "", ""
    plain = text.replace("−", "-")
    if _SCIENTIFIC.fullmatch(plain):
        return float(plain.replace(",", ".")), "number_notation", ""
    grouped = re.fullmatch(rf"([+-]?)(\d{{1,3}}(?:[ '’\u00a0\u202f]\d{{3}})+|\d{{1,3}}(?:{other}\d{{3}})+"
                           rf"|\d{{1,3}}(?:{own}\d{{3}}){{2,}})(?:{own}(\d+))?", plain)
    one = re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}{other}\d{{3}}", plain)
    if one and single == "refuse":
        return None, "", "ambiguous number: thousands or decimals"
    if grouped and not (one and single == "decimal") and not grouped[2].startswith("0"):
        whole = re.sub(r"\D", "", grouped[2])
        return float(f"{grouped[1]}{whole}.{grouped[3] or 0}"), "number_notation", ""
    if re.fullmatch(r"[+-]?\d*(?:[.,]\d+)|[+-]?\d+", plain):
        return float(plain.replace(",", ".")), "number_notation", ""
    return None, "", "not a number"


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


def read_grades(texts: Iterable[str], words: Mapping[str, str]) -> pd.DataFrame:
    """Read CTCAE grades: 1 to 5, Roman numerals, `Grad 2`, or a word of severity.

    Parameters
    ----------
    texts : iterable of str
    words : mapping of str
        Grade of each word, by folded word.

    Examples
    --------
    >>> read_grades(["2", "III", "Grad 2", "7"], {})["value"].tolist()
    [2.0, 3.0, 2.0, nan]
    """
    made = {}
    for text in texts:
        found = _GRADE.fullmatch(fold(text))
        if text in {"1", "2", "3", "4", "5"}:
            made[text] = int(text), "", ""
        elif found and found[1] in ROMAN:
            made[text] = ROMAN[found[1]], "roman_grade", ""
        elif found:
            made[text] = int(found[1]), "grade_spelling", ""
        elif fold(text) in words:
            made[text] = int(words[fold(text)]), "alias_value", ""
        else:
            made[text] = None, "", "not a CTCAE grade"
    return readings(made)


def read_words(texts: Iterable[str], values: Iterable[str], names: Mapping[str, str], rule: str,
               fault: str = "unknown value") -> pd.DataFrame:
    """Read texts of a closed vocabulary.

    Parameters
    ----------
    texts : iterable of str
    values : iterable of str
        Canonical values.
    names : mapping of str
        Canonical value of each alias, by folded alias.
    rule, fault : str
        Rule under which an alias is logged; fault of a text that is in neither.

    Examples
    --------
    >>> read_words(["BM", "KM", "bm"], ["PB", "BM"], {"km": "BM"}, "alias_value")["rule"].tolist()
    ['', 'alias_value', 'alias_value']
    """
    canonical = set(values)
    known = {**{fold(value): value for value in canonical}, **names}
    made = {}
    for text in texts:
        if text in canonical:
            made[text] = text, "", ""
        else:
            value = known.get(fold(text))
            made[text] = (value, rule, "") if value is not None else (None, "", fault)
    return readings(made)


def read_terms(texts: Iterable[str], names: Mapping[str, str]) -> pd.DataFrame:
    """Read adverse-event terms; a term outside the vocabulary stays as reported, under the rule `uncoded_term`.

    Examples
    --------
    >>> read_terms(["Fatigue", "Müdigkeit"], {"fatigue": "Fatigue", "muedigkeit": "Fatigue"})["rule"].tolist()
    ['', 'translate_term']
    """
    made = {}
    for text in texts:
        term = names.get(fold(text))
        rule = "uncoded_term" if term is None else "" if term == text else "translate_term"
        made[text] = term or text, rule, ""
    return readings(made)
