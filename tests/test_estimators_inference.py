"""Restricted means, weighted tests, profile and penalised likelihood, residuals: against R, closed forms, engines.

R is 4.2.2 with survival 3.5-3. `x` is the indicator of the other arm, and

    ll <- function(b) coxph(Surv(time, event) ~ x, d, init = b, control = coxph.control(iter.max = 0))$loglik[2]
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from firthmodels import FirthCoxPH
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.exceptions import ConvergenceWarning
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy.integrate import IntegrationWarning
from scipy.optimize import brentq
from sksurv.util import Surv
from statsmodels.duration.survfunc import survdiff

from remission.estimators import comparisons, curves, diagnostics, efron, milestone, models, restricted

DATA = Path(__file__).parent / "data"
TIGHT = {"rel": 1e-9, "abs": 1e-12}


def read(name):
    data = pd.read_csv(DATA / f"{name.removesuffix('_os')}.csv", dtype={"arm": str})
    if name == "exemplar_os":
        data = data.assign(time=data["os_time"], event=data["os_event"])
    return data.assign(event=(data["event"] if "event" in data else data["code"]) == 1)


def two_arms(arms, times, events, entry=0):
    return pd.DataFrame({"arm": list(arms), "time": times, "event": np.asarray(events, dtype=bool), "entry": entry})


#: Any small two-arm data: ties, censoring, late entry, perhaps nobody, perhaps no event, perhaps one arm.
ROWS = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 6), st.booleans(), st.integers(0, 6)), max_size=16)


def frame_of(rows):
    arms, times, events, entry = zip(*rows, strict=True) if rows else ((),) * 4
    data = two_arms(arms, np.array(times, dtype=int), events, np.array(entry, dtype=int))
    return data.assign(entry=np.minimum(data["entry"], data["time"]))


MONOTONE = two_arms("1111100000", [3, 5, 7, 8, 10, 12, 20, 22, 25, 30], [1] * 5 + [0] * 5)


class TestRestrictedMean:
    # R: summary(survfit(Surv(time, event) ~ arm), rmean = tau)$table[, c("rmean", "se(rmean)")]
    @pytest.mark.parametrize(("name", "arm", "tau", "value", "se"), [
        ("aml", "Maintained", 45, 30.738636363636, 4.114086240011),
        ("aml", "Nonmaintained", 45, 22.708333333333, 4.180941981033),
        ("drug6mp", "6-MP", 20, 16.1165266106443, 1.25156019600505),
        ("drug6mp", "placebo", 20, 8.42857142857143, 1.26808268250392),
        ("sksurv_bmt", "AML", 24, 19.1888888888889, 2.44344473103754),
        ("bioc_all", "BCR/ABL", 365, 189.647058823529, 32.7078862247387),
        ("exemplar", "IM", 1826, 577.083333333333, 178.88646532606)])
    def test_as_r(self, name, arm, tau, value, se):
        data = read(name)
        found = restricted.restricted_mean(data[data["arm"] == arm], tau)
        assert (found.value, found.se) == pytest.approx((value, se), rel=1e-11)

    def test_the_variance_that_lifelines_gives_is_not_the_one_of_the_mean(self):
        data = read("aml").query("arm == 'Maintained'")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IntegrationWarning)
            mean, variance = restricted_mean_survival_time(KaplanMeierFitter().fit(data["time"], data["event"]), 45,
                                                           return_variance=True)
        found = restricted.restricted_mean(data, 45)
        assert mean == pytest.approx(found.value)
        assert math.sqrt(variance) > 3 * found.se  # 13.06 against 4.11

    def test_without_censoring_it_is_a_plain_mean(self):
        times = np.array([2, 3, 3, 7, 9, 12, 15])
        found = restricted.restricted_mean(two_arms("A" * 7, times, [1] * 7), 10)
        cut = np.minimum(times, 10)
        assert (found.value, found.se) == pytest.approx((cut.mean(), cut.std() / math.sqrt(7)))

    def test_limits_stay_between_zero_and_the_horizon(self):
        found = restricted.restricted_mean(two_arms("AAA", [1, 20, 20], [1, 1, 1]), 19)
        assert (found.lower, found.upper) == (pytest.approx(13 - 1.959963984540054 * math.sqrt(24), abs=1e-9), 19)
        assert restricted.restricted_mean(two_arms("AAAA", [1, 1, 1, 20], [1] * 4), 19).lower == 0

    @pytest.mark.parametrize(("times", "events", "tau", "value", "word"), [
        ([1, 5], [1, 0], 6, math.nan, "before the horizon at day 6"),
        ([1, 5], [1, 0], 5, 3, ""), ([1, 5], [1, 1], 6, 3, ""),
        ([8, 9], [1, 0], 6, 6, "no event before the horizon"), ([], [], 6, math.nan, "no patients")])
    def test_edges(self, times, events, tau, value, word):
        found = restricted.restricted_mean(two_arms("A" * len(times), times, events), tau)
        assert found.value == pytest.approx(value, nan_ok=True)
        assert (word in found.note) if word else found.note == ""

    def test_a_horizon_must_lie_ahead(self):
        with pytest.raises(ValueError, match="above zero"):
            restricted.restricted_mean(read("aml"), 0)

    def test_difference(self):
        # By hand from R's rows above: 8.0303 and sqrt(4.1141^2 + 4.1809^2) = 5.8657.
        found = restricted.rmst_difference(read("aml"), "Nonmaintained", 45)
        se = math.hypot(4.114086240011, 4.180941981033)
        assert found[:3] == pytest.approx((8.030303030303, 8.030303030303 - 1.959963984540054 * se,
                                           8.030303030303 + 1.959963984540054 * se), rel=1e-11)
        assert found.p == pytest.approx(math.erfc(8.030303030303 / se / math.sqrt(2)), rel=1e-10)
        swapped = restricted.rmst_difference(read("aml"), "Maintained", 45)
        assert (swapped.value, swapped.upper, swapped.p) == pytest.approx((-found.value, -found.lower, found.p))

    def test_the_note_names_the_arm(self):
        data = read("drug6mp")
        assert restricted.rmst_difference(data, "placebo", 40).note.startswith("6-MP: follow-up ends at day 35, before")
        assert "two arms" in restricted.rmst_difference(data[data["arm"] == "6-MP"], "placebo", 20).note
        assert "no event" in restricted.rmst_difference(two_arms("AB", [5, 6], [1, 1]), "A", 4).note


class TestWeightedLogrank:
    # (1, 0): survdiff(Surv(time, event) ~ x, rho = 1); obs - exp of the second group. Others: sums over
    # sort(unique(time[event == 1])) written out in R. Gehan on drug6mp: 13.4579, as SAS PROC LIFETEST prints.
    @pytest.mark.parametrize(("name", "reference", "weight", "chi2", "score"), [
        ("aml", "Nonmaintained", (1, 0), 2.77927954475177, -2.29744651483782),
        ("aml", "Nonmaintained", "Gehan", 2.72331154684096, -50),
        ("aml", "Nonmaintained", (0, 1), 2.63011321762335, -1.39188947746291),
        ("aml", "Nonmaintained", (1, 1), 1.45248345480662, -0.456862041883196),
        ("drug6mp", "placebo", "log-rank", 16.7929409892165, -10.2505009480311),
        ("drug6mp", "placebo", (1, 0), 14.4571508187171, -6.87704503757192),
        ("drug6mp", "placebo", "Gehan", 13.4578520496311, -271),
        ("drug6mp", "placebo", (0, 1), 13.0484486240207, -3.37345591045921),
        ("drug6mp", "placebo", (1, 1), 12.741495708631, -1.6646510205669),
        ("exemplar", "IM", "Gehan", 4.34922133081642, -96)])
    def test_as_r(self, name, reference, weight, chi2, score):
        found = comparisons.weighted_logrank(read(name), reference, weight)
        assert (found.chi2, found.score) == pytest.approx((chi2, score), **TIGHT)

    def test_left_truncation_is_the_score_test_of_the_exact_conditional_likelihood(self):
        # R: coxph(Surv(entry, time, event) ~ x, ties = "exact")$score. Two deaths share a day; under Efron's ties the
        # score test is 2.28257545343405, since its variance is not the hypergeometric one.
        found = comparisons.logrank(read("exemplar_os"), "IM", truncated=True)
        assert found.chi2 == pytest.approx(2.27472043036215, **TIGHT)

    @settings(max_examples=50, deadline=None)
    @given(ROWS)
    def test_agrees_with_other_engines(self, rows):
        data = frame_of(rows)
        data = data.assign(time=data["time"] + 1, entry=data["entry"] + 1)  # lifelines fails on events at time 0
        late = data[data["entry"] < data["time"]]
        for weight, theirs, options in (
                ("log-rank", {}, {}), ("Gehan", {"weight_type": "gb"}, {"weightings": "wilcoxon"}),
                ((1, 0), {"weight_type": "fh", "fh_p": 1}, {"p": 1, "q": 0}), ((0, 1), None, {"p": 0, "q": 1}),
                ((1, 1), None, {"p": 1, "q": 1})):
            found = comparisons.weighted_logrank(data, "A", weight)
            if math.isnan(found.p):
                assert found.note
                continue
            one, other = data[data["arm"] == "A"], data[data["arm"] == "B"]
            how = {"weightings": "fleming-harrington", **options} if "p" in options else options
            lifelines = logrank_test(one["time"], other["time"], one["event"], other["event"], **how)
            assert found.chi2 == pytest.approx(lifelines.test_statistic, rel=1e-8, abs=1e-10)
            if theirs is None:
                continue
            code = (data["arm"] == "B").to_numpy().astype(int)
            chi2, p = survdiff(data["time"].to_numpy(), data["event"].to_numpy(), code, **theirs)
            assert found[:2] == pytest.approx((chi2, p), rel=1e-8, abs=1e-10)
            truncated = comparisons.weighted_logrank(data, "A", weight, truncated=True)
            if weight != (1, 0) and not math.isnan(truncated.p):  # with entry statsmodels has no weights by survival
                chi2, p = survdiff(late["time"].to_numpy(), late["event"].to_numpy(), code[late.index],
                                   entry=late["entry"].to_numpy(), **theirs)
                assert truncated[:2] == pytest.approx((chi2, p), rel=1e-8, abs=1e-10)

    def test_one_sided_p_is_small_when_the_other_arm_fares_better(self):
        found = comparisons.logrank(read("drug6mp"), "placebo")
        assert comparisons.one_sided(found) == found.p / 2
        assert comparisons.one_sided(comparisons.logrank(read("drug6mp"), "6-MP")) == 1 - found.p / 2
        assert math.isnan(comparisons.one_sided(comparisons.Test(math.nan, math.nan, "no events")))

    @pytest.mark.parametrize("weight", ["Wilcoxon", (1,), (-1, 0), (1, 0, 1)])
    def test_unknown_weights_are_refused(self, weight):
        with pytest.raises(ValueError, match="none of log-rank, Gehan"):
            comparisons.weighted_logrank(read("aml"), "Maintained", weight)

    def test_no_weight_on_the_only_event(self):
        found = comparisons.weighted_logrank(two_arms("AABB", [1, 2, 3, 4], [1, 0, 0, 0]), "A", (0, 1))
        assert "no weight on any event" in found.note


class TestLikelihood:
    # R: coxph()$loglik and sqrt(vcov()), eps = 1e-14.
    @pytest.mark.parametrize(("name", "reference", "null", "top", "se"), [
        ("aml", "Nonmaintained", -42.7248392627602, -41.0326155964584, 0.511934275172009),
        ("drug6mp", "placebo", -93.1842699968477, -85.0084245773716, 0.412396717709455),
        ("bioc_all", "other", -251.856244411885, -247.279153442761, 0.295790680024422)])
    def test_height_and_curvature_as_r(self, name, reference, null, top, se):
        terms = efron.likelihood(comparisons.risk_sets(comparisons.design(read(name), reference)))
        best = efron.maximum(terms)
        assert (efron.loglik(terms, 0.0), efron.loglik(terms, best)) == pytest.approx((null, top), rel=1e-12)
        assert efron.information(terms, best) ** -0.5 == pytest.approx(se, rel=1e-12)

    @settings(max_examples=60, deadline=None)
    @given(ROWS, st.floats(-3, 3), st.booleans())
    def test_slope_and_curvature_are_derivatives(self, rows, at, truncated):
        frame = comparisons.design(frame_of(rows), "A", truncated)
        terms = efron.likelihood(comparisons.risk_sets(frame))
        step = 1e-4
        low, middle, high = (efron.loglik(terms, at + move) for move in (-step, 0, step))
        mean, variance, third = (one.sum() for one in efron.moments(terms, at))
        assert (high - low) / (2 * step) == pytest.approx(terms.deaths - mean, abs=1e-5)
        assert (2 * middle - low - high) / step**2 == pytest.approx(variance, abs=1e-4)
        slope = (efron.information(terms, at + step) - efron.information(terms, at - step)) / (2 * step)
        assert slope == pytest.approx(third, abs=1e-5)

    @settings(max_examples=40, deadline=None)
    @given(ROWS, st.booleans())
    def test_maximum_agrees_with_lifelines(self, rows, truncated):
        data = frame_of(rows)
        found = models.cox(data, "A", truncated)
        if math.isnan(found.value):
            assert found.note
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # lifelines takes a rare event for separation
            fit = CoxPHFitter().fit(comparisons.design(data, "A", truncated), "time", "event",
                                    entry_col="entry" if truncated else None, fit_options={"precision": 1e-14})
        line = fit.summary.loc["other", ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]]
        assert list(found[:4]) == pytest.approx(line.tolist(), rel=1e-5)


class TestProfile:
    # R: uniroot(function(b) 2 * (m$loglik[2] - ll(b)) - qchisq(.95, 1), ...), p from 2 * diff(m$loglik).
    @pytest.mark.parametrize(("name", "reference", "coef", "lower", "upper", "p"), [
        ("aml", "Nonmaintained", -0.915532575014773, -1.98904157249105, 0.0591786365929491, 0.0658142401623393),
        ("drug6mp", "placebo", -1.57212514882907, -2.4308331079764, -0.795059370303763, 5.26092053288684e-05),
        ("exemplar", "IM", -0.776494022912184, -1.64338263210013, 0.102241839279756, 0.0820732343998117),
        ("bioc_all", "other", 0.970366581904538, 0.361510994723982, 1.52912716747585, 0.00248150291239778)])
    def test_as_r(self, name, reference, coef, lower, upper, p):
        found = models.cox_profile(read(name), reference)
        assert found[:3] == pytest.approx(np.exp([coef, lower, upper]), **TIGHT)
        assert found.p == pytest.approx(p, rel=1e-9)

    def test_left_truncation_as_r(self):
        found = models.cox_profile(read("exemplar_os"), "IM", truncated=True)
        assert (found.lower, found.upper) == pytest.approx(np.exp([-1.49995077473439, 0.242259704060097]), **TIGHT)
        assert found.p == pytest.approx(0.147863620605645, rel=1e-9)

    def test_a_maximum_that_does_not_exist_is_said(self):
        for found in (models.cox(MONOTONE, "0"), models.cox_profile(MONOTONE, "0")):
            assert math.isnan(found.value)
            assert "infinity" in found.note


class TestFirth:
    # R: optimize() of ll(b) + log(information(b)) / 2 (so the maximum itself to 1e-7), limits by uniroot. The two data
    # sets with ties need Efron's, whatever the packages offer.
    @pytest.mark.parametrize(("name", "reference", "coef", "lower", "upper", "p"), [
        ("aml", "Nonmaintained", -0.880069253508918, -1.91351979729827, 0.0660998436132775, 0.0684862537662237),
        ("drug6mp", "placebo", -1.54173941380376, -2.38104801624174, -0.778483595485354, 5.52205775763382e-05),
        ("exemplar", "IM", -0.780834815676138, -1.62780216780582, 0.0769309289213867, 0.073549062702647),
        ("bioc_all", "other", 0.989366421660853, 0.388766668446686, 1.54202609658912, 0.00180283496140517),
        ("monotone", "0", 3.24305134754391, 0.974470727255977, 8.14297664479608, 0.00253898518514114)])
    def test_as_r(self, name, reference, coef, lower, upper, p):
        found = models.firth(MONOTONE if name == "monotone" else read(name), reference)
        assert found.value == pytest.approx(math.exp(coef), rel=2e-7)
        assert (found.lower, found.upper) == pytest.approx(np.exp([lower, upper]), rel=1e-9)
        assert found.p == pytest.approx(p, rel=1e-9)

    def test_two_patients_in_closed_form(self):
        # The penalised likelihood is r^(1/2) / (1 + r)^2: its maximum is at r = 1 / 3.
        found = models.firth(two_arms("AB", [1, 2], [1, 0]), "A")
        height = math.log(math.sqrt(1 / 3) / (4 / 3) ** 2) - 3.841458820694124 / 2
        low, high = (math.exp(brentq(lambda b: b / 2 - 2 * math.log1p(math.exp(b)) - height, *ends, xtol=1e-13))
                     for ends in ((-20, -1.1), (-1.09, 20)))
        assert found[:3] == pytest.approx((1 / 3, low, high), rel=1e-9)

    def test_without_ties_as_firthmodels(self):
        rng = np.random.default_rng(7)
        data = two_arms(rng.permutation(list("A" * 12 + "B" * 9)), rng.permutation(21) + 1, rng.random(21) < 0.6)
        model = FirthCoxPH(backend="numpy", max_iter=500, gtol=1e-10, xtol=1e-12)
        model.fit((data[["arm"]] == "B").to_numpy(float), Surv.from_arrays(data["event"], data["time"]))
        found = models.firth(data, "A")
        assert found.value == pytest.approx(math.exp(model.coef_[0]), rel=1e-8)
        assert found[1:3] == pytest.approx(np.exp(model.conf_int(method="pl")[0]), rel=1e-4)

    @settings(max_examples=60, deadline=None)
    @given(ROWS, st.booleans())
    def test_finite_wherever_an_event_tells_the_arms_apart(self, rows, truncated):
        data = frame_of(rows)
        found = models.firth(data, "A", truncated)
        if math.isnan(found.value):
            assert found.note
            return
        assert 0 < found.lower < found.value < found.upper < math.inf
        terms = efron.likelihood(comparisons.risk_sets(comparisons.design(data, "A", truncated)))
        top = efron.penalised(terms, math.log(found.value))
        heights = np.array([efron.penalised(terms, at) for at in np.linspace(-12, 12, 241)])
        assert heights.max() <= top + 1e-12
        swapped = models.firth(data.assign(arm=data["arm"].map({"A": "B", "B": "A"})), "A", truncated)
        assert (1 / swapped.value, 1 / swapped.upper) == pytest.approx((found.value, found.lower), rel=1e-7)


class TestResiduals:
    def test_aml_as_r(self):
        # R: residuals(coxph(Surv(time, event) ~ x), "schoenfeld"), "scaledsch"; lowess(clock, scaled, 2/3, iter = 0)
        found = models.schoenfeld(read("aml"), "Nonmaintained")
        rows = found.iloc[[0, 4, 5, 14, 17]]
        assert found["time"].tolist() == [5, 5, 8, 8, 9, 12, 13, 18, 23, 23, 27, 30, 31, 33, 34, 43, 45, 48]
        assert rows["residual"].tolist() == pytest.approx([
            -0.277155290442227, 0.644987707742281, -0.333501833918993, 0.555368348454853, 0], **TIGHT)
        assert rows["scaled"].tolist() == pytest.approx([
            -2.22297957579027, 2.12711994905996, -2.48878766899035, 1.70435131879204, -0.915532575014773], **TIGHT)
        assert rows["smooth"].tolist() == pytest.approx([
            -2.4493412819224, -0.605827381594018, -0.164972850499072, -1.32511820566343, -1.82992697160218], **TIGHT)
        assert found["at_risk"].iloc[[0, 5, 17]].tolist() == [23, 18, 2]

    def test_the_test_is_that_of_r_to_the_last_digits(self):
        # R: cox.zph(coxph(Surv(time, event) ~ x, control = coxph.control(eps = 1e-14)))
        found = models.proportional_hazards(read("exemplar_os"), "IM")
        assert found[:2] == pytest.approx((4.10812314339632, 0.0426776992009905), rel=1e-9)

    @settings(max_examples=60, deadline=None)
    @given(ROWS)
    def test_residuals_sum_to_nothing_or_say_why_there_are_none(self, rows):
        data = frame_of(rows)
        found = diagnostics.schoenfeld(data, "A")
        assert list(found) == diagnostics.RESIDUAL_COLUMNS
        if found.empty:
            assert found.attrs["note"]
        else:
            assert len(found) == data["event"].sum()
            assert found["residual"].sum() == pytest.approx(0, abs=1e-9)

    def test_one_time_of_events_has_no_trend(self):
        data = two_arms("AABB", [3, 5, 3, 5], [1, 0, 1, 0])
        assert models.cox(data, "A").value == pytest.approx(1)
        found = models.proportional_hazards(data, "A")
        assert math.isnan(found.p) and "one time" in found.note
        assert models.schoenfeld(data, "A")["smooth"].isna().all()

    def test_a_window_filled_by_one_time_holds_its_mean(self):
        # R: lowess(c(0, .1, .2, rep(.5, 20), .6, .7, .8), 0:25 %% 2, f = 2/3, iter = 0)$y; statsmodels gives 1 for 0.5.
        found = diagnostics._smooth(np.array([0, 0.1, 0.2, *[0.5] * 20, 0.6, 0.7, 0.8]), np.arange(26) % 2.0)
        assert found == pytest.approx([0.316604456635, 0.343913580798, 0.239544544637, *[0.5] * 20, 1, 0.572621035058,
                                       0.760455455363], abs=1e-11)


class TestMilestone:
    # R: z <- summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times = t) for each arm; square roots of
    # sums of squares of surv - lower and upper - surv; log(-log(surv)) and (std.err / surv / log(surv))^2 for the test.
    @pytest.mark.parametrize(("name", "reference", "time", "value", "lower", "upper", "p"), [
        ("aml", "Nonmaintained", 22.5, 0.132575757575757, -0.292986125434915, 0.495372943980873, 0.517597348909378),
        ("drug6mp", "placebo", 10, 0.371988795518207, 0.0540022748804597, 0.612341450336809, 0.0221892353668995),
        ("exemplar", "IM", 913, 0.254385964912281, -0.0741336564926752, 0.501743599204746, 0.125986840805227),
        ("bioc_all", "other", 182.5, -0.435791217895609, -0.658071040472424, -0.190011938125256, 0.000288486851222)])
    def test_as_r(self, name, reference, time, value, lower, upper, p):
        found = milestone.survival_difference(read(name), reference, time)
        assert found[:4] == pytest.approx((value, lower, upper, p), rel=1e-9)

    @pytest.mark.parametrize(("arms", "times", "events", "time", "value", "word"), [
        ("AABB", [1, 5, 5, 6], [1, 1, 0, 1], 2, 0.5, "B: nobody has had the event"),
        ("AABB", [1, 1, 1, 6], [1, 1, 1, 1], 2, 0.5, "A: everybody has had the event"),
        ("AABB", [1, 5, 1, 2], [1, 1, 1, 0], 4, math.nan, "B: follow-up ends before day 4"),
        ("AA", [1, 5], [1, 1], 4, math.nan, "two arms")])
    def test_edges(self, arms, times, events, time, value, word):
        found = milestone.survival_difference(two_arms(arms, times, events), "A", time)
        assert found.value == pytest.approx(value, nan_ok=True)
        assert math.isnan(found.p)
        assert word in found.note


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 7))
def test_a_number_or_a_reason_never_a_warning(rows, at):
    data = frame_of(rows)
    mean = restricted.restricted_mean(data, at)
    assert mean.note if math.isnan(mean.lower) else 0 <= mean.lower <= mean.value <= mean.upper <= at
    found = [restricted.rmst_difference(data, "A", at), milestone.survival_difference(data, "A", at)]
    for truncated in (False, True):
        found += [how(data, "A", truncated) for how in (models.cox, models.cox_profile, models.firth)]
        found += [comparisons.weighted_logrank(data, "A", weight, truncated)
                  for weight in ("log-rank", "Gehan", (1, 0), (0, 1), (1, 1))]
    for one in found:
        assert one.note if math.isnan(one.p) else 0 <= one.p <= 1
    assert (curves.greenwood(curves.kaplan_meier(data)) >= 0).all()
