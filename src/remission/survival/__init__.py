"""Remission duration and survival: endpoints, curves, comparisons, competing risks, and the rows they report."""

from remission.survival.baseline import analyse_baseline, baseline_table
from remission.survival.counts import analyse_counts, analyse_ongoing, left_out, proportion
from remission.survival.endpoints import endpoint, estimand, listing
from remission.survival.grid import grid, grid_scope, grid_table, specifications
from remission.survival.licence import grid_reading, printed_window
from remission.survival.report import (
    analyse,
    analyse_cause_specific,
    analyse_competing,
    analyse_sensitivity,
    analyse_truncated,
)
from remission.survival.restricted import analyse_milestones, analyse_restricted, restricted_reading
from remission.survival.tables import definition_grid, range_conventions, reading, table, together

__all__ = ["analyse", "analyse_baseline", "analyse_cause_specific", "analyse_competing", "analyse_counts",
           "analyse_milestones", "analyse_ongoing", "analyse_restricted", "analyse_sensitivity", "analyse_truncated",
           "baseline_table", "definition_grid", "endpoint", "estimand", "grid", "grid_reading", "grid_scope",
           "grid_table", "left_out", "listing", "printed_window", "proportion", "range_conventions", "reading",
           "restricted_reading", "specifications", "table", "together"]
