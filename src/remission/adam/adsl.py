"""Subject level: one row a patient, with what ended the first remission and whether the dates allow analysis."""

from __future__ import annotations

from typing import Any

import pandas as pd

from remission import schema
from remission.study import Study

#: Status at last contact, as the end of the first remission; a recorded relapse comes before any of these.
END_OF_REMISSION = {
    "alive in remission": "ongoing remission", "died in remission": "death in remission",
    "alive after relapse": "relapse", "died after relapse": "relapse",
    "never in remission": "not evaluable", "unknown": "not evaluable",
}
SURVIVAL = {"OSDX", "OSMT"}


def derive_adsl(tables: dict[str, pd.DataFrame], study: Study) -> pd.DataFrame:
    """Derive the subject-level table.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables by name. `patients`, `disposition` and `remission_events` must be there; `dosing` and
        `chemotherapy_cycles` are used where the cohort has them. Days count from each patient's time origin.
    study : Study

    Returns
    -------
    DataFrame
        Table `adsl`: every patient, also those whose dates do not allow time-to-event analysis (TTEFL = N; TTEEXCL
        gives every reason).

    Raises
    ------
    ValueError
        When a patient has two rows in `patients` or `disposition`.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> day = lambda *values: pd.array(values, dtype="Int64")
    >>> tables = {
    ...     "patients": pd.DataFrame({"patient_id": ["1", "2"], "arm": ["A", "A"]}),
    ...     "remission_events": pd.DataFrame({"patient_id": ["1"], "day": day(90), "site": ["BM"]}),
    ...     "disposition": pd.DataFrame({"patient_id": ["1", "2"], "last_contact_day": day(120, None),
    ...                                  "status": ["alive after relapse", "alive in remission"]})}
    >>> study = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> derive_adsl(tables, study)[["STATUS", "RELDY", "TTEFL", "TTEEXCL"]].to_numpy().tolist()
    [['relapse', 90, 'Y', None], ['ongoing remission', <NA>, 'N', 'no date of last contact']]
    """
    patients = tables["patients"].reset_index(drop=True)
    made = _demography(patients, study)
    made = _join(made, last_word(tables["disposition"]))
    made = _join(made, first_relapse(tables["remission_events"]))
    made["RELAPSED"] = made["USUBJID"].isin(tables["remission_events"]["patient_id"]) | (
        made["DISPOSITION"].map(END_OF_REMISSION).eq("relapse"))
    status = made["DISPOSITION"].map(END_OF_REMISSION).fillna("not evaluable")
    status = status.mask(status.eq("ongoing remission") & made["DEAD"], "death in remission")
    made["STATUS"] = status.mask(made["RELAPSED"], "relapse")
    made["TTEEXCL"] = exclusions(made, study)
    made["TTEFL"] = made["TTEEXCL"].isna().map({True: "Y", False: "N"})
    made = _join(made, cycles_before_origin(tables.get("chemotherapy_cycles")))
    made = _exposure(made, tables.get("dosing"))
    if len(made) != len(patients):
        raise ValueError(f"adsl: {len(patients)} patients became {len(made)} rows")
    return schema.conform(made[schema.ANALYSIS["adsl"].names], schema.ANALYSIS["adsl"])


def last_word(disposition: pd.DataFrame) -> pd.DataFrame:
    """Status, last contact and death of each patient.

    Parameters
    ----------
    disposition : DataFrame
        Clean table; days from the origin.

    Returns
    -------
    DataFrame
        USUBJID, DISPOSITION, DTHDY, LSTALVDY (day of death where no last contact is recorded), and DEAD, UNDATED_DEATH,
        UNDATED_CONTACT: a date can be known although its day is not, when the time origin is missing.
    """
    death, contact = _column(disposition, "death_day", "Int64"), _column(disposition, "last_contact_day", "Int64")
    death_date, contact_date = _column(disposition, "death_date"), _column(disposition, "last_contact")
    dead = disposition["status"].str.startswith("died").fillna(False).astype(bool) | death.notna() | death_date.notna()
    return pd.DataFrame({
        "USUBJID": disposition["patient_id"], "DISPOSITION": disposition["status"], "DTHDY": death,
        "LSTALVDY": contact.fillna(death), "DEAD": dead, "UNDATED_DEATH": dead & death.isna() & death_date.isna(),
        "UNDATED_CONTACT": contact.isna() & contact_date.isna() & death.isna() & death_date.isna()})


