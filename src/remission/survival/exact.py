"""What chance alone would do: permutation log-rank tests, exact where every allocation can be counted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission import batch, results
from remission.estimators import comparisons, curves, wording
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

#: Endpoints that are tested, where the cohort has them.
ENDPOINTS = ("TTRLP", "RFS", "OSDX", "OSMT")
COLUMNS = ["endpoint", "other", "n", "events", "allocations", "observed", "asymptotic_p", "linear_p", "linear_error",
           "linear_exact", "linear_asymptotic_p", "studentised_p", "studentised_error", "draws", "seed",
           "follow_up", "note"]
#: Above this many patients nobody tries to count all allocations.
MOST_COUNTED = 200
#: Patients times random allocations at most; a larger cohort gets fewer allocations, and its rows say how many.
CELLS = 20_000_000
ASYMPTOTIC = "log-rank test, two-sided, large-sample chi-squared distribution"
LINEAR = ("two-sided permutation p of the linear log-rank statistic: share of allocations of the arms with |observed - "
          "expected| at least as large")
LINEAR_ASYMPTOTIC = "linear log-rank statistic over its variance among all allocations, two-sided, normal distribution"
STUDENTISED = ("two-sided permutation p of the studentised log-rank statistic: share of allocations of the arms with "
               "(observed - expected)^2 / variance at least as large, the variance computed anew in each")


def permutation_tests(adtte: pd.DataFrame, study: Study, draws: int = 50_000, seed: int = 1,
          endpoints: tuple[str, ...] = ENDPOINTS) -> pd.DataFrame:
    """Permutation log-rank tests of every endpoint: two statistics, beside the large-sample p.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    draws : int
        Random allocations of the Monte Carlo tests; fewer where patients times draws would pass `CELLS`.
    seed : int
    endpoints : tuple of str
        Endpoint codes; those that the cohort lacks are passed over.

    Returns
    -------
    DataFrame
        One row an endpoint with two arms: patients, events, size of the other arm, allocations behind the linear p,
        observed minus expected events of the other arm; then p for the linear and for the studentised statistic, each
        with its Monte Carlo standard error (0 where exact). `asymptotic_p` is the log-rank test of large samples,
        `linear_asymptotic_p` the normal approximation of the linear permutation test. `note` says why there is no test.

    Notes
    -----
    A patient keeps time and outcome, and only the arm is dealt anew. The hypothesis is therefore that the arms are
    exchangeable in the pair of both: the same survival and the same censoring. Where only the censoring differs, the
    linear statistic can reject too often or too rarely; the studentised one holds its level in large samples.

    Source
    ------
    Neuhaus, Ann Stat 1993;21:1760. R: the linear p is `coin::logrank_test(Surv(time, event) ~ arm,
    distribution = "exact")`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> two = Study("demo", "own", "", "", (Arm("A", "A"), Arm("B", "B", True)))
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": list("AABB"), "PARAMCD": "TTRLP", "CNSR": 0,
    ...                      "AVAL": [3, 4, 1, 2], "ENTRYDY": 0})
    >>> round(permutation_tests(rows, two, draws=200)["linear_p"].item(), 4)
    0.3333
    """
    found = []
    for paramcd in endpoints:
        data = endpoint(adtte, paramcd)
        if study.contrast and data["arm"].nunique() == 2:
            found.append({"endpoint": paramcd, **_tests(data, study, affordable(draws, len(data)), seed)})
    return pd.DataFrame(found, columns=COLUMNS)


def affordable(draws: int, patients: int) -> int:
    """Random allocations that a cohort of this size can have: all that were asked for, or as many as `CELLS` allows.

    Examples
    --------
    >>> affordable(50_000, 31), affordable(50_000, 100_000)
    (50000, 200)
    """
    return max(1, min(draws, CELLS // max(patients, 1)))


def arrays(data: pd.DataFrame, reference: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and whether a patient is of the other arm, as the kernels of `batch` take them.

    Examples
    --------
    >>> arrays(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2], "event": [True, False]}), "A")[2].tolist()
    [False, True]
    """
    frame = comparisons.design(data, reference)
    return (frame["time"].to_numpy(), frame["event"].to_numpy(bool), frame["other"].to_numpy(bool))


def steady(values) -> np.ndarray:
    """Numbers to nine digits: what differs in its last bits only must sort as a tie, on every machine alike.

    Examples
    --------
    >>> steady([0.1 + 0.2, 0.3]).tolist()
    [0.3, 0.3]
    """
    return np.array([float(f"{value:.9g}") for value in np.asarray(values, float)])


