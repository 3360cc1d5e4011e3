"""The claim ledger: each printed number against the recomputed one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import paths
from remission.study import DAYS, Study

COLUMNS = ["id", "topic", "arm", "quantity", "printed", "unit", "lower", "upper", "upper_open", "denominator",
           "reading", "result_id", "reading_result_id", "reading_lower", "reading_upper", "conflicts_with", "why_not",
           "note"]
READING_COLUMNS = ["id", "issue", "reading", "role", "result_id", "lower", "upper", "upper_open"]
SETTLED_READINGS = ["id", "quantity", "arm", "printed", "unit", "issue", "reading", "role", "result_id", "value",
                    "display", "notebook", "answer"]
SUMMARY = ["id", "quantity", "arm", "printed", "primary", "holds", "answered", "under"]
#: What a reading of a claim can come to.
ANSWERS = ("holds", "does not hold", "no result")
STATUSES = ("reproduced", "contradicted", "not checkable", "not reproduced")
_UNITS = {"y": "year", "yr": "year", "mo": "month", "d": "day", **{unit + "s": unit for unit in DAYS}}


def read_claims(study: Study) -> pd.DataFrame:
    """Read a cohort's `claims.csv`; a cohort without printed claims has an empty one.

    Returns
    -------
    DataFrame
        One row a claim, columns `COLUMNS`; bounds as numbers, the rest text.
    """
    path = paths.raw(study.name) / "claims.csv"
    if not path.is_file():
        return pd.DataFrame(columns=COLUMNS)
    claims = pd.read_csv(path, dtype=str, keep_default_na=False)[COLUMNS]
    for column in ("lower", "upper", "reading_lower", "reading_upper"):
        claims[column] = pd.to_numeric(claims[column], errors="raise").astype(float)
    return claims


def settle(claims: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Hold every claim against the recomputed number.

    Parameters
    ----------
    claims : DataFrame
        From `read_claims`.
    results : DataFrame
        From `results.load`.

    Returns
    -------
    DataFrame
        The claims with `value` (recomputed, in the claim's unit), `display`, `notebook`, `status` and `why`. A claim
        is reproduced inside its rounding interval; contradicted when it is outside and another printed claim cannot
        hold together with it; not checkable when the tables cannot answer it; not reproduced otherwise, which is a
        fault.
    """
    found = results.set_index("result_id")
    made = claims.copy()
    made["value"] = _value(made["result_id"], made["unit"], found)
    reading = _value(made["reading_result_id"], made["unit"], found)
    for column in ("display", "notebook"):
        made[column] = made["result_id"].map(found[column]).fillna("")
    inside = _inside(made["value"], made["lower"], made["upper"], made["upper_open"] == "Y")
    made["reading_holds"] = _inside(reading, made["reading_lower"].fillna(made["lower"]),
                                    made["reading_upper"].fillna(made["upper"]), made["upper_open"] == "Y")
    asked, at_odds = made["result_id"] != "", made["conflicts_with"] != ""
    made["status"] = np.select([~asked, inside, at_odds & made["value"].notna()],
                               ["not checkable", "reproduced", "contradicted"], "not reproduced")
    made["why"] = np.select(
        [~asked, inside, made["status"] == "contradicted", made["value"].isna()],
        [made["why_not"], "inside the printed rounding",
         "by " + made["conflicts_with"] + np.where(made["reading_holds"], "; holds if read as: " + made["reading"], ""),
         "no result named " + made["result_id"]], "outside the printed rounding")
    return made


def _value(ids: pd.Series, unit: pd.Series, found: pd.DataFrame) -> pd.Series:
    value = ids.map(found["value"]).astype(float)
    per = unit.map(lambda name: DAYS.get(_UNITS.get(name, name), np.nan)).astype(float)
    return value.where(ids.map(found["unit"]) != "d", value / per)


def _inside(value: pd.Series, lower: pd.Series, upper: pd.Series, is_open: pd.Series) -> pd.Series:
    # A bound is a decimal half: a hair of tolerance keeps binary fractions from deciding.
    slack = 1e-9 * np.maximum(1, value.abs())
    return (value >= lower - slack) & np.where(is_open, value < upper - slack, value <= upper + slack)


def read_readings(study: Study) -> pd.DataFrame:
    """Read a cohort's `readings.csv`: every way in which a claim may be read, with the result that answers it.

    Returns
    -------
    DataFrame
        One row a claim and reading, columns `READING_COLUMNS`; `role` is primary or sensitivity. Bounds where they
        differ from the claim's. No rows when the cohort has no such file.

    Examples
    --------
    >>> from remission.study import read
    >>> read_readings(read("freireich1963")).empty
    True
    """
    path = paths.raw(study.name) / "readings.csv"
    if not path.is_file():
        return pd.DataFrame(columns=READING_COLUMNS)
    readings = pd.read_csv(path, dtype=str, keep_default_na=False)[READING_COLUMNS]
    for column in ("lower", "upper"):
        readings[column] = pd.to_numeric(readings[column], errors="raise").astype(float)
    return readings


