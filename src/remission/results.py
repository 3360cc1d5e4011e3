"""The analysis results dataset: one row a reported number, the only place that notebooks and reports quote from."""

from __future__ import annotations

import fcntl
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pandas as pd

from remission import paths
from remission.store import FLOAT_FORMAT

COLUMNS = ["result_id", "notebook", "analysis", "endpoint", "population", "arm", "statistic", "value", "lower", "upper",
           "unit", "n", "events", "method", "display"]


def row(analysis: str, endpoint: str, population: str, arm: str, statistic: str, value: float, *,
        lower: float = math.nan, upper: float = math.nan, unit: str = "", n: int | None = None,
        events: int | None = None, method: str, display: str) -> dict:
    """One reported number.

    Parameters
    ----------
    analysis, endpoint, population, arm, statistic : str
        Together the row's name: `result_id` is the five joined by dots. `arm` may be a contrast, `A vs B`.
    value, lower, upper : float
        Estimate and interval in `unit`; NaN where not reached or not defined.
    unit : str
        `d` for days; `%`, `p`, `HR`, `n` and so on.
    n, events : int, optional
        Patients and events behind the number.
    method : str
        Estimator and interval in words.
    display : str
        The number as a reader should see it, rounded and with its unit.

    Returns
    -------
    dict
        A row for `frame`.

    Examples
    --------
    >>> row("count", "-", "all", "IM", "n", 12, unit="n", method="count", display="12")["result_id"]
    'count.-.all.IM.n'
    """
    result_id = ".".join([analysis, endpoint, population, arm, statistic])
    return {"result_id": result_id, "notebook": "", "analysis": analysis, "endpoint": endpoint,
            "population": population, "arm": arm, "statistic": statistic, "value": float(value), "lower": float(lower),
            "upper": float(upper), "unit": unit, "n": n, "events": events, "method": method, "display": display}


def frame(rows: Iterable[dict]) -> pd.DataFrame:
    """Rows as a frame with the fixed columns; a name given twice is an error.

    Raises
    ------
    ValueError
        When two rows share a `result_id`.

    Examples
    --------
    >>> frame([]).columns[0]
    'result_id'
    """
    made = pd.DataFrame(list(rows), columns=COLUMNS).astype({"n": "Int64", "events": "Int64"})
    twice = made.loc[made["result_id"].duplicated(), "result_id"]
    if len(twice):
        raise ValueError(f"results named twice: {sorted(set(twice))}")
    return made


def save(rows: pd.DataFrame, cohort: str, notebook: str) -> str:
    """Put a notebook's rows into the cohort's `results.csv`, in place of the rows it had there.

    Parameters
    ----------
    rows : DataFrame
        From `frame`, or several of them concatenated.
    cohort, notebook : str
        Cohort folder; notebook number and name, such as `03_remission_duration`.

    Returns
    -------
    str
        One line for the reader.

    Notes
    -----
    Notebooks may run side by side, so the file is locked while one of them replaces its rows.
    """
    path = paths.processed(cohort) / "results.csv"
    with _locked(cohort):
        mine = frame(rows.assign(notebook=notebook).to_dict("records"))
        kept = load(cohort) if path.is_file() else frame([])
        kept = kept[kept["notebook"] != notebook]
        whole = pd.concat([part for part in (kept, mine) if len(part)]) if len(kept) + len(mine) else mine
        whole = frame(whole.sort_values(["notebook", "result_id"], kind="stable").to_dict("records"))
        with paths.atomic(path) as temporary:
            whole.to_csv(temporary, index=False, float_format=FLOAT_FORMAT, lineterminator="\n")
    return f"{paths.shown(path)}: {len(mine)} rows from {notebook}"


@contextmanager
def _locked(cohort: str) -> Iterator[None]:
    path = paths.build(cohort) / ".results.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prune(cohort: str, notebooks: Iterable[str]) -> int:
    """Drop rows of notebooks that there are no more, such as those of an earlier version; drop a damaged file whole.

    Parameters
    ----------
    cohort : str
    notebooks : iterable of str
        Names that stay.

    Returns
    -------
    int
        Rows dropped.
    """
    path = paths.processed(cohort) / "results.csv"
    if not path.is_file():
        return 0
    with _locked(cohort):
        try:
            found = frame(load(cohort).to_dict("records"))
        except (ValueError, KeyError):  # damaged, so that no notebook could put its rows into it
            path.unlink()
            return 0
        kept = found[found["notebook"].isin(list(notebooks))]
        if len(kept) < len(found):
            with paths.atomic(path) as temporary:
                kept.to_csv(temporary, index=False, float_format=FLOAT_FORMAT, lineterminator="\n")
    return len(found) - len(kept)


def load(cohort: str) -> pd.DataFrame:
    """Read a cohort's `results.csv`."""
    numbers = ["value", "lower", "upper", "n", "events"]
    text = dict.fromkeys((name for name in COLUMNS if name not in numbers), str)
    found = pd.read_csv(paths.processed(cohort) / "results.csv", dtype=text, keep_default_na=False,
                        na_values={name: [""] for name in numbers})
    return found.astype({"value": float, "lower": float, "upper": float, "n": "Int64", "events": "Int64"})[COLUMNS]


def pick(results: pd.DataFrame, result_id: str) -> pd.Series:
    """The one row with this name.

    Raises
    ------
    KeyError
        When there is none.
    """
    found = results[results["result_id"] == result_id]
    if found.empty:
        raise KeyError(f"no result named {result_id}")
    return found.iloc[0]
