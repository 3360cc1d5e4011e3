"""Journal club: answers rest on rows that exist, and controls give the numbers of results.csv for the same choice."""

from __future__ import annotations

import dataclasses
import re
import shutil

import ipywidgets
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import COHORTS, ROOT
from matplotlib.text import Annotation

from remission import paths, results, run, schema, store
from remission.club import answers, comparison, controls, drawing
from remission.mrd import landmark
from remission.report import pages, sheets
from remission.study import read
from remission.survival.endpoints import endpoint

NAME = "ash2012_reconstructed"
NOTEBOOK = ROOT / "notebooks" / "07_journal_club.ipynb"
STUDY = read(NAME)


@pytest.fixture(scope="module")
def tables():
    return {name: store.read(NAME, name) for name in ("adsl", "adtte", "adtv")}


@pytest.fixture(scope="module")
def displayed():
    """What results.csv says, by name; the notebook that computed a row shares no code path with the controls' menus."""
    return results.load(NAME).set_index("result_id")["display"]


class TestComparisonOfArms:
    def test_every_choice_of_the_grid_gives_its_row_of_results(self, tables, displayed):
        adsl, adtte = tables["adsl"], tables["adtte"]
        clocks = comparison.clocks(adsl, adtte, STUDY)
        compared = 0
        for event in ("relapse", "either", "excluded", "competing"):
            for clock in clocks:
                found, place = comparison.of_arms(adsl, adtte, STUDY, event, clock), f"grid.{event}@{clock}.all"
                if event == "competing" and clock.endswith("truncated"):
                    assert not found.groups and found.p.startswith("not estimable")
                    continue
                ratio, test = ("subdistribution_HR", "gray_p") if event == "competing" else ("HR", "logrank_p")
                assert found.ratio == displayed[f"{place}.{STUDY.contrast}.{ratio}"]
                assert found.p == displayed[f"{place}.{STUDY.contrast}.{test}"]
                compared += 1
        assert compared == 3 * 5 + 3

    def test_survival_from_the_start_and_from_diagnosis_with_late_entry(self, tables, displayed):
        for clock, ratio, test in (("start", "cox.OSMT", "logrank.OSMT"),
                                   ("diagnosis", "cox.OSDX", "logrank.OSDX"),
                                   ("diagnosis_truncated", "cox_truncated.OSDX", "logrank_truncated.OSDX")):
            found = comparison.of_arms(tables["adsl"], tables["adtte"], STUDY, "death", clock)
            assert found.ratio == displayed[f"{ratio}.all.{STUDY.contrast}.HR"]
            assert found.p == displayed[f"{test}.all.{STUDY.contrast}.p"]

    def test_medians_are_those_of_results(self, tables, displayed):
        found = comparison.of_arms(tables["adsl"], tables["adtte"], STUDY)
        assert {group.label: group.median for group in found.groups} == {
            arm: displayed[f"km.TTRLP.all.{arm}.median"] for arm in STUDY.arm_keys}

    def test_one_arm_has_nothing_to_compare(self):
        study = read("wassmann2003")
        found = comparison.of_arms(store.read(study.name, "adsl"), store.read(study.name, "adtte"), study)
        assert found.groups == () and "no two arms" in found.p


