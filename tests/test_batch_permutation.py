"""Permutation log-rank tests against R's coin, brute force and each other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import batch
from remission.batch import allocations, permutation

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"

#: R 4.2.2, coin 1.4-2, arms as factors:
#: `t <- logrank_test(Surv(time, event) ~ arm, distribution = "exact", ties.method = ...)`
#: `pvalue(t)`, and with `alternative = "less"`; statistic(t, "linear") minus its expectation where scores are centred.
COIN = [
    ("aml", "mid-ranks", 0.0646930132729029, 0.966882827765854),
    ("aml", "Hothorn-Lausen", 0.0666122812441294, 0.965915427956079),
    ("aml", "average-scores", 0.0636390799939057, 0.967361350454634),
    ("drug6mp", "mid-ranks", 2.6120045182327e-05, 0.99998693998484),
    ("drug6mp", "Hothorn-Lausen", 3.33235626488306e-05, 0.999983338226107),
    ("drug6mp", "average-scores", 2.22279516348496e-05, 0.999988886031614),
    ("exemplar", "mid-ranks", 0.0909991512574093, 0.956006626250859),
    ("exemplar", "Hothorn-Lausen", 0.0909991512574093, 0.956006626250859),
    ("exemplar", "average-scores", 0.0909991512574093, 0.956006626250859),
    ("ash2012_reconstructed", "mid-ranks", 0.0934485398208375, 0.954766870375518),
    ("ash2012_reconstructed", "Hothorn-Lausen", 0.0934485398208375, 0.954766870375518),
    ("ash2012_reconstructed", "average-scores", 0.0934485398208375, 0.954766870375518),
]


def shipped(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event, and the arm that comes second in the alphabet, as R codes it."""
    if name == "ash2012_reconstructed":
        data = pd.read_csv(ROOT / "data" / "processed" / name / "adtte.csv").query("PARAMCD == 'TTRLP'")
        data = data.assign(time=data["AVAL"], event=data["CNSR"] == 0, arm=data["TRT01A"])
    else:
        data = pd.read_csv(DATA / f"{name}.csv")
    event = (data["event"] if "event" in data else data["code"]) == 1
    return data["time"].to_numpy(), event.to_numpy(), (data["arm"] == data["arm"].max()).to_numpy()


def small(seed: int, patients: int = 9, days: int = 7):
    """A small cohort with ties."""
    rng = np.random.default_rng(seed)
    arm = np.zeros(patients, bool)
    arm[rng.choice(patients, rng.integers(1, patients), replace=False)] = True
    return rng.integers(1, days, patients), rng.random(patients) < 0.7, arm


def every_arm(arm) -> np.ndarray:
    """Every allocation with the arm's size, one a row."""
    chosen = list(itertools.combinations(range(len(arm)), int(np.sum(arm))))
    arms = np.zeros((len(chosen), len(arm)), bool)
    np.put_along_axis(arms, np.array(chosen, int).reshape(len(chosen), -1), True, axis=1)
    return arms


class TestScores:
    def test_sum_over_an_arm_is_observed_minus_expected(self):
        for seed in range(40):
            time, event, arm = small(seed)
            made = permutation.scores(time, event)
            assert sum(made.numerators) == 0
            assert made.floats() @ arm == pytest.approx(batch.logrank(time, event, arm).score[0], abs=1e-12)

    @pytest.mark.parametrize(("ties", "wanted"), [
        ("mid-ranks", [.8, .8, -.2, -.2, .3, .3, .3, -1 / 30, -23 / 15, -8 / 15]),
        ("Hothorn-Lausen", [.75, .75, -.25, -.25, 0, 0, 0, -1 / 3, -7 / 3, -4 / 3]),
        ("average-scores", [.844444444444444, .844444444444444, -.211111111111111, -.211111111111111, .405555555555556,
                            .405555555555556, .405555555555556, -.161111111111111, -1.66111111111111,
                            -.661111111111111])])
    def test_ties_as_in_coin(self, ties, wanted):
        """`-logrank_trafo(Surv(time, event), ties.method = ...)`"""
        made = permutation.scores([2, 2, 2, 3, 5, 5, 5, 7, 8, 8], [1, 1, 0, 0, 1, 1, 1, 1, 0, 1], ties)
        assert made.floats() == pytest.approx(wanted, rel=1e-13, abs=1e-14)

    def test_average_scores_average_over_every_order_of_tied_events(self):
        time, event = [1, 3, 3, 3, 3, 6], [True, True, True, True, False, True]
        total, orders = np.zeros(6), list(itertools.permutations([0.1, 0.2, 0.3]))
        for order in orders:
            broken = [1, 3 - order[0], 3 - order[1], 3 - order[2], 3, 6]
            total += permutation.scores(broken, event).floats()
        assert permutation.scores(time, event, "average-scores").floats() == pytest.approx(total / len(orders))

    def test_without_ties_the_rules_agree(self):
        time, event, _ = small(1, patients=12)
        time = np.random.default_rng(1).permutation(12)
        assert len({permutation.scores(time, event, ties) for ties in permutation.TIES}) == 1

    def test_refusals(self):
        with pytest.raises(ValueError, match="rule for ties"):
            permutation.scores([1], [1], "breslow")
        with pytest.raises(ValueError, match="a time is missing"):
            permutation.scores([1.0, math.nan], [1, 1])
        with pytest.raises(ValueError, match=r"1,000 patients.*Monte Carlo"):
            permutation.scores(np.arange(1000), np.ones(1000))


