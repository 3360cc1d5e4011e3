"""Follow-up alike in both arms, and time that was survived by design."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from remission import results, store
from remission.critique import followup, immortal
from remission.study import Arm, Study
from remission.study import read as read_study

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("IFN+IM", "Combination"), Arm("IM", "Imatinib", True)), report_unit="year",
            fixed_times=(1, 5))
COHORTS = ["ash2012_reconstructed", "freireich1963", "wassmann2003", "chiaretti2004", "scrucca_bmt"]
NOBODY = pd.DataFrame(columns=["USUBJID", "TRT01A", "TTEFL", "MTSTDT", "LSTALVDY", "STATUS"])


@pytest.fixture(scope="module")
def exemplar():
    one = pd.read_csv(DATA / "exemplar.csv")
    common = {"USUBJID": one["patient"], "TRT01A": one["arm"], "ORIGIN": "start"}
    parts = [pd.DataFrame(common | {"PARAMCD": name, "AVAL": time, "CNSR": cnsr, "ENTRYDY": entry})
             for name, time, cnsr, entry in (
                 ("TTRLP", one["time"], one["code"].map({1: 0, 0: 1, 2: 2}), 0),
                 ("OSDX", one["os_time"], 1 - one["os_event"], one["entry"]),
                 ("OSMT", one["os_time"] - one["entry"], 1 - one["os_event"], 0))]
    return pd.concat(parts, ignore_index=True).astype({"AVAL": "Int64", "CNSR": "Int64"})


class TestOrder:
    @pytest.mark.parametrize(("one", "other", "two_sided", "one_sided"), [
        # R: pvalue(coin::wilcox_test(y ~ group, distribution = "exact")), two-sided and in the direction seen
        ([2890, 3155, 3787], [2387, 2768], 0.2, 0.1),
        ([5, 7, 7, 9, 12, 15], [1, 7, 7, 8, 9], 0.471861471861472, 0.227272727272727),
        ([3, 3, 8, 10], [3, 9, 11, 12, 14, 20, 20], 0.0666666666666667, 0.0333333333333333)])
    def test_equals_coin(self, one, other, two_sided, one_sided):
        found = followup.order(one, other)
        assert found[1:] == pytest.approx((one_sided, two_sided), rel=1e-12)

    def test_equals_scipy_without_ties(self):
        one, other = [5, 6, 11, 14], [1, 2, 3, 8, 9]
        exact = mannwhitneyu(one, other, method="exact")
        assert followup.order(one, other)[0] == exact.statistic
        assert followup.order(one, other)[2] == pytest.approx(exact.pvalue, rel=1e-12)

    def test_counts_every_split(self):
        pooled, seen = np.array([2, 4, 4, 7, 9]), (0, 2)

        def pairs(chosen):
            mine = np.isin(np.arange(5), chosen)
            return sum((a > b) + (a == b) / 2 for a in pooled[mine] for b in pooled[~mine])

        every = [pairs(chosen) for chosen in combinations(range(5), 2)]
        mine = np.isin(np.arange(5), seen)
        found = followup.order(pooled[mine], pooled[~mine])
        assert found[0] == pairs(seen)
        assert found[1] == pytest.approx(np.mean([value <= pairs(seen) for value in every]))

    def test_complete_order_is_one_in_the_number_of_splits(self):
        for m, n in ((3, 2), (1, 1), (4, 6)):
            assert followup.order(np.arange(m) + 100, np.arange(n))[1] == pytest.approx(1 / math.comb(m + n, m))

    def test_many_values_are_taken_as_normal(self):
        rng = np.random.default_rng(2)
        one, other = rng.integers(0, 50, 80), rng.integers(0, 50, 70)
        found = mannwhitneyu(one, other, method="asymptotic")
        assert followup.order(one, other)[2] == pytest.approx(found.pvalue)


class TestFollowup:
    def test_order_of_the_ongoing_remissions(self, exemplar):
        rows = followup.analyse(NOBODY, exemplar, TWO)
        assert results.pick(rows, "order.TTRLP.ongoing.IFN+IM vs IM.pairs")["display"] == "6 of 6"
        assert results.pick(rows, "order.TTRLP.ongoing.IFN+IM vs IM.p_one_sided")["display"] == "p = 0.10 (1 in 10)"

    def test_reverse_kaplan_meier_equals_r(self, exemplar):
        # R: quantile(survfit(Surv(os_time - entry, 1 - os_event) ~ arm, conf.type = "log-log"), 0.5), survdiff of it
        rows = followup.analyse(NOBODY, exemplar, TWO)
        trial, control = (results.pick(rows, f"order.OSMT.all.{arm}.followup_median") for arm in ("IFN+IM", "IM"))
        assert (trial["value"], trial["lower"]) == (3141, 1785)
        assert (control["value"], control["lower"]) == (2374, 607)
        p = results.pick(rows, "order.OSMT.all.IFN+IM vs IM.followup_p")["value"]
        assert p == pytest.approx(0.060945940559044, rel=1e-9)

    def test_a_death_is_no_end_of_follow_up(self):
        adtte = pd.DataFrame({"USUBJID": list("abc"), "TRT01A": "IM", "PARAMCD": "TTRLP", "AVAL": [10, 20, 30],
                              "CNSR": [2, 1, 1], "ENTRYDY": 0, "ORIGIN": "start"})
        rows = followup.analyse(NOBODY, adtte, TWO)
        assert results.pick(rows, "order.TTRLP.all.IM.followup_median")["value"] == 25

    def test_dates(self):
        adsl = pd.DataFrame({
            "USUBJID": list("abcd"), "TRT01A": ["IFN+IM", "IFN+IM", "IM", "IM"], "TTEFL": "Y", "STATUS": "relapse",
            "MTSTDT": pd.to_datetime(["2002-01-01", "2003-07-02", "2003-01-01", "2004-12-31"]),
            "LSTALVDY": [31, 10, 20, 1]})
        rows = followup.analyse(adsl, pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"]),
                                TWO)
        assert results.pick(rows, "order.-.all.IFN+IM.entry_first")["value"] == 2002
        assert results.pick(rows, "order.-.all.IM.contact_last")["display"] == "2005-01-01"
        assert results.pick(rows, "order.-.all.IFN+IM.entry_alone")["display"] == "1 of 2"
        assert results.pick(rows, "order.-.all.IFN+IM vs IM.entry_p")["value"] == pytest.approx(4 / 6)

    @pytest.mark.parametrize("cohort", COHORTS)
    def test_every_cohort_has_rows_and_a_sentence(self, cohort):
        study = read_study(cohort)
        rows = followup.analyse(store.read(cohort, "adsl"), store.read(cohort, "adtte"), study)
        assert len(rows)
        assert len(followup.table(rows, study))
        assert followup.sentence(rows, study)

    def test_synthetic_dates_are_called_made_up(self):
        study = read_study("ash2012_reconstructed")
        rows = followup.analyse(store.read(study.name, "adsl"), store.read(study.name, "adtte"), study)
        assert "made up" in followup.sentence(rows, study)


class TestImmortal:
    def test_clocks_equal_r(self, exemplar):
        # R: summary(survfit(Surv(entry, os_time, os_event) ~ arm, conf.type = "log-log"))$table, coxph of the same
        rows = immortal.analyse(exemplar, TWO)
        medians = {(arm, clock): tuple(results.pick(rows, f"immortal.OSDX.all.{arm}.median[{clock}]")[
            ["value", "lower", "upper"]]) for arm in TWO.arm_keys for clock in ("naive", "truncated")}
        assert medians == {("IFN+IM", "naive"): (1962, 1318, 3135), ("IFN+IM", "truncated"): (1962, 1318, 3135),
                           ("IM", "naive"): (1055, 521, 2182), ("IM", "truncated"): (384, 247, 1962)}
        ratio = results.pick(rows, "immortal.OSDX.all.IFN+IM vs IM.HR[truncated]")["value"]
        assert ratio == pytest.approx(0.52164918981377, rel=1e-9)

    def test_truncated_logrank_equals_the_score_test_of_r(self, exemplar):
        # R: summary(coxph(Surv(entry, os_time, os_event) ~ arm))$sctest, the one tie broken: 1962 of CTL-09 to 1963
        tied = (exemplar["PARAMCD"] == "OSDX") & (exemplar["USUBJID"] == "CTL-09")
        apart = exemplar.assign(AVAL=exemplar["AVAL"].mask(tied, 1963))
        rows = immortal.analyse(apart, TWO)
        p = results.pick(rows, "immortal.OSDX.all.IFN+IM vs IM.p[truncated]")["value"]
        assert p == pytest.approx(0.136790439380687, rel=1e-9)

    def test_guaranteed_time(self, exemplar):
        rows = immortal.analyse(exemplar, TWO)
        assert results.pick(rows, "immortal.OSDX.all.IFN+IM.guaranteed")["value"] == 334
        shares = [results.pick(rows, f"immortal.OSDX.all.{arm}.share_of_time")["value"] for arm in TWO.arm_keys]
        assert shares == pytest.approx([0.152366030992191, 0.248088307844105], rel=1e-12)
        assert results.pick(rows, "immortal.OSDX.all.IM.share_of_median")["value"] == pytest.approx(340 / 1055)

    def test_table_has_a_line_a_clock_and_arm(self, exemplar):
        laid = immortal.table(immortal.analyse(exemplar, TWO), TWO)
        assert len(laid) == 6
        assert laid["hazard ratio"].tolist()[1::2] == ["1", "1", "1"]
        assert "1 year" in laid

    def test_median_that_is_not_reached_has_no_share(self, exemplar):
        alive = exemplar.assign(CNSR=exemplar["CNSR"].clip(lower=1))
        rows = immortal.analyse(alive, TWO)
        found = results.pick(rows, "immortal.OSDX.all.IM.share_of_median")
        assert math.isnan(found["value"])
        assert found["display"] == "not estimable: median not reached"

    @pytest.mark.parametrize("cohort", COHORTS)
    def test_every_cohort_has_rows_or_a_reason(self, cohort):
        study = read_study(cohort)
        rows = immortal.analyse(store.read(cohort, "adtte"), study)
        assert rows.empty == immortal.sentence(rows, study).startswith("*No survival")
        assert len(immortal.table(rows, study)) == 6 * (not rows.empty)
