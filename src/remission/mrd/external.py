"""Contrasts that others published, brought to the scale on which the markers of a cohort are judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from remission import paths, results
from remission.errors import ContractError, Problem
from remission.estimators.level import Z
from remission.mrd.markers import MARKERS
from remission.study import DAYS, Study

COLUMNS = ["id", "marker", "contrast", "favourable", "unfavourable", "endpoint", "origin", "marker_known", "n",
           "n_unfavourable", "events", "favourable_median", "unfavourable_median", "unit", "p", "source", "note"]
NUMBERS = ["n", "n_unfavourable", "events", "favourable_median", "unfavourable_median", "p"]
#: Columns without which a contrast means nothing.
NEEDED = ["id", "marker", "source", "origin", "endpoint", "favourable_median", "unfavourable_median", "unit"]
MADE = ["id", "marker", "method", "HR", "lower", "upper", "most_events", "implied_events", "consistent", "note"]
#: How a hazard ratio was reached.
MEDIANS_P, MEDIANS_EVENTS, MEDIANS, P_EVENTS = ("medians and p", "medians and events", "medians alone", "p and events")


def read_external(study: Study) -> pd.DataFrame:
    """Read a cohort's `external.csv`; a cohort without published contrasts has an empty one.

    Parameters
    ----------
    study : Study

    Returns
    -------
    DataFrame
        One row a contrast, columns `COLUMNS`; numbers as numbers, the rest text.

    Raises
    ------
    ContractError
        When columns are missing, a cell that is needed is blank, a marker or unit is unknown, or a number is none or
        impossible; every fault at once.

    Examples
    --------
    >>> from remission.study import read
    >>> read_external(read("freireich1963")).empty
    True
    """
    path = paths.raw(study.name) / "external.csv"
    if not path.is_file():
        return pd.DataFrame(columns=COLUMNS)
    given = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [name for name in COLUMNS if name not in given]
    if missing:
        raise ContractError(study.name, [Problem("external", name, (), "column missing", "add it, blank where unknown")
                                         for name in missing])
    numbers = given[NUMBERS].apply(pd.to_numeric, errors="coerce").astype(float)
    problems = _problems(given, numbers)
    if problems:
        raise ContractError(study.name, problems)
    return given[COLUMNS].assign(**{name: numbers[name] for name in NUMBERS})


def _problems(given: pd.DataFrame, numbers: pd.DataFrame) -> list[Problem]:
    found = []

    def ask(column: str, wrong: pd.Series, what: str, mend: str) -> None:
        if wrong.any():
            found.append(Problem("external", column, tuple(given.index[wrong] + 2), what, mend))

    for name in NEEDED:
        ask(name, given[name].str.strip() == "", "blank", "every contrast needs it")
    for name in NUMBERS:
        ask(name, (given[name].str.strip() != "") & numbers[name].isna(), "no number", "a number, or blank if unknown")
        ask(name, numbers[name] <= 0, "not above 0", "as printed")
    ask("p", numbers["p"] >= 1, "not below 1", "as printed, or blank")
    ask("n_unfavourable", numbers["n_unfavourable"] >= numbers["n"], "not below n", "patients of one group only")
    ask("events", numbers["events"] > numbers["n"], "more than patients", "each patient has at most one")
    ask("marker", ~given["marker"].isin([one.key for one in MARKERS]), "unknown marker",
        f"one of {', '.join(one.key for one in MARKERS)}")
    ask("unit", ~given["unit"].isin(list(DAYS)), "unknown unit", f"one of {', '.join(DAYS)}")
    ask("id", given["id"].duplicated(), "given twice", "one name a contrast")
    return found


def hazard_ratios(published: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios behind printed medians, p-values and numbers of events.

    Parameters
    ----------
    published : DataFrame
        From `read_external`.

    Returns
    -------
    DataFrame
        Columns `MADE`, one row a contrast and way of getting there. `medians and p`: inverse ratio of the medians, its
        interval from p (standard error = |log HR| / z). `medians and events`: no p printed, standard error 1 /
        sqrt(events * share * (1 - share)), the smallest that so many events allow. `medians alone`: neither. `p and
        events`: log HR = z * that standard error, on the side of the medians. Where the number of events is not
        printed, all patients count as events, so the ratio from p is the least that is possible; where the sizes of
        the groups are not printed, they count as equal. `implied_events`: how many events the medians and p would
        take together; `consistent` is N where that is more than there can have been.

    Notes
    -----
    Source: Parmar, Torri and Stewart, Stat Med 1998;17:2815; Tierney and others, Trials 2007;8:16. Ratio of medians:
    exponential times.

    Examples
    --------
    >>> one = pd.DataFrame({"id": ["x"], "marker": ["mutation"], "n": [40.0], "n_unfavourable": [20.0],
    ...                     "events": [30.0], "favourable_median": [20.0], "unfavourable_median": [10.0], "p": [0.05]})
    >>> hazard_ratios(one)[["method", "HR"]].round(2).values.tolist()
    [['medians and p', 2.0], ['p and events', 2.05]]
    """
    made = [line for one in published.itertuples() for line in _lines(one)]
    return pd.DataFrame(made, columns=MADE)


