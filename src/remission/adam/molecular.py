"""What one BCR::ABL1 sample says: scale, reduction from diagnosis, molecular depth, category of response."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

#: Transcript to which the International Scale applies (e13a2 and e14a2).
ON_SCALE = "p210"
#: Depths from the shallowest to the deepest; `unknown` says nothing and stands outside the order.
DEPTHS = ("none", "MMR", "MR4", "MR4.5", "MR5")
COMPLETE, INTERMEDIATE, FAILURE = "complete", "intermediate", "failure"


def conversion(transcript: pd.Series, laboratory: pd.Series, factors: Mapping[str, float]) -> pd.Series:
    """Factor that brings each sample's ratio to the International Scale.

    Parameters
    ----------
    transcript : Series of text
        `p210`, `p190`, `p190/p210`; missing allowed.
    laboratory : Series of text
        Laboratory code; missing allowed.
    factors : mapping of text to float
        Conversion factor by laboratory.

    Returns
    -------
    Series of float
        Missing where the scale does not apply: any transcript but p210 alone, or a laboratory without a factor.

    Notes
    -----
    Source: Hughes et al., Blood 2006;108:28. The scale was set for p210. No conversion exists for p190, and where both
    transcripts are expressed one factor cannot serve their sum.

    Examples
    --------
    >>> conversion(pd.Series(["p210", "p190", "p210"]), pd.Series(["L", "L", None]), {"L": 0.8}).tolist()
    [0.8, nan, nan]
    """
    return laboratory.map(dict(factors)).astype(float).where((transcript == ON_SCALE).fillna(False).astype(bool))


def depth(state: pd.Series, ratio: pd.Series, abl_copies: pd.Series, limit: pd.Series,
          ratios: Mapping[str, float], copies: Mapping[str, float]) -> pd.Series:
    """Deepest molecular level that each sample documents.

    Parameters
    ----------
    state : Series of text
        QUANTIFIED, PNQ, NEGATIVE or INSUFFICIENT.
    ratio : Series of float
        %, of quantified samples.
    abl_copies : Series of float
        ABL1 copies; missing allowed.
    limit : Series of float
        Detection limit in %, as the laboratory sees it (before any conversion); missing allowed.
    ratios : mapping of text to float
        Highest ratio in % of each level but `none`.
    copies : mapping of text to float
        Fewest ABL1 copies with which a level can be claimed; a level left out asks for none.

    Returns
    -------
    Series of text
        One of `DEPTHS`, or `unknown` where the sample is too insensitive to tell.

    Notes
    -----
    Source: Cross et al., Leukemia 2015;29:999: the copies are asked for whether or not transcripts are found. A
    negative sample must also have a detection limit no higher than the level; where copies are unknown that limit
    alone decides. A positive sample that cannot be quantified lies above its detection limit by an unrecorded amount:
    it documents a major response where its limit allows one, and nothing deeper.

    Examples
    --------
    >>> depth(pd.Series(["NEGATIVE", "NEGATIVE", "QUANTIFIED"]), pd.Series([None, None, 0.02]),
    ...       pd.Series([32_000, 31_999, 50_000]), pd.Series([0.001, 0.001, 0.001]),
    ...       {"MMR": 0.1, "MR4": 0.01, "MR4.5": 0.0032}, {"MR4": 10_000, "MR4.5": 32_000}).tolist()
    ['MR4.5', 'MR4', 'MMR']
    """
    measured, negative = state == "QUANTIFIED", state == "NEGATIVE"
    found = pd.Series("unknown", state.index, dtype=object).mask(measured, "none")
    reach = ratio.where(measured, limit).astype(float)
    for level in DEPTHS[1:]:
        if level in ratios:
            known = measured | negative | ((state == "PNQ") & (level == DEPTHS[1]))
            poor = abl_copies.astype(float) < copies.get(level, 0)
            found = found.mask(known & (reach <= ratios[level]) & ~poor, level)
    return found


def category(state: pd.Series, ratio: pd.Series, limit: pd.Series, failure_ratio: float,
             complete_limit: float) -> pd.Series:
    """Category of MRD response of each sample, as European laboratories report acute lymphoblastic leukaemia.

    Parameters
    ----------
    state : Series of text
        QUANTIFIED, PNQ, NEGATIVE or INSUFFICIENT.
    ratio, limit : Series of float
        Ratio of quantified samples and detection limit, %.
    failure_ratio : float
        Quantified at this ratio or above is failure, %.
    complete_limit : float
        Highest detection limit with which a negative sample is complete, %.

    Returns
    -------
    Series of text
        `complete`: negative, sensitive enough. `failure`: quantified at the ratio or above. `intermediate`: anything
        else, that is positive below the ratio, positive and not quantifiable, or negative and not sensitive enough.

    Notes
    -----
    Source: HemaSphere 2021, PMC8824253, table 1 (terms of response); van der Velden et al., Leukemia 2007;21:604
    (quantifiable range and sensitivity).

    Examples
    --------
    >>> category(pd.Series(["NEGATIVE", "NEGATIVE", "PNQ", "QUANTIFIED"]), pd.Series([None, None, None, 0.01]),
    ...          pd.Series([0.01, 0.02, 0.001, 0.001]), 0.01, 0.01).tolist()
    ['complete', 'intermediate', 'intermediate', 'failure']
    """
    complete = (state == "NEGATIVE") & (limit.astype(float) <= complete_limit)
    failed = (state == "QUANTIFIED") & (ratio.astype(float) >= failure_ratio)
    return pd.Series(INTERMEDIATE, state.index, dtype=object).mask(complete, COMPLETE).mask(failed, FAILURE)


def at_diagnosis(samples: pd.DataFrame, window: list[int]) -> pd.Series:
    """Whether a sample measures leukaemia at diagnosis: inside the window around it and before the first remission.

    Parameters
    ----------
    samples : DataFrame
        ADY, and of the patient DXDY and CRDY; without a day of remission the window alone decides.
    window : list of int
        First and last day, counted from diagnosis.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> at_diagnosis(pd.DataFrame({"ADY": [-300, -280, -293], "DXDY": -300, "CRDY": [-260, -260, -295]}), [-30, 7]
    ...              ).tolist()
    [True, False, False]
    """
    since = samples["ADY"].astype("Int64") - samples["DXDY"].astype("Int64")
    remission = (samples["ADY"].astype("Int64") >= samples["CRDY"].astype("Int64")).fillna(False)
    return (since.between(*window).fillna(False) & ~remission).astype(bool)


def baseline(samples: pd.DataFrame, window: list[int]) -> pd.Series:
    """Ratio at diagnosis against which each sample is read, %.

    Parameters
    ----------
    samples : DataFrame
        USUBJID, ADY, SOURCE, SCALE, ABLCOP, RATIO (%, of quantified samples), DXDY, CRDY; unique index.
    window : list of int
        As in `at_diagnosis`.

    Returns
    -------
    Series of float
        Of the samples at diagnosis that are quantified, on the same scale and not later than the sample itself, the
        last; one of the same source where there is one, else of any source. Of several on a day that with more ABL1
        copies. Missing without any.

    Notes
    -----
    No sample is read against a later one, so adding a sample never changes what an earlier one says.
    """
    found = samples[at_diagnosis(samples, window) & samples["RATIO"].notna()]
    found = found.sort_values(["ADY", "ABLCOP"], kind="stable", na_position="first")
    return _last(samples, found, ["USUBJID", "SCALE", "SOURCE"]).fillna(_last(samples, found, ["USUBJID", "SCALE"]))


def _last(samples: pd.DataFrame, found: pd.DataFrame, by: list[str]) -> pd.Series:
    """Last baseline up to each sample's day among those that agree with it in `by`; a missing source agrees with none.
    """
    right = found[["ADY", *by, "RATIO"]].dropna(subset=by).drop_duplicates(["ADY", *by], keep="last")
    left = samples[["ADY", *by]].dropna(subset=by).assign(ROW=lambda rows: rows.index)
    if right.empty or left.empty:
        return pd.Series(np.nan, samples.index)
    for frame in (left, right):
        frame["ADY"] = frame["ADY"].astype("int64")
    merged = pd.merge_asof(left.sort_values("ADY", kind="stable"), right.sort_values("ADY", kind="stable"), on="ADY",
                           by=by)
    return merged.set_index("ROW")["RATIO"].reindex(samples.index)
