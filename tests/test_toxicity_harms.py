"""CONSORT Harms scorecard: whole, traced to the ledger, and silent about other cohorts."""

from __future__ import annotations

import re

import pytest
from conftest import COHORTS

from remission import ledger, results, study
from remission.toxicity import harms

ITEMS = harms.items()


def test_it_holds_the_thirteen_changed_and_three_new_items_in_order():
    assert ITEMS["item"].tolist() == ["1b", "2b", "6a", "6c", "11a", "12a", "13a", "14a", "16", "17a", "17a2", "17b",
                                      "17c", "18", "20", "24"]
    assert ITEMS.loc[ITEMS["change"] == "new", "item"].tolist() == ["6c", "17a2", "17c"]
    assert set(ITEMS["change"]) == {"new", "changed"}


def test_every_item_is_answered_in_full():
    assert set(ITEMS["abstract"]) <= set(harms.ANSWERS)
    for column in ("section", "asks", "reports", "adds", "unknown"):
        assert ITEMS[column].str.fullmatch(r"\S.*\S").all(), column
    assert ITEMS["asks"].str.endswith(".").all()
    assert not ITEMS.to_string().count("—")


def test_what_is_said_of_the_abstract_rests_on_claims_of_the_ledger():
    claims = ledger.read_claims(study.read("ash2012_reconstructed")).set_index("id")
    named = {one for ids in ITEMS["claims"] for one in ids.split(";") if one}
    assert named <= set(claims.index)
    # Numbers of the abstract that the scorecard repeats are those of the ledger.
    shown = " ".join(ITEMS["reports"])
    for number in re.findall(r"\b\d+\b", shown):
        assert number in claims.loc[["D01", "D02", "T02"], "printed"].tolist()


@pytest.mark.parametrize("cohort", COHORTS)
def test_it_speaks_of_the_abstracts_cohort_only(cohort):
    described = study.read(cohort)
    mine = cohort == "ash2012_reconstructed"
    assert harms.applies(described) == mine
    assert len(harms.scorecard(described).frame) == (16 if mine else 0)
    assert bool(harms.counted(results.frame(harms.scorecard_results(described)))) == mine


def test_the_count_adds_up():
    rows = results.frame(harms.scorecard_results(study.read("ash2012_reconstructed")))
    assert rows["value"].sum() == len(ITEMS)
    assert rows["result_id"].tolist() == [f"consort_harms.-.abstract.all.{answer}" for answer in harms.ANSWERS]


def test_the_table_says_that_the_cohort_adds_no_fact_and_what_was_not_compared():
    table = harms.scorecard(study.read("ash2012_reconstructed"))
    assert "adds no fact about the trial" in " ".join(table.notes)
    for item in ITEMS.loc[ITEMS["checked"] != "Y", "item"]:
        assert item in table.notes[-1]
