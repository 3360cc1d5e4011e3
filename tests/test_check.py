"""The check: every finding at once, worst first, as text and as a list; never a traceback."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest
from cohort_on_disk import STUDY, TABLES, put
from conftest import COHORTS

from remission import check, checks, cleaning, raw
from remission.errors import ContractError, Problem
from remission.study import read as read_study


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    """Put the hand-written cohort on disk, with some tables replaced."""
    def once(tables: dict | None = None, study: str = STUDY):
        home = put(tmp_path, tables or {}, study)
        monkeypatch.chdir(tmp_path)
        return home
    return once


def faulty() -> dict[str, str]:
    return {
        "patients": TABLES["patients"].replace("03;IM;", "03;dasatinib;"),
        "disposition": TABLES["disposition"].replace("1.6.2008", "soon"),
        "laboratory": TABLES["laboratory"].replace("11,2;g/dL", "112;g/dL").replace("0,9;", "hämolytisch;"),
        "adverse_events": TABLES["adverse_events"].replace("Depression", "@Verhexung"),
        "mrd": "",
    }


def test_everything_is_found_at_once_and_the_worst_comes_first(cohort):
    cohort(faulty())
    found = check.check("mini")
    assert found.verdict == "cannot run"
    assert found.queries["severity"].drop_duplicates().tolist() == ["error", "aside", "warning"]
    assert {"V30", "V02", "S04", "V07", "V21", "V37"} <= set(found.queries["code"])
    assert list(found.queries) == cleaning.QUERY_COLUMNS
    row = found.queries.set_index("code").loc["V30"]
    assert row[["table", "line", "patient", "column", "value"]].tolist() == ["patients", 4, "03", "arm", "dasatinib"]


def test_no_row_is_unaccounted_for(cohort):
    cohort(faulty())
    accounts = check.check("mini").accounts.set_index("table")
    assert accounts.loc["patients"].tolist() == [3, 2, 0, 1]
    assert accounts.loc["laboratory"].tolist() == [4, 2, 2, 0]
    assert (accounts["read"] == accounts["analysed"] + accounts["aside"] + accounts["held"]).all()


def test_the_check_and_the_run_agree(cohort):
    cohort(faulty())
    study = read_study("mini")
    with pytest.raises(ContractError) as refused:
        cleaning.clean(raw.read(study), study)
    said = {(problem.table, problem.code) for problem in refused.value.problems}
    errors = check.check("mini").queries.query("severity == 'error'")
    assert said == set(zip(errors["table"], errors["code"], strict=True))


def test_a_terminal_shows_it_in_narrow_plain_lines(cohort, capsys):
    cohort(faulty())
    assert check.main(["mini"]) == 1
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= check.WIDTH and "\x1b" not in said
    assert said.startswith("cohort mini: cannot run (3 cells or files to mend, 2 rows set aside, 1 question)")
    for part in ("patients: 3 rows, 2 to analyse, 1 to mend first", "ERROR V30  line 4: arm: unknown arm 'dasatinib'",
                 "mend: one of IFN+IM, IM", "ASIDE V07", "ASK   V37", "nothing to ask: ", "data_queries.csv: 6 rows"):
        assert part in said, part
    assert "next:" not in said


def test_the_list_opens_in_a_spreadsheet_and_runs_nothing_there(cohort, tmp_path):
    cohort(faulty())
    check.main(["mini"])
    content = (tmp_path / "build" / "mini" / "data_queries.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert list(rows[0]) == cleaning.QUERY_COLUMNS
    odd = next(row for row in rows if row["code"] == "V37")
    assert odd["value"] == "'@Verhexung" and odd["line"] == "2" and odd["patient"] == "01"


def test_a_clean_cohort_is_ready(cohort, capsys):
    cohort()
    assert check.main(["mini"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("cohort mini: ready\n") and "next: make COHORT=mini" in said


def test_repairs_are_counted_and_no_question(cohort):
    cohort({"mrd": TABLES["mrd"].replace(";0,05;", ";0,05 %;")})
    found = check.check("mini")
    assert found.queries.empty and found.verdict == "ready"
    assert found.repairs[["table", "column", "code", "cells", "line"]].to_numpy().tolist() == [
        ["mrd", "result_text", "V44", 1, 2]]


def test_a_faulty_study_file_still_lets_the_files_be_seen(cohort):
    cohort({"mrd": "", "disposition": None}, STUDY.replace('kind = "own"', 'kind = "mine"'))
    found = check.check("mini")
    assert found.queries[["table", "code"]].to_numpy().tolist() == [
        ["study.toml", "S31"], ["mrd", "S04"], ["disposition", "S01"]]
    assert found.verdict == "cannot run"


def test_an_unfinished_study_file_hides_no_cell_and_the_arms_found_are_named(cohort):
    unfinished = STUDY.replace('key = "IM"', 'key = ""').replace('title = "', 'titel = "')
    assert unfinished.count('""') == 1
    cohort({"disposition": TABLES["disposition"].replace("1.6.2008", "soon")}, unfinished)
    found = check.check("mini")
    mine = found.queries[found.queries["table"] == "study.toml"]
    assert set(mine["code"]) == {"S31"} and len(mine) == 3
    arms = mine[mine["column"].str.startswith("arms")]
    assert arms["mend"].str.contains("patients.arm says ").all() and len(arms)
    assert found.queries[found.queries["table"] != "study.toml"][["table", "code", "value"]].to_numpy().tolist() == [
        ["disposition", "V02", "soon"]]
    assert "nothing to ask: " in check.text(found)


@pytest.mark.parametrize("odd", ['armss = 1', '"a.b" = 1', '"" = 1', 'arms.x = 1', '"arms[1]" = 2', 'time = 3',
                                 'mrd.margins = [2, 1]', 'known_defects."a.b.c" = ["x"]', 'dose.x.unit = "mg"',
                                 '"kind.x" = 1'])
def test_any_odd_key_is_named_and_left_out(cohort, odd):
    lines = STUDY if odd.partition(" ")[0] not in ("time", "arms.x") else "".join(
        line + "\n" for line in STUDY.splitlines()[:5])
    cohort({}, f"{odd}\n{lines}")
    found = check.check("mini")
    assert found.verdict == "cannot run" and set(found.queries["code"]) <= {"S31", "V19"}
    assert (found.queries["table"] == "study.toml").any()


@pytest.mark.parametrize("study", ["decimal = \n", STUDY.replace('decimal = ","', 'decimal = ";"'),
                                   STUDY.replace("date_order", "dateorder")])
def test_without_word_of_how_cells_are_written_tables_are_not_called_faultless(cohort, study):
    cohort({}, study)
    found = check.check("mini")
    assert found.queries["code"].tolist() == ["S31"] and "not yet looked into: " in check.text(found)
    assert (found.accounts["held"] == found.accounts["read"]).all()


@pytest.mark.parametrize("name", ["../mini", "/etc", "nobody", "", ".mini", "-mini", "a b", "mini\n"])
def test_a_name_that_is_no_cohort_is_one_message(cohort, capsys, name):
    cohort()
    assert check.main(["--", name]) == 1
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err and printed.out + printed.err


def test_identifiers_are_named_and_never_repeated(cohort, capsys):
    header, *rest = TABLES["patients"].splitlines()
    home = cohort({"patients": "\n".join([f"{header};Nachname;contact", *(f"{line};Zwetschgenbaum;z@example.org"
                                                                         for line in rest)]) + "\n"})
    assert check.main(["mini"]) == 1
    written = (home.parents[2] / "build" / "mini" / "data_queries.csv").read_text(encoding="utf-8-sig")
    for said in (capsys.readouterr().out, written):
        assert "P01" in said and "P03" in said
        assert "Zwetschgenbaum" not in said and "z@example.org" not in said
    with pytest.raises(ContractError, match="P01") as refused:
        study = read_study("mini")
        cleaning.clean(raw.read(study), study)
    assert "Zwetschgenbaum" not in str(refused.value)


@pytest.mark.parametrize("name", COHORTS)
def test_shipped_cohorts_can_run(name):
    found = check.check(name)
    assert found.verdict.startswith("ready") and "error" not in set(found.queries["severity"])
    assert (found.accounts["read"] == found.accounts["analysed"] + found.accounts["aside"]).all()


def test_problems_without_lines_are_one_row_a_patient():
    made = check.expand([checks.problem("no_disposition", "disposition", "patient_id", patients=("7", "8")),
                         Problem("mrd", "", (), "broken", "mend it")])
    assert made["patient"].tolist() == ["7", "8", ""] and made["line"].isna().all()
    assert made["rule"].tolist() == ["no_disposition", "no_disposition", ""]


def test_a_failure_of_the_check_itself_is_said_in_one_line(cohort, capsys, monkeypatch):
    cohort()

    def broken(*_):
        raise TypeError("odd")

    monkeypatch.setattr(cleaning, "examine", broken)
    assert check.main(["mini"]) == 2
    assert capsys.readouterr().err == "cohort 'mini': the check itself failed: TypeError: odd\n"


def test_a_reader_who_stops_reading_hears_no_complaint(cohort):
    cohort(TABLES)
    command = [sys.executable, "-m", "remission.check", "mini"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    assert run.communicate()[1] == b""


@pytest.mark.parametrize("dose", ["", "soon"])
def test_a_unit_without_any_number_is_no_fault_of_the_check(cohort, dose):
    cohort({"dosing": TABLES["dosing"] + f"01;interferon alfa-2a;{dose};IE;TIW;2.9.2004;3.9.2004;\n"})
    accounts = check.check("mini").accounts.set_index("table").loc["dosing"]
    assert accounts["read"] == 5 == accounts[["analysed", "aside", "held"]].sum()
