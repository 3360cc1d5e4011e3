"""The contract of the raw tables: what must be there, what a value may be, and in which order things happen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from remission import raw, schema
from remission.cleaning.audit import Audit
from remission.cleaning.cells import day_name, declared
from remission.errors import Problem
from remission.study import Study

#: Columns that must be there although single cells may be blank.
NEEDED = {"disposition": ("last_contact",)}
#: Least and greatest value that can be true, by table and column.
RANGES: dict[tuple[str, str], tuple[float | None, float | None]] = {
    ("patients", "birth_year"): (1850, 2100), ("patients", "age"): (0, 120),
    ("chemotherapy_cycles", "cycle"): (1, 50), ("dosing", "dose"): (0, None), ("adverse_events", "grade"): (1, 5),
    ("laboratory", "value"): (0, None), ("laboratory", "lower_limit_normal"): (0, None),
    ("laboratory", "upper_limit_normal"): (0, None), ("mrd", "bcr_abl_copies"): (0, None),
    ("mrd", "abl_copies"): (0, None), ("mrd", "ratio"): (0, 1000), ("mrd", "detection_limit"): (0, 100),
    ("mutations", "allele_fraction"): (0, 100),
}
STATES = ["QUANTIFIED", "PNQ", "NEGATIVE"]
#: Greatest value of each test in its canonical unit that a living patient has: beyond it the unit is wrong.
LABORATORY_MAXIMUM = {"ANC": 500, "WBC": 1500, "PLT": 5000, "HB": 25, "ALT": 30000, "AST": 30000, "CREAT": 40,
                      "BILI": 80}
#: Column of the line number of each required table, once they are joined.
LINES = {"patients": "line_patients", "remission_events": "line_events", "disposition": "line_disposition"}
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
    problems = [problem for name in tables if name in schema.RAW for problem in tables[name].attrs.get("problems", ())]
    have = ", ".join(tables) or "none"
    problems += [Problem(table.name, "", (), f"required table is missing: no {table.name}.csv",
                         f"add data/raw/{study.name}/{table.name}.csv; tables here: {have}")
                 for table in schema.RAW.values() if table.required and table.name not in tables]
    dated = any(column.kind == "date" and column.name in tables[table.name]
                for table in schema.RAW.values() if table.name in tables for column in table.columns)
    for name, frame in tables.items():
        if name in schema.RAW and len(frame.columns) > 1:
            problems += _columns(declared(name, study), frame, study, dated)
            if name in ("patients", "disposition") and frame.empty:
                problems.append(Problem(name, "", (), "the table has no rows", "export it again, with its rows"))
    return problems


def _columns(table: schema.Table, frame: pd.DataFrame, study: Study, dated: bool) -> list[Problem]:
    """Missing columns, and dates given twice."""
    problems = []
    origin = study.origin if table.name == "patients" and dated else None
    for column in table.columns:
        twin = day_name(column.name) if column.kind == "date" else column.name
        is_origin = column.name == origin
        if column.name in frame and twin in frame and twin != column.name:
            problems.append(Problem(table.name, twin, (), f"the table gives both {column.name} and {twin}",
                                    "keep one of them"))
        needed = column.required or column.name in NEEDED.get(table.name, ()) or is_origin
        if needed and column.name not in frame and (twin not in frame or is_origin):
            either = "" if twin == column.name or is_origin else f" (or {twin}, study time in {study.unit}s)"
            have = ", ".join(name for name in frame.columns if name != raw.LINE)
            problems.append(Problem(table.name, column.name, (), "required column is missing",
                                    f"add the column {column.name}{either}; columns here: {have}"))
    return problems


@cache
def checks(name: str) -> pa.DataFrameSchema:
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
    >>> checks("dosing").columns["dose"].nullable
    False
    """
    columns = {}
    for column in schema.RAW[name].columns:
        # The state and the ratio stand in place of the text of an MRD result.
        if (name, column.name) == ("mrd", "result_text"):
            columns["state"] = pa.Column(object, pa.Check.isin(STATES, error="not one of " + ", ".join(STATES)))
            columns["ratio"] = pa.Column("float64", _range(name, "ratio"), nullable=True)
        elif column.kind == "date":
            columns[column.name] = pa.Column("datetime64[ns]", nullable=True)
            columns[day_name(column.name)] = pa.Column("Int64", nullable=True)
        else:
            values = list(map(int, column.values)) if column.kind == "integer" else list(column.values)
            # The study names its own drugs beside those of the contract.
            closed = bool(values) and (name, column.name) != ("dosing", "drug") and (name, column.name) != (
                "dosing", "unit")
            test = [pa.Check.isin(values, error="not one of " + ", ".join(map(str, values)))] if closed else []
            columns[column.name] = pa.Column(_DTYPES[column.kind], test + _range(name, column.name),
                                             nullable=not column.required)
    return pa.DataFrameSchema(columns)


