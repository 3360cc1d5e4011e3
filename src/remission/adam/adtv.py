"""MRD state over time as a counting process: what was known when, and nothing that was not yet known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import schema

POSITIVE = ("QUANTIFIED", "PNQ")


def remission_end(adsl: pd.DataFrame) -> pd.Series:
    """Day on which observed remission ends: relapse, else death in remission, else last day known alive.

    Parameters
    ----------
    adsl : DataFrame
        Subject level.

    Returns
    -------
    Series of Int64
        Days from the origin.

    Examples
    --------
    >>> remission_end(pd.DataFrame({"STATUS": ["relapse", "ongoing remission"], "RELDY": [90, None],
    ...                             "DTHDY": [200, None], "LSTALVDY": [200, 500]}, dtype=object)).tolist()
    [90, 500]
    """
    last = adsl["LSTALVDY"].astype("Int64")
    death = adsl["DTHDY"].astype("Int64").where(adsl["STATUS"] == "death in remission")
    relapse = adsl["RELDY"].astype("Int64").where(adsl["STATUS"] == "relapse")
    return relapse.fillna(death).fillna(last)


def in_remission(samples: pd.DataFrame) -> pd.Series:
    """Whether a sample was taken in remission: up to its observed end, and before the day of a relapse.

    Parameters
    ----------
    samples : DataFrame
        ADY, and of the patient END (from `remission_end`) and STATUS.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> rows = pd.DataFrame({"ADY": [90, 90], "END": [90, 90], "STATUS": ["relapse", "ongoing remission"]})
    >>> in_remission(rows).tolist()
    [False, True]
    """
    last = samples["END"] - (samples["STATUS"] == "relapse").astype(int)
    return (samples["ADY"] <= last).fillna(False).astype(bool)


def before_remission(samples: pd.DataFrame) -> pd.Series:
    """Whether a sample was taken before the first remission, or up to diagnosis where that day is unknown.

    Such a sample measures leukaemia, not what remains of it.

    Parameters
    ----------
    samples : DataFrame
        ADY, and of the patient DXDY and CRDY.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> before_remission(pd.DataFrame({"ADY": [-261, -260, -260], "DXDY": -300, "CRDY": [-260, -260, None]})).tolist()
    [True, False, False]
    """
    day, remission = samples["ADY"].astype("Int64"), samples["CRDY"].astype("Int64")
    early = (day < remission).where(remission.notna(), day <= samples["DXDY"].astype("Int64"))
    return early.fillna(False).astype(bool)


def derive_adtv(admrd: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Derive the counting process of the last known MRD state from the origin to the end of remission.

    Parameters
    ----------
    admrd : DataFrame
        Samples; only those that stand for their day (ANL01FL = Y) are used, and none from before the first remission
        (up to diagnosis, where the day of remission is unknown): they measure leukaemia, not what remains of it.
    adsl : DataFrame
        Subject level; patients with TTEFL = Y are used.

    Returns
    -------
    DataFrame
        Table `adtv`. A sample on day d governs the interval (d, next sample], never the day on which it was taken, so
        no interval looks ahead. The last sample up to day 0 opens at 0. A patient whose first sample comes later, or
        never, starts with an interval of category `unknown`, so that the intervals of a patient add up to all of the
        remission observed. EVENT is 1 only on an interval that ends with relapse, CNSR2 only on one that ends with
        death in remission. Empty without samples.

    Examples
    --------
    >>> empty = {name: schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")}
    >>> derive_adtv(empty["admrd"], empty["adsl"]).empty
    True
    """
    table = schema.ANALYSIS["adtv"]
    if admrd.empty:
        return schema.empty(table)
    at_risk = adsl[adsl["TTEFL"] == "Y"]
    subject = at_risk[["STUDYID", "USUBJID", "TRT01A", "STATUS", "DXDY", "CRDY"]].assign(END=remission_end(at_risk))
    subject = subject[(subject["END"] > 0).fillna(False).astype(bool)]
    samples = admrd.loc[admrd["ANL01FL"] == "Y", ["USUBJID", "ADY", "MRDSTATE", "RATIO", "LOD", "CATEGORY"]]
    rows = samples.merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    rows = rows[(rows["ADY"] < rows["END"]).fillna(False).astype(bool) & ~before_remission(rows)]
    rows = rows.assign(SAMPDY=rows["ADY"], TSTART=rows["ADY"].clip(lower=0))
    rows = pd.concat([_unknown(subject, rows), rows]).sort_values(["USUBJID", "TSTART", "SAMPDY"], kind="stable",
                                                                 na_position="first")
    rows = rows.drop_duplicates(["USUBJID", "TSTART"], keep="last").reset_index(drop=True)
    following = rows.groupby("USUBJID")["TSTART"].shift(-1)
    last, known, measured = following.isna(), rows["SAMPDY"].notna(), rows["MRDSTATE"] == "QUANTIFIED"
    level = np.log10(rows["RATIO"].where(measured, rows["LOD"]).astype(float))
    made = rows.assign(
        TSTOP=following.fillna(rows["END"]), EVENT=(last & (rows["STATUS"] == "relapse")).astype(int),
        CNSR2=(last & (rows["STATUS"] == "death in remission")).astype(int), LEVEL=level,
        MRDPOS=rows["MRDSTATE"].isin(POSITIVE).astype("Int64").where(known),
        LEVCENS=pd.Series(np.where(measured, "N", "Y"), rows.index, dtype=object).where(level.notna()))
    return schema.conform(made[table.names], table)


def _unknown(subject: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """An opening interval without a state, for each patient; a sample up to day 0 replaces it."""
    blank = pd.DataFrame(index=subject.index, columns=["ADY", "MRDSTATE", "RATIO", "LOD", "SAMPDY"])
    made = subject.join(blank).assign(TSTART=0, CATEGORY="unknown")
    return made.astype({name: rows[name].dtype for name in rows})
