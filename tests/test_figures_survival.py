"""Figures of remission duration: what is drawn is what was computed, and nothing is drawn outside its place."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import store, study, survival
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
        assert said[1] == f"Arm B (2 of 3 with event): median {rows.loc['km.TTRLP.all.B.median', 'display']}"
        assert said[2].startswith(f"Hazard ratio, A vs B: {rows.loc['cox.TTRLP.all.A vs B.HR', 'display']}")
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
        assert {line.get_linestyle() for line in steps} == {"-", "--"}

    def test_a_curve_goes_on_pale_where_few_are_at_risk(self):
        adtte = store.read("ash2012_reconstructed", "adtte")
        cohort = study.read("ash2012_reconstructed")
        figure, plotted = figures.kaplan_meier(adtte, survival.analyse(adtte, cohort, "TTRLP"), cohort, "TTRLP")
        pale = plotted[plotted["part"] == "pale from"].set_index("arm")["day"].to_dict()
        assert pale == {"IFN+IM": 2551, "IM": 636}  # the fifteenth of 19 and the eighth of 12 to leave: 4 are left
        solid = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post" and
                 line.get_color() == "#0072B2"]
        assert [line.get_alpha() for line in solid] == [1.0, 0.5]
        assert solid[0].get_xdata()[-1] == solid[1].get_xdata()[0] == pytest.approx(2551 / 365.25)

    @pytest.mark.parametrize(("patients", "day"), [(4, 0), (5, 1), (50, 46), (51, 46), (200, 181)])
    def test_few_are_fewer_than_five_or_than_a_tenth(self, patients, day):
        assert figures.scarce_from(pd.DataFrame({"time": range(1, patients + 1)})) == day

    def test_marks_that_would_hide_a_curve_are_left_out_and_it_is_said(self):
        many = pd.concat([ADTTE.assign(USUBJID=ADTTE["USUBJID"] + str(i)) for i in range(110)], ignore_index=True)
        figure, _ = figures.kaplan_meier(many, survival.analyse(many, TWO, "TTRLP"), TWO, "TTRLP")
        assert {line.get_marker() for line in figure.axes[0].lines} == {"None"}
        assert "Too many censored to mark." in figure.get_supxlabel()

    def test_every_curve_ends_where_follow_up_ends(self):
        figure, _ = curves()
        ends = [max(line.get_xdata()) for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
        assert max(ends) == pytest.approx(100 / 30.4375)

    @pytest.mark.parametrize("cohort", ["ash2012_reconstructed", "chiaretti2004", "freireich1963", "wassmann2003"])
    def test_numbers_below_keep_clear_of_their_labels_and_of_one_another(self, cohort):
        adtte, one = store.read(cohort, "adtte"), study.read(cohort)
        figure, _ = figures.kaplan_meier(adtte, survival.analyse(adtte, one, "TTRLP"), one, "TTRLP")
        figure.canvas.draw()
        below = figure.axes[1]
        boxes = [text.get_window_extent() for text in [*below.texts, *below.get_yticklabels()] if text.get_text()]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in boxes)
        assert not any(min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
                       for a, b in combinations(boxes, 2))

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

    def test_the_naive_line_and_its_gap_at_a_stated_time(self):
        # Relapses on days 10 and 30, a death in remission on day 20, one patient followed to day 40.
        # One minus Kaplan-Meier: 1 - 3/4 * 1/2 = 0.625. Aalen-Johansen: 1/4 + 1/2 * 1/2 = 0.5, as two of four relapsed.
        rows = pd.DataFrame({"USUBJID": list("abcdwxyz"), "TRT01A": list("AAAABBBB"), "PARAMCD": "TTRLP",
                             "ORIGIN": "o", "ENTRYDY": 0, "AVAL": [10, 20, 30, 40, 10, 20, 30, 40],
                             "CNSR": [0, 2, 0, 1, 0, 0, 0, 1]})
        figure, plotted = figures.cumulative_incidence(rows, survival.analyse_competing(rows, TWO), TWO)
        gap = plotted[plotted["part"] == "gap"].set_index("arm")
        assert gap.loc["A", ["day", "naive", "incidence", "gap"]].tolist() == [30, 0.625, 0.5, 0.125]
        # Nobody of the other arm died in remission: there the two are one line, and one line is drawn.
        assert set(plotted.loc[plotted["part"] == "naive", "arm"]) == {"A"}
        assert "naive" in figure.legends[0].get_texts()[-1].get_text()
        assert "A, at 1 month: 12.5 percentage points higher" in figure.legends[0].get_texts()[-1].get_text()
        assert figures.naive_reading(plotted, TWO) == (
            "A, at 1 month: 62.5% by one minus Kaplan-Meier, 50.0% with death competing: 12.5 percentage points "
            "higher.")

    def test_the_gap_is_taken_at_the_last_fixed_time_within_follow_up(self):
        adtte, cohort = store.read("scrucca_bmt", "adtte"), study.read("scrucca_bmt")
        _, plotted = figures.cumulative_incidence(adtte, survival.analyse_competing(adtte, cohort), cohort)
        gap = plotted[plotted["part"] == "gap"].set_index("arm")["gap"].round(6).to_dict()
        # R: 1 - summary(survfit(Surv(time, code == 1) ~ 1), times = 36)$surv against cmprsk::timepoints at 36 months
        assert gap == {"ALL": 0.13645, "AML": 0.085959}

    def test_without_a_death_in_remission_there_is_nothing_to_compete(self):
        alone = ADTTE.assign(CNSR=ADTTE["CNSR"].clip(upper=1))
        figure, plotted = figures.cumulative_incidence(alone, survival.analyse_competing(alone, TWO), TWO)
        assert figure is None
        assert figures.naive_reading(plotted, TWO).startswith("Nobody died in remission")

    def test_a_fixed_time_after_the_end_of_follow_up_states_no_gap(self):
        short = ADTTE.assign(AVAL=ADTTE["AVAL"] / 5)
        _, plotted = figures.cumulative_incidence(short, survival.analyse_competing(short, TWO), TWO)
        assert figures.naive_reading(plotted, TWO).startswith("No fixed time lies within")
