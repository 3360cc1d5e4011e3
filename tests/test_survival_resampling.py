"""Bootstrap intervals: against R's boot, scipy's bootstrap, and one estimator call after another."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from remission import batch
from remission.estimators import curves, models, restricted
from remission.study import Arm, Study
from remission.survival import resampling
from remission.survival.endpoints import endpoint

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="day", rmst_times=(1826,),
            endpoint_labels={"TTRLP": "time to relapse"})
ONE = Study("made", "own", "", "", (Arm("A", "Arm A"),), report_unit="day", rmst_times=(100,))
#: Times to relapse of a made cohort, 19 + 12, in days; + censored.
A = "139 150 197 225 323 475 610 658+ 735 782 801 825 1063+ 1283+ 2551+ 2890+ 3155+ 3462 3787+"
B = "37 63 68 75 263 264 285 636 663 1025 2387+ 2768+"


def adtte(arms, paramcd="TTRLP"):
    """Frame with the columns of adtte, from times written as `139 658+`."""
    rows = [(arm, int(one.rstrip("+")), int(one.endswith("+"))) for arm, times in arms.items() for one in times.split()]
    made = pd.DataFrame(rows, columns=["TRT01A", "AVAL", "CNSR"])
    return made.assign(USUBJID=[f"{arm}-{number}" for number, arm in enumerate(made["TRT01A"])], PARAMCD=paramcd,
                       PARAM=paramcd, ORIGIN="start of maintenance", ENTRYDY=0)


@pytest.fixture(scope="module")
def made():
    return resampling.intervals(adtte({"A": A, "B": B}), TWO)


def one(found, statistic, arm):
    return found[(found["statistic"] == statistic) & (found["arm"] == arm)].iloc[0]


class TestAgainstOthers:
    #: R 4.2.2, boot 1.3-28.1: boot(data, f, R = 6000, strata = arm), set.seed(1); boot.ci(type = "bca", L = influence
    #: from the jackknife within arms). f: coxph, and summary(survfit, rmean = 1826).
    BOOT = (("HR", "A vs B", math.exp(-1.61876145419856), math.exp(0.221989999656937)),
            ("rmst_difference[1826 days]", "A vs B", -104.709832881846, 855.759814049621),
            ("rmst[1826 days]", "B", 307.595711955168, 1039.29499782087))

    @pytest.mark.parametrize(("statistic", "arm", "lower", "upper"), BOOT)
    def test_limits_are_those_of_r_boot_within_monte_carlo_error(self, made, statistic, arm, lower, upper):
        ours = one(made, statistic, arm)
        # Both sides carry an error; R's, with 6,000 draws, is 0.8 of ours.
        assert abs(ours["lower"] - lower) < 4 * 1.3 * ours["error_lower"]
        assert abs(ours["upper"] - upper) < 4 * 1.3 * ours["error_upper"]

    def test_limits_of_a_median_are_those_of_r_on_the_same_lattice(self, made):
        # As above, f: quantile(survfit, 0.5); replicates equal to the estimate counted half.
        ours = one(made, "median", "B")
        assert (ours["value"], ours["lower"], ours["upper"]) == (274.5, 71.5, 844.0)

    def test_limits_of_a_mean_are_those_of_scipy(self):
        times = [3, 7, 9, 12, 20, 21, 30, 44, 52, 71, 80, 97]
        ours = one(resampling.intervals(adtte({"A": " ".join(map(str, times))}), ONE), "rmst[100 days]", "A")
        assert ours["value"] == pytest.approx(np.mean(times))
        theirs = stats.bootstrap((times,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(5))
        low, high = theirs.confidence_interval
        assert abs(ours["lower"] - low) < 4 * 1.1 * ours["error_lower"]
        assert abs(ours["upper"] - high) < 4 * 1.1 * ours["error_upper"]

    def test_replicates_are_those_of_one_estimator_call_after_another(self, made):
        data = endpoint(adtte({"A": A, "B": B}), "TTRLP")
        groups = {arm: group.reset_index(drop=True) for arm, group in data.groupby("arm")}
        samples = {arm: resampling._arm_samples(group, TWO, 25, 1 + number)
                   for number, (arm, group) in enumerate(groups.items())}
        found = {row["statistic"]: row for row in resampling._contrasts(data, samples, TWO, 25, 1)}
        drawn = {arm: batch.bootstrap(np.zeros(len(group)), 25, 1 + number)
                 for number, (arm, group) in enumerate(groups.items())}
        ratios = []
        for draw in range(25):
            again = {arm: group.iloc[drawn[arm][draw]] for arm, group in groups.items()}
            for arm, group in again.items():
                mine = samples[arm]["median"].replicates[draw]
                loop = curves.quantile(curves.kaplan_meier(group)).value
                assert mine == loop or (math.isinf(mine) and math.isnan(loop))
                mean = restricted.restricted_mean(group, 1826).value
                assert samples[arm]["rmst[1826 days]"].replicates[draw] == pytest.approx(mean, nan_ok=True)
            ratios.append(models.cox(pd.concat(again.values()), "B").value)
        assert found["HR"]["value"] == pytest.approx(models.cox(data, "B").value)
        # With 25 draws the limits are the furthest replicates, or lie between them.
        assert min(ratios) * (1 - 1e-9) <= found["HR"]["lower"] < found["HR"]["upper"] <= max(ratios) * (1 + 1e-9)

    @pytest.mark.parametrize(("flipped", "order"), [(False, [-4, -3, 2]), (True, [2, -4, -3])])
    def test_jackknife_follows_the_order_of_the_arms(self, flipped, order):
        nobody = np.empty(0)
        mine, theirs = (resampling._Sample(value, nobody, np.array(left, float)) for value, left in
                        ((3, [1, 2]), (5, [1])))
        assert resampling._combined(np.subtract, mine, theirs, flipped).jackknife.tolist() == order

    def test_the_reference_may_come_first(self, made):
        turned = Study("made", "own", "", "", TWO.arms[::-1], report_unit="day", rmst_times=(1826,))
        ours, theirs = (one(found, "rmst_difference[1826 days]", "A vs B") for found in
                        (made, resampling.intervals(adtte({"A": A, "B": B}), turned)))
        for side in ("lower", "upper"):
            assert abs(ours[side] - theirs[side]) < 4 * 1.4 * ours[f"error_{side}"]

    def test_large_sample_intervals_are_those_of_the_estimators(self, made):
        data = endpoint(adtte({"A": A, "B": B}), "TTRLP")
        wald, mean = models.cox(data, "B"), restricted.rmst_difference(data, "B", 1826)
        assert tuple(one(made, "HR", "A vs B")[["large_lower", "large_upper"]]) == (wald.lower, wald.upper)
        assert tuple(one(made, "rmst_difference[1826 days]", "A vs B")[["large_lower", "large_upper"]]) == (
            mean.lower, mean.upper)


class TestMonteCarloError:
    def test_it_is_the_spread_between_seeds(self):
        rows = adtte({"A": A, "B": B})
        runs = [one(resampling.intervals(rows, TWO, draws=1000, seed=10 * seed), "HR", "A vs B") for seed in range(12)]
        for side in ("lower", "upper"):
            between = np.std([run[side] for run in runs], ddof=1)
            said = np.mean([run[f"error_{side}"] for run in runs])
            assert 0.5 < said / between < 2

    def test_same_seed_same_numbers(self):
        first, again = (resampling.intervals(adtte({"A": A, "B": B}), TWO, draws=300, seed=4) for _ in range(2))
        pd.testing.assert_frame_equal(first, again)


class TestWithoutEnd:
    def test_medians_not_reached_are_counted(self):
        rows = adtte({"A": "10 20 30 40+ 50+ 60+ 70+", "B": "1 2 3 4 5 6 7"})
        found = resampling.intervals(rows, TWO, draws=500)
        ours = one(found, "median", "A")
        assert math.isinf(ours["value"]) and math.isinf(ours["upper"])
        assert ours["infinite"] > 0.5
        row = resampling.rows(found, TWO).set_index("result_id").loc["bootstrap.TTRLP.all.A.median"]
        assert math.isnan(row["value"]) and math.isnan(row["upper"])
        assert row["display"].startswith("not reached (95% CI 20 to not reached)")
        assert f"replicates: {100 * ours['infinite']:.1f}% not reached" in row["method"]
        assert "not reached in" in resampling.reading(found, TWO)

    def test_separated_arms_have_a_ratio_without_maximum(self):
        found = resampling.intervals(adtte({"A": "11 12 13 14", "B": "1 2 3 4"}), TWO, draws=200)
        ours = one(found, "HR", "A vs B")
        assert ours["value"] == 0 and ours["infinite"] == 1
        assert "every bootstrap cohort gives the same value" in ours["note"]
        assert "The hazard ratio is 0.00." in resampling.reading(found, TWO)

    def test_sometimes_separated(self):
        found = resampling.intervals(adtte({"A": "2 12 13 14+ 15+", "B": "1 3 4 5 6"}), TWO, draws=1000)
        ours = one(found, "HR", "A vs B")
        assert 0 < ours["infinite"] < 1
        assert ours["lower"] == 0 < ours["upper"] < math.inf
        shown = resampling.table(found, TWO).set_index("statistic")
        assert "without maximum" in shown.loc["hazard ratio", "replicates"]

    def test_a_horizon_out_of_reach_leaves_cohorts_out(self, made):
        far = Study("made", "own", "", "", TWO.arms, report_unit="day", rmst_times=(2700,))
        found = resampling.intervals(adtte({"A": A, "B": B}), far, draws=500)
        assert one(found, "rmst[2700 days]", "B")["undefined"] > 0.2
        said = resampling.reading(found, far)
        assert "where that is common the interval describes the rest alone: restricted mean to 2700 days of B" in said
        assert "Percentile intervals stand where" in said


class TestNoBootstrap:
    def test_one_patient_an_arm(self):
        found = resampling.intervals(adtte({"A": "1", "B": "2"}), TWO)
        assert found.empty and resampling.table(found, TWO).empty and resampling.rows(found, TWO).empty
        assert "nothing to resample" in resampling.reading(found, TWO)

    @pytest.mark.parametrize("arms", [{"A": "1+ 2+", "B": "3+ 4+"}, {"A": "3 3 3", "B": "3 3 3"},
                                      {"A": "1+ 2+", "B": "5 6"}])
    def test_nothing_that_varies(self, arms):
        found = resampling.intervals(adtte(arms), TWO, draws=100)
        shown = resampling.rows(found, TWO)["display"]
        assert shown.str.contains("no interval|not estimable|95% CI").all()
        assert "nan" not in resampling.table(found, TWO).to_string().lower() + resampling.reading(found, TWO)

    def test_a_large_cohort_is_left_to_large_samples(self):
        rows = adtte({"A": " ".join(map(str, range(1, 1202))), "B": " ".join(map(str, range(2, 1003)))})
        found = resampling.intervals(rows, TWO)
        assert found["note"].tolist() == ["more than 2,000 patients: not resampled"]
        assert resampling.reading(found, TWO) == (
            "- **Time to relapse.** No bootstrap: more than 2,000 patients: not resampled.")


class TestRows:
    def test_names_and_methods(self, made):
        rows = resampling.rows(made, TWO)
        assert rows["result_id"].tolist() == [
            "bootstrap.TTRLP.all.A.median", "bootstrap.TTRLP.all.A.rmst[1826 days]", "bootstrap.TTRLP.all.B.median",
            "bootstrap.TTRLP.all.B.rmst[1826 days]", "bootstrap.TTRLP.all.A vs B.HR",
            "bootstrap.TTRLP.all.A vs B.median_ratio", "bootstrap.TTRLP.all.A vs B.rmst_difference[1826 days]"]
        assert rows["method"].str.contains("4,000 draws, seed 1; Monte Carlo standard error of the limits").all()
        assert rows.loc[4, "display"].startswith("0.46 (95% CI ")

    def test_one_arm(self):
        found = resampling.intervals(adtte({"A": A}), ONE, draws=200)
        assert resampling.rows(found, ONE)["statistic"].tolist() == ["median", "rmst[100 days]"]
        assert "Fewer than 20 events, so that the same few patients make every tail: 12 in A." in resampling.reading(
            found, ONE)

    def test_order_of_arms_and_patients_does_not_matter_to_the_estimates(self, made):
        turned = resampling.intervals(adtte({"B": B, "A": A}).iloc[::-1], TWO, draws=200)
        for statistic, arm in (("HR", "A vs B"), ("median_ratio", "A vs B"), ("median", "A")):
            assert one(turned, statistic, arm)["value"] == pytest.approx(one(made, statistic, arm)["value"])