def _tests(data: pd.DataFrame, study: Study, draws: int, seed: int) -> dict:
    time, event, arm = arrays(data, study.reference)
    made = {"other": int(arm.sum()), "n": len(data), "events": int(event.sum()), "draws": draws, "seed": seed,
            "follow_up": _follow_up(data, study), "note": ""}
    asymptotic = comparisons.logrank(data, study.reference)
    if math.isnan(asymptotic.p):
        return {**made, "note": asymptotic.note}
    linear, counted = exact_or_not(time, event, arm, draws, seed)
    student = batch.permutation.monte_carlo(time, event, arm, draws=draws, seed=seed, statistic="studentised")
    observed = float(batch.logrank(time, event, arm).score[0])
    return {**made, "observed": observed, "asymptotic_p": asymptotic.p, "linear_p": linear.p,
            "allocations": linear.allocations, "linear_error": linear.error, "linear_exact": counted,
            "linear_asymptotic_p": linear_asymptotic(time, event, arm), "studentised_p": student.p,
            "studentised_error": student.error}


def exact_or_not(time, event, arm, draws: int, seed: int) -> tuple[batch.permutation.Permutation, bool]:
    """Permutation p of the linear statistic: exact where every allocation can be counted, else Monte Carlo.

    Parameters
    ----------
    time, event, arm : array of shape (n,)
        Arm is True in the other arm.
    draws, seed : int
        Used by the Monte Carlo test alone.

    Returns
    -------
    tuple
        `Permutation`, and whether it is exact.

    Examples
    --------
    >>> exact_or_not([1, 2, 3, 4], [True] * 4, [False, False, True, True], 100, 1)[0].p
    0.3333333333333333
    """
    if len(time) <= MOST_COUNTED:
        try:
            return batch.permutation.exact(batch.permutation.scores(time, event), arm), True
        except ValueError:  # too many partial sums: count a random part of the allocations instead
            pass
    return batch.permutation.monte_carlo(time, event, arm, draws=draws, seed=seed, statistic="linear"), False


def linear_asymptotic(time, event, arm) -> float:
    """Two-sided p of the linear statistic by its variance over all allocations and the normal curve.

    Parameters
    ----------
    time, event, arm : array of shape (n,)
        Arm is True in the other arm.

    Returns
    -------
    float
        NaN where every allocation gives the same statistic.

    Notes
    -----
    The log-rank test divides the same O - E by another variance: that of the events, given who was at risk when each
    occurred. Over allocations the risk sets vary as well.

    Source
    ------
    R: `coin::logrank_test(Surv(time, event) ~ arm)`.

    Examples
    --------
    >>> round(linear_asymptotic([1, 2, 3, 4], [True] * 4, [False, False, True, True]), 4)
    0.1444
    """
    time, event, arm = np.asarray(time, float), np.asarray(event, bool), np.asarray(arm, bool)
    table = comparisons.risk_sets(pd.DataFrame({"time": time, "event": event.astype(int), "other": arm.astype(int)}))
    steps = (table["events0"] + table["events1"]) / (table["at_risk0"] + table["at_risk1"])
    hazard = np.concatenate([[0.0], np.cumsum(steps)])
    scores = event - hazard[np.searchsorted(table["time"], time, side="right")]
    n, other = len(time), int(arm.sum())
    variance = other * (n - other) / (n * (n - 1)) * float((scores**2).sum()) if n > 1 else 0.0
    return math.erfc(abs(float(scores[arm].sum())) / math.sqrt(2 * variance)) if variance > 0 else math.nan


def _follow_up(data: pd.DataFrame, study: Study) -> str:
    """Median follow-up of each arm, or where it cannot be told."""
    found = {arm: curves.follow_up(group).value for arm, group in by_arm(data, study).items()}
    unknown = [arm for arm, days in found.items() if math.isnan(days)]
    if unknown:
        return f"Too few were censored in {' and '.join(unknown)} to compare the follow-up of the arms."
    said = ", ".join(f"{wording.duration(days, study.report_unit)} in {arm}" for arm, days in found.items())
    return f"Median follow-up is {said}; the permutation takes that difference for chance as well."


