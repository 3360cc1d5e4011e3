"""An abstract asked from end to end: what must come out can be told by hand or from the patients themselves."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from remission import store
from remission.ensemble import inquiry, own, report
from remission.ensemble.abstract import Quantity, read
from remission.ensemble.unprinted import Target
from remission.estimators import wording
from remission.study import DAYS

PATIENTS = 21


@pytest.fixture(scope="module")
def asked():
    """6-MP against placebo, known by its printed summary: a small inquiry."""
    found = inquiry.bound(inquiry.draw(inquiry.begin("freireich1963", 63), 240, 150), 40, 4, 4)
    return inquiry.switch(inquiry.weigh(found, 100, 4, 2), ["no such reading"], 4, 40, 4, 1)


@pytest.fixture(scope="module")
def beside(asked):
    return own.beside(asked.settled, own.of(store.read("freireich1963", "adtte"), asked))


@pytest.fixture
def nothing():
    """A cohort without an abstract, through every step."""
    empty = inquiry.bound(inquiry.draw(inquiry.begin("wassmann2003", 1), 100, 10), 10, 4, 1)
    return inquiry.switch(inquiry.weigh(empty, 10, 4, 1), ["one-sided"], 4, 10, 4, 1)


def settled(asked, target):
    return asked.settled.set_index("target").loc[target]


class TestExtremes:
    def test_a_shortest_relapse_at_six_weeks_pins_the_curve_before(self, asked):
        one = settled(asked, "survival.relapse.6-MP[5]")
        assert (one["lower"], one["upper"], one["verdict"]) == (1, 1, "pinned")

    def test_ends_that_follow_from_a_median_are_found(self, asked):
        # All 21 placebo patients relapse and the 11th of them at week 8: before it at most ten have, so 11/21 or more
        # are left at week 5; after it at least eleven have, so 10/21 or fewer at week 10.
        assert settled(asked, "survival.relapse.placebo[5]")["lower"] == pytest.approx(11 / PATIENTS)
        assert settled(asked, "survival.relapse.placebo[10]")["upper"] == pytest.approx(10 / PATIENTS)

    def test_no_drawn_cohort_lies_outside(self, asked):
        for row in asked.settled.itertuples():
            assert row.lower <= asked.found.draws[row.target].min() and asked.found.draws[row.target].max() <= row.upper

    def test_one_seed_gives_one_answer(self, asked):
        again = inquiry.bound(inquiry.draw(inquiry.begin("freireich1963", 63), 240, 150), 40, 4, 4)
        again = inquiry.weigh(again, 100, 4, 2)
        pd.testing.assert_frame_equal(again.settled, asked.settled)

    def test_under_the_first_reading_what_is_settled_stands(self, asked):
        first = asked.switched.set_index("target").loc["hazard_ratio.relapse"]
        assert tuple(first[["lower", "upper"]]) == tuple(settled(asked, "hazard_ratio.relapse")[["lower", "upper"]])
        assert set(asked.switched["reading"]) == {"as read here"}


class TestOwnValues:
    def test_as_published_and_as_r_has_them(self, asked, beside):
        """Klein and Moeschberger, 2nd edition, table 4.1A: S(10) = 0.753, S(16) to S(22) = 0.627. R 4:
        coxph(Surv(time, cens) ~ treat, MASS::gehan), exp(coef) 4.817 for control, Efron; survdiff p 4e-05."""
        found = beside.set_index("target")["own"]
        assert found["survival.relapse.6-MP[10]"] == pytest.approx(0.753, abs=0.0005)
        assert found["survival.relapse.6-MP[20]"] == pytest.approx(0.627, abs=0.0006)
        assert found["hazard_ratio.relapse"] == pytest.approx(1 / 4.817, abs=0.0001)
        p = Target("p", "", "", "p", Quantity("p", "relapse"))
        values = own.values(store.read("freireich1963", "adtte"), asked.abstract, [p])
        assert values["p"] == pytest.approx(4e-5, abs=0.5e-5)

    def test_the_truth_lies_between_the_extremes(self, beside, asked):
        assert beside["inside"].all() and len(beside) == len(asked.settled)

    def test_a_value_outside_is_said_to_be(self):
        table = pd.DataFrame({"target": ["x"], "lower": [0.2], "upper": [0.4]})
        assert own.beside(table, {"x": 0.41})["inside"].tolist() == [False]

    def test_arms_of_other_names_are_not_compared(self, asked):
        adtte = store.read("freireich1963", "adtte").assign(TRT01A="other")
        assert own.values(adtte, asked.abstract, asked.found.targets) == {}

    def test_deaths_and_follow_up_of_the_synthetic_cohort(self):
        """The same numbers as notebook 03 has: incidence with death competing, reverse Kaplan-Meier."""
        from remission import results

        abstract, adtte = read("ash2012_reconstructed"), store.read("ash2012_reconstructed", "adtte")
        arm, at = "IFN+IM", abstract.per_unit
        targets = [Target("died", "", arm, "probability", Quantity("incidence", "death_in_remission", arm, at=3 * at)),
                   Target("follow-up", "", arm, "time", Quantity("median", "follow_up", arm)),
                   Target("mean", "", "", "time", Quantity("rmst_difference", "relapse_or_death", at=5 * at)),
                   Target("groups", "", arm, "p", Quantity("p", "relapse", arm))]
        found = own.values(adtte, abstract, targets)
        known = results.load("ash2012_reconstructed")
        days = results.pick(known, "rmst.RFS.all.IFN+IM vs IM.difference[5 years]")["value"]
        assert found["mean"] == pytest.approx(days, abs=0.3)  # a horizon of 1826 days there, 1826.25 here
        rows = adtte[(adtte["PARAMCD"] == "TTRLP") & (adtte["TRT01A"] == arm)]
        early = ((rows["CNSR"] == 2) & (rows["AVAL"] <= 3 * DAYS["year"])).sum() / len(rows)
        assert found["died"] == pytest.approx(early)  # nobody is censored alive before three years
        followed = results.pick(known, f"followup.OSMT.all.{arm}.median")["value"]
        assert found["follow-up"] == pytest.approx(followed)
        assert "groups" not in found


class TestWorth:
    def test_the_number_that_pins_a_curve_opens_it_when_left_out(self, asked):
        mine = asked.worth[asked.worth["target"] == "survival.relapse.6-MP[5]"].set_index("claim")
        assert math.isinf(mine.loc["A01", "widening"]) and mine.loc["A03", "widening"] == 1

    def test_leaving_a_number_out_never_narrows(self, asked):
        assert (asked.worth["widening"] >= 1).all()

    def test_the_table_names_claims_with_their_numbers(self, asked):
        table = report.worth_table(asked)
        row = table[table["with every claim"] == "100.0%"].iloc[0]
        assert (row["without"], row["printed"]) == ("A01: shortest time to relapse, 6-MP", "6")
        assert (table["widening"] >= report.VISIBLE).all()


class TestWords:
    def test_every_number_of_the_table_is_one_of_the_settled(self, asked, beside):
        table = report.verdict_table(asked, beside)
        one = settled(asked, "rmst_difference.relapse[20]")
        row = table[table["quantity"].str.startswith("difference of mean")].iloc[0]
        assert row["extremes"] == f"{wording.signed(one['lower'], 1)} to {wording.signed(one['upper'], 1)} weeks"
        assert list(table["inside"]) == ["yes"] * len(table)
        assert "own tables" not in report.verdict_table(asked)

    def test_counts_add_up(self, asked):
        said = report.verdict_reading(asked)
        numbers = [int(word) for word in said.split(".")[0].replace(",", " ").split() if word.isdigit()]
        assert numbers[0] == sum(numbers[1:]) == len(asked.settled)

    def test_agreement_is_counted_and_not_claimed(self, asked):
        assert f"{len(asked.found.draws):,} of them agree with all 9 printed numbers" in report.drawn(asked)

    def test_real_and_synthetic_patients_are_told_apart(self, asked, beside):
        said = report.place_reading(asked, beside, synthetic=False)
        assert said.startswith(f"**Held against the truth.** {len(beside)} of the {len(beside)} quantities")
        assert "one of many" in report.place_reading(asked, beside, synthetic=True)
        moved = beside.assign(inside=[False, *[True] * (len(beside) - 1)])
        assert "outside: hazard ratio of relapse" in report.place_reading(asked, moved, synthetic=False)

    def test_diagnostics_are_given_for_every_family(self, asked):
        table = report.diagnostics_table(asked)
        assert table["draws"].sum() == len(asked.found.draws) and len(table) == 4
        assert (table["effective number, least"] <= table["effective number, median"]).all()

    def test_a_pinned_ratio_beside_an_open_curve_is_said(self, asked):
        ratio = asked.settled["target"] == "hazard_ratio.relapse"
        changed = asked._replace(settled=asked.settled.assign(
            verdict=asked.settled["verdict"].mask(ratio, "pinned")))
        said = report.surprises(changed)
        assert any("is pinned to" in one and "can be anything from" in one for one in said)

    @pytest.mark.parametrize(("low", "high", "scale", "said"), [
        (0.0004, 0.07, "p", "0.0004 to 0.070"), (0.00001, 0.2, "p", "< 0.0001 to 0.20"),
        (0.5, math.inf, "hazard ratio", "0.50 to infinite"), (20.0, math.inf, "time", "20.0 weeks to not reached"),
        (0.123, 0.123, "power", "12.3%")])
    def test_spans(self, low, high, scale, said):
        assert report.span(low, high, scale, read("freireich1963")).replace("0.00040", "0.0004") == said


class TestRows:
    def test_times_are_in_days_and_ends_are_the_extremes(self, asked):
        rows = report.rows(asked).set_index("result_id")
        one = rows.loc["ensemble.TTRLP.all.6-MP vs placebo.rmst_difference[20 weeks]"]
        known = settled(asked, "rmst_difference.relapse[20]")
        assert one["unit"] == "d"
        np.testing.assert_allclose(one[["lower", "upper"]].astype(float), 7 * known[["lower", "upper"]].astype(float))
        assert len(rows) == len(asked.settled) and "seed 63" in one["method"]

    def test_what_is_not_reached_is_empty(self, asked):
        timed = asked.settled[asked.settled["scale"] == "time"]
        rows = report.rows(asked._replace(settled=timed.assign(upper=math.inf)))
        assert rows["upper"].isna().all() and rows["display"].str.contains("to not reached").all()


class TestWithoutAnAbstract:
    def test_every_part_says_so_in_one_line(self, nothing):
        said = [report.subject(nothing), report.drawn(nothing), report.diagnostics_reading(nothing),
                report.verdict_reading(nothing), report.worth_reading(nothing), *report.surprises(nothing),
                report.place_reading(nothing, own.beside(nothing.settled, {}), synthetic=False)]
        assert set(said) == {f"*{inquiry.NOTHING}*"}
        for table in (report.diagnostics_table(nothing), report.verdict_table(nothing), report.worth_table(nothing),
                      report.switched_table(nothing), report.rows(nothing)):
            assert table.empty
        assert inquiry.contradictions(nothing) is None

    def test_claims_that_no_cohort_satisfies_end_in_a_note(self, tmp_path, monkeypatch):
        import shutil

        from remission import paths

        shutil.copytree(paths.raw("freireich1963"), tmp_path / "data/raw/freireich1963")
        shutil.copy(paths.root() / "pyproject.toml", tmp_path)
        monkeypatch.chdir(tmp_path)
        file = tmp_path / "data/raw/freireich1963/abstract.toml"
        text = file.read_text().replace('printed = "8"', 'printed = "40"')  # a median beyond the longest time, 23
        file.write_text(text)
        found = inquiry.draw(inquiry.begin("freireich1963", 1), 40, 10)
        assert found.found is None and "no cohort" in report.drawn(found)
        assert inquiry.contradictions(found)[1] != []
