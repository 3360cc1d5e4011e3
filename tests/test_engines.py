"""Engines against each other on random data, at the edges, and under changes that must not matter.

Ours are the estimators of one cohort and the kernels of `remission.batch`; peers are scikit-survival and lifelines.
Random cohorts have few distinct times, so that ties are the rule. Warnings are errors throughout.
"""

from __future__ import annotations

import math
import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.exceptions import ConvergenceWarning, StatError
from lifelines.statistics import logrank_test
from lifelines.utils import concordance_index, restricted_mean_survival_time
from sksurv.compare import compare_survival
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import cumulative_incidence_competing_risks, kaplan_meier_estimator
from sksurv.util import Surv

from remission import batch
from remission.estimators import comparisons, competing, curves, milestone, models, restricted

MANY = settings(max_examples=100, deadline=None)
CHANGED = settings(max_examples=200, deadline=None)
#: lifelines takes ten to thirty milliseconds a fit.
SOME = settings(max_examples=50, deadline=None)
WEIGHTS = ["log-rank", "Gehan", (1, 0), (0, 1), (1, 1)]
CLOSE = {"rel": 1e-9, "abs": 1e-12, "nan_ok": True}


def cohort(rows):
    """A frame from rows of time, code, other arm, entry."""
    time, code, other, entry = (np.array(column) for column in zip(*rows, strict=True))
    return pd.DataFrame({"arm": np.where(other, "B", "A"), "time": time, "event": code == 1, "code": code,
                         "entry": entry})


#: Every kind of patient, events and censorings twice as often as competing events; one draw each, which is quick.
PATIENTS = list(product(range(1, 13), (0, 1, 0, 1, 2), (False, True), range(6)))
ROWS = st.lists(st.sampled_from(PATIENTS), min_size=2, max_size=24)
BOTH_ARMS = ROWS.map(lambda rows: [(*rows[0][:2], False, rows[0][3]), (*rows[1][:2], True, rows[1][3]), *rows[2:]])


def arrays(data):
    return data["time"].to_numpy(float), data["event"].to_numpy(), (data["arm"] == "B").to_numpy()


def finite(value):
    """A batch's single value as the estimators write it: NaN for not reached."""
    value = float(np.ravel(value)[0])
    return value if math.isfinite(value) else math.nan


