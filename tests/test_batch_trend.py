"""Score tests of shuffled markers. Expected numbers: R 4.2.2 (survival 3.5-3), the tests of one cohort, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from survival_examples import AML, STRATUM, UNTIED

from remission import batch
from remission.batch import trend
from remission.estimators import comparisons, partial


def test_two_groups_are_the_log_rank_test():
    # R: survdiff(Surv(time, status) ~ x, aml): 11 observed, 7.310664007699 expected, chi-squared 3.396388698978;
    # with strata(s): observed minus expected 3.3323287823288, variance 4.1128863151932
    found = trend.score_test(*AML)
    assert found.score[0] == pytest.approx(11 - 7.310664007699, rel=1e-12)
    assert found.score[0] ** 2 / found.variance[0] == pytest.approx(3.396388698978, rel=1e-12)
    within = trend.score_test(*AML, strata=STRATUM)
    assert (within.score[0], within.variance[0]) == pytest.approx((3.3323287823288, 4.1128863151932), rel=1e-12)


def test_a_number_is_the_score_test_of_the_cox_model():
    # R: coxph(Surv(t, e) ~ x)$score, no ties; with strata(rep(1:2, 5))
    found = trend.score_test(*UNTIED)
    assert found.score[0] ** 2 / found.variance[0] == pytest.approx(5.5387179352845, rel=1e-12)
    within = trend.score_test(*UNTIED, strata=[1, 2] * 5)
    assert within.score[0] ** 2 / within.variance[0] == pytest.approx(5.3220007609822, rel=1e-12)


def test_many_cohorts_at_once_are_the_same_as_one_by_one():
    random = np.random.default_rng(8)
    time, event = random.integers(1, 9, 17), random.random(17) < 0.6
    arms = random.random((30, 17)) < 0.4
    found, known = trend.score_test(time, event, arms), batch.logrank(time, event, arms)
    assert found.score == pytest.approx(known.score, abs=1e-12)
    assert found.variance == pytest.approx(known.variance, abs=1e-12)


def test_a_blank_is_a_patient_who_is_not_there():
    time, event, x = (np.array(one, float) for one in AML)
    gaps = np.where(np.arange(23) % 4 == 0, np.nan, x)
    some = ~np.isnan(gaps)
    one = trend.score_test(time, event, gaps, STRATUM)
    two = trend.score_test(time[some], event[some], x[some], np.array(STRATUM)[some])
    assert (one.score[0], one.variance[0]) == pytest.approx((two.score[0], two.variance[0]), rel=1e-12)


def test_where_zero_lies_does_not_matter():
    time, event, x = UNTIED
    one, two = trend.score_test(time, event, x), trend.score_test(time, event, np.array(x) + 1e6)
    assert one.score[0] == pytest.approx(two.score[0], rel=1e-8)
    assert one.variance[0] == pytest.approx(two.variance[0], rel=1e-8)


def test_nothing_to_compare_has_no_variance():
    assert trend.score_test([1, 2], [0, 0], [0, 1]).variance[0] == 0
    assert trend.score_test([1, 2], [1, 1], [7.1, 7.1]).variance[0] == 0
    assert trend.score_test([1, 2], [1, 1], [np.nan, np.nan]).variance[0] == 0


def test_shuffling_stays_in_the_stratum_and_reaches_every_order():
    rows = np.concatenate(list(trend.shuffled(["a", "b", "a", "a"], draws=600, seed=2)))
    assert rows.shape == (600, 4) and (rows[:, 1] == 1).all()
    assert len(np.unique(rows, axis=0)) == 6  # 3! orders of the three
    assert (np.sort(rows, axis=1) == np.arange(4)).all()


def test_stratified_log_rank_of_one_cohort_is_the_same():
    rows = pd.DataFrame({"time": AML[0], "event": AML[1], "arm": np.where(AML[2], "B", "A"), "at": STRATUM})
    found = comparisons.stratified_logrank(rows, "A", "at")
    assert found.chi2 == pytest.approx(2.6999081089396, rel=1e-12)  # R: survdiff(... + strata(s))
    assert found.p == pytest.approx(0.10035403032, rel=1e-9)
    one = comparisons.stratified_logrank(rows.assign(at=1), "A", "at")
    assert one[:2] == pytest.approx(comparisons.logrank(rows, "A")[:2], rel=1e-12)
    apart = comparisons.stratified_logrank(rows.assign(at=rows["arm"]), "A", "at")
    assert apart.note == "no event while both arms of a stratum were at risk"
    assert comparisons.stratified_logrank(rows.assign(event=0), "A", "at").note == "no events"
    assert comparisons.stratified_logrank(rows.assign(arm="A"), "A", "at").note == "two arms are needed"


def test_the_score_test_is_the_slope_of_the_partial_likelihood_at_no_effect():
    records, step = partial.prepare(*UNTIED), 1e-5
    slope = (partial.loglik(records, step) - partial.loglik(records, -step)) / (2 * step)
    assert trend.score_test(*UNTIED).score[0] == pytest.approx(slope, rel=1e-8)
