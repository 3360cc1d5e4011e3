"""A printed abstract as data: who was treated, what is printed, and how each number may be read."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remission import paths
from remission.errors import ContractError, Problem
from remission.study import DAYS

#: What can be asked of an endpoint, with the keys that the quantity needs besides `id`, `quantity` and `printed`.
QUANTITIES = {
    "relapses": ("arm",), "deaths_in_remission": ("arm",), "ongoing": ("arm",),
    "median": ("endpoint", "arm"), "shortest": ("endpoint", "arm"), "longest": ("endpoint", "arm"),
    "ongoing_time": ("arm", "rank"), "survival": ("endpoint", "arm", "at"), "incidence": ("endpoint", "arm", "at"),
    "p": ("endpoint",), "hazard_ratio": ("endpoint",), "hazard_ratio_lower": ("endpoint",),
    "hazard_ratio_upper": ("endpoint",), "rmst_difference": ("endpoint", "at"),
}
COUNTS = ("relapses", "deaths_in_remission", "ongoing")
TIMES = ("median", "shortest", "longest", "ongoing_time", "rmst_difference")
ENDPOINTS = ("relapse", "relapse_or_death", "death_in_remission", "survival", "survival_from_diagnosis", "treatment",
             "follow_up")
TESTS = ("log-rank", "Gehan", "one-sided")
AMONG = ("events", "all")
RULES = ("rounded", "truncated", "exact")
#: A number is inside a window up to this share of the window's bound.
CLOSE = 1e-9
CONTRASTS = ("p", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "rmst_difference")
_KEYS = {"id", "quantity", "endpoint", "arm", "group", "among", "at", "rank", "test", "printed", "unit", "rule",
         "interval", "note"}
_TABLES = {"arms": list, "claims": list, "unused": list, "readings": dict, "groups": dict, "ask": dict}
_TOP = ("title", "citation", "origin", "unit", "grain", "horizon", *_TABLES)


@dataclass(frozen=True)
class Quantity:
    """One number that a cohort has: `at` and times are in grains, `arm` is empty for both arms or their contrast."""

    kind: str
    endpoint: str = ""
    arm: str = ""
    group: str = ""
    among: str = "events"
    at: float = 0.0
    rank: int = 0
    test: str = "log-rank"


@dataclass(frozen=True)
class Claim:
    """A printed number: a cohort agrees when `quantity` lies in [lower, upper), or [lower, upper] when closed."""

    id: str
    quantity: Quantity
    lower: float
    upper: float
    closed: bool
    printed: str

    def holds(self, value):
        """Whether values agree with what is printed; NaN does not.

        Examples
        --------
        >>> Claim("R07", Quantity("p", "relapse"), 0.065, 0.075, False, "0.07").holds(0.0649)
        False
        """
        low, high = self.limits
        return (value >= low) & (value <= high)

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest number that agrees."""
        low, high = (bound if math.isinf(bound) else bound + side * CLOSE * max(1.0, abs(bound))
                     for bound, side in ((self.lower, -1), (self.upper, 1 if self.closed else -1)))
        return low, high if self.closed or math.isinf(high) else math.nextafter(high, -math.inf)


@dataclass(frozen=True)
class Arm:
    """One arm: its size is printed; what became of its patients may be."""

    key: str
    label: str
    patients: int
    reference: bool


@dataclass(frozen=True)
class Abstract:
    """A report read from TOML. Times are in grains: whole numbers of the finest unit that its cohort's times have."""

    name: str
    title: str
    citation: str
    origin: str
    unit: str
    grain: str
    horizon: int
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    group_arm: str
    groups: tuple[str, ...]
    at: tuple[float, ...]
    rmst: tuple[float, ...]
    readings: dict[str, str]
    reading: tuple[str, ...]
    unused: dict[str, str]

    @property
    def per_unit(self) -> float:
        """Grains in one unit of the report."""
        return DAYS[self.unit] / DAYS[self.grain]

    @property
    def order(self) -> tuple[Arm, ...]:
        """The other arm first, then the reference: the order of patients in every array."""
        return tuple(sorted(self.arms, key=lambda arm: arm.reference))

    @property
    def contrast(self) -> str:
        """Such as `IFN+IM vs IM`; empty with one arm."""
        return " vs ".join(arm.key for arm in self.order) if len(self.arms) == 2 else ""

    def printed_endpoints(self) -> set[str]:
        """Endpoints that any claim speaks of."""
        return {claim.quantity.endpoint for claim in self.claims}

    @property
    def competing(self) -> bool:
        """Whether the report knows deaths in remission; where it does not, there are none."""
        return any(claim.quantity.kind == "deaths_in_remission"
                   or claim.quantity.endpoint in ("relapse_or_death", "death_in_remission") for claim in self.claims)

    def count(self, arm: str, kind: str) -> int | None:
        """Printed number of patients of an arm with an outcome, or None; what is left of three is known with two."""
        said = {} if self.competing else {"deaths_in_remission": 0}
        said |= {claim.quantity.kind: int(claim.lower) for claim in self.claims
                 if claim.quantity.arm == arm and not claim.quantity.group and claim.quantity.kind in COUNTS
                 and claim.lower == claim.upper}
        if len(said) == 2 and kind not in said:
            return next(one.patients for one in self.arms if one.key == arm) - sum(said.values())
        return said.get(kind)


