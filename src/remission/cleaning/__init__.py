"""Cleaning: from tables as received to typed tables in study time, by named rules, each change on record."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from remission import raw, schema
from remission.cleaning import cells, contract, rows, rules
from remission.cleaning.audit import LOG_COLUMNS, QUARANTINE_COLUMNS, Audit
from remission.cleaning.report import account
from remission.errors import ContractError, Problem
from remission.study import Study

__all__ = ["LOG_COLUMNS", "QUARANTINE_COLUMNS", "Clean", "account", "clean"]

SOURCE_LINE = "source_line"
REQUIRED = tuple(name for name, table in schema.RAW.items() if table.required)


@dataclass(frozen=True)
class Clean:
    """What cleaning made: typed `tables` by name, the `log` of repairs, the `quarantine` of rows set aside."""

    tables: dict[str, pd.DataFrame]
    log: pd.DataFrame
    quarantine: pd.DataFrame


def clean(tables: dict[str, pd.DataFrame], study: Study) -> Clean:
    """Clean a cohort's raw tables.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`, in any order of rows; text tables without `_line` count as files in their own order.
    study : Study

    Returns
    -------
    Clean
        `tables`: the columns of `schema.RAW`, typed, in canonical words and units; beside each date its day in study
        time (days from that patient's origin); columns outside the contract as text; `source_line` last; sorted by
        key. In `mrd`, `state` and `ratio` (%) stand in place of `result_text`; in `adverse_events`, `reported_term`
        keeps the term as received. `log`: one row a changed cell. `quarantine`: one row a row set aside, kept whole.
        The rows of a raw table are the rows of its clean table plus its rows in quarantine.

    Raises
    ------
    ContractError
        When the tables cannot be analysed; every problem at once.

    Examples
    --------
    >>> from remission.study import read as read_study
    >>> study = read_study("freireich1963")
    >>> clean(raw.read(study), study).tables["remission_events"]["day"].max().item()
    161
    """
    tables, renamed = cells.name_columns(tables, study)
    problems = contract.structure(tables, study)
    broken = {problem.table for problem in problems}
    usable = {name: frame for name, frame in tables.items() if name in schema.RAW and name not in broken}
    audits, made = {}, {}
    for name, received in usable.items():
        received = received.reset_index(drop=True)
        if raw.LINE not in received:
            received[raw.LINE] = received.index + 2
        audits[name] = Audit(name, received)
        for old, new in renamed.get(name, {}).items():
            audits[name].log_table("column_name", new, old, new)
        made[name] = _read_table(received, name, study, audits[name])
    if "patients" in made:
        problems += _place_in_time(made, usable, study, audits)
    for name in made:
        problems += _settle(made[name], name, study, usable[name].attrs.get("ragged", {}), audits[name])
    if not set(REQUIRED) - set(made):
        problems += rows.relate(made, usable, study, audits)
        if not problems:
            problems += contract.order({name: made[name][audits[name].kept] for name in REQUIRED}, usable, study)
    if problems:
        raise ContractError(study.name, problems)
    made = rows.finish(made, usable, audits)
    return _assemble(made, usable, study, audits, tables)


def _read_table(received: pd.DataFrame, name: str, study: Study, audit: Audit) -> pd.DataFrame:
    """Typed cells of one table, extra columns as text, line numbers last."""
    table = cells.declared(name, study)
    texts = cells.forget_defects(cells.stripped(received, audit), name, study, audit)
    made = cells.read_cells(texts, table, study, audit)
    if name == "laboratory":
        made = rules.laboratory(made, study, audit)
    elif name == "dosing":
        made = rules.dosing(made, study, audit)
    elif name == "mrd":
        made = rules.mrd(made, study, audit)
    elif name == "adverse_events":
        made["reported_term"] = texts["term"]
    known = raw.known_columns(name) | set(made.columns) | {cells.day_name(column) for column in table.names}
    for column in texts.columns.difference(known, sort=False):
        audit.log_table("extra_column", column, "", "kept as text")
        made[column] = texts[column].mask(texts[column] == "", None)
    made[SOURCE_LINE] = received[raw.LINE]
    return made


def _place_in_time(made: dict[str, pd.DataFrame], usable: dict[str, pd.DataFrame], study: Study,
                   audits: dict[str, Audit]) -> list[Problem]:
    """Fill the study day of every date from its patient's time origin; without dates the origin is day 0."""
    patients, twin = made["patients"], cells.day_name(study.origin)
    known = patients["patient_id"].notna()
    origins = patients[known].drop_duplicates("patient_id").set_index("patient_id")[study.origin]
    problems = []
    if study.origin not in usable["patients"]:
        moved = patients.index[patients[twin].fillna(0) != 0]
        if len(moved):
            problems.append(Problem("patients", twin, tuple(patients.loc[moved, SOURCE_LINE]),
                                    "study time counts from here, so it must be 0 or blank", "set it to 0"))
        patients[twin] = pd.array([0] * len(patients), dtype="Int64")
    for name, frame in made.items():
        origin = frame["patient_id"].map(origins).astype("datetime64[ns]")
        if name == "adverse_events":
            frame["start_date"] = rules.onset_at_origin(frame, origin, audits[name])["start_date"]
        for column in cells.declared(name, study).columns:
            if column.kind == "date":
                day = (frame[column.name] - origin).dt.days.astype("Int64")
                frame[cells.day_name(column.name)] = frame[cells.day_name(column.name)].fillna(day)
    return problems


def _settle(made: pd.DataFrame, name: str, study: Study, ragged: dict[int, list[str]], audit: Audit) -> list[Problem]:
    """Verdicts on cells: a problem in a required table; elsewhere the row, or an optional cell, is set aside."""
    table = cells.declared(name, study)
    rows.set_aside_wrecks(made, ragged, audit)
    rows.note_blanks(made, table, study, audit)
    if table.required:
        wrong = contract.verify(made, name, audit)
        wrong = wrong[wrong["kind"] != "blank"]
        audit.fault_frame(wrong)
        return audit.problems(rows.mends(name, study), "correct the cells, or leave them blank where unknown")
    rows.settle_faults(made, table, audit)
    wrong = contract.verify(made, name, audit).drop_duplicates("row").set_index("row")
    audit.drop("impossible_value", wrong["column"] + " " + wrong["text"] + ": " + wrong["kind"], wrong.index)
    return []


def _assemble(made: dict[str, pd.DataFrame], usable: dict[str, pd.DataFrame], study: Study, audits: dict[str, Audit],
              tables: dict[str, pd.DataFrame]) -> Clean:
    whole = {}
    for name, frame in made.items():
        kept = frame[audits[name].kept]
        if name == "patients" and study.origin not in usable[name] and study.origin not in schema.RAW[name].names:
            kept = kept.drop(columns=[study.origin, cells.day_name(study.origin)])
        whole[name] = _sorted(kept, name)
        if len(kept) + int((~audits[name].kept).sum()) != len(tables[name]):
            raise AssertionError(f"{name}: rows were lost")
    log = [audit.log_frame() for audit in audits.values()]
    extra = [name for name in tables if name not in schema.RAW]
    log.append(pd.DataFrame({"rule": "extra_table", "table": extra, "patient_id": "", "column": "", "before": "",
                             "after": "not read"}, columns=LOG_COLUMNS).astype({"line": "Int64"}))
    aside = [audit.quarantine_frame(usable[name].attrs.get("ragged", {})) for name, audit in audits.items()]
    return Clean(whole, _stack(log, LOG_COLUMNS), _stack(aside, QUARANTINE_COLUMNS))


def _stack(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    full = [frame for frame in frames if len(frame)]
    if not full:
        return pd.DataFrame(columns=columns).astype({"line": "Int64"})
    return pd.concat(full, ignore_index=True).astype({"line": "Int64"})[columns]


def _sorted(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows by key, then by content, so that the order of the raw rows leaves no trace."""
    key = [cells.day_name(column) if column in schema.DAY_COLUMN else column for column in schema.RAW[name].key]
    rest = [column for column in frame.columns if column not in [*key, SOURCE_LINE]]
    # A date can be known although its day is not, when the patient has no time origin.
    return frame.sort_values([*key, *rest, SOURCE_LINE], kind="stable", na_position="first").reset_index(drop=True)
