"""Many cohorts of one abstract at once, in arrays, and the endpoints that can be read off them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from remission.ensemble.abstract import Abstract

#: How a remission ended.
ONGOING, RELAPSE, DEATH = 0, 1, 2


class Cohorts(NamedTuple):
    """B cohorts of n patients, the other arm's before the reference arm's; arrays of shape (B, n), times in grains.

    `time` ends the remission (or its follow-up) and `code` says how; `front` runs from diagnosis to the start;
    `after` from relapse to death (`dead`) or last contact; `share` is the part of `time` under treatment, 1 to its end;
    `label` is 1 in the other group, 0 in the reference group.
    """

    time: np.ndarray
    code: np.ndarray
    front: np.ndarray
    after: np.ndarray
    dead: np.ndarray
    share: np.ndarray
    label: np.ndarray

    def take(self, rows, fields=None) -> Cohorts:
        """Some of the cohorts; with `fields`, only what these hold is taken and the rest is left out.

        A copy, but of a slice, which is a view.
        """
        if isinstance(rows, slice):
            return Cohorts(*(part[rows] for part in self))
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows  # ndarray.take is three times as fast as an index
        return Cohorts(*(part.take(rows, axis=0) if fields is None or name in fields else part[:0]
                         for name, part in zip(self._fields, self, strict=True)))

    def put(self, rows, others: Cohorts) -> None:
        """Replace some of the cohorts, in place."""
        for mine, other in zip(self, others, strict=True):
            mine[rows] = other


def joined(parts: list[Cohorts]) -> Cohorts:
    """Cohorts of several parts, one after another.

    Examples
    --------
    >>> one = Cohorts(*(np.array([[value]]) for value in (10, 1, 5, 7, True, 0.5, 0)))
    >>> joined([one, one]).time.tolist()
    [[10], [10]]
    """
    return Cohorts(*(np.concatenate(part) for part in zip(*parts, strict=True)))


class Layout(NamedTuple):
    """Where each arm's patients stand, and what this report speaks of beside relapse."""

    arms: dict[str, slice]
    arm: np.ndarray  #: (n,) True in the other arm
    survival: bool
    diagnosis: bool
    treatment: bool
    groups: slice | None


def layout(abstract: Abstract) -> Layout:
    """Lay out the patients of a report.

    Parameters
    ----------
    abstract : Abstract

    Returns
    -------
    Layout

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> layout(read("freireich1963")).arms["placebo"]
    slice(21, 42, None)
    """
    sizes = [arm.patients for arm in abstract.order]
    ends = np.cumsum([0, *sizes]).tolist()
    arms = {arm.key: slice(*ends[place:place + 2]) for place, arm in enumerate(abstract.order)}
    said = abstract.printed_endpoints()
    diagnosis = "survival_from_diagnosis" in said
    return Layout(arms, np.repeat([not arm.reference for arm in abstract.order], sizes),
                  diagnosis or "survival" in said, diagnosis, "treatment" in said,
                  arms[abstract.group_arm] if abstract.group_arm else None)


def endpoint(cohorts: Cohorts, name: str, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of an endpoint, for the patients of one arm or of all.

    Parameters
    ----------
    cohorts : Cohorts
    name : str
        One of `abstract.ENDPOINTS`.
    part : slice
        Of the patients.

    Returns
    -------
    time : array (B, patients)
        Grains from the start; from diagnosis for `survival_from_diagnosis`.
    event : array (B, patients) of bool

    Examples
    --------
    >>> one = Cohorts(*(np.array([[value]]) for value in (10, 1, 5, 7, True, 0.5, 0)))
    >>> [endpoint(one, name, slice(None))[0].tolist() for name in ("relapse", "survival_from_diagnosis", "treatment")]
    [[[10]], [[22]], [[5]]]
    """
    time, code = cohorts.time[:, part], cohorts.code[:, part]
    if name == "relapse":
        return time, code == RELAPSE
    if name == "relapse_or_death":
        return time, code != ONGOING
    if name == "death_in_remission":
        return time, code == DEATH
    if name == "treatment":
        share = cohorts.share[:, part]
        # Whoever is treated to the end of an ongoing remission has not stopped yet.
        return np.floor(share * time).astype(time.dtype), (share < 1) | (code != ONGOING)
    relapsed = code == RELAPSE
    lived = time + cohorts.after[:, part] * relapsed
    died = (code == DEATH) | (cohorts.dead[:, part] & relapsed)
    if name == "follow_up":
        return lived, ~died
    if name == "survival_from_diagnosis":
        return lived + cohorts.front[:, part], died
    return lived, died


def on_one_day(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """How many events of each cohort share their time with another event.

    Parameters
    ----------
    time, event : array (B, patients)
        As `endpoint` gives them.

    Returns
    -------
    array (B,) of int

    Examples
    --------
    >>> on_one_day(np.array([[4, 4, 4, 9, 9, 7]]), np.array([[True, True, False, True, True, True]])).tolist()
    [4]
    """
    # Who has no event gets a time of his own.
    ordered = np.sort(np.where(event, time, -1 - np.arange(time.shape[1])), axis=1)
    same = np.pad(ordered[:, 1:] == ordered[:, :-1], ((0, 0), (1, 1)))
    return (same[:, 1:] | same[:, :-1]).sum(axis=1)
