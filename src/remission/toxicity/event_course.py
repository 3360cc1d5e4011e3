"""The course of adverse events: onset, duration, action taken, relatedness, seriousness."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import schema
from remission.estimators import curves
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import count_result, is_interferon, population, with_interval
from remission.toxicity.events import emergent_events
from remission.toxicity.rates import SERIOUS, grouped_events, headings

#: Column of `adae` that says whether an event is related to each drug.
RELATED = {"interferon": "AERELIFN", "imatinib": "AERELIM"}
COURSE_COLUMNS = ["AEDECOD", "TRT01A", "N", "patients", "first_onset", "first_onset_min", "first_onset_max", "events",
                  "resolved", "open", "unknown", "duration", "longest", "duration_km", "note"]


def given(study: Study, arm: str, drug: str) -> bool:
    """Whether a drug belongs to an arm's treatment; an arm without listed drugs may have had any.

    Parameters
    ----------
    study : Study
    arm : str
    drug : str
        "interferon" or "imatinib", or an action that begins with "IFN" or "imatinib".

    Examples
    --------
    >>> from remission.study import read
    >>> study = read("ash2012_reconstructed")
    >>> given(study, "IM", "IFN reduced"), given(study, "IM", "imatinib stopped")
    (False, True)
    """
    drugs = next(one.drugs for one in study.arms if one.key == arm)
    if not drugs:
        return True
    if drug.startswith(("IFN", "interferon")):
        return any(is_interferon(one) for one in drugs)
    return not drug.startswith("imatinib") or any(one.startswith("imatinib") for one in drugs)


def course_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Onset and duration of treatment-emergent events by heading and arm.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
    code : str
        Population, see `population`.

    Returns
    -------
    DataFrame
        AEDECOD, TRT01A, N, patients; first_onset and its range (days from the first dose to each patient's first event,
        among patients with one); events, of which resolved, open (no end recorded) and unknown (no onset, or an end
        before it); duration and longest (median and maximum, days, first and last day included, of resolved events
        alone); duration_km (median with open events censored on the last day known alive); note. Headings without an
        event in an arm have a row of zeros.

    Notes
    -----
    A patient may give several events, which are not independent: durations are described and carry no interval. The
    median of resolved events is too short wherever the long ones are still open; `duration_km` is not.
    """
    subjects = population(adsl, code)
    if emergent_events(adae).empty or subjects.empty:
        return pd.DataFrame(columns=COURSE_COLUMNS)
    facts = subjects[["USUBJID", "TRT01A"]].assign(origin=subjects["TRTSDY"].astype(float).fillna(0.0),
                                                   alive=subjects["LSTALVDY"].astype(float))
    events = grouped_events(adae, study).drop(columns="TRT01A", errors="ignore").merge(facts, on="USUBJID")
    sizes = subjects["TRT01A"].value_counts()
    made = [{"AEDECOD": heading, "TRT01A": arm, "N": int(sizes[arm]), **_course(
        events[(events["AEDECOD"] == heading) & (events["TRT01A"] == arm)])}
        for heading in headings(adae, study) for arm in study.arm_keys if arm in sizes.index]
    return pd.DataFrame(made, columns=COURSE_COLUMNS)


def _course(mine: pd.DataFrame) -> dict:
    start, end = mine["ASTDY"].astype(float), mine["AENDY"].astype(float)
    unknown = start.isna() | (end < start)
    is_open = ~unknown & end.isna()
    length = (end.where(~is_open, mine["alive"]) - start + 1)[~unknown]
    resolved = length[~is_open[~unknown]]
    first = (start - mine["origin"]).groupby(mine["USUBJID"]).min().dropna()
    timed = pd.DataFrame({"time": length, "event": ~is_open[~unknown]}).dropna()
    median = curves.quantile(curves.kaplan_meier(timed[timed["time"] >= 0])).value if len(timed) else np.nan
    number = int(is_open.sum())
    said = f"{number} without an end on record" if number else ""
    return {"patients": mine["USUBJID"].nunique(), "first_onset": first.median(), "first_onset_min": first.min(),
            "first_onset_max": first.max(), "events": len(mine), "resolved": len(resolved), "open": number,
            "unknown": int(unknown.sum()), "duration": resolved.median(), "longest": resolved.max(),
            "duration_km": median, "note": said}


