"""Each marker against time to an event: estimates as rows of results."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import comparisons as tests
from remission.estimators import curves, partial, wording
from remission.estimators.models import HazardRatio
from remission.mrd import accuracy, evidence, multiplicity
from remission.mrd.markers import GROUPS, Marker, comparisons, contrast_width, strata_of
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
    for arm, marker, data in comparisons(endpoint, admk, study):
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
    within = ", stratified by arm" if arm == "all" else ""
    how = {"seed": settings["seed"], "permutations": settings["permutations"]}
    logrank = logrank_of_groups(data, arm)
    made = [_row(marker, arm, "p", data, logrank.p, unit="p", method=f"log-rank, two-sided, two groups{within}",
                 display=wording.p_value(logrank.p, logrank.note))]
    words = f"permutation of the log-rank statistic{within}, {how['permutations']} draws, seed {how['seed']}"
    tested = [("permutation_p", (data["group"] == "poor").to_numpy(float), words)]
    if marker.continuous:
        tested.append(("permutation_p[per unit]", data["value"].to_numpy(), words.replace("log-rank", "Cox score")))
    for statistic, x, method in tested:
        p = multiplicity.permutation_p(data["time"], data["event"], x, strata_of(data, arm), **how)
        made.append(_row(marker, arm, statistic, data, p, unit="p", method=method,
                         display=wording.p_value(p, logrank.note or "nothing to compare")))
    return made


def logrank_of_groups(data: pd.DataFrame, arm: str) -> tests.Test:
    """Log-rank test of a marker's two groups, within arms when all arms are taken together.

    Parameters
    ----------
    data : DataFrame
        From `marker_frame`.
    arm : str
        `all` to stratify.

    Returns
    -------
    Test

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": "A", "time": [1, 2], "event": True, "group": ["good", "good"]})
    >>> logrank_of_groups(rows, "A").note
    'all patients are in one group'
    """
    if data["group"].nunique() < 2:
        return tests.Test(math.nan, math.nan, "all patients are in one group")
    groups = data.assign(arm=data["group"], stratum=data["arm"])
    return tests.stratified_logrank(groups, "good", "stratum") if arm == "all" else tests.logrank(groups, "good")


def _fits(data: pd.DataFrame, marker: Marker, arm: str) -> dict[str, tuple[HazardRatio, str]]:
    """Every hazard ratio of one marker, with what it compares; above 1 when the unfavourable side relapses earlier."""
    strata = strata_of(data, arm)
    records = partial.prepare(data["time"], data["event"], data["risk"], strata=strata)
    against = f"{marker.words[1]} against {marker.words[0]}"
    per = f"per {marker.per}" if marker.continuous else against
    fits = {"HR": (partial.ratio(records, "firth"), per), "HR_cox": (partial.ratio(records), per)}
    if marker.continuous:
        width, unit = contrast_width(data["risk"], marker), fits["HR"][0]
        wide = unit._replace(value=unit.value**width, lower=unit.lower**width, upper=unit.upper**width)
        fits["HR[IQR]"] = (wide, f"per interquartile range ({width:.2g} {marker.per})")
        split = partial.prepare(data["time"], data["event"], data["group"] == "poor", strata=strata)
        fits["HR[split]"] = (partial.ratio(split, "firth"), against)
    return fits


def _ratio_rows(data: pd.DataFrame, marker: Marker, arm: str,
                fits: dict[str, tuple[HazardRatio, str]]) -> list[dict[str, Any]]:
    within = ", stratified by arm" if arm == "all" else ""
    firth = f"Cox with Firth's penalty, Efron ties, profile interval{within}"
    plain = f"Cox, Efron ties, Wald interval{within}"
    return [_row(marker, arm, statistic, data, fit.value, lower=fit.lower, upper=fit.upper, unit="HR",
                 method=f"{plain if statistic == 'HR_cox' else firth}; {what}", display=ratio(fit))
            for statistic, (fit, what) in fits.items()]


def ratio(fit: HazardRatio) -> str:
    """A hazard ratio with interval and p, for a reader.

    Examples
    --------
    >>> ratio(HazardRatio(1.5, 0.5, 4512.0, 0.41))
    '1.50 (95% CI 0.50 to 4512), p = 0.41'
    """
    shown = wording.ratio_interval(*fit[:3], fit.note)
    return shown if math.isnan(fit.value) else f"{shown}, {wording.p_value(fit.p)}"


def index(fit: accuracy.Index) -> str:
    """A concordance or AUC with its interval, or why there is none, for a reader.

    Examples
    --------
    >>> index(accuracy.Index(0.61, 0.4, 0.8)), index(accuracy.Index(*[math.nan] * 3, "no events"))
    ('0.61 (95% CI 0.40 to 0.80)', 'not estimable: no events')
    """
    if math.isnan(fit.value):
        return f"not estimable: {fit.note}" if fit.note else "not estimable"
    return f"{fit.value:.2f}" + ("" if math.isnan(fit.lower) else f" (95% CI {fit.lower:.2f} to {fit.upper:.2f})")


def _concordance_rows(data: pd.DataFrame, marker: Marker, arm: str, settings: dict[str, int]) -> list[dict[str, Any]]:
    how = {"seed": settings["seed"], "bootstraps": settings["bootstraps"]}
    pairs = "pairs across arms count too; " if arm == "all" else ""
    words = f"{pairs}bootstrap percentile interval, {how['bootstraps']} draws, seed {how['seed']}"
    made = []
    indices = (("concordance", accuracy.harrell, "Harrell's concordance"),
               ("concordance_ipcw", accuracy.ipcw, "Uno's concordance, truncated at the last event"))
    for statistic, function, name in indices:
        fit = function(data["time"], data["event"], data["risk"], **how)
        made.append(_row(marker, arm, statistic, data, fit.value, lower=fit.lower, upper=fit.upper, unit="C",
                         method=f"{name}; {words}", display=index(fit)))
    return made


def _evidence_rows(data: pd.DataFrame, marker: Marker, arm: str, study: Study,
                   fit: HazardRatio) -> list[dict[str, Any]]:
    margins, events, width = rules(study)["margins"], int(data["event"].sum()), contrast_width(data["risk"], marker)
    spread = float(data["risk"].var(ddof=0)) / width**2
    power, least = evidence.power(events, margins[1], spread), evidence.detectable(events, spread)
    what = "per interquartile range" if marker.continuous else "between the two groups"
    why = "no events" if events == 0 else "the marker does not vary"
    shown = (f"not estimable: {why}",) * 2 if math.isnan(power) else (
        f"{100 * power:.0f}% for a hazard ratio of {margins[1]:g}", f"{least:.1f}")
    return [
        _row(marker, arm, "power", data, 100 * power, unit="%", display=shown[0],
             method=f"power to see a hazard ratio of {margins[1]:g} {what}; Schoenfeld"),
        _row(marker, arm, "detectable_HR", data, least, unit="HR", display=shown[1],
             method=f"hazard ratio {what} seen with 80% power; Schoenfeld"),
        _row(marker, arm, "verdict", data, math.nan, unit="", display=evidence.verdict(fit.lower, fit.upper, margins),
             method=f"Firth interval {what} against margins {margins[0]:g} to {margins[1]:g}"),
    ]
