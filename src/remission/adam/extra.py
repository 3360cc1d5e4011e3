"""Columns of `patients` that the contract does not name: kept as received, and described where they hold numbers."""

from __future__ import annotations

import pandas as pd

from remission import results, schema
from remission.study import Study

STATISTICS = ("median", "min", "max")


def extra_columns(patients: pd.DataFrame) -> list[str]:
    """Columns that a cohort brings beyond the contract.

    Parameters
    ----------
    patients : DataFrame
        Clean table.

    Returns
    -------
    list of str

    Examples
    --------
    >>> extra_columns(pd.DataFrame(columns=["patient_id", "arm", "cr_day", "log_wbc", "source_line"]))
    ['log_wbc']
    """
    known = set(schema.RAW["patients"].names) | set(schema.DAY_COLUMN.values()) | {"source_line"}
    return [column for column in patients.columns if column not in known]


def describe_extra(patients: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Median and range, by arm, of every extra column that holds nothing but numbers.

    Parameters
    ----------
    patients : DataFrame
        Clean table; extra columns as text, blank where nothing is recorded.
    study : Study
        Declares arms and decimal sign.

    Returns
    -------
    DataFrame
        Results `extra.<column>.all.<arm>.median`, `.min`, `.max`, in the column's own unit. Plain statistics: a
        duration that was still going on counts as it stands.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> patients = pd.DataFrame({"patient_id": ["1", "2"], "arm": "A", "log_wbc": ["2.57", "1.45"], "ward": ["x", ""]})
    >>> describe_extra(patients, Study("demo", "own", "", "", (Arm("A", "A"),)))["display"].tolist()
    ['2.01', '1.45', '2.57']
    """
    rows = []
    for column in extra_columns(patients):
        text = patients[column].fillna("").astype(str).str.strip()
        number = pd.to_numeric(text.str.replace(study.decimal, ".", regex=False), errors="coerce")
        if (number.isna() & (text != "")).any():
            continue
        for arm in study.arm_keys:
            mine = number[(patients["arm"] == arm) & number.notna()]
            for statistic in STATISTICS if len(mine) else ():
                value = float(mine.agg(statistic))
                rows.append(results.row("extra", column, "all", arm, statistic, value, n=len(mine),
                                        method="plain, over patients with a value", display=f"{value:g}"))
    return results.frame(rows)
