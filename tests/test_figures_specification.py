"""Specification curve: every analysis in its place, every choice in its line, nothing drawn that was not computed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from remission.figures import specification, style
from remission.study import Study

STUDY = Study("made", "own", "", "", ())
CHOICES = {"rule": "event rule", "test": "test"}
CELLS = pd.DataFrame({
    "rule": pd.Categorical(["b", "a", "a", "b", "a"], ["a", "b", "never"], ordered=True),
    "test": ["log-rank", "log-rank", "Cox", "Cox", "Gehan"], "p": [0.2, 0.03, 0.07, 0.5, np.nan],
    "estimate": [0.6, 0.4, 0.5, np.nan, 0.5], "lower": [0.3, 0.2, 0.2, np.nan, 0.2],
    "upper": [1.3, 0.9, 1.1, np.nan, 1.1], "median_ratio": [1.5, 2.0, np.nan, 1.5, 2.0],
    "wrong": [False, False, False, True, False], "primary": [False, False, True, False, False]})


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def draw(cells=CELLS, **more):
    return specification.specification_curve(cells, STUDY, CHOICES, "hazard ratio", {"median_ratio": "ratio"}, **more)


class TestFigure:
    def test_sorted_by_p_without_those_that_have_none(self):
        _, plotted = draw()
        assert plotted["place"].tolist() == [1, 2, 3, 4]
        assert plotted["p"].tolist() == [0.03, 0.07, 0.2, 0.5]
        assert {"rule", "test", "estimate", "lower", "upper", "median_ratio", "wrong", "primary"} <= set(plotted)

    def test_a_panel_each_and_the_size_of_a_page_column(self):
        figure, _ = draw(title="Remission duration")
        assert figure.get_figwidth() == style.DOUBLE
        assert [axes.get_ylabel() for axes in figure.axes] == ["p", "hazard ratio", "ratio", ""]
        assert figure.axes[-1].get_xlabel() == "4 analyses, sorted by p"
        assert figure.axes[0].get_title(loc="left") == "Remission duration"
        assert [axes.get_yscale() for axes in figure.axes[:3]] == ["log"] * 3

    def test_matrix_has_a_heading_and_a_line_a_reading_that_occurs(self):
        figure, _ = draw()
        labels = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
        assert labels == ["event rule", "a", "b", "test", "log-rank", "Cox"]

    def test_every_analysis_has_one_stroke_a_choice(self):
        figure, plotted = draw()
        strokes = [segment for lines in figure.axes[-1].collections if isinstance(lines, LineCollection)
                   for segment in lines.get_segments() if segment[0][0] == segment[1][0]]
        at = sorted((round(segment[0][0]), round((segment[0][1] + segment[1][1]) / 2)) for segment in strokes)
        line = {"a": 1, "b": 2, "log-rank": 4, "Cox": 5}
        expected = [(row.place, line[getattr(row, choice)]) for row in plotted.itertuples() for choice in CHOICES]
        assert at == sorted(expected)

    def test_points_stand_at_the_numbers(self):
        figure, plotted = draw()
        for axes, column in zip(figure.axes, ("p", "estimate", "median_ratio"), strict=False):
            drawn = np.vstack([points.get_offsets() for points in axes.collections
                               if not isinstance(points, LineCollection) and len(points.get_offsets())])
            expected = plotted[["place", column]].dropna().to_numpy(float)
            assert sorted(map(tuple, drawn[~np.isnan(drawn).any(axis=1)])) == sorted(map(tuple, expected))

    def test_the_primary_analysis_has_a_line_through_every_panel(self):
        figure, _ = draw()
        for axes in figure.axes:
            assert [2, 2] in [list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == ":"]

    def test_a_window_is_shaded_and_said(self):
        figure, _ = draw(window=(0.065, 0.075))
        assert len(figure.axes[0].patches) == 1
        assert "Band: would be printed as the primary p is." in figure._supxlabel.get_text()
        assert "Hollow: wrong reading." in figure._supxlabel.get_text()

    def test_flags_may_be_absent(self):
        figure, plotted = draw(CELLS.drop(columns=["wrong", "primary"]))
        assert figure is not None
        assert not plotted[["wrong", "primary"]].any(axis=None)

    def test_nothing_to_draw(self):
        figure, plotted = draw(CELLS.assign(p=np.nan))
        assert figure is None
        assert plotted.empty
        assert specification.landmarks(plotted, CHOICES).empty

    def test_hundreds_of_analyses_and_tiny_p(self):
        many = pd.concat([CELLS] * 120, ignore_index=True)
        many["p"] = np.geomspace(1e-15, 1, len(many))
        figure, plotted = draw(many)
        figure.canvas.draw()
        assert len(plotted) == 600
        low, high = figure.axes[0].get_ylim()
        ticks = [tick for tick in figure.axes[0].get_yticks() if low <= tick <= high]
        assert 3 <= len(ticks) <= 8

    @pytest.mark.parametrize(("low", "high", "shown"), [
        (0.03, 1.0, ["0.05", "0.1", "0.2", "0.5", "1"]), (0.8, 1.6, ["1", "1.5"]),
        (1e-5, 1, ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1"])])
    def test_ticks_are_round(self, low, high, shown):
        assert specification._log_ticks(low, high)[1] == shown


class TestLandmarks:
    def test_smallest_primary_middle_largest(self):
        found = specification.landmarks(draw()[1], CHOICES, "hazard ratio")
        assert found["analysis"].tolist() == ["smallest p", "primary, middle", "largest p"]
        assert found["p"].tolist() == ["0.030", "0.070", "0.20"]  # the wrong reading at 0.5 is no landmark
        assert found["hazard ratio"].tolist()[0] == "0.40 (0.20 to 0.90)"
        assert found["event rule"].tolist() == ["a", "a", "b"]
