"""What the treatment of levels below a limit does to the mean level and to the hazard ratio."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.figures import style
from remission.mrd.levels import CENSORED, IMPUTED, SUBSTITUTES
from remission.study import Study

COLUMNS = ["arm", "method", "quantity", "value", "lower", "upper"]
WORDS = {"LOD": "set to the limit", "LOD/2": "set to half the limit", "LOD/sqrt2": "set to the limit / √2",
         IMPUTED: "multiple imputation", CENSORED: "censored (Tobit)"}
MARKS = ("s", "o", "^", "D", "v")


def by_method(rows: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw mean level and hazard ratio per log10 by method, arms side by side.

    Parameters
    ----------
    rows : DataFrame
        From `mrd.analyse_levels`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None where nothing can be estimated.
    plotted : DataFrame
        `arm`, `method`, `quantity` (mean, HR), `value`, `lower`, `upper`.

    Examples
    --------
    >>> from remission import results
    >>> by_method(results.frame([]), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    found = rows["statistic"].str.extract(r"^(mean|HR)\[(.*)\]$") if len(rows) else pd.DataFrame(columns=[0, 1])
    plotted = rows.assign(quantity=found[0], method=found[1])[COLUMNS]
    plotted = plotted[plotted["quantity"].notna() & plotted["value"].notna()].reset_index(drop=True)
    if plotted.empty:
        return None, plotted
    methods, arms = (*SUBSTITUTES, IMPUTED, CENSORED), list(dict.fromkeys(plotted["arm"]))
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 1.2 + 0.16 * len(methods) * (1 + len(arms))),
                                             sharey=True)
        for axes, quantity in ((left, "mean"), (right, "HR")):
            for number, arm in enumerate(arms):
                mine = plotted[(plotted["arm"] == arm) & (plotted["quantity"] == quantity)]
                _whiskers(axes, mine, methods, (number - (len(arms) - 1) / 2) * 0.26,
                          style.arm_colours(study).get(arm, style.INK), MARKS[number % len(MARKS)], arm)
        left.set(yticks=range(len(methods)), yticklabels=[WORDS[one] for one in methods],
                 ylim=(len(methods) - 0.5, -0.5), xlabel="mean level at start, log10 %")
        left.tick_params(axis="y", length=0)
        _ratio_axis(right, plotted[plotted["quantity"] == "HR"])
        for axes, quantity in ((left, "mean"), (right, "HR")):
            if not (plotted["quantity"] == quantity).any():
                axes.text(0.5, 0.5, "not estimable", transform=axes.transAxes, ha="center", color=style.GREY)
        handles = dict(zip(*left.get_legend_handles_labels()[::-1], strict=True))
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=len(handles))
        style.footer(figure, study, f"Time to relapse from {study.origin_label}; death in remission censored.\n"
                     "Lines: 95% intervals. Imputed levels have no one mean, a censored regression of the level has no "
                     "hazard ratio.")
    return figure, plotted


def _whiskers(axes: Axes, mine: pd.DataFrame, methods: tuple, shift: float, colour: str, mark: str, arm: str) -> None:
    words = "all arms together" if arm == "all" else arm
    axes.plot([], [], color=colour, marker=mark, markersize=4, label=words)
    for one in mine.itertuples():
        y = methods.index(one.method) + shift
        axes.plot([one.lower, one.upper], [y, y], color=colour, linewidth=1.2)
        axes.plot(one.value, y, linestyle="", marker=mark, markersize=4, color=colour)


def _ratio_axis(axes: Axes, ratios: pd.DataFrame) -> None:
    """A log axis that holds every interval, with ticks where a reader looks for them."""
    limits = ratios[["value", "lower", "upper"]].replace([0, math.inf], math.nan)
    low, high = (1, 1) if ratios.empty else (min(limits.min().min(), 1), max(limits.max().max(), 1))
    low, high = max(low, 0.01), min(high, 100)
    axes.set_xscale("log")
    axes.axvline(1, color=style.GREY, linewidth=0.7, zorder=0)
    ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
             if low / 1.15 <= tick <= high * 1.15]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(low / 1.2, high * 1.2)
    axes.set_xlabel("hazard ratio of relapse per log10 higher")
    axes.tick_params(axis="y", length=0)
