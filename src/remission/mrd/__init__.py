"""Whether molecular residual disease foretells relapse: markers, their tests, the course under maintenance."""

from remission.mrd.competing import analyse_competing, competing_in_words, competing_table
from remission.mrd.course import analyse_course, coverage, positive_runs, rates, rises, under_maintenance
from remission.mrd.definitions import definitions
from remission.mrd.depth import analyse_states, best_depth, categories, molecular_in_words, states_in_words
from remission.mrd.external import external_in_words, external_rows, external_table, read_external
from remission.mrd.family import analyse_multiplicity, multiplicity_in_words, multiplicity_table
from remission.mrd.levels import analyse_levels, level_table, levels_in_words
from remission.mrd.markers import MARKERS, arms_to_test, availability, marker_frame
from remission.mrd.needs import requirement_rows, requirements, requirements_in_words, requirements_table, verdict_rows
from remission.mrd.posterior import posterior_gap, posterior_in_words, posterior_rows, posterior_table, priors_in_words
from remission.mrd.printed import printed_readings, reading_rows, readings_in_words
from remission.mrd.ranking import analyse_accuracy, auc_curves, auc_in_words, auc_table
from remission.mrd.readings import marker_readings, prolonged_readings
from remission.mrd.remark import remark_in_words, remark_rows, remark_table
from remission.mrd.report import analyse_markers
from remission.mrd.simulate import operating_characteristics, simulation_in_words, simulation_rows, simulation_table
from remission.mrd.states import molecular_relapse, occupancy, samples_in_remission, state_on, transitions
from remission.mrd.subsets import median_carriers, subset_readings, subset_rows, subset_table, subsets_in_words
from remission.mrd.tables import estimates, in_words, table

__all__ = ["MARKERS", "analyse_accuracy", "analyse_competing", "analyse_course", "analyse_levels", "analyse_markers",
           "analyse_multiplicity", "analyse_states", "arms_to_test", "auc_curves", "auc_in_words", "auc_table",
           "availability", "best_depth", "categories", "competing_in_words", "competing_table", "coverage",
           "definitions", "estimates", "external_in_words", "external_rows", "external_table", "in_words",
           "level_table", "levels_in_words", "marker_frame", "marker_readings", "median_carriers",
           "molecular_in_words", "molecular_relapse", "multiplicity_in_words", "multiplicity_table", "occupancy",
           "operating_characteristics", "positive_runs", "posterior_gap", "posterior_in_words", "posterior_rows",
           "posterior_table", "printed_readings", "priors_in_words", "prolonged_readings", "rates", "read_external",
           "reading_rows", "readings_in_words", "remark_in_words", "remark_rows", "remark_table", "requirement_rows",
           "requirements", "requirements_in_words", "requirements_table", "rises", "samples_in_remission",
           "simulation_in_words", "simulation_rows", "simulation_table", "state_on", "states_in_words",
           "subset_readings", "subset_rows", "subset_table", "subsets_in_words", "table", "transitions",
           "under_maintenance", "verdict_rows"]
