"""Adherence to the planned dose: what was changed and why, and for how long the drug was interrupted."""

from __future__ import annotations

import pandas as pd

from remission.adam.adex import CHANGES
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import count_result, population, with_interval
from remission.toxicity.courses import groups, population_of

#: Changes in the order of a table: away from the plan first.
ORDER = ("reduced", "interrupted", "stopped", "resumed lower", "resumed", "escalated", "started")


def _histories(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study):
    """Drug, population, arm, N of the subject table, courses and stretches of its patients."""
    for drug, code, arm, course in groups(adexst, adsl, study):
        subjects = population(adsl, population_of(drug))
        n = int((subjects["TRT01A"] == arm).sum())
        yield drug, code, arm, n, course, adexst[(adexst["EXDRUG"] == drug)
                                                 & adexst["USUBJID"].isin(course["USUBJID"])]


def reasons_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Dose changes by kind and recorded reason.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N (subject table), change, reason (or "not recorded"), patients (with at least one
        such change), percentage and exact limits (%), changes (all of them). Kinds that did not occur have no row.
    """
    made = []
    for drug, code, arm, n, _, history in _histories(adexst, adsl, study):
        changed = history[history["CHANGE"].notna()]
        changed = changed.assign(REASON=changed["REASON"].fillna("not recorded"))
        counted = changed.groupby(["CHANGE", "REASON"])["USUBJID"].agg(patients="nunique", changes="size").reset_index()
        counted["place"] = counted["CHANGE"].map({kind: place for place, kind in enumerate(ORDER)})
        counted = counted.sort_values(["place", "patients", "REASON"], ascending=[True, False, True])
        made += [{"drug": drug, "population": code, "TRT01A": arm, "N": n, "change": one.CHANGE, "reason": one.REASON,
                  "patients": one.patients, "changes": one.changes} for one in counted.itertuples()]
    if not made:
        return pd.DataFrame(columns=["drug", "population", "TRT01A", "N"])
    return with_interval(pd.DataFrame(made), "patients")


def reasons_results(table: pd.DataFrame) -> list[dict]:
    """Result rows `change.<drug>.<population>.<arm>.<change>[<reason>]`: patients with at least one such change."""
    return [count_result(("change", one.drug, one.population, one.TRT01A, f"{one.change}[{one.reason}]"), one.patients,
                         one.N, f"patients with a stretch of dose followed by {CHANGES[one.change]}, by the recorded "
                                "reason; Clopper-Pearson interval on the percentage") for one in table.itertuples()]


def interruption_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Interruptions: dose zero, or a gap in the record, with a dose before and a dose after.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N (subject table), treated, patients (with an interruption), percentage and exact
        limits (% of N), interruptions, then over those patients: median_days, least_days, most_days (days without the
        drug, all interruptions together), total_days, share (% of the days from first to last dose, all treated).

    Notes
    -----
    Stretches of zero and gaps that touch one another are one interruption. Zero at the end of the record is a stop.
    """
    made = []
    for drug, code, arm, n, course, history in _histories(adexst, adsl, study):
        history = history.astype({"STDY": float, "ENDY": float})
        given = history[history["WKDOSE"] > 0].groupby("USUBJID")
        first, last = (history["USUBJID"].map(days) for days in (given["STDY"].min(), given["ENDY"].max()))
        without = history[(history["WKDOSE"] == 0) & (history["STDY"] > first) & (history["STDY"] < last)]
        days = (without["ENDY"] - without["STDY"] + 1).groupby(without["USUBJID"]).sum()
        elapsed = (given["ENDY"].max() - given["STDY"].min() + 1).sum()
        made.append({"drug": drug, "population": code, "TRT01A": arm, "N": n, "treated": len(course),
                     "patients": len(days), "interruptions": int((history["CHANGE"] == "interrupted").sum()),
                     "median_days": days.median(), "least_days": days.min(), "most_days": days.max(),
                     "total_days": days.sum(), "share": 100 * days.sum() / elapsed})
    return with_interval(pd.DataFrame(made), "patients") if made else pd.DataFrame(columns=["drug", "population", "N"])


def interruption_results(table: pd.DataFrame) -> list[dict]:
    """Result rows `interruption.<drug>.<population>.<arm>.patients|number|days|share`."""
    rows = []
    for one in table.itertuples():
        name = ("interruption", one.drug, one.population, one.TRT01A)
        rows.append(count_result((*name, "patients"), one.patients, one.N,
                                 "patients with dose zero between two doses; Clopper-Pearson interval"))
        rows.append(row(*name, "number", one.interruptions, unit="n", n=one.treated, events=one.interruptions,
                        method="interruptions, adjoining ones counted as one", display=str(one.interruptions)))
        rows.append(row(*name, "share", one.share, unit="%", n=one.treated,
                        method="days without the drug over days from first to last dose, summed over patients",
                        display=f"{one.share:.1f}%"))
        if one.patients:
            rows.append(row(*name, "days", one.median_days, lower=one.least_days, upper=one.most_days, unit="d",
                            n=one.patients, method="median and range of days without the drug, among interrupted",
                            display=f"{one.median_days:g} days (range {one.least_days:g} to {one.most_days:g})"))
    return rows
