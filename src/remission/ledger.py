"""The claim ledger: each printed number against the recomputed one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import paths
from remission.study import DAYS, Study

COLUMNS = ["id", "topic", "arm", "quantity", "printed", "unit", "lower", "upper", "upper_open", "denominator",
           "reading", "result_id", "reading_result_id", "reading_lower", "reading_upper", "conflicts_with", "why_not",
           "note"]
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


def save(ledger: pd.DataFrame, study: Study) -> str:
    """Write the settled claims as `claims.csv` and the verdict as `verdict.txt`.

    Returns
    -------
    str
        One line for the reader.
    """
    from remission import store

    said = store.write(ledger, study.name, "claims")
    with paths.atomic(paths.processed(study.name) / "verdict.txt") as temporary:
        temporary.write_text(verdict(ledger, study) + "\n", encoding="utf-8")
    return said
