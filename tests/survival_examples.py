"""Small data sets that several tests use: time, event, marker."""

from __future__ import annotations

#: Embury et al. 1977, as in R's survival::aml; x is 1 without maintenance.
AML = (
    [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161, 5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45],
    [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
    [0] * 11 + [1] * 12,
)
#: A stratum for each of them.
STRATUM = ([1, 2, 1] * 8)[:23]
#: All events on one side: the maximum-likelihood hazard ratio is infinite.
MONOTONE = ([3, 5, 7, 8, 10, 12, 20, 22, 25, 30], [1] * 5 + [0] * 5, [1] * 5 + [0] * 5)
#: No ties, a continuous marker.
UNTIED = (
    [5, 8, 12, 20, 23, 27, 30, 33, 43, 45],
    [1, 1, 0, 1, 0, 1, 1, 0, 1, 0],
    [2.1, 0.3, 1.5, 1.9, 0.2, -0.4, 0.9, -1.2, 0.1, -0.8],
)
