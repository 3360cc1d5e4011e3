"""Small changes of cohorts, each of them as likely as its reverse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from remission import batch
from remission.ensemble.abstract import Abstract, Claim, Quantity
from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts, Layout, endpoint

#: Moves: the field of `Cohorts` that each changes first of all, and how often it is made where it applies.
MOVES = {
    "jitter": ("time", 6), "pair": ("time", 2), "neighbours": ("time", 6), "leap": ("time", 3), "swap": ("time", 3),
    "slide": ("time", 3), "lag": ("time", 3), "exchange": ("time", 6), "code": ("code", 3), "ending": ("code", 3),
    "front": ("front", 2), "after": ("after", 3), "dead": ("dead", 1), "share": ("share", 2), "label": ("label", 2),
}
#: Patients moved together by a jitter.
TOGETHER = (1, 1, 2, 4)
#: Widths of a jitter, as powers of ten of the horizon.
NARROW, WIDE = -3.5, -0.5


class Move(NamedTuple):
    """A proposal: `columns` (B, k) are the patients of one arm, `fields` what changes, with new values (B, k)."""

    columns: np.ndarray
    fields: dict[str, np.ndarray]

    def applied(self, cohorts: Cohorts, rows: np.ndarray) -> Cohorts:
        """Some of the cohorts, changed."""
        changed = cohorts.take(rows)
        for name, values in self.fields.items():
            getattr(changed, name)[np.arange(len(rows))[:, None], self.columns[rows]] = values[rows]
        return changed

    def possible(self, horizon: int) -> np.ndarray:
        """Which cohorts are asked for times that can be: not negative and below the horizon."""
        good = np.ones(len(self.columns), bool)
        for name in ("time", "front", "after"):
            if name in self.fields:
                good &= ((self.fields[name] >= 0) & (self.fields[name] < horizon)).all(axis=1)
        return good

    def write(self, cohorts: Cohorts, rows: np.ndarray, where: np.ndarray | None = None) -> None:
        """Change some of the cohorts, in place; `where` is the place of each if it is not that in the proposal."""
        where = rows if where is None else where
        for name, values in self.fields.items():
            getattr(cohorts, name)[where[:, None], self.columns[rows]] = values[rows]


class Choice(NamedTuple):
    """Moves that make sense for a report, with their arms and their shares."""

    kinds: tuple[tuple[str, str], ...]
    shares: np.ndarray


def choice(abstract: Abstract, layout: Layout, free_codes: bool = False) -> Choice:
    """Moves for a report.

    Parameters
    ----------
    abstract : Abstract
    layout : Layout
    free_codes : bool
        Let outcomes change even where all their numbers are printed, because some claims are set aside.

    Returns
    -------
    Choice

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> from remission.ensemble.cohorts import layout
    >>> report = read("freireich1963")
    >>> sorted({kind for kind, _ in choice(report, layout(report)).kinds})
    ['jitter', 'leap', 'neighbours', 'pair', 'swap']
    """
    kinds = []
    for arm in layout.arms:
        here = ["jitter", "pair", "neighbours", "leap", "swap"]
        # With all three numbers printed no outcome can change alone.
        printed = [abstract.count(arm, kind) for kind in ("relapses", "deaths_in_remission", "ongoing")]
        here += ["code" if abstract.competing else "ending"] * (free_codes or None in printed)
        here += ["front", "slide"] * layout.diagnosis + ["after", "dead", "lag", "exchange"] * layout.survival
        here += ["share"] * layout.treatment
        here += ["label"] * (layout.groups == layout.arms[arm])
        kinds += [(kind, arm) for kind in here]
    sizes = {arm: part.stop - part.start for arm, part in layout.arms.items()}
    shares = np.array([MOVES[kind][1] * sizes[arm] for kind, arm in kinds], float)
    return Choice(tuple(kinds), shares / shares.sum())


def best_of_each(rows: np.ndarray, worth: np.ndarray, able: np.ndarray) -> np.ndarray:
    """Of several proposals to each cohort, the best that may be made.

    Parameters
    ----------
    rows : array (B,) of int
        To which cohort each is made, in order.
    worth : array (B,)
    able : array (B,) of bool

    Returns
    -------
    array of int
        Places among the proposals; none for a cohort to which no move may be made.

    Examples
    --------
    >>> best_of_each(np.array([0, 0, 2, 2, 3]), np.array([1, 2, 5, 4, 3]), np.array([1, 1, 0, 1, 0], bool)).tolist()
    [1, 3]
    """
    good = np.flatnonzero(able)
    good = good[np.lexsort((-worth[good], rows[good]))]
    return good[np.diff(rows[good], prepend=-1) > 0]


def propose(kind: str, part: slice, cohorts: Cohorts, horizon: int, rng: np.random.Generator) -> Move:
    """Draw a move of one kind in one arm, for every cohort.

    Parameters
    ----------
    kind : str
        A key of `MOVES`.
    part : slice
        The arm's patients.
    cohorts : Cohorts
    horizon : int
        Grains.
    rng : Generator

    Returns
    -------
    Move

    Examples
    --------
    >>> one = Cohorts(*(np.array([[value]]) for value in (10, 1, 5, 7, True, 0.5, 0)))
    >>> propose("dead", slice(0, 1), one, 100, np.random.default_rng(1)).fields["dead"].tolist()
    [[False]]
    """
    count, patients = len(cohorts.time), part.stop - part.start
    several = {"pair": 2, "swap": 2, "exchange": 2, "jitter": int(rng.choice(TOGETHER))}.get(kind, 1)
    columns = part.start + _distinct(count, patients, min(several, patients), rng)
    rows = np.arange(count)[:, None]
    if kind == "neighbours":
        return _neighbours(cohorts.time[:, part], part.start, horizon, rng)
    if kind == "exchange":
        return _exchange(columns, cohorts)
    if kind in ("slide", "lag"):  # what was printed of survival stays as it is
        away, other = _jitter(columns.shape, horizon, rng), {"slide": "front", "lag": "after"}[kind]
        return Move(columns, {"time": cohorts.time[rows, columns] + away,
                              other: getattr(cohorts, other)[rows, columns] - away})
    if kind in ("jitter", "pair"):
        away = _jitter(columns.shape, horizon, rng)
        if kind == "pair" and columns.shape[1] == 2:
            away[:, 1] = -away[:, 0]  # a midpoint stays where it is
        return Move(columns, {"time": cohorts.time[rows, columns] + away})
    if kind == "leap":
        return Move(columns, {"time": rng.integers(0, horizon, columns.shape, dtype=np.int32)})
    if kind == "swap":
        return Move(columns, {"time": cohorts.time[rows, columns[:, ::-1]]})
    if kind == "code":
        turn = rng.integers(1, 3, columns.shape, dtype=np.int8)
        return Move(columns, {"code": (cohorts.code[rows, columns] + turn) % 3})
    if kind == "ending":
        return Move(columns, {"code": 1 - cohorts.code[rows, columns]})
    if kind in ("front", "after"):
        leaps = rng.random(columns.shape) < 0.3
        near = getattr(cohorts, kind)[rows, columns] + _jitter(columns.shape, horizon, rng)
        far = rng.integers(0, horizon, columns.shape, dtype=np.int32)
        return Move(columns, {kind: np.where(leaps, far, near).astype(np.int32)})
    if kind == "dead":
        return Move(columns, {"dead": ~cohorts.dead[rows, columns].astype(bool)})
    if kind == "share":
        through = rng.random(columns.shape) < 0.5
        return Move(columns, {"share": np.where(through, 1.0, rng.random(columns.shape))})
    if rng.random() < 0.5 and patients > 1:
        columns = part.start + _distinct(count, patients, 2, rng)
        return Move(columns, {"label": cohorts.label[rows, columns[:, ::-1]]})
    return Move(columns, {"label": (1 - cohorts.label[rows, columns]).astype(np.int8)})


def _neighbours(time: np.ndarray, first: int, horizon: int, rng: np.random.Generator) -> Move:
    """Two patients next to each other in time, moved apart or together; a step that ends elsewhere stays at home.

    A median between two patients is moved by nothing else than both, and they are hardly ever drawn by chance.
    """
    count, patients = time.shape
    order = np.argsort(time, axis=1, kind="stable")
    rows, place = np.arange(count), rng.integers(0, max(patients - 1, 1), count)
    columns = np.stack([order[rows, place], order[rows, np.minimum(place + 1, patients - 1)]], axis=1)
    now = time[rows[:, None], columns]
    new = now + _jitter((count, 1), horizon, rng) * np.array([-1, 1])
    before = np.where(place > 0, time[rows, order[rows, place - 1]], -1)
    after = np.where(place < patients - 2, time[rows, order[rows, np.minimum(place + 2, patients - 1)]], horizon)
    # Strictly between the others, so that the same two are neighbours on the way back.
    good = (before < np.minimum(now[:, 0], new[:, 0])) & (new[:, 0] < new[:, 1]) & (
        np.maximum(now[:, 1], new[:, 1]) < after) & (now[:, 0] < now[:, 1])
    return Move(columns + first, {"time": np.where(good[:, None], new, now).astype(np.int32)})


def _exchange(columns: np.ndarray, cohorts: Cohorts) -> Move:
    """Two patients trade the length of their lives: by their survival after relapse, or else by their remission.

    Survival curves stay as they are, while a death in remission may move from one end of remissions to the other.
    """
    rows = np.arange(len(columns))[:, None]
    time, front, after = (part[rows, columns] for part in (cohorts.time, cohorts.front, cohorts.after))
    relapsed = cohorts.code[rows, columns] == RELAPSE
    lived = (front + time + after * relapsed)[:, ::-1]
    return Move(columns, {"time": np.where(relapsed, time, lived - front).astype(np.int32),
                          "after": np.where(relapsed, lived - front - time, after).astype(np.int32)})


def _distinct(count: int, patients: int, several: int, rng: np.random.Generator) -> np.ndarray:
    """Different patients in every cohort: (count, several)."""
    if several == 1:
        return rng.integers(0, patients, (count, 1))
    return np.argpartition(rng.random((count, patients)), several - 1, axis=1)[:, :several]


def _jitter(shape: tuple[int, int], horizon: int, rng: np.random.Generator) -> np.ndarray:
    wide = np.maximum(1, horizon * 10 ** rng.uniform(NARROW, WIDE, (shape[0], 1)))
    return np.rint(wide * rng.uniform(-1, 1, shape)).astype(np.int32)


def guided(claim: Claim, layout: Layout, cohorts: Cohorts, rng: np.random.Generator) -> Move:
    """Go where a printed time says that some patient is; for a search, not for a chain.

    Parameters
    ----------
    claim : Claim
        Of a printed time.
    layout : Layout
    cohorts : Cohorts
    rng : Generator

    Returns
    -------
    Move
        One patient of every cohort put there, or for a median a whole arm stretched.
    """
    quantity, count = claim.quantity, len(cohorts.time)
    part = layout.arms.get(quantity.arm, slice(0, len(layout.arm)))
    aim = np.floor(rng.uniform(claim.lower, max(claim.upper, claim.lower + 0.5), (count, 1)) + 0.5).astype(np.int32)
    if quantity.kind == "median" and not quantity.group and rng.random() < 0.5:
        return _stretched(quantity, part, cohorts, aim)
    if quantity.kind == "median" and quantity.endpoint in ("relapse", "relapse_or_death") and rng.random() < 0.5:
        return _mirrored(part, cohorts, aim, rng)
    columns = rng.integers(part.start, part.stop, (count, 1))
    if quantity.group:  # one of its members, if chance finds one
        member = cohorts.label[:, part] == (quantity.group == "other")
        columns = part.start + (rng.random(member.shape) * member).argmax(axis=1)[:, None]
    rows = np.arange(count)[:, None]
    time = cohorts.time[rows, columns]
    if quantity.endpoint == "treatment":
        return Move(columns, {"share": np.clip((aim + 0.5) / np.maximum(time, 1), 0, 1)})
    if quantity.endpoint in ("relapse", "relapse_or_death"):
        return Move(columns, {"time": aim})
    relapsed = cohorts.code[rows, columns] == RELAPSE
    front = cohorts.front[rows, columns] * (quantity.endpoint == "survival_from_diagnosis")
    if rng.random() < 0.5 and quantity.endpoint == "survival_from_diagnosis":
        return Move(columns, {"front": np.maximum(aim - time - cohorts.after[rows, columns] * relapsed, 0)})
    return Move(columns, {"after": np.maximum(aim - time - front, 0)})


def _stretched(quantity: Quantity, part: slice, cohorts: Cohorts, aim: np.ndarray) -> Move:
    """A whole arm moved so that its median comes to lie at `aim`."""
    time, event = endpoint(cohorts, quantity.endpoint, part)
    median = batch.quantile(time, event)[:, None]
    median = np.where(np.isfinite(median), median, time.max(axis=1, keepdims=True))
    columns = np.broadcast_to(np.arange(part.start, part.stop), time.shape)
    if quantity.endpoint == "treatment":
        share = cohorts.share[:, part]
        return Move(columns, {"share": np.where(share < 1, np.minimum(share * aim / np.maximum(median, 1), 1), share)})
    if quantity.endpoint not in ("relapse", "relapse_or_death"):
        away = (aim - np.floor(median)).astype(np.int32)
        field = "front" if quantity.endpoint == "survival_from_diagnosis" else "after"
        return Move(columns, {field: np.maximum(getattr(cohorts, field)[:, part] + away, 0)})
    last = time.max(axis=1, keepdims=True)
    early, late = time * aim / np.maximum(median, 1), last - (last - time) * (last - aim) / np.maximum(last - median, 1)
    moved = np.where(time <= median, early, late)
    return Move(columns, {"time": np.where(event, np.floor(moved + 0.5), time).astype(np.int32)})


def _mirrored(part: slice, cohorts: Cohorts, aim: np.ndarray, rng: np.random.Generator) -> Move:
    """One patient put as far behind `aim` as another is before it: a curve flat at one half has its median between."""
    columns = part.start + _distinct(len(aim), part.stop - part.start, 2, rng)
    first = cohorts.time[np.arange(len(aim)), columns[:, 0]][:, None]
    return Move(columns[:, 1:], {"time": np.maximum(2 * aim - first, 0)})


def outcomes(abstract: Abstract, size: int, rng: np.random.Generator) -> np.ndarray:
    """Codes for a first cohort: as printed, in random order; where nothing is printed, at random.

    Parameters
    ----------
    abstract : Abstract
    size : int
    rng : Generator

    Returns
    -------
    array (size, n) of int8
    """
    parts = []
    for arm in abstract.order:
        said = [abstract.count(arm.key, kind) for kind in ("ongoing", "relapses", "deaths_in_remission")]
        known = np.repeat([ONGOING, RELAPSE, DEATH], [count or 0 for count in said])[:arm.patients]
        open_ = [code for code, count in zip((ONGOING, RELAPSE, DEATH), said, strict=True) if count is None]
        rest = rng.choice(open_ or [RELAPSE], (size, arm.patients - len(known)))
        codes = np.concatenate([np.broadcast_to(known, (size, len(known))), rest], axis=1)
        parts.append(rng.permuted(codes, axis=1))
    return np.concatenate(parts, axis=1).astype(np.int8)
