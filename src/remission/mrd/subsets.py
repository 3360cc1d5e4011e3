"""Which patients, and how many, can stand behind two printed medians: carriers of a median, and a search of subsets."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission import study as units
from remission.estimators import curves
from remission.estimators.wording import p_value
from remission.mrd.markers import GROUPS, MARKERS, Marker, marker_frame
from remission.study import Study

#: Fewest patients of a group, and fewest of an evaluable subset as a share of the arm.
GROUP, LEAST = 3, 0.6
COLUMNS = ["arm", "marker", "endpoint", "patients", "left_out", "draws", "matches", "share", "error", "events_low",
           "events_high", "hr_low", "hr_median", "hr_high", "p_low", "p_median", "p_high", "significant"]


class Printed(NamedTuple):
    """Two printed medians of one marker in one arm: bounds in days, the upper ones left out."""

    marker: Marker
    arm: str
    bounds: dict[str, tuple[float, float]]


def printed_medians(claims: pd.DataFrame, study: Study) -> list[Printed]:
    """Pairs of medians by marker group among the printed claims.

    Parameters
    ----------
    claims : DataFrame
        `result_id`, `lower`, `upper` and `unit`, as in `claims.csv`.
    study : Study

    Returns
    -------
    list of Printed

    Examples
    --------
    >>> from remission.study import Arm
    >>> said = pd.DataFrame({"result_id": [f"mrd.mutation.all.A.median[{group}]" for group in GROUPS],
    ...                      "lower": [15.5, 25.5], "upper": [16.5, 26.5], "unit": "month"})
    >>> printed_medians(said, Study("demo", "own", "", "", (Arm("A", "A"),)))[0].bounds["good"]
    (471.78125, 502.21875)
    """
    said, made = claims.set_index("result_id"), []
    for marker in MARKERS:
        for arm in (*study.arm_keys, "all"):
            ids = {group: f"mrd.{marker.key}.all.{arm}.median[{group}]" for group in GROUPS}
            if all(one in said.index and said.loc[one, "unit"] in units.DAYS for one in ids.values()):
                made.append(Printed(marker, arm, {group: tuple(
                    float(said.loc[one, bound]) * units.DAYS[said.loc[one, "unit"]] for bound in ("lower", "upper"))
                    for group, one in ids.items()}))
    return made


def median_carriers(endpoint: pd.DataFrame, admk: pd.DataFrame, claims: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The patients at whose relapses the Kaplan-Meier curves of the printed groups cross one half.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    claims : DataFrame
        Printed claims.
    study : Study

    Returns
    -------
    DataFrame
        One row a group, and one for both together: `arm`, `marker`, `group`, `patients`, `relapses`, `median` (in the
        unit of display), `carried_by`: one patient, or the two between whom a plateau at one half lies.

    Examples
    --------
    >>> from remission import schema
    >>> nobody = pd.DataFrame(columns=["patient", "arm", "time", "event"])
    >>> median_carriers(nobody, schema.empty(schema.ANALYSIS["admk"]), pd.DataFrame(columns=["result_id"]),
    ...                 Study("demo", "own", "", "", ())).empty
    True
    """
    made = []
    for one in printed_medians(claims, study):
        mine = endpoint if one.arm == "all" else endpoint[endpoint["arm"] == one.arm]
        data = marker_frame(mine, admk, one.marker)
        words = dict(zip(GROUPS, one.marker.words, strict=True)) | {"both": "both together"}
        for group, name in words.items():
            part = data if group == "both" else data[data["group"] == group]
            if len(part):
                median = curves.quantile(curves.kaplan_meier(part)).value
                made.append([one.arm, one.marker.label, name, len(part), int(part["event"].sum()),
                             units.from_days(median, study.report_unit), ", ".join(_at_half(part))])
    return pd.DataFrame(made, columns=["arm", "marker", "group", "patients", "relapses", "median", "carried_by"])


