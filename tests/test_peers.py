"""Known wrong results of other software, shown beside ours and the truth.

Our side is asserted firmly. The peer's side is what the pinned version gives: when a new version gives something else,
the test fails and says that the peer may have been mended, so that its numbers can go back into the parity table.
"""

from __future__ import annotations

import math
import warnings
from importlib.metadata import version

import engines
import numpy as np
import pandas as pd
import parity
import pytest
from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
from lifelines.plotting import add_at_risk_counts
from lifelines.statistics import (
    logrank_test,
    proportional_hazard_test,
    survival_difference_at_fixed_point_in_time_test,
)
from lifelines.utils import restricted_mean_survival_time
from matplotlib import pyplot as plt
from r_facts import FACTS, arm, arrays, pair
from sksurv.nonparametric import cumulative_incidence_competing_risks

from remission import batch, survival
from remission.estimators import comparisons, competing, curves, milestone, models, restricted

#: The versions whose faults are shown here.
SEEN = {"lifelines": "0.30.3", "scikit-survival": "0.28.0", "comprisk": "0.8.0"}


def r(data, group, analysis, statistic):
    """One number of R."""
    return next(fact.value for fact in FACTS if fact[:4] == (data, group, analysis, statistic))


def gave(engine, theirs, known):
    """Check that a peer still gives its known wrong value."""
    if theirs != pytest.approx(known, rel=1e-4):
        pytest.fail(f"{engine} {version(engine)} gives {theirs}, where {SEEN[engine]} gave {known}: if it has been "
                    "mended, drop this test and the peer's entry in engines.WRONG")


def fit(data):
    """lifelines' Kaplan-Meier curve."""
    return KaplanMeierFitter().fit(data["time"], data["event"])


