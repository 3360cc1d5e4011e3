"""Concordance and AUC. Expected numbers: R 4.2.2 (survival 3.5-3), scikit-survival 0.28, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw, cumulative_dynamic_auc
from sksurv.util import Surv
from survival_examples import AML, UNTIED
from test_adam_admrd import STUDY
from test_mrd import known, outcome

from remission import mrd, results
from remission.mrd import accuracy


class TestConcordance:
    def test_against_r(self):
        # R: concordance(Surv(time, status) ~ x, reverse = TRUE); IPCW: timewt = "n/G2", ymax below the last event
        assert accuracy.harrell(*AML, seed=1).value == pytest.approx(0.6190476190476)
        assert accuracy.harrell(*UNTIED, seed=1).value == pytest.approx(0.838709677419)
        assert accuracy.ipcw(*UNTIED, seed=1).value == pytest.approx(0.822073765386)

    def test_interval_holds_the_estimate_and_vanishes_in_large_cohorts(self):
        for function in (accuracy.harrell, accuracy.ipcw):
            fit = function(*AML, seed=1, bootstraps=400)
            assert fit.lower < fit.value < fit.upper and fit.note == ""
        random = np.random.default_rng(1)
        many = accuracy.harrell(random.random(1001), np.ones(1001), random.random(1001), seed=1)
        assert math.isnan(many.lower) and 0.4 < many.value < 0.6 and many.note == "no bootstrap above 1,000 patients"

    @pytest.mark.parametrize("function", [accuracy.harrell, accuracy.ipcw])
    def test_no_comparable_pair(self, function):
        assert function([5, 3], [0, 0], [1, 2], seed=1).note == "no events"
        found = function([5, 5], [1, 1], [1, 2], seed=1)
        assert math.isnan(found.value) and found.note


class TestKernel:
    """The weighted share that the bootstrap draws, with every patient once, against scikit-survival under ties."""

    def cohorts(self):
        random = np.random.default_rng(4)
        for _ in range(60):
            n = int(random.integers(12, 40))
            time, event = random.integers(1, 14, n).astype(float), random.random(n) < 0.6
            if event.sum() >= 2 and time[event].min() < time[event].max():
                yield time, event, random.integers(0, 4, n).astype(float)

    def test_concordance(self):
        for time, event, risk in self.cohorts():
            first = (time[:, None] < time) | ((time[:, None] == time) & ~event)
            tau, outcome_ = time[event].max(), Surv.from_arrays(event, time)
            pairs = (first & (event & (time < tau))[:, None]).astype(float)
            found = accuracy.weighted_share(time, event, risk, pairs, np.ones((1, len(time))))
            assert found[0] == pytest.approx(concordance_index_ipcw(outcome_, outcome_, risk, tau=tau)[0])
            assert accuracy.harrell(time, event, risk, seed=1, bootstraps=2).value == pytest.approx(
                concordance_index_censored(event, time, risk)[0])

    def test_auc(self):
        """Resamples in which every patient is once: the interval closes on scikit-survival's value."""
        compared = 0
        for time, event, risk in self.cohorts():
            once, outcome_ = np.ones((1, len(time))), Surv.from_arrays(event, time)
            weight = accuracy._inverse_censoring(time, event, once)
            for at in np.unique(time):
                fit = accuracy._auc_at(time, event, risk, at, once, weight, "")
                if math.isnan(fit.value):
                    continue
                assert fit.lower == pytest.approx(fit.value) == fit.upper
                if event[time == time.max()].all() or time[event].max() < time.max():
                    assert fit.value == pytest.approx(cumulative_dynamic_auc(outcome_, outcome_, risk, [at])[0][0])
                    compared += 1
        assert compared > 60


