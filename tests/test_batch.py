"""Array kernels against the estimators of one cohort, and against R."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored

from remission import batch
from remission.batch import risk
from remission.estimators import comparisons, competing, curves, models

DATA = Path(__file__).parent / "data"


def shipped(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event, and the arm that comes second in the alphabet, as R codes it."""
    data = pd.read_csv(DATA / f"{name}.csv")
    event = (data["event"] if "event" in data else data["code"]) == 1
    return data["time"].to_numpy(), event.to_numpy(), (data["arm"] == data["arm"].max()).to_numpy()


def cohorts(count: int, patients: int, seed: int, days: int, whole: bool = True):
    """Random cohorts with censoring; few days make many ties."""
    rng = np.random.default_rng(seed)
    time = rng.integers(1, days, (count, patients))
    return (time if whole else time * 0.37), rng.random((count, patients)) < 0.6, rng.random((count, patients)) < 0.4


def frame(time, event, arm) -> pd.DataFrame:
    return pd.DataFrame({"time": time, "event": event, "arm": np.where(arm, "B", "A")})


#: Many ties, hardly any, and times that are no whole numbers.
KINDS = pytest.mark.parametrize(("patients", "days", "whole"), [(12, 9, True), (31, 4000, True), (20, 15, False)])


class TestAgainstR:
    """R 4.2.2, survival 3.5-3; `survdiff`, `summary(survfit(...), rmean = tau)$table`, `coxph`, `concordance`."""

    @pytest.mark.parametrize(("name", "chi2", "score", "variance"), [
        ("aml", 3.3963886989776, 3.68933599230072, 4.00755074593873),
        ("drug6mp", 16.7929409892165, 10.2505009480311, 6.2569605736755),
        ("exemplar", 3.29010361863653, 3.78168543861385, 4.34671560968972)])
    def test_logrank(self, name, chi2, score, variance):
        """`s <- survdiff(Surv(time, event) ~ arm)`: s$chisq, s$obs[2] - s$exp[2], s$var[2, 2]"""
        found = batch.logrank(*shipped(name))
        assert found.chi2[0] == pytest.approx(chi2, rel=1e-12)
        assert found.score[0] == pytest.approx(score, rel=1e-12)
        assert found.variance[0] == pytest.approx(variance, rel=1e-12)

    @pytest.mark.parametrize(("name", "chi2"), [
        ("aml", 2.77927954475177), ("drug6mp", 14.4571508187171), ("exemplar", 4.34922133081642)])
    def test_fleming_harrington(self, name, chi2):
        """`survdiff(Surv(time, event) ~ arm, rho = 1)$chisq`"""
        assert batch.logrank(*shipped(name), weight=(1, 0)).chi2[0] == pytest.approx(chi2, rel=1e-12)

    def test_gehan(self):
        """Freireich's 6-MP trial: SAS, PROC LIFETEST, Wilcoxon 13.4579; log-rank 16.7929."""
        assert batch.logrank(*shipped("drug6mp"), weight="Gehan").chi2[0] == pytest.approx(13.4579, abs=5e-5)
        assert batch.logrank(*shipped("drug6mp")).chi2[0] == pytest.approx(16.7929, abs=5e-5)

    @pytest.mark.parametrize(("name", "tau", "means", "errors"), [
        ("aml", 45, (30.7386363636364, 22.7083333333333), (4.11408624001147, 4.18094198103315)),
        ("drug6mp", 20, (16.1165266106443, 8.42857142857143), (1.25156019600505, 1.26808268250392)),
        ("exemplar", 2000, (1104.26315789474, 606.083333333333), (180.103615023762, 195.926554349006))])
    def test_restricted_mean(self, name, tau, means, errors):
        time, event, arm = shipped(name)
        for which, mean, error in zip((~arm, arm), means, errors, strict=True):
            found = batch.rmst(time[which], event[which], tau)
            assert found[0][0] == pytest.approx(mean, rel=1e-12)
            assert math.sqrt(found[1][0]) == pytest.approx(error, rel=1e-12)

    @pytest.mark.parametrize(("name", "log_hr", "se"), [
        ("aml", 0.915532575014773, 0.511934275172009), ("drug6mp", 1.57212514882907, 0.412396717709455),
        ("exemplar", 0.776494022912185, 0.438686597692153)])
    def test_cox(self, name, log_hr, se):
        """`coxph(Surv(time, event) ~ arm, control = coxph.control(eps = 1e-14, iter.max = 50))`"""
        found = batch.cox(*shipped(name))
        assert found[0][0] == pytest.approx(log_hr, rel=1e-12)
        assert found[1][0] == pytest.approx(se, rel=1e-12)

    @pytest.mark.parametrize(("name", "value"), [
        ("aml", 0.619047619047619), ("drug6mp", 0.690042075736325), ("exemplar", 0.614014251781473)])
    def test_concordance(self, name, value):
        """`concordance(Surv(time, event) ~ as.integer(factor(arm)), reverse = TRUE)$concordance`"""
        time, event, arm = shipped(name)
        assert batch.concordance(time, event, arm)[0] == pytest.approx(value, rel=1e-12)
        assert batch.concordance(time, event, arm * 3.5)[0] == pytest.approx(value, rel=1e-12)

    @pytest.mark.parametrize(("name", "other", "quartiles"), [
        ("aml", False, (18, 31, 48)), ("aml", True, (8, 23, 33)), ("drug6mp", False, (13, 23, math.inf)),
        ("exemplar", True, (113.5, 273, 844))])
    def test_quartiles(self, name, other, quartiles):
        """`quantile(survfit(Surv(time, event) ~ arm), c(.25, .5, .75))`"""
        time, event, arm = shipped(name)
        found = [float(batch.quantile(time[arm == other], event[arm == other], p)[0]) for p in (0.25, 0.5, 0.75)]
        assert found == pytest.approx(list(quartiles), rel=1e-12)