def read(source: str | Path, reading: str | tuple[str, ...] = ()) -> Abstract:
    """Read an abstract.

    Parameters
    ----------
    source : str or Path
        A cohort that has an `abstract.toml`, or the path of a TOML file.
    reading : str or tuple of str
        Readings to switch on, by their names in the file; without any, every claim stands as its row says.

    Returns
    -------
    Abstract

    Raises
    ------
    ContractError
        When the file is missing or says what cannot be; every fault at once.

    Examples
    --------
    >>> read("freireich1963").contrast
    '6-MP vs placebo'
    """
    path = Path(source) if str(source).endswith(".toml") else paths.raw(str(source)) / "abstract.toml"
    name = path.parent.name if path.name == "abstract.toml" else path.stem
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ContractError(name, [_fault("", f"{paths.shown(path)} not found", "write one, as docs/abstracts.md "
                                          "says, or give the path of another")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ContractError(name, [_fault("", f"not readable: {error}", "mend that line")]) from None
    return build(name, given, reading)


def build(name: str, given: dict[str, Any], reading: str | tuple[str, ...] = ()) -> Abstract:
    """Make an abstract of what a TOML file holds.

    Parameters
    ----------
    name : str
    given : dict
        As from `tomllib`.
    reading : str or tuple of str

    Returns
    -------
    Abstract

    Raises
    ------
    ContractError
        Every fault at once.

    Examples
    --------
    >>> build("x", {"arms": [{"key": "A", "patients": 3}], "unit": "year", "horizon": 5, "claims": [
    ...     {"id": "a", "quantity": "median", "endpoint": "relapse", "arm": "A", "printed": "2.2"}]}).claims[0].upper
    821.8125
    """
    reading = (reading,) if isinstance(reading, str) else tuple(reading)
    if problems := _shape(given):
        raise ContractError(name, problems)
    problems = _head(given)
    rows = [dict(row) for row in given.get("claims", [])]
    switches = given.get("readings", {})
    for chosen in reading:
        if chosen not in switches:
            problems.append(_fault("readings", f"no reading {chosen!r}", f"one of {', '.join(switches) or 'none'}"))
            continue
        rows = _switch(rows, switches[chosen], chosen, problems)
    if problems:
        raise ContractError(name, problems)
    unit, grain = given.get("unit", "year"), given.get("grain", "day")
    arms = tuple(Arm(arm["key"], arm.get("label", arm["key"]), arm["patients"], arm.get("reference", False))
                 for arm in given["arms"])
    groups = given.get("groups", {})
    names = (groups["reference"], groups["other"]) if groups else ()
    made = []
    for number, row in enumerate(rows, 1):
        fault = _wrong(row, number, {arm.key: groups.get("arm") == arm.key for arm in arms}, names)
        (problems if fault else made).append(fault or _claim(row, unit, grain))
    twice = sorted({row.id for row in made if sum(other.id == row.id for other in made) > 1})
    problems += [_fault("claims", f"id {one} stands twice", "give each claim an id of its own") for one in twice]
    if problems:
        raise ContractError(name, problems)
    per = DAYS[unit] / DAYS[grain]
    ask = given.get("ask", {})
    return Abstract(
        name, given.get("title", name), given.get("citation", ""), given.get("origin", "start"), unit, grain,
        math.ceil(given["horizon"] * per), arms, tuple(made), groups.get("arm", ""), names,
        tuple(at * per for at in ask.get("survival", [])), tuple(at * per for at in ask.get("rmst", [])),
        {key: switch.get("about", "") for key, switch in switches.items()}, reading,
        {row["what"]: row["why"] for row in given.get("unused", [])})


def without(abstract: Abstract, *ids: str) -> Abstract:
    """An abstract that does not print some of its claims.

    Examples
    --------
    >>> whole = read("freireich1963")
    >>> len(whole.claims) - len(without(whole, whole.claims[0].id).claims)
    1
    """
    return replace(abstract, claims=tuple(claim for claim in abstract.claims if claim.id not in ids))


def window(printed: str, rule: str) -> tuple[float, float, bool]:
    """Interval of the values that print as given.

    Parameters
    ----------
    printed : str
        A decimal number (its digits say how it was rounded), `not reached`, or `<0.001`.
    rule : str
        `rounded` (half up), `truncated` or `exact`.

    Returns
    -------
    lower, upper, closed

    Raises
    ------
    ValueError
        When the text is none of these.

    Examples
    --------
    >>> window("2.2", "truncated"), window("not reached", "rounded"), window("<0.001", "rounded")
    ((2.2, 2.3, False), (inf, inf, True), (0.0, 0.001, False))
    """
    text = printed.strip()
    if text == "not reached":
        return math.inf, math.inf, True
    if found := re.fullmatch(r"<\s*(\d*\.?\d+)", text):
        return 0.0, float(found[1]), False
    if not (found := re.fullmatch(r"-?\d+(?:\.(\d+))?", text)):
        raise ValueError(text)
    value, digits = float(text), len(found[1] or "")
    if rule == "exact":
        return value, value, True
    step = 10.0 ** -digits
    low = value - step / 2 if rule == "rounded" else value
    return round(low, digits + 2), round(low + step, digits + 2), False


def _wrong(row: dict, number: int, arms: dict[str, bool], groups: tuple[str, ...]) -> Problem | None:
    """What is wrong with a row, if anything; `arms` says of each whether it is the one with groups."""
    where = f"claims[{row.get('id', number)}]"
    kind = row.get("quantity")
    if kind not in QUANTITIES:
        return _fault(where, f"unknown quantity {kind!r}", f"one of {', '.join(QUANTITIES)}")
    if wrong := sorted(set(row) - _KEYS):
        return _fault(where, f"unknown key {wrong[0]!r}", f"one of {', '.join(sorted(_KEYS))}")
    if lacking := [key for key in ("id", *QUANTITIES[kind]) if key not in row]:
        return _fault(where, f"a {kind} needs {', '.join(lacking)}", "add it")
    for key, allowed in (("endpoint", ENDPOINTS), ("arm", [*arms, ""]), ("group", [*groups, ""]), ("test", TESTS),
                         ("among", AMONG), ("rule", RULES), ("unit", list(DAYS))):
        if key in row and row[key] not in allowed:
            return _fault(where, f"{key} {row[key]!r} is unknown", f"one of {', '.join(map(repr, allowed))}")
    if not isinstance(row["id"], str):
        return _fault(where, "an id is text", 'write id = "R01"')
    if "at" in row and not (_number(row["at"]) and 0 <= row["at"] < math.inf):
        return _fault(where, f"at {row['at']!r} is not a time", "write at = 2, in the unit of the report")
    if "rank" in row and not (_number(row["rank"]) and row["rank"] >= 1 and row["rank"] % 1 == 0):
        return _fault(where, f"rank {row['rank']!r} is not a place in an order", "write rank = 1 for the shortest")
    arm = row.get("arm", "")
    if row.get("group") and not arms.get(arm):
        return _fault(where, f"group {row['group']!r} is not one of arm {arm!r}", "name the arm that [groups] divides")
    if kind in CONTRASTS and not (arms.get(arm) if arm else len(arms) == 2):
        return _fault(where, f"a {kind} compares two arms, or the groups of the arm it names",
                      "leave arm out to compare two arms, or add [groups]")
    return _unreadable(row, where, kind)


def _unreadable(row: dict, where: str, kind: str) -> Problem | None:
    """What is wrong with the number itself, if anything."""
    if "interval" in row:
        ends = row["interval"]
        if not (isinstance(ends, list) and len(ends) == 2 and all(map(_number, ends)) and ends[0] <= ends[1]):
            return _fault(where, f"interval {ends!r} is not two numbers in order", "write interval = [0.05, 1]")
        return None
    printed = row.get("printed")
    try:
        if not isinstance(printed, str):
            raise ValueError(printed)
        window(printed, row.get("rule", "rounded"))
    except ValueError:
        return _fault(where, f"{printed!r} is not a printed number",
                      "write it as printed, in quotes, or give interval = [lower, upper]")
    if printed.strip() == "not reached" and kind != "median":
        return _fault(where, f"a {kind} cannot be 'not reached'", "give interval = [lower, upper]")
    return None


def _claim(row: dict, unit: str, grain: str) -> Claim:
    """One row, without fault, as a claim."""
    kind = row["quantity"]
    exact = "exact" if kind in COUNTS else "rounded"
    low, high, closed = (*row["interval"], True) if "interval" in row else window(
        row["printed"], row.get("rule", exact))
    factor = DAYS[row.get("unit", unit)] / DAYS[grain] if kind in TIMES else 1.0
    quantity = Quantity(kind, row.get("endpoint", "relapse"), row.get("arm", ""), row.get("group", ""),
                        row.get("among", "events"), row.get("at", 0) * DAYS[unit] / DAYS[grain],
                        int(row.get("rank", 0)), row.get("test", "log-rank"))
    return Claim(row["id"], quantity, float(low) * factor, float(high) * factor, bool(closed),
                 str(row.get("printed", "")))


def _switch(rows: list[dict], switch: dict[str, Any], name: str, problems: list[Problem]) -> list[dict]:
    """Rows under a reading: keys replaced, or a claim dropped."""
    known = {row.get("id") for row in rows}
    changes = {key: value for key, value in switch.items() if key != "about"}
    problems += [_fault(f"readings.{name}", f"no claim {key}", "name a claim's id") for key in changes
                 if key not in known]
    made = []
    for row in rows:
        change = changes.get(row.get("id"), {})
        if not change.get("drop"):
            made.append(row | {key: value for key, value in change.items() if key != "drop"})
    return made


def _shape(given: dict[str, Any]) -> list[Problem]:
    """Tables that are none, and keys that nothing reads."""
    problems = [_fault(key, "unknown key", f"one of {', '.join(_TOP)}") for key in given if key not in _TOP]
    for key, kind in _TABLES.items():
        rows = given.get(key, kind())
        if not isinstance(rows, kind) or (kind is list and not all(isinstance(row, dict) for row in rows)):
            problems.append(_fault(key, "not a table", f"write [[{key}]]" if kind is list else f"write [{key}]"))
    readings = given.get("readings")
    for name, switch in readings.items() if isinstance(readings, dict) else ():
        if not isinstance(switch, dict) or not all(isinstance(change, dict) for key, change in switch.items()
                                                   if key != "about"):
            problems.append(_fault(f"readings.{name}", "a reading changes keys of claims",
                                   'write R03 = { among = "all" } below [readings."name"]'))
    return problems


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _head(given: dict[str, Any]) -> list[Problem]:
    """Faults of everything but the claims."""
    problems = []
    arms = given.get("arms", [])
    for number, arm in enumerate(arms, 1):
        patients = arm.get("patients")
        if not arm.get("key") or not isinstance(arm["key"], str) or type(patients) is not int or patients < 1:
            problems.append(_fault(f"arms[{number}]", "an arm needs a key and a number of patients",
                                   'write key = "A" and patients = 20'))
        if wrong := sorted(set(arm) - {"key", "label", "patients", "reference"}):
            problems.append(_fault(f"arms[{number}]", f"unknown key {wrong[0]!r}",
                                   "one of key, label, patients, reference"))
    if len(arms) == 2 and arms[0].get("key") == arms[1].get("key"):
        problems.append(_fault("arms", "both arms have one key", "give each a key of its own"))
    if len(arms) not in (1, 2):
        problems.append(_fault("arms", f"{len(arms)} arms", "give one arm, or two of which one is the reference"))
    if len(arms) == 2 and sum(bool(arm.get("reference")) for arm in arms) != 1:
        problems.append(_fault("arms", "exactly one of two arms must have reference = true", "mark the control arm"))
    if not _number(given.get("horizon")) or not 0 < given["horizon"] < math.inf:
        problems.append(_fault("horizon", "the longest time that anybody can have been followed is missing",
                               "write horizon = 12, in the unit of the report"))
    problems += [_fault(key, f"unknown unit {given[key]!r}", f"one of {', '.join(DAYS)}") for key in ("unit", "grain")
                 if key in given and given[key] not in DAYS]
    for key, times in given.get("ask", {}).items():
        if key not in ("survival", "rmst") or not isinstance(times, list) or not all(
                _number(one) and 0 < one < math.inf for one in times):
            problems.append(_fault(f"ask.{key}", "not a list of times to ask for",
                                   "write survival = [1, 2] or rmst = [5] below [ask]"))
    problems += [_fault(f"unused[{number}]", "what is left out needs what and why", "write both, as text")
                 for number, row in enumerate(given.get("unused", []), 1)
                 if not all(isinstance(row.get(key), str) for key in ("what", "why"))]
    groups = given.get("groups")
    if groups and (groups.get("arm") not in {arm.get("key") for arm in arms} or not groups.get("reference")
                   or not groups.get("other") or groups["reference"] == groups["other"]):
        problems.append(_fault("groups", "groups need an arm of this report, reference and other",
                               'write arm = "A", reference = "good", other = "poor"'))
    if not given.get("claims"):
        problems.append(_fault("claims", "nothing is printed", "add a [[claims]] row for every printed number"))
    return problems


def _fault(where: str, what: str, mend: str) -> Problem:
    return Problem("abstract.toml", where, (), what, mend)
