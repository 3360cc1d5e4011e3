"""Waterfall: each patient's best reduction of the transcript level from diagnosis, by the start and later."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from remission.figures import style
from remission.figures.mrd_trajectories import MARKERS, OUTCOMES
from remission.mrd import under_maintenance
from remission.study import Study

COLUMNS = ["patient", "arm", "outcome", "place", "by_start", "by_start_state", "later", "later_state"]
#: Above so many bars names no longer fit, and above so many arms stand below each other.
MOST_NAMED, MOST_ABREAST = 60, 60
STATE = {"QUANTIFIED": "measured", "PNQ": "at most", "NEGATIVE": "at least"}


def best_reductions(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Best log10 reduction from diagnosis of each patient, up to the origin and afterwards in remission.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        `patient`, `arm`, `outcome`, `place` (order within the arm, the least reduction first), `by_start`, `later`
        (log10; NaN where there is no sample) and whether each is `measured`, `at least` (not detected, so it reaches
        to the limit or beyond) or `at most` (detected and not quantifiable). Patients without a level at diagnosis
        have no row. Of two reductions as large the undetected one is taken.

    Examples
    --------
    >>> from remission import schema
    >>> best_reductions(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...                 Study("demo", "own", "", "", ())).empty
    True
    """
    first = int(admrd["ADY"].min()) if len(admrd) else 0
    used = under_maintenance(admrd, adsl, first)
    used = used.merge(adsl[["USUBJID", "DXDY"]], on="USUBJID", validate="many_to_one")
    used = used[used["LOGRED"].notna() & (used["ADY"] > used["DXDY"]).fillna(False).astype(bool)]
    used = used.assign(SURE=used["MRDSTATE"].map({"NEGATIVE": 0, "QUANTIFIED": 1, "PNQ": 2}))
    used = used.sort_values(["LOGRED", "SURE"], ascending=[False, True], kind="stable")
    made = used.groupby("USUBJID").agg(arm=("TRT01A", "first"), outcome=("STATUS", "first"))
    for name, mine in (("by_start", used[used["ADY"] <= 0]), ("later", used[used["ADY"] > 0])):
        best = mine.drop_duplicates("USUBJID").set_index("USUBJID")
        made[name] = best["LOGRED"].astype(float)
        made[f"{name}_state"] = best["MRDSTATE"].map(STATE)
    made = made.rename_axis("patient").reset_index()
    made = made.assign(most=made[["by_start", "later"]].max(axis=1),
                       rank=made["arm"].map({arm: place for place, arm in enumerate(study.arm_keys)}))
    made = made.sort_values(["rank", "by_start", "most", "patient"], kind="stable").reset_index(drop=True)
    return made.assign(place=made.groupby("arm").cumcount())[COLUMNS]


def waterfall(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw the best reductions as bars, the deeper the further down, arms side by side.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    figure : Figure or None
        None where no patient has a level at diagnosis and another one.
    plotted : DataFrame
        From `best_reductions`.
    """
    plotted = best_reductions(admrd, adsl, study)
    if plotted.empty:
        return None, plotted
    arms = [arm for arm in study.arm_keys if (plotted["arm"] == arm).any()]
    sizes = [int((plotted["arm"] == arm).sum()) for arm in arms]
    abreast = sum(sizes) <= MOST_ABREAST
    grid = {"ncols": len(arms), "width_ratios": [max(one, 4) for one in sizes]} if abreast else {"nrows": len(arms)}
    with style.style():
        figure, axes = plt.subplots(**grid, sharey=True, squeeze=False,
                                    figsize=(style.DOUBLE, 3.6 if abreast else 0.9 + 2.4 * len(arms)))
        depths = plotted[["by_start", "later"]].to_numpy(float)
        lowest, top = max(np.nanmax(depths), 0), max(-np.nanmin(depths), 0)
        for axis, arm in zip(axes.flat, arms, strict=True):
            mine = plotted[plotted["arm"] == arm]
            _bars(axis, mine, style.arm_colours(study)[arm], sum(sizes) <= MOST_NAMED)
            _outcomes(axis, mine, top + 0.32)
            axis.set_title(f"{arm} (n = {len(mine)})")
        axes[0, 0].set_ylim(-lowest - 0.35, top + 0.6)
        axes[0, 0].set_yticks(range(int(top), -int(lowest) - 1, -1))
        figure.supylabel("best change from diagnosis (log10)", fontsize=8)
        _legend(figure)
        left = int(adsl.loc[adsl["TTEFL"] == "Y", "USUBJID"].nunique()) - len(plotted)
        note = f" {left} without a level at diagnosis and a later one." if left else ""
        style.footer(figure, study, f"Samples in remission, before and after {study.origin_label}.{note}")
    return figure, plotted


def _bars(axis: Axes, mine: pd.DataFrame, colour: str, named: bool) -> None:
    start, later = mine["by_start"].fillna(0), mine["later"]
    axis.bar(mine["place"], -start, color=colour, width=0.72, zorder=2)
    more = (later - start).clip(lower=0).fillna(0)
    axis.bar(mine["place"], -more, bottom=-start, color=colour, alpha=0.3, width=0.72, zorder=2)
    deeper = later > start
    ends = pd.Series(np.where(deeper, later, start), mine.index)
    states = mine["later_state"].where(deeper, mine["by_start_state"])
    for key, word in STATE.items():
        marker, filled, _ = MARKERS[key]
        kept = states == word
        if not filled:
            axis.plot(mine.loc[kept, "place"], -ends[kept], linestyle="", marker=marker, markersize=4, color=colour,
                      markerfacecolor="white", markeredgewidth=0.8, zorder=3)
    axis.axhline(0, color=style.INK, linewidth=0.7)
    axis.grid(axis="y", color=style.LIGHT, linewidth=0.5, zorder=0)
    axis.set_axisbelow(True)
    axis.set_xlim(-0.7, max(len(mine), 4) - 0.3)
    axis.set_xticks(mine["place"] if named else [], mine["patient"] if named else [], rotation=90, fontsize=6)
    axis.tick_params(axis="x", length=0)
    axis.spines["bottom"].set_visible(False)


def _outcomes(axis: Axes, mine: pd.DataFrame, height: float) -> None:
    for outcome, (marker, _) in OUTCOMES.items():
        kept = mine["outcome"] == outcome
        axis.plot(mine.loc[kept, "place"], np.full(kept.sum(), height), linestyle="", marker=marker, markersize=4.5,
                  color=style.INK, markeredgecolor="white", markeredgewidth=0.4)


def _legend(figure: Figure) -> None:
    grey = style.GREY
    handles = [Patch(facecolor=grey, linewidth=0, label="by the start"),
               Patch(facecolor=grey, alpha=0.3, linewidth=0, label="deeper later"),
               Line2D([], [], linestyle="", marker="v", color=grey, markerfacecolor="white", markersize=4,
                      label="not detected: at least so deep"),
               Line2D([], [], linestyle="", marker="D", color=grey, markerfacecolor="white", markersize=4,
                      label="not quantifiable: at most so deep")]
    handles += [Line2D([], [], linestyle="", marker=marker, color=style.INK, markersize=5, label=words)
                for marker, words in OUTCOMES.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=6.5)
