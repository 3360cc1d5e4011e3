"""A comparison as a picture that is drawn in a moment: two curves, numbers at risk below, hazard ratio and p above."""

from __future__ import annotations

import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
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
#: Below the axis: room between lines; where the axis is named, in its heights; points from the axis to the first line,
#: and from its start to the names of groups.
LINES, BELOW, TICK, AWAY = 1.45, -0.115, 7.0, 14.0
#: Room for names of groups, in widths of the figure: beside them, and for each letter.
START, LETTER = 0.03, 0.01
NOTE = "Below the axis: at risk. Bands: pointwise 95%. Bars: censored."
#: Curves that are no arms: unbroken and dashed, and the colour of no arm.
STATES = {"MRD negative": style.INK, "MRD positive": "#AA4499"}


class Sheet:
    """A frame on which comparisons are drawn one after another: most of the time of a figure goes into its frame.

    Parameters
    ----------
    study : Study

    Examples
    --------
    >>> nothing = Comparison("relapse", "start of maintenance", (), "", "not estimable: there are no two arms")
    >>> Sheet(Study("demo", "own", "", "", ())).drawn(nothing)[1:4]
    b'PNG'
    """

    def __init__(self, study: Study):
        self.study = study
        with style.style():
            # Its own canvas and no automatic layout, so that drawing is quick and pyplot keeps nothing.
            self.figure = Figure(figsize=SIZE, dpi=DPI, layout="none")
            FigureCanvasAgg(self.figure)
            left = START + LETTER * max(map(len, [*study.arm_keys, "negative"]))
            self.axes = self.figure.add_axes((left, 0.27, 0.98 - left, 0.49))
            self.heading = self.figure.text(0.01, 0.98, "", va="top", fontsize=8.5, weight="bold", linespacing=1.35)
            self.figure.text(0.01, 0.015, style.footer_text(study, NOTE), fontsize=6.5, color=style.GREY)
        self.changing: list[Artist] = []

    def drawn(self, one: Comparison) -> bytes:
        """Draw a comparison in place of the one before.

        Parameters
        ----------
        one : Comparison

        Returns
        -------
        bytes
            A PNG; a sentence in an empty frame where there is nothing to compare.
        """
        with style.style():
            for artist in self.changing:
                artist.remove()
            self.heading.set_text(heading(one))
            self.axes.set_axis_on() if one.groups else self.axes.set_axis_off()
            self.changing = _curves(self.axes, one, self.study) if one.groups else [
                self.figure.text(0.5, 0.5, _wrapped(one.p), ha="center", va="center")]
            file = io.BytesIO()
            self.figure.canvas.print_png(file, pil_kwargs={"compress_level": 1})
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


def _curves(axes: Axes, one: Comparison, study: Study) -> list[Artist]:
    """Draw curves, and return what the next ones replace."""
    unit, drawn = study.report_unit, []
    last = max(float(group.patients["time"].max()) for group in one.groups)
    ticks = tick_days(last, unit)
    colours = [STATES.get(group.label) or style.arm_colours(study)[group.label] for group in one.groups]
    for number, (group, colour) in enumerate(zip(one.groups, colours, strict=True)):
        drawn += _line(axes, group, one.rising, {"color": colour, "linestyle": style.DASHES[number]}, unit)
    axes.set(ylim=(0, 1.02), ylabel="cumulative incidence" if one.rising else "probability of no event")
    time_axis(axes, ticks, unit)
    axes.set_xlim(right=1.05 * float(shown(last, unit)))
    axes.set_xlabel(f"{unit}s from {one.clock}")
    axes.xaxis.set_label_coords(0.5, BELOW)
    return [*drawn, *_below(axes, one.groups, ticks, colours),
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), handlelength=2.6, borderaxespad=0)]


def _line(axes: Axes, group: Group, rising: bool, look: dict, unit: str) -> list[Artist]:
    curve, last = group.curve, float(group.patients["time"].max())
    at = shown(np.r_[0, curve["time"], last], unit)
    height, lower, upper = (np.r_[1.0, curve[name], [curve[name].iloc[-1] if len(curve) else 1.0]].astype(float)
                            for name in ("survival", "lower", "upper"))
    if rising:
        height, lower, upper = 1 - height, 1 - upper, 1 - lower
    events = int(group.patients["event"].sum())
    stairs = axes.step(at, height, where="post", clip_on=False, **look,
                       label=f"{group.label}: {events} of {len(group.patients)} with event, median {group.median}")
    band = axes.fill_between(at, lower, upper, step="post", color=look["color"], alpha=0.13, linewidth=0)
    censored = shown(group.patients.loc[~group.patients["event"], "time"], unit)
    bars = axes.plot(censored, height[np.searchsorted(at, censored, side="right") - 1], "|", color=look["color"],
                     markersize=7, clip_on=False)
    return [*stairs, band, *bars]


def _below(axes: Axes, groups: tuple[Group, ...], ticks, colours: list[str]) -> list[Artist]:
    """Numbers at risk just before each tick, two lines under its label: with it one text, which is quick to draw."""
    counts = zip(*(at_risk(group.patients, ticks) for group in groups), strict=True)
    axes.set_xticks(axes.get_xticks(), [f"{tick.get_text()}\n\n" + "\n".join(map(str, column))
                                        for tick, column in zip(axes.get_xticklabels(), counts, strict=True)],
                    linespacing=LINES)
    return [axes.annotate("\n" * (2 + number) + group.label.removeprefix("MRD "), (0, 0), xycoords="axes fraction",
                          xytext=(-AWAY, -TICK), textcoords="offset points", ha="right", va="top", color=colour,
                          fontsize=style.RC["xtick.labelsize"], linespacing=LINES)
            for number, (group, colour) in enumerate(zip(groups, colours, strict=True))]


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
