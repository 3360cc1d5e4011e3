"""Landmark figure: time to relapse from fixed days, by the MRD state known on each."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.adam.admrd import rules
from remission.estimators import curves
from remission.figures import style
from remission.figures.survival import shown, steps, tick_days, time_axis
from remission.mrd.landmark import STATES, at_landmark, by_arm_and_together, landmarks
from remission.study import Study

#: Black and unbroken, pale and dashed: apart in grey too, and not the colour of any arm.
LOOKS = {"negative": {"color": style.INK, "linestyle": "-"},
         "positive": {"color": "#AA4499", "linestyle": (0, (4, 1.6))}}
PLOTTED = ["part", "landmark", "arm", "state", "day", "survival", "lower", "upper", "at_risk", "events"]
#: Fewer at risk than this at the start, and a curve has no band: it would fill the panel.
BAND = 5


def panels(adtv: pd.DataFrame, rows: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw Kaplan-Meier curves from every landmark, a row of panels an arm, numbers at risk below.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of states.
    rows : DataFrame
        From `landmark.analyse`: hazard ratios and tests are written as they stand there.
    study : Study

    Returns
    -------
    tuple
        Figure (None when nobody has a known state at any landmark) and every number drawn: `part` is curve or counts,
        `day` is counted from the landmark.

    Examples
    --------
    >>> from remission import schema
    >>> panels(schema.empty(schema.ANALYSIS["adtv"]), pd.DataFrame(), Study("demo", "own", "", "", ()))[0] is None
    True
    """
    oldest = rules(study)["landmark_age_days"]
    there = {words: at_landmark(adtv, day, oldest) for words, day in landmarks(study).items()}
    data = {words: by_arm_and_together(one[one["state"] != "unknown"], study) for words, one in there.items()}
    arms = [arm for arm in (*study.arm_keys, "all") if any(arm in one for one in data.values())]
    if not arms:
        return None, pd.DataFrame(columns=PLOTTED)
    last = max(one["time"].max() for parts in data.values() for one in parts.values())
    ticks = tick_days(last, study.report_unit, most=7)
    drawn = [pd.DataFrame(columns=PLOTTED)]
    with style.style():
        figure, grid = plt.subplots(2 * len(arms), len(data), sharex=True, sharey=False, squeeze=False,
                                    figsize=(style.DOUBLE, 0.75 + 1.85 * len(arms)), height_ratios=[1, 0.3] * len(arms))
        for column, (words, parts) in enumerate(data.items()):
            for place, arm in enumerate(arms):
                above, below = grid[2 * place, column], grid[2 * place + 1, column]
                drawn += _panel(above, below, parts.get(arm), (words, arm), ticks, study, column == 0)
                _titles(above, (words, arm), rows, first=column == 0)
                above.tick_params(labelleft=column == 0)
            grid[-1, column].set_xlabel(f"{study.report_unit}s from the landmark")
            grid[-1, column].tick_params(labelbottom=False)
        grid[0, 0].set_xlim(0, float(shown(last, study.report_unit)) * 1.01)
        figure.legend(handles=[Line2D([], [], label=f"MRD {state} at the landmark", **look)
                               for state, look in LOOKS.items()], loc="outside upper left", ncols=2)
        style.footer(figure, study, "Time to relapse, death in remission censored.\nState: last sample up to the "
                     f"landmark, at most {oldest} days old. Bands: pointwise 95%, where at least {BAND} start. HR: "
                     "Firth. Below: numbers at risk.")
    whole = [part.dropna(axis=1, how="all") for part in drawn if len(part)]
    return figure, pd.concat(whole, ignore_index=True).reindex(columns=PLOTTED)


def _panel(above: Axes, below: Axes, data: pd.DataFrame | None, place: tuple[str, str], ticks, study: Study,
           first: bool) -> list[pd.DataFrame]:
    made = []
    below.set(ylim=(1.5, -0.5))
    below.set_yticks(range(len(STATES)), STATES if first else [""] * len(STATES), fontsize=6)
    below.tick_params(length=0, pad=9)
    for side in below.spines.values():
        side.set_visible(False)
    above.set(ylim=(0, 1.03), yticks=[0, 0.5, 1])
    time_axis(above, ticks, study.report_unit)
    if data is None:
        above.text(0.5, 0.5, "nobody with a known state", transform=above.transAxes, ha="center", color=style.GREY)
        return made
    for line, state in enumerate(STATES):
        mine = data[data["state"] == state]
        names = {"landmark": place[0], "arm": place[1], "state": state}
        counts = curves.counts_at(mine, ticks)
        made.append(counts.rename(columns={"time": "day"}).assign(part="counts", **names))
        for at, number in zip(shown(ticks, study.report_unit), counts["at_risk"], strict=True):
            below.text(at, line, str(number), ha="center", va="center", fontsize=6, color=LOOKS[state]["color"])
        if mine.empty:
            continue
        curve = curves.kaplan_meier(mine)
        start = pd.DataFrame([{"time": 0.0, "at_risk": len(mine), "events": 0, "survival": 1.0, "lower": 1.0,
                               "upper": 1.0}])
        curve = pd.concat([start, curve[start.columns]], ignore_index=True)
        made.append(curve.rename(columns={"time": "day"}).assign(part="curve", **names))
        drawn = curve if len(mine) >= BAND else curve.assign(lower=curve["survival"], upper=curve["survival"])
        steps(above, drawn, "survival", float(mine["time"].max()), LOOKS[state], study.report_unit)
        gone = mine.loc[~mine["event"], "time"].sort_values()
        height = curve["survival"].to_numpy()[curve["time"].searchsorted(gone, side="right") - 1]
        if len(gone):  # an unclipped line of no points still takes room, at the corner of the page
            above.plot(shown(gone, study.report_unit), height, linestyle="none", marker="|", markersize=5,
                       color=LOOKS[state]["color"], clip_on=False)
    return made


def _titles(above: Axes, place: tuple[str, str], rows: pd.DataFrame, first: bool) -> None:
    words, arm = place
    name = "all arms" if arm == "all" else arm
    above.set_title(f"{name}, landmark {words}", fontsize=7.5, pad=11)
    found = rows[(rows["population"] == "landmark_" + words.replace(" ", "_")) & (rows["arm"] == arm)]
    found = found.set_index("statistic")["display"]
    if "HR" in found:
        ratio = found["HR"].split(", p")[0].replace("95% CI ", "")
        says = "HR not estimable" if ratio.startswith("not") else f"HR {ratio}"
        test = "" if found["p"].startswith("not") else f", log-rank {found['p']}"
        above.text(0, 1.04, f"{says}{test}", transform=above.transAxes, fontsize=6.2, color=style.GREY)
    if first:
        above.set_ylabel("no relapse so far", fontsize=7)


def at_risk(plotted: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Numbers at risk below the curves, as a table: a column a time from the landmark.

    Parameters
    ----------
    plotted : DataFrame
        From `panels`.
    study : Study

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> at_risk(pd.DataFrame(columns=PLOTTED), Study("demo", "own", "", "", ())).empty
    True
    """
    counts = plotted[plotted["part"] == "counts"]
    if counts.empty:
        return pd.DataFrame(columns=["landmark", "arm", "state"])
    unit = study.report_unit
    counts = counts.assign(at=[f"{units.from_days(day, unit):.0f} {unit}s" for day in counts["day"]])
    wide = counts.pivot_table(index=["landmark", "arm", "state"], columns="at", values="at_risk", sort=False)
    return wide.astype(int).reset_index().rename_axis(columns=None)