def _lines(one) -> list[list[Any]]:
    most = one.events if not math.isnan(one.events) else one.n
    share = 0.5 if math.isnan(one.n_unfavourable) else one.n_unfavourable / one.n
    spread = share * (1 - share)
    least_se = math.nan if math.isnan(most) else 1 / math.sqrt(most * spread)
    log_ratio = math.log(one.favourable_median / one.unfavourable_median)
    if math.isnan(one.p) or log_ratio == 0:
        method, why = ((MEDIANS, "neither p nor number of patients printed: no interval") if math.isnan(least_se) else
                       (MEDIANS_EVENTS, "no p printed: the interval is as narrow as so many events allow"))
        return [[one.id, one.marker, method, *_limits(log_ratio, least_se), most, math.nan, "", why]]
    z = float(norm.isf(one.p / 2))
    implied = (z / log_ratio) ** 2 / spread
    fits = math.isnan(most) or implied <= most
    why = "" if fits else (f"medians and p do not fit one constant hazard ratio: together they would take "
                           f"{math.ceil(implied)} events, and there were at most {most:g}")
    first = [one.id, one.marker, MEDIANS_P, *_limits(log_ratio, abs(log_ratio) / z), most, implied,
             "Y" if fits else "N", why]
    if math.isnan(least_se):
        return [first]
    at_least = "" if not math.isnan(one.events) else "events not printed: every patient counts as one, so at least this"
    second = [one.id, one.marker, P_EVENTS, *_limits(math.copysign(z * least_se, log_ratio), least_se), most, math.nan,
              "", at_least]
    return [first, second]


def _limits(log_ratio: float, se: float) -> tuple[float, float, float]:
    return math.exp(log_ratio), math.exp(log_ratio - Z * se), math.exp(log_ratio + Z * se)


