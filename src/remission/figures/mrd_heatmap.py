"""Heat map of MRD: one line a patient, one cell a month, with the end of remission and mutations."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from remission import study as units
from remission.adam.adtv import remission_end
from remission.figures import style
from remission.figures.mrd_trajectories import OUTCOMES
from remission.mrd import under_maintenance
from remission.study import Study

#: From light to dark, so that the order survives in grey.
COLOURS = {"complete": "#A6CEE3", "intermediate": "#E69F00", "failure": "#7A0403"}
WORDS = {"complete": "complete: negative, sensitive enough", "intermediate": "intermediate",
         "failure": "failure: quantified, high"}
#: Height of a cell: of a month with a sample, and of one without.
HEIGHT = {"sample": 0.8, "carried": 0.26}
MUTATION = "#009E73"
COLUMNS = ["patient", "arm", "line", "part", "month", "category"]
#: More lines than this do not fit a page.
MOST_LINES = 80


def monthly_states(admrd: pd.DataFrame, adsl: pd.DataFrame, admut: pd.DataFrame, study: Study) -> pd.DataFrame:
    """State of each patient in each month, and the marks: everything that the heat map draws.

    Parameters
    ----------
    admrd, adsl, admut : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        `patient`, `arm`, `line` (arms in order, the shortest remission first), `part`, `month` from the origin, and
        `category`. Parts: `sample` (category of the last sample of that month), `carried` (no sample in that month:
        category of the last one before it), `mutation` (`month` its exact time, `category` the variant; up to the end
        of remission), `end` (`month` its exact time, `category` the outcome). Patients without a sample have no line.

    Examples
    --------
    >>> from remission import schema
    >>> monthly_states(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl", "admut")),
    ...                Study("demo", "own", "", "", ())).empty
    True
    """
    first = int(admrd["ADY"].min()) if len(admrd) else 0
    used = under_maintenance(admrd, adsl, first, at_relapse=True)
    if used.empty:
        return pd.DataFrame(columns=COLUMNS)
    used = used.assign(MONTH=np.floor(_months(used["ADY"])).astype(int))
    last = used.drop_duplicates(["USUBJID", "MONTH"], keep="last").set_index("USUBJID")
    subject = adsl[["USUBJID", "TRT01A", "STATUS"]].assign(END=_months(remission_end(adsl)))
    subject = subject[subject["USUBJID"].isin(last.index)]
    subject = subject.assign(RANK=subject["TRT01A"].map({arm: place for place, arm in enumerate(study.arm_keys)}))
    subject = subject.sort_values(["RANK", "END", "USUBJID"], kind="stable").reset_index(drop=True)
    found = admut[admut["VARIANT"] != "none"]
    rows = []
    for line, one in enumerate(subject.itertuples()):
        head = [one.USUBJID, one.TRT01A, line]
        seen = last.loc[[one.USUBJID]].set_index("MONTH")["CATEGORY"]
        months = range(seen.index.min(), max(math.ceil(one.END), seen.index.max() + 1))
        for month, category in seen.reindex(months).ffill().items():
            rows.append([*head, "sample" if month in seen.index else "carried", month, category])
        mine = found[(found["USUBJID"] == one.USUBJID).astype(bool)]
        days = _months(mine["ADY"])
        rows += [[*head, "mutation", day, variant] for day, variant in zip(days, mine["VARIANT"], strict=True)
                 if day <= one.END]
        rows.append([*head, "end", one.END, one.STATUS])
    return pd.DataFrame(rows, columns=COLUMNS)


def _months(days: pd.Series) -> pd.Series:
    return days.astype(float) / units.DAYS["month"]


def heat_map(admrd: pd.DataFrame, adsl: pd.DataFrame, admut: pd.DataFrame,
             study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the category of MRD of each patient by month, with the end of remission and mutations.

    Parameters
    ----------
    admrd, adsl, admut : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None without samples; the first `MOST_LINES` patients where there are more.
    plotted : DataFrame
        From `monthly_states`, of the patients drawn.
    """
    plotted = monthly_states(admrd, adsl, admut, study)
    if plotted.empty:
        return None, plotted
    left = plotted["line"].max() + 1 - MOST_LINES
    plotted = plotted[plotted["line"] < MOST_LINES].reset_index(drop=True)
    lines = plotted.drop_duplicates("line").set_index("line")
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, 1.3 + 0.155 * len(lines)))
        _cells(axis, plotted)
        _marks(axis, plotted)
        axis.axvline(0, color=style.INK, linewidth=0.8, zorder=4)
        breaks = np.flatnonzero(lines["arm"].to_numpy()[1:] != lines["arm"].to_numpy()[:-1]) + 0.5
        axis.hlines(breaks, *_reach(plotted), color=style.INK, linewidth=0.7)
        axis.set_yticks(lines.index, lines["patient"], fontsize=6)
        for tick, arm in zip(axis.get_yticklabels(), lines["arm"], strict=True):
            tick.set_color(style.arm_colours(study)[arm])
        axis.tick_params(axis="y", length=0)
        axis.set_ylim(len(lines) - 0.4, -0.6)
        axis.set_xlim(*_reach(plotted))
        axis.set_xticks(_ticks(*_reach(plotted)))
        axis.set_xlabel(f"months from {study.origin_label}")
        _legend(figure, study, lines["arm"].unique(), (plotted["part"] == "mutation").any())
        note = f" {left} more patients are not drawn." if left > 0 else ""
        style.footer(figure, study, f"Tall: last sample of the month; low: carried on to the next sample.{note}")
    return figure, plotted


