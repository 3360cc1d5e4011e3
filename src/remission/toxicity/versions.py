"""Whose grade depends on the version of the criteria, in which test, and because of which cut."""

from __future__ import annotations

import pandas as pd

from remission import ctcae
from remission.study import Study
from remission.toxicity.counts import count_result, population
from remission.toxicity.worst import VERSIONS, for_everyone, in_period, measured, worst_cytopenia, worst_laboratory

#: How a grade under another version can stand to the grade under the study's.
CHANGES = ("same", "higher", "lower", "unknown")


def version_changes(adlb: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Patients whose worst cytopenia grade depends on the version of the criteria.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A and one column a version. Empty when nobody's grade changes.
    """
    worst = worst_cytopenia(adlb, adsl)
    wide = worst.pivot_table(index=["USUBJID", "TRT01A"], columns="VERSION", values="WORST")
    return _named(_changed(wide.reindex(columns=list(VERSIONS)))).reset_index()


def _changed(wide: pd.DataFrame) -> pd.DataFrame:
    unlike = (wide.max(axis=1) > wide.min(axis=1)) | (wide.isna().any(axis=1) & wide.notna().any(axis=1))
    return wide[unlike]


def _named(wide: pd.DataFrame) -> pd.DataFrame:
    return wide.astype("Int64").rename(columns=lambda version: f"CTCAE {version}").rename_axis(columns=None)


def changes_by_test(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, period: str = "maintenance",
                    least: int = 0) -> pd.DataFrame:
    """Patients and tests whose worst grade depends on the version, with the value and the cuts that make it so.

    Parameters
    ----------
    adlb, adsl : DataFrame
    study : Study
        Order of arms.
    period : str
        A key of `PERIODS`.
    least : int
        Leave out changes in which no version gives at least this grade.

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, PARAMCD, value (the lowest or highest of the period, with unit, day and multiple of the limit),
        one column a version (grade; missing is unknown), because (versions with the same grade, and where that grade
        begins). Safety population; blood counts first, then liver and kidney.
    """
    key, safe = ["PARAMCD", "TRT01A", "USUBJID"], population(adsl, "all")["USUBJID"]
    worst = worst_laboratory(adlb[adlb["USUBJID"].isin(safe)], period)
    columns = [*key, "value", *(f"CTCAE {version}" for version in VERSIONS), "because"]
    if worst.empty:
        return pd.DataFrame(columns=columns)
    wide = worst.pivot_table(index=key, columns="VERSION", values="WORST", aggfunc="max")
    wide = _changed(wide.reindex(columns=list(VERSIONS)))
    wide = wide[(wide.max(axis=1) >= least).to_numpy()]
    made = _named(wide)
    extreme = _extremes(adlb[in_period(adlb, period)]).reindex(made.index)
    made["value"] = extreme["value"]
    criteria = {key: list(rows.itertuples()) for key, rows in ctcae.criteria().groupby(["version", "test"])}
    made["because"] = [_because(grades, test, one, criteria) for (test, *_), grades, one in
                       zip(wide.index, wide.to_numpy(), extreme.itertuples(), strict=True)]
    order = {name: number for names in (ctcae.LABELS, study.arm_keys) for number, name in enumerate(names)}
    made = made.reset_index().sort_values(key, key=lambda column: column.map(order).fillna(column), ignore_index=True)
    return made[columns]


def _because(grades, test: str, extreme, criteria: dict[tuple[str, str], list]) -> str:
    given = ctcae.baseline_classes(extreme.BASE, extreme.ANRLO, extreme.ANRHI)
    classes = {name for name, holds in given.items() if holds}
    said: dict[str, list[str]] = {}
    for version, grade in zip(VERSIONS, grades, strict=True):
        if pd.isna(grade):
            words = "unknown"
        else:
            rows = [row for row in criteria[version, test] if row.grade == grade and row.baseline in classes]
            words = f"grade {grade:.0f}" + (f" ({'; '.join(map(ctcae.in_words, rows))})" if rows else "")
        said.setdefault(words, []).append(version)
    return "; ".join(f"{', '.join(versions)}: {words}" for words, versions in said.items())


def _extremes(rows: pd.DataFrame) -> pd.DataFrame:
    """Lowest or highest value of each patient and test, by the direction of its criteria: value in words, limits."""
    low = set(ctcae.criteria().query("direction == 'low'")["test"])
    rows = rows.astype(dict.fromkeys(("AVAL", "ANRLO", "ANRHI", "BASE"), float))
    rows = rows.assign(rank=rows["AVAL"].where(rows["PARAMCD"].isin(low), -rows["AVAL"]))
    rows = rows.sort_values(["rank", "ADY"], kind="stable").drop_duplicates(["PARAMCD", "USUBJID"])
    rows["value"] = [f"{one.AVAL:g} {one.AVALU}, day {one.ADY}" + ("" if one.PARAMCD in low else "".join(
        f", {one.AVAL / whole:.2f} x {name}" for whole, name in ((one.ANRHI, "ULN"), (one.BASE, "baseline"))
        if whole > 0)) for one in rows.itertuples()]
    return rows.set_index(["PARAMCD", "TRT01A", "USUBJID"])[["value", "ANRLO", "ANRHI", "BASE"]]


def version_table(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, period: str = "maintenance") -> pd.DataFrame:
    """Patients whose worst grade of a test is higher or lower under another version than under the study's.

    Parameters
    ----------
    adlb, adsl : DataFrame
    study : Study
        `ctcae_version` is the version compared with.
    period : str
        A key of `PERIODS`.

    Returns
    -------
    DataFrame
        PARAMCD, TRT01A, VERSION (the other), N (safety population), same, higher, lower, unknown (under either);
        these four add up to N.
    """
    tests, subjects = measured(adlb), population(adsl, "all")
    if not tests or subjects.empty:
        return pd.DataFrame(columns=["PARAMCD", "TRT01A", "VERSION", "N", *CHANGES])
    levels = pd.DataFrame({"PARAMCD": tests}).merge(pd.DataFrame({"VERSION": list(VERSIONS)}), how="cross")
    every = for_everyone(worst_laboratory(adlb, period).drop(columns="BASELINE"), subjects, levels)
    own = every[every["VERSION"] == study.ctcae_version].set_index(["USUBJID", "PARAMCD"])["WORST"].rename("OWN")
    every = every[every["VERSION"] != study.ctcae_version].join(own, on=["USUBJID", "PARAMCD"])
    step = (every["WORST"] - every["OWN"]).map(lambda gap: "unknown" if pd.isna(gap) else "higher" if gap > 0 else
                                               "lower" if gap < 0 else "same")
    key = ["PARAMCD", "TRT01A", "VERSION"]
    every = every.assign(step=step)
    made = every.pivot_table(index=key, columns="step", values="USUBJID", aggfunc="size", fill_value=0)
    arms = [arm for arm in study.arm_keys if (subjects["TRT01A"] == arm).any()]
    others = [version for version in VERSIONS if version != study.ctcae_version]
    made = made.reindex(pd.MultiIndex.from_product([tests, arms, others], names=key), fill_value=0)
    made = made.reindex(columns=list(CHANGES), fill_value=0).rename_axis(columns=None)
    made.insert(0, "N", made.sum(axis=1))
    return made.reset_index()


def version_display(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Set `version_table` for readers: a row a test, a column an arm and other version.

    Returns
    -------
    DataFrame
        test, and cells such as `3 higher, 1 lower`, `none`, `unknown in 2`.
    """
    if table.empty:
        return table
    cells = []
    for one in table.itertuples():
        said = [f"{getattr(one, name)} {name}" for name in ("higher", "lower") if getattr(one, name)]
        said += [f"{one.unknown} unknown"] if one.unknown else []
        cells.append(", ".join(said) or "none")
    heads = table["TRT01A"] + ", N = " + table["N"].astype(str) + ": CTCAE " + table["VERSION"]
    cells = table.assign(cell=cells, head=heads)
    wide = cells.pivot_table(index="PARAMCD", columns="head", values="cell", aggfunc="first")
    wide = wide.reindex(index=table["PARAMCD"].unique(), columns=heads.unique()).rename(index=ctcae.LABELS)
    return wide.rename_axis(columns=None).rename_axis("test").reset_index()


def version_results(table: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows of `version_table`: `version.<test>.all.<arm>.changed[CTCAE <other>]`."""
    return [count_result(("version", one.PARAMCD, "all", one.TRT01A, f"changed[CTCAE {one.VERSION}]"),
                         one.higher + one.lower, one.N,
                         f"worst grade differs from that under CTCAE {study.ctcae_version}; "
                         "Clopper-Pearson interval on the percentage") for one in table.itertuples()]
