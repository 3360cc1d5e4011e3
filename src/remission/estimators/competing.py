"""Competing risks: cumulative incidence, Gray's test, subdistribution hazards."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from remission.estimators import comparisons, efron, partial
from remission.estimators.comparisons import Test
from remission.estimators.curves import Estimate
from remission.estimators.models import HazardRatio

#: An incidence within this of 0 or 1 is 0 or 1: sums of fractions miss it by a few bits.
EDGE = 1e-9
CURVE_COLUMNS = ["cause", "time", "incidence", "variance", "lower", "upper"]


def cumulative_incidence(data: pd.DataFrame) -> pd.DataFrame:
    """Aalen-Johansen cumulative incidence of every cause in one group.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `code` (0 censored, 1 the event of interest, 2 and above competing events); one group.

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
    from comprisk import CumulativeIncidence  # here and below: it takes a second, and most notebooks need none of it

    code = data["code"].to_numpy()
    causes = list(range(1, max(2, int(code.max())) + 1))
    fit = CumulativeIncidence(cause_codes=causes).fit(data["time"].to_numpy(float), code)
    made = pd.concat([pd.DataFrame({"cause": cause, "time": curve.times, "incidence": curve.cif, "variance": curve.var})
                      for (_, cause), curve in fit.curves_.items()], ignore_index=True)
    made["incidence"] = made["incidence"].mask(made["incidence"] > 1 - EDGE, 1.0)
    return made.assign(**_interval(made["incidence"].to_numpy(), made["variance"].to_numpy()))


