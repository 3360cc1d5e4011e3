"""Which cohorts a report allows, and whether one printed p can stand for both readings of remission duration."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from conftest import COHORTS

from remission import batch, identification, ledger, study
from remission.estimators import comparisons
from remission.identification import cohorts, extremes, lattice, printed
from remission.identification.lattice import Rules, Step
from remission.identification.printed import Group, Printed, Window

ASH = "ash2012_reconstructed"
CONTRAST = "IFN+IM vs IM"


@pytest.fixture(scope="module")
def report():
    read = study.read(ASH)
    return printed.read(ledger.read_claims(read), read)


@pytest.fixture(scope="module")
def joint():
    read = study.read(ASH)
    return identification.analyse(ledger.read_claims(read), read, draws=2000, seed=2012)


def p_values(data, reference="IM"):
    ended = data.assign(event=data["code"] != 0)
    return [comparisons.logrank(frame, reference).p for frame in (data, ended)]


def cohort(other, reference):
    """Days as text: + ongoing, d death in remission."""
    rows = [(arm, int(day.rstrip("+d")), {"+": 0, "d": 2}.get(day[-1], 1))
            for arm, days in (("IFN+IM", other), ("IM", reference)) for day in days.split()]
    data = pd.DataFrame(rows, columns=["arm", "time", "code"])
    return data.assign(event=data["code"] == 1, entry=0)


class TestPrinted:
    def test_windows_hold_the_days_that_print_as_the_claim(self, report):
        # 2.15 to 2.25 years are 785.29 to 821.81 days, so 1571 to 1643 half days; 0.745 to 0.755 are 272.11 to 275.76.
        assert report.other.median == (1571, 1643)
        assert report.reference.median == (545, 551)
        assert report.other.shortest == (128, 164)  # 127.84 to 164.36 days
        assert report.other.longest == (3452, 3488)
        assert report.last_exit == (2758, 2794)
        assert (report.p_lower, report.p_upper) == (0.065, 0.075)

    def test_deaths_are_what_relapses_and_ongoing_remissions_leave(self, report):
        assert (report.other.patients, report.other.relapses, report.other.deaths) == (19, 12, 4)
        assert (report.reference.patients, report.reference.relapses, report.reference.deaths) == (12, 10, 0)

    def test_the_two_ranges_follow_opposite_conventions(self, report):
        assert report.other.longest_ended
        assert not report.reference.longest_ended

    @pytest.mark.parametrize("name", sorted(set(COHORTS) - {ASH}))
    def test_a_cohort_without_these_claims_gets_one_line(self, name):
        read = study.read(name)
        found = identification.analyse(ledger.read_claims(read), read)
        assert found.note
        assert identification.reading(found, read) == f"This section does not apply to this cohort: {found.note}."
        assert identification.result_rows(found, read).empty
        assert identification.sample_table(found).empty

    @pytest.mark.parametrize(("change", "why"), [
        ({"deaths": 0}, "no death in remission: both readings are one"),
        ({"deaths": 9}, "more than 60 patients or 6 deaths: too many orders of events"),
        ({"ongoing": (Window(2700, 2730),)}, "an ongoing remission of the other arm may end before the last control's"),
    ])
    def test_a_report_that_the_search_cannot_take_is_told_why(self, report, change, why):
        assert printed._out_of_scope(report.other._replace(**change), report.reference) == why


class TestWitness:
    """One death, on the day of a relapse, and both tests print 0.07: the exception to the claim."""

    DATA = cohort("128 130 273 274 275 276 277 616 617 803 2575 2575d 2886+ 3122d 3123d 3124d 3141+ 3470 3798+",
                  "36 72 73 74 129 131 417 618 1589 2374+ 2574 2776+")

    def test_it_has_every_printed_number(self, report):
        assert cohorts.violations(self.DATA, report, both_medians=True) == []

    def test_its_p_values_are_those_of_r(self):
        # R 4.2.2, survival 3.5-3: survdiff(Surv(days, relapse) ~ arm); survdiff(Surv(days, relapse or death) ~ arm)
        assert p_values(self.DATA) == pytest.approx([0.0650027246468, 0.0746756590051], rel=1e-11)

    def test_half_a_day_earlier_the_exception_is_gone(self):
        # The same in R with the death on day 2575.5.
        data = self.DATA.astype({"time": float})
        data.loc[(data["time"] == 2575) & (data["code"] == 2), "time"] = 2575.5
        assert p_values(data) == pytest.approx([0.0650027246468, 0.0765122696908], rel=1e-11)

    def test_a_cohort_that_misses_a_printed_number_is_told_which(self, report):
        moved = self.DATA.replace({"time": {803: 780}})
        assert cohorts.violations(moved, report) == ["median of IFN+IM"]


class TestJoint:
    """Every end below is attained by a dated cohort and proved by a search that left nothing out."""

    def test_two_or_more_early_deaths_exclude_it_and_one_needs_a_shared_day(self, joint):
        found = {(row.longest, row.deaths_before, row.equal_days): row.answer for row in joint.alike.itertuples()}
        assert found == {
            ("relapse", 1, "pair"): "possible", ("relapse", 1, "relapses"): "impossible",
            ("relapse", 2, "any"): "impossible", ("relapse", 3, "any"): "impossible",
            ("relapse", 4, "any"): "impossible", ("death", 1, "pair"): "possible", ("death", 1, "none"): "impossible",
            ("death", 2, "any"): "impossible", ("death", 3, "any"): "impossible"}

    @pytest.mark.parametrize(("deaths", "smallest", "largest"), [
        (1, 0.07533057871, 0.12802279603), (2, 0.08796707756, 0.20639441615), (3, 0.10361041801, 0.30848402794),
        (4, 0.12329972453, 0.42346694044)])
    def test_ends_of_the_intervals(self, joint, deaths, smallest, largest):
        row = joint.intervals.set_index("deaths_before").loc[deaths]
        assert row[["smallest", "largest"]].tolist() == pytest.approx([smallest, largest], rel=1e-9)
        assert row[["smallest", "largest"]].tolist() == row[["smallest_bound", "largest_bound"]].tolist()
        assert row["medians"] == "both"

    def test_deaths_before_the_first_exit_push_further(self, joint):
        assert joint.early["smallest"].tolist() == pytest.approx(
            [0.07908507751, 0.09616835274, 0.11290693220, 0.13527109265], rel=1e-9)
        assert (joint.early["smallest"].to_numpy()[1:] > joint.intervals["smallest"].to_numpy()[2:]).all()

    def test_every_witness_holds_by_the_estimators_of_the_analysis(self, joint, report):
        names = joint.witnesses["witness"].unique()
        assert len(names) == 4 * 2 + 4 + 2
        for name in names:
            data = joint.witnesses[joint.witnesses["witness"] == name].assign(entry=0)
            missed = cohorts.violations(data, report, both_medians=True)
            assert missed == []
            assert report.p_lower <= p_values(data)[0] < report.p_upper

    def test_no_random_cohort_lies_outside(self, joint, report):
        inside = joint.sample[joint.sample["p_relapse"].between(report.p_lower, report.p_upper, inclusive="left")]
        assert len(inside) > 100
        ends = joint.intervals.set_index("deaths_before").loc[inside["deaths_before"]]
        # Equal days, which the intervals leave out, are rare in a random cohort and move an end by little.
        slack = np.where(inside["deaths_before"] > 0, 0.003, 0)
        assert (inside["p_relapse_or_death"].to_numpy() >= ends["smallest"].to_numpy() - slack).all()
        assert (inside["p_relapse_or_death"].to_numpy() <= ends["largest"].to_numpy() + slack).all()

    def test_rows_and_sentences(self, joint):
        read = study.read(ASH)
        rows = identification.result_rows(joint, read).set_index("result_id")
        assert rows.loc[f"joint.-.all.{CONTRAST}.smallest_p[1 death]", "display"] == "p = 0.0753"
        assert rows.loc[f"joint.-.all.{CONTRAST}.alike_p[1 death, pair]", "display"] == "possible: 0.0650 and 0.0747"
        assert rows.loc[f"joint.-.all.{CONTRAST}.alike_p[2 deaths, any]", "display"] == "impossible"
        said = identification.reading(joint, read)
        assert ("only with every death in remission after that day, or with 1 death up to that day if one death and "
                "one relapse may come after equally many days") in said
        assert "2575d" in identification.witness(joint)

    @pytest.mark.parametrize("deaths", [1, 4])
    def test_no_order_favours_the_controls_with_this_p(self, report, deaths):
        # The search looks only at orders in which the trial arm does better, for which this is the proof.
        made = lattice.build(report, Rules(deaths, equal_days="any"))
        for turned, goal in (([-1, 1, -1, 1], extremes.Goal(0.065, 0.075, 1e-12, False)),
                             ([1, 1, -1, 1], extremes.Goal(0.065, 0.075, 0.075, True))):
            mirrored = dataclasses.replace(made, terms=made.terms * turned)
            assert extremes.search(mirrored, goal) == (None, True)


class TestSmallReport:
    """A report so small that every order can be written down: the search against all of them."""

    OTHER = Group("B", 8, 5, 2, (Window(500, 500),), Window(2, 204), Window(5, 60), Window(350, 400), True)
    REFERENCE = Group("A", 3, 2, 0, (Window(200, 300),), Window(2, 400), Window(1, 4), Window(200, 300), False)
    REPORT = Printed(OTHER, REFERENCE, 0.1, 0.6)

    @staticmethod
    def orders(left, equal_days):
        """All ways to let relapses of A, relapses of B and deaths of B leave, day by day; then the last of A."""
        if not any(left):
            yield (Step(0, 1, 0, 0),)
            return
        for a, b, d in itertools.product(*(range(count + 1) for count in left)):
            if (a, b, d) == (0, 0, 0) or (equal_days == "none" and a + b + d > 1):
                continue
            rest = TestSmallReport.orders((left[0] - a, left[1] - b, left[2] - d), equal_days)
            yield from ((Step(a, 0, b, d), *steps) for steps in rest)

    def test_the_report_can_be_searched(self):
        assert printed._out_of_scope(self.OTHER, self.REFERENCE) == ""

    @pytest.mark.parametrize(("deaths", "equal_days"), [(1, "none"), (2, "none"), (1, "any")])
    def test_search_finds_the_ends_of_all_orders(self, deaths, equal_days):
        steps = list(self.orders((2, 4, deaths), equal_days))
        dated = [data for data in (cohorts.schedule(one, self.REPORT) for one in steps)
                 if data is not None and not cohorts.violations(data, self.REPORT)]
        time = np.array([data.sort_values(["arm", "code"])["time"] for data in dated])
        frame = dated[0].sort_values(["arm", "code"])
        alone, both = (batch.logrank(time, event, frame["arm"] == "B")
                       for event in (frame["code"] == 1, frame["code"] > 0))
        good = (alone.p >= 0.1) & (alone.p < 0.6) & (alone.score < 0) & (both.score < 0)
        assert good.sum() > 12
        made = lattice.build(self.REPORT, Rules(deaths, equal_days=equal_days))
        for smallest, end in ((True, both.p[good].min()), (False, both.p[good].max())):
            found = extremes.extreme(made, 0.1, 0.6, smallest)
            assert found.order.p_relapse_or_death == pytest.approx(end, rel=1e-9)
            assert found.bound == found.order.p_relapse_or_death

    def test_a_search_that_leaves_something_out_says_so(self, report):
        found = extremes.search(lattice.build(report, Rules(1)), extremes.Goal(0.065, 0.075, 0.0754), most=20)
        assert not found.complete


class TestDraw:
    def test_the_same_seed_gives_the_same_cohorts_and_each_has_the_printed_numbers(self, report):
        one, two = (cohorts.draw(report, 300, seed=5) for _ in range(2))
        assert np.array_equal(one.time, two.time)
        assert one.time.shape == (300, 31)
        for time in one.time[:25]:
            data = pd.DataFrame({"arm": np.where(one.arm, "IFN+IM", "IM"), "time": time, "code": one.code})
            assert cohorts.violations(data.assign(event=data["code"] == 1), report) == []

    def test_without_a_death_before_the_last_exit_both_tests_are_one(self, joint):
        none = joint.sample[joint.sample["deaths_before"] == 0]
        assert len(none) > 10
        assert np.allclose(none["p_relapse"], none["p_relapse_or_death"], rtol=1e-12)

    def test_a_death_before_it_is_a_gain_for_the_controls(self, joint):
        some = joint.sample[(joint.sample["deaths_before"] > 0) & (joint.sample["p_relapse"] < 0.2)]
        assert (some["p_relapse_or_death"] > some["p_relapse"]).all()


class TestTables:
    def test_what_is_proved_stands_beside_what_is_attained(self, joint):
        found = identification.interval_table(joint).set_index("deaths before")
        assert found.loc[1].tolist() == ["0.0753", "0.0753", "0.1280", "0.1280", "both", "0.0791"]
        assert found.loc[0].tolist() == ["0.0650", "0.0650", "0.0750", "0.0750", "both", ""]

    def test_an_order_that_was_not_dated_is_no_number(self, joint):
        lost = joint._replace(intervals=joint.intervals.assign(smallest=float("nan")))
        assert set(identification.interval_table(lost)["smallest p"]) == {"not dated"}

    def test_where_nothing_exists_there_is_no_p(self, joint):
        found = identification.alike_table(joint)
        none = found[found["both p as printed"] == "impossible"]
        assert set(none["p, relapse"]) == {""}
        assert found["p, relapse or death"].iloc[0] == "0.0747"

    def test_random_cohorts_are_counted_by_their_deaths(self, joint):
        found = identification.sample_table(joint)
        assert found["cohorts"].sum() == 2000
        assert found["deaths before"].tolist() == [0, 1, 2, 3, 4]
        assert (found.loc[found["deaths before"] > 1, "both as printed"] == 0).all()
