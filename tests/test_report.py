"""The report: pages made of the committed notebooks, looked at as a browser without a network would."""

from __future__ import annotations

import re
import shutil

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from remission import paths, provenance, reconstruct
from remission.report import home, pages, sheets, site
from remission.study import read

NAME = reconstruct.COHORT
SHEETS = [f"{name}.html" for name in sheets.TITLES]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of the default cohort, by file name; notebooks stand where a run leaves them."""
    out = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMISSION_OUTPUT", str(out))
        paths.build(NAME).mkdir(parents=True)
        for name in provenance.notebooks():
            shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", paths.build(NAME))
        shutil.copytree(ROOT / "data" / "processed" / NAME, paths.processed(NAME))
        shutil.copytree(ROOT / "figures" / NAME, paths.figures(NAME))
        folder = site.write(NAME).parent
    return folder, {path.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
                    for path in sorted(folder.glob("*.html"))}


def test_every_notebook_and_document_has_a_page(report):
    _, made = report
    documents = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    assert set(made) == {"index.html", *(f"{name}.html" for name in provenance.notebooks()), *documents, *SHEETS}


def framed(report):
    """Pages inside the report's frame: all but those to print or to project by themselves."""
    return {name: page for name, page in report[1].items() if name not in SHEETS}


def test_nothing_is_asked_of_a_network(report):
    folder, made = report
    for page in made.values():
        for tag, key in (("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")):
            for one in page.find_all(tag, attrs={key: True}):
                place = one[key]
                assert place == "data:," or (folder / place).is_file(), place
        assert not page.find_all("style") and not page.find_all(attrs={"onclick": True})
    code = "".join((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js", "sheets.css",
                                                                             "sheets.js"))
    assert not re.search(r"https?:|@import|url\(|fetch|XMLHttpRequest", code)


def test_links_and_anchors_lead_somewhere(report):
    folder, made = report
    names = {name: {one["id"] for one in page.find_all(id=True)} for name, page in made.items()}
    sections = re.findall(r'"href": "([^"]+)"', (folder / "index.js").read_text(encoding="utf-8"))
    links = [(name, link["href"]) for name, page in made.items() for link in page.find_all("a", href=True)]
    assert len(sections) > 150 and len(links) > 200
    for name, href in [*links, *(("index.html", href) for href in sections)]:
        if not re.match("https?:", href):
            target, _, part = href.partition("#")
            assert (target or name) in made, (name, href)
            assert not part or part in names[target or name], (name, href)


def test_pages_can_be_read_by_ear_and_by_keyboard(report):
    for name, page in report[1].items():
        assert page.html["lang"] == "en" and page.title.string.strip()
        assert len(page.find_all("h1")) == 1 and len(page.find_all("main")) == 1, name
        ids = [one["id"] for one in page.find_all(id=True)]
        assert len(ids) == len(set(ids))
        assert all(len(image.get("alt", "")) > 10 for image in page.find_all("img"))
        assert all(table.parent.get("tabindex") == "0" and table.parent.get("aria-label") for table in
                   page.find_all("table"))
        assert all(block.get("tabindex") == "0" for block in page.find_all("pre"))
        assert not page.select("td[scope]")
    for page in framed(report).values():
        assert page.find("a", class_="skip")["href"] == f"#{page.find('main')['id']}"


def test_what_the_cohort_is_stands_on_every_page(report):
    for page in framed(report).values():
        assert "SYNTHETIC COHORT" in page.find("header").get_text()
    for name in SHEETS:
        assert "SYNTHETIC COHORT" in report[1][name].get_text() and report[1][name].find("a", href="index.html")


def test_what_the_cohort_is_stands_at_the_foot_of_every_printed_page(report):
    look = (report[0] / "report.css").read_text(encoding="utf-8")
    foot = look[look.index("@page"):]
    assert f'@bottom-left {{ content: "{NAME}: SYNTHETIC COHORT";' in foot
    assert look.count("{") == look.count("}") and look.startswith(
        (ROOT / "src/remission/report/report.css").read_text(encoding="utf-8"))