def _interval(incidence: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
    """Log-log limits; undefined at 0 and 1."""
    inside = (incidence > EDGE) & (incidence < 1 - EDGE)
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


def gray(data: pd.DataFrame, cause: int, stratum: str = "") -> Test:
    """Gray's test of equal cumulative incidence of one cause.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two or more arms.
    cause : int
        1 relapse, 2 death in remission.
    stratum : str
        Name of a column: arms are compared within its strata, scores and covariances added up.

    Returns
    -------
    Test
        Chi-squared on (arms - 1) degrees of freedom; NaN with a note when the cause did not happen.

    Source
    ------
    Gray, Ann Stat 1988;16:1141. R: `cmprsk::cuminc(time, code, arm, strata)$Tests`.

    Examples
    --------
    >>> gray(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "code": [1, 1]}), 2).note
    'nobody had this event'
    """
    if data["arm"].nunique() < 2:
        return Test(math.nan, math.nan, "two arms are needed")
    if not (data["code"] == cause).any():
        return Test(math.nan, math.nan, "nobody had this event")
    if stratum:
        return _stratified_gray(data, cause, stratum)
    from comprisk import gray_test

    found = gray_test(data["time"].to_numpy(float), data["code"].to_numpy(), data["arm"].to_numpy(str), cause=cause)
    if not np.all(np.diag(found.var) > 0):
        return Test(math.nan, math.nan, "the test's variance is zero")
    return Test(found.stat, found.pvalue)


def _stratified_gray(data: pd.DataFrame, cause: int, stratum: str) -> Test:
    """Gray's test of two arms with scores and variances added up over the strata that hold both."""
    if data["arm"].nunique() > 2:
        raise ValueError("the stratified test is for two arms")
    from comprisk import gray_test

    score = variance = 0.0
    for _, mine in data.groupby(stratum, sort=True):
        if mine["arm"].nunique() == 2 and (mine["code"] == cause).any():
            found = gray_test(mine["time"].to_numpy(float), mine["code"].to_numpy(), mine["arm"].to_numpy(str),
                              cause=cause)
            score, variance = score + float(found.score[0]), variance + float(found.var[0, 0])
    if not variance > 0:
        return Test(math.nan, math.nan, "the test's variance is zero")
    return Test(score**2 / variance, float(chi2.sf(score**2 / variance, 1)))


def fine_gray(data: pd.DataFrame, reference: str, cause: int) -> HazardRatio:
    """Subdistribution hazard ratio of one cause, the other arm against the reference arm: Fine and Gray's model.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
        The arm in the denominator.
    cause : int
        1 relapse, 2 death in remission.

    Returns
    -------
    HazardRatio
        Robust Wald interval and p (its standard error within 0.2% of R's); NaN with a note where the ratio is 0 or
        infinite, or all events fell at one time.

    Source
    ------
    Fine and Gray, JASA 1999;94:496. R: `cmprsk::crr(time, code, other, failcode = cause)`.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABBAB"), "time": [1, 3, 2, 4, 6, 5], "code": [1, 2, 1, 0, 1, 1]})
    >>> round(fine_gray(rows, "A", 1).value, 4)
    2.1196
    """
    mine = _for_ever(data, cause)
    why = efron.no_maximum(mine, comparisons.design(mine, reference))
    if why:
        return HazardRatio(*[math.nan] * 4, why)
    return _subdistribution(data, (data["arm"] != reference).to_numpy(float)[:, None], cause)


def fine_gray_marker(data: pd.DataFrame, x: ArrayLike, cause: int, adjust: ArrayLike | None = None) -> HazardRatio:
    """Subdistribution hazard ratio of one cause per unit of a marker.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `code` (0 censored, 1 relapse, 2 death in remission).
    x : array of shape (n,)
        Marker, a number.
    cause : int
    adjust : array of shape (n,), optional
        Groups, such as arms, that the model adjusts for by indicators.

    Returns
    -------
    HazardRatio
        As in `fine_gray`.

    Source
    ------
    Fine and Gray, JASA 1999;94:496. R: `cmprsk::crr(time, code, cbind(x, arm), failcode = cause)`.

    Examples
    --------
    >>> rows = pd.DataFrame({"time": [1, 3, 2, 4, 6, 5], "code": [1, 2, 1, 0, 1, 1]})
    >>> round(fine_gray_marker(rows, [0, 0, 1, 1, 0, 1], 1).value, 4)
    2.1196
    """
    x = np.asarray(x, float)
    groups = [] if adjust is None else [np.asarray(adjust) == one for one in np.unique(np.asarray(adjust))[1:]]
    design, mine = np.column_stack([x, *groups]).astype(float), _for_ever(data, cause)
    known = partial.fit(partial.prepare(mine["time"], mine["event"], design))
    if known.note:
        return HazardRatio(*[math.nan] * 4, known.note)
    # On the scale of its own spread, so that the library's criterion means the same for every marker.
    scale = float(x.std())
    made = _subdistribution(data, np.column_stack([(x - x.mean()) / scale, *groups]).astype(float), cause)
    return made._replace(**{name: getattr(made, name) ** (1 / scale) for name in ("value", "lower", "upper")})


def _for_ever(data: pd.DataFrame, cause: int) -> pd.DataFrame:
    """Who had the other cause stays at risk for ever; with such times an ordinary likelihood knows its maximum."""
    mine = data.assign(event=data["code"] == cause)
    mine["time"] = mine["time"].mask((data["code"] > 0) & ~mine["event"], mine["time"].max() + 1)
    return mine


def _subdistribution(data: pd.DataFrame, design: np.ndarray, cause: int) -> HazardRatio:
    """Fit of the first column, with robust Wald interval and p."""
    from comprisk import FineGrayRegression

    fit = FineGrayRegression(cause=cause, robust_se=True, gtol=1e-12, max_iter=50)
    fit.fit(design, time=data["time"].to_numpy(float), event=data["code"].to_numpy())
    log, se = float(fit.coef_[0]), float(fit.se_[0])
    if not se > 0:
        return HazardRatio(*[math.nan] * 4, "all events at one time: the standard error is zero")
    half = norm.ppf(0.975) * se
    return HazardRatio(math.exp(log), math.exp(log - half), math.exp(log + half), float(2 * norm.sf(abs(log) / se)))
