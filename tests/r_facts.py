"""The numbers that R gave (data/r_reference.json, made by data/r_reference.R) and the data sets that they belong to."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

DATA = Path(__file__).parent / "data"


class Fact(NamedTuple):
    """One number of R: which data, arm, analysis and statistic; NaN where R has none; `se` if R drew it at random."""

    data: str
    group: str
    analysis: str
    statistic: str
    value: float
    call: str
    se: float = 0.0

    @property
    def what(self) -> str:
        """The statistic without its time."""
        return self.statistic.split("@")[0]

    @property
    def at(self) -> float:
        """The statistic's time, or its place in a list."""
        return float(self.statistic.split("@")[1])

    @property
    def cause(self) -> int:
        """The cause that the analysis is about."""
        return int(self.analysis[-1])

    @property
    def truncated(self) -> bool:
        """Whether patients count from their entry on."""
        return self.analysis.endswith("_truncated")

    @property
    def name(self) -> str:
        """What to call it in a table."""
        return f"{self.data}-{self.group}-{self.analysis}-{self.statistic}"


FACTS = [Fact(**{**fact, "value": math.nan if fact["value"] is None else float(fact["value"])})
         for fact in json.loads((DATA / "r_reference.json").read_text(encoding="utf-8"))]


@cache
def frame(name: str) -> pd.DataFrame:
    """One data set, with `event` for the endpoint that the R script analyses, and `entry` and `code` where known."""
    data = pd.read_csv(DATA / f"{name.removesuffix('_os')}.csv", dtype={"arm": str})
    if name == "exemplar_os":
        return data.assign(time=data["os_time"], event=data["os_event"] == 1)
    if name == "km_bmt":
        return data.assign(event=data["code"] > 0)
    return data.assign(event=(data["event"] if "event" in data else data["code"]) == 1)


@cache
def arm(name: str, group: str) -> pd.DataFrame:
    """One arm of a data set."""
    return frame(name)[frame(name)["arm"] == group]


@cache
def pair(name: str, cause: int = 0) -> pd.DataFrame:
    """The two arms that the R script compares: in km_bmt its groups 1 and 2; with a cause, that one is the event."""
    data = frame(name)[frame(name)["arm"] != "3"] if name == "km_bmt" else frame(name)
    return data.assign(event=data["code"] == cause) if cause else data


class Arrays(NamedTuple):
    """Two arms as arrays; `other` is True outside the reference arm, `entry` may be None."""

    time: np.ndarray
    event: np.ndarray
    other: np.ndarray
    entry: np.ndarray | None


def arrays(data: pd.DataFrame, reference: str = "", truncated: bool = False) -> Arrays:
    """A frame as arrays."""
    return Arrays(data["time"].to_numpy(float), data["event"].to_numpy(bool), (data["arm"] != reference).to_numpy(),
                  data["entry"].to_numpy(float) if truncated else None)


def of(fact: Fact) -> Arrays:
    """The arrays of a comparison: the arms, the endpoint and the truncation that a fact is about."""
    cause = fact.cause if "_cause" in fact.analysis else 0
    return arrays(pair(fact.data, cause), fact.group, fact.truncated)