class TestCurves:
    @MANY
    @given(ROWS)
    def test_survival_and_limits(self, rows):
        data = cohort(rows)
        time, event, _ = arrays(data)
        ours = curves.kaplan_meier(data)
        at, survival, limits = kaplan_meier_estimator(event, time, conf_type="log-log")
        assert ours["survival"].to_numpy() == pytest.approx(survival, **CLOSE)
        above = survival > 0
        assert ours["lower"].to_numpy()[above] == pytest.approx(limits[0][above], **CLOSE)
        assert batch.survival_at(time, event, at)[0] == pytest.approx(survival, **CLOSE)

    @MANY
    @given(ROWS)
    def test_quantiles(self, rows):
        data = cohort(rows)
        time, event, _ = arrays(data)
        curve = curves.kaplan_meier(data)
        for level in (0.25, 0.5, 0.75):
            found = curves.quantile(curve, level).value
            assert finite(batch.quantile(time, event, level)) == pytest.approx(found, **CLOSE)
            if not math.isnan(found):  # from its definition: no less than the level by then, no more before
                assert curve.loc[curve["time"] <= found, "survival"].min() <= 1 - level + 1e-9
                assert curve.loc[curve["time"] < found, "survival"].min() >= 1 - level - 1e-9 or found == time.min()

    @SOME
    @given(ROWS)
    def test_lifelines_agrees_off_the_plateaus(self, rows):
        data = cohort(rows)
        curve, theirs = curves.kaplan_meier(data), KaplanMeierFitter().fit(data["time"], data["event"])
        assert curve["survival"].to_numpy() == pytest.approx(np.ravel(theirs.predict(curve["time"])), **CLOSE)
        if (abs(curve["survival"] - 0.5) > 1e-9).all():
            assert curves.quantile(curve).value == pytest.approx(finite(theirs.median_survival_time_), nan_ok=True)

    @MANY
    @given(ROWS)
    def test_delayed_entry(self, rows):
        data = cohort(rows)
        seen = data[data["entry"] < data["time"]]
        ours = curves.kaplan_meier(data, truncated=True)
        assert len(ours) == seen["time"].nunique()
        assert ours["survival"].to_numpy() == pytest.approx(by_hand(seen), **CLOSE)
        if len(seen):
            time, event, _ = arrays(seen)
            at, survival = kaplan_meier_estimator(event, time, time_enter=seen["entry"].to_numpy(float))
            assert ours["survival"].to_numpy() == pytest.approx(survival[np.isin(at, time)], **CLOSE)

    @SOME
    @given(ROWS)
    def test_delayed_entry_in_lifelines(self, rows):
        data = cohort(rows)
        # lifelines counts a patient who enters at the time of an event as at risk then, so entries fall between.
        data = data.assign(entry=data["entry"] + 0.5)[data["entry"] < data["time"]]
        assume(len(data))
        theirs = KaplanMeierFitter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where few are at risk early, and refuses where nobody is
            try:
                theirs.fit(data["time"], data["event"], entry=data["entry"])
            except StatError:
                return
        ours = curves.kaplan_meier(data, truncated=True)
        assert ours["survival"].to_numpy() == pytest.approx(np.ravel(theirs.predict(ours["time"])), **CLOSE)

    @MANY
    @given(ROWS, st.integers(1, 14))
    def test_restricted_mean(self, rows, tau):
        data = cohort(rows)
        time, event, _ = arrays(data)
        ours, (mean, variance) = restricted.restricted_mean(data, tau), batch.rmst(time, event, tau)
        assert float(mean[0]) == pytest.approx(ours.value, **CLOSE)
        assert math.sqrt(variance[0]) == pytest.approx(ours.se, **CLOSE)
        if math.isnan(ours.value):
            assert ours.note
        else:  # the area below the curve, day by day
            curve = batch.survival_at(time, event, np.arange(tau))[0]
            assert np.nan_to_num(curve).sum() == pytest.approx(ours.value, **CLOSE)

    @SOME
    @given(ROWS, st.integers(1, 12))
    def test_restricted_mean_in_lifelines(self, rows, tau):
        data = cohort(rows)
        ours = restricted.restricted_mean(data, tau)
        assume(not math.isnan(ours.value))
        fit = KaplanMeierFitter().fit(data["time"], data["event"])
        assert restricted_mean_survival_time(fit, tau) == pytest.approx(ours.value, **CLOSE)

    @MANY
    @given(ROWS)
    def test_cumulative_incidence(self, rows):
        data = cohort(rows)
        time, code = data["time"].to_numpy(float), data["code"].to_numpy()
        ours, at = competing.cumulative_incidence(data), np.unique(time)
        for cause in (1, 2):
            mine = ours[ours["cause"] == cause]
            steps = np.concatenate([[0.0], mine["incidence"]])[np.searchsorted(mine["time"], at, side="right")]
            assert batch.cumulative_incidence(time, code, cause, at)[0] == pytest.approx(steps, **CLOSE)
            if {1, 2} <= set(code):  # scikit-survival needs every cause
                theirs = cumulative_incidence_competing_risks(code, time)
                assert theirs[1][cause] == pytest.approx(steps[np.isin(at, theirs[0])], **CLOSE)


def by_hand(data):
    """Kaplan-Meier with delayed entry from its definition, at each distinct time."""
    survival, found = 1.0, []
    for moment in sorted(data["time"].unique()):
        at_risk = ((data["entry"] < moment) & (data["time"] >= moment)).sum()
        survival *= 1 - data.loc[data["time"] == moment, "event"].sum() / at_risk
        found.append(survival)
    return np.array(found)


