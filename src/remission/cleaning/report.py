"""What cleaning did, for readers: rows accounted for, repairs by rule, rows set aside, what is still missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from remission import results, schema

if TYPE_CHECKING:
    from remission.cleaning import Clean

#: Every rule that can appear in the log, in words.
RULES = {
    "strip_whitespace": "spaces around a text, or repeated inside it, removed",
    "column_name": "column name brought to the contract's spelling",
    "extra_column": "column outside the contract, kept as text",
    "extra_table": "table outside the contract, not read",
    "known_defect": "text that study.toml lists as unreadable became missing",
    "missing_word": "a word for 'not known' became missing",
    "two_digit_year": "two-digit year completed: up to 49 is 20.., from 50 is 19..",
    "slash_date": "date with slashes read in the declared order",
    "dashed_date": "date with hyphens, year last, read in the declared order",
    "dotted_date": "date with points read day first",
    "month_name_date": "date with the name of the month, German or English",
    "iso_spelling": "year-first date brought to YYYY-MM-DD",
    "drop_clock_time": "clock time after a date dropped",
    "impute_partial_date": "month without a day: first day for a start, last day for an end",
    "onset_at_origin": "event dated by the month in which treatment began: starts with treatment",
    "number_notation": "number with the other decimal sign, grouped thousands or a power of ten",
    "alias_arm": "other name of an arm",
    "alias_drug": "other name of a drug",
    "alias_value": "other word for a value of a closed vocabulary",
    "translate_term": "reported adverse event brought to its preferred term",
    "uncoded_term": "adverse event outside the vocabulary, left as reported",
    "unit_count": "blood count brought to 10^9/L",
    "unit_mass": "concentration brought to g/dL or mg/dL",
    "unit_enzyme": "enzyme activity brought to U/L",
    "unit_drug": "dose brought to MU or mg",
    "weekly_dose": "weekly interferon dose divided by three, three times a week",
    "roman_grade": "Roman numeral read as a grade",
    "grade_spelling": "grade freed from its prefix",
    "mrd_text": "laboratory's wording read as a state or a ratio",
    "limit_from_text": "detection limit taken from a result such as <0.001 %",
    "mrd_ratio_disagrees": "query: printed result at odds with the copies beside it",
    "mutation_spelling": "amino-acid change brought to one-letter code",
    "close_open_dose": "stretch without an end closed the day before the next one",
    "end_overlap": "stretch that ran into the next one ends the day before",
    "end_after_death": "end after death moved to the day of death",
    "unreadable_value": "optional cell that could not be read became missing",
    "status_disagrees": "query: status at odds with relapse or death",
    "repeated_key": "query: another row has the same patient, day and kind",
}
#: Rules that change nothing: questions for whoever sent the tables.
QUERIES = ("uncoded_term", "mrd_ratio_disagrees", "status_disagrees", "repeated_key", "extra_column", "extra_table")
_COUNTS = ("read", "clean", "repaired", "quarantined")


def account(result: Clean, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of each table: read, clean, repaired, set aside.

    Parameters
    ----------
    result : Clean
    tables : dict of DataFrame
        From `raw.read`.

    Returns
    -------
    DataFrame
        One row a table: table, read, clean, repaired (clean rows with at least one changed cell), quarantined.
    """
    changed = result.log[result.log["line"].notna() & ~result.log["rule"].isin(QUERIES)]
    touched = changed[["table", "line"]].drop_duplicates()
    aside = result.quarantine[["table", "line"]].assign(aside=True)
    touched = touched.merge(aside, on=["table", "line"], how="left")
    repaired = touched.loc[touched["aside"].isna(), "table"].value_counts()
    quarantined = result.quarantine["table"].value_counts()
    made = [{"table": name, "read": len(tables[name]), "clean": len(frame), "repaired": int(repaired.get(name, 0)),
             "quarantined": int(quarantined.get(name, 0))} for name, frame in result.tables.items()]
    return pd.DataFrame(made, columns=["table", *_COUNTS])


