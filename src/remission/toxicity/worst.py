"""Worst grade of each patient by test, period and version of the criteria; unknown is not grade 0."""

from __future__ import annotations

import pandas as pd

from remission.adam.adlb import GRADE_COLUMN
from remission.ctcae import CYTOPENIA, LABELS
from remission.toxicity.counts import population

#: Grade column of `adlb` by version; the study's own comes first in tables.
VERSIONS = GRADE_COLUMN
GRADES = range(5)
#: Periods in which worst grades are taken, and what each holds.
PERIODS = {"frontline": "from the first value to the time origin, baseline included",
           "maintenance": "after the time origin, before relapse, at most 30 days after the last dose"}


def in_period(adlb: pd.DataFrame, period: str) -> pd.Series:
    """Whether a value belongs to a period of `PERIODS`.

    Parameters
    ----------
    adlb : DataFrame
        Needs ADY for `frontline`, TRTEMFL for `maintenance`.
    period : str

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> adlb = pd.DataFrame({"ADY": [-5, 0, 9], "TRTEMFL": ["N", "N", "Y"]})
    >>> in_period(adlb, "frontline").tolist(), in_period(adlb, "maintenance").tolist()
    ([True, True, False], [False, False, True])
    """
    return adlb["ADY"] <= 0 if period == "frontline" else adlb["TRTEMFL"] == "Y"


def worst_laboratory(adlb: pd.DataFrame, period: str = "maintenance") -> pd.DataFrame:
    """Worst grade of each patient, test and version in a period, with the baseline grade.

    Parameters
    ----------
    adlb : DataFrame
    period : str
        A key of `PERIODS`.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, PARAMCD, VERSION, BASELINE, WORST; a row for every patient and test with a value in the
        period. Missing is an unknown grade: no value, or none that can be graded.
    """
    if adlb.empty:
        return pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "VERSION", "BASELINE", "WORST"])
    worst = _highest(adlb[in_period(adlb, period)]).rename("WORST").to_frame()
    worst.insert(0, "BASELINE", _highest(adlb[adlb["ABLFL"] == "Y"]))
    return worst.reset_index()


def baseline_grades(adlb: pd.DataFrame) -> pd.DataFrame:
    """Grade of each patient's baseline value by test and version, with or without a value under treatment.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, PARAMCD, VERSION, BASELINE; missing is an unknown grade.
    """
    return _highest(adlb[adlb["ABLFL"] == "Y"]).rename("BASELINE").reset_index()


def _highest(rows: pd.DataFrame) -> pd.Series:
    key = ["USUBJID", "TRT01A", "PARAMCD"]
    named = rows.rename(columns={column: version for version, column in VERSIONS.items()})
    grades = named.melt(key, list(VERSIONS), "VERSION", "GRADE").astype({"GRADE": float})
    return grades.groupby([*key, "VERSION"])["GRADE"].max()


def worst_cytopenia(adlb: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Worst grade of each patient over neutrophils, platelets, haemoglobin and leukocytes, by version.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, VERSION, WORST; patients of the safety population, those without any gradable count as
        missing.
    """
    counts = worst_laboratory(adlb)
    counts = counts[counts["PARAMCD"].isin(CYTOPENIA)]
    worst = counts.groupby(["USUBJID", "VERSION"], as_index=False)["WORST"].max()
    subjects = population(adsl, "all")[["USUBJID", "TRT01A"]]
    everyone = subjects.merge(pd.DataFrame({"VERSION": list(VERSIONS)}), how="cross")
    return everyone.merge(worst, on=["USUBJID", "VERSION"], how="left", validate="one_to_one")


def measured(adlb: pd.DataFrame) -> list[str]:
    """Tests that a table holds, in the order of `ctcae.LABELS`."""
    found = set(adlb["PARAMCD"])
    return [test for test in LABELS if test in found]


def for_everyone(rows: pd.DataFrame, subjects: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Give every patient a row of every level, missing where `rows` has none.

    Parameters
    ----------
    rows : DataFrame
        USUBJID, the columns of `levels`, and others; one row a patient and level.
    subjects : DataFrame
        Patients counted: USUBJID, TRT01A.
    levels : DataFrame
        Every level, such as every PARAMCD.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A (of `subjects`), the columns of `levels`, the others.
    """
    everyone = subjects[["USUBJID", "TRT01A"]].merge(levels, how="cross")
    rows = rows.drop(columns="TRT01A", errors="ignore")
    return everyone.merge(rows, on=["USUBJID", *levels.columns], how="left", validate="one_to_one")
