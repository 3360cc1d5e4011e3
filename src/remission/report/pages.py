"""From executed notebooks and Markdown files to the inner part of pages: code folded, tables framed, links mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import nbformat
from bs4 import BeautifulSoup, Tag

from remission import paths

#: Where a page keeps its figures, from the page.
FIGURES = "figures"
#: Tag of a cell that answers a question.
ANSWER = "answer"
#: Columns from which on a table does not fit on paper unless it is set smaller.
WIDE = 12
#: What a title or a cell of somebody's table must not bring into a page.
ACTIVE = ["script", "style", "iframe", "object", "embed", "form", "base", "meta", "link"]


class Page(NamedTuple):
    """One page: `name` of its file without suffix, title, inner HTML, files that it shows, parts for the search."""

    name: str
    title: str
    body: str
    files: Mapping[str, bytes]
    sections: list[dict[str, str]]


def notebook(path: Path, pages: Mapping[str, str]) -> Page:
    """Turn an executed notebook into a page.

    Parameters
    ----------
    path : Path
    pages : mapping of str
        Names of the report's pages, by the name of the file that each is made from: links go there.

    Returns
    -------
    Page
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    made = nbformat.read(path, as_version=4)
    exporter = HTMLExporter(template_name="basic", config=Config({
        "HTMLExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True, "preprocessors": [
            "nbconvert.preprocessors.ExtractOutputPreprocessor"]},
        "ExtractOutputPreprocessor": {"output_filename_template": f"{FIGURES}/{path.stem}_{{cell_index}}_{{index}}"
                                                                  "{extension}"}}))
    body, resources = exporter.from_notebook_node(made)
    soup = BeautifulSoup(body, "html.parser")
    for code in soup.select("div.input"):
        _fold(soup, code)
    for cell in soup.select(f".celltag_{ANSWER}"):
        _close(soup, cell)
    for image in soup.find_all("img"):
        cohort, _, name = image.get("alt", "").partition(": ")
        numbers = f"{name.replace(' ', '_')}.csv"
        saved = bool(name) and paths.output_root().joinpath("figures", cohort, numbers).is_file()
        image["alt"] = f"Figure: {name or 'without a name'} ({cohort})" + (f"; numbers in {numbers}" if saved else "")
        image["loading"] = "lazy"
    return finished(soup, path.stem, resources.get("outputs", {}), pages)


def markdown(path: Path, pages: Mapping[str, str]) -> Page:
    """Turn a Markdown file into a page.

    Parameters
    ----------
    path : Path
    pages : mapping of str
        As for `notebook`.

    Returns
    -------
    Page
    """
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    soup = BeautifulSoup(markdown2html_mistune(path.read_text(encoding="utf-8")), "html.parser")
    return finished(soup, pages[path.name], {}, pages)


def finished(soup: BeautifulSoup, name: str, files: Mapping[str, bytes], pages: Mapping[str, str]) -> Page:
    """Clean what a page is made of, name its headings, frame its tables, mend its links.

    Parameters
    ----------
    soup : BeautifulSoup
        Changed in place.
    name : str
    files : mapping of str
        Content by place, from the page.
    pages : mapping of str
        As for `notebook`.

    Returns
    -------
    Page
    """
    for part in [*soup.find_all(ACTIVE), *soup.select("a.anchor-link")]:
        part.decompose()
    for part in soup.find_all(True):
        for key in [key for key in part.attrs if key.startswith("on")]:
            del part[key]
    for block in soup.find_all("pre"):
        block["tabindex"] = "0"  # it may scroll
    _headings(soup)
    _frame_tables(soup)
    for link in soup.find_all("a", href=True):
        _mend(link, pages)
    heading = soup.find("h1")
    title = heading.get_text(" ", strip=True) if heading else name
    return Page(name, title, str(soup), files, sections(soup, name, title))


def sections(soup: BeautifulSoup, name: str, title: str) -> list[dict[str, str]]:
    """What the search looks through: every part of a page that has a heading, code apart.

    Parameters
    ----------
    soup : BeautifulSoup
    name, title : str
        Of the page.

    Returns
    -------
    list of dict
        `href`, `title` and `text` of each.

    Examples
    --------
    >>> made = BeautifulSoup('<h1 id="x">First</h1><p>one</p><h2 id="y">Part</h2><p>two</p>', "html.parser")
    >>> sections(made, "a", "First")[1]
    {'href': 'a.html#y', 'title': 'First: Part', 'text': 'two'}
    """
    made, words = [], []
    for part in soup.descendants:
        if isinstance(part, Tag):
            if part.name in ("h1", "h2", "h3"):
                own = part.get_text(" ", strip=True)
                words = []
                made.append(({"href": f"{name}.html#{part.get('id', '')}",
                              "title": own if part.name == "h1" else f"{title}: {own}"}, words))
        elif part.strip() and not part.find_parent(["h1", "h2", "h3", "details"]):
            words.append(part.strip())
    return [{**about, "text": " ".join(found)} for about, found in made]


def _frame_tables(soup: BeautifulSoup) -> None:
    """Give tables a frame in which they scroll on a small screen, reachable by keyboard, and their heads a scope."""
    about, number = "numbers", 0
    for part in soup.find_all(["h1", "h2", "h3", "table"]):
        if part.name != "table":
            about = part.get_text(" ", strip=True)
            continue
        number += 1
        for key in ("border", "style", "class"):
            part.attrs.pop(key, None)
        for row in part.find_all("tr"):
            row.attrs.pop("style", None)
        for head in part.find_all("th"):
            if head.get_text(strip=True):
                head["scope"] = "col" if head.find_parent("thead") else "row"
            else:
                head.name = "td"
                head.attrs.pop("scope", None)
        columns = max((len(row.find_all(["td", "th"])) for row in part.find_all("tr")), default=0)
        frame = "scroll wide" if columns >= WIDE else "scroll"
        part.wrap(soup.new_tag("div", attrs={"class": frame, "tabindex": "0", "role": "region",
                                             "aria-label": f"Table {number}: {about}"}))


def _fold(soup: BeautifulSoup, code: Tag) -> None:
    """Hide a cell's code behind a line that opens it."""
    lines = sum(bool(line.strip()) for line in code.get_text().splitlines())
    summary = soup.new_tag("summary")
    summary.string = f"code, {lines} {'line' if lines == 1 else 'lines'}"
    code.wrap(soup.new_tag("details", attrs={"class": "code"})).insert(0, summary)


def _close(soup: BeautifulSoup, cell: Tag) -> None:
    """Hide what answers a question until somebody asks for it."""
    summary = soup.new_tag("summary")
    summary.string = "Answer"
    details = soup.new_tag("details", attrs={"class": "answer"})
    details.extend([summary, *list(cell.children)])
    cell.append(details)


def _headings(soup: BeautifulSoup) -> None:
    """Plain names for headings, each once a page."""
    seen: dict[str, int] = {}
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        name = _slug(heading.get_text(" ", strip=True))
        seen[name] = seen.get(name, 0) + 1
        heading["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"


def _mend(link: Tag, pages: Mapping[str, str]) -> None:
    """Let a link lead to a page of the report; what the report does not hold is plain text."""
    href = unquote(link["href"])
    if re.match(r"https?:", href):
        link["rel"] = "external noopener"
        return
    target, _, part = href.partition("#")
    name = Path(target).name
    if not target:
        link["href"] = f"#{_slug(part)}"
    elif name in pages:
        link["href"] = f"{pages[name]}.html"
    else:
        link.unwrap()
