"""What every test shares: figures without a screen, and outputs that never reach the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["MPLBACKEND"] = "Agg"
ROOT = Path(__file__).resolve().parent.parent
COHORTS = sorted(path.parent.name for path in ROOT.glob("data/raw/*/study.toml")
                 if (ROOT / "data" / "processed" / path.parent.name / "manifest.json").exists())


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    """Every test starts at the root, as make does."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Outputs go to a temporary folder."""
    monkeypatch.setenv("REMISSION_OUTPUT", str(tmp_path))
    return tmp_path
