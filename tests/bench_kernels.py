"""How fast the array kernels of `remission.batch` are, as ratios taken in one run; part of `make bench`.

Peers are R's coin, survival, lifelines, scikit-survival and fastlogranktest, on the same cohorts, in CPU time, one
thread. R times repeated calls itself, so that its start is not counted. Peers that are not installed are named and left
out. Goals are printed beside the ratios; nothing here fails when the machine is slow.
"""

from __future__ import annotations

import importlib.util
import json
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
from sksurv.compare import compare_survival
from sksurv.functions import StepFunction
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from remission import batch, reconstruct, store, study, survival


def cpu(call, least=0.2):
    """CPU seconds of one call: the quickest of fifteen rounds, each repeated until it takes a while."""
    call()
    rounds = []
    for _ in range(15):
        start, repeats = time.process_time(), 0
        while time.process_time() - start < least / 15 or not repeats:
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


def cohorts(count, patients=31, others=12):
    """Cohorts of two arms (19 and 12) with censoring and a few tied days."""
    rng = np.random.default_rng(1)
    event_day, last_day = rng.exponential(900, (count, patients)), rng.uniform(300, 3000, (count, patients))
    arm = np.tile(np.arange(patients) < others, (count, 1))
    return np.ceil(np.minimum(event_day, last_day)).astype(int), event_day <= last_day, arm


TAU = 250
#: Statistics in the order of the table, as R calls on a data frame `d`.
IN_R = {
    "median and RMST": f"summary(survfit(Surv(time, event) ~ 1, d), rmean = {TAU})$table",
    "log-rank": "{s <- survdiff(Surv(time, event) ~ arm, d); pchisq(s$chisq, 1, lower.tail = FALSE)}",
    "Cox": "coxph(Surv(time, event) ~ arm, d)", "concordance": "concordance(Surv(time, event) ~ arm, d)",
    "survdiff.fit": "survival:::survdiff.fit(y, d$arm)",
}


def kernels(moment, event, arm):
    """The array kernels, by statistic."""
    return {"median and RMST": lambda: (batch.quantile(moment, event), batch.rmst(moment, event, TAU)),
            "log-rank": lambda: batch.logrank(moment, event, arm).p, "Cox": lambda: batch.cox(moment, event, arm),
            "concordance": lambda: batch.concordance(moment, event, arm)}


def with_lifelines(moment, event, arm):
    """The same for one cohort with lifelines, a function a statistic; RMST without its variance, a second alone."""
    data = {"time": moment, "event": event, "arm": arm.astype(int)}

    def curve():
        fit = KaplanMeierFitter().fit(moment, event)
        return fit.median_survival_time_, restricted_mean_survival_time(fit, TAU)

    return {"median and RMST": curve,
            "log-rank": lambda: logrank_test(moment[arm], moment[~arm], event[arm], event[~arm]).p_value,
            "Cox": lambda: CoxPHFitter().fit(pd.DataFrame(data), "time", "event"),
            "concordance": lambda: concordance_index(moment, -arm.astype(float), event)}


def with_sksurv(moment, event, arm):
    """The same with scikit-survival, which has no RMST: the area below its curve; its Cox has no standard error."""
    outcome, marker = Surv.from_arrays(event, moment), arm.astype(float)

    def curve():
        days, alive = kaplan_meier_estimator(event, moment)
        function = StepFunction(days, alive, domain=(0, None))
        edges = np.concatenate([[0], days[days < TAU], [TAU]])
        return days[np.argmax(alive <= 0.5)], np.dot(np.diff(edges), function(np.maximum(edges[:-1], days[0])))

    return {"median and RMST": curve, "log-rank": lambda: compare_survival(outcome, arm)[1],
            "Cox": lambda: CoxPHSurvivalAnalysis(ties="efron").fit(marker[:, None], outcome).coef_,
            "concordance": lambda: concordance_index_censored(event, moment, marker)[0]}


def with_fastlogranktest(moment, event, arm):
    """CPU seconds of one log-rank test with fastlogranktest over many cohorts, or None where it is not installed."""
    if importlib.util.find_spec("fastlogranktest") is None:
        return None
    from fastlogranktest import logrank_test as fast

    rows = [[values[row][mine].tolist() for values in (moment.astype(float), event.astype(int))
             for mine in (arm[row], ~arm[row])] for row in range(min(len(moment), 2000))]
    return cpu(lambda: [fast(*row) for row in rows]) / len(rows)


