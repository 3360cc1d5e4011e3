"""Dynamic prediction: at each sample, the probability of relapse within a fixed time from that day on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission.adam.admrd import rules
from remission.mrd.supermodel import NO_MODEL, STEP, Model, covariates, excess, fit, horizon, probability, stacked
from remission.study import Study

DRAWS = 300
COURSE = ["patient", "arm", "day", "state", "level", "censored", "probability", "lower", "upper"]
#: What the hazard ratios of the supermodel compare.
HR_WORDS = ("positive against negative", "per log10 above the ratio of failure")


class Prediction(NamedTuple):
    """Course of one patient with predictions; `note` says why there are none, `end` and `status` how it went on."""

    course: pd.DataFrame
    patient: str = ""
    end: float = math.nan
    status: str = ""
    note: str = ""


def chosen(adtv: pd.DataFrame) -> str:
    """The patient whose course is predicted: of those who relapsed, the one with most samples before it.

    Parameters
    ----------
    adtv : DataFrame

    Returns
    -------
    str
        Where nobody relapsed, of all patients; of several the first in order; empty without samples.

    Examples
    --------
    >>> from remission import schema
    >>> chosen(schema.empty(schema.ANALYSIS["adtv"]))
    ''
    """
    known = adtv[adtv["MRDPOS"].notna()]
    if known.empty:
        return ""
    counts = known.groupby("USUBJID").size()
    relapsed = counts[counts.index.isin(adtv.loc[adtv["EVENT"] == 1, "USUBJID"])]
    return str((relapsed if len(relapsed) else counts).idxmax())


def predict(adtv: pd.DataFrame, study: Study, *, seed: int, draws: int = DRAWS) -> Prediction:
    """Predict one patient's course from the other patients.

    Parameters
    ----------
    adtv : DataFrame
    study : Study
    seed, draws : int
        Of the bootstrap over the other patients, which gives the interval.

    Returns
    -------
    Prediction
        `course`: a row a sample with `day`, `state`, `level`, `censored` (Y: the level is a limit), `probability` of
        relapse within the horizon from that day and its 95% interval. The patient takes no part in the fit, and each
        prediction uses that day's sample and nothing later.

    Examples
    --------
    >>> from remission import schema
    >>> predict(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ()), seed=1).note
    'no MRD state is known in this cohort'
    """
    empty, patient = pd.DataFrame(columns=COURSE), chosen(adtv)
    if not patient:
        return Prediction(empty, note="no MRD state is known in this cohort")
    rows = stacked(adtv[adtv["USUBJID"] != patient], study)
    mine = adtv[adtv["USUBJID"] == patient]
    arms = [arm for arm in reversed(study.arm_keys) if (rows["arm"] == arm).any()]
    model = fit(rows, arms)
    if model.note:
        return Prediction(empty, patient, note=f"the other patients give no model: {model.note}")
    course = mine[mine["MRDPOS"].notna()].rename(columns={"LEVEL": "level", "TRT01A": "arm", "MRDPOS": "positive"})
    x = covariates(course.assign(excess=excess(course["CATEGORY"], course["level"], study)), arms)
    drawn = np.array([probability(one, x) for one in resampled(rows, arms, seed, draws) if not one.note])
    limits = np.quantile(drawn, [0.025, 0.975], axis=0) if len(drawn) else np.full((2, len(course)), math.nan)
    made = pd.DataFrame({
        "patient": patient, "arm": course["arm"], "day": course["TSTART"].astype(float),
        "state": np.where(course["positive"] == 1, "positive", "negative"), "level": course["level"].astype(float),
        "censored": course["LEVCENS"], "probability": probability(model, x), "lower": limits[0], "upper": limits[1]})
    last = mine.iloc[-1]
    status = "relapse" if last["EVENT"] == 1 else "death in remission" if last["CNSR2"] == 1 else "ongoing remission"
    return Prediction(made[COURSE].reset_index(drop=True), patient, float(last["TSTOP"]), status)


def resampled(rows: pd.DataFrame, arms: list[str], seed: int, draws: int) -> Iterator[Model]:
    """Models of bootstrap cohorts: patients drawn with all their landmarks, within arms.

    Parameters
    ----------
    rows : DataFrame
        From `stacked`.
    arms : list of str
    seed, draws : int

    Yields
    ------
    Model
        With a note where a drawn cohort gives none.
    """
    patients = rows.drop_duplicates("patient")[["patient", "arm"]].reset_index(drop=True)
    where = rows.groupby("patient").indices
    for drawn in batch.bootstrap(patients["arm"], draws, seed):
        yield fit(rows.iloc[np.concatenate([where[name] for name in patients["patient"].iloc[drawn]])], arms)


def analyse(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """How well the predictions do on patients who took no part in the fit.

    Parameters
    ----------
    adtv : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Results `dynamic.TTRLP.landmarks.all.<statistic>`: `HR[positive]` and `HR[level]` (per log10 above the ratio of
        failure; no interval: rows repeat patients), `predicted[relapse]`, `predicted[remission]` (mean prediction where
        relapse did and did not follow within the horizon), `brier[with MRD]`, `brier[without MRD]`; the
        last four leave each patient out in turn. Empty when no model can be fitted.

    Examples
    --------
    >>> from remission import schema
    >>> analyse(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    rows = stacked(adtv, study)
    arms = [arm for arm in reversed(study.arm_keys) if (rows["arm"] == arm).any()]
    model = fit(rows, arms) if len(rows) else Model(*(np.zeros(0),) * 4, NO_MODEL)
    if model.note:
        return results.frame([])
    rows = rows.assign(**{name: _left_out(rows, arms, mrd) for name, mrd in (("with", True), ("without", False))})
    # Who was censored before the horizon has no outcome there; who died in remission did not relapse.
    told = rows[(rows["time"] == horizon(study)) | (rows["code"] > 0)].dropna(subset=["with", "without"])
    told = told.assign(relapse=(told["code"] == 1).astype(float))
    method = f"supermodel over landmarks every {STEP} months, Firth's penalty"
    made = [_row(f"HR[{name}]", float(np.exp(beta)), rows, "HR", f"{np.exp(beta):.2f} {words}",
                 f"{method}; both together; no interval, rows repeat patients")
            for name, beta, words in zip(("positive", "level"), model.coefficients[:2], HR_WORDS, strict=True)]
    scores = {
        "predicted[relapse]": told.loc[told["relapse"] == 1, "with"].mean(),
        "predicted[remission]": told.loc[told["relapse"] == 0, "with"].mean(),
        "brier[with MRD]": ((told["with"] - told["relapse"]) ** 2).mean(),
        "brier[without MRD]": ((told["without"] - told["relapse"]) ** 2).mean()}
    for name, value in scores.items():
        percent = name.startswith("predicted")
        shown = "not estimable: no such outcome" if math.isnan(value) else (
            f"{100 * value:.0f}%" if percent else f"{value:.3f}")
        made.append(_row(name, 100 * value if percent else value, told, "%" if percent else "score", shown,
                         f"{method}; each patient predicted from the others; rows followed to the horizon or an event"))
    return results.frame(made)


def _row(statistic: str, value: float, rows: pd.DataFrame, unit: str, display: str, method: str) -> dict[str, Any]:
    return results.row("dynamic", "TTRLP", "landmarks", "all", statistic, value, unit=unit, display=display,
                       n=rows["patient"].nunique(), events=rows.loc[rows["code"] == 1, "patient"].nunique(),
                       method=f"{method}; {len(rows)} rows")


def _left_out(rows: pd.DataFrame, arms: list[str], with_mrd: bool) -> pd.Series:
    """Prediction of every row from a model that never saw its patient; NaN where the others give none."""
    found = pd.Series(math.nan, rows.index)
    for _, mine in rows.groupby("patient"):
        model = fit(rows.drop(mine.index), arms, with_mrd)
        if not model.note:
            found[mine.index] = probability(model, covariates(mine, arms, with_mrd))
    return found


def in_words(made: Prediction, rows: pd.DataFrame, study: Study) -> str:
    """What was predicted for whom, and whether predictions of this kind are any good here.

    Parameters
    ----------
    made : Prediction
    rows : DataFrame
        From `analyse`.
    study : Study

    Returns
    -------
    str
        Markdown; the reason where there is no prediction.

    Examples
    --------
    >>> in_words(Prediction(pd.DataFrame(columns=COURSE), note="nothing known"), results.frame([]),
    ...          Study("demo", "own", "", "", ()))
    'No dynamic prediction: nothing known.'
    """
    if made.note:
        return f"No dynamic prediction: {made.note}."
    first, last, months = made.course.iloc[0], made.course.iloc[-1], rules(study)["horizon_months"]
    words = [f"Patient {made.patient} ({last['arm']}; {len(made.course)} samples; {made.status} on day "
             f"{made.end:.0f}). Predicted probability of relapse within {months:g} months: {_shown(first)} on day "
             f"{first['day']:.0f}, {_shown(last)} on day {last['day']:.0f}, the last sample."]
    if len(rows):
        found = rows.set_index("statistic")
        words.append(f"Over all landmarks, with each patient predicted from the others, the mean prediction was "
                     f"{found.loc['predicted[relapse]', 'display']} where relapse followed within {months:g} months "
                     f"and {found.loc['predicted[remission]', 'display']} where it did not. Brier score "
                     f"{found.loc['brier[with MRD]', 'display']} with MRD, "
                     f"{found.loc['brier[without MRD]', 'display']} without it; smaller is better.")
    return " ".join(words)


def _shown(row: pd.Series) -> str:
    chance, low, high = (100 * row[name] for name in ("probability", "lower", "upper"))
    return f"{chance:.0f}%" + ("" if math.isnan(low) else f" (95% interval {low:.0f} to {high:.0f})")
