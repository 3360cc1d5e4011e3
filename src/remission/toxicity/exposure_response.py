"""Interferon dose against time to relapse: the comparison that looks ahead, and the landmark that does not.

Who stays in remission longer is treated longer, so total exposure is partly a consequence of the outcome. Splitting
patients by it, from day 0, credits the drug with the time that had to pass (guarantee-time or immortal-time bias). A
landmark splits patients still in remission by what they had had by then, and counts from there.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import ndtri

from remission import batch
from remission.estimators import comparisons, models, wording
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import is_interferon, population
from remission.toxicity.courses import at_months, drugs

#: Months at which remission is a condition and exposure is closed.
LANDMARKS = ("3 months", "6 months", "12 months")
WEEK, LOW, HIGH = 7, "low", "high"
#: How each split is read. The first three look ahead; the last does not.
READINGS = {
    "total": "everyone, from day 0, by total dose over the whole course (looks ahead)",
    "ever at target": "everyone, from day 0, by having ever reached the target dose (looks ahead)",
    "same patients": "patients in remission at the landmark, by total dose over the whole course (looks ahead)",
    "landmark": "the same patients, by dose up to the landmark",
}
COLUMNS = ["drug", "population", "TRT01A", "landmark", "reading", "n", "events", "n_high", "events_high", "cut", "HR",
           "lower", "upper", "p", "logrank_p", "note"]
#: Bounds of the deals of doses in large cohorts, where fewer are enough.
MOST_CELLS, LEAST_DRAWS = 4_000_000, 40
#: Two-sided 5% and a power of 80%, as normal quantiles.
QUANTILES = float(ndtri(0.975) + ndtri(0.8))


def time_to_relapse(adsl: pd.DataFrame) -> pd.DataFrame:
    """Time from the origin to relapse; death in remission and last contact censor.

    Parameters
    ----------
    adsl : DataFrame

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, time (days), event (bool); patients with TTEFL = Y.

    Examples
    --------
    >>> day = lambda *values: pd.array(values, dtype="Int64")
    >>> adsl = pd.DataFrame({"USUBJID": ["1", "2"], "TRT01A": "A", "TTEFL": "Y", "RELDY": day(90, None),
    ...                      "DTHDY": day(200, 50), "LSTALVDY": day(200, 50)})
    >>> time_to_relapse(adsl)[["time", "event"]].values.tolist()
    [[90, True], [50, False]]
    """
    usable = adsl[adsl["TTEFL"] == "Y"]
    days = usable[["RELDY", "DTHDY", "LSTALVDY"]].astype(float)
    time = days["RELDY"].fillna(days["DTHDY"]).fillna(days["LSTALVDY"])
    made = usable[["USUBJID", "TRT01A"]].assign(time=time.astype(int), event=days["RELDY"].notna())
    return made.reset_index(drop=True)


def dose_up_to(adexst: pd.DataFrame, drug: str, day: float = math.inf) -> pd.Series:
    """Cumulative dose of each patient on the days before a day.

    Parameters
    ----------
    adexst : DataFrame
    drug : str
    day : float
        Days from the origin; the day itself is not counted.

    Returns
    -------
    Series of float
        By USUBJID, in the drug's unit.

    Examples
    --------
    >>> stretch = pd.DataFrame({"USUBJID": "1", "EXDRUG": "x", "STDY": [0, 14], "ENDY": [13, 27], "WKDOSE": [3.0, 9.0]})
    >>> dose_up_to(stretch, "x", 21).tolist(), dose_up_to(stretch, "x").tolist()
    ([15.0], [24.0])
    """
    mine = adexst[adexst["EXDRUG"] == drug]
    start, end = mine["STDY"].astype(float), mine["ENDY"].astype(float)
    days = (end.clip(upper=day - 1) - start + 1).clip(lower=0)
    return (mine["WKDOSE"] * days / WEEK).groupby(mine["USUBJID"]).sum(min_count=1)


def patients(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study, drug: str) -> pd.DataFrame:
    """Evaluable patients with outcome and dose: in total, and up to each landmark.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
    drug : str

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, time, event, total (dose), target (bool: ever at target), and per landmark the dose before it.
    """
    made = time_to_relapse(population(adsl, "ifn_evaluable"))
    plan = study.dose_plans.get(drug)
    mine = adexst[adexst["EXDRUG"] == drug]
    reached = mine.loc[mine["WKDOSE"] >= plan["target"] * plan["per_week"] - 1e-9, "USUBJID"] if plan else []
    made["total"] = made["USUBJID"].map(dose_up_to(adexst, drug))
    made["target"] = made["USUBJID"].isin(reached)
    for label in LANDMARKS:
        made[label] = made["USUBJID"].map(dose_up_to(adexst, drug, at_months()[label]))
    return made[made["total"].notna()].reset_index(drop=True)


def comparison(data: pd.DataFrame, high: pd.Series) -> dict:
    """High against low exposure: Cox model and log-rank test of time to relapse.

    Parameters
    ----------
    data : DataFrame
        `time` (days) and `event` (bool).
    high : Series of bool

    Returns
    -------
    dict
        n, events, n_high, events_high, HR, lower, upper, p, logrank_p, note.

    Examples
    --------
    >>> rows = pd.DataFrame({"time": [1, 3, 2, 4], "event": True})
    >>> made = comparison(rows, pd.Series([False, False, True, True]))
    >>> round(made["HR"], 4), made["n_high"]
    (0.3904, 2)
    """
    found = {"n": len(data), "events": int(data["event"].sum()), "n_high": int(high.sum()),
             "events_high": int((data["event"] & high).sum())}
    if high.nunique() < 2:
        why = "no patient is left" if data.empty else "all patients fall on one side"
        return found | dict.fromkeys(("HR", "lower", "upper", "p", "logrank_p"), math.nan) | {"note": why}
    rows = data[["time", "event"]].assign(arm=np.where(high, HIGH, LOW))
    ratio, test = models.cox(rows, LOW), comparisons.logrank(rows, LOW)
    return found | {"HR": ratio.value, "lower": ratio.lower, "upper": ratio.upper, "p": ratio.p, "logrank_p": test.p,
                    "note": ratio.note or test.note}


def exposure_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Time to relapse by interferon dose, naive and at landmarks, the same patients side by side.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        A row a comparison: drug, population, TRT01A, landmark ("" from day 0), reading (a key of `READINGS`), n,
        events, n_high, events_high, cut (dose above which exposure is high: the median of those compared; total dose
        of the course, or dose up to the landmark), HR (high against low), lower, upper, p, logrank_p, note. Empty
        where nobody had interferon.

    Source
    ------
    Landmark analysis: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710. Guarantee time: Giobbie-Hurder, Gelber and
    Regan, J Clin Oncol 2013;31:2963.
    """
    made = []
    for drug in filter(is_interferon, drugs(adexst, study)):
        whole = patients(adexst, adsl, study, drug)
        for arm in study.arm_keys:
            mine = whole[whole["TRT01A"] == arm].reset_index(drop=True)
            if mine.empty:
                continue
            base = {"drug": drug, "population": "ifn_evaluable", "TRT01A": arm}
            cut = mine["total"].median()
            made.append(base | {"landmark": "", "reading": "total", "cut": cut}
                        | comparison(mine, mine["total"] > cut))
            made.append(base | {"landmark": "", "reading": "ever at target", "cut": math.nan}
                        | comparison(mine, mine["target"]))
            for label in LANDMARKS:
                made += [base | {"landmark": label} | one for one in _at(mine, label)]
    return pd.DataFrame(made, columns=COLUMNS)


