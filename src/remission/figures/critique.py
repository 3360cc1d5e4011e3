"""Figures of the design: comparability of the arms, calendar time, clocks."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission import study as units
from remission.critique import followup, immortal, overlap
from remission.critique.covariates import CATEGORIES, MOST_RELABELLED, covariates
from remission.estimators import curves
from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

OVERLAP = ["part", "covariate", "arm", "patient", "value", "lower", "upper", "weighted"]
CALENDAR = ["part", "arm", "patient", "entry", "last", "ongoing", "lane", "day", "followed"]
CLOCK = ["part", "clock", "arm", "day", "survival"]
#: Above this many patients single points and lanes cannot be told apart.
MOST_POINTS = 400
MOST_LANES = 150


def comparability(adsl: pd.DataFrame, compared: overlap.Comparison,
                  study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw recorded covariates by arm, their differences beside chance, propensity scores, and how well these separate.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.
    compared : Comparison
        From `survival.overlap.compare`.
    study : Study

    Returns
    -------
    tuple
        Figure (None without two arms or a covariate recorded in both) and every number drawn: `part` is patient (a
        point of a covariate), count (patients of a kind), difference, score, c or relabelled (a bar of the histogram).

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> comparability(pd.DataFrame(), overlap.compare(pd.DataFrame(), one), one)[0] is None
    True
    """
    balanced, scores = compared.balanced, compared.scores
    if balanced.empty:
        return None, pd.DataFrame(columns=OVERLAP)
    found = covariates(adsl, study)
    arms = np.where(found.other, next(key for key in study.arm_keys if key != study.reference), study.reference)
    panels = list(dict.fromkeys(name.split(" ")[0] for name in found.table))
    modelled = not scores.note
    plotted = [_differences(balanced)]
    with style.style():
        figure = plt.figure(figsize=(style.DOUBLE, 2.4 + 1.0 + 0.26 * len(balanced)))
        figure.get_layout_engine().set(wspace=0.04)
        above, below = figure.subfigures(2, 1, height_ratios=[2.4, 1.2 + 0.26 * len(balanced)])
        # At least three places, so that a single covariate is no wider than others.
        for axes, name in zip_longest(above.subplots(1, max(3, len(panels)), squeeze=False)[0], panels):
            if name is None:
                axes.set_visible(False)
                continue
            draw = _draw_kinds if name in CATEGORIES else _draw_strip
            plotted.append(draw(axes, name, found, arms, study, adsl))
        columns = below.subplots(1, 3 if modelled else 1, squeeze=False,
                                 width_ratios=[1.15, 1, 0.8] if modelled else [1])[0]
        _draw_differences(columns[0], balanced, study, modelled)
        if modelled:
            plotted += [_draw_scores(columns[1], scores, study), _draw_chance(columns[2], scores)]
        style.footer(figure, study, f"Random labels: {compared.draws} draws, model refitted {len(scores.relabelled)} "
                     "times." if compared.patients <= MOST_RELABELLED else "Random labels: normal approximation.")
    return figure, pd.concat([part.dropna(axis=1, how="all") for part in plotted if len(part)],
                             ignore_index=True).reindex(columns=OVERLAP)


def beeswarm(values: np.ndarray, bins: int = 24, width: float = 0.34) -> np.ndarray:
    """Sideways offsets that set points of about the same value side by side, the same at every run.

    Examples
    --------
    >>> beeswarm(np.array([1.0, 1.0, 9.0])).round(2).tolist()
    [-0.04, 0.04, 0.0]
    """
    spread = values.max() - values.min() if len(values) else 0
    cell = np.round((values - values.min()) / (spread or 1) * bins).astype(int) if len(values) else values
    offset = np.zeros(len(values))
    for one in np.unique(cell):
        mine = np.flatnonzero(cell == one)
        step = min(0.08, 2 * width / max(len(mine), 1))
        offset[mine] = (np.arange(len(mine)) - (len(mine) - 1) / 2) * step
    return offset


def _draw_strip(axes: Axes, name: str, found, arms: np.ndarray, study: Study, _) -> pd.DataFrame:
    values, parts = found.table[name].to_numpy(float), []
    for place, (arm, colour) in enumerate(style.arm_colours(study).items()):
        who = (arms == arm) & ~np.isnan(values)
        mine = values[who]
        if len(mine) <= MOST_POINTS:
            axes.plot(place + beeswarm(mine), mine, linestyle="none", marker="o", markersize=3, color=colour,
                      alpha=0.75, markeredgewidth=0)
            parts.append(pd.DataFrame({"part": "patient", "covariate": name, "arm": arm, "patient": found.patient[who],
                                       "value": mine}))
        axes.hlines(np.median(mine), place - 0.32, place + 0.32, color=style.INK, linewidth=1.2)
        parts.append(pd.DataFrame({"part": "median", "covariate": name, "arm": arm, "value": [np.median(mine)]}))
    _arm_ticks(axes, study)
    axes.set_title(_folded(found.words[name]), fontsize=7)
    return pd.concat(parts)


