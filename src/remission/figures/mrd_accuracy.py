"""AUC of the markers over time: one small panel a marker, one line an arm."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study

PANELS = 3


def auc_over_time(curves: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the cumulative/dynamic AUC of every marker against time.

    Parameters
    ----------
    curves : DataFrame
        From `mrd.auc_curves`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None where no AUC can be estimated.
    plotted : DataFrame
        The rows of `curves` that are drawn, without those that could not be estimated.

    Examples
    --------
    >>> nothing = pd.DataFrame(columns=["arm", "marker", "time", "auc", "lower", "upper", "cases", "controls", "note"])
    >>> auc_over_time(nothing, Study("demo", "own", "", "", ()))[0] is None
    True
    """
    plotted = curves[curves["auc"].notna()].drop(columns="note").reset_index(drop=True)
    if plotted.empty:
        return None, plotted
    markers, arms = list(dict.fromkeys(plotted["marker"])), list(dict.fromkeys(plotted["arm"]))
    looks = {arm: {"color": style.arm_colours(study).get(arm, style.INK), "linestyle": style.DASHES[number]}
             for number, arm in enumerate(arms)}
    ticks = tick_days(plotted["time"].max(), study.report_unit, most=6)
    with style.style():
        lines = -(-(len(markers) + 1) // PANELS)
        figure, grid = plt.subplots(lines, PANELS, figsize=(style.DOUBLE, 0.5 + 1.75 * lines), sharex=True, sharey=True,
                                    squeeze=False)
        for axes, marker in zip(grid.flat, markers, strict=False):
            _panel(axes, plotted[plotted["marker"] == marker], looks, study)
            axes.set_title("\n".join(textwrap.wrap(marker, 30)), fontsize=8)
            time_axis(axes, ticks, study.report_unit)
        for row in grid:
            row[0].set_ylabel("AUC")
        for place, axes in enumerate(grid.flat):
            if place >= len(markers):
                axes.set_axis_off()
            elif place + PANELS >= len(markers):
                axes.set_xlabel(f"{study.report_unit}s from {study.origin_label}", fontsize=7)
        words = [Line2D([], [], label="all arms together" if arm == "all" else arm, **look)
                 for arm, look in looks.items()]
        words.append(Line2D([], [], color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), label="0.5: a coin toss"))
        grid.flat[len(markers)].legend(handles=words, loc="center", handlelength=2.6)
        style.footer(figure, study, "Relapse by each time against none by then; death in remission censored.\n"
                     "Bands: bootstrap 95%, each time by itself. Below 0.5 a marker points the wrong way.")
    return figure, plotted


def _panel(axes: Axes, mine: pd.DataFrame, looks: dict, study: Study) -> None:
    axes.axhline(0.5, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    for arm, line in mine.groupby("arm", sort=False):
        at = shown(line["time"], study.report_unit)
        axes.fill_between(at, line["lower"], line["upper"], step="post", color=looks[arm]["color"], alpha=0.13,
                          linewidth=0)
        axes.step(at, line["auc"], where="post", **looks[arm])
        axes.plot(at[-1:], line["auc"].iloc[-1:], linestyle="", marker="o", markersize=2.5, color=looks[arm]["color"])
    axes.set(ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
