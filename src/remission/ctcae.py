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
        Analyte as in the laboratory table (`ANC`, `PLT`, `HB`, `WBC`, `ALT`, `AST`, `CREAT`, `BILI`); all when omitted.

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


def grade(values: ArrayLike, test: str, version: str, lln: ArrayLike = np.nan, uln: ArrayLike = np.nan,
          baseline: ArrayLike = np.nan, unit: str | None = None) -> np.ndarray:
    """Grade laboratory values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Results in the canonical unit of the test (10^9/L for counts, g/dL for haemoglobin).
    test, version : str
        See `criteria`.
    lln, uln : array_like, scalar or shape (n,)
        Lower and upper limit of normal, same unit; NaN where unknown.
    baseline : array_like, scalar or shape (n,)
        Baseline value, same unit. Pass NaN for values at or before baseline: those are graded against the limits of
        normal alone, never against themselves.
    unit : str, optional
        Unit of `values`, checked where a cut-point is a value and not a multiple.

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
    (`inclusive`). A value that has passed no cut, while a limit of normal that a criterion needs is missing, has an
    unknown grade; one that has passed a cut keeps that grade. An absolute cut counts even where a laboratory's own
    lower limit lies below it. A missing baseline counts as normal. Haemoglobin has no
    numeric grade 4 from version 4 on; the worst grade from a number is 3.

    Source
    ------
    The CTCAE documents named in the column `citation`. Cut-points of 4.03, 5.0 and 6.0 were checked against the
    metadata of the R package admiral.

    Examples
    --------
    >>> grade([0.8, 0.5, 0.49, 2.5], "ANC", "5.0", lln=1.8).tolist()
    [3.0, 3.0, 4.0, 0.0]
    >>> grade([0.8], "ANC", "6.0").tolist()
    [2.0]
    """
    rows = criteria(version, test)
    units = set(rows.loc[rows["basis"] == "value", "unit"])
    if unit is not None and units and units != {unit}:
        raise ValueError(f"{test} is graded in {', '.join(sorted(units))}, not in {unit!r}")
    values = np.atleast_1d(np.asarray(values, dtype=float))
    whole = {"value": 1.0, "lln": lln, "uln": uln, "baseline": baseline}
    given = {name: np.broadcast_to(np.asarray(array, dtype=float), values.shape) for name, array in whole.items()}
    applies = _baseline_classes(given)
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


def _baseline_classes(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.errstate(invalid="ignore"):
        high, low = given["baseline"] > given["uln"], given["baseline"] < given["lln"]
    return {"any": np.ones_like(high), "normal": ~high, "high": high, "low": low, "not low": ~low}
