"""Guarantee-time bias: the same patients and the same marker, credited with the future or not."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.adam.adtv import POSITIVE, in_remission, remission_end
from remission.estimators import counting, wording
from remission.mrd.landmark import by_arm_and_together, fitted, landmarks, ratio
from remission.study import Study

NAIVE, UNDER, START = "naive", "naive, maintenance only", "at the origin"
CHANGING, CHANGING_UNDER = "time-dependent", "time-dependent, maintenance only"
#: Each naive design with the one that differs from it in nothing but time.
PAIRS = {"bias": (NAIVE, CHANGING), "bias[maintenance only]": (UNDER, CHANGING_UNDER)}
#: What each analysis does with the time before the first negative sample.
WORDS = {
    NAIVE: "ever negative, whenever that was: the time before counts as time of the negative",
    UNDER: "ever negative under maintenance: all patients start as what they will become",
    START: "negative by the origin: what came later is ignored",
    CHANGING: "negative so far: each day counts for what was known on it",
    CHANGING_UNDER: "negative so far under maintenance: each day counts for what was known on it",
}
TABLE = ["arm", "analysis", "who is compared", "patients", "relapses", "ever negative", "hazard ratio (Firth)",
         "log-rank"]


def first_negatives(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """First sufficiently sensitive negative sample of each patient, in time to relapse.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        `negative_lod` of `[mrd]`.

    Returns
    -------
    DataFrame
        One row a patient with at least one sample in remission that could tell: `patient`, `arm`, `time` (days to the
        end of remission), `event`, `first` (day of the first negative sample after diagnosis, blank if none came before
        the end of remission), `under` (the same from the origin on).

    Examples
    --------
    >>> from remission import schema
    >>> first_negatives(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...                 Study("demo", "own", "", "", ())).empty
    True
    """
    subject = adsl.loc[adsl["TTEFL"] == "Y", ["USUBJID", "TRT01A", "STATUS", "DXDY"]]
    subject = subject.assign(END=remission_end(adsl))
    subject = subject[(subject["END"] > 0).fillna(False).astype(bool)]
    samples = admrd[admrd["ANL01FL"] == "Y"].drop(columns="TRT01A").merge(subject, on="USUBJID", validate="many_to_one")
    after = ((samples["ADY"] - samples["DXDY"]) > 0).fillna(True).astype(bool)
    complete = (samples["MRDSTATE"] == "NEGATIVE") & (samples["LOD"] <= rules(study)["negative_lod"])
    telling = after & in_remission(samples) & (complete | samples["MRDSTATE"].isin(POSITIVE))
    samples, complete = samples[telling], complete[telling]
    made = subject[subject["USUBJID"].isin(samples["USUBJID"])].set_index("USUBJID")
    made["first"] = samples[complete].groupby("USUBJID")["ADY"].min()
    made["under"] = samples[complete & (samples["ADY"] >= 0)].groupby("USUBJID")["ADY"].min()
    return pd.DataFrame({"patient": made.index, "arm": made["TRT01A"], "time": made["END"].astype("int64"),
                         "event": (made["STATUS"] == "relapse").astype(bool), "first": made["first"].astype(float),
                         "under": made["under"].astype(float)}).reset_index(drop=True)


def designs(data: pd.DataFrame, study: Study) -> dict[str, pd.DataFrame]:
    """The same patients laid out for every analysis.

    Parameters
    ----------
    data : DataFrame
        From `first_negatives`.
    study : Study

    Returns
    -------
    dict of DataFrame
        Analysis: records `patient`, `arm`, `start`, `stop`, `event`, `never` (1: not negative, as that analysis sees
        it). At a landmark only patients still in remission are left, on a clock that starts there.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient": ["a"], "arm": "A", "time": [900], "event": True, "first": [400.0],
    ...                      "under": [400.0]})
    >>> found = designs(rows, Study("demo", "own", "", "", ()))
    >>> {name: found[name]["never"].tolist() for name in ("naive", "at the origin", "time-dependent")}
    {'naive': [0], 'at the origin': [1], 'time-dependent': [1, 0]}
    """
    fixed = {NAIVE: data["first"].notna(), UNDER: data["under"].notna(), START: data["first"] <= 0}
    made = {name: counting.whole(data.assign(never=(~negative).astype(int))) for name, negative in fixed.items()}
    for words, day in landmarks(study).items():
        there = data[data["time"] > day]
        there = there.assign(time=there["time"] - day, never=(~(there["first"] <= day)).astype(int))
        made[f"landmark {words}"] = counting.whole(there)
    for name, column in ((CHANGING, "first"), (CHANGING_UNDER, "under")):
        turned = counting.turning(data, data.set_index("patient")[column], "so_far")
        made[name] = turned.assign(never=1 - turned["so_far"])
    return {name: records[[*counting.COLUMNS, "never"]] for name, records in made.items()}


def analyse(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Hazard ratio of never against ever negative under every design, in each arm and together.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Results `guarantee.TTRLP.mrd_known.<arm>.<statistic>`: `HR[<design>]` (Firth; above 1: those not negative
        relapse earlier), `p[<design>]`, `negative[<design>]` (patients that it calls negative at some time),
        `guaranteed` (days that the naive analysis credits to the negative before they were), `bias` and
        `bias[maintenance only]` (naive over time-dependent hazard ratio). Together: stratified by arm. Empty without
        samples.

    Notes
    -----
    Source: Giobbie-Hurder, Gelber and Regan, J Clin Oncol 2013;31:2963.

    Examples
    --------
    >>> from remission import schema
    >>> analyse(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...         Study("demo", "own", "", "", ())).empty
    True
    """
    data = first_negatives(admrd, adsl, study)
    made: list[dict[str, Any]] = []
    for arm, mine in by_arm_and_together(data, study).items():
        fits = {}
        for name, records in designs(mine, study).items():
            fits[name], rows = _design_rows(records, name, arm)
            made += rows
        made += _closing_rows(mine, arm, fits, study)
    return results.frame(made)


