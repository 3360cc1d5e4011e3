"""MRD and mutations: a latent course of the leukaemia in log10 %, and what a laboratory sees of it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission.reconstruct.outcomes import IFN
from remission.reconstruct.patients import FLOOR

LABORATORIES = ("LAB-F", "LAB-M", "LAB-B")
#: Detection limit in %, by the fewest ABL1 copies that support it.
LIMITS = ((100_000, 0.001), (32_000, 0.0032), (10_000, 0.01), (3_400, 0.03), (0, 0.1))
VARIANTS = ("T315I", "Y253H", "E255K", "E255V", "F359V", "Q252H", "F317L", "G250E")
WEIGHTS = (0.26, 0.2, 0.18, 0.08, 0.08, 0.08, 0.06, 0.06)
METHODS = ("direct sequencing", "D-HPLC", "ASO-PCR")


def samples(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """MRD samples of all patients.

    Parameters
    ----------
    plan : DataFrame
        From `patients.plan`.
    seed : int

    Returns
    -------
    DataFrame
        Clean form of table `mrd` with days for dates; `ratio` in %, three significant digits.
    """
    rng = np.random.default_rng([seed, 3])
    rows: list[dict] = []
    for patient in plan.reset_index().itertuples():
        rises = rng.uniform(60, 180)
        for day, source, front in _visits(patient, rises, rng):
            # Blood carries a little less than marrow.
            latent = course(patient, day, rises) + (rng.normal(-0.2, 0.1) if source == "PB" else 0)
            rows.append({"patient_id": patient.patient_id, "day": day, "source": source,
                         **_measure(patient, day, latent, front, rng)})
    return pd.DataFrame(rows)


def course(patient, day: float, rises: float) -> float:
    """Latent transcript level of a patient on a day, in log10 %.

    Parameters
    ----------
    patient : named tuple
        A row of the plan.
    day : float
        Days from the start of maintenance.
    rises : float
        Days before a marrow relapse on which the transcript starts to rise.

    Returns
    -------
    float
        Falls exponentially towards the level of the response window, moves on to the level at the start of
        maintenance, then drifts to that of the remission; before a marrow relapse it climbs in a straight line.
    """
    since = max(0, day + patient.lead - 5)  # treatment takes some days to begin
    top = 1.25 + 0.55 * ((patient.age * 7 + patient.lead) % 10) / 10
    early = min(183, patient.lead)
    if day <= 0:
        if since <= early:
            return patient.window + (top - patient.window) * math.exp(-since / (28 if patient.responds else 40))
        share = (since - early) / max(1, patient.lead - early)
        return patient.window + share * (patient.level - patient.window)
    rest = _remission_level(patient)
    if patient.prolonged and patient.end == "ongoing" and day > 1000:
        return max(FLOOR, rest - (day - 1000) / 250)
    level = rest + (patient.level - rest) * math.exp(-day / 150)
    if patient.end == "relapse" and patient.site != "CNS":
        if day > patient.end_day:
            return 0.9
        start = max(0.0, patient.end_day - rises)
        if day > start:
            level += (1.5 - level) * (day - start) / (patient.end_day - start)
    return level


def _remission_level(patient) -> float:
    """Level that maintenance holds: above detection in prolonged positivity, mostly below it elsewhere."""
    if patient.prolonged:
        return -1.4
    if patient.end == "relapse" and patient.end_day < 1000:
        return min(patient.level, -1.2)
    return FLOOR if patient.ever_negative else -2.7


def _visits(patient, rises: float, rng: np.random.Generator) -> list[tuple[int, str, bool]]:
    """Sampling days: diagnosis, after cycles, shortly before maintenance, on maintenance, relapse and after it."""
    control = patient.arm != IFN
    front = [-patient.lead + int(rng.integers(0, 4))]
    early = min(183, patient.lead)
    front += [-patient.lead + int(share * early + rng.integers(-4, 5)) for share in ((0.25, 0.75) if control else
                                                                                     (0.22, 0.45, 0.68, 0.9))]
    front += [day for day in range(-patient.lead + 225, -50, 45)]
    early_start = rng.random() < 0.9 or patient.ever_negative or patient.responds
    start = -int(rng.integers(1, 12)) if early_start else int(rng.integers(1, 6))
    days = {day: ("BM", True) for day in front if day < -14} | {start: ("BM", True)}
    regular = [*range(42, 190, 42), *range(270, 1100, 91), *range(1200, 4000, 182)]
    stop = patient.end_day if patient.end == "relapse" else patient.last_day
    for position, day in enumerate(regular[::2] if control else regular):
        day += int(rng.integers(-6, 7))
        if day < stop - 3:
            days[day] = ("BM" if position % 3 == 2 else "PB", False)
    if patient.end == "relapse":
        for back in (21, 55, 100) if not control else (28,):
            day = patient.end_day - back - int(rng.integers(0, 6))
            if day > 12 and back < rises and all(abs(day - other) > 12 for other in days):
                days[day] = ("PB", False)
        days[patient.end_day] = ("BM", False)
        for gap in (35, 80):
            if patient.last_day > patient.end_day + gap + 30 and rng.random() < 0.6:
                days[patient.end_day + gap] = ("PB", False)
    visits = [(day, *what) for day, what in days.items()]
    # Now and then blood and marrow of one day are both sent in.
    visits += [(day, "PB" if source == "BM" else "BM", front) for day, source, front in visits
               if rng.random() < 0.06 and day > -patient.lead + 20]
    return sorted(visits)


def _measure(patient, day: int, latent: float, front: bool, rng: np.random.Generator) -> dict:
    """One measurement: copies, state, ratio, limit."""
    copies = int(np.clip(rng.lognormal(math.log(55_000), 0.6), 11_000, 400_000))
    # One sample in twelve has too little control gene; those that decide a printed number have enough.
    since = day + patient.lead
    decides = front and (since < 20 or 0.8 * min(183, patient.lead) < since <= 183 or day > -60)
    if rng.random() < 0.085 and not decides:
        copies = int(rng.integers(900, 9_800))
    limit = next(limit for least, limit in LIMITS if copies >= least)
    level = latent + rng.normal(0, 0.08)
    if front and day <= 0:
        level = _hold(patient, day, level, limit)
    ratio = min(10**level, 100.0)
    target = round(copies * ratio / 100)
    ratio = float(f"{100 * target / copies:.3g}")
    if ratio < limit or (front and patient.ever_negative and level < -2.1 and copies >= 10_000):
        state, ratio, target = "NEGATIVE", math.nan, 0
    elif ratio < 3 * limit:
        state, ratio = "PNQ", math.nan
    else:
        state = "QUANTIFIED"
    return {"bcr_abl_copies": float(target), "abl_copies": float(copies), "state": state, "ratio": ratio,
            "detection_limit": limit, "laboratory": str(rng.choice(LABORATORIES, p=[0.7, 0.2, 0.1]))}


def _hold(patient, day: int, level: float, limit: float) -> float:
    """Keep noise from deciding a marker: response, negativity and level stay as planned."""
    if day + patient.lead <= 183 and not patient.responds:
        level = max(level, -0.85)
    elif day + patient.lead > 0.85 * min(183, patient.lead) and patient.responds:
        level = min(level, -1.15)
    if not patient.ever_negative:
        level = max(level, math.log10(limit) + 0.15)
    return level


def mutations(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Kinase-domain analyses: at diagnosis in most patients, at relapse in most relapses.

    Returns
    -------
    DataFrame
        Clean form of table `mutations` with days for dates.
    """
    rng = np.random.default_rng([seed, 4])
    rows: list[dict] = []

    def add(patient, day: int, variant: str, fraction: float) -> None:
        method = str(rng.choice(METHODS, p=[0.6, 0.25, 0.15]))
        rows.append({"patient_id": patient.patient_id, "day": day, "method": method, "variant": variant,
                     "allele_fraction": fraction})

    for patient in plan.reset_index().itertuples():
        first = str(rng.choice(VARIANTS, p=WEIGHTS))
        if patient.mutated:
            add(patient, -patient.lead + int(rng.integers(0, 3)), first, float(rng.integers(3, 45)))
        elif rng.random() < 0.85:
            add(patient, -patient.lead + int(rng.integers(0, 3)), "none", math.nan)
        if patient.end == "relapse" and patient.site != "CNS" and rng.random() < 0.85:
            if patient.mutated or rng.random() < 0.75:
                add(patient, patient.end_day, first, float(rng.integers(40, 101)))
                second = str(rng.choice(VARIANTS, p=WEIGHTS))
                if second != first and rng.random() < 0.2:
                    add(patient, patient.end_day, second, float(rng.integers(10, 60)))
            else:
                add(patient, patient.end_day, "none", math.nan)
    return pd.DataFrame(rows)
