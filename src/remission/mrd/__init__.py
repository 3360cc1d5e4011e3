"""Whether molecular residual disease foretells relapse: markers, their tests, the course under maintenance."""

from remission.mrd.course import analyse_course, coverage, definitions, positive_runs, rates, rises, under_maintenance
from remission.mrd.markers import MARKERS, arms_to_test, availability, marker_frame
from remission.mrd.printed import printed_readings, reading_rows, readings_in_words
from remission.mrd.report import analyse_markers
from remission.mrd.tables import estimates, in_words, table

__all__ = ["MARKERS", "analyse_course", "analyse_markers", "arms_to_test", "availability", "coverage", "definitions",
           "estimates", "in_words", "marker_frame", "positive_runs", "printed_readings", "rates", "reading_rows",
           "readings_in_words", "rises", "table", "under_maintenance"]
