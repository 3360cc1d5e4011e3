"""Which printed claims exclude each other: held against every cohort there is, where there are few enough."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from remission import batch
from remission.ensemble import abstract as abstracts
from remission.ensemble import conflicts, cuts, linear, rows
from remission.ensemble.abstract import Claim, Quantity

ASH = "ash2012_reconstructed"
RELAPSE, DEATH, ONGOING = range(3)
EVENTS = {"relapse": (RELAPSE,), "relapse_or_death": (RELAPSE, DEATH)}


def report(patients, horizon, claims=(), groups=False):
    """An abstract in whole days with arms A and, where two numbers are given, B."""
    arms = [{"key": key, "patients": count, "reference": key == "B"}
            for key, count in zip("AB", patients, strict=False)]
    given = {"arms": arms, "unit": "day", "horizon": horizon,
             "claims": [{"id": "x", "quantity": "relapses", "arm": "A", "printed": "0"}]}
    if groups:
        given["groups"] = {"arm": "A", "reference": "good", "other": "poor"}
    return replace(abstracts.build("tiny", given), claims=tuple(claims))


def every_cohort(patients, horizon, groups=1):
    """Times, codes and groups of all cohorts of one arm, each once: arrays (cohorts, patients)."""
    kinds = list(itertools.product(range(horizon + 1), range(3), range(groups)))
    chosen = np.array(list(itertools.combinations_with_replacement(range(len(kinds)), patients)))
    return np.moveaxis(np.array(kinds)[chosen], 2, 0)


def of_group(statistic, time, event, mine):
    """A statistic of the patients of each cohort who belong; cohorts with equally many are done together."""
    found = np.full(len(time), np.nan)
    for size in range(1, time.shape[1] + 1):
        rows = mine.sum(axis=1) == size
        if rows.any():
            found[rows] = statistic(*(one[rows][mine[rows]].reshape(-1, size) for one in (time, event)))
    return found


def value(asked, time, event, everybody, ongoing, mine):
    """What a quantity is in every cohort; `mine` marks the patients of the arm or the group."""
    if asked.kind == "median":
        return of_group(batch.quantile, time, event, mine)
    if asked.kind == "survival":
        return of_group(lambda one, other: batch.survival_at(one, other, [asked.at])[:, 0], time, event, mine)
    chosen = mine & (ongoing if asked.kind == "ongoing_time" else everybody if asked.among == "all" else event)
    sign = -1 if asked.kind == "longest" else 1
    ordered = np.sort(np.where(chosen, sign * time, np.inf), axis=1)
    found = sign * ordered[:, max(asked.rank, 1) - 1]
    return np.where(np.isinf(found), np.nan, found)


def remission_value(asked, cohorts, mine=None):
    time, code = cohorts[0], cohorts[1]
    mine = np.ones(time.shape, bool) if mine is None else mine
    if asked.group:
        mine = mine & (cohorts[2] == ("good", "poor").index(asked.group))
    if asked.kind in abstracts.COUNTS:
        return ((code == abstracts.COUNTS.index(asked.kind)) & mine).sum(axis=1)
    event = np.isin(code, EVENTS.get(asked.endpoint, ()))  # an ongoing time has no endpoint
    return value(asked, time, event, np.ones_like(event), code == ONGOING, mine)


def agree(claims, values):
    """Whether any cohort agrees with all claims."""
    fits = np.ones(len(values[0]), bool)
    for claim, one in zip(claims, values, strict=True):
        with np.errstate(invalid="ignore"):
            fits &= claim.holds(one)
    return bool(fits.any())


def random_claim(rng, number, horizon, patients, endpoints, arms=("A",), groups=("",), kinds=None):
    kinds = kinds or ["relapses", "deaths_in_remission", "ongoing", "median", "median", "median", "shortest", "longest",
                      "ongoing_time", "survival", "survival"]
    kind = str(rng.choice(kinds))
    pooled = kind in ("shortest", "longest", *abstracts.COUNTS)
    arm = str(rng.choice([one for one in arms if one or pooled]))
    asked = Quantity(kind, str(rng.choice(endpoints)), arm, "" if not arm else str(rng.choice(groups)),
                     str(rng.choice(abstracts.AMONG)), float(rng.integers(0, 2 * horizon + 2)) / 2,
                     int(rng.integers(1, patients + 1)) if kind == "ongoing_time" else 0)
    if kind in abstracts.COUNTS:
        low = high = float(rng.integers(0, patients + 1))
    elif kind == "survival":
        low = float(rng.choice([0, 0.2, 0.25, 0.3, 0.375, 0.45, 0.5, 0.6, 0.7, 0.95]))
        high = low + float(rng.choice([0.05, 0.1, 0.2]))
    elif kind == "median" and rng.random() < 0.1:
        low = high = math.inf
    else:
        low = float(rng.integers(-1, 4 * horizon + 2)) / 4
        high = low + float(rng.choice([0, 0.25, 0.5, 1, 1.5]))
    return Claim(f"c{number}", asked, low, high, low == high or bool(rng.random() < 0.5), "")


class TestEveryCohort:
    """The programme against a list of all cohorts: claims on one clock are decided, and rightly."""

    @pytest.mark.parametrize(("patients", "horizon", "sets"), [(1, 4, 60), (2, 6, 120), (3, 6, 120), (4, 5, 120)])
    def test_one_arm(self, patients, horizon, sets):
        rng, cohorts = np.random.default_rng(patients), every_cohort(patients, horizon)
        answers = []
        for _ in range(sets):
            claims = [random_claim(rng, number, horizon, patients, list(EVENTS))
                      for number in range(rng.integers(1, 5))]
            exists = agree(claims, [remission_value(claim.quantity, cohorts) for claim in claims])
            assert conflicts.feasible(report([patients], horizon, claims)) == exists, claims
            answers.append(exists)
        assert 0.1 < np.mean(answers) < 0.9

    @pytest.mark.parametrize(("patients", "horizon", "sets"), [(2, 5, 100), (3, 4, 150)])
    def test_two_groups_of_an_arm(self, patients, horizon, sets):
        rng, cohorts = np.random.default_rng(10 + patients), every_cohort(patients, horizon, 2)
        answers = []
        for _ in range(sets):
            claims = [random_claim(rng, number, horizon, patients, list(EVENTS), groups=["", "good", "poor"])
                      for number in range(rng.integers(1, 5))]
            exists = agree(claims, [remission_value(claim.quantity, cohorts) for claim in claims])
            assert conflicts.feasible(report([patients], horizon, claims, groups=True)) == exists, claims
            answers.append(exists)
        assert 0.1 < np.mean(answers) < 0.9

    def test_ranges_and_counts_of_two_arms_together(self):
        rng, one = np.random.default_rng(7), every_cohort(2, 3)
        first, second = (place.ravel() for place in np.indices((one.shape[1],) * 2))
        both = np.concatenate([one[:, first], one[:, second]], axis=2)
        mine = {"A": [True, True, False, False], "B": [False, False, True, True], "": [True] * 4}
        answers = []
        for _ in range(150):
            claims = [random_claim(rng, number, 3, 2, list(EVENTS), arms=("A", "B", "", ""))
                      for number in range(rng.integers(1, 6))]
            exists = agree(claims, [remission_value(claim.quantity, both, np.broadcast_to(mine[claim.quantity.arm],
                                                                                         both[0].shape))
                                    for claim in claims])
            assert conflicts.feasible(report([2, 2], 3, claims)) == exists, claims
            answers.append(exists)
        assert 0.1 < np.mean(answers) < 0.9

    def test_a_solution_has_what_it_should(self):
        rng = np.random.default_rng(3)
        shown = 0
        for _ in range(60):
            claims = [random_claim(rng, number, 40, 9, list(EVENTS), groups=["", "good", "poor"])
                      for number in range(rng.integers(2, 6))]
            found = linear.solve(report([9], 40, claims, groups=True), claims)
            if found is None:
                continue
            time, code, group = found["A", "remission"]
            cohort = np.array([time, code, group or [0] * 9])[:, None]
            assert agree(claims, [remission_value(claim.quantity, cohort) for claim in claims]), claims
            shown += 1
        assert shown > 15


class TestLargerArms:
    """Too many cohorts to list: what one cohort prints is never called impossible."""

    @pytest.mark.parametrize("seed", range(8))
    def test_a_cohort_s_own_numbers(self, seed):
        rng = np.random.default_rng(100 + seed)
        patients, horizon = int(rng.integers(5, 15)), int(rng.choice([6, 60, 4000]))
        weights = rng.dirichlet([1, 0.5, 0.5])
        cohort = np.stack([rng.integers(0, horizon + 1, patients), rng.choice(3, patients, p=weights),
                           rng.random(patients) < rng.random()])[:, None].astype(int)
        claims, groups = [], ["", "good", "poor"]
        while len(claims) < 5:
            asked = random_claim(rng, 0, horizon, patients, list(EVENTS), groups=groups).quantity
            true = float(remission_value(asked, cohort)[0])
            if not math.isnan(true):
                width = rng.choice([0, 0.001]) if asked.kind == "survival" else rng.choice([0, 0, 0.5, 1])
                claims.append(Claim(f"c{len(claims)}", asked, true - width, true + width, True, ""))
        assert conflicts.feasible(report([patients], horizon, claims, groups=True))

    def test_a_group_that_ends_before_the_other(self):
        """Four of ten relapse one after another, the six of the other group go on: a curve at zero with six to come."""
        cohort = np.array([[1, 2, 3, 4] + [10] * 6, [RELAPSE] * 4 + [ONGOING] * 6, [0] * 4 + [1] * 6])[:, None]
        asked = [Quantity("relapses", arm="A", group="good"), Quantity("ongoing", arm="A", group="poor"),
                 Quantity("ongoing_time", "relapse", "A", rank=1), Quantity("median", "relapse", "A", "good"),
                 *(Quantity("survival", "relapse", "A", "good", at=at) for at in (1, 2, 3, 4))]
        claims = []
        for number, quantity in enumerate(asked):
            true = float(remission_value(quantity, cohort)[0])
            claims.append(Claim(str(number), quantity, true, true, True, ""))
        assert conflicts.feasible(report([10], 10, claims, groups=True))


@pytest.fixture(scope="module")
def cohorts():
    rows = []
    for time, code, later, dead, lead in itertools.product(range(4), range(3), range(4), range(2), range(3)):
        if later < time or (code == DEATH and (later > time or not dead)) or (code == ONGOING and dead):
            continue
        rows += [(time, code, later, dead, later + lead, treated, ended)
                 for treated in range(time + 1) for ended in range(2)]
    rows = np.array(rows)
    first, second = (place.ravel() for place in np.triu_indices(len(rows)))
    return np.moveaxis(np.stack([rows[first], rows[second]], axis=1), 2, 0)


class TestBetweenClocks:
    """With several clocks the conditions are necessary: what exists is never called impossible."""

    @staticmethod
    def value(asked, cohorts):
        time, code, later, dead, total, treated, ended = cohorts
        if asked.kind in (*abstracts.COUNTS, "ongoing_time") or asked.endpoint in EVENTS:
            return remission_value(asked, (time, code))
        mine, event = {"survival": (later, dead), "survival_from_diagnosis": (total, dead),
                       "treatment": (treated, ended)}[asked.endpoint]
        everybody = np.ones(time.shape, bool)
        return value(asked, mine, event == 1, everybody, ~everybody, everybody)

    def test_what_exists_is_never_impossible(self, cohorts):
        rng, answers = np.random.default_rng(5), []
        endpoints = [*EVENTS, "survival", "survival_from_diagnosis", "treatment"]
        for _ in range(120):
            claims = [random_claim(rng, number, 3, 2, endpoints) for number in range(rng.integers(1, 5))]
            exists = agree(claims, [self.value(claim.quantity, cohorts) for claim in claims])
            answers.append((conflicts.feasible(report([2], 3, claims)), exists))
        assert (False, True) not in answers
        # Most of what does not exist is found out; the rest is what necessary conditions cannot see.
        assert answers.count((False, False)) > 10 * answers.count((True, False))

    def test_sorted_times_stand_in_order(self):
        longest = [Claim("a", Quantity("longest", "treatment", "A", among="all"), 5, 5, True, "5"),
                   Claim("b", Quantity("longest", "relapse", "A", among="all"), 4, 4, True, "4")]
        assert conflicts.conflicts(report([3], 9, longest)) == [("a", "b")]

    def test_a_death_in_remission_is_a_death(self):
        # Two deaths of three patients who are all followed to the end leave 1/3, 0 or 1/2, and one death 2/3 or less.
        alive = Claim("b", Quantity("survival", "survival", "A", at=9), 0.6, 0.7, True, "0.6")
        for dead, expected in ((2, [("a", "b")]), (1, [])):
            said = Claim("a", Quantity("deaths_in_remission", arm="A"), dead, dead, True, str(dead))
            assert conflicts.conflicts(report([3], 9, [said, alive])) == expected

    def test_from_diagnosis_time_may_exceed_the_horizon(self):
        late = Claim("a", Quantity("median", "survival_from_diagnosis", "A"), 12, 13, True, "12")
        assert conflicts.feasible(report([3], 9, [late]))
        assert not conflicts.feasible(report([3], 9, [replace(late, quantity=Quantity("median", "survival", "A"))]))


class TestConflicts:
    def test_counts_that_exceed_the_arm(self):
        counts = [Claim(kind, Quantity(kind, arm="A"), 2, 2, True, "2") for kind in abstracts.COUNTS]
        assert conflicts.conflicts(report([5], 9, counts)) == [abstracts.COUNTS]
        assert conflicts.conflicts(report([6], 9, counts)) == []

    def test_one_claim_alone(self):
        late = Claim("a", Quantity("longest", "relapse", "A"), 10, 11, True, "10")
        assert conflicts.conflicts(report([5], 9, [late])) == [("a",)]

    def test_all_smallest_sets_are_found_and_nothing_else(self):
        """Against every subset of claims, asked one by one."""
        rng, several = np.random.default_rng(11), 0
        for _ in range(12):
            claims = [random_claim(rng, number, 5, 3, list(EVENTS)) for number in range(6)]
            made = report([3], 5, claims)
            ids = [claim.id for claim in claims]
            impossible = [set(some) for size in range(1, 7) for some in itertools.combinations(ids, size)
                          if not conflicts.feasible(made, some)]
            smallest = {tuple(sorted(one)) for one in impossible if not any(other < one for other in impossible)}
            assert set(conflicts.conflicts(made, most=100)) == smallest
            several += len(smallest) > 1
        assert several > 3

    def test_most_cuts_the_list_short(self):
        counts = [Claim(str(number), Quantity("relapses", arm="A"), number, number, True, "") for number in range(4)]
        assert len(conflicts.conflicts(report([5], 9, counts), most=2)) == 2
        assert len(conflicts.conflicts(report([5], 9, counts))) == 6

    def test_a_midpoint_lies_on_the_plateau_alone(self):
        """Two of four relapse, the third at 9 or later: the curve rests on exactly one half from the second to it."""
        counts = [Claim("n", Quantity("relapses", arm="A"), 4, 4, True, "4"),
                  Claim("l", Quantity("longest", "relapse", "A"), 9, 9, True, "9"),
                  Claim("s", Quantity("shortest", "relapse", "A"), 2, 2, True, "2"),
                  Claim("m", Quantity("median", "relapse", "A"), 5.5, 5.5, True, "5.5")]
        found = linear.solve(report([4], 9, counts), counts)["A", "remission"][0]
        assert sum(found[1:3]) == 11
        odd = [*counts[:3], Claim("m", Quantity("median", "relapse", "A"), 5.25, 5.25, True, "")]
        assert conflicts.conflicts(report([4], 9, odd)) == [("m",)]

    def test_unknown_id(self):
        with pytest.raises(ValueError, match="no claim Z9"):
            conflicts.feasible(abstracts.read("freireich1963"), ["Z9"])


class TestAsh:
    def test_as_it_stands_it_does_not_contradict_itself(self):
        assert conflicts.conflicts(abstracts.read(ASH)) == []

    def test_as_worded_it_does(self):
        """README.md of the cohort: R03 against F04, and E02 against R05, found by hand."""
        worded = abstracts.read(ASH, "as worded")
        found = conflicts.conflicts(worded)
        assert found == [("R03", "F04"), ("R05", "E02")]
        for ids in found:
            assert all(conflicts.feasible(worded, set(ids) - {one}) for one in ids)
        assert conflicts.reading(worded, found) == (
            "No cohort can have, together: R03 (9.5) with F04 (10.4); R05 (0.1) with E02 (3) "
            "(not decided: R07, S08, M08).")
        shown = conflicts.table(worded, found)
        assert shown["at most"].tolist() == ["below 9.55 years", "below 10.45 years", "below 0.15 years",
                                             "below 0.2917 years"]

    @pytest.mark.parametrize("name", ["death counted", "ended remissions", "survival from maintenance"])
    def test_other_readings_are_not_shown_to_be_impossible(self, name):
        assert conflicts.feasible(abstracts.read(ASH, name))


class TestFreireich:
    def test_the_true_patients_satisfy_their_summary(self):
        """Blood 1963;21:699, weeks as in R's KMsurv::drug6mp; the programme may not exclude what happened."""
        made = abstracts.read("freireich1963")
        time = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
        event = np.arange(21) < 9
        placebo = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])
        arms = {"6-MP": (time, event), "placebo": (placebo, np.ones(21, bool))}
        for claim in made.claims:
            if linear.decidable(claim):
                times, events = arms[claim.quantity.arm]
                cohort = times[None], np.where(events, RELAPSE, ONGOING)[None]
                assert claim.holds(remission_value(claim.quantity, cohort)).all(), claim
        assert conflicts.feasible(made)
        pinned = [Claim(f"t{number}", Quantity("survival", "relapse", "6-MP", at=at), low, high, True, "")
                  # R: summary(survfit(Surv(t, e) ~ 1), times = ...) on the 6-MP arm: 0.7529, 0.6902, 0.6275.
                  for number, (at, low, high) in enumerate([(10, 0.75285, 0.75295), (15, 0.69015, 0.69025),
                                                            (20, 0.62745, 0.62755)])]
        assert conflicts.feasible(replace(made, claims=(*made.claims, *pinned)))


