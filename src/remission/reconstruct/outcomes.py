"""Integer-day outcomes of every patient, found by a seeded search so that the printed numbers hold together."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd

from remission.reconstruct.statistics import km_median, logrank_p
from remission.study import DAYS

IFN, IM = "IFN+IM", "IM"
#: Longest time from diagnosis to last contact that fits between the first enrolment and the data cut, in days.
CALENDAR = 4210
#: Shortest follow-up of a living patient: enrolment had ended three years before the data cut.
FOLLOWED = 1150
#: Shortest and longest time from diagnosis to maintenance, in days.
LEAD = (150, 440)
STEPS, RESTARTS = 8_000, 12


def targets(claims: pd.DataFrame, design: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """What the cohort must satisfy: result name to interval, durations in days.

    Parameters
    ----------
    claims : DataFrame
        `claims.csv`; where a claim holds only under another reading, that reading is taken.
    design : DataFrame
        `design.csv`: what the claims leave open and a plausible cohort needs; same columns `result_id`, `lower`,
        `upper`, `unit`.

    Returns
    -------
    dict
        Where two rows name one result, their overlap.
    """
    wanted: dict[str, tuple[float, float]] = {}
    for row in pd.concat([claims, design]).fillna("").itertuples():
        name = row.reading_result_id or row.result_id
        if not name:
            continue
        lower, upper = float(row.reading_lower or row.lower), float(row.reading_upper or row.upper)
        if row.unit in DAYS:
            lower, upper = lower * DAYS[row.unit], upper * DAYS[row.unit]
        before = wanted.get(name, (-math.inf, math.inf))
        wanted[name] = (max(lower, before[0]), min(upper, before[1]))
    return wanted


def measures(outcomes: pd.DataFrame) -> dict[str, float]:
    """Every claimed quantity that outcome times decide, by result name, in days, counts or p.

    Parameters
    ----------
    outcomes : DataFrame
        One row a patient: arm, lead (diagnosis to maintenance), end (relapse, death, ongoing), end_day, last_day,
        dead, mt_days, mt_over (maintenance has ended), good (MRD response; NaN in controls).
    """
    return _measures({name: outcomes[name].to_numpy() for name in outcomes.columns}, (IFN, IM, "all"))


def _measures(o: dict[str, np.ndarray], arms: tuple[str, ...] = (IFN, IM)) -> dict[str, float]:
    relapse, survival = o["end"] == "relapse", o["lead"] + o["last_day"]
    found: dict[str, float] = {}
    for arm in arms:
        among = (o["arm"] == arm) | (arm == "all")
        time, event, lived, treated = o["end_day"][among], relapse[among], survival[among], o["mt_days"][among]
        found[f"km.TTRLP.all.{arm}.median"] = _median(time, event)
        found[f"range.TTRLP.all.{arm}.min"] = time.min()
        found[f"range.TTRLP.all.{arm}.max_event"] = time[event].max()
        found[f"range.TTRLP.all.{arm}.max_any"] = time.max()
        for number, day in enumerate(np.sort(time[o["end"][among] == "ongoing"]), 1):
            found[f"ongoing.TTRLP.all.{arm}.time{number}"] = day
        found[f"km.OSDX.all.{arm}.median"] = _median(lived, o["dead"][among])
        found[f"range.OSDX.all.{arm}.min_any"] = lived.min()
        found[f"range.OSDX.all.{arm}.max_any"] = lived.max()
        found[f"count.OSDX.all.{arm}.deaths"] = o["dead"][among].sum()
        found[f"km.MTDUR.all.{arm}.median"] = _median(treated, o["mt_over"][among])
        found[f"range.MTDUR.all.{arm}.min_any"] = treated.min()
        found[f"range.MTDUR.all.{arm}.max_any"] = treated.max()
    ifn, good = o["arm"] == IFN, o["good"] == 1
    found[f"logrank.TTRLP.all.{IFN} vs {IM}.p"] = _logrank(o["end_day"], relapse, ifn)
    found[f"logrank.OSDX.all.{IFN} vs {IM}.p"] = _logrank(survival, o["dead"], ifn)
    for group, among in (("good", ifn & good), ("poor", ifn & ~good)):
        found[f"mrd.response6m.all.{IFN}.median[{group}]"] = _median(o["end_day"][among], relapse[among])
    found[f"mrd.response6m.all.{IFN}.p"] = _logrank(o["end_day"][ifn], relapse[ifn], good[ifn])
    return found


# A step of the search changes one thing about one patient, so most statistics were computed a step ago.
@lru_cache(maxsize=512)
def _known(statistic: Callable[..., float], time: bytes, *flags: bytes) -> float:
    return statistic(np.frombuffer(time), *(np.frombuffer(flag, bool) for flag in flags))


def _median(time: np.ndarray, event: np.ndarray) -> float:
    return _known(km_median, time.astype(float).tobytes(), event.astype(bool).tobytes())


def _logrank(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> float:
    return _known(logrank_p, time.astype(float).tobytes(), event.astype(bool).tobytes(), group.astype(bool).tobytes())


def search(wanted: dict[str, tuple[float, float]], seed: int) -> pd.DataFrame:
    """Find outcomes of all patients that satisfy every target, by hill climbing from a drawn start.

    Parameters
    ----------
    wanted : dict
        From `targets`; quantities that outcomes do not decide are passed over.
    seed : int

    Returns
    -------
    DataFrame
        As `measures` reads it, times in integer days; sorted by arm, trial arm first.

    Raises
    ------
    RuntimeError
        When no such cohort was found in `STEPS` steps.
    """
    rng = np.random.default_rng([seed, 1])
    best = math.inf
    for _ in range(RESTARTS):
        state = _start(wanted, rng)
        goals = {name: wanted[name] if name.startswith("count") else _inner(*wanted[name])
                 for name in _measures(_derive(state)) if name in wanted}
        loss = _loss(state, goals)
        for step in range(STEPS):
            if loss == 0:
                found = pd.DataFrame(_derive(state))
                return found.astype(dict.fromkeys(("end_day", "last_day", "lead", "mt_days"), int))
            moved = _move(state, rng)
            new = _loss(moved, goals)
            # A little heat early on, so that the climb leaves dead ends.
            if new <= loss or rng.random() < math.exp((loss - new) / (0.05 * 0.999**step + 1e-12)):
                state, loss = moved, new
        best = min(best, loss)
    raise RuntimeError(f"no cohort satisfies the claims after {RESTARTS} starts: seed {seed}, distance left {best:.3f}")


def _inner(lower: float, upper: float) -> tuple[float, float]:
    """Leave a tenth of an interval free on both sides: a day more or less then changes no printed digit."""
    slack = (upper - lower) / 10 if math.isfinite(lower) and math.isfinite(upper) else 0
    return lower + slack, upper - slack


def _start(wanted: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw a first state by order statistics: what one patient's value answers is set, the rest is drawn around it."""
    arms = [_start_arm(wanted, arm, rng) for arm in (IFN, IM)]
    return {name: np.concatenate([arm[name] for arm in arms]) for name in arms[0]}


