"""Censoring that was not innocent: scenarios, the grid of moved patients, what tips the test."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission import results, store
from remission.critique import censoring
from remission.estimators import comparisons, models
from remission.study import Arm, Study
from remission.study import read as read_study
from remission.survival.endpoints import endpoint

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("IFN+IM", "Combination"), Arm("IM", "Imatinib", True)), report_unit="year")
ONE = Study("made", "own", "", "", (Arm("IM", "Imatinib"),))


@pytest.fixture(scope="module")
def adtte():
    one = pd.read_csv(DATA / "exemplar.csv")
    return pd.DataFrame({"USUBJID": one["patient"], "TRT01A": one["arm"], "PARAMCD": "TTRLP", "AVAL": one["time"],
                         "CNSR": one["code"].map({1: 0, 0: 1, 2: 2}), "ENTRYDY": 0})


@pytest.fixture(scope="module")
def data(adtte):
    return endpoint(adtte, "TTRLP")


def moved(data, fates):
    """The same patients with the outcome of some of them changed: position to (event, day)."""
    made = data.copy()
    for place, (event, day) in fates.items():
        made.loc[place, ["event", "time"]] = [event, day]
    return made.astype({"event": bool, "time": int})


class TestScenarios:
    @pytest.mark.parametrize(("pool", "other", "reference", "expected"), [
        # R: exp(coef(coxph(Surv(time, event) ~ arm))), exp(confint(.)), survdiff's p, on the tables changed by hand
        ("all", "observed", "observed", (0.460015992907941, 0.194698327868045, 1.08688511117825, 0.0696986235503006)),
        ("all", "event", "free", (0.860787567864124, 0.394542792004827, 1.87800981795751, 0.706215484711888)),
        ("all", "free", "event", (0.356338214310398, 0.155780583109292, 0.815101089259882, 0.0107985784350604)),
        ("deaths", "event", "observed", (0.600984826478502, 0.268884305047129, 1.34326457468051, 0.209867317854912))])
    def test_equal_r(self, data, pool, other, reference, expected):
        cases = censoring.scenarios(data, TWO).set_index(["pool", "other", "reference"])
        assert tuple(cases.loc[(pool, other, reference), ["hr", "lower", "upper", "p"]]) == pytest.approx(
            expected, rel=1e-9)

    def test_every_death_as_an_event_is_relapse_free_survival(self, data):
        cases = censoring.scenarios(data, TWO).set_index(["pool", "other", "reference"])
        rfs = data.assign(event=data["code"] > 0)
        assert cases.loc[("deaths", "event", "observed"), "p"] == pytest.approx(comparisons.logrank(rfs, "IM").p)

    def test_an_arm_without_deaths_keeps_its_one_fate(self, data):
        cases = censoring.scenarios(data, TWO)
        assert cases["pool"].value_counts().to_dict() == {"all": 9, "deaths": 2}
        assert cases.loc[cases["pool"] == "deaths", "moved_reference"].tolist() == [0, 0]

    def test_monotone_likelihood_is_said_and_not_a_number(self):
        rows = pd.DataFrame({"patient": list("abcd"), "arm": ["IFN+IM"] * 2 + ["IM"] * 2, "time": [50, 60, 2, 4],
                             "event": [False, False, True, True], "code": [0, 0, 1, 1], "entry": 0})
        laid = censoring.table(censoring.scenarios(rows, TWO), TWO)
        assert laid.loc[0, "hazard ratio"].startswith("not estimable: events while both arms were at risk fell in one")

    def test_no_event_at_all(self):
        rows = pd.DataFrame({"patient": list("abcd"), "arm": ["IFN+IM"] * 2 + ["IM"] * 2, "time": [5, 6, 2, 4],
                             "event": False, "code": 0, "entry": 0})
        laid = censoring.table(censoring.scenarios(rows, TWO), TWO)
        assert laid.loc[0, "log-rank test"] == "not estimable: the test's variance is zero"

    def test_one_arm(self, data):
        assert censoring.scenarios(data, ONE).empty
        assert censoring.grid(data, ONE).empty


class TestGrid:
    def test_equals_r(self, data):
        # R: survdiff and coxph with the first two censored of the trial arm and the first control made events
        cells = censoring.grid(data, TWO)
        cell = cells[(cells["end"] == "earliest") & (cells["other"] == 2) & (cells["reference"] == 1)].iloc[0]
        assert (cell["hr"], cell["p"]) == pytest.approx((0.480414650046505, 0.0689892263647088), rel=1e-9)

    def test_whole_grid_equals_the_tests_of_one_cohort(self, data):
        cells = censoring.grid(data, TWO)
        for cell in cells[cells["end"] == "latest"].itertuples():
            fates = {}
            for arm, count in (("IM", cell.reference), ("IFN+IM", cell.other)):
                mine = data[(data["arm"] == arm) & ~data["event"]].sort_values("time", ascending=False)
                fates |= {place: (True, mine.loc[place, "time"]) for place in mine.index[:count]}
            changed = moved(data, fates)
            assert cell.p == pytest.approx(comparisons.logrank(changed, "IM").p, rel=1e-9)
            assert cell.hr == pytest.approx(models.cox(changed, "IM").value, rel=1e-6)

    def test_bounds_are_those_of_every_choice(self, data):
        cells = censoring.grid(data, TWO).set_index(["end", "reference", "other"])
        trial = data.index[(data["arm"] == "IFN+IM") & ~data["event"]]
        control = data.index[(data["arm"] == "IM") & ~data["event"]]
        found = [comparisons.logrank(moved(data, {place: (True, data.loc[place, "time"]) for place in (*one, *two)}),
                                     "IM").p for one in combinations(trial, 2) for two in combinations(control, 1)]
        cell = cells.loc[("earliest", 1, 2)]
        assert (cell["p_lowest"], cell["p_highest"]) == pytest.approx((min(found), max(found)), rel=1e-9)

    def test_first_cell_is_what_was_observed(self, data):
        cells = censoring.grid(data, TWO)
        assert cells.loc[0, ["reference", "other"]].tolist() == [0, 0]
        assert cells.loc[0, "p"] == pytest.approx(comparisons.logrank(data, "IM").p)

    def test_deaths_alone(self, data):
        cells = censoring.grid(data, TWO, "deaths")
        assert cells["reference"].unique().tolist() == [0]
        assert cells["other"].max() == 4

    def test_many_censored_are_counted_in_steps_and_not_chosen(self):
        n = 120
        rows = pd.DataFrame({"patient": [str(number) for number in range(n)], "arm": ["IFN+IM", "IM"] * (n // 2),
                             "time": np.arange(n) + 1, "event": np.arange(n) % 3 == 0, "code": 0, "entry": 0})
        cells = censoring.grid(rows, TWO)
        assert len(cells) == 2 * 21**2
        assert cells["p_lowest"].isna().all()
        assert cells["other"].max() == ((rows["arm"] == "IFN+IM") & ~rows["event"]).sum()


class TestTipping:
    def test_smallest_count_across_in_either_direction(self):
        lines = pd.DataFrame({"end": "latest", "reference": [0, 0, 1, 1], "other": [0, 1, 0, 1], "hr": 0.5,
                              "p": [0.03, 0.04, 0.03, 0.06], "p_lowest": 0.01, "p_highest": [0.03, 0.055, 0.03, 0.07]})
        found = censoring.tipping(pd.concat([lines.assign(end="earliest"), lines]), "latest")
        assert (found["reference"], found["other"]) == (1, 1)
        assert censoring.tipping(lines.assign(end="earliest"), "any")["other"] == 1

    def test_none_is_none(self):
        lines = pd.DataFrame({"end": "earliest", "reference": [0, 1], "other": 0, "hr": 0.5, "p": [0.3, 0.2],
                              "p_lowest": 0.2, "p_highest": 0.3})
        assert censoring.tipping(lines, "earliest") is None
        assert censoring.tipping(lines.iloc[:0], "earliest") is None

    def test_rows_of_the_made_cohort(self, adtte):
        rows = censoring.analyse(adtte, TWO)
        tip = results.pick(rows, "censoring.TTRLP.all.IFN+IM vs IM.tipping[any]")
        assert tip["value"] == 1
        assert tip["display"].startswith("1 of IM: p = 0.0")
        deaths = results.pick(rows, "censoring.TTRLP.all.IFN+IM vs IM.deaths_tipping[any]")
        assert math.isnan(deaths["value"])
        assert deaths["display"] == "no number of patients does it"

    def test_the_sentence_says_how_few_events_tip_it_or_that_none_do(self, adtte):
        rows = censoring.analyse(adtte, TWO)
        assert "Fewest events right after censoring that carry p across 0.05: " in censoring.sentence(rows, TWO)
        never = rows["display"].where(~rows["result_id"].str.contains(".tipping[", regex=False), censoring.NEVER)
        said = censoring.sentence(rows.assign(display=never), TWO)
        assert said.endswith("No number of events right after censoring carries p across 0.05.")


@pytest.mark.parametrize("cohort", ["ash2012_reconstructed", "freireich1963", "wassmann2003", "chiaretti2004",
                                    "scrucca_bmt"])
def test_every_cohort_has_rows_or_a_reason(cohort):
    study, adtte = read_study(cohort), store.read(cohort, "adtte")
    rows = censoring.analyse(adtte, study)
    said = censoring.sentence(rows, study)
    assert rows.empty == said.startswith("*Two arms")
    assert "None" not in said
    assert (rows["display"] != "").all()
