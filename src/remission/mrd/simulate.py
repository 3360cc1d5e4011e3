"""What the verdicts are worth: cohorts with a known hazard ratio, judged by the same rules as the real one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission import batch, results
from remission.adam.admrd import rules
from remission.estimators import partial
from remission.estimators.level import Z
from remission.mrd import evidence
from remission.mrd.markers import MARKERS, arms_to_test
from remission.study import Study

VERDICTS = (evidence.FOR, evidence.REVERSE, evidence.AGAINST, evidence.NEITHER, evidence.NONE)
#: Mean days to relapse between the two groups; only the order of the times matters to any statistic here.
MEAN = 900
RATIOS = (1.0, 1.5, 2.0, 3.0)
SIZES = (60, 150, 300, 1000)
COLUMNS = ["patients", "hazard_ratio", "replicates", "events", *VERDICTS, "error"]


def cohorts(patients: int, hazard_ratio: float, replicates: int, random: np.random.Generator, relapsed: float = 1.0,
            unfavourable: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cohorts of one binary marker with proportional hazards.

    Parameters
    ----------
    patients : int
    hazard_ratio : float
        True ratio, unfavourable against favourable group.
    replicates : int
        Cohorts.
    random : Generator
    relapsed : float
        Share of patients expected to relapse before they are censored, at a hazard ratio of 1.
    unfavourable : float
        Share of patients in the unfavourable group, the same in every cohort.

    Returns
    -------
    time, event, poor : array
        (replicates, patients) whole days and bool; (patients,) bool.

    Notes
    -----
    Exponential times; hazards ratio ** -1/2 and ratio ** 1/2, so that the number of events hardly depends on the ratio.
    Independent exponential censoring at a rate of (1 - relapsed) / relapsed.

    Examples
    --------
    >>> time, event, poor = cohorts(10, 2.0, 3, np.random.default_rng(1))
    >>> time.shape, bool(event.all()), int(poor.sum())
    ((3, 10), True, 5)
    """
    poor = np.arange(patients) < round(patients * unfavourable)
    hazard = np.where(poor, math.sqrt(hazard_ratio), 1 / math.sqrt(hazard_ratio))
    relapse = random.exponential(1, (replicates, patients)) / hazard
    lost = np.full(relapse.shape, np.inf)
    if relapsed < 1:
        lost = random.exponential(relapsed / (1 - relapsed), relapse.shape)
    return np.ceil(MEAN * np.minimum(relapse, lost)), relapse <= lost, poor


def verdicts(time: np.ndarray, event: np.ndarray, poor: np.ndarray, margins: tuple[float, float]) -> np.ndarray:
    """Verdict on each of many cohorts.

    Parameters
    ----------
    time, event : array of shape (B, n)
    poor : array of shape (n,)
    margins : tuple of float

    Returns
    -------
    array of shape (B,) of text
        Of Cox models with Wald intervals; where the likelihood has no maximum, of Firth's interval.

    Examples
    --------
    >>> poor = np.array([True, False, True, False])
    >>> verdicts(np.array([[1, 2, 3, 4]]), np.ones((1, 4), bool), poor, (0.5, 2)).tolist()
    ['no evidence either way']
    """
    log_ratio, se = batch.cox(time, event, poor)
    lower, upper = log_ratio - Z * se, log_ratio + Z * se
    known: dict[bytes, tuple[float, float]] = {}
    for one in np.flatnonzero(np.isinf(log_ratio)):
        lower[one], upper[one] = _penalised(time[one], event[one], poor, known)
    inside = (lower >= math.log(margins[0])) & (upper <= math.log(margins[1]))
    return np.select([np.isnan(lower), lower > 0, upper < 0, inside],
                     [evidence.NONE, evidence.FOR, evidence.REVERSE, evidence.AGAINST], evidence.NEITHER)


def _penalised(time: np.ndarray, event: np.ndarray, poor: np.ndarray,
               known: dict[bytes, tuple[float, float]]) -> tuple[float, float]:
    """Limits of Firth's interval on the log scale; cohorts with the same order of patients are fitted once."""
    rank = np.unique(time, return_inverse=True)[1]
    order = np.lexsort((poor, event, rank))
    pattern = np.stack([rank, event, poor])[:, order].tobytes()
    if pattern not in known:
        fit = partial.ratio(partial.prepare(time, event, poor), "firth")
        known[pattern] = math.log(fit.lower), math.log(fit.upper)
    return known[pattern]


