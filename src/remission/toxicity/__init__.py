"""Toxicity and dose delivery: patients counted at their worst grade, over denominators from the subject table."""

from remission.toxicity.counts import denominator_results, denominators, on_treatment, population
from remission.toxicity.dose import (
    delivery_results,
    delivery_table,
    intensity_results,
    intensity_table,
    reduction_results,
    reduction_table,
)
from remission.toxicity.events import (
    class_display,
    class_results,
    class_table,
    event_results,
    event_table,
)
from remission.toxicity.laboratory import cytopenia_results, cytopenia_table
from remission.toxicity.rates import rate_display, rate_results, rate_table
from remission.toxicity.unions import overlap, readings, union_results, union_table
from remission.toxicity.versions import version_changes
from remission.toxicity.worst import worst_laboratory

__all__ = [
    "class_display", "class_results", "class_table", "cytopenia_results", "cytopenia_table", "delivery_results",
    "delivery_table", "denominator_results", "denominators", "event_results", "event_table",
    "intensity_results", "intensity_table", "on_treatment", "overlap", "population", "rate_display", "rate_results",
    "rate_table", "readings", "reduction_results", "reduction_table", "union_results",
    "union_table", "version_changes", "worst_laboratory",
]
