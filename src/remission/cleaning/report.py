"""What cleaning did, for readers: rows accounted for, repairs by rule, rows set aside, what is still missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from remission import checks, results, schema

if TYPE_CHECKING:
    from remission.cleaning import Clean

#: Rules that change nothing: questions for whoever sent the tables.
QUERIES = tuple(check.rule for check in checks.CHECKS.values() if check.severity == "warning")
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
    made.insert(1, "meaning", made["rule"].map({rule: check.meaning for rule, check in checks.RULES.items()}))
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