def first_relapse(events: pd.DataFrame) -> pd.DataFrame:
    """Earliest relapse of each patient; a dated relapse comes before an undated one.

    Parameters
    ----------
    events : DataFrame
        Clean `remission_events`.

    Returns
    -------
    DataFrame
        USUBJID, RELDY, RELSITE, DATED_RELAPSE ("Y" or "N").
    """
    whole = pd.DataFrame({
        "USUBJID": events["patient_id"].astype(object), "RELDY": _column(events, "day", "Int64"),
        "RELSITE": _column(events, "site"), "RELDT": _column(events, "date")})
    first = whole.sort_values(["USUBJID", "RELDY", "RELDT"], kind="stable").drop_duplicates("USUBJID")
    dated = first["RELDY"].notna() | first["RELDT"].notna()
    return first.assign(DATED_RELAPSE=_flag(dated)).drop(columns="RELDT")


def exclusions(subject: pd.DataFrame, study: Study) -> pd.Series:
    """Why a patient's dates do not allow time-to-event analysis; every reason, none guessed away.

    Parameters
    ----------
    subject : DataFrame
        One row a patient, with the columns of `last_word` and `first_relapse`, NO_ORIGIN and NO_DIAGNOSIS.
    study : Study
        Survival endpoints ask for dates that remission endpoints do not.

    Returns
    -------
    Series of text
        Reasons joined by "; "; missing where there is none.
    """
    survival = bool(SURVIVAL & set(study.endpoints))
    never = subject["DISPOSITION"].eq("never in remission")
    unknown = ~subject["DISPOSITION"].isin(set(END_OF_REMISSION) - {"unknown"}) & ~subject["RELAPSED"]
    followed = ~never & ~unknown
    relapsed, in_remission = subject["RELAPSED"], followed & ~subject["RELAPSED"]
    no_contact = ~subject["DEAD"] & subject["UNDATED_CONTACT"]
    reasons = {
        "never in remission": never,
        "outcome unknown": unknown,
        f"no date of {study.origin_label}": followed & subject["NO_ORIGIN"],
        "no date of relapse": relapsed & subject["DATED_RELAPSE"].ne("Y"),
        "no date of death in remission": in_remission & subject["UNDATED_DEATH"],
        "no date of death after relapse": relapsed & subject["UNDATED_DEATH"] & survival,
        "no date of last contact": (in_remission | (relapsed & survival)) & no_contact,
        "no date of diagnosis": followed & subject["NO_DIAGNOSIS"] & ("OSDX" in study.endpoints),
    }
    said = pd.Series("", index=subject.index, dtype=object)
    for reason, holds in reasons.items():
        said = said.mask(holds, said + "; " + reason)
    return said.str.removeprefix("; ").replace("", None)


def cycles_before_origin(cycles: pd.DataFrame | None) -> pd.DataFrame:
    """Number of cycles of intensive chemotherapy before the time origin; cycles without a date count.

    Parameters
    ----------
    cycles : DataFrame or None
        Clean `chemotherapy_cycles`.

    Returns
    -------
    DataFrame
        USUBJID, NCYCLES; patients without a recorded cycle are absent.
    """
    if cycles is None:
        return pd.DataFrame({"USUBJID": pd.Series(dtype=object), "NCYCLES": pd.Series(dtype="Int64")})
    before = (_column(cycles, "start_day", "Int64") < 0).fillna(True).astype(bool)
    counted = cycles[before].groupby("patient_id").size().astype("Int64")
    return counted.rename_axis("USUBJID").rename("NCYCLES").reset_index()


