"""Run a notebook on a cohort: papermill underneath, one clear message on a fault, nothing half-written.

`python -m remission.run COHORT NOTEBOOK` executes into `build/<cohort>/`; `--refresh` rewrites the committed notebook.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path

from remission import paths, study
from remission.errors import ContractError

DEFAULT_COHORT = "ash2012_reconstructed"
#: Otherwise a kernel that is told to end may print the interrupt, or a message that came too late, as an error.
QUIET = ["--IPKernelApp.log_level=50",
         "--IPKernelApp.exec_lines=import logging; logging.getLogger('tornado').setLevel(logging.CRITICAL)"]


def execute(cohort: str, notebook: str, *, progress: bool = True) -> Path:
    """Execute a notebook on a cohort into `build/<cohort>/<notebook>.ipynb`.

    Parameters
    ----------
    cohort : str
        Folder under `data/raw`.
    notebook : str
        File name without suffix, such as `03_remission_duration`.
    progress : bool
        Show papermill's progress bar.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    ContractError
        When the cohort's tables or `study.toml` cannot be used.
    RuntimeError
        When a cell fails for any other reason; the message names the cell and the partial notebook.
    """
    study.read(cohort)  # a fault that needs no kernel to be seen
    # The committed notebooks hold the default already: injecting it would only add a cell.
    parameters = {} if cohort == DEFAULT_COHORT else {"cohort": cohort}
    out = paths.build(cohort) / f"{notebook}.ipynb"
    _papermill(notebook, out, out.with_name(f"unfinished_{notebook}.ipynb"), parameters, progress)
    return out


def refresh(notebook: str, *, progress: bool = True) -> Path:
    """Execute a committed notebook on the default cohort and put its outputs into the committed file.

    Timing, kernel versions and papermill's own notes are left out, so that a second refresh changes no byte.
    """
    out = paths.root() / "notebooks" / f"{notebook}.ipynb"
    _papermill(notebook, out, paths.build(DEFAULT_COHORT) / f"unfinished_{notebook}.ipynb", {}, progress)
    return out


def _papermill(notebook: str, out: Path, unfinished: Path, parameters: dict, progress: bool) -> None:
    import logging

    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source = paths.root() / "notebooks" / f"{notebook}.ipynb"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("tornado").setLevel(logging.CRITICAL)  # the client's side of the same
    try:
        papermill.execute_notebook(
            source, unfinished, parameters, kernel_name="python3", cwd=source.parent, progress_bar=progress,
            request_save_on_cell_execute=False, start_timeout=120,
            extra_arguments=QUIET)
        finished = strip(nbformat.read(unfinished, as_version=4))
    except PapermillExecutionError as error:
        if error.ename == "ContractError":
            raise CohortFault(error.evalue) from None
        trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        raise RuntimeError(f"{notebook}, cell {error.cell_index}: {error.ename}: {error.evalue}\n{trace}\n"
                           f"The notebook as far as it came: {paths.shown(unfinished)}") from None
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    with paths.atomic(out) as temporary:
        nbformat.write(finished, temporary)
    unfinished.unlink()


class CohortFault(ContractError):
    """A contract error that was raised in a kernel, with its message as it stood there."""

    def __init__(self, message: str):
        Exception.__init__(self, message)
        self.problems = []


def strip(notebook):
    """Drop what differs from run to run: timings, papermill's notes, the interpreter's version.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.

    Returns
    -------
    NotebookNode
        The same notebook.
    """
    notebook.metadata = {"kernelspec": notebook.metadata.get("kernelspec", {}), "language_info": {"name": "python"}}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
    return notebook


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m remission.run", description="Run a notebook on a cohort.")
    parser.add_argument("cohort", help="folder under data/raw")
    parser.add_argument("notebook", help="file name under notebooks/, without .ipynb")
    parser.add_argument("--refresh", action="store_true", help="rewrite the committed notebook (default cohort)")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the kernel is shut down and nothing is left
    try:
        if given.refresh:
            refresh(given.notebook)
        else:
            execute(given.cohort, given.notebook)
    except (ContractError, RuntimeError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
