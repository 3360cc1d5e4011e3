"""How fast things are, as ratios taken in one run. `make bench`; nothing here fails when the machine is slow.

Growth: the reconstructed cohort's raw tables resampled to more patients. Cleaning with derivation is the work of
notebook 01; the survival analyses are that of notebook 03. Near-linear is a growth exponent near 1; below 1 fixed costs
still dominate.

Large cohorts: `make check` of the same with all ten tables, in a process of its own, with its largest memory;
`python tests/bench.py check 10000 100000` is the full size (some minutes).

Peers of the array kernels: bench_kernels, alone with `python tests/bench_kernels.py`.
"""

from __future__ import annotations

import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import bench_kernels

from remission import adam, cleaning, paths, raw, reconstruct, schema, study, survival


def prepare(tables, read):
    """Notebook 01 without its pictures."""
    return adam.derive_all(cleaning.clean(tables, read).tables, read)


def analyse(derived, read):
    """Notebook 03 without its pictures."""
    for endpoint in read.endpoints:
        survival.analyse(derived["adtte"], read, endpoint)
    survival.analyse_truncated(derived["adtte"], read)
    survival.analyse_competing(derived["adtte"], read)
    survival.analyse_baseline(derived["adsl"], read)


def timed(call, *arguments):
    """Result and seconds of one call."""
    start = time.perf_counter()
    made = call(*arguments)
    return made, time.perf_counter() - start


def growth(sizes):
    """Print seconds and growth exponents for every size."""
    read = study.read(reconstruct.COHORT)
    tables = raw.read(read)
    timed(analyse, prepare(tables, read), read)  # imports and caches
    before = None
    print(f"{'patients':>9}{'rows':>10}{'01 clean s':>12}{'growth':>8}{'03 survival s':>15}{'growth':>8}")
    for size in sizes:
        large = reconstruct.enlarge(tables, size, seed=1)
        derived, clean_s = timed(prepare, large, read)
        _, survival_s = timed(analyse, derived, read)
        growth = ["", ""] if before is None else [
            f"{math.log(now / then) / math.log(size / before[0]):.2f}"
            for now, then in zip((clean_s, survival_s), before[1:], strict=True)]
        rows = sum(map(len, large.values()))
        print(f"{size:>9}{rows:>10}{clean_s:>12.2f}{growth[0]:>8}{survival_s:>15.2f}{growth[1]:>8}", flush=True)
        before = size, clean_s, survival_s


def write_large(home, patients, thin, chunk=5000):
    """Raw tables of a large cohort on disk, some patients at a time; every `thin`-th laboratory row. Returns rows."""
    read = study.read(reconstruct.COHORT)
    tables = {name: table for name, table in raw.read(read).items() if name in schema.RAW}
    tables["laboratory"] = tables["laboratory"].iloc[::thin]
    home.mkdir(parents=True)
    shutil.copy(paths.raw(reconstruct.COHORT) / "study.toml", home)
    rows = 0
    for number, start in enumerate(range(0, patients, chunk)):
        for name, table in reconstruct.enlarge(tables, min(chunk, patients - start), seed=number).items():
            rows += len(table)
            numbered = table.assign(patient_id=f"C{number:03d}" + table["patient_id"])
            content = reconstruct.encode(numbered, name)
            with (home / f"{name}.csv").open("ab") as handle:
                handle.write(content.split(b"\n", 1)[1] if number else content)
    return rows


#: Run in a process of its own, so that its memory is that of one check.
CHECK = """import resource, time
from remission import check
start, cpu = time.perf_counter(), time.process_time()
report = check.check("large")
check.write(report)
print(time.perf_counter() - start, time.process_time() - cpu,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(report.queries),
      int(report.accounts["read"].sum()),
      int(report.accounts[["analysed", "aside", "held"]].to_numpy().sum()))"""


def large_checks(sizes, thin=9):
    """Print time, its growth in CPU time, and memory of `make check`: all ten tables, about 60 rows a patient."""
    print(f"\n{'patients':>9}{'rows':>11}{'check s':>9}{'CPU s':>8}{'us a row':>10}{'memory MB':>11}{'findings':>10}"
          f"{'growth':>8}")
    before = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "pyproject.toml").touch()
            rows = write_large(root / "data" / "raw" / "large", size, thin)
            told = subprocess.run([sys.executable, "-c", CHECK], cwd=root, capture_output=True, text=True, check=True)
        seconds, cpu_s, memory, findings, read, told_of = map(float, told.stdout.split())
        if not rows == read == told_of:
            raise SystemExit(f"{size} patients: {rows} rows written, {read:g} read, {told_of:g} accounted for")
        growth = f"{math.log(cpu_s / before[1]) / math.log(size / before[0]):.2f}" if before else ""
        print(f"{size:>9}{rows:>11}{seconds:>9.1f}{cpu_s:>8.1f}{cpu_s / rows * 1e6:>10.1f}{memory:>11.0f}"
              f"{findings:>10.0f}{growth:>8}", flush=True)
        if before:
            print(f"{'ratio':>9}{'':>20}{cpu_s / before[1]:>8.2f}  for {size / before[0]:g} times the patients")
        before = size, cpu_s
    print("goal: 100000 patients within 2048 MB, growth near 1 (python tests/bench.py check 10000 100000)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        large_checks([int(size) for size in sys.argv[2:]] or [2_000, 20_000])
    else:
        bench_kernels.everything()
        large_checks([2_000, 20_000])
        print()
        growth([int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000])
