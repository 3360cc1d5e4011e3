"""The two readings of one p-value in one picture."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from remission.figures import style
from remission.identification import Joint
from remission.study import Study

COLUMNS = ["part", "deaths_before", "p_relapse", "p_relapse_or_death", "label"]
TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1)
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
BAND = "#E8E3C8"
#: Beside the mark of a cohort in which both print alike: what it takes.
SHARED = {"none": "all days different", "pair": "a death and a relapse after equally many days",
          "relapses": "relapses after equally many days", "any": "patients leaving after equally many days"}


def both_readings(joint: Joint, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw both p-values of random cohorts, and how far apart the printed one forces them.

    Parameters
    ----------
    joint : Joint
        From `identification.analyse`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None where the question does not arise. Left: a dot a random cohort. Right: with p of relapse alone printed as
        published, the span of p of relapse or death by the number of deaths before the last control leaves.
    plotted : DataFrame
        Every number drawn: `part` is cohort, window, smallest, largest or alike.

    Examples
    --------
    >>> from remission.identification import analyse
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> both_readings(analyse(pd.DataFrame(columns=["result_id"]), one), one)[0] is None
    True
    """
    plotted = _numbers(joint)
    if joint.printed is None:
        return None, plotted
    colours = _colours(int(joint.intervals["deaths_before"].max()))
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 3.7), width_ratios=(1.15, 1))
        _scatter(left, plotted, joint, colours)
        _spans(right, plotted, joint, colours)
        style.footer(figure, study, "Cohorts here are constructed from printed numbers: no evidence.\n"
                     f"Two-sided log-rank tests, {study.contrast}, clock from {study.origin_label}. Shaded: p that "
                     "prints as published.\nRings: the cohorts that attain the ends on the right.")
    return figure, plotted


def _numbers(joint: Joint) -> pd.DataFrame:
    if joint.printed is None:
        return pd.DataFrame(columns=COLUMNS)
    dots = joint.sample.assign(part="cohort", label="")
    window = pd.DataFrame({"part": "window", "p_relapse": [joint.printed.p_lower, joint.printed.p_upper],
                           "p_relapse_or_death": [joint.printed.p_lower, joint.printed.p_upper], "label": ""})
    spans = joint.intervals
    ends = [spans.assign(part=part, p_relapse=spans[f"p_relapse_at_{part}"], p_relapse_or_death=spans[part],
                         label=spans[part].map("{:.4f}".format)) for part in ("smallest", "largest")]
    alike = joint.alike[(joint.alike["answer"] == "possible") & (joint.alike["longest"] == "relapse")]
    alike = alike.assign(part="alike", label=alike["p_relapse_or_death"].map("{:.4f}: ".format)
                         + alike["equal_days"].map(SHARED))
    parts = [part.reindex(columns=COLUMNS) for part in (dots, window, *ends, alike) if len(part)]
    return pd.concat(parts, ignore_index=True).astype({"deaths_before": "Int64"})


def _colours(most: int) -> list:
    return [mpl.colors.to_hex(mpl.colormaps["cividis"](0.95 * (1 - count / max(most, 1)))) for count in range(most + 1)]


def _scatter(axes: Axes, plotted: pd.DataFrame, joint: Joint, colours: list) -> None:
    window = (joint.printed.p_lower, joint.printed.p_upper)
    axes.axvspan(*window, color=BAND, lw=0, zorder=0)
    axes.axhspan(*window, color=BAND, lw=0, zorder=0)
    axes.plot([1e-4, 1], [1e-4, 1], color=style.GREY, lw=0.6, zorder=1)
    dots = plotted[plotted["part"] == "cohort"]
    for count in reversed(range(len(colours))):
        mine = dots[dots["deaths_before"] == count]
        axes.scatter(mine["p_relapse"], mine["p_relapse_or_death"], s=7, color=colours[count], lw=0,
                     marker=MARKERS[count % len(MARKERS)], zorder=2 + (len(colours) - count) / 10)
    for part in ("smallest", "largest", "alike"):
        ends = plotted[(plotted["part"] == part) & (plotted["deaths_before"] > 0)]
        axes.scatter(ends["p_relapse"], ends["p_relapse_or_death"], s=28, facecolor="white", lw=0.9, zorder=4,
                     edgecolor="#D55E00" if part == "alike" else style.INK, marker="o")
    axes.set(xscale="log", yscale="log", xlabel="p, relapse alone (death in remission censored)",
             ylabel="p, relapse or death", title="Random cohorts that fit the printed numbers")
    low = max(0.001, float(dots[["p_relapse", "p_relapse_or_death"]].min().min()) * 0.8)
    for axis in (axes.xaxis, axes.yaxis):
        _p_ticks(axis, low)
    axes.set(xlim=(low, 1), ylim=(low, 1))
    handles = [Line2D([], [], ls="", marker=MARKERS[count % len(MARKERS)], color=colour, ms=4, label=str(count))
               for count, colour in enumerate(colours)]
    axes.legend(handles=handles, title="deaths up to the\nlast control's exit", loc="lower right", fontsize=7,
                title_fontsize=7, handletextpad=0.2, labelspacing=0.3)


def _p_ticks(axis: mpl.axis.Axis, low: float) -> None:
    axis.set_major_locator(FixedLocator([tick for tick in TICKS if tick >= low]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _spans(axes: Axes, plotted: pd.DataFrame, joint: Joint, colours: list) -> None:
    axes.axhspan(joint.printed.p_lower, joint.printed.p_upper, color=BAND, lw=0, zorder=0)
    low, high = (plotted[plotted["part"] == part].set_index("deaths_before") for part in ("smallest", "largest"))
    for count, colour in enumerate(colours):
        bottom, top = low.loc[count, "p_relapse_or_death"], high.loc[count, "p_relapse_or_death"]
        axes.plot([count, count], [bottom, top], color=colour, lw=7, solid_capstyle="butt", zorder=2)
        for value, word, side, gap in ((bottom, low.loc[count, "label"], "top", 0.97),
                                       (top, high.loc[count, "label"], "bottom", 1.03)):
            axes.text(count, value * gap, word, ha="center", va=side, fontsize=6.5)
    for row in plotted[plotted["part"] == "alike"].itertuples():
        axes.scatter(row.deaths_before + 0.3, row.p_relapse_or_death, s=28, facecolor="white", edgecolor="#D55E00",
                     lw=0.9, zorder=4)
        axes.annotate(textwrap.fill(row.label, 32), (row.deaths_before + 0.36, row.p_relapse_or_death * 0.97),
                      (row.deaths_before + 0.6, row.p_relapse_or_death * 0.8), fontsize=6.5, va="top",
                      arrowprops={"arrowstyle": "-", "color": "#D55E00", "lw": 0.7})
    axes.set(xlim=(-0.6, len(colours) - 0.4), xticks=range(len(colours)),
             xlabel="deaths in remission up to the last control's exit",
             title="Where p of relapse alone is as printed",
             ylabel="p, relapse or death", yscale="log",
             ylim=(joint.printed.p_lower * 0.7, min(1, 1.5 * high["p_relapse_or_death"].max())))
    _p_ticks(axes.yaxis, joint.printed.p_lower * 0.7)
