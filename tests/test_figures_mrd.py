"""MRD figures draw what they say they draw."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from test_adam_admrd import STUDY, admrd, subjects

from remission import schema
from remission.figures import mrd as figures


@pytest.fixture
def cohort():
    adsl = subjects(USUBJID=["p1", "p2"], STATUS=["relapse", "ongoing remission"], RELDY=[400, None])
    made = admrd(
        ("p1", -200, "BM", "QUANTIFIED", 10.0, 50_000, 0.002),
        ("p1", 0, "PB", "NEGATIVE", None, 50_000, 0.01),
        ("p1", 300, "PB", "QUANTIFIED", 1.0, 50_000, 0.01),
        ("p1", 450, "PB", "QUANTIFIED", 90.0, 50_000, 0.01),
        ("p2", 10, "PB", "PNQ", None, 50_000, 0.01),
        adsl=adsl,
    )
    return made, adsl


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_negative_sample_is_drawn_at_its_own_limit_and_nothing_after_relapse(cohort):
    drawn = figures.drawn_samples(*cohort, STUDY)
    assert drawn[["patient", "level"]].to_numpy().tolist() == [
        ["p1", 1],
        ["p1", pytest.approx(-2)],
        ["p1", 0],
        ["p2", pytest.approx(-2)],
    ]
    assert drawn["end"].tolist()[0] == pytest.approx(400 / 365.25)
    assert not drawn["level"].map(math.isinf).any()


def test_states_have_open_or_filled_markers(cohort):
    figure, _ = figures.trajectories(*cohort, STUDY)
    lines = [line for axis in figure.axes for line in axis.get_lines()]
    negative = [line for line in lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert [line.get_markerfacecolor() for line in negative] == ["white"]
    assert list(negative[0].get_ydata()) == [pytest.approx(-2)]
    crosses = [line for line in lines if line.get_marker() == "X"]
    assert [line.get_xdata()[0] for line in crosses] == [pytest.approx(400 / 365.25)]


def test_every_patient_has_a_panel(cohort):
    figure, drawn = figures.patients(*cohort, STUDY)
    assert [axis.get_title() for axis in figure.axes if axis.axison] == ["p1", "p2"] or figure.axes[0].get_title(
        loc="left"
    )
    assert drawn["patient"].nunique() == 2


def test_large_cohorts_are_cut_and_say_so():
    names = [f"p{n:03d}" for n in range(40)]
    adsl = subjects(USUBJID=names)
    made = admrd(*((name, 5, "PB", "PNQ", None, 50_000, 0.01) for name in names), adsl=adsl)
    figure, drawn = figures.patients(made, adsl, STUDY)
    assert drawn["patient"].nunique() == figures.MOST_PANELS
    assert "4 more patients" in figure.get_supxlabel()


def test_forest_draws_every_comparison_and_cuts_what_goes_beyond():
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


def test_nothing_to_draw():
    empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]
    assert figures.trajectories(*empty, STUDY)[0] is None and figures.patients(*empty, STUDY)[0] is None
    columns = ["arm", "marker", "comparison", "HR", "lower", "upper", "patients", "relapses", "display"]
    assert figures.forest(pd.DataFrame(columns=columns), STUDY)[0] is None
