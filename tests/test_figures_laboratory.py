"""Figures of laboratory values: what is drawn is what was measured and counted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from remission import schema
from remission.figures import laboratory as figures
from remission.study import Arm, Study
from remission.toxicity import shift

STUDY = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)), ctcae_version="3.0",
              report_unit="year")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def values(rows):
    names = ["USUBJID", "TRT01A", "PARAMCD", "ADY", "AVAL", "ANRLO", "ANRHI", "ABLFL", "TRTEMFL", "ATOXV3"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(ATOXV4=table["ATOXV3"], ATOXV5=table["ATOXV3"], ATOXV6=0)


ADLB = values([
    ("P1", "A", "ANC", -20, 2.0, 1.8, 7.5, "N", "N", 0), ("P1", "A", "ANC", 0, 3.0, 1.8, 7.5, "Y", "N", 0),
    ("P1", "A", "ANC", 365, 0.4, 1.8, 7.5, "N", "Y", 4), ("P1", "A", "ANC", 900, 1.0, 1.8, 7.5, "N", "N", 2),
    ("P2", "B", "ANC", 10, 2.5, 1.8, 7.5, "N", "Y", 0), ("P1", "A", "ALT", 30, 100, np.nan, 50, "N", "Y", 1),
    ("P2", "B", "ALT", 30, 90, np.nan, np.nan, "N", "Y", np.nan)])


def test_courses_show_baseline_and_treatment_only_and_return_every_number():
    figure, plotted = figures.trajectories(ADLB, STUDY, ("ANC",))
    drawn = plotted[plotted["kind"] == "value"]
    assert drawn[["USUBJID", "ADY", "y"]].to_numpy().tolist() == [["P1", 0, 3.0], ["P1", 365, 0.4], ["P2", 10, 2.5]]
    first = figure.axes[0]
    (lines, rings) = first.collections
    assert lines.get_segments()[0].tolist() == [[0.0, 3.0], [pytest.approx(365 / 365.25), 0.4]]
    assert rings.get_offsets().tolist() == [[pytest.approx(365 / 365.25), 0.4]]
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["A (n = 1)", "B (n = 1)"]
    bands = plotted[plotted["kind"] == "band"].sort_values("grade")
    assert bands["high"].tolist() == [1.8, 1.5, 1.0, 0.5]
    assert bands["low"].tolist()[:3] == [1.5, 1.0, 0.5] and np.isnan(bands["low"].iloc[3])


def test_liver_tests_are_multiples_of_the_limit_and_values_without_one_are_left_out():
    figure, plotted = figures.trajectories(ADLB, STUDY, ("ALT",))
    drawn = plotted[plotted["kind"] == "value"]
    assert drawn[["USUBJID", "y"]].to_numpy().tolist() == [["P1", 2.0]]
    assert plotted.loc[plotted["kind"] == "band", "low"].tolist() == [1.0, 2.5, 5.0, 20.0]
    assert figure.axes[0].get_ylabel() == "ALT\n(x ULN)"


def test_bands_and_rings_follow_the_version():
    figure, plotted = figures.trajectories(ADLB, STUDY, ("ANC",), "6.0")
    assert plotted.loc[plotted["kind"] == "band", "high"].tolist() == [1.5, 1.0, 0.5, 0.1]
    assert len(figure.axes[0].collections[1].get_offsets()) == 0
    assert "CTCAE 6.0" in figure.get_supxlabel()


def test_grade_1_has_no_band_where_laboratories_differ():
    table = ADLB.assign(ANRLO=[1.8, 1.8, 1.8, 1.8, 2.0, np.nan, np.nan])
    figure, plotted = figures.trajectories(table, STUDY, ("ANC",))
    assert plotted.loc[plotted["kind"] == "band", "grade"].tolist() == [2, 3, 4]
    assert "no band of grade 1 for Neutrophils" in figure.get_supxlabel().replace("\n", " ")


def test_baseline_rules_are_named_and_large_cohorts_bounded(monkeypatch):
    monkeypatch.setattr(figures, "MOST", 1)
    more = pd.concat([ADLB, ADLB.assign(USUBJID="P9", TRT01A="A")])
    figure, plotted = figures.trajectories(more, STUDY, ("ALT",), "5.0")
    assert plotted.loc[plotted["kind"] == "value", "USUBJID"].tolist() == ["P1"]
    said = figure.get_supxlabel().replace("\n", " ")
    assert "Grades of ALT may also rest on the baseline" in said and "First 1 patients of an arm." in said


def test_shift_matrix_draws_every_patient():
    adsl = pd.DataFrame({"USUBJID": ["P1", "P2", "P3"], "TRT01A": ["A", "B", "B"], "SAFFL": "Y", "IFNEVLFL": "N"})
    table = shift.shift_totals(ADLB, adsl, STUDY)
    figure, plotted = figures.shift_matrix(table, STUDY, ("ANC",))
    assert plotted.groupby("TRT01A")["patients"].sum().tolist() == [1, 2]
    cell = plotted.set_index(["TRT01A", "baseline", "worst"])
    assert cell.loc[("A", "grade0", "grade4"), ["patients", "percent"]].tolist() == [1, 100]
    assert cell.loc[("B", "unknown", "grade0"), "patients"] == 1
    texts = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert texts == [["1"], ["1", "1"]]
    assert figure.axes[0].get_ylabel().startswith("A (N = 1)")
    assert "?: grade unknown" in figure.get_supxlabel().replace("\n", " ")


def test_liver_peaks_draw_who_has_both():
    peak = pd.DataFrame({"USUBJID": ["P1", "P2", "P3"], "TRT01A": ["A", "B", "B"], "AMINO": [4.0, 1.0, np.nan],
                         "BILI": [3.0, 0.5, 1.0], "quarter": ["both", "neither", "unknown"]})
    figure, plotted = figures.liver_peaks(peak, STUDY)
    assert plotted["USUBJID"].tolist() == ["P1", "P2"]
    assert figure.axes[0].texts[0].get_text() == "both: 1"
    assert [len(one.get_offsets()) for one in figure.axes[0].collections] == [1, 1]


def test_absent_values_give_no_figure():
    nothing = schema.empty(schema.ANALYSIS["adlb"])
    adsl = pd.DataFrame({"USUBJID": ["P1"], "TRT01A": ["A"], "SAFFL": "Y", "IFNEVLFL": "N"})
    assert figures.trajectories(nothing, STUDY, ("ANC",))[0] is None
    assert figures.trajectories(ADLB, STUDY, ("GGT",))[0] is None
    assert figures.shift_matrix(shift.shift_totals(nothing, adsl, STUDY), STUDY, ("ANC",))[0] is None
    peak = pd.DataFrame(columns=["USUBJID", "TRT01A", "AMINO", "BILI", "quarter"])
    assert figures.liver_peaks(peak, STUDY)[0] is None
