"""Figures of toxicity and dose delivery."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullLocator

from remission import ctcae
from remission.figures import style
from remission.study import DAYS, Study

#: Colour of each grade, darker with severity so that grey prints keep the order.
GRADES = {"grade1": "#DCE6F1", "grade2": "#A5C3E0", "grade3": "#E08A00", "grade4": "#A63C00", "grade5": "#2B0A00"}
#: Weeks with a dose, or with a break in it: colour by share of the planned weekly dose.
STATES = {"interrupted": "#000000", "up to a third of plan": "#DEEBF7", "up to two thirds of plan": "#9ECAE1",
          "below plan": "#5BA3D0", "plan or more": "#2171B5"}
#: Weeks of maintenance without the drug: a line in place of a band.
LINES = {"not begun": (0, (1, 1.5)), "stopped, maintenance goes on": "-"}
#: Marker of each reason that is worth a mark; escalations show by colour.
REASONS = {"adverse event": ("v", "#D55E00"), "patient wish": ("o", "#CC79A7"), "relapse": ("X", "#E69F00"),
           "death": ("P", "#009E73"), "end of treatment": ("|", "#555555")}
#: Rows up to which every patient is named on the axis.
NAMED = 60
TESTS = {"ANC": "Neutrophils (10⁹/L)", "PLT": "Platelets (10⁹/L)", "HB": "Haemoglobin (g/dL)",
         "WBC": "Leukocytes (10⁹/L)"}


def adverse_events(table: pd.DataFrame, study: Study, most: int = 20) -> tuple[Figure | None, pd.DataFrame]:
    """Draw each term's worst grades as stacked bars, in % of each arm's patients.

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
        None without events.
    plotted : DataFrame
        AEDECOD, TRT01A, N, any, grade1 to grade5, unknown, any_pct.
    """
    columns = ["AEDECOD", "TRT01A", "N", "any", *GRADES, "unknown"]
    if table.empty:
        return None, pd.DataFrame(columns=columns)
    terms = table["AEDECOD"].drop_duplicates().head(most).tolist()
    plotted = table.loc[table["AEDECOD"].isin(terms), [*columns, "any_pct"]].reset_index(drop=True)
    arms = [arm for arm in study.arm_keys if (plotted["TRT01A"] == arm).any()]
    with style.style():
        figure, axes = plt.subplots(1, len(arms), figsize=(style.DOUBLE, 0.95 + 0.2 * len(terms)), sharey=True,
                                    squeeze=False)
        for axis, arm in zip(axes[0], arms, strict=True):
            _grade_bars(axis, plotted[plotted["TRT01A"] == arm].set_index("AEDECOD").loc[terms])
            count = plotted.loc[plotted["TRT01A"] == arm, "N"].iloc[0]
            axis.set_title(f"{arm} (N = {count})", color=style.arm_colours(study)[arm])
        axes[0][0].set_yticks(range(len(terms)), terms)
        axes[0][0].set_ylim(len(terms) - 0.4, -0.6)
        keys = [Patch(facecolor=colour, edgecolor=style.GREY, lw=0.4, label=name.replace("grade", "grade "))
                for name, colour in GRADES.items()]
        keys.append(Patch(facecolor="white", edgecolor=style.GREY, hatch="////", lw=0.4, label="grade unknown"))
        figure.legend(handles=keys, loc="outside upper right", ncols=6)
        style.footer(figure, study, "\nPatients once a term, at worst grade; n (n at grade 3 or worse). Arms are "
                                    "not compared.")
    return figure, plotted


def _grade_bars(axis: Axes, rows: pd.DataFrame) -> None:
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


def dose_segments(adexwk: pd.DataFrame, adex: pd.DataFrame, drug: str) -> pd.DataFrame:
    """Weeks of one drug as stretches of equal state.

    Parameters
    ----------
    adexwk, adex : DataFrame
    drug : str

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, first, last (weeks, inclusive), state (a key of `STATES` or `LINES`), percent (of the planned
        weekly dose, mean over the stretch).
    """
    weeks = adexwk[adexwk["EXDRUG"] == drug].astype({"WEEK": int})
    spans = adex[adex["EXDRUG"] == drug].set_index("USUBJID")[["STDY", "ENDY", "MTDAYS"]].astype(float)
    starts, ends = (weeks["USUBJID"].map(spans[column] // 7 + 1) for column in ("STDY", "ENDY"))
    # The last week of maintenance is seldom whole: its plan is for its own days.
    days = (weeks["USUBJID"].map(spans["MTDAYS"]) - 7 * (weeks["WEEK"] - 1)).clip(upper=7)
    share = (weeks["WKDOSE"] / (weeks["PLANWK"] * days / 7)).astype(float)
    zero = weeks["WKDOSE"] <= 0
    weeks["state"] = np.select(
        [zero & (starts.isna() | (weeks["WEEK"] < starts)), zero & (weeks["WEEK"] > ends), zero, share < 0.34,
         share < 0.67, share < 0.995],
        ["not begun", "stopped, maintenance goes on", "interrupted", "up to a third of plan",
         "up to two thirds of plan", "below plan"], default="plan or more")
    weeks["percent"] = 100 * share
    fresh = weeks[["USUBJID", "state"]].ne(weeks[["USUBJID", "state"]].shift()).any(axis=1)
    made = weeks.groupby(fresh.cumsum()).agg(
        USUBJID=("USUBJID", "first"), TRT01A=("TRT01A", "first"), first=("WEEK", "min"), last=("WEEK", "max"),
        state=("state", "first"), percent=("percent", "mean"))
    return made.reset_index(drop=True)


def dose_heatmap(adexwk: pd.DataFrame, adex: pd.DataFrame, study: Study,
                 drug: str) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the dose of one drug, patient by week, with the reasons of reductions and stops.

    Parameters
    ----------
    adexwk, adex : DataFrame
    study : Study
    drug : str

    Returns
    -------
    figure : Figure or None
        None when the drug was never planned or recorded, or has no plan to be read against.
    plotted : DataFrame
        From `dose_segments`, with `reason` where the stretch holds a marked change.
    """
    weeks = adexwk[adexwk["EXDRUG"] == drug]
    if weeks.empty or weeks["PLANWK"].isna().all():
        return None, pd.DataFrame(columns=["USUBJID", "TRT01A", "first", "last", "state", "percent", "reason"])
    segments = dose_segments(adexwk, adex, drug)
    order = segments.groupby(["TRT01A", "USUBJID"], as_index=False)["last"].max()
    order["arm"] = order["TRT01A"].map({arm: number for number, arm in enumerate(study.arm_keys)})
    order = order.sort_values(["arm", "last", "USUBJID"], ascending=[True, False, True]).reset_index(drop=True)
    row = pd.Series(order.index, index=order["USUBJID"])
    grid = np.full((len(order), int(segments["last"].max())), np.nan)
    codes = {state: number for number, state in enumerate(STATES)}
    for one in segments.itertuples():
        grid[row[one.USUBJID], one.first - 1:one.last] = codes.get(one.state, np.nan)
    marks = weeks.dropna(subset=["REASON"]).assign(REASON=lambda frame: frame["REASON"].str.split("; "))
    marks = marks.explode("REASON")
    marks = marks[marks["REASON"].isin(REASONS)]
    with style.style():
        height = 1.25 + min(0.17 * len(order), 7)
        figure, axis = plt.subplots(figsize=(style.DOUBLE, height))
        _heat(axis, grid, order, study)
        for state, dashes in LINES.items():
            without = segments[segments["state"] == state]
            axis.hlines(without["USUBJID"].map(row), without["first"] - 1, without["last"], color=style.GREY, lw=1.2,
                        linestyles=[dashes])
        for reason, (marker, colour) in REASONS.items():
            here = marks[marks["REASON"] == reason]
            edge = {"linewidths": 1.6} if marker == "|" else {"linewidths": 0.5, "edgecolors": "white"}
            axis.scatter(here["WEEK"] - 0.5, here["USUBJID"].map(row), s=24, marker=marker, color=colour, zorder=3,
                         clip_on=False, **edge)
        _heat_legend(figure, segments["state"], marks["REASON"])
        axis.set_title(f"{drug}: dose week by week")
        style.footer(figure, study, "\nShare of the planned weekly dose at target. Blank: maintenance has ended.")
    joined = segments.merge(marks[["USUBJID", "WEEK", "REASON"]], on="USUBJID", how="left")
    joined = joined[joined["WEEK"].between(joined["first"], joined["last"])]
    reasons = joined.groupby(["USUBJID", "first"])["REASON"].agg("; ".join).rename("reason").reset_index()
    return figure, segments.merge(reasons, on=["USUBJID", "first"], how="left", validate="one_to_one")


