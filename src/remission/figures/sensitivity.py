"""Figures of assumptions under strain: censoring that was not innocent, and a cure that nobody has observed."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission import study as units
from remission.critique import censoring, mixture
from remission.critique import cure as cures
from remission.estimators import curves
from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

TIPPING = ["pool", "end", "reference", "other", "hr", "p"]
CURE = ["part", "arm", "day", "survival", "fraction", "loglik"]
#: Cells of a heat map that still carry their number.
MOST_CELLS = 110


def tipping(adtte: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> tuple[Figure | None, pd.DataFrame]:
    """Draw the log-rank p for every number of censored patients of each arm with an event right after censoring.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str

    Returns
    -------
    tuple
        Figure (None without two arms or without censored patients) and every cell: `pool`, `end`, counts `reference`
        and `other`, `hr`, `p`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> tipping(none, Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    data = endpoint(adtte, paramcd)
    maps = {}
    for pool, end, title in (("all", "earliest", "Censored patients, earliest first"),
                             ("all", "latest", "Censored patients, latest first"),
                             ("deaths", "earliest", "Deaths in remission alone, earliest first")):
        cells = censoring.grid(data, study, pool)
        if len(cells):
            maps[title] = cells[cells["end"] == end].assign(pool=pool)
    if not maps:
        return None, pd.DataFrame(columns=TIPPING)
    with style.style():
        sizes = [max(cells[arm].nunique() for cells in maps.values()) for arm in ("other", "reference")]
        turned = sizes[1] > sizes[0]
        rows = [_rows(cells, turned) for cells in maps.values()]
        figure, grid = plt.subplots(len(maps), 1, squeeze=False, height_ratios=rows,
                                    figsize=(style.DOUBLE, 0.3 + 0.75 * len(maps) + 0.3 * sum(rows)))
        for axes, (title, cells) in zip(grid[:, 0], maps.items(), strict=True):
            _draw_map(axes, cells, title, study, turned, crowded=max(sizes) > 14)
            axes.set_xlim(-0.5, max(sizes) - 0.5)
        style.footer(figure, study, f"{paramcd}. In a cell: log-rank p above the hazard ratio. Line: p = 0.05.")
    return figure, pd.concat(maps.values(), ignore_index=True)[TIPPING]


def _rows(cells: pd.DataFrame, turned: bool) -> int:
    return cells["other" if turned else "reference"].nunique()


def _draw_map(axes: Axes, cells: pd.DataFrame, title: str, study: Study, turned: bool, crowded: bool) -> None:
    down, along = ("other", "reference") if turned else ("reference", "other")
    p, hr = (cells.pivot_table(index=down, columns=along, values=name, dropna=False) for name in ("p", "hr"))
    depth = np.log10(np.clip(p.to_numpy(float), 1e-4, 1))
    shade = axes.imshow(depth, cmap="PuOr", norm=TwoSlopeNorm(math.log10(censoring.LEVEL), -4.5, 0.6), aspect="auto")
    if p.size <= MOST_CELLS:
        light = shade.cmap(shade.norm(depth))[..., :3] @ [0.299, 0.587, 0.114]
        for (row, column), value in np.ndenumerate(p.to_numpy(float)):
            cell = f"{_short(value, crowded)}\n{_ratio(hr.to_numpy(float)[row, column])}"
            axes.text(column, row, cell, ha="center", va="center", fontsize=5.5 if crowded else 6, linespacing=1.05,
                      color=style.INK if light[row, column] > 0.5 else "white")
    _border(axes, p.to_numpy(float) < censoring.LEVEL)
    arms = {"reference": study.reference, "other": next(key for key in study.arm_keys if key != study.reference)}
    axes.set_xticks(range(p.shape[1]), p.columns)
    axes.set_yticks(range(p.shape[0]), p.index)
    axes.tick_params(length=0)
    axes.set_xlabel(f"patients of {arms[along]} with the event right after censoring", loc="left")
    axes.set_ylabel(f"of {arms[down]}")
    axes.set_title(title, fontsize=8)
    for side in axes.spines.values():
        side.set_visible(False)


def _short(p: float, crowded: bool) -> str:
    if math.isnan(p):
        return "-"
    shown = "<.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.00995 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"
    return shown.removeprefix("0") if crowded else shown


def _ratio(hr: float) -> str:
    return "-" if math.isnan(hr) else f"{hr:.2f}"


def _border(axes: Axes, inside: np.ndarray) -> None:
    """A line between cells on either side of the threshold."""
    for row, column in np.argwhere(inside[:, 1:] != inside[:, :-1]):
        axes.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], color=style.INK, linewidth=1.8)
    for row, column in np.argwhere(inside[1:] != inside[:-1]):
        axes.plot([column - 0.5, column + 0.5], [row + 0.5] * 2, color=style.INK, linewidth=1.8)


