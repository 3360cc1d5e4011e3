"""Closed vocabularies, adverse-event terms and units, as data: what a text stands for."""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from functools import cache
from importlib import resources

import pandas as pd

from remission import schema
from remission.study import Study

#: Words that say that nothing is known; they become missing in dates, numbers and closed vocabularies.
MISSING_WORDS = frozenset({"na", "n/a", "n.a.", "nan", "null", "k.a.", "k. a.", "ka", "unbekannt", "unknown",
                           "not known", "nicht bekannt", "fehlt", "missing", "-", "--", ".", "?"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def fold(text: str) -> str:
    """Form in which texts are compared: one space between words, no case, umlauts written out.

    Examples
    --------
    >>> fold("  Schädel-RT "), fold("µmol/L") == fold("μmol/l")
    ('schaedel-rt', True)
    """
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold().translate(_UMLAUTS)


@cache
def _rows(name: str) -> pd.DataFrame:
    with (resources.files("remission") / "data" / f"{name}.csv").open(encoding="utf-8") as handle:
        return pd.read_csv(handle, dtype=str, keep_default_na=False)


@cache
def aliases(table: str, column: str) -> dict[str, str]:
    """Canonical value of each alias of one column, by folded alias.

    Examples
    --------
    >>> aliases("mrd", "source")["km"]
    'BM'
    """
    rows = _rows("vocabulary")
    rows = rows[(rows["table"] == table) & (rows["column"] == column)]
    return {fold(alias): canonical for alias, canonical in zip(rows["alias"], rows["canonical"], strict=True)}


@cache
def terms() -> dict[str, str]:
    """Preferred term of each adverse-event term, by folded term.

    Examples
    --------
    >>> terms()[fold("Müdigkeit")]
    'Fatigue'
    """
    rows = _rows("terms")
    return {fold(alias): term for alias, term in zip(rows["alias"], rows["AEDECOD"], strict=True)}


def arms(study: Study) -> dict[str, str]:
    """Arm key of each arm name, by folded name: key, label and the aliases of `study.toml`."""
    return {fold(name): arm.key for arm in study.arms for name in (arm.label, *arm.aliases, arm.key)}


def drugs(study: Study) -> tuple[str, ...]:
    """Drugs that `dosing` may name: those of the contract and those with a dose plan in `study.toml`."""
    return tuple(dict.fromkeys([*schema.RAW["dosing"]["drug"].values, *study.dose_plans]))  # noqa: PD011


def units(table: str, study: Study) -> pd.DataFrame:
    """Every unit that a table may carry, by subject and folded text.

    Parameters
    ----------
    table : str
        `laboratory` (subject: the test) or `dosing` (subject: the drug).
    study : Study
        Its dose plans name the unit of drugs outside the contract.

    Returns
    -------
    DataFrame
        Index (subject, text). canonical; factor (multiply by it); digits (decimals kept after conversion; NaN for
        all); rule ("" for the canonical unit itself).

    Examples
    --------
    >>> from remission.study import Study
    >>> units("laboratory", Study("demo", "own", "", "", ())).loc[("HB", "g/l"), "canonical"]
    'g/dL'
    """
    rows = _rows("units")
    rows = rows[rows["table"] == table][["subject", "alias", "canonical", "factor", "digits", "rule"]]
    own = rows[["subject", "canonical"]].drop_duplicates()
    if table == "dosing":
        plans = {drug: plan["unit"] for drug, plan in study.dose_plans.items() if "unit" in plan}
        new = [(drug, unit) for drug, unit in plans.items() if drug not in set(own["subject"])]
        own = pd.concat([own, pd.DataFrame(new, columns=["subject", "canonical"])]) if new else own
    spelt = pd.DataFrame([(subject, alias, unit, "1", "", "alias_value")
                          for subject, unit in own.itertuples(index=False)
                          for alias, canonical in [*aliases(table, "unit").items(), (unit, unit)] if canonical == unit],
                         columns=rows.columns)
    whole = pd.concat([rows, spelt], ignore_index=True)
    whole["text"] = whole["alias"].map(fold)
    whole["factor"] = [float(Fraction(factor)) for factor in whole["factor"]]
    whole["digits"] = pd.to_numeric(whole["digits"], errors="coerce")
    return whole.drop_duplicates(["subject", "text"]).set_index(["subject", "text"]).drop(columns="alias")
