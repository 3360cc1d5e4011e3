"""Columns beyond the contract are described, never dropped."""

from __future__ import annotations

import pandas as pd

from remission import results
from remission.adam.extra import describe_extra, extra_columns
from remission.study import Arm, Study

STUDY = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)), decimal=",")
PATIENTS = pd.DataFrame({"patient_id": list("1234"), "arm": ["A", "A", "A", "B"], "age": [60, 61, 62, 63],
                         "weight": ["61,5", "80", "", ""], "ward": ["5", "5a", "", ""], "source_line": [2, 3, 4, 5]})


def test_extra_columns_are_those_that_the_contract_does_not_name():
    assert extra_columns(PATIENTS) == ["weight", "ward"]


def test_numbers_are_described_by_arm_and_texts_are_not():
    made = describe_extra(PATIENTS, STUDY)
    assert made["result_id"].tolist() == [f"extra.weight.all.A.{name}" for name in ("median", "min", "max")]
    assert made["value"].tolist() == [70.75, 61.5, 80]
    assert made["n"].tolist() == [2, 2, 2]


def test_without_extra_columns_there_are_no_rows():
    made = describe_extra(PATIENTS[["patient_id", "arm"]], STUDY)
    assert made.empty and made.columns.tolist() == results.COLUMNS
