"""Dose delivery: histories worked out by hand, and the default cohort against R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remission import adam, cleaning, raw, schema, store, study
from remission.adam.adex import derive_adex, derive_adexst
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import adherence, courses, dose, dose_sentences, escalation, exposure_response, reductions

IFN, IM = "interferon alfa-2a", "imatinib"
STUDY = Study("demo", "own", "demo", "none",
              (Arm("A", "a", drugs=(IFN, IM)), Arm("B", "b", reference=True, drugs=(IM,))),
              dose_plans={IFN: {"unit": "MU", "start": 1, "target": 3, "per_week": 3, "ramp_days": 28},
                          IM: {"unit": "mg", "start": 600, "target": 600, "per_week": 7, "ramp_days": 0}})
NONE = None


def subjects(rows):
    """rows: patient, arm, interferon, last day of maintenance, relapse, death, last contact."""
    names = ["USUBJID", "TRT01A", "IFNEVLFL", "MTENDY", "RELDY", "DTHDY", "LSTALVDY"]
    made = pd.DataFrame(rows, columns=names).assign(STUDYID="demo", SAFFL="Y", TTEFL="Y")
    return made.astype(dict.fromkeys(names[3:], "Int64"))


def dosing(rows):
    """rows: patient, drug, dose, first day, last day, reason."""
    made = pd.DataFrame(rows, columns=["patient_id", "drug", "dose", "start_day", "end_day", "reason_for_change"])
    made["unit"] = made["drug"].map({IFN: "MU", IM: "mg"})
    made["frequency"] = made["drug"].map({IFN: "TIW", IM: "QD"})
    return {"dosing": made.assign(source_line=0).astype({"start_day": "Int64", "end_day": "Int64", "dose": float})}


ADSL = subjects([
    ("P1", "A", "Y", 399, NONE, NONE, 400),  # target day 20, reduced day 30, stopped in remission day 200
    ("P2", "A", "Y", 79, 80, 500, 500),      # never at target, stopped for patient wish day 60, relapse day 80
    ("P3", "A", "Y", 89, 90, NONE, 300),     # target day 10, relapse day 90 ends the drug
    ("P4", "A", "Y", 150, NONE, 151, 151),   # target day 40, interrupted day 100 to 109, reduced day 120, died
    ("P5", "A", "Y", 100, NONE, NONE, 100),  # never at target, still on the drug at last contact
    ("P6", "A", "N", 100, NONE, NONE, 900),  # never had interferon
    ("P7", "B", "N", 100, NONE, NONE, 900),
])
TABLES = dosing([
    ("P1", IFN, 1, 0, 19, "escalation"), ("P1", IFN, 3, 20, 29, "adverse event"),
    ("P1", IFN, 2, 30, 199, "adverse event"),
    ("P2", IFN, 1, 0, 59, "patient wish"),
    ("P3", IFN, 1, 0, 9, "escalation"), ("P3", IFN, 3, 10, 89, "relapse"),
    ("P4", IFN, 1, 0, 39, "escalation"), ("P4", IFN, 3, 40, 99, "patient wish"),
    ("P4", IFN, 3, 110, 119, "adverse event"),
    ("P4", IFN, 1, 120, 150, "death"),
    ("P5", IFN, 1, 0, NONE, NONE),
    ("P6", IM, 600, 0, 100, NONE), ("P7", IM, 600, 0, 100, NONE)])
HISTORY = derive_adexst(TABLES, ADSL, STUDY)
EMPTY = schema.empty(schema.ANALYSIS["adexst"])


@pytest.fixture(scope="module")
def default():
    """Dose history, subjects and study of the default cohort, from its raw tables."""
    from conftest import ROOT

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        cohort = study.read("ash2012_reconstructed")
        made = adam.derive_all(cleaning.clean(raw.read(cohort), cohort).tables, cohort)
    return made["adexst"], made["adsl"], cohort


def test_courses_by_hand():
    made = courses.courses(HISTORY, ADSL, STUDY, IFN).set_index("USUBJID")
    assert made.index.tolist() == ["P1", "P2", "P3", "P4", "P5"]
    wanted = {"STOPDY": [200, 60, 90, 151, None], "TARGETDY": [20, None, 10, 40, None],
              "LOWERDY": [30, None, None, 120, None], "BREAKDY": [None, None, None, 100, None],
              "REDAEDY": [30, None, None, 120, None]}
    for name, days in wanted.items():
        assert [None if np.isnan(one) else one for one in made[name]] == days, name


def test_first_reduction_for_an_adverse_event_is_where_adex_has_it():
    adex = derive_adex(TABLES, ADSL, STUDY)
    mine = adex[adex["EXDRUG"] == IFN].set_index("USUBJID")["REDAEDY"].dropna().to_dict()
    assert mine == {"P1": 30, "P4": 120}


def test_cumulative_incidence_of_the_first_reduction_by_hand():
    course = courses.courses(HISTORY, ADSL, STUDY, IFN)
    data = reductions.first_reduction(course, "adverse event")
    assert data[["time", "code"]].to_numpy().tolist() == [[30, 1], [60, 2], [90, 3], [120, 1], [100, 0]]
    # day 30: 1/5; days 60 and 90 take 1/5 each; day 100 censors one of two; day 120: 1/5 + 2/5 * 1/1 = 3/5.
    # One minus Kaplan-Meier would say 1 - 4/5 * 0/1 = 1.
    found = dict(courses.incidences(data, {"29": 29, "30": 30, "119": 119, "120": 120}))
    assert [found[day].value for day in found] == pytest.approx([0, 20, 20, 60], abs=1e-12)


def test_readings_of_a_first_reduction():
    course = courses.courses(HISTORY, ADSL, STUDY, IFN)
    assert reductions.first_reduction(course, "lower")["time"].tolist() == [30, 60, 90, 120, 100]
    both = reductions.first_reduction(course, "lower or interrupted")
    assert both[["time", "code"]].to_numpy().tolist()[3] == [100, 1]
    table = reductions.first_reduction_table(HISTORY, ADSL, STUDY).query("drug == @IFN").set_index("reading")
    columns = ["N", "reduction", "stop", "relapse", "death", "none yet"]
    assert table.loc["adverse event", columns].tolist() == [5, 2, 1, 1, 0, 1]


def test_a_stop_for_an_adverse_event_counts_in_that_reading_alone():
    tables = dosing([("P1", IFN, 3, 0, 49, "adverse event")])
    course = courses.courses(derive_adexst(tables, ADSL, STUDY), ADSL, STUDY, IFN)
    assert reductions.first_reduction(course, "adverse event")[["time", "code"]].to_numpy().tolist() == [[50, 1]]
    assert reductions.first_reduction(course, "lower")[["time", "code"]].to_numpy().tolist() == [[50, 2]]


def test_harm_is_counted_by_what_was_done():
    made = reductions.harm_table(HISTORY, ADSL, STUDY)
    first = made[made["drug"] == IFN].iloc[0]
    assert first[["N", "lowered", "lowered_or_interrupted", "stopped"]].tolist() == [5, 2, 2, 1]
    rows = frame(reductions.harm_results(made)).set_index("result_id")
    assert rows.loc[f"reduction.{IFN}.ifn_evaluable.A.lowered", "display"] == "2 of 5 (40.0%, 95% CI 5.3 to 85.3)"


def test_a_stop_on_the_day_of_relapse_is_the_relapse_and_a_record_of_it_counts_too():
    nan = float("nan")
    base = {"USUBJID": "1", "TRT01A": "A", "START": 0.0, "TTEFL": "Y", "LSTALVDY": 300.0, "DTHDY": nan}
    rows = pd.DataFrame([base | {"STOPDY": 90.0, "STOPREAS": "adverse event", "RELDY": 90.0},
                         base | {"STOPDY": 80.0, "STOPREAS": "relapse", "RELDY": 90.0},
                         base | {"STOPDY": 90.0, "STOPREAS": None, "RELDY": nan, "DTHDY": 90.0},
                         base | {"STOPDY": 89.0, "STOPREAS": None, "RELDY": 90.0},
                         base | {"STOPDY": nan, "STOPREAS": None, "RELDY": nan},
                         base | {"START": 100.0, "STOPDY": 200.0, "STOPREAS": None, "RELDY": 90.0}])
    made = courses.first_of(rows, pd.Series(nan, index=rows.index))
    assert made[["time", "code"]].to_numpy().tolist() == [[90, 3], [80, 3], [90, 4], [89, 2], [300, 0]]


def test_time_to_target_with_competing_ends_by_hand():
    table = escalation.target_table(HISTORY, ADSL, STUDY).iloc[0]
    assert table[["N", "reached", "stop", "relapse", "death", "none yet"]].tolist() == [5, 3, 1, 0, 0, 1]
    assert table[["half", "first_day", "last_day"]].tolist() == [40, 10, 40]
    rows = frame(escalation.target_results(HISTORY, ADSL, STUDY)).set_index("result_id")
    assert rows.loc[f"target.{IFN}.ifn_evaluable.A.reached[28 days]", "value"] == pytest.approx(40, abs=1e-12)
    assert rows.loc[f"target.{IFN}.ifn_evaluable.A.half", "display"] == "day 40"


def test_half_is_missing_when_half_never_reached_the_target():
    tables = dosing([*((name, IFN, 1, 0, 50, "patient wish") for name in ("P1", "P2", "P3")),
                     ("P4", IFN, 3, 0, 9, NONE)])
    history = derive_adexst(tables, ADSL, STUDY)
    assert np.isnan(escalation.target_table(history, ADSL, STUDY)["half"].iloc[0])
    rows = frame(escalation.target_results(history, ADSL, STUDY)).set_index("statistic")
    assert rows.loc["half", "display"] == "half never reached it"


def test_at_target_on_fixed_days_under_both_denominators():
    table = escalation.at_target_table(HISTORY, ADSL, STUDY).set_index(["time", "denominator"])
    columns = ["N", "unseen", "ever", "at"]
    # day 91: P1 at 2 MU, P2 and P3 relapsed, P4 at 3 MU, P5 at 1 MU
    assert table.loc[("3 months", "all evaluable"), columns].tolist() == [5, 0, 3, 1]
    assert table.loc[("3 months", "alive in remission"), columns].tolist() == [3, 0, 2, 1]
    # day 183: P4 dead; P5 was not followed that far
    assert table.loc[("6 months", "all evaluable"), columns].tolist() == [5, 1, 3, 0]
    assert table.loc[("6 months", "alive in remission"), columns].tolist() == [1, 0, 1, 0]
    rows = frame(escalation.at_target_results(table.reset_index())).set_index("result_id")
    assert rows.loc[f"target.{IFN}.ifn_evaluable.A.at_in_remission[3 months]", ["value", "n"]].tolist() == [1, 3]


def test_interruptions_and_reasons_by_hand():
    made = adherence.interruption_table(HISTORY, ADSL, STUDY).set_index("drug")
    columns = ["N", "treated", "patients", "interruptions", "median_days", "total_days"]
    assert made.loc[IFN, columns].tolist() == [5, 5, 1, 1, 10, 10]
    assert made.loc[IFN, "share"] == pytest.approx(100 * 10 / (200 + 60 + 90 + 151 + 101))
    reasons = adherence.reasons_table(HISTORY, ADSL, STUDY).set_index(["drug", "TRT01A", "change", "reason"])
    assert reasons.loc[(IFN, "A", "reduced", "adverse event"), ["patients", "changes"]].tolist() == [2, 2]
    assert reasons.loc[(IFN, "A", "stopped", "relapse"), "patients"] == 1
    assert reasons.loc[(IM, "B", "stopped", "not recorded"), ["patients", "N"]].tolist() == [1, 1]
    assert (IFN, "A", "started", "escalation") not in reasons.index
    rows = frame([*adherence.reasons_results(reasons.reset_index()),
                  *adherence.interruption_results(made.reset_index())]).set_index("result_id")
    assert rows.loc[f"change.{IFN}.ifn_evaluable.A.reduced[adverse event]", "n"] == 5
    assert rows.loc[f"interruption.{IFN}.ifn_evaluable.A.days", "display"] == "10 days (range 10 to 10)"
    assert f"interruption.{IM}.all.B.days" not in rows.index


def test_intensity_against_both_plans_and_both_periods():
    adex = derive_adex(TABLES, ADSL, STUDY)
    made = dose.intensity_table(adex[adex["USUBJID"] == "P2"], ADSL, STUDY)
    mine = made[(made["drug"] == IFN) & (made["population"] == "ifn_evaluable")].set_index("reading")["median"]
    given = 60 * 3 / 7  # 1 MU three times a week for 60 days; maintenance lasted 80
    assert mine["to stop"] == pytest.approx(100 * given / (60 * 9 / 7), abs=1e-10)
    assert mine["to end of maintenance"] == pytest.approx(100 * given / (80 * 9 / 7), abs=1e-10)
    assert mine["ramp plan"] == pytest.approx(100 * given / (12 + 32 * 9 / 7), abs=1e-10)
    assert mine["ramp plan to end of maintenance"] == pytest.approx(100 * given / (12 + 52 * 9 / 7), abs=1e-10)
    whole = dose.intensity_table(adex, ADSL, STUDY)
    never = whole[(whole["drug"] == IFN) & (whole["population"] == "all")].set_index("reading")
    assert never.loc["to stop", "n"] == 5 and never.loc["to end of maintenance", ["n", "min"]].tolist() == [6, 0]
    assert (IM, 0) in set(zip(made["drug"], made["n"], strict=True))  # planned and never given, on record
    assert "no patient had the drug" in [one["display"] for one in dose.intensity_results(made)]
    nobody = dose.delivery_results(dose.delivery_table(adex[adex["USUBJID"] == "P2"], ADSL, STUDY))
    assert [one["statistic"] for one in nobody if one["endpoint"] == IM] == ["at_target"]
    layout = dose.intensity_layout(whole)
    assert layout["plan"].tolist() == ["target from day 1"] * 2 + ["with its ramp"] * 2
    assert layout[f"{IM}, B"].tolist()[2:] == ["no ramp planned"] * 2
    assert dose.intensity_layout(whole.head(0)).empty


def test_dose_up_to_a_day_by_hand():
    assert exposure_response.dose_up_to(HISTORY, IFN, 91).to_dict() == pytest.approx(
        {"P1": (20 * 3 + 10 * 9 + 61 * 6) / 7, "P2": 60 * 3 / 7, "P3": (10 * 3 + 80 * 9) / 7,
         "P4": (40 * 3 + 51 * 9) / 7, "P5": 91 * 3 / 7}, abs=1e-12)
    assert exposure_response.dose_up_to(HISTORY, IFN)["P5"] == pytest.approx(101 * 3 / 7)


def test_landmark_keeps_those_in_remission_and_followed_and_compares_the_same_patients():
    table = exposure_response.exposure_table(HISTORY, ADSL, STUDY).set_index(["landmark", "reading"])
    assert table.loc[("", "total"), ["n", "events"]].tolist() == [5, 2]
    assert table.loc[("3 months", "landmark"), ["n", "events", "note"]].tolist() == [3, 0, "no events"]
    assert table.loc[("3 months", "same patients"), "n"] == 3
    assert table.loc[("12 months", "landmark"), ["n", "note"]].tolist() == [1, "all patients fall on one side"]
    assert table.loc[("", "ever at target"), ["n_high", "events_high"]].tolist() == [3, 1]


def test_time_to_relapse_is_that_of_the_endpoint(default):
    _, adsl, cohort = default
    adtte = store.read(cohort.name, "adtte").query("PARAMCD == 'TTRLP'").set_index("USUBJID")
    made = exposure_response.time_to_relapse(adsl).set_index("USUBJID")
    assert (made["time"] == adtte.loc[made.index, "AVAL"]).all()
    assert (made["event"] == (adtte.loc[made.index, "CNSR"] == 0)).all()


def test_exposure_and_relapse_against_r(default):
    table = exposure_response.exposure_table(*default).set_index(["landmark", "reading"])
    names = ["HR", "lower", "upper", "p", "logrank_p"]
    # R 4.2.2, survival 3.5-3, high = dose > median(dose): summary(coxph(Surv(time, event) ~ high)), survdiff
    wanted = {("", "total"): [0.702287899831, 0.202223374831, 2.438928213221, 0.577952324613, 0.576022580533],
              ("6 months", "same patients"): [0.605963036353, 0.161441848924, 2.274448687711, 0.457907334775,
                                              0.453373852765],
              ("6 months", "landmark"): [0.959156444373, 0.276806349366, 3.323554849402, 0.947562302389,
                                         0.947558565438]}
    for key, values in wanted.items():
        assert table.loc[key, names].tolist() == pytest.approx(values, rel=1e-9)
    bias = exposure_response.bias_table(table.reset_index()).set_index("landmark")
    assert bias.loc["6 months", "ratio"] == pytest.approx(0.605963036353 / 0.959156444373, rel=1e-9)


def test_dealt_doses_show_the_bias_of_looking_ahead(default):
    made = exposure_response.null_table(*default, draws=400).set_index(["landmark", "reading"])
    assert made.loc[("", "total"), "upper"] < 1  # chance alone makes the drug look good
    assert 0.7 < made.loc[("3 months", "landmark"), "HR"] < 1.4
    assert made.loc[("6 months", "landmark"), "lower"] < 1 < made.loc[("6 months", "landmark"), "upper"]
    again = exposure_response.null_table(*default, draws=400).set_index(["landmark", "reading"])
    assert made["HR"].tolist() == again["HR"].tolist()


def test_detectable_ratio_against_the_closed_form():
    # Schoenfeld: 4 (1.959964 + 0.841621)^2 / log(0.5)^2 = 65.3 events for a hazard ratio of 0.5, equal groups
    assert exposure_response.detectable(65, 100, 50) == pytest.approx(0.499, abs=1e-3)
    assert np.isnan(exposure_response.detectable(0, 10, 5)) and np.isnan(exposure_response.detectable(9, 10, 0))


def test_first_reduction_against_r(default):
    table = reductions.first_reduction_table(*default).query("drug == @IFN").set_index("reading")
    times = ["3 months", "6 months", "12 months", "24 months"]
    # R: cmprsk 2.2-11, timepoints(cuminc(time, code), c(91, 183, 365, 731))$est
    assert table.loc["adverse event", times].tolist() == pytest.approx(
        [100 / 6, 27.77777777778, 38.8888888889, 50], rel=1e-9)
    # nobody was censored before: the end of the curve is the count of the claim
    assert table.loc["adverse event", ["reduction", "none yet"]].tolist() == [9, 0]


def rows_of(history, adsl, cohort):
    table = exposure_response.exposure_table(history, adsl, cohort)
    return frame([
        *escalation.target_results(history, adsl, cohort),
        *escalation.at_target_results(escalation.at_target_table(history, adsl, cohort)),
        *reductions.first_reduction_results(history, adsl, cohort),
        *reductions.harm_results(reductions.harm_table(history, adsl, cohort)),
        *adherence.reasons_results(adherence.reasons_table(history, adsl, cohort)),
        *adherence.interruption_results(adherence.interruption_table(history, adsl, cohort)),
        *exposure_response.exposure_results(table, exposure_response.null_table(history, adsl, cohort, draws=50))])


SPEAKERS = (dose_sentences.target, dose_sentences.at_target, dose_sentences.first_reduction,
            dose_sentences.interruptions, dose_sentences.exposure)


def test_sentences_quote_results(default):
    rows = rows_of(*default)
    assert rows["result_id"].is_unique
    said = dose_sentences.exposure(rows)
    assert "0.61 (95% CI 0.16 to 2.27) by total dose, 0.96 (95% CI 0.28 to 3.32) by the dose up to then" in said
    assert "neither show nor exclude" in said
    assert "Half of all had reached it by: day 41" in dose_sentences.target(rows)
    assert "12 months 9 of 14" in dose_sentences.at_target(rows)
    assert "interruptions: 4" in dose_sentences.interruptions(rows)
    small = rows_of(HISTORY, ADSL, STUDY)
    assert "No landmark comparison can be estimated" in dose_sentences.exposure(small)


@pytest.mark.parametrize("case", ["no table", "no interferon", "one arm", "nobody alive"])
def test_absent_tables_and_arms_give_rows_or_nothing(case):
    history, adsl = HISTORY, ADSL
    if case == "no table":
        history = EMPTY
    elif case == "no interferon":
        history = HISTORY[HISTORY["EXDRUG"] == IM]
    elif case == "one arm":
        history = HISTORY[HISTORY["TRT01A"] == "B"]
    else:
        history, adsl = HISTORY[HISTORY["USUBJID"] == "P2"], ADSL[ADSL["USUBJID"] == "P2"]
    rows = rows_of(history, adsl, STUDY)
    interferon = rows["endpoint"].eq(IFN).any()
    assert interferon == (case == "nobody alive")
    assert rows.empty == (case == "no table")
    for speak in SPEAKERS:
        assert isinstance(speak(rows), str)
        assert speak(frame([])) == ""
