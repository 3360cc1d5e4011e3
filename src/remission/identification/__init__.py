"""What a printed report leaves open: cohorts that its numbers allow, and what their tests can give."""

from remission.identification.both_readings import Joint, analyse, result_rows, sample
from remission.identification.words import alike_table, interval_table, reading, sample_table, witness

__all__ = ["Joint", "alike_table", "analyse", "interval_table", "reading", "result_rows", "sample", "sample_table",
           "witness"]
