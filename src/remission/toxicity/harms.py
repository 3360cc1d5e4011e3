"""CONSORT Harms 2022 as a scorecard: what the abstract reports of harm, what this analysis adds, what stays unknown."""

from __future__ import annotations

from importlib import resources

import pandas as pd

from remission.publication import Table
from remission.results import row
from remission.study import Study

GUIDELINE = "CONSORT Harms 2022"
#: File name of the table.
NAME = "consort_harms"
#: The report that the scorecard is about, as cohorts rebuilt from it cite it.
ABSTRACT = "Blood 2012;120(21):1503"
#: How far an item is reported, in words for readers.
ANSWERS = {"yes": "reported", "partly": "reported in part", "no": "not reported"}


def items() -> pd.DataFrame:
    """Items of the guideline that speak of harm, and what the abstract says to each.

    Returns
    -------
    DataFrame
        item (number), section, change (changed or new against CONSORT 2010), asks, abstract (yes, partly, no),
        reports (with what), adds (this analysis), unknown (from either), claims (ids of the ledger, `;` between),
        checked (Y where number and content were compared with a published quotation of the checklist).

    Source
    ------
    Junqueira DR, Zorzela L, Golder S, and others. CONSORT Harms 2022 statement, explanation, and elaboration. BMJ
    2023;381:e073725. Items in our words. The judgements on the abstract are ours.

    Examples
    --------
    >>> items()["change"].value_counts().to_dict()
    {'changed': 13, 'new': 3}
    """
    source = resources.files("remission") / "data" / "consort_harms.csv"
    with source.open(encoding="utf-8") as handle:
        return pd.read_csv(handle, dtype=str, keep_default_na=False)


def applies(study: Study) -> bool:
    """Whether a cohort was rebuilt from the abstract that the scorecard is about.

    Examples
    --------
    >>> from remission.study import read
    >>> applies(read("ash2012_reconstructed")), applies(read("freireich1963"))
    (True, False)
    """
    return study.kind == "reconstructed" and ABSTRACT in study.citation


def scorecard(study: Study) -> Table:
    """Set the items as a table, a line an item.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Table
        Without lines for a cohort to which the scorecard does not apply.
    """
    found = items() if applies(study) else items().head(0)
    frame = pd.DataFrame({
        "group": found["section"],
        "label": found["item"].where(found["change"] != "new", found["item"] + " (new)") + ". " + found["asks"],
        "Abstract": found["abstract"], "With what": found["reports"], "This analysis adds": found["adds"],
        "Cannot be known": found["unknown"]})
    unseen = ", ".join(found.loc[found["checked"] != "Y", "item"])
    notes = (f"{GUIDELINE}: Junqueira and others, BMJ 2023;381:e073725; items in our words, judgements ours. The "
             "guideline is for randomised trials; this study was not randomised, and an abstract has little room.",
             "What the analysis adds is a way of reporting. Its patients are synthetic: it adds no fact about the "
             "trial.",
             f"Numbers of items {unseen} were not compared with the printed checklist.")
    return Table(frame, NAME, f"{GUIDELINE}: the abstract's report of harm", notes)


def scorecard_results(study: Study) -> list[dict]:
    """Result rows `consort_harms.-.abstract.all.yes|partly|no`; none where the scorecard does not apply.

    Examples
    --------
    >>> from remission.study import read
    >>> [one["display"] for one in scorecard_results(read("ash2012_reconstructed"))]
    ['1 of 16 items', '6 of 16 items', '9 of 16 items']
    """
    found = items()["abstract"]
    return [row("consort_harms", "-", "abstract", "all", answer, int((found == answer).sum()), unit="n", n=len(found),
                method=f"{GUIDELINE}, judged from the text of the abstract",
                display=f"{int((found == answer).sum())} of {len(found)} items")
            for answer in ANSWERS] if applies(study) else []


def counted(rows: pd.DataFrame) -> str:
    """Sentence on how much of the guideline the abstract reports; empty without result rows.

    Parameters
    ----------
    rows : DataFrame
        From `scorecard_results`, through `results.frame`.

    Examples
    --------
    >>> from remission.results import frame
    >>> from remission.study import read
    >>> counted(frame(scorecard_results(read("ash2012_reconstructed"))))[36:]
    '1 of 16 items reported, 6 of 16 items reported in part, 9 of 16 items not reported.'
    >>> counted(frame([]))
    ''
    """
    mine = rows[rows["analysis"] == "consort_harms"]
    said = ", ".join(f"{one.display} {ANSWERS[one.statistic]}" for one in mine.itertuples())
    return f"{GUIDELINE} on the abstract: {said}." if said else ""
