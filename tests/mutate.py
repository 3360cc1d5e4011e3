"""Do the checks check? Alter one datum, one constant of the code or one shown number at a time; each must be noticed.

`make mutate` (SEED, JOBS, and MUTANTS of each kind); status 1 if a mutant goes unnoticed that `tests/data/mutants.csv`
does not explain. Works in copies of the checkout. Checks are tried from the cheapest on. Each kind is held against:

- *datum*: the hash in the manifest notices any byte, so it is a column of its own and counts for nothing. What counts:
  tables made again from their source, and analysis tables derived again, against the committed ones. `make check`,
  which has nothing to compare with, stands beside it: it is all there is for tables of one's own.
- *code*: examples of the module, tables derived again, the tests that import it or bear its name or its package's, then
  notebooks that use it, whose outputs are compared with the committed ones as `test_pipeline` and nbval do.
- *shown*: figures, results, README and notebooks held against each other (`test_committed`, `test_house`), then made
  again by the notebook that made them.
"""

from __future__ import annotations

import ast
import collections
import compileall
import csv
import importlib
import json
import multiprocessing
import os
import py_compile
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import mutants
from mutants import Mutant

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "data" / "mutants.csv"
#: Seconds after which a check is ended; a mutant that never ends is noticed.
TIMEOUT = 420
NO_END = "did not end"
#: Files whose tests take a minute or more: last.
SLOW = ("test_checks", "test_faults", "test_fuzz", "test_mrd_cohorts", "test_kill", "test_ensemble_spread",
        "test_ensemble_coverage", "test_r_parity", "test_engines", "test_properties_readers", "test_peers")
#: Loaded once in every worker, so that a check need not.
HEAVY = ("pytest", "numpy", "pandas", "scipy.stats", "scipy.optimize", "matplotlib.pyplot", "lifelines", "hypothesis",
         "sksurv.metrics", "statsmodels.api", "comprisk", "IPython.display", "great_tables")
HASH = "tests/test_manifest.py::test_shipped_files_are_as_the_last_run_left_them"
PUBLISHED = "tests/test_published.py::test_making_the_tables_again_gives_the_committed_bytes"
SOURCE = {"ash2012_reconstructed": "tests/test_cleaning_roundtrip.py::test_the_committed_tables_are_these"}
#: What of an output is compared: rasters may differ by machine.
TEXTS = (".csv", ".txt", ".html", ".tex")


@dataclass
class Outcome:
    """What became of a mutant: `noticed` by which check (empty if by none), and answers that do not count."""

    mutant: Mutant
    line: tuple[int, str]
    noticed: str = ""
    by: str = ""
    beside: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0


# --- copies and children -------------------------------------------------------------------------------------------

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


# --- checks; each returns what failed, or nothing ------------------------------------------------------------------

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


# --- which checks --------------------------------------------------------------------------------------------------

@cache
def imported(path: Path) -> frozenset[str]:
    """Modules of the package that a file or notebook names in its imports, and what it takes from them."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "remission":
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("remission.")}
    return frozenset(names)


def module_of(path: str) -> str:
    """Dotted name of a source file."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def reach(path: Path) -> frozenset[str]:
    """Modules that a file imports, by whatever way."""
    found, ahead = set(), [path]
    while ahead:
        for name in imported(ahead.pop()):
            base = ROOT / "src" / name.replace(".", "/")
            for source in (base.with_suffix(".py"), base / "__init__.py"):
                if source.is_file() and name not in found:
                    found.add(name)
                    ahead.append(source)
    return frozenset(found)


