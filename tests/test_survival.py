"""Endpoints, competing risks, counts, and the rows they report."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import results, survival
from remission.estimators import competing
from remission.study import Arm, Study
from remission.survival.endpoints import fixed_times, rmst_times

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("IFN+IM", "Combination"), Arm("IM", "Imatinib", True)), report_unit="year",
            fixed_times=(1, 5), endpoints=("TTRLP", "RFS", "OSDX"))
ONE = Study("made", "own", "", "", (Arm("IM", "Imatinib"),), report_unit="month", fixed_times=(6,))


def adtte(rows, paramcd="TTRLP", entry=0):
    """Frame with the columns of adtte; rows of (patient, arm, days, CNSR)."""
    made = pd.DataFrame(rows, columns=["USUBJID", "TRT01A", "AVAL", "CNSR"]).astype({"AVAL": "Int64", "CNSR": "Int64"})
    return made.assign(PARAMCD=paramcd, PARAM=paramcd, ORIGIN="start of maintenance", ENTRYDY=entry)


@pytest.fixture(scope="module")
def exemplar():
    """A made cohort of 19 + 12 that fits the abstract's times: TTRLP, RFS and OSDX."""
    one = pd.read_csv(DATA / "exemplar.csv")
    code = one["code"]
    parts = {"TTRLP": (one["time"], code.map({1: 0, 0: 1, 2: 2}), 0), "RFS": (one["time"], (code == 0).astype(int), 0),
             "OSDX": (one["os_time"], 1 - one["os_event"], one["entry"])}
    return pd.concat([adtte(list(zip(one["patient"], one["arm"], time, cnsr, strict=True)), name, entry)
                      for name, (time, cnsr, entry) in parts.items()], ignore_index=True)


class TestEndpoint:
    def test_zero_is_an_event_here_and_nowhere_else(self):
        found = survival.endpoint(adtte([("a", "IM", 10, 0), ("b", "IM", 20, 1), ("c", "IM", 30, 2)]), "TTRLP")
        assert found["event"].tolist() == [True, False, False]
        assert found["code"].tolist() == [1, 0, 2]
        assert found["time"].dtype == "int64"

    def test_absent_endpoint_is_an_empty_frame(self):
        assert survival.endpoint(adtte([("a", "IM", 10, 0)]), "RFS").columns.tolist() == [
            "patient", "arm", "time", "event", "code", "entry"]

    @pytest.mark.parametrize(("days", "cnsr"), [(-1, 0), (None, 0), (5, 3)])
    def test_unusable_rows_are_named(self, days, cnsr):
        with pytest.raises(ValueError, match="b"):
            survival.endpoint(adtte([("a", "IM", 1, 0), ("b", "IM", days, cnsr)]), "TTRLP")

    def test_no_other_module_reads_cnsr(self):
        package = Path(survival.__file__).parent.parent
        readers = {path.relative_to(package).as_posix() for path in package.rglob("*.py")
                   if '["CNSR"]' in path.read_text(encoding="utf-8") and "adam" not in path.parts}
        assert readers == {"survival/endpoints.py"}

    PARTS = ("*Population:*", "*Time origin:*", "*Event:*", "*Competing event:*", "*Censored:*")

    def test_estimand_says_what_is_counted(self):
        words = survival.estimand(adtte([("a", "IM", 10, 0), ("b", "IM", 30, 2)]), ONE, "TTRLP")
        assert "relapse at any site (1)" in words
        assert "of whom 1 by a death in remission" in words
        assert "*Time origin:* start of maintenance." in words
        assert "2 patients with usable dates (2 IM)" in words

    @pytest.mark.parametrize("paramcd", ["TTRLP", "RFS", "OSDX", "OSMT", "MTDUR"])
    @pytest.mark.parametrize("measure", ["curve", "restricted mean"])
    def test_no_estimand_leaves_a_part_out(self, paramcd, measure):
        words = survival.estimand(adtte([("a", "IM", 10, 0)], paramcd), ONE, paramcd, measure=measure)
        places = [words.index(part) for part in self.PARTS]
        assert places == sorted(places)
        assert ("horizons fixed in `study.toml`" in words) == (measure == "restricted mean")

    def test_estimand_of_competing_risks(self, exemplar):
        words = survival.estimand(exemplar, TWO, "TTRLP", measure="incidence")
        assert all(part in words for part in self.PARTS)
        assert "(22); apart from it, death in remission (4)" in words
        assert "at last contact in remission (5)" in words

    def test_estimand_says_from_when_a_patient_is_at_risk(self, exemplar):
        assert "survived by design" in survival.estimand(exemplar, TWO, "OSDX")
        late = survival.estimand(exemplar, TWO, "OSDX", truncated=True)
        assert "left-truncated" in late
        assert "came under observation (start of maintenance)" in late
        assert "At risk" not in survival.estimand(exemplar, TWO, "TTRLP")

    def test_an_unknown_measure_is_refused(self, exemplar):
        with pytest.raises(ValueError, match="one of curve, incidence, restricted mean"):
            survival.estimand(exemplar, TWO, "TTRLP", measure="hazard")

    def test_listing_shows_every_time(self, exemplar):
        listed = survival.listing(survival.endpoint(exemplar, "TTRLP"), TWO).split("\n")
        assert listed[1].endswith("days: 29, 95, 113, 114, 160, 168, 378, 528, 842, 846, 2374+, 2776+")
        assert "903d" in listed[0]

    def test_fixed_times_are_whole_days(self):
        assert fixed_times(ONE) == {"6 months": 183}
        assert rmst_times(TWO) == {"5 years": 1826}


