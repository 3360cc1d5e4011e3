"""Swimmer plot: a lane for every patient."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.figures import style
from remission.figures.survival import shown, tick_days, time_axis
from remission.study import Study

#: Above this many patients lanes are too thin to read.
MOST_LANES = 150
LANES = ["lane", "patient", "arm", "part", "start", "stop"]
#: Part of a swimmer lane: opacity of the arm's colour, and thickness in points.
STATES = {"remission, on maintenance": (0.85, 4.2), "remission, off maintenance": (0.4, 4.2), "remission": (0.6, 4.2),
          "after relapse": (1.0, 1.6)}
#: Mark of a swimmer lane: marker and size; marks not named here are open circles.
MARKS = {"relapse": ("^", 4.6), "relapse, CNS": ("D", 3.8), "relapse, BM+CNS": ("P", 4.8), "death": ("x", 4.2),
         "ongoing remission": (">", 4.6), "alive after relapse": (">", 3.4), "interferon stopped": ("|", 5.5)}


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
        `patient`, `day`, `kind`: further marks, such as a mutation found.

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
    height = min(0.17 * len(lanes), max(5.5, 0.085 * len(lanes)))
    gap = max(1.2, 0.2 * len(lanes) / height)  # lanes left free for an arm's name
    lanes = lanes.assign(lane=np.arange(len(lanes)) + gap * lanes["place"])
    placed, parts = _marks(lanes, adex, marks), _parts(lanes)
    with style.style():
        figure, axes = plt.subplots(figsize=(style.DOUBLE, 1.5 + height))
        thinner = min(1.0, 72 * height / len(lanes) / 8)
        _draw_lanes(axes, parts, lanes, study, thinner, gap)
        _draw_marks(axes, placed, lanes, study, thinner)
        ticks = tick_days(lanes["end"].max(), study.report_unit)
        time_axis(axes, ticks, study.report_unit)
        axes.set(xlabel=f"{study.report_unit}s from {study.origin_label}", ylim=(lanes["lane"].max() + 0.9, -gap))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        _swimmer_legend(axes, parts, placed)
        style.footer(figure, study, "Lanes end at last contact or death.")
    return figure, pd.concat([parts, placed], ignore_index=True)[LANES]


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


def swimmer_caption(adsl: pd.DataFrame) -> str:
    """What the swimmer plot shows, or why there is none.

    Parameters
    ----------
    adsl : DataFrame

    Returns
    -------
    str

    Examples
    --------
    >>> swimmer_caption(pd.DataFrame({"TTEFL": ["Y"] * 151}))
    'No swimmer plot: 151 lanes would be too thin to read (150 at most).'
    """
    usable = int((adsl["TTEFL"] == "Y").sum())
    if usable > MOST_LANES:
        return f"No swimmer plot: {usable} lanes would be too thin to read ({MOST_LANES} at most)."
    return f"One lane for each of {usable} patients with usable dates, {len(adsl) - usable} without a lane."


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


def _draw_marks(axes: Axes, marks: pd.DataFrame, lanes: pd.DataFrame, study: Study, thinner: float) -> None:
    for kind, frame in marks.groupby("part", sort=False):
        marker, size = MARKS.get(kind, ("o", 3.5))
        axes.plot(shown(frame["start"], study.report_unit), frame["lane"], linestyle="none", marker=marker,
                  markersize=size * max(thinner, 0.6), color="black", zorder=5, clip_on=False,
                  markerfacecolor="white" if kind not in MARKS else "black")


def _swimmer_legend(axes: Axes, parts: pd.DataFrame, marks: pd.DataFrame) -> None:
    handles = [Line2D([], [], color=style.GREY, alpha=STATES[part][0], linewidth=STATES[part][1], label=part)
               for part in STATES if (parts["part"] == part).any()]
    kinds = [kind for kind in MARKS if (marks["part"] == kind).any()]
    kinds += sorted(set(marks["part"]) - set(MARKS))
    for kind in kinds:
        marker, size = MARKS.get(kind, ("o", 3.5))
        handles.append(Line2D([], [], linestyle="none", marker=marker, markersize=size, color="black", label=kind,
                              markerfacecolor="white" if kind not in MARKS else "black"))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, columnspacing=1.2,
                handletextpad=0.5)
