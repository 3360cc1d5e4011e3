"""The risk table of many cohorts at once: every patient in order of time, one column a cohort.

Statistics read the table downwards, one patient position after another, all cohorts of a chunk abreast. Events come
before censorings on the same day, so a patient censored on the day of an event is at risk for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

#: Numbers in one array of a chunk: large enough to drown numpy's overhead, small enough to stay in the cache.
CHUNK = 1 << 17
#: From so many cohorts abreast a table is swept position by position; below, numpy accumulates down each column.
ABREAST = 400


class Table(NamedTuple):
    """Patients of a chunk of cohorts in order of time; arrays have shape (patients, cohorts) or (patients, 1)."""

    time: np.ndarray  #: counted from `origin`
    origin: float
    event: np.ndarray  #: bool
    tied: np.ndarray  #: bool: same time as the patient before
    payload: np.ndarray | None  #: what travels with the patient: an arm, a cause, an index

    def times(self) -> np.ndarray:
        """Times as floats."""
        return self.time.astype(float) + self.origin


def tables(time, event, payload=None, bits: int = 0) -> tuple[int, Iterator[tuple[slice, Table]]]:
    """Number of cohorts, and their risk tables chunk by chunk.

    Parameters
    ----------
    time, event : array (B, n) or (n,)
        Times are numbers; events are bool or 0 and 1.
    payload : array (B, n) or (n,), optional
        Whole numbers of `bits` bits that travel with the patients.
    bits : int
        Width of the payload; 0 without one.

    Returns
    -------
    tuple
        Number of cohorts B, and an iterator over (slice of the cohorts, `Table`).

    Raises
    ------
    ValueError
        A time is missing, or the shapes do not fit.

    Examples
    --------
    >>> count, parts = tables([[3, 1, 2]], [[True, False, True]])
    >>> [table.times().T.tolist() for _, table in parts]
    [[[1.0, 2.0, 3.0]]]
    """
    given = [np.atleast_2d(time), np.atleast_2d(np.asarray(event, bool))]
    if payload is not None:
        given.append(np.atleast_2d(payload))
    count, patients = np.broadcast_shapes(*(one.shape for one in given))
    if given[0].dtype.kind not in "iuf":
        given[0] = given[0].astype(float)
    if given[0].dtype.kind == "f" and np.isnan(given[0]).any():
        raise ValueError("a time is missing")
    given = [one if one.shape[1] == patients else np.broadcast_to(one, (len(one), patients)) for one in given]
    return count, _chunks(count, patients, given, bits)


def _chunks(count: int, patients: int, given: list[np.ndarray], bits: int) -> Iterator[tuple[slice, Table]]:
    """Cut into chunks; a cohort whose times and events never change is put in order once."""
    step = max(1, CHUNK // max(patients, 1))
    fixed = count > 1 and all(len(one) == 1 for one in given[:2])
    if fixed:
        order, table = _order_once(given[0], given[1])
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        if fixed:
            mine = None if len(given) < 3 else np.ascontiguousarray(given[2][part][:, order].T)
            yield part, table._replace(payload=mine)
            continue
        rows = [np.broadcast_to(one, (count, patients))[part] for one in given]
        yield part, _table(rows[0], rows[1], rows[2] if len(rows) > 2 else None, bits)


def _order_once(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, Table]:
    """Order of one cohort's patients, and its table of a single column."""
    order = np.lexsort((~event[0], time[0]))
    column = time[0][order][:, None]
    return order, Table(column, 0.0, event[0][order][:, None], _tied(column), None)


