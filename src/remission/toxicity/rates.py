"""Exposure-adjusted incidence: patients with an event, and events, over the time at risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from statsmodels.stats.rates import confint_poisson

from remission.results import row
from remission.study import DAYS, Study
from remission.toxicity.counts import on_treatment, population
from remission.toxicity.events import ANY_TERM, emergent_events

#: Patient-years to which rates are scaled.
PER = 100
UNIT = f"per {PER} patient-years"
GRADE3 = "Any adverse event of grade 3 or worse"
SERIOUS = "Any serious adverse event"
RATE_COLUMNS = ["AEDECOD", "TRT01A", "N", "patients", "undated", "years_to_first", "rate", "rate_lower", "rate_upper",
                "events", "years", "event_rate", "event_rate_lower", "event_rate_upper", "dispersion", "note"]


def poisson_interval(events: ArrayLike, years: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Exact interval of a rate.

    Parameters
    ----------
    events : array_like
        Counts.
    years : array_like
        Time at risk.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Limits per unit of `years`; NaN without time at risk.

    Source
    ------
    Garwood, Biometrika 1936;28:437: half the chi-squared quantiles on 2 d and 2 d + 2 degrees of freedom, over the
    time. R: `poisson.test(events, years)`.

    Examples
    --------
    >>> lower, upper = poisson_interval(3, 41.25)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.015, 0.2125)
    """
    events, years = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(years, dtype=float))
    known = years > 0
    limits = confint_poisson(events, np.where(known, years, 1.0), method="exact-c", alpha=1 - level)
    lower, upper = (np.where(known, np.asarray(limit, dtype=float), np.nan) for limit in limits)
    return lower, upper


