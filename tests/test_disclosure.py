"""Small counts are hidden, and cannot be worked out from what is left."""

from __future__ import annotations

import dataclasses
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remission import disclosure, publication, results, store, study
from remission.toxicity import layout

LIMIT = 5


def hide(counts, size, limit=LIMIT, groups=None):
    frame = pd.DataFrame({f"IM, N = {size}": [float(one) for one in counts]})
    groups = pd.Series(groups or "g", frame.index)
    return disclosure.hide(frame, pd.Series({f"IM, N = {size}": size}), groups, limit).iloc[:, 0].tolist()


@pytest.mark.parametrize("count, size, said", [
    (0, 19, "0 of 19"), (1, 19, "<5 of 19"), (4, 19, "<5 of 19"), (5, 19, "5 of 19"), (14, 19, "14 of 19"),
    (15, 19, ">14 of 19"), (18, 19, ">14 of 19"), (19, 19, "19 of 19"), (3, 4, "not shown"), (0, 3, "not shown"),
    (5, 5, "5 of 5"), (2, 5, "not shown")])
def test_a_count_is_shown_no_finer_than_allowed(count, size, said):
    assert disclosure.words(count, size, LIMIT) == said


def test_a_lonely_hidden_part_takes_the_smallest_other_with_it():
    assert hide([2, 7, 11], 20) == ["small", "other", ""]


def test_two_hidden_parts_hide_each_other_unless_their_sum_leaves_no_choice():
    assert hide([2, 3, 15], 20) == ["small", "small", ""]
    assert hide([1, 1, 18], 20) == ["small", "small", "small"]
    assert hide([4, 4, 12], 20) == ["small", "small", "other"]


def test_a_line_that_others_add_up_to_counts_as_a_total():
    assert hide([6, 2, 8], 30) == ["other", "small", ""]


def test_lines_of_different_groups_are_no_parts_of_one_whole():
    assert hide([2, 18], 20, groups=["a", "b"]) == ["small", "small"]
    assert hide([2, 8, 10], 20, groups=["a", "b", "c"]) == ["small", "", ""]


def test_columns_add_up_too():
    frame = pd.DataFrame({"A, N = 20": [2.0], "B, N = 30": [9.0], "all, N = 50": [11.0]})
    sizes = pd.Series({"A, N = 20": 20, "B, N = 30": 30, "all, N = 50": 50})
    assert disclosure.hide(frame, sizes, pd.Series(["g"]), LIMIT).iloc[0].tolist() == ["small", "other", ""]


def test_a_column_of_few_patients_is_hidden_whole():
    assert hide([0, 3], 3) == ["other", "other"]


def possible(mark, count, size, limit):
    """Values that a reader of the table must reckon with."""
    if mark == "":
        return [count]
    if mark == "other":
        return range(size + 1)
    return range(1, limit) if count < limit else range(size - limit + 1, size)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=4), st.integers(2, 6))
def test_a_reader_cannot_work_out_a_hidden_part_of_a_known_whole(counts, limit):
    size = sum(counts)
    if size < limit:
        return
    marks = hide(counts, size, limit)
    answers = [one for one in product(*(possible(mark, count, size, limit)
                                        for mark, count in zip(marks, counts, strict=True))) if sum(one) == size]
    assert tuple(counts) in answers
    for place, mark in enumerate(marks):
        # Below 3 there is one small count only, and a complement of one: "hidden" and "1" say the same there.
        if mark == "small" and limit > 2 and not all(marks):
            assert len({one[place] for one in answers}) > 1, (counts, marks)


def test_displays_of_results_lose_count_percentage_and_interval_but_keep_their_numbers():
    def row(name, value, unit, display, **more):
        return results.row("ae", name, "all", "IM", "any", value, unit=unit, method="", display=display, **more)

    rows = results.frame([
        row("a", 2, "n", "2 of 12 (16.7%, 95% CI 2.1 to 48.4)", n=12, events=2),
        row("b", 6, "n", "6 of 12 (50.0%, 95% CI 21.1 to 78.9)", n=12, events=6),
        row("c", 3, "n", "3 patients", n=12), row("d", 25, "%", "25.0%", n=12, events=3),
        row("e", 6.6, "per 100 patient-years", "2 in 30.2 patient-years: 6.6 (0.8 to 23.9) per 100 patient-years",
            n=12, events=2),
        row("f", 0.4, "HR", "0.40 (95% CI 0.1 to 1.9)", n=31, events=20), row("g", 900, "d", "2.5 years", n=3)])
    assert disclosure.displays(rows, LIMIT).tolist() == [
        "<5 of 12", "6 of 12 (50.0%, 95% CI 21.1 to 78.9)", "<5", "<5 of 12", "<5 in 30.2 patient-years",
        "0.40 (95% CI 0.1 to 1.9)", "not shown: fewer than 5 patients"]
    assert disclosure.displays(rows, 0).equals(rows["display"])


@pytest.fixture
def switched_on():
    return dataclasses.replace(study.read("ash2012_reconstructed"), suppress_below=LIMIT)


def test_a_table_for_publication_shows_no_small_count_when_the_study_asks_for_that(switched_on, elsewhere, monkeypatch):
    monkeypatch.delenv("REMISSION_OUTPUT")
    adsl, rows = store.read(switched_on.name, "adsl"), results.load(switched_on.name)
    monkeypatch.setenv("REMISSION_OUTPUT", str(elsewhere))
    table = layout.baseline(rows, adsl, switched_on)
    publication.save(table, switched_on)
    page = publication.files(switched_on, "baseline")["html"].read_text(encoding="utf-8")
    page = page.replace("\N{NO-BREAK SPACE}", " ")
    frame = publication.released(table, switched_on).frame
    lines = frame[frame["label"].isin(["p190", "p190/p210", "p210"])]
    assert lines["IM, N = 12"].tolist() == ["<5 of 12", "<5 of 12", "6 of 12 (50%)"]
    # Medians and ranges of a number of cycles are no counts of patients.
    assert "2" in frame.loc[frame["label"] == "lowest", "IM, N = 12"].tolist()
    assert "&lt;5 of 12" in page and "Counts from 1 to 4" in page and "4 of 12" not in page


def test_without_the_switch_a_table_is_what_it_was():
    cohort = study.read("ash2012_reconstructed")
    table = layout.baseline(results.load(cohort.name), store.read(cohort.name, "adsl"), cohort)
    assert publication.released(table, cohort) is table
