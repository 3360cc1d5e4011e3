"""Time to the first event of a kind, with what ends the time at risk: relapse, death, stop of treatment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import study as units
from remission.adam.adae import AFTER_LAST_DOSE
from remission.ctcae import CYTOPENIA
from remission.estimators import competing, curves, wording
from remission.results import row
from remission.study import Study
from remission.toxicity.counts import population
from remission.toxicity.events import emergent_events

#: What may happen first; 0 is the end of observation.
CAUSES = {1: "event", 2: "relapse", 3: "death in remission", 4: "stop of treatment"}
#: Months at which incidence is read.
MONTHS = (3, 6, 12, 24)
COUNT_COLUMNS = ["endpoint", "TRT01A", "N", "analysed", *CAUSES.values(), "still at risk", "median_day", "first_day",
                 "last_day", "after_relapse", "undated", "note"]
INCIDENCE_COLUMNS = ["endpoint", "TRT01A", "month", "at_risk", "incidence", "lower", "upper", "one_minus_km",
                     "competing"]


class FirstEvents(NamedTuple):
    """Patients with the time to what happened first, and those who have none.

    `data` has patient, arm, time (days from the first dose), event, code (`CAUSES`) and entry; `undated` lists patients
    with an event of unknown day, `untimed` those whose end of observation is unknown or before the first dose,
    `after_relapse` those whose first event came after a relapse and so does not count.
    """

    data: pd.DataFrame
    undated: list[str]
    untimed: list[str]
    after_relapse: list[str]


def endpoints(adae: pd.DataFrame, adlb: pd.DataFrame, study: Study) -> dict[str, pd.DataFrame]:
    """Events of each kind whose first is timed.

    Parameters
    ----------
    adae, adlb : DataFrame
    study : Study
        `toxicity_unions`; `ctcae_version` names the version of the cytopenia grades.

    Returns
    -------
    dict of DataFrame
        Name to USUBJID and day (missing where unknown). Adverse events: any, of grade 3 or worse, each union of terms
        and the same at grade 2 or worse. Blood counts: cytopenia of grade 2 or worse, and 3 or worse. A kind stands
        here with no rows if its table has data and nobody had it; without the table it is left out. An event of unknown
        grade is in none of the kinds that ask for a grade.
    """
    made = {}
    if len(adae):
        events = emergent_events(adae)
        events = pd.DataFrame({"USUBJID": events["USUBJID"], "term": events["AEDECOD"],
                               "day": events["ASTDY"].astype(float), "grade": events["ATOXGR"].astype(float)})
        made = {"any adverse event": events, "adverse event of grade 3+": events[events["grade"] >= 3]}
        for union, terms in study.toxicity_unions.items():
            mine = events[events["term"].isin(terms)]
            made |= {union: mine, f"{union}, grade 2+": mine[mine["grade"] >= 2]}
    counts = adlb[adlb["PARAMCD"].isin(CYTOPENIA) & (adlb["TRTEMFL"] == "Y")]
    if len(counts):
        for grade in (2, 3):
            bad = counts[counts["ATOXGR"].astype(float) >= grade]
            made[f"cytopenia of grade {grade}+"] = pd.DataFrame({"USUBJID": bad["USUBJID"],
                                                                 "day": bad["ADY"].astype(float)})
    return {name: rows[["USUBJID", "day"]].reset_index(drop=True) for name, rows in made.items()}


def ends(adsl: pd.DataFrame) -> pd.DataFrame:
    """What ends each patient's time at risk of a toxicity of maintenance, and when.

    Parameters
    ----------
    adsl : DataFrame

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, first (day of the first dose), end (days from the time origin), code: 2 relapse, 3 death in
        remission, 4 stop of treatment (30 days after the last dose), 0 end of observation. On one day, relapse comes
        before death and death before the stop.

    Examples
    --------
    >>> adsl = pd.DataFrame({"USUBJID": ["1", "2"], "TRT01A": "IM", "TRTSDY": 0, "MTENDY": [69, 100], "MTONFL": "N",
    ...                      "RELDY": [70, None], "DTHDY": None, "LSTALVDY": [500, 600]})
    >>> ends(adsl)[["end", "code"]].to_numpy().tolist()
    [[70.0, 2.0], [130.0, 4.0]]
    """
    first, stop, relapse, death, last = (adsl[name].astype(float).to_numpy() for name in (
        "TRTSDY", "MTENDY", "RELDY", "DTHDY", "LSTALVDY"))
    stop = np.where(adsl["MTONFL"].eq("Y").fillna(False), np.nan, stop + AFTER_LAST_DOSE)
    stop = np.where(stop > last, np.nan, stop)
    times = np.column_stack([relapse, death, stop, last])
    known = np.where(np.isnan(times), np.inf, times)
    made = adsl[["USUBJID", "TRT01A"]].reset_index(drop=True)
    made["first"], made["end"] = np.where(np.isnan(first), 0.0, first), known.min(axis=1)
    made["code"] = np.array([2, 3, 4, 0])[known.argmin(axis=1)]
    return made.replace({"end": np.inf}, np.nan)


def first_events(events: pd.DataFrame, adsl: pd.DataFrame, code: str = "all") -> FirstEvents:
    """Time from the first dose to the first event, or to what came before it.

    Parameters
    ----------
    events : DataFrame
        USUBJID and day, one kind from `endpoints`.
    adsl : DataFrame
    code : str
        Population, see `population`.

    Returns
    -------
    FirstEvents
        An event on the day on which the time at risk ends counts. No day is made up: a patient with an event of
        unknown day is left out and named.
    """
    subjects = ends(population(adsl, code))
    mine = events[events["USUBJID"].isin(subjects["USUBJID"])]
    undated = set(mine.loc[mine["day"].isna(), "USUBJID"])
    first = subjects["USUBJID"].map(mine.groupby("USUBJID")["day"].min()).astype(float)
    untimed = set(subjects.loc[subjects["end"].isna() | (subjects["end"] < subjects["first"]), "USUBJID"])
    late = set(subjects.loc[(first > subjects["end"]) & (subjects["code"] == 2), "USUBJID"]) - undated - untimed
    had = first <= subjects["end"]
    time = np.where(had, first, subjects["end"]) - subjects["first"]
    data = pd.DataFrame({"patient": subjects["USUBJID"], "arm": subjects["TRT01A"], "time": time, "event": had,
                         "code": np.where(had, 1, subjects["code"]), "entry": 0})
    data = data[~data["patient"].isin(undated | untimed)].reset_index(drop=True)
    return FirstEvents(data.astype({"time": int}), sorted(undated), sorted(untimed), sorted(late))


def count_table(kinds: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """What happened first to the patients of each arm, for each kind of event.

    Parameters
    ----------
    kinds : dict of DataFrame
        From `endpoints`.
    adsl : DataFrame
    study : Study
    code : str

    Returns
    -------
    DataFrame
        endpoint, TRT01A, N (subject table), analysed, patients by what came first, still at risk (end of observation),
        median_day, first_day, last_day (of the event, among patients who had it: not an estimate of time to event),
        after_relapse, undated, note.
    """
    made = []
    for name, arm, subjects, found in _by_arm(kinds, adsl, study, code):
        ids, mine = set(subjects["USUBJID"]), found.data[found.data["arm"] == arm]
        undated, untimed, late = (len(ids & set(some)) for some in found[1:])
        days = mine.loc[mine["event"], "time"]
        notes = [f"{number} left out: {why}" for number, why in (
            (undated, "day of an event unknown"), (untimed, "end of observation unknown")) if number]
        made.append({"endpoint": name, "TRT01A": arm, "N": len(ids), "analysed": len(mine),
                     **{words: int((mine["code"] == number).sum()) for number, words in CAUSES.items()},
                     "still at risk": int((mine["code"] == 0).sum()), "median_day": days.median(),
                     "first_day": days.min(), "last_day": days.max(), "after_relapse": late, "undated": undated,
                     "note": "; ".join(notes)})
    return pd.DataFrame(made, columns=COUNT_COLUMNS)


def incidence_table(kinds: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study, code: str = "all",
                    months: tuple[float, ...] = MONTHS) -> pd.DataFrame:
    """Cumulative incidence of the first event of each kind, beside one minus Kaplan-Meier.

    Parameters
    ----------
    kinds, adsl, study, code
        As in `count_table`.
    months : tuple of float
        Months from the first dose.

    Returns
    -------
    DataFrame
        endpoint, TRT01A, month, at_risk (just before it), incidence, lower, upper, one_minus_km, competing (incidence
        of relapse, death or stop before the event); in %, missing after the last follow-up.

    Notes
    -----
    `incidence` says how many patients have the event under this treatment as it went. `one_minus_km` takes those who
    relapsed, died or stopped for patients who would have gone on with the same risk; it is never below `incidence`.
    """
    made = []
    for name, arm, _, found in _by_arm(kinds, adsl, study, code):
        data = found.data[found.data["arm"] == arm]
        other = data.assign(code=data["code"].map({0: 0, 1: 2}).fillna(1).astype(int))
        curve, other_curve = competing.cumulative_incidence(data), competing.cumulative_incidence(other)
        alone = curves.kaplan_meier(data)
        for month in months:
            day = units.to_days(month, "month")
            found_at = competing.incidence_at(data, curve, 1, day)
            rest = competing.incidence_at(other, other_curve, 1, day)
            made.append({"endpoint": name, "TRT01A": arm, "month": month,
                         "at_risk": int((data["time"] >= day).sum()),
                         **dict(zip(("incidence", "lower", "upper"), (100 * one for one in found_at), strict=True)),
                         "one_minus_km": 100 * (1 - curves.survival_at(alone, day).value),
                         "competing": 100 * rest.value})
    return pd.DataFrame(made, columns=INCIDENCE_COLUMNS)


def curve_table(kinds: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study, code: str = "all") -> pd.DataFrame:
    """Steps of the curves of `incidence_table`.

    Returns
    -------
    DataFrame
        endpoint, TRT01A, curve ("incidence" or "one minus KM"), time (days), value, lower, upper (%; limits for
        incidence alone). Every curve begins at 0 and ends at the last follow-up.
    """
    made = []
    for name, arm, _, found in _by_arm(kinds, adsl, study, code):
        data = found.data[found.data["arm"] == arm]
        curve, alone = competing.cumulative_incidence(data), curves.kaplan_meier(data)
        curve, alone = curve[curve["cause"] == 1], alone[alone["events"] > 0]
        ways = {"incidence": (curve["time"], curve["incidence"], curve["lower"], curve["upper"]),
                "one minus KM": (alone["time"], 1 - alone["survival"], alone["time"] * np.nan, alone["time"] * np.nan)}
        for way, columns in ways.items():
            time, value, lower, upper = (column.to_numpy(float) for column in columns)
            last = value[-1] if len(value) else 0.0
            made.append(pd.DataFrame({
                "endpoint": name, "TRT01A": arm, "curve": way, "time": np.r_[0, time, data["time"].max()],
                "value": 100 * np.r_[0, value, last], "lower": 100 * np.r_[np.nan, lower, lower[-1:]]
                if len(value) else np.nan, "upper": 100 * np.r_[np.nan, upper, upper[-1:]] if len(value) else np.nan}))
    names = ["endpoint", "TRT01A", "curve", "time", "value", "lower", "upper"]
    return pd.concat(made, ignore_index=True)[names] if made else pd.DataFrame(columns=names)


def _by_arm(kinds: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study, code: str):
    """Kind, arm, its subjects and the first events of all arms, for arms with anybody to analyse."""
    subjects = population(adsl, code)
    for name, events in kinds.items():
        found = first_events(events, adsl, code)
        for arm in study.arm_keys:
            if (found.data["arm"] == arm).any():
                yield name, arm, subjects[subjects["TRT01A"] == arm], found


def incidence_display(incidence: pd.DataFrame, month: float = 12) -> pd.DataFrame:
    """Set `incidence_table` for readers: a row a kind and arm, a column a month, one minus Kaplan-Meier at one month.

    Parameters
    ----------
    incidence : DataFrame
        From `incidence_table`.
    month : float
        Month at which one minus Kaplan-Meier and the competing events are shown beside it.
    """
    if incidence.empty:
        return incidence
    said = [wording.percent_interval(curves.Estimate(*(one / 100 for one in limits))) for limits in
            zip(incidence["incidence"], incidence["lower"], incidence["upper"], strict=True)]
    key = ["endpoint", "TRT01A"]
    made = incidence.assign(said=said).pivot_table(index=key, columns="month", values="said", aggfunc="first")
    made = made.rename(columns="{:g} months".format).rename_axis(columns=None)
    at = incidence[incidence["month"] == month].set_index(key)
    for column, words in (("one_minus_km", "1 - KM"), ("competing", "relapse, death or stop first")):
        share = at[column].map("{:.1f}%".format).where(at[column].notna(), "not estimable")
        made[f"{words}, {month:g} months"] = share
    return made.reindex(pd.MultiIndex.from_frame(incidence[key].drop_duplicates())).reset_index()


def incidence_results(counts: pd.DataFrame, incidence: pd.DataFrame, code: str = "all") -> list[dict]:
    """Result rows `ae_first.<endpoint>.<population>.<arm>.incidence[<m> months]`, `.one_minus_km[<m> months]`.

    Parameters
    ----------
    counts, incidence : DataFrame
        From `count_table` and `incidence_table`, of one population.
    code : str
    """
    size = counts.set_index(["endpoint", "TRT01A"])[["analysed", "event"]]
    rows = []
    for one in incidence.itertuples():
        n, events = (int(number) for number in size.loc[(one.endpoint, one.TRT01A)])
        shown = curves.Estimate(one.incidence / 100, one.lower / 100, one.upper / 100)
        rows.append(row("ae_first", one.endpoint, code, one.TRT01A, f"incidence[{one.month:g} months]", one.incidence,
                        lower=one.lower, upper=one.upper, unit="%", n=n, events=events,
                        method="Aalen-Johansen from the first dose; relapse, death in remission and stop of treatment "
                               "(30 days after the last dose) compete; log-log interval",
                        display=wording.percent_interval(shown)))
        rows.append(row("ae_first", one.endpoint, code, one.TRT01A, f"one_minus_km[{one.month:g} months]",
                        one.one_minus_km, unit="%", n=n, events=events,
                        method="1 - Kaplan-Meier; competing events censored",
                        display=wording.percent_interval(curves.Estimate(one.one_minus_km / 100, np.nan, np.nan))))
    return rows
