"""Every statistic of every engine beside R's: `python tests/parity.py` prints the table and its summary.

A difference is relative to R's number (absolute where that is 0). Where a number was drawn at random, by R or by the
engine, the difference is in standard errors of both together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import NamedTuple

import engines
import engines_ours
import engines_peers  # noqa: F401 (fills the register)
from r_facts import FACTS, Fact

#: Allowed differences: closed forms and tight fits; the fits of peers that stop earlier; numbers drawn at random.
CLOSED, LOOSE, DRAWN = 1e-9, 1e-6, 4.0
#: comprisk's robust standard error of a subdistribution hazard ratio lies within 0.2% of cmprsk's where times are tied.
ROUGH = {f"fine_gray{cause}": 1e-2 for cause in (1, 2)}
FITTED = {*(("lifelines", analysis) for analysis in (*engines.RATIOS, "schoenfeld")), ("firthmodels", "firth_breslow")}


class Line(NamedTuple):
    """One comparison; `unit` is "relative", "absolute" or "standard errors"."""

    engine: str
    fact: Fact
    ours: float
    difference: float
    unit: str
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is allowed; no number on either side agrees too."""
        return self.difference <= self.allowed


def compare(engine: str, fact: Fact) -> Line:
    """Ask an engine for R's number."""
    ours = engines.OFFERS[engine, fact.analysis](fact)
    if math.isnan(fact.value) or math.isnan(ours):
        same = math.isnan(fact.value) and math.isnan(ours)
        return Line(engine, fact, ours, 0.0 if same else math.inf, "relative", CLOSED)
    gap = abs(ours - fact.value)
    if fact.se:
        error = math.hypot(fact.se, engines_ours.error(engine, fact))
        return Line(engine, fact, ours, gap / error, "standard errors", DRAWN)
    allowed = LOOSE if (engine, fact.analysis) in FITTED else CLOSED
    if fact.what != "HR":
        allowed = ROUGH.get(fact.analysis, allowed)
    if fact.value == 0:
        return Line(engine, fact, ours, gap, "absolute", allowed)
    return Line(engine, fact, ours, gap / abs(fact.value), "relative", allowed)


#: What is compared: every fact with every engine that is held to it.
PAIRS = [(engine, fact) for fact in FACTS for engine in engines.asked(fact)]


def shown(value: float) -> str:
    """A number with the digits that tell."""
    return "none" if math.isnan(value) else f"{value:.12g}"


def table(lines: list[Line]) -> str:
    """Every comparison, one a line."""
    head = f"{'engine':16}{'data':12}{'arm':14}{'analysis':27}{'statistic':26}{'engine gives':>20}{'R':>20}  difference"
    return "\n".join([head, *(
        f"{line.engine:16}{line.fact.data:12}{line.fact.group:14}{line.fact.analysis:27}{line.fact.statistic:26}"
        f"{shown(line.ours):>20}{shown(line.fact.value):>20}  {line.difference:.1e} {line.unit}"
        f"{'' if line.agrees else '  DIFFERS'}" for line in lines)])


def summary(lines: list[Line]) -> str:
    """Number of comparisons and worst difference, by engine and analysis."""
    groups = defaultdict(list)
    for line in lines:
        groups[line.engine, line.fact.analysis, "standard errors" * (line.unit == "standard errors")].append(line)
    head = f"{'engine':16}{'analysis':27}{'numbers':>8}{'disagree':>9}  worst difference"
    return "\n".join([head, *(
        f"{engine:16}{analysis:27}{len(mine):8}{sum(not line.agrees for line in mine):9}"
        f"  {max(line.difference for line in mine):.1e} {drawn}".rstrip()
        for (engine, analysis, drawn), mine in sorted(groups.items()))])


def left_out() -> str:
    """Numbers that an engine offers but is not held to, and why; test_peers shows them."""
    reasons = defaultdict(list)
    for fact in FACTS:
        for engine in engines.able(fact):
            if why := engines.wrong(engine, fact):
                reasons[engine, why].append(fact)
    return "\n".join(f"{engine}: {len(facts)} left out, {why}" for (engine, why), facts in sorted(reasons.items()))


if __name__ == "__main__":
    LINES = [compare(engine, fact) for engine, fact in PAIRS]
    print(table(LINES), summary(LINES), left_out(), sep="\n\n")
    print(f"\n{len(LINES)} comparisons, {sum(not line.agrees for line in LINES)} outside their allowance")