@KINDS
class TestAgainstOneCohort:
    """The same numbers as the estimators of a single cohort."""

    def test_quantile(self, patients, days, whole):
        time, event, _ = cohorts(50, patients, 1, days, whole)
        found = {probability: batch.quantile(time, event, probability) for probability in (0.25, 0.5, 0.8)}
        for row in range(len(time)):
            curve = curves.kaplan_meier(frame(time[row], event[row], event[row]))
            for probability, values in found.items():
                wanted = curves.quantile(curve, probability).value
                assert values[row] == pytest.approx(math.inf if math.isnan(wanted) else wanted, rel=1e-12)

    def test_survival_at(self, patients, days, whole):
        time, event, _ = cohorts(40, patients, 2, days, whole)
        at = [0, float(time[0, 0]), float(np.median(time)), float(time.max()) + 1]
        found = batch.survival_at(time, event, at)
        for row in range(len(time)):
            curve = curves.kaplan_meier(frame(time[row], event[row], event[row]))
            wanted = [curves.survival_at(curve, moment).value for moment in at]
            assert found[row] == pytest.approx(wanted, rel=1e-12, abs=1e-15, nan_ok=True)

    def test_restricted_mean(self, patients, days, whole):
        """Sum of rectangles, and Greenwood's sum of squared areas to the right, from the curve of one cohort."""
        time, event, _ = cohorts(50, patients, 3, days, whole)
        tau = float(np.quantile(time, 0.7))
        mean, variance = batch.rmst(time, event, tau)
        for row in range(len(time)):
            curve = curves.kaplan_meier(frame(time[row], event[row], event[row]))
            if tau > time[row].max() and curve["survival"].iloc[-1] > 0:
                assert math.isnan(mean[row]) and math.isnan(variance[row])
                continue
            inside = curve[curve["time"] < tau]
            edges = np.concatenate([[0], inside["time"], [tau]])
            area = np.diff(edges) * np.concatenate([[1], inside["survival"]])
            right = np.cumsum(area[::-1])[::-1][1:]
            at_risk, deaths = inside["at_risk"].to_numpy(float), inside["events"].to_numpy(float)
            some = (deaths > 0) & (at_risk > deaths)
            terms = right[some] ** 2 * deaths[some] / (at_risk[some] * (at_risk[some] - deaths[some]))
            assert mean[row] == pytest.approx(area.sum(), rel=1e-12)
            assert variance[row] == pytest.approx(terms.sum(), rel=1e-11, abs=1e-18)

    def test_logrank(self, patients, days, whole):
        time, event, arm = cohorts(60, patients, 4, days, whole)
        found = batch.logrank(time, event, arm)
        for row in range(len(time)):
            wanted = comparisons.logrank(frame(time[row], event[row], arm[row]), "A")
            assert found.chi2[row] == pytest.approx(wanted.chi2, rel=1e-9, abs=1e-12, nan_ok=True)
            assert found.p[row] == pytest.approx(wanted.p, rel=1e-9, nan_ok=True)

    @pytest.mark.parametrize("weight", ["Gehan", (1, 0), (0, 1), (1, 1), (0.5, 2)])
    def test_weighted_logrank(self, patients, days, whole, weight):
        """Sums over the risk sets of one cohort, times one by one."""
        time, event, arm = cohorts(60, patients, 5, days, whole)
        found = batch.logrank(time, event, arm, weight)
        for row in range(len(time)):
            score, variance, alive = 0.0, 0.0, 1.0
            for moment in np.unique(time[row][event[row]]):
                here = time[row] >= moment
                hit = event[row] & (time[row] == moment)
                r, d, mine = here.sum(), hit.sum(), (here & arm[row]).sum()
                w = r if weight == "Gehan" else alive ** weight[0] * (1 - alive) ** weight[1]
                score += w * ((hit & arm[row]).sum() - d * mine / r)
                variance += w**2 * d * (r - d) * mine * (r - mine) / (r**2 * max(r - 1, 1))
                alive *= 1 - d / r
            assert found.score[row] == pytest.approx(score, rel=1e-9, abs=1e-10)
            assert found.variance[row] == pytest.approx(variance, rel=1e-9, abs=1e-10)

    def test_cox(self, patients, days, whole):
        time, event, arm = cohorts(15, patients, 6, days, whole)
        log_hr, se = batch.cox(time, event, arm)
        for row in range(len(time)):
            wanted = models.cox(frame(time[row], event[row], arm[row]), "A")
            if "ratio to 0" in wanted.note or "ratio to infinity" in wanted.note:
                assert log_hr[row] == (-math.inf if "to 0" in wanted.note else math.inf) and math.isnan(se[row])
            elif wanted.note:
                assert math.isnan(log_hr[row]) and math.isnan(se[row])
            else:
                assert math.exp(log_hr[row]) == pytest.approx(wanted.value, rel=1e-9)
                assert math.exp(log_hr[row] + 1.959963984540054 * se[row]) == pytest.approx(wanted.upper, rel=1e-9)

    def test_cox_score_is_zero_at_the_maximum(self, patients, days, whole):
        """Efron's score and information written out, one tied event after another."""
        time, event, arm = cohorts(120, patients, 7, days, whole)
        log_hr, se = batch.cox(time, event, arm)
        for row in np.flatnonzero(np.isfinite(log_hr)):
            ratio, score, information = math.exp(log_hr[row]), 0.0, 0.0
            for moment in np.unique(time[row][event[row]]):
                here, hit = time[row] >= moment, event[row] & (time[row] == moment)
                d, d1 = hit.sum(), (hit & arm[row]).sum()
                r, r1 = here.sum(), (here & arm[row]).sum()
                for step in range(d):
                    one = (r1 - step / d * d1) * ratio
                    share = one / (one + r - r1 - step / d * (d - d1))
                    score, information = score - share, information + share * (1 - share)
                score += d1
            assert score == pytest.approx(0, abs=1e-12)
            assert se[row] == pytest.approx(information**-0.5, rel=1e-12)

    def test_cumulative_incidence(self, patients, days, whole):
        time, event, second = cohorts(20, patients, 8, days, whole)
        code = np.where(event, 1 + second, 0)
        at = [0.5, float(np.median(time)), float(time.max()) - 1, float(time.max()) + 1]
        for cause in (1, 2):
            found = batch.cumulative_incidence(time, code, cause, at)
            for row in range(len(time)):
                data = pd.DataFrame({"time": time[row], "code": code[row]})
                curve = competing.cumulative_incidence(data)
                wanted = [competing.incidence_at(data, curve, cause, moment).value for moment in at]
                assert found[row] == pytest.approx(wanted, rel=1e-12, abs=1e-15, nan_ok=True)

    def test_concordance(self, patients, days, whole):
        time, event, arm = cohorts(150, patients, 9, days, whole)
        marker = np.random.default_rng(10).integers(0, 6, time.shape) / 4
        for what in (marker, arm):
            found = batch.concordance(time, event, what)
            for row in range(len(time)):
                wanted = concordance_index_censored(event[row], time[row], what[row].astype(float))[0]
                assert found[row] == pytest.approx(wanted, rel=1e-12)


