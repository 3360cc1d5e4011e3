"""Rows: which go to quarantine, which are duplicates, which come after death, which tables disagree."""

from __future__ import annotations

import pandas as pd

from remission import raw, schema
from remission.cleaning import rules
from remission.cleaning.audit import Audit
from remission.cleaning.cells import day_name, shown
from remission.errors import Problem
from remission.study import Study

#: First time column of each optional table: a row whose first time lies after death is no observation.
FIRST_TIME = {"chemotherapy_cycles": "start_date", "dosing": "start_date", "adverse_events": "start_date",
              "laboratory": "date", "mrd": "date", "mutations": "date", "procedures": "date"}
#: Tables in which a stretch has an end.
STRETCHES = ("chemotherapy_cycles", "dosing", "adverse_events")
#: Tables in which two rows under one key are worth a look.
ONE_ROW_A_KEY = ("chemotherapy_cycles", "laboratory", "mrd")


def set_aside_wrecks(made: pd.DataFrame, ragged: dict[int, list[str]], audit: Audit) -> None:
    """Rows without any content, and rows whose number of cells is not the header's.

    A row of the wrong length in a required table is noted as a fault, as nobody can say which cell is missing.
    """
    received = audit.received.drop(columns=raw.LINE)
    # Most rows have a patient: only the others are worth a look at every cell.
    nobody = audit.patients == ""
    empty = received[nobody].map(str.strip).eq("").all(axis=1)
    blank = nobody & empty.reindex(made.index, fill_value=False)
    audit.drop("blank_row", "no cell is filled", made.index[blank])
    wrong = audit.lines.isin(list(ragged)) & ~blank
    if schema.RAW[audit.table].required:
        texts = pd.Series("", index=made.index, dtype=object)
        audit.fault("", texts, f"row without the {received.shape[1]} cells of the header", made.index[wrong])
    elif wrong.any():
        counts = audit.lines.map({line: len(cells) for line, cells in ragged.items()})
        reason = counts.map("{:.0f}".format) + f" cells, the header has {received.shape[1]}"
        audit.drop("ragged_row", reason, made.index[wrong])


def note_blanks(made: pd.DataFrame, table: schema.Table, study: Study, audit: Audit) -> None:
    """Blank cells where the contract asks for a value, as faults."""
    seen = audit.faults()
    for column in table.columns:
        if not column.required:
            continue
        name = column.name if column.name in audit.received or column.kind != "date" else day_name(column.name)
        value = made["state"] if (table.name, column.name) == ("mrd", "result_text") else made[column.name]
        blank = value.isna() | (value.astype(object) == "")
        if column.kind == "date":
            blank &= made[day_name(column.name)].isna()
        blank &= ~made.index.isin(seen.loc[seen["column"] == name, "row"]) & audit.kept
        # A known defect of study.toml stays missing: it was reported, and is never guessed.
        blank &= ~made.index.isin(audit.rows("known_defect", name))
        audit.fault(name, pd.Series("", index=made.index, dtype=object), "blank cell", made.index[blank])


def settle_faults(made: pd.DataFrame, table: schema.Table, audit: Audit) -> None:
    """Faults of an optional table: the row goes to quarantine where the cell decides what the row says.

    Required cells and times decide; any other cell that cannot be read becomes missing, which is logged.
    """
    faults = audit.faults()
    needed = {column.name for column in table.columns if column.required or column.kind == "date"}
    needed |= {day_name(column.name) for column in table.columns if column.kind == "date"} | {""}
    fatal = faults[faults["column"].isin(needed)].drop_duplicates("row").set_index("row")
    text = fatal["text"].map(lambda given: f" {given!r}" if given else "")
    reason = fatal["column"] + ": " + fatal["kind"] + text
    blank = fatal["kind"] == "blank cell"
    audit.drop("missing_value", reason[blank], fatal.index[blank])
    audit.drop("unreadable_value", reason[~blank], fatal.index[~blank])
    for column, cells in faults[~faults["column"].isin(needed)].groupby("column", sort=False):
        texts = cells.drop_duplicates("row").set_index("row")["text"]
        audit.log("unreadable_value", column, texts, "", texts.index)


