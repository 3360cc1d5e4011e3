"""Whether the hazard ratio of two arms changes with time: Schoenfeld residuals and the test on them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import chi2
from statsmodels.nonparametric.smoothers_lowess import lowess

from remission.estimators import efron
from remission.estimators.comparisons import Test, design, pooled_survival, risk_sets

RESIDUAL_COLUMNS = ["time", "clock", "at_risk", "residual", "scaled", "smooth"]
#: Share of the events in each window of the smooth, and the fewest event times that are smoothed at all.
SPAN, FEWEST = 2 / 3, 6


def schoenfeld(data: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Schoenfeld residuals of the Cox model for two arms, with a smooth that estimates the log hazard ratio over time.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms, no left truncation.
    reference : str
        The arm in the denominator of the hazard ratio.

    Returns
    -------
    DataFrame
        One row an event, by time: `time` (days); `clock`, 1 minus the pooled Kaplan-Meier estimate just before it, the
        axis of `proportional_hazards`; `at_risk` in both arms; `residual`, observed minus expected arm (1 the other);
        `scaled`, log hazard ratio plus residual times events times variance; `smooth` of `scaled`: lowess on `clock`
        with span 2/3 and no robustness steps, NaN with fewer than six event times.
        No rows, and the reason in `attrs["note"]`, where the hazard ratio cannot be estimated.

    Notes
    -----
    Residuals of two arms lie on two bands. A robust smooth would follow the fuller band, hence none. A flat smooth at
    the log hazard ratio speaks for proportional hazards.

    Source
    ------
    Schoenfeld, Biometrika 1982;69:239; Grambsch and Therneau, Biometrika 1994;81:515. R: `residuals(coxph(...),
    "schoenfeld")` and `"scaledsch"`, `lowess(clock, scaled, f = 2/3, iter = 0)`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABBAB"), "time": [1, 3, 2, 4, 6, 5], "event": True})
    >>> schoenfeld(rows, "A")[["time", "residual"]].round(2).values.tolist()[:2]
    [[1.0, -0.55], [2.0, 0.35]]
    """
    frame = design(data, reference)
    why = efron.no_maximum(data, frame)
    if why:
        empty = pd.DataFrame(columns=RESIDUAL_COLUMNS, dtype=float)
        empty.attrs["note"] = why
        return empty
    table = risk_sets(frame)
    terms = efron.likelihood(table)
    top = efron.maximum(terms)
    expected = _expected(table, terms, top)[0] / (table["events0"] + table["events1"])
    row = np.repeat(np.arange(len(table)), 2)  # at each time the reference arm's events, then the other arm's
    count = table[["events0", "events1"]].to_numpy().ravel()
    row, arm = np.repeat(row, count), np.repeat(np.tile([0.0, 1.0], len(table)), count)
    residual = arm - expected.to_numpy()[row]
    scaled = top + residual * len(residual) / efron.information(terms, top)
    clock = 1 - pooled_survival(table)[row]
    return pd.DataFrame({"time": table["time"].to_numpy()[row], "clock": clock,
                         "at_risk": (table["at_risk0"] + table["at_risk1"]).to_numpy()[row], "residual": residual,
                         "scaled": scaled, "smooth": _smooth(clock, scaled)})


def proportional_hazards(data: pd.DataFrame, reference: str) -> Test:
    """Test whether the hazard ratio changes with time: Grambsch and Therneau's score test on Kaplan-Meier time.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms, no left truncation.
    reference : str

    Returns
    -------
    Test
        Chi-squared on one degree of freedom and p; NaN with a note where the hazard ratio itself cannot be estimated,
        or where all events that tell the arms apart fell at one time.

    Source
    ------
    Grambsch and Therneau, Biometrika 1994;81:515. R (survival 3): `cox.zph(coxph(Surv(time, event) ~ arm))`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABBAB"), "time": [1, 3, 2, 4, 6, 5], "event": True})
    >>> 0 < proportional_hazards(rows, "A").p < 1
    True
    """
    frame = design(data, reference)
    why = efron.no_maximum(data, frame)
    if why:
        return Test(math.nan, math.nan, f"no hazard ratio to check ({why})")
    table = risk_sets(frame)
    terms = efron.likelihood(table)
    expected, variance = _expected(table, terms, efron.maximum(terms))
    if (variance > 0).sum() < 2:
        return Test(math.nan, math.nan, "all events that tell the arms apart fell at one time")
    clock = 1 - pooled_survival(table)
    centred = clock - np.average(clock, weights=variance)
    statistic = (centred @ (table["events1"] - expected)) ** 2 / (centred**2 @ variance)
    return Test(float(statistic), float(chi2.sf(statistic, 1)))


def _expected(table: pd.DataFrame, terms: efron.Likelihood, log_ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Expected events of the other arm at each time, and their variance."""
    mean, variance, _ = efron.moments(terms, log_ratio)
    summed = [np.bincount(terms.place, weights=one, minlength=len(table)) for one in (mean, variance)]
    # With the reference arm gone, every event is expected where it was seen.
    return np.where(table["at_risk0"] > 0, summed[0], table["events1"]), summed[1]


def _smooth(clock: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    """Lowess over the clock, with the mean where the events of one time fill a window."""
    at, place, tied = np.unique(clock, return_inverse=True, return_counts=True)
    if len(at) < FEWEST:
        return np.full(len(clock), np.nan)
    with np.errstate(invalid="ignore"):
        curve = lowess(scaled, clock, frac=SPAN, it=0, delta=0.01 * np.ptp(clock), return_sorted=False)
    # A window without width has no weights: statsmodels then returns a residual of the time, R the mean of them.
    filled = tied >= int(SPAN * len(clock) + 1e-10)
    return np.where(filled[place], (np.bincount(place, weights=scaled) / tied)[place], curve)
