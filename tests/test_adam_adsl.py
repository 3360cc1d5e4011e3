"""Subject level, from frames of a few patients: the regular, the boundary, the missing."""

from __future__ import annotations

import pandas as pd
import pytest

from remission import schema
from remission.adam.adsl import cycles_before_origin, derive_adsl, first_relapse, last_word, maintenance
from remission.study import Arm, Study

ARMS = (Arm("A", "Arm A"), Arm("B", "Arm B", True))
STUDY = Study("demo", "own", "", "", ARMS, endpoints=("TTRLP", "RFS"))
WITH_SURVIVAL = Study("demo", "own", "", "", ARMS, endpoints=("TTRLP", "OSDX"))


def day(*values):
    return pd.array(values, dtype="Int64")


def date(*values):
    return pd.to_datetime(pd.Series(values)).astype("datetime64[ns]")


def cohort(statuses, *, contact=None, death=None, relapses=None, **tables):
    """Clean tables of a day-only cohort, patients 1, 2, 3 …"""
    patient = [str(number) for number in range(1, len(statuses) + 1)]
    relapses = relapses or {}
    return {
        "patients": pd.DataFrame({"patient_id": patient, "arm": "A"}),
        "disposition": pd.DataFrame({
            "patient_id": patient, "status": statuses, "last_contact_day": day(*(contact or [100] * len(patient))),
            "death_day": day(*(death or [None] * len(patient)))}),
        "remission_events": pd.DataFrame({
            "patient_id": list(relapses), "day": day(*relapses.values()), "event": "relapse",
            "site": ["BM"] * len(relapses)}), **tables}


def reasons(tables, study=STUDY):
    return derive_adsl(tables, study)["TTEEXCL"].tolist()


def test_columns_types_and_order_are_the_declared_ones():
    made = derive_adsl(cohort(["alive in remission"]), STUDY)
    expected = schema.empty(schema.ANALYSIS["adsl"])
    assert made.columns.tolist() == expected.columns.tolist()
    assert made.dtypes.to_dict() == expected.dtypes.to_dict()


def test_a_dated_cohort_keeps_dates_and_gets_age_from_the_year_of_birth():
    tables = cohort(["alive in remission", "alive in remission"])
    tables["patients"] = pd.DataFrame({
        "patient_id": ["1", "2"], "arm": ["B", "A"], "sex": ["F", None], "birth_year": day(1940, 1941),
        "age": day(None, 66), "diagnosis_date": date("2003-11-20", "2004-01-05"), "diagnosis_day": day(-163, -117),
        "cr_date": date("2004-01-15", None), "cr_day": day(-107, None),
        "maintenance_start": date("2004-05-01", "2004-05-01"), "transcript": ["p190", None]})
    made = derive_adsl(tables, STUDY).set_index("USUBJID")
    assert made["AGE"].tolist() == [64, 66]  # 2004 - 1940; a recorded age comes first
    assert made["TRT01AN"].tolist() == [2, 1]
    assert made.loc["1", ["DXDT", "MTSTDT"]].tolist() == [pd.Timestamp("2003-11-20"), pd.Timestamp("2004-05-01")]
    assert made.loc["1", "DXDY"] == -163 and pd.isna(made.loc["2", "CRDY"])


def test_what_ended_the_first_remission():
    statuses = ["alive in remission", "died in remission", "alive after relapse", "died after relapse",
                "never in remission", "unknown"]
    made = derive_adsl(cohort(statuses, death=[None, 90, None, 80, None, None], relapses={"3": 10, "4": 20}), STUDY)
    assert made["STATUS"].tolist() == ["ongoing remission", "death in remission", "relapse", "relapse",
                                       "not evaluable", "not evaluable"]
    assert made["TTEFL"].tolist() == ["Y", "Y", "Y", "Y", "N", "N"]
    assert made["TTEEXCL"].tolist()[4:] == ["never in remission", "outcome unknown"]


def test_a_recorded_relapse_comes_before_the_status():
    made = derive_adsl(cohort(["alive in remission"], relapses={"1": 30}), STUDY)
    assert made[["STATUS", "RELDY", "TTEFL"]].to_numpy().tolist() == [["relapse", 30, "Y"]]


def test_a_dated_event_speaks_where_the_status_does_not():
    made = derive_adsl(cohort(["unknown", "alive in remission"], death=[None, 70], relapses={"1": 30}), STUDY)
    assert made[["STATUS", "TTEFL"]].to_numpy().tolist() == [["relapse", "Y"], ["death in remission", "Y"]]


def test_undated_ends_are_reported_and_not_guessed():
    tables = cohort(["died in remission", "alive after relapse", "alive in remission", "died in remission"],
                    contact=[100, 100, None, 100], death=[None, None, None, 100], relapses={"2": None})
    assert reasons(tables) == ["no date of death in remission", "no date of relapse", "no date of last contact", None]


def test_a_relapse_known_by_status_alone_is_undated():
    assert reasons(cohort(["alive after relapse"])) == ["no date of relapse"]


