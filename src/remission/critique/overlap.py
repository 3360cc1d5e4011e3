"""Are the arms comparable: differences of covariates and a propensity score, beside what random labels would give."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from remission import results
from remission.critique import propensity
from remission.critique.covariates import (
    CATEGORIES,
    MOST_RELABELLED,
    Covariates,
    by_chance,
    covariates,
    moments,
    relabellings,
    standardised_difference,
)
from remission.critique.layout import display, lay_out
from remission.estimators import wording
from remission.study import Study

#: Share of each arm in which a covariate must be known to enter the propensity score.
KNOWN = 0.8
#: Decimals kept of what the iteration found: beyond them digits may differ from machine to machine.
DECIMALS = 6
BALANCE = ["covariate", "patients", "other", "reference", "difference", "chance_lower", "chance_upper", "p", "weighted"]


class Scores(NamedTuple):
    """Propensity scores of the patients used, their weights, the covariates in the model, and a note if there is none.

    `relabelled` holds the c-statistics under random labels; `exact` says that these are all labellings.
    """

    patients: pd.DataFrame
    used: list[str]
    c: float
    relabelled: np.ndarray
    exact: bool
    separated: bool
    note: str = ""


class Comparison(NamedTuple):
    """Covariates by arm (`balance`) and propensity scores of the same patients, with the seed of the random labels."""

    balanced: pd.DataFrame
    scores: Scores
    patients: int
    draws: int
    seed: int


def compare(adsl: pd.DataFrame, study: Study, draws: int = 5000, refits: int = 1000, seed: int = 1503) -> Comparison:
    """Compare the arms on their recorded covariates: computed once, for the results, the tables and the figure.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`.
    study : Study
    draws, refits, seed : int
        Random labellings for the differences and for the propensity model.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> from remission.study import Arm
    >>> compare(pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),))).balanced.empty
    True
    """
    scores = propensity_scores(adsl, study, refits, seed)
    patients = int((adsl["TTEFL"] == "Y").sum()) if len(adsl) else 0
    return Comparison(balance(adsl, study, draws, seed, scores), scores, patients, draws, seed)


def balance(adsl: pd.DataFrame, study: Study, draws: int = 5000, seed: int = 1503,
            scores: Scores | None = None) -> pd.DataFrame:
    """Every covariate by arm: means, standardised difference, what random labels give, and the weighted difference.

    Parameters
    ----------
    adsl : DataFrame
    study : Study
        With two arms.
    draws, seed : int
        Random labellings; all of them where there are no more.
    scores : Scores, optional
        From `propensity_scores`, for the difference that is left after weighting.

    Returns
    -------
    DataFrame
        `covariate` (index: its name), `patients` with a value, means `other` and `reference`, `difference`, central
        95% of the differences under random labels, two-sided `p`, `weighted`.

    Examples
    --------
    >>> from remission.study import Arm
    >>> balance(pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    if not study.contrast:
        return pd.DataFrame(columns=BALANCE)
    found = covariates(adsl, study)
    if found.table.empty:
        return pd.DataFrame(columns=BALANCE)
    values, other = found.table.to_numpy(float), found.other
    observed = standardised_difference(values, other[None])[0]
    lower, upper, p = by_chance(values, other, draws, seed)
    table = pd.DataFrame({
        "covariate": [found.words[name] for name in found.table], "patients": (~np.isnan(values)).sum(axis=0),
        "other": np.nanmean(values[other], axis=0), "reference": np.nanmean(values[~other], axis=0),
        "difference": observed, "chance_lower": lower, "chance_upper": upper, "p": p,
        "weighted": np.nan}, index=found.table.columns)
    if scores is not None and not scores.note:
        table["weighted"] = _weighted(found, scores)
    return table


def _weighted(found: Covariates, scores: Scores) -> np.ndarray:
    """Difference of weighted means over the unweighted spread."""
    values = found.table.to_numpy(float)
    weight = pd.Series(found.patient).map(scores.patients.set_index("patient")["weight"]).to_numpy(float)
    use = ~np.isnan(values) & ~np.isnan(weight)[:, None]
    mass = np.where(use, np.nan_to_num(weight)[:, None], 0.0)
    filled = np.where(use, values, 0.0)
    one, two = ((mass[arm] * filled[arm]).sum(axis=0) / mass[arm].sum(axis=0) for arm in (found.other, ~found.other))
    spread = moments(values, found.other[None])[1][0]
    weighted = np.where(spread > 1e-12, (one - two) / np.where(spread > 1e-12, spread, 1), np.nan)
    return np.round(weighted, DECIMALS) + 0.0


def propensity_scores(adsl: pd.DataFrame, study: Study, draws: int = 1000, seed: int = 1503) -> Scores:
    """Model the arm on the covariates, and again under random labels.

    Parameters
    ----------
    adsl : DataFrame
    study : Study
    draws, seed : int
        Random labellings of the same patients; none above 2,000 patients.

    Returns
    -------
    Scores
        Patients without a gap in the covariates used: `patient`, `arm`, `score` (probability of the other arm),
        `weight` (inverse of the probability of the arm they were in). Covariates known in at least 80% of each arm are
        used; of a category, all kinds but the commonest.

    Examples
    --------
    >>> from remission.study import Arm
    >>> propensity_scores(pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),))).note
    'a comparison needs two arms'
    """
    blank = pd.DataFrame(columns=["patient", "arm", "score", "weight"])
    if not study.contrast:
        return Scores(blank, [], math.nan, np.array([]), False, False, "a comparison needs two arms")
    found = covariates(adsl, study)
    used = _model(found)
    if not used:
        return Scores(blank, [], math.nan, np.array([]), False, False, "no covariate is recorded in both arms")
    whole = found.table[used].notna().all(axis=1).to_numpy()
    other = found.other[whole]
    design = propensity.standardised(found.table.loc[whole, used].to_numpy(float))
    coefficients = propensity.logistic(design, other[None])
    linear = (coefficients @ design.T)[0]
    score = expit(linear)
    arms = np.where(other, next(key for key in study.arm_keys if key != study.reference), study.reference)
    weight = np.round(1 / np.where(other, score, 1 - score), DECIMALS)
    patients = pd.DataFrame({"patient": found.patient[whole], "arm": arms, "score": np.round(score, DECIMALS),
                             "weight": weight})
    relabelled, exact = np.array([]), False
    if len(other) <= MOST_RELABELLED:
        labels, exact = relabellings(other, draws, seed)
        relabelled = propensity.c_statistic(propensity.logistic(design, labels) @ design.T, labels)
    return Scores(patients, used, float(propensity.c_statistic(linear[None], other[None])[0]), relabelled,
                  exact, bool(np.abs(linear).max() > propensity.SEPARATED))


def _model(found: Covariates) -> list[str]:
    """Covariates of the model: known in most patients of both arms; the commonest kind of a category is left out."""
    kept = [name for name in found.table
            if all(found.table.loc[arm, name].notna().mean() >= KNOWN for arm in (found.other, ~found.other))]
    for category in CATEGORIES:
        kinds = [name for name in kept if name.startswith(f"{category} ")]
        if len(kinds) > 1:
            kept.remove(found.table[kinds].sum().idxmax())
    return kept


def analyse(compared: Comparison, study: Study) -> pd.DataFrame:
    """Differences of covariates between the arms, and a propensity score, each beside what random labels give.

    Parameters
    ----------
    compared : Comparison
        From `compare`.
    study : Study

    Returns
    -------
    DataFrame
        Results, analysis `overlap`; empty without two arms or without a covariate recorded in both.

    Examples
    --------
    >>> from remission.study import Arm
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> analyse(compare(pd.DataFrame(), one), one).empty
    True
    """
    how = _reference(compared)
    rows = []
    for name, line in compared.balanced.iterrows():
        common = {"n": int(line["patients"])}
        rows += [_row(study.contrast, f"difference[{name}]", line["difference"], "SD",
                      f"standardised mean difference; lower and upper: central 95% under {how}",
                      _difference_words(line), lower=line["chance_lower"], upper=line["chance_upper"], **common),
                 _row(study.contrast, f"p[{name}]", line["p"], "p", f"two-sided, against {how}",
                      wording.p_value(line["p"], "no spread within the arms"), **common)]
    return results.frame(rows + ([] if compared.scores.note else _score_rows(compared.scores, study, compared.seed)))


def _reference(compared: Comparison) -> str:
    if compared.patients > MOST_RELABELLED:
        return "random labels, normal approximation"
    return f"{compared.draws} random labellings, seed {compared.seed} (all labellings where there are no more)"


def _difference_words(line: pd.Series) -> str:
    if math.isnan(line["difference"]):
        return "not estimable: no spread within the arms"
    lower, upper = (signed(line[f"chance_{end}"]) for end in ("lower", "upper"))
    return f"{signed(line['difference'])} SD (chance alone {lower} to {upper})"


def signed(value: float) -> str:
    """Two decimals with a sign; nothing has no sign.

    Examples
    --------
    >>> signed(0.754), signed(-1e-17)
    ('+0.75', '0.00')
    """
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def _row(arm: str, statistic: str, value: float, unit: str, method: str, shown: str, **more) -> dict:
    return results.row("overlap", "-", "all", arm, statistic, value, unit=unit, method=method, display=shown, **more)


def _score_rows(scores: Scores, study: Study, seed: int) -> list[dict]:
    patients, n = scores.patients, len(scores.patients)
    model = f"logistic regression on {', '.join(scores.used)}" + ("; separated" if scores.separated else "")
    random = f"{'all ' if scores.exact else ''}{len(scores.relabelled)} labellings of the same patients" + (
        "" if scores.exact else f", seed {seed}")
    rows = [_row(study.contrast, "coefficients", len(scores.used), "n", model, str(len(scores.used)), n=n)]
    smallest = int(patients["arm"].value_counts().min())
    rows.append(_row(study.contrast, "patients_per_coefficient", smallest / len(scores.used), "n",
                     f"patients of the smaller arm over coefficients; {model}", f"{smallest / len(scores.used):.1f}",
                     n=smallest))
    rows.append(_row(study.contrast, "c_statistic", scores.c, "c", f"in the sample; {model}", f"{scores.c:.2f}", n=n))
    if len(scores.relabelled):
        lower, middle, upper = np.quantile(scores.relabelled, [0.025, 0.5, 0.975])
        extreme = int((scores.relabelled >= scores.c - 1e-9).sum())
        p = extreme / len(scores.relabelled) if scores.exact else (1 + extreme) / (1 + len(scores.relabelled))
        shown = f"{middle:.2f} ({lower:.2f} to {upper:.2f})"
        rows += [_row(study.contrast, "c_statistic_relabelled", middle, "c",
                      f"median over {random}; central 95%; {model}", shown, lower=lower, upper=upper, n=n),
                 _row(study.contrast, "c_statistic_p", p, "p", f"share of c-statistics at least as large, {random}",
                      wording.p_value(p), n=n)]
    for arm, score in patients.groupby("arm", sort=False)["score"]:
        opposite = patients.loc[patients["arm"] != arm, "score"]
        outside = int((~score.between(opposite.min(), opposite.max())).sum())
        weight = patients.loc[patients["arm"] == arm, "weight"].to_numpy()
        worth = propensity.effective(weight)
        rows += [_row(arm, "outside", outside, "n", f"scores beyond those of the other arm; {model}",
                      f"{outside} of {len(score)}", n=len(score)),
                 _row(arm, "effective_n", worth, "n", f"Kish, inverse-probability weights; {model}",
                      f"{worth:.1f} of {len(score)}", n=len(score)),
                 _row(arm, "largest_weight", weight.max() / weight.sum(), "probability",
                      f"share of one patient in the weights of the arm; {model}",
                      f"{wording.percent(weight.max() / weight.sum())}%", n=len(score))]
    return rows


def table(balanced: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Lay the covariates out: a line a covariate, means by arm, difference with what chance gives.

    Parameters
    ----------
    balanced : DataFrame
        From `balance`.
    study : Study

    Returns
    -------
    DataFrame
        No rows without covariates.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(pd.DataFrame(columns=BALANCE), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    if balanced.empty:
        return pd.DataFrame(columns=["covariate"])
    arms = {"other": next(key for key in study.arm_keys if key != study.reference), "reference": study.reference}
    lines = []
    for line in balanced.itertuples():
        share = ": " in line.covariate
        means = {f"{arms[key]}, mean or share": f"{wording.percent(value)}%" if share else f"{value:.1f}"
                 for key, value in (("other", line.other), ("reference", line.reference))}
        missing = math.isnan(line.difference)
        lines.append({
            "covariate": line.covariate, "patients": line.patients, **means,
            "difference, SD": "no spread" if missing else signed(line.difference),
            "random labels, 95%": "" if missing else f"{signed(line.chance_lower)} to {signed(line.chance_upper)}",
            "against random labels": "" if missing else wording.p_value(line.p),
            "after weighting": "" if math.isnan(line.weighted) else signed(line.weighted)})
    return pd.DataFrame(lines)


def score_table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """What the propensity score leaves of each arm: a line a statistic, a column an arm.

    Examples
    --------
    >>> from remission.study import Arm
    >>> score_table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    return lay_out(rows, {"outside": "patients scored beyond the other arm", "effective_n": "effective patients",
                          "largest_weight": "share of the heaviest patient"}, study.arm_keys)


def sentence(rows: pd.DataFrame, study: Study) -> str:
    """Say what the recorded covariates and the propensity score show.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study

    Returns
    -------
    str
        Markdown; one reason where there is nothing to compare.

    Examples
    --------
    >>> from remission.study import Arm
    >>> sentence(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*One arm, or more than two: nothing to compare.*'
    """
    if not study.contrast:
        return "*One arm, or more than two: nothing to compare.*"
    stem = f"overlap.-.all.{study.contrast}"
    different = rows[rows["statistic"].str.startswith("difference[")].dropna(subset=["value"])
    if different.empty:
        return "*No covariate is recorded in both arms: whether they are comparable cannot be judged at all.*"
    beyond = different[(different["value"] < different["lower"]) | (different["value"] > different["upper"])]
    largest = different.loc[different["value"].abs().idxmax()]
    half = (different["upper"] - different["lower"]).median() / 2
    name = largest["statistic"].removeprefix("difference[").removesuffix("]")
    said = [f"Largest difference, in *{name}*: {largest['display']}. Of {len(different)} differences, {len(beyond)} "
            "beyond what random labels give in 95% of cases.",
            f"Chance alone reaches about {half:.2f} SD at this size; 0.1 SD is customary as a sign of imbalance."]
    if display(rows, f"{stem}.c_statistic") is not None:
        said.append(_score_words(rows, study, stem))
    if study.kind == "reconstructed":
        said.append("In this synthetic cohort the covariates are made up as well, within the printed medians and "
                    "ranges: this shows the method and says nothing about the trial.")
    return " ".join(said)


def _score_words(rows: pd.DataFrame, study: Study, stem: str) -> str:
    value = {key: display(rows, f"{stem}.{key}") for key in (
        "coefficients", "patients_per_coefficient", "c_statistic", "c_statistic_relabelled", "c_statistic_p")}
    said = [f"A propensity score with {value['coefficients']} coefficient"
            f"{'' if value['coefficients'] == '1' else 's'} ({value['patients_per_coefficient']} patients of the "
            f"smaller arm for each) tells the arms apart with a c-statistic of {value['c_statistic']}."]
    if value["c_statistic_relabelled"] is not None:
        said.append(f"Under random labels the same model finds {value['c_statistic_relabelled']}: "
                    f"{value['c_statistic_p']}.")
    if results.pick(rows, f"{stem}.c_statistic")["method"].endswith("separated"):
        said.append("Its likelihood has no maximum: some combination of covariates occurs in one arm only, and no "
                    "weight can bring in patients who are not there.")
    worth = "; ".join(f"{arm} {display(rows, f'overlap.-.all.{arm}.effective_n')}" for arm in study.arm_keys)
    return " ".join([*said, f"Weighted by it, the arms are worth, in patients: {worth}."])


def absent(adsl: pd.DataFrame, study: Study) -> str:
    """Say which covariates cannot be compared, and why.

    Examples
    --------
    >>> from remission.study import Arm
    >>> absent(pd.DataFrame(), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*One arm, or more than two: nothing to compare.*'
    """
    if not study.contrast:
        return "*One arm, or more than two: nothing to compare.*"
    missing = covariates(adsl, study).absent
    if not missing:
        return "Every covariate that the tables provide for is recorded in both arms."
    return "Not compared: " + "; ".join(f"{words} ({why})" for words, why in missing.items()) + "."
