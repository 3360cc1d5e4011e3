"""An ensemble: cohorts drawn from every family, their unprinted quantities, and how far the draws can be trusted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from remission.ensemble import priors
from remission.ensemble.abstract import Abstract
from remission.ensemble.cohorts import Cohorts, joined
from remission.ensemble.quantities import value
from remission.ensemble.unprinted import Target, targets
from remission.ensemble.walk import Chains, Setting, setting, start, walk

FAMILIES = tuple(priors.FAMILIES)
#: Steps before the first draw and between draws of a chain, and draws of a chain.
BURN, APART, EACH = 3000, 100, 4
#: Looks at the chains, as a multiple of `EACH`, after which a run ends with fewer cohorts than asked for.
MOST = 50
KEYS = ["family", "start", "chain", "draw"]


class Ensemble(NamedTuple):
    """`draws` has a row a cohort: family, start, chain, draw, then a column a target, times in grains.

    `cohorts` are the same in the same order; `accepted` is the share of proposals accepted by kind of move.
    """

    ready: Setting
    targets: list[Target]
    draws: pd.DataFrame
    cohorts: Cohorts
    accepted: dict[str, float]

    @property
    def named(self) -> dict[str, Target]:
        """Targets by name."""
        return {target.name: target for target in self.targets}


def ensemble(abstract: Abstract, size: int, seed, families: tuple[str, ...] = FAMILIES, burn: int = BURN,
             apart: int = APART, each: int = EACH) -> Ensemble:
    """Draw cohorts that agree with every claim of an abstract.

    Parameters
    ----------
    abstract : Abstract
    size : int
        Cohorts, all families together; rounded up to whole chains.
    seed : int or SeedSequence
    families : tuple of str
    burn, apart, each : int
        Steps before a chain's first draw, between draws, and draws of a chain.

    Returns
    -------
    Ensemble

    Raises
    ------
    ContractError
        When no cohort is found that agrees with every claim.
    """
    ready, rng = setting(abstract), np.random.default_rng(seed)
    chains = start(ready, families, -(-size // (each * len(families))), rng)
    wanted = targets(abstract, ready.layout)
    accepted = walk(ready, chains, burn, rng)
    parts, kept = [], []
    for number in range(MOST * each):
        if number:
            walk(ready, chains, apart, rng)
        rows = np.flatnonzero(chains.agree())
        parts.append(_draws(ready, chains, rows, wanted, number))
        kept.append(chains.cohorts.take(rows))
        if sum(map(len, parts)) >= size:
            break
    return Ensemble(ready, wanted, pd.concat(parts, ignore_index=True), joined(kept), accepted)


def draw(abstract: Abstract, family: str, size: int, seed, **steps: int) -> pd.DataFrame:
    """Draw cohorts of one family and return their quantities alone: the work of one chunk of a large ensemble.

    Parameters
    ----------
    abstract : Abstract
    family : str
    size : int
    seed : int or SeedSequence
    steps : int
        `burn`, `apart`, `each`, as for `ensemble`.

    Returns
    -------
    DataFrame
        As `Ensemble.draws`; `size` rows.
    """
    return ensemble(abstract, size, seed, (family,), **steps).draws.iloc[:size]


def _draws(ready: Setting, chains: Chains, rows: np.ndarray, wanted: list[Target], draw: int) -> pd.DataFrame:
    names, cohorts = np.array(FAMILIES), chains.cohorts.take(rows)
    found = {target.name: np.asarray(value(cohorts, ready.layout, target.quantity), float) for target in wanted}
    return pd.DataFrame({"family": names[chains.family[rows]], "start": chains.start[rows], "chain": rows,
                         "draw": draw} | found)


def diagnostics(draws: pd.DataFrame) -> pd.DataFrame:
    """How far draws can be trusted, by family and quantity.

    Parameters
    ----------
    draws : DataFrame
        From `ensemble`, or of several chunks with starts numbered apart.

    Returns
    -------
    DataFrame
        `family`, `quantity`, `draws`, `starts`, `effective` (number of independent draws with the same error of the
        mean) and `drift` (mean of the last draws less that of the first, in standard deviations).

    Notes
    -----
    Chains from one start may resemble each other, and draws of one chain do. Starts were found independently, so the
    variance of the mean is that of the means by start, over their number; total variance over it is the effective
    number. Quantities that are constant, or infinite in some cohorts, are left out.
    """
    rows = []
    for family, mine in draws.groupby("family", sort=False):
        first, last = (mine[mine["draw"] == edge] for edge in (mine["draw"].min(), mine["draw"].max()))
        for name in mine.columns.difference(KEYS, sort=False):
            values = mine[name]
            if not np.isfinite(values).all() or not values.var() > 1e-12:
                continue
            spread = values.var()
            means = values.groupby(mine["start"]).mean()
            effective = min(len(values), len(means) * spread / means.var()) if len(means) > 1 else np.nan
            rows.append((family, name, len(values), len(means), effective,
                         (last[name].mean() - first[name].mean()) / spread**0.5))
    return pd.DataFrame(rows, columns=["family", "quantity", "draws", "starts", "effective", "drift"])
