"""The ledger's four answers."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import COHORTS, ROOT

from remission import ledger, results, study
from remission.figures import ledger as figure


def claim(**given):
    blank = dict.fromkeys(ledger.COLUMNS, "")
    return {**blank, "reading_lower": float("nan"), "reading_upper": float("nan"), "id": "X1", **given}


RESULTS = results.frame([
    results.row("km", "TTRLP", "all", "A", "median", 803.5, unit="d", method="m", display="2.20 years"),
    results.row("logrank", "TTRLP", "all", "A vs B", "p", 0.075, unit="p", method="m", display="p = 0.075"),
    results.row("range", "TTRLP", "all", "A", "max_any", 3799, unit="d", method="m", display="10.40 years"),
    results.row("range", "TTRLP", "all", "A", "max_event", 3470, unit="d", method="m", display="9.50 years"),
])


def settled(**given):
    return ledger.settle(pd.DataFrame([claim(**given)]), RESULTS).iloc[0]


@pytest.mark.parametrize(("unit", "lower", "upper"), [("y", 2.15, 2.25), ("months", 26.35, 26.45), ("weeks", 114, 115)])
def test_days_are_held_against_the_printed_unit(unit, lower, upper):
    # 803.5 d = 2.1999 y = 26.398 mo = 114.79 wk
    assert settled(result_id="km.TTRLP.all.A.median", unit=unit, lower=lower, upper=upper)["status"] == "reproduced"


def test_an_open_upper_bound_leaves_its_value_out():
    given = {"result_id": "logrank.TTRLP.all.A vs B.p", "unit": "p", "lower": 0.065, "upper": 0.075}
    assert settled(**given)["status"] == "reproduced"
    assert settled(**given, upper_open="Y")["status"] == "not reproduced"


def test_a_contradiction_names_its_partner_and_the_reading_that_saves_it():
    found = settled(result_id="range.TTRLP.all.A.max_any", unit="y", lower=9.45, upper=9.55, conflicts_with="F04",
                    reading="longest completed remission", reading_result_id="range.TTRLP.all.A.max_event")
    assert found["status"] == "contradicted"
    assert found["why"] == "by F04; holds if read as: longest completed remission"


def test_a_miss_without_a_partner_is_a_fault():
    assert settled(result_id="km.TTRLP.all.A.median", unit="y", lower=5, upper=6)["status"] == "not reproduced"


def test_a_result_that_is_gone_is_a_fault_even_beside_a_partner():
    found = settled(result_id="km.gone", unit="y", lower=5, upper=6, conflicts_with="F04")
    assert (found["status"], found["why"]) == ("not reproduced", "no result named km.gone")


def test_a_claim_without_a_number_is_not_checkable():
    found = settled(lower=float("nan"), upper=float("nan"), why_not="no number printed")
    assert (found["status"], found["why"]) == ("not checkable", "no number printed")


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_checkable_claim_that_no_other_contradicts_is_reproduced(cohort):
    read = study.read(cohort)
    found = ledger.settle(ledger.read_claims(read), results.load(cohort))
    assert found.loc[found["status"] == "not reproduced", ["id", "why"]].to_numpy().tolist() == []
    assert (ROOT / "data" / "processed" / cohort / "verdict.txt").read_text().strip() == ledger.verdict(found, read)


def test_the_figure_has_one_mark_a_claim():
    read = study.read("freireich1963")
    found = ledger.settle(ledger.read_claims(read), results.load("freireich1963"))
    drawn, plotted = figure.claim_ledger(found, read)
    assert sum(len(marks.get_offsets()) for marks in drawn.axes[0].collections) >= len(found)
    assert plotted["position"].dropna().between(-1, 1).all()


def test_no_claims_no_figure():
    assert figure.claim_ledger(pd.DataFrame(), study.read("freireich1963"))[0] is None
