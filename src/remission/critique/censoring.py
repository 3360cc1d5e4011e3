"""If censoring was not innocent: worst and best cases, and how many censored patients would tip the test."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import norm

from remission import batch, results
from remission.critique.layout import display
from remission.estimators import wording
from remission.study import Study
from remission.survival.endpoints import DEATH_IN_REMISSION, endpoint

LEVEL = 0.05
#: What could have become of censored patients, and words for it.
FATES = {"observed": "as censored", "event": "event at once", "free": "no event to the end of follow-up"}
#: Which censored patients are moved.
POOLS = {"all": "all censored patients", "deaths": "deaths in remission alone"}
#: Ends of the list from which patients are moved.
ENDS = ("earliest", "latest")
#: With up to this many censored patients every choice among them is tried.
MOST_CHOSEN = 12
NEVER = "no number of patients does it"
#: Steps of the grid in each arm at most; fewer where one cell takes long because the cohort is large.
MOST_STEPS, LARGE, FEW_STEPS = 20, 5000, 6
SCENARIOS = ["pool", "other", "reference", "moved_other", "moved_reference", "hr", "lower", "upper", "p"]
GRID = ["end", "reference", "other", "hr", "p", "p_lowest", "p_highest"]


def scenarios(data: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Hazard ratio and log-rank p when the censored patients of each arm all had the event at once, or never.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    study : Study

    Returns
    -------
    DataFrame
        One line a combination of fates, for all censored patients and, where there are any, for deaths in remission
        alone: `pool`, fates of the `other` and `reference` arm, patients moved in each, `hr` with Wald limits, `p`.
        An arm without such patients keeps its one fate. No rows without two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [5, 9, 2, 4], "event": [True, False, True, True],
    ...                      "code": [1, 0, 1, 1], "entry": 0})
    >>> scenarios(rows, two)[["other", "reference"]].values.tolist()
    [['observed', 'observed'], ['event', 'observed'], ['free', 'observed']]
    """
    if not study.contrast or data["arm"].nunique() != 2:
        return pd.DataFrame(columns=SCENARIOS)
    time, event, other = _arrays(data, study)
    lines, times, events = [], [], []
    for pool in POOLS:
        moved = _pool(data, pool)
        counts = {True: int((moved & other).sum()), False: int((moved & ~other).sum())}
        fates = {arm: FATES if counts[arm] else ("observed",) for arm in counts}
        for one, two in product(fates[True], fates[False]):
            if pool != "all" and one == two == "observed":
                continue
            new_time, new_event = time.copy(), event.copy()
            for arm, fate in ((other, one), (~other, two)):
                new_event[moved & arm] = fate == "event"
                if fate == "free":
                    new_time[moved & arm] = time.max()
            lines.append({"pool": pool, "other": one, "reference": two,
                          "moved_other": counts[True] * (one != "observed"),
                          "moved_reference": counts[False] * (two != "observed")})
            times.append(new_time)
            events.append(new_event)
    return pd.DataFrame(lines).assign(**_compared(np.array(times), np.array(events), other))[SCENARIOS]


