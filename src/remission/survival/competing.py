"""Competing risks: cumulative incidence of relapse and of death in remission."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from comprisk import CumulativeIncidence, gray_test
from scipy.stats import norm

from remission.estimators.comparisons import Test
from remission.estimators.curves import Estimate
from remission.survival.endpoints import CAUSES

CURVE_COLUMNS = ["cause", "time", "incidence", "variance", "lower", "upper"]


def cumulative_incidence(data: pd.DataFrame) -> pd.DataFrame:
    """Aalen-Johansen cumulative incidence of every cause in one group.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `code` (0 censored, 1 relapse, 2 death in remission); one group.

    Returns
    -------
    DataFrame
        One row a cause and time at which it happened: `cause`, `time`, `incidence`, `variance`, `lower`, `upper`.

    Source
    ------
    Estimate and variance: those of R's `cmprsk::cuminc`. Interval: F ** exp(+-z * se / (F * log F)), Choudhury,
    Stat Med 2002;21:1129.

    Examples
    --------
    >>> rows = pd.DataFrame({"time": [1, 2, 3, 4], "code": [1, 2, 1, 0]})
    >>> cumulative_incidence(rows)[["cause", "time", "incidence"]].values.tolist()
    [[1.0, 1.0, 0.25], [1.0, 3.0, 0.5], [2.0, 2.0, 0.25]]
    """
    if data.empty:
        return pd.DataFrame(columns=CURVE_COLUMNS, dtype=float)
    fit = CumulativeIncidence(cause_codes=list(CAUSES)).fit(data["time"].to_numpy(float), data["code"].to_numpy())
    made = pd.concat([pd.DataFrame({"cause": cause, "time": curve.times, "incidence": curve.cif, "variance": curve.var})
                      for (_, cause), curve in fit.curves_.items()], ignore_index=True)
    return made.assign(**_interval(made["incidence"].to_numpy(), made["variance"].to_numpy()))


def _interval(incidence: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
    """Log-log limits; undefined at 0 and 1."""
    inside = (incidence > 0) & (incidence < 1)
    value = np.where(inside, incidence, 0.5)
    half = norm.ppf(0.975) * np.sqrt(variance) / (value * np.log(value))
    return {"lower": np.where(inside, value ** np.exp(-half), np.nan),
            "upper": np.where(inside, value ** np.exp(half), np.nan)}


def incidence_at(data: pd.DataFrame, curve: pd.DataFrame, cause: int, time: float) -> Estimate:
    """Cumulative incidence of one cause at one time; an event at exactly that time counts.

    Parameters
    ----------
    data, curve : DataFrame
        The group's rows, and `cumulative_incidence` of them.
    cause : int
        1 relapse, 2 death in remission.
    time : float
        Days.

    Returns
    -------
    Estimate
        Probability; NaN after the last follow-up while somebody could still have an event.

    Examples
    --------
    >>> rows = pd.DataFrame({"time": [1, 2, 3, 4], "code": [1, 2, 1, 0]})
    >>> incidence_at(rows, cumulative_incidence(rows), 1, 2).value
    0.25
    """
    last = data["time"].max()
    if data.empty or (time > last and (data.loc[data["time"] == last, "code"] == 0).any()):
        return Estimate(math.nan, math.nan, math.nan)
    mine = curve[(curve["cause"] == cause) & (curve["time"] <= time)]
    if mine.empty:
        return Estimate(0.0, math.nan, math.nan)
    return Estimate(*map(float, mine.iloc[-1][["incidence", "lower", "upper"]]))


def gray(data: pd.DataFrame, cause: int) -> Test:
    """Gray's test of equal cumulative incidence of one cause.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two or more arms.
    cause : int
        1 relapse, 2 death in remission.

    Returns
    -------
    Test
        Chi-squared on (arms - 1) degrees of freedom; NaN with a note when the cause did not happen.

    Source
    ------
    Gray, Ann Stat 1988;16:1141. R: `cmprsk::cuminc(time, code, arm)$Tests`.

    Examples
    --------
    >>> gray(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "code": [1, 1]}), 2).note
    'nobody had this event'
    """
    if data["arm"].nunique() < 2:
        return Test(math.nan, math.nan, "two arms are needed")
    if not (data["code"] == cause).any():
        return Test(math.nan, math.nan, "nobody had this event")
    found = gray_test(data["time"].to_numpy(float), data["code"].to_numpy(), data["arm"].to_numpy(str), cause=cause)
    if not np.all(np.diag(found.var) > 0):
        return Test(math.nan, math.nan, "the test's variance is zero")
    return Test(found.stat, found.pvalue)
