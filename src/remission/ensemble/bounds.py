"""How far an unprinted quantity can go while every claim holds: extremes looked for, not only sampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from remission.ensemble import moves, search
from remission.ensemble.abstract import Quantity
from remission.ensemble.cohorts import Cohorts, joined
from remission.ensemble.quantities import families, together, value
from remission.ensemble.quantities import fields as needed
from remission.ensemble.unprinted import Target
from remission.ensemble.walk import Setting

#: Losses that a search accepts at its start and at its end, as shares of the quantity's spread in the first cohorts.
WARM, COOL = 0.3, 0.003
#: Moves proposed to each climber in a step, and to all of them together: thousands cost little more than hundreds.
TRIES, BROAD = 16, 8000
#: How far beyond the outermost value the nearest and the farthest aim lie, in such spreads.
REACH = (0.02, 1.0)


class Job(NamedTuple):
    """One extreme to look for: of a target, upward (1) or downward (-1), perhaps with a claim left out."""

    target: Target
    sign: int
    without: str = ""


class Extremes(NamedTuple):
    """What was found: `table` has a row a job (target, sign, without, value), `cohorts` the cohort that attains it."""

    table: pd.DataFrame
    cohorts: Cohorts


def extremes(ready: Setting, jobs: list[Job], pool: Cohorts, steps: int, climbers: int, rng: np.random.Generator,
             rounds: int = 1, aims: int = 0, found: Extremes | None = None) -> Extremes:
    """Look for the outermost value of every job's quantity.

    Parameters
    ----------
    ready : Setting
    jobs : list of Job
    pool : Cohorts
        Cohorts that agree with every claim; the search starts from the outermost of them and from some at random.
    steps : int
        Of a round.
    climbers : int
        Cohorts that search for each job.
    rng : Generator
    rounds : int
        Each but the first may start from what any job without the same claim has found: what is extreme in one quantity
        may be so in another.
    aims : int
        Before each round but the first, so many searches of each job's own for a value beyond the outermost so far. All
        jobs must leave out the same claim.
    found : Extremes, optional
        Of the same jobs, by a search before: this one goes on from it.

    Returns
    -------
    Extremes
        Values are attained by cohorts that agree with every claim (but the one left out), so the true extremes lie at
        them or beyond.
    """
    for _ in range(rounds):
        whole, without = pool, [""] * len(pool.time)
        if found is not None:
            beyond = _beyond(ready, jobs, pool, found, aims, rng) if aims else pool.take(slice(0, 0))
            whole = joined([pool, found.cohorts, beyond])
            without += [*found.table["without"], *[jobs[0].without] * len(beyond.time)]
        found = _round(ready, jobs, whole, np.array(without), steps, climbers, rng)
    return found


def _beyond(ready: Setting, jobs: list[Job], pool: Cohorts, found: Extremes, aims: int,
            rng: np.random.Generator) -> Cohorts:
    """Cohorts that go beyond the outermost values found, a little or far, reached from these and from any others."""
    whole = joined([pool, found.cohorts])
    quantities = {job.target.name: job.target.quantity for job in jobs}
    spread = {name: _spread(value(whole, ready.layout, quantity)) for name, quantity in quantities.items()}
    best = found.table["value"].to_numpy() * found.table["sign"].to_numpy()
    open_ = np.flatnonzero(np.isfinite(best)).repeat(aims)
    names = list(quantities)
    scale = np.array([spread[job.target.name] for job in jobs])[open_]
    asked = search.Aims(tuple(quantities.values()), np.array([names.index(job.target.name) for job in jobs])[open_],
                        np.array([job.sign for job in jobs])[open_],
                        best[open_] + scale * np.tile(np.geomspace(*REACH, aims), len(open_) // aims), scale)
    # Half of the searches start from the outermost cohort, the others far from it.
    far = search.shaken(whole.take(rng.integers(0, len(whole.time), len(open_))),
                        search.guess(ready.given, len(open_), rng), rng)
    starts = found.cohorts.take(open_)
    starts.put(np.arange(1, len(open_), 2), far.take(np.arange(1, len(open_), 2)))
    left = {job.without for job in jobs}
    places = tuple(place for place, claim in enumerate(ready.ruler.claims) if claim.id not in left)
    return search.mend(ready.given, places, starts, rng, aims=asked)[0]


def _spread(values: np.ndarray) -> float:
    """Standard deviation of what is finite; 1 where there is none."""
    known = values[np.isfinite(values)]
    return (float(known.std()) if len(known) > 1 else 0.0) or 1.0


def _round(ready: Setting, jobs: list[Job], pool: Cohorts, without: np.ndarray, steps: int, climbers: int,
           rng: np.random.Generator) -> Extremes:
    """One climb for every job; a cohort of the pool found `without` a claim serves those jobs alone that do so too."""
    names = {claim.id: place for place, claim in enumerate(ready.ruler.claims)}
    active = np.ones((len(jobs) * climbers, len(names)), bool)
    starts, spread = [], np.empty(len(jobs))
    known: dict[str, np.ndarray] = {}
    able = {left: np.flatnonzero((without == "") | (without == left)) for left in {job.without for job in jobs}}
    for number, job in enumerate(jobs):
        if job.target.name not in known:
            known[job.target.name] = value(pool, ready.layout, job.target.quantity)
        mine = able[job.without]
        worth = job.sign * known[job.target.name][mine]
        order = np.argsort(-np.where(np.isnan(worth), -np.inf, worth), kind="stable")
        random = rng.integers(0, len(worth), climbers - climbers // 2)
        starts.append(mine[np.concatenate([order[:climbers // 2], random])])
        spread[number] = _spread(worth)
        if job.without:
            active[number * climbers:(number + 1) * climbers, names[job.without]] = False
    rows = np.concatenate(starts)
    climb = _Climb(ready, jobs, pool.take(rows), active, np.repeat(spread, climbers), climbers)
    climb.run(steps, rng)
    return climb.found()


class _Family(NamedTuple):
    """Climbers whose quantities come out of one computation: each has the quantity `asked[which]`."""

    number: int
    asked: tuple[Quantity, ...]
    rows: np.ndarray
    which: np.ndarray
    fields: frozenset[str]


class _Climb:
    """A climb of many cohorts at once; rows of one job stand together."""

    def __init__(self, ready: Setting, jobs: list[Job], cohorts: Cohorts, active: np.ndarray, spread: np.ndarray,
                 climbers: int):
        self.ready, self.jobs, self.cohorts, self.active, self.spread = ready, jobs, cohorts, active, spread
        self.free = not active.all()
        self.sign, self.climbers = np.repeat([job.sign for job in jobs], climbers), climbers
        asked = tuple(dict.fromkeys(job.target.quantity for job in jobs))
        which = np.repeat([asked.index(job.target.quantity) for job in jobs], climbers)
        self.families = [_Family(number, *family, needed(family[0][0]))
                         for number, family in enumerate(families(asked, which))]
        self.family, self.place = np.empty(len(self.sign), int), np.empty(len(self.sign), int)
        self.worth = np.empty(len(self.sign))
        for family in self.families:
            self.family[family.rows], self.place[family.rows] = family.number, np.arange(len(family.rows))
            self.worth[family.rows] = self._worth(family, cohorts.take(family.rows), self.place[family.rows])
        self.best, self.best_worth = cohorts.take(slice(None)), self.worth.copy()
        self.best = Cohorts(*(part.copy() for part in self.best))

    def _worth(self, family: _Family, cohorts: Cohorts, places: np.ndarray) -> np.ndarray:
        """Signed quantity of some of a family's rows, by their places among them."""
        found = together(cohorts, self.ready.layout, family.asked, family.which[places])
        return np.where(np.isnan(found), -np.inf, self.sign[family.rows[places]] * found)

    def run(self, steps: int, rng: np.random.Generator) -> None:
        """Climb: a step proposes several moves of one kind to every cohort, and makes the best that may be made."""
        layout, ruler, horizon = self.ready.layout, self.ready.ruler, self.ready.abstract.horizon
        offered = moves.choice(self.ready.abstract, layout, self.free)
        climber = np.repeat(np.arange(len(self.sign)), max(1, min(TRIES, BROAD // len(self.sign))))
        for number in range(steps):
            heat = WARM * (COOL / WARM) ** (number / max(steps - 1, 1))
            kind, arm = offered.kinds[int(rng.choice(len(offered.kinds), p=offered.shares))]
            changed = self.cohorts.take(climber)
            move = moves.propose(kind, layout.arms[arm], changed, horizon, rng)
            tries = np.flatnonzero(move.possible(horizon))
            if not len(tries):
                continue
            move.write(changed, tries)
            rows, changed = climber[tries], changed if len(tries) == len(climber) else changed.take(tries)
            # A quantity is cheaper than a dozen claims, so what it forbids is not looked at further.
            worth = self._changed_worth(changed, rows, move.fields.keys(), arm)
            with np.errstate(invalid="ignore"):
                loss = np.where(worth == self.worth[rows], 0.0, self.worth[rows] - worth)
            kept = loss <= heat * self.spread[rows] * rng.exponential(size=len(rows))
            places = sorted({place for field in move.fields for place in ruler.affected(field, arm)})
            kept &= ruler.holds(changed, places, self.active[rows] & kept[:, None])
            best = moves.best_of_each(rows, worth, kept)
            for name in move.fields:
                getattr(self.cohorts, name)[rows[best]] = getattr(changed, name)[best]
            self.worth[rows[best]] = worth[best]
            better = rows[best][worth[best] > self.best_worth[rows[best]]]
            self.best.put(better, self.cohorts.take(better))
            self.best_worth[better] = self.worth[better]

    def _changed_worth(self, changed: Cohorts, rows: np.ndarray, touched, arm: str) -> np.ndarray:
        """Worth of changed cohorts of these climbers, in order; reckoned anew where the change touches the quantity."""
        worth = self.worth[rows].copy()
        for family in self.families:
            if not family.fields.isdisjoint(touched) and family.asked[0].arm in (arm, ""):
                here = np.flatnonzero(self.family[rows] == family.number)
                if len(here):
                    worth[here] = self._worth(family, changed.take(here, family.fields), self.place[rows[here]])
        return worth

    def found(self) -> Extremes:
        """The best cohort of every job."""
        worth = self.best_worth.reshape(len(self.jobs), self.climbers)
        rows = worth.argmax(axis=1) + np.arange(len(self.jobs)) * self.climbers
        table = pd.DataFrame({"target": [job.target.name for job in self.jobs], "sign": [job.sign for job in self.jobs],
                              "without": [job.without for job in self.jobs],
                              "value": self.sign[rows] * self.best_worth[rows]})
        return Extremes(table, self.best.take(rows))
