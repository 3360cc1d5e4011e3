"""Figures of dose delivery: week by week, persistence, first reduction, time to target, dose against relapse."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from remission import study as units
from remission.estimators import competing, curves
from remission.figures import style
from remission.figures.survival import line_look, scarce_from, shown, steps, tick_days, time_axis
from remission.study import Study
from remission.toxicity import courses, escalation, persistence, reductions

#: Weeks with a dose, or with a break in it: colour by share of the planned weekly dose.
STATES = {"interrupted": "#000000", "up to a third of plan": "#DEEBF7", "up to two thirds of plan": "#9ECAE1",
          "below plan": "#5BA3D0", "plan or more": "#2171B5"}
#: Weeks of maintenance without the drug: a line in place of a band.
LINES = {"not begun": (0, (1, 1.5)), "stopped, maintenance goes on": "-"}
#: Marker of each recorded reason, by shape alone: filled where the drug was stopped, open where it was lowered.
REASONS = {"adverse event": "v", "patient wish": "o", "relapse": "X", "death": "P", "end of treatment": "s",
           "other or not recorded": "D"}
LOWERED = ("reduced", "interrupted")
#: Rows up to which every patient is named on the axis.
NAMED = 60
#: With more patients than this, an even sample of them is drawn.
MOST = 600
#: Weeks of escalation that get a panel of their own beside the whole course.
FIRST_WEEKS = 26
#: Bands of what came first, from the bottom: dark to pale, so that grey prints keep the order.
BANDS = {courses.EVENT: "#0B4C86", courses.STOP: "#E69F00", courses.RELAPSE: "#BFBFBF", courses.DEATH: "#F0F0F0"}
HATCHES = {courses.EVENT: "", courses.STOP: "////", courses.RELAPSE: "", courses.DEATH: "...."}
#: Days to which the first reduction is drawn, in months: later, few are left to be reduced.
REDUCTION_MONTHS = 36


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


def marked_changes(adexst: pd.DataFrame, drug: str, last: pd.Series) -> pd.DataFrame:
    """Reductions, interruptions and stops of one drug, with the week in which they are drawn.

    Parameters
    ----------
    adexst : DataFrame
    drug : str
    last : Series of int
        Last week of maintenance by USUBJID; later changes are drawn in it.

    Returns
    -------
    DataFrame
        USUBJID, week, change, reason (a key of `REASONS`).
    """
    mine = adexst[(adexst["EXDRUG"] == drug) & adexst["CHANGE"].isin([*LOWERED, "stopped"])]
    mine = mine[mine["USUBJID"].isin(last.index)]
    week = (mine["CHANGEDY"].astype(float) // 7 + 1).clip(upper=mine["USUBJID"].map(last).astype(float))
    reason = mine["REASON"].where(mine["REASON"].isin(list(REASONS)), "other or not recorded")
    return pd.DataFrame({"USUBJID": mine["USUBJID"], "week": week.astype(int), "change": mine["CHANGE"],
                         "reason": reason}).reset_index(drop=True)


def dose_heatmap(adexwk: pd.DataFrame, adex: pd.DataFrame, adexst: pd.DataFrame, study: Study,
                 drug: str) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the dose of one drug, patient by week, with the reasons of reductions, interruptions and stops.

    Parameters
    ----------
    adexwk, adex, adexst : DataFrame
    study : Study
    drug : str

    Returns
    -------
    figure : Figure or None
        None when the drug was never planned or recorded, or has no plan to be read against.
    plotted : DataFrame
        `part` segment: from `dose_segments`; `part` change: from `marked_changes`, its week in `first` and `last`.
    """
    columns = ["part", "USUBJID", "TRT01A", "first", "last", "state", "percent", "change", "reason"]
    weeks = adexwk[adexwk["EXDRUG"] == drug]
    if weeks.empty or weeks["PLANWK"].isna().all():
        return None, pd.DataFrame(columns=columns)
    segments = dose_segments(adexwk, adex, drug)
    order = segments.groupby(["TRT01A", "USUBJID"], as_index=False)["last"].max()
    marks = marked_changes(adexst, drug, order.set_index("USUBJID")["last"])
    order["arm"] = order["TRT01A"].map({arm: number for number, arm in enumerate(study.arm_keys)})
    order = order.sort_values(["arm", "last", "USUBJID"], ascending=[True, False, True]).reset_index(drop=True)
    step, arms = -(-len(order) // MOST), order.set_index("USUBJID")["TRT01A"]
    order = order.iloc[::step].reset_index(drop=True)
    segments, marks = (part[part["USUBJID"].isin(order["USUBJID"])] for part in (segments, marks))
    row = pd.Series(order.index, index=order["USUBJID"])
    with style.style():
        long = order["last"].max() > 2 * FIRST_WEEKS
        figure, axes = plt.subplots(1, 2 if long else 1, figsize=(style.DOUBLE, 1.45 + min(0.17 * len(order), 7)),
                                    sharey=True, squeeze=False, width_ratios=[1, 1.6] if long else [1])
        for axis in axes[0]:
            _heat(axis, segments, order, row, study)
            _heat_marks(axis, marks, row)
            axis.set_xlim(0, 1.015 * order["last"].max())
        if long:
            axes[0, 0].set_xlim(0, FIRST_WEEKS)
            axes[0, 1].set_title("the whole course")
        _name_rows(axes[0, 0], axes[0, -1], order, arms.value_counts(), study)
        axes[0, 0].set_title(drug + (f", first {FIRST_WEEKS} weeks" if long else ""))
        _heat_legend(figure, segments["state"], marks)
        style.footer(figure, study, "\nShare of the planned weekly dose at target. Lowered: a lower dose or an "
                                    "interruption. Blank: all maintenance has ended."
                     + (f" One patient in {step} is drawn." if step > 1 else ""))
    changes = marks.assign(part="change", first=marks["week"], last=marks["week"],
                           TRT01A=marks["USUBJID"].map(arms)).drop(columns="week")
    parts = [part for part in (segments.assign(part="segment"), changes) if len(part)]
    return figure, pd.concat(parts, ignore_index=True).reindex(columns=columns)


def _heat(axis: Axes, segments: pd.DataFrame, order: pd.DataFrame, row: pd.Series, study: Study) -> None:
    grid = np.full((len(order), int(segments["last"].max())), np.nan)
    codes = {state: number for number, state in enumerate(STATES)}
    for one in segments.itertuples():
        grid[row[one.USUBJID], one.first - 1:one.last] = codes.get(one.state, np.nan)
    axis.imshow(grid, aspect="auto", interpolation="nearest", cmap=ListedColormap(list(STATES.values())), vmin=-0.5,
                vmax=len(STATES) - 0.5, extent=(0, grid.shape[1], len(order) - 0.5, -0.5))
    for state, dashes in LINES.items():
        without = segments[segments["state"] == state]
        axis.hlines(without["USUBJID"].map(row), without["first"] - 1, without["last"], color=style.GREY,
                    lw=1.2 if len(order) <= NAMED else 0.3, linestyles=[dashes])
    for edge in range(1, len(order)) if len(order) <= NAMED else ():
        axis.axhline(edge - 0.5, color="white", lw=0.8)
    for number, arm in enumerate(study.arm_keys):
        rows = order.index[order["TRT01A"] == arm]
        if len(rows) and number and rows.min() > 0:
            axis.axhline(rows.min() - 0.5, color=style.GREY, lw=1)
    axis.set_xlabel(f"weeks from {study.origin_label}")


def _name_rows(axis: Axes, right: Axes, order: pd.DataFrame, patients: pd.Series, study: Study) -> None:
    """Patients on the left of the first panel, arms on the right of the last."""
    if len(order) <= NAMED:
        axis.set_yticks(range(len(order)), order["USUBJID"], fontsize=6)
        for label, arm in zip(axis.get_yticklabels(), order["TRT01A"], strict=True):
            label.set_color(style.arm_colours(study)[arm])
    else:
        axis.set_ylabel("patients")
    for arm in study.arm_keys:
        rows = order.index[order["TRT01A"] == arm]
        if len(rows):
            label = f"{arm}\n(n = {patients[arm]})"
            right.text(1.02, rows.to_numpy().mean(), label, va="center", rotation=90, ha="left",
                       transform=right.get_yaxis_transform(), color=style.arm_colours(study)[arm], fontsize=7)


def _heat_marks(axis: Axes, marks: pd.DataFrame, row: pd.Series) -> None:
    size = 26 if len(row) <= NAMED else max(1.5, 400 / len(row))
    for (reason, change), here in marks.groupby(["reason", "change"]):
        axis.scatter(here["week"] - 0.5, here["USUBJID"].map(row), marker=REASONS[reason], zorder=3,
                     s=size if change == "stopped" else 0.85 * size, **_face(change))


def _face(change: str) -> dict:
    """Filled for a stop, open for a lower dose: told apart without colour."""
    return {"facecolors": "black", "edgecolors": "white", "linewidths": 0.6} if change == "stopped" else {
        "facecolors": "white", "edgecolors": "black", "linewidths": 0.9}


def _heat_legend(figure: Figure, states: pd.Series, marks: pd.DataFrame) -> None:
    keys = [Patch(facecolor=colour, edgecolor=style.GREY, lw=0.4, label=state) for state, colour in STATES.items()
            if (states == state).any()]
    keys += [Line2D([], [], color=style.GREY, lw=1.2, ls=dashes, label=state) for state, dashes in LINES.items()
             if (states == state).any()]
    for words, kinds in (("lowered", LOWERED), ("stopped", ("stopped",))):
        face = _face(kinds[0])
        keys += [Line2D([], [], marker=marker, ls="", ms=5, mfc=face["facecolors"], mec=face["edgecolors"],
                        mew=face["linewidths"], label=f"{words}: {reason}") for reason, marker in REASONS.items()
                 if (marks["change"].isin(kinds) & (marks["reason"] == reason)).any()]
    figure.legend(handles=keys, loc="outside upper left", ncols=4, fontsize=6.5)


def persistence_curves(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw how long patients stayed on each drug, a panel a drug, above the numbers at risk.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None without doses.
    plotted : DataFrame
        part (curve, or counts), drug, arm, reading (of `persistence.READINGS`), day, survival, lower, upper, at_risk.
    """
    names = ["part", "drug", "arm", "reading", "day", "survival", "lower", "upper", "at_risk"]
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for drug, _, arm, course in courses.groups(adexst, adsl, study):
        found.setdefault(drug, {})[arm] = course
    if not found:
        return None, pd.DataFrame(columns=names)
    longest = max(persistence.any_end(course)["time"].max() for arms in found.values() for course in arms.values())
    ticks, plotted = tick_days(longest, study.report_unit, most=6), []
    most = max(map(len, found.values()))
    with style.style():
        figure, grid = plt.subplots(2, len(found), figsize=(style.DOUBLE, 3.3 + 0.2 * most), squeeze=False,
                                    sharex=True, sharey="row", height_ratios=[1, 0.05 + 0.08 * most])
        for column, (drug, arms) in enumerate(found.items()):
            for arm, course in arms.items():
                look = line_look(study, arm, study.arm_keys.index(arm))
                whole, own = persistence.any_end(course), persistence.own_stop(course)
                for reading, data in (("on drug", whole), ("censored", own)):
                    line = _from_one(curves.kaplan_meier(data), len(data))
                    plotted.append(line.assign(part="curve", drug=drug, arm=arm, reading=reading))
                    if reading == "on drug":
                        steps(grid[0, column], line, "survival", scarce_from(data), look, study.report_unit)
                    else:
                        grid[0, column].step(shown(line["day"], study.report_unit), line["survival"], where="post",
                                             color=look["color"], linewidth=0.9, linestyle=(0, (1, 1.2)))
                counts = curves.counts_at(whole, ticks).rename(columns={"time": "day"})
                plotted.append(counts.assign(part="counts", drug=drug, arm=arm, reading="on drug"))
            _panel(grid[0, column], ticks, study, f"time on {drug}")
            grid[0, column].set_xlim(0, 1.03 * shown([longest], study.report_unit)[0])
            _at_risk(grid[1, column], plotted, drug, list(arms), study, labels=column == 0)
        grid[0, 0].set(ylabel="share still on the drug", ylim=(0, 1.02))
        arms = [arm for arm in study.arm_keys if any(arm in those for those in found.values())]
        handles = [Line2D([], [], label=arm, **line_look(study, arm, study.arm_keys.index(arm))) for arm in arms]
        handles.append(Line2D([], [], color=style.GREY, linewidth=0.9, linestyle=(0, (1, 1.2)),
                              label="relapse and death censored"))
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), handlelength=2.6)
        style.footer(figure, study, "\nLines with bands (pointwise 95%): every end counts, relapse and death included. "
                                    "Pale: fewer than 5 on the drug.")
    return figure, pd.concat(plotted, ignore_index=True).reindex(columns=names)


def _from_one(curve: pd.DataFrame, patients: int) -> pd.DataFrame:
    start = pd.DataFrame([{"time": 0.0, "at_risk": patients, "survival": 1.0, "lower": 1.0, "upper": 1.0}])
    return pd.concat([start, curve[list(start)]], ignore_index=True).rename(columns={"time": "day"})


def _panel(axis: Axes, ticks: np.ndarray, study: Study, title: str) -> None:
    time_axis(axis, ticks, study.report_unit)
    axis.set_title(title)
    axis.set_xlabel(f"{study.report_unit}s from the first dose")


def _at_risk(axis: Axes, plotted: list[pd.DataFrame], drug: str, arms: list[str], study: Study, labels: bool) -> None:
    """Numbers on the drug below a curve, a line an arm of the study."""
    places = {arm: place for place, arm in enumerate(study.arm_keys)}
    for frame in plotted:
        if frame["part"].iloc[0] == "counts" and frame["drug"].iloc[0] == drug:
            arm = frame["arm"].iloc[0]
            for at, number in zip(shown(frame["day"], study.report_unit), frame["at_risk"], strict=True):
                axis.text(at, places[arm], str(int(number)), ha="center", va="center_baseline", fontsize=7,
                          color=style.arm_colours(study)[arm])
    axis.set_ylim(len(places) - 0.5, -0.5)
    axis.set_yticks(list(places.values()), list(places))
    axis.set_title("on the drug", fontsize=7, weight="normal", pad=2)
    axis.tick_params(length=0, labelbottom=False, labelleft=labels, pad=9)
    for side in axis.spines.values():
        side.set_visible(False)


def first_reduction(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study,
                    reading: str = "adverse event") -> tuple[Figure | None, pd.DataFrame]:
    """Draw what came first, a panel a drug and arm: reduction, another stop, relapse or death, stacked.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
    reading : str
        A key of `reductions.READINGS`.

    Returns
    -------
    figure : Figure or None
        None without doses.
    plotted : DataFrame
        part (incidence, or counts), drug, arm, cause (event is the reduction), day, incidence (of that cause, %),
        at_risk.
    """
    panels = {(drug, arm): reductions.first_reduction(course, reading)
              for drug, _, arm, course in courses.groups(adexst, adsl, study)}
    panels = {key: data for key, data in panels.items() if len(data)}
    if not panels:
        return None, pd.DataFrame(columns=STACK)
    end = min(units.to_days(REDUCTION_MONTHS, "month"), max(data["time"].max() for data in panels.values()))
    ticks, plotted = tick_days(end, "month", most=7), []
    with style.style():
        figure, grid = plt.subplots(1, len(panels), figsize=(style.DOUBLE, 3.2), squeeze=False, sharey=True)
        for axis, ((drug, arm), data) in zip(grid[0], panels.items(), strict=True):
            plotted.append(_stack(axis, data, end, ticks).assign(drug=drug, arm=arm))
            axis.set_title(f"{drug}\n{arm} (n = {len(data)})", fontsize=8)
            axis.set_xlabel("months from the first dose")
        grid[0, 0].set_ylabel("patients, %")
        _stack_legend(figure, {courses.EVENT: "first reduction for an adverse event" if reading == "adverse event" else
                               f"first dose {reading}"}, grid[0, 0])
        style.footer(figure, study, "\nWhat came first, by the Aalen-Johansen estimate. White: none of these yet. "
                                    "Numbers below the axis: patients of whom this holds.")
    return figure, pd.concat(plotted, ignore_index=True).reindex(columns=STACK)


STACK = ["part", "drug", "arm", "cause", "day", "incidence", "at_risk"]
CAUSES = {courses.EVENT: "event", **courses.ENDS}
WORDS = {courses.EVENT: "target dose reached", courses.STOP: "stopped before", courses.RELAPSE: "relapse before",
         courses.DEATH: "death before"}


def _stack(axis: Axes, data: pd.DataFrame, end: float, ticks: np.ndarray) -> pd.DataFrame:
    """Stack the cumulative incidences of all causes to a day; numbers at risk below the axis."""
    curve = competing.cumulative_incidence(data)
    days = np.unique(np.concatenate([[0.0], curve["time"], [end]]))
    days = days[days <= end]
    floor, parts = np.zeros(len(days)), []
    for cause in BANDS:
        mine = curve[curve["cause"] == cause]
        place = np.searchsorted(mine["time"], days, side="right")
        height = np.concatenate([[0.0], mine["incidence"]])[place]
        axis.fill_between(shown(days, "month"), 100 * floor, 100 * (floor + height), step="post", linewidth=0.4,
                          facecolor=BANDS[cause], hatch=HATCHES[cause], edgecolor=style.GREY)
        floor = floor + height
        parts.append(pd.DataFrame({"part": "incidence", "cause": CAUSES[cause], "day": days,
                                   "incidence": 100 * height}))
    time_axis(axis, ticks, "month")
    axis.set(ylim=(0, 100), xlim=(0, shown([end], "month")[0]))
    counts = curves.counts_at(data.assign(event=data["code"] > 0), ticks)
    for at, number in zip(shown(ticks, "month"), counts["at_risk"], strict=True):
        axis.annotate(str(number), (at, 0), (0, -19), xycoords=("data", "axes fraction"), textcoords="offset points",
                      ha="center", va="top", fontsize=6.5, color=style.GREY)
    axis.xaxis.labelpad = 13
    parts.append(pd.DataFrame({"part": "counts", "day": ticks, "at_risk": counts["at_risk"]}))
    return pd.concat(parts, ignore_index=True)


def _stack_legend(figure: Figure, named: dict[int, str], axis: Axes) -> None:
    words = WORDS | named
    keys = [Patch(facecolor=BANDS[cause], hatch=HATCHES[cause], edgecolor=style.GREY, lw=0.4, label=words[cause])
            for cause in BANDS]
    figure.legend(handles=keys, loc="outside upper left", ncols=4)


def time_to_target(adexst: pd.DataFrame, adsl: pd.DataFrame, study: Study,
                   drug: str) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the way to the target dose, and who is still there at fixed months; a row of panels an arm.

    Parameters
    ----------
    adexst, adsl : DataFrame
    study : Study
    drug : str

    Returns
    -------
    figure : Figure or None
        None when nobody had the drug, or its plan starts at target.
    plotted : DataFrame
        part (incidence, counts, months), drug, arm, cause (event is the target dose), day, incidence
        (%), at_risk; for months: denominator, measure (ever, at), count, N, percent, lower, upper.
    """
    names = [*STACK, "denominator", "measure", "count", "N", "percent", "lower", "upper"]
    panels = {arm: escalation.first_of(course, course["TARGETDY"])
              for name, _, arm, course in courses.groups(adexst, adsl, study)
              if name == drug and escalation.stepped(study, drug)}
    panels = {arm: data for arm, data in panels.items() if len(data)}
    if not panels:
        return None, pd.DataFrame(columns=names)
    table = escalation.at_target_table(adexst, adsl, study).query("drug == @drug")
    end = min(max(data["time"].max() for data in panels.values()) * 1.15, units.to_days(12, "month"))
    ticks, plotted = tick_days(end, "month", most=6), []
    with style.style():
        figure, grid = plt.subplots(len(panels), 2, figsize=(style.DOUBLE, 0.7 + 2.5 * len(panels)), squeeze=False)
        for (left, right), (arm, data) in zip(grid, panels.items(), strict=True):
            plotted.append(_stack(left, data, end, ticks).assign(drug=drug, arm=arm))
            left.set(ylabel="patients, %", xlabel="months from the first dose")
            left.set_title(f"{arm} (n = {len(data)}): time to target", fontsize=8)
            plotted.append(_months(right, table[table["TRT01A"] == arm]).assign(part="months", drug=drug, arm=arm))
        _stack_legend(figure, {}, grid[0, 0])
        style.footer(figure, study, f"\n{drug}. Numbers below the left axis: not at target yet, none of the other "
                                    "ends. Right: exact 95% intervals.")
    return figure, pd.concat(plotted, ignore_index=True).reindex(columns=names)


def _months(axis: Axes, table: pd.DataFrame) -> pd.DataFrame:
    """Ever at target and at target by month, both denominators, as dots with intervals."""
    times, parts = list(dict.fromkeys(table["time"])), []
    looks = {("ever", "all evaluable"): ("o", "white", -0.27), ("at", "all evaluable"): ("o", style.INK, -0.09),
             ("ever", "alive in remission"): ("D", "white", 0.09), ("at", "alive in remission"): ("D", style.INK, 0.27)}
    for (measure, denominator), (marker, face, shift) in looks.items():
        mine = table[(table["denominator"] == denominator) & (table["N"] > 0)]
        x = np.array([times.index(one) for one in mine["time"]]) + shift
        value, low, high = (mine[f"{measure}_{name}"].to_numpy(float) for name in ("pct", "lower", "upper"))
        axis.vlines(x, low, high, color=style.GREY, lw=0.9)
        axis.plot(x, value, ls="", marker=marker, mfc=face, mec=style.INK, ms=4.5, clip_on=False,
                  label=f"{'ever' if measure == 'ever' else 'on that day'}, of {denominator}")
        for place, count, n, top in zip(x, mine[measure], mine["N"], high, strict=True):
            axis.annotate(f"{count}/{n}", (place, top), (0, 4), textcoords="offset points", ha="center", va="bottom",
                          fontsize=6, rotation=90)
        parts.append(pd.DataFrame({"denominator": denominator, "measure": measure, "day": mine["time"].map(
            courses.at_months()), "count": mine[measure], "N": mine["N"], "percent": value, "lower": low,
            "upper": high}))
    axis.set_xticks(range(len(times)), [one.removesuffix(" months") for one in times])
    axis.set(xlim=(-0.5, len(times) - 0.5), ylim=(0, 126), yticks=range(0, 101, 20),
             xlabel="months from the first dose")
    axis.set_title("at the target dose, % of patients", fontsize=8)
    axis.legend(loc="lower left", fontsize=5.8, handletextpad=0.2, borderaxespad=0.1)
    return pd.concat(parts, ignore_index=True)


def exposure_response(table: pd.DataFrame, null: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the hazard ratio of relapse by dose, looking ahead and at landmarks, beside what chance alone returns.

    Parameters
    ----------
    table, null : DataFrame
        From `exposure_response.exposure_table` and `exposure_response.null_table`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None when no hazard ratio can be estimated.
    plotted : DataFrame
        Rows of `table` with null_HR, null_lower, null_upper.
    """
    key = ["drug", "population", "TRT01A", "landmark", "reading"]
    chance = null[[*key, "HR", "lower", "upper"]].rename(columns={name: f"null_{name}"
                                                                 for name in ("HR", "lower", "upper")})
    shown_rows = table[table["HR"].notna()].merge(chance, on=key, how="left", validate="one_to_one")
    if shown_rows.empty:
        return None, shown_rows
    fresh = shown_rows["landmark"].ne(shown_rows["landmark"].shift())
    shown_rows["y"] = np.arange(len(shown_rows)) + 0.5 * fresh.cumsum()
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, 1.3 + 0.3 * len(shown_rows)))
        _ratios(axis, shown_rows)
        many = shown_rows[["drug", "TRT01A"]].drop_duplicates().shape[0] > 1
        labels = [(f"{one.drug}, {one.TRT01A}: " if many else "") + _compared(one) for one in shown_rows.itertuples()]
        axis.set_yticks(shown_rows["y"], labels)
        axis.set_ylim(shown_rows["y"].max() + 0.7, shown_rows["y"].min() - 0.7)
        keys = [Line2D([], [], marker="o", color=style.INK, mfc="white", ms=5, label="total dose: looks ahead"),
                Line2D([], [], marker="s", color=style.INK, mfc=style.INK, ms=5, label="dose up to the landmark"),
                Patch(facecolor=style.LIGHT, label="if dose could not matter: middle 95%, bar at the median")]
        figure.legend(handles=keys, loc="outside upper left", ncols=3)
        style.footer(figure, study, "\nTime to relapse, higher against lower interferon dose (cut at the median). "
                                    "Left of 1: fewer relapses at the higher dose.")
    return figure, shown_rows.drop(columns="y")


def _compared(one) -> str:
    """Words for one row of the hazard ratios."""
    place = "from day 0" if not one.landmark else f"from {one.landmark}"
    what = {"landmark": "dose up to then", "ever at target": "ever at target"}.get(one.reading, "total dose")
    return f"{place}, {what} (n = {one.n}, {one.events} relapses)"


def _ratios(axis: Axes, rows: pd.DataFrame) -> None:
    known = rows.dropna(subset=["null_HR"])
    ends = np.concatenate([rows[["lower", "upper", "HR"]].to_numpy(float).ravel(),
                           known[["null_lower", "null_upper"]].to_numpy(float).ravel()])
    ends = ends[np.isfinite(ends) & (ends > 0)]
    low, high = max(ends.min() / 1.3, 0.02), min(ends.max() * 1.3, 50)
    axis.barh(known["y"], known["null_upper"].clip(upper=high) - known["null_lower"].clip(lower=low), 0.72,
              left=known["null_lower"].clip(lower=low), color=style.LIGHT, zorder=0)
    axis.vlines(known["null_HR"], known["y"] - 0.36, known["y"] + 0.36, color=style.GREY, lw=1.6, zorder=1)
    for one in rows.itertuples():
        axis.plot([max(one.lower, low), min(one.upper, high)], [one.y, one.y], color=style.INK, lw=1.1, zorder=2)
        fair = one.reading == "landmark"
        axis.plot(one.HR, one.y, marker="s" if fair else "o", ms=5, mec=style.INK, mfc=style.INK if fair else "white",
                  zorder=3)
        axis.text(1.01, one.y, f"{one.HR:.2f} ({one.lower:.2f} to {one.upper:.2f})", va="center", fontsize=6.5,
                  transform=axis.get_yaxis_transform())
    axis.axvline(1, color=style.GREY, lw=0.8, zorder=0.5)
    axis.set(xscale="log", xlim=(low, high), xlabel="hazard ratio of relapse (95% CI)")
    ticks = [one for one in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= one <= high]
    axis.set_xticks(ticks, [f"{one:g}" for one in ticks])
    axis.xaxis.set_minor_formatter(NullFormatter())
