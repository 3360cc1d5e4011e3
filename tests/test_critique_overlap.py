"""Comparability of arms: covariates, random labels, propensity scores."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from remission import results, store
from remission.critique import covariates, overlap, propensity
from remission.study import Arm, Study
from remission.study import read as read_study

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)))
AGE = [66, 73, 58, 64, 67, 74, 71, 75, 73, 58, 65, 67, 64, 71, 73, 66, 62, 66, 75, 60]
CYCLES = [4, 4, 8, 5, 7, 8, 3, 5, 2, 5, 4, 8, 6, 8, 6, 5, 8, 8, 5, 4]
OTHER = np.array([False, False, True] + 6 * [False] + [True, False, False] + 8 * [True])


def made_adsl(**more) -> pd.DataFrame:
    """Twenty patients; what is not given is not recorded."""
    n = len(AGE)
    columns = {"USUBJID": [f"{number:02d}" for number in range(n)], "TRT01A": np.where(OTHER, "A", "B"), "TTEFL": "Y",
               "AGE": AGE, "NCYCLES": CYCLES, "DXDY": None, "CRDY": None, "SEX": None, "TRANSC": None}
    return pd.DataFrame(columns | more)


def analysed(adsl: pd.DataFrame) -> pd.DataFrame:
    return overlap.analyse(overlap.compare(adsl, TWO, draws=50, refits=20), TWO)


class TestCovariates:
    def test_reasons_for_what_is_not_compared(self):
        kind = ["p190" if other else None for other in OTHER]
        found = covariates.covariates(made_adsl(CRDY=0, TRANSC=kind), TWO)
        assert found.absent == {
            "diagnosis to origin, months": "not recorded", "remission to origin, months": "the same in everybody",
            "sex": "not recorded", "transcript": "recorded in one arm only"}

    def test_days_before_the_origin_become_months(self):
        found = covariates.covariates(made_adsl(DXDY=[-61] * 10 + [-122] * 10), TWO)
        assert found.table["lead"].round(2).unique().tolist() == [2.0, 4.01]

    def test_two_kinds_are_one_column_and_three_are_three(self):
        kinds = (["p190", "p210", "both", "p190"] * 5)[:20]
        found = covariates.covariates(made_adsl(SEX=["F", "M"] * 10, TRANSC=kinds), TWO)
        assert [name for name in found.table if " " in name] == ["sex F", "transcript both", "transcript p190",
                                                                 "transcript p210"]

    def test_who_has_no_usable_dates_is_not_compared(self):
        assert len(covariates.covariates(made_adsl(TTEFL=["N"] + ["Y"] * 19), TWO).table) == 19


class TestStandardisedDifference:
    def test_equals_r(self):
        # R: (mean(x1) - mean(x0)) / sqrt((var(x1) + var(x0)) / 2); for a share p (1 - p) instead of var
        values = np.column_stack([AGE, CYCLES, np.array(AGE) >= 67]).astype(float)
        found = covariates.standardised_difference(values, OTHER[None])[0]
        assert found == pytest.approx([-0.80779189369943, 0.711446699331732, -0.872871560943969], rel=1e-12)

    def test_an_unknown_value_leaves_its_patient_out(self):
        values = np.array(AGE, dtype=float)
        values[4] = np.nan
        known = np.arange(len(AGE)) != 4
        whole = covariates.standardised_difference(values[known][:, None], OTHER[known][None])
        assert covariates.standardised_difference(values[:, None], OTHER[None]) == pytest.approx(whole)

    def test_no_spread_is_no_number(self):
        values = np.array([[1.0], [1.0], [2.0], [2.0]])
        assert math.isnan(covariates.standardised_difference(values, np.array([[True, True, False, False]]))[0, 0])


class TestRandomLabels:
    def test_few_labellings_are_all_visited(self):
        other = np.array([True, True, False, False, False, False])
        labels, exact = covariates.relabellings(other, 20, 1)
        assert exact
        assert len(np.unique(labels, axis=0)) == math.comb(6, 2)

    def test_many_are_drawn_and_the_same_at_every_run(self):
        one, two = (covariates.relabellings(OTHER, 50, 7)[0] for _ in range(2))
        assert (one == two).all()
        assert (one.sum(axis=1) == OTHER.sum()).all()

    def test_exact_p_counts_labellings(self):
        values, other = np.array([61.0, 62, 66, 70, 71, 75]), np.array([False, False, False, True, True, True])

        def difference(chosen):
            mine = np.isin(np.arange(6), chosen)
            return (values[mine].mean() - values[~mine].mean()) / math.sqrt(
                (values[mine].var(ddof=1) + values[~mine].var(ddof=1)) / 2)

        every = np.array([difference(chosen) for chosen in combinations(range(6), 3)])
        p = covariates.by_chance(values[:, None], other, 100, 1)[2][0]
        assert p == np.mean(np.abs(every) >= abs(difference((3, 4, 5))) - 1e-9) == 0.1

    def test_normal_approximation_takes_over_where_drawing_would_be_long(self):
        n = covariates.MOST_RELABELLED + 2
        other = np.arange(n) % 2 == 0
        lower, upper, p = covariates.by_chance(np.arange(n, dtype=float)[:, None], other, 10, 1)
        assert upper[0] == -lower[0] == pytest.approx(1.96 * math.sqrt(4 / n))
        assert 0.9 < p[0] < 1


class TestLogistic:
    def test_equals_r(self):
        # R: glm(other ~ age + cycles, binomial, control = glm.control(epsilon = 1e-14))
        design = propensity.standardised(np.column_stack([AGE, CYCLES]))
        linear = (propensity.logistic(design, OTHER[None]) @ design.T)[0]
        assert 1 / (1 + np.exp(-linear[:3])) == pytest.approx(
            [0.38959507347496, 0.176953279401865, 0.915280602282739], rel=2e-6)
        assert propensity.c_statistic(linear[None], OTHER[None])[0] == pytest.approx(0.795, rel=1e-12)

    def test_many_labellings_are_each_fitted_as_alone(self):
        design = propensity.standardised(np.column_stack([AGE, CYCLES]))
        labels = covariates.relabellings(OTHER, 40, 3)[0]
        together = propensity.logistic(design, labels)
        alone = np.array([propensity.logistic(design, one[None])[0] for one in labels])
        assert together == pytest.approx(alone, rel=1e-6, abs=1e-8)

    def test_agrees_with_scikit_learn(self):
        design = propensity.standardised(np.column_stack([AGE, CYCLES]))
        fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(design[:, 1:], OTHER)
        ours = propensity.logistic(design, OTHER[None])[0]
        assert ours == pytest.approx([fit.intercept_[0], *fit.coef_[0]], rel=1e-4)

    def test_separated_arms_get_a_finite_fit_in_the_right_order(self):
        values = np.where(OTHER, 10.0, 1.0) + np.arange(20) / 100
        design = propensity.standardised(values[:, None])
        beta = propensity.logistic(design, OTHER[None])
        assert np.isfinite(beta).all()
        assert propensity.c_statistic(beta @ design.T, OTHER[None])[0] == 1

    def test_c_statistic_is_the_area_under_the_curve(self):
        rng = np.random.default_rng(5)
        scores = rng.integers(0, 8, 20).astype(float)
        assert propensity.c_statistic(scores[None], OTHER[None])[0] == pytest.approx(roc_auc_score(OTHER, scores))

    def test_kish(self):
        assert propensity.effective(np.full(12, 3.0)) == pytest.approx(12)
        assert propensity.effective(np.array([1.0, 0.0, 0.0])) == 1


class TestAnalyse:
    def test_effective_patients_equal_r(self):
        # R: sum(w)^2 / sum(w^2) with w = 1 / p or 1 / (1 - p), p fitted as in TestLogistic
        rows = analysed(made_adsl())
        worth = [results.pick(rows, f"overlap.-.all.{arm}.effective_n")["value"] for arm in ("A", "B")]
        assert worth == pytest.approx([7.32416695742935, 8.50205056939495], rel=1e-5)

    def test_weighting_by_a_perfect_model_would_balance(self):
        # A saturated model of one binary covariate: weighted shares are equal.
        adsl = made_adsl(AGE=None, NCYCLES=None, SEX=["F", "M", "M", "M"] * 5)
        table = overlap.balance(adsl, TWO, 50, 1, overlap.propensity_scores(adsl, TWO, 20, 1))
        assert table.loc["sex F", "weighted"] == pytest.approx(0, abs=1e-6)
        assert table.loc["sex F", "difference"] != 0

    def test_a_kind_of_one_arm_separates_and_is_said(self):
        kind = ["both" if number in (0, 1) else "p190" if number % 2 else "p210" for number in range(20)]
        adsl = made_adsl(TRANSC=kind)
        scores = overlap.propensity_scores(adsl, TWO, 20, 1)
        assert scores.separated
        said = overlap.sentence(analysed(adsl), TWO)
        assert "Its likelihood has no maximum" in said

    def test_covariate_with_gaps_in_one_arm_stays_out_of_the_model(self):
        gaps = [None if other and number % 2 else -100 - number for number, other in enumerate(OTHER)]
        assert "lead" not in overlap.propensity_scores(made_adsl(DXDY=gaps), TWO, 20, 1).used
        assert "difference[lead]" in analysed(made_adsl(DXDY=gaps))["statistic"].tolist()

    def test_nothing_recorded_is_one_sentence(self):
        adsl = made_adsl(AGE=None, NCYCLES=None)
        rows = analysed(adsl)
        assert rows.empty
        assert overlap.sentence(rows, TWO).startswith("*No covariate is recorded in both arms")

    def test_same_numbers_at_every_run(self):
        one, two = (analysed(made_adsl()) for _ in range(2))
        pd.testing.assert_frame_equal(one, two)

    @pytest.mark.parametrize("cohort", ["ash2012_reconstructed", "freireich1963", "wassmann2003", "chiaretti2004",
                                        "scrucca_bmt"])
    def test_every_cohort_has_rows_or_a_reason(self, cohort):
        study, adsl = read_study(cohort), store.read(cohort, "adsl")
        compared = overlap.compare(adsl, study, 100, 20)
        rows = overlap.analyse(compared, study)
        said = overlap.sentence(rows, study)
        assert len(rows) or said.startswith("*")
        assert rows["value"].notna().all()
        assert overlap.absent(adsl, study)
        assert len(overlap.table(compared.balanced, study)) == rows["statistic"].str.startswith(
            "difference[").sum()

    def test_arms_that_differ_in_order_of_patients_give_the_same(self):
        adsl = made_adsl()
        shuffled = adsl.sample(frac=1, random_state=1)
        one, two = (overlap.propensity_scores(frame, TWO, 20, 1).c for frame in (adsl, shuffled))
        assert one == pytest.approx(two, rel=1e-12)
