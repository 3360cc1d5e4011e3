"""Figures of remission duration: survival curves and cumulative incidence above their numbers at risk."""

from __future__ import annotations

import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.estimators import competing, curves, wording
from remission.figures import style
from remission.study import Study
from remission.survival.endpoints import CAUSES, DEATH_IN_REMISSION, RELAPSE, by_arm, endpoint, fixed_times

HEIGHTS = {"TTRLP": "probability of no relapse so far", "RFS": "relapse-free survival",
           "MTDUR": "probability of being on maintenance"}
CURVE = ["part", "arm", "day", "survival", "lower", "upper", "at_risk", "censored", "events"]
INCIDENCE = ["part", "cause", "arm", "day", "incidence", "lower", "upper", "naive", "gap", "at_risk", "events"]
#: A curve is drawn pale where fewer than this many, or than this share of the arm, are still at risk.
FEW, FEW_SHARE = 5, 0.1
#: Opacity of a curve and of its band: where enough are at risk, and where few are.
FULL, PALE = (1.0, 0.16), (0.5, 0.07)
#: Letters of a legend that fit the width of a page.
PAGE = 104
#: With more censored patients than this in an arm, their marks would hide its curve.
MOST_MARKS = 200


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
    ticks = tick_days(max(group["time"].max() for group in groups.values()), study.report_unit, most=13)
    drawn = {arm: _with_origin(curves.kaplan_meier(group), len(group)) for arm, group in groups.items()}
    counts = {arm: curves.counts_at(group, ticks) for arm, group in groups.items()}
    with style.style():
        figure, (axes, below) = plt.subplots(2, 1, figsize=(style.DOUBLE, 3.3 + 0.62 * len(groups)), sharex=True,
                                             height_ratios=[1, 0.24 * len(groups)])
        marked = all((~group["event"]).sum() <= MOST_MARKS for group in groups.values())
        for number, (arm, curve) in enumerate(drawn.items()):
            _draw_survival(axes, curve, groups[arm], line_look(study, arm, number), study.report_unit, marked)
        _median_lines(axes, rows, paramcd, study)
        _legend(axes, rows, paramcd, study, list(groups))
        axes.set(ylim=(0, 1.02), ylabel=HEIGHTS.get(paramcd, "probability of survival"))
        time_axis(axes, ticks, study.report_unit)
        axes.set_xlabel(f"{study.report_unit}s from {_origin(adtte, paramcd)}")
        _counts_table(below, counts, ticks, study, ["at_risk", "censored", "events"])
        deaths = any((group["code"] == DEATH_IN_REMISSION).any() for group in groups.values())
        marks = "Bars: censored." + (" Crosses: died in remission, censored." if deaths else "")
        style.footer(figure, study, f"Bands: pointwise 95%. {marks if marked else 'Too many censored to mark.'}\n"
                     + few_words(groups))
    return figure, _plotted_curves(drawn, counts, groups, rows, paramcd)


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
    naive = _naive(groups, fitted, study)
    tests = dict(zip(rows["statistic"], rows["display"], strict=True))
    plotted = []
    with style.style():
        figure, grid = plt.subplots(2, 2, figsize=(style.DOUBLE, 3.4 + 0.52 * len(groups)), sharex=True, sharey="row",
                                    height_ratios=[1, 0.2 * len(groups)])
        for column, (cause, name) in enumerate(CAUSES.items()):
            counts = {}
            for number, (arm, group) in enumerate(groups.items()):
                line = _cause_line(fitted[arm], group, cause)
                _draw_incidence(grid[0, column], line, group, line_look(study, arm, number), study.report_unit)
                counts[arm] = curves.counts_at(group.assign(event=group["code"] == cause), ticks)
                counts[arm]["at_risk"] = curves.counts_at(group, ticks)["at_risk"]
                plotted += [line.assign(part="curve", cause=name, arm=arm),
                            counts[arm].rename(columns={"time": "day"}).assign(part="counts", cause=name, arm=arm)]
            words, test = name.replace("_", " "), tests.get(f"{name}_p")
            grid[0, column].set_title(f"{words[0].upper()}{words[1:]}")
            if test:
                grid[0, column].set_title(f"Gray's test: {test}", loc="right", fontsize=7.5, weight="normal")
            time_axis(grid[0, column], ticks, study.report_unit)
            grid[0, column].set_xlabel(f"{study.report_unit}s from {_origin(adtte, 'TTRLP')}")
            _counts_table(grid[1, column], counts, ticks, study, ["at_risk", "events"], labels=column == 0)
        _draw_naive(grid[0, 0], naive, study)
        grid[0, 0].set(ylabel="cumulative incidence", ylim=(0, 1.02))
        _incidence_legend(figure, naive, study, list(groups))
        style.footer(figure, study, "Bands: pointwise 95%. Events: of the panel's cause." + f"\n{few_words(groups)}")
    return figure, pd.concat([*plotted, naive], ignore_index=True).reindex(columns=INCIDENCE)


