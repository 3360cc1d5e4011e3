"""Every analysis of the multiverse: each coding against each endpoint by each test."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import erfc

from remission.batch import trend
from remission.batch.firth import firth
from remission.estimators import comparisons, efron
from remission.estimators.models import DROP, HazardRatio
from remission.mrd.multiverse.coding import CHOICES, Codings, codings
from remission.study import Study

TESTS = {"logrank": "log-rank", "firth": "Cox, Firth-penalised"}
#: The coding of the marker "ever MRD negative by start", to relapse, by the log-rank test.
PRIMARY = ("negative", "best", "any", "sensitive", "TTRLP", "logrank")
#: Fewer patients on one side are not compared.
FEWEST = 3
CELLS = [*CHOICES, "endpoint", "test", "known", "good", "poor", "events", "p", "estimate", "lower", "upper",
         "predicts", "reverse", "dataset", "counted", "primary", "note"]


class Outcomes(NamedTuple):
    """Outcomes of a set of patients; `time` and `event` are (endpoints, patients), `stratum` is their arm."""

    names: list[str]
    patients: list[str]
    time: np.ndarray
    event: np.ndarray
    stratum: np.ndarray


class Multiverse(NamedTuple):
    """The multiverse of one arm, or of all arms together.

    `cells`: one row a specification, from `specify`. `codings` and `outcomes`: what it was made of; of the codings only
    those that were analysed, each once.
    """

    arm: str
    cells: pd.DataFrame
    groups: np.ndarray
    outcomes: Outcomes


class Found(NamedTuple):
    """Tests of many groupings, arrays (B,): p by test, and the direction (above 0: the poor side relapses earlier)."""

    p: dict[str, np.ndarray]
    direction: dict[str, np.ndarray]


def arms_with_samples(endpoint: pd.DataFrame, admrd: pd.DataFrame, study: Study) -> list[str]:
    """Arms to analyse: every arm with samples but the reference, and all together; one alone is taken as it is.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"patient": ["a", "b"], "arm": ["A", "B"]})
    >>> arms_with_samples(rows, pd.DataFrame({"USUBJID": ["a", "b"]}), two)
    ['A', 'all']
    """
    have = set(endpoint.loc[endpoint["patient"].isin(admrd["USUBJID"]), "arm"])
    arms = [key for key in study.arm_keys if key in have]
    return arms if len(arms) < 2 else [*(key for key in arms if key != study.reference), "all"]


def specify(endpoints: dict[str, pd.DataFrame], admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study,
            arm: str = "all") -> Multiverse:
    """Analyse MRD by the start under every coding, endpoint and test.

    Parameters
    ----------
    endpoints : dict of DataFrame
        By code, such as TTRLP and RFS: `patient`, `arm`, `time` (days), `event` (bool); an empty one is left out.
    admrd, adsl : DataFrame
    study : Study
    arm : str
        An arm, or `all`: tests are then stratified by arm.

    Returns
    -------
    Multiverse
        Cells hold the choices; patients `known`, `good` and `poor`, and `events` among them; `p` of the test; the
        hazard ratio of the poor side with its interval (`estimate`, `lower`, `upper`); `predicts` (p < 0.05 and the
        poor side earlier) and `reverse`; `dataset` (specifications that share it differ in name only), `counted` (the
        first of them, if it has a p); `primary`; `note` where there is no p. No cells without an outcome or a sample.

    Notes
    -----
    Log-rank with hypergeometric variance; Firth-penalised Cox, Efron ties, with profile penalised-likelihood limits
    and penalised likelihood-ratio p. Source of the idea: Steegen and others, Perspect Psychol Sci 2016;11:702.

    Examples
    --------
    >>> from remission import schema
    >>> empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]
    >>> specify({}, *empty, Study("demo", "own", "", "", ())).cells.empty
    True
    """
    outcomes = _outcomes(endpoints, arm)
    if not outcomes.patients or not admrd["USUBJID"].isin(outcomes.patients).any():
        return Multiverse(arm, pd.DataFrame(columns=CELLS), np.empty((0, len(outcomes.patients))), outcomes)
    made = codings(admrd, adsl, study, outcomes.patients)
    choices = made.choices.assign(enough=made.choices[["good", "poor"]].min(axis=1) >= FEWEST)
    used = np.flatnonzero(choices["enough"] & (choices["same_as"] == choices.index))
    groups = made.groups[used]
    tested = _tested(groups, outcomes).assign(same_as=lambda rows: used[rows["row"]])
    cells = choices.merge(pd.DataFrame({"endpoint": outcomes.names}), how="cross").merge(
        pd.DataFrame({"test": list(TESTS)}), how="cross").merge(
        tested, on=["same_as", "endpoint", "test"], how="left", validate="many_to_one")
    return Multiverse(arm, _finished(cells, made), groups, outcomes)


def _outcomes(endpoints: dict[str, pd.DataFrame], arm: str) -> Outcomes:
    """Endpoints side by side; a patient whom one of them lacks is at risk for none of its events."""
    kept = {name: one if arm == "all" else one[one["arm"] == arm] for name, one in endpoints.items()}
    kept = {name: one.set_index("patient") for name, one in kept.items() if len(one)}
    everybody = pd.concat([one["arm"] for one in kept.values()]) if kept else pd.Series(dtype=object)
    arms = everybody[~everybody.index.duplicated()]
    time = [one["time"].reindex(arms.index).fillna(-1).to_numpy(np.int64) for one in kept.values()]
    event = [one["event"].reindex(arms.index).eq(True).to_numpy(bool) for one in kept.values()]
    shape = (len(kept), len(arms))
    return Outcomes(list(kept), arms.index.tolist(), np.reshape(time, shape), np.reshape(event, shape).astype(bool),
                    arms.to_numpy())


def tests(groups: np.ndarray, time: np.ndarray, event: np.ndarray, stratum: np.ndarray) -> Found:
    """Both tests of many groupings of the same patients, in arrays.

    Parameters
    ----------
    groups : array (B, n)
        1 poor, 0 good, NaN unknown: such a patient is not at risk for any event.
    time, event, stratum : array (n,)

    Returns
    -------
    Found
        p is NaN where nothing can be compared.

    Examples
    --------
    >>> found = tests(np.array([[1.0, 1.0, 0.0, 0.0, np.nan]]), np.arange(1, 6), np.full(5, True), np.zeros(5))
    >>> round(float(found.p["logrank"][0]), 4)
    0.0896
    """
    scored = trend.score_test(time, event, groups, stratum)
    chi2 = np.divide(scored.score**2, scored.variance, out=np.full(len(groups), np.nan), where=scored.variance > 0)
    known = np.isfinite(groups)
    # Censored before everybody else, a patient is at risk for nothing.
    fitted = firth(np.where(known, time, -1), known & event, groups == 1, stratum)
    return Found({"logrank": erfc(np.sqrt(chi2 / 2)), "firth": fitted.p},
                 {"logrank": scored.score, "firth": fitted.log_hr})


def first_alike(known: np.ndarray, outcomes: Outcomes, place: int) -> np.ndarray:
    """The first endpoint that is, among the known patients, the same as this one; itself where none is.

    Parameters
    ----------
    known : array of bool, shape (B, n)
    outcomes : Outcomes
    place : int
        Of the endpoint.

    Returns
    -------
    array of int, shape (B,)

    Examples
    --------
    >>> two = Outcomes(["TTRLP", "RFS"], ["a", "b"], np.array([[3, 5], [3, 5]]),
    ...                np.array([[True, False], [True, True]]), np.array(["A", "A"]))
    >>> first_alike(np.array([[True, True], [True, False]]), two, 1).tolist()  # the two endpoints differ in b only
    [1, 0]
    """
    first = np.full(len(known), place)
    for earlier in reversed(range(place)):
        differ = (outcomes.time[earlier] != outcomes.time[place]) | (outcomes.event[earlier] != outcomes.event[place])
        first[~(known & differ).any(axis=1)] = earlier
    return first


def _tested(groups: np.ndarray, outcomes: Outcomes) -> pd.DataFrame:
    """One row a grouping, endpoint and test."""
    known = np.isfinite(groups)
    rows = []
    for place, name in enumerate(outcomes.names):
        time, event = outcomes.time[place], outcomes.event[place]
        found, first = tests(groups, time, event, outcomes.stratum), first_alike(known, outcomes, place)
        for row, group in enumerate(groups):
            ratio = _ratio(group, time, event, outcomes.stratum)
            events = int((known[row] & event).sum())
            for test in TESTS:
                p, ahead = found.p[test][row], found.direction[test][row] > 0
                rows.append([row, name, test, events, p, *ratio[:3], p < 0.05 and ahead, p < 0.05 and not ahead,
                             f"{row + 1} {outcomes.names[first[row]]}", "" if p == p else
                             ratio.note or "no variance: everybody at risk failed at once"])
    return pd.DataFrame(rows, columns=["row", "endpoint", "test", "events", "p", "estimate", "lower", "upper",
                                       "predicts", "reverse", "dataset", "note"])


def _ratio(group: np.ndarray, time: np.ndarray, event: np.ndarray, stratum: np.ndarray) -> HazardRatio:
    """Hazard ratio of the poor side by Firth's penalty, with its profile limits; p is that of `tests`."""
    frame = pd.DataFrame({"time": time, "event": event.astype(int), "other": group})[np.isfinite(group) & (time >= 0)]
    sets = [comparisons.risk_sets(one) for _, one in frame.groupby(stratum[frame.index]) if one["event"].any()]
    terms = efron.likelihood(pd.concat(sets)) if sets else None
    if terms is None or not len(terms.offset):
        return HazardRatio(*[math.nan] * 4, "no events" if terms is None else "no event while both sides were at risk")
    top = efron.maximum(terms, firth=True)
    lower, upper = efron.limits(partial(efron.penalised, terms), top, DROP, efron.information(terms, top) ** -0.5)
    return HazardRatio(math.exp(top), math.exp(lower), math.exp(upper), math.nan)


def _finished(cells: pd.DataFrame, made: Codings) -> pd.DataFrame:
    """Flags, notes, and which specifications are new."""
    few = np.select([made.choices["known"] == 0, ~(made.choices[["good", "poor"]].min(axis=1) >= FEWEST)],
                    ["nobody has such a sample", f"fewer than {FEWEST} patients on one side"], "")
    note = cells["note"].fillna("").where(cells["enough"], np.repeat(few, len(cells) // len(few)))
    flags = {flag: cells[flag].eq(True).astype(bool) for flag in ("predicts", "reverse")}
    named = pd.Series(list(zip(*(cells[name] for name in (*CHOICES, "endpoint", "test")), strict=True)), cells.index)
    events = cells["events"].astype("Int64")
    new = ~cells.duplicated(["dataset", "test"]) & cells["p"].notna()
    return cells.assign(**flags, note=note, events=events, counted=new, dataset=cells["dataset"].fillna(""),
                        primary=named == PRIMARY)[CELLS]


def middle(values: pd.Series) -> float:
    """Median, NaN of nothing.

    Examples
    --------
    >>> middle(pd.Series([1.0, 3.0]))
    2.0
    """
    return float(values.median()) if values.notna().any() else math.nan