class TestAuc:
    def test_without_censoring_it_is_the_area_under_the_roc_curve(self):
        # Ten patients; by day 5 five relapsed. Of 25 pairs the case has the higher risk in 5 + 5 + 5 + 4 + 3 = 22.
        time, risk = list(range(1, 11)), [10, 9, 5.5, 4.5, 3.5, 5, 4, 3, 2, 1]
        assert accuracy.auc(time, [1] * 10, risk, [5], seed=1, bootstraps=0)[0].value == pytest.approx(22 / 25)

    def test_a_case_weighs_what_censoring_took_before_it(self):
        # Censored on day 2: later cases stand for 1 / (10 / 11) patients. Cases 1, 3, 4, 5, 6 against 7 to 12 (one has
        # left): the lowest risk of all is the case of day 1, the others lie above every control.
        time, event = list(range(1, 13)), [1, 0] + [1] * 10
        risk = [-1, 0, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6]
        weight = 11 / 10
        expected = 4 * weight / (1 + 4 * weight)
        assert accuracy.auc(time, event, risk, [6], seed=1, bootstraps=0)[0].value == pytest.approx(expected)

    def test_reasons(self):
        time = list(range(1, 13))
        early, late = accuracy.auc(time, [1] * 12, time, [4, 8], seed=1, bootstraps=5)
        assert early.note == "fewer than 5 patients have had the event by then" and math.isnan(early.value)
        assert late.note == "fewer than 5 patients are observed beyond that time"

    def test_interval(self):
        random = np.random.default_rng(2)
        time, risk = random.exponential(1, 60), random.normal(size=60)
        fit = accuracy.auc(time, np.ones(60), risk, [0.7], seed=1, bootstraps=300)[0]
        assert fit.lower < fit.value < fit.upper
        assert fit == accuracy.auc(time, np.ones(60), risk, [0.7], seed=1, bootstraps=300)[0]


@pytest.fixture(scope="module")
def found():
    time, event, x = AML
    endpoint = outcome([30 * one for one in time], [bool(one) for one in event])
    admk = known(RESP6M=["N" if one else "Y" for one in x], NCYCLES=[3 + one % 4 for one in range(len(x))])
    return endpoint, admk


class TestResults:
    def test_rows_table_and_words(self, found):
        rows = mrd.analyse_accuracy(*found, STUDY, seed=1, bootstraps=50)
        row = results.pick(rows, "mrd.response6m.all.A.auc[1 year]")
        time, event, x = (np.array(one) for one in AML)
        day = 365 / 30
        assert (row["n"], row["events"]) == (23, int((event * (time <= day)).sum()))
        outcome_ = Surv.from_arrays(event.astype(bool), 30.0 * time)
        assert row["value"] == pytest.approx(cumulative_dynamic_auc(outcome_, outcome_, x, [365])[0][0])
        table = mrd.auc_table(rows)
        assert table["marker"].tolist() == ["early MRD response", "cycles of intensive chemotherapy"]
        assert "not estimable: fewer than 5" in table["5 years"][0]
        assert "AUCs whose interval leaves out 0.5" in mrd.auc_in_words(rows)

    def test_curves_hold_the_reported_times(self, found):
        curves = mrd.auc_curves(*found, STUDY, seed=1, bootstraps=50)
        rows = mrd.analyse_accuracy(*found, STUDY, seed=1, bootstraps=50)
        mine = curves[(curves["marker"] == "early MRD response") & (curves["time"] == 365)]
        row = results.pick(rows, "mrd.response6m.all.A.auc[1 year]")
        assert mine[["auc", "lower", "upper"]].to_numpy().tolist() == [row[["value", "lower", "upper"]].tolist()]

    def test_without_relapse_there_is_a_reason(self):
        rows = mrd.analyse_accuracy(outcome(range(100, 120), False), known(EVERNEG=["Y", "N"] * 10), STUDY, seed=1)
        assert rows["value"].isna().all() and rows["display"].str.startswith("not estimable: fewer").all()
        assert mrd.auc_in_words(rows) == "No AUC can be estimated in this cohort."
        assert mrd.auc_curves(outcome(range(100, 120), False), known(EVERNEG=["Y", "N"] * 10), STUDY, seed=1)[
            "auc"].isna().all()
        assert pd.isna(rows["lower"]).all()
