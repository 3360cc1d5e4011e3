"""Hazard ratios of many cohorts: the Cox model with one binary covariate."""

from __future__ import annotations

import numpy as np

from remission.batch.arms import Arms, arms, before_time, through_events
from remission.batch.risk import Table, tables, tally

#: Halley's error after a step is below the cube of the step; the information carried along with it, below its square.
SMALL = 1e-6
#: Steps of Halley, and of bisection where they are not enough; three or four are, unless the ratio is extreme.
FREE, ROUNDS = 8, 100
#: A bracket as narrow as this holds nothing but rounding.
NARROW = 1e-13
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
    count, parts = tables(time, event, arm, bits=1)
    log_hr, se = np.full(count, np.nan), np.full(count, np.nan)
    for part, table in parts:
        if len(table.event):
            log_hr[part], se[part] = maximum(*odds(table, arms(table)))
    return log_hr, se


def odds(table: Table, counts: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Of a chunk: patients at risk in the reference arm for one in the other, at every event, and the other's events.

    Efron's rule: the j-th of d tied events (from 0) sees a risk set that j / d of the d have left. The ratio is
    infinite where the other arm is not at risk, and at a censoring; 0 where the reference arm is not.

    Parameters
    ----------
    table : Table
    counts : Arms

    Returns
    -------
    odds : array (patients, cohorts)
    events : array (cohorts,)

    Examples
    --------
    >>> table = next(tables([1, 2, 2], [1, 1, 0], [1, 0, 1], bits=1)[1])[1]
    >>> found, events = odds(table, arms(table))
    >>> found[:, 0].tolist(), events.tolist()
    ([0.5, 1.0, inf], [1])
    """
    patients = len(counts.other)
    first, gone = before_time(table, counts)
    place = np.arange(patients, dtype=counts.other.dtype)[:, None]
    one = ((counts.total - gone) * table.event).astype(float)
    if (table.tied & table.event).any():
        last, upto = through_events(table, counts)
        left = (upto - gone) * ((place - first) * table.event)
        one -= left / (last - first).astype(float)
    # One event after another: in both arms together a whole patient leaves with each.
    zero = (patients - place) - one
    with np.errstate(divide="ignore"):
        return np.divide(zero, one, out=zero), (counts.other * table.event).sum(axis=0, dtype=counts.other.dtype)


def maximum(odds: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratio and its standard error, from the odds of every event: Halley's iteration inside a bracket.

    Parameters
    ----------
    odds : array (patients, cohorts)
    events : array (cohorts,)
        As `odds` gives them.

    Returns
    -------
    log_hr, se : array (cohorts,)
        As `cox` gives them.

    Examples
    --------
    >>> log_hr, se = maximum(np.array([[1.0], [2.0]]), np.array([1]))
    >>> round(float(np.exp(log_hr[0])), 4)  # 1 / (1 + 1 / r) + 1 / (1 + 2 / r) = 1, so r * r = 2
    1.4142
    """
    certain, possible = tally(odds == 0), tally(odds < np.inf)
    log_hr = np.where(events >= possible, np.inf, 0.0)
    log_hr[events <= certain] = -np.inf
    log_hr[certain == possible] = np.nan
    se = np.full(len(log_hr), np.nan)
    busy = np.arange(len(log_hr))
    beta, low, high = np.zeros(len(busy)), np.full(len(busy), -SPAN), np.full(len(busy), SPAN)
    finite = log_hr == 0
    with np.errstate(all="ignore"):  # cohorts without a finite maximum come along for a while; nothing of them is read
        for turn in range(ROUNDS):
            if not len(busy):
                break
            expected, information, bend = _moments(odds, beta)
            slope = events - expected
            step = slope / information
            step /= np.maximum(1 + 0.5 * step * bend / information, 0.5)
            new = beta + np.minimum(np.maximum(step, -2), 2)
            moved = np.abs(new - beta)
            if turn >= FREE:
                low, high = np.where(slope > 0, beta, low), np.where(slope < 0, beta, high)
                outside = (new < low) | (new > high)
                new = np.where(outside, (low + high) / 2, new)
                moved = np.where(outside, (high - low) * (SMALL / NARROW), moved)
            information += bend * (new - beta)
            beta = new
            more = (moved > SMALL) & finite
            # Taking columns out costs as much as a few steps: only when most of them are done.
            if np.count_nonzero(more) < 0.5 * len(more):
                done = finite & ~more
                log_hr[busy[done]], se[busy[done]] = beta[done], information[done] ** -0.5
                busy, odds, events, finite = busy[more], odds[:, more], events[more], finite[more]
                beta, low, high = beta[more], low[more], high[more]
    return log_hr, se


def _moments(odds: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected events of the other arm at a log hazard ratio, with the first and second derivative."""
    share = odds * np.exp(-beta)
    share += 1
    np.divide(1, share, out=share)
    one, two = np.add.reduce(share, axis=0), np.einsum("ij,ij->j", share, share)
    three = np.einsum("ij,ij,ij->j", share, share, share)
    return one, one - two, one - 3 * two + 2 * three
