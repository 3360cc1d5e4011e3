"""Swimmer plot: a lane a patient, and no mark outside its lane."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from remission.figures import swimmer as figures
from remission.study import Arm, Study

TWO = Study("made", "own", "", "", (Arm("A", "Arm A"), Arm("B", "Arm B", True)), report_unit="month")
ADSL = pd.DataFrame({
    "USUBJID": list("abcdef"), "TRT01A": list("AAABBB"), "TTEFL": "Y",
    "RELSITE": ["CNS", None, None, "BM", "BM+CNS", None],
    "STATUS": ["relapse", "death in remission", "ongoing remission", "relapse", "relapse", "ongoing remission"],
    "RELDY": [30, None, None, 20, 40, None], "DTHDY": [200, 60, None, None, 80, None],
    "LSTALVDY": [200, 60, 90, 150, 80, 100], "MTENDY": [30, 60, 70, 20, 40, 100]})


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


class TestSwimmer:
    def test_a_lane_a_patient_arms_apart_longest_first(self):
        _, plotted = figures.swimmer(ADSL, TWO)
        order = plotted.drop_duplicates("patient").sort_values("lane")["patient"].tolist()
        assert order == ["c", "b", "a", "f", "e", "d"]

    def test_marks_stand_for_what_happened(self):
        _, plotted = figures.swimmer(ADSL, TWO)
        marks = plotted[plotted["start"] == plotted["stop"]].groupby("patient")["part"].agg(list).to_dict()
        assert marks == {"a": ["relapse, CNS", "death"], "b": ["death"], "c": ["ongoing remission"],
                         "d": ["relapse", "alive after relapse"], "e": ["relapse, BM+CNS", "death"],
                         "f": ["ongoing remission"]}

    def test_stretches_join_without_gap(self):
        _, plotted = figures.swimmer(ADSL, TWO)
        a = plotted[(plotted["patient"] == "c") & (plotted["start"] < plotted["stop"])]
        assert a[["start", "stop"]].to_numpy().tolist() == [[0, 70], [70, 90]]

    @pytest.mark.parametrize(("patient", "day"), [("a", 201), ("a", -1), ("nobody", 5)])
    def test_a_mark_outside_its_lane_is_refused(self, patient, day):
        marks = pd.DataFrame({"patient": [patient], "day": [day], "kind": ["T315I"]})
        with pytest.raises(ValueError, match="outside their lane"):
            figures.swimmer(ADSL, TWO, marks=marks)

    def test_further_marks_and_the_stop_of_interferon(self):
        adex = pd.DataFrame({"EXDRUG": ["interferon alfa-2a", "imatinib"], "USUBJID": "c", "ENDY": [50, 70]})
        marks = pd.DataFrame({"patient": ["a"], "day": [25], "kind": ["T315I"]})
        _, plotted = figures.swimmer(ADSL, TWO, adex, marks)
        assert plotted.loc[plotted["part"] == "interferon stopped", "start"].tolist() == [50]
        assert plotted.loc[plotted["part"] == "T315I", "start"].tolist() == [25]

    def test_too_many_lanes_are_not_drawn_and_it_is_said(self):
        many = pd.concat([ADSL.assign(USUBJID=ADSL["USUBJID"] + str(i)) for i in range(26)], ignore_index=True)
        assert figures.swimmer(many, TWO)[0] is None
        assert "156 lanes" in figures.swimmer_caption(many)

    def test_nobody_usable(self):
        assert figures.swimmer(ADSL.assign(TTEFL="N"), TWO)[0] is None
