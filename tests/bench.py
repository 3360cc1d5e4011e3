"""How run time grows: a small cohort against one ten times and a hundred times its size, as ratios.

`make bench`. Cleaning with derivation (notebook 01) and the survival analyses (notebook 03), on the reconstructed
cohort's raw tables resampled to more patients. Near-linear is a growth exponent near 1.
"""

from __future__ import annotations

import math
import time

from remission import adam, cleaning, raw, study
from remission.reconstruct import enlarge
from remission.survival import report


def timed(call, *arguments):
    """Result and seconds of one call."""
    start = time.perf_counter()
    made = call(*arguments)
    return made, time.perf_counter() - start


def main(sizes=(100, 1_000, 10_000), cohort="ash2012_reconstructed"):
    """Print seconds and growth exponents for every size."""
    read = study.read(cohort)
    tables = raw.read(read)
    before = None
    print(f"{'patients':>9}{'01 clean s':>12}{'growth':>8}{'03 survival s':>15}{'growth':>8}")
    for size in sizes:
        large = enlarge(tables, size, seed=1)
        derived, clean_s = timed(lambda large=large: adam.derive_all(cleaning.clean(large, read).tables, read))
        _, survival_s = timed(report.rows, derived["adtte"], derived["adsl"], read)
        growth = ["", ""] if before is None else [
            f"{math.log(now / then) / math.log(size / before[0]):.2f}"
            for now, then in zip((clean_s, survival_s), before[1:], strict=True)]
        print(f"{size:>9}{clean_s:>12.2f}{growth[0]:>8}{survival_s:>15.2f}{growth[1]:>8}")
        before = size, clean_s, survival_s


if __name__ == "__main__":
    main()
