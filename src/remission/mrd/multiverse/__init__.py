"""Coding multiverse: one marker, MRD by the start, under every coding that papers use; and what chance alone gives."""

from remission.mrd.multiverse.analyses import Multiverse, arms_with_samples, specify
from remission.mrd.multiverse.chance import Reference, chance_p, reference
from remission.mrd.multiverse.coding import CHOICES, Codings, codings
from remission.mrd.multiverse.report import (
    analyse_multiverse,
    by_choice,
    in_words,
    multiverse_rows,
    multiverse_rules,
    multiverse_table,
    words,
)

__all__ = ["CHOICES", "Codings", "Multiverse", "Reference", "analyse_multiverse", "arms_with_samples", "by_choice",
           "chance_p", "codings", "in_words", "multiverse_rows", "multiverse_rules", "multiverse_table", "reference",
           "specify", "words"]