class TestAnalyse:
    def test_numbers_of_the_made_cohort(self, exemplar):
        found = survival.analyse(exemplar, TWO, "TTRLP")
        shown = {name: results.pick(found, name)["display"] for name in found["result_id"]}
        assert shown["km.TTRLP.all.IFN+IM.median"] == "2.18 years (95% CI 0.93 to not reached)"
        assert shown["km.TTRLP.all.IM.median"].startswith("0.75 years")
        assert shown["logrank.TTRLP.all.IFN+IM vs IM.p"] == "p = 0.070"  # R survdiff: 0.06970
        assert shown["cox.TTRLP.all.IFN+IM vs IM.HR"].startswith("0.46 ")
        assert results.pick(found, "range.TTRLP.all.IFN+IM.max_event")["value"] == 3487
        assert results.pick(found, "range.TTRLP.all.IFN+IM.max_any")["value"] == 3799
        assert results.pick(found, "range.TTRLP.all.IM.max_any")["value"] == 2776
        assert (found["n"].max(), found["events"].max()) == (31, 22)

    def test_counting_deaths_changes_the_answer(self, exemplar):
        rows = pd.concat([survival.analyse(exemplar, TWO, "TTRLP"), survival.analyse(exemplar, TWO, "RFS"),
                          survival.analyse_competing(exemplar, TWO)])
        grid = survival.definition_grid(rows, TWO)
        assert grid["events"].tolist() == [22, 26, 22]
        # R: survdiff p 0.0697 and 0.2099; cmprsk::cuminc Gray p 0.0663.
        assert grid["test"].tolist() == ["log-rank p = 0.070", "log-rank p = 0.21", "Gray p = 0.066"]

    def test_range_conventions_are_told_apart(self, exemplar):
        said = survival.range_conventions(survival.analyse(exemplar, TWO, "TTRLP"), "TTRLP")
        assert "IFN+IM: 0.37 years to 9.55 years over patients with the event, 0.37 years to 10.40 years" in said
        assert "IM: 0.08 years to 2.32 years over patients with the event" in said

    def test_arms_pooled_on_request(self, exemplar):
        found = survival.analyse(exemplar, TWO, "TTRLP", pooled=True)
        assert results.pick(found, "range.TTRLP.all.all.max_any")["value"] == 3799
        assert results.pick(found, "km.TTRLP.all.all.median")["n"] == 31
        assert "all:" not in survival.reading(found, TWO, "TTRLP")
        assert not survival.analyse(exemplar, TWO, "TTRLP")["arm"].eq("all").any()

    def test_a_name_given_twice_is_refused(self, exemplar):
        rows = survival.analyse(exemplar, TWO, "TTRLP")
        with pytest.raises(ValueError, match="named twice"):
            survival.together(rows, rows)

    def test_one_arm_has_no_contrast(self):
        found = survival.analyse(adtte([("a", "IM", 90, 0), ("b", "IM", 200, 1)]), ONE, "TTRLP")
        assert not found["result_id"].str.contains(" vs ").any()
        assert "nothing to compare" in survival.reading(found, ONE, "TTRLP")
        assert survival.definition_grid(found, ONE).empty
        assert survival.table(found, contrasts=True).empty

    def test_an_arm_without_patients_is_left_out(self):
        found = survival.analyse(adtte([("a", "IM", 90, 0), ("b", "IM", 200, 1)]), TWO, "TTRLP")
        assert set(found["arm"]) == {"IM"}
        assert "nothing to compare" in survival.reading(found, TWO, "TTRLP")

    def test_absent_endpoint_gives_no_rows_and_one_sentence(self):
        empty = adtte([("a", "IM", 90, 0)])
        assert survival.analyse(empty, ONE, "OSMT").empty
        assert survival.analyse_truncated(empty, ONE).empty
        assert "does not record" in survival.reading(survival.analyse(empty, ONE, "OSMT"), ONE, "OSMT")

    def test_nobody_relapsed(self):
        rows = [("a", "IM", 90, 1), ("b", "IM", 200, 1), ("c", "IFN+IM", 300, 1)]
        found = survival.analyse(adtte(rows), TWO, "TTRLP")
        shown = found.set_index("result_id")["display"]
        assert shown["km.TTRLP.all.IM.median"] == "not reached"
        assert shown["logrank.TTRLP.all.IFN+IM vs IM.p"] == "not estimable: no events"
        assert shown["cox.TTRLP.all.IFN+IM vs IM.HR"] == "not estimable: no events"
        assert shown["range.TTRLP.all.IM.min"] == "no events"

    def test_left_truncation_starts_the_risk_at_entry(self, exemplar):
        found = survival.analyse_truncated(exemplar, TWO)
        # R: coxph(Surv(entry, time, event) ~ arm, ties = "efron") in data/r_reference.json.
        ratio = results.pick(found, "cox_truncated.OSDX.all.IFN+IM vs IM.HR")
        assert ratio["value"] == pytest.approx(0.52164918981377, rel=1e-9)
        assert {"km_truncated", "logrank_truncated", "cox_truncated"} == set(found["analysis"])
        # R: sum over death times of d1 - d n1 / n, hypergeometric variance, at risk where entry < t <= time.
        assert results.pick(found, "logrank_truncated.OSDX.all.IFN+IM vs IM.p")["value"] == pytest.approx(
            0.1314988356266, rel=1e-9)
        # R's quantile() gives limits here that leave the median out; the first crossing does not.
        median = results.pick(found, "km_truncated.OSDX.all.IM.median")
        assert median["lower"] <= median["value"] <= median["upper"]

    def test_plain_median_of_wassmann(self):
        # Leukemia 2003;17:1919, Table 2: DFS 5, 5.4, 6.4, 9, 20.81+, 21.4+ months; plain median 7.7, printed 8.
        rows = [(str(i), "IM", days, cnsr) for i, (days, cnsr) in enumerate(
            [(152, 0), (164, 0), (195, 0), (274, 0), (633, 1), (651, 1)])]
        found = survival.analyse(adtte(rows), ONE, "TTRLP")
        assert results.pick(found, "range.TTRLP.all.IM.plain_median")["display"] == "7.7 months"

    def test_ten_thousand_patients(self):
        rng = np.random.default_rng(7)
        rows = pd.DataFrame({"USUBJID": np.arange(10_000).astype(str), "TRT01A": rng.choice(["IM", "IFN+IM"], 10_000),
                             "AVAL": rng.integers(1, 4000, 10_000), "CNSR": rng.integers(0, 3, 10_000)})
        made = adtte(rows.to_numpy().tolist())
        assert len(survival.analyse(made, TWO, "TTRLP")) == 31
        assert len(survival.analyse_sensitivity(made, TWO, "TTRLP")) == 12
        assert len(survival.analyse_restricted(made, TWO, "TTRLP")) == 4
        assert len(survival.analyse_milestones(made, TWO, "TTRLP")) == 4
        assert len(survival.analyse_competing(made, TWO)) == 12


