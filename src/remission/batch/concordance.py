"""Harrell's concordance of many cohorts."""

from __future__ import annotations

import numpy as np

from remission.batch.arms import Arms, arms, through_events
from remission.batch.risk import Table, first_of_tie, tables

#: Markers this close are tied, as in scikit-survival.
TIED = 1e-8
#: Above so many patients pairs are counted by binary search instead of one by one.
MANY = 2_000


def concordance(time, event, marker) -> np.ndarray:
    """Harrell's concordance of a marker with time, for every cohort; a higher marker means an earlier event.

    Parameters
    ----------
    time, event, marker : array (B, n) or (n,)
        An arm (bool) is a marker too.

    Returns
    -------
    array (B,)
        Share of concordant pairs among comparable ones, tied markers counted half; NaN without a comparable pair. A
        patient censored on the day of an event outlives it; two events of one day are not compared.

    Raises
    ------
    ValueError
        A time or a marker is missing.

    Source
    ------
    Harrell and others, JAMA 1982;247:2543. `sksurv.metrics.concordance_index_censored`; R: `concordance(..., reverse =
    TRUE)`.

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 1, 0], [0.9, 0.2, 0.4]).round(3).tolist()
    [0.667]
    """
    marker = np.atleast_2d(marker)
    patients = np.broadcast_shapes(np.shape(np.atleast_2d(time)), marker.shape)[1]
    if marker.dtype == bool:
        count, parts = tables(time, event, marker, bits=1)
        found = np.full(count, np.nan)
        for part, table in parts:
            if patients:
                found[part] = of_arms(table, arms(table))
        return found
    marker = marker.astype(float)
    if np.isnan(marker).any():
        raise ValueError("a marker is missing")
    index = np.broadcast_to(np.arange(patients), marker.shape)
    count, parts = tables(time, event, index, bits=max(int(patients - 1).bit_length(), 1))
    found = np.full(count, np.nan)
    for part, table in parts:
        if patients:
            found[part] = _concordant(table, _ordered(marker, part, table))
    return found


def of_arms(table: Table, counts: Arms) -> np.ndarray:
    """Concordance of a chunk where the marker is an arm: pairs are counted, not met.

    Parameters
    ----------
    table : Table
    counts : Arms

    Returns
    -------
    array (cohorts,)

    Examples
    --------
    >>> table = next(tables([1, 2, 3], [1, 1, 0], [True, False, False], bits=1)[1])[1]
    >>> of_arms(table, arms(table)).round(3).tolist()  # of three pairs two are concordant, one is tied
    [0.833]
    """
    last, upto = through_events(table, counts)
    later = len(counts.other) - last
    ahead = counts.other * later - (counts.total - upto)
    kind = counts.other.dtype
    pairs = (later * table.event).sum(axis=0, dtype=kind)
    return _share((ahead * table.event).sum(axis=0, dtype=kind), np.broadcast_to(pairs, counts.total.shape))


def _share(lead: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Share of concordant pairs: (1 + (concordant - discordant) / comparable) / 2."""
    share = np.divide(lead, pairs, out=np.full(len(lead), np.nan), where=pairs > 0)
    return (1 + share) / 2


def _ordered(marker: np.ndarray, part: slice, table: Table) -> np.ndarray:
    """Markers of a chunk in the order of its table."""
    rows = marker[part] if len(marker) > 1 else np.broadcast_to(marker, (part.stop - part.start, marker.shape[1]))
    return np.take_along_axis(rows.T, np.broadcast_to(table.payload, rows.T.shape).astype(np.intp), axis=0)


def _concordant(table: Table, marker: np.ndarray) -> np.ndarray:
    """Share of concordant pairs in a chunk."""
    patients = len(marker)
    event = np.broadcast_to(table.event, marker.shape)
    later = np.arange(patients - 1, -1, -1)[:, None]
    pairs = (table.event * later).sum(axis=0) * np.ones(marker.shape[1])
    lead = (_lead if patients <= MANY else _lead_of_many)(event, marker)
    # Two events of one day are no pair: they were counted above, so they are taken out here.
    for gap in range(1, _longest_tie(table)):
        same = (table.time[gap:] == table.time[:-gap]) & table.event[gap:]
        pairs -= same.sum(axis=0)
        lead -= (same * _sign(marker[:-gap], marker[gap:])).sum(axis=0, dtype=float)
    return _share(lead, pairs)


def _longest_tie(table: Table) -> int:
    """Most events on one day in any cohort of a chunk."""
    position = np.arange(len(table.event))[:, None]
    return int(((position - first_of_tie(table)) * table.event).max()) + 1


def _sign(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """1 where the first marker is higher, -1 where it is lower, 0 where they are tied."""
    return (one > two + TIED).view(np.int8) - (one < two - TIED).view(np.int8)


def _lead(event: np.ndarray, marker: np.ndarray) -> np.ndarray:
    """Concordant minus discordant pairs: each event against everybody below it in the table."""
    lead = np.zeros(marker.shape[1])
    for row in range(len(marker) - 1):
        lead += event[row] * _sign(marker[row], marker[row + 1:]).sum(axis=0, dtype=np.int16)
    return lead


def _lead_of_many(event: np.ndarray, marker: np.ndarray) -> np.ndarray:
    """The same for large cohorts: pairs met once, in the halves of ever smaller blocks, by binary search."""
    lead = np.zeros(marker.shape[1])
    for column in range(marker.shape[1]):
        values = marker[:, column]
        patients = len(values)
        ordered = np.sort(values)
        rank = np.empty(patients, np.int64)
        rank[np.argsort(values, kind="stable")] = np.arange(patients)
        lower = np.searchsorted(ordered, values - TIED, side="left")
        upper = np.searchsorted(ordered, values + TIED, side="right")
        place = np.arange(patients)
        for level in range(int(patients - 1).bit_length()):
            block, right = place >> (level + 1), (place >> level) & 1 == 1
            base = block * (patients + 1)
            below = np.sort(base[right] + rank[right])
            ends = np.searchsorted(block[right], np.arange(block[-1] + 2))
            mine = ~right & event[:, column]
            start, stop = ends[block[mine]], ends[block[mine] + 1]
            low = np.searchsorted(below, base[mine] + lower[mine], side="left") - start
            high = stop - np.searchsorted(below, base[mine] + upper[mine], side="left")
            lead[column] += (low - high).sum()
    return lead
