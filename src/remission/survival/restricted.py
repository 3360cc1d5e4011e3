"""Result rows of restricted mean times and of milestones: the two contrasts that need no proportional hazards."""

from __future__ import annotations

import pandas as pd

from remission import results
from remission.estimators import milestone, restricted, wording
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint, fixed_times, rmst_times
from remission.survival.tables import WITHOUT_EVENT

MEAN = "area under the Kaplan-Meier curve up to the horizon; normal 95% interval"
DIFFERENCE = "difference of restricted means, {}; variances of the arms added; normal 95% interval"
MILESTONE = ("difference of Kaplan-Meier survival, {}; 95% interval from the arms' log-log limits (MOVER); "
             "test on the complementary log-log scale")


def analyse_restricted(adtte: pd.DataFrame, study: Study, paramcd: str) -> pd.DataFrame:
    """Restricted mean time of each arm, and its difference, up to each horizon of `study.rmst_times`.

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
        Results, analysis `rmst`, in days; the difference is the other arm minus the reference. Empty when the cohort
        lacks the endpoint.

    Source
    ------
    Royston and Parmar, Stat Med 2011;30:2409. R: `print(survfit(...), rmean = tau)`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="day", rmst_times=(4,))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": [1, 2, 3, 4],
    ...                      "CNSR": 0, "ENTRYDY": 0})
    >>> float(results.pick(analyse_restricted(rows, one, "TTRLP"), "rmst.TTRLP.all.A.mean[4 days]")["value"])
    2.5
    """
    data = endpoint(adtte, paramcd)
    rows = []
    for label, days in rmst_times(study).items():
        for arm, group in by_arm(data, study).items():
            found = restricted.restricted_mean(group, days)
            rows.append(_row("rmst", paramcd, arm, f"mean[{label}]", found, group, "d", MEAN,
                             wording.duration_interval(found, study.report_unit, f"not estimable: {found.note}")))
        if study.contrast and data["arm"].nunique() == 2:
            found = restricted.rmst_difference(data, study.reference, days)
            method = DIFFERENCE.format(study.contrast.replace(" vs ", " minus "))
            rows.append(_row("rmst", paramcd, study.contrast, f"difference[{label}]", found, data, "d", method,
                             wording.duration_difference(found, study.report_unit)))
            rows.append(_p_row("rmst", paramcd, study, label, found, data, method))
    return results.frame(rows)


def analyse_milestones(adtte: pd.DataFrame, study: Study, paramcd: str) -> pd.DataFrame:
    """Difference in event-free survival between two arms at each of the study's fixed times.

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
        Results, analysis `milestone`, as fractions, the other arm minus the reference; empty without two arms.

    Source
    ------
    Klein and others, Stat Med 2007;26:4505.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)), report_unit="day", fixed_times=(2,))
    >>> rows = pd.DataFrame({"USUBJID": list("abcdefgh"), "TRT01A": list("AAAABBBB"), "PARAMCD": "TTRLP",
    ...                      "AVAL": [2, 3, 4, 5, 1, 2, 2, 5], "CNSR": 0, "ENTRYDY": 0})
    >>> float(analyse_milestones(rows, two, "TTRLP")["value"][0])
    0.5
    """
    data = endpoint(adtte, paramcd)
    if not study.contrast or data["arm"].nunique() != 2:
        return results.frame([])
    rows, method = [], MILESTONE.format(study.contrast.replace(" vs ", " minus "))
    for label, days in fixed_times(study).items():
        found = milestone.survival_difference(data, study.reference, days)
        rows.append(_row("milestone", paramcd, study.contrast, f"difference[{label}]", found, data, "probability",
                         method, wording.percent_difference(found)))
        rows.append(_p_row("milestone", paramcd, study, label, found, data, method))
    return results.frame(rows)


def restricted_reading(rows: pd.DataFrame, study: Study, paramcd: str) -> str:
    """Read the restricted means of an endpoint aloud, a sentence a horizon.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_restricted`.
    study : Study
    paramcd : str

    Returns
    -------
    str
        Markdown; empty when the cohort lacks the endpoint.

    Examples
    --------
    >>> from remission.study import Arm
    >>> mean = results.row("rmst", "TTRLP", "all", "A", "mean[5 years]", 900, method="", display="2.46 years")
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), rmst_times=(5,))
    >>> restricted_reading(results.frame([mean]), one, "TTRLP")
    'Of the first 5 years, mean time free of relapse: A 2.46 years.'
    """
    shown = dict(zip(rows["result_id"], rows["display"], strict=True))
    said = []
    for label in rmst_times(study):
        means = {arm: shown.get(f"rmst.{paramcd}.all.{arm}.mean[{label}]") for arm in study.arm_keys}
        words = ", ".join(f"{arm} {mean}" for arm, mean in means.items() if mean)
        if not words:
            continue
        stem = f"rmst.{paramcd}.all.{study.contrast}"
        between = shown.get(f"{stem}.difference[{label}]")
        if between:
            p = shown[f"{stem}.p[{label}]"]
            words += f"; difference {between}" + (f", {p}" if p.startswith("p ") else "")
        said.append(f"Of the first {label}, mean time {WITHOUT_EVENT[paramcd]}: {words}.")
    return " ".join(said)


def _row(analysis, paramcd, arm, statistic, found, data, unit, method, shown) -> dict:
    return results.row(analysis, paramcd, "all", arm, statistic, found.value, lower=found.lower, upper=found.upper,
                       unit=unit, n=len(data), events=int(data["event"].sum()), method=method, display=shown)


def _p_row(analysis, paramcd, study, label, found, data, method) -> dict:
    return results.row(analysis, paramcd, "all", study.contrast, f"p[{label}]", found.p, unit="p", n=len(data),
                       events=int(data["event"].sum()), method=method, display=wording.p_value(found.p, found.note))
