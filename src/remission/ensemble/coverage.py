"""Trials whose truth is known, seen through their printed summaries: is the truth where the ensemble says?"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from remission.ensemble import worlds
from remission.ensemble.abstract import Abstract, build
from remission.ensemble.bounds import extremes
from remission.ensemble.cohorts import Cohorts
from remission.ensemble.quantities import value
from remission.ensemble.sample import FAMILIES, Ensemble, ensemble
from remission.ensemble.verdicts import jobs, verdicts
from remission.errors import ContractError

#: Quantities that are held against the truth: kinds of targets.
KINDS = ("hazard_ratio", "p", "rmst_difference", "survival", "incidence")
#: Central shares of the draws that are to hold the truth as often as they say.
LEVELS = (0.95, 0.80)
COLUMNS = ["quantity", "truth", "lower", "upper", "inner_lower", "inner_upper", "lower_80", "upper_80", "inside_bounds",
           "inside_95", "inside_80", "rank", "draws", "verdict"]


class Effort(NamedTuple):
    """What one trial may cost: cohorts, steps before the first draw and between draws, and the search for extremes."""

    cohorts: int = 160
    burn: int = 1200
    apart: int = 100
    each: int = 2
    steps: int = 100
    climbers: int = 4
    rounds: int = 3
    aims: int = 24


def hold(report: Abstract, truth: Cohorts, seed, effort: Effort = Effort(),  # noqa: B008 (a tuple does not change)
         families: tuple[str, ...] = FAMILIES) -> pd.DataFrame:
    """Draw an ensemble from what is printed, look for extremes, and hold the true patients against both.

    Parameters
    ----------
    report : Abstract
    truth : Cohorts
        One cohort, in the grains of the report and the order of its arms.
    seed : int or SeedSequence
    effort : Effort
    families : tuple of str

    Returns
    -------
    DataFrame
        One row a quantity that the truth has: `quantity`, `truth`, `lower`, `upper` (bounds), `inner_lower`,
        `inner_upper`, `lower_80`, `upper_80` (central 95% and 80% of the draws), whether the truth is inside each,
        `rank` (share of draws below it, ties broken at random), `draws`, `verdict`. Times are in grains.

    Raises
    ------
    ContractError
        When no cohort is found.
    ValueError
        When the true patients do not agree with the report.
    """
    rng = np.random.default_rng(seed)
    found = ensemble(report, effort.cohorts, rng, families, effort.burn, effort.apart, effort.each)
    missed = [claim.id for place, claim in enumerate(found.ready.ruler.claims)
              if not found.ready.ruler.holds(truth, [place])[0]]
    if missed:
        raise ValueError(f"the true patients do not agree with {', '.join(missed)}")
    if found.draws.empty:
        raise ContractError(report.name, [])
    found = found._replace(targets=[target for target in found.targets if target.quantity.kind in KINDS])
    outermost = extremes(found.ready, jobs(found), found.cohorts, effort.steps, effort.climbers, rng, effort.rounds,
                         effort.aims)
    settled = verdicts(found, outermost).set_index("target")
    rows = []
    for target in found.targets:
        true = float(value(truth, found.ready.layout, target.quantity)[0])
        if not math.isnan(true) and target.name in settled.index:
            rows.append(_row(target.name, true, settled.loc[target.name], found, rng))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(name: str, true: float, settled: pd.Series, found: Ensemble, rng: np.random.Generator) -> tuple:
    drawn = found.draws[name]
    weights = 1 / found.draws.groupby("family")["family"].transform("size")
    drawn, weights = drawn[drawn.notna()].to_numpy(), weights[drawn.notna()].to_numpy()
    central = [np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf", weights=weights)
               for level in LEVELS]
    close = 1e-9 * max(1.0, abs(true)) if math.isfinite(true) else 0.0
    inside = [low - close <= true <= high + close for low, high in ((settled["lower"], settled["upper"]), *central)]
    same = np.abs(drawn - true) <= close if math.isfinite(true) else drawn == true
    below = weights[(drawn < true) & ~same].sum() / weights.sum()
    rank = (below * len(drawn) + rng.random() * (weights[same].sum() / weights.sum() * len(drawn) + 1)) / (
        len(drawn) + 1)
    return (name, true, settled["lower"], settled["upper"], *central[0], *central[1], *inside, rank, len(drawn),
            settled["verdict"])


def replicate(world: str, sizes: tuple[int, int], number: int, seed: int, effort: Effort) -> pd.DataFrame:
    """One simulated trial, printed and held against its truth.

    Parameters
    ----------
    world : str
        Of `worlds.WORLDS`.
    sizes : tuple of int
        Patients of the other arm and of the reference arm.
    number : int
        Of the replicate; the same numbers give the same trial.
    seed : int
    effort : Effort

    Returns
    -------
    DataFrame
        As `hold`, after `world`, `sizes`, `replicate`, `family` (empty where the truth follows none). A trial for which
        no cohort is found has one row without numbers, outside everything.
    """
    rng = np.random.default_rng([seed, list(worlds.WORLDS).index(world), *sizes, number])
    family, truth = worlds.trial(world, sizes, rng)
    report = build(f"{world} {number}", worlds.print_summary(truth, sizes))
    try:
        made = hold(report, truth, rng, effort, (family,) if family else FAMILIES)
    except ContractError:
        made = pd.DataFrame([("", *[math.nan] * 7, False, False, False, math.nan, 0, "")], columns=COLUMNS)
    for place, (column, one) in enumerate({"world": world, "sizes": "/".join(map(str, sizes)), "replicate": number,
                                           "family": family}.items()):
        made.insert(place, column, one)
    return made


def study(names: tuple[str, ...], sizes: tuple[tuple[int, int], ...], replicates: int, seed: int,
          effort: Effort = Effort(), workers: int = 1) -> pd.DataFrame:  # noqa: B008
    """Many simulated trials.

    Parameters
    ----------
    names : tuple of str
        Of `worlds.WORLDS`.
    sizes : tuple of (int, int)
    replicates : int
        Of each world and size.
    seed : int
    effort : Effort
    workers : int
        Processes; the numbers do not depend on it.

    Returns
    -------
    DataFrame
        One row a replicate and quantity, as from `replicate`.
    """
    tasks = [(world, size, number) for world in names for size in sizes for number in range(replicates)]
    made = Parallel(n_jobs=workers)(delayed(replicate)(*task, seed, effort) for task in tasks)
    return pd.concat(made, ignore_index=True)


def table(made: pd.DataFrame) -> pd.DataFrame:
    """Coverage by world, size and kind of quantity.

    Parameters
    ----------
    made : DataFrame
        From `study`.

    Returns
    -------
    DataFrame
        `world`, `sizes`, `kind`, `trials`, `quantities`, share inside `bounds`, `interval_95`, `interval_80`, and
        `uniform_p` (Kolmogorov-Smirnov test that ranks are uniform, of one quantity a trial).
    """
    made = made[made["draws"] > 0].assign(kind=lambda given: given["quantity"].str.split(".").str[0])
    rows = []
    for (world, sizes, kind), mine in made.groupby(["world", "sizes", "kind"], sort=False):
        one = mine.groupby("replicate")["rank"].first()  # quantities of one trial hang together
        rows.append((world, sizes, kind, mine["replicate"].nunique(), len(mine), mine["inside_bounds"].mean(),
                     mine["inside_95"].mean(), mine["inside_80"].mean(), stats.kstest(one, "uniform").pvalue))
    return pd.DataFrame(rows, columns=["world", "sizes", "kind", "trials", "quantities", "bounds", "interval_95",
                                       "interval_80", "uniform_p"])


def reading(made: pd.DataFrame) -> str:
    """What a study shows, in a few sentences.

    Parameters
    ----------
    made : DataFrame
        From `study`.

    Returns
    -------
    str
    """
    held = made[made["draws"] > 0]
    trials = made.groupby(["world", "sizes", "replicate"]).ngroups
    lines = [f"Of {trials} simulated trials, {trials - held.groupby(['world', 'sizes', 'replicate']).ngroups} gave no "
             f"ensemble. Bounds held the truth in {held['inside_bounds'].sum()} of {len(held)} quantities."]
    for world, mine in held.groupby("world", sort=False):
        lines.append(f"{worlds.WORDS[world]}: central 95% of the draws held {mine['inside_95'].mean():.1%}, central "
                     f"80% {mine['inside_80'].mean():.1%} of {len(mine)} quantities.")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run a study and write it; or hold one report against its patients."""
    parser = argparse.ArgumentParser(prog="python -m remission.ensemble.coverage", description=__doc__)
    parser.add_argument("out", type=Path, help="CSV to write")
    parser.add_argument("--replicates", type=int, default=20, help="trials of each world and size")
    parser.add_argument("--worlds", nargs="+", default=list(worlds.WORLDS), choices=list(worlds.WORLDS))
    parser.add_argument("--sizes", nargs="+", default=["9/7", "19/12", "30/30"], help="patients of both arms, as 19/12")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    for name, usual in Effort()._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args(arguments)
    sizes = tuple(tuple(int(one) for one in pair.split("/")) for pair in given.sizes)
    effort = Effort(*(getattr(given, name) for name in Effort._fields))
    made = study(tuple(given.worlds), sizes, given.replicates, given.seed, effort, given.workers)
    made.to_csv(given.out, index=False, float_format="%.6g")
    print(table(made).round(3).to_string(index=False), reading(made), sep="\n")


if __name__ == "__main__":
    main()
