"""Figures of laboratory toxicity: courses over grade bands, shifts from baseline to worst grade, liver peaks."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from remission import ctcae
from remission.adam.adlb import GRADE_COLUMN
from remission.figures import style
from remission.study import DAYS, Study

#: Fill of each grade's band: lighter to darker with severity, in colour and in grey.
BANDS = {1: "#F4F4F4", 2: "#E2E2E2", 3: "#F3CE9F", 4: "#DE9B6C"}
#: Patients of an arm whose lines are drawn; beyond it the first by identifier, which the figure says.
MOST = 200
#: Markers of arms where two arms share a panel.
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
LEVELS = ["grade0", "grade1", "grade2", "grade3", "grade4", "unknown"]
SHORT = {name: name.removeprefix("grade").replace("unknown", "?") for name in LEVELS}


def trajectories(adlb: pd.DataFrame, study: Study, tests: tuple[str, ...],
                 version: str | None = None) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every patient's values under treatment over the grade bands, a row of panels a test, a column an arm.

    Parameters
    ----------
    adlb : DataFrame
    study : Study
    tests : tuple of str
        Such as a value of `ctcae.GROUPS`; those without a value are left out.
    version : str, optional
        Version of the criteria; the study's when omitted.

    Returns
    -------
    figure : Figure or None
        None without a value of these tests.
    plotted : DataFrame
        USUBJID, TRT01A, PARAMCD, ADY, y (value; multiple of the upper limit of normal where the criteria rest on it),
        grade: baseline and values under treatment; then rows of kind `band` with grade, low and high of each band.

    Notes
    -----
    Counts are drawn as values, tests of liver and kidney as multiples of each laboratory's own upper limit. Bands are
    those of a baseline that is not high; grade 1 of a count has a band where all laboratories share one lower limit.
    """
    version = version or study.ctcae_version
    points = _points(adlb, tests, version)
    shown = [test for test in tests if (points["PARAMCD"] == test).any()]
    arms = [arm for arm in study.arm_keys if (points["TRT01A"] == arm).any()]
    if not shown or not arms:
        return None, points
    bands = pd.concat([_bands(points[points["PARAMCD"] == test], test, version) for test in shown], ignore_index=True)
    drawn = _first(points, MOST)
    with style.style():
        figure, axes = plt.subplots(len(shown), len(arms), figsize=(style.DOUBLE, 0.95 + 1.42 * len(shown)),
                                    sharex=True, sharey="row", squeeze=False)
        seen: set[int] = set()
        for row, test in enumerate(shown):
            for column, arm in enumerate(arms):
                mine = drawn[(drawn["PARAMCD"] == test) & (drawn["TRT01A"] == arm)]
                _panel(axes[row][column], mine, bands[bands["PARAMCD"] == test], study, arm)
            _scale(axes[row][0], points[points["PARAMCD"] == test], bands[bands["PARAMCD"] == test], test)
            seen |= _numbers(axes[row][-1], bands[bands["PARAMCD"] == test])
        for column, arm in enumerate(arms):
            count = drawn.loc[drawn["TRT01A"] == arm, "USUBJID"].nunique()
            axes[0][column].set_title(f"{arm} (n = {count})", color=style.arm_colours(study)[arm])
            _time(axes[-1][column], points, study)
        figure.align_ylabels(axes[:, 0])
        figure.legend(handles=_keys(seen, drawn), loc="outside upper left", ncols=7)
        style.footer(figure, study, _note(points, drawn, bands, shown, version))
    return figure, pd.concat([drawn.assign(kind="value"), bands.assign(kind="band")], ignore_index=True)


def _points(adlb: pd.DataFrame, tests: tuple[str, ...], version: str) -> pd.DataFrame:
    rows = adlb[adlb["PARAMCD"].isin(tests) & ((adlb["TRTEMFL"] == "Y") | (adlb["ABLFL"] == "Y"))]
    limit = rows["ANRHI"].astype(float)
    value = rows["AVAL"].astype(float)
    y = value.where(rows["PARAMCD"].isin(ctcae.CYTOPENIA), value / limit.where(limit > 0))
    made = rows[["USUBJID", "TRT01A", "PARAMCD", "ADY"]].assign(
        y=y, grade=rows[GRADE_COLUMN[version]].astype(float), limit=rows["ANRLO"].astype(float))
    order = {test: number for number, test in enumerate(tests)}
    return made.dropna(subset=["y"]).sort_values(
        ["PARAMCD", "USUBJID", "ADY"], key=lambda column: column.map(order).fillna(column)).reset_index(drop=True)


