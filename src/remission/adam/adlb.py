"""Laboratory values: baseline, and grade under each version of the criteria."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import ctcae, schema
from remission.study import Study

#: Days after the last dose during which a value still counts as on treatment.
AFTER_LAST_DOSE = 30
#: Column of the grade under each version.
GRADE_COLUMN = {"3.0": "ATOXV3", "4.03": "ATOXV4", "5.0": "ATOXV5", "6.0": "ATOXV6"}


def derive_adlb(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Laboratory values of the study's patients, with grades.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; uses `laboratory`.
    adsl : DataFrame
    study : Study
        `ctcae_version` fills ATOXGR.

    Returns
    -------
    DataFrame
        Analysis table `adlb`. Values at or before the origin are graded against the limits of normal alone, so that an
        abnormal baseline keeps its grade. An unknown grade is blank.

    Raises
    ------
    ValueError
        When a unit is missing or not the criteria's, or the study's version is unknown.

    Notes
    -----
    On treatment (TRTEMFL): after the origin, before relapse, at most 30 days after the last dose. From relapse on,
    counts tell of leukaemia and its treatment, not of maintenance.
    """
    if study.ctcae_version not in GRADE_COLUMN:
        raise ValueError(f"CTCAE version {study.ctcae_version!r} is unknown; one of {', '.join(GRADE_COLUMN)}")
    lab = tables["laboratory"]
    lab = lab[lab["patient_id"].isin(adsl["USUBJID"]) & lab["day"].notna()].reset_index(drop=True)
    if lab.empty:
        return schema.empty(schema.ANALYSIS["adlb"])
    subject = adsl.set_index("USUBJID").loc[lab["patient_id"]].reset_index()
    made = pd.DataFrame({
        "STUDYID": subject["STUDYID"], "USUBJID": lab["patient_id"], "TRT01A": subject["TRT01A"],
        "PARAMCD": lab["test"], "ADY": lab["day"], "AVAL": lab["value"].astype(float), "AVALU": lab["unit"],
        "ANRLO": lab["lower_limit_normal"].astype(float), "ANRHI": lab["upper_limit_normal"].astype(float)})
    before = made["ADY"] <= 0
    rows = made[before].sort_values("ADY", kind="stable").drop_duplicates(["USUBJID", "PARAMCD"], keep="last").index
    made["ABLFL"] = np.where(made.index.isin(rows), "Y", "N")
    base = made.loc[rows].set_index(["USUBJID", "PARAMCD"])["AVAL"].rename("BASE")
    made = made.merge(base, how="left", left_on=["USUBJID", "PARAMCD"], right_index=True, validate="many_to_one")
    for version, column in GRADE_COLUMN.items():
        made[column] = _graded(made, version)
    made["ATOXGR"] = made[GRADE_COLUMN[study.ctcae_version]]
    day, end, relapse = (values.astype(float) for values in (made["ADY"], subject["MTENDY"], subject["RELDY"]))
    made["TRTEMFL"] = np.where((day > 0) & ~day.gt(end + AFTER_LAST_DOSE) & ~day.ge(relapse), "Y", "N")
    return schema.conform(made, schema.ANALYSIS["adlb"])


def _graded(made: pd.DataFrame, version: str) -> pd.Series:
    """Grades in the order of `made`; one call a test and unit."""
    parts = []
    for (test, unit), rows in made.groupby(["PARAMCD", "AVALU"], sort=False, dropna=False):
        baseline = rows["BASE"].where(rows["ADY"] > 0)
        graded = ctcae.grade(rows["AVAL"], test, version, lln=rows["ANRLO"], uln=rows["ANRHI"], baseline=baseline,
                             unit=unit)
        parts.append(pd.Series(graded, index=rows.index))
    return pd.concat(parts).reindex(made.index).astype("Int64")