def _range(table: str, column: str) -> list[pa.Check]:
    least, greatest = RANGES.get((table, column), (None, None))
    made = [] if least is None else [pa.Check.ge(least, error=f"below {least}")]
    return made + ([] if greatest is None else [pa.Check.le(greatest, error=f"above {greatest}")])


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
        units = {column.name: column.unit for column in schema.RAW[name].columns}
        for column, check in checks(name).columns.items():
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
        row, column, text (the value), kind (the check that it fails).
    """
    rows = made[audit.kept]
    found = [_maximum(rows)] if name == "laboratory" else []
    try:
        checks(name).validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        whole = cases[cases["index"].isna()]
        if len(whole):
            raise TypeError(f"{name}: {whole[['column', 'check']].to_dict('records')}") from errors
        found.append(pd.DataFrame({"row": cases["index"].astype(int), "column": cases["column"],
                                   "text": cases["failure_case"].astype(str),
                                   "kind": cases["check"].replace("not_nullable", "blank")}))
    if not found:
        return pd.DataFrame(columns=["row", "column", "text", "kind"])
    return pd.concat(found, ignore_index=True).sort_values(["row", "column"], kind="stable")


def _maximum(rows: pd.DataFrame) -> pd.DataFrame:
    high = rows[rows["value"] > rows["test"].map(LABORATORY_MAXIMUM)]
    kinds = [f"above {LABORATORY_MAXIMUM[test]} {unit}, not possible for {test}"
             for test, unit in zip(high["test"], high["unit"], strict=True)]
    return pd.DataFrame({"row": high.index, "column": "value", "text": [f"{value:.10g}" for value in high["value"]],
                         "kind": kinds})


def order(tables: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame], study: Study) -> list[Problem]:
    """Events out of order within patients, over the three required tables.

    Parameters
    ----------
    tables : dict of DataFrame
        Typed `patients`, `remission_events` and `disposition`, with `source_line`.
    received : dict of DataFrame
        As read: tells whether the user gave a date or study time.
    study : Study

    Returns
    -------
    list of Problem
        Diagnosis, first remission, time origin, relapse and death (or last contact) must follow in this order; the same
        day is no fault. Blank times are not compared.
    """
    patients, events, disposition = (_declared_only(tables, name, study) for name in LINES)
    one = patients.merge(disposition.drop_duplicates("patient_id"), on="patient_id", how="left")
    many = events.merge(one, on="patient_id", how="inner")
    start = study.origin
    origin = f"the time origin ({study.origin_label})"
    unplaced = one[one[day_name(start)].isna()]
    rules = (
        (one, "diagnosis_date", "cr_date", "patients", "first remission before diagnosis"),
        (one, "diagnosis_date", start, "patients", f"{origin} before diagnosis"),
        (one, "cr_date", start, "patients", f"{origin} before first remission"),
        (one, start, "death_date", "disposition", f"death before {origin}: negative duration"),
        (one, start, "last_contact", "disposition", f"last contact before {origin}: negative duration"),
        (unplaced, "diagnosis_date", "last_contact", "disposition", "last contact before diagnosis"),
        (unplaced, "diagnosis_date", "death_date", "disposition", "death before diagnosis"),
        (one, "last_contact", "death_date", "disposition", "last contact after death"),
        (many, "cr_date", "date", "remission_events", "relapse before first remission: negative duration"),
        (many, start, "date", "remission_events", f"relapse before {origin}: negative duration"),
        (many, "date", "death_date", "remission_events", "relapse after death"),
        (many, "date", "last_contact", "remission_events", "relapse after last contact"),
    )
    problems = []
    for frame, first, second, table, what in rules:
        late = frame[_after(frame, first, second)]
        if len(late):
            column = "date" if table == "remission_events" else second
            given = column if column in received[table] else day_name(column)
            lines = tuple(sorted(set(late[LINES[table]].astype(int))))
            who = ", ".join(dict.fromkeys(late["patient_id"].iloc[:5]))
            problems.append(Problem(table, given, lines, f"{what} (patient {who})", "correct the wrong one of the two"))
    return problems + _births(tables["patients"], study)


def _births(patients: pd.DataFrame, study: Study) -> list[Problem]:
    """Patients born after their time origin or their diagnosis."""
    born = patients["birth_year"]
    late = (born > patients[study.origin].dt.year) | (born > patients["diagnosis_date"].dt.year)
    late = late.fillna(False).astype(bool)
    if not late.any():
        return []
    who = ", ".join(patients.loc[late, "patient_id"].iloc[:5])
    return [Problem("patients", "birth_year", tuple(sorted(patients.loc[late, "source_line"])),
                    f"born after the disease began (patient {who})", "correct the year of birth")]


def _declared_only(tables: dict[str, pd.DataFrame], name: str, study: Study) -> pd.DataFrame:
    """Patient and times of a table, with its line numbers under the table's own name."""
    times = [column.name for column in declared(name, study).columns if column.kind == "date"]
    kept = tables[name][["patient_id", *times, *map(day_name, times), "source_line"]]
    return kept.rename(columns={"source_line": LINES[name]})


def _after(frame: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Whether `first` comes after `second`, by study day where both have one, else by date."""
    early, late = frame[day_name(first)], frame[day_name(second)]
    by_day = (early > late).fillna(False).astype(bool)
    no_day = early.isna() | late.isna()
    return by_day | (no_day & (frame[first] > frame[second]))