def every(time, event, arm) -> dict[str, np.ndarray]:
    """Every statistic, by name."""
    code = np.where(event, 1 + (np.asarray(time) % 2 == 0), 0)
    return {
        "median": batch.quantile(time, event), "mean": batch.rmst(time, event, 3)[0],
        "variance": batch.rmst(time, event, 3)[1], "survival": batch.survival_at(time, event, [3])[:, 0],
        "chi2": batch.logrank(time, event, arm).chi2, "Gehan": batch.logrank(time, event, arm, "Gehan").chi2,
        "late": batch.logrank(time, event, arm, (0, 1)).chi2, "log_hr": batch.cox(time, event, arm)[0],
        "se": batch.cox(time, event, arm)[1], "incidence": batch.cumulative_incidence(time, code, 1, [3])[:, 0],
        "C": batch.concordance(time, event, arm),
        "C of a number": batch.concordance(time, event, np.asarray(arm, float)),
    }


class TestSummary:
    """The same numbers as the kernels that it fuses; test_batch_reference has R's."""

    def together(self, time, event, arm, tau):
        """The kernels one by one; arms have one size in all cohorts."""
        mine = [(time[:, which], event[:, which]) for which in (~arm, arm)]
        means = [batch.rmst(*one, tau) for one in mine]
        test, (log_hr, se) = batch.logrank(time, event, arm), batch.cox(time, event, arm)
        return batch.Summary(
            np.stack([batch.quantile(*one) for one in mine], axis=1), np.stack([mean for mean, _ in means], axis=1),
            np.stack([variance for _, variance in means], axis=1), *test, log_hr, se,
            np.exp(log_hr - 1.959963984540054 * se), np.exp(log_hr + 1.959963984540054 * se),
            batch.concordance(time, event, arm))

    @KINDS
    def test_is_its_parts(self, patients, days, whole):
        time, event, _ = cohorts(250, patients, 22, days, whole)
        arm = np.arange(patients) % 3 == 0
        tau = float(np.quantile(time, 0.6))
        found, wanted = batch.summary(time, event, arm, tau), self.together(time, event, arm, tau)
        for name in batch.Summary._fields:
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-11, abs=1e-15,
                                                         nan_ok=True), name

    def test_permuted_arms_share_their_order(self):
        time, event, arm = cohorts(30, 14, 23, 12)
        wanted = batch.summary(np.tile(time[0], (30, 1)), np.tile(event[0], (30, 1)), arm, 5)
        for name, values in batch.summary(time[0], event[0], arm, 5)._asdict().items():
            assert values == pytest.approx(getattr(wanted, name), rel=1e-12, nan_ok=True), name

    def test_one_empty_arm(self):
        found = batch.summary([[1, 2, 3, 4]] * 2, [[True] * 4] * 2, [[True] * 4, [False] * 4], 3)
        assert np.isnan([found.median[0, 0], found.median[1, 1], found.mean[0, 0], found.mean_variance[1, 1]]).all()
        assert found.median[0, 1] == found.median[1, 0] == 2.5
        assert found.mean[0, 1] == found.mean[1, 0] == 2.25  # 1 + 3/4 + 1/2
        assert np.isnan(found.log_hr).all() and np.isnan(found.p).all()

    def test_monotone_likelihood_has_no_interval(self):
        found = batch.summary([1, 2, 3, 4], [True, True, False, False], [True, True, False, False], 3)
        assert found.log_hr[0] == math.inf and np.isnan([found.se[0], found.lower[0], found.upper[0]]).all()

    def test_nobody(self):
        nobody = np.empty((3, 0))
        found = batch.summary(nobody, nobody, nobody, 1)
        assert found.median.shape == (3, 2) and np.isnan(found.median).all() and np.isnan(found.chi2).all()

    def test_refusals(self):
        with pytest.raises(ValueError, match="tau is a positive time"):
            batch.summary([1, 2], [1, 1], [0, 1], 0)
        with pytest.raises(ValueError, match="a level lies between 0 and 1"):
            batch.summary([1, 2], [1, 1], [0, 1], 1, level=95)
        with pytest.raises(ValueError, match="a time is missing"):
            batch.summary([1, math.nan], [1, 1], [0, 1], 1)


