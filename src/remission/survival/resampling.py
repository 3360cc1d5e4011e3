"""Intervals without large-sample theory: the bootstrap of medians, restricted means, and contrasts of two arms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import batch, results
from remission import study as units
from remission.estimators import curves, models, restricted, wording
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint, rmst_times
from remission.survival.exact import arrays, title

ENDPOINTS = ("TTRLP", "RFS")
#: Above this many patients nothing is resampled: large-sample intervals are at home there.
MOST_PATIENTS = 2000
#: Resamples of the replicates, from which the Monte Carlo error of a limit is taken.
AGAIN = 40
#: An arm with fewer events than this is named as one whose bootstrap is unreliable.
FEW_EVENTS = 20
SAME = "every bootstrap cohort gives the same value"
LARGE = {"median": "Brookmeyer-Crowley, log-log", "rmst": "normal", "rmst_difference": "normal", "HR": "Wald",
         "median_ratio": "none in common use"}
COLUMNS = ["endpoint", "statistic", "arm", "unit", "n", "events", "value", "large", "large_lower", "large_upper",
           "lower", "upper", "error_lower", "error_upper", "infinite", "undefined", "distinct", "draws", "seed", "note"]


class _Sample(NamedTuple):
    """A statistic of the cohort, of the bootstrap cohorts, and of the cohorts that lack one patient."""

    value: float
    replicates: np.ndarray
    jackknife: np.ndarray


def intervals(adtte: pd.DataFrame, study: Study, draws: int = 4000, seed: int = 1,
              endpoints: tuple[str, ...] = ENDPOINTS) -> pd.DataFrame:
    """Bootstrap BCa intervals beside the large-sample ones, patients resampled within arms.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
        Restricted means are taken up to each horizon of `study.rmst_times`.
    draws, seed : int
        Bootstrap cohorts.
    endpoints : tuple of str
        Endpoint codes; those that the cohort lacks are passed over.

    Returns
    -------
    DataFrame
        One row a statistic: of each arm `median` and `rmst[…]` (days), of two arms `HR`, `rmst_difference[…]` and
        `median_ratio`, other arm against reference. `value`; `large_lower`, `large_upper` by the method in `large`;
        `lower`, `upper` by BCa; `error_lower`, `error_upper` the Monte Carlo standard error of these; `infinite`,
        `undefined` shares of the bootstrap cohorts where the statistic is infinite (a median not reached, a hazard
        ratio without maximum) or has no value; `distinct` different values among them. A limit may be infinite. `note`
        says where the interval is not BCa, and why there is none.

    Notes
    -----
    An infinite replicate is a value like any other for a percentile; one without a value is left out. The Monte Carlo
    error is the standard deviation of the limit over resamples of the replicates themselves.

    Source
    ------
    Efron, JASA 1987;82:171; censored data: Efron, JASA 1981;76:312 (patients resampled as pairs of time and event).
    R: `boot::boot(data, f, R, strata = arm)` with `boot.ci(type = "bca")`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="day", rmst_times=(4,))
    >>> rows = pd.DataFrame({"USUBJID": list("abcdef"), "TRT01A": "A", "PARAMCD": "TTRLP", "CNSR": 0,
    ...                      "AVAL": [1, 2, 3, 4, 5, 6], "ENTRYDY": 0})
    >>> intervals(rows, one, draws=200)[["statistic", "value"]].values.tolist()
    [['median', 3.5], ['rmst[4 days]', 3.0]]
    """
    made = []
    for paramcd in endpoints:
        data = endpoint(adtte, paramcd)
        groups = {arm: group for arm, group in by_arm(data, study).items() if len(group) > 1}
        if sum(map(len, groups.values())) > MOST_PATIENTS:
            made.append({"endpoint": paramcd, "n": len(data), "events": int(data["event"].sum()),
                         "note": f"more than {MOST_PATIENTS:,} patients: not resampled"})
            continue
        samples = {arm: _arm_samples(group, study, draws, seed + number)
                   for number, (arm, group) in enumerate(groups.items())}
        for arm, group in groups.items():
            made += [{"endpoint": paramcd, "arm": arm, **_row(name, one, group, study, draws, seed)}
                     for name, one in samples[arm].items()]
        if study.contrast and len(groups) == 2:
            made += [{"endpoint": paramcd, "arm": study.contrast, **one}
                     for one in _contrasts(data, samples, study, draws, seed)]
    return pd.DataFrame(made, columns=COLUMNS)


def _arm_samples(group: pd.DataFrame, study: Study, draws: int, seed: int) -> dict[str, _Sample]:
    """Median and restricted means of one arm."""
    time, event = group["time"].to_numpy(), group["event"].to_numpy(bool)
    drawn = batch.bootstrap(np.zeros(len(group)), draws, seed)
    left = batch.leave_one_out(len(group))
    cohorts = [(time, event), (time[drawn], event[drawn]), (time[left], event[left])]
    found = {"median": [batch.quantile(*one) for one in cohorts]}
    for label, tau in rmst_times(study).items():
        found[f"rmst[{label}]"] = [batch.rmst(*one, tau)[0] for one in cohorts]
    return {name: _Sample(float(value[0]), replicates, jackknife)
            for name, (value, replicates, jackknife) in found.items()}


def _contrasts(data: pd.DataFrame, samples: dict, study: Study, draws: int, seed: int) -> list[dict]:
    """Hazard ratio, differences of restricted means and ratio of medians, other arm against reference."""
    other = next(arm for arm in samples if arm != study.reference)
    # As the arms' own samples were drawn: in the order of the arms, each from its own seed.
    data = pd.concat([data[data["arm"] == arm] for arm in samples], ignore_index=True)
    time, event, arm = arrays(data, study.reference)
    drawn, start = [], 0
    for number, one in enumerate(samples):
        size = int((data["arm"] == one).sum())
        drawn.append(start + batch.bootstrap(np.zeros(size), draws, seed + number))
        start += size
    cohorts = [slice(None), np.hstack(drawn), batch.leave_one_out(len(data))]
    ratios = [np.exp(batch.cox(time[one], event[one], arm[one])[0]) for one in cohorts]
    found = {"HR": _Sample(float(ratios[0][0]), ratios[1], ratios[2])}
    for name, mine in samples[other].items():
        how = np.divide if name == "median" else np.subtract
        called = "median_ratio" if name == "median" else name.replace("rmst", "rmst_difference")
        found[called] = _combined(how, mine, samples[study.reference][name], flipped=other != next(iter(samples)))
    strata = data["arm"].to_numpy()
    return [_row(name, one, data, study, draws, seed, strata) for name, one in found.items()]


def _combined(how, mine: _Sample, theirs: _Sample, flipped: bool) -> _Sample:
    """A statistic of two arms from that of each; the jackknife in the order of the arms."""
    with np.errstate(invalid="ignore", divide="ignore"):
        left = [how(mine.jackknife, theirs.value), how(mine.value, theirs.jackknife)]
        return _Sample(float(how(np.float64(mine.value), np.float64(theirs.value))),
                       how(mine.replicates, theirs.replicates), np.concatenate(left[::-1] if flipped else left))


def _row(name: str, sample: _Sample, data: pd.DataFrame, study: Study, draws: int, seed: int, strata=None) -> dict:
    stem = name.partition("[")[0]
    found, (low, high) = _interval(sample, strata), _errors(sample, strata, seed)
    large_lower, large_upper = _large(name, data, study)
    return {"statistic": name, "unit": {"HR": "HR", "median_ratio": "ratio"}.get(stem, "d"), "n": len(data),
            "events": int(data["event"].sum()), "value": sample.value, "large": LARGE[stem],
            "large_lower": large_lower, "large_upper": large_upper, "lower": found.lower, "upper": found.upper,
            "error_lower": low, "error_upper": high, "note": found.note, "draws": draws, "seed": seed,
            "infinite": float((np.isinf(sample.replicates) | (stem == "HR") & (sample.replicates == 0)).mean()),
            "undefined": float(np.isnan(sample.replicates).mean()), "distinct": len(np.unique(sample.replicates))}


def _interval(sample: _Sample, strata) -> batch.Interval:
    """The BCa interval, or why there is none."""
    if math.isnan(sample.value) or np.isnan(sample.replicates).all():
        return batch.Interval(math.nan, math.nan, "the statistic has no value")
    known = sample.replicates[~np.isnan(sample.replicates)]
    if (known == known[0]).all():
        return batch.Interval(math.nan, math.nan, SAME)
    return batch.bca(sample.value, sample.replicates, sample.jackknife, strata=strata)


def _errors(sample: _Sample, strata, seed: int) -> tuple[float, float]:
    """Monte Carlo standard error of both limits; infinite where a limit is sometimes infinite and sometimes not."""
    random = np.random.default_rng(seed)
    limits = []
    for _ in range(AGAIN):
        again = sample.replicates[random.integers(0, len(sample.replicates), len(sample.replicates))]
        limits.append(_interval(sample._replace(replicates=again), strata)[:2])
    return tuple(_spread(column) for column in np.array(limits).T)


def _spread(values: np.ndarray) -> float:
    """Standard deviation of what may be infinite.

    Examples
    --------
    >>> _spread(np.array([1.0, 3.0])), _spread(np.array([1.0, np.inf])), _spread(np.array([np.inf, np.inf]))
    (1.4142135623730951, inf, 0.0)
    """
    if np.isfinite(values).all():
        return float(values.std(ddof=1))
    return 0.0 if (values == values[0]).all() else math.nan if np.isnan(values).any() else math.inf


def _large(name: str, data: pd.DataFrame, study: Study) -> tuple[float, float]:
    """The interval of large-sample theory."""
    stem, _, label = name.rstrip("]").partition("[")
    if stem == "median_ratio":
        return math.nan, math.nan
    tau = rmst_times(study).get(label)
    found = (curves.quantile(curves.kaplan_meier(data)) if stem == "median" else
             restricted.restricted_mean(data, tau) if stem == "rmst" else
             restricted.rmst_difference(data, study.reference, tau) if stem == "rmst_difference" else
             models.cox(data, study.reference))
    return found.lower, found.upper


def rows(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Results of the bootstrap.

    Parameters
    ----------
    found : DataFrame
        From `intervals`.
    study : Study

    Returns
    -------
    DataFrame
        Results `bootstrap.<endpoint>.all.<arm>.median` and `rmst[…]`, `bootstrap.<endpoint>.all.<contrast>.HR`,
        `rmst_difference[…]` and `median_ratio`. What is infinite is missing here, as for every time not reached.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    made = []
    for one in found[found["statistic"].notna()].itertuples():
        value, lower, upper = (x if math.isfinite(x) else math.nan for x in (one.value, one.lower, one.upper))
        how = "bootstrap percentile" if "percentile" in one.note else "bootstrap BCa"
        method = (f"{how} 95% interval, patients resampled within arms, {one.draws:,} draws, seed {one.seed}; Monte "
                  f"Carlo standard error of the limits {_error(one, study)}; replicates: {_share(one)}"
                  + (f"; {one.note}" if one.note else ""))
        made.append(results.row("bootstrap", one.endpoint, "all", one.arm, one.statistic, value, lower=lower,
                                upper=upper, unit=one.unit, n=one.n, events=one.events, method=method,
                                display=_shown(one, one.lower, one.upper, study)))
    return results.frame(made)


def _shown(one, lower: float, upper: float, study: Study) -> str:
    """A value with an interval, in the reader's unit."""
    if math.isnan(one.value):
        return "not estimable"
    unit = f" {study.report_unit}s" if one.unit == "d" and math.isfinite(one.value) else ""
    return f"{_number(one.value, one.unit, study)}{unit} ({_limits(lower, upper, one, study)})"


