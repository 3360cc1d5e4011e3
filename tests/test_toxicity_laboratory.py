"""Worst grades by period, versions that disagree, shifts and liver peaks: five patients counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remission import schema
from remission.adam.adlb import derive_adlb
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import laboratory, laboratory_sentences, liver, shift, versions
from remission.toxicity.worst import for_everyone, measured, worst_laboratory

STUDY = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)), ctcae_version="3.0")
ADSL = pd.DataFrame({"STUDYID": "demo", "USUBJID": ["A1", "A2", "A3", "B1", "B2"], "TRT01A": list("AAABB"),
                     "SAFFL": "Y", "IFNEVLFL": ["Y", "Y", "N", "N", "N"], "MTENDY": 400, "RELDY": None})
ADSL = ADSL.astype({"MTENDY": "Int64", "RELDY": "Int64"})
COUNT, ALT = ("10^9/L", 1.8, 7.5), ("U/L", None, 50)
ROWS = [
    ("A1", -100, "ANC", 0.3, *COUNT), ("A1", 0, "ANC", 1.6, *COUNT),  # frontline grade 4, baseline grade 1
    ("A1", 30, "ANC", 0.8, *COUNT), ("A1", 60, "ANC", 2.0, *COUNT),   # grade 3 to 5.0, grade 2 in 6.0
    ("A1", 0, "ALT", 100, *ALT), ("A1", 40, "ALT", 140, *ALT),        # 2 x then 2.8 x ULN: 2, 1, 0 and 1
    ("A2", 0, "ANC", 2.5, *COUNT), ("A2", 30, "ANC", 1.4, *COUNT),    # grade 2 to 5.0, grade 1 in 6.0
    ("A2", 0, "ALT", 40, *ALT), ("A2", 30, "ALT", 300, *ALT),         # 6 x ULN from a normal baseline: grade 3
    ("A2", 30, "BILI", 4.0, "mg/dL", None, 1.2),                      # 3.3 x ULN: grade 3
    ("A3", 0, "ANC", 2.0, *COUNT),                                    # nothing under treatment: unknown
    ("B1", 30, "ANC", 1.7, "10^9/L", None, None),                     # no limit: unknown; grade 0 in version 6.0
    ("B2", 0, "ANC", 1.2, *COUNT), ("B2", 30, "ANC", 1.9, *COUNT),    # grade 2 became 0
]
NAMES = ["patient_id", "day", "test", "value", "unit", "lower_limit_normal", "upper_limit_normal"]
ADLB = derive_adlb({"laboratory": pd.DataFrame(ROWS, columns=NAMES).astype({"day": "Int64"})}, ADSL, STUDY)
NOTHING = schema.empty(schema.ANALYSIS["adlb"])
GRADES = ["grade0", "grade1", "grade2", "grade3", "grade4", "unknown"]


def results():
    tables = [laboratory.laboratory_table(ADLB, ADSL, STUDY, code, version)
              for code, version in (("all", None), ("all", "6.0"), ("ifn_evaluable", None))]
    return frame([*(row for table in tables for row in laboratory.laboratory_results(table, STUDY)),
                  *shift.shift_results(ADLB, ADSL, STUDY),
                  *versions.version_results(versions.version_table(ADLB, ADSL, STUDY), STUDY),
                  *liver.screen_results(liver.screen(liver.peaks(ADLB, ADSL), STUDY))])


def test_worst_grade_by_period():
    front = worst_laboratory(ADLB, "frontline").set_index(["USUBJID", "PARAMCD", "VERSION"])["WORST"]
    under = worst_laboratory(ADLB).set_index(["USUBJID", "PARAMCD", "VERSION"])
    assert [front[("A1", "ANC", version)] for version in ("3.0", "6.0")] == [4, 3]
    assert under.loc[("A1", "ANC", "3.0"), ["BASELINE", "WORST"]].tolist() == [1, 3]
    assert ("A3", "ANC", "3.0") in front.index and ("A3", "ANC", "3.0") not in under.index
    assert np.isnan(under.loc[("B1", "ANC", "3.0"), "WORST"])


def test_laboratory_table_counts_everyone_once_in_every_row():
    made = laboratory.laboratory_table(ADLB, ADSL, STUDY)
    assert (made[GRADES].sum(axis=1) == made["N"]).all()
    assert made["PARAMCD"].unique().tolist() == ["ANC", "Any liver test", "ALT", "BILI"]
    rows = made.set_index(["period", "PARAMCD", "TRT01A"])
    assert rows.loc[("maintenance", "ANC", "A"), ["N", *GRADES]].tolist() == [3, 0, 0, 1, 1, 0, 1]
    assert rows.loc[("maintenance", "ANC", "B"), ["N", *GRADES]].tolist() == [2, 1, 0, 0, 0, 0, 1]
    assert rows.loc[("frontline", "ANC", "A"), ["N", *GRADES]].tolist() == [3, 2, 0, 0, 0, 1, 0]
    assert rows.loc[("maintenance", "Any liver test", "A"), GRADES].tolist() == [0, 0, 1, 1, 0, 1]
    assert rows.loc[("maintenance", "BILI", "B"), ["N", "unknown", "any"]].tolist() == [2, 2, 0]
    # R 4.2.2: binom.test(1, 3)$conf.int
    assert rows.loc[("maintenance", "ANC", "A"), ["grade3plus_lower", "grade3plus_upper"]].tolist() == pytest.approx(
        [0.840375, 90.57007], abs=1e-4)


def test_other_versions_and_the_other_population():
    late = laboratory.laboratory_table(ADLB, ADSL, STUDY, version="6.0").set_index(["period", "PARAMCD", "TRT01A"])
    assert late.loc[("maintenance", "ANC", "A"), GRADES].tolist() == [0, 1, 1, 0, 0, 1]
    assert late.loc[("maintenance", "ANC", "B"), GRADES].tolist() == [2, 0, 0, 0, 0, 0]  # no limit is needed any more
    few = laboratory.laboratory_table(ADLB, ADSL, STUDY, "ifn_evaluable")
    assert few["N"].unique().tolist() == [2] and few["TRT01A"].unique().tolist() == ["A"]


def test_display_carries_n_and_plain_zeros():
    made = laboratory.laboratory_display(laboratory.laboratory_table(ADLB, ADSL, STUDY), STUDY).set_index("test")
    assert made.loc["Neutrophils", "A, N = 3: grades 1 / 2 / 3 / 4"] == "0 / 1 / 1 / 0"
    assert made.loc["Neutrophils", ["A, N = 3: any grade", "A, N = 3: grade 3+"]].tolist() == ["2 (67%)", "1 (33%)"]
    assert made.loc["Bilirubin", ["B, N = 2: any grade", "B, N = 2: unknown"]].tolist() == ["0", 2]


def test_result_ids_by_period_population_and_version():
    rows = results().set_index("result_id")
    assert rows.loc["laboratory.ANC.all.A.grade3", ["value", "n"]].tolist() == [1, 3]
    assert rows.loc["laboratory_frontline.ANC.all.A.grade3plus", "value"] == 1
    assert rows.loc["laboratory.ANC CTCAE 6.0.all.A.grade3plus", "value"] == 0
    assert rows.loc["laboratory.Any liver test.ifn_evaluable.A.unknown", "value"] == 0
    assert "laboratory_frontline.ANC CTCAE 6.0.all.A.any" not in rows.index
    assert rows.loc["version.ANC.all.A.changed[CTCAE 6.0]", "display"] == "2 of 3 (66.7%, 95% CI 9.4 to 99.2)"


def test_which_patients_change_grade_and_because_of_which_cut():
    made = versions.changes_by_test(ADLB, ADSL, STUDY).set_index(["PARAMCD", "USUBJID"])
    assert made.index.tolist() == [("ANC", "A1"), ("ANC", "A2"), ("ANC", "B1"), ("ALT", "A1")]
    grades = [f"CTCAE {version}" for version in ("3.0", "4.03", "5.0", "6.0")]
    assert made.loc[("ANC", "A1"), grades].tolist() == [3, 3, 3, 2]
    assert made.loc[("ANC", "A1"), ["value", "because"]].tolist() == [
        "0.8 10^9/L, day 30", "3.0, 4.03, 5.0: grade 3 (<1); 6.0: grade 2 (<1)"]
    assert made.loc[("ANC", "B1"), grades].isna().tolist() == [True, True, True, False]
    assert made.loc[("ANC", "B1"), "because"] == "3.0, 4.03, 5.0: unknown; 6.0: grade 0"
    assert made.loc[("ALT", "A1"), grades].tolist() == [2, 1, 0, 1]
    assert made.loc[("ALT", "A1"), ["value", "because"]].tolist() == [
        "140 U/L, day 40, 2.80 x ULN, 1.40 x baseline",
        "3.0: grade 2 (>2.5 x ULN); 4.03: grade 1 (>ULN); 5.0: grade 0; 6.0: grade 1 (≥baseline)"]
    assert versions.changes_by_test(ADLB, ADSL, STUDY, least=3).index.size == 1


def test_version_table_adds_up_and_keeps_unknown_apart():
    made = versions.version_table(ADLB, ADSL, STUDY)
    assert (made[list(versions.CHANGES)].sum(axis=1) == made["N"]).all()
    rows = made.set_index(["PARAMCD", "TRT01A", "VERSION"])
    assert rows.loc[("ANC", "A", "6.0"), ["N", "same", "higher", "lower", "unknown"]].tolist() == [3, 0, 0, 2, 1]
    assert rows.loc[("ANC", "B", "6.0"), ["N", "same", "unknown"]].tolist() == [2, 1, 1]
    assert rows.loc[("ALT", "A", "4.03"), ["same", "lower", "unknown"]].tolist() == [1, 1, 1]
    shown = versions.version_display(made, STUDY).set_index("test")
    assert shown.loc["Neutrophils", "A, N = 3: CTCAE 6.0"] == "2 lower, 1 unknown"
    assert shown.loc["Neutrophils", "B, N = 2: CTCAE 4.03"] == "1 unknown"


def test_shift_has_totals_of_rows_and_columns_and_zero_rows():
    made = shift.shift_totals(ADLB, ADSL, STUDY)
    assert len(made) == 3 * 2 * 7  # tests, arms, baseline grades 0 to 4, unknown, total
    rows = made.set_index(["PARAMCD", "TRT01A", "baseline"])
    columns = [*GRADES, "total"]
    assert rows.loc[("ANC", "A", "grade0"), columns].tolist() == [0, 0, 1, 0, 0, 1, 2]
    assert rows.loc[("ANC", "A", "grade1"), columns].tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert rows.loc[("ANC", "A", "total"), columns].tolist() == [0, 0, 1, 1, 0, 1, 3]
    assert rows.loc[("ANC", "B", "grade2"), columns].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert rows.loc[("ANC", "B", "unknown"), columns].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert rows.loc[("BILI", "B", "unknown"), columns].tolist() == [0, 0, 0, 0, 0, 2, 2]
    assert rows.loc[("ALT", "B", "grade3"), "total"] == 0
    shown = shift.shift_display(made, ("ANC",))
    assert shown["baseline grade"].tolist() == ["0", "1", "total", "2", "unknown", "total"]
    assert shown.columns.tolist()[3:] == [*(f"worst {grade}" for grade in range(5)), "worst unknown", "total"]


def test_shift_results_count_who_got_worse():
    rows = results().set_index("result_id")["value"]
    assert [rows[f"shift.ANC.all.A.{name}"] for name in ("worse", "to3plus", "unknown")] == [2, 1, 1]
    assert [rows[f"shift.ANC.all.B.{name}"] for name in ("worse", "to3plus", "unknown")] == [0, 0, 1]
    # A1: 2 x ULN is grade 1, 2.8 x is grade 2 in version 3.0; A2: from 0 to 3; A3: nothing under treatment
    assert [rows[f"shift.ALT.all.A.{name}"] for name in ("worse", "to3plus", "unknown")] == [2, 1, 1]


def test_an_abnormal_baseline_enters_the_shift_with_its_own_grade():
    # pharmaverse/admiral issue 2512: graded against itself, the baseline would stand in the row of grade 0
    late = Study("demo", "own", "demo", "none", STUDY.arms, ctcae_version="5.0")
    table = derive_adlb({"laboratory": pd.DataFrame(ROWS, columns=NAMES).astype({"day": "Int64"})}, ADSL, late)
    made = shift.shift_totals(table, ADSL, late).set_index(["PARAMCD", "TRT01A", "baseline"])
    assert made.loc[("ALT", "A", "grade1"), ["grade0", "total"]].tolist() == [1, 1]


def test_liver_peaks_and_screen():
    peak = liver.peaks(ADLB, ADSL).set_index("USUBJID")
    assert peak.loc["A2", ["AMINO", "BILI"]].tolist() == pytest.approx([6.0, 4 / 1.2])
    assert peak["quarter"].tolist() == ["unknown", "both", "unknown", "unknown", "unknown"]
    made = liver.screen(peak.reset_index(), STUDY).set_index("TRT01A")
    assert made.loc["A", ["N", "both", "unknown"]].tolist() == [3, 1, 2]
    at = pd.DataFrame([("A1", 9, "ALT", 150, *ALT), ("A1", 9, "BILI", 3.0, "mg/dL", None, 1.2)], columns=NAMES)
    at = derive_adlb({"laboratory": at.astype({"day": "Int64"})}, ADSL, STUDY)
    assert liver.peaks(at, ADSL)["quarter"].iloc[0] == "bilirubin only"  # exactly 3 x ULN is not above it


def test_sentences_quote_results_and_never_call_the_unknown_well():
    rows = results()
    said = laboratory_sentences.worst(rows, STUDY)
    assert "**Neutrophils** A 1 of 3 (33.3%, 95% CI 0.8 to 90.6); B 0 of 2" in said and "6.0" not in said
    assert "up to the time origin" in laboratory_sentences.worst(rows, STUDY, "frontline")
    assert "Neutrophils: A 1 of 3" in laboratory_sentences.unknown(rows)
    assert "Most often worse than at baseline: Neutrophils (A 2 of 3" in laboratory_sentences.shift(rows, STUDY)
    assert "CTCAE 6.0: Neutrophils 2 of 5" in laboratory_sentences.versions(rows, STUDY)
    assert laboratory_sentences.liver(rows).endswith("4 patients could not be placed for want of a value.")
    healthy = rows[rows["endpoint"].isin(["ANC"]) & rows["arm"].eq("B")]
    assert laboratory_sentences.worst(healthy, STUDY).startswith("Nobody is known to have reached grade 3 in any test")
    assert laboratory_sentences.shift(healthy, STUDY).startswith("No worst grade is above its baseline grade")


def test_without_laboratory_data_every_table_is_empty_and_nothing_is_said():
    assert laboratory.laboratory_table(NOTHING, ADSL, STUDY).empty
    assert laboratory.laboratory_display(laboratory.laboratory_table(NOTHING, ADSL, STUDY), STUDY).empty
    assert versions.version_table(NOTHING, ADSL, STUDY).empty
    assert versions.version_display(versions.version_table(NOTHING, ADSL, STUDY), STUDY).empty
    assert versions.changes_by_test(NOTHING, ADSL, STUDY).empty
    assert shift.shift_totals(NOTHING, ADSL, STUDY).empty and shift.shift_results(NOTHING, ADSL, STUDY) == []
    assert liver.screen(liver.peaks(NOTHING, ADSL), STUDY).empty
    for speak in (laboratory_sentences.worst, laboratory_sentences.shift, laboratory_sentences.versions):
        assert speak(frame([]), STUDY) == ""
    assert laboratory_sentences.unknown(frame([])) == laboratory_sentences.liver(frame([])) == ""


def test_one_arm_and_one_test():
    single = Study("one", "own", "", "", (Arm("A", "a"),), ctcae_version="3.0")
    table, adsl = ADLB[(ADLB["TRT01A"] == "A") & (ADLB["PARAMCD"] == "ANC")], ADSL[ADSL["TRT01A"] == "A"]
    assert measured(table) == ["ANC"]
    assert laboratory.laboratory_table(table, adsl, single)["PARAMCD"].unique().tolist() == ["ANC"]
    assert shift.shift_totals(table, adsl, single)["total"].max() == 3
    assert versions.version_table(table, adsl, single)["TRT01A"].unique().tolist() == ["A"]
    assert liver.peaks(table, adsl).empty


def test_everyone_gets_a_row_of_every_level():
    rows = pd.DataFrame({"USUBJID": ["A1"], "PARAMCD": ["ANC"], "WORST": [2.0]})
    made = for_everyone(rows, ADSL, pd.DataFrame({"PARAMCD": ["ANC", "PLT"]}))
    assert len(made) == 10 and made["WORST"].notna().sum() == 1
