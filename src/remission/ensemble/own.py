"""A cohort's own values of what its report leaves unprinted, by estimators that know nothing of ensembles."""

from __future__ import annotations

import math

import pandas as pd

from remission.ensemble.abstract import Abstract, Quantity
from remission.ensemble.inquiry import Inquiry
from remission.ensemble.unprinted import Target
from remission.estimators import comparisons, competing, curves, models, restricted
from remission.study import DAYS
from remission.survival import endpoint

#: Endpoints of a report as the analysis tables name them.
CODES = {"relapse": "TTRLP", "relapse_or_death": "RFS", "survival": "OSMT", "survival_from_diagnosis": "OSDX",
         "follow_up": "OSMT", "death_in_remission": "TTRLP"}
CAUSES = {"relapse": 1, "death_in_remission": 2}
COLUMNS = ["target", "own", "inside"]


def values(adtte: pd.DataFrame, abstract: Abstract, targets: list[Target]) -> dict[str, float]:
    """Compute targets from a cohort's time-to-event table.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    abstract : Abstract
    targets : list of Target

    Returns
    -------
    dict of float
        By target, times in grains of the abstract; infinite where a median is not reached. What the table does not
        hold is left out: groups of an arm, endpoints that it lacks, arms of other names.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": ["6-MP", "6-MP", "placebo", "placebo"], "ENTRYDY": 0,
    ...                      "PARAMCD": "TTRLP", "AVAL": [70, 140, 7, 35], "CNSR": [0, 1, 0, 0]})
    >>> target = Target("x", "", "6-MP", "probability", Quantity("survival", "relapse", "6-MP", at=10.0))
    >>> values(rows, read("freireich1963"), [target])
    {'x': 0.5}
    """
    if set(adtte["TRT01A"]) != {arm.key for arm in abstract.arms}:
        return {}
    made = {}
    for target in targets:
        value = _value(adtte, abstract, target.quantity)
        if not math.isnan(value):
            made[target.name] = value
    return made


def of(adtte: pd.DataFrame, inquiry: Inquiry) -> dict[str, float]:
    """`values` of everything that an inquiry has settled; empty where it has settled nothing."""
    if inquiry.settled.empty:
        return {}
    return values(adtte, inquiry.abstract, inquiry.found.targets)


def beside(settled: pd.DataFrame, own: dict[str, float]) -> pd.DataFrame:
    """Own values beside the extremes, and whether they lie inside.

    Parameters
    ----------
    settled : DataFrame
        From `verdicts.verdicts`.
    own : dict of float
        From `values`.

    Returns
    -------
    DataFrame
        `COLUMNS`, for the targets with an own value.

    Examples
    --------
    >>> table = pd.DataFrame({"target": ["x", "y"], "lower": [1.0, 0.0], "upper": [2.0, 1.0]})
    >>> beside(table, {"x": 2.5}).values.tolist()
    [['x', 2.5, False]]
    """
    rows = [(row.target, own[row.target], row.lower - 1e-9 <= own[row.target] <= row.upper + 1e-9)
            for row in settled.itertuples() if row.target in own]
    return pd.DataFrame(rows, columns=COLUMNS)


def _value(adtte: pd.DataFrame, abstract: Abstract, asked: Quantity) -> float:
    if asked.group or (asked.arm and asked.kind in ("p", "hazard_ratio", "power", "rmst_difference")):
        return math.nan  # groups of an arm stand in other tables
    grain = DAYS[abstract.grain]
    data = endpoint(adtte, CODES[asked.endpoint])
    if data.empty:
        return math.nan
    reference = next((arm.key for arm in abstract.arms if arm.reference), "")
    if asked.kind.startswith("hazard_ratio"):
        ratio = models.cox(data, reference)
        return {"hazard_ratio": ratio.value, "hazard_ratio_lower": ratio.lower, "hazard_ratio_upper": ratio.upper}[
            asked.kind]
    if asked.kind == "p":
        return comparisons.logrank(data, reference).p
    if asked.kind == "rmst_difference":
        return restricted.rmst_difference(data, reference, asked.at * grain).value / grain
    mine = data[data["arm"] == asked.arm].reset_index(drop=True)
    if asked.kind == "survival":
        return curves.survival_at(curves.kaplan_meier(mine), asked.at * grain).value
    if asked.kind == "incidence":
        return competing.incidence_at(mine, competing.cumulative_incidence(mine), CAUSES[asked.endpoint],
                                      asked.at * grain).value
    if asked.kind == "median" and asked.endpoint == "follow_up":
        found = curves.follow_up(mine).value
        return math.inf if math.isnan(found) else found / grain
    return math.nan