class TestExact:
    @pytest.mark.parametrize(("name", "ties", "p", "lower"), COIN)
    def test_as_coin(self, name, ties, p, lower):
        time, event, arm = shipped(name)
        found = permutation.exact(permutation.scores(time, event, ties), arm, as_coin=True)
        assert found.p == pytest.approx(p, rel=1e-9)
        assert found.lower == pytest.approx(lower, rel=1e-9)
        assert found.allocations == math.comb(len(arm), int(arm.sum()))

    @pytest.mark.parametrize("name", ["aml", "drug6mp", "ash2012_reconstructed"])
    def test_coin_is_exact_where_no_statistic_nearly_ties(self, name):
        time, event, arm = shipped(name)
        made = permutation.scores(time, event)
        assert permutation.exact(made, arm).p == pytest.approx(permutation.exact(made, arm, as_coin=True).p, rel=1e-14)

    def test_coin_counts_eight_allocations_too_many_on_the_exemplar(self):
        """Their O - E falls short of the observed one by less than 1.5e-7 standard deviations, but is another."""
        time, event, arm = shipped("exemplar")
        made = permutation.scores(time, event)
        true, near = permutation.exact(made, arm), permutation.exact(made, arm, as_coin=True)
        assert true.allocations == 141_120_525
        assert round(true.p * true.allocations) == 12_841_840
        assert round(near.p * near.allocations) == 12_841_848
        assert "near ties as in coin" in near.method

    @pytest.mark.parametrize("ties", permutation.TIES)
    def test_brute_force(self, ties):
        for seed in range(60):
            time, event, arm = small(seed)
            made = permutation.scores(time, event, ties)
            values = [Fraction(one) for one in made.numerators]
            mean = Fraction(int(arm.sum()) * sum(values), len(values))
            observed = sum(one for one, other in zip(values, arm, strict=True) if other) - mean
            sums = [sum(chosen) - mean for chosen in itertools.combinations(values, int(arm.sum()))]
            found = permutation.exact(made, arm)
            assert found.allocations == len(sums)
            assert found.p == sum(abs(one) >= abs(observed) for one in sums) / len(sums)
            assert found.lower == sum(one <= observed for one in sums) / len(sums)
            assert found.upper == sum(one >= observed for one in sums) / len(sums)
            assert found.statistic == pytest.approx(float(observed / made.denominator), abs=1e-15)
            assert found.error == 0

    def test_long_whole_numbers_are_counted_as_exactly(self):
        """Scores times a huge number have the same order, but no longer fit a machine word."""
        for seed in range(30):
            time, event, arm = small(seed, patients=13)
            made = permutation.scores(time, event)
            long = [one * (2**64 + 13) for one in made.numerators]
            plain = allocations.allocations(list(made.numerators), int(arm.sum()))
            wide = allocations.allocations(long, int(arm.sum()))
            assert wide.doubt > 0 and plain.doubt == 0
            for bound in {sum(chosen) for chosen in itertools.islice(itertools.combinations(
                    made.numerators, int(arm.sum())), 50)}:
                assert wide.at_most(bound * (2**64 + 13)) == plain.at_most(bound)
                assert wide.at_most(bound * (2**64 + 13) - 1) == plain.at_most(bound - 1)

    def test_exchanging_arms_exchanges_the_tails(self):
        time, event, arm = shipped("aml")
        made = permutation.scores(time, event)
        one, two = permutation.exact(made, arm), permutation.exact(made, ~arm)
        assert (one.p, one.lower, one.upper) == (two.p, two.upper, two.lower)
        assert one.statistic == pytest.approx(-two.statistic)

    def test_nothing_to_tell_apart(self):
        for event, arm in (([0, 0, 0], [1, 0, 0]), ([1, 1, 1], [0, 0, 0]), ([1, 1, 1], [1, 1, 1])):
            found = permutation.exact(permutation.scores([1, 2, 3], event), arm)
            assert (found.statistic, found.p, found.lower, found.upper) == (0, 1, 1, 1)
        found = permutation.exact(permutation.scores([], []), [])
        assert (found.p, found.allocations) == (1, 1)

    def test_many_patients_with_few_different_scores(self):
        """Events at one time in a large cohort: the number of events in the arm is hypergeometric (Fisher's test)."""
        time = np.array([1] * 6 + [2] * 54)
        event, arm = time == 1, np.arange(60) % 3 == 0
        found = permutation.exact(permutation.scores(time, event), arm)
        ways = [math.comb(6, k) * math.comb(54, 20 - k) / math.comb(60, 20) for k in range(7)]
        assert found.p == pytest.approx(sum(ways[k] for k in range(7) if abs(k - 2) >= 0), rel=1e-12)
        assert found.upper == pytest.approx(sum(ways[2:]), rel=1e-12)

    def test_refusals_say_why(self):
        rng = np.random.default_rng(1)
        made = permutation.scores(rng.permutation(60), np.ones(60))
        with pytest.raises(ValueError, match=r"1.07e\+09 sums in one half of the patients.*Monte Carlo"):
            permutation.exact(made, np.arange(60) < 8)
        few = permutation.scores(np.repeat([1, 2], 100), np.repeat([1, 0], 100))
        with pytest.raises(ValueError, match="too long for exact counting"):
            permutation.exact(few, np.arange(200) % 2)
        long = permutation.Scores((2**200, 1, -1), 1)
        with pytest.raises(ValueError, match="too long for exact counting"):
            permutation.exact(long, [1, 0, 0])
        with pytest.raises(ValueError, match="60 scores for 2 patients"):
            permutation.exact(made, [True, False])


