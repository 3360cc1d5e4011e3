"""Laboratory toxicity: worst grade under treatment by version of the criteria, and the shift from baseline."""

from __future__ import annotations

import pandas as pd

from remission.ctcae import CYTOPENIA
from remission.study import Study
from remission.toxicity.counts import EXACT, POPULATIONS, count_grades, count_result, population, with_interval

#: Grade column of `adlb` by version; the study's own comes first in tables.
VERSIONS = {"3.0": "ATOXV3", "4.03": "ATOXV4", "5.0": "ATOXV5", "6.0": "ATOXV6"}
GRADES = range(5)


def worst_laboratory(adlb: pd.DataFrame) -> pd.DataFrame:
    """Worst grade of each patient, test and version under treatment, with the baseline grade.

    Parameters
    ----------
    adlb : DataFrame

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, PARAMCD, VERSION, BASELINE, WORST; a row for every patient and test with a value under
        treatment. Missing is an unknown grade: no value, or none that can be graded.
    """
    key = ["USUBJID", "TRT01A", "PARAMCD"]
    names = ["USUBJID", "TRT01A", "PARAMCD", "VERSION", "BASELINE", "WORST"]
    if adlb.empty:
        return pd.DataFrame(columns=names)
    columns = {column: version for version, column in VERSIONS.items()}
    grades = adlb.rename(columns=columns).melt([*key, "TRTEMFL", "ABLFL"], list(VERSIONS), "VERSION", "GRADE")
    grades["GRADE"] = grades["GRADE"].astype(float)
    worst = grades[grades["TRTEMFL"] == "Y"].groupby([*key, "VERSION"])["GRADE"].max().rename("WORST").to_frame()
    worst["BASELINE"] = grades[grades["ABLFL"] == "Y"].groupby([*key, "VERSION"])["GRADE"].max()
    return worst.reset_index()[names]


def worst_cytopenia(adlb: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Worst grade of each patient over neutrophils, platelets, haemoglobin and leukocytes, by version.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, VERSION, WORST; patients of the safety population, those without any gradable count as
        missing.
    """
    counts = worst_laboratory(adlb)
    counts = counts[counts["PARAMCD"].isin(CYTOPENIA)]
    worst = counts.groupby(["USUBJID", "VERSION"], as_index=False)["WORST"].max()
    subjects = population(adsl, "all")[["USUBJID", "TRT01A"]]
    everyone = subjects.merge(pd.DataFrame({"VERSION": list(VERSIONS)}), how="cross")
    return everyone.merge(worst, on=["USUBJID", "VERSION"], how="left", validate="one_to_one")


def cytopenia_table(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients by worst cytopenia grade, version, population and arm.

    Parameters
    ----------
    adlb, adsl : DataFrame
    study : Study
        Its version comes first.

    Returns
    -------
    DataFrame
        VERSION, population, TRT01A, N, grade0 to grade4, unknown, grade3plus, percentage and exact limits of
        `grade3plus`. Empty without laboratory data.
    """
    if not (adlb["PARAMCD"].isin(CYTOPENIA) & (adlb["TRTEMFL"] == "Y")).any():
        return pd.DataFrame(columns=["VERSION", "population", "TRT01A", "N"])
    worst = worst_cytopenia(adlb, adsl)
    order = [study.ctcae_version, *(version for version in VERSIONS if version != study.ctcae_version)]
    levels, parts = pd.DataFrame({"VERSION": order}), []
    for code in POPULATIONS:
        subjects = population(adsl, code)
        if len(subjects):
            one = count_grades(worst.drop(columns="TRT01A"), subjects, study, ["VERSION"], GRADES, levels)
            one.insert(1, "population", code)
            parts.append(one)
    made = pd.concat(parts, ignore_index=True)
    made["grade3plus"] = made["grade3"] + made["grade4"]
    return with_interval(made, "grade3plus")


def version_changes(adlb: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Patients whose worst cytopenia grade depends on the version of the criteria.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A and one column a version. Empty when nobody's grade changes.
    """
    worst = worst_cytopenia(adlb, adsl)
    wide = worst.pivot_table(index=["USUBJID", "TRT01A"], columns="VERSION", values="WORST")
    wide = wide.reindex(columns=list(VERSIONS))
    changed = (wide.max(axis=1) > wide.min(axis=1)) | (wide.isna().any(axis=1) & wide.notna().any(axis=1))
    wide = wide[changed].astype("Int64")
    return wide.rename(columns=lambda version: f"CTCAE {version}").rename_axis(columns=None).reset_index()


def shift_table(adlb: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Shift from baseline grade to worst grade under treatment, blood counts, under the study's version.

    Parameters
    ----------
    adlb : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        PARAMCD, TRT01A, baseline (grade or "unknown"), then patients by worst grade: grade0 to grade4, unknown.
        Baseline grades that nobody had have no row.
    """
    worst = worst_laboratory(adlb)
    worst = worst[worst["PARAMCD"].isin(CYTOPENIA) & (worst["VERSION"] == study.ctcae_version)]
    if worst.empty:
        return pd.DataFrame(columns=["PARAMCD", "TRT01A", "baseline"])
    names = {float(grade): f"grade{grade}" for grade in GRADES}
    worst = worst.assign(baseline=worst["BASELINE"].map(names).fillna("unknown"),
                         worst=worst["WORST"].map(names).fillna("unknown"))
    made = worst.pivot_table(index=["PARAMCD", "TRT01A", "baseline"], columns="worst", aggfunc="size", fill_value=0)
    made = made.reindex(columns=[*names.values(), "unknown"], fill_value=0).rename_axis(columns=None).reset_index()
    order = {name: number for names in (CYTOPENIA, study.arm_keys) for number, name in enumerate(names)}
    return made.sort_values(["PARAMCD", "TRT01A", "baseline"],
                            key=lambda column: column.map(order).fillna(column)).reset_index(drop=True)


def cytopenia_results(table: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows of `cytopenia_table`: `cytopenia.-.<population>.<arm>.grade3|grade4|grade3plus|unknown`.

    The endpoint is `-` under the study's version and `CTCAE <version>` under the others.
    """
    rows = []
    for one in table.itertuples():
        endpoint = "-" if study.ctcae_version == one.VERSION else f"CTCAE {one.VERSION}"
        rows += [count_result(("cytopenia", endpoint, one.population, one.TRT01A, statistic), getattr(one, statistic),
                              one.N, f"worst of ANC, PLT, HB, WBC under treatment, CTCAE {one.VERSION}; {EXACT}")
                 for statistic in ("grade3", "grade4", "grade3plus", "unknown")]
    return rows
