"""Findings that stop a run, as they are gathered: those of the parts of a cohort are joined before they are worded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from remission import checks
from remission.cleaning.audit import STUDY_DECIDES
from remission.errors import Problem

#: Patients, or texts, that a message names.
NAMED, SHOWN = 5, 4


@dataclass(frozen=True)
class Finding:
    """Rows of one table under one rule.

    `rows`: line, value and patient, one row a row concerned. `words`: what is wrong; `{who}` stands for the first
    patients, `{more}` for the number of the others, `{count}` for that of all rows. `shows`: what a problem lists:
    `lines` with values and patients, `patients` only, or `nothing`.
    """

    rule: str
    table: str
    column: str
    words: str
    rows: pd.DataFrame
    mend: str = ""
    shows: str = "lines"

    @property
    def key(self) -> tuple[str, ...]:
        """What findings have in common that are one."""
        return self.rule, self.table, self.column, self.words, self.mend


def rows(lines: pd.Series, values: pd.Series, patients: pd.Series) -> pd.DataFrame:
    """Rows of a finding, in the order of their lines.

    Examples
    --------
    >>> rows(pd.Series([9, 3]), pd.Series(["a", None]), pd.Series(["01", "02"])).to_dict("list")
    {'line': [3, 9], 'value': ['', 'a'], 'patient': ['02', '01']}
    """
    made = pd.DataFrame({"line": lines.to_numpy(dtype="int64"), "value": values.fillna("").to_numpy(object),
                         "patient": patients.fillna("").to_numpy(object)})
    return made.sort_values("line", kind="stable", ignore_index=True)


def join(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of several parts of a cohort as those of the whole.

    Examples
    --------
    >>> one = Finding("no_disposition", "disposition", "patient_id", "no row for patient {who}", pd.DataFrame(
    ...     {"line": [7], "value": [""], "patient": ["B"]}), shows="patients")
    >>> other = replace(one, rows=one.rows.assign(line=2, patient="A"))
    >>> [problem(found).what for found in join([one, other])]
    ['no row for patient A, B']
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for found in findings:
        groups.setdefault(found.key, []).append(found)
    return [replace(group[0], rows=pd.concat([found.rows for found in group]).sort_values(
        "line", kind="stable", ignore_index=True)) if len(group) > 1 else group[0] for group in groups.values()]


def problem(found: Finding) -> Problem:
    """A finding as the problem that a user reads."""
    patients, count = found.rows["patient"], len(found.rows)
    who = ", ".join(dict.fromkeys(name or "without a number" for name in patients.iloc[:NAMED]))
    more = f" and {count - NAMED} more" if count > NAMED else ""
    what = found.words.replace("{count}", str(count)).replace("{more}", more).replace("{who}", who)
    given = {}
    if found.shows == "lines":
        given = {"rows": tuple(found.rows["line"].tolist()), "values": tuple(found.rows["value"])}
    if found.shows != "nothing":
        given["patients"] = tuple(patients)
    return checks.problem(found.rule, found.table, found.column, what=what, mend=found.mend, **given)


def of_faults(table: str, faults: pd.DataFrame, mends: Mapping[str, str], default: str) -> list[Problem]:
    """Faults of a table's cells as problems: one a column and kind, with the lines and the first few texts.

    Parameters
    ----------
    table : str
    faults : DataFrame
        From `Audit.placed_faults`.
    mends : mapping of str
        How to mend, by column.
    default : str
        How to mend the cells of the other columns.
    """
    made = []
    ordered = faults.sort_values("line", kind="stable")
    for (column, kind), group in ordered.groupby(["column", "kind"], sort=False):
        texts = list(dict.fromkeys(group["text"]))
        shown = ", ".join(map(repr, texts[:SHOWN])) + (f" and {len(texts) - SHOWN} more" if texts[SHOWN:] else "")
        what = f"{kind} {shown}" if any(texts) else kind
        check = checks.RULES[group["rule"].iloc[0]]
        mend = check.mend if check.rule in STUDY_DECIDES else mends.get(column, default)
        made.append(Problem(table, column, tuple(group["line"].tolist()), what, mend, check.code,
                            tuple(group["text"]), tuple(group["patient"])))
    return made
