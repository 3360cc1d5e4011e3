"""Counts of patients by outcome, with exact intervals."""

from __future__ import annotations

import pandas as pd

from remission import results
from remission.estimators import wording
from remission.estimators.proportions import proportion
from remission.study import Study

EXACT = "count; Clopper-Pearson 95% interval of the proportion, in %"
STATUSES = {"relapse": "relapse", "death in remission": "death_in_remission", "ongoing remission": "ongoing",
            "not evaluable": "not_evaluable"}
#: Ongoing remissions are listed one by one up to this many an arm.
LISTED = 20


def count_row(analysis: str, population: str, arm: str, statistic: str, count: int, total: int) -> dict:
    """Result row of a count: `value` the count, `lower` and `upper` the limits of the proportion in %.

    Examples
    --------
    >>> count_row("status", "all", "IM", "relapse", 10, 12)["display"]
    '10 of 12 (83.3%; 95% CI 51.6 to 97.9)'
    """
    share = proportion(count, total)
    return results.row(analysis, "-", population, arm, statistic, count, lower=100 * share.lower,
                       upper=100 * share.upper, unit="n", n=total, method=EXACT,
                       display=wording.count_of(count, total, share))


def analyse_counts(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Count patients, what ended each remission, and the sites of relapse.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.
    study : Study

    Returns
    -------
    DataFrame
        Results: `count` (patients; usable for time-to-event), `status` (of all patients), `site` (of relapsed patients;
        absent where no site is recorded).

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> rows = pd.DataFrame({"TRT01A": "A", "STATUS": ["relapse", "ongoing remission"], "RELSITE": ["CNS", None],
    ...                      "TTEFL": "Y"})
    >>> analyse_counts(rows, Study("demo", "own", "", "", (Arm("A", "A"),)))["statistic"].tolist()
    ['n', 'usable', 'relapse', 'death_in_remission', 'ongoing', 'CNS', 'CNS_any', 'CNS_percent']
    """
    rows = []
    for arm in study.arm_keys:
        mine = adsl[adsl["TRT01A"] == arm]
        for name, count in (("n", len(mine)), ("usable", int((mine["TTEFL"] == "Y").sum()))):
            rows.append(results.row("count", "-", "all", arm, name, count, unit="n", n=len(mine), method="count",
                                    display=str(count)))
        for status, name in STATUSES.items():
            hits = int((mine["STATUS"] == status).sum())
            if hits or status != "not evaluable":
                rows.append(count_row("status", "all", arm, name, hits, len(mine)))
        site = mine.loc[mine["STATUS"] == "relapse", "RELSITE"]
        unknown = site.isna() | (site == "unknown")
        if not unknown.all():
            for name, hits in (("CNS", site == "CNS"), ("CNS_any", site.isin(["CNS", "BM+CNS"])), ("unknown", unknown)):
                if name != "unknown" or hits.any():
                    rows.append(count_row("site", "relapsed", arm, name, int(hits.sum()), len(site)))
            alone = proportion(int((site == "CNS").sum()), len(site))
            rows.append(results.row("site", "-", "relapsed", arm, "CNS_percent", 100 * alone.value, unit="%",
                                    lower=100 * alone.lower, upper=100 * alone.upper, n=len(site), method=EXACT,
                                    display=wording.percent_interval(alone)))
    return results.frame(rows)


def left_out(adsl: pd.DataFrame) -> pd.DataFrame:
    """Patients who cannot enter a time-to-event analysis, by reason.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.

    Returns
    -------
    DataFrame
        `arm`, `reason`, `patients` and who they are; no rows when everybody is usable.

    Examples
    --------
    >>> left_out(pd.DataFrame({"USUBJID": ["7"], "TRT01A": "A", "TTEFL": "N", "TTEEXCL": "no date of relapse"})).values
    array([['A', 'no date of relapse', 1, '7']], dtype=object)
    """
    out = adsl[adsl["TTEFL"] == "N"].rename(columns={"TRT01A": "arm", "TTEEXCL": "reason"})
    grouped = out.groupby(["arm", "reason"], sort=True)["USUBJID"]
    named = grouped.agg(lambda ids: ", ".join(list(ids)[:12]) + (" …" if len(ids) > 12 else ""))
    return pd.DataFrame({"patients": grouped.size(), "who": named}).reset_index() if len(out) else pd.DataFrame(
        columns=["arm", "reason", "patients", "who"])


def analyse_ongoing(adsl: pd.DataFrame, data: pd.DataFrame, study: Study) -> pd.DataFrame:
    """List how long each ongoing remission has lasted.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.
    data : DataFrame
        Time to relapse, from `endpoints.endpoint`.
    study : Study

    Returns
    -------
    DataFrame
        Results `ongoing.TTRLP.all.<arm>.time1` and so on, shortest first, in days; only for arms with at most 20.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> adsl = pd.DataFrame({"USUBJID": ["1"], "STATUS": ["ongoing remission"]})
    >>> data = pd.DataFrame({"patient": ["1"], "arm": ["A"], "time": [2374]})
    >>> analyse_ongoing(adsl, data, one)["display"].tolist()
    ['6.50 years']
    """
    ongoing = set(adsl.loc[adsl["STATUS"] == "ongoing remission", "USUBJID"])
    rows = []
    for arm in study.arm_keys:
        times = sorted(data.loc[(data["arm"] == arm) & data["patient"].isin(ongoing), "time"])
        for number, days in enumerate(times if len(times) <= LISTED else [], 1):
            rows.append(results.row("ongoing", "TTRLP", "all", arm, f"time{number}", days, unit="d", n=len(times),
                                    method="time in remission at last contact (censored)",
                                    display=wording.duration(days, study.report_unit)))
    return results.frame(rows)
