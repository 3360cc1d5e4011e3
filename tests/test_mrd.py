"""Markers against relapse. Expected numbers: R 4.2.2 (survival 3.5-3, coin 1.4-2), closed forms, published formulas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from survival_examples import AML
from test_adam_admrd import STUDY, admrd, subjects

from remission import mrd, results, schema
from remission.adam.admk import derive_admk
from remission.adam.admrd import DEFAULTS
from remission.adam.adtv import derive_adtv
from remission.mrd import evidence
from remission.mrd.markers import MARKERS, contrast_width
from remission.study import Arm, Study


class TestEvidence:
    def test_schoenfeld(self):
        # Schoenfeld 1983: D = (1.959964 + 0.841621)^2 / (0.25 * ln(2)^2) = 65.34; 12 events, 26 against 16: 13%
        assert evidence.events_needed(2) == pytest.approx(65.345, abs=0.01)
        assert evidence.power(12, 26 / 16) == pytest.approx(0.1319, abs=1e-3)
        assert evidence.power(12, 16 / 26) == evidence.power(12, 26 / 16)
        assert evidence.detectable(12) == pytest.approx(5.04, abs=0.01)
        assert evidence.power(evidence.events_needed(3, 0.2), 3, 0.2) == pytest.approx(0.8)

    def test_undefined(self):
        assert all(
            math.isnan(one) for one in (evidence.power(0, 2), evidence.events_needed(1), evidence.detectable(5, 0))
        )

    @pytest.mark.parametrize(
        ("lower", "upper", "said"),
        [
            (1.01, 90, "evidence for"),
            (0.1, 0.99, "evidence for the reverse"),
            (0.5, 2, "evidence against"),
            (0.49, 1.5, "no evidence either way"),
            (0.8, 2.01, "no evidence either way"),
            (math.nan, math.nan, "not estimable"),
        ],
    )
    def test_verdict_at_its_boundaries(self, lower, upper, said):
        assert evidence.verdict(lower, upper, (0.5, 2)) == said

    def test_both_readings(self):
        read = evidence.readings({"good": 16, "poor": 26}, 12, 0.5, (0.7, 3.1))
        assert read["hazard_ratio"].tolist() == pytest.approx([16 / 26, 26 / 16])
        assert read["inside_interval"].tolist() == ["N", "Y"] and read["power"][0] == read["power"][1]


def outcome(time, event, arm="A"):
    return pd.DataFrame({"patient": [f"p{n + 1}" for n in range(len(time))], "arm": arm, "time": time, "event": event})


def known(**columns):
    patients = len(next(iter(columns.values())))
    blank = {marker.column: [None] * patients for marker in MARKERS}
    return pd.DataFrame(blank | {"USUBJID": [f"p{n + 1}" for n in range(patients)]} | columns)


class TestMarkers:
    def test_split_at_the_median(self):
        level = next(one for one in MARKERS if one.key == "level_at_start")
        frame = mrd.marker_frame(outcome([1, 2, 3, 4], True), known(LVLSTART=[-3.0, -2.0, -1.0, None]), level)
        assert frame["group"].tolist() == ["good", "good", "poor"] and frame["risk"].tolist() == [-3, -2, -1]

    def test_more_cycles_are_the_favourable_side(self):
        cycles = next(one for one in MARKERS if one.key == "cycles")
        frame = mrd.marker_frame(outcome([1, 2, 3], True), known(NCYCLES=[2, 4, 6]), cycles)
        assert frame["group"].tolist() == ["poor", "poor", "good"] and frame["risk"].tolist() == [-2, -4, -6]

    def test_most_at_the_highest_value_leaves_no_side_empty(self):
        level = next(one for one in MARKERS if one.key == "level_at_start")
        frame = mrd.marker_frame(outcome([1, 2, 3], True), known(LVLSTART=[1.0, 2.0, 2.0]), level)
        assert frame["group"].tolist() == ["good", "poor", "poor"]

    def test_all_alike_is_reported_as_not_estimable(self):
        rows = mrd.analyse_markers(outcome([1, 2, 3], True), known(EVERNEG=["Y"] * 3), STUDY, seed=1, permutations=9)
        found = rows.set_index("statistic")["display"]
        assert found["verdict"] == "not estimable"
        assert found["HR"] == "not estimable: no event fell while patients at risk differed"
        assert found["permutation_p"] == "not estimable: all patients are in one group"
        assert "median[poor]" not in found

    def test_arms(self):
        two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
        both = outcome([1, 2], True, arm=["A", "B"])
        assert mrd.arms_to_test(both, known(MUTFL=["Y", "N"]), two) == ["A", "all"]
        assert mrd.arms_to_test(both, known(MUTFL=[None, "N"]), two) == ["B"]
        assert mrd.arms_to_test(both, known(MUTFL=[None, None]), two) == []

    def test_width_of_a_flat_marker(self):
        assert contrast_width(pd.Series([1.0, 1, 1, 1, 9]), MARKERS[2]) == 1


@pytest.fixture(scope="module")
def rows():
    """Remission on aml, its group as a response; a number of cycles that has nothing to do with it."""
    time, event, x = AML
    admk = known(RESP6M=["N" if one else "Y" for one in x], NCYCLES=[3 + one % 4 for one in range(len(x))])
    return mrd.analyse_markers(
        outcome(time, [bool(one) for one in event]), admk, STUDY, seed=1, permutations=999, bootstraps=100
    )


class TestReport:
    def test_known_medians_and_tests(self, rows):
        # R: survfit(conf.type = "log-log"): 31 [13, NA] maintained, 23 [5, 33] not; survdiff p = 0.06533932204051
        def pick(statistic):
            return results.pick(rows, f"mrd.response6m.all.A.{statistic}")

        assert pick("median[good]")[["value", "lower"]].tolist() == [31, 13] and math.isnan(
            pick("median[good]")["upper"]
        )
        assert pick("median[poor]")[["value", "lower", "upper"]].tolist() == [23, 5, 33]
        assert pick("p")["value"] == pytest.approx(0.06533932204051)
        assert pick("HR")["value"] == pytest.approx(math.exp(0.8800692123373), rel=1e-7)  # R, Efron ties
        assert (pick("HR")["n"], pick("HR")["events"]) == (23, 18)
        assert pick("detectable_HR")["value"] == pytest.approx(evidence.detectable(18, 11 * 12 / 23**2))

    def test_interquartile_ratio_is_a_power_of_the_ratio_per_unit(self, rows):
        unit, wide = (results.pick(rows, f"mrd.cycles.all.A.{name}")["value"] for name in ("HR", "HR[IQR]"))
        assert wide == pytest.approx(unit**1.5)  # quartiles of six 3s, 4s and 5s and five 6s: 3.5 and 5

    def test_tables_have_one_row_a_group_and_comparison(self, rows):
        assert mrd.table(rows)["patients"].tolist()[:2] == [11, 12]
        assert mrd.estimates(rows)["comparison"].tolist() == [
            "no response against response",
            "per cycle fewer",
            "per interquartile range",
            "at most the median against above the median",
        ]

    def test_words_follow_the_verdicts(self, rows):
        assert "No evidence either way" in mrd.in_words(rows) and "absence of evidence" in mrd.in_words(rows)

    def test_printed_medians_in_both_directions(self, rows):
        claims = pd.DataFrame(
            {
                "result_id": ["mrd.response6m.all.A.median[good]", "mrd.response6m.all.A.median[poor]"],
                "printed": ["16", "26"],
                "unit": "month",
            }
        )
        read = mrd.printed_readings(claims, rows, STUDY)
        assert read["reading"].tolist() == ["as printed", "reversed"]
        assert results.pick(mrd.reading_rows(read), "printed.response6m.all.A.HR[reversed]")["value"] == pytest.approx(
            1.625
        )
        assert "0.62" in mrd.readings_in_words(read) and "1.63" in mrd.readings_in_words(read)


NEGATIVE = ("PB", "NEGATIVE", None, 50_000, 0.005)


def positive(ratio=0.5):
    return ("PB", "QUANTIFIED", ratio, 50_000, 0.005)


class TestCourse:
    @pytest.mark.parametrize(
        ("days", "relapse", "expected"),
        [
            ((0, 90, 183), None, "Y"),
            ((0, 90, 182), None, "N"),
            ((0, 183), None, "N"),
            ((0, 90, 183), 367, "Y"),
            ((0, 90, 183), 366, "N"),
        ],
    )
    def test_prolonged_positivity_at_its_boundaries(self, days, relapse, expected):
        adsl = subjects(RELDY=[relapse], STATUS=["relapse" if relapse else "ongoing remission"])
        runs = mrd.positive_runs(admrd(*(("p1", day, *positive()) for day in days), adsl=adsl), adsl, STUDY)
        assert runs["PROLONGED"].tolist() == [expected]

    def test_a_negative_sample_breaks_a_run(self):
        adsl = subjects(STATUS=["ongoing remission"], RELDY=[None])
        made = admrd(*(("p1", day, *positive()) for day in (0, 90, 200)), ("p1", 100, *NEGATIVE), adsl=adsl)
        assert mrd.positive_runs(made, adsl, STUDY)[["FIRSTDY", "LASTDY", "SAMPLES"]].to_numpy().tolist() == [
            [0, 90, 2],
            [200, 200, 1],
        ]

    def test_rise_of_one_log_above_the_lowest_earlier_level(self):
        adsl = subjects()
        made = admrd(
            ("p1", -20, *positive(0.3)),
            ("p1", 100, *positive(0.02)),
            ("p1", 200, *positive(0.19)),
            ("p1", 300, *positive(0.2)),
            ("p1", 350, *positive(5)),
            adsl=adsl,
        )
        found = mrd.rises(made, adsl, STUDY).iloc[0]
        assert found[["PREVDY", "RISEDY", "LEADMIN", "LEADMAX"]].tolist() == [200, 300, 100, 200]

    def test_a_sample_of_the_day_of_relapse_foretells_nothing(self):
        adsl = subjects()
        made = admrd(("p1", 10, *NEGATIVE), ("p1", 400, *positive()), adsl=adsl)
        assert mrd.rises(made, adsl, STUDY)["RISEDY"].isna().all() and mrd.positive_runs(made, adsl, STUDY).empty

    def test_a_limit_stands_in_for_a_level_below_it(self):
        adsl = subjects()
        made = admrd(("p1", 10, *NEGATIVE), ("p1", 50, *positive(0.049)), ("p1", 90, *positive(0.05)), adsl=adsl)
        assert mrd.rises(made, adsl, STUDY)["RISEDY"].tolist() == [90]

    def test_no_rise_no_lead(self):
        adsl = subjects()
        found = mrd.rises(
            admrd(("p1", 10, *NEGATIVE), ("p1", 50, "PB", "PNQ", None, 50_000, 0.005), adsl=adsl), adsl, STUDY
        )
        assert found["RISEDY"].isna().all() and found["LASTPOS"].tolist() == ["Y"]

    def test_rates_count_each_day_once(self):
        # R: poisson.test(1, T)$conf.int = (0.02531781, 5.571643) / T; for 0 the upper limit is 3.688879 / T
        adsl = subjects()
        made = admrd(("p1", 0, *NEGATIVE), ("p1", 100, *positive()), adsl=adsl)
        found = mrd.rates(derive_adtv(made, adsl), STUDY).set_index("state")
        assert found["years"].tolist() == pytest.approx([100 / 365.25, 300 / 365.25])
        assert found.loc["negative", ["lower", "upper"]].tolist() == pytest.approx(
            [0, 368.8879 * 365.25 / 100], rel=1e-5
        )
        assert found.loc["positive", ["lower", "upper"]].tolist() == pytest.approx(
            [2.531781 * 365.25 / 300, 557.1643 * 365.25 / 300], rel=1e-5
        )

    def test_results(self):
        adsl = subjects(USUBJID=["p1", "p2"], STATUS=["relapse", "ongoing remission"], RELDY=[400, None])
        made = admrd(*((name, day, *positive()) for name in ("p1", "p2") for day in (0, 100, 390)), adsl=adsl)
        found = mrd.analyse_course(made, adsl, derive_adtv(made, adsl), derive_admk({}, adsl, made, STUDY), STUDY)
        prolonged = results.pick(found, "prolonged.-.mrd_evaluable.A.patients")
        assert (prolonged["value"], prolonged["n"]) == (1, 2)
        assert results.pick(found, "rise.-.relapsed.A.patients")["value"] == 0

    def test_coverage_counts_every_sample(self):
        found = mrd.coverage(
            admrd(("p1", -9, *NEGATIVE), ("p1", -9, *positive()), ("p1", -3, "PB", "NEGATIVE", None, 9, 0.01))
        )
        assert found[["samples", "quantified", "negative", "insufficient", "analysed"]].to_numpy().tolist() == [
            [3, 1, 1, 1, 1]
        ]


def test_without_any_marker_or_sample():
    empty = {name: schema.empty(schema.ANALYSIS[name]) for name in ("adsl", "admrd", "adtv", "admk")}
    rows = mrd.analyse_markers(outcome([], []), empty["admk"], STUDY, seed=1)
    course = mrd.analyse_course(empty["admrd"], empty["adsl"], empty["adtv"], empty["admk"], STUDY)
    assert rows.empty and course.empty and mrd.table(rows).empty and mrd.estimates(rows).empty
    assert mrd.coverage(empty["admrd"]).empty and mrd.availability(outcome([], []), empty["admk"], STUDY).empty


@pytest.mark.parametrize("sample", [NEGATIVE, positive()])
def test_all_negative_and_all_positive_cohorts_run(sample):
    adsl = subjects(USUBJID=["p1", "p2", "p3"], RELDY=[200, 300, 400])
    made = admrd(*((name, day, *sample) for name in adsl["USUBJID"] for day in (-200, 0, 150)), adsl=adsl)
    admk = derive_admk({}, adsl, made, STUDY)
    rows = mrd.analyse_markers(outcome([200, 300, 400], True), admk, STUDY, seed=1, permutations=9, bootstraps=9)
    assert set(rows.loc[rows["statistic"] == "verdict", "display"]) == {"not estimable"}
    assert len(mrd.rates(derive_adtv(made, adsl), STUDY)) == 1


def test_a_strong_marker_is_seen_and_a_null_one_is_ruled_out_only_when_relapses_abound():
    random = np.random.default_rng(5)

    def said(patients, ratio):
        poor = random.random(patients) < 0.5
        time = np.ceil(random.exponential(900 / np.where(poor, ratio, 1)))
        admk = known(EVERNEG=np.where(poor, "N", "Y"))
        rows = mrd.analyse_markers(outcome(time, True), admk, STUDY, seed=1, permutations=9, bootstraps=0)
        return results.pick(rows, "mrd.ever_negative.all.A.verdict")["display"]

    assert [said(300, 3), said(1000, 1), said(19, 1)] == ["evidence for", "evidence against", "no evidence either way"]


def test_definitions_say_the_numbers_of_the_study():
    words = mrd.definitions(Study("demo", "own", "", "", (), mrd={"response_ratio": 0.02}))
    assert "0.02%" in words and all(str(one) in words for one in DEFAULTS["start_window_days"])
    lines = words.splitlines()
    assert all(one.startswith("- **") for one in lines) and len(lines) == len(set(lines)) >= 10
