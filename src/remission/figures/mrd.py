"""MRD figures under one name: trajectories, waterfall, heat map, and the markers' hazard ratios."""

from __future__ import annotations

import math
import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.adam.admrd import rules
from remission.figures import style
from remission.figures.mrd_heatmap import heat_map
from remission.figures.mrd_trajectories import drawn_samples, patients, trajectories
from remission.figures.mrd_waterfall import waterfall
from remission.study import Study

__all__ = ["drawn_samples", "forest", "heat_map", "patients", "trajectories", "waterfall"]

#: Hazard ratios drawn; intervals that go on are cut here, with an arrow.
REACH = (0.05, 20.0)


def forest(estimates: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the markers' hazard ratios with their intervals and the margins within which nothing would matter.

    Parameters
    ----------
    estimates : DataFrame
        From `mrd.estimates`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None without estimates.
    plotted : DataFrame
        `arm`, `marker`, `comparison`, `HR`, `lower`, `upper`, `patients`, `relapses`.
    """
    columns = ["arm", "marker", "comparison", "HR", "lower", "upper", "patients", "relapses"]
    if estimates.empty:
        return None, pd.DataFrame(columns=columns)
    margins = rules(study)["margins"]
    colours = {**style.arm_colours(study), "all": style.GREY}
    comparisons = estimates[["marker", "comparison"]].drop_duplicates().reset_index(drop=True)
    arms = list(dict.fromkeys(estimates["arm"]))
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, 0.9 + len(comparisons) * (0.14 + 0.17 * len(arms))))
        axis.axvspan(*margins, color="#E8F1F8", lw=0, zorder=0)
        axis.axvline(1, color=style.GREY, lw=0.7, zorder=1)
        for place, comparison in comparisons.iterrows():
            for fit in estimates.merge(comparison.to_frame().T, on=["marker", "comparison"]).itertuples():
                step = (arms.index(fit.arm) - (len(arms) - 1) / 2) * 0.34
                _whisker(axis, fit, place + step, colours[fit.arm])
        _forest_axis(axis, comparisons)
        words = {arm: "all arms" if arm == "all" else arm for arm in arms}
        figure.legend(handles=[Line2D([], [], marker="s", color=colours[arm], label=words[arm]) for arm in arms],
                      loc="outside upper left", ncols=len(arms))
        style.footer(figure, study, f"Firth-penalised Cox; shaded: margins {margins[0]:g} to {margins[1]:g}.")
    return figure, estimates[columns].reset_index(drop=True)


def _whisker(axis: Axes, fit, y: float, colour: str) -> None:
    beside = axis.get_yaxis_transform()
    axis.text(1.02, y, f"{fit.relapses}/{fit.patients}", transform=beside, va="center", fontsize=6.2, color=colour)
    # The reason why there is no ratio stands in the table; it would run off the page here.
    said = "not estimable" if math.isnan(fit.HR) else fit.display.replace("95% CI ", "")
    axis.text(1.16, y, said, transform=beside, va="center", fontsize=6, color=colour)
    if math.isnan(fit.HR):
        return
    low, high = max(fit.lower, REACH[0]), min(fit.upper, REACH[1])
    axis.plot([low, high], [y, y], color=colour, lw=1.2, zorder=2)
    axis.plot(min(max(fit.HR, REACH[0]), REACH[1]), y, marker="s", markersize=4, color=colour, zorder=3)
    for cut, edge, marker in ((fit.lower < REACH[0], REACH[0], "<"), (fit.upper > REACH[1], REACH[1], ">")):
        if cut:
            axis.plot(edge, y, marker=marker, markersize=4, color=colour, zorder=3)


def _forest_axis(axis: Axes, comparisons: pd.DataFrame) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*REACH)
    ticks = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(len(comparisons) - 0.5, -0.9)
    labels = [f"{one.marker}\n{textwrap.fill(one.comparison, 27)}" for one in comparisons.itertuples()]
    axis.set_yticks(range(len(comparisons)), labels, fontsize=6.5)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("hazard ratio (above 1: the unfavourable side relapses earlier)", fontsize=7.5)
    for place, words in ((1.02, "events/n"), (1.16, "HR (95% CI), p")):
        axis.text(place, -0.72, words, transform=axis.get_yaxis_transform(), fontsize=6.5, weight="bold", va="center")
