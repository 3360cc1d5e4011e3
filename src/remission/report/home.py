"""The landing page: what was found in two sentences, what the patients are, the ledger, the figures to begin with."""

from __future__ import annotations

import html
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd
from bs4 import BeautifulSoup

from remission import paths
from remission.report.pages import FIGURES, Page, finished
from remission.study import Study

EMPTY: Mapping[str, str] = MappingProxyType({})
#: Figures to begin with: name, and what it shows.
FIRST = {
    "km_time_to_relapse": "Time to relapse by arm, Kaplan-Meier, from {origin}",
    "definition_grid": "The same comparison under every definition of the endpoint",
    "claim_ledger": "Every printed number against the recomputed one",
}
COLUMNS = {"id": "claim", "arm": "arm", "quantity": "quantity", "printed": "printed", "display": "recomputed",
           "status": "status", "why": "why"}


def home(study: Study, results: pd.DataFrame, chapters: list[Page], extra: Mapping[str, str] = EMPTY) -> Page:
    """Write the landing page.

    Parameters
    ----------
    study : Study
    results : DataFrame
        The cohort's `results.csv`.
    chapters : list of Page
        The other pages, in order.
    extra : mapping of str
        Titles of what stands beside them, by name.

    Returns
    -------
    Page
    """
    files, figures = {}, []
    for name, words in FIRST.items():
        words = words.format(origin=study.origin_label)
        picture = paths.figures(study.name) / f"{name}.png"
        if picture.is_file():
            files[f"{FIGURES}/{name}.png"] = picture.read_bytes()
            figures.append(f'<figure><img src="{FIGURES}/{name}.png" alt="Figure: {html.escape(words)}" loading="lazy">'
                           f"<figcaption>{html.escape(words)}</figcaption></figure>")
    parts = [f"<h1>{html.escape(study.title)}</h1>",
             f'<p class="banner"><strong>{html.escape(study.name)}.</strong> {html.escape(study.banner)}</p>',
             f"<p>Source: {html.escape(study.citation)}</p>", '<h2 id="finding">What was found</h2>',
             f'<p class="finding">{html.escape(finding(study, results))}</p>', *figures, _ledger(study),
             '<h2 id="pages">Pages</h2>', "<ol>", *(f'<li><a href="{page.name}.html">{html.escape(page.title)}</a></li>'
                                                    for page in chapters), "</ol>"]
    if extra:
        links = ", ".join(f'<a href="{name}.html">{html.escape(title)}</a>' for name, title in extra.items())
        parts.append(f"<p>For the journal club: {links}.</p>")
    return finished(BeautifulSoup("\n".join(parts), "html.parser"), "index", files,
                    {f"{name}.html": name for name in [*(page.name for page in chapters), *extra]})


def finding(study: Study, results: pd.DataFrame) -> str:
    """The comparison in two sentences, each number with its interval, from rows of `results.csv`.

    Parameters
    ----------
    study : Study
    results : DataFrame
        With columns `result_id` and `display`.

    Returns
    -------
    str
        What a cohort has no row for is left out.

    Examples
    --------
    >>> from remission.study import read
    >>> rows = [("km.TTRLP.all.placebo.median", "8.0 weeks"), ("km.TTRLP.all.6-MP.median", "23.0 weeks"),
    ...         ("cox.TTRLP.all.6-MP vs placebo.HR", "0.21"), ("logrank.TTRLP.all.6-MP vs placebo.p", "p < 0.001")]
    >>> finding(read("freireich1963"), pd.DataFrame(rows, columns=["result_id", "display"])).partition(". ")[0]
    'Median time to relapse from start of maintenance, 6-mercaptopurine 23.0 weeks; Placebo 8.0 weeks'
    """
    said = dict(zip(results["result_id"], results["display"], strict=True))
    whose = "Of synthetic patients: m" if study.kind == "reconstructed" else "M"
    medians = [f"{arm.label} {said[f'km.TTRLP.all.{arm.key}.median']}" for arm in study.arms
               if f"km.TTRLP.all.{arm.key}.median" in said]
    sentences = [f"{whose}edian time to relapse from {study.origin_label}, {'; '.join(medians)}."] if medians else []
    parts = [(f"cox.TTRLP.all.{study.contrast}.HR", "hazard ratio of relapse {}"),
             (f"logrank.TTRLP.all.{study.contrast}.p", "log-rank {}"),
             (f"logrank.RFS.all.{study.contrast}.p", "with deaths in remission counted as events {}")]
    contrast = [words.format(said[name]) for name, words in parts if name in said]
    if contrast:
        sentences.append(f"{study.contrast}: {'; '.join(contrast)}.")
    return " ".join(sentences) or "This cohort has no remission times to compare."


def _ledger(study: Study) -> str:
    """The claim ledger as a table; nothing where a cohort has no printed claims."""
    path = paths.processed(study.name) / "claims.csv"
    verdict = paths.processed(study.name) / "verdict.txt"
    said = f"<p>{html.escape(verdict.read_text(encoding='utf-8').strip())}</p>" if verdict.is_file() else ""
    if not path.is_file():
        return f'<h2 id="ledger">Claim ledger</h2>\n{said}'
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[[name for name in COLUMNS if name in rows]].rename(columns=COLUMNS)
    return f'<h2 id="ledger">Claim ledger</h2>\n{said}\n{rows.to_html(index=False)}'
