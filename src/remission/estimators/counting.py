"""Follow-up cut into records (start, stop]: what changes over time is constant within each, and known at its start."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission.estimators import comparisons, partial
from remission.estimators.comparisons import Test
from remission.estimators.models import HazardRatio

COLUMNS = ["patient", "arm", "start", "stop", "event"]


def whole(data: pd.DataFrame) -> pd.DataFrame:
    """One record a patient, from the origin to the end of observation.

    Parameters
    ----------
    data : DataFrame
        `patient`, `arm`, `time` (days), `event` (bool), and whatever else is known at the origin.

    Returns
    -------
    DataFrame
        The same with `start` and `stop` for `time`. Patients without any time at risk have no record.

    Examples
    --------
    >>> whole(pd.DataFrame({"patient": ["a", "b"], "arm": "A", "time": [0, 9], "event": True}))["stop"].tolist()
    [9]
    """
    return data[data["time"] > 0].assign(start=0).rename(columns={"time": "stop"}).reset_index(drop=True)


def turning(data: pd.DataFrame, turned: pd.Series, name: str) -> pd.DataFrame:
    """Cut each patient's follow-up on the day on which something became known for good.

    Parameters
    ----------
    data : DataFrame
        `patient`, `arm`, `time` (days), `event` (bool).
    turned : Series
        Day by patient; absent or NaN where it never happened.
    name : str
        Column that holds 0 before and 1 after.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `start`, `stop`, `event` and `name`. The day itself still belongs to the time before: what
        was found on a day governs the days after it.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient": ["a"], "arm": "A", "time": [9], "event": True})
    >>> turning(rows, pd.Series({"a": 4}), "x")[["start", "stop", "event", "x"]].values.tolist()
    [[0, 4, False, 0], [4, 9, True, 1]]
    """
    records = whole(data)
    day = records["patient"].map(turned).astype(float).clip(lower=0)
    cut = day < records["stop"]
    before = records.assign(stop=np.where(cut, day, records["stop"]), event=records["event"] & ~cut, **{name: 0})
    after = records.assign(start=day, **{name: 1})[cut]
    made = pd.concat([before[before["start"] < before["stop"]], after])
    made = made.astype({"start": "int64", "stop": "int64", "event": bool})
    return made.sort_values(["patient", "start"], kind="stable")[[*COLUMNS, name]].reset_index(drop=True)


def lagged(records: pd.DataFrame, days: int, end: pd.Series) -> pd.DataFrame:
    """Let every state govern some days later than it was known, so that no record speaks for the days just after it.

    Parameters
    ----------
    records : DataFrame
        `patient`, `start`, `stop`, `event` and states; a first `start` before day 0 is the day on which its state was
        found.
    days : int
        Delay, perhaps 0.
    end : Series
        Day on which each patient's follow-up ends.

    Returns
    -------
    DataFrame
        Records moved by `days` and cut at day 0 and at the end of follow-up, at which the event stays. A patient
        enters when the first state has become old enough.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient": "a", "start": [0, 50], "stop": [50, 90], "event": [False, True], "x": [0, 1]})
    >>> lagged(rows, 45, pd.Series({"a": 90}))[["start", "stop", "event", "x"]].values.tolist()
    [[45, 90, True, 0]]
    """
    last = records["patient"].map(end)
    failed = records.groupby("patient")["event"].transform("any")
    made = records.assign(start=(records["start"] + days).clip(lower=0), stop=(records["stop"] + days).clip(upper=last))
    made = made.assign(event=failed & (made["stop"] == last))
    return made[made["start"] < made["stop"]].reset_index(drop=True)


def hazard_ratio(records: pd.DataFrame, covariates: list[str], strata: str | None = None,
                 method: str = "firth") -> HazardRatio:
    """Hazard ratio per unit of the first covariate: Cox model on records (start, stop], Efron ties.

    Parameters
    ----------
    records : DataFrame
        `start`, `stop` (days), `event` (bool) and the covariates; several records a patient are allowed, as long as
        they do not overlap.
    covariates : list of str
        The ratio is of the first, adjusted for the others.
    strata : str, optional
        Column whose values have baseline hazards of their own.
    method : str
        `firth` (profile penalised likelihood), `profile` or `wald`.

    Returns
    -------
    HazardRatio
        NaN with a note where nothing can be estimated.

    Source
    ------
    Andersen and Gill, Ann Stat 1982;10:1100. R: `coxph(Surv(start, stop, event) ~ x + strata(s))`.

    Examples
    --------
    >>> rows = pd.DataFrame({"start": [0, 1, 0], "stop": [1, 3, 2], "event": [False, True, True], "x": [0, 1, 0]})
    >>> round(hazard_ratio(rows, ["x"]).value, 6)  # one informative event, not in x: 1 / 2 = 2 r / (1 + r)
    0.333333
    """
    if records.empty:
        return HazardRatio(*[math.nan] * 4, "no follow-up")
    given = partial.prepare(records["stop"], records["event"], records[covariates], start=records["start"],
                            strata=None if strata is None else records[strata])
    return partial.ratio(given, method)


def logrank(records: pd.DataFrame, group: str, strata: str | None = None) -> Test:
    """Two-sided log-rank test of two groups between which patients may move, perhaps stratified.

    Parameters
    ----------
    records : DataFrame
        `start`, `stop` (days), `event` (bool).
    group : str
        Column of 0 and 1.
    strata : str, optional
        Column within whose values patients are compared.

    Returns
    -------
    Test
        Chi-squared on one degree of freedom; `score` is observed minus expected events of group 1.

    Source
    ------
    Mantel and Byar, JASA 1974;69:81. Without movement, R: `survdiff(Surv(time, event) ~ group + strata(s))`.

    Examples
    --------
    >>> rows = pd.DataFrame({"start": 0, "stop": [1, 2, 3, 4], "event": True, "g": [0, 0, 1, 1]})
    >>> round(logrank(rows, "g").chi2, 3)
    2.882
    """
    data = pd.DataFrame({"arm": np.where(records[group] == 1, "1", "0"), "time": records["stop"],
                         "event": records["event"], "entry": records["start"]})
    if strata is None:
        test = comparisons.logrank(data, "0", truncated=True)
    else:
        test = comparisons.stratified_logrank(data.assign(within=records[strata]), "0", "within", truncated=True)
    return test._replace(note=test.note.replace("arm", "group"))