def account_results(counts: pd.DataFrame) -> pd.DataFrame:
    """Rows accounted for, as results.

    Parameters
    ----------
    counts : DataFrame
        From `account`.

    Returns
    -------
    DataFrame
        Results `rows.<table>.all.all.read`, `.clean`, `.repaired` and `.quarantined`; `-` stands for all tables.

    Examples
    --------
    >>> made = account_results(pd.DataFrame({"table": ["mrd"], "read": 9, "clean": 8, "repaired": 5, "quarantined": 1}))
    >>> made["result_id"].iloc[3], made["display"].iloc[3]
    ('rows.-.all.all.quarantined', '1')
    """
    whole = pd.DataFrame([{"table": "-", **counts[list(_COUNTS)].sum()}])
    return results.frame(
        results.row("rows", row["table"], "all", "all", name, row[name], unit="n", n=int(row["read"]),
                    method="count of rows", display=str(row[name]))
        for row in pd.concat([whole, counts]).to_dict("records") for name in _COUNTS)


def account_sentence(counts: pd.DataFrame) -> str:
    """The account in one sentence."""
    total = counts[list(_COUNTS)].sum()
    return (f"**{total['read']}** rows were read in {len(counts)} tables; **{total['clean']}** are clean, "
            f"**{total['repaired']}** of them after at least one repair, and **{total['quarantined']}** set aside.")


def repairs(log: pd.DataFrame, queries: bool = False) -> pd.DataFrame:
    """Repairs by rule, or queries by rule.

    Parameters
    ----------
    log : DataFrame
        From `clean`.
    queries : bool
        The rules that change nothing instead.

    Returns
    -------
    DataFrame
        rule, meaning, tables, cells, patients and one example (first in the log): before, after. Queries name their
        columns too.
    """
    mine = log[log["rule"].isin(QUERIES) == queries]
    grouped = mine.groupby("rule", sort=True)
    made = grouped.agg(tables=("table", lambda names: ", ".join(dict.fromkeys(names))), cells=("rule", "size"),
                       patients=("patient_id", lambda ids: ids[ids != ""].nunique()), before=("before", "first"),
                       after=("after", "first")).reset_index()
    made.insert(1, "meaning", made["rule"].map(RULES))
    if queries:
        names = grouped["column"].agg(lambda columns: ", ".join(dict.fromkeys(columns)))
        made.insert(3, "columns", made["rule"].map(names))
    return made


def examples(log: pd.DataFrame, each: int = 2) -> pd.DataFrame:
    """The first few different repairs of each rule and column, as before and after.

    Parameters
    ----------
    log : DataFrame
    each : int
        Most rows a rule.

    Returns
    -------
    DataFrame
        rule, table, line, patient_id, column, before, after.
    """
    mine = log[~log["rule"].isin(QUERIES)].drop_duplicates(["rule", "before", "after"])
    return mine.groupby("rule").head(each).sort_values(["rule", "table", "line"], ignore_index=True)


def missing(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Cells that are blank in the clean tables, by column.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables.

    Returns
    -------
    DataFrame
        table, column, rows, blank, blank_pct. Columns that are filled throughout, or not used by the cohort at all, and
        the study days of dates are left out.
    """
    days = set(schema.DAY_COLUMN.values())
    made = []
    for name, frame in tables.items():
        blank = frame.isna().sum()
        dated = {twin for date, twin in schema.DAY_COLUMN.items() if date in frame and frame[date].notna().any()}
        made += [{"table": name, "column": column, "rows": len(frame), "blank": int(count),
                  "blank_pct": 100 * count / len(frame)}
                 for column, count in blank.items() if 0 < count < len(frame) and column not in days & dated]
    return pd.DataFrame(made, columns=["table", "column", "rows", "blank", "blank_pct"])