def _first(points: pd.DataFrame, most: int) -> pd.DataFrame:
    subjects = points[["TRT01A", "USUBJID"]].drop_duplicates().sort_values("USUBJID", kind="stable")
    kept = subjects.groupby("TRT01A").head(most)["USUBJID"]
    return points[points["USUBJID"].isin(kept)].drop(columns="limit").reset_index(drop=True)


def _bands(points: pd.DataFrame, test: str, version: str) -> pd.DataFrame:
    """Lower and upper edge of each grade in the units drawn; NaN is an open end."""
    rows = ctcae.criteria(version, test)
    rows = rows[rows["baseline"].isin(["any", "normal", "not low"]) & (rows["basis"] != "baseline")]
    limits = points["limit"].dropna().unique()
    lln = limits[0] if len(limits) == 1 and points["limit"].notna().all() else np.nan
    edge = (rows["cut"] * np.where(rows["basis"] == "lln", lln, 1.0)).to_numpy(float)
    found = pd.DataFrame({"grade": rows["grade"].to_numpy(float), "edge": edge}).dropna().sort_values("grade")
    following = [*found["edge"].tolist()[1:], np.nan]
    low = test in ctcae.CYTOPENIA
    found = found.assign(PARAMCD=test, low=following, high=found["edge"]) if low else found.assign(
        PARAMCD=test, low=found["edge"], high=following)
    return found[["PARAMCD", "grade", "low", "high"]]


def _panel(axis: Axes, rows: pd.DataFrame, bands: pd.DataFrame, study: Study, arm: str) -> None:
    for band in bands.itertuples():
        low = 1e-9 if np.isnan(band.low) else band.low
        axis.axhspan(low, 1e9 if np.isnan(band.high) else band.high, color=BANDS[int(band.grade)], lw=0, zorder=0)
    years = rows["ADY"].astype(float) / DAYS[study.report_unit]
    lines = [np.column_stack([years[group.index], group["y"]]) for _, group in rows.groupby("USUBJID", sort=False)]
    axis.add_collection(LineCollection(lines, colors=style.arm_colours(study)[arm], linewidths=0.6, alpha=0.65))
    bad = rows[rows["grade"] >= 3]
    axis.scatter(years[bad.index], bad["y"], s=16, zorder=4, facecolors="white", edgecolors="black", linewidths=0.9,
                 clip_on=False)


def _scale(axis: Axes, points: pd.DataFrame, bands: pd.DataFrame, test: str) -> None:
    low, edges = test in ctcae.CYTOPENIA, pd.concat([bands["low"], bands["high"]]).dropna()
    values = points["y"]
    # A band that nobody comes near would squeeze the lines: show the next band beyond the worst value, not all of them.
    worst = values.min() if low else values.max()
    beyond = edges[edges < worst] if low else edges[edges > worst]
    limit = (beyond.max() if low else beyond.min()) if len(beyond) else worst
    bottom, top = (min(limit, worst), values.max()) if low else (values.min(), max(limit, worst))
    if test == "HB":
        axis.set_ylim(bottom - 0.7, top + 0.4)
        axis.yaxis.set_major_locator(FixedLocator([6, 8, 10, 12, 14, 16, 18]))
    else:
        axis.set_yscale("log")
        axis.set_ylim(bottom / 1.35, top * 1.15)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < 100 * bottom else (1,)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    unit = {"HB": "g/dL"}.get(test, "10⁹/L") if low else "x ULN"
    axis.set_ylabel(f"{ctcae.LABELS[test]}\n({unit})")


def _time(axis: Axes, points: pd.DataFrame, study: Study) -> None:
    """Square-root time: visits are dense in the first months, and few patients are left at the end."""
    days = points["ADY"].astype(float) / DAYS[study.report_unit]
    axis.set_xscale("function", functions=(lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: np.sign(x) * x * x))
    last = max(float(days.max()), 1e-3)
    axis.set_xlim(min(float(days.min()), 0.0), last * 1.02)
    steps = np.array([0.25, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 150, 200, 300, 500, 1000, 2000, 5000, 10000])
    ticks = steps[(steps <= last) & (steps >= last / 50)]
    kept = [0.0]
    for tick in ticks:
        if np.sqrt(tick) - np.sqrt(kept[-1]) > 0.08 * np.sqrt(last):
            kept.append(tick)
    axis.xaxis.set_major_locator(FixedLocator(kept))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_xlabel(f"{study.report_unit}s from {study.origin_label}\n(square-root scale)")