def _limits(lower: float, upper: float, one, study: Study) -> str:
    """An interval in the reader's unit, without naming it, or why there is none."""
    if math.isnan(lower):
        return f"no interval: {SAME}" if one.note == SAME else "95% CI not estimable"
    return f"95% CI {_number(lower, one.unit, study)} to {_number(upper, one.unit, study)}"


def _number(value: float, unit: str, study: Study) -> str:
    """One number in the reader's unit, without naming it."""
    if math.isnan(value):
        return "not estimable"
    if math.isinf(value):
        return "infinite" if unit == "HR" else "not reached"
    if unit != "d":
        return f"{value:.2f}"
    return wording.signed(units.from_days(value, study.report_unit), wording.DECIMALS[study.report_unit], plus=False)


def _error(one, study: Study) -> str:
    """Monte Carlo standard errors of both limits, in the reader's unit."""
    if math.isnan(one.error_lower) or math.isnan(one.error_upper):
        return "not estimable"
    places = wording.DECIMALS[study.report_unit] + 1 if one.unit == "d" else 3
    scale = units.from_days(1, study.report_unit) if one.unit == "d" else 1
    return " and ".join("infinite" if math.isinf(error) else f"{scale * error:.{places}f}"
                        for error in (one.error_lower, one.error_upper))