def _reach(plotted: pd.DataFrame) -> tuple[float, float]:
    return plotted["month"].min() - 1, plotted["month"].max() + 3


def _ticks(first: float, last: float) -> list[int]:
    """Every year, or every few years of a long one."""
    step = 12 * math.ceil((last - first) / 12 / 14) if last - first > 18 else 3
    return [month for month in range(step * math.ceil(first / step), math.ceil(last), step)]


def _cells(axis: Axes, plotted: pd.DataFrame) -> None:
    cells = plotted[plotted["part"].isin(HEIGHT)]
    boxes = [Rectangle((one.month, one.line - HEIGHT[one.part] / 2), 1, HEIGHT[one.part])
             for one in cells.itertuples()]
    axis.add_collection(PatchCollection(boxes, facecolors=list(cells["category"].map(COLOURS)), linewidths=0, zorder=2))


def _marks(axis: Axes, plotted: pd.DataFrame) -> None:
    mutation = plotted[plotted["part"] == "mutation"]
    axis.plot(mutation["month"].astype(float), mutation["line"] - 0.12, linestyle="", marker="^", markersize=4.2,
              color=MUTATION, markeredgecolor="white", markeredgewidth=0.5, zorder=6)
    ends = plotted[plotted["part"] == "end"]
    for outcome, (marker, _) in OUTCOMES.items():
        mine = ends[ends["category"] == outcome]
        # Just beyond the end, where no cell is hidden.
        axis.plot(mine["month"].astype(float) + 1.4, mine["line"], linestyle="", marker=marker, markersize=4.6,
                  color=style.INK, markeredgecolor="white", markeredgewidth=0.4, zorder=5)


def _legend(figure: Figure, study: Study, arms, mutated: bool) -> None:
    handles = [Patch(color=colour, label=WORDS[category]) for category, colour in COLOURS.items()]
    handles += [Line2D([], [], linestyle="", marker=marker, color=style.INK, markersize=5, label=words)
                for marker, words in OUTCOMES.values()]
    if mutated:
        handles.append(Line2D([], [], linestyle="", marker="^", color=MUTATION, markersize=5,
                              label="kinase-domain mutation"))
    colours = style.arm_colours(study)
    handles += [Line2D([], [], linestyle="", marker="$A$", markersize=4, color=colours[arm], label=arm)
                for arm in arms]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=6.5)
