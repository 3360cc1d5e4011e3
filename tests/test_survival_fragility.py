"""Fragility against brute force, leave-one-out against one estimator call after another."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import batch
from remission.estimators import comparisons, models
from remission.study import Arm, Study
from remission.survival import fragility, influence
from remission.survival.endpoints import endpoint

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="day",
            endpoint_labels={"TTRLP": "time to relapse"})
ONE = Study("made", "own", "", "", (Arm("A", "Arm A"),))


def adtte(rows):
    """Frame with the columns of adtte; rows of (patient, arm, days, CNSR)."""
    made = pd.DataFrame(rows, columns=["USUBJID", "TRT01A", "AVAL", "CNSR"])
    return made.assign(PARAMCD="TTRLP", PARAM="time to relapse", ORIGIN="start of maintenance", ENTRYDY=0)


def cohort(seed, patients=8, shift=1.0):
    """Small random cohort with ties and censoring, arms of about one size."""
    random = np.random.default_rng(seed)
    arm = np.where(np.arange(patients) % 2, "B", "A")
    time = random.integers(1, 9, patients) + np.where(arm == "A", round(8 * shift), 0)
    return adtte([(f"p{number}", one, int(days), int(cnsr)) for number, (one, days, cnsr) in
                  enumerate(zip(arm, time, random.random(patients) < 0.3, strict=True))])


def exemplar():
    """The made cohort of 19 + 12 that fits the abstract's times, relapse only."""
    made = pd.read_csv(DATA / "exemplar.csv")
    arm = made["arm"].map({"IM": "B"}).fillna("A")
    return adtte(list(zip(made["patient"], arm, made["time"], (made["code"] != 1).astype(int), strict=True)))


def brute_force(rows, rule):
    """Every set of changes, one log-rank test after another: smallest sets by direction."""
    data = endpoint(rows, "TTRLP")
    longest = data.groupby("arm")["time"].transform("max")
    able = data.index if rule == "flip" else data.index[data["event"]]
    start = comparisons.logrank(data, "B")
    found = {}
    for size in range(1, len(able) + 1):
        for chosen in combinations(able, size):
            one, inside = data.copy(), data.index.isin(chosen)
            one.loc[inside, "event"] = ~one.loc[inside, "event"] if rule == "flip" else False
            if rule == "ongoing":
                one.loc[inside, "time"] = longest[inside]
            test = comparisons.logrank(one, "B")
            if math.isnan(test.p):
                continue
            better = "A" if test.score < 0 else "B"
            aims = {better} if test.p < 0.05 else {"lost"}
            for aim in aims:
                found.setdefault(aim, []).append(set(data.loc[inside, "patient"]))
    now = ("A" if start.score < 0 else "B") if start.p < 0.05 else None
    wanted = {"A", "B"} if now is None else {"lost", "A" if now == "B" else "B"}
    return {aim: [one for one in found.get(aim, []) if len(one) == min(map(len, found[aim]))] for aim in wanted}


class TestAgainstBruteForce:
    @pytest.mark.parametrize("rule", ["flip", "ongoing"])
    @pytest.mark.parametrize(("seed", "shift"), [(1, 1.0), (2, 1.0), (3, 0.5), (4, 0.0), (5, 0.3), (6, 2.0)])
    def test_smallest_sets(self, seed, shift, rule):
        rows = cohort(seed, shift=shift)
        truth = brute_force(rows, rule)
        found = fragility.search(rows, TWO, "TTRLP")
        lines = found.lines[found.lines["rule"] == rule].set_index("towards")
        assert set(lines.index) == set(truth)
        for aim, sets in truth.items():
            if not sets:
                assert lines.loc[aim, "note"] == "no set of changes gets there"
                continue
            assert (lines.loc[aim, "patients"], lines.loc[aim, "sets"]) == (len(sets[0]), len(sets))
            who = found.members[(found.members["rule"] == rule) & (found.members["towards"] == aim)]
            assert dict(zip(who["patient"], who["sets"], strict=True)) == {
                name: sum(name in one for one in sets) for name in set().union(*sets)}
            assert set(lines.loc[aim, "example"].split(", ")) in sets

    @pytest.mark.parametrize("seed", [1, 4, 5])
    def test_search_that_is_not_exhaustive_claims_no_more_than_it_knows(self, seed):
        rows = cohort(seed, shift=0.3)
        truth = brute_force(rows, "flip")
        found = fragility.search(rows, TWO, "TTRLP", subsets=8)
        lines = found.lines[found.lines["rule"] == "flip"].set_index("towards")
        for aim, sets in truth.items():
            if sets and lines.loc[aim, "patients"] > 1:
                assert lines.loc[aim, "at_least"] == 2 <= len(sets[0]) <= lines.loc[aim, "patients"]
                assert math.isnan(lines.loc[aim, "sets"])


