"""Cure: mixture models against R and lifelines, likelihood limits, follow-up, ongoing shares."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import chi2

from remission import results, store
from remission.critique import cure, mixture
from remission.study import Arm, Study
from remission.study import read as read_study

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="year")
# R: optim (Nelder-Mead, then BFGS, reltol 1e-16, three starts) on
#   -sum(ifelse(event, log(1 - p) + dweibull(t, log = TRUE), log(p + (1 - p) * pweibull(t, lower.tail = FALSE))))
# and the same with dlnorm; limits by uniroot on the profile. Columns: fraction, location and scale of log time,
# log-likelihood, that of p = 0, lower and upper limit.
R_FITS = {
    ("exemplar", "IFN+IM", "Weibull"): (0.281989756, 6.825532804, 1.000531994, -101.909104812253, -102.682749471425,
                                        0, 0.543265447546462),
    ("exemplar", "IFN+IM", "log-normal"): (0.298955242, 6.299478747, 0.950762442, -100.041280989788, -101.051000714337,
                                           0, 0.554219127377145),
    ("exemplar", "IM", "Weibull"): (0.166568324, 5.830645705, 0.905620445, -73.2357558884092, -75.7385528597849,
                                    0.0297033753330088, 0.431352384297618),
    ("exemplar", "IM", "log-normal"): (0.158982124, 5.352594068, 1.055864018, -73.020290757597, -74.228318017306,
                                       0, 0.42671441114626),
    ("drug6mp", "placebo", "Weibull"): (0, 2.249410166, 0.729660774, -64.9201075890124, -64.9201075890124,
                                        0, 0.08740519702846),
    ("drug6mp", "placebo", "log-normal"): (0, 1.825121021, 0.903216313, -65.987593183325, -65.987593183325,
                                           0, 0.0874051970284592),
    ("drug6mp", "6-MP", "Weibull"): (0.441430132, 2.750848704, 0.487486758, -40.5297807081841, -41.6586784768815,
                                     0, 0.692161718734424),
    ("drug6mp", "6-MP", "log-normal"): (0.417577753, 2.539266759, 0.606194794, -39.9514079827435, -40.6801558699079,
                                        0, 0.687894294607757),
}


def group(name: str, arm: str) -> pd.DataFrame:
    data = pd.read_csv(DATA / f"{name}.csv", dtype={"arm": str})
    code = data["event"] if "event" in data else data["code"]
    return data.assign(event=code == 1, code=code)[data["arm"] == arm]


def times(days, events) -> pd.DataFrame:
    return pd.DataFrame({"time": days, "event": events})


class TestFit:
    @pytest.mark.parametrize(("name", "arm", "family"), R_FITS)
    def test_equals_r(self, name, arm, family):
        found = mixture.fit(group(name, arm), family)
        fraction, location, scale, loglik, nobody, lower, upper = R_FITS[name, arm, family]
        assert found.best[:3] == pytest.approx((fraction, location, scale), rel=1e-6, abs=1e-6)
        assert (found.best.loglik, found.nobody.loglik) == pytest.approx((loglik, nobody), rel=1e-11)
        assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-7)

    @pytest.mark.parametrize(("arm", "fraction", "scale", "shape"), [
        # lifelines 0.30.3: MixtureCureFitter(WeibullFitter()).fit(time, event); it stops at about 1e-7 itself
        ("IFN+IM", 0.28198980185642886, 921.0669963849439, 0.9994682827214612),
        ("IM", 0.16656829541086443, 340.57848790261926, 1.1042152963105565)])
    def test_agrees_with_lifelines(self, arm, fraction, scale, shape):
        best = mixture.fit(group("exemplar", arm)).best
        assert (best.fraction, math.exp(best.location), 1 / best.scale) == pytest.approx((fraction, scale, shape),
                                                                                         rel=1e-5)

    def test_test_of_no_cure_halves_the_chi_squared(self):
        found = mixture.fit(group("exemplar", "IM"))
        twice = 2 * (75.7385528597849 - 73.2357558884092)
        assert found.p == pytest.approx(chi2.sf(twice, 1) / 2, rel=1e-9)

    def test_nobody_cured_is_p_one(self):
        found = mixture.fit(group("drug6mp", "placebo"))
        assert (found.best.fraction, found.lower, found.p) == (0, 0, 1)

    def test_far_censoring_makes_the_fraction_the_share(self):
        # Where every censored time lies far beyond the events, the likelihood is that of a proportion.
        found = mixture.fit(times([3, 4, 5, 6, 7, 5000, 5000, 5000, 5000], [True] * 5 + [False] * 4))
        assert found.best.fraction == pytest.approx(4 / 9, abs=1e-7)
        drop = [5 * math.log((1 - share) / (5 / 9)) + 4 * math.log(share / (4 / 9)) for share in (found.lower,
                                                                                                 found.upper)]
        assert drop == pytest.approx([-chi2.ppf(0.95, 1) / 2] * 2, abs=1e-6)

    def test_higher_of_two_maxima_counts(self):
        # Six real patients (Wassmann 2003): without cure a long tail, with it a narrow peak; both are local maxima.
        found = mixture.fit(times([651, 633, 274, 195, 152, 164], [False, False, True, True, True, True]))
        assert found.best.fraction == pytest.approx(1 / 3, abs=1e-6)
        assert found.nobody.loglik < found.best.loglik - 3

    @pytest.mark.parametrize(("days", "events", "why"), [
        ([5, 9, 12], [True, True, False], "fewer than 3 events"), ([5, 9], [False, False], "fewer than 3 events"),
        ([5, 5, 5, 9], [True, True, True, False], "all events at one time")])
    def test_a_reason_where_there_is_no_fit(self, days, events, why):
        found = mixture.fit(times(days, events))
        assert found.note == why
        assert math.isnan(found.best.fraction)
        assert found.profile.empty

    def test_day_zero_counts_as_half_a_day(self):
        zero, half = (mixture.fit(times([first, 40, 50, 900], [True, True, True, False])) for first in (0, 0.5))
        assert zero.best == half.best

    def test_unit_of_time_changes_the_location_alone(self):
        data = group("exemplar", "IM")
        one, ten = mixture.fit(data), mixture.fit(data.assign(time=10 * data["time"]))
        assert ten.best.fraction == pytest.approx(one.best.fraction, abs=1e-6)
        assert ten.best.location - one.best.location == pytest.approx(math.log(10), abs=1e-6)
        assert (ten.lower, ten.upper) == pytest.approx((one.lower, one.upper), abs=1e-6)

    def test_patients_who_share_a_day_count_together(self):
        data = group("exemplar", "IM")
        doubled = mixture.fit(pd.concat([data, data]))
        assert doubled.best.loglik == pytest.approx(2 * mixture.fit(data).best.loglik, rel=1e-9)

    @settings(max_examples=15, deadline=None)
    @given(some.lists(some.tuples(some.integers(0, 60), some.booleans()), min_size=2, max_size=14),
           some.sampled_from(mixture.FAMILIES))
    def test_any_small_group_has_a_fit_or_a_reason(self, rows, family):
        found = mixture.fit(times(*zip(*rows, strict=True)), family)
        if found.note:
            return
        assert 0 <= found.lower <= found.best.fraction <= found.upper <= 1
        assert 0 < found.p <= 1
        assert found.profile["loglik"].max() <= 1e-6


class TestCurve:
    def test_weibull_and_log_normal(self):
        point = mixture.Point(0.25, math.log(100), 0.5, 0)
        assert mixture.curve(point, [100.0])[0] == pytest.approx(0.25 + 0.75 * math.exp(-1))
        assert mixture.curve(point, [100.0], "log-normal")[0] == pytest.approx(0.25 + 0.75 / 2)
        assert mixture.curve(point, [1e12])[0] == pytest.approx(0.25)

    def test_median_of_those_not_cured_halves_them(self):
        point = mixture.Point(0.25, 5, 0.7, 0)
        for family in mixture.FAMILIES:
            median = mixture.median_not_cured(point, family)
            assert mixture.curve(point, [median], family)[0] == pytest.approx(0.25 + 0.75 / 2)


class TestSufficiency:
    @pytest.mark.parametrize(("days", "events", "expected"), [
        ([1, 2, 3, 4], [True, True, True, True], (0, 1, 0)),          # the longest time is an event: no gap
        ([1, 2, 3, 10], [True, True, True, False], (7, (1 / 4) ** 4, 3)),  # the gap reaches back to the start
        ([2, 4, 9, 10], [True, True, True, False], (1, (3 / 4) ** 4, 1)),
        ([2, 8, 9, 10], [True, True, True, False], (1, (3 / 4) ** 4, 1))])  # an event one whole gap before is outside
    def test_closed_form(self, days, events, expected):
        assert mixture.sufficiency(times(days, events)) == pytest.approx(expected)

    def test_no_event(self):
        gap, alpha, recent = mixture.sufficiency(times([4, 5], [False, False]))
        assert (math.isnan(gap), math.isnan(alpha), recent) == (True, True, 0)


class TestAnalyse:
    def made(self, one, two):
        """Arms with so many ongoing of so many."""
        frames = []
        for arm, (ongoing, n) in (("A", one), ("B", two)):
            frames.append(pd.DataFrame({"TRT01A": arm, "AVAL": np.arange(n) + 1,
                                        "CNSR": [0] * (n - ongoing) + [1] * ongoing}))
        made = pd.concat(frames, ignore_index=True)
        return made.assign(USUBJID=made.index.astype(str), PARAMCD="TTRLP", ENTRYDY=0)

    def test_ongoing_shares_of_the_abstract(self):
        rows = cure.analyse(self.made((3, 19), (2, 12)), TWO)
        assert results.pick(rows, "cure.TTRLP.all.A.ongoing")["display"] == "3 of 19 (15.8%; 95% CI 3.4 to 39.6)"
        assert results.pick(rows, "cure.TTRLP.all.B.ongoing")["display"] == "2 of 12 (16.7%; 95% CI 2.1 to 48.4)"
        # R: fisher.test(matrix(c(3, 16, 2, 10), 2))$p.value
        assert results.pick(rows, "cure.TTRLP.all.A vs B.ongoing_p")["value"] == pytest.approx(1)

    def test_difference_is_newcombes(self):
        # Newcombe, Stat Med 1998;17:873, table II, method 10: 56 of 70 and 48 of 80, 0.0524 to 0.3339
        rows = cure.analyse(self.made((56, 70), (48, 80)), TWO)
        found = results.pick(rows, "cure.TTRLP.all.A vs B.ongoing_difference")
        assert (found["value"], found["lower"], found["upper"]) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
        # R: fisher.test(matrix(c(56, 14, 48, 32), 2))$p.value
        assert results.pick(rows, "cure.TTRLP.all.A vs B.ongoing_p")["value"] == pytest.approx(0.0125211297492092)

    def test_a_death_in_remission_is_not_ongoing(self):
        adtte = self.made((3, 19), (2, 12))
        adtte.loc[18, "CNSR"] = 2
        assert results.pick(cure.analyse(adtte, TWO), "cure.TTRLP.all.A.ongoing")["value"] == 2

    def test_too_few_events_are_said(self):
        rows = cure.analyse(self.made((3, 5), (2, 12)), TWO)
        found = results.pick(rows, "cure.TTRLP.all.A.fraction[Weibull]")
        assert found["display"] == "not estimable: fewer than 3 events"
        assert "Cure model not estimable: fewer than 3 events." in cure.sentence(rows, TWO)

    def test_fits_given_are_the_fits_made(self):
        adtte = self.made((3, 19), (2, 12))
        pd.testing.assert_frame_equal(cure.analyse(adtte, TWO),
                                      cure.analyse(adtte, TWO, fitted=cure.fits(adtte, TWO)))

    @pytest.mark.parametrize("cohort", ["ash2012_reconstructed", "wassmann2003", "scrucca_bmt"])
    def test_cohorts_have_rows_and_a_sentence(self, cohort):
        study, adtte = read_study(cohort), store.read(cohort, "adtte")
        rows = cure.analyse(adtte, study)
        assert len(cure.table(rows, study))
        assert cure.sentence(rows, study).count("\n") == len(study.arms) - (len(study.arms) == 1)
        assert "None" not in cure.sentence(rows, study)