class TestRestrictedMean:
    # survival 3.5-3: summary(survfit(Surv(time, status) ~ 1, aml[aml$x == "Maintained", ]), rmean = 45)$table
    R_SE = 4.114086240011

    def test_lifelines_gives_the_variance_of_a_patient_for_that_of_the_mean(self):
        data = arm("aml", "Maintained")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its integral does not converge either
            mean, variance = restricted_mean_survival_time(fit(data), 45, return_variance=True)
        assert restricted.restricted_mean(data, 45).se == pytest.approx(self.R_SE, rel=1e-12)
        assert mean == pytest.approx(30.738636363636, rel=1e-12)
        gave("lifelines", math.sqrt(variance), 13.0571)

    def test_without_censoring_the_truth_is_elementary(self):
        data = pd.DataFrame({"time": [2.0, 3, 5, 8, 13, 21], "event": True})
        shortened = data["time"].clip(upper=10)
        assert restricted.restricted_mean(data, 10).se == pytest.approx(math.sqrt(shortened.var(ddof=0) / 6), rel=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = restricted_mean_survival_time(fit(data), 10, return_variance=True)[1]
        gave("lifelines", theirs, shortened.var(ddof=0))


class TestMedian:
    def test_the_exemplar_control_arm(self):
        data = arm("exemplar", "IM")
        assert curves.quantile(curves.kaplan_meier(data)).value / 365.25 == pytest.approx(0.7474, abs=1e-4)
        assert r("exemplar", "IM", "km", "median") == (168 + 378) / 2
        gave("lifelines", fit(data).median_survival_time_ / 365.25, 0.4600)

    def test_float_error_decides_which_end_of_the_plateau_lifelines_takes(self):
        sizes = np.arange(2, 41, 2)
        cohorts = [pd.DataFrame({"time": np.arange(1.0, n + 1), "event": True}) for n in sizes]
        ours = [curves.quantile(curves.kaplan_meier(data)).value for data in cohorts]
        assert ours == [np.median(data["time"]) for data in cohorts]
        ends = [fit(data).median_survival_time_ - n / 2 for n, data in zip(sizes, cohorts, strict=True)]
        assert set(ends) <= {0.0, 1.0}
        gave("lifelines", sum(ends), 5)  # the upper end at 6, 8, 14, 18 and 20 patients, else the lower

    def test_follow_up_ends_on_the_level(self):
        data = arm("aml", "Maintained")
        assert curves.follow_up(data).value == r("aml", "Maintained", "followup", "median") == 103
        gave("lifelines", fit(data.assign(event=~data["event"])).median_survival_time_, 45)


class TestAtRiskTable:
    """Nonmaintained arm of aml: 12 patients, events at 5, 5, 8, 8, 12, one censored at 16, then an event each time."""

    TICKS = (0, 6, 12, 24, 36)

    def labels(self, **how):
        """At risk, censored, events below lifelines' curve, read from the figure."""
        figure, axes = plt.subplots()
        curve = fit(arm("aml", "Nonmaintained"))
        curve.plot_survival_function(ax=axes)
        axes.set_xticks(self.TICKS)
        axes.set_xlim(0, 45)
        add_at_risk_counts(curve, ax=axes, **how)
        found = [[int(word) for word in label.get_text().split() if word.isdigit()]
                 for label in figure.axes[-1].get_xticklabels()]
        plt.close(figure)
        return np.array(found)

    def test_ours_add_up_and_are_those_of_r(self):
        ours = curves.counts_at(arm("aml", "Nonmaintained"), self.TICKS)
        assert (ours[["at_risk", "censored", "events"]].sum(axis=1) == 12).all()
        assert ours["at_risk"].tolist() == [12, 10, 8, 5, 2]
        assert [r("aml", "Nonmaintained", "km", f"at_risk@{at}") for at in (12, 24, 36)] == [8, 5, 2]

    def test_lifelines_drops_a_patient_whose_event_falls_on_the_tick(self):
        gave("lifelines", self.labels()[:, 0].tolist(), [12, 10, 7, 5, 2])

    def test_lifelines_counts_from_the_start_of_the_period_do_not_add_up(self):
        sums = self.labels(at_risk_count_from_start_of_period=True).sum(axis=1)
        gave("lifelines", sums.tolist(), [12, 14, 13, 13, 13])


class TestTies:
    def test_jittered_ties_make_a_cumulative_incidence_that_changes_with_the_seed(self):
        data = arm("sksurv_bmt", "ALL")
        curve = competing.cumulative_incidence(data)
        assert competing.incidence_at(data, curve, 2, 12).value == pytest.approx(3 / 17, rel=1e-12)
        assert r("sksurv_bmt", "ALL", "cif2", "incidence@12") == pytest.approx(3 / 17, rel=1e-12)
        ours = batch.cumulative_incidence(data["time"].to_numpy(), data["code"].to_numpy(), 2, [12])
        assert ours[0, 0] == pytest.approx(3 / 17, rel=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it jitters
            theirs = [AalenJohansenFitter(seed=seed).fit(data["time"], data["code"], event_of_interest=2).predict(12)
                      for seed in range(6)]
        gave("lifelines", sorted(set(np.round(theirs, 3).tolist())), [0.059, 0.118, 0.176])

    def test_fleming_harrington_with_a_patient_at_time_zero(self):
        data = pair("sksurv_bmt")
        ours = comparisons.weighted_logrank(data, "ALL", (1, 0))
        assert ours.chi2 == pytest.approx(r("sksurv_bmt", "ALL", "fh10", "chi2"), rel=1e-12)
        time, event, other, _ = arrays(data, "ALL")
        try:
            found = logrank_test(time[other], time[~other], event[other], event[~other], p=1, q=0,
                                 weightings="fleming-harrington").test_statistic
        except ValueError:
            return
        pytest.fail(f"lifelines {version('lifelines')} gives {found}, where {SEEN['lifelines']} raised: mended?")

    def test_coin_counts_near_ties_as_ties(self):
        time, event, other, _ = arrays(pair("exemplar"), "IM")
        scores = batch.permutation.scores(time, event)
        ours = batch.permutation.exact(scores, other)
        # Counted in whole numbers: 12,841,840 of the 141,120,525 choices of 19 of 31.
        assert ours.p == 12_841_840 / math.comb(31, 19) == 12_841_840 / 141_120_525
        assert r("exemplar", "IM", "permutation", "counted_mid-ranks") == pytest.approx(ours.p, rel=1e-12)
        # coin 1.4-2, distribution = "exact": eight allocations more, equal to within 1e-8 only.
        assert r("exemplar", "IM", "permutation", "p_mid-ranks") == pytest.approx(12_841_848 / 141_120_525, rel=1e-12)
        assert batch.permutation.exact(scores, other, as_coin=True).p == 12_841_848 / 141_120_525


class TestInput:
    def test_lifelines_takes_negative_times_and_codes_of_competing_events(self):
        theirs = KaplanMeierFitter().fit([-3, 1, 2, 4], [1, 2, 0, 2])
        gave("lifelines", theirs.survival_function_["KM_estimate"].tolist(), [0.75, 0.5, 0.5, 0.0])

    @pytest.mark.parametrize(("times", "codes"), [([-3, 1, 2, 4], [0, 0, 1, 0]), ([3, 1, 2, math.nan], [0, 0, 1, 0]),
                                                  ([3, 1, 2, 4], [0, 3, 1, 0])])
    def test_an_endpoint_takes_neither(self, times, codes):
        rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": "IM", "PARAMCD": "TTRLP", "AVAL": times, "CNSR": codes,
                             "ENTRYDY": 0})
        with pytest.raises(ValueError, match="TTRLP"):
            survival.endpoint(rows, "TTRLP")

    @pytest.mark.parametrize(("times", "events"), [([-3, 1, 2, 4], [1, 1, 0, 1]), ([math.nan, 1, 2, 4], [1, 1, 0, 1]),
                                                   ([3, 1, 2, 4], [1, 2, 0, 2]), ([3, 1, 2, 4], [1, math.nan, 0, 1])])
    @pytest.mark.parametrize("estimate", [
        curves.kaplan_meier, curves.follow_up, lambda data: restricted.restricted_mean(data, 2),
        lambda data: comparisons.logrank(data, "A"), lambda data: comparisons.weighted_logrank(data, "A", "Gehan"),
        lambda data: models.cox(data, "A"), lambda data: models.cox_profile(data, "A"),
        lambda data: models.firth(data, "A"), lambda data: models.schoenfeld(data, "A"),
        lambda data: milestone.survival_difference(data, "A", 2),
        lambda data: restricted.rmst_difference(data, "A", 2)])
    def test_no_estimator_takes_either(self, times, events, estimate):
        data = pd.DataFrame({"arm": ["A", "A", "B", "B"], "time": times, "event": events})
        with pytest.raises(ValueError, match=r"event|time"):
            estimate(data)

    def test_scikit_survival_needs_every_cause_to_have_happened(self):
        data = arm("exemplar", "IM")  # nobody died in remission
        curve = competing.cumulative_incidence(data)
        assert competing.incidence_at(data, curve, 1, 365).value == pytest.approx(6 / 12, rel=1e-12)
        assert r("exemplar", "IM", "cif1", "incidence@365") == 6 / 12
        assert competing.incidence_at(data, curve, 2, 365).value == r("exemplar", "IM", "cif2", "incidence@365") == 0
        try:
            cumulative_incidence_competing_risks(data["code"].to_numpy(), data["time"].to_numpy(float))
        except ValueError:
            return
        pytest.fail(f"scikit-survival {version('scikit-survival')} no longer raises as {SEEN['scikit-survival']} did")


