"""Find cohorts that agree with every claim, and with an aim beside, from random ones, by simulated annealing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from remission.ensemble import moves
from remission.ensemble.abstract import Abstract, Claim, Quantity
from remission.ensemble.cohorts import DEATH, ONGOING, Cohorts, Layout, joined
from remission.ensemble.quantities import FAR, NEAREST, Ruler, families, fields, together

#: Steps after which cohorts that agree are taken out, and rounds of so many steps before the search gives up.
STRETCH, ROUNDS = 50, 40
#: Cohorts searched for from nothing; the others start from these, shaken.
SCRATCH = 24
#: Searches begun for each cohort wanted: the first to arrive count, and a step of a hundred costs little more than one
#: of ten.
RACE = 4
#: Temperature falls from the first to the second within so many rounds, in units of `Ruler.distance`, and again.
HOT, COLD, CYCLE = 0.1, 0.01, 20
#: Moves proposed to each cohort in a step, of which the best is made, and to all of them together.
TRIES, BROAD = 8, 400
#: Share of moves that put a patient where a printed time says that one is.
GUIDED = 0.4
#: How much oftener what belongs to a claim alone is moved than what it shares with all others.
OFTEN = 6
TIMED = ("median", "shortest", "longest", "ongoing_time")
#: Deaths are late in the last part of the longest follow-up from this share on, and early in a part of the same length.
LATE = 0.7
#: So that a share is reached in floating point too.
HAIR = 1e-9
#: What counts as near an aim, in units of its scale.
NEAR = 0.05


class Given(NamedTuple):
    """What a search is about: a report, where everything stands in its cohorts, and how far they miss its claims."""

    abstract: Abstract
    layout: Layout
    ruler: Ruler


class Aims(NamedTuple):
    """What each cohort is to reach beside the claims: `sign` times a quantity is to be `at` least so much.

    `quantities` are all that are aimed at, `which` (B,) says each cohort's; `sign`, `at` and `scale` are (B,).
    """

    quantities: tuple[Quantity, ...]
    which: np.ndarray
    sign: np.ndarray
    at: np.ndarray
    scale: np.ndarray

    def take(self, rows: np.ndarray) -> Aims:
        """Aims of some cohorts."""
        return Aims(self.quantities, *(part[rows] for part in self[1:]))

    def distance(self, cohorts: Cohorts, layout: Layout, before: np.ndarray, touched: set[str],
                 arms: list[str]) -> np.ndarray:
        """How far each cohort is from its aim, as `Ruler.distance` measures: 0 where it is reached.

        It was `before`, and is still, for aims at what does not depend on the fields `touched` in these arms.
        """
        made = before.copy()
        for asked, mine, which in families(self.quantities, self.which):
            needed = fields(asked[0])
            if asked[0].arm in ("", *arms) and not needed.isdisjoint(touched):
                found = together(cohorts.take(mine, needed), layout, asked, which)
                away = self.at[mine] - self.sign[mine] * found
                away = np.where(np.isnan(away), np.inf, away) / self.scale[mine]
                near = np.minimum(np.log1p(np.maximum(away, 0) / NEAR) + NEAREST, FAR)
                made[mine] = np.where(away <= 0, 0.0, near)
        return made


def descend(given: Given, places: tuple[int, ...], size: int, rng: np.random.Generator) -> Cohorts:
    """Search for cohorts that agree with claims.

    Parameters
    ----------
    given : Given
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
    everything = list(places)
    # Remissions first: what else is printed hangs on them, and has patients' times of its own to agree by.
    remissions = [place for place in everything if given.ruler.touched[place][0] <= {"time", "code"}]
    first = min(size, SCRATCH)
    now = guess(given, (RACE + 1) * first, rng)
    if len(remissions) < len(everything):
        now = _anneal(now, remissions, given, RACE * first, rng)[0]
    found = _anneal(now, everything, given, first, rng)[0] if len(now.time) else now
    while 0 < len(found.time) < size:
        wanted = size - len(found.time)
        made = found.take(rng.integers(0, len(found.time), RACE * wanted))
        made = shaken(made, guess(given, RACE * wanted, rng), rng)
        found = joined([found, _anneal(made, everything, given, wanted, rng)[0]])
    return found


