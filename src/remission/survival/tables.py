"""Results laid out for reading: tables and sentences made from rows, never from numbers typed again."""

from __future__ import annotations

import pandas as pd

from remission import results
from remission.study import Study
from remission.survival.endpoints import CAUSES

#: Statistics in the words of a table's first column.
NAMES = {
    ("km", "median"): "median", ("km", "median_first"): "median, first time at one half or below",
    ("km", "q25"): "first quartile", ("km", "q75"): "third quartile",
    ("range", "min"): "shortest, with event", ("range", "max_event"): "longest, with event",
    ("range", "min_any"): "shortest, any", ("range", "max_any"): "longest, any",
    ("range", "plain_median"): "plain median (censoring ignored)",
    ("followup", "median"): "median follow-up, reverse Kaplan-Meier",
    ("logrank", "chi2"): "log-rank chi-squared", ("logrank", "p"): "log-rank test",
    ("logrank", "p_one_sided"): "log-rank test, one-sided",
    ("weighted_logrank", "gehan_chi2"): "Gehan chi-squared", ("weighted_logrank", "gehan_p"): "Gehan's test",
    **{("weighted_logrank", f"fh{rho}{gamma}_{end}"): f"Fleming-Harrington ({rho}, {gamma}) {words}"
       for rho, gamma in ((1, 0), (0, 1), (1, 1)) for end, words in (("chi2", "chi-squared"), ("p", "test"))},
    ("cox", "HR"): "hazard ratio", ("cox", "p"): "Wald test of the hazard ratio",
    ("cox_profile", "HR"): "hazard ratio, profile-likelihood interval", ("cox_profile", "p"): "likelihood-ratio test",
    ("firth", "HR"): "hazard ratio, Firth's penalty", ("firth", "p"): "penalised likelihood-ratio test",
    **{("cause_specific", f"{cause}_{end}"): f"{words}, {cause.replace('_', ' ')}"
       for cause in CAUSES.values()
       for end, words in (("HR", "cause-specific hazard ratio"), ("p", "Wald test"),
                          ("firth_HR", "cause-specific hazard ratio, Firth's penalty"),
                          ("firth_p", "penalised likelihood-ratio test"))},
    ("ph", "chi2"): "proportional hazards chi-squared", ("ph", "p"): "test of proportional hazards",
    ("gray", "relapse_chi2"): "Gray chi-squared, relapse", ("gray", "relapse_p"): "Gray's test, relapse",
    ("gray", "death_in_remission_chi2"): "Gray chi-squared, death in remission",
    ("gray", "death_in_remission_p"): "Gray's test, death in remission",
    ("status", "relapse"): "relapse", ("status", "death_in_remission"): "death in remission",
    ("status", "ongoing"): "ongoing remission", ("status", "not_evaluable"): "not evaluable",
    ("site", "CNS"): "isolated CNS relapse, of relapses", ("site", "CNS_any"): "any CNS relapse, of relapses",
    ("site", "unknown"): "site not recorded, of relapses",
    ("count", "n"): "patients", ("count", "usable"): "patients with usable dates",
}
#: What it means not to have had the event.
WITHOUT_EVENT = {"TTRLP": "free of relapse", "RFS": "alive without relapse", "OSDX": "alive", "OSMT": "alive",
                 "MTDUR": "on maintenance"}
#: Statistics at a fixed time or up to a horizon.
AT = {
    ("km", "survival"): "{free} at {time}",
    ("rmst", "mean"): "restricted mean up to {time}", ("rmst", "difference"): "difference of the means up to {time}",
    ("rmst", "p"): "test of that difference up to {time}",
    ("milestone", "difference"): "difference, {free} at {time}",
    ("milestone", "p"): "test of that difference at {time}",
}


def table(rows: pd.DataFrame, contrasts: bool = False) -> pd.DataFrame:
    """Lay results out for reading: a line a statistic, a column an arm.

    Parameters
    ----------
    rows : DataFrame
        Results of one endpoint.
    contrasts : bool
        Show the comparisons of arms instead of the arms.

    Returns
    -------
    DataFrame
        `statistic` and one column of display strings for each arm (or contrast), in the order of `rows`; no rows when
        there is nothing of the kind.

    Examples
    --------
    >>> table(results.frame([results.row("count", "-", "all", "IM", "n", 12, method="count", display="12")]))
      statistic  IM
    0  patients  12
    """
    rows = rows[rows["arm"].str.contains(" vs ", regex=False) == contrasts]
    rows = rows[~rows["statistic"].str.endswith("_percent")]  # the count shows its percentage already
    if rows.empty:
        return pd.DataFrame(columns=["statistic"])
    analysis = rows["analysis"].str.replace("_truncated", "", regex=False)
    keys = zip(analysis, rows["statistic"], rows["endpoint"], strict=True)
    named = rows.assign(statistic=[NAMES.get(key[:2], _at(*key)) for key in keys])
    wide = named.pivot_table(index="statistic", columns="arm", values="display", aggfunc="first", observed=True)
    wide = wide.reindex(index=pd.unique(named["statistic"]), columns=pd.unique(named["arm"]))
    return wide.fillna("").reset_index().rename_axis(columns=None)


