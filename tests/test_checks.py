"""The catalogue: complete, documented, and every check of tables is reached by a single fault in a clean cohort."""

from __future__ import annotations

import ast
import re

import pytest
from cohort_on_disk import STUDY, TABLES, put
from conftest import ROOT

from remission import check, checks, dictionary

SOURCES = [path for path in (ROOT / "src" / "remission").rglob("*.py") if path.name != "checks.py"]


def rewrite(table: str, *pairs: tuple[str, str]) -> dict[str, str]:
    """One table with texts replaced; each must occur."""
    text = TABLES[table]
    for old, new in pairs:
        assert old in text, (table, old)
        text = text.replace(old, new)
    return {table: text}


def swap(table: str, old: str, new: str) -> dict[str, str]:
    assert TABLES[table].count(old) == 1, (table, old)
    return rewrite(table, (old, new))


def add(table: str, *rows: str) -> dict[str, str]:
    return {table: TABLES[table] + "".join(f"{row}\n" for row in rows)}


def without(table: str, column: int) -> dict[str, str]:
    lines = [line.split(";") for line in TABLES[table].splitlines()]
    return {table: "".join(";".join(cells[:column] + cells[column + 1:]) + "\n" for cells in lines)}


PLAN = '[dose.imatinib]\nunit = "mg"\nstart = 600\ntarget = 600\nper_week = 7\nramp_days = 0\n'
PLANNED = STUDY.replace('aliases = ["IM+IFN"]', 'aliases = ["IM+IFN"]\ndrugs = ["interferon alfa-2a", "imatinib"]')
COUNTS = [f"02;{day}.3.2004;ANC;2,{day};10^9/L;1,8;7,7" for day in range(1, 7)]

