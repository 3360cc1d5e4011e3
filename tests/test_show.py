"""What a cell shows."""

from __future__ import annotations

import pandas as pd

from remission import show, study


def test_an_empty_table_is_one_line_not_an_empty_grid(capsys):
    show.table(pd.DataFrame(columns=["a"]), "No laboratory table in this cohort.")
    assert "Markdown" in capsys.readouterr().out


def test_numbers_are_rounded_in_the_table_only(capsys):
    frame = pd.DataFrame({"p": [0.0697123]})
    show.table(frame, "none", digits=2)
    assert "0.07" in capsys.readouterr().out
    assert frame["p"].iloc[0] == 0.0697123


def test_the_banner_says_that_the_default_cohort_is_synthetic():
    assert "SYNTHETIC" in study.read("ash2012_reconstructed").banner
