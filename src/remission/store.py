"""Analysis tables on disk: fixed columns, fixed rounding, fixed order, written whole or not at all."""

from __future__ import annotations

import pandas as pd

from remission import exports, paths, schema

#: Ten significant digits: more than any reader needs, fewer than the last bits in which machines differ.
FLOAT_FORMAT = "%.10g"


def write(frame: pd.DataFrame, cohort: str, name: str) -> str:
    """Write one analysis table, log or result table of a cohort.

    Parameters
    ----------
    frame : DataFrame
        Brought to the declared columns and order when `name` is an analysis table; written as it is otherwise.
    cohort, name : str
        Cohort folder; file name without suffix.

    Returns
    -------
    str
        One line for the reader: path and row count.
    """
    # Analysis tables are read again by notebooks; the others are for readers, who open them in a spreadsheet program.
    known = name in schema.ANALYSIS
    frame = schema.conform(frame, schema.ANALYSIS[name]) if known else exports.neutral(frame)
    path = paths.processed(cohort) / f"{name}.csv"
    with paths.atomic(path) as temporary:
        frame.to_csv(temporary, index=False, float_format=FLOAT_FORMAT, date_format="%Y-%m-%d", lineterminator="\n")
    return f"{paths.shown(path)}: {len(frame)} rows"


def write_all(tables: dict[str, pd.DataFrame], cohort: str) -> pd.DataFrame:
    """Write every analysis table of a cohort, and remove those of an earlier run that it no longer has.

    Parameters
    ----------
    tables : dict of DataFrame
        Analysis tables by name.
    cohort : str

    Returns
    -------
    DataFrame
        One row a table: file, rows, columns.
    """
    for name in schema.ANALYSIS.keys() - tables.keys():
        paths.remove(paths.processed(cohort) / f"{name}.csv")
    made = [{"file": write(frame, cohort, name).partition(":")[0], "rows": len(frame), "columns": frame.shape[1]}
            for name, frame in tables.items()]
    return pd.DataFrame(made, columns=["file", "rows", "columns"])


def read(cohort: str, name: str) -> pd.DataFrame:
    """Read one analysis table; a table that the cohort does not have comes back empty, with its columns.

    Examples
    --------
    >>> read("freireich1963", "adae").empty
    True
    """
    table = schema.ANALYSIS[name]
    path = paths.processed(cohort) / f"{name}.csv"
    if not path.is_file():
        return schema.empty(table)
    text = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    for column in table.columns:
        if column.kind == "date":
            text[column.name] = pd.to_datetime(text[column.name], format="%Y-%m-%d")
        elif column.kind != "text":
            text[column.name] = pd.to_numeric(text[column.name])
    return schema.conform(text, table)
