"""What an abstract leaves open, drawn: curves behind printed medians, extremes of quantities, worth of claims."""

from __future__ import annotations

import math
import textwrap

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.batch import risk
from remission.batch.curves import survival
from remission.ensemble.abstract import Abstract
from remission.ensemble.cohorts import endpoint
from remission.ensemble.inquiry import Inquiry
from remission.ensemble.report import VISIBLE, claim_words, span
from remission.ensemble.unprinted import ENDPOINT_WORDS
from remission.ensemble.verdicts import BOUNDED, PINNED, UNDETERMINED, by_family
from remission.figures import style
from remission.figures.survival import tick_days
from remission.study import DAYS, Study

CURVES = ["part", "arm", "cohort", "time", "survival", "lower", "upper"]
LINES = ["panel", "target", "label", "part", "lower", "median", "upper", "words", "verdict"]
CELLS = ["claim", "target", "row", "column", "widening"]
HYPOTHETICAL = "\nHypothetical cohorts that fit every printed number, not this cohort's patients: no evidence."
#: Sign, word and colour of each verdict: the sign tells them apart without colour.
VERDICTS = {PINNED: ("●", "#0072B2"), BOUNDED: ("◐", "#262626"), UNDETERMINED: ("○", "#D55E00")}
MEDIAN = "#E69F00"
FAMILY_COLOURS = ["#009E73", "#E69F00", "#CC79A7", "#56B4E9"]
#: Panels of unprinted quantities: scales, title, axis.
PANELS = {"hazard ratio": (("hazard ratio",), "Hazard ratios", "hazard ratio"),
          "p": (("p",), "p-values", "two-sided log-rank p"),
          "probability": (("probability", "power"), "Probabilities", "probability"),
          "time": (("time",), "Times", "")}
#: Edges of the panels and of the text beside them, as shares of the page; inches of a line, an axis and the rest.
LEFT, RIGHT, TEXT, WORD = 0.4, 0.665, 0.685, 0.88
LINE, HEAD, AXIS, PRINT, LEGEND = 0.158, 0.22, 0.4, 0.46, 0.3
#: Ends of a logarithmic axis, whatever the extremes are.
FARTHEST = {"hazard ratio": (0.05, 20.0), "p": (1e-5, 1.0)}
#: Widenings are told apart up to here.
MOST = 4.0


def feasible_curves(inquiry: Inquiry, study: Study, number: int = 200) -> tuple[Figure | None, pd.DataFrame]:
    """Draw Kaplan-Meier curves of cohorts that agree with every printed number.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.draw`.
    study : Study
    number : int
        Cohorts drawn as lines, families alike.

    Returns
    -------
    figure : Figure or None
        A panel an arm; below, the number at risk in all drawn cohorts, from the least to the most. None without draws.
    plotted : DataFrame
        Every number drawn: `part` is curve, median, ongoing or at risk; times in the unit of the report.
    """
    if inquiry.found is None:
        return None, pd.DataFrame(columns=CURVES)
    report = inquiry.abstract
    name = _endpoint(report)
    ticks = _ticks(report, _last(inquiry, name))
    plotted = _curve_numbers(inquiry, name, number, ticks)
    with style.style():
        figure, grid = plt.subplots(2, len(report.order), figsize=(style.DOUBLE, 3.6), sharex=True, sharey="row",
                                    squeeze=False, height_ratios=[1, 0.07])
        for column, arm in enumerate(report.order):
            colour = style.arm_colours(study).get(arm.key, style.COLOURS[column])
            _arm_curves(grid[0, column], plotted[plotted["arm"] == arm.key], colour)
            grid[0, column].set_title(f"{arm.label} (n = {arm.patients})", fontsize=8)
            grid[0, column].set_xlabel(f"{report.unit}s from {report.origin}")
            grid[0, column].tick_params(labelbottom=True)
            _at_risk(grid[1, column], plotted[(plotted["arm"] == arm.key) & (plotted["part"] == "at risk")])
        grid[0, 0].set(ylabel=f"Kaplan-Meier, free of {ENDPOINT_WORDS.get(name, name)}", ylim=(0, 1.02))
        grid[1, 0].text(-0.05, 0.5, "at risk", transform=grid[1, 0].transAxes, ha="right", va="center", fontsize=7,
                        color=style.GREY)
        _curve_legend(figure, plotted)
        dying = " A death in remission is censored." if report.competing and name == "relapse" else ""
        style.footer(figure, study, f"{HYPOTHETICAL}\nOne of {plotted['cohort'].nunique()} is drawn dark, so that a "
                     f"single curve can be followed.{dying}")
    return figure, plotted


