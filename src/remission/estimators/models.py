"""Hazard ratios: the Cox model for two arms."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceWarning
from scipy.stats import chi2

from remission.estimators.comparisons import design, risk_sets

#: lifelines stops at the first of three criteria; these make it go on to the last bit (1e-12 stops 3e-7 short).
CONVERGED = {"precision": 1e-16, "r_precision": 1e-16}


class HazardRatio(NamedTuple):
    """Hazard ratio with its 95% Wald interval and p; `note` says why there is no number when there is none."""

    value: float
    lower: float
    upper: float
    p: float
    note: str = ""


def cox(data: pd.DataFrame, reference: str, truncated: bool = False) -> HazardRatio:
    """Hazard ratio of the other arm against the reference arm: Cox model, Efron ties, Wald interval.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm in the denominator.
    truncated : bool
        Count patients as at risk only after `entry`; those who left by then are not counted at all.

    Returns
    -------
    HazardRatio
        NaN with a note when the partial likelihood has no maximum: no events, or every event that could tell the arms
        apart fell in one of them.

    Source
    ------
    Efron, JASA 1977;72:557. R: `coxph(Surv(time, event) ~ arm, ties = "efron")`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [1, 3, 2, 4], "event": True})
    >>> round(cox(rows, "A").value, 4)
    0.3904
    """
    frame = design(data, reference, truncated)
    why = _monotone(frame)
    if why:
        return HazardRatio(*[math.nan] * 4, why)
    with warnings.catch_warnings():
        # A rare event looks like separation to lifelines; separation proper has been excluded just above.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = CoxPHFitter().fit(frame, "time", "event", entry_col="entry" if truncated else None,
                                fit_options=CONVERGED)
    line = fit.summary.loc["other"]
    return HazardRatio(*(float(line[name]) for name in
                         ("exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p")))


def _monotone(frame: pd.DataFrame) -> str:
    """Why the partial likelihood has no maximum, or nothing."""
    if frame["other"].nunique() < 2:
        return "two arms are needed"
    table = risk_sets(frame)
    if table.empty:
        return "no events"
    both = table[(table["at_risk0"] > 0) & (table["at_risk1"] > 0)]
    if both.empty:
        return "no event while both arms were at risk"
    # A time at which a whole arm fails at once still tells the arms apart through the other arm's survivors.
    for arm, words in ((0, "only in the reference arm, so the likelihood pushes the ratio to 0"),
                       (1, "only in the other arm, so the likelihood pushes the ratio to infinity")):
        if both[f"events{1 - arm}"].sum() == 0:
            return f"events while both arms were at risk fell {words}"
    return ""


def proportional_hazards(data: pd.DataFrame, reference: str) -> tuple[float, float]:
    """Test whether the hazard ratio changes with time: Grambsch and Therneau's score test on Kaplan-Meier time.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms, no left truncation.
    reference : str

    Returns
    -------
    tuple of float
        Chi-squared on one degree of freedom and p; NaN where the hazard ratio itself cannot be estimated.

    Source
    ------
    Grambsch and Therneau, Biometrika 1994;81:515. R (survival 3): `cox.zph(coxph(Surv(time, event) ~ arm))`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABBAB"), "time": [1, 3, 2, 4, 6, 5], "event": True})
    >>> 0 < proportional_hazards(rows, "A")[1] < 1
    True
    """
    ratio = cox(data, reference)
    if math.isnan(ratio.value):
        return math.nan, math.nan
    table = risk_sets(design(data, reference, truncated=False))
    at0, at1, ev0, ev1 = (table[name].to_numpy(float) for name in ("at_risk0", "at_risk1", "events0", "events1"))
    deaths = ev0 + ev1
    everyone = data["time"].to_numpy()
    left = len(everyone) - np.searchsorted(np.sort(everyone), table["time"], side="left")
    survival = np.cumprod(1 - deaths / left)
    clock = 1 - np.concatenate([[1.0], survival[:-1]])  # left-continuous Kaplan-Meier time
    score, variance = _efron_moments(at0, at1, ev0, ev1, ratio.value)
    centred = clock - np.average(clock, weights=deaths)
    top = float((centred * score).sum())
    plain, mixed, squared = ((centred**power * variance).sum() for power in (0, 1, 2))
    statistic = top**2 / (squared - mixed**2 / plain)
    return float(statistic), float(chi2.sf(statistic, 1))


def _efron_moments(at0, at1, ev0, ev1, ratio) -> tuple[np.ndarray, np.ndarray]:
    """Observed minus expected events of the other arm, and their variance, at each time, under Efron's ties."""
    score, variance = ev1.copy(), np.zeros_like(ev1)
    for step in range(int((ev0 + ev1).max())):
        use = ev0 + ev1 > step
        share = np.where(use, step / np.maximum(ev0 + ev1, 1), 0)
        one, zero = (at1 - share * ev1) * ratio, at0 - share * ev0
        mean = one / (one + zero)
        score -= np.where(use, mean, 0)
        variance += np.where(use, mean * (1 - mean), 0)
    return score, variance
