"""Restricted mean survival time (RMST): the area below a Kaplan-Meier curve up to a horizon fixed beforehand."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from remission.estimators import curves
from remission.estimators.comparisons import Difference, split
from remission.estimators.level import Z


class Mean(NamedTuple):
    """A restricted mean with its 95% interval and standard error; `note` says why a number is missing."""

    value: float
    lower: float
    upper: float
    se: float
    note: str = ""


def restricted_mean(data: pd.DataFrame, tau: float) -> Mean:
    """Mean time free of the event within the first `tau` days: the area below the Kaplan-Meier curve.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; one group.
    tau : float
        Horizon in days, fixed before looking at the data.

    Returns
    -------
    Mean
        Days. Greenwood standard error, normal interval cut at 0 and tau. All NaN with a note where the horizon lies
        beyond the last follow-up of a curve above zero; the limits alone NaN with a note where nobody had the event.

    Raises
    ------
    ValueError
        When tau is not above zero.

    Notes
    -----
    Variance: the sum over event times of (area from there to tau) ** 2 * d / (n * (n - d)).

    Source
    ------
    Klein and Moeschberger, Survival Analysis, 2nd ed. 2003, section 4.5; Royston and Parmar, BMC Med Res Methodol
    2013;13:152. R: `summary(survfit(Surv(time, event) ~ 1), rmean = tau)$table`.

    Examples
    --------
    >>> found = restricted_mean(pd.DataFrame({"time": [1, 2, 3, 4], "event": True}), 3)
    >>> found.value, round(found.se, 4)  # 1 + 3 / 4 + 1 / 2; the standard error of min(time, 3): sqrt(11 / 64)
    (2.25, 0.4146)
    """
    if not tau > 0:
        raise ValueError(f"the horizon must lie above zero, not at {tau}")
    curve = curves.kaplan_meier(data)
    if math.isnan(curves.survival_at(curve, tau).value):
        why = "no patients" if curve.empty else (f"follow-up ends at day {curve['time'].iloc[-1]:.0f}, before the "
                                                 f"horizon at day {tau:.0f}")
        return Mean(*[math.nan] * 4, why)
    inside = curve[curve["time"] < tau]
    steps = np.concatenate([[1.0], inside["survival"]])
    areas = steps * np.diff(np.concatenate([[0.0], inside["time"], [tau]]))
    # From each time on: what is left of the area after it.
    ahead = np.cumsum(areas[::-1])[::-1][1:]
    value, se = float(areas.sum()), math.sqrt(float(ahead**2 @ curves.greenwood(inside)))
    if se == 0:
        return Mean(value, math.nan, math.nan, se, f"no event before the horizon at day {tau:.0f}: no interval")
    return Mean(value, max(value - Z * se, 0.0), min(value + Z * se, float(tau)), se)


def rmst_difference(data: pd.DataFrame, reference: str, tau: float) -> Difference:
    """Difference of two restricted means, other arm minus reference arm.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm subtracted.
    tau : float
        Horizon in days, fixed before looking at the data.

    Returns
    -------
    Difference
        Days, normal interval and two-sided p; the variance is the sum of the arms'. NaN with a note where an arm has no
        mean or the variance is zero.

    Raises
    ------
    ValueError
        When tau is not above zero.

    Source
    ------
    Royston and Parmar, BMC Med Res Methodol 2013;13:152. R: the two rows of
    `summary(survfit(Surv(time, event) ~ arm), rmean = tau)$table`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [1, 2, 3, 4], "event": True})
    >>> round(rmst_difference(rows, "A", 4).value, 2)
    2.0
    """
    means = {arm: restricted_mean(mine, tau) for arm, mine in split(data, reference).items()}
    if not means:
        return Difference(*[math.nan] * 4, "two arms are needed")
    for arm, mean in means.items():
        if math.isnan(mean.value):
            return Difference(*[math.nan] * 4, f"{arm}: {mean.note}")
    other, control = means.values()
    value, se = other.value - control.value, math.hypot(other.se, control.se)
    if se == 0:
        return Difference(value, math.nan, math.nan, math.nan, f"no event before the horizon at day {tau:.0f}")
    return Difference(value, value - Z * se, value + Z * se, float(2 * ndtr(-abs(value) / se)))
