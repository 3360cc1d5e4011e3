"""The catalogue of checks: what each finds, what follows, and how to mend it; one code a check, from `data/checks.csv`.

Codes are stable: S structure, V values and units, O order within a patient, A across tables, P privacy.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

from remission.errors import Problem

#: Kind of a check, by the letter of its code.
KINDS = {"S": "structure", "V": "values", "O": "order", "A": "across", "P": "privacy"}
#: What follows a finding, worst first.
SEVERITIES = {"error": "the run stops", "aside": "the row is set aside, whole, in quarantine",
              "warning": "nothing is changed; a question", "repaired": "changed, and logged"}


@dataclass(frozen=True)
class Check:
    """One check: `severity` holds for required tables, `elsewhere` for the others where that differs.

    `faults` are the words with which a reader's fault begins when this check is meant.
    """

    code: str
    rule: str
    severity: str
    elsewhere: str
    meaning: str
    mend: str
    faults: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Structure, values, order, across or privacy."""
        return KINDS[self.code[0]]


def _load() -> dict[str, Check]:
    with (resources.files("remission") / "data" / "checks.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {row["code"]: Check(**(row | {"faults": tuple(filter(None, row["faults"].split(" | ")))})) for row in rows}


#: Every check, by code, in the order of the catalogue.
CHECKS: dict[str, Check] = _load()
#: The same by rule, the name that the cleaning log and the quarantine carry.
RULES: dict[str, Check] = {check.rule: check for check in CHECKS.values()}
_FAULTS = {words: check for check in CHECKS.values() for words in check.faults}


def code(rule: str) -> str:
    """Code of a rule.

    Raises
    ------
    KeyError
        When the catalogue has no such rule.

    Examples
    --------
    >>> code("laboratory_maximum")
    'V07'
    """
    return RULES[rule].code


def of_fault(words: str) -> Check:
    """Check that a reader's fault belongs to; faults that no check claims are `unreadable_value`.

    Examples
    --------
    >>> of_fault("unknown unit for ANC").rule, of_fault("strange").rule
    ('unknown_unit', 'unreadable_value')
    """
    claims = [start for start in _FAULTS if words.startswith(start)]
    return _FAULTS[max(claims, key=len)] if claims else RULES["unreadable_value"]


def severity(check: Check, required: bool) -> str:
    """What follows a finding of a check in a required table, or in another one.

    Examples
    --------
    >>> severity(RULES["unknown_patient"], required=False)
    'aside'
    """
    return check.severity if required else check.elsewhere or check.severity


def problem(rule: str, table: str, column: str = "", rows: tuple[int, ...] = (), what: str = "", mend: str = "",
            **given: tuple[str, ...]) -> Problem:
    """A problem under a rule of the catalogue; `what` and `mend` are the catalogue's own where none are given.

    Examples
    --------
    >>> print(problem("empty_file", "mrd", what="the file is empty"))
    mrd: the file is empty. Mend: export the table again, header line first. [S04]
    """
    check = RULES[rule]
    return Problem(table, column, rows, what or check.meaning, mend or check.mend, check.code, **given)
