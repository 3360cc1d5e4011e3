"""Reading tables as text."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from cohort_on_disk import TABLES, put

from remission import checks, raw
from remission.study import read as read_study


@pytest.fixture
def table(tmp_path):
    """Read one text or bytes as a table."""
    def once(content):
        path = tmp_path / "mrd.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return raw.read_table(path, "mrd")
    return once


def test_every_cell_is_text_and_carries_its_line(table):
    made = table("patient_id,value\n007,1E5\nNA,\n")
    assert made["patient_id"].tolist() == ["007", "NA"]
    assert made["value"].tolist() == ["1E5", ""]
    assert made["_line"].tolist() == [2, 3]


@pytest.mark.parametrize(("separator", "cell"), [(",", '"1,5"'), (";", "1,5"), ("\t", "1,5"), ("|", "1,5")])
def test_the_separator_is_taken_from_the_header(table, separator, cell):
    made = table(separator.join(["a", "b"]) + "\n" + separator.join(["x", cell]) + "\n")
    assert made.loc[0, ["a", "b"]].tolist() == ["x", "1,5"]
    assert made.attrs["separator"] == separator


def test_a_separator_inside_quotes_does_not_count(table):
    assert table('"dose, in MU, a day";b\n1;2\n').attrs["separator"] == ";"


def test_byte_order_mark_line_ends_and_blank_lines(table):
    made = table(b"\xef\xbb\xbfa;b\r\n1;2\r\n\r\n3;4\r\n")
    assert list(made) == ["a", "b", "_line"]
    assert made["_line"].tolist() == [2, 4]


def test_a_cell_may_hold_a_line_break(table):
    made = table('a,b\n1,"two\nlines"\n3,4\n')
    assert made["b"].tolist() == ["two\nlines", "4"]
    assert made["_line"].tolist() == [2, 4]


def test_rows_of_the_wrong_length_are_named_and_kept(table):
    made = table("a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,2,3\n1,2,3\n")
    assert made.attrs["ragged"] == {3: ["4", "5"], 4: ["6", "7", "8", "9"]}
    assert made.loc[1, ["a", "b", "c"]].tolist() == ["4", "5", ""] and len(made) == 5


NO_TABLES = [
    # content, check, part of the message
    ("", "empty_file", "the file is empty"), ("\n \n", "empty_file", "the file is empty"),
    ("<html><body>login</body></html>", "not_a_table", "HTML page"), ('{"a": 1}', "not_a_table", "JSON"),
    (b"PK\x03\x04\xff", "not_a_table", "a workbook or archive"), (b"%PDF-1.7\n", "not_a_table", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1", "not_a_table", "before 2007"), (b"\x1f\x8b\x08", "not_a_table", "gzip"),
    (b"a,b\n1,\x00\n", "not_a_table", "control characters"),
    (b"\x00\x01\x02\xff\xfe", "not_a_table", "zero bytes"),
    ("a,,c\n1,2,3\n", "nameless_column", "column 2 has no name"), ("a,a\n1,2\n", "repeated_column", "twice"),
    ("a,_line\n1,2\n", "repeated_column", "line number"), (",,\n,,\n", "nameless_column", "no column has a name"),
    ("a,b\n1,5,x\n1,5,y\n", "ragged_table", "2 of 2 rows have not the 2 cells"),
    ("a\tb\n1\n2\n", "ragged_table", "have not the 2 cells"), ("a b c\n1 2 3\n", "no_separator", "single cell"),
    ('a,b\n1,"2\n3,4\n', "stray_quote", "never closed"),
    ('a,b\n1,"2"x\n3,4\n', "stray_quote", "inside a quoted cell"),
    ('a,b\n1,"2\n3,4\n5,"\n', "stray_quote", "runs on to line 4"),
    ("a,b\n1," + "x" * 200000, "stray_quote", "too long"),
    ("Export of 12 March\n\npatient_id,b\n1,2\n", "header_not_first", "the header stands on line 3"),
]


def test_a_cell_is_too_long_whatever_others_allow(table):
    before = csv.field_size_limit(1 << 30)
    try:
        assert "too long" in str(table("a,b\n1," + "x" * 131073).attrs["problems"][0])
        assert table("a,b\n1," + "x" * 131072).attrs["problems"] == []
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(("content", "rule", "what"), NO_TABLES, ids=[f"{case[1]}-{case[2]}" for case in NO_TABLES])
def test_what_is_no_table_says_why(table, content, rule, what):
    made = table(content)
    problems = made.attrs["problems"]
    assert len(problems) == 1 and what in str(problems[0]) and problems[0].table == "mrd"
    assert problems[0].code == checks.code(rule)
    # Half of the rows of the wrong length: the table is there, the others are none.
    assert (list(made) == ["_line"]) == (rule != "ragged_table")


def test_a_header_of_one_column_may_be_a_table_outside_the_contract(tmp_path):
    (tmp_path / "centres.csv").write_text("centre\nA\n")
    assert raw.read_table(tmp_path / "centres.csv", "centres")["centre"].tolist() == ["A"]


def test_a_line_for_spreadsheets_tells_the_separator(table):
    made = table("sep=|\r\na|b\r\n1,5|2;5\r\n")
    assert made.loc[0, ["a", "b"]].tolist() == ["1,5", "2;5"] and made["_line"].tolist() == [3]
    assert made.attrs["notes"] == [("separator_line", "", -1, "sep=|", "passed over")]


def test_columns_without_name_and_cells_are_passed_over(table):
    made = table("a;b;;\n1;2;;\n;;;\n3;4;;\n")
    assert list(made) == ["a", "b", "_line"] and made["a"].tolist() == ["1", "", "3"]
    assert made.attrs["notes"] == [("blank_edges", "", -1, "2 columns without name and cells", "passed over")]


def test_line_ends_of_every_system(table):
    for end in ("\n", "\r\n", "\r"):
        made = table(end.join(["a;b", "1;2", "", "3;4"]))
        assert made["a"].tolist() == ["1", "3"] and made["_line"].tolist() == [2, 4]


def test_the_header_may_be_quoted_over_lines_and_come_after_blank_ones(table):
    made = table('\n\n"dose\nin MU";b;c\n1;2;3\n')
    assert list(made) == ["dose\nin MU", "b", "c", "_line"] and made["_line"].tolist() == [5]


def test_files_of_other_formats_and_doubles_are_named(tmp_path, monkeypatch):
    home = put(tmp_path, {"patients": None, "mrd": None, "labs": "a\n1\n"})
    (home / "patients.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (home / "Mrd.CSV").write_text("patient_id;a\n1;2\n")
    (home / "mrd.ods").write_bytes(b"PK")
    (home / "Laboratory.csv").write_text("patient_id;a\n1;2\n")
    (home / "~$patients.xlsx").write_bytes(b"lock")
    (home / "._patients.csv").write_bytes(b"\x00\x05")
    (home / "notes.pdf").write_bytes(b"%PDF")
    monkeypatch.chdir(tmp_path)
    tables = raw.read(read_study("mini"))
    found = {name: [problem.code for problem in frame.attrs["problems"]] for name, frame in tables.items()}
    assert {name: codes for name, codes in found.items() if codes} == {
        "patients": [checks.code("old_workbook")], "mrd": [checks.code("two_files")],
        "laboratory": [checks.code("two_files")]}
    assert "Mrd.CSV and mrd.ods" in tables["mrd"].attrs["problems"][0].what
    assert [path.name for path in raw.files("mini")][:2] == ["Laboratory.csv", "Mrd.CSV"]


def test_the_spelling_of_a_file_name_does_not_matter(tmp_path, monkeypatch):
    home = put(tmp_path, {})
    (home / "remission_events.csv").rename(home / "Remission Events.CSV")
    monkeypatch.chdir(tmp_path)
    made = raw.read(read_study("mini"))["remission_events"]
    assert made.attrs["notes"] == [("table_name", "", -1, "Remission Events.CSV", "remission_events")]
    assert made["event"].tolist() == ["relapse"]


def test_a_folder_with_the_name_of_a_table_is_refused(tmp_path, monkeypatch):
    home = put(tmp_path, {"mrd": None})
    (home / "mrd.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert [problem.code for problem in raw.read(read_study("mini"))["mrd"].attrs["problems"]] == [
        checks.code("unreadable_file")]


def test_only_tables_are_read_and_those_of_the_contract_come_first(tmp_path, monkeypatch):
    home = put(tmp_path, {"claims": "id\nA\n", "labs": "a\n1\n"})
    monkeypatch.chdir(tmp_path)
    tables = raw.read(read_study("mini"))
    assert list(tables) == [*TABLES, "labs"]
    assert (home / "claims.csv").is_file()
    seen = raw.overview(tables).set_index("table")
    assert seen.loc["patients"].tolist() == [3, 8, "semicolon", ""]
    assert seen.loc["labs", "extra"] == "a"


def test_the_fingerprint_sees_any_single_change():
    one = {"t": pd.DataFrame({"a": ["1", "2"], "b": ["", "x"], "_line": [2, 3]})}
    before = raw.fingerprint(one).set_index("column")["sha256"]
    assert list(before.index) == ["a", "b"]
    for column, row, text in (("a", 0, "11"), ("b", 0, " "), ("b", 1, "X")):
        changed = one["t"].copy()
        changed.loc[row, column] = text
        after = raw.fingerprint({"t": changed}).set_index("column")["sha256"]
        assert (before != after).to_dict() == {"a": column == "a", "b": column == "b"}
    swapped = one["t"].iloc[::-1]
    assert (raw.fingerprint({"t": swapped})["sha256"] != before.to_numpy()).all()