def naive_reading(plotted: pd.DataFrame, study: Study) -> str:
    """How far one minus Kaplan-Meier lies above the cumulative incidence of relapse, in words.

    Parameters
    ----------
    plotted : DataFrame
        From `cumulative_incidence`; its parts `gap`.
    study : Study

    Returns
    -------
    str
        A sentence for each arm, at its last fixed time within follow-up; says so when nobody died in remission.

    Examples
    --------
    >>> from remission.study import Arm
    >>> gap = {"part": "gap", "arm": "A", "day": 365, "incidence": 0.25, "naive": 0.3, "gap": 0.05}
    >>> naive_reading(pd.DataFrame([gap]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    'A, at 1 year: 30.0% by one minus Kaplan-Meier, 25.0% with death competing: 5.0 percentage points higher.'
    """
    gaps = plotted[plotted["part"] == "gap"]
    if gaps.empty:
        return "No fixed time lies within the follow-up of an arm in which somebody died in remission." \
            if (plotted["part"] == "naive").any() else \
            "Nobody died in remission: one minus Kaplan-Meier and the cumulative incidence of relapse are the same."
    labels = {days: label for label, days in fixed_times(study).items()}
    return " ".join(
        f"{row.arm}, at {labels[row.day]}: {wording.percent(row.naive)}% by one minus "
        f"Kaplan-Meier, {wording.percent(row.incidence)}% with death competing: {wording.percent(row.gap)} percentage "
        f"points higher." for row in gaps.itertuples())


def scarce_from(group: pd.DataFrame) -> float:
    """Day from which few patients of an arm are still at risk.

    Parameters
    ----------
    group : DataFrame
        `time` (days) of one arm.

    Returns
    -------
    float
        First time after which fewer than 5, or than a tenth of the arm, are left; 0 when the arm began with fewer.

    Source
    ------
    Pocock, Clayton and Altman, Lancet 2002;359:1686, would end a curve where a tenth to a fifth are left. Here it goes
    on, pale, so that nobody's outcome is hidden.

    Examples
    --------
    >>> scarce_from(pd.DataFrame({"time": [3, 1, 4, 2, 6, 5]}))
    2.0
    """
    times = np.sort(group["time"].to_numpy(float))
    least = max(FEW, math.ceil(FEW_SHARE * len(times)))
    return 0.0 if len(times) < least else float(times[len(times) - least])


def few_words(groups: dict[str, pd.DataFrame]) -> str:
    """The rule of `scarce_from` for the arms of a figure, for its small print.

    Examples
    --------
    >>> few_words({"A": pd.DataFrame({"time": [1, 2]})})
    'Pale: fewer than 5 at risk.'
    """
    shares = any(math.ceil(FEW_SHARE * len(group)) > FEW for group in groups.values())
    return f"Pale: fewer than {FEW} at risk" + (f", or than {FEW_SHARE:.0%} of the arm." if shares else ".")


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
    at = counts["day"].map(lambda day: f"{units.from_days(day, study.report_unit):.0f}")
    times = at + f" {study.report_unit}" + np.where(at == "1", "", "s")
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
        steps = sorted({3, 6, 12, 24, 48, 60, 120, *steps} - {2, 5, 10, 20, 50})
    step = next(step for step in steps if end / step <= most - 1)
    return np.array([units.to_days(value, unit) for value in np.arange(0, math.floor(end / step) + 1) * step])


def line_look(study: Study, arm: str, number: int) -> dict:
    """Colour and dashes of an arm's line: the arms differ without colour too.

    Parameters
    ----------
    study : Study
    arm : str
        Key of the arm.
    number : int
        Its place among the arms drawn.

    Returns
    -------
    dict
        Arguments of matplotlib's lines.

    Examples
    --------
    >>> from remission.study import Arm
    >>> line_look(Study("demo", "own", "", "", (Arm("A", "A"),)), "A", 0)["linestyle"]
    '-'
    """
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


def _draw_survival(axes: Axes, curve: pd.DataFrame, group: pd.DataFrame, look: dict, unit: str, marked: bool) -> None:
    steps(axes, curve, "survival", scarce_from(group), look, unit)
    for code, marker, size in ((0, "|", 7), (DEATH_IN_REMISSION, "x", 4.5)) if marked else ():
        times = np.sort(group.loc[~group["event"] & (group["code"] == code), "time"])
        height = curve["survival"].to_numpy()[np.searchsorted(curve["time"], times, side="right") - 1]
        axes.plot(shown(times, unit), height, linestyle="none", marker=marker, markersize=size, color=look["color"],
                  clip_on=False, in_layout=False)


