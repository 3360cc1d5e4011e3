"""Figures of small-sample inference: what is drawn is what was computed, legible with 31 patients and with 88."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from remission.figures import influence as figures
from remission.study import Arm, Study
from remission.survival import exact, fragility, influence

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="month",
            endpoint_labels={"TTRLP": "time to relapse"})
ONE = Study("made", "own", "", "", (Arm("A", "Arm A"),))


def cohort(patients, seed=1):
    random = np.random.default_rng(seed)
    arm = np.where(np.arange(patients) % 3 == 0, "B", "A")
    time = (random.exponential(300, patients) * np.where(arm == "A", 1.6, 1)).astype(int) + 1
    return pd.DataFrame({"USUBJID": [f"P-{number:02}" for number in range(patients)], "TRT01A": arm, "PARAMCD": "TTRLP",
                         "PARAM": "time to relapse", "ORIGIN": "start", "ENTRYDY": 0, "AVAL": time,
                         "CNSR": (random.random(patients) < 0.3).astype(int)})


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


class TestChance:
    def test_bars_are_shares_and_p_is_that_of_the_tests(self):
        rows = cohort(31)
        tests = exact.permutation_tests(rows, TWO, draws=500)
        figure, plotted = figures.chance(rows, tests, TWO, "TTRLP", draws=2000)
        left, right = figure.axes
        assert left.get_title(loc="left").startswith("Linear: p = ") and "(exact)" in left.get_title(loc="left")
        assert right.get_title(loc="left").startswith("Studentised: p = ")
        assert left.get_xlabel() == "observed minus expected events, A"
        drawn = sum(bar.get_height() for bar in left.patches)
        assert drawn == pytest.approx(1)
        assert plotted[plotted["part"] == "observed"]["statistic"].tolist() == ["linear", "studentised"]

    def test_no_test_no_figure(self):
        rows = cohort(20).assign(CNSR=1)
        assert figures.chance(rows, exact.permutation_tests(rows, TWO, draws=50), TWO, "TTRLP")[0] is None
        assert figures.chance(rows, exact.permutation_tests(rows, ONE), ONE, "TTRLP")[0] is None


class TestInfluence:
    @pytest.mark.parametrize(("patients", "named"), [(31, 31), (88, 12)])
    def test_names(self, patients, named):
        found = influence.leave_one_out(cohort(patients), TWO, "TTRLP")
        figure, plotted = figures.influence(found, TWO)
        each = plotted[plotted["part"] == "patient"]
        assert len(each) == patients
        ticks = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
        assert len(ticks) == named
        assert ticks[0] == each.sort_values("p", kind="stable")["left_out"].iloc[0]

    def test_every_patient_is_drawn_once_in_each_panel(self):
        figure, plotted = figures.influence(influence.leave_one_out(cohort(31), TWO, "TTRLP"), TWO)
        each = plotted[plotted["part"] == "patient"]
        for axes, column in zip(figure.axes, ("HR", "p"), strict=True):
            marks = np.concatenate([line.get_xdata() for line in axes.lines if line.get_marker() in ("o", "s")])
            assert sorted(marks) == pytest.approx(sorted(each[column]))

    def test_separated_arms(self):
        rows = cohort(8).assign(AVAL=range(1, 9), CNSR=0, TRT01A=["B"] * 4 + ["A"] * 4)
        figure, _ = figures.influence(influence.leave_one_out(rows, TWO, "TTRLP"), TWO)
        assert figure.axes[0].texts[0].get_text() == "no finite hazard ratio"

    def test_nobody_left_out(self):
        rows = cohort(20).assign(CNSR=1)
        assert figures.influence(influence.leave_one_out(rows, TWO, "TTRLP"), TWO)[0] is None
        assert figures.influence(influence.leave_one_out(rows, ONE, "TTRLP"), ONE)[0] is None


class TestFragility:
    def test_single_changes_and_the_way(self):
        found = fragility.search(cohort(31), TWO, "TTRLP", subsets=5000)
        figure, plotted = figures.fragility(found, TWO)
        left, right = figure.axes
        marks = [line for line in left.lines if line.get_marker() in ("o", "s")]
        assert sum(len(line.get_xdata()) for line in marks) == 31
        assert len(left.get_xticklabels()) == 31
        assert {text.get_text() for text in right.texts} == {"in favour of A", "in favour of B"}
        assert plotted["part"].value_counts().to_dict() == {"single": 31, "path": len(found.path)}
        assert left.get_ylim()[0] > left.get_ylim()[1]  # what favours the other arm is above

    def test_more_patients_than_names(self):
        figure, _ = figures.fragility(fragility.search(cohort(88), TWO, "TTRLP", subsets=500), TWO)
        names = figure.axes[0].get_xticklabels()
        assert 6 <= len(names) <= 12
        places = sorted(figure.axes[0].get_xticks())
        assert min(np.diff(places)) >= 2

    def test_levels_keep_apart(self):
        for low, high in ((-6.0, 2.5), (-2.2, -1.4), (3.0, 4.2)):
            ticks = sorted(figures._p_ticks(low, high))
            assert len(ticks) >= 3 and min(np.diff(ticks)) > (high - low) / 13

    def test_no_search_no_figure(self):
        rows = cohort(20).assign(CNSR=1)
        assert figures.fragility(fragility.search(rows, TWO, "TTRLP"), TWO)[0] is None
        assert figures.fragility(fragility.search(rows, ONE, "TTRLP"), ONE)[0] is None
