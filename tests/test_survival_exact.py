"""Permutation log-rank tests of two arms, and the rows that name their statistics apart."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission.estimators import comparisons
from remission.study import Arm, Study
from remission.survival import exact
from remission.survival.endpoints import endpoint

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="month",
            endpoint_labels={"TTRLP": "time to relapse"})
ONE = Study("made", "own", "", "", (Arm("A", "Arm A"),))
#: Times to relapse of a made cohort, 19 + 12, in days; + censored.
A = "139 150 197 225 323 475 610 658+ 735 782 801 825 1063+ 1283+ 2551+ 2890+ 3155+ 3462 3787+"
B = "37 63 68 75 263 264 285 636 663 1025 2387+ 2768+"


def adtte(arms, paramcd="TTRLP"):
    """Frame with the columns of adtte, from times written as `139 658+`."""
    rows = [(arm, int(one.rstrip("+")), int(one.endswith("+"))) for arm, times in arms.items() for one in times.split()]
    made = pd.DataFrame(rows, columns=["TRT01A", "AVAL", "CNSR"])
    return made.assign(USUBJID=[f"{arm}-{number:03}" for number, arm in enumerate(made["TRT01A"])], PARAMCD=paramcd,
                       PARAM=paramcd, ORIGIN="start of maintenance", ENTRYDY=0)


def many(patients, seed=1):
    """Arms of many patients without ties."""
    random = np.random.default_rng(seed)
    times = random.permutation(10 * patients)[:patients] + 1
    marks = np.where(random.random(patients) < 0.3, "+", "")
    words = [f"{time}{mark}" for time, mark in zip(times, marks, strict=True)]
    return adtte({"A": " ".join(words[::2]), "B": " ".join(words[1::2])})


def every_allocation(data):
    """Shares of all allocations at least as extreme, linear and studentised, one log-rank test after another."""
    time, event, arm = exact.arrays(data, "B")
    found = []
    for chosen in combinations(range(len(time)), int(arm.sum())):
        other = np.isin(np.arange(len(time)), chosen)
        table = comparisons.risk_sets(pd.DataFrame({"time": time, "event": event.astype(int),
                                                    "other": other.astype(int)}))
        at0, at1, ev0, ev1 = (table[name].to_numpy(float) for name in ("at_risk0", "at_risk1", "events0", "events1"))
        at, ev = at0 + at1, ev0 + ev1
        variance = np.where(at > 1, ev * at0 * at1 * (at - ev) / (at**2 * np.maximum(at - 1, 1)), 0).sum()
        score = (ev1 - ev * at1 / at).sum()
        found.append((chosen == tuple(np.flatnonzero(arm)), abs(score), score**2 / variance if variance > 0 else 0))
    seen = next(one for one in found if one[0])
    return [np.mean([one[place] >= seen[place] - 1e-9 for one in found]) for place in (1, 2)]


class TestAgainstR:
    def test_linear_p_is_that_of_coin(self):
        one = exact.permutation_tests(adtte({"A": A, "B": B}), TWO, draws=10).iloc[0]
        # logrank_test(Surv(time, event) ~ arm, distribution = "exact"), coin 1.4-2
        assert one["linear_p"] == pytest.approx(0.0934485398208375, rel=1e-9)
        assert one["allocations"] == 141_120_525
        assert one["linear_error"] == 0
        # pvalue(logrank_test(Surv(time, event) ~ arm))
        assert one["linear_asymptotic_p"] == pytest.approx(0.0931620272538227, rel=1e-9)
        # survdiff(Surv(time, event) ~ arm): chi-squared 3.2355
        assert one["asymptotic_p"] == pytest.approx(0.07205835965352952, rel=1e-9)

    def test_ties_as_in_coin(self):
        mp = pd.read_csv(DATA / "drug6mp.csv")
        rows = pd.DataFrame({"TRT01A": mp["arm"].map({"placebo": "B"}).fillna("A"), "AVAL": mp["time"],
                             "CNSR": 1 - mp["event"].astype(int), "USUBJID": mp.index.astype(str), "PARAMCD": "TTRLP",
                             "ENTRYDY": 0})
        one = exact.permutation_tests(rows, TWO, draws=10).iloc[0]
        # logrank_test(Surv(time, event) ~ arm, distribution = "exact"): 42 patients of Freireich 1963
        assert one["linear_p"] == pytest.approx(2.6120045182327e-05, rel=1e-9)


class TestAgainstEveryAllocation:
    COHORTS = ({"A": "3 5 5 9+", "B": "1 2 5+ 4"}, {"A": "1 2+ 2 6", "B": "2 3 4+ 7"},
               {"A": "4 8+ 9", "B": "1 2 3 3 5+"})

    @pytest.mark.parametrize("arms", COHORTS)
    def test_both_statistics(self, arms):
        rows = adtte(arms)
        linear, studentised = every_allocation(endpoint(rows, "TTRLP"))
        one = exact.permutation_tests(rows, TWO, draws=20_000, seed=3).iloc[0]
        assert one["linear_p"] == pytest.approx(linear, rel=1e-12)
        assert abs(one["studentised_p"] - studentised) < 4 * one["studentised_error"] + 1 / 20_000

    def test_the_two_differ_and_are_named_apart(self):
        tests = exact.permutation_tests(adtte({"A": A, "B": B}), TWO, draws=5000)
        rows = exact.rows(tests, TWO).set_index("result_id")
        linear, studentised = (rows.loc[f"permutation.TTRLP.all.A vs B.{name}_p"] for name in ("linear", "studentised"))
        assert linear["value"] - studentised["value"] > 0.01
        assert "linear" in linear["method"] and "exact, all 141,120,525 allocations" in linear["method"]
        assert "studentised" in studentised["method"] and "5,000 random allocations, seed 1" in studentised["method"]
        assert math.isnan(linear["lower"]) and studentised["lower"] < studentised["value"] < studentised["upper"]
        assert linear["display"] == "p = 0.093"
        assert "Monte Carlo standard error" in studentised["display"]


class TestSize:
    def test_too_many_to_count_is_drawn_and_says_so(self):
        found = exact.permutation_tests(many(90), TWO, draws=2000, seed=5)
        one = exact.rows(found, TWO).iloc[0]
        assert found["linear_exact"].tolist() == [False]
        assert "Monte Carlo, 2,000 random allocations, seed 5" in one["method"]
        assert abs(one["value"] - found["linear_asymptotic_p"].item()) < 4 * found["linear_error"].item() + 0.02
        assert "Of 2,000 random ways" in exact.reading(found, TWO)

    def test_a_large_cohort_gets_fewer_draws_and_says_how_many(self):
        found = exact.permutation_tests(many(20_000), TWO, draws=50_000)
        assert found["draws"].item() == 1000
        assert "1,000 random allocations" in exact.rows(found, TWO).iloc[0]["method"]

    def test_same_seed_same_numbers(self):
        first, again = (exact.permutation_tests(many(90), TWO, draws=500, seed=9) for _ in range(2))
        pd.testing.assert_frame_equal(first, again)


class TestNoTest:
    @pytest.mark.parametrize(("arms", "why"), [
        ({"A": "1+ 2+", "B": "3+ 4+"}, "no events"),
        ({"A": "3 3", "B": "3 3"}, "all events at one time: the test's variance is zero"),
        ({"A": "1+ 2+", "B": "5 6"}, "no event while both arms were at risk")])
    def test_it_says_why(self, arms, why):
        found = exact.permutation_tests(adtte(arms), TWO, draws=50)
        assert exact.rows(found, TWO)["display"].unique().tolist() == [f"not estimable: {why}"]
        assert why in exact.reading(found, TWO)
        assert exact.distribution(endpoint(adtte(arms), "TTRLP"), "B").empty

    @pytest.mark.parametrize(("rows", "study"), [(adtte({"A": A}), ONE), (adtte({"A": A}), TWO),
                                                 (adtte({"A": A, "B": B}, "MTDUR"), TWO)])
    def test_one_arm_or_no_endpoint(self, rows, study):
        found = exact.permutation_tests(rows, study)
        assert found.empty and exact.rows(found, study).empty and exact.table(found, study).empty
        assert exact.reading(found, study) == "*No two arms to compare: nothing to deal anew.*"


class TestReading:
    def test_it_tells_variance_from_small_numbers(self):
        said = exact.reading(exact.permutation_tests(adtte({"A": A, "B": B}), TWO, draws=2000), TWO)
        assert said.startswith("- **Time to relapse.** A had 3.8 events fewer than expected")
        assert "Of all 141,120,525 ways to deal 19 of the 31 outcomes to A, 9.3% make a difference" in said
        assert "it is that variance, and not the small numbers" in said
        assert "All three fall on the same side of 0.05." in said
        assert "Median follow-up is" in said

    def test_follow_up_that_cannot_be_told(self):
        said = exact.reading(exact.permutation_tests(adtte({"A": "5 6 7 9", "B": "1 2 3 4"}), TWO, draws=200), TWO)
        assert "Too few were censored in A and B" in said


class TestDistribution:
    def test_shares_and_the_observed_value(self):
        data = endpoint(adtte({"A": A, "B": B}), "TTRLP")
        made = exact.distribution(data, "B", draws=20_000, seed=2)
        bars = made[made["part"] == "bin"]
        assert bars.groupby("statistic")["share"].sum().to_numpy() == pytest.approx([1, 1])
        extreme = bars[bars["extreme"].astype(bool)].groupby("statistic")["share"].sum()
        assert extreme["linear"] == pytest.approx(0.09345, abs=4 * math.sqrt(0.09345 * 0.90655 / 20_000))
        observed = made[made["part"] == "observed"].set_index("statistic")["left"]
        assert observed["studentised"] == pytest.approx(-math.sqrt(3.235498746680363))
        # The observed value is the edge of a bar, and no bar holds both kinds.
        mixed = bars[bars["share"] > 0].groupby(["statistic", "left"]).size()
        assert mixed.max() == 1
        assert np.isclose(bars.loc[bars["statistic"] == "linear", "left"], observed["linear"]).any()
