"""Estimators of a marker's association with a time to event: arrays in, numbers out."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from firthmodels import FirthCoxPH
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceWarning
from numpy.typing import ArrayLike
from scipy.stats import chi2
from sklearn.exceptions import ConvergenceWarning as NotConverged
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw
from sksurv.util import Surv

from remission.estimators import comparisons

#: Above this many patients the bootstrap of a concordance, quadratic in patients, is left out.
MOST_BOOTSTRAPPED = 1000
#: Gradient at which a Firth fit has converged. Near a flat maximum the strictest is out of reach of double precision.
TOLERANCES = (1e-7, 1e-6, 1e-5, 1e-4)


class Interval(NamedTuple):
    """An estimate with its 95% limits and, where there is one, its p-value; NaN where not estimable."""

    value: float
    lower: float
    upper: float
    p: float = math.nan


NOT_ESTIMABLE = Interval(math.nan, math.nan, math.nan)


def firth_cox(time: ArrayLike, event: ArrayLike, x: ArrayLike, arm: ArrayLike | None = None) -> Interval:
    """Hazard ratio by Cox regression with Firth's penalty, finite even when one group has no event.

    Parameters
    ----------
    time : array of shape (n,)
        Time to event or censoring.
    event : array of bool, shape (n,)
        True where the event was seen.
    x : array of shape (n,)
        Marker; the hazard ratio is per unit.
    arm : array of shape (n,), optional
        Treatment arm, adjusted for by indicators.

    Returns
    -------
    Interval
        Hazard ratio, profile penalised-likelihood limits and penalised likelihood-ratio p; NaN without an event or
        without variation in `x` (within an arm). Ties by Breslow.

    Notes
    -----
    Source: Heinze and Schemper, Biometrics 2001;57:114.

    Examples
    --------
    >>> fit = firth_cox([3, 5, 7, 8, 10, 12, 20, 22, 25, 30], [1] * 5 + [0] * 5, [1] * 5 + [0] * 5)
    >>> [round(value, 2) for value in fit[:3]]
    [25.61, 2.65, 3439.14]
    """
    time, event, x = np.asarray(time, float), np.asarray(event, bool), np.asarray(x, float)
    groups = _indicators(arm, len(x))
    spread = x.std() if len(x) else 0.0
    if not any(_informative(time[one], event[one], x[one]) for one in groups):
        return NOT_ESTIMABLE
    # Fitted on the standardised scale, so that the convergence criteria mean the same for every marker.
    design = np.column_stack([(x - x.mean()) / spread, *groups[1:]]).astype(float)
    for tolerance in TOLERANCES:
        with warnings.catch_warnings():
            warnings.simplefilter("error", NotConverged)
            try:
                return _firth(design, Surv.from_arrays(event, time), spread, tolerance)
            except NotConverged:
                continue
    return NOT_ESTIMABLE


def _firth(design: np.ndarray, outcome: np.ndarray, spread: float, tolerance: float) -> Interval:
    model = FirthCoxPH(backend="numpy", max_iter=500, max_halfstep=30, gtol=tolerance, xtol=tolerance / 10)
    model.fit(design, outcome)
    lower, upper = model.conf_int(method="pl", features=0, tol=1e-6, max_iter=500)[0] / spread
    model.lrt(features=0)
    return Interval(_exp(model.coef_[0] / spread), _exp(lower), _exp(upper), float(model.lrt_pvalues_[0]))


def _indicators(arm: ArrayLike | None, patients: int) -> list[np.ndarray]:
    """Membership of each arm; of one arm that holds everybody when none is given."""
    if arm is None:
        return [np.ones(patients, bool)]
    arm = np.asarray(arm)
    return [arm == one for one in np.unique(arm)]


def cox(time: ArrayLike, event: ArrayLike, x: ArrayLike, arm: ArrayLike | None = None) -> Interval:
    """Hazard ratio per unit by ordinary Cox regression: Efron ties, Wald limits and p.

    Parameters
    ----------
    time, event, x : array of shape (n,)
        As in `firth_cox`.
    arm : array of shape (n,), optional
        Treatment arm, stratified for.

    Returns
    -------
    Interval
        NaN when the partial likelihood has no maximum: at every event the patient had the highest marker of all at
        risk (in the arm), or at every event the lowest.

    Notes
    -----
    Source: Efron, JASA 1977;72:557. R: `coxph(Surv(time, event) ~ x)`.

    Examples
    --------
    >>> round(cox([1, 3, 2, 4], [1, 1, 1, 1], [0, 0, 1, 1]).value, 4)
    0.3904
    """
    time, event, x = np.asarray(time, float), np.asarray(event, bool), np.asarray(x, float)
    groups = _indicators(arm, len(x))
    if _monotone([(time[one], event[one], x[one]) for one in groups]):
        return NOT_ESTIMABLE
    with warnings.catch_warnings():
        # A rare event looks like separation to lifelines; separation proper has been excluded just above.
        warnings.simplefilter("ignore", ConvergenceWarning)
        frame = pd.DataFrame({"time": time, "event": event.astype(int), "x": x})
        strata = None if arm is None else ["arm"]
        frame = frame if arm is None else frame.assign(arm=np.asarray(arm))
        fit = CoxPHFitter().fit(frame, "time", "event", strata=strata, fit_options={"precision": 1e-12})
    line = fit.summary.loc["x"]
    return Interval(*(float(line[name]) for name in
                      ("exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p")))


def _monotone(groups: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> bool:
    # Highest and lowest marker among those at risk, at each time: running extremes from the last time backwards.
    top = bottom = True
    for time, event, x in groups:
        order = np.argsort(time, kind="stable")
        highest = np.maximum.accumulate(x[order][::-1])[::-1]
        lowest = np.minimum.accumulate(x[order][::-1])[::-1]
        first = np.searchsorted(time[order], time[event])
        top &= bool((x[event] == highest[first]).all())
        bottom &= bool((x[event] == lowest[first]).all())
    return top or bottom


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _informative(time: np.ndarray, event: np.ndarray, x: np.ndarray) -> bool:
    # Without one event whose risk set differs in x the likelihood is flat.
    return any(np.ptp(x[time >= moment]) > 0 for moment in np.unique(time[event]))


def logrank_scores(time: ArrayLike, event: ArrayLike) -> np.ndarray:
    """Log-rank score of each patient: event minus pooled Nelson-Aalen hazard at the patient's time.

    Parameters
    ----------
    time, event : array of shape (n,)
        As in `firth_cox`.

    Returns
    -------
    array of shape (n,)
        Summed over a group they give its observed minus expected events; over all patients, zero.

    Notes
    -----
    Source: Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2nd ed., section 7.

    Examples
    --------
    >>> logrank_scores([1, 2, 3], [1, 0, 1]).round(3).tolist()
    [0.667, -0.333, -0.333]
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    moments, place = np.unique(time, return_inverse=True)
    died = np.bincount(place, weights=event, minlength=len(moments))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(np.bincount(place, minlength=len(moments)))[:-1]])
    return event - np.cumsum(died / at_risk)[place]


