"""One patient at a time: the hazard ratio and the p-value with each patient left out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission import batch, results
from remission.estimators import comparisons, wording
from remission.study import Study
from remission.survival.endpoints import endpoint
from remission.survival.exact import arrays, steady, title

THRESHOLD = 0.05
#: Above this many patients nobody is left out: the work grows with the square of it.
MOST_PATIENTS = 2000
#: Up to this many patients every cohort with one left out has its exact permutation test: some 20 ms each.
MOST_COUNTED = 35
COLUMNS = ["endpoint", "left_out", "arm", "time", "event", "HR", "p", "exact_p", "note"]


def leave_one_out(adtte: pd.DataFrame, study: Study, paramcd: str) -> pd.DataFrame:
    """Hazard ratio and log-rank p with each patient left out in turn.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str

    Returns
    -------
    DataFrame
        One row a patient and a first one, `left_out` empty, for everybody together: `arm`, `time` (days) and `event` of
        the patient; `HR` of the remaining ones (Cox model, Efron ties; 0 or infinite where the likelihood has no
        maximum), their log-rank `p`, and `exact_p` of the linear permutation test in cohorts of up to 35.
        No rows without two arms; one row with a `note` when the cohort is too large or there is no test.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": list("AABB"), "PARAMCD": "TTRLP", "CNSR": 0,
    ...                      "AVAL": [3, 4, 1, 2], "ENTRYDY": 0})
    >>> leave_one_out(rows, two, "TTRLP")["p"].round(3).tolist()
    [0.09, 0.225, 0.225, 0.157, 0.157]
    """
    data = endpoint(adtte, paramcd)
    if not study.contrast or data["arm"].nunique() != 2:
        return pd.DataFrame(columns=COLUMNS)
    now = comparisons.logrank(data, study.reference)
    if math.isnan(now.p) or len(data) > MOST_PATIENTS:
        why = now.note or f"more than {MOST_PATIENTS:,} patients: nobody left out"
        return pd.DataFrame([{"endpoint": paramcd, "left_out": "", "p": now.p, "note": why}], columns=COLUMNS)
    time, event, arm = arrays(data, study.reference)
    some = batch.leave_one_out(len(data))
    everybody = pd.DataFrame({"left_out": [""], "HR": np.exp(batch.cox(time, event, arm)[0]), "p": now.p,
                              "exact_p": _exact(time, event, arm)})
    each = pd.DataFrame({
        "left_out": data["patient"], "arm": data["arm"], "time": data["time"], "event": data["event"],
        "HR": np.exp(batch.cox(time[some], event[some], arm[some])[0]),
        "p": batch.logrank(time[some], event[some], arm[some]).p,
        "exact_p": [_exact(time[left], event[left], arm[left]) for left in some]})
    each["note"] = np.where(np.isnan(each["p"]), "no test without this patient", "")
    made = pd.concat([everybody.assign(note=""), each], ignore_index=True)
    return made.assign(endpoint=paramcd)[COLUMNS]


def _exact(time, event, arm) -> float:
    """Exact permutation p of the linear statistic; NaN where it would take too long, or an arm is empty."""
    if len(arm) > MOST_COUNTED or not 0 < arm.sum() < len(arm):
        return math.nan
    return batch.permutation.exact(batch.permutation.scores(time, event), arm).p


def rows(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Results of leaving patients out: the furthest that p and the hazard ratio move.

    Parameters
    ----------
    found : DataFrame
        From `leave_one_out`.
    study : Study

    Returns
    -------
    DataFrame
        Results `influence.<endpoint>.all.<contrast>.min_p`, `max_p`, `min_HR`, `max_HR` and, where they could be
        computed, `min_exact_p` and `max_exact_p`; the patient left out is named in `display`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    made = []
    for name, unit, method in (("p", "p", "log-rank test, two-sided"), ("HR", "HR", "Cox model, Efron ties"),
                               ("exact_p", "p", "exact permutation p of the linear log-rank statistic")):
        each = found[(found["left_out"] != "") & found[name].notna()]
        for end in ("min", "max") if len(each) else ():
            value = float(each[name].astype(float).agg(end))
            same = np.isclose(each[name].astype(float), value, rtol=1e-9, atol=0)
            one = each[same].iloc[0]
            others = {1: "", 2: " or one other"}.get(same.sum(), f" or any of {same.sum() - 1} others")
            made.append(results.row(
                "influence", one["endpoint"], "all", study.contrast, f"{end}_{name}",
                value if math.isfinite(value) else math.nan, unit=unit, n=len(found) - 2,
                method=f"{method}, each patient left out in turn; the {end}imum",
                display=f"{_moved(value, unit)} without {one['left_out']} ({one['arm']}){others}"))
    return results.frame(made)


def _moved(value: float, unit: str) -> str:
    """A p or a hazard ratio, which may be infinite.

    Examples
    --------
    >>> _moved(0.0312, "p"), _moved(0.456, "HR"), _moved(math.inf, "HR")
    ('p = 0.031', '0.46', 'infinite')
    """
    if unit == "p":
        return wording.p_value(value)
    return "infinite" if math.isinf(value) else f"{value:.2f}"


def table(found: pd.DataFrame, study: Study, most: int = 5) -> pd.DataFrame:
    """Everybody, and the patients without whom p is smallest and largest.

    Parameters
    ----------
    found : DataFrame
        From `leave_one_out`.
    study : Study
    most : int
        Patients shown at either end.

    Returns
    -------
    DataFrame
        A line a patient left out, smallest p first, between them the cohort itself.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    if found.empty:
        return pd.DataFrame()
    each = found[found["left_out"] != ""].sort_values("p", kind="stable", key=steady)
    ends = each if len(each) <= 2 * most else pd.concat([each.head(most), each.tail(most)])
    shown = pd.concat([ends, found[found["left_out"] == ""]]).sort_values("p", kind="stable", key=steady)
    return pd.DataFrame([{
        "left out": one.left_out or "nobody", "arm": one.arm if one.left_out else "",
        "time": wording.duration(one.time, study.report_unit) if one.left_out else "",
        "outcome": ("event" if one.event else "censored") if one.left_out else "",
        "hazard ratio": _moved(one.HR, "HR") if one.HR == one.HR else "not estimable",
        "log-rank": wording.p_value(one.p, one.note),
        "exact, linear": wording.p_value(one.exact_p) if one.exact_p == one.exact_p else ""}
        for one in shown.itertuples()])


