"""Swimmer plot: a lane for every patient."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.adam.admrd import rules
from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study

#: Above this many patients lanes are too thin to read.
MOST_LANES = 150
LANES = ["lane", "patient", "arm", "part", "start", "stop"]
#: Part of a swimmer lane: opacity of the arm's colour, and thickness in points.
STATES = {"remission, on maintenance": (0.85, 4.2), "remission, off maintenance": (0.4, 4.2), "remission": (0.6, 4.2),
          "after relapse": (1.0, 1.6)}


class Look(NamedTuple):
    """How a mark is drawn: `offset` in lanes, below the lane where positive; `label` stands for it in the legend."""

    marker: str
    size: float
    face: str = "black"
    edge: str = "black"
    offset: float = 0.0
    label: str = ""


#: Marks of a swimmer lane; a mark not named here is an open circle. Those of the laboratory stand beside the lane.
MARKS = {"relapse": Look("^", 4.6), "relapse, CNS": Look("D", 3.8), "relapse, BM+CNS": Look("P", 4.8),
         "death": Look("x", 4.2), "ongoing remission": Look(">", 4.6), "alive after relapse": Look(">", 3.4),
         "interferon stopped": Look("|", 5.5)}
OTHER = Look("o", 3.5, "white")
MRD_ABOVE, MRD_LOW = "MRD above the response ratio", "MRD at or below the response ratio"
MUTATION = "mutation "
LABORATORY = {MRD_ABOVE: Look("o", 2.4, style.INK, style.INK, 0.31, "MRD > {ratio:g}%"),
              MRD_LOW: Look("o", 2.4, "white", "#8C8C8C", 0.31, "MRD ≤ {ratio:g}%"),
              MUTATION: Look("s", 4.2, "white", "black", -0.37, "other mutation"),
              MUTATION + "T315I": Look("*", 4.5, "black", "black", -0.37, "mutation T315I")}
#: Why a molecular mark has no place on a lane.
NO_LANE, NO_DAY, BEFORE = "of patients without a lane", "without a day", "before the time origin"
TWICE = "insufficient, or not the sample that stands for its day"
SILENT = "not quantified, the limit unknown or above the response ratio"
NONE_FOUND = "that found no mutation"


def swimmer(adsl: pd.DataFrame, study: Study, adex: pd.DataFrame | None = None,
            marks: pd.DataFrame | None = None) -> tuple[Figure | None, pd.DataFrame]:
    """Draw one lane a patient: remission on and off maintenance, relapse with its site, what came after, how it ended.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`; days. Patients whose dates do not suffice (TTEFL = N) have no lane.
    study : Study
    adex : DataFrame, optional
        Analysis table `adex`: the day on which interferon was stopped is marked, where imatinib went on.
    marks : DataFrame, optional
        `patient`, `day`, `kind`: further marks, such as those of `molecular_marks`. Rows with a text in a column
        `left_out` are not drawn.

    Returns
    -------
    tuple
        Figure (None without patients, or with more than 150) and every lane part and mark.

    Raises
    ------
    ValueError
        When a mark lies outside its patient's lane, or its patient has no lane.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["TTEFL", "USUBJID", "TRT01A", "STATUS", "RELSITE", "RELDY", "DTHDY", "LSTALVDY",
    ...                                "MTENDY"])
    >>> swimmer(nobody, Study("demo", "own", "", "", (Arm("A", "A"),)))[0] is None
    True
    """
    lanes = _lanes(adsl, study)
    if lanes.empty or len(lanes) > MOST_LANES:
        return None, pd.DataFrame(columns=LANES)
    if marks is not None and "left_out" in marks:
        marks = marks[marks["left_out"] == ""]
    beside = marks is not None and marks["kind"].map(lambda kind: _look(kind).offset != 0).any()
    pitch, page, least, room = (0.21, 6.6, 0.12, 1.6) if beside else (0.17, 5.5, 0.085, 1.2)
    height = min(pitch * len(lanes), max(page, least * len(lanes)))
    gap = max(room, 0.2 * len(lanes) / height)  # lanes left free for an arm's name
    lanes = lanes.assign(lane=np.arange(len(lanes)) + gap * lanes["place"])
    placed, parts = _marks(lanes, adex, marks), _parts(lanes)
    with style.style():
        figure, axes = plt.subplots(figsize=(style.DOUBLE, 1.6 + height))
        thinner = min(1.0, 72 * height / len(lanes) / (13 if beside else 8))
        _draw_lanes(axes, parts, lanes, study, thinner * (0.85 if beside else 1), gap)
        _draw_marks(axes, placed, study, thinner)
        ticks = tick_days(lanes["end"].max(), study.report_unit, most=13)
        time_axis(axes, ticks, study.report_unit)
        axes.set(xlabel=f"{study.report_unit}s from {study.origin_label}", ylim=(lanes["lane"].max() + 0.9, -gap))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=6)
        _swimmer_legend(axes, parts, placed, study)
        style.footer(figure, study, "Lanes end at last contact or death."
                     + ("\nBelow a lane: MRD samples, negative ones by their detection limit. Above it: mutations "
                        "found." if beside else ""))
    return figure, pd.concat([parts, placed], ignore_index=True)[LANES]


def molecular_marks(admrd: pd.DataFrame, admut: pd.DataFrame | None, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Marks of the molecular laboratory for the lanes: MRD by sample, kinase-domain mutations by finding.

    Parameters
    ----------
    admrd : DataFrame
        Analysis table `admrd`; a sample that is not quantified counts by its detection limit.
    admut : DataFrame or None
        One row a kinase-domain analysis: `USUBJID`, `ADY` (days), `VARIANT` (`none` where nothing was found).
    adsl : DataFrame
        Analysis table `adsl`: who has a lane.
    study : Study
        Its `[mrd]` section fixes the response ratio.

    Returns
    -------
    DataFrame
        `patient`, `day`, `kind`, `left_out`: why the mark has no place on a lane, or nothing. Samples before the time
        origin, and those that cannot tell, are left out by rule; a mark after the end of its lane is not: the figure
        refuses it.

    Examples
    --------
    >>> from remission.study import Arm
    >>> adsl = pd.DataFrame({"USUBJID": ["a"], "TTEFL": ["Y"]})
    >>> admut = pd.DataFrame({"USUBJID": "a", "ADY": [-9, 40], "VARIANT": "T315I"})
    >>> nothing = pd.DataFrame(columns=["USUBJID", "ADY", "RATIO", "LOD", "MRDSTATE", "ANL01FL"])
    >>> molecular_marks(nothing, admut, adsl, Study("demo", "own", "", "", ()))["left_out"].tolist()
    ['before the time origin', '']
    """
    laned = set(adsl.loc[adsl["TTEFL"] == "Y", "USUBJID"])
    ratio = rules(study)["response_ratio"]
    quantified = admrd["MRDSTATE"] == "QUANTIFIED"
    low = admrd["RATIO"].where(quantified, admrd["LOD"]).astype(float) <= ratio
    mrd = _placed(admrd, pd.Series(np.where(low, MRD_LOW, MRD_ABOVE), admrd.index), laned,
                  {SILENT: ~quantified & ~low, TWICE: admrd["ANL01FL"] != "Y"})
    if admut is None:
        return mrd
    found = admut["VARIANT"] != "none"
    mutations = _placed(admut, MUTATION + admut["VARIANT"].astype(str), laned, {NONE_FOUND: ~found})
    return pd.concat([mrd, mutations], ignore_index=True)


def marks_drawn(plotted: pd.DataFrame) -> pd.DataFrame:
    """Marks of a swimmer plot counted by arm.

    Parameters
    ----------
    plotted : DataFrame
        From `swimmer`.

    Returns
    -------
    DataFrame
        `mark` and one column an arm; no rows without a figure.

    Examples
    --------
    >>> marks_drawn(pd.DataFrame({"part": ["death"], "arm": ["A"], "start": [5], "stop": [5]})).values.tolist()
    [['death', 1]]
    """
    marks = plotted[plotted["start"] == plotted["stop"]]
    counted = pd.crosstab(marks["part"], marks["arm"])
    return counted.rename_axis("mark").rename_axis(columns=None).reset_index()


def swimmer_caption(adsl: pd.DataFrame, marks: pd.DataFrame | None = None) -> str:
    """What the swimmer plot shows and what it leaves out, or why there is none.

    Parameters
    ----------
    adsl : DataFrame
    marks : DataFrame, optional
        From `molecular_marks`.

    Returns
    -------
    str

    Examples
    --------
    >>> swimmer_caption(pd.DataFrame({"TTEFL": ["Y"] * 151}))
    'No swimmer plot: 151 lanes would be too thin to read (150 at most).'
    >>> marks = pd.DataFrame({"kind": ["mutation T315I", "mutation none"], "left_out": ["", "that found no mutation"]})
    >>> swimmer_caption(pd.DataFrame({"TTEFL": ["Y"]}), marks).partition(". ")[2]
    'Of 2 kinase-domain analyses 1 is marked; left out: 1 that found no mutation.'
    """
    usable = int((adsl["TTEFL"] == "Y").sum())
    if usable > MOST_LANES:
        return f"No swimmer plot: {usable} lanes would be too thin to read ({MOST_LANES} at most)."
    said = [f"One lane for each of {usable} patients with usable dates, {len(adsl) - usable} without a lane."]
    if marks is not None and len(marks):
        mutations = marks["kind"].str.startswith(MUTATION)
        said += [_account(mine, words) for mine, words in ((marks[~mutations], "MRD samples"),
                                                           (marks[mutations], "kinase-domain analyses")) if len(mine)]
    return " ".join(said)


def _account(marks: pd.DataFrame, words: str) -> str:
    """How many of the marks are drawn, and how many are not, by reason."""
    drawn = int((marks["left_out"] == "").sum())
    reasons = marks.loc[marks["left_out"] != "", "left_out"].value_counts(sort=False)
    left = ", ".join(f"{count} {reason}" for reason, count in reasons.sort_index().items())
    return (f"Of {len(marks)} {words} {drawn} {'is' if drawn == 1 else 'are'} marked"
            + (f"; left out: {left}." if left else "."))


def _placed(table: pd.DataFrame, kind: pd.Series, laned: set[str], silent: dict[str, pd.Series]) -> pd.DataFrame:
    """Rows of a molecular table as marks, each with the first reason that keeps it from its lane."""
    day = table["ADY"].astype("Float64").astype(float)
    why = pd.Series("", table.index, dtype=object)
    reasons = {**silent, BEFORE: day < 0, NO_DAY: day.isna(), NO_LANE: ~table["USUBJID"].isin(laned)}
    for reason, holds in reasons.items():
        why = why.mask(holds.fillna(False).astype(bool), reason)
    return pd.DataFrame({"patient": table["USUBJID"], "day": day, "kind": kind, "left_out": why})


def _lanes(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row a lane: patient, arm, ends of remission, of treatment and of observation; sorted, arms apart."""
    usable = adsl[adsl["TTEFL"] == "Y"]
    days = usable[["RELDY", "DTHDY", "LSTALVDY", "MTENDY"]].astype(float)
    end = days[["RELDY", "DTHDY", "LSTALVDY"]].max(axis=1)
    lanes = pd.DataFrame({
        "patient": usable["USUBJID"], "arm": usable["TRT01A"], "status": usable["STATUS"], "site": usable["RELSITE"],
        "relapse": days["RELDY"], "death": days["DTHDY"], "off": days["MTENDY"].clip(upper=end),
        "remission": days["RELDY"].fillna(end), "end": end})
    order = {key: place for place, key in enumerate(study.arm_keys)}
    lanes = lanes.assign(place=lanes["arm"].map(order)).sort_values(
        ["place", "remission", "patient"], ascending=[True, False, True], kind="stable")
    return lanes.reset_index(drop=True)


def _parts(lanes: pd.DataFrame) -> pd.DataFrame:
    """Stretches of every lane by state."""
    on = np.minimum(lanes["off"].fillna(0), lanes["remission"])
    known = lanes["off"].notna()
    stretches = [("remission, on maintenance", 0 * on, on, known),
                 ("remission, off maintenance", on, lanes["remission"], known),
                 ("remission", 0 * on, lanes["remission"], ~known),
                 ("after relapse", lanes["relapse"], lanes["end"], lanes["relapse"].notna())]
    who = lanes[["lane", "patient", "arm"]]
    made = pd.concat([who[which].assign(part=part, start=start[which], stop=stop[which])
                      for part, start, stop, which in stretches], ignore_index=True)
    return made[made["stop"] > made["start"]].sort_values(["lane", "start"], kind="stable")


def _marks(lanes: pd.DataFrame, adex: pd.DataFrame | None, more: pd.DataFrame | None) -> pd.DataFrame:
    """Marks on lanes; one outside its lane is an error."""
    site = lanes["site"].where(lanes["site"].isin(["CNS", "BM+CNS"]))
    kind = ("relapse" + (", " + site).fillna("")).where(lanes["relapse"].notna())
    alive = lanes["death"].isna()
    sources = [lanes[["patient"]].assign(day=lanes["relapse"], kind=kind),
               lanes[["patient"]].assign(day=lanes["death"], kind="death"),
               lanes[["patient"]].assign(day=lanes["end"], kind="ongoing remission")[alive & lanes["relapse"].isna()],
               lanes[["patient"]].assign(day=lanes["end"], kind="alive after relapse")[
                   alive & (lanes["relapse"] < lanes["end"])]]
    if adex is not None and len(adex):
        stopped = adex[adex["EXDRUG"].str.startswith("interferon") & adex["USUBJID"].isin(lanes["patient"])]
        stopped = stopped.rename(columns={"USUBJID": "patient", "ENDY": "day"}).assign(kind="interferon stopped")
        ends = stopped["patient"].map(lanes.set_index("patient")["off"])
        sources.append(stopped.loc[stopped["day"].astype(float) < ends, ["patient", "day", "kind"]])
    if more is not None and len(more):
        sources.append(more[["patient", "day", "kind"]])
    made = pd.concat([source.astype({"day": float}).dropna(subset=["day"]) for source in sources], ignore_index=True)
    made = made.merge(lanes[["patient", "arm", "lane", "end"]], on="patient", how="left", validate="many_to_one")
    outside = made["lane"].isna() | (made["day"] < 0) | (made["day"] > made["end"])
    if outside.any():
        said = [f"{row.kind} of {row.patient} on day {row.day:g}" for row in made[outside].head(8).itertuples()]
        raise ValueError(f"marks outside their lane: {'; '.join(said)}")
    return made.assign(part=made["kind"], start=made["day"], stop=made["day"])[LANES]


def _draw_lanes(axes: Axes, parts: pd.DataFrame, lanes: pd.DataFrame, study: Study, thinner: float,
                gap: float) -> None:
    colours = style.arm_colours(study)
    for (part, arm), frame in parts.groupby(["part", "arm"], sort=False):
        alpha, width = STATES[part]
        colour = style.GREY if part == "after relapse" else colours[arm]
        axes.hlines(frame["lane"], shown(frame["start"], study.report_unit), shown(frame["stop"], study.report_unit),
                    color=colour, alpha=alpha, linewidth=width * thinner)
    axes.set_yticks(lanes["lane"], lanes["patient"], fontsize=max(3.5, 6 * thinner))
    for label, arm in zip(axes.get_yticklabels(), lanes["arm"], strict=True):
        label.set_color(colours[arm])
    names = {arm.key: arm.label for arm in study.arms}
    for arm, frame in lanes.groupby("arm", sort=False):
        axes.text(0, frame["lane"].min() - 0.62 * gap, f"{names[arm]}, n = {len(frame)}", color=colours[arm],
                  fontsize=7.5, fontweight="bold", va="center")


def _look(kind: str) -> Look:
    if kind.startswith(MUTATION):
        return LABORATORY.get(kind, LABORATORY[MUTATION])
    return MARKS.get(kind) or LABORATORY.get(kind, OTHER)


def _draw_marks(axes: Axes, marks: pd.DataFrame, study: Study, thinner: float) -> None:
    # Marks of the laboratory first, T315I last among them: where two fall on one day, neither hides the other.
    order = sorted(pd.unique(marks["part"]), key=lambda kind: (_look(kind).offset == 0, _look(kind).marker == "*"))
    for kind in order:
        frame, look = marks[marks["part"] == kind], _look(kind)
        axes.plot(shown(frame["start"], study.report_unit), frame["lane"] + look.offset, linestyle="none",
                  marker=look.marker, markersize=look.size * max(thinner, 0.6), color=look.edge, zorder=5,
                  markerfacecolor=look.face, markeredgewidth=0.6 if look.offset else 1.0, clip_on=False)


def _swimmer_legend(axes: Axes, parts: pd.DataFrame, marks: pd.DataFrame, study: Study) -> None:
    handles = [Line2D([], [], color=style.GREY, alpha=STATES[part][0], linewidth=STATES[part][1], label=part)
               for part in STATES if (parts["part"] == part).any()]
    order = [*MARKS, MRD_ABOVE, MRD_LOW, MUTATION + "T315I"]
    kinds = [kind for kind in order if (marks["part"] == kind).any()]
    kinds += sorted(set(marks["part"]) - set(order))
    ratio, said = rules(study)["response_ratio"], set()
    for kind in kinds:
        look = _look(kind)
        label = look.label.format(ratio=ratio) or kind
        if label not in said:
            handles.append(Line2D([], [], linestyle="none", marker=look.marker, markersize=look.size, label=label,
                                  color=look.edge, markerfacecolor=look.face,
                                  markeredgewidth=0.6 if look.offset else 1.0))
        said.add(label)
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, columnspacing=1.2,
                handletextpad=0.5)
