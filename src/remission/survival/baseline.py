"""Who the patients are: the baseline table by arm."""

from __future__ import annotations

import pandas as pd

from remission import results
from remission import study as units
from remission.study import Study

#: Characteristics that are numbers: result name, how `adsl` gives them, words, unit.
NUMBERS = {"age": ("AGE", "age, years", "y"), "cycles": ("NCYCLES", "cycles of intensive chemotherapy", "n"),
           "lead": ("DXDY", "months from diagnosis to the time origin", "d")}
#: Characteristics that are categories.
CATEGORIES = {"sex": ("SEX", "sex"), "transcript": ("TRANSC", "BCR::ABL1 transcript")}


def analyse_baseline(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Describe the patients of each arm: medians and ranges of numbers, counts of categories.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`; `DXDY` in days (diagnosis comes before the origin, so it is negative).
    study : Study

    Returns
    -------
    DataFrame
        Results: `age`, `cycles`, `lead` (days) with statistics median, min, max; `sex` and `transcript` with a count
        for each category. What the cohort does not record gives no row; patients without a value are left out of n.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> adsl = pd.DataFrame({"TRT01A": "A", "AGE": [60, 71], "NCYCLES": None, "DXDY": None, "SEX": ["F", "F"],
    ...                      "TRANSC": None})
    >>> made = analyse_baseline(adsl, Study("demo", "own", "", "", (Arm("A", "A"),)))
    >>> made[["result_id", "display"]].values.tolist()[0]
    ['age.-.all.A.median', '65.5']
    """
    rows = []
    for arm in study.arm_keys:
        mine = adsl[adsl["TRT01A"] == arm]
        for name, (column, _, unit) in NUMBERS.items():
            values = pd.to_numeric(mine[column]).dropna().astype(float)
            rows += _number_rows(name, arm, -values if name == "lead" else values, unit)
        for name, (column, _) in CATEGORIES.items():
            known = mine[column].dropna()
            # Every arm shows every category of the cohort, so that a zero is seen.
            for category in sorted(adsl[column].dropna().unique()) if len(known) else []:
                count = int((known == category).sum())
                rows.append(results.row(name, "-", "all", arm, category, count, unit="n", n=len(known), method="count",
                                        display=f"{count} of {len(known)} ({100 * count / len(known):.0f}%)"))
    return results.frame(rows)


def _number_rows(name: str, arm: str, values: pd.Series, unit: str) -> list[dict]:
    if values.empty:
        return []
    made = []
    for statistic in ("median", "min", "max"):
        value = float(values.agg(statistic))
        shown = f"{units.from_days(value, 'month'):.1f} months" if unit == "d" else f"{value:g}"
        made.append(results.row(name, "-", "all", arm, statistic, value, unit=unit, n=len(values),
                                method="plain, over patients with a value", display=shown))
    return made


def baseline_table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Lay the baseline results out as a paper prints them: a line a characteristic, a column an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_baseline`.
    study : Study

    Returns
    -------
    DataFrame
        `characteristic` and one column an arm: `median (min to max), n` or counts.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> adsl = pd.DataFrame({"TRT01A": "A", "AGE": [60, 71], "NCYCLES": None, "DXDY": None, "SEX": None,
    ...                      "TRANSC": None})
    >>> baseline_table(analyse_baseline(adsl, one), one).values.tolist()
    [['age, years', '65.5 (60 to 71), n = 2']]
    """
    found = {row.result_id: row for row in rows.itertuples()}
    lines = []
    for name, (_, words, _) in NUMBERS.items():
        line = {"characteristic": words}
        for arm in study.arm_keys:
            three = [found.get(f"{name}.-.all.{arm}.{statistic}") for statistic in ("median", "min", "max")]
            line[arm] = "not recorded" if three[0] is None else "{} ({} to {}), n = {}".format(
                *(one.display.removesuffix(" months") for one in three), three[0].n)
        lines.append(line)
    for name, (_, words) in CATEGORIES.items():
        for category in pd.unique(rows.loc[rows["analysis"] == name, "statistic"]):
            cells = {arm: found.get(f"{name}.-.all.{arm}.{category}") for arm in study.arm_keys}
            lines.append({"characteristic": f"{words}: {category}",
                          **{arm: "not recorded" if cell is None else cell.display for arm, cell in cells.items()}})
    kept = [line for line in lines if any(line[arm] != "not recorded" for arm in study.arm_keys)]
    return pd.DataFrame(kept, columns=["characteristic", *study.arm_keys])
