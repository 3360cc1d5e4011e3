"""Lead time: from the molecular rise, which happened between two samples, to relapse."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission.estimators import interval_censored as censored
from remission.estimators import wording
from remission.mrd.course import rises
from remission.mrd.landmark import by_arm_and_together
from remission.study import Study

FRAME = ["patient", "arm", "status", "left", "right", "rise", "end"]
TABLE = ["arm", "who", "patients", "relapses", "median lead time", "bootstrap interval", "from the rising sample on"]
#: Bootstrap cohorts.
DRAWS = 500


class Lead(NamedTuple):
    """Median lead time in days: its earliest and latest value, and a bootstrap interval around both."""

    lower: float
    upper: float
    confidence_lower: float
    confidence_upper: float


def intervals(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Time from the first molecular rise to relapse, as an interval for each patient with a rise.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        `rise_log10` of `[mrd]`.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `status`, `left` (days from the rising sample to the end of remission), `right` (from the
        sample before it; infinite where no relapse was seen), `rise` and `end` (days from the origin).

    Notes
    -----
    The rise came after the previous sample and not after the one that shows it. A patient who did not relapse has a
    lead time of more than `left` days; who died in remission is treated alike, as if relapse could still have come.

    Examples
    --------
    >>> from remission import schema
    >>> intervals(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...           Study("demo", "own", "", "", ())).empty
    True
    """
    found = rises(admrd, adsl, study)
    found = found[found["RISEDY"].notna()].reset_index(drop=True)
    relapsed = (found["STATUS"] == "relapse").to_numpy(bool)
    return pd.DataFrame({
        "patient": found["USUBJID"], "arm": found["TRT01A"], "status": found["STATUS"],
        "left": found["LEADMIN"].astype(float),
        "right": np.where(relapsed, found["LEADMAX"].astype(float), math.inf),
        "rise": found["RISEDY"].astype(float), "end": found["ENDDY"].astype(float)})[FRAME]


def median(data: pd.DataFrame, *, seed: int, draws: int = DRAWS) -> Lead:
    """Median lead time with what the intervals leave open, and with sampling error.

    Parameters
    ----------
    data : DataFrame
        From `intervals`; one group.
    seed, draws : int
        Of the bootstrap over patients; without draws no interval.

    Returns
    -------
    Lead
        Days; infinite where fewer than half are known to have relapsed.

    Examples
    --------
    >>> rows = pd.DataFrame({"left": [10.0, 20.0, 5.0], "right": [20.0, 30.0, 50.0]})
    >>> median(rows, seed=1, draws=0)[:2]
    (10.0, 20.0)
    """
    left, right = data["left"].to_numpy(float), data["right"].to_numpy(float)
    seen = censored.quantile(censored.turnbull(left, right))
    drawn = batch.bootstrap(np.zeros(len(data)), draws, seed) if draws else []
    spans = [censored.quantile(censored.turnbull(left[one], right[one])) for one in drawn]
    if not spans:
        return Lead(*seen, math.nan, math.nan)
    # Order statistics, not interpolated: a median may be infinite.
    low = np.quantile([one.lower for one in spans], 0.025, method="inverted_cdf")
    high = np.quantile([one.upper for one in spans], 0.975, method="inverted_cdf")
    return Lead(*seen, float(low), float(high))


def analyse(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study, *, seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Median lead time in each arm and together, among the relapsed and among all with a rise.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
    seed, draws : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Results `lead_time.TTRLP.relapsed.<arm>.median` and `lead_time.TTRLP.risen.<arm>.median` (lower and upper: the
        earliest and latest median that the intervals allow), the same with `confidence` (bootstrap), and
        `from_sample`, the median from the rising sample on, which is what a physician has. Empty without a rise.

    Examples
    --------
    >>> from remission import schema
    >>> analyse(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...         Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    made: list[dict[str, Any]] = []
    for arm, mine in by_arm_and_together(intervals(admrd, adsl, study), study).items():
        for population, group in (("relapsed", mine[mine["status"] == "relapse"]), ("risen", mine)):
            if len(group):
                lead = median(group, seed=seed, draws=draws)
                made += _rows(group, population, arm, lead, f"{draws} draws, seed {seed}")
    return results.frame(made)


def _rows(group: pd.DataFrame, population: str, arm: str, lead: Lead, drawn: str) -> list[dict[str, Any]]:
    relapses = int((group["status"] == "relapse").sum())
    exact = group.assign(right=np.where(np.isfinite(group["right"]), group["left"], math.inf))
    sample = censored.quantile(censored.turnbull(exact["left"], exact["right"]))
    words = "patients with a rise who relapsed" if population == "relapsed" else (
        "all patients with a rise, no relapse censored")
    spread = "" if math.isnan(lead.confidence_lower) else (
        f"{_days(lead.confidence_lower)} to {_days(lead.confidence_upper)}")
    fields = (("median", lead.lower, lead.upper, _span(lead.lower, lead.upper), "lower and upper: what the intervals "
               "between samples leave open"),
              ("confidence", lead.confidence_lower, lead.confidence_upper, spread or "not drawn", "95% bootstrap "
               f"percentiles of the earliest and of the latest median, {drawn}"),
              ("from_sample", sample.lower, sample.upper, _span(sample.lower, sample.upper), "from the rising "
               "sample on"))
    return [results.row("lead_time", "TTRLP", population, arm, name, _finite((low + high) / 2), lower=_finite(low),
                        upper=_finite(high), unit="d", n=len(group), events=relapses, display=display,
                        method=f"Turnbull's estimate, median; {words}; {method}")
            for name, low, high, display, method in fields]


def _finite(days: float) -> float:
    return days if math.isfinite(days) else math.nan


def _days(days: float) -> str:
    return wording.duration(days, "day")


def _span(low: float, high: float) -> str:
    if math.isinf(high):
        return f"more than {_days(low)}"
    return _days(low) if low == high else f"between {wording.duration(low, 'day', with_unit=False)} and {_days(high)}"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Lead times for readers: a line an arm and group.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> table(results.frame([])).empty
    True
    """
    who = {"relapsed": "rise and relapse", "risen": "all with a rise"}
    made = []
    for (arm, population), mine in rows.groupby(["arm", "population"], sort=False):
        found = mine.set_index("statistic")
        line = found.loc["median"]
        made.append([arm, who[population], line["n"], line["events"],
                     *(found.loc[name, "display"] for name in ("median", "confidence", "from_sample"))])
    return pd.DataFrame(made, columns=TABLE)


def curve(data: pd.DataFrame) -> pd.DataFrame:
    """Share of patients with a rise who have not relapsed, by days since the rise, with what the intervals leave open.

    Parameters
    ----------
    data : DataFrame
        From `intervals`.

    Returns
    -------
    DataFrame
        `day`, `latest` (all mass as late as allowed) and `earliest`; both are survival curves.

    Examples
    --------
    >>> curve(pd.DataFrame({"left": [10.0, 20.0], "right": [20.0, 30.0]})).values.tolist()
    [[0.0, 1.0, 1.0], [10.0, 1.0, 0.5], [20.0, 0.5, 0.0], [30.0, 0.0, 0.0]]
    """
    found = censored.turnbull(data["left"], data["right"])
    days = np.unique(np.concatenate([[0.0], found["left"], found["right"][np.isfinite(found["right"])]]))
    mass = found["mass"].to_numpy()
    return pd.DataFrame({"day": days} | {
        name: [round(1 - mass[found[side].to_numpy() <= day].sum(), 12) for day in days]
        for name, side in (("latest", "right"), ("earliest", "left"))})
