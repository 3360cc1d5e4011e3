"""Several markers, one outcome: permutation tests of one marker and of all together, and adjusted p-values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from statsmodels.stats.multitest import multipletests

from remission.batch import trend
from remission.mrd.censored import nelson_aalen

#: Statistics closer than this share of each other are the same statistic.
SAME = 1e-9


def permutation_p(time: ArrayLike, event: ArrayLike, x: ArrayLike, arm: ArrayLike | None = None, *, seed: int,
                  permutations: int = 10_000) -> float:
    """Two-sided permutation p of the log-rank (score) statistic, by seeded Monte Carlo.

    Parameters
    ----------
    time, event : array of shape (n,)
    x : array of shape (n,)
        Marker: 0 and 1 give the log-rank test, other numbers the score test of the trend.
    arm : array of shape (n,), optional
        Treatment arm: expectations are taken, and markers shuffled, within each arm.
    seed, permutations : int

    Returns
    -------
    float
        (b + 1) / (m + 1), where b of m relabellings had an observed minus expected at least as far from zero; NaN where
        nothing can be compared.

    Source
    ------
    Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39, for the added one. R: `coin::logrank_test`.

    Examples
    --------
    >>> permutation_p([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 0, 0], seed=1, permutations=999) > 0.3
    True
    """
    drawn = _drawn(time, event, np.asarray(x, float)[:, None], arm, seed, permutations)
    if drawn is None or not drawn[1][0]:
        return math.nan
    observed, _, shuffled = drawn
    return _share(np.abs(shuffled[:, 0]), abs(float(observed[0])))


def max_t(time: ArrayLike, event: ArrayLike, markers: np.ndarray, arm: ArrayLike | None = None, *, seed: int,
          permutations: int = 10_000) -> np.ndarray:
    """Single-step max-T adjusted permutation p of several markers of the same patients.

    Parameters
    ----------
    time, event : array of shape (n,)
    markers : array of shape (n, k)
        One column a marker; NaN where a patient's marker is not known.
    arm, seed, permutations
        As in `permutation_p`. A patient's markers are moved together, blanks included, so that the markers keep their
        links with each other; only their link with the outcome is broken.

    Returns
    -------
    array of shape (k,)
        For each marker the share of draws in which the largest standardised statistic of all markers is at least as
        large as this marker's own. NaN where a marker cannot be compared.

    Notes
    -----
    A marker's statistic is observed minus expected among those in whom it is known, over its standard deviation under
    permutation: in closed form, so that markers with groups of one size tie exactly; from the draws where a marker is
    blank for somebody. The adjusted p controls the chance of any false finding among the markers.

    Source
    ------
    Westfall and Young, Resampling-Based Multiple Testing, 1993, section 2.6.

    Examples
    --------
    >>> one = [1, 1, 0, 0]
    >>> max_t([1, 2, 3, 4], [1] * 4, np.column_stack([one, one]), seed=1, permutations=999).round(1).tolist()
    [0.3, 0.3]
    """
    markers = np.asarray(markers, float)
    found = np.full(markers.shape[1], np.nan)
    drawn = _drawn(time, event, markers, arm, seed, permutations)
    if drawn is None or not drawn[1].any():
        return found
    observed, able, shuffled = drawn
    spread = np.array([_spread(time, event, column, arm, values) for column, values in
                       zip(markers.T[able], shuffled.T[able], strict=True)])
    highest = (np.abs(shuffled[:, able]) / spread).max(axis=1)
    found[able] = [_share(highest, one) for one in np.abs(observed[able]) / spread]
    return found


def _drawn(time: ArrayLike, event: ArrayLike, markers: np.ndarray, arm: ArrayLike | None, seed: int,
           permutations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Observed statistics, whether each can be compared at all, and the statistics of the shuffled cohorts."""
    if not len(markers):
        return None
    arm = np.zeros(len(markers)) if arm is None else np.asarray(arm)
    scores = _scores(time, event, arm)
    known = ~np.isnan(markers).any(axis=0)

    def statistics(rows: np.ndarray) -> np.ndarray:
        """Observed minus expected of every marker: a sum of scores, or counted anew where blanks move too."""
        return np.column_stack([
            column[rows] @ scores if whole else trend.score_test(time, event, column[rows], arm).score
            for column, whole in zip(markers.T, known, strict=True)])

    observed = statistics(np.arange(len(markers))[None])[0]
    shuffled = np.concatenate([statistics(rows) for rows in trend.shuffled(arm, permutations, seed)])
    scale = np.array([np.ptp(column[~np.isnan(column)]) if (~np.isnan(column)).any() else 0.0 for column in markers.T])
    return observed, (scale > 0) & (np.abs(shuffled) > 1e-9 * scale).any(axis=0), shuffled


def _scores(time: ArrayLike, event: ArrayLike, arm: np.ndarray) -> np.ndarray:
    """Log-rank scores within arms: event minus Nelson-Aalen hazard; over a group they add up to O - E."""
    time, event, found = np.asarray(time, float), np.asarray(event, bool), np.zeros(len(arm))
    for mine in (arm == one for one in np.unique(arm)):
        found[mine] = event[mine] - nelson_aalen(time[mine], event[mine])
    return found


def _spread(time: ArrayLike, event: ArrayLike, marker: np.ndarray, arm: ArrayLike | None, drawn: np.ndarray) -> float:
    """Standard deviation of observed minus expected when patients are shuffled within arms."""
    if np.isnan(marker).any():
        return math.sqrt(float((drawn**2).mean())) or 1.0
    arm, variance = np.zeros(len(marker)) if arm is None else np.asarray(arm), 0.0
    scores = _scores(time, event, arm)
    for mine in (arm == one for one in np.unique(arm)):
        if mine.sum() > 1:
            squares = float(((marker[mine] - marker[mine].mean()) ** 2).sum() * (scores[mine] ** 2).sum())
            variance += squares / (mine.sum() - 1)
    return math.sqrt(variance) or 1.0


def _share(drawn: np.ndarray, seen: float) -> float:
    """Share of draws at least as extreme, the observed one counted among them; equal statistics may differ in bits."""
    return float(((drawn >= seen * (1 - SAME) - 1e-12).sum() + 1) / (len(drawn) + 1))


def adjusted(p: ArrayLike) -> pd.DataFrame:
    """P-values of a family of tests, adjusted by Holm and by Benjamini and Hochberg.

    Parameters
    ----------
    p : array of shape (k,)
        NaN where a test could not be made; it is no member of the family.

    Returns
    -------
    DataFrame
        `p_holm` (controls the chance of any false finding), `p_BH` (controls the expected share of false findings).

    Source
    ------
    Holm, Scand J Stat 1979;6:65; Benjamini and Hochberg, JRSS B 1995;57:289. R: `p.adjust`.

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03]).round(3).values.tolist()
    [[0.03, 0.03], [0.06, 0.04], [0.06, 0.04]]
    """
    p = np.asarray(p, float)
    made = pd.DataFrame({"p_holm": np.nan, "p_BH": np.nan}, index=range(len(p)))
    known = ~np.isnan(p)
    if known.any():
        for column, method in (("p_holm", "holm"), ("p_BH", "fdr_bh")):
            made.loc[known, column] = multipletests(p[known], method=method)[1]
    return made
