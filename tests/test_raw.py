"""Reading tables as text."""

from __future__ import annotations

import pandas as pd
import pytest
from cohort_on_disk import TABLES, put

from remission import raw
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


@pytest.mark.parametrize(("separator", "cell"), [(",", '"1,5"'), (";", "1,5"), ("\t", "1,5")])
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


@pytest.mark.parametrize(("content", "what"), [
    ("", "the file is empty"), ("\n \n", "the file is empty"), ("<html><body>login</body></html>", "HTML page"),
    (b"PK\x03\x04\xff", "not a text file"), (b"a,b\n1,\x00\n", "control characters"), ("a,b\n1,M\u00fcde\n".encode(
        "cp1252"), "not UTF-8 (byte 0xfc)"), ("a,,c\n1,2,3\n", "column 2 has no name"), ("a,a\n1,2\n", "twice"),
    ("a,b\n1,5,x\n1,5,y\n", "2 of 2 rows have not the 2 cells"), ("a\tb\n1\n2\n", "have not the 2 cells")])
def test_what_is_no_table_says_why(table, content, what):
    problems = table(content).attrs["problems"]
    assert len(problems) == 1 and what in str(problems[0]) and problems[0].table == "mrd"


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
