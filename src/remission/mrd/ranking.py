"""How well each marker tells early relapses from later ones: cumulative/dynamic AUC as results and over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from remission import results
from remission import study as units
from remission.mrd import accuracy
from remission.mrd.markers import MARKERS, comparisons
from remission.mrd.report import index
from remission.study import Study

#: Most points of an AUC over time; more would not be seen.
MOST_POINTS = 24
CURVE = ["arm", "marker", "time", "auc", "lower", "upper", "cases", "controls", "note"]


def auc_times(study: Study) -> dict[str, int]:
    """Times at which the AUC is reported: label in the study's report unit, and days.

    Examples
    --------
    >>> auc_times(Study("demo", "own", "", "", (), report_unit="year", fixed_times=(1, 2)))
    {'1 year': 365, '2 years': 731}
    """
    return {f"{one:g} {study.report_unit}{'' if one == 1 else 's'}": units.to_days(one, study.report_unit)
            for one in study.fixed_times}


def analyse_accuracy(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
                     bootstraps: int = 1000) -> pd.DataFrame:
    """Cumulative/dynamic AUC of every marker at the study's fixed times.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
        `fixed_times`, in its report unit.
    seed, bootstraps : int
        Of the intervals.

    Returns
    -------
    DataFrame
        Results `mrd.<marker>.all.<arm>.auc[<time>]`; `events` counts the cases, patients with the event by then. A
        reason stands in `display` where there is no number.

    Examples
    --------
    >>> from remission import schema
    >>> analyse_accuracy(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                  schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    times, made = auc_times(study), []
    for arm, marker, data in comparisons(endpoint, admk, study):
        pairs = "; pairs across arms count too" if arm == "all" else ""
        found = accuracy.auc(data["time"], data["event"], data["risk"], list(times.values()), seed=seed,
                             bootstraps=bootstraps)
        for (label, day), fit in zip(times.items(), found, strict=True):
            made.append(results.row(
                "mrd", marker.key, "all", arm, f"auc[{label}]", fit.value, lower=fit.lower, upper=fit.upper, unit="AUC",
                n=len(data), events=int((data["event"] & (data["time"] <= day)).sum()), display=index(fit),
                method="cumulative/dynamic AUC, cases weighted by the inverse probability of censoring; bootstrap "
                       f"percentile interval, {bootstraps} draws, seed {seed}{pairs}"))
    return results.frame(made)


def auc_table(rows: pd.DataFrame) -> pd.DataFrame:
    """AUC for a reader: one row an arm and marker, one column a time.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_accuracy`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, then `display` at each time.

    Examples
    --------
    >>> auc_table(results.frame([])).empty
    True
    """
    labels = {marker.key: marker.label for marker in MARKERS}
    times = list(dict.fromkeys(rows["statistic"].str.extract(r"\[(.*)\]")[0])) if len(rows) else []
    made = [[arm, labels[key], *mine["display"]] for (arm, key), mine in
            rows.groupby(["arm", "endpoint"], sort=False)] if len(rows) else []
    return pd.DataFrame(made, columns=["arm", "marker", *times])


def auc_curves(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
               bootstraps: int = 1000) -> pd.DataFrame:
    """AUC of every marker over time.

    Parameters
    ----------
    endpoint, admk, study, seed, bootstraps
        As in `analyse_accuracy`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `time` (days), `auc`, `lower`, `upper`, `cases`, `controls`, `note`: at the study's fixed times
        and at the days of events, or at `MOST_POINTS` of them spread evenly.

    Examples
    --------
    >>> from remission import schema
    >>> auc_curves(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...            schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    made: list[list[Any]] = []
    for arm, marker, data in comparisons(endpoint, admk, study):
        times = np.unique(data.loc[data["event"].astype(bool), "time"])
        if len(times) > MOST_POINTS:
            times = times[np.unique(np.linspace(0, len(times) - 1, MOST_POINTS).round().astype(int))]
        times = np.union1d(times, list(auc_times(study).values()))
        found = accuracy.auc(data["time"], data["event"], data["risk"], list(times), seed=seed, bootstraps=bootstraps)
        for day, fit in zip(times, found, strict=True):
            cases, controls = int((data["event"] & (data["time"] <= day)).sum()), int((data["time"] > day).sum())
            made.append([arm, marker.label, int(day), *fit[:3], cases, controls, fit.note])
    return pd.DataFrame(made, columns=CURVE)


def auc_in_words(rows: pd.DataFrame) -> str:
    """Where an AUC differs from a coin toss, in one sentence an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_accuracy`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> auc_in_words(results.frame([]))
    'No AUC can be estimated in this cohort.'
    """
    if rows.empty or rows["value"].isna().all():
        return "No AUC can be estimated in this cohort."
    labels = {marker.key: marker.label for marker in MARKERS}
    words = []
    for arm in dict.fromkeys(rows["arm"]):
        mine = rows[(rows["arm"] == arm) & rows["value"].notna()]
        if mine.empty:
            continue
        told = mine[(mine["lower"] > 0.5) | (mine["upper"] < 0.5)]
        names = "; ".join(f"{labels[one.endpoint]} at {one.statistic[4:-1]}, {one.display}"
                          for one in told.itertuples())
        missing = int((rows["arm"] == arm).sum()) - len(mine)
        words.append(
            f"**{'All arms together' if arm == 'all' else arm}.** AUCs whose interval leaves out 0.5: {len(told)} of "
            f"{len(mine)}{'; ' + names if names else ''}. The widest interval spans "
            f"{_widest(mine):.2f}.{f' {missing} could not be estimated.' if missing else ''}")
    return "\n\n".join(words)


def _widest(rows: pd.DataFrame) -> float:
    width = float((rows["upper"] - rows["lower"]).max())
    return 0.0 if math.isnan(width) else width
