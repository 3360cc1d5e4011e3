"""Which printed claims cannot hold together, as proofs.

A conflict is a smallest set of claims that no cohort satisfies: leave out any of them, and the rest is no longer shown
to be impossible. The proof is the solver's, from rows that every cohort must satisfy (`ensemble.linear`). Where there
is none, that is no proof that a cohort exists; only a cohort is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from remission.ensemble import linear
from remission.ensemble.abstract import COUNTS, TIMES, Abstract, Claim

COLUMNS = ["conflict", "claim", "says", "printed", "at least", "at most"]
#: Questions to the solver before the list of conflicts is cut short.
QUESTIONS = 2000
_KINDS = {"relapses": "relapses", "deaths_in_remission": "deaths in remission", "ongoing": "ongoing remissions",
          "median": "median", "shortest": "shortest", "longest": "longest", "survival": "share without"}
_ENDPOINTS = {"relapse": "time to relapse", "relapse_or_death": "time to relapse or death",
              "death_in_remission": "time to death in remission", "survival": "survival",
              "survival_from_diagnosis": "survival from diagnosis", "treatment": "time on treatment"}
_EVENTS = {"relapse": "relapse", "relapse_or_death": "relapse or death", "treatment": "the end of treatment"}


def not_decided(abstract: Abstract) -> tuple[str, ...]:
    """Claims that the proofs leave out: p-values, ratios, restricted means and what else is not linear.

    Parameters
    ----------
    abstract : Abstract

    Returns
    -------
    tuple of str
        Their ids.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> not_decided(read("freireich1963"))
    ('A05',)
    """
    return tuple(claim.id for claim in abstract.claims if not linear.decidable(claim))


def feasible(abstract: Abstract, ids: Iterable[str] | None = None) -> bool:
    """Whether claims are not shown to be impossible together.

    Parameters
    ----------
    abstract : Abstract
    ids : iterable of str, optional
        Claims to look at; all of them by default. Those in `not_decided` are passed over.

    Returns
    -------
    bool
        False is a proof. True is none: conditions between endpoints are only necessary ones.

    Raises
    ------
    ValueError
        An id is not one of the abstract's.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> worded = read("ash2012_reconstructed", "as worded")
    >>> feasible(worded, ["R03", "F01"]), feasible(worded, ["R03", "F04"])
    (True, False)
    """
    return linear.solve(abstract, _chosen(abstract, ids)) is not None


def conflicts(abstract: Abstract, most: int = 20, known: Iterable[frozenset[str]] = ()) -> list[tuple[str, ...]]:
    """All smallest sets of claims that cannot hold together.

    Parameters
    ----------
    abstract : Abstract
    most : int
        Stop after so many.
    known : iterable of frozenset of str
        Claims that some cohort agrees with together, so that no programme need be asked about them.

    Returns
    -------
    list of tuple of str
        Claim ids in the order of the abstract; small sets first.

    Source
    ------
    Reiter, A theory of diagnosis from first principles, Artificial Intelligence 1987;32:57: hitting-set tree, each
    label made minimal by leaving out one claim after another.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> conflicts(read("freireich1963"))
    []
    """
    order = {claim.id: number for number, claim in enumerate(_chosen(abstract, None))}
    ask = _Answers(abstract, known)
    found: list[frozenset[str]] = []
    queue, seen = [frozenset()], {frozenset()}
    for left_out in queue:  # grows while it is read
        if len(found) >= most or ask.questions > QUESTIONS:
            break
        label = next((one for one in found if not one & left_out), None)
        if label is None:
            rest = frozenset(order) - left_out
            if ask(rest):
                continue
            label = _smallest(rest, order, ask)
            if linear.solve(abstract, _chosen(abstract, label), presolve=False) is None:  # a second way finds the same
                found.append(label)
        for one in sorted(label, key=order.get):
            if left_out | {one} not in seen:
                seen.add(left_out | {one})
                queue.append(left_out | {one})
    return sorted((tuple(sorted(one, key=order.get)) for one in found),
                  key=lambda ids: (len(ids), [order[one] for one in ids]))


def table(abstract: Abstract, found: list[tuple[str, ...]] | None = None) -> pd.DataFrame:
    """Conflicts claim by claim, in words.

    Parameters
    ----------
    abstract : Abstract
    found : list of tuple of str, optional
        From `conflicts`, which is called without it.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; the bounds of a time are in the unit of the report.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> table(read("ash2012_reconstructed", "as worded"), [("R03", "F04")])[["claim", "at least"]].values.tolist()
    [['R03', '9.45 years'], ['F04', '10.35 years']]
    """
    found = conflicts(abstract) if found is None else found
    claims = {claim.id: claim for claim in abstract.claims}
    rows = [(number, one, words(abstract, claims[one]), claims[one].printed, _bound(abstract, claims[one], "lower"),
             _bound(abstract, claims[one], "upper")) for number, ids in enumerate(found, 1) for one in ids]
    return pd.DataFrame(rows, columns=COLUMNS)


def words(abstract: Abstract, claim: Claim) -> str:
    """What a claim says, without its number.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> worded = read("ash2012_reconstructed", "as worded")
    >>> [words(worded, claim) for claim in worded.claims if claim.id in ("R03", "F04", "F06")]
    ['relapses, IFN+IM', 'longest time to relapse of all patients, IFN+IM', 'ongoing remission 3, IFN+IM']
    """
    asked = claim.quantity
    whom = f"{asked.arm or 'both arms'}{f' ({asked.group})' if asked.group else ''}"
    if asked.kind in COUNTS:
        return f"{_KINDS[asked.kind]}, {whom}"
    if asked.kind == "ongoing_time":
        return f"ongoing remission {asked.rank}, {whom}"
    endpoint = _ENDPOINTS.get(asked.endpoint, asked.endpoint.replace("_", " "))
    if asked.kind == "survival":
        at = f"{asked.at / abstract.per_unit:.4g} {abstract.unit}s"
        return f"{_KINDS['survival']} {_EVENTS.get(asked.endpoint, 'death')} at {at}, {whom}"
    among = " of all patients" if asked.kind != "median" and asked.among == "all" else ""
    return f"{_KINDS.get(asked.kind, asked.kind)} {endpoint}{among}, {whom}"


def reading(abstract: Abstract, found: list[tuple[str, ...]] | None = None) -> str:
    """Say in one sentence what cannot hold together.

    Parameters
    ----------
    abstract : Abstract
    found : list of tuple of str, optional
        From `conflicts`, which is called without it.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> print(reading(read("freireich1963"), []))
    None of 8 claims are shown to exclude each other, which is no proof that a cohort exists (not decided: A05).
    """
    found = conflicts(abstract) if found is None else found
    left = not_decided(abstract)
    aside = f" (not decided: {', '.join(left)})" if left else ""
    if not found:
        return (f"None of {len(abstract.claims) - len(left)} claims are shown to exclude each other, which is no proof "
                f"that a cohort exists{aside}.")
    printed = {claim.id: f"{claim.id} ({claim.printed})" for claim in abstract.claims}
    sets = "; ".join(" with ".join(printed[one] for one in ids) for ids in found)
    return f"No cohort can have, together: {sets}{aside}."


class _Answers:
    """What is known of sets of claims: a part of a possible set is possible, what holds an impossible one is not."""

    def __init__(self, abstract: Abstract, known: Iterable[frozenset[str]] = ()):
        self.abstract, self.questions = abstract, 0
        self.possible: list[frozenset[str]] = list(known)
        self.impossible: list[frozenset[str]] = []

    def __call__(self, ids: frozenset[str]) -> bool:
        if any(ids <= one for one in self.possible):
            return True
        if any(one <= ids for one in self.impossible):
            return False
        self.questions += 1
        answer = feasible(self.abstract, ids)
        (self.possible if answer else self.impossible).append(ids)
        return answer


def _smallest(ids: frozenset[str], order: dict[str, int], ask: _Answers) -> frozenset[str]:
    """An impossible set of which every part is possible: halves first, then single claims are left out."""
    kept, size = sorted(ids, key=order.get), len(ids)
    while size:
        size = max(1, size // 2) if size > 1 else 0
        start = 0
        while size and start < len(kept):
            shorter = kept[:start] + kept[start + size:]
            if shorter and not ask(frozenset(shorter)):
                kept = shorter
            else:
                start += size
    return frozenset(kept)


def _chosen(abstract: Abstract, ids: Iterable[str] | None) -> list[Claim]:
    """Claims that can be put into rows, in the order of the abstract."""
    wanted = {claim.id for claim in abstract.claims} if ids is None else set(ids)
    if unknown := sorted(wanted - {claim.id for claim in abstract.claims}):
        raise ValueError(f"no claim {', '.join(unknown)}")
    return [claim for claim in abstract.claims if claim.id in wanted and linear.decidable(claim)]


def _bound(abstract: Abstract, claim: Claim, side: str) -> str:
    """One end of a claim's window; `below` where the end itself is left out."""
    value = getattr(claim, side)
    if math.isinf(value):
        return "not reached"
    below = "below " if side == "upper" and not claim.closed else ""
    if claim.quantity.kind in TIMES:
        return f"{below}{value / abstract.per_unit:.4g} {abstract.unit}s"
    return f"{below}{value:.6g}"
