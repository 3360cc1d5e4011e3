"""Figures of remission duration: what is drawn is what was computed, and nothing is drawn outside its place."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import survival
from remission.figures import survival as figures
from remission.study import Arm, Study

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="month", fixed_times=(1,),
            endpoint_labels={"TTRLP": "time to relapse"})
ADTTE = pd.DataFrame({
    "USUBJID": list("abcdef"), "TRT01A": list("AAABBB"), "PARAMCD": "TTRLP", "PARAM": "time to relapse",
    "ORIGIN": "start of maintenance", "ENTRYDY": 0, "AVAL": [30, 60, 90, 20, 40, 100], "CNSR": [0, 2, 1, 0, 0, 1]})


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def curves():
    return figures.kaplan_meier(ADTTE, survival.analyse(ADTTE, TWO, "TTRLP"), TWO, "TTRLP")


class TestKaplanMeier:
    def test_axis_names_the_origin_and_the_legend_the_endpoint(self):
        figure, _ = curves()
        axes = figure.axes[0]
        assert axes.get_xlabel() == "months from start of maintenance"
        assert axes.get_legend().get_title().get_text() == "Time to relapse"

    def test_medians_are_those_of_the_results(self):
        figure, plotted = curves()
        said = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        rows = survival.analyse(ADTTE, TWO, "TTRLP").set_index("result_id")
        assert said[1] == f"Arm B: median {rows.loc['km.TTRLP.all.B.median', 'display']}"
        assert plotted.loc[(plotted["part"] == "median") & (plotted["arm"] == "B"), "day"].item() == 40

    def test_counts_stand_under_the_ticks(self):
        figure, plotted = curves()
        above, below = figure.axes
        assert {text.get_position()[0] for text in below.texts} == set(above.get_xticks())
        counts = plotted[plotted["part"] == "counts"]
        assert (counts["at_risk"] + counts["censored"] + counts["events"] == 3).all()

    def test_arms_differ_without_colour(self):
        figure, _ = curves()
        steps = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
        assert len({line.get_linestyle() for line in steps}) == 2

    def test_absent_endpoint_has_no_figure(self):
        figure, plotted = figures.kaplan_meier(ADTTE, survival.analyse(ADTTE, TWO, "RFS"), TWO, "RFS")
        assert figure is None
        assert plotted.empty

    @pytest.mark.parametrize(("last", "unit", "ticks"), [
        (3799, "year", 6), (245, "week", 8), (651, "month", 8), (5, "day", 6), (0, "day", 1)])
    def test_ticks(self, last, unit, ticks):
        days = figures.tick_days(last, unit)
        assert len(days) == ticks
        assert days[0] == 0
        assert days[-1] <= last + 1


class TestCumulativeIncidence:
    def test_a_panel_a_cause(self):
        figure, plotted = figures.cumulative_incidence(ADTTE, survival.analyse_competing(ADTTE, TWO), TWO)
        titles = [axes.get_title(loc="left").split("\n")[0] for axes in figure.axes[:2]]
        assert titles == ["Relapse", "Death in remission"]
        dead = plotted[(plotted["cause"] == "death_in_remission") & (plotted["part"] == "curve")]
        assert dead.groupby("arm")["incidence"].max().round(4).to_dict() == {"A": 0.3333, "B": 0.0}

    def test_without_a_death_in_remission_there_is_nothing_to_compete(self):
        alone = ADTTE.assign(CNSR=ADTTE["CNSR"].clip(upper=1))
        assert figures.cumulative_incidence(alone, survival.analyse_competing(alone, TWO), TWO)[0] is None
