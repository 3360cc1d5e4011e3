"""One abstract asked from end to end: cohorts that agree with it, extremes, worth of each claim, other readings."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import paths
from remission.ensemble import bounds, conflicts, sample, search, unprinted, verdicts
from remission.ensemble.abstract import Abstract, Quantity, read
from remission.ensemble.bounds import Extremes, Job
from remission.ensemble.cohorts import Cohorts, joined
from remission.ensemble.sample import Ensemble
from remission.ensemble.unprinted import Target
from remission.ensemble.walk import Setting, setting
from remission.errors import ContractError

NOTHING = "This cohort has no abstract.toml: there is no printed report to ask."
SETTLED = ["target", "words", "arm", "scale", "lower", "upper", "inner_lower", "median", "inner_upper", "disagreement",
           "reach", "verdict"]
WORTH = ["claim", "target", "lower", "upper", "widening"]
SWITCHED = ["reading", "target", "words", "scale", "lower", "upper", "note"]
#: Random streams of the steps of an inquiry, so that one step's size moves no other step's numbers.
DRAWING, BOUNDING, WEIGHING, SWITCHING = range(4)
#: A claim is looked at longer when a first short search without it sees a quantity widen by so much.
SEEN = 1.1
#: What a claim is worth is asked of these quantities, unless they can be anything already.
WEIGHED = ("hazard_ratio", "p", "rmst_difference")
#: With more claims than this, further rounds of climbs go as far as searches for an aim in a third of the time.
FEW = 12
#: Searches for cohorts far from those drawn, for each climber.
FAR = 24
#: Under another reading: cohorts that a search starts from, for each that is wanted.
TRIED = 12


class Inquiry(NamedTuple):
    """What has been found so far of one cohort's abstract; each step fills in what is its own.

    `note` says why there is nothing to fill in. `sizes` are the sizes of the steps, by name.
    """

    cohort: str
    seed: int
    abstract: Abstract | None
    note: str = ""
    found: Ensemble | None = None
    outermost: Extremes | None = None
    settled: pd.DataFrame = pd.DataFrame(columns=SETTLED)
    worth: pd.DataFrame = pd.DataFrame(columns=WORTH)
    switched: pd.DataFrame = pd.DataFrame(columns=SWITCHED)
    sizes: Mapping[str, int] = MappingProxyType({})


def begin(cohort: str, seed: int) -> Inquiry:
    """Open a cohort's abstract, if it has one.

    Parameters
    ----------
    cohort : str
    seed : int
        Of every random number of the inquiry.

    Returns
    -------
    Inquiry

    Raises
    ------
    ContractError
        When the abstract says what cannot be.

    Examples
    --------
    >>> begin("wassmann2003", 1).note
    'This cohort has no abstract.toml: there is no printed report to ask.'
    """
    if not (paths.raw(cohort) / "abstract.toml").is_file():
        return Inquiry(cohort, seed, None, NOTHING)
    return Inquiry(cohort, seed, read(cohort))


def contradictions(inquiry: Inquiry, reading: str = "") -> tuple[Abstract, list[tuple[str, ...]]] | None:
    """Smallest sets of claims that cannot hold together, under one reading.

    Parameters
    ----------
    inquiry : Inquiry
    reading : str
        A name in the abstract; without one, the claims as they stand there.

    Returns
    -------
    tuple or None
        The abstract under that reading, and the sets; None without an abstract, or without such a reading.

    Examples
    --------
    >>> contradictions(begin("freireich1963", 1))[1], contradictions(begin("freireich1963", 1), "as worded")
    ([], None)
    """
    if inquiry.abstract is None or (reading and reading not in inquiry.abstract.readings):
        return None
    report = read(inquiry.cohort, reading) if reading else inquiry.abstract
    return report, conflicts.conflicts(report, known=_held(inquiry, report))


def _held(inquiry: Inquiry, report: Abstract) -> set[frozenset[str]]:
    """Sets of a report's claims that hold together in a cohort drawn."""
    if inquiry.found is None:
        return set()
    ready = setting(report)
    held = np.column_stack([ready.ruler.holds(inquiry.found.cohorts, [place]) for place in range(len(report.claims))])
    return {frozenset(itertools.compress((claim.id for claim in report.claims), row)) for row in held}


def draw(inquiry: Inquiry, draws: int, burn: int) -> Inquiry:
    """Draw cohorts that agree with every claim.

    Parameters
    ----------
    inquiry : Inquiry
    draws : int
        Cohorts, all families together; a few more where chains end.
    burn : int
        Steps of a chain before its first draw.

    Returns
    -------
    Inquiry
        With `found`, or with a `note` when the search finds no cohort.
    """
    if inquiry.abstract is None:
        return inquiry
    try:
        # One draw of a chain: a step of four hundred chains abreast costs little more than one of a hundred.
        found = sample.ensemble(inquiry.abstract, draws, _stream(inquiry, DRAWING), burn=burn, each=1)
    except ContractError:
        return inquiry._replace(note="The search found no cohort that agrees with every claim.")
    return inquiry._replace(found=found, sizes={**inquiry.sizes, "draws": len(found.draws), "burn": burn})


