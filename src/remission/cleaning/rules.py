"""Rules of single tables: units, doses, molecular results, reported terms, stretches of dosing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission.cleaning import molecular, readers, vocabulary
from remission.cleaning.audit import Audit
from remission.cleaning.cells import log_rules, read_column, shown
from remission.study import Study

#: Frequency texts that only repeat that a unit is per week.
WEEKLY_WORDS = frozenset({
    "", "pro woche", "/woche", "woechentlich", "weekly", "per week", "/week", "wk", "woche", "1x/woche", "1x pro woche",
    "once weekly", "1x woechentlich", "gesamt/woche", "total per week"})


def read_units(made: pd.DataFrame, table: str, study: Study, audit: Audit) -> pd.DataFrame:
    """Canonical unit of each row and the factor that leads there.

    Parameters
    ----------
    made : DataFrame
        `unit` as text, and the subject that it measures: `test` or `drug`, already canonical.
    table : str
        `laboratory` or `dosing`.
    study : Study
    audit : Audit

    Returns
    -------
    DataFrame
        canonical, factor, digits and rule, one row a row of the table; missing where the unit is unknown.
    """
    subject, known = made["test" if table == "laboratory" else "drug"], vocabulary.units(table, study)
    texts = made["unit"]
    folded = texts.map({text: vocabulary.fold(text) for text in texts.unique()})
    wanted = pd.MultiIndex.from_arrays([subject.fillna(""), folded])
    units = known.reindex(wanted).set_axis(made.index)
    exact = (texts == units["canonical"]).fillna(False)
    units["rule"] = units["rule"].mask(exact, "").fillna("")
    unknown = units["canonical"].isna() & (texts != "") & subject.notna()
    audit.fault("unit", texts, "unknown unit for " + subject.fillna(""), made.index[unknown])
    log_rules(units, texts, units["canonical"], "unit", audit)
    units["canonical"] = units["canonical"].astype(object).where(units["canonical"].notna(), None)
    return units


def convert(made: pd.DataFrame, columns: list[str], units: pd.DataFrame, study: Study, audit: Audit,
            beside: str) -> pd.DataFrame:
    """Read numbers given in some unit and bring them to the canonical one.

    Parameters
    ----------
    made : DataFrame
        `columns` as text.
    columns : list of str
    units : DataFrame
        From `read_units`.
    study : Study
    audit : Audit
    beside : str
        How one sign before three digits is read where the unit is not a small one (per microlitre, international
        units): `decimal` or `refuse`.

    Returns
    -------
    DataFrame
        `made` with numbers.
    """
    # Counts per microlitre and international units run to thousands and millions: there a dot groups digits.
    small = (units["factor"] < 0.01).fillna(False)
    for column in columns:
        texts = made[column]
        parts = [read_column(texts[mask], lambda t, single=single: readers.read_numbers(t, study.decimal, single),
                             column, audit) for mask, single in ((small, "group"), (~small, beside))]
        parts = [part.astype({"value": float}) for part in parts if len(part)] or parts[:1]
        cells = pd.concat(parts).reindex(made.index)
        given = cells["value"].astype(float)
        log_rules(cells, texts, given, column, audit)
        exact = given * units["factor"]
        values = exact.where(units["digits"].isna(), _round(exact, units["digits"].fillna(0)))
        values = values.map({value: float(f"{value:.10g}") for value in values.dropna().unique()}).astype(float)
        values = values.where(units["factor"] != 1, given)
        changed = made.index[given.notna() & values.notna() & values.ne(given)]
        audit.log(units["rule"], column, texts.where(cells["rule"] == "", shown(given)), shown(values), changed)
        made[column] = values
    return made


def _round(values: pd.Series, digits: pd.Series) -> pd.Series:
    return np.floor(values * 10 ** digits + 0.5) / 10 ** digits


def laboratory(made: pd.DataFrame, study: Study, audit: Audit) -> pd.DataFrame:
    """Laboratory values and limits in the canonical unit of their test."""
    units = read_units(made, "laboratory", study, audit)
    made = convert(made, ["value", "lower_limit_normal", "upper_limit_normal"], units, study, audit, "decimal")
    return made.assign(unit=units["canonical"])


def dosing(made: pd.DataFrame, study: Study, audit: Audit) -> pd.DataFrame:
    """Doses of one administration in the canonical unit of their drug; a weekly dose of interferon becomes a third."""
    units = read_units(made, "dosing", study, audit)
    weekly = units["rule"] == "weekly_dose"
    texts = made["frequency"].copy()
    said = weekly & texts.map(vocabulary.fold).isin(WEEKLY_WORDS)
    audit.log("weekly_dose", "frequency", texts, "TIW", made.index[said])
    names = vocabulary.aliases("dosing", "frequency")
    frequency = read_column(texts.mask(said, "TIW"), lambda t: readers.read_words(
        t, ("TIW", "QD"), names, "alias_value"), "frequency", audit)
    log_rules(frequency, texts, frequency["value"], "frequency", audit)
    made = convert(made, ["dose"], units, study, audit, "refuse")
    return made.assign(unit=units["canonical"], frequency=frequency["value"].astype(object).where(
        frequency["value"].notna(), None))


def mrd(made: pd.DataFrame, study: Study, audit: Audit) -> pd.DataFrame:
    """Molecular results: state and ratio in place of the text, limits taken from the text where none is given."""
    limits = read_column(made["detection_limit"], lambda t: molecular.read_limits(t, study.decimal), "detection_limit",
                         audit)
    log_rules(limits, made["detection_limit"], limits["value"].astype(float), "detection_limit", audit)
    texts = made["result_text"]
    zero = molecular.supported_zero(texts, made["bcr_abl_copies"], made["abl_copies"])
    audit.log("mrd_zero_negative", "result_text", texts, "NEGATIVE", made.index[zero])
    texts = texts.mask(zero, "neg")
    cells = read_column(texts, lambda t: molecular.read_results(t, study.decimal), "result_text", audit)
    state = cells["value"].astype(object).where(cells["value"].notna(), None)
    ratio, limit = cells["ratio"].astype(float), limits["value"].astype(float)
    after = state.fillna("").where(ratio.isna(), "QUANTIFIED " + shown(ratio))
    log_rules(cells, texts, after, "result_text", audit)
    told = limit.isna() & cells["limit"].notna()
    audit.log("limit_from_text", "detection_limit", "", shown(cells["limit"]), made.index[told])
    made = made.assign(state=state, ratio=ratio, detection_limit=limit.fillna(cells["limit"].astype(float)))
    _query_ratio(made, cells["step"].astype(float), texts, audit)
    place = list(made.columns).index("result_text")
    order = [c for c in made.columns if c not in ("result_text", "state", "ratio")]
    return made[[*order[:place], "state", "ratio", *order[place:]]]


def _query_ratio(made: pd.DataFrame, step: pd.Series, texts: pd.Series, audit: Audit) -> None:
    """Log results at odds with the copies beside them; nothing is changed."""
    copies, control, ratio = made["bcr_abl_copies"], made["abl_copies"], made["ratio"]
    known = copies.notna() & (control > 0)
    counted = (100 * copies / control.where(control > 0)).astype(float)
    # Copies are whole numbers: half a copy either way moves the ratio too.
    slack = step + (50 + 0.5 * ratio) / control.where(control > 0) + 1e-12
    odd = known & ratio.notna() & ((counted - ratio).abs() > slack)
    odd |= known & (made["state"] == "NEGATIVE") & (copies > 0)
    odd |= known & (made["state"] == "QUANTIFIED") & (copies == 0)
    audit.log("mrd_ratio_disagrees", "result_text", texts, "unchanged; 100 x copies gives " + shown(counted.map(
        lambda value: float(f"{value:.4g}"), na_action="ignore").astype(float)) + " %", made.index[odd])


def onset_at_origin(made: pd.DataFrame, origin: pd.Series, audit: Audit) -> pd.DataFrame:
    """An adverse event dated only by the month in which treatment began starts with treatment, not before it.

    Parameters
    ----------
    made : DataFrame
        Adverse events with `start_date` and `end_date`.
    origin : Series of datetime
        Time origin of each row's patient.
    audit : Audit

    Returns
    -------
    DataFrame
        `made`, with these onsets moved from the first of the month to the time origin.
    """
    start, end = made["start_date"], made["end_date"]
    partial = pd.Series(made.index.isin(audit.rows("impute_partial_date", "start_date")), made.index)
    move = partial & (start < origin) & (start.dt.to_period("M") == origin.dt.to_period("M")) & ~(end < origin)
    audit.log("onset_at_origin", "start_date", shown(start), shown(origin), made.index[move])
    return made.assign(start_date=start.mask(move, origin))


def stretches(made: pd.DataFrame, dated: bool, audit: Audit) -> pd.DataFrame:
    """Close open stretches of dosing and cut overlaps, so that a patient has one dose of a drug on a day.

    Parameters
    ----------
    made : DataFrame
        Dosing with `start_day` and `end_day`.
    dated : bool
        Whether the dates beside them are to be set too.
    audit : Audit

    Returns
    -------
    DataFrame
        `made`; a stretch without an end, or with an end on or after the next start, ends the day before that start.
        Two different rows that start on the same day contradict each other and go to quarantine.
    """
    keys = ["patient_id", "drug", "start_day"]
    whole = made[audit.kept & made["start_day"].notna()]
    twice = whole.duplicated(keys, keep=False)
    audit.drop("conflicting_rows", "another row of this drug starts on the same day with another content",
               whole.index[twice])
    whole = whole[~twice].sort_values(keys)
    following = whole.groupby(["patient_id", "drug"])["start_day"].shift(-1)
    last = following - 1
    is_open, over = whole["end_day"].isna() & last.notna(), (whole["end_day"] > last).fillna(False)
    column = "end_date" if dated else "end_day"
    dates = whole["end_date"].mask(is_open | over, whole["start_date"] + pd.to_timedelta(
        (last - whole["start_day"]).fillna(0).astype("int64"), unit="D")) if dated else whole["end_date"]
    for rule, rows in (("close_open_dose", whole.index[is_open]), ("end_overlap", whole.index[over])):
        before, after = (whole["end_date"], dates) if dated else (whole["end_day"], last)
        audit.log(rule, column, shown(before), shown(after), rows)
    rows = whole.index[is_open | over]
    made.loc[rows, "end_day"] = last.loc[rows]
    if dated:
        made.loc[rows, "end_date"] = dates.loc[rows]
    return made
