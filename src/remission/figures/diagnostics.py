"""Whether one hazard ratio describes the whole of follow-up: log-log curves and Schoenfeld residuals, side by side."""

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
from remission.estimators import curves, wording
from remission.estimators.diagnostics import schoenfeld
from remission.figures import style
from remission.figures.survival import few_words, line_look, scarce_from, shown, steps
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

COLUMNS = ["part", "arm", "day", "clock", "value", "lower", "upper", "at_risk"]
#: Residuals of events in the other arm and in the reference arm.
SHAPES = {True: "o", False: "s"}
#: Width of a letter of a tick's label, as a share of the residuals' axis.
LETTER = 0.022
#: With more residuals than this their marks are small.
MANY = 200


def proportional_hazards(adtte: pd.DataFrame, rows: pd.DataFrame, study: Study,
                         paramcd: str = "TTRLP") -> tuple[Figure | None, pd.DataFrame]:
    """Draw the two usual looks at proportional hazards: log(-log S) against log time, and scaled Schoenfeld residuals.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    rows : DataFrame
        Results of the endpoint, from `survival.analyse`: hazard ratio and test are drawn as they stand there.
    study : Study
    paramcd : str
        Endpoint code.

    Returns
    -------
    tuple
        Figure, and every number drawn: `part` is `log-log`, `pale from`, `residual`, `smooth` or `log hazard ratio`.
        Without two arms or without a hazard ratio the figure is None and `attrs["note"]` of the frame says why.

    Notes
    -----
    Left: with proportional hazards the two curves keep one distance, the log hazard ratio. A level reached on day 0
    has no place on a logarithmic axis and appears from the next event on. Right: the axis is that of the test, one
    minus the pooled Kaplan-Meier estimate, with ticks at times of events.

    Source
    ------
    Grambsch and Therneau, Biometrika 1994;81:515. R: `plot(survfit(...), fun = "cloglog")`, `plot(cox.zph(...))`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> proportional_hazards(nobody, pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),)))[1].attrs["note"]
    'two arms are needed'
    """
    data = endpoint(adtte, paramcd)
    groups = by_arm(data, study)
    residuals = _residuals(data, study) if study.contrast and len(groups) == 2 else None
    if residuals is None or residuals.empty:
        empty = pd.DataFrame(columns=COLUMNS)
        empty.attrs["note"] = "two arms are needed" if residuals is None else residuals.attrs["note"]
        return None, empty
    found = rows[rows["endpoint"] == paramcd].set_index("result_id")
    ratio = found.loc[f"cox.{paramcd}.all.{study.contrast}.HR"]
    test = found.loc[f"ph.{paramcd}.all.{study.contrast}.p", "display"]
    lines = {arm: log_log(group) for arm, group in groups.items()}
    origin = str(adtte.loc[adtte["PARAMCD"] == paramcd, "ORIGIN"].iloc[0])
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 3.5), width_ratios=[1, 1.1])
        for number, (arm, line) in enumerate(lines.items()):
            if line.empty:  # every event on day 0, or all at the end of the arm
                continue
            pale_from = max(scarce_from(groups[arm]), line["day"].min())
            steps(left, line, "value", pale_from, line_look(study, arm, number), study.report_unit)
        _log_axis(left, lines, study.report_unit, origin)
        _draw_residuals(right, residuals, ratio, study)
        _clock_axis(right, residuals, study.report_unit, origin)
        left.set_title("Log-log survival")
        right.set_title("Schoenfeld residuals")
        right.set_title(f"test of a trend: {test}", loc="right", fontsize=7, weight="normal")
        _legend(figure, study, list(groups), residuals)
        label = study.endpoint_labels.get(paramcd, paramcd)
        style.footer(figure, study, f"{label[0].upper()}{label[1:]}.\nLeft, bands: pointwise 95%. {few_words(groups)} "
                     "Right: scaled; time as one minus pooled Kaplan-Meier.")
    return figure, _plotted(lines, groups, residuals, ratio, study)


