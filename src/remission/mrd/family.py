"""The markers as one family of tests: p-values adjusted for having looked at several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from remission import results
from remission.estimators import wording
from remission.mrd import multiplicity
from remission.mrd.markers import MARKERS, arms_to_test, marker_frame, strata_of
from remission.study import Study

#: Names of the adjusted p-values, with how they are made.
ADJUSTED = {"p_holm": "Holm", "p_BH": "Benjamini-Hochberg", "p_maxT": "single-step max-T"}


def analyse_multiplicity(rows: pd.DataFrame, endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
                         permutations: int = 10_000) -> pd.DataFrame:
    """Adjust the permutation tests of the markers for their number, in each arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_markers`.
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
    seed, permutations : int
        Of the joint permutation behind max-T.

    Returns
    -------
    DataFrame
        Results `mrd.<marker>.all.<arm>.p_holm | p_BH | p_maxT`. The family is the markers that could be tested in that
        arm, each with one test: its permutation p, per unit for a continuous marker.

    Examples
    --------
    >>> from remission import schema
    >>> analyse_multiplicity(results.frame([]), pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                      schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    made: list[dict[str, Any]] = []
    for arm in arms_to_test(endpoint, admk, study):
        mine = (endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]).reset_index(drop=True)
        markers = [marker for marker in MARKERS if len(marker_frame(mine, admk, marker))]
        first = [_first_test(rows, marker, arm) for marker in markers]
        found = multiplicity.adjusted([one["value"] for one in first])
        values = np.column_stack([_aligned(mine, admk, marker) for marker in markers])
        found["p_maxT"] = multiplicity.max_t(mine["time"], mine["event"], values, strata_of(mine, arm), seed=seed,
                                             permutations=permutations)
        family = sum(not math.isnan(one["value"]) for one in first)
        for marker, one, adjusted in zip(markers, first, found.to_dict("records"), strict=True):
            made += [_row(marker.key, arm, name, adjusted[name], one, _method(name, family, arm, seed, permutations))
                     for name in ADJUSTED]
    return results.frame(made)


def _first_test(rows: pd.DataFrame, marker, arm: str) -> pd.Series:
    name = "permutation_p[per unit]" if marker.continuous else "permutation_p"
    return results.pick(rows, f"mrd.{marker.key}.all.{arm}.{name}")


def _aligned(mine: pd.DataFrame, admk: pd.DataFrame, marker) -> np.ndarray:
    """The marker of every patient with the endpoint, blank where it is not known."""
    known = marker_frame(mine, admk, marker).set_index("patient")["risk"]
    return mine["patient"].map(known).to_numpy(float)


def _method(name: str, family: int, arm: str, seed: int, permutations: int) -> str:
    within = " within arms" if arm == "all" else ""
    drawn = (f"; outcomes shuffled against all markers together{within}, {permutations} draws, seed {seed}"
             if name == "p_maxT" else " of the permutation p-values")
    return f"{ADJUSTED[name]} adjustment over {family} markers{drawn}"


def _row(key: str, arm: str, name: str, value: float, one: pd.Series, method: str) -> dict[str, Any]:
    why = one["display"].removeprefix("not estimable: ") if math.isnan(one["value"]) else ""
    return results.row("mrd", key, "all", arm, name, value, unit="p", n=one["n"], events=one["events"], method=method,
                       display=wording.p_value(value, why))


def multiplicity_table(rows: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """P-values before and after adjustment, one row an arm and marker.

    Parameters
    ----------
    rows, adjusted : DataFrame
        From `analyse_markers` and `analyse_multiplicity`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `unadjusted`, then one column an adjustment.

    Examples
    --------
    >>> multiplicity_table(results.frame([]), results.frame([])).empty
    True
    """
    found = adjusted.set_index(["arm", "endpoint", "statistic"])["display"]
    by_key = {marker.key: marker for marker in MARKERS}
    pairs = dict.fromkeys(zip(adjusted["arm"], adjusted["endpoint"], strict=True))
    made = [[arm, by_key[key].label, _first_test(rows, by_key[key], arm)["display"],
             *(found[(arm, key, name)] for name in ADJUSTED)] for arm, key in pairs]
    return pd.DataFrame(made, columns=["arm", "marker", "unadjusted", *ADJUSTED.values()])


def multiplicity_in_words(adjusted: pd.DataFrame) -> str:
    """What is left after adjustment, in one sentence an arm.

    Parameters
    ----------
    adjusted : DataFrame
        From `analyse_multiplicity`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> multiplicity_in_words(results.frame([]))
    'No marker could be tested in this cohort.'
    """
    known = adjusted[adjusted["value"].notna()]
    if known.empty:
        return "No marker could be tested in this cohort."
    labels = {marker.key: marker.label for marker in MARKERS}
    words = []
    for arm in dict.fromkeys(known["arm"]):
        mine = known[(known["arm"] == arm) & (known["statistic"] == "p_maxT")]
        least = mine.loc[mine["value"].idxmin()]
        left = int((mine["value"] < 0.05).sum())
        words.append(f"**{'All arms together' if arm == 'all' else arm}.** Of {len(mine)} markers tested, "
                     f"{left} {'has' if left == 1 else 'have'} an adjusted p below 0.05 by max-T. The smallest is that "
                     f"of {labels[least['endpoint']]}: {least['display']}.")
    return "\n\n".join(words)