def _table(time: np.ndarray, event: np.ndarray, payload: np.ndarray | None, bits: int) -> Table:
    """Put a chunk in order: whole numbers as packed keys, anything else by index."""
    flags = np.left_shift(~event, bits, dtype=np.uint32)
    if payload is not None:
        np.bitwise_or(flags, payload, out=flags, casting="unsafe")
    whole = _whole(time)
    if whole is not None and whole.size:
        low = int(whole.min())
        width = (int(whole.max()) - low).bit_length() + 1 + bits
        if width <= 63:
            kind = np.uint32 if width <= 32 else np.uint64
            keys = np.subtract(whole, low, dtype=np.int64).astype(kind)
            keys <<= kind(bits + 1)
            keys |= flags
            keys.sort(axis=1)
            keys = np.ascontiguousarray(keys.T)
            return _unpacked(keys >> kind(bits + 1), float(low), keys, payload is not None, bits)
    order = np.argsort(time, axis=1)
    ordered = np.sort(time, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        order = np.lexsort((flags, time), axis=1)
    keys = np.ascontiguousarray(np.take_along_axis(flags, order, axis=1).T)
    return _unpacked(np.ascontiguousarray(ordered.T), 0.0, keys, payload is not None, bits)


def _unpacked(ordered: np.ndarray, origin: float, keys: np.ndarray, loaded: bool, bits: int) -> Table:
    """Table of times in order and keys that hold, from the low end, the payload and a bit for censored."""
    kind = keys.dtype.type
    return Table(ordered, origin, (keys & kind(1 << bits)) == 0, _tied(ordered),
                 keys & kind((1 << bits) - 1) if loaded else None)


def _whole(time: np.ndarray) -> np.ndarray | None:
    """Times as whole numbers if that is what they are."""
    if time.dtype.kind in "iu":
        return time.astype(np.int64, copy=False)
    if time.size == 0 or not np.abs(time).max() < 2**40:
        return None
    whole = time.astype(np.int64)
    return whole if (whole == time).all() else None


def _tied(ordered: np.ndarray) -> np.ndarray:
    """Which patients share the time of the patient before."""
    tied = np.zeros(ordered.shape, bool)
    np.equal(ordered[1:], ordered[:-1], out=tied[1:])
    return tied


def running(ufunc: np.ufunc, values: np.ndarray) -> np.ndarray:
    """Running sum, product or maximum down the patients, in place; returns the array.

    Parameters
    ----------
    ufunc : numpy ufunc
        `np.add`, `np.multiply`, `np.maximum`.
    values : array (patients, cohorts)

    Returns
    -------
    array (patients, cohorts)

    Examples
    --------
    >>> running(np.add, np.array([[1, 2], [3, 4]])).tolist()
    [[1, 2], [4, 6]]
    """
    if values.shape[1] < ABREAST:
        return ufunc.accumulate(values, axis=0, out=values)
    for row in range(1, len(values)):
        ufunc(values[row - 1], values[row], out=values[row])
    return values


def counter(table: Table) -> type:
    """Narrowest type that counts a table's patients: narrow numbers are quick ones.

    Examples
    --------
    >>> counter(next(tables([5, 7], [1, 1])[1])[1]).__name__
    'int16'
    """
    return np.int16 if len(table.event) < 2**14 else np.int32


def first_of_tie(table: Table) -> np.ndarray:
    """Position of the first patient with the same time; shape as `table.tied`.

    Examples
    --------
    >>> first_of_tie(next(tables([5, 7, 7], [1, 1, 1])[1])[1])[:, 0].tolist()
    [0, 1, 1]
    """
    return held_back(np.arange(len(table.tied), dtype=counter(table))[:, None], table)


def held_back(values: np.ndarray, table: Table) -> np.ndarray:
    """Everybody's value replaced by that of the first patient with the same time.

    Parameters
    ----------
    values : array (patients, cohorts)
        Not negative, never falling down the patients.
    table : Table

    Returns
    -------
    array (patients, cohorts)

    Examples
    --------
    >>> held_back(np.array([[1], [2], [3]]), next(tables([5, 7, 7], [1, 1, 1])[1])[1])[:, 0].tolist()
    [1, 2, 2]
    """
    return running(np.maximum, values * ~table.tied)


def held_forward(values: np.ndarray, table: Table) -> np.ndarray:
    """Everybody's value replaced by that of the last patient with the same time.

    Parameters
    ----------
    values : array (patients, cohorts) of whole numbers
        Never falling down the patients.
    table : Table

    Returns
    -------
    array (patients, cohorts)

    Examples
    --------
    >>> held_forward(np.array([[1], [2], [3]]), next(tables([5, 7, 7], [1, 1, 1])[1])[1])[:, 0].tolist()
    [1, 3, 3]
    """
    followed = np.zeros_like(table.tied)
    followed[:-1] = table.tied[1:]
    beyond = values.dtype.type(len(values) + 1)
    return running(np.minimum, (values * ~followed + beyond * followed)[::-1])[::-1]


def before(values: np.ndarray) -> np.ndarray:
    """Running sum down the patients, each patient's own value not included.

    Examples
    --------
    >>> before(np.array([[1], [2], [3]]))[:, 0].tolist()
    [0, 1, 3]
    """
    shifted = np.zeros_like(values)
    shifted[1:] = values[:-1]
    return running(np.add, shifted)