def bound(inquiry: Inquiry, steps: int, climbers: int, rounds: int, aims: int = 0) -> Inquiry:
    """Look for both extremes of every unprinted quantity, and settle it.

    Parameters
    ----------
    inquiry : Inquiry
        After `draw`.
    steps : int
        Of a search, in each round.
    climbers : int
        Cohorts that search for each extreme.
    rounds : int
        The next round starts from the outermost cohorts of all quantities: what is extreme in one may be so in another.
    aims : int
        Between two rounds, searches for each extreme that may leave the claims on their way; none where the report
        has more than `FEW` claims.

    Returns
    -------
    Inquiry
        With `outermost` and `settled`.
    """
    if inquiry.found is None:
        return inquiry
    found, rng = inquiry.found, np.random.default_rng(_stream(inquiry, BOUNDING))
    aims = aims if len(inquiry.abstract.claims) <= FEW else 0
    pool = joined([found.cohorts, search.outskirts(found.ready.given, found.cohorts, FAR * climbers, rng)])
    outermost = bounds.extremes(found.ready, verdicts.jobs(found), pool, steps, climbers, rng, rounds, aims)
    return inquiry._replace(outermost=outermost, settled=verdicts.verdicts(found, outermost),
                            sizes={**inquiry.sizes, "steps": steps, "climbers": climbers, "rounds": rounds,
                                   "aims": aims})


def asked_after(inquiry: Inquiry) -> list[str]:
    """Quantities for which the worth of each claim is looked at: those that a reader of a trial asks for first.

    Parameters
    ----------
    inquiry : Inquiry
        After `bound`.

    Returns
    -------
    list of str
        Names: of each endpoint, the first of each kind of comparison; of each arm, the first time of its curve of
        relapse. What can be anything already is left out: no claim can widen it.

    Examples
    --------
    >>> asked_after(begin("wassmann2003", 1))
    []
    """
    first: dict[tuple[str, str], str] = {}
    for row in inquiry.settled.itertuples():
        kind, endpoint = row.target.partition("[")[0].split(".", 1)
        anything = row.scale == "p" and row.upper - row.lower >= verdicts.OPEN
        if (kind in WEIGHED and not anything) or (kind == "survival" and endpoint.startswith("relapse.")):
            first.setdefault((kind, endpoint), row.target)
    return list(first.values())


def weigh(inquiry: Inquiry, steps: int, climbers: int, rounds: int) -> Inquiry:
    """Leave each claim out in turn, and see how much further extremes lie apart.

    Parameters
    ----------
    inquiry : Inquiry
        After `bound`.
    steps, climbers, rounds : int
        As in `bound`. One round for every claim; the others where something moved in it.

    Returns
    -------
    Inquiry
        With `worth`, from `verdicts.contributions`; where a quantity has but one value with every claim, the widening
        is infinite or 1. A search without a claim may end in a cohort that agrees with it all the same: such cohorts
        count for `outermost` and `settled`, so that a claim is never thanked for a longer search.
    """
    if inquiry.outermost is None:
        return inquiry
    found, rng = inquiry.found, np.random.default_rng(_stream(inquiry, WEIGHING))
    jobs = verdicts.drop_jobs(found, asked_after(inquiry))
    pool = joined([found.cohorts, inquiry.outermost.cohorts])
    dropped = bounds.extremes(found.ready, jobs, pool, steps, climbers, rng)
    inquiry = _with_agreeing(inquiry, dropped)
    first = _contributions(inquiry, dropped)
    moved = first[first["widening"] >= SEEN] if rounds > 1 else first[:0]
    pairs = set(zip(moved["claim"], moved["target"], strict=True))
    rows = [row for row, job in enumerate(jobs) if (job.without, job.target.name) in pairs]
    if rows:
        before = Extremes(dropped.table.loc[rows], dropped.cohorts.take(rows))
        longer = bounds.extremes(found.ready, [jobs[row] for row in rows], pool, steps, climbers, rng, rounds - 1,
                                 found=before)
        dropped.table.loc[rows, "value"] = longer.table["value"].to_numpy()
        dropped.cohorts.put(rows, longer.cohorts)
    inquiry = _with_agreeing(inquiry, dropped)
    return inquiry._replace(worth=_contributions(inquiry, dropped),
                            sizes={**inquiry.sizes, "weighing_rounds": rounds})


def _with_agreeing(inquiry: Inquiry, dropped: Extremes) -> Inquiry:
    """Extremes moved out to what searches without a claim found where the claim still holds."""
    ready, outermost = inquiry.found.ready, inquiry.outermost
    agree = ready.ruler.holds(dropped.cohorts, list(range(len(ready.ruler.claims))))
    table, cohorts = outermost.table.copy(), outermost.cohorts.take(np.arange(len(outermost.table)))
    for place, row in enumerate(table.itertuples()):
        mine = np.flatnonzero(agree & (dropped.table["target"] == row.target) & (dropped.table["sign"] == row.sign))
        if len(mine):
            best = mine[np.argmax(row.sign * dropped.table["value"].to_numpy()[mine])]
            if row.sign * dropped.table["value"][best] > row.sign * row.value:
                table.loc[place, "value"] = dropped.table["value"][best]
                cohorts.put([place], dropped.cohorts.take([best]))
    found = Extremes(table, cohorts)
    return inquiry._replace(outermost=found, settled=verdicts.moved(inquiry.settled, inquiry.found, found))