def steps(axes: Axes, curve: pd.DataFrame, column: str, pale_from: float, look: dict, unit: str) -> None:
    """Draw a step curve with its band, pale from a day on.

    Parameters
    ----------
    axes : Axes
    curve : DataFrame
        `time` or `day` (days), `lower`, `upper` and the column drawn.
    column : str
    pale_from : float
        Day, from `scarce_from`.
    look : dict
        From `line_look`.
    unit : str
        Unit of the axis.

    Examples
    --------
    >>> axes = plt.figure().add_subplot()
    >>> flat = pd.DataFrame({"day": [0, 9], "survival": 1.0, "lower": 1.0, "upper": 1.0})
    >>> steps(axes, flat, "survival", 5.0, {"color": "k", "linestyle": "-"}, "day")
    >>> [line.get_xdata().tolist() for line in axes.lines]
    [[0.0, 5.0], [5.0, 9.0]]
    >>> plt.close(axes.figure)
    """
    days = curve["time" if "time" in curve else "day"].to_numpy(float)
    cut = int(np.searchsorted(days, pale_from, side="right"))
    at = shown(np.insert(days, cut, pale_from), unit)
    height, lower, upper = (np.insert(curve[name].to_numpy(float), cut, curve[name].to_numpy(float)[max(cut - 1, 0)])
                            for name in (column, "lower", "upper"))
    unclipped = {"clip_on": False, "in_layout": False}  # a line at 0 is drawn whole
    for rows, (line, band) in ((slice(0, cut + 1), FULL), (slice(cut, None), PALE)):
        axes.fill_between(at[rows], lower[rows], upper[rows], step="post", color=look["color"], alpha=band, linewidth=0)
        axes.step(at[rows], height[rows], where="post", alpha=line, **unclipped, **look)
        if look["linestyle"] != "-":  # between the dashes a hairline, so that no step is lost in a gap
            axes.step(at[rows], height[rows], where="post", alpha=line, color=look["color"], linewidth=0.5, **unclipped)


def _medians(rows: pd.DataFrame, paramcd: str) -> pd.DataFrame:
    return rows[(rows["analysis"] == "km") & (rows["endpoint"] == paramcd) & (rows["statistic"] == "median")
                & (rows["arm"] != "all")]


def _median_lines(axes: Axes, rows: pd.DataFrame, paramcd: str, study: Study) -> None:
    for row in _medians(rows, paramcd).dropna(subset=["value"]).itertuples():
        at = units.from_days(row.value, study.report_unit)
        axes.plot([0, at, at], [0.5, 0.5, 0], color=style.GREY, linewidth=0.7, linestyle=":", zorder=0)


def _legend(axes: Axes, rows: pd.DataFrame, paramcd: str, study: Study, arms: list[str]) -> None:
    medians = _medians(rows, paramcd).set_index("arm")
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], label=_wrapped(f"{labels[arm]} ({medians.loc[arm, 'events']} of {medians.loc[arm, 'n']} "
                                             f"with event): median {medians.loc[arm, 'display']}"),
                      **line_look(study, arm, number)) for number, arm in enumerate(arms)]
    found = {row.analysis + row.statistic: row.display for row in rows[rows["endpoint"] == paramcd].itertuples()}
    title = study.endpoint_labels.get(paramcd, paramcd)
    title = title[0].upper() + title[1:]
    if "coxHR" in found:
        handles.append(Line2D([], [], linestyle="none", label=_wrapped(
            f"Hazard ratio, {study.contrast}: {found['coxHR']}; log-rank {found['logrankp']}")))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), title=title, alignment="left",
                title_fontproperties={"weight": "bold", "size": 9}, handlelength=2.6, borderaxespad=0.2)


def _wrapped(words: str) -> str:
    """Words of a legend, broken where the page ends."""
    return "\n".join(textwrap.wrap(words, PAGE))


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
    for place, (arm, frame) in enumerate(counts.items()):
        top = place * (len(kinds) + 1.4)
        lines.append((top, arm, None, colours[arm]))
        lines += [(top + line, kind.replace("_", " "), frame[kind], style.GREY) for line, kind in enumerate(kinds, 1)]
    for height, _, numbers, _ in lines:
        if numbers is not None:
            for at, number in zip(shown(ticks, study.report_unit), numbers, strict=True):
                axes.text(at, height, str(number), ha="center", va="center_baseline", fontsize=7)
    axes.set_ylim(lines[-1][0] + 0.6, -0.6)
    if labels:
        axes.set_yticks([height for height, *_ in lines], [words for _, words, _, _ in lines])
        for tick, (_, _, numbers, colour) in zip(axes.get_yticklabels(), lines, strict=True):
            tick.set(color=colour, fontsize=7, fontweight="bold" if numbers is None else "normal")
    widest = max(len(str(frame[kind].iloc[0])) for frame in counts.values() for kind in kinds)
    axes.tick_params(length=0, labelbottom=False, labelleft=labels, pad=7.6 + 2.3 * widest)
    for side in axes.spines.values():
        side.set_visible(False)