def operating_characteristics(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
                              replicates: int = 1000, sizes: tuple[int, ...] = SIZES,
                              ratios: tuple[float, ...] = RATIOS) -> pd.DataFrame:
    """How often each verdict would be reached, by number of patients and true hazard ratio.

    Parameters
    ----------
    endpoint : DataFrame
        `patient`, `arm`, `event`: the number of patients of the largest arm joins `sizes`, and its share of events is
        used.
    admk : DataFrame
        Analysis table of markers: nothing is simulated for a cohort without one.
    study : Study
        Margins come from `[mrd]`.
    seed : int
    replicates : int
        Cohorts for every size and ratio.
    sizes : tuple of int
    ratios : tuple of float

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: a row a size and ratio; mean `events`, share of each verdict, and the largest Monte Carlo
        standard `error` of these shares. No rows without a marker, or where nobody had an event.

    Examples
    --------
    >>> from remission import schema
    >>> nobody = pd.DataFrame({"patient": [], "arm": [], "event": []})
    >>> operating_characteristics(nobody, schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()),
    ...                           seed=1).empty
    True
    """
    margins, random = tuple(rules(study)["margins"]), np.random.default_rng(seed)
    if not arms_to_test(endpoint, admk, study) or not endpoint["event"].any():
        return pd.DataFrame(columns=COLUMNS)
    largest = endpoint[endpoint["arm"] == endpoint["arm"].value_counts(sort=False).idxmax()]
    relapsed = float(largest["event"].mean()) or float(endpoint["event"].mean())
    made = []
    for patients in sorted({len(largest), *sizes}):
        for ratio in ratios:
            time, event, poor = cohorts(patients, ratio, replicates, random, relapsed)
            said = verdicts(time, event, poor, margins)
            shares = [float((said == one).mean()) for one in VERDICTS]
            error = max(math.sqrt(one * (1 - one) / replicates) for one in shares)
            made.append([patients, ratio, replicates, float(event.sum(axis=1).mean()), *shares, error])
    return pd.DataFrame(made, columns=COLUMNS)


def tables(time: np.ndarray, event: np.ndarray, poor: np.ndarray, arm: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One simulated cohort as the tables that the marker analysis reads.

    Parameters
    ----------
    time, event, poor : array of shape (n,)
    arm : str

    Returns
    -------
    endpoint, admk : DataFrame
        The marker stands as *ever negative*, N in the unfavourable group; all other markers are blank.

    Examples
    --------
    >>> tables(np.array([5.0, 9.0]), np.array([True, False]), np.array([True, False]), "A")[1]["EVERNEG"].tolist()
    ['N', 'Y']
    """
    names = [f"s{number + 1}" for number in range(len(time))]
    endpoint = pd.DataFrame({"patient": names, "arm": arm, "time": time, "event": event})
    blank = {marker.column: pd.Series([None] * len(names), dtype=object) for marker in MARKERS}
    return endpoint, pd.DataFrame(blank | {"USUBJID": names, "EVERNEG": np.where(poor, "N", "Y")})


def simulation_rows(found: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The operating characteristics as results.

    Parameters
    ----------
    found : DataFrame
        From `operating_characteristics`.
    seed : int
        As drawn with.

    Returns
    -------
    DataFrame
        Results `simulation.verdict.<n>_patients.HR <ratio>.for | reverse | against | neither` in %.

    Examples
    --------
    >>> simulation_rows(pd.DataFrame(columns=COLUMNS), 1).empty
    True
    """
    names = dict(zip(("for", "reverse", "against", "neither"), VERDICTS, strict=False))
    made = []
    for one in found.to_dict("records"):
        for statistic, words in names.items():
            share = one[words]
            error = math.sqrt(share * (1 - share) / one["replicates"])
            made.append(results.row(
                "simulation", "verdict", f"{one['patients']}_patients", f"HR {one['hazard_ratio']:g}", statistic,
                100 * share, unit="%", n=one["patients"], events=round(one["events"]),
                method=f"share of simulated cohorts with the verdict '{words}': Cox, Wald interval, two equal groups, "
                f"share of relapses as in the largest arm; {one['replicates']} cohorts, seed {seed}",
                display=f"{100 * share:.0f}% (Monte Carlo error {100 * error:.1f})"))
    return results.frame(made)


def simulation_table(found: pd.DataFrame) -> pd.DataFrame:
    """The operating characteristics for reading.

    Parameters
    ----------
    found : DataFrame
        From `operating_characteristics`.

    Returns
    -------
    DataFrame
        `patients`, `relapses` (mean), `true HR`, then each verdict in percent.

    Examples
    --------
    >>> simulation_table(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    made = [[one["patients"], f"{one['events']:.0f}", f"{one['hazard_ratio']:g}",
             *(f"{100 * one[words]:.0f}%" for words in VERDICTS[:4])] for one in found.to_dict("records")]
    return pd.DataFrame(made, columns=["patients", "relapses", "true HR", *VERDICTS[:4]])


def simulation_in_words(found: pd.DataFrame) -> str:
    """What the verdicts are worth at the size of this cohort, and at the largest.

    Parameters
    ----------
    found : DataFrame
        From `operating_characteristics`.

    Returns
    -------
    str

    Examples
    --------
    >>> simulation_in_words(pd.DataFrame(columns=COLUMNS))
    'No marker is known or nobody had an event: there is no verdict to test.'
    """
    if found.empty:
        return "No marker is known or nobody had an event: there is no verdict to test."
    words = []
    for patients in (found["patients"].min(), found["patients"].max()):
        mine = found[found["patients"] == patients]
        null, strong = (mine.loc[place] for place in (mine["hazard_ratio"].idxmin(), mine["hazard_ratio"].idxmax()))
        words.append(
            f"With {patients} patients, a marker with a hazard ratio of {null['hazard_ratio']:g} is called *no "
            f"evidence either way* in {100 * null[evidence.NEITHER]:.0f}% and *evidence against* in "
            f"{100 * null[evidence.AGAINST]:.0f}% of the cohorts; one with a hazard ratio of "
            f"{strong['hazard_ratio']:g} is called *no evidence either way* in "
            f"{100 * strong[evidence.NEITHER]:.0f}% and *evidence for* in {100 * strong[evidence.FOR]:.0f}%.")
    return " ".join(words) + (f" The Monte Carlo error of a share is at most {100 * found['error'].max():.1f} "
                              "percentage points.")
