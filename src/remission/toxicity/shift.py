"""Shift from baseline grade to worst grade under treatment: what was low or high before is not the drug's doing."""

from __future__ import annotations

import pandas as pd

from remission.ctcae import LABELS
from remission.study import Study
from remission.toxicity.counts import count_result, population
from remission.toxicity.worst import GRADES, baseline_grades, for_everyone, measured, worst_laboratory

#: Columns and rows of a shift table, by grade.
NAMES = {float(grade): f"grade{grade}" for grade in GRADES}
LEVELS = [*NAMES.values(), "unknown"]


def _in_levels(worst: pd.DataFrame) -> pd.DataFrame:
    return worst.assign(baseline=worst["BASELINE"].map(NAMES).fillna("unknown"),
                        worst=worst["WORST"].map(NAMES).fillna("unknown"))


def shifts(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Baseline grade and worst grade under treatment of every patient and test, under the study's version.

    Parameters
    ----------
    adlb, adsl : DataFrame
    study : Study
        `ctcae_version`.
    code : str
        Population, see `population`.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, PARAMCD, BASELINE, WORST (missing is unknown), baseline, worst (as in `LEVELS`). Every patient
        of the population has a row for every test that the cohort measured.
    """
    levels, subjects = pd.DataFrame({"PARAMCD": measured(adlb)}, dtype=object), population(adsl, code)
    if levels.empty:
        return pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "BASELINE", "WORST", "baseline", "worst"])
    chosen = [found[found["VERSION"] == study.ctcae_version].set_index(["USUBJID", "PARAMCD"])
              for found in (baseline_grades(adlb), worst_laboratory(adlb))]
    both = chosen[0][["BASELINE"]].join(chosen[1][["WORST"]], how="outer").reset_index()
    return _in_levels(for_everyone(both, subjects, levels))


def shift_totals(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Shift table of every test with totals of rows and columns, zero rows and unknown grades kept.

    Parameters
    ----------
    adlb, adsl, study, code
        As in `shifts`.

    Returns
    -------
    DataFrame
        PARAMCD, TRT01A, baseline (grade0 to grade4, unknown, total), then patients by worst grade: grade0 to grade4,
        unknown, total. The total of totals is the arm's N.
    """
    every = shifts(adlb, adsl, study, code)
    if every.empty:
        return pd.DataFrame(columns=["PARAMCD", "TRT01A", "baseline", *LEVELS, "total"])
    key = ["PARAMCD", "TRT01A", "baseline"]
    arms = [arm for arm in study.arm_keys if (every["TRT01A"] == arm).any()]
    made = every.pivot_table(index=key, columns="worst", values="USUBJID", aggfunc="size", fill_value=0)
    made = made.reindex(columns=LEVELS, fill_value=0)
    made = made.reindex(pd.MultiIndex.from_product([measured(adlb), arms, LEVELS], names=key), fill_value=0)
    made = made.rename_axis(columns=None).reset_index()
    sums = made.groupby(key[:2], as_index=False, sort=False)[LEVELS].sum().assign(baseline="total")
    made = pd.concat([made, sums], ignore_index=True)
    made["total"] = made[LEVELS].sum(axis=1)
    orders = (LABELS, study.arm_keys, [*LEVELS, "total"])
    place = {name: number for names in orders for number, name in enumerate(names)}
    return made.sort_values(key, key=lambda column: column.map(place), ignore_index=True)


def shift_display(table: pd.DataFrame, tests: tuple[str, ...]) -> pd.DataFrame:
    """Set `shift_totals` of some tests for readers; baseline grades that nobody had are left out.

    Parameters
    ----------
    table : DataFrame
        From `shift_totals`.
    tests : tuple of str
        Such as a value of `ctcae.GROUPS`.

    Returns
    -------
    DataFrame
        test, arm, baseline grade, worst 0 to worst 4, unknown, total.
    """
    made = table[table["PARAMCD"].isin(tests) & (table["total"] > 0)].copy()
    made["PARAMCD"] = made["PARAMCD"].map(LABELS)
    made["baseline"] = made["baseline"].str.removeprefix("grade")
    names = {"PARAMCD": "test", "TRT01A": "arm", "baseline": "baseline grade",
             **{name: name.replace("grade", "worst ") for name in NAMES.values()}, "unknown": "worst unknown"}
    return made.rename(columns=names).reset_index(drop=True)


def shift_results(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> list[dict]:
    """Result rows: `shift.<test>.<population>.<arm>.worse|to3plus|unknown`.

    Worse: the worst grade under treatment is above the baseline grade. To3plus: it is 3 or 4, and baseline was below.
    Unknown: baseline or worst grade is. Under the study's version; N is the arm's number of patients.
    """
    rows: list[dict] = []
    every = shifts(adlb, adsl, study, code)
    for test in measured(adlb):
        for arm in study.arm_keys:
            mine = every[(every["PARAMCD"] == test) & (every["TRT01A"] == arm)]
            if mine.empty:
                continue
            known = mine["BASELINE"].notna() & mine["WORST"].notna()
            counts = {"worse": (mine["WORST"] > mine["BASELINE"]).sum(),
                      "to3plus": ((mine["WORST"] >= 3) & (mine["BASELINE"] < 3)).sum(), "unknown": (~known).sum()}
            method = (f"baseline to worst grade under treatment, CTCAE {study.ctcae_version}; "
                      "Clopper-Pearson interval on the percentage")
            rows += [count_result(("shift", test, code, arm, name), int(count), len(mine), method)
                     for name, count in counts.items()]
    return rows
