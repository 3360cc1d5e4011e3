"""Adverse events: each patient once a term, at the worst grade."""

from __future__ import annotations

import pandas as pd

from remission.study import Study
from remission.toxicity.counts import count_grades, count_result, population, with_interval

GRADES = range(1, 6)
ANY_TERM = "Any adverse event"
ANY_CLASS = "All system organ classes"
#: What stands in the place of a term where a row counts a whole class.
WHOLE_CLASS = "any term of the class"
#: How rows of `class_table` are ordered; said under the table.
ORDER = ("Patients with any event come first. Classes follow by number of patients over all arms, commonest first, and "
         "terms within a class in the same way; ties go by the alphabet.")
#: Counts that result rows carry.
COUNTED = ("any", "grade3plus", "unknown", "maybe3plus")


def emergent_events(adae: pd.DataFrame) -> pd.DataFrame:
    """Treatment-emergent events.

    Examples
    --------
    >>> emergent_events(pd.DataFrame({"AEDECOD": ["Rash", "Nausea"], "TRTEMFL": ["Y", "N"]}))["AEDECOD"].tolist()
    ['Rash']
    """
    return adae[adae["TRTEMFL"] == "Y"]


def worst_grades(adae: pd.DataFrame, by: str | list[str] = "AEDECOD") -> pd.DataFrame:
    """Worst grade of each patient by term, over treatment-emergent events.

    Parameters
    ----------
    adae : DataFrame
    by : str or list of str
        Columns that group events.

    Returns
    -------
    DataFrame
        USUBJID, `by`, WORST: missing only where no event of that patient and term has a grade.

    Examples
    --------
    >>> adae = pd.DataFrame({"USUBJID": ["1", "1"], "AEDECOD": ["Rash", "Rash"], "ATOXGR": [1, None], "TRTEMFL": "Y"})
    >>> worst_grades(adae)["WORST"].tolist()
    [1.0]
    """
    emergent = emergent_events(adae)
    key = ["USUBJID", *([by] if isinstance(by, str) else by)]
    return emergent.assign(WORST=emergent["ATOXGR"].astype(float)).groupby(key, as_index=False)["WORST"].max()


def event_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Patients by preferred term, arm and worst grade.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
    code : str
        Population, see `population`.

    Returns
    -------
    DataFrame
        AEBODSYS, AEDECOD, TRT01A, N, any, grade1 to grade5, unknown, grade3plus, then percentage and exact limits (%)
        of `any` and `grade3plus`. A term seen in one arm has a row in every arm, zeros included; the first rows count
        patients with any event. Commonest terms first. Empty when no event is treatment-emergent. `grade3plus` is a
        lower bound: `maybe3plus` counts the patients who are not in it and have an event of unknown grade, who would
        be in it if that grade were 3 or more. `events` counts events, not patients.
    """
    emergent, subjects = emergent_events(adae), population(adsl, code)
    if emergent.empty or subjects.empty:
        return pd.DataFrame(columns=["AEBODSYS", "AEDECOD", "TRT01A", "N"])
    grouped = pd.concat([emergent.assign(AEDECOD=ANY_TERM), emergent], ignore_index=True)
    classes = emergent.drop_duplicates("AEDECOD").set_index("AEDECOD")["AEBODSYS"].to_dict() | {ANY_TERM: ANY_CLASS}
    made = count_events(grouped, subjects, study, ["AEDECOD"], grouped)
    made.insert(0, "AEBODSYS", made["AEDECOD"].map(classes))
    made["_first"] = made["AEDECOD"] != ANY_TERM
    made["_total"] = -made.groupby("AEDECOD")["any"].transform("sum")
    return _ordered(made, study, ["_first", "_total", "AEDECOD"])


def class_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Patients by system organ class, preferred term, arm and worst grade.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
    code : str
        Population, see `population`.

    Returns
    -------
    DataFrame
        Columns of `event_table`, and `level`: all, class or term. A patient counts once in a class, at the worst grade
        over its terms, so that the terms of a class may add up to more than the class. Rows are ordered as `ORDER`
        says. Empty when no event is treatment-emergent.
    """
    emergent, subjects = emergent_events(adae), population(adsl, code)
    if emergent.empty or subjects.empty:
        return pd.DataFrame(columns=["level", "AEBODSYS", "AEDECOD", "TRT01A", "N"])
    grouped = pd.concat([emergent.assign(level="all", AEBODSYS=ANY_CLASS, AEDECOD=ANY_TERM),
                         emergent.assign(level="class", AEDECOD=WHOLE_CLASS), emergent.assign(level="term")],
                        ignore_index=True)
    key = ["level", "AEBODSYS", "AEDECOD"]
    made = count_events(grouped, subjects, study, key, grouped)
    made["_class"] = -made["any"].where(made["level"] != "term", 0).groupby(made["AEBODSYS"]).transform("sum")
    made["_first"], made["_term"] = made["level"] != "all", made["level"] == "term"
    made["_total"] = -made.groupby(key)["any"].transform("sum")
    return _ordered(made, study, ["_first", "_class", "AEBODSYS", "_term", "_total", "AEDECOD"])


