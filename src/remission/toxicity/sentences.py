"""Sentences that carry the numbers of this part, so that no number is typed by hand."""

from __future__ import annotations

import pandas as pd

from remission.study import Study


def _picked(rows: pd.DataFrame, analysis: str, statistic: str, endpoint: str | None = None) -> pd.DataFrame:
    chosen = rows[(rows["analysis"] == analysis) & (rows["statistic"] == statistic)]
    return chosen if endpoint is None else chosen[chosen["endpoint"] == endpoint]


def _place(one: pd.Series) -> str:
    return f"{one['arm']} ({'evaluable for interferon' if one['population'] == 'ifn_evaluable' else 'all treated'})"


def _listed(rows: pd.DataFrame) -> str:
    return "; ".join(f"{_place(one)} {one['display']}" for _, one in rows.iterrows())


def reductions(rows: pd.DataFrame) -> str:
    """Sentence on dose reductions for adverse events, from result rows; empty without any.

    Examples
    --------
    >>> from remission.results import frame
    >>> reductions(frame([]))
    ''
    """
    chosen = _picked(rows, "reduction", "patients")
    parts = [f"**{drug}**: {_listed(group)}" for drug, group in chosen.groupby("endpoint", sort=False)]
    return f"Dose reduced, interrupted or stopped for an adverse event. {'. '.join(parts)}." if parts else ""


def unions(rows: pd.DataFrame) -> str:
    """Sentence on unions of terms at worst grade 2, under every denominator; empty without any."""
    chosen = _picked(rows, "union", "grade2")
    parts = [f"**{name}**, worst grade exactly 2: {_listed(group)}" for name, group in
             chosen.groupby("endpoint", sort=False)]
    return f"{'. '.join(parts)}." if parts else ""


def cytopenia(rows: pd.DataFrame, study: Study) -> str:
    """Sentence on grade 3 and grade 4 cytopenia under the study's version; empty without any."""
    third, fourth = (_picked(rows, "cytopenia", statistic, "-") for statistic in ("grade3", "grade4"))
    if third.empty:
        return ""
    return (f"Under CTCAE {study.ctcae_version}, worst cytopenia of grade 3: {_listed(third)}. "
            f"Of grade 4: {_listed(fourth)}.")


def delivery(rows: pd.DataFrame) -> str:
    """Sentence on planned, first and highest doses and on who reached the target; empty without any."""
    chosen = rows[rows["analysis"] == "dose"]
    words = {"start": "first dose", "target": "highest dose", "planned": "dose", "at_target": "ever at target"}
    parts = []
    for (drug, arm, code), group in chosen.groupby(["endpoint", "arm", "population"], sort=False):
        facts = ", ".join(f"{words[one['statistic']]} {one['display']}" for _, one in group.iterrows())
        parts.append(f"**{drug}**, {_place(pd.Series({'arm': arm, 'population': code}))}: {facts}")
    return f"{'. '.join(parts)}." if parts else ""


def intensity(rows: pd.DataFrame) -> str:
    """Sentence on median relative dose intensity by reading; empty without any."""
    chosen = rows[rows["analysis"] == "rdi"]
    parts = []
    for (drug, arm, code), group in chosen.groupby(["endpoint", "arm", "population"], sort=False):
        facts = ", ".join(f"{one['statistic'].removeprefix('median[').removesuffix(']')} {one['display']}"
                          for _, one in group.iterrows())
        parts.append(f"**{drug}**, {_place(pd.Series({'arm': arm, 'population': code}))}: {facts}")
    return f"Median relative dose intensity. {'. '.join(parts)}." if parts else ""


def versions(changed: pd.DataFrame, n: int) -> str:
    """Sentence on how many patients change grade with the version of the criteria.

    Parameters
    ----------
    changed : DataFrame
        From `toxicity.version_changes`.
    n : int
        Patients of the safety population.
    """
    return f"The worst cytopenia grade of {len(changed)} of {n} patients depends on the version of the criteria."