def _contributions(inquiry: Inquiry, dropped: Extremes) -> pd.DataFrame:
    worth = verdicts.contributions(inquiry.found, inquiry.settled, dropped)
    opened = worth["widening"].isna()  # one value with every claim: without this one still so, or not
    worth.loc[opened, "widening"] = np.where(worth["upper"] > worth["lower"], np.inf, 1.0)[opened]
    return worth


def switch(inquiry: Inquiry, readings: list[str], starts: int, steps: int, climbers: int, rounds: int) -> Inquiry:
    """Ask for the same comparisons under other readings of the abstract.

    Parameters
    ----------
    inquiry : Inquiry
        After `bound`.
    readings : list of str
        Names in the abstract; others are passed over. The claims as they stand come first.
    starts : int
        Cohorts searched for under each reading.
    steps, climbers, rounds : int
        As in `bound`.

    Returns
    -------
    Inquiry
        With `switched`: extremes of hazard ratios and two-sided log-rank p-values of every endpoint, by reading.
    """
    if inquiry.found is None:
        return inquiry
    wanted = _comparisons(inquiry.found.ready)
    parts = [_reading(inquiry, reading, wanted, starts, (steps, climbers, rounds))
             for reading in ["", *(one for one in readings if one in inquiry.abstract.readings)]]
    return inquiry._replace(switched=pd.concat(parts, ignore_index=True), sizes={**inquiry.sizes, "starts": starts})


def _reading(inquiry: Inquiry, reading: str, wanted: list[Target], starts: int,
             sizes: tuple[int, int, int]) -> pd.DataFrame:
    """Extremes under one reading; rows without numbers, and a note, where the search finds no cohort."""
    number = list(inquiry.abstract.readings).index(reading) + 1 if reading else 0
    rng = np.random.default_rng(np.random.SeedSequence([inquiry.seed, SWITCHING, number]))
    if reading:
        ready = setting(read(inquiry.cohort, reading))
        pool = _agreeing(ready, joined([inquiry.found.cohorts, inquiry.outermost.cohorts]), starts, rng)
    else:
        ready, pool = inquiry.found.ready, inquiry.found.cohorts
    frame = pd.DataFrame([(reading or "as read here", *target[:2], target.scale) for target in wanted],
                         columns=["reading", "target", "words", "scale"])
    if len(pool.time) < sizes[1]:  # too few to climb from
        return frame.assign(lower=np.nan, upper=np.nan, note="the search found no cohort")
    # One extreme, one number: what is settled stands.
    ends = {(row.target, sign): end for row in inquiry.settled.itertuples()
            for sign, end in ((-1, row.lower), (1, row.upper))} if not reading else {}
    jobs = [Job(target, sign) for target in wanted for sign in (-1, 1) if (target.name, sign) not in ends]
    if jobs:
        found = bounds.extremes(ready, jobs, pool, *sizes[:2], rng, sizes[2]).table
        ends |= dict(zip(zip(found["target"], found["sign"], strict=True), found["value"], strict=True))
    return frame.assign(lower=[ends[target, -1] for target in frame["target"]],
                        upper=[ends[target, 1] for target in frame["target"]], note="")


def _agreeing(ready: Setting, known: Cohorts, starts: int, rng: np.random.Generator) -> Cohorts:
    """Cohorts that agree with every claim, made from those that agree with others; none when the search finds none.

    Those that agree as they are come first.
    """
    places = tuple(range(len(ready.ruler.claims)))
    some = known.take(rng.integers(0, len(known.time), TRIED * starts))
    return joined([known.take(ready.ruler.holds(known, list(places))),
                   search.mend(ready.given, places, some, rng, starts)[0]])


def _comparisons(ready: Setting) -> list[Target]:
    """Hazard ratio and two-sided p of every endpoint, printed or not; survival from the start under all readings."""
    if not ready.abstract.contrast:
        return []
    endpoints = ["relapse", *(["relapse_or_death"] if ready.abstract.competing else []),
                 *(["survival"] if ready.layout.survival else [])]
    return [Target(f"{kind}.{endpoint}", f"{words} of {unprinted.ENDPOINT_WORDS[endpoint]}", ready.abstract.contrast,
                   scale, Quantity(kind, endpoint))
            for endpoint in endpoints for kind, words, scale in (("hazard_ratio", "hazard ratio", "hazard ratio"),
                                                                 ("p", "log-rank p", "p"))]


def _stream(inquiry: Inquiry, step: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([inquiry.seed, step])