def _demography(patients: pd.DataFrame, study: Study) -> pd.DataFrame:
    origin = pd.to_datetime(_column(patients, study.origin)).astype("datetime64[ns]")
    diagnosis = pd.to_datetime(_column(patients, "diagnosis_date")).astype("datetime64[ns]")
    diagnosis_day = _column(patients, "diagnosis_day", "Int64")
    age = _column(patients, "age", "Int64")
    number = {key: position for position, key in enumerate(study.arm_keys, 1)}
    return pd.DataFrame({
        "STUDYID": study.name, "USUBJID": patients["patient_id"], "TRT01A": patients["arm"],
        "TRT01AN": patients["arm"].map(number).astype("Int64"), "SEX": _column(patients, "sex"),
        "AGE": age.fillna(origin.dt.year.astype("Int64") - _column(patients, "birth_year", "Int64")),
        "TRANSC": _column(patients, "transcript"), "DXDT": diagnosis,
        "CRDT": pd.to_datetime(_column(patients, "cr_date")).astype("datetime64[ns]"), "MTSTDT": origin,
        "DXDY": diagnosis_day, "CRDY": _column(patients, "cr_day", "Int64"),
        # A cohort that gives study time has no origin dates; there, day 0 is the origin of every patient.
        "NO_ORIGIN": origin.isna() & origin.notna().any(), "NO_DIAGNOSIS": diagnosis_day.isna() & diagnosis.isna()})


def _exposure(subject: pd.DataFrame, dosing: pd.DataFrame | None) -> pd.DataFrame:
    columns = {"TRTSDY": "Int64", "MTENDY": "Int64", "MTONFL": object}
    if dosing is None:
        blank = {name: pd.Series(pd.NA, index=subject.index, dtype=dtype) for name, dtype in columns.items()}
        return subject.assign(**blank, SAFFL="Y", IFNEVLFL="N")
    given = dosing[dosing["dose"] > 0]
    interferon = given.loc[given["drug"].str.startswith("interferon"), "patient_id"]
    joined = _join(subject, maintenance(given, subject))
    return joined.assign(SAFFL=_flag(subject["USUBJID"].isin(given["patient_id"])),
                         IFNEVLFL=_flag(subject["USUBJID"].isin(interferon)))


def maintenance(given: pd.DataFrame, subject: pd.DataFrame) -> pd.DataFrame:
    """First and last day of maintenance, over all drugs.

    A stretch without an end goes on to the last day known alive. Whoever died on treatment stopped on the day of death.

    Parameters
    ----------
    given : DataFrame
        Clean `dosing` rows with a dose above zero.
    subject : DataFrame
        USUBJID, LSTALVDY, DEAD.

    Returns
    -------
    DataFrame
        USUBJID, TRTSDY, MTENDY, MTONFL; patients without a dose after the origin are absent.
    """
    stretch = given[["patient_id", "start_day", "end_day"]].rename(columns={"patient_id": "USUBJID"})
    stretch = stretch.merge(subject[["USUBJID", "LSTALVDY", "DEAD"]], on="USUBJID", how="inner", validate="many_to_one")
    stretch["OPEN"] = stretch["end_day"].isna() & ~stretch["DEAD"]
    stretch["end_day"] = stretch["end_day"].fillna(stretch["LSTALVDY"])
    # Study drugs may already be part of front-line therapy: maintenance begins with the origin.
    stretch = stretch[(stretch["end_day"] >= 0).fillna(False)]
    stretch["start_day"] = stretch["start_day"].clip(lower=0)
    whole = stretch.groupby("USUBJID", as_index=False).agg(
        TRTSDY=("start_day", "min"), MTENDY=("end_day", "max"), OPEN=("OPEN", "any"))
    return whole.assign(MTONFL=_flag(whole["OPEN"])).drop(columns="OPEN")


def _join(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Left join on the patient that can neither add nor lose a row."""
    joined = left.merge(right, on="USUBJID", how="left", validate="one_to_one")
    assert len(joined) == len(left)
    return joined


def _column(frame: pd.DataFrame, name: str, dtype: Any = object) -> pd.Series:
    """Column of a clean table; blank where the cohort does not have it."""
    if name in frame:
        return frame[name].astype(dtype) if dtype is not object else frame[name]
    return pd.Series(None if dtype is object else pd.NA, index=frame.index, dtype=dtype)


def _flag(holds: pd.Series) -> pd.Series:
    return holds.astype(bool).map({True: "Y", False: "N"})