def _draw_kinds(axes: Axes, name: str, found, arms: np.ndarray, study: Study, adsl: pd.DataFrame) -> pd.DataFrame:
    column, words = CATEGORIES[name]
    kind = adsl.set_index("USUBJID")[column].reindex(found.patient).to_numpy()
    kinds, lines = sorted({one for one in kind if isinstance(one, str)}), []
    for place, (arm, colour) in enumerate(style.arm_colours(study).items()):
        known = sum(isinstance(one, str) for one in kind[arms == arm])
        for height, one in enumerate(kinds):
            count = int((kind[arms == arm] == one).sum())
            axes.scatter(place, height, s=520 * count / known, color=colour, alpha=0.35, linewidth=0)
            axes.text(place, height, str(count), ha="center", va="center_baseline", fontsize=7)
            lines.append({"part": "count", "covariate": f"{name} {one}", "arm": arm, "value": count})
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(-0.7, len(kinds) - 0.3)
    axes.tick_params(axis="y", length=0)
    _arm_ticks(axes, study)
    axes.set_title(_folded(f"{words}: patients"), fontsize=7)
    return pd.DataFrame(lines)


def _arm_ticks(axes: Axes, study: Study) -> None:
    axes.set_xticks(range(len(study.arm_keys)), study.arm_keys)
    axes.set_xlim(-0.55, len(study.arm_keys) - 0.45)
    for tick, colour in zip(axes.get_xticklabels(), style.arm_colours(study).values(), strict=True):
        tick.set_color(colour)


def _folded(words: str) -> str:
    """A title in lines of one or two words, for a narrow panel."""
    return textwrap.fill(words, 13, break_long_words=False)


def _differences(balanced: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"part": "difference", "covariate": balanced.index, "value": balanced["difference"],
                         "lower": balanced["chance_lower"], "upper": balanced["chance_upper"],
                         "weighted": balanced["weighted"]})


def _draw_differences(axes: Axes, balanced: pd.DataFrame, study: Study, modelled: bool) -> None:
    height = np.arange(len(balanced))
    axes.barh(height, balanced["chance_upper"] - balanced["chance_lower"], left=balanced["chance_lower"], height=0.62,
              color=style.LIGHT, label="random labels, 95%")
    for at in (-0.1, 0.1):
        axes.axvline(at, color=style.GREY, linewidth=0.6, linestyle=":")
    axes.axvline(0, color=style.GREY, linewidth=0.6)
    axes.plot(balanced["difference"], height, "o", color=style.INK, markersize=4.5, label="observed")
    if modelled:
        axes.plot(balanced["weighted"], height, "o", markerfacecolor="white", color=style.INK, markersize=4.5,
                  label="after weighting")
    axes.set_yticks(height, balanced["covariate"])
    axes.set_ylim(len(balanced) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"difference in SD, {study.contrast}\n(dotted: 0.1)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.55, 1.0), ncols=3, columnspacing=0.9, handletextpad=0.3,
                handlelength=1.2, fontsize=7)


def _draw_scores(axes: Axes, scores: overlap.Scores, study: Study) -> pd.DataFrame:
    parts = []
    for place, (arm, colour) in enumerate(style.arm_colours(study).items()):
        mine = scores.patients[scores.patients["arm"] == arm]
        if len(mine) <= MOST_POINTS:
            axes.scatter(mine["score"], place + beeswarm(mine["score"].to_numpy(float)), s=9 * mine["weight"],
                         color=colour, alpha=0.6, linewidth=0)
            parts.append(pd.DataFrame({"part": "score", "arm": arm, "patient": mine["patient"], "value": mine["score"],
                                       "weighted": mine["weight"]}))
        else:
            axes.boxplot(mine["score"], positions=[place], orientation="horizontal", widths=0.5, showfliers=False)
    axes.set_yticks(range(len(study.arm_keys)), study.arm_keys)
    axes.set_ylim(len(study.arm_keys) - 0.4, -0.6)
    axes.set_xlim(-0.03, 1.03)
    other = next(key for key in study.arm_keys if key != study.reference)
    axes.set(xlabel="propensity score\n(area: weight)")
    axes.set_title(f"Modelled chance\nof {other}", fontsize=8)
    return pd.concat(parts) if parts else pd.DataFrame(columns=OVERLAP)


