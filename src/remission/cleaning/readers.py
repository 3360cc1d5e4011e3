"""Readers: from distinct texts to values, each with the rule that was needed or the fault that was met.

Every reader takes the distinct texts of a column (stripped, not blank) and returns a frame indexed by text: `value`,
`rule` ("" for native reading) and `fault` ("" when the text could be read).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from remission.cleaning.dates import Order, column_order, read_dates
from remission.cleaning.numbers import read_integers, read_number, read_numbers
from remission.cleaning.reading import readings, unusable
from remission.cleaning.vocabulary import fold

__all__ = ["Order", "column_order", "read_dates", "read_grades", "read_integers", "read_number", "read_numbers",
           "read_open", "read_terms", "read_words", "readings", "unusable"]

ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}

_GRADE = re.compile(r"(?:(?:ctc(?:ae)?|grad|grade|gr\.?|g|°)[\s-]*)*([1-5]|i{1,3}|iv|v)\s*°?")


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


def read_open(texts: Iterable[str], names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read an open vocabulary: known aliases become their word, every other text stays as it is.

    Parameters
    ----------
    texts : iterable of str
    names : mapping of str
        Canonical word of each alias, by folded alias; none for free text.

    Examples
    --------
    >>> read_open(["KM", "CNS"], {"km": "BM"})["value"].tolist()
    ['BM', 'CNS']
    """
    names = names or {}
    known = {**{fold(word): word for word in names.values()}, **names}
    made = {}
    for text in texts:
        word = known.get(fold(text), text) if known else text
        made[text] = word, "alias_value" if word != text else "", ""
    return readings(made)