def cure(adtte: pd.DataFrame, study: Study, fitted: dict[str, dict[str, mixture.Cure]] | None = None,
         paramcd: str = "TTRLP") -> tuple[Figure | None, pd.DataFrame]:
    """Draw Kaplan-Meier curves with Weibull fits with and without cure, twice as far as follow-up, and the likelihoods.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    fitted : dict, optional
        From `survival.cure.fits` of the same endpoint.
    paramcd : str

    Returns
    -------
    tuple
        Figure (None when no arm has enough events) and every number drawn: `part` is Kaplan-Meier, cure, no cure, or
        the profile of a family.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> cure(none, Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    groups = by_arm(endpoint(adtte, paramcd), study)
    fitted = fitted or cures.fits(adtte, study, paramcd)
    fits = {arm: both for arm, both in fitted.items() if not both["Weibull"].note}
    if not fits:
        return None, pd.DataFrame(columns=CURE)
    last = max(group["time"].max() for group in groups.values())
    parts = []
    with style.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 3.1), width_ratios=[1.45, 1])
        left.axvspan(units.from_days(last, study.report_unit), 2 * units.from_days(last, study.report_unit),
                     color=style.LIGHT, alpha=0.45, linewidth=0)
        for arm, both in fits.items():
            colour = style.arm_colours(study)[arm]
            parts.append(_draw_fits(left, groups[arm], both["Weibull"], arm, colour, last, study))
            parts.append(_draw_profiles(right, both, arm, colour))
        time_axis(left, tick_days(2 * last, study.report_unit), study.report_unit)
        origin = str(adtte.loc[adtte["PARAMCD"] == paramcd, "ORIGIN"].iloc[0])
        left.set(ylim=(0, 1.02), xlim=(0, 2 * units.from_days(last, study.report_unit)),
                 xlabel=f"{study.report_unit}s from {origin}", ylabel="probability of no event so far")
        right.axhline(-mixture.DROP, color=style.GREY, linewidth=0.7, linestyle=":")
        right.set(xlim=(0, 1), ylim=(-4, 0.15), xlabel="cured fraction", ylabel="profile log-likelihood")
        _cure_legends(left, right, list(fits), study, study.endpoint_labels.get(paramcd, paramcd))
        style.footer(figure, study, "Grey: beyond all follow-up. Dotted line on the right: limit of the 95% interval.")
    return figure, pd.concat(parts, ignore_index=True).reindex(columns=CURE)


def _draw_fits(axes: Axes, group: pd.DataFrame, found: mixture.Cure, arm: str, colour: str, last: float,
               study: Study) -> pd.DataFrame:
    curve = curves.kaplan_meier(group)
    day, survival = np.concatenate([[0.0], curve["time"]]), np.concatenate([[1.0], curve["survival"]])
    axes.step(shown(day, study.report_unit), survival, where="post", color=colour, linewidth=1.0, alpha=0.85)
    parts = [pd.DataFrame({"part": "Kaplan-Meier", "arm": arm, "day": day, "survival": survival})]
    grid = np.unique(np.round(np.linspace(0, 2 * last, 121)).clip(min=0.5))
    for part, point, dash in (("cure", found.best, "-"), ("no cure", found.nobody, (0, (1, 1.5)))):
        height = np.round(mixture.curve(point, grid), mixture.DECIMALS)
        axes.plot(shown(grid, study.report_unit), height, color=colour, linestyle=dash, linewidth=1.8)
        parts.append(pd.DataFrame({"part": part, "arm": arm, "day": grid, "survival": height}))
    return pd.concat(parts)


def _draw_profiles(axes: Axes, both: dict[str, mixture.Cure], arm: str, colour: str) -> pd.DataFrame:
    parts = []
    for family, dash in zip(mixture.FAMILIES, ("-", (0, (5, 2))), strict=True):
        line = both[family].profile
        axes.plot(line["fraction"], line["loglik"], color=colour, linestyle=dash)
        parts.append(line.assign(part=f"profile, {family}", arm=arm))
    return pd.concat(parts)


def _cure_legends(left: Axes, right: Axes, arms: list[str], study: Study, label: str) -> None:
    colours, grey = style.arm_colours(study), {"color": style.GREY}
    handles = [Line2D([], [], linewidth=1.0, label="Kaplan-Meier", **grey),
               Line2D([], [], linewidth=1.8, label="Weibull with cure", **grey),
               Line2D([], [], linewidth=1.8, linestyle=(0, (1, 1.5)), label="Weibull, nobody cured", **grey)]
    families = [Line2D([], [], label="Weibull", **grey),
                Line2D([], [], linestyle=(0, (5, 2)), label="log-normal", **grey)]
    names = [Line2D([], [], color=colours[arm], label=arm) for arm in arms]
    for axes, entries, columns, title in ((left, [*names, *handles], 3, f"{label[0].upper()}{label[1:]}"),
                                          (right, families, 2, "Profile likelihood of the fraction")):
        axes.legend(handles=entries, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, title=title,
                    alignment="left", title_fontproperties={"weight": "bold", "size": 8}, columnspacing=0.9,
                    handlelength=1.7, handletextpad=0.5, borderaxespad=0.2, fontsize=7)
