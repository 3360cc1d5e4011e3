"""What an abstract determines: unprinted quantities pinned, bounded or left open; what each printed number is worth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission.ensemble.bounds import Extremes, Job
from remission.ensemble.sample import Ensemble
from remission.ensemble.unprinted import TOLERANCES, Target

#: Lowest and highest value that a quantity could have at all, or that would surprise nobody (hazard ratios, times).
POSSIBLE = {"probability": (0.0, 1.0), "p": (0.0, 1.0), "power": (0.05, 1.0), "hazard ratio": (0.25, 4.0)}
#: Extremes that cover so much of what is possible say nothing; medians of families that differ by so much of their
#: intervals disagree.
OPEN, DISAGREE = 0.75, 0.25
PINNED, BOUNDED, UNDETERMINED = "pinned", "bounded", "undetermined"


def jobs(found: Ensemble) -> list[Job]:
    """Both extremes of every target.

    Parameters
    ----------
    found : Ensemble

    Returns
    -------
    list of Job
    """
    return [Job(target, sign) for target in found.targets for sign in (-1, 1)]


def drop_jobs(found: Ensemble, names: list[str]) -> list[Job]:
    """Both extremes of some targets, with every claim left out in turn.

    Parameters
    ----------
    found : Ensemble
    names : list of str
        Of targets.

    Returns
    -------
    list of Job
    """
    return [Job(target, sign, claim.id) for target in found.targets if target.name in names
            for claim in found.ready.abstract.claims for sign in (-1, 1)]


def verdicts(found: Ensemble, outermost: Extremes) -> pd.DataFrame:
    """Settle every unprinted quantity.

    Parameters
    ----------
    found : Ensemble
    outermost : Extremes
        Of `jobs`.

    Returns
    -------
    DataFrame
        One row a target: `target`, `words`, `arm`, `scale`, `lower`, `upper` (extremes, found by search or drawn),
        `inner_lower`, `median`, `inner_upper` (central 95% of draws, families alike), `disagreement` (range of the
        families' medians over the mean width of their 95% intervals), `reach` (share of the range between the extremes
        that the draws cover), `verdict`.

    Notes
    -----
    Pinned: the extremes lie within `TOLERANCES`. Undetermined: families disagree by more than `DISAGREE`, or the
    extremes cover `OPEN` of what is possible. Bounded: all else. Times are in grains. What no drawn cohort has, such as
    survival at a time that nobody reached, is left out.
    """
    ends = {(row.target, row.sign): row.value for row in outermost.table.itertuples() if not row.without}
    rows = []
    # Families agree with the claims in different numbers of draws, and are given the same say.
    weights = (1 / found.draws.groupby("family")["family"].transform("size")).to_numpy()
    for target in found.targets:
        drawn = found.draws[target.name].to_numpy()
        if np.isnan(drawn).all():
            continue
        low = min(ends[target.name, -1], np.nanmin(drawn))
        high = max(ends[target.name, 1], np.nanmax(drawn))
        medians, widths = _families(found.draws, target)
        apart = float(np.ptp(medians)) / widths.mean() if len(medians) > 1 and widths.mean() > 0 else 0.0
        inner = np.nanquantile(drawn, [0.025, 0.5, 0.975], method="inverted_cdf", weights=weights)
        wide = spread(target, low, high)
        reach = spread(target, np.nanmin(drawn), np.nanmax(drawn)) / wide if 0 < wide < math.inf else math.nan
        rows.append((target.name, target.words, target.arm, target.scale, low, high, *inner, apart, reach,
                     _verdict(target, low, high, apart, found.ready.abstract.horizon)))
    return pd.DataFrame(rows, columns=["target", "words", "arm", "scale", "lower", "upper", "inner_lower", "median",
                                       "inner_upper", "disagreement", "reach", "verdict"])


def by_family(found: Ensemble, names: list[str]) -> pd.DataFrame:
    """Central 95% of the draws and their median, by family.

    Parameters
    ----------
    found : Ensemble
    names : list of str
        Of targets.

    Returns
    -------
    DataFrame
        `target`, `family`, `lower`, `median`, `upper`.
    """
    rows = [(name, family, *np.nanquantile(mine[name], [0.025, 0.5, 0.975], method="inverted_cdf"))
            for name in names for family, mine in found.draws.groupby("family", sort=False)]
    return pd.DataFrame(rows, columns=["target", "family", "lower", "median", "upper"])


def spread(target: Target, low: float, high: float) -> float:
    """Distance of two values on the scale of a target: logarithmic for ratios.

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> round(spread(Target("x", "", "", "hazard ratio", Quantity("hazard_ratio")), 0.5, 2.0), 4)
    1.3863
    """
    if target.scale == "hazard ratio":
        return math.log(high / low) if low > 0 and math.isfinite(high) else math.inf
    return high - low


def contributions(found: Ensemble, outermost: Extremes, dropped: Extremes) -> pd.DataFrame:
    """What each claim is worth: how much wider extremes lie apart without it.

    Parameters
    ----------
    found : Ensemble
    outermost : Extremes
        Of `jobs`.
    dropped : Extremes
        Of `drop_jobs`.

    Returns
    -------
    DataFrame
        `claim`, `target`, `lower`, `upper` (without the claim) and `widening`: distance of the extremes without it over
        that with it. 1 when the others say as much; never below, since whoever agrees with all agrees with all but one.
    """
    settled = verdicts(found, outermost).set_index("target")
    known = {target.name: target for target in found.targets}
    ends = {(row.without, row.target, row.sign): row.value for row in dropped.table.itertuples()}
    order = {claim.id: place for place, claim in enumerate(found.ready.abstract.claims)}
    rows = []
    for claim, name in dict.fromkeys(key[:2] for key in ends):
        low = min(ends[claim, name, -1], settled.loc[name, "lower"])
        high = max(ends[claim, name, 1], settled.loc[name, "upper"])
        whole = spread(known[name], settled.loc[name, "lower"], settled.loc[name, "upper"])
        rows.append((claim, name, low, high, spread(known[name], low, high) / whole if whole > 0 else math.nan))
    made = pd.DataFrame(rows, columns=["claim", "target", "lower", "upper", "widening"])
    return made.sort_values(["target", "claim"], key=lambda column: column.map(order) if column.name == "claim"
                            else column, kind="stable", ignore_index=True)


def _families(draws: pd.DataFrame, target: Target) -> tuple[np.ndarray, np.ndarray]:
    quantiles = [mine.quantile([0.025, 0.5, 0.975]).to_numpy() for _, mine in
                 draws[["family", target.name]].replace([np.inf, -np.inf], np.nan).groupby("family")[target.name]]
    low, middle, high = np.array([one for one in quantiles if np.isfinite(one).all()] or [[0.0] * 3]).T
    return middle, high - low


def _verdict(target: Target, low: float, high: float, apart: float, horizon: int) -> str:
    wide = spread(target, low, high)
    tolerance = TOLERANCES[target.scale]
    if wide <= (math.log(tolerance) if target.scale == "hazard ratio" else
                tolerance * (horizon if target.scale == "time" else 1)):
        return PINNED
    possible = (0.0, float(horizon)) if target.scale == "time" else POSSIBLE[target.scale]
    if apart > DISAGREE or wide >= OPEN * spread(target, *possible):
        return UNDETERMINED
    return BOUNDED