class TestComparisonOfStates:
    def test_any_detectable_level_gives_the_rows_of_the_landmarks(self, tables, displayed):
        for words, day in landmark.landmarks(STUDY).items():
            for arm in (*STUDY.arm_keys, "all"):
                found = comparison.of_states(tables["adtv"], STUDY, day, None, arm)
                place = f"landmark.TTRLP.landmark_{words.replace(' ', '_')}.{arm}"
                assert f"{found.ratio}, p" in f"{displayed[f'{place}.HR']}, p" and found.p == displayed[f"{place}.p"]

    @pytest.mark.parametrize("level, limit, threshold, state", [
        (-0.5, "N", 0.1, "positive"), (-1.0, "N", 0.1, "positive"), (-1.5, "N", 0.1, "negative"),
        (-2.5, "Y", 0.1, "negative"), (-1.0, "Y", 0.1, "unknown"), (-0.5, "Y", 0.1, "unknown"),
        (None, None, 0.1, "unknown")])
    def test_a_sample_is_held_against_the_threshold_or_too_insensitive_for_it(self, level, limit, threshold, state):
        row = {"STUDYID": "s", "USUBJID": "a", "TRT01A": "A", "TSTART": 0, "TSTOP": 100, "SAMPDY": -5, "MRDPOS": 1,
               "CATEGORY": "failure", "LEVEL": level, "LEVCENS": limit, "EVENT": 1, "CNSR2": 0}
        adtv = schema.conform(pd.DataFrame([row]), schema.ANALYSIS["adtv"])
        assert landmark.at_landmark(adtv, 30, 183, threshold)["state"].tolist() == [state]
        assert landmark.at_landmark(adtv, 30, 183)["state"].tolist() == ["positive"]


class TestAnswers:
    def test_the_notebook_asks_the_twelve_questions_in_order(self):
        cells = nbformat.read(NOTEBOOK, as_version=4).cells
        asked = [name for cell in cells for name in re.findall(r'answers\.tell\("(\w+)"', cell.source)]
        assert asked == list(answers.QUESTIONS) and len(asked) == 12
        tagged = [cell.metadata.tags[0] for cell in cells if cell.metadata.get("tags", [""])[0] in
                  (sheets.QUESTION, sheets.HARDER)]
        assert tagged == [sheets.QUESTION, sheets.HARDER] * 12

    @pytest.mark.parametrize("name", answers.QUESTIONS)
    def test_every_number_of_an_answer_stands_in_a_row_beside_it(self, name):
        table, sentence = answers.answer(name, results.load(NAME), STUDY)
        assert len(table) >= 2 and "lack" not in sentence
        shown = " ".join(table["result"])
        # Sums and shared parts of intervals are the only numbers made here; they have a test of their own.
        made = {"offset": 4, "long_term": 0}.get(name, 0)
        fixed = {"2"} if name == "predictive" else {"0.05"} if name in ("deaths", "fragile") else set()
        loose = [number for number in re.findall(r"\d[\d,.]*\d|\d", sentence) if number not in shown]
        assert len(set(loose) - fixed) <= made, loose

    def test_sums_of_both_ends_of_a_remission(self):
        found = results.load(NAME)
        value = found.set_index("result_id")["value"]
        parts = [[value[f"cif.TTRLP.all.{arm}.{end}[5 years]"] for end in ("relapse", "death_in_remission")]
                 for arm in STUDY.arm_keys]
        sentence = answers.answer("offset", found, STUDY)[1]
        for number in (sum(parts[0]), sum(parts[1]), sum(parts[1]) - sum(parts[0]), parts[1][0] - parts[0][0]):
            assert f"{100 * number:.1f}" in sentence

    @pytest.mark.parametrize("cohort", COHORTS)
    def test_other_cohorts_answer_or_say_what_they_lack(self, cohort):
        study, found = read(cohort), results.load(cohort)
        for name in answers.QUESTIONS:
            table, sentence = answers.answer(name, found, study)
            assert sentence.endswith(".") and not re.search(r"\bnan\b|None|[{}]", sentence)
            assert set(table["row of results.csv"]) <= set(found["result_id"])
            assert cohort == NAME or name not in ("codings", "reported") or "lack" in sentence or "no two" in sentence

    @pytest.mark.parametrize("p, words", [(0.2, "neither"), (0.04, "one rule only"), (0.01, "both rules")])
    def test_the_verdict_on_deaths_follows_the_numbers(self, p, words):
        found = results.load(NAME)
        changed = found["value"].mask(found["result_id"] == f"logrank.TTRLP.all.{STUDY.contrast}.p", p)
        both = changed.mask((found["result_id"] == f"logrank.RFS.all.{STUDY.contrast}.p") & (p < 0.02), p)
        assert words in answers.answer("deaths", found.assign(value=both), STUDY)[1]


