"""MRD figures: transcript level over time, and the markers' hazard ratios."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.adam.admrd import rules
from remission.figures import style
from remission.mrd import under_maintenance
from remission.study import Study

OUTCOMES = ("relapse", "death in remission", "ongoing remission")
#: Face and shape of each state; what is not measured is open and sits on its detection limit, never at zero.
MARKERS = {"QUANTIFIED": ("o", True, "quantified"), "PNQ": ("D", False, "positive, not quantifiable: at its limit"),
           "NEGATIVE": ("v", False, "negative: below the limit at which it is drawn")}
RELAPSE_COLOUR = "#000000"
#: More panels than this do not fit a page.
MOST_PANELS = 36
COLUMNS = 6
#: Hazard ratios drawn; intervals that go on are cut here, with an arrow.
REACH = (0.05, 20.0)


def drawn_samples(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Every sample that a trajectory shows: those that stand for their day, up to and on the day remission ends.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        `patient`, `arm`, `outcome`, `time` (in the study's report unit), `level` (log10 %: measured, or the limit),
        `limit` (log10 %), `state`, `end` (end of remission, same unit as `time`).

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> drawn_samples(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...               Study("demo", "own", "", "", ())).empty
    True
    """
    first = int(admrd["ADY"].min()) if len(admrd) else 0
    used = under_maintenance(admrd, adsl, first, at_relapse=True)
    used = used[used["LEVEL"].notna()]
    unit = units.DAYS[study.report_unit]
    return pd.DataFrame({
        "patient": used["USUBJID"], "arm": used["TRT01A"], "outcome": used["STATUS"],
        "time": used["ADY"].astype(float) / unit, "level": used["LEVEL"], "limit": np.log10(used["LOD"].astype(float)),
        "state": used["MRDSTATE"], "end": used["END"].astype(float) / unit}).reset_index(drop=True)


def trajectories(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw all patients' levels over time, one row of panels an arm, one column an outcome.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None without samples.
    plotted : DataFrame
        From `drawn_samples`.
    """
    plotted = drawn_samples(admrd, adsl, study)
    if plotted.empty:
        return None, plotted
    arms = [arm for arm in study.arm_keys if (plotted["arm"] == arm).any()]
    outcomes = [one for one in OUTCOMES if (plotted["outcome"] == one).any()]
    with style.style():
        figure, axes = plt.subplots(len(arms), len(outcomes), sharex=True, sharey=True, squeeze=False,
                                    figsize=(style.DOUBLE, 0.9 + 2.1 * len(arms)))
        for row, arm in zip(axes, arms, strict=True):
            for axis, outcome in zip(row, outcomes, strict=True):
                mine = plotted[(plotted["arm"] == arm) & (plotted["outcome"] == outcome)]
                if mine.empty:
                    axis.text(0.5, 0.5, "no patient", transform=axis.transAxes, ha="center", color=style.GREY)
                for _, one in mine.groupby("patient", sort=True):
                    _course(axis, one, style.arm_colours(study)[arm], size=2.6, width=0.6)
                axis.set_title(f"{arm}: {outcome} (n = {mine['patient'].nunique()})", fontsize=7.5)
                _frame(axis, study, plotted)
        for axis in axes[-1]:
            axis.set_xlabel(f"{study.report_unit}s from {study.origin_label}")
        _labels(figure, study, arms)
    return figure, plotted


def patients(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw each patient's level over time in a panel of its own, by arm and length of remission.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None without samples; the first `MOST_PANELS` patients where there are more.
    plotted : DataFrame
        From `drawn_samples`, of the patients drawn.
    """
    plotted = drawn_samples(admrd, adsl, study)
    if plotted.empty:
        return None, plotted
    order = plotted.drop_duplicates("patient").assign(place=lambda one: one["arm"].map(study.arm_keys.index))
    shown = order.sort_values(["place", "end", "patient"])["patient"].head(MOST_PANELS).tolist()
    plotted = plotted[plotted["patient"].isin(shown)].reset_index(drop=True)
    rows = math.ceil(len(shown) / COLUMNS)
    with style.style():
        figure, axes = plt.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False,
                                    figsize=(style.DOUBLE, 1.0 + 1.2 * rows))
        groups = dict(list(plotted.groupby("patient")))
        for axis, name in zip(axes.flat, shown, strict=False):
            one = groups[name]
            _course(axis, one, style.arm_colours(study)[one["arm"].iloc[0]], size=2.4, width=0.8)
            axis.set_title(name, fontsize=6.5, pad=2)
            _frame(axis, study, plotted)
            axis.tick_params(labelsize=6)
        for place, axis in enumerate(axes.flat):
            axis.set_axis_off() if place >= len(shown) else axis.tick_params(labelbottom=place + COLUMNS >= len(shown))
        axes[-1, 0].set_xlabel(f"{study.report_unit}s from {study.origin_label}", loc="left")
        left = order["patient"].nunique() - len(shown)
        _labels(figure, study, [arm for arm in study.arm_keys if (plotted["arm"] == arm).any()],
                f" {left} more patients are not drawn." if left else "")
    return figure, plotted


