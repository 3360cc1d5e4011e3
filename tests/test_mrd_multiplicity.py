"""Permutation tests and adjusted p-values. Expected numbers: R 4.2.2 (coin 1.4-2, p.adjust), enumeration, by hand."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from survival_examples import AML, UNTIED
from test_adam_admrd import STUDY
from test_mrd import known, outcome

from remission import mrd, results
from remission.batch import trend
from remission.mrd import multiplicity


class TestPermutation:
    def test_standardised_statistic_of_coin(self):
        # R: coin::logrank_test(Surv(time, status) ~ x, aml, ties.method = "mid-ranks"): Z = 1.834549927095
        time, event, x = (np.array(one, float) for one in AML)
        rows = np.concatenate(list(trend.shuffled(np.zeros(23), 40_000, 3)))
        drawn = trend.score_test(time, event, x[rows]).score
        seen = trend.score_test(time, event, x).score[0]
        assert seen / drawn.std() == pytest.approx(1.834549927095, abs=0.03)  # four standard errors of the SD

    def test_against_coin_monte_carlo(self):
        # R, 100,000 resamples, seed 1: p = 0.06488, standard error 0.0008
        assert multiplicity.permutation_p(*AML, seed=1, permutations=50_000) == pytest.approx(0.06488, abs=0.004)

    def test_closed_form(self):
        # Three of six, the earliest: of choose(6, 3) = 20 labellings this one and its mirror are as extreme, p = 0.1.
        assert multiplicity.permutation_p(
            [1, 2, 3, 4, 5, 6], [1] * 6, [1, 1, 1, 0, 0, 0], seed=3, permutations=40_000
        ) == pytest.approx(0.1, abs=0.006)

    def test_shuffling_stays_within_the_arm(self):
        # Two arms of two: within each the marked patient is first, so 2 x 2 labellings, 2 of them as extreme: p = 0.5.
        found = multiplicity.permutation_p(
            [1, 2, 8, 9], [1, 1, 1, 1], [1, 0, 1, 0], ["a", "a", "b", "b"], seed=1, permutations=20_000)
        assert found == pytest.approx(0.5, abs=0.02)

    def test_seed_fixes_it_and_it_is_never_zero(self):
        one = multiplicity.permutation_p(*UNTIED, seed=9, permutations=199)
        assert one == multiplicity.permutation_p(*UNTIED, seed=9, permutations=199) >= 1 / 200

    def test_nothing_to_compare(self):
        time, event, x = AML
        assert math.isnan(multiplicity.permutation_p([1, 2], [0, 0], [0, 1], seed=1))
        assert math.isnan(multiplicity.permutation_p([1, 2], [1, 1], [1, 1], seed=1))
        assert math.isnan(multiplicity.permutation_p(time, event, x, x, seed=1))


def every_order(time, event, markers):
    """Adjusted p of single-step max-T over every order of the patients, standard deviations over all of them."""
    orders = np.array(list(permutations(range(len(time)))))
    drawn = np.column_stack([trend.score_test(time, event, column[orders]).score for column in markers.T])
    seen = np.array([trend.score_test(time, event, column).score[0] for column in markers.T])
    spread = np.sqrt((drawn**2).mean(axis=0))
    highest = (np.abs(drawn) / spread).max(axis=1)
    return [(highest >= one * (1 - 1e-9)).mean() for one in np.abs(seen) / spread]


class TestMaxT:
    time, event = [1, 2, 3, 4, 5, 6, 7], [1, 1, 0, 1, 1, 0, 1]
    markers = np.array([[1, 1, 0, 1, 0, 0, 0], [3.1, 0.2, 2.5, 1.9, 0.4, 2.2, 0.1], [0, 1, 0, 1, 0, 1, 0]], float).T

    def test_enumeration(self):
        # All 5,040 orders of seven patients.
        exact = every_order(self.time, self.event, self.markers)
        found = multiplicity.max_t(self.time, self.event, self.markers, seed=1, permutations=40_000)
        assert found == pytest.approx(exact, abs=0.012)

    def test_one_marker_alone_needs_no_adjustment_and_a_copy_costs_nothing(self):
        alone = multiplicity.permutation_p(*AML, seed=4, permutations=2000)
        twice = np.column_stack([AML[2], AML[2]]).astype(float)
        assert multiplicity.max_t(*AML[:2], twice, seed=4, permutations=2000).tolist() == [alone, alone]

    def test_never_below_the_p_of_the_marker_itself(self):
        single = [multiplicity.permutation_p(self.time, self.event, column, seed=6, permutations=3000)
                  for column in self.markers.T]
        assert (multiplicity.max_t(self.time, self.event, self.markers, seed=6, permutations=3000) >= single).all()

    def test_a_marker_that_cannot_be_compared_is_no_member(self):
        flat = np.column_stack([self.markers[:, 0], np.ones(7), np.full(7, np.nan)])
        found = multiplicity.max_t(self.time, self.event, flat, seed=1, permutations=500)
        assert np.isnan(found).tolist() == [False, True, True]
        alone = multiplicity.permutation_p(self.time, self.event, flat[:, 0], seed=1, permutations=500)
        assert found[0] == alone

    def test_false_findings_stay_at_their_level(self):
        # 400 cohorts without any effect, three correlated markers: any p below 0.1 in 0.1 +- 4 * 0.015 of them.
        random, hits = np.random.default_rng(11), 0
        for _ in range(400):
            common = random.normal(size=(24, 1))
            markers = common + random.normal(size=(24, 3))
            hits += multiplicity.max_t(random.exponential(1, 24), random.random(24) < 0.7, markers, seed=1,
                                       permutations=199).min() <= 0.1
        assert hits / 400 == pytest.approx(0.1, abs=0.06)


def test_holm_and_benjamini_hochberg():
    # R: p.adjust(c(.3, .01, .04, .02, .5), "holm"); "BH"
    found = multiplicity.adjusted([0.3, 0.01, 0.04, 0.02, 0.5])
    assert found["p_holm"].tolist() == pytest.approx([0.60, 0.05, 0.12, 0.08, 0.60])
    assert found["p_BH"].tolist() == pytest.approx([0.375, 0.05, 0.2 / 3, 0.05, 0.5])
    gaps = multiplicity.adjusted([math.nan, 0.01, math.nan, 0.02])
    assert gaps["p_holm"].tolist() == pytest.approx([math.nan, 0.02, math.nan, 0.02], nan_ok=True)
    assert multiplicity.adjusted([math.nan]).isna().all(axis=None)


class TestResults:
    def test_family_of_the_arm(self):
        time, event, x = AML
        endpoint = outcome(time, [bool(one) for one in event])
        admk = known(RESP6M=["N" if one else "Y" for one in x], NCYCLES=[3 + one % 4 for one in range(23)],
                     EVERNEG=["Y"] * 23, MUTFL=[None, *(["Y", "N"] * 11)])
        rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=499, bootstraps=0)
        found = mrd.analyse_multiplicity(rows, endpoint, admk, STUDY, seed=1, permutations=499)
        assert len(found) == 4 * 3  # four markers known, three adjustments
        assert results.pick(found, "mrd.ever_negative.all.A.p_maxT")["display"] == (
            "not estimable: all patients are in one group")
        tests = {"response6m": "permutation_p", "cycles": "permutation_p[per unit]", "mutation": "permutation_p"}
        first = [results.pick(rows, f"mrd.{name}.all.A.{test}")["value"] for name, test in tests.items()]
        holm = [results.pick(found, f"mrd.{name}.all.A.p_holm")["value"] for name in tests]
        assert holm == pytest.approx(multiplicity.adjusted(first)["p_holm"].tolist())
        assert "over 3 markers" in found["method"].iloc[0]
        table = mrd.multiplicity_table(rows, found)
        assert table["single-step max-T"].str.startswith("p = ").tolist() == [True, False, True, True]
        assert mrd.multiplicity_in_words(found).startswith("**A.** Of 3 markers tested, 0 have")

    def test_nothing_can_be_tested(self):
        endpoint, admk = outcome([1, 2, 3], False), known(EVERNEG=["Y", "N", "Y"])
        rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=9, bootstraps=0)
        found = mrd.analyse_multiplicity(rows, endpoint, admk, STUDY, seed=1, permutations=9)
        assert found["value"].isna().all() and found["display"].eq("not estimable: no events").all()
        assert mrd.multiplicity_in_words(found) == "No marker could be tested in this cohort."
        assert isinstance(mrd.multiplicity_table(rows, found), pd.DataFrame)
