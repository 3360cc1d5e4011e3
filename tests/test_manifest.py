"""Tampering is named."""

from __future__ import annotations

import shutil

import pytest
from conftest import COHORTS, ROOT

from remission import manifest


@pytest.mark.parametrize("cohort", COHORTS)
def test_shipped_files_are_as_the_last_run_left_them(cohort):
    assert manifest.check(cohort) == []


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository with one cohort in it."""
    for name in ("data/raw/freireich1963", "data/processed/freireich1963", "figures/freireich1963", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    manifest.write("freireich1963")
    return tmp_path


def test_one_changed_byte_in_any_file_is_named(copy):
    files = [path for path in copy.rglob("*") if path.is_file() and path.suffix in {".csv", ".png", ".txt"}]
    assert len(files) > 10
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        assert manifest.check("freireich1963") == [f"{path.relative_to(copy).as_posix()}: changed since the run"]
        path.write_bytes(whole)


def test_missing_and_added_files_are_named(copy):
    (copy / "data/raw/freireich1963/patients.csv").rename(copy / "data/raw/freireich1963/other.csv")
    assert manifest.check("freireich1963") == ["data/raw/freireich1963/other.csv: not part of the run",
                                               "data/raw/freireich1963/patients.csv: missing"]
