"""The claim ledger on one page."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from remission.figures import style
from remission.study import Study

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
    middle = (ledger["upper"] + ledger["lower"]) / 2
    raw = np.where(half > 0, (ledger["value"] - middle) / half.where(half > 0), ledger["value"] - middle)
    position = pd.Series(raw, index=ledger.index).clip(-EDGE, EDGE)
    plotted = ledger[["id", "topic", "arm", "quantity", "printed", "unit", "display", "status"]].assign(position=position)
    with style.style():
        figure, axis = plt.subplots(figsize=(style.DOUBLE, 0.62 + 0.152 * len(ledger)))
        figure.get_layout_engine().set(rect=(0, 0, 1, 1))
        axis.axvspan(-1, 1, color="#E8F1F8", zorder=0, lw=0)
        y = np.arange(len(plotted))
        for status, (colour, marker) in STATUS.items():
            chosen = (plotted["status"] == status).to_numpy()
            axis.scatter(plotted["position"].fillna(0)[chosen], y[chosen], s=20, color=colour, marker=marker,
                         label=f"{status} ({chosen.sum()})", zorder=3)
        for place, text in zip(y, plotted.itertuples(), strict=True):
            colour = STATUS[text.status][0]
            axis.text(-EDGE - 0.35, place, f"{text.id}  {_short(text.quantity, 44)}", ha="right", va="center", fontsize=6)
            axis.text(EDGE + 0.35, place, _short(f"{text.printed} {text.unit}".strip(), 22), va="center", fontsize=6)
            axis.text(EDGE + 3.6, place, _short(text.display, 38), va="center", fontsize=6, color=colour)
        axis.text(EDGE + 0.35, -1.6, "printed", fontsize=6.5, weight="bold")
        axis.text(EDGE + 3.6, -1.6, "recomputed", fontsize=6.5, weight="bold")
        for edge in np.flatnonzero(plotted["topic"].ne(plotted["topic"].shift()))[1:]:
            axis.axhline(edge - 0.5, color=style.LIGHT, lw=0.5, zorder=0)
        axis.set(xlim=(-EDGE - 0.2, EDGE + 0.2), ylim=(len(plotted) - 0.4, -0.8), yticks=[],
                 xticks=[-1, 0, 1], xlabel="recomputed value within the printed rounding (shaded; marks beyond it stop at "
                 "the edge)")
        axis.spines["left"].set_visible(False)
        figure.legend(loc="outside upper left", ncols=4, handletextpad=0.2, columnspacing=1.2)
        style.footer(figure, study)
    return figure, plotted


def _short(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"
