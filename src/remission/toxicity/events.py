"""Adverse events: each patient once a term, at the worst grade."""

from __future__ import annotations

import pandas as pd

from remission.study import Study
from remission.toxicity.counts import (
    POPULATIONS,
    count_grades,
    count_result,
    is_interferon,
    population,
    with_interval,
)

GRADES = range(1, 6)
ANY_TERM = "Any adverse event"
ANY_CLASS = "All system organ classes"


def worst_grades(adae: pd.DataFrame, by: str = "AEDECOD") -> pd.DataFrame:
    """Worst grade of each patient by term, over treatment-emergent events.

    Parameters
    ----------
    adae : DataFrame
    by : str
        Column that groups events.

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
    emergent = adae[adae["TRTEMFL"] == "Y"]
    worst = emergent.assign(WORST=emergent["ATOXGR"].astype(float)).groupby(["USUBJID", by], as_index=False)["WORST"]
    return worst.max()


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
        patients with any event. Commonest terms first. Empty when no event is treatment-emergent.
    """
    emergent = adae[adae["TRTEMFL"] == "Y"]
    subjects = population(adsl, code)
    if emergent.empty or subjects.empty:
        return pd.DataFrame(columns=["AEBODSYS", "AEDECOD", "TRT01A", "N"])
    whole = worst_grades(emergent.assign(AEDECOD=ANY_TERM))
    worst = pd.concat([whole, worst_grades(emergent)], ignore_index=True)
    classes = emergent.drop_duplicates("AEDECOD").set_index("AEDECOD")["AEBODSYS"].to_dict() | {ANY_TERM: ANY_CLASS}
    made = count_grades(worst, subjects, study, ["AEDECOD"], GRADES, worst)
    made.insert(0, "AEBODSYS", made["AEDECOD"].map(classes))
    made = _summed(made)
    made["_total"] = made.groupby("AEDECOD")["any"].transform("sum")
    made["_first"] = made["AEDECOD"] != ANY_TERM
    made["_arm"] = made["TRT01A"].map({arm: number for number, arm in enumerate(study.arm_keys)})
    made = made.sort_values(["_first", "_total", "AEDECOD", "_arm"], ascending=[True, False, True, True])
    return made.drop(columns=["_first", "_total", "_arm"]).reset_index(drop=True)


def _summed(made: pd.DataFrame) -> pd.DataFrame:
    columns = [f"grade{grade}" for grade in GRADES]
    made["grade3plus"] = made[columns[2:]].sum(axis=1)
    made["any"] = made[columns].sum(axis=1) + made["unknown"]
    return with_interval(with_interval(made, "any"), "grade3plus")


def union_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients by worst grade over a union of terms, and over each of its terms, for every population.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
        `toxicity_unions` names the unions and their preferred terms.

    Returns
    -------
    DataFrame
        union, term (the union's own name for the union itself), population, TRT01A, N, any, grade1 to grade5, unknown,
        grade3plus, percentage and exact limits. A patient with both terms is counted once, at the worse grade.
    """
    parts = []
    for union, terms in study.toxicity_unions.items():
        chosen = adae[adae["AEDECOD"].isin(terms)]
        both = pd.concat([worst_grades(chosen.assign(AEDECOD=union)), worst_grades(chosen)])
        levels = pd.DataFrame({"AEDECOD": [union, *terms]})
        for code in POPULATIONS:
            subjects = population(adsl, code)
            if subjects.empty or adae.empty:
                continue
            counted = _summed(count_grades(both, subjects, study, ["AEDECOD"], GRADES, levels))
            parts.append(counted.rename(columns={"AEDECOD": "term"}).assign(union=union, population=code))
    if not parts:
        return pd.DataFrame(columns=["union", "term", "population", "TRT01A", "N"])
    made = pd.concat(parts, ignore_index=True)
    first = ["union", "term", "population"]
    return made[[*first, *(name for name in made if name not in first)]]


def event_display(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Set `event_table` for readers: a row a term; for each arm n (%) at any grade, at grade 3 or worse, unknown.

    Parameters
    ----------
    table : DataFrame
        From `event_table`.
    study : Study

    Returns
    -------
    DataFrame
        System organ class, term, and three columns an arm whose headings carry N.
    """
    if table.empty:
        return table
    made = table[["AEBODSYS", "AEDECOD"]].drop_duplicates().set_index("AEDECOD")
    for arm in study.arm_keys:
        mine = table[table["TRT01A"] == arm].set_index("AEDECOD")
        if mine.empty:
            continue
        head = f"{arm}, N = {mine['N'].iloc[0]}"
        for column, words in (("any", "any grade"), ("grade3plus", "grade 3+")):
            shares = mine[column].astype(str) + mine[f"{column}_pct"].map(" ({:.0f}%)".format)
            made[f"{head}: {words}"] = shares.where(mine[column] > 0, "0")
        made[f"{head}: unknown"] = mine["unknown"]
    return made.reset_index().rename(columns={"AEBODSYS": "system organ class", "AEDECOD": "term"})


def event_results(table: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows of `event_table`: `ae.<term>.<population>.<arm>.any|grade3plus|unknown`."""
    return [count_result(("ae", one.AEDECOD, code, one.TRT01A, statistic), getattr(one, statistic), one.N)
            for one in table.itertuples() for statistic in ("any", "grade3plus", "unknown")]


def union_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `union_table`, unions only: `union.<union>.<population>.<arm>.grade2` and so on.

    Grade 2 is exactly grade 2: a patient whose worst grade is 3 is not in it.
    """
    unions = table[table["union"] == table["term"]]
    statistics = ("any", "grade1", "grade2", "grade3plus", "unknown")
    return [count_result(("union", one.union, one.population, one.TRT01A, statistic), getattr(one, statistic), one.N)
            for one in unions.itertuples() for statistic in statistics]


def overlap(adae: pd.DataFrame, adex: pd.DataFrame, adsl: pd.DataFrame, study: Study, grade: int = 2) -> pd.DataFrame:
    """Whether the patients of a union of terms are those whose interferon was reduced for an adverse event.

    Parameters
    ----------
    adae, adex, adsl : DataFrame
    study : Study
        `toxicity_unions`.
    grade : int
        Worst grade over the union that counts, exactly.

    Returns
    -------
    DataFrame
        One row a union and interferon: union, grade, drug, N (evaluable for interferon), both, union_only,
        reduced_only, neither (patients).
    """
    subjects, rows = population(adsl, "ifn_evaluable")["USUBJID"], []
    for union, terms in study.toxicity_unions.items():
        worst = worst_grades(adae[adae["AEDECOD"].isin(terms)].assign(AEDECOD=union))
        harmed = subjects.isin(worst.loc[worst["WORST"] == grade, "USUBJID"])
        for drug in sorted(drug for drug in adex["EXDRUG"].unique() if is_interferon(drug)):
            reduced = subjects.isin(adex.loc[(adex["EXDRUG"] == drug) & (adex["REDAEFL"] == "Y"), "USUBJID"])
            rows.append((union, grade, drug, len(subjects), int((harmed & reduced).sum()),
                         int((harmed & ~reduced).sum()), int((~harmed & reduced).sum()),
                         int((~harmed & ~reduced).sum())))
    names = ["union", "grade", "drug", "N", "both", "union_only", "reduced_only", "neither"]
    return pd.DataFrame(rows if len(adae) and len(subjects) else [], columns=names)
