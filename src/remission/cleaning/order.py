"""The order in which things happen to a patient, over the three required tables: what contradicts it stops the run."""

from __future__ import annotations

import pandas as pd

from remission.cleaning import findings
from remission.cleaning.cells import day_name, declared
from remission.cleaning.findings import Finding
from remission.study import Study

#: Column of the line number of each required table, once they are joined.
LINES = {"patients": "line_patients", "remission_events": "line_events", "disposition": "line_disposition"}


def order(tables: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame], study: Study) -> list[Finding]:
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
    list of Finding
        Diagnosis, first remission, time origin, relapse and death (or last contact) must follow in this order; the same
        day is no fault. Blank times are not compared.
    """
    patients, events, disposition = (_declared_only(tables, name, study) for name in LINES)
    # A patient who is there twice has been named already.
    one = patients.drop_duplicates("patient_id").merge(disposition.drop_duplicates("patient_id"), on="patient_id",
                                                       how="left")
    many = events.merge(one, on="patient_id", how="inner")
    start = study.origin
    origin = f"the time origin ({study.origin_label})"
    unplaced = one[one[day_name(start)].isna()]
    rules = [
        ("remission_before_diagnosis", one, "diagnosis_date", "cr_date", "first remission before diagnosis"),
        ("origin_before_diagnosis", one, "diagnosis_date", start, f"{origin} before diagnosis"),
        ("origin_before_remission", one, "cr_date", start, f"{origin} before first remission"),
        ("death_before_origin", one, start, "death_date", f"death before {origin}: negative duration"),
        ("contact_before_origin", one, start, "last_contact", f"last contact before {origin}: negative duration"),
        ("contact_before_diagnosis", unplaced, "diagnosis_date", "last_contact", "last contact before diagnosis"),
        ("death_before_diagnosis", unplaced, "diagnosis_date", "death_date", "death before diagnosis"),
        ("contact_after_death", one, "last_contact", "death_date", "last contact after death"),
        ("relapse_before_remission", many, "cr_date", "date", "relapse before first remission: negative duration"),
        ("relapse_before_origin", many, start, "date", f"relapse before {origin}: negative duration"),
        ("relapse_after_death", many, "date", "death_date", "relapse after death"),
        ("relapse_after_contact", many, "date", "last_contact", "relapse after last contact"),
    ]
    found = []
    for rule, frame, first, second, what in rules:
        late = frame[_after(frame, first, second)]
        if first != second and len(late):
            found.append(_finding(rule, late, second, received, what))
    return found + _births(tables["patients"], study)


def _finding(rule: str, late: pd.DataFrame, second: str, received: dict[str, pd.DataFrame], what: str) -> Finding:
    table = "remission_events" if rule.startswith("relapse") else "disposition" if second in (
        "death_date", "last_contact") else "patients"
    column = "date" if table == "remission_events" else second
    given = column if column in received[table] else day_name(column)
    late = late.drop_duplicates(LINES[table])
    texts = dict(zip(received[table]["_line"], received[table][given], strict=True)) if given in received[table] else {}
    values = pd.Series([texts.get(line, "") for line in late[LINES[table]]], dtype=object)
    return Finding(rule, table, given, f"{what} (patient {{who}})",
                   findings.rows(late[LINES[table]], values, late["patient_id"]))


def _births(patients: pd.DataFrame, study: Study) -> list[Finding]:
    """Patients born after their time origin or their diagnosis."""
    born = patients["birth_year"]
    late = (born > patients[study.origin].dt.year) | (born > patients["diagnosis_date"].dt.year)
    late = patients[late.fillna(False).astype(bool)]
    if late.empty:
        return []
    return [Finding("born_after_disease", "patients", "birth_year", "born after the disease began (patient {who})",
                    findings.rows(late["source_line"], late["birth_year"].astype(str), late["patient_id"]))]


def _declared_only(tables: dict[str, pd.DataFrame], name: str, study: Study) -> pd.DataFrame:
    """Patient and times of a table, its line numbers under the table's own name; rows without a patient left out."""
    times = [column.name for column in declared(name, study).columns if column.kind == "date"]
    kept = tables[name][["patient_id", *times, *map(day_name, times), "source_line"]]
    return kept[kept["patient_id"].notna()].rename(columns={"source_line": LINES[name]})


def _after(frame: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Whether `first` comes after `second`, by study day where both have one, else by date."""
    early, late = frame[day_name(first)], frame[day_name(second)]
    by_day = (early > late).fillna(False).astype(bool)
    no_day = early.isna() | late.isna()
    return by_day | (no_day & (frame[first] > frame[second]))
