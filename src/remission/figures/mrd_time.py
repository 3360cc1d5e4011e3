"""MRD over time: what guarantee-time bias does to a hazard ratio, here and in a world without any effect."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.figures import style
from remission.mrd import guarantee
from remission.study import Study

#: Hazard ratios drawn; intervals that go on are cut here, with an arrow.
REACH = (0.05, 50.0)
TICKS = [0.05, 0.2, 0.5, 1, 2, 5, 20, 50]
DESIGNS = ["design", "arm", "value", "lower", "upper", "n", "events", "display"]
WORLD = ["design", "ratio", "ratio_lower", "ratio_upper", "rejected", "rejected_lower", "rejected_upper"]
#: Designs that use the future are marked apart from those that do not.
NAIVE = (guarantee.NAIVE, guarantee.UNDER)


def designs(rows: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the hazard ratio of never against ever negative under every design, arms side by side.

    Parameters
    ----------
    rows : DataFrame
        From `guarantee.analyse`.
    study : Study

    Returns
    -------
    tuple
        Figure (None when nothing can be estimated) and a row an estimate: `design`, `arm`, `value`, `lower`, `upper`,
        `n`, `events`, `display`. Ratios above 1: those not negative relapse earlier.

    Examples
    --------
    >>> designs(pd.DataFrame(columns=["statistic"]), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    found = rows[rows["statistic"].astype(str).str.startswith("HR[")]
    if found.empty:
        return None, pd.DataFrame(columns=DESIGNS)
    plotted = found.assign(design=found["statistic"].str.slice(3, -1))[DESIGNS].reset_index(drop=True)
    if plotted["value"].isna().all():
        return None, plotted
    names, arms = list(dict.fromkeys(plotted["design"])), list(dict.fromkeys(plotted["arm"]))
    colours = {**style.arm_colours(study), "all": style.GREY}
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, 0.95 + len(names) * (0.12 + 0.15 * len(arms))))
        axis.axvline(1, color=style.GREY, lw=0.7, zorder=1)
        for place, name in enumerate(names):
            if name in NAIVE:
                axis.axhspan(place - 0.5, place + 0.5, color="#F3ECE4", lw=0, zorder=0)
            for fit in plotted[plotted["design"] == name].itertuples():
                step = (arms.index(fit.arm) - (len(arms) - 1) / 2) * 0.8 / max(len(arms), 2)
                _whisker(axis, fit, place + step, colours[fit.arm])
        _design_axis(axis, names)
        figure.legend(handles=[Line2D([], [], marker="s", markersize=4, color=colours[arm],
                                      label="all arms, stratified" if arm == "all" else arm) for arm in arms],
                      loc="outside upper left", ncols=len(arms))
        style.footer(figure, study, "Time to relapse, death in remission censored; Cox model with Firth's penalty.\n"
                     f"Clock from {study.origin_label}, at a landmark from there. Shaded: designs that use the future.")
    return figure, plotted


def _whisker(axis: Axes, fit, y: float, colour: str) -> None:
    beside = axis.get_yaxis_transform()
    shown = fit.display.split(", p")[0].replace("95% CI ", "")
    shown = "not estimable" if shown.startswith("not") else shown
    axis.text(1.02, y, f"{fit.events}/{fit.n}", transform=beside, va="center", fontsize=6.2, color=colour)
    axis.text(1.155, y, shown, transform=beside, va="center", fontsize=6.2, color=colour)
    if math.isnan(fit.value):
        return
    low, high = max(fit.lower, REACH[0]), min(fit.upper, REACH[1])
    axis.plot([low, high], [y, y], color=colour, lw=1.2, zorder=2)
    axis.plot(min(max(fit.value, REACH[0]), REACH[1]), y, marker="s", markersize=3.6, color=colour, zorder=3)
    for cut, edge, marker in ((fit.lower < REACH[0], REACH[0], "<"), (fit.upper > REACH[1], REACH[1], ">")):
        if cut:
            axis.plot(edge, y, marker=marker, markersize=4, color=colour, zorder=3, clip_on=False)


def _design_axis(axis: Axes, names: list[str]) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*REACH)
    axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axis.minorticks_off()
    axis.set_ylim(len(names) - 0.5, -0.9)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("hazard ratio of relapse, never against ever negative", fontsize=7.5)
    for place, words in ((1.02, "events/n"), (1.155, "HR (95% CI)")):
        axis.text(place, -0.7, words, transform=axis.get_yaxis_transform(), fontsize=6.5, weight="bold", va="center")


def world(rows: pd.DataFrame, study: Study) -> tuple[Figure, pd.DataFrame]:
    """Draw what each design reports when there is no effect: its hazard ratios and how often it is significant.

    Parameters
    ----------
    rows : DataFrame
        From `chance.analyse`.
    study : Study

    Returns
    -------
    tuple
        Figure and a row a design.

    Examples
    --------
    >>> from remission.mrd import chance
    >>> nobody = Study("demo", "own", "", "", ())
    >>> figure, plotted = world(chance.analyse(nobody, seed=1, draws=20), nobody)
    >>> plotted["design"].iloc[0]
    'naive'
    >>> plt.close(figure)
    """
    found = rows.set_index("statistic")
    names = [name.removeprefix("HR[").removesuffix("]") for name in found.index if name.startswith("HR[")]
    plotted = pd.DataFrame([[name, *found.loc[f"HR[{name}]", ["value", "lower", "upper"]],
                             *found.loc[f"rejected[{name}]", ["value", "lower", "upper"]]] for name in names],
                           columns=WORLD)
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 0.95 + 0.24 * len(names)), sharey=True)
        places = np.arange(len(names))
        colours = [style.COLOURS[1] if name in NAIVE else style.INK for name in names]
        for axis, stem, true in ((left, "ratio", 1.0), (right, "rejected", 5.0)):
            axis.axvline(true, color=style.GREY, lw=0.8, ls=":", zorder=0)
            axis.hlines(places, plotted[f"{stem}_lower"], plotted[f"{stem}_upper"], color=colours, lw=1.4)
            axis.scatter(plotted[stem], places, color=colours, s=14, zorder=3, marker="o")
            axis.tick_params(axis="y", length=0)
        left.set(xscale="log", ylim=(len(names) - 0.5, -0.5), xlabel="hazard ratio reported: median, 95% of cohorts")
        low, high = plotted["ratio_lower"].min() / 1.5, plotted["ratio_upper"].max() * 1.5
        ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= tick <= high]
        left.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        left.minorticks_off()
        left.set_yticks(places, names)
        right.set(xlim=(0, 105), xlabel="p below 0.05, % of cohorts")
        for place, row in enumerate(plotted.itertuples()):
            beyond = row.rejected > 50
            right.annotate(f"{row.rejected:.1f}%", (row.rejected, place), (-7 if beyond else 7, 0), va="center",
                           textcoords="offset points", ha="right" if beyond else "left", fontsize=7)
        style.footer(figure, study, "Simulated, no patient of this cohort: negativity has no effect on relapse.\n"
                     "Dotted: the truth (hazard ratio 1) and the error that a test promises (5%). Right: bars, "
                     "Monte-Carlo 95%.")
    return figure, plotted
