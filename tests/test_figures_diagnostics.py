"""Diagnostics of proportional hazards: the numbers of R's two plots, and a reason where there is none."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import store, study, survival
from remission.figures import diagnostics as figures
from remission.study import Arm, Study
from remission.survival.endpoints import endpoint

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="day", fixed_times=(1,))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def drawn(cohort):
    adtte, one = store.read(cohort, "adtte"), study.read(cohort)
    return figures.proportional_hazards(adtte, survival.analyse(adtte, one, "TTRLP"), one)


def table(arms, times, cnsr):
    return pd.DataFrame({"USUBJID": list("abcdefgh")[:len(times)], "TRT01A": arms, "PARAMCD": "TTRLP", "ORIGIN": "o",
                         "ENTRYDY": 0, "AVAL": times, "CNSR": cnsr})


class TestLogLog:
    def test_curve_and_interval_are_those_of_r(self):
        # R: s <- summary(survfit(Surv(AVAL, CNSR == 0) ~ 1, conf.type = "log-log")); log(-log(s$surv)), and of its
        # upper and lower limits; the 6-mercaptopurine arm of freireich1963
        data = endpoint(store.read("freireich1963", "adtte"), "TTRLP")
        line = figures.log_log(data[data["arm"] == "6-MP"])
        assert line["day"].tolist() == [42, 49, 70, 91, 112, 154, 161, 245]
        assert line["value"].tolist()[:-1] == pytest.approx(
            [-1.869824714, -1.538162906, -1.259597666, -0.992147598, -0.763377110, -0.477648118, -0.219946210],
            abs=1e-9)
        assert line["lower"].tolist()[:2] == pytest.approx([-3.002531166, -2.521575045], abs=1e-9)
        assert line["upper"].tolist()[4] == pytest.approx(0.00100191858, abs=1e-9)
        assert line["value"].iloc[-1] == line["value"].iloc[-2]  # the level holds to the end of follow-up

    def test_the_last_level_holds_until_nobody_is_left(self):
        line = figures.log_log(pd.DataFrame({"time": [1, 2, 3], "event": True}))
        assert line["day"].tolist() == [1, 2, 3]
        assert line["value"].tolist() == pytest.approx([math.log(-math.log(2 / 3)), *[math.log(-math.log(1 / 3))] * 2])

    def test_an_event_on_day_0_has_no_place_on_a_logarithmic_axis(self):
        line = figures.log_log(pd.DataFrame({"time": [0, 2, 3], "event": [True, True, False]}))
        assert line["day"].tolist() == [2, 3]

    @pytest.mark.parametrize("event", [[False, False], [False, True]])
    def test_without_a_level_between_0_and_1_there_is_no_line(self, event):
        assert figures.log_log(pd.DataFrame({"time": [1, 2], "event": event})).empty


class TestFigure:
    def test_test_and_hazard_ratio_are_those_of_the_results(self):
        cohort = study.read("freireich1963")
        rows = survival.analyse(store.read("freireich1963", "adtte"), cohort, "TTRLP").set_index("result_id")
        figure, plotted = drawn("freireich1963")
        right = figure.axes[1]
        test = rows.loc["ph.TTRLP.all.6-MP vs placebo.p", "display"]
        assert right.get_title(loc="right") == f"test of a trend: {test}"
        level = plotted[plotted["part"] == "log hazard ratio"].iloc[0]
        ratio = rows.loc["cox.TTRLP.all.6-MP vs placebo.HR"]
        for name in ("value", "lower", "upper"):
            assert level[name] == math.log(ratio[name])

    def test_a_residual_an_event_on_the_axis_of_the_test(self):
        _, plotted = drawn("freireich1963")
        points = plotted[plotted["part"] == "residual"]
        assert points["arm"].value_counts().to_dict() == {"placebo": 21, "6-MP": 9}
        assert points["clock"].is_monotonic_increasing and points["clock"].iloc[0] == 0

    def test_an_event_with_one_arm_at_risk_keeps_its_arm(self):
        # The last relapse of this cohort came when nobody of the other arm was followed: its residual is 0.
        _, plotted = drawn("ash2012_reconstructed")
        last = plotted[plotted["part"] == "residual"].iloc[-1]
        level = plotted.loc[plotted["part"] == "log hazard ratio", "value"].item()
        assert (last["arm"], last["day"]) == ("IFN+IM", 3462)
        assert last["value"] == pytest.approx(level)

    def test_axes_name_endpoint_clock_and_direction(self):
        figure, _ = drawn("freireich1963")
        left, right = figure.axes
        assert left.get_xscale() == "log"
        assert left.get_xlabel() == "weeks from start of maintenance (log scale)"
        assert right.get_ylabel() == "log hazard ratio, 6-MP vs placebo"
        assert "Time to relapse" in figure.get_supxlabel()

    def test_ticks_of_the_residuals_are_times_of_events(self):
        figure, plotted = drawn("freireich1963")
        points = plotted[plotted["part"] == "residual"]
        known = dict(zip(points["clock"].round(9), points["day"] / 7, strict=True))
        for tick, label in zip(figure.axes[1].get_xticks(), figure.axes[1].get_xticklabels(), strict=True):
            assert known[round(tick, 9)] == float(label.get_text())

    def test_too_few_event_times_for_a_smooth_are_named(self):
        adtte = table(list("AAABBB"), [1, 3, 5, 2, 4, 6], [0, 0, 1, 0, 0, 1])
        figure, plotted = figures.proportional_hazards(adtte, survival.analyse(adtte, TWO, "TTRLP"), TWO)
        assert not (plotted["part"] == "smooth").any()
        assert figure.legends[0].get_texts()[-1].get_text() == "too few event times for a smooth"

    def test_an_arm_whose_events_all_end_it_has_no_line(self):
        adtte = table(list("AABBB"), [3, 3, 2, 4, 5], [0, 0, 0, 0, 1])
        figure, plotted = figures.proportional_hazards(adtte, survival.analyse(adtte, TWO, "TTRLP"), TWO)
        assert figure is not None
        assert set(plotted.loc[plotted["part"] == "log-log", "arm"]) == {"B"}
        assert figures.distances(plotted, TWO).empty


class TestNone:
    def test_one_arm(self):
        figure, plotted = drawn("wassmann2003")
        assert figure is None
        assert figures.reason(plotted) == "No diagnostics of proportional hazards: two arms are needed."

    def test_no_hazard_ratio(self):
        adtte = table(list("AABB"), [1, 3, 2, 4], [0, 0, 1, 1])
        figure, plotted = figures.proportional_hazards(adtte, survival.analyse(adtte, TWO, "TTRLP"), TWO)
        assert figure is None
        assert "only in the other arm" in figures.reason(plotted)

    def test_a_figure_needs_no_reason(self):
        assert figures.reason(drawn("scrucca_bmt")[1]) == ""


def test_distance_of_the_curves_is_the_log_of_the_ratio_of_cumulative_hazards():
    _, plotted = drawn("freireich1963")
    rows = figures.distances(plotted, study.read("freireich1963"))
    # R: summary(survfit(Surv(AVAL, CNSR == 0) ~ TRT01A), times = 56)$surv
    ratio = rows.loc[rows["time"] == "8.0 weeks", "ratio of cumulative hazards"].item()
    assert ratio == pytest.approx(math.log(0.8067226891) / math.log(0.3809523810), rel=1e-8)