class TestModels:
    def test_monotone_likelihood(self):
        data = pair("monotone")
        ours = models.cox(data, "0")
        assert math.isnan(ours.value) and "infinity" in ours.note
        firth = models.firth(data, "0")
        # The Breslow and the Efron fit are the same without ties; log hazard ratio 3.24, limits 0.97 and 8.14.
        assert np.log(firth[:3]) == pytest.approx([3.243051378721, 0.974470727256, 8.142976644796], rel=1e-9)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            table = data.assign(other=(data["arm"] == "1").astype(float)).drop(columns="arm")
            theirs = CoxPHFitter().fit(table, "time", "event").params_["other"]
        assert {warning.category.__name__ for warning in said} == {"ConvergenceWarning"}
        gave("lifelines", theirs, 18.0574)

    def test_proportional_hazards_test_is_not_that_of_r(self):
        data = pair("aml")
        found = models.proportional_hazards(data, "Maintained")
        assert found[0] == pytest.approx(r("aml", "Maintained", "ph", "chi2"), rel=1e-9)
        table = data.assign(other=(data["arm"] != "Maintained").astype(float)).drop(columns="arm")
        theirs = proportional_hazard_test(CoxPHFitter().fit(table, "time", "event"), table, time_transform="km")
        gave("lifelines", theirs.test_statistic.item(), 0.023858)

    def test_the_variance_at_a_fixed_time_is_interpolated(self):
        data = pair("sksurv_bmt")
        ours = milestone.survival_difference(data, "ALL", 6)
        assert ours.p == pytest.approx(r("sksurv_bmt", "ALL", "milestone", "p@6"), rel=1e-12)
        theirs = survival_difference_at_fixed_point_in_time_test(6, *(fit(arm("sksurv_bmt", name))
                                                                     for name in ("ALL", "AML"))).p_value
        assert ours.p == pytest.approx(0.0795, abs=1e-4)
        gave("lifelines", theirs, 0.3040)


LEFT_OUT = [(engine, fact) for fact in FACTS for engine in engines.able(fact) if engines.wrong(engine, fact)]


@pytest.mark.parametrize(("engine", "fact"), LEFT_OUT, ids=lambda one: getattr(one, "name", one))
def test_what_is_left_out_of_the_parity_table_is_wrong_there_and_right_here(engine, fact):
    if "remission" in engines.able(fact):
        assert parity.compare("remission", fact).agrees
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            line = parity.compare(engine, fact)
        except (ValueError, ArithmeticError):
            return
    if line.agrees:
        pytest.fail(f"{engine} {version(engine)} gives {line.ours}, as R does; {SEEN[engine]} did not, for "
                    f"{engines.wrong(engine, fact)}. Take it out of engines.WRONG")
