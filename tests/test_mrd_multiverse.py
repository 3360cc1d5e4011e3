"""Coding multiverse: every coding by hand at its boundaries, tests against R, permutations against a plain loop."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_adam_admrd import STUDY, subjects
from test_adam_admrd import admrd as derive

from remission import schema, store, survival
from remission import study as studies
from remission.estimators import comparisons, models
from remission.mrd import multiverse
from remission.mrd.multiverse import analyses, chance
from remission.mrd.multiverse.coding import CHOICES, SOURCES, TIMES
from remission.study import Arm, Study

TWO = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)),
            endpoint_labels={"TTRLP": "time to relapse", "RFS": "relapse-free survival"})
NOTHING = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]


def group(made, patient=0, **choices):
    """Group of a patient under one coding; what is not named is whatever there is, at the start, as reported."""
    wanted = {"threshold": "MMR", "time": "start", "source": "any", "limit": "reported"} | choices
    row = (made.choices[list(wanted)] == pd.Series(wanted)).all(axis=1)
    return made.groups[np.flatnonzero(row)[0], patient]


def coded(*rows, adsl=None):
    adsl = subjects() if adsl is None else adsl
    return multiverse.codings(derive(*rows, adsl=adsl), adsl, STUDY, adsl["USUBJID"].tolist())


def sample(day=0, source="BM", state="QUANTIFIED", ratio=None, copies=50_000, limit=0.002, patient="p1"):
    return (patient, day, source, state, ratio, copies, limit)


class TestThresholds:
    @pytest.mark.parametrize(("threshold", "ratio", "poor"), [
        ("MMR", 0.1, 0), ("MMR", 0.1001, 1), ("MR4", 0.01, 0), ("MR4", 0.0101, 1), ("MR4.5", 0.0032, 0),
        ("MR4.5", 0.0033, 1), ("negative", 0.0021, 1)])
    def test_measured_levels(self, threshold, ratio, poor):
        made = coded(sample(ratio=ratio))
        assert [group(made, threshold=threshold, limit=limit) for limit in CHOICES["limit"]] == [poor] * 4

    @pytest.mark.parametrize(("threshold", "copies", "limit", "expected"), [
        # reported, copies, half, sensitive
        ("MMR", 50_000, 0.002, [0, 0, 0, 0]), ("MR4.5", 31_999, 0.0032, [0, 1, 0, 0]),
        ("MR4.5", 32_000, 0.0032, [0, 0, 0, 0]), ("MR4.5", 50_000, 0.0064, [0, 1, 0, np.nan]),
        ("MR4.5", 50_000, 0.0065, [0, 1, 1, np.nan]), ("MR4", 9_999, 0.002, [0, np.nan, 0, np.nan]),
        ("negative", 50_000, 0.02, [0, 0, 0, np.nan]), ("negative", 9_999, 0.002, [0, np.nan, 0, np.nan]),
        ("negative", None, 0.002, [0, np.nan, 0, 0])])
    def test_what_is_not_detected(self, threshold, copies, limit, expected):
        made = coded(sample(state="NEGATIVE", copies=copies, limit=limit))
        found = [group(made, threshold=threshold, limit=rule) for rule in ("reported", "copies", "half", "sensitive")]
        assert found == pytest.approx(expected, nan_ok=True)

    def test_not_quantifiable_is_positive_and_stands_at_its_limit(self):
        made = coded(sample(state="PNQ", limit=0.005))
        assert [group(made, threshold=one) for one in ("MMR", "MR4", "MR4.5", "negative")] == [0, 0, 1, 1]
        assert [group(made, threshold=one, limit="half") for one in ("MR4", "MR4.5")] == [0, 1]
        assert np.isnan(group(made, threshold="MR4.5", limit="sensitive"))
        assert group(made, threshold="negative", limit="sensitive") == 1

    def test_median_split_is_of_those_with_a_level_and_who_is_on_it_is_good(self):
        adsl = subjects(USUBJID=["p1", "p2", "p3", "p4"])
        made = coded(*(sample(ratio=ratio, patient=name) for name, ratio in (("p1", 1), ("p2", 2), ("p3", 3))),
                     adsl=adsl)
        assert [group(made, place, threshold="median") for place in range(4)] == pytest.approx([0, 0, 1, np.nan],
                                                                                                nan_ok=True)

    def test_a_median_that_is_the_highest_level_leaves_somebody_above(self):
        adsl = subjects(USUBJID=["p1", "p2", "p3"])
        made = coded(*(sample(ratio=ratio, patient=name) for name, ratio in (("p1", 1), ("p2", 2), ("p3", 2))),
                     adsl=adsl)
        assert [group(made, place, threshold="median") for place in range(3)] == [0, 1, 1]

    def test_the_limit_moves_a_patient_across_the_median(self):
        adsl = subjects(USUBJID=["p1", "p2"])
        made = coded(sample(state="NEGATIVE", limit=0.01, copies=200_000), sample(ratio=0.006, patient="p2"), adsl=adsl)
        assert [group(made, threshold="median", limit=rule) for rule in CHOICES["limit"]] == [1, 0, 0, 1]


class TestTimesAndSources:
    """Diagnosis is on day -300: 3, 6 and 9 months are days -209, -117 and -26."""

    @pytest.mark.parametrize(("day", "inside"), [
        (-300, []), (-255, ["best"]), (-254, ["m3", "best"]), (-164, ["m3", "best"]), (-163, ["best"]),
        (-162, ["m6", "best"]), (-72, ["m6", "best"]), (-42, ["m9", "best", "start"]), (0, ["m9", "best", "start"]),
        (7, ["m9", "start"]), (8, [])])
    def test_which_time_points_a_sample_can_inform(self, day, inside):
        made = coded(sample(day, ratio=0.05))
        assert [time for time in TIMES if group(made, time=time) == 0] == inside

    def test_the_nearest_sample_of_two_as_near_the_earlier(self):
        made = coded(sample(-3, ratio=0.05), sample(3, ratio=5))
        assert group(made) == 0
        assert group(coded(sample(-3, ratio=0.05), sample(2, ratio=5))) == 1

    def test_best_is_the_lowest_up_to_day_0(self):
        made = coded(sample(-200, ratio=0.05), sample(-5, ratio=5), sample(1, ratio=0.0001))
        assert group(made, time="best") == 0 and group(made, time="best", threshold="MR4") == 1

    def test_sources(self):
        made = coded(sample(-10, "BM", ratio=5), sample(0, "PB", ratio=0.05))
        assert [group(made, source=source) for source in SOURCES] == [0, 1, 0, 1]

    def test_marrow_first_falls_back_on_blood(self):
        made = coded(sample(0, "PB", ratio=0.05))
        found = [group(made, source=source) for source in ("any", "BM", "PB", "BM first")]
        assert found == pytest.approx([0, np.nan, 0, 0], nan_ok=True)

    def test_marrow_before_blood_on_one_day(self):
        assert group(coded(sample(0, "PB", ratio=0.05, copies=90_000), sample(0, "BM", ratio=5))) == 1

    def test_a_useless_sample_makes_way_for_the_next(self):
        rows = sample(0, state="NEGATIVE", copies=5_000), sample(-9, ratio=5)
        assert group(coded(*rows), limit="sensitive") == 1 and group(coded(*rows)) == 0

    def test_nothing_from_the_day_of_relapse_on(self):
        adsl = subjects(RELDY=[5])
        assert np.isnan(group(coded(sample(5, ratio=5), adsl=adsl)))
        assert group(coded(sample(4, ratio=5), adsl=adsl)) == 1

    def test_without_a_date_of_diagnosis_months_from_it_are_unknown(self):
        adsl = subjects(DXDY=[None])
        made = coded(sample(-20, ratio=0.05), adsl=adsl)
        assert [group(made, time=time) for time in TIMES] == pytest.approx([*[np.nan] * 3, 0, 0], nan_ok=True)

    def test_it_agrees_with_the_markers_at_the_origin(self):
        adsl, admrd, admk = (store.read("ash2012_reconstructed", name) for name in ("adsl", "admrd", "admk"))
        made = multiverse.codings(admrd, adsl, studies.read("ash2012_reconstructed"), admk["USUBJID"].tolist())
        for place, one in enumerate(admk.itertuples()):
            ever = group(made, place, threshold="negative", time="best", limit="sensitive")
            level = group(made, place, threshold="median")
            assert ever == {"Y": 0, "N": 1}[one.EVERNEG]
            assert level == float(admk["LVLSTART"].median() < one.LVLSTART)

    def test_coincidences_are_found(self):
        made = coded(sample(-10, "BM", ratio=5))
        first = made.choices.loc[made.choices["same_as"] == made.choices.index]
        assert len(first) == 2  # unknown and poor; of one patient the level is the median, and somebody must be above
        for row, same in enumerate(made.choices["same_as"]):
            assert np.array_equal(made.groups[row], made.groups[same], equal_nan=True)


DAYS = st.integers(-310, 400)
SAMPLES = st.lists(st.tuples(DAYS, st.sampled_from(["BM", "PB"]), st.sampled_from(["QUANTIFIED", "PNQ", "NEGATIVE"]),
                             st.sampled_from([0.001, 0.05, 5.0]), st.sampled_from([5_000, 20_000, 90_000])),
                   min_size=1, max_size=8, unique_by=lambda one: one[0])


@given(SAMPLES, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_coding_looks_ahead(rows, random):
    adsl = subjects()
    made = derive(*(sample(day, source, state, ratio if state == "QUANTIFIED" else None, copies)
                    for day, source, state, ratio, copies in rows), adsl=adsl)
    later = np.flatnonzero(made["ADY"] > 7)
    order = list(later)
    random.shuffle(order)
    shuffled = made.copy()
    for column in ("SOURCE", "ABLCOP", "RATIO", "LOD", "MRDSTATE", "DEPTH"):
        values = made[column].to_numpy(object)
        values[later] = values[order]
        shuffled[column] = pd.Series(values).astype(made[column].dtype)
    first, second, third = (multiverse.codings(one, adsl, STUDY, ["p1"]).groups
                            for one in (made, shuffled, made.drop(index=later)))
    assert np.array_equal(first, second, equal_nan=True) and np.array_equal(first, third, equal_nan=True)


TIME = np.array([5, 8, 8, 12, 20, 20, 23, 27, 30, 33, 43, 45, 4, 4, 9, 13, 13, 18, 23, 28, 31, 34])
EVENT = np.array([1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0], bool)
POOR = np.array([1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1], float)
STRATUM = np.repeat([1, 2], [12, 10])


class TestTests:
    def test_strata_against_r(self):
        # R: d <- survdiff(Surv(t, e) ~ x + strata(s)); d$pvalue; sum(d$obs[2, ] - d$exp[2, ]). Firth: as for the batch.
        found = analyses.tests(POOR[None], TIME, EVENT, STRATUM)
        assert found.p["logrank"][0] == pytest.approx(0.54786817957026, abs=1e-12)
        assert found.direction["logrank"][0] == pytest.approx(1.0623376623377, abs=1e-10)
        assert found.p["firth"][0] == pytest.approx(0.54091267310580, abs=1e-9)
        assert found.direction["firth"][0] == pytest.approx(0.32344945459505, abs=1e-7)

    def test_limits_of_the_ratio_against_r(self):
        # R: where the penalised log likelihood has fallen by qchisq(0.95, 1) / 2, by uniroot.
        found = analyses._ratio(POOR, TIME, EVENT, STRATUM)
        assert np.log(found[:3]) == pytest.approx([0.32344945459505, -0.73054919958095, 1.38184274654172], abs=1e-7)

    def test_one_event_against_the_closed_form(self):
        # One event, in one of three poor among 26: 1 - m + (1 - 2 m) / 2 = 0 for m = 3 r / (3 r + 23): r = 3 * 23 / 3.
        poor = np.r_[np.ones(3), np.zeros(23)]
        found = analyses._ratio(poor, np.arange(26), np.arange(26) == 0, np.zeros(26))
        assert found.value == pytest.approx(23, rel=1e-9)
        assert np.exp(analyses.tests(poor[None], np.arange(26), np.arange(26) == 0, np.zeros(26)).direction["firth"]) \
            == pytest.approx(23, rel=1e-9)

    def test_unknown_patients_are_in_no_risk_set(self):
        some = np.where(np.arange(len(POOR)) % 4 == 1, np.nan, POOR)
        found, kept = analyses.tests(some[None], TIME, EVENT, np.zeros(len(POOR))), np.isfinite(some)
        data = pd.DataFrame({"arm": np.where(POOR == 1, "poor", "good"), "time": TIME, "event": EVENT})[kept]
        assert found.p["logrank"][0] == pytest.approx(comparisons.logrank(data, "good").p, abs=1e-12)
        assert found.p["firth"][0] == pytest.approx(models.firth(data, "good").p, abs=1e-9)


def cohort(patients=40, effect=1.0, seed=5, arms=("A", "B"), deaths=True, states=None, sources=("BM", "PB")):
    """Patients with three samples each; the higher the level, the earlier the relapse by `effect` a log."""
    random = np.random.default_rng(seed)
    names = [f"p{number:02d}" for number in range(patients)]
    level = random.normal(-1.5, 1.3, patients)
    relapse = np.ceil(random.exponential(900 / np.exp(effect * (level + 1.5)))).astype(int) + 20
    end = random.integers(300, 2500, patients)
    kind = np.where(relapse < end, "relapse", np.where((np.arange(patients) % 3 == 0) & deaths, "death in remission",
                                                       "ongoing remission"))
    adsl = subjects(USUBJID=names, TRT01A=[arms[number % len(arms)] for number in range(patients)],
                    STATUS=list(kind), RELDY=[int(one) if what == "relapse" else None
                                              for one, what in zip(relapse, kind, strict=True)],
                    DTHDY=[int(one) if what == "death in remission" else None
                           for one, what in zip(end, kind, strict=True)], LSTALVDY=list(np.maximum(end, relapse)))
    rows = []
    for name, one in zip(names, level, strict=True):
        for day, source in zip((-300, -200, -115, -20), itertools.cycle(sources)):
            ratio = 10 ** (one + random.normal(0, 0.3)) if day > -300 else 40.0
            found = "NEGATIVE" if ratio < 0.003 else "QUANTIFIED"
            if states and day > -300:
                found = states
            rows.append(sample(day, source, found, ratio if found == "QUANTIFIED" else None, 60_000, 0.003, name))
    time = np.where(kind == "relapse", relapse, end)
    base = pd.DataFrame({"patient": names, "arm": adsl["TRT01A"].astype(object), "time": time})
    endpoints = {"TTRLP": base.assign(event=kind == "relapse"), "RFS": base.assign(event=kind != "ongoing remission")}
    return endpoints, derive(*rows, adsl=adsl), adsl


class TestSpecifications:
    def test_every_cell_is_its_own_analysis(self):
        endpoints, admrd, adsl = cohort()
        made = multiverse.specify(endpoints, admrd, adsl, TWO, "A")
        groups = multiverse.codings(admrd, adsl, TWO, made.outcomes.patients)
        mine = made.cells[made.cells["counted"]].iloc[::4]
        assert len(mine) > 5
        for cell in mine.itertuples():
            row = (groups.choices[list(CHOICES)] == [getattr(cell, choice) for choice in CHOICES]).all(axis=1)
            side = pd.Series(groups.groups[np.flatnonzero(row)[0]], made.outcomes.patients, name="side").dropna()
            data = endpoints[cell.endpoint].set_index("patient").join(side, how="inner")
            data["arm"] = np.where(data["side"] == 1, "poor", "good")
            ratio = models.firth(data, "good")
            test = comparisons.logrank(data, "good") if cell.test == "logrank" else ratio
            assert cell.p == pytest.approx(test.p, abs=1e-9)
            assert [cell.estimate, cell.lower, cell.upper] == pytest.approx(ratio[:3], rel=1e-6)
            assert (cell.known, cell.events) == (len(data), data["event"].sum())

    def test_sixteen_hundred_and_what_coincides_is_counted_once(self):
        made = multiverse.specify(*cohort(), TWO)
        cells = made.cells
        assert len(cells) == 5 * 5 * 4 * 4 * 2 * 2
        told = cells[cells["p"].notna()]
        assert told.groupby(["dataset", "test"])["p"].nunique().max() == 1
        assert cells["counted"].sum() == told.groupby(["dataset", "test"]).ngroups < len(told)
        assert not cells.loc[cells["p"].isna(), "counted"].any()
        assert (cells.loc[cells["p"].isna(), "note"] != "").all() and (told["note"] == "").all()
        assert cells["primary"].sum() == 1

    def test_without_a_death_in_remission_the_two_endpoints_are_one(self):
        endpoints, *rest = cohort(deaths=False)
        counts = [int(multiverse.specify(given, *rest, TWO).cells["counted"].sum())
                  for given in (endpoints, {"TTRLP": endpoints["TTRLP"]})]
        assert counts[0] == counts[1] > 0

    def test_direction(self):
        made = multiverse.specify(*cohort(60, effect=1.2), TWO)
        cells = made.cells[made.cells["counted"]]
        assert cells["predicts"].mean() > 0.5 and not cells["reverse"].any()
        assert (cells.loc[cells["predicts"], "estimate"] > 1).all()

    def test_an_endpoint_that_lacks_a_patient(self):
        endpoints, *rest = cohort()
        endpoints["RFS"] = endpoints["RFS"].iloc[3:]
        made = multiverse.specify(endpoints, *rest, TWO)
        assert made.outcomes.time[1, :3].tolist() == [-1] * 3 and not made.outcomes.event[1, :3].any()
        assert made.cells["p"].notna().any()


class TestReference:
    def test_every_permutation_is_the_analysis_of_a_shuffled_cohort(self):
        endpoints, admrd, adsl = cohort(26, effect=0.4)
        made = multiverse.specify(endpoints, admrd, adsl, TWO)
        found = multiverse.reference(made, seed=4, draws=6)
        orders = chance._orders(made.outcomes.stratum, 6, np.random.default_rng(4))
        for draw, order in enumerate(orders, 1):
            shuffled = {}
            for name, one in endpoints.items():
                moved = one.set_index("patient").loc[made.outcomes.patients].reset_index()
                # The patient in place i gets the markers of the patient in place order[i].
                shuffled[name] = moved.assign(patient=np.array(made.outcomes.patients, object)[order])
            again = multiverse.specify(shuffled, admrd, adsl, TWO).cells
            once = again[again["counted"]]
            assert found.share[draw] == pytest.approx(once["predicts"].mean(), abs=1e-12)
            assert found.reverse[draw] == pytest.approx(once["reverse"].mean(), abs=1e-12)
            ahead = once[once["estimate"] > 1]
            assert found.smallest[draw] == pytest.approx(ahead["p"].min(), abs=1e-9)
            ratios = np.log(once.drop_duplicates("dataset")["estimate"])
            assert found.middle[draw] == pytest.approx(np.exp(ratios.median()), rel=1e-6)
            assert found.analyses[draw] == len(once)

    def test_what_was_seen_comes_first(self):
        made = multiverse.specify(*cohort(), TWO)
        once, found = made.cells[made.cells["counted"]], multiverse.reference(made, seed=1, draws=3)
        assert found.share[0] == pytest.approx(once["predicts"].mean()) and found.analyses[0] == len(once)
        assert len(found.share) == 4

    def test_patients_stay_in_their_arm_and_the_seed_fixes_the_orders(self):
        stratum = np.array(["A", "B", "A", "B", "B"], object)
        orders = chance._orders(stratum, 50, np.random.default_rng(2))
        assert (stratum[orders] == stratum).all() and (np.sort(orders, axis=1) == np.arange(5)).all()
        assert np.array_equal(orders, chance._orders(stratum, 50, np.random.default_rng(2)))

    def test_under_no_effect_the_reference_keeps_its_level(self):
        # One data set, permuted: the share of draws in which the log-rank test rejects to one side is its exact level.
        names = [f"p{number}" for number in range(12)]
        outcomes = analyses.Outcomes(["TTRLP"], names, np.arange(1, 13)[None], np.full((1, 12), True),
                                     np.zeros(12))
        side = np.r_[np.ones(6), np.zeros(6)]
        every = np.array([np.isin(np.arange(12), one).astype(float) for one in itertools.combinations(range(12), 6)])
        tested = analyses.tests(every, outcomes.time[0], outcomes.event[0], outcomes.stratum)
        exact = np.mean([((tested.p[test] < 0.05) & (tested.direction[test] > 0)).mean() for test in analyses.TESTS])
        made = analyses.Multiverse("all", pd.DataFrame(), side[None], outcomes)
        found = multiverse.reference(made, seed=3, draws=8000).share[1:]
        assert found.mean() == pytest.approx(exact, abs=4 * found.std() / np.sqrt(len(found)))
        assert 0.01 < exact < 0.04

    def test_a_strong_marker_beats_chance_and_none_does_not(self):
        rows = []
        for effect in (1.2, 0.0):
            made = multiverse.specify(*cohort(60, effect), TWO)
            rows.append(multiverse.analyse_multiverse(made, multiverse.reference(made, seed=1, draws=400))
                        .set_index("statistic"))
        assert rows[0].loc["p_share", "value"] < 0.01 and "more than" in multiverse.in_words(rows[0].reset_index())
        assert rows[1].loc["p_share", "value"] > 0.05
        assert rows[0].loc["chance_any", "value"] > 0.1

    @pytest.mark.parametrize(("values", "large", "p"), [
        ([0.3, 0.1, 0.3, 0], True, 0.5), ([0.01, 0.2, 0.3], False, 1 / 3), ([0.0, 0.0, 0.0], True, 1.0)])
    def test_p_counts_what_was_seen(self, values, large, p):
        assert chance.chance_p(np.array(values), large) == pytest.approx(p)


class TestReport:
    def test_results_are_named_and_say_how(self):
        made = multiverse.specify(*cohort(), TWO)
        rows = multiverse.analyse_multiverse(made, multiverse.reference(made, seed=7, draws=50))
        found = rows.set_index("result_id")
        assert found.loc["multiverse.codings.all.all.specifications", "value"] == 1600
        assert "50 permutations, seed 7" in found.loc["multiverse.codings.all.all.p_share", "method"]
        assert "Monte Carlo standard error" in found.loc["multiverse.codings.all.all.p_share", "method"]
        assert rows["display"].ne("").all() and multiverse.multiverse_table(rows).shape == (1, 11)

    def test_readings_of_a_choice_share_out_the_specifications(self):
        made = multiverse.specify(*cohort(), TWO)
        lines = multiverse.by_choice(made, TWO)
        assert lines.groupby("choice")["specifications"].sum().eq(1600).all()
        assert lines.groupby("choice")["analysed"].sum().eq(made.cells["p"].notna().sum()).all()
        assert lines.loc[lines["choice"] == "test", "distinct"].sum() == made.cells["counted"].sum()

    @pytest.mark.parametrize("name", ["chiaretti2004", "freireich1963", "scrucca_bmt", "wassmann2003"])
    def test_cohorts_without_mrd_say_so(self, name):
        adsl, admrd, adtte = (store.read(name, one) for one in ("adsl", "admrd", "adtte"))
        study = studies.read(name)
        endpoints = {code: survival.endpoint(adtte, code) for code in ("TTRLP", "RFS")}
        assert multiverse.arms_with_samples(endpoints["TTRLP"], admrd, study) == []
        made = multiverse.specify(endpoints, admrd, adsl, study)
        rows = multiverse.analyse_multiverse(made, multiverse.reference(made, seed=1))
        assert multiverse.in_words(rows).startswith("No multiverse")
        assert multiverse.by_choice(made, study).empty and multiverse.multiverse_table(rows).empty
        assert len(multiverse.multiverse_rules(study).splitlines()) == 7


WEIRD = {
    "all negative": {"states": "NEGATIVE"}, "all not quantifiable": {"states": "PNQ"}, "one arm": {"arms": ("A",)},
    "three arms": {"arms": ("A", "B", "C")}, "no source": {"sources": (None,)}, "blood only": {"sources": ("PB",)},
    "two patients": {"patients": 2}, "no death": {"deaths": False}}


@pytest.mark.parametrize("kind", [*WEIRD, "no relapse", "no event", "no samples by the start", "no RFS"])
def test_weird_cohorts_get_rows_and_words(kind):
    endpoints, admrd, adsl = cohort(**({"patients": 24} | WEIRD.get(kind, {})))
    if kind in ("no relapse", "no event"):
        endpoints = {name: one.assign(event=one["event"] & (kind == "no relapse") & (name == "RFS"))
                     for name, one in endpoints.items()}
    if kind == "no samples by the start":
        admrd = admrd.assign(ADY=admrd["ADY"] + 330)
    if kind == "no RFS":
        endpoints["RFS"] = endpoints["RFS"].iloc[:0]
    study = Study("demo", "own", "", "", tuple(Arm(key, key, key == "B") for key in sorted(set(adsl["TRT01A"]))))
    for arm in multiverse.arms_with_samples(endpoints["TTRLP"], admrd, study):
        made = multiverse.specify(endpoints, admrd, adsl, study, arm)
        rows = multiverse.analyse_multiverse(made, multiverse.reference(made, seed=1, draws=40))
        words = multiverse.in_words(rows)
        assert rows.loc[rows["statistic"] == "specifications", "value"].item() in (800, 1600)
        assert words.startswith("**") and "nan" not in words
        assert not multiverse.multiverse_table(rows).empty and len(multiverse.by_choice(made, study)) > 10
        if kind in ("no event", "all negative", "two patients", "no samples by the start"):
            assert kind == "all negative" or "can be analysed: under each" in words


def test_nothing_at_all():
    made = multiverse.specify({}, *NOTHING, TWO)
    assert multiverse.in_words(multiverse.analyse_multiverse(made, multiverse.reference(made, seed=1)))
