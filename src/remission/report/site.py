"""Put pages into files: one frame for all, a search that needs no server; a half-made report is never left behind.

`python -m remission.report.site COHORT` writes `build/report/<cohort>/`.
"""

from __future__ import annotations

import argparse
import html
import json
import shutil
import sys
from pathlib import Path

from remission import paths, provenance, results
from remission.errors import ContractError
from remission.report import home, pages, sheets
from remission.report.pages import Page
from remission.study import Study, read

#: Documents that have a page, with its name.
DOCUMENTS = {f"{name}.md": name for name in ("reviewer_guide", "data_dictionary", "abstracts", "decisions")}
HERE = Path(__file__).parent


def write(cohort: str) -> Path:
    """Make the report of a cohort that has been run.

    Parameters
    ----------
    cohort : str
        Folder under `data/raw`.

    Returns
    -------
    Path
        Its first page.

    Raises
    ------
    ContractError
        When the cohort is none.
    RuntimeError
        When a notebook has not been run on it.
    """
    study = read(cohort)
    ran = [paths.build(cohort) / f"{name}.ipynb" for name in sorted(provenance.notebooks())]
    missing = [path.stem for path in ran if not path.is_file()]
    if missing:
        raise RuntimeError(f"{cohort}: not run yet: {', '.join(missing)}. Mend: make COHORT={cohort}")
    documents = [path for name in DOCUMENTS if (path := paths.root() / "docs" / name).is_file()]
    places = {f"{path.stem}.ipynb": path.stem for path in ran} | {path.name: DOCUMENTS[path.name] for path in documents}
    chapters = [*(pages.notebook(path, places) for path in ran), *(pages.markdown(path, places) for path in documents)]
    extra = {name: text for page in chapters for name, text in sheets.sheets(page, study).items()}
    first = home.home(study, results.load(cohort), chapters, {name: sheets.TITLES[name] for name in extra})
    target = paths.output_root() / "build" / "report" / cohort
    fresh = target.with_name(f".{cohort}.unfinished")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    everything = [first, *chapters]
    for page in everything:
        (fresh / f"{page.name}.html").write_text(frame(page, everything, study), encoding="utf-8")
        for name, content in page.files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
    for name, text in extra.items():
        (fresh / f"{name}.html").write_text(text, encoding="utf-8")
    for name in ("report.js", *(("sheets.css", "sheets.js") if extra else ())):
        shutil.copy(HERE / name, fresh)
    look = (HERE / "report.css").read_text(encoding="utf-8")
    (fresh / "report.css").write_text(look + printed_foot(study), encoding="utf-8")
    known = json.dumps([part for page in everything for part in page.sections])
    (fresh / "index.js").write_text(f"window.SECTIONS = {known};\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return target / "index.html"


def frame(page: Page, everything: list[Page], study: Study) -> str:
    """The whole of one HTML file.

    Parameters
    ----------
    page : Page
    everything : list of Page
        For the list of pages at its side.
    study : Study

    Returns
    -------
    str
    """
    links = "\n".join(_link(one, one.name == page.name) for one in everything)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(page.title)} | {html.escape(study.name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="report.css">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><p><a href="index.html">{html.escape(study.name)}</a></p>
<p class="kind">{html.escape(study.banner)}</p>
<form role="search"><label for="find">Search</label> <input id="find" type="search" autocomplete="off"></form>
<ul id="found" aria-live="polite"></ul></header>
<div class="columns">
<nav aria-label="Pages"><ul>
{links}
</ul></nav>
<main id="content">
{page.body}
</main>
</div>
<script src="index.js"></script>
<script src="report.js"></script>
</body>
</html>
"""


def printed_foot(study: Study) -> str:
    """What stands at the foot of every printed page: a sheet on its own says what the cohort is, too.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        A rule of CSS.

    Examples
    --------
    >>> print(printed_foot(Study("mine", "own", "", "", ())).splitlines()[1].strip())
    @bottom-left { content: "mine: Local cohort: not part of this repository"; font-size: 7pt; }
    """
    said = f"{study.name}: {study.banner.partition('. ')[0]}".rstrip(".")
    return f"""@page {{ margin: 15mm 15mm 18mm;
  @bottom-left {{ content: {json.dumps(said)}; font-size: 7pt; }}
  @bottom-right {{ content: counter(page) " of " counter(pages); font-size: 7pt; }}
}}
"""


def _link(page: Page, current: bool) -> str:
    words = "Overview" if page.name == "index" else html.escape(page.title)
    return f'<li><a href="{page.name}.html"{" aria-current=page" if current else ""}>{words}</a></li>'


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m remission.report.site", description="Make a cohort's report.")
    parser.add_argument("cohort", help="folder under data/raw")
    try:
        print(f"report: {paths.shown(write(parser.parse_args(arguments).cohort))}")
    except (ContractError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
