"""Exposure: cumulative dose, dose intensity and relative dose intensity of each drug, and the dose week by week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import schema
from remission.errors import ContractError, Problem
from remission.study import Study

#: Administrations a week by recorded frequency.
PER_WEEK = {"TIW": 3.0, "QD": 7.0}
WEEK = 7
#: What can follow a stretch, and what it means.
CHANGES = {
    "stopped": "a dose, and none later", "interrupted": "dose zero, and a dose again later",
    "started": "the first dose, after dose zero", "resumed lower": "a dose again, lower than before dose zero",
    "resumed": "a dose again, not lower than before dose zero", "reduced": "a lower dose", "escalated": "a higher dose"}
#: A weekly dose within this of the planned one has reached it.
TOLERANCE = 1e-9


def planned_dose(days: pd.Series, plan: dict, ramp: bool) -> pd.Series:
    """Cumulative planned dose over a number of days.

    Parameters
    ----------
    days : Series of numbers
        Days of treatment, inclusive; missing stays missing.
    plan : dict
        One drug's plan from `study.toml`: start, target (dose of one administration), per_week, ramp_days.
    ramp : bool
        True: `start` for `ramp_days` days, then `target`. False: `target` from day 1.

    Returns
    -------
    Series of float
        In the drug's unit.

    Examples
    --------
    >>> plan = {"start": 1, "target": 3, "per_week": 3, "ramp_days": 28}
    >>> planned_dose(pd.Series([28, 56]), plan, ramp=True).tolist()
    [12.0, 48.0]
    """
    days = days.astype(float)
    slow = days.clip(upper=float(plan["ramp_days"])) if ramp else days * 0.0
    return (plan["start"] * slow + plan["target"] * (days - slow)) * plan["per_week"] / WEEK


def stretches(dosing: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Dose stretches of the study's patients, closed and cut at the time origin.

    Parameters
    ----------
    dosing : DataFrame
        Clean table `dosing` with start_day and end_day (days from the time origin, inclusive).
    adsl : DataFrame
    study : Study
        Names the cohort in messages.

    Returns
    -------
    DataFrame
        One row a stretch, gaps included at dose zero, sorted by drug, patient and day: USUBJID, EXDRUG, EXDOSU, dose,
        weekly (dose a week), start, end, days, open (bool: had not ended at last contact), reason (why it ended),
        change (a key of `CHANGES` for what followed, or ""), changeday (first day of what followed).

    Raises
    ------
    ContractError
        When two stretches of one drug overlap, a stretch ends before it starts, or a frequency is unknown.

    Notes
    -----
    A stretch without an end goes on to the last day the patient was known alive, and ends there when he died. Days
    before the origin are not counted: exposure is exposure to maintenance. A gap between two stretches is dose zero.
    Dose zero is an interruption when a dose follows later, and a stop when none does.
    """
    made = pd.DataFrame({
        "USUBJID": dosing["patient_id"], "EXDRUG": dosing["drug"], "EXDOSU": dosing["unit"],
        "dose": dosing["dose"].astype(float), "per_week": dosing["frequency"].map(PER_WEEK),
        "start": dosing["start_day"].astype(float), "end": dosing["end_day"].astype(float),
        "reason": dosing["reason_for_change"].fillna(""), "line": dosing.get("source_line", 0)})
    made = made[made["USUBJID"].isin(adsl["USUBJID"])]
    subject = adsl.set_index("USUBJID")[["LSTALVDY", "DTHDY"]].astype(float)
    made["open"] = made["end"].isna() & made["USUBJID"].map(subject["DTHDY"]).isna()
    made["end"] = made["end"].fillna(made["USUBJID"].map(subject["LSTALVDY"]))
    made = made.sort_values(["EXDRUG", "USUBJID", "start"], kind="stable").reset_index(drop=True)
    _refuse_faults(made, made.groupby(["EXDRUG", "USUBJID"])["start"].shift(-1), study)
    made["weekly"] = made["dose"] * made["per_week"]
    made = _with_changes(_with_gaps(made))
    made = made[made["end"].isna() | (made["end"] >= 0)]
    made["start"] = made["start"].clip(lower=0)
    made["days"] = made["end"] - made["start"] + 1
    return made.drop(columns=["per_week", "line"]).reset_index(drop=True)


