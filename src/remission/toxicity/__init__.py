"""Toxicity and dose delivery: patients counted at their worst grade, over denominators from the subject table."""

from remission.toxicity.counts import denominator_results, denominators, population
from remission.toxicity.dose import (
    delivery_results,
    delivery_table,
    intensity_results,
    intensity_table,
    reduction_results,
    reduction_table,
)
from remission.toxicity.events import event_display, event_results, event_table, overlap, union_results, union_table
from remission.toxicity.laboratory import (
    cytopenia_results,
    cytopenia_table,
    shift_table,
    version_changes,
    worst_laboratory,
)

__all__ = [
    "cytopenia_results", "cytopenia_table", "delivery_results", "delivery_table", "denominator_results",
    "denominators", "event_display", "event_results", "event_table", "intensity_results",
    "intensity_table", "overlap", "population", "reduction_results", "reduction_table", "shift_table", "union_results",
    "union_table", "version_changes", "worst_laboratory",
]
