"""Rare events and small denominators: what a count of nothing, or of two, allows one to say."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betaincinv
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from remission.estimators.proportions import exact_interval
from remission.results import row
from remission.toxicity.rates import SERIOUS

#: Patients from which three over n lies within about 5% of the exact limit.
ENOUGH = 30
#: Counts of what is not known, which are no events.
NO_EVENTS = ("unknown", "maybe3plus")
#: Counts that are read for rarity, fixed before looking: analysis, endpoint (None for every one), statistic.
READ = (("cytopenia", "-", "grade3"), ("cytopenia", "-", "grade4"), ("cytopenia", "-", "grade3plus"),
        ("union", None, "grade2"), ("union", None, "grade2plus"), ("union", None, "grade3plus"),
        ("ae_serious", SERIOUS, "patients"), ("reduction", None, "patients"))
RARE_COLUMNS = ["what", "endpoint", "statistic", "population", "arm", "patients", "N", "percent", "exact_lower",
                "exact_upper", "midp_lower", "midp_upper", "wilson_lower", "wilson_upper", "one_sided_upper",
                "rule_of_three", "shown_once", "note"]


def mid_p_interval(events: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Mid-P interval of a proportion: the exact interval with half of the observed probability in each tail.

    Parameters
    ----------
    events, n : array_like
        Patients with the event and patients at risk.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Limits as proportions; NaN where nobody is at risk. Shorter than Clopper-Pearson, and covering 95% on average
        over proportions, not for each of them.

    Source
    ------
    Lancaster, JASA 1961;56:223; Berry and Armitage, Statistician 1995;44:417.

    Examples
    --------
    >>> lower, upper = mid_p_interval(0, 12)
    >>> float(lower), round(float(upper), 4)
    (0.0, 0.2209)
    """
    events, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(n, dtype=float))
    tail = (1 - level) / 2
    # Both tails fall monotonely in p, so that 60 halvings settle every limit to the last bit.
    lower = _halved(lambda p: binom.sf(events, n, p) + binom.pmf(events, n, p) / 2 < tail, events.shape)
    upper = _halved(lambda p: binom.cdf(events - 1, n, p) + binom.pmf(events, n, p) / 2 > tail, events.shape)
    lower, upper = np.where(events <= 0, 0.0, lower), np.where(events >= n, 1.0, upper)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def _halved(below, shape: tuple[int, ...]) -> np.ndarray:
    """Where a condition that holds from 0 on ceases to hold."""
    low, high = np.zeros(shape), np.ones(shape)
    for _ in range(60):
        middle = (low + high) / 2
        holds = below(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return (low + high) / 2


def wilson_interval(events: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of a proportion.

    Source
    ------
    Wilson, JASA 1927;22:209. R: `prop.test(events, n, correct = FALSE)`.

    Examples
    --------
    >>> lower, upper = wilson_interval(2, 19)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0294, 0.3139)
    """
    events, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(n, dtype=float))
    limits = proportion_confint(events, np.where(n > 0, n, 1), alpha=1 - level, method="wilson")
    lower, upper = (np.asarray(limit, dtype=float) for limit in limits)
    lower, upper = np.where(events <= 0, 0.0, lower), np.where(events >= n, 1.0, upper)  # float noise otherwise
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def rule_of_three(n: ArrayLike) -> np.ndarray:
    """Upper 95% limit of a rate when none of n patients had the event, by the rule of three: 3 / n, at most 1.

    Source
    ------
    Hanley and Lippman-Hand, JAMA 1983;249:1743.

    Examples
    --------
    >>> float(rule_of_three(12)), float(rule_of_three(300))
    (0.25, 0.01)
    """
    n = np.asarray(n, dtype=float)
    return np.where(n > 0, np.minimum(3 / np.where(n > 0, n, 1), 1), np.nan)


def shown_rate(n: ArrayLike, probability: float = 0.95, least: int = 1) -> np.ndarray:
    """Smallest true rate at which n patients would have shown the event with a given probability.

    Parameters
    ----------
    n : array_like
        Patients.
    probability : float
        Probability to see at least `least` patients with the event.
    least : int
        Patients that count as shown.

    Returns
    -------
    ndarray
        A proportion; NaN where n is smaller than `least`.

    Notes
    -----
    For one patient this is 1 - (1 - probability) ** (1 / n), the same number as the one-sided exact limit after zero
    events: what could have been missed, and what can be excluded, are one thing.

    Examples
    --------
    >>> [round(float(shown_rate(n)), 4) for n in (12, 19)]
    [0.2209, 0.1459]
    """
    n = np.asarray(n, dtype=float)
    enough = n >= least
    return np.where(enough, betaincinv(least, np.where(enough, n, least) - least + 1, probability), np.nan)


def one_sided_upper(events: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Exact one-sided upper 95% limit, the bound that the rule of three is short for.

    Source
    ------
    R: `binom.test(events, n, alternative = "less")`.

    Examples
    --------
    >>> round(float(one_sided_upper(0, 12)), 4)
    0.2209
    """
    return exact_interval(events, n, level=0.90)[1]


def rare_table(rows: pd.DataFrame, most: int = 2, wanted: tuple | None = READ) -> pd.DataFrame:
    """What can be said of the small counts among result rows.

    Parameters
    ----------
    rows : DataFrame
        Result rows, from `results.frame`; those that count patients (unit n, with a denominator) are used.
    most : int
        Largest count that is shown.
    wanted : tuple, optional
        As `READ`; None for every count.

    Returns
    -------
    DataFrame
        what (analysis), endpoint, statistic, population, arm, patients, N, percent; limits in %: exact
        (Clopper-Pearson), mid-P and Wilson, one_sided_upper (exact, 95%), rule_of_three (for zero alone), shown_once
        (the smallest true rate that N patients would have shown at least once with 95% probability); note.
    """
    kept = chosen_counts(rows, wanted)
    kept = kept[kept["value"] <= most]
    if kept.empty:
        return pd.DataFrame(columns=RARE_COLUMNS)
    events, n = kept["value"].to_numpy(float), kept["n"].to_numpy(float)
    made = pd.DataFrame({"what": kept["analysis"], "endpoint": kept["endpoint"], "statistic": kept["statistic"],
                         "population": kept["population"], "arm": kept["arm"], "patients": events.astype(int),
                         "N": n.astype(int), "percent": 100 * events / n})
    for name, interval in (("exact", exact_interval), ("midp", mid_p_interval), ("wilson", wilson_interval)):
        made[f"{name}_lower"], made[f"{name}_upper"] = (100 * limit for limit in interval(events, n))
    made["one_sided_upper"] = 100 * one_sided_upper(events, n)
    made["rule_of_three"] = np.where(events == 0, 100 * rule_of_three(n), np.nan)
    made["shown_once"] = 100 * shown_rate(n)
    made["note"] = [_note(one, size) for one, size in zip(made["patients"], made["N"], strict=True)]
    return made.reset_index(drop=True)[RARE_COLUMNS]


def chosen_counts(rows: pd.DataFrame, wanted: tuple | None) -> pd.DataFrame:
    """Result rows that count patients with something, over a denominator; the wanted ones (as `READ`; None for all)."""
    kept = rows[~rows["statistic"].isin(NO_EVENTS) & (rows["unit"] == "n") & (rows["n"].fillna(0) > 0)]
    if wanted is None:
        return kept
    chosen = [any(one.analysis == analysis and endpoint in (None, one.endpoint) and one.statistic == statistic
                  for analysis, endpoint, statistic in wanted) for one in kept.itertuples()]
    return kept[np.array(chosen, dtype=bool)]


def _note(events: int, n: int) -> str:
    """When the rule of three fails for this count."""
    if events:
        return "the rule of three is for zero events alone"
    exact, rough = 100 * float(one_sided_upper(0, n)), 100 * float(rule_of_three(n))
    if n < ENOUGH:
        return f"n below {ENOUGH}: the rule of three gives {rough:.1f}%, the exact one-sided limit is {exact:.1f}%"
    return f"the rule of three gives {rough:.1f}%, the exact one-sided limit is {exact:.1f}%"


def rare_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `rare_table`: `rare_<what>.<endpoint>.<population>.<arm>.<statistic>[exact]` and so on.

    The interval is on the percentage, the value the number of patients; `[shown]` is the smallest rate that the
    patients would have shown at least once with 95% probability, in %.
    """
    made = []
    for one in table.itertuples():
        name = (f"rare_{one.what}", one.endpoint, one.population, one.arm)
        for way, words in (("exact", "Clopper-Pearson"), ("midp", "mid-P"), ("wilson", "Wilson")):
            lower, upper = getattr(one, f"{way}_lower"), getattr(one, f"{way}_upper")
            made.append(row(*name, f"{one.statistic}[{way}]", one.patients, lower=lower, upper=upper, unit="n", n=one.N,
                            events=one.patients, method=f"{words} interval on the percentage",
                            display=f"{one.patients} of {one.N} ({one.percent:.1f}%, 95% CI {lower:.1f} to "
                                    f"{upper:.1f})"))
        made.append(row(*name, f"{one.statistic}[shown]", one.shown_once, unit="%", n=one.N,
                        method="smallest true rate that these patients would have shown at least once with 95% "
                               "probability", display=f"{one.shown_once:.1f}%"))
    return made
