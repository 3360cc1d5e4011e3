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
#: Extremes that cover so much of what is possible say nothing; families whose means differ by so much of their
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
        families' means, beyond Monte-Carlo error, over the mean width of their 95% intervals), `reach` (share of the
        range between the extremes that the draws cover), `verdict`.

    Notes
    -----
    Pinned: the extremes lie within `TOLERANCES`. Undetermined: families disagree by more than `DISAGREE`, or the
    extremes cover `OPEN` of what is possible. Bounded: all else. Times are in grains. What no drawn cohort has, such as
    survival at a time that nobody reached, is left out.
    """
    return moved(_drawn(found), found, outermost)


def moved(settled: pd.DataFrame, found: Ensemble, outermost: Extremes) -> pd.DataFrame:
    """Settle quantities anew whose extremes a search has moved out.

    Parameters
    ----------
    settled : DataFrame
        As `verdicts` gives it.
    found : Ensemble
    outermost : Extremes
        Of `jobs`; an end that lies inside what was settled moves nothing.

    Returns
    -------
    DataFrame
        As `settled`, with new extremes, reach and verdict.
    """
    ends = {(row.target, row.sign): row.value for row in outermost.table.itertuples() if not row.without}
    known = found.named
    made = settled.copy()
    for row in settled.itertuples():
        target, drawn = known[row.target], found.draws[row.target].to_numpy()
        low, high = min(ends[row.target, -1], row.lower), max(ends[row.target, 1], row.upper)
        wide = spread(target, low, high)
        reach = spread(target, np.nanmin(drawn), np.nanmax(drawn)) / wide if 0 < wide < math.inf else math.nan
        made.loc[row.Index, ["lower", "upper", "reach", "verdict"]] = [
            low, high, reach, _verdict(target, low, high, row.disagreement, found.ready.abstract.horizon)]
    return made


def _drawn(found: Ensemble) -> pd.DataFrame:
    """What the draws alone say, as `verdicts` says it; quantities that no drawn cohort has are left out."""
    # Families agree with the claims in different numbers of draws, and are given the same say.
    weights = (1 / found.draws.groupby("family")["family"].transform("size")).to_numpy()
    targets = [target for target in found.targets if found.draws[target.name].notna().any()]
    apart = _disagreement(found.draws, [target.name for target in targets])
    rows = []
    for target in targets:
        drawn = found.draws[target.name].to_numpy()
        inner = np.nanquantile(drawn, [0.025, 0.5, 0.975], method="inverted_cdf", weights=weights)
        rows.append((*target[:4], np.nanmin(drawn), np.nanmax(drawn), *inner, apart[target.name], 1.0, ""))
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


def contributions(found: Ensemble, settled: pd.DataFrame, dropped: Extremes) -> pd.DataFrame:
    """What each claim is worth: how much wider extremes lie apart without it.

    Parameters
    ----------
    found : Ensemble
    settled : DataFrame
        Of `verdicts`.
    dropped : Extremes
        Of `drop_jobs`.

    Returns
    -------
    DataFrame
        `claim`, `target`, `lower`, `upper` (without the claim) and `widening`: distance of the extremes without it over
        that with it. 1 when the others say as much; never below, since whoever agrees with all agrees with all but one.
    """
    settled = settled.set_index("target")
    known = found.named
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


def _disagreement(draws: pd.DataFrame, names: list[str]) -> pd.Series:
    """Range of the families' means beyond its Monte-Carlo error, over the mean width of their 95% intervals.

    Means and not medians: where one patient is a step of five per cent, medians jump while nothing has changed. The
    error is that of means by start, since chains of one start resemble each other. Indexed by quantity.
    """
    finite = draws[names].where(np.isfinite(draws[names]))
    family = finite.groupby(draws["family"])
    width = (family.quantile(0.975) - family.quantile(0.025)).mean()
    means = family.mean()
    starts = finite.groupby([draws["family"], draws["start"]]).mean().groupby("family")
    error = (starts.var() / starts.count()).fillna(0.0).where(means.notna()).mean() ** 0.5
    beyond = (means.max() - means.min() - 2 * 2**0.5 * error).clip(lower=0)
    return (beyond / width).where((means.notna().sum() >= 2) & (width > 0), 0.0)


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
