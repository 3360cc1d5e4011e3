"""Posteriors of every marker comparison as results, as a table and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import partial
from remission.mrd import bayes, evidence
from remission.mrd.markers import MARKERS, Marker, arms_to_test, contrast_width, marker_frame
from remission.study import Study

#: Probabilities of a posterior, with what a reader is told.
CHANCES = {"above_one": "HR above 1", "above_margin": "HR above the upper margin", "within": "HR within the margins",
           "below_margin": "HR below the lower margin"}
TABLE = ["arm", "marker", "prior", "posterior HR", "P(HR > 1)", "P(within margins)", "P(above margin)",
         "P(below margin)", "normal shortcut"]


class Comparison(NamedTuple):
    """One marker in one arm: its patients, its likelihood on the scale on which it is judged, its ordinary fit."""

    arm: str
    marker: Marker
    patients: int
    events: int
    grid: bayes.Grid
    log_ratio: float
    se: float
    note: str


def comparisons(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> Iterator[Comparison]:
    """Likelihood of every marker in every arm that can be tested; all arms together are stratified by arm.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study

    Returns
    -------
    iterator of Comparison
        Continuous markers per interquartile range, as for the verdicts.

    Examples
    --------
    >>> from remission import schema
    >>> list(comparisons(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                  schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ())))
    []
    """
    margins = tuple(rules(study)["margins"])
    for arm in arms_to_test(endpoint, admk, study):
        mine = endpoint if arm == "all" else endpoint[endpoint["arm"] == arm]
        for marker in MARKERS:
            data = marker_frame(mine, admk, marker)
            if data.empty:
                continue
            x = data["risk"].to_numpy(float) / contrast_width(data["risk"], marker)
            strata = data["arm"].to_numpy() if arm == "all" else None
            records = partial.prepare(data["time"], data["event"], x, strata=strata)
            fit = partial.fit(records)
            log_ratio = math.nan if fit.note else float(fit.coefficients[0])
            se = math.nan if fit.note else math.sqrt(fit.covariance[0, 0])
            yield Comparison(arm, marker, len(data), int(data["event"].sum()),
                             bayes.likelihood(data["time"], data["event"], x, strata, margins), log_ratio, se, fit.note)


def posterior_rows(endpoint: pd.DataFrame, admk: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Posterior of every comparison under both priors.

    Parameters
    ----------
    endpoint, admk : DataFrame
        As in `analyse_markers`.
    study : Study
        Margins, and with them the priors, come from `[mrd]`.

    Returns
    -------
    DataFrame
        Results `posterior.<marker>.all.<arm>.<statistic>`: for each prior `HR[prior]` (median, 95% credible interval;
        grid), `HR[prior, normal]` (conjugate shortcut), `above_one[prior]`, `above_margin[prior]`, `within[prior]`,
        `below_margin[prior]` (%); and `verdict`.

    Examples
    --------
    >>> from remission import schema
    >>> posterior_rows(pd.DataFrame(columns=["patient", "arm", "time", "event"]),
    ...                schema.empty(schema.ANALYSIS["admk"]), Study("demo", "own", "", "", ())).empty
    True
    """
    margins = tuple(rules(study)["margins"])
    made: list[dict[str, Any]] = []
    for one in comparisons(endpoint, admk, study):
        found = {prior.name: bayes.grid_posterior(one.grid, prior, margins) for prior in bayes.priors(margins)}
        for prior in bayes.priors(margins):
            made += _prior_rows(one, prior, found[prior.name], margins)
        sceptic, enthusiast = found["sceptical"], found["enthusiastic"]
        said = evidence.posterior_verdict(sceptic.above_one, 1 - sceptic.above_one,
                                          min(sceptic.within, enthusiast.within))
        made.append(_row(one, "verdict", math.nan, display=said, method=f"for: P(HR > 1) above "
                         f"{100 * evidence.CONVINCED:g}% to the sceptic; against: P(within margins) above "
                         f"{100 * evidence.GIVEN_UP:g}% to both"))
    return results.frame(made)


def _prior_rows(one: Comparison, prior: bayes.Prior, found: bayes.Posterior,
                margins: tuple[float, float]) -> list[dict[str, Any]]:
    groups = f"{one.marker.words[1]} against {one.marker.words[0]}"
    what = "per interquartile range" if one.marker.continuous else groups
    within = ", stratified by arm" if one.arm == "all" else ""
    how = f"{prior.name} normal prior {prior.words}; {what}"
    grid = f"posterior median and central interval, partial likelihood (Efron ties{within}) on a grid; {how}"
    short = bayes.normal_posterior(one.log_ratio, one.se, prior, margins, one.note)
    normal = f"posterior from the Cox estimate and its standard error (Efron ties{within}), conjugate normal; {how}"
    made = [_row(one, f"HR[{prior.name}]", found.median, lower=found.lower, upper=found.upper, unit="HR", method=grid,
                 display=_ratio(found)),
            _row(one, f"HR[{prior.name}, normal]", short.median, lower=short.lower, upper=short.upper, unit="HR",
                 method=normal, display=_ratio(short))]
    for name, words in CHANCES.items():
        value = 100 * getattr(found, name)
        made.append(_row(one, f"{name}[{prior.name}]", value, unit="%",
                         method=f"posterior probability of {words}; {how}",
                         display="not estimable" if math.isnan(value) else chance(value / 100)))
    return made


