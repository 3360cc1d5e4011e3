"""The quantities that a report leaves unprinted and a reader would ask for."""

from __future__ import annotations

from typing import NamedTuple

from remission.ensemble.abstract import Abstract, Quantity
from remission.ensemble.cohorts import Layout

#: How far the extremes of a quantity may lie apart, at most, for it to count as pinned.
TOLERANCES = {"hazard ratio": 1.15, "probability": 0.06, "p": 0.02, "time": 0.03, "power": 0.05}
ENDPOINT_WORDS = {
    "relapse": "relapse", "relapse_or_death": "relapse or death", "death_in_remission": "death in remission",
    "survival": "death, from the start", "survival_from_diagnosis": "death, from diagnosis",
}


class Target(NamedTuple):
    """A quantity to be bounded.

    `name` is unique; `words` are for readers; `scale` is a key of `TOLERANCES`: ratios are told apart by their
    quotient, times by their difference as a share of the horizon, all else by plain difference.
    """

    name: str
    words: str
    arm: str
    scale: str
    quantity: Quantity


def targets(abstract: Abstract, layout: Layout) -> list[Target]:
    """List what a report leaves open; what it prints outright is left out.

    Parameters
    ----------
    abstract : Abstract
    layout : Layout

    Returns
    -------
    list of Target

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> from remission.ensemble.cohorts import layout
    >>> report = read("freireich1963")
    >>> [target.name for target in targets(report, layout(report))][:2]
    ['hazard_ratio.relapse', 'hazard_ratio_lower.relapse']
    """
    endpoints = ["relapse", *(["relapse_or_death"] if abstract.competing else [])]
    lives = [*(["survival_from_diagnosis"] if layout.diagnosis else []), *(["survival"] if layout.survival else [])]
    made = []
    if abstract.contrast:
        for endpoint in [*endpoints, *lives]:
            made += _comparison(endpoint, abstract)
    for arm in abstract.order:
        dying = abstract.competing and abstract.count(arm.key, "deaths_in_remission") != 0
        for endpoint in [*(endpoints if dying else endpoints[:1]), *lives[:1]]:
            made += [_fraction("survival", endpoint, arm.key, at, abstract) for at in abstract.at]
        if dying:
            made += [_fraction("incidence", cause, arm.key, at, abstract) for cause in ("relapse", "death_in_remission")
                     for at in abstract.at]
        if layout.survival:
            made.append(Target(f"follow_up.{arm.key}", "median follow-up, reverse Kaplan-Meier", arm.key, "time",
                               Quantity("median", "follow_up", arm.key)))
    if layout.groups is not None:
        arm, (reference, other) = abstract.group_arm, abstract.groups
        made += [Target(f"{kind}.{arm}.groups", words, arm, scale, Quantity(kind, "relapse", arm))
                 for kind, words, scale in (
                     ("hazard_ratio", f"hazard ratio of relapse, {other} against {reference}", "hazard ratio"),
                     ("p", f"log-rank p of relapse, {other} against {reference}", "p"),
                     ("power", "power to see the groups' own hazard ratio", "power"))]
    printed = {claim.quantity for claim in abstract.claims if claim.upper - claim.lower < 0.5}
    return [target for target in made if target.quantity not in printed]


def _comparison(endpoint: str, abstract: Abstract) -> list[Target]:
    said, arms = ENDPOINT_WORDS[endpoint], abstract.contrast
    made = [Target(f"{kind}.{endpoint}", words, arms, scale, Quantity(kind, endpoint)) for kind, words, scale in (
        ("hazard_ratio", f"hazard ratio of {said}", "hazard ratio"),
        ("hazard_ratio_lower", f"hazard ratio of {said}, lower 95% limit", "hazard ratio"),
        ("hazard_ratio_upper", f"hazard ratio of {said}, upper 95% limit", "hazard ratio"),
        ("p", f"log-rank p of {said}", "p"))]
    if endpoint in ("relapse", "relapse_or_death"):
        made += [Target(f"rmst_difference.{endpoint}[{at / abstract.per_unit:g}]",
                        f"difference of mean time free of {said} up to {_when(at, abstract)}", arms, "time",
                        Quantity("rmst_difference", endpoint, at=at)) for at in abstract.rmst]
    return made


def _fraction(kind: str, endpoint: str, arm: str, at: float, abstract: Abstract) -> Target:
    said, when = ENDPOINT_WORDS[endpoint], _when(at, abstract)
    words = f"incidence of {said} by {when}" if kind == "incidence" else f"free of {said} at {when}"
    words = words.replace("free of death, from diagnosis", "alive, from diagnosis,").replace(
        "free of death, from the start", "alive, from the start,")
    return Target(f"{kind}.{endpoint}.{arm}[{at / abstract.per_unit:g}]", words, arm, "probability",
                  Quantity(kind, endpoint, arm, at=at))


def _when(at: float, abstract: Abstract) -> str:
    value = at / abstract.per_unit
    return f"{value:g} {abstract.unit}{'' if value == 1 else 's'}"