def reading(found: pd.DataFrame, study: Study) -> str:
    """Read the influence of single patients aloud.

    Parameters
    ----------
    found : DataFrame
        From `leave_one_out`.
    study : Study

    Returns
    -------
    str
        Markdown; one line where there is no comparison of two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> reading(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*No two arms to compare: nobody to leave out.*'
    """
    if found.empty:
        return "*No two arms to compare: nobody to leave out.*"
    everybody, each = found.iloc[0], found.iloc[1:]
    label = title(study, everybody["endpoint"])
    if each.empty:
        return f"**{label}.** Nobody was left out: {everybody['note']}."
    if each["p"].isna().all():
        return f"**{label}.** {wording.p_value(everybody['p'])} (log-rank); without any one patient there is no test."
    shown = {row["statistic"]: row["display"] for row in rows(found, study).to_dict("records")}
    words = (f"**{label}.** With everybody the hazard ratio is {_moved(everybody['HR'], 'HR')} and the log-rank test "
             f"gives {wording.p_value(everybody['p'])}. With one patient left out, the test gives between "
             f"{shown['min_p']} and {shown['max_p']}")
    if "min_HR" in shown:
        words += f", and the hazard ratio lies between {shown['min_HR']} and {shown['max_HR']}"
    across = int(((each["p"] < THRESHOLD) != (everybody["p"] < THRESHOLD))[each["p"].notna()].sum())
    crossing = (f"For {across} of {len(each)} patients, leaving that one out takes p across 0.05." if across else
                "No single patient takes p across 0.05.")
    return f"{words}.{_mover(everybody, each, study)} {crossing}"


def _mover(everybody: pd.Series, each: pd.DataFrame, study: Study) -> str:
    """Who moves the hazard ratio most; nothing where it is not a number."""
    ratios = each["HR"].astype(float)
    each = each[np.isfinite(ratios) & (ratios > 0)]
    if each.empty or not 0 < everybody["HR"] < math.inf:
        return ""
    shift = np.round(np.abs(np.log(each["HR"].astype(float)) - math.log(everybody["HR"])), 9)
    one = each.loc[shift.idxmax()]
    return (f" {one['left_out']} moves it most ({one['arm']}, {wording.duration(one['time'], study.report_unit)}, "
            f"{'event' if one['event'] else 'censored'}).")
