"""Codings of MRD by the start: threshold x time point x source x rule for what lies below the detection limit."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import study as units
from remission.adam.admrd import rules
from remission.adam.adtv import POSITIVE, remission_end
from remission.adam.molecular import DEPTHS
from remission.study import Study

THRESHOLDS = {"MMR": "MMR or deeper", "MR4": "MR4 or deeper", "MR4.5": "MR4.5 or deeper",
              "negative": "any negativity", "median": "at most the median"}
#: Months from diagnosis, and how many days a sample may lie off that time point.
MONTHS, WINDOW = (3, 6, 9), 45
TIMES = {"m3": "3 months from diagnosis", "m6": "6 months from diagnosis", "m9": "9 months from diagnosis",
         "best": "best by the start", "start": "at the start"}
SOURCES = {"any": "marrow and blood", "BM": "marrow only", "PB": "blood only", "BM first": "marrow, else blood"}
LIMITS = {"reported": "low, as reported", "copies": "low as ABL1 copies prove", "half": "half its limit",
          "sensitive": "insensitive left out"}
#: Choices of a coding: column to words of each reading.
CHOICES = {"threshold": THRESHOLDS, "time": TIMES, "source": SOURCES, "limit": LIMITS}


class Codings(NamedTuple):
    """Every coding of a set of patients.

    `choices`: one row a coding, keys of `CHOICES`, `known`, `good` and `poor` patients, `same_as` (place of the first
    coding that groups everybody alike). `groups`: (codings, patients), 1 poor, 0 good, NaN unknown.
    """

    choices: pd.DataFrame
    groups: np.ndarray


def codings(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study, patients: list[str]) -> Codings:
    """Group patients as good or poor by their MRD before the clock starts, under every coding.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        Start window and sensitivity of a negative result, from `[mrd]`.
    patients : list of str
        Patients to be grouped, in the order of the columns of `groups`; a median is theirs.

    Returns
    -------
    Codings
        Only samples after diagnosis, up to the end of the start window and before remission ends, are looked at.

    Notes
    -----
    A time point takes the sample nearest to it, within 45 days; of two as near the earlier, of one day the marrow.
    "Best" takes the lowest value of all. A positive result that cannot be quantified stands at its detection limit.
    What was not detected counts as low at any threshold (as reported); as low as the ABL1 copies of the sample prove,
    that is as `DEPTH` of `admrd` (for a median: as one copy); as half its limit; or not at all where the limit lies
    above the threshold or the copies are too few (insensitive left out).

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> made = codings(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...                Study("demo", "own", "", "", ()), [])
    >>> len(made.choices), made.groups.shape
    (400, (400, 0))
    """
    samples, definition = _samples(admrd, adsl, study), rules(study)
    samples = samples[samples["USUBJID"].isin(patients)]
    place = samples["USUBJID"].map({name: number for number, name in enumerate(patients)}).to_numpy(int)
    thresholds = [one for one in THRESHOLDS if one not in DEPTHS or one in definition["depth_ratio"]]
    pairs = list(product(thresholds, LIMITS))
    values = np.array([_values(samples, *pair, definition).to_numpy(float) for pair in pairs])
    rows, groups = [], []
    for time, source in product(TIMES, SOURCES):
        chosen = _choose(samples, values, place, len(patients), time, source, definition)
        for (threshold, limit), one in zip(pairs, chosen, strict=True):
            rows.append([threshold, time, source, limit])
            groups.append(_split(one) if threshold == "median" else one)
    choices, made = _in_order(pd.DataFrame(rows, columns=list(CHOICES)), np.array(groups))
    return Codings(choices.assign(known=np.isfinite(made).sum(axis=1), good=(made == 0).sum(axis=1),
                                  poor=(made == 1).sum(axis=1), same_as=_first_alike(made)), made)


def _in_order(choices: pd.DataFrame, groups: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Codings in the order in which the choices are named."""
    rank = choices.apply(lambda one: one.map({key: place for place, key in enumerate(CHOICES[one.name])}))
    order = np.lexsort([rank[choice] for choice in reversed(list(CHOICES))])
    return choices.iloc[order].reset_index(drop=True), groups[order]