def _course(axis: Axes, one: pd.DataFrame, colour: str, size: float, width: float) -> None:
    axis.plot(one["time"], one["level"], color=colour, lw=width, alpha=0.55, zorder=2)
    axis.plot(one["time"], one["limit"], linestyle="", marker="_", markersize=size + 1, color=style.GREY, alpha=0.35,
              markeredgewidth=0.6, zorder=1)
    for state, (marker, filled, _) in MARKERS.items():
        mine = one[one["state"] == state]
        axis.plot(mine["time"], mine["level"], linestyle="", marker=marker, markersize=size, color=colour,
                  markerfacecolor=colour if filled else "white", markeredgewidth=0.6, zorder=3)
    if one["outcome"].iloc[0] == "relapse":
        axis.plot(one["end"].iloc[0], one["level"].iloc[-1], marker="X", markersize=size + 2.6, color=RELAPSE_COLOUR,
                  markeredgecolor="white", markeredgewidth=0.4, zorder=4)


def _frame(axis: Axes, study: Study, plotted: pd.DataFrame) -> None:
    axis.axvline(0, color=style.GREY, lw=0.6, zorder=0)
    axis.axhline(math.log10(rules(study)["response_ratio"]), color=style.GREY, lw=0.6, ls=(0, (4, 3)), zorder=0)
    levels = plotted[["level", "limit"]]
    ticks = range(math.floor(levels.min().min()), math.ceil(levels.max().max()) + 1)
    axis.set_ylim(ticks[0] - 0.15, ticks[-1] + 0.15)
    axis.set_yticks(list(ticks), [f"{10.0**tick:g}" for tick in ticks])


def _labels(figure: Figure, study: Study, arms: list[str], note: str = "") -> None:
    grey, colours = style.GREY, style.arm_colours(study)
    handles = [Line2D([], [], linestyle="", marker=marker, markersize=4, color=grey, label=label,
                      markerfacecolor=grey if filled else "white") for marker, filled, label in MARKERS.values()]
    handles += [Line2D([], [], linestyle="", marker="_", color=grey, alpha=0.6, label="detection limit of the sample"),
                Line2D([], [], linestyle="", marker="X", color=RELAPSE_COLOUR, label="relapse, at the last level"),
                Line2D([], [], ls=(0, (4, 3)), color=grey, lw=0.8,
                       label=f"response ratio {rules(study)['response_ratio']:g}%")]
    handles += [Line2D([], [], color=colours[arm], label=arm) for arm in arms]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=6.5)
    figure.supylabel("BCR::ABL1 / ABL1, % (log scale)", fontsize=8)
    style.footer(figure, study, f"One sample a day, to the end of remission.{note}")


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
    axis.text(1.03, y, f"{fit.relapses}/{fit.patients}", transform=beside, va="center", fontsize=6.2, color=colour)
    axis.text(1.2, y, fit.display.replace("95% CI ", ""), transform=beside, va="center", fontsize=6.2, color=colour)
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
    labels = [f"{one.marker}\n{one.comparison}" for one in comparisons.itertuples()]
    axis.set_yticks(range(len(comparisons)), labels, fontsize=6.5)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("hazard ratio (above 1: the unfavourable side relapses earlier)", fontsize=7.5)
    for place, words in ((1.03, "events/n"), (1.2, "HR (95% CI), p")):
        axis.text(place, -0.72, words, transform=axis.get_yaxis_transform(), fontsize=6.5, weight="bold", va="center")
