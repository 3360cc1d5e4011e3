"""Were the arms followed alike: calendar time, the order of ongoing remissions, and follow-up by arm."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from remission import results
from remission.critique.layout import display, lay_out
from remission.estimators import comparisons, curves, wording
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

#: Endpoints that follow a patient longest, best first.
LONGEST = ("OSMT", "RFS", "TTRLP")
#: With more patients than this the distribution of a rank sum is taken as normal.
MOST_EXACT = 120
CALENDAR = ["patient", "arm", "entry", "last", "ongoing"]
NAMES = {"ongoing": "ongoing remissions", "shortest": "shortest ongoing remission",
         "longest": "longest ongoing remission", "followup_median": "median follow-up",
         "entry_first": "first entry", "entry_median": "median entry", "entry_last": "last entry",
         "contact_last": "last contact of all"}


def calendar(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Entry and last contact of every patient by date.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`; days count from the time origin, whose date is `MTSTDT`.
    study : Study

    Returns
    -------
    DataFrame
        `patient`, `arm`, `entry` and `last` (dates), `ongoing` (in remission at last contact), by entry within arms;
        no rows when the cohort has no dates.

    Examples
    --------
    >>> from remission.study import Arm
    >>> adsl = pd.DataFrame({"USUBJID": ["1"], "TRT01A": "A", "TTEFL": "Y", "MTSTDT": [pd.Timestamp("2004-01-31")],
    ...                      "LSTALVDY": [30], "STATUS": "relapse"})
    >>> calendar(adsl, Study("demo", "own", "", "", (Arm("A", "A"),)))["last"].dt.strftime("%Y-%m-%d").tolist()
    ['2004-03-01']
    """
    known = adsl[(adsl["TTEFL"] == "Y") & adsl["MTSTDT"].notna() & adsl["LSTALVDY"].notna()]
    entry = pd.to_datetime(known["MTSTDT"])
    made = pd.DataFrame({"patient": known["USUBJID"], "arm": known["TRT01A"], "entry": entry,
                         "last": entry + pd.to_timedelta(known["LSTALVDY"].astype("int64"), unit="D"),
                         "ongoing": known["STATUS"] == "ongoing remission"}, columns=CALENDAR)
    place = made["arm"].map({arm: number for number, arm in enumerate(study.arm_keys)})
    return made.assign(place=place).sort_values(["place", "entry", "patient"])[CALENDAR].reset_index(drop=True)


