"""The flow of rows and patients adds up."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from remission.figures import flow
from remission.study import Arm, Study

STUDY = Study("demo", "own", "", "", (Arm("A", "New treatment"), Arm("B", "Old treatment", reference=True)))
#: A regular patient of each end, one excluded for two reasons, and an arm with nobody excluded.
ADSL = pd.DataFrame({
    "TRT01A": ["A", "A", "A", "A", "B"], "TTEFL": ["Y", "Y", "Y", "N", "Y"],
    "TTEEXCL": [None, None, None, "no date of relapse; no date of last contact", None],
    "STATUS": ["relapse", "death in remission", "ongoing remission", "relapse", "relapse"]})
ACCOUNT = pd.DataFrame({"table": ["patients", "mrd"], "read": [5, 9], "clean": [5, 8], "repaired": [1, 4],
                        "quarantined": [0, 1]})


def test_every_stage_adds_up():
    counts = flow.flow_counts(ADSL, ACCOUNT, STUDY).set_index(["arm", "box"])["n"]
    assert counts["all"].to_dict() == {"rows read": 14, "rows repaired": 5, "rows quarantined": 1}
    for arm in ("A", "B"):
        assert counts[arm, "registered"] == counts[arm, "excluded"] + counts[arm, "analysable"]
        assert counts[arm, "analysable"] == counts[arm][list(flow.ENDS)].sum()
    assert counts["A"].tolist() == [4, 1, 3, 1, 1, 1]


def test_reasons_are_counted():
    notes = flow.flow_counts(ADSL, ACCOUNT, STUDY).set_index(["arm", "box"])["note"]
    assert notes["A", "excluded"] == "no date of last contact (1); no date of relapse (1)"
    assert notes["B", "excluded"] == ""


@pytest.mark.parametrize("arms", [1, 2])
def test_it_draws_one_arm_or_two(arms):
    study = Study("demo", "own", "", "", STUDY.arms[:arms])
    figure, plotted = flow.cohort_flow(ADSL[ADSL["TRT01A"].isin(study.arm_keys)], ACCOUNT, study)
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "14 rows read in 2 tables" in words and "Not analysable: n = 1 (some for several reasons)" in words
    assert len(plotted) == 3 + 6 * arms
    plt.close(figure)


def test_no_patients_no_figure():
    assert flow.cohort_flow(ADSL.iloc[:0], ACCOUNT, STUDY)[0] is None