class TestComparisons:
    @MANY
    @given(BOTH_ARMS)
    def test_log_rank(self, rows):
        data = cohort(rows)
        time, event, other = arrays(data)
        ours, theirs = comparisons.logrank(data, "A"), batch.logrank(time, event, other)
        assert float(theirs.chi2[0]) == pytest.approx(ours.chi2, **CLOSE)
        assert float(theirs.p[0]) == pytest.approx(ours.p, **CLOSE)
        if math.isnan(ours.chi2):
            assert ours.note
        else:
            found = compare_survival(Surv.from_arrays(event, time), other)
            assert found == pytest.approx((ours.chi2, ours.p), **CLOSE)

    @MANY
    @given(BOTH_ARMS, st.sampled_from(WEIGHTS))
    def test_weights(self, rows, weight):
        data = cohort(rows)
        ours, theirs = comparisons.weighted_logrank(data, "A", weight), batch.logrank(*arrays(data), weight)
        assert (ours.note != "") == math.isnan(ours.p)
        assert float(theirs.p[0]) == pytest.approx(ours.p, **CLOSE)
        if not math.isnan(ours.p):
            assert float(theirs.score[0]) == pytest.approx(ours.score, **CLOSE)

    @SOME
    @given(BOTH_ARMS, st.sampled_from(WEIGHTS))
    def test_lifelines_weights(self, rows, weight):
        data = cohort(rows)
        ours = comparisons.weighted_logrank(data, "A", weight)
        assume(not math.isnan(ours.p))
        how = {"log-rank": {}, "Gehan": {"weightings": "wilcoxon"}}[weight] if isinstance(weight, str) else {
            "weightings": "fleming-harrington", "p": weight[0], "q": weight[1]}
        one, two = data[data["arm"] == "A"], data[data["arm"] == "B"]
        theirs = logrank_test(one["time"], two["time"], one["event"], two["event"], **how)
        assert theirs.test_statistic == pytest.approx(ours.chi2, **CLOSE)

    @MANY
    @given(BOTH_ARMS)
    def test_delayed_entry_is_the_score_test_of_the_risk_sets(self, rows):
        data = cohort(rows)
        ours = comparisons.logrank(data, "A", truncated=True)
        seen, score, variance = data[data["entry"] < data["time"]], 0.0, 0.0
        for moment in sorted(seen.loc[seen["event"], "time"].unique()):
            here = seen[(seen["entry"] < moment) & (seen["time"] >= moment)]
            hit = here[here["event"] & (here["time"] == moment)]
            n, n1, d = len(here), (here["arm"] == "B").sum(), len(hit)
            score += (hit["arm"] == "B").sum() - d * n1 / n
            variance += d * n1 / n * (1 - n1 / n) * (n - d) / max(n - 1, 1)
        if variance > 1e-12:
            assert (ours.score, ours.chi2) == pytest.approx((score, score**2 / variance), **CLOSE)
        else:
            assert math.isnan(ours.chi2) and ours.note

    @MANY
    @given(BOTH_ARMS)
    def test_cox(self, rows):
        data = cohort(rows)
        time, event, other = arrays(data)
        ours, (log_hr, se) = models.cox(data, "A"), batch.cox(time, event, other)
        if math.isnan(ours.value):
            assert ours.note and not math.isfinite(log_hr[0]) and math.isnan(se[0])
            return
        assert math.exp(log_hr[0]) == pytest.approx(ours.value, **CLOSE)
        assert se[0] == pytest.approx(math.log(ours.upper / ours.lower) / 2 / 1.959963984540054, **CLOSE)
        theirs = CoxPHSurvivalAnalysis(ties="efron", tol=1e-14).fit(other[:, None].astype(float),
                                                                    Surv.from_arrays(event, time))
        assert math.exp(theirs.coef_[0]) == pytest.approx(ours.value, rel=1e-7)

    @SOME
    @given(BOTH_ARMS, st.booleans())
    def test_cox_in_lifelines(self, rows, truncated):
        data = cohort(rows)
        ours = models.cox(data, "A", truncated)
        assume(not math.isnan(ours.value))
        frame = comparisons.design(data, "A", truncated)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it takes a rare event for separation
            theirs = CoxPHFitter().fit(frame, "time", "event", entry_col="entry" if truncated else None,
                                       fit_options={"precision": 1e-16, "r_precision": 1e-16}).summary.loc["other"]
        assert float(theirs["exp(coef)"]) == pytest.approx(ours.value, rel=1e-6)
        assert float(theirs["exp(coef) upper 95%"]) == pytest.approx(ours.upper, rel=1e-6)

    @MANY
    @given(BOTH_ARMS)
    def test_profile_and_penalty(self, rows):
        data = cohort(rows)
        wald, profile, firth = models.cox(data, "A"), models.cox_profile(data, "A"), models.firth(data, "A")
        assert profile.value == pytest.approx(wald.value, **CLOSE)
        for found in (profile, firth):
            if math.isnan(found.p):
                assert found.note
            else:  # interval and p agree
                assert 0 < found.lower < found.value < found.upper < math.inf
                assert (found.lower > 1 or found.upper < 1) == (found.p < 0.05)

    @MANY
    @given(BOTH_ARMS, st.lists(st.integers(0, 4), min_size=24, max_size=24))
    def test_concordance(self, rows, marker):
        data = cohort(rows)
        time, event, _ = arrays(data)
        marker = np.array(marker[:len(data)], float)
        ours = float(batch.concordance(time, event, marker)[0])
        earlier = (time[:, None] < time) | ((time[:, None] == time) & event[:, None] & ~event)
        pairs = earlier & event[:, None]
        if not pairs.any():
            assert math.isnan(ours)
            return
        lead = np.sign(marker[:, None] - marker)
        assert ours == pytest.approx(((lead + 1) / 2)[pairs].mean(), **CLOSE)
        assert concordance_index(time, -marker, event) == pytest.approx(ours, **CLOSE)
        assert concordance_index_censored(event, time, marker)[0] == pytest.approx(ours, **CLOSE)

    @MANY
    @given(st.integers(2, 9), st.integers(0, 2**32 - 1))
    def test_many_cohorts_at_once_are_as_many_single_ones(self, n, seed):
        rng = np.random.default_rng(seed)
        time, event = rng.integers(1, 10, (5, n)).astype(float), rng.random((5, n)) < 0.6
        other, code = rng.random((5, n)) < 0.5, rng.integers(0, 3, (5, n))
        single = list(zip(time, event, other, code, strict=True))
        for name, whole, parts in [
            ("quantile", batch.quantile(time, event), [batch.quantile(t, e) for t, e, _, _ in single]),
            ("rmst", batch.rmst(time, event, 6)[1], [batch.rmst(t, e, 6)[1] for t, e, _, _ in single]),
            ("logrank", batch.logrank(time, event, other, (1, 1)).chi2,
             [batch.logrank(t, e, o, (1, 1)).chi2 for t, e, o, _ in single]),
            ("cox", batch.cox(time, event, other)[0], [batch.cox(t, e, o)[0] for t, e, o, _ in single]),
            ("incidence", batch.cumulative_incidence(time, code, 2, [4])[:, 0],
             [batch.cumulative_incidence(t, c, 2, [4])[0] for t, _, _, c in single]),
            ("concordance", batch.concordance(time, event, other * 1.0),
             [batch.concordance(t, e, o * 1.0) for t, e, o, _ in single]),
        ]:
            np.testing.assert_allclose(whole, np.ravel(parts), rtol=1e-12, atol=1e-15, err_msg=name)


