"""What cohorts give for every quantity that a report can print, or leave unprinted."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from remission import batch
from remission.ensemble.abstract import COUNTS, TIMES, Abstract, Claim, Quantity
from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts, Layout, endpoint
from remission.estimators.level import Z

CODES = dict(zip(COUNTS, (RELAPSE, DEATH, ONGOING), strict=True))
#: Quantities of one Cox model, and all of a contrast: between the groups of an arm if one is named, else between arms.
RATIOS = ("hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "power")
GROUP_CONTRASTS = ("p", *RATIOS, "rmst_difference")
#: What a quantity costs, in steps of a ladder: numbers of patients, outermost times, curves, tests.
COST = {**dict.fromkeys(COUNTS, 0), "shortest": 1, "longest": 1, "ongoing_time": 1, "median": 2}
#: Distance of a value that does not exist, or is infinite where a number is printed.
FAR = 6.0
#: Distance of the nearest miss, and what is taken for 0 on a log scale.
NEAREST, TINY = 0.02, 1e-300


def value(cohorts: Cohorts, layout: Layout, quantity: Quantity) -> np.ndarray:
    """A quantity in every cohort.

    Parameters
    ----------
    cohorts : Cohorts
    layout : Layout
    quantity : Quantity

    Returns
    -------
    array (B,)
        Times in grains; infinite where a median is not reached, NaN where the quantity does not exist.

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> from remission.ensemble.cohorts import Layout
    >>> one = Cohorts(*(np.array([values]) for values in ([2, 4, 9], [1, 1, 0], [0] * 3, [0] * 3, [0] * 3, [1] * 3,
    ...                                                   [0] * 3)))
    >>> place = Layout({"A": slice(0, 3)}, np.array([True] * 3), False, False, False, None)
    >>> float(value(one, place, Quantity("median", "relapse", "A"))[0])
    4.0
    """
    return together(cohorts, layout, (quantity,), np.zeros(len(cohorts.time), int))


@functools.lru_cache
def sister(quantity: Quantity) -> Quantity:
    """What quantities have in common that come out of one computation: a curve at several times, one Cox model.

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> sister(Quantity("hazard_ratio_upper", "relapse")) == sister(Quantity("power", "relapse"))
    True
    """
    if quantity.kind in RATIOS:
        return replace(quantity, kind=RATIOS[0])
    return replace(quantity, at=0.0) if quantity.kind in ("survival", "incidence") else quantity


def families(quantities: tuple[Quantity, ...], which: np.ndarray
             ) -> list[tuple[tuple[Quantity, ...], np.ndarray, np.ndarray]]:
    """Rows whose quantities come out of one computation.

    Parameters
    ----------
    quantities : tuple of Quantity
    which : array (B,) of int
        The quantity of each row, by its place among these.

    Returns
    -------
    list of tuple
        Of each family its quantities (one `sister` to all), its rows, and the quantity of each by its place in the
        family: as `together` takes them.

    Examples
    --------
    >>> curve = [Quantity("survival", "relapse", "A", at=at) for at in (10, 20)]
    >>> found = families((curve[0], Quantity("p", "relapse"), curve[1]), np.array([2, 1, 0, 2]))
    >>> [(len(asked), rows.tolist(), mine.tolist()) for asked, rows, mine in found]
    [(2, [0, 2, 3], [1, 0, 1]), (1, [1], [0])]
    """
    kin: dict[Quantity, list[int]] = {}
    for place in np.unique(which):
        kin.setdefault(sister(quantities[place]), []).append(place)
    made = []
    for places in kin.values():
        rows = np.flatnonzero(np.isin(which, places))
        made.append((tuple(quantities[place] for place in places), rows, np.searchsorted(places, which[rows])))
    return made


def together(cohorts: Cohorts, layout: Layout, asked: tuple[Quantity, ...], which: np.ndarray) -> np.ndarray:
    """Of every cohort one quantity among sisters.

    Parameters
    ----------
    cohorts : Cohorts
    layout : Layout
    asked : tuple of Quantity
        With one `sister`.
    which : array (B,) of int
        The quantity of each cohort, by its place in `asked`.

    Returns
    -------
    array (B,)
        As `value`.
    """
    quantity = asked[0]
    kind, own = quantity.kind, (np.arange(len(which)), which)
    part = layout.arms[quantity.arm] if quantity.arm else slice(None)
    if kind in COUNTS:
        return (cohorts.code[:, part] == CODES[kind]).sum(axis=1)
    if kind == "ongoing_time":
        going = cohorts.code[:, part] == ONGOING
        times = np.sort(np.where(going, cohorts.time[:, part], np.iinfo(cohorts.time.dtype).max), axis=1)
        found = times[:, quantity.rank - 1].astype(float)
        return np.where(going.sum(axis=1) >= quantity.rank, found, np.nan)
    if kind == "group_size":
        return cohorts.label[:, part].sum(axis=1).astype(float)
    if kind == "incidence":
        code = cohorts.code[:, part]
        cause = DEATH if quantity.endpoint == "death_in_remission" else RELAPSE
        return batch.cumulative_incidence(cohorts.time[:, part], code, cause, [one.at for one in asked])[own]
    time, event = endpoint(cohorts, quantity.endpoint, part)
    member = np.bool_(True)
    if quantity.group:
        member = cohorts.label[:, part] == (quantity.group == "other")
        time, event = _members(time, event, member)
    if kind == "median":
        found = batch.quantile(time, event)
        return np.where(member.any(axis=1), found, np.nan) if quantity.group else found
    if kind == "survival":
        return batch.survival_at(time, event, [one.at for one in asked])[own]
    if kind in ("shortest", "longest"):
        return _outermost(time, event | member if quantity.among == "all" else event, kind == "longest")
    other = (cohorts.label[:, part] if quantity.arm else np.broadcast_to(layout.arm, time.shape)).astype(bool)
    if kind == "p":
        return _p(time, event, other, quantity.test)
    if kind == "rmst_difference":
        return _rmst_difference(time, event, other, quantity)
    return _ratios([one.kind for one in asked], time, event, other)[own]


def _members(time: np.ndarray, event: np.ndarray, member: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One group's patients: the others leave before anybody is at risk."""
    return np.where(member, time, -1), event & member


