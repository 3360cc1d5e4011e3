"""MRD figures draw what they say they draw."""

from __future__ import annotations

import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection
from test_adam_admrd import STUDY, admrd, subjects

from remission import schema, store
from remission import study as studies
from remission.figures import mrd as figures
from remission.figures import mrd_heatmap, mrd_trajectories, mrd_waterfall, style
from remission.study import Arm, Study

EMPTY = {name: schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl", "admut")}
#: Patient p1 relapses on day 400, p2 stays in remission, p3 dies in remission; p3 has no level at diagnosis.
PATIENTS = {"USUBJID": ["p1", "p2", "p3"], "STATUS": ["relapse", "ongoing remission", "death in remission"],
            "RELDY": [400, None, None], "DTHDY": [None, None, 500], "CRDY": [-250, -250, -250]}


@pytest.fixture
def cohort():
    adsl = subjects(**PATIENTS)
    made = admrd(
        ("p1", -300, "BM", "QUANTIFIED", 50.0, 50_000, 0.002),
        ("p1", -200, "BM", "QUANTIFIED", 10.0, 50_000, 0.002),
        ("p1", 0, "PB", "NEGATIVE", None, 50_000, 0.01),
        ("p1", 300, "PB", "QUANTIFIED", 1.0, 50_000, 0.01),
        ("p1", 450, "PB", "QUANTIFIED", 90.0, 50_000, 0.01),
        ("p2", -300, "PB", "QUANTIFIED", 10.0, 50_000, 0.002),
        ("p2", -10, "PB", "QUANTIFIED", 1.0, 50_000, 0.01),
        ("p2", 10, "PB", "PNQ", None, 50_000, 0.01),
        ("p3", 30, "PB", "NEGATIVE", None, 200_000, 0.001),
        adsl=adsl,
    )
    return made, adsl


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def marks(axis, marker):
    return [line for line in axis.get_lines() if line.get_marker() == marker and len(line.get_xdata())]


class TestTrajectories:
    def test_a_negative_sample_is_drawn_at_its_own_limit_and_nothing_after_relapse(self, cohort):
        drawn = figures.drawn_samples(*cohort, STUDY)
        mine = drawn[drawn["patient"] == "p1"]
        assert mine["level"].tolist() == pytest.approx([math.log10(50), 1, -2, 0])
        assert mine["end"].tolist()[0] == pytest.approx(400 / 365.25)
        assert not drawn["level"].map(math.isinf).any()

    def test_states_have_open_or_filled_markers(self, cohort):
        figure, _ = figures.trajectories(*cohort, STUDY)
        negative = [line for axis in figure.axes for line in marks(axis, "v")]
        assert {line.get_markerfacecolor() for line in negative} == {"white"}
        assert sorted(value for line in negative for value in line.get_ydata()) == pytest.approx([-3, -2])

    def test_every_outcome_has_its_mark_where_remission_ends(self, cohort):
        figure, _ = figures.trajectories(*cohort, STUDY)
        for marker, day in (("X", 400), ("P", 500), (">", 900)):
            ends = [line.get_xdata()[0] for axis in figure.axes for line in marks(axis, marker)]
            assert ends == [pytest.approx(day / 365.25)]

    def test_every_patient_has_a_panel(self, cohort):
        figure, drawn = figures.patients(*cohort, STUDY)
        titles = [axis.get_title(loc="left") for axis in figure.axes if axis.axison]
        assert titles == ["p1", "p3", "p2"] and drawn["patient"].nunique() == 3

    def test_what_a_sample_could_not_see_is_shaded_up_to_its_limit(self, cohort):
        figure, _ = figures.patients(*cohort, STUDY)
        shade = figure.axes[1].collections[0].get_paths()[0].vertices
        assert shade[:, 1].max() == pytest.approx(-3) and shade[:, 0].max() == pytest.approx(500 / 365.25)

    def test_large_cohorts_are_cut_and_say_so(self):
        names = [f"p{n:03d}" for n in range(40)]
        adsl = subjects(USUBJID=names)
        made = admrd(*((name, 5, "PB", "PNQ", None, 50_000, 0.01) for name in names), adsl=adsl)
        figure, drawn = figures.patients(made, adsl, STUDY)
        assert drawn["patient"].nunique() == mrd_trajectories.MOST_PANELS
        assert "4 more patients" in figure.get_supxlabel()

    @pytest.mark.parametrize(("first", "last", "ticks"), [
        (-1.1, 10.2, [-1, 0, 1, 4, 9]), (0, 120, [0, 5, 20, 45, 80]), (-0.3, 0.1, [-0.2, -0.05, 0, 0.05]),
        (0, 1e-9, [0])])
    def test_ticks_stand_evenly_on_a_square_root_scale(self, first, last, ticks):
        assert mrd_trajectories._ticks(first, last)[:len(ticks)] == pytest.approx(ticks)

    def test_an_unknown_limit_is_no_reason_to_fail(self):
        made = admrd(("p1", -10, "BM", "QUANTIFIED", 1.0, None, None), ("p1", 5, "BM", "NEGATIVE", None, None, None))
        for draw in (figures.trajectories, figures.patients):
            figure, drawn = draw(made, subjects(), STUDY)
            figure.canvas.draw()
            assert drawn["level"].tolist() == [0]


class TestWaterfall:
    def test_best_by_the_start_and_later(self, cohort):
        found = mrd_waterfall.best_reductions(*cohort, STUDY).set_index("patient")
        assert list(found.index) == ["p2", "p1"]  # p3 has no level at diagnosis; the least reduction comes first
        assert found.loc["p1", "by_start"] == pytest.approx(math.log10(50 / 0.01))
        assert found.loc["p1", "by_start_state"] == "at least"
        assert found.loc["p1", "later"] == pytest.approx(math.log10(50))
        assert found.loc["p2", ["by_start", "later"]].tolist() == pytest.approx([1, 3])
        assert found.loc["p2", "later_state"] == "at most"

    def test_of_two_as_deep_the_undetected_one(self):
        adsl = subjects(CRDY=[-250])
        made = admrd(("p1", -300, "BM", "QUANTIFIED", 10.0, 50_000, 0.002),
                     ("p1", -100, "BM", "PNQ", None, 50_000, 0.01), ("p1", -50, "BM", "NEGATIVE", None, 50_000, 0.01),
                     adsl=adsl)
        assert mrd_waterfall.best_reductions(made, adsl, STUDY)["by_start_state"].tolist() == ["at least"]

    def test_bars_reach_down_to_the_numbers(self, cohort):
        figure, plotted = figures.waterfall(*cohort, STUDY)
        ends = sorted(bar.get_y() + bar.get_height() for bar in figure.axes[0].patches if bar.get_height())
        assert ends == pytest.approx(sorted([-3, -1, -math.log10(5000)]))
        assert len(plotted) == 2 and "1 without a level at diagnosis" in figure.get_supxlabel()
        assert [len(marks(figure.axes[0], marker)) for marker in ("D", "v", "X", ">", "P")] == [1, 1, 1, 1, 0]

    def test_a_rise_above_diagnosis_points_up_and_is_seen(self):
        adsl = subjects(CRDY=[-250])
        made = admrd(("p1", -300, "BM", "QUANTIFIED", 1.0, 50_000, 0.002),
                     ("p1", -100, "BM", "QUANTIFIED", 10.0, 50_000, 0.01), adsl=adsl)
        figure, plotted = figures.waterfall(made, adsl, STUDY)
        assert plotted["by_start"].tolist() == [pytest.approx(-1)]
        assert figure.axes[0].get_ylim()[1] > 1

    def test_many_patients_have_no_names(self):
        names = [f"p{n:03d}" for n in range(70)]
        adsl = subjects(USUBJID=names, CRDY=[-250] * 70)
        made = admrd(*((name, day, "PB", "QUANTIFIED", ratio, 50_000, 0.01) for name in names
                       for day, ratio in ((-300, 10.0), (-5, 0.1))), adsl=adsl)
        figure, plotted = figures.waterfall(made, adsl, STUDY)
        assert len(plotted) == 70 and len(figure.axes[0].get_xticks()) == 0


class TestHeatMap:
    @pytest.fixture
    def mutations(self):
        rows = [("p1", -300, "none"), ("p1", 390, "T315I"), ("p1", 450, "F317L"), ("p9", 5, "E255K")]
        frame = schema.empty(schema.ANALYSIS["admut"]).reindex(range(len(rows)))
        return frame.assign(USUBJID=[row[0] for row in rows], ADY=[row[1] for row in rows],
                            VARIANT=[row[2] for row in rows])

    def test_the_last_sample_of_a_month_stands_for_it_and_is_carried_on(self, cohort, mutations):
        found = mrd_heatmap.monthly_states(*cohort, mutations, STUDY)
        mine = found[found["patient"] == "p1"]
        sampled = mine[mine["part"] == "sample"].set_index("month")["category"]
        assert sampled.to_dict() == {-10: "failure", -7: "failure", 0: "complete", 9: "failure"}
        cells = mine[mine["part"].isin(["sample", "carried"])].set_index("month")["category"]
        assert cells.index.tolist() == list(range(-10, 14))  # relapse in month 13
        assert set(cells.loc[0:8]) == {"complete"} and set(cells.loc[9:]) == {"failure"}

    def test_mutations_up_to_the_end_of_remission(self, cohort, mutations):
        found = mrd_heatmap.monthly_states(*cohort, mutations, STUDY)
        assert found.loc[found["part"] == "mutation", ["patient", "category"]].to_numpy().tolist() == [["p1", "T315I"]]

    def test_lines_go_by_length_of_remission_and_end_with_the_outcome(self, cohort, mutations):
        found = mrd_heatmap.monthly_states(*cohort, mutations, STUDY)
        ends = found[found["part"] == "end"]
        assert ends["patient"].tolist() == ["p1", "p3", "p2"]
        assert ends["category"].tolist() == ["relapse", "death in remission", "ongoing remission"]
        assert ends["month"].tolist() == pytest.approx([400 / 30.4375, 500 / 30.4375, 900 / 30.4375])

    def test_a_cell_a_month_and_a_mark_an_end(self, cohort, mutations):
        figure, plotted = figures.heat_map(*cohort, mutations, STUDY)
        axis = figure.axes[0]
        cells = next(one for one in axis.collections if isinstance(one, PatchCollection))
        assert len(cells.get_paths()) == plotted["part"].isin(["sample", "carried"]).sum()
        assert [len(marks(axis, marker)) for marker in ("X", "P", ">", "^")] == [1, 1, 1, 1]
        assert [label.get_text() for label in axis.get_yticklabels()] == ["p1", "p3", "p2"]

    def test_without_mutations_the_legend_has_none(self, cohort):
        figure, _ = figures.heat_map(*cohort, EMPTY["admut"], STUDY)
        assert "kinase-domain mutation" not in [text.get_text() for text in figure.legends[0].get_texts()]

    def test_large_cohorts_are_cut_and_say_so(self):
        names = [f"p{n:03d}" for n in range(90)]
        adsl = subjects(USUBJID=names)
        made = admrd(*((name, 5, "PB", "PNQ", None, 50_000, 0.01) for name in names), adsl=adsl)
        figure, drawn = figures.heat_map(made, adsl, EMPTY["admut"], STUDY)
        assert drawn["patient"].nunique() == mrd_heatmap.MOST_LINES and "10 more" in figure.get_supxlabel()

    def test_categories_can_be_told_apart_in_grey(self):
        grey = [np.dot([int(colour[place:place + 2], 16) for place in (1, 3, 5)], [0.299, 0.587, 0.114])
                for colour in mrd_heatmap.COLOURS.values()]
        assert grey == sorted(grey, reverse=True) and -np.diff(grey).max() > 25


class TestForest:
    def test_draws_every_comparison_and_cuts_what_goes_beyond(self):
        row = {"marker": "m", "patients": 9, "relapses": 5, "display": "x"}
        found = pd.DataFrame(
            [
                row | {"arm": "A", "comparison": "a", "HR": 1.0, "lower": 0.001, "upper": 900.0},
                row | {"arm": "A", "comparison": "b", "HR": math.nan, "lower": math.nan, "upper": math.nan},
            ]
        )
        figure, plotted = figures.forest(found, STUDY)
        arrows = [line for line in figure.axes[0].get_lines() if line.get_marker() in ("<", ">")]
        assert len(arrows) == 2 and len(plotted) == 2


@pytest.mark.parametrize("draw", [figures.trajectories, figures.patients, figures.waterfall])
def test_nothing_leaves_the_page_and_ticks_keep_apart(draw):
    name = "ash2012_reconstructed"
    figure, _ = draw(store.read(name, "admrd"), store.read(name, "adsl"), studies.read(name))
    assert figure.get_figwidth() == style.DOUBLE
    figure.canvas.draw()
    texts = [text for legend in figure.legends for text in legend.get_texts()] + [figure._supxlabel]
    assert all(text.get_window_extent().x0 >= 0 and text.get_window_extent().x1 <= figure.bbox.x1 for text in texts)
    for axis in (axis for axis in figure.axes if axis.axison and draw is not figures.waterfall):
        labels = sorted((label.get_window_extent() for label in axis.get_xticklabels() if label.get_text()),
                        key=lambda box: box.x0)
        assert all(one.x1 <= two.x0 for one, two in pairwise(labels))


@pytest.mark.parametrize("arms", [("A",), ("A", "B", "C")])
def test_any_number_of_arms_and_one_sample_a_patient(arms):
    names = [f"p{n}" for n in range(9)]
    adsl = subjects(USUBJID=names, TRT01A=[arms[n % len(arms)] for n in range(9)])
    made = admrd(*((name, -10, None, "NEGATIVE", None, 50_000, 0.01) for name in names), adsl=adsl)
    study = Study("demo", "own", "", "", tuple(Arm(arm, arm, arm == "B") for arm in arms))
    for figure, plotted in (figures.trajectories(made, adsl, study), figures.patients(made, adsl, study),
                            figures.heat_map(made, adsl, EMPTY["admut"], study)):
        figure.canvas.draw()
        assert set(plotted["arm"]) == set(arms)
    assert figures.waterfall(made, adsl, study)[0] is None


def test_nothing_to_draw():
    empty = EMPTY["admrd"], EMPTY["adsl"]
    assert figures.trajectories(*empty, STUDY)[0] is None and figures.patients(*empty, STUDY)[0] is None
    assert figures.waterfall(*empty, STUDY)[0] is None
    assert figures.heat_map(*EMPTY.values(), STUDY)[0] is None
    columns = ["arm", "marker", "comparison", "HR", "lower", "upper", "patients", "relapses", "display"]
    assert figures.forest(pd.DataFrame(columns=columns), STUDY)[0] is None