def log_log(group: pd.DataFrame) -> pd.DataFrame:
    """log(-log S) of one arm with its pointwise interval, where it exists.

    Parameters
    ----------
    group : DataFrame
        From `endpoints.endpoint`; one arm.

    Returns
    -------
    DataFrame
        `day`, `value`, `lower`, `upper`, `at_risk` just before; the times of events after day 0 with survival above 0,
        and the end of the curve, up to where the last level holds. No rows for an arm without events.

    Examples
    --------
    >>> log_log(pd.DataFrame({"time": [1, 2, 3, 4], "event": [True, True, False, True]}))["value"].round(3).tolist()
    [-1.246, -0.367, -0.367]
    """
    curve = curves.kaplan_meier(group)
    kept = curve[(curve["survival"] > 0) & (curve["survival"] < 1) & (curve["time"] > 0) & (curve["events"] > 0)]
    if len(kept) and curve["time"].iloc[-1] > kept["time"].iloc[-1]:
        kept = pd.concat([kept, kept.iloc[[-1]].assign(**curve.iloc[-1][["time", "at_risk"]])])
    # The interval of S is symmetric on this scale, and turned round: a lower survival is a higher log(-log).
    made = {name: np.log(-np.log(kept[column].to_numpy()))
            for name, column in (("value", "survival"), ("lower", "upper"), ("upper", "lower"))}
    return pd.DataFrame({"day": kept["time"], **made, "at_risk": kept["at_risk"]}).reset_index(drop=True)


def _residuals(data: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Schoenfeld residuals with the arm of each event: a residual of 0, with one arm at risk, does not tell it."""
    made = schoenfeld(data, study.reference)
    events = data[data["event"]].assign(other=lambda one: one["arm"] != study.reference)
    events = events.sort_values(["time", "other"], kind="stable")
    return made.assign(arm=events["arm"].to_numpy()) if len(made) else made


def reason(plotted: pd.DataFrame) -> str:
    """What to say where there is no figure; nothing where there is one.

    Examples
    --------
    >>> nothing = pd.DataFrame(columns=COLUMNS)
    >>> nothing.attrs["note"] = "no events"
    >>> reason(nothing)
    'No diagnostics of proportional hazards: no events.'
    """
    note = plotted.attrs.get("note", "")
    return f"No diagnostics of proportional hazards: {note}." if note else ""


def distances(plotted: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Vertical distance of the two log-log curves where both exist, beside the hazard ratio: a table of the figure.

    Parameters
    ----------
    plotted : DataFrame
        From `proportional_hazards`.
    study : Study

    Returns
    -------
    DataFrame
        `time` in the report unit, `log(-log S)` by arm, and `ratio of cumulative hazards` (other
        arm against reference) at up to six event times; no rows without a figure.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)), report_unit="day")
    >>> line = pd.DataFrame({"part": "log-log", "arm": ["A", "B"], "day": [4, 2], "value": [-1.0, 0.0], "at_risk": 5})
    >>> distances(line, two)["ratio of cumulative hazards"].round(2).tolist()
    [0.37]
    """
    lines = {arm: plotted[(plotted["part"] == "log-log") & (plotted["arm"] == arm)] for arm in study.arm_keys}
    if len(lines) != 2 or any(line.empty for line in lines.values()):
        return pd.DataFrame(columns=["time"])
    first = max(line["day"].min() for line in lines.values())
    last = min(line["day"].max() for line in lines.values())
    days = np.unique(np.concatenate([line["day"] for line in lines.values()]).astype(float))
    # Curves that do not overlap in time have a distance only where the one that starts later begins.
    days = days[(days >= first) & (days <= max(first, last))]
    days = days[np.unique(np.linspace(0, len(days) - 1, min(6, len(days))).round().astype(int))]
    table = {"time": [wording.duration(day, study.report_unit) for day in days]}
    level = {}
    for arm, line in lines.items():
        at = np.searchsorted(line["day"].to_numpy(float), days, side="right") - 1
        level[arm] = line["value"].to_numpy(float)[at]
        table[f"log(-log S), {arm}"] = level[arm]
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    table["ratio of cumulative hazards"] = np.exp(level[other] - level[study.reference])
    return pd.DataFrame(table)


def _log_axis(axes: Axes, lines: dict[str, pd.DataFrame], unit: str, origin: str) -> None:
    days = pd.concat([line["day"] for line in lines.values()]).astype(float)
    if days.empty:
        axes.text(0.5, 0.5, "no event between day 0 and a survival of 0", transform=axes.transAxes, ha="center")
        return
    low, high = (float(x) for x in shown([days.min(), days.max()], unit))
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, high * 1.15)
    ticks = [step * 10.0**power for power in range(-4, 6) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low / 1.1 <= tick <= high * 1.1]
    ticks = ticks[::2] if len(ticks) > 7 else ticks
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel=f"{unit}s from {origin} (log scale)", ylabel="log(-log S)")


