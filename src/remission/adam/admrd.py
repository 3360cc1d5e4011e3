"""Molecular residual disease, one row a sample: state, level, depth, category, and which sample stands for its day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from remission import schema
from remission.adam import molecular
from remission.errors import ContractError, Problem
from remission.study import Study

MOLECULAR_RELAPSES = ("two positive", "rise")
#: Definitions in which 0 makes sense: no fewest copies, no lag.
MAY_BE_ZERO = ("insufficient_abl", "lag_days", "quantifiable_log10")
#: Used where `[mrd]` of study.toml is silent. Ratios and limits in %, times in days, landmarks in months.
DEFAULTS: dict[str, Any] = {
    "response_ratio": 0.1, "response_window_days": 183, "start_window_days": [-42, 7], "insufficient_abl": 10_000,
    "negative_lod": 0.01, "prolonged_days": 183, "prolonged_samples": 3, "rise_log10": 1.0, "margins": [0.5, 2.0],
    "failure_ratio": 0.01, "baseline_window_days": [-30, 7], "international_scale_factor": {},
    "depth_ratio": {"MMR": 0.1, "MR4": 0.01, "MR4.5": 0.0032, "MR5": 0.001},
    "depth_abl": {"MR4": 10_000, "MR4.5": 32_000, "MR5": 100_000},
    "molecular_relapse": "two positive", "landmarks": [3, 6, 12], "landmark_age_days": 183, "lag_days": [30, 90],
    "horizon_months": 12, "quantifiable_log10": 0.0,
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
        `negative_lod` (%), `prolonged_days`, `prolonged_samples`, `rise_log10`, `margins` (hazard ratios),
        `failure_ratio` (%), `baseline_window_days` (from diagnosis), `international_scale_factor` (by laboratory),
        `depth_ratio` (% by level), `depth_abl` (copies by level), `molecular_relapse` (the definition that results
        rest on), `landmarks` (months), `landmark_age_days` (an older sample does not tell the state at a landmark),
        `lag_days` (how old a sample must be before its state counts, in turn), `horizon_months` (how far dynamic
        prediction looks), `quantifiable_log10` (log10 from the detection limit up to where levels are quantified: a
        sample that is positive but not quantifiable lies between; 0 where that is not known).

    Raises
    ------
    ContractError
        When a definition is unknown or cannot be used; every fault at once.

    Examples
    --------
    >>> from remission.study import Study
    >>> rules(Study("demo", "own", "", "", (), mrd={"response_ratio": 0.01}))["response_ratio"]
    0.01
    """
    found = DEFAULTS | study.mrd
    problems = [*_unknown(study), *(fault for name, value in found.items() for fault in _faults(name, value))]
    if problems:
        raise ContractError(study.name, problems)
    return found


def _unknown(study: Study) -> list[Problem]:
    return [Problem("study.toml", f"mrd.{name}", (), "no such definition", f"one of {', '.join(DEFAULTS)}")
            for name in study.mrd if name not in DEFAULTS]


def _faults(name: str, value: Any) -> list[Problem]:
    """What keeps one definition from being used; its default shows what it should look like."""
    usual, least = DEFAULTS.get(name), 0 if name in MAY_BE_ZERO else np.nextafter(0, 1)
    if name == "molecular_relapse":
        found = "" if value in MOLECULAR_RELAPSES else f"one of {', '.join(MOLECULAR_RELAPSES)}"
    elif isinstance(usual, dict):
        levels = name == "international_scale_factor" or (isinstance(value, dict) and set(value) <= set(usual))
        fine = isinstance(value, dict) and all(_is_number(one) and one > 0 for one in value.values())
        found = "" if fine and levels else "a table of numbers above 0" + (f" for {', '.join(usual)}" if usual else "")
    elif isinstance(usual, list):
        fine = isinstance(value, list) and len(value) > 0 and all(map(_is_number, value)) and value == sorted(value)
        pair = name.endswith("window_days") or name == "margins"
        fine = fine and (len(value) == 2 or not pair) and (name.endswith("window_days") or value[0] >= least)
        found = "" if fine else f"{'two' if pair else 'one or more'} numbers in rising order, such as {usual}"
    else:
        fine = not _is_number(usual) or (_is_number(value) and value >= least)
        found = "" if fine else f"a number above 0, such as {usual:g}"
    return [Problem("study.toml", f"mrd.{name}", (), f"{value!r} cannot be used", f"give {found}")] if found else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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

    Raises
    ------
    ContractError
        When `[mrd]` of study.toml is wrong, from `rules`.

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
    subject = adsl[["STUDYID", "USUBJID", "TRT01A", "RELDY", "DXDY", "CRDY", "TRANSC"]]
    samples = samples.merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    assert len(samples) <= rows
    definition, abl, ratio = rules(study), _number(samples, "abl_copies"), _number(samples, "ratio")
    found = state(samples["state"], abl, definition["insufficient_abl"])
    laboratory, limit = _text(samples, "laboratory"), detection_limit(_number(samples, "detection_limit"), abl)
    factor = molecular.conversion(samples["TRANSC"], laboratory, definition["international_scale_factor"])
    quantified = ratio.where((found == "QUANTIFIED") & (ratio > 0)) * factor.fillna(1)
    made = pd.DataFrame({
        "STUDYID": samples["STUDYID"], "USUBJID": samples["USUBJID"], "TRT01A": samples["TRT01A"],
        "ADY": samples["day"].astype("Int64"), "PERIOD": _period(samples["day"], samples["RELDY"]),
        "SOURCE": _text(samples, "source"), "ABLCOP": abl, "RATIO": quantified, "LOGRATIO": np.log10(quantified),
        "LOD": limit * factor.fillna(1), "MRDSTATE": found, "LAB": laboratory,
        "SCALE": np.where(factor.notna(), "IS", "local"),
    })
    made["DEPTH"] = molecular.depth(found, quantified, abl, limit, definition["depth_ratio"], definition["depth_abl"])
    made["CATEGORY"] = molecular.category(found, quantified, made["LOD"], definition["failure_ratio"],
                                          definition["negative_lod"])
    made = made.assign(**_reduction(made, samples[["DXDY", "CRDY"]], definition["baseline_window_days"]))
    return schema.conform(made.assign(ANL01FL=_stands_for_day(made)), table)


def _reduction(made: pd.DataFrame, dates: pd.DataFrame, window: list[int]) -> dict[str, pd.Series]:
    base = molecular.baseline(made.join(dates), window)
    level = made["RATIO"].where(made["MRDSTATE"] == "QUANTIFIED", made["LOD"])
    return {"BASERATIO": base, "LOGRED": np.log10(base / level.mask(made["MRDSTATE"] == "INSUFFICIENT"))}


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