#: code, table, line (None: the table as a whole), severity, tables, study.toml.
CASES = [
    ("S01", "disposition", None, "error", {"disposition": None}, STUDY),
    ("S02", "disposition", None, "error", swap("disposition", ";status;", ";state;"), STUDY),
    ("S03", "patients", None, "error", {"patients": TABLES["patients"].splitlines()[0] + "\n"}, STUDY),
    ("S04", "mrd", None, "error", {"mrd": ""}, STUDY),
    ("S11", "remission_events", None, "error",
     {"remission_events": "patient_id;date;day;event\n01;1.9.2004;275;relapse\n"}, STUDY),
    ("S12", "disposition", 5, "error", add("disposition", "02;1.6.2008"), STUDY),
    ("S12", "laboratory", 6, "aside", add("laboratory", "02;16.1.2004;HB;11"), STUDY),
    ("S14", "laboratory", 6, "aside", add("laboratory", ";;;;;;"), STUDY),
    ("S15", "laboratory", 6, "aside", add("laboratory", "01;2003-12-01;Neutrophile;2100;/µl;1800;7700"), STUDY),
    ("S16", "laboratory", 2, "warning", add("laboratory", "01;1.12.2003;ANC;2,2;10^9/L;1,8;7,7"), STUDY),
    ("S17", "patients", 3, "error", add("patients", "02;IFN+IM;M;1941;2003-02-11;2003-04-15;2004-01-15;p210"), STUDY),
    ("S19", "patients", None, "warning", {"patients": "\n".join(
        line + ";x" for line in TABLES["patients"].splitlines()) + "\n"}, STUDY),
    ("S20", "labs", None, "warning", {"labs": "a;b\n1;2\n"}, STUDY),
    ("S31", "study.toml", None, "error", {}, STUDY.replace('unit = "day"', 'unit = "fortnight"')),
    ("S33", "dosing", 5, "aside", add("dosing", "02;imatinib;400;mg;QD;15.1.2004;;"), STUDY),
    ("V02", "patients", 4, "error", swap("patients", "10.7.2003", "summer"), STUDY),
    ("V03", "laboratory", 3, "aside", swap("laboratory", ";5.1.2004", ";31.2.2004"), STUDY),
    ("V04", "remission_events", 2, "error", swap("remission_events", "1.9.2004", "01-09-04"), STUDY),
    ("V05", "remission_events", 2, "error", swap("remission_events", "1.9.2004", "09/2004"), STUDY),
    ("V06", "laboratory", 3, "aside", swap("laboratory", ";5.1.2004", ";37991"), STUDY),
    ("V07", "laboratory", 4, "aside", swap("laboratory", "11,2;g/dL", "112;g/dL"), STUDY),
    ("V08", "disposition", 3, "error", swap("disposition", "1.6.2008", "1.6.2808"), STUDY),
    ("V21", "laboratory", 4, "aside", swap("laboratory", "11,2", "hämolytisch"), STUDY),
    ("V22", "dosing", 5, "aside", swap("dosing", "02;imatinib;600", "02;imatinib;1.600"), STUDY),
    ("V23", "laboratory", 4, "aside", swap("laboratory", "11,2", "1E300"), STUDY),
    ("V24", "patients", 3, "error", swap("patients", "1940", "1940,5"), STUDY),
    ("V29", "disposition", 3, "error", swap("disposition", "alive in remission", "fine"), STUDY),
    ("V29", "adverse_events", 2, "warning", swap("adverse_events", "2;Y;N;IFN", "2;perhaps;N;IFN"), STUDY),
    ("V30", "patients", 4, "error", swap("patients", "03;IM;", "03;dasatinib;"), STUDY),
    ("V31", "dosing", 5, "aside", swap("dosing", "02;imatinib", "02;aspirin"), STUDY),
    ("V32", "dosing", 5, "aside", swap("dosing", "600;mg;QD;15", "600;drops;QD;15"), STUDY),
    ("V37", "adverse_events", 2, "warning", swap("adverse_events", "Depression", "Verhexung"), STUDY),
    ("V38", "adverse_events", 2, "warning", swap("adverse_events", ";2;Y", ";schlimm;Y"), STUDY),
    ("V41", "mrd", 2, "aside", swap("mrd", ";0,05;", ";siehe Befund;"), STUDY),
    ("V42", "mrd", 2, "aside", swap("mrd", ";0,05;", ";n.d.;"), STUDY),
    ("V43", "mrd", 2, "aside", swap("mrd", ";0,05;", ";0;"), STUDY),
    ("V46", "mrd", 2, "warning", swap("mrd", ";0,05;", ";0,5;"), STUDY),
    ("V47", "mutations", 2, "aside", swap("mutations", "T315I", "T315I + E255K"), STUDY),
    ("V54", "adverse_events", 3, "aside", swap("adverse_events", "Fatigue", ""), STUDY),
    ("V54", "patients", 4, "error", swap("patients", "03;IM;", "03;;"), STUDY),
    ("V57", "dosing", 5, "aside", swap("dosing", "02;imatinib;600", "02;imatinib;-600"), STUDY),
    ("V57", "patients", 3, "error", rewrite("patients", ("1938", "65"), ("1940", "640"), ("1935", "68"),
                                            ("birth_year", "age")), STUDY),
    ("V58", "laboratory", 3, "aside", swap("laboratory", "0,9;10^9/L", "1500;10^9/L"), STUDY),
    ("V59", "dosing", 3, "aside", swap("dosing", ";3;MU;", ";3000000;MU;"), STUDY),
    ("V60", "laboratory", 4, "warning", swap("laboratory", "12;16", "16;12"), STUDY),
    ("V61", "dosing", 5, "warning", swap("dosing", "02;imatinib;600", "02;imatinib;6000"), STUDY + PLAN),
    ("V68", "laboratory", 12, "warning", add("laboratory", *COUNTS, "03;9.3.2004;ANC;480;10^9/L;1,8;7,7"), STUDY),
    ("O01", "patients", 2, "error", swap("patients", "20.3.2003", "20.12.2002"), STUDY),
    ("O02", "patients", 2, "error", swap("patients", "10.1.2003;20.3.2003", "10.1.2004;"), STUDY),
    ("O03", "patients", 2, "error", swap("patients", "20.3.2003", "20.3.2004"), STUDY),
    ("O04", "disposition", 4, "error", rewrite("disposition", ("9.9.2006", "9.9.2003")), STUDY),
    ("O05", "disposition", 3, "error", swap("disposition", "1.6.2008", "1.6.2003"), STUDY),
    ("O06", "disposition", 3, "error", swap("patients", "2003-04-15;2004-01-15", ";")
     | swap("disposition", "1.6.2008", "1.1.2003"), STUDY),
    ("O07", "disposition", 4, "error", swap("patients", "10.7.2003;2.2.2004", ";")
     | rewrite("disposition", ("9.9.2006", "1.1.2003")), STUDY),
    ("O08", "disposition", 4, "error", swap("disposition", "03;9.9.2006", "03;9.9.2007"), STUDY),
    ("O09", "remission_events", 2, "error", swap("remission_events", "1.9.2004", "1.3.2003"), STUDY),
    ("O10", "remission_events", 2, "error", swap("remission_events", "1.9.2004", "1.9.2003"), STUDY),
    ("O11", "remission_events", 2, "error", swap("remission_events", "1.9.2004", "1.9.2005"), STUDY),
    ("O12", "remission_events", 3, "error", add("remission_events", "02;1.9.2009;relapse;BM"), STUDY),
    ("O13", "patients", 3, "error", swap("patients", "1940", "2004"), STUDY),
    ("O14", "patients", 2, "error", {
        "patients": "patient_id;arm;maintenance_start_day\n01;IFN+IM;7\n02;IFN+IM;0\n03;IM;\n",
        "remission_events": "patient_id;day;event\n01;275;relapse\n",
        "disposition": "patient_id;last_contact_day;status\n01;456;alive after relapse\n02;900;alive in remission\n"
                       "03;950;alive in remission\n", **dict.fromkeys(TABLES.keys() - {
                           "patients", "remission_events", "disposition"})}, STUDY),
    ("O15", "mrd", 5, "aside", add("mrd", "01;1.4.2005;PB;0;40000;neg;0,0025;A"), STUDY),
    ("O17", "dosing", 2, "aside", swap("dosing", "2003;28.12.2003", "2003;28.11.2003"), STUDY),
    ("O20", "mrd", 5, "warning", add("mrd", "02;1.7.2008;PB;0;40000;neg;0,0025;A"), STUDY),
    ("O21", "procedures", 2, "warning", swap("procedures", "20.1.2003", "20.12.2002"), STUDY),
    ("O22", "adverse_events", 3, "warning", swap("adverse_events", "1.2.2004", "1.1.2003"), STUDY),
    ("O23", "remission_events", 3, "warning", add("remission_events", "01;1.1.2005;relapse;CNS"), STUDY),
    ("O24", "chemotherapy_cycles", 5, "warning", add("chemotherapy_cycles", "02;2;consolidation;1.3.2004;5.3.2004"),
     STUDY),
    ("O25", "chemotherapy_cycles", 3, "warning", swap("chemotherapy_cycles", "1.4.2003;20.4.2003",
                                                      "12.1.2003;14.1.2003"), STUDY),
    ("O26", "patients", 2, "warning", {"patients": "\n".join(
        f"{line};{age}" for line, age in zip(TABLES["patients"].splitlines(), ["age", "45", "64", "69"], strict=True))
        + "\n"}, STUDY),
    ("O28", "dosing", 5, "warning", swap("dosing", "02;imatinib;600;mg;QD;15.1.2004",
                                         "02;imatinib;600;mg;QD;1.4.2003"), STUDY),
    ("O29", "adverse_events", 3, "warning", swap("adverse_events", "2004;;1;N", "2004;;5;N"), STUDY),
    ("A01", "laboratory", 6, "aside", add("laboratory", "99;1.12.2003;ANC;2,1;10^9/L;1,8;7,7"), STUDY),
    ("A01", "remission_events", 3, "error", add("remission_events", "77;1.9.2004;relapse;BM"), STUDY),
    ("A02", "disposition", None, "error", rewrite("disposition", ("02;1.6.2008;alive in remission;;\n", "")), STUDY),
    ("A03", "remission_events", None, "error", {"remission_events": "patient_id;date;event;site\n"}, STUDY),
    ("A04", "disposition", 3, "warning", add("remission_events", "02;1.9.2006;relapse;BM"), STUDY),
    ("A04", "disposition", 4, "warning", rewrite("disposition", ("died in remission", "alive in remission")), STUDY),
    ("A05", "disposition", 4, "warning", rewrite("disposition", ("in remission;9.9.2006;", "in remission;;")), STUDY),
    ("A06", "patients", None, "warning", {}, STUDY + '[[arms]]\nkey = "none"\nlabel = "nobody"\n'),
    ("A07", "patients", None, "warning", rewrite("disposition", ("died in remission;9.9.2006;stroke",
                                                                 "alive in remission;;")), STUDY),
    ("A08", "patients", 3, "warning", {}, PLANNED),
    ("A09", "dosing", 6, "warning", add("dosing", "03;imatinib;600;mg;QD;2.2.2004;;"),
     STUDY.replace("reference = true", 'reference = true\ndrugs = ["interferon alfa-2a"]')),
    ("A10", "mutations", 4, "warning", add("mutations", "03;2.2.2004;direct sequencing;T315I;20"), STUDY),
    ("A11", "patients", 4, "warning", add("mrd", "03;2.2.2004;PB;0;40000;neg;0,0025;A"), STUDY),
    ("A12", "dosing", 5, "warning", swap("dosing", "15.1.2004;;", "15.1.2004;1.9.2004;relapse"), STUDY),
    ("A13", "adverse_events", 3, "warning", swap("adverse_events", "Y;none", "Y;IFN stopped"), STUDY),
    ("A14", "disposition", 3, "warning", swap("disposition", "alive in remission", "unknown"), STUDY),
    ("A15", "disposition", 3, "warning", swap("disposition", "02;1.6.2008", "02;"), STUDY),
    ("A16", "patients", 3, "warning", swap("patients", "2004-01-15", ""), STUDY),
    ("A18", "dosing", 5, "aside", swap("patients", "2004-01-15", ""), STUDY),
    ("A17", "disposition", 3, "warning", swap("disposition", "1.6.2008", "15.1.2004"), STUDY),
]


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Check the hand-written cohort with some tables replaced."""
    def once(tables: dict, study: str = STUDY) -> check.Report:
        put(tmp_path, tables, study)
        monkeypatch.chdir(tmp_path)
        return check.check("mini")
    return once


@pytest.mark.parametrize(("code", "table", "line", "severity", "tables", "study"), CASES,
                         ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_a_single_fault_is_found_under_its_code(report, code, table, line, severity, tables, study):
    found = report(tables, study)
    mine = found.queries[(found.queries["code"] == code) & (found.queries["table"] == table)]
    lines = [None if value is None or value != value else value for value in mine["line"].astype(object).where(
        mine["line"].notna(), None)]
    assert line in lines
    assert set(mine["severity"]) == {severity}
    assert (found.verdict == "cannot run") == (severity == "error" or (found.queries["severity"] == "error").any())
    accounts = found.accounts
    assert (accounts["read"] == accounts["analysed"] + accounts["aside"] + accounts["held"]).all()


def test_the_clean_cohort_raises_nothing(report):
    found = report({})
    assert found.queries.empty and found.repairs.empty and found.verdict == "ready"


def test_codes_are_one_letter_and_two_digits_without_a_gap():
    for letter in checks.KINDS:
        numbers = [int(code[1:]) for code in checks.CHECKS if code[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1)), letter
    assert len(checks.RULES) == len(checks.CHECKS)


@pytest.mark.parametrize("check_", checks.CHECKS.values(), ids=checks.CHECKS)
def test_every_check_says_what_it_finds_and_how_to_mend_it(check_):
    assert check_.severity in checks.SEVERITIES and check_.elsewhere in {"", *checks.SEVERITIES}
    assert check_.meaning and check_.mend
    assert f"### {check_.code} {check_.rule}\n" in dictionary.dictionary()


def test_every_rule_of_the_catalogue_is_used_and_every_rule_that_is_used_is_in_it():
    words = {node.value for path in SOURCES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    units = (ROOT / "src" / "remission" / "data" / "units.csv").read_text(encoding="utf-8")
    unused = [check_.rule for check_ in checks.CHECKS.values() if not check_.faults and check_.rule not in words
              and check_.code not in words and check_.rule not in units]
    assert unused == []
    given = {match for path in SOURCES if path.parent.name in ("cleaning", "raw") for match in re.findall(
        r'(?:audit|audits\[name\]|facts)\.(?:log|log_table|drop|ask)\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    assert given and given <= set(checks.RULES)


def test_the_longest_claim_on_a_fault_wins():
    assert checks.of_fault("not a number 'x'").code == "V21"
    assert checks.of_fault("not one amino-acid change").code == "V47"
    assert checks.of_fault("not one of F, M").code == "V29"
    assert checks.of_fault("").code == "V01"
