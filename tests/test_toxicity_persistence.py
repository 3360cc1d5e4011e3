"""Persistence: every end alike, relapse and death censored, relapse and death competing."""

from __future__ import annotations

import pandas as pd
import pytest
from test_toxicity_dose import ADSL, EMPTY, HISTORY, IFN, IM, STUDY, default

from remission.results import frame
from remission.toxicity import courses, dose_sentences, persistence

__all__ = ["default"]


def test_time_on_a_drug_by_hand():
    course = courses.courses(HISTORY, ADSL, STUDY, IFN)
    made = persistence.any_end(course)
    assert made[["time", "event"]].to_numpy().tolist() == [[200, True], [60, True], [90, True], [151, True],
                                                           [100, False]]
    # P1 and P2 gave the drug up in remission; P3 relapsed, P4 died, P5 goes on
    own = persistence.own_stop(course)
    assert own[["time", "code"]].to_numpy().tolist() == [[200, 1], [60, 1], [90, 3], [151, 4], [100, 0]]


def test_three_readings_by_hand():
    made = persistence.persistence_table(HISTORY, ADSL, STUDY).query("drug == @IFN").set_index("reading")
    # day 91: two of five ended. Censored: one of five ended. Day 183: 3/5 * 1/2 after the censoring of P5 on day 100;
    # censored reading: 4/5; competing: 1/5.
    assert made.loc["on drug", ["3 months", "6 months"]].tolist() == pytest.approx([60, 30], abs=1e-12)
    assert made.loc["censored", ["3 months", "6 months"]].tolist() == pytest.approx([80, 80], abs=1e-12)
    assert made.loc["stopped in remission", ["3 months", "6 months"]].tolist() == pytest.approx([20, 20], abs=1e-12)
    assert made["events"].to_dict() == {"on drug": 4, "censored": 2, "stopped in remission": 2}
    assert made.loc["on drug", "median"] == 151


def test_a_drug_that_goes_on_after_relapse_ends_for_the_reading_in_remission():
    course = courses.courses(HISTORY, ADSL, STUDY, IFN).query("USUBJID == 'P1'").assign(RELDY=150.0)
    assert persistence.any_end(course)["time"].tolist() == [200]
    assert persistence.own_stop(course)[["time", "code"]].to_numpy().tolist() == [[150, 3]]


def test_ends_behind_the_curves():
    made = persistence.ends_table(HISTORY, ADSL, STUDY).set_index(["drug", "TRT01A"])
    columns = ["N", "stop", "relapse", "death", "on drug"]
    assert made.loc[(IFN, "A"), columns].tolist() == [5, 2, 1, 1, 1]
    assert made.loc[(IM, "B"), columns].tolist() == [1, 1, 0, 0, 0]


def test_default_cohort_against_r(default):
    made = persistence.persistence_table(*default).query("drug == @IFN").set_index("reading")
    times = ["3 months", "6 months", "12 months", "24 months"]
    # R 4.2.2, survival 3.5-3: summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times), quantile(., 0.5)
    wanted = {
        "on drug": ([0.944444444444, 0.888888888889, 0.722222222222, 0.388888888889],
                    [0.666390168335, 0.624174265553, 0.456178556196, 0.174868537065],
                    [0.991982923674, 0.970995283635, 0.873780304695, 0.599563003293], [634, 271, 782]),
        "censored": ([0.944444444444, 0.944444444444, 0.876984126984, 0.639467592593],
                     [0.666390168335, 0.666390168335, 0.587970529378, 0.328563855041],
                     [0.991982923674, 0.991982923674, 0.968075649325, 0.835591941961], [816, 546, 1438])}
    for reading, (value, lower, upper, median) in wanted.items():
        for suffix, numbers in (("", value), (" lower", lower), (" upper", upper)):
            assert made.loc[reading, [f"{time}{suffix}" for time in times]].tolist() == pytest.approx(
                [100 * one for one in numbers], rel=1e-9)
        assert made.loc[reading, ["median", "median lower", "median upper"]].tolist() == median
    # R: cmprsk 2.2-11, timepoints(cuminc(time, code), ...)$est
    assert made.loc["stopped in remission", times].tolist() == pytest.approx(
        [5.55555555556, 5.55555555556, 11.1111111111, 27.7777777778], rel=1e-9)


def test_results_and_sentence(default):
    table = persistence.persistence_table(*default)
    rows = frame(persistence.persistence_results(table, default[2]))
    one = rows.set_index("result_id").loc[f"persistence.{IFN}.ifn_evaluable.IFN+IM.on_drug[12 months]"]
    assert (one["n"], one["events"], one["unit"]) == (18, 18, "%")
    assert "median time on the drug 1.74 years (95% CI 0.74 to 2.14) when every end counts" in \
        dose_sentences.persistence(rows)


def test_without_doses_there_is_nothing():
    assert persistence.persistence_table(EMPTY, ADSL, STUDY).empty
    assert persistence.ends_table(EMPTY, ADSL, STUDY).empty
    assert persistence.persistence_results(pd.DataFrame(columns=["reading"]), STUDY) == []
    assert dose_sentences.persistence(frame([])) == ""
