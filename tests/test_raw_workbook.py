"""Workbooks: what a cell shows is what is read; what the program hides is told."""

from __future__ import annotations

import datetime as dt
import zipfile

import openpyxl
import pytest
from cohort_on_disk import STUDY, TABLES, put
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from remission import checks, raw
from remission.cleaning import clean
from remission.raw import workbook
from remission.study import read as read_study


def save(path, sheets, change=None):
    """Write a workbook from rows by sheet title; `change` may alter it before."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if change:
        change(book)
    book.save(path)
    return path


def cells_of(table):
    return [line.split(";") for line in TABLES[table].splitlines()]


@pytest.fixture
def cell(tmp_path):
    """What one cell is read as."""
    def once(value, style="General", decimal=","):
        def change(book):
            book["mrd"]["B2"].number_format = style
        path = save(tmp_path / "mrd.xlsx", {"mrd": [["patient_id", "x"], ["01", value]]}, change)
        return workbook.read(path, decimal)["mrd"].loc[0, "x"]
    return once


@pytest.mark.parametrize(("value", "style", "read"), [
    (0.05, "General", "0,05"), (0.1 + 0.2, "General", "0,3"), (7, "General", "7"), (7.0, "0.00", "7"),
    (7, "000", "007"),
    (1e-05, "0.00E+00", "0,00001"), (123456789012, "General", "123456789012"), (0.0005, "0.00%", "0,05%"),
    (1234.5, '#,##0.00 "%"', "1234,5"), (-3.25, "General", "-3,25"), (True, "General", "TRUE"),
    (dt.datetime(2004, 5, 12), "dd.mm.yyyy", "2004-05-12"), (dt.date(2004, 5, 12), "mm-dd-yy", "2004-05-12"),
    (dt.datetime(2004, 5, 12, 23, 30), "dd.mm.yyyy hh:mm", "2004-05-12 23:30:00"),
    (dt.time(8, 30), "hh:mm", "08:30:00"),
    ("1.5", "@", "1.5"), ("007", "General", "007"), ("#REF!", "General", "#REF!"),
    ("two\nlines", "General", "two\nlines"),
    ("=A2*2", "General", "=A2*2"), (38119, "General", "38119"), (38119, "dd.mm.yyyy", "2004-05-12"),
    (9e9, "dd.mm.yyyy", "#VALUE!"),
])
def test_a_cell_is_read_as_it_is_shown(cell, value, style, read):
    assert cell(value, style) == read


def test_the_decimal_sign_is_that_of_the_study(cell):
    assert cell(0.05, decimal=".") == "0.05"


def test_dates_come_with_the_epoch_of_the_workbook(tmp_path):
    def change(book):
        book.epoch = CALENDAR_MAC_1904
    rows = [["patient_id", "date"], ["01", dt.datetime(2004, 5, 12)]]
    made = workbook.read(save(tmp_path / "mrd.xlsx", {"mrd": rows}, change))["mrd"]
    assert made.loc[0, "date"] == "2004-05-12"


def test_a_formula_gives_its_saved_result(tmp_path):
    path = save(tmp_path / "mrd.xlsx", {"mrd": [["patient_id", "x", "y"], ["01", "=1+1", "=1+2"]]})
    saved = tmp_path / "saved.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(saved, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename.endswith("sheet1.xml"):
                assert content.count(b"<f>1+1</f><v />") + content.count(b"<f>1+1</f><v></v>") == 1
                content = content.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(
                    b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
            new.writestr(member.filename, content)
    saved.rename(path)
    assert workbook.read(path)["mrd"].loc[0, ["x", "y"]].tolist() == ["2", "=1+2"]


def test_lines_are_rows_of_the_sheet_and_edges_are_passed_over(tmp_path):
    def change(book):
        # A coloured cell far below makes the sheet look larger than it is.
        book["mrd"]["H900"].number_format = "0.00"
    rows = [[], [None, "patient_id", "x", None], [None, "01", 5, None], [None, None, " "], [None, "02", 6, None]]
    made = workbook.read(save(tmp_path / "mrd.xlsx", {"mrd": rows}, change))["mrd"]
    assert list(made) == ["patient_id", "x", "_line"] and made["_line"].tolist() == [3, 5]
    assert made["x"].tolist() == ["5", "6"]
    assert [note[0] for note in made.attrs["notes"]] == ["blank_edges"]


def test_what_the_program_hides_is_told(tmp_path):
    def change(book):
        sheet = book["Mrd"]
        sheet.merge_cells("A3:A4")
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True
        book["legend"].sheet_state = "visible"
        sheet.sheet_state = "hidden"
    rows = [["patient_id", "x"], ["01", 1], ["02", 2], [None, 3]]
    found = workbook.read(save(tmp_path / "all.xlsx", {"Mrd": rows, "legend": [["a"]]}, change))
    assert list(found) == ["mrd", "all.legend"]
    made = found["mrd"]
    assert made["patient_id"].tolist() == ["01", "02", ""] and made["x"].tolist() == ["1", "2", "3"]
    assert made.attrs["notes"] == [
        ("table_name", "", -1, "Mrd", "mrd"), ("hidden_rows", "", -1, "the sheet Mrd is hidden", "read like any other"),
        ("merged_cells", "", 3, "A3:A4", "unchanged; only the first cell holds the value"),
        ("hidden_rows", "", -1, "hidden rows 2", "read like any others"),
        ("hidden_rows", "", -1, "hidden columns", "read like any others")]
    assert made.attrs["source"] == "all.xlsx, sheet Mrd"


@pytest.mark.parametrize(("name", "sheets", "rule"), [
    ("mrd", {"Sheet1": [["patient_id", "x"], ["01", 1]], "Sheet2": [["note"]]}, "which_sheet"),
    ("mrd", {"Sheet1": []}, "empty_file"),
    ("mrd", {"Sheet1": [["Title"], [], ["patient_id", "x"], ["01", 1]]}, "header_not_first"),
    ("mrd", {"Sheet1": [["patient_id", "x", "x"], ["01", 1, 2]]}, "repeated_column"),
    ("mrd", {"Sheet1": [["patient_id", "x", None], ["01", 1, 2]]}, "nameless_column"),
    ("all", {"MRD": [["patient_id", "x"], ["01", 1]], "mrd ": [["patient_id", "x"], ["01", 1]]}, "two_files"),
])
def test_a_sheet_that_is_no_table_says_why(tmp_path, name, sheets, rule):
    made = workbook.read(save(tmp_path / f"{name}.xlsx", sheets))["mrd"]
    assert [problem.code for problem in made.attrs["problems"]] == [checks.code(rule)]
    assert list(made) == ["_line"]


@pytest.mark.parametrize(("content", "what"), [
    (b"patient_id;x\n01;1\n", "no workbook, although its name says xlsx"), (b"", "no workbook"),
    (b"\xd0\xcf\x11\xe0" + bytes(600), "protected by a password"), (b"PK\x03\x04" + bytes(600), "damaged"),
])
def test_a_file_that_is_no_workbook_says_why(tmp_path, content, what):
    path = tmp_path / "mrd.xlsx"
    path.write_bytes(content)
    problem, = workbook.read(path)["mrd"].attrs["problems"]
    assert problem.code == checks.code("broken_workbook") and what in problem.what


def test_a_workbook_with_any_byte_changed_never_fails(tmp_path):
    whole = save(tmp_path / "mrd.xlsx", {"mrd": cells_of("mrd")}).read_bytes()
    for place in range(0, len(whole), 97):
        (tmp_path / "mrd.xlsx").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1:])
        assert set(workbook.read(tmp_path / "mrd.xlsx")) <= {"mrd"}


def test_a_workbook_that_unpacks_into_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "LARGEST", 1000)
    made = workbook.read(save(tmp_path / "mrd.xlsx", {"mrd": cells_of("mrd")}))["mrd"]
    assert [problem.code for problem in made.attrs["problems"]] == [checks.code("broken_workbook")]


def typed(text):
    """A cell as a data manager would type it: numbers as numbers, dates as dates."""
    parts = text.split(".")
    if len(parts) == 3 and len(parts[2]) == 4:
        return dt.datetime(*map(int, reversed(parts)))
    if text.count("-") == 2 and text[:4].isdigit():
        return dt.datetime.fromisoformat(text)
    try:
        return text if text.startswith("0") and text[1:2].isdigit() else float(text.replace(",", "."))
    except ValueError:
        return text or None


@pytest.mark.parametrize("files", ["one", "each"])
def test_a_cohort_in_workbooks_is_the_cohort_in_csv(tmp_path, monkeypatch, files):
    home = put(tmp_path, dict.fromkeys(TABLES), STUDY)
    sheets = {name: [[typed(cell) for cell in row] for row in cells_of(name)] for name in TABLES}
    if files == "one":
        save(home / "export 2012.xlsx", sheets)
    else:
        for name, rows in sheets.items():
            save(home / f"{name}.xlsx", {"Sheet1": rows})
    monkeypatch.chdir(tmp_path)
    study = read_study("mini")
    made = clean(raw.read(study), study)
    overview = raw.overview(raw.read(study)).set_index("table")
    assert overview.loc["patients"].tolist() == [3, 8, "sheet", ""]
    for name in TABLES:
        (home / f"{name}.csv").write_text(TABLES[name], encoding="utf-8")
    for path in home.glob("*.xlsx"):
        path.unlink()
    truth = clean(raw.read(study), study)
    assert made.log.empty and made.quarantine.empty
    for name, frame in truth.tables.items():
        assert frame.equals(made.tables[name]), name


def test_csv_and_workbook_of_one_table_are_refused(tmp_path, monkeypatch):
    home = put(tmp_path, {})
    save(home / "all.xlsx", {"mrd": cells_of("mrd")})
    monkeypatch.chdir(tmp_path)
    problem, = raw.read(read_study("mini"))["mrd"].attrs["problems"]
    assert problem.code == checks.code("two_files") and "all.xlsx, sheet mrd and mrd.csv" in problem.what
