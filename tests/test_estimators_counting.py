"""Records (start, stop]: the Cox model and the log-rank test against R, the cutting of follow-up by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remission.estimators import counting, models

#: KMsurv::bmt (Klein and Moeschberger, section 1.3): disease group, time to relapse or death, platelet recovery.
BMT = pd.read_csv(Path(__file__).parent / "data" / "km_bmt_platelet.csv")


@pytest.fixture(scope="module")
def bmt():
    """R: tmerge(b, b, id = patient, dfs = event(t2, d3), plt = tdc(ifelse(dp == 1, tp, NA)))."""
    data = BMT.rename(columns={"group": "arm", "t2": "time"}).assign(event=BMT["d3"] == 1)
    records = counting.turning(data, BMT.set_index("patient")["tp"].where(BMT.set_index("patient")["dp"] == 1), "plt")
    dummies = {f"g{one}": (records["arm"] == one).astype(int) for one in (2, 3)}
    return records.assign(**dummies, late=np.where(records["plt"] == 1, np.log10(1 + records["start"]), 0))


def test_the_data_are_those_of_the_other_tests():
    same = pd.read_csv(Path(__file__).parent / "data" / "km_bmt.csv")
    assert same[["arm", "time"]].to_numpy().tolist() == BMT[["group", "t2"]].to_numpy().tolist()
    assert (same["code"] > 0).tolist() == (BMT["d3"] == 1).tolist()


class TestCox:
    """R 4.2.2, survival 3.5-3: coxph(Surv(tstart, tstop, dfs) ~ ..., control = coxph.control(eps = 1e-14))."""

    def test_follow_up_is_cut_as_tmerge_cuts_it(self, bmt):
        assert len(bmt) == 256
        assert bmt.loc[bmt["patient"] == 1, ["start", "stop", "event", "plt"]].to_numpy().tolist() == [
            [0, 13, False, 0],
            [13, 2081, False, 1],
        ]

    @pytest.mark.parametrize(
        ("covariates", "strata", "log_ratio", "se"),
        [
            # ~ factor(group) + plt; the stored value of the published analysis is -1.120234735978, se 0.3291776959847
            (["plt", "g2", "g3"], None, -1.1202347359752305, 0.3291776959849740),
            (["g2", "plt", "g3"], None, -0.4971488992612677, 0.2892463351953022),
            (["g3", "plt", "g2"], None, 0.3818365101769060, 0.2676102050628734),
            # ~ plt + strata(group)
            (["plt"], "arm", -1.096951274709415, 0.3321505120304241),
            # ~ ifelse(plt == 1, log10(1 + tstart), 0)
            (["late"], None, -0.6044914389095994, 0.2781113032757257),
        ],
    )
    def test_against_r(self, bmt, covariates, strata, log_ratio, se):
        fit = counting.hazard_ratio(bmt, covariates, strata, "wald")
        assert math.log(fit.value) == pytest.approx(log_ratio, rel=1e-9)
        assert math.log(fit.upper / fit.lower) / (2 * 1.959963984540054) == pytest.approx(se, rel=1e-9)

    @pytest.mark.parametrize(
        ("covariates", "strata", "expected", "p"),
        [
            # coxph(init = b, iter.max = 0)$loglik + log(det(solve(vcov))) / 2, optimize and uniroot
            (["plt"], None, (-1.304992243554, -1.905906417230, -0.630235753405), 0.0003561065627546),
            (["plt"], "arm", (-1.124359710010, -1.736536171947, -0.442892907457), 0.001893068833119),
            (["plt", "late"], None, (-3.232850796923, -4.806619583189, -1.580849951800), 0.0001737240902157),
        ],
    )
    def test_firth_against_r(self, bmt, covariates, strata, expected, p):
        fit = counting.hazard_ratio(bmt, covariates, strata)
        assert np.log(fit[:3]) == pytest.approx(expected, abs=2e-7)
        assert fit.p == pytest.approx(p, rel=1e-6)

    def test_two_groups_agree_with_the_estimator_of_two_arms(self, bmt):
        data = bmt.assign(arm=bmt["plt"].map({0: "not yet", 1: "recovered"}), entry=bmt["start"], time=bmt["stop"])
        for method, function in (("firth", models.firth), ("wald", models.cox), ("profile", models.cox_profile)):
            ours, theirs = counting.hazard_ratio(bmt, ["plt"], None, method), function(data, "not yet", truncated=True)
            assert ours[:4] == pytest.approx(theirs[:4], rel=1e-9)

    def test_nothing_to_estimate_has_a_reason(self, bmt):
        assert counting.hazard_ratio(bmt.iloc[:0], ["plt"]).note == "no follow-up"
        assert counting.hazard_ratio(bmt.assign(event=False), ["plt"]).note == "no events"
        assert "differed" in counting.hazard_ratio(bmt.assign(plt=0), ["plt"]).note


class TestLogRank:
    def test_landmark_of_100_days_against_r(self):
        # R: survdiff(Surv(t2 - 100, d3) ~ plt, subset(bmt, t2 > 100)), plt = dp == 1 & tp <= 100; then + strata(group)
        late = BMT[BMT["t2"] > 100]
        records = pd.DataFrame({"start": 0, "stop": late["t2"] - 100, "event": late["d3"] == 1, "group": late["group"],
                                "plt": ((late["dp"] == 1) & (late["tp"] <= 100)).astype(int)})
        test = counting.logrank(records, "plt")
        assert len(records) == 113
        assert (test.chi2, test.p) == (pytest.approx(6.679496877989), pytest.approx(0.009752814874873))
        assert test.score == pytest.approx(54 - 57.305852042994)
        assert counting.logrank(records, "plt", "group").chi2 == pytest.approx(4.300085217970301, rel=1e-12)
        # R: coxph(Surv(t2 - 100, d3) ~ plt): coef -1.152265991029308, se 0.4702602099579
        fit = counting.hazard_ratio(records, ["plt"], method="wald")
        assert math.log(fit.value) == pytest.approx(-1.152265991029308, rel=1e-9)
        assert fit.p == pytest.approx(0.01427478583687044, rel=1e-9)

    def test_without_ties_it_is_the_score_test(self):
        # R: coxph(Surv(c(0,0,2,0,3,0), c(5,2,7,3,8,6), c(1,0,1,0,1,1)) ~ c(0,0,1,0,1,1))$score = 3
        records = pd.DataFrame({"start": [0, 0, 2, 0, 3, 0], "stop": [5, 2, 7, 3, 8, 6], "event": [1, 0, 1, 0, 1, 1],
                                "g": [0, 0, 1, 0, 1, 1]})
        assert counting.logrank(records, "g").chi2 == pytest.approx(3.0, rel=1e-12)

    def test_nothing_to_compare_has_a_reason(self):
        records = pd.DataFrame({"start": 0, "stop": [3, 4], "event": [False, False], "g": [0, 1]})
        assert counting.logrank(records, "g").note == "no events"
        assert counting.logrank(records.assign(event=True, g=1), "g").note == "two groups are needed"


class TestCutting:
    data = pd.DataFrame({"patient": ["a", "b", "c", "d"], "arm": "A", "time": [9, 9, 9, 9], "event": True})

    def test_the_day_itself_belongs_to_the_time_before(self):
        made = counting.turning(self.data, pd.Series({"a": 0, "b": 9, "c": 8}), "x")
        assert made[["patient", "start", "stop", "event", "x"]].to_numpy().tolist() == [
            ["a", 0, 9, True, 1],
            ["b", 0, 9, True, 0],
            ["c", 0, 8, False, 0],
            ["c", 8, 9, True, 1],
            ["d", 0, 9, True, 0],
        ]

    def test_what_happened_before_the_origin_holds_from_the_origin(self):
        assert counting.turning(self.data, pd.Series({"a": -40}), "x")["x"].tolist() == [1, 0, 0, 0]

    @given(st.lists(st.tuples(st.integers(1, 40), st.integers(-5, 45), st.booleans()), min_size=1, max_size=8))
    def test_neither_time_nor_events_are_lost(self, rows):
        data = pd.DataFrame({"patient": range(len(rows)), "arm": "A", "time": [row[0] for row in rows],
                             "event": [row[2] for row in rows]})
        made = counting.turning(data, pd.Series([float(row[1]) for row in rows]), "x")
        assert (made["stop"] - made["start"]).sum() == data["time"].sum() and made["event"].sum() == data["event"].sum()

    @given(st.integers(0, 60))
    def test_a_lag_takes_time_from_the_start_and_keeps_the_end(self, days):
        records = counting.turning(self.data.assign(time=[20, 30, 40, 50]), pd.Series({"a": 5, "d": 45}), "x")
        end = pd.Series([20, 30, 40, 50], list("abcd"))
        made = counting.lagged(records, days, end)
        assert (made["stop"] - made["start"]).sum() == sum(max(one - days, 0) for one in end)
        assert made["event"].sum() == (end > days).sum()
