"""Rows: which go to quarantine, which are duplicates, which come after death, which tables disagree."""

from __future__ import annotations

import pandas as pd

from remission import raw, schema
from remission.cleaning import findings, rules
from remission.cleaning.audit import Audit
from remission.cleaning.cells import day_name, shown
from remission.cleaning.findings import Finding
from remission.study import Study


def set_aside_wrecks(made: pd.DataFrame, ragged: dict[int, list[str]], audit: Audit) -> None:
    """Rows without any content, and rows whose number of cells is not the header's.

    A row of the wrong length in a required table is noted as a fault, as nobody can say which cell is missing.
    """
    received = audit.received.drop(columns=raw.LINE)
    # Most rows have a patient: only the others are worth a look at every cell.
    nobody = audit.patients == ""
    blank = nobody
    if nobody.any():
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
    # Nobody can say which cell a row of the wrong length lacks.
    whole = ~made.index.isin(seen.loc[seen["column"] == "", "row"])
    for column in table.columns:
        if not column.required:
            continue
        name = column.name if column.name in audit.received or column.kind != "date" else day_name(column.name)
        value = made["state"] if (table.name, column.name) == ("mrd", "result_text") else made[column.name]
        blank = value.isna() | (value.astype(object) == "")
        if column.kind == "date":
            blank &= made[day_name(column.name)].isna()
        blank &= ~made.index.isin(seen.loc[seen["column"] == name, "row"]) & audit.kept & whole
        if table.required:
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
    for rule, rows in (("missing_value", fatal.index[blank]), ("unreadable_value", fatal.index[~blank])):
        audit.drop(rule, reason, rows, column=fatal["column"], values=fatal["text"], check=fatal["rule"])
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


def relate(made: dict[str, pd.DataFrame], audits: dict[str, Audit], lost: bool | None = None) -> list[Finding]:
    """Faults between rows: patients twice, unknown or without disposition; duplicates go to quarantine.

    Parameters
    ----------
    made : dict of DataFrame
        Typed tables.
    audits : dict of Audit
    lost : bool or None
        Whether the table of relapses has no rows in the whole cohort; None where `made` is the whole.

    Returns
    -------
    list of Finding
        Those of the required tables. In the other tables a row of an unknown patient goes to quarantine.
    """
    found = []
    patients = made["patients"]
    kept = patients[audits["patients"].kept]
    found += _twice(kept, "patients", "duplicate patient", "keep one row a patient")
    known = set(kept["patient_id"].dropna())
    for name, frame in made.items():
        if name == "patients":
            continue
        strange = ~frame["patient_id"].isin(known) & frame["patient_id"].notna() & audits[name].kept
        if schema.RAW[name].required and strange.any():
            found.append(_finding("unknown_patient", name, frame[strange], "unknown patient {who}"))
        elif strange.any():
            audits[name].drop("unknown_patient", "patient " + frame["patient_id"].fillna("") + " is not in patients",
                              frame.index[strange], column="patient_id", values=frame["patient_id"])
        _drop_duplicates(frame, audits[name])
    disposition = made["disposition"][audits["disposition"].kept]
    found += _twice(disposition, "disposition", "two different rows of patient", "keep the last word on the patient")
    without = kept[~kept["patient_id"].isin(disposition["patient_id"]) & kept["patient_id"].notna()]
    if len(without):
        found.append(_finding("no_disposition", "disposition", without, "no row for patient {who}{more}",
                              shows="patients"))
    return found + _relapses(made, audits, lost)


def _finding(rule: str, table: str, frame: pd.DataFrame, words: str, mend: str = "", *, column: str = "patient_id",
             shows: str = "lines") -> Finding:
    """A finding about the patient numbers of some rows."""
    who = frame["patient_id"]
    return Finding(rule, table, column, words, findings.rows(frame["source_line"], who, who), mend, shows)


def _twice(frame: pd.DataFrame, table: str, what: str, mend: str) -> list[Finding]:
    twice = frame[frame.duplicated("patient_id", keep=False) & frame["patient_id"].notna()]
    return [_finding("duplicate_patient", table, group, f"{what}: {patient}", mend)
            for patient, group in twice.groupby("patient_id")]


def _relapses(made: dict[str, pd.DataFrame], audits: dict[str, Audit], lost: bool | None) -> list[Finding]:
    """Status and relapses that disagree: logged; a table of events without rows although patients relapsed: refused."""
    events = made["remission_events"][audits["remission_events"].kept]
    audit, disposition = audits["disposition"], made["disposition"]
    lost = events.empty if lost is None else lost
    status = disposition["status"].fillna("")
    dead = disposition["death_day"].notna() | disposition["death_date"].notna()
    relapsed = disposition["patient_id"].isin(events["patient_id"])
    after = status.str.endswith("after relapse")
    odd = {"a relapse is recorded": status.str.endswith("in remission") & relapsed,
           "no relapse is recorded": after & ~relapsed & (not lost),
           "a death is recorded": status.str.startswith("alive") & dead}
    for why, where in odd.items():
        audit.log("status_disagrees", "status", status, f"unchanged; {why}", disposition.index[where & audit.kept])
    told = disposition[after & audit.kept]
    if not lost or told.empty:
        return []
    return [_finding("lost_relapses", "remission_events", told, "the table has no rows, although disposition tells of "
                     "{count} patients after relapse", "export it again, with its rows", column="", shows="nothing")]


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
    disposition = made["disposition"][audits["disposition"].kept & made["disposition"]["patient_id"].notna()]
    # A patient who is there twice has been named already.
    disposition = disposition.drop_duplicates("patient_id").set_index("patient_id")
    for name in [name for name in made if schema.RAW[name].time]:
        frame, audit = made[name], audits[name]
        _after_death(frame, disposition, audit)
        if "end_date" in schema.RAW[name].names:
            backward = (frame["end_day"] < frame["start_day"]).fillna(False) | (frame["end_date"] < frame["start_date"])
            audit.drop("negative_duration", "the end lies before the start", frame.index[backward.astype(bool)],
                       column="end_date", values=received_texts(audit, "end_date"))
            made[name] = frame = _end_at_death(frame, disposition, audit)
        if name == "dosing":
            audit.drop("dose_without_day", "the patient has no time origin, so the dose has no study day",
                       frame.index[frame["start_day"].isna()], column="start_date",
                       values=received_texts(audit, "start_date"))
            made[name] = rules.stretches(frame, "start_date" in received[name], audit)
        if schema.RAW[name].single:
            _query_keys(frame, audit)
    return made


def _after_death(frame: pd.DataFrame, disposition: pd.DataFrame, audit: Audit) -> None:
    column = schema.RAW[audit.table].time
    death, date = frame["patient_id"].map(disposition["death_day"]), frame["patient_id"].map(disposition["death_date"])
    late = (frame[day_name(column)] > death).fillna(False).astype(bool) | (frame[column] > date)
    audit.drop("after_death", f"{column} lies after the patient's death", frame.index[late], column=column,
               values=received_texts(audit, column))


def received_texts(audit: Audit, column: str) -> pd.Series:
    """Texts of a time column as received, dates or study time."""
    given = next((name for name in (column, day_name(column)) if name in audit.received), None)
    return audit.received[given] if given else pd.Series("", index=audit.received.index, dtype=object)


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
