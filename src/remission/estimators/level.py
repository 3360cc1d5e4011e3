"""The confidence level of every interval."""

from __future__ import annotations

from scipy.special import ndtri

#: Normal quantile of a 95% interval.
Z = float(ndtri(0.975))
