"""Counts at worst grade, exact intervals, dose delivery: values by hand, from R, or from statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remission import schema, toxicity
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import sentences, shift
from remission.toxicity.counts import count_result
from remission.toxicity.events import ANY_TERM, WHOLE_CLASS, worst_grades

IFN, IM = "interferon alfa-2a", "imatinib"
STUDY = Study("demo", "own", "demo", "none",
              (Arm("A", "a", drugs=(IFN, IM)), Arm("B", "b", reference=True, drugs=(IM,))), ctcae_version="3.0",
              dose_plans={IFN: {"unit": "MU", "start": 1, "target": 3, "per_week": 3, "ramp_days": 28},
                          IM: {"unit": "mg", "start": 600, "target": 600, "per_week": 7, "ramp_days": 0}},
              toxicity_unions={"low mood": ["Depression", "Fatigue"]})
ADSL = pd.DataFrame({"USUBJID": ["A1", "A2", "A3", "B1", "B2"], "TRT01A": list("AAABB"), "SAFFL": "Y",
                     "IFNEVLFL": ["Y", "Y", "N", "N", "N"]})


def events(rows):
    table = pd.DataFrame(rows, columns=["USUBJID", "AEDECOD", "ATOXGR", "TRTEMFL"]).astype({"ATOXGR": "Int64"})
    return table.assign(AEBODSYS=table["AEDECOD"].map({"Depression": "Psychiatric disorders"}).fillna("General"))


ADAE = events([
    ("A1", "Fatigue", 1, "Y"), ("A1", "Fatigue", 2, "Y"), ("A1", "Depression", 1, "Y"),  # once a term, worst grade 2
    ("A2", "Depression", 2, "Y"), ("A2", "Fatigue", 3, "Y"),                             # union grade 3
    ("A3", "Fatigue", None, "Y"),                                                        # unknown, not grade 0
    ("B1", "Nausea", 3, "Y"), ("B1", "Fatigue", 4, "N"),                                 # not treatment-emergent
])


def test_denominators_come_from_the_subject_table():
    made = toxicity.denominators(ADSL, STUDY)
    assert made[["population", "TRT01A", "N"]].to_numpy().tolist() == [
        ["all", "A", 3], ["all", "B", 2], ["ifn_evaluable", "A", 2]]


def test_worst_grade_counts_patients_not_events():
    worst = worst_grades(ADAE).set_index(["USUBJID", "AEDECOD"])["WORST"]
    assert worst[("A1", "Fatigue")] == 2
    assert np.isnan(worst[("A3", "Fatigue")])
    assert ("B1", "Fatigue") not in worst.index


def test_event_table_keeps_zero_rows_and_unknown_grades():
    made = toxicity.event_table(ADAE, ADSL, STUDY).set_index(["AEDECOD", "TRT01A"])
    assert made.index[:2].tolist() == [(ANY_TERM, "A"), (ANY_TERM, "B")]
    fatigue = made.loc[("Fatigue", "A")]
    columns = ["N", "any", "grade1", "grade2", "grade3", "unknown", "grade3plus"]
    assert fatigue[columns].tolist() == [3, 3, 0, 1, 1, 1, 1]
    assert made.loc[("Fatigue", "B"), ["N", "any", "unknown"]].tolist() == [2, 0, 0]
    assert made.loc[("Nausea", "A"), "any"] == 0
    assert made.loc[(ANY_TERM, "A"), ["any", "grade3plus", "unknown"]].tolist() == [3, 1, 1]
    # R 4.2.2: binom.test(1, 3)$conf.int
    assert made.loc[("Fatigue", "A"), ["grade3plus_lower", "grade3plus_upper"]].tolist() == pytest.approx(
        [0.840375, 90.57007], abs=1e-4)


def test_union_counts_a_patient_once_at_the_worse_grade_under_both_denominators():
    made = toxicity.union_table(ADAE, ADSL, STUDY)
    whole = made[(made["term"] == "low mood") & (made["TRT01A"] == "A")].set_index("population")
    assert whole.loc["all", ["N", "any", "grade2", "grade3plus", "unknown"]].tolist() == [3, 3, 1, 1, 1]
    assert whole.loc["ifn_evaluable", ["N", "any", "grade2", "grade3plus", "unknown"]].tolist() == [2, 2, 1, 1, 0]
    rows = frame(toxicity.union_results(made))
    one = rows.set_index("result_id").loc["union.low mood.ifn_evaluable.A.grade2"]
    assert (one["value"], one["n"], one["display"]) == (1, 2, "1 of 2 (50.0%, 95% CI 1.3 to 98.7)")


def test_an_unknown_grade_may_hide_behind_a_known_one():
    more = pd.concat([ADAE, events([("A1", "Fatigue", None, "Y"), ("A2", "Fatigue", None, "Y")])], ignore_index=True)
    made = toxicity.event_table(more, ADSL, STUDY).set_index(["AEDECOD", "TRT01A"])
    # A1 has grade 2 and unknown; A2 is at grade 3 already; A3 has the unknown grade alone.
    columns = ["grade2", "unknown", "grade3plus", "maybe3plus", "events"]
    assert made.loc[("Fatigue", "A"), columns].tolist() == [1, 1, 1, 2, 6]
    assert made.loc[(ANY_TERM, "A"), ["unknown", "grade3plus", "maybe3plus"]].tolist() == [1, 1, 2]
    said = sentences.overall(frame(toxicity.event_results(made.reset_index())))
    assert "A (all treated) 1 of 3 (33.3%, 95% CI 0.8 to 90.6), and up to 3 if every unknown grade" in said


def test_classes_count_patients_once_and_stand_in_the_stated_order():
    more = pd.concat([ADAE, events([("A1", "Pyrexia", 4, "Y"), ("B2", "Pyrexia", 1, "Y")])], ignore_index=True)
    made = toxicity.class_table(more, ADSL, STUDY)
    rows = made.drop_duplicates(["level", "AEBODSYS", "AEDECOD"])[["level", "AEDECOD"]].to_numpy().tolist()
    assert rows == [["all", ANY_TERM], ["class", WHOLE_CLASS], ["term", "Fatigue"], ["term", "Pyrexia"],
                    ["term", "Nausea"], ["class", WHOLE_CLASS], ["term", "Depression"]]
    general = made[(made["AEBODSYS"] == "General") & (made["level"] == "class")].set_index("TRT01A")
    # A1: fatigue 2 and pyrexia 4; A2: fatigue 3; A3: unknown. B1: nausea 3; B2: pyrexia 1.
    assert general.loc["A", ["N", "any", "grade3", "grade4", "unknown", "events"]].tolist() == [3, 3, 1, 1, 1, 5]
    assert general.loc["B", ["N", "any", "grade1", "grade3", "events"]].tolist() == [2, 2, 1, 1, 2]
    rows = frame(toxicity.class_results(made)).set_index("result_id")
    assert rows.loc["ae_class.General.all.B.grade3plus", ["value", "n"]].tolist() == [1, 2]
    shown = toxicity.class_display(made, STUDY)
    assert shown["class / term"].tolist()[:3] == [ANY_TERM, "General", "– Fatigue"]
    assert shown["B, N = 2: grade 3+"].tolist()[2] == "0 (0%; 0 to 84)"


def test_counts_do_not_depend_on_the_order_of_rows():
    mixed = ADAE.sample(frac=1, random_state=3).reset_index(drop=True)
    subjects = ADSL.iloc[::-1].reset_index(drop=True)
    for table in (toxicity.event_table, toxicity.class_table, toxicity.union_table):
        pd.testing.assert_frame_equal(table(ADAE, ADSL, STUDY), table(mixed, subjects, STUDY))


def test_every_reading_of_moderate_under_both_denominators():
    union = toxicity.union_table(ADAE, ADSL, STUDY)
    made = toxicity.readings(union)
    assert len(made) == 3 * len(union)
    key = ["term", "TRT01A", "reading", "population"]
    patients = made.set_index(key)[["patients", "N"]]
    wanted = {("low mood", "worst grade exactly 2", "safety population"): [1, 3],
              ("low mood", "worst grade 2 or more", "safety population"): [2, 3],
              ("low mood", "worst grade 2 or more", "evaluable for interferon"): [2, 2],
              ("Depression", "worst grade exactly 2", "evaluable for interferon"): [1, 2],
              ("Fatigue", "worst grade exactly 2", "evaluable for interferon"): [1, 2],
              ("Fatigue", "worst grade 2 or more", "safety population"): [2, 3]}
    assert {name: patients.loc[(name[0], "A", *name[1:])].tolist() for name in wanted} == wanted
    rows = frame(toxicity.union_results(union)).set_index("result_id")["value"]
    assert rows["union.low mood.all.A.grade2plus"] == 2
    assert rows["ae.Fatigue.ifn_evaluable.A.grade2plus"] == 2
    assert rows["ae.Depression.all.A.grade2"] == 1
    # Terms apart and all terms share one analysis: no name may come twice.
    frame([*toxicity.event_results(toxicity.event_table(ADAE, ADSL, STUDY)), *toxicity.union_results(union)])


def test_printed_counts_have_the_intervals_of_r():
    # R 4.2.2: 100 * binom.test(9, 18)$conf.int, and so on
    known = {(9, 18): [26.01905828951, 73.98094171049], (9, 19): [24.44746894662, 71.13567520830],
             (2, 18): [1.3751215664364, 34.7120438608672], (2, 19): [1.3012164371777, 33.1376664456766],
             (0, 12): [0, 26.464846939705], (0, 18): [0, 18.530196813785], (0, 19): [0, 17.646691180697]}
    for (count, n), limits in known.items():
        row = count_result(("ae", "x", "all", "A", "any"), count, n)
        assert [row["lower"], row["upper"]] == pytest.approx(limits, abs=1e-9)


def test_event_results_name_every_term_and_statistic():
    rows = frame(toxicity.event_results(toxicity.event_table(ADAE, ADSL, STUDY)))
    wanted = {"ae.Fatigue.all.A.unknown", "ae.Nausea.all.B.grade3plus", f"ae.{ANY_TERM}.all.A.any"}
    assert wanted <= set(rows["result_id"])


def laboratory(rows):
    table = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "ABLFL", "TRTEMFL", "ATOXV3", "ATOXV4", "ATOXV6"])
    return table.assign(ATOXV5=table["ATOXV4"], TRT01A=table["USUBJID"].str[0])


ADLB = laboratory([
    ("A1", "ANC", "Y", "N", 1, 1, 0), ("A1", "ANC", "N", "Y", 3, 3, 2), ("A1", "ANC", "N", "Y", 2, 2, 1),
    ("A1", "PLT", "N", "Y", 1, 1, 1), ("A1", "ALT", "N", "Y", 4, 4, 4),  # liver tests are no cytopenia
    ("A2", "HB", "N", "Y", 4, 3, 3), ("A2", "HB", "N", "N", 4, 4, 4),
    ("B1", "ANC", "Y", "N", 0, 0, 0), ("B1", "ANC", "N", "Y", None, None, None), ("B2", "ANC", "N", "Y", 0, 0, 0)])


def test_cytopenia_is_the_worst_of_four_tests_by_version():
    made = toxicity.cytopenia_table(ADLB, ADSL, STUDY).set_index(["VERSION", "population", "TRT01A"])
    columns = ["N", "grade0", "grade2", "grade3", "grade4", "unknown", "grade3plus"]
    assert made.loc[("3.0", "all", "A"), columns].tolist() == [3, 0, 0, 1, 1, 1, 2]
    assert made.loc[("4.03", "ifn_evaluable", "A"), columns].tolist() == [2, 0, 0, 2, 0, 0, 2]
    assert made.loc[("6.0", "ifn_evaluable", "A"), columns].tolist() == [2, 0, 1, 1, 0, 0, 1]
    assert made.loc[("3.0", "all", "B"), columns].tolist() == [2, 1, 0, 0, 0, 1, 0]
    assert made.index[0][0] == "3.0"
    rows = frame(toxicity.cytopenia_results(made.reset_index(), STUDY)).set_index("result_id")["value"]
    assert rows["cytopenia.-.ifn_evaluable.A.grade3"] == 1
    assert rows["cytopenia.-.ifn_evaluable.A.grade4"] == 1
    assert rows["cytopenia.CTCAE 6.0.ifn_evaluable.A.grade4"] == 0


def test_patients_whose_grade_depends_on_the_version():
    made = toxicity.version_changes(ADLB, ADSL)
    assert made.to_numpy().tolist() == [["A1", "A", 3, 3, 3, 2], ["A2", "A", 4, 3, 3, 3]]


def test_shift_from_baseline_to_worst():
    made = shift.shift_totals(ADLB, ADSL, STUDY).set_index(["PARAMCD", "TRT01A", "baseline"])
    assert made.loc[("ANC", "A", "grade1"), "grade3"] == 1
    assert made.loc[("ANC", "B", "grade0"), "unknown"] == 1
    assert made.loc[("ANC", "B", "unknown"), "grade0"] == 1
    assert [made.loc[("ANC", arm, "total"), "total"] for arm in ("A", "B")] == [3, 2]  # the arms' N


def exposure(rows):
    names = ["USUBJID", "EXDRUG", "EXDOSU", "STDY", "STDOSE", "MXDOSE", "TARGETDY", "REDAEFL", "REDAEDY", "RDI",
             "RDIMT", "RDIRAMP", "DI", "CUMDOSE", "MTDAYS"]
    return pd.DataFrame(rows, columns=names)


NA = None
ADEX = exposure([
    ("A1", IFN, "MU", 0, 1.0, 3.0, 28, "Y", 100, 0.6, 0.3, 0.7, 5.4, 27, 70),
    ("A2", IFN, "MU", 0, 1.0, 3.0, 42, "N", NA, 0.9, 0.9, 1.0, 8.1, 81, 70),
    ("A3", IFN, "MU", NA, NA, NA, NA, "N", NA, NA, 0.0, NA, NA, 0, 70),
    ("A1", IM, "mg", 0, 600.0, 600.0, 0, "N", NA, 1.0, 1.0, 1.0, 4200, 42000, 70),
    ("B1", IM, "mg", 0, 400.0, 600.0, 9, "N", NA, 0.8, 0.8, 0.8, 3360, 33600, 70)])


def test_dose_delivery_against_both_denominators():
    made = toxicity.delivery_table(ADEX, ADSL, STUDY).set_index(["drug", "population", "TRT01A"])
    columns = ["N", "treated", "first_dose", "highest_dose", "at_target"]
    assert made.loc[(IFN, "ifn_evaluable", "A"), columns].tolist() == [2, 2, 1, 3, 2]
    assert made.loc[(IFN, "all", "A"), ["N", "treated", "at_target", "median_target_day"]].tolist() == [3, 2, 2, 35]
    rows = frame(toxicity.delivery_results(made.reset_index())).set_index("result_id")
    assert rows.loc[f"dose.{IFN}.ifn_evaluable.A.start", "value"] == 1
    assert rows.loc[f"dose.{IFN}.ifn_evaluable.A.target", "value"] == 3
    assert rows.loc[f"dose.{IM}.all.A.planned", "display"] == "600 mg (range 600 to 600)"


def test_reductions_and_their_interval():
    made = toxicity.reduction_table(ADEX, ADSL, STUDY).set_index(["drug", "population", "TRT01A"])
    assert made.loc[(IFN, "ifn_evaluable", "A"), ["N", "patients", "median_day"]].tolist() == [2, 1, 100]
    assert made.loc[(IM, "all", "B"), "patients"] == 0
    rows = frame(toxicity.reduction_results(made.reset_index())).set_index("result_id")
    # R 4.2.2: binom.test(1, 2)$conf.int
    assert rows.loc[f"reduction.{IFN}.ifn_evaluable.A.patients", ["lower", "upper"]].tolist() == pytest.approx(
        [1.257912, 98.74209], abs=1e-4)


def test_intensity_keeps_zeros_only_where_the_denominator_says_so():
    made = toxicity.intensity_table(ADEX, ADSL, STUDY).set_index(["drug", "population", "TRT01A", "reading"])
    assert made.loc[(IFN, "all", "A", "to stop"), ["n", "median", "below80"]].tolist() == [2, 75, 1]
    assert made.loc[(IFN, "all", "A", "to end of maintenance"), ["n", "median", "min"]].tolist() == [3, 30, 0]
    assert made.loc[(IFN, "ifn_evaluable", "A", "to end of maintenance"), ["n", "median"]].tolist() == [2, 60]
    rows = frame(toxicity.intensity_results(made.reset_index())).set_index("result_id")
    assert rows.loc[f"rdi.{IFN}.ifn_evaluable.A.median[ramp plan]", "display"] == "85% (range 70 to 100, n = 2)"


def test_overlap_of_two_groups():
    made = toxicity.overlap(ADAE, ADEX, ADSL, STUDY)
    assert made.to_numpy().tolist() == [["low mood", 2, IFN, 2, 1, 0, 0, 1]]


def test_absent_tables_give_empty_results():
    nothing = {name: schema.empty(schema.ANALYSIS[name]) for name in ("adae", "adlb", "adex")}
    assert toxicity.event_results(toxicity.event_table(nothing["adae"], ADSL, STUDY)) == []
    assert toxicity.union_results(toxicity.union_table(nothing["adae"], ADSL, STUDY)) == []
    assert toxicity.readings(toxicity.union_table(nothing["adae"], ADSL, STUDY)).empty
    assert toxicity.class_results(toxicity.class_table(nothing["adae"], ADSL, STUDY)) == []
    assert toxicity.class_display(toxicity.class_table(nothing["adae"], ADSL, STUDY), STUDY).empty
    assert toxicity.cytopenia_results(toxicity.cytopenia_table(nothing["adlb"], ADSL, STUDY), STUDY) == []
    assert toxicity.version_changes(nothing["adlb"], ADSL).empty
    for table, rows in ((toxicity.delivery_table, toxicity.delivery_results),
                        (toxicity.reduction_table, toxicity.reduction_results),
                        (toxicity.intensity_table, toxicity.intensity_results)):
        assert rows(table(nothing["adex"], ADSL, STUDY)) == []
    assert toxicity.overlap(nothing["adae"], nothing["adex"], ADSL, STUDY).empty


def test_evaluable_result_and_its_absence():
    rows = frame(toxicity.denominator_results(ADSL, STUDY)).set_index("result_id")
    assert rows.loc["evaluable.-.all.A.ifn_evaluable", ["value", "n"]].tolist() == [2, 3]
    assert toxicity.denominator_results(ADSL.assign(IFNEVLFL="N"), STUDY) == []


def test_sentences_quote_results_and_say_nothing_without_them():
    rows = frame([*toxicity.reduction_results(toxicity.reduction_table(ADEX, ADSL, STUDY)),
                  *toxicity.cytopenia_results(toxicity.cytopenia_table(ADLB, ADSL, STUDY), STUDY),
                  *toxicity.union_results(toxicity.union_table(ADAE, ADSL, STUDY)),
                  *toxicity.delivery_results(toxicity.delivery_table(ADEX, ADSL, STUDY)),
                  *toxicity.intensity_results(toxicity.intensity_table(ADEX, ADSL, STUDY))])
    assert "A (evaluable for interferon) 1 of 2 (50.0%" in sentences.reductions(rows)
    assert "CTCAE 3.0, worst cytopenia of grade 3: A (all treated) 1 of 3" in sentences.cytopenia(rows, STUDY)
    assert "**low mood**, worst grade exactly 2" in sentences.readings(rows)
    assert "first dose 1 MU (range 1 to 1)" in sentences.delivery(rows)
    assert "to stop 75% (range 60 to 90, n = 2)" in sentences.intensity(rows)
    nothing = frame([])
    for speak in (sentences.reductions, sentences.delivery, sentences.intensity, sentences.overall,
                  sentences.readings, sentences.rates, sentences.first_events, sentences.serious):
        assert speak(nothing) == ""
    assert sentences.cytopenia(nothing, STUDY) == ""
