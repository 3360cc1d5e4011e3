"""Bootstrap samples and BCa intervals, against R's boot and closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import batch

DATA = Path(__file__).parent / "data"


class TestSamples:
    def test_strata_keep_their_size_and_place(self):
        strata = np.array(["A", "B", "A", "B", "B", "C"])
        rows = batch.bootstrap(strata, draws=500, seed=1)
        assert rows.shape == (500, 6)
        assert (strata[rows] == strata).all()
        assert set(rows[:, 0]) == {0, 2} and set(rows[:, 1]) == {1, 3, 4} and set(rows[:, 5]) == {5}

    def test_every_patient_is_as_likely(self):
        rows = batch.bootstrap(np.zeros(8), draws=20_000, seed=2)
        counts = np.bincount(rows.ravel(), minlength=8)
        assert np.abs(counts - 20_000).max() < 4 * math.sqrt(20_000)

    def test_the_seed_decides(self):
        one, two, three = (batch.bootstrap(np.zeros(8), 20, seed) for seed in (1, 1, 2))
        assert (one == two).all() and (one != three).any()

    def test_leave_one_out(self):
        assert batch.leave_one_out(4).tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
        assert batch.leave_one_out(1).shape == (1, 0)


def replicates() -> tuple[float, np.ndarray, np.ndarray]:
    """Maintained arm of aml, the root of the sum of times to the 1.5: estimate, 999 replicates, leave-one-out values.

    Samples by Lehmer's generator (16807, modulus 2**31 - 1), so that R draws the same ones.
    """
    data = pd.read_csv(DATA / "aml.csv").query("arm == 'Maintained'")
    power, state, rows = data["time"].to_numpy() ** 1.5, 20121208, []
    for _ in range(999 * len(power)):
        state = 16807 * state % 2147483647
        rows.append(len(power) * state // 2147483647)
    drawn = power[np.reshape(rows, (999, len(power)))]
    without = power[batch.leave_one_out(len(power))]
    return math.sqrt(power.sum()), np.sqrt(drawn.sum(axis=1)), np.sqrt(without.mean(axis=1) * len(power))


class TestBCa:
    @pytest.mark.parametrize(("level", "lower", "upper"), [
        (0.95, 36.6759287967154, 97.5779026014334), (0.9, 37.9469087523982, 95.0456442074729)])
    def test_as_in_r(self, level, lower, upper):
        """R 4.2.2, boot 1.3-28.1, same replicates: `boot:::bca.ci(NULL, conf, t0 = t0, t = t, L = mean(jk) - jk)`."""
        estimate, values, jackknife = replicates()
        assert estimate == pytest.approx(59.1921873196671, rel=1e-13)
        assert values.sum() == pytest.approx(57482.1530725122, rel=1e-13)
        found = batch.bca(estimate, values, jackknife, level)
        assert (found.lower, found.upper) == pytest.approx((lower, upper), rel=1e-12)
        assert found.note == ""

    def test_acceleration_as_in_r(self):
        """`sum(L^3) / (6 * sum(L^2)^1.5)`"""
        assert batch.acceleration(replicates()[2]) == (pytest.approx(0.137564397783517, rel=1e-10), "")

    def test_acceleration_within_strata(self):
        """Difference of means: a patient's influence is the distance from the group's mean over the group's size."""
        one, two = np.array([1.0, 2, 4, 9]), np.array([3.0, 5, 5, 6, 20, 31])
        jackknife = np.concatenate([[two.mean() - np.delete(one, place).mean() for place in range(4)],
                                    [np.delete(two, place).mean() - one.mean() for place in range(6)]])
        parts = np.concatenate([-(one - one.mean()) / 4, (two - two.mean()) / 6])
        wanted = (parts**3).sum() / (6 * (parts**2).sum() ** 1.5)
        found = batch.acceleration(jackknife, strata=[0] * 4 + [1] * 6)
        assert found[0] == pytest.approx(wanted, rel=1e-12)

    def test_without_bias_or_acceleration_it_is_the_percentile_interval(self):
        values = np.arange(-999, 1000.0)
        found = batch.bca(0, values, [-1.0, 0, 1])
        assert (found.lower, found.upper) == pytest.approx((-950, 950), abs=1e-6)

    def test_replicates_equal_to_the_estimate_count_half(self):
        found = batch.bca(2, np.repeat([1.0, 2, 3], 333), [1.0, 2, 3])
        assert (found.lower, found.upper, found.note) == (1, 3, "")

    def test_infinite_replicates_are_values(self):
        values = np.concatenate([np.arange(950.0), np.full(49, np.inf)])
        found = batch.bca(475.0, values, [1.0, 2, 3])
        assert found.lower < 50 and found.upper == math.inf and found.note == ""
        found = batch.bca(475.0, -values, [1.0, 2, 3])
        assert found.lower == -math.inf

    def test_no_acceleration_gives_the_percentile_interval_and_says_so(self):
        values = np.arange(999.0)
        for jackknife, why in (([1, 2, math.inf], "not finite"), ([5.0, 5, 5], "no patient's leaving changes")):
            found = batch.bca(100, values, jackknife)
            assert (found.lower, found.upper) == pytest.approx((24, 974))
            assert found.note.startswith("percentile interval: ") and why in found.note

    def test_estimate_outside_its_replicates(self):
        found = batch.bca(-1, np.arange(999.0), [1.0, 2, 3])
        assert found.note == "percentile interval: every bootstrap value lies on one side of the estimate"

    def test_undefined_replicates_are_left_out_and_counted(self):
        values = np.concatenate([np.arange(999.0), [math.nan] * 3])
        found = batch.bca(499, values, [1.0, 2, 3])
        assert found.note == "3 of 1002 bootstrap cohorts have no value and are left out"
        assert found[:2] == pytest.approx((24, 974))

    def test_no_estimate_no_interval(self):
        found = batch.bca(math.nan, [1.0, 2], [1.0, 2])
        assert math.isnan(found.lower) and found.note == "the statistic has no value"
        assert batch.bca(1, [math.nan], [1.0, 2]).note.startswith("the statistic has no value; 1 of 1")

    def test_an_infinite_estimate(self):
        """A median that is not reached: half of the replicates equal to it lie above."""
        values = np.concatenate([np.arange(400.0), np.full(599, np.inf)])
        found = batch.bca(math.inf, values, [1.0, 2, 3])
        assert 0 < found.lower < 400 and found.upper == math.inf

    def test_kernels_together(self):
        """Median of the exemplar's arms, 2,000 samples: the interval brackets the estimate."""
        data = pd.read_csv(DATA / "exemplar.csv")
        time, event, arm = data["time"].to_numpy(), (data["code"] == 1).to_numpy(), (data["arm"] == "IM").to_numpy()
        rows, without = batch.bootstrap(arm, 2_000, seed=1), batch.leave_one_out(len(arm))
        log_hr, _ = batch.cox(time[rows], event[rows], arm)
        jackknife, _ = batch.cox(time[without], event[without], arm[without])
        found = batch.bca(batch.cox(time, event, arm)[0][0], log_hr, jackknife, strata=arm)
        assert found.note == ""
        assert -0.5 < found.lower < 0.776494022912185 < found.upper < 2.5
