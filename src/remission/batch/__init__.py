"""Statistics of many cohorts at once, in arrays: one row a cohort, one column a patient.

Functions take `time`, `event`, `arm` of shape (B, n), or (n,) for what all cohorts share, and return arrays of shape
(B,). They are for resampling and simulation; `remission.estimators` has the statistics of one cohort with their
intervals and wording.
"""

from __future__ import annotations

from remission.batch import permutation
from remission.batch.comparisons import LogRank, logrank
from remission.batch.concordance import concordance
from remission.batch.cox import cox
from remission.batch.curves import quantile, rmst, survival_at
from remission.batch.incidence import cumulative_incidence
from remission.batch.resampling import Interval, acceleration, bca, bootstrap, leave_one_out
from remission.batch.summary import Summary, summary

__all__ = [
    "Interval", "LogRank", "Summary", "acceleration", "bca", "bootstrap", "concordance", "cox", "cumulative_incidence",
    "leave_one_out", "logrank", "permutation", "quantile", "rmst", "summary", "survival_at",
]
