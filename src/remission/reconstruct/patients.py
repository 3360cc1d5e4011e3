"""Who the synthetic patients are: outcomes plus everything else that one plan a patient decides."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission.reconstruct.outcomes import IFN, IM
from remission.reconstruct.statistics import logrank_p, score_p

DATA_CUT = pd.Timestamp("2012-08-01")
#: First and last day of diagnosis by arm: invented; the control arm starts later, as its shorter follow-up suggests.
ENROLLED = {IFN: ("2001-01-15", "2007-06-30"), IM: ("2003-01-15", "2008-12-31")}
PREFIX = {IFN: "IFN", IM: "CTL"}
#: log10 % below which no sample of the project can see anything.
FLOOR = -3.5


def plan(outcomes: pd.DataFrame, wanted: dict[str, tuple[float, float]], seed: int) -> pd.DataFrame:
    """Decide all that is fixed before any table is written.

    Parameters
    ----------
    outcomes : DataFrame
        From `outcomes.search`.
    wanted : dict
        From `outcomes.targets`.
    seed : int

    Returns
    -------
    DataFrame
        One row a patient, indexed by `patient_id`: the outcomes with calendar, age, sex, transcript, markers, sites of
        relapse and who had which toxicity.
    """
    rng = np.random.default_rng([seed, 2])
    made = outcomes.iloc[rng.permutation(len(outcomes))].sort_values("arm", ascending=False, kind="stable")
    number = made.groupby("arm").cumcount() + 1
    made.index = pd.Index([f"{PREFIX[a]}-{n:02d}" for a, n in zip(made["arm"], number, strict=True)], name="patient_id")
    made = made.sort_index()
    made["origin"] = _calendar(made, rng)
    made["age"] = 0
    for arm in (IFN, IM):
        made.loc[made["arm"] == arm, "age"] = _ages(wanted, arm, int((made["arm"] == arm).sum()), rng)
    made["sex"] = rng.choice(["F", "M"], len(made))
    made["transcript"] = rng.choice(["p190", "p210", "p190/p210"], len(made), p=[0.7, 0.25, 0.05])
    made["cr_day"] = -made["lead"] + rng.integers(26, 48, len(made))
    made["site"] = _sites(made, wanted, rng)
    return _toxicity(_markers(made, wanted, rng), wanted, rng)


def _calendar(made: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """Origin of each patient: the living were last seen shortly before the data cut, deaths lie before it."""
    origins = []
    for row in made.itertuples():
        seen = DATA_CUT - pd.Timedelta(days=int(rng.integers(6, 75)))
        if row.dead:
            first, last = (pd.Timestamp(day) for day in ENROLLED[row.arm])
            last = min(last, seen - pd.Timedelta(days=row.lead + row.last_day))
            diagnosis = first + pd.Timedelta(days=int(rng.integers(0, max(1, (last - first).days))))
            origins.append(diagnosis + pd.Timedelta(days=row.lead))
        else:
            origins.append(seen - pd.Timedelta(days=row.last_day))
    return pd.Series(origins, index=made.index)


def _ages(wanted: dict, arm: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Whole years with the claimed median and extremes."""
    (low, _), (high, _), half = (wanted[f"age.-.all.{arm}.{what}"] for what in ("min", "max", "median"))
    while True:
        ages = np.concatenate([[low, high], rng.integers(low, high + 1, n - 2)]).astype(int)
        if half[0] <= np.median(ages) < half[1] and float(np.median(ages)).is_integer():
            return rng.permutation(ages)


def _sites(made: pd.DataFrame, wanted: dict, rng: np.random.Generator) -> pd.Series:
    """Sites of relapse. Isolated CNS relapses fall to those who lived longest after: they were treated locally."""
    site = pd.Series("", index=made.index)
    for arm in (IFN, IM):
        relapsed = made[(made["arm"] == arm) & (made["end"] == "relapse")]
        site[relapsed.index] = "BM"
        isolated = int(wanted.get(f"site.-.relapsed.{arm}.CNS", (0, 0))[0])
        after = (relapsed["last_day"] - relapsed["end_day"]).sort_values(ascending=False)
        site[after.index[:isolated]] = "CNS"
        if f"site.-.relapsed.{arm}.CNS_any" in wanted:
            both = int(wanted[f"site.-.relapsed.{arm}.CNS_any"][0]) - isolated
            site[rng.choice(after.index[isolated:], both, replace=False)] = "BM+CNS"
    return site