def mend(given: Given, places: tuple[int, ...], now: Cohorts, rng: np.random.Generator, size: int | None = None,
         aims: Aims | None = None) -> tuple[Cohorts, np.ndarray]:
    """Move given cohorts until they agree with claims and reach an aim each.

    Between cohorts that agree with every claim there may be none that do, so that no climb leads from one to the other;
    this search leaves the claims on its way and comes back to them elsewhere.

    Parameters
    ----------
    given : Given
    places : tuple of int
        Of the claims that are to hold.
    now : Cohorts
        From which the search starts.
    rng : Generator
    size : int, optional
        Cohorts that are enough; all by default.
    aims : Aims, optional

    Returns
    -------
    tuple of Cohorts and array of int
        Those that agree and reach their aim, and their rows in `now`.
    """
    return _anneal(now, list(places), given, size or len(now.time), rng, CYCLE, aims)


def outskirts(given: Given, known: Cohorts, size: int, rng: np.random.Generator) -> Cohorts:
    """Look for cohorts that agree with every claim where all deaths in remission are late, or all are early.

    Chains and climbs move one patient or two at a time, and a single death that comes years later breaks a p-value; so
    cohorts with all of them late are never met on such ways, however many there are.

    Parameters
    ----------
    given : Given
    known : Cohorts
        That agree with every claim.
    size : int
        Searches, half of them with late deaths.
    rng : Generator

    Returns
    -------
    Cohorts
        Those found, at most `size`; none where nobody died in remission.
    """
    arms = [(arm, part) for arm, part in given.layout.arms.items() if (known.code[:, part] == DEATH).any()]
    if not arms:
        return known.take(slice(0, 0))
    start = known.take(rng.integers(0, len(known.time), size))
    which, late = np.arange(size) % len(arms), np.arange(size) // len(arms) % 2 == 0
    columns = np.arange(start.code.shape[1])
    inside = np.array([(part.start <= columns) & (columns < part.stop) for _, part in arms])
    died = (start.code == DEATH) & inside[which]
    last = start.time.max(axis=1, keepdims=True)
    share = np.where(late[:, None], rng.uniform(LATE, 1, died.shape), rng.uniform(0, 1 - LATE, died.shape))
    moved = start._replace(time=np.where(died, np.floor(share * last), start.time).astype(start.time.dtype))
    # Late: nobody has died by then. Early: all who ever die have.
    ends = {True: float(np.floor(LATE * last.min())), False: float(np.ceil((1 - LATE) * last.max()))}
    quantities = tuple(Quantity("incidence", "death_in_remission", arm, at=ends[side]) for side in ends
                       for arm, _ in arms)
    sign = np.where(late, -1.0, 1.0)
    goal = np.where(late, 0.0, died.sum(axis=1) / inside.sum(axis=1)[which])
    aims = Aims(quantities, which + np.where(late, 0, len(arms)), sign, sign * goal - HAIR, np.full(size, NEAR))
    return mend(given, tuple(range(len(given.ruler.claims))), moved, rng, aims=aims)[0]


def shaken(made: Cohorts, fresh: Cohorts, rng: np.random.Generator) -> Cohorts:
    """Cohorts that agreed, with a fifth to three fifths of their patients taken from `fresh` ones (of `guess`)."""
    new = rng.random(made.time.shape) < rng.uniform(0.2, 0.6, (len(made.time), 1))
    new_time = new & (made.code != ONGOING)
    return made._replace(time=np.where(new_time, fresh.time, made.time), **{
        name: np.where(new, getattr(fresh, name), getattr(made, name))
        for name in ("front", "after", "dead", "share", "label")})


def _anneal(now: Cohorts, stage: list[int], given: Given, size: int, rng: np.random.Generator, rounds: int = ROUNDS,
            aims: Aims | None = None) -> tuple[Cohorts, np.ndarray]:
    """Move cohorts until they agree with the claims of a stage; at most `size` of those that do, and their rows."""
    miss = np.zeros((len(now.time), len(given.ruler.claims) + (aims is not None)))
    miss[:, stage] = given.ruler.distance(now, stage)
    if aims is not None:
        miss[:, -1] = aims.distance(now, given.layout, miss[:, -1], set(Cohorts._fields), list(given.layout.arms))
    remedies, rows = _remedies(given), np.arange(len(now.time))
    done, where = [], []
    for number in range(rounds):
        ready = (miss == 0).all(axis=1)
        done.append(now.take(ready))
        where.append(rows[ready])
        now, miss, rows = now.take(~ready), miss[~ready], rows[~ready]
        aims = aims if aims is None else aims.take(~ready)
        if sum(map(len, where)) >= size or not len(miss):
            break
        heat = HOT * (COLD / HOT) ** (number % min(CYCLE, rounds) / (min(CYCLE, rounds) - 1))
        for _ in range(STRETCH):
            _step(now, miss, heat, given, remedies, set(stage), rng, aims)
    return joined(done).take(slice(0, size)), np.concatenate(where)[:size]