def _with_gaps(made: pd.DataFrame) -> pd.DataFrame:
    """Days between two stretches of a drug as stretches of dose zero."""
    following = made.groupby(["EXDRUG", "USUBJID"])["start"].shift(-1)
    gaps = made[following > made["end"] + 1]
    if gaps.empty:
        return made
    gaps = gaps.assign(start=gaps["end"] + 1, end=following[gaps.index] - 1, dose=0.0, weekly=0.0, reason="")
    whole = pd.concat([made, gaps], ignore_index=True)
    return whole.sort_values(["EXDRUG", "USUBJID", "start"], kind="stable").reset_index(drop=True)


def _with_changes(made: pd.DataFrame) -> pd.DataFrame:
    """What followed each stretch, and on which day."""
    by = [made["EXDRUG"], made["USUBJID"]]
    given = made["weekly"].where(made["weekly"] > 0)
    level = given.groupby(by).ffill()  # the dose of this stretch; while it is zero, the last one above zero
    later = given.groupby(by).bfill().groupby(by).shift(-1).notna()
    after, now = made["weekly"].groupby(by).shift(-1), made["weekly"]
    made["change"] = np.select(
        [(now > 0) & ~later & ~made["open"], (now > 0) & (after == 0) & later, (now == 0) & (after > 0) & level.isna(),
         (now == 0) & (after > 0) & (after < level), (now == 0) & (after > 0), (now > 0) & (after < now),
         (now > 0) & (after > now)], list(CHANGES), default="")
    made["changeday"] = (made["end"] + 1).where(made["change"] != "")
    return made


def _refuse_faults(made: pd.DataFrame, next_start: pd.Series, study: Study) -> None:
    faults = (
        ("frequency", made["per_week"].isna(), "unknown frequency", f"one of {', '.join(PER_WEEK)}"),
        ("start_date", made["start"].isna(), "a stretch without a start", "give its first day"),
        ("end_date", made["end"] < made["start"], "a stretch ends before it starts", "mend one of the two days"),
        ("end_date", made["end"] >= next_start, "a stretch reaches into the next one of the same drug",
         "end it the day before the next one starts"),
    )
    problems = [Problem("dosing", column, tuple(int(line) for line in made.loc[rows, "line"]), what, mend)
                for column, rows, what, mend in faults if rows.any()]
    if problems:
        raise ContractError(study.name, problems)


