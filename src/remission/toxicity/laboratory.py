"""Laboratory toxicity: patients by worst grade of each test, period and arm."""

from __future__ import annotations

import pandas as pd

from remission.ctcae import CYTOPENIA, GROUPS, LABELS
from remission.study import Study
from remission.toxicity.counts import EXACT, POPULATIONS, count_grades, count_result, population, with_interval
from remission.toxicity.worst import (
    GRADES,
    PERIODS,
    VERSIONS,
    for_everyone,
    measured,
    worst_cytopenia,
    worst_laboratory,
)

#: Rows that join several tests: the worst grade over those measured.
JOINED = {"cytopenia": "Any blood count", "liver": "Any liver test"}


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


def laboratory_table(adlb: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all",
                     version: str | None = None) -> pd.DataFrame:
    """Patients by worst grade of every test, in each period, under one version of the criteria.

    Parameters
    ----------
    adlb, adsl : DataFrame
    study : Study
        Its version is the default.
    code : str
        Population, see `population`.
    version : str, optional
        A version of the criteria.

    Returns
    -------
    DataFrame
        VERSION, population, period, group (cytopenia, liver, kidney), PARAMCD (a test, or the joined row of its
        group), TRT01A, N, grade0 to grade4, unknown (no value in the period, or none that can be graded), any (grade
        1 or worse), grade3plus, then percentage and exact limits (%) of both. Grades and unknown add up to N. Empty
        without laboratory data.

    Notes
    -----
    A joined row takes the worst of those tests that could be graded: it is unknown only where none could.
    """
    subjects, parts = population(adsl, code), []
    if adlb.empty or subjects.empty:
        return pd.DataFrame(columns=["VERSION", "population", "period", "group", "PARAMCD", "TRT01A", "N"])
    version = version or study.ctcae_version
    for period in PERIODS:
        worst = worst_laboratory(adlb, period)
        worst = worst[worst["VERSION"] == version].drop(columns=["TRT01A", "VERSION", "BASELINE"])
        parts.append(_by_group(worst, subjects, study, measured(adlb)).assign(period=period))
    made = pd.concat(parts, ignore_index=True)
    made["any"] = made[[f"grade{grade}" for grade in GRADES if grade]].sum(axis=1)
    made["grade3plus"] = made["grade3"] + made["grade4"]
    made = with_interval(with_interval(made, "any"), "grade3plus")
    made = made.assign(VERSION=version, population=code)
    first = ["VERSION", "population", "period", "group", "PARAMCD"]
    return made[[*first, *(name for name in made if name not in first)]]


def _by_group(worst: pd.DataFrame, subjects: pd.DataFrame, study: Study, tests: list[str]) -> pd.DataFrame:
    parts = []
    for group, members in GROUPS.items():
        names, rows = [test for test in tests if test in members], worst[worst["PARAMCD"].isin(members)]
        if len(names) > 1:
            joined = rows.assign(PARAMCD=JOINED[group]).groupby(["USUBJID", "PARAMCD"], as_index=False)["WORST"].max()
            names, rows = [JOINED[group], *names], pd.concat([joined, rows])
        if names:
            levels = pd.DataFrame({"PARAMCD": names})
            rows = for_everyone(rows, subjects, levels).drop(columns="TRT01A")
            counted = count_grades(rows, subjects, study, ["PARAMCD"], GRADES, levels)
            parts.append(counted.assign(group=group))
    return pd.concat(parts, ignore_index=True)


def laboratory_display(table: pd.DataFrame, study: Study, period: str = "maintenance") -> pd.DataFrame:
    """Set `laboratory_table` for readers: a row a test; for each arm n (%) at any grade, at grade 3 or 4, unknown.

    Parameters
    ----------
    table : DataFrame
        From `laboratory_table`.
    study : Study
    period : str
        A key of `PERIODS`.

    Returns
    -------
    DataFrame
        test, and four columns an arm whose headings carry N: patients at grade 1 to 4 in words, any, 3+, unknown.
    """
    table = table[table["period"] == period]
    if table.empty:
        return table
    made = table[["PARAMCD"]].drop_duplicates().set_index("PARAMCD")
    for arm in study.arm_keys:
        mine = table[table["TRT01A"] == arm].set_index("PARAMCD")
        if mine.empty:
            continue
        head = f"{arm}, N = {mine['N'].iloc[0]}"
        by_grade = mine[[f"grade{grade}" for grade in GRADES if grade]].astype(str)
        made[f"{head}: grades 1 / 2 / 3 / 4"] = by_grade.agg(" / ".join, axis=1)
        for column, words in (("any", "any grade"), ("grade3plus", "grade 3+")):
            shares = mine[column].astype(str) + mine[f"{column}_pct"].map(" ({:.0f}%)".format)
            made[f"{head}: {words}"] = shares.where(mine[column] > 0, "0")
        made[f"{head}: unknown"] = mine["unknown"]
    return made.rename(index=LABELS).rename_axis("test").reset_index()


def laboratory_results(table: pd.DataFrame, study: Study) -> list[dict]:
    """Result rows of `laboratory_table`: `laboratory.<test>.<population>.<arm>.<statistic>`.

    Statistics are grade1 to grade4, any, grade3plus and unknown. The analysis is `laboratory` under maintenance and
    `laboratory_frontline` before it. Under another version than the study's the endpoint is `<test> CTCAE <version>`,
    and only `any` and `grade3plus` of maintenance are kept.
    """
    rows = []
    for one in table.itertuples():
        own = study.ctcae_version == one.VERSION
        if not own and one.period != "maintenance":
            continue
        analysis = "laboratory" if one.period == "maintenance" else f"laboratory_{one.period}"
        endpoint = one.PARAMCD if own else f"{one.PARAMCD} CTCAE {one.VERSION}"
        wanted = ["any", "grade3plus", *(["grade1", "grade2", "grade3", "grade4", "unknown"] if own else [])]
        method = f"worst grade {PERIODS[one.period]}, CTCAE {one.VERSION}; {EXACT}"
        rows += [count_result((analysis, endpoint, one.population, one.TRT01A, statistic), getattr(one, statistic),
                              one.N, method) for statistic in wanted]
    return rows


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
