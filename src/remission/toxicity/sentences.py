"""Sentences that carry the numbers of this part, so that no number is typed by hand."""

from __future__ import annotations

import pandas as pd

from remission.study import Study
from remission.toxicity.events import ANY_TERM
from remission.toxicity.rates import GRADE3, SERIOUS


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


def overall(rows: pd.DataFrame) -> str:
    """Sentence on patients with any event, and on the bounds of grade 3 or worse; empty without events.

    Examples
    --------
    >>> from remission.results import frame
    >>> overall(frame([]))
    ''
    """
    anybody, severe, hidden = (_picked(rows, "ae", statistic, ANY_TERM) for statistic in (
        "any", "grade3plus", "maybe3plus"))
    if anybody.empty:
        return ""
    tails = [f", and up to {low + high:.0f} if every unknown grade were 3 or more" if high else ""
             for low, high in zip(severe["value"], hidden["value"], strict=True)]
    bounds = "; ".join(f"{_place(low)} {low['display']}{tail}" for (_, low), tail in
                       zip(severe.iterrows(), tails, strict=True))
    return f"Any adverse event: {_listed(anybody)}. Grade 3 or worse: {bounds}."


def readings(rows: pd.DataFrame) -> str:
    """Sentence on unions of terms under each reading of "moderate" and each denominator; empty without any."""
    parts = []
    for name, group in rows[rows["analysis"] == "union"].groupby("endpoint", sort=False):
        said = [f"worst grade {words}: {_listed(group[group['statistic'] == statistic])}" for statistic, words in (
            ("grade2", "exactly 2"), ("grade2plus", "2 or more"))]
        parts.append(f"**{name}**, {'. Read as '.join(said)}")
    return f"{'. '.join(parts)}." if parts else ""


def rates(rows: pd.DataFrame) -> str:
    """Sentence on first events over the time to them: any, grade 3 or worse, serious; empty without any."""
    parts = []
    for heading in (ANY_TERM, GRADE3, SERIOUS):
        chosen = _picked(rows, "ae_rate", "patients", heading)
        parts += [f"**{heading}**: {_listed(chosen)}"] if len(chosen) else []
    return f"Patients with a first event. {'. '.join(parts)}." if parts else ""


def first_events(rows: pd.DataFrame, month: float = 12) -> str:
    """Sentence on the cumulative incidence of the first event of each kind at one month; empty without any."""
    chosen = _picked(rows, "ae_first", f"incidence[{month:g} months]")
    parts = [f"**{kind}**: {_listed(group)}" for kind, group in chosen.groupby("endpoint", sort=False)]
    return f"Within {month:g} months of the first dose. {'. '.join(parts)}." if parts else ""


def serious(rows: pd.DataFrame) -> str:
    """Sentence on patients with a serious event; empty without a table of events."""
    chosen = _picked(rows, "ae_serious", "patients", SERIOUS)
    return f"Any serious adverse event: {_listed(chosen)}." if len(chosen) else ""


def courses(table: pd.DataFrame) -> str:
    """Sentence on how many events were still open, from `event_course.course_table`; empty without events."""
    chosen = table[table["AEDECOD"] == ANY_TERM]
    tails = [f" ({number} more of unknown length)" if number else "" for number in chosen["unknown"]]
    parts = [f"{one.TRT01A} {one.open} of {one.events}{tail}" for one, tail in
             zip(chosen.itertuples(), tails, strict=True) if one.events]
    return f"Events without an end on record: {'; '.join(parts)}." if parts else ""


def rare(table: pd.DataFrame) -> str:
    """Sentence on what a count of nothing allows, one for each number of patients; empty without a zero.

    Parameters
    ----------
    table : DataFrame
        From `rare.rare_table`.
    """
    zeros = table[table["patients"] == 0].drop_duplicates("N").sort_values("N")
    parts = [f"**0 of {one.N}** is compatible with a true rate of up to {one.exact_upper:.1f}% (exact, two-sided 95%; "
             f"{one.one_sided_upper:.1f}% one-sided; {one.rule_of_three:.1f}% by the rule of three). An event that "
             f"strikes {one.shown_once:.1f}% of patients, or more, would have shown at least once with 95% "
             f"probability; a rarer one may have been missed" for one in zeros.itertuples()]
    return f"{'. '.join(parts)}." if parts else ""


def contrasts(table: pd.DataFrame) -> str:
    """Sentence that goes with `contrasts.contrast_table`: the warning, and how many p are low; empty if none."""
    if table.empty:
        return ""
    low = int((table["fisher_p"] < 0.05).sum())
    return (f"**{table['warning'].iloc[0]}** Of {len(table)} comparisons, {low} have p below 0.05, unadjusted; up to "
            "one in twenty would by chance alone if the arms were alike.")
