"""Cells: every column of a raw table read by its declared kind, each change logged, each unreadable cell noted."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from remission import raw, schema
from remission.cleaning import molecular, readers, vocabulary
from remission.cleaning.audit import Audit
from remission.study import DAYS, Study

#: Columns of whole copies, in which one sign before three digits groups thousands.
COPIES = {("mrd", "bcr_abl_copies"), ("mrd", "abl_copies")}
#: Columns read together with their unit or by their own reader, in `rules`.
LATER = {("laboratory", "value"), ("laboratory", "unit"), ("laboratory", "lower_limit_normal"),
         ("laboratory", "upper_limit_normal"), ("dosing", "dose"), ("dosing", "unit"), ("dosing", "frequency"),
         ("mrd", "result_text"), ("mrd", "detection_limit")}
#: Signs without width that come along in copied text: soft hyphen, zero-width spaces and joiners, direction marks, BOM.
_INVISIBLE = dict.fromkeys([0xad, *range(0x200b, 0x2010), *range(0x202a, 0x202f), *range(0x2060, 0x2065), 0xfeff])
#: What keeps a spreadsheet from reading a text as number or formula: ="007", or an apostrophe.
_WRAPPED = re.compile(r"""="([^"]*)"|'(\d.*|[=+@-].*)""")
_WRAPS = ("=", "'")


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
        made[name] = frame.rename(columns=changes) if changes else frame
        if changes:
            renamed[name] = changes
    return made, renamed


def _tidy(text: str) -> tuple[str, str]:
    """A text without what nobody sees or a spreadsheet wrapped around it, and the rule that changed it."""
    tidy = " ".join(text.split())
    if tidy.isascii() and tidy[:1] not in _WRAPS:
        return tidy, "strip_whitespace"
    joined = " ".join(unicodedata.normalize("NFC", tidy).translate(_INVISIBLE).split())
    if found := _WRAPPED.fullmatch(joined):
        return " ".join((found[1] if found[1] is not None else found[2]).split()), "spreadsheet_text"
    return joined, "strip_whitespace" if joined == tidy else "invisible_characters"


def stripped(received: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """Texts without outer and repeated spaces, invisible signs, and what spreadsheets wrap around text.

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
        found = {text: _tidy(text) for text in cells.unique()}
        # Most columns are tidy as they come.
        if cells.dtype != object or any(text != tidy for text, (tidy, _) in found.items()):
            made[column] = cells.map({text: tidy for text, (tidy, _) in found.items()}).astype(object)
            changed = made.index[made[column] != received[column]]
            rules = received[column].loc[changed].map({text: rule for text, (_, rule) in found.items()})
            audit.log(rules, column, received[column], made[column], changed)
        if column == "patient_id":
            audit.patients = made[column]
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
    broken = {text: fault for text in distinct if (fault := readers.unusable(text))}
    made = reader([text for text in distinct if text not in broken])
    if broken:
        made = pd.concat([made.astype(object), pd.DataFrame(
            {"value": None, "rule": "", "fault": list(broken.values())}, index=list(broken), dtype=object)])
    if words and (made["fault"].to_numpy() != "").any():
        void = (made["fault"] != "") & pd.Series(made.index, made.index).map(vocabulary.fold).isin(
            vocabulary.MISSING_WORDS)
        rows = texts.index[texts.isin(made.index[void])]
        audit.log("missing_word", column, texts, "", rows)
        made.loc[void, "fault"] = ""
    cells = made.reindex(texts.to_numpy()).set_axis(texts.index)
    blank = texts.to_numpy() == ""
    if blank.any():
        for name in ("rule", "fault"):
            cells[name] = np.where(blank, "", cells[name].to_numpy(object))
    audit.fault(column, texts, cells["fault"], cells.index[cells["fault"].to_numpy() != ""])
    return cells


def log_rules(cells: pd.DataFrame, texts: pd.Series, values: pd.Series, column: str, audit: Audit) -> None:
    """Log every cell that a rule changed, with the value that was read."""
    rows = cells.index[cells["rule"].to_numpy() != ""]
    if len(rows):
        audit.log(cells["rule"], column, texts, shown(values), rows)


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
            made[column.name] = _dates(given, column, study, audit)
            twin = day_name(column.name)
            made[twin] = _days(texts.get(twin, blank), twin, study, audit)
        else:
            made[column.name] = read_values(given, table.name, column, study, audit)
    return pd.DataFrame(made, index=texts.index)


def _dates(texts: pd.Series, column: schema.Column, study: Study, audit: Audit) -> pd.Series:
    found = audit.orders.get(column.name) or readers.column_order(texts.unique(), study.date_order)
    cells = read_column(texts, lambda distinct: readers.read_dates(
        distinct, found, column.partial, epoch=study.serial_epoch, latest=study.data_cutoff), column.name, audit)
    if found.deciding:
        audit.log_table("date_order_found", column.name, "", found.words)
    values = pd.to_datetime(cells["value"]).astype("datetime64[ns]")
    log_rules(cells, texts, values, column.name, audit)
    return values


def _days(texts: pd.Series, column: str, study: Study, audit: Audit) -> pd.Series:
    if (texts == "").all():
        # Most tables give dates, and every date has a twin.
        return pd.Series(pd.NA, index=texts.index, dtype="Int64")
    cells = read_column(texts, lambda distinct: readers.read_numbers(distinct, study.decimal), column, audit)
    given = cells["value"].astype(float)
    log_rules(cells, texts, given, column, audit)
    return whole_days(given, study.unit)


def whole_days(values: pd.Series, unit: str) -> pd.Series:
    """Durations in `unit` as whole days, half up: `study.to_days` for a column.

    Examples
    --------
    >>> whole_days(pd.Series([6.0, None]), "month").tolist()
    [183, <NA>]
    """
    return pd.Series(np.floor(values * DAYS[unit] + 0.5), index=values.index).astype("Int64")


def read_values(texts: pd.Series, table: str, column: schema.Column, study: Study, audit: Audit) -> pd.Series:
    """Values of a column that is no date."""
    reader, dtype, words = _reader(table, column, study)
    cells = read_column(texts, reader, column.name, audit, words=words)
    values = cells["value"].astype(float).astype(dtype) if dtype != "object" else cells["value"].astype(object)
    values = values.where(values.notna(), None) if dtype == "object" else values
    log_rules(cells, texts, values, column.name, audit)
    return values


def _reader(table: str, column: schema.Column, study: Study) -> tuple[Callable, str, bool]:
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
        percent = column.unit == "%"
        return (lambda t: readers.read_numbers(t, study.decimal, single, percent=percent)), "float64", True
    if closed := column.values:  # noqa: PD011
        return (lambda t: readers.read_words(t, closed, names, "alias_value")), "object", True
    return (lambda t: readers.read_open(t, names)), "object", False