def course_results(table: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows of `course_table`, headings with a dated event: `ae_course.<term>...first_onset` and `.duration`."""
    rows = []
    for one in table[table["first_onset"].notna()].itertuples():
        name = ("ae_course", one.AEDECOD, code, one.TRT01A)
        rows.append(row(*name, "first_onset", one.first_onset, lower=one.first_onset_min, upper=one.first_onset_max,
                        unit="d", n=one.patients, method="median and range of the day of the first event, from the "
                        "first dose, among patients with one", display=f"day {one.first_onset:g} (range "
                        f"{one.first_onset_min:g} to {one.first_onset_max:g})"))
        if one.duration == one.duration:
            rows.append(row(*name, "duration", one.duration, unit="d", n=one.patients, events=one.resolved,
                            method="median of resolved events, first and last day included",
                            display=f"{one.duration:g} days ({one.resolved} resolved, {one.open} open)"))
    return rows


def action_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Patients and events by action taken with the study drugs.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
        An action on a drug that an arm did not have is no zero and has no row.
    code : str

    Returns
    -------
    DataFrame
        action ("any change of dose" first, then the vocabulary, then "unknown"), TRT01A, N, patients, percentage and
        exact limits (%), events. A patient counts once an action, and may stand under several.
    """
    column = schema.RAW["adverse_events"]["action_taken"]
    changes = [action for action in column.values if action != "none"]  # noqa: PD011
    return _counted(adae, adsl, study, code, "action", lambda mine: {
        "any change of dose": mine["AEACN"].isin(changes),
        **{action: mine["AEACN"] == action for action in (*changes, "none")}, "unknown": mine["AEACN"].isna()})


def related_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all",
                  grade: int = 1) -> pd.DataFrame:
    """Patients and events by the investigator's word on relatedness.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
        Relatedness to a drug that an arm did not have is no zero and has no row.
    code : str
    grade : int
        Least grade; 1 takes events of unknown grade too.

    Returns
    -------
    DataFrame
        related ("interferon", "imatinib", "either", "neither", "unknown": unknown for a drug and not related to the
        other), TRT01A, N, patients, percentage and exact limits (%), events. A patient may stand under several.
    """
    kept = adae if grade <= 1 else adae[adae["ATOXGR"].astype(float) >= grade]

    def ways(mine: pd.DataFrame) -> dict[str, pd.Series]:
        yes = {drug: mine[column] == "Y" for drug, column in RELATED.items()}
        either = yes["interferon"] | yes["imatinib"]
        missing = mine[list(RELATED.values())].isna().any(axis=1) & ~either
        return {**yes, "either": either, "neither": ~either & ~missing, "unknown": missing}

    return _counted(kept, adsl, study, code, "related", ways, adae)


def serious_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Patients and events that were serious, by term; zeros kept.

    Returns
    -------
    DataFrame
        term ("Any serious adverse event" first), TRT01A, N, patients, percentage and exact limits (%), events.
    """
    serious = emergent_events(adae)
    terms = sorted(serious.loc[serious["AESER"] == "Y", "AEDECOD"].unique())
    return _counted(adae, adsl, study, code, "term", lambda mine: {
        SERIOUS: mine["AESER"] == "Y", **{term: (mine["AESER"] == "Y") & (mine["AEDECOD"] == term) for term in terms},
        "seriousness unknown": mine["AESER"].isna()})


def _counted(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str, name: str, ways,
             table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Patients and events of each way, by arm; empty where the cohort has no events at all (`table`)."""
    subjects = population(adsl, code)
    if (adae if table is None else table).empty or subjects.empty:
        return pd.DataFrame(columns=[name, "TRT01A", "N", "patients"])
    mine = emergent_events(adae).drop(columns="TRT01A", errors="ignore")
    mine = mine.merge(subjects[["USUBJID", "TRT01A"]], on="USUBJID")
    sizes, made = subjects["TRT01A"].value_counts(), []
    for way, chosen in ways(mine).items():
        for arm in study.arm_keys:
            if arm in sizes.index and given(study, arm, way):
                rows = mine[chosen & (mine["TRT01A"] == arm)]
                made.append({name: way, "TRT01A": arm, "N": int(sizes[arm]), "patients": rows["USUBJID"].nunique(),
                             "events": len(rows)})
    return with_interval(pd.DataFrame(made), "patients")


def serious_list(adae: pd.DataFrame, adsl: pd.DataFrame, code: str = "all") -> pd.DataFrame:
    """Every serious treatment-emergent event, one row each: patient, arm, term, days, grade, relatedness, action."""
    columns = ["USUBJID", "TRT01A", "AEDECOD", "ASTDY", "AENDY", "ATOXGR", "AERELIFN", "AERELIM", "AEACN"]
    events = emergent_events(adae).drop(columns="TRT01A", errors="ignore")
    kept = events[events["AESER"] == "Y"].merge(population(adsl, code)[["USUBJID", "TRT01A"]], on="USUBJID")
    return kept[columns].sort_values(["USUBJID", "ASTDY", "AEDECOD"]).reset_index(drop=True)


def course_count_results(table: pd.DataFrame, code: str = "all", statistic: str = "patients") -> list[dict]:
    """Result rows of `action_table`, `related_table` and `serious_table`.

    `ae_action.<action>`, `ae_related.<drug>` and `ae_serious.<term>`, then `<population>.<arm>.<statistic>`.
    """
    name = table.columns[0]
    return [count_result((f"ae_{name.replace('term', 'serious')}", getattr(one, name), code, one.TRT01A, statistic),
                         one.patients, one.N, "patients once each, treatment-emergent events; Clopper-Pearson interval "
                         "on the percentage") for one in table.itertuples()]