#: Goals: how many times the CPU time of `remission.batch` each peer takes.
GOALS = {("log-rank", "lifelines"): 10_000, ("log-rank", "R"): 600, ("log-rank", "survdiff.fit"): 50,
         ("log-rank", "fastlogranktest"): 2, ("all five", "lifelines"): 4_000, ("all five", "R"): 400,
         ("all five", "scikit-survival"): 500}


def in_r_each(moment, event, arm, rows=5):
    """CPU seconds of R's calls, the mean over some cohorts, by statistic; None without R."""
    frames = "; ".join(f"function() data.frame({vectors(time=moment[row], event=event[row], arm=arm[row])})"
                       for row in range(rows)).replace("; ", ", ")
    calls = ", ".join(f"cpu(function() {one}, 40)" for one in IN_R.values())
    found = in_r(f"for (f in list({frames})) {{d <- f(); y <- with(d, Surv(time, event)); cat({calls}, '\\n')}}",
                 "survival")
    return found and dict(zip(IN_R, np.reshape(found, (rows, len(IN_R))).mean(axis=0), strict=True))


def batch_against_peers(count=40_000, rows=5):
    """Five statistics of cohorts of 31: microseconds a cohort, and ratios beside their goals."""
    moment, event, arm = cohorts(count)
    ours = {name: cpu(call, 1) / count for name, call in kernels(moment, event, arm).items()}
    one_pass = cpu(lambda: batch.summary(moment, event, arm, TAU), 1) / count
    peers = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines says in words what its variance of the RMST costs
        for peer, made in (("lifelines", with_lifelines), ("scikit-survival", with_sksurv)):
            each = [{name: cpu(call, 0.3) for name, call in made(moment[row], event[row], arm[row]).items()}
                    for row in range(rows)]
            peers[peer] = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    peers["R"] = in_r_each(moment, event, arm, rows) or {}
    print(f"\n{count:,} cohorts of 31 patients, CPU microseconds a cohort (peers: mean of {rows} of the cohorts)")
    print(f"{'':>18}{'batch':>9}" + "".join(f"{peer:>17}{'ratio':>9}" for peer in peers))
    lines = {name: [value, *(peer.get(name, math.nan) for peer in peers.values())] for name, value in ours.items()}
    singly = np.sum(list(lines.values()), axis=0)
    lines["all, one by one"] = list(singly)
    lines["all five"] = [one_pass, *singly[1:]]
    for name, (mine, *theirs) in lines.items():
        print(f"{name:>18}{mine * 1e6:>9.2f}" + "".join(f"{one * 1e6:>17,.0f}{one / mine:>9,.0f}" for one in theirs))
    print("all five: batch.summary, curves of both arms; the peers' curves are those of the cohort as a whole")
    ratios = {(name, peer): theirs / lines[name][0] for name in ("log-rank", "all five")
              for peer, theirs in zip(peers, lines[name][1:], strict=True)}
    if peers["R"]:
        ratios["log-rank", "survdiff.fit"] = peers["R"]["survdiff.fit"] / ours["log-rank"]
    if fast := with_fastlogranktest(moment, event, arm):
        ratios["log-rank", "fastlogranktest"] = fast / ours["log-rank"]
    against_goals(ratios, GOALS)


def against_goals(ratios, goals):
    """Print ratios beside goals; a peer without a number is not installed."""
    for (name, peer), goal in goals.items():
        ratio = ratios.get((name, peer), math.nan)
        said = f"{ratio:>10,.1f}" if not math.isnan(ratio) else f"{'skipped: not installed':>10}"
        print(f"{name:>18} against {peer:<18}{said}   goal {goal:,}"
              + ("" if math.isnan(ratio) else "   met" if ratio >= goal else "   NOT MET"))


