"""Check a cohort's tables without running anything: `python -m remission.check COHORT`."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import textwrap
from dataclasses import dataclass

import pandas as pd

from remission import checks, cleaning, exports, paths, raw, schema
from remission import study as studies
from remission.cleaning import survey
from remission.errors import ContractError, Problem
from remission.study import Study

#: Widest line on a terminal.
WIDTH = 92
WORST_FIRST = ("error", "aside", "warning")
#: Questions about the arms of `study.toml`.
ABOUT_ARMS = ("arm_without_patients", "arm_without_event")
#: Texts of `patients.arm` that a message names.
ARMS_NAMED = 6
_COUNTED = {"error": ("cell or file to mend", "cells or files to mend"), "aside": ("row set aside", "rows set aside"),
            "warning": ("question", "questions")}
_MARKS = {"error": "ERROR", "aside": "ASIDE", "warning": "ASK"}
_VERDICTS = {"error": "cannot run", "aside": "ready with questions", "warning": "ready with questions"}


@dataclass(frozen=True)
class Report:
    """What a check found.

    `queries`: one row a finding, worst first: table, line, patient, column, value, code, rule, severity (error, aside,
    warning), what, mend. `repairs`: what would be changed, one row a table, column and rule: table, column, code, rule,
    cells, line (of the first), before, after. `accounts`: one row a table: read, analysed, aside, held (to be mended
    first); read is the sum of the others. `verdict`: ready, ready with questions, or cannot run.
    """

    cohort: str
    queries: pd.DataFrame
    repairs: pd.DataFrame
    accounts: pd.DataFrame
    verdict: str


def check(cohort: Study | str, rows: int | None = None) -> Report:
    """Check a cohort's tables.

    Parameters
    ----------
    cohort : Study or str
        The study, or the name of its folder under `data/raw`.
    rows : int or None
        Rows of a block of patients, as in `cleaning.survey`; the report is the same with any.

    Returns
    -------
    Report
        Never an error for what the tables or `study.toml` hold: those are findings.

    Examples
    --------
    >>> check("freireich1963").verdict
    'ready with questions'
    """
    try:
        study = cohort if isinstance(cohort, Study) else studies.read(cohort)
    except ContractError as error:
        return _without_study(cohort, error.problems, rows)
    found = survey.survey(study, rows)
    return _report(study.name, _queries(found, []), found.repairs, found.accounts)


def _queries(found: survey.Survey, problems: list[Problem]) -> pd.DataFrame:
    """What was found in the tables, and the problems of `study.toml`."""
    queries = pd.concat([part for part in [expand([*problems, *found.problems]), found.queries,
                                           _unknown_tables(found.extra)] if len(part)] or [found.queries],
                        ignore_index=True)
    # What reading the file noted may quote a cell that names a person.
    if found.private:
        shown = [(table, column) not in found.private and (column != "" or table not in dict(found.private))
                 for table, column in zip(queries["table"], queries["column"], strict=True)]
        queries["value"] = queries["value"].where(shown, "")
    return queries


def _without_study(cohort: str, problems: list[Problem], rows: int | None) -> Report:
    """With a faulty `study.toml` the tables are judged by as much of it as holds; by none, only the files are."""
    bare = studies.sketch(cohort) or Study(cohort, "own", "", "", ())
    tables = raw.read(bare, packed=True) if paths.raw(cohort).is_dir() else {}
    tables, _, faults = cleaning.first_look(tables, bare) if tables else ({}, {}, [])
    arms = tables["patients"]["arm"].astype(object) if "arm" in tables.get("patients", ()) else pd.Series(dtype=object)
    study = studies.sketch(cohort, tuple(arms.unique()))
    if study is None:
        accounts = [(name, len(frame), 0, 0, len(frame)) for name, frame in tables.items() if name in schema.RAW]
        return _report(cohort, expand([*problems, *faults]), _frame([], cleaning.REPAIR_COLUMNS), accounts)
    found = survey.survey(study, rows)
    told = _queries(found, [_naming(problem, arms) for problem in problems])
    # What is asked about arms is asked once they are declared.
    return _report(cohort, told[~told["rule"].isin(ABOUT_ARMS)], found.repairs, found.accounts)


def _naming(problem: Problem, arms: pd.Series) -> Problem:
    """A problem of the arms, with what the tables call them."""
    counts = arms.str.strip().replace("", pd.NA).value_counts()
    if problem.code != "S31" or not problem.column.startswith("arms") or counts.empty:
        return problem
    said = ", ".join(f"{text} ({count})" for text, count in counts.head(ARMS_NAMED).items())
    more = f" and {len(counts) - ARMS_NAMED} more" if len(counts) > ARMS_NAMED else ""
    return dataclasses.replace(problem, mend=f"{problem.mend}; patients.arm says {said}{more}")


def _report(cohort: str, queries: pd.DataFrame, repairs: pd.DataFrame, accounts: list[tuple]) -> Report:
    place = {name: number for number, name in enumerate(["study.toml", *schema.RAW])}
    rank = {name: number for number, name in enumerate(WORST_FIRST)}
    ordered = queries.assign(rank=queries["severity"].map(rank), place=queries["table"].map(place).fillna(len(place)))
    queries = ordered.sort_values(["rank", "place", "table", "code", "column", "line"], kind="stable",
                                  na_position="first")[cleaning.QUERY_COLUMNS].reset_index(drop=True)
    worst = next((name for name in WORST_FIRST if (queries["severity"] == name).any()), "")
    return Report(cohort, queries, repairs, _frame(accounts, ["table", "read", "analysed", "aside", "held"]),
                  _VERDICTS.get(worst, "ready"))


def _frame(rows: list, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns)


def expand(problems: list[Problem]) -> pd.DataFrame:
    """Problems as queries: one row a line, or one row where no line is to blame.

    Parameters
    ----------
    problems : list of Problem

    Returns
    -------
    DataFrame
        The columns of `data_queries.csv`.

    Examples
    --------
    >>> expand([Problem("mrd", "date", (3, 9), "not a date 'soon'", "mend it", "V02")])["line"].tolist()
    [3, 9]
    """
    made = []
    for one in problems:
        rule = checks.CHECKS[one.code].rule if one.code in checks.CHECKS else ""
        lines = one.rows or (pd.NA,) * max(len(one.patients), 1)
        for number, line in enumerate(lines):
            made.append((one.table, line, _at(one.patients, number), one.column, _at(one.values, number), one.code,
                         rule, "error", one.what, one.mend))
    return _frame(made, cleaning.QUERY_COLUMNS).astype({"line": "Int64"})


def _at(given: tuple[str, ...], number: int) -> str:
    return str(given[number]) if number < len(given) else ""


def _unknown_tables(names: list[str]) -> pd.DataFrame:
    extra = checks.RULES["extra_table"]
    made = [(name, pd.NA, "", "", "", extra.code, extra.rule, extra.severity, extra.meaning, extra.mend)
            for name in names]
    return _frame(made, cleaning.QUERY_COLUMNS).astype({"line": "Int64"})


def text(report: Report) -> str:
    """A report as plain text: by table, the worst first, each finding counted, with its first lines and its mend.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Lines of at most 92 characters.
    """
    queries, counts = report.queries, report.queries["severity"].value_counts()
    said = ", ".join(f"{counts[name]} {_COUNTED[name][int(counts[name] > 1)]}" for name in WORST_FIRST
                     if name in counts)
    lines = _wrap(f"cohort {report.cohort}: {report.verdict}{f' ({said})' if said else ''}")
    accounts = report.accounts.set_index("table")
    for table in dict.fromkeys(queries["table"]):
        lines += ["", *_wrap(f"{table}{_account(accounts, table)}")]
        mine = queries[queries["table"] == table]
        # What concerns a whole table is said once, with its columns side by side.
        where = mine["column"].where(mine["line"].notna(), "")
        for _, group in mine.groupby(["severity", "code", where, "mend"], sort=False):
            lines += _finding(group)
    fine = accounts[~accounts.index.isin(queries["table"])]
    spare = [table for table, count in fine["read"].items() if not count and not schema.RAW[table].required]
    # Without study.toml nobody knows how dates and numbers are written; then all rows wait.
    blind = (queries["table"] == "study.toml").any() and (accounts["held"] == accounts["read"]).all()
    silent = [f"{table} ({count} rows)" for table, count in fine["read"].items() if table not in spare]
    for words, names in (("not yet looked into" if blind else "nothing to ask", silent),
                         ("no rows yet; fill in, or delete the file", spare)):
        lines += ["", *_wrap(f"{words}: {', '.join(names)}")] if len(names) else []
    if len(report.repairs):
        cells = int(report.repairs["cells"].sum())
        rules = ", ".join(dict.fromkeys(report.repairs["code"]))
        lines += ["", *_wrap(f"read with a repair that is logged: {cells} cells ({rules})")]
    return "\n".join(lines)


def _account(accounts: pd.DataFrame, table: str) -> str:
    if table not in accounts.index:
        return ""
    row = accounts.loc[table]
    parts = [f"{row['read']} rows"] + [f"{row[name]} {words}" for name, words in (
        ("analysed", "to analyse"), ("aside", "set aside"), ("held", "to mend first")) if row[name]]
    return ": " + ", ".join(parts)


def _finding(group: pd.DataFrame) -> list[str]:
    """One kind of finding in a table: how often, in which column, what, on which lines, and how to mend it."""
    first = group.iloc[0]
    lines = group["line"].dropna().astype(str).tolist()
    where = f"line {', '.join(lines[:6])}{f' and {len(lines) - 6} more' if len(lines) > 6 else ''}: " if lines else ""
    columns = ", ".join(filter(None, dict.fromkeys(group["column"])))
    what = first["what"]
    if (group["what"] != what).any():
        what = f"{checks.RULES[first['rule']].meaning.removeprefix('query: ')}; the first: {what}"
    count = f"{len(group)} x " if len(group) > 1 else ""
    named = f"{columns}: " if columns and not what.startswith(f"{columns}: ") else ""
    head = f"  {_MARKS[first['severity']]:6}{first['code'] or '---'}  "
    made = textwrap.wrap(f"{count}{where}{named}{what}", WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
    if first["mend"].startswith("nothing"):
        return made
    return made + textwrap.wrap(f"mend: {first['mend']}", WIDTH, initial_indent=" " * len(head),
                                subsequent_indent=" " * (len(head) + 6))


def _wrap(said: str) -> list[str]:
    return textwrap.wrap(said, WIDTH, subsequent_indent="  ")


def write(report: Report) -> str:
    """Write `build/<cohort>/data_queries.csv`, the list that a data manager works through.

    Returns
    -------
    str
        One line for the reader.
    """
    path = paths.build(report.cohort) / "data_queries.csv"
    exports.write(report.queries, path)
    return f"{paths.shown(path)}: {len(report.queries)} rows"


def _say(words: str) -> None:
    """Print; whoever reads may have read enough, as `head` has."""
    try:
        print(words, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: list[str] | None = None) -> int:
    """Command line; 1 when the cohort cannot run, 2 when the check itself fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m remission.check", description="Check a cohort's tables.")
    parser.add_argument("cohort", help="folder under data/raw")
    name = parser.parse_args(arguments).cohort
    try:
        paths.cohort_name(name)
        report = check(name)
        lines = [text(report), f"\nevery finding, cell by cell: {write(report)}"]
        if report.verdict != "cannot run":
            lines.append(f"next: make COHORT={name}")
        _say("\n".join(lines))
        return int(report.verdict == "cannot run")
    except ContractError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:
        # Whoever sent the tables cannot mend this, and a traceback would not help them.
        print(f"cohort {name!r}: the check itself failed: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