def _numbers(axis: Axes, bands: pd.DataFrame) -> set[int]:
    """Write each visible band's grade at its right edge; which bands are visible."""
    bottom, top = axis.get_ylim()
    seen = set()
    for band in bands.itertuples():
        low, high = max(bottom, np.nan_to_num(band.low, nan=bottom)), min(top, np.nan_to_num(band.high, nan=top))
        if low < high:
            seen.add(int(band.grade))
            middle = np.sqrt(low * high) if axis.get_yscale() == "log" else (low + high) / 2
            axis.text(1.012, middle, f"{band.grade:.0f}", transform=axis.get_yaxis_transform(), va="center",
                      fontsize=6.5, color=style.GREY)
    return seen


def _keys(seen: set[int], drawn: pd.DataFrame) -> list:
    keys = [Patch(facecolor=colour, edgecolor=style.GREY, lw=0.4, label=f"grade {grade}")
            for grade, colour in BANDS.items() if grade in seen]
    if (drawn["grade"] >= 3).any():
        keys.append(Line2D([], [], marker="o", mfc="white", mec="black", ls="", ms=4, label="value of grade 3 or 4"))
    return keys


def _note(points: pd.DataFrame, drawn: pd.DataFrame, bands: pd.DataFrame, tests: list[str], version: str) -> str:
    said = [f"CTCAE {version}; baseline and values under treatment, a line a patient."]
    rows = ctcae.criteria(version)
    relative = [ctcae.LABELS[test] for test in tests
                if (rows.loc[rows["test"] == test, "basis"] == "baseline").any()]
    if relative:
        said.append(f"Grades of {', '.join(relative)} may also rest on the baseline; bands do not show it.")
    without = [ctcae.LABELS[test] for test in tests if not (bands.loc[bands["PARAMCD"] == test, "grade"] == 1).any()]
    if without:
        said.append(f"Limits of normal differ: no band of grade 1 for {', '.join(without)}.")
    if drawn["USUBJID"].nunique() < points["USUBJID"].nunique():
        said.append(f"First {MOST} patients of an arm.")
    return "\n" + textwrap.fill(" ".join(said), 125)


def shift_matrix(table: pd.DataFrame, study: Study, tests: tuple[str, ...]) -> tuple[Figure | None, pd.DataFrame]:
    """Draw patients by baseline grade and worst grade, a column of panels a test, a row an arm.

    Parameters
    ----------
    table : DataFrame
        From `shift.shift_totals`.
    study : Study
    tests : tuple of str
        Those without a row are left out.

    Returns
    -------
    figure : Figure or None
        None without these tests.
    plotted : DataFrame
        PARAMCD, TRT01A, baseline, worst, patients, percent (of the arm): every cell, empty ones included.
    """
    cells = table[table["PARAMCD"].isin(tests) & (table["baseline"] != "total")]
    plotted = cells.melt(["PARAMCD", "TRT01A", "baseline"], LEVELS, "worst", "patients")
    whole = plotted.groupby(["PARAMCD", "TRT01A"])["patients"].transform("sum")
    plotted["percent"] = 100 * plotted["patients"] / whole
    shown = [test for test in tests if (plotted["PARAMCD"] == test).any()]
    arms = [arm for arm in study.arm_keys if (plotted["TRT01A"] == arm).any()]
    if not shown or not arms:
        return None, plotted
    names = LEVELS if (plotted.loc[(plotted["baseline"] == "unknown") | (plotted["worst"] == "unknown"),
                                   "patients"] > 0).any() else LEVELS[:-1]
    with style.style():
        width = style.DOUBLE if len(shown) > 2 else style.SINGLE
        figure, axes = plt.subplots(len(arms), len(shown), sharex=True, sharey=True, squeeze=False,
                                    figsize=(width, 0.85 + len(arms) * (0.08 + 0.86 * width / max(len(shown), 2.6))))
        for row, arm in enumerate(arms):
            for column, test in enumerate(shown):
                mine = plotted[(plotted["PARAMCD"] == test) & (plotted["TRT01A"] == arm)]
                _matrix(axes[row][column], mine.set_index(["baseline", "worst"]), names, style.arm_colours(study)[arm])
                if row == 0:
                    axes[row][column].set_title(ctcae.LABELS[test])
            axes[row][0].set_ylabel(f"{arm} (N = {mine['patients'].sum()})\nworst grade", color=style.INK)
        for axis in axes[-1]:
            axis.set_xlabel("baseline grade")
        note = f"Patients, CTCAE {study.ctcae_version}. Inside the frame: worse under treatment than at baseline."
        note += " ?: grade unknown." if "unknown" in names else ""
        style.footer(figure, study, "\n" + textwrap.fill(note, int(17.5 * width)))
    return figure, plotted


