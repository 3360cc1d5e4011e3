"""Figures of remission duration: survival curves and cumulative incidence above their numbers at risk."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.estimators import curves
from remission.figures import style
from remission.study import Study
from remission.survival import competing
from remission.survival.endpoints import CAUSES, DEATH_IN_REMISSION, RELAPSE, by_arm, endpoint

HEIGHTS = {"TTRLP": "probability of no relapse so far", "RFS": "relapse-free survival",
           "MTDUR": "probability of being on maintenance"}
CURVE = ["part", "arm", "day", "survival", "lower", "upper", "at_risk", "censored", "events"]
INCIDENCE = ["part", "cause", "arm", "day", "incidence", "lower", "upper", "at_risk", "events"]


def kaplan_meier(adtte: pd.DataFrame, rows: pd.DataFrame, study: Study,
                 paramcd: str) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the Kaplan-Meier curves of one endpoint above a table of numbers at risk, censored and with event.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    rows : DataFrame
        Results of the endpoint, from `survival.analyse`: medians and contrast are written as they stand there.
    study : Study
    paramcd : str

    Returns
    -------
    tuple
        Figure (None when the cohort lacks the endpoint) and every number drawn: `part` is curve, counts or median.

    Source
    ------
    Table below the curve: Morris and others, BMJ Open 2019;9:e030215 (KMunicate).

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> kaplan_meier(nobody, pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),)), "TTRLP")[0] is None
    True
    """
    groups = by_arm(endpoint(adtte, paramcd), study)
    if not groups:
        return None, pd.DataFrame(columns=CURVE)
    ticks = tick_days(max(group["time"].max() for group in groups.values()), study.report_unit)
    drawn = {arm: _with_origin(curves.kaplan_meier(group), len(group)) for arm, group in groups.items()}
    counts = {arm: curves.counts_at(group, ticks) for arm, group in groups.items()}
    with style.style():
        figure, (axes, below) = plt.subplots(2, 1, figsize=(style.DOUBLE, 3.1 + 0.62 * len(groups)), sharex=True,
                                             height_ratios=[1, 0.24 * len(groups)])
        for number, (arm, curve) in enumerate(drawn.items()):
            _draw_survival(axes, curve, groups[arm], _look(study, arm, number), study.report_unit)
        _median_lines(axes, rows, paramcd, study)
        _legend(axes, rows, paramcd, study, list(groups))
        axes.set(ylim=(0, 1.02), ylabel=HEIGHTS.get(paramcd, "probability of survival"))
        time_axis(axes, ticks, study.report_unit)
        axes.set_xlabel(f"{study.report_unit}s from {_origin(adtte, paramcd)}")
        _counts_table(below, counts, ticks, study, ["at_risk", "censored", "events"])
        deaths = any((group["code"] == DEATH_IN_REMISSION).any() for group in groups.values())
        style.footer(figure, study, "Bands: pointwise 95%. Bars: censored."
                     + (" Crosses: died in remission, censored." if deaths else ""))
    return figure, _plotted_curves(drawn, counts, rows, paramcd)


