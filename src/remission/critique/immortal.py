"""Immortal time: what part of survival from diagnosis was survived by design, before anybody could be observed."""

from __future__ import annotations

import math

import pandas as pd

from remission import results
from remission.critique.layout import display, lay_out
from remission.estimators import comparisons, curves, models, wording
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint, fixed_times

#: Clocks: key, words, endpoint, whether patients count as at risk only from their entry.
CLOCKS = {"naive": ("from diagnosis, naive", "OSDX", False),
          "truncated": ("from diagnosis, at risk from entry", "OSDX", True),
          "origin": ("from the time origin", "OSMT", False)}


def analyse(adtte: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Guaranteed time by arm, and survival under three clocks side by side.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte` with endpoints OSDX (with its entry times) and OSMT; times in days.
    study : Study

    Returns
    -------
    DataFrame
        Results, analysis `immortal`: guaranteed days (median, range in lower and upper), their share of all days
        observed and of the naive median; under each clock medians, survival at the fixed times and, with two arms, the
        hazard ratio and log-rank p. Empty when nobody entered late.

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), fixed_times=(1,), report_unit="day")
    >>> rows = pd.DataFrame({"USUBJID": list("abc"), "TRT01A": "A", "PARAMCD": "OSDX", "AVAL": [400, 600, 800],
    ...                      "CNSR": 0, "ENTRYDY": [200, 300, 400]})
    >>> results.pick(analyse(rows, one), "immortal.OSDX.all.A.share_of_median")["display"]
    '50.0%'
    """
    data = endpoint(adtte, "OSDX")
    if data.empty or not (data["entry"] > 0).any():
        return results.frame([])
    rows = [row for arm, group in by_arm(data, study).items() for row in _guaranteed(arm, group, study)]
    for clock, (words, paramcd, truncated) in CLOCKS.items():
        if (adtte["PARAMCD"] == paramcd).any():
            rows += _clock_rows(clock, words, paramcd, truncated, endpoint(adtte, paramcd), study)
    return results.frame(rows)


def _guaranteed(arm: str, group: pd.DataFrame, study: Study) -> list[dict]:
    entry = group["entry"].clip(upper=group["time"])
    naive = curves.quantile(curves.kaplan_meier(group)).value
    shares = {"share_of_time": (entry.sum() / group["time"].sum(), "guaranteed days over all days since diagnosis"),
              "share_of_median": (entry.median() / naive, "median guaranteed time over the naive median survival")}
    common = {"n": len(group), "events": int(group["event"].sum())}
    low, middle, high = (wording.duration(float(value), study.report_unit, with_unit=number == 1)
                         for number, value in enumerate((entry.min(), entry.median(), entry.max())))
    return [results.row("immortal", "OSDX", "all", arm, "guaranteed", float(entry.median()), lower=float(entry.min()),
                        upper=float(entry.max()), unit="d", display=f"{middle} ({low} to {high})",
                        method="median, lower and upper: range, from diagnosis to the start of observation", **common),
            *(results.row("immortal", "OSDX", "all", arm, name, value, unit="probability", method=words,
                          display="not estimable: median not reached" if math.isnan(value)
                          else f"{wording.percent(value)}%", **common)
              for name, (value, words) in shares.items())]


def _clock_rows(clock: str, words: str, paramcd: str, truncated: bool, data: pd.DataFrame, study: Study) -> list[dict]:
    rows = []
    if truncated:
        data = data[data["entry"] < data["time"]]
    for arm, group in by_arm(data, study).items():
        curve = curves.kaplan_meier(group, truncated)
        common = {"n": len(group), "events": int(group["event"].sum())}
        median = curves.quantile(curve)
        rows.append(results.row("immortal", paramcd, "all", arm, f"median[{clock}]", median.value, lower=median.lower,
                                upper=median.upper, unit="d", display=wording.duration_interval(
                                    median, study.report_unit), method=f"Kaplan-Meier {words}; 95% interval log-log",
                                **common))
        for label, days in fixed_times(study).items():
            found = curves.survival_at(curve, days)
            rows.append(results.row("immortal", paramcd, "all", arm, f"survival[{label}, {clock}]", found.value,
                                    lower=found.lower, upper=found.upper, unit="probability",
                                    display=wording.percent_interval(found, "not estimable: after the last follow-up"),
                                    method=f"Kaplan-Meier {words}; 95% interval log-log", **common))
    if study.contrast and data["arm"].nunique() == 2:
        rows += _contrast_rows(clock, words, paramcd, truncated, data, study)
    return rows


def _contrast_rows(clock, words, paramcd, truncated, data, study) -> list[dict]:
    common = {"n": len(data), "events": int(data["event"].sum())}
    ratio = models.cox(data, study.reference, truncated)
    rows = [results.row("immortal", paramcd, "all", study.contrast, f"HR[{clock}]", ratio.value, lower=ratio.lower,
                        upper=ratio.upper, unit="HR", method=f"Cox model {words}, Efron ties; Wald 95% interval",
                        display=wording.ratio_interval(ratio.value, ratio.lower, ratio.upper, ratio.note), **common)]
    test = comparisons.weighted_logrank(data, study.reference, truncated=truncated)
    return [*rows, results.row("immortal", paramcd, "all", study.contrast, f"p[{clock}]", test.p, unit="p",
                               method=f"log-rank test {words}, two-sided",
                               display=wording.p_value(test.p, test.note), **common)]


def guaranteed_table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Time survived by design: a line a statistic, a column an arm.

    Examples
    --------
    >>> from remission.study import Arm
    >>> guaranteed_table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    return lay_out(rows, {"guaranteed": "survived by design, median (range)",
                          "share_of_median": "share of the naive median survival",
                          "share_of_time": "share of all days since diagnosis"}, study.arm_keys)


def table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Three clocks one below the other: a line a clock and arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study

    Returns
    -------
    DataFrame
        `clock`, `arm`, `median`, survival at the fixed times, hazard ratio and log-rank test in the line of the arm in
        the numerator; no rows without late entry.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    shown = {(row.statistic, row.arm): row.display for row in rows.itertuples()}
    lines = []
    for clock, (words, _, _) in CLOCKS.items():
        for arm in study.arm_keys:
            if (f"median[{clock}]", arm) not in shown:
                continue
            line = {"clock": words, "arm": arm, "median": shown[f"median[{clock}]", arm]}
            line |= {label: shown[f"survival[{label}, {clock}]", arm] for label in fixed_times(study)}
            if (f"HR[{clock}]", study.contrast) in shown:
                mine = arm != study.reference
                line |= {"hazard ratio": shown[f"HR[{clock}]", study.contrast] if mine else "1",
                         "log-rank test": shown[f"p[{clock}]", study.contrast] if mine else ""}
            lines.append(line)
    return pd.DataFrame(lines, columns=None if lines else ["clock"])


def sentence(rows: pd.DataFrame, study: Study) -> str:
    """Say how much of survival from diagnosis was guaranteed, and what it does to the comparison.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study

    Returns
    -------
    str
        Markdown; one reason where there is no such time.

    Examples
    --------
    >>> from remission.study import Arm
    >>> sentence(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*No survival from diagnosis with a later start of observation: no time is survived by design.*'
    """
    if rows.empty:
        return "*No survival from diagnosis with a later start of observation: no time is survived by design.*"
    said = []
    for arm in study.arm_keys:
        stem = f"immortal.OSDX.all.{arm}"
        if display(rows, f"{stem}.guaranteed") is None:
            continue
        early = [label for label, days in fixed_times(study).items()
                 if days <= results.pick(rows, f"{stem}.guaranteed")["upper"]]
        said.append(f"**{arm}.** Survived by design: median {display(rows, f'{stem}.guaranteed')} from diagnosis, "
                    f"{display(rows, f'{stem}.share_of_median')} of the naive median survival and "
                    f"{display(rows, f'{stem}.share_of_time')} of all days."
                    + (f" At {early[-1]} from diagnosis some had not even entered." if early else ""))
    ratios = [f"{display(rows, name)} {CLOCKS[clock][0]}" for clock, name in (
        (clock, f"immortal.{CLOCKS[clock][1]}.all.{study.contrast}.HR[{clock}]") for clock in CLOCKS)
        if display(rows, name) is not None]
    if ratios:
        said.append(f"Hazard ratio, {study.contrast}: {'; '.join(ratios)}.")
    return " ".join(said)
