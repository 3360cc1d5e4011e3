"""Every statistic against R: the numbers of data/r_reference.json, made by data/r_reference.R.

A closed form has to agree to 1e-9 relative, and so has the maximum of the partial likelihood, since both sides are
told to go on to the last bit; what R builds on its own looser fit (`cox.zph`) has to agree to 1e-6.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from remission.estimators import comparisons, curves, models
from remission.survival import competing, proportion

DATA = Path(__file__).parent / "data"
FACTS = json.loads((DATA / "r_reference.json").read_text(encoding="utf-8"))
LOOSE = {"ph"}


@cache
def frame(name: str) -> pd.DataFrame:
    """One data set, with `event` for the endpoint that the R script analyses."""
    data = pd.read_csv(DATA / f"{name.removesuffix('_os')}.csv", dtype={"arm": str})
    if name == "exemplar_os":
        return data.assign(time=data["os_time"], event=data["os_event"] == 1)
    if name == "km_bmt":
        return data.assign(event=data["code"] > 0)
    return data.assign(event=(data["event"] if "event" in data else data["code"]) == 1)


@cache
def curve(name: str, arm: str, truncated: bool) -> pd.DataFrame:
    data = frame(name)
    return curves.kaplan_meier(data[data["arm"] == arm], truncated)


@cache
def incidence(name: str, arm: str) -> pd.DataFrame:
    data = frame(name)
    return competing.cumulative_incidence(data[data["arm"] == arm])


@cache
def contrast(name: str, analysis: str, reference: str):
    data = frame(name)
    data = data[data["arm"] != "3"] if name == "km_bmt" else data  # the R script compares its groups 1 and 2
    if analysis == "logrank":
        return comparisons.logrank(data, reference)
    if analysis == "ph":
        return comparisons.Test(*models.proportional_hazards(data, reference))
    return models.cox(data, reference, truncated=analysis == "cox_truncated")


@cache
def gray(name: str, cause: int):
    return competing.gray(frame(name), cause)


def part(estimate: curves.Estimate, statistic: str) -> float:
    """Value or limit, by the end of the statistic's name."""
    end = statistic.split("@")[0].split("_")[-1]
    return {"lower": estimate.lower, "upper": estimate.upper}.get(end, estimate.value)


def ours(fact: dict) -> float:
    name, arm, analysis, statistic = (fact[key] for key in ("data", "group", "analysis", "statistic"))
    if analysis == "proportion":
        count, total = map(int, arm.split(" of "))
        return part(proportion(count, total), statistic)
    if analysis in ("logrank", "ph", "cox", "cox_truncated"):
        return getattr(contrast(name, analysis, arm), {"HR": "value"}.get(statistic, statistic))
    if analysis.startswith("gray"):
        return getattr(gray(name, int(analysis[-1])), statistic)
    if analysis.startswith("cif"):
        lines = incidence(name, arm)
        what, at = statistic.split("@")
        before = lines[(lines["cause"] == int(analysis[-1])) & (lines["time"] <= float(at))]
        return float(before[what].iloc[-1]) if len(before) else 0.0
    if analysis == "followup":
        data = frame(name)
        return part(curves.follow_up(data[data["arm"] == arm]), statistic)
    truncated = analysis == "km_truncated"
    if "@" not in statistic:
        level = {"q25": 0.25, "median": 0.5, "q75": 0.75}[statistic.split("_")[0]]
        return part(curves.quantile(curve(name, arm, truncated), level), statistic)
    at = float(statistic.split("@")[1])
    if statistic.startswith("at_risk"):
        data = frame(name)
        return float(curves._at_risk(data[data["arm"] == arm], [at], truncated)[0])
    return part(curves.survival_at(curve(name, arm, truncated), at), statistic)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: "-".join(
    fact[key] for key in ("data", "group", "analysis", "statistic")))
def test_equals_r(fact):
    found, tolerance = ours(fact), 1e-6 if fact["analysis"] in LOOSE else 1e-9
    if fact["value"] is None:
        assert math.isnan(found), fact["call"]
    else:
        assert found == pytest.approx(fact["value"], rel=tolerance, abs=1e-12), fact["call"]


def test_the_table_is_long_enough_to_mean_something():
    assert len(FACTS) >= 150
    assert {fact["data"] for fact in FACTS} >= {"aml", "drug6mp", "km_bmt", "sksurv_bmt", "bioc_all", "exemplar"}
    assert sum(fact["value"] is not None for fact in FACTS) >= 600
