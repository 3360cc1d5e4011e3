"""The level at the origin, of which part lies below a limit: what each way of treating those levels gives."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import partial, wording
from remission.estimators.models import HazardRatio
from remission.mrd import censored
from remission.mrd.markers import MARKERS, comparisons, strata_of
from remission.study import Study

#: What is put in place of a level below its limit: the limit itself, or the limit over so much.
SUBSTITUTES = {"LOD": 1.0, "LOD/2": 2.0, "LOD/sqrt2": math.sqrt(2)}
IMPUTED, CENSORED = "imputed", "Tobit"
LEVEL = next(marker for marker in MARKERS if marker.key == "level_at_start")
TABLE = ["arm", "method", "patients", "relapses", "below a limit", "mean", "SD", "relapsed minus not", "HR", "lower",
         "upper", "display"]


class Levels(NamedTuple):
    """Levels of one group of patients: their outcomes, and what is known of each level (log10 %)."""

    arm: str
    data: pd.DataFrame
    lower: np.ndarray
    upper: np.ndarray


def levels(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> list[Levels]:
    """Limits between which each patient's level at the origin lies, in every arm that can be tested.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
        `quantifiable_log10` of `[mrd]`: how far above the detection limit levels are quantified.

    Returns
    -------
    list of Levels
        A measured level has equal limits; a negative sample lies below its detection limit; a sample that is positive
        but not quantifiable lies between that limit and `quantifiable_log10` above it. Where that is not known, such a
        sample counts as below its limit, as in `admk`.

    Examples
    --------
    >>> from remission import schema
    >>> levels(pd.DataFrame(columns=["patient", "arm", "time", "event"]), schema.empty(schema.ANALYSIS["admk"]),
    ...        Study("demo", "own", "", "", ()))
    []
    """
    width, made = rules(study)["quantifiable_log10"], []
    for arm, marker, data in comparisons(endpoint, admk, study):
        if marker.key != LEVEL.key:
            continue
        known = data.merge(admk[["USUBJID", "LVLCENS", "LVLSTATE"]], left_on="patient", right_on="USUBJID", how="left",
                           validate="one_to_one")
        value, below = known["value"].to_numpy(float), (known["LVLCENS"] == "Y").to_numpy()
        between = below & (known["LVLSTATE"] == "PNQ").to_numpy() & (width > 0)
        lower = np.where(below & ~between, -np.inf, value)
        made.append(Levels(arm, data.assign(below=below, between=between), lower, value + np.where(between, width, 0)))
    return made


def analyse_levels(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study, *, seed: int,
                   imputations: int = 100) -> pd.DataFrame:
    """Mean level and hazard ratio per log10, by every way of treating levels below a limit.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
    seed, imputations : int
        Of the multiple imputation.

    Returns
    -------
    DataFrame
        Results `mrd.level_at_start.all.<arm>.<statistic>`: for `LOD`, `LOD/2`, `LOD/sqrt2` and `Tobit`: `mean[...]`,
        `SD[...]`, `difference[...]` (relapsed minus not); for the substitutes and `imputed`: `HR[...]`; `below_limit`.
        None where no arm has levels.

    Examples
    --------
    >>> from remission import schema
    >>> analyse_levels(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ()), seed=1).empty
    True
    """
    made: list[dict[str, Any]] = []
    for one in levels(endpoint, admk, study):
        count = int(one.data["below"].sum())
        made.append(_row(one, "below_limit", count, unit="n", method="patients whose level at the origin lies below a "
                         "limit or is positive but not quantifiable", display=f"{count} of {len(one.data)}"))
        for name, divisor in SUBSTITUTES.items():
            made += _substituted(one, name, divisor)
        made += _tobit_rows(one)
        made.append(_ratio_row(one, IMPUTED, *_imputed(one, seed, imputations)))
    return results.frame(made)


def _row(one: Levels, statistic: str, value: float, **details) -> dict[str, Any]:
    return results.row("mrd", LEVEL.key, "all", one.arm, statistic, value, n=len(one.data),
                       events=int(one.data["event"].sum()), **details)


def _substituted(one: Levels, name: str, divisor: float) -> list[dict[str, Any]]:
    """Mean, SD, difference and hazard ratio with one number in place of every level below its limit."""
    level = one.data["value"].to_numpy(float) - np.where(one.data["below"], math.log10(divisor), 0)
    how = f"levels below a limit, or not quantified, set to {name}"
    plain = censored.tobit(level, level)
    contrast = censored.tobit(level, level, one.data["event"].to_numpy(float))
    fit = partial.ratio(_records(one, level), "firth")
    return [*_moment_rows(one, name, plain, contrast, how), _ratio_row(one, name, fit, f"{_firth(one)}; {how}")]


def _tobit_rows(one: Levels) -> list[dict[str, Any]]:
    plain = censored.tobit(one.lower, one.upper)
    contrast = censored.tobit(one.lower, one.upper, one.data["event"].to_numpy(float))
    words = "negative samples left-censored at their own limit"
    if one.data["between"].any():
        words += ", positive ones that were not quantified interval-censored"
    return _moment_rows(one, CENSORED, plain, contrast, words)


def _moment_rows(one: Levels, name: str, plain: censored.Tobit, contrast: censored.Tobit, how: str) -> list[dict]:
    """Mean, SD and the difference between patients who relapsed and others."""
    how = f"normal regression by maximum likelihood, Wald interval; {how}"
    mean, difference = censored.interval(plain, 0), censored.interval(contrast, 1)
    log_se = math.nan if plain.note else math.sqrt(plain.covariance[-1, -1])
    spread = [plain.sd, *(plain.sd * math.exp(side * censored.Z * log_se) for side in (-1, 1))]
    return [_row(one, f"{statistic}[{name}]", found[0], lower=found[1], upper=found[2], unit="log10 %", method=how,
                 display=_shown(found, note))
            for statistic, found, note in (("mean", mean, plain.note), ("SD", spread, plain.note),
                                           ("difference", difference, contrast.note))]


def _shown(found, note: str) -> str:
    if math.isnan(found[0]):
        return f"not estimable: {note}"
    value, low, high = (wording.signed(limit, 2, plus=False) for limit in found)
    return f"{value} (95% CI {low} to {high})"


def _firth(one: Levels) -> str:
    return ("Cox with Firth's penalty, Efron ties, profile interval"
            + (", stratified by arm" if one.arm == "all" else "") + "; per log10 higher")


def _records(one: Levels, level: np.ndarray) -> partial.Records:
    return partial.prepare(one.data["time"], one.data["event"], level, strata=strata_of(one.data, one.arm))


def _imputed(one: Levels, seed: int, imputations: int) -> tuple[HazardRatio, str]:
    """Hazard ratio per log10 over multiple imputations of the levels below a limit."""
    event = one.data["event"].to_numpy(float)
    outcome = [event, censored.nelson_aalen(one.data["time"], event)]
    if one.arm == "all":
        arms = one.data["arm"].to_numpy()
        outcome += [(arms == key).astype(float) for key in np.unique(arms)[1:]]
    varying = np.array([column for column in outcome if np.ptp(column) > 0]).reshape(-1, len(event)).T
    drawn, why = censored.impute(one.lower, one.upper, varying, seed=seed, imputations=imputations)
    words = ("multiple imputation of levels below a limit given event, Nelson-Aalen hazard"
             f"{' and arm' if one.arm == 'all' else ''}, {imputations} draws, seed {seed}; each fitted by Cox with "
             f"Firth's penalty, Efron ties{', stratified by arm' if one.arm == 'all' else ''}; Rubin's rules, "
             "Barnard-Rubin degrees of freedom; per log10 higher")
    if why:
        return HazardRatio(*[math.nan] * 4, why), words
    fits = [partial.fit(_records(one, level), firth=True) for level in drawn]
    pooled = censored.pool([fit.coefficients[0] for fit in fits], [fit.covariance[0, 0] for fit in fits], len(event))
    if math.isnan(pooled.value):
        return HazardRatio(*[math.nan] * 4, next((fit.note for fit in fits if fit.note), pooled.note)), words
    words += (f"; {100 * pooled.missing:.0f}% of the information missing, Monte Carlo error of the log hazard ratio "
              f"{pooled.error:.3f}{'; ' + pooled.note if pooled.note else ''}")
    return HazardRatio(*(math.exp(limit) for limit in pooled[:3]), pooled.p), words


def _ratio_row(one: Levels, name: str, fit: HazardRatio, method: str) -> dict[str, Any]:
    shown = wording.ratio_interval(*fit[:3], fit.note)
    return _row(one, f"HR[{name}]", fit.value, lower=fit.lower, upper=fit.upper, unit="HR", method=method,
                display=shown if math.isnan(fit.value) else f"{shown}, {wording.p_value(fit.p)}")


def level_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Methods beside each other, one row an arm and method.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_levels`.

    Returns
    -------
    DataFrame
        `arm`, `method`, `patients`, `relapses`, `below a limit`, `mean`, `SD`, `relapsed minus not` (for a reader),
        `HR`, `lower`, `upper` (numbers, for the figure) and `display`.

    Examples
    --------
    >>> level_table(results.frame([])).empty
    True
    """
    found = rows.set_index(["arm", "statistic"])
    made = []
    for arm in dict.fromkeys(rows["arm"]):
        below = found.loc[(arm, "below_limit"), "display"]
        for method in (*SUBSTITUTES, IMPUTED, CENSORED):
            ids = {name: (arm, f"{name}[{method}]") for name in ("mean", "SD", "difference", "HR")}
            texts = [found.loc[ids[name], "display"] if ids[name] in found.index else "does not apply"
                     for name in ("mean", "SD", "difference")]
            fit = found.loc[ids["HR"]] if ids["HR"] in found.index else None
            nothing = [math.nan] * 3 + ["does not apply"]
            numbers = nothing if fit is None else list(fit[["value", "lower", "upper", "display"]])
            counts = found.loc[(arm, "below_limit"), ["n", "events"]]
            made.append([arm, method, *counts, below, *texts, *numbers])
    return pd.DataFrame(made, columns=TABLE)


def levels_in_words(rows: pd.DataFrame) -> str:
    """How much the treatment of levels below a limit matters, in one sentence an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_levels`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> levels_in_words(results.frame([]))
    'No level at the origin is known in this cohort.'
    """
    if rows.empty:
        return "No level at the origin is known in this cohort."
    words = []
    for arm in dict.fromkeys(rows["arm"]):
        mine = rows[rows["arm"] == arm].set_index("statistic")
        said = f"**{'All arms together' if arm == 'all' else arm}.** The level lies below a limit in " \
               f"{mine.loc['below_limit', 'display']} patients."
        ratios = mine.loc[[f"HR[{name}]" for name in (*SUBSTITUTES, IMPUTED)], "value"]
        if ratios.isna().all():
            said += f" The hazard ratio per log10 is {mine.loc['HR[LOD]', 'display']}."
        else:
            low, high = f"{ratios.min():.2f}", f"{ratios.max():.2f}"
            said += (f" The hazard ratio per log10 is {low} by every method." if low == high else
                     f" The hazard ratio per log10 runs from {low} to {high} with the method.")
        if mine.loc["below_limit", "value"] == 0:
            said += " With no level below a limit the methods are one and the same."
        words.append(said)
    return "\n\n".join(words)