#: Cohorts at the edge: rows of time, code, other arm, entry.
EDGES = {
    "two patients, both with an event": [(1, 1, False, 0), (2, 1, True, 0)],
    "two patients, one with an event": [(1, 1, False, 0), (2, 0, True, 0)],
    "two patients, no event": [(1, 0, False, 0), (2, 0, True, 0)],
    "two patients at one time": [(3, 1, False, 0), (3, 1, True, 0)],
    "all censored": [(t, 0, t % 2 == 0, 0) for t in range(1, 9)],
    "only the competing event": [(t, 2, t % 2 == 0, 0) for t in range(1, 9)],
    "all events at one time": [(5, 1, t % 2 == 0, 0) for t in range(8)],
    "all events at one time, others later": [(5 + 4 * (t > 6), t <= 6, t % 2 == 0, 0) for t in range(9)],
    "all at time zero": [(0, 1, t % 2 == 0, 0) for t in range(6)],
    "some at time zero": [(0, t % 2, t % 3 == 0, 0) for t in range(6)] + [(4, 1, True, 0), (5, 1, False, 0)],
    "one empty arm": [(t, t % 2, False, 0) for t in range(1, 9)],
    "the other arm empty": [(t, t % 2, True, 0) for t in range(1, 9)],
    "perfect separation, other arm first": [(t, t < 6, t < 6, 0) for t in range(1, 11)],
    "perfect separation, reference first": [(t, t < 6, t >= 6, 0) for t in range(1, 11)],
    "separated, all with events": [(t, 1, t < 6, 0) for t in range(1, 11)],
    "an arm gone before the first event": [(t, t > 4, t > 4, 0) for t in range(1, 9)],
    "one patient against many": [(4, 1, True, 0)] + [(t, t % 2, False, 0) for t in range(1, 9)],
    "everybody enters too late": [(t, 1, t % 2 == 0, 20) for t in range(1, 9)],
    "one arm enters too late": [(t, 1, t % 2 == 0, 20 * (t % 2)) for t in range(1, 9)],
    "no patients": [],
}
#: Functions of two arms whose result has a note.
NOTED = {
    "logrank": lambda data: comparisons.logrank(data, "A"),
    "logrank truncated": lambda data: comparisons.logrank(data, "A", truncated=True),
    **{f"weighted {weight}": lambda data, weight=weight: comparisons.weighted_logrank(data, "A", weight)
       for weight in WEIGHTS},
    "cox": lambda data: models.cox(data, "A"), "cox truncated": lambda data: models.cox(data, "A", True),
    "cox_profile": lambda data: models.cox_profile(data, "A"),
    "cox_profile truncated": lambda data: models.cox_profile(data, "A", True),
    "firth": lambda data: models.firth(data, "A"), "firth truncated": lambda data: models.firth(data, "A", True),
    "rmst": lambda data: restricted.restricted_mean(data[data["arm"] == "A"], 6),
    "rmst difference": lambda data: restricted.rmst_difference(data, "A", 6),
    "milestone": lambda data: milestone.survival_difference(data, "A", 4),
    "gray 1": lambda data: competing.gray(data, 1), "gray 2": lambda data: competing.gray(data, 2),
    "proportional hazards": lambda data: models.proportional_hazards(data, "A"),
    "fine_gray 1": lambda data: competing.fine_gray(data, "A", 1),
    "fine_gray 2": lambda data: competing.fine_gray(data, "A", 2),
}


