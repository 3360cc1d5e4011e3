"""What the verdicts and formulas are worth, against simulated cohorts whose hazard ratio is known."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from remission import batch, mrd, results, schema
from remission.estimators.level import Z
from remission.figures import mrd_evidence
from remission.mrd import evidence, simulate
from remission.study import Arm, Study

STUDY = Study("demo", "own", "", "", (Arm("A", "A"),))
MARGINS = (0.5, 2.0)


def cohorts(patients, ratio, replicates, seed, **how):
    return simulate.cohorts(patients, ratio, replicates, np.random.default_rng(seed), **how)


class TestCohorts:
    def test_the_hazard_ratio_is_the_one_asked_for(self):
        log_ratio, se = batch.cox(*cohorts(4000, 2.5, 20, 1))
        assert log_ratio.mean() == pytest.approx(math.log(2.5), abs=4 * se.mean() / math.sqrt(20))

    def test_the_share_of_relapses_is_the_one_asked_for(self):
        for ratio in (1.0, 3.0):
            _, event, poor = cohorts(1000, ratio, 50, 2, relapsed=0.63, unfavourable=0.3)
            assert poor.sum() == 300
            # With hazards r^-1/2 and r^1/2 the share is the mean of h / (h + c), c = 0.37 / 0.63
            hazard = np.where(poor, math.sqrt(ratio), 1 / math.sqrt(ratio))
            assert event.mean() == pytest.approx((hazard / (hazard + 0.37 / 0.63)).mean(), abs=0.01)

    def test_whole_days_and_no_day_zero(self):
        time, _, _ = cohorts(50, 1.0, 10, 3)
        assert (time >= 1).all() and (time == np.round(time)).all()

    def test_seed_fixes_it(self):
        assert (cohorts(20, 2.0, 5, 7)[0] == cohorts(20, 2.0, 5, 7)[0]).all()


class TestFormulas:
    """Formulas against log-rank tests and Cox models of 4,000 simulated cohorts; Monte Carlo error 0.008 at most."""

    @pytest.mark.parametrize(("patients", "ratio", "share"), [(66, 2.0, 0.5), (150, 1.6, 0.3), (200, 1.5, 0.5)])
    def test_power(self, patients, ratio, share):
        p = batch.logrank(*cohorts(patients, ratio, 4000, 11, unfavourable=share)).p
        spread = round(patients * share) * (patients - round(patients * share)) / patients**2
        # Schoenfeld's formula is for ratios near 1; at these sizes it is good to two or three percentage points.
        assert (p < 0.05).mean() == pytest.approx(evidence.power(patients, ratio, spread), abs=0.03)

    def test_power_of_the_printed_medians(self):
        # 26 against 16 months, twelve relapses in two groups: 13% by the formula
        time, event, poor = cohorts(12, 26 / 16, 8000, 5)
        seen = batch.logrank(time, event, poor)
        assert ((seen.p < 0.05) & (seen.score > 0)).mean() == pytest.approx(evidence.power(12, 26 / 16), abs=0.02)

    def test_events_needed_give_the_power_that_was_wanted(self):
        events = math.ceil(evidence.events_needed(2.0))
        assert (batch.logrank(*cohorts(events, 2.0, 4000, 6)).p < 0.05).mean() == pytest.approx(0.8, abs=0.03)

    def test_events_to_rule_out(self):
        events = math.ceil(evidence.events_to_rule_out(MARGINS))
        log_ratio, se = batch.cox(*cohorts(events, 1.0, 4000, 8))
        inside = (np.abs(log_ratio) + Z * se) < math.log(2)
        assert inside.mean() == pytest.approx(0.8, abs=0.03)

    def test_interval_of_a_perfect_null(self):
        log_ratio, se = batch.cox(*cohorts(40, 1.0, 4000, 9))
        near = np.abs(log_ratio) < 0.05
        assert math.log(evidence.null_interval(40)[1]) / Z == pytest.approx(np.median(se[near]), rel=0.05)

    def test_nominal_level(self):
        p = batch.logrank(*cohorts(200, 1.0, 8000, 10)).p
        assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.008)


class TestPipeline:
    """One marker through the whole analysis: what is said of cohorts in which the truth is known."""

    @staticmethod
    def said(patients, ratio, replicates, seed, **how):
        time, event, poor = cohorts(patients, ratio, replicates, seed, **how)
        found = []
        for one in range(replicates):
            endpoint, admk = simulate.tables(time[one], event[one], poor, "A")
            rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=9, bootstraps=0)
            found.append(results.pick(rows, "mrd.ever_negative.all.A.verdict")["display"])
        return [found.count(one) / replicates for one in simulate.VERDICTS]

    def test_a_strong_marker_in_300_patients_is_seen(self):
        assert self.said(300, 3.0, 20, 21)[0] == 1

    def test_no_effect_in_1000_patients_is_shown(self):
        shares = self.said(1000, 1.0, 12, 22)
        # 95% of intervals hold 1 and all are narrow: fewer than 9 of 12 would happen once in 3,000 times.
        assert shares[2] >= 9 / 12 and shares[3] == 0

    def test_with_19_patients_nothing_is_shown_either_way(self):
        shares = self.said(19, 1.0, 60, 23, relapsed=12 / 19)
        assert shares[2] == 0 and shares[3] >= 0.85

    def test_array_verdicts_are_those_of_the_pipeline(self):
        time, event, poor = cohorts(150, 1.5, 15, 24)
        quick = simulate.verdicts(time, event, poor, MARGINS)
        slow = []
        for one in range(15):
            rows = mrd.analyse_markers(*simulate.tables(time[one], event[one], poor, "A"), STUDY, seed=1,
                                       permutations=9, bootstraps=0)
            slow.append(results.pick(rows, "mrd.ever_negative.all.A.verdict")["display"])
        # Wald and Firth limits differ by a few percent, so that a limit close to a margin may fall on either side.
        assert np.mean(quick == np.array(slow)) >= 13 / 15

    def test_posteriors_follow(self):
        time, event, poor = cohorts(300, 3.0, 1, 25)
        rows = mrd.posterior_rows(*simulate.tables(time[0], event[0], poor, "A"), STUDY)
        assert results.pick(rows, "posterior.ever_negative.all.A.verdict")["display"] == evidence.FOR
        time, event, poor = cohorts(1000, 1.0, 1, 26)
        rows = mrd.posterior_rows(*simulate.tables(time[0], event[0], poor, "A"), STUDY)
        assert results.pick(rows, "posterior.ever_negative.all.A.verdict")["display"] == evidence.AGAINST
        time, event, poor = cohorts(19, 1.0, 1, 27)
        rows = mrd.posterior_rows(*simulate.tables(time[0], event[0], poor, "A"), STUDY)
        assert results.pick(rows, "posterior.ever_negative.all.A.verdict")["display"] == evidence.NEITHER


@pytest.fixture(scope="module")
def found():
    time, event, poor = cohorts(19, 1.0, 1, 3, relapsed=12 / 19)
    return mrd.operating_characteristics(*simulate.tables(time[0], event[0], poor, "A"), STUDY, seed=5, replicates=400)


class TestOperatingCharacteristics:
    def test_shares_add_up_and_follow_the_truth(self, found):
        shares = found[list(simulate.VERDICTS)].astype(float)
        assert np.allclose(shares.sum(axis=1), 1)
        value = found.set_index(["patients", "hazard_ratio"])
        assert value.loc[(300, 3.0), evidence.FOR] > 0.99
        assert value.loc[(1000, 1.0), evidence.AGAINST] > 0.9
        assert value.loc[(19, 1.0), evidence.NEITHER] > 0.9
        assert value[evidence.NEITHER].groupby("hazard_ratio").apply(lambda one: one.is_monotonic_decreasing).all()

    def test_results_table_words_and_figure(self, found):
        rows = mrd.simulation_rows(found, 5)
        assert results.pick(rows, "simulation.verdict.1000_patients.HR 1.against")["value"] > 90
        assert len(mrd.simulation_table(found)) == len(found) == 20
        assert "With 19 patients" in mrd.simulation_in_words(found)
        figure, plotted = mrd_evidence.verdict_shares(found, STUDY)
        assert len(figure.axes) == 4 and plotted.groupby(["hazard_ratio", "patients"])["percent"].sum().between(
            99.9, 100.1).all()
        plt.close(figure)

    def test_nothing_to_simulate_without_marker_or_event(self):
        endpoint, admk = simulate.tables(np.array([5.0, 9.0]), np.array([False, False]), np.array([True, False]), "A")
        assert mrd.operating_characteristics(endpoint, admk, STUDY, seed=1).empty
        nothing = schema.empty(schema.ANALYSIS["admk"])
        assert mrd.operating_characteristics(endpoint.assign(event=True), nothing, STUDY, seed=1).empty


def test_a_likelihood_without_maximum_is_judged_by_the_penalised_interval():
    time = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8]])
    event = np.array([[True, True, True, False, False, False, False, False]])
    poor = np.arange(8) < 3
    assert simulate.verdicts(time, event, poor, MARGINS).tolist() in ([evidence.FOR], [evidence.NEITHER])
    assert simulate.verdicts(time, np.zeros((1, 8), bool), poor, MARGINS).tolist() == [evidence.NONE]
