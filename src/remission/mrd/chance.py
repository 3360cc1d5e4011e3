"""A world without any effect: how often each way to analyse "ever negative" finds one all the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission import study as units
from remission.estimators.level import Z
from remission.estimators.proportions import proportion
from remission.mrd.landmark import landmarks
from remission.study import Study

#: Comparisons of pairs of patients held in memory at a time.
CHUNK = 8_000_000
ALPHA = 0.05
#: Log hazard ratios are sought within this distance of 0, to 2 ** -HALVINGS of it.
LARGEST, HALVINGS = 12.0, 30
TABLE = ["analysis", "median hazard ratio", "p below 0.05", "cohorts"]


class World(NamedTuple):
    """What the simulation assumes; times in months, all exponential but the end of follow-up, which is uniform.

    `effect` is the true hazard ratio of relapse once negative against before; 1 is no effect.
    """

    patients: int = 60
    relapse_median: float = 18.0
    negative_median: float = 9.0
    follow_up: tuple[float, float] = (24.0, 96.0)
    effect: float = 1.0


def cohorts(world: World, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulated cohorts, one row each.

    Parameters
    ----------
    world : World
    draws : int
        Number of cohorts.
    seed : int

    Returns
    -------
    time, event, first : array (draws, patients)
        Months to relapse or end of follow-up, whether relapse was seen, month of the first negative sample (infinite
        where none came before the end of remission).

    Examples
    --------
    >>> time, event, first = cohorts(World(patients=5), 3, seed=1)
    >>> time.shape, bool((first[np.isfinite(first)] < time[np.isfinite(first)]).all())
    ((3, 5), True)
    """
    random = np.random.default_rng(seed)
    shape = draws, world.patients
    clock = random.exponential(size=shape) * world.relapse_median / np.log(2)
    first = random.exponential(size=shape) * world.negative_median / np.log(2)
    # Time after the first negative sample runs slower or faster by the effect; without an effect, not at all.
    relapse = np.where(clock <= first, clock, first + (clock - first) / world.effect)
    end = random.uniform(*world.follow_up, size=shape)
    time = np.minimum(relapse, end)
    return time, relapse <= end, np.where(first < time, first, np.inf)


