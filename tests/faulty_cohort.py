"""A small faultless part of the reconstructed cohort, and single faults put into copies of it; faults are data.

`faults/<table>.toml` holds the faults of a table, `faults/files.toml` those of files and of the folder, one a line:

- `name`: what somebody did wrong; `table`: in files.toml only.
- What is changed (line numbers are those of the small cohort, the header is line 1):
  `line` and `cells`: cells of that line, by column; `copy` and `cells`: a copy of that line at the end, with these
  cells; `append`: a line at the end; `delete`: a line; `header`: columns renamed; `drop`: a column; `add`: a column
  with one text in every row; `replace`: texts of the file, each must occur; `replace_in`: the same in other tables;
  `prefix`: text before the header; `rows`: keep only so many rows; `suffix`: text at the end of every line; `encode`:
  another character set; `hex`: these bytes instead of the file's, or at the end of `at_line`; `rename`: another name
  of the file; `remove`; `folder`: a folder of that name; `extra`: a further file, by name; `workbook`: the table as
  xlsx, as `as_workbook` makes it, with `keep_csv` beside the CSV file; `forget`: patients whose rows are left out of a
  table; `study`: texts of study.toml replaced.
- `beside`: optional tables that stand beside the one at fault. A cohort is the required tables, that one, and these.
  `cohort`: another shipped cohort instead of the small one, its required tables whole.
- What must be found: `code`, `severity`, `at` (lines; 0: the table as a whole; "all": every row; the line changed where
  left out), `found_in` (the table, where it is another), `also`: what follows from it, as code, table and line.
"""

from __future__ import annotations

import csv
import io
import shutil
import tomllib
from functools import cache
from pathlib import Path

from conftest import ROOT

from remission import cleaning, raw, schema
from remission.study import read as read_study

COHORT = "ash2012_reconstructed"
HOME = ROOT / "data" / "raw" / COHORT
FAULTS = Path(__file__).parent / "faults"
PATIENTS = ("CTL-01", "CTL-06", "IFN-06", "IFN-10", "IFN-11")
#: Rows of a patient that are taken from the long tables.
ROWS = 12
REQUIRED = tuple(name for name, table in schema.RAW.items() if table.required)


@cache
def whole() -> cleaning.Examination:
    """What is found in the shipped cohort itself."""
    study = read_study(COHORT)
    return cleaning.examine(raw.read(study), study)


@cache
def base() -> dict[str, str]:
    """Text of each table: five patients, without the rows that are set aside in the shipped cohort."""
    made = {}
    for name, audit in whole().audits.items():
        aside = set(audit.lines[~audit.kept])
        header, *rows = (HOME / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()
        mine = {patient: [row for line, row in enumerate(rows, 2) if line not in aside and row.startswith(patient)]
                for patient in PATIENTS}
        kept = [row for patient in PATIENTS for row in mine[patient][:ROWS]]
        made[name] = "\n".join([header, *kept]) + "\n"
    return made


def small_cohort() -> dict[str, bytes]:
    """Files of the small cohort, all ten tables, by name."""
    return {f"{name}.csv": text.encode() for name, text in base().items()} | {"study.toml": study_text().encode()}


def study_text(cohort: str = COHORT) -> str:
    """The shipped `study.toml`."""
    return (HOME.parent / cohort / "study.toml").read_text(encoding="utf-8")


def put(root: Path, files: dict[str, bytes | None]) -> None:
    """Write a cohort named `mini` below a root of its own; a file given as None is a folder."""
    home = root / "data" / "raw" / "mini"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for name, content in files.items():
        if content is None:
            (home / name).mkdir()
        else:
            (home / name).write_bytes(content)


def shipped(cohort: str) -> dict[str, str]:
    """Text of each required table of a shipped cohort."""
    return {name: (HOME.parent / cohort / f"{name}.csv").read_text(encoding="utf-8-sig") for name in REQUIRED}


@cache
def faults() -> list[dict]:
    """Every fault of the corpus."""
    usual = {"cohort": COHORT, "beside": [], "also": [], "severity": "error"}
    return [usual | {"table": path.stem} | fault for path in sorted(FAULTS.glob("*.toml"))
            for fault in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]]


