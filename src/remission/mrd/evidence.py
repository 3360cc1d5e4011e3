"""What a comparison could and could not have shown: power, detectable effects, verdicts against margins."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import norm

READING_COLUMNS = ["reading", "favourable", "unfavourable", "hazard_ratio", "lower", "upper", "power", "events_needed",
                   "inside_interval"]
#: Marker verdicts, as results carry them.
FOR, REVERSE, AGAINST, NEITHER, NONE = ("evidence for", "evidence for the reverse", "evidence against",
                                        "no evidence either way", "not estimable")
#: Posterior probability of a direction that convinces a sceptic, and of a small effect that convinces both.
CONVINCED, GIVEN_UP = 0.975, 0.95


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


def null_interval(events: float, spread: float = 0.25, alpha: float = 0.05) -> tuple[float, float]:
    """Interval that this many events would give around a hazard ratio of exactly 1: the best that a null can look.

    Parameters
    ----------
    events, spread, alpha
        As in `power`.

    Returns
    -------
    lower, upper : float
        Hazard ratios.

    Notes
    -----
    The information about a log hazard ratio near 1 is events * spread. Source: Schoenfeld, Biometrics 1983;39:499.

    Examples
    --------
    >>> [round(limit, 2) for limit in null_interval(12)]
    [0.32, 3.1]
    """
    if not events > 0 or not spread > 0:
        return math.nan, math.nan
    half = float(norm.ppf(1 - alpha / 2)) / math.sqrt(events * spread)
    return math.exp(-half), math.exp(half)


def events_to_rule_out(margins: tuple[float, float], spread: float = 0.25, alpha: float = 0.05,
                       wanted: float = 0.8) -> float:
    """Events with which the whole interval would fall between the margins, if the marker had no effect at all.

    Parameters
    ----------
    margins : tuple of float
        Hazard ratios on either side of 1.
    spread, alpha : float
        As in `power`.
    wanted : float
        Probability that the interval lies inside.

    Returns
    -------
    float
        Events, not rounded; exact for margins that are each other's inverse, otherwise somewhat too many.

    Notes
    -----
    With margins m and 1 / m the interval is inside when |estimate| < ln m - z * se: D = ((z(1 - alpha / 2) +
    z((1 + wanted) / 2)) / ln m)^2 / spread. Source: the two one-sided tests of Schuirmann, J Pharmacokinet Biopharm
    1987;15:657, on the log hazard ratio.

    Examples
    --------
    >>> round(events_to_rule_out((0.5, 2)), 1)
    87.5
    """
    nearer = min(math.log(margins[1]), -math.log(margins[0]))
    if not spread > 0 or not nearer > 0:
        return math.nan
    return float(((norm.ppf(1 - alpha / 2) + norm.ppf((1 + wanted) / 2)) / nearer) ** 2 / spread)


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


def posterior_verdict(sceptic_above: float, sceptic_below: float, within: float) -> str:
    """What two posteriors say together: whoever was least willing to believe it has to be convinced.

    Parameters
    ----------
    sceptic_above, sceptic_below : float
        Probability of a hazard ratio above 1, and below 1, under the sceptical prior.
    within : float
        Probability of a hazard ratio inside the margins, the smaller of those under the two priors: where prior and
        data pull to opposite sides, a posterior in the middle is a compromise and no evidence of no effect.

    Returns
    -------
    str
        `evidence for` (or the reverse): the sceptic's probability exceeds 97.5%; `evidence against`: neither does, and
        the enthusiast's probability of an effect too small to matter exceeds 95%; `no evidence either way` otherwise;
        `not estimable` without a posterior.

    Notes
    -----
    Source: Spiegelhalter, Freedman and Parmar, J R Stat Soc A 1994;157:357: evidence is convincing when it overcomes
    the prior that is against it.

    Examples
    --------
    >>> posterior_verdict(0.99, 0.01, 0.3), posterior_verdict(0.5, 0.5, 0.97), posterior_verdict(0.6, 0.4, 0.7)
    ('evidence for', 'evidence against', 'no evidence either way')
    """
    if math.isnan(sceptic_above) or math.isnan(within):
        return NONE
    if max(sceptic_above, sceptic_below) > CONVINCED:
        return FOR if sceptic_above > sceptic_below else REVERSE
    return AGAINST if within > GIVEN_UP else NEITHER


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
        (unfavourable against favourable, under exponential times: the inverse ratio of medians), `lower` and `upper`
        as narrow as these events allow, `power` with these events, `events_needed` for 80%, `inside_interval` (Y, N,
        or blank without an interval).

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
        limits_of_one = null_interval(events, spread)
        made.append([words, good, poor, ratio, *(ratio * limit for limit in limits_of_one),
                     power(events, ratio, spread), events_needed(ratio, spread), inside])
    return pd.DataFrame(made, columns=READING_COLUMNS)
