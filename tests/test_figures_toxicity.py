"""Figures of toxicity: what is drawn is what was counted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import schema
from remission.figures import toxicity as figures
from remission.study import Arm, Study

IFN = "interferon alfa-2a"
STUDY = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)), ctcae_version="3.0")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_bars_are_percentages_of_each_arm():
    table = pd.DataFrame({"AEDECOD": ["Fatigue", "Fatigue"], "TRT01A": ["A", "B"], "N": [4, 2], "any": [3, 0],
                          "grade1": [1, 0], "grade2": [0, 0], "grade3": [1, 0], "grade4": [0, 0], "grade5": [0, 0],
                          "unknown": [1, 0], "any_pct": [75.0, 0.0]})
    figure, plotted = figures.adverse_events(table, STUDY)
    first, second = figure.axes
    assert sum(bar.get_width() for bar in first.patches) == pytest.approx(75)
    assert sum(bar.get_width() for bar in second.patches) == 0
    assert first.get_title(loc="left") == "A (N = 4)"
    assert [text.get_text() for text in first.texts] == ["3 (1)"]
    assert plotted["any"].tolist() == [3, 0]


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


def test_heat_map_marks_reasons_and_returns_what_it_drew():
    weeks, spans = exposure()
    figure, plotted = figures.dose_heatmap(weeks, spans, STUDY, IFN)
    assert plotted.loc[plotted["reason"].notna(), ["first", "reason"]].to_numpy().tolist() == [[5, "adverse event"]]
    assert figure.axes[0].images[0].get_array().shape == (1, 8)


def test_blood_counts_show_baseline_and_treatment_only():
    table = pd.DataFrame({"USUBJID": "P1", "TRT01A": "A", "PARAMCD": "ANC", "ADY": [-20, 0, 30, 900],
                          "AVAL": [2.0, 3.0, 0.4, 1.0], "ATOXGR": [0, 0, 4, 3], "ABLFL": ["N", "Y", "N", "N"],
                          "TRTEMFL": ["N", "N", "Y", "N"]})
    figure, plotted = figures.blood_counts(table, STUDY)
    assert plotted["ADY"].tolist() == [0, 30]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [3.0, 0.4]


def test_absent_tables_give_no_figure():
    nothing = {name: schema.empty(schema.ANALYSIS[name]) for name in ("adexwk", "adex", "adlb")}
    assert figures.adverse_events(pd.DataFrame(columns=["AEDECOD"]), STUDY)[0] is None
    assert figures.dose_heatmap(nothing["adexwk"], nothing["adex"], STUDY, IFN)[0] is None
    assert figures.blood_counts(nothing["adlb"], STUDY)[0] is None
