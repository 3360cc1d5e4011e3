"""Specification curve: one question answered under every reading of its words, and which reading gave which answer."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from remission.figures import style
from remission.study import Study
from remission.survival.grid import short_p

#: Colours of the readings of the first choice: none of an arm's.
COLOURS = [style.COLOURS[number] for number in (2, 3, 4, 5)] + [style.INK]
PLACED = ["place", "p", "estimate", "lower", "upper", "wrong", "primary"]
#: Heights in inches: the panel of p, of the estimate, of a further ratio, and a line of the matrix.
P_PANEL, ESTIMATE_PANEL, MORE_PANEL, LINE = 1.35, 1.35, 0.75, 0.132


def specification_curve(cells: pd.DataFrame, study: Study, choices: dict[str, str], estimate: str,
                        more: dict[str, str] | None = None, window: tuple[float, float] | None = None,
                        title: str = "", note: str = "") -> tuple[Figure | None, pd.DataFrame]:
    """Draw every analysis of one question, sorted by p: p, the estimate with its interval, and the choices behind it.

    Parameters
    ----------
    cells : DataFrame
        One row an analysis: the columns of `choices`, `p`, `estimate`, `lower`, `upper` (ratios; NaN where there is
        none), and optionally `wrong` (drawn hollow) and `primary` (a diamond, with a line through every panel).
    study : Study
    choices : dict
        Column to heading; ordered categories keep their order. Colours tell the readings of the first choice apart.
    estimate : str
        What the estimate is, for its axis.
    more : dict, optional
        Further ratios drawn as points: column to axis label.
    window : tuple of float, optional
        A band of p to be shaded, such as what would have been printed alike.
    title, note : str
        Above the figure, and for the footer.

    Returns
    -------
    tuple
        Figure (None without a p) and every number drawn, in the order of the figure; analyses without p are not drawn.

    Source
    ------
    Simonsohn, Simmons and Nelson, Nat Hum Behav 2020;4:1208.

    Examples
    --------
    >>> empty = pd.DataFrame(columns=["rule", "p", "estimate", "lower", "upper"])
    >>> specification_curve(empty, Study("demo", "own", "", "", ()), {"rule": "event rule"}, "hazard ratio")[0] is None
    True
    """
    more = more or {}
    placed = _placed(cells, choices, more)
    if placed.empty:
        return None, placed
    colours = _colours(placed[next(iter(choices))])
    lines = _lines(placed, choices)
    heights = [P_PANEL, ESTIMATE_PANEL, *[MORE_PANEL] * len(more), LINE * len(lines)]
    with style.style():
        figure, panels = plt.subplots(len(heights), 1, figsize=(style.DOUBLE, sum(heights) + 0.75), sharex=True,
                                      height_ratios=heights)
        size = min(3.2, max(1.2, 330 / len(placed)))
        _draw_p(panels[0], placed, colours, window, size)
        _draw_estimate(panels[1], placed, colours, estimate, size)
        for axes, (column, label) in zip(panels[2:-1], more.items(), strict=True):
            _points(axes, placed, placed[column], colours, size)
            _ratio_axis(axes, placed[column], label)
        _draw_matrix(panels[-1], placed, lines, choices, colours)
        for axes in panels:
            _primary_line(axes, placed)
            axes.set_xlim(0, len(placed) + 1)
            axes.tick_params(axis="x", length=0, labelbottom=False)
            axes.spines["bottom"].set_visible(axes is not panels[-1])
        panels[0].set_title(title)
        panels[-1].set_xlabel(f"{len(placed)} analyses, sorted by p")
        figure.align_ylabels(panels[:-1])
        style.footer(figure, study, _footnote(placed, window, note))
    return figure, placed


def landmarks(plotted: pd.DataFrame, choices: dict[str, str], estimate: str = "estimate") -> pd.DataFrame:
    """The analyses with the smallest and the largest p, the primary one, and the one in the middle.

    Parameters
    ----------
    plotted : DataFrame
        From `specification_curve`.
    choices : dict
        As given to it.
    estimate : str
        Heading of the estimate.

    Returns
    -------
    DataFrame
        A line a landmark; wrong readings are no landmarks. No rows without a figure.

    Examples
    --------
    >>> rows = pd.DataFrame({"place": [1, 2], "rule": ["a", "b"], "p": [0.1, 0.2], "estimate": [0.5, 0.6],
    ...                      "lower": 0.2, "upper": 1.1, "wrong": False, "primary": [False, True]})
    >>> landmarks(rows, {"rule": "event rule"})["analysis"].tolist()
    ['smallest p', 'primary, middle, largest p']
    """
    right = plotted[~plotted["wrong"]].reset_index(drop=True)
    if right.empty:
        return pd.DataFrame(columns=["analysis"])
    at = {"smallest p": 0, "primary": right["primary"].to_numpy(bool).argmax() if right["primary"].any() else None,
          "middle": len(right) // 2, "largest p": len(right) - 1}
    lines = []
    for row in sorted({row for row in at.values() if row is not None}):
        cell = right.iloc[row]
        shown = "" if math.isnan(cell["estimate"]) else \
            f"{cell['estimate']:.2f} ({cell['lower']:.2f} to {cell['upper']:.2f})"
        made = {heading: str(cell[column]) for column, heading in choices.items()}
        lines.append({"analysis": ", ".join(name for name, place in at.items() if place == row),
                      "place": int(cell["place"]), **made, "p": short_p(cell["p"]), estimate: shown})
    return pd.DataFrame(lines)


def _placed(cells: pd.DataFrame, choices: dict[str, str], more: dict[str, str]) -> pd.DataFrame:
    """Analyses that have a p, in the order of the figure; equal p are ordered by the estimate, then by the choices."""
    for flag in ("wrong", "primary"):
        cells = cells.assign(**{flag: cells[flag].astype(bool) if flag in cells else False})
    kept = cells[cells["p"].notna()].sort_values(["p", "estimate", *choices], kind="stable").reset_index(drop=True)
    return kept.assign(place=np.arange(1, len(kept) + 1))[["place", *choices, *PLACED[1:5], *more, *PLACED[5:]]]


def _levels(column: pd.Series) -> list[str]:
    """Readings of one choice that occur, in their order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(level) for level in column.cat.categories if (column == level).any()]
    return [str(level) for level in pd.unique(column)]


