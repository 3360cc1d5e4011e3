"""Folders, and files written whole or not at all."""

from __future__ import annotations

import pytest

from remission import paths


def test_root_is_found_from_below(monkeypatch):
    root = paths.root()
    monkeypatch.chdir(root / "notebooks")
    assert paths.root() == root


def test_outside_the_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="run from inside the repository"):
        paths.root()


def test_outputs_follow_the_variable_and_inputs_do_not(elsewhere):
    assert paths.processed("x") == elsewhere / "data" / "processed" / "x"
    assert paths.raw("x") == paths.root() / "data" / "raw" / "x"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), paths.atomic(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert target.read_text() == "old"