def guess(given: Given, size: int, rng: np.random.Generator) -> Cohorts:
    """Random cohorts with outcomes as printed, outermost and ongoing times where they are printed, and others between.

    Parameters
    ----------
    given : Given
    size : int
    rng : Generator

    Returns
    -------
    Cohorts
        Arrays (size, n).
    """
    abstract, layout, ruler = given
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


def _remedies(given: Given) -> list[list[tuple[str, str]]]:
    """Moves that can mend each claim, as (kind, arm): most of them of what belongs to it alone, if anything does.

    The last are for an aim: all.
    """
    offered = moves.choice(given.abstract, given.layout).kinds
    made = []
    for touched, where in given.ruler.touched:
        own = touched - {"time", "code"} or touched
        able = [(kind, arm) for kind, arm in offered if moves.MOVES[kind][0] in touched and where in (arm, "")]
        made.append(OFTEN * [one for one in able if moves.MOVES[one[0]][0] in own] + able)
    return [*made, list(offered)]


def _step(now: Cohorts, miss: np.ndarray, heat: float, given: Given, remedies: list[list[tuple[str, str]]],
          stage: set[int], rng: np.random.Generator, aims: Aims | None = None) -> None:
    """Take up one claim, or the aims, and move the cohorts that miss it, in place; `heat` pays for new misses."""
    abstract, layout, ruler = given
    missing = (miss > 0).sum(axis=0)
    if not missing.any():
        return
    place = int(rng.choice(len(missing), p=missing / missing.sum()))
    claim = ruler.claims[place] if place < len(ruler.claims) else None
    timed = claim and claim.quantity.kind in TIMED and np.isfinite(claim.upper)
    guided = claim and (not remedies[place] or (timed and rng.random() < GUIDED))
    if guided:
        rows, where = _several(miss[:, place] > 0), ruler.touched[place][1]
        arms = [where] if where else list(layout.arms)
        mine = now.take(rows)
        move = moves.guided(claim, layout, mine, rng)
    else:  # whoever misses something that this move may mend takes part
        kind, arm = remedies[place][int(rng.integers(len(remedies[place])))]
        mended = stage.intersection(ruler.affected(moves.MOVES[kind][0], arm))
        rows, arms = _several((miss[:, sorted(mended | {place})] > 0).any(axis=1)), [arm]
        mine = now.take(rows)
        move = moves.propose(kind, layout.arms[arm], mine, abstract.horizon, rng)
    able = np.flatnonzero(move.possible(abstract.horizon))
    if not len(able):
        return
    touched = sorted(stage & {one for field in move.fields for arm in arms for one in ruler.affected(field, arm)})
    changed = move.applied(mine, able)
    new = ruler.distance(changed, touched)
    spare = heat * rng.exponential(size=len(able)) - new.sum(axis=1) + miss[np.ix_(rows[able], touched)].sum(axis=1)
    if aims is not None:
        before = miss[rows[able], -1]
        near = np.flatnonzero(spare + before >= 0)  # the others would not be let even if they reached their aim
        after = before.copy()
        after[near] = aims.take(rows[able[near]]).distance(changed.take(near), layout, before[near], set(move.fields),
                                                           arms)
        spare += before - after
        touched, new = [*touched, len(ruler.claims)], np.column_stack([new, after])
    kept = moves.best_of_each(rows[able], spare, spare >= 0)
    move.write(now, able[kept], rows[able[kept]])
    miss[np.ix_(rows[able[kept]], touched)] = new[kept]


def _several(mine: np.ndarray) -> np.ndarray:
    """Cohorts that take part in a step, each as often as moves are proposed to it."""
    rows = np.flatnonzero(mine)
    return rows.repeat(max(1, min(TRIES, BROAD // max(len(rows), 1))))