class TestShapes:
    """One answer whatever the layout."""

    @pytest.mark.parametrize("chunk", [1, 40, 1 << 17])
    def test_chunks_and_sweeps_make_no_difference(self, monkeypatch, chunk):
        time, event, arm = cohorts(50, 14, 11, 12)
        wanted = every(time, event, arm)
        monkeypatch.setattr(risk, "CHUNK", chunk)
        monkeypatch.setattr(risk, "ABREAST", 1)
        for name, found in every(time, event, arm).items():
            assert found == pytest.approx(wanted[name], rel=1e-12, nan_ok=True), name

    def test_a_batch_is_its_cohorts(self):
        time, event, arm = cohorts(30, 14, 12, 12)
        wanted = every(time, event, arm)
        for row in range(len(time)):
            for name, found in every(time[row], event[row], arm[row]).items():
                assert found.shape == (1,)
                assert found == pytest.approx(wanted[name][[row]], rel=1e-12, nan_ok=True), name

    def test_shared_times_are_put_in_order_once(self):
        time, event, arm = cohorts(30, 14, 13, 12)
        wanted = every(np.tile(time[0], (30, 1)), np.tile(event[0], (30, 1)), arm)
        for name, found in every(time[0], event[0], arm).items():
            if len(found) == 30:
                assert found == pytest.approx(wanted[name], rel=1e-12, nan_ok=True), name

    def test_a_shared_arm(self):
        time, event, arm = cohorts(30, 14, 14, 12)
        wanted = every(time, event, np.tile(arm[0], (30, 1)))
        for name, found in every(time, event, arm[0]).items():
            assert found == pytest.approx(wanted[name], rel=1e-12, nan_ok=True), name

    def test_order_of_patients_makes_no_difference(self):
        time, event, arm = cohorts(30, 14, 15, 12)
        order = np.random.default_rng(1).permutation(14)
        wanted = every(time, event, arm)
        for name, found in every(time[:, order], event[:, order], arm[:, order]).items():
            assert found == pytest.approx(wanted[name], rel=1e-12, nan_ok=True), name

    def test_exchanging_arms_turns_the_sign(self):
        time, event, arm = cohorts(200, 14, 16, 12)
        one, two = batch.logrank(time, event, arm), batch.logrank(time, event, ~arm)
        assert one.score == pytest.approx(-two.score, abs=1e-12)
        assert one.chi2 == pytest.approx(two.chi2, rel=1e-9, nan_ok=True)
        assert batch.cox(time, event, arm)[0] == pytest.approx(-batch.cox(time, event, ~arm)[0], rel=1e-9, abs=1e-12,
                                                               nan_ok=True)

    def test_kinds_of_numbers_make_no_difference(self):
        time, event, arm = cohorts(30, 14, 17, 12)
        wanted = every(time, event, arm)
        for kind in (np.int32, np.uint16, np.float32, np.float64):
            for name, found in every(time.astype(kind), event.astype(int), arm).items():
                assert found == pytest.approx(wanted[name], rel=1e-12, nan_ok=True), name

    def test_the_unit_of_time_only_scales(self):
        time, event, arm = cohorts(60, 20, 18, 4000)
        years = time / 365.25
        assert batch.quantile(years, event) == pytest.approx(batch.quantile(time, event) / 365.25, rel=1e-12)
        assert batch.cox(years, event, arm)[0] == pytest.approx(batch.cox(time, event, arm)[0], rel=1e-12, nan_ok=True)
        mean, variance = batch.rmst(years, event, 1000 / 365.25)
        wanted = batch.rmst(time, event, 1000)
        assert mean == pytest.approx(wanted[0] / 365.25, rel=1e-12)
        assert variance == pytest.approx(wanted[1] / 365.25**2, rel=1e-12)

    def test_wide_times_need_long_keys(self):
        time, event, arm = cohorts(20, 14, 19, 12)
        assert batch.logrank(time * 10**9, event, arm).chi2 == pytest.approx(batch.logrank(time, event, arm).chi2,
                                                                             rel=1e-12, nan_ok=True)
        assert batch.logrank(time * 10**17, event, arm).chi2 == pytest.approx(batch.logrank(time, event, arm).chi2,
                                                                              rel=1e-12, nan_ok=True)

    @pytest.mark.parametrize(("least", "most", "packed"), [(0.01, 30, True), (200.5, 4000.5, True), (0, 9, None),
                                                           (1e-300, 1e300, None), (-3, 5, False), (0.5, np.inf, None)])
    @pytest.mark.parametrize("bits", [0, 1, 3])
    def test_floats_are_put_in_order_by_their_bits_or_by_index(self, least, most, packed, bits):
        """Times, events and payloads as np.lexsort has them: events before censorings of one time."""
        rng = np.random.default_rng(21)
        time = np.clip(rng.uniform(least, min(most, 1e4), (40, 25)), least, most)
        time[:, :6] = time[:, 6:12]  # ties
        time[:, 12], time[:, 13] = least, most
        time[:, 14] = -0.0 if least == 0 else time[:, 14]
        event, payload = rng.random(time.shape) < 0.5, rng.integers(0, 2**bits, time.shape)
        assert packed in (None, risk._float_keys(time, bits + 1)[0] is not None)  # None: few bits fit, more do not
        table = next(risk.tables(time, event, payload if bits else None, bits)[1])[1]
        for row, (moments, ended, carried) in enumerate(zip(time, event, payload, strict=True)):
            order = np.lexsort((carried, ~ended, moments))
            assert table.times()[:, row].tolist() == moments[order].tolist()
            assert table.event[:, row].tolist() == ended[order].tolist()
            assert table.tied[1:, row].tolist() == (moments[order][1:] == moments[order][:-1]).tolist()
            if bits:
                assert table.payload[:, row].tolist() == carried[order].tolist()

    def test_a_large_cohort(self):
        """Ranks by binary search, long accumulations: against the libraries."""
        rng = np.random.default_rng(20)
        time, event, arm = rng.integers(1, 500, 5000), rng.random(5000) < 0.5, rng.random(5000) < 0.5
        data, marker = frame(time, event, arm), rng.normal(size=5000).round(2)
        assert batch.logrank(time, event, arm).chi2[0] == pytest.approx(comparisons.logrank(data, "A").chi2, rel=1e-9)
        assert batch.quantile(time, event)[0] == curves.quantile(curves.kaplan_meier(data)).value
        for what in (marker, arm):
            wanted = concordance_index_censored(event, time, what.astype(float))[0]
            assert batch.concordance(time, event, what)[0] == pytest.approx(wanted, rel=1e-12)
        # More patients than a short counter holds: every patient eight times, with tied weights.
        many = [np.repeat(one, 8) for one in (time, event, arm)]
        score = batch.logrank(*many).score[0]
        assert score == pytest.approx(8 * batch.logrank(time, event, arm).score[0], rel=1e-9)
        assert np.isfinite(batch.cox(*many)).all()