class TestContrast:
    """Rows beyond the log-rank test and the Wald interval, on the made cohort; event is relapse unless said."""

    CONTRAST = "TTRLP.all.IFN+IM vs IM"

    def test_one_sided_is_half_of_two_sided_when_the_other_arm_fares_better(self, exemplar):
        found = survival.analyse(exemplar, TWO, "TTRLP")
        assert results.pick(found, f"logrank.{self.CONTRAST}.p_one_sided")["value"] == pytest.approx(
            0.03484931177515, rel=1e-9)  # R: survdiff(Surv(time, code == 1) ~ arm)$pvalue / 2
        swapped = exemplar.assign(TRT01A=exemplar["TRT01A"].map({"IM": "IFN+IM", "IFN+IM": "IM"}))
        worse = survival.analyse(swapped, TWO, "TTRLP")
        assert results.pick(worse, f"logrank.{self.CONTRAST}.p_one_sided")["value"] == pytest.approx(
            1 - 0.03484931177515, rel=1e-9)

    def test_both_conventions_of_the_median(self, exemplar):
        found = survival.analyse(exemplar, TWO, "TTRLP").set_index("result_id")["value"]
        # R: quantile(survfit(...), 0.5) gives 273, the middle of the plateau from 168 to 378.
        assert found["km.TTRLP.all.IM.median"] == 273
        assert found["km.TTRLP.all.IM.median_first"] == 168
        assert found["km.TTRLP.all.IFN+IM.median_first"] == found["km.TTRLP.all.IFN+IM.median"] == 797

    # R: survdiff(..., rho = 1); Gehan by a loop over event times with weight n; coxph(...) and its $logtest.
    @pytest.mark.parametrize(("name", "expected"), [
        ("weighted_logrank.{}.fh10_p", 0.037025871313355), ("weighted_logrank.{}.gehan_p", 0.037025871313356),
        ("cox_profile.{}.HR", 0.46001599290794), ("cox_profile.{}.p", 0.082073234399812)])
    def test_as_r(self, exemplar, name, expected):
        found = survival.analyse_sensitivity(exemplar, TWO, "TTRLP")
        assert results.pick(found, name.format(self.CONTRAST))["value"] == pytest.approx(expected, rel=1e-9)

    def test_sensitivity_names_its_interval_and_its_test(self, exemplar):
        found = survival.analyse_sensitivity(exemplar, TWO, "TTRLP").set_index("result_id")["method"]
        assert found[f"firth.{self.CONTRAST}.HR"] == (
            "Cox model with Firth's penalty, Efron ties; penalised profile-likelihood 95% interval")
        assert found[f"cox_profile.{self.CONTRAST}.p"] == "Cox model, Efron ties; likelihood-ratio test"
        assert "late differences" in found[f"weighted_logrank.{self.CONTRAST}.fh01_p"]

    def test_cause_specific_relapse_is_time_to_relapse(self, exemplar):
        found = survival.analyse_cause_specific(exemplar, TWO).set_index("result_id")
        relapse = survival.analyse(exemplar, TWO, "TTRLP").set_index("result_id")["value"]
        assert found.loc[f"cause_specific.{self.CONTRAST}.relapse_HR", "value"] == relapse[f"cox.{self.CONTRAST}.HR"]
        dead = found.loc[f"cause_specific.{self.CONTRAST}.death_in_remission_HR"]
        assert "pushes the ratio to infinity" in dead["display"]  # R's coxph ends at 3e11 with p 0.99996
        assert dead["events"] == 4
        assert found.loc[f"cause_specific.{self.CONTRAST}.death_in_remission_firth_HR", "value"] > 1

    def test_restricted_means_as_r(self, exemplar):
        found = survival.analyse_restricted(exemplar, TWO, "TTRLP").set_index("result_id")
        # R: summary(survfit(Surv(time, code == 1) ~ arm), rmean = 1826)$table, variances of the arms added.
        assert found.loc["rmst.TTRLP.all.IFN+IM.mean[5 years]", "value"] == pytest.approx(1031, rel=1e-9)
        assert found.loc["rmst.TTRLP.all.IM.mean[5 years]", "value"] == pytest.approx(577.0833333333, rel=1e-9)
        difference = found.loc[f"rmst.{self.CONTRAST}.difference[5 years]"]
        assert difference["value"] == pytest.approx(453.9166666667, rel=1e-9)
        assert difference["display"] == "+1.24 years (95% CI -0.05 to 2.53)"
        assert found.loc[f"rmst.{self.CONTRAST}.p[5 years]", "value"] == pytest.approx(0.059279367336504, rel=1e-9)

    def test_restricted_means_read_aloud(self, exemplar):
        said = survival.restricted_reading(survival.analyse_restricted(exemplar, TWO, "TTRLP"), TWO, "TTRLP")
        assert said == ("Of the first 5 years, mean time free of relapse: IFN+IM 2.82 years (95% CI 1.96 to 3.69), "
                        "IM 1.58 years (95% CI 0.62 to 2.54); difference +1.24 years (95% CI -0.05 to 2.53), "
                        "p = 0.059.")
        assert survival.restricted_reading(results.frame([]), TWO, "TTRLP") == ""

    def test_milestone_as_r(self, exemplar):
        found = survival.analyse_milestones(exemplar, TWO, "TTRLP").set_index("result_id")
        # R: summary(survfit(...), times = 365), difference of log(-log S) over the root of its summed variances.
        assert found.loc[f"milestone.{self.CONTRAST}.difference[1 year]", "value"] == pytest.approx(
            0.18421052631579, rel=1e-9)
        assert found.loc[f"milestone.{self.CONTRAST}.p[1 year]", "value"] == pytest.approx(0.30304681562673, rel=1e-9)

    def test_a_horizon_beyond_follow_up_is_said_to_be(self):
        rows = [("a", "IM", 100, 0), ("b", "IM", 200, 1), ("c", "IFN+IM", 150, 0), ("d", "IFN+IM", 300, 1)]
        found = survival.analyse_restricted(adtte(rows), TWO, "TTRLP").set_index("result_id")["display"]
        assert found["rmst.TTRLP.all.IM.mean[5 years]"].startswith("not estimable: follow-up ends at day 200")
        assert found[f"rmst.{self.CONTRAST}.p[5 years]"].startswith("not estimable: IFN+IM: follow-up ends")

    @pytest.mark.parametrize("made", [survival.analyse_sensitivity, survival.analyse_milestones])
    def test_one_arm_has_no_contrast(self, made):
        assert made(adtte([("a", "IM", 90, 0), ("b", "IM", 200, 1)]), ONE, "TTRLP").empty
        assert survival.analyse_cause_specific(adtte([("a", "IM", 90, 0)]), ONE).empty

    def test_every_row_has_words_of_its_own_in_the_tables(self, exemplar):
        rows = survival.together(
            survival.analyse(exemplar, TWO, "TTRLP"), survival.analyse_sensitivity(exemplar, TWO, "TTRLP"),
            survival.analyse_restricted(exemplar, TWO, "TTRLP"), survival.analyse_cause_specific(exemplar, TWO))
        for contrasts in (False, True):
            shown = survival.table(rows, contrasts)
            of_arm = rows[rows["arm"] == shown.columns[1]]
            assert len(shown) == len(of_arm)
            assert not shown["statistic"].str.contains("_", regex=False).any()
        both = set(survival.table(rows)["statistic"]) | set(survival.table(rows, contrasts=True)["statistic"])
        assert {"restricted mean up to 5 years", "difference of the means up to 5 years", "log-rank test, one-sided",
                "median, first time at one half or below", "hazard ratio, Firth's penalty"} <= both

    def test_milestones_are_named_by_what_is_free_of_the_event(self, exemplar):
        shown = survival.table(survival.analyse_milestones(exemplar, TWO, "RFS"), contrasts=True)
        assert shown["statistic"].tolist()[:2] == ["difference, alive without relapse at 1 year",
                                                   "test of that difference at 1 year"]