def order(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """How often values of the first group exceed those of the second, and how probable that is under any order.

    Parameters
    ----------
    one, other : array_like of int
        At least one value each.

    Returns
    -------
    pairs : float
        Pairs in which the first group's value is the longer one; a tie counts one half.
    one_sided : float
        Probability of at least as many pairs, in the direction observed, if every order were equally likely: exact
        with ties, normal with a correction for continuity above 120 values.
    two_sided : float
        Probability of a count at least as far from one half of the pairs.

    Source
    ------
    Mann and Whitney, Ann Math Stat 1947;18:50. R: `coin::wilcox_test(distribution = "exact")`.

    Examples
    --------
    >>> [round(value, 4) for value in order([2890, 3155, 3787], [2387, 2768])]
    [6.0, 0.1, 0.2]
    """
    one, other = np.asarray(one), np.asarray(other)
    every = len(one) * len(other)
    pairs = float(mannwhitneyu(one, other, method="asymptotic").statistic)
    if len(one) + len(other) > MOST_EXACT:
        side = "greater" if pairs >= every / 2 else "less"
        return pairs, *(float(mannwhitneyu(one, other, alternative=way, method="asymptotic").pvalue)
                        for way in (side, "two-sided"))
    ways = _ways(one, other)
    twice = np.arange(len(ways)) - len(one) * (len(one) + 1)  # twice the pairs, at each sum of doubled mid-ranks
    beyond = twice >= 2 * pairs if pairs >= every / 2 else twice <= 2 * pairs
    away = np.abs(twice - every) >= abs(2 * pairs - every)
    return pairs, float(ways[beyond].sum() / ways.sum()), float(ways[away].sum() / ways.sum())


def _ways(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """In how many ways a group of the first size can have each sum of doubled mid-ranks."""
    pooled = np.concatenate([one, other])
    ordered = np.sort(pooled)
    ranks = np.searchsorted(ordered, ordered, "left") + np.searchsorted(ordered, ordered, "right") + 1
    ways = np.zeros((len(one) + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, :ways.shape[1] - rank].copy()
    return ways[len(one)]


def analyse(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> pd.DataFrame:
    """Order of the ongoing remissions, follow-up and calendar time by arm.

    Parameters
    ----------
    adsl, adtte : DataFrame
        Analysis tables.
    study : Study
    paramcd : str
        Endpoint whose patients without event or death are the ongoing ones.

    Returns
    -------
    DataFrame
        Results, analysis `order`: lengths of the ongoing remissions, median follow-up (reverse Kaplan-Meier of the
        endpoint that follows patients longest) and, with two arms, the exact probability of the order and the log-rank
        test of follow-up; dates where the cohort has them, as calendar years.

    Examples
    --------
    >>> from remission.study import Arm
    >>> none = pd.DataFrame(columns=["USUBJID", "TRT01A", "TTEFL", "MTSTDT", "LSTALVDY", "STATUS", "PARAMCD", "AVAL",
    ...                              "CNSR", "ENTRYDY"])
    >>> analyse(none, none, Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    rows = _ongoing_rows(endpoint(adtte, paramcd), study, paramcd)
    for code in LONGEST:
        if (adtte["PARAMCD"] == code).any():
            rows += _followup_rows(endpoint(adtte, code), study, code)
            break
    return results.frame(rows + _calendar_rows(calendar(adsl, study), study))


def _ongoing_rows(data: pd.DataFrame, study: Study, paramcd: str) -> list[dict]:
    rows, times = [], {}
    for arm, group in by_arm(data, study).items():
        times[arm] = group.loc[group["code"] == 0, "time"].to_numpy()
        common = {"n": len(group), "events": int(group["event"].sum())}
        rows.append(results.row("order", paramcd, "all", arm, "ongoing", len(times[arm]), unit="n", method="count",
                                display=f"{len(times[arm])} of {len(group)}", **common))
        for name, how in (("shortest", "min"), ("longest", "max")) if len(times[arm]) else ():
            days = float(getattr(times[arm], how)())
            rows.append(results.row("order", paramcd, "all", arm, name, days, unit="d",
                                    method="time without event or death at last contact",
                                    display=wording.duration(days, study.report_unit), **common))
    if study.contrast and len(times) == 2 and all(len(values) for values in times.values()):
        other = next(arm for arm in times if arm != study.reference)
        rows += _order_rows(paramcd, study, order(times[other], times[study.reference]), times[other],
                            times[study.reference])
    return rows


def _order_rows(paramcd, study, found, one, two) -> list[dict]:
    pairs, one_sided, two_sided = found
    every, n = len(one) * len(two), len(one) + len(two)
    how = f"Mann-Whitney on ongoing remissions, {'exact' if n <= MOST_EXACT else 'normal approximation'}"
    odds = 1 / one_sided if one_sided > 0 else math.inf
    inverse = f" (1 in {odds:.0f})" if odds < 1000 and abs(odds - round(odds)) < 1e-6 else ""
    return [results.row("order", paramcd, "ongoing", study.contrast, "pairs", pairs, unit="n", n=n, method=how,
                        display=f"{pairs:.12g} of {every}"),
            results.row("order", paramcd, "ongoing", study.contrast, "p_one_sided", one_sided, unit="p", n=n,
                        method=f"{how}, one-sided in the direction seen",
                        display=wording.p_value(one_sided) + inverse),
            results.row("order", paramcd, "ongoing", study.contrast, "p", two_sided, unit="p", n=n,
                        method=f"{how}, two-sided", display=wording.p_value(two_sided))]


def _followup_rows(data: pd.DataFrame, study: Study, paramcd: str) -> list[dict]:
    turned = data.assign(event=data["code"] == 0)  # leaving observation is the event, whatever else ends it is not
    rows, method = [], "reverse Kaplan-Meier; Brookmeyer-Crowley 95% interval, log-log"
    for arm, group in by_arm(turned, study).items():
        median = curves.quantile(curves.kaplan_meier(group))
        rows.append(results.row("order", paramcd, "all", arm, "followup_median", median.value, lower=median.lower,
                                upper=median.upper, unit="d", n=len(group), events=int(group["event"].sum()),
                                method=method, display=wording.duration_interval(median, study.report_unit)))
    if study.contrast and len(rows) == 2:
        test = comparisons.logrank(turned, study.reference)
        rows.append(results.row("order", paramcd, "all", study.contrast, "followup_p", test.p, unit="p", n=len(data),
                                events=int(turned["event"].sum()), display=wording.p_value(test.p, test.note),
                                method="log-rank test of the end of follow-up, two-sided"))
    return rows


def _calendar_rows(dates: pd.DataFrame, study: Study) -> list[dict]:
    rows = []
    for arm, group in dates.groupby("arm", sort=False):
        entry = group["entry"].sort_values()
        for name, day in (("entry_first", entry.iloc[0]), ("entry_median", entry.iloc[(len(entry) - 1) // 2]),
                          ("entry_last", entry.iloc[-1]), ("contact_last", group["last"].max())):
            rows.append(results.row("order", "-", "all", arm, name, _year(day), unit="calendar year", n=len(group),
                                    method="date as recorded; the median of an even number is the earlier one",
                                    display=f"{day:%Y-%m-%d}"))
    if study.contrast and dates["arm"].nunique() == 2:
        spans = dates.groupby("arm")["entry"].agg(["min", "max"])
        shared = dates["entry"].between(spans["min"].max(), spans["max"].min())
        for arm, alone in (~shared).groupby(dates["arm"], sort=False):
            rows.append(results.row("order", "-", "all", arm, "entry_alone", alone.sum(), unit="n", n=len(alone),
                                    method="entered before the other arm's first or after its last patient",
                                    display=f"{alone.sum()} of {len(alone)}"))
        days = (dates["entry"] - pd.Timestamp(0)).dt.days.to_numpy()
        is_reference = (dates["arm"] == study.reference).to_numpy()
        found = order(days[~is_reference], days[is_reference])
        rows.append(results.row("order", "-", "all", study.contrast, "entry_p", found[2], unit="p", n=len(dates),
                                method="Mann-Whitney on dates of entry, two-sided", display=wording.p_value(found[2])))
    return rows


def _year(day: datetime.date) -> float:
    first = pd.Timestamp(day.year, 1, 1)
    return day.year + (day - first).days / (pd.Timestamp(day.year + 1, 1, 1) - first).days


def table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Lay the results out: a line a statistic, a column an arm.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    return lay_out(rows, NAMES | {"entry_alone": "entered while the other arm did not"}, study.arm_keys)


def sentence(rows: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> str:
    """Say what the order of the ongoing remissions, follow-up and dates show.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study
    paramcd : str

    Returns
    -------
    str
        Markdown; what cannot be said is said with its reason.

    Examples
    --------
    >>> from remission.study import Arm
    >>> sentence(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*One arm, or more than two: nothing to compare.*'
    """
    if not study.contrast:
        return "*One arm, or more than two: nothing to compare.*"
    said, stem = [], f"order.{paramcd}.ongoing.{study.contrast}"
    pairs = display(rows, f"{stem}.pairs")
    if pairs is None:
        said.append("Only one arm, or none, has ongoing remissions: their order says nothing about follow-up.")
    else:
        other = next(arm for arm in study.arm_keys if arm != study.reference)
        p, both = display(rows, f"{stem}.p_one_sided"), display(rows, f"{stem}.p")
        said.append(f"In {pairs} pairs of ongoing remissions the one in {other} is the longer. If both arms had been "
                    f"followed alike and late relapse were as rare in both, an order at least as one-sided would have "
                    f"{p} in this direction, {both} in either.")
    said += [f"End of follow-up, {study.contrast}: log-rank {row.display}."
             for row in rows[rows["statistic"] == "followup_p"].itertuples()]
    entered = display(rows, f"order.-.all.{study.contrast}.entry_p")
    said.append("No dates are recorded: calendar time cannot be compared." if entered is None else
                f"Dates of entry: Mann-Whitney {entered}.")
    if study.kind == "reconstructed" and entered is not None:
        said.append("**The dates of this synthetic cohort are made up;** only the lengths of the ongoing remissions "
                    "are printed ones.")
    return " ".join(said)
