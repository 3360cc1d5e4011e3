"""The definition grid: every cell against R, what a cohort allows, and sentences that say what the rows say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import results, survival
from remission.study import Arm, Study
from remission.survival import licence
from remission.survival.grid import RULES, TESTS, clocks, rules

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("IFN+IM", "Combination"), Arm("IM", "Imatinib", True)), report_unit="year")
CONTRAST = "IFN+IM vs IM"


def tables(frame, diagnosis=None, remission=None):
    """adsl and adtte of patient, arm, time and code (0 censored, 1 relapse, 2 death in remission)."""
    adtte = pd.DataFrame({"USUBJID": frame["patient"], "TRT01A": frame["arm"], "PARAMCD": "TTRLP", "PARAM": "TTRLP",
                          "ORIGIN": "start of maintenance", "AVAL": frame["time"], "ENTRYDY": 0,
                          "CNSR": frame["code"].map({1: 0, 0: 1, 2: 2})})
    missing = pd.array([pd.NA] * len(frame), dtype="Int64")
    return pd.DataFrame({"USUBJID": frame["patient"], "CRDY": missing if remission is None else remission,
                         "DXDY": missing if diagnosis is None else diagnosis}), adtte


def made(name, arm=None):
    one = pd.read_csv(DATA / f"{name}.csv")
    one["code"] = one["code"] if "code" in one else one["event"]
    arms = one["arm"] if arm is None else one["arm"].map(arm)
    return one.assign(patient=[str(number) for number in range(len(one))], arm=arms)


@pytest.fixture(scope="module")
def rows():
    """The grid of the made cohort of 19 + 12, with diagnosis at the days of its column `entry`."""
    one = made("exemplar")
    return survival.grid(*tables(one, diagnosis=-one["entry"]), TWO, seed=1)


@pytest.fixture(scope="module")
def cells(rows):
    return survival.specifications(rows, TWO)


def value(rows, place, statistic):
    return results.pick(rows, f"grid.{place}.all.{CONTRAST}.{statistic}")["value"]


# R on data/exemplar.csv, with S = Surv(time, event), time + entry for diagnosis, Surv(entry, time + entry, event) for
# delayed entry: HR, Wald and likelihood-ratio p of coxph(S ~ x, ties = "efron"), eps 1e-14; log-rank p of survdiff, and
# under delayed entry the score test of coxph (no tied events); ratio of quantile(survfit(S ~ arm), 0.5).
R = {
    "relapse@start": (0.46001599290794, 0.076720022790091, 0.082073234399812, 0.069698623550301, 2.9194139194139),
    "relapse@diagnosis": (0.48084912083961, 0.095079661498168, 0.10050819562369, 0.08802020115269, 1.7106109324759),
    "relapse@diagnosis_truncated": (0.49031606143796, 0.10740428321376, 0.11323930439434, 0.10063863269294,
                                    3.4322580645161),
    "either@start": (0.6009848264785, 0.21466849601059, 0.22447125002951, 0.20986731785491, 2.9194139194139),
    "either@diagnosis": (0.62402002523773, 0.25063387158042, 0.25982604120143, 0.24637541636379, 1.7106109324759),
    "either@diagnosis_truncated": (0.6372563011937, 0.27684341959228, 0.28582607572501, 0.2731050981573,
                                   3.4322580645161),
    "excluded@start": (0.66021913176292, 0.34470994133538, 0.34792389005484, 0.34136012018935, 2.3809523809524),
    "excluded@diagnosis": (0.69240285904572, 0.40214359402847, 0.40477156041815, 0.39955831057957, 1.4807073954984),
    "excluded@diagnosis_truncated": (0.69855501539601, 0.41676167508269, 0.41938476209713, 0.41441672116603,
                                     2.9709677419355),
}


@pytest.mark.parametrize("place", R)
class TestAgainstR:
    def test_hazard_ratio(self, rows, place):
        assert value(rows, place, "profile_HR") == pytest.approx(R[place][0], rel=1e-9)
        assert value(rows, place, "HR") == pytest.approx(R[place][0], rel=1e-9)

    def test_wald_and_likelihood_ratio(self, rows, place):
        assert value(rows, place, "cox_wald_p") == pytest.approx(R[place][1], rel=1e-9)
        assert value(rows, place, "cox_lr_p") == pytest.approx(R[place][2], rel=1e-9)

    def test_log_rank(self, rows, place):
        assert value(rows, place, "logrank_p") == pytest.approx(R[place][3], rel=1e-9)
        assert value(rows, place, "one_sided_p") == pytest.approx(R[place][3] / 2, rel=1e-9)

    def test_ratio_of_medians(self, rows, place):
        assert value(rows, place, "median_ratio") == pytest.approx(R[place][4], rel=1e-9)


class TestCells:
    # R: coin::logrank_test(Surv(time, event) ~ arm, distribution = "exact").
    @pytest.mark.parametrize(("place", "expected"), [
        ("relapse@diagnosis", 0.10959484454866), ("excluded@start", 0.36261842881846)])
    def test_permutation_is_exact_at_this_size(self, rows, place, expected):
        assert value(rows, place, "permutation_p") == pytest.approx(expected, rel=1e-9)

    # R: cmprsk::cuminc(...)$Tests and cmprsk::crr(..., gtol = 1e-12).
    @pytest.mark.parametrize(("place", "gray", "ratio"), [
        ("competing@start", 0.066258008861065, 0.46001599290794),
        ("competing@diagnosis", 0.085617104897825, 0.48084912083961)])
    def test_death_competing(self, rows, place, gray, ratio):
        assert value(rows, place, "gray_p") == pytest.approx(gray, rel=1e-9)
        assert value(rows, place, "subdistribution_HR") == pytest.approx(ratio, rel=1e-8)

    def test_every_cell_has_p_and_hazard_ratio_and_ratio_of_medians(self, cells):
        assert not cells[["p", "estimate", "lower", "upper", "median_ratio"]].isna().any(axis=None)
        # 3 clocks x 9 tests x 3 rules, without permutation under delayed entry; Gray and Fine-Gray from 2 clocks.
        assert len(cells) == 3 * (9 + 9 + 8) + 2 * 2
        assert not cells.duplicated(["rule", "origin", "test"]).any()

    def test_one_cell_is_primary_and_is_the_headline(self, cells):
        adtte = tables(made("exemplar"))[1]
        headline = survival.analyse(adtte, TWO, "TTRLP").set_index("result_id")["value"]
        primary = cells[cells["primary"]]
        assert len(primary) == 1
        assert primary["p"].item() == headline[f"logrank.TTRLP.all.{CONTRAST}.p"]
        assert primary["estimate"].item() == headline[f"cox.TTRLP.all.{CONTRAST}.HR"]

    def test_wrong_reading_is_labelled(self, cells):
        assert set(cells.loc[cells["wrong"], "rule"]) == {"wrong: the dead in remission left out"}
        assert (cells.loc[cells["wrong"], "n"] == 27).all()

    def test_no_permutation_and_no_gray_under_delayed_entry(self, cells):
        late = cells[cells["origin_key"].str.endswith("_truncated")]
        assert not set(late["test_key"]) & {"permutation", "gray", "fine_gray"}

    def test_order_of_patients_does_not_matter(self, rows):
        one = made("exemplar").sample(frac=1, random_state=3)
        again = survival.grid(*tables(one, diagnosis=-one["entry"]), TWO, seed=1)
        assert again["value"].to_numpy() == pytest.approx(rows["value"].to_numpy(), rel=1e-9)

    def test_arms_swapped(self, rows):
        one = made("exemplar", {"IM": "IFN+IM", "IFN+IM": "IM"})
        swapped = survival.grid(*tables(one, diagnosis=-one["entry"]), TWO, seed=1)
        both = rows[["result_id", "statistic", "value"]].merge(swapped[["result_id", "value"]], on="result_id")
        kind = both["statistic"]
        ratio, sided = kind.str.contains("HR|median"), kind == "one_sided_p"
        assert (both["value_x"] * both["value_y"])[ratio].to_numpy() == pytest.approx(1, rel=1e-8)
        assert (both["value_x"] + both["value_y"])[sided].to_numpy() == pytest.approx(1, rel=1e-9)
        rest = both[~ratio & ~sided]
        assert rest["value_x"].to_numpy() == pytest.approx(rest["value_y"].to_numpy(), rel=1e-7)

    def test_table_has_a_line_a_rule_and_clock(self, rows):
        shown = survival.grid_table(rows, TWO)
        assert len(shown) == 3 * 3 + 2
        first = shown.iloc[0]
        assert (first["events"], first["p, log-rank"], first["p, Gray"]) == ("22 of 31", "0.070", "-")
        assert first["hazard ratio"] == "0.46 (0.19 to 1.09)"
        assert shown.loc[shown["event"] == RULES["competing"], "p, Gray"].tolist() == ["0.066", "0.086"]


class TestWhatACohortAllows:
    def test_without_deaths_in_remission_the_rules_are_one(self):
        assert rules(pd.DataFrame({"code": [0, 1]})) == ["relapse"]
        assert rules(pd.DataFrame({"code": [0, 2]})) == list(RULES)

    def test_scope_is_said(self):
        one = made("exemplar")
        assert survival.grid_scope(*tables(one, diagnosis=-one["entry"]), TWO) == (
            "*Event rules:* 4. *Clocks:* start of maintenance; diagnosis; diagnosis, delayed entry. "
            "*Not possible here:* first complete remission is not recorded.")
        assert "one, since nobody died in remission" in survival.grid_scope(*tables(one.assign(code=1)), TWO)

    def test_clocks_and_why_not(self):
        adsl = pd.DataFrame({"USUBJID": ["a", "b"], "CRDY": pd.array([5, -3], dtype="Int64"),
                             "DXDY": pd.array([pd.NA, pd.NA], dtype="Int64")})
        found, absent = clocks(adsl, pd.DataFrame({"patient": ["a", "b"]}), TWO)
        assert [clock.name for clock in found] == ["start"]
        assert absent == ["first complete remission comes after the start of observation in 1 of 2 patients",
                          "diagnosis is not recorded"]

    def test_a_patient_without_the_date_is_missing_from_that_clock_alone(self):
        one = made("exemplar")
        diagnosis = pd.array(-one["entry"], dtype="Int64")
        diagnosis[0] = pd.NA
        found = survival.specifications(survival.grid(*tables(one, diagnosis=diagnosis), TWO, seed=1), TWO)
        said = survival.grid_scope(*tables(one, diagnosis=diagnosis), TWO)
        assert "From diagnosis: the 30 of 31 patients with that date." in said
        right = found[~found["wrong"]]
        assert right.groupby("origin_key")["n"].unique().map(list).to_dict() == {
            "start": [31], "diagnosis": [30], "diagnosis_truncated": [30]}

    def test_who_left_on_the_day_of_entry_is_not_at_risk(self):
        one = made("exemplar")
        one.loc[0, "time"] = 0
        found = survival.grid(*tables(one, diagnosis=-one["entry"]), TWO, seed=1)
        assert found.groupby("endpoint")["n"].first()["relapse@diagnosis_truncated"] == 30
        assert found.groupby("endpoint")["n"].first()["relapse@diagnosis"] == 31

    def test_too_many_patients_for_an_exact_test(self):
        rng = np.random.default_rng(5)
        many = pd.DataFrame({"patient": np.arange(300).astype(str), "arm": rng.choice(["IM", "IFN+IM"], 300),
                             "time": rng.integers(1, 4000, 300), "code": rng.integers(0, 3, 300)})
        found = survival.grid(*tables(many), TWO, seed=1, draws=500)
        row = results.pick(found, f"grid.relapse@start.all.{CONTRAST}.permutation_p")
        assert "Monte Carlo, 500 allocations, seed 1" in row["method"]
        assert "Monte Carlo standard error 0.0" in row["display"]

    def test_nobody_relapsed_is_said_in_every_cell(self):
        few = pd.DataFrame({"patient": list("abcd"), "arm": ["IM", "IM", "IFN+IM", "IFN+IM"], "time": [9, 8, 7, 6],
                            "code": 0})
        found = survival.grid(*tables(few), TWO, seed=1)
        assert found["display"].str.startswith("not estimable: ").all()
        assert set(survival.specifications(found, TWO)["note"]) == {"no events"}
        assert survival.grid_reading(found, TWO) == ""

    @pytest.mark.parametrize("arms", [TWO.arms[1:], (*TWO.arms, Arm("C", "third"))])
    def test_silent_without_two_arms(self, arms):
        study = replace(TWO, arms=arms)
        found = survival.grid(*tables(made("exemplar")), study, seed=1)
        assert found.empty
        assert survival.specifications(found, study).empty
        assert survival.grid_table(found, study).empty
        assert survival.grid_scope(*tables(made("exemplar")), study) == ""
        assert survival.grid_reading(found, study) == ""


class TestLicence:
    def test_counts_in_the_sentence_are_those_of_the_cells(self, rows, cells):
        said = survival.grid_reading(rows, TWO)
        right = cells[~cells["wrong"]]
        two, one = right[right["test_key"] != "one_sided"], right[right["test_key"] == "one_sided"]
        counts = re.search(r"Of (\d+) two-sided .*?, (\d+) \(.*?\) give p below 0.05 and (\d+) \(.*?"
                           r"\(0.065 up to 0.075\); one-sided (\d+) and (\d+) of (\d+)\.", said).groups()
        two_counts, one_counts = ([(part["p"] < 0.05).sum(), ((part["p"] >= 0.065) & (part["p"] < 0.075)).sum()]
                       for part in (two, one))
        assert list(map(int, counts)) == [len(two), *two_counts, *one_counts, len(one)]
        assert f"the hazard ratio from {two['estimate'].min():.2f} to {two['estimate'].max():.2f}" in said
        assert f"its {(cells['wrong'] & (cells['test_key'] != 'one_sided')).sum()} cells" in said
        assert "Whether the two-sided p is below 0.05 depends on what the words meant" in said
        assert "every hazard ratio is below 1" in said

    def test_a_window_can_be_given(self, rows):
        assert "(0.2 up to 0.3)" in survival.grid_reading(rows, TWO, window=(0.2, 0.3))

    def test_a_cohort_with_one_rule_and_one_clock(self):
        one = made("drug6mp", {"6-MP": "IFN+IM", "placebo": "IM"})
        said = survival.grid_reading(survival.grid(*tables(one), TWO, seed=1), TWO)
        assert "Only the test can be chosen here" in said
        assert "Whatever the words meant, the two-sided p is below 0.05; every hazard ratio is below 1" in said
        assert "none of their 3 intervals include 1" in said
        assert "died in remission" not in said

    def test_no_difference_licenses_no_claim(self):
        same = pd.DataFrame({"patient": [str(number) for number in range(12)], "arm": ["IM", "IFN+IM"] * 6,
                             "time": [5, 6, 12, 11, 17, 18, 25, 24, 31, 32, 41, 40], "code": 1})
        said = survival.grid_reading(survival.grid(*tables(same), TWO, seed=1), TWO)
        assert "Whatever the words meant, the two-sided p is not below 0.05" in said

    def test_what_moves_p_most(self):
        grid = pd.DataFrame([("a", "s", "logrank", 0.1), ("a", "s", "gehan", 0.2), ("b", "s", "logrank", 0.5),
                             ("b", "s", "gehan", 0.6), ("c", "s", "gray", 0.1), ("a", "s", "one_sided", 0.0001)],
                            columns=["rule", "origin", "test_key", "p"]).assign(wrong=False)
        found = licence.axis_factors(grid)
        assert found["rule"] == pytest.approx((5 + 3) / 2)  # log-rank over a, b and Gray's c: 5; Gehan over a, b: 3
        assert found["test"] == pytest.approx((2 + 1.2) / 2)
        assert math.isnan(found["origin"])

    @pytest.mark.parametrize(("p", "window"), [
        (0.0697, (0.065, 0.075)), (0.065, (0.065, 0.075)), (0.0749, (0.065, 0.075)), (0.21, (0.205, 0.215)),
        (0.00068, (0.00065, 0.00075)), (0.00002, (0, 0.0001)), (1.0, (0.995, 1.005))])
    def test_printed_window(self, p, window):
        found = survival.printed_window(pd.DataFrame({"primary": [True], "p": [p]}))
        assert found == pytest.approx(window)
        assert found[0] <= p < found[1]

    def test_every_test_has_its_words(self, cells):
        assert {kind.words for kind in TESTS.values()} == set(cells["test"])
