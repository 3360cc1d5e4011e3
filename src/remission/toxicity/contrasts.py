"""Proportions of two arms side by side, never without the warning that belongs to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep

from remission.estimators import wording
from remission.estimators.comparisons import Difference
from remission.results import row
from remission.study import Study
from remission.toxicity.rare import chosen_counts
from remission.toxicity.rates import SERIOUS

#: Counts that are compared between arms, fixed before looking.
COMPARED = (("cytopenia", "-", "grade3plus"), ("union", None, "grade2plus"), ("ae_serious", SERIOUS, "patients"),
            ("reduction", None, "patients"))
CONTRAST_COLUMNS = ["what", "endpoint", "statistic", "population", "contrast", "other", "reference", "difference",
                    "lower", "upper", "fisher_p", "warning"]


def warning(study: Study) -> str:
    """What must stand beside every comparison of arms.

    Examples
    --------
    >>> from remission.study import read
    >>> warning(read("freireich1963"))[:40]
    'Nothing here says that arms were randomi'
    """
    if study.kind == "reconstructed":
        return (f"Arms were not randomised, and the source reports no toxicity of {study.reference}: what stands there "
                "is invented. No evidence for or against a difference.")
    return ("Nothing here says that arms were randomised or watched alike: a difference may be one of patients, of "
            "time on treatment, or of how closely events were sought.")


def risk_difference(events: int, n: int, reference_events: int, reference_n: int) -> Difference:
    """Difference of two proportions, first minus reference, with Newcombe's interval and Fisher's exact p.

    Parameters
    ----------
    events, n, reference_events, reference_n : int

    Returns
    -------
    Difference
        As proportions; NaN with a note where an arm has no patients.

    Source
    ------
    Newcombe, Stat Med 1998;17:873, method 10 (from Wilson's limits, without continuity correction). Fisher: R's
    `fisher.test`.

    Examples
    --------
    >>> [round(float(x), 4) for x in risk_difference(56, 70, 48, 80)[:3]]
    [0.2, 0.0524, 0.3339]
    """
    if not n or not reference_n:
        return Difference(*[np.nan] * 4, "an arm has no patients")
    lower, upper = confint_proportions_2indep(events, n, reference_events, reference_n, method="newcomb",
                                              compare="diff")
    p = fisher_exact([[events, n - events], [reference_events, reference_n - reference_events]]).pvalue
    return Difference(events / n - reference_events / reference_n, float(lower), float(upper), float(p))


def contrast_table(rows: pd.DataFrame, study: Study, wanted: tuple | None = COMPARED) -> pd.DataFrame:
    """Both arms' proportions side by side, with their difference and the warning that belongs to it.

    Parameters
    ----------
    rows : DataFrame
        Result rows that count patients; a name that stands in both arms is compared.
    study : Study
        Two arms with a reference; otherwise the table is empty.
    wanted : tuple, optional
        As `COMPARED`; None for every count, which multiplies chance findings.

    Returns
    -------
    DataFrame
        what, endpoint, statistic, population, contrast, other and reference ("n of N"), difference and Newcombe's
        limits (percentage points), fisher_p (two-sided, not adjusted for the number of rows), warning.
    """
    kept = chosen_counts(rows, wanted)
    if study.contrast is None or kept.empty:
        return pd.DataFrame(columns=CONTRAST_COLUMNS)
    key = ["analysis", "endpoint", "statistic", "population"]
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    sides = [kept.loc[kept["arm"] == arm, [*key, "value", "n"]] for arm in (other, study.reference)]
    both = sides[0].merge(sides[1], on=key, suffixes=("", "_reference"))
    made = []
    for one in both.itertuples():
        counts = [int(number) for number in (one.value, one.n, one.value_reference, one.n_reference)]
        found = risk_difference(*counts)
        made.append((one.analysis, one.endpoint, one.statistic, one.population, study.contrast,
                     f"{counts[0]} of {counts[1]}", f"{counts[2]} of {counts[3]}",
                     *(100 * number for number in found[:3]), found.p, warning(study)))
    return pd.DataFrame(made, columns=CONTRAST_COLUMNS)


def contrast_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `contrast_table`: `contrast_<what>.<endpoint>.<population>.<contrast>.<statistic>[difference]`."""
    made = []
    for one in table.itertuples():
        found = Difference(one.difference / 100, one.lower / 100, one.upper / 100, one.fisher_p)
        made.append(row(f"contrast_{one.what}", one.endpoint, one.population, one.contrast,
                        f"{one.statistic}[difference]", one.difference, lower=one.lower, upper=one.upper,
                        unit="percentage points", method=f"difference of proportions, Newcombe interval. {one.warning}",
                        display=f"{wording.percent_difference(found)}. {one.warning}"))
    return made
