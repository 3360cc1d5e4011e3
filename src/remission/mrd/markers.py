"""Markers known at the origin: what they are, who has them, how patients are grouped by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from remission.study import Study

GROUPS = ("good", "poor")
FRAME_COLUMNS = ["patient", "arm", "time", "event", "code", "value", "risk", "group"]


@dataclass(frozen=True)
class Marker:
    """One marker: its column in `admk`, and which side is expected to relapse earlier.

    A binary marker names the letter of its favourable group (`good`); a continuous one leaves `good` empty and says by
    `harm` whether higher (+1) or lower (-1) values are expected to be unfavourable.
    """

    key: str
    label: str
    column: str
    words: tuple[str, str]
    good: str = ""
    harm: int = 1
    per: str = ""

    @property
    def continuous(self) -> bool:
        """Whether the marker is a number rather than a yes or no."""
        return not self.good


MARKERS = (
    Marker("response6m", "early MRD response", "RESP6M", ("response", "no response"), good="Y"),
    Marker("ever_negative", "ever MRD negative by start", "EVERNEG", ("ever", "never"), good="Y"),
    Marker("level_at_start", "MRD level at start", "LVLSTART", ("at most the median", "above the median"), harm=1,
           per="log10 higher"),
    Marker("cycles", "cycles of intensive chemotherapy", "NCYCLES", ("above the median", "at most the median"), harm=-1,
           per="cycle fewer"),
    Marker("mutation", "kinase-domain mutation by start", "MUTFL", ("none", "found"), good="N"),
)


def marker_frame(endpoint: pd.DataFrame, admk: pd.DataFrame, marker: Marker) -> pd.DataFrame:
    """Outcome and marker of every patient in whom both are known.

    Parameters
    ----------
    endpoint : DataFrame
        `patient`, `arm`, `time` (days), `event` (bool) and perhaps `code` (2: a competing event); one endpoint.
    admk : DataFrame
        Analysis table of markers.
    marker : Marker

    Returns
    -------
    DataFrame
        `patient`, `arm`, `time`, `event`, `code` (1 and 0 of `event` where the endpoint has none), `value`, `risk` and
        `group` (`good` or `poor`). `risk` rises in the
        direction expected to be unfavourable: for a continuous marker it is `value` or its negative, for a binary one
        1 in the unfavourable group and 0 in the other. A continuous marker is split at its median, for display:
        patients at the median go with the lower side, unless that would leave the upper side empty.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient": ["a", "b"], "arm": "A", "time": [5, 9], "event": True})
    >>> admk = pd.DataFrame({"USUBJID": ["a", "b"], "RESP6M": ["Y", "N"]})
    >>> marker_frame(rows, admk, MARKERS[0])["group"].tolist()
    ['good', 'poor']
    """
    known = admk.loc[admk[marker.column].notna(), ["USUBJID", marker.column]]
    data = endpoint.merge(known, left_on="patient", right_on="USUBJID", how="inner", validate="one_to_one")
    if data.empty:
        return pd.DataFrame(columns=FRAME_COLUMNS)
    if marker.continuous:
        value = data[marker.column].astype(float)
        upper = value > value.median() if value.max() > value.median() else value >= value.median()
        poor = upper if marker.harm > 0 else ~upper
    else:
        poor = data[marker.column] != marker.good
        value = poor.astype(float)
    risk = value * marker.harm if marker.continuous else value
    code = data["code"] if "code" in data else data["event"].astype(int)
    return data.assign(code=code, value=value, risk=risk, group=np.where(poor, "poor", "good"))[FRAME_COLUMNS]


def arms_to_test(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> list[str]:
    """Arms in which markers are tested: every arm with marker data but the reference, and all of them together.

    Parameters
    ----------
    endpoint, admk : DataFrame
    study : Study

    Returns
    -------
    list of str
        Arm keys, then `all` when more than one arm has data; the reference arm only when it is alone.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"patient": ["a", "b"], "arm": ["A", "B"], "time": [5, 9], "event": True})
    >>> known = {marker.column: [None, None] for marker in MARKERS} | {"USUBJID": ["a", "b"], "NCYCLES": [3, 4]}
    >>> arms_to_test(rows, pd.DataFrame(known), two)
    ['A', 'all']
    """
    known = admk.loc[admk[[marker.column for marker in MARKERS]].notna().any(axis=1), "USUBJID"]
    have = set(endpoint.loc[endpoint["patient"].isin(known), "arm"])
    arms = [key for key in study.arm_keys if key in have]
    return arms if len(arms) < 2 else [*(key for key in arms if key != study.reference), "all"]


def comparisons(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> Iterator[tuple[str, Marker, pd.DataFrame]]:
    """Every marker in every arm that can be tested, with its patients.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `marker_frame`.
    study : Study

    Yields
    ------
    arm : str
        As in `arms_to_test`.
    marker : Marker
    data : DataFrame
        From `marker_frame`, never empty.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> rows = pd.DataFrame({"patient": ["a", "b"], "arm": "A", "time": [5, 9], "event": True})
    >>> known = {marker.column: [None, None] for marker in MARKERS} | {"USUBJID": ["a", "b"], "NCYCLES": [3, 4]}
    >>> [(arm, marker.key, len(data)) for arm, marker, data in
    ...  comparisons(rows, pd.DataFrame(known), Study("demo", "own", "", "", (Arm("A", "A"),)))]
    [('A', 'cycles', 2)]
    """
    for arm in arms_to_test(endpoint, admk, study):
        mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
        for marker in MARKERS:
            data = marker_frame(mine, admk, marker)
            if len(data):
                yield arm, marker, data


def strata_of(data: pd.DataFrame, arm: str) -> np.ndarray | None:
    """Arms within which patients are compared: those of the patients when all arms are taken together.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": ["A", "B"]})
    >>> strata_of(rows, "A") is None, strata_of(rows, "all").tolist()
    (True, ['A', 'B'])
    """
    return data["arm"].to_numpy() if arm == "all" else None


def contrast_width(risk: pd.Series, marker: Marker) -> float:
    """Width of the contrast on which a marker is judged: 1 for two groups, the interquartile range of a number.

    Parameters
    ----------
    risk : Series of float
    marker : Marker

    Returns
    -------
    float
        1 too where more than half of the patients share one value, so that the interquartile range is zero.

    Examples
    --------
    >>> contrast_width(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0]), MARKERS[2])
    2.0
    """
    width = float(risk.quantile(0.75) - risk.quantile(0.25)) if marker.continuous else 1.0
    return width if width > 0 else 1.0


def availability(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """In how many patients each marker is known, and how thinly relapses spread over its groups.

    Parameters
    ----------
    endpoint, admk : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        One row an arm and marker: `arm`, `marker`, `patients` with the endpoint, `known`, `good` and `poor` (patients),
        `relapses_good`, `relapses_poor`; no rows without markers.

    Examples
    --------
    >>> from remission.study import Study
    >>> availability(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...              pd.DataFrame(columns=["USUBJID", *(marker.column for marker in MARKERS)]),
    ...              Study("demo", "own", "", "", ())).empty
    True
    """
    made = []
    for arm in arms_to_test(endpoint, admk, study):
        mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
        for marker in MARKERS:
            data = marker_frame(mine, admk, marker)
            groups = [data[data["group"] == group] for group in GROUPS]
            made.append([arm, marker.label, len(mine), len(data), *(len(one) for one in groups),
                         *(int(one["event"].sum()) for one in groups)])
    return pd.DataFrame(made, columns=["arm", "marker", "patients", "known", *GROUPS, "relapses_good", "relapses_poor"])
