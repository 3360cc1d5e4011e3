"""Adverse events: coded, placed in time, flagged as treatment-emergent."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pandas as pd

from remission import schema

#: Days after the last dose during which an event still counts as treatment-emergent.
AFTER_LAST_DOSE = 30
NOT_CODED = "Not coded"


def body_systems() -> dict[str, str]:
    """System organ class of each preferred term, from `data/terms.csv`.

    Examples
    --------
    >>> body_systems()["Depression"]
    'Psychiatric disorders'
    """
    with (resources.files("remission") / "data" / "terms.csv").open(encoding="utf-8") as handle:
        terms = pd.read_csv(handle, dtype=str)
    return terms.drop_duplicates("AEDECOD").set_index("AEDECOD")["AEBODSYS"].to_dict()


def emergent(day: pd.Series, end: pd.Series, first: pd.Series, last: pd.Series) -> pd.Series:
    """Whether an event is treatment-emergent.

    Parameters
    ----------
    day, end, first, last : Series of number
        Onset, resolution, first dose, last dose: days from the time origin; missing allowed.

    Returns
    -------
    Series of bool
        Onset on or after the first dose and at most 30 days after the last. An unknown onset counts, unless the event
        had ended before the first dose: a doubt is settled against the drug. An unknown last dose closes nothing.

    Examples
    --------
    >>> one = lambda value: pd.Series([value], dtype=float)
    >>> [bool(emergent(one(day), one(None), one(0), one(100))[0]) for day in (130, 131)]
    [True, False]
    """
    too_early = day.lt(first) | (day.isna() & end.lt(first))
    return ~too_early & ~day.gt(last + AFTER_LAST_DOSE)


def derive_adae(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame) -> pd.DataFrame:
    """Adverse events of the study's patients.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; uses `adverse_events`.
    adsl : DataFrame
        First dose from TRTSDY (the origin where no doses are recorded), last dose from MTENDY.

    Returns
    -------
    DataFrame
        Analysis table `adae`. A term without a system organ class in the vocabulary is kept under "Not coded".
    """
    events = tables["adverse_events"]
    events = events[events["patient_id"].isin(adsl["USUBJID"])].reset_index(drop=True)
    if events.empty:
        return schema.empty(schema.ANALYSIS["adae"])
    subject = adsl.set_index("USUBJID").loc[events["patient_id"]]
    made = pd.DataFrame({
        "STUDYID": subject["STUDYID"].to_numpy(), "USUBJID": events["patient_id"],
        "TRT01A": subject["TRT01A"].to_numpy(), "AETERM": events.get("reported_term", events["term"]),
        "AEDECOD": events["term"], "AEBODSYS": events["term"].map(body_systems()).fillna(NOT_CODED),
        "ASTDY": events["start_day"], "AENDY": events["end_day"], "ATOXGR": events["grade"],
        "AERELIFN": events["related_ifn"], "AERELIM": events["related_imatinib"], "AEACN": events["action_taken"],
        "AESER": events["serious"]})
    first = pd.Series(subject["TRTSDY"].astype(float).to_numpy()).fillna(0.0)
    last = pd.Series(subject["MTENDY"].astype(float).to_numpy())
    flags = emergent(made["ASTDY"].astype(float), made["AENDY"].astype(float), first, last)
    made["TRTEMFL"] = np.where(flags, "Y", "N")
    return schema.conform(made, schema.ANALYSIS["adae"])