def settle_readings(claims: pd.DataFrame, readings: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Hold every reading of every claim against the recomputed number.

    Parameters
    ----------
    claims : DataFrame
        From `read_claims`.
    readings : DataFrame
        From `read_readings`.
    results : DataFrame
        From `results.load`.

    Returns
    -------
    DataFrame
        Columns `SETTLED_READINGS`, one row a claim and reading: `value` in the claim's unit, and `answer`, one of
        `ANSWERS`. The claim's own status, which `settle` gives, does not depend on it.

    Raises
    ------
    ValueError
        When a reading belongs to no claim.

    Examples
    --------
    >>> settle_readings(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=READING_COLUMNS),
    ...                 pd.DataFrame(columns=["result_id", "value", "unit", "display", "notebook"])).empty
    True
    """
    strays = sorted(set(readings["id"]) - set(claims["id"]))
    if strays:
        raise ValueError(f"readings of claims that do not exist: {strays}")
    found = results.set_index("result_id")
    made = readings.merge(claims[["id", "quantity", "arm", "printed", "unit", "lower", "upper", "upper_open"]], on="id",
                          how="left", suffixes=("", "_claim"), validate="many_to_one")
    own = made["lower"].notna()
    lower, upper = (made[bound].where(own, made[f"{bound}_claim"]).astype(float) for bound in ("lower", "upper"))
    made["value"] = _value(made["result_id"], made["unit"], found)
    for column in ("display", "notebook"):
        made[column] = made["result_id"].map(found[column]).fillna("")
    inside = _inside(made["value"], lower, upper, made["upper_open"].where(own, made["upper_open_claim"]) == "Y")
    made["answer"] = np.select([inside, made["result_id"].isin(found.index)], ANSWERS[:2], ANSWERS[2])
    return made[SETTLED_READINGS]


def readings_summary(settled: pd.DataFrame) -> pd.DataFrame:
    """One line a claim that has more than one reading.

    Parameters
    ----------
    settled : DataFrame
        From `settle_readings`.

    Returns
    -------
    DataFrame
        Columns `SUMMARY`: the answer under the primary reading, the number of readings that hold and that were
        answered, and `under`: which hold, in words, where they are the minority; otherwise which do not.

    Examples
    --------
    >>> readings_summary(pd.DataFrame(columns=SETTLED_READINGS)).empty
    True
    """
    rows = []
    for _, mine in settled.groupby("id", sort=False):
        answered = mine[mine["answer"] != ANSWERS[2]]
        if len(mine) < 2:
            continue
        holds = answered["answer"] == ANSWERS[0]
        few = holds if holds.sum() * 2 <= len(holds) else ~holds
        words = "" if holds.all() or not holds.any() else ("" if few is holds else "not: ") + "; ".join(
            answered.loc[few, "reading"])
        first = mine.iloc[0]
        primary = mine.loc[mine["role"] == "primary", "answer"]
        rows.append({**first[["id", "quantity", "arm", "printed"]], "primary": ", ".join(primary),
                     "holds": int(holds.sum()), "answered": len(answered), "under": words})
    return pd.DataFrame(rows, columns=SUMMARY)


def readings_verdict(settled: pd.DataFrame) -> str:
    """Say which claims hold whatever they meant, which under one reading only, and which under none.

    Parameters
    ----------
    settled : DataFrame
        From `settle_readings`.

    Returns
    -------
    str

    Examples
    --------
    >>> readings_verdict(pd.DataFrame(columns=SETTLED_READINGS))
    'No claim of this cohort has a second reading on file.'
    """
    summary = readings_summary(settled)
    if summary.empty:
        return "No claim of this cohort has a second reading on file."
    sure = summary["answered"] > 1
    groups = {"under every reading that was answered": summary["holds"] == summary["answered"],
              "under one reading only": summary["holds"] == 1,
              "under some, two or more": (summary["holds"] > 1) & (summary["holds"] < summary["answered"]),
              "under none": summary["holds"] == 0}
    said = [f"{where}: {', '.join(summary.loc[sure & group, 'id'])}" for where, group in groups.items()
            if (sure & group).any()]
    primary = sure & (summary["holds"] == 1) & (summary["primary"] == ANSWERS[0])
    missing = int((settled["answer"] == ANSWERS[2]).sum())
    return (f"Of {len(summary)} claims with more than one reading, these hold {'; '.join(said)}."
            + (f" Where one reading alone holds, it is the primary one for {', '.join(summary.loc[primary, 'id'])}."
               if primary.any() else "")
            + (f" {missing} reading{'s' if missing > 1 else ''} found no result." if missing else ""))


def verdict(ledger: pd.DataFrame, study: Study) -> str:
    """The ledger in one line.

    Examples
    --------
    >>> from remission.study import read
    >>> verdict(pd.DataFrame({"status": ["reproduced"]}), read("freireich1963"))
    'freireich1963: 1 claim: 1 reproduced, 0 contradicted, 0 not checkable.'
    """
    if ledger.empty:
        return f"{study.name}: no printed claims to hold against the results."
    counts = ledger["status"].value_counts()
    said = ", ".join(f"{counts.get(status, 0)} {status}" for status in STATUSES[:3])
    missed = f", {counts[STATUSES[3]]} NOT REPRODUCED" if STATUSES[3] in counts else ""
    synthetic = study.kind == "reconstructed"
    note = " Synthetic cohort: agreement is by construction and is no evidence." if synthetic else ""
    return f"{study.name}: {len(ledger)} claim{'s' if len(ledger) > 1 else ''}: {said}{missed}.{note}"


def save(ledger: pd.DataFrame, study: Study, readings: pd.DataFrame | None = None) -> str:
    """Write the settled claims as `claims.csv`, their readings as `readings.csv` and the verdict as `verdict.txt`.

    Parameters
    ----------
    ledger : DataFrame
        From `settle`.
    study : Study
    readings : DataFrame, optional
        From `settle_readings`; without rows, a file of an earlier run is removed.

    Returns
    -------
    str
        One line a file for the reader.
    """
    from remission import store

    said = store.write(ledger, study.name, "claims")
    if readings is not None and len(readings):
        said += "\n" + store.write(readings, study.name, "readings")
    elif readings is not None:
        paths.remove(paths.processed(study.name) / "readings.csv")
    with paths.atomic(paths.processed(study.name) / "verdict.txt") as temporary:
        temporary.write_text(verdict(ledger, study) + "\n", encoding="utf-8")
    return said
