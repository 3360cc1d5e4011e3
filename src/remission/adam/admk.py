"""Markers known when the clock starts: one row a patient, nothing from after the origin but a few days' grace."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import schema
from remission.adam.admrd import rules
from remission.adam.adtv import POSITIVE, in_remission, remission_end
from remission.study import Study


def derive_admk(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, admrd: pd.DataFrame | None,
                study: Study) -> pd.DataFrame:
    """Derive the marker table.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; `mutations` is used where the cohort has it.
    adsl : DataFrame
        Subject level.
    admrd : DataFrame or None
        Samples, from `derive_admrd`.
    study : Study
        Its `[mrd]` section fixes window, ratio and limits.

    Returns
    -------
    DataFrame
        Table `admk`: every patient of `adsl`; blank where a marker cannot be known.

    Examples
    --------
    >>> from remission.study import Study
    >>> derive_admk({}, schema.empty(schema.ANALYSIS["adsl"]), None, Study("demo", "own", "", "", ())).empty
    True
    """
    table, definition = schema.ANALYSIS["admk"], rules(study)
    samples = schema.empty(schema.ANALYSIS["admrd"]) if admrd is None else admrd
    subject = adsl[["USUBJID", "DXDY", "STATUS"]].assign(END=remission_end(adsl))
    used = samples[samples["ANL01FL"] == "Y"].merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    patients = adsl.set_index("USUBJID", drop=False)
    made = patients[["STUDYID", "USUBJID", "TRT01A", "NCYCLES"]].copy()
    made["RESP6M"] = response(used, definition)
    made["EVERNEG"] = ever_negative(used, definition)
    made = made.join(level_at_start(used, definition))
    mutations = tables.get("mutations")
    made["MUTFL"] = mutated(mutations, pd.Series(0, patients.index, dtype="Int64"))
    made["MUTRELFL"] = mutated(mutations, subject.set_index("USUBJID")["END"])
    evaluable = used.loc[(used["ADY"] >= 0) & in_remission(used), "USUBJID"]
    made["MRDEVLFL"] = np.where(made["USUBJID"].isin(evaluable), "Y", "N")
    assert len(made) == len(adsl)
    return schema.conform(made.reset_index(drop=True), table)


def response(used: pd.DataFrame, definition: dict) -> pd.Series:
    """MRD response inside the window after diagnosis.

    A sample shows response when its ratio is at or below the response ratio, or when it is negative or positive but
    not quantifiable with a detection limit at or below that ratio. Samples of the day of diagnosis and samples after
    the origin do not count; nor do unquantified samples whose limit is too poor to tell.

    Parameters
    ----------
    used : DataFrame
        Samples that stand for their day, with DXDY.
    definition : dict
        `response_ratio` in %, `response_window_days`.

    Returns
    -------
    Series of text
        Y or N by USUBJID; patients without a telling sample are absent.
    """
    since = used["ADY"] - used["DXDY"]
    inside = (since > 0) & (since <= definition["response_window_days"]) & (used["ADY"] <= 0)
    measured = used["MRDSTATE"] == "QUANTIFIED"
    low = np.where(measured, used["RATIO"], used["LOD"]) <= definition["response_ratio"]
    return _any(used["USUBJID"], inside.fillna(False).astype(bool) & (measured | low), low)


def ever_negative(used: pd.DataFrame, definition: dict) -> pd.Series:
    """Negativity of sufficient sensitivity at any time after diagnosis, up to the origin.

    Parameters
    ----------
    used : DataFrame
        Samples that stand for their day, with DXDY; too few ABL1 copies for a negative result are already out.
    definition : dict
        `negative_lod`: highest detection limit in %, at which a negative result counts.

    Returns
    -------
    Series of text
        Y or N by USUBJID; patients with no sample, or with nothing but insensitive negatives, are absent.
    """
    after_diagnosis = ((used["ADY"] - used["DXDY"]) > 0).fillna(True).astype(bool)
    complete = (used["MRDSTATE"] == "NEGATIVE") & (used["LOD"] <= definition["negative_lod"])
    telling = complete | used["MRDSTATE"].isin(POSITIVE)
    return _any(used["USUBJID"], after_diagnosis & (used["ADY"] <= 0).astype(bool) & telling, complete)


def level_at_start(used: pd.DataFrame, definition: dict) -> pd.DataFrame:
    """Level at the origin: the sample closest to day 0 inside the start window; of two as close, the earlier.

    A negative sample is left-censored at its detection limit; so is one that is positive but not quantifiable, whose
    level lies between that limit and the unreported limit of quantification. Samples after relapse never count.

    Parameters
    ----------
    used : DataFrame
        Samples that stand for their day, with END, the day on which remission ends.
    definition : dict
        `start_window_days`: first and last day.

    Returns
    -------
    DataFrame
        LVLSTART in log10 %, LVLCENS, LVLSTATE, LVLDY by USUBJID.
    """
    first, last = definition["start_window_days"]
    level = np.log10(used["RATIO"].where(used["MRDSTATE"] == "QUANTIFIED", used["LOD"]).astype(float))
    inside = used["ADY"].between(first, last) & (used["ADY"] < used["END"]).fillna(False) & level.notna()
    near = used.assign(LVLSTART=level, NEAR=used["ADY"].abs())[inside.astype(bool)]
    near = near.sort_values(["USUBJID", "NEAR", "ADY"], kind="stable").drop_duplicates("USUBJID").set_index("USUBJID")
    censored = pd.Series(np.where(near["MRDSTATE"] == "QUANTIFIED", "N", "Y"), near.index, dtype=object)
    return pd.DataFrame({"LVLSTART": near["LVLSTART"], "LVLCENS": censored, "LVLSTATE": near["MRDSTATE"],
                         "LVLDY": near["ADY"]})


def mutated(mutations: pd.DataFrame | None, until: pd.Series) -> pd.Series:
    """Whether a kinase-domain variant was found up to a day of each patient's own.

    Parameters
    ----------
    mutations : DataFrame or None
        Clean table `mutations`; `variant` is `none` where the analysis found nothing.
    until : Series of Int64
        Last day that counts, by patient.

    Returns
    -------
    Series of text
        Y or N by patient; patients not analysed by then are absent.
    """
    if mutations is None or mutations.empty:
        return pd.Series(dtype=object)
    in_time = (mutations["day"] <= mutations["patient_id"].map(until)).fillna(False).astype(bool)
    return _any(mutations["patient_id"], in_time, mutations["variant"] != "none")


def _any(patient: pd.Series, counts: pd.Series, holds: pd.Series) -> pd.Series:
    kept = np.asarray(counts, dtype=bool)
    found = pd.Series(np.asarray(holds, dtype=bool)[kept]).groupby(patient.to_numpy()[kept]).any()
    return found.map({True: "Y", False: "N"}).astype(object)
