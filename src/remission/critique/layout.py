"""Rows of results laid out for reading, a line a statistic and a column an arm."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd


def display(rows: pd.DataFrame, result_id: str) -> str | None:
    """What a reader should see of one result; None when it is not there.

    Examples
    --------
    >>> display(pd.DataFrame({"result_id": ["a"], "display": ["9 days"]}), "a")
    '9 days'
    """
    found = rows.loc[rows["result_id"] == result_id, "display"]
    return None if found.empty else str(found.iloc[0])


def lay_out(rows: pd.DataFrame, names: dict[str, str], columns: Iterable[str]) -> pd.DataFrame:
    """Put display strings side by side.

    Parameters
    ----------
    rows : DataFrame
        Results of one analysis.
    names : dict
        Words for each statistic; they give the order of the lines, and what is not named is left out.
    columns : iterable of str
        Arms or contrasts, in the order of the columns; those without a result are left out.

    Returns
    -------
    DataFrame
        `statistic` and the columns; an empty text where an arm lacks the statistic.

    Examples
    --------
    >>> rows = pd.DataFrame({"statistic": ["p", "n"], "arm": ["A", "A"], "display": ["p = 0.07", "12"]})
    >>> lay_out(rows, {"n": "patients", "p": "test"}, ["A"]).values.tolist()
    [['patients', '12'], ['test', 'p = 0.07']]
    """
    mine = rows[rows["statistic"].isin(list(names)) & rows["arm"].isin(list(columns))]
    if mine.empty:
        return pd.DataFrame(columns=["statistic"])
    wide = mine.pivot_table(index="statistic", columns="arm", values="display", aggfunc="first")
    wide = wide.reindex(index=[name for name in names if name in wide.index],
                        columns=[name for name in columns if name in wide.columns]).fillna("")
    return wide.rename(index=names).reset_index().rename_axis(columns=None)
