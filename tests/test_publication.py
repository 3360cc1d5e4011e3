"""Tables for publication: every cell is a result's display string; the same bytes twice; nothing from elsewhere."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import COHORTS, ROOT

from remission import paths, publication, results, store, study, survival, toxicity
from remission.publication import Table, arrange, heading
from remission.study import Arm, Study
from remission.toxicity import harms, layout

STUDY = Study("demo", "reconstructed", "demo <title>", "none", (Arm("A&B", "a"), Arm("C", "c", reference=True)))


def rows(*given):
    return results.frame(results.row("ae", term, "all", arm, name, 1, method="", display=shown)
                         for term, arm, name, shown in given)


ROWS = rows(("Nausea", "A&B", "any", "1 of 3 (33.3%, 95% CI 0.8 to 90.6)"), ("Rash_1", "A&B", "any", "0 of 3"),
            ("Nausea", "C", "any", "2 of 2 (100.0%, 95% CI 15.8 to 100.0)"))
COLUMNS = [heading(arm, {"A&B": 3, "C": 2}[arm], "any grade") for arm in ROWS["arm"]]
FRAME = arrange(ROWS.assign(column=COLUMNS, group="Signs < 5%"), "endpoint", "column", "group")
TABLE = Table(FRAME, "events", "Adverse events ≥ 1", ("counted once",))


def cells(text):
    """Cells of a saved page, by line label, without no-break spaces."""
    body = BeautifulSoup(text, "html.parser").find("tbody")
    found = [[cell.get_text().replace("\N{NO-BREAK SPACE}", " ") for cell in line.find_all(["th", "td"])]
             for line in body.find_all("tr")]
    return [line for line in found if len(line) > 1]


class TestArrange:
    def test_lines_and_columns_keep_their_order_and_a_missing_cell_is_empty(self):
        assert FRAME.columns.tolist() == ["group", "label", "A&B, N = 3: any grade", "C, N = 2: any grade"]
        assert FRAME["label"].tolist() == ["Nausea", "Rash_1"]
        assert FRAME.iloc[1, 3] == ""

    def test_the_lines_of_a_group_stand_together_in_order_of_first_appearance(self):
        made = arrange(rows(("z", "A", "any", "1"), ("a", "A", "any", "2"), ("y", "A", "any", "3")).assign(
            group=["second", "first", "second"]), "endpoint", "arm", "group")
        assert made["label"].tolist() == ["z", "y", "a"]

    def test_categories_give_the_order_of_columns_and_results_that_of_lines(self):
        made = rows(("dose", "B", "any", "1"), ("stop", "A", "any", "2"), ("stop", "B", "any", "3"))
        made = arrange(made.assign(arm=pd.Categorical(made["arm"], ["A", "never", "B"])), "endpoint", "arm")
        assert made.columns.tolist() == ["label", "A", "B"]
        assert made.to_numpy().tolist() == [["dose", "", "1"], ["stop", "2", "3"]]

    def test_two_results_for_one_cell_are_refused(self):
        twice = rows(("Nausea", "A", "any", "1"), ("Nausea", "A", "grade3plus", "1"))
        with pytest.raises(ValueError, match="two results for one cell"):
            arrange(twice, "endpoint", "arm")

    def test_no_result_is_no_line(self):
        assert arrange(rows(), "endpoint", "arm").empty


class TestHtml:
    page = publication.html(TABLE, STUDY, page=True)

    def test_it_shows_titles_numbers_notes_and_the_banner(self):
        text = BeautifulSoup(self.page, "html.parser").get_text(" ").replace("\N{NO-BREAK SPACE}", " ")
        for part in ("Adverse events ≥ 1", "A&B, N = 3", "C, N = 2", "any grade", "Signs < 5%", "counted once",
                     "demo, demo <title>. SYNTHETIC COHORT."):
            assert part in text, part
        assert cells(self.page) == FRAME.drop(columns="group").to_numpy().tolist()

    def test_it_asks_for_nothing_from_elsewhere(self):
        assert not re.search(r"https?:|@import|url\(|<script|<link|<img|src=", self.page)

    def test_it_has_no_colour(self):
        colours = set(re.findall(r"#([0-9A-Fa-f]{6})\b", self.page))
        assert colours
        assert all(one[:2] == one[2:4] == one[4:] for one in colours)

    def test_the_identifier_is_fixed_and_the_bytes_are_the_same_twice(self):
        assert 'id="events"' in self.page
        assert publication.html(TABLE, STUDY, page=True) == self.page

    def test_a_page_says_its_encoding_and_a_fragment_is_no_page(self):
        assert self.page.startswith("<!DOCTYPE html>") and '<meta charset="utf-8"/>' in self.page
        assert "<title>Adverse events ≥ 1</title>" in self.page
        assert "<html" not in publication.html(TABLE, STUDY)

    def test_an_interval_is_not_torn_at_the_end_of_a_line(self):
        assert "95%\N{NO-BREAK SPACE}CI 0.8\N{NO-BREAK SPACE}to" in self.page


class TestLatex:
    def test_it_is_whole_and_every_line_has_the_same_number_of_columns(self):
        text = publication.latex(TABLE, STUDY)
        assert text.count(r"\begin{") == text.count(r"\end{") and text.count("{") == text.count("}")
        assert text.count(r"p{\dimexpr") == 3
        body = [line for line in text.splitlines() if line.startswith(("Nausea", r"Rash\_1"))]
        assert [line.count(" & ") for line in body] == [2, 2]
        for part in (r"A\&B, N", r"Signs \textless{} 5\%", r"$\geq$ 1", "SYNTHETIC COHORT", "counted once"):
            assert part in text, part

    def test_a_long_table_breaks_over_pages_under_its_headings(self):
        frame = pd.concat([FRAME.assign(label=[f"{n} {label}" for label in FRAME["label"]]) for n in range(60)])
        text = publication.latex(Table(frame, "events", "t"), STUDY)
        assert text.count(r"\begin{longtable}") == text.count(r"\endhead") == 1
        assert "longtable" in text.splitlines()[0]

    def test_columns_share_the_width(self):
        assert sum(publication.widths(TABLE)) == pytest.approx(1, abs=1e-12)

    def test_another_form_of_great_tables_is_an_error_and_not_a_table_that_overflows(self, monkeypatch):
        monkeypatch.setattr(publication, "SPECIFICATION", re.compile("never"))
        with pytest.raises(ValueError, match="great_tables has changed"):
            publication.latex(TABLE, STUDY)


class TestSave:
    def test_both_files_are_written_and_stay_the_same(self, elsewhere):
        said = publication.save(TABLE, STUDY)
        where = publication.files(STUDY, "events")
        before = {kind: path.read_bytes() for kind, path in where.items()}
        assert publication.save(TABLE, STUDY) == said == "data/processed/demo/tables/events.html and .tex: 2 lines"
        assert {kind: path.read_bytes() for kind, path in where.items()} == before
        assert sorted(path.name for path in where["html"].parent.iterdir()) == ["events.html", "events.tex"]

    def test_a_table_without_lines_leaves_no_file_and_no_folder(self, elsewhere):
        publication.save(TABLE, STUDY)
        assert "no data" in publication.save(Table(FRAME.head(0), "events", "t"), STUDY)
        assert not (paths.processed("demo") / "tables").exists()

    def test_it_is_shown_and_its_absence_said(self, elsewhere, monkeypatch, capsys):
        shown = []
        monkeypatch.setattr(publication, "display", shown.append)
        publication.show(TABLE, STUDY, absent="none")
        publication.show(Table(FRAME.head(0), "events", "t"), STUDY, absent="No events here.")
        assert "Nausea" in shown[0].data
        assert shown[1].data == "*No events here.*"
        assert "events.html and .tex: 2 lines" in capsys.readouterr().out


@pytest.fixture(scope="module")
def whole():
    """Tables of the default cohort, and the results they were made from."""
    described = study.read("ash2012_reconstructed")
    adsl, adae, adlb, adex = (store.read("ash2012_reconstructed", name) for name in ("adsl", "adae", "adlb", "adex"))
    classes = toxicity.class_table(adae, adsl, described)
    made = results.frame([
        *toxicity.event_results(toxicity.event_table(adae, adsl, described)), *toxicity.class_results(classes),
        *toxicity.cytopenia_results(toxicity.cytopenia_table(adlb, adsl, described), described),
        *toxicity.delivery_results(toxicity.delivery_table(adex, adsl, described)),
        *toxicity.reduction_results(toxicity.reduction_table(adex, adsl, described)),
        *toxicity.intensity_results(toxicity.intensity_table(adex, adsl, described)),
        *survival.analyse_baseline(adsl, described).to_dict("records")])
    given = adsl, described
    return described, made, {table.name: table for table in (
        layout.adverse_events(made, classes, *given), layout.laboratory(made, *given), layout.dose(made, *given),
        layout.baseline(made, *given))}


class TestLayout:
    def test_every_cell_of_a_saved_table_is_the_display_of_a_result(self, whole, elsewhere):
        described, made, tables = whole
        for table in tables.values():
            publication.save(table, described)
            found = cells(publication.files(described, table.name)["html"].read_text(encoding="utf-8"))
            assert found == table.frame.drop(columns="group").to_numpy().tolist()
            assert {cell for line in found for cell in line[1:]} - set(made["display"]) <= {""}

    def test_a_cell_is_the_result_of_its_line_and_column(self, whole):
        _, made, tables = whole
        shown = made.set_index("result_id")["display"]
        events = tables["adverse_events"].frame.set_index("label")
        for term in ("Fatigue", "Nausea", "Any adverse event"):
            for arm, n in (("IFN+IM", 19), ("IM", 12)):
                assert events.loc[term, heading(arm, n, "any grade")] == shown[f"ae.{term}.all.{arm}.any"]
                assert events.loc[term, heading(arm, n, "grade 3 or worse")] == shown[f"ae.{term}.all.{arm}.grade3plus"]
        dose = tables["dose_delivery"].frame.set_index(["group", "label"])
        assert dose.loc[("imatinib", "first dose"), "IM, N = 12"] == shown["dose.imatinib.all.IM.planned"]
        assert dose.loc[("interferon alfa-2a", "reduced, interrupted or stopped for an adverse event"),
                        "IFN+IM, evaluable for interferon, N = 18"] == "9 of 18 (50.0%, 95% CI 26.0 to 74.0)"
        ages = tables["baseline"].frame.set_index(["group", "label"])
        assert ages.loc[("Age, years", "median")].tolist() == ["66", "67"]
        blood = tables["laboratory"].frame.set_index(["group", "label"])
        assert blood.loc[("Any cytopenia, CTCAE 3.0", "worst grade 3"), "IFN+IM, N = 19"].startswith("2 of 19")

    def test_no_event_is_left_out_and_zero_rows_are_kept(self, whole):
        _, made, tables = whole
        events = tables["adverse_events"].frame
        assert set(made.loc[made["analysis"] == "ae", "endpoint"]) <= set(events["label"])
        assert events["IM, N = 12: any grade"].str.startswith("0 of 12").any()

    def test_a_characteristic_that_some_patients_lack_is_named_below(self, whole):
        described, made, _ = whole
        adsl = store.read("ash2012_reconstructed", "adsl")
        ages = made[made["analysis"] == "age"].assign(n=11)
        assert "Age, years, IM: 11 of 12 known" in layout.baseline(ages, adsl, described).notes[0]

    def test_without_results_there_is_no_table(self, whole):
        described, made, _ = whole
        adsl, nothing = store.read("ash2012_reconstructed", "adsl"), made.head(0)
        order = pd.DataFrame(columns=["AEBODSYS", "AEDECOD"])
        assert layout.adverse_events(nothing, order, adsl, described).frame.empty
        for lay in (layout.laboratory, layout.dose, layout.baseline):
            assert lay(nothing, adsl, described).frame.empty


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_cell_of_a_committed_table_stands_in_results(cohort):
    shown = set(results.load(cohort)["display"])
    for path in sorted((ROOT / "data" / "processed" / cohort / "tables").glob("*.html")):
        if path.stem != harms.NAME:
            found = {cell for line in cells(path.read_text(encoding="utf-8")) for cell in line[1:]}
            assert found - shown <= {""}, path.name
        assert path.with_suffix(".tex").is_file()