def external_rows(published: pd.DataFrame) -> pd.DataFrame:
    """Published contrasts as results.

    Parameters
    ----------
    published : DataFrame
        From `read_external`.

    Returns
    -------
    DataFrame
        Results `external.<marker>.published.<id>.HR[<method>]`.

    Examples
    --------
    >>> external_rows(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    by_id = published.set_index("id")
    made = []
    for one in hazard_ratios(published).itertuples():
        about = by_id.loc[one.id]
        note = f"; {one.note}" if one.note else ""
        made.append(results.row(
            "external", one.marker, "published", one.id, f"HR[{one.method}]", one.HR, lower=one.lower, upper=one.upper,
            unit="HR", n=None if math.isnan(about["n"]) else int(about["n"]),
            events=None if math.isnan(about["events"]) else int(about["events"]),
            method=f"{one.method}, exponential times; {about['source']}; {about['endpoint']}, origin "
                   f"{about['origin']}{note}", display=display(one)))
    return results.frame(made)


def display(one) -> str:
    """A published hazard ratio with its interval, for a reader.

    Examples
    --------
    >>> display(pd.Series({"HR": 2.54, "lower": 1.41, "upper": 4.6}))
    '2.54 (95% CI 1.41 to 4.60)'
    """
    return f"{one.HR:.2f}" + ("" if math.isnan(one.lower) else f" (95% CI {one.lower:.2f} to {one.upper:.2f})")


def external_table(published: pd.DataFrame) -> pd.DataFrame:
    """Published contrasts for reading.

    Parameters
    ----------
    published : DataFrame
        From `read_external`.

    Returns
    -------
    DataFrame
        `published`, `contrast`, `endpoint`, `time origin`, `marker known`, `medians`, `p`, `patients`, `HR`, `reached
        by`, `remark`; what belongs to the contrast stands in its first row.

    Examples
    --------
    >>> external_table(pd.DataFrame(columns=COLUMNS)).empty
    True
    """
    by_id, made, seen = published.set_index("id"), [], set()
    for one in hazard_ratios(published).itertuples():
        about = by_id.loc[one.id]
        medians = f"{about['favourable_median']:g} against {about['unfavourable_median']:g} {about['unit']}s"
        whole = [one.id, f"{about['contrast']}: {about['favourable']} against {about['unfavourable']}",
                 about["endpoint"], about["origin"], about["marker_known"], medians,
                 "not printed" if math.isnan(about["p"]) else f"{about['p']:g}",
                 "not printed" if math.isnan(about["n"]) else f"{about['n']:g}"]
        made.append([*(whole if one.id not in seen else [""] * len(whole)), display(one), one.method, one.note])
        seen.add(one.id)
    return pd.DataFrame(made, columns=["published", "contrast", "endpoint", "time origin", "marker known", "medians",
                                       "p", "patients", "HR", "reached by", "remark"])


def against_cohort(published: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Whether this cohort's intervals can tell a published ratio from no effect.

    Parameters
    ----------
    published : DataFrame
        From `read_external`.
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    DataFrame
        One row a published ratio and arm: `id`, `marker`, `method`, `HR`, `arm`, `lower`, `upper` (Firth interval
        here), `holds_published`, `holds_one` (Y or N), `difference_p`: two-sided p of the difference between both log
        hazard ratios, standard errors from the intervals; NaN where either has none.

    Examples
    --------
    >>> against_cohort(pd.DataFrame(columns=COLUMNS), results.frame([])).empty
    True
    """
    made = []
    labels = {marker.key: marker.label for marker in MARKERS}
    fits = rows[(rows["analysis"] == "mrd") & (rows["statistic"] == "HR")]
    for one in hazard_ratios(published).itertuples():
        for fit in fits[fits["endpoint"] == one.marker].itertuples():
            if math.isnan(fit.value):
                continue
            logs = np.log([one.HR, one.lower, one.upper, fit.value, fit.lower, fit.upper])
            spread = math.hypot((logs[2] - logs[1]) / (2 * Z), (logs[5] - logs[4]) / (2 * Z))
            p = float(2 * norm.sf(abs(logs[0] - logs[3]) / spread)) if spread > 0 else math.nan
            made.append([one.id, labels[one.marker], one.method, one.HR, fit.arm, fit.lower, fit.upper,
                         "Y" if fit.lower <= one.HR <= fit.upper else "N", "Y" if fit.lower <= 1 <= fit.upper else "N",
                         p])
    return pd.DataFrame(made, columns=["id", "marker", "method", "HR", "arm", "lower", "upper", "holds_published",
                                       "holds_one", "difference_p"])


def external_in_words(published: pd.DataFrame, rows: pd.DataFrame) -> str:
    """What the published contrasts say beside this cohort, in a sentence each.

    Parameters
    ----------
    published : DataFrame
        From `read_external`.
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    str

    Examples
    --------
    >>> external_in_words(pd.DataFrame(columns=COLUMNS), results.frame([]))
    'No published contrast is on file for this cohort.'
    """
    if published.empty:
        return "No published contrast is on file for this cohort."
    held, found, words = against_cohort(published, rows), hazard_ratios(published), []
    for about in published.itertuples():
        ratios = found[found["id"] == about.id]
        said = " or ".join(f"{display(one)} ({one.method})" for one in ratios.itertuples())
        here = held[held["id"] == about.id]
        both = here[(here["holds_published"] == "Y") & (here["holds_one"] == "Y")]
        beside = ("No interval of this cohort stands beside it." if here.empty else
                  f"Of {len(here)} comparisons with this cohort, the interval here holds both that ratio and 1 in "
                  f"{len(both)}.")
        odd = ratios.loc[ratios["consistent"] == "N", "note"]
        words.append(f"**{about.id}** ({about.source}): {about.contrast}, hazard ratio {said}. {beside}"
                     + "".join(f" {one[0].upper()}{one[1:]}." for one in odd))
    return "\n\n".join(words)