def test_paper_holds_the_text_and_nothing_to_click(report):
    printed = (report[0] / "report.css").read_text(encoding="utf-8").partition("@media print {")[2]
    hidden = re.search(r"([^{}]*)\{ display: none; \}", printed).group(1)
    for page in framed(report).values():
        gone = page.select(hidden)
        assert {"nav", "form"} <= {part.name for part in gone}
        assert not [part for part in gone if part.find(["p", "table", "img", "h2"])]


def test_tables_that_are_too_wide_for_paper_are_known(report):
    for page in report[1].values():
        for frame in page.select(".scroll"):
            columns = max(len(row.find_all(["td", "th"])) for row in frame.find_all("tr"))
            assert ("wide" in frame["class"]) == (columns >= pages.WIDE)
    assert report[1]["02_toxicity.html"].select(".wide") and report[1]["index.html"].select(".scroll:not(.wide)")


def test_code_is_folded_and_nothing_else(report):
    page = report[1]["03_remission_duration.html"]
    assert page.select("details.code > summary") and not page.select("details[open]")
    assert not [table for table in page.find_all("table") if table.find_parent("details")]


def test_the_finding_is_that_of_the_results(report):
    said = report[1]["index.html"].find(class_="finding").get_text()
    rows = pd.read_csv(paths.processed(NAME) / "results.csv").set_index("result_id")["display"]
    for row in ("km.TTRLP.all.IFN+IM.median", "km.TTRLP.all.IM.median", "cox.TTRLP.all.IFN+IM vs IM.HR",
                "logrank.TTRLP.all.IFN+IM vs IM.p", "logrank.RFS.all.IFN+IM vs IM.p"):
        assert rows[row] in said
    assert said.startswith("Of synthetic patients") and said.count(". ") <= 1
    assert len(report[1]["index.html"].find("main").find_all("tr")) == len(pd.read_csv(
        ROOT / "data" / "processed" / NAME / "claims.csv")) + 1


def test_a_cohort_without_a_comparison_says_so():
    nothing = pd.DataFrame({"result_id": [], "display": []})
    assert home.finding(read("wassmann2003"), nothing) == "This cohort has no remission times to compare."


def test_a_cohort_that_was_not_run_gets_no_report(elsewhere, capsys):
    assert site.main(["freireich1963"]) == 1
    assert "not run yet: 01_clean_patient_tables" in capsys.readouterr().err
    assert not list(elsewhere.rglob("*.html"))


def test_a_broken_page_leaves_the_old_report(elsewhere, monkeypatch):
    old = elsewhere / "build" / "report" / NAME / "index.html"
    for path in (old, paths.build(NAME) / "x"):
        path.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("old", encoding="utf-8")
    monkeypatch.setattr(provenance, "notebooks", lambda: ["05_claim_ledger"])
    shutil.copy(ROOT / "notebooks" / "05_claim_ledger.ipynb", paths.build(NAME))
    shutil.copytree(ROOT / "data" / "processed" / NAME, paths.processed(NAME))
    monkeypatch.setattr(site, "frame", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        site.write(NAME)
    assert old.read_text(encoding="utf-8") == "old"


def test_nothing_active_comes_in_with_a_text(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A <script>alert(1)</script> <b onclick='alert(2)'>b</b>\n\n[there](../data/raw/x.csv), "
                    "[here](05_claim_ledger.ipynb#a-b), [nowhere](javascript:alert(3))\n", encoding="utf-8")
    made = pages.markdown(page, {"page.md": "page", "05_claim_ledger.ipynb": "05_claim_ledger"})
    soup = BeautifulSoup(made.body, "html.parser")
    assert not soup.find("script") and not soup.find(attrs={"onclick": True})
    assert [link["href"] for link in soup.find_all("a")] == ["05_claim_ledger.html"]


def test_results_do_not_depend_on_the_report():
    assert "src/remission/report/site.py" not in provenance.code()
    assert "src/remission/ledger.py" in provenance.code()
