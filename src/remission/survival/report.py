"""Result rows of each endpoint: one row a reported number."""

from __future__ import annotations

import math

import pandas as pd

from remission import results
from remission.estimators import comparisons, competing, curves, models, wording
from remission.study import Study
from remission.survival.endpoints import CAUSES, by_arm, endpoint, fixed_times

KM_QUANTILE = "Kaplan-Meier; midpoint of a plateau on the level; Brookmeyer-Crowley 95% interval, log-log"
KM_FIRST = "Kaplan-Meier; other convention: first time at which the curve, or its log-log limit, is one half or less"
KM_FIXED = "Kaplan-Meier; Greenwood 95% interval, log-log"
TRUNCATED = "; at risk only from the start of observation"
#: Weighted log-rank tests: name in the results, weight, and where its emphasis lies.
WEIGHTED = {
    "gehan": ("Gehan", "Gehan's test, weight the number at risk: early differences"),
    "fh10": ((1, 0), "Fleming-Harrington (1, 0), weight S: early differences"),
    "fh01": ((0, 1), "Fleming-Harrington (0, 1), weight 1 - S: late differences"),
    "fh11": ((1, 1), "Fleming-Harrington (1, 1), weight S (1 - S): differences in the middle"),
}
ONE_SIDED = "log-rank test, one-sided: the other arm's events fewer than expected"
COX, FIRTH = "Cox model, Efron ties; {}", "Cox model with Firth's penalty, Efron ties; {}"
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
        Results, analyses `km_truncated`, `logrank_truncated` and `cox_truncated`; empty when nobody entered late.

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
        seen = data[data["entry"] < data["time"]]
        test = comparisons.logrank(data, study.reference, truncated=True)
        rows += _test_rows("logrank_truncated", paramcd, study, test, seen, int(seen["event"].sum()),
                           "log-rank test, two-sided" + TRUNCATED)
        found = models.cox(data, study.reference, truncated=True)
        rows += _ratio_rows("cox_truncated", paramcd, study, found, seen, TRUNCATED)
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


def analyse_cause_specific(adtte: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cause-specific hazard ratio of relapse and of death in remission, the other cause censored.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte` with endpoint TTRLP.
    study : Study

    Returns
    -------
    DataFrame
        Results, analysis `cause_specific`: Cox with a Wald interval, and Firth's version, which exists even where one
        arm has no such event. Empty without two arms.

    Source
    ------
    Prentice and others, Biometrics 1978;34:541. R: `coxph(Surv(time, code == cause) ~ arm)`.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": list("AABB"), "PARAMCD": "TTRLP", "AVAL": [1, 3, 2, 4],
    ...                      "CNSR": [0, 0, 0, 0], "ENTRYDY": 0})
    >>> shown = analyse_cause_specific(rows, two).set_index("statistic")["display"]
    >>> shown["death_in_remission_HR"]
    'not estimable: no events'
    """
    data = endpoint(adtte, "TTRLP")
    rows = []
    for cause, name in CAUSES.items() if study.contrast and data["arm"].nunique() == 2 else ():
        mine = data.assign(event=data["code"] == cause)
        rows += _ratio_rows("cause_specific", "TTRLP", study, models.cox(mine, study.reference), mine,
                            "; the other cause censored", f"{name}_")
        rows += _ratio_rows("cause_specific", "TTRLP", study, models.firth(mine, study.reference), mine,
                            "; the other cause censored", f"{name}_firth_", FIRTH,
                            "penalised profile-likelihood")
    return results.frame(rows)


def analyse_sensitivity(adtte: pd.DataFrame, study: Study, paramcd: str) -> pd.DataFrame:
    """The same contrast by other weights of the log-rank test and by likelihoods that suit a small sample.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str
        Endpoint code, such as `TTRLP`.

    Returns
    -------
    DataFrame
        Results, analyses `weighted_logrank`, `cox_profile` and `firth`; empty without two arms.

    Source
    ------
    Fleming and Harrington, Commun Stat 1981;10:763; Heinze and Schemper, Biometrics 2001;57:114 (Firth).

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": list("AABB"), "PARAMCD": "TTRLP", "AVAL": [1, 3, 2, 4],
    ...                      "CNSR": 0, "ENTRYDY": 0})
    >>> analyse_sensitivity(rows, two, "TTRLP")["analysis"].unique().tolist()
    ['weighted_logrank', 'cox_profile', 'firth']
    """
    data = endpoint(adtte, paramcd)
    if not study.contrast or data["arm"].nunique() != 2:
        return results.frame([])
    rows, events = [], int(data["event"].sum())
    for name, (weight, words) in WEIGHTED.items():
        rows += _test_rows("weighted_logrank", paramcd, study,
                           comparisons.weighted_logrank(data, study.reference, weight), data, events,
                           f"weighted log-rank test, two-sided; {words}", f"{name}_")
    rows += _ratio_rows("cox_profile", paramcd, study, models.cox_profile(data, study.reference), data,
                        kind="profile-likelihood")
    rows += _ratio_rows("firth", paramcd, study, models.firth(data, study.reference), data,
                        method=FIRTH, kind="penalised profile-likelihood")
    return results.frame(rows)


def _curve_rows(analysis, paramcd, arm, group, study, truncated=False) -> list[dict]:
    curve = curves.kaplan_meier(group, truncated)
    words = TRUNCATED if truncated else ""
    times = [_time_row(analysis, paramcd, arm, name, curves.quantile(curve, probability), group, study,
                       KM_QUANTILE + words)
             for name, probability in (("median", 0.5), ("q25", 0.25), ("q75", 0.75))]
    first = curves.quantile(curve, first=True)
    times.append(_time_row(analysis, paramcd, arm, "median_first", first, group, study, KM_FIRST + words))
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
    events = int(data["event"].sum())
    rows = _test_rows("logrank", paramcd, study, test, data, events, "log-rank test, two-sided")
    rows.append(_p_row("logrank", paramcd, study, "p_one_sided", comparisons.one_sided(test), test.note, data, events,
                       ONE_SIDED))
    rows += _ratio_rows("cox", paramcd, study, models.cox(data, study.reference), data)
    check = models.proportional_hazards(data, study.reference)
    return rows + _test_rows("ph", paramcd, study, check, data, events,
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
            _p_row(analysis, paramcd, study, f"{prefix}p", test.p, test.note, data, events, method)]


def _p_row(analysis, paramcd, study, name, p, note, data, events, method) -> dict:
    return results.row(analysis, paramcd, "all", study.contrast, name, p, unit="p", n=len(data), events=events,
                       method=method, display=wording.p_value(p, note))


def _ratio_rows(analysis, paramcd, study, found, data, words="", prefix="", method=COX, kind="Wald") -> list[dict]:
    events = int(data["event"].sum())
    ratio = results.row(analysis, paramcd, "all", study.contrast, f"{prefix}HR", found.value, lower=found.lower,
                        upper=found.upper, unit="HR", n=len(data), events=events,
                        method=method.format(f"{kind} 95% interval") + words,
                        display=wording.ratio_interval(found.value, found.lower, found.upper, found.note))
    test = "likelihood-ratio test" if "profile" in kind else f"{kind} test"
    return [ratio, _p_row(analysis, paramcd, study, f"{prefix}p", found.p, found.note, data, events,
                          method.format(test) + words)]
