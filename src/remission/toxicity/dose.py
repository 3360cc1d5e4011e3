"""Dose delivery: escalation, reductions for adverse events, dose intensity against each plan and denominator."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from remission.adam.adex import planned_dose
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import count_result, is_interferon, population, with_interval

#: Columns of a relative dose intensity, and what each is read against.
INTENSITIES = {"RDI": "to stop", "RDIMT": "to end of maintenance", "RDIRAMP": "ramp plan",
               "RDIRAMPMT": "ramp plan to end of maintenance"}
#: The same in the words of a table: plan, period.
PLANS = {"RDI": ("target from day 1", "to the drug's stop"), "RDIRAMP": ("with its ramp", "to the drug's stop"),
         "RDIMT": ("target from day 1", "to the end of maintenance"),
         "RDIRAMPMT": ("with its ramp", "to the end of maintenance")}


def _groups(adex: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Iterator[tuple[str, str, str, int, pd.DataFrame]]:
    """Drug, population, arm, N of the subject table, and the exposure rows of those patients."""
    for drug in [*study.dose_plans, *sorted(set(adex["EXDRUG"]) - set(study.dose_plans))]:
        mine = adex[adex["EXDRUG"] == drug]
        for code in ("ifn_evaluable", "all") if is_interferon(drug) else ("all",):
            subjects = population(adsl, code)
            for arm in study.arm_keys:
                ids = subjects.loc[subjects["TRT01A"] == arm, "USUBJID"]
                rows = mine[mine["USUBJID"].isin(ids)]
                if len(rows):
                    yield drug, code, arm, len(ids), rows


def delivery_table(adex: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """First, highest and planned dose, and who reached the target.

    Parameters
    ----------
    adex, adsl : DataFrame
    study : Study
        Plans in `dose_plans`.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N, treated, unit, plan_start, plan_target, first_dose and highest_dose (the commonest
        among treated patients, the larger on a tie), at_target (patients ever at the target), percentage and exact
        limits (%), median_target_day (among those who reached it), first_min, first_max, highest_min, highest_max.
    """
    made = []
    for drug, code, arm, n, rows in _groups(adex, adsl, study):
        plan, treated = study.dose_plans.get(drug, {}), rows[rows["STDY"].notna()]
        made.append({
            "drug": drug, "population": code, "TRT01A": arm, "N": n, "treated": len(treated),
            "unit": rows["EXDOSU"].iloc[0], "plan_start": plan.get("start", float("nan")),
            "plan_target": plan.get("target", float("nan")), "first_dose": treated["STDOSE"].mode().max(),
            "highest_dose": treated["MXDOSE"].mode().max(), "at_target": int(rows["TARGETDY"].notna().sum()),
            "median_target_day": rows["TARGETDY"].astype(float).dropna().median(), "first_min": treated["STDOSE"].min(),
            "first_max": treated["STDOSE"].max(), "highest_min": treated["MXDOSE"].min(),
            "highest_max": treated["MXDOSE"].max()})
    return with_interval(pd.DataFrame(made), "at_target") if made else pd.DataFrame(columns=["drug", "population", "N"])


def reduction_table(adex: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients whose dose was reduced, interrupted or stopped for an adverse event.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, N, patients, percentage and exact limits (%), median_day and range of the first such
        day (among those patients; days from the time origin).
    """
    made = []
    for drug, code, arm, n, rows in _groups(adex, adsl, study):
        days = rows.loc[rows["REDAEFL"] == "Y", "REDAEDY"].astype(float)
        made.append({"drug": drug, "population": code, "TRT01A": arm, "N": n, "patients": len(days),
                     "median_day": days.median(), "first_day": days.min(), "last_day": days.max()})
    return with_interval(pd.DataFrame(made), "patients") if made else pd.DataFrame(columns=["drug", "population", "N"])


