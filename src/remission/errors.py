"""The one error a user meets: what is wrong with which rows, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault: `rows` are line numbers in the file (the header is line 1).

    `code` is that of the check in `remission.checks`; `values` and `patients`, where given, run parallel to `rows`. A
    value that may identify a person is never put here.
    """

    table: str
    column: str
    rows: tuple[int, ...]
    what: str
    mend: str
    code: str = ""
    values: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        lines = ", ".join(map(str, self.rows[:8])) + (f" and {len(self.rows) - 8} more" if len(self.rows) > 8 else "")
        said = f"{place}{f' (line {lines})' if self.rows else ''}: {self.what}. Mend: {self.mend}."
        return said + (f" [{self.code}]" if self.code else "")


class ContractError(Exception):
    """Tables that cannot be analysed; the message lists every problem, one a line.

    Examples
    --------
    >>> print(ContractError("demo", [Problem("patients", "arm", (3,), "unknown arm 'X'", "use IFN+IM or IM", "V30")]))
    cohort demo: 1 problem
      patients.arm (line 3): unknown arm 'X'. Mend: use IFN+IM or IM. [V30]
    """

    def __init__(self, cohort: str, problems: list[Problem]):
        self.cohort, self.problems = cohort, list(problems)
        count = len(self.problems)
        head = f"cohort {cohort}: {count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))
