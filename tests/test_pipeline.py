"""Every shipped cohort runs through every notebook, and what comes out is what is committed, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COHORTS, ROOT

from remission import provenance

NOTEBOOKS = provenance.notebooks()
#: The cohort that takes the way of `make`: papermill, a kernel for each notebook, a record of each.
DRIVEN = "freireich1963"
#: The command line on one notebook after the other, in one process: papermill need not be loaded for each.
RUN = "import sys; from remission import run; sys.exit(any(run.main([sys.argv[1], name]) for name in sys.argv[2:]))"
#: Folder of outputs that `make test-notebooks` has just made of the default cohort, so that it does not run twice.
MADE = os.environ.get("REMISSION_MADE")


def run_through(cohort, out):
    """Run all notebooks; says what went wrong."""
    how = ["-c", RUN] if cohort == DRIVEN else ["tests/forked_run.py"]
    done = subprocess.run([sys.executable, *how, cohort, *NOTEBOOKS], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "REMISSION_OUTPUT": str(out)})
    return (done.stdout + done.stderr)[-5000:] or "it failed" if done.returncode else ""


def test_five_cohorts_are_shipped():
    assert COHORTS == ["ash2012_reconstructed", "chiaretti2004", "freireich1963", "scrucca_bmt", "wassmann2003"]


@pytest.mark.parametrize("cohort", COHORTS)
def test_the_cohort_runs_and_reproduces_its_committed_outputs(cohort, tmp_path):
    out = Path(MADE or tmp_path)
    if not MADE:
        assert run_through(cohort, out) == ""
    for kind in ("data/processed", "figures"):
        made, kept = out / kind / cohort, ROOT / kind / cohort
        names, wanted = ({path.relative_to(folder).as_posix() for path in folder.rglob("*")
                          if path.is_file() and not path.name.startswith(".")} for folder in (made, kept))
        assert names == wanted
        # Rasters may differ by machine: their numbers stand beside them, and the manifest lists their hashes.
        texts = sorted(name for name in names if name.endswith((".csv", ".txt", ".html", ".tex")))
        changed = [name for name in texts if (made / name).read_bytes() != (kept / name).read_bytes()]
        assert changed == []
