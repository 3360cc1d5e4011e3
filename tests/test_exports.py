"""What a spreadsheet program opens holds no formula, and no text of a user reaches an interpreter."""

from __future__ import annotations

import ast

import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from remission import exports, paths, publication, schema, store
from remission.publication import Table
from remission.study import Arm, Study


@pytest.mark.parametrize("text", [
    "=1+1", "=HYPERLINK(\"http://x\",\"y\")", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1",
    "\r=1", "\n=1", "-A1", "+A1", "- see note", "--1", "=", "＝1+1", "-1 (x=1)", "+1 percent (=A1)", "-1-1"])
def test_a_formula_gets_an_apostrophe(text):
    assert exports.harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "x=1", "a+b", "1-2", "-1", "-1.5", "+2", "-1,5", "-1e-05", "+12.5%", -3, 2.5,
                                  None, "-214 days (95% CI -332 to -96)",
                                  "+42.9 percentage points (95% CI not estimable)", "pos <10-4", " =1", "'=1"])
def test_numbers_and_ordinary_text_stay(cell):
    assert exports.harmless(cell) == cell


@given(st.text(max_size=12))
def test_only_an_apostrophe_is_ever_added_and_once_is_enough(text):
    made = exports.harmless(text)
    assert made in (text, f"'{text}")
    assert exports.harmless(made) == made
    assert not made.startswith(("=", "@", "\t", "\r"))


def test_a_frame_without_risk_is_not_copied():
    frame = pd.DataFrame({"a": ["x"], "b": [-1], "c": pd.Categorical(["y"])})
    assert exports.neutral(frame) is frame


def test_headers_and_categories_are_made_harmless_and_numbers_stay_numbers():
    frame = pd.DataFrame({"=a": [-1.5], "b": pd.Categorical(["@x"])})
    made = exports.neutral(frame)
    assert made.columns.tolist() == ["'=a", "b"] and made["b"].tolist() == ["'@x"] and made["'=a"].dtype == float


def test_a_file_for_excel_carries_its_mark_and_nothing_to_run(tmp_path):
    path = tmp_path / "queries.csv"
    exports.write(pd.DataFrame({"value": ["=1+1", "Müller", "-3"]}), path)
    assert path.read_bytes() == "value\n'=1+1\nMüller\n-3\n".encode("utf-8-sig")


def test_logs_are_made_harmless_and_tables_that_are_read_again_are_not(elsewhere):
    store.write(pd.DataFrame({"before": ["=1+1"]}), "x", "cleaning_log")
    assert (paths.processed("x") / "cleaning_log.csv").read_text() == "before\n'=1+1\n"
    one = schema.empty(schema.ANALYSIS["adtv"]).reindex([0]).assign(USUBJID="=1+1")
    store.write(one, "x", "adtv")
    assert store.read("x", "adtv")["USUBJID"].tolist() == ["=1+1"]


def test_a_publication_table_runs_nothing():
    frame = pd.DataFrame({"group": ["@class"], "label": ["=HYPERLINK(A1)"],
                          "=arm, N = 9: any": ["-2.5 (95% CI -3 to -1)"]})
    page = publication.html(Table(frame, "t", "t"), Study("demo", "own", "t", "c", (Arm("A", "a"),)), page=True)
    assert ">=" not in page.split("<tbody")[1] and "&#x27;=HYPERLINK" in page.replace("'=HYP", "&#x27;=HYP")
    assert ">-2.5" in page


BANNED_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "spawnl", "spawnv", "read_pickle",
                "to_pickle", "getoutput", "getstatusoutput", "literal_eval"}
BANNED_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "joblib", "cloudpickle", "code", "codeop"}
WORKERS = {"Parallel", "delayed", "BrokenProcessPool"}


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda one: one.relative_to(ROOT).as_posix())
def test_no_interpreter_no_shell_and_no_pickle(path):
    faults = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            bare = isinstance(node.func, ast.Name)
            name = node.func.id if bare else getattr(node.func, "attr", "")
            # re.compile is no interpreter; a frame's query is one, and may be asked what stands in the code only.
            asked = name == "query" and not all(isinstance(one, ast.Constant) for one in node.args)
            if asked or (name in BANNED_CALLS and (bare or name != "compile")):
                faults.append(f"{name}, line {node.lineno}")
            if any(word.arg == "shell" for word in node.keywords):
                faults.append(f"shell, line {node.lineno}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            # joblib reads and writes pickles, but its workers are the project's own processes on this machine.
            if isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} <= WORKERS:
                continue
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            faults += [name for name in names if name.split(".")[0] in BANNED_MODULES]
    assert faults == []
