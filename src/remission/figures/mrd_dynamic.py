"""From a molecular rise to relapse: lead times that lie between samples, and one patient's prediction over time."""

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
from remission.mrd import leadtime
from remission.mrd.dynamic import Prediction
from remission.study import Study

LEAD = ["part", "patient", "arm", "left", "right", "day", "latest", "earliest"]
#: More patients than this, and only the curve is drawn.
MOST = 40
#: Days before the end of remission that a long course shows once more, enlarged.
LAST = 365
#: What a level is, the shape of its mark and whether that is filled.
KINDS = (("quantified", "o", True), ("positive, not quantifiable: at its limit", "D", False),
         ("negative: below the limit at which it is drawn", "v", False))


def lead_times(data: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw each patient's lead time as the interval it is, and Turnbull's estimate over all.

    Parameters
    ----------
    data : DataFrame
        From `leadtime.intervals`.
    study : Study

    Returns
    -------
    tuple
        Figure (None when nobody had a rise) and every number drawn, in days: `part` is patient or curve; an interval
        without an upper end has a blank `right`.

    Examples
    --------
    >>> lead_times(pd.DataFrame(columns=leadtime.FRAME), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    if data.empty:
        return None, pd.DataFrame(columns=LEAD)
    order = {arm: place for place, arm in enumerate(study.arm_keys)}
    data = data.assign(place=data["arm"].map(order)).sort_values(["place", "left", "patient"]).reset_index(drop=True)
    curve = leadtime.curve(data)
    reach = float(max(curve.loc[curve["latest"] > 0.1, "day"].max(), data["left"].median(), 60)) * 1.6
    listed = data if len(data) <= MOST else data.head(0)
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, max(2.6, 0.9 + 0.115 * len(listed))),
                                             width_ratios=[1.15, 1])
        _intervals(left, listed, reach, study)
        _curve(right, curve, reach, len(data))
        arms = [arm for arm in study.arm_keys if (data["arm"] == arm).any()]
        handles = [Line2D([], [], color=style.arm_colours(study)[arm], lw=3, label=arm) for arm in arms]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(arms))
        style.footer(figure, study, "Time to relapse, from a rise under maintenance.\nLeft: the rise came between the "
                     "rising sample (left end) and the one before it (right end); arrow: beyond the panel, or no "
                     "relapse seen.\nRight: Turnbull's estimate; grey is what the intervals leave open, not sampling "
                     "error.")
    patients = data.assign(part="patient", right=data["right"].where(np.isfinite(data["right"])))
    return figure, pd.concat([patients, curve.assign(part="curve")], ignore_index=True).reindex(columns=LEAD)


def _intervals(axis: Axes, data: pd.DataFrame, reach: float, study: Study) -> None:
    colours = style.arm_colours(study)
    for place, row in enumerate(data.itertuples()):
        end, colour = min(row.right, reach), colours[row.arm]
        if row.left < reach:
            axis.plot([row.left, end], [place, place], color=colour, lw=3, solid_capstyle="butt")
        if row.right > reach:
            axis.plot(reach, place, marker=">", color=colour, markersize=4, clip_on=False)
    axis.set_yticks(range(len(data)), data["patient"], fontsize=6)
    axis.set(ylim=(len(data) - 0.4, -0.6), xlim=(0, reach), xlabel="days from molecular rise to relapse")
    axis.tick_params(axis="y", length=0)
    axis.set_title("Patients with a rise" if len(data) else f"More than {MOST} patients: not listed", fontsize=8)


def _curve(axis: Axes, curve: pd.DataFrame, reach: float, patients: int) -> None:
    days, latest, earliest = (np.append(curve[name].to_numpy(), last) for name, last in (
        ("day", max(reach, curve["day"].iloc[-1])), ("latest", curve["latest"].iloc[-1]),
        ("earliest", curve["earliest"].iloc[-1])))
    axis.fill_between(days, earliest, latest, step="post", color=style.LIGHT, lw=0)
    axis.step(days, latest, where="post", color=style.INK, lw=1.1)
    axis.step(days, earliest, where="post", color=style.INK, lw=1.1, ls=(0, (3, 1.5)))
    axis.axhline(0.5, color=style.GREY, lw=0.6, ls=":")
    axis.set(xlim=(0, reach), ylim=(0, 1.02), xlabel="days from molecular rise", ylabel="no relapse so far")
    axis.set_title(f"All arms (n = {patients})", fontsize=8)
    axis.legend(handles=[Line2D([], [], color=style.INK, lw=1.1, label="latest"),
                         Line2D([], [], color=style.INK, lw=1.1, ls=(0, (3, 1.5)), label="earliest")],
                loc="upper right", fontsize=6.5)


