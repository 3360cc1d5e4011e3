"""What `remission` and `remission.batch` give for R's numbers."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
from engines import LEVELS, RATIOS, WEIGHTS, offers, part, step, wald
from r_facts import FACTS, Fact, arm, arrays, frame, of, pair

from remission import batch
from remission.estimators import comparisons, competing, curves, milestone, models, restricted
from remission.survival import proportion

#: Random draws: allocations of a permutation test, bootstrap cohorts, in how many blocks.
DRAWS, BLOCKS, SEED = 40_000, 10, 20120103


# remission: the estimators of one cohort
@cache
def curve(name: str, group: str, truncated: bool) -> pd.DataFrame:
    return curves.kaplan_meier(arm(name, group), truncated)


@offers("remission", "km", "km_truncated")
def _(fact):
    found = curve(fact.data, fact.group, fact.truncated)
    if "@" not in fact.statistic:
        return part(curves.quantile(found, LEVELS[fact.what.split("_")[0]]), fact.what)
    if fact.what == "at_risk":
        return float(curves._at_risk(arm(fact.data, fact.group), [fact.at], fact.truncated)[0])
    return part(curves.survival_at(found, fact.at), fact.what)


@offers("remission", "followup")
def _(fact):
    return part(curves.follow_up(arm(fact.data, fact.group)), fact.what)


@offers("remission", "proportion")
def _(fact):
    return part(proportion(*map(int, fact.group.split(" of "))), fact.what)


@offers("remission", "rmst")
def _(fact):
    return part(restricted.restricted_mean(arm(fact.data, fact.group), fact.at), fact.what)


@offers("remission", "rmst_difference")
def _(fact):
    return part(restricted.rmst_difference(pair(fact.data), fact.group, fact.at), fact.what)


@offers("remission", "milestone")
def _(fact):
    return part(milestone.survival_difference(pair(fact.data), fact.group, fact.at), fact.what)


@offers("remission", *WEIGHTS, *(f"{one}_truncated" for one in WEIGHTS),
        only={"score", "chi2", "p", "p_one_sided"})
def _(fact):
    weight = WEIGHTS[fact.analysis.removesuffix("_truncated")]
    found = comparisons.weighted_logrank(pair(fact.data), fact.group, weight, fact.truncated)
    return comparisons.one_sided(found) if fact.what == "p_one_sided" else getattr(found, fact.what)


@cache
def ratio(name: str, reference: str, method: str, cause: int, truncated: bool) -> models.HazardRatio:
    return getattr(models, method)(pair(name, cause), reference, truncated)


@offers("remission", *RATIOS)
def _(fact):
    cause = fact.cause if "cause" in fact.analysis else 0
    return part(ratio(fact.data, fact.group, "cox", cause, fact.truncated), fact.what)


@offers("remission", "cox_profile", "cox_profile_truncated", "firth", "firth_truncated")
def _(fact):
    return part(ratio(fact.data, fact.group, fact.analysis.removesuffix("_truncated"), 0, fact.truncated), fact.what)


@offers("remission", "ph")
def _(fact):
    return models.proportional_hazards(pair(fact.data), fact.group)[("chi2", "p").index(fact.what)]


@cache
def residuals(name: str, reference: str) -> pd.DataFrame:
    return models.schoenfeld(pair(name), reference).sort_values(["time", "residual"], ignore_index=True)


@offers("remission", "schoenfeld")
def _(fact):
    return float(residuals(fact.data, fact.group)[fact.what][int(fact.at) - 1])


@cache
def incidence(name: str, group: str) -> pd.DataFrame:
    return competing.cumulative_incidence(arm(name, group))


@offers("remission", "cif1", "cif2")
def _(fact):
    lines = incidence(fact.data, fact.group)
    mine = lines[lines["cause"] == fact.cause]
    return step(mine["time"], mine[fact.what], fact.at, before=0.0)


@offers("remission", "gray1", "gray2")
def _(fact):
    return getattr(competing.gray(frame(fact.data), fact.cause), fact.what)


@offers("remission", "fine_gray1", "fine_gray2")
def _(fact):
    return part(competing.fine_gray(pair(fact.data), fact.group, fact.cause), fact.what)


# remission.batch: arrays of cohorts, here of one
def _only(values) -> float:
    """The single value of a batch of one; NaN for what R calls not reached."""
    value = float(np.ravel(values)[0])
    return value if np.isfinite(value) else math.nan


@offers("remission.batch", "km", only={*LEVELS, "survival"})
def _(fact):
    time, event, *_ = arrays(arm(fact.data, fact.group))
    if fact.what in LEVELS:
        return _only(batch.quantile(time, event, LEVELS[fact.what]))
    return _only(batch.survival_at(time, event, [fact.at]))


@offers("remission.batch", "followup", only={"median"})
def _(fact):
    time, event, *_ = arrays(arm(fact.data, fact.group))
    return _only(batch.quantile(time, ~event))


@offers("remission.batch", "rmst")
def _(fact):
    time, event, *_ = arrays(arm(fact.data, fact.group))
    mean, variance = batch.rmst(time, event, fact.at)
    return _only(mean if fact.what == "mean" else np.sqrt(variance))


@offers("remission.batch", *WEIGHTS, only={"score", "variance", "chi2", "p"})
def _(fact):
    time, event, other, _ = of(fact)
    return _only(getattr(batch.logrank(time, event, other, WEIGHTS[fact.analysis]), fact.what))


@offers("remission.batch", "cox", "cox_cause1", "cox_cause2")
def _(fact):
    time, event, other, _ = of(fact)
    log_hr, se = batch.cox(time, event, other)
    return wald(float(log_hr[0]), float(se[0]), fact.what)


@offers("remission.batch", "cif1", "cif2", only={"incidence"})
def _(fact):
    mine = arm(fact.data, fact.group)
    return _only(batch.cumulative_incidence(mine["time"].to_numpy(), mine["code"].to_numpy(), fact.cause, [fact.at]))


def marker(fact: Fact) -> np.ndarray:
    """The two markers that the R script ranks patients by; exemplar's reference arm is the other one of two."""
    time, _, other, _ = arrays(pair(fact.data), REFERENCE[fact.data])
    return other.astype(float) if fact.what == "other" else (7.0 * np.arange(1, len(time) + 1)) % 11


