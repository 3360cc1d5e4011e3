"""Which engine offers which of R's numbers, and which of them it is held to.

`OFFERS[engine, analysis]` takes a fact and returns the engine's value; engines_ours and engines_peers fill it. Where an
engine gives only some statistics of an analysis, `ONLY` names them. Where it is known to differ from R, `WRONG` says
why; those facts are left out of the parity table, and test_peers shows each of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fnmatch import fnmatchcase

import numpy as np
from r_facts import Fact
from scipy.special import ndtr, ndtri

OFFERS: dict[tuple[str, str], Callable[[Fact], float]] = {}
ONLY: dict[tuple[str, str], set[str]] = {}
LEVELS = {"q25": 0.25, "median": 0.5, "q75": 0.75}
WEIGHTS = {"logrank": "log-rank", "gehan": "Gehan", "fh10": (1, 0), "fh01": (0, 1), "fh11": (1, 1)}
RATIOS = ["cox", "cox_truncated", "cox_cause1", "cox_cause2"]
Z = float(ndtri(0.975))

PLATEAU = "the curve rests on the level: the start of the plateau is given, by float error or by rule, not its midpoint"
UNDEFINED = "a limit is taken from the end of the curve, where none is defined"
SEPARATED = "all events fell in one arm: a large number, where the likelihood has no maximum"
INTERPOLATED = "the variance is interpolated linearly between event times, though it is a step function"
#: Facts in which an engine and R are known to differ, by pattern of the fact's name.
WRONG: dict[str, dict[str, str]] = {
    "lifelines": {
        "aml-Maintained-followup-median": PLATEAU, "exemplar-IFN+IM-followup-median": PLATEAU,
        "exemplar-IM-followup-median": PLATEAU, "exemplar-IM-km-q25": PLATEAU, "exemplar-IM-km-median": PLATEAU,
        "exemplar-IM-km-q75": PLATEAU, "exemplar_os-IM-km-q25": PLATEAU, "exemplar_os-IM-km_truncated-median": PLATEAU,
        "aml-Nonmaintained-km-q75_upper": UNDEFINED, "aml-Maintained-followup-median_upper": UNDEFINED,
        "sksurv_bmt-ALL-followup-median_upper": UNDEFINED, "bioc_all-BCR/ABL-followup-median_*er": UNDEFINED,
        "exemplar-*-followup-median_upper": UNDEFINED, "exemplar_os-*-followup-median_upper": UNDEFINED,
        "monotone-1-km-median_upper": UNDEFINED, "monotone-1-km-q75_upper": UNDEFINED,
        "monotone-0-followup-median_upper": UNDEFINED,
        "*-milestone-p@*": INTERPOLATED,
        "sksurv_bmt-ALL-fh*": "a patient with time 0 makes it raise an error",
        "exemplar-IM-cox_cause2-*": SEPARATED, "monotone-0-cox-*": SEPARATED,
    },
    "scikit-survival": {
        "exemplar-IM-cif*": "an arm in which one cause never happened makes it raise an error",
        "exemplar-IM-cox_cause2-*": SEPARATED, "monotone-0-cox-*": SEPARATED,
    },
    "comprisk": {"exemplar-IM-breslow_cause2-*": SEPARATED},
}
#: Facts of the pattern that the engine gets right all the same: an event fell on the time itself, or both give none.
RIGHT = {"lifelines": {"drug6mp-placebo-milestone-p@5", "sksurv_bmt-ALL-milestone-p@12", "exemplar-IM-milestone-p@1826",
                       "monotone-0-milestone-p@8"}}


def offers(engine: str, *analyses: str, only: set[str] | None = None):
    """Register a function as an engine's answer to some analyses."""
    def register(function):
        for analysis in analyses:
            OFFERS[engine, analysis] = function
            if only:
                ONLY[engine, analysis] = only
        return function
    return register


def able(fact: Fact) -> list[str]:
    """The engines that offer a fact's statistic."""
    return [engine for (engine, analysis) in OFFERS if analysis == fact.analysis
            and fact.what in ONLY.get((engine, analysis), {fact.what})]


def wrong(engine: str, fact: Fact) -> str:
    """Why an engine is not held to a fact, or nothing."""
    if fact.name in RIGHT.get(engine, ()):
        return ""
    return next((why for pattern, why in WRONG.get(engine, {}).items() if fnmatchcase(fact.name, pattern)), "")


def asked(fact: Fact) -> list[str]:
    """The engines that are held to a fact."""
    return [engine for engine in able(fact) if not wrong(engine, fact)]


def part(estimate, statistic: str) -> float:
    """Value, limit, p or standard error, by the end of the statistic's name."""
    end = statistic.split("_")[-1]
    return float(getattr(estimate, end if end in ("lower", "upper", "p", "se") else "value"))


def wald(log_hr: float, se: float, statistic: str) -> float:
    """Hazard ratio, limit or p from a coefficient and its standard error; NaN where it is infinite."""
    if not math.isfinite(log_hr):
        return math.nan
    if statistic == "p":
        return float(2 * ndtr(-abs(log_hr / se)))
    return math.exp(log_hr + {"lower": -Z, "HR": 0, "upper": Z}[statistic] * se)


def step(times, values, at: float, before: float = 1.0) -> float:
    """A step function at one time."""
    place = np.searchsorted(np.asarray(times), at, side="right") - 1
    return before if place < 0 else float(np.asarray(values)[place])
