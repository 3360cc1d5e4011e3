"""Handout and slides of the journal club, both from its notebook's page: cells are told apart by their tags."""

from __future__ import annotations

import html
from collections.abc import Mapping

from bs4 import BeautifulSoup, Tag

from remission.report.pages import ANSWER, Page
from remission.study import Study

#: Tags of cells beside that of answers: what is asked and voted on, and what is asked of those who knew.
QUESTION, HARDER = "question", "harder"
TITLES = {"handout": "Handout", "slides": "Slides"}


def sheets(page: Page, study: Study) -> Mapping[str, str]:
    """Both sheets of a page whose notebook asks questions.

    Parameters
    ----------
    page : Page
    study : Study

    Returns
    -------
    mapping of str
        Whole HTML by name, without suffix; empty for a page without questions.

    Examples
    --------
    >>> from remission.study import read
    >>> page = Page("a", "A", '<div class="celltag_question"><h2>Why?</h2><ul><li>Because</li></ul></div>', {}, [])
    >>> sorted(sheets(page, read("freireich1963")))
    ['handout', 'slides']
    """
    soup = BeautifulSoup(page.body, "html.parser")
    asked = _questions(soup)
    if not asked:
        return {}
    return {"handout": _document("handout", _handout(page, asked, study), study),
            "slides": _document("slides", _slides(page, asked, study), study)}


def _questions(soup: BeautifulSoup) -> list[dict[str, list[Tag]]]:
    """The cells of each question, by tag."""
    found: list[dict[str, list[Tag]]] = []
    for cell in soup.select(", ".join(f".celltag_{tag}" for tag in (QUESTION, ANSWER, HARDER))):
        tag = next(tag for tag in (QUESTION, ANSWER, HARDER) if f"celltag_{tag}" in cell["class"])
        if tag == QUESTION:
            found.append({QUESTION: [], ANSWER: [], HARDER: []})
        if found:
            found[-1][tag].append(cell)
    return found


def _handout(page: Page, asked: list[dict[str, list[Tag]]], study: Study) -> str:
    """One page: every question with its votes to tick, and room to write. No answer."""
    rows = []
    for one in asked:
        cell = one[QUESTION][0]
        votes = "".join(f"<li>{item.decode_contents()}</li>" for item in cell.select("li"))
        rows.append(f"<section><h2>{html.escape(_title(cell))}</h2><ul>{votes}</ul></section>")
    return (f"<header><h1>{html.escape(page.title)}</h1><p>{html.escape(study.title)}</p>"
            f'<p class="kind">{html.escape(study.banner)}</p>'
            '<p>Vote before you look: tick one letter a question. The line is for your reason.</p></header>'
            f"<main>{''.join(rows)}</main>")


def _slides(page: Page, asked: list[dict[str, list[Tag]]], study: Study) -> str:
    """A slide for the title, then two a question: what is asked, and what comes out."""
    kind = f'<p class="kind">{html.escape(study.name)}. {html.escape(study.banner)}</p>'
    made = [f'<section id="slide-1"><h1>{html.escape(page.title)}</h1><p>{html.escape(study.title)}</p>{kind}'
            "</section>"]
    for one in asked:
        title = html.escape(_title(one[QUESTION][0]))
        shown = "".join(part.decode_contents() for cell in one[ANSWER] for part in cell.select(".output_subarea"))
        harder = "".join(cell.decode_contents() for cell in one[HARDER])
        made.append(f'<section id="slide-{len(made) + 1}">{_plain(one[QUESTION][0])}{kind}</section>')
        made.append(f'<section id="slide-{len(made) + 1}"><h2>{title}</h2>{_plain(shown)}{_plain(harder)}{kind}'
                    "</section>")
    return "<main>" + "\n".join(made) + "</main>"


def _plain(part: Tag | str) -> str:
    """A part without the names of its headings, which stand on the page already."""
    soup = BeautifulSoup(part if isinstance(part, str) else part.decode_contents(), "html.parser")
    for named in soup.find_all(id=True):
        del named["id"]
    return str(soup)


def _title(cell: Tag) -> str:
    heading = cell.find(["h1", "h2", "h3"])
    return heading.get_text(" ", strip=True) if heading else ""


def _document(name: str, body: str, study: Study) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLES[name]} | {html.escape(study.name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="sheets.css">
</head>
<body class="{name}">
<nav aria-label="Report"><a href="index.html">Report</a></nav>
{body}
<script src="sheets.js"></script>
</body>
</html>
"""