def _colours(first: pd.Series) -> pd.Series:
    levels = _levels(first)
    colour = {level: COLOURS[number % len(COLOURS)] for number, level in enumerate(levels)}
    return first.astype(str).map(colour if len(levels) > 1 else dict.fromkeys(levels, style.INK))


def _lines(placed: pd.DataFrame, choices: dict[str, str]) -> list[tuple[str, str | None]]:
    """Lines of the matrix: a heading for each choice, then its readings."""
    return [line for column in choices
            for line in [(column, None), *((column, level) for level in _levels(placed[column]))]]


def _points(axes: Axes, placed: pd.DataFrame, values: pd.Series, colours: pd.Series, size: float) -> None:
    """A point an analysis: filled, hollow where the reading is wrong, a larger diamond for the primary one."""
    wrong, primary = placed["wrong"], placed["primary"]
    for which, look in ((wrong, {"facecolors": "white", "edgecolors": colours[wrong]}),
                        (~wrong & ~primary, {"color": colours[~wrong & ~primary]})):
        axes.scatter(placed.loc[which, "place"], values[which], s=size**2, linewidths=0.6, zorder=3, **look)
    axes.scatter(placed.loc[primary, "place"], values[primary], s=(1.6 * size) ** 2, marker="D", zorder=5,
                 facecolors=colours[primary], edgecolors=style.INK, linewidths=0.6)


