"""Hold the printed claims against the clean truth, by code that shares nothing with the analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import study as studies
from remission.reconstruct import outcomes
from remission.reconstruct.outcomes import IFN, IM
from remission.reconstruct.statistics import logrank_p, score_p

IFN_DRUG = "interferon alfa-2a"
Tables = dict[str, pd.DataFrame]
#: Below these values a count is grade 3 and grade 4: the same in CTCAE 3.0, 4.03 and 5.0, but for haemoglobin, whose
#: grade 4 is a number in 3.0 only.
GRADES = {"ANC": (1.0, 0.5), "PLT": (50, 25), "WBC": (2.0, 1.0), "HB": (8.0, 6.5)}
COLUMNS = ["id", "arm", "quantity", "printed", "unit", "result_id", "value", "holds", "reading_value", "reading_holds",
           "conflicts_with"]


def check(truth: Tables, claims: pd.DataFrame) -> pd.DataFrame:
    """Hold every checkable claim against the truth.

    Parameters
    ----------
    truth : dict of DataFrame
        Clean tables.
    claims : DataFrame
        `claims.csv` as text.

    Returns
    -------
    DataFrame
        One row a claim that names a result: `value` in the claim's unit and whether it `holds` as worded;
        `reading_value` and `reading_holds` under the reading that the cohort was built for (as worded, where no other
        is named). A claim that does not hold as worded is one that others contradict.

    Examples
    --------
    >>> check({}, pd.DataFrame(columns=["result_id"])).empty
    True
    """
    asked = claims[claims["result_id"] != ""].copy()
    if asked.empty:
        return pd.DataFrame(columns=COLUMNS)
    found = measures(truth)
    per = asked["unit"].map(studies.DAYS).fillna(1.0)
    asked["value"] = asked["result_id"].map(found).astype(float) / per
    asked["holds"] = _inside(asked["value"], asked["lower"], asked["upper"], asked["upper_open"])
    reading = asked["reading_result_id"].where(asked["reading_result_id"] != "", asked["result_id"])
    asked["reading_value"] = reading.map(found).astype(float) / per
    lower, upper = (asked[f"reading_{end}"].where(asked[f"reading_{end}"] != "", asked[end])
                    for end in ("lower", "upper"))
    asked["reading_holds"] = _inside(asked["reading_value"], lower, upper, asked["upper_open"])
    return asked[COLUMNS].reset_index(drop=True)


def _inside(value: pd.Series, lower: pd.Series, upper: pd.Series, is_open: pd.Series) -> pd.Series:
    lower, upper = lower.astype(float), upper.astype(float)
    return (value >= lower) & ((value < upper) | (value == upper) & (is_open != "Y"))


def measures(truth: Tables) -> dict[str, float]:
    """Every claimed quantity of the truth, by result name; times in days."""
    found = outcomes.measures(outcomes_of(truth))
    for part in (_counts, _ages, _doses, _toxicity, _cytopenia, _markers, _prolonged):
        found |= part(truth)
    return found


def outcomes_of(truth: Tables) -> pd.DataFrame:
    """Outcome times read back from the tables, as `outcomes.measures` takes them."""
    made = truth["patients"].merge(truth["disposition"], on="patient_id").merge(
        truth["remission_events"][["patient_id", "day", "site"]], on="patient_id", how="left")
    given = truth["dosing"][truth["dosing"]["dose"] > 0].copy()
    last = made.set_index("patient_id")["last_contact_day"]
    given["over"] = given["end_day"].notna()
    given["end_day"] = given["end_day"].fillna(given["patient_id"].map(last))
    given = given.groupby("patient_id").agg(first=("start_day", "min"), last=("end_day", "max"), over=("over", "min"))
    given = given.reindex(made["patient_id"])
    relapsed, dead = made["day"].notna(), made["death_day"].notna()
    return pd.DataFrame({
        "arm": made["arm"], "lead": -made["diagnosis_day"].astype(int),
        "end": np.select([relapsed, dead], ["relapse", "death"], "ongoing"), "site": made["site"],
        "end_day": made["day"].fillna(made["last_contact_day"]).astype(int),
        "last_day": made["last_contact_day"].astype(int), "dead": dead,
        "mt_days": (given["last"] - given["first"] + 1).to_numpy(int), "mt_over": given["over"].to_numpy(bool),
        "good": made["patient_id"].map(_response(truth)).astype(float)}).set_axis(made["patient_id"])


def rise_before_relapse(truth: Tables) -> pd.DataFrame:
    """What MRD did before each marrow relapse.

    Parameters
    ----------
    truth : dict of DataFrame
        Clean tables.

    Returns
    -------
    DataFrame
        One row a patient with at least two samples between six weeks before maintenance and relapse: `samples`,
        `lowest` and `last` ratio (%; the detection limit where there is no number), `fold` between them, `days` from
        the last sample to relapse.
    """
    relapse = truth["remission_events"].query("site != 'CNS'").set_index("patient_id")["day"]
    mrd = truth["mrd"].assign(ratio=truth["mrd"]["ratio"].fillna(truth["mrd"]["detection_limit"]),
                              relapse=truth["mrd"]["patient_id"].map(relapse))
    mrd = mrd[(mrd["day"] >= -42) & (mrd["day"] < mrd["relapse"])].sort_values(["patient_id", "day"])
    made = mrd.groupby("patient_id").agg(samples=("day", "size"), lowest=("ratio", "min"), last=("ratio", "last"),
                                         day=("day", "last"), relapse=("relapse", "last"))
    made = made[made["samples"] > 1].assign(fold=made["last"] / made["lowest"], days=made["relapse"] - made["day"])
    return made.drop(columns=["day", "relapse"]).reset_index()


def _counts(truth: Tables) -> dict[str, float]:
    made, found = outcomes_of(truth), {}
    for arm in (IFN, IM):
        mine = made[made["arm"] == arm]
        found[f"count.-.all.{arm}.n"] = len(mine)
        for end, name in (("relapse", "relapse"), ("death", "death_in_remission"), ("ongoing", "ongoing")):
            found[f"status.-.all.{arm}.{name}"] = (mine["end"] == end).sum()
        site = mine.loc[mine["end"] == "relapse", "site"]
        found[f"site.-.relapsed.{arm}.CNS"] = (site == "CNS").sum()
        found[f"site.-.relapsed.{arm}.CNS_any"] = site.isin(["CNS", "BM+CNS"]).sum()
        found[f"site.-.relapsed.{arm}.CNS_percent"] = 100 * (site == "CNS").mean()
    return found


def _ages(truth: Tables) -> dict[str, float]:
    ages = truth["patients"].groupby("arm")["age"].agg(["median", "min", "max"])
    return {f"age.-.all.{arm}.{name}": float(ages.loc[arm, name]) for arm in ages.index for name in ages.columns}


def _doses(truth: Tables) -> dict[str, float]:
    """Imatinib: the first dose of everybody; interferon: first dose, and the highest ever given."""
    dosing = truth["dosing"].merge(truth["patients"][["patient_id", "arm"]], on="patient_id")
    found = {}
    for arm in (IFN, IM):
        first = dosing[(dosing["arm"] == arm) & (dosing["drug"] == "imatinib") & (dosing["start_day"] == 0)]["dose"]
        found[f"dose.imatinib.all.{arm}.planned"] = _common(first)
    given = dosing[(dosing["drug"] == IFN_DRUG) & (dosing["dose"] > 0)]
    start = given[given["start_day"] == 0]["dose"]
    found[f"dose.{IFN_DRUG}.ifn_evaluable.{IFN}.start"] = _common(start)
    found[f"dose.{IFN_DRUG}.ifn_evaluable.{IFN}.target"] = given["dose"].max()
    found[f"evaluable.-.all.{IFN}.ifn_evaluable"] = given["patient_id"].nunique()
    cut = dosing[(dosing["drug"] == IFN_DRUG) & (dosing["reason_for_change"] == "adverse event")]
    found[f"reduction.{IFN_DRUG}.ifn_evaluable.{IFN}.patients"] = cut["patient_id"].nunique()
    return found


def _common(values: pd.Series) -> float:
    """The value that all share; NaN where they differ."""
    return float(values.iloc[0]) if len(values) and (values == values.iloc[0]).all() else np.nan


def _treated_until(truth: Tables) -> pd.Series:
    """Day 30 after the last dose, by patient."""
    made = outcomes_of(truth)
    return made["mt_days"] - 1 + 30


def _evaluable(truth: Tables) -> set[str]:
    dosing = truth["dosing"]
    return set(dosing.loc[(dosing["drug"] == IFN_DRUG) & (dosing["dose"] > 0), "patient_id"])


def _toxicity(truth: Tables) -> dict[str, float]:
    events = truth["adverse_events"]
    events = events[events["patient_id"].isin(_evaluable(truth)) & events["term"].isin(["Depression", "Fatigue"])]
    until = events["patient_id"].map(_treated_until(truth))
    events = events[(events["start_day"] >= 0) & (events["start_day"] <= until)]
    worst = events.groupby("patient_id")["grade"].max()
    return {f"union.depression or fatigue.ifn_evaluable.{IFN}.grade2": int((worst == 2).sum())}


def _cytopenia(truth: Tables) -> dict[str, float]:
    counts = truth["laboratory"]
    counts = counts[counts["patient_id"].isin(_evaluable(truth)) & counts["test"].isin(list(GRADES))]
    counts = counts[(counts["day"] > 0) & (counts["day"] <= counts["patient_id"].map(_treated_until(truth)))]
    cuts = pd.DataFrame(GRADES, index=["three", "four"]).T
    grade = 2 + sum((counts["value"] < counts["test"].map(cuts[cut])).astype(int) for cut in ("three", "four"))
    worst = grade.groupby(counts["patient_id"]).max()
    return {f"cytopenia.-.ifn_evaluable.{IFN}.grade{n}": int((worst == n).sum()) for n in (3, 4)}


def _samples(truth: Tables) -> pd.DataFrame:
    """Samples that say something, marrow before blood where a day has both; `level` in log10 %, the limit where there
    is no number."""
    mrd = truth["mrd"]
    mrd = mrd[(mrd["state"] != "NEGATIVE") | (mrd["abl_copies"] >= 10_000)]
    mrd = mrd.sort_values(["patient_id", "day", "source"]).drop_duplicates(["patient_id", "day"])
    limit = np.maximum(mrd["detection_limit"], 100 / mrd["abl_copies"])
    made = mrd.assign(limit=limit, level=np.log10(mrd["ratio"].where(mrd["state"] == "QUANTIFIED", limit)))
    origin = truth["patients"].set_index("patient_id")["diagnosis_day"]
    return made.assign(since=made["day"] - made["patient_id"].map(origin))


def _response(truth: Tables) -> pd.Series:
    """1 where a sample within the window after diagnosis, before maintenance, is at or below the response ratio."""
    rules, mrd = studies.read("ash2012_reconstructed").mrd, _samples(truth)
    window = mrd[(mrd["since"] > 0) & (mrd["since"] <= rules["response_window_days"]) & (mrd["day"] <= 0)]
    low = window["level"] <= np.log10(rules["response_ratio"]) + 1e-9
    return low.groupby(window["patient_id"]).max().astype(float)


def _markers(truth: Tables) -> dict[str, float]:
    made, mrd = outcomes_of(truth), _samples(truth)
    low, high = studies.read("ash2012_reconstructed").mrd["start_window_days"]
    start = mrd[mrd["day"].between(low, high)].assign(away=mrd["day"].abs()).sort_values(["patient_id", "away"])
    before = mrd[(mrd["day"] <= 0) & (mrd["since"] > 0)]
    negative = (before["state"] == "NEGATIVE") & (before["limit"] <= 0.01)
    mutations = truth["mutations"][truth["mutations"]["day"] <= 0]
    markers = {"level_at_start": start.drop_duplicates("patient_id").set_index("patient_id")["level"],
               "ever_negative": negative.groupby(before["patient_id"]).max().astype(float),
               "cycles": truth["chemotherapy_cycles"].groupby("patient_id").size().astype(float),
               "mutation": (mutations["variant"] != "none").groupby(mutations["patient_id"]).max().astype(float)}
    found = {}
    for name, values in markers.items():
        mine = made[made["arm"] == IFN].assign(marker=values).dropna(subset="marker")
        time, event = mine["end_day"].to_numpy(), (mine["end"] == "relapse").to_numpy()
        marker = mine["marker"].to_numpy(float)
        # Of two tests that an analyst might choose, the smaller p counts.
        binary = [logrank_p(time, event, marker == 1)] if name in ("ever_negative", "mutation") else []
        found[f"mrd.{name}.all.{IFN}.p"] = min([score_p(time, event, marker), *binary])
    return found


def _prolonged(truth: Tables) -> dict[str, float]:
    """Patients with a run of positive samples under maintenance, long enough and not followed by relapse."""
    days, mrd, made = studies.read("ash2012_reconstructed").mrd["prolonged_days"], _samples(truth), outcomes_of(truth)
    many = 0
    for patient, samples in mrd[mrd["day"] >= 0].groupby("patient_id"):
        if made.loc[patient, "arm"] != IFN:
            continue
        end, relapsed = made.loc[patient, "end_day"], made.loc[patient, "end"] == "relapse"
        samples = samples[samples["day"] <= end]
        run = (samples["state"] == "NEGATIVE").cumsum()[samples["state"] != "NEGATIVE"]
        spans = samples.loc[run.index].groupby(run)["day"].agg(["min", "max", "size"])
        quiet = (end - spans["max"] > days) if relapsed else spans["max"] <= end
        many += bool(((spans["max"] - spans["min"] >= days) & (spans["size"] >= 3) & quiet).any())
    return {f"prolonged.-.mrd_evaluable.{IFN}.patients": many}
