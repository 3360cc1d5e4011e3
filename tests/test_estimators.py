"""Estimators: traps that other software falls into, edges, and exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from sksurv.compare import compare_survival
from sksurv.util import Surv
from statsmodels.stats.proportion import proportion_confint

from remission.estimators import comparisons, curves, models, proportions, wording

#: Control arm of a made cohort: 10 relapses and 2 ongoing remissions, years; even number, plateau at one half.
CONTROL = [0.0794, 0.2601, 0.3094, 0.3121, 0.4381, 0.46, 1.0349, 1.4456, 2.3053, 2.3162, 6.4997, 7.6003]


def group(times, events):
    return pd.DataFrame({"time": times, "event": np.asarray(events, dtype=bool)})


def two_arms(arms, times, events):
    return group(times, events).assign(arm=list(arms))


def exact_median(times, events):
    """Kaplan-Meier median in rational arithmetic: midpoint of the plateau on one half."""
    survival, at_half = Fraction(1), None
    for time in sorted(set(times)):
        at_risk = sum(t >= time for t in times)
        deaths = sum(t == time and e for t, e in zip(times, events, strict=True))
        survival *= Fraction(at_risk - deaths, at_risk)
        if survival < Fraction(1, 2):
            return time if at_half is None else (at_half + time) / 2
        if survival == Fraction(1, 2) and at_half is None:
            at_half = time
    return math.nan if at_half is None else (at_half + max(times)) / 2


class TestMedian:
    def test_midpoint_of_the_plateau_where_lifelines_takes_its_start(self):
        data = group(CONTROL, [1] * 10 + [0, 0])
        assert curves.quantile(curves.kaplan_meier(data)).value == pytest.approx((0.46 + 1.0349) / 2, abs=1e-12)
        theirs = KaplanMeierFitter().fit(data["time"], data["event"]).median_survival_time_
        assert theirs == pytest.approx(0.46)  # the trap: 0.46 where the abstract prints 0.75

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=24))
    def test_float_error_never_decides(self, rows):
        times, events = zip(*rows, strict=True)
        found = curves.quantile(curves.kaplan_meier(group(times, events))).value
        assert found == pytest.approx(exact_median(times, events), nan_ok=True)

    # Expected: R quantile(survfit(Surv(time, event) ~ 1, conf.type = "log-log")).
    @pytest.mark.parametrize(("times", "events", "expected"), [
        ([1, 2], [1, 1], (1.5, 1, math.nan)),
        ([1, 2, 3, 4], [1, 1, 1, 1], (2.5, 1, math.nan)),
        ([1, 2, 3, 4, 7], [0, 1, 0, 1, 0], (4, 2, math.nan)),
        ([1, 2, 5], [0, 0, 0], (math.nan, math.nan, math.nan)),
    ])
    def test_as_r(self, times, events, expected):
        assert curves.quantile(curves.kaplan_meier(group(times, events))) == pytest.approx(expected, nan_ok=True)

    def test_the_other_convention_takes_the_first_time_on_the_level(self):
        curve = curves.kaplan_meier(group(CONTROL, [1] * 10 + [0, 0]))
        assert curves.quantile(curve, first=True).value == 0.46
        assert curves.quantile(curve, 0.25, first=True).value == 0.3094
        assert curves.quantile(curve, 0.25).value == pytest.approx((0.3094 + 0.3121) / 2)

    def test_plateau_that_lasts_to_the_end_of_follow_up(self):
        # By hand: S = 1/2 from time 2 on, last observation at 8; R gives 5 as well.
        assert curves.quantile(curves.kaplan_meier(group([1, 2, 8, 8], [1, 1, 0, 0]))).value == 5


class TestCurve:
    def test_event_on_the_first_day(self):
        # R: summary(survfit(Surv(c(0,1,2,3,3), c(1,1,0,1,1)) ~ 1)): 0.8, 0.6, 0 at 0, 1, 3.
        curve = curves.kaplan_meier(group([0, 1, 2, 3, 3], [1, 1, 0, 1, 1]))
        assert curve["survival"].tolist() == pytest.approx([0.8, 0.6, 0.6, 0])
        assert curve["at_risk"].tolist() == [5, 4, 3, 2]
        assert curve[["lower", "upper"]].iloc[-1].isna().all()

    def test_left_truncation_counts_nobody_before_entry(self):
        # R: summary(survfit(Surv(c(0,3,2,5,4), c(3,5,6,7,9), c(1,1,0,1,0)) ~ 1)): n.risk 2, 3, 2.
        data = group([3, 5, 6, 7, 9], [1, 1, 0, 1, 0]).assign(entry=[0, 3, 2, 5, 4])
        curve = curves.kaplan_meier(data, truncated=True)
        events = curve[curve["events"] > 0]
        assert events["at_risk"].tolist() == [2, 3, 2]
        assert events["survival"].tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 6])

    def test_who_left_before_observation_began_is_not_counted(self):
        data = group([3, 5], [1, 1]).assign(entry=[3, 0])
        assert curves.kaplan_meier(data, truncated=True)["at_risk"].tolist() == [1]

    def test_survival_is_unknown_after_the_last_follow_up_unless_nobody_is_left(self):
        ongoing, finished = group([1, 2], [1, 0]), group([1, 2], [1, 1])
        assert math.isnan(curves.survival_at(curves.kaplan_meier(ongoing), 3).value)
        assert curves.survival_at(curves.kaplan_meier(finished), 3).value == 0
        assert curves.survival_at(curves.kaplan_meier(ongoing), 0) == (1, 1, 1)

    def test_counts_below_the_curve_by_hand(self):
        # 6-MP arm of Freireich 1963 at 10 weeks: 15 at risk (R n.risk), 2 censored and 4 relapsed before.
        times = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
        events = [0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
        found = curves.counts_at(group(times, events), [0, 6, 10, 35, 36])
        assert found["at_risk"].tolist() == [21, 21, 15, 1, 0]
        assert found["censored"].tolist() == [0, 0, 2, 11, 12]
        assert found["events"].tolist() == [0, 0, 4, 9, 9]

    def test_no_patients(self):
        none = curves.kaplan_meier(group([], []))
        assert none.empty
        assert math.isnan(curves.quantile(none).value)


class TestComparison:
    @pytest.mark.parametrize(("arms", "times", "events", "word"), [
        ("AB", [1, 2], [0, 0], "no events"),
        ("AA", [1, 2], [1, 1], "two arms"),
        ("AB", [1, 2], [0, 1], "both arms were at risk"),
        ("AABB", [3, 3, 3, 3], [1, 1, 1, 1], "one time"),
    ])
    def test_no_number_without_a_reason(self, arms, times, events, word):
        found = comparisons.logrank(two_arms(arms, times, events), "A")
        assert math.isnan(found.p)
        assert word in found.note

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), min_size=4, max_size=30))
    def test_agrees_with_scikit_survival_on_ties_and_censoring(self, rows):
        times, events, other = (np.array(column) for column in zip(*rows, strict=True))
        found = comparisons.logrank(two_arms(np.where(other, "B", "A"), times, events), "A")
        if not math.isnan(found.p):
            chi2, p = compare_survival(Surv.from_arrays(events, times), other)
            assert (found.chi2, found.p) == pytest.approx((chi2, p), rel=1e-8, abs=1e-10)

    def test_swapping_the_arms_changes_nothing(self):
        data = two_arms("AABBAB", [1, 4, 2, 5, 3, 6], [1, 0, 1, 1, 1, 1])
        one, other = comparisons.logrank(data, "A"), comparisons.logrank(data, "B")
        assert (one.chi2, one.p, one.score) == pytest.approx((other.chi2, other.p, -other.score))


class TestHazardRatio:
    def test_two_patients_an_arm_in_closed_form(self):
        # Maximum of r / ((1 + r)^2 (1 + 2r)): 1 - r - 4 r^2 = 0.
        data = two_arms("AABB", [1, 3, 2, 4], [1, 1, 1, 1])
        assert models.cox(data, "A").value == pytest.approx((math.sqrt(17) - 1) / 8, rel=1e-9)

    def test_swapping_the_arms_inverts_it(self):
        data = two_arms("AABBAB", [1, 4, 2, 5, 3, 6], [1, 0, 1, 1, 1, 1])
        one, other = models.cox(data, "A"), models.cox(data, "B")
        assert one.value == pytest.approx(1 / other.value, rel=1e-8)
        assert one.lower == pytest.approx(1 / other.upper, rel=1e-8)

    @pytest.mark.parametrize(("arms", "times", "events", "word"), [
        ("AABB", [1, 2, 3, 4], [0, 0, 0, 0], "no events"),
        ("AABB", [1, 2, 8, 9], [1, 1, 0, 0], "reference arm"),
        ("AABB", [8, 9, 1, 2], [0, 0, 1, 1], "infinity"),
        ("AABB", [1, 2, 3, 4], [0, 0, 1, 1], "both arms were at risk"),
        ("AAAA", [1, 2, 3, 4], [1, 1, 1, 1], "two arms"),
    ])
    def test_no_maximum_is_said_and_not_guessed(self, arms, times, events, word):
        # lifelines returns a coefficient of 18 and warnings here.
        found = models.cox(two_arms(arms, times, events), "A")
        assert math.isnan(found.value)
        assert word in found.note
        assert math.isnan(models.proportional_hazards(two_arms(arms, times, events), "A")[1])

    def test_a_rare_event_is_estimated_without_a_warning(self):
        data = two_arms("A" * 300 + "B" * 300, list(range(1, 601)), [i in (5, 590) for i in range(600)])
        assert models.cox(data, "A").note.startswith("events while both arms were at risk")
        mixed = data.assign(arm=["A", "B"] * 300)
        assert 0 < models.cox(mixed, "A").value < math.inf


class TestWording:
    @pytest.mark.parametrize(("days", "shown"), [(804, "2.20 years"), (273, "0.75 years"), (math.nan, "not reached")])
    def test_duration(self, days, shown):
        assert wording.duration(days, "year") == shown

    @pytest.mark.parametrize(("days", "unit", "shown"), [
        ((303.2, -36.5, 642.8), "year", "+0.83 years (95% CI -0.10 to 1.76)"),
        ((-303.2, -642.8, 36.5), "year", "-0.83 years (95% CI -1.76 to 0.10)"),
        ((0.4, -2, 2.5), "day", "0 days (95% CI -2 to 3)"), ((-1, -2, 1), "day", "-1 day (95% CI -2 to 1)"),
        ((7, math.nan, math.nan), "week", "+1.0 weeks (95% CI not estimable)"),
        ((math.nan,) * 3, "day", "not estimable: why")])
    def test_difference_of_times(self, days, unit, shown):
        assert wording.duration_difference(comparisons.Difference(*days, 0.5, "why"), unit) == shown

    @pytest.mark.parametrize(("value", "shown"), [
        ((-0.125, -0.4, 0.1), "-12.5 percentage points (95% CI -40.0 to 10.0)"),
        ((0.0, -0.25, 0.25), "0.0 percentage points (95% CI -25.0 to 25.0)"), ((math.nan,) * 3, "not estimable")])
    def test_difference_of_proportions(self, value, shown):
        assert wording.percent_difference(comparisons.Difference(*value, 0.5)) == shown

    def test_a_time_that_is_missing_for_another_reason_says_so(self):
        none = curves.Estimate(math.nan, math.nan, math.nan)
        assert wording.duration_interval(none, "year", missing="no patients") == "no patients"

    @pytest.mark.parametrize(("p", "shown"), [(0.0697, "p = 0.070"), (0.2099, "p = 0.21"), (0.00778, "p = 0.0078"),
                                              (4e-5, "p < 0.0001"), (1.0, "p = 1.00")])
    def test_p(self, p, shown):
        assert wording.p_value(p) == shown


# R 4.2.2: binom.test(x, n)$conf.int
@pytest.mark.parametrize(("x", "n", "lower", "upper"), [
    (3, 19, 0.03382624900176, 0.3957845512667), (4, 19, 0.06052453770929, 0.4556530818915),
    (12, 19, 0.3835779233144, 0.8371141278449), (2, 12, 0.02086252546009, 0.484137748686),
    (9, 18, 0.2601905828951, 0.7398094171049), (2, 19, 0.01301216437178, 0.3313766644568),
    (0, 12, 0.0, 0.2646484693971)])
def test_exact_interval_against_r(x, n, lower, upper):
    assert proportions.exact_interval(x, n) == pytest.approx((lower, upper), abs=1e-12)


def test_exact_interval_against_statsmodels_and_at_the_edges():
    x, n = np.arange(8), np.full(8, 7)
    assert np.allclose(proportions.exact_interval(x, n), proportion_confint(x, n, method="beta"), atol=1e-9, rtol=0)
    assert proportions.exact_interval(7, 7)[1] == 1
    assert np.isnan(proportions.exact_interval(0, 0)).all()