def _at(analysis: str, statistic: str, paramcd: str) -> str:
    """Words for a statistic at a fixed time: `survival[1 year]` of OSDX is being alive at 1 year."""
    name, _, time = statistic.rstrip("]").partition("[")
    words = AT.get((analysis, name), name.replace("_", " ") + (" at {time}" if time else ""))
    return words.format(time=time, free=WITHOUT_EVENT.get(paramcd, ""))


def definition_grid(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Set the same contrast under each event rule side by side.

    Parameters
    ----------
    rows : DataFrame
        Results of TTRLP and RFS, and of the competing-risks analysis.
    study : Study

    Returns
    -------
    DataFrame
        One line a definition: what counts, events, medians by arm, hazard ratio, test. Empty without a contrast.

    Examples
    --------
    >>> from remission.study import Arm
    >>> definition_grid(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    if not study.contrast:
        return pd.DataFrame()
    lines = []
    for counts, code, test, statistic in (
            ("relapse; death in remission censored", "TTRLP", "logrank", "p"),
            ("relapse or death in remission", "RFS", "logrank", "p"),
            ("relapse; death in remission competing", "TTRLP", "gray", "relapse_p")):
        found = {row.result_id: row for row in rows.itertuples()}
        stem = f"{code}.all.{study.contrast}"
        if f"{test}.{stem}.{statistic}" not in found:
            continue
        medians = {f"median, {arm}": found[f"km.{code}.all.{arm}.median"].display for arm in study.arm_keys}
        if test == "gray":  # a median of time to relapse means nothing where a patient can die first
            medians = dict.fromkeys(medians, "")
        p = found[f"{test}.{stem}.{statistic}"]
        lines.append({"event": counts, "events": p.events, **medians,
                      "hazard ratio": "" if test == "gray" else found[f"cox.{stem}.HR"].display,
                      "test": f"{'Gray' if test == 'gray' else 'log-rank'} {p.display}"})
    return pd.DataFrame(lines)


def together(*parts: pd.DataFrame) -> pd.DataFrame:
    """Several result frames as one; a name given twice is an error.

    Examples
    --------
    >>> len(together(results.frame([]), results.frame([])))
    0
    """
    return results.frame(row for part in parts for row in part.to_dict("records"))


def range_conventions(rows: pd.DataFrame, paramcd: str) -> str:
    """Say for each arm whether a printed range would depend on its convention.

    Parameters
    ----------
    rows : DataFrame
        From `report.analyse`.
    paramcd : str

    Returns
    -------
    str
        Markdown; empty when the cohort lacks the endpoint.

    Examples
    --------
    >>> one = [results.row("range", "TTRLP", "all", "A", name, 9, method="", display="9 days")
    ...        for name in ("min", "max_event", "min_any", "max_any")]
    >>> range_conventions(results.frame(one), "TTRLP")
    'A: 9 days to 9 days, under either convention.'
    """
    mine = rows[(rows["analysis"] == "range") & (rows["endpoint"] == paramcd)]
    said = []
    for arm in pd.unique(mine["arm"]):
        by_name = mine[mine["arm"] == arm].set_index("statistic")
        shown = by_name["display"]
        events, everybody = f"{shown['min']} to {shown['max_event']}", f"{shown['min_any']} to {shown['max_any']}"
        if by_name.loc["min", "value"] != by_name.loc["min", "value"]:
            said.append(f"{arm}: no events, so only the range of all times exists, {everybody}.")
        elif events == everybody:
            said.append(f"{arm}: {events}, under either convention.")
        else:
            said.append(f"{arm}: {events} over patients with the event, {everybody} over everybody.")
    return " ".join(said)


def reading(rows: pd.DataFrame, study: Study, paramcd: str) -> str:
    """Read an endpoint's results aloud, in one or two sentences.

    Parameters
    ----------
    rows : DataFrame
        From `report.analyse`.
    study : Study
    paramcd : str

    Returns
    -------
    str
        Markdown; says so when there is no contrast or no endpoint.

    Examples
    --------
    >>> from remission.study import Arm
    >>> median = results.row("km", "TTRLP", "all", "A", "median", 9, n=4, events=3, method="", display="9 days")
    >>> reading(results.frame([median]), Study("demo", "own", "", "", (Arm("A", "A"),)), "TTRLP")
    '**TTRLP.** A: median 9 days, 3 events in 4 patients. One arm only: nothing to compare.'
    """
    medians = rows[(rows["analysis"] == "km") & (rows["endpoint"] == paramcd) & (rows["statistic"] == "median")
                   & rows["arm"].isin(study.arm_keys)]
    if medians.empty:
        return f"*This cohort does not record the endpoint {paramcd}.*"
    label = study.endpoint_labels.get(paramcd, paramcd)
    said = "; ".join(f"{row.arm}: median {row.display}, {row.events} events in {row.n} patients"
                     for row in medians.itertuples())
    if not study.contrast:
        return f"**{label}.** {said}. One arm only: nothing to compare." if len(study.arms) == 1 else \
            f"**{label}.** {said}. A contrast is reported for two arms only."
    found = {row.result_id: row.display for row in rows.itertuples()}
    stem = f"{paramcd}.all.{study.contrast}"
    if f"cox.{stem}.HR" not in found:
        return f"**{label}.** {said}. Only one arm has usable times: nothing to compare."
    return (f"**{label}.** {said}. Hazard ratio, {study.contrast}: {found[f'cox.{stem}.HR']}; "
            f"log-rank {found[f'logrank.{stem}.p']}.")