class TestSearch:
    def test_single_changes_are_those_of_the_estimator(self):
        rows = exemplar()
        found = fragility.search(rows, TWO, "TTRLP", subsets=500).single
        data = endpoint(rows, "TTRLP")
        for one in found[found["rule"] == "flip"].itertuples():
            changed = data.assign(event=data["event"] ^ (data["patient"] == one.patient))
            assert one.then == pytest.approx(comparisons.logrank(changed, "B").p, rel=1e-9)

    def test_made_cohort(self):
        found = fragility.search(exemplar(), TWO, "TTRLP")
        rows = fragility.rows(found, TWO).set_index("result_id")
        assert rows.loc["fragility.TTRLP.all.A vs B.patients", "value"] == 1
        assert rows.loc["fragility.TTRLP.all.A vs B.patients[for A]", "value"] == 1
        backwards = rows.loc["fragility.TTRLP.all.A vs B.patients[for B]"]
        assert backwards["lower"] == 5 <= backwards["value"] == backwards["upper"]
        assert "at least 5 needed" in backwards["display"]
        assert "an event becomes a censoring on the same day" in backwards["method"]
        said = fragility.reading(found, TWO)
        assert "**Time to relapse.** The log-rank test gives p = 0.070." in said
        assert "one patient is enough" in said and "in favour of B" in said
        assert "nan" not in fragility.table(found, TWO).to_string() + said

    def test_the_way_only_goes_further(self):
        path = fragility.search(exemplar(), TWO, "TTRLP").path
        for (_, arm), steps in path.groupby(["rule", "towards"]):
            assert steps["changed"].tolist() == list(range(len(steps)))
            assert (np.diff(steps["z"]) * (-1 if arm == "A" else 1) >= 0).all()

    @pytest.mark.parametrize(("rows", "why"), [
        ([("a", "A", 1, 1), ("b", "B", 2, 1)], "no events"),
        ([("a", "A", 3, 0), ("b", "B", 3, 0)], "all events at one time: the test's variance is zero")])
    def test_without_a_test_it_says_why(self, rows, why):
        found = fragility.search(adtte(rows), TWO, "TTRLP")
        assert fragility.rows(found, TWO)["display"].tolist() == [why, why]
        assert why in fragility.reading(found, TWO)
        assert fragility.members(found, TWO).empty

    def test_two_patients_have_nowhere_to_go(self):
        found = fragility.search(adtte([("a", "A", 1, 0), ("b", "B", 2, 0)]), TWO, "TTRLP")
        assert set(found.lines["note"]) == {"no set of changes gets there"}

    def test_a_search_that_ends_early_says_how_far_it_went(self, monkeypatch):
        monkeypatch.setattr(fragility, "CELLS", 3000)
        found = fragility.search(exemplar(), TWO, "TTRLP")
        line = found.lines[(found.lines["rule"] == "flip") & (found.lines["towards"] == "B")].iloc[0]
        assert line["note"] == "not reached with up to 2 patients"
        row = fragility.rows(found, TWO).set_index("result_id").loc["fragility.TTRLP.all.A vs B.patients[for B]"]
        assert math.isnan(row["value"]) and row["lower"] == 2
        assert row["display"] == "not reached with up to 2 patients"

    def test_a_large_cohort_is_not_searched(self):
        found = fragility.search(cohort(1, patients=2001), TWO, "TTRLP")
        assert found.lines["note"].unique().tolist() == ["more than 2,000 patients: not searched"]

    @pytest.mark.parametrize("study", [ONE, TWO])
    def test_one_arm(self, study):
        found = fragility.search(adtte([("a", "A", 1, 0), ("b", "A", 2, 0)]), study, "TTRLP")
        assert fragility.rows(found, study).empty and fragility.table(found, study).empty
        assert fragility.reading(found, study) == "*No two arms to compare: no p-value to move.*"