def _samples(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Samples that can inform a coding: after diagnosis, by the end of the start window, before remission ends."""
    subject = adsl[["USUBJID", "DXDY"]].assign(END=remission_end(adsl))
    columns = ["USUBJID", "ADY", "SOURCE", "ABLCOP", "RATIO", "LOD", "MRDSTATE", "DEPTH"]
    used = admrd[columns].merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    day, since = used["ADY"].astype(float), (used["ADY"] - used["DXDY"]).astype(float)
    inside = (day <= rules(study)["start_window_days"][1]) & ~(since <= 0)
    used = used.assign(DAY=day, SINCE=since)[inside & (used["ADY"] < used["END"]).fillna(False).astype(bool)]
    return used.assign(BLOOD=used["SOURCE"] != "BM", FEW=-used["ABLCOP"].astype(float).fillna(0)).sort_values(
        ["USUBJID", "DAY", "BLOOD", "FEW"], kind="stable")


def _values(samples: pd.DataFrame, threshold: str, limit: str, definition: dict[str, Any]) -> pd.Series:
    """Of every sample: 0 good, 1 poor, NaN no use; its log10 level where patients are to be split at their median."""
    lod, copies, state = samples["LOD"].astype(float), samples["ABLCOP"].astype(float), samples["MRDSTATE"]
    positive, quantified = state.isin(POSITIVE), state == "QUANTIFIED"
    short = state == "INSUFFICIENT"
    if limit == "copies" and threshold in DEPTHS:
        rank = samples["DEPTH"].map({depth: place for place, depth in enumerate(DEPTHS)}).astype(float)
        return (rank < DEPTHS.index(threshold)).astype(float).where(rank.notna())
    highest = definition["depth_ratio"].get(threshold, definition["negative_lod"])
    useless = {"copies": ~positive & (short | copies.isna()), "sensitive": ~quantified & (short | ~(lod <= highest))}
    told = ~useless.get(limit, pd.Series(False, samples.index))
    if threshold == "negative":
        # A positive result is positive whatever its limit.
        return positive.astype(float).where(told | positive)
    level = samples["RATIO"].astype(float).where(quantified, lod)
    if limit == "half":
        level = level.where(positive, lod / 2)
    if threshold == "median":
        level = level.where(positive | (limit != "copies"), 100 / copies)
        return np.log10(level.where(level > 0)).where(told)
    poor = (level > highest) & (positive | (limit != "reported"))
    return poor.astype(float).where(told & (level.notna() | (~positive & (limit == "reported"))))


def _choose(samples: pd.DataFrame, values: np.ndarray, place: np.ndarray, patients: int, time: str, source: str,
            definition: dict[str, Any]) -> np.ndarray:
    """Values of the samples that stand for a time point, (rows of `values`, patients); NaN without such a sample."""
    day, blood = samples["DAY"].to_numpy(), samples["BLOOD"].to_numpy(bool)
    first, last = definition["start_window_days"]
    if time == "best":
        kept, off = day <= 0, np.zeros(len(day))
    elif time == "start":
        kept, off = (day >= first) & (day <= last), np.abs(day)
    else:
        off = np.abs(samples["SINCE"].to_numpy() - units.to_days(int(time[1:]), "month"))
        kept = off <= WINDOW
    if source in ("BM", "PB"):
        kept = kept & (samples["SOURCE"] == source).to_numpy(bool)
    # The samples come in order of day, marrow before blood: a stable sort keeps that among equals.
    order = np.lexsort((off, blood & (source == "BM first"), place))
    order = order[kept[order]]
    made = np.full((len(values), patients), np.nan)
    if len(order):
        who, starts = np.unique(place[order], return_index=True)
        made[:, who] = _lowest(values[:, order], blood[order] & (source == "BM first"), starts) if time == "best" else \
            _first(values[:, order], starts)
    return made


def _first(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """First known value of every patient."""
    columns = np.where(np.isnan(values), values.shape[1], np.arange(values.shape[1]))
    found = np.minimum.reduceat(columns, starts, axis=1)
    # A patient without a known value would be given another's, who comes after.
    ends = np.append(starts[1:], values.shape[1])
    known = np.take_along_axis(values, np.minimum(found, values.shape[1] - 1), axis=1)
    return np.where(found < ends, known, np.nan)


def _lowest(values: np.ndarray, second: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Lowest known value of every patient; one of the second choice only where there is no other."""
    best = np.fmin.reduceat(np.where(second, np.nan, values), starts, axis=1)
    return np.where(np.isnan(best), np.fmin.reduceat(values, starts, axis=1), best)


def _split(level: np.ndarray) -> np.ndarray:
    """Poor above the median; those on it go with the lower side, unless that would leave the upper side empty."""
    known = np.isfinite(level)
    if not known.any():
        return level
    middle, top = np.median(level[known]), level[known].max()
    return np.where(known, level > middle if top > middle else level >= middle, np.nan).astype(float)


def _first_alike(groups: np.ndarray) -> np.ndarray:
    """For each coding the place of the first that groups every patient alike."""
    seen: dict[bytes, int] = {}
    keys = (np.nan_to_num(row, nan=2).astype(np.int8).tobytes() for row in groups)
    return np.array([seen.setdefault(key, place) for place, key in enumerate(keys)], dtype=int)
