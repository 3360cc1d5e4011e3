"""Kinase-domain analyses: period by the origin and the relapse, no day, nobody's rows."""

from __future__ import annotations

import pandas as pd
from test_adam_admrd import subjects

from remission.adam.admut import derive_admut


def admut(*rows, **columns):
    """Rows: patient, day, variant."""
    frame = pd.DataFrame(rows, columns=["patient_id", "day", "variant"]).astype({"day": "Int64"})
    frame = frame.assign(method="direct sequencing", allele_fraction=50.0)
    return derive_admut({"mutations": frame}, subjects(**columns))


def test_period_turns_at_the_origin_and_after_the_day_of_relapse():
    found = admut(("p1", -1, "none"), ("p1", 0, "T315I"), ("p1", 400, "T315I"), ("p1", 401, "E255K"))
    assert found["PERIOD"].tolist() == ["FRONTLINE", "MAINTENANCE", "MAINTENANCE", "POSTRELAPSE"]
    assert found["VARIANT"].tolist() == ["none", "T315I", "T315I", "E255K"]


def test_without_a_relapse_nothing_is_after_it():
    assert admut(("p1", 900, "none"), RELDY=[None])["PERIOD"].tolist() == ["MAINTENANCE"]


def test_an_analysis_without_a_day_stays():
    found = admut(("p1", None, "F317L"))
    assert found["ADY"].isna().all() and found["PERIOD"].isna().all()
    assert found["VARIANT"].tolist() == ["F317L"]


def test_optional_columns_may_be_absent():
    bare = pd.DataFrame({"patient_id": ["p1"], "day": pd.array([3], "Int64"), "variant": ["none"]})
    found = derive_admut({"mutations": bare}, subjects())
    assert found[["METHOD", "AF"]].isna().all(axis=None)
