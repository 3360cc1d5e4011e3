"""What lifelines, scikit-survival, comprisk and firthmodels give for R's numbers."""

from __future__ import annotations

import math
import warnings
from functools import cache

import comprisk
import firthmodels
import numpy as np
import pandas as pd
from engines import LEVELS, RATIOS, WEIGHTS, offers, step, wald
from engines_ours import marker
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines import statistics as lifelines_tests
from lifelines.utils import concordance_index, qth_survival_times, restricted_mean_survival_time
from r_facts import arm, arrays, frame, of, pair
from sklearn.exceptions import ConvergenceWarning
from sksurv.compare import compare_survival
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import cumulative_incidence_competing_risks, kaplan_meier_estimator
from sksurv.util import Surv

# lifelines
TIGHT = {"precision": 1e-16, "r_precision": 1e-16}


@cache
def lifelines_curve(name: str, group: str, truncated: bool, reverse: bool) -> KaplanMeierFitter:
    time, event, _, entry = arrays(arm(name, group), truncated=truncated)
    return KaplanMeierFitter().fit(time, ~event if reverse else event, entry=entry)


@offers("lifelines", "km", "km_truncated", "followup")
def _(fact):
    fit = lifelines_curve(fact.data, fact.group, fact.truncated, fact.analysis == "followup")
    if fact.what == "at_risk":
        return float(fit.event_table["at_risk"].loc[fact.at:].iloc[0])
    end = fact.what.split("_")[-1]
    lines = {"lower": fit.confidence_interval_.iloc[:, 0], "upper": fit.confidence_interval_.iloc[:, 1]}.get(
        end, fit.survival_function_.iloc[:, 0])
    if "@" in fact.statistic:
        return step(lines.index, lines, fact.at)
    found = float(qth_survival_times(1 - LEVELS[fact.what.split("_")[0]], lines))
    return found if math.isfinite(found) else math.nan


@offers("lifelines", *WEIGHTS, only={"chi2", "p"})
def _(fact):
    time, event, other, _ = of(fact)
    weight = WEIGHTS[fact.analysis]
    how = {"log-rank": {}, "Gehan": {"weightings": "wilcoxon"}}[weight] if isinstance(weight, str) else {
        "weightings": "fleming-harrington", "p": weight[0], "q": weight[1]}
    found = lifelines_tests.logrank_test(time[other], time[~other], event[other], event[~other], **how)
    return float(found.test_statistic if fact.what == "chi2" else found.p_value)


@cache
def lifelines_cox(name: str, reference: str, cause: int, truncated: bool) -> tuple[CoxPHFitter, pd.DataFrame]:
    time, event, other, entry = arrays(pair(name, cause), reference, truncated)
    table = pd.DataFrame({"time": time, "event": event, "other": other.astype(float)})
    if truncated:
        table = table.assign(entry=entry)[entry < time]
    return CoxPHFitter().fit(table, "time", "event", entry_col="entry" if truncated else None, fit_options=TIGHT), table


@offers("lifelines", *RATIOS)
def _(fact):
    name = {"HR": "exp(coef)", "lower": "exp(coef) lower 95%", "upper": "exp(coef) upper 95%", "p": "p"}[fact.what]
    cause = fact.cause if "cause" in fact.analysis else 0
    return float(lifelines_cox(fact.data, fact.group, cause, fact.truncated)[0].summary.loc["other", name])


@cache
def lifelines_residuals(name: str, reference: str) -> pd.DataFrame:
    fit, table = lifelines_cox(name, reference, 0, False)
    raw, scaled = (fit.compute_residuals(table, kind)["other"] for kind in ("schoenfeld", "scaled_schoenfeld"))
    found = pd.DataFrame({"time": table["time"], "residual": raw, "scaled": scaled + fit.params_["other"]})  # R adds it
    return found.dropna().sort_values(["time", "residual"], ignore_index=True)


@offers("lifelines", "schoenfeld")
def _(fact):
    return float(lifelines_residuals(fact.data, fact.group)[fact.what][int(fact.at) - 1])


@offers("lifelines", "rmst", only={"mean"})
def _(fact):
    return float(restricted_mean_survival_time(lifelines_curve(fact.data, fact.group, False, False), fact.at))