def verdicts(inquiry: Inquiry, study: Study, own: pd.DataFrame) -> tuple[Figure | None, pd.DataFrame]:
    """Draw how far every unprinted quantity can go, what the families of draws say, and the verdict.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.bound`.
    study : Study
    own : DataFrame
        From `own.beside`; the cohort's own values, where it has any.

    Returns
    -------
    figure : Figure or None
        A panel a scale, a line a quantity; limits of intervals are left to the table. None without a settled quantity.
    plotted : DataFrame
        `part` is extremes, own or the name of a family (central 95%); times in the unit of the report.
    """
    plotted = _verdict_numbers(inquiry, own)
    if plotted.empty:
        return None, plotted
    panels = {name: plotted[plotted["panel"] == name] for name in PANELS if (plotted["panel"] == name).any()}
    counts = {name: mine["target"].nunique() for name, mine in panels.items()}
    height = LEGEND + PRINT + sum(HEAD + AXIS + LINE * count for count in counts.values())
    families = list(dict.fromkeys(inquiry.found.draws["family"]))
    with style.style():
        figure = plt.figure(figsize=(style.DOUBLE, height), layout="none")  # words stand where they are put
        top = height - LEGEND
        for letter, (name, mine) in zip("ABCD", panels.items(), strict=False):
            tall = LINE * counts[name]
            axes = figure.add_axes((LEFT, (top - HEAD - tall) / height, RIGHT - LEFT, tall / height))
            top -= HEAD + tall + AXIS
            _scale(axes, mine, name, inquiry.abstract, letter)
            for place, (_, one) in enumerate(mine.groupby("target", sort=False)):
                _quantity(axes, one, place, families)
        _verdict_legend(figure, families, bool((plotted["part"] == "own").any()), height)
        figure.text(0.01, 0.06 / height, style.footer_text(study, f"{HYPOTHETICAL}\nExtremes are attained: the true "
                    "ones lie there or beyond. Arrows: the line goes on, without end where the words say so."),
                    fontsize=6.5, color=style.GREY, va="bottom")
    return figure, plotted