def at_the_edge(name):
    if EDGES[name]:
        return cohort(EDGES[name])
    return cohort([(1, 1, False, 0)]).iloc[:0]


@pytest.mark.parametrize("edge", EDGES)
class TestEdges:
    @pytest.mark.parametrize("name", NOTED)
    def test_a_number_or_a_reason(self, edge, name):
        found = NOTED[name](at_the_edge(edge))._asdict()
        note = found.pop("note")
        numbers = {key: value for key, value in found.items() if key != "score"}
        assert note or not any(math.isnan(value) for value in numbers.values())
        assert not any(math.isinf(value) for value in numbers.values())
        assert math.isnan(numbers.get("p", 0.5)) or 0 <= numbers.get("p", 0.5) <= 1

    def test_residuals_or_a_reason(self, edge):
        found = models.schoenfeld(at_the_edge(edge), "A")
        assert found.attrs["note"] if found.empty else np.isfinite(found[["residual", "scaled"]]).all(axis=None)

    def test_curves_and_counts(self, edge):
        for truncated in (False, True):
            curve = curves.kaplan_meier(at_the_edge(edge), truncated)
            assert curve["survival"].between(0, 1).all() and (curve["survival"].diff().dropna() <= 0).all()
            # No limits only where the curve has reached zero.
            assert (curve["lower"].isna() == (curve["survival"] == 0)).all()
            for estimate in (curves.quantile(curve), curves.survival_at(curve, 4)):
                assert not any(map(math.isinf, estimate))
        follow_up, incidence = curves.follow_up(at_the_edge(edge)), competing.cumulative_incidence(at_the_edge(edge))
        assert not any(map(math.isinf, follow_up)) and incidence["incidence"].between(0, 1).all()
        counts = curves.counts_at(at_the_edge(edge), [0, 4, 9, 30])
        assert (counts[["at_risk", "censored", "events"]].sum(axis=1) == len(EDGES[edge])).all()

    def test_batch(self, edge):
        if not EDGES[edge]:
            return
        data = at_the_edge(edge)
        time, event, other = arrays(data)
        assert finite(batch.quantile(time, event)) == pytest.approx(
            curves.quantile(curves.kaplan_meier(data)).value, **CLOSE)
        assert batch.rmst(time, event, 6)[0][0] == pytest.approx(restricted.restricted_mean(data, 6).value, **CLOSE)
        for weight in WEIGHTS:
            assert batch.logrank(time, event, other, weight).p[0] == pytest.approx(
                comparisons.weighted_logrank(data, "A", weight).p, **CLOSE)
        log_hr, se = batch.cox(time, event, other)
        assert math.isfinite(log_hr[0]) == math.isfinite(se[0]) == math.isfinite(models.cox(data, "A").value)
        assert 0 <= np.nan_to_num(batch.concordance(time, event, other * 1.0)[0]) <= 1


    def test_permutation_and_bootstrap(self, edge):
        time, event, other = arrays(at_the_edge(edge))
        exact = batch.permutation.exact(batch.permutation.scores(time, event), other)
        assert 0 < exact.p <= 1
        for statistic in ("linear", "studentised"):
            try:
                found = batch.permutation.monte_carlo(time, event, other, draws=50, seed=1, statistic=statistic)
            except ValueError as reason:
                assert str(reason)
            else:
                assert 0 < found.p <= 1
        if len(time):
            rows = batch.bootstrap(other, draws=50, seed=1)
            median = batch.quantile(time, event)[0]
            limits = batch.bca(median, batch.quantile(time[rows], event[rows]),
                               batch.quantile(*(values[batch.leave_one_out(len(time))] for values in (time, event))),
                               strata=other)
            assert limits.note or not any(map(math.isnan, limits[:2]))


