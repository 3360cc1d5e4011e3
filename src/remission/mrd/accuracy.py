"""How well a marker ranks patients: Harrell's and IPCW concordance, cumulative/dynamic AUC, bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw, cumulative_dynamic_auc
from sksurv.util import Surv

from remission import batch

#: Above this many patients the bootstrap of an IPCW index, quadratic in patients, is left out.
MOST_BOOTSTRAPPED = 1000
#: Where fewer patients than this are cases, or still at risk, resamples hardly differ and an interval would mislead.
FEWEST = 5
FLAT = "the marker does not vary"


class Index(NamedTuple):
    """A concordance or an AUC with its 95% limits; `note` says why a number is missing."""

    value: float
    lower: float
    upper: float
    note: str = ""


def harrell(time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, seed: int, bootstraps: int = 1000) -> Index:
    """Harrell's concordance with a bootstrap percentile interval.

    Parameters
    ----------
    time, event : array of shape (n,)
        Days, and whether the event was seen then.
    risk : array of shape (n,)
        Higher means expected to relapse earlier; tied values count one half.
    seed, bootstraps : int
        Resamples of patients; none above `MOST_BOOTSTRAPPED` patients.

    Returns
    -------
    Index
        0.5 is no discrimination; NaN with a note without a comparable pair, or for a marker that does not vary.

    Source
    ------
    Harrell and others, JAMA 1982;247:2543.

    Examples
    --------
    >>> harrell([1, 2, 3, 4], [1, 1, 1, 0], [4, 3, 2, 1], seed=1, bootstraps=50).value
    1.0
    """
    time, event, risk = _arrays(time, event, risk)
    if _flat(risk):
        return _none(FLAT)
    first = time[event].min() if event.any() else math.inf
    if not ((time > first) | ((time == first) & ~event)).any():
        return _none(_why(event, "nobody outlived a patient with the event"))
    value = float(concordance_index_censored(event, time, risk)[0])
    if _too_many(time, bootstraps):
        return Index(value, math.nan, math.nan, _too_many(time, bootstraps))
    rows = batch.bootstrap(np.zeros(len(time)), bootstraps, seed)
    return Index(value, *_percentiles(batch.concordance(time[rows], event[rows], risk[rows])))


def ipcw(time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, seed: int, bootstraps: int = 1000) -> Index:
    """Concordance weighted by the inverse probability of censoring, truncated at the last event.

    Parameters
    ----------
    time, event, risk, seed, bootstraps
        As in `harrell`.

    Returns
    -------
    Index
        Bootstrap percentile limits, with the censoring distribution estimated anew in each resample.

    Source
    ------
    Uno and others, Stat Med 2011;30:1105.

    Examples
    --------
    >>> ipcw([1, 2, 3, 4], [1, 1, 1, 0], [4, 3, 2, 1], seed=1, bootstraps=50).value
    1.0
    """
    time, event, risk = _arrays(time, event, risk)
    if _flat(risk):
        return _none(FLAT)
    if not event.any() or time[event].min() == time[event].max():
        return _none(_why(event, "all events fell at one time"))
    tau, outcome = time[event].max(), Surv.from_arrays(event, time)
    value = float(concordance_index_ipcw(outcome, outcome, risk, tau=tau)[0])
    if _too_many(time, bootstraps):
        return Index(value, math.nan, math.nan, _too_many(time, bootstraps))
    first = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    pairs = (first & (event & (time < tau))[:, None]).astype(float)
    drawn = weighted_share(time, event, risk, pairs, _counts(len(time), seed, bootstraps))
    return Index(value, *_percentiles(drawn))


def auc(time: ArrayLike, event: ArrayLike, risk: ArrayLike, at: Sequence[float], *, seed: int,
        bootstraps: int = 1000) -> list[Index]:
    """Cumulative/dynamic AUC: patients with the event by a time against those still without it.

    Parameters
    ----------
    time, event, risk, seed, bootstraps
        As in `harrell`.
    at : sequence of float
        Times, in days.

    Returns
    -------
    list of Index
        One a time. Cases are weighted by the inverse probability of censoring; bootstrap percentile limits. NaN with a
        note where fewer than `FEWEST` patients are cases, or are still without the event and observed.

    Source
    ------
    Uno and others, JASA 2007;102:527; Hung and Chiang, Can J Stat 2010;38:8. `sksurv.metrics.cumulative_dynamic_auc`.

    Examples
    --------
    >>> time = list(range(10))
    >>> found = auc(time, [1] * 10, time[::-1], [4, 9], seed=1, bootstraps=50)
    >>> found[0].value, found[1].note
    (1.0, 'fewer than 5 patients are observed beyond that time')
    """
    time, event, risk = _arrays(time, event, risk)
    why = _too_many(time, bootstraps)
    counts = np.empty((0, len(time))) if why else _counts(len(time), seed, bootstraps)
    weighted = counts if why else counts * _inverse_censoring(time, event, counts)
    return [_auc_at(time, event, risk, float(one), counts, weighted, why) for one in at]


def _auc_at(time: np.ndarray, event: np.ndarray, risk: np.ndarray, at: float, counts: np.ndarray,
            weighted: np.ndarray, why: str) -> Index:
    case, control = event & (time <= at), time > at
    if _flat(risk):
        return _none(FLAT)
    if case.sum() < FEWEST:
        return _none(f"fewer than {FEWEST} patients have had the event by then")
    if control.sum() < FEWEST:
        return _none(f"fewer than {FEWEST} patients are observed beyond that time")
    # Events after the time have no part in the AUC there; as censorings they cannot meet a censoring curve at zero.
    known, asked = Surv.from_arrays(event, time), Surv.from_arrays(case, time)
    value = float(cumulative_dynamic_auc(known, asked, risk, [at])[0][0])
    if why:
        return Index(value, math.nan, math.nan, why)
    mine, others = weighted[:, case], counts[:, control]
    concordant = ((mine @ _ahead(risk[case], risk[control])) * others).sum(axis=1)
    return Index(value, *_percentiles(_ratio(concordant, mine.sum(axis=1) * others.sum(axis=1))))


def _arrays(time: ArrayLike, event: ArrayLike, risk: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.asarray(time, float), np.asarray(event, bool), np.asarray(risk, float)


def _flat(risk: np.ndarray) -> bool:
    """A marker that is the same for all ranks nobody: 0.5 without an interval would look like knowledge."""
    return len(risk) == 0 or float(np.ptp(risk)) <= 1e-8


def _none(note: str) -> Index:
    return Index(math.nan, math.nan, math.nan, note)


def _why(event: np.ndarray, else_: str) -> str:
    return else_ if event.any() else "no events"


def _too_many(time: np.ndarray, bootstraps: int) -> str:
    """Why there is no bootstrap, or nothing."""
    if bootstraps == 0:
        return "no bootstrap was asked for"
    return f"no bootstrap above {MOST_BOOTSTRAPPED:,} patients" if len(time) > MOST_BOOTSTRAPPED else ""


def _counts(patients: int, seed: int, bootstraps: int) -> np.ndarray:
    """How often each patient is in each resample: the same resamples as `harrell` draws."""
    rows = batch.bootstrap(np.zeros(patients), bootstraps, seed)
    flat = rows + patients * np.arange(bootstraps)[:, None]
    return np.bincount(flat.ravel(), minlength=bootstraps * patients).reshape(bootstraps, patients).astype(float)


def weighted_share(time: np.ndarray, event: np.ndarray, risk: np.ndarray, pairs: np.ndarray,
                   counts: np.ndarray) -> np.ndarray:
    """Share of pairs in which the first patient has the higher risk, weighted against censoring, for every resample.

    Parameters
    ----------
    time, event, risk : array of shape (n,)
    pairs : array of shape (n, n)
        1 where row and column are a pair and the row comes first.
    counts : array of shape (B, n)
        How often each patient is in a resample.

    Returns
    -------
    array of shape (B,)
        Weights are the squared inverse probability of censoring at the first patient's time; NaN where a resample has
        no pair.

    Examples
    --------
    >>> one, two = np.array([1.0, 2.0]), np.array([True, True])
    >>> weighted_share(one, two, -one, np.array([[0.0, 1.0], [0.0, 0.0]]), np.ones((1, 2)))
    array([1.])
    """
    weighted = counts * _inverse_censoring(time, event, counts) ** 2
    concordant, comparable = (((weighted @ one) * counts).sum(axis=1) for one in (pairs * _ahead(risk, risk), pairs))
    return _ratio(concordant, comparable)


def _ahead(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """1 where the first has the higher risk, one half where they are tied."""
    gap = one[:, None] - two
    return np.where(np.abs(gap) <= 1e-8, 0.5, gap > 0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    kept = values[~np.isnan(values)]
    if not len(kept):
        return math.nan, math.nan
    low, high = np.percentile(kept, [2.5, 97.5])
    return float(low), float(high)


def _inverse_censoring(time: np.ndarray, event: np.ndarray, counts: np.ndarray) -> np.ndarray:
    # Kaplan-Meier of censoring in every resample; at one time events leave before censorings. Zero becomes weight 0.
    order = np.lexsort((~event, time))
    weight = counts[:, order]
    at_risk = weight[:, ::-1].cumsum(axis=1)[:, ::-1]
    moments, place = np.unique(time[order], return_inverse=True)
    starts = np.searchsorted(time[order], moments)
    lost = np.add.reduceat(weight * ~event[order], starts, axis=1)
    died = np.add.reduceat(weight * event[order], starts, axis=1)
    risk = at_risk[:, starts] - died
    step = np.divide(risk - lost, risk, out=np.ones_like(risk), where=risk > 0)
    survival = np.cumprod(step, axis=1)[:, place]
    inverse = np.divide(1.0, survival, out=np.zeros_like(survival), where=survival > 1e-12)
    made = np.empty_like(inverse)
    made[:, order] = inverse
    return made