def one_large_cohort(patients=100_000):
    """The log-rank test of one large cohort, against peers and against sorting its times."""
    moment, event, arm = (one[0] for one in cohorts(1, patients, patients // 2))
    ours = cpu(lambda: batch.logrank(moment, event, arm))
    times = moment + np.random.default_rng(2).random(patients)  # without ties, as a float
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lifelines = cpu(with_lifelines(moment, event, arm)["log-rank"])
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as handle:
        pd.DataFrame({"time": moment, "event": event.astype(int), "arm": arm.astype(int)}).to_csv(handle, index=False)
        handle.flush()
        found = in_r(f"d <- read.csv('{handle.name}'); cat(cpu(function() {IN_R['log-rank']}, 1))", "survival")
    argsort, floats = cpu(lambda: np.argsort(moment)), cpu(lambda: batch.logrank(times, event, arm))
    argsort_floats = cpu(lambda: np.argsort(times))
    print(f"\nlog-rank of one cohort of {patients:,}: {ours * 1e3:.1f} ms (whole days), {floats * 1e3:.1f} ms (floats)")
    name = "log-rank, large"
    ratios = {(name, "lifelines"): lifelines / ours}
    if found:
        ratios[name, "R"] = found[0] / ours
    against_goals(ratios, {(name, "lifelines"): 10, (name, "R"): 30})
    for what, mine, sort in (("whole days", ours, argsort), ("floats", floats, argsort_floats)):
        print(f"{name:>18} over bare argsort ({what}) {mine / sort:.2f}   goal at most 2")


def small_batches(sizes=(200, 1_000, 4_000)):
    """Microseconds a cohort in small batches, as a sampler calls the kernels."""
    print(f"\n{'cohorts':>9}" + "".join(f"{name:>16}" for name in (
        "quantile 12", "quantile 19", "log-rank 31", "Cox 31", "RMST 19", "survival_at 19", "summary 31")))
    for size in sizes:
        moment, event, arm = cohorts(size)
        one, two = ((np.ascontiguousarray(moment[:, mine]), np.ascontiguousarray(event[:, mine]))
                    for mine in (slice(12), slice(12, None)))
        calls = [lambda one=one: batch.quantile(*one), lambda two=two: batch.quantile(*two),
                 lambda all_=(moment, event, arm): batch.logrank(*all_),
                 lambda all_=(moment, event, arm): batch.cox(*all_), lambda two=two: batch.rmst(*two, 800),
                 lambda two=two: batch.survival_at(*two, [365, 730]),
                 lambda all_=(moment, event, arm): batch.summary(*all_, 800)]
        print(f"{size:>9}" + "".join(f"{cpu(call) / size * 1e6:>16.2f}" for call in calls))


#: Run in a process of its own: peak memory in MB with the data alone, at the end, and of the results; CPU seconds.
MEMORY = """import json, pathlib, re, sys, time
import numpy as np
from remission import batch
with np.load(sys.argv[1]) as file:
    data = [file[name] for name in ("time", "event", "arm")]
batch.summary(*(one[:100] for one in data), 250)
# Not getrusage: its peak starts from that of the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
before, start = peak(), time.process_time()
made = batch.summary(*data, 250)
print(json.dumps([before, peak(), sum(one.nbytes for one in made) / 2**20, time.process_time() - start]))"""


def memory(sizes=(20_000, 200_000)):
    """Peak memory (on Linux) and CPU time of `batch.summary` by number of cohorts."""
    if not pathlib.Path("/proc/self/status").exists():
        return
    print(f"\n{'cohorts':>9}{'peak MB':>10}{'data':>8}{'results':>9}{'working':>9}{'CPU s':>8}{'us a cohort':>13}")
    spent = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "cohorts.npz"
            np.savez(path, **dict(zip(("time", "event", "arm"), cohorts(size), strict=True)))
            told = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True)
        before, peak, results, spent[size] = json.loads(told.stdout)
        print(f"{size:>9}{peak:>10.0f}{before:>8.0f}{results:>9.0f}{peak - before - results:>9.0f}"
              f"{spent[size]:>8.2f}{spent[size] / size * 1e6:>13.2f}")
    few, many = sizes
    print(f"CPU time grows {spent[many] / spent[few]:.1f} times for {many // few} times the cohorts")


def everything():
    """All of it, in the order of the goals."""
    exact_against_coin()
    batch_against_peers()
    one_large_cohort()
    small_batches()
    memory()


if __name__ == "__main__":
    everything()