def _outermost(time: np.ndarray, counted: np.ndarray, longest: bool) -> np.ndarray:
    blank = -1 if longest else np.iinfo(time.dtype).max  # of those who do not count: no patient's time
    times = np.where(counted, time, blank)
    found = times.max(axis=1) if longest else times.min(axis=1)
    return np.where(found == blank, np.nan, found)


def _p(time: np.ndarray, event: np.ndarray, other: np.ndarray, test: str) -> np.ndarray:
    found = batch.logrank(time, event, other, "Gehan" if test == "Gehan" else "log-rank")
    if test != "one-sided":
        return found.p
    with np.errstate(invalid="ignore", divide="ignore"):
        return ndtr(found.score / np.sqrt(found.variance))  # few events in the other arm: a small p in its favour


def _rmst_difference(time: np.ndarray, event: np.ndarray, other: np.ndarray, quantity: Quantity) -> np.ndarray:
    if quantity.arm:  # groups differ from cohort to cohort, arms do not
        pairs = [_members(time, event, group) for group in (other, ~other)]
    else:
        mine = other[:1].any(axis=0)
        pairs = [(time[:, group], event[:, group]) for group in (mine, ~mine)]
    mine, theirs = (batch.rmst(*pair, quantity.at)[0] for pair in pairs)
    return mine - theirs


def _ratios(kinds: list[str], time: np.ndarray, event: np.ndarray, other: np.ndarray) -> np.ndarray:
    """What one Cox model tells, a column a kind."""
    log_hr, se = batch.cox(time, event, other)
    with np.errstate(over="ignore"):
        made = {"hazard_ratio": lambda: np.exp(log_hr),
                "hazard_ratio_lower": lambda: np.exp(log_hr - Z * se),
                "hazard_ratio_upper": lambda: np.exp(log_hr + Z * se),
                "power": lambda: _power(log_hr, event.sum(axis=1), other.mean(axis=1))}
        return np.stack([made[kind]() for kind in kinds], axis=1)