class TestCompeting:
    # R cmprsk::crr(time, code, arm != reference, failcode = 1, gtol = 1e-12): exp(coef) and sqrt(var).
    @pytest.mark.parametrize(("name", "reference", "cause", "ratio", "se"), [
        ("sksurv_bmt", "ALL", 1, math.exp(-1.6044662186617), 0.6403130407659),
        ("sksurv_bmt", "ALL", 2, math.exp(0.76517028561278), 0.69879021034085),
        ("exemplar", "IM", 1, 0.46001599290794, 0.42839962847953)])
    def test_fine_gray_as_r(self, name, reference, cause, ratio, se):
        found = competing.fine_gray(pd.read_csv(DATA / f"{name}.csv"), reference, cause)
        assert found.value == pytest.approx(ratio, rel=1e-8)
        assert math.log(found.upper / found.lower) / (2 * 1.959964) == pytest.approx(se, rel=2e-3)

    def test_fine_gray_says_why_it_cannot(self):
        # All four deaths in remission fell in one arm: R's crr ends at exp(29.9).
        found = competing.fine_gray(pd.read_csv(DATA / "exemplar.csv"), "IM", 2)
        assert math.isnan(found.value)
        assert "only in the other arm" in found.note

    def test_ties_that_lifelines_gets_wrong(self):
        # R cmprsk::cuminc on load_bmt: transplant-related death in ALL at 12 months 0.17647 (lifelines: 0.118).
        data = pd.read_csv(DATA / "sksurv_bmt.csv")
        mine = data[data["arm"] == "ALL"]
        found = competing.incidence_at(mine, competing.cumulative_incidence(mine), 2, 12)
        assert found.value == pytest.approx(3 / 17)

    def test_nothing_is_claimed_after_the_last_follow_up(self):
        data = pd.DataFrame({"time": [1, 2], "code": [1, 0]})
        assert math.isnan(competing.incidence_at(data, competing.cumulative_incidence(data), 1, 3).value)
        finished = pd.DataFrame({"time": [1, 2], "code": [1, 2]})
        assert competing.incidence_at(finished, competing.cumulative_incidence(finished), 1, 3).value == 0.5

    def test_both_causes_and_survival_add_up(self, exemplar):
        data = survival.endpoint(exemplar, "TTRLP")
        mine = data[data["arm"] == "IFN+IM"]
        curve = competing.cumulative_incidence(mine)
        last = sum(competing.incidence_at(mine, curve, cause, 3000).value for cause in (1, 2))
        assert last == pytest.approx(15 / 19)  # no censoring before day 2885: 11 relapses and 4 deaths of 19

    def test_gray_says_why_it_cannot(self):
        data = pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "code": [1, 1]})
        assert competing.gray(data, 2).note == "nobody had this event"
        assert competing.gray(data.head(1), 1).note == "two arms are needed"


