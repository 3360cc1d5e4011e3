"""Cleaning the disordered default cohort gives back the truth it was made from, cell by cell."""

from __future__ import annotations

import pandas as pd
import pytest

from remission import raw, reconstruct, schema
from remission.cleaning import account, clean
from remission.study import read as read_study

#: Seed of the committed cohort, as notebook 00 sets it.
SEED = reconstruct.SEED


@pytest.fixture(scope="module")
def study():
    return read_study(reconstruct.COHORT)


@pytest.fixture(scope="module")
def received(study):
    return raw.read(study)


@pytest.fixture(scope="module")
def cleaned(study, received):
    return clean(received, study)


@pytest.fixture(scope="module")
def truth():
    return reconstruct.truth(SEED)


@pytest.fixture(scope="module")
def disordered(truth):
    return reconstruct.disorder(truth, SEED)


@pytest.fixture(scope="module")
def destroyed(disordered):
    return disordered[1]


def test_the_committed_tables_are_these(disordered, received):
    for name, frame in disordered[0].items():
        pd.testing.assert_frame_equal(received[name].drop(columns="_line"), frame)


def key(table: str, frame: pd.DataFrame) -> pd.Series:
    """Name of each true row, as the list of destroyed cells gives it."""
    return frame[[column for column in schema.RAW[table].key if column in frame]].astype(str).agg(" | ".join, axis=1)


@pytest.mark.parametrize("table", list(schema.RAW))
def test_every_cell_comes_back(table, cleaned, truth, destroyed):
    made = cleaned.tables[table].drop(columns="reported_term", errors="ignore")
    true = truth[table].set_index(key(table, truth[table]))
    lost = destroyed[destroyed["table"] == table]
    assert true.index.is_unique
    by_line = made.set_index("source_line")
    for cell in lost.itertuples():
        # What the disorder destroyed may come back as anything; every other cell of the same row must match.
        true.loc[cell.key, cell.column] = by_line.loc[cell.line, cell.column]
    made = made.drop(columns="source_line")
    order = list(made)
    pd.testing.assert_frame_equal(made.sort_values(order, ignore_index=True),
                                  true.sort_values(order, ignore_index=True)[order], check_exact=True)


def test_little_was_destroyed(truth, destroyed):
    cells = sum(frame.size for frame in truth.values())
    assert 0 < len(destroyed) < 0.005 * cells
    assert set(destroyed["table"] + "." + destroyed["column"]) <= {
        f"{table}.{column}" for table, columns in {
            "adverse_events": ("start_date", "start_day", "end_date", "end_day", "grade"),
            "chemotherapy_cycles": ("start_date", "start_day", "end_date", "end_day"),
            "mutations": ("date", "day"), "procedures": ("date", "day")}.items() for column in columns}


def test_no_row_is_lost_or_made(cleaned, received, truth):
    counts = account(cleaned, received)
    assert (counts["read"] == counts["clean"] + counts["quarantined"]).all()
    assert counts.set_index("table")["clean"].to_dict() == {name: len(frame) for name, frame in truth.items()}


def test_the_disorder_is_of_many_kinds(cleaned):
    assert {"strip_whitespace", "two_digit_year", "slash_date", "month_name_date", "impute_partial_date",
            "number_notation", "alias_arm", "alias_drug", "alias_value", "translate_term", "unit_count", "unit_mass",
            "unit_drug", "weekly_dose", "roman_grade", "mrd_text", "mutation_spelling", "close_open_dose",
            "end_overlap"} <= set(cleaned.log["rule"])
    assert {"duplicate_row", "after_death", "unknown_patient", "unreadable_value"} == set(cleaned.quarantine["rule"])


def test_logged_text_stands_in_the_file(cleaned, received):
    """What the log calls `before` is what the file holds, up to spaces, unless an earlier rule changed the cell.

    Rules on stretches work on dates that were read before, and log these as ISO.
    """
    log = cleaned.log[~cleaned.log["rule"].isin(["end_overlap", "end_after_death", "onset_at_origin"])]
    first = log[log["line"].notna()].drop_duplicates(["table", "line", "column"])
    for table, rows in first.groupby("table"):
        cells = received[table].set_index("_line")
        for row in rows[rows["before"] != ""].itertuples():
            assert " ".join(cells.loc[row.line, row.column].split()) == " ".join(row.before.split())