@offers("lifelines", "milestone", only={"p"})
def _(fact):
    groups = [fact.group, next(one for one in pair(fact.data)["arm"] if one != fact.group)]
    fits = [lifelines_curve(fact.data, group, False, False) for group in groups]
    return float(lifelines_tests.survival_difference_at_fixed_point_in_time_test(fact.at, *fits).p_value)


@offers("lifelines", "concordance")
def _(fact):
    time, event, *_ = arrays(pair(fact.data))
    return float(concordance_index(time, -marker(fact), event))


# scikit-survival
@offers("scikit-survival", "km", "km_truncated", only={"survival", "survival_lower", "survival_upper"})
def _(fact):
    time, event, _, entry = arrays(arm(fact.data, fact.group), truncated=fact.truncated)
    at, survival, limits = kaplan_meier_estimator(event, time, time_enter=entry, conf_type="log-log")
    lines = {"survival": survival, "survival_lower": limits[0], "survival_upper": limits[1]}
    return step(at, lines[fact.what], fact.at)


@offers("scikit-survival", "logrank", only={"chi2", "p"})
def _(fact):
    time, event, other, _ = of(fact)
    return float(compare_survival(Surv.from_arrays(event, time), other)[fact.what == "p"])


@offers("scikit-survival", "cox", "cox_cause1", "cox_cause2", only={"HR"})
def _(fact):
    time, event, other, _ = of(fact)
    fit = CoxPHSurvivalAnalysis(ties="efron", tol=1e-14)
    fit.fit(other[:, None].astype(float), Surv.from_arrays(event, time))
    return float(np.exp(fit.coef_[0]))


@offers("scikit-survival", "cif1", "cif2", only={"incidence"})  # its variance is another one where times are tied
def _(fact):
    mine = arm(fact.data, fact.group)
    at, found = cumulative_incidence_competing_risks(mine["code"].to_numpy(), mine["time"].to_numpy(float))
    return step(at, found[fact.cause], fact.at, before=0.0)


@offers("scikit-survival", "concordance")
def _(fact):
    time, event, *_ = arrays(pair(fact.data))
    return float(concordance_index_censored(event, time, marker(fact))[0])


# comprisk and firthmodels
@offers("comprisk", "cif1", "cif2", only={"incidence", "variance"})
def _(fact):
    mine = arm(fact.data, fact.group)
    fit = comprisk.CumulativeIncidence(cause_codes=[1, 2]).fit(mine["time"].to_numpy(float), mine["code"].to_numpy())
    found = next(one for (_, cause), one in fit.curves_.items() if cause == fact.cause)
    return step(found.times, found.cif if fact.what == "incidence" else found.var, fact.at, before=0.0)


@offers("comprisk", "gray1", "gray2")
def _(fact):
    data = frame(fact.data)
    found = comprisk.gray_test(data["time"].to_numpy(float), data["code"].to_numpy(), data["arm"].to_numpy(str),
                               cause=fact.cause)
    return float(found.stat if fact.what == "chi2" else found.pvalue)


@offers("comprisk", "breslow_cause1", "breslow_cause2")
def _(fact):
    data = pair(fact.data)
    fit = comprisk.CauseSpecificCox(cause=fact.cause, gtol=1e-12).fit(
        (data["arm"] != fact.group).to_numpy(float)[:, None], time=data["time"].to_numpy(float),
        event=data["code"].to_numpy())
    return wald(float(fit.coef_[0]), float(fit.se_[0]), fact.what)


@cache
def firthmodels_fit(name: str, reference: str) -> firthmodels.FirthCoxPH:
    """Fitted as tightly as it converges: where the likelihood is flat, its step halving gives up at the last digits."""
    time, event, other, _ = arrays(pair(name), reference)
    for tolerance in (1e-8, 1e-7, 1e-6):
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                return firthmodels.FirthCoxPH(backend="numpy", gtol=tolerance, xtol=tolerance / 10, max_iter=100,
                                              max_halfstep=30).fit(other[:, None].astype(float), (event, time))
            except ConvergenceWarning:
                continue
    raise ValueError("no tolerance was loose enough")


@offers("firthmodels", "firth_breslow")
def _(fact):
    fit = firthmodels_fit(fact.data, fact.group)
    if fact.what == "HR":
        return float(np.exp(fit.coef_[0]))
    if fact.what == "p":
        return float(fit.lrt().lrt_pvalues_[0])
    return float(np.exp(fit.conf_int(method="pl", tol=1e-6, max_iter=500)[0, int(fact.what == "upper")]))
