"""Every estimate of the contrast on one page: ratios and differences with their intervals, as the results have them."""

from __future__ import annotations

import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission import study as units
from remission.figures import style
from remission.study import Study

COLUMNS = ["panel", "group", "label", "value", "lower", "upper", "unit", "events", "n", "display", "method",
           "result_id"]
RATIO, MEAN, MILESTONE = "hazard ratio", "difference of restricted means", "difference at a fixed time"
#: Endpoints in the order of the page, with the words of the lines that carry them. Duration of maintenance is not
#: among them: more of it favours nobody.
ENDPOINTS = {"TTRLP": "time to relapse", "RFS": "relapse-free survival", "OSDX": "survival from diagnosis",
             "OSMT": "survival from {origin}"}
DEATH = "Death in remission"
#: Hazard ratios: analysis and statistic, group (blank: the endpoint's own), words.
RATIOS = {("cox", "HR"): ("", "Cox, Wald"), ("cox_profile", "HR"): ("", "Cox, profile likelihood"),
          ("firth", "HR"): ("", "Cox, Firth's penalty"), ("bootstrap", "HR"): ("", "Cox, bootstrap"),
          ("cox_truncated", "HR"): ("", "Cox, Wald, left-truncated"),
          ("cause_specific", "relapse_HR"): ("", "cause-specific Cox, Wald"),
          ("cause_specific", "death_in_remission_HR"): (DEATH, "cause-specific Cox, Wald"),
          ("cause_specific", "death_in_remission_firth_HR"): (DEATH, "cause-specific Cox, Firth's penalty")}
#: Differences: analysis, and stem of the statistic before its time, with panel and words.
DIFFERENCES = {("rmst", "difference"): (MEAN, ""), ("bootstrap", "rmst_difference"): (MEAN, ", bootstrap"),
               ("milestone", "difference"): (MILESTONE, "")}
#: What each panel shows, at its head and at its axis.
TITLES = {RATIO: ("A  Hazard ratio", "hazard ratio, {contrast}"),
          MEAN: ("B  Restricted mean", "difference of restricted mean times, {unit}s"),
          MILESTONE: ("C  At fixed times", "difference in the probability of no event, percentage points")}
#: An interval is cut this far beyond the outermost estimates, as a ratio, and an arrow says that it goes on.
REACH = 4.0
#: Letters of a reason that fit the width of a panel.
REASON = 56
#: Inches of one line of the page, of an axis with its label, of the small print.
LINE, AXIS, PRINT = 0.15, 0.42, 0.3
#: Edges of the panels, and the columns of text at their right, as shares of the page's width.
LEFT, RIGHT, COUNTS, TEXT = 0.35, 0.69, 0.705, 0.785


def forest(rows: pd.DataFrame, study: Study) -> tuple[Figure | None, pd.DataFrame]:
    """Draw every estimate of the two-arm contrast with its interval, from result rows alone.

    Parameters
    ----------
    rows : DataFrame
        Results: analyses `cox`, `cox_profile`, `firth`, `cox_truncated`, `cause_specific`, `rmst`, `milestone` and
        `bootstrap`, as far as they are there.
    study : Study

    Returns
    -------
    tuple
        Figure (None without a contrast of two arms) and a row a line: `panel`, `group`, `label` (method or time),
        `value`, `lower`, `upper` in `unit` as drawn, `events`, `n`, `display`, `method`, `result_id`. An estimate that
        does not exist has a line all the same, with the reason.

    Examples
    --------
    >>> from remission.study import Arm
    >>> forest(pd.DataFrame(columns=["arm"]), Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    lines = estimates(rows, study)
    if lines.empty:
        return None, lines
    panels = dict(list(lines.groupby("panel", sort=False)))
    places = {name: _places(panel) for name, panel in panels.items()}
    height = sum(LINE * bottom + AXIS for _, _, bottom in places.values()) + PRINT
    with style.style():
        figure = plt.figure(figsize=(style.DOUBLE, height), layout="none")  # columns of text stand where they are put
        top = height
        for name, panel in panels.items():
            size = LINE * places[name][2]
            axes = figure.add_axes((LEFT, (top - size) / height, RIGHT - LEFT, size / height))
            top -= size + AXIS
            _scale(axes, panel, name, study)
            _headings(axes, panel, places[name], name, study)
            for line, at in zip(panel.itertuples(), places[name][0], strict=True):
                _draw_line(axes, line, at)
        style.footer(figure, study, f"Differences: {study.contrast.replace(' vs ', ' minus ')}. Arrows: the interval "
                     "goes on.")
    return figure, lines


def estimates(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The estimates of the contrast among result rows, in the order of the page.

    Parameters
    ----------
    rows : DataFrame
        Results.
    study : Study

    Returns
    -------
    DataFrame
        As drawn by `forest`; no rows without a contrast.

    Examples
    --------
    >>> from remission import results
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)), endpoints=("RFS",))
    >>> row = results.row("cox", "RFS", "all", "A vs B", "HR", 0.5, lower=0.2, upper=1.1, unit="HR", method="Cox",
    ...                   display="0.50 (95% CI 0.20 to 1.10)")
    >>> estimates(results.frame([row]), two)[["group", "label", "value"]].values.tolist()
    [['Relapse-free survival', 'Cox, Wald', 0.5]]
    """
    if not study.contrast:
        return pd.DataFrame(columns=COLUMNS)
    made = []
    mine = rows[(rows["arm"] == study.contrast) & rows["endpoint"].isin(list(ENDPOINTS))]
    for place, row in enumerate(mine.itertuples()):
        stem, _, time = row.statistic.rstrip("]").partition("[")
        if (row.analysis, row.statistic) in RATIOS:
            group, label = RATIOS[row.analysis, row.statistic]
            order = (0, 0.5 if group else list(ENDPOINTS).index(row.endpoint),
                     list(RATIOS).index((row.analysis, row.statistic)))
            made.append(_line(row, RATIO, group or _heading(row.endpoint, study), label, "HR", 1.0, order))
        elif (row.analysis, stem) in DIFFERENCES:
            panel, words = DIFFERENCES[row.analysis, stem]
            unit, scale = ((f"{study.report_unit}s", 1 / units.DAYS[study.report_unit]) if panel == MEAN
                           else ("percentage points", 100.0))
            order = (1 if panel == MEAN else 2, list(ENDPOINTS).index(row.endpoint), place)
            made.append(_line(row, panel, "", f"{_words(row.endpoint, study)}, {time}{words}", unit, scale, order))
    made.sort(key=lambda line: line["order"])
    return pd.DataFrame(made, columns=COLUMNS)


