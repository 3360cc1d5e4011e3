"""The notebook to start from runs on every shipped cohort, says what is absent, and writes nothing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from conftest import COHORTS, ROOT

from remission import paths, show
from remission.figures import style

CELLS = nbformat.read(ROOT / "notebooks" / "explore_template.ipynb", as_version=4).cells


@pytest.fixture
def shown(monkeypatch):
    """What is shown, figures drawn small: nobody looks at them."""
    seen = []
    for module in (show, style):
        monkeypatch.setattr(module, "display", seen.append)
    monkeypatch.setitem(style.RC, "figure.dpi", 30)
    return seen


@pytest.fixture
def no_writes(monkeypatch):
    """Every way by which the package changes a file of a cohort."""
    for name in ("atomic", "remove"):
        monkeypatch.setattr(paths, name, lambda path, name=name: pytest.fail(f"{name}: {paths.shown(path)}"))


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_cell_runs_and_nothing_is_written(cohort, shown, no_writes, capsys):
    before, space = plt.get_fignums(), {"__name__": "__main__"}
    for cell in CELLS:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.id, "exec"), space)
            if "parameters" in cell.metadata.get("tags", []):
                space["cohort"] = cohort
    assert plt.get_fignums() == before
    said = capsys.readouterr().out
    pictures = sum(type(one).__name__ == "Image" for one in shown)
    absent = said.count("this cohort has no data for it")
    assert pictures == said.count("not saved") >= 3 and pictures + absent == len(said.splitlines())
    assert (absent == 0) == (cohort == "ash2012_reconstructed")
    assert all(len(one) for one in shown if isinstance(one, pd.DataFrame))
    assert any(space["study"].banner in getattr(one, "data", "") for one in shown if type(one).__name__ == "Markdown")