def _at(mine: pd.DataFrame, label: str) -> list[dict]:
    """Both readings of one landmark, of the same patients: time counts from the landmark in both."""
    day = at_months()[label]
    left = mine[mine["time"] > day].reset_index(drop=True)
    left["time"] -= day
    rows = []
    for reading, column in (("same patients", "total"), ("landmark", label)):
        cut = left[column].median()
        rows.append({"reading": reading, "cut": cut} | comparison(left, left[column] > cut))
    return rows


def detectable(events: int, n: int, n_high: int) -> float:
    """Hazard ratio below 1 that a split of this size shows with a power of 80% (its inverse, above 1).

    Parameters
    ----------
    events, n, n_high : int
        Relapses, patients, patients on the side of the higher dose.

    Returns
    -------
    float
        NaN without events or without patients on both sides.

    Source
    ------
    Schoenfeld, Biometrika 1981;68:316: events = (z_a + z_b)^2 / (p (1 - p) (log HR)^2), two-sided 5%.

    Examples
    --------
    >>> round(detectable(100, 200, 100), 3)
    0.571
    """
    share = n_high / n if n else 0.0
    information = events * share * (1 - share)
    return math.exp(-QUANTILES / math.sqrt(information)) if information else math.nan


def bias_table(table: pd.DataFrame) -> pd.DataFrame:
    """The guarantee-time bias as a number: naive hazard ratio over landmark hazard ratio, same patients.

    Parameters
    ----------
    table : DataFrame
        From `exposure_table`.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, landmark, n, events, naive_HR, landmark_HR, ratio (below 1: looking ahead made the
        drug look better). Missing where either ratio is.

    Examples
    --------
    >>> rows = pd.DataFrame({"drug": "x", "population": "p", "TRT01A": "A", "landmark": "6 months", "n": 8, "events": 6,
    ...                      "reading": ["same patients", "landmark"], "HR": [0.2, 0.8]})
    >>> float(bias_table(rows)["ratio"].iloc[0])
    0.25
    """
    key = ["drug", "population", "TRT01A", "landmark", "n", "events"]
    naive, fair = (table.loc[table["reading"] == reading, [*key, "HR"]] for reading in ("same patients", "landmark"))
    made = naive.rename(columns={"HR": "naive_HR"}).merge(fair.rename(columns={"HR": "landmark_HR"}), on=key)
    return made.assign(ratio=made["naive_HR"] / made["landmark_HR"])


