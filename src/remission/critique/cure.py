"""What a cure would look like: ongoing remissions, the plateau, mixture cure models, and enough follow-up for them."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep

from remission import results
from remission.critique import mixture
from remission.critique.layout import display, lay_out
from remission.estimators import curves, wording
from remission.estimators.curves import Estimate
from remission.estimators.proportions import proportion
from remission.study import Study
from remission.survival.endpoints import by_arm, endpoint

NAMES = {
    "ongoing": "ongoing remissions", "plateau": "Kaplan-Meier after the last event",
    **{f"{key}[{family}]": f"{words}, {family} times" for family in mixture.FAMILIES
       for key, words in (("fraction", "cured fraction"), ("no_cure_p", "test of no cure"))},
    "median_not_cured": "median of those not cured, Weibull times",
    "gap": "from the last event to the last follow-up", "sufficiency": "Maller-Zhou criterion of follow-up",
}
METHOD = "mixture cure model, {} times of those not cured, maximum likelihood"


def fits(adtte: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> dict[str, dict[str, mixture.Cure]]:
    """Mixture cure models of every arm, by arm and family: fitted once, for the results and the figure.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str

    Returns
    -------
    dict
        Arm, then family, to the fit; empty when the cohort lacks the endpoint.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> fits(nobody, Study("demo", "own", "", "", (Arm("A", "A"),)))
    {}
    """
    return {arm: {family: mixture.fit(group, family) for family in mixture.FAMILIES}
            for arm, group in by_arm(endpoint(adtte, paramcd), study).items()}


def analyse(adtte: pd.DataFrame, study: Study, paramcd: str = "TTRLP",
            fitted: dict[str, dict[str, mixture.Cure]] | None = None) -> pd.DataFrame:
    """Ongoing remissions, plateau, mixture cure models and the sufficiency of follow-up, by arm.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    study : Study
    paramcd : str
    fitted : dict, optional
        From `fits` of the same endpoint.

    Returns
    -------
    DataFrame
        Results, analysis `cure`; with two arms also the difference between their ongoing shares. Empty when the cohort
        lacks the endpoint.

    Examples
    --------
    >>> from remission.study import Arm
    >>> rows = pd.DataFrame({"USUBJID": list("abcd"), "TRT01A": "A", "PARAMCD": "TTRLP", "AVAL": [7, 14, 21, 90],
    ...                      "CNSR": [0, 0, 0, 1], "ENTRYDY": 0})
    >>> analyse(rows, Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="day"))["display"].tolist()[0]
    '1 of 4 (25.0%; 95% CI 0.6 to 80.6)'
    """
    data = endpoint(adtte, paramcd)
    groups = by_arm(data, study)
    fitted = fitted or fits(adtte, study, paramcd)
    rows = []
    for arm, group in groups.items():
        common = {"n": len(group), "events": int(group["event"].sum())}
        made = _share_rows(group) + _model_rows(fitted[arm], study) + _followup_rows(group, study)
        rows += [results.row("cure", paramcd, "all", arm, **one, **common) for one in made]
    if study.contrast and len(groups) == 2:
        other = next(arm for arm in groups if arm != study.reference)
        common = {"n": len(data), "events": int(data["event"].sum())}
        rows += [results.row("cure", paramcd, "all", study.contrast, **one, **common)
                 for one in _difference_rows(groups[other], groups[study.reference])]
    return results.frame(rows)


def table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Lay the results out: a line a statistic, a column an arm.

    Examples
    --------
    >>> from remission.study import Arm
    >>> table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    return lay_out(rows, NAMES, study.arm_keys)


def sentence(rows: pd.DataFrame, study: Study, paramcd: str = "TTRLP") -> str:
    """Say what the ongoing remissions can and cannot show.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.
    study : Study
    paramcd : str

    Returns
    -------
    str
        Markdown, a line an arm and one for the contrast; one reason where there is nothing to say.

    Examples
    --------
    >>> from remission.study import Arm
    >>> sentence(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    '*This cohort does not record the endpoint TTRLP.*'
    """
    if rows.empty:
        return f"*This cohort does not record the endpoint {paramcd}.*"
    stems = {arm: f"cure.{paramcd}.all.{arm}" for arm in study.arm_keys}
    lines = [f"- **{arm}.** Ongoing: {display(rows, f'{stem}.ongoing')}. {_model_words(rows, stem)} "
             f"{_enough_words(rows, stem)}"
             for arm, stem in stems.items() if display(rows, f"{stem}.ongoing") is not None]
    stem = f"cure.{paramcd}.all.{study.contrast}"
    if display(rows, f"{stem}.ongoing_difference") is not None:
        lines.append(f"- **{study.contrast}.** Difference between the ongoing shares "
                     f"{display(rows, f'{stem}.ongoing_difference')}; Fisher's exact test "
                     f"{display(rows, f'{stem}.ongoing_p')}.")
    return "\n".join(lines)


def _model_words(rows: pd.DataFrame, stem: str) -> str:
    found = {family: results.pick(rows, f"{stem}.fraction[{family}]") for family in mixture.FAMILIES}
    if found["Weibull"].isna()["value"]:
        return f"Cure model {found['Weibull']['display']}."
    shown = "; ".join(f"{row['display']} with {family} times, against no cure "
                      f"{display(rows, f'{stem}.no_cure_p[{family}]')}" for family, row in found.items())
    inside = [family for family, row in found.items() if row["lower"] == 0]
    if all(row["value"] == 0 for row in found.values()):
        end = "Nobody cured fits best."
    elif len(inside) == 1:
        end = (f"The {inside[0]} interval contains 0 and the other does not: the answer hangs on the shape of a tail "
               "that nobody observed.")
    else:
        end = "Both intervals contain 0: nobody cured, with a long tail, is compatible with these times." if inside \
            else "Neither interval contains 0."
    return f"Cured fraction {shown}. {end}"


def _enough_words(rows: pd.DataFrame, stem: str) -> str:
    found = results.pick(rows, f"{stem}.sufficiency")
    if math.isnan(found["value"]):
        return "Without an event there is no plateau to judge."
    word = "long enough" if found["value"] < 0.05 else "too short"
    return (f"From the last event to the last follow-up: {display(rows, f'{stem}.gap')}, {word} for a plateau by the "
            f"criterion of Maller and Zhou ({found['display']}).")


def _share_rows(group: pd.DataFrame) -> list[dict]:
    ongoing = int((group["code"] == 0).sum())
    share = proportion(ongoing, len(group))
    curve = curves.kaplan_meier(group)
    events = curve[curve["events"] > 0]
    plateau = Estimate(*events.iloc[-1][["survival", "lower", "upper"]]) if len(events) else Estimate(1.0, 1.0, 1.0)
    after = int((group["time"] > events["time"].iloc[-1]).sum()) if len(events) else len(group)
    return [{"statistic": "ongoing", "value": ongoing, "lower": 100 * share.lower, "upper": 100 * share.upper,
             "unit": "n", "method": "under observation without event or death; Clopper-Pearson 95% interval, in %",
             "display": wording.count_of(ongoing, len(group), share)},
            {"statistic": "plateau", "value": plateau.value, "lower": plateau.lower, "upper": plateau.upper,
             "unit": "probability", "method": "Kaplan-Meier at the last event; Greenwood 95% interval, log-log",
             "display": f"{wording.percent_interval(plateau)}, {after} at risk"}]


def _model_rows(fitted: dict[str, mixture.Cure], study: Study) -> list[dict]:
    made = []
    for family, found in fitted.items():
        words = METHOD.format(family)
        share = Estimate(*(round(value, mixture.DECIMALS) for value in (found.best.fraction, found.lower, found.upper)))
        # A fraction of exactly 0 at its lower limit still has an upper one.
        shown = f"{wording.percent(share.value)}% (95% CI {wording.percent(share.lower)} to " \
                f"{wording.percent(share.upper)})" if not found.note else f"not estimable: {found.note}"
        made += [{"statistic": f"fraction[{family}]", "value": share.value, "lower": share.lower, "upper": share.upper,
                  "unit": "probability", "method": f"{words}; profile-likelihood 95% interval", "display": shown},
                 {"statistic": f"no_cure_p[{family}]", "value": float(f"{found.p:.6g}"), "unit": "p",
                  "method": f"{words}; likelihood ratio against no cure, half of the null distribution at zero",
                  "display": wording.p_value(found.p, found.note)}]
        if family == mixture.FAMILIES[0]:
            median = math.nan if found.note else round(mixture.median_not_cured(found.best, family), 3)
            made.append({"statistic": "median_not_cured", "value": median, "unit": "d", "method": words,
                         "display": f"not estimable: {found.note}" if found.note
                         else wording.duration(median, study.report_unit)})
    return made


def _followup_rows(group: pd.DataFrame, study: Study) -> list[dict]:
    gap, alpha, recent = mixture.sufficiency(group)
    none = math.isnan(alpha)
    shown = "not estimable: no events" if none else f"alpha {'< 0.0001' if alpha < 0.0001 else f'= {alpha:.2g}'}"
    return [{"statistic": "gap", "value": gap, "unit": "d", "method": "last event to last follow-up of the arm",
             "display": "not estimable: no events" if none else wording.duration(gap, study.report_unit)},
            {"statistic": "sufficiency", "value": alpha, "unit": "p", "display": shown,
             "method": f"Maller-Zhou, (1 - N / n) ** n with N = {recent} events within one gap before the last event; "
                       "below 0.05 follow-up counts as long enough"}]


def _difference_rows(one: pd.DataFrame, reference: pd.DataFrame) -> list[dict]:
    first, second = (int((group["code"] == 0).sum()) for group in (one, reference))
    lower, upper = confint_proportions_2indep(first, len(one), second, len(reference), method="newcomb",
                                              compare="diff")
    value = first / len(one) - second / len(reference)
    p = float(fisher_exact([[first, len(one) - first], [second, len(reference) - second]]).pvalue)
    return [{"statistic": "ongoing_difference", "value": value, "lower": float(lower), "upper": float(upper),
             "unit": "probability", "method": "difference of proportions; Newcombe 95% interval, hybrid score",
             "display": f"{100 * value:+.1f} percentage points (95% CI {100 * lower:+.1f} to {100 * upper:+.1f})"},
            {"statistic": "ongoing_p", "value": p, "unit": "p", "method": "Fisher's exact test, two-sided",
             "display": wording.p_value(p)}]
