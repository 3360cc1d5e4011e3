"""The synthetic cohort: a clean truth that satisfies the printed claims, and realistic disorder on top of it."""

from remission.reconstruct.check import check, outcomes_of, rise_before_relapse
from remission.reconstruct.disorder import disorder
from remission.reconstruct.files import encode, enlarge, write
from remission.reconstruct.truth import COHORT, SEED, claims, design, sizes, truth

__all__ = ["COHORT", "SEED", "check", "claims", "design", "disorder", "encode", "enlarge", "outcomes_of",
           "rise_before_relapse", "sizes", "truth", "write"]
