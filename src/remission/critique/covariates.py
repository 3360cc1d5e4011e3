"""Recorded covariates of two arms as numbers, and what differences random labels alone would give."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from remission import study as units
from remission.study import Study

#: Covariates that are numbers: column, words, whether days before the origin are meant.
NUMBERS = {"age": ("AGE", "age, years", False), "cycles": ("NCYCLES", "cycles of chemotherapy", False),
           "lead": ("DXDY", "diagnosis to origin, months", True),
           "remission": ("CRDY", "remission to origin, months", True)}
#: Covariates that are categories.
CATEGORIES = {"sex": ("SEX", "sex"), "transcript": ("TRANSC", "transcript")}
#: Above this many patients a normal approximation stands for random labels.
MOST_RELABELLED = 2000


class Covariates(NamedTuple):
    """Patients with their covariates as numbers, words for each, the first one of each group, and what is absent."""

    patient: np.ndarray
    other: np.ndarray
    table: pd.DataFrame
    words: dict[str, str]
    absent: dict[str, str]


def covariates(adsl: pd.DataFrame, study: Study) -> Covariates:
    """Recorded covariates of the patients who are compared, as numbers.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`; patients with usable dates (TTEFL = Y) count.
    study : Study
        With two arms.

    Returns
    -------
    Covariates
        One column a number and one a category (0 or 1; of two categories only the first). A covariate that nobody has,
        that one arm lacks, or that is the same in everybody is absent, with the reason.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> adsl = pd.DataFrame({"USUBJID": ["1", "2"], "TRT01A": ["A", "B"], "TTEFL": "Y", "AGE": [60, 70], "SEX": "F",
    ...                      "NCYCLES": None, "DXDY": [-30, None], "CRDY": None, "TRANSC": None})
    >>> covariates(adsl, two).absent["diagnosis to origin, months"]
    'recorded in one arm only'
    """
    rows = adsl[(adsl["TTEFL"] == "Y") & adsl["TRT01A"].isin(study.arm_keys)]
    other = (rows["TRT01A"] != study.reference).to_numpy()
    values, words, absent = {}, {}, {}
    for name, (column, said, before) in NUMBERS.items():
        known = pd.to_numeric(rows[column]).astype(float).to_numpy()
        why = _unusable(known, other)
        if why:
            absent[said] = why
        else:
            values[name], words[name] = (-known / units.DAYS["month"] if before else known), said
    for name, (column, said) in CATEGORIES.items():
        kinds = sorted(rows[column].dropna().unique())
        coded = rows[column].map({kind: place for place, kind in enumerate(kinds)}).astype(float).to_numpy()
        why = _unusable(coded, other)
        if why:
            absent[said] = why
            continue
        for place, kind in enumerate(kinds if len(kinds) > 2 else kinds[:1]):
            key = f"{name} {kind}"
            values[key], words[key] = np.where(np.isnan(coded), np.nan, coded == place), f"{said}: {kind}"
    return Covariates(rows["USUBJID"].to_numpy(), other, pd.DataFrame(values, index=range(len(rows))), words, absent)


def _unusable(known: np.ndarray, other: np.ndarray) -> str:
    there = ~np.isnan(known)
    if not there.any():
        return "not recorded"
    if not (there & other).any() or not (there & ~other).any():
        return "recorded in one arm only"
    return "the same in everybody" if np.nanmin(known) == np.nanmax(known) else ""


def relabellings(other: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Labellings with the same group sizes: all of them if there are no more than `draws`, else random ones.

    Parameters
    ----------
    other : ndarray of bool
        The labels as they are.
    draws, seed : int

    Returns
    -------
    labels : ndarray of bool, (labellings, patients)
    exact : bool
        Whether these are all labellings.

    Examples
    --------
    >>> labels, exact = relabellings(np.array([True, False, False]), 100, 1)
    >>> labels.sum(axis=0).tolist(), exact
    ([1, 1, 1], True)
    """
    n, size = len(other), int(other.sum())
    if math.comb(n, size) <= draws:
        chosen = np.array(list(combinations(range(n), size))).reshape(-1, size)
        labels = np.zeros((len(chosen), n), dtype=bool)
        np.put_along_axis(labels, chosen, True, axis=1)
        return labels, True
    return np.random.default_rng(seed).permuted(np.tile(other, (draws, 1)), axis=1), False


def standardised_difference(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Standardised mean differences, labelled minus other patients, for every labelling and covariate.

    Parameters
    ----------
    values : ndarray, (patients, covariates)
        NaN where unknown: such patients are left out of that covariate.
    labels : ndarray of bool, (labellings, patients)

    Returns
    -------
    ndarray, (labellings, covariates)
        Difference of means over the root of the mean of the two variances (n - 1; p (1 - p) for a covariate of zeros
        and ones). NaN where both variances are zero or an arm has nobody, or only one patient of a number.

    Source
    ------
    Austin, Stat Med 2009;28:3083.

    Examples
    --------
    >>> standardised_difference(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[False, False, True, True]])).round(3)
    array([[2.828]])
    """
    difference, spread = moments(values, labels)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Arms with equal means differ by nothing, and not by a crumb of rounding.
        return np.round(np.where(spread > 1e-12, difference / spread, np.nan), 12) + 0.0


def moments(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference of means and root of the mean variance, for every labelling and covariate.

    Examples
    --------
    >>> difference, spread = moments(np.array([[1.0], [3.0], [3.0], [5.0]]), np.array([[False, False, True, True]]))
    >>> round(float(difference[0, 0]), 6), round(float(spread[0, 0]), 6)
    (2.0, 1.414214)
    """
    known = ~np.isnan(values)
    binary = np.array([np.isin(column[there], (0, 1)).all() for column, there in zip(values.T, known.T, strict=True)])
    # Sums of squares lose fewer digits around the mean.
    filled = np.where(known, values - np.nanmean(values, axis=0), 0.0)
    means, variances = [], []
    with np.errstate(invalid="ignore", divide="ignore"):
        for chosen in (labels.astype(float), (~labels).astype(float)):
            count = chosen @ known
            means.append(chosen @ filled / count)
            variance = np.maximum(chosen @ filled**2 / count - means[-1] ** 2, 0)
            variances.append(np.where(binary, variance, variance * count / (count - 1)))
        return means[0] - means[1], np.sqrt(sum(variances) / 2)


def by_chance(values: np.ndarray, other: np.ndarray, draws: int,
              seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Central 95% of the differences under random labels, and the share at least as large as the one observed.

    Parameters
    ----------
    values : ndarray, (patients, covariates)
    other : ndarray of bool
        The labels as they are.
    draws, seed : int
        Random labellings; all of them where there are no more; a normal approximation above 2,000 patients.

    Returns
    -------
    lower, upper, p : ndarray, (covariates,)

    Examples
    --------
    >>> [round(float(part[0]), 3) for part in by_chance(np.array([[1.0], [2.0], [3.0], [9.0]]),
    ...                                                 np.array([False, False, True, True]), 100, 1)]
    [-1.415, 1.415, 0.333]
    """
    observed = standardised_difference(values, other[None])[0]
    if len(other) > MOST_RELABELLED:
        known = ~np.isnan(values)
        spread = np.sqrt(1 / known[other].sum(axis=0) + 1 / known[~other].sum(axis=0))
        return -1.96 * spread, 1.96 * spread, 2 * norm.sf(np.abs(observed) / spread)
    labels, exact = relabellings(other, draws, seed)
    random = standardised_difference(values, labels)
    known = ~np.isnan(random)
    extreme = (np.abs(random) >= np.abs(observed) - 1e-9).sum(axis=0)
    lower, upper = np.nanquantile(random, [0.025, 0.975], axis=0)
    p = extreme / known.sum(axis=0) if exact else (1 + extreme) / (1 + known.sum(axis=0))
    return lower, upper, np.where(np.isnan(observed), np.nan, p)