def _ordered(made: pd.DataFrame, study: Study, by: list[str]) -> pd.DataFrame:
    """Rows in order of `by`, then of arms; helper columns, with their underscore, leave."""
    arms = {arm: number for number, arm in enumerate(study.arm_keys)}
    made = made.assign(_arm=made["TRT01A"].map(arms)).sort_values([*by, "_arm"])
    return made.drop(columns=[name for name in made if name.startswith("_")]).reset_index(drop=True)


def count_events(grouped: pd.DataFrame, subjects: pd.DataFrame, study: Study, key: list[str],
                 levels: pd.DataFrame) -> pd.DataFrame:
    """Patients by worst grade and `key`; what an unknown grade may hide; events.

    Parameters
    ----------
    grouped : DataFrame
        Events, repeated for every row they count in, with the columns `key`.
    subjects : DataFrame
        Patients counted.
    study : Study
    key : list of str
        Columns that name a row.
    levels : DataFrame
        Every value of `key` that gets a row.

    Returns
    -------
    DataFrame
        `key`, TRT01A, and the columns of `event_table` from N on.
    """
    made = count_grades(worst_grades(grouped, key), subjects, study, key, GRADES, levels)
    columns = [f"grade{grade}" for grade in GRADES]
    made["grade3plus"] = made[columns[2:]].sum(axis=1)
    made["any"] = made[columns].sum(axis=1) + made["unknown"]
    mine = grouped.drop(columns="TRT01A", errors="ignore").merge(subjects[["USUBJID", "TRT01A"]], on="USUBJID")
    mine = mine[mine["TRTEMFL"] == "Y"]
    grade = mine["ATOXGR"].astype(float)
    patient = mine.assign(ungraded=grade.isna(), severe=grade >= 3).groupby([*key, "TRT01A", "USUBJID"])
    state = patient[["ungraded", "severe"]].any()
    counted = {"maybe3plus": (state["ungraded"] & ~state["severe"]).groupby([*key, "TRT01A"]).sum(),
               "events": mine.groupby([*key, "TRT01A"]).size()}
    for name, values in counted.items():
        made = made.merge(values.rename(name).reset_index(), on=[*key, "TRT01A"], how="left")
        made[name] = made[name].fillna(0).astype(int)
    return with_interval(with_interval(made, "any"), "grade3plus")


def class_display(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Set `class_table` for readers, with exact limits: a row a class or term, terms indented below their class.

    Parameters
    ----------
    table : DataFrame
        From `class_table`.
    study : Study

    Returns
    -------
    DataFrame
        class / term, then for each arm: any grade and grade 3+ as n (%; exact 95% limits), patients who may hide a
        grade 3+ behind an unknown grade ("perhaps 3+"), and number of events.
    """
    if table.empty:
        return table
    key = ["level", "AEBODSYS", "AEDECOD"]
    names = table[key].drop_duplicates().reset_index(drop=True)
    titles = names["AEDECOD"].where(names["level"] == "all", names["AEBODSYS"])
    made = pd.DataFrame({"class / term": titles.where(names["level"] != "term", "– " + names["AEDECOD"])})
    for arm in study.arm_keys:
        mine = table[table["TRT01A"] == arm].reset_index(drop=True)
        if mine.empty:
            continue
        head = f"{arm}, N = {mine['N'].iloc[0]}"
        for column, words in (("any", "any grade"), ("grade3plus", "grade 3+")):
            limits = zip(mine[column], *(mine[f"{column}_{part}"] for part in ("pct", "lower", "upper")), strict=True)
            made[f"{head}: {words}"] = [f"{n} ({share:.0f}%; {low:.0f} to {high:.0f})"
                                        for n, share, low, high in limits]
        made[f"{head}: perhaps 3+"], made[f"{head}: events"] = mine["maybe3plus"], mine["events"]
    return made


def event_results(table: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows of `event_table`: `ae.<term>.<population>.<arm>.any|grade3plus|unknown|maybe3plus`."""
    return [count_result(("ae", one.AEDECOD, code, one.TRT01A, statistic), getattr(one, statistic), one.N)
            for one in table.itertuples() for statistic in COUNTED]


def class_results(table: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows of the classes of `class_table`: `ae_class.<class>.<population>.<arm>.any` and so on.

    Statistics as in `event_results`, which has the rows of the terms and of any event.
    """
    return [count_result(("ae_class", one.AEBODSYS, code, one.TRT01A, statistic), getattr(one, statistic), one.N)
            for one in table[table["level"] == "class"].itertuples() for statistic in COUNTED]
