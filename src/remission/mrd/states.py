"""MRD states over time: who is in which state when, what follows it, and molecular relapse as defined in writing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from remission import study as units
from remission.adam.admrd import MOLECULAR_RELAPSES, rules
from remission.adam.adtv import before_remission
from remission.adam.molecular import COMPLETE, FAILURE, INTERMEDIATE
from remission.mrd.course import lowest_before, rate_of, under_maintenance
from remission.study import Study

CATEGORIES = (COMPLETE, INTERMEDIATE, FAILURE, "unknown")
OUTCOMES = ("relapse", "death in remission", "last contact")
ON_COLUMNS = ["USUBJID", "TRT01A", "DAY", "MRDPOS", "CATEGORY", "LEVEL", "LEVCENS", "SAMPDY", "AGE"]
OCCUPANCY_COLUMNS = ["arm", "month", "in_remission", *CATEGORIES, "median_age"]
TRANSITION_COLUMNS = ["arm", "state", "years", "next", "count", "rate", "lower", "upper"]
MOLECULAR_COLUMNS = ["USUBJID", "TRT01A", "DEFINITION", "USED", "STATUS", "ENDDY", "COMPLDY", "PREVDY", "ONSETDY",
                     "MRELDY", "LEADMIN", "LEADMAX"]


def samples_in_remission(admrd: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Samples that stand for their day, from the first remission to its end.

    Parameters
    ----------
    admrd, adsl : DataFrame

    Returns
    -------
    DataFrame
        As `under_maintenance`, with the samples before the origin; where the day of remission is unknown, those after
        diagnosis.

    Examples
    --------
    >>> from remission import schema
    >>> samples_in_remission(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl"))).empty
    True
    """
    first = int(admrd["ADY"].min()) if len(admrd) else 0
    used = under_maintenance(admrd, adsl, first).merge(adsl[["USUBJID", "DXDY", "CRDY"]], on="USUBJID", how="left",
                                                       validate="many_to_one")
    return used[~before_remission(used)].reset_index(drop=True)


def state_on(adtv: pd.DataFrame, days: Sequence[int]) -> pd.DataFrame:
    """State that is known at the end of each day, of every patient still in remission and followed beyond that day.

    Parameters
    ----------
    adtv : DataFrame
        Counting process.
    days : sequence of int
        Days from the origin.

    Returns
    -------
    DataFrame
        One row a patient and day: DAY, the state and level, SAMPDY and AGE (days since that sample). A sample of the
        day itself counts; nothing later does.

    Examples
    --------
    >>> from remission import schema
    >>> state_on(schema.empty(schema.ANALYSIS["adtv"]), [0, 91]).empty
    True
    """
    found = [adtv[(adtv["TSTART"] <= day) & (adtv["TSTOP"] > day)].assign(DAY=day) for day in days]
    made = pd.concat(found) if found else adtv.head(0).assign(DAY=0)
    return made.assign(AGE=made["DAY"] - made["SAMPDY"])[ON_COLUMNS].reset_index(drop=True)