def _share(one) -> str:
    """Replicates without a finite value.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> _share(SimpleNamespace(infinite=0.0312, undefined=0, unit="d")), _share(
    ...     SimpleNamespace(infinite=0, undefined=0, unit="HR"))
    ('3.1% not reached', 'all finite')
    """
    infinite = {"HR": "without maximum", "d": "not reached"}.get(one.unit, "infinite")
    parts = [f"{100 * share:.{1 if share >= 0.001 else 2}f}% {name}"
             for share, name in ((one.infinite, infinite), (one.undefined, "without value")) if share > 0]
    return ", ".join(parts) or "all finite"


def table(found: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Both intervals side by side, laid out for reading.

    Parameters
    ----------
    found : DataFrame
        From `intervals`.
    study : Study

    Returns
    -------
    DataFrame
        A line a statistic; times in the report unit.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    unit = f"{study.report_unit}s"
    lines = []
    for one in found[found["statistic"].notna()].itertuples():
        none = one.large.startswith("none")
        lines.append({
            "endpoint": one.endpoint, "statistic": _words(one.statistic, unit), "of": one.arm,
            "estimate": _number(one.value, one.unit, study),
            "large-sample 95% interval": one.large if none else
            f"{_limit(one.large_lower, one, study)} to {_limit(one.large_upper, one, study)} ({one.large})",
            "bootstrap 95% interval": _limits(one.lower, one.upper, one, study).removeprefix("95% CI ") + (
                "" if math.isnan(one.lower) else " (percentile)" if "percentile" in one.note else " (BCa)"),
            "Monte Carlo error of the limits": _error(one, study), "replicates": _share(one)})
    return pd.DataFrame(lines)


def _limit(value: float, one, study: Study) -> str:
    """A large-sample limit; of a median, NaN means not reached."""
    return "not reached" if math.isnan(value) and one.statistic == "median" else _number(value, one.unit, study)


def _words(statistic: str, unit: str = "") -> str:
    """A statistic in words, with its unit where it has one.

    Examples
    --------
    >>> _words("rmst_difference[5 years]", "years"), _words("HR", "years")
    ('difference of restricted means to 5 years, years', 'hazard ratio')
    """
    stem, _, label = statistic.rstrip("]").partition("[")
    words = {"median": "median", "rmst": f"restricted mean to {label}", "HR": "hazard ratio",
             "rmst_difference": f"difference of restricted means to {label}", "median_ratio": "ratio of medians"}[stem]
    return f"{words}, {unit}" if unit and stem not in ("HR", "median_ratio") else words


def reading(found: pd.DataFrame, study: Study) -> str:
    """Say what the bootstrap changes, and where it is itself unreliable.

    Parameters
    ----------
    found : DataFrame
        From `intervals`.
    study : Study

    Returns
    -------
    str
        Markdown, a line an endpoint.

    Examples
    --------
    >>> from remission.study import Arm
    >>> reading(pd.DataFrame(columns=COLUMNS), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*No endpoint with two patients in an arm: nothing to resample.*'
    """
    if found.empty:
        return "*No endpoint with two patients in an arm: nothing to resample.*"
    return "\n".join(f"- **{title(study, paramcd)}.** {_read(mine, study)}"
                     for paramcd, mine in found.groupby("endpoint", sort=False))


def _read(mine: pd.DataFrame, study: Study) -> str:
    if mine["statistic"].isna().all():
        return f"No bootstrap: {mine['note'].iloc[0]}."
    said = [_compared(one, study) for one in mine[mine["statistic"] == "HR"].itertuples()]
    medians = mine[mine["statistic"] == "median"]
    said.append(f"Different medians among {medians['draws'].iloc[0]:,} bootstrap cohorts: " + ", ".join(
        f"{one.distinct} in {one.arm}" + (f" (not reached in {100 * one.infinite:.1f}%)" if one.infinite >= 0.0005
                                          else "") for one in medians.itertuples()) + ".")
    few = [f"{one.events} in {one.arm}" for one in medians.itertuples() if one.events < FEW_EVENTS]
    if few:
        said.append(f"Fewer than {FEW_EVENTS} events, so that the same few patients make every tail: "
                    f"{', '.join(few)}.")
    return " ".join([*said, *_caveats(mine)]).strip()


def _compared(one, study: Study) -> str:
    """The hazard ratio's two intervals, and how much wider one is than the other."""
    if not (math.isfinite(one.value) and one.value > 0):
        return f"The hazard ratio is {_number(one.value, 'HR', study)}."
    if math.isnan(one.lower):
        return (f"The hazard ratio is {_shown(one, one.large_lower, one.large_upper, study)} by Wald; the bootstrap "
                f"has {_limits(one.lower, one.upper, one, study)}.")
    limits = (one.large_lower, one.large_upper, one.lower, one.upper)
    words = (f"The hazard ratio is {_shown(one, one.large_lower, one.large_upper, study)} by Wald and "
             f"{_limits(one.lower, one.upper, one, study).removeprefix('95% CI ')} by the bootstrap")
    if not all(math.isfinite(limit) and limit > 0 for limit in limits):
        return f"{words}."
    wider = math.log(one.upper / one.lower) / math.log(one.large_upper / one.large_lower) - 1
    return f"{words}, on the log scale {abs(100 * wider):.0f}% {'wider' if wider >= 0 else 'narrower'}."


def _caveats(mine: pd.DataFrame) -> list[str]:
    """Intervals that are not BCa, and those that rest on a part of the bootstrap cohorts."""
    named = [f"{_words(one.statistic)} of {one.arm}" for one in mine.itertuples()]
    said = []
    plain = [name for name, note in zip(named, mine["note"], strict=True) if "percentile" in note]
    if plain:
        said.append(f"Percentile intervals stand where the acceleration of BCa is not defined: {'; '.join(plain)}.")
    part = [f"{name} ({100 * share:.0f}%)" for name, share in zip(named, mine["undefined"], strict=True)
            if share >= 0.05]
    if part:
        said.append("A bootstrap cohort can lack a value, as a restricted mean does whose horizon lies beyond the last "
                    f"follow-up; where that is common the interval describes the rest alone: {'; '.join(part)}.")
    return said