def cumulative_incidence(adtte: pd.DataFrame, rows: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the cumulative incidence of relapse and of death in remission, one panel each, arms as lines.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte` with endpoint TTRLP.
    rows : DataFrame
        Results, from `survival.analyse_competing`: Gray's tests are written as they stand there.
    study : Study

    Returns
    -------
    tuple
        Figure (None when nobody died in remission: then it is 1 minus the Kaplan-Meier curve) and every number drawn.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> cumulative_incidence(nobody, pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    groups = by_arm(endpoint(adtte, "TTRLP"), study)
    if not any((group["code"] == DEATH_IN_REMISSION).any() for group in groups.values()):
        return None, pd.DataFrame(columns=INCIDENCE)
    ticks = tick_days(max(group["time"].max() for group in groups.values()), study.report_unit, most=7)
    fitted = {arm: competing.cumulative_incidence(group) for arm, group in groups.items()}
    tests = dict(zip(rows["statistic"], rows["display"], strict=True))
    plotted = []
    with style.style():
        figure, grid = plt.subplots(2, 2, figsize=(style.DOUBLE, 3.0 + 0.47 * len(groups)), sharex=True, sharey="row",
                                    height_ratios=[1, 0.18 * len(groups)])
        for column, (cause, name) in enumerate(CAUSES.items()):
            counts = {}
            for number, (arm, group) in enumerate(groups.items()):
                line = _cause_line(fitted[arm], group, cause)
                _draw_incidence(grid[0, column], line, group, cause, _look(study, arm, number), study.report_unit)
                counts[arm] = curves.counts_at(group.assign(event=group["code"] == cause), ticks)
                counts[arm]["at_risk"] = curves.counts_at(group, ticks)["at_risk"]
                plotted += [line.assign(part="curve", cause=name, arm=arm),
                            counts[arm].rename(columns={"time": "day"}).assign(part="counts", cause=name, arm=arm)]
            words, test = name.replace("_", " "), tests.get(f"{name}_p")
            grid[0, column].set_title(f"{words[0].upper()}{words[1:]}" + (f"\nGray's test {test}" if test else ""))
            time_axis(grid[0, column], ticks, study.report_unit)
            grid[0, column].set_xlabel(f"{study.report_unit}s from {_origin(adtte, 'TTRLP')}")
            _counts_table(grid[1, column], counts, ticks, study, ["at_risk", "events"], labels=column == 0)
        grid[0, 0].set(ylabel="cumulative incidence", ylim=(0, 1.02))
        _incidence_legend(grid[0, 1], study, list(groups))
        style.footer(figure, study, "Bands: pointwise 95%. Events: of the panel's cause.")
    return figure, pd.concat(plotted, ignore_index=True).reindex(columns=INCIDENCE)


def numbers_below(plotted: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The numbers that stand below a curve, as a table: a line a kind, a column a time.

    Parameters
    ----------
    plotted : DataFrame
        From `kaplan_meier` or `cumulative_incidence`.
    study : Study

    Returns
    -------
    DataFrame
        `cause` where there are causes, `arm`, `count`, then one column a time in the report unit; no rows without a
        figure.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows = pd.DataFrame({"part": ["counts"], "arm": ["A"], "day": [7], "at_risk": [3]})
    >>> numbers_below(rows, Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="week")).values.tolist()
    [['A', 'at risk', 3]]
    """
    counts = plotted[plotted["part"] == "counts"]
    if counts.empty:
        return pd.DataFrame(columns=["arm", "count"])
    kinds = [kind for kind in ("at_risk", "censored", "events") if kind in counts]
    keys = [key for key in ("cause", "arm") if key in counts]
    times = counts["day"].map(lambda day: f"{units.from_days(day, study.report_unit):.0f} {study.report_unit}s")
    long = counts.assign(time=times).melt([*keys, "time"], kinds, var_name="count")
    for key, order in [*((key, pd.unique(counts[key])) for key in keys), ("count", kinds)]:
        long[key] = pd.Categorical(long[key], order)
    wide = long.pivot_table(index=[*keys, "count"], columns="time", values="value", observed=True)
    wide = wide[list(pd.unique(times))].astype(int).reset_index().rename_axis(columns=None)
    words = {key: wide[key].astype(str).str.replace("_", " ") for key in ("cause", "count") if key in wide}
    return wide.assign(**words)


def tick_days(last: float, unit: str, most: int = 9) -> np.ndarray:
    """Round tick times from 0 to the end of follow-up, in days.

    Parameters
    ----------
    last : float
        Longest time, days.
    unit : str
        Unit whose round numbers are wanted.
    most : int
        Ticks at most.

    Returns
    -------
    array of int
        Days, by the same conversion as every time in the project.

    Examples
    --------
    >>> tick_days(3799, "year").tolist()
    [0, 731, 1461, 2192, 2922, 3653]
    """
    end = units.from_days(last, unit)
    steps = [base * 10**power for power in range(6) for base in (1, 2, 5)]
    if unit == "month":
        steps = sorted({3, 6, 12, 24, 48, 60, 120, *steps} - {5, 10, 20, 50})
    step = next(step for step in steps if end / step <= most - 1)
    return np.array([units.to_days(value, unit) for value in np.arange(0, math.floor(end / step) + 1) * step])


def _look(study: Study, arm: str, number: int) -> dict:
    return {"color": style.arm_colours(study)[arm], "linestyle": style.DASHES[number % len(style.DASHES)]}


def _origin(adtte: pd.DataFrame, paramcd: str) -> str:
    return str(adtte.loc[adtte["PARAMCD"] == paramcd, "ORIGIN"].iloc[0])


def _with_origin(curve: pd.DataFrame, patients: int) -> pd.DataFrame:
    start = {"time": 0.0, "at_risk": patients, "events": 0, "censored": 0, "survival": 1.0, "lower": 1.0, "upper": 1.0}
    return pd.concat([pd.DataFrame([start]), curve], ignore_index=True)


def shown(days, unit: str) -> np.ndarray:
    """Days in the unit of an axis.

    Examples
    --------
    >>> shown([7, 21], "week").tolist()
    [1.0, 3.0]
    """
    return np.asarray(days, dtype=float) / units.DAYS[unit]


def _draw_survival(axes: Axes, curve: pd.DataFrame, group: pd.DataFrame, look: dict, unit: str) -> None:
    at = shown(curve["time"], unit)
    axes.step(at, curve["survival"], where="post", **look)
    axes.fill_between(at, curve["lower"], curve["upper"], step="post", color=look["color"], alpha=0.13, linewidth=0)
    for code, marker, size in ((0, "|", 7), (DEATH_IN_REMISSION, "x", 4.5)):
        times = np.sort(group.loc[~group["event"] & (group["code"] == code), "time"])
        height = curve["survival"].to_numpy()[np.searchsorted(curve["time"], times, side="right") - 1]
        axes.plot(shown(times, unit), height, linestyle="none", marker=marker, markersize=size, color=look["color"])


def _medians(rows: pd.DataFrame, paramcd: str) -> pd.DataFrame:
    return rows[(rows["analysis"] == "km") & (rows["endpoint"] == paramcd) & (rows["statistic"] == "median")
                & (rows["arm"] != "all")]


def _median_lines(axes: Axes, rows: pd.DataFrame, paramcd: str, study: Study) -> None:
    for row in _medians(rows, paramcd).dropna(subset=["value"]).itertuples():
        at = units.from_days(row.value, study.report_unit)
        axes.plot([0, at, at], [0.5, 0.5, 0], color=style.GREY, linewidth=0.7, linestyle=":", zorder=0)


def _legend(axes: Axes, rows: pd.DataFrame, paramcd: str, study: Study, arms: list[str]) -> None:
    medians = _medians(rows, paramcd).set_index("arm")["display"]
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], label=f"{labels[arm]}: median {medians[arm]}", **_look(study, arm, number))
               for number, arm in enumerate(arms)]
    found = {row.analysis + row.statistic: row.display for row in rows[rows["endpoint"] == paramcd].itertuples()}
    title = study.endpoint_labels.get(paramcd, paramcd)
    title = title[0].upper() + title[1:]
    if "coxHR" in found:
        handles.append(Line2D([], [], linestyle="none", label=f"Hazard ratio {found['coxHR']}; log-rank "
                                                               f"{found['logrankp']}"))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), title=title, alignment="left",
                title_fontproperties={"weight": "bold", "size": 9}, handlelength=2.6, borderaxespad=0.2)


def time_axis(axes: Axes, ticks, unit: str) -> None:
    """Put ticks, given in days, on a time axis that starts at 0."""
    at = shown(ticks, unit)
    axes.set_xticks(at, [f"{value:g}" for value in np.round(at, 0 if unit != "year" else 1)])
    axes.set_xlim(left=0)
    axes.tick_params(labelbottom=True)


def _counts_table(axes: Axes, counts: dict[str, pd.DataFrame], ticks, study: Study, kinds: list[str],
                  labels: bool = True) -> None:
    """Numbers under the curve: a block an arm, a line a kind, a column a tick."""
    colours, lines = style.arm_colours(study), []
    for arm, frame in counts.items():
        lines.append((arm, None, colours[arm]))
        lines += [(kind.replace("_", " "), frame[kind], style.GREY) for kind in kinds]
    for height, (_, numbers, _) in enumerate(lines):
        if numbers is not None:
            for at, number in zip(shown(ticks, study.report_unit), numbers, strict=True):
                axes.text(at, height, str(number), ha="center", va="center_baseline", fontsize=7)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    if labels:
        axes.set_yticks(range(len(lines)), [words for words, _, _ in lines])
        for tick, (_, numbers, colour) in zip(axes.get_yticklabels(), lines, strict=True):
            tick.set(color=colour, fontsize=7, fontweight="bold" if numbers is None else "normal")
    axes.tick_params(length=0, labelbottom=False, labelleft=labels, pad=9)
    for side in axes.spines.values():
        side.set_visible(False)


def _plotted_curves(drawn: dict, counts: dict, rows: pd.DataFrame, paramcd: str) -> pd.DataFrame:
    parts = [frame.rename(columns={"time": "day"}).assign(part=part, arm=arm)
             for part, frames in (("curve", drawn), ("counts", counts)) for arm, frame in frames.items()]
    medians = _medians(rows, paramcd).rename(columns={"value": "day"})[["arm", "day"]]
    medians = medians.assign(part="median", survival=0.5)
    return pd.concat([part.dropna(axis=1, how="all") for part in [*parts, medians] if len(part)],
                     ignore_index=True).reindex(columns=CURVE)


def _cause_line(fitted: pd.DataFrame, group: pd.DataFrame, cause: int) -> pd.DataFrame:
    """Curve of one cause from the origin to the end of follow-up."""
    mine = fitted.loc[fitted["cause"] == cause, ["time", "incidence", "lower", "upper"]].rename(columns={"time": "day"})
    start = pd.DataFrame({"day": [0.0], "incidence": [0.0], "lower": [0.0], "upper": [0.0]})
    line = pd.concat([start, mine], ignore_index=True) if len(mine) else start
    last = line.iloc[[-1]].assign(day=float(group["time"].max()))
    return pd.concat([line, last], ignore_index=True)


def _draw_incidence(axes: Axes, line: pd.DataFrame, group: pd.DataFrame, cause: int, look: dict, unit: str) -> None:
    at = shown(line["day"], unit)
    axes.step(at, line["incidence"], where="post", **look)
    axes.fill_between(at, line["lower"], line["upper"], step="post", color=look["color"], alpha=0.13, linewidth=0)
    if cause == RELAPSE:
        naive = _with_origin(curves.kaplan_meier(group), len(group))
        axes.step(shown(naive["time"], unit), 1 - naive["survival"], where="post", color=look["color"], linewidth=0.7,
                  linestyle=":")


def _incidence_legend(axes: Axes, study: Study, arms: list[str]) -> None:
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], label=labels[arm], **_look(study, arm, number)) for number, arm in enumerate(arms)]
    handles.append(Line2D([], [], color=style.GREY, linewidth=0.7, linestyle=":",
                          label="1 - Kaplan-Meier of relapse (left panel):\ntoo high where deaths compete"))
    axes.legend(handles=handles, loc="upper left")
