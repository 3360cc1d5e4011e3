"""Markers with death in remission competing. Expected numbers: R 4.2.2 (cmprsk 2.2-11)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from test_adam_admrd import STUDY
from test_mrd import known, outcome

from remission import mrd, results
from remission.estimators import competing
from remission.study import Arm, Study

BMT = pd.read_csv(ROOT / "tests" / "data" / "km_bmt.csv")
INDEX = np.arange(len(BMT))
#: A marker and a stratum that nobody measured: they depend on the row only.
MARKER, STRATUM = (INDEX * 37) % 41, INDEX % 2


class TestEstimators:
    def test_stratified_gray(self):
        # R: cuminc(time, code, arm == 3, strata = (0:136) %% 2)$Tests
        data = BMT.assign(arm=np.where(BMT["arm"] == 3, "B", "A"), stratum=STRATUM)
        for cause, chi2, p in ((1, 9.575316137829, 0.0019721089066901), (2, 0.0096578682954818, 0.9217143627813885)):
            found = competing.gray(data, cause, "stratum")
            assert (found.chi2, found.p) == pytest.approx((chi2, p), rel=1e-10)

    def test_one_stratum_is_no_stratum_and_strata_of_one_arm_say_nothing(self):
        data = BMT.assign(arm=np.where(BMT["arm"] == 3, "B", "A"), stratum=1)
        assert competing.gray(data, 1, "stratum")[:2] == pytest.approx(competing.gray(data, 1)[:2], rel=1e-12)
        assert competing.gray(data.assign(stratum=data["arm"]), 1, "stratum").note == "the test's variance is zero"
        with pytest.raises(ValueError, match="two arms"):
            competing.gray(BMT.assign(stratum=1), 1, "stratum")

    @pytest.mark.parametrize(("x", "adjust", "coefficient", "se"), [
        (MARKER, None, 0.0069323522424437, 0.012530465241869),
        (MARKER, STRATUM, 0.0071541772859718, 0.012574401121969),
        ((BMT["arm"] == 3).to_numpy(float), STRATUM, 0.96702508590785, 0.31212575786361)])
    def test_fine_gray_of_a_marker(self, x, adjust, coefficient, se):
        # R: crr(time, code, cbind(x, stratum), failcode = 1, gtol = 1e-13, maxiter = 80)
        found = competing.fine_gray_marker(BMT, x, 1, adjust)
        assert np.log(found.value) == pytest.approx(coefficient, abs=1e-9)
        assert np.log(found.upper / found.lower) / (2 * 1.959963984540054) == pytest.approx(se, rel=2e-3)

    def test_two_groups_are_the_fine_gray_model_of_arms(self):
        data = BMT.assign(arm=np.where(BMT["arm"] == 3, "B", "A"))
        one, two = competing.fine_gray(data, "A", 1), competing.fine_gray_marker(data, data["arm"] == "B", 1)
        assert one[:4] == pytest.approx(two[:4], rel=1e-9)

    def test_reasons(self):
        rows = pd.DataFrame({"time": [1, 2, 3, 4], "code": [1, 1, 0, 2]})
        assert "no maximum" in competing.fine_gray_marker(rows, [1, 1, 0, 0], 1).note
        assert competing.fine_gray_marker(rows, [1, 1, 1, 1], 1).note == "no event fell while patients at risk differed"
        assert competing.fine_gray_marker(rows.assign(code=0), [1, 0, 1, 0], 1).note == "no events"


@pytest.fixture(scope="module")
def cohort():
    """The transplant data as a cohort: group 3 as patients without early response, two made-up arms."""
    two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    endpoint = outcome(BMT["time"], BMT["code"] == 1, arm=np.where(STRATUM, "B", "A")).assign(code=BMT["code"])
    return endpoint, known(RESP6M=np.where(BMT["arm"] == 3, "N", "Y"), NCYCLES=MARKER), two


class TestRows:
    def test_all_arms_are_stratified(self, cohort):
        rows = mrd.analyse_competing(*cohort)
        gray = results.pick(rows, "mrd.response6m.all.all.gray_p")
        assert gray["value"] == pytest.approx(0.0019721089066901, rel=1e-9) and "stratified by arm" in gray["method"]
        ratio = results.pick(rows, "mrd.response6m.all.all.subdistribution_HR")
        assert np.log(ratio["value"]) == pytest.approx(0.96702508590785, abs=1e-9)
        cycles = results.pick(rows, "mrd.cycles.all.all.subdistribution_HR")  # per cycle fewer: the other sign
        assert np.log(cycles["value"]) == pytest.approx(-0.0071541772859718, abs=1e-9)
        assert set(rows["arm"]) == {"A", "all"}

    def test_incidence_is_that_of_the_group(self, cohort):
        # R: timepoints(cuminc(time, code, arm == 3), 365)$est: 0.4222222222222 for group 3 is checked by counting, for
        # nobody was censored in the first year: 19 of 45 relapsed.
        rows = mrd.analyse_competing(*cohort)
        mine = BMT[BMT["arm"] == 3]
        assert not ((mine["time"] <= 365) & (mine["code"] == 0)).any()
        row = results.pick(rows, "mrd.response6m.all.all.incidence[poor, 1 year]")
        assert row["value"] == pytest.approx(100 * ((mine["code"] == 1) & (mine["time"] <= 365)).mean())
        assert row["lower"] < row["value"] < row["upper"]
        deaths = results.pick(rows, "mrd.response6m.all.all.deaths[poor]")
        assert (deaths["value"], deaths["n"]) == ((mine["code"] == 2).sum(), len(mine))

    def test_table_and_words(self, cohort):
        rows = mrd.analyse_competing(*cohort)
        table = mrd.competing_table(rows)
        assert table.loc[table["arm"] == "all", "group"].tolist()[:2] == ["response", "no response"]
        assert table["patients"].tolist()[-2:] == table.loc[table["arm"] == "all", "patients"].tolist()[-2:]
        assert "5 years" in table and "died in remission" in mrd.competing_in_words(rows)

    def test_without_deaths_or_codes(self):
        endpoint, admk = outcome(range(100, 120), [True, False] * 10), known(EVERNEG=["Y", "N", "N", "Y"] * 5)
        rows = mrd.analyse_competing(endpoint, admk, STUDY)
        assert "no competitor" in mrd.competing_in_words(rows)
        # R: with one cause Gray's test is close to, and the incidence equal to 1 - Kaplan-Meier's
        assert results.pick(rows, "mrd.ever_negative.all.A.deaths[good]")["display"] == "0 of 10"

    def test_reasons(self):
        endpoint = outcome(range(100, 110), False)
        found = mrd.analyse_competing(endpoint, known(EVERNEG=["Y", "N"] * 5), STUDY).set_index("statistic")["display"]
        assert found["gray_p"] == "not estimable: nobody had this event"
        assert found["subdistribution_HR"] == "not estimable: no events"
        assert found["incidence[good, 1 year]"] == "not estimable: nobody was followed so long"
        alike = mrd.analyse_competing(endpoint, known(EVERNEG=["Y"] * 10), STUDY).set_index("statistic")["display"]
        assert alike["gray_p"] == "not estimable: all patients are in one group" and "deaths[poor]" not in alike