class TestMonteCarlo:
    @pytest.mark.parametrize("name", ["aml", "exemplar", "ash2012_reconstructed"])
    def test_linear_agrees_with_exact(self, name):
        time, event, arm = shipped(name)
        true = permutation.exact(permutation.scores(time, event), arm)
        found = permutation.monte_carlo(time, event, arm, draws=40_000, seed=7)
        assert abs(found.p - true.p) < 4 * found.error
        assert found.statistic == pytest.approx(true.statistic, rel=1e-12)
        for side in ("lower", "upper"):
            one = getattr(true, side)
            assert abs(getattr(found, side) - one) < 4 * math.sqrt(one * (1 - one) / 40_000)

    def test_studentised_agrees_with_every_allocation(self):
        for seed in (3, 4, 5):
            time, event, arm = small(seed, patients=12)
            arms = every_arm(arm)
            chi2 = batch.logrank(time, event, arms).chi2
            observed = batch.logrank(time, event, arm).chi2[0]
            true = np.mean(np.nan_to_num(chi2) >= observed * (1 - 1e-9))
            found = permutation.monte_carlo(time, event, arm, draws=20_000, seed=1, statistic="studentised")
            assert abs(found.p - true) < 4 * max(found.error, 1e-4)
            assert found.statistic == pytest.approx(observed)

    def test_the_two_statistics_differ_and_say_which_they_are(self):
        time, event, arm = shipped("drug6mp")
        made = {name: permutation.monte_carlo(time, event, arm, 2_000, 1, name) for name in permutation.STATISTICS}
        assert made["linear"].statistic == pytest.approx(10.2505009480311)
        assert made["studentised"].statistic == pytest.approx(16.7929409892165)
        assert made["linear"].method == "linear statistic, Monte Carlo, 2,000 allocations, seed 1"
        assert made["studentised"].method == "studentised statistic, Monte Carlo, 2,000 allocations, seed 1"

    def test_it_is_never_zero_and_counts_the_observed_allocation(self):
        found = permutation.monte_carlo(np.arange(40), np.ones(40), np.arange(40) < 20, draws=99, seed=1)
        assert found.p == found.upper == 0.01 and found.lower == 1
        assert found.error == pytest.approx(math.sqrt(0.01 * 0.99 / 99))

    def test_the_seed_decides(self):
        time, event, arm = shipped("aml")
        one, two, three = (permutation.monte_carlo(time, event, arm, 500, seed) for seed in (1, 1, 2))
        assert one == two and one.p != three.p

    def test_a_large_cohort_is_drawn_in_steps(self, monkeypatch):
        time, event, arm = shipped("aml")
        monkeypatch.setattr(permutation, "STEP", 100)
        found = permutation.monte_carlo(time, event, arm, 5_000, 3)
        assert abs(found.p - 0.0646930132729029) < 4 * found.error
        rng = np.random.default_rng(1)
        large = permutation.monte_carlo(rng.integers(1, 99, 20_000), rng.random(20_000) < 0.5, rng.random(20_000) < 0.5,
                                        20, 1)
        assert 0 < large.p <= 1

    def test_refusals_say_why(self):
        with pytest.raises(ValueError, match="statistic is one of linear, studentised"):
            permutation.monte_carlo([1, 2], [1, 1], [0, 1], 10, 1, "chi2")
        with pytest.raises(ValueError, match="no variance"):
            permutation.monte_carlo([2, 2], [1, 1], [0, 1], 10, 1, "studentised")
