"""Cleaning: from tables as received to typed tables in study time, by named rules, each change on record."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from remission import privacy, raw, schema
from remission.cleaning import cells, contract, findings, order, questions, rows, rules
from remission.cleaning.audit import LOG_COLUMNS, QUARANTINE_COLUMNS, QUERY_COLUMNS, REPAIR_COLUMNS, Audit
from remission.cleaning.dates import Order
from remission.cleaning.report import account
from remission.errors import ContractError, Problem
from remission.study import Study

__all__ = ["LOG_COLUMNS", "QUARANTINE_COLUMNS", "QUERY_COLUMNS", "REPAIR_COLUMNS", "Clean", "Examination", "Part",
           "Whole", "account", "clean", "examine", "first_look", "judge", "look", "readable"]

SOURCE_LINE = "source_line"
REQUIRED = tuple(name for name, table in schema.RAW.items() if table.required)


@dataclass(frozen=True)
class Clean:
    """What cleaning made: typed `tables` by name, the `log` of repairs, the `quarantine` of rows set aside."""

    tables: dict[str, pd.DataFrame]
    log: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass(frozen=True)
class Examination:
    """Everything that was found in a cohort's tables, before any verdict.

    `made`: typed tables, rows in quarantine among them; `usable`: the raw tables that they came from; `audits`: the
    record of each; `problems`: what stops the run.
    """

    made: dict[str, pd.DataFrame]
    usable: dict[str, pd.DataFrame]
    audits: dict[str, Audit]
    problems: list[Problem]


@dataclass(frozen=True)
class Whole:
    """What a part of a cohort cannot tell.

    `first`: this part logs what concerns whole tables; `orders`: order of day and month, by table and column; `lost`:
    whether the table of relapses has no rows.
    """

    first: bool = True
    orders: dict[str, dict[str, Order]] = field(default_factory=dict)
    lost: bool | None = None


@dataclass(frozen=True)
class Part:
    """What a look at a cohort, or at some of its patients, found.

    `made`: typed tables; `audits`: the record of each; `faults`: cells of required tables that stop the run; `found`:
    what else does; `tally`: for the questions that only the whole answers, None while a required table is missing.
    """

    made: dict[str, pd.DataFrame]
    audits: dict[str, Audit]
    faults: dict[str, pd.DataFrame]
    found: list[findings.Finding]
    tally: questions.Tally | None


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
    found = examine(tables, study)
    if found.problems:
        raise ContractError(study.name, found.problems)
    return _assemble(found.made, found.usable, study, found.audits, tables)


def examine(tables: dict[str, pd.DataFrame], study: Study) -> Examination:
    """Look at everything in a cohort's raw tables, so that every fault is known at once.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`.
    study : Study

    Returns
    -------
    Examination

    Examples
    --------
    >>> from remission.study import read as read_study
    >>> study = read_study("freireich1963")
    >>> examine(raw.read(study), study).problems
    []
    """
    tables, renamed, problems = first_look(tables, study)
    usable = {name: frame.reset_index(drop=True) for name, frame in readable(tables, problems).items()}
    part = look(usable, study, renamed)
    if part.tally is not None:
        questions.ask_whole([part.tally], part.audits)
    return Examination(part.made, usable, part.audits, judge([part], problems, study))


def readable(tables: dict[str, pd.DataFrame], problems: list[Problem]) -> dict[str, pd.DataFrame]:
    """Tables of the contract whose cells can be read: those that have no problem but of privacy."""
    broken = {problem.table for problem in problems if not problem.code.startswith("P")}
    return {name: frame for name, frame in tables.items() if name in schema.RAW and name not in broken}


def look(usable: dict[str, pd.DataFrame], study: Study, renamed: dict[str, dict[str, str]],
         whole: Whole | None = None) -> Part:
    """Read the cells of a cohort, or of some of its patients, and put on record what is found.

    Parameters
    ----------
    usable : dict of DataFrame
        From `readable`, index 0, 1, …; every row of a patient, or none.
    study : Study
    renamed : dict of dict
        From `first_look`.
    whole : Whole or None
        What the rows of the other patients decide; None where there are none.

    Returns
    -------
    Part
    """
    whole = whole or Whole()
    audits, made, found = {}, {}, []
    for name, received in usable.items():
        if raw.LINE not in received:
            received[raw.LINE] = received.index + 2
        audits[name] = Audit(name, received, whole.orders.get(name), first=whole.first)
        _log_files(audits[name], received, renamed.get(name, {}))
        made[name] = _read_table(received, name, study, audits[name])
    if "patients" in made:
        found += _place_in_time(made, usable, study, audits)
    for name in made:
        _settle(made[name], name, study, usable[name].attrs.get("ragged", {}), audits[name])
    tally = None
    if not set(REQUIRED) - set(made):
        found += rows.relate(made, audits, whole.lost)
        found += order.order({name: made[name][audits[name].kept] for name in REQUIRED}, usable, study)
        made = rows.finish(made, usable, audits)
        tally = questions.ask(made, usable, study, audits)
    faults = {name: audits[name].placed_faults() for name in REQUIRED if name in audits}
    return Part(made, audits, faults, found, tally)


def judge(parts: list[Part], problems: list[Problem], study: Study) -> list[Problem]:
    """Everything that stops the run.

    Parameters
    ----------
    parts : list of Part
        From `look`.
    problems : list of Problem
        From `first_look`.
    study : Study

    Returns
    -------
    list of Problem
    """
    private, made = privacy.refused(problems), list(problems)
    for name in REQUIRED:
        faults = [part.faults[name] for part in parts if len(part.faults.get(name, ()))]
        if faults:
            made += findings.of_faults(name, pd.concat(faults, ignore_index=True), rows.mends(name, study),
                                       "correct the cells, or leave them blank where unknown")
    made += map(findings.problem, findings.join(found for part in parts for found in part.found))
    # A cell that was blanked for privacy is no blank cell.
    return [one for one in made if one.code.startswith("P") or (one.table, one.column) not in private]


def first_look(tables: dict[str, pd.DataFrame],
               study: Study) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, str]], list[Problem]]:
    """What needs no cell to be read: files, columns, and identifiers of persons.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`.
    study : Study
        Only its time origin matters.

    Returns
    -------
    tables : dict of DataFrame
        With the contract's column names; what identifies a person is blank, so that no later message quotes it.
    renamed : dict of dict
        By table, new name of each renamed column.
    problems : list of Problem
    """
    private = privacy.scan(tables)
    tables, renamed = cells.name_columns(privacy.veil(tables, private), study)
    return tables, renamed, private + contract.structure(tables, study)


def _log_files(audit: Audit, received: pd.DataFrame, renamed: dict[str, str]) -> None:
    """What reading the file itself changed or found odd, and columns under another spelling."""
    place = pd.Series(received.index, received[raw.LINE])
    for rule, column, line, before, after in received.attrs.get("notes", ()):
        if line in place.index:
            audit.log(rule, column, before, after, pd.Index([place[line]]))
        else:
            audit.log_table(rule, column, before, after)
    for old, new in renamed.items():
        audit.log_table("column_name", new, old, new)


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
                   audits: dict[str, Audit]) -> list[findings.Finding]:
    """Fill the study day of every date from its patient's time origin; without dates the origin is day 0."""
    patients, twin = made["patients"], cells.day_name(study.origin)
    known = patients["patient_id"].notna()
    origins = patients[known].drop_duplicates("patient_id").set_index("patient_id")[study.origin]
    found = []
    if study.origin not in usable["patients"]:
        moved = patients[patients[twin].fillna(0) != 0]
        if len(moved):
            found.append(findings.Finding(
                "origin_not_zero", "patients", twin, "study time counts from here, so it must be 0 or blank",
                findings.rows(moved[SOURCE_LINE], moved[twin].astype(str), moved["patient_id"]), "set it to 0"))
        patients[twin] = pd.array([0] * len(patients), dtype="Int64")
    for name, frame in made.items():
        origin = frame["patient_id"].map(origins).astype("datetime64[ns]")
        if name == "adverse_events":
            frame["start_date"] = rules.onset_at_origin(frame, origin, audits[name])["start_date"]
        for column in cells.declared(name, study).columns:
            if column.kind == "date":
                day = (frame[column.name] - origin).dt.days.astype("Int64")
                frame[cells.day_name(column.name)] = frame[cells.day_name(column.name)].fillna(day)
    return found


def _settle(made: pd.DataFrame, name: str, study: Study, ragged: dict[int, list[str]], audit: Audit) -> None:
    """Verdicts on cells: a fault in a required table; elsewhere the row, or an optional cell, is set aside."""
    table = cells.declared(name, study)
    rows.set_aside_wrecks(made, ragged, audit)
    rows.note_blanks(made, table, study, audit)
    if table.required:
        wrong = contract.verify(made, name, audit)
        audit.fault_frame(wrong[wrong["kind"] != "blank"])
        return
    rows.settle_faults(made, table, audit)
    wrong = contract.verify(made, name, audit).drop_duplicates("row").set_index("row")
    audit.drop("impossible_value", wrong["column"] + " " + wrong["text"] + ": " + wrong["kind"], wrong.index,
               column=wrong["column"], values=wrong["text"], check=wrong["rule"])


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
