"""Survival of two arms at one time fixed beforehand."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2

from remission.estimators import curves
from remission.estimators.comparisons import Difference, split


class _Arm(NamedTuple):
    survival: curves.Estimate
    hazard: float  # minus log S
    variance: float  # of log(minus log S)


def survival_difference(data: pd.DataFrame, reference: str, time: float) -> Difference:
    """Difference of two Kaplan-Meier estimates at one time, other arm minus reference arm.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm subtracted.
    time : float
        Days, fixed before looking at the data.

    Returns
    -------
    Difference
        As a fraction; the interval combines the arms' log-log limits (so never leaves -1 to 1), the p-value is that of
        the complementary log-log test. NaN with a note after an arm's last follow-up; limits and p NaN with a note
        where an arm's survival is 0 or 1, since there the log-log transform has no variance.

    Source
    ------
    Interval: Zou and Donner, Stat Med 2008;27:1693, after Newcombe, Stat Med 1998;17:873. Test: Klein, Logan, Harhoff
    and Andersen, Stat Med 2007;26:4505. R: from `summary(survfit(...), times = time)`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AAAABBBB"), "time": [1, 2, 3, 4, 2, 4, 6, 8], "event": True})
    >>> [round(x, 3) for x in survival_difference(rows, "A", 3)[:4]]
    [0.5, -0.248, 0.82, 0.183]
    """
    arms = {arm: _arm(mine, time) for arm, mine in split(data, reference).items()}
    if not arms:
        return Difference(*[math.nan] * 4, "two arms are needed")
    other, control = arms.values()
    value = other.survival.value - control.survival.value
    for arm, found in arms.items():
        if math.isnan(found.survival.value):
            return Difference(*[math.nan] * 4, f"{arm}: follow-up ends before day {time:.0f}")
    for arm, found in arms.items():
        if math.isnan(found.variance):
            every = "nobody has" if found.survival.value == 1 else "everybody has"
            return Difference(value, *[math.nan] * 3, f"{arm}: {every} had the event by day {time:.0f}, so no interval")
    (one, one_low, one_high), (zero, zero_low, zero_high) = other.survival, control.survival
    statistic = math.log(other.hazard / control.hazard) ** 2 / (other.variance + control.variance)
    return Difference(value, value - math.hypot(one - one_low, zero_high - zero),
                      value + math.hypot(one_high - one, zero - zero_low), float(chi2.sf(statistic, 1)))


def _arm(data: pd.DataFrame, time: float) -> _Arm:
    """One arm at the time; the variance is NaN where survival is 0, 1 or unknown."""
    curve = curves.kaplan_meier(data)
    survival = curves.survival_at(curve, time)
    if not 0 < survival.value < 1:
        return _Arm(survival, math.nan, math.nan)
    hazard = -math.log(survival.value)
    return _Arm(survival, hazard, float(np.sum(curves.greenwood(curve[curve["time"] <= time]))) / hazard**2)
