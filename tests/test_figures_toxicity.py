"""Figures of adverse events: what is drawn is what was counted."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from remission.figures import toxicity as figures
from remission.study import Arm, Study

STUDY = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)), ctcae_version="3.0")
ONE = Study("demo", "own", "demo", "none", (Arm("A", "a"),))
TABLE = pd.DataFrame({"AEDECOD": ["Fatigue", "Fatigue"], "TRT01A": ["A", "B"], "N": [4, 2], "any": [3, 0],
                      "grade1": [1, 0], "grade2": [0, 0], "grade3": [1, 0], "grade4": [0, 0], "grade5": [0, 0],
                      "unknown": [1, 0], "any_pct": [75.0, 0.0]})


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_bars_are_percentages_of_each_arm_back_to_back():
    figure, plotted = figures.adverse_events(TABLE, STUDY)
    first, second = figure.axes
    assert sum(bar.get_width() for bar in first.patches) == pytest.approx(75)
    assert sum(bar.get_width() for bar in second.patches) == 0
    assert first.get_xlim() == (115, 0) and second.get_xlim() == (0, 115)
    assert first.get_title(loc="right") == "A (N = 4)" and second.get_title(loc="left") == "B (N = 2)"
    assert [text.get_text() for text in first.texts] == ["3 (1)"]
    assert plotted["any"].tolist() == [3, 0]


def test_one_arm_has_one_panel():
    figure, plotted = figures.adverse_events(TABLE[TABLE["TRT01A"] == "A"], ONE)
    assert [axis.get_xlim() for axis in figure.axes] == [(0, 115)]
    assert len(plotted) == 1


def test_grades_darken_with_severity_in_a_grey_print():
    grey = [sum(weight * part for weight, part in zip((0.299, 0.587, 0.114), to_rgb(colour), strict=True))
            for colour in figures.GRADES.values()]
    assert all(lighter - darker > 0.1 for lighter, darker in pairwise(grey))


def curves():
    steps = pd.DataFrame({"endpoint": "any", "TRT01A": ["A"] * 3 + ["B"] * 2, "curve": "incidence",
                          "time": [0, 30.4375, 2000, 0, 300], "value": [0.0, 25, 25, 0, 0], "lower": float("nan"),
                          "upper": float("nan")})
    risk = pd.DataFrame({"endpoint": "any", "TRT01A": ["A", "A", "B"], "month": [0, 36, 0], "at_risk": [4, 1, 2]})
    counts = pd.DataFrame({"endpoint": "any", "TRT01A": ["A", "B"], "event": [1, 0], "analysed": [4, 2]})
    return steps, risk, counts


def test_first_events_are_drawn_to_the_end_of_the_axis():
    figure, plotted = figures.first_events(*curves(), STUDY)
    drawn = plotted[(plotted["curve"] == "incidence") & (plotted["TRT01A"] == "A")]
    assert drawn[["time", "value"]].to_numpy().tolist() == [[0, 0], [1, 25], [24, 25]]
    assert plotted[plotted["curve"] == "at risk"]["value"].tolist() == [4, 2]  # month 36 lies past the axis
    axis = figure.axes[0]
    assert axis.get_title(loc="left").strip() == "any"
    assert "A 1 of 4; B 0 of 2" in [text.get_text() for text in axis.texts]
    assert axis.lines[1].get_ydata().tolist() == [0, 25, 25]


def test_absent_tables_give_no_figure():
    assert figures.adverse_events(pd.DataFrame(columns=["AEDECOD"]), STUDY)[0] is None
    figure, plotted = figures.first_events(*(frame.iloc[:0] for frame in curves()), STUDY)
    assert figure is None and plotted.empty
