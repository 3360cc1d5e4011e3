"""Figure of the flow of rows and patients, from the tables as received to the end of remission."""

from __future__ import annotations

import re
import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.figures import style
from remission.study import Study

COLUMNS = ["arm", "box", "n", "note"]
#: Ends of remission below the analysable patients, as they stand in `adsl`.
ENDS = {"relapse": "Relapse,\nany site", "death in remission": "Death in\nremission",
        "ongoing remission": "Ongoing\nremission"}
#: Inches from one level of boxes to the next, and what a line of text in the box of exclusions adds.
STEP, LINE = 0.82, 0.135


def flow_counts(adsl: pd.DataFrame, account: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Count rows and patients at each stage.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.
    account : DataFrame
        One row a raw table with read, repaired and quarantined rows.
    study : Study

    Returns
    -------
    DataFrame
        arm ("all" for rows of tables), box, n, note. Boxes of an arm: registered, excluded (note: reasons), analysable,
        relapse, death in remission, ongoing remission; the last three add up to analysable.
    """
    made = [("all", f"rows {name}", int(account[name].sum()), f"{len(account)} tables")
            for name in ("read", "repaired", "quarantined")]
    for arm in study.arm_keys:
        mine = adsl[adsl["TRT01A"] == arm]
        usable = mine[mine["TTEFL"] == "Y"]
        reasons = mine.loc[mine["TTEFL"] == "N", "TTEEXCL"].str.split("; ").explode().value_counts(sort=False)
        told = reasons.sort_index().sort_values(ascending=False, kind="stable")
        note = "; ".join(f"{reason} ({count})" for reason, count in told.items())
        made += [(arm, "registered", len(mine), ""), (arm, "excluded", len(mine) - len(usable), note),
                 (arm, "analysable", len(usable), "")]
        made += [(arm, end, int((usable["STATUS"] == end).sum()), "") for end in ENDS]
    return pd.DataFrame(made, columns=COLUMNS)


def cohort_flow(adsl: pd.DataFrame, account: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the flow of rows and patients.

    Parameters
    ----------
    adsl, account : DataFrame
        As for `flow_counts`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None without patients.
    plotted : DataFrame
        From `flow_counts`.
    """
    plotted = flow_counts(adsl, account, study)
    if adsl.empty:
        return None, plotted
    count = plotted.set_index(["arm", "box"])["n"]
    notes = plotted.set_index(["arm", "box"])["note"]
    middle = (len(study.arms) - 1) * 1.5
    reasons = {arm: _reasons(count[arm, "excluded"], notes[arm, "excluded"]) for arm in study.arm_keys}
    levels = _levels(max(map(len, reasons.values())))
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, levels["rows"] + 1.1))
        for place, arm in enumerate(study.arms):
            _arm(axis, 3 * place, middle, levels, arm.label, count[arm.key], reasons[arm.key],
                 style.arm_colours(study)[arm.key])
        _box(axis, middle, levels["rows"], f"{count['all', 'rows read']} rows read in {len(account)} tables\n"
             f"{count['all', 'rows repaired']} repaired, {count['all', 'rows quarantined']} set aside in quarantine\n"
             f"{len(adsl)} patients registered", style.GREY)
        half = max(3 * len(study.arms), 5) / 2
        axis.set(xlim=(middle - half, middle + half), ylim=(-0.4, levels["rows"] + 0.4))
        axis.axis("off")
        style.footer(figure, study, f"Remission counts from {study.origin_label}.")
    return figure, plotted


def _reasons(excluded: int, note: str) -> list[str]:
    """Lines of the box of patients who cannot be analysed; none when all can."""
    wrapped = [line for reason in note.split("; ") for line in textwrap.wrap(reason, 40)]
    several = sum(map(int, re.findall(r"\((\d+)\)", note))) > excluded
    head = f"Not analysable: n = {excluded}" + (" (some for several reasons)" if several else "")
    return [head, *wrapped] if excluded else []


def _levels(lines: int) -> dict[str, float]:
    """Height of each level of boxes, inches; the level of exclusions only where there are any."""
    analysable = STEP
    excluded = analysable + (0.5 * LINE * lines + 0.6 if lines else 0)
    registered = excluded + (0.5 * LINE * lines + 0.6 if lines else STEP)
    return {"ends": 0.0, "analysable": analysable, "excluded": excluded, "registered": registered,
            "rows": registered + STEP}


def _arm(axis: Axes, x: float, middle: float, levels: dict[str, float], label: str, count: pd.Series,
         reasons: list[str], colour: str) -> None:
    """One arm: registered, excluded where there is anyone, analysable, the three ends of remission."""
    _line(axis, (middle, levels["rows"]), (x, levels["registered"]))
    _box(axis, x, levels["registered"], f"{textwrap.fill(label, 34)}\nn = {count['registered']}", colour, bold=True)
    _line(axis, (x, levels["registered"]), (x, levels["analysable"]))
    if reasons:
        _box(axis, x, levels["excluded"], "\n".join(reasons), style.GREY, small=True)
    _box(axis, x, levels["analysable"], f"Analysable for remission\nn = {count['analysable']}", colour)
    for place, (end, word) in enumerate(ENDS.items()):
        below = x + (place - 1) * 0.95
        _line(axis, (x, levels["analysable"]), (below, levels["ends"]))
        _box(axis, below, levels["ends"], f"{word}\nn = {count[end]}", colour, small=True)


def _box(axis: Axes, x: float, y: float, text: str, colour: str, *, bold: bool = False, small: bool = False) -> None:
    axis.text(x, y, text, ha="center", va="center", fontsize=7 if small else 8, linespacing=1.3, zorder=3,
              fontweight="bold" if bold else "normal",
              bbox={"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": colour, "linewidth": 1.1})


def _line(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A line from box to box: down, across, down; the boxes lie over its ends."""
    half = (start[1] + end[1]) / 2
    axis.plot([start[0], start[0], end[0], end[0]], [start[1], half, half, end[1]], color=style.GREY, linewidth=0.8,
              zorder=1)
