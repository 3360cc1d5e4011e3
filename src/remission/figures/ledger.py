"""The claim ledger on one page."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from remission.figures import style
from remission.study import DAYS, Study

#: Colour, marker and word of each status; the marker differs too, for readers without colour.
STATUS = {"reproduced": ("#0072B2", "o"), "contradicted": ("#D55E00", "X"), "not checkable": (style.GREY, "_"),
          "not reproduced": ("#000000", "s")}
#: Recomputed values further out than this many half-widths of the rounding are drawn at the edge.
EDGE = 3.0


def claim_ledger(ledger: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every claim: where the recomputed value falls in the rounding interval of the printed one.

    Parameters
    ----------
    ledger : DataFrame
        From `ledger.settle`.
    study : Study

    Returns
    -------
    figure : Figure or None
        None without claims.
    plotted : DataFrame
        One row a claim: `position` is 0 at the middle of the printed interval and 1 at its bounds.
    """
    if ledger.empty:
        return None, ledger
    half = (ledger["upper"] - ledger["lower"]) / 2
    off = ledger["value"] - (ledger["upper"] + ledger["lower"]) / 2
    plotted = pd.DataFrame({
        "id": ledger["id"], "topic": ledger["topic"], "claim": ledger["id"] + "  " + ledger["quantity"] + _of(ledger),
        "printed": _with_unit(ledger["printed"], ledger), "status": ledger["status"],
        "recomputed": _with_unit(ledger["value"].map("{:.4g}".format), ledger).where(ledger["value"].notna(), ""),
        "position": off.where(half == 0, off / half.where(half > 0)).clip(-EDGE, EDGE),
    })
    with style.style():
        height = 1.0 + 0.152 * len(plotted)
        figure = plt.figure(figsize=(style.DOUBLE, height), layout="none")
        axis = figure.add_axes((0.53, 0.55 / height, 0.19, 1 - 0.95 / height))
        _marks(axis, plotted)
        corner = mpl.transforms.blended_transform_factory(figure.transFigure, axis.transAxes)
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), bbox_transform=corner, ncols=4, handletextpad=0.1,
                    columnspacing=1.0)
        figure.text(0.01, 0.012, style.footer_text(study), fontsize=6.5, color=style.GREY)
    return figure, plotted


def _marks(axis: mpl.axes.Axes, plotted: pd.DataFrame) -> None:
    """One line a claim: its words, its mark, the printed and the recomputed value."""
    y = np.arange(len(plotted))
    axis.axvspan(-1, 1, color="#E8F1F8", zorder=0, lw=0)
    for status, (colour, marker) in STATUS.items():
        chosen = (plotted["status"] == status).to_numpy()
        axis.scatter(plotted["position"].fillna(0)[chosen], y[chosen], s=20, color=colour, marker=marker,
                     label=f"{status} ({chosen.sum()})", zorder=3)
    beside = axis.get_yaxis_transform()
    for place, text in zip(y, plotted.itertuples(), strict=True):
        axis.text(-0.04, place, _short(text.claim, 84), ha="right", va="center", fontsize=6, transform=beside)
        axis.text(1.05, place, _short(text.printed, 20), va="center", fontsize=6, transform=beside)
        axis.text(1.62, place, text.recomputed, va="center", fontsize=6, color=STATUS[text.status][0], transform=beside)
    axis.text(1.05, -1.2, "printed", fontsize=6.5, weight="bold", transform=beside)
    axis.text(1.62, -1.2, "recomputed", fontsize=6.5, weight="bold", transform=beside)
    for edge in np.flatnonzero(plotted["topic"].ne(plotted["topic"].shift()))[1:]:
        axis.axhline(edge - 0.5, color=style.LIGHT, lw=0.5, zorder=0)
    axis.set(xlim=(-EDGE - 0.3, EDGE + 0.3), ylim=(len(plotted) - 0.3, -1.8), yticks=[])
    axis.set_xticks([-1, 1], ["lower", "upper"])
    axis.set_xlabel("bound of the printed rounding", fontsize=7)
    axis.spines["left"].set_visible(False)


def _of(ledger: pd.DataFrame) -> pd.Series:
    return (", " + ledger["arm"]).where(~ledger["arm"].isin(["", "all", "both"]), "")


def _with_unit(text: pd.Series, ledger: pd.DataFrame) -> pd.Series:
    """Values with their unit, where it is one that a reader needs and the text does not carry its own."""
    shown = ledger["unit"].where(~ledger["unit"].isin(["n", "p", "probability", "text", ""]), "")
    shown = shown.where(~shown.isin(DAYS) | (ledger["value"] == 1), shown + "s")
    shown = shown.mask(text.str.fullmatch(rf".*\b(?:{'|'.join(DAYS)})s?"), "")
    return (text + " " + shown).str.strip()


def _short(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"
