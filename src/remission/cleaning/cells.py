"""Cells: every column of a raw table read by its declared kind, each change logged, each unreadable cell noted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from remission import raw, schema
from remission.cleaning import molecular, readers, vocabulary
from remission.cleaning.audit import Audit
from remission.study import DAYS, Study

#: Where a month without a day may be completed, and to which end: nothing is decided by these days.
PARTIAL = {("adverse_events", "start_date"): "first", ("adverse_events", "end_date"): "last",
           ("chemotherapy_cycles", "start_date"): "first", ("chemotherapy_cycles", "end_date"): "last",
           ("mutations", "date"): "first", ("procedures", "date"): "first"}
#: Columns of whole copies, in which one sign before three digits groups thousands.
COPIES = {("mrd", "bcr_abl_copies"), ("mrd", "abl_copies")}
#: Columns read together with their unit or by their own reader, in `rules`.
LATER = {("laboratory", "value"), ("laboratory", "unit"), ("laboratory", "lower_limit_normal"),
         ("laboratory", "upper_limit_normal"), ("dosing", "dose"), ("dosing", "unit"), ("dosing", "frequency"),
         ("mrd", "result_text"), ("mrd", "detection_limit")}


def day_name(column: str) -> str:
    """Name of the study-time twin of a date column."""
    return schema.DAY_COLUMN.get(column, f"{column}_day")


def declared(name: str, study: Study) -> schema.Table:
    """A table's declaration, with the study's own time origin among the columns of `patients`."""
    table = schema.RAW[name]
    if name == "patients" and study.origin not in table.names:
        own = schema.Column(study.origin, "date", study.origin_label)
        table = dataclasses.replace(table, columns=(*table.columns, own))
    return table


def name_columns(tables: dict[str, pd.DataFrame],
                 study: Study) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, str]]]:
    """Bring column names that differ by case, spaces or hyphens to the contract's spelling.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`.
    study : Study

    Returns
    -------
    tables : dict of DataFrame
    renamed : dict of dict
        By table, new name of each renamed column.

    Examples
    --------
    >>> from remission.study import Study
    >>> frame = pd.DataFrame(columns=["Patient ID", "arm "])
    >>> name_columns({"patients": frame}, Study("demo", "own", "", "", ()))[1]
    {'patients': {'Patient ID': 'patient_id', 'arm ': 'arm'}}
    """
    made, renamed = {}, {}
    for name, frame in tables.items():
        known = raw.known_columns(name) | ({study.origin} if name == "patients" else set())
        plain = {column: vocabulary.fold(column).replace(" ", "_").replace("-", "_") for column in frame.columns}
        changes = {old: new for old, new in plain.items() if new in known - set(frame.columns)
                   and list(plain.values()).count(new) == 1}
        made[name] = frame.rename(columns=changes)
        if changes:
            renamed[name] = changes
    return made, renamed


def stripped(received: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """Texts without outer and repeated spaces.

    Parameters
    ----------
    received : DataFrame
        As read, with `_line`.
    audit : Audit

    Returns
    -------
    DataFrame
        The same without `_line`.
    """
    made = received.drop(columns=raw.LINE)
    for column in made:
        cells = made[column]
        tidy = cells.map({text: " ".join(text.split()) for text in cells.unique()}).astype(object)
        if column == "patient_id":
            audit.patients = tidy
        made[column] = tidy
    for column in made:
        changed = made.index[made[column] != received[column]]
        audit.log("strip_whitespace", column, received[column], made[column], changed)
    return made


def forget_defects(texts: pd.DataFrame, table: str, study: Study, audit: Audit) -> pd.DataFrame:
    """Blank the cells whose exact text `study.toml` lists as a known defect."""
    for key, defects in study.known_defects.items():
        name, _, column = key.partition(".")
        if name == table and column in texts:
            rows = texts.index[texts[column].isin(defects)]
            audit.log("known_defect", column, texts[column], "", rows)
            texts[column] = texts[column].mask(texts[column].isin(defects), "")
    return texts


def read_column(texts: pd.Series, reader: Callable[[list[str]], pd.DataFrame], column: str, audit: Audit, *,
                words: bool = True) -> pd.DataFrame:
    """Read the cells of a column, each distinct text once.

    Parameters
    ----------
    texts : Series of str
    reader : callable
        One of `readers`, with its options.
    column : str
        Name for the record.
    audit : Audit
        Takes faults, and words for missing values that became blank.
    words : bool
        Whether words such as "unknown" stand for a missing value where the reader does not know them.

    Returns
    -------
    DataFrame
        What the reader made, one row a cell; blank cells have value None, rule "" and fault "".
    """
    distinct = [text for text in texts.unique() if text != ""]
    made = reader(distinct)
    if words:
        void = (made["fault"] != "") & pd.Series(made.index, made.index).map(vocabulary.fold).isin(
            vocabulary.MISSING_WORDS)
        rows = texts.index[texts.isin(made.index[void])]
        audit.log("missing_word", column, texts, "", rows)
        made.loc[void, "fault"] = ""
    cells = made.reindex(texts.to_numpy()).set_axis(texts.index)
    cells[["rule", "fault"]] = cells[["rule", "fault"]].fillna("")
    audit.fault(column, texts, cells["fault"], cells.index[cells["fault"] != ""])
    return cells


def log_rules(cells: pd.DataFrame, texts: pd.Series, after: pd.Series, column: str, audit: Audit) -> None:
    """Log every cell that a rule changed."""
    audit.log(cells["rule"], column, texts, after, cells.index[cells["rule"] != ""])


def shown(values: pd.Series) -> pd.Series:
    """Values as the log shows them: ISO dates, numbers with ten significant digits, "" for missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.dt.strftime("%Y-%m-%d").fillna("")
    if pd.api.types.is_numeric_dtype(values):
        distinct = {value: f"{value:.10g}" for value in values.dropna().unique()}
        return values.map(distinct).astype(object).fillna("")
    return values.fillna("")


