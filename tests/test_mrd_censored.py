"""Levels below a limit. Expected numbers: R 4.2.2 (survival 3.5-3 `survreg`), closed forms, known truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, truncnorm
from survival_examples import AML
from test_adam_admrd import STUDY
from test_mrd import known, outcome

from remission import mrd, results
from remission.estimators import partial
from remission.mrd import censored, levels
from remission.study import Study

Y = np.array([-2.5, -0.3, -2.0, 0.4, -1.1, -3, -2.5, 0.9, -0.7, -1.6, 0.2, -2])
MEASURED = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0], bool)
X = np.array([0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1])
Z = np.array([0.1, 0.5, 0.2, 0.9, 1.4, 0.3, 0.2, 0.8, 0.6, 0.1, 0.7, 0.4])
LOW = np.where(MEASURED, Y, -np.inf)


class TestTobit:
    def test_left_censored(self):
        # R: survreg(Surv(y, measured, type = "left") ~ x, dist = "gaussian", control: rel.tolerance = 1e-14)
        fit = censored.tobit(LOW, Y, X)
        assert fit.coefficients == pytest.approx((-2.20677202922071, 0.96933388433795), rel=1e-11)
        assert fit.sd == pytest.approx(1.84588415782118, rel=1e-11)
        assert fit.covariance == pytest.approx(np.array([
            [0.7496076006341292, -0.7091062094035098, -0.0780002322502947],
            [-0.7091062094035098, 1.3147592239365249, 0.0317485646669219],
            [-0.0780002322502947, 0.0317485646669219, 0.0890744911186925]]), rel=1e-9)
        assert fit.loglik == pytest.approx(-18.3095568723707, rel=1e-12)
        alone = censored.tobit(LOW, Y)
        assert (alone.coefficients[0], alone.sd, alone.loglik) == pytest.approx(
            (-1.73459718986491, 1.92361573408847, -18.6613073622956), rel=1e-11)

    def test_interval_censored_too(self):
        # R: survreg(Surv(low, high, type = "interval2") ~ x + z, dist = "gaussian")
        low, high = LOW.copy(), Y.copy()
        low[[2, 6]], high[[2, 6]] = Y[[2, 6]], Y[[2, 6]] + 0.5
        fit = censored.tobit(low, high, np.column_stack([X, Z]))
        assert fit.coefficients == pytest.approx((-3.11335656808928, 1.01157693557212, 2.47714273667456), rel=1e-10)
        assert fit.sd == pytest.approx(1.05535516569831, rel=1e-11)
        assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(
            (0.705208077862805, 0.645374258868656, 0.864596311773687, 0.247948744841424), rel=1e-9)
        assert fit.loglik == pytest.approx(-17.1557262317108, rel=1e-12)

    def test_nothing_censored_is_the_mean_and_root_mean_square(self):
        fit = censored.tobit(Y, Y)
        assert (fit.coefficients[0], fit.sd) == pytest.approx((Y.mean(), Y.std()), rel=1e-12)
        assert fit.covariance[0, 0] == pytest.approx(Y.var() / 12, rel=1e-11)
        assert fit.loglik == pytest.approx(norm.logpdf(Y, Y.mean(), Y.std()).sum(), rel=1e-12)

    def test_unit_does_not_matter(self):
        one, two = censored.tobit(LOW, Y, X), censored.tobit(1e3 * LOW + 7e4, 1e3 * Y + 7e4, X)
        assert two.coefficients[1] == pytest.approx(1e3 * one.coefficients[1], rel=1e-9)

    def test_truth_is_found_where_substitution_is_off(self):
        random = np.random.default_rng(1)
        level = random.normal(-1.0, 1.5, 4000)
        limit = -1.5
        fit = censored.tobit(np.where(level < limit, -np.inf, level), np.maximum(level, limit))
        assert fit.coefficients[0] == pytest.approx(-1.0, abs=0.1) and fit.sd == pytest.approx(1.5, abs=0.1)
        assert np.maximum(level, limit).mean() > -0.75 and np.maximum(level, limit).std() < 1.2

    @pytest.mark.parametrize(("lower", "upper", "x", "words"), [
        ([-np.inf] * 3, [1, 2, 3], None, "fewer than two different levels were measured"),
        ([1, 1, -np.inf], [1, 1, 0], None, "fewer than two different levels were measured"),
        ([1, 2, 3], [1, 2, 3], [1, 1, 1], "the groups cannot be told apart"),
        ([1, 2, -np.inf], [1, 2, 0], [0, 0, 1], "a group has no measured level"),
        ([1, 2, -np.inf], [1, 2, 0], [0, 1, 0], "too few levels were measured"),
        ([], [], None, "fewer than two different levels were measured")])
    def test_reasons(self, lower, upper, x, words):
        fit = censored.tobit(lower, upper, x)
        assert fit.note == words and np.isnan(fit.coefficients).all()
        assert all(math.isnan(one) for one in censored.interval(fit, 0))


def test_nelson_aalen():
    # R: summary(survfit(Surv(time, status) ~ 1, aml, stype = 2, ctype = 1), times = c(5, 23, 45))$cumhaz
    found = censored.nelson_aalen(*AML[:2])
    at = [found[AML[0].index(day)] for day in (5, 23, 45)]
    assert at == pytest.approx([0.08695652173913, 0.57448000616664, 1.66102401771065], rel=1e-12)


class TestImputation:
    def test_measured_levels_stay_and_others_respect_their_limits(self):
        low, high = LOW.copy(), Y.copy()
        low[2], high[2] = -2.0, -1.5
        drawn, why = censored.impute(low, high, X, seed=3, imputations=200)
        assert why == "" and drawn.shape == (200, 12)
        assert (drawn[:, MEASURED] == Y[MEASURED]).all()
        assert (drawn <= high).all() and (drawn[:, 2] >= -2.0).all() and np.isfinite(drawn).all()
        assert (drawn == censored.impute(low, high, X, seed=3, imputations=200)[0]).all()

    def test_draws_have_the_truncated_normal_distribution(self):
        grid = (np.arange(20_000) + 0.5) / 20_000
        for low, high in ((-np.inf, -3.0), (0.5, 0.9), (6.0, 7.0), (-np.inf, 1.0)):
            found = censored.truncated(np.full(20_000, low), np.full(20_000, high), grid)
            assert found.mean() == pytest.approx(truncnorm.mean(low, high), rel=1e-3)
            assert found.std() == pytest.approx(truncnorm.std(low, high), rel=1e-2)

    def test_nothing_to_draw_from(self):
        drawn, why = censored.impute([-np.inf] * 3, [1, 2, 3], np.empty((3, 0)), seed=1)
        assert drawn.shape == (0, 3) and why == "fewer than two different levels were measured"

    def test_outcome_keeps_the_effect_that_would_be_diluted_without_it(self):
        # A true log hazard ratio of 0.7 per log10; half of the levels below the limit.
        random = np.random.default_rng(7)
        level = random.normal(-1.5, 1.2, 600)
        time = np.ceil(random.exponential(800 / np.exp(0.7 * (level + 1.5))))
        event, time = time < 1500, np.minimum(time, 1500)
        low, high = np.where(level < -1.5, -np.inf, level), np.maximum(level, -1.5)

        def pooled(outcome_):
            drawn, _ = censored.impute(low, high, outcome_, seed=1, imputations=20)
            fits = [partial.fit(partial.prepare(time, event, one)) for one in drawn]
            return censored.pool([fit.coefficients[0] for fit in fits], [fit.covariance[0, 0] for fit in fits], 600)

        full = partial.fit(partial.prepare(time, event, level)).coefficients[0]
        given = pooled(np.column_stack([event, censored.nelson_aalen(time, event)]))
        blind = pooled(np.empty((600, 0)))
        at_limit = partial.fit(partial.prepare(time, event, high)).coefficients[0]
        assert given.value == pytest.approx(full, abs=0.08) and given.lower < 0.7 < given.upper
        assert blind.value < full - 0.12  # diluted: the levels drawn know nothing of the outcome
        assert at_limit > full + 0.12  # exaggerated: the scale below the limit is cut off
        assert 0.2 < given.missing < 0.9


class TestPool:
    def test_rubin_and_barnard(self):
        # R, from the formulas: total 0.1686, share 0.43060498220641, df 6.75525990736125, qt and pt
        found = censored.pool([0.4, 0.7, 0.1, 0.55, 0.2], [0.09, 0.1, 0.085, 0.11, 0.095], 20)
        assert found[:3] == pytest.approx((0.39, -0.58811336757654, 1.36811336757654), rel=1e-11)
        assert (found.p, found.missing) == pytest.approx((0.37494294340343, 0.43060498220641), rel=1e-11)
        assert found.error == pytest.approx(math.sqrt(0.0605 / 5))

    def test_equal_imputations_leave_only_the_sample(self):
        found = censored.pool([1.0, 1.0, 1.0], [0.25] * 3, 10**9)
        assert found[:3] == pytest.approx((1.0, 1 - 0.9799819922700269, 1 + 0.9799819922700269), rel=1e-6)
        assert found.missing == 0 == found.error

    def test_tables_that_could_not_be_fitted(self):
        assert censored.pool([1.0, 2.0, math.nan], [1.0, 1.0, math.nan], 9).note == (
            "1 of 3 imputed tables could not be fitted")
        assert censored.pool([1.0], [1.0], 9).note == "fewer than two imputed tables could be fitted"


def cohort(patients=20, **columns):
    """A cohort whose levels are measured, below a limit, or between limits, in turn."""
    random = np.random.default_rng(5)
    level = np.round(random.normal(-1, 1, patients), 3)
    state = np.array(["QUANTIFIED", "NEGATIVE", "QUANTIFIED", "PNQ"] * patients)[:patients]
    admk = known(LVLSTART=np.where(state == "QUANTIFIED", level, -2.5)).assign(
        LVLSTATE=state, LVLCENS=np.where(state == "QUANTIFIED", "N", "Y"))
    return outcome(random.integers(50, 2000, patients), random.random(patients) < 0.7), admk.assign(**columns)


class TestRows:
    def test_a_sample_that_is_not_quantified_lies_between_two_limits_where_they_are_known(self):
        endpoint, admk = cohort()
        wide = Study("demo", "own", "", "", STUDY.arms, mrd={"quantifiable_log10": 0.5})
        one, two = levels.levels(endpoint, admk, STUDY)[0], levels.levels(endpoint, admk, wide)[0]
        between = (admk["LVLSTATE"] == "PNQ").to_numpy()
        assert np.isinf(one.lower[between]).all() and not one.data["between"].any()
        assert (two.lower[between] == -2.5).all() and (two.upper[between] == -2.0).all()
        assert np.isinf(two.lower[(admk["LVLSTATE"] == "NEGATIVE").to_numpy()]).all()

    def test_numbers(self):
        endpoint, admk = cohort()
        rows = mrd.analyse_levels(endpoint, admk, STUDY, seed=1, imputations=30)
        value = admk["LVLSTART"].to_numpy(float)
        half = value - np.where(admk["LVLCENS"] == "Y", math.log10(2), 0)

        def pick(statistic):
            return results.pick(rows, f"mrd.level_at_start.all.A.{statistic}")

        assert pick("mean[LOD]")["value"] == pytest.approx(value.mean())
        assert pick("mean[LOD/2]")["value"] == pytest.approx(half.mean())
        assert pick("SD[LOD]")["value"] == pytest.approx(value.std())
        relapsed = endpoint["event"].to_numpy(bool)
        assert pick("difference[LOD]")["value"] == pytest.approx(value[relapsed].mean() - value[~relapsed].mean())
        fit = partial.ratio(partial.prepare(endpoint["time"], endpoint["event"], half), "firth")
        assert pick("HR[LOD/2]")[["value", "lower", "upper"]].tolist() == pytest.approx(fit[:3])
        assert pick("HR[imputed]")["lower"] < pick("HR[imputed]")["value"] < pick("HR[imputed]")["upper"]
        assert "30 draws, seed 1" in pick("HR[imputed]")["method"] and pick("below_limit")["value"] == 10
        table = mrd.level_table(rows)
        assert table["method"].tolist() == ["LOD", "LOD/2", "LOD/sqrt2", "imputed", "Tobit"]
        assert "10 of 20" in mrd.levels_in_words(rows)

    def test_all_below_a_limit(self):
        endpoint, admk = cohort(LVLSTATE="NEGATIVE", LVLCENS="Y", LVLSTART=-2.5)
        rows = mrd.analyse_levels(endpoint, admk, STUDY, seed=1, imputations=5).set_index("statistic")["display"]
        assert rows["mean[Tobit]"] == "not estimable: fewer than two different levels were measured"
        assert rows["HR[imputed]"] == "not estimable: fewer than two different levels were measured"
        assert rows["HR[LOD]"] == "not estimable: no event fell while patients at risk differed"

    def test_none_below_a_limit_and_no_relapse(self):
        endpoint, admk = cohort(LVLSTATE="QUANTIFIED", LVLCENS="N", LVLSTART=np.linspace(-3, 1, 20))
        rows = mrd.analyse_levels(endpoint.assign(event=False), admk, STUDY, seed=1, imputations=5)
        found = rows.set_index("statistic")["display"]
        assert found["mean[Tobit]"] == found["mean[LOD]"] and found["HR[imputed]"] == "not estimable: no events"
        assert found["difference[LOD]"] == "not estimable: the groups cannot be told apart"
        assert "one and the same" in mrd.levels_in_words(rows)
