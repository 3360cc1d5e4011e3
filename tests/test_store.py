"""Analysis tables on disk."""

from __future__ import annotations

import pandas as pd
import pytest

from remission import paths, schema, store

ADTV = {"STUDYID": "x", "USUBJID": ["007", "007", "1E5"], "TRT01A": "NA", "TSTART": [30, 0, 0], "TSTOP": [60, 30, 12],
        "SAMPDY": [30, -3, None], "MRDPOS": [1, 0, None], "CATEGORY": ["failure", "complete", "unknown"],
        "LEVEL": [0.5, -3.0, None], "LEVCENS": ["N", "Y", None], "EVENT": [1, 0, 0], "CNSR2": 0}


def test_written_tables_come_back_as_they_were(elsewhere):
    store.write(pd.DataFrame(ADTV), "x", "adtv")
    back = store.read("x", "adtv")
    # Text that looks like a number, like missing, or like 1 x 10^5 stays text; rows are in key order.
    assert back["USUBJID"].tolist() == ["007", "007", "1E5"]
    assert back["TRT01A"].tolist() == ["NA"] * 3
    assert back["TSTART"].tolist() == [0, 30, 0]
    assert back["MRDPOS"].tolist() == [0, 1, pd.NA]


def test_row_order_does_not_change_the_bytes(elsewhere):
    table = pd.DataFrame(ADTV)
    store.write(table, "x", "adtv")
    first = (paths.processed("x") / "adtv.csv").read_bytes()
    store.write(table.iloc[::-1], "x", "adtv")
    assert (paths.processed("x") / "adtv.csv").read_bytes() == first


def test_a_column_too_many_is_an_error(elsewhere):
    with pytest.raises(ValueError, match=r"adtv: missing \[\], extra \['WHAT'\]"):
        store.write(pd.DataFrame({**ADTV, "WHAT": 1}), "x", "adtv")


def test_an_absent_table_is_empty_with_its_columns(elsewhere):
    assert list(store.read("x", "adae").columns) == schema.ANALYSIS["adae"].names