def permutation_p(time: ArrayLike, event: ArrayLike, x: ArrayLike, arm: ArrayLike | None = None, *, seed: int,
                  permutations: int = 10_000) -> float:
    """Two-sided permutation p of the log-rank (score) statistic, by seeded Monte Carlo.

    Parameters
    ----------
    time, event, x : array of shape (n,)
        As in `firth_cox`; a 0/1 marker gives the log-rank test, a continuous one the score test of its trend.
    arm : array of shape (n,), optional
        Treatment arm: expectations are taken, and markers shuffled, within each arm.
    seed : int
    permutations : int
        Number of random relabellings, m.

    Returns
    -------
    float
        (b + 1) / (m + 1), where b relabellings were at least as extreme; NaN where nothing can be compared.

    Notes
    -----
    Source: Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39, for the added one.

    Examples
    --------
    >>> permutation_p([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 0, 0], seed=1, permutations=999) > 0.3
    True
    """
    time, event, x = np.asarray(time, float), np.asarray(event, bool), np.asarray(x, float)
    groups = [one for one in _indicators(arm, len(x)) if one.any()]
    parts = [(x[one] - x[one].mean(), logrank_scores(time[one], event[one])) for one in groups]
    if not any(np.abs(centred).max() > 0 and np.abs(scores).max() > 0 for centred, scores in parts):
        return math.nan
    seen = abs(sum(centred @ scores for centred, scores in parts))
    random = np.random.default_rng(seed)
    extreme, left, block = 0, permutations, max(1, 2_000_000 // len(x))
    while left:
        count = min(block, left)
        drawn = sum(random.permuted(np.broadcast_to(centred, (count, len(centred))), axis=1) @ scores
                    for centred, scores in parts)
        # Equal statistics may differ in their last bits; they count as extreme.
        extreme += int((np.abs(drawn) >= seen * (1 - 1e-9) - 1e-12).sum())
        left -= count
    return (extreme + 1) / (permutations + 1)


def logrank_p(time: ArrayLike, event: ArrayLike, group: ArrayLike, arm: ArrayLike | None = None) -> float:
    """Two-sided log-rank p of two groups, stratified by arm where arms are given.

    Parameters
    ----------
    time, event : array of shape (n,)
        As in `firth_cox`.
    group : array of bool, shape (n,)
    arm : array of shape (n,), optional
        Observed, expected and variance are summed over the arms.

    Returns
    -------
    float
        NaN where no event came while both groups were at risk.

    Notes
    -----
    Source: Mantel, Cancer Chemother Rep 1966;50:163. R: `survdiff(Surv(time, event) ~ group + strata(arm))`.

    Examples
    --------
    >>> round(logrank_p([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1]), 4)
    0.0896
    """
    frame = pd.DataFrame({"time": np.asarray(time, float), "event": np.asarray(event, int),
                          "other": np.asarray(group, int)})
    excess = variance = 0.0
    for one in _indicators(arm, len(frame)):
        sets = comparisons.risk_sets(frame[one]).astype(float)
        events, at_risk = sets["events0"] + sets["events1"], sets["at_risk0"] + sets["at_risk1"]
        share = sets["at_risk1"] / at_risk
        excess += (sets["events1"] - events * share).sum()
        variance += (events * share * (1 - share) * (at_risk - events) / (at_risk - 1).clip(lower=1)).sum()
    return float(chi2.sf(excess**2 / variance, 1)) if variance > 0 else math.nan


def harrell(time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, seed: int, bootstraps: int = 1000) -> Interval:
    """Harrell's concordance with a bootstrap percentile interval.

    Parameters
    ----------
    time, event : array of shape (n,)
        As in `firth_cox`.
    risk : array of shape (n,)
        Higher means expected to relapse earlier; tied values count one half.
    seed, bootstraps : int
        Resamples of patients; none above `MOST_BOOTSTRAPPED` patients.

    Returns
    -------
    Interval
        0.5 is no discrimination; NaN without a comparable pair.

    Examples
    --------
    >>> harrell([1, 2, 3, 4], [1, 1, 1, 0], [4, 3, 2, 1], seed=1, bootstraps=50).value
    1.0
    """
    time, event, risk = np.asarray(time, float), np.asarray(event, bool), np.asarray(risk, float)
    first = time[event].min() if event.any() else math.inf
    if not ((time > first) | ((time == first) & ~event)).any():
        return NOT_ESTIMABLE
    value = float(concordance_index_censored(event, time, risk)[0])
    if len(time) > MOST_BOOTSTRAPPED or bootstraps == 0:
        return Interval(value, math.nan, math.nan)
    pair, score = _pairs(time, event, risk)
    drawn = _resamples(len(time), seed, bootstraps)
    return Interval(value, *_percentiles(_form(drawn, pair * score), _form(drawn, pair)))


def ipcw(time: ArrayLike, event: ArrayLike, risk: ArrayLike, *, seed: int, bootstraps: int = 1000) -> Interval:
    """Concordance weighted by the inverse probability of censoring, truncated at the last event.

    Parameters
    ----------
    time, event, risk, seed, bootstraps
        As in `harrell`.

    Returns
    -------
    Interval
        Bootstrap percentile limits, with the censoring distribution estimated anew in each resample.

    Notes
    -----
    Source: Uno et al., Stat Med 2011;30:1105.

    Examples
    --------
    >>> ipcw([1, 2, 3, 4], [1, 1, 1, 0], [4, 3, 2, 1], seed=1, bootstraps=50).value
    1.0
    """
    time, event, risk = np.asarray(time, float), np.asarray(event, bool), np.asarray(risk, float)
    if not event.any() or time[event].min() == time[event].max():
        return NOT_ESTIMABLE
    tau = time[event].max()
    outcome = Surv.from_arrays(event, time)
    value = float(concordance_index_ipcw(outcome, outcome, risk, tau=tau)[0])
    if len(time) > MOST_BOOTSTRAPPED or bootstraps == 0:
        return Interval(value, math.nan, math.nan)
    pair, score = _pairs(time, event & (time < tau), risk)
    drawn = _resamples(len(time), seed, bootstraps)
    weighted = drawn * _inverse_censoring(time, event, drawn) ** 2
    return Interval(value, *_percentiles(_form(weighted, pair * score, drawn), _form(weighted, pair, drawn)))


def _pairs(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Entry (i, j): i had the event first. At the same time an event comes before a censoring.
    first = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    gap = risk[:, None] - risk
    return (first & event[:, None]).astype(float), np.where(np.abs(gap) <= 1e-8, 0.5, gap > 0)


def _resamples(patients: int, seed: int, bootstraps: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(patients, np.full(patients, 1 / patients), bootstraps).astype(float)


def _form(left: np.ndarray, matrix: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    return ((left @ matrix) * (left if right is None else right)).sum(axis=1)


def _percentiles(concordant: np.ndarray, comparable: np.ndarray) -> tuple[float, float]:
    kept = comparable > 0
    if not kept.any():
        return math.nan, math.nan
    low, high = np.percentile(concordant[kept] / comparable[kept], [2.5, 97.5])
    return float(low), float(high)


def _inverse_censoring(time: np.ndarray, event: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    # Kaplan-Meier of censoring in every resample; at one time events leave before censorings. Zero becomes weight 0.
    order = np.lexsort((~event, time))
    weight = drawn[:, order]
    at_risk = weight[:, ::-1].cumsum(axis=1)[:, ::-1]
    moments, place = np.unique(time[order], return_inverse=True)
    starts = np.searchsorted(time[order], moments)
    lost = np.add.reduceat(weight * ~event[order], starts, axis=1)
    died = np.add.reduceat(weight * event[order], starts, axis=1)
    risk = at_risk[:, starts] - died
    step = np.divide(risk - lost, risk, out=np.ones_like(risk), where=risk > 0)
    survival = np.cumprod(step, axis=1)[:, place]
    inverse = np.divide(1.0, survival, out=np.zeros_like(survival), where=survival > 1e-12)
    made = np.empty_like(inverse)
    made[:, order] = inverse
    return made
