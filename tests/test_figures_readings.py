"""The figure of both readings draws what was found, and nothing where nothing was asked."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import ledger, study
from remission.figures import readings as figure
from remission.identification import Joint, analyse, printed

READ = study.read("ash2012_reconstructed")


@pytest.fixture
def joint():
    """Numbers as `identification.analyse` gives them, of one death instead of four."""
    intervals = pd.DataFrame({
        "deaths_before": [0, 1], "smallest": [0.065, 0.0753], "smallest_bound": [0.065, 0.0753],
        "largest": [0.075, 0.128], "largest_bound": [0.075, 0.128], "p_relapse_at_smallest": [0.065, 0.065],
        "p_relapse_at_largest": [0.075, 0.0746], "medians": "both"})
    alike = pd.DataFrame({"deaths_before": [1, 1], "longest": ["relapse", "death"], "equal_days": "pair",
                          "answer": "possible", "p_relapse": 0.065, "p_relapse_or_death": [0.0747, 0.0746]})
    sample = pd.DataFrame({"p_relapse": [0.07, 0.2, 0.01], "p_relapse_or_death": [0.07, 0.3, 0.02],
                           "deaths_before": [0, 1, 1], "both_medians": True})
    return Joint(printed.read(ledger.read_claims(READ), READ), intervals, alike, pd.DataFrame(), pd.DataFrame(), sample)


def test_every_number_drawn_is_in_the_table(joint):
    drawn, plotted = figure.both_readings(joint, READ)
    parts = plotted["part"].value_counts().to_dict()
    assert parts == {"cohort": 3, "window": 2, "smallest": 2, "largest": 2, "alike": 1}
    left, right = drawn.axes
    dots = sum(len(marks.get_offsets()) for marks in left.collections)
    # Three cohorts, and a ring for every end with a death before the last exit.
    assert dots == 3 + 3
    assert sorted(text.get_text() for text in right.texts if len(text.get_text()) == 6) == [
        "0.0650", "0.0750", "0.0753", "0.1280"]
    plt.close(drawn)


def test_it_says_that_these_cohorts_are_no_evidence(joint):
    drawn, _ = figure.both_readings(joint, READ)
    assert "no evidence" in drawn.get_supxlabel()
    assert "start of maintenance" in drawn.get_supxlabel()
    plt.close(drawn)


@pytest.mark.parametrize("name", ["freireich1963", "wassmann2003", "chiaretti2004", "scrucca_bmt"])
def test_a_cohort_without_such_claims_has_no_figure(name):
    read = study.read(name)
    drawn, plotted = figure.both_readings(analyse(ledger.read_claims(read), read), read)
    assert drawn is None
    assert list(plotted.columns) == figure.COLUMNS
