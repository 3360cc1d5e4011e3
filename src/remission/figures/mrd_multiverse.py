"""Coding multiverse: the specification curve, and the share that predicts against what chance gives."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.estimators import wording
from remission.figures import specification, style
from remission.mrd.multiverse import CHOICES, Multiverse, Reference, chance_p, words
from remission.study import Study

HEADINGS = {"threshold": "good is", "time": "when", "source": "source", "limit": "not detected counts as",
            "endpoint": "endpoint", "test": "test"}
SEEN = style.COLOURS[1]
TICKS = [step * 10.0**power for power in range(-6, 7) for step in (1, 3)]
CHANCE = ["part", "arm", "value", "permutations"]


def curve(multiverse: Multiverse, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every specification that can be analysed: p, hazard ratio with interval, and the choices behind it.

    Parameters
    ----------
    multiverse : Multiverse
    study : Study

    Returns
    -------
    tuple
        As from `specification.specification_curve`.
    """
    cells = multiverse.cells
    shown = {choice: cells[choice].map(lambda key, choice=choice: words(choice, key, study)) for choice in HEADINGS}
    # The curve has room for the name of an endpoint, and not for its rule.
    shown["endpoint"] = shown["endpoint"].str.split(",").str[0]
    for choice, one in shown.items():
        order = CHOICES[choice].values() if choice in CHOICES else pd.unique(one)
        shown[choice] = pd.Categorical(one, list(order), ordered=True)
    arm = "all arms, stratified" if multiverse.arm == "all" else multiverse.arm
    counted = cells["counted"].eq(True)
    figure, plotted = specification.specification_curve(
        cells.assign(**shown), study, HEADINGS, "hazard ratio", title=f"Relapse by MRD at {study.origin_label}: {arm}",
        note=f"Hazard ratio above 1: higher MRD, earlier relapse. {int(counted.sum()):,} analyses are distinct.")
    if figure is not None:
        low, high = figure.axes[1].get_ylim()
        ticks = [tick for tick in TICKS if low <= tick <= high]
        figure.axes[1].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    return figure, plotted


def chance(references: dict[str, Reference], study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the share of analyses that predict, and the median hazard ratio, against their values by chance.

    Parameters
    ----------
    references : dict of Reference
        By arm, as drawn, one row of panels each.
    study : Study

    Returns
    -------
    figure : Figure or None
        None where nothing was analysed.
    plotted : DataFrame
        `part` (`share`, `median HR`, and each with ` seen`), `arm`, `value` (the left edge of a bin of the share, the
        middle of a bin of the ratio, or what was seen) and `permutations` in the bin.
    """
    used = {arm: one for arm, one in references.items() if len(one.share) > 1}
    if not used:
        return None, pd.DataFrame(columns=CHANCE)
    parts = []
    with style.style():
        figure, axes = plt.subplots(len(used), 2, figsize=(style.DOUBLE, 0.75 + 1.85 * len(used)), squeeze=False,
                                    sharex="col")
        for (arm, one), (left, right) in zip(used.items(), axes, strict=True):
            name = "all arms" if arm == "all" else arm
            parts += [_shares(left, one, arm), _ratios(right, one, arm)]
            left.set_title(f"{name}: analyses that predict", pad=14)
            right.set_title(f"{name}: median hazard ratio", pad=14)
            left.set_ylabel("permutations")
        axes[-1, 0].set_xlabel("share with p < 0.05, the higher MRD earlier (%)")
        axes[-1, 1].set_xlabel("median over the distinct data sets")
        draws = next(iter(used.values())).draws
        style.footer(figure, study, f"Grey: outcomes permuted against all codings, {draws:,} times. Line: as seen.")
    return figure, pd.concat(parts, ignore_index=True)


def _shares(axes: Axes, one: Reference, arm: str) -> pd.DataFrame:
    edges = np.arange(-2.5, 103, 5)
    counts, _ = np.histogram(100 * one.share[1:], edges)
    _bars(axes, edges, counts)
    axes.axvline(100 * one.share[0], color=SEEN, linewidth=1.6)
    axes.set_xlim(-4, max(30, edges[1:][counts > 0].max(initial=0), 100 * one.share[0]) + 2)
    _say(axes, f"by chance {100 * (one.share[1:] > 0).mean():.0f}% of draws have some; "
               f"seen {100 * one.share[0]:.0f}%, {wording.p_value(chance_p(one.share))}")
    return _drawn("share", arm, (edges[:-1] + edges[1:]) / 2, counts, 100 * one.share[0])


def _ratios(axes: Axes, one: Reference, arm: str) -> pd.DataFrame:
    drawn = one.middle[1:][np.isfinite(one.middle[1:])]
    every = np.log(np.append(drawn, one.middle[0])) if np.isfinite(one.middle[0]) else np.log(drawn)
    edges = np.exp(np.linspace(every.min() - 0.01, every.max() + 0.01, 26)) if len(every) else np.array([0.5, 2.0])
    counts, _ = np.histogram(drawn, edges)
    _bars(axes, edges, counts)
    axes.axvline(1, color=style.INK, linewidth=0.7)
    axes.axvline(one.middle[0], color=SEEN, linewidth=1.6)
    ticks, labels = specification._log_ticks(edges[0], edges[-1])
    axes.set_xscale("log")
    axes.set_xticks(ticks, labels)
    axes.minorticks_off()
    if len(drawn):
        low, high = np.percentile(drawn, [2.5, 97.5])
        _say(axes, f"by chance 95% between {low:.2f} and {high:.2f}; seen {one.middle[0]:.2f}")
    return _drawn("median HR", arm, np.sqrt(edges[:-1] * edges[1:]), counts, one.middle[0])


def _bars(axes: Axes, edges: np.ndarray, counts: np.ndarray) -> None:
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=style.LIGHT, edgecolor="white", linewidth=0.4)


def _say(axes: Axes, line: str) -> None:
    axes.text(0, 1.03, line, transform=axes.transAxes, fontsize=6.5, color=style.GREY).set_in_layout(False)


def _drawn(part: str, arm: str, places: np.ndarray, counts: np.ndarray, seen: float) -> pd.DataFrame:
    rows = pd.DataFrame({"part": part, "arm": arm, "value": places, "permutations": counts})
    return pd.concat([rows[rows["permutations"] > 0],
                      pd.DataFrame({"part": f"{part} seen", "arm": arm, "value": [seen], "permutations": [0]})])