def reading(lines: pd.DataFrame, study: Study) -> str:
    """How far the estimates agree, in two sentences.

    Parameters
    ----------
    lines : DataFrame
        From `forest`.
    study : Study

    Returns
    -------
    str
        For ratios and for differences: how many exist, from where to where they run, and how many of their intervals
        leave out no effect. Says so without a contrast.

    Examples
    --------
    >>> from remission.study import Arm
    >>> reading(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),)))
    'A contrast is drawn for two arms only.'
    """
    if lines.empty:
        return "A contrast is drawn for two arms only."
    said = []
    for panel, null, decimals in ((RATIO, 1.0, 2), (MEAN, 0.0, 2), (MILESTONE, 0.0, 1)):
        mine = lines[lines["panel"] == panel]
        known = mine.dropna(subset=["value"])
        if mine.empty:
            continue
        ends = [f"{value:.{decimals}f}" for value in (known["value"].min(), known["value"].max()) if len(known)]
        ends = list(dict.fromkeys(ends))
        unit = "" if panel == RATIO else f" {mine['unit'].iloc[0]}"
        outside = int(((known["lower"] > null) | (known["upper"] < null)).sum())
        said.append(f"{panel}: {len(known)} of {len(mine)} lines can be estimated"
                    + (f" ({' to '.join(ends)}{unit}); in {outside} the interval excludes {null:g}" if ends else ""))
    return (f"**{study.contrast}.** " + ". ".join(words[0].upper() + words[1:] for words in said)
            + ". These are readings of the same patients, not independent findings.")


