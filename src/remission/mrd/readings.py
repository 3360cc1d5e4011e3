"""Other readings of printed statements about markers, each answered by a number of its own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import curves, partial, wording
from remission.estimators.proportions import proportion
from remission.mrd.course import positive_runs
from remission.mrd.markers import GROUPS, MARKERS, Marker, arms_to_test, marker_frame
from remission.study import Study

#: Other definitions of prolonged positivity: words, and what differs from `[mrd]` of study.toml.
PROLONGED = {"half as long": ("prolonged_days", 0.5), "twice as long": ("prolonged_days", 2.0),
             "one sample fewer": ("prolonged_samples", -1)}


def marker_readings(relapse: pd.DataFrame, free: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Medians and p-values of marker groups under other conventions than those of the main analysis.

    Parameters
    ----------
    relapse, free : DataFrame
        `patient`, `arm`, `time` (days), `event`: time to relapse, and relapse-free survival (no rows where unknown).
    admk : DataFrame
        Analysis table of markers.
    study : Study

    Returns
    -------
    DataFrame
        Results `mrd_reading.<marker>.all.<arm>.<statistic>`: `median_first[good|poor]` (first time with S <= 0.5),
        `p_firth` (two groups, Firth's penalty), `p_per_unit` (continuous markers, Firth's penalty); with relapse or
        death counted, `rfs_median[good|poor]` and `rfs_p_firth`.

    Examples
    --------
    >>> from remission import schema
    >>> none = pd.DataFrame(columns=["patient", "arm", "time", "event"])
    >>> marker_readings(none, none, schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ())).empty
    True
    """
    made: list[dict[str, Any]] = []
    for arm in arms_to_test(relapse, admk, study):
        for marker in MARKERS:
            for prefix, endpoint in (("", relapse), ("rfs_", free)):
                mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
                data = marker_frame(mine, admk, marker)
                if len(data):
                    made += _rows(data, marker, arm, prefix, study)
    return results.frame(made)


def _rows(data: pd.DataFrame, marker: Marker, arm: str, prefix: str, study: Study) -> list[dict[str, Any]]:
    counted = "relapse or death" if prefix else "relapse, death in remission censored"
    made = []
    for group, words in zip(GROUPS, marker.words, strict=True):
        part = data[data["group"] == group]
        if part.empty:
            continue
        for name, first in (("median", False), ("median_first", True)):
            if first == bool(prefix):
                continue  # the midpoint rule for relapse stands in the main analysis; one rule is enough here
            median = curves.quantile(curves.kaplan_meier(part), first=first)
            rule = "first time with S <= 0.5" if first else "midpoint of a plateau"
            made.append(_row(marker, arm, f"{prefix}{name}[{group}]", part, median.value, lower=median.lower,
                             upper=median.upper, unit="d", method=f"{counted}: Kaplan-Meier, {rule}; group: {words}",
                             display=wording.duration_interval(median, study.report_unit)))
    tested = [("p_firth", (data["group"] == "poor").astype(float), "two groups")]
    if marker.continuous:
        tested.append(("p_per_unit", data["risk"], f"per {marker.per}"))
    for name, x, what in tested:
        strata = data["arm"].to_numpy() if arm == "all" else None
        fit = partial.ratio(partial.prepare(data["time"], data["event"], x, strata=strata), "firth")
        within = ", stratified by arm" if arm == "all" else ""
        made.append(_row(marker, arm, f"{prefix}{name}", data, fit.p, unit="p", method=f"{counted}: Cox with Firth's "
                         f"penalty, Efron ties, likelihood-ratio p{within}; {what}",
                         display=wording.p_value(fit.p, fit.note)))
    return made


def _row(marker: Marker, arm: str, statistic: str, data: pd.DataFrame, value: float, **details) -> dict[str, Any]:
    return results.row("mrd_reading", marker.key, "all", arm, statistic, value, n=len(data),
                       events=int(data["event"].sum()), **details)


def prolonged_readings(admrd: pd.DataFrame, adsl: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients with prolonged positivity under shorter and longer definitions than that of the study.

    Parameters
    ----------
    admrd, adsl, admk : DataFrame
        Analysis tables.
    study : Study
        `prolonged_days` and `prolonged_samples` of `[mrd]` are varied.

    Returns
    -------
    DataFrame
        Results `prolonged.-.mrd_evaluable.<arm>.patients[<definition>]`; none without evaluable patients.

    Examples
    --------
    >>> from remission import schema
    >>> tables = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl", "admk")]
    >>> prolonged_readings(*tables, Study("demo", "own", "", "", ())).empty
    True
    """
    definition, made = rules(study), []
    evaluable = admk.loc[admk["MRDEVLFL"] == "Y", ["USUBJID", "TRT01A"]]
    for name, (key, by) in PROLONGED.items():
        value = definition[key] + by if by < 0 else math.floor(definition[key] * by + 0.5)
        other = replace(study, mrd=study.mrd | {key: value})
        runs = positive_runs(admrd, adsl, other)
        held = runs.loc[runs["PROLONGED"] == "Y", "USUBJID"]
        for arm in study.arm_keys:
            mine = evaluable.loc[evaluable["TRT01A"] == arm, "USUBJID"]
            if mine.empty:
                continue
            count = int(mine.isin(held).sum())
            exact = proportion(count, len(mine))
            made.append(results.row(
                "prolonged", "-", "mrd_evaluable", arm, f"patients[{name}]", count, lower=100 * exact.lower,
                upper=100 * exact.upper, unit="n", n=len(mine), display=wording.count_of(count, len(mine), exact),
                method=f"patients with prolonged MRD positivity without relapse, {key} = {value}; Clopper-Pearson "
                       "interval of the proportion in %"))
    return results.frame(made)
