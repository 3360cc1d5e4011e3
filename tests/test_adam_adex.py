"""Dose engine against histories worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remission import schema
from remission.adam.adex import derive_adex, derive_adexst, derive_adexwk, planned_dose, stretches
from remission.errors import ContractError
from remission.study import Arm, Study

IFN, IM = "interferon alfa-2a", "imatinib"
STUDY = Study("demo", "own", "demo", "none",
              (Arm("A", "a", drugs=(IFN, IM)), Arm("B", "b", reference=True, drugs=(IM,))),
              dose_plans={IFN: {"unit": "MU", "start": 1, "target": 3, "per_week": 3, "ramp_days": 28},
                          IM: {"unit": "mg", "start": 600, "target": 600, "per_week": 7, "ramp_days": 0}})


def subjects(rows):
    """rows: patient, arm, MTENDY, LSTALVDY, and DTHDY of who died."""
    rows = [(*row, None)[:5] for row in rows]
    frame = pd.DataFrame(rows, columns=["USUBJID", "TRT01A", "MTENDY", "LSTALVDY", "DTHDY"]).assign(STUDYID="demo")
    return frame.astype({"MTENDY": "Int64", "LSTALVDY": "Int64", "DTHDY": "Int64"})


def dosing(rows):
    """rows: patient, drug, dose, first day, last day, reason."""
    frame = pd.DataFrame(rows, columns=["patient_id", "drug", "dose", "start_day", "end_day", "reason_for_change"])
    frame["unit"] = frame["drug"].map({IFN: "MU", IM: "mg"})
    frame["frequency"] = frame["drug"].map({IFN: "TIW", IM: "QD"})
    frame["source_line"] = np.arange(len(frame)) + 2
    return {"dosing": frame.astype({"start_day": "Int64", "end_day": "Int64", "dose": float})}


def one(table, patient, drug):
    found = table[(table["USUBJID"] == patient) & (table["EXDRUG"] == drug)]
    assert len(found) == 1
    return found.iloc[0]


HISTORY = dosing([
    ("P1", IFN, 1, 0, 13, "escalation"),         # 14 days x 3/7 x 1 MU = 6 MU
    ("P1", IFN, 3, 14, 27, "adverse event"),     # 14 days x 3/7 x 3 MU = 18 MU
    ("P1", IFN, 0, 28, 41, "recovered"),         # interrupted, nothing
    ("P1", IFN, 1.5, 42, 55, "patient wish"),    # 14 days x 3/7 x 1.5 MU = 9 MU, then stopped
    ("P1", IM, 600, 0, 83, "end of treatment"),  # 84 days x 600 mg = 50,400 mg
    ("P2", IM, 600, 0, 6, "adverse event"),      # 4,200 mg
    ("P2", IM, 400, 10, None, None),             # three days without, then open until last contact: 24,000 mg
])
ADSL = subjects([("P1", "A", 83, 500), ("P2", "B", 69, 69), ("P3", "A", 100, 100)])


def test_cumulative_dose_and_intensity_by_hand():
    made = derive_adex(HISTORY, ADSL, STUDY)
    ifn = one(made, "P1", IFN)
    assert ifn["CUMDOSE"] == pytest.approx(33, abs=1e-12)
    assert (ifn["STDY"], ifn["ENDY"], ifn["EXDAYS"], ifn["MTDAYS"]) == (0, 55, 56, 84)
    assert (ifn["STDOSE"], ifn["MXDOSE"], ifn["TARGETDY"]) == (1, 3, 14)
    assert ifn["DI"] == pytest.approx(33 / 8, abs=1e-12)
    assert ifn["RDI"] == pytest.approx(33 / 72, abs=1e-12)      # plan 9 MU a week for 8 weeks
    assert ifn["RDIRAMP"] == pytest.approx(33 / 48, abs=1e-12)  # plan 4 weeks of 3 MU and 4 weeks of 9 MU
    assert ifn["RDIMT"] == pytest.approx(33 / 108, abs=1e-12)   # plan 9 MU a week for 12 weeks
    assert (ifn["REDAEFL"], ifn["REDAEDY"], ifn["STOPREAS"]) == ("Y", 28, "patient wish")
    imatinib = one(made, "P1", IM)
    assert imatinib["CUMDOSE"] == 50_400
    assert imatinib["RDI"] == imatinib["RDIMT"] == imatinib["RDIRAMP"] == 1
    assert imatinib["REDAEFL"] == "N"


def test_gap_and_open_end():
    imatinib = one(derive_adex(HISTORY, ADSL, STUDY), "P2", IM)
    assert imatinib["CUMDOSE"] == 4_200 + 60 * 400
    assert (imatinib["ENDY"], imatinib["EXDAYS"]) == (69, 70)
    assert imatinib["RDI"] == pytest.approx(28_200 / 42_000, abs=1e-12)
    assert (imatinib["REDAEFL"], imatinib["REDAEDY"]) == ("Y", 7)  # the gap is an interruption from day 7
    assert pd.isna(imatinib["STOPREAS"])


def test_planned_drug_never_given_is_zero_and_a_patient_without_records_is_absent():
    tables = dosing([("P3", IM, 600, 0, 100, None)])
    made = derive_adex(tables, ADSL, STUDY)
    assert made["USUBJID"].unique().tolist() == ["P3"]
    ifn = one(made, "P3", IFN)
    assert (ifn["CUMDOSE"], ifn["RDIMT"], ifn["REDAEFL"]) == (0, 0, "N")
    assert ifn[["STDY", "DI", "RDI", "RDIRAMP"]].isna().all()


def test_days_before_the_origin_do_not_count():
    made = derive_adex(dosing([("P2", IM, 600, -10, 9, None), ("P2", IM, 400, -30, -11, "escalation")]), ADSL, STUDY)
    assert one(made, "P2", IM)["CUMDOSE"] == 6_000
    assert one(made, "P2", IM)["STDOSE"] == 600


def test_an_open_stretch_without_last_contact_makes_the_dose_unknown():
    made = derive_adex(dosing([("P9", IM, 600, 0, None, None)]), subjects([("P9", "B", None, None)]), STUDY)
    assert one(made, "P9", IM)[["CUMDOSE", "DI", "RDI", "RDIMT"]].isna().all()


@pytest.mark.parametrize(("rows", "message"), [
    ([("P1", IFN, 1, 0, 10, None), ("P1", IFN, 3, 10, 20, None)], r"dosing.end_date \(line 2\): a stretch reaches"),
    ([("P1", IFN, 1, 9, 5, None)], "ends before it starts"),
])
def test_faulty_stretches_are_refused(rows, message):
    with pytest.raises(ContractError, match=message):
        stretches(dosing(rows)["dosing"], ADSL, STUDY)


def test_changes_are_named_by_what_followed():
    parts = stretches(HISTORY["dosing"], ADSL, STUDY)
    ifn = parts[parts["EXDRUG"] == IFN]
    assert ifn["change"].tolist() == ["escalated", "interrupted", "resumed lower", "stopped"]
    assert ifn["changeday"].tolist() == [14, 28, 42, 56]


def test_planned_dose_with_and_without_ramp():
    plan = STUDY.dose_plans[IFN]
    days = pd.Series([7, 28, 35, np.nan])
    assert planned_dose(days, plan, ramp=True).tolist()[:3] == [3, 12, 21]
    assert planned_dose(days, plan, ramp=False).tolist()[:3] == [9, 36, 45]
    assert planned_dose(days, plan, ramp=True).isna().tolist() == [False, False, False, True]


def test_dose_history_names_gaps_open_ends_and_stops():
    made = derive_adexst(HISTORY, ADSL, STUDY)
    second = made[made["USUBJID"] == "P2"]
    assert second[["STDY", "ENDY", "WKDOSE", "OPENFL"]].to_numpy().tolist() == [
        [0, 6, 4200, "N"], [7, 9, 0, "N"], [10, 69, 2800, "Y"]]  # the gap is a stretch of its own
    assert second["CHANGE"].tolist()[:2] == ["interrupted", "resumed lower"]
    assert second["CHANGE"].isna().tolist() == [False, False, True]  # still on the drug at last contact
    assert second["CHANGEDY"].tolist()[:2] == [7, 10]
    assert second["EXSEQ"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("rows", "changes", "days"), [
    # dose zero to the end of the record is a stop on its first day
    ([("P1", IFN, 3, 0, 9, "adverse event"), ("P1", IFN, 0, 10, 40, "end of treatment")],
     ["stopped", None], [10, None]),
    # dose zero first, then a dose: begun late
    ([("P1", IFN, 0, 0, 9, None), ("P1", IFN, 1, 10, 40, "relapse")], ["started", "stopped"], [10, 41]),
    # zero and a gap that touch are one interruption
    ([("P1", IFN, 3, 0, 9, "patient wish"), ("P1", IFN, 0, 10, 19, None), ("P1", IFN, 3, 30, 40, "relapse")],
     ["interrupted", None, "resumed", "stopped"], [10, None, 30, 41]),
    # an end without a reason is an end; the same dose again is no change
    ([("P1", IFN, 3, 0, 9, None), ("P1", IFN, 3, 10, 40, None)], [None, "stopped"], [None, 41]),
])
def test_zero_dose_is_an_interruption_only_when_a_dose_follows(rows, changes, days):
    made = derive_adexst(dosing(rows), ADSL, STUDY)
    assert [None if pd.isna(one) else one for one in made["CHANGE"]] == changes
    assert [None if pd.isna(one) else one for one in made["CHANGEDY"]] == days


def test_an_open_stretch_of_a_dead_patient_ended_on_the_day_of_death():
    made = derive_adexst(dosing([("P9", IM, 600, 0, None, None)]), subjects([("P9", "B", 50, 50, 50)]), STUDY)
    assert made[["ENDY", "OPENFL", "CHANGE", "CHANGEDY"]].to_numpy().tolist() == [[50, "N", "stopped", 51]]


def test_target_is_read_from_the_week_not_from_the_single_dose():
    rows = dosing([("P1", IFN, 1.5, 0, 6, "escalation"), ("P1", IFN, 4, 7, 40, None)])
    assert one(derive_adex(rows, ADSL, STUDY), "P1", IFN)["TARGETDY"] == 7  # above target counts
    rows["dosing"].loc[0, "frequency"] = "QD"  # 1.5 MU daily are 10.5 MU a week, and the plan is 9
    assert one(derive_adex(rows, ADSL, STUDY), "P1", IFN)["TARGETDY"] == 0
    history = derive_adexst(rows, ADSL, STUDY)
    assert history["WKDOSE"].tolist() == [10.5, 12]


def test_dose_above_plan_gives_an_intensity_above_one():
    made = one(derive_adex(dosing([("P1", IFN, 4.5, 0, 83, None)]), ADSL, STUDY), "P1", IFN)
    assert made["RDI"] == pytest.approx(1.5, abs=1e-12)
    assert made["RDIRAMP"] == pytest.approx(12 * 13.5 / (4 * 3 + 8 * 9), abs=1e-12)


def test_weekly_grid_by_hand():
    made = derive_adexwk(HISTORY, ADSL, STUDY)
    ifn = made[(made["USUBJID"] == "P1") & (made["EXDRUG"] == IFN)]
    assert ifn["WEEK"].tolist() == list(range(1, 13))
    assert ifn["WKDOSE"].tolist() == pytest.approx([3, 3, 9, 9, 0, 0, 4.5, 4.5, 0, 0, 0, 0], abs=1e-12)
    assert ifn["PLANWK"].eq(9).all()
    reasons = dict(ifn.dropna(subset=["REASON"])[["WEEK", "REASON"]].to_numpy())
    assert reasons == {3: "escalation", 5: "adverse event", 7: "recovered", 9: "patient wish"}
    imatinib = made[(made["USUBJID"] == "P2") & (made["EXDRUG"] == IM)]
    # week 2 is days 7 to 13: three days of gap, four days of 400 mg
    assert imatinib["WKDOSE"].tolist()[:3] == pytest.approx([4200, 1600, 2800], abs=1e-9)
    # the end of maintenance is marked in its last week
    assert made[(made["USUBJID"] == "P1") & (made["EXDRUG"] == IM)]["REASON"].iloc[-1] == "end of treatment"


def test_weekly_grid_adds_up_to_the_cumulative_dose():
    total = derive_adexwk(HISTORY, ADSL, STUDY).groupby(["EXDRUG", "USUBJID"])["WKDOSE"].sum()
    cumulative = derive_adex(HISTORY, ADSL, STUDY).set_index(["EXDRUG", "USUBJID"])["CUMDOSE"]
    assert np.allclose(total, cumulative.loc[total.index], rtol=1e-12)


def test_no_rows_give_empty_tables():
    nothing = {"dosing": dosing([("P1", IM, 600, 0, 1, None)])["dosing"].iloc[:0]}
    for name, derive in (("adex", derive_adex), ("adexwk", derive_adexwk), ("adexst", derive_adexst)):
        assert list(derive(nothing, ADSL, STUDY).columns) == schema.ANALYSIS[name].names
