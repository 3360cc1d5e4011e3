"""Figures of MRD over time draw what they say, for any cohort."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pytest
from test_adam_admrd import STUDY
from test_mrd_time import EMPTY, NEGATIVE, THREE, TWO, cohort

from remission.figures import mrd_dynamic, mrd_landmark, mrd_time
from remission.mrd import chance, dynamic, guarantee, landmark, leadtime


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(figure):
    """Everything written on a figure."""
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


class TestLandmarkPanels:
    def test_a_panel_an_arm_and_landmark_with_numbers_at_risk(self):
        _, _, adtv = cohort(arms=("A", "B"))
        rows = landmark.analyse(adtv, TWO)
        figure, plotted = mrd_landmark.panels(adtv, rows, TWO)
        titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_title(loc="left")]
        assert len(titles) == 9 and "all arms, landmark 12 months" in titles
        start = plotted[(plotted["part"] == "counts") & (plotted["day"] == 0)].set_index(["landmark", "arm", "state"])
        for state in landmark.STATES:
            row = rows[(rows["population"] == "landmark_6_months") & (rows["arm"] == "B")
                       & (rows["statistic"] == f"median[{state}]")].iloc[0]
            assert start.loc[("6 months", "B", state), "at_risk"] == row["n"]
        assert mrd_landmark.at_risk(plotted, TWO).shape[0] == 18
        assert "time to relapse" in words(figure).lower() and "days from the landmark" in words(figure)

    def test_nothing_known(self):
        figure, plotted = mrd_landmark.panels(EMPTY["adtv"], landmark.analyse(EMPTY["adtv"], STUDY), STUDY)
        assert figure is None and plotted.empty and mrd_landmark.at_risk(plotted, STUDY).empty


class TestGuaranteeTime:
    def test_every_estimate_is_drawn(self):
        made, adsl, _ = cohort(arms=("A", "B"))
        rows = guarantee.analyse(made, adsl, TWO)
        figure, plotted = mrd_time.designs(rows, TWO)
        assert len(plotted) == rows["statistic"].str.startswith("HR[").sum()
        drawn = [line for line in figure.axes[0].lines if line.get_marker() == "s"]
        assert len(drawn) == plotted["value"].notna().sum()
        assert "Shaded: designs that use the future" in words(figure)

    def test_what_cannot_be_estimated_is_said(self):
        made, adsl, _ = cohort(patients=15, arms=("A", "B", "C"))
        figure, plotted = mrd_time.designs(guarantee.analyse(made, adsl, THREE), THREE)
        assert plotted["value"].isna().any() and "not estimable" in words(figure)

    def test_nothing_to_estimate_is_no_figure_but_a_table(self):
        made, adsl, _ = cohort(patients=6, sample=NEGATIVE)
        figure, plotted = mrd_time.designs(guarantee.analyse(made, adsl, STUDY), STUDY)
        assert figure is None and plotted["display"].str.startswith("not estimable").all()

    def test_the_world_without_effect(self):
        figure, plotted = mrd_time.world(chance.analyse(STUDY, seed=1, draws=100), STUDY)
        assert plotted["design"].tolist()[0] == "naive" and plotted.notna().all().all()
        assert "no patient of this cohort" in words(figure)


class TestLeadTimes:
    def test_a_bar_a_patient(self):
        made, adsl, _ = cohort()
        data = leadtime.intervals(made, adsl, STUDY)
        figure, plotted = mrd_dynamic.lead_times(data, STUDY)
        assert (plotted["part"] == "patient").sum() == len(data)
        assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == plotted.loc[
            plotted["part"] == "patient", "patient"].tolist()

    def test_many_patients_are_not_listed(self):
        data = leadtime.intervals(*cohort(patients=100)[:2], STUDY)
        assert len(data) > mrd_dynamic.MOST
        assert "not listed" in words(mrd_dynamic.lead_times(data, STUDY)[0])


class TestCourse:
    def test_levels_and_probabilities(self):
        made = dynamic.predict(cohort()[2], STUDY, seed=1, draws=10)
        figure, plotted = mrd_dynamic.course(made, STUDY)
        assert plotted["probability"].tolist() == made.course["probability"].tolist()
        assert made.patient in words(figure) and "within 12 months" in words(figure)
        ends = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
        assert [line.get_xdata()[0] for line in ends] == [pytest.approx(made.end / 365.25)]

    def test_no_prediction_no_figure(self):
        figure, plotted = mrd_dynamic.course(dynamic.predict(EMPTY["adtv"], STUDY, seed=1), STUDY)
        assert figure is None and plotted.empty


@pytest.mark.parametrize(("given", "study"), [
    (cohort(patients=15, arms=("A", "B", "C")), THREE), (cohort(patients=8, sample=NEGATIVE), STUDY),
    (cohort(patients=8, status="ongoing remission"), STUDY), (cohort(patients=2), STUDY)])
def test_odd_cohorts_are_drawn_or_left_out_without_a_warning(given, study):
    made, adsl, adtv = given
    drawn = [mrd_landmark.panels(adtv, landmark.analyse(adtv, study), study),
             mrd_time.designs(guarantee.analyse(made, adsl, study), study),
             mrd_dynamic.lead_times(leadtime.intervals(made, adsl, study), study),
             mrd_dynamic.course(dynamic.predict(adtv, study, seed=1, draws=5), study)]
    for figure, plotted in drawn:
        if figure is not None:
            figure.canvas.draw()
            assert len(plotted) and not any(math.isinf(one) for one in plotted.select_dtypes("number").stack())