def _heat(axis: Axes, grid: np.ndarray, order: pd.DataFrame, study: Study) -> None:
    axis.imshow(grid, aspect="auto", interpolation="nearest", cmap=ListedColormap(list(STATES.values())), vmin=-0.5,
                vmax=len(STATES) - 0.5, extent=(0, grid.shape[1], len(order) - 0.5, -0.5))
    if len(order) <= NAMED:
        axis.set_yticks(range(len(order)), order["USUBJID"], fontsize=6)
        for label, arm in zip(axis.get_yticklabels(), order["TRT01A"], strict=True):
            label.set_color(style.arm_colours(study)[arm])
        for edge in range(1, len(order)):
            axis.axhline(edge - 0.5, color="white", lw=0.8)
    else:
        axis.set_ylabel("patients")
    for number, arm in enumerate(study.arm_keys):
        rows = order.index[order["TRT01A"] == arm]
        if len(rows):
            axis.text(1.008, rows.to_numpy().mean(), f"{arm}\n(n = {len(rows)})", va="center", rotation=90,
                      transform=axis.get_yaxis_transform(), color=style.arm_colours(study)[arm], ha="left", fontsize=7)
            if number and rows.min() > 0:
                axis.axhline(rows.min() - 0.5, color=style.GREY, lw=1)
    axis.set_xlabel(f"weeks from {study.origin_label}")


