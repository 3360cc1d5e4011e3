"""Risk sets of two arms: who has left a risk table, and from which arm, at every position."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from remission.batch.risk import Table, first_of_tie, held_back, running


class Arms(NamedTuple):
    """Counts of a chunk of cohorts in two arms, by patient in order of time; shape (patients, cohorts).

    `gone[k]` counts the first k patients, k from 0 to all. It packs two numbers that never fall, k itself above and how
    many of the k are of the other arm in the lowest `bits` bits, so that one sweep serves both.
    """

    other: np.ndarray  #: 1 in the other arm
    gone: np.ndarray  #: (patients + 1, cohorts), packed
    bits: int
    total: np.ndarray  #: patients of the other arm, (cohorts,)

    def split(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Patients, and patients of the other arm."""
        return packed >> self.bits, packed & packed.dtype.type((1 << self.bits) - 1)


def arms(table: Table) -> Arms:
    """Running counts of a risk table whose payload is an arm.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Arms

    Examples
    --------
    >>> from remission.batch.risk import tables
    >>> found = arms(next(tables([5, 7, 7], [1, 1, 1], [1, 0, 1], bits=1)[1])[1])
    >>> [one[:, 0].tolist() for one in found.split(found.gone)]
    [[0, 1, 2, 3], [0, 1, 1, 2]]
    """
    patients = len(table.payload)
    bits = patients.bit_length()
    kind = np.int16 if 2 * bits < 16 else np.int32 if 2 * bits < 32 else np.int64
    other = table.payload.astype(kind)
    gone = np.empty((patients + 1, other.shape[1]), kind)
    gone[0] = 0
    np.add(other, kind(1 << bits), out=gone[1:])
    running(np.add, gone)
    return Arms(other, gone, bits, gone[-1] & kind((1 << bits) - 1))


def before_time(table: Table, counts: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Patients who left before everybody's time, and those of the other arm among them.

    Parameters
    ----------
    table : Table
    counts : Arms

    Returns
    -------
    all, other : array (patients, cohorts)
        `all` has a single column where all cohorts share their times.

    Examples
    --------
    >>> from remission.batch.risk import tables
    >>> table = next(tables([5, 7, 7], [1, 1, 1], [1, 0, 1], bits=1)[1])[1]
    >>> [one[:, 0].tolist() for one in before_time(table, arms(table))]
    [[0, 1, 1], [0, 1, 1]]
    """
    if _shared(table, counts):
        first = first_of_tie(table)
        return first, counts.split(counts.gone[first[:, 0]])[1]
    if not table.tied.any():
        return counts.split(counts.gone[:-1])
    return counts.split(held_back(counts.gone[:-1], table))


def through_events(table: Table, counts: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Patients who have left once everybody's own event and all other events of that time are over.

    Parameters
    ----------
    table : Table
    counts : Arms

    Returns
    -------
    all, other : array (patients, cohorts)
        Of use at events only. `all` has a single column where all cohorts share their times.

    Examples
    --------
    >>> from remission.batch.risk import tables
    >>> table = next(tables([5, 7, 7, 7], [1, 1, 1, 0], [1, 0, 1, 0], bits=1)[1])[1]
    >>> [one[:, 0].tolist() for one in through_events(table, arms(table))]
    [[1, 3, 3, 4], [1, 2, 2, 2]]
    """
    followed = np.zeros_like(table.tied)
    np.logical_and(table.tied[1:], table.event[1:], out=followed[:-1])
    if _shared(table, counts):
        last = _held_until(np.arange(1, len(followed) + 1)[:, None], followed)
        return last, counts.split(counts.gone[last[:, 0]])[1]
    return counts.split(_held_until(counts.gone[1:], followed) if followed.any() else counts.gone[1:])


def _shared(table: Table, counts: Arms) -> bool:
    """Whether one order serves all cohorts, so that whole rows can move."""
    return table.tied.shape[1] < counts.gone.shape[1]


def _held_until(values: np.ndarray, followed: np.ndarray) -> np.ndarray:
    """Everybody's value replaced by that of the next patient who is not followed by one of the same kind."""
    beyond = values.dtype.type(np.iinfo(values.dtype).max)
    return running(np.minimum, np.maximum(values, followed * beyond)[::-1])[::-1]
