"""Notebooks 02 and 02b on cohorts that lack something: sections say what is absent, none fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest
from cohort_on_disk import STUDY, TABLES, put
from conftest import ROOT

from remission import adam, cleaning, publication, raw, results, show, store
from remission import study as studies
from remission.figures import style

NOTEBOOKS = ("02_toxicity", "02b_dose_delivery")
PLANS = """
[dose."interferon alfa-2a"]
unit = "MU"
start = 1
target = 3
per_week = 3
ramp_days = 28
[dose.imatinib]
unit = "mg"
start = 600
target = 600
per_week = 7
ramp_days = 0
[toxicity]
ctcae_version = "3.0"
[toxicity.unions]
"low mood" = ["Depression", "Fatigue"]
"""
ONE_ARM = STUDY[:STUDY.index("[[arms]]\nkey = \"IM\"")]
OPTIONAL = ("dosing", "adverse_events", "laboratory")


def lines(table, keep):
    head, *rest = TABLES[table].splitlines(keepends=True)
    return head + "".join(line for line in rest if keep(line))


#: Tables as they differ from the whole cohort, and `study.toml`.
COHORTS = {
    "whole": ({}, STUDY + PLANS),
    "no interferon arm": (
        {name: TABLES[name].replace("IFN+IM", "observation") for name in ("patients",)}
        | {"dosing": lines("dosing", lambda line: "interferon" not in line)},
        STUDY.replace('key = "IFN+IM"', 'key = "observation"').replace('aliases = ["IM+IFN"]\n', "")
        + PLANS[PLANS.index("[dose.imatinib]"):]),
    "interferon planned, nobody had it": (
        {"dosing": lines("dosing", lambda line: "interferon" not in line)}, STUDY + PLANS),
    "one arm": ({"patients": lines("patients", lambda line: not line.startswith("03")),
                 **{name: lines(name, lambda line: not line.startswith("03"))
                    for name in ("laboratory", "disposition")}}, ONE_ARM + PLANS),
    "no laboratory": ({"laboratory": None}, STUDY + PLANS),
    "laboratory without blood counts": (
        {"laboratory": lines("laboratory", lambda line: "CREAT" in line)}, STUDY + PLANS),
    "no adverse events": ({"adverse_events": None}, STUDY + PLANS),
    "no doses": ({"dosing": None}, STUDY + PLANS),
    "none of the three": (dict.fromkeys(OPTIONAL), STUDY + PLANS),
    "one arm, none of the three, nothing planned": (
        {"patients": lines("patients", lambda line: not line.startswith("03")),
         "disposition": lines("disposition", lambda line: not line.startswith("03")),
         **dict.fromkeys(OPTIONAL)}, ONE_ARM),
    "a table with a heading and no row": (
        {name: TABLES[name].splitlines(keepends=True)[0] for name in OPTIONAL}, STUDY + PLANS),
}


def code_cells(notebook):
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture
def said(monkeypatch):
    """What the notebook shows: text of Markdown, and the kind of everything else."""
    heard = []

    def listen(shown):
        heard.append(shown.data if type(shown).__name__ == "Markdown" else type(shown).__name__)
    for module in (show, style, publication):
        monkeypatch.setattr(module, "display", listen)
    return heard


def prepare(folder, name, monkeypatch):
    tables, study = COHORTS[name]
    put(folder, tables, study)
    monkeypatch.chdir(folder)
    described = studies.read("mini")
    store.write_all(adam.derive_all(cleaning.clean(raw.read(described), described).tables, described), "mini")


#: What a cohort without the table is told, and analyses of which it has no result.
ABSENT = {"dosing": ("This cohort has no table of doses", {"dose", "reduction", "rdi"}),
          "adverse_events": ("This cohort has no table of adverse events", {"ae", "union"}),
          "laboratory": ("This cohort has no blood counts", {"cytopenia"})}


@pytest.mark.parametrize("name", COHORTS)
def test_every_cell_runs_and_says_what_is_absent(tmp_path, monkeypatch, said, name):
    monkeypatch.setitem(style.RC, "figure.dpi", 50)
    prepare(tmp_path, name, monkeypatch)
    before = plt.get_fignums()
    for notebook in NOTEBOOKS:
        space = {"__name__": "__main__"}
        for source in code_cells(notebook):
            exec(compile(source, notebook, "exec"), space)
            space["cohort"] = "mini"
    assert plt.get_fignums() == before
    saved, text = results.load("mini"), " ".join(said)
    assert saved["result_id"].is_unique
    assert not saved["display"].str.contains("nan|None|inf", regex=True).any()
    tables = TABLES | COHORTS[name][0]
    for table, (words, analyses) in ABSENT.items():
        rows = (tables[table] or "").splitlines()[1:]
        there = any("ANC" in row or "HB" in row for row in rows) if table == "laboratory" else bool(rows)
        assert (words in text) == (not there), words
        assert there or not analyses & set(saved["analysis"])


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_notebook_itself_runs_where_all_three_are_absent(tmp_path, monkeypatch, notebook):
    prepare(tmp_path, "one arm, none of the three, nothing planned", monkeypatch)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    done = subprocess.run([sys.executable, "-m", "remission.run", "mini", notebook], cwd=tmp_path,
                          capture_output=True, text=True, env={**os.environ, "REMISSION_OUTPUT": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "mini" / f"{notebook}.ipynb").is_file()