class TestCounts:
    ADSL = pd.DataFrame({
        "USUBJID": list("abcdef"), "TRT01A": ["IM"] * 4 + ["IFN+IM"] * 2,
        "STATUS": ["relapse", "relapse", "death in remission", "ongoing remission", "relapse", "ongoing remission"],
        "RELSITE": ["CNS", "BM+CNS", None, None, "BM", None], "TTEFL": ["Y"] * 5 + ["N"],
        "TTEEXCL": [None] * 5 + ["no date of last contact"]})

    def test_isolated_is_not_any(self):
        found = survival.analyse_counts(self.ADSL, TWO).set_index("result_id")
        assert found.loc["site.-.relapsed.IM.CNS", "value"] == 1
        assert found.loc["site.-.relapsed.IM.CNS_percent", "value"] == 50
        assert found.loc["site.-.relapsed.IM.CNS_any", "value"] == 2
        assert found.loc["status.-.all.IM.relapse", "display"] == "2 of 4 (50.0%; 95% CI 6.8 to 93.2)"

    def test_who_is_left_out_and_why(self):
        found = survival.left_out(self.ADSL)
        assert found.to_numpy().tolist() == [["IFN+IM", "no date of last contact", 1, "f"]]
        assert survival.left_out(self.ADSL.head(2)).empty
        counts = survival.analyse_counts(self.ADSL, TWO).set_index("result_id")["value"]
        assert (counts["count.-.all.IFN+IM.n"], counts["count.-.all.IFN+IM.usable"]) == (2, 1)

    def test_sites_never_recorded_are_not_zero(self):
        unknown = self.ADSL.assign(RELSITE=None)
        assert "site" not in set(survival.analyse_counts(unknown, TWO)["analysis"])

    def test_a_site_recorded_for_some_is_said_to_be(self):
        partly = self.ADSL.assign(RELSITE=["CNS", None, None, None, None, None])
        found = survival.analyse_counts(partly, TWO).set_index("result_id")
        assert found.loc["site.-.relapsed.IM.unknown", "display"].startswith("1 of 2")
        assert "site.-.relapsed.IFN+IM.CNS" not in found.index

    # R: binom.test(3, 19)$conf.int, binom.test(0, 12)$conf.int.
    @pytest.mark.parametrize(("count", "total", "expected"), [
        (3, 19, (3 / 19, 0.03382624900176, 0.3957845512667)), (0, 12, (0, 0, 0.2646484693971))])
    def test_exact_interval(self, count, total, expected):
        assert survival.proportion(count, total) == pytest.approx(expected, rel=1e-10)

    def test_no_patients_no_proportion(self):
        assert math.isnan(survival.proportion(0, 0).value)

    def test_ongoing_times_are_sorted(self, exemplar):
        data = survival.endpoint(exemplar, "TTRLP")
        ongoing = data.loc[data["code"] == 0, "patient"]
        adsl = pd.DataFrame({"USUBJID": ongoing, "STATUS": "ongoing remission"})
        found = survival.analyse_ongoing(adsl, data, TWO)
        assert found["value"].tolist() == [2885, 3141, 3799, 2374, 2776]
        assert found["statistic"].tolist() == ["time1", "time2", "time3", "time1", "time2"]


class TestBaseline:
    def test_medians_ranges_and_what_is_not_recorded(self):
        adsl = pd.DataFrame({"TRT01A": ["IM", "IM", "IM", "IFN+IM"], "AGE": [60, 71, None, 66], "NCYCLES": None,
                             "DXDY": [-300, -365, -340, None], "SEX": ["F", "M", "F", "M"], "TRANSC": None})
        rows = survival.analyse_baseline(adsl, TWO)
        assert results.pick(rows, "age.-.all.IM.median")["value"] == 65.5
        assert results.pick(rows, "age.-.all.IM.median")["n"] == 2
        assert results.pick(rows, "lead.-.all.IM.max")["value"] == 365
        shown = survival.baseline_table(rows, TWO).set_index("characteristic")
        assert shown.loc["months from diagnosis to the time origin", "IFN+IM"] == "not recorded"
        assert shown.loc["sex: F", "IFN+IM"] == "0 of 1 (0%)"
        assert not shown.index.str.contains("cycles").any()
