"""Readers of molecular results: BCR::ABL1 ratios as laboratories write them, mutations in any spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

from remission.cleaning.numbers import read_number
from remission.cleaning.reading import readings
from remission.cleaning.vocabulary import aliases, fold

AMINO = {"ala": "A", "arg": "R", "asn": "N", "asp": "D", "cys": "C", "gln": "Q", "glu": "E", "gly": "G", "his": "H",
         "ile": "I", "leu": "L", "lys": "K", "met": "M", "phe": "F", "pro": "P", "ser": "S", "thr": "T", "trp": "W",
         "tyr": "Y", "val": "V"}

_VARIANT = re.compile(r"(?:p\.)?\(?([a-z]{3}|[a-z])[\s/_-]*(\d{2,4})[\s/_-]*([a-z]{3}|[a-z])\)?")
#: Longer texts are reports, not results.
LONGEST = 120
STATES = {"neg": "NEGATIVE", "PNQ": "PNQ"}

_PERCENT = r"\s*(?P<percent>%?)\s*\)?"
_LIMIT = re.compile(r"(?P<word>.*?)[\s(,;:]*<\s*(?P<number>[^%()<>]+?)" + _PERCENT)
_ABOVE = re.compile(r">\s*(?P<number>[^%()<>]+?)" + _PERCENT)
_SENSITIVITY = re.compile(
    r"(?P<word>[^\d(,;:<]+?)[\s(,;:]+(?:bei |mit |at |with )?(?:einer |a )?"
    r"(?:sens(?:\.|itivitaet|itivity)?|empfindlichkeit|nwg|nachweisgrenze|lod|detection limit|limit of detection)"
    r"(?: von| of)?[\s:=.<]*(?P<number>[^%()<>]+?)" + _PERCENT)
_POWER = re.compile(r"(?:(\d+(?:[.,]\d+)?)\s*[x*·×]\s*)?10\s*\^?\s*[-−]\s*(\d)")
_PROPORTION = re.compile(r"1\s*[:/]\s*(\d[\d., ']*)")
_ZERO = re.compile(r"0+(?:[.,]0+)?\s*%?")
#: A ratio beside the word that says no more than the ratio itself.
_POSITIVE = re.compile(r"pos(?:\.|itive?)?[\s,:;(]+(?P<after>\d[^()<>]*?)\s*\)?"
                       r"|(?P<before>\d[^()<>a-z]*)[\s,(]+pos(?:\.|itive?)?\)?")
_LESS = re.compile(r"\b(?:unter(?:halb)?|kleiner(?: als)?|weniger als|less than|below|under)\s+(?=\d)")
_MORE = re.compile(r"\b(?:ueber|groesser(?: als)?|mehr als|more than|greater than|above|over)\s+(?=\d)")
#: What is measured, said again in the cell of the result.
_NAMES = re.compile(r"\b(?:bcr[\s:/-]*abl1?(?:\s*/\s*(?:c-)?abl1?)?|ratio|quotient)\b[\s:=]*(?=[\d<>])"
                    r"|\s*\(?(?:\bis\b|\bi\.s\.|international scale|bcr[:/-]*abl1?(?:\s*/\s*abl1?)?)\)?$")
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
#: Not detected, not done, not determined: nobody can tell which.
_AMBIGUOUS = frozenset({"n.d.", "nd", "n. d.", "n.d", "n/d"})


def read_variants(texts: Iterable[str]) -> pd.DataFrame:
    """Read amino-acid changes of the ABL1 kinase domain as one letter, position, one letter; or `none`.

    Examples
    --------
    >>> read_variants(["T315I", "T-315-I", "p.Thr315Ile", "kein"])["value"].tolist()
    ['T315I', 'T315I', 'T315I', 'none']
    """
    words, made = aliases("mutations", "variant"), {}
    letters = set(AMINO.values())
    for text in texts:
        found = _VARIANT.fullmatch(fold(text))
        before, after = (AMINO.get(found[i], found[i].upper()) for i in (1, 3)) if found else ("", "")
        variant = f"{before}{found[2]}{after}" if found and {before, after} <= letters else None
        if text == "none":
            made[text] = text, "", ""
        elif fold(text) in words or fold(text) == "none":
            made[text] = "none", "alias_value", ""
        elif variant is not None:
            made[text] = variant, "" if variant == text else "mutation_spelling", ""
        else:
            made[text] = None, "", "not one amino-acid change"
    return readings(made)


def read_results(texts: Iterable[str], decimal: str) -> pd.DataFrame:
    """Read BCR::ABL1 results as laboratories write them.

    Parameters
    ----------
    texts : iterable of str
    decimal : str
        Declared decimal sign.

    Returns
    -------
    DataFrame
        `value` is the state (QUANTIFIED, PNQ, NEGATIVE); `ratio` in % where quantified; `limit` in % where the text of
        a negative result names its detection limit; `step` is half of the last printed digit of the ratio, in %
        (infinite where the ratio is only a limit); `censor` is "<" or ">" where the text gives a limit, `bound` that
        limit in %.

    Notes
    -----
    A plain number is a ratio in %, also in the notation of spreadsheets (1.2E-03 is 0.0012 %). A power of ten in print
    (10-4) and a proportion (1:10000) without a percent sign are fractions: 0.01 %. "Less than" without a word says
    that nothing was found: negative, at that detection limit; after "positive" it says that what was found is too
    little to be quantified. Zero is no measurement, as a negative result means less than the detection limit: it is a
    fault, unless the copies beside it say so (`supported_zero`). What cannot be read is a fault, never a state.

    Examples
    --------
    >>> made = read_results(["neg", "0,012", "<0,001 %", "pos., nicht quantifizierbar", "0", ">100"], ",")
    >>> made["value"].tolist()
    ['NEGATIVE', 'QUANTIFIED', 'NEGATIVE', 'PNQ', None, 'QUANTIFIED']
    >>> made["limit"].tolist()[2], made["ratio"].tolist()[5], made["censor"].tolist()[5]
    (0.001, 100.0, '>')
    """
    made = {text: _read_result(text, decimal) for text in texts}
    return readings(made, ("value", "ratio", "limit", "step", "censor", "bound", "rule", "fault")).astype(
        {"ratio": float, "limit": float, "step": float, "bound": float})


def read_limits(texts: Iterable[str], decimal: str) -> pd.DataFrame:
    """Read detection limits in %; a printed power of ten or a proportion is a fraction, as in `read_results`.

    Examples
    --------
    >>> read_limits(["0,001", "<0,001 %", "10-5", "1:100000"], ",")["value"].tolist()
    [0.001, 0.001, 0.001, 0.001]
    """
    made = {}
    for text in texts:
        value, rule, fault = read_number(text, decimal, "decimal", percent=True)
        bare = _plain(text).lstrip("<").strip()
        number = bare.removesuffix("%").strip()
        told = _limit(number, "%" if number != bare else "", decimal) if fault and len(text) <= LONGEST else None
        made[text] = (value, rule, fault) if told is None else (told, "mrd_text", "")
    return readings(made)


def supported_zero(texts: pd.Series, copies: pd.Series, control: pd.Series) -> pd.Series:
    """Rows in which a ratio of zero is a negative result: no copy was found, among control copies that were counted.

    Parameters
    ----------
    texts : Series of str
        Results.
    copies, control : Series of int
        Copies of BCR::ABL1 and of ABL1; blank where not given.

    Returns
    -------
    Series of bool
        How sensitive such a sample was follows from the control copies.

    Examples
    --------
    >>> supported_zero(pd.Series(["0,000 %", "0", "0"]), pd.Series([0, 0, 3]), pd.Series([32000, None, 9000])).tolist()
    [True, False, False]
    """
    zero = texts.str.fullmatch(_ZERO)
    return zero & copies.eq(0).fillna(False).astype(bool) & control.gt(0).fillna(False).astype(bool)


_NONE = (None, None, None, None, "", None)


def _read_result(text: str, decimal: str) -> tuple:
    words, folded = aliases("mrd", "result_text"), fold(text)
    if text in STATES:
        return STATES[text], *_NONE[1:], "", ""
    if (word := words.get(folded)) is not None:
        return STATES[word], *_NONE[1:], "mrd_text", ""
    if folded in _AMBIGUOUS:
        return *_NONE, "", "ambiguous result: not detected or not done"
    if len(text) > LONGEST:
        return *_NONE, "", "not a result"
    plain = _plain(text)
    made = _sensitivity(plain, decimal) or _limited(plain, text, decimal) or _fraction(plain, decimal)
    if made is not None:
        return made
    number = plain if plain != folded else text
    if found := _POSITIVE.fullmatch(plain):
        number = found["before"] or found["after"]
    bare = number.removesuffix("%").strip()
    value, rule, fault = read_number(bare, decimal, "decimal")
    if fault:
        return *_NONE, "", "not a result"
    if value <= 0:
        return *_NONE, "", "a ratio of zero or less is no measurement"
    rule = rule or ("" if bare == text else "mrd_text")
    return "QUANTIFIED", value, None, _step(bare), "", None, rule, ""


def _plain(text: str) -> str:
    """A result without the names of what was measured; superscripts as powers."""
    raised = _RAISED.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPT), text)
    folded = fold(raised).replace("−", "-").replace("≤", "<").replace("≥", ">").replace("<=", "<").replace(">=", ">")
    folded = _LESS.sub("<", _MORE.sub(">", folded))
    return _NAMES.sub("", folded).strip() or folded


def _state(word: str) -> str | None:
    """State of a word before a limit; None where the word is unknown."""
    words, word = aliases("mrd", "result_text"), word.strip(" ,.:;(")
    return STATES.get(words.get(word, words.get(f"{word}.", "")))


def _sensitivity(plain: str, decimal: str) -> tuple | None:
    """A negative result with its sensitivity in words, such as neg (Sens. 10-5)."""
    found = _SENSITIVITY.fullmatch(plain)
    limit = _limit(found["number"], found["percent"], decimal) if found else None
    if limit is None or _state(found["word"]) != "NEGATIVE":
        return None
    return "NEGATIVE", None, limit, None, "<", limit, "mrd_text", ""


def _limited(plain: str, text: str, decimal: str) -> tuple | None:
    """A result that is a limit: less than, with or without a word before it, or more than."""
    if found := _LIMIT.fullmatch(plain):
        limit = _limit(found["number"], found["percent"], decimal)
        state = "NEGATIVE" if not found["word"].strip(" ,.:;(") else _state(found["word"])
        if state is None or limit is None:
            return *_NONE, "", "not a result"
        native = re.fullmatch(rf"<\d+(?:{re.escape(decimal)}\d+)?", text)
        return (state, None, limit if state == "NEGATIVE" else None, None, "<", limit, "" if native else "mrd_text", "")
    if found := _ABOVE.fullmatch(plain):
        bound = _limit(found["number"], found["percent"], decimal)
        if bound is None:
            return *_NONE, "", "not a result"
        return "QUANTIFIED", bound, None, math.inf, ">", bound, "mrd_above_range", ""
    return None


def _fraction(plain: str, decimal: str) -> tuple | None:
    """A quantified result as a printed power of ten or a proportion."""
    bare = plain.removesuffix("%").strip()
    if not (_POWER.fullmatch(bare) or _PROPORTION.fullmatch(bare)):
        return None
    value = _limit(bare, "%" if bare != plain else "", decimal)
    return None if value is None else ("QUANTIFIED", value, None, 0.5 * value, "", None, "mrd_text", "")


def _limit(number: str, percent: str, decimal: str) -> float | None:
    """A limit in %; None where it is none."""
    scale = 0 if percent else 2
    if found := _POWER.fullmatch(number):
        factor, _, fault = read_number(found[1] or "1", decimal, "decimal")
        return None if fault or factor <= 0 else float(f"{factor:.10g}e{scale - int(found[2])}")
    if found := _PROPORTION.fullmatch(number):
        whole, _, fault = read_number(found[1], decimal, "group")
        return None if fault or whole < 100 else float(f"{10 ** scale / whole:.10g}")
    value, _, fault = read_number(number.upper(), decimal, "decimal")
    return value if not fault and value > 0 else None


def _step(number: str) -> float:
    """Half of the last printed digit."""
    mantissa, _, power = number.lower().replace(",", ".").partition("e")
    return 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