def read_cells(texts: pd.DataFrame, table: schema.Table, study: Study, audit: Audit) -> pd.DataFrame:
    """Read every declared column that needs nothing but its own text.

    Parameters
    ----------
    texts : DataFrame
        Stripped texts.
    table : Table
    study : Study
    audit : Audit

    Returns
    -------
    DataFrame
        Typed columns; each date has a `…day` twin in study time (days; filled only where the table gives study time).
        Columns in `LATER` stay text.
    """
    made: dict[str, pd.Series] = {}
    blank = pd.Series("", index=texts.index, dtype=object)
    for column in table.columns:
        given = texts.get(column.name, blank)
        if (table.name, column.name) in LATER:
            made[column.name] = given
        elif column.kind == "date":
            made[column.name] = _dates(given, table.name, column.name, study, audit)
            twin = day_name(column.name)
            made[twin] = _days(texts.get(twin, blank), twin, study, audit)
        else:
            made[column.name] = _cell_values(given, table.name, column, study, audit)
    return pd.DataFrame(made, index=texts.index)


def _dates(texts: pd.Series, table: str, column: str, study: Study, audit: Audit) -> pd.Series:
    edge = PARTIAL.get((table, column), "")
    cells = read_column(texts, lambda distinct: readers.read_dates(distinct, study.date_order, edge), column, audit)
    values = pd.to_datetime(cells["value"]).astype("datetime64[ns]")
    log_rules(cells, texts, shown(values), column, audit)
    return values


def _days(texts: pd.Series, column: str, study: Study, audit: Audit) -> pd.Series:
    cells = read_column(texts, lambda distinct: readers.read_numbers(distinct, study.decimal), column, audit)
    given = cells["value"].astype(float)
    log_rules(cells, texts, shown(given), column, audit)
    return whole_days(given, study.unit)


def whole_days(values: pd.Series, unit: str) -> pd.Series:
    """Durations in `unit` as whole days, half up: `study.to_days` for a column.

    Examples
    --------
    >>> whole_days(pd.Series([6.0, None]), "month").tolist()
    [183, <NA>]
    """
    return pd.Series(np.floor(values * DAYS[unit] + 0.5), index=values.index).astype("Int64")


def _cell_values(texts: pd.Series, table: str, column: schema.Column, study: Study, audit: Audit) -> pd.Series:
    """Values of a column that is no date."""
    reader, dtype, words = _reader(table, column, study)
    if reader is None:
        return texts.mask(texts == "", None)
    cells = read_column(texts, reader, column.name, audit, words=words)
    values = cells["value"].astype(float).astype(dtype) if dtype != "object" else cells["value"].astype(object)
    values = values.where(values.notna(), None) if dtype == "object" else values
    log_rules(cells, texts, shown(values), column.name, audit)
    return values


def _reader(table: str, column: schema.Column, study: Study) -> tuple[Callable | None, str, bool]:
    """Reader, type, and whether words for missing are looked for."""
    names = vocabulary.aliases(table, column.name)
    special = {
        ("patients", "arm"): lambda t: readers.read_words(t, study.arm_keys, vocabulary.arms(study), "alias_arm",
                                                          "unknown arm"),
        ("dosing", "drug"): lambda t: readers.read_words(t, vocabulary.drugs(study), names, "alias_drug",
                                                         "unknown drug"),
        ("adverse_events", "term"): lambda t: readers.read_terms(t, vocabulary.terms()),
        ("adverse_events", "grade"): lambda t: readers.read_grades(t, names),
        ("mutations", "variant"): molecular.read_variants,
    }
    if found := special.get((table, column.name)):
        # An arm or a drug called "unknown" is a fault, not a gap.
        return found, "Int64" if column.name == "grade" else "object", column.name == "grade"
    if column.kind == "integer":
        return (lambda t: readers.read_integers(t, study.decimal)), "Int64", True
    if column.kind == "number":
        single = "group" if (table, column.name) in COPIES else "refuse"
        return (lambda t: readers.read_numbers(t, study.decimal, single)), "float64", True
    if closed := column.values:  # noqa: PD011
        return (lambda t: readers.read_words(t, closed, names, "alias_value")), "object", True
    if names:
        return (lambda t: _open_words(t, names)), "object", False
    return None, "object", False


def _open_words(texts: list[str], names: dict[str, str]) -> pd.DataFrame:
    """An open vocabulary with known aliases: other texts stay as they are."""
    values = set(names.values())
    return readers.read_words(texts, [*values, *(t for t in texts if vocabulary.fold(t) not in names and
                                                 vocabulary.fold(t) not in set(map(vocabulary.fold, values)))],
                              names, "alias_value")
