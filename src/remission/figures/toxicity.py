"""Figures of adverse events: worst grades by arm, and time to the first event."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from remission.figures import style
from remission.study import DAYS, Study

#: Colour of each grade, darker with severity so that grey prints keep the order.
GRADES = {"grade1": "#DCE6F1", "grade2": "#A5C3E0", "grade3": "#E08A00", "grade4": "#A63C00", "grade5": "#2B0A00"}
#: Months at which the axis of time to first event has a mark, and patients at risk are counted.
MONTHS = (0, 3, 6, 12, 18, 24)


def adverse_events(table: pd.DataFrame, study: Study, most: int = 20) -> tuple[Figure | None, pd.DataFrame]:
    """Draw each term's worst grades as stacked bars, in % of each arm's patients: two arms back to back.

    Parameters
    ----------
    table : DataFrame
        From `toxicity.event_table`.
    study : Study
    most : int
        Terms drawn, the commonest first.

    Returns
    -------
    figure : Figure or None
        None without events. With one arm, or more than two, the arms stand side by side.
    plotted : DataFrame
        AEDECOD, TRT01A, N, any, grade1 to grade5, unknown, any_pct.
    """
    columns = ["AEDECOD", "TRT01A", "N", "any", *GRADES, "unknown"]
    if table.empty:
        return None, pd.DataFrame(columns=columns)
    terms = table["AEDECOD"].drop_duplicates().head(most).tolist()
    plotted = table.loc[table["AEDECOD"].isin(terms), [*columns, "any_pct"]].reset_index(drop=True)
    arms = [arm for arm in study.arm_keys if (plotted["TRT01A"] == arm).any()]
    mirrored = len(arms) == 2
    with style.style():
        figure, axes = plt.subplots(1, len(arms), figsize=(style.DOUBLE, 0.95 + 0.2 * len(terms)), sharey=True,
                                    squeeze=False)
        for place, (axis, arm) in enumerate(zip(axes[0], arms, strict=True)):
            _grade_bars(axis, plotted[plotted["TRT01A"] == arm].set_index("AEDECOD").loc[terms])
            count = plotted.loc[plotted["TRT01A"] == arm, "N"].iloc[0]
            left = mirrored and place == 0
            axis.set_title(f"{arm} (N = {count})", color=style.arm_colours(study)[arm], loc="right" if left else "left")
            if left:
                _mirror(axis)
        axes[0][0].set_yticks(range(len(terms)), terms)
        axes[0][0].set_ylim(len(terms) - 0.4, -0.6)
        if mirrored:
            axes[0][1].tick_params(axis="y", length=0)
        figure.legend(handles=_grade_keys(plotted), loc="outside upper center", ncols=6)
        style.footer(figure, study, "\nPatients once a term, at worst grade; beside a bar: n (n at grade 3 or worse). "
                                    "Arms are shown, not compared.")
    return figure, plotted


def _grade_keys(plotted: pd.DataFrame) -> list[Patch]:
    """Keys of the grades that occur; grades 1 to 3 always, so that the reader sees the order."""
    kept = [name for name in GRADES if name in ("grade1", "grade2", "grade3") or plotted[name].sum()]
    keys = [Patch(facecolor=GRADES[name], edgecolor=style.GREY, lw=0.4, label=name.replace("grade", "grade "))
            for name in kept]
    if plotted["unknown"].sum():
        keys.append(Patch(facecolor="white", edgecolor=style.GREY, hatch="////", lw=0.4, label="grade unknown"))
    return keys


def _grade_bars(axis: Axes, rows: pd.DataFrame) -> None:
    """Bars from the worst grade outwards would hide the order; they run from grade 1 to 5, then unknown."""
    left, y = np.zeros(len(rows)), np.arange(len(rows))
    for column in [*GRADES, "unknown"]:
        width = 100 * rows[column].to_numpy(float) / rows["N"].to_numpy(float)
        hatch = {"color": "white", "hatch": "////"} if column == "unknown" else {"color": GRADES[column]}
        axis.barh(y, width, left=left, height=0.72, edgecolor=style.GREY, linewidth=0.4, **hatch)
        left += width
    severe = rows[["grade3", "grade4", "grade5"]].sum(axis=1)
    for place, end, number, bad in zip(y, left, rows["any"], severe, strict=True):
        axis.text(end + 1.5, place, f"{number} ({bad})", va="center", fontsize=6.5, color=style.GREY)
    axis.set(xlim=(0, 115), xticks=range(0, 101, 25), xlabel="patients, %")


def _mirror(axis: Axes) -> None:
    """Turn a panel so that its bars grow to the left; its names stay on the far left."""
    axis.invert_xaxis()
    for text in axis.texts:
        text.set_ha("right")
    axis.spines["left"].set_visible(False)
    axis.spines["right"].set_visible(True)
    axis.tick_params(axis="y", length=0)


def first_events(curves: pd.DataFrame, incidence: pd.DataFrame, counts: pd.DataFrame, study: Study,
                 months: float = 24) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the cumulative incidence of the first event of each kind, with numbers at risk.

    Parameters
    ----------
    curves : DataFrame
        From `toxicity.onset.curve_table`.
    incidence : DataFrame
        From `toxicity.onset.incidence_table` at `MONTHS`, for the numbers at risk.
    counts : DataFrame
        From `toxicity.onset.count_table`, for the numbers of patients and events.
    study : Study
    months : float
        Where the axis ends.

    Returns
    -------
    figure : Figure or None
        None where no kind of event is known.
    plotted : DataFrame
        endpoint, TRT01A, curve, time (months), value, lower, upper (%); and the numbers at risk, as rows of curve
        "at risk".
    """
    names = ["endpoint", "TRT01A", "curve", "time", "value", "lower", "upper"]
    if curves.empty:
        return None, pd.DataFrame(columns=names)
    steps = curves.assign(time=curves["time"] / DAYS["month"])
    steps = pd.concat([_cut(one, months) for _, one in steps.groupby(["endpoint", "TRT01A", "curve"], sort=False)])
    risk = incidence[incidence["month"].isin(MONTHS) & (incidence["month"] <= months)].rename(
        columns={"month": "time", "at_risk": "value"}).assign(curve="at risk", lower=np.nan, upper=np.nan)
    plotted = pd.concat([steps[names], risk[names]], ignore_index=True)
    kinds = list(curves["endpoint"].unique())
    columns = min(3, len(kinds))
    arms = [arm for arm in study.arm_keys if (curves["TRT01A"] == arm).any()]
    with style.style():
        height = (1.6 + 0.12 * len(arms)) * math.ceil(len(kinds) / columns) + 0.75
        figure, axes = plt.subplots(math.ceil(len(kinds) / columns), columns, figsize=(style.DOUBLE, height),
                                    sharey=True, squeeze=False)
        for axis, kind in zip(axes.flat, kinds, strict=False):
            rows, size = (frame[frame["endpoint"] == kind] for frame in (plotted, counts))
            _incidence_panel(axis, rows, size, arms, study, months)
        for axis in list(axes.flat)[len(kinds):]:
            axis.set_visible(False)
        for first in axes[:, 0]:
            first.set_ylabel("patients, %")
            for place, arm in enumerate(arms):
                first.annotate(arm, (0, 0), (-9, -17 - 8 * place), xycoords="axes fraction", fontsize=6, ha="right",
                               textcoords="offset points", va="top", color=style.arm_colours(study)[arm])
        colours, dashes = style.arm_colours(study), dict(zip(study.arm_keys, style.DASHES, strict=False))
        keys = [Line2D([], [], color=colours[arm], ls=dashes[arm], label=f"{arm}: cumulative incidence")
                for arm in arms]
        keys.append(Line2D([], [], color=style.GREY, lw=0.7, label="thin: 1 - Kaplan-Meier"))
        figure.legend(handles=keys, loc="outside upper center", ncols=min(3, len(keys)))
        style.footer(figure, study, "\nMonths from the first dose. Relapse, death in remission and stop of treatment "
                                    "(30 days after the last dose) compete.\nBands: 95% limits. Below: patients at "
                                    "risk. Arms are shown, not compared.")
    return figure, plotted


