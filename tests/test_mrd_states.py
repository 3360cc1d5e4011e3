"""MRD states over time. Expected numbers: R 4.2.2 (survival 3.5-3), hand counts, and the definitions as plain loops."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_adam_admrd import STUDY, admrd, samples, subjects

from remission import mrd, results, schema, store
from remission.adam.admk import derive_admk
from remission.adam.admrd import derive_admrd
from remission.adam.adtv import derive_adtv
from remission.mrd.course import lowest_before
from remission.mrd.states import TRANSITION_COLUMNS
from remission.study import Arm, Study
from remission.study import read as read_study

NEGATIVE = ("PB", "NEGATIVE", None, 50_000, 0.005)
BLIND = ("PB", "NEGATIVE", None, 50_000, 0.05)
PNQ = ("PB", "PNQ", None, 50_000, 0.005)
POOR = ("PB", "NEGATIVE", None, 900, 0.005)
RISE = Study("demo", "own", "", "", (Arm("A", "A"),), mrd={"molecular_relapse": "rise"})


def positive(ratio=0.5):
    return ("PB", "QUANTIFIED", ratio, 50_000, 0.005)


def course(*rows, **columns):
    adsl = subjects(**columns)
    made = admrd(*rows, adsl=adsl)
    return made, adsl, derive_adtv(made, adsl)


class TestStateOn:
    def test_a_sample_of_the_day_counts_and_one_of_tomorrow_does_not(self):
        *_, adtv = course(("p1", 0, *NEGATIVE), ("p1", 90, *positive()), ("p1", 200, *PNQ))
        found = mrd.state_on(adtv, [89, 90, 91, 200])
        assert found["CATEGORY"].tolist() == ["complete", "failure", "failure", "intermediate"]
        assert found["AGE"].tolist() == [89, 0, 1, 0]

    def test_nobody_counts_from_the_last_day_on(self):
        *_, adtv = course(("p1", 0, *NEGATIVE))
        assert mrd.state_on(adtv, [399])["DAY"].tolist() == [399] and mrd.state_on(adtv, [400, 500]).empty

    def test_before_the_first_sample_the_state_is_unknown(self):
        *_, adtv = course(("p1", 50, *NEGATIVE))
        found = mrd.state_on(adtv, [0, 50])
        assert found["CATEGORY"].tolist() == ["unknown", "complete"] and found["AGE"].tolist() == [pd.NA, 0]

    def test_no_day_asked(self):
        assert mrd.state_on(course(("p1", 50, *NEGATIVE))[2], []).empty


class TestOccupancy:
    def test_counts(self):
        # Month 3 is day 91: p1 failed on day 91 itself, p2 relapsed on day 91 and is gone, p3 was never sampled.
        *_, adtv = course(
            ("p1", -10, *NEGATIVE), ("p1", 91, *positive()), ("p2", 0, *PNQ), ("p3", 1, *POOR),
            USUBJID=["p1", "p2", "p3"], RELDY=[400, 91, 400],
        )  # fmt: skip
        found = mrd.occupancy(adtv, STUDY, [0, 3])
        assert found.iloc[:, 1:7].to_numpy().tolist() == [[0, 3, 1, 1, 0, 1], [3, 2, 0, 0, 1, 1]]
        assert found["median_age"].tolist() == [5, 0]

    def test_months_are_the_landmarks_of_the_study(self):
        *_, adtv = course(("p1", 0, *NEGATIVE))
        own = Study("demo", "own", "", "", (Arm("A", "A"),), mrd={"landmarks": [2, 4]})
        assert mrd.occupancy(adtv, own)["month"].tolist() == [0, 2, 4]

    def test_an_arm_that_is_gone_has_zeros(self):
        *_, adtv = course(("p1", 0, *NEGATIVE), RELDY=[30])
        found = mrd.occupancy(adtv, STUDY, [0, 3])
        assert found["in_remission"].tolist() == [1, 0] and math.isnan(found["median_age"].tolist()[1])


class TestTransitions:
    @pytest.fixture
    def found(self):
        made = mrd.transitions(store.read("ash2012_reconstructed", "adtv"), read_study("ash2012_reconstructed"))
        return made.set_index(["arm", "state", "next"]).sort_index()

    def test_against_r(self, found):
        # R: survival::survcheck(Surv(TSTART, TSTOP, event) ~ 1, id = USUBJID, istate = state)$transitions by arm, rows
        # complete, intermediate, failure; columns complete, intermediate, failure, relapse, death, censored
        expected = {
            "IM": [[0, 2, 3, 0, 0, 2], [2, 0, 1, 1, 0, 0], [1, 1, 0, 9, 0, 0]],
            "IFN+IM": [[0, 5, 3, 1, 1, 2], [6, 0, 11, 0, 1, 1], [0, 12, 0, 11, 2, 0]],
        }
        order = ["complete", "intermediate", "failure", "relapse", "death in remission", "last contact"]
        for arm, table in expected.items():
            for state, counts in zip(order[:3], table, strict=True):
                mine = found["count"].xs((arm, state), level=(0, 1)).reindex(order, fill_value=0)
                assert mine.tolist() == counts

    def test_years_against_r(self, found):
        # R: tapply((TSTOP - TSTART) / 365.25, CATEGORY, sum) of the same table
        years = found["years"].groupby(level=[0, 1]).first()
        assert years["IM"][["complete", "failure", "intermediate"]].tolist() == pytest.approx(
            [16.11498973306, 5.31143052704, 1.93839835729], rel=1e-11
        )
        assert years["IFN+IM"][["complete", "failure", "intermediate"]].tolist() == pytest.approx(
            [35.84668035592, 23.47980835044, 6.68583162218], rel=1e-11
        )

    def test_rate_with_limits_against_r(self):
        # R: poisson.test(1, 100 / 365.25) times 100: 365.25 (9.247308, 2035.026)
        *_, adtv = course(("p1", 0, *NEGATIVE), ("p1", 100, *positive()))
        row = mrd.transitions(adtv, STUDY).set_index(["state", "next"]).loc[("complete", "failure")]
        assert row[["rate", "lower", "upper"]].tolist() == pytest.approx(
            [365.25, 100 * 0.02531780798429 * 3.6525, 100 * 5.571643390938 * 3.6525], rel=1e-10
        )

    def test_a_confirming_sample_is_no_transition(self):
        *_, adtv = course(*(("p1", day, *NEGATIVE) for day in (0, 50, 100)))
        assert mrd.transitions(adtv, STUDY)[["state", "next", "count"]].to_numpy().tolist() == [
            ["complete", "relapse", 1]
        ]

    def test_every_patient_ends_once(self):
        *_, adtv = course(
            *((f"p{n}", day, *NEGATIVE) for n in (1, 2, 3) for day in (0, 90)),
            USUBJID=["p1", "p2", "p3"], STATUS=["relapse", "death in remission", "ongoing remission"],
            RELDY=[400, None, None], DTHDY=[None, 300, None], LSTALVDY=[900, 300, 700],
        )  # fmt: skip
        found = mrd.transitions(adtv, STUDY)
        assert found["next"].tolist() == ["relapse", "death in remission", "last contact"]
        assert found["count"].tolist() == [1, 1, 1] and found["rate"].isna().tolist() == [False, False, True]

    def test_nothing_gives_no_row(self):
        made = mrd.transitions(schema.empty(schema.ANALYSIS["adtv"]), STUDY)
        assert made.empty and list(made) == TRANSITION_COLUMNS


def test_rates_by_sign_are_as_before_the_categories_came():
    # Intermediate and failure are the positive samples here, so the relapses and years of both add up to those.
    study, adtv = read_study("ash2012_reconstructed"), store.read("ash2012_reconstructed", "adtv")
    by_sign = mrd.rates(adtv, study).set_index(["arm", "state"])
    by_category = mrd.transitions(adtv, study).set_index(["arm", "state", "next"]).sort_index()
    by_category = by_category.xs("relapse", level="next")
    for arm in study.arm_keys:
        positive = by_category.loc[[(arm, "intermediate"), (arm, "failure")]]
        assert by_sign.loc[(arm, "positive"), "relapses"] == positive["count"].sum()
        assert by_sign.loc[(arm, "positive"), "years"] == pytest.approx(positive["years"].sum(), rel=1e-12)


def molecular(*rows, study=STUDY, **columns):
    made, adsl, _ = course(*rows, **columns)
    return mrd.molecular_relapse(made, adsl, study).set_index("DEFINITION")


class TestMolecularRelapse:
    def test_two_positive_in_a_row_after_a_complete_sample(self):
        found = molecular(("p1", 10, *NEGATIVE), ("p1", 50, *PNQ), ("p1", 90, *positive()), ("p1", 120, *positive()))
        row = found.loc["two positive"]
        assert row[["COMPLDY", "PREVDY", "ONSETDY", "MRELDY", "ENDDY", "LEADMIN", "LEADMAX"]].tolist() == [
            10, 10, 50, 90, 400, 310, 390
        ]  # fmt: skip

    def test_the_study_names_the_one_it_rests_on(self):
        rows = [("p1", 10, *NEGATIVE), ("p1", 50, *PNQ)]
        assert molecular(*rows)["USED"].to_dict() == {"two positive": "Y", "rise": "N"}
        assert molecular(*rows, study=RISE)["USED"].to_dict() == {"two positive": "N", "rise": "Y"}

    @pytest.mark.parametrize(
        ("nadir", "ratio", "met"),
        [
            (0.005, 0.05, True),
            (0.005, 0.0499, False),
            (0.001, 0.01, True),
            (0.0005, 0.0099, False),
            (0.01, 0.1, True),
        ],
    )
    def test_rise_of_one_log_to_the_ratio_of_failure(self, nadir, ratio, met):
        complete = ("PB", "NEGATIVE", None, 250_000, nadir)
        row = molecular(("p1", 10, *complete), ("p1", 60, *positive(ratio))).loc["rise"]
        assert pd.notna(row["MRELDY"]) == met
        assert not met or row[["PREVDY", "ONSETDY", "MRELDY"]].tolist() == [10, 60, 60]

    def test_nobody_without_a_complete_sample_is_at_risk(self):
        assert molecular(("p1", 10, *positive()), ("p1", 60, *PNQ), ("p1", 90, *BLIND)).empty

    def test_a_complete_sample_starts_anew(self):
        row = molecular(("p1", 10, *NEGATIVE), ("p1", 60, *PNQ), ("p1", 90, *NEGATIVE), ("p1", 120, *PNQ))
        assert row["MRELDY"].isna().all()

    def test_an_insensitive_negative_breaks_the_pair_and_an_insufficient_sample_does_not(self):
        blind = molecular(("p1", 10, *NEGATIVE), ("p1", 60, *PNQ), ("p1", 90, *BLIND), ("p1", 120, *PNQ))
        poor = molecular(("p1", 10, *NEGATIVE), ("p1", 60, *PNQ), ("p1", 90, *POOR), ("p1", 120, *PNQ))
        assert pd.isna(blind.loc["two positive", "MRELDY"]) and poor.loc["two positive", "MRELDY"] == 120

    def test_in_relapse_at_the_origin_is_not_at_risk_until_complete_again(self):
        before = [("p1", -90, *NEGATIVE), ("p1", -60, *PNQ), ("p1", -30, *PNQ)]
        assert "two positive" not in molecular(*before, ("p1", 30, *PNQ)).index
        again = molecular(*before, ("p1", 30, *NEGATIVE), ("p1", 60, *PNQ), ("p1", 90, *PNQ))
        assert again.loc["two positive", "MRELDY"] == 90

    def test_a_pair_that_straddles_the_origin_counts(self):
        row = molecular(("p1", -60, *NEGATIVE), ("p1", -9, *PNQ), ("p1", 0, *PNQ)).loc["two positive"]
        assert row[["COMPLDY", "PREVDY", "ONSETDY", "MRELDY"]].tolist() == [-60, -60, -9, 0]

    def test_the_sample_of_the_day_of_relapse_does_not_count(self):
        found = molecular(("p1", 10, *NEGATIVE), ("p1", 350, *PNQ), ("p1", 400, *positive(50)))
        assert found["MRELDY"].isna().all()

    def test_samples_before_the_first_remission_do_not_count(self):
        assert molecular(("p1", -290, *NEGATIVE), ("p1", 60, *PNQ), ("p1", 90, *PNQ), CRDY=[-250]).empty


DRAWN = st.lists(
    st.tuples(st.integers(-120, 399), st.sampled_from([NEGATIVE, BLIND, PNQ, POOR, *map(positive, (0.005, 0.05, 5))])),
    max_size=9, unique_by=lambda one: one[0],
)  # fmt: skip


def course_of(patients):
    """First day of molecular relapse by patient and definition, all patients in one table."""
    names = [f"p{number}" for number in range(len(patients))]
    rows = [(name, day, *sample) for name, drawn in zip(names, patients, strict=True) for day, sample in drawn]
    adsl = subjects(USUBJID=names)
    found = mrd.molecular_relapse(admrd(("p0", 1, *POOR), *rows, adsl=adsl), adsl, STUDY)
    days = found["MRELDY"].astype(object).where(found["MRELDY"].notna(), None)
    return dict(zip(zip(found["USUBJID"], found["DEFINITION"], strict=True), days, strict=True))


def by_hand(drawn, definition):
    """The definitions as loops over one patient: first day from the origin on, or None; `out` when not at risk."""
    kept = sorted((day, sample) for day, sample in drawn if sample != POOR)
    level = {POOR: None, NEGATIVE: 0.005, BLIND: 0.05, PNQ: 0.005}
    at_risk, episode, since = False, "none yet", None
    for number, (day, sample) in enumerate(kept):
        if sample == NEGATIVE:
            until = next((later for later, one in kept[number + 1:] if one == NEGATIVE), 400)
            since, episode = [(day, sample)], "none yet"
            course_days = [one for one in kept if day < one[0] < until]
            for later, one in course_days:
                shown = level.get(one, one[2])
                if definition == "two positive":
                    met = one not in (NEGATIVE, BLIND) and since[-1][1] not in (NEGATIVE, BLIND)
                else:
                    lowest = min(level.get(earlier, earlier[2]) for _, earlier in since)
                    met = one[1] == "QUANTIFIED" and one[2] >= 0.01 and shown >= lowest * 10 * (1 - 1e-9)
                if met:
                    episode = later
                    break
                since.append((later, one))
            in_time = until > 0 and (episode == "none yet" or episode >= 0)
            at_risk = at_risk or in_time
            if in_time and episode != "none yet":
                return episode
    return None if at_risk else "out"


@settings(max_examples=20, deadline=None)
@given(st.lists(DRAWN, min_size=6, max_size=6))
def test_molecular_relapse_is_what_the_definitions_say(patients):
    found = course_of(patients)
    for number, drawn in enumerate(patients):
        for definition in ("two positive", "rise"):
            assert found.get((f"p{number}", definition), "out") == by_hand(drawn, definition)


@settings(max_examples=10, deadline=None)
@given(st.lists(DRAWN, min_size=6, max_size=6), st.lists(DRAWN, min_size=6, max_size=6), st.integers(0, 398))
def test_a_molecular_relapse_never_depends_on_what_came_later(patients, later, today):
    past = [[(-130, NEGATIVE), *(one for one in drawn if one[0] <= today)] for drawn in patients]
    whole = [[*before, *(one for one in after if one[0] > today)] for before, after in zip(past, later, strict=True)]
    one, other = course_of(past), course_of(whole)
    for key in set(one) & set(other):
        known = [day if day is not None and day <= today else None for day in (one[key], other[key])]
        assert known[0] == known[1]


class TestRises:
    def test_a_sample_without_a_level_hides_no_nadir(self):
        made, adsl, _ = course(
            ("p1", 10, *positive(0.01)), ("p1", 50, "PB", "PNQ", None, None, None), ("p1", 90, *positive(0.1))
        )
        assert mrd.rises(made, adsl, STUDY)["RISEDY"].tolist() == [90]

    def test_lowest_before_stays_with_its_patient(self):
        found = lowest_before(pd.Series([-3.0, None, -1.0, None, 0.0]), pd.Series(["a", "a", "b", "b", "b"]))
        assert found.tolist() == pytest.approx([np.nan, -3, np.nan, -1, -1], nan_ok=True)


class TestDepth:
    def test_best_by_patient_and_period(self):
        made, adsl, _ = course(
            ("p1", -300, "BM", "QUANTIFIED", 50.0, 50_000, 0.002),
            ("p1", -100, "BM", "QUANTIFIED", 0.05, 50_000, 0.002),
            ("p1", -50, "BM", "QUANTIFIED", 0.5, 50_000, 0.002),
            ("p1", 20, *PNQ),
            ("p1", 60, "PB", "NEGATIVE", None, 50_000, 0.002),
            ("p1", 90, "PB", "NEGATIVE", None, 50_000, 0.002),
            CRDY=[-250],
        )
        found = mrd.best_depth(made, adsl).set_index("PERIOD")
        assert found.loc["FRONTLINE", ["SAMPLES", "DEPTH", "DEPTHDY", "LOGREDST", "LOGREDDY"]].tolist() == [
            2, "MMR", -100, "QUANTIFIED", -100
        ]  # fmt: skip
        assert found.loc["FRONTLINE", "LOGRED"] == pytest.approx(3)
        assert found.loc["MAINTENANCE", ["SAMPLES", "DEPTH", "DEPTHDY", "LOGREDST"]].tolist() == [
            3, "MR4.5", 60, "NEGATIVE"
        ]  # fmt: skip
        assert found.loc["MAINTENANCE", "LOGRED"] == pytest.approx(np.log10(50 / 0.002))

    def test_unknown_only_where_nothing_could_tell(self):
        made, adsl, _ = course(("p1", 9, "PB", "NEGATIVE", None, None, 0.5), ("p1", 40, *positive(9)))
        found = mrd.best_depth(made, adsl)
        assert found["DEPTH"].tolist() == ["none"] and found["LOGREDST"].isna().all()
        made, adsl, _ = course(("p1", 9, "PB", "NEGATIVE", None, None, 0.5))
        assert mrd.best_depth(made, adsl)["DEPTH"].tolist() == ["unknown"]

    def test_categories_leave_out_diagnosis_and_what_came_after_relapse(self):
        made, adsl, _ = course(
            ("p1", -300, *positive(50)), ("p1", -20, *NEGATIVE), ("p1", 20, *PNQ), ("p1", 30, *POOR), ("p1", 400, *PNQ),
        )  # fmt: skip
        assert mrd.categories(made, adsl, STUDY).to_numpy().tolist() == [
            ["A", "FRONTLINE", 1, 1, 1, 0, 0], ["A", "MAINTENANCE", 1, 1, 0, 1, 0]
        ]  # fmt: skip


class TestResults:
    def test_counts_and_denominators(self):
        # R: binom.test(1, 2)$conf.int = 0.0125791, 0.9874209
        made, adsl, adtv = course(
            ("p1", 0, *NEGATIVE), ("p1", 90, *PNQ), ("p1", 150, *PNQ), ("p2", 0, *positive()),
            USUBJID=["p1", "p2"],
        )  # fmt: skip
        rows = mrd.analyse_states(made, adsl, adtv, STUDY)
        deep = results.pick(rows, "depth.-.maintenance.A.patients[MR4 or deeper]")
        assert (deep["value"], deep["n"]) == (1, 2)
        assert [deep["lower"], deep["upper"]] == pytest.approx([1.25791, 98.74209], abs=1e-5)
        gone = results.pick(rows, "molecular_relapse.-.mrd_complete.A.patients[two positive]")
        assert (gone["value"], gone["n"], gone["events"]) == (1, 1, 1)
        assert results.pick(rows, "category.-.maintenance.A.samples[failure]")["display"] == "1 of 4 samples (25.0%)"
        assert results.pick(rows, "state.-.in_remission.A.patients[complete at 0 months]")["value"] == 1
        assert results.pick(rows, "state.TTRLP.in_remission.A.rate[failure]")["events"] == 1

    def test_words_name_every_arm_with_follow_up(self):
        made, adsl, adtv = course(("p1", 200, *NEGATIVE))
        rows = mrd.analyse_states(made, adsl, adtv, STUDY)
        assert mrd.states_in_words(rows, adtv, STUDY).startswith("**A.** The state is known for 50.0%")
        said = mrd.molecular_in_words(mrd.molecular_relapse(made, adsl, STUDY), STUDY)
        assert said == "\n".join(f"- **A, {name}.** 0 of 1 patients at risk met the definition."
                                 for name in ("two positive", "rise"))

    def test_without_samples_there_is_one_sentence_and_no_row(self):
        empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl", "adtv")]
        assert mrd.analyse_states(*empty, STUDY).empty
        assert mrd.states_in_words(results.frame([]), empty[2], STUDY).count(".") == 1


ARMS = tuple(Arm(key, key, reference=key == "A") for key in "ABC")
LEVELS = [positive(20), positive(0.05), PNQ, NEGATIVE]


def cohort(sample, days, patients=9, arms=3, **columns):
    names = [f"p{n}" for n in range(patients)]
    given = {"USUBJID": names, "TRT01A": ["ABC"[n % arms] for n in range(patients)],
             "RELDY": [200 + 30 * n for n in range(patients)]}  # fmt: skip
    adsl = subjects(**(given | columns))
    clean = samples(*((name, day, *sample(n + day)) for n, name in enumerate(names) for day in days))
    return clean, adsl


@pytest.mark.parametrize(
    ("clean", "adsl"),
    [
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-290, -100, 0, 90, 180)), id="three arms"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-290, 0, 90), arms=1), id="one arm"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (0,)), id="one sample a patient"),
        pytest.param(*cohort(lambda n: NEGATIVE, (-100, 0, 90)), id="all negative"),
        pytest.param(*cohort(lambda n: positive(), (-100, 0, 90)), id="all positive"),
        pytest.param(*cohort(lambda n: POOR, (-100, 0, 90)), id="all insufficient"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-100, 0, 90), STATUS=["ongoing remission"] * 9,
                             RELDY=[None] * 9), id="no relapse"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (450, 500)), id="only samples after relapse"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-290, -280)), id="only samples at diagnosis"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-100, 0, 90), DXDY=[None] * 9), id="no day of diagnosis"),
        pytest.param(*cohort(lambda n: LEVELS[n % 4], (-100, 0, 90), TTEFL=["N"] * 9), id="nobody evaluable"),
    ],
)
@pytest.mark.parametrize("missing", [(), ("source",), ("source", "laboratory", "abl_copies", "detection_limit")])
def test_every_kind_of_cohort_runs(clean, adsl, missing):
    study = Study("demo", "own", "", "", ARMS)
    made = derive_admrd({"mrd": clean.drop(columns=list(missing))}, adsl, study)
    adtv = derive_adtv(made, adsl)
    derive_admk({}, adsl, made, study)
    rows = mrd.analyse_states(made, adsl, adtv, study)
    found = mrd.molecular_relapse(made, adsl, study)
    assert rows["display"].str.len().gt(0).all() and rows["value"].notna().all()
    assert len(mrd.states_in_words(rows, adtv, study)) > 20 and len(mrd.molecular_in_words(found, study)) > 20
    occupied = mrd.occupancy(adtv, study)
    assert occupied[["complete", "intermediate", "failure", "unknown"]].sum(axis=1).equals(occupied["in_remission"])
    assert mrd.best_depth(made, adsl)["DEPTH"].isin(schema.ANALYSIS["admrd"]["DEPTH"].values).all()
    assert mrd.transitions(adtv, study)["count"].ge(0).all()
    assert mrd.rates(adtv, study)["years"].gt(0).all()


def test_definitions_say_every_number_that_a_study_sets():
    own = {"failure_ratio": 0.03, "negative_lod": 0.007, "depth_ratio": {"MMR": 0.2}, "baseline_window_days": [-11, 4],
           "international_scale_factor": {"L": 0.83}, "rise_log10": 0.7, "molecular_relapse": "rise"}  # fmt: skip
    words = mrd.definitions(Study("demo", "own", "", "", (), mrd=own))
    said = ("0.03%", "0.007%", "MMR at or below 0.2%", "-11 and 4", "L x 0.83", "0.7 log10", "rests on the second")
    assert [one for one in said if one not in words] == []
    assert "rests on the first" in mrd.definitions(STUDY)
