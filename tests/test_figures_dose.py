"""Figures of dose delivery: what is drawn is what was counted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_toxicity_dose import ADSL, EMPTY, HISTORY, IFN, IM, STUDY, TABLES, default

from remission import schema
from remission.adam.adex import derive_adex, derive_adexwk
from remission.figures import dose as figures
from remission.toxicity import exposure_response

__all__ = ["default"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def exposure():
    weeks = pd.DataFrame({"USUBJID": "P1", "TRT01A": "A", "EXDRUG": IFN, "WEEK": range(1, 9), "PLANWK": 9.0,
                          "WKDOSE": [0, 3, 6, 9, 0, 9, 0, 0], "REASON": [None] * 4 + ["adverse event"] + [None] * 3})
    spans = pd.DataFrame({"USUBJID": ["P1"], "EXDRUG": [IFN], "STDY": [7], "ENDY": [41], "MTDAYS": [52]})
    return weeks, spans


def test_zero_dose_before_during_and_after_are_told_apart():
    segments = figures.dose_segments(*exposure(), IFN)
    assert segments["state"].tolist() == [
        "not begun", "up to a third of plan", "up to two thirds of plan", "plan or more", "interrupted",
        "plan or more", "stopped, maintenance goes on"]
    assert segments[["first", "last"]].iloc[-1].tolist() == [7, 8]


def test_a_short_last_week_is_read_against_its_own_days():
    weeks, spans = exposure()
    weeks = weeks.head(2).assign(WKDOSE=[9.0, 9 * 3 / 7])
    segments = figures.dose_segments(weeks, spans.assign(STDY=0, ENDY=9, MTDAYS=10), IFN)
    assert segments["state"].tolist() == ["plan or more"]


def test_heat_map_marks_reductions_interruptions_and_stops():
    adex, weeks = derive_adex(TABLES, ADSL, STUDY), derive_adexwk(TABLES, ADSL, STUDY)
    figure, plotted = figures.dose_heatmap(weeks, adex, HISTORY, STUDY, IFN)
    changes = plotted[plotted["part"] == "change"].set_index(["USUBJID", "change"])[["first", "reason"]]
    assert changes.loc[("P1", "reduced")].tolist() == [5, "adverse event"]       # day 30
    assert changes.loc[("P4", "interrupted")].tolist() == [15, "patient wish"]   # day 100
    assert changes.loc[("P3", "stopped")].tolist() == [13, "relapse"]            # day 90
    assert ("P5", "stopped") not in changes.index
    assert len(figure.axes) == 2                                                 # escalation has its own panel
    assert figure.axes[0].images[0].get_array().shape == (6, 58)
    assert figure.axes[0].get_xlim() == (0, figures.FIRST_WEEKS)
    short, _ = figures.dose_heatmap(weeks, adex, HISTORY, STUDY, IM)
    assert len(short.axes) == 2
    weeks, spans = exposure()
    single, plotted = figures.dose_heatmap(weeks, spans, EMPTY, STUDY, IFN)
    assert len(single.axes) == 1 and plotted["change"].isna().all()


def test_an_unnamed_reason_has_a_mark_of_its_own():
    last = pd.Series({"P6": 15, "P7": 15})
    made = figures.marked_changes(HISTORY, IM, last)
    assert made.to_numpy().tolist() == [["P6", 15, "stopped", "other or not recorded"],
                                        ["P7", 15, "stopped", "other or not recorded"]]


def test_persistence_draws_both_readings_and_the_numbers_on_the_drug():
    figure, plotted = figures.persistence_curves(HISTORY, ADSL, STUDY)
    mine = plotted[(plotted["drug"] == IFN) & (plotted["part"] == "curve")]
    whole = mine[mine["reading"] == "on drug"]
    assert whole["day"].tolist() == [0, 60, 90, 100, 151, 200]
    assert whole["survival"].tolist() == pytest.approx([1, 0.8, 0.6, 0.6, 0.3, 0])
    own = mine[mine["reading"] == "censored"].set_index("day")["survival"]
    assert own[[60, 90, 151, 200]].tolist() == pytest.approx([0.8, 0.8, 0.8, 0])
    counts = plotted[(plotted["part"] == "counts") & (plotted["drug"] == IFN)].iloc[0]
    assert (counts["day"], counts["at_risk"]) == (0, 5)
    assert [axis.get_title(loc="left") for axis in figure.axes[:2]] == [f"time on {IFN}", f"time on {IM}"]


def test_first_reduction_stacks_to_what_has_happened():
    figure, plotted = figures.first_reduction(HISTORY, ADSL, STUDY)
    mine = plotted[(plotted["drug"] == IFN) & (plotted["part"] == "incidence")]
    at = mine[mine["day"] == 120].set_index("cause")["incidence"]
    assert at[["event", "stop", "relapse", "death"]].tolist() == pytest.approx([60, 20, 20, 0])
    assert len(figure.axes) == 3  # interferon in one arm, imatinib in two


def test_time_to_target_shows_both_denominators():
    figure, plotted = figures.time_to_target(HISTORY, ADSL, STUDY, IFN)
    months = plotted[plotted["part"] == "months"].set_index(["day", "measure", "denominator"])
    assert months.loc[(91, "at", "all evaluable"), ["count", "N"]].tolist() == [1, 5]
    assert months.loc[(91, "at", "alive in remission"), ["count", "N"]].tolist() == [1, 3]
    reached = plotted[(plotted["part"] == "incidence") & (plotted["cause"] == "event")]
    assert reached["incidence"].max() == pytest.approx(60)
    assert len(figure.axes) == 2
    assert figures.time_to_target(HISTORY, ADSL, STUDY, IM)[0] is None  # its plan starts at target


def test_hazard_ratios_stand_beside_what_chance_returns(default):
    table, null = exposure_response.exposure_table(*default), exposure_response.null_table(*default, draws=200)
    figure, plotted = figures.exposure_response(table, null, default[2])
    assert len(plotted) == 7 and plotted[["HR", "null_HR"]].notna().all().all()
    assert figure.axes[0].get_xscale() == "log"
    low, high = figure.axes[0].get_xlim()
    assert low > 0 and np.isfinite(high)


def test_absent_tables_give_no_figure():
    nothing = {name: schema.empty(schema.ANALYSIS[name]) for name in ("adexwk", "adex")}
    assert figures.dose_heatmap(nothing["adexwk"], nothing["adex"], EMPTY, STUDY, IFN)[0] is None
    assert figures.persistence_curves(EMPTY, ADSL, STUDY)[0] is None
    assert figures.first_reduction(EMPTY, ADSL, STUDY)[0] is None
    assert figures.time_to_target(EMPTY, ADSL, STUDY, IFN)[0] is None
    table, null = (make(EMPTY, ADSL, STUDY) for make in (exposure_response.exposure_table,
                                                         exposure_response.null_table))
    assert figures.exposure_response(table, null, STUDY)[0] is None
    one = HISTORY[HISTORY["TRT01A"] == "B"]
    assert figures.persistence_curves(one, ADSL, STUDY)[0] is not None
    assert figures.time_to_target(one, ADSL, STUDY, IFN)[0] is None
