"""What every test shares: figures without a screen, and outputs that never reach the checkout."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

os.environ["MPLBACKEND"] = "Agg"
os.environ.pop("MAKEFLAGS", None)  # a make that a test starts is no part of the make that started the tests
ROOT = Path(__file__).resolve().parent.parent
COHORTS = sorted(path.parent.name for path in ROOT.glob("data/raw/*/study.toml")
                 if (ROOT / "data" / "processed" / path.parent.name / "manifest.json").exists())
#: Files that take longest, the longest first.
LONG = ("test_mrd_cohorts", "test_pipeline", "test_faults", "test_ensemble_coverage", "test_fuzz", "test_checks",
        "test_kill")


def pytest_collection_modifyitems(items):
    """Long files are dealt first, so that short ones fill the workers to the end and all end together."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def pytest_collection_finish():
    """Modules and tests stay to the end: garbage is not looked for among them, which took 7% of a long test."""
    gc.freeze()


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    """Every test starts at the root, as make does."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Outputs go to a temporary folder."""
    monkeypatch.setenv("REMISSION_OUTPUT", str(tmp_path))
    return tmp_path


def pytest_terminal_summary(terminalreporter):
    """One line an engine, when parity with R was tested: how many numbers within which allowance, and the worst."""
    found = {}
    for report in [one for state in ("passed", "failed") for one in terminalreporter.getreports(state)]:
        for engine, lines in [value for name, value in report.user_properties if name == "parity"]:
            for difference, allowed in lines:
                found.setdefault(engine, {}).setdefault(allowed, []).append(difference)
    for engine, kinds in sorted(found.items()):
        parts = [f"{len(kinds[allowed])} within {allowed:.0e} (worst {max(kinds[allowed]):.1e})" if allowed < 1 else
                 f"{len(kinds[allowed])} within {allowed:.0f} standard errors (worst {max(kinds[allowed]):.1f})"
                 for allowed in sorted(kinds)]
        terminalreporter.write_line(f"R parity  {engine:16}{'; '.join(parts)}")
