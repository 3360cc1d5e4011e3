"""A supermodel over landmarks: the hazard of relapse after any landmark, given the MRD state known there."""

from __future__ import annotations

import math
from itertools import count, takewhile
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import study as units
from remission.adam.admrd import rules
from remission.estimators import partial
from remission.mrd.landmark import at_landmark
from remission.study import Study

#: Months between the landmarks that are stacked.
STEP = 3
MRD = ["positive", "excess"]
STACKED = ["patient", "arm", "landmark", "time", "code", *MRD]
NO_MODEL = "no relapse followed any known state within the horizon"


class Model(NamedTuple):
    """A fitted supermodel: log hazard ratios of the covariates, and what happens at each day since a landmark.

    `relapse` and `death` are increments of the cumulative hazards, the first at covariates of zero.
    """

    coefficients: np.ndarray
    days: np.ndarray
    relapse: np.ndarray
    death: np.ndarray
    note: str = ""


def horizon(study: Study) -> int:
    """How far predictions look, in days.

    Examples
    --------
    >>> horizon(Study("demo", "own", "", "", ()))
    365
    """
    return units.to_days(rules(study)["horizon_months"], "month")


def stacked(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Everybody at every landmark, one below the other, followed to the horizon.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of states.
    study : Study
        `horizon_months` and `landmark_age_days` of `[mrd]`.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `landmark` (day), `time` (days from the landmark, at most the horizon), `code` (0 remission so
        far, 1 relapse, 2 death in remission), `positive` (0, 1), `excess` (log10 by which a quantified level exceeds
        the ratio of failure, else 0). Landmarks every three months from the origin on, as long as anybody is at risk;
        patients without a state known there are not in it.

    Examples
    --------
    >>> from remission import schema
    >>> stacked(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    died, oldest, far = adtv.groupby("USUBJID")["CNSR2"].max(), rules(study)["landmark_age_days"], horizon(study)
    last = int(adtv["TSTOP"].max()) if len(adtv) else 1
    parts = []
    for day in takewhile(lambda one: one < last, (units.to_days(STEP * number, "month") for number in count())):
        here = at_landmark(adtv, day, oldest)
        code = np.where(here["event"], 1, 2 * here["patient"].map(died).fillna(0).astype(int))
        parts.append(here.assign(landmark=day, code=np.where(here["time"] > far, 0, code),
                                 time=here["time"].clip(upper=far)))
    made = pd.concat(parts, ignore_index=True)
    made = made.assign(positive=(made["state"] == "positive").astype(int),
                       excess=excess(made["category"], made["level"], study))
    return made.loc[made["state"] != "unknown", STACKED].reset_index(drop=True)


def excess(category: pd.Series, level: pd.Series, study: Study) -> pd.Series:
    """Log10 by which a level exceeds the ratio of failure; 0 for anything below it or not quantified.

    Parameters
    ----------
    category, level : Series
        Of a sample; level in log10 %.
    study : Study
        `failure_ratio` of `[mrd]`.

    Returns
    -------
    Series of float
        Detection limits play no part, so a poor negative sample does not look worse than a good one.

    Examples
    --------
    >>> excess(pd.Series(["failure", "complete"]), pd.Series([-1.0, -1.5]), Study("demo", "own", "", "", ())).tolist()
    [1.0, 0.0]
    """
    above = level.astype(float) - math.log10(rules(study)["failure_ratio"])
    return above.where(category == "failure", 0.0).fillna(0.0)


def covariates(rows: pd.DataFrame, arms: list[str], with_mrd: bool = True) -> np.ndarray:
    """State, level above the ratio of failure, and an indicator of every arm but the first, as columns.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": ["A", "B"], "positive": [1, 0], "excess": [0.5, 0.0]})
    >>> covariates(rows, ["A", "B"]).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    columns = [rows[name].to_numpy(float) for name in MRD] if with_mrd else []
    columns += [(rows["arm"] == arm).to_numpy(float) for arm in arms[1:]]
    return np.column_stack(columns) if columns else np.zeros((len(rows), 0))


def fit(rows: pd.DataFrame, arms: list[str], with_mrd: bool = True) -> Model:
    """Fit the supermodel: one Cox model of relapse over all landmarks, and the hazard of death in remission.

    Parameters
    ----------
    rows : DataFrame
        From `stacked`.
    arms : list of str
        Arms, the first is the one compared against.
    with_mrd : bool
        Without MRD the model knows the arm alone.

    Returns
    -------
    Model
        Firth's penalty, Efron ties, Breslow's baseline; death in remission at the same rate for all.

    Source
    ------
    van Houwelingen, Scand J Stat 2007;34:70. The clock starts at each landmark, and its baseline is common to all.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": "A", "time": [5, 9, 9], "code": [1, 0, 0], "positive": 1, "excess": [2.0, 0, 0]})
    >>> model = fit(rows, ["A"])
    >>> model.days.tolist(), bool(model.coefficients[1] > 0)
    ([5.0], True)
    """
    x, time, code = covariates(rows, arms, with_mrd), rows["time"].to_numpy(float), rows["code"].to_numpy()
    nothing = Model(np.zeros(x.shape[1]), *(np.zeros(0),) * 3)
    if not (code == 1).any():
        return nothing._replace(note=NO_MODEL)
    varies = np.ptp(x, axis=0) > 0
    beta = np.zeros(x.shape[1])
    if varies.any():
        made = partial.fit(partial.prepare(time, code == 1, x[:, varies]), firth=True)
        if made.note:
            return nothing._replace(note=made.note)
        beta[varies] = made.coefficients
    days = np.unique(time[code > 0])
    there = time >= days[:, None]
    weight = np.exp(x @ beta)
    relapses, deaths = (((time == days[:, None]) & (code == one)).sum(axis=1) for one in (1, 2))
    return Model(beta, days, relapses / (there @ weight), deaths / there.sum(axis=1))


def probability(model: Model, x: np.ndarray) -> np.ndarray:
    """Probability of relapse before the horizon, with death in remission competing.

    Parameters
    ----------
    model : Model
    x : array (n, p)
        From `covariates`.

    Returns
    -------
    array (n,)

    Source
    ------
    Cumulative incidence from cause-specific hazards: Benichou and Gail, Biometrics 1990;46:813.

    Examples
    --------
    >>> model = Model(np.zeros(1), np.array([5.0]), np.array([np.log(2)]), np.array([0.0]))
    >>> probability(model, np.zeros((1, 1))).round(6).tolist()
    [0.5]
    """
    relapse = np.exp(x @ model.coefficients)[:, None] * model.relapse
    total = relapse + model.death
    left = np.exp(-np.cumsum(total, axis=1))
    before = np.hstack([np.ones((len(x), 1)), left[:, :-1]]) if total.shape[1] else left
    share = np.divide(relapse, total, out=np.zeros_like(total), where=total > 0)
    return (before * -np.expm1(-total) * share).sum(axis=1)
