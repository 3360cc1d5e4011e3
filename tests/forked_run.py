"""Notebooks on a cohort without kernels: `python tests/forked_run.py COHORT NOTEBOOK...`.

Each notebook runs in a fork of one process that has loaded the libraries, since loading them takes longer than most
notebooks. The package itself is loaded by the notebook, as in a kernel; cells are shown by the same IPython.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / "notebooks"
LIBRARIES = ("IPython.core.interactiveshell", "great_tables", "joblib", "matplotlib.pyplot", "pandas", "pandera.pandas",
             "pyarrow", "PIL.Image", "scipy.optimize", "scipy.stats", "sksurv.nonparametric")


def run(cohort: str, notebook: str) -> bool:
    """Run every code cell of a notebook, and say whether none failed; what a cell shows or raises is printed."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for cell in json.loads((HOME / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        given = f"\ncohort = {cohort!r}\n" if "parameters" in cell["metadata"].get("tags", []) else ""
        if not shell.run_cell("".join(cell["source"]) + given).success:
            return False
    return True


def forked(cohort: str, notebook: str) -> bool:
    """The same in a process of its own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    done = run(cohort, notebook)
    sys.stdout.flush()
    os._exit(not done)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    os.chdir(HOME)
    sys.exit(not all(forked(sys.argv[1], name) for name in sys.argv[2:]))