def _draw_p(axes: Axes, placed: pd.DataFrame, colours: pd.Series, window: tuple[float, float] | None,
            size: float) -> None:
    if window:
        axes.axhspan(max(window[0], 1e-300), window[1], color=style.LIGHT, linewidth=0, zorder=0)
    axes.axhline(0.05, color=style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    _points(axes, placed, placed["p"], colours, size)
    low = min(placed["p"].clip(lower=1e-12).min() / 1.5, 0.04)
    axes.set(yscale="log", ylim=(low, 1.25), ylabel="p")
    axes.set_yticks(*_log_ticks(low, 1.0))
    axes.yaxis.set_minor_locator(NullLocator())


def _draw_estimate(axes: Axes, placed: pd.DataFrame, colours: pd.Series, label: str, size: float) -> None:
    whole = placed[["lower", "upper"]].notna().all(axis=1)
    axes.vlines(placed.loc[whole, "place"], placed.loc[whole, "lower"], placed.loc[whole, "upper"],
                color=colours[whole], alpha=0.55, linewidth=min(1.4, 120 / len(placed)), zorder=2)
    _points(axes, placed, placed["estimate"], colours, size)
    _ratio_axis(axes, pd.concat([placed["lower"], placed["estimate"], placed["upper"]]), label)


def _ratio_axis(axes: Axes, values: pd.Series, label: str) -> None:
    """A logarithmic axis of ratios, with 1 on it."""
    axes.axhline(1, color=style.INK, linewidth=0.7, zorder=1)
    found = values[np.isfinite(values) & (values > 0)]
    low, high = (min(found.min(), 0.8) / 1.2, max(found.max(), 1.3) * 1.2) if len(found) else (0.5, 2)
    axes.set(yscale="log", ylim=(low, high), ylabel=label)
    axes.set_yticks(*_log_ticks(low, high))
    axes.yaxis.set_minor_locator(NullLocator())


def _log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Round values between two limits: many over a short range, powers of ten over a long one."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high / low)
    steps = (1, 1.5, 2, 3, 5, 7) if decades < 0.7 else (1, 2, 5) if decades < 2.6 else (1,)
    every = max(1, math.ceil(decades / 6))
    ticks = [step * 10.0**power for power in range(last, first - 1, -every) for step in steps]
    ticks = sorted(tick for tick in ticks if low <= tick <= high * 1.0001)
    return ticks, [f"{tick:g}" for tick in ticks]


def _draw_matrix(axes: Axes, placed: pd.DataFrame, lines: list[tuple[str, str | None]], choices: dict[str, str],
                 colours: pd.Series) -> None:
    """Which reading of every choice each analysis took: a stroke in its line."""
    first, width = next(iter(choices)), min(2.2, 190 / len(placed))
    for height, (column, level) in enumerate(lines):
        if level is None:
            continue
        mine = placed[column].astype(str) == level
        axes.hlines(height, 0.5, len(placed) + 0.5, color=style.LIGHT, linewidth=0.4, zorder=0)
        axes.vlines(placed.loc[mine, "place"], height - 0.34, height + 0.34, linewidth=width,
                    color=colours[mine] if column == first else style.GREY, zorder=2)
    axes.set_yticks(range(len(lines)), [choices[column] if level is None else level for column, level in lines])
    for tick, (_, level) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set(fontsize=6.6, fontweight="bold" if level is None else "normal")
    axes.set_ylim(len(lines) - 0.4, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _primary_line(axes: Axes, placed: pd.DataFrame) -> None:
    for place in placed.loc[placed["primary"], "place"]:
        axes.axvline(place, color=style.INK, linewidth=0.6, linestyle=":", zorder=1)


def _footnote(placed: pd.DataFrame, window: tuple[float, float] | None, note: str) -> str:
    said = ["\nDashed: p = 0.05."]
    if window:
        said.append("Band: would be printed as the primary p is.")
    if placed["primary"].any():
        said.append("Diamond: primary.")
    if placed["wrong"].any():
        said.append("Hollow: wrong reading.")
    return " ".join([*said, note]).rstrip()