def wald(data, reference, unit):
    found = models.cox(data, reference)
    return [found.p], [math.log(found.value)], [np.log(found[1:3])]


def profile(data, reference, unit):
    found = models.cox_profile(data, reference)
    return [found.p], [math.log(found.value)], [np.log(found[1:3])]


def firth(data, reference, unit):
    found = models.firth(data, reference)
    return [found.p], [math.log(found.value)], [np.log(found[1:3])]


def log_ranks(data, reference, unit):
    found = [comparisons.weighted_logrank(data, reference, weight) for weight in WEIGHTS]
    return [(one.chi2, one.p) for one in found], [one.score for one in found], []


def means(data, reference, unit):
    found = restricted.rmst_difference(data, reference, 7 * unit)
    return [found.p], [found.value / unit], [(found.lower / unit, found.upper / unit)]


def fixed_time(data, reference, unit):
    found = milestone.survival_difference(data, reference, 5 * unit)
    return [found.p], [found.value], [(found.lower, found.upper)]


def chi_squared(data, reference, unit):
    return [competing.gray(data, 1)[:2], models.proportional_hazards(data, reference)[:2]], [], []


def medians(data, reference, unit):
    found = [curves.follow_up(data), *(curves.quantile(curves.kaplan_meier(data, late)) for late in (False, True))]
    return [np.array(found) / unit], [], []


