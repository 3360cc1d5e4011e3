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


class TestMolecularMarks:
    ADMRD = pd.DataFrame({
        "USUBJID": ["a", "a", "a", "b", "b", "b", "b", "z"], "ADY": [-5, 0, 200, 10, 20, 20, 30, 5],
        "RATIO": [5.0, 0.1, 0.11, None, None, 2.0, None, 3.0],
        "LOD": [0.001, 0.001, 0.001, 0.01, 0.5, 0.001, 0.01, 0.001],
        "MRDSTATE": ["QUANTIFIED", "QUANTIFIED", "QUANTIFIED", "NEGATIVE", "PNQ", "QUANTIFIED", "INSUFFICIENT",
                     "QUANTIFIED"], "ANL01FL": ["Y", "Y", "Y", "Y", "Y", "N", "N", "Y"]})
    ADMUT = pd.DataFrame({"USUBJID": ["a", "a", "a", "b", "b"], "ADY": [-9, 30, 30, 15, None],
                          "VARIANT": ["T315I", "T315I", "E255K", "none", "F317L"]})

    def marks(self):
        return figures.molecular_marks(self.ADMRD, self.ADMUT, ADSL, TWO)

    def test_each_sample_is_on_its_side_of_the_response_ratio_or_left_out_for_a_reason(self):
        marks = self.marks().head(8)
        assert marks["left_out"].tolist() == [
            figures.BEFORE, "", "", "", figures.SILENT, figures.TWICE, figures.TWICE, figures.NO_LANE]
        drawn = marks[marks["left_out"] == ""]
        # 0.1% is at the ratio, not above it; a negative sample counts by its limit of 0.01%.
        assert drawn["kind"].tolist() == [figures.MRD_LOW, figures.MRD_ABOVE, figures.MRD_LOW]

    def test_each_finding_is_a_mark_and_a_search_without_one_is_not(self):
        marks = self.marks().tail(5)
        assert marks["left_out"].tolist() == [figures.BEFORE, "", "", figures.NONE_FOUND, figures.NO_DAY]
        assert marks.loc[marks["left_out"] == "", "kind"].tolist() == ["mutation T315I", "mutation E255K"]

    def test_they_stand_beside_the_lane(self):
        figure, plotted = figures.swimmer(ADSL, TWO, marks=self.marks())
        lane = plotted.loc[plotted["patient"] == "a", "lane"].iloc[0]
        at = {line.get_marker(): line.get_ydata()[0] for line in figure.axes[0].lines}
        assert at["s"] == at["*"] == pytest.approx(lane - 0.37)  # a mutation, above; the axis runs downwards
        said = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert said[-4:] == ["MRD > 0.1%", "MRD ≤ 0.1%", "mutation T315I", "other mutation"]

    def test_a_sample_after_the_end_of_its_lane_is_refused(self):
        late = self.ADMRD.assign(ADY=[201, *self.ADMRD["ADY"][1:]])
        with pytest.raises(ValueError, match=r"MRD above the response ratio of a on day 201"):
            figures.swimmer(ADSL, TWO, marks=figures.molecular_marks(late, self.ADMUT, ADSL, TWO))

    def test_the_caption_counts_what_is_left_out(self):
        said = figures.swimmer_caption(ADSL, self.marks())
        assert "Of 8 MRD samples 3 are marked; left out: 1 before the time origin, 2 insufficient" in said
        assert "1 not quantified, the limit unknown or above the response ratio" in said
        assert "Of 5 kinase-domain analyses 2 are marked" in said

    def test_a_cohort_without_a_molecular_laboratory_looks_as_before(self):
        none = figures.molecular_marks(self.ADMRD.head(0), self.ADMUT.head(0), ADSL, TWO)
        with_none, without = (figures.swimmer(ADSL, TWO, marks=marks)[0] for marks in (none, None))
        assert with_none.get_size_inches().tolist() == without.get_size_inches().tolist()
        assert figures.swimmer_caption(ADSL, none) == figures.swimmer_caption(ADSL)

    def test_marks_of_neighbouring_lanes_keep_apart(self):
        figure, _ = figures.swimmer(ADSL, TWO, marks=self.marks())
        axes = figure.axes[0]
        figure.canvas.draw()
        points = abs(axes.transData.transform((0, 1)) - axes.transData.transform((0, 0)))[1] * 72 / figure.dpi
        below, above = figures.LABORATORY[figures.MRD_LOW], figures.LABORATORY[figures.MUTATION]
        free = (1 - below.offset + above.offset) * points
        assert free > (below.size + above.size) / 2