def null_table(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study, draws: int = 2000,
               seed: int = 1) -> pd.DataFrame:
    """What each reading returns when dose cannot matter: dose rates dealt out at random among the patients.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
    draws : int
        Deals; fewer in cohorts so large that patients times deals would pass `MOST_CELLS`, down to `LEAST_DRAWS`.
    seed : int

    Returns
    -------
    DataFrame
        drug, population, TRT01A, landmark, reading, n, HR (median of the deals), lower, upper (their 2.5% and 97.5%
        points), draws. Each patient keeps his outcome and his days on the drug and gets another patient's average
        weekly dose; only readings with patients on both sides appear.
    """
    made = []
    for drug in filter(is_interferon, drugs(adexst, study)):
        whole = patients(adexst, adsl, study, drug).merge(_days(adexst, drug), on="USUBJID", validate="one_to_one")
        for arm in study.arm_keys:
            mine = whole[whole["TRT01A"] == arm].reset_index(drop=True)
            if len(mine) < 2:
                continue
            rates = (mine["total"] / mine["on"]).to_numpy()
            draws = max(LEAST_DRAWS, min(draws, MOST_CELLS // len(mine)))
            deal = np.random.default_rng(seed).permuted(np.tile(rates, (draws, 1)), axis=1)
            base = {"drug": drug, "population": "ifn_evaluable", "TRT01A": arm}
            for label in ("", *LANDMARKS):
                day = at_months()[label] if label else 0
                left = (mine["time"] > day).to_numpy() if label else np.ones(len(mine), bool)
                on, first = mine.loc[left, "on"].to_numpy(), mine.loc[left, "first"].to_numpy()
                closed = np.clip(day - first, 0, on)
                for reading, span in (("total" if not label else "same patients", on), ("landmark", closed)):
                    found = _dealt(mine[left], deal[:, left] * span) if label or reading == "total" else None
                    if found is not None:
                        made.append(base | {"landmark": label, "reading": reading, "n": int(left.sum()),
                                            "draws": draws} | found)
    return pd.DataFrame(made, columns=[*COLUMNS[:6], "HR", "lower", "upper", "draws"])


def _days(adexst: pd.DataFrame, drug: str) -> pd.DataFrame:
    """First day on the drug and days from first to last dose."""
    given = adexst[(adexst["EXDRUG"] == drug) & (adexst["WKDOSE"] > 0)].astype({"STDY": float, "ENDY": float})
    by = given.groupby("USUBJID")
    made = pd.DataFrame({"first": by["STDY"].min(), "on": by["ENDY"].max() - by["STDY"].min() + 1})
    return made.reset_index()


def _dealt(left: pd.DataFrame, dose: np.ndarray) -> dict | None:
    """Median and range of the hazard ratios over the deals; None where no deal has one."""
    if len(left) < 2 or not left["event"].any():
        return None
    high = dose > np.median(dose, axis=1, keepdims=True)
    log, _ = batch.cox(left["time"].to_numpy(float), left["event"].to_numpy(bool), high)
    log = log[~np.isnan(log)]
    if not len(log):
        return None
    ratios = np.exp(np.quantile(log, [0.5, 0.025, 0.975], method="nearest"))
    return dict(zip(("HR", "lower", "upper"), map(float, ratios), strict=True))


def exposure_results(table: pd.DataFrame, null: pd.DataFrame) -> list[dict]:
    """Result rows `exposure_response.<drug>.ifn_evaluable.<arm>.<reading>_HR`, `_p`; landmarks in square brackets.

    Also `bias[<landmark>]` (naive over landmark hazard ratio, same patients), `detectable_HR[<landmark>]` (with 80%
    power) and `<reading>_null_HR` (when dose cannot matter).

    Parameters
    ----------
    table, null : DataFrame
        From `exposure_table` and `null_table`.
    """
    rows = []
    for one in table.itertuples():
        name, at = ("exposure_response", one.drug, one.population, one.TRT01A), f"[{one.landmark}]" * bool(one.landmark)
        short, common = one.reading.replace(" ", "_"), {"n": one.n, "events": one.events}
        method = f"high against low dose (cut at the median, {one.n_high} patients high); {READINGS[one.reading]}"
        rows.append(row(*name, f"{short}_HR{at}", one.HR, lower=one.lower, upper=one.upper, unit="HR", **common,
                        method=f"Cox, Efron ties, Wald interval, time to relapse; {method}",
                        display=wording.ratio_interval(one.HR, one.lower, one.upper, one.note)))
        rows.append(row(*name, f"{short}_p{at}", one.logrank_p, unit="p", **common, method=f"log-rank; {method}",
                        display=wording.p_value(one.logrank_p, one.note)))
    for one in bias_table(table).itertuples():
        said = "not estimable" if math.isnan(one.ratio) else f"{one.ratio:.2f}"
        rows.append(row("exposure_response", one.drug, one.population, one.TRT01A, f"bias[{one.landmark}]", one.ratio,
                        unit="ratio", n=one.n, events=one.events, display=said,
                        method="hazard ratio by total dose over that by dose up to the landmark, same patients"))
    for one in table[table["reading"] == "landmark"].itertuples():
        ratio = detectable(one.events, one.n, one.n_high)
        rows.append(row("exposure_response", one.drug, one.population, one.TRT01A, f"detectable_HR[{one.landmark}]",
                        ratio, lower=ratio, upper=1 / ratio, unit="HR", n=one.n, events=one.events,
                        method="hazard ratio shown with 80% power at two-sided 5% by this split (Schoenfeld)",
                        display="not estimable" if math.isnan(ratio) else f"{ratio:.2f} (or {1 / ratio:.1f})"))
    for one in null.itertuples():
        at = f"[{one.landmark}]" * bool(one.landmark)
        rows.append(row("exposure_response", one.drug, one.population, one.TRT01A,
                        f"{one.reading.replace(' ', '_')}_null_HR{at}", one.HR, lower=one.lower, upper=one.upper,
                        unit="HR", n=one.n, method=f"median and central 95% of {one.draws} deals of the average weekly "
                        "doses among patients who keep their outcomes and days on the drug; seed fixed",
                        display=f"{one.HR:.2f} (95% of deals {one.lower:.2f} to {one.upper:.2f})"))
    return rows
