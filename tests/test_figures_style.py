"""Saving a figure: numbers beside it, unchanged files untouched, damage seen."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import COHORTS, ROOT
from PIL import Image

from remission import paths, study
from remission.figures import style

NUMBERS = pd.DataFrame({"x": [0, 1], "y": [1.0, 0.5]})


def save(numbers=NUMBERS):
    with style.style():
        figure, axis = plt.subplots()
        axis.plot(numbers["x"], numbers["y"])
        style.footer(figure, STUDY)
    return style.save(figure, numbers, STUDY, "line")


STUDY = study.Study("x", "own", "t", "c", (study.Arm("A", "a"),))


@pytest.fixture
def png(elsewhere):
    save()
    return paths.figures("x") / "line.png"


def test_an_unchanged_figure_is_not_rewritten(png):
    before = png.stat().st_mtime_ns
    save()
    assert png.stat().st_mtime_ns == before


def test_changed_numbers_redraw_it(png):
    before = png.read_bytes()
    save(NUMBERS.assign(y=[1.0, 0.4]))
    assert png.read_bytes() != before


def test_a_damaged_figure_is_seen_and_redrawn(png):
    whole = png.read_bytes()
    with Image.open(png) as image:
        facts, pixels = image.text, np.asarray(image).copy()
    pixels[10, 10] ^= 1
    assert style.intact(png)
    from PIL.PngImagePlugin import PngInfo

    kept = PngInfo()
    for key, value in facts.items():
        kept.add_text(key, value)
    Image.fromarray(pixels).save(png, pnginfo=kept)
    assert not style.intact(png)
    save()
    assert png.read_bytes() == whole


def test_no_data_removes_an_older_figure(png):
    assert "no data" in style.save(None, NUMBERS, STUDY, "line")
    assert not png.exists()


def test_looking_shows_what_showing_does_and_writes_nothing(elsewhere, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(style, "display", seen.append)
    for way in (style.look, style.show):
        with style.style():
            figure, axis = plt.subplots()
            axis.plot(NUMBERS["x"], NUMBERS["y"])
        way(figure, NUMBERS, STUDY, "line")
        assert not plt.fignum_exists(figure.number)
        assert (way is style.show) == bool(list(elsewhere.rglob("*.*")))
    assert seen[0].data == seen[1].data and seen[0].alt == "x: line"
    assert capsys.readouterr().out.splitlines()[0] == "line: 2 plotted rows, not saved"


@pytest.mark.parametrize("cohort", COHORTS)
def test_shipped_figures_are_intact_and_say_what_they_show(cohort):
    figures = sorted((ROOT / "figures" / cohort).glob("*.png"))
    assert figures
    for path in figures:
        assert style.intact(path), path
        assert path.with_suffix(".csv").is_file()
        with Image.open(path) as image:
            assert study.read(cohort).banner in image.text["Description"]
            assert image.width <= 7.0 * 220 + 1
