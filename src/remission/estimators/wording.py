"""Numbers as a reader should see them."""

from __future__ import annotations

import math

from remission import study as units
from remission.estimators.curves import Estimate

DECIMALS = {"year": 2, "month": 1, "week": 1, "day": 0}


def duration(days: float, unit: str, with_unit: bool = True) -> str:
    """Days in a reader's unit, `not reached` for NaN.

    Parameters
    ----------
    days : float
    unit : str
        One of `day`, `week`, `month`, `year`.
    with_unit : bool
        Whether to name the unit.

    Returns
    -------
    str

    Examples
    --------
    >>> duration(804, "year"), duration(math.nan, "year"), duration(161, "week", with_unit=False)
    ('2.20 years', 'not reached', '23.0')
    """
    if math.isnan(days):
        return "not reached"
    # Decimal places are cut after a half-up step, so that 0.745 does not fall with the bits of its float.
    shown = f"{half_up(units.from_days(days, unit), DECIMALS[unit]):.{DECIMALS[unit]}f}"
    return f"{shown} {unit}{'' if shown == '1' else 's'}" if with_unit else shown


def half_up(value: float, decimals: int) -> float:
    """Round half up after removing float noise.

    Examples
    --------
    >>> half_up(0.125, 2), half_up(2.675, 2)
    (0.13, 2.68)
    """
    scaled = round(value * 10**decimals, 6)
    return math.floor(scaled + 0.5) / 10**decimals


def duration_interval(estimate: Estimate, unit: str) -> str:
    """A time with its interval.

    Examples
    --------
    >>> duration_interval(Estimate(804, 545, math.nan), "year")
    '2.20 years (95% CI 1.49 to not reached)'
    >>> duration_interval(Estimate(math.nan, 545, math.nan), "year")
    'not reached (95% CI 1.49 years to not reached)'
    >>> duration_interval(Estimate(math.nan, math.nan, math.nan), "year")
    'not reached'
    """
    if math.isnan(estimate.lower) and math.isnan(estimate.upper):
        none = "" if math.isnan(estimate.value) else " (95% CI not estimable)"
        return duration(estimate.value, unit) + none
    low = duration(estimate.lower, unit, with_unit=math.isnan(estimate.value))
    return f"{duration(estimate.value, unit)} (95% CI {low} to {duration(estimate.upper, unit, with_unit=False)})"


def percent(value: float) -> str:
    """A proportion in percent without its sign, one decimal.

    Examples
    --------
    >>> percent(0.15789)
    '15.8'
    """
    return f"{half_up(100 * value, 1):.1f}"


def percent_interval(estimate: Estimate, missing: str = "not estimable") -> str:
    """A proportion with its interval.

    Examples
    --------
    >>> percent_interval(Estimate(0.5, 0.25, 0.75)), percent_interval(Estimate(1.0, 1.0, 1.0))
    ('50.0% (95% CI 25.0 to 75.0)', '100.0%')
    """
    if math.isnan(estimate.value):
        return missing
    if math.isnan(estimate.lower) or estimate.lower == estimate.upper:
        return f"{percent(estimate.value)}%"
    return f"{percent(estimate.value)}% (95% CI {percent(estimate.lower)} to {percent(estimate.upper)})"


def p_value(p: float, note: str = "") -> str:
    """A p-value with two figures that count, or why there is none.

    Examples
    --------
    >>> p_value(0.0697), p_value(0.213), p_value(0.00004), p_value(math.nan, "no events")
    ('p = 0.070', 'p = 0.21', 'p < 0.0001', 'not estimable: no events')
    """
    if math.isnan(p):
        return f"not estimable: {note}" if note else "not estimable"
    if p < 0.0001:
        return "p < 0.0001"
    decimals = 2 if p >= 0.0995 else 3 if p >= 0.00995 else 4
    return f"p = {p:.{decimals}f}"


def ratio_interval(value: float, lower: float, upper: float, note: str = "") -> str:
    """A hazard ratio with its interval, or why there is none.

    Examples
    --------
    >>> ratio_interval(0.46, 0.1947, 1.0869)
    '0.46 (95% CI 0.19 to 1.09)'
    """
    if math.isnan(value):
        return f"not estimable: {note}" if note else "not estimable"
    return f"{value:.2f} (95% CI {lower:.2f} to {upper:.2f})"


def count_of(count: int, total: int, interval: Estimate) -> str:
    """A count with its denominator, percentage and interval.

    Examples
    --------
    >>> count_of(3, 19, Estimate(0.15789, 0.0338, 0.3958))
    '3 of 19 (15.8%; 95% CI 3.4 to 39.6)'
    """
    if total == 0:
        return "0 of 0"
    return (f"{count} of {total} ({percent(interval.value)}%; "
            f"95% CI {percent(interval.lower)} to {percent(interval.upper)})")