class TestControls:
    @pytest.fixture
    def shown(self, monkeypatch):
        """What is displayed, and the widgets behind it."""
        heard = {"said": [], "bundles": [], "children": []}
        box = ipywidgets.VBox

        def keep(children):
            heard["children"].append(children)
            return box(children)
        monkeypatch.setattr(ipywidgets, "VBox", keep)
        monkeypatch.setattr(controls, "display", lambda bundle, **kinds: heard["bundles"].append(bundle))
        monkeypatch.setattr(controls.show, "say", heard["said"].append)
        return heard

    def test_a_choice_of_endpoint_shows_the_p_of_results(self, shown, tables, displayed):
        controls.arms(tables["adsl"], tables["adtte"], STUDY)
        event, clock, page = shown["children"][0]
        assert displayed[f"logrank.TTRLP.all.{STUDY.contrast}.p"] in page.value
        event.value = "either"
        assert displayed[f"logrank.RFS.all.{STUDY.contrast}.p"] in page.value
        assert displayed[f"cox.RFS.all.{STUDY.contrast}.HR"] in page.value
        event.value, clock.value = "death", "diagnosis_truncated"
        assert displayed[f"cox_truncated.OSDX.all.{STUDY.contrast}.HR"] in page.value

    def test_a_choice_of_landmark_and_threshold_changes_all_at_once(self, shown, tables):
        controls.states(tables["adtv"], STUDY)
        day, threshold, arm, page = shown["children"][0]
        day.value, threshold.value, arm.value = 183, 0.1, "IFN+IM"
        wanted = comparison.of_states(tables["adtv"], STUDY, 183, 0.1, "IFN+IM")
        assert wanted.ratio in page.value and wanted.p in page.value
        threshold.value = 0.001
        assert "Not estimable: nobody is on one side" in page.value

    def test_a_picture_of_the_first_choice_stands_beside_what_is_live(self, shown, tables):
        controls.arms(tables["adsl"], tables["adtte"], STUDY)
        assert {"image/png", run.LIVE} <= set(shown["bundles"][0])
        assert "p = 0.072" in shown["said"][0] and shown["said"][0].startswith("*At first: relapse")

    def test_cohorts_without_arms_or_samples_say_so(self, shown):
        controls.arms(pd.DataFrame(), pd.DataFrame(), read("wassmann2003"))
        controls.states(schema.empty(schema.ANALYSIS["adtv"]), STUDY)
        assert [one.split()[-1] for one in shown["said"]] == ["compare.*", "MRD.*"] and not shown["bundles"]

    def test_a_committed_notebook_keeps_the_picture_and_nothing_live(self):
        outputs = [output for cell in nbformat.read(NOTEBOOK, as_version=4).cells for output in cell.get("outputs", [])]
        assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
        assert run.LIVE not in NOTEBOOK.read_text(encoding="utf-8")
        output = nbformat.v4.new_output("display_data", {run.LIVE: {}, "text/plain": "x"})
        cell = nbformat.v4.new_code_cell(outputs=[output])
        assert list(run.strip(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs[0].data) == ["text/plain"]


def test_numbers_at_risk_are_those_of_the_curve(tables):
    data = endpoint(tables["adtte"], "TTRLP")
    mine = data[data["arm"] == "IFN+IM"]
    # By hand from the listing of notebook 03: 19 at the start; the first relapse of this arm comes after day 100.
    assert drawing.at_risk(mine, [0, 100])[0] == 19 == drawing.at_risk(mine, [100])[0]
    assert drawing.at_risk(mine, [mine["time"].max()]) == [1] and drawing.at_risk(mine, [mine["time"].max() + 1]) == [0]


class TestSheet:
    def test_what_was_drawn_before_leaves_no_trace(self, tables):
        def drawn_by(sheet):
            return [sheet.drawn(one) for one in (
                comparison.of_states(tables["adtv"], STUDY, 183, 0.001, "IFN+IM"),  # nothing to compare
                comparison.of_arms(tables["adsl"], tables["adtte"], STUDY, "competing"),
                comparison.of_states(tables["adtv"], STUDY, 0, None, "IM"),
                comparison.of_arms(tables["adsl"], tables["adtte"], STUDY, "death", "diagnosis"))]

        one = drawing.Sheet(STUDY)
        first = drawn_by(one)
        assert drawn_by(one) == first and len(set(first)) == 4
        assert drawing.Sheet(STUDY).drawn(
            comparison.of_arms(tables["adsl"], tables["adtte"], STUDY, "death", "diagnosis")) == first[-1]

    def test_names_of_arms_are_not_cut(self, tables):
        long = "interferon alpha 2a, imatinib"
        study = dataclasses.replace(STUDY, arms=tuple(
            dataclasses.replace(arm, key=long) if arm.key == "IFN+IM" else arm for arm in STUDY.arms))
        sheet = drawing.Sheet(study)
        sheet.drawn(comparison.of_arms(tables["adsl"], tables["adtte"].replace({"TRT01A": {"IFN+IM": long}}), study))
        boxes = [artist.get_window_extent() for artist in sheet.changing if isinstance(artist, Annotation)]
        assert len(boxes) == 2 and min(box.x0 for box in boxes) >= 0


@pytest.fixture(scope="module")
def made():
    """Handout and slides, from the committed notebook."""
    page = pages.notebook(NOTEBOOK, {})
    return {name: BeautifulSoup(text, "html.parser") for name, text in sheets.sheets(page, STUDY).items()}


class TestSheets:
    def test_the_handout_asks_and_does_not_tell(self, made):
        sections = made["handout"].find_all("section")
        assert len(sections) == 12 and all(len(one.find_all("li")) >= 3 for one in sections)
        text = made["handout"].get_text()
        assert "SYNTHETIC" in text and "Answer" not in text and not re.search(r"p = 0|95% CI", text)

    def test_slides_alternate_questions_and_answers(self, made):
        slides = made["slides"].find_all("section")
        assert len(slides) == 1 + 2 * 12 and all("SYNTHETIC" in one.get_text() for one in slides)
        for question, answer in zip(slides[1::2], slides[2::2], strict=True):
            assert "Vote before you look" in question.get_text() and "Answer." in answer.get_text()
            assert "Answer." not in question.get_text()
        names = [one["id"] for one in made["slides"].find_all(id=True)]
        assert len(names) == len(set(names))

    def test_a_page_without_questions_has_no_sheets(self):
        assert sheets.sheets(pages.notebook(ROOT / "notebooks" / "05_claim_ledger.ipynb", {}), STUDY) == {}

    def test_answers_are_folded_on_the_page(self):
        soup = BeautifulSoup(pages.notebook(NOTEBOOK, {}).body, "html.parser")
        closed = soup.select("details.answer")
        assert len(closed) == 14 and not any(one.has_attr("open") for one in closed)
        assert all("Answer." not in one.get_text() for one in soup.select(".celltag_question"))


@pytest.mark.parametrize("cohort", [name for name in COHORTS if name != NAME])
def test_every_cell_runs_on_the_other_cohorts(cohort, monkeypatch, elsewhere):
    shutil.copytree(ROOT / "data" / "processed" / cohort, paths.processed(cohort))
    for module in (controls, answers.show):
        monkeypatch.setattr(module, "display", lambda *_, **__: None)
    space = {}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, NOTEBOOK.name, "exec"), space)
            space |= {"cohort": cohort} if "parameters" in cell.metadata.get("tags", []) else {}
    assert space["study"].name == cohort
