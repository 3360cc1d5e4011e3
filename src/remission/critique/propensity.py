"""Propensity scores: who would have been in which arm, by logistic regression on many labellings at once."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

#: Ridge on standardised covariates: small enough to leave a maximum where there is one, large enough to hold a fit
#: that would run away to infinity when covariates separate the arms.
RIDGE = 1e-7
#: Linear predictors beyond this (a score of 1 in 100,000 or less) count as separated.
SEPARATED = 11.5
STEPS = 60


def standardised(covariates: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1, after a column of ones; constant columns become 0.

    Examples
    --------
    >>> standardised(np.array([[1.0], [3.0]])).tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """
    covariates = np.asarray(covariates, dtype=float)
    spread = covariates.std(axis=0)
    scaled = (covariates - covariates.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return np.column_stack([np.ones(len(covariates)), scaled])


def logistic(design: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Fit one logistic regression for every labelling of the same patients, by Newton's method with halved steps.

    Parameters
    ----------
    design : ndarray, (patients, coefficients)
        From `standardised`: the first column is the intercept.
    labels : ndarray of bool, (labellings, patients)
        True for the arm whose probability is modelled.

    Returns
    -------
    ndarray, (labellings, coefficients)
        Maximum-likelihood coefficients. Where a labelling is separated the maximum lies at infinity; a ridge of 1e-7
        on all but the intercept then stops the fit far out, with the patients in the right order.

    Source
    ------
    R: `glm(label ~ ., family = binomial)`.

    Examples
    --------
    >>> design = standardised(np.array([[1.0], [2.0], [3.0], [4.0]]))
    >>> logistic(design, np.array([[False, True, False, True]])).round(3).tolist()
    [[0.0, 1.015]]
    """
    labels = np.atleast_2d(labels).astype(float)
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0.0
    beta = np.zeros((len(labels), design.shape[1]))
    share = labels.mean(axis=1).clip(1e-9, 1 - 1e-9)
    beta[:, 0] = np.log(share / (1 - share))
    height, live = _height(design, labels, beta, ridge), np.arange(len(labels))
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    for _ in range(STEPS):
        score = expit(beta[live] @ design.T)
        slope = (labels[live] - score) @ design - ridge * beta[live]
        curvature = ((score * (1 - score)) @ products).reshape(len(live), *2 * [design.shape[1]])
        step = np.linalg.solve(curvature + np.diag(ridge + 1e-12), slope[..., None])[..., 0]
        new = _height(design, labels[live], beta[live] + step, ridge)
        for _ in range(30):
            worse = new < height[live] - 1e-12
            if not worse.any():
                break
            step[worse] /= 2
            new[worse] = _height(design, labels[live][worse], beta[live][worse] + step[worse], ridge)
        beta[live] += step
        height[live] = new
        live = live[np.abs(step).max(axis=1) > 1e-9]
        if not len(live):
            break
    return beta


def _height(design: np.ndarray, labels: np.ndarray, beta: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    linear = beta @ design.T
    return (labels * linear - np.logaddexp(0, linear)).sum(axis=1) - (ridge * beta**2).sum(axis=1) / 2


def c_statistic(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Chance that a patient of the labelled arm scores above one of the other; a tie counts one half.

    Parameters
    ----------
    scores, labels : ndarray, (labellings, patients)

    Returns
    -------
    ndarray, (labellings,)

    Examples
    --------
    >>> c_statistic(np.array([[0.2, 0.4, 0.4, 0.9]]), np.array([[False, False, True, True]])).tolist()
    [0.875]
    """
    labels = np.atleast_2d(labels)
    one = labels.sum(axis=1)
    # Rounded, so that equal patients of separate rows stay tied whatever the last bit of their sums.
    ranks = rankdata(np.round(np.atleast_2d(scores), 9), axis=1)
    return ((ranks * labels).sum(axis=1) - one * (one + 1) / 2) / (one * (labels.shape[1] - one))


def effective(weights: np.ndarray) -> float:
    """Patients that a weighted group is worth: Kish's (sum of weights) squared over the sum of squares.

    Source
    ------
    Kish, Survey Sampling, 1965, section 11.7.

    Examples
    --------
    >>> effective(np.array([1.0, 1.0, 4.0]))
    2.0
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
