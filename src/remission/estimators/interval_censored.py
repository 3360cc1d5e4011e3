"""Times that are known to lie in an interval only: Turnbull's estimate of their distribution, and its quantiles."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import nnls

#: The likelihood is concave; a solution is one when no direction gains more than this (Gentleman and Geyer's check).
OPTIMAL, ROUNDS = 1e-10, 500
#: Weight of the row that keeps the masses' sum at 1.
HEAVY = 1e3
#: Mass below this is none.
LEAST = 1e-8


class Span(NamedTuple):
    """Earliest and latest value that a distribution allows; infinite where it lies beyond what was seen."""

    lower: float
    upper: float


def turnbull(left: ArrayLike, right: ArrayLike) -> pd.DataFrame:
    """Maximum-likelihood distribution of times known as (left, right].

    Parameters
    ----------
    left, right : array of shape (n,)
        The time lies after `left` and not after `right`; `left` equal to `right` is an exact time, an infinite `right`
        a time censored at `left`.

    Returns
    -------
    DataFrame
        One row an innermost interval that holds mass: `left`, `right`, `mass`, `survival` after it. Where inside an
        interval its mass lies, the data cannot say.

    Raises
    ------
    ValueError
        When a limit is missing or `left` exceeds `right`.

    Source
    ------
    Turnbull, J R Stat Soc B 1976;38:290, with the check of Gentleman and Geyer, Biometrika 1994;81:618. R:
    `survfit(Surv(left, right, type = "interval2") ~ 1)`, which stops earlier.

    Examples
    --------
    >>> turnbull([10, 20, 5], [20, 30, 50])[["left", "right", "mass"]].round(3).values.tolist()
    [[10.0, 20.0, 0.5], [20.0, 30.0, 0.5]]
    """
    left, right = np.asarray(left, float), np.asarray(right, float)
    if np.isnan(left).any() or np.isnan(right).any() or (left > right).any():
        raise ValueError("every interval needs two limits, the left one not above the right one")
    inner = _innermost(left, right)
    low, high = inner[:, 0], inner[:, 1]
    exact = left == right
    holds = np.where(exact[:, None], (low == left[:, None]) & (high == left[:, None]),
                     (low >= left[:, None]) & (high <= right[:, None])
                     & ~((low == high) & (low == left[:, None])))
    mass = _masses(holds.astype(float))
    kept = mass > LEAST
    return pd.DataFrame({"left": low[kept], "right": high[kept], "mass": mass[kept],
                         "survival": np.clip(1 - mass.cumsum()[kept], 0, 1)})


def _innermost(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Intervals between a left limit and the next right limit, with nothing in between: mass can lie nowhere else."""
    exact = left == right
    # At one time: right limits of intervals that are open on the left close first, then exact times open and close,
    # then left limits open.
    ends = [*((one, 0, "close") for one in right[~exact]), *((one, 1, "open") for one in left[exact]),
            *((one, 2, "close") for one in right[exact]), *((one, 3, "open") for one in left[~exact])]
    ends = sorted(set(ends))
    made = [(one[0], two[0]) for one, two in pairwise(ends) if (one[2], two[2]) == ("open", "close")]
    return np.array(made, float).reshape(-1, 2)


def _masses(holds: np.ndarray) -> np.ndarray:
    """Maximum-likelihood masses: constrained Newton steps, until no interval would gain from more mass.

    Each step minimises the quadratic approximation of the likelihood over masses that are not negative (Wang, J R Stat
    Soc B 2007;69:185); the self-consistency of Turnbull needs thousands where a mass goes to zero.
    """
    people, places = holds.shape
    mass = np.full(places, 1 / max(places, 1))
    for _ in range(ROUNDS if people else 0):
        scaled = holds / (holds @ mass)[:, None]
        if scaled.sum(axis=0).max() / people - 1 < OPTIMAL:
            break
        # The last row holds the sum at 1; its weight beats all the others.
        whole = np.vstack([scaled, np.full(places, HEAVY * people)])
        aim = nnls(whole, np.append(np.full(people, 2.0), HEAVY * people))[0]
        aim, step = aim / aim.sum(), 1.0
        value = np.log(holds @ mass).sum()
        value -= 1e-13 * (1 + abs(value))  # at the top rounding alone moves it
        while step > 1e-12 and not _higher(holds, mass + step * (aim - mass), value):
            step /= 2
        mass = mass + step * (aim - mass)
    return mass


def _higher(holds: np.ndarray, mass: np.ndarray, value: float) -> bool:
    each = holds @ mass
    return bool((each > 0).all() and np.log(each).sum() >= value)


def quantile(curve: pd.DataFrame, probability: float = 0.5) -> Span:
    """Earliest and latest time by which a fraction of the times may have passed.

    Parameters
    ----------
    curve : DataFrame
        From `turnbull`.
    probability : float
        0.5 for the median.

    Returns
    -------
    Span
        Limits of the interval in which the curve crosses the level. They are what the intervals leave open, not an
        interval of confidence.

    Examples
    --------
    >>> quantile(turnbull([0, 10, 20], [10, 20, 30]))
    Span(lower=10.0, upper=20.0)
    """
    passed = curve["mass"].cumsum().to_numpy()
    # All the mass to the left pushed to the right ends gives the latest, to the left ends the earliest time.
    enough = np.flatnonzero(passed >= probability - 1e-7)
    if not len(enough):
        return Span(math.nan, math.nan)
    place = int(enough[0])
    return Span(float(curve["left"].iloc[place]), float(curve["right"].iloc[place]))
