"""What a cohort is: `study.toml` read into one frozen object."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from remission import keys, paths
from remission.errors import ContractError, Problem

ENDPOINTS = tuple(keys.ENDPOINTS)
#: Exact length of each unit in days; a month is a twelfth of a Julian year.
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
BANNERS = {
    "reconstructed": "SYNTHETIC COHORT. No patient behind any row: the tables were built so that the published "
    "numbers hold. Agreement with them is by construction and is no evidence.",
    "published": "Real patients, from a published table.",
    "own": "Local cohort: not part of this repository.",
}


@dataclass(frozen=True)
class Arm:
    """One group of patients: `key` as it stands in every table, `label` for readers."""

    key: str
    label: str
    reference: bool = False
    aliases: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A cohort's `study.toml`. Times given by the user are in `unit`; readers see `report_unit`; inside are days."""

    name: str
    kind: str
    title: str
    citation: str
    arms: tuple[Arm, ...]
    origin: str = "maintenance_start"
    origin_label: str = "start of maintenance"
    unit: str = "day"
    report_unit: str = "year"
    fixed_times: tuple[float, ...] = (1, 2, 3, 5)
    rmst_times: tuple[float, ...] = (5,)
    date_order: str | None = None
    serial_epoch: int | None = None
    data_cutoff: dt.date | None = None
    decimal: str = "."
    endpoints: tuple[str, ...] = ("TTRLP",)
    endpoint_labels: dict[str, str] = field(default_factory=dict)
    dose_plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    ctcae_version: str = "5.0"
    toxicity_unions: dict[str, list[str]] = field(default_factory=dict)
    mrd: dict[str, Any] = field(default_factory=dict)
    known_defects: dict[str, list[str]] = field(default_factory=dict)
    suppress_below: int = 0

    @property
    def banner(self) -> str:
        """The sentence that says whether these patients exist."""
        return BANNERS[self.kind]

    @property
    def arm_keys(self) -> tuple[str, ...]:
        """Arm keys in display order."""
        return tuple(arm.key for arm in self.arms)

    @property
    def reference(self) -> str | None:
        """Key of the arm that hazard ratios are read against; None with a single arm."""
        return next((arm.key for arm in self.arms if arm.reference), None) if len(self.arms) > 1 else None

    @property
    def contrast(self) -> str | None:
        """Name of the two-arm comparison as results carry it, such as `IFN+IM vs IM`."""
        if len(self.arms) != 2 or self.reference is None:
            return None
        other = next(key for key in self.arm_keys if key != self.reference)
        return f"{other} vs {self.reference}"


def to_days(value: float, unit: str) -> int:
    """Convert a duration to whole days, half up: the only way time enters the project.

    Parameters
    ----------
    value : float
        Duration in `unit`.
    unit : str
        One of `day`, `week`, `month` (365.25 / 12 days), `year` (365.25 days).

    Returns
    -------
    int
        Days.

    Examples
    --------
    >>> to_days(23, "week"), to_days(6, "month"), to_days(2.2, "year")
    (161, 183, 804)
    """
    return math.floor(value * DAYS[unit] + 0.5)


def from_days(days: float, unit: str) -> float:
    """Convert days to a reader's unit: the only way time leaves the project.

    Examples
    --------
    >>> from_days(161, "week")
    23.0
    """
    return days / DAYS[unit]


def read(name: str) -> Study:
    """Read and check a cohort's `study.toml`.

    Parameters
    ----------
    name : str
        Folder under `data/raw`.

    Returns
    -------
    Study

    Raises
    ------
    ContractError
        When the folder or file is missing, is not TOML, or says something unknown; every fault at once.

    Examples
    --------
    >>> read("freireich1963").reference
    'placebo'
    """
    path = paths.raw(name) / "study.toml"
    if not path.is_file():
        have = sorted(p.parent.name for p in path.parent.parent.glob("*/study.toml"))
        raise ContractError(name, [keys.fault("", "file not found", f"python -m remission.new {name} makes the folder "
                                              f"data/raw/{name} with a study.toml; cohorts here: {', '.join(have)}")])
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ContractError(name, [keys.fault("", f"not readable: {error}", "mend that line")]) from None
    except RecursionError:
        raise ContractError(name, [keys.fault("", "not readable: nested too deeply", "mend that line")]) from None
    return _check(name, given)


#: What stands in for a key that every cohort needs, while it is missing or faulty.
STAND_INS = {"kind": "own", "title": "-", "citation": "-"}


