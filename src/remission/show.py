"""What a notebook cell shows: the cohort's banner, a table, a sentence, or one line that says what is absent."""

from __future__ import annotations

import pandas as pd
from IPython.display import Markdown, display

from remission.study import Study


def banner(study: Study) -> None:
    """Show what the cohort is, so that nobody takes a synthetic patient for a real one."""
    display(Markdown(f"> **{study.name}**, {study.title}. **{study.banner}** Source: {study.citation}"))


def say(sentence: str) -> None:
    """Show a sentence that was made from results."""
    display(Markdown(sentence))


def table(frame: pd.DataFrame, absent: str, digits: int = 3) -> None:
    """Show a table, or one line where there is nothing to show.

    Parameters
    ----------
    frame : DataFrame
    absent : str
        Said instead when the frame has no rows.
    digits : int
        Decimals of every floating-point column.
    """
    if frame.empty:
        display(Markdown(f"*{absent}*"))
        return
    with pd.option_context("display.max_rows", 200, "display.max_columns", 40, "display.max_colwidth", 200,
                           "display.width", 200):
        display(frame.round(digits))
