"""The risk table of many cohorts at once: every patient in order of time, one column a cohort.

Statistics read the table downwards, one patient position after another, all cohorts of a chunk abreast. Events come
before censorings on the same day, so a patient censored on the day of an event is at risk for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

#: Numbers in one array of a chunk: large enough to drown numpy's overhead, small enough to stay in the cache.
CHUNK = 1 << 17
#: From so many cohorts abreast a table is swept position by position; below, numpy accumulates down each column.
ABREAST = 200

# glibc hands arrays of a chunk's size back to the kernel at once, and fresh pages for the next take longer than the
# arithmetic (two to three times at 4,000 cohorts), until it has seen a larger array go. This one is never touched.
np.empty(31 << 20, np.uint8)


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

    def time_of(self, place: np.ndarray) -> np.ndarray:
        """Time at one position of every column, as floats."""
        return self.time[place, np.arange(self.time.shape[1])].astype(float) + self.origin

    def until(self, moment: float) -> np.ndarray:
        """Number of patients whose time is at most a moment, by cohort."""
        moment -= self.origin
        if self.time.dtype.kind in "iu" and math.isfinite(moment):
            moment = math.floor(moment)  # whole numbers compare without being turned into floats
        return tally(self.time <= moment)


def tables(time, event, payload=None, bits: int = 0) -> tuple[int, Iterator[tuple[slice, Table]]]:
    """Number of cohorts, and their risk tables chunk by chunk.

    Parameters
    ----------
    time, event : array (B, n) or (n,)
        Times are numbers; events are bool or 0 and 1.
    payload : array (B, n) or (n,), optional
        Whole numbers of `bits` bits that travel with the patients; bool is a payload of one bit.
    bits : int
        Width of the payload; 0 without one.

    Returns
    -------
    tuple
        Number of cohorts B, and an iterator over (slice of the cohorts, `Table`).

    Raises
    ------
    ValueError
        The shapes do not fit, or (from the iterator) a time is missing.

    Examples
    --------
    >>> count, parts = tables([[3, 1, 2]], [[True, False, True]])
    >>> [table.times().T.tolist() for _, table in parts]
    [[[1.0, 2.0, 3.0]]]
    """
    given = [_rows(one) for one in (time, event, payload) if one is not None]
    shapes = {one.shape for one in given}
    count, patients = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    if given[0].dtype.kind not in "iuf":
        given[0] = given[0].astype(float)
    given = [one if one.shape[1] == patients else np.broadcast_to(one, (len(one), patients)) for one in given]
    return count, _chunks(count, patients, given, bits)


def _rows(values) -> np.ndarray:
    """An array with a row for every cohort."""
    values = np.asarray(values)
    return values if values.ndim == 2 else np.atleast_2d(values)


def _chunks(count: int, patients: int, given: list[np.ndarray], bits: int) -> Iterator[tuple[slice, Table]]:
    """Cut into chunks; a cohort whose times and events never change is put in order once."""
    step = max(1, CHUNK // max(patients, 1))
    fixed = count > 1 and all(len(one) == 1 for one in given[:2])
    if fixed:
        order, table = _order_once(given[0], given[1].astype(bool, copy=False))
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        if fixed:
            mine = None if len(given) < 3 else np.ascontiguousarray(given[2][part][:, order].T)
            yield part, table._replace(payload=mine.astype(bool, copy=False) if bits == 1 else mine)
            continue
        rows = [one if len(one) == 1 else one[part] for one in given]
        yield part, _table(rows[0], rows[1].astype(bool, copy=False), rows[2] if len(rows) > 2 else None, bits)


def _order_once(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, Table]:
    """Order of one cohort's patients, and its table of a single column."""
    order = np.lexsort((~event[0], time[0]))
    column = time[0][order][:, None]
    _refuse_missing(column[-1:])
    return order, Table(column, 0.0, event[0][order][:, None], _tied(column), None)


