"""Molecular residual disease, one row a sample: state, level, detection limit, and which sample stands for its day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from remission import schema
from remission.study import Study

#: Used where `[mrd]` of study.toml is silent. Ratios and limits in %, times in days.
DEFAULTS: dict[str, Any] = {
    "response_ratio": 0.1, "response_window_days": 183, "start_window_days": [-42, 7], "insufficient_abl": 10_000,
    "negative_lod": 0.01, "prolonged_days": 183, "prolonged_samples": 3, "rise_log10": 1.0, "margins": [0.5, 2.0],
}


def rules(study: Study) -> dict[str, Any]:
    """MRD definitions of a cohort: `[mrd]` of study.toml over the defaults.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        `response_ratio` (%), `response_window_days`, `start_window_days`, `insufficient_abl` (copies),
        `negative_lod` (%), `prolonged_days`, `prolonged_samples`, `rise_log10`, `margins` (hazard ratios).

    Examples
    --------
    >>> from remission.study import Study
    >>> rules(Study("demo", "own", "", "", (), mrd={"response_ratio": 0.01}))["response_ratio"]
    0.01
    """
    return DEFAULTS | study.mrd


def state(found: pd.Series, abl_copies: pd.Series, least_abl: float) -> pd.Series:
    """State of each sample once its amount of RNA is taken into account.

    A negative result proves nothing when too few ABL1 copies were in the reaction: it becomes INSUFFICIENT. A positive
    result, quantified or not, stays positive however poor the sample: scarce RNA hides transcripts, it does not make
    them. An unknown copy number leaves the state alone; sensitivity then rests on the reported detection limit.

    Parameters
    ----------
    found : Series of text
        QUANTIFIED, PNQ (positive, not quantifiable) or NEGATIVE.
    abl_copies : Series of float
        ABL1 copies; missing allowed.
    least_abl : float
        Fewest ABL1 copies with which a negative result counts.

    Returns
    -------
    Series of text

    Notes
    -----
    Source: RQ-PCR rules of van der Velden et al., Leukemia 2007;21:604.

    Examples
    --------
    >>> state(pd.Series(["NEGATIVE", "PNQ"]), pd.Series([900.0, 900.0]), 10_000).tolist()
    ['INSUFFICIENT', 'PNQ']
    """
    poor = (abl_copies < least_abl) & (found == "NEGATIVE")
    return found.mask(poor, "INSUFFICIENT")


def detection_limit(reported: pd.Series, abl_copies: pd.Series) -> pd.Series:
    """Detection limit of each sample, as a ratio in %.

    The reported limit, or, where the ABL1 copies in the reaction cannot support it or none was reported, the ratio
    that a single transcript would have given: 100 / ABL1 copies.

    Parameters
    ----------
    reported : Series of float
        Limit as the laboratory gave it, %; missing allowed.
    abl_copies : Series of float
        ABL1 copies; missing allowed.

    Returns
    -------
    Series of float
        %, missing where neither is known.

    Examples
    --------
    >>> detection_limit(pd.Series([0.001, 0.001, None]), pd.Series([200_000.0, 10_000.0, 50_000.0])).tolist()
    [0.001, 0.01, 0.002]
    """
    one_copy = 100 / abl_copies.astype(float).where(abl_copies > 0)
    return reported.astype(float).where(reported > 0).combine(one_copy, np.fmax)


def derive_admrd(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive the MRD table.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; `mrd` is used, with `state` and `ratio` (%) in place of the laboratory's text.
    adsl : DataFrame
        Subject level.
    study : Study

    Returns
    -------
    DataFrame
        Table `admrd`. Samples without a day from the origin cannot be placed and are left out. Of several samples on
        a day one stands for it (ANL01FL): marrow before blood, then more ABL1 copies; an insufficient sample never.

    Examples
    --------
    >>> from remission.study import Study
    >>> derive_admrd({}, schema.empty(schema.ANALYSIS["adsl"]), Study("demo", "own", "", "", ())).empty
    True
    """
    table = schema.ANALYSIS["admrd"]
    if "mrd" not in tables or tables["mrd"].empty:
        return schema.empty(table)
    samples = tables["mrd"].rename(columns={"patient_id": "USUBJID"})
    samples = samples[samples["day"].notna()].reset_index(drop=True)
    rows = len(samples)
    subject = adsl[["STUDYID", "USUBJID", "TRT01A", "RELDY"]]
    samples = samples.merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    assert len(samples) <= rows
    abl, ratio = _number(samples, "abl_copies"), _number(samples, "ratio")
    found = state(samples["state"], abl, rules(study)["insufficient_abl"])
    quantified = ratio.where((found == "QUANTIFIED") & (ratio > 0))
    made = pd.DataFrame({
        "STUDYID": samples["STUDYID"], "USUBJID": samples["USUBJID"], "TRT01A": samples["TRT01A"],
        "ADY": samples["day"].astype("Int64"), "PERIOD": _period(samples["day"], samples["RELDY"]),
        "SOURCE": _text(samples, "source"), "ABLCOP": abl, "RATIO": quantified, "LOGRATIO": np.log10(quantified),
        "LOD": detection_limit(_number(samples, "detection_limit"), abl), "MRDSTATE": found,
        "LAB": _text(samples, "laboratory"),
    })
    return schema.conform(made.assign(ANL01FL=_stands_for_day(made)), table)


def _number(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(np.nan, frame.index)
    return frame[column].astype("Float64").astype(float)


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame[column].astype(object) if column in frame else pd.Series(None, frame.index, dtype=object)


def _period(day: pd.Series, relapse: pd.Series) -> pd.Series:
    after = (day > relapse).fillna(False).astype(bool)
    return pd.Series("MAINTENANCE", day.index).mask(day < 0, "FRONTLINE").mask(after, "POSTRELAPSE")


def _stands_for_day(samples: pd.DataFrame) -> pd.Series:
    # Sorting by preference and keeping the first of each day says the rule in one place; ties keep the table's order.
    rank = pd.DataFrame({"marrow": samples["SOURCE"] != "BM", "copies": -samples["ABLCOP"].fillna(0)})
    usable = samples[samples["MRDSTATE"] != "INSUFFICIENT"]
    order = rank.loc[usable.index].sort_values(["marrow", "copies"], kind="stable").index
    first = usable.loc[order].drop_duplicates(["USUBJID", "ADY"]).index
    return pd.Series(np.where(samples.index.isin(first), "Y", "N"), samples.index)
