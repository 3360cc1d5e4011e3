"""How the synthetic patients bore it: laboratory values and adverse events that agree with doses and each other."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission.reconstruct.outcomes import IFN
from remission.reconstruct.treatment import IFN_DRUG

#: Test: unit, lower and upper limit of normal, median on maintenance, log-sd, lowest value allowed outside the planned
#: grade 3 (just inside grade 2 of every CTCAE version; None where nothing is counted), decimals.
TESTS = {
    "WBC": ("10^9/L", 4.0, 10.0, 4.3, 0.22, 2.15, 2), "ANC": ("10^9/L", 1.8, 7.7, 2.4, 0.28, 1.05, 2),
    "PLT": ("10^9/L", 150.0, 400.0, 168.0, 0.25, 55.0, 0), "HB": ("g/dL", 12.0, 16.0, 11.9, 0.09, 8.3, 1),
    "ALT": ("U/L", 0.0, 45.0, 30.0, 0.4, None, 0), "AST": ("U/L", 0.0, 35.0, 27.0, 0.35, None, 0),
    "CREAT": ("mg/dL", 0.5, 1.2, 0.95, 0.16, None, 2), "BILI": ("mg/dL", 0.2, 1.2, 0.6, 0.3, None, 2),
}
#: Term: chance in a patient on both drugs, chance on imatinib alone, relation (I interferon, M imatinib), highest
#: grade.
TERMS = {
    "Influenza like illness": (0.6, 0, "I", 2), "Pyrexia": (0.35, 0.05, "I", 2), "Fatigue": (0.5, 0.1, "I", 1),
    "Depression": (0.2, 0, "I", 1), "Nausea": (0.5, 0.2, "M", 2), "Vomiting": (0.2, 0.08, "M", 2),
    "Diarrhoea": (0.3, 0.15, "M", 2), "Oedema peripheral": (0.4, 0.2, "M", 2),
    "Periorbital oedema": (0.35, 0.2, "M", 1),
    "Muscle spasms": (0.35, 0.15, "M", 2), "Myalgia": (0.35, 0.05, "I", 2), "Arthralgia": (0.25, 0.05, "I", 2),
    "Headache": (0.3, 0.05, "I", 2), "Rash": (0.2, 0.1, "M", 2), "Alopecia": (0.2, 0, "I", 1),
    "Decreased appetite": (0.3, 0.05, "I", 2), "Weight decreased": (0.25, 0, "I", 2), "Insomnia": (0.25, 0, "I", 2),
    "Irritability": (0.15, 0, "I", 1), "Dry skin": (0.2, 0.05, "I", 1), "Pruritus": (0.15, 0.05, "M", 2),
    "Injection site reaction": (0.35, 0, "I", 1), "Hypothyroidism": (0.12, 0, "I", 2), "Dizziness": (0.2, 0.05, "", 2),
    "Upper respiratory tract infection": (0.3, 0.1, "", 2), "Urinary tract infection": (0.15, 0.05, "", 2),
    "Pneumonia": (0.1, 0, "", 3), "Herpes zoster": (0.12, 0, "", 2), "Transaminases increased": (0.2, 0.05, "I", 3),
    "Conjunctival haemorrhage": (0.12, 0.08, "M", 1), "Dyspepsia": (0.2, 0.1, "M", 2), "Cataract": (0.08, 0, "", 2),
}
REDUCING = ("Influenza like illness", "Transaminases increased", "Decreased appetite")


def laboratory(plan: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Laboratory values: with chemotherapy, every four weeks for six months of maintenance, then every three months.

    Returns
    -------
    DataFrame
        Clean form of table `laboratory` with days for dates.

    Notes
    -----
    On maintenance only the planned patients reach grade 3 in a count, and none grade 4, under every CTCAE version.
    Before maintenance counts fall as chemotherapy makes them fall.
    """
    rng = np.random.default_rng([seed, 8])
    rows: list[dict] = []
    lineage = dict(zip(plan.index[plan["cytopenic"]], ("ANC", "PLT", "ANC", "PLT"), strict=False))
    for patient in plan.reset_index().itertuples():
        shift = {test: rng.normal(0, 0.5) * spec[4] for test, spec in TESTS.items()}
        days = _visits(patient, rng)
        # While interferon is still being given, as the printed sentence reads.
        inside = [day for day in days if 20 < day < min(patient.mt_days, 200)]
        worst = int(rng.choice(inside)) if inside and patient.patient_id in lineage else None
        for day in days:
            values = {test: _value(test, shift[test], day, rng) for test in TESTS}
            if day == worst:
                low = {"ANC": ("ANC", 0.62), "PLT": ("PLT", 34.0)}[lineage[patient.patient_id]]
                values[low[0]] = low[1]
            values["WBC"] = round(max(values["WBC"], values["ANC"] + (0.9 if day >= 0 else 0.1)), 2)
            for test, value in values.items():
                unit, low, high, *_ = TESTS[test]
                rows.append({"patient_id": patient.patient_id, "day": day, "test": test, "value": value, "unit": unit,
                             "lower_limit_normal": low, "upper_limit_normal": high})
    return pd.DataFrame(rows)


