"""Array kernels against R on a thousand cohorts (batch_cohorts), and against slow references on two hundred of them.

R's answers are in data/batch_reference.csv.gz, made by data/batch_reference.R. Where R has no answer the kernels have
none either, except by rule: a quantile not reached is infinite, and after the last follow-up, where R draws the curve
on, survival and restricted means are not known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import batch_cohorts
import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import qth_survival_time, restricted_mean_survival_time
from sksurv.compare import compare_survival
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import cumulative_incidence_competing_risks, kaplan_meier_estimator
from sksurv.util import Surv

from remission import batch
from remission.batch import risk

COHORTS = batch_cohorts.cohorts()
R = pd.read_csv(Path(__file__).parent / "data" / "batch_reference.csv.gz", index_col="cohort")
ARMS = ("reference", "other")
QUARTILES = {"q25": 0.25, "q50": 0.5, "q75": 0.75}
TOLERANCE = 1e-10


def known(cohort: batch_cohorts.Cohort, arm: int, moment: float) -> bool:
    """Whether somebody of an arm was followed to a moment, or nobody was left by then."""
    mine = cohort.other == arm
    latest = cohort.time[mine].max()
    return moment <= latest or bool(cohort.event[mine & (cohort.time == latest)].all())


def wanted(name: str) -> np.ndarray:
    """R's column, with what the kernels give by rule instead."""
    column = R[name].to_numpy(float, copy=True)
    what, _, arm = name.partition("_")
    if what in QUARTILES:
        some = np.array([(one.other == ARMS.index(arm)).any() for one in COHORTS])
        column[some & np.isnan(column)] = np.inf
    if arm in ARMS and what[-1] in "123":
        for row, one in enumerate(COHORTS):
            moments = one.moments() if what[0] == "s" and what[1] != "e" else one.taus()
            if not math.isnan(column[row]) and not known(one, ARMS.index(arm), moments[int(what[-1]) - 1]):
                column[row] = np.nan
    return column


def equal(found, reference) -> None:
    """Equal to 1e-10, relative or absolute; the same where there is none or it is infinite."""
    np.testing.assert_allclose(np.asarray(found, float), reference, rtol=TOLERANCE, atol=TOLERANCE)


def one_by_one(kernel) -> np.ndarray:
    """A kernel of one cohort at a time, or NaN where there is nobody."""
    return np.array([kernel(one) for one in COHORTS], float)


def of_arm(kernel, arm: int) -> np.ndarray:
    """A kernel of time and event of one arm, cohort by cohort."""
    return one_by_one(lambda one: np.ravel(kernel(one, one.time[one.other == arm], one.event[one.other == arm])))


def together(kernel) -> list[np.ndarray]:
    """Arrays of a kernel of time, event, arm and moments, with all cohorts of one size in one batch."""
    sizes = defaultdict(list)
    for row, one in enumerate(COHORTS):
        sizes[len(one.time)].append(row)
    made: list[np.ndarray] = []
    for rows in sizes.values():
        mine = [COHORTS[row] for row in rows]
        stacked = [np.stack([getattr(one, name) for one in mine]) for name in ("time", "event", "other", "marker")]
        for place, values in enumerate(kernel(*stacked)):
            if place == len(made):
                made.append(np.full((len(COHORTS), *values.shape[1:]), np.nan))
            made[place][rows] = values
    return made


class TestCohorts:
    """What R was asked about is what it should have been asked about."""

    def test_they_are_the_ones_that_r_saw(self):
        assert len(COHORTS) == len(R) == 1000
        counts = [(one.kind, len(one.time), int(one.time.sum()), int(one.code.sum()), int(one.other.sum()))
                  for one in COHORTS]
        assert counts[:3] == SAW and sum(size for _, size, *_ in counts) == 28293

    def test_they_hold_every_trouble(self):
        n = [len(one.time) for one in COHORTS]
        assert (min(n), max(n)) == (2, 60)
        assert np.isinf(R["log_hr"]).sum() > 80 and np.isnan(R["chi2"]).sum() > 80
        for name in ("q50_reference", "q50_other"):
            assert np.isnan(R[name]).sum() > 80
        assert sum(len(np.unique(one.time)) < len(one.time) / 2 for one in COHORTS) > 80
        assert sum(one.other.any() and not one.event[one.other == 1].any() for one in COHORTS) > 80
        assert sum(not one.event[one.time.argmax()] for one in COHORTS) > 80


#: Kind, patients, and sums of times, codes and arms of the first cohorts.
SAW = [("days", 34, 45509, 42, 9), ("ties", 15, 51, 16, 6), ("unbalanced", 38, 67011, 37, 6)]