def _grid(adsl: pd.DataFrame, parts: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patient and drug pairs: drugs recorded or planned in the arm, for patients with any dose recorded."""
    planned = pd.DataFrame([(arm.key, drug) for arm in study.arms for drug in arm.drugs], columns=["TRT01A", "EXDRUG"])
    known = adsl.loc[adsl["USUBJID"].isin(parts["USUBJID"]), ["STUDYID", "USUBJID", "TRT01A", "MTENDY"]]
    recorded = parts[["USUBJID", "EXDRUG"]].drop_duplicates().merge(known, on="USUBJID")
    pairs = pd.concat([known.merge(planned, on="TRT01A"), recorded], ignore_index=True)
    pairs = pairs.drop_duplicates(["USUBJID", "EXDRUG"]).sort_values(["EXDRUG", "USUBJID"]).reset_index(drop=True)
    units = {drug: plan["unit"] for drug, plan in study.dose_plans.items()}
    first = parts.drop_duplicates("EXDRUG").set_index("EXDRUG")["EXDOSU"].to_dict()
    pairs["EXDOSU"] = pairs["EXDRUG"].map(units | first)
    pairs["PLANWK"] = pairs["EXDRUG"].map({drug: float(plan["target"] * plan["per_week"])
                                           for drug, plan in study.dose_plans.items()}).astype(float)
    return pairs


def derive_adex(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Exposure of each patient to each drug.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; uses `dosing`.
    adsl : DataFrame
    study : Study
        Plans in `dose_plans`, drugs of each arm in `arms`.

    Returns
    -------
    DataFrame
        Analysis table `adex`. A drug planned for the arm and never given has cumulative dose 0 and no dose intensity
        to its stop; a patient without any dosing record has no row, because nothing is known of him.

    Raises
    ------
    ContractError
        See `stretches`.

    Source
    ------
    Dose intensity is cumulative dose over elapsed weeks, relative dose intensity delivered over planned
    (Hryniuk and Bush, J Clin Oncol 1984;2:1281).
    """
    parts = stretches(tables["dosing"], adsl, study)
    if parts.empty:
        return schema.empty(schema.ANALYSIS["adex"])
    key = ["USUBJID", "EXDRUG"]
    parts["total"] = parts["weekly"] * parts["days"] / WEEK
    given = parts[parts["dose"] > 0]
    harmed = parts[(parts["reason"] == "adverse event") & parts["change"].isin(["reduced", "interrupted", "stopped"])]
    made = _grid(adsl, parts, study).set_index(key)
    total = parts.groupby(key)["total"].agg(["sum", "count", "size"])
    # One stretch of unknown length makes the sum unknown; no stretch at all makes it zero.
    made["CUMDOSE"] = total["sum"].where(total["count"] == total["size"]).reindex(made.index)
    made["CUMDOSE"] = made["CUMDOSE"].where(made.index.isin(total.index), 0.0)
    by = given.groupby(key)
    made["STDY"], made["ENDY"] = by["start"].min(), by["end"].max()
    made["STDOSE"], made["MXDOSE"] = by["dose"].first(), by["dose"].max()
    made["TARGETDY"] = given[at_target(given["weekly"], given["EXDRUG"], study)].groupby(key)["start"].min()
    made["REDAEDY"] = harmed.groupby(key)["changeday"].min()
    made["REDAEFL"] = np.where(made["REDAEDY"].notna(), "Y", "N")
    reason = parts.groupby(key)["reason"].last()
    made["STOPREAS"] = reason.where(reason != "")
    return schema.conform(_intensity(made.reset_index(), study), schema.ANALYSIS["adex"])


def at_target(weekly: pd.Series, drug: pd.Series, study: Study) -> pd.Series:
    """Whether a weekly dose is the target of the drug's plan or more.

    Parameters
    ----------
    weekly : Series of float
        Dose a week, in the plan's unit.
    drug : Series of str
    study : Study
        Plans in `dose_plans`; a drug without a plan is never at target.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> plans = {"x": {"target": 3, "per_week": 3}}
    >>> study = Study("demo", "own", "", "", (), dose_plans=plans)
    >>> at_target(pd.Series([6.0, 9.0, 10.5]), pd.Series("x", index=range(3)), study).tolist()
    [False, True, True]
    """
    target = drug.map({name: plan["target"] * plan["per_week"] for name, plan in study.dose_plans.items()})
    return weekly >= target.astype(float) - TOLERANCE


def _intensity(made: pd.DataFrame, study: Study) -> pd.DataFrame:
    made["EXDAYS"] = made["ENDY"] - made["STDY"] + 1
    made["MTDAYS"] = made["MTENDY"].astype(float) + 1
    made["DI"] = made["CUMDOSE"] / (made["EXDAYS"] / WEEK)
    made["RDI"] = made["DI"] / made["PLANWK"]
    made["RDIMT"] = made["CUMDOSE"] / (made["PLANWK"] * made["MTDAYS"] / WEEK)
    ramp = pd.Series(np.nan, index=made.index)
    for drug, plan in study.dose_plans.items():
        ramp = ramp.where(made["EXDRUG"] != drug, planned_dose(made["EXDAYS"], plan, ramp=True))
    made["RDIRAMP"] = made["CUMDOSE"] / ramp
    return made.drop(columns="MTENDY")


def derive_adexst(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Dose history of each patient and drug, stretch by stretch.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; uses `dosing`.
    adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Analysis table `adexst`; the stretches of `stretches`, numbered within patient and drug.

    Raises
    ------
    ContractError
        See `stretches`.
    """
    parts = stretches(tables["dosing"], adsl, study)
    if parts.empty:
        return schema.empty(schema.ANALYSIS["adexst"])
    subject = adsl.set_index("USUBJID").loc[parts["USUBJID"], ["STUDYID", "TRT01A"]].reset_index(drop=True)
    made = pd.concat([subject, parts], axis=1)
    made["EXSEQ"] = made.groupby(["EXDRUG", "USUBJID"]).cumcount() + 1
    made["OPENFL"] = np.where(made["open"], "Y", "N")
    for column in ("reason", "change"):
        made[column] = made[column].where(made[column] != "")
    names = {"dose": "EXDOSE", "weekly": "WKDOSE", "start": "STDY", "end": "ENDY", "reason": "REASON",
             "change": "CHANGE", "changeday": "CHANGEDY"}
    return schema.conform(made.rename(columns=names).drop(columns=["days", "open"]), schema.ANALYSIS["adexst"])


def derive_adexwk(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Dose of each drug in each week of maintenance.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; uses `dosing`.
    adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Analysis table `adexwk`: weeks from 1 (days 0 to 6) to the week in which maintenance ended, zero where nothing
        was given. A stretch gives dose times frequency / 7 on each of its days; REASON stands in the week of the first
        changed day, at the latest in the last week.

    Raises
    ------
    ContractError
        See `stretches`.
    """
    parts = stretches(tables["dosing"], adsl, study).dropna(subset=["end"])
    pairs = _grid(adsl, parts, study)
    pairs = pairs[pairs["MTENDY"].notna() & (pairs["MTENDY"] >= 0)].reset_index(drop=True)
    if pairs.empty:
        return schema.empty(schema.ANALYSIS["adexwk"])
    weeks = (pairs["MTENDY"].astype(int) // WEEK + 1).to_numpy()
    first = np.concatenate([[0], np.cumsum(weeks)[:-1]])
    made = pairs.loc[np.repeat(pairs.index, weeks)].drop(columns=["MTENDY", "EXDOSU"]).reset_index(drop=True)
    made["WEEK"] = np.arange(len(made)) - np.repeat(first, weeks) + 1
    where = pairs.reset_index(names="pair")[["USUBJID", "EXDRUG", "pair"]]
    parts = parts.merge(where, on=["USUBJID", "EXDRUG"], how="inner", validate="many_to_one")
    pair, last = parts["pair"].to_numpy(), weeks[parts["pair"]] - 1
    made["WKDOSE"] = np.bincount(*_weekly(parts, pair, first, last), minlength=len(made))
    ends = parts[parts["reason"] != ""]
    changed = np.minimum(ends["changeday"].to_numpy() // WEEK, last[(parts["reason"] != "").to_numpy()]).astype(int)
    reasons = ends["reason"].groupby(first[ends["pair"]] + changed).agg("; ".join)
    made["REASON"] = reasons.reindex(made.index)
    return schema.conform(made, schema.ANALYSIS["adexwk"])


def _weekly(parts: pd.DataFrame, pair: np.ndarray, first: np.ndarray,
            last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grid row and dose of every week that a stretch touches; weeks past the end of maintenance are left out."""
    start, end = parts["start"].to_numpy(int), parts["end"].to_numpy(int)
    week0, touched = start // WEEK, np.maximum(np.minimum(end // WEEK, last) - start // WEEK + 1, 0)
    row = np.repeat(np.arange(len(parts)), touched)
    week = week0[row] + np.arange(len(row)) - np.repeat(np.cumsum(touched) - touched, touched)
    days = np.minimum(end[row], week * WEEK + WEEK - 1) - np.maximum(start[row], week * WEEK) + 1
    return first[pair][row] + week, days * parts["weekly"].to_numpy()[row] / WEEK
