"""Figures of the multiverse: every specification that can be analysed, and chance beside what was seen."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_mrd_multiverse import NOTHING, TWO, cohort

from remission.figures import mrd_multiverse as figures
from remission.mrd import multiverse


@pytest.fixture(scope="module")
def made():
    return multiverse.specify(*cohort(), TWO)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


class TestCurve:
    def test_every_specification_with_a_p_and_what_is_distinct_is_said(self, made):
        figure, plotted = figures.curve(made, TWO)
        assert len(plotted) == made.cells["p"].notna().sum()
        assert f"{made.cells['counted'].sum():,} analyses are distinct" in figure.get_supxlabel()
        assert plotted["primary"].sum() == 1
        assert "start of maintenance" in figure.axes[0].get_title(loc="left")

    def test_words_stand_in_the_order_of_the_choices(self, made):
        figure, _ = figures.curve(made, TWO)
        labels = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
        assert labels[:3] == ["good is", "MMR or deeper", "MR4 or deeper"]
        assert labels[-6:] == ["endpoint", "time to relapse", "relapse-free survival", "test", "log-rank",
                               "Cox, Firth-penalised"]

    def test_one_is_on_the_axis_of_the_ratio(self, made):
        figure, _ = figures.curve(made, TWO)
        assert 1 in figure.axes[1].get_yticks()

    def test_nothing_to_draw(self):
        assert figures.curve(multiverse.specify({}, *NOTHING, TWO), TWO)[0] is None


class TestChance:
    def test_bins_hold_every_permutation_and_lines_stand_at_what_was_seen(self, made):
        found = multiverse.reference(made, seed=1, draws=300)
        figure, plotted = figures.chance({"all": found}, TWO)
        counts = plotted.groupby("part")["permutations"].sum()
        assert counts["share"] == 300 and counts["median HR"] == np.isfinite(found.middle[1:]).sum()
        seen = plotted.set_index("part")["value"]
        assert seen["share seen"] == pytest.approx(100 * found.share[0])
        lines = [line.get_xdata()[0] for axis in figure.axes for line in axis.get_lines()
                 if line.get_color() == figures.SEEN]
        assert lines == pytest.approx([100 * found.share[0], found.middle[0]])

    def test_a_row_an_arm(self, made):
        found = multiverse.reference(made, seed=1, draws=20)
        figure, _ = figures.chance({"A": found, "all": found}, TWO)
        assert len(figure.axes) == 4 and figure.axes[2].get_title(loc="left").startswith("all arms")

    def test_nothing_to_draw(self):
        nothing = multiverse.reference(multiverse.specify({}, *NOTHING, TWO), seed=1)
        assert figures.chance({"all": nothing}, TWO)[0] is None and figures.chance({}, TWO)[0] is None
