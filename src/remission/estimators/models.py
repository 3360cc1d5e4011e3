"""Hazard ratios of two arms: the Cox model with Wald, profile-likelihood and Firth-penalised inference."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pandas as pd
from scipy.special import ndtr
from scipy.stats import chi2

from remission.estimators import efron
from remission.estimators.comparisons import design, incomparable, risk_sets
from remission.estimators.diagnostics import proportional_hazards, schoenfeld
from remission.estimators.level import Z

__all__ = ["HazardRatio", "cox", "cox_profile", "firth", "proportional_hazards", "schoenfeld"]

#: A likelihood falls by this from its maximum to the limits of a 95% interval.
DROP = float(chi2.ppf(0.95, 1)) / 2


class HazardRatio(NamedTuple):
    """Hazard ratio with its 95% interval and p; `note` says why there is no number when there is none."""

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
    why = efron.no_maximum(data, frame)
    if why:
        return HazardRatio(*[math.nan] * 4, why)
    terms = efron.likelihood(risk_sets(frame))
    top = efron.maximum(terms)
    se = 1 / math.sqrt(efron.information(terms, top))
    return HazardRatio(math.exp(top), math.exp(top - Z * se), math.exp(top + Z * se), float(2 * ndtr(-abs(top) / se)))


def cox_profile(data: pd.DataFrame, reference: str, truncated: bool = False) -> HazardRatio:
    """Hazard ratio as in `cox`, with profile-likelihood limits and the likelihood-ratio p.

    Parameters
    ----------
    data, reference, truncated
        As in `cox`.

    Returns
    -------
    HazardRatio
        The limits are the hazard ratios whose likelihood-ratio test just reaches p = 0.05, so interval and p agree;
        NaN with a note as in `cox`.

    Source
    ------
    Venzon and Moolgavkar, Appl Stat 1988;37:87. R: `coxph(..., init = b, iter.max = 0)$loglik` solved for b.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [1, 3, 2, 4], "event": True})
    >>> [round(x, 3) for x in cox_profile(rows, "A")[:4]]
    [0.39, 0.018, 4.185, 0.432]
    """
    frame = design(data, reference, truncated)
    why = efron.no_maximum(data, frame)
    if why:
        return HazardRatio(*[math.nan] * 4, why)
    return _from_likelihood(frame, efron.loglik, penalty=False)


def firth(data: pd.DataFrame, reference: str, truncated: bool = False) -> HazardRatio:
    """Hazard ratio with Firth's penalty: finite, and less biased in small samples, even when one arm has no event.

    Parameters
    ----------
    data, reference, truncated
        As in `cox`.

    Returns
    -------
    HazardRatio
        Efron ties, Jeffreys' penalty, profile penalised-likelihood limits, penalised likelihood-ratio p; NaN with a
        note only when no event fell while both arms were at risk.

    Source
    ------
    Heinze and Schemper, Biometrics 2001;57:114. R: `coxph(..., init = b, iter.max = 0)`, its log likelihood plus half
    the log of its information, maximised over b.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AB"), "time": [1, 2], "event": [True, False]})
    >>> round(firth(rows, "A").value, 6)  # by hand: 1 / 2 = 2 r / (1 + r)
    0.333333
    """
    frame = design(data, reference, truncated)
    why = incomparable(data, frame, risk_sets(frame))
    if why:
        return HazardRatio(*[math.nan] * 4, why)
    return _from_likelihood(frame, efron.penalised, penalty=True)


def _from_likelihood(frame: pd.DataFrame, curve: Callable, penalty: bool) -> HazardRatio:
    """Maximum, limits and test of a likelihood as a function of the log hazard ratio."""
    terms = efron.likelihood(risk_sets(frame))
    top = efron.maximum(terms, penalty)
    lower, upper = efron.limits(partial(curve, terms), top, DROP, 1 / math.sqrt(efron.information(terms, top)))
    statistic = 2 * (curve(terms, top) - curve(terms, 0.0))
    return HazardRatio(math.exp(top), math.exp(lower), math.exp(upper), float(chi2.sf(max(statistic, 0.0), 1)))
