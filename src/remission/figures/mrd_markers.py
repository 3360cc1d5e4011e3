"""Kaplan-Meier curves by marker group: one small panel a marker, with its numbers at risk and its tests."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.estimators import curves
from remission.figures import style
from remission.figures.survival import few_words, scarce_from, shown, steps, tick_days, time_axis
from remission.mrd.markers import GROUPS, Marker, comparisons
from remission.study import Study

COLUMNS = ["part", "arm", "marker", "group", "day", "survival", "lower", "upper", "at_risk", "words"]
#: Colour and dashes of each group: told apart in grey too.
LOOKS = {"good": {"color": "#0072B2", "linestyle": "-"}, "poor": {"color": "#D55E00", "linestyle": (0, (4, 1.5))}}
PANELS = 3


def kaplan_meier(endpoint: pd.DataFrame, admk: pd.DataFrame, rows: pd.DataFrame, study: Study,
                 arm: str = "") -> tuple[Figure | None, pd.DataFrame]:
    """Draw the curves of every marker's two groups in one arm.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `mrd.analyse_markers`.
    rows : DataFrame
        From `mrd.analyse_markers`: tests and hazard ratios are written as they stand there.
    study : Study
    arm : str
        Arm key, or `all`; the first that can be tested when empty.

    Returns
    -------
    figure : Figure or None
        None where no marker is known in that arm.
    plotted : DataFrame
        Every number drawn: `part` is curve, counts, pale from, or words.

    Source
    ------
    Numbers at risk below the curve: Morris and others, BMJ Open 2019;9:e030215 (KMunicate).

    Examples
    --------
    >>> from remission import results, schema
    >>> nobody = pd.DataFrame(columns=["patient", "arm", "time", "event"])
    >>> kaplan_meier(nobody, schema.empty(schema.ANALYSIS["admk"]), results.frame([]),
    ...              Study("demo", "own", "", "", ()))[0] is None
    True
    """
    found = list(comparisons(endpoint, admk, study))
    arm = arm or (found[0][0] if found else "")
    drawn = [(marker, data) for name, marker, data in found if name == arm]
    if not drawn:
        return None, pd.DataFrame(columns=COLUMNS)
    last = max(data["time"].max() for _, data in drawn)
    plotted = []
    with style.style():
        lines = -(-(len(drawn) + 1) // PANELS)
        figure, grid = plt.subplots(2 * lines, PANELS, figsize=(style.DOUBLE, 0.6 + 2.4 * lines), squeeze=False,
                                    height_ratios=[1, 0.17] * lines)
        for place in range(lines * PANELS):
            above, below = grid[2 * (place // PANELS), place % PANELS], grid[2 * (place // PANELS) + 1, place % PANELS]
            if place < len(drawn):
                plotted += _panel(above, below, *drawn[place], rows, arm, study, last)
            else:
                above.set_axis_off(), below.set_axis_off()
            above.set_ylabel("free of relapse" if place % PANELS == 0 else "")
        _key(grid[2 * (len(drawn) // PANELS), len(drawn) % PANELS], arm, study)
        groups = {f"{marker.key} {name}": mine for marker, data in drawn for name, mine in data.groupby("group")}
        whose = "All arms" if arm == "all" else arm
        style.footer(figure, study, f"{whose}: time to relapse from {study.origin_label}; "
                     "death in remission\ncensored. Numbers below the curves: at risk. Bands: pointwise 95%. "
                     f"{few_words(groups)}")
    return figure, pd.concat(plotted, ignore_index=True).reindex(columns=COLUMNS)


def _panel(above: Axes, below: Axes, marker: Marker, data: pd.DataFrame, rows: pd.DataFrame, arm: str, study: Study,
           last: float) -> list[pd.DataFrame]:
    """One marker: curves, numbers at risk, words; what was drawn."""
    parts, ticks = [], tick_days(last, study.report_unit, most=7)
    groups = [(name, words, data[data["group"] == name].reset_index(drop=True))
              for name, words in zip(GROUPS, marker.words, strict=True)]
    for line, (name, words, mine) in enumerate(groups):
        if mine.empty:
            continue
        start = {"time": 0.0, "survival": 1.0, "lower": 1.0, "upper": 1.0}
        curve = pd.concat([pd.DataFrame([start]), curves.kaplan_meier(mine)], ignore_index=True)
        steps(above, curve, "survival", scarce_from(mine), LOOKS[name], study.report_unit)
        censored = mine.loc[~mine["event"].astype(bool), "time"].sort_values()
        height = curve["survival"].to_numpy()[curve["time"].searchsorted(censored, side="right") - 1]
        above.plot(shown(censored, study.report_unit), height, linestyle="", marker="|", markersize=4,
                   color=LOOKS[name]["color"], clip_on=False, in_layout=False)
        counts = curves.counts_at(mine, ticks)
        for at, number in zip(shown(ticks, study.report_unit), counts["at_risk"], strict=True):
            below.text(at, line, str(number), ha="center", va="center", fontsize=6, color=LOOKS[name]["color"],
                       in_layout=False)
        label = f"{words} ({int(mine['event'].sum())} of {len(mine)})"
        above.plot([], [], label=label, **LOOKS[name])
        parts += [curve.rename(columns={"time": "day"}).assign(part="curve", group=words),
                  counts[["time", "at_risk"]].rename(columns={"time": "day"}).assign(part="counts", group=words),
                  pd.DataFrame({"part": ["pale from"], "group": words, "day": [scarce_from(mine)]})]
    said = _words(rows, marker, arm)
    parts.append(pd.DataFrame({"part": ["words"], "words": [said.replace("\n", "; ")]}))
    above.set_title("\n".join(textwrap.wrap(marker.label, 30)), fontsize=8)
    above.set(ylim=(0, 1.02), xlim=(0, 1.04 * float(shown(last, study.report_unit))))
    above.legend(loc="upper right", fontsize=6, handlelength=1.8, borderaxespad=0.1, labelspacing=0.25)
    time_axis(above, ticks, study.report_unit)
    above.tick_params(labelsize=6.5)
    above.set_xlabel(f"{study.report_unit}s", fontsize=6.5, labelpad=1)
    below.set(xlim=above.get_xlim(), ylim=(1.6, -0.6), yticks=[], xticks=[])
    below.set_xlabel(said, fontsize=6.5, labelpad=1)
    for side in below.spines.values():
        side.set_visible(False)
    return [part.assign(arm=arm, marker=marker.label) for part in parts]


def _words(rows: pd.DataFrame, marker: Marker, arm: str) -> str:
    """Tests and hazard ratio of one marker, as its results have them."""
    found = rows.set_index("result_id")["display"]
    name = f"mrd.{marker.key}.all.{arm}."
    if name + "p" not in found.index:
        return ""
    fit = found[name + ("HR[split]" if marker.continuous else "HR")].partition("), p")
    fit = fit[0] + ")" if fit[1] else fit[0]
    tests = f"log-rank {found[name + 'p']}, permutation {found[name + 'permutation_p']}"
    if "not estimable" in tests:
        return "\n".join(textwrap.wrap(found[name + "p"], 44))
    return f"{tests}\nHR {fit.replace('95% CI ', '')}"


def _key(axes: Axes, arm: str, study: Study) -> None:
    """What the lines mean, in the first free panel."""
    words = {"good": "expected to fare better", "poor": "expected to relapse earlier"}
    handles = [Line2D([], [], label=words[name], **look) for name, look in LOOKS.items()]
    handles.append(Line2D([], [], linestyle="", marker="|", color=style.GREY, label="censored"))
    axes.legend(handles=handles, loc="center", fontsize=7, title="all arms together" if arm == "all" else arm,
                title_fontproperties={"weight": "bold", "size": 8},
                handlelength=2.6)
    axes.text(0.5, 0.16, "in brackets: relapses of patients\nHR: Firth, the second group\nagainst the first",
              transform=axes.transAxes, ha="center", va="top", fontsize=6.5, color=style.GREY)