def _power(log_hr: np.ndarray, events: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Chance that a two-sided 5% log-rank test sees this ratio; Schoenfeld, Biometrika 1981;68:316."""
    drift = np.abs(log_hr) * np.sqrt(events * share * (1 - share))
    return ndtr(drift - Z) + ndtr(-drift - Z)


class Ruler(NamedTuple):
    """Claims, and for each what a change of the cohorts must touch for it to be measured anew."""

    claims: tuple[Claim, ...]
    layout: Layout
    scale: np.ndarray
    touched: tuple[tuple[frozenset[str], str], ...]
    order: tuple[int, ...]  #: what is cheap to measure comes first
    limits: np.ndarray  #: lowest and highest value that agrees, of each claim: (claims, 2)
    logarithmic: np.ndarray

    def affected(self, what: str, arm: str) -> list[int]:
        """Claims that depend on `what` (a field of `Cohorts`) in an arm."""
        return [place for place, (fields, where) in enumerate(self.touched) if what in fields and where in (arm, "")]

    def holds(self, cohorts: Cohorts, places: list[int], active: np.ndarray | None = None) -> np.ndarray:
        """Which cohorts agree with claims; whoever misses one is not asked about the next.

        Parameters
        ----------
        cohorts : Cohorts
        places : list of int
            Of the claims.
        active : array (B, claims) of bool, optional
            Claims that count for each cohort; all by default.

        Returns
        -------
        array (B,) of bool
        """
        good = np.ones(len(cohorts.time), bool)
        for place in sorted(places, key=self.order.__getitem__):
            asked = np.flatnonzero(good if active is None else good & active[:, place])
            if len(asked):
                mine = cohorts.take(asked, self.touched[place][0]) if len(asked) < len(good) else cohorts
                found, (low, high) = value(mine, self.layout, self.claims[place].quantity), self.limits[place]
                good[asked] = (found >= low) & (found <= high)
        return good

    def distance(self, cohorts: Cohorts, places: list[int]) -> np.ndarray:
        """How far the cohorts miss claims: 0 where one holds; shape (B, len(places)).

        Logarithmic, so that a search feels a near miss and a far one: log(1 + miss / unit), the unit a hundredth of the
        horizon, or a tenth on the log scale of a p-value.
        """
        found = np.empty((len(cohorts.time), len(places)))
        for column, place in enumerate(places):
            found[:, column] = value(cohorts, self.layout, self.claims[place].quantity)
        low, high = self.limits[places].T
        missed = ~((found >= low) & (found <= high))
        with np.errstate(invalid="ignore"):
            for column in np.flatnonzero(self.logarithmic[places]):
                found[:, column] = np.log(np.maximum(found[:, column], TINY))
            low, high = (np.where(self.logarithmic[places], np.log(np.maximum(end, TINY)), end) for end in (low, high))
            away = np.log1p(np.maximum(np.maximum(low - found, found - high), 0) / self.scale[places])
        return np.where(missed, np.where(np.isfinite(away), np.minimum(away, FAR) + NEAREST, FAR), 0.0)


def ruler(abstract: Abstract, layout: Layout) -> Ruler:
    """Prepare an abstract's claims to be measured.

    Parameters
    ----------
    abstract : Abstract
    layout : Layout

    Returns
    -------
    Ruler

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> from remission.ensemble.cohorts import layout
    >>> report = read("freireich1963")
    >>> ruler(report, layout(report)).affected("front", "placebo")
    []
    """
    scale = [0.01 * abstract.horizon if claim.quantity.kind in TIMES
             else {"survival": 0.02, "incidence": 0.02}.get(claim.quantity.kind, 0.1 if _logarithmic(claim) else 1.0)
             for claim in abstract.claims]
    claims = tuple(replace(claim, quantity=grouped(claim.quantity, abstract)) for claim in abstract.claims)
    return Ruler(claims, layout, np.array(scale),
                 tuple((fields(claim.quantity), claim.quantity.arm) for claim in claims),
                 tuple(COST.get(claim.quantity.kind, 3) for claim in claims),
                 np.array([claim.limits for claim in claims]), np.array([_logarithmic(claim) for claim in claims]))


def grouped(quantity: Quantity, abstract: Abstract) -> Quantity:
    """A quantity whose group goes by its place, `reference` or `other`, whatever the report calls it."""
    if not quantity.group or quantity.group in ("reference", "other"):
        return quantity
    return replace(quantity, group="other" if quantity.group == abstract.groups[1] else "reference")


def fields(quantity: Quantity) -> frozenset[str]:
    """Fields of `Cohorts` that a quantity is computed from."""
    if quantity.kind in COUNTS:
        return frozenset({"code"})
    more = {"treatment": {"share"}, "survival": {"after", "dead"}, "follow_up": {"after", "dead"},
            "survival_from_diagnosis": {"after", "dead", "front"}}.get(quantity.endpoint, set())
    label = {"label"} if quantity.group or (quantity.arm and quantity.kind in GROUP_CONTRASTS) else set()
    return frozenset({"time", "code"} | more | label)


def _logarithmic(claim: Claim) -> bool:
    return claim.quantity.kind == "p" or claim.quantity.kind.startswith("hazard_ratio")
