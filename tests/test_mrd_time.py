"""MRD over time: landmarks, changing covariates, guarantee time, lead time, dynamic prediction. By hand and by R."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_adam_admrd import STUDY, admrd, subjects

from remission import results, schema
from remission.adam.adtv import derive_adtv
from remission.estimators import counting
from remission.mrd import chance, dynamic, guarantee, landmark, leadtime, supermodel, timedep
from remission.study import Arm, Study

NEGATIVE = ("PB", "NEGATIVE", None, 50_000, 0.002)
PNQ = ("PB", "PNQ", None, 50_000, 0.002)
EMPTY = {name: schema.empty(schema.ANALYSIS[name]) for name in ("adsl", "admrd", "adtv")}
TWO = Study("demo", "own", "", "", (Arm("B", "B"), Arm("A", "A", True)), report_unit="day")


def positive(ratio=1.0):
    return ("PB", "QUANTIFIED", ratio, 50_000, 0.002)


def cohort(patients=24, seed=3, arms=("A",), sample=None, status=None):
    """A cohort with samples every 60 days, whose states are drawn at random unless a sample is given."""
    random = np.random.default_rng(seed)
    end = random.integers(40, 1500, patients)
    names = [f"p{n + 1}" for n in range(patients)]
    ends = ["relapse", "relapse", "ongoing remission", "death in remission"]
    status = status or random.choice(ends, patients).tolist()
    status = [status] * patients if isinstance(status, str) else status
    adsl = subjects(
        USUBJID=names, TRT01A=[arms[n % len(arms)] for n in range(patients)], STATUS=status,
        RELDY=[day if one == "relapse" else None for day, one in zip(end, status, strict=True)],
        DTHDY=[day if one == "death in remission" else None for day, one in zip(end, status, strict=True)],
        LSTALVDY=end,
    )
    rows = []
    for name, last in zip(names, end, strict=True):
        for day in range(-20, last, 60):
            drawn = sample or (positive(float(10 ** random.uniform(-2, 1))) if random.random() < 0.5 else NEGATIVE)
            rows.append((name, day, *drawn))
    made = admrd(*rows, adsl=adsl)
    return made, adsl, derive_adtv(made, adsl)


class TestLandmark:
    def test_boundaries_of_time_and_age(self):
        adsl = subjects(USUBJID=["p1", "p2", "p3", "p4", "p5"], RELDY=[92, 91, 400, 400, 400])
        made = admrd(
            ("p1", 91, *positive()),  # of the landmark itself: counts
            ("p2", 10, *positive()),  # relapse on the landmark: not at risk
            ("p3", 10, *NEGATIVE), ("p3", 92, *positive()),  # a later sample does not count
            ("p4", -92, *NEGATIVE),  # 183 days old
            ("p5", -93, *NEGATIVE),  # 184 days old
            adsl=adsl,
        )
        found = landmark.at_landmark(derive_adtv(made, adsl), 91, 183).set_index("patient")
        assert found["state"].to_dict() == {"p1": "positive", "p3": "negative", "p4": "negative", "p5": "unknown"}
        assert found["time"].to_dict() == {"p1": 1, "p3": 309, "p4": 309, "p5": 309}
        assert found["age"].dropna().to_dict() == {"p1": 0, "p3": 81, "p4": 183}
        assert found.loc["p5", ["category"]].tolist() == ["unknown"] and math.isnan(found.loc["p5", "level"])

    def test_landmarks_of_the_study_in_months(self):
        assert landmark.landmarks(STUDY) == {"3 months": 91, "6 months": 183, "12 months": 365}

    def test_rows_are_complete_and_agree_with_each_other(self):
        _, _, adtv = cohort(arms=("A", "B"))
        rows = landmark.analyse(adtv, TWO)
        for words in ("3_months", "12_months"):
            stem = f"landmark.TTRLP.landmark_{words}"
            for arm in ("A", "B", "all"):
                states = sum(results.pick(rows, f"{stem}.{arm}.median[{one}]")["n"] for one in landmark.STATES)
                assert states == results.pick(rows, f"{stem}.{arm}.HR")["n"]
                kinds = sum(results.pick(rows, f"{stem}.{arm}.category[{one}]")["n"]
                            for one in ("complete", "intermediate", "failure"))
                assert kinds == states
        assert not rows["display"].str.contains("nan").any()
        assert len(landmark.table(rows)) >= 2 * 9

    @given(st.integers(0, 2**32 - 1), st.integers(0, 400))
    @settings(deadline=None, max_examples=8)
    def test_what_comes_after_the_landmark_never_changes_a_state(self, seed, day):
        made, adsl, adtv = cohort(patients=6, seed=5)
        before = landmark.at_landmark(adtv, day, 183).drop(columns=["time", "event"])
        random = np.random.default_rng(seed)
        later = made["ADY"] > day
        shuffled = made.copy()
        shuffled.loc[later, "MRDSTATE"] = random.permutation(shuffled.loc[later, "MRDSTATE"])
        shuffled = shuffled[~later | (random.random(len(made)) < 0.7)]
        after = landmark.at_landmark(derive_adtv(shuffled, adsl), day, 183).drop(columns=["time", "event"])
        # Only whoever has no sample left at all is out.
        pd.testing.assert_frame_equal(before[before["patient"].isin(after["patient"])].reset_index(drop=True), after)


class TestChangingCovariate:
    def test_records_follow_the_samples(self):
        adsl = subjects()
        adtv = derive_adtv(admrd(("p1", 50, *positive()), ("p1", 200, *NEGATIVE), adsl=adsl), adsl)
        records = timedep.process(adtv)
        assert records[["start", "stop", "event", "positive"]].to_numpy().tolist() == [
            [50, 200, False, 1],
            [200, 400, True, 0],
        ]
        assert timedep.process(adtv, 90)[["start", "stop", "event", "positive"]].to_numpy().tolist() == [
            [140, 290, False, 1],
            [290, 400, True, 0],
        ]
        assert timedep.process(adtv, 400).empty

    def test_a_sample_before_the_origin_is_as_old_as_it_is(self):
        adsl = subjects()
        adtv = derive_adtv(admrd(("p1", -20, *positive()), adsl=adsl), adsl)
        assert timedep.process(adtv)["start"].tolist() == [0] and timedep.process(adtv, 30)["start"].tolist() == [10]

    def test_against_r(self):
        # R 4.2.2: coxph(Surv(c(0,40,0,0,70,0,0,90), c(40,100,30,70,150,60,90,200), c(0,1,1,0,1,1,0,0)) ~
        #   c(1,0,1,0,1,1,1,0), control = coxph.control(eps = 1e-14))
        adsl = subjects(USUBJID=["p1", "p2", "p3", "p4", "p5"],
                        STATUS=["relapse"] * 4 + ["ongoing remission"], RELDY=[100, 30, 150, 60, None],
                        LSTALVDY=[900, 900, 900, 900, 200])
        made = admrd(("p1", 0, *positive()), ("p1", 40, *NEGATIVE), ("p2", 0, *positive()), ("p3", 0, *NEGATIVE),
                     ("p3", 70, *positive()), ("p4", 0, *positive()), ("p5", 0, *positive()), ("p5", 90, *NEGATIVE),
                     adsl=adsl)
        rows = timedep.analyse(derive_adtv(made, adsl), STUDY)
        found = results.pick(rows, "timedep.TTRLP.mrd_known.A.HR_cox[positive now]")
        assert math.log(found["value"]) == pytest.approx(1.06521205023098, rel=1e-9)
        assert found["n"] == 5 and found["events"] == 4

    def test_the_table_says_what_was_delayed(self):
        rows = timedep.analyse(cohort()[2], STUDY)
        delays = ["-", "-", "30 days old", "30 days old", "90 days old", "90 days old"]
        assert timedep.table(rows)["sample at least"].tolist() == delays
        assert timedep.in_words(rows).count("hazard") == 0 and timedep.in_words(rows).startswith("**A.** Hazard ratio")


class TestGuaranteeTime:
    @pytest.fixture
    def one(self):
        adsl = subjects(USUBJID=["p1", "p2", "p3"], RELDY=[400, 100, 900])
        made = admrd(
            ("p1", -10, *positive()), ("p1", 300, *NEGATIVE), ("p1", 399, *NEGATIVE),
            ("p2", 20, *positive()), ("p2", 100, *NEGATIVE),  # of the day of relapse: too late
            ("p3", -50, *NEGATIVE), ("p3", 10, *positive()),
            adsl=adsl,
        )
        return made, adsl

    def test_first_negative_sample(self, one):
        found = guarantee.first_negatives(*one, STUDY).set_index("patient")
        assert found["first"].to_dict() == {"p1": 300, "p2": pytest.approx(math.nan, nan_ok=True), "p3": -50}
        assert found["under"].isna().to_dict() == {"p1": False, "p2": True, "p3": True}

    @pytest.mark.parametrize(("limit", "counts"), [(0.01, 1), (0.0100001, 0)])
    def test_a_negative_sample_must_be_sensitive(self, limit, counts):
        adsl = subjects()
        made = admrd(("p1", 10, *positive()), ("p1", 50, "PB", "NEGATIVE", None, 50_000, limit), adsl=adsl)
        assert guarantee.first_negatives(made, adsl, STUDY)["first"].notna().sum() == counts

    def test_designs_of_three_patients(self, one):
        made = guarantee.designs(guarantee.first_negatives(*one, STUDY), STUDY)
        rows = {name: records.set_index("patient")["never"].groupby(level=0).apply(list).to_dict()
                for name, records in made.items()}
        assert rows["naive"] == {"p1": [0], "p2": [1], "p3": [0]}
        assert rows["naive, maintenance only"] == {"p1": [0], "p2": [1], "p3": [1]}
        assert rows["at the origin"] == rows["landmark 3 months"] == {"p1": [1], "p2": [1], "p3": [0]}
        assert rows["landmark 12 months"] == {"p1": [0], "p3": [0]}
        assert rows["time-dependent"] == {"p1": [1, 0], "p2": [1], "p3": [0]}
        assert rows["time-dependent, maintenance only"] == {"p1": [1, 0], "p2": [1], "p3": [1]}

    def test_the_time_given_away(self, one):
        rows = guarantee.analyse(*one, STUDY)
        given = results.pick(rows, "guarantee.TTRLP.mrd_known.A.guaranteed")
        assert given["value"] == 300 and given["display"] == "0.82 years of 3.56 years (23.1%), 1 of 2 patients"
        assert guarantee.table(rows)["ever negative"].tolist()[0] == "2 of 3"

    def test_every_design_has_the_same_patients_but_landmarks(self):
        made, adsl, _ = cohort(arms=("A", "B"))
        found = guarantee.designs(guarantee.first_negatives(made, adsl, TWO), TWO)
        counts = {name: (one["patient"].nunique(), int(one["event"].sum())) for name, one in found.items()
                  if "landmark" not in name}
        assert len(set(counts.values())) == 1


class TestWorldWithoutEffect:
    def test_a_simulated_cohort_by_the_estimators_of_one_cohort(self):
        time, event, first = chance.cohorts(chance.World(patients=40), 2, seed=11)
        z, ratio = chance.mantel_byar(time, event, first)
        # Months become whole days without ties, so that records can hold them.
        days = np.ceil(time[0] * 1e6).astype("int64")
        data = pd.DataFrame({"patient": range(40), "arm": "A", "time": days, "event": event[0]})
        turned = pd.Series(np.where(np.isfinite(first[0]), np.floor(first[0] * 1e6), np.nan))
        records = counting.turning(data, turned, "so")
        records = records.assign(never=1 - records["so"])
        assert z[0] ** 2 == pytest.approx(counting.logrank(records, "never").chi2, rel=1e-10)
        assert ratio[0] == pytest.approx(counting.hazard_ratio(records, ["never"], None, "wald").value, rel=1e-6)

    def test_the_naive_test_errs_and_the_others_do_not(self):
        rows = chance.analyse(STUDY, seed=20121503, draws=4000)
        share = {name: results.pick(rows, f"chance.TTRLP.simulated.-.rejected[{name}]")
                 for name in ("naive", "landmark 6 months", "time-dependent")}
        assert share["naive"]["value"] > 95
        assert share["time-dependent"]["lower"] < 5 < share["time-dependent"]["upper"]
        assert share["landmark 6 months"]["value"] < 8
        assert results.pick(rows, "chance.TTRLP.simulated.-.HR[time-dependent]")["value"] == pytest.approx(1, abs=0.05)
        assert results.pick(rows, "chance.TTRLP.simulated.-.HR[naive]")["value"] > 3

    def test_a_true_effect_is_found_without_looking_ahead(self):
        world = chance.World(patients=1500, effect=0.5)
        rows = chance.analyse(STUDY, seed=4, draws=60, world=world)
        # Never against negative: the inverse of the effect.
        assert results.pick(rows, "chance.TTRLP.simulated.-.HR[time-dependent]")["value"] == pytest.approx(2, abs=0.1)
        assert "true hazard ratio was 0.5" in chance.in_words(rows, world)

    def test_seed_fixes_it(self):
        assert chance.analyse(STUDY, seed=1, draws=50).equals(chance.analyse(STUDY, seed=1, draws=50))


class TestLeadTime:
    def test_intervals(self):
        adsl = subjects(USUBJID=["p1", "p2"], STATUS=["relapse", "ongoing remission"], RELDY=[400, None])
        made = admrd(("p1", 10, *NEGATIVE), ("p1", 200, *NEGATIVE), ("p1", 300, *positive()),
                     ("p2", 10, *NEGATIVE), ("p2", 500, *positive()), adsl=adsl)
        found = leadtime.intervals(made, adsl, STUDY)
        assert found[["left", "right"]].to_numpy().tolist() == [[100, 200], [400, math.inf]]
        rows = leadtime.analyse(made, adsl, STUDY, seed=1, draws=20)
        assert results.pick(rows, "lead_time.TTRLP.relapsed.A.median")["display"] == "between 100 and 200 days"
        assert results.pick(rows, "lead_time.TTRLP.relapsed.A.from_sample")["display"] == "100 days"
        assert results.pick(rows, "lead_time.TTRLP.risen.A.median")[["n", "events"]].tolist() == [2, 1]
        assert leadtime.table(rows)["who"].tolist() == ["rise and relapse", "all with a rise"]

    def test_nobody_relapsed(self):
        data = pd.DataFrame({"left": [400.0, 300.0], "right": math.inf})
        assert leadtime.median(data, seed=1, draws=5)[:2] == (400, math.inf)

    def test_a_bootstrap_interval_holds_the_median_and_is_reproducible(self):
        data = pd.DataFrame({"left": np.arange(10.0, 40, 2), "right": np.arange(10.0, 40, 2) + 30})
        first = leadtime.median(data, seed=2, draws=100)
        assert first == leadtime.median(data, seed=2, draws=100)
        assert first.confidence_lower <= first.lower < first.upper <= first.confidence_upper


class TestDynamicPrediction:
    def test_probability_with_death_competing_closed_form(self):
        # Constant hazards 0.3 and 0.1 in one step each: relapse before death in the first, then in the second.
        model = supermodel.Model(np.zeros(1), np.array([10.0, 20.0]), np.array([0.3, 0.0]), np.array([0.1, 0.2]))
        assert supermodel.probability(model, np.zeros((1, 1)))[0] == pytest.approx((1 - math.exp(-0.4)) * 0.75)

    def test_without_mrd_it_is_the_cumulative_incidence(self):
        from remission.estimators import competing

        random = np.random.default_rng(8)
        rows = pd.DataFrame({"patient": range(400), "arm": "A", "landmark": 0, "time": random.permutation(400) + 1,
                             "code": random.choice([0, 1, 2], 400), "positive": 0, "excess": 0.0})
        model = supermodel.fit(rows, ["A"], with_mrd=False)
        ours = supermodel.probability(model, np.zeros((1, 0)))[0]
        theirs = competing.cumulative_incidence(rows.assign(event=rows["code"] == 1))
        assert ours == pytest.approx(theirs.loc[theirs["cause"] == 1, "incidence"].iloc[-1], abs=0.01)

    def test_stacked_rows_end_at_the_horizon(self):
        adsl = subjects(USUBJID=["p1", "p2"], STATUS=["relapse", "death in remission"], RELDY=[400, None],
                        DTHDY=[None, 300], LSTALVDY=[900, 300])
        made = admrd(("p1", 0, *positive()), ("p2", 0, *NEGATIVE), ("p1", 200, *PNQ), adsl=adsl)
        rows = supermodel.stacked(derive_adtv(made, adsl), STUDY)
        mine = rows[rows["patient"] == "p1"]
        assert mine[["landmark", "time", "code", "positive", "excess"]].to_numpy().tolist()[:3] == [
            [0, 365, 0, 1, 2], [91, 309, 1, 1, 2], [183, 217, 1, 1, 2]]
        assert mine["excess"].tolist()[3:] == [0, 0]  # positive, not quantifiable
        assert rows.loc[rows["patient"] == "p2", "code"].tolist() == [2, 2, 2]

    def test_the_rule_that_chooses_the_patient(self):
        adsl = subjects(USUBJID=["p1", "p2", "p3"], STATUS=["ongoing remission", "relapse", "relapse"],
                        RELDY=[None, 400, 500])
        made = admrd(*(("p1", day, *NEGATIVE) for day in (0, 10, 20, 30)), *(("p3", day, *NEGATIVE) for day in (0, 90)),
                     ("p2", 0, *NEGATIVE), adsl=adsl)
        adtv = derive_adtv(made, adsl)
        assert dynamic.chosen(adtv) == "p3" and dynamic.chosen(adtv[adtv["USUBJID"] == "p1"]) == "p1"

    def test_a_prediction_uses_neither_the_patient_nor_the_future(self):
        _, _, adtv = cohort()
        whole = dynamic.predict(adtv, STUDY, seed=1, draws=10)
        changed = adtv.copy()
        mine = changed["USUBJID"] == whole.patient
        changed.loc[mine, "EVENT"] = changed.loc[mine, "EVENT"]
        last = changed[mine].index[-1]
        changed.loc[last, ["MRDPOS", "CATEGORY", "LEVEL"]] = [1, "failure", 2.0]
        again = dynamic.predict(changed, STUDY, seed=1, draws=10)
        assert again.patient == whole.patient
        pd.testing.assert_frame_equal(whole.course.iloc[:-1], again.course.iloc[:-1])
        inside = whole.course[["lower", "probability", "upper"]].to_numpy()
        assert ((inside >= 0) & (inside <= 1)).all()

    def test_scores_leave_each_patient_out(self):
        rows = dynamic.analyse(cohort(patients=12)[2], STUDY)
        assert 0 <= results.pick(rows, "dynamic.TTRLP.landmarks.all.brier[with MRD]")["value"] <= 1
        assert not rows["display"].str.contains("nan").any()

    def test_a_lone_patient_has_no_model(self):
        made = dynamic.predict(cohort(patients=1, status="relapse")[2], STUDY, seed=1, draws=2)
        assert made.note.startswith("the other patients give no model") and made.course.empty
        assert dynamic.in_words(made, results.frame([]), STUDY).startswith("No dynamic prediction: ")


def everything(made, adsl, adtv, study):
    """All rows and words of the notebook."""
    parts = [landmark.analyse(adtv, study), timedep.analyse(adtv, study), guarantee.analyse(made, adsl, study),
             leadtime.analyse(made, adsl, study, seed=1, draws=5), dynamic.analyse(adtv, study)]
    words = [timedep.in_words(parts[1]), guarantee.in_words(parts[2]),
             dynamic.in_words(dynamic.predict(adtv, study, seed=1, draws=5), parts[4], study)]
    tables = [landmark.table(parts[0]), timedep.table(parts[1]), guarantee.table(parts[2]), leadtime.table(parts[3])]
    return results.frame([row for part in parts for row in part.to_dict("records")]), words, tables


THREE = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B"), Arm("C", "C", True)))


@pytest.mark.parametrize(
    ("given", "study"),
    [
        pytest.param(cohort(patients=14), STUDY, id="one arm"),
        pytest.param(cohort(arms=("A", "B", "C"), patients=12), THREE, id="three arms"),
        pytest.param(cohort(patients=9, sample=NEGATIVE), STUDY, id="all negative"),
        pytest.param(cohort(patients=9, sample=positive()), STUDY, id="all positive"),
        pytest.param(cohort(patients=9, sample=PNQ), STUDY, id="never quantifiable"),
        pytest.param(cohort(patients=9, status="ongoing remission"), STUDY, id="no relapse"),
        pytest.param(cohort(patients=9, status="death in remission"), STUDY, id="deaths alone"),
        pytest.param(cohort(patients=2), STUDY, id="two patients"),
    ],
)
def test_odd_cohorts_give_rows_or_a_reason(given, study):
    rows, words, tables = everything(*given, study)
    lost = rows[rows["value"].isna() & (rows["unit"] != "")]
    assert len(rows) and all(words) and all(isinstance(one, pd.DataFrame) for one in tables)
    assert lost["display"].str.contains("not|nobody|no |No |more than").all()
    assert not rows["display"].str.contains("nan").any()


def test_one_sample_a_patient():
    adsl = subjects(USUBJID=["p1", "p2", "p3", "p4"], RELDY=[100, 300, 500, 700])
    made = admrd(("p1", 0, *positive()), ("p2", 0, *NEGATIVE), ("p3", 5, *positive()), ("p4", -30, *NEGATIVE),
                 adsl=adsl)
    rows, words, _ = everything(made, adsl, derive_adtv(made, adsl), STUDY)
    assert results.pick(rows, "timedep.TTRLP.mrd_known.A.HR[positive now]")["n"] == 4 and all(words)


def test_without_samples_everything_is_one_sentence():
    rows, words, tables = everything(EMPTY["admrd"], subjects(), EMPTY["adtv"], STUDY)
    assert rows.empty and all(one.empty for one in tables)
    assert words == ["No follow-up with a known MRD state.",
                     "No patient has a sample that could tell negative from positive.",
                     "No dynamic prediction: no MRD state is known in this cohort."]