def mends(name: str, study: Study) -> dict[str, str]:
    """How to mend the cells of a required table, by column."""
    made = {column.name: f"one of {', '.join(closed)}" for column in schema.RAW[name].columns
            if (closed := column.values)}  # noqa: PD011
    dates = "write dates as YYYY-MM-DD; leave unknown ones blank, or list their exact text under [known_defects]"
    made |= {column.name: dates for column in schema.RAW[name].columns if column.kind == "date"}
    made["arm"] = f"one of {', '.join(study.arm_keys)}, or add an alias to that arm in study.toml"
    made[study.origin] = dates
    made["patient_id"] = "fill it in or delete the row"
    made[""] = "complete the row; quote cells that hold the separator"
    return made


def relate(made: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame], study: Study,
           audits: dict[str, Audit]) -> list[Problem]:
    """Faults between rows: patients twice, unknown or without disposition; duplicates go to quarantine.

    Parameters
    ----------
    made, received : dict of DataFrame
        Typed and raw tables.
    study : Study
    audits : dict of Audit

    Returns
    -------
    list of Problem
        Those of the required tables. In the other tables a row of an unknown patient goes to quarantine.
    """
    problems = []
    patients = made["patients"]
    kept = patients[audits["patients"].kept]
    problems += _twice(kept, "patients", "duplicate patient", "keep one row a patient")
    known = set(kept["patient_id"].dropna())
    for name, frame in made.items():
        if name == "patients":
            continue
        strange = ~frame["patient_id"].isin(known) & frame["patient_id"].notna() & audits[name].kept
        if schema.RAW[name].required and strange.any():
            who = ", ".join(dict.fromkeys(frame.loc[strange, "patient_id"].iloc[:5]))
            problems.append(Problem(name, "patient_id", tuple(sorted(frame.loc[strange, "source_line"])),
                                    f"unknown patient {who}", "correct the number, or add the patient to patients.csv"))
        elif strange.any():
            audits[name].drop("unknown_patient", "patient " + frame["patient_id"].fillna("") + " is not in patients",
                              frame.index[strange])
        _drop_duplicates(frame, audits[name])
    disposition = made["disposition"][audits["disposition"].kept]
    problems += _twice(disposition, "disposition", "two different rows of patient", "keep the last word on the patient")
    without = kept[~kept["patient_id"].isin(disposition["patient_id"]) & kept["patient_id"].notna()]
    if len(without):
        problems.append(Problem("disposition", "patient_id", (), "no row for patient " + ", ".join(
            without["patient_id"].iloc[:5]) + (f" and {len(without) - 5} more" if len(without) > 5 else ""),
            "add one row a patient: last contact and status"))
    return problems + _relapses(made, audits)


def _twice(frame: pd.DataFrame, table: str, what: str, mend: str) -> list[Problem]:
    twice = frame[frame.duplicated("patient_id", keep=False) & frame["patient_id"].notna()]
    return [Problem(table, "patient_id", tuple(sorted(group["source_line"])), f"{what}: {patient}", mend)
            for patient, group in twice.groupby("patient_id")]


def _relapses(made: dict[str, pd.DataFrame], audits: dict[str, Audit]) -> list[Problem]:
    """Status and relapses that disagree: logged; a table of events without rows although patients relapsed: refused."""
    events = made["remission_events"][audits["remission_events"].kept]
    audit, disposition = audits["disposition"], made["disposition"]
    status = disposition["status"].fillna("")
    dead = disposition["death_day"].notna() | disposition["death_date"].notna()
    relapsed = disposition["patient_id"].isin(events["patient_id"])
    after = status.str.endswith("after relapse")
    if events.empty and (after & audit.kept).any():
        return [Problem("remission_events", "", (), f"the table has no rows, although disposition tells of "
                        f"{int((after & audit.kept).sum())} patients after relapse", "export it again, with its rows")]
    odd = {"a relapse is recorded": status.str.endswith("in remission") & relapsed,
           "no relapse is recorded": after & ~relapsed,
           "a death is recorded": status.str.startswith("alive") & dead}
    for why, where in odd.items():
        audit.log("status_disagrees", "status", status, f"unchanged; {why}", disposition.index[where & audit.kept])
    return []


