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


def derive_adtv(admrd: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Derive the counting process of the last known MRD state from the origin to relapse or censoring.

    Parameters
    ----------
    admrd : DataFrame
        Samples; only those that stand for their day (ANL01FL = Y) are used.
    adsl : DataFrame
        Subject level; patients with TTEFL = Y are used.

    Returns
    -------
    DataFrame
        Table `adtv`. A sample on day d governs the interval (d, next sample], never the day on which it was taken, so
        no interval looks ahead. The last sample up to day 0 opens at 0; a patient whose first sample comes later
        enters then. EVENT is 1 only on the interval that ends with relapse; death in remission censors.

    Examples
    --------
    >>> empty = {name: schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")}
    >>> derive_adtv(empty["admrd"], empty["adsl"]).empty
    True
    """
    table = schema.ANALYSIS["adtv"]
    samples = admrd.loc[admrd["ANL01FL"] == "Y", ["USUBJID", "ADY", "MRDSTATE"]]
    at_risk = adsl[adsl["TTEFL"] == "Y"]
    subject = at_risk[["STUDYID", "USUBJID", "TRT01A", "STATUS"]].assign(END=remission_end(at_risk))
    rows = samples.merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    rows = rows[(rows["ADY"] < rows["END"]).fillna(False).astype(bool)]
    if rows.empty:
        return schema.empty(table)
    rows = rows.sort_values(["USUBJID", "ADY"], kind="stable").assign(TSTART=rows["ADY"].clip(lower=0))
    rows = rows.drop_duplicates(["USUBJID", "TSTART"], keep="last").reset_index(drop=True)
    following = rows.groupby("USUBJID")["TSTART"].shift(-1)
    relapsed = following.isna() & (rows["STATUS"] == "relapse")
    made = rows.assign(TSTOP=following.fillna(rows["END"]), EVENT=relapsed.astype(int),
                       MRDPOS=np.isin(rows["MRDSTATE"], POSITIVE).astype(int))
    return schema.conform(made[table.names], table)
