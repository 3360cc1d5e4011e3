"""The contract of the raw tables, as `schema` declares it: what must be there, and what a value may be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from remission import checks, raw, schema
from remission.cleaning.audit import Audit
from remission.cleaning.cells import day_name, declared
from remission.errors import Problem
from remission.study import Study

#: Checks of files that hold tables and cannot be read.
UNREAD = tuple(map(checks.code, ("old_workbook", "broken_workbook", "other_format", "which_sheet")))
#: What a greatest value is about, by the column that it depends on.
SUBJECT = {"test": "test", "unit": "drug"}
#: Units that are mistaken for another, by the unit as written: the check, the factor between them, and what to say.
SLIPS = {"10^9/L": ("count_per_microlitre", 1000, "it reads like a count per microlitre"),
         "MU": ("dose_in_units", 1e6, "it reads like international units")}
_DTYPES = {"text": object, "integer": "Int64", "number": "float64", "date": "datetime64[ns]"}


def structure(tables: dict[str, pd.DataFrame], study: Study) -> list[Problem]:
    """Everything wrong with the tables as a whole: files, tables, columns, rows.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`.
    study : Study

    Returns
    -------
    list of Problem
    """
    lacking = [table.name for table in schema.RAW.values() if table.required and table.name not in tables]
    # A file of an unread format under another name may hold the table that is missing.
    problems = [problem for name in tables for problem in tables[name].attrs.get("problems", ())
                if name in schema.RAW or (lacking and problem.code in UNREAD)]
    have = ", ".join(tables) or "none"
    problems += [checks.problem("missing_table", table.name, what=f"required table is missing: no {table.name}.csv",
                                   mend=f"add data/raw/{study.name}/{table.name}.csv; tables here: {have}")
                 for table in map(schema.RAW.get, lacking)]
    dated = any(column.kind == "date" and column.name in tables[table.name]
                for table in schema.RAW.values() if table.name in tables for column in table.columns)
    for name, frame in tables.items():
        if name in schema.RAW and len(frame.columns) > 1:
            problems += _columns(declared(name, study), frame, study, dated)
            if name in ("patients", "disposition") and frame.empty:
                problems.append(checks.problem("empty_table", name, what="the table has no rows",
                                               mend="add its rows, or export it again with them"))
    return problems


def _columns(table: schema.Table, frame: pd.DataFrame, study: Study, dated: bool) -> list[Problem]:
    """Missing columns, and dates given twice."""
    problems, missing = [], {}
    origin = study.origin if table.name == "patients" and dated else None
    for column in table.columns:
        twin = day_name(column.name) if column.kind == "date" else column.name
        is_origin = column.name == origin
        if column.name in frame and twin in frame and twin != column.name:
            problems.append(checks.problem("date_and_day", table.name, twin,
                                           what=f"the table gives both {column.name} and {twin}"))
        needed = column.required or column.needed or is_origin
        if needed and column.name not in frame and (twin not in frame or is_origin):
            missing[column.name] = "" if twin == column.name or is_origin else twin
    # One mend for all of them, so that a terminal names them side by side.
    days = ", ".join(f"{day} for {name}" for name, day in missing.items() if day)
    have = ", ".join(name for name in frame.columns if name != raw.LINE)
    either = f"; study time in {study.unit}s may stand in ({days})" if days else ""
    mend = f"add the column, or rename the one that holds it{either}; columns here: {have}"
    return problems + [checks.problem("missing_column", table.name, name, what="required column is missing", mend=mend)
                       for name in missing]


@cache
def pandera_schema(name: str) -> pa.DataFrameSchema:
    """Pandera schema of one clean table, built from its declaration.

    Parameters
    ----------
    name : str
        Table of `schema.RAW`.

    Returns
    -------
    DataFrameSchema
        Type, closed vocabulary and range of every column; which cells may be blank.

    Examples
    --------
    >>> pandera_schema("dosing").columns["dose"].nullable
    False
    """
    columns = {}
    for column in clean_columns(name):
        columns[column.name] = pa.Column(_DTYPES[column.kind], _tests(column),
                                         nullable=not column.required or column.kind == "date")
        if column.kind == "date":
            columns[day_name(column.name)] = pa.Column("Int64", nullable=True)
    return pa.DataFrameSchema(columns)


def clean_columns(name: str) -> list[schema.Column]:
    """Declared columns of a clean table: where a column of texts is read into others, these stand in its place."""
    return [one for column in schema.RAW[name].columns for one in column.made or (column,)]


def _tests(column: schema.Column) -> list[pa.Check]:
    """Closed vocabulary and range of a column; the study names its own values where the declaration is open."""
    values = list(map(int, column.values)) if column.kind == "integer" else list(column.values)
    made = []
    if values and not column.open:
        made.append(pa.Check.isin(values, error="not one of " + ", ".join(map(str, values))))
    if column.least is not None:
        made.append(pa.Check.ge(column.least, error=f"below {column.least}"))
    if column.greatest is not None:
        made.append(pa.Check.le(column.greatest, error=f"above {column.greatest}"))
    return made


def summary(names: Iterable[str]) -> pd.DataFrame:
    """What the contract asks of each column, for readers.

    Parameters
    ----------
    names : iterable of str
        Tables.

    Returns
    -------
    DataFrame
        One row a column of the clean tables: table, column, type, blank (whether cells may be), values, unit.
    """
    made = []
    for name in names:
        units = {column.name: column.unit for column in clean_columns(name)}
        for column, check in pandera_schema(name).columns.items():
            limits = [test.error for test in check.checks if test.error]
            made.append({"table": name, "column": column, "type": str(check.dtype), "blank": "may be" if check.nullable
                         else "no", "not accepted": "; ".join(limits), "unit": units.get(column, "")})
    return pd.DataFrame(made)


def verify(made: pd.DataFrame, name: str, audit: Audit) -> pd.DataFrame:
    """Rows of a typed table that break its schema.

    Parameters
    ----------
    made : DataFrame
        Typed rows.
    name : str
    audit : Audit
        For the line numbers.

    Returns
    -------
    DataFrame
        row, column, text (the value), kind (what is wrong), rule (of the catalogue).
    """
    rows = made[audit.kept]
    found = [_maximum(rows, column) for column in schema.RAW[name].columns if column.maxima]
    try:
        pandera_schema(name).validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        whole = cases[cases["index"].isna()]
        if len(whole):
            raise TypeError(f"{name}: {whole[['column', 'check']].to_dict('records')}") from errors
        kinds = cases["check"].replace("not_nullable", "blank")
        found.append(pd.DataFrame({"row": cases["index"].astype(int), "column": cases["column"],
                                   "text": cases["failure_case"].astype(str), "kind": kinds,
                                   "rule": kinds.map(lambda kind: checks.of_fault(kind).rule)}))
    found = [frame for frame in found if len(frame)]
    if not found:
        return pd.DataFrame(columns=["row", "column", "text", "kind", "rule"])
    return pd.concat(found, ignore_index=True).sort_values(["row", "column"], kind="stable")


def _maximum(rows: pd.DataFrame, column: schema.Column) -> pd.DataFrame:
    """Values beyond what their test or unit allows, with a guess at the unit that was meant."""
    most = rows[column.maxima_by].map(column.maxima).astype(float)
    high = rows[rows[column.name] > most]
    kinds, found = [], []
    for value, unit, subject, limit in zip(high[column.name], high["unit"], high[SUBJECT[column.maxima_by]],
                                           most[high.index], strict=True):
        rule, factor, meant = SLIPS.get(unit, ("laboratory_maximum", 0, ""))
        slip = factor and value / factor <= limit
        kinds.append(f"above {limit:g} {unit}, not possible for {subject}" + (f": {meant}" if slip else ""))
        found.append(rule if slip else "laboratory_maximum" if column.maxima_by == "test" else "impossible_value")
    return pd.DataFrame({"row": high.index, "column": column.name, "rule": found, "kind": kinds,
                         "text": [f"{value:.10g}" for value in high[column.name]]})
