"""How fast things are, as ratios taken in one run. `make bench`; nothing here fails when the machine is slow.

Growth: the reconstructed cohort's raw tables resampled to more patients. Cleaning with derivation is the work of
notebook 01; the survival analyses are that of notebook 03. Near-linear is a growth exponent near 1; below 1 fixed costs
still dominate.

Large cohorts: `make check` of the same with all ten tables, in a process of its own, with its largest memory;
`python tests/bench.py check 10000 100000` is the full size (some minutes).

Peers: the exact permutation log-rank against R's coin, and the array kernels of `remission.batch` against lifelines
and R's survival, in CPU time. R times repeated calls itself, so that its start is not counted.
"""

from __future__ import annotations

import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import concordance_index, restricted_mean_survival_time

from remission import adam, batch, cleaning, paths, raw, reconstruct, schema, store, study, survival


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


def cpu(call, least=0.2):
    """CPU seconds of one call: the quickest of five rounds, each repeated until it takes a while."""
    call()
    rounds = []
    for _ in range(5):
        start, repeats = time.process_time(), 0
        while time.process_time() - start < least / 5 or not repeats:
            call()
            repeats += 1
        rounds.append((time.process_time() - start) / repeats)
    return min(rounds)


def in_r(script, package):
    """Numbers that an R script prints, or None where there is no R or the package is missing."""
    if shutil.which("Rscript") is None:
        return None
    found = subprocess.run(["Rscript", "-e", f"suppressMessages(library({package}))", "-e", TIMER, "-e", script],
                           capture_output=True, text=True, check=False)
    return [float(one) for one in found.stdout.split()] if found.returncode == 0 else None


#: CPU seconds of one call in R: the quickest of five rounds.
TIMER = """cpu <- function(call, repeats) min(sapply(1:5, function(i)
    sum(system.time(for (k in seq_len(repeats)) call())[1:2]) / repeats))"""


def vectors(**columns):
    """R code of a data frame."""
    return ", ".join(f"{name} = c({', '.join(str(int(one)) for one in values)})" for name, values in columns.items())


def exact_against_coin():
    """The exact permutation log-rank at n = 31."""
    data = survival.endpoint(store.read(reconstruct.COHORT, "adtte"), "TTRLP")
    moment, event = data["time"].to_numpy(), data["event"].to_numpy(bool)
    arm = (data["arm"] != study.read(reconstruct.COHORT).reference).to_numpy()
    made = batch.permutation.exact(batch.permutation.scores(moment, event), arm)
    ours = cpu(lambda: batch.permutation.exact(batch.permutation.scores(moment, event), arm))
    print(f"\nexact permutation log-rank (linear statistic), n = {len(arm)}, {made.allocations:,} allocations")
    print(f"{'remission.batch':>20}{ours * 1e3:>10.2f} ms   p = {made.p:.12f}")
    found = in_r(f"""d <- data.frame({vectors(time=moment, event=event, arm=arm)}); d$arm <- factor(d$arm)
        test <- function() pvalue(logrank_test(Surv(time, event) ~ arm, d, distribution = "exact"))
        cat(sprintf("%.12f", test()), cpu(test, 3))""", "coin")
    if found is None:
        print(f"{'coin':>20}  not found: R with coin is needed for the ratio")
        return
    print(f"{'coin':>20}{found[1] * 1e3:>10.2f} ms   p = {found[0]:.12f}")
    print(f"{'ratio':>20}{found[1] / ours:>10.0f}      goal 10")


def cohorts(count):
    """Cohorts of 19 and 12 patients with censoring and a few tied days."""
    rng = np.random.default_rng(1)
    event_day, last_day = rng.exponential(900, (count, 31)), rng.uniform(300, 3000, (count, 31))
    arm = np.arange(31) < 19
    return np.ceil(np.minimum(event_day, last_day)).astype(int), event_day <= last_day, arm


#: Statistics in the order of the table, as R calls on a data frame `d`.
IN_R = {
    "median and RMST": "summary(survfit(Surv(time, event) ~ 1, d), rmean = 250)$table",
    "log-rank": "{s <- survdiff(Surv(time, event) ~ arm, d); pchisq(s$chisq, 1, lower.tail = FALSE)}",
    "Cox": "coxph(Surv(time, event) ~ arm, d)", "concordance": "concordance(Surv(time, event) ~ arm, d)",
}


def kernels(moment, event, arm):
    """The array kernels, by statistic."""
    return {"median and RMST": lambda: (batch.quantile(moment, event), batch.rmst(moment, event, 250)),
            "log-rank": lambda: batch.logrank(moment, event, arm).p, "Cox": lambda: batch.cox(moment, event, arm),
            "concordance": lambda: batch.concordance(moment, event, arm)}


def with_lifelines(moment, event, arm):
    """The same for one cohort with lifelines, a function a statistic; RMST without its variance, a second alone."""
    data = {"time": moment, "event": event, "arm": arm.astype(int)}

    def curve():
        fit = KaplanMeierFitter().fit(moment, event)
        return fit.median_survival_time_, restricted_mean_survival_time(fit, 250)

    return {"median and RMST": curve,
            "log-rank": lambda: logrank_test(moment[arm], moment[~arm], event[arm], event[~arm]).p_value,
            "Cox": lambda: CoxPHFitter().fit(pd.DataFrame(data), "time", "event"),
            "concordance": lambda: concordance_index(moment, -arm.astype(float), event)}


def batch_against_peers(count=40_000):
    """Five statistics of cohorts of 31."""
    moment, event, arm = cohorts(count)
    ours = {name: cpu(call, 1) / count for name, call in kernels(moment, event, arm).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines says in words what its variance of the RMST costs
        lifelines = {name: cpu(call, 0.5) for name, call in with_lifelines(moment[0], event[0], arm).items()}
    frame = f"d <- data.frame({vectors(time=moment[0], event=event[0], arm=arm)});"
    found = in_r(frame + "cat(" + ", ".join(f"cpu(function() {one}, 100)" for one in IN_R.values()) + ")", "survival")
    print(f"\n{count:,} cohorts of 31 patients, CPU microseconds a cohort\n{'':>20}{'batch':>10}{'lifelines':>11}"
          f"{'ratio':>10}{'R survival':>12}{'ratio':>8}")
    r_times = dict(zip(IN_R, found or [math.nan] * len(IN_R), strict=True))
    rows = {name: (ours[name], lifelines[name], r_times[name]) for name in IN_R}
    rows["all"] = tuple(map(sum, zip(*rows.values(), strict=True)))
    for name, (mine, theirs, in_r_) in rows.items():
        tail = f"{in_r_ * 1e6:>12.0f}{in_r_ / mine:>8,.0f}" if found else f"{'not found':>12}"
        print(f"{name:>20}{mine * 1e6:>10.2f}{theirs * 1e6:>11,.0f}{theirs / mine:>10,.0f}{tail}")
    print("goals against lifelines: log-rank 10,000, all 4,000")


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
        exact_against_coin()
        batch_against_peers()
        large_checks([2_000, 20_000])
        print()
        growth([int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000])
