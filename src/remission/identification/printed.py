"""What a report prints about two remission curves, as windows of whole days."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import pandas as pd

from remission.study import DAYS, Study

#: Larger reports are not searched: the number of orders of events grows too fast.
MOST_PATIENTS, MOST_DEATHS = 60, 6


class Window(NamedTuple):
    """Whole days (or half days) that print as one number; both ends belong."""

    lower: int
    upper: int


class Group(NamedTuple):
    """One arm as printed. Windows are in days; the median's in half days, since a midpoint may fall between two."""

    arm: str
    patients: int
    relapses: int
    deaths: int
    ongoing: tuple[Window, ...]
    median: Window
    shortest: Window
    longest: Window
    longest_ended: bool


class Printed(NamedTuple):
    """Two arms and the p-value of their comparison: every p in [p_lower, p_upper) prints as the same number."""

    other: Group
    reference: Group
    p_lower: float
    p_upper: float

    @property
    def first_exit(self) -> Window:
        """When the first patient of the reference arm leaves in ongoing remission."""
        return self.reference.ongoing[0]

    @property
    def last_exit(self) -> Window:
        """When the reference arm's last patient leaves: from then on a log-rank test does not change."""
        return self.reference.ongoing[-1]


def read(claims: pd.DataFrame, study: Study) -> Printed | None:
    """Take from a cohort's claims what bears on the comparison of its remission curves.

    Parameters
    ----------
    claims : DataFrame
        From `ledger.read_claims`.
    study : Study

    Returns
    -------
    Printed or None
        None when something is missing; `why_not` says what.

    Examples
    --------
    >>> from remission import ledger
    >>> from remission.study import read as read_study
    >>> study = read_study("ash2012_reconstructed")
    >>> read(ledger.read_claims(study), study).reference.ongoing
    (Window(lower=2356, upper=2392), Window(lower=2758, upper=2794))
    """
    if why_not(claims, study):
        return None
    p = _claim(claims, f"logrank.TTRLP.all.{study.contrast}.p")
    other = next(key for key in study.arm_keys if key != study.reference)
    return Printed(_group(claims, other), _group(claims, study.reference), float(p["lower"]), float(p["upper"]))


def why_not(claims: pd.DataFrame, study: Study) -> str:
    """Say why the two readings of a p-value cannot be held against each other; nothing when they can.

    Parameters
    ----------
    claims : DataFrame
        From `ledger.read_claims`.
    study : Study

    Returns
    -------
    str

    Examples
    --------
    >>> from remission import ledger
    >>> from remission.study import read as read_study
    >>> study = read_study("freireich1963")
    >>> why_not(ledger.read_claims(study), study)
    'no p-value of a log-rank test of the two arms is printed'
    """
    if not study.contrast:
        return "there are not two arms"
    if _claim(claims, f"logrank.TTRLP.all.{study.contrast}.p") is None:
        return "no p-value of a log-rank test of the two arms is printed"
    missing = [f"{what} of {arm}" for arm in study.arm_keys for what, name in _NEEDED.items()
               if _claim(claims, name.format(arm=arm)) is None]
    if missing:
        return f"not printed: {', '.join(missing)}"
    return _out_of_scope(*(_group(claims, arm) for arm in study.arm_keys if arm != study.reference),
                         _group(claims, study.reference))


_NEEDED = {"number": "count.-.all.{arm}.n", "relapses": "status.-.all.{arm}.relapse",
           "ongoing remissions": "ongoing.TTRLP.all.{arm}.time1", "median": "km.TTRLP.all.{arm}.median",
           "shortest remission": "range.TTRLP.all.{arm}.min", "longest remission": "range.TTRLP.all.{arm}.max_any"}


def _out_of_scope(other: Group, reference: Group) -> str:
    """What the search over orders of events takes for granted, and this report does not give."""
    if other.deaths < 1:
        return "no death in remission: both readings are one"
    if reference.deaths:
        return "deaths in remission in both arms"
    if other.patients + reference.patients > MOST_PATIENTS or other.deaths > MOST_DEATHS:
        return f"more than {MOST_PATIENTS} patients or {MOST_DEATHS} deaths: too many orders of events"
    if reference.longest_ended or reference.longest != reference.ongoing[-1]:
        return "the reference arm's longest remission is not an ongoing one"
    if min(reference.ongoing).lower <= other.median.upper - other.shortest.lower:
        return "a control is censored before the median of the other arm"
    if min(other.ongoing).lower <= reference.longest.upper:
        return "an ongoing remission of the other arm may end before the last control's"
    return ""


def _group(claims: pd.DataFrame, arm: str) -> Group:
    patients, relapses = (int(_claim(claims, name.format(arm=arm))["lower"])
                          for name in ("count.-.all.{arm}.n", "status.-.all.{arm}.relapse"))
    times = claims[claims["result_id"].str.fullmatch(rf"ongoing\.TTRLP\.all\.{re.escape(arm)}\.time\d+")]
    longest = _claim(claims, f"range.TTRLP.all.{arm}.max_any")
    return Group(
        arm, patients, relapses, patients - relapses - len(times),
        tuple(sorted(_window(row) for _, row in times.iterrows())),
        _window(_claim(claims, f"km.TTRLP.all.{arm}.median"), halves=2),
        _window(_claim(claims, f"range.TTRLP.all.{arm}.min")), _window(longest),
        longest["reading_result_id"] == f"range.TTRLP.all.{arm}.max_event")


def _claim(claims: pd.DataFrame, result_id: str) -> pd.Series | None:
    found = claims[claims["result_id"] == result_id]
    return None if found.empty else found.iloc[0]


def _window(claim: pd.Series, halves: int = 1) -> Window:
    """Whole days (half days with `halves` 2) whose value in the claim's unit lies inside its bounds."""
    days = DAYS[claim["unit"]] * halves
    lower, upper = claim["lower"] * days, claim["upper"] * days
    last = math.ceil(upper - 1e-6) - 1 if claim["upper_open"] == "Y" else math.floor(upper + 1e-6)
    return Window(math.ceil(lower - 1e-6), last)
