"""Figures of the markers at the origin draw what their tables say, for every shape of cohort."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from survival_examples import AML
from test_adam_admrd import STUDY
from test_mrd import known, outcome
from test_mrd_censored import cohort

from remission import mrd
from remission.estimators import curves
from remission.figures import mrd_accuracy, mrd_levels, mrd_markers, style
from remission.study import Arm, Study


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def embury(arms="A"):
    time, event, x = AML
    admk = known(RESP6M=["N" if one else "Y" for one in x], NCYCLES=[3 + one % 4 for one in range(23)])
    return outcome([30 * one for one in time], [bool(one) for one in event], arm=arms), admk


def steps(axes):
    """Heights of all lines of a panel."""
    return [height for line in axes.get_lines() for height in np.asarray(line.get_ydata(), float)]


class TestCurves:
    def test_every_step_is_plotted(self):
        endpoint, admk = embury()
        rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=99, bootstraps=0)
        figure, plotted = mrd_markers.kaplan_meier(endpoint, admk, rows, STUDY)
        figure.canvas.draw()
        mine = plotted[(plotted["part"] == "curve") & (plotted["group"] == "response")]
        expected = curves.kaplan_meier(endpoint[:11])
        assert mine["survival"].tolist() == [1, *expected["survival"]]
        assert set(mine["survival"].round(9)) <= {round(one, 9) for one in steps(figure.axes[0])}
        counts = plotted[(plotted["part"] == "counts") & (plotted["group"] == "no response")]
        assert counts["at_risk"].tolist()[0] == 12
        texts = [text.get_text() for text in figure.axes[3].texts]
        assert [f"{one:.0f}" for one in counts["at_risk"]] == texts[len(texts) // 2:]

    def test_tests_are_those_of_the_results(self):
        endpoint, admk = embury()
        rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=99, bootstraps=0)
        _, plotted = mrd_markers.kaplan_meier(endpoint, admk, rows, STUDY)
        said = plotted.loc[plotted["part"] == "words", "words"].tolist()
        assert said[0].startswith("log-rank p = 0.065, permutation p = ") and "HR 2.41 (0.94 to 6.78)" in said[0]

    def test_one_group_no_relapse_and_no_second_arm(self):
        endpoint, admk = embury()
        admk = admk.assign(EVERNEG="Y")
        rows = mrd.analyse_markers(endpoint, admk, STUDY, seed=1, permutations=9, bootstraps=0)
        figure, plotted = mrd_markers.kaplan_meier(endpoint, admk, rows, STUDY)
        figure.canvas.draw()  # a panel without censored patients must not upset the layout
        assert "not estimable: all patients are in one group" in plotted["words"].tolist()
        assert mrd_markers.kaplan_meier(endpoint, admk, rows, STUDY, arm="all")[0] is None

    def test_all_arms(self):
        two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
        endpoint, admk = embury(["A", "B"] * 11 + ["A"])
        rows = mrd.analyse_markers(endpoint, admk, two, seed=1, permutations=9, bootstraps=0)
        assert mrd_markers.kaplan_meier(endpoint, admk, rows, two)[1]["arm"].unique().tolist() == ["A"]
        figure, plotted = mrd_markers.kaplan_meier(endpoint, admk, rows, two, arm="all")
        figure.canvas.draw()
        assert plotted["arm"].unique().tolist() == ["all"]


class TestAuc:
    def test_lines_are_the_table(self):
        curve = mrd.auc_curves(*embury(), STUDY, seed=1, bootstraps=30)
        figure, plotted = mrd_accuracy.auc_over_time(curve, STUDY)
        figure.canvas.draw()
        assert plotted["auc"].notna().all() and len(plotted) < len(curve)
        mine = plotted[plotted["marker"] == "early MRD response"]
        assert set(mine["auc"].round(9)) <= {round(one, 9) for one in steps(figure.axes[0])}
        assert figure.axes[0].get_ylim() == (0, 1)

    def test_nothing_to_draw(self):
        endpoint, admk = embury()
        curve = mrd.auc_curves(endpoint.assign(event=False), admk, STUDY, seed=1, bootstraps=5)
        assert mrd_accuracy.auc_over_time(curve, STUDY)[0] is None


class TestLevels:
    def test_points_are_the_results(self):
        rows = mrd.analyse_levels(*cohort(), STUDY, seed=1, imputations=5)
        figure, plotted = mrd_levels.by_method(rows, STUDY)
        figure.canvas.draw()
        assert plotted.groupby("quantity").size().to_dict() == {"HR": 4, "mean": 4}
        ratios = plotted.loc[plotted["quantity"] == "HR", "value"]
        drawn = {round(one, 9) for line in figure.axes[1].get_lines() for one in np.asarray(line.get_xdata(), float)}
        assert set(ratios.round(9)) <= drawn

    def test_without_relapse_the_ratio_is_said_to_be_missing(self):
        endpoint, admk = cohort()
        rows = mrd.analyse_levels(endpoint.assign(event=False), admk, STUDY, seed=1, imputations=5)
        figure, plotted = mrd_levels.by_method(rows, STUDY)
        assert set(plotted["quantity"]) == {"mean"}
        assert [text.get_text() for text in figure.axes[1].texts] == ["not estimable"]


def test_saved_figures_carry_their_cohort():
    figure, _ = mrd_levels.by_method(mrd.analyse_levels(*cohort(), STUDY, seed=1, imputations=5), STUDY)
    assert style.footer_text(STUDY) in figure.get_supxlabel()
