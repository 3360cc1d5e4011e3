"""Hazard ratios of many cohorts: the Cox model with one binary covariate."""

from __future__ import annotations

import numpy as np

from remission.batch.risk import Table, before, counter, first_of_tie, held_back, held_forward, running, tables

#: Newton's error after a step is below half the square of the step: below 1e-14 after one as small as this.
SMALL = 1e-7
#: Steps of Newton and of bisection; a handful are enough unless the ratio is extreme.
ROUNDS = 100
#: No finite log hazard ratio is farther from 0, for any cohort that fits a computer.
SPAN = 50.0


def cox(time, event, arm) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratio of the other arm against the reference arm, with its standard error, for every cohort.

    Parameters
    ----------
    time, event, arm : array (B, n) or (n,)
        `arm` is True in the other arm.

    Returns
    -------
    log_hr, se : array (B,)
        Efron ties, Wald standard error. Infinite with se NaN where the partial likelihood is monotone (while both arms
        were at risk, events fell in one of them only); both NaN where no event fell while both arms were at risk.

    Source
    ------
    Efron, JASA 1977;72:557. R: `coxph(Surv(time, event) ~ arm, ties = "efron")` with a tight `coxph.control(eps)`.

    Examples
    --------
    >>> log_hr, se = cox([1, 3, 2, 4], [1, 1, 1, 1], [0, 0, 1, 1])
    >>> round(float(np.exp(log_hr[0])), 4)
    0.3904
    """
    count, parts = tables(time, event, np.asarray(arm, bool), bits=1)
    log_hr, se = np.full(count, np.nan), np.full(count, np.nan)
    for part, table in parts:
        if len(table.event):
            log_hr[part], se[part] = _maximum(*_odds(table))
    return log_hr, se


def _odds(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Of a chunk: patients at risk in the reference arm for one in the other, at every event, and the other's events.

    The ratio is infinite where the other arm is not at risk, and at a censoring; 0 where the reference arm is not.
    """
    other = table.payload.astype(counter(table))
    gone = before(other)
    total = gone[-1] + other[-1]
    first = first_of_tie(table)
    one = total - held_back(gone, table)
    zero = len(other) - first - one
    one, zero = one.astype(float), zero.astype(float)
    if (table.tied & table.event).any():
        _efron(table, other, first, one, zero)
    one *= table.event
    zero += ~table.event  # at a censoring the ratio has to be infinite, not 0 / 0
    with np.errstate(divide="ignore"):
        return np.divide(zero, one, out=zero), (other * table.event).sum(axis=0)


def _efron(table: Table, other: np.ndarray, first: np.ndarray, one: np.ndarray, zero: np.ndarray) -> None:
    """Efron's rule, in place: the j-th of d tied events (from 0) sees a risk set that j / d of the d have left."""
    events = table.event.astype(other.dtype)
    step = np.arange(len(other), dtype=other.dtype)[:, None] - first
    tied = _in_tie(events, table)
    share = step * events / np.maximum(tied, 1)
    mine = _in_tie(events * other, table)
    one -= mine * share
    zero -= (tied - mine) * share


def _in_tie(events: np.ndarray, table: Table) -> np.ndarray:
    """Number of events at everybody's time."""
    upto = running(np.add, events.copy())
    return held_forward(upto, table) - held_back(upto - events, table)


def _maximum(odds: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's iteration for a chunk, kept inside a shrinking bracket."""
    certain = (odds == 0).sum(axis=0)
    possible = len(odds) - np.isinf(odds).sum(axis=0)
    fixed = np.select([certain == possible, events <= certain, events >= possible], [np.nan, -np.inf, np.inf], 0.0)
    beta = np.zeros(len(fixed))
    low, high = np.full(len(fixed), -SPAN), np.full(len(fixed), SPAN)
    busy = np.flatnonzero(fixed == 0)
    part = odds
    if len(busy) < len(fixed):
        part = odds[:, busy]
    for _ in range(ROUNDS):
        if not len(busy):
            break
        now = beta[busy]
        share, information = _shares(part, now)
        slope = events[busy] - share
        low[busy] = np.where(slope > 0, now, low[busy])
        high[busy] = np.where(slope < 0, now, high[busy])
        new = now + np.clip(slope / information, -2, 2)
        outside = (new < low[busy]) | (new > high[busy])
        beta[busy] = np.where(outside, (low[busy] + high[busy]) / 2, new)
        more = np.abs(beta[busy] - now) > SMALL
        # Taking columns out costs as much as a few steps: only when most of them are done.
        if more.sum() < 0.5 * len(more):
            busy, part = busy[more], part[:, more]
    information = _shares(odds, beta)[1]
    known = fixed == 0
    with np.errstate(divide="ignore"):
        return np.where(known, beta, fixed), np.where(known, information, np.nan) ** -0.5


def _shares(odds: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected events of the other arm and their variance at a log hazard ratio."""
    share = odds * np.exp(-beta)
    share += 1
    np.reciprocal(share, out=share)
    expected = share.sum(axis=0)
    return expected, expected - np.einsum("ij,ij->j", share, share)
