"""How many patients carry a p-value, and which: outcomes changed until it crosses the threshold."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import erfc, ndtri

from remission import batch, results
from remission.estimators import comparisons, wording
from remission.study import Study
from remission.survival.endpoints import endpoint
from remission.survival.exact import arrays, steady, title

THRESHOLD = 0.05
#: The log-rank statistic, signed, at which p is the threshold.
EDGE = -float(ndtri(THRESHOLD / 2))
#: What it means to change the outcome of a patient.
RULES = {
    "flip": "an event becomes a censoring on the same day, or a censoring an event on that day",
    "ongoing": "an event becomes an event-free course up to the longest follow-up of that arm",
}
#: The same in a column of a table.
SHORT = {"flip": "event and censoring trade places", "ongoing": "event-free to the longest follow-up"}
#: Above this many patients no outcome is changed: the work grows with the square of it.
MOST_PATIENTS = 2000
#: Patients times trial cohorts at most: of the exhaustive search, and again of what follows it.
CELLS = 20_000_000
#: Patients times trial cohorts held at once.
STEP = 2_000_000
#: Named in a sentence, at most.
NAMED = 12
LINES = ["endpoint", "rule", "towards", "now", "patients", "at_least", "sets", "then", "example", "note"]
MEMBERS = ["endpoint", "rule", "towards", "patient", "arm", "time", "change", "sets", "then"]
SINGLE = ["endpoint", "rule", "patient", "arm", "time", "change", "z", "then"]
PATH = ["endpoint", "rule", "towards", "changed", "z", "then", "exhaustive"]


class Fragility(NamedTuple):
    """What `search` finds, four tables.

    `lines`: a row a rule and direction. `members`: the patients of the smallest sets. `single`: the test after each
    single change. `path`: the furthest that the test can be moved by each number of changes.
    """

    lines: pd.DataFrame
    members: pd.DataFrame
    single: pd.DataFrame
    path: pd.DataFrame


class _Trial(NamedTuple):
    """One endpoint with, for every patient, the other outcome that a rule would give."""

    data: pd.DataFrame
    time: np.ndarray
    event: np.ndarray
    arm: np.ndarray
    new_time: np.ndarray
    new_event: np.ndarray
    candidates: np.ndarray


class _Found(NamedTuple):
    """The smallest sets for one direction, with their statistics.

    `proven`: patients that are needed at least. `all`: every set of that size was tried, and these are all that do.
    """

    sets: np.ndarray
    z: np.ndarray
    proven: int
    all: bool


def search(adtte: pd.DataFrame, study: Study, paramcd: str, subsets: int = 200_000) -> Fragility:
    """Smallest number of patients whose outcome must change for the two-sided log-rank p to cross 0.05, and whose.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str
        Endpoint code, such as `TTRLP`.
    subsets : int
        Sets of patients tried at most in an exhaustive search: all single patients first, then all pairs, and so on
        through the last size that fits. Beyond that the best sets of each size are extended by one patient at a time.

    Returns
    -------
    Fragility
        For each of `RULES`. `towards` is `lost` (to p >= 0.05) or the arm in whose favour p falls below 0.05.
        `patients` is the smallest number found, `at_least` the number that is proven to be needed; `sets` counts the
        sets of that size that suffice, where all were tried. `now` and `then` are p before and after, and `example` is
        the set that moves p furthest.

    Notes
    -----
    The idea is that of the fragility index; a table of two by two is here replaced by the times themselves.

    Source
    ------
    Walsh and others, J Clin Epidemiol 2014;67:622 (index of a two by two table).

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"USUBJID": list("abcdefgh"), "TRT01A": list("AAAABBBB"), "PARAMCD": "TTRLP", "CNSR": 0,
    ...                      "AVAL": [6, 7, 8, 9, 1, 2, 3, 5], "ENTRYDY": 0})
    >>> found = search(rows, two, "TTRLP").lines.set_index(["rule", "towards"])
    >>> int(found.loc[("flip", "lost"), "patients"])
    2
    """
    data = endpoint(adtte, paramcd)
    empty = Fragility(*(pd.DataFrame(columns=names) for names in (LINES, MEMBERS, SINGLE, PATH)))
    if not study.contrast or data["arm"].nunique() != 2:
        return empty
    now = comparisons.logrank(data, study.reference)
    too_many = len(data) > MOST_PATIENTS
    if math.isnan(now.p) or too_many:
        why = now.note or f"more than {MOST_PATIENTS:,} patients: not searched"
        return empty._replace(lines=pd.DataFrame([{"endpoint": paramcd, "rule": rule, "now": now.p, "note": why}
                                                  for rule in RULES], columns=LINES))
    parts = [_search(_trial(data, study.reference, rule), study, paramcd, rule, subsets) for rule in RULES]
    return Fragility(*(pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True)))


def _trial(data: pd.DataFrame, reference: str, rule: str) -> _Trial:
    time, event, arm = arrays(data, reference)
    if rule == "flip":
        return _Trial(data, time, event, arm, time, ~event, np.arange(len(time)))
    longest = np.where(arm, time[arm].max(), time[~arm].max())
    return _Trial(data, time, event, arm, longest, np.zeros_like(event), np.flatnonzero(event))


def _z(trial: _Trial, sets: np.ndarray) -> np.ndarray:
    """Signed log-rank statistic with the outcomes of each set of patients changed; below 0 favours the other arm."""
    step = max(1, STEP // len(trial.time))
    if len(sets) > step:
        return np.concatenate([_z(trial, sets[start:start + step]) for start in range(0, len(sets), step)])
    changed = np.zeros((len(sets), len(trial.time)), bool)
    np.put_along_axis(changed, sets, True, axis=1)
    found = batch.logrank(np.where(changed, trial.new_time, trial.time),
                          np.where(changed, trial.new_event, trial.event), trial.arm)
    return np.sign(found.score) * np.sqrt(found.chi2)


def _p(z):
    """Two-sided p of a standard normal deviate."""
    return erfc(np.abs(z) / math.sqrt(2))


def _search(trial: _Trial, study: Study, paramcd: str, rule: str, subsets: int) -> Fragility:
    other = study.contrast.removesuffix(f" vs {study.reference}")
    start = float(_z(trial, np.empty((1, 0), int))[0])
    targets = _targets(start, other, study.reference)
    found, path, last = _exhaustive(trial, targets, start, subsets)
    for towards in [name for name in targets if name not in found]:
        found[towards], further = _extend(trial, last, targets[towards])
        path += further
    keys = {"endpoint": paramcd, "rule": rule}
    lines = [{**keys, "towards": towards, "now": float(_p(start)), **_line(trial, found[towards])}
             for towards in targets]
    members = [{**keys, "towards": towards, **one} for towards in targets for one in _members(trial, found[towards])]
    alone = _z(trial, trial.candidates[:, None])
    single = [{**keys, **_patient(trial, place), "z": z, "then": p}
              for place, z, p in zip(trial.candidates, alone, _p(alone), strict=True)]
    arms = {-1: other, 1: study.reference}
    way = [step for sign, arm in arms.items() for step in _way(path, sign, {**keys, "towards": arm})]
    return Fragility(pd.DataFrame(lines, columns=LINES), pd.DataFrame(members, columns=MEMBERS),
                     pd.DataFrame(single, columns=SINGLE), pd.DataFrame(way, columns=PATH))


def _way(path: list[tuple], sign: int, keys: dict) -> list[dict]:
    """The furthest statistic in one direction after at most so many changes."""
    best: dict[int, tuple] = {}
    for towards, changed, z, exhaustive in path:
        if towards == sign and changed not in best:  # two targets may lie in one direction; the way there is the same
            best[changed] = (z, exhaustive)
    made, furthest = [], -math.inf
    for changed, (z, exhaustive) in sorted(best.items()):
        furthest = max(furthest, sign * z)  # nothing changed comes first, so this is finite
        made.append({**keys, "changed": changed, "z": sign * furthest, "then": float(_p(furthest)),
                     "exhaustive": exhaustive})
    return made


def _targets(start: float, other: str, reference: str) -> dict:
    """Where p may be moved, by name: the sign of the way there, and whether a statistic has arrived."""
    favours = {other: (-1, lambda z: z < -EDGE), reference: (1, lambda z: z > EDGE)}
    if abs(start) <= EDGE:
        return favours
    against = reference if start < 0 else other
    return {"lost": (-int(np.sign(start)), lambda z: np.abs(z) <= EDGE), against: favours[against]}


def _exhaustive(trial: _Trial, targets: dict, start: float, subsets: int) -> tuple[dict, list[tuple], tuple]:
    """Try all sets of one patient, of two, and so on: smallest sets by target, the way, and the last size's sets."""
    found, last = {}, (np.empty((1, 0), int), np.array([start]))
    path = [(sign, 0, start, True) for sign in (-1, 1)]  # direction, patients changed, statistic, all sets tried
    tried, many = 0, len(trial.candidates)
    for size in range(1, many + 1):
        tried += math.comb(many, size)
        if tried > subsets or tried * len(trial.time) > CELLS or len(found) == len(targets):
            break
        sets = trial.candidates[np.array(list(combinations(range(many), size)))]
        z = _z(trial, sets)
        last = (sets, z)
        path += [(sign, size, _far(z, sign), True) for sign in (-1, 1)]
        for towards, (_, arrived) in targets.items():
            if towards not in found and arrived(z).any():
                found[towards] = _Found(sets[arrived(z)], z[arrived(z)], size, True)
    return found, path, last