def _drop_duplicates(frame: pd.DataFrame, audit: Audit) -> None:
    """Rows that say the same as an earlier line, once they are clean."""
    same = [column for column in frame.columns if column not in ("source_line", "reported_term")]
    rows = frame[audit.kept].sort_values("source_line")
    rows = rows[rows["patient_id"].notna()]
    twice = rows.duplicated(same)
    first = rows.groupby(same, dropna=False)["source_line"].transform("min") if twice.any() else rows["source_line"]
    audit.drop("duplicate_row", "same as line " + first.astype(int).astype(str), rows.index[twice])


def finish(made: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame],
           audits: dict[str, Audit]) -> dict[str, pd.DataFrame]:
    """Last rules on rows: negative stretches, dosing, death, repeated keys.

    Parameters
    ----------
    made, received : dict of DataFrame
    audits : dict of Audit

    Returns
    -------
    dict of DataFrame
        The tables; quarantined rows are still among them.
    """
    disposition = made["disposition"][audits["disposition"].kept].set_index("patient_id")
    for name in [name for name in made if name in FIRST_TIME]:
        frame, audit = made[name], audits[name]
        _after_death(frame, disposition, audit)
        if name in STRETCHES:
            backward = (frame["end_day"] < frame["start_day"]).fillna(False) | (frame["end_date"] < frame["start_date"])
            audit.drop("negative_duration", "the end lies before the start", frame.index[backward.astype(bool)])
            made[name] = frame = _end_at_death(frame, disposition, audit)
        if name == "dosing":
            made[name] = rules.stretches(frame, "start_date" in received[name], audit)
        if name in ONE_ROW_A_KEY:
            _query_keys(frame, audit)
    return made


def _after_death(frame: pd.DataFrame, disposition: pd.DataFrame, audit: Audit) -> None:
    column = FIRST_TIME[audit.table]
    death, date = frame["patient_id"].map(disposition["death_day"]), frame["patient_id"].map(disposition["death_date"])
    late = (frame[day_name(column)] > death).fillna(False).astype(bool) | (frame[column] > date)
    audit.drop("after_death", f"{column} lies after the patient's death", frame.index[late])


def _end_at_death(frame: pd.DataFrame, disposition: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """Ends after death become the day of death."""
    death, date = frame["patient_id"].map(disposition["death_day"]), frame["patient_id"].map(disposition["death_date"])
    late = (frame["end_day"] > death).fillna(False).astype(bool) & audit.kept
    dated = frame["end_date"].notna()
    audit.log("end_after_death", "end_date", shown(frame["end_date"]), shown(date), frame.index[late & dated])
    audit.log("end_after_death", "end_day", shown(frame["end_day"]), shown(death), frame.index[late & ~dated])
    return frame.assign(end_day=frame["end_day"].mask(late, death), end_date=frame["end_date"].mask(late & dated, date))


def _query_keys(frame: pd.DataFrame, audit: Audit) -> None:
    """Log rows that share a key with another row; nothing is changed."""
    key = [day_name(column) if column in schema.DAY_COLUMN else column for column in schema.RAW[audit.table].key]
    rows = frame[audit.kept]
    same = rows[rows.duplicated(key, keep=False) & rows[key].notna().all(axis=1)]
    audit.log("repeated_key", key[-1], "", "unchanged; another row has the same " + ", ".join(key), same.index)