def test_survival_endpoints_ask_for_more_dates():
    tables = cohort(["died after relapse", "alive after relapse"], contact=[100, None], relapses={"1": 10, "2": 20})
    assert reasons(tables) == [None, None]
    tables["patients"]["diagnosis_day"] = day(-200, None)
    assert reasons(tables, WITH_SURVIVAL) == ["no date of death after relapse",
                                              "no date of last contact; no date of diagnosis"]


def test_a_missing_origin_excludes_only_where_origins_are_dates():
    tables = cohort(["alive in remission", "alive in remission", "never in remission"], contact=[50, None, None])
    tables["patients"]["maintenance_start"] = date("2004-05-01", None, None)
    tables["disposition"]["last_contact"] = date("2004-06-20", "2004-06-20", "2004-06-20")
    assert reasons(tables) == [None, "no date of start of maintenance", "never in remission"]
    del tables["patients"]["maintenance_start"], tables["disposition"]["last_contact"]
    assert reasons(tables) == [None, "no date of last contact", "never in remission"]


def test_the_earliest_relapse_counts_and_a_dated_one_before_an_undated_one():
    events = pd.DataFrame({"patient_id": ["1", "1", "2", "2"], "day": day(90, 30, None, 40),
                           "site": ["BM", "CNS", "BM", "other"]})
    made = first_relapse(events)
    assert made.to_numpy().tolist() == [["1", 30, "CNS", "Y"], ["2", 40, "other", "Y"]]


def test_death_stands_in_for_a_missing_last_contact():
    made = last_word(pd.DataFrame({"patient_id": ["1", "2"], "status": ["died in remission", "alive in remission"],
                                   "last_contact_day": day(None, None), "death_day": day(77, None)}))
    assert made["LSTALVDY"].tolist() == [77, pd.NA]
    assert made["UNDATED_CONTACT"].tolist() == [False, True]


def test_cycles_count_before_the_origin_only():
    cycles = pd.DataFrame({"patient_id": ["1", "1", "1", "2"], "start_day": day(-90, -1, 0, None)})
    assert cycles_before_origin(cycles).to_numpy().tolist() == [["1", 2], ["2", 1]]
    tables = cohort(["alive in remission"] * 3, chemotherapy_cycles=cycles)
    assert derive_adsl(tables, STUDY)["NCYCLES"].tolist() == [2, 1, pd.NA]


def dosing(*rows):
    columns = ["patient_id", "drug", "dose", "start_day", "end_day"]
    return pd.DataFrame(list(rows), columns=columns).astype({"dose": float, "start_day": "Int64", "end_day": "Int64"})


def test_maintenance_runs_from_the_first_to_the_last_dose_of_any_drug():
    given = dosing(("1", "imatinib", 600, 0, 300), ("1", "interferon alfa-2a", 1, 5, 400),
                   ("2", "imatinib", 600, -60, 50), ("3", "imatinib", 600, 0, None), ("4", "imatinib", 600, 0, None),
                   ("5", "imatinib", 600, -60, -1))
    subject = pd.DataFrame({"USUBJID": list("12345"), "LSTALVDY": day(900, 900, 900, 120, 900),
                            "DEAD": [False, False, False, True, False]})
    made = maintenance(given, subject)
    # 2 began before the origin; 3 goes on; 4 died on treatment, a stop; 5 had none from the origin on.
    assert made.to_numpy().tolist() == [["1", 0, 400, "N"], ["2", 0, 50, "N"], ["3", 0, 900, "Y"], ["4", 0, 120, "N"]]


def test_evaluable_for_interferon_needs_a_dose_above_zero():
    tables = cohort(["alive in remission"] * 3, dosing=dosing(
        ("1", "interferon alfa-2a", 1, 0, 30), ("2", "interferon alfa-2a", 0, 0, 30), ("2", "imatinib", 600, 0, 90)))
    made = derive_adsl(tables, STUDY)
    assert made["IFNEVLFL"].tolist() == ["Y", "N", "N"]
    assert made["SAFFL"].tolist() == ["Y", "Y", "N"]
    assert made["MTENDY"].tolist() == [30, 90, pd.NA]


def test_without_a_dosing_table_everybody_is_in_the_safety_population():
    made = derive_adsl(cohort(["alive in remission"]), STUDY)
    assert made[["SAFFL", "IFNEVLFL"]].to_numpy().tolist() == [["Y", "N"]]
    assert made["MTONFL"].isna().all()


def test_a_patient_with_two_last_words_is_refused():
    tables = cohort(["alive in remission", "alive in remission"])
    tables["disposition"]["patient_id"] = "1"
    with pytest.raises(ValueError, match="one-to-one"):
        derive_adsl(tables, STUDY)


def test_row_order_does_not_matter():
    statuses = ["alive in remission", "died in remission", "alive after relapse"]
    tables = cohort(statuses, death=[None, 90, None], relapses={"3": 10})
    turned = {name: table.iloc[::-1] for name, table in tables.items()}
    pd.testing.assert_frame_equal(derive_adsl(turned, STUDY), derive_adsl(tables, STUDY))


def test_no_patients_give_no_rows():
    empty = {name: table.iloc[:0] for name, table in cohort(["alive in remission"]).items()}
    assert derive_adsl(empty, STUDY).empty