def mantel_byar(time: np.ndarray, event: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-rank test of patients not negative so far against the others, each moving over when turning negative.

    Parameters
    ----------
    time, event, first : array (B, n)
        From `cohorts`; no two events of a cohort at one time.

    Returns
    -------
    z, ratio : array (B,)
        Standardised observed minus expected relapses of those not negative, and the Cox hazard ratio.

    Source
    ------
    Mantel and Byar, JASA 1974;69:81. R: `coxph(Surv(start, stop, event) ~ never)`, whose score test z squared is.

    Examples
    --------
    >>> z, ratio = mantel_byar(*np.array([[[1.0, 2, 3, 4]], [[1, 1, 1, 1]], [[np.inf, np.inf, 0, 0]]]))
    >>> round(float(z[0]**2), 3)  # nobody moves: the log-rank test
    2.882
    """
    z, ratio = np.empty(len(time)), np.empty(len(time))
    step = max(1, CHUNK // max(time.shape[1] ** 2, 1))
    for begin in range(0, len(time), step):
        part = slice(begin, begin + step)
        at = time[part, :, None]
        there = time[part, None, :] >= at
        never = there & (first[part, None, :] >= at)
        share = never.sum(axis=2) / there.sum(axis=2)
        seen = event[part].astype(bool)
        events = (seen & (first[part] >= time[part])).sum(axis=1)
        mean = (seen * share).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            z[part] = (events - mean) / np.sqrt((seen * share * (1 - share)).sum(axis=1))
        ratio[part] = _hazard_ratio(seen * share, seen * (1 - share), events)
    return z, ratio


def _hazard_ratio(never: np.ndarray, negative: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Cox hazard ratio of many cohorts from the shares at risk at each event, by bisection of the score."""
    low, high = np.full(len(never), -LARGEST), np.full(len(never), LARGEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        weight = never * np.exp(middle)[:, None]
        expected = (weight / np.maximum(weight + negative, np.finfo(float).tiny)).sum(axis=1)
        low, high = np.where(expected < events, middle, low), np.where(expected < events, high, middle)
    return np.exp((low + high) / 2)


def analyse(study: Study, *, seed: int, draws: int = 10_000, world: World | None = None) -> pd.DataFrame:
    """How often each design calls an effect that is not there, and the hazard ratio that it reports.

    Parameters
    ----------
    study : Study
        `landmarks` of `[mrd]`.
    seed, draws : int
    world : World, optional

    Returns
    -------
    DataFrame
        Results `chance.TTRLP.simulated.-.<statistic>`: `rejected[<design>]` in %, with the Monte-Carlo interval, and
        `HR[<design>]`, the median over the cohorts of the Cox hazard ratio, never against ever negative, with the
        central 95% of cohorts.

    Examples
    --------
    >>> found = analyse(Study("demo", "own", "", "", ()), seed=1, draws=20)
    >>> found["result_id"].iloc[0]
    'chance.TTRLP.simulated.-.rejected[naive]'
    """
    world = world or World()
    time, event, first = cohorts(world, draws, seed)
    made: list[dict[str, Any]] = []
    for name, (z, ratio) in _designs(time, event, first, study).items():
        made += _rows(name, z, ratio, world, seed)
    return results.frame(made)


def _designs(time: np.ndarray, event: np.ndarray, first: np.ndarray, study: Study) -> dict[str, tuple]:
    made = {"naive": _logrank(time, event, ~np.isfinite(first))}
    for words, days in landmarks(study).items():
        month = units.from_days(days, "month")
        # Who has left by the landmark keeps a time of 0 without an event, and so is in no risk set after it.
        left = np.maximum(time - month, 0)
        made[f"landmark {words}"] = _logrank(left, event & (left > 0), ~(first <= month))
    made["time-dependent"] = mantel_byar(time, event, first)
    return made


def _logrank(time: np.ndarray, event: np.ndarray, never: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    test = batch.logrank(time, event, never)
    with np.errstate(divide="ignore", invalid="ignore"):
        return test.score / np.sqrt(test.variance), np.exp(batch.cox(time, event, never)[0])


def _rows(name: str, z: np.ndarray, ratio: np.ndarray, world: World, seed: int) -> list[dict[str, Any]]:
    z, ratio = z[~np.isnan(z)], ratio[~np.isnan(ratio)]
    count = int((np.abs(z) > Z).sum())
    share = proportion(count, len(z))
    low, middle, high = (float(one) for one in np.quantile(ratio, [0.025, 0.5, 0.975]))
    method = (f"{len(z)} simulated cohorts of {world.patients}, true hazard ratio {world.effect:g}, seed {seed}; never "
              "against ever negative")
    error = f"{100 * share.lower:.1f} to {100 * share.upper:.1f}"
    return [
        results.row("chance", "TTRLP", "simulated", "-", f"rejected[{name}]", 100 * share.value,
                    lower=100 * share.lower, upper=100 * share.upper, unit="%", n=len(z),
                    method=f"two-sided log-rank p below {ALPHA}; Clopper-Pearson; {method}",
                    display=f"{100 * share.value:.1f}% (Monte-Carlo 95% {error})"),
        results.row("chance", "TTRLP", "simulated", "-", f"HR[{name}]", middle, lower=low, upper=high, unit="HR",
                    n=len(z), method=f"median and central 95% of the Cox hazard ratio; {method}",
                    display=f"{middle:.2f} (95% of cohorts {low:.2f} to {high:.2f})")]


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The simulation for readers: a line a design.

    Examples
    --------
    >>> table(results.frame([])).empty
    True
    """
    shown = {row.statistic: row for row in rows.itertuples()}
    names = [name.removeprefix("HR[").removesuffix("]") for name in shown if name.startswith("HR[")]
    return pd.DataFrame([[name, shown[f"HR[{name}]"].display, shown[f"rejected[{name}]"].display,
                          shown[f"HR[{name}]"].n] for name in names], columns=TABLE)


def in_words(rows: pd.DataFrame, world: World | None = None) -> str:
    """What was assumed and what came of it, in a paragraph.

    Examples
    --------
    >>> in_words(analyse(Study("demo", "own", "", "", ()), seed=1, draws=20)).split(".")[0]
    '20 cohorts of 60 patients were simulated'
    """
    world = world or World()
    found = rows.set_index("statistic")
    return (f"{found['n'].iloc[0]} cohorts of {world.patients} patients were simulated. Relapse came after a median of "
            f"{world.relapse_median:g} months, the first negative sample after a median of {world.negative_median:g} "
            f"months if relapse had not come first, follow-up ended between {world.follow_up[0]:g} and "
            f"{world.follow_up[1]:g} months. The true hazard ratio was {world.effect:g}. The naive analysis reported a "
            f"median hazard ratio of {found.loc['HR[naive]', 'value']:.2f} and called it significant in "
            f"{found.loc['rejected[naive]', 'value']:.0f}% of the cohorts; the time-dependent analysis reported "
            f"{found.loc['HR[time-dependent]', 'value']:.2f} and did so in "
            f"{found.loc['rejected[time-dependent]', 'value']:.1f}%. A fair test does so in {100 * ALPHA:.0f}%.")
