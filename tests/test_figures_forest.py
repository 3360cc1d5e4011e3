"""The page of all estimates: result rows as they are, in order, none dropped, nothing over anything else."""

from __future__ import annotations

import math
from itertools import combinations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission import results, store, study, survival
from remission.figures import forest as figures
from remission.study import Arm, Study

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="month",
            endpoints=("TTRLP", "RFS"), endpoint_labels={"TTRLP": "time to relapse", "RFS": "relapse-free survival"})
WHY = "not estimable: events while both arms were at risk fell only in the other arm, so the likelihood pushes the " \
      "ratio to infinity"


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def row(analysis, statistic, value, lower, upper, display, endpoint="TTRLP", unit="HR", arm="A vs B"):
    return results.row(analysis, endpoint, "all", arm, statistic, value, lower=lower, upper=upper, unit=unit, n=31,
                       events=22, method="how", display=display)


MISSING = math.nan
ROWS = results.frame([
    row("milestone", "difference[6 months]", 0.12, -0.2, 0.4, "+12.0 percentage points (95% CI -20.0 to 40.0)",
        unit="probability"),
    row("cox", "HR", 0.6, 0.27, 1.33, "0.60 (95% CI 0.27 to 1.33)", endpoint="RFS"),
    row("cox", "HR", 0.46, 0.2, 1.09, "0.46 (95% CI 0.20 to 1.09)"),
    row("cox", "p", 0.08, MISSING, MISSING, "p = 0.080", unit="p"),
    row("km", "median", 700, 300, MISSING, "1 year", arm="A", unit="d"),
    row("cause_specific", "death_in_remission_HR", MISSING, MISSING, MISSING, WHY),
    row("cause_specific", "death_in_remission_firth_HR", 2.6, 0.27, 345.0, "2.60 (95% CI 0.27 to 345.00)"),
    row("rmst", "difference[36 months]", 304.375, -36.525, 700, "+10.0 months (95% CI -1.2 to 23.0)", unit="d"),
    row("rmst", "mean[36 months]", 900, 800, 1000, "30 months", arm="A", unit="d"),
    row("bootstrap", "rmst_difference[36 months]", 304.375, MISSING, 731, "10.0 months (95% CI not reached to 24.0)",
        unit="d"),
    row("cox", "HR", 0.7, 0.3, 1.5, "0.70 (95% CI 0.30 to 1.50)", endpoint="MTDUR"),
])


def drawn(cohort):
    adtte, one = store.read(cohort, "adtte"), study.read(cohort)
    parts = [survival.analyse_cause_specific(adtte, one), survival.analyse_truncated(adtte, one)]
    for code in ("TTRLP", "RFS", "OSDX", "OSMT"):
        parts += [made(adtte, one, code) for made in (survival.analyse, survival.analyse_sensitivity,
                                                      survival.analyse_restricted, survival.analyse_milestones)]
    return figures.forest(survival.together(*parts), one)


class TestLines:
    def test_estimates_of_the_contrast_in_the_order_of_the_page(self):
        lines = figures.estimates(ROWS, TWO)
        assert lines[["panel", "group", "label"]].to_numpy().tolist() == [
            [figures.RATIO, "Time to relapse", "Cox, Wald"],
            [figures.RATIO, "Death in remission", "cause-specific Cox, Wald"],
            [figures.RATIO, "Death in remission", "cause-specific Cox, Firth's penalty"],
            [figures.RATIO, "Relapse-free survival", "Cox, Wald"],
            [figures.MEAN, "", "time to relapse, 36 months"],
            [figures.MEAN, "", "time to relapse, 36 months, bootstrap"],
            [figures.MILESTONE, "", "time to relapse, 6 months"]]

    def test_numbers_are_those_of_the_rows_in_the_reader_s_unit(self):
        lines = figures.estimates(ROWS, TWO).set_index("label")
        assert lines.loc["time to relapse, 36 months", ["value", "lower", "upper", "unit"]].tolist() == [
            pytest.approx(10), pytest.approx(-1.2), pytest.approx(22.998, abs=1e-3), "months"]
        assert lines.loc["time to relapse, 6 months", ["value", "lower", "upper"]].tolist() == [12, -20, 40]

    def test_a_longer_maintenance_favours_nobody(self):
        assert not figures.estimates(ROWS, TWO)["result_id"].str.contains("MTDUR").any()

    def test_listing_and_reading(self):
        lines = figures.estimates(ROWS, TWO)
        assert figures.listing(lines).iloc[1].tolist() == [
            figures.RATIO, "Death in remission: cause-specific Cox, Wald", WHY, 22, 31]
        assert figures.reading(lines, TWO).startswith(
            "**A vs B.** Hazard ratio: 3 of 4 lines can be estimated (0.46 to 2.60); in 0 the interval excludes 1.")


