"""Draw cohorts that agree with every printed claim: Markov chains, many abreast, on cohorts and their laws together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from remission.ensemble import moves, priors
from remission.ensemble.abstract import Abstract
from remission.ensemble.cohorts import Cohorts, Layout, layout
from remission.ensemble.quantities import Ruler, ruler
from remission.ensemble.search import Given, descend
from remission.errors import ContractError, Problem

#: Sizes of a step of a law's parameters, of which one is drawn.
STRIDES = (0.1, 0.3, 0.8)
#: Cohorts that the search is to find: at least so many, and one for so many chains.
SEEDS, SHARED = 24, 4
#: Quantities of claims that a chain may break on its way: a p-value hangs on every patient, so whoever had to hold it
#: at every step could hardly move. A miss costs its distance over `TEMPER`.
SOFT = ("p", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "rmst_difference", "survival", "incidence")
TEMPER = 0.5
#: Share of steps that move the laws and not the patients.
LAWS = 0.15
#: Share of those that move one parameter alone.
ALONE = 0.6


class Setting(NamedTuple):
    """A report made ready: what is where, what must hold, and which parts of the laws it needs."""

    abstract: Abstract
    layout: Layout
    ruler: Ruler
    parts: dict[str, priors.Parts]
    hard: tuple[int, ...]
    soft: tuple[int, ...]

    @property
    def given(self) -> Given:
        """What a search needs of it."""
        return Given(self.abstract, self.layout, self.ruler)


class Chains(NamedTuple):
    """States of chains: cohorts, and the parameters (B, WIDTH) of each arm's laws.

    `family` is each chain's place in `FAMILIES`, `start` the number of the search result from which it started, `miss`
    (B, soft claims) how far it is from agreeing with the claims that a chain may break on its way.
    """

    cohorts: Cohorts
    laws: dict[str, np.ndarray]
    family: np.ndarray
    start: np.ndarray
    miss: np.ndarray

    def agree(self) -> np.ndarray:
        """Chains that agree with every claim just now."""
        return (self.miss == 0).all(axis=1)


def setting(abstract: Abstract) -> Setting:
    """Make a report ready.

    Parameters
    ----------
    abstract : Abstract

    Returns
    -------
    Setting

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> setting(read("freireich1963")).parts["placebo"].deaths
    False
    """
    place = layout(abstract)
    parts = {arm: priors.Parts(place.survival, place.diagnosis, place.treatment, place.groups == part,
                               abstract.competing) for arm, part in place.arms.items()}
    made = ruler(abstract, place)
    soft = tuple(number for number, claim in enumerate(made.claims) if claim.quantity.kind in SOFT)
    return Setting(abstract, place, made, parts, tuple(set(range(len(made.claims))) - set(soft)), soft)


def start(ready: Setting, families: tuple[str, ...], size: int, rng: np.random.Generator) -> Chains:
    """First states: cohorts found by search, several chains from each; laws drawn from their prior.

    Parameters
    ----------
    ready : Setting
    families : tuple of str
        Of `priors.FAMILIES`.
    size : int
        Chains of each family.
    rng : Generator

    Returns
    -------
    Chains

    Raises
    ------
    ContractError
        When the search finds no cohort that agrees with every claim.
    """
    whole = size * len(families)
    found = descend(ready.given, ready.hard, min(whole, max(SEEDS, whole // SHARED)), rng)
    if not len(found.time):
        raise ContractError(ready.abstract.name, [Problem(
            "abstract.toml", "claims", (), "the search found no cohort that agrees with every claim",
            "look for conflicts, or switch readings")])
    laws = {arm: rng.standard_normal((whole, priors.WIDTH)) for arm in ready.layout.arms}
    family = np.repeat([list(priors.FAMILIES).index(name) for name in families], size)
    origin = np.arange(whole) % len(found.time)
    first = found.take(origin)
    return Chains(first, laws, family, origin, ready.ruler.distance(first, list(ready.soft)))


def walk(ready: Setting, chains: Chains, steps: int, rng: np.random.Generator) -> dict[str, float]:
    """Move chains on, in place; those that `agree` are draws of the family's prior given every claim.

    Parameters
    ----------
    ready : Setting
    chains : Chains
        Cohorts that agree with every hard claim.
    steps : int
        Each moves one to four patients, or the laws, of one arm in every chain.
    rng : Generator

    Returns
    -------
    dict
        Share of proposals accepted, by kind of move.

    Notes
    -----
    Metropolis's rule: moves are as likely as their reverse, so one is accepted with the ratio of densities, never when
    a hard claim would break, and less often when it leads away from a soft one. The limit is the family's prior, given
    the hard claims, times exp(-miss / TEMPER); kept to those that miss nothing, it is the prior given every claim.
    """
    offered = moves.choice(ready.abstract, ready.layout)
    asked, accepted = dict.fromkeys(moves.MOVES, 0), dict.fromkeys(moves.MOVES, 0.0)
    arms = list(ready.layout.arms)
    for _ in range(steps):
        if rng.random() < LAWS:
            _move_laws(ready, chains, arms[int(rng.integers(len(arms)))], rng)
            continue
        kind, arm = offered.kinds[int(rng.choice(len(offered.kinds), p=offered.shares))]
        asked[kind] += 1
        accepted[kind] += _move_patients(ready, chains, kind, arm, rng)
    return {kind: accepted[kind] / count for kind, count in asked.items() if count}


def _move_laws(ready: Setting, chains: Chains, arm: str, rng: np.random.Generator) -> None:
    now = chains.laws[arm]
    moved = priors.used(chains.family, ready.parts[arm])
    if rng.random() < ALONE:
        moved = np.arange(now.shape[1]) == (moved * rng.random(moved.shape)).argmax(axis=1)[:, None]
    step = rng.choice(STRIDES) * rng.standard_normal(now.shape) * moved
    mine = Cohorts(*(part[:, ready.layout.arms[arm]] for part in chains.cohorts))

    def score(z: np.ndarray) -> np.ndarray:
        dense = priors.log_density(chains.family, z, mine, ready.abstract.horizon, ready.parts[arm]).sum(axis=1)
        return dense - 0.5 * (z**2).sum(axis=1)

    good = np.log(rng.random(len(now))) < score(now + step) - score(now)
    now[good] += step[good]


def _move_patients(ready: Setting, chains: Chains, kind: str, arm: str,
                   rng: np.random.Generator) -> float:
    cohorts, horizon = chains.cohorts, ready.abstract.horizon
    move = moves.propose(kind, ready.layout.arms[arm], cohorts, horizon, rng)
    luck = np.log(rng.random(len(cohorts.time)))
    able = np.flatnonzero(move.possible(horizon))
    # Before and after side by side, so that the laws are worked out once.
    old = Cohorts(*(part[able[:, None], move.columns[able]] for part in cohorts))
    both = Cohorts(*(np.concatenate([before, move.fields[name][able] if name in move.fields else before], axis=1)
                     for name, before in zip(Cohorts._fields, old, strict=True)))
    dense = priors.log_density(chains.family[able], chains.laws[arm][able], both, horizon, ready.parts[arm],
                               move.fields)
    half = dense.shape[1] // 2
    gain = dense[:, half:].sum(axis=1) - dense[:, :half].sum(axis=1)
    places = {place for field in move.fields for place in ready.ruler.affected(field, arm)}
    soft = [column for column, place in enumerate(ready.soft) if place in places]
    spare = np.zeros(len(cohorts.time))
    spare[able] = gain - luck[able] + chains.miss[np.ix_(able, soft)].sum(axis=1) / TEMPER
    rows = able[spare[able] > 0]  # not even without a miss would the others be accepted
    if not len(rows):
        return 0.0
    rows = rows[ready.ruler.holds(move.applied(cohorts, rows), sorted(places & set(ready.hard)))]
    if soft and len(rows):
        miss = ready.ruler.distance(move.applied(cohorts, rows), [ready.soft[column] for column in soft])
        kept = miss.sum(axis=1) / TEMPER < spare[rows]
        rows = rows[kept]
        chains.miss[np.ix_(rows, soft)] = miss[kept]
    move.write(cohorts, rows)
    return len(rows) / len(cohorts.time)
