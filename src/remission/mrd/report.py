"""Each marker against time to an event: estimates as rows of results."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import curves, wording
from remission.mrd import estimate, evidence
from remission.mrd.markers import GROUPS, MARKERS, Marker, arms_to_test, contrast_width, marker_frame
from remission.study import Study


def analyse_markers(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
                    permutations: int = 10_000, bootstraps: int = 1000) -> pd.DataFrame:
    """Every marker against one endpoint, in every arm that can be tested.

    Parameters
    ----------
    endpoint : DataFrame
        `patient`, `arm`, `time` (days), `event` (bool), such as time to relapse with death censored.
    admk : DataFrame
        Analysis table of markers.
    study : Study
        Margins come from `[mrd]`, the unit of display from `[time]`.
    seed, permutations, bootstraps : int
        Of the permutation test and of the concordance intervals.

    Returns
    -------
    DataFrame
        Results `mrd.<marker>.all.<arm>.<statistic>`: `median[good]`, `median[poor]`, `p`, `permutation_p`, `HR` (Firth;
        unfavourable against favourable, or per unit towards it), `HR_cox`, `concordance`, `concordance_ipcw`,
        `power`, `detectable_HR`, `verdict`; for continuous markers also `HR[IQR]` (per interquartile range), on which
        power and verdict rest, `HR[split]` and `permutation_p[per unit]`. Empty without markers.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> analyse_markers(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                 schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    settings = {"seed": seed, "permutations": permutations, "bootstraps": bootstraps}
    made: list[dict[str, Any]] = []
    for arm in arms_to_test(endpoint, admk, study):
        mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
        for marker in MARKERS:
            data = marker_frame(mine, admk, marker)
            if len(data):
                fits = _fits(data, marker, arm)
                made += [*_median_rows(data, marker, arm, study), *_test_rows(data, marker, arm, settings),
                         *_ratio_rows(data, marker, arm, fits), *_concordance_rows(data, marker, arm, settings),
                         *_evidence_rows(data, marker, arm, study, fits.get("HR[IQR]", fits["HR"])[0])]
    return results.frame(made)


def _row(marker: Marker, arm: str, statistic: str, data: pd.DataFrame, value: float, **details) -> dict[str, Any]:
    return results.row("mrd", marker.key, "all", arm, statistic, value, n=len(data), events=int(data["event"].sum()),
                       **details)


def _median_rows(data: pd.DataFrame, marker: Marker, arm: str, study: Study) -> list[dict[str, Any]]:
    made = []
    for group, words in zip(GROUPS, marker.words, strict=True):
        mine = data[data["group"] == group]
        if len(mine):
            median = curves.quantile(curves.kaplan_meier(mine))
            made.append(_row(marker, arm, f"median[{group}]", mine, median.value, lower=median.lower,
                             upper=median.upper, unit="d", method=f"Kaplan-Meier, log-log interval; group: {words}",
                             display=wording.duration_interval(median, study.report_unit)))
    return made


def _test_rows(data: pd.DataFrame, marker: Marker, arm: str, settings: dict[str, int]) -> list[dict[str, Any]]:
    time, event, poor = data["time"], data["event"], (data["group"] == "poor").to_numpy(float)
    strata, within = _strata(data, arm), ", stratified by arm" if arm == "all" else ""
    how = {"seed": settings["seed"], "permutations": settings["permutations"]}
    logrank = estimate.logrank_p(time, event, poor, strata)
    made = [_row(marker, arm, "p", data, logrank, unit="p", method=f"log-rank, two-sided, two groups{within}",
                 display=wording.p_value(logrank))]
    words = f"permutation of the log-rank statistic{within}, {how['permutations']} draws, seed {how['seed']}"
    tested = [("permutation_p", poor, words)]
    if marker.continuous:
        tested.append(("permutation_p[per unit]", data["value"].to_numpy(), words.replace("log-rank", "Cox score")))
    for statistic, x, method in tested:
        p = estimate.permutation_p(time, event, x, strata, **how)
        made.append(_row(marker, arm, statistic, data, p, unit="p", method=method, display=wording.p_value(p)))
    return made


def _strata(data: pd.DataFrame, arm: str) -> pd.Series | None:
    """Arms to adjust for: those of the patients when all arms are taken together."""
    return data["arm"] if arm == "all" else None


def _fits(data: pd.DataFrame, marker: Marker, arm: str) -> dict[str, tuple[estimate.Interval, str]]:
    """Every hazard ratio of one marker, with what it compares; above 1 when the unfavourable side relapses earlier."""
    time, event, risk, strata = data["time"], data["event"], data["risk"], _strata(data, arm)
    against = f"{marker.words[1]} against {marker.words[0]}"
    per = f"per {marker.per}" if marker.continuous else against
    fits = {"HR": (estimate.firth_cox(time, event, risk, strata), per),
            "HR_cox": (estimate.cox(time, event, risk, strata), per)}
    if marker.continuous:
        width = contrast_width(risk, marker)
        wide = estimate.Interval(*(one**width for one in fits["HR"][0][:3]), fits["HR"][0].p)
        fits["HR[IQR]"] = (wide, f"per interquartile range ({width:.2g} {marker.per})")
        fits["HR[split]"] = (estimate.firth_cox(time, event, data["group"] == "poor", strata), against)
    return fits


def _ratio_rows(data: pd.DataFrame, marker: Marker, arm: str,
                fits: dict[str, tuple[estimate.Interval, str]]) -> list[dict[str, Any]]:
    firth, plain = "Cox with Firth's penalty, Breslow ties, profile interval", "Cox, Efron ties, Wald interval"
    if arm == "all":
        firth, plain = f"{firth}, adjusted for arm", f"{plain}, stratified by arm"
    return [_row(marker, arm, statistic, data, fit.value, lower=fit.lower, upper=fit.upper, unit="HR",
                 method=f"{plain if statistic == 'HR_cox' else firth}; {what}", display=ratio(fit))
            for statistic, (fit, what) in fits.items()]


def ratio(fit: estimate.Interval) -> str:
    """A hazard ratio with interval and p, for a reader.

    Examples
    --------
    >>> ratio(estimate.Interval(1.5, 0.5, 4512.0, 0.41))
    '1.50 (95% CI 0.50 to 4512), p = 0.41'
    """
    if math.isnan(fit.value):
        return "not estimable"
    value, lower, upper = (f"{one:.2f}" if one < 100 else f"{one:.4g}" for one in fit[:3])
    return f"{value} (95% CI {lower} to {upper}), {wording.p_value(fit.p)}"


def _concordance_rows(data: pd.DataFrame, marker: Marker, arm: str, settings: dict[str, int]) -> list[dict[str, Any]]:
    how = {"seed": settings["seed"], "bootstraps": settings["bootstraps"]}
    pairs = "pairs across arms count too; " if arm == "all" else ""
    words = f"{pairs}bootstrap percentile interval, {how['bootstraps']} draws, seed {how['seed']}"
    made = []
    indices = (("concordance", estimate.harrell, "Harrell's concordance"),
               ("concordance_ipcw", estimate.ipcw, "Uno's concordance, truncated at the last event"))
    for statistic, function, name in indices:
        fit = function(data["time"], data["event"], data["risk"], **how)
        shown = "not estimable" if math.isnan(fit.value) else (
            f"{fit.value:.2f}" + ("" if math.isnan(fit.lower) else f" (95% CI {fit.lower:.2f} to {fit.upper:.2f})"))
        made.append(_row(marker, arm, statistic, data, fit.value, lower=fit.lower, upper=fit.upper, unit="C",
                         method=f"{name}; {words}", display=shown))
    return made


def _evidence_rows(data: pd.DataFrame, marker: Marker, arm: str, study: Study,
                   fit: estimate.Interval) -> list[dict[str, Any]]:
    margins, events, width = rules(study)["margins"], int(data["event"].sum()), contrast_width(data["risk"], marker)
    spread = float(data["risk"].var(ddof=0)) / width**2
    power, least = evidence.power(events, margins[1], spread), evidence.detectable(events, spread)
    what = "per interquartile range" if marker.continuous else "between the two groups"
    shown = ("not estimable", "not estimable") if math.isnan(power) else (
        f"{100 * power:.0f}% for a hazard ratio of {margins[1]:g}", f"{least:.1f}")
    return [
        _row(marker, arm, "power", data, 100 * power, unit="%", display=shown[0],
             method=f"power to see a hazard ratio of {margins[1]:g} {what}; Schoenfeld"),
        _row(marker, arm, "detectable_HR", data, least, unit="HR", display=shown[1],
             method=f"hazard ratio {what} seen with 80% power; Schoenfeld"),
        _row(marker, arm, "verdict", data, math.nan, unit="", display=evidence.verdict(fit.lower, fit.upper, margins),
             method=f"Firth interval {what} against margins {margins[0]:g} to {margins[1]:g}"),
    ]