@cache
def tests_of(path: str) -> tuple[tuple[str, ...], ...]:
    """Test files for a module, in groups: what imports it, what bears its name or its package's; slow ones last."""
    if not path.endswith(".py"):
        nearest = {"ctcae": ("tests/test_ctcae.py",), "units": ("tests/test_cleaning.py", "tests/test_study.py")}
        return (nearest[Path(path).stem],)
    module = module_of(path)
    parts = module.split(".")[1:]
    files = sorted(ROOT.glob("tests/test_*.py"))
    helpers = {file.stem: imported(file) for file in ROOT.glob("tests/*.py") if not file.stem.startswith("test_")}
    named = {file: imported(file).union(*(helpers[name] for name in re.findall(
        r"^(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.M) if name in helpers)) for file in files}
    own = [file for file in files if file.stem.removeprefix("test_") in {"_".join(parts[:n]) for n in (1, 2, 3)}
           or file.stem.startswith(f"test_{'_'.join(parts[:2])}")]
    direct = [file for file, names in named.items() if module in names
              or any(name.startswith(f"{module}.") for name in names)]
    package = [file for file in files if file.stem.startswith(f"test_{parts[0]}")]
    groups, seen = [], set()
    for group in (sorted(direct, key=lambda file: file not in own), own, package):
        for slow in (False, True):
            fresh = [file for file in group if file not in seen and (file.stem in SLOW) == slow
                     and file.stem != "test_pipeline"]
            seen |= set(fresh)
            if fresh:
                groups.append(tuple(file.relative_to(ROOT).as_posix() for file in fresh))
    return tuple(sorted(groups, key=is_slow))


def is_slow(group: tuple[str, ...]) -> bool:
    """Whether test files of a group take minutes."""
    return any(Path(name).stem in SLOW for name in group)


def notebooks_of(module: str) -> list[str]:
    """Notebooks that use a module, those first that need least besides."""
    found = {path.stem: reach(path) for path in sorted((ROOT / "notebooks").glob("0[1-9]*.ipynb"))}
    return sorted((name for name, names in found.items() if module in names), key=lambda name: len(found[name]))[:3]


@cache
def maker(name: str) -> str:
    """Notebook that makes a figure."""
    for path in sorted((ROOT / "notebooks").glob("0[1-9]*.ipynb")):
        code = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
                         if cell["cell_type"] == "code")
        begins = [said for said in re.findall(r"style\.show\([^\n]*f\"(\w+_)\{", code) if name.startswith(said)]
        if f'"{name}")' in code or begins:
            return path.stem
    raise ValueError(f"no notebook makes {name}")


# --- a mutant ------------------------------------------------------------------------------------------------------

def meet(mutant: Mutant) -> Outcome:
    """Apply a mutant in this worker's copy, run its checks, and put the file back."""
    home, start = Path.cwd(), time.perf_counter()
    whole = (home / mutant.path).read_bytes()
    outcome = Outcome(mutant, mutant.line(home))
    if mutant.kind == "datum":
        unaltered(mutant.path.split("/")[2])
    mutant.apply(home)
    try:
        {"datum": _datum, "code": _code, "shown": _shown}[mutant.kind](mutant, outcome)
    finally:
        (home / mutant.path).write_bytes(whole)
    outcome.seconds = time.perf_counter() - start
    return outcome


@cache
def unaltered(cohort: str) -> list[str]:
    """What `make check` says as long as nothing is altered."""
    return in_child(plausibility, cohort)


def _notice(outcome: Outcome, by: str, said: str) -> bool:
    if said and not outcome.noticed:
        outcome.noticed, outcome.by = said, by
    return bool(outcome.noticed)


def _datum(mutant: Mutant, outcome: Outcome) -> None:
    cohort, table = mutant.path.split("/")[2], Path(mutant.path).stem
    derived, source = "tests/test_committed.py::test_tables_follow_from_the_raw_ones", SOURCE.get(cohort, PUBLISHED)
    if table == "claims":
        derived, source = "tests/test_committed.py::test_the_ledger_follows_from_claims_and_results", ""
    asked = {"hash": HASH, "derived again": derived, "from source": source}
    names = {how: name if name == SOURCE.get(cohort) else f"{name}[{cohort}]" for how, name in asked.items() if name}
    said, failed = in_child(look_over, cohort, *names.values())
    if table != "claims":
        more = collections.Counter(said) - collections.Counter(unaltered(cohort))
        outcome.beside["make check"] = bool(more)
    outcome.beside |= {how: name in failed for how, name in names.items()}
    for how in ("derived again", "from source"):
        if how in names:
            _notice(outcome, how, names[how] if names[how] in failed else "")


def _code(mutant: Mutant, outcome: Outcome) -> None:
    if mutant.path.endswith(".py") and _notice(outcome, "examples", in_child(tests, mutant.path)):
        return
    module = module_of(mutant.path) if mutant.path.endswith(".py") else "remission.ctcae"
    if module.split(".")[1] in ("adam", "cleaning", "raw", "study", "ctcae") and _notice(
            outcome, "committed outputs", in_child(tests, "tests/test_committed.py", "-k", "raw_ones")):
        return
    groups = tests_of(mutant.path)
    quick = [group for group in groups if not is_slow(group)]
    for group in quick:
        if _notice(outcome, "tests of the module", in_child(tests, *group)):
            return
    for notebook in notebooks_of(module):
        if _notice(outcome, "committed outputs", in_child(made_again, "ash2012_reconstructed", notebook, "")):
            return
    for group in groups[len(quick):]:
        if _notice(outcome, "tests of the module", in_child(tests, *group)):
            return


def _shown(mutant: Mutant, outcome: Outcome) -> None:
    path = Path(mutant.path)
    cohort = path.parts[-2] if path.suffix == ".csv" else "ash2012_reconstructed"
    if path.suffix == ".csv":
        outcome.beside["hash"] = bool(in_child(tests, f"{HASH}[{cohort}]"))
    near = {".md": ["tests/test_house.py::test_readme_quotes_results_as_they_are"], ".ipynb": []}.get(
        path.suffix, ["tests/test_committed.py", "-k", f"{cohort} and not raw_ones"])
    if near and _notice(outcome, "held against each other", in_child(tests, *near)):
        return
    if path.suffix == ".md" or path.stem in ("claims", "claim_ledger"):
        return  # nothing makes the README, and the ledger was made again above
    if path.suffix == ".ipynb":
        notebook = path.stem
    else:
        notebook = maker(path.stem) if path.parts[0] == "figures" else outcome.line[1].split(",")[1]
    _notice(outcome, "made again", in_child(made_again, cohort, notebook, mutant.path))


# --- the run -------------------------------------------------------------------------------------------------------

def cohorts() -> list[str]:
    """Shipped cohorts that have patients' tables."""
    return sorted(path.parent.name for path in ROOT.glob("data/processed/*/manifest.json"))


def explained() -> list[dict[str, str]]:
    """Rows of the committed table: path, line, before, after, why."""
    with EXPLAINED.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def reason(outcome: Outcome) -> str:
    """Why a mutant may go unnoticed, from the committed table; lines are known by their text, not their number."""
    mine = {"path": outcome.mutant.path, "line": outcome.line[1].encode("latin-1").decode(), "before":
            outcome.mutant.before, "after": outcome.mutant.after}
    return next((row["why"] for row in explained() if mine.items() <= row.items()), "")


def run(seed: int, count: int, jobs: int, kinds: tuple[str, ...] = ("datum", "code", "shown")) -> list[Outcome]:
    """Meet all mutants of a seed; prints one line each."""
    chosen = [mutant for mutant in mutants.draw(ROOT, seed, count) if mutant.kind in kinds]
    done = []
    with (tempfile.TemporaryDirectory() as folder,
          ProcessPoolExecutor(jobs, initializer=settle_in, initargs=(folder,)) as pool):
        for future in as_completed([pool.submit(meet, mutant) for mutant in chosen]):
            if future.exception():
                pool.shutdown(wait=False, cancel_futures=True)
            outcome = future.result()
            done.append(outcome)
            print(f"{len(done):>4}/{len(chosen)} {told(outcome)}", flush=True)
        # A test that fails anyway notices nothing: what noticed must pass on the unaltered copy.
        broken = pool.submit(fail_anyway, sorted({one.noticed for one in done})).result()
    print(f"the same checks on the unaltered copy: {', '.join(broken) or 'all pass'}")
    if broken:
        raise SystemExit("A check that fails anyway notices nothing.")
    return done


def fail_anyway(noticed: list[str]) -> list[str]:
    """Of the checks that noticed something, those that fail on an unaltered copy too."""
    names = [name for name in noticed if "::" in name]
    runs = sorted({said.partition(":")[0] for said in noticed if " on " in said and said.count(":") == 1})
    failed = list(in_child(all_tests, *names)) if names else []
    for run_ in runs:
        notebook, _, cohort = run_.partition(" on ")
        said = in_child(made_again, cohort, notebook, "")
        failed += [said] if said else []
    return failed


def told(outcome: Outcome) -> str:
    """One line about one mutant."""
    mutant, (number, _) = outcome.mutant, outcome.line
    how = outcome.noticed or ("explained: " + reason(outcome) if reason(outcome) else "UNNOTICED")
    place = mutant.path.removeprefix("src/remission/").removeprefix("data/")
    return (f"{mutant.kind:5} {outcome.seconds:4.0f} s  {place}:{number}  {mutant.before} -> {mutant.after}  | {how}")


def summary(done: list[Outcome]) -> list[str]:
    """The final table: a row a kind, and by which check."""
    lines = [f"{'kind':8}{'mutants':>8}{'noticed':>8}{'explained':>10}{'unexplained':>12}   by"]
    for kind in dict.fromkeys(one.mutant.kind for one in done):
        mine = [one for one in done if one.mutant.kind == kind]
        by = collections.Counter(one.by for one in mine if one.noticed)
        why = sum(bool(reason(one)) for one in mine if not one.noticed)
        lines.append(f"{kind:8}{len(mine):>8}{sum(by.values()):>8}{why:>10}{len(mine) - sum(by.values()) - why:>12}   "
                     + ", ".join(f"{name} {number}" for name, number in by.most_common()))
        beside = collections.Counter(name for one in mine for name, yes in one.beside.items() if yes)
        asked = collections.Counter(name for one in mine for name in one.beside)
        if asked:
            lines.append(f"{'':8}alone: " + ", ".join(f"{name} {beside[name]} of {asked[name]}" for name in asked))
    return lines


def main() -> int:
    """Command line: SEED, MUTANTS, JOBS come from the environment, as make hands them on; kinds as arguments."""
    seed, count = int(os.environ.get("SEED") or 2012), int(os.environ.get("MUTANTS") or 20)
    jobs = min(int(os.environ.get("JOBS") or 2), os.cpu_count() or 1)
    start = time.perf_counter()
    done = run(seed, count, jobs, tuple(sys.argv[1:]) or ("datum", "code", "shown"))
    print(*summary(done), sep="\n")
    missed = [one for one in done if not one.noticed and not reason(one)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = [(time.perf_counter() - start) / 60, (used.ru_utime + used.ru_stime) / 60]
    print(f"seed {seed}: {len(done)} mutants, {len(missed)} unexplained; {minutes[0]:.0f} minutes, "
          f"{minutes[1]:.0f} of a processor")
    for one in missed:
        print(f"UNEXPLAINED {one.mutant.path}:{one.line[0]}  {one.mutant.before} -> {one.mutant.after}",
              f"  in: {one.line[1]}", sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