def _cut(curve: pd.DataFrame, months: float) -> pd.DataFrame:
    """A step curve up to the end of the axis; its last value is carried there if it goes on."""
    kept = curve[curve["time"] <= months]
    if len(kept) == len(curve):
        return kept
    return pd.concat([kept, kept.tail(1).assign(time=float(months))])


def _incidence_panel(axis: Axes, rows: pd.DataFrame, counts: pd.DataFrame, arms: list[str], study: Study,
                     months: float) -> None:
    """Curves of one kind of event; above them what was counted, below them who was at risk, arms in display order."""
    colours, dashes = style.arm_colours(study), dict(zip(study.arm_keys, style.DASHES, strict=False))
    for place, arm in enumerate(arms):
        mine = rows[rows["TRT01A"] == arm]
        curve, alone = (mine[mine["curve"] == way] for way in ("incidence", "one minus KM"))
        axis.step(alone["time"], alone["value"], where="post", color=colours[arm], lw=0.6, ls=dashes[arm])
        axis.step(curve["time"], curve["value"], where="post", color=colours[arm], ls=dashes[arm])
        axis.fill_between(curve["time"], curve["lower"].astype(float), curve["upper"].astype(float), step="post",
                          color=colours[arm], alpha=0.12, lw=0)
        risk = mine[mine["curve"] == "at risk"]
        for month, number in zip(risk["time"], risk["value"], strict=True):
            axis.annotate(f"{number:.0f}", (month, 0), (0, -17 - 8 * place), xycoords=axis.get_xaxis_transform(),
                          textcoords="offset points", ha="center", va="top", fontsize=6, color=colours[arm])
    said = [f"{arm} {one['event']} of {one['analysed']}" for arm in arms
            for _, one in counts[counts["TRT01A"] == arm].iterrows()]
    axis.set_title(f"{rows['endpoint'].iloc[0]}\n", fontsize=8)
    axis.annotate("; ".join(said), (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=6.5,
                  color=style.GREY)
    axis.set(xlim=(0, months), ylim=(0, 102), xticks=[month for month in MONTHS if month <= months],
             yticks=range(0, 101, 25))
    # Blank lines keep room for the numbers at risk.
    axis.set_xlabel("\n" * len(arms), fontsize=6)
