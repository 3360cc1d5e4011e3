"""What the synthetic patients were given: chemotherapy cycles, study drugs, procedures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission.reconstruct.outcomes import IFN

IFN_DRUG, IM_DRUG = "interferon alfa-2a", "imatinib"


def cycles(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Intensive chemotherapy: one or two inductions, then consolidation until shortly before maintenance.

    Returns
    -------
    DataFrame
        Clean form of table `chemotherapy_cycles` with days for dates.
    """
    rng = np.random.default_rng([seed, 5])
    rows: list[dict] = []
    for patient in plan.reset_index().itertuples():
        first, last = -patient.lead + int(rng.integers(1, 6)), -int(rng.integers(14, 26))
        inductions = 2 if patient.cycles > 3 and rng.random() < 0.6 else 1
        starts = np.linspace(first, last, patient.cycles + 1)[:-1].round().astype(int)
        step = (last - first) / patient.cycles
        for number, start in enumerate(starts, 1):
            length = int(rng.integers(16, 24)) if number <= inductions else int(rng.integers(5, 9))
            rows.append({"patient_id": patient.patient_id, "cycle": number,
                         "phase": "induction" if number <= inductions else "consolidation", "start_day": int(start),
                         "end_day": int(start) + min(length, int(step) - 2)})
    return pd.DataFrame(rows)


def dosing(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Both study drugs, stretch by stretch; a stretch of dose 0 is an interruption.

    Returns
    -------
    DataFrame
        Clean form of table `dosing` with days for dates. Stretches of one drug follow one another without a gap.
    """
    rng = np.random.default_rng([seed, 6])
    rows: list[dict] = []
    for patient in plan.reset_index().itertuples():
        last = patient.mt_days - 1
        why = _why_over(patient, rng)
        rows += _stretches(patient, IM_DRUG, "mg", "QD", _imatinib(patient, last, rng), last, why)
        if patient.evaluable:
            steps, stop, reason = _interferon(patient, last, why, rng)
            rows += _stretches(patient, IFN_DRUG, "MU", "TIW", steps, stop, reason)
    return pd.DataFrame(rows)


def _why_over(patient, rng: np.random.Generator) -> str | None:
    """Why maintenance as a whole ended; None while it goes on."""
    if not patient.mt_over:
        return None
    if patient.mt_days >= patient.end_day and patient.end != "ongoing":
        return patient.end
    if patient.mt_days < 200:
        return "patient wish"
    return str(rng.choice(["end of treatment", "patient wish"], p=[0.7, 0.3]))


def _stretches(patient, drug: str, unit: str, frequency: str, steps: list[tuple[int, float, str]], last: int,
               why: str | None) -> list[dict]:
    """Rows from steps (first day, dose, why the stretch before ended)."""
    rows = []
    for position, (start, dose, _) in enumerate(steps):
        following = steps[position + 1] if position + 1 < len(steps) else None
        rows.append({"patient_id": patient.patient_id, "drug": drug, "dose": float(dose), "unit": unit,
                     "frequency": frequency, "start_day": start,
                     "end_day": following[0] - 1 if following else (last if why else pd.NA),
                     "reason_for_change": following[2] if following else why})
    return rows


def _imatinib(patient, last: int, rng: np.random.Generator) -> list[tuple[int, float, str]]:
    """600 mg daily; reduced to 400 mg or held in some, back to 600 mg in most of these."""
    steps = [(0, 600.0, "")]
    if last > 120 and rng.random() < (0.4 if patient.arm == IFN else 0.25):
        day = int(rng.integers(30, min(last - 60, 500)))
        if rng.random() < 0.5:
            pause = int(rng.integers(7, 22))
            steps += [(day, 0.0, "adverse event"), (day + pause, 400.0, "recovered")]
            day += pause
        else:
            steps.append((day, 400.0, "adverse event"))
        back = day + int(rng.integers(28, 120))
        if back < last - 20 and rng.random() < 0.7:
            steps.append((back, 600.0, "re-escalation"))
    return steps


def _interferon(patient, last: int, why: str | None,
                rng: np.random.Generator) -> tuple[list[tuple[int, float, str]], int, str | None]:
    """1 MU three times a week, raised to 3 MU over weeks; reduced for adverse events in those planned, stopped early
    in some. Returns steps, last day and why the last stretch ended."""
    steps, day = [(0, 1.0, "")], int(rng.integers(10, 22))
    for dose in (2.0, 3.0) if rng.random() < 0.7 else (1.5, 2.0, 3.0):
        if day < last - 14:
            steps.append((day, dose, "escalation"))
        day += int(rng.integers(10, 30))
    if not patient.reduced:
        stop, reason = last, why
        if last > 900 and rng.random() < 0.6:
            stop, reason = int(last * rng.uniform(0.5, 0.9)), str(rng.choice(["end of treatment", "patient wish"]))
        if last > 300 and rng.random() < 0.35:
            pause = int(rng.integers(day + 30, 200))
            steps += [(pause, 0.0, "patient wish"), (pause + int(rng.integers(10, 25)), steps[-1][1], "recovered")]
        return steps, stop, reason
    reached = steps[-1][1]
    low = max(1.0, reached - float(rng.choice([1.0, 1.5, 2.0])))
    if low == reached:
        low = 0.5
    when = int(rng.integers(steps[-1][0] + 10, max(steps[-1][0] + 12, min(last - 25, 400))))
    steps.append((when, low, "adverse event"))
    when += int(rng.integers(25, 90))
    if when < last - 30 and rng.random() < 0.5:
        steps.append((when, reached, "re-escalation"))
        when += int(rng.integers(30, 150))
        if when < last - 30 and rng.random() < 0.5:
            steps += [(when, 0.0, "adverse event"), (when + int(rng.integers(10, 28)), low, "recovered")]
            when += 28
    if when < last - 60 and rng.random() < 0.45:
        return steps, int(rng.integers(when + 20, min(last, when + 400))), "adverse event"
    return steps, last, why


def procedures(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Intrathecal prophylaxis up front; local treatment of CNS relapse; one late transplant of a relapsed control.

    Returns
    -------
    DataFrame
        Clean form of table `procedures` with days for dates.
    """
    rng = np.random.default_rng([seed, 7])
    rows: list[dict] = []
    for patient in plan.reset_index().itertuples():
        gaps = np.cumsum(rng.integers(8, 30, rng.integers(2, 6)))
        given = [(-patient.lead + int(gap), "intrathecal") for gap in gaps]
        if "CNS" in patient.site:
            given += [(patient.end_day + 2 + 4 * k, "intrathecal") for k in range(4)]
            given += [(patient.end_day + 24, "CNS irradiation")]
        rows += [{"patient_id": patient.patient_id, "day": day, "procedure": what} for day, what in given
                 if day < -3 or patient.end_day <= day < patient.last_day]
    relapsed = plan[(plan["arm"] != IFN) & (plan["site"] == "BM")]
    youngest = relapsed[relapsed["last_day"] - relapsed["end_day"] > 150]["age"].idxmin()
    rows.append({"patient_id": youngest, "day": int(plan.loc[youngest, "end_day"]) + 90, "procedure": "SCT"})
    return pd.DataFrame(rows).sort_values(["patient_id", "day", "procedure"]).reset_index(drop=True)
