"""Cumulative incidence under competing risks, of many cohorts."""

from __future__ import annotations

import numpy as np

from remission.batch.curves import survival
from remission.batch.risk import Table, first_of_tie, held_back, running, tables


def cumulative_incidence(time, code, cause: int, at) -> np.ndarray:
    """Aalen-Johansen cumulative incidence of one cause at fixed times, for every cohort.

    Parameters
    ----------
    time, code : array (B, n) or (n,)
        Code 0 is censored, any other number is a cause.
    cause : int
        The cause whose incidence is wanted.
    at : sequence of float
        In the unit of `time`; an event at exactly that time counts.

    Returns
    -------
    array (B, len(at))
        NaN after the last follow-up while somebody could still have an event.

    Source
    ------
    Aalen and Johansen, Scand J Stat 1978;5:141. R: `timepoints(cmprsk::cuminc(...), at)`.

    Examples
    --------
    >>> cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0], 1, [2, 3, 5]).tolist()
    [[0.25, 0.5, nan]]
    """
    code = np.asarray(code)
    at = np.atleast_1d(np.asarray(at, float))
    count, parts = tables(time, code != 0, code == cause, bits=1)
    found = np.full((count, len(at)), np.nan)
    for part, table in parts:
        if not len(table.event):
            continue
        curve, alive = _incidence(table)
        columns, latest = np.arange(curve.shape[1]), table.time[-1] + table.origin
        for place, moment in enumerate(at):
            value = curve[table.until(float(moment)), columns]
            found[part, place] = np.where((moment > latest) & (alive > 0), np.nan, value)
    return found


def _incidence(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Incidence of a chunk before the first patient and after each, and the final event-free survival."""
    left = survival(table)
    lost = np.zeros_like(left)
    lost[1:] = 1 - left[:-1]
    at_risk = len(left) - first_of_tie(table)
    curve = np.zeros((len(left) + 1, np.broadcast_shapes(left.shape, table.payload.shape)[1]))
    curve[1:] = (1 - held_back(lost, table)) / at_risk * table.payload
    return running(np.add, curve), left[-1]
