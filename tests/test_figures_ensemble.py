"""Figures of what an abstract leaves open: their numbers, and that nothing is cut off."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from remission import store
from remission.ensemble import inquiry, own
from remission.ensemble.cohorts import endpoint
from remission.estimators import curves
from remission.figures import ensemble as draw
from remission.study import read as read_study


@pytest.fixture(scope="module")
def asked():
    found = inquiry.bound(inquiry.draw(inquiry.begin("freireich1963", 63), 240, 100), 40, 4, 1)
    return inquiry.weigh(found, 30, 4, 1)


@pytest.fixture(scope="module")
def study():
    return read_study("freireich1963")


@pytest.fixture(scope="module")
def beside(asked):
    return own.beside(asked.settled, own.of(store.read("freireich1963", "adtte"), asked))


def inside(figure):
    """Every word of a figure lies on its page."""
    figure.canvas.draw()
    page = figure.bbox
    for text in figure.findobj(plt.Text):
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1, text.get_text()
            assert page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text.get_text()
    plt.close(figure)


class TestCurves:
    def test_drawn_curves_are_those_of_the_cohorts(self, asked, study):
        figure, plotted = draw.feasible_curves(asked, study, number=12)
        inside(figure)
        lines = plotted[plotted["part"] == "curve"]
        assert lines["cohort"].nunique() == 12
        part = asked.found.ready.layout.arms["6-MP"]
        time, event = endpoint(asked.found.cohorts, "relapse", part)
        for cohort, line in lines[lines["arm"] == "6-MP"].groupby("cohort"):
            known = curves.kaplan_meier(pd.DataFrame({"time": time[cohort], "event": event[cohort]}))
            for row in line.itertuples():
                assert row.survival == pytest.approx(curves.survival_at(known, row.time).value)

    def test_every_curve_passes_its_printed_median(self, asked, study):
        figure, plotted = draw.feasible_curves(asked, study)
        plt.close(figure)
        medians = plotted[plotted["part"] == "median"].set_index("arm")
        assert medians.loc["6-MP", ["lower", "upper"]].tolist() == [22.5, 23.5]
        for (arm, _), line in plotted[plotted["part"] == "curve"].groupby(["arm", "cohort"]):
            before = line.loc[line["time"] < medians.loc[arm, "lower"], "survival"].iloc[-1]
            after = line.loc[line["time"] <= medians.loc[arm, "upper"], "survival"].iloc[-1]
            assert after <= 0.5 + 1e-9 <= before + 2e-9

    def test_numbers_at_risk_are_a_range_over_all_cohorts(self, asked, study):
        figure, plotted = draw.feasible_curves(asked, study, number=5)
        plt.close(figure)
        risk = plotted[(plotted["part"] == "at risk") & (plotted["arm"] == "placebo")].set_index("time")
        time = asked.found.cohorts.time[:, 21:]
        assert risk.loc[10.0, ["lower", "upper"]].tolist() == [(time >= 10).sum(axis=1).min(),
                                                               (time >= 10).sum(axis=1).max()]
        table = draw.curves_table(plotted)
        assert table.iloc[0]["at risk"] == "21 to 21" and table.iloc[0]["highest"] == 1


class TestVerdicts:
    def test_every_quantity_has_its_ends_its_families_and_its_own_value(self, asked, study, beside):
        figure, plotted = draw.verdicts(asked, study, beside)
        inside(figure)
        whole = plotted[plotted["part"] == "extremes"].set_index("target")
        known = asked.settled.set_index("target").loc[whole.index]
        np.testing.assert_allclose(whole[["lower", "upper"]], known[["lower", "upper"]])
        assert not whole.index.str.contains("_lower|_upper").any()
        families = plotted[plotted["part"].isin(asked.found.draws["family"])]
        assert (families.groupby("target").size() == 4).all()
        merged = families.merge(whole[["lower", "upper"]], left_on="target", right_index=True, suffixes=("", "_whole"))
        assert (merged["lower"] >= merged["lower_whole"]).all() and (merged["upper"] <= merged["upper_whole"]).all()
        assert set(plotted.loc[plotted["part"] == "own", "target"]) == set(whole.index)

    def test_a_verdict_is_told_by_its_sign_and_its_word(self, asked, study, beside):
        figure, _ = draw.verdicts(asked, study, beside)
        words = {text.get_text() for text in figure.findobj(plt.Text)}
        plt.close(figure)
        assert {"● pinned", "◐ bounded"} <= words
        assert len({sign for sign, _ in draw.VERDICTS.values()}) == 3


class TestWorth:
    def test_a_cell_for_every_claim_and_quantity(self, asked, study):
        figure, plotted = draw.worth(asked, study)
        inside(figure)
        assert len(plotted) == len(asked.abstract.claims) * len(inquiry.asked_after(asked))
        merged = plotted.merge(asked.worth, on=["claim", "target"])
        assert (merged["widening_x"] == merged["widening_y"]).all()


def test_footers_say_that_the_cohorts_are_hypothetical(asked, study, beside):
    for figure, _ in (draw.feasible_curves(asked, study, 4), draw.verdicts(asked, study, beside),
                      draw.worth(asked, study)):
        words = " ".join(text.get_text() for text in figure.findobj(plt.Text))
        plt.close(figure)
        assert "Hypothetical cohorts" in words and "real patients" in words


def test_without_an_abstract_there_is_no_figure(study):
    nothing = inquiry.begin("wassmann2003", 1)
    assert draw.feasible_curves(nothing, study)[0] is None
    assert draw.verdicts(nothing, study, own.beside(nothing.settled, {}))[0] is None
    assert draw.worth(nothing, study)[0] is None
    assert draw.curves_table(draw.feasible_curves(nothing, study)[1]).empty