def _heat_legend(figure: Figure, states: pd.Series, reasons: pd.Series) -> None:
    keys = [Patch(facecolor=colour, edgecolor=style.GREY, lw=0.4, label=state) for state, colour in STATES.items()
            if (states == state).any()]
    keys += [Line2D([], [], color=style.GREY, lw=1.2, ls=dashes, label=state) for state, dashes in LINES.items()
             if (states == state).any()]
    keys += [Line2D([], [], marker=marker, color=colour, ls="", ms=5, mec=colour if marker == "|" else "white", mew=0.5
                    if marker != "|" else 1.6, label=reason) for reason, (marker, colour) in REASONS.items()
             if (reasons == reason).any()]
    figure.legend(handles=keys, loc="outside upper left", ncols=4, fontsize=6.5)


def blood_counts(adlb: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every patient's blood counts under treatment over the grade bands of the study's CTCAE version.

    Parameters
    ----------
    adlb : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None without blood counts.
    plotted : DataFrame
        USUBJID, TRT01A, PARAMCD, ADY, AVAL, ATOXGR: baseline and values under treatment.
    """
    shown = adlb[adlb["PARAMCD"].isin(TESTS) & ((adlb["TRTEMFL"] == "Y") | (adlb["ABLFL"] == "Y"))]
    plotted = shown[["USUBJID", "TRT01A", "PARAMCD", "ADY", "AVAL", "ATOXGR"]].reset_index(drop=True)
    plotted["AVAL"] = plotted["AVAL"].astype(float)
    if plotted.empty:
        return None, plotted
    colours = style.arm_colours(study)
    with style.style():
        figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 5.0), sharex=True)
        for axis, (test, label) in zip(axes.flat, TESTS.items(), strict=True):
            rows = plotted[plotted["PARAMCD"] == test]
            if rows.empty:
                axis.set_visible(False)
                continue
            _grade_bands(axis, test, study.ctcae_version, rows["AVAL"])
            time = rows["ADY"].astype(float) / DAYS[study.report_unit]
            sns.lineplot(rows.assign(time=time), x="time", y="AVAL", hue="TRT01A", units="USUBJID", estimator=None,
                         palette=colours, lw=0.6, alpha=0.55, legend=False, ax=axis)
            axis.set(xlabel="", ylabel="")
            bad = rows[rows["ATOXGR"] >= 3]
            axis.scatter(bad["ADY"].astype(float) / DAYS[study.report_unit], bad["AVAL"], s=14, zorder=4,
                         facecolors="none", edgecolors="black", linewidths=0.8)
            axis.set_title(label)
        for axis in axes[1]:
            axis.set_xlabel(f"{study.report_unit}s from {study.origin_label}")
        keys = [Line2D([], [], color=colours[arm], lw=1.2, label=arm) for arm in study.arm_keys
                if (plotted["TRT01A"] == arm).any()]
        keys.append(Line2D([], [], marker="o", mfc="none", mec="black", ls="", ms=4, label="grade 3 or worse"))
        figure.legend(handles=keys, loc="outside upper right", ncols=len(keys))
        style.footer(figure, study, f"\nBands: grades 2 to 4 of CTCAE {study.ctcae_version}; grade 1 begins at each "
                                    "laboratory's own limit.")
    return figure, plotted


def _grade_bands(axis: Axes, test: str, version: str, values: pd.Series) -> None:
    cuts = ctcae.criteria(version, test).query("basis == 'value'").sort_values("grade")
    bottom = max(min(values.min(), cuts["cut"].min()) * 0.8, 0.01)
    edges = [*cuts["cut"], bottom if test != "HB" else min(bottom, cuts["cut"].min() - 1)]
    for grade, top, low in zip(cuts["grade"], edges[:-1], edges[1:], strict=True):
        axis.axhspan(low, top, color=GRADES[f"grade{grade}"], alpha=0.55, lw=0, zorder=0)
        axis.text(1.0, top, f" {grade}", transform=axis.get_yaxis_transform(), va="top", fontsize=6.5, color=style.GREY)
    if test != "HB":
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_ylim(edges[-1], max(values.max(), cuts["cut"].max()) * 1.1)
