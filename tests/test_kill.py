"""Killed at any moment, a run leaves old outputs or new ones, or verify says so; the next run recovers by itself."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import ROOT

COHORT = "freireich1963"
#: Kills in one go; REMISSION_KILLS=20 for the whole trial.
KILLS = int(os.environ.get("REMISSION_KILLS", "3"))
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
#: A run in small: of the notebooks that do not know of each other, two are enough.
ANALYSES = ("02_toxicity", "04_mrd_predictiveness")
NOTEBOOKS = ("01_clean_patient_tables", *ANALYSES, "07_journal_club", "05_claim_ledger")
#: What each notebook of a run does, in small: files written one after the other, all made from one raw file.
WRITES = """
import time
from remission import paths
said = (paths.raw(cohort) / "said.csv").read_text()
for number in range(4):
    for home, kind in ((paths.processed(cohort), "csv"), (paths.figures(cohort), "png")):
        with paths.atomic(home / f"{name}_{number}.{kind}") as temporary:
            temporary.write_text(said)
            time.sleep(0.03)
"""
LAST = """
from remission import manifest
with paths.atomic(paths.processed(cohort) / "verdict.txt") as temporary:
    temporary.write_text(said)
manifest.write(cohort)
"""


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository whose notebooks have names of real ones and do the least."""
    shutil.copytree(ROOT / "data" / "raw" / COHORT, tmp_path / "data" / "raw" / COHORT)
    for name in ("pyproject.toml", "requirements.lock", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "notebooks").mkdir()
    for name in NOTEBOOKS:
        code = f"name = '{name}'" + WRITES + (LAST if name.startswith("05") else "")
        cells = [nbformat.v4.new_code_cell(f"cohort = '{COHORT}'", metadata={"tags": ["parameters"]}),
                 nbformat.v4.new_code_cell(code)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}),
                       tmp_path / "notebooks" / f"{name}.ipynb")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "ready").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*targets):
    said = [f"PY={sys.executable}", f"COHORT={COHORT}", f"ANALYSES={' '.join(ANALYSES)}"]
    return ["make", "--no-print-directory", *said, "-j2", *targets]


def verified():
    return subprocess.run(make("verify"), capture_output=True).returncode == 0


def outputs(folder):
    """What the outputs say, as a set: one thing when they are of one run."""
    homes = (folder / "data" / "processed" / COHORT, folder / "figures" / COHORT)
    return {path.read_text() for home in homes for path in home.rglob("*.*")
            if not path.name.startswith(".") and path.name != "manifest.json"}


def say(folder, what):
    (folder / "data" / "raw" / COHORT / "said.csv").write_text(what)


def state(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*")
            if path.is_file() and path.name != ".lock"}


def test_killed_again_and_again_a_run_leaves_no_mixture_that_passes_and_recovers(copy):
    """What is left in the end is a whole run, on which the rules of a second run are tried."""
    random_ = random.Random(1963)
    say(copy, "old\n")
    assert subprocess.run(make(), capture_output=True).returncode == 0
    assert verified() and outputs(copy) == {"old\n"}
    for number in range(KILLS):
        if number % 5 == 0:
            say(copy, f"new {number}\n")
        run = subprocess.Popen(make(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(random_.uniform(0.2, 5))
        finished = run.poll() is not None
        if not finished:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        # Raw data have changed, so that outputs of the last whole run do not belong to them: only new ones may pass.
        if verified():
            assert outputs(copy) == {(copy / "data" / "raw" / COHORT / "said.csv").read_text()}
        else:
            assert not finished
    done = subprocess.run(make(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert verified() and len(outputs(copy)) == 1
    litter = [path.name for path in copy.rglob("*") if path.name.startswith((".unfinished", "unfinished_"))
              or path.suffix == ".journal"]
    assert litter == []
    a_second_run_runs_nothing_unless_a_file_changed_be_it_older_than_its_results(copy)


def a_second_run_runs_nothing_unless_a_file_changed_be_it_older_than_its_results(copy):
    said, before = copy / "data" / "raw" / COHORT / "said.csv", state(copy)
    assert subprocess.run(make(), capture_output=True, text=True, check=True).stdout == said.read_text()
    assert state(copy) == before
    say(copy, "other\n")
    os.utime(said, (1, 1))
    assert not verified()
    subprocess.run(make(), capture_output=True, check=True)
    assert verified() and outputs(copy) == {"other\n"}


def test_a_kernel_whose_run_was_killed_writes_no_more(copy):
    say(copy, "old\n")
    run = subprocess.Popen([sys.executable, "-m", "remission.run", COHORT, "01_clean_patient_tables"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = copy / "data" / "processed" / COHORT / "01_clean_patient_tables_0.csv"
    for _ in range(600):
        if first.exists() or run.poll() is not None:
            break
        time.sleep(0.01)
    run.kill()
    run.wait()
    time.sleep(0.1)  # at most one rename was under way
    written = sorted(path.name for path in copy.rglob("*_[0-9].*"))
    time.sleep(1.5)
    assert sorted(path.name for path in copy.rglob("*_[0-9].*") if not path.name.startswith(".")) == [
        name for name in written if not name.startswith(".")]
    assert len(written) < 8