def worth(inquiry: Inquiry, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw what each printed number is worth: how much further extremes lie apart without it.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.weigh`.
    study : Study

    Returns
    -------
    figure : Figure or None
        A row a claim, a column a quantity. None where nothing was weighed.
    plotted : DataFrame
        `CELLS`.
    """
    if inquiry.worth.empty:
        return None, pd.DataFrame(columns=CELLS)
    plotted = _cells(inquiry)
    wide = plotted.pivot_table(index="row", columns="column", values="widening", aggfunc="first")
    wide = wide.loc[pd.unique(plotted["row"]), pd.unique(plotted["column"])]
    with style.style():
        figure, axes = plt.subplots(figsize=(style.DOUBLE, 2.0 + 0.15 * len(wide)))
        level = np.log(np.clip(wide.to_numpy(), 1, MOST)) / math.log(MOST)
        axes.imshow(level, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(wide.to_numpy()):
            if value >= VISIBLE:
                words = "∞" if math.isinf(value) else f"{value:.1f}"
                axes.text(column, row, words, ha="center", va="center", fontsize=6.2,
                          color="white" if level[row, column] > 0.55 else style.INK)
        heads = [textwrap.fill(words, 30) for words in wide.columns]
        axes.set_xticks(range(wide.shape[1]), heads, rotation=90, fontsize=6.2, linespacing=1.15)
        axes.set_yticks(range(len(wide)), wide.index, fontsize=6.5)
        axes.tick_params(length=0, labeltop=True, labelbottom=False, top=False, bottom=False)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xticks(np.arange(wide.shape[1] + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(wide) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=0.8)
        axes.tick_params(which="minor", length=0)
        style.footer(figure, study, f"{HYPOTHETICAL}\nDistance of the extremes without the number, over that with "
                     f"every number; ratios on the log scale. ∞: fixed with it, open without.\nBelow {VISIBLE:g} "
                     "nothing is written: so far two searches may differ.")
    return figure, plotted


def curves_table(plotted: pd.DataFrame) -> pd.DataFrame:
    """The numbers at risk below the curves, and where the curves lie at those times.

    Parameters
    ----------
    plotted : DataFrame
        From `feasible_curves`.

    Returns
    -------
    DataFrame
        `arm`, `time`, `at risk` from least to most, and `lowest`, `highest` of the curves drawn.
    """
    rows = []
    for row in plotted[plotted["part"] == "at risk"].itertuples():
        mine = plotted[(plotted["part"] == "curve") & (plotted["arm"] == row.arm)]
        now = mine[mine["time"] <= row.time + 1e-9].groupby("cohort")["survival"].last()
        rows.append((row.arm, round(row.time, 1), f"{row.lower:.0f} to {row.upper:.0f}", now.min(), now.max()))
    return pd.DataFrame(rows, columns=["arm", "time", "at risk", "lowest", "highest"])


def _endpoint(report: Abstract) -> str:
    """Endpoint of the first printed median of a whole arm; of relapse without one."""
    return next((claim.quantity.endpoint for claim in report.claims
                 if claim.quantity.kind == "median" and claim.quantity.arm and not claim.quantity.group), "relapse")


def _last(inquiry: Inquiry, name: str) -> float:
    return float(endpoint(inquiry.found.cohorts, name, slice(None))[0].max())


def _ticks(report: Abstract, last: float) -> np.ndarray:
    """Ticks in grains."""
    return tick_days(last * DAYS[report.grain], report.unit, most=8) / DAYS[report.grain]


def _curve_numbers(inquiry: Inquiry, name: str, number: int, ticks: np.ndarray) -> pd.DataFrame:
    report, place, cohorts = inquiry.abstract, inquiry.found.ready.layout, inquiry.found.cohorts
    order = np.argsort(inquiry.found.draws["family"].to_numpy(), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(number, len(order))).astype(int)]
    parts = []
    for arm in report.order:
        time, event = endpoint(cohorts, name, place.arms[arm.key])
        parts.append(_stairs(time[chosen], event[chosen], chosen).assign(part="curve", arm=arm.key))
        counts = (time[:, :, None] >= ticks).sum(axis=1)
        parts.append(pd.DataFrame({"part": "at risk", "arm": arm.key, "time": ticks, "lower": counts.min(axis=0),
                                   "upper": counts.max(axis=0)}))
    for claim in report.claims:
        asked = claim.quantity
        if asked.kind == "median" and asked.endpoint == name and asked.arm and not asked.group:
            parts.append(pd.DataFrame({"part": ["median"], "arm": asked.arm, "survival": 0.5, "lower": claim.lower,
                                       "upper": claim.upper}))
        elif asked.kind == "ongoing_time":
            parts.append(pd.DataFrame({"part": ["ongoing"], "arm": asked.arm,
                                       "time": (claim.lower + claim.upper) / 2}))
    made = pd.concat(parts, ignore_index=True).reindex(columns=CURVES).astype({"cohort": "Int64"})
    made["time"] /= report.per_unit
    median = made["part"] == "median"
    made.loc[median, ["lower", "upper"]] /= report.per_unit
    return made


def _stairs(time: np.ndarray, event: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    """Kaplan-Meier curves, a row a step, from 1 at time 0 to the longest follow-up: `cohort`, `time`, `survival`."""
    _, chunks = risk.tables(time, event)
    made = []
    for part, table in chunks:
        times, heights = table.times(), survival(table)
        ends = np.ones((1, times.shape[1]))
        step = np.concatenate([ends > 0, table.event, ends > 0]).T
        at = np.concatenate([0 * ends, times, times[-1:]]).T[step]
        height = np.concatenate([ends, heights, heights[-1:]]).T[step]
        made.append(pd.DataFrame({"cohort": names[part].repeat(step.sum(axis=1)), "time": at, "survival": height}))
    return pd.concat(made).drop_duplicates(["cohort", "time"], keep="last")


def _arm_curves(axes: Axes, mine: pd.DataFrame, shade: str) -> None:
    drawn = mine[mine["part"] == "curve"].groupby("cohort")
    lines = [group[["time", "survival"]].to_numpy(float) for _, group in drawn]
    stairs = [np.column_stack([np.repeat(line[:, 0], 2)[1:], np.repeat(line[:, 1], 2)[:-1]]) for line in lines]
    axes.add_collection(mpl.collections.LineCollection(stairs, colors=shade, linewidths=0.5, alpha=0.13))
    axes.plot(*stairs[0].T, color=style.INK, linewidth=1.3)
    axes.axhline(0.5, color=style.GREY, linewidth=0.6, linestyle=":", zorder=0)
    for row in mine[mine["part"] == "median"].itertuples():
        for colour, size in (("white", 5.5), (MEDIAN, 3.6)):
            axes.plot([row.lower, row.upper], [0.5, 0.5], color=colour, marker="o", markersize=size, linewidth=size,
                      markeredgewidth=0, zorder=4)
    going = mine[mine["part"] == "ongoing"]
    axes.plot(going["time"], np.full(len(going), 0.03), linestyle="none", marker="^", markersize=5, color=style.INK,
              markeredgecolor="white", markeredgewidth=0.5, zorder=6)
    axes.set_xlim(left=0)


def _at_risk(axes: Axes, counts: pd.DataFrame) -> None:
    for row in counts.itertuples():
        words = f"{row.lower:.0f}" if row.lower == row.upper else f"{row.lower:.0f}-{row.upper:.0f}"
        axes.text(row.time, 0.5, words, ha="center", va="center", fontsize=7)
    axes.set_ylim(0, 1)
    axes.set_xticks(counts["time"], [f"{value:g}" for value in np.round(counts["time"], 1)])
    axes.set_yticks([])
    axes.tick_params(labelbottom=False, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _curve_legend(figure: Figure, plotted: pd.DataFrame) -> None:
    handles = [Line2D([], [], color=MEDIAN, linewidth=3.6, solid_capstyle="round",
                      label="printed median: every value that prints so"),
               Line2D([], [], color=style.INK, linewidth=1.3, label="one cohort")]
    if (plotted["part"] == "ongoing").any():
        handles.insert(1, Line2D([], [], linestyle="none", marker="^", color=style.INK, markersize=5,
                                 label="printed time of an ongoing remission"))
    figure.legend(handles=handles, loc="outside upper left", ncols=3, handlelength=1.6)


def _verdict_numbers(inquiry: Inquiry, own: pd.DataFrame) -> pd.DataFrame:
    """Long table of what the figure of verdicts shows."""
    if inquiry.settled.empty:
        return pd.DataFrame(columns=LINES)
    panels = {scale: name for name, (scales, *_) in PANELS.items() for scale in scales}
    kept = inquiry.settled[~inquiry.settled["target"].str.contains("^hazard_ratio_(?:lower|upper)")]
    families = by_family(inquiry.found, list(kept["target"]))
    mine = dict(zip(own["target"], own["own"], strict=True))
    rows = []
    for row in kept.itertuples():
        per = inquiry.abstract.per_unit if row.scale == "time" else 1.0
        label = row.words if not row.arm or " vs " in row.arm else f"{row.words}, {row.arm}"
        head = (panels[row.scale], row.target, label)
        said = span(row.lower, row.upper, row.scale, inquiry.abstract, row.target.startswith("rmst_difference"))
        rows.append((*head, "extremes", row.lower / per, row.median / per, row.upper / per, said, row.verdict))
        rows += [(*head, one.family, one.lower / per, one.median / per, one.upper / per, "", row.verdict)
                 for one in families[families["target"] == row.target].itertuples()]
        if row.target in mine:
            rows.append((*head, "own", *[mine[row.target] / per] * 3, "", row.verdict))
    return pd.DataFrame(rows, columns=LINES)


def _scale(axes: Axes, mine: pd.DataFrame, name: str, report: Abstract, letter: str) -> None:
    count = mine["target"].nunique()
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _, title, label = PANELS[name]
    _write(axes, 0.01, -1.15, f"{letter}  {title}", size=8.5, weight="bold")
    if letter == "A":
        _write(axes, TEXT, -1.15, "extremes", weight="bold")
        _write(axes, WORD, -1.15, "verdict", weight="bold")
    ends = mine[["lower", "upper"]].to_numpy(float)
    ends = ends[np.isfinite(ends)]
    if name in FARTHEST:
        least, most = FARTHEST[name]
        low, high = max(least, ends.min() / 1.2), min(most, ends.max() * 1.2)
        low, high = (min(low, 0.5), max(high, 2.0)) if name == "hazard ratio" else (min(low, 0.02), 1.2)
        axes.set_xscale("log")
        marks = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if name == "hazard ratio" else (1e-5, 1e-4, 0.001, 0.01, 0.05,
                                                                                       0.2, 1)
        marks = [mark for mark in marks if low <= mark <= high]
        axes.set_xticks(marks, [f"{mark:g}" for mark in marks])
        axes.minorticks_off()
        axes.axvline(1 if name == "hazard ratio" else 0.05, color=style.GREY, linewidth=0.7, zorder=0)
    elif name == "probability":
        low, high = -0.02, 1.02
    else:
        room = 0.05 * (max(ends.max(), 0) - min(ends.min(), 0) or 1)
        low, high, label = min(ends.min(), 0) - room, ends.max() + room, f"{report.unit}s"
        axes.axvline(0, color=style.GREY, linewidth=0.7, zorder=0)
    axes.set_xlim(low, high)
    axes.set_xlabel(label, fontsize=7, labelpad=1)
    axes.tick_params(axis="x", labelsize=6.5, pad=1.5)


def _quantity(axes: Axes, one: pd.DataFrame, place: int, families: list[str]) -> None:
    """One line: extremes thin, the central 95% of each family as a short mark, own value, words."""
    whole = one[one["part"] == "extremes"].iloc[0]
    first, last = axes.get_xlim()
    sign, colour = VERDICTS[whole["verdict"]]
    low, high = max(whole["lower"], first), min(whole["upper"], last)
    axes.plot([low, high], [place, place], color=colour, linewidth=0.8, zorder=2)
    for cut, edge, marker in ((whole["lower"] < first, first, "<"), (whole["upper"] > last, last, ">")):
        if cut:
            axes.plot(edge, place, marker=marker, markersize=3.5, color=colour, zorder=3, clip_on=False)
    for end in (low, high):
        axes.plot([end, end], [place - 0.28, place + 0.28], color=colour, linewidth=0.8, zorder=2)
    marks = one.set_index("part")
    for number, family in enumerate(families):
        height = place + 0.2 * (number - (len(families) - 1) / 2)
        ends = [float(np.clip(marks.loc[family, end], first, last)) for end in ("lower", "upper")]
        axes.plot(ends, [height, height], color=FAMILY_COLOURS[number % 4], linewidth=1.5, solid_capstyle="butt",
                  zorder=3)
        if ends[0] == ends[1]:
            axes.plot(ends[0], height, marker="s", markersize=1.5, color=FAMILY_COLOURS[number % 4], zorder=3)
    if "own" in marks.index:
        axes.plot(float(np.clip(marks.loc["own", "median"], first, last)), place, marker="D", markersize=3.6,
                  markerfacecolor="white", markeredgecolor=style.INK, markeredgewidth=0.8, zorder=5, clip_on=False)
    _write(axes, 0.01, place, whole["label"])
    _write(axes, TEXT, place, whole["words"])
    _write(axes, WORD, place, f"{sign} {whole['verdict']}", color=colour)


def _write(axes: Axes, at: float, height: float, words: str, size: float = 6.2, **how) -> None:
    """Words at a share of the page's width, beside a line of the panel."""
    axes.text((at - LEFT) / (RIGHT - LEFT), height, words, transform=axes.get_yaxis_transform(), va="center",
              fontsize=size, **how)


def _verdict_legend(figure: Figure, families: list[str], own: bool, height: float) -> None:
    handles = [Line2D([], [], color=style.INK, linewidth=0.8, marker="|", markersize=6, label="extremes")]
    handles += [Line2D([], [], color=FAMILY_COLOURS[number % 4], linewidth=2.5, label=f"95% of draws, {family}")
                for number, family in enumerate(families)]
    if own:
        handles.append(Line2D([], [], linestyle="none", marker="D", markersize=4, markerfacecolor="white",
                              markeredgecolor=style.INK, label="own tables"))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1 - 0.02 / height), ncols=6, fontsize=6.3,
                  handlelength=1.5, columnspacing=0.9, handletextpad=0.4)


def _cells(inquiry: Inquiry) -> pd.DataFrame:
    claims = {claim.id: claim for claim in inquiry.abstract.claims}
    settled = inquiry.settled.set_index("target")

    def row(claim: str) -> str:
        one = claims[claim]
        return f"{claim}  {claim_words(inquiry.abstract, one)}: {one.printed}"

    def column(target: str) -> str:
        words, arm = settled.loc[target, "words"], settled.loc[target, "arm"]
        return words if " vs " in arm or not arm else f"{words}, {arm}"

    made = inquiry.worth.assign(row=inquiry.worth["claim"].map(row), column=inquiry.worth["target"].map(column))
    order = {target: number for number, target in enumerate(settled.index)}
    return made.sort_values("target", key=lambda names: names.map(order), kind="stable")[CELLS].reset_index(drop=True)

