"""Time to the first event and the course of events: by hand, and against R's cmprsk and survival."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from remission import schema, store, study
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import event_course, onset, sentences
from remission.toxicity.rates import SERIOUS

IFN = "interferon alfa-2a"
STUDY = Study("demo", "own", "demo", "none",
              (Arm("A", "a", drugs=(IFN, "imatinib")), Arm("B", "b", reference=True, drugs=("imatinib",))),
              ctcae_version="3.0", toxicity_unions={"low mood": ["Depression", "Fatigue"]})
#: A1 relapsed on day 70; A2 died in remission on day 40; A3 stopped on day 100 and lives; A4 is still treated on day
#: 365; B1 stopped three days before last contact, so that nothing but last contact ends his time at risk.
ADSL = pd.DataFrame({
    "USUBJID": ["A1", "A2", "A3", "A4", "B1"], "TRT01A": list("AAAAB"), "SAFFL": "Y", "IFNEVLFL": list("YYYNN"),
    "TRTSDY": [0, 0, 5, 0, 0], "MTENDY": [69, 39, 100, 365, 47], "MTONFL": list("NNNYN"),
    "RELDY": [70, None, None, None, None], "DTHDY": [300, 40, None, None, None], "LSTALVDY": [300, 40, 600, 365, 50]})
NA = None
ADAE = pd.DataFrame([
    ("A1", "Fatigue", 80, 90, 2, "Y", "Y", "N", "IFN reduced", "N"),      # after the relapse: no first event
    ("A2", "Depression", 30, NA, 3, "Y", "Y", "N", "IFN stopped", "Y"),
    ("A2", "Fatigue", 10, 19, 1, "Y", "N", "N", "none", "N"),
    ("A3", "Fatigue", 130, 139, 2, "Y", NA, "N", "none", "N"),            # on the last day at risk
    ("A4", "Nausea", NA, 20, 1, "Y", "N", "Y", NA, "N"),                  # day unknown
    ("B1", "Nausea", 7, 11, NA, "Y", "N", "Y", "imatinib reduced", NA),
    ("B1", "Nausea", 7, 3, 1, "N", "N", "Y", "none", "Y")],
    columns=["USUBJID", "AEDECOD", "ASTDY", "AENDY", "ATOXGR", "TRTEMFL", "AERELIFN", "AERELIM", "AEACN", "AESER"]
).assign(AEBODSYS="General")
NO_LAB = schema.empty(schema.ANALYSIS["adlb"])
LAB = pd.DataFrame({"USUBJID": ["A1", "A1", "A3", "B1"], "PARAMCD": ["ANC", "PLT", "ALT", "ANC"],
                    "ADY": [20, 10, 5, 8], "ATOXGR": [3, 2, 4, 0], "TRTEMFL": "Y"})


def test_kinds_of_event_and_what_is_left_out_without_a_table():
    kinds = onset.endpoints(ADAE, LAB, STUDY)
    assert {name: len(rows) for name, rows in kinds.items()} == {
        "any adverse event": 6, "adverse event of grade 3+": 1, "low mood": 4, "low mood, grade 2+": 3,
        "cytopenia of grade 2+": 2, "cytopenia of grade 3+": 1}
    assert list(onset.endpoints(schema.empty(schema.ANALYSIS["adae"]), LAB, STUDY)) == [
        "cytopenia of grade 2+", "cytopenia of grade 3+"]
    assert onset.endpoints(schema.empty(schema.ANALYSIS["adae"]), NO_LAB, STUDY) == {}


def test_what_ends_the_time_at_risk():
    made = onset.ends(ADSL).set_index("USUBJID")
    assert made["end"].tolist() == [70, 40, 130, 365, 50]
    assert made["code"].tolist() == [2, 3, 4, 0, 0]


def test_first_events_by_hand():
    found = onset.first_events(onset.endpoints(ADAE, LAB, STUDY)["low mood"], ADSL)
    made = found.data.set_index("patient")
    assert made["code"].to_dict() == {"A1": 2, "A2": 1, "A3": 1, "A4": 0, "B1": 0}
    assert made["time"].to_dict() == {"A1": 70, "A2": 10, "A3": 125, "A4": 365, "B1": 50}
    assert found.after_relapse == ["A1"]
    found = onset.first_events(onset.endpoints(ADAE, LAB, STUDY)["any adverse event"], ADSL)
    assert found.undated == ["A4"] and "A4" not in set(found.data["patient"])
    assert onset.first_events(onset.endpoints(ADAE, LAB, STUDY)["low mood"], ADSL.assign(LSTALVDY=NA, MTONFL="Y")
                              ).untimed == ["A3", "A4", "B1"]
    assert set(onset.first_events(onset.endpoints(ADAE, LAB, STUDY)["low mood"], ADSL, "ifn_evaluable").data["patient"]
               ) == {"A1", "A2", "A3"}


def test_counts_and_incidence_by_hand():
    kinds = onset.endpoints(ADAE, LAB, STUDY)
    counts = onset.count_table(kinds, ADSL, STUDY).set_index(["endpoint", "TRT01A"])
    columns = ["N", "analysed", "event", "relapse", "death in remission", "stop of treatment", "still at risk"]
    assert counts.loc[("low mood", "A"), columns].tolist() == [4, 4, 2, 1, 0, 0, 1]
    assert counts.loc[("any adverse event", "A"), "note"] == "1 left out: day of an event unknown"
    assert counts.loc[("cytopenia of grade 2+", "A"), ["event", "first_day"]].tolist() == [1, 10]
    made = onset.incidence_table(kinds, ADSL, STUDY, months=(1, 3, 6, 24))
    made = made.set_index(["endpoint", "TRT01A", "month"]).sort_index()
    # Events on days 10 and 125, relapse on day 70, all 4 followed: 1/4, then 2/4; Kaplan-Meier 1 - 3/4 * 1/2.
    assert made.loc[("low mood", "A"), "incidence"].tolist()[:3] == pytest.approx([25, 25, 50])
    assert made.loc[("low mood", "A"), "one_minus_km"].tolist()[:3] == pytest.approx([25, 25, 62.5])
    assert made.loc[("low mood", "A"), "competing"].tolist()[:3] == pytest.approx([0, 25, 25])
    assert made.loc[("low mood", "A"), "at_risk"].tolist() == [3, 2, 1, 0]
    assert math.isnan(made.loc[("low mood", "A", 24), "incidence"])  # beyond the last follow-up
    both = made[["incidence", "one_minus_km"]].dropna()
    assert (both["one_minus_km"] >= both["incidence"] - 1e-9).all()


def test_incidence_reaches_one_without_noise():
    kinds = {"any": pd.DataFrame({"USUBJID": ADSL["USUBJID"], "day": [5, 6, 7, 8, 9]})}
    subjects = pd.concat([ADSL.assign(USUBJID=ADSL["USUBJID"] + str(copy)) for copy in range(19)], ignore_index=True)
    many = {"any": pd.concat([kinds["any"].assign(USUBJID=kinds["any"]["USUBJID"] + str(copy), day=5 + copy)
                              for copy in range(19)], ignore_index=True)}
    made = onset.incidence_table(many, subjects, STUDY)
    assert made["incidence"].unique().tolist() == [100.0]
    assert made["lower"].isna().all()


def test_the_default_cohort_against_r():
    cohort = "ash2012_reconstructed"
    adsl, adae, adlb = (store.read(cohort, name) for name in ("adsl", "adae", "adlb"))
    made = onset.incidence_table(onset.endpoints(adae, adlb, study.read(cohort)), adsl, study.read(cohort))
    mine = made[(made["endpoint"] == "depression or fatigue, grade 2+") & (made["TRT01A"] == "IFN+IM")]
    # R 4.2.2 on adsl.csv and adae.csv: cmprsk::cuminc at days 91, 183, 365, 730; 1 - survfit(...)$surv
    assert mine["incidence"].tolist() == pytest.approx(
        [21.0526315789, 21.0526315789, 36.8421052632, 47.3684210526], abs=1e-9)
    assert mine["one_minus_km"].tolist() == pytest.approx(
        [21.0526315789, 21.0526315789, 38.9097744361, 51.1278195489], abs=1e-9)


def test_curves_and_result_rows():
    kinds = onset.endpoints(ADAE, LAB, STUDY)
    steps = onset.curve_table(kinds, ADSL, STUDY)
    mine = steps[(steps["endpoint"] == "low mood") & (steps["TRT01A"] == "A") & (steps["curve"] == "incidence")]
    assert mine[["time", "value"]].to_numpy().tolist() == [[0, 0], [10, 25], [125, 50], [365, 50]]
    counts, incidence = onset.count_table(kinds, ADSL, STUDY), onset.incidence_table(kinds, ADSL, STUDY)
    rows = frame(onset.incidence_results(counts, incidence)).set_index("result_id")
    one = rows.loc["ae_first.low mood.all.A.incidence[6 months]"]
    assert (one["value"], one["n"], one["events"]) == (pytest.approx(50), 4, 2)
    assert "ae_first.cytopenia of grade 3+.all.B.one_minus_km[12 months]" in rows.index
    assert "**low mood**: A (all treated) 50.0%" in sentences.first_events(rows.reset_index(), 6)
    shown = onset.incidence_display(incidence)
    assert shown.loc[0, "endpoint"] == "any adverse event" and "1 - KM, 12 months" in shown


def test_onset_and_duration_with_open_events():
    made = event_course.course_table(ADAE, ADSL, STUDY).set_index(["AEDECOD", "TRT01A"])
    mood = made.loc[("low mood", "A")]
    # Fatigue of A1 (80 to 90), A2 (10 to 19) and A3 (130 to 139, day 125 of treatment); depression of A2 open from 30.
    assert mood[["patients", "first_onset", "first_onset_min", "first_onset_max"]].tolist() == [3, 80, 10, 125]
    assert mood[["events", "resolved", "open", "unknown", "duration", "longest"]].tolist() == [4, 3, 1, 0, 10, 11]
    assert mood["duration_km"] == 10.5  # 10, 10, 11 and 11+ days: the plateau from 10 to 11 at one half
    assert mood["note"] == "1 without an end on record"
    assert made.loc[("Nausea", "A"), ["events", "unknown"]].tolist() == [1, 1]
    assert made.loc[("low mood", "B"), ["N", "patients", "events"]].tolist() == [1, 0, 0]
    assert sentences.courses(made.reset_index()) == (
        "Events without an end on record: A 1 of 5 (1 more of unknown length); B 0 of 1.")
    rows = frame(event_course.course_results(made.reset_index())).set_index("result_id")
    assert rows.loc["ae_course.low mood.all.A.duration", "display"] == "10 days (3 resolved, 1 open)"


def test_actions_that_an_arm_could_not_take_have_no_row():
    made = event_course.action_table(ADAE, ADSL, STUDY).set_index(["action", "TRT01A"])
    assert made.loc[("any change of dose", "A"), ["N", "patients", "events"]].tolist() == [4, 2, 2]
    assert made.loc[("IFN interrupted", "A"), "patients"] == 0
    assert ("IFN reduced", "B") not in made.index
    assert made.loc[("imatinib reduced", "B"), ["patients", "events"]].tolist() == [1, 1]
    assert made.loc[("unknown", "A"), "patients"] == 1
    rows = frame(event_course.course_count_results(made.reset_index())).set_index("result_id")
    assert rows.loc["ae_action.IFN stopped.all.A.patients", ["value", "n"]].tolist() == [1, 4]


def test_relatedness_keeps_the_unknown_apart():
    made = event_course.related_table(ADAE, ADSL, STUDY).set_index(["related", "TRT01A"])
    assert made.loc[("interferon", "A"), ["patients", "events"]].tolist() == [2, 2]
    assert ("interferon", "B") not in made.index
    assert made.loc[("neither", "A"), "events"] == 1
    assert made.loc[("unknown", "A"), ["patients", "events"]].tolist() == [1, 1]
    severe = event_course.related_table(ADAE, ADSL, STUDY, grade=3).set_index(["related", "TRT01A"])
    assert severe.loc[("interferon", "A"), "patients"] == 1
    assert severe.loc[("imatinib", "B"), ["N", "patients"]].tolist() == [1, 0]


def test_serious_events_and_a_zero():
    made = event_course.serious_table(ADAE, ADSL, STUDY).set_index(["term", "TRT01A"])
    assert made.loc[(SERIOUS, "A"), ["N", "patients"]].tolist() == [4, 1]
    assert made.loc[(SERIOUS, "B"), ["N", "patients"]].tolist() == [1, 0]  # his serious event is not emergent
    assert made.loc[("seriousness unknown", "B"), "patients"] == 1
    assert event_course.serious_list(ADAE, ADSL)["AEDECOD"].tolist() == ["Depression"]
    rows = frame(event_course.course_count_results(made.reset_index()))
    assert sentences.serious(rows).startswith("Any serious adverse event: A (all treated) 1 of 4 (25.0%")
    none = event_course.serious_table(ADAE.assign(AESER="N"), ADSL, STUDY)
    assert none["patients"].tolist() == [0, 0, 0, 0]


def test_absent_tables_give_empty_results():
    nothing = schema.empty(schema.ANALYSIS["adae"])
    kinds = onset.endpoints(nothing, NO_LAB, STUDY)
    counts, incidence = onset.count_table(kinds, ADSL, STUDY), onset.incidence_table(kinds, ADSL, STUDY)
    assert counts.empty and onset.incidence_results(counts, incidence) == []
    assert onset.incidence_display(incidence).empty and onset.curve_table(kinds, ADSL, STUDY).empty
    for table in (event_course.action_table, event_course.related_table, event_course.serious_table):
        assert event_course.course_count_results(table(nothing, ADSL, STUDY)) == []
    course = event_course.course_table(nothing, ADSL, STUDY)
    assert event_course.course_results(course) == [] and sentences.courses(course) == ""
    assert event_course.serious_list(nothing, ADSL).empty
