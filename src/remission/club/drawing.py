"""A comparison as a picture that is drawn in a moment: two curves, numbers at risk below, hazard ratio and p above."""

from __future__ import annotations

import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from remission.club.comparison import Comparison, Group
from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study

#: Inches, and dots an inch: a screen, not a page.
SIZE, DPI = (7.0, 3.9), 110
#: Letters of a line of the title that fit the width.
WIDE = 100
NOTE = "Below the axis: at risk. Bands: pointwise 95%. Bars: censored."
#: Curves that are no arms: unbroken and dashed, and the colour of no arm.
STATES = {"MRD negative": style.INK, "MRD positive": "#AA4499"}


def picture(one: Comparison, study: Study) -> bytes:
    """Draw a comparison.

    Parameters
    ----------
    one : Comparison
    study : Study

    Returns
    -------
    bytes
        A PNG; a sentence in an empty frame where there is nothing to compare.

    Examples
    --------
    >>> nothing = Comparison("relapse", "start of maintenance", (), "", "not estimable: there are no two arms")
    >>> picture(nothing, Study("demo", "own", "", "", ()))[1:4]
    b'PNG'
    """
    with style.style():
        # Its own canvas and no automatic layout: drawing takes a tenth of a second, and pyplot keeps nothing.
        figure = Figure(figsize=SIZE, dpi=DPI, layout="none")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.11, 0.30, 0.87, 0.46))
        figure.text(0.01, 0.98, heading(one), va="top", fontsize=8.5, weight="bold", linespacing=1.35)
        if one.groups:
            _curves(axes, one, study)
        else:
            axes.set_axis_off()
            figure.text(0.5, 0.5, _wrapped(one.p), ha="center", va="center")
        figure.text(0.01, 0.015, style.footer_text(study, NOTE), fontsize=6.5, color=style.GREY)
        file = io.BytesIO()
        figure.canvas.print_png(file, pil_kwargs={"compress_level": 1})
    return file.getvalue()


def heading(one: Comparison) -> str:
    """What is compared, from when, and what comes out, in two lines.

    Parameters
    ----------
    one : Comparison

    Returns
    -------
    str

    Examples
    --------
    >>> heading(Comparison("relapse", "diagnosis", (), "0.46 (95% CI 0.20 to 1.09)", "p = 0.072"))
    'Relapse, from diagnosis\\nHazard ratio 0.46 (95% CI 0.20 to 1.09), p = 0.072'
    """
    return f"{_wrapped(subject(one))}\n" + (f"Hazard ratio {one.ratio}, {one.p}" if one.ratio != one.p else "")


def subject(one: Comparison) -> str:
    """What is compared, and from when.

    Examples
    --------
    >>> subject(Comparison("relapse", "diagnosis", (), "", ""))
    'Relapse, from diagnosis'
    """
    return f"{one.what[:1].upper()}{one.what[1:]}, from {one.clock}"


def _wrapped(words: str) -> str:
    return "\n".join(textwrap.wrap(words, WIDE))


def _curves(axes: Axes, one: Comparison, study: Study) -> None:
    last = max(float(group.patients["time"].max()) for group in one.groups)
    ticks = tick_days(last, study.report_unit, most=13)
    for number, group in enumerate(one.groups):
        colour = STATES.get(group.label) or style.arm_colours(study)[group.label]
        _line(axes, group, one.rising, {"color": colour, "linestyle": style.DASHES[number]}, study.report_unit)
        _below(axes, group, ticks, number, colour, study.report_unit)
    axes.set(ylim=(0, 1.02), ylabel="cumulative incidence" if one.rising else "probability of no event")
    time_axis(axes, ticks, study.report_unit)
    axes.set_xlabel(f"{study.report_unit}s from {one.clock}")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), handlelength=2.6, borderaxespad=0)


def _line(axes: Axes, group: Group, rising: bool, look: dict, unit: str) -> None:
    curve, last = group.curve, float(group.patients["time"].max())
    at = shown(np.r_[0, curve["time"], last], unit)
    height, lower, upper = (np.r_[1.0, curve[name], [curve[name].iloc[-1] if len(curve) else 1.0]].astype(float)
                            for name in ("survival", "lower", "upper"))
    if rising:
        height, lower, upper = 1 - height, 1 - upper, 1 - lower
    events = int(group.patients["event"].sum())
    axes.step(at, height, where="post", clip_on=False, **look,
              label=f"{group.label}: {events} of {len(group.patients)} with event, median {group.median}")
    axes.fill_between(at, lower, upper, step="post", color=look["color"], alpha=0.13, linewidth=0)
    censored = shown(group.patients.loc[~group.patients["event"], "time"], unit)
    axes.plot(censored, height[np.searchsorted(at, censored, side="right") - 1], "|", color=look["color"], markersize=7,
              clip_on=False)


def _below(axes: Axes, group: Group, ticks, number: int, colour: str, unit: str) -> None:
    """Numbers at risk just before each tick, under the axis."""
    height = -0.38 - 0.11 * number
    for day, count in zip(ticks, at_risk(group.patients, ticks), strict=True):
        axes.text(float(shown(day, unit)), height, str(count), transform=axes.get_xaxis_transform(), ha="center",
                  va="center", fontsize=7)
    axes.text(-0.03, height, group.label.removeprefix("MRD "), color=colour,
              transform=axes.transAxes, ha="right", va="center", fontsize=7, weight="bold")


def at_risk(patients: pd.DataFrame, days) -> list[int]:
    """How many are under observation just before each day, and at its start on day 0.

    Parameters
    ----------
    patients : DataFrame
        `time` and, where they may enter late, `entry` (days).
    days : sequence of int

    Returns
    -------
    list of int

    Examples
    --------
    >>> at_risk(pd.DataFrame({"time": [5, 9], "entry": [0, 6]}), [0, 5, 6, 7])
    [1, 1, 0, 1]
    """
    time = patients["time"].to_numpy()
    entry = patients["entry"].to_numpy() if "entry" in patients else np.zeros(len(time))
    return [int(((entry < max(day, 1)) & (time >= day)).sum()) for day in days]