def _table(time: np.ndarray, event: np.ndarray, payload: np.ndarray | None, bits: int) -> Table:
    """Put a chunk in order: as packed keys where times and flags fit into one word, anything else by index."""
    flags = ~event
    if bits:
        # Bytes as long as they hold the payload: they cost an eighth of a long number.
        flags = flags.view(np.uint8) if bits < 8 else flags.astype(np.uint32)
        mine = payload.astype(bool, copy=False) if bits == 1 else payload
        flags = flags << flags.dtype.type(bits) | mine.astype(flags.dtype, copy=False)
    keys, origin = _keys(time, bits + 1)
    if keys is not None:
        keys = _sorted(keys, flags)
        return _unpacked(keys >> keys.dtype.type(bits + 1), origin, keys, bits)
    keys, least = _float_keys(time, bits + 1)
    if keys is not None:
        keys = _sorted(keys, flags)
        return _unpacked(((keys >> np.uint64(bits + 1)) + least).view(np.float64), 0.0, keys, bits)
    time, flags = np.broadcast_arrays(time, flags)
    order = np.argsort(time, axis=1)
    ordered = np.take_along_axis(time, order, axis=1)
    _refuse_missing(ordered[:, -1:])
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        order = np.lexsort((flags, time), axis=1)
    keys = np.ascontiguousarray(np.take_along_axis(flags, order, axis=1).T)
    return _unpacked(np.ascontiguousarray(ordered.T), 0.0, keys, bits)


def _refuse_missing(latest: np.ndarray) -> None:
    """Refuse times that are not numbers; sorting puts these last."""
    if latest.dtype.kind == "f" and np.isnan(latest).any():
        raise ValueError("a time is missing")


def _unpacked(ordered: np.ndarray, origin: float, keys: np.ndarray, bits: int) -> Table:
    """Table of times in order and keys that hold, from the low end, the payload and a bit for censored."""
    if not bits:
        return Table(ordered, origin, (keys & keys.dtype.type(1)) == 0, _tied(ordered), None)
    flags = keys.astype(np.uint8 if bits < 8 else np.uint32, copy=False)
    kind = flags.dtype.type
    return Table(ordered, origin, (flags & kind(1 << bits)) == 0, _tied(ordered), flags & kind((1 << bits) - 1))


def _keys(time: np.ndarray, shift: int) -> tuple[np.ndarray | None, float]:
    """Times as whole numbers moved up by some bits, and what they are counted from; None where they do not fit."""
    if time.size == 0:
        return None, 0.0
    low, high = time.min(), time.max()
    if time.dtype.kind == "f":
        if not (abs(low) < 2**40 and abs(high) < 2**40):
            return None, 0.0
        whole = time.astype(np.int64)
        if not (whole == time).all():
            return None, 0.0
        time = whole
    low, high = int(low), int(high)
    if low >= 0 and high.bit_length() + shift <= 32:
        low = 0  # short enough as they are
    width = (high - low).bit_length() + shift
    if width > 63:
        return None, 0.0
    kind = np.uint32 if width <= 32 else np.uint64
    keys = np.subtract(time, low, dtype=np.int64).astype(kind) if low else time.astype(kind)
    keys <<= kind(shift)
    return keys, float(low)


def _float_keys(time: np.ndarray, shift: int) -> tuple[np.ndarray | None, np.uint64]:
    """Times as words in the order of their size moved up by some bits, and the least word; None where they do not fit.

    The bits of floats that are not negative, read as whole numbers, are in the order of the floats (IEEE 754), and
    equal where these are. Words are sorted three times as fast as indices are.
    """
    if time.size == 0 or time.dtype != np.float64 or not time.min() >= 0:  # nor where a time is missing
        return None, np.uint64(0)
    words = (time + 0.0).view(np.uint64)  # no minus zero
    least = words.min()
    if (int(words.max()) - int(least)).bit_length() + shift > 64:
        return None, np.uint64(0)
    return (words - least) << np.uint64(shift), least


def _sorted(keys: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Keys with their flags in order, a column a cohort."""
    keys = keys | flags
    keys.sort(axis=1)
    return np.ascontiguousarray(keys.T)


def _tied(ordered: np.ndarray) -> np.ndarray:
    """Which patients share the time of the patient before."""
    tied = np.empty(ordered.shape, bool)
    tied[:1] = False
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
    above = values[0]
    for row in values[1:]:
        above = ufunc(above, row, out=row)
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


def tally(mask: np.ndarray) -> np.ndarray:
    """Number of True down each column: narrow numbers are quick ones.

    Examples
    --------
    >>> tally(np.array([[True, False], [True, True]])).tolist()
    [2, 1]
    """
    kind = np.int8 if len(mask) < 2**7 else np.int32
    return np.add.reduce(mask.view(np.int8), axis=0, dtype=kind).astype(np.intp)
