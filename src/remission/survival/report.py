"""Result rows of each endpoint: one row a reported number."""

from __future__ import annotations

import math

import pandas as pd

from remission import results
from remission.estimators import comparisons, curves, models, wording
from remission.study import Study
from remission.survival import competing
from remission.survival.endpoints import CAUSES, by_arm, endpoint, fixed_times

KM_QUANTILE = "Kaplan-Meier; midpoint of a plateau on the level; Brookmeyer-Crowley 95% interval, log-log"
KM_FIXED = "Kaplan-Meier; Greenwood 95% interval, log-log"
TRUNCATED = "; at risk only from the start of observation"
RANGES = {
    "min": ("min", True, "shortest time that ended with the event"),
    "max_event": ("max", True, "longest time that ended with the event"),
    "min_any": ("min", False, "shortest time, censored times included"),
    "max_any": ("max", False, "longest time, censored times included"),
    "plain_median": ("median", False, "plain median, censored times taken as events: biased, for comparison only"),
}


def analyse(adtte: pd.DataFrame, study: Study, paramcd: str, pooled: bool = False) -> pd.DataFrame:
    """Every standard number of one endpoint: quantiles, fixed times, ranges, follow-up and the two-arm contrast.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str
        Endpoint code, such as `TTRLP`.
    pooled : bool
        Give the arm-wise numbers for all arms together as well, as arm `all`.

    Returns
    -------
    DataFrame
        Results, analyses `km`, `range`, `followup`, `logrank`, `cox`, `ph`; empty when the cohort lacks the endpoint,
        without the contrast when it has not two arms. Times in days, probabilities as fractions.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="week", fixed_times=(1,))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": [7, 14, 21, 28],
    ...                      "CNSR": 0, "ENTRYDY": 0})
    >>> results.pick(analyse(rows, one, "TTRLP"), "km.TTRLP.all.A.median")["display"]
    '2.5 weeks (95% CI 1.0 to not reached)'
    """
    data = endpoint(adtte, paramcd)
    rows = []
    groups = by_arm(data, study)
    if pooled and len(groups) > 1:
        groups["all"] = data
    for arm, group in groups.items():
        rows += _curve_rows("km", paramcd, arm, group, study) + _range_rows(paramcd, arm, group, study)
        rows.append(_time_row("followup", paramcd, arm, "median", curves.follow_up(group), group, study,
                              "reverse Kaplan-Meier"))
    if study.contrast and data["arm"].nunique() == 2:
        rows += _contrast_rows(paramcd, data, study)
    return results.frame(rows)


def analyse_truncated(adtte: pd.DataFrame, study: Study, paramcd: str = "OSDX") -> pd.DataFrame:
    """The same endpoint with patients at risk only from the start of their observation.

    Parameters
    ----------
    adtte : DataFrame
    study : Study
    paramcd : str
        Endpoint whose clock starts before observation does.

    Returns
    -------
    DataFrame
        Results, analyses `km_truncated` and `cox_truncated`; empty when nobody entered late.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), fixed_times=(1,))
    >>> rows = pd.DataFrame({"USUBJID": list("ab"), "TRT01A": "A", "PARAMCD": "OSDX", "AVAL": [700, 900], "CNSR": 0,
    ...                      "ENTRYDY": [300, 800]})
    >>> results.pick(analyse_truncated(rows, one), "km_truncated.OSDX.all.A.median")["display"]
    '1.92 years (95% CI not estimable)'
    """
    data = endpoint(adtte, paramcd)
    if not (data["entry"] > 0).any():
        return results.frame([])
    rows = []
    for arm, group in by_arm(data[data["entry"] < data["time"]], study).items():
        rows += _curve_rows("km_truncated", paramcd, arm, group, study, truncated=True)
    if study.contrast and data["arm"].nunique() == 2:
        found = models.cox(data, study.reference, truncated=True)
        rows += _ratio_rows("cox_truncated", paramcd, study, found, data[data["entry"] < data["time"]], TRUNCATED)
    return results.frame(rows)


