"""Markers and relapse where death in remission competes with it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remission import results
from remission.estimators import competing, wording
from remission.estimators.comparisons import Test
from remission.mrd.markers import GROUPS, MARKERS, Marker, comparisons
from remission.mrd.ranking import auc_times
from remission.mrd.report import ratio
from remission.study import Study

RELAPSE, DEATH = 1, 2


def analyse_competing(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cumulative incidence of relapse by marker group, Gray's test and the subdistribution hazard ratio.

    Parameters
    ----------
    endpoint : DataFrame
        As in `analyse_markers`, with `code`: 1 relapse, 2 death in remission.
    admk : DataFrame
    study : Study
        Incidence is given at its `fixed_times`.

    Returns
    -------
    DataFrame
        Results `mrd.<marker>.all.<arm>.<statistic>`: `deaths[group]`, `incidence[group, time]` (%), `gray_p` (two
        groups), `subdistribution_HR` (unfavourable against favourable, or per unit towards it). All arms together:
        Gray's test is stratified by arm, the Fine-Gray model adjusted for it, the incidences are pooled.

    Examples
    --------
    >>> from remission import schema
    >>> analyse_competing(pd.DataFrame(columns=["patient", "arm", "time", "event", "code"]),
    ...                   schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ())).empty
    True
    """
    made: list[dict[str, Any]] = []
    for arm, marker, data in comparisons(endpoint, admk, study):
        made += [*_incidence_rows(data, marker, arm, study), *_effect_rows(data, marker, arm)]
    return results.frame(made)


def _row(marker: Marker, arm: str, statistic: str, data: pd.DataFrame, value: float, **details) -> dict[str, Any]:
    return results.row("mrd", marker.key, "all", arm, statistic, value, n=len(data),
                       events=int((data["code"] == RELAPSE).sum()), **details)


def _incidence_rows(data: pd.DataFrame, marker: Marker, arm: str, study: Study) -> list[dict[str, Any]]:
    made = []
    for group, words in zip(GROUPS, marker.words, strict=True):
        mine = data[data["group"] == group].reset_index(drop=True)
        if mine.empty:
            continue
        deaths = int((mine["code"] == DEATH).sum())
        made.append(_row(marker, arm, f"deaths[{group}]", mine, deaths, unit="n", display=f"{deaths} of {len(mine)}",
                         method=f"deaths in remission; group: {words}"))
        curve = competing.cumulative_incidence(mine)
        for label, day in auc_times(study).items():
            found = competing.incidence_at(mine, curve, RELAPSE, day)
            shown = wording.percent_interval(found, "not estimable: nobody was followed so long")
            value, lower, upper = (100 * one for one in found)
            made.append(_row(marker, arm, f"incidence[{group}, {label}]", mine, value, lower=lower, upper=upper,
                             unit="%", method="cumulative incidence of relapse, death in remission competing "
                             f"(Aalen-Johansen), log-log interval; group: {words}", display=shown))
    return made


def _effect_rows(data: pd.DataFrame, marker: Marker, arm: str) -> list[dict[str, Any]]:
    pooled = arm == "all"
    if data["group"].nunique() < 2:
        test = Test(math.nan, math.nan, "all patients are in one group")
    else:
        groups = data.assign(arm=data["group"], stratum=data["arm"])
        test = competing.gray(groups, RELAPSE, "stratum" if pooled else "")
    fit = competing.fine_gray_marker(data, data["risk"], RELAPSE, data["arm"] if pooled else None)
    per = f"per {marker.per}" if marker.continuous else f"{marker.words[1]} against {marker.words[0]}"
    within = ", stratified by arm" if pooled else ""
    return [_row(marker, arm, "gray_p", data, test.p, unit="p", display=wording.p_value(test.p, test.note),
                 method=f"Gray's test of the cumulative incidence of relapse, two groups{within}"),
            _row(marker, arm, "subdistribution_HR", data, fit.value, lower=fit.lower, upper=fit.upper, unit="HR",
                 method=f"Fine-Gray model, robust Wald interval{', adjusted for arm' * pooled}; {per}",
                 display=ratio(fit))]


def competing_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Incidence of relapse by group for a reader, with Gray's test and the subdistribution hazard ratio.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_competing`.

    Returns
    -------
    DataFrame
        One row an arm, marker and group: `arm`, `marker`, `group`, `patients`, `relapses`, `deaths`, one column a time;
        `Gray` and `subdistribution HR` stand in the marker's first row.

    Examples
    --------
    >>> competing_table(results.frame([])).empty
    True
    """
    by_key = {marker.key: marker for marker in MARKERS}
    found = rows.set_index(["arm", "endpoint", "statistic"])
    pattern = rows["statistic"].str.extract(r"^incidence\[\w+, (.*)\]$")[0] if len(rows) else pd.Series(dtype=object)
    times, made = list(dict.fromkeys(pattern.dropna())), []
    for arm, key in dict.fromkeys(zip(rows["arm"], rows["endpoint"], strict=True)):
        effects = [found.loc[(arm, key, name), "display"] for name in ("gray_p", "subdistribution_HR")]
        for group, words in zip(GROUPS, by_key[key].words, strict=True):
            if (arm, key, f"deaths[{group}]") in found.index:
                counts = found.loc[(arm, key, f"deaths[{group}]")]
                shown = [found.loc[(arm, key, f"incidence[{group}, {time}]"), "display"] for time in times]
                made.append([arm, by_key[key].label, words, counts["n"], counts["events"], int(counts["value"]), *shown,
                             *effects])
                effects = ["", ""]
    return pd.DataFrame(made, columns=["arm", "marker", "group", "patients", "relapses", "deaths", *times, "Gray",
                                       "subdistribution HR"])


def competing_in_words(rows: pd.DataFrame) -> str:
    """How many deaths compete with relapse, and whether that can matter.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_competing`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> competing_in_words(results.frame([]))
    'No marker is known in this cohort.'
    """
    if rows.empty:
        return "No marker is known in this cohort."
    words = []
    deaths = rows[rows["statistic"].str.startswith("deaths[")]
    for arm in dict.fromkeys(rows["arm"]):
        by_marker = deaths[deaths["arm"] == arm].groupby("endpoint", sort=False)["value"].sum()
        most = int(by_marker.max())
        words.append(f"**{'All arms together' if arm == 'all' else arm}.** " + (
            "Nobody with a known marker died in remission: relapse has no competitor, and Gray's test and the "
            "subdistribution hazard ratio say what the log-rank test and the Cox model say." if most == 0 else
            f"Up to {most} {'patient' if most == 1 else 'patients'} with a known marker died in remission."))
    return "\n\n".join(words)
