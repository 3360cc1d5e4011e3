"""Find cohorts that agree with every claim, from random ones, by simulated annealing."""

from __future__ import annotations

import numpy as np

from remission.ensemble import moves
from remission.ensemble.abstract import Abstract, Claim
from remission.ensemble.cohorts import ONGOING, Cohorts, Layout, joined
from remission.ensemble.quantities import Ruler

#: Steps after which cohorts that agree are taken out, and rounds of so many steps before the search gives up.
STRETCH, ROUNDS = 50, 80
#: Cohorts searched for from nothing; the others start from these, shaken.
SCRATCH = 12
#: Temperature falls from the first to the second within so many rounds, in units of `Ruler.distance`, and again.
HOT, COLD, CYCLE = 0.3, 0.01, 40
#: Share of moves that put a patient where a printed time says that one is.
GUIDED = 0.4
#: How much oftener what belongs to a claim alone is moved than what it shares with all others.
OFTEN = 6
TIMED = ("median", "shortest", "longest", "ongoing_time")


def descend(abstract: Abstract, layout: Layout, ruler: Ruler, places: tuple[int, ...], size: int,
            rng: np.random.Generator) -> Cohorts:
    """Search for cohorts that agree with claims.

    Parameters
    ----------
    abstract : Abstract
    layout : Layout
    ruler : Ruler
    places : tuple of int
        Of the claims that are to hold.
    size : int
        Cohorts wanted.
    rng : Generator

    Returns
    -------
    Cohorts
        At most `size`; fewer, even none, when the search ends before.
    """
    given, everything = (abstract, layout, ruler), list(places)
    # Remissions first: what else is printed hangs on them, and has patients' times of its own to agree by.
    remissions = [place for place in everything if ruler.touched[place][0] <= {"time", "code"}]
    first = min(size, SCRATCH)
    now = guess(abstract, layout, ruler, 4 * first, rng)
    if len(remissions) < len(everything):
        now = _anneal(now, remissions, given, 3 * first, rng)
    found = _anneal(now, everything, given, first, rng) if len(now.time) else now
    while 0 < len(found.time) < size:
        wanted = size - len(found.time)
        shaken = _shaken(found, guess(abstract, layout, ruler, 2 * wanted, rng), rng)
        found = joined([found, _anneal(shaken, everything, given, wanted, rng)])
    return found


def _shaken(found: Cohorts, fresh: Cohorts, rng: np.random.Generator) -> Cohorts:
    """Cohorts that agreed, with a fifth to three fifths of their patients drawn anew."""
    made = found.take(rng.integers(0, len(found.time), len(fresh.time)))
    new = rng.random(made.time.shape) < rng.uniform(0.2, 0.6, (len(made.time), 1))
    new_time = new & (made.code != ONGOING)
    return made._replace(time=np.where(new_time, fresh.time, made.time), **{
        name: np.where(new, getattr(fresh, name), getattr(made, name))
        for name in ("front", "after", "dead", "share", "label")})


def _anneal(now: Cohorts, stage: list[int], given: tuple[Abstract, Layout, Ruler], size: int,
            rng: np.random.Generator) -> Cohorts:
    """Move cohorts until they agree with the claims of a stage; at most `size` of those that do."""
    ruler = given[2]
    miss = np.zeros((len(now.time), len(ruler.claims)))
    miss[:, stage] = ruler.distance(now, stage)
    remedies = _remedies(*given)
    done: list[Cohorts] = []
    for number in range(ROUNDS):
        ready = (miss == 0).all(axis=1)
        done.append(now.take(ready))
        now, miss = now.take(~ready), miss[~ready]
        if sum(len(part.time) for part in done) >= size or not len(miss):
            break
        heat = HOT * (COLD / HOT) ** (number % CYCLE / (CYCLE - 1))
        for _ in range(STRETCH):
            _step(now, miss, heat, given, remedies, set(stage), rng)
    return joined(done).take(slice(0, size))