def _start_arm(wanted: dict, arm: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    def middle(name: str) -> float:
        return sum(wanted[name.format(arm)]) / 2

    relapses, deaths, ongoing = (int(wanted.get(f"status.-.all.{arm}.{end}", (0,))[0])
                                 for end in ("relapse", "death_in_remission", "ongoing"))
    n = relapses + deaths + ongoing
    first, half, last = (middle(f"{name}") for name in (
        "range.TTRLP.all.{}.min", "km.TTRLP.all.{}.median", "range.TTRLP.all.{}.max_event"))
    spread = 0 if n % 2 else rng.integers(1, 60)  # an even number of patients has two around the median
    below, at = (n - 1) // 2, [half] if n % 2 else [half - spread, half + spread]
    day = np.concatenate([
        [first], rng.uniform(first, half - spread, below - 1), at,
        np.exp(rng.uniform(math.log(half + spread), math.log(last), relapses - below - len(at) - 1)), [last],
        rng.uniform(half, 3100, deaths), [middle(f"ongoing.TTRLP.all.{{}}.time{k + 1}") for k in range(ongoing)]])
    end = np.repeat(["relapse", "death", "ongoing"], [relapses, deaths, ongoing])
    held = np.isin(np.arange(n), [0, *range(below, below + len(at)), relapses - 1]) | (end == "ongoing")
    state = {"arm": np.full(n, arm), "end": end, "end_day": np.round(day), "held": held,
             "floor": np.full(n, round(0.95 * first)),
             "lead": np.round(rng.uniform(200, 420, n)), "lead_held": np.arange(n) == n - 1,
             "post": np.round(rng.exponential(700, n)) + 30, "died": rng.random(n) < 0.9,
             "kept": np.ones(n), "good": rng.random(n) < 0.5, "open": (end == "ongoing") & (rng.random(n) < 0.5)}
    state["lead"][-1] = round(middle("range.OSDX.all.{}.max_any") - day[-1])
    if arm == IFN:
        _start_maintenance(state, middle, rng)
    return state


def _start_maintenance(state: dict[str, np.ndarray], middle, rng: np.random.Generator) -> None:
    """Trial arm: who stopped treatment early. The longest relapse-ended remission outlived the longest treatment."""
    day, longest = state["end_day"], middle("range.MTDUR.all.{}.max_any")
    relapsed = np.flatnonzero(state["end"] == "relapse")
    early = relapsed[rng.integers(1, 5)]
    state["kept"][early] = min(1, middle("range.MTDUR.all.{}.min_any") / day[early])
    state["kept"][relapsed[-1]] = longest / day[relapsed[-1]]
    for who in np.flatnonzero(state["end"] == "ongoing"):
        state["open"][who] &= day[who] < longest
        state["kept"][who] = rng.uniform(0.6, 0.98) * min(1, longest / day[who])


def _derive(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outcomes from a state: what follows from the parts that move."""
    end, end_day = state["end"], state["end_day"]
    kept = np.where(state["open"], 1.0, state["kept"])
    return {"arm": state["arm"], "lead": state["lead"], "end": end, "end_day": end_day,
            "last_day": end_day + np.where(end == "relapse", state["post"], 0),
            "dead": (end == "death") | (end == "relapse") & state["died"],
            "mt_days": np.round(end_day * kept), "mt_over": ~state["open"],
            "good": np.where(state["arm"] == IFN, state["good"], np.nan)}


def _loss(state: dict[str, np.ndarray], goals: dict[str, tuple[float, float]]) -> float:
    """Summed distance from the goals on a log scale; what does not fit the calendar counts as well."""
    outcomes = _derive(state)
    found, total = _measures(outcomes), 0.0
    for name, (lower, upper) in goals.items():
        value = found[name]
        if math.isnan(value):
            total += 3
        elif not lower <= value <= upper:
            total += abs(math.log(max(value, 1e-6) / (lower if value < lower else upper)))
    followed = outcomes["lead"] + outcomes["last_day"]
    lost = ~outcomes["dead"] & (followed < FOLLOWED)
    return total + (float(np.maximum(0, followed - CALENDAR).sum()) + float((FOLLOWED - followed)[lost].sum())) / 1000


def _move(state: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Change one thing about one patient."""
    moved = {name: values.copy() for name, values in state.items()}
    who, what = rng.integers(len(state["arm"])), rng.integers(5)
    if what == 0:
        width = 0.003 if state["held"][who] else rng.choice([0.03, 0.3])
        day = round(state["end_day"][who] * math.exp(rng.normal(0, width)))
        moved["end_day"][who] = max(state["floor"][who], day)
        if state["kept"][who] < 1:
            moved["kept"][who] = min(1, state["kept"][who] * state["end_day"][who] / moved["end_day"][who])
    elif what == 1 and not state["lead_held"][who]:
        lead = state["lead"][who] + round(rng.normal(0, 40))
        moved["lead"][who] = lead if LEAD[0] <= lead <= LEAD[1] else state["lead"][who]
    elif what == 2:
        moved["post"][who] = max(20, round(state["post"][who] * math.exp(rng.normal(0, rng.choice([0.03, 0.4])))))
    elif what == 3:
        moved["good"][who] = ~state["good"][who]
    elif what == 4:
        moved["died"][who] = ~state["died"][who]
    return moved