def grouped_events(adae: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Treatment-emergent events under every heading they are counted by: sums, unions of terms, terms.

    Parameters
    ----------
    adae : DataFrame
    study : Study
        `toxicity_unions`.

    Returns
    -------
    DataFrame
        Rows of `adae`, repeated, with the heading in AEDECOD: any event, any of grade 3 or worse (known to be), any
        serious one, the unions of the study, then terms.
    """
    emergent = emergent_events(adae)
    grade = emergent["ATOXGR"].astype(float)
    parts = [emergent.assign(AEDECOD=ANY_TERM), emergent[grade >= 3].assign(AEDECOD=GRADE3),
             emergent[emergent["AESER"] == "Y"].assign(AEDECOD=SERIOUS)]
    parts += [emergent[emergent["AEDECOD"].isin(terms)].assign(AEDECOD=union)
              for union, terms in study.toxicity_unions.items()]
    return pd.concat([*parts, emergent], ignore_index=True)


def headings(adae: pd.DataFrame, study: Study) -> list[str]:
    """Headings of `grouped_events` in order, those without an event too; terms by number of patients, then name."""
    emergent = emergent_events(adae)
    patients = emergent.groupby("AEDECOD")["USUBJID"].nunique().reset_index().sort_values(
        ["USUBJID", "AEDECOD"], ascending=[False, True])
    return list(dict.fromkeys([ANY_TERM, GRADE3, SERIOUS, *study.toxicity_unions, *patients["AEDECOD"]]))


def rate_table(adae: pd.DataFrame, adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Exposure-adjusted incidence rates by heading and arm.

    Parameters
    ----------
    adae, adsl : DataFrame
    study : Study
    code : str
        Population, see `population`.

    Returns
    -------
    DataFrame
        AEDECOD, TRT01A, N (patients whose time at risk is known; the note counts others); patients (with a first event
        whose day is known), undated (patients left out of the first rate because the day of an event is unknown),
        years_to_first (patient-years to the first event, or to the end of treatment without one), rate and exact
        limits (first events per 100 patient-years); events, years (patient-years on treatment), event_rate and exact
        limits; dispersion (events of patients about that rate: Pearson's chi-squared over its degrees of freedom);
        note. Empty without treatment-emergent events.

    Notes
    -----
    Time at risk begins with the first dose; its first day counts as a day. It ends with the first event, or 30 days
    after the last dose, at most on the last day known alive: the days on which an event would be treatment-emergent.
    Both rates suppose one constant rate for all patients and days. The limits of `event_rate` also suppose that a
    patient's events are independent of each other; where `dispersion` is above 1 they are too narrow.

    Source
    ------
    Siddiqui, J Biopharm Stat 2009;19:889.
    """
    if emergent_events(adae).empty or population(adsl, code).empty:
        return pd.DataFrame(columns=RATE_COLUMNS)
    time = on_treatment(population(adsl, code))
    untimed = time[time["days"].isna()].groupby("TRT01A").size()
    time = time.dropna(subset=["days"])
    events = grouped_events(adae, study)
    arms = [arm for arm in study.arm_keys if (time["TRT01A"] == arm).any()]
    made = [_rates(events[events["AEDECOD"] == heading], time[time["TRT01A"] == arm], heading, arm)
            for heading in headings(adae, study) for arm in arms]
    return _with_rates(pd.DataFrame(made), untimed) if made else pd.DataFrame(columns=RATE_COLUMNS)


def _rates(events: pd.DataFrame, time: pd.DataFrame, heading: str, arm: str) -> dict:
    """Sums behind the two rates of one heading and arm."""
    mine = time.set_index("USUBJID")
    events = events[events["USUBJID"].isin(mine.index)]
    days = events["ASTDY"].astype(float)
    undated = set(events.loc[days.isna(), "USUBJID"])
    first = days.groupby(events["USUBJID"]).min().reindex(mine.index)
    counted = ~mine.index.isin(undated)
    to_first = (first - mine["first"] + 1).fillna(mine["days"])
    number = events.groupby("USUBJID").size().reindex(mine.index, fill_value=0)
    expected = number.sum() * mine["days"] / mine["days"].sum()
    pearson = ((number - expected) ** 2 / expected).sum() if number.sum() else np.nan
    return {"AEDECOD": heading, "TRT01A": arm, "N": len(mine), "patients": int((first.notna() & counted).sum()),
            "undated": len(undated), "years_to_first": to_first[counted].sum() / DAYS["year"],
            "events": int(number.sum()), "years": mine["days"].sum() / DAYS["year"],
            "dispersion": pearson / (len(mine) - 1) if len(mine) > 1 else np.nan}


def _with_rates(made: pd.DataFrame, untimed: pd.Series) -> pd.DataFrame:
    for name, count, years in (("rate", "patients", "years_to_first"), ("event_rate", "events", "years")):
        lower, upper = poisson_interval(made[count], made[years])
        made[name] = PER * made[count] / made[years].where(made[years] > 0)
        made[f"{name}_lower"], made[f"{name}_upper"] = PER * lower, PER * upper
    made["note"] = [_left_out(undated, int(untimed.get(arm, 0))) for undated, arm in
                    zip(made["undated"], made["TRT01A"], strict=True)]
    return made[RATE_COLUMNS]


def _left_out(undated: int, untimed: int) -> str:
    said = [f"{number} {words}" for number, words in (
        (undated, "without a known day left out of the first-event rate"),
        (untimed, "of unknown time at risk left out")) if number]
    return "; ".join(said)


def rate_display(table: pd.DataFrame) -> pd.DataFrame:
    """Set `rate_table` for readers.

    Parameters
    ----------
    table : DataFrame
        From `rate_table`.

    Returns
    -------
    DataFrame
        term, arm, patients / years, first events per 100 patient-years (exact 95% limits), events / years, events per
        100 patient-years, dispersion, note.
    """
    shown = pd.DataFrame({"term": table["AEDECOD"], "arm": table["TRT01A"]})
    for count, years, name, words in (("patients", "years_to_first", "rate", "first events"),
                                      ("events", "years", "event_rate", "events")):
        shown[f"{count} / years"] = [f"{number} / {time:.1f}" for number, time in
                                     zip(table[count], table[years], strict=True)]
        shown[f"{words} {UNIT}"] = [_said(*limits) for limits in
                                    zip(*(table[f"{name}{part}"] for part in ("", "_lower", "_upper")), strict=True)]
    return shown.assign(dispersion=table["dispersion"], note=table["note"])


def _said(value: float, lower: float, upper: float) -> str:
    return f"{value:.1f} ({lower:.1f} to {upper:.1f})" if value == value else "no time at risk"


def rate_results(table: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows of `rate_table`: `ae_rate.<term>.<population>.<arm>.patients` and `.events`."""
    rows = []
    for one in table.itertuples():
        for statistic, name, years, words in (
                ("patients", "rate", one.years_to_first, "patients with a first event over the time to it"),
                ("events", "event_rate", one.years, "events over the time on treatment, taken as independent")):
            value, lower, upper = (getattr(one, f"{name}{part}") for part in ("", "_lower", "_upper"))
            count = getattr(one, statistic)
            rows.append(row("ae_rate", one.AEDECOD, code, one.TRT01A, statistic, value, lower=lower, upper=upper,
                            unit=UNIT, n=one.N - (one.undated if statistic == "patients" else 0), events=count,
                            method=f"{words}, from the first dose to 30 days after the last; Garwood interval",
                            display=f"{count} in {years:.1f} patient-years: {_said(value, lower, upper)} {UNIT}"))
    return rows
