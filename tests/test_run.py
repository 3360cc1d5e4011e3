"""Running notebooks: clear messages, nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import ROOT

from remission import run

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def in_copy(tmp_path, *arguments):
    """Run the command in a copy of the repository that holds one notebook and one cohort."""
    for name in ("notebooks", "data/raw/freireich1963"):
        if not (tmp_path / name).exists():
            shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "remission.run", *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)


def test_an_unknown_cohort_is_one_message_and_no_file(tmp_path):
    done = in_copy(tmp_path, "nobody", "01_clean_patient_tables")
    assert done.returncode == 1
    assert "cohort nobody: 1 problem" in done.stderr and "freireich1963" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "build").exists()


def test_bad_tables_are_one_message_and_nothing_is_written(tmp_path):
    in_copy(tmp_path, "nobody", "01_clean_patient_tables")
    patients = tmp_path / "data/raw/freireich1963/patients.csv"
    patients.write_text(patients.read_text().replace("placebo", "sugar", 1))
    done = in_copy(tmp_path, "freireich1963", "01_clean_patient_tables")
    assert done.returncode == 1
    for part in ("cohort freireich1963: 1 problem", "patients.arm", "sugar", "Mend:"):
        assert part in done.stderr, part
    assert "Traceback" not in done.stderr
    left = [path.name for folder in ("build", "data/processed", "figures") for path in (tmp_path / folder).rglob("*.*")]
    assert left == ["unfinished_01_clean_patient_tables.ipynb"]


def test_terminated_it_leaves_no_partial_notebook_and_no_kernel(tmp_path):
    in_copy(tmp_path, "nobody", "x")
    code = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(120)"
    slow = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata={"kernelspec": KERNEL})
    nbformat.write(slow, tmp_path / "notebooks" / "slow.ipynb")
    process = subprocess.Popen([sys.executable, "-m", "remission.run", "freireich1963", "slow"], cwd=tmp_path,
                               stderr=subprocess.DEVNULL)
    pid_file = tmp_path / "notebooks" / "pid"
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.1)
    kernel = int(pid_file.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    for _ in range(100):
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the kernel outlived its run")
    assert not [path for path in (tmp_path / "build").rglob("*") if path.is_file()]


def test_strip_leaves_what_readers_need():
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("1", metadata={"tags": ["parameters"], "papermill": {"duration": 1}})],
        metadata={"kernelspec": KERNEL, "language_info": {"name": "python", "version": "3.11.7"},
                  "papermill": {"start_time": "now"}})
    stripped = run.strip(notebook)
    assert stripped.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    assert stripped.cells[0].metadata == {"tags": ["parameters"]}