@pytest.fixture(params=[False, True], ids=["whole", "fractions"])
def unit(request):
    """Days, or sevenths of a day: whole numbers are put in order by packed keys, others by index."""
    return 7 if request.param else 1


class TestAgainstR:
    """`quantile`, `summary`, `survdiff`, `coxph` (tight), `concordance` and `cmprsk::cuminc`."""

    @pytest.mark.parametrize("arm", [0, 1], ids=ARMS)
    def test_quantiles(self, arm, unit):
        for name, probability in QUARTILES.items():
            found = of_arm(lambda _, time, event, p=probability: batch.quantile(time / unit, event, p)[0] * unit, arm)
            equal(found[:, 0], wanted(f"{name}_{ARMS[arm]}"))

    @pytest.mark.parametrize("arm", [0, 1], ids=ARMS)
    def test_survival(self, arm, unit):
        found = of_arm(lambda one, time, event: batch.survival_at(
            time / unit, event, np.array(one.moments()) / unit), arm)
        for place in range(3):
            equal(found[:, place], wanted(f"s{place + 1}_{ARMS[arm]}"))

    @pytest.mark.parametrize("arm", [0, 1], ids=ARMS)
    @pytest.mark.parametrize("which", [0, 1])
    def test_restricted_means(self, arm, which, unit):
        found = of_arm(lambda one, time, event: batch.rmst(time / unit, event, one.taus()[which] / unit), arm) * [
            unit, unit**2]
        equal(found[:, 0], wanted(f"mean{which + 1}_{ARMS[arm]}"))
        equal(np.sqrt(found[:, 1]), wanted(f"se{which + 1}_{ARMS[arm]}"))

    @pytest.mark.parametrize("abreast", [1, 200])
    def test_logrank(self, monkeypatch, abreast, unit):
        monkeypatch.setattr(risk, "ABREAST", abreast)
        score, variance, chi2, p = together(lambda time, event, arm, _: batch.logrank(time / unit, event, arm))
        asked = R["score"].notna()  # survdiff wants two groups
        equal(score[asked], R["score"][asked])
        equal(variance[asked], R["variance"][asked])
        equal(chi2, R["chi2"])
        assert (np.isnan(p) == R["chi2"].isna()).all()
        equal(together(lambda time, event, arm, _: batch.logrank(time, event, arm, (1, 0)))[2], R["peto"])

    @pytest.mark.parametrize("abreast", [1, 200])
    def test_cox(self, monkeypatch, abreast, unit):
        monkeypatch.setattr(risk, "ABREAST", abreast)
        log_hr, se = together(lambda time, event, arm, _: batch.cox(time / unit, event, arm))
        equal(log_hr, R["log_hr"])
        equal(se, R["se"])

    def test_concordance(self, unit):
        equal(together(lambda time, event, arm, _: [batch.concordance(time / unit, event, arm == 1)])[0], R["c_arm"])
        equal(together(lambda time, event, _, marker: [batch.concordance(time / unit, event, marker)])[0],
              R["c_marker"])

    @pytest.mark.parametrize("cause", [1, 2])
    def test_cumulative_incidence(self, cause, unit):
        found = one_by_one(lambda one: batch.cumulative_incidence(
            one.time / unit, one.code, cause, np.array(one.moments()) / unit)[0])
        for place in range(3):
            asked = R[f"i{cause}_{place + 1}"].notna()
            equal(found[asked, place], R[f"i{cause}_{place + 1}"][asked])
            # R gives no curve for a cause that never happened.
            assert all(not (one.code == cause).any() for one, some in zip(COHORTS, asked, strict=True) if not some)

    @pytest.mark.parametrize("abreast", [1, 200])
    def test_summary(self, monkeypatch, abreast):
        """All of it from one risk table; cohorts one by one, since each has its own tau."""
        monkeypatch.setattr(risk, "ABREAST", abreast)
        every = [batch.summary(one.time, one.event, one.other, one.taus()[0]) for one in COHORTS]
        found = batch.Summary(*map(np.concatenate, zip(*every, strict=True)))
        for arm, name in enumerate(ARMS):
            equal(found.median[:, arm], wanted(f"q50_{name}"))
            equal(found.mean[:, arm], wanted(f"mean1_{name}"))
            equal(np.sqrt(found.mean_variance[:, arm]), wanted(f"se1_{name}"))
        asked = R["score"].notna()
        equal(found.score[asked], R["score"][asked])
        equal(found.variance[asked], R["variance"][asked])
        for name, column in (("chi2", "chi2"), ("log_hr", "log_hr"), ("se", "se"), ("concordance", "c_arm")):
            equal(getattr(found, name), R[column])
        width = 1.959963984540054 * R["se"]
        equal(np.log(found.upper), R["log_hr"] + width)
        equal(np.log(found.lower), R["log_hr"] - width)


