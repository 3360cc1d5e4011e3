"""Two groups compared under a choice of definitions: curves, hazard ratio and p, all from the same patients."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from remission.adam.admrd import rules as mrd_rules
from remission.estimators import comparisons, competing, curves, models, wording
from remission.estimators.models import HazardRatio
from remission.mrd import landmark
from remission.study import Study
from remission.survival.endpoints import RELAPSE, by_arm, endpoint
from remission.survival.grid import RULES, complement, counted, possible, rules
from remission.survival.grid import clocks as grid_clocks

#: Event rules of the definition grid, and one that leaves remission aside.
EVENTS = {**RULES, "death": "death of any cause"}
#: Endpoint from which an event rule takes its patients.
SOURCE = {"death": "OSMT"}
ANY = "any detectable level"


class Group(NamedTuple):
    """One line: its patients (`time` in days, `event`), and `time`, `survival` and limits of its curve."""

    label: str
    patients: pd.DataFrame
    curve: pd.DataFrame
    median: str


class Comparison(NamedTuple):
    """Groups, and numbers as readers see them; without groups `p` says why there is nothing to compare.

    `rising`: the curves are to be drawn as cumulative incidence, one minus what they hold.
    """

    what: str
    clock: str
    groups: tuple[Group, ...]
    ratio: str
    p: str
    rising: bool = False


def events(adtte: pd.DataFrame) -> dict[str, str]:
    """Event rules that differ in these patients.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`.

    Returns
    -------
    dict
        Words by rule.

    Examples
    --------
    >>> rows = pd.DataFrame({"USUBJID": ["a"], "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": 9, "CNSR": 0, "ENTRYDY": 0})
    >>> events(rows)
    {'relapse': 'relapse; death in remission censored'}
    """
    found = rules(endpoint(adtte, "TTRLP"))
    return {rule: words for rule, words in EVENTS.items()
            if rule in found or (adtte["PARAMCD"] == SOURCE.get(rule, "")).any()}


def clocks(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study) -> dict[str, str]:
    """Clocks that a cohort allows.

    Parameters
    ----------
    adsl, adtte : DataFrame
    study : Study

    Returns
    -------
    dict
        Words by clock, as in the definition grid.

    Examples
    --------
    >>> from remission.study import Arm
    >>> adsl = pd.DataFrame({"USUBJID": ["a"], "CRDY": [-30], "DXDY": [0]})
    >>> rows = pd.DataFrame({"USUBJID": ["a"], "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": 9, "CNSR": 0, "ENTRYDY": 0})
    >>> list(clocks(adsl, rows, Study("demo", "own", "", "", (Arm("A", "A"),))))
    ['start', 'remission', 'remission_truncated']
    """
    return {clock.name: clock.label for clock in grid_clocks(adsl, endpoint(adtte, "TTRLP"), study)[0]}


def of_arms(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study, event: str = "relapse",
            clock: str = "start") -> Comparison:
    """Compare the two arms under one event rule and one clock.

    Parameters
    ----------
    adsl, adtte : DataFrame
        Analysis tables; days.
    study : Study
    event : str
        One of `events`.
    clock : str
        One of `clocks`.

    Returns
    -------
    Comparison
        Log-rank p and Cox hazard ratio (Efron ties, Wald 95% interval); with death in remission competing, Gray's p and
        the Fine-Gray ratio, and cumulative incidence for curves. No groups where nothing can be compared.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": list("AABB"), "PARAMCD": "TTRLP",
    ...                      "AVAL": [9, 20, 5, 7], "CNSR": 0, "ENTRYDY": 0})
    >>> adsl = pd.DataFrame({"USUBJID": list("abcd"), "CRDY": 0, "DXDY": 0})
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)), report_unit="day")
    >>> of_arms(adsl, rows, two).p, [group.median.partition(" (")[0] for group in of_arms(adsl, rows, two).groups]
    ('p = 0.090', ['15 days', '6 days'])
    """
    words = EVENTS[event]
    data = endpoint(adtte, SOURCE.get(event, "TTRLP"))
    from_ = {one.name: one for one in grid_clocks(adsl, data, study)[0]}[clock]
    if not possible(event, from_):
        return _none(words, from_.label, "no test of competing events exists for patients who enter late")
    mine = counted(data, event, from_)
    if not study.contrast or mine["arm"].nunique() != 2:
        return _none(words, from_.label, "there are no two arms to compare")
    late, rising = from_.truncated, event == "competing"
    if rising:
        ratio, test = competing.fine_gray(mine, study.reference, RELAPSE), competing.gray(mine, RELAPSE)
    else:
        ratio = models.cox(mine, study.reference, truncated=late)
        test = comparisons.weighted_logrank(mine, study.reference, truncated=late)
    groups = tuple(_group(arm, rows, study, late, rising) for arm, rows in by_arm(mine, study).items())
    return Comparison(words, from_.label, groups, _ratio(ratio), wording.p_value(test.p, test.note), rising)


def landmark_days(study: Study) -> dict[str, int]:
    """Landmarks that can be chosen: the time origin, and those of `study.toml`.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        Days by words.

    Examples
    --------
    >>> landmark_days(Study("demo", "own", "", "", (), mrd={"landmarks": [6]}))
    {'start of maintenance': 0, '6 months': 183}
    """
    return {study.origin_label: 0, **landmark.landmarks(study)}


def thresholds(study: Study) -> dict[str, float | None]:
    """Levels from which a sample may count as positive, the most sensitive first.

    Parameters
    ----------
    study : Study
        `depth_ratio` of `[mrd]`.

    Returns
    -------
    dict
        Ratio in % by words; None for any detectable level.

    Examples
    --------
    >>> list(thresholds(Study("demo", "own", "", "", ())))[:2]
    ['any detectable level', '0.001% (MR5)']
    """
    ratios = sorted((ratio, name) for name, ratio in mrd_rules(study)["depth_ratio"].items())
    return {ANY: None, **{f"{ratio:g}% ({name})": ratio for ratio, name in ratios}}


def of_states(adtv: pd.DataFrame, study: Study, day: int = 0, threshold: float | None = None,
              arm: str = "all") -> Comparison:
    """Compare patients whose last sample before a landmark was positive with those in whom it was negative.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of MRD states.
    study : Study
    day : int
        Landmark, days from the time origin.
    threshold : float, optional
        Ratio in % from which a sample is positive; any detectable level without it.
    arm : str
        An arm, or `all`: test and ratio are then stratified by arm.

    Returns
    -------
    Comparison
        Time to relapse from the landmark; log-rank p, and Cox ratio with Firth's penalty, positive against negative.
        No groups where nobody is on one side.

    Examples
    --------
    >>> from remission import schema
    >>> of_states(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).groups
    ()
    """
    data = landmark.at_landmark(adtv, day, mrd_rules(study)["landmark_age_days"], threshold)
    data = data if arm == "all" else data[data["arm"] == arm]
    words = {days: words for words, days in landmark_days(study).items()}.get(day, f"day {day}")
    limit = ANY if threshold is None else f"{threshold:g}% or above"
    what, clock = f"relapse; MRD positive from {limit}", words if day == 0 else f"the landmark at {words}"
    if data.loc[data["state"] != "unknown", "state"].nunique() < 2:
        return _none(what, clock, "nobody is on one side")
    _, test, found = landmark.compared(data, arm == "all")
    groups = tuple(_group(f"MRD {state}", data[data["state"] == state], study) for state in landmark.STATES)
    return Comparison(what, clock, groups, _ratio(found), wording.p_value(test.p, test.note))


def _none(what: str, clock: str, why: str) -> Comparison:
    return Comparison(what, clock, (), f"not estimable: {why}", f"not estimable: {why}")


def _ratio(found: HazardRatio) -> str:
    return wording.ratio_interval(found.value, found.lower, found.upper, found.note)


def _group(label: str, patients: pd.DataFrame, study: Study, late: bool = False, rising: bool = False) -> Group:
    """One group with its curve: survival, or cumulative incidence of relapse."""
    curve = complement(competing.cumulative_incidence(patients)) if rising else \
        curves.kaplan_meier(patients, late)
    return Group(label, patients, curve, wording.duration_interval(curves.quantile(curve), study.report_unit))