class TestLeaveOneOut:
    def test_equals_one_estimator_call_after_another(self):
        rows = exemplar()
        found, data = influence.leave_one_out(rows, TWO, "TTRLP"), endpoint(rows, "TTRLP")
        assert found["left_out"].tolist() == ["", *data["patient"]]
        for one in found.itertuples():
            rest = data[data["patient"] != one.left_out]
            assert one.p == pytest.approx(comparisons.logrank(rest, "B").p, rel=1e-9)
            ratio = one.HR
            assert ratio == pytest.approx(models.cox(rest, "B").value, rel=1e-8)

    def test_exact_p_of_the_rest(self):
        rows = exemplar()
        found, data = influence.leave_one_out(rows, TWO, "TTRLP"), endpoint(rows, "TTRLP")
        for place in (0, 30):
            rest = data.drop(index=place)
            time, event, arm = rest["time"].to_numpy(), rest["event"].to_numpy(), (rest["arm"] == "A").to_numpy()
            p = batch.permutation.exact(batch.permutation.scores(time, event), arm).p
            assert found.loc[place + 1, "exact_p"] == p

    def test_rows_name_the_patient(self):
        found = influence.leave_one_out(exemplar(), TWO, "TTRLP")
        rows = influence.rows(found, TWO).set_index("result_id")
        least = rows.loc["influence.TTRLP.all.A vs B.min_p"]
        assert least["value"] == found["p"].iloc[1:].min()
        assert least["n"] == 30
        who = found.loc[found["p"] == least["value"], "left_out"].iloc[0]
        assert f"without {who}" in least["display"]
        assert influence.table(found, TWO)["left out"].tolist().count("nobody") == 1
        assert "takes p across 0.05" in influence.reading(found, TWO)

    def test_separated_arms_have_an_infinite_ratio_and_no_warning(self):
        rows = adtte([(f"p{n}", "A" if n > 4 else "B", n, 0) for n in range(1, 9)])
        found = influence.leave_one_out(rows, TWO, "TTRLP")
        assert (found["HR"] == 0).all()
        assert influence.rows(found, TWO).set_index("statistic").loc["min_HR", "value"] == 0
        assert "moves it most" not in influence.reading(found, TWO)

    def test_without_a_patient_there_may_be_no_test(self):
        found = influence.leave_one_out(adtte([("a", "A", 1, 0), ("b", "B", 2, 0)]), TWO, "TTRLP")
        assert found["note"].tolist() == ["", *["no test without this patient"] * 2]
        assert "without any one patient there is no test" in influence.reading(found, TWO)

    def test_large_cohort_and_no_events(self):
        large = influence.leave_one_out(cohort(1, patients=2001), TWO, "TTRLP")
        assert large["note"].tolist() == ["more than 2,000 patients: nobody left out"]
        none = influence.leave_one_out(adtte([("a", "A", 1, 1), ("b", "B", 2, 1)]), TWO, "TTRLP")
        assert influence.reading(none, TWO) == "**Time to relapse.** Nobody was left out: no events."
        assert influence.rows(none, TWO).empty

    def test_one_arm(self):
        found = influence.leave_one_out(adtte([("a", "A", 1, 0), ("b", "A", 2, 0)]), ONE, "TTRLP")
        assert found.empty and influence.table(found, ONE).empty and influence.rows(found, ONE).empty