class TestCuts:
    """Curves are logarithms: one half must be told from its neighbours."""

    def test_nearest_heights_to_one_half(self):
        # Of 12 patients: enumerated with fractions, 2^12 curves; the nearest to 1/2 that is not 1/2.
        from fractions import Fraction

        heights = {Fraction(1)}
        for at_risk in range(1, 13):
            heights |= {height * Fraction(at_risk - 1, at_risk) for height in heights}
        above = min(height for height in heights if height > Fraction(1, 2))
        below = max(height for height in heights if height < Fraction(1, 2))
        assert cuts.half(12) == pytest.approx([math.log((above + Fraction(1, 2)) / 2),
                                                 math.log((below + Fraction(1, 2)) / 2)], abs=1e-12)

    def test_up_to_22_patients_the_solver_cannot_mistake_them(self):
        # A row is kept to 1e-6, a curve to 1e-6 / SCALE, at each of 22 places.
        above, below = cuts.half(cuts.LISTED)
        assert min(above - math.log(0.5), math.log(0.5) - below) > cuts.LISTED * 1e-6 / rows.SCALE

    def test_larger_arms_are_answered(self):
        claims = [Claim("a", Quantity("median", "relapse", "A"), 20, 21, False, "20"),
                  Claim("b", Quantity("survival", "relapse", "A", at=10), 0.85, 0.95, False, "0.9"),
                  Claim("c", Quantity("survival", "relapse", "A", at=30), 0.55, 0.65, False, "0.6")]
        assert conflicts.conflicts(report([40], 60, claims)) == [("a", "c")]