def _visits(patient, rng: np.random.Generator) -> list[int]:
    """Sampling days. Controls are sampled half as often: the abstract says nothing on their toxicity."""
    front = [-patient.lead, -patient.lead + 14, -int(rng.integers(35, 60)), -int(rng.integers(1, 8))]
    days = [*range(28, 183, 28), *range(270, 4000, 91)]
    step = 1 if patient.arm == IFN else 2
    end = min(patient.mt_days + 20, patient.end_day)
    on = [day + int(rng.integers(-4, 5)) for day in days[::step]]
    at_relapse = [patient.end_day] if patient.end == "relapse" else []
    return sorted({*front, *(day for day in on if day < end), *at_relapse})


def _value(test: str, shift: float, day: int, rng: np.random.Generator) -> float:
    _, _, _, median, spread, floor, decimals = TESTS[test]
    value = median * math.exp(shift + rng.normal(0, spread * 0.8))
    if day < -20 and floor is not None:
        # Leukaemia or chemotherapy: counts far below what maintenance does to them.
        value *= rng.uniform(0.1, 0.7) if test != "HB" else rng.uniform(0.65, 0.9)
    elif floor is not None:
        value = max(value, floor * rng.uniform(1.0, 1.15))
    return round(value, decimals)


def adverse_events(plan: pd.DataFrame, dosing: pd.DataFrame, laboratory: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Adverse events on maintenance, a few from before it.

    Parameters
    ----------
    plan, dosing, laboratory : DataFrame
        What each patient was meant to have, and the doses and counts that events must agree with.
    seed : int

    Returns
    -------
    DataFrame
        Clean form of table `adverse_events` with days for dates.
    """
    rng = np.random.default_rng([seed, 9])
    rows: list[dict] = []
    for patient in plan.reset_index().itertuples():
        mine = dosing[dosing["patient_id"] == patient.patient_id]
        events = _background(patient, rng) + _planned(patient, mine, rng)
        counts = laboratory[laboratory["patient_id"] == patient.patient_id]
        counts = counts[counts["day"].between(1, patient.mt_days)]
        events += _cytopenias(counts, patient)
        rows += [{"patient_id": patient.patient_id, **event} for event in events]
    made = pd.DataFrame(rows).sort_values(["patient_id", "term", "start_day"], kind="stable")
    return made.drop_duplicates(["patient_id", "term", "start_day"]).reset_index(drop=True)


def _event(term: str, start: int, end: int | None, grade: int, relation: str, action: str = "none",
           serious: str = "N") -> dict:
    return {"term": term, "start_day": start, "end_day": pd.NA if end is None else end, "grade": grade,
            "related_ifn": "Y" if "I" in relation else "N", "related_imatinib": "Y" if "M" in relation else "N",
            "action_taken": action, "serious": serious}


def _background(patient, rng: np.random.Generator) -> list[dict]:
    """Common events by chance, none of which is a planned one."""
    events, end = [], patient.mt_days
    for term, (combined, alone, relation, highest) in TERMS.items():
        chance = combined if patient.evaluable else alone
        if rng.random() >= chance or end < 25:
            continue
        start = int(rng.integers(1, max(2, min(end - 12, 700))))
        length = int(rng.lognormal(3.2, 0.9)) + 2
        grade = int(min(highest, rng.choice([1, 2, 3], p=[0.62, 0.3, 0.08])))
        still = rng.random() < 0.08 and patient.end == "ongoing"
        relation = relation if patient.evaluable else relation.replace("I", "")
        events.append(_event(term, start, None if still else min(start + length, patient.end_day - 1), grade, relation,
                             serious="Y" if term == "Pneumonia" and grade == 3 else "N"))
    if rng.random() < 0.25:
        day = -int(rng.integers(60, 120))
        events.append(_event(str(rng.choice(["Nausea", "Stomatitis", "Febrile neutropenia"])), day, day + 9, 3, ""))
    return events


def _planned(patient, mine: pd.DataFrame, rng: np.random.Generator) -> list[dict]:
    """Moderate depression or fatigue, and an event behind every dose change for an adverse event."""
    events: list[dict] = []
    verbs = {"low": "reduced", "zero": "interrupted", "end": "stopped"}
    moderate = ["Depression", "Fatigue"] if patient.moderate and rng.random() < 0.3 else (
        [str(rng.choice(["Depression", "Fatigue"]))] if patient.moderate else [])
    for drug, stretches in mine.groupby("drug"):
        doses = [*stretches["dose"], None]
        changes = zip(stretches["reason_for_change"], stretches["end_day"], strict=True)
        for position, (reason, day) in enumerate(changes):
            if reason != "adverse event":
                continue
            following = doses[position + 1]
            verb = verbs["end" if following is None else "zero" if following == 0 else "low"]
            action = f"{'IFN' if drug == IFN_DRUG else 'imatinib'} {verb}"
            if drug == IFN_DRUG:
                term = moderate.pop(0) if moderate else str(rng.choice(REDUCING))
                relation = "I"
            else:
                term, relation = str(rng.choice(["Oedema peripheral", "Nausea", "Rash", "Muscle spasms"])), "M"
            start = max(1, int(day) + 1 - int(rng.integers(1, 15)))
            events.append(_event(term, start, start + int(rng.integers(14, 70)), 2, relation, action))
    for term in moderate:
        start = int(rng.integers(10, max(12, min(patient.mt_days - 10, 500))))
        events.append(_event(term, start, start + int(rng.integers(20, 200)), 2, "I"))
    return [{**event, "end_day": min(event["end_day"], max(event["start_day"] + 1, patient.end_day - 1))}
            for event in events]


def _cytopenias(counts: pd.DataFrame, patient) -> list[dict]:
    """Events for counts that are at least grade 2, at the grade of the count."""
    events = []
    for test, term, bounds in (("ANC", "Neutropenia", (1.5, 1.0)), ("PLT", "Thrombocytopenia", (75, 50)),
                               ("HB", "Anaemia", (10, 8))):
        low = counts[(counts["test"] == test) & (counts["value"] < bounds[0])].head(2)
        for day, value in zip(low["day"], low["value"], strict=True):
            events.append(_event(term, int(day), min(int(day) + 14, patient.end_day - 1), 3 if value < bounds[1] else 2,
                                 "IM" if patient.evaluable else "M"))
        worst = counts[(counts["test"] == test) & (counts["value"] < bounds[1])]
        events += [_event(term, int(day), min(int(day) + 21, patient.end_day - 1), 3, "IM") for day in worst["day"]]
    return events
