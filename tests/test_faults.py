"""Every fault of the corpus is found, under its code, on its row, with a mend; shipped cohorts raise no false alarm."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from conftest import COHORTS
from faulty_cohort import REQUIRED, faults, put, small_cohort, with_fault

from remission import check, checks, cleaning, raw, schema
from remission.errors import ContractError
from remission.study import read as read_study

#: Checks that no single change of a file reaches, and why; each has a test of its own below.
ELSEWHERE = {"S32": "a cohort's name comes from the command line",
             "V01": "the group's name in log and quarantine; the findings have finer codes"}
#: Findings in the shipped cohorts: how many of each code, and why they are right.
SHIPPED = {
    "ash2012_reconstructed": {
        "A01": 4,   # samples of two patients who are not in the study, put in by the reconstruction
        "A08": 1,   # the trial patient who is not evaluable for interferon
        "O15": 10,  # rows dated after death, put in
        "S15": 23,  # rows exported twice, put in
        "V21": 2,   # "hämolytisch" and "geronnen" in place of a value, put in
        "V41": 2,   # "Material reicht nicht" and "nicht auswertbar" in place of a result, put in
    },
    "chiaretti2004": {
        "A05": 8,   # died by the source, which gives no day
        "A14": 6,   # status not told by the source
        "A15": 16,  # last contact not told by the source
        "A16": 11,  # no day of first remission, from which time counts
        "S19": 15,  # columns of the source that the contract does not name
    },
    "freireich1963": {"S19": 1},  # logarithm of the white-cell count
    "scrucca_bmt": {},
    "wassmann2003": {"S19": 10},  # columns of the printed table that the contract does not name
}


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """Check files put into a cohort's folder."""
    def once(files: dict[str, bytes | None], rows: int | None = None) -> check.Report:
        put(tmp_path, files)
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            return check.check("mini", rows)
    return once


@pytest.fixture
def repaired(tmp_path, monkeypatch):
    """How often each repair is logged in a cohort, by code, table and line (0: the table as a whole)."""
    def once(files: dict[str, bytes | None]) -> Counter:
        put(tmp_path, files)
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            study = read_study("mini")
            log = cleaning.clean(raw.read(study), study).log
        return Counter((checks.code(rule), table, line) for rule, table, line in
                       zip(log["rule"], log["table"], log["line"].fillna(0).astype(int), strict=True)
                       if checks.RULES[rule].severity == "repaired")
    return once


def _findings(report: check.Report) -> list[tuple[str, str, int]]:
    queries = report.queries
    return sorted(zip(queries["code"], queries["table"], queries["line"].fillna(0).astype(int), strict=True))


@pytest.fixture(scope="module")
def usual() -> dict:
    """Repairs of the small cohort without any fault; filled by the first test that needs them."""
    return {}


def test_the_small_cohort_is_faultless(checked):
    report = checked(small_cohort())
    assert report.verdict == "ready" and report.queries.empty
    assert report.accounts["table"].tolist() == list(schema.RAW)
    assert (report.accounts["analysed"] == report.accounts["read"]).all()


@pytest.mark.parametrize("fault", faults(), ids=[f"{fault['table']}: {fault['name']}" for fault in faults()])
def test_a_fault_is_found(checked, repaired, usual, fault):
    files, expected = with_fault(fault)
    report = checked(files)
    found = _findings(report)
    if fault["severity"] == "repaired":
        if not usual:
            usual.update(repaired(small_cohort()))
        shift = fault.get("prefix", "").count("\n")
        before = Counter({(code, table, line + shift * (line > 0 and table == fault["table"])): count
                          for (code, table, line), count in usual.items()})
        found = sorted([*found, *(repaired(files) - before).elements()])
    assert found == expected
    mine = report.queries[report.queries["code"] == fault["code"]]
    assert set(mine["severity"]) == ({fault["severity"]} if fault["severity"] != "repaired" else set())
    assert (report.queries[["what", "mend"]] != "").all(axis=None) and checks.CHECKS[fault["code"]].mend
    if fault["code"].startswith("P"):
        assert (mine["value"] == "").all()
    worst = {"error": "cannot run", "aside": "ready with questions", "warning": "ready with questions"}
    severities = [name for name in worst if name in set(report.queries["severity"])]
    assert report.verdict == (worst[severities[0]] if severities else "ready")
    accounts = report.accounts
    assert (accounts["read"] == accounts["analysed"] + accounts["aside"] + accounts["held"]).all()
    assert max(map(len, check.text(report).splitlines())) <= check.WIDTH


@pytest.mark.parametrize("fault", faults()[::15], ids=lambda fault: f"{fault['table']}: {fault['name']}")
def test_blocks_of_patients_say_the_same(checked, fault):
    files, _ = with_fault(fault)
    whole, parts = checked(files), checked(files, 20)
    assert parts.verdict == whole.verdict
    for name in ("queries", "repairs", "accounts"):
        pd.testing.assert_frame_equal(getattr(parts, name), getattr(whole, name))


def test_the_corpus_covers_every_table_and_every_check():
    assert len(faults()) >= 120
    names = Counter((fault["table"], fault["name"]) for fault in faults())
    assert max(names.values()) == 1
    assert min(Counter(fault["table"] for fault in faults() if fault["table"] in schema.RAW).values()) >= 12
    assert {fault["table"] for fault in faults()} >= set(schema.RAW)
    assert {fault["code"] for fault in faults()} == set(checks.CHECKS) - set(ELSEWHERE)


def test_a_fault_has_a_severity_that_its_check_can_have():
    for fault in faults():
        one = checks.CHECKS[fault["code"]]
        # An optional cell that cannot be read is lost, and its row is not.
        possible = {one.severity, one.elsewhere} | ({"warning"} if one.faults else set())
        assert fault["severity"] in possible, fault


@pytest.mark.parametrize("name", ["../mini", "/etc", "a/b", ".mini", "mini\n", ""])
def test_a_name_that_is_no_folder(name):
    with pytest.raises(ContractError) as refused:
        read_study(name)
    assert {problem.code for problem in refused.value.problems} == {"S32"}


def test_the_group_of_unreadable_values(tmp_path, monkeypatch):
    """Log and quarantine name the group; the finer check stands in the list of queries."""
    files = small_cohort()
    files["laboratory.csv"] = files["laboratory.csv"].replace(b";ALT;27;", b";ALT;clotted;")
    files["adverse_events.csv"] = files["adverse_events.csv"].replace(b",1,N,kein ", b",bad,N,kein ")
    put(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    study = read_study("mini")
    made = cleaning.clean(raw.read(study), study)
    assert made.quarantine[["table", "line", "rule"]].to_numpy().tolist() == [["laboratory", 2, "unreadable_value"]]
    log = made.log[made.log["rule"] == "unreadable_value"]
    assert log[["table", "line", "column", "before", "after"]].to_numpy().tolist() == [
        ["adverse_events", 2, "grade", "bad", ""]]
    assert checks.code("unreadable_value") == "V01"


@pytest.mark.parametrize("cohort", COHORTS)
def test_shipped_cohorts_have_their_own_defects_and_no_other(cohort):
    report = check.check(cohort)
    assert report.queries["code"].value_counts().to_dict() == SHIPPED[cohort]
    assert (report.accounts["held"] == 0).all() and set(report.accounts["table"]) >= set(REQUIRED)