def analyse_competing(adtte: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cumulative incidence of relapse and of death in remission at the fixed times, and Gray's tests.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte` with endpoint TTRLP.
    study : Study

    Returns
    -------
    DataFrame
        Results, analyses `cif` (fractions) and `gray`; empty when the cohort lacks the endpoint.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="day", fixed_times=(2,))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": [1, 2, 3, 4],
    ...                      "CNSR": [0, 2, 0, 1], "ENTRYDY": 0})
    >>> analyse_competing(rows, one)["value"].tolist()
    [0.25, 0.25]
    """
    data = endpoint(adtte, "TTRLP")
    rows = []
    for arm, group in by_arm(data, study).items():
        curve = competing.cumulative_incidence(group)
        for label, days in fixed_times(study).items():
            for cause, name in CAUSES.items():
                found = competing.incidence_at(group, curve, cause, days)
                rows.append(_probability_row("cif", "TTRLP", arm, f"{name}[{label}]", found, group,
                                             int((group["code"] == cause).sum()),
                                             "Aalen-Johansen; 95% interval log-log"))
    if study.contrast and data["arm"].nunique() == 2:
        for cause, name in CAUSES.items():
            rows += _test_rows("gray", "TTRLP", study, competing.gray(data, cause), data,
                               int((data["code"] == cause).sum()), "Gray's test", f"{name}_")
    return results.frame(rows)


def _curve_rows(analysis, paramcd, arm, group, study, truncated=False) -> list[dict]:
    curve = curves.kaplan_meier(group, truncated)
    words = TRUNCATED if truncated else ""
    times = [_time_row(analysis, paramcd, arm, name, curves.quantile(curve, probability), group, study,
                       KM_QUANTILE + words)
             for name, probability in (("median", 0.5), ("q25", 0.25), ("q75", 0.75))]
    fixed = [_probability_row(analysis, paramcd, arm, f"survival[{label}]", curves.survival_at(curve, days), group,
                              int(group["event"].sum()), KM_FIXED + words)
             for label, days in fixed_times(study).items()]
    return times + fixed


def _range_rows(paramcd, arm, group, study) -> list[dict]:
    rows = []
    for name, (how, events_only, words) in RANGES.items():
        times = group.loc[group["event"], "time"] if events_only else group["time"]
        days = float(times.agg(how)) if len(times) else math.nan
        shown = "no events" if math.isnan(days) else wording.duration(days, study.report_unit)
        rows.append(results.row("range", paramcd, "all", arm, name, days, unit="d", n=len(group),
                                events=int(group["event"].sum()), method=words, display=shown))
    return rows


def _contrast_rows(paramcd, data, study) -> list[dict]:
    test = comparisons.logrank(data, study.reference)
    rows = _test_rows("logrank", paramcd, study, test, data, int(data["event"].sum()), "log-rank test, two-sided")
    rows += _ratio_rows("cox", paramcd, study, models.cox(data, study.reference), data)
    chi2, p = models.proportional_hazards(data, study.reference)
    check = comparisons.Test(chi2, p, "" if p == p else "no hazard ratio to check")
    return rows + _test_rows("ph", paramcd, study, check, data, int(data["event"].sum()),
                             "Grambsch-Therneau test of proportional hazards, Kaplan-Meier time")


def _time_row(analysis, paramcd, arm, name, found, group, study, method) -> dict:
    return results.row(analysis, paramcd, "all", arm, name, found.value, lower=found.lower, upper=found.upper, unit="d",
                       n=len(group), events=int(group["event"].sum()), method=method,
                       display=wording.duration_interval(found, study.report_unit))


def _probability_row(analysis, paramcd, arm, name, found, group, events, method) -> dict:
    return results.row(analysis, paramcd, "all", arm, name, found.value, lower=found.lower, upper=found.upper,
                       unit="probability", n=len(group), events=events, method=method,
                       display=wording.percent_interval(found, "not estimable: after the last follow-up"))


def _test_rows(analysis, paramcd, study, test, data, events, method, prefix="") -> list[dict]:
    common = {"n": len(data), "events": events, "method": method}
    shown = "not estimable" if math.isnan(test.chi2) else f"{test.chi2:.3f}"
    return [results.row(analysis, paramcd, "all", study.contrast, f"{prefix}chi2", test.chi2, unit="chi2",
                        display=shown, **common),
            results.row(analysis, paramcd, "all", study.contrast, f"{prefix}p", test.p, unit="p",
                        display=wording.p_value(test.p, test.note), **common)]


def _ratio_rows(analysis, paramcd, study, found, data, words="") -> list[dict]:
    common = {"n": len(data), "events": int(data["event"].sum())}
    shown = wording.ratio_interval(found.value, found.lower, found.upper, found.note)
    return [results.row(analysis, paramcd, "all", study.contrast, "HR", found.value, lower=found.lower,
                        upper=found.upper, unit="HR", display=shown,
                        method=f"Cox model, Efron ties; Wald 95% interval{words}", **common),
            results.row(analysis, paramcd, "all", study.contrast, "p", found.p, unit="p",
                        method=f"Cox model, Efron ties; Wald test{words}", display=wording.p_value(found.p, found.note),
                        **common)]
