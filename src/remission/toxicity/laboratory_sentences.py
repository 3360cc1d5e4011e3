"""Sentences on laboratory toxicity, made from result rows so that no number is typed by hand."""

from __future__ import annotations

import pandas as pd

from remission import ctcae
from remission.study import Study
from remission.toxicity.worst import VERSIONS


def _rows(rows: pd.DataFrame, analysis: str, statistic: str) -> pd.DataFrame:
    return rows[(rows["analysis"] == analysis) & (rows["statistic"] == statistic) & (rows["population"] == "all")]


def _arms(rows: pd.DataFrame) -> str:
    return "; ".join(f"{one.arm} {one.display}" for one in rows.itertuples())


def _name(test: str) -> str:
    return ctcae.LABELS.get(test, test)


def worst(rows: pd.DataFrame, study: Study, period: str = "maintenance") -> str:
    """Sentences on grade 3 or 4 in blood counts, liver and kidney tests; empty without any.

    Parameters
    ----------
    rows : DataFrame
        Result rows of `laboratory_results`, through `results.frame`.
    study : Study
    period : str
        `maintenance` or `frontline`.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.results import frame
    >>> worst(frame([]), Study("mine", "own", "", "", ()))
    ''
    """
    analysis = "laboratory" if period == "maintenance" else f"laboratory_{period}"
    severe = _rows(rows, analysis, "grade3plus")
    severe = severe[~severe["endpoint"].str.contains(" CTCAE ")]
    if severe.empty:
        return ""
    wide = severe.groupby("endpoint", sort=False)["events"].sum()
    seen = [f"**{_name(test)}** {_arms(severe[severe['endpoint'] == test])}" for test in wide.index[wide > 0]]
    clear = [_name(test) for test in wide.index[wide == 0]]
    when = "under maintenance" if period == "maintenance" else "up to the time origin"
    said = f"Worst grade 3 or 4 {when}, CTCAE {study.ctcae_version}. {'. '.join(seen)}" if seen else (
        f"Nobody is known to have reached grade 3 in any test {when}, CTCAE {study.ctcae_version}")
    return f"{said}. Nobody is known to have reached grade 3 in: {', '.join(clear)}." if seen and clear else f"{said}."


def unknown(rows: pd.DataFrame) -> str:
    """Sentence on patients whose worst grade is not known; says so when there is none, empty without any result."""
    found = _rows(rows, "laboratory", "unknown")
    if found.empty:
        return ""
    hidden = found[found["events"] > 0]
    parts = [f"{_name(test)}: {_arms(group)}" for test, group in hidden.groupby("endpoint", sort=False)]
    return (f"Worst grade unknown, which is not grade 0. {'. '.join(parts)}." if parts else
            "Every patient has a worst grade in every test: no grade is unknown.")


def shift(rows: pd.DataFrame, study: Study) -> str:
    """Sentence on worst grades above the baseline grade, and on those that went from below 3 to 3 or 4."""
    worse, severe = _rows(rows, "shift", "worse"), _rows(rows, "shift", "to3plus")
    if worse.empty:
        return ""
    order = worse.groupby("endpoint", sort=False)["events"].sum()
    first = worse[worse["endpoint"].isin(order.index[order == order.max()])]
    names = [f"{_name(test)} ({_arms(group)})" for test, group in first.groupby("endpoint", sort=False)]
    said = ["No worst grade is above its baseline grade" if order.max() == 0 else
            f"Most often worse than at baseline: {' and '.join(names)}"]
    to = severe[severe["endpoint"].isin(severe.groupby("endpoint")["events"].sum()[lambda total: total > 0].index)]
    parts = [f"{_name(test)} {_arms(group)}" for test, group in to.groupby("endpoint", sort=False)]
    said.append(f"From below grade 3 to grade 3 or 4: {'. '.join(parts)}" if parts else
                "Nobody is known to have gone from below grade 3 to grade 3 or 4")
    return f"{'. '.join(said)}. CTCAE {study.ctcae_version}."


def versions(rows: pd.DataFrame, study: Study) -> str:
    """Sentence on how many patients change grade under each other version, by test; empty without any result."""
    found = rows[rows["analysis"] == "version"]
    if found.empty:
        return ""
    parts = []
    for version in (one for one in VERSIONS if one != study.ctcae_version):
        mine = found[found["statistic"] == f"changed[CTCAE {version}]"]
        totals = mine.groupby("endpoint", sort=False)[["events", "n"]].sum()
        said = [f"{_name(test)} {one['events']} of {one['n']}" for test, one in totals.iterrows() if one["events"]]
        parts.append(f"CTCAE {version}: {', '.join(said) or 'nobody'}")
    return f"Patients whose worst grade is not that of CTCAE {study.ctcae_version}. {'. '.join(parts)}."


def liver(rows: pd.DataFrame) -> str:
    """Sentence on the screen for serious liver injury; empty without liver tests."""
    both, hidden = _rows(rows, "liver", "both"), _rows(rows, "liver", "unknown")
    if both.empty:
        return ""
    lost = int(hidden["events"].sum())
    tail = f" {lost} patient{'s' if lost > 1 else ''} could not be placed for want of a value." if lost else ""
    return f"Peak ALT or AST above 3 x ULN together with peak bilirubin above 2 x ULN: {_arms(both)}.{tail}"
