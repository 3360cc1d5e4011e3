"""Checks in a copy of the checkout: tests, the check of raw tables, a notebook run again; each in its own process.

Each says what failed, or nothing. A worker loads the large packages once and forks a child for every check, which then
imports this project's package anew, altered as it is at that moment.
"""

from __future__ import annotations

import compileall
import importlib
import json
import multiprocessing
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Seconds after which a check is ended; a mutant that never ends is noticed.
TIMEOUT = 420
NO_END = "did not end"
#: Loaded once in every worker, so that a check need not.
HEAVY = ("pytest", "numpy", "pandas", "scipy.stats", "scipy.optimize", "matplotlib.pyplot", "lifelines", "hypothesis",
         "sksurv.metrics", "statsmodels.api", "comprisk", "IPython.display", "great_tables")
#: What of an output is compared: rasters may differ by machine.
TEXTS = (".csv", ".txt", ".html", ".tex")


def copy_checkout(home: Path) -> Path:
    """Every tracked file, with bytecode that is checked against its source."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)
    # A mutant may have the size and the second of its original, by which Python would otherwise trust the bytecode.
    compileall.compile_dir(home / "src", quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return home


def settle_in(folder: str) -> None:
    """Make this process a worker: a copy of its own, which all it starts will import from; large packages loaded."""
    home = copy_checkout(Path(tempfile.mkdtemp(dir=folder)))
    os.chdir(home)
    os.environ |= {"PYTHONPATH": str(home / "src"), "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg",
                   "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ.pop("REMISSION_OUTPUT", None)
    sys.dont_write_bytecode = True
    sys.path[:] = [str(home / "src"), *(one for one in sys.path if not one.startswith(str(ROOT / "src"))
                                        and one not in ("", str(ROOT / "tests")))]
    for name in HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    if any(name.partition(".")[0] == "remission" for name in sys.modules):
        raise RuntimeError("a worker must not know the package before it is altered")


def in_child(call, *arguments):
    """Result of a call in a forked process, `NO_END` after `TIMEOUT`; what it prints is dropped.

    An error of the call is an error here: a check that cannot be made has noticed nothing.
    """
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)

    def work():
        os.setsid()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            send.send((True, call(*arguments)))
        except BaseException as error:
            send.send((False, f"{call.__name__}{arguments}: {type(error).__name__}: {error}"[:300]))

    child = context.Process(target=work)
    child.start()
    send.close()
    try:
        held, made = receive.recv() if receive.poll(TIMEOUT) else (True, NO_END)
    except EOFError:
        held, made = True, "the process broke down"
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    if not held:
        raise RuntimeError(made)
    return made


def tests(*names: str) -> str:
    """The first test that fails."""
    return next(iter(all_tests("-x", *names)), "")


def all_tests(*names: str) -> list[str]:
    """Every test that fails."""
    import pytest

    failed: list[str] = []

    class Listen:
        def pytest_runtest_logreport(self, report):
            failed.extend([report.nodeid] if report.failed else [])

        pytest_collectreport = pytest_runtest_logreport

    status = pytest.main(["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", *names],
                         plugins=[Listen()])
    if not failed and status not in (0, 5):
        raise RuntimeError(f"pytest ended with {status}")
    return failed


def plausibility(cohort: str) -> list[str]:
    """What `make check` says about a cohort's tables."""
    from remission import check

    queries = check.check(cohort).queries
    return sorted(queries[["table", "patient", "column", "code", "what"]].astype(str).agg("|".join, axis=1))


def look_over(cohort: str, *names: str) -> tuple[list[str], list[str]]:
    """Plausibility and tests together, in one process."""
    return plausibility(cohort), all_tests(*names)


def made_again(cohort: str, notebook: str, altered: str) -> str:
    """Run one notebook from the committed tables into a folder of its own; the first output that is not the committed.

    `altered` is the file that was mutated: it alone is compared, and it must come out as it was before. Empty: all.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        shutil.copytree(Path("data/processed") / cohort, out / "data/processed" / cohort)
        shutil.copytree(Path("figures") / cohort, out / "figures" / cohort, ignore=shutil.ignore_patterns("*.csv"))
        committed = pristine(altered)
        if altered.startswith("data/processed"):
            (out / altered).write_bytes(committed)
        done = subprocess.run([sys.executable, "-m", "remission.run", cohort, notebook], capture_output=True, text=True,
                              env={**os.environ, "REMISSION_OUTPUT": folder})
        if done.returncode and altered:
            raise RuntimeError(f"{notebook} on {cohort}: {done.stderr[-200:]}")
        if done.returncode:
            return f"{notebook} on {cohort}: does not run"
        if altered.endswith(".ipynb"):
            same = shown_text(out / "build" / cohort / f"{notebook}.ipynb") == shown_text(Path(altered))
            return "" if same else f"{notebook} on {cohort}: outputs of its cells"
        if altered:
            fresh = (out / altered).read_bytes() if (out / altered).is_file() else b""
            return f"{notebook} on {cohort}: {altered}" if fresh == committed != Path(altered).read_bytes() else ""
        made = sorted(path.relative_to(out) for path in out.rglob("*") if path.suffix in TEXTS)
        wrong = [path for path in made if not path.is_file() or path.read_bytes() != (out / path).read_bytes()]
        cells = Path("notebooks", f"{notebook}.ipynb")
        if not wrong and shown_text(out / "build" / cohort / cells.name) != shown_text(cells):
            wrong = ["outputs of its cells"]
        return f"{notebook} on {cohort}: {wrong[0]}" if wrong else ""


def pristine(name: str) -> bytes:
    """A file as the checkout has it."""
    return (ROOT / name).read_bytes() if name else b""


def shown_text(path: Path) -> list:
    """What a notebook shows but for pictures, cell by cell."""
    return [[{kind: said for kind, said in output.get("data", {}).items() if kind.startswith("text/")}
             for output in cell["outputs"]] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"]