def _draw_residuals(axes: Axes, residuals: pd.DataFrame, ratio: pd.Series, study: Study) -> None:
    colours, log_ratio = style.arm_colours(study), math.log(ratio["value"])
    axes.axhline(0, color=style.GREY, linewidth=0.7)
    axes.axhline(log_ratio, color=style.INK, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.axhspan(math.log(ratio["lower"]), math.log(ratio["upper"]), color=style.LIGHT, alpha=0.45, linewidth=0,
                 zorder=0)
    for arm, mine in residuals.groupby("arm", sort=False):
        axes.plot(mine["clock"], mine["scaled"], linestyle="none", marker=SHAPES[arm != study.reference],
                  markersize=4 if len(residuals) <= MANY else 1.5, color=colours[arm], markeredgewidth=0.8, alpha=0.75)
    smooth = residuals.drop_duplicates("clock").dropna(subset=["smooth"])
    axes.plot(smooth["clock"], smooth["smooth"], color=style.INK, linewidth=1.6)
    axes.set_ylabel(f"log hazard ratio, {study.contrast}")


def _clock_axis(axes: Axes, residuals: pd.DataFrame, unit: str, origin: str) -> None:
    events = residuals.drop_duplicates("clock")
    width, ticks = max(np.ptp(events["clock"]), 1e-9), []
    for row in events.itertuples():
        words = f"{float(f'{units.from_days(row.time, unit):.2g}'):g}"
        if not ticks or (row.clock - ticks[-1][0]) / width >= LETTER * ((len(words) + len(ticks[-1][1])) / 2 + 1.5):
            ticks.append((row.clock, words))
    axes.set_xticks([at for at, _ in ticks], [words for _, words in ticks])
    axes.set_xlabel(f"{unit}s from {origin}, at events")


def _legend(figure: Figure, study: Study, arms: list[str], residuals: pd.DataFrame) -> None:
    labels = {arm.key: "\n".join(textwrap.wrap(arm.label, 45)) for arm in study.arms}
    handles = [Line2D([], [], label=labels[arm], marker=SHAPES[arm != study.reference], markersize=4,
                      **line_look(study, arm, number)) for number, arm in enumerate(arms)]
    handles.append(Line2D([], [], color=style.INK, linewidth=0.9, linestyle=(0, (4, 2)),
                          label="one hazard ratio for all times, 95% CI shaded"))
    if residuals["smooth"].notna().any():
        handles.append(Line2D([], [], color=style.INK, linewidth=1.6, label="smooth of the residuals"))
    else:
        handles.append(Line2D([], [], linestyle="none", label="too few event times for a smooth"))
    figure.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=2.8, columnspacing=2.0)


def _plotted(lines: dict, groups: dict, residuals: pd.DataFrame, ratio: pd.Series, study: Study) -> pd.DataFrame:
    points = residuals.drop(columns=["residual", "smooth"]).rename(columns={"time": "day", "scaled": "value"})
    smooth = residuals.drop_duplicates("clock").dropna(subset=["smooth"])
    smooth = smooth.rename(columns={"time": "day"})[["day", "clock", "smooth"]].rename(columns={"smooth": "value"})
    pale = pd.DataFrame([{"part": "pale from", "arm": arm, "day": scarce_from(group)} for arm, group in groups.items()])
    level = pd.DataFrame([{"part": "log hazard ratio", "arm": study.contrast,
                           **{name: math.log(ratio[name]) for name in ("value", "lower", "upper")}}])
    parts = [*(line.assign(part="log-log", arm=arm) for arm, line in lines.items()), pale,
             points.assign(part="residual"), smooth.assign(part="smooth"), level]
    return pd.concat([part.dropna(axis=1, how="all") for part in parts if len(part)],
                     ignore_index=True).reindex(columns=COLUMNS)
