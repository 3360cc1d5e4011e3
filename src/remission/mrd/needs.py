"""What each marker comparison had, and what it would have needed: events, power, intervals, patients."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.mrd import evidence
from remission.mrd.markers import MARKERS, arms_to_test, contrast_width, marker_frame
from remission.study import Study

COLUMNS = ["arm", "marker", "endpoint", "patients", "relapses", "power", "detectable_HR", "null_lower", "null_upper",
           "events_needed", "events_to_rule_out", "patients_needed"]


def requirements(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Power and needs of every comparison as it was observed, at the margins of the study.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
        Margins come from `[mrd]`.

    Returns
    -------
    DataFrame
        One row an arm and marker: `arm`, `marker`, `endpoint` (key), `patients`, `relapses`; `power` (0 to 1) to see a
        hazard ratio at the upper margin and `detectable_HR` with 80% power; `null_lower` and `null_upper`, the
        interval around a hazard ratio of exactly 1; `events_needed` to see the upper margin with 80% power;
        `events_to_rule_out` with which an interval around no effect falls between the margins in 80%;
        `patients_needed`, the larger of the two by the share of patients who relapsed. NaN where a marker does not
        vary or nobody relapsed.

    Examples
    --------
    >>> from remission import schema
    >>> requirements(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...              schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ())).empty
    True
    """
    margins = tuple(rules(study)["margins"])
    made = []
    for arm in arms_to_test(endpoint, admk, study):
        mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
        for marker in MARKERS:
            data = marker_frame(mine, admk, marker)
            if data.empty:
                continue
            patients, events = len(data), int(data["event"].sum())
            spread = float(data["risk"].var(ddof=0)) / contrast_width(data["risk"], marker) ** 2
            needed = evidence.events_needed(margins[1], spread)
            ruled_out = evidence.events_to_rule_out(margins, spread)
            share = events / patients
            made.append([arm, marker.label, marker.key, patients, events, evidence.power(events, margins[1], spread),
                         evidence.detectable(events, spread), *evidence.null_interval(events, spread), needed,
                         ruled_out, max(needed, ruled_out) / share if share else math.nan])
    return pd.DataFrame(made, columns=COLUMNS)


