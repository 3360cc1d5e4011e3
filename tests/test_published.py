"""The published cohorts: tables byte for byte, every value where its source has it, R's numbers at the end."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from remission import cleaning, ledger, paths, published, raw, results
from remission.adam.adsl import derive_adsl
from remission.adam.adtte import derive_adtte
from remission.adam.extra import describe_extra
from remission.study import read as read_study
from remission.survival.counts import analyse_counts
from remission.survival.report import analyse, analyse_competing

COHORTS = sorted(published.COHORTS)


@pytest.fixture(scope="module")
def chain():
    """Clean result, adsl, adtte and study of each cohort, made once."""
    made = {}

    def derive(cohort):
        if cohort not in made:
            study = read_study(cohort)
            clean = cleaning.clean(raw.read(study), study)
            adsl = derive_adsl(clean.tables, study)
            made[cohort] = clean, adsl, derive_adtte(adsl, study), study
        return made[cohort]

    return derive


def times(chain, cohort, endpoint="TTRLP"):
    adtte = chain(cohort)[2]
    return adtte[adtte["PARAMCD"] == endpoint].set_index("USUBJID")


@pytest.mark.parametrize("cohort", COHORTS)
def test_making_the_tables_again_gives_the_committed_bytes(cohort, tmp_path, monkeypatch):
    folder = paths.raw(cohort)
    made = published.COHORTS[cohort]()
    monkeypatch.setattr(published.paths, "raw", lambda name: tmp_path / name)
    monkeypatch.setitem(published.COHORTS, cohort, lambda: made)
    published.write(cohort)
    again = sorted((tmp_path / cohort).glob("*.csv"))
    assert {path.stem for path in again} == {path.stem for path in folder.glob("*.csv")} - {"claims"}
    assert [path.name for path in again if path.read_bytes() != (folder / path.name).read_bytes()] == []


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_cohort_says_what_it_is(cohort):
    text = (paths.raw(cohort) / "README.md").read_text(encoding="utf-8")
    for word in ("**Citation.**", "licence", f"python -m remission.published {cohort}", "## Columns"):
        assert word in text
    for path in paths.raw(cohort).glob("*.csv"):
        columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        assert [column for column in columns if column not in text] == [] or path.stem == "claims"
    assert read_study(cohort).kind == "published"


@pytest.mark.parametrize("cohort", COHORTS)
def test_no_row_is_lost_and_no_row_is_set_aside(cohort, chain):
    clean, adsl, _, _ = chain(cohort)
    assert clean.quarantine.empty
    assert len(adsl) == {"chiaretti2004": 128, "freireich1963": 42, "scrucca_bmt": 35, "wassmann2003": 6}[cohort]


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_claim_is_reproduced(cohort, chain):
    clean, adsl, adtte, study = chain(cohort)
    parts = [describe_extra(clean.tables["patients"], study), analyse_counts(adsl, study),
             analyse_competing(adtte, study), *(analyse(adtte, study, code) for code in study.endpoints)]
    found = pd.concat([part for part in parts if len(part)])
    settled = ledger.settle(ledger.read_claims(study), found)
    assert settled.loc[settled["status"] != "reproduced", "id"].tolist() == []
    assert settled["id"].is_unique and (settled["note"] != "").all()
    assert results.frame(found.to_dict("records"))["result_id"].is_unique


def test_freireich_times_are_those_of_the_paper(chain):
    # Blood 1963;21:699, as printed in every textbook since; weeks, + censored.
    weeks = {"6-MP": "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+",
             "placebo": "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"}
    made = times(chain, "freireich1963").sort_values(["AVAL", "CNSR"])
    for arm, printed in weeks.items():
        mine = made[made["TRT01A"] == arm]
        assert " ".join(f"{days / 7:g}{'+' if cnsr else ''}" for days, cnsr in zip(
            mine["AVAL"], mine["CNSR"], strict=True)) == printed


def test_freireich_keeps_the_columns_beyond_the_contract(chain):
    patients = chain("freireich1963")[0].tables["patients"].set_index("patient_id")
    assert patients.loc[["F01", "F42"], "log_wbc"].tolist() == ["1.45", "5.00"]
    assert patients["sex"].value_counts().to_dict() == {"F": 22, "M": 20}


def test_wassmann_months_become_days(chain):
    # Month of 30.4375 days, half up: 6.4 is 194.8, 9 is 273.9, 20.81 and 20.8 are both 633.
    made = times(chain, "wassmann2003")
    assert made["AVAL"].tolist() == [651, 633, 274, 195, 152, 164]
    assert made["CNSR"].tolist() == [1, 1, 0, 0, 0, 0]
    survival = times(chain, "wassmann2003", "OSMT")
    assert survival["AVAL"].tolist() == [651, 633, 624, 581, 320, 435]
    assert survival["CNSR"].tolist() == [1, 1, 1, 1, 0, 0]


def test_wassmann_has_sites_procedures_and_no_invented_dose(chain):
    clean, adsl, _, _ = chain("wassmann2003")
    assert adsl["RELSITE"].fillna("").tolist() == ["", "", "CNS", "CNS", "BM", "BM"]
    assert clean.tables["procedures"]["procedure"].value_counts().to_dict() == {
        "intrathecal": 2, "CNS irradiation": 2, "SCT": 2}
    assert "dosing" not in clean.tables


def test_scrucca_codes_relapse_as_relapse_and_death_as_competing(chain):
    # Scrucca 2007, Table 1: ALL 12 relapses and 3 deaths, AML 3 and 6.
    made = times(chain, "scrucca_bmt")
    counts = made.groupby(["TRT01A", "CNSR"]).size().to_dict()
    assert counts == {("ALL", 0): 12, ("ALL", 1): 2, ("ALL", 2): 3, ("AML", 0): 3, ("AML", 1): 9, ("AML", 2): 6}
    assert made.loc[["S24", "S25"], ["AVAL", "CNSR"]].to_numpy().tolist() == [[0, 0], [0, 2]]


class TestChiaretti:
    """The one cohort with real dates: each defect reported, none guessed."""

    UNDATED_DEATHS = ("1005", "1007", "8011", "11005", "12026", "28021", "64002")

    @pytest.fixture
    def adsl(self, chain):
        return chain("chiaretti2004")[1].set_index("USUBJID")

    def test_the_split_changes_no_text(self):
        with (paths.raw("chiaretti2004") / "source" / "bioc_ALL_phenotype.csv").open(encoding="utf-8") as handle:
            source = {row["cod"]: row for row in csv.DictReader(handle)}
        made = published.chiaretti2004()
        kept = {"diagnosis_date": "diagnosis", "cr_date": "date.cr", "sex": "sex", "age": "age", "citog": "citog",
                "transcript": "fusion protein", "mol_biol": "mol.biol", "kinet": "kinet"}
        for row in made["patients"].to_dict("records"):
            found = {name: "" if text == "NA" else text for name, text in source[row["patient_id"]].items()}
            assert [row[name] for name in kept] == [found[name] for name in kept.values()]
        contacts = made["disposition"].set_index("patient_id")["last_contact"]
        assert contacts[["9008", "24008", "1005"]].tolist() == ["00/09/01", "00/09/20+T12501", ""]

    def test_the_three_unreadable_dates_are_reported_and_missing(self, chain, adsl):
        log = chain("chiaretti2004")[0].log
        log = log[log["rule"] == "known_defect"]
        assert log[["patient_id", "column", "before", "after"]].to_numpy().tolist() == [
            ["24006", "cr_date", "not known", ""], ["9008", "last_contact", "00/09/01", ""],
            ["24008", "last_contact", "00/09/20+T12501", ""]]
        assert adsl.loc[["24006", "9008", "24008"], ["TTEFL", "TTEEXCL"]].to_numpy().tolist() == [
            ["N", "no date of first complete remission"], ["N", "no date of last contact"],
            ["N", "no date of last contact"]]
        assert adsl.loc[["9008", "24008"], "LSTALVDY"].isna().all()

    def test_the_seven_undated_deaths_in_remission_are_reported_and_not_guessed(self, chain, adsl):
        undated = adsl[adsl["TTEEXCL"].str.contains("no date of death in remission", na=False)]
        # 8024 is dead in remission by the column CR alone; its follow-up entry is blank.
        assert set(undated.index) == {*self.UNDATED_DEATHS, "8024"}
        assert (undated["STATUS"] == "death in remission").all() and undated["DTHDY"].isna().all()
        disposition = chain("chiaretti2004")[0].tables["disposition"].set_index("patient_id")
        entries = disposition.loc[disposition["follow_up"].str.contains("DEATH IN CR", na=False)]
        assert set(entries.index[entries["death_date"].isna()]) == set(self.UNDATED_DEATHS)

    def test_every_patient_left_out_has_a_reason(self, adsl):
        assert adsl["TTEEXCL"].value_counts().to_dict() == {
            "never in remission": 21, "no date of death in remission": 6, "outcome unknown": 6,
            "no date of first complete remission": 3, "no date of last contact": 2,
            "no date of first complete remission; no date of death in remission": 2}
        assert (adsl["TTEEXCL"].notna() == (adsl["TTEFL"] == "N")).all()

    def test_the_patients_used_are_those_of_the_reference(self, chain):
        # R 4.2.2: n used 88, BCR/ABL 17 with 16 relapses, other 71 with 48; no negative time.
        made = times(chain, "chiaretti2004")
        assert made.groupby(["TRT01A", "CNSR"]).size().to_dict() == {
            ("BCR/ABL", 0): 16, ("BCR/ABL", 1): 1, ("other", 0): 48, ("other", 1): 22, ("other", 2): 1}
        assert made["AVAL"].min() == 1

    def test_dates_are_month_first(self, adsl):
        # 12/7/1998 to 2/22/2000, as R: as.Date("2/22/2000", "%m/%d/%Y") - as.Date("12/7/1998", "%m/%d/%Y") is 442.
        assert adsl.loc["24017", "RELDY"] == 442
        assert adsl.loc["24017", "DXDY"] == -83

    def test_transplants_have_no_date(self, chain):
        procedures = chain("chiaretti2004")[0].tables["procedures"]
        assert len(procedures) == 10 and procedures["date"].isna().all()


def test_the_command_refuses_what_it_does_not_know(capsys):
    assert published._main(["ash2012_reconstructed"]) == 2
    assert "usage" in capsys.readouterr().err
