"""What the markers can and cannot say: estimates beside printed and published ones, posteriors, worth of a verdict."""

from __future__ import annotations

import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.stats import norm

from remission.adam.admrd import rules
from remission.estimators.wording import half_up
from remission.figures import style
from remission.mrd import bayes, evidence, external
from remission.mrd.markers import MARKERS
from remission.mrd.posterior import comparisons
from remission.study import Study

COLUMNS = ["group", "label", "origin", "HR", "lower", "upper", "events", "n", "display"]
BAND = "#E8F1F8"
#: Hazard ratios at which a forest ends; arrows say that an interval goes on.
REACH = (0.1, 10.0)
#: Inches of a line of the forest, of its head and of its foot.
LINE, HEAD, FOOT = 0.19, 0.3, 0.72
#: Edges of the forest and columns of text, as shares of the page's width.
LEFT, RIGHT, COUNTS, TEXT = 0.44, 0.735, 0.748, 0.825
#: Verdicts from the bottom of a bar to its top, dark to light in grey too; hatched where the bar means "unknown".
SHADES = {evidence.FOR: ("#0072B2", ""), evidence.REVERSE: ("#D55E00", ""), evidence.AGAINST: ("#7FC4A8", ""),
          evidence.NEITHER: ("#EDEDED", "////")}
PRIORS = {"sceptical": ("#0072B2", "-"), "enthusiastic": ("#D55E00", (0, (4, 1.5)))}