def with_fault(fault: dict) -> tuple[dict[str, bytes | None], list[tuple[str, str, int]]]:
    """Files of a cohort with one fault, by name, and what must be found: code, table and line, sorted."""
    table = fault["table"]
    names = dict.fromkeys([*REQUIRED, *([table] if table in schema.RAW else []), *fault["beside"]])
    texts = shipped(fault["cohort"]) if fault["cohort"] != COHORT else {name: base()[name] for name in names}
    for name, patients in fault.get("forget", {}).items():
        texts[name] = "".join(line for line in texts[name].splitlines(keepends=True)
                              if not line.startswith(tuple(patients)))
    for name, pairs in fault.get("replace_in", {}).items():
        texts[name] = _replaced(texts[name], pairs)
    line = None
    if table in texts:
        texts[table], line = _changed(texts[table], fault)
    files = {f"{name}.csv": text.encode() for name, text in texts.items()}
    files["study.toml"] = _replaced(study_text(fault["cohort"]), fault.get("study", [])).encode()
    _files(files, fault)
    at = fault.get("at", line)
    at = range(2, len(texts[table].splitlines()) + 1) if at == "all" else at if isinstance(at, list) else [at]
    also = [(code, name, int(row)) for code, name, row in map(str.split, fault["also"])]
    return files, sorted([(fault["code"], fault.get("found_in", table), one) for one in at] + also)


def _changed(text: str, fault: dict) -> tuple[str, int | None]:
    """A table's text with the fault in it, and the line that was changed."""
    lines, line = _replaced(text, fault.get("replace", [])).splitlines(), fault.get("line")
    separator = raw.sniff(lines[0])
    header = lines[0].split(separator)
    if "copy" in fault:
        lines.append(lines[fault["copy"] - 1])
        line = len(lines)
    if "append" in fault:
        lines.append(fault["append"])
        line = len(lines)
    if "cells" in fault:
        row = _split(lines[line - 1], separator)
        for column, given in fault["cells"].items():
            row[header.index(column)] = given
        lines[line - 1] = _joined(row, separator)
    if "delete" in fault:
        del lines[fault["delete"] - 1]
    for old, new in fault.get("header", {}).items():
        header[header.index(old)] = new
        lines[0] = separator.join(header)
    if "drop" in fault:
        place = header.index(fault["drop"])
        lines = [_joined([*(row := _split(one, separator))[:place], *row[place + 1:]], separator) for one in lines]
    for column, given in fault.get("add", {}).items():
        lines = [lines[0] + separator + column, *(_joined([*_split(one, separator), given], separator)
                                                  for one in lines[1:])]
    lines = lines[:fault.get("rows", len(lines)) + 1]
    return fault.get("prefix", "") + "".join(f"{one}{fault.get('suffix', '')}\n" for one in lines), line


def _replaced(text: str, pairs: list[list[str]]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _joined(row: list[str], separator: str) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=separator, lineterminator="").writerow(row)
    return made.getvalue()


def _files(files: dict[str, bytes], fault: dict) -> None:
    """Faults of whole files."""
    own = f"{fault['table']}.csv"
    if "encode" in fault:
        files[own] = files[own].decode().encode(fault["encode"])
    if "hex" in fault:
        content = bytes.fromhex(fault["hex"])
        if line := fault.get("at_line"):
            lines = files[own].splitlines(keepends=True)
            lines[line - 1] = lines[line - 1].rstrip(b"\n") + content + b"\n"
            content = b"".join(lines)
        files[own] = content
    if "workbook" in fault:
        files[own.replace(".csv", ".xlsx")] = as_workbook(files.pop(own).decode(), fault["table"], fault["workbook"])
    if fault.get("keep_csv"):
        files[own] = base()[fault["table"]].encode()
    if "rename" in fault:
        files[fault["rename"]] = files.pop(own)
    if fault.get("folder"):
        files[own] = None
    if fault.get("remove"):
        del files[own]
    for name, text in fault.get("extra", {}).items():
        files[name] = text.encode()


def as_workbook(text: str, table: str, how: str) -> bytes:
    """A table as a workbook of texts, with one fault: plain, merged, hidden, formula, error, sheets, title."""
    import openpyxl

    lines = text.splitlines()
    rows = list(csv.reader(lines, delimiter=raw.sniff(lines[0])))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sheet1" if how == "sheets" else table
    for row in rows:
        sheet.append([cell or None for cell in row])
    last = sheet.cell(2, len(rows[0]))
    if how == "merged":
        sheet.merge_cells(start_row=3, end_row=3, start_column=len(rows[0]) - 1, end_column=len(rows[0]))
    elif how == "hidden":
        sheet.row_dimensions[3].hidden = True
    elif how == "formula":
        last.value = "=1+1"
    elif how == "error":
        last.value, last.data_type = "#REF!", "e"
    elif how == "sheets":
        book.create_sheet("Sheet2").append(["something"])
    elif how == "title":
        sheet.title = table.replace("_", " ").title()
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
