"""Numbers as a reader should see them."""

from __future__ import annotations

import math

from remission import study as units
from remission.estimators.comparisons import Difference
from remission.estimators.curves import Estimate

DECIMALS = {"year": 2, "month": 1, "week": 1, "day": 0}


def duration(days: float, unit: str, with_unit: bool = True) -> str:
    """Days in a reader's unit, `not reached` for NaN and infinity.

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
    if not math.isfinite(days):
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


def duration_interval(estimate: Estimate, unit: str, missing: str = "not reached") -> str:
    """A time with its interval.

    Parameters
    ----------
    estimate : Estimate
        Days; anything with `value`, `lower` and `upper`.
    unit : str
        As in `duration`.
    missing : str
        What to say when neither value nor limits exist.

    Returns
    -------
    str

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
        return missing if math.isnan(estimate.value) else duration(estimate.value, unit) + " (95% CI not estimable)"
    low = duration(estimate.lower, unit, with_unit=math.isnan(estimate.value))
    return f"{duration(estimate.value, unit)} (95% CI {low} to {duration(estimate.upper, unit, with_unit=False)})"


def signed(value: float, decimals: int, plus: bool = True) -> str:
    """A number with its sign, rounded half away from zero, so that a swap of arms changes nothing but the sign.

    Examples
    --------
    >>> signed(0.125, 2), signed(-0.125, 2), signed(-0.001, 2), signed(2.5, 0, plus=False)
    ('+0.13', '-0.13', '0.00', '3')
    """
    size = half_up(abs(value), decimals)
    sign = "" if size == 0 else "-" if value < 0 else "+" if plus else ""
    return f"{sign}{size:.{decimals}f}"


def duration_difference(difference: Difference, unit: str) -> str:
    """A difference of times with its sign and interval, or why there is none.

    Examples
    --------
    >>> duration_difference(Difference(303.2, -36.5, 642.8, 0.08), "year")
    '+0.83 years (95% CI -0.10 to 1.76)'
    >>> duration_difference(Difference(*[math.nan] * 4, "two arms are needed"), "year")
    'not estimable: two arms are needed'
    """
    scaled = Difference(*(units.from_days(days, unit) for days in difference[:3]), difference.p, difference.note)
    return _difference(scaled, DECIMALS[unit], f"{unit}s")


def percent_difference(difference: Difference) -> str:
    """A difference of two proportions in percentage points, with its sign and interval, or why there is none.

    Examples
    --------
    >>> percent_difference(Difference(0.1234, -0.2, 0.4444, 0.4))
    '+12.3 percentage points (95% CI -20.0 to 44.4)'
    """
    scaled = Difference(*(100 * one for one in difference[:3]), difference.p, difference.note)
    return _difference(scaled, 1, "percentage points")


def _difference(scaled: Difference, decimals: int, unit: str) -> str:
    if math.isnan(scaled.value):
        return f"not estimable: {scaled.note}" if scaled.note else "not estimable"
    value = signed(scaled.value, decimals)
    value += f" {unit.removesuffix('s') if value in ('+1', '-1') else unit}"
    if math.isnan(scaled.lower) or math.isnan(scaled.upper):
        return f"{value} (95% CI not estimable)"
    low, high = (signed(limit, decimals, plus=False) for limit in (scaled.lower, scaled.upper))
    return f"{value} (95% CI {low} to {high})"


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
    >>> ratio_interval(25.61, 0.004, 3439.14), ratio_interval(1, math.nan, math.nan)
    ('25.61 (95% CI <0.01 to 3439)', '1.00 (95% CI not estimable)')
    """
    if math.isnan(value):
        return f"not estimable: {note}" if note else "not estimable"
    if math.isnan(lower) or math.isnan(upper):
        return f"{_ratio(value)} (95% CI not estimable)"
    return f"{_ratio(value)} (95% CI {_ratio(lower)} to {_ratio(upper)})"


def _ratio(value: float) -> str:
    if math.isinf(value):
        return "infinity"
    return "<0.01" if value < 0.005 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


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