def requirement_rows(needs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The needs as results.

    Parameters
    ----------
    needs : DataFrame
        From `requirements`.
    study : Study

    Returns
    -------
    DataFrame
        Results `evidence.<marker>.all.<arm>.events_needed | events_to_rule_out | patients_needed | null_interval`.

    Examples
    --------
    >>> requirement_rows(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", ())).empty
    True
    """
    low, high = rules(study)["margins"]
    words = {
        "events_needed": f"relapses to see a hazard ratio of {high:g} with 80% power; Schoenfeld, spread as observed",
        "events_to_rule_out": f"relapses for an interval inside {low:g} to {high:g} in 80% if the hazard ratio is 1; "
                              "two one-sided tests, spread as observed",
        "patients_needed": "patients for the larger of both numbers of relapses, at the share that relapsed here",
    }
    made: list[dict[str, Any]] = []
    for one in needs.itertuples():
        name = ("evidence", one.endpoint, "all", one.arm)
        counts = {"n": one.patients, "events": one.relapses}
        for statistic, method in words.items():
            value = getattr(one, statistic)
            made.append(results.row(*name, statistic, value, unit="n", method=method, display=whole(value), **counts))
        shown = "not estimable" if math.isnan(one.null_lower) else (
            f"1.00 (95% CI {one.null_lower:.2f} to {one.null_upper:.2f})")
        made.append(results.row(
            *name, "null_interval", math.nan if math.isnan(one.null_lower) else 1.0, lower=one.null_lower,
            upper=one.null_upper, unit="HR", display=shown, method="interval that these relapses give around a hazard "
            "ratio of exactly 1; Schoenfeld's information", **counts))
    return results.frame(made)


def verdict_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Verdicts as numbers, so that a claim of no relation can be held against them.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    DataFrame
        Results `evidence.<marker>.all.<arm>.evidence_against`: 1 where the interval shows that no effect that matters
        is left, 0 where it does not; not a number where there is no interval.

    Examples
    --------
    >>> verdict_rows(results.frame([])).empty
    True
    """
    made = []
    for one in rows[(rows["analysis"] == "mrd") & (rows["statistic"] == "verdict")].itertuples():
        value = math.nan if one.display == evidence.NONE else float(one.display == evidence.AGAINST)
        made.append(results.row("evidence", one.endpoint, "all", one.arm, "evidence_against", value, n=one.n,
                                events=one.events, method=f"1 if the verdict is '{evidence.AGAINST}'; {one.method}",
                                display=one.display))
    return results.frame(made)


def requirements_table(needs: pd.DataFrame) -> pd.DataFrame:
    """The needs for reading.

    Parameters
    ----------
    needs : DataFrame
        From `requirements`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `relapses / patients`, `power`, `detectable HR`, `interval at HR 1`, `relapses to see it`,
        `relapses to rule it out`, `patients for both`.

    Examples
    --------
    >>> requirements_table(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    made = [[one.arm, one.marker, f"{one.relapses} / {one.patients}",
             "not estimable" if math.isnan(one.power) else f"{100 * one.power:.0f}%",
             "not estimable" if math.isnan(one.detectable_HR) else f"{one.detectable_HR:.1f}",
             "not estimable" if math.isnan(one.null_lower) else f"{one.null_lower:.2f} to {one.null_upper:.2f}",
             whole(one.events_needed), whole(one.events_to_rule_out), whole(one.patients_needed)]
            for one in needs.itertuples()]
    return pd.DataFrame(made, columns=["arm", "marker", "relapses / patients", "power", "detectable HR",
                                       "interval at HR 1", "relapses to see it", "relapses to rule it out",
                                       "patients for both"])


def requirements_in_words(needs: pd.DataFrame, study: Study) -> str:
    """What was there against what was needed, in a few sentences.

    Parameters
    ----------
    needs : DataFrame
        From `requirements`.
    study : Study

    Returns
    -------
    str

    Examples
    --------
    >>> requirements_in_words(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", ()))
    'No marker is known in this cohort, so nothing could have been shown either way.'
    """
    known = needs[needs["power"].notna()]
    if needs.empty:
        return "No marker is known in this cohort, so nothing could have been shown either way."
    if known.empty:
        return "No marker varies among patients of whom some relapsed: nothing can be compared."
    low, high = rules(study)["margins"]
    best = known.loc[known["power"].idxmax()]
    inside = known[(known["null_lower"] >= low) & (known["null_upper"] <= high)]
    where = "In no comparison" if inside.empty else f"In {len(inside)} of {len(known)} comparisons"
    could = f"{where} would even an estimate of exactly 1 have given an interval inside the margins"
    could += (": *not predictive* could not have been shown, whatever the patients did" if inside.empty else
              "; in the others *not predictive* could not have been shown, whatever the patients did"
              if len(inside) < len(known) else "")
    return (f"The best placed comparison ({best['marker']}, {'all arms' if best['arm'] == 'all' else best['arm']}) had "
            f"{best['relapses']} relapses and a power of {100 * best['power']:.0f}% to see a hazard ratio of {high:g}. "
            f"{could}. To see a hazard ratio of {high:g} takes {_span(known['events_needed'])} relapses; to rule "
            f"out everything beyond {low:g} and {high:g} takes {_span(known['events_to_rule_out'])}.")


def whole(value: float) -> str:
    """A number of events or patients, rounded up.

    Examples
    --------
    >>> whole(65.3), whole(math.nan)
    ('66', 'not estimable')
    """
    return "not estimable" if math.isnan(value) else str(math.ceil(value - 1e-9))


def _span(values: pd.Series) -> str:
    low, high = whole(values.min()), whole(values.max())
    return low if low == high else f"{low} to {high}"
