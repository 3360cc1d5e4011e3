"""Laboratory grades by the Common Terminology Criteria for Adverse Events (CTCAE): the criteria are data."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

#: Versions held in `data/ctcae.csv`, oldest first.
VERSIONS = ("3.0", "4.03", "5.0", "6.0")
#: Blood-count tests that together make a cytopenia.
CYTOPENIA = ("ANC", "PLT", "HB", "WBC")
#: Tests by organ, in the order of tables and figures.
GROUPS = {"cytopenia": CYTOPENIA, "liver": ("ALT", "AST", "ALP", "GGT", "BILI"), "kidney": ("CREAT",)}
#: Name of each test for readers.
LABELS = {"ANC": "Neutrophils", "PLT": "Platelets", "HB": "Haemoglobin", "WBC": "Leukocytes", "ALT": "ALT",
          "AST": "AST", "ALP": "Alkaline phosphatase", "GGT": "Gamma-GT", "BILI": "Bilirubin", "CREAT": "Creatinine"}
#: Units in which a test may be graded. Absolute cut-points hold in one unit; multiples of a limit hold in every unit of
#: that quantity, as long as value, limits and baseline share it.
UNITS = {**dict.fromkeys(("ANC", "PLT", "WBC"), ("10^9/L",)), "HB": ("g/dL",),
         **dict.fromkeys(("ALT", "AST", "ALP", "GGT"), ("U/L", "µkat/L")),
         **dict.fromkeys(("BILI", "CREAT"), ("mg/dL", "µmol/L"))}
#: Which baselines a criterion applies to, in words.
_BASELINES = {"any": "", "normal": " (baseline not high)", "high": " (baseline >ULN)", "low": " (baseline <LLN)",
              "not low": " (baseline not low)"}


@cache
def _table() -> pd.DataFrame:
    source = resources.files("remission") / "data" / "ctcae.csv"
    with source.open(encoding="utf-8") as handle:
        return pd.read_csv(handle, dtype={"version": str, "unit": str, "inclusive": str}, keep_default_na=False)


def criteria(version: str | None = None, test: str | None = None) -> pd.DataFrame:
    """Grading criteria as a table, one row a cut-point.

    Parameters
    ----------
    version : str, optional
        One of `VERSIONS`; all when omitted.
    test : str, optional
        Analyte as in the laboratory table (a key of `LABELS`); all when omitted.

    Returns
    -------
    DataFrame
        version, test, term, soc, direction (low or high), grade, baseline (any, normal, high, low, not low: which
        baselines the row applies to), basis (value: `cut` is a value in `unit`; lln, uln, baseline: `cut` multiplies
        it), cut, unit, inclusive (Y: the value at the cut has this grade), citation.

    Raises
    ------
    ValueError
        When version or test is unknown.

    Examples
    --------
    >>> criteria("3.0", "HB")[["grade", "basis", "cut"]].values.tolist()
    [[1, 'lln', 1.0], [2, 'value', 10.0], [3, 'value', 8.0], [4, 'value', 6.5]]
    """
    table = _table()
    for column, wanted in (("version", version), ("test", test)):
        if wanted is not None:
            if wanted not in set(table[column]):
                raise ValueError(f"CTCAE {column} {wanted!r} is unknown; one of {', '.join(table[column].unique())}")
            table = table[table[column] == wanted]
    return table.reset_index(drop=True)


def cut_table() -> pd.DataFrame:
    """Cut-points of the blood counts, one row a test and version, one column a grade.

    Returns
    -------
    DataFrame
        Values below which a grade begins; missing where the grade does not rest on an absolute value.

    Examples
    --------
    >>> cut_table().loc[("HB", "3.0")].tolist()
    [nan, 10.0, 8.0, 6.5]
    >>> cut_table().columns.tolist()[0]
    'grade 1 below'
    """
    rows = criteria()[lambda table: table["test"].isin(CYTOPENIA) & (table["basis"] == "value")]
    wide = rows.pivot_table(index=["test", "version"], columns="grade", values="cut", sort=False)
    wide = wide.rename(columns=lambda number: f"grade {number} below").rename_axis(columns=None)
    return wide.sort_index(axis=1).reindex([(test, version) for test in CYTOPENIA for version in VERSIONS])


def criteria_text(version: str | None = None) -> pd.DataFrame:
    """Criteria in words, one row a test and version, one column a grade.

    Parameters
    ----------
    version : str, optional
        One of `VERSIONS`; all when omitted.

    Returns
    -------
    DataFrame
        test, version, unit (of absolute cut-points), grade 1 to grade 4: where each grade begins, `none` where the
        criteria have no number for it. A value keeps the worst grade that it has reached.

    Raises
    ------
    ValueError
        When version is unknown.

    Examples
    --------
    >>> table = criteria_text("5.0").set_index("test")
    >>> table.loc["ANC", ["grade 1", "grade 4"]].tolist()
    ['<LLN', '<0.5']
    >>> table.loc["ALT", "grade 2"]
    '>3 x ULN (baseline not high); >3 x baseline (baseline >ULN)'
    >>> table.loc["HB", "grade 4"]
    'none'
    """
    rows = criteria(version)
    rows = rows.assign(words=[in_words(row) + _BASELINES[row.baseline] for row in rows.itertuples()])
    wide = rows.pivot_table(index=["test", "version"], columns="grade", values="words", aggfunc="; ".join)
    wide = wide.reindex([(test, one) for test in LABELS for one in VERSIONS if version in (None, one)])
    wide = wide.fillna("none").rename(columns=lambda number: f"grade {number}").rename_axis(columns=None).reset_index()
    absolute = rows[rows["unit"] != ""].groupby("test")["unit"].first()
    wide.insert(2, "unit", wide["test"].map(absolute).fillna(""))
    return wide


def in_words(row) -> str:
    """Where one criterion begins, without the baselines that it is for.

    Parameters
    ----------
    row : namedtuple
        Row of `criteria`.

    Returns
    -------
    str

    Examples
    --------
    >>> [in_words(row) for row in criteria("3.0", "HB").itertuples()]
    ['<LLN', '<10', '<8', '<6.5']
    """
    sign = {"low": "<≤", "high": ">≥"}[row.direction][row.inclusive == "Y"]
    whole = {"value": "", "lln": "LLN", "uln": "ULN", "baseline": "baseline"}[row.basis]
    limit = f"{row.cut:g}" if not whole else whole if row.cut == 1 else f"{row.cut:g} x {whole}"
    return f"{sign}{limit}"


def check_unit(test: str, unit: str) -> None:
    """Refuse a unit in which a test is not graded.

    Raises
    ------
    ValueError
        Names the test, its units and the one given.

    Examples
    --------
    >>> check_unit("HB", "g/dL")
    >>> check_unit("HB", "g/L")
    Traceback (most recent call last):
    ...
    ValueError: HB is graded in g/dL, not in 'g/L': convert the values and their limits of normal first
    """
    if unit not in UNITS[test]:
        given = f"not in {unit!r}" if isinstance(unit, str) else "and here the unit is missing"
        raise ValueError(f"{test} is graded in {' or '.join(UNITS[test])}, {given}: "
                         "convert the values and their limits of normal first")


def grade(values: ArrayLike, test: str, version: str, lln: ArrayLike = np.nan, uln: ArrayLike = np.nan,
          baseline: ArrayLike = np.nan, unit: str | None = None) -> np.ndarray:
    """Grade laboratory values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Results in a unit of the test, see `UNITS` (10^9/L for counts, g/dL for haemoglobin).
    test, version : str
        See `criteria`.
    lln, uln : array_like, scalar or shape (n,)
        Lower and upper limit of normal, same unit; NaN where unknown.
    baseline : array_like, scalar or shape (n,)
        Baseline value, same unit. Pass NaN for values at or before baseline: those are graded against the limits of
        normal alone, never against themselves.
    unit : str, optional
        Unit of `values`, limits and baseline; refused when it is not one of `UNITS`.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 4. NaN is an unknown grade, which is not grade 0.

    Raises
    ------
    ValueError
        When version, test or unit is not the criteria's.

    Notes
    -----
    A value has the worst grade whose cut-point it has passed, so that no value falls between two grades. The cut
    itself belongs to the milder side ("<1.0 - 0.5" holds 0.5 and not 1.0) unless the criterion says otherwise
    (`inclusive`). Where the text itself leaves a gap, a value inside has the grade below the gap: version 5.0
    begins grade 1 at 1.5 x a high baseline of ALT, so that 1.2 x is grade 0. A value that has passed no cut, while
    a limit of normal that a criterion needs is missing, has an unknown grade; one that has passed a cut keeps that
    grade. An absolute cut counts even where a laboratory's own lower limit lies below it. A missing baseline counts
    as normal. Haemoglobin has no numeric grade 4 from version 4 on, and alkaline phosphatase has grade 1 only in
    version 6: no number can make them worse.

    Source
    ------
    The CTCAE documents named in the column `citation`. Cut-points of 4.03, 5.0 and 6.0 were checked against the
    metadata of the R package admiral, which takes gamma-GT at exactly 2 x a high baseline for grade 0 in version 5.0;
    the text says "2.0 - 2.5 x baseline", and so do these data.

    Examples
    --------
    >>> grade([0.8, 0.5, 0.49, 2.5], "ANC", "5.0", lln=1.8).tolist()
    [3.0, 3.0, 4.0, 0.0]
    >>> grade([0.8], "ANC", "6.0").tolist()
    [2.0]
    """
    rows = criteria(version, test)
    if unit is not None:
        check_unit(test, unit)
    values = np.atleast_1d(np.asarray(values, dtype=float))
    whole = {"value": 1.0, "lln": lln, "uln": uln, "baseline": baseline}
    given = {name: np.broadcast_to(np.asarray(array, dtype=float), values.shape) for name, array in whole.items()}
    applies = baseline_classes(given["baseline"], given["lln"], given["uln"])
    worst, unknown = np.zeros(values.shape), np.isnan(values)
    for row in rows.itertuples():
        with np.errstate(invalid="ignore"):
            limit = np.round(row.cut * given[row.basis], 9)
            signed = np.round(values, 9) - limit if row.direction == "high" else limit - np.round(values, 9)
            passed = (signed >= 0) if row.inclusive == "Y" else (signed > 0)
        worst = np.where(applies[row.baseline] & passed, np.maximum(worst, row.grade), worst)
        if row.basis in ("lln", "uln"):
            unknown = unknown | (applies[row.baseline] & np.isnan(limit))
    return np.where(np.isnan(values) | (unknown & (worst == 0)), np.nan, worst)


def baseline_classes(baseline: ArrayLike, lln: ArrayLike, uln: ArrayLike) -> dict[str, np.ndarray]:
    """Which criteria a baseline calls for, by the names in the column `baseline` of `criteria`.

    Parameters
    ----------
    baseline, lln, uln : array_like
        Same unit; NaN where unknown. A missing baseline, or one without a limit, is neither high nor low.

    Returns
    -------
    dict of ndarray of bool

    Examples
    --------
    >>> [name for name, holds in baseline_classes(80, 5, 45).items() if holds]
    ['any', 'high', 'not low']
    """
    baseline, lln, uln = (np.asarray(values, dtype=float) for values in (baseline, lln, uln))
    with np.errstate(invalid="ignore"):
        high, low = baseline > uln, baseline < lln
    return {"any": np.ones_like(high), "normal": ~high, "high": high, "low": low, "not low": ~low}