def listing(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the page as a table for reading.

    Parameters
    ----------
    lines : DataFrame
        From `forest`.

    Returns
    -------
    DataFrame
        `quantity`, `line`, `estimate`, `events`, `patients`.

    Examples
    --------
    >>> listing(pd.DataFrame(columns=COLUMNS)).columns.tolist()
    ['quantity', 'line', 'estimate', 'events', 'patients']
    """
    words = lines["label"].where(lines["group"] == "", lines["group"] + ": " + lines["label"])
    return pd.DataFrame({"quantity": lines["panel"], "line": words, "estimate": lines["display"],
                         "events": lines["events"], "patients": lines["n"]})


def _line(row, panel: str, group: str, label: str, unit: str, scale: float, order: tuple) -> dict:
    return {"panel": panel, "group": group, "label": label, "value": scale * row.value, "lower": scale * row.lower,
            "upper": scale * row.upper, "unit": unit, "events": row.events, "n": row.n, "display": row.display,
            "method": row.method, "result_id": row.result_id, "order": order}


def _heading(paramcd: str, study: Study) -> str:
    label = study.endpoint_labels.get(paramcd, _words(paramcd, study))
    return label[0].upper() + label[1:]


def _words(paramcd: str, study: Study) -> str:
    return ENDPOINTS[paramcd].format(origin=study.origin_label)


def _places(panel: pd.DataFrame) -> tuple[list[float], dict[str, float], float]:
    """Heights of a panel's lines and of its headings, from the top, and the height of all; a long reason takes more."""
    heights, headings, at = [], {}, 2.0  # above them the title and the heads of the columns
    for line in panel.itertuples():
        if line.group and line.group not in headings:
            headings[line.group] = at + (0.3 if headings else 0)
            at = headings[line.group] + 1
        tall = 0.55 * (len(_reason(line)) - 1)
        heights.append(at + tall / 2)
        at += 1 + tall
    return heights, headings, at


def _reason(line) -> list[str]:
    """Why there is no estimate, in lines; one empty line where there is one."""
    if line.value == line.value:
        return [""]
    return textwrap.wrap(line.display.removeprefix("not estimable").removeprefix(": "), REASON) or [""]


def _scale(axes: Axes, panel: pd.DataFrame, name: str, study: Study) -> None:
    """Axis of a panel: logarithmic for ratios, in the reader's unit for differences."""
    values = panel["value"].dropna().to_numpy(float)
    ends = panel[["value", "lower", "upper"]].to_numpy(float)
    ends = ends[np.isfinite(ends)]
    if name == RATIO:
        low = max(min([0.5, *ends]), min([0.5, *values]) / REACH) / 1.15
        high = min(max([2, *ends]), max([2, *values]) * REACH) * 1.15
        axes.set_xscale("log")
        ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    else:
        low, high = min([0, *ends]), max([0, *ends])
        margin = 0.06 * (high - low or 1)
        low, high = low - margin, high + margin
    axes.set_xlim(low, high)
    axes.set_xlabel(TITLES[name][1].format(contrast=study.contrast, unit=study.report_unit), fontsize=7.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", labelsize=7)


def _headings(axes: Axes, panel: pd.DataFrame, places: tuple, name: str, study: Study) -> None:
    """What stands beside and above a panel: its title, names of the lines, sides that it favours, column heads."""
    heights, headings, bottom = places
    axes.set_ylim(bottom, 0)
    axes.set_yticks([])
    no_effect = 1 if name == RATIO else 0
    axes.plot([no_effect, no_effect], [1.4, bottom], color=style.GREY, linewidth=0.8, zorder=1)
    bold = {"weight": "bold"}
    _write(axes, 0.01, 0.7, TITLES[name][0], size=8.5, **bold)
    for words, at in headings.items():
        _write(axes, 0.01, at, words, **bold)
    for words, at in zip(panel["label"], heights, strict=True):
        _write(axes, 0.025, at, words)
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    left, right = (other, study.reference) if name == RATIO else (study.reference, other)
    colours = style.arm_colours(study)
    _write(axes, LEFT, 0.7, f"← favours {_short(left)}", color=colours[left], **bold)
    _write(axes, RIGHT, 0.7, f"favours {_short(right)} →", color=colours[right], ha="right", **bold)
    _write(axes, COUNTS, 0.7, "events/n", **bold)
    _write(axes, TEXT, 0.7, f"{'ratio' if name == RATIO else 'difference'} (95% CI)", **bold)


def _short(arm: str, most: int = 14) -> str:
    """A key that leaves room for the other one."""
    return arm if len(arm) <= most else f"{arm[:most - 1]}…"


def _write(axes: Axes, at: float, height: float, words: str, size: float = 6.5, **how) -> None:
    """Words at a share of the page's width, beside a line of the panel."""
    axes.text((at - LEFT) / (RIGHT - LEFT), height, words, transform=axes.get_yaxis_transform(), va="center",
              fontsize=size, **how)


def _draw_line(axes: Axes, line, height: float) -> None:
    _write(axes, COUNTS, height, f"{line.events}/{line.n}")
    if math.isnan(line.value):
        _write(axes, LEFT + 0.005, height, "\n".join(_reason(line)), size=5.8, color=style.GREY, style="italic",
               linespacing=1.1, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
        _write(axes, TEXT, height, "not estimable", color=style.GREY)
        return
    words = line.display.replace("(95% CI not", "(CI not").replace("95% CI ", "")
    _write(axes, TEXT, height, words.replace(" percentage points", "").replace(" percentage point", ""))
    first, last = axes.get_xlim()
    lower, upper = (_limit(line, side) for side in ("lower", "upper"))
    if lower == lower and upper == upper:
        axes.plot([max(lower, first), min(upper, last)], [height, height], color=style.INK, linewidth=1.1, zorder=2)
    for cut, edge, marker in ((lower < first, first, "<"), (upper > last, last, ">")):
        if cut:
            axes.plot(edge, height, marker=marker, markersize=3.5, color=style.INK, zorder=3, clip_on=False)
    axes.plot(min(max(line.value, first), last), height, marker="s", markersize=3.8, color=style.INK, zorder=3)


def _limit(line, side: str) -> float:
    """A limit of the interval; results hold nothing where it is infinite, and their words say so."""
    value = getattr(line, side)
    words = line.display.rpartition(" to ")[2 if side == "upper" else 0].rpartition("CI ")[2]
    if math.isnan(value) and ("infinite" in words or "not reached" in words):
        return math.inf if side == "upper" else -math.inf
    return value