class TestEdges:
    """A number or NaN by rule, never a warning: warnings are errors here."""

    def test_two_patients(self):
        found = every([1, 2], [True, True], [True, False])
        assert found["median"] == 1.5
        assert found["chi2"] == pytest.approx(1)  # (1 - 1/2)^2 / (1/4)
        assert found["log_hr"] == math.inf and math.isnan(found["se"][0])
        assert found["C"] == 1

    def test_no_events(self):
        found = every([1, 2, 3, 4], [False] * 4, [True, False] * 2)
        assert found["median"] == math.inf
        assert found["mean"] == 3 and found["variance"] == 0 and found["survival"] == 1 and found["incidence"] == 0
        assert all(math.isnan(found[name][0]) for name in ("chi2", "Gehan", "late", "log_hr", "se", "C"))

    def test_all_events_at_one_time(self):
        found = every([2] * 7, [True] * 7, [True, False, False] * 2 + [True])
        assert found["median"] == 2 and found["mean"] == 2 and found["variance"] == 0 and found["survival"] == 0
        assert all(math.isnan(found[name][0]) for name in ("chi2", "Gehan", "C"))
        assert found["log_hr"] == pytest.approx(0, abs=1e-12)  # Efron: each arm fails in proportion
        assert batch.logrank([2] * 7, [True] * 7, [True, False, False] * 2 + [True]).variance[0] == 0

    def test_one_empty_arm(self):
        for arm in ([True] * 4, [False] * 4):
            found = every([1, 2, 3, 4], [True] * 4, arm)
            assert all(math.isnan(found[name][0]) for name in ("chi2", "Gehan", "late", "log_hr", "se"))
            assert found["C"] == 0.5

    def test_perfect_separation(self):
        time, arm = [1, 2, 3, 4, 5, 6], np.array([True, True, True, False, False, False])
        log_hr, se = batch.cox(time, [True] * 6, arm)
        assert log_hr[0] == math.inf and math.isnan(se[0])
        log_hr, se = batch.cox(time, [True] * 6, ~arm)
        assert log_hr[0] == -math.inf and math.isnan(se[0])
        assert batch.concordance(time, [True] * 6, arm)[0] > 0.5

    def test_an_extreme_but_finite_ratio(self):
        """Two of 1,000 patients make the other arm: one fails first, the other is left when a last patient fails.

        The score is 1 - t / (t + 499) - t / (t + 1) with t the ratio (over 2 and 1 patients at risk): t^2 = 499.
        """
        time, event = np.arange(1000), np.zeros(1000, bool)
        arm = np.isin(time, [0, 999])
        event[[0, 998]] = True
        log_hr, se = batch.cox(time, event, np.stack([arm, ~arm]))
        assert np.exp(log_hr) == pytest.approx([math.sqrt(499), 1 / math.sqrt(499)], rel=1e-12)
        assert se[0] == pytest.approx(se[1], rel=1e-12)

    @pytest.mark.parametrize(("time", "event", "arm", "log_hr", "se"), [
        # Newton comes to rest on the edge of its bracket.
        ([285, 663, 68, 663, 63, 1025, 63, 2768, 2768, 636, 264, 75, 2890, 3155, 1063, 225, 1063, 782, 1063, 3787, 801,
          2890, 2551, 3155, 1283, 3155, 3462, 1063, 1063, 1063, 3787],
         "1111111001110001010010000010000", "0" * 12 + "1" * 19, -2.34196377945916, 0.670553786451045),
        # A day with many censorings and one event: the censored must not be taken for tied events.
        ([396, 30, 2192, 213, 244, 2192, 274, 152, 2192, 2192, 2192, 2192, 30, 304, 213, 2192, 2192, 2192, 2192, 2192,
          670, 2192, 61, 0, 0, 1065, 2192, 122, 426, 791, 91, 2192, 2192, 2192, 365],
         "11111011000011100000101111011110001", "00000100111101111111011000100001110", -2.66991377343908,
         0.655926707358205)])
    def test_cohorts_that_once_went_wrong(self, time, event, arm, log_hr, se):
        """R 4.2.2: `coxph(..., control = coxph.control(eps = 1e-15, iter.max = 60))`"""
        event, arm = (np.array([one == "1" for one in text]) for text in (event, arm))
        found = batch.cox(time, event, arm)
        assert found[0][0] == pytest.approx(log_hr, rel=1e-12) and found[1][0] == pytest.approx(se, rel=1e-12)

    def test_monotone_cohorts_do_not_disturb_their_neighbours(self):
        time, event, arm = cohorts(300, 8, 21, 30)
        log_hr, se = batch.cox(time, event, arm)
        assert np.isinf(log_hr).any() and np.isnan(log_hr).any() and np.isfinite(log_hr).any()
        assert (np.isfinite(se) == np.isfinite(log_hr)).all()

    def test_a_censored_patient_is_at_risk_on_the_day_of_an_event(self):
        together = batch.survival_at([5, 5, 7], [True, False, True], [5])
        after = batch.survival_at([5, 6, 7], [True, False, True], [5])
        assert together[0, 0] == pytest.approx(2 / 3) and after[0, 0] == pytest.approx(2 / 3)
        assert batch.logrank([5, 5, 7], [1, 0, 1], [1, 0, 0]).score[0] == pytest.approx(2 / 3)

    def test_quantile_rests_on_plateaus(self):
        assert batch.quantile([1, 2, 3, 4], [1, 1, 1, 1])[0] == 2.5
        assert batch.quantile([1, 2, 3, 4], [1, 1, 0, 0])[0] == 3  # to the end of follow-up
        assert batch.quantile([1, 2, 3, 4], [1, 0, 0, 0])[0] == math.inf

    def test_restricted_mean_beyond_follow_up(self):
        mean, variance = batch.rmst([[1, 2], [1, 2]], [[True, False], [True, True]], 5)
        assert math.isnan(mean[0]) and math.isnan(variance[0])
        assert mean[1] == 1.5
        assert batch.rmst([1, 2], [True, False], 2)[0][0] == 1.5

    def test_nobody(self):
        nobody = np.empty((3, 0))
        assert np.isnan(batch.quantile(nobody, nobody)).all() and np.isnan(batch.rmst(nobody, nobody, 1)[0]).all()
        assert np.isnan(batch.cox(nobody, nobody, nobody)[0]).all()
        assert np.isnan(batch.logrank(nobody, nobody, nobody).p).all()
        assert np.isnan(batch.concordance(nobody, nobody, nobody)).all()
        assert np.isnan(batch.survival_at(nobody, nobody, [1])).all()
        assert np.isnan(batch.cumulative_incidence(nobody, nobody, 1, [1])).all()

    def test_refusals(self):
        with pytest.raises(ValueError, match="a time is missing"):
            batch.quantile([1.0, math.nan], [1, 1])
        with pytest.raises(ValueError, match="a time is missing"):
            batch.logrank([1.0, math.nan], [1, 1], [[0, 1], [1, 0]])
        with pytest.raises(ValueError, match="a time is missing"):
            batch.cox([[1.0, 2.5], [3.0, math.nan]], [[1, 1], [0, 0]], [0, 1])
        with pytest.raises(ValueError, match="a marker is missing"):
            batch.concordance([1, 2], [1, 1], [1.0, math.nan])
        with pytest.raises(ValueError, match="probability"):
            batch.quantile([1, 2], [1, 1], 0)
        with pytest.raises(ValueError, match="tau is a positive time"):
            batch.rmst([1, 2], [1, 1], 0)
        with pytest.raises(ValueError, match=r"rho, gamma"):
            batch.logrank([1, 2], [1, 1], [0, 1], "late")
        with pytest.raises(ValueError, match="shape mismatch"):
            batch.logrank([1, 2, 3], [1, 1], [0, 1])


def test_importing_it_is_cheap():
    code = "import sys, remission.batch; print([n for n in ('pandas', 'scipy.stats', 'numba') if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