def _arrays(data: pd.DataFrame, study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (data["time"].to_numpy(float), data["event"].to_numpy(bool), (data["arm"] != study.reference).to_numpy())


def _pool(data: pd.DataFrame, pool: str) -> np.ndarray:
    return (~data["event"] if pool == "all" else data["code"] == DEATH_IN_REMISSION).to_numpy(bool)


def _compared(time: np.ndarray, event: np.ndarray, other: np.ndarray) -> dict[str, np.ndarray]:
    """Hazard ratio (NaN where the likelihood has no maximum), its Wald limits and the log-rank p of every row."""
    log_hr, se = batch.cox(time, event, other)
    log_hr, half = np.where(np.isfinite(log_hr), log_hr, np.nan), norm.ppf(0.975) * se
    return {"hr": np.exp(log_hr), "lower": np.exp(log_hr - half), "upper": np.exp(log_hr + half),
            "p": batch.logrank(time, event, other).p}


def grid(data: pd.DataFrame, study: Study, pool: str = "all") -> pd.DataFrame:
    """Hazard ratio and log-rank p when k censored patients of each arm had the event right after censoring.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    study : Study
    pool : str
        `all` censored patients, or `deaths` in remission alone.

    Returns
    -------
    DataFrame
        One line an end of the list (the k `earliest` or `latest` censored) and a pair of counts, `reference` and
        `other`: `hr`, `p`, and over every choice of so many patients `p_lowest` and `p_highest`, which are NaN with
        more than 12 censored patients. Above 20 in an arm (6 in cohorts of more than 5,000) counts go in steps. No
        rows without two arms or without censored patients.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [5, 9, 2, 4], "event": [True, False, True, True],
    ...                      "code": [1, 0, 1, 1], "entry": 0})
    >>> grid(rows, two)[["end", "reference", "other"]].values.tolist()
    [['earliest', 0, 0], ['earliest', 0, 1], ['latest', 0, 0], ['latest', 0, 1]]
    """
    if not study.contrast or data["arm"].nunique() != 2 or not _pool(data, pool).any():
        return pd.DataFrame(columns=GRID)
    time, event, other = _arrays(data, study)
    moved = _pool(data, pool)
    made = []
    for end in ENDS:
        place = np.full(len(time), np.inf)
        for arm in (other, ~other):
            mine = np.flatnonzero(moved & arm)
            key = time[mine] if end == "earliest" else -time[mine]
            place[mine[np.argsort(key, kind="stable")]] = np.arange(len(mine))
        most = MOST_STEPS if len(time) <= LARGE else FEW_STEPS
        counts = pd.DataFrame(product(*(_steps((moved & arm).sum(), most) for arm in (~other, other))),
                              columns=["reference", "other"])
        found = []
        for _, part in counts.groupby("reference"):  # a slice at a time: large cohorts are wide
            limit = np.where(other, part["other"].to_numpy()[:, None], part["reference"].to_numpy()[:, None])
            found.append(pd.DataFrame(_compared(time, event | (place < limit), other), index=part.index))
        made.append(counts.assign(end=end).join(pd.concat(found)[["hr", "p"]]))
    return pd.concat(made, ignore_index=True).merge(_choices(time, event, other, moved), "left",
                                                    ["reference", "other"])[GRID]


def _steps(patients: int, most: int) -> np.ndarray:
    return np.unique(np.round(np.linspace(0, patients, min(int(patients), most) + 1)).astype(int))


def _choices(time, event, other, moved) -> pd.DataFrame:
    """Lowest and highest p over every choice of so many patients."""
    who = np.flatnonzero(moved)
    if len(who) > MOST_CHOSEN:
        return pd.DataFrame(columns=["reference", "other", "p_lowest", "p_highest"]).astype(
            {"reference": int, "other": int, "p_lowest": float, "p_highest": float})
    chosen = np.array(list(product((False, True), repeat=len(who))))
    events = np.tile(event, (len(chosen), 1))
    events[:, who] |= chosen
    p = batch.logrank(time, events, other).p
    table = pd.DataFrame({"reference": chosen[:, ~other[who]].sum(axis=1), "other": chosen[:, other[who]].sum(axis=1),
                          "p": p})
    return table.groupby(["reference", "other"])["p"].agg(p_lowest="min", p_highest="max").reset_index()


def grid_table(cells: pd.DataFrame, study: Study, end: str) -> pd.DataFrame:
    """The p-values of a grid as a table: a line a count of the reference arm, a column a count of the other.

    Parameters
    ----------
    cells : DataFrame
        From `grid`.
    study : Study
    end : str
        `earliest` or `latest`.

    Returns
    -------
    DataFrame
        No rows without cells.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> cells = pd.DataFrame({"end": "latest", "reference": [0, 0], "other": [0, 1], "p": [0.5, 0.25]})
    >>> grid_table(cells, two, "latest").values.tolist()
    [['0 of B', '0.50', '0.25']]
    """
    mine = cells[cells["end"] == end]
    if mine.empty:
        return pd.DataFrame(columns=["p"])
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    wide = mine.pivot_table(index="reference", columns="other", values="p", dropna=False)
    wide = wide.map(lambda p: wording.p_value(p).removeprefix("p = ").removeprefix("p "))
    wide.index = [f"{count} of {study.reference}" for count in wide.index]
    wide.columns = [f"{count} of {other}" for count in wide.columns]
    return wide.rename_axis("p").reset_index()


def tipping(table: pd.DataFrame, end: str) -> pd.Series | None:
    """Fewest patients whose event carries p across 0.05, from one end of the list or by the choice that does it best.

    Parameters
    ----------
    table : DataFrame
        From `grid`.
    end : str
        `earliest`, `latest`, or `any` for every choice of patients.

    Returns
    -------
    Series or None
        The line of the grid, with `p` the one that is across; None where no number of patients does it.

    Examples
    --------
    >>> lines = pd.DataFrame({"end": "earliest", "reference": [0, 1, 2], "other": 0, "hr": [0.5, 0.4, 0.3],
    ...                       "p": [0.07, 0.06, 0.04], "p_lowest": [0.07, 0.049, 0.04], "p_highest": 0.5})
    >>> int(tipping(lines, "earliest")["reference"]), int(tipping(lines, "any")["reference"])
    (2, 1)
    """
    if table.empty:
        return None
    start = float(table["p"].iloc[0])
    if math.isnan(start):
        return None
    mine = table[table["end"] == (end if end in ENDS else ENDS[0])]
    if end == "any":
        mine = mine.assign(p=mine["p_lowest" if start >= LEVEL else "p_highest"], hr=math.nan)
    across = mine[(mine["p"] < LEVEL) != (start < LEVEL)].dropna(subset=["p"])
    across = across.assign(total=across["reference"] + across["other"]).sort_values(["total", "p"], kind="stable")
    return None if across.empty else across.iloc[0]


def analyse(adtte: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> pd.DataFrame:
    """Worst and best cases of censoring, and the patients that tip the log-rank test.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str

    Returns
    -------
    DataFrame
        Results, analysis `censoring`: hazard ratio and p of every scenario, tipping counts, lowest and highest p over
        all counts. Empty without two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> analyse(none, Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    data = endpoint(adtte, paramcd)
    cases = scenarios(data, study)
    if cases.empty:
        return results.frame([])
    common = {"n": len(data), "events": int(data["event"].sum())}
    rows = []
    for case in cases.itertuples():
        name = f"{case.pool}: other {case.other}, reference {case.reference}"
        how = (f"other arm {FATES[case.other]}, reference arm {FATES[case.reference]}; {POOLS[case.pool]}, "
               f"{case.moved_other} and {case.moved_reference} of them moved")
        rows += [_row(paramcd, study, f"HR[{name}]", case.hr, "HR", f"Cox model, Efron ties; Wald 95% interval; {how}",
                      _ratio(case), lower=case.lower, upper=case.upper, **common),
                 _row(paramcd, study, f"p[{name}]", case.p, "p", f"log-rank test, two-sided; {how}",
                      wording.p_value(case.p, "the test's variance is zero"), **common)]
    for pool in POOLS:
        rows += _tipping_rows(paramcd, study, data, pool, common)
    return results.frame(rows)


def _row(paramcd, study, statistic, value, unit, method, shown, **more) -> dict:
    return results.row("censoring", paramcd, "all", study.contrast, statistic, value, unit=unit, method=method,
                       display=shown, **more)


def _ratio(case) -> str:
    why = "events while both arms were at risk fell in one arm only" if math.isfinite(case.p) else "no information"
    return wording.ratio_interval(case.hr, case.lower, case.upper, why)


def _tipping_rows(paramcd, study, data, pool, common) -> list[dict]:
    table = grid(data, study, pool)
    if table.empty:
        return []
    prefix, most = "deaths_" if pool == "deaths" else "", int(_pool(data, pool).sum())
    steps = " (counted in steps)" if len(table) < len(ENDS) * (table[["reference", "other"]].max() + 1).prod() else ""
    rows = []
    for end in (*ENDS, "any"):
        if end == "any" and table["p_lowest"].isna().all():
            continue
        found = tipping(table, end)
        how = "any choice of them" if end == "any" else f"the {end} censored first"
        value = math.nan if found is None else found["reference"] + found["other"]
        rows.append(_row(paramcd, study, f"{prefix}tipping[{end}]", value, "n",
                         f"fewest of {most} patients ({POOLS[pool]}, {how}) whose event right after censoring carries "
                         f"the log-rank p across 0.05{steps}",
                         NEVER if found is None else f"{_tipped(found, study)}{steps}", **common))
    columns = ["p", "p_lowest", "p_highest"]
    for name, how in (("p_lowest", "min"), ("p_highest", "max")):
        value = float(getattr(np, f"nan{how}")(table[columns].to_numpy(float)))
        rows.append(_row(paramcd, study, f"{prefix}{name}", value, "p",
                         f"log-rank test; {how}imum over counts of {POOLS[pool]} with an event right after censoring",
                         wording.p_value(value), **common))
    return rows


def _tipped(found: pd.Series, study: Study) -> str:
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    parts = [f"{int(found[key])} of {arm}" for key, arm in (("other", other), ("reference", study.reference))
             if found[key]]
    return f"{' and '.join(parts)}: {wording.p_value(found['p'])}"


def table(cases: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Lay the scenarios out: a line a combination of fates.

    Parameters
    ----------
    cases : DataFrame
        From `scenarios`.
    study : Study

    Returns
    -------
    DataFrame
        No rows without two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(pd.DataFrame(columns=SCENARIOS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    if cases.empty:
        return pd.DataFrame(columns=["moved"])
    other = next(arm for arm in study.arm_keys if arm != study.reference)
    return pd.DataFrame([{
        "moved": "nobody" if case.other == case.reference == "observed" else POOLS[case.pool],
        f"{other}": _fate(case.other, case.moved_other),
        f"{study.reference}": _fate(case.reference, case.moved_reference), "hazard ratio": _ratio(case),
        "log-rank test": wording.p_value(case.p, "the test's variance is zero")} for case in cases.itertuples()])


def _fate(fate: str, moved: int) -> str:
    return FATES[fate] if fate == "observed" else f"{FATES[fate]} ({moved})"


def sentence(rows: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> str:
    """Say between what bounds censoring could move the comparison, and how little would tip it.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study
    paramcd : str

    Returns
    -------
    str
        Markdown; one reason where there is nothing to say.

    Examples
    --------
    >>> from remission.study import Arm
    >>> sentence(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*Two arms with times to this endpoint are needed: nothing to tip.*'
    """
    if rows.empty:
        return "*Two arms with times to this endpoint are needed: nothing to tip.*"
    stem = f"censoring.{paramcd}.all.{study.contrast}"
    other = next(arm for arm in study.arm_keys if arm != study.reference)

    def both(name: str) -> str | None:
        ratio, p = display(rows, f"{stem}.HR[{name}]"), display(rows, f"{stem}.p[{name}]")
        return None if ratio is None else f"hazard ratio {ratio}, {p}"

    said = [f"As censored: {both('all: other observed, reference observed')}."]
    for one, two, words in (("event", "free", "at once in {0} and never in {1}"),
                            ("free", "event", "never in {0} and at once in {1}")):
        found = both(f"all: other {one}, reference {two}")
        if found:
            said.append(f"If the event came to the censored {words.format(other, study.reference)}: {found}.")
    deaths = both("deaths: other event, reference event") or both("deaths: other event, reference observed") or both(
        "deaths: other observed, reference event")
    if deaths:
        said.append(f"With every death in remission as an event: {deaths}.")
    tips = {end: display(rows, f"{stem}.tipping[{end}]") for end in (*ENDS, "any")}
    if tips["earliest"] is None:
        said.append("Nobody is censored: there is nothing to tip.")
    elif set(tips.values()) - {None} == {NEVER}:
        said.append("No number of events right after censoring carries p across 0.05.")
    else:
        said.append("Fewest events right after censoring that carry p across 0.05: " + "; ".join(
            f"{'by any choice' if end == 'any' else f'{end} censored first'}, {words}"
            for end, words in tips.items() if words is not None) + ".")
    return " ".join(said)
