"""REMARK as a scorecard: what the abstract reports of its markers, what the notebooks answer, what stays unknown."""

from __future__ import annotations

from importlib import resources

import pandas as pd

from remission import results
from remission.study import Study

GUIDELINE = "REMARK"
#: The report that the scorecard is about, as cohorts rebuilt from it cite it.
ABSTRACT = "Blood 2012;120(21):1503"
ANSWERS = {"yes": "reported", "partly": "reported in part", "no": "not reported"}
#: Columns judged, and what each is about.
JUDGED = {"abstract": "the abstract", "notebook": "these notebooks"}
SHOWN = {"item": "item", "section": "section", "asks": "asks for", "abstract": "abstract", "reports": "with what",
         "notebook": "notebooks", "answered": "where", "unknown": "cannot be known"}


def items() -> pd.DataFrame:
    """Items of the guideline, and how far the abstract and the notebooks report them.

    Returns
    -------
    DataFrame
        item (number), section, asks, abstract (yes, partly, no), reports (with what), notebook (yes, partly, no),
        answered (where), unknown (from either), claims (ids of the ledger, `;` between), checked (Y where number and
        content were compared with a published copy of the checklist).

    Source
    ------
    McShane LM, Altman DG, Sauerbrei W, and others. J Natl Cancer Inst 2005;97:1180; Altman DG, McShane LM, Sauerbrei W,
    Taube SE. BMC Med 2012;10:51. Items in our words. The judgements are ours.

    Examples
    --------
    >>> len(items()), items()["abstract"].value_counts().to_dict()
    (20, {'no': 12, 'partly': 8})
    """
    source = resources.files("remission") / "data" / "remark.csv"
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


def remark_table(study: Study) -> pd.DataFrame:
    """The items as a table for reading, a line an item.

    Parameters
    ----------
    study : Study

    Returns
    -------
    DataFrame
        `item`, `section`, `asks for`, `abstract`, `with what`, `notebooks`, `where`, `cannot be known`; no rows for a
        cohort that is not about the abstract.

    Examples
    --------
    >>> from remission.study import read
    >>> len(remark_table(read("ash2012_reconstructed"))), len(remark_table(read("freireich1963")))
    (20, 0)
    """
    found = items() if applies(study) else items().head(0)
    return found[list(SHOWN)].rename(columns=SHOWN)


def remark_rows(study: Study) -> pd.DataFrame:
    """Result rows `remark.-.abstract|notebook.all.yes|partly|no`; none where the scorecard does not apply.

    Examples
    --------
    >>> from remission.study import read
    >>> remark_rows(read("ash2012_reconstructed"))["display"].tolist()[:3]
    ['0 of 20 items', '8 of 20 items', '12 of 20 items']
    """
    found = items() if applies(study) else items().head(0)
    return results.frame(
        results.row("remark", "-", column, "all", answer, int((found[column] == answer).sum()), unit="n", n=len(found),
                    method=f"{GUIDELINE}, judged from the text of {about}",
                    display=f"{int((found[column] == answer).sum())} of {len(found)} items")
        for column, about in JUDGED.items() for answer in ANSWERS if len(found))


def remark_in_words(rows: pd.DataFrame) -> str:
    """Sentence on how much of the guideline is reported, by the abstract and by the notebooks.

    Parameters
    ----------
    rows : DataFrame
        From `remark_rows`.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.study import read
    >>> remark_in_words(remark_rows(read("ash2012_reconstructed"))).split(". ")[0]
    'Of 20 items of REMARK the abstract reports 0, in part 8, not 12'
    >>> remark_in_words(results.frame([]))
    'The checklist was filled in for one abstract, and this cohort does not stem from it.'
    """
    if rows.empty:
        return "The checklist was filled in for one abstract, and this cohort does not stem from it."
    value = rows.set_index(["population", "statistic"])["value"].astype(int)
    whole, said = int(rows["n"].iloc[0]), []
    for column, about in JUDGED.items():
        verb = "reports" if column == "abstract" else "report"
        said.append(f"{about} {verb} {value[column, 'yes']}, in part {value[column, 'partly']}, not "
                    f"{value[column, 'no']}")
    unseen = items().loc[items()["checked"] != "Y", "item"]
    return (f"Of {whole} items of {GUIDELINE} {said[0]}. T{said[1][1:]}. Items in our words, judgements ours; items "
            f"{unseen.iloc[0]} to {unseen.iloc[-1]} were not compared with the printed checklist. The guideline is for "
            "full articles, and an abstract has little room; and what the notebooks add is a way of reporting, "
            "since their patients are synthetic.")
