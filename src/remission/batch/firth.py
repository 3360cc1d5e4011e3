"""Firth-penalised hazard ratios of many cohorts: the Cox model with one binary covariate, stratified if need be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfc

from remission.batch.arms import arms
from remission.batch.cox import ROUNDS, odds
from remission.batch.risk import CHUNK, tables

#: Newton's error after a step is below half the square of the step: below 1e-14 after one as small as this.
SMALL = 1e-7
#: Points of the scan for the highest maximum: the penalised likelihood need not have only one.
SCAN = 24
#: How far beyond the outermost log odds the maximum may lie; one event and thousands at risk stay within.
BEYOND = 3.0


class Firth(NamedTuple):
    """Penalised fits, one a cohort: log hazard ratio of the other arm, and the penalised likelihood-ratio p."""

    log_hr: np.ndarray
    p: np.ndarray


def firth(time, event, arm, stratum=None) -> Firth:
    """Log hazard ratio of the other arm by Firth's penalised Cox model, with its p, for every cohort.

    Parameters
    ----------
    time, event, arm : array (B, n) or (n,)
        `arm` is True in the other arm. A patient censored before the first event is at risk for none of them, so this
        is how a cohort leaves a patient out.
    stratum : array (n,), optional
        Strata that all cohorts share: risk sets are formed within them.

    Returns
    -------
    Firth
        Efron ties, Jeffreys' penalty; both NaN where no event fell while both arms (of a stratum) were at risk.

    Notes
    -----
    Source: Heinze and Schemper, Biometrics 2001;57:114. R: the log likelihood of `coxph(Surv(time, event) ~ arm +
    strata(stratum), init = b, iter.max = 0)` plus half the log of its information, maximised over b.

    Examples
    --------
    >>> found = firth([1, 2], [True, False], [False, True])
    >>> round(float(np.exp(found.log_hr[0])), 6)  # by hand: 1 / 2 = 2 r / (1 + r)
    0.333333
    """
    given = [np.atleast_2d(time), np.atleast_2d(np.asarray(event, bool)), np.atleast_2d(np.asarray(arm, bool))]
    count, patients = np.broadcast_shapes(*(one.shape for one in given))
    every = np.zeros(patients) if stratum is None else np.asarray(stratum)
    members = [np.flatnonzero(every == one) for one in np.unique(every)]
    log_hr, p = np.full(count, np.nan), np.full(count, np.nan)
    step = max(1, CHUNK // max(patients, 1))
    for start in range(0, count, step):
        block = slice(start, min(start + step, count))
        rows = [one if len(one) == 1 else one[block] for one in given]
        parts = [_stratum([one[:, mine] for one in rows], block.stop - start) for mine in members]
        if parts:
            terms, events = np.concatenate([one for one, _ in parts]), sum(one for _, one in parts)
            log_hr[block], p[block] = _fit(*_informative(terms, events))
    return Firth(log_hr, p)


def _stratum(rows: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of one stratum: patients at risk in the reference arm for one in the other at every event, and the events."""
    _, parts = tables(*rows, bits=1)
    found = [odds(table, arms(table)) for _, table in parts]
    terms, events = np.concatenate([one for one, _ in found], axis=1), np.concatenate([one for _, one in found])
    return np.broadcast_to(terms, (len(terms), count)), np.broadcast_to(events, count).astype(float)


def _informative(odds: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Odds of the events with both arms at risk, the others infinite and last, and the other arm's share of them.

    An event with only the other arm at risk has odds 0: it is certain to be the other arm's, and tells nothing.
    """
    certain = odds == 0
    terms = np.sort(np.where(certain, np.inf, odds), axis=0)
    return terms[:max(1, int(np.isfinite(terms).sum(axis=0).max(initial=0)))], events - certain.sum(axis=0)


def _fit(odds: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest maximum of the penalised likelihood, and the likelihood-ratio p against a ratio of 1."""
    known = np.isfinite(odds[0])
    log_hr, p = np.full(len(known), np.nan), np.full(len(known), np.nan)
    if known.any():
        part, deaths = odds[:, known], events[known]
        top = _climb(part, deaths, *_bracket(part, deaths))
        gain = 2 * (_penalised(part, deaths, top) - _penalised(part, deaths, np.zeros(len(top))))
        log_hr[known], p[known] = top, erfc(np.sqrt(np.maximum(gain, 0) / 2))
    return log_hr, p


def _penalised(odds: np.ndarray, deaths: np.ndarray, log_hr: np.ndarray) -> np.ndarray:
    """Penalised log likelihood up to a constant; an infinite term, which is none, adds nothing."""
    part = np.exp(log_hr) / odds
    share = part / (1 + part)
    return deaths * log_hr - np.log1p(part).sum(axis=0) + 0.5 * np.log((share * (1 - share)).sum(axis=0))


def _slope(odds: np.ndarray, deaths: np.ndarray, log_hr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of the penalised log likelihood."""
    mean = odds * np.exp(-log_hr)
    mean += 1
    np.reciprocal(mean, out=mean)
    rest = 1 - mean
    variance = mean * rest
    total = variance.sum(axis=0)
    skew = np.einsum("ij,ij->j", variance, rest - mean) / total
    fourth = 1 - 6 * np.einsum("ij,ij->j", variance, variance) / total
    return deaths - mean.sum(axis=0) + 0.5 * skew, 0.5 * (fourth - skew**2) - total


def _bracket(odds: np.ndarray, deaths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the step of a scan in which the likelihood turns from rising to falling; of several, the highest."""
    last = np.isfinite(odds).sum(axis=0) - 1
    low = np.log(odds[0]) - BEYOND
    step = (np.log(np.take_along_axis(odds, last[None], axis=0)[0]) + BEYOND - low) / (SCAN - 1)
    rising = np.array([_slope(odds, deaths, low + place * step)[0] > 0 for place in range(SCAN)])
    rising[0], rising[-1] = True, False
    turns = rising[:-1] & ~rising[1:]
    left = low + turns.argmax(axis=0) * step
    many = np.flatnonzero(turns.sum(axis=0) > 1)
    for one in many:
        ends = low[one] + np.flatnonzero(turns[:, one]) * step[one]
        heights = _penalised(np.repeat(odds[:, [one]], len(ends), axis=1), deaths[one], ends + step[one] / 2)
        left[one] = ends[heights.argmax()]
    return left, left + step


def _climb(odds: np.ndarray, deaths: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Newton's iteration on the penalised score, kept inside a shrinking bracket."""
    beta = (low + high) / 2
    for _ in range(ROUNDS):
        slope, bend = _slope(odds, deaths, beta)
        low, high = np.where(slope > 0, beta, low), np.where(slope < 0, beta, high)
        new = beta - slope / np.where(bend < 0, bend, -1.0)
        new = np.where((new < low) | (new > high), (low + high) / 2, new)
        moved, beta = np.abs(new - beta), new
        if (moved < SMALL).all():
            break
    return beta