#: Each gives what stays as it is when the arms change places, what changes its sign, and intervals, which turn round.
STATISTICS = [wald, profile, firth, log_ranks, means, fixed_time, chi_squared, medians]
ONE = st.sampled_from(STATISTICS)


def same(one, two):
    for left, right in zip(one, two, strict=True):
        np.testing.assert_allclose(np.array(left, float), np.array(right, float), rtol=1e-7, atol=1e-8)


class TestWhatMustNotMatter:
    @CHANGED
    @given(BOTH_ARMS, ONE, st.randoms())
    def test_order_of_the_rows(self, rows, statistic, random):
        order = list(range(len(rows)))
        random.shuffle(order)
        data = cohort(rows)
        same(statistic(data, "A", 1), statistic(data.iloc[order], "A", 1))

    @CHANGED
    @given(BOTH_ARMS, ONE)
    def test_names_of_the_arms(self, rows, statistic):
        data = cohort(rows)
        named = data.assign(arm=data["arm"].map({"A": "Z", "B": "IFN+IM"}))
        same(statistic(data, "A", 1), statistic(named, "Z", 1))

    @CHANGED
    @given(BOTH_ARMS, ONE)
    def test_which_arm_is_the_reference(self, rows, statistic):
        data = cohort(rows)
        kept, turned, ranges = statistic(data, "A", 1)
        same((kept, [-one for one in turned], [(-high, -low) for low, high in ranges]), statistic(data, "B", 1))

    @CHANGED
    @given(BOTH_ARMS, ONE, st.sampled_from([7, 30, 365]))
    def test_unit_of_time(self, rows, statistic, days):
        data = cohort(rows)
        longer = data.assign(time=data["time"] * days, entry=data["entry"] * days)
        same(statistic(data, "A", 1), statistic(longer, "A", days))

    @settings(max_examples=20, deadline=None)
    @given(st.integers(2, 20), st.integers(0, 2**32 - 1))
    def test_batches_of_two_hundred(self, n, seed):
        rng = np.random.default_rng(seed)
        time, event = rng.integers(1, 15, (200, n)).astype(float), rng.random((200, n)) < 0.6
        other, order = rng.random(n) < 0.5, rng.permutation(n)
        for weight in WEIGHTS:
            found, swapped = batch.logrank(time, event, other, weight), batch.logrank(time, event, ~other, weight)
            shuffled = batch.logrank(time[:, order], event[:, order], other[order], weight)
            longer = batch.logrank(time * 7, event, other, weight)
            same((found.score, found.p), (-swapped.score, swapped.p))
            same(found, shuffled)
            same(found, longer)
        (ratio, error), (inverse, same_error) = batch.cox(time, event, other), batch.cox(time, event, ~other)
        same((ratio, error), (-inverse, same_error))
        same((ratio, error), batch.cox(time[:, order] * 7, event[:, order], other[order]))
        same([batch.quantile(time, event)], [batch.quantile(time[:, order] * 7, event[:, order]) / 7])
        same([batch.rmst(time, event, 5)[0]], [batch.rmst(time[:, order] * 7, event[:, order], 35)[0] / 7])