def _row(arm: str, statistic: str, counts: tuple[int, int], **more) -> dict[str, Any]:
    return results.row("guarantee", "TTRLP", "mrd_known", arm, statistic, n=counts[0], events=counts[1], **more)


def _design_rows(records: pd.DataFrame, name: str, arm: str) -> tuple[float, list[dict[str, Any]]]:
    strata, within = ("arm", ", stratified by arm") if arm == "all" else (None, "")
    counts = records["patient"].nunique(), int(records["event"].sum())
    fit, test = counting.hazard_ratio(records, ["never"], strata), counting.logrank(records, "never", strata)
    words = meaning(name)
    ever = records.loc[records["never"] == 0, "patient"].nunique()
    return fit.value, [
        _row(arm, f"HR[{name}]", counts, **ratio(fit, f"{fitted('firth')}{within}; {words}")),
        _row(arm, f"p[{name}]", counts, value=test.p, unit="p", display=wording.p_value(test.p, test.note),
             method=f"log-rank test, two-sided{within}; {words}"),
        _row(arm, f"negative[{name}]", counts, value=ever, unit="n", display=f"{ever} of {counts[0]}",
             method=f"patients called negative at some time; {words}")]


def meaning(name: str) -> str:
    """Who counts as negative in a design, in words.

    Examples
    --------
    >>> meaning("landmark 3 months")
    'negative by 3 months, of those still in remission then'
    """
    return WORDS.get(name, f"negative by {name.removeprefix('landmark ')}, of those still in remission then")


def _closing_rows(mine: pd.DataFrame, arm: str, fits: dict[str, float], study: Study) -> list[dict[str, Any]]:
    """Time that the naive analysis gives away, and what that does to the hazard ratio."""
    ever = mine[mine["first"].notna()]
    counts = len(mine), int(mine["event"].sum())
    waited = float(ever["first"].clip(lower=0).sum())
    whole = float(ever["time"].sum())
    shown = "nobody was ever negative" if ever.empty else (
        f"{wording.duration(waited, study.report_unit)} of {wording.duration(whole, study.report_unit)} "
        f"({wording.percent(waited / whole)}%), {int((ever['first'] > 0).sum())} of {len(ever)} patients")
    made = [_row(arm, "guaranteed", counts, value=waited if len(ever) else math.nan, unit="d", display=shown,
                 method="follow-up before the first negative sample, of patients ever negative; all their follow-up")]
    for statistic, (naive, fair) in PAIRS.items():
        bias = fits[naive] / fits[fair]
        made.append(_row(arm, statistic, counts, value=bias, unit="ratio",
                         display="not estimable" if math.isnan(bias) else f"{bias:.2f}",
                         method=f"hazard ratio of the {naive} over that of the {fair} analysis"))
    return made


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The designs one below the other, for readers.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    DataFrame
        One row an arm and design.

    Examples
    --------
    >>> table(results.frame([])).empty
    True
    """
    shown = {(row.arm, row.statistic): row.display for row in rows.itertuples()}
    made = []
    for row in rows[rows["statistic"].str.startswith("HR[")].itertuples():
        name = row.statistic.removeprefix("HR[").removesuffix("]")
        made.append([row.arm, name, meaning(name).split(":")[0], row.n, row.events, shown[row.arm, f"negative[{name}]"],
                     row.display, shown[row.arm, f"p[{name}]"]])
    return pd.DataFrame(made, columns=TABLE)


def in_words(rows: pd.DataFrame) -> str:
    """The bias as a number, in a paragraph an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> in_words(results.frame([]))
    'No patient has a sample that could tell negative from positive.'
    """
    if rows.empty:
        return "No patient has a sample that could tell negative from positive."
    said = []
    for arm, mine in rows.groupby("arm", sort=False):
        found = mine.set_index("statistic")
        patients, relapses = found.loc["guaranteed", ["n", "events"]]
        words = (f"**{'All arms together' if arm == 'all' else arm}.** Never against ever negative, {patients} "
                 f"patients with {relapses} relapses. Follow-up before the first negative sample, credited to the "
                 f"negative by the naive analysis: {found.loc['guaranteed', 'display']}.")
        for bias, (naive, fair) in PAIRS.items():
            words += (f" Hazard ratio, {naive}: {found.loc[f'HR[{naive}]', 'display']}; {fair}: "
                      f"{found.loc[f'HR[{fair}]', 'display']}.")
            if not math.isnan(found.loc[bias, "value"]):
                words += f" The first is {found.loc[bias, 'display']} times the second."
        said.append(words)
    return "\n\n".join(said)
