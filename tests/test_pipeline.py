"""Every shipped cohort runs through every notebook, and what comes out is what is committed, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import COHORTS, ROOT

from remission import provenance

NOTEBOOKS = provenance.notebooks()
#: The command line on one notebook after the other, in one process: papermill need not be loaded for each.
RUN = "import sys; from remission import run; sys.exit(any(run.main([sys.argv[1], name]) for name in sys.argv[2:]))"


def run_through(cohort, out):
    done = subprocess.run([sys.executable, "-c", RUN, cohort, *NOTEBOOKS], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "REMISSION_OUTPUT": str(out)})
    return done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Folder of fresh outputs, and what went wrong, by cohort."""
    out = tmp_path_factory.mktemp("outputs")
    with ThreadPoolExecutor(2) as pool:
        return out, dict(zip(COHORTS, pool.map(lambda cohort: run_through(cohort, out), COHORTS), strict=True))


def test_five_cohorts_are_shipped():
    assert COHORTS == ["ash2012_reconstructed", "chiaretti2004", "freireich1963", "scrucca_bmt", "wassmann2003"]


@pytest.mark.parametrize("cohort", COHORTS)
def test_the_cohort_runs_and_reproduces_its_committed_outputs(outputs, cohort):
    out, faults = outputs
    assert faults[cohort] == ""
    for kind in ("data/processed", "figures"):
        made, kept = out / kind / cohort, ROOT / kind / cohort
        names, wanted = ({path.relative_to(folder).as_posix() for path in folder.rglob("*")
                          if path.is_file() and not path.name.startswith(".")} for folder in (made, kept))
        assert names == wanted
        # Rasters may differ by machine: their numbers stand beside them, and the manifest lists their hashes.
        texts = sorted(name for name in names if name.endswith((".csv", ".txt", ".html", ".tex")))
        changed = [name for name in texts if (made / name).read_bytes() != (kept / name).read_bytes()]
        assert changed == []