def _markers(made: pd.DataFrame, wanted: dict, rng: np.random.Generator) -> pd.DataFrame:
    """Draw markers until none of them foretells relapse: cycles, negativity, level at the start, mutation."""
    names = {"cycles": "cycles", "ever_negative": "ever_negative", "level_at_start": "level", "mutation": "mutated"}
    for _ in range(2000):
        drawn = pd.concat([made, _draw_markers(made, rng)], axis=1)
        ifn = drawn[drawn["arm"] == IFN]
        time, event = ifn["end_day"].to_numpy(), (ifn["end"] == "relapse").to_numpy()
        found = {marker: score_p(time, event, ifn[column].to_numpy(float)) for marker, column in names.items()}
        for marker in ("ever_negative", "mutation"):
            found[marker] = min(found[marker], logrank_p(time, event, ifn[names[marker]].to_numpy(bool)))
        bounds = {marker: wanted[f"mrd.{marker}.all.{IFN}.p"] for marker in names}
        if all(bounds[marker][0] <= p <= bounds[marker][1] for marker, p in found.items()):
            return drawn
    raise RuntimeError("no draw of markers keeps every p inside its bounds")


def _draw_markers(made: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n, lead = len(made), made["lead"].to_numpy()
    good = np.where(made["arm"] == IFN, made["good"] == 1, rng.random(n) < 0.4)
    cycles = np.clip(np.round(lead / 52 + rng.normal(0, 0.9, n)), 2, np.minimum(8, (lead - 20) // 27)).astype(int)
    # Negative at 1e-4 comes with a good response, or late: after the six months that define response.
    ever_negative = np.where(good, rng.random(n) < 0.6, (rng.random(n) < 0.35) & (lead > 240))
    window = np.where(good, rng.uniform(-2.6, -1.3, n), rng.uniform(-0.7, 0.5, n))
    start = np.where(lead > 200, window + rng.normal(-0.2, 0.5, n), window)
    start = np.where(ever_negative, rng.uniform(-3.3, -2.3, n), np.clip(start, -1.9, 0.6))
    level = np.round(np.where(~good & (lead <= 200), np.clip(start, -0.7, 0.6), start), 3)
    return pd.DataFrame({"responds": good, "cycles": cycles, "ever_negative": ever_negative, "window": window,
                         "level": level, "mutated": rng.random(n) < 0.3}, index=made.index)


def _toxicity(made: pd.DataFrame, wanted: dict, rng: np.random.Generator) -> pd.DataFrame:
    """Who had what: one patient of the trial arm without interferon on record, reductions, moderate depression or
    fatigue, grade 3 cytopenia, prolonged MRD positivity."""
    ifn = made["arm"] == IFN
    evaluable = int(wanted[f"evaluable.-.all.{IFN}.ifn_evaluable"][0])
    made["evaluable"] = ifn
    brief = made.index[ifn & (made["end"] == "relapse") & (made["mt_days"] == made["end_day"])]
    made.loc[brief[made.loc[brief, "mt_days"].argsort()[: int(ifn.sum()) - evaluable]], "evaluable"] = False
    able = made.index[made["evaluable"]]

    def some(count: int, among: pd.Index) -> np.ndarray:
        return made.index.isin(rng.choice(among, count, replace=False))

    reduced = int(wanted[f"reduction.interferon alfa-2a.ifn_evaluable.{IFN}.patients"][0])
    moderate = int(wanted[f"union.depression or fatigue.ifn_evaluable.{IFN}.grade2"][0])
    severe = int(wanted[f"cytopenia.-.ifn_evaluable.{IFN}.grade3"][0])
    made["reduced"] = some(reduced, able)
    # Depression and fatigue are the usual reason for a reduction: two in three overlap.
    both = some(round(moderate * 2 / 3), made.index[made["reduced"]])
    made["moderate"] = both | some(moderate - both.sum(), able.difference(made.index[both | made["reduced"]]))
    made["cytopenic"] = some(severe, made.index[made["evaluable"] & (made["mt_days"] > 150)])
    quiet = made.index[ifn & (made["end"] != "relapse") & ~made["ever_negative"]]
    several = int(wanted[f"prolonged.-.mrd_evaluable.{IFN}.patients"][0]) + 1
    made["prolonged"] = made.index.isin(quiet[:several])
    return made
