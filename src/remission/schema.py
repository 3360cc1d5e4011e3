"""Every table and column of the project, declared once: readers, checks, data dictionary and starter tables follow."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Column:
    """One column: `kind` is text, integer, number, date or day; `values` closes the vocabulary where one exists.

    `open`: the study may add values. `least`, `greatest`: what can be true. `maxima`: greatest value by the text of
    the column `maxima_by`, beyond which the unit is wrong. `needed`: the column must be there, its cells may be blank.
    `partial`: a month without a day becomes its `first` or `last` day; nothing is decided by these days. `made`:
    columns that stand in its place once clean.
    """

    name: str
    kind: str
    description: str
    required: bool = False
    values: tuple[str, ...] = ()
    unit: str = ""
    open: bool = False
    least: float | None = None
    greatest: float | None = None
    maxima: dict[str, float] = field(default_factory=dict)
    maxima_by: str = ""
    needed: bool = False
    partial: str = ""
    made: tuple[Column, ...] = ()

    @property
    def accepted(self) -> str:
        """Vocabulary or range, for readers; "" where any text or number goes."""
        if self.values:
            return ", ".join(self.values) + (", and those of study.toml" if self.open else "")
        ends = [f"{end:g}" if end is not None else "" for end in (self.least, self.greatest)]
        said = " to ".join(ends) if all(ends) else f"at least {ends[0]}" if ends[0] else ""
        most = ", ".join(f"{name} {value:g}" for name, value in self.maxima.items())
        return f"{said}; at most {most}" if most else said


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, the columns that name a row (`key`), and what it holds.

    `time`: the column that dates a row of an optional table. `single`: two rows under one key are worth a look.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    time: str = ""
    single: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


C = Column
_ID = C("patient_id", "text", "pseudonymous patient number, text even when it looks like a number", required=True)

#: Tables as received (`data/raw/<cohort>/<table>.csv`). Any date column may come as study time instead: `date` as
#: `day`, `start_date` as `start_day`, `last_contact` as `last_contact_day`, counted from the time origin in the
#: unit of `study.toml`.
RAW: dict[str, Table] = {table.name: table for table in (
    Table("patients", "one row a patient", (
        _ID,
        C("arm", "text", "treatment group; vocabulary and aliases in study.toml", required=True),
        C("sex", "text", "sex as recorded", values=("F", "M")),
        C("birth_year", "integer", "year of birth (instead of age)", unit="year", least=1850,
          greatest=2100),
        C("age", "integer", "age at the time origin (instead of birth_year)", unit="years", least=0, greatest=120),
        C("diagnosis_date", "date", "date of diagnosis of leukaemia"),
        C("cr_date", "date", "date of first complete remission"),
        C("maintenance_start", "date", "first day of maintenance treatment; the usual time origin"),
        C("transcript", "text", "BCR::ABL1 transcript", values=("p190", "p210", "p190/p210")),
    ), key=("patient_id",), required=True),
    Table("chemotherapy_cycles", "one row a cycle of intensive chemotherapy", (
        _ID,
        C("cycle", "integer", "running number of the cycle", required=True, least=1, greatest=50),
        C("phase", "text", "part of the front-line protocol", values=("induction", "consolidation")),
        C("start_date", "date", "first day of the cycle", partial="first"),
        C("end_date", "date", "last day of the cycle", partial="last"),
    ), key=("patient_id", "cycle"), time="start_date", single=True),
    Table("dosing", "one row a stretch of constant dose of one drug", (
        _ID,
        C("drug", "text", "study drug", required=True, values=("interferon alfa-2a", "imatinib"), open=True),
        C("dose", "number", "dose of one administration; 0 is an interruption", required=True, least=0,
          maxima={"MU": 100, "mg": 20_000}, maxima_by="unit"),
        C("unit", "text", "unit of the dose", required=True, values=("MU", "mg"), open=True),
        C("frequency", "text", "how often: TIW three times a week, QD daily", required=True, values=("TIW", "QD")),
        C("start_date", "date", "first day at this dose", required=True),
        C("end_date", "date", "last day at this dose, inclusive; blank while it goes on"),
        C("reason_for_change", "text", "why this stretch ended; blank if it did not", values=(
            "escalation", "adverse event", "relapse", "death", "patient wish", "end of treatment", "re-escalation",
            "recovered")),
    ), key=("patient_id", "drug", "start_date"), time="start_date"),
    Table("adverse_events", "one row an adverse event", (
        _ID,
        C("term", "text", "event; German and lay terms are mapped to a preferred term", required=True),
        C("start_date", "date", "onset", partial="first"),
        C("end_date", "date", "resolution; blank while it goes on", partial="last"),
        C("grade", "integer", "CTCAE grade 1 to 5; Roman numerals are read; blank is unknown, not 0",
          values=("1", "2", "3", "4", "5"), least=1, greatest=5),
        C("related_ifn", "text", "related to interferon, by the investigator", values=("Y", "N")),
        C("related_imatinib", "text", "related to imatinib, by the investigator", values=("Y", "N")),
        C("action_taken", "text", "action with study treatment", values=(
            "none", "IFN reduced", "IFN interrupted", "IFN stopped", "imatinib reduced", "imatinib interrupted",
            "imatinib stopped")),
        C("serious", "text", "serious by ICH E2A", values=("Y", "N")),
    ), key=("patient_id", "term", "start_date"), time="start_date"),
    Table("laboratory", "one row a laboratory value", (
        _ID,
        C("date", "date", "sampling date", required=True),
        C("test", "text", "analyte", required=True, values=("ANC", "PLT", "HB", "WBC", "ALT", "AST", "CREAT", "BILI")),
        # Beyond the greatest value no patient lives: the unit is wrong.
        C("value", "number", "result in `unit`", required=True, least=0, maxima_by="test", maxima={
            "ANC": 500, "WBC": 1500, "PLT": 5000, "HB": 25, "ALT": 30000, "AST": 30000, "CREAT": 40, "BILI": 80}),
        C("unit", "text", "10^9/L (counts), g/dL (HB), U/L (enzymes), mg/dL (creatinine, bilirubin)", required=True,
          values=("10^9/L", "g/dL", "U/L", "mg/dL")),
        C("lower_limit_normal", "number", "lower limit of normal, same unit", least=0),
        C("upper_limit_normal", "number", "upper limit of normal, same unit", least=0),
    ), key=("patient_id", "date", "test"), time="date", single=True),
    Table("mrd", "one row a BCR::ABL1 measurement", (
        _ID,
        C("date", "date", "sampling date", required=True),
        C("source", "text", "blood or marrow", values=("PB", "BM")),
        C("bcr_abl_copies", "number", "BCR::ABL1 copies in the reaction", least=0),
        C("abl_copies", "number", "ABL1 control-gene copies in the reaction", least=0),
        C("result_text", "text", "result as the laboratory wrote it: ratio in %, neg, PNQ, <limit", True, made=(
            C("state", "text", "state of the sample", required=True, values=("QUANTIFIED", "PNQ", "NEGATIVE")),
            C("ratio", "number", "BCR::ABL1 / ABL1; blank unless quantified", unit="%", least=0, greatest=1000))),
        C("detection_limit", "number", "detection limit as a ratio, in %", least=0, greatest=100),
        C("laboratory", "text", "laboratory code"),
    ), key=("patient_id", "date", "source"), time="date", single=True),
    Table("mutations", "one row a kinase-domain analysis", (
        _ID,
        C("date", "date", "sampling date", partial="first"),
        C("method", "text", "method of detection"),
        C("variant", "text", "amino-acid change in the ABL1 kinase domain, or none", required=True),
        C("allele_fraction", "number", "fraction of mutated transcripts", unit="%", least=0, greatest=100),
    ), key=("patient_id", "date", "variant"), time="date"),
    Table("remission_events", "one row a relapse", (
        _ID,
        C("date", "date", "date of haematologic or extramedullary relapse", required=True),
        C("event", "text", "kind of event", required=True, values=("relapse",)),
        C("site", "text", "site of relapse", values=("BM", "CNS", "BM+CNS", "other", "unknown")),
    ), key=("patient_id", "date"), required=True),
    Table("disposition", "one row a patient: last word on each", (
        _ID,
        C("last_contact", "date", "last day the patient was known alive, or the day of death", needed=True),
        C("status", "text", "status at last contact", required=True, values=(
            "alive in remission", "alive after relapse", "died in remission", "died after relapse",
            "never in remission", "unknown")),
        C("death_date", "date", "day of death"),
        C("cause_of_death", "text", "cause of death"),
    ), key=("patient_id",), required=True),
    Table("procedures", "one row a procedure", (
        _ID,
        C("date", "date", "day of the procedure", partial="first"),
        C("procedure", "text", "kind", required=True, values=("intrathecal", "CNS irradiation", "SCT")),
    ), key=("patient_id", "date", "procedure"), time="date"),
)}

_STUDY = C("STUDYID", "text", "cohort", required=True)
_SUBJ = C("USUBJID", "text", "patient", required=True)
_TRT = C("TRT01A", "text", "arm (key of study.toml)", required=True)

#: Analysis tables (`data/processed/<cohort>/<table>.csv`). Every *DY column counts whole days from the time origin
#: (day 0 is the origin itself; CDISC has no day 0, so these tables are named after ADaM and do not claim it).
ANALYSIS: dict[str, Table] = {table.name: table for table in (
    Table("adsl", "subject level: one row a patient", (
        _STUDY, _SUBJ, _TRT,
        C("TRT01AN", "integer", "arm number in display order", required=True),
        C("SEX", "text", "sex", values=("F", "M")),
        C("AGE", "integer", "age at the time origin", unit="years"),
        C("TRANSC", "text", "BCR::ABL1 transcript"),
        C("DXDT", "date", "date of diagnosis"),
        C("CRDT", "date", "date of first complete remission"),
        C("MTSTDT", "date", "date of the time origin"),
        C("DXDY", "day", "day of diagnosis", unit="days"),
        C("CRDY", "day", "day of first complete remission", unit="days"),
        C("SAFFL", "text", "Y: at least one dose of any study drug recorded, or no dosing table", values=("Y", "N")),
        C("IFNEVLFL", "text", "Y: at least one interferon dose above zero recorded (evaluable for interferon)",
          values=("Y", "N")),
        C("TTEFL", "text", "Y: dates suffice for time-to-event analysis", values=("Y", "N")),
        C("TTEEXCL", "text", "why not, when TTEFL is N"),
        C("NCYCLES", "integer", "cycles of intensive chemotherapy before the origin; blank if none recorded"),
        C("TRTSDY", "day", "first day of any maintenance drug, from the origin on", unit="days"),
        C("MTENDY", "day", "last day of any maintenance drug, or last day known alive while it goes on", unit="days"),
        C("MTONFL", "text", "Y: on a maintenance drug at last contact; N: stopped; blank without doses",
          values=("Y", "N")),
        C("STATUS", "text", "what ended the first remission", values=(
            "relapse", "death in remission", "ongoing remission", "not evaluable")),
        C("RELSITE", "text", "site of relapse"),
        C("RELDY", "day", "day of relapse", unit="days"),
        C("DTHDY", "day", "day of death", unit="days"),
        C("LSTALVDY", "day", "last day known alive", unit="days"),
    ), key=("USUBJID",)),
    Table("adtte", "time to event: one row a patient and endpoint", (
        _STUDY, _SUBJ, _TRT,
        C("PARAMCD", "text", "endpoint", required=True, values=("TTRLP", "RFS", "OSDX", "OSMT", "MTDUR")),
        C("PARAM", "text", "endpoint in words", required=True),
        C("ORIGIN", "text", "time origin in words", required=True),
        C("STARTDY", "day", "day of the time origin of this endpoint", unit="days"),
        C("ENTRYDY", "integer", "days from this endpoint's origin to the start of observation (left truncation); 0 if "
          "none", unit="days"),
        C("AVAL", "integer", "days from origin to event or censoring", required=True, unit="days"),
        C("CNSR", "integer", "0 event; 1 censored; 2 censored by a competing death in remission (TTRLP only)",
          required=True, values=("0", "1", "2")),
        C("EVNTDESC", "text", "event, when CNSR is 0"),
        C("CNSDTDSC", "text", "reason for censoring, when CNSR is not 0"),
    ), key=("PARAMCD", "USUBJID")),
    Table("adex", "exposure: one row a patient and drug", (
        _STUDY, _SUBJ, _TRT,
        C("EXDRUG", "text", "drug", required=True),
        C("EXDOSU", "text", "dose unit", required=True),
        C("STDY", "day", "first day above zero dose, counted from the time origin on", unit="days"),
        C("ENDY", "day", "last day above zero dose", unit="days"),
        C("STDOSE", "number", "first dose above zero, one administration"),
        C("MXDOSE", "number", "highest dose, one administration"),
        C("EXDAYS", "integer", "days from first to last dose, inclusive", unit="days"),
        C("MTDAYS", "integer", "days from the origin to the end of maintenance, inclusive", unit="days"),
        C("CUMDOSE", "number", "cumulative dose"),
        C("DI", "number", "dose intensity to this drug's stop: cumulative dose / elapsed weeks", unit="per week"),
        C("PLANWK", "number", "planned weekly dose at target"),
        C("RDI", "number", "relative dose intensity to this drug's stop, plan at target from day 1"),
        C("RDIRAMP", "number", "the same against the plan with its ramp"),
        C("RDIMT", "number", "relative dose intensity to the end of maintenance, zeros after the stop"),
        C("TARGETDY", "day", "first day at the target dose", unit="days"),
        C("REDAEFL", "text", "Y: dose reduced, interrupted or stopped for an adverse event", values=("Y", "N")),
        C("REDAEDY", "day", "first such day", unit="days"),
        C("STOPREAS", "text", "why the last stretch ended"),
    ), key=("EXDRUG", "USUBJID")),
    Table("adexwk", "exposure by week: one row a patient, drug and week", (
        _STUDY, _SUBJ, _TRT,
        C("EXDRUG", "text", "drug", required=True),
        C("WEEK", "integer", "week from the origin; week 1 is days 0 to 6", required=True),
        C("WKDOSE", "number", "dose delivered in the week", required=True),
        C("PLANWK", "number", "planned weekly dose at target"),
        C("REASON", "text", "reason of a dose change that falls in the week"),
    ), key=("EXDRUG", "USUBJID", "WEEK")),
    Table("adexst", "dose history: one row a patient, drug and stretch of constant dose, gaps included at dose 0", (
        _STUDY, _SUBJ, _TRT,
        C("EXDRUG", "text", "drug", required=True),
        C("EXSEQ", "integer", "number of the stretch", required=True),
        C("STDY", "day", "first day of the stretch, counted from the time origin on", required=True, unit="days"),
        C("ENDY", "day", "last day, inclusive; the last day known alive while it goes on", unit="days"),
        C("OPENFL", "text", "Y: had not ended at last contact", values=("Y", "N")),
        C("EXDOSE", "number", "dose of one administration", required=True),
        C("EXDOSU", "text", "dose unit", required=True),
        C("WKDOSE", "number", "dose a week", required=True),
        C("REASON", "text", "why the stretch ended"),
        C("CHANGE", "text", "what followed; stopped: no dose later; interrupted: dose 0 and a dose again later; blank: "
          "nothing yet, or the same dose", values=("started", "escalated", "reduced", "interrupted", "resumed",
                                                   "resumed lower", "stopped")),
        C("CHANGEDY", "day", "first day of what followed", unit="days"),
    ), key=("EXDRUG", "USUBJID", "EXSEQ")),
    Table("adae", "adverse events: one row an event", (
        _STUDY, _SUBJ, _TRT,
        C("AETERM", "text", "term as reported", required=True),
        C("AEDECOD", "text", "preferred term", required=True),
        C("AEBODSYS", "text", "system organ class", required=True),
        C("ASTDY", "day", "day of onset", unit="days"),
        C("AENDY", "day", "day of resolution", unit="days"),
        C("ATOXGR", "integer", "CTCAE grade; blank is unknown", values=("1", "2", "3", "4", "5")),
        C("TRTEMFL", "text", "Y: onset on or after the first study dose and within 30 days of the last",
          values=("Y", "N")),
        C("AERELIFN", "text", "related to interferon", values=("Y", "N")),
        C("AERELIM", "text", "related to imatinib", values=("Y", "N")),
        C("AEACN", "text", "action taken"),
        C("AESER", "text", "serious", values=("Y", "N")),
    ), key=("USUBJID", "ASTDY", "AEDECOD")),
    Table("adlb", "laboratory: one row a value", (
        _STUDY, _SUBJ, _TRT,
        C("PARAMCD", "text", "analyte", required=True),
        C("ADY", "day", "day of sampling", required=True, unit="days"),
        C("AVAL", "number", "value", required=True),
        C("AVALU", "text", "unit", required=True),
        C("ANRLO", "number", "lower limit of normal"),
        C("ANRHI", "number", "upper limit of normal"),
        C("ABLFL", "text", "Y: baseline, the last value on or before the origin", values=("Y", "N")),
        C("BASE", "number", "baseline value"),
        C("ATOXV3", "integer", "grade under CTCAE 3.0, 0 to 4"),
        C("ATOXV4", "integer", "grade under CTCAE 4.03, 0 to 4"),
        C("ATOXV5", "integer", "grade under CTCAE 5.0, 0 to 4"),
        C("ATOXV6", "integer", "grade under CTCAE 6.0, 0 to 4"),
        C("ATOXGR", "integer", "grade under the study's version"),
        C("TRTEMFL", "text", "Y: after the origin, before relapse and within 30 days of the last dose",
          values=("Y", "N")),
    ), key=("PARAMCD", "USUBJID", "ADY")),
    Table("admrd", "molecular residual disease: one row a sample", (
        _STUDY, _SUBJ, _TRT,
        C("ADY", "day", "day of sampling", required=True, unit="days"),
        C("PERIOD", "text", "FRONTLINE before the origin, MAINTENANCE from the origin, POSTRELAPSE after relapse",
          values=("FRONTLINE", "MAINTENANCE", "POSTRELAPSE")),
        C("SOURCE", "text", "blood or marrow", values=("PB", "BM")),
        C("ABLCOP", "number", "ABL1 control-gene copies"),
        C("RATIO", "number", "BCR::ABL1 / ABL1, on SCALE; blank unless quantified", unit="%"),
        C("LOGRATIO", "number", "log10 of RATIO"),
        C("LOD", "number", "detection limit of the sample, on SCALE: as reported, or 100 / ABL1 copies where that is "
          "higher or none was reported", unit="%"),
        C("MRDSTATE", "text", "state of the sample", required=True,
          values=("QUANTIFIED", "PNQ", "NEGATIVE", "INSUFFICIENT")),
        C("LAB", "text", "laboratory"),
        C("SCALE", "text", "IS: p210 transcript, RATIO and LOD multiplied by the laboratory's conversion factor; "
          "local: as the laboratory measured", values=("IS", "local")),
        C("BASERATIO", "number", "ratio at diagnosis: last quantified sample in the window around diagnosis, before "
          "the first remission and not after this sample, on the same scale, of the same source where there is one; "
          "blank without any", unit="%"),
        C("LOGRED", "number", "log10 of BASERATIO over RATIO; where the sample is not quantified, over LOD: at least "
          "so much if NEGATIVE, at most so much if PNQ; blank if INSUFFICIENT or without BASERATIO"),
        C("DEPTH", "text", "deepest molecular level that the sample documents with its ABL1 copies; unknown: too "
          "insensitive to tell", values=("none", "MMR", "MR4", "MR4.5", "MR5", "unknown")),
        C("CATEGORY", "text", "complete: negative, sensitive enough; failure: quantified at or above the ratio of "
          "failure; intermediate: any other result", values=("complete", "intermediate", "failure")),
        C("ANL01FL", "text", "Y: the sample that stands for its day: marrow before blood, then more ABL1 copies; an "
          "insufficient sample never", values=("Y", "N")),
    ), key=("USUBJID", "ADY", "SOURCE")),
    Table("admut", "kinase-domain mutations: one row an analysis", (
        _STUDY, _SUBJ, _TRT,
        C("ADY", "day", "day of sampling; blank if not recorded", unit="days"),
        C("PERIOD", "text", "as in `admrd`; blank without a day", values=("FRONTLINE", "MAINTENANCE", "POSTRELAPSE")),
        C("METHOD", "text", "method of detection"),
        C("VARIANT", "text", "amino-acid change in the ABL1 kinase domain, or none", required=True),
        C("AF", "number", "fraction of mutated transcripts", unit="%"),
    ), key=("USUBJID", "ADY", "VARIANT")),
    Table("adtv", "MRD state over time: counting process from the origin to the end of remission, one row an interval; "
          "each is labelled by the last usable sample before it", (
        _STUDY, _SUBJ, _TRT,
        C("TSTART", "integer", "interval opens, days from the origin, exclusive", required=True, unit="days"),
        C("TSTOP", "integer", "interval closes, inclusive", required=True, unit="days"),
        C("SAMPDY", "day", "day of the sample that labels the interval; blank before the first", unit="days"),
        C("MRDPOS", "integer", "that sample: 1 positive, 0 negative; blank before the first", values=("0", "1")),
        C("CATEGORY", "text", "category of that sample; unknown before the first", required=True,
          values=("complete", "intermediate", "failure", "unknown")),
        C("LEVEL", "number", "level of that sample, the detection limit where it lies below", unit="log10 %"),
        C("LEVCENS", "text", "Y: LEVEL is a limit, not a measured level", values=("Y", "N")),
        C("EVENT", "integer", "1: relapse at TSTOP", required=True, values=("0", "1")),
        C("CNSR2", "integer", "1: death in remission at TSTOP", required=True, values=("0", "1")),
    ), key=("USUBJID", "TSTART")),
    Table("admk", "markers known at the origin: one row a patient", (
        _STUDY, _SUBJ, _TRT,
        C("RESP6M", "text", "Y: level at or below the response ratio in a sample within the response window after "
          "diagnosis and not after the origin; N: samples, none of them so low; blank: no sample", values=("Y", "N")),
        C("EVERNEG", "text", "Y: a negative sample of sufficient sensitivity after diagnosis and not after the origin; "
          "N: samples, none of them so; blank: no sample that could tell", values=("Y", "N")),
        C("LVLSTART", "number", "level at the origin: log10 of the ratio in the sample closest to day 0 inside the "
          "start window; the detection limit stands in for a level below it", unit="log10 %"),
        C("LVLCENS", "text", "Y: LVLSTART is a limit, not a measured level", values=("Y", "N")),
        C("LVLSTATE", "text", "state of that sample", values=("QUANTIFIED", "PNQ", "NEGATIVE")),
        C("LVLDY", "day", "day of that sample", unit="days"),
        C("NCYCLES", "integer", "cycles of intensive chemotherapy before the origin; blank if none recorded"),
        C("MUTFL", "text", "Y: kinase-domain variant found up to the origin; N: analysed, none found; blank: not "
          "analysed by then", values=("Y", "N")),
        C("MUTRELFL", "text", "the same up to the end of remission; looks ahead, so for description only",
          values=("Y", "N")),
        C("MRDEVLFL", "text", "Y: a usable MRD sample from the origin to the end of remission", values=("Y", "N")),
    ), key=("USUBJID",)),
)}

#: Where each time column of a raw table may be replaced by study time.
DAY_COLUMN = {"date": "day", "start_date": "start_day", "end_date": "end_day", "last_contact": "last_contact_day",
              "death_date": "death_day", "diagnosis_date": "diagnosis_day", "cr_date": "cr_day",
              "maintenance_start": "maintenance_start_day"}

_DTYPES = {"text": "object", "integer": "Int64", "day": "Int64", "number": "float64", "date": "datetime64[ns]"}


def empty(table: Table) -> pd.DataFrame:
    """Frame with a table's columns and types and no rows.

    Examples
    --------
    >>> list(empty(ANALYSIS["adtv"]).columns)[-2:]
    ['EVENT', 'CNSR2']
    """
    return pd.DataFrame({column.name: pd.Series(dtype=_DTYPES[column.kind]) for column in table.columns})


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Give a frame a table's column order, types and row order.

    Parameters
    ----------
    frame : DataFrame
        Holds every column of `table`; other columns are an error.
    table : Table

    Returns
    -------
    DataFrame
        Columns in order, typed, sorted by the table's key, fresh index.

    Raises
    ------
    ValueError
        When the columns are not those of the table.
    """
    if set(frame.columns) != set(table.names):
        missing, extra = set(table.names) - set(frame.columns), set(frame.columns) - set(table.names)
        raise ValueError(f"{table.name}: missing {sorted(missing)}, extra {sorted(extra)}")
    typed = frame[table.names].astype({column.name: _DTYPES[column.kind] for column in table.columns})
    return typed.sort_values(list(table.key), kind="stable", na_position="first").reset_index(drop=True)