def _draw_chance(axes: Axes, scores: overlap.Scores) -> pd.DataFrame:
    line = pd.DataFrame({"part": "c", "value": [scores.c]})
    axes.axvline(scores.c, color=style.COLOURS[1], linewidth=1.6)
    axes.set_title(f"c-statistic {scores.c:.2f}", fontsize=8)
    axes.set(xlabel="c-statistic\n(grey: random labels)", xlim=(0.48, 1.02), yticks=[],
             xticks=[0.5, 0.75, 1.0])
    axes.spines["left"].set_visible(False)
    if not len(scores.relabelled):
        return line
    counts, edges = np.histogram(scores.relabelled, bins=np.linspace(0.5, 1.0, 26))
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=style.LIGHT, edgecolor="white",
             linewidth=0.4)
    return pd.concat([line, pd.DataFrame({"part": "relabelled", "lower": edges[:-1], "upper": edges[1:],
                                          "value": counts})])


def calendar(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every patient between entry and last contact by date, and follow-up by arm (reverse Kaplan-Meier).

    Parameters
    ----------
    adsl, adtte : DataFrame
        Analysis tables.
    study : Study

    Returns
    -------
    tuple
        Figure (None without an endpoint; the calendar is left out without dates or with more than 150 patients) and
        every number drawn: `part` is lane or follow-up.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "TTEFL", "MTSTDT", "LSTALVDY", "STATUS", "PARAMCD", "AVAL",
    ...                              "CNSR", "ENTRYDY"])
    >>> calendar(none, none, Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    code = next((code for code in followup.LONGEST if (adtte["PARAMCD"] == code).any()), None)
    if code is None:
        return None, pd.DataFrame(columns=CALENDAR)
    lanes = followup.calendar(adsl, study)
    lanes = lanes if len(lanes) <= MOST_LANES else lanes.iloc[:0]
    with style.style():
        if len(lanes):
            figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 1.6 + min(5.0, 0.085 * len(lanes) + 0.6)),
                                                 width_ratios=[1.5, 1])
            lanes = _draw_calendar(left, lanes, study)
        else:
            figure, right = plt.subplots(figsize=(0.62 * style.DOUBLE, 2.6))
        followed = _draw_followup(right, endpoint(adtte, code), study,
                                  str(adtte.loc[adtte["PARAMCD"] == code, "ORIGIN"].iloc[0]))
        note = "Dates are made up by the reconstruction." if study.kind == "reconstructed" and len(lanes) else ""
        style.footer(figure, study, note)
    parts = [lanes.assign(part="lane"), followed] if len(lanes) else [followed]
    return figure, pd.concat(parts, ignore_index=True).reindex(columns=CALENDAR)


def _draw_calendar(axes: Axes, lanes: pd.DataFrame, study: Study) -> pd.DataFrame:
    gap = max(2.0, 0.045 * len(lanes))  # lanes left free for an arm's name
    place = lanes["arm"].map({arm: number for number, arm in enumerate(pd.unique(lanes["arm"]))})
    lanes = lanes.assign(lane=np.arange(len(lanes)) + gap * place)
    labels = {arm.key: arm.label for arm in study.arms}
    for arm, frame in lanes.groupby("arm", sort=False):
        colour = style.arm_colours(study)[arm]
        axes.hlines(frame["lane"], frame["entry"], frame["last"], color=colour, linewidth=1.6, alpha=0.7)
        axes.plot(frame["entry"], frame["lane"], linestyle="none", marker="|", markersize=2.4, color=colour)
        ongoing = frame[frame["ongoing"]]
        axes.plot(ongoing["last"], ongoing["lane"], linestyle="none", marker=">", markersize=3.6, color=colour)
        axes.text(lanes["entry"].min(), frame["lane"].min() - 0.55 * gap, f"{labels[arm]}, n = {len(frame)}",
                  color=colour, fontsize=7, fontweight="bold", va="center")
    axes.set_ylim(lanes["lane"].max() + 1, -1.1 * gap)
    axes.set(yticks=[], xlabel="calendar year")
    axes.spines["left"].set_visible(False)
    axes.set_title("Entry to last contact (arrow: in remission)", fontsize=8, pad=8)
    return lanes


