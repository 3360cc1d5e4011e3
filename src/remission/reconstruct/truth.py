"""The clean truth: ten tables in the form that cleaning must give back."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pandas as pd

from remission import paths, schema
from remission.reconstruct import molecular, outcomes, patients, safety, treatment
from remission.reconstruct.check import check

COHORT = "ash2012_reconstructed"
#: Seed of the committed tables: the number of the abstract.
SEED = 1503
CAUSES = ("pneumonia", "myocardial infarction", "stroke", "colorectal carcinoma", "cardiac failure")


def claims() -> pd.DataFrame:
    """Read the printed claims as text, one row a claim.

    Examples
    --------
    >>> claims().set_index("id").loc["R01", ["lower", "upper"]].tolist()
    ['2.15', '2.25']
    """
    return pd.read_csv(paths.raw(COHORT) / "claims.csv", dtype=str, keep_default_na=False)


def design() -> pd.DataFrame:
    """Read what the claims leave open and a plausible cohort needs, in the same form."""
    with (resources.files("remission") / "data" / "reconstruct_design.csv").open(encoding="utf-8") as source:
        return pd.read_csv(source, dtype=str, keep_default_na=False)


def truth(seed: int) -> dict[str, pd.DataFrame]:
    """Make the clean truth.

    Parameters
    ----------
    seed : int

    Returns
    -------
    dict of DataFrame
        The ten raw tables in clean form: canonical words, typed, dates and their day twins, sorted by key.

    Raises
    ------
    RuntimeError
        When the search finds no cohort that satisfies the claims, or when the finished tables miss one.

    Examples
    --------
    >>> [len(truth(SEED)[name]) for name in ("patients", "remission_events")]
    [31, 22]
    """
    printed = claims()
    wanted = outcomes.targets(printed, design())
    plan = patients.plan(outcomes.search(wanted, seed), wanted, seed)
    rng = np.random.default_rng([seed, 10])
    dosing, counts = treatment.dosing(plan, seed), safety.laboratory(plan, seed)
    tables = {
        "patients": _patients(plan), "chemotherapy_cycles": treatment.cycles(plan, seed), "dosing": dosing,
        "adverse_events": safety.adverse_events(plan, dosing, counts, seed), "laboratory": counts,
        "mrd": molecular.samples(plan, seed), "mutations": molecular.mutations(plan, seed),
        "remission_events": _relapses(plan), "disposition": _disposition(plan, rng),
        "procedures": treatment.procedures(plan, seed),
    }
    made = {name: _clean_form(frame, name, plan["origin"]) for name, frame in tables.items()}
    held = check(made, printed)
    if not held["reading_holds"].all():
        missed = ", ".join(held.loc[~held["reading_holds"], "id"])
        raise RuntimeError(f"the finished tables miss claims {missed} (seed {seed})")
    return made


def sizes(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows and patients of each table.

    Examples
    --------
    >>> sizes({"t": pd.DataFrame({"patient_id": ["A", "A"]})}).to_dict("records")
    [{'table': 't', 'rows': 2, 'patients': 1}]
    """
    return pd.DataFrame([{"table": name, "rows": len(frame), "patients": frame["patient_id"].nunique()}
                         for name, frame in tables.items()])


def _patients(plan: pd.DataFrame) -> pd.DataFrame:
    made = plan.reset_index()[["patient_id", "arm", "sex", "age", "cr_day", "transcript"]]
    return made.assign(birth_year=pd.NA, diagnosis_day=-plan["lead"].to_numpy(), maintenance_start_day=0)


def _relapses(plan: pd.DataFrame) -> pd.DataFrame:
    relapsed = plan[plan["end"] == "relapse"].reset_index()
    return relapsed[["patient_id", "site"]].assign(day=relapsed["end_day"], event="relapse")


def _disposition(plan: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    made = plan.reset_index()
    relapsed = made["end"] == "relapse"
    status = np.select([made["dead"] & relapsed, made["dead"], relapsed],
                       ["died after relapse", "died in remission", "alive after relapse"], "alive in remission")
    cause = np.where(made["dead"] & relapsed, "leukaemia", None)
    others = (made["dead"] & ~relapsed).to_numpy()
    cause[others] = rng.choice(CAUSES, others.sum(), replace=False)
    return pd.DataFrame({"patient_id": made["patient_id"], "last_contact_day": made["last_day"], "status": status,
                         "death_day": made["last_day"].astype("Int64").where(made["dead"]), "cause_of_death": cause})


def _clean_form(frame: pd.DataFrame, name: str, origin: pd.Series) -> pd.DataFrame:
    """Columns of the contract in order, each date beside its day; for `mrd` state and ratio stand for result_text."""
    table = schema.RAW[name]
    made = {}
    start = frame["patient_id"].map(origin)
    for column in table.columns:
        if column.kind == "date":
            twin = schema.DAY_COLUMN[column.name]
            day = frame[twin].astype("Int64")
            # Whole days: pandas rounds floats, and what it leaves in the place of a NaN can overflow.
            date = start + pd.to_timedelta(day.fillna(0).astype("int64"), unit="D")
            made[column.name] = date.where(day.notna()).astype("datetime64[ns]")
            made[twin] = day
        elif column.name == "result_text":
            made["state"], made["ratio"] = frame["state"].astype(object), frame["ratio"].astype(float)
        else:
            kind = {"integer": "Int64", "number": "float64"}.get(column.kind, object)
            made[column.name] = frame[column.name].astype(kind)
    return pd.DataFrame(made).sort_values(list(table.key), kind="stable").reset_index(drop=True)
