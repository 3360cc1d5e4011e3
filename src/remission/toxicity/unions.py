"""Unions of terms that are read together, and every reading of one printed count."""

from __future__ import annotations

import pandas as pd

from remission.study import Study
from remission.toxicity.counts import POPULATIONS, count_result, is_interferon, population, with_interval
from remission.toxicity.events import COUNTED, count_events, worst_grades

#: Readings of a grade that a report may mean by one word, such as "moderate".
READINGS = {"grade2": "worst grade exactly 2", "grade2plus": "worst grade 2 or more", "any": "any grade"}


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
        grade3plus and grade2plus, maybe3plus and events as in `event_table`, percentage and exact limits (%) of any,
        grade2, grade2plus and grade3plus. A patient with both terms is counted once, at the worse grade.
    """
    parts = []
    for union, terms in study.toxicity_unions.items():
        chosen = adae[adae["AEDECOD"].isin(terms)]
        both = pd.concat([chosen.assign(AEDECOD=union), chosen], ignore_index=True)
        levels = pd.DataFrame({"AEDECOD": [union, *terms]})
        for code in POPULATIONS:
            subjects = population(adsl, code)
            if subjects.empty or adae.empty:
                continue
            counted = count_events(both, subjects, study, ["AEDECOD"], levels)
            counted["grade2plus"] = counted["grade2"] + counted["grade3plus"]
            counted = with_interval(with_interval(counted, "grade2"), "grade2plus")
            parts.append(counted.rename(columns={"AEDECOD": "term"}).assign(union=union, population=code))
    if not parts:
        return pd.DataFrame(columns=["union", "term", "population", "TRT01A", "N"])
    made = pd.concat(parts, ignore_index=True)
    first = ["union", "term", "population"]
    return made[[*first, *(name for name in made if name not in first)]]


def readings(table: pd.DataFrame) -> pd.DataFrame:
    """Every reading of "so many patients had it": the terms together and apart, each grade rule, each denominator.

    Parameters
    ----------
    table : DataFrame
        From `union_table`.

    Returns
    -------
    DataFrame
        union, term, TRT01A, reading, population, patients, N, percent, lower, upper (%).
    """
    parts = [table.reindex(columns=["union", "term", "TRT01A"]).assign(
        reading=words, population=table["population"].map({code: said for code, (_, said) in POPULATIONS.items()}),
        patients=table.get(column), N=table["N"], percent=table.get(f"{column}_pct"),
        lower=table.get(f"{column}_lower"), upper=table.get(f"{column}_upper")) for column, words in READINGS.items()]
    made = pd.concat(parts)
    return made.sort_index(kind="stable").reset_index(drop=True)


def union_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `union_table`: `union.<union>.<population>.<arm>.grade2` and so on.

    Grade 2 is exactly grade 2: a patient whose worst grade is 3 is not in it, and is in `grade2plus`. The terms apart
    have `ae.<term>.<population>.<arm>.grade2|grade2plus`, and where `event_results` does not speak, in the population
    evaluable for interferon, its statistics too.
    """
    rows = []
    for one in table.drop_duplicates(["term", "population", "TRT01A"]).itertuples():
        statistics = ("grade2", "grade2plus", *(COUNTED if one.population != "all" else ()))
        if one.union == one.term:
            statistics = ("any", "grade1", "grade2", "grade2plus", "grade3plus", "unknown")
        rows += [count_result(("union" if one.union == one.term else "ae", one.term, one.population, one.TRT01A,
                               statistic), getattr(one, statistic), one.N) for statistic in statistics]
    return rows


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