FEW = COHORTS[:200]


def step(times: np.ndarray, values: np.ndarray, moment: float, before: float) -> float:
    """A step function at a moment."""
    place = np.searchsorted(times, moment, side="right") - 1
    return float(values[place]) if place >= 0 else before


class TestAgainstSlowReferences:
    """scikit-survival, and lifelines where it has no known fault: two hundred cohorts, one by one."""

    def test_survival(self):
        """`sksurv.nonparametric.kaplan_meier_estimator`"""
        for one in FEW:
            times, values = kaplan_meier_estimator(one.event, one.time)
            equal(batch.survival_at(one.time, one.event, one.moments())[0],
                  [step(times, values, moment, 1.0) for moment in one.moments()])

    def test_quantiles(self):
        """`lifelines.utils.qth_survival_time`, where no curve rests on the level: there it takes the start."""
        compared = 0
        for one in FEW:
            curve = KaplanMeierFitter().fit(one.time, one.event).survival_function_
            for p in QUARTILES.values():
                if np.abs(curve["KM_estimate"] - (1 - p)).min() > 1e-8:
                    assert batch.quantile(one.time, one.event, p)[0] == qth_survival_time(1 - p, curve)
                    compared += 1
        assert compared > 400

    def test_restricted_means(self):
        """`lifelines.utils.restricted_mean_survival_time`, the mean alone: its variance is another one."""
        for one in FEW:
            fit = KaplanMeierFitter().fit(one.time, one.event)
            for tau in one.moments():
                equal(batch.rmst(one.time, one.event, tau)[0][0], restricted_mean_survival_time(fit, tau))

    def test_logrank(self):
        """`sksurv.compare.compare_survival`, and `lifelines.statistics.logrank_test` with weights."""
        compared = 0
        for one in FEW:
            found = batch.logrank(one.time, one.event, one.other)
            if np.isnan(found.chi2[0]):
                continue
            chi2, p = compare_survival(Surv.from_arrays(one.event, one.time), one.other)
            equal([found.chi2[0], found.p[0]], [chi2, p])
            groups = [values[one.other == arm] for values in (one.time, one.event) for arm in (0, 1)]
            for weight, options in (("Gehan", {"weightings": "wilcoxon"}),
                                    ((0.5, 2), {"weightings": "fleming-harrington", "p": 0.5, "q": 2})):
                weighted = batch.logrank(one.time, one.event, one.other, weight).chi2[0]
                if not np.isnan(weighted):
                    equal(weighted, logrank_test(*groups, **options).test_statistic)
                    compared += 1
        assert compared > 250

    def test_cox(self):
        """`sksurv.linear_model.CoxPHSurvivalAnalysis(ties="efron")`, run to the end."""
        compared = 0
        for one in FEW:
            log_hr = batch.cox(one.time, one.event, one.other)[0][0]
            if np.isfinite(log_hr):
                fit = CoxPHSurvivalAnalysis(ties="efron", tol=1e-14, n_iter=500)
                fit.fit(one.other[:, None].astype(float), Surv.from_arrays(one.event, one.time))
                assert log_hr == pytest.approx(fit.coef_[0], rel=1e-6, abs=1e-7)
                compared += 1
        assert compared > 100

    def test_concordance(self):
        """`sksurv.metrics.concordance_index_censored`"""
        compared = 0
        for one in FEW:
            for marker in (one.other == 1, one.marker):
                found = batch.concordance(one.time, one.event, marker)[0]
                if not np.isnan(found):
                    equal(found, concordance_index_censored(one.event, one.time, marker.astype(float))[0])
                    compared += 1
        assert compared > 300

    def test_cumulative_incidence(self):
        """`sksurv.nonparametric.cumulative_incidence_competing_risks`"""
        compared = 0
        for one in FEW:
            if not {1, 2} <= set(one.code):  # it wants both causes
                continue
            times, values = cumulative_incidence_competing_risks(one.code, one.time)
            for cause in (1, 2):
                equal(batch.cumulative_incidence(one.time, one.code, cause, one.moments())[0],
                      [step(times, values[cause], moment, 0.0) for moment in one.moments()])
                compared += 1
        assert compared > 200
