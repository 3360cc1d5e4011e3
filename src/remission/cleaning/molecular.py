"""Readers of molecular results: BCR::ABL1 ratios as laboratories write them, mutations in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from remission.cleaning.readers import read_number, readings
from remission.cleaning.vocabulary import aliases, fold

AMINO = {"ala": "A", "arg": "R", "asn": "N", "asp": "D", "cys": "C", "gln": "Q", "glu": "E", "gly": "G", "his": "H",
         "ile": "I", "leu": "L", "lys": "K", "met": "M", "phe": "F", "pro": "P", "ser": "S", "thr": "T", "trp": "W",
         "tyr": "Y", "val": "V"}

_VARIANT = re.compile(r"(?:p\.)?\(?([a-z]{3}|[a-z])[\s/_-]*(\d{2,4})[\s/_-]*([a-z]{3}|[a-z])\)?")
_LIMIT = re.compile(r"(?P<word>.*?)[\s(,;:]*<\s*(?P<number>[^%()<]+?)\s*(?P<percent>%?)\s*\)?")
_POWER = re.compile(r"(?:1\s*[x*·]\s*)?10\s*\^?\s*[-−]\s*(\d)")


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
        a negative result names it; `step` is half of the last printed digit of the ratio, in %.

    Notes
    -----
    A plain number is a ratio in %. A power of ten without a percent sign is a fraction: 10-4 is 0.01 %. Zero is no
    measurement, as a negative result means less than the detection limit: it is a fault.

    Examples
    --------
    >>> made = read_results(["neg", "0,012", "<0,001 %", "pos., nicht quantifizierbar", "0"], ",")
    >>> made["value"].tolist(), made["limit"].tolist()[2]
    (['NEGATIVE', 'QUANTIFIED', 'NEGATIVE', 'PNQ', None], 0.001)
    """
    made = {text: _read_result(text, decimal) for text in texts}
    return readings(made, ("value", "ratio", "limit", "step", "rule", "fault")).astype(
        {"ratio": float, "limit": float, "step": float})


def _read_result(text: str, decimal: str) -> tuple:
    words, folded = aliases("mrd", "result_text"), fold(text)
    states = {"neg": "NEGATIVE", "PNQ": "PNQ"}
    if text in states:
        return states[text], None, None, None, "", ""
    if (word := words.get(folded)) is not None:
        return states[word], None, None, None, "mrd_text", ""
    if found := _LIMIT.fullmatch(folded):
        word, limit = found["word"].strip(" ,.:;"), _limit(found["number"], found["percent"], decimal)
        state = "NEGATIVE" if not word else states.get(words.get(word, words.get(f"{word}.", "")))
        if state is not None and limit is not None:
            native = not word and re.fullmatch(rf"<\d+(?:{re.escape(decimal)}\d+)?", text)
            return state, None, limit if state == "NEGATIVE" else None, None, "" if native else "mrd_text", ""
        return None, None, None, None, "", "not a result"
    number = text.removesuffix("%").strip()
    value, rule, fault = read_number(number, decimal, "decimal")
    if fault:
        return None, None, None, None, "", "ambiguous result: not detected or not done" if folded in {
            "n.d.", "nd", "n. d.", "n.d"} else "not a result"
    if value <= 0:
        return None, None, None, None, "", "a ratio of zero or less is no measurement"
    rule = rule or ("" if number == text else "mrd_text")
    return "QUANTIFIED", value, None, _step(number), rule, ""


def _limit(number: str, percent: str, decimal: str) -> float | None:
    if found := _POWER.fullmatch(number):
        return float(f"1e-{found[1]}") if percent else float(f"1e{2 - int(found[1])}")
    value, _, fault = read_number(number.upper(), decimal, "decimal")
    return value if not fault and value > 0 else None


def _step(number: str) -> float:
    """Half of the last printed digit."""
    mantissa, _, power = number.lower().replace(",", ".").partition("e")
    return 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
