"""Figures of small-sample inference: chance alone, patients left out, and outcomes changed."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator
from scipy.special import ndtri

from remission.estimators import wording
from remission.figures import style
from remission.study import Study
from remission.survival import exact
from remission.survival.endpoints import endpoint
from remission.survival.fragility import EDGE, SHORT, THRESHOLD, Fragility

CHANCE = ["part", "statistic", "left", "right", "share", "extreme", "normal"]
LEFT_OUT = ["part", "left_out", "arm", "day", "event", "HR", "p", "exact_p"]
FRAGILITY = ["part", "rule", "patient", "arm", "day", "change", "towards", "changed", "z", "p"]
MARKERS = ["o", "s"]
#: Every patient is named up to this many; above, those at the ends.
ALL_NAMED, ENDS = 45, 6
#: Ticks of an axis of p.
P_TICKS = (THRESHOLD, 1, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 0.02, 0.2, 0.005, 0.5, 0.03, 0.07, 0.002, 0.15)
FAR = "#D55E00"


def chance(adtte: pd.DataFrame, found: pd.DataFrame, study: Study, paramcd: str, draws: int = 20_000,
           seed: int = 1) -> tuple[Figure | None, pd.DataFrame]:
    """Draw what both permutation statistics do by chance alone, with the observed value.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    found : DataFrame
        From `survival.exact.permutation_tests`: the p-values are written as they stand there.
    study : Study
    paramcd : str
    draws, seed : int
        Random allocations behind the bars.

    Returns
    -------
    tuple
        Figure (None without two arms or without a test) and every number drawn, as in `survival.exact.distribution`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["endpoint", "note"])
    >>> chance(pd.DataFrame(), none, Study("demo", "own", "", "", (Arm("A", "A"),)), "TTRLP")[0] is None
    True
    """
    mine = found[(found["endpoint"] == paramcd) & (found["note"] == "")]
    if mine.empty:
        return None, pd.DataFrame(columns=CHANCE)
    one = mine.iloc[0]
    plotted = exact.distribution(endpoint(adtte, paramcd), study.reference, draws, seed)
    other = study.contrast.removesuffix(f" vs {study.reference}")
    how = "exact" if bool(one["linear_exact"]) else "Monte Carlo"
    panels = {"linear": (f"Linear: {wording.p_value(one['linear_p'])} ({how})",
                         f"observed minus expected events, {other}"),
              "studentised": (f"Studentised: {wording.p_value(one['studentised_p'])} (Monte Carlo)",
                              "the same in standard errors")}
    with style.style():
        figure, row = plt.subplots(1, 2, figsize=(style.DOUBLE, 2.75), sharey=False)
        for axes, (name, (title, label)) in zip(row, panels.items(), strict=True):
            _draw_chance(axes, plotted[plotted["statistic"] == name])
            axes.set_title(title)
            axes.set_xlabel(label)
        row[0].set_ylabel("share of allocations")
        handles = [Patch(color=FAR, label="at least as far from 0 as observed"),
                   Patch(color=style.LIGHT, label="nearer"),
                   Line2D([], [], color=style.INK, label="observed"),
                   Line2D([], [], color=style.GREY, linewidth=0.9, linestyle="--", label="normal curve")]
        figure.legend(handles=handles, loc="outside upper left", ncols=4, title=_title(study, paramcd),
                      alignment="left", title_fontproperties={"weight": "bold", "size": 9})
        style.footer(figure, study, f"Arms dealt anew {exact.affordable(draws, one['n']):,} times; each patient keeps "
                                    "time and outcome.")
    return figure, plotted


def _title(study: Study, paramcd: str) -> str:
    """Endpoint and time origin."""
    name = exact.title(study, paramcd)
    return name if paramcd == "OSDX" or study.origin_label in name else f"{name}, from {study.origin_label}"


def chance_numbers(plotted: pd.DataFrame) -> pd.DataFrame:
    """What `chance` shows, in short: a line a statistic.

    Parameters
    ----------
    plotted : DataFrame
        From `chance`.

    Returns
    -------
    DataFrame
        The observed value, the share of the drawn allocations at least as far from 0, and that share under the normal
        curve.

    Examples
    --------
    >>> chance_numbers(pd.DataFrame(columns=CHANCE)).empty
    True
    """
    lines = []
    for name, part in plotted.groupby("statistic", sort=False):
        bars, observed = part[part["part"] == "bin"], part.loc[part["part"] == "observed", "left"].item()
        far = bars["left"].abs().clip(lower=bars["right"].abs()) > abs(observed) * (1 + 1e-9)
        lines.append({"statistic": name, "observed": observed,
                      "drawn at least as far": bars.loc[bars["extreme"].astype(bool), "share"].sum(),
                      "normal curve at least as far": bars.loc[far & ~bars["extreme"].astype(bool), "normal"].sum()})
    return pd.DataFrame(lines)


def _draw_chance(axes: Axes, part: pd.DataFrame) -> None:
    bars = part[part["part"] == "bin"]
    near, far = (bars[bars["extreme"] == which] for which in (False, True))
    width = bars["right"] - bars["left"]
    axes.bar(near["left"], near["share"], width[near.index], align="edge", color=style.LIGHT)
    axes.bar(far["left"], far["share"], width[far.index], align="edge", color=FAR, bottom=near["share"].to_numpy())
    axes.plot((near["left"] + near["right"]) / 2, near["normal"], color=style.GREY, linewidth=0.9, linestyle="--")
    observed = part.loc[part["part"] == "observed", "left"].item()
    axes.axvline(observed, color=style.INK, linewidth=1.2)
    axes.set_ylim(0, 1.08 * max(bars.groupby("left")["share"].sum().max(), bars["normal"].max()))
    reach = max(bars.loc[(bars["share"] > 0) | (bars["normal"] > 1e-4), "right"].abs().max(), 1.04 * abs(observed))
    axes.set_xlim(-reach, reach)


def influence(found: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the hazard ratio and the p-value without each patient, a line a patient, smallest p at the top.

    Parameters
    ----------
    found : DataFrame
        From `survival.influence.leave_one_out`.
    study : Study

    Returns
    -------
    tuple
        Figure (None where nobody was left out, or no test remains) and every number drawn: `part` is everybody or
        patient.

    Examples
    --------
    >>> from remission.study import Arm
    >>> influence(pd.DataFrame(columns=["left_out"]), Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    if len(found) < 2 or found["p"].iloc[1:].isna().all():
        return None, pd.DataFrame(columns=LEFT_OUT)
    kind = np.where(found["left_out"] == "", "everybody", "patient")
    plotted = found.rename(columns={"time": "day"}).assign(part=kind)
    each = plotted[plotted["part"] == "patient"].sort_values("p", kind="stable", key=exact.steady)
    each = each.reset_index(drop=True)
    plotted = pd.concat([plotted[plotted["part"] == "everybody"], each], ignore_index=True)
    named = np.ones(len(each), bool) if len(each) <= ALL_NAMED else (
        (each.index < ENDS) | (each.index >= len(each) - ENDS))
    height = np.cumsum(np.where(named, 1.0, 0.45))
    with style.style():
        figure, row = plt.subplots(1, 2, figsize=(style.DOUBLE, 1.35 + 0.125 * height[-1]), sharey=True)
        for axes, column in zip(row, ("HR", "p"), strict=True):
            _draw_left_out(axes, each, height, column, plotted.loc[0, column], study)
        row[1].plot(each["exact_p"].astype(float), height, linestyle="none", marker="|", markersize=4.5,
                    color=style.GREY)
        row[1].axvline(THRESHOLD, color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        _p_axis(row[1], each, plotted)
        row[0].set_xlabel(f"hazard ratio, {study.contrast}")
        row[0].set_ylim(height[-1] + 1, 0)
        row[0].set_yticks(height[named], each.loc[named, "left_out"])
        for tick, arm in zip(row[0].get_yticklabels(), each.loc[named, "arm"], strict=True):
            tick.set(color=style.arm_colours(study)[arm], fontsize=6)
        row[0].set_ylabel("patient left out, smallest p first")
        _influence_legend(figure, study, found["endpoint"].iloc[0], each["exact_p"].notna().any())
        style.footer(figure, study, "" if named.all() else f"Named: the {ENDS} patients at either end.")
    return figure, plotted.reindex(columns=LEFT_OUT)


def _draw_left_out(axes: Axes, each: pd.DataFrame, height: np.ndarray, column: str, everybody: float,
                   study: Study) -> None:
    values = each[column].astype(float).replace([0, math.inf], math.nan)
    known = math.isfinite(everybody) and everybody > 0
    if known:
        axes.hlines(height, everybody, values, color=style.LIGHT, linewidth=0.7, zorder=1)
        axes.axvline(everybody, color=style.INK, linewidth=0.9, zorder=2)
    for number, arm in enumerate(study.arm_keys):
        for event in (True, False):
            mine = (each["arm"] == arm) & (each["event"] == event)
            axes.plot(values[mine], height[mine], linestyle="none", zorder=3,
                      **_mark(study, arm, number, filled=event))
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if not known and values.isna().all():
        axes.text(0.5, 0.5, "no finite hazard ratio", transform=axes.transAxes, ha="center", color=style.GREY)
        axes.set_xlim(0.5, 2)
    elif column == "HR":
        ticks = _ratio_ticks(*axes.get_xlim())
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])


def _ratio_ticks(low: float, high: float) -> list[float]:
    """Round ratios inside a range: at least three of the coarsest steps that give as many.

    Examples
    --------
    >>> _ratio_ticks(0.37, 0.51), _ratio_ticks(0.2, 4.1)
    ([0.4, 0.45, 0.5], [0.2, 0.5, 1.0, 2.0])
    """
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8), np.arange(1, 10, 0.5), np.arange(1, 10, 0.1)):
        ticks = [round(step * 10.0**power, 6) for power in range(-4, 5) for step in steps]
        inside = [float(tick) for tick in ticks if low <= tick <= high]
        if len(inside) >= 3:
            return inside[:: math.ceil(len(inside) / 7)]
    return inside


def _mark(study: Study, arm: str, number: int, filled: bool, size: float = 4) -> dict:
    colour = style.arm_colours(study)[arm]
    return {"marker": MARKERS[number % len(MARKERS)], "color": colour, "markersize": size, "markeredgewidth": 0.9,
            "markerfacecolor": colour if filled else "white"}


def _p_axis(axes: Axes, each: pd.DataFrame, plotted: pd.DataFrame) -> None:
    """A logarithmic axis of p that always shows the threshold."""
    values = pd.concat([plotted["p"], plotted["exact_p"]]).astype(float).dropna()
    low, high = min(values.min(), THRESHOLD), max(values.max(), THRESHOLD)
    pad = (high / low) ** 0.06
    axes.set_xlim(low / pad, min(high * pad, 1.3))
    ticks: list[float] = []
    for tick in P_TICKS:
        apart = all(abs(math.log(tick / other)) > math.log(high / low) / 9 for other in ticks)
        if low / pad <= tick <= high * pad and apart:
            ticks.append(tick)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("two-sided log-rank p")
    axes.text(THRESHOLD, 1.002, "0.05", transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=6.5)


def _influence_legend(figure: Figure, study: Study, paramcd: str, exact_too: bool) -> None:
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], linestyle="none", label=labels[arm], **_mark(study, arm, number, filled=True))
               for number, arm in enumerate(study.arm_keys)]
    handles += [Line2D([], [], linestyle="none", marker="o", color=style.GREY, markersize=4, markeredgewidth=0.9,
                       markerfacecolor="white", label="open: patient was censored"),
                Line2D([], [], color=style.INK, linewidth=0.9, label="everybody")]
    if exact_too:
        handles.append(Line2D([], [], linestyle="none", marker="|", markersize=5, color=style.GREY,
                              label="exact permutation p (linear)"))
    figure.legend(handles=handles, loc="outside upper left", ncols=3, title=_title(study, paramcd),
                  alignment="left", title_fontproperties={"weight": "bold", "size": 9})


def fragility(found: Fragility, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the p-value after each single change of an outcome, and how far each number of changes can move it.

    Parameters
    ----------
    found : Fragility
        From `survival.fragility.search`.
    study : Study

    Returns
    -------
    tuple
        Figure (None without a search) and every number drawn: `part` is single (left, rule `flip`) or path (right);
        `z` the signed log-rank statistic, below 0 in favour of the other arm.

    Examples
    --------
    >>> from remission.study import Arm
    >>> fragility(Fragility(*[pd.DataFrame()] * 4), Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    if found.path.empty:
        return None, pd.DataFrame(columns=FRAGILITY)
    single = found.single[found.single["rule"] == "flip"].dropna(subset=["z"])
    place = single["arm"].map(study.arm_keys.index)
    single = single.assign(place=place).sort_values(["place", "time", "patient"]).reset_index(drop=True)
    if single.empty:
        return None, pd.DataFrame(columns=FRAGILITY)
    start = float(found.path.loc[found.path["changed"] == 0, "z"].iloc[0])
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 3.7), width_ratios=[1.5, 1])
        _draw_single(left, single, start, study)
        _draw_path(right, found.path, start, study)
        _fragility_legend(figure, study, found.lines["endpoint"].iloc[0])
        style.footer(figure, study, "Left: an event becomes a censoring on that day, or a censoring an event.")
    parts = [frame.rename(columns={"time": "day", "then": "p"}).assign(part=part)
             for part, frame in (("single", single), ("path", found.path))]
    return figure, pd.concat([part.dropna(axis=1, how="all") for part in parts],
                             ignore_index=True).reindex(columns=FRAGILITY)


def _draw_single(axes: Axes, single: pd.DataFrame, start: float, study: Study) -> None:
    for number, arm in enumerate(study.arm_keys):
        for change in ("event to censored", "censored to event"):
            mine = (single["arm"] == arm) & (single["change"] == change)
            axes.plot(single.index[mine], single["z"][mine], linestyle="none", zorder=3,
                      **_mark(study, arm, number, filled=change == "event to censored"))
    _levels(axes, start, single["z"])
    named = _named(single, start)
    axes.set_xticks(named, single.loc[named, "patient"], rotation=90, fontsize=5.5)
    for tick, arm in zip(axes.get_xticklabels(), single.loc[named, "arm"], strict=True):
        tick.set_color(style.arm_colours(study)[arm])
    axes.set_xlim(-1, len(single))
    axes.set_xlabel("whose outcome is changed; by arm, shortest time first")
    axes.set_ylabel("two-sided p (spaced as the test statistic)")
    axes.set_title("After one change")


def _named(single: pd.DataFrame, start: float) -> list[int]:
    """Patients to name under an axis: all where there is room, else who crosses the threshold or moves p most."""
    if len(single) <= ALL_NAMED:
        return list(single.index)
    z = single["z"].to_numpy(float)
    crosses = (np.abs(z) > EDGE) != (abs(start) > EDGE)
    chosen: list[int] = []
    for place in np.argsort(exact.steady(np.where(crosses, -100, 0) - np.abs(z - start)), kind="stable"):
        if len(chosen) < 2 * ENDS and all(abs(place - other) >= len(single) / 40 for other in chosen):
            chosen.append(int(place))
    return sorted(chosen)


def _levels(axes: Axes, start: float, z: pd.Series) -> None:
    """Lines at the threshold and at p as it stands; an axis of the statistic that is labelled with p."""
    low, high = min(float(z.min()), start), max(float(z.max()), start)
    pad = max(0.06 * (high - low), 0.1)
    low, high = low - pad, high + pad
    axes.set_ylim(high, low)  # what favours the other arm is above
    ticks = _p_ticks(low, high)
    axes.set_yticks(list(ticks), list(ticks.values()))
    for z in (-EDGE, EDGE):
        if low <= z <= high:
            axes.axhline(z, color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.axhline(start, color=style.INK, linewidth=0.9, zorder=1)


def _p_ticks(low: float, high: float) -> dict[float, str]:
    """Round p-values between two statistics, with room between them: the threshold first, then powers of ten.

    Examples
    --------
    >>> list(_p_ticks(-2.2, -1.4).values())
    ['0.05', '0.1', '0.03', '0.07', '0.15']
    """
    chosen: dict[float, str] = {}
    powers = [10.0**-power for power in range(9)]
    finer = [0.2, 0.02, 0.005, 0.002, 0.5, 0.03, 0.07, 0.15, 0.3]
    for p in [THRESHOLD, *powers, *finer, *(5 * power for power in powers[3:])]:
        for z in {float(ndtri(p / 2)), -float(ndtri(p / 2))}:
            if low <= z <= high and all(abs(z - other) > (high - low) / 13 for other in chosen):
                chosen[z] = f"{p:g}"
    return chosen


def path_numbers(plotted: pd.DataFrame) -> pd.DataFrame:
    """The right panel of `fragility`: the furthest p by the number of patients whose outcome is changed, at most.

    Parameters
    ----------
    plotted : DataFrame
        From `fragility`.

    Returns
    -------
    DataFrame
        A line a rule and direction, a column a number of patients; p as text, with a star where it is in favour of the
        arm that it was moved towards.

    Examples
    --------
    >>> path_numbers(pd.DataFrame(columns=FRAGILITY)).empty
    True
    """
    path = plotted[plotted["part"] == "path"]
    if path.empty:
        return pd.DataFrame()
    other = path.groupby("towards")["z"].min().idxmin()
    arrived = np.where(path["towards"] == other, path["z"] < 0, path["z"] > 0)
    words = [f"{p:.2g}{'*' if there else ''}" for p, there in zip(path["p"], arrived, strict=True)]
    path = path.assign(rule=path["rule"].map(SHORT))
    wide = path.assign(words=words, changed=path["changed"].astype(int)).pivot_table(
        index=["rule", "towards"], columns="changed", values="words", aggfunc="first")
    wide = wide.reindex(pd.MultiIndex.from_frame(path[["rule", "towards"]].drop_duplicates())).fillna("")
    return wide.reset_index().rename_axis(columns=None).rename(columns={"towards": "moved towards"})


def _draw_path(axes: Axes, path: pd.DataFrame, start: float, study: Study) -> None:
    colours = style.arm_colours(study)
    for (rule, arm), steps in path.groupby(["rule", "towards"], sort=False):
        axes.plot(steps["changed"], steps["z"], color=colours[arm], marker=".", markersize=4,
                  linestyle="-" if rule == "flip" else (0, (1, 1.5)), linewidth=1.1)
    _levels(axes, start, path["z"])
    most = int(path["changed"].max())
    other = study.contrast.removesuffix(f" vs {study.reference}")
    for height, arm, where in ((1, other, "top"), (0, study.reference, "bottom")):
        axes.text(1.02, height, f"in favour of {arm}", transform=axes.transAxes, ha="left", va=where, rotation=90,
                  color=colours[arm], fontsize=7)
    axes.set_xticks(range(0, most + 1, max(1, math.ceil(most / 8))))
    axes.set_xlabel("patients whose outcome is changed, at most")
    axes.set_title("Furthest after several")


def _fragility_legend(figure: Figure, study: Study, paramcd: str) -> None:
    labels = {arm.key: arm.label for arm in study.arms}
    handles = [Line2D([], [], linestyle="none", label=labels[arm], **_mark(study, arm, number, filled=True))
               for number, arm in enumerate(study.arm_keys)]
    handles += [Line2D([], [], linestyle="none", marker="o", color=style.GREY, markersize=4, markeredgewidth=0.9,
                       markerfacecolor="white", label="open: a censoring becomes an event"),
                Line2D([], [], color=style.INK, linewidth=0.9, label="as observed"),
                Line2D([], [], color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)), label="p = 0.05"),
                Line2D([], [], color=style.GREY, linewidth=1.1, linestyle=(0, (1, 1.5)),
                       label="right: event-free course instead")]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, title=_title(study, paramcd),
                  alignment="left", title_fontproperties={"weight": "bold", "size": 9})
