"""Score tests of markers of any kind, for many shuffled cohorts: the log-rank test where a marker is 0 or 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

#: Numbers in one array of a step.
STEP = 1 << 20


class Score(NamedTuple):
    """Observed minus expected sum of the marker over the events, and its variance; one entry a cohort."""

    score: np.ndarray
    variance: np.ndarray


def score_test(time, event, marker, strata=None) -> Score:
    """Score test of a marker against one set of outcomes, for every row of markers.

    Parameters
    ----------
    time, event : array (n,)
        Shared by all rows.
    marker : array (B, n) or (n,)
        Numbers; for 0 and 1 this is the log-rank test, otherwise the score test of the Cox model. NaN where a patient's
        marker is not known: the patient is then in no risk set.
    strata : array (n,), optional
        Expectations are taken, and variances added up, within strata.

    Returns
    -------
    Score
        Each (B,). The variance is that of a draw without replacement from each risk set (hypergeometric for 0 and 1);
        0 where nothing can be compared.

    Source
    ------
    Mantel, Cancer Chemother Rep 1966;50:163; Cox, JRSS B 1972;34:187. R: `survdiff(Surv(time, event) ~ marker +
    strata(strata))` for two groups; `coxph(...)$score` for a marker without tied times.

    Examples
    --------
    >>> found = score_test([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1])
    >>> round(float(found.score[0]), 4), round(float((found.score**2 / found.variance)[0]), 3)
    (-1.1667, 2.882)
    """
    time, event, marker = np.asarray(time, float), np.asarray(event, bool), np.atleast_2d(np.asarray(marker, float))
    strata = np.zeros(len(time)) if strata is None else np.asarray(strata)
    score, variance = np.zeros(len(marker)), np.zeros(len(marker))
    step = max(1, STEP // max(len(time), 1))
    for one in np.unique(strata):
        mine = np.flatnonzero(strata == one)
        order = mine[np.argsort(time[mine], kind="stable")]
        if not event[order].any():
            continue
        for begin in range(0, len(marker), step):
            part = slice(begin, begin + step)
            more = _sums(time[order], event[order], marker[part][:, order])
            score[part] += more[0]
            variance[part] += more[1]
    return Score(score, variance)


def _sums(time: np.ndarray, event: np.ndarray, marker: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score and variance of one stratum in order of time."""
    known = ~np.isnan(marker)
    x = np.where(known, marker, 0.0)
    # From the middle of the values squares lose no digits; neither result depends on where zero lies.
    x -= x.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    x *= known
    rows = np.flatnonzero(event)
    times, starts = np.unique(time[rows], return_index=True)
    first = np.searchsorted(time, times, side="left")
    at_risk, total, squares = (_from(one, first) for one in (known.astype(float), x, x * x))
    events = np.add.reduceat(known[:, rows], starts, axis=1, dtype=float)
    hit = np.add.reduceat(x[:, rows], starts, axis=1)
    mean = total / np.maximum(at_risk, 1)
    spread = np.maximum(squares / np.maximum(at_risk, 1) - mean**2, 0)
    spread[spread <= 1e-13 * (x * x).max(axis=1, keepdims=True)] = 0.0
    variance = spread * events * (at_risk - events) / np.maximum(at_risk - 1, 1)
    return (hit - events * mean).sum(axis=1), variance.sum(axis=1)


def _from(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums over everybody still at risk, at each time of an event."""
    return values[:, ::-1].cumsum(axis=1)[:, ::-1][:, first]


def shuffled(strata, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Random orders of the patients within their strata, some thousand at a time.

    Parameters
    ----------
    strata : array (n,)
        Group of each patient, an arm for instance.
    draws : int
    seed : int

    Yields
    ------
    array (b, n) of int
        Row numbers: position i gets the patient of that row, who is of the same stratum. Whole rows of a table of
        markers are moved together this way, so that the markers stay linked with each other.

    Examples
    --------
    >>> [one.tolist() for one in shuffled(["A", "B", "A"], draws=2, seed=1)]
    [[[0, 1, 2], [0, 1, 2]]]
    """
    strata = np.asarray(strata)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(strata == one) for one in np.unique(strata)]
    step = max(1, STEP // max(len(strata), 1))
    for begin in range(0, draws, step):
        count = min(step, draws - begin)
        made = np.empty((count, len(strata)), np.int64)
        for mine in groups:
            made[:, mine] = rng.permuted(np.broadcast_to(mine, (count, len(mine))), axis=1)
        yield made