def sketch(name: str, arms: tuple[str, ...] = ()) -> Study | None:
    """As much of a faulty `study.toml` as holds, so that the tables beside it can be looked at.

    Parameters
    ----------
    name : str
    arms : tuple of str
        Texts of `patients.arm`, which stand in for arms that are not yet declared as they must be.

    Returns
    -------
    Study or None
        Faulty keys are left out; None where the file cannot be read, or does not say how dates and numbers are written.

    Examples
    --------
    >>> sketch("wassmann2003").origin
    'imatinib_start'
    """
    try:
        given = tomllib.loads((paths.raw(name) / "study.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    distinct = list({arm.strip().casefold(): arm for arm in arms if arm.strip()}.values()) or ["-"]
    stand_in = [{"key": arm, "label": arm, "reference": arm == distinct[0]} for arm in distinct]
    # Faults between keys are looked for once every key is right by itself.
    for _ in range(3):
        problems = keys.verify(given) or _together(given)
        if not problems:
            return _study(name, given)
        faulty = dict.fromkeys(problem.column for problem in problems)
        if any(key.partition(".")[0] in ("decimal", "time") for key in faulty):
            return None
        for key in faulty:
            if re.match(r"arms(?![^.[])", key):
                given["arms"] = stand_in
            elif key in STAND_INS:
                given[key] = STAND_INS[key]
            else:
                _leave_out(given, key)
    return None


def _leave_out(given: dict[str, Any], key: str) -> None:
    """Delete a key; the section that it may stand in where the key itself is not there."""
    head, _, rest = key.partition(".")
    section = given.get(head)
    if key in given:
        del given[key]
    elif isinstance(section, dict) and rest in section:
        del section[rest]
    elif isinstance(section, dict) and rest.partition(".")[0] in section:
        _leave_out(section, rest)
    else:
        given.pop(head, None)


def _check(name: str, given: dict[str, Any]) -> Study:
    problems = keys.verify(given)
    if not problems:
        problems = _together(given)
    if problems:
        raise ContractError(name, problems)
    return _study(name, given)


def _study(name: str, given: dict[str, Any]) -> Study:
    time, endpoints = given.get("time", {}), given.get("endpoints") or {"TTRLP": "time to relapse"}
    fixed = tuple(time.get("fixed_times", (1, 2, 3, 5)))
    arms = tuple(Arm(arm["key"], arm["label"], arm.get("reference", False), tuple(arm.get("aliases", ())),
                     tuple(arm.get("drugs", ()))) for arm in given["arms"])
    toxicity = given.get("toxicity", {})
    return Study(
        name=name, kind=given["kind"], title=given["title"], citation=given["citation"], arms=arms,
        origin=time.get("origin", "maintenance_start"), origin_label=time.get("origin_label", "start of maintenance"),
        unit=time.get("unit", "day"), report_unit=time.get("report_unit", "year"), fixed_times=fixed,
        rmst_times=tuple(time.get("rmst_times", fixed[-1:])), date_order=time.get("date_order"),
        serial_epoch=time.get("serial_epoch"), data_cutoff=time.get("data_cutoff"),
        decimal=given.get("decimal", "."), endpoints=tuple(endpoints), endpoint_labels=dict(endpoints),
        dose_plans=given.get("dose", {}), ctcae_version=toxicity.get("ctcae_version", "5.0"),
        toxicity_unions=toxicity.get("unions", {}), mrd=given.get("mrd", {}),
        known_defects=given.get("known_defects", {}), suppress_below=given.get("report", {}).get("suppress_below", 0),
    )


def _together(given: dict[str, Any]) -> list[Problem]:
    """What single keys cannot tell: arms that share a name, no arm to compare with, half a dose plan."""
    problems = _arms(given["arms"])
    for drug, plan in given.get("dose", {}).items():
        lacking = [name for name in ("unit", "start", "target", "per_week", "ramp_days") if name not in plan]
        problems += [keys.fault(f"dose.{drug}", f"lacks {', '.join(lacking)}",
                                "complete the plan, or delete it")] if lacking else []
    pairs = {name: given.get("mrd", {}).get(name, (0, 0)) for name in ("start_window_days", "margins")}
    problems += [keys.fault(f"mrd.{name}", "not two numbers, the lower one first", "write it like [-42, 7]")
                 for name, pair in pairs.items() if len(pair) != 2 or pair[0] > pair[1]]
    return problems + [keys.fault(f"known_defects.{place}", "names no column", 'write "table.column" = […]')
                       for place in given.get("known_defects", {}) if place.count(".") != 1]


def _arms(arms: list[dict[str, Any]]) -> list[Problem]:
    problems = []
    if len(arms) > 1 and sum(arm.get("reference", False) for arm in arms) != 1:
        problems.append(keys.fault("arms", "exactly one arm must have reference = true", "mark the control arm"))
    if len({arm["key"] for arm in arms}) < len(arms):
        problems.append(keys.fault("arms", "two arms have the same key", "give each arm a key of its own"))
    named = [(name.strip().casefold(), arm["key"]) for arm in arms
             for name in (arm["key"], arm["label"], *arm.get("aliases", ()))]
    owner = dict(reversed(named))
    return problems + [keys.fault("arms", f"{text!r} names both {owner[text]} and {key}",
                                  "give each arm names of its own")
                       for text, key in dict.fromkeys(named) if owner[text] != key]