def guess(abstract: Abstract, layout: Layout, ruler: Ruler, size: int, rng: np.random.Generator) -> Cohorts:
    """Random cohorts with outcomes as printed, outermost and ongoing times where they are printed, and others between.

    Parameters
    ----------
    abstract : Abstract
    layout : Layout
    ruler : Ruler
    size : int
    rng : Generator

    Returns
    -------
    Cohorts
        Arrays (size, n).
    """
    shape, horizon = (size, len(layout.arm)), abstract.horizon
    time = np.floor(horizon * rng.random(shape) ** rng.uniform(0.7, 3, (size, 1))).astype(np.int32)
    code = moves.outcomes(abstract, size, rng)
    for arm, part in layout.arms.items():
        mine = [claim for claim in ruler.claims if claim.quantity.arm == arm]
        _printed_times(time[:, part], code[:, part], mine, rng)
    front = np.floor(horizon / 12 * np.exp(0.4 * rng.standard_normal(shape))).astype(np.int32)
    after = np.floor(horizon * 0.15 * rng.random(shape)).astype(np.int32)
    share = np.where(rng.random(shape) < 0.8, 1.0, rng.random(shape))
    return Cohorts(time, code, np.minimum(front, horizon - 1), after, rng.random(shape) < 0.7, share,
                   rng.integers(0, 2, shape, dtype=np.int8))


def _printed_times(time: np.ndarray, code: np.ndarray, claims: list[Claim], rng: np.random.Generator) -> None:
    """Squeeze one arm's times between its printed extremes, and date its ongoing remissions, in place."""
    lowest, highest = 0, None
    for claim in claims:
        if claim.quantity.endpoint in ("relapse", "relapse_or_death") and not claim.quantity.group:
            if claim.quantity.kind == "shortest":
                lowest = int(np.ceil(claim.lower))
            elif claim.quantity.kind == "longest":
                highest = int(np.floor(claim.upper))
    if highest is not None:
        time[:] = np.minimum(time, highest)
    time[:] = np.maximum(time, lowest)
    for claim in claims:
        if claim.quantity.kind == "ongoing_time":
            column = np.argsort(code != ONGOING, axis=1, kind="stable")[:, claim.quantity.rank - 1]
            aim = np.floor(rng.uniform(claim.lower, claim.upper, len(time)) + 0.5)
            time[np.arange(len(time)), column] = aim


def _remedies(abstract: Abstract, layout: Layout, ruler: Ruler) -> list[list[tuple[str, str]]]:
    """Moves that can mend each claim, as (kind, arm): most of them of what belongs to it alone, if anything does."""
    offered = moves.choice(abstract, layout).kinds
    made = []
    for fields, where in ruler.touched:
        own = fields - {"time", "code"} or fields
        able = [(kind, arm) for kind, arm in offered if moves.MOVES[kind][0] in fields and where in (arm, "")]
        made.append(OFTEN * [one for one in able if moves.MOVES[one[0]][0] in own] + able)
    return made


def _step(now: Cohorts, miss: np.ndarray, heat: float, given: tuple[Abstract, Layout, Ruler],
          remedies: list[list[tuple[str, str]]], stage: set[int], rng: np.random.Generator) -> None:
    """Take up one claim, and move the cohorts that miss it, in place; new misses are paid for by `heat`."""
    abstract, layout, ruler = given
    missing = (miss > 0).sum(axis=0)
    if not missing.any():
        return
    place = int(rng.choice(len(missing), p=missing / missing.sum()))
    rows = np.flatnonzero(miss[:, place] > 0)
    mine = now.take(rows)
    claim, arms = ruler.claims[place], [ruler.touched[place][1]]
    timed = claim.quantity.kind in TIMED and np.isfinite(claim.upper)
    if not remedies[place] or (timed and rng.random() < GUIDED):
        move = moves.guided(claim, layout, mine, rng)
        arms = arms if arms[0] else list(layout.arms)
    else:
        kind, arm = remedies[place][int(rng.integers(len(remedies[place])))]
        move, arms = moves.propose(kind, layout.arms[arm], mine, abstract.horizon, rng), [arm]
    able = np.flatnonzero(move.possible(abstract.horizon))
    if not len(able):
        return
    touched = sorted(stage & {one for field in move.fields for arm in arms for one in ruler.affected(field, arm)})
    new = ruler.distance(move.applied(mine, able), touched)
    worse = new.sum(axis=1) - miss[np.ix_(rows[able], touched)].sum(axis=1)
    kept = worse <= heat * rng.exponential(size=len(able))
    move.write(mine, able[kept])
    now.put(rows, mine)
    miss[np.ix_(rows[able[kept]], touched)] = new[kept]
