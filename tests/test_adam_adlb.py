"""Laboratory table: baseline, on-treatment window, grades by version."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remission import schema
from remission.adam.adlb import derive_adlb
from remission.study import Study

STUDY = Study("demo", "own", "demo", "none", (), ctcae_version="3.0")
ADSL = pd.DataFrame({"STUDYID": "demo", "USUBJID": ["P1", "P2"], "TRT01A": ["A", "B"], "MTENDY": [100, 50],
                     "RELDY": [None, 60]}).astype({"MTENDY": "Int64", "RELDY": "Int64"})


def laboratory(rows):
    names = ["patient_id", "day", "test", "value", "unit", "lower_limit_normal", "upper_limit_normal"]
    return {"laboratory": pd.DataFrame(rows, columns=names).astype({"day": "Int64"})}


def test_baseline_is_the_last_value_on_or_before_the_origin():
    rows = [("P1", day, "ANC", value, "10^9/L", 1.8, 7.5) for day, value in ((-20, 2.0), (0, 3.0), (1, 4.0))]
    made = derive_adlb(laboratory(rows), ADSL, STUDY)
    assert made["ABLFL"].tolist() == ["N", "Y", "N"]
    assert made["BASE"].tolist() == [3.0, 3.0, 3.0]


def test_window_closes_at_relapse_and_thirty_days_after_the_last_dose():
    rows = [("P1", day, "ANC", 2.0, "10^9/L", 1.8, 7.5) for day in (0, 1, 130, 131)]
    rows += [("P2", day, "ANC", 2.0, "10^9/L", 1.8, 7.5) for day in (59, 60)]
    made = derive_adlb(laboratory(rows), ADSL, STUDY)
    assert made["TRTEMFL"].tolist() == ["N", "Y", "Y", "N", "Y", "N"]


def test_grades_stand_side_by_side_and_unknown_is_blank():
    rows = [("P1", 10, "HB", 6.4, "g/dL", 12, 16), ("P1", 10, "ANC", 0.8, "10^9/L", 1.8, 7.5),
            ("P1", 11, "ANC", 1.7, "10^9/L", None, None)]
    made = derive_adlb(laboratory(rows), ADSL, STUDY).set_index(["PARAMCD", "ADY"])
    grades = ["ATOXV3", "ATOXV4", "ATOXV5", "ATOXV6", "ATOXGR"]
    assert made.loc[("HB", 10), grades].tolist() == [4, 3, 3, 3, 4]
    assert made.loc[("ANC", 10), grades].tolist() == [3, 3, 3, 2, 3]
    assert made.loc[("ANC", 11), grades[:3]].isna().all()


def test_an_abnormal_baseline_keeps_its_grade():
    # pharmaverse/admiral issue 2512: graded against itself, a baseline ALT of 3.2 x ULN would come out as grade 0
    rows = [("P1", 0, "ALT", 160, "U/L", None, 50), ("P1", 30, "ALT", 160, "U/L", None, 50)]
    made = derive_adlb(laboratory(rows), ADSL, STUDY)
    assert made["ATOXV5"].tolist() == [2, 0]
    assert made["ATOXV4"].tolist() == [2, 2]


@pytest.mark.parametrize(("test", "unit", "grades"), [("ALP", "U/L", [2, 2, 2, 1]), ("GGT", "U/L", [2, 2, 2, 2]),
                                                      ("AST", "U/L", [2, 2, 2, 2]), ("BILI", "mg/dL", [3, 3, 3, 3])])
def test_values_before_the_origin_are_graded_by_the_limits_in_every_version(test, unit, grades):
    # 4 x the limit, weeks before and at baseline: neither is graded against the baseline that it is or precedes
    rows = [("P1", day, test, 4.0, unit, None, 1.0) for day in (-50, 0)]
    made = derive_adlb(laboratory(rows), ADSL, STUDY)
    assert made[["ATOXV3", "ATOXV4", "ATOXV5", "ATOXV6"]].to_numpy().tolist() == [grades, grades]


def test_a_missing_unit_is_refused_and_not_an_unknown_grade():
    with pytest.raises(ValueError, match="ANC is graded in 10\\^9/L, and here the unit is missing"):
        derive_adlb(laboratory([("P1", 1, "ANC", 2.0, np.nan, 1.8, 7.5)]), ADSL, STUDY)


def test_wrong_unit_and_unknown_version_are_refused():
    rows = [("P1", 1, "PLT", 80_000, "/µL", 150, 400)]
    with pytest.raises(ValueError, match="PLT is graded in"):
        derive_adlb(laboratory(rows), ADSL, STUDY)
    with pytest.raises(ValueError, match=r"CTCAE version '2\.0' is unknown"):
        derive_adlb(laboratory(rows), ADSL, Study("demo", "own", "", "", (), ctcae_version="2.0"))


def test_no_values_give_an_empty_table():
    made = derive_adlb(laboratory([]), ADSL, STUDY)
    assert list(made.columns) == schema.ANALYSIS["adlb"].names
