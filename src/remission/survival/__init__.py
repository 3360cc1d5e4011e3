"""Remission duration and survival: endpoints, curves, comparisons, competing risks, and the rows they report."""

from remission.survival.baseline import analyse_baseline, baseline_table
from remission.survival.counts import analyse_counts, analyse_ongoing, left_out, proportion
from remission.survival.endpoints import endpoint, estimand, listing
from remission.survival.report import analyse, analyse_competing, analyse_truncated
from remission.survival.tables import definition_grid, range_conventions, reading, table, together

__all__ = ["analyse", "analyse_baseline", "analyse_competing", "analyse_counts", "analyse_ongoing", "analyse_truncated",
           "baseline_table", "definition_grid", "endpoint", "estimand", "left_out", "listing",
           "proportion", "range_conventions", "reading", "table", "together"]
