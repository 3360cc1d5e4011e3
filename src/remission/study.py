"""What a cohort is: `study.toml` read into one frozen object."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from typing import Any

from remission import paths
from remission.errors import ContractError, Problem

KINDS = ("reconstructed", "published", "own")
ENDPOINTS = ("TTRLP", "RFS", "OSDX", "OSMT", "MTDUR")
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
    date_order: str = "DMY"
    decimal: str = "."
    endpoints: tuple[str, ...] = ("TTRLP",)
    endpoint_labels: dict[str, str] = field(default_factory=dict)
    dose_plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    ctcae_version: str = "5.0"
    toxicity_unions: dict[str, list[str]] = field(default_factory=dict)
    mrd: dict[str, Any] = field(default_factory=dict)
    known_defects: dict[str, list[str]] = field(default_factory=dict)

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
        raise ContractError(name, [Problem("study.toml", "", (), "file not found", f"make the folder data/raw/{name} "
                                           f"with a study.toml; cohorts here: {', '.join(have)}")])
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(name, [Problem("study.toml", "", (), f"not readable: {error}", "mend that line")]) from None
    return _check(name, given)


def _check(name: str, given: dict[str, Any]) -> Study:
    problems: list[Problem] = []

    def bad(key: str, what: str, mend: str) -> None:
        problems.append(Problem("study.toml", key, (), what, mend))

    for key in ("kind", "title", "citation", "arms"):
        if not given.get(key):
            bad(key, "missing", f"add {key} = …")
    if given.get("kind") and given["kind"] not in KINDS:
        bad("kind", f"{given['kind']!r} is unknown", f"one of {', '.join(KINDS)}")
    time = given.get("time", {})
    for key in ("unit", "report_unit"):
        if time.get(key, "day") not in DAYS:
            bad(f"time.{key}", f"{time[key]!r} is unknown", f"one of {', '.join(DAYS)}")
    if time.get("date_order", "DMY") not in ("DMY", "MDY", "YMD"):
        bad("time.date_order", f"{time['date_order']!r} is unknown", "one of DMY, MDY, YMD")
    if given.get("decimal", ".") not in (".", ","):
        bad("decimal", f"{given['decimal']!r} is unknown", "'.' or ','")
    for code in given.get("endpoints", {}):
        if code not in ENDPOINTS:
            bad("endpoints", f"{code!r} is unknown", f"of {', '.join(ENDPOINTS)}")
    arms = []
    for number, arm in enumerate(given.get("arms") or [], 1):
        unknown = sorted(set(arm) - set(Arm.__dataclass_fields__))
        if "key" not in arm or "label" not in arm or unknown:
            bad(f"arms[{number}]", "needs key and label" + (f"; unknown {unknown}" if unknown else ""),
                "key, label, reference, aliases, drugs")
            continue
        arms.append(Arm(arm["key"], arm["label"], arm.get("reference", False),
                        tuple(arm.get("aliases", ())), tuple(arm.get("drugs", ()))))
    if len(arms) > 1 and sum(arm.reference for arm in arms) != 1:
        bad("arms", "exactly one arm must have reference = true", "mark the control arm")
    if problems:
        raise ContractError(name, problems)
    endpoints = given.get("endpoints", {"TTRLP": "time to relapse"})
    fixed = tuple(time.get("fixed_times", (1, 2, 3, 5)))
    return Study(
        name=name, kind=given["kind"], title=given["title"], citation=given["citation"], arms=tuple(arms),
        origin=time.get("origin", "maintenance_start"), origin_label=time.get("origin_label", "start of maintenance"),
        unit=time.get("unit", "day"), report_unit=time.get("report_unit", "year"), fixed_times=fixed,
        rmst_times=tuple(time.get("rmst_times", fixed[-1:])), date_order=time.get("date_order", "DMY"),
        decimal=given.get("decimal", "."), endpoints=tuple(endpoints), endpoint_labels=dict(endpoints),
        dose_plans=given.get("dose", {}), ctcae_version=str(given.get("toxicity", {}).get("ctcae_version", "5.0")),
        toxicity_unions=given.get("toxicity", {}).get("unions", {}), mrd=given.get("mrd", {}),
        known_defects=given.get("known_defects", {}),
    )
