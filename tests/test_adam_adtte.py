"""Time to event, from frames of a few patients: the regular, the boundary, the missing."""

from __future__ import annotations

import pandas as pd
import pytest

from remission import schema
from remission.adam.adtte import ENDPOINTS, derive_adtte
from remission.study import ENDPOINTS as CODES
from remission.study import Study


def subjects(**columns):
    count = len(next(iter(columns.values())))
    days = ("DXDY", "RELDY", "DTHDY", "LSTALVDY", "TRTSDY", "MTENDY")
    made = {name: pd.array(columns.get(name, [None] * count), dtype="Int64") for name in days}
    return pd.DataFrame({"STUDYID": "demo", "USUBJID": [str(number) for number in range(1, count + 1)], "TRT01A": "A",
                         "TTEFL": columns.get("TTEFL", ["Y"] * count), "MTONFL": columns.get("MTONFL", [None] * count),
                         **made})


def derive(adsl, *endpoints):
    study = Study("demo", "own", "", "", (), endpoints=endpoints, origin_label="start of maintenance",
                  endpoint_labels={"TTRLP": "time to relapse"})
    return derive_adtte(adsl, study)


def times(adsl, endpoint):
    return derive(adsl, endpoint)[["AVAL", "CNSR"]].to_numpy().tolist()


#: Relapse and death after it; death in remission; alive in remission; relapse on the day of the origin.
FOUR = subjects(RELDY=[90, None, None, 0], DTHDY=[200, 50, None, None], LSTALVDY=[200, 50, 80, 500],
                DXDY=[-100, -50, -1, -365])


def test_every_endpoint_of_a_study_has_its_sources():
    assert set(ENDPOINTS) == set(CODES)


def test_time_to_relapse_is_censored_by_death_in_remission():
    assert times(FOUR, "TTRLP") == [[90, 0], [50, 2], [80, 1], [0, 0]]


def test_relapse_free_survival_counts_death():
    made = derive(FOUR, "RFS")
    assert made[["AVAL", "CNSR"]].to_numpy().tolist() == [[90, 0], [50, 0], [80, 1], [0, 0]]
    assert made["EVNTDESC"].tolist() == ["relapse", "death in remission", None, "relapse"]
    assert made["CNSDTDSC"].tolist() == [None, None, "alive in remission at last contact", None]


def test_relapse_and_death_on_one_day_is_a_relapse():
    made = derive(subjects(RELDY=[40], DTHDY=[40], LSTALVDY=[40]), "RFS", "TTRLP")
    assert made[["AVAL", "CNSR", "EVNTDESC"]].to_numpy().tolist() == [[40, 0, "relapse"]] * 2


def test_survival_from_diagnosis_starts_there_and_is_truncated_at_the_origin():
    made = derive(FOUR, "OSDX")
    assert made["AVAL"].tolist() == [300, 100, 81, 865]
    assert made["CNSR"].tolist() == [0, 0, 1, 1]
    assert made["STARTDY"].tolist() == [-100, -50, -1, -365]
    assert made["ENTRYDY"].tolist() == [100, 50, 1, 365]
    assert set(made["ORIGIN"]) == {"diagnosis"}


def test_survival_from_the_origin_is_not_truncated():
    made = derive(FOUR, "OSMT")
    assert made[["AVAL", "CNSR", "ENTRYDY"]].to_numpy().tolist() == [[200, 0, 0], [50, 0, 0], [80, 1, 0], [500, 1, 0]]
    assert set(made["ORIGIN"]) == {"start of maintenance"}


def test_duration_of_maintenance_counts_from_the_first_dose():
    adsl = subjects(TRTSDY=[0, 7, None], MTENDY=[300, 107, None], MTONFL=["N", "Y", None], LSTALVDY=[500, 107, 90])
    made = derive(adsl, "MTDUR")
    assert made[["USUBJID", "AVAL", "CNSR"]].to_numpy().tolist() == [["1", 300, 0], ["2", 100, 1]]


def test_patients_whose_dates_do_not_suffice_are_left_out():
    made = derive(subjects(RELDY=[10, None], LSTALVDY=[20, None], TTEFL=["Y", "N"]), "TTRLP", "RFS")
    assert made["USUBJID"].tolist() == ["1", "1"]


def test_only_the_endpoints_of_the_study_are_derived():
    assert set(derive(FOUR, "TTRLP", "OSMT")["PARAMCD"]) == {"TTRLP", "OSMT"}


def test_labels_come_from_the_study():
    assert set(derive(FOUR, "TTRLP")["PARAM"]) == {"time to relapse"}


@pytest.mark.parametrize(("column", "values"), [("RELDY", [-1]), ("LSTALVDY", [None])])
def test_a_negative_or_missing_time_is_an_error(column, values):
    with pytest.raises(ValueError, match="TTRLP of patient 1"):
        derive(subjects(**{column: values}), "TTRLP")


def test_columns_and_types_are_the_declared_ones_also_without_patients():
    expected = schema.empty(schema.ANALYSIS["adtte"])
    for adsl in (FOUR, FOUR.iloc[:0]):
        made = derive(adsl, *CODES)
        assert made.dtypes.to_dict() == expected.dtypes.to_dict()
    assert made.empty
    assert derive(FOUR).empty


def test_row_order_and_arm_names_do_not_matter():
    turned = FOUR.iloc[::-1].assign(TRT01A="other")
    pd.testing.assert_frame_equal(derive(turned, *CODES).drop(columns="TRT01A"),
                                  derive(FOUR, *CODES).drop(columns="TRT01A"))