def _matrix(axis: Axes, rows: pd.DataFrame, names: list[str], colour: str) -> None:
    for x, baseline in enumerate(names):
        for y, worst in enumerate(names):
            one = rows.loc[(baseline, worst)]
            share = one["percent"] / 100
            if one["patients"]:
                axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, alpha=0.12 + 0.88 * share, lw=0))
                axis.text(x, y, f"{one['patients']:.0f}", ha="center", va="center", fontsize=7.5,
                          color="white" if share > 0.62 else style.INK)
    axis.set(xlim=(-0.5, len(names) - 0.5), ylim=(-0.5, len(names) - 0.5), aspect="equal",
             xticks=range(len(names)), yticks=range(len(names)))
    axis.set_xticklabels([SHORT[name] for name in names])
    axis.set_yticklabels([SHORT[name] for name in names])
    edges = np.arange(-0.5, len(names))
    axis.vlines(edges, -0.5, len(names) - 0.5, color=style.LIGHT, lw=0.4, zorder=0)
    axis.hlines(edges, -0.5, len(names) - 0.5, color=style.LIGHT, lw=0.4, zorder=0)
    stairs = [(-0.5, 4.5), (-0.5, 0.5), (0.5, 0.5), (0.5, 1.5), (1.5, 1.5), (1.5, 2.5), (2.5, 2.5), (2.5, 3.5),
              (3.5, 3.5), (3.5, 4.5), (-0.5, 4.5)]
    axis.plot(*zip(*stairs, strict=True), color="black", lw=0.9, zorder=3, clip_on=False)


def liver_peaks(peak: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw each patient's highest aminotransferase against the highest bilirubin under treatment.

    Parameters
    ----------
    peak : DataFrame
        From `liver.peaks`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None when no patient has both.
    plotted : DataFrame
        USUBJID, TRT01A, AMINO, BILI (x ULN), quarter.
    """
    plotted = peak[["USUBJID", "TRT01A", "AMINO", "BILI", "quarter"]].dropna(subset=["AMINO", "BILI"])
    plotted = plotted.reset_index(drop=True)
    if plotted.empty:
        return None, plotted
    arms = [arm for arm in study.arm_keys if (plotted["TRT01A"] == arm).any()]
    with style.style():
        figure, axis = plt.subplots(figsize=(style.SINGLE + 0.4, 3.4))
        for number, arm in enumerate(arms):
            mine = plotted[plotted["TRT01A"] == arm]
            axis.scatter(mine["AMINO"], mine["BILI"], s=20, marker=MARKERS[number % len(MARKERS)], linewidths=0.9,
                         facecolors=style.arm_colours(study)[arm] if number == 0 else "none",
                         edgecolors=style.arm_colours(study)[arm], label=f"{arm} (n = {len(mine)})", zorder=3)
        axis.axvline(3, color=style.GREY, lw=0.8, ls=(0, (4, 2)))
        axis.axhline(2, color=style.GREY, lw=0.8, ls=(0, (4, 2)))
        axis.set(xscale="log", yscale="log", xlabel="highest ALT or AST (x ULN)", ylabel="highest bilirubin (x ULN)")
        axis.set_xlim(min(0.3, plotted["AMINO"].min() / 1.2), max(10, plotted["AMINO"].max() * 1.3))
        axis.set_ylim(min(0.2, plotted["BILI"].min() / 1.2), max(5, plotted["BILI"].max() * 1.3))
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            side.set_minor_locator(NullLocator())
            side.set_major_formatter(lambda value, _: f"{value:g}")
        both = int((plotted["quarter"] == "both").sum())
        axis.text(0.985, 0.975, f"both: {both}", transform=axis.transAxes, ha="right", va="top", fontsize=7,
                  color=style.GREY)
        figure.legend(loc="outside upper left", ncols=min(len(arms), 3), handletextpad=0.1)
        style.footer(figure, study, "\nUnder treatment, on any days. Dashed: 3 x and 2 x ULN.")
    return figure, plotted