def _draw_followup(axes: Axes, data: pd.DataFrame, study: Study, origin: str) -> pd.DataFrame:
    parts = []
    for number, (arm, group) in enumerate(by_arm(data, study).items()):
        curve = curves.kaplan_meier(group.assign(event=group["code"] == 0))
        day = np.concatenate([[0.0], curve["time"]])
        followed = np.concatenate([[1.0], curve["survival"]])
        axes.step(shown(day, study.report_unit), followed, where="post", color=style.arm_colours(study)[arm],
                  linestyle=style.DASHES[number % len(style.DASHES)], label=arm)
        parts.append(pd.DataFrame({"part": "follow-up", "arm": arm, "day": day, "followed": followed}))
    time_axis(axes, tick_days(data["time"].max(), study.report_unit, most=7), study.report_unit)
    axes.set(ylim=(0, 1.02), xlabel=f"{study.report_unit}s from {origin}",
             ylabel="still followed, reverse Kaplan-Meier")
    axes.set_title("Follow-up", fontsize=8, pad=8)
    axes.legend(loc="lower left")
    return pd.concat(parts)


def clocks(adtte: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw survival under three clocks side by side, and when each patient came under observation.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte` with endpoints OSDX (with its entry times) and OSMT; times in days.
    study : Study

    Returns
    -------
    tuple
        Figure (None when nobody entered late) and every number drawn: `part` is curve or entry.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> clocks(none, Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    late = endpoint(adtte, "OSDX")
    if late.empty or not (late["entry"] > 0).any():
        return None, pd.DataFrame(columns=CLOCK)
    present = {clock: facts for clock, facts in immortal.CLOCKS.items() if (adtte["PARAMCD"] == facts[1]).any()}
    last = max(endpoint(adtte, facts[1])["time"].max() for facts in present.values())
    parts = []
    with style.style():
        figure, panels = plt.subplots(1, len(present), figsize=(style.DOUBLE, 2.7), sharex=True, sharey=True)
        for axes, (clock, (words, paramcd, truncated)) in zip(panels, present.items(), strict=True):
            data = endpoint(adtte, paramcd)
            parts.append(_draw_clock(axes, data, truncated, clock, study))
            if paramcd == "OSDX":
                parts.append(_draw_entries(axes, data, clock, study))
            time_axis(axes, tick_days(last, study.report_unit, most=7), study.report_unit)
            axes.set_title(textwrap.fill(words[0].upper() + words[1:], 28), fontsize=8)
            origin = str(adtte.loc[adtte["PARAMCD"] == paramcd, "ORIGIN"].iloc[0])
            axes.set(ylim=(0, 1.02), xlabel=f"{study.report_unit}s from {origin}")
        panels[0].set_ylabel("probability of survival")
        panels[-1].legend(loc="upper right")
        style.footer(figure, study, "Grey: until the last entry."
                     + (" Bars: entries." if len(late) <= MOST_POINTS else ""))
    return figure, pd.concat([part for part in parts if len(part)], ignore_index=True).reindex(columns=CLOCK)


def _draw_clock(axes: Axes, data: pd.DataFrame, truncated: bool, clock: str, study: Study) -> pd.DataFrame:
    parts = []
    for number, (arm, group) in enumerate(by_arm(data, study).items()):
        curve = curves.kaplan_meier(group, truncated)
        day, survival = np.concatenate([[0.0], curve["time"]]), np.concatenate([[1.0], curve["survival"]])
        axes.step(shown(day, study.report_unit), survival, where="post", color=style.arm_colours(study)[arm],
                  linestyle=style.DASHES[number % len(style.DASHES)], label=arm)
        parts.append(pd.DataFrame({"part": "curve", "clock": clock, "arm": arm, "day": day, "survival": survival}))
    return pd.concat(parts)


def _draw_entries(axes: Axes, data: pd.DataFrame, clock: str, study: Study) -> pd.DataFrame:
    axes.axvspan(0, units.from_days(float(data["entry"].max()), study.report_unit), color=style.LIGHT, alpha=0.6,
                 linewidth=0)
    if len(data) > MOST_POINTS:
        return pd.DataFrame(columns=CLOCK)
    for number, (arm, group) in enumerate(by_arm(data, study).items()):
        at = shown(group["entry"], study.report_unit)
        axes.plot(at, np.full(len(at), 0.03 + 0.05 * number), linestyle="none", marker="|", markersize=5,
                  color=style.arm_colours(study)[arm])
    return pd.DataFrame({"part": "entry", "clock": clock, "arm": data["arm"], "day": data["entry"]})