def occupancy(adtv: pd.DataFrame, study: Study, months: Sequence[float] | None = None) -> pd.DataFrame:
    """Patients in each state at the origin and at the landmarks.

    Parameters
    ----------
    adtv : DataFrame
    study : Study
    months : sequence of float, optional
        From the origin; the origin and the `landmarks` of `[mrd]` if not given.

    Returns
    -------
    DataFrame
        `arm`, `month`, `in_remission` (patients still in remission and followed), a column a category with its
        patients, `median_age` (days since the sample that tells the state, of those with one).

    Examples
    --------
    >>> from remission import schema
    >>> occupancy(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    asked = [0, *rules(study)["landmarks"]] if months is None else months
    made = []
    for month in asked if len(adtv) else []:
        known = state_on(adtv, [units.to_days(month, "month")])
        for arm in study.arm_keys:
            mine = known[known["TRT01A"] == arm]
            counts = mine["CATEGORY"].value_counts()
            ages = mine["AGE"].dropna().astype(float)
            made.append([arm, month, len(mine), *(int(counts.get(one, 0)) for one in CATEGORIES),
                         ages.median() if len(ages) else np.nan])
    frame = pd.DataFrame(made, columns=OCCUPANCY_COLUMNS)
    order = {arm: number for number, arm in enumerate(study.arm_keys)}
    return frame.sort_values(["arm", "month"], key=lambda one: one.map(order) if one.name == "arm" else one,
                             kind="stable", ignore_index=True)


def transitions(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """What followed each state: another state, relapse, death in remission, or the end of observation.

    Parameters
    ----------
    adtv : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        `arm`, `state`, `years` of follow-up in it, `next`, `count`, and per 100 patient-years in the state `rate` with
        exact Poisson limits; the end of observation has no rate. A sample that confirms a state is no transition.

    Notes
    -----
    A change is dated by the sample that shows it, which comes later than the change itself. Limits: Garwood,
    Biometrika 1936;28:437.

    Examples
    --------
    >>> from remission import schema
    >>> transitions(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    ends = np.select([adtv["EVENT"] == 1, adtv["CNSR2"] == 1], OUTCOMES[:2], OUTCOMES[2])
    following = adtv.groupby("USUBJID")["CATEGORY"].shift(-1)
    rows = adtv.assign(NEXT=following.fillna(pd.Series(ends, adtv.index, dtype=object)),
                       DAYS=(adtv["TSTOP"] - adtv["TSTART"]).astype(float))
    made = []
    for arm in study.arm_keys:
        for state in CATEGORIES:
            mine = rows[(rows["TRT01A"] == arm) & (rows["CATEGORY"] == state)]
            years = units.from_days(mine["DAYS"].sum(), "year")
            for after in (*CATEGORIES[:3], *OUTCOMES):
                count = int((mine["NEXT"] == after).sum())
                if after == state or (count == 0 and (mine.empty or after != OUTCOMES[0])):
                    continue
                blank = {"rate": np.nan, "lower": np.nan, "upper": np.nan}
                made.append({"arm": arm, "state": state, "years": years, "next": after, "count": count,
                             **(blank if after == OUTCOMES[2] else rate_of(count, years))})
    return pd.DataFrame(made, columns=TRANSITION_COLUMNS)


def molecular_relapse(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """First molecular relapse under maintenance of each patient who could have one, under both definitions.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        `molecular_relapse` (the definition that results rest on), `failure_ratio` and `rise_log10` of `[mrd]`.

    Returns
    -------
    DataFrame
        One row a patient and DEFINITION; USED says whether the study rests on it. A patient counts who had a complete
        sample in remission and was not already in molecular relapse at the origin. MRELDY: day on which the definition
        was first met from the origin on; COMPLDY: the complete sample before it; ONSETDY: first positive sample of the
        pair, or the rising sample itself; PREVDY: the sample before the onset. LEADMIN and LEADMAX: days from MRELDY
        and from PREVDY to the end of remission. Blank where the definition was not met.

    Notes
    -----
    `two positive`: two consecutive positive samples, at any level, after a complete one. `rise`: quantified at the
    ratio of failure or above, and at least `rise_log10` above the lowest level since that complete sample (a limit
    stands in for a level below it). Every complete sample starts anew.

    Examples
    --------
    >>> from remission import schema
    >>> molecular_relapse(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...                   Study("demo", "own", "", "", ())).empty
    True
    """
    definition = rules(study)
    used = _since_complete(admrd, adsl)
    by_course = used.groupby(["USUBJID", "COURSE"], sort=False)
    used["COMPLDY"] = by_course["ADY"].transform("first")
    used["PREV1"], used["PREV2"] = by_course["ADY"].shift(), by_course["ADY"].shift(2)
    made = []
    for name in MOLECULAR_RELAPSES:
        if name == "two positive":
            met = used["POS"] & by_course["POS"].shift(fill_value=False).astype(bool)
            rows = used.assign(ONSETDY=used["PREV1"], PREVDY=used["PREV2"])
        else:
            # Levels come out of logarithms; a rise of exactly the threshold counts.
            risen = used["LEVEL"] - lowest_before(used["LEVEL"], used["GROUP"]) >= definition["rise_log10"] - 1e-9
            met = (used["MRDSTATE"] == "QUANTIFIED") & (used["RATIO"] >= definition["failure_ratio"]) & risen
            rows = used.assign(ONSETDY=used["ADY"], PREVDY=used["PREV1"])
        made.append(_first_episode(rows.assign(MET=met)).assign(
            DEFINITION=name, USED="Y" if name == definition["molecular_relapse"] else "N"))
    frame = pd.concat(made, ignore_index=True)
    frame["LEADMIN"], frame["LEADMAX"] = frame["ENDDY"] - frame["MRELDY"], frame["ENDDY"] - frame["PREVDY"]
    return frame[MOLECULAR_COLUMNS]


def _since_complete(admrd: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Samples in remission from the first complete one on; COURSE counts the complete samples so far."""
    used = samples_in_remission(admrd, adsl)
    used["COURSE"] = (used["CATEGORY"] == COMPLETE).astype(int).groupby(used["USUBJID"]).cumsum()
    used = used[used["COURSE"] > 0].reset_index(drop=True)
    return used.assign(GROUP=used["USUBJID"] + " " + used["COURSE"].astype(str))


def _first_episode(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each patient at risk from the origin on, the first course that met the definition; blank days if none did."""
    days = ["COMPLDY", "PREVDY", "ONSETDY", "MRELDY"]
    first = rows[rows["MET"]].assign(MRELDY=rows["ADY"]).drop_duplicates("GROUP")[["GROUP", *days[1:]]]
    courses = rows.drop_duplicates("GROUP")[["USUBJID", "TRT01A", "STATUS", "END", "GROUP", "COMPLDY"]]
    courses = courses.merge(first, on="GROUP", how="left", validate="one_to_one")
    courses["UNTIL"] = courses.groupby("USUBJID")["COMPLDY"].shift(-1).fillna(courses["END"])
    at_risk = courses[(courses["UNTIL"] > 0) & ~(courses["MRELDY"] < 0).fillna(False)]
    kept = at_risk.sort_values("MRELDY", kind="stable", na_position="last").drop_duplicates("USUBJID")
    kept = kept.sort_values("USUBJID", kind="stable").rename(columns={"END": "ENDDY"})
    kept["COMPLDY"] = kept["COMPLDY"].where(kept["MRELDY"].notna())
    return kept.astype(dict.fromkeys([*days, "ENDDY"], "Int64")).reset_index(drop=True)