def _row(one: Comparison, statistic: str, value: float, **details) -> dict[str, Any]:
    return results.row("posterior", one.marker.key, "all", one.arm, statistic, value, n=one.patients, events=one.events,
                       **details)


def _ratio(found: bayes.Posterior) -> str:
    if found.note:
        return f"not estimable: {found.note}"
    return f"{found.median:.2f} (95% CrI {found.lower:.2f} to {found.upper:.2f})"


def chance(value: float) -> str:
    """A probability in percent that never claims certainty.

    Examples
    --------
    >>> chance(0.123), chance(0.9996), chance(0.0002)
    ('12%', '>99%', '<1%')
    """
    percent = 100 * value
    return ">99%" if percent > 99 else "<1%" if percent < 1 else f"{percent:.0f}%"


def posterior_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Posteriors for reading, a line a comparison and prior.

    Parameters
    ----------
    rows : DataFrame
        From `posterior_rows`.

    Returns
    -------
    DataFrame
        Columns `TABLE`; `normal shortcut` is the conjugate answer to the same question.

    Examples
    --------
    >>> posterior_table(results.frame([])).empty
    True
    """
    shown = rows.set_index(["arm", "endpoint", "statistic"])["display"]
    labels = {marker.key: marker.label for marker in MARKERS}
    made = []
    for arm, key in dict.fromkeys(zip(rows["arm"], rows["endpoint"], strict=True)):
        made += [[arm, labels[key], prior, *(shown[arm, key, f"{name}[{prior}]"] for name in (
            "HR", "above_one", "within", "above_margin", "below_margin")), shown[arm, key, f"HR[{prior}, normal]"]]
            for prior in ("sceptical", "enthusiastic")]
    return pd.DataFrame(made, columns=TABLE)


def posterior_gap(rows: pd.DataFrame) -> pd.DataFrame:
    """How far sceptic and enthusiast still stand apart.

    Parameters
    ----------
    rows : DataFrame
        From `posterior_rows`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `relapses`, posterior medians `sceptic` and `enthusiast`, and `apart`, their ratio. Before the
        data it was the upper margin; 1 would be agreement. Comparisons that tell nothing are left out.

    Examples
    --------
    >>> posterior_gap(results.frame([])).empty
    True
    """
    value = rows.set_index(["arm", "endpoint", "statistic"])["value"]
    labels, made = {marker.key: marker.label for marker in MARKERS}, []
    for one in rows[rows["statistic"] == "verdict"].itertuples():
        sceptic, enthusiast = (value[one.arm, one.endpoint, f"HR[{prior}]"] for prior in ("sceptical", "enthusiastic"))
        if not math.isnan(sceptic):
            made.append([one.arm, labels[one.endpoint], one.events, sceptic, enthusiast, enthusiast / sceptic])
    return pd.DataFrame(made, columns=["arm", "marker", "relapses", "sceptic", "enthusiast", "apart"])


def priors_in_words(study: Study) -> str:
    """The two priors, exactly, and what they are worth in events.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str

    Examples
    --------
    >>> priors_in_words(Study("demo", "own", "", "", ())).splitlines()[0]
    '- **sceptical**: log hazard ratio normal with mean 0.000 and SD 0.421; centred on 1, 5% above 2 and 5% below 0.5.'
    """
    both = bayes.priors(tuple(rules(study)["margins"]))
    lines = [f"- **{one.name}**: log hazard ratio normal with mean {one.mean:.3f} and SD {one.sd:.3f}; {one.words}."
             for one in both]
    return "\n".join([*lines, f"- Each is worth about {bayes.worth(both[0]):.0f} relapses in two equal groups: with "
                      "fewer relapses than that, the posterior is more opinion than data."])


def posterior_in_words(rows: pd.DataFrame, study: Study) -> str:
    """How far the data moved the two opinions, in a paragraph an arm.

    Parameters
    ----------
    rows : DataFrame
        From `posterior_rows`.
    study : Study

    Returns
    -------
    str

    Examples
    --------
    >>> posterior_in_words(results.frame([]), Study("demo", "own", "", "", ()))
    'No marker is known in this cohort: the priors stay as they were.'
    """
    if rows.empty:
        return "No marker is known in this cohort: the priors stay as they were."
    labels, paragraphs = {marker.key: marker.label for marker in MARKERS}, []
    low, high = rules(study)["margins"]
    for arm in dict.fromkeys(rows["arm"]):
        mine = rows[rows["arm"] == arm]
        said = mine[mine["statistic"] == "verdict"]
        words = [f"**{'All arms together' if arm == 'all' else arm}.**"]
        for verdict in dict.fromkeys(said["display"]):
            names = "; ".join(labels[key] for key in said.loc[said["display"] == verdict, "endpoint"])
            words.append(f"{verdict[0].upper()}{verdict[1:]}: {names}.")
        for prior, name, what in (("sceptical", "within", f"an effect between {low:g} and {high:g}"),
                                  ("enthusiastic", "within", f"an effect between {low:g} and {high:g}")):
            value = mine.loc[mine["statistic"] == f"{name}[{prior}]", "value"].dropna() / 100
            if len(value):
                words.append(f"To the {'sceptic' if prior == 'sceptical' else 'enthusiast'}, {what} has a probability "
                             f"of {_span(value)}.")
        paragraphs.append(" ".join(words))
    return "\n\n".join(paragraphs)


def _span(values: pd.Series) -> str:
    low, high = chance(values.min()), chance(values.max())
    return low if low == high else f"{low} to {high}"
