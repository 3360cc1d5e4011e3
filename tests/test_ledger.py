"""The ledger's four answers."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import COHORTS, ROOT

from remission import ledger, paths, results, study
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


def test_the_last_bit_of_a_large_number_does_not_decide():
    value = 0.1 * 3 * 1e6
    found = results.frame([results.row("cost", "-", "all", "A", "sum", value, unit="n", method="m", display="")])
    given = claim(result_id="cost.-.all.A.sum", unit="n", lower=299_999.5, upper=300_000)
    assert value > given["upper"]
    assert ledger.settle(pd.DataFrame([given]), found).iloc[0]["status"] == "reproduced"


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


def test_a_printed_value_with_its_own_unit_gets_no_second_one():
    read = study.read("ash2012_reconstructed")
    found = ledger.settle(ledger.read_claims(read), results.load("ash2012_reconstructed"))
    printed = figure.claim_ledger(found, read)[1].set_index("id")["printed"]
    assert printed[["K03", "R01"]].tolist() == ["26 months", "2.2 years"]


def test_no_claims_no_figure():
    assert figure.claim_ledger(pd.DataFrame(), study.read("freireich1963"))[0] is None


CLAIMS = pd.DataFrame([
    claim(id="A1", quantity="median", unit="year", lower=2.15, upper=2.25, upper_open="Y"),
    claim(id="A2", quantity="p", unit="p", lower=0.07, upper=0.08, upper_open="Y"),
    claim(id="A3", quantity="longest", unit="year", lower=9.45, upper=9.55, upper_open="Y"),
])


def readings(*rows):
    made = pd.DataFrame(rows, columns=["id", "reading", "role", "result_id"]).assign(issue="", upper_open="")
    return made.assign(lower=float("nan"), upper=float("nan"))[ledger.READING_COLUMNS]


class TestReadings:
    MADE = readings(
        ("A1", "Kaplan-Meier", "primary", "km.TTRLP.all.A.median"),
        ("A1", "longest", "sensitivity", "range.TTRLP.all.A.max_any"),
        ("A2", "two-sided", "primary", "logrank.TTRLP.all.A vs B.p"), ("A2", "Gehan", "sensitivity", "no.such.result"),
        ("A3", "of all", "primary", "range.TTRLP.all.A.max_any"),
        ("A3", "ended", "sensitivity", "range.TTRLP.all.A.max_event"))

    def test_every_reading_is_held_against_the_printed_interval(self):
        found = ledger.settle_readings(CLAIMS, self.MADE, RESULTS)
        assert found["answer"].tolist() == ["holds", "does not hold", "holds", "no result", "does not hold", "holds"]
        assert found["value"].round(3).tolist()[:2] == [2.2, 10.401]

    def test_a_reading_may_bring_its_own_interval(self):
        own = self.MADE.iloc[[1]].assign(lower=10.0, upper=10.5)
        assert ledger.settle_readings(CLAIMS, own, RESULTS)["answer"].tolist() == ["holds"]

    def test_the_upper_end_is_left_out_as_in_the_claim(self):
        at_end = CLAIMS.assign(lower=0.07, upper=0.075)
        assert ledger.settle_readings(at_end, self.MADE.iloc[[2]], RESULTS)["answer"].tolist() == ["does not hold"]

    def test_a_result_without_a_value_does_not_hold(self):
        lost = results.frame([results.row("km", "TTRLP", "all", "A", "median", float("nan"), unit="d", method="m",
                                          display="not reached")])
        assert ledger.settle_readings(CLAIMS, self.MADE.iloc[[0]], lost)["answer"].tolist() == ["does not hold"]

    def test_the_summary_counts_what_was_answered(self):
        found = ledger.readings_summary(ledger.settle_readings(CLAIMS, self.MADE, RESULTS))
        assert found[["id", "primary", "holds", "answered", "under"]].to_numpy().tolist() == [
            ["A1", "holds", 1, 2, "Kaplan-Meier"], ["A2", "holds", 1, 1, ""], ["A3", "does not hold", 1, 2, "ended"]]

    def test_the_sentence_names_claims_that_hold_under_one_reading_only(self):
        said = ledger.readings_verdict(ledger.settle_readings(CLAIMS, self.MADE, RESULTS))
        assert said == ("Of 3 claims with more than one reading, these hold under one reading only: A1, A3. Where one "
                        "reading alone holds, it is the primary one for A1. 1 reading found no result.")

    def test_a_reading_of_no_claim_is_an_error(self):
        with pytest.raises(ValueError, match="Z9"):
            ledger.settle_readings(CLAIMS, readings(("Z9", "x", "primary", "y")), RESULTS)

    def test_a_file_without_readings_is_removed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(paths, "processed", lambda cohort: tmp_path)
        read = study.read("freireich1963")
        settled = ledger.settle(CLAIMS, RESULTS)
        ledger.save(settled, read, ledger.settle_readings(CLAIMS, self.MADE, RESULTS))
        assert len(pd.read_csv(tmp_path / "readings.csv")) == 6
        ledger.save(settled, read, ledger.settle_readings(CLAIMS, self.MADE.iloc[:0], RESULTS))
        assert not (tmp_path / "readings.csv").exists()


class TestReadingsOnFile:
    """What `readings.csv` of the default cohort says, whatever the results are."""

    READ = study.read("ash2012_reconstructed")
    FILE = ledger.read_readings(READ)
    CLAIMS = ledger.read_claims(READ)

    def test_every_outcome_remission_and_survival_claim_with_a_number_is_there(self):
        asked = self.CLAIMS[self.CLAIMS["id"].str.match("[FRS]") & (self.CLAIMS["result_id"] != "")]
        assert set(self.FILE["id"]) >= set(asked["id"])

    def test_toxicity_exposure_and_dose_claims_with_a_number_are_there(self):
        asked = {*(f"T0{number}" for number in range(1, 6)), "D03", "D04", "D05", "E01", "E02", "E03"}
        assert set(self.FILE.loc[self.FILE["id"].str.match("[TDE]"), "id"]) == asked

    def test_each_claim_has_one_primary_reading_and_it_is_one_of_the_claims_own(self):
        primary = self.FILE[self.FILE["role"] == "primary"].set_index("id")["result_id"]
        assert primary.index.is_unique
        own = self.CLAIMS.set_index("id").loc[primary.index, ["result_id", "reading_result_id"]]
        assert own.eq(primary, axis=0).any(axis=1).all()
        assert set(primary.index) == set(self.FILE["id"])
        assert set(self.FILE["role"]) == {"primary", "sensitivity"}

    def test_no_reading_is_listed_twice(self):
        assert not self.FILE.duplicated(["id", "reading"]).any()
        own = self.FILE["lower"].isna()
        assert not self.FILE[own].duplicated(["id", "result_id"]).any()

    def test_readings_do_not_touch_the_verdict(self):
        found = results.load("ash2012_reconstructed")
        settled = ledger.settle(self.CLAIMS, found)
        readings_ = ledger.settle_readings(self.CLAIMS, self.FILE, found)
        primary = readings_[readings_["role"] == "primary"].set_index("id")["answer"]
        status = settled.set_index("id")["status"]
        # A primary reading holds wherever the claim is reproduced as worded; the contradicted ones stay contradicted.
        assert (primary[status[primary.index] == "reproduced"] == "holds").all()
        assert status[["R03", "F08"]].tolist() == ["contradicted", "contradicted"]
