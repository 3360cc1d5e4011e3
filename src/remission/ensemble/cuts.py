"""What agrees with a printed number, where only whole numbers or only some heights of a curve can occur."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from remission.batch.curves import TOLERANCE
from remission.ensemble.abstract import Claim

#: Up to so many patients every height of a curve is listed, and no two cohorts can be mistaken for each other.
LISTED = 22


@lru_cache(maxsize=4)
def _listed(patients: int) -> np.ndarray:
    """Every height that a curve of so many patients can have, in order."""
    found = np.ones(1)
    for at_risk in range(1, patients + 1):
        found = np.unique(np.concatenate([found, found * ((at_risk - 1) / at_risk)]))
    return found


def half(patients: int) -> tuple[float, float]:
    """Logarithms that part curves above one half from those on it, and those on it from those below.

    Parameters
    ----------
    patients : int

    Returns
    -------
    above, below
        Up to `LISTED` patients midway to the nearest height that is not one half, which is at least 5.6e-6 away; else
        as far away as `batch.quantile` takes for one half.

    Examples
    --------
    >>> half(2) == (math.log(0.75), math.log(0.25))
    True
    """
    if patients > LISTED:
        return math.log(0.5 + TOLERANCE), math.log(0.5 - TOLERANCE)
    found = _listed(patients)
    return (math.log((found[found > 0.5 + TOLERANCE].min() + 0.5) / 2),
            math.log((found[found < 0.5 - TOLERANCE].max() + 0.5) / 2))


def heights(patients: int, claim: Claim) -> tuple[float, float]:
    """Logarithms between which a curve's height agrees with a claim.

    Parameters
    ----------
    patients : int
    claim : Claim

    Returns
    -------
    low, high
        Up to `LISTED` patients midway to the nearest height that does not agree; low above high when none does.

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> low, high = heights(2, Claim("a", Quantity("survival", "relapse", "A", at=1), 0.45, 0.55, False, "0.5"))
    >>> round(math.exp(low), 6), round(math.exp(high), 6)
    (0.25, 0.75)
    """
    if patients > LISTED:
        low, high = claim.lower - 1e-8, min(claim.upper + 1e-8, 1.0)
        if low > 1 or high < 0:
            return 1.0, 0.0
        return (math.log(low) if low > 0 else -math.inf), (math.log(high) if high > 0 else -20.0)
    found = _listed(patients)
    agree = found[claim.holds(found)]
    if not len(agree):
        return 1.0, 0.0
    lower, higher = found[found < agree[0]], found[found > agree[-1]]
    return (math.log((lower[-1] + agree[0]) / 2) if len(lower) else -math.inf,
            math.log((higher[0] + agree[-1]) / 2) if len(higher) else 0.0)


def whole_numbers(claim: Claim, limit: int, parts: int = 1) -> tuple[int, int]:
    """First and last whole number of which a part agrees with a claim; the first is larger where none does.

    Parameters
    ----------
    claim : Claim
    limit : int
        No value is above it.
    parts : int
        2 for half grains.

    Returns
    -------
    low, high

    Examples
    --------
    >>> from remission.ensemble.abstract import Quantity
    >>> whole_numbers(Claim("a", Quantity("median"), 2.25, 4, False, "3"), 9, 2)
    (5, 7)
    """
    if claim.lower == math.inf:
        return 1, 0
    low, most = max(0, math.floor(claim.lower * parts) - 1), limit * parts
    low = next((one for one in range(low, low + 4) if claim.holds(one / parts)), most + 1)
    high = most if claim.upper == math.inf else min(most, math.ceil(claim.upper * parts) + 1)
    return low, next((one for one in range(high, high - 4, -1) if claim.holds(one / parts)), low - 1)