def rows(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Results of the permutation tests.

    Parameters
    ----------
    found : DataFrame
        From `permutation_tests`.
    study : Study

    Returns
    -------
    DataFrame
        Results `permutation.<endpoint>.all.<contrast>.linear_p`, `studentised_p`, `asymptotic_p` and
        `linear_asymptotic_p`; limits are those of the Monte Carlo error, absent where p is exact or asymptotic.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    made = []
    for one in found.itertuples():
        drawn = f"; Monte Carlo, {one.draws:,} random allocations, seed {one.seed}; limits: 95%, of that error alone"
        counted = f"; exact, all {one.allocations:,} allocations" if one.linear_exact is True else drawn
        for name, p, error, method in (
                ("linear_p", one.linear_p, one.linear_error, LINEAR + counted),
                ("studentised_p", one.studentised_p, one.studentised_error, STUDENTISED + drawn),
                ("asymptotic_p", one.asymptotic_p, 0.0, ASYMPTOTIC),
                ("linear_asymptotic_p", one.linear_asymptotic_p, 0.0, LINEAR_ASYMPTOTIC)):
            low, high = (max(0.0, p - 1.96 * error), min(1.0, p + 1.96 * error)) if error > 0 else (math.nan, math.nan)
            made.append(results.row("permutation", one.endpoint, "all", study.contrast, name, p, lower=low, upper=high,
                                    unit="p", n=one.n, events=one.events, method=method,
                                    display=shown(p, error, one.note)))
    return results.frame(made)


def shown(p: float, error: float = 0.0, note: str = "") -> str:
    """A p-value, with its Monte Carlo standard error where it was drawn.

    Examples
    --------
    >>> shown(0.0712), shown(0.0712, 0.00123), shown(math.nan, note="no events")
    ('p = 0.071', 'p = 0.071 (Monte Carlo standard error 0.0012)', 'not estimable: no events')
    """
    said = wording.p_value(p, note)
    return f"{said} ({_error(error)})" if error > 0 else said


def _error(error: float) -> str:
    """A Monte Carlo standard error in words.

    Examples
    --------
    >>> _error(0.00123), _error(0.00002)
    ('Monte Carlo standard error 0.0012', 'Monte Carlo standard error below 0.0001')
    """
    return f"Monte Carlo standard error {f'{error:.4f}' if error >= 0.0001 else 'below 0.0001'}"


def table(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The tests laid out for reading: a line an endpoint, a column a test.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).columns.tolist()[:2]
    ['endpoint', 'events']
    """
    lines = []
    for one in found.itertuples():
        drawn = "" if one.note else f"; {one.draws:,} drawn"
        how = f"; exact, all {one.allocations:,}" if one.linear_exact is True else drawn
        lines.append({
            "endpoint": title(study, one.endpoint), "events": f"{one.events} of {one.n}",
            "log-rank, large-sample": shown(one.asymptotic_p, note=one.note),
            "linear O - E, large-sample": shown(one.linear_asymptotic_p, note=one.note),
            "permutation, linear O - E": f"{shown(one.linear_p, one.linear_error, one.note)}{how}",
            "permutation, studentised chi-squared": shown(one.studentised_p, one.studentised_error,
                                                          one.note) + drawn})
    return pd.DataFrame(lines, columns=["endpoint", "events", "log-rank, large-sample", "linear O - E, large-sample",
                                        "permutation, linear O - E", "permutation, studentised chi-squared"])


def reading(found: pd.DataFrame, study: Study) -> str:
    """Read the tests aloud, a line an endpoint, with what they assume of the censoring.

    Parameters
    ----------
    found : DataFrame
        From `permutation_tests`.
    study : Study

    Returns
    -------
    str
        Markdown; one line where there is no comparison of two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> reading(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*No two arms to compare: nothing to deal anew.*'
    """
    if found.empty:
        return "*No two arms to compare: nothing to deal anew.*"
    return "\n".join(f"- **{title(study, one.endpoint)}.** {_read(one, study)}" for one in found.itertuples())


def title(study: Study, paramcd: str) -> str:
    """An endpoint's name, as a title.

    Examples
    --------
    >>> title(Study("demo", "own", "", "", (), endpoint_labels={"TTRLP": "time to relapse"}), "TTRLP")
    'Time to relapse'
    """
    label = study.endpoint_labels.get(paramcd, paramcd)
    return f"{label[:1].upper()}{label[1:]}"


def _read(one, study: Study) -> str:
    if one.note:
        return f"No test: {one.note}."
    other = study.contrast.partition(" vs ")[0]
    more = "fewer" if one.observed < 0 else "more"
    ways = f"Of all {one.allocations:,}" if one.linear_exact else f"Of {one.draws:,} random"
    how = "exact" if one.linear_exact else _error(one.linear_error)
    sides = {p < 0.05 for p in (one.asymptotic_p, one.linear_p, one.studentised_p)}
    return (f"{other} had {abs(one.observed):.1f} events {more} than expected under equal hazards; the large-sample "
            f"log-rank test gives {wording.p_value(one.asymptotic_p)}. {ways} ways to deal {one.other} of the {one.n} "
            f"outcomes to {other}, {100 * one.linear_p:.{1 if one.linear_p > 0.002 else 4}f}% make a difference at "
            f"least as large: {wording.p_value(one.linear_p)} (linear, {how}).{_why(one)} Counted in standard errors, "
            f"each allocation with its own, it is {wording.p_value(one.studentised_p)} (studentised, "
            f"{_error(one.studentised_error)}). "
            + ("All three fall on the same side of 0.05. " if len(sides) == 1 else
               "They do not fall on the same side of 0.05: the verdict would hang on the choice of test. ")
            + one.follow_up)


def _why(one) -> str:
    """Whether the linear p differs from the log-rank p by its variance or by the small sample."""
    apart, small = (abs(math.log(one.linear_p / p)) for p in (one.asymptotic_p, one.linear_asymptotic_p))
    if apart < 0.15 or one.linear_p < 0.0001:
        return ""
    own = f" The normal curve with the variance over allocations gives {wording.p_value(one.linear_asymptotic_p)}"
    return (f"{own}, so it is that variance, and not the small numbers, that sets it apart from the log-rank test."
            if small < apart / 2 else f"{own}: counting allocations makes a difference of its own.")


def distribution(data: pd.DataFrame, reference: str, draws: int = 20_000, seed: int = 1,
                 bins: int = 24) -> pd.DataFrame:
    """Both statistics under random allocations of the arms, in bins, beside the normal curve of large samples.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`; two arms.
    reference : str
    draws, seed : int
    bins : int
        Bins from the centre to the edge, on either side.

    Returns
    -------
    DataFrame
        `part` is bin or observed; `statistic` linear (observed minus expected events of the other arm) or studentised
        (that over its standard error); `left`, `right`, `share` of the allocations, `extreme` (at least as far from
        zero as the observed value), `normal` (share of the normal curve). No rows when the test cannot be done.

    Examples
    --------
    >>> rows = pd.DataFrame({"arm": list("AABB"), "time": [3, 4, 1, 2], "event": True})
    >>> made = distribution(rows, "B", draws=600)
    >>> made.groupby("statistic")["share"].sum().round(6).tolist()
    [1.0, 1.0]
    """
    columns = ["part", "statistic", "left", "right", "share", "extreme", "normal"]
    if math.isnan(comparisons.logrank(data, reference).p):
        return pd.DataFrame(columns=columns)
    time, event, arm = arrays(data, reference)
    dealt = np.random.default_rng(seed).permuted(np.tile(arm, (affordable(draws, len(data)), 1)), axis=1)
    chance, seen = batch.logrank(time, event, dealt), batch.logrank(time, event, arm)
    made = []
    for name, values, observed, spread in (
            ("linear", chance.score, float(seen.score[0]), float(chance.score.std())),
            ("studentised", chance.score / np.sqrt(chance.variance),
             float(seen.score[0] / math.sqrt(seen.variance[0])), 1.0)):
        made += [*_bins(name, values[np.isfinite(values)], observed, spread, bins),
                 {"part": "observed", "statistic": name, "left": observed, "right": observed}]
    return pd.DataFrame(made, columns=columns)


def _bins(name: str, values: np.ndarray, observed: float, spread: float, bins: int) -> list[dict]:
    """Shares of bins that are symmetric about 0; what is as extreme as observed is counted apart from what is not."""
    furthest = max(float(np.abs(values).max()), abs(observed), 3 * spread)
    width = furthest / bins
    if abs(observed) > width / 2:  # the observed value lies on an edge, or the bar that holds it would be of both kinds
        width = abs(observed) / round(abs(observed) / width)
    edges = width * (np.arange(-(many := math.ceil(furthest / width) + 1), many + 1))
    far = np.abs(values) >= abs(observed) * (1 - 1e-9)
    # Values on an edge belong to the bar further out, whatever the last bit of their sum.
    values = values * (1 + 1e-9)
    expected = np.diff([0.5 * (1 + math.erf(x / spread / math.sqrt(2))) for x in edges])
    return [{"part": "bin", "statistic": name, "left": left, "right": right, "share": count / len(values),
             "extreme": extreme, "normal": normal}
            for extreme in (False, True)
            for left, right, count, normal in zip(edges[:-1], edges[1:], np.histogram(values[far == extreme], edges)[0],
                                                  expected, strict=True)]
