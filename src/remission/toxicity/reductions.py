"""The first dose reduction, with stop, relapse and death before it as competing ends."""

from __future__ import annotations

import pandas as pd

from remission.results import row
from remission.study import Study
from remission.toxicity.counts import count_result, population
from remission.toxicity.courses import ENDS, at_months, first_of, groups, incidences, population_of, shown

#: What counts as a first reduction: days of `courses` of which the earliest counts, and words.
READINGS = {
    "adverse event": (["REDAEDY"], "reduction, interruption or stop for an adverse event; other stops compete"),
    "lower": (["LOWERDY"], "a lower dose above zero, for any reason; every stop competes"),
    "lower or interrupted": (["LOWERDY", "BREAKDY"],
                             "a lower dose or an interruption, for any reason; every stop competes"),
}


def first_reduction(course: pd.DataFrame, reading: str) -> pd.DataFrame:
    """What came first in each patient: reduction, stop, relapse or death.

    Parameters
    ----------
    course : DataFrame
        From `courses.courses`.
    reading : str
        A key of `READINGS`.

    Returns
    -------
    DataFrame
        From `courses.first_of`.
    """
    return first_of(course, course[READINGS[reading][0]].min(axis=1))


def first_reduction_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cumulative incidence of the first reduction, by reading and time.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        drug, population, TRT01A, reading, N (patients with a dose and usable dates), what came first: reduction, stop,
        relapse, death, none yet; then cumulative incidence and limits (%) at fixed months after the first dose.
    """
    made = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        for reading in READINGS:
            data = first_reduction(course, reading)
            one = {"drug": drug, "population": code, "TRT01A": arm, "reading": reading, "N": len(data),
                   "reduction": int(data["event"].sum()),
                   **{words: int((data["code"] == end).sum()) for end, words in ENDS.items()},
                   "none yet": int((data["code"] == 0).sum())}
            for label, found in incidences(data, at_months()):
                one |= {label: found.value, f"{label} lower": found.lower, f"{label} upper": found.upper}
            made.append(one)
    return pd.DataFrame(made, columns=None if made else ["drug", "population", "TRT01A", "N"])


def first_reduction_results(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows `first_reduction.<drug>.<population>.<arm>.<reading>[<months>]`, reading with underscores."""
    rows = []
    for drug, code, arm, course in groups(adexst, adsl, study):
        for reading, (_, words) in READINGS.items():
            data = first_reduction(course, reading)
            method = f"Aalen-Johansen, {words}; relapse and death compete; from the first dose; log-log interval"
            for label, found in incidences(data, at_months()):
                rows.append(row("first_reduction", drug, code, arm, f"{reading.replace(' ', '_')}[{label}]",
                                found.value, lower=found.lower, upper=found.upper, unit="%", n=len(data),
                                events=int(data["event"].sum()), method=method, display=shown(found)))
    return rows


def harm_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients whose dose was changed for an adverse event, by what was done; a patient may stand in several.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N (subject table), lowered (a lower dose above zero followed), lowered_or_interrupted
        (a stop not counted), stopped.
    """
    made = []
    for drug, code, arm, _ in groups(adexst, adsl, study):
        subjects = population(adsl, population_of(drug))
        subjects = subjects.loc[subjects["TRT01A"] == arm, "USUBJID"]
        mine = adexst[(adexst["EXDRUG"] == drug) & adexst["USUBJID"].isin(subjects)]
        mine = mine[(mine["REASON"] == "adverse event") & (mine["WKDOSE"] > 0)]
        kinds = {"lowered": ["reduced"], "lowered_or_interrupted": ["reduced", "interrupted"], "stopped": ["stopped"]}
        made.append({"drug": drug, "population": code, "TRT01A": arm, "N": len(subjects)} | {
            name: mine.loc[mine["CHANGE"].isin(kind), "USUBJID"].nunique() for name, kind in kinds.items()})
    return pd.DataFrame(made, columns=None if made else ["drug", "population", "TRT01A", "N"])


def harm_results(table: pd.DataFrame) -> list[dict]:
    """Result rows `reduction.<drug>.<population>.<arm>.lowered|lowered_or_interrupted|stopped`."""
    words = {"lowered": "lower dose above zero for an adverse event; an interruption or stop alone is not counted",
             "lowered_or_interrupted": "lower dose or interruption for an adverse event; a stop alone is not counted",
             "stopped": "stopped for good for an adverse event"}
    return [count_result(("reduction", one.drug, one.population, one.TRT01A, name), getattr(one, name), one.N,
                         f"{said}; Clopper-Pearson interval on the percentage")
            for one in table.itertuples() for name, said in words.items()]