REFERENCE = {fact.data: fact.group for fact in FACTS if fact.analysis == "firth"}


@offers("remission.batch", "concordance")
def _(fact):
    time, event, *_ = arrays(pair(fact.data))
    return _only(batch.concordance(time, event, marker(fact)))


@offers("remission.batch", "permutation")
def _(fact):
    time, event, other, _ = of(fact)
    how, ties = fact.what.split("_")  # "p" is coin's, which takes sums that nearly equal the observed one as equal
    return batch.permutation.exact(batch.permutation.scores(time, event, ties), other, as_coin=how == "p").p


@cache
def drawn(name: str, reference: str, statistic: str) -> batch.permutation.Permutation:
    time, event, other, _ = arrays(pair(name), reference)
    return batch.permutation.monte_carlo(time, event, other, DRAWS, SEED, statistic)


@offers("remission.batch", "permutation_drawn")
def _(fact):
    return drawn(fact.data, fact.group, fact.what.removesuffix("_p")).p


@cache
def resampled(name: str, group: str, tau: float, difference: bool) -> tuple[list[float], list[float]]:
    """BCa limits of a restricted mean, or of the difference of two: means over blocks of draws, and standard errors."""
    time, event, other, _ = arrays(pair(name) if difference else arm(name, group), group)

    def statistic(rows, arms):
        """Restricted mean, or the other arm's minus the reference arm's, of cohorts with the same arms."""
        means = [batch.rmst(time[rows[:, mine]], event[rows[:, mine]], tau)[0] for mine in (arms, ~arms) if mine.any()]
        return np.subtract(*means) if difference else means[0]

    every, without = np.arange(len(time))[None], batch.leave_one_out(len(time))
    value = statistic(every, other)[0]
    jackknife = np.array([statistic(rows[None], other[rows])[0] for rows in without])
    limits = np.array([batch.bca(value, statistic(batch.bootstrap(other, DRAWS // BLOCKS, SEED + block), other),
                                 jackknife, strata=other)[:2] for block in range(BLOCKS)])
    return limits.mean(axis=0).tolist(), (limits.std(axis=0, ddof=1) / BLOCKS**0.5).tolist()


@offers("remission.batch", "bootstrap_rmst", "bootstrap_rmst_difference")
def _(fact):
    return resampled(fact.data, fact.group, fact.at, "difference" in fact.analysis)[0][fact.what == "upper"]


def error(engine: str, fact: Fact) -> float:
    """An engine's own Monte Carlo standard error, where it drew at random."""
    if not fact.se or engine != "remission.batch":
        return 0.0
    if fact.analysis == "permutation_drawn":
        return drawn(fact.data, fact.group, fact.what.removesuffix("_p")).error
    return resampled(fact.data, fact.group, fact.at, "difference" in fact.analysis)[1][fact.what == "upper"]