def intensity_table(adex: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Relative dose intensity in %, by plan and denominator.

    Returns
    -------
    DataFrame
        drug, population, TRT01A, reading (to stop: plan at target from day 1, until the drug's last dose; to end of
        maintenance: the same plan until the last dose of any drug, zeros after the stop; ramp plan, ramp plan to end of
        maintenance: the same two periods, plan with its ramp, for drugs that have one), n (patients with a value),
        median, min, q25, q75, max (%), below80 (patients under 80%), weekly_median (median dose a week, in the drug's
        unit, over the same days).
    """
    made = []
    for drug, code, arm, _, rows in _groups(adex, adsl, study):
        plan = study.dose_plans.get(drug, {})
        for column, reading in INTENSITIES.items():
            if "RAMP" in column and not plan.get("ramp_days"):
                continue
            share = _to_the_end(rows, plan) if column == "RDIRAMPMT" else rows[column]
            percent = 100 * share.astype(float).dropna()
            weekly = rows["CUMDOSE"] / (rows["MTDAYS"].astype(float) / 7) if column.endswith("MT") else rows["DI"]
            made.append({"drug": drug, "population": code, "TRT01A": arm, "reading": reading, "n": len(percent),
                         "median": percent.median(), "min": percent.min(), "q25": percent.quantile(0.25),
                         "q75": percent.quantile(0.75), "max": percent.max(), "below80": int((percent < 80).sum()),
                         "weekly_median": weekly.astype(float).dropna().median()})
    return pd.DataFrame(made) if made else pd.DataFrame(columns=["drug", "population", "n"])


def _to_the_end(rows: pd.DataFrame, plan: dict) -> pd.Series:
    """Delivered over planned with the ramp, to the end of maintenance."""
    return rows["CUMDOSE"] / planned_dose(rows["MTDAYS"], plan, ramp=True)


def intensity_layout(table: pd.DataFrame) -> pd.DataFrame:
    """Set `intensity_table` for readers: a row a plan and period, a column a drug and arm.

    Parameters
    ----------
    table : DataFrame
        From `intensity_table`.

    Returns
    -------
    DataFrame
        plan, period, and for each drug, population and arm: median (range), patients below 80%. No rows without doses.
    """
    if table.empty:
        return pd.DataFrame(columns=["plan", "period"])
    words = {reading: PLANS[column] for column, reading in INTENSITIES.items()}
    said = [f"{one.median:.0f}% ({one.min:.0f} to {one.max:.0f}); {one.below80} of {one.n} below 80%" if one.n else
            "no patient had the drug" for one in table.itertuples()]
    heads = [f"{one.drug}, {one.TRT01A}" + (" (evaluable)" if one.population == "ifn_evaluable" else "")
             for one in table.itertuples()]
    long = table.assign(said=said, head=heads, order=[list(words).index(one) for one in table["reading"]])
    wide = long.pivot_table(index="order", columns="head", values="said", aggfunc="first", sort=False)
    wide = wide.sort_index()[list(dict.fromkeys(heads))].fillna("no ramp planned")
    wide.insert(0, "plan", [list(words.values())[place][0] for place in wide.index])
    wide.insert(1, "period", [list(words.values())[place][1] for place in wide.index])
    return wide.reset_index(drop=True).rename_axis(columns=None)


def delivery_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `delivery_table`: `dose.<drug>.<population>.<arm>.start|target|planned|at_target`.

    Interferon has start and target; a drug with one planned dose has `planned`, its commonest first dose. A drug that
    nobody was given has `at_target` alone.
    """
    rows = []
    for one in table.itertuples():
        stepped = one.plan_start != one.plan_target or is_interferon(one.drug)
        wanted = {"start": ("first_dose", "first"), "target": ("highest_dose", "highest")} if stepped else {
            "planned": ("first_dose", "first")}
        for statistic, (column, words) in wanted.items() if one.treated else ():
            low, high = getattr(one, f"{words}_min"), getattr(one, f"{words}_max")
            rows.append(row("dose", one.drug, one.population, one.TRT01A, statistic, getattr(one, column), lower=low,
                            upper=high, unit=one.unit, n=one.treated,
                            method=f"commonest {words} dose recorded, with range",
                            display=f"{getattr(one, column):g} {one.unit} (range {low:g} to {high:g})"))
        rows.append(count_result(("dose", one.drug, one.population, one.TRT01A, "at_target"), one.at_target, one.N,
                                 "patients ever at the target dose; Clopper-Pearson interval on the percentage"))
    return rows


def reduction_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `reduction_table`: `reduction.<drug>.<population>.<arm>.patients`."""
    method = "dose reduced, interrupted or stopped for an adverse event; Clopper-Pearson interval on the percentage"
    return [count_result(("reduction", one.drug, one.population, one.TRT01A, "patients"), one.patients, one.N, method)
            for one in table.itertuples()]


def intensity_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `intensity_table`: `rdi.<drug>.<population>.<arm>.median[<reading>]`, limits are the range."""
    return [row("rdi", one.drug, one.population, one.TRT01A, f"median[{one.reading}]", one.median, lower=one.min,
                upper=one.max, unit="%", n=one.n, method="median and range of relative dose intensity",
                display=f"{one.median:.0f}% (range {one.min:.0f} to {one.max:.0f}, n = {one.n})" if one.n else
                "no patient had the drug")
            for one in table.itertuples()]
