"""Transcript level over time, by arm and outcome and by patient, with detection limits and the end of remission."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.adam.admrd import rules
from remission.figures import style
from remission.mrd import under_maintenance
from remission.study import Study

#: How a remission ended: shape and words.
OUTCOMES = {"relapse": ("X", "relapse"), "death in remission": ("P", "death in remission"),
            "ongoing remission": (">", "in remission at last contact")}
#: Face and shape of each state; what is not measured is open and sits on its detection limit, never at zero.
MARKERS = {"QUANTIFIED": ("o", True, "quantified"), "PNQ": ("D", False, "positive, not quantifiable: at its limit"),
           "NEGATIVE": ("v", False, "negative: below the limit at which it is drawn")}
#: More panels than this do not fit a page.
MOST_PANELS = 36
COLUMNS = 6
#: Ticks of time stand at least this share of the axis apart.
APART = 0.17


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
        None without samples. Time is drawn on a square-root scale on either side of the origin.
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
                                    figsize=(style.DOUBLE, 1.1 + 2.0 * len(arms)))
        for row, arm in zip(axes, arms, strict=True):
            for axis, outcome in zip(row, outcomes, strict=True):
                mine = plotted[(plotted["arm"] == arm) & (plotted["outcome"] == outcome)]
                _frame(axis, study, plotted)
                if mine.empty:
                    axis.text(0.5, 0.5, "no patient", transform=axis.transAxes, ha="center", color=style.GREY)
                for _, one in mine.groupby("patient", sort=True):
                    axis.plot(one["time"], one["limit"], linestyle="", marker="_", markersize=3.6, color=style.GREY,
                              alpha=0.35, markeredgewidth=0.6, zorder=1)
                    _course(axis, one, style.arm_colours(study)[arm], size=2.6, width=0.6)
                axis.set_title(f"{arm}: {outcome} (n = {mine['patient'].nunique()})", fontsize=7.2)
        limit = Line2D([], [], linestyle="", marker="_", color=style.GREY, alpha=0.6, label="detection limit")
        _labels(figure, study, arms, limit)
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
        None without samples; the first `MOST_PANELS` patients where there are more. Time as in `trajectories`.
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
    groups, colours = dict(list(plotted.groupby("patient"))), style.arm_colours(study)
    with style.style():
        figure, axes = plt.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False,
                                    figsize=(style.DOUBLE, 1.2 + 1.05 * rows))
        for place, axis in enumerate(axes.flat):
            if place >= len(shown):
                axis.set_axis_off()
                continue
            one = groups[shown[place]]
            _frame(axis, study, plotted)
            _shade(axis, one)
            _course(axis, one, colours[one["arm"].iloc[0]], size=2.4, width=0.8)
            axis.set_title(shown[place], fontsize=6.5, pad=2)
            axis.tick_params(labelsize=6, labelbottom=place + COLUMNS >= len(shown))
        left = order["patient"].nunique() - len(shown)
        _labels(figure, study, [arm for arm in study.arm_keys if (plotted["arm"] == arm).any()],
                plt.Rectangle((0, 0), 1, 1, color=style.LIGHT, alpha=0.7, label="below the detection limit"),
                f" {left} more patients are not drawn." if left else "")
    return figure, plotted


def _course(axis: Axes, one: pd.DataFrame, colour: str, size: float, width: float) -> None:
    axis.plot(one["time"], one["level"], color=colour, lw=width, alpha=0.55, zorder=2)
    for state, (marker, filled, _) in MARKERS.items():
        mine = one[one["state"] == state]
        axis.plot(mine["time"], mine["level"], linestyle="", marker=marker, markersize=size, color=colour,
                  markerfacecolor=colour if filled else "white", markeredgewidth=0.6, zorder=3)
    marker, end, last = OUTCOMES[one["outcome"].iloc[0]][0], one["end"].iloc[0], one["level"].iloc[-1]
    axis.plot([one["time"].iloc[-1], end], [last, last], color=colour, lw=width, ls=":", zorder=2)
    axis.plot(end, last, marker=marker, markersize=size + 2.6, color=style.INK, markeredgecolor="white",
              markeredgewidth=0.4, zorder=4, clip_on=False)


def _shade(axis: Axes, one: pd.DataFrame) -> None:
    """What each sample could not see: shaded from the floor of the panel to its limit, half way to its neighbours."""
    time, known = one["time"].to_numpy(), one["limit"].notna().to_numpy()
    between = (time[1:] + time[:-1]) / 2
    edges = np.concatenate([time[:1], between, [max(one["end"].iloc[0], time[-1])]])
    floor = axis.get_ylim()[0]
    axis.fill_between(np.repeat(edges, 2)[1:-1], floor, np.repeat(one["limit"].to_numpy(float), 2),
                      where=np.repeat(known, 2), color=style.LIGHT, alpha=0.7, linewidth=0, zorder=0)


def _frame(axis: Axes, study: Study, plotted: pd.DataFrame) -> None:
    axis.axvline(0, color=style.GREY, lw=0.6, zorder=0)
    axis.axhline(math.log10(rules(study)["response_ratio"]), color=style.GREY, lw=0.6, ls=(0, (4, 3)), zorder=0)
    levels = plotted[["level", "limit"]]
    ticks = range(math.floor(levels.min().min()), math.ceil(levels.max().max()) + 1)
    axis.set_ylim(ticks[0] - 0.15, ticks[-1] + 0.15)
    axis.set_yticks(list(ticks), [f"{10.0**tick:g}" for tick in ticks])
    first, last = min(plotted["time"].min(), 0), max(plotted["end"].max(), plotted["time"].max())
    axis.set_xscale("function", functions=(root, square))
    room = 0.03 * (root(last) - root(first))
    axis.set_xlim(square(root(first) - room), square(root(last) + room))
    ticks = _ticks(first, last)
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def root(value):
    """Square root that keeps the sign.

    Examples
    --------
    >>> root(np.array([-4.0, 9.0])).tolist()
    [-2.0, 3.0]
    """
    return np.sign(value) * np.sqrt(np.abs(value))


def square(value):
    """Square that keeps the sign.

    Examples
    --------
    >>> square(np.array([-2.0, 3.0])).tolist()
    [-4.0, 9.0]
    """
    return np.sign(value) * np.square(value)


def _ticks(first: float, last: float) -> list[float]:
    """Zero and square multiples of a round time on either side: on a square-root scale they are evenly spaced."""
    span = root(last) - root(first)
    step = next(one for one in (factor * 10.0**power for power in range(-6, 9) for factor in (1, 2, 5))
                if math.sqrt(one) >= APART * span)
    return [step * math.copysign(place**2, place) for place in range(-20, 21)
            if first <= step * place * abs(place) <= last]


def _labels(figure: Figure, study: Study, arms: list[str], limit: Artist, note: str = "") -> None:
    grey, colours = style.GREY, style.arm_colours(study)
    handles = [Line2D([], [], linestyle="", marker=marker, markersize=4, color=grey, label=label,
                      markerfacecolor=grey if filled else "white") for marker, filled, label in MARKERS.values()]
    handles += [limit, *(Line2D([], [], linestyle="", marker=marker, color=style.INK, markersize=5, label=words)
                         for marker, words in OUTCOMES.values())]
    handles += [Line2D([], [], ls=(0, (4, 3)), color=grey, lw=0.8,
                       label=f"response ratio {rules(study)['response_ratio']:g}%")]
    handles += [Line2D([], [], color=colours[arm], label=arm) for arm in arms]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=6.5)
    figure.supylabel("BCR::ABL1 / ABL1, % (log scale)", fontsize=8)
    where = f"{study.report_unit}s from {study.origin_label} (square-root scale)"
    style.footer(figure, study, f"One sample a day, to the end of remission.{note}\nHorizontal axis: {where}.")