def forest_lines(rows: pd.DataFrame, read: pd.DataFrame, published: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Every hazard ratio of the forest: of this cohort, printed without direction, published elsewhere.

    Parameters
    ----------
    rows : DataFrame
        From `mrd.analyse_markers`.
    read : DataFrame
        From `mrd.printed_readings`.
    published : DataFrame
        From `mrd.external.read_external`.
    study : Study

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, in the order of the page. Estimates of this cohort are those on which the verdicts rest:
        Firth, continuous markers per interquartile range.

    Examples
    --------
    >>> from remission import results
    >>> nothing = pd.DataFrame(columns=["marker"]), pd.DataFrame(columns=external.COLUMNS)
    >>> forest_lines(results.frame([]), *nothing, Study("demo", "own", "", "", ())).empty
    True
    """
    labels = {marker.key: marker for marker in MARKERS}
    made = []
    keys = list(labels)
    fits = rows[(rows["analysis"] == "mrd") & rows["statistic"].isin(["HR", "HR[IQR]"])]
    fits = fits.sort_values("endpoint", key=lambda found: found.map(keys.index), kind="stable")
    for (arm, key), mine in fits.groupby(["arm", "endpoint"], sort=False):
        fit = mine.set_index("statistic").loc["HR[IQR]" if "HR[IQR]" in set(mine["statistic"]) else "HR"]
        marker = labels[key]
        what = "per interquartile range" if marker.continuous else f"{marker.words[1]} against {marker.words[0]}"
        shown = fit["display"].partition("), p")[0] + ")" if "(" in fit["display"] else fit["display"]
        made.append([f"This cohort, {'all arms' if arm == 'all' else arm}, from {study.origin_label}",
                     f"{marker.label}: {what}", "", fit["value"], fit["lower"], fit["upper"], fit["events"], fit["n"],
                     shown])
    for one in read.itertuples():
        shown = f"{half_up(one.hazard_ratio, 2):.2f}"
        if not math.isnan(one.lower):
            shown += f" (95% CI {half_up(one.lower, 2):.2f} to {half_up(one.upper, 2):.2f})"
        made.append(["Printed medians, groups not named",
                     f"{one.marker}, {one.arm}: {one.favourable:g} and {one.unfavourable:g} {one.unit}s, {one.reading}",
                     "", one.hazard_ratio, one.lower, one.upper, pd.NA, pd.NA, shown])
    about = published.set_index("id")
    for one in external.hazard_ratios(published).itertuples():
        line = about.loc[one.id]
        made.append(["Published elsewhere: other patients and time origin",
                     f"{one.id}, by {one.method}",
                     f"{line['contrast']}. {line['endpoint'].capitalize()}; origin: {line['origin']}; marker known: "
                     f"{line['marker_known']}", one.HR,
                     one.lower, one.upper, _count(line["events"]), _count(line["n"]), external.display(one)])
    frame = pd.DataFrame(made, columns=COLUMNS)
    order = list(dict.fromkeys(frame["group"]))
    frame = frame.sort_values("group", key=lambda groups: groups.map(order.index), kind="stable", ignore_index=True)
    return frame.astype({"events": "Int64", "n": "Int64"})


def _count(value: float) -> object:
    return pd.NA if math.isnan(value) else int(value)


def forest(rows: pd.DataFrame, read: pd.DataFrame, published: pd.DataFrame,
           study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw this cohort's hazard ratios, the printed medians both ways and published contrasts on one scale.

    Parameters
    ----------
    rows, read, published, study
        As in `forest_lines`.

    Returns
    -------
    figure : Figure or None
        None without a line.
    plotted : DataFrame
        From `forest_lines`.
    """
    lines = forest_lines(rows, read, published, study)
    if lines.empty:
        return None, lines
    margins = rules(study)["margins"]
    heights, heads, bottom = _places(lines)
    size = LINE * bottom
    height = HEAD + size + FOOT
    with style.style():
        figure = plt.figure(figsize=(style.DOUBLE, height), layout="none")
        axis = figure.add_axes((LEFT, FOOT / height, RIGHT - LEFT, size / height))
        axis.set_ylim(bottom, 0)
        axis.axvspan(*margins, color=BAND, lw=0, zorder=0)
        axis.plot([1, 1], [0, bottom], color=style.GREY, lw=0.7, zorder=1)
        _forest_axis(axis)
        for words, at in heads.items():
            _write(axis, 0.01, at, words, weight="bold")
        for line, at in zip(lines.itertuples(), heights, strict=True):
            _line(axis, line, at)
        for place, words in ((COUNTS, "events/n"), (TEXT, "hazard ratio (95% CI)")):
            _write(axis, place, -0.5, words, weight="bold")
        style.footer(figure, study, f"Shaded: margins {margins[0]:g} to {margins[1]:g}. Open: not from these patients.")
    return figure, lines


def _origin(line) -> list[str]:
    return textwrap.wrap(line.origin, 74) if line.origin else []


def _places(lines: pd.DataFrame) -> tuple[list[float], dict[str, float], float]:
    """Heights of lines and headings from the top, and of all; what is said of an origin takes lines of its own."""
    heights, heads, at, told = [], {}, 0.3, None
    for line in lines.itertuples():
        if line.group not in heads:
            heads[line.group] = at + (0.5 if heads else 0.2)
            at = heads[line.group] + 1
        heights.append(at)
        at += 1 + (0.72 * len(_origin(line)) if line.origin != told else 0)
        told = line.origin
    return heights, heads, at


def _forest_axis(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*REACH)
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel("hazard ratio\n(above 1: unfavourable side relapses earlier)", fontsize=7)


def _write(axis: Axes, at: float, height: float, words: str, size: float = 6.5, **how) -> None:
    axis.text((at - LEFT) / (RIGHT - LEFT), height, words, transform=axis.get_yaxis_transform(), va="center",
              fontsize=size, **how)


def _line(axis: Axes, line, height: float) -> None:
    outside = not line.group.startswith("This cohort")
    colour = style.GREY if outside else style.INK
    _write(axis, 0.025, height, line.label)
    for number, words in enumerate(_origin(line) if "p and events" not in line.label else []):
        _write(axis, 0.035, height + 0.78 + 0.7 * number, words, size=5.4, color=style.GREY, style="italic")
    counts = [("?" if value is pd.NA else str(value)) for value in (line.events, line.n)]
    _write(axis, COUNTS, height, "" if counts == ["?", "?"] else "/".join(counts))
    _write(axis, TEXT, height, line.display.replace("95% CI ", ""))
    if math.isnan(line.HR):
        return
    if not math.isnan(line.lower):
        low, high = max(line.lower, REACH[0]), min(line.upper, REACH[1])
        axis.plot([low, high], [height, height], color=colour, lw=1.1, zorder=2, ls="-" if not outside else (0, (3, 1)))
        for cut, edge, marker in ((line.lower < REACH[0], REACH[0], "<"), (line.upper > REACH[1], REACH[1], ">")):
            if cut:
                axis.plot(edge, height, marker=marker, markersize=3.5, color=colour, zorder=3, clip_on=False)
    axis.plot(min(max(line.HR, REACH[0]), REACH[1]), height, marker="D" if outside else "s", markersize=3.8, zorder=3,
              color=colour, markerfacecolor="white" if outside else colour)


def posteriors(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw prior, likelihood and posterior of every comparison.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `mrd.analyse_markers`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None where no likelihood tells anything. A panel a marker (rows) and arm (columns): standardised likelihood as
        a grey area, priors as thin lines, posteriors as thick ones.
    plotted : DataFrame
        `arm`, `marker`, `curve`, `prior`, `log_ratio`, `HR`, `density` (per unit of log hazard ratio).

    Examples
    --------
    >>> from remission import schema
    >>> posteriors(pd.DataFrame(columns=["patient", "arm", "time", "event"]), schema.empty(schema.ANALYSIS["admk"]),
    ...            Study("demo", "own", "", "", ()))[0] is None
    True
    """
    found = [one for one in comparisons(endpoint, admk, study) if not one.grid.note]
    columns = ["arm", "marker", "curve", "prior", "log_ratio", "HR", "density"]
    if not found:
        return None, pd.DataFrame(columns=columns)
    margins = tuple(rules(study)["margins"])
    plotted = pd.concat([_densities(one, margins) for one in found], ignore_index=True)[columns]
    arms, markers = list(dict.fromkeys(plotted["arm"])), list(dict.fromkeys(plotted["marker"]))
    with style.style():
        figure, axes = plt.subplots(len(markers), len(arms), squeeze=False, sharex=True, sharey=True,
                                    figsize=(style.DOUBLE, 1.1 + 1.05 * len(markers)))
        for row, marker in enumerate(markers):
            for column, arm in enumerate(arms):
                mine = plotted[(plotted["marker"] == marker) & (plotted["arm"] == arm)]
                _panel(axes[row, column], mine, margins, marker if column == 0 else "")
        axes[0, 0].set_ylim(0, 1.05 * plotted["density"].max())
        for column, arm in enumerate(arms):
            axes[0, column].set_title("all arms, stratified" if arm == "all" else arm)
            axes[-1, column].set_xlabel("hazard ratio (log scale)")
        figure.supylabel("density of the log hazard ratio", fontsize=8)
        _posterior_legend(figure)
        style.footer(figure, study, f"Relapse from {study.origin_label}. Shaded: margins {margins[0]:g} to "
                     f"{margins[1]:g}.")
    return figure, plotted


def _densities(one, margins: tuple[float, float]) -> pd.DataFrame:
    # Every third point, inside the axis: finer than the eye can see.
    kept = np.flatnonzero(np.abs(one.grid.log_ratio) <= math.log(10))[::3]
    at = one.grid.log_ratio[kept]
    made = [("likelihood", "", bayes.density(one.grid, None)[kept])]
    for prior in bayes.priors(margins):
        made += [("prior", prior.name, norm.pdf(at, prior.mean, prior.sd)),
                 ("posterior", prior.name, bayes.density(one.grid, prior)[kept])]
    parts = [pd.DataFrame({"curve": curve, "prior": name, "log_ratio": at, "HR": np.exp(at), "density": values})
             for curve, name, values in made]
    return pd.concat(parts).assign(arm=one.arm, marker=one.marker.label)


def _panel(axis: Axes, mine: pd.DataFrame, margins: tuple[float, float], words: str) -> None:
    axis.axvspan(*margins, color=BAND, lw=0, zorder=0)
    axis.axvline(1, color=style.GREY, lw=0.6, zorder=1)
    axis.set_xscale("log")
    axis.set_xlim(0.1, 10)
    axis.set_xticks([0.1, 0.25, 0.5, 1, 2, 4, 10], ["0.1", "0.25", "0.5", "1", "2", "4", "10"])
    axis.minorticks_off()
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    if words:
        axis.set_ylabel(textwrap.fill(words, 16), rotation=0, ha="right", va="center", fontsize=7)
    if mine.empty:
        axis.text(0.5, 0.5, "not estimable", transform=axis.transAxes, ha="center", fontsize=7, color=style.GREY)
    for (curve, name), line in mine.groupby(["curve", "prior"], sort=False):
        if curve == "likelihood":
            axis.fill_between(line["HR"], line["density"], color="#C9C9C9", lw=0, zorder=1)
        else:
            colour, dashes = PRIORS[name]
            axis.plot(line["HR"], line["density"], color=colour, ls=dashes, lw=0.7 if curve == "prior" else 1.7,
                      alpha=0.75 if curve == "prior" else 1, zorder=3)


def _posterior_legend(figure: Figure) -> None:
    handles = [Patch(color="#C9C9C9", label="likelihood alone")]
    for name, (colour, dashes) in PRIORS.items():
        handles += [Line2D([], [], color=colour, ls=dashes, lw=0.7, label=f"{name} prior"),
                    Line2D([], [], color=colour, ls=dashes, lw=1.7, label=f"{name} posterior")]
    figure.legend(handles=handles, loc="outside upper center", ncols=5, fontsize=6.5)


def verdict_shares(found: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw how often each verdict would be reached, by number of patients and true hazard ratio.

    Parameters
    ----------
    found : DataFrame
        From `mrd.simulate.operating_characteristics`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None without simulated cohorts. A panel a true hazard ratio, a bar a number of patients.
    plotted : DataFrame
        `hazard_ratio`, `patients`, `events`, `verdict`, `percent`.

    Examples
    --------
    >>> from remission.mrd import simulate
    >>> verdict_shares(pd.DataFrame(columns=simulate.COLUMNS), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    columns = ["hazard_ratio", "patients", "events", "verdict", "percent"]
    if found.empty:
        return None, pd.DataFrame(columns=columns)
    plotted = found.melt(["hazard_ratio", "patients", "events"], list(SHADES), "verdict", "percent")
    plotted = plotted.assign(percent=100 * plotted["percent"].astype(float))[columns]
    plotted = plotted.sort_values(["hazard_ratio", "patients"], kind="stable", ignore_index=True)
    ratios = sorted(plotted["hazard_ratio"].unique())
    with style.style(), plt.rc_context({"hatch.linewidth": 0.4, "hatch.color": style.GREY}):
        figure, axes = plt.subplots(1, len(ratios), squeeze=False, sharey=True, figsize=(style.DOUBLE, 2.5))
        for axis, ratio in zip(axes[0], ratios, strict=True):
            _bars(axis, plotted[plotted["hazard_ratio"] == ratio])
            axis.set_title(f"true HR {ratio:g}")
        axes[0, 0].set_ylabel("% of simulated cohorts")
        handles = [Patch(facecolor=colour, hatch=hatch, edgecolor=style.INK, lw=0.4, label=words)
                   for words, (colour, hatch) in SHADES.items()]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=7)
        style.footer(figure, study, "Simulated, no patient of this cohort.\n"
                     "Two equal groups, proportional hazards, share of relapses as in the largest arm.")
    return figure, plotted


def _bars(axis: Axes, mine: pd.DataFrame) -> None:
    sizes = list(dict.fromkeys(mine["patients"]))
    floor = np.zeros(len(sizes))
    for words, (colour, hatch) in SHADES.items():
        height = mine.loc[mine["verdict"] == words, "percent"].to_numpy(float)
        axis.bar(range(len(sizes)), height, bottom=floor, color=colour, hatch=hatch, edgecolor=style.INK, lw=0.4,
                 width=0.78)
        floor += height
    axis.set_xticks(range(len(sizes)), [str(size) for size in sizes], fontsize=6.5)
    axis.set_xlabel("patients", fontsize=7.5)
    axis.set_ylim(0, 100)
