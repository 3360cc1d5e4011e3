"""Firth-penalised fits of many cohorts, against R 4.2.2 (survival 3.5-3) and against the estimators of one cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from remission.batch.firth import SCAN, firth
from remission.estimators import comparisons, efron, models

TIME = np.array([5, 8, 8, 12, 20, 20, 23, 27, 30, 33, 43, 45, 4, 4, 9, 13, 13, 18, 23, 28, 31, 34])
EVENT = np.array([1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0], bool)
ARM = np.array([1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1], bool)
STRATUM = np.repeat([1, 2], [12, 10])


def cohorts(seed, count, patients):
    random = np.random.default_rng(seed)
    return (random.integers(1, random.choice([5, 60, 900]), (count, patients)),
            random.random((count, patients)) < random.choice([0.2, 0.6, 0.95]),
            random.random((count, patients)) < random.choice([0.1, 0.5, 0.8]))


def test_strata_and_ties_against_r():
    # R: f <- coxph(Surv(t, e) ~ x + strata(s), init = b, control = coxph.control(iter.max = 0));
    # f$loglik[2] + 0.5 * log(1 / f$var) maximised over b; pchisq of twice its gain over b = 0.
    found = firth(TIME, EVENT, ARM, STRATUM)
    assert found.log_hr[0] == pytest.approx(0.32344945459505, abs=1e-7)
    assert found.p[0] == pytest.approx(0.54091267310580, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_one_cohort_at_a_time_gives_the_same(seed):
    time, event, arm = cohorts(seed, 6, 4 + seed)
    found = firth(time, event, arm)
    for row in range(len(time)):
        data = pd.DataFrame({"arm": np.where(arm[row], "B", "A"), "time": time[row], "event": event[row]})
        one = models.firth(data, "A")
        assert [found.log_hr[row], found.p[row]] == pytest.approx([np.log(one.value), one.p], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(10))
def test_strata_add_up_their_likelihoods(seed):
    time, event, arm = cohorts(seed, 4, 26)
    stratum = np.arange(26) % 3
    found = firth(time, event, arm, stratum)
    for row in range(len(time)):
        frame = pd.DataFrame({"time": time[row], "event": event[row].astype(int), "other": arm[row].astype(int)})
        terms = efron.likelihood(pd.concat([comparisons.risk_sets(frame[stratum == one]) for one in range(3)]))
        if not len(terms.offset):
            assert np.isnan(found.log_hr[row])
            continue
        top = efron.maximum(terms, firth=True)
        p = chi2.sf(max(2 * (efron.penalised(terms, top) - efron.penalised(terms, 0.0)), 0), 1)
        assert [found.log_hr[row], found.p[row]] == pytest.approx([top, p], abs=1e-9)


def test_who_is_censored_before_everybody_is_left_out():
    out = np.arange(len(TIME)) % 5 == 0
    left = firth(np.where(out, -1, TIME), EVENT & ~out, ARM, STRATUM)
    dropped = firth(TIME[~out], EVENT[~out], ARM[~out], STRATUM[~out])
    assert left.log_hr[0] == pytest.approx(dropped.log_hr[0], abs=1e-12)
    assert left.p[0] == pytest.approx(dropped.p[0], abs=1e-12)


def test_what_cohorts_share_may_be_given_once():
    arms = np.random.default_rng(3).random((50, len(TIME))) < 0.5
    shared = firth(TIME, EVENT, arms, STRATUM)
    apart = firth(np.tile(TIME, (50, 1)), np.tile(EVENT, (50, 1)), arms, STRATUM)
    assert np.array_equal(shared.log_hr, apart.log_hr) and np.array_equal(shared.p, apart.p)


def test_more_cohorts_than_one_block():
    arms = np.tile(ARM, (9000, 1))
    found = firth(TIME, EVENT, arms, STRATUM)
    assert np.ptp(found.log_hr) < 1e-12 and len(found.p) == 9000


def test_all_events_on_one_side_still_give_a_ratio():
    # R: penalised log likelihood, as above, by optimize.
    found = firth([3, 5, 7, 8, 10, 12, 20, 22, 25, 30], [1] * 5 + [0] * 5, [1] * 5 + [0] * 5)
    assert found.log_hr[0] == pytest.approx(3.243051347511, abs=1e-6)
    assert found.p[0] == pytest.approx(0.002538985185141, abs=1e-8)


def test_one_event_among_thousands():
    arm = np.arange(4000) == 0
    time = np.arange(4000)
    data = pd.DataFrame({"arm": np.where(arm, "B", "A"), "time": time, "event": time == 0})
    assert firth(time, time == 0, arm).log_hr[0] == pytest.approx(np.log(models.firth(data, "A").value), abs=1e-8)
    assert SCAN >= 8


@pytest.mark.parametrize(("time", "event", "arm"), [
    ([1, 2], [0, 0], [0, 1]), ([1, 2], [1, 1], [1, 1]), ([1, 2], [0, 1], [0, 1]), ([], [], [])])
def test_nothing_to_estimate(time, event, arm):
    found = firth(time, event, arm)
    assert np.isnan(found.log_hr).all() and np.isnan(found.p).all()
