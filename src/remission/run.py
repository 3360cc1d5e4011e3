"""Run a notebook on a cohort: papermill underneath, one clear message on a fault, nothing half-written.

`python -m remission.run COHORT NOTEBOOK` executes into `build/<cohort>/`; `--refresh` rewrites the committed notebook.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remission import paths, provenance, study
from remission.errors import ContractError

DEFAULT_COHORT = "ash2012_reconstructed"
#: Live controls are numbered at random and lead nowhere without their kernel; what stands beside them is kept.
LIVE = "application/vnd.jupyter.widget-view+json"
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
    _known(notebook)
    # The committed notebooks hold the default already: injecting it would only add a cell.
    parameters = {} if cohort == DEFAULT_COHORT else {"cohort": cohort}
    out = paths.build(cohort) / f"{notebook}.ipynb"
    if notebook == next(iter(provenance.notebooks()), ""):
        from remission import results  # pandas, so not at the top

        results.prune(cohort, provenance.notebooks())
    unfinished, before = out.with_name(f"unfinished_{notebook}.ipynb"), provenance.ingredients(cohort)
    with _journal(out.with_name(f"{notebook}.journal")) as journal:
        finished = _papermill(notebook, unfinished, parameters, progress)
        late = provenance.changed(before, provenance.ingredients(cohort))
        if late:
            raise RuntimeError(f"{cohort}: changed while {notebook} ran: {', '.join(late)}. Mend: run make again")
        if notebook == next(iter(provenance.notebooks()), ""):
            provenance.stamp(cohort)
        provenance.record(cohort, notebook, journal, before)
    _put(finished, out, unfinished)  # last of all: this file is what make goes by
    return out


def refresh(notebook: str, *, progress: bool = True) -> Path:
    """Execute a committed notebook on the default cohort and put its outputs into the committed file.

    Timing, kernel versions and papermill's own notes are left out, so that a second refresh changes no byte.
    """
    _known(notebook)
    out = paths.root() / "notebooks" / f"{notebook}.ipynb"
    unfinished = paths.build(DEFAULT_COHORT) / f"unfinished_{notebook}.ipynb"
    _put(_papermill(notebook, unfinished, {}, progress), out, unfinished)
    return out


def _known(notebook: str) -> None:
    have = sorted(path.stem for path in (paths.root() / "notebooks").glob("*.ipynb"))
    if notebook not in have:
        raise RuntimeError(f"no notebook {notebook!a}; notebooks here: {', '.join(have)}")


@contextmanager
def _journal(path: Path) -> Iterator[Path]:
    """Let the kernel note what it writes in a file of its own, and let it stop writing when this process has ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    mine = {paths.JOURNAL_VARIABLE: str(path.absolute()), paths.OWNER_VARIABLE: str(os.getpid())}
    kept = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _put(notebook, out: Path, unfinished: Path) -> None:
    import nbformat

    with paths.atomic(out) as temporary:
        nbformat.write(notebook, temporary)
    unfinished.unlink(missing_ok=True)


def _papermill(notebook: str, unfinished: Path, parameters: dict, progress: bool):
    """Execute a notebook into the file `unfinished`, which stays for the reader when a cell fails."""
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
        return strip(nbformat.read(unfinished, as_version=4))
    except PapermillExecutionError as error:
        if error.ename == "ContractError":
            raise CohortFault(error.evalue) from None
        trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        raise RuntimeError(f"{notebook}, cell {error.cell_index}: {error.ename}: {error.evalue}\n{trace}\n"
                           f"The notebook as far as it came: {paths.shown(unfinished)}") from None
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


class CohortFault(ContractError):
    """A contract error that was raised in a kernel, with its message as it stood there."""

    def __init__(self, message: str):
        Exception.__init__(self, message)
        self.problems = []


def strip(notebook):
    """Drop what differs from run to run: timings, papermill's notes, the interpreter's version, live controls.

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
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(LIVE, None)
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