class TestFigure:
    def texts(self, figure):
        return [text.get_text() for axes in figure.axes for text in axes.texts]

    def test_what_cannot_be_estimated_stands_there_with_its_reason(self):
        figure, _ = figures.forest(ROWS, TWO)
        said = self.texts(figure)
        assert "not estimable" in said
        assert WHY.removeprefix("not estimable: ") in [text.replace("\n", " ") for text in said]

    def test_each_side_says_whom_it_favours(self):
        figure, _ = figures.forest(ROWS, TWO)
        sides = [[text.get_text() for text in axes.texts if "favours" in text.get_text()] for axes in figure.axes]
        assert sides == [["← favours A", "favours B →"], ["← favours B", "favours A →"], ["← favours B", "favours A →"]]

    def test_ratios_are_on_a_logarithmic_axis_and_differences_are_not(self):
        figure, _ = figures.forest(ROWS, TWO)
        assert [axes.get_xscale() for axes in figure.axes] == ["log", "linear", "linear"]

    def test_an_interval_that_goes_on_is_cut_with_an_arrow(self):
        figure, _ = figures.forest(ROWS, TWO)
        ratio, mean, _ = figure.axes
        assert [line.get_xdata()[0] for line in ratio.lines if line.get_marker() == ">"] == [ratio.get_xlim()[1]]
        assert [line.get_xdata()[0] for line in mean.lines if line.get_marker() == "<"] == [mean.get_xlim()[0]]

    def test_no_estimate_lies_outside_its_panel(self):
        figure, _ = drawn("chiaretti2004")
        for axes in figure.axes:
            low, high = axes.get_xlim()
            points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "s"]
            assert points and all(low < point < high for point in points)

    def test_no_contrast_no_figure(self):
        figure, lines = drawn("wassmann2003")
        assert figure is None and lines.empty
        assert figures.reading(lines, study.read("wassmann2003")) == "A contrast is drawn for two arms only."

    @pytest.mark.parametrize("cohort", ["ash2012_reconstructed", "chiaretti2004", "freireich1963", "scrucca_bmt"])
    def test_words_lie_on_the_page_and_not_on_one_another(self, cohort):
        figure, _ = drawn(cohort)
        figure.canvas.draw()
        page = figure.bbox
        boxes = [(text.get_text(), text.get_window_extent()) for axes in figure.axes
                 for text in [*axes.texts, axes.xaxis.label] if text.get_text()]
        outside = [words for words, box in boxes if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0
                   or box.y1 > page.y1]
        over = [(one, other) for (one, a), (other, b) in combinations(boxes, 2)
                if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1]
        assert (outside, over) == ([], [])


def test_long_keys_leave_room_for_one_another():
    arms = Arm("imatinib and interferon", "x"), Arm("imatinib alone, as before", "y", True)
    long = Study("made", "own", "", "", arms, endpoint_labels={"TTRLP": "time to relapse"})
    rows = pd.DataFrame(ROWS.assign(arm=ROWS["arm"].replace("A vs B", long.contrast)))
    figure, _ = figures.forest(rows, long)
    assert "← favours imatinib and …" in [text.get_text() for text in figure.axes[0].texts]
