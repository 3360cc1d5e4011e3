"""Extremes of a small report against all cohorts that there can be."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test

from remission import batch, results
from remission.ensemble import bounds, search, walk
from remission.ensemble.abstract import Quantity, build, read
from remission.ensemble.cohorts import Cohorts, on_one_day
from remission.ensemble.quantities import sister, together, value
from remission.ensemble.unprinted import targets

HORIZON = 9
#: With two relapses among three the curve of A is flat at one half only where two times lie evenly about 4.
CLAIMS = [
    {"id": "n", "quantity": "relapses", "arm": "A", "printed": "3"},
    {"id": "d", "quantity": "deaths_in_remission", "arm": "A", "printed": "0"},
    {"id": "m", "quantity": "median", "endpoint": "relapse", "arm": "A", "interval": [4, 4]},
    {"id": "N", "quantity": "relapses", "arm": "B", "printed": "2"},
    {"id": "D", "quantity": "deaths_in_remission", "arm": "B", "printed": "0"},
    {"id": "M", "quantity": "median", "endpoint": "relapse", "arm": "B", "interval": [2, 3]},
    {"id": "p", "quantity": "p", "endpoint": "relapse", "interval": [0.15, 0.25]},
]


def arms(relapses, ongoing):
    """Every (times, codes) of one arm."""
    for times in combinations_with_replacement(range(HORIZON), relapses):
        for going in combinations_with_replacement(range(HORIZON), ongoing):
            yield (*times, *going), (1,) * relapses + (0,) * ongoing


@pytest.fixture(scope="module")
def small():
    report = build("small", {"unit": "day", "horizon": HORIZON, "claims": CLAIMS,
                             "ask": {"survival": [3, 6], "rmst": [6]},
                             "arms": [{"key": "A", "patients": 4}, {"key": "B", "patients": 3, "reference": True}]})
    ready = walk.setting(report)
    pairs = [(one[0] + other[0], one[1] + other[1]) for one, other in product(arms(3, 1), arms(2, 1))]
    time, code = (np.array(part, dtype) for part, dtype in zip(zip(*pairs, strict=True), (np.int32, np.int8),
                                                               strict=True))
    blank = np.zeros(time.shape, np.int32)
    whole = Cohorts(time, code, blank, blank, blank > 0, np.ones(time.shape), blank.astype(np.int8))
    agree = np.flatnonzero(ready.ruler.holds(whole, list(range(len(CLAIMS)))))
    return ready, whole.take(agree)


def every(ready):
    """Both extremes of what the report leaves open: the comparisons, and the curve of A."""
    return [bounds.Job(target, sign) for target in targets(ready.abstract, ready.layout) for sign in (-1, 1)
            if target.quantity.kind in ("hazard_ratio", "rmst_difference") or target.quantity.arm == "A"]


def outermost(ready, whole, job):
    found = value(whole, ready.layout, job.target.quantity)
    return np.nanmax(job.sign * found) * job.sign


class TestExtremes:
    def test_both_ends_are_those_of_all_cohorts(self, small):
        ready, whole = small
        rng = np.random.default_rng(7)
        pool = search.descend(ready.given, tuple(range(len(CLAIMS))), 24, rng)
        jobs = every(ready)
        found = bounds.extremes(ready, jobs, pool, 60, 3, rng, rounds=3, aims=6)
        assert len(whole.time) > 500
        for job, end in zip(jobs, found.table["value"], strict=True):
            assert end == pytest.approx(outermost(ready, whole, job), rel=1e-12), job

    def test_searches_without_different_claims_go_on_and_do_not_mix(self, small):
        ready, whole = small
        jobs = [bounds.Job(job.target, job.sign, without) for job in every(ready) for without in ("p", "M", "")]
        rng, names = np.random.default_rng(6), [claim.id for claim in ready.ruler.claims]
        first = bounds.extremes(ready, jobs, whole.take(np.arange(0, len(whole.time), 20)), 20, 3, rng)
        longer = bounds.extremes(ready, jobs, whole.take(np.arange(5)), 20, 3, rng, rounds=3, found=first)
        sign, ends = np.array([job.sign for job in jobs]), longer.table["value"].to_numpy()
        assert (sign * ends >= sign * first.table["value"]).all() and (ends != first.table["value"]).any()
        for place, job in enumerate(jobs):
            kept = [number for number, name in enumerate(names) if name != job.without]
            assert ready.ruler.holds(longer.cohorts.take([place]), kept).all(), job
        left = np.array([job.without for job in jobs])
        freed = ~ready.ruler.holds(longer.cohorts, list(range(len(names))))
        assert freed[left == "p"].any() and freed[left == "M"].any() and not freed[left == ""].any()

    def test_an_aim_is_reached_where_no_climb_leads(self, small):
        """From cohorts whose curve crosses one half to those that stay on it, a single step breaks the median."""
        ready, whole = small
        flat = np.isclose(value(whole, ready.layout, Quantity("survival", "relapse", "A", at=4)), 0.5)
        assert 0.05 < flat.mean() < 0.95
        start, quantity = whole.take(np.flatnonzero(~flat)[:1].repeat(40)), Quantity("survival", "relapse", "A", at=4)
        aims = search.Aims((quantity,), np.zeros(40, int), np.ones(40), np.full(40, 0.5), np.full(40, 0.1))
        reached, rows = search.mend(ready.given, tuple(range(len(CLAIMS))), start, np.random.default_rng(8), aims=aims)
        assert len(rows) and len(set(rows)) == len(rows) and rows.max() < 40
        assert ready.ruler.holds(reached, list(range(len(CLAIMS)))).all()
        assert (value(reached, ready.layout, quantity) >= 0.5).all()

    def test_nobody_reaches_what_cannot_be(self, small):
        ready, whole = small
        quantity = Quantity("hazard_ratio", "relapse")
        most = value(whole, ready.layout, quantity).max()
        aims = search.Aims((quantity,), np.zeros(9, int), np.ones(9), np.full(9, most * 1.01), np.ones(9))
        reached, rows = search.mend(ready.given, tuple(range(len(CLAIMS))), whole.take(np.arange(9)),
                                    np.random.default_rng(9), aims=aims)
        assert len(reached.time) == len(rows) == 0


#: Days to relapse by arm (+: none by then), of cohorts that searches for the lowest and the highest ratio ended in; the
#: ratio, the p of the same relapses on days of their own at least and at most, and events that share their day.
TIED = {
    "lowest": ({"IFN+IM": "156 159 165 227 235 422 767 796 801 2044 2990 3482 102+ 792+ 844+ 1032+ 2887+ 3132+ 3786+",
                "IM": "22 166 166 166 204 274 274 274 274 422 2358+ 2794+"}, 0.4152, (0, 0.055), 9),
    "highest": ({"IFN+IM": "153 243 398 459 511 581 788 788 788 788 860 3474 195+ 263+ 1333+ 1908+ 2874+ 3139+ 3793+",
                 "IM": "33 40 46 61 64 253 295 424 2023 2564 2370+ 2776+"}, 0.4842, (0.09, 1), 4),
}


@pytest.mark.parametrize(("relapses", "ratio", "apart", "shared"), TIED.values(), ids=TIED)
class TestTies:
    """Relapses on one day let the hazard ratio of relapse leave 0.43 to 0.47 at the printed p (docs/decisions.md)."""

    @staticmethod
    def patients(relapses):
        rows = [(int(word.rstrip("+")), "+" not in word, arm == "IFN+IM")
                for arm, words in relapses.items() for word in words.split()]
        return pd.DataFrame(rows, columns=["time", "event", "interferon"]).astype(int)

    @staticmethod
    def both(frame):
        """Hazard ratio (Efron) and log-rank p, by lifelines."""
        mine = frame[frame["interferon"] == 1]
        theirs = frame[frame["interferon"] == 0]
        p = logrank_test(mine["time"], theirs["time"], mine["event"], theirs["event"]).p_value
        return float(CoxPHFitter().fit(frame, "time", "event").hazard_ratios_.iloc[0]), p

    def test_with_relapses_on_one_day_the_ratio_is_possible(self, relapses, ratio, apart, shared):
        patients = self.patients(relapses)
        found, p = self.both(patients)
        assert found == pytest.approx(ratio, abs=5e-5) and 0.065 <= p < 0.075
        assert not 0.43 <= found <= 0.47
        time, event, group = (patients[[name]].to_numpy().T for name in patients)
        assert np.exp(batch.cox(time, event, group)[0]) == pytest.approx(found, abs=1e-5)
        assert on_one_day(time, event == 1).tolist() == [shared]

    def test_apart_the_same_relapses_would_give_a_p_not_printed(self, relapses, ratio, apart, shared):
        patients, rng = self.patients(relapses), np.random.default_rng(1)
        for _ in range(5):
            _, p = self.both(patients.assign(time=patients["time"] * 100 + rng.permutation(len(patients))))
            assert apart[0] < p < apart[1]


def test_sisters_together_are_what_each_is_alone():
    abstract = read("ash2012_reconstructed")
    ready = walk.setting(abstract)
    cohorts = search.guess(ready.given, 60, np.random.default_rng(4))
    kin = {}
    for target in targets(abstract, ready.layout):
        kin.setdefault(sister(target.quantity), []).append(target.quantity)
    assert max(map(len, kin.values())) >= 4
    for asked in kin.values():
        which = np.arange(60) % len(asked)
        wanted = np.stack([value(cohorts, ready.layout, one) for one in asked], axis=1)[np.arange(60), which]
        np.testing.assert_allclose(together(cohorts, ready.layout, tuple(asked), which), wanted, rtol=1e-9)


class TestOutskirts:
    """Deaths in remission all late or all early, with what is printed kept."""

    @pytest.fixture(scope="class")
    @classmethod
    def ready(cls):
        claims = [one | {"printed": "1"} if one["id"] == "d" else one for one in CLAIMS[:6]]
        return walk.setting(build("deaths", {
            "unit": "day", "horizon": 40, "claims": claims, "ask": {"survival": [3, 6], "rmst": [6]},
            "arms": [{"key": "A", "patients": 6}, {"key": "B", "patients": 4, "reference": True}]}))

    def test_both_kinds_are_found_and_agree(self, ready):
        rng, places = np.random.default_rng(3), tuple(range(len(ready.ruler.claims)))
        known = search.descend(ready.given, places, 24, rng)
        found = search.outskirts(ready.given, known, 40, rng)
        assert len(found.time) >= 10 and ready.ruler.holds(found, list(places)).all()
        died = found.code[:, ready.layout.arms["A"]] == 2
        assert (died.sum(axis=1) == 1).all()
        when = found.time[:, ready.layout.arms["A"]][died]
        early, late = (when <= 0.3 * 40 + 1).sum(), (when >= 0.7 * known.time.max(axis=1).min() - 1).sum()
        assert early >= 3 and late >= 3

    def test_there_are_none_where_nobody_died(self, small):
        ready, whole = small
        assert not len(search.outskirts(ready.given, whole, 10, np.random.default_rng(1)).time)


def test_what_is_proven_possible_lies_between_the_extremes():
    """Notebook 03b proves by listing every order of events that both readings can give the printed p."""
    found = results.load("ash2012_reconstructed").set_index("result_id")
    proven = found.loc["joint.-.all.IFN+IM vs IM.largest_p[0 deaths]"]
    assert 0.07 < proven["value"] < 0.0751 and found.loc["ensemble.RFS.all.IFN+IM vs IM.p", "lower"] <= proven["value"]