def _far(z: np.ndarray, sign: int) -> float:
    """The furthest statistic in one direction; where no set leaves a test, as far from it as can be.

    Examples
    --------
    >>> _far(np.array([-2.0, math.nan, 1.0]), -1), _far(np.array([math.nan]), 1)
    (-2.0, -inf)
    """
    known = z[~np.isnan(z)]
    return float(sign * (sign * known).max()) if len(known) else -sign * math.inf


def _extend(trial: _Trial, last: tuple, target: tuple) -> tuple[_Found, list[tuple]]:
    """Go on from the best sets of the last size that was tried whole, one patient more at each step."""
    sign, arrived = target
    sets, z = last
    proven, path, cells = sets.shape[1] + 1, [], 0
    width = max(1, 3000 // len(trial.time))
    while sets.shape[1] < len(trial.candidates) and cells < CELLS:
        sets = _grown(sets[np.argsort(np.round(-sign * z, 9), kind="stable")[:width]], trial.candidates)
        z = _z(trial, sets)
        cells += len(sets) * len(trial.time)
        path.append((sign, sets.shape[1], _far(z, sign), False))
        if arrived(z).any():
            return _Found(sets[arrived(z)], z[arrived(z)], proven, False), path
    return _Found(sets[:0], z[:0], proven, False), path


def _grown(sets: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Every set with every candidate that is not in it, each only once."""
    wide = np.column_stack([np.repeat(sets, len(candidates), axis=0), np.tile(candidates, len(sets))])
    fresh = (wide[:, :-1] != wide[:, -1:]).all(axis=1)
    return np.unique(np.sort(wide[fresh], axis=1), axis=0)


def _patient(trial: _Trial, place: int) -> dict:
    one = trial.data.iloc[place]
    return {"patient": one["patient"], "arm": one["arm"], "time": int(one["time"]),
            "change": "event to censored" if one["event"] else "censored to event"}


def _line(trial: _Trial, found: _Found) -> dict:
    if not len(found.sets):
        if found.proven > len(trial.candidates):
            return {"note": "no set of changes gets there"}
        return {"note": f"not reached with up to {found.sets.shape[1]} patients", "at_least": found.proven}
    best = _furthest(found)
    names = list(trial.data["patient"].iloc[found.sets[best]])
    return {"patients": found.sets.shape[1], "at_least": found.proven, "then": float(_p(found.z[best])), "note": "",
            "sets": len(found.sets) if found.all else math.nan, "example": ", ".join(map(str, names))}


def _furthest(found: _Found) -> int:
    """The set that moves p furthest beyond the threshold; the first of several."""
    far = np.round(np.abs(found.z), 9)
    return int(np.argmin(far) if far.min() <= EDGE else np.argmax(far))


def _members(trial: _Trial, found: _Found) -> list[dict]:
    """The patients of all smallest sets, those in most of them first; of one set where not all are known."""
    if not len(found.sets):
        return []
    sets = found.sets if found.all else found.sets[[_furthest(found)]]
    places, counts = np.unique(sets, return_counts=True)
    alone = dict(zip(sets[:, 0], _p(found.z), strict=True)) if sets.shape[1] == 1 else {}
    order = np.argsort(-counts, kind="stable")
    return [{**_patient(trial, int(place)), "sets": int(count) if found.all else math.nan,
             "then": float(alone.get(place, math.nan))}
            for place, count in zip(places[order], counts[order], strict=True)]


def rows(found: Fragility, study: Study) -> pd.DataFrame:
    """Results of one search.

    Parameters
    ----------
    found : Fragility
        From `search`.
    study : Study

    Returns
    -------
    DataFrame
        Results `fragility.<endpoint>.all.<contrast>.patients` (either way, the rule `flip`), `patients[for <arm>]` and
        `patients[lost]`; the same as `ongoing[…]` under the other rule. `value` is the smallest number found, `lower`
        the number proven to be needed, `upper` the number found.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = Fragility(*[pd.DataFrame()] * 4)
    >>> rows(none, Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    made = []
    for (paramcd, rule), lines in found.lines.groupby(["endpoint", "rule"], sort=False) if len(found.lines) else ():
        stem = {"flip": "patients", "ongoing": "ongoing"}[rule]
        ways = lines if lines["towards"].isna().all() else pd.concat([_either(lines), lines])
        for one in ways.itertuples():
            name = stem if not isinstance(one.towards, str) or one.towards == "either" else (
                f"{stem}[{'lost' if one.towards == 'lost' else f'for {one.towards}'}]")
            made.append(results.row(
                "fragility", paramcd, "all", study.contrast, name, one.patients, lower=one.at_least, upper=one.patients,
                unit="n", method=f"smallest number of patients for the two-sided log-rank p to cross {THRESHOLD}, when "
                f"{RULES[rule]}; limits: number proven to be needed, number found to suffice", display=_size(one)))
    return results.frame(made)


def _either(lines: pd.DataFrame) -> pd.DataFrame:
    """The nearer of two directions; from significance, its loss."""
    if (lines["towards"] == "lost").any():
        return lines[lines["towards"] == "lost"].assign(towards="either")
    nearest = lines.sort_values("patients", kind="stable").head(1)
    least = np.fmin.reduce(lines["at_least"].to_numpy(float))
    return nearest.assign(towards="either", at_least=least)


def _size(one) -> str:
    """How many patients, and whether that is proven.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> _size(SimpleNamespace(patients=2, at_least=2, sets=5, note="")), _size(
    ...     SimpleNamespace(patients=9, at_least=6, sets=math.nan, note=""))
    ('2 patients (5 such sets)', '9 patients found to suffice, at least 6 needed')
    """
    if one.note or one.patients != one.patients:
        return one.note or "not reached"
    number = f"{one.patients:.0f} patient{'' if one.patients == 1 else 's'}"
    if one.sets == one.sets:
        return f"{number} ({one.sets:,.0f} such {'set' if one.sets == 1 else 'sets'})"
    return number if one.patients == one.at_least else f"{number} found to suffice, at least {one.at_least:.0f} needed"


def table(found: Fragility, study: Study) -> pd.DataFrame:
    """The searches laid out for reading: a line a rule and direction.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(Fragility(*[pd.DataFrame()] * 4), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    return pd.DataFrame([{
        "rule": RULES[one.rule], "p now": wording.p_value(one.now, one.note), "so that": _aim(one.towards),
        "changed outcomes": _size(one), "p then": "" if one.then != one.then else wording.p_value(one.then),
        "the set that moves p furthest": one.example if isinstance(one.example, str) else ""}
        for one in found.lines.itertuples()])


def _aim(towards) -> str:
    if not isinstance(towards, str):
        return ""
    return f"p >= {THRESHOLD}" if towards == "lost" else f"p < {THRESHOLD}, in favour of {towards}"


def members(found: Fragility, study: Study, most: int = 12) -> pd.DataFrame:
    """The patients whose outcomes matter most, laid out for reading.

    Parameters
    ----------
    found : Fragility
        From `search`.
    study : Study
    most : int
        Patients shown at most for each rule and direction.

    Returns
    -------
    DataFrame
        A line a patient of any smallest set: who, when, what would change, in how many of the sets, and p where that
        one change suffices. Directions whose sets could not all be tried are left to `table`, which shows one set.

    Examples
    --------
    >>> from remission.study import Arm
    >>> members(Fragility(*[pd.DataFrame()] * 4), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    counted = found.members[found.members["sets"].notna()] if len(found.members) else found.members
    if counted.empty:
        return pd.DataFrame()
    top = counted.groupby(["rule", "towards"], sort=False).head(most)
    return pd.DataFrame([{
        "rule": SHORT[one.rule], "so that": _aim(one.towards), "patient": one.patient, "arm": one.arm,
        "time": wording.duration(one.time, study.report_unit), "change": one.change,
        "in sets": int(one.sets),
        "p, alone": f"{one.then:.4f}" if one.then == one.then else ""} for one in top.itertuples()])


def reading(found: Fragility, study: Study) -> str:
    """Read a search aloud: how many, and who.

    Parameters
    ----------
    found : Fragility
        From `search`.
    study : Study

    Returns
    -------
    str
        Markdown; one line where there is no comparison of two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> reading(Fragility(*[pd.DataFrame()] * 4), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*No two arms to compare: no p-value to move.*'
    """
    if found.lines.empty:
        return "*No two arms to compare: no p-value to move.*"
    paramcd = found.lines["endpoint"].iloc[0]
    label = title(study, paramcd)
    if found.lines["towards"].isna().all():
        return f"**{label}.** No search: {found.lines['note'].iloc[0]}."
    said = [f"**{label}.** The log-rank test gives {wording.p_value(found.lines['now'].iloc[0])}."]
    said += [f"If {RULES[rule]}: " + "; ".join(_read(one, found, study) for one in lines.itertuples()) + "."
             for rule, lines in found.lines.groupby("rule", sort=False)]
    return " ".join(said)


def _read(one, found: Fragility, study: Study) -> str:
    aim = _aim(one.towards)
    if one.patients != one.patients:
        return f"for {aim}, {one.note}"
    if one.patients > 1:
        return f"for {aim}, {_size(one)}, such as {_some(one.example.split(', '))} ({wording.p_value(one.then)})"
    who = found.members[(found.members["rule"] == one.rule) & (found.members["towards"] == one.towards)]
    who = who.sort_values("then", ascending=one.towards != "lost", kind="stable", key=steady)
    names = "; ".join(f"{_some(list(mine['patient']))} ({arm})" for arm, mine in who.groupby("arm", sort=False))
    return (f"for {aim}, one patient is enough, {f'any of {len(who)}: ' if len(who) > 1 else ''}{names}, "
            f"{'up' if one.towards == 'lost' else 'down'} to {wording.p_value(one.then)}")


def _some(names: list) -> str:
    """Names in a row, not too many.

    Examples
    --------
    >>> _some(list("ab")), _some(list("abcdefghijklmn"))
    ('a, b', 'a, b, c, d, e, f, g, h, i, j, k, l and 2 more')
    """
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
