"""Medians of marker groups that were printed without saying which group is which."""

from __future__ import annotations

import math

import pandas as pd

from remission import results
from remission.estimators.wording import half_up
from remission.mrd import evidence
from remission.mrd.markers import GROUPS, MARKERS
from remission.study import Study


def printed_readings(claims: pd.DataFrame, rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Printed medians of marker groups, read in both directions against what this cohort can tell.

    Parameters
    ----------
    claims : DataFrame
        Printed claims: `result_id`, `printed`, `unit`; those that name `median[good]` and `median[poor]` of a marker
        are used.
    rows : DataFrame
        From `analyse_markers`.
    study : Study

    Returns
    -------
    DataFrame
        Columns of `evidence.readings` after `marker`, `arm`, `endpoint` and `unit`; no rows where no such medians
        were printed.

    Examples
    --------
    >>> from remission.study import Study
    >>> printed_readings(pd.DataFrame({"result_id": [], "printed": [], "unit": []}), results.frame([]),
    ...                  Study("demo", "own", "", "", ())).empty
    True
    """
    said, found = claims.set_index("result_id"), rows.set_index("result_id")
    made = []
    for marker in MARKERS:
        for arm in (*study.arm_keys, "all"):
            name = f"mrd.{marker.key}.all.{arm}"
            ids = {group: f"{name}.median[{group}]" for group in GROUPS}
            if not all(one in said.index and one in found.index for one in ids.values()):
                continue
            fit = found.loc[f"{name}.{'HR[split]' if marker.continuous else 'HR'}"]
            medians = {group: float(said.loc[one, "printed"]) for group, one in ids.items()}
            read = evidence.readings(medians, int(fit["events"]),
                                     float(found.loc[ids["poor"], "n"] / fit["n"]), (fit["lower"], fit["upper"]))
            made.append(read.assign(marker=marker.label, arm=arm, endpoint=marker.key,
                                    unit=said.loc[ids["good"], "unit"]))
    columns = ["marker", "arm", "endpoint", "unit", *evidence.READING_COLUMNS]
    return pd.concat(made, ignore_index=True)[columns] if made else pd.DataFrame(columns=columns)


def reading_rows(read: pd.DataFrame) -> pd.DataFrame:
    """The printed contrasts as results: implied hazard ratio in both directions, power, and events needed.

    Parameters
    ----------
    read : DataFrame
        From `printed_readings`.

    Returns
    -------
    DataFrame
        Results `printed.<marker>.all.<arm>.HR[<reading>] | power | events_needed`.

    Examples
    --------
    >>> reading_rows(pd.DataFrame(columns=["marker"])).empty
    True
    """
    made = []
    for one in read.itertuples():
        name = ("printed", one.endpoint, "all", one.arm)
        inside = {"Y": "inside", "N": "outside", "": "without"}[one.inside_interval]
        made.append(results.row(*name, f"HR[{one.reading}]", one.hazard_ratio, unit="HR",
                                method="inverse ratio of the printed medians, exponential times",
                                display=f"{half_up(one.hazard_ratio, 2)}, {inside} the interval found here"))
        if one.reading == "as printed":
            made.append(results.row(*name, "power", 100 * one.power, unit="%", method="Schoenfeld, events as observed",
                                    display=f"{100 * one.power:.0f}%"))
            made.append(results.row(*name, "events_needed", one.events_needed, unit="n",
                                    method="Schoenfeld, 80% power, two-sided 5%", display=_whole(one.events_needed)))
    return results.frame(made)


def readings_in_words(read: pd.DataFrame) -> str:
    """What the printed medians could have shown, in a sentence a contrast.

    Parameters
    ----------
    read : DataFrame
        From `printed_readings`.

    Returns
    -------
    str

    Examples
    --------
    >>> readings_in_words(pd.DataFrame(columns=["reading"]))
    'No medians of marker groups were printed about this cohort.'
    """
    first = read[read["reading"] == "as printed"]
    if first.empty:
        return "No medians of marker groups were printed about this cohort."
    words = []
    for one in first.itertuples():
        other = read[(read["endpoint"] == one.endpoint) & (read["arm"] == one.arm) & (read["reading"] == "reversed")]
        other = other.iloc[0]
        both = one.inside_interval == "Y" and other["inside_interval"] == "Y"
        first_way, other_way = half_up(one.hazard_ratio, 2), half_up(other["hazard_ratio"], 2)
        words.append(
            f"**{one.marker}, {one.arm}.** Medians of {one.favourable:g} and {one.unfavourable:g} {one.unit}s mean a "
            f"hazard ratio of {first_way} or, the other way round, {other_way}. With the relapses seen here the power "
            f"to find either is {100 * one.power:.0f}%; 80% would need {_whole(one.events_needed)} relapses. "
            + ("Both ratios lie inside the interval found here: the data cannot even tell the direction." if both else
               "The interval found here does not hold both."))
    return " ".join(words)


def _whole(events: float) -> str:
    return "no number of" if math.isnan(events) else str(math.ceil(events))
