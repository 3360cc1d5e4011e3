"""What a comparison could and could not have shown: power, detectable effects, verdicts against margins."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import norm

READING_COLUMNS = ["reading", "favourable", "unfavourable", "hazard_ratio", "power", "events_needed", "inside_interval"]
#: Marker verdicts, as results carry them.
FOR, REVERSE, AGAINST, NEITHER, NONE = ("evidence for", "evidence for the reverse", "evidence against",
                                        "no evidence either way", "not estimable")


def power(events: float, hazard_ratio: float, spread: float = 0.25, alpha: float = 0.05) -> float:
    """Power of a two-sided test of a hazard ratio.

    Parameters
    ----------
    events : float
        Events seen, or expected.
    hazard_ratio : float
        True ratio: between two groups, or per unit of a continuous marker.
    spread : float
        Variance of the marker: p1 * p2 for two groups (0.25 when equal), its variance when continuous.
    alpha : float
        Two-sided level.

    Returns
    -------
    float
        Probability of p < alpha on the side of the true effect.

    Notes
    -----
    Source: Schoenfeld, Biometrics 1983;39:499; for a continuous marker Hsieh and Lavori, Control Clin Trials
    2000;21:552.

    Examples
    --------
    >>> round(power(12, 26 / 16), 2)
    0.13
    """
    if not events > 0 or not spread > 0:
        return math.nan
    return float(norm.cdf(abs(math.log(hazard_ratio)) * math.sqrt(events * spread) - norm.ppf(1 - alpha / 2)))


def events_needed(hazard_ratio: float, spread: float = 0.25, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Events with which a hazard ratio would be detected: D = (z_a + z_b)^2 / (spread * (ln HR)^2).

    Parameters
    ----------
    hazard_ratio, spread, alpha
        As in `power`.
    wanted : float
        Power.

    Returns
    -------
    float
        Events, not rounded.

    Notes
    -----
    Source: Schoenfeld, Biometrics 1983;39:499.

    Examples
    --------
    >>> round(events_needed(2), 1)
    65.3
    """
    if not spread > 0 or hazard_ratio == 1:
        return math.nan
    return float(_z(alpha, wanted) ** 2 / (spread * math.log(hazard_ratio) ** 2))


def detectable(events: float, spread: float = 0.25, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Smallest hazard ratio above 1 that this many events would detect.

    Parameters
    ----------
    events, spread, alpha, wanted
        As in `events_needed`.

    Returns
    -------
    float
        Hazard ratio.

    Examples
    --------
    >>> round(detectable(12), 1)
    5.0
    """
    if not events > 0 or not spread > 0:
        return math.nan
    return math.exp(_z(alpha, wanted) / math.sqrt(events * spread))


def _z(alpha: float, wanted: float) -> float:
    return float(norm.ppf(1 - alpha / 2) + norm.ppf(wanted))


def verdict(lower: float, upper: float, margins: tuple[float, float]) -> str:
    """What a 95% interval of a hazard ratio says.

    Parameters
    ----------
    lower, upper : float
        Limits of the hazard ratio, above 1 when the unfavourable side fares worse.
    margins : tuple of float
        Hazard ratios between which a difference would not matter, fixed beforehand.

    Returns
    -------
    str
        `evidence for`: the interval lies above 1; `evidence for the reverse`: below 1; `evidence against`: it includes
        1 and lies within the margins; `no evidence either way`: it includes 1 and a ratio beyond a margin; `not
        estimable`: there is no interval.

    Examples
    --------
    >>> verdict(0.32, 3.10, (0.5, 2)), verdict(0.8, 1.3, (0.5, 2)), verdict(1.2, 9, (0.5, 2))
    ('no evidence either way', 'evidence against', 'evidence for')
    """
    if math.isnan(lower) or math.isnan(upper):
        return NONE
    if lower > 1 or upper < 1:
        return FOR if lower > 1 else REVERSE
    return AGAINST if lower >= margins[0] and upper <= margins[1] else NEITHER


def readings(printed: dict[str, float], events: int, share: float, limits: tuple[float, float]) -> pd.DataFrame:
    """Two printed medians whose groups are not labelled, read in both directions.

    Parameters
    ----------
    printed : dict of float
        Median of the `good` and of the `poor` group as first read, same unit.
    events : int
        Events behind the comparison.
    share : float
        Fraction of patients in the unfavourable group.
    limits : tuple of float
        95% interval of the hazard ratio found here, unfavourable against favourable group; NaN if none.

    Returns
    -------
    DataFrame
        One row a reading: `reading` (`as printed`, `reversed`), `favourable`, `unfavourable` (medians), `hazard_ratio`
        (unfavourable against favourable, under exponential times: the inverse ratio of medians), `power` with these
        events, `events_needed` for 80%, `inside_interval` (Y, N, or blank without an interval).

    Examples
    --------
    >>> readings({"good": 16, "poor": 26}, 12, 0.5, (0.3, 3.1))["hazard_ratio"].round(3).tolist()
    [0.615, 1.625]
    """
    made = []
    first = (printed["good"], printed["poor"])
    for words, (good, poor) in (("as printed", first), ("reversed", first[::-1])):
        ratio, spread = good / poor, share * (1 - share)
        inside = "" if math.isnan(limits[0]) else ("Y" if limits[0] <= ratio <= limits[1] else "N")
        made.append([words, good, poor, ratio, power(events, ratio, spread), events_needed(ratio, spread), inside])
    return pd.DataFrame(made, columns=READING_COLUMNS)
