"""How far an unprinted quantity can go while every claim holds: extremes looked for, not only sampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from remission.ensemble import moves
from remission.ensemble.cohorts import Cohorts
from remission.ensemble.quantities import fields as needed
from remission.ensemble.quantities import grouped, value
from remission.ensemble.unprinted import Target
from remission.ensemble.walk import Setting

#: Losses that a search accepts when warm and when cool, in the quantity's spread among the first cohorts, and how often
#: it cools down.
WARM, COOL, CYCLES = 0.5, 0.01, 3
#: What a broken claim costs beside its distance.
BROKEN = 0.3


class Job(NamedTuple):
    """One extreme to look for: of a target, upward (1) or downward (-1), perhaps with a claim left out."""

    target: Target
    sign: int
    without: str = ""


class Extremes(NamedTuple):
    """What was found: `table` has a row a job (target, sign, without, value), `cohorts` the cohort that attains it."""

    table: pd.DataFrame
    cohorts: Cohorts


def extremes(ready: Setting, jobs: list[Job], pool: Cohorts, steps: int, climbers: int,
             rng: np.random.Generator) -> Extremes:
    """Look for the outermost value of every job's quantity.

    Parameters
    ----------
    ready : Setting
    jobs : list of Job
    pool : Cohorts
        Cohorts that agree with every claim; the search starts from the outermost of them and from some at random.
    steps : int
    climbers : int
        Cohorts that search for each job.
    rng : Generator

    Returns
    -------
    Extremes
        Values are attained by cohorts that agree with every claim (but the one left out), so the true extremes lie at
        them or beyond.
    """
    names = {claim.id: place for place, claim in enumerate(ready.ruler.claims)}
    active = np.ones((len(jobs) * climbers, len(names)), bool)
    starts, spread = [], np.empty(len(jobs))
    known: dict[str, np.ndarray] = {}
    for number, job in enumerate(jobs):
        if job.target.name not in known:
            known[job.target.name] = value(pool, ready.layout, grouped(job.target.quantity, ready.abstract))
        worth = job.sign * known[job.target.name]
        order = np.argsort(-np.where(np.isnan(worth), -np.inf, worth), kind="stable")
        random = rng.integers(0, len(worth), climbers - climbers // 2)
        starts.append(np.concatenate([order[:climbers // 2], random]))
        found = worth[np.isfinite(worth)]
        spread[number] = (found.std() if len(found) > 1 else 0.0) or 1.0
        if job.without:
            active[number * climbers:(number + 1) * climbers, names[job.without]] = False
    rows = np.concatenate(starts)
    search = _Search(ready, jobs, pool.take(rows), active, np.repeat(spread, climbers), climbers)
    search.run(steps, rng)
    return search.found()


class _Search:
    """A climb of many cohorts at once; rows of one job stand together.

    Between two cohorts that agree with every claim there may be none that do, so every other climber may break claims
    on its way, at a price; only a cohort that breaks none counts as found. The others never do, and get on faster
    where the way is open.
    """

    def __init__(self, ready: Setting, jobs: list[Job], cohorts: Cohorts, active: np.ndarray, spread: np.ndarray,
                 climbers: int):
        self.ready, self.jobs, self.active, self.climbers = ready, jobs, active, climbers
        self.cohorts = Cohorts(*(part.copy() for part in cohorts))
        self.best = Cohorts(*(part.copy() for part in cohorts))
        self.spread = spread
        self.price = np.where(np.arange(len(active)) % climbers % 2 == 0, np.inf, BROKEN)
        self.sign = np.repeat([job.sign for job in jobs], climbers)
        self.places: dict[str, tuple[Target, np.ndarray]] = {}
        for number, job in enumerate(jobs):
            mine = np.arange(number * climbers, (number + 1) * climbers)
            kept = self.places.get(job.target.name, (job.target, np.empty(0, int)))
            self.places[job.target.name] = (job.target, np.concatenate([kept[1], mine]))
        self.fields = {name: needed(target.quantity) for name, (target, _) in self.places.items()}
        self.worth, self.cost = np.empty(len(self.sign)), np.zeros(active.shape)
        for target, rows in self.places.values():
            self.worth[rows] = self._worth(target, self.cohorts.take(rows), rows)
        self.best_worth = self.worth.copy()

    def _worth(self, target: Target, cohorts: Cohorts, rows: np.ndarray) -> np.ndarray:
        quantity = grouped(target.quantity, self.ready.abstract)
        found = self.sign[rows] * value(cohorts, self.ready.layout, quantity)
        return np.where(np.isnan(found), -np.inf, found)

    def run(self, steps: int, rng: np.random.Generator) -> None:
        """Climb, cooling down several times."""
        offered = moves.choice(self.ready.abstract, self.ready.layout, not self.active.all())
        for number in range(steps):
            heat = WARM * (COOL / WARM) ** (number * CYCLES / steps % 1)
            kind, arm = offered.kinds[int(rng.choice(len(offered.kinds), p=offered.shares))]
            self._step(kind, arm, heat, rng)

    def _step(self, kind: str, arm: str, heat: float, rng: np.random.Generator) -> None:
        ready, horizon = self.ready, self.ready.abstract.horizon
        move = moves.propose(kind, ready.layout.arms[arm], self.cohorts, horizon, rng)
        rows = np.flatnonzero(move.possible(horizon))
        changed, touched = move.applied(self.cohorts, rows), move.fields.keys()
        worth = self.worth[rows].copy()
        for name, (target, mine) in self.places.items():
            if not self.fields[name].isdisjoint(touched) and target.quantity.arm in (arm, ""):
                low, high = np.searchsorted(rows, mine), np.searchsorted(rows, mine, side="right")
                here = low[high > low]
                if len(here):
                    worth[here] = self._worth(target, changed.take(here), rows[here])
        with np.errstate(invalid="ignore"):  # infinite as before is no loss
            loss = np.where(worth == self.worth[rows], 0.0, (self.worth[rows] - worth) / self.spread[rows])
        places = sorted({place for field in touched for place in ready.ruler.affected(field, arm)})
        now = self.cost[np.ix_(rows, places)].sum(axis=1)
        spare = heat * rng.exponential(size=len(rows)) - loss + now
        able = np.flatnonzero(spare > 0)  # the others would pay too much even if they broke no claim
        if not len(able):
            return
        miss = ready.ruler.distance(changed.take(able), places)
        broken = (miss > 0) & self.active[np.ix_(rows[able], places)]
        cost = np.where(broken, miss + self.price[rows[able], None], 0.0)
        good = cost.sum(axis=1) <= spare[able]
        kept = rows[able[good]]
        move.write(self.cohorts, kept)
        self.worth[kept] = worth[able[good]]
        self.cost[np.ix_(kept, places)] = cost[good]
        better = kept[(self.worth[kept] > self.best_worth[kept]) & (self.cost[kept] == 0).all(axis=1)]
        self.best.put(better, self.cohorts.take(better))
        self.best_worth[better] = self.worth[better]

    def found(self) -> Extremes:
        """The best cohort of every job."""
        worth = self.best_worth.reshape(len(self.jobs), self.climbers)
        rows = worth.argmax(axis=1) + np.arange(len(self.jobs)) * self.climbers
        table = pd.DataFrame({"target": [job.target.name for job in self.jobs], "sign": [job.sign for job in self.jobs],
                              "without": [job.without for job in self.jobs],
                              "value": self.sign[rows] * self.best_worth[rows]})
        return Extremes(table, self.best.take(rows))