def _at_half(part: pd.DataFrame) -> list[str]:
    curve = curves.kaplan_meier(part)
    falls = curve[curve["events"] > 0]
    below = falls[falls["survival"] <= 0.5 + curves.TOLERANCE]
    if below.empty:
        return ["nobody: not reached"]
    level = below["survival"].iloc[0] >= 0.5 - curves.TOLERANCE
    days = below["time"].iloc[: 2 if level else 1]
    return sorted(part.loc[part["time"].isin(days) & part["event"].astype(bool), "patient"])


def subset_readings(endpoint: pd.DataFrame, claims: pd.DataFrame, study: Study, *, seed: int,
                    draws: int = 2000) -> pd.DataFrame:
    """How often a random split of a random subset gives both printed medians, and what p-values go with them.

    Parameters
    ----------
    endpoint : DataFrame
        `patient`, `arm`, `time` (days), `event`.
    claims : DataFrame
        Printed claims.
    study : Study
    seed : int
    draws : int
        Random splits for every size of subset and of its first group.

    Returns
    -------
    DataFrame
        One row a printed pair and number of evaluable patients, from 60% of the arm to all: `arm`, `marker`,
        `endpoint` (marker key), `patients`, `left_out`, `draws`, `matches`, `share` of the draws with its Monte Carlo
        `error`; over the matches the range of `events`, the central 95% and median of the hazard ratio (group of the
        first printed median against the other) and of the two-sided log-rank p, and the share `significant` at 5%.
        NaN where nothing matched. Groups have at least three patients; which direction the marker had plays no part.

    Examples
    --------
    >>> subset_readings(pd.DataFrame(columns=["arm"]), pd.DataFrame(columns=["result_id"]),
    ...                 Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    made = []
    for one in printed_medians(claims, study):
        mine = endpoint if one.arm == "all" else endpoint[endpoint["arm"] == one.arm]
        time, event = mine["time"].to_numpy(float), mine["event"].to_numpy(bool)
        random = np.random.default_rng(seed)
        for size in range(max(math.ceil(LEAST * len(mine)), 2 * GROUP), len(mine) + 1):
            found = [_matches(time, event, size, first, one.bounds, draws, random)
                     for first in range(GROUP, size - GROUP + 1)]
            made.append([one.arm, one.marker.label, one.marker.key, size, len(mine) - size,
                         *_summary(pd.concat(found), draws * len(found))])
    return pd.DataFrame(made, columns=COLUMNS)


def _matches(time: np.ndarray, event: np.ndarray, size: int, first: int, bounds: dict[str, tuple[float, float]],
             draws: int, random: np.random.Generator) -> pd.DataFrame:
    """Splits whose two medians lie inside the printed roundings: events, log hazard ratio, log-rank p."""
    order = random.permuted(np.broadcast_to(np.arange(len(time)), (draws, len(time))), axis=1)[:, :size]
    kept = np.ones(draws, bool)
    for part, (low, high) in zip((order[:, :first], order[:, first:]), bounds.values(), strict=True):
        median = batch.quantile(time[part], event[part])
        kept &= (median >= low) & (median < high)
    order = order[kept]
    if not len(order):
        return pd.DataFrame(columns=["events", "log_hr", "p"], dtype=float)
    arm = np.broadcast_to(np.arange(size) < first, order.shape)
    return pd.DataFrame({"events": event[order].sum(axis=1).astype(float),
                         "log_hr": batch.cox(time[order], event[order], arm)[0],
                         "p": batch.logrank(time[order], event[order], arm).p})


def _summary(found: pd.DataFrame, draws: int) -> list[Any]:
    share = len(found) / draws
    head = [draws, len(found), share, math.sqrt(share * (1 - share) / draws)]
    if found.empty:
        return [*head, *[math.nan] * 9]
    # Of ratios at the edge of infinity the nearest drawn one stands for a percentile, since infinities do not average.
    ratios = np.exp(np.percentile(found["log_hr"].to_numpy(float), [2.5, 50, 97.5], method="nearest"))
    ps = np.percentile(found["p"].to_numpy(float), [2.5, 50, 97.5])
    return [*head, found["events"].min(), found["events"].max(), *ratios, *ps, float((found["p"] < 0.05).mean())]


def subset_rows(found: pd.DataFrame) -> pd.DataFrame:
    """The search as results, for the smallest subset and for all patients.

    Parameters
    ----------
    found : DataFrame
        From `subset_readings`.

    Returns
    -------
    DataFrame
        Results `printed.<marker>.<n>_evaluable.<arm>.match_share` (%) and `.subset_p` (median p, central 95%), one of
        each for every number of evaluable patients.

    Examples
    --------
    >>> subset_rows(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    made = []
    for one in found.itertuples():
        name = ("printed", one.endpoint, f"{one.patients}_evaluable", one.arm)
        how = f"random splits of random subsets, {one.draws} draws, groups of {GROUP} or more"
        made.append(results.row(*name, "match_share", 100 * one.share, unit="%", n=one.patients, method=f"{how}: share "
                                "that gives both printed medians", display=f"{100 * one.share:.2f}% (Monte Carlo error "
                                f"{100 * one.error:.2f})"))
        shown = "no split gives both medians" if not one.matches else (
            f"{p_value(one.p_median)} (95% of the splits between {one.p_low:.2g} and {one.p_high:.2g})")
        made.append(results.row(*name, "subset_p", one.p_median, lower=one.p_low, upper=one.p_high, unit="p",
                                n=one.patients, display=shown, method=f"{how}: two-sided log-rank p among those that "
                                "give both printed medians, median and central 95%"))
    return results.frame(made)


def subset_table(found: pd.DataFrame) -> pd.DataFrame:
    """The search for reading.

    Parameters
    ----------
    found : DataFrame
        From `subset_readings`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `evaluable`, `left out`, `splits that fit`, `events`, `HR first against second`, `log-rank p`,
        `p < 0.05`.

    Examples
    --------
    >>> subset_table(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    made = []
    for one in found.itertuples():
        fits = f"{one.matches} of {one.draws} ({100 * one.share:.2f}%)"
        if not one.matches:
            made.append([one.arm, one.marker, one.patients, one.left_out, fits, "none fits", "", "", ""])
            continue
        made.append([one.arm, one.marker, one.patients, one.left_out, fits,
                     f"{one.events_low:.0f} to {one.events_high:.0f}",
                     f"{one.hr_median:.2f} ({one.hr_low:.2f} to {one.hr_high:.2f})",
                     f"{one.p_median:.2f} ({one.p_low:.2g} to {one.p_high:.2g})", f"{100 * one.significant:.1f}%"])
    return pd.DataFrame(made, columns=["arm", "marker", "evaluable", "left out", "splits that fit", "events",
                                       "HR first against second", "log-rank p", "p < 0.05"])


def subsets_in_words(found: pd.DataFrame) -> str:
    """What the search means, in a paragraph a printed pair.

    Parameters
    ----------
    found : DataFrame
        From `subset_readings`.

    Returns
    -------
    str

    Examples
    --------
    >>> subsets_in_words(pd.DataFrame(columns=COLUMNS))
    'No medians of marker groups were printed about this cohort.'
    """
    if found.empty:
        return "No medians of marker groups were printed about this cohort."
    words = []
    for (arm, marker), mine in found.groupby(["arm", "marker"], sort=False):
        fit, whole = mine[mine["matches"] > 0], mine.iloc[-1]
        if fit.empty:
            words.append(f"**{marker}, {arm}.** No random split of these patients gave both printed medians.")
            continue
        low, high, real = fit["p_low"].min(), fit["p_high"].max(), fit["significant"].max()
        words.append(
            f"**{marker}, {arm}.** Both medians came from a split in {100 * whole['share']:.2f}% of the draws with all "
            f"{whole['patients']} patients, and in {100 * fit['share'].min():.2f}% to {100 * fit['share'].max():.2f}% "
            f"over all sizes of the evaluable subset. Among the splits that fit, 95% of the log-rank p lie between "
            f"{low:.2g} and {high:.2g}, and at most {100 * real:.1f}% are below 0.05 at any size: two printed medians "
            "fix neither the patients behind them nor the p-value.")
    return "\n\n".join(words)
