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

import collections
import csv
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import mutants
from mutants import Mutant
from mutate_checks import ROOT, all_tests, in_child, look_over, made_again, plausibility, settle_in, tests
from mutate_selection import is_slow, maker, module_of, notebooks_of, tests_of

EXPLAINED = ROOT / "tests" / "data" / "mutants.csv"
HASH = "tests/test_manifest.py::test_shipped_files_are_as_the_last_run_left_them"
PUBLISHED = "tests/test_published.py::test_making_the_tables_again_gives_the_committed_bytes"
SOURCE = {"ash2012_reconstructed": "tests/test_cleaning_roundtrip.py::test_the_committed_tables_are_these"}


@dataclass
class Outcome:
    """What became of a mutant: `noticed` by which check (empty if by none), and answers that do not count."""

    mutant: Mutant
    line: tuple[int, str]
    noticed: str = ""
    by: str = ""
    beside: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0


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
    # A function of the package may be called `tests`; of a source file only the examples are meant.
    examples = ("-o", "python_functions=example_of_none", mutant.path)
    if mutant.path.endswith(".py") and _notice(outcome, "examples", in_child(tests, *examples)):
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
        # A test that fails anyway notices nothing: what noticed must pass on the unaltered copy. What was made again
        # came out as the checkout has it, so that it need not be made a third time.
        broken = pool.submit(fail_anyway, sorted({one.noticed for one in done if one.by != "made again"})).result()
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
