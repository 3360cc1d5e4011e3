"""How run time grows: the reconstructed cohort's raw tables resampled to more patients, timed, as ratios.

`make bench`. Cleaning with derivation is the work of notebook 01; the survival analyses are that of notebook 03.
Near-linear is a growth exponent near 1; below 1 fixed costs still dominate.
"""

from __future__ import annotations

import math
import sys
import time

from remission import adam, cleaning, raw, reconstruct, study, survival


def prepare(tables, read):
    """Notebook 01 without its pictures."""
    return adam.derive_all(cleaning.clean(tables, read).tables, read)


def analyse(derived, read):
    """Notebook 03 without its pictures."""
    for endpoint in read.endpoints:
        survival.analyse(derived["adtte"], read, endpoint)
    survival.analyse_truncated(derived["adtte"], read)
    survival.analyse_competing(derived["adtte"], read)
    survival.analyse_baseline(derived["adsl"], read)


def timed(call, *arguments):
    """Result and seconds of one call."""
    start = time.perf_counter()
    made = call(*arguments)
    return made, time.perf_counter() - start


def main(sizes):
    """Print seconds and growth exponents for every size."""
    read = study.read(reconstruct.COHORT)
    tables = raw.read(read)
    timed(analyse, prepare(tables, read), read)  # imports and caches
    before = None
    print(f"{'patients':>9}{'rows':>10}{'01 clean s':>12}{'growth':>8}{'03 survival s':>15}{'growth':>8}")
    for size in sizes:
        large = reconstruct.enlarge(tables, size, seed=1)
        derived, clean_s = timed(prepare, large, read)
        _, survival_s = timed(analyse, derived, read)
        growth = ["", ""] if before is None else [
            f"{math.log(now / then) / math.log(size / before[0]):.2f}"
            for now, then in zip((clean_s, survival_s), before[1:], strict=True)]
        rows = sum(map(len, large.values()))
        print(f"{size:>9}{rows:>10}{clean_s:>12.2f}{growth[0]:>8}{survival_s:>15.2f}{growth[1]:>8}", flush=True)
        before = size, clean_s, survival_s


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000])
