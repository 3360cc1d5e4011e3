"""Exposure-adjusted rates: against R, chi-squared quantiles and person-time added up by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from remission import schema, store, study, toxicity
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import rates, sentences
from remission.toxicity.counts import on_treatment
from remission.toxicity.events import ANY_TERM

STUDY = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)),
              toxicity_unions={"low mood": ["Depression", "Fatigue"]})
#: A1 treated to day 69, at risk to day 99; A2 died on day 39; A3 still treated on day 364; B1 never had an end.
ADSL = pd.DataFrame({"USUBJID": ["A1", "A2", "A3", "B1"], "TRT01A": list("AAAB"), "SAFFL": "Y", "IFNEVLFL": "N",
                     "TRTSDY": [0, 10, 0, None], "MTENDY": [69, 30, 364, None], "LSTALVDY": [500, 39, 364, 9]})
ADAE = pd.DataFrame([
    ("A1", "Fatigue", 19, 2, "Y"), ("A1", "Fatigue", 40, 1, "Y"), ("A3", "Nausea", 0, 3, "Y"),
    ("A3", "Fatigue", None, 1, "N"), ("A1", "Rash", 120, 4, "N")],
    columns=["USUBJID", "AEDECOD", "ASTDY", "ATOXGR", "AESER"]).assign(
        TRTEMFL=["Y", "Y", "Y", "Y", "N"], AEBODSYS="General")
YEAR = 365.25


@pytest.mark.parametrize(("events", "years", "limits"), [
    # R 4.2.2: poisson.test(events, years)$conf.int
    (0, 10.5, [0, 0.35132185277276]), (3, 41.25, [0.014998112070196, 0.212539953205875]),
    (13, 7.8, [0.88742980653895, 2.85005075873832]), (223, 65.2, [2.9860406178785, 3.8998377903144])])
def test_exact_limits_are_those_of_r_and_of_chi_squared_quantiles(events, years, limits):
    made = [float(limit) for limit in rates.poisson_interval(events, years)]
    assert made == pytest.approx(limits, abs=1e-11)
    closed = [chi2.ppf(0.025, 2 * events) / (2 * years) if events else 0, chi2.ppf(0.975, 2 * events + 2) / (2 * years)]
    assert made == pytest.approx(closed, abs=1e-12)


def test_no_time_at_risk_has_no_rate():
    lower, upper = rates.poisson_interval([0, 1], [0, 2.0])
    assert np.isnan([lower[0], upper[0]]).all() and np.isfinite([lower[1], upper[1]]).all()


def test_time_at_risk_is_the_time_of_treatment_emergence():
    assert on_treatment(ADSL)[["first", "last", "days"]].to_numpy().tolist() == [
        [0, 99, 100], [10, 39, 30], [0, 364, 365], [0, 9, 10]]


def test_person_time_by_hand():
    made = rates.rate_table(ADAE, ADSL, STUDY).set_index(["AEDECOD", "TRT01A"])
    # Fatigue in A: A1 at risk 20 days to the first of two; A2 30 without one; A3, of unknown day, left out.
    fatigue = made.loc[("Fatigue", "A")]
    assert fatigue[["N", "patients", "undated", "events"]].tolist() == [3, 1, 1, 3]
    assert fatigue["years_to_first"] == pytest.approx(50 / YEAR, rel=1e-12)
    assert fatigue["years"] == pytest.approx(495 / YEAR, rel=1e-12)
    assert fatigue["rate"] == pytest.approx(100 * YEAR / 50, rel=1e-12)
    assert fatigue["event_rate"] == pytest.approx(100 * 3 * YEAR / 495, rel=1e-12)
    assert fatigue["rate_upper"] == pytest.approx(100 * chi2.ppf(0.975, 4) / 2 * YEAR / 50, rel=1e-12)
    assert "1 without a known day" in fatigue["note"]
    # Grade 3 in A3 on the day of the first dose: one day at risk.
    assert made.loc[(rates.GRADE3, "A"), "years_to_first"] == pytest.approx((100 + 30 + 1) / YEAR, rel=1e-12)
    assert made.loc[("Fatigue", "B"), ["patients", "rate", "rate_lower"]].tolist() == [0, 0, 0]
    assert made.loc[("Fatigue", "B"), "rate_upper"] == pytest.approx(100 * -np.log(0.025) * YEAR / 10, rel=1e-12)
    assert "Rash" not in made.index.get_level_values(0)


def test_dispersion_tells_whether_events_cluster():
    subjects = ADSL.assign(TRT01A="A", TRTSDY=0, MTENDY=99, LSTALVDY=99)
    rows = pd.DataFrame({"USUBJID": ["A1"] * 4, "AEDECOD": "Rash", "ASTDY": [1, 2, 3, 4], "ATOXGR": 1, "AESER": "N",
                         "TRTEMFL": "Y", "AEBODSYS": "Skin"})
    made = rates.rate_table(rows, subjects, STUDY).set_index(["AEDECOD", "TRT01A"])
    # Expected 1 each: ((4 - 1)^2 + 3 * (0 - 1)^2) / 1 over 3 degrees of freedom.
    assert made.loc[("Rash", "A"), "dispersion"] == pytest.approx(4)
    even = rates.rate_table(rows.assign(USUBJID=["A1", "A2", "A3", "B1"]), subjects, STUDY)
    assert even.set_index("AEDECOD").loc["Rash", "dispersion"] == pytest.approx(0)


def test_patients_of_unknown_time_are_left_out_and_counted():
    subjects = ADSL.assign(LSTALVDY=[500, 39, 364, None])
    made = rates.rate_table(ADAE, pd.concat([subjects, ADSL.tail(1).assign(USUBJID="B2")]), STUDY)
    mine = made[(made["AEDECOD"] == ANY_TERM) & (made["TRT01A"] == "B")].iloc[0]
    assert (mine["N"], mine["note"]) == (1, "1 of unknown time at risk left out")


def test_the_default_cohort_against_a_second_program():
    cohort = "ash2012_reconstructed"
    adsl, adae = store.read(cohort, "adsl"), store.read(cohort, "adae")
    made = rates.rate_table(adae, adsl, study.read(cohort)).set_index(["AEDECOD", "TRT01A"]).loc[("Fatigue", "IFN+IM")]
    # R 4.2.2 on adsl.csv and adae.csv: person-time by pmin(), then 100 * poisson.test(13, T)$conf.int
    assert made[["patients", "years_to_first", "years"]].tolist() == pytest.approx([13, 22.795345653662,
                                                                                    59.028062970568], abs=1e-11)
    assert made[["rate_lower", "rate_upper"]].tolist() == pytest.approx([30.365639530857, 97.521644356324], abs=1e-9)
    days = adae[adae["TRTEMFL"] == "Y"].merge(on_treatment(adsl), on="USUBJID")
    assert days["ASTDY"].between(days["first"], days["last"]).all()  # a numerator has its denominator


def test_result_rows_and_the_sentence():
    table = rates.rate_table(ADAE, ADSL, STUDY)
    rows = frame(rates.rate_results(table)).set_index("result_id")
    one = rows.loc["ae_rate.Fatigue.all.A.patients"]
    assert (one["n"], one["events"], one["unit"]) == (2, 1, "per 100 patient-years")
    assert one["display"].startswith("1 in 0.1 patient-years: 730.5 (18.5 to ")
    assert rows.loc["ae_rate.low mood.all.A.events", "events"] == 3
    assert f"**{rates.GRADE3}**: A (all treated) 1 in " in sentences.rates(rows.reset_index())
    shown = rates.rate_display(table)
    assert shown["term"].tolist()[:2] == [ANY_TERM, ANY_TERM] and len(shown) == len(table)


def test_a_cohort_without_events_or_with_one_arm():
    nothing = schema.empty(schema.ANALYSIS["adae"])
    assert toxicity.rate_table(nothing, ADSL, STUDY).empty
    assert rates.rate_results(toxicity.rate_table(nothing, ADSL, STUDY)) == []
    assert rates.rate_display(toxicity.rate_table(nothing, ADSL, STUDY)).empty
    one = rates.rate_table(ADAE, ADSL[ADSL["TRT01A"] == "A"], Study("demo", "own", "d", "n", (Arm("A", "a"),)))
    assert set(one["TRT01A"]) == {"A"}