def course(made: Prediction, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw one patient's levels above the predicted probability of relapse at each sample.

    Parameters
    ----------
    made : Prediction
        From `dynamic.predict`.
    study : Study

    Returns
    -------
    tuple
        Figure (None without a prediction) and every number drawn: the course, and `end` and `status` of remission.

    Examples
    --------
    >>> course(Prediction(pd.DataFrame(columns=["day"]), note="none"), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    plotted = made.course.assign(end=made.end, status=made.status)
    if made.course.empty:
        return None, plotted
    colour = style.arm_colours(study)[made.course["arm"].iloc[0]]
    months, ratio = rules(study)["horizon_months"], rules(study)["failure_ratio"]
    close = made.end > 3 * LAST
    with style.style():
        figure, grid = plt.subplots(2, 1 + close, figsize=(style.DOUBLE, 4.0), sharex="col", sharey="row",
                                    squeeze=False, height_ratios=[1, 1.1], width_ratios=[2, 1][:1 + close])
        for above, below in grid.T:
            _levels(above, made, colour, ratio, study.report_unit)
            _probabilities(below, made, colour, study.report_unit)
            for axis in (above, below):
                axis.axvline(made.end / units.DAYS[study.report_unit], color=style.INK, lw=1, ls=(0, (3, 2)))
            below.set_xlabel(f"{study.report_unit}s from {study.origin_label}")
        grid[0, 0].set(title=f"Patient {made.patient} ({made.course['arm'].iloc[0]}): {made.status}",
                       ylabel="BCR::ABL1 / ABL1,\nlog10 %")
        grid[1, 0].set_ylabel(f"probability of relapse\nwithin {months:g} months, %")
        if close:
            grid[0, 1].set_title("the last year", fontsize=8, weight="normal")
            grid[1, 1].set_xlim(*((made.end + one) / units.DAYS[study.report_unit] for one in (-LAST, LAST / 20)))
        figure.legend(handles=_handles(colour), loc="outside upper left", ncols=3)
        style.footer(figure, study, f"Dashed: end of remission ({made.status}).\nRelapse with death in remission "
                     "competing; supermodel of all other patients; band: 95%, bootstrap over patients.\nDotted: ratio "
                     f"of failure, {ratio:g}%; below it the level plays no part, only positive or negative does.")
    return figure, plotted


def _probabilities(axis: Axes, made: Prediction, colour: str, unit: str) -> None:
    edges = np.append(made.course["day"], made.end) / units.DAYS[unit]
    chance, low, high = (100 * np.append(made.course[name], made.course[name].iloc[-1])
                         for name in ("probability", "lower", "upper"))
    axis.fill_between(edges, low, high, step="post", color=colour, alpha=0.18, lw=0)
    axis.step(edges, chance, where="post", color=colour)
    axis.plot(edges[:-1], chance[:-1], "o", color=colour, markersize=3)
    axis.set_ylim(0, 100)


def _levels(axis: Axes, made: Prediction, colour: str, ratio: float, unit: str) -> None:
    rows = made.course
    at, level = rows["day"].to_numpy(float) / units.DAYS[unit], rows["level"].to_numpy(float)
    known = ~np.isnan(level)
    axis.plot(at[known], level[known], color=colour, lw=0.7, alpha=0.6)
    kind = np.where(rows["censored"] != "Y", 0, np.where(rows["state"] == "positive", 1, 2))
    for place, (_, marker, filled) in enumerate(KINDS):
        axis.plot(at[known & (kind == place)], level[known & (kind == place)], **_look(marker, filled, colour))
    axis.axhline(math.log10(ratio), color=style.GREY, lw=0.7, ls=":")
    axis.margins(y=0.12)


def _look(marker: str, filled: bool, colour: str) -> dict:
    return {"marker": marker, "markersize": 4, "markerfacecolor": colour if filled else "white", "color": colour,
            "linestyle": "none"}


def _handles(colour: str) -> list[Line2D]:
    return [Line2D([], [], label=words, **_look(marker, filled, colour)) for words, marker, filled in KINDS]
