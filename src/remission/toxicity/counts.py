"""Who is counted, over how many, with which interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission.adam.adae import AFTER_LAST_DOSE
from remission.estimators.proportions import exact_interval
from remission.results import row
from remission.study import Study

#: Flag in `adsl` and wording of each population. Toxicity is counted over patients who had any study drug.
POPULATIONS = {"all": ("SAFFL", "safety population"), "ifn_evaluable": ("IFNEVLFL", "evaluable for interferon")}
EXACT = "patients at worst grade; Clopper-Pearson interval on the percentage"


def is_interferon(drug: str) -> bool:
    """Whether a drug is an interferon, which has its own evaluable population.

    Examples
    --------
    >>> is_interferon("interferon alfa-2a"), is_interferon("imatinib")
    (True, False)
    """
    return drug.lower().startswith(("interferon", "peginterferon"))


def population(adsl: pd.DataFrame, code: str) -> pd.DataFrame:
    """Patients of a population.

    Parameters
    ----------
    adsl : DataFrame
    code : str
        `all` (at least one dose of any study drug) or `ifn_evaluable` (at least one interferon dose).

    Returns
    -------
    DataFrame
        Their rows of `adsl`.

    Examples
    --------
    >>> adsl = pd.DataFrame({"USUBJID": ["1", "2"], "SAFFL": ["Y", "Y"], "IFNEVLFL": ["Y", "N"]})
    >>> population(adsl, "ifn_evaluable")["USUBJID"].tolist()
    ['1']
    """
    return adsl[adsl[POPULATIONS[code][0]] == "Y"]


def on_treatment(adsl: pd.DataFrame) -> pd.DataFrame:
    """Days on which an event of each patient would be treatment-emergent: the time at risk.

    Parameters
    ----------
    adsl : DataFrame

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, first, last (days from the time origin, inclusive), days (last - first + 1). `first` is the
        first dose, or the origin where no doses are recorded; `last` is 30 days after the last dose, at most the last
        day known alive. Missing where neither the end of treatment nor a last day alive is known.

    Notes
    -----
    The same rule as TRTEMFL in `adae`, so that whoever counts in a numerator was at risk in the denominator.

    Examples
    --------
    >>> adsl = pd.DataFrame({"USUBJID": ["1", "2"], "TRT01A": "IM", "TRTSDY": [0, 5], "MTENDY": [69, 100],
    ...                      "LSTALVDY": [500, 104]})
    >>> on_treatment(adsl)[["first", "last", "days"]].to_numpy().tolist()
    [[0.0, 99.0, 100.0], [5.0, 104.0, 100.0]]
    """
    made = adsl[["USUBJID", "TRT01A"]].reset_index(drop=True)
    first, end, alive = (adsl[name].astype(float).to_numpy() for name in ("TRTSDY", "MTENDY", "LSTALVDY"))
    made["first"] = np.where(np.isnan(first), 0.0, first)
    made["last"] = np.fmin(end + AFTER_LAST_DOSE, alive)
    return made.assign(days=made["last"] - made["first"] + 1)


def denominators(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Number of patients of each population and arm, empty ones left out.

    Parameters
    ----------
    adsl : DataFrame
    study : Study
        Gives the arms and their order.

    Returns
    -------
    DataFrame
        population, words, TRT01A, N.
    """
    rows = []
    for code, (_, words) in POPULATIONS.items():
        counted = population(adsl, code)["TRT01A"].value_counts()
        rows += [(code, words, arm, int(counted[arm])) for arm in study.arm_keys if arm in counted.index]
    return pd.DataFrame(rows, columns=["population", "words", "TRT01A", "N"])


def denominator_results(adsl: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows `evaluable.-.all.<arm>.ifn_evaluable`, for arms in which anybody had interferon."""
    counted = denominators(adsl, study).pivot_table(index="TRT01A", columns="population", values="N", sort=False)
    if "ifn_evaluable" not in counted:
        return []
    return [count_result(("evaluable", "-", "all", arm, "ifn_evaluable"), int(one["ifn_evaluable"]), int(one["all"]),
                         "at least one interferon dose above zero recorded; Clopper-Pearson interval on the percentage")
            for arm, one in counted.dropna().iterrows()]


def with_interval(counted: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add percentage and exact limits of a count column beside `N`: `<column>_pct`, `_lower`, `_upper` (in %)."""
    lower, upper = exact_interval(counted[column], counted["N"])
    percent = 100 * counted[column].astype(float) / counted["N"].astype(float)
    return counted.assign(**{f"{column}_pct": percent, f"{column}_lower": 100 * lower, f"{column}_upper": 100 * upper})


def count_grades(worst: pd.DataFrame, subjects: pd.DataFrame, study: Study, by: list[str], grades: range,
                 levels: pd.DataFrame) -> pd.DataFrame:
    """Count patients at each worst grade, with the rows that are zero.

    Parameters
    ----------
    worst : DataFrame
        One row a patient and `by`: USUBJID, `by`, WORST (missing is an unknown grade).
    subjects : DataFrame
        Patients counted, with USUBJID and TRT01A; they alone give N.
    study : Study
    by : list of str
        Columns that name a row.
    grades : range
        Grades that get a column.
    levels : DataFrame
        Every value of `by` that gets a row.

    Returns
    -------
    DataFrame
        `by`, TRT01A, N, grade0 ..., unknown. Arms without patients in `subjects` have no row.
    """
    arms = pd.DataFrame({"TRT01A": [arm for arm in study.arm_keys if (subjects["TRT01A"] == arm).any()]})
    made = levels[by].drop_duplicates().merge(arms, how="cross")
    made["N"] = made["TRT01A"].map(subjects["TRT01A"].value_counts()).astype(int)
    found = worst.merge(subjects[["USUBJID", "TRT01A"]], on="USUBJID", how="inner", validate="many_to_one")
    found["column"] = found["WORST"].map({grade: f"grade{grade}" for grade in grades}).fillna("unknown")
    columns = [*(f"grade{grade}" for grade in grades), "unknown"]
    if found.empty:
        return made.assign(**dict.fromkeys(columns, 0))
    wide = found.pivot_table(index=[*by, "TRT01A"], columns="column", aggfunc="size", fill_value=0)
    wide = wide.reindex(columns=columns, fill_value=0).reset_index()
    made = made.merge(wide, on=[*by, "TRT01A"], how="left", validate="one_to_one")
    return made.fillna(dict.fromkeys(columns, 0)).astype(dict.fromkeys(columns, int))


def count_result(name: tuple[str, str, str, str, str], events: int, n: int, method: str = EXACT) -> dict:
    """Result row of a count: the value is the number of patients, the interval is on the percentage.

    Examples
    --------
    >>> count_result(("ae", "Fatigue", "all", "IM", "any"), 0, 12)["display"]
    '0 of 12 (0.0%, 95% CI 0.0 to 26.5)'
    """
    lower, upper = (100 * float(limit) for limit in exact_interval(events, n))
    share = f"{100 * events / n:.1f}%, 95% CI {lower:.1f} to {upper:.1f}" if n else "no patient"
    return row(*name, events, lower=lower, upper=upper, unit="n", n=int(n), events=int(events), method=method,
               display=f"{int(events)} of {int(n)} ({share})")