def _plotted_curves(drawn: dict, counts: dict, groups: dict, rows: pd.DataFrame, paramcd: str) -> pd.DataFrame:
    parts = [frame.rename(columns={"time": "day"}).assign(part=part, arm=arm)
             for part, frames in (("curve", drawn), ("counts", counts)) for arm, frame in frames.items()]
    medians = _medians(rows, paramcd).rename(columns={"value": "day"})[["arm", "day"]]
    medians = medians.assign(part="median", survival=0.5)
    pale = pd.DataFrame([{"part": "pale from", "arm": arm, "day": scarce_from(group)} for arm, group in groups.items()])
    return pd.concat([part.dropna(axis=1, how="all") for part in [*parts, medians, pale] if len(part)],
                     ignore_index=True).reindex(columns=CURVE)


def _cause_line(fitted: pd.DataFrame, group: pd.DataFrame, cause: int) -> pd.DataFrame:
    """Curve of one cause from the origin to the end of follow-up."""
    mine = fitted.loc[fitted["cause"] == cause, ["time", "incidence", "lower", "upper"]].rename(columns={"time": "day"})
    start = pd.DataFrame({"day": [0.0], "incidence": [0.0], "lower": [0.0], "upper": [0.0]})
    line = pd.concat([start, mine], ignore_index=True) if len(mine) else start
    last = line.iloc[[-1]].assign(day=float(group["time"].max()))
    return pd.concat([line, last], ignore_index=True)


def _draw_incidence(axes: Axes, line: pd.DataFrame, group: pd.DataFrame, look: dict, unit: str) -> None:
    steps(axes, line, "incidence", scarce_from(group), look, unit)


def _naive(groups: dict[str, pd.DataFrame], fitted: dict[str, pd.DataFrame], study: Study) -> pd.DataFrame:
    """One minus Kaplan-Meier of relapse, in arms where it is too high, and how far at the last fixed time that can be
    estimated."""
    parts = [pd.DataFrame(columns=INCIDENCE)]
    for arm, group in groups.items():
        if not (group["code"] == DEATH_IN_REMISSION).any():
            continue
        curve = curves.kaplan_meier(group)
        line = _with_origin(curve, len(group)).rename(columns={"time": "day"})
        parts.append(pd.DataFrame({"part": "naive", "cause": CAUSES[RELAPSE], "arm": arm, "day": line["day"],
                                   "naive": 1 - line["survival"]}))
        gaps = [{"part": "gap", "cause": CAUSES[RELAPSE], "arm": arm, "day": float(day),
                 "incidence": competing.incidence_at(group, fitted[arm], RELAPSE, day).value,
                 "naive": 1 - curves.survival_at(curve, day).value} for day in fixed_times(study).values()]
        known = pd.DataFrame(gaps).assign(gap=lambda one: one["naive"] - one["incidence"]).dropna().tail(1)
        parts.append(known)
    filled = [part.dropna(axis=1, how="all") for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).reindex(columns=INCIDENCE) if filled else parts[0]


def _draw_naive(axes: Axes, naive: pd.DataFrame, study: Study) -> None:
    colours = style.arm_colours(study)
    for arm, line in naive[naive["part"] == "naive"].groupby("arm", sort=False):
        axes.step(shown(line["day"], study.report_unit), line["naive"], where="post", color=colours[arm], linewidth=0.9,
                  linestyle=(0, (1, 1.2)))


def _incidence_legend(figure: Figure, naive: pd.DataFrame, study: Study, arms: list[str]) -> None:
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], label=_wrapped(labels[arm]), **line_look(study, arm, number))
               for number, arm in enumerate(arms)]
    times = {days: label for label, days in fixed_times(study).items()}
    gaps = "; ".join(f"{row.arm}, at {times[row.day]}: {wording.percent(row.gap)} percentage points higher"
                     for row in naive[naive["part"] == "gap"].itertuples())
    words = "naive: one minus Kaplan-Meier of relapse, as if those who died in remission could still relapse"
    handles.append(Line2D([], [], color=style.GREY, linewidth=0.9, linestyle=(0, (1, 1.2)),
                          label=words + (f"\n{_wrapped(f'({gaps})')}" if gaps else "")))
    figure.legend(handles=handles, loc="outside upper left", handlelength=2.6)
