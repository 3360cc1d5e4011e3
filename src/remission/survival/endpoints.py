"""What is counted: one endpoint at a time, in the direction that survival software expects."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from remission import study as units
from remission.study import Study

COLUMNS = ["patient", "arm", "time", "event", "code", "entry"]
#: Causes in competing-risk coding; 0 is censored.
RELAPSE, DEATH_IN_REMISSION = 1, 2
CAUSES = {RELAPSE: "relapse", DEATH_IN_REMISSION: "death_in_remission"}


class Rule(NamedTuple):
    """What an endpoint counts, what else can end the observation for good, and what leaves it open."""

    event: str
    competing: str
    censored: str


RULES = {
    "TTRLP": Rule("relapse at any site", "death in remission; it is censored here, so the estimate is of relapse among "
                  "patients who would otherwise live on", "at death in remission, and at last contact in remission"),
    "RFS": Rule("relapse or death in remission, whichever is first", "none", "at last contact in remission"),
    "OSDX": Rule("death of any cause", "none", "at last contact alive"),
    "OSMT": Rule("death of any cause", "none", "at last contact alive"),
    "MTDUR": Rule("end of the last maintenance drug, for whatever reason", "none: relapse and death are ends like any "
                  "other", "while treatment goes on"),
}
#: What can be asked of an endpoint's times; each needs its own words.
MEASURES = ("curve", "incidence", "restricted mean")

def endpoint(adtte: pd.DataFrame, paramcd: str) -> pd.DataFrame:
    """Take one endpoint out of `adtte`, with events coded as survival software expects.

    This is the only place where CNSR (0 is an event) is turned round.

    Parameters
    ----------
    adtte : DataFrame
        Analysis table `adtte`; times in days.
    paramcd : str
        Endpoint code, such as `TTRLP`.

    Returns
    -------
    DataFrame
        `patient`, `arm`, `time` (days), `event` (bool), `code` (0 censored, 1 event, 2 competing death in remission),
        `entry` (days from the endpoint's origin to the start of observation). No rows when the cohort lacks it.

    Raises
    ------
    ValueError
        When a time is missing or negative, or CNSR is none of 0, 1, 2.

    Examples
    --------
    >>> rows = pd.DataFrame({"USUBJID": ["a", "b", "c"], "TRT01A": "IM", "PARAMCD": "TTRLP", "AVAL": [29, 95, 2374],
    ...                      "CNSR": [0, 2, 1], "ENTRYDY": 0})
    >>> endpoint(rows, "TTRLP")[["time", "event", "code"]].values.tolist()
    [[29, True, 1], [95, False, 2], [2374, False, 0]]
    """
    rows = adtte[adtte["PARAMCD"] == paramcd]
    bad = rows["AVAL"].isna() | (rows["AVAL"] < 0) | ~rows["CNSR"].isin([0, 1, 2])
    if bad.any():
        who = list(rows.loc[bad, "USUBJID"])[:8]
        raise ValueError(f"{paramcd}: time missing or negative, or CNSR not 0, 1, 2, in {who}")
    cnsr = rows["CNSR"].astype("int64")
    return pd.DataFrame({
        "patient": rows["USUBJID"].astype(object), "arm": rows["TRT01A"].astype(object),
        "time": rows["AVAL"].astype("int64"), "event": (cnsr == 0).astype(bool),
        "code": cnsr.map({0: RELAPSE, 1: 0, 2: DEATH_IN_REMISSION}).astype("int64"),
        "entry": rows["ENTRYDY"].fillna(0).astype("int64"),
    }).reset_index(drop=True)


def by_arm(data: pd.DataFrame, study: Study) -> dict[str, pd.DataFrame]:
    """Split an endpoint by arm, in display order; arms without patients are left out.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> two = Study("demo", "own", "", "", (Arm("B", "B"), Arm("A", "A", True)))
    >>> list(by_arm(pd.DataFrame({"arm": ["A", "B"], "time": [1, 2]}), two))
    ['B', 'A']
    """
    groups = dict(list(data.groupby("arm", sort=False)))
    return {key: groups[key].reset_index(drop=True) for key in study.arm_keys if key in groups}


def fixed_times(study: Study) -> dict[str, int]:
    """Times at which survival is reported: label in the study's report unit, and days.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> fixed_times(Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="year", fixed_times=(1, 2)))
    {'1 year': 365, '2 years': 731}
    """
    return _labelled(study.fixed_times, study)


def rmst_times(study: Study) -> dict[str, int]:
    """Horizons of restricted mean times: label in the study's report unit, and days.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> rmst_times(Study("demo", "own", "", "", (Arm("A", "A"),), report_unit="year", rmst_times=(5, 7.5)))
    {'5 years': 1826, '7.5 years': 2739}
    """
    return _labelled(study.rmst_times, study)


def _labelled(times: tuple[float, ...], study: Study) -> dict[str, int]:
    return {f"{value:g} {study.report_unit}{'' if value == 1 else 's'}": units.to_days(value, study.report_unit)
            for value in times}


def estimand(adtte: pd.DataFrame, study: Study, paramcd: str, truncated: bool = False, measure: str = "curve") -> str:
    """Say in words what is estimated: population, time origin, event, competing event, censoring rule.

    Parameters
    ----------
    adtte : DataFrame
    study : Study
    paramcd : str
        Endpoint code.
    truncated : bool
        Whether patients count as at risk only from their start of observation.
    measure : str
        `curve`: how long until the event. `incidence`: probability of each end of a remission, with the other
        competing (TTRLP). `restricted mean`: event-free time within the horizons of `study.rmst_times`.

    Returns
    -------
    str
        One paragraph of Markdown, with counts; one line when the cohort lacks the endpoint.

    Raises
    ------
    ValueError
        When the measure is unknown.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> estimand(pd.DataFrame({"PARAMCD": []}), Study("demo", "own", "", "", (Arm("A", "A"),)), "OSDX")
    'This cohort does not record the endpoint OSDX.'
    """
    if measure not in MEASURES:
        raise ValueError(f"unknown measure {measure!r}; one of {', '.join(MEASURES)}")
    if not (adtte["PARAMCD"] == paramcd).any():
        return f"This cohort does not record the endpoint {paramcd}."
    data = endpoint(adtte, paramcd)
    first = adtte.loc[adtte["PARAMCD"] == paramcd].iloc[0]
    if truncated:
        data = data[data["entry"] < data["time"]]
    arms = ", ".join(f"{len(group)} {arm}" for arm, group in by_arm(data, study).items())
    words = [_title(study, paramcd, first["PARAM"], truncated, measure),
             f"*Population:* {len(data)} patients with usable dates ({arms}).",
             f"*Time origin:* {first['ORIGIN']}.", *_ends(data, paramcd, measure)]
    if truncated:
        words.append(f"*At risk:* only from the day on which the patient came under observation "
                     f"({study.origin_label}), since nobody who died before that day could enter this cohort (left "
                     "truncation).")
    elif (data["entry"] > 0).any():
        words.append(f"*At risk:* from the time origin on, so the time up to {study.origin_label} counts although "
                     "it was survived by design.")
    if measure == "restricted mean":
        words.append(f"*Summary:* mean time free of the event within the first {' and '.join(rmst_times(study))}, "
                     "horizons fixed in `study.toml` before the analysis.")
    return " ".join(words)


def _title(study: Study, paramcd: str, param: str, truncated: bool, measure: str) -> str:
    label = study.endpoint_labels.get(paramcd, param)
    if measure == "incidence":
        label = "cumulative incidence of relapse and of death in remission"
    elif measure == "restricted mean":
        label = f"restricted mean: {label}"
    return f"**{label[:1].upper()}{label[1:]}{', left-truncated' if truncated else ''}** ({paramcd})."


def _ends(data: pd.DataFrame, paramcd: str, measure: str) -> list[str]:
    """What counts, what competes and what is censored, with counts."""
    rule = RULES[paramcd]
    events, deaths = int(data["event"].sum()), int((data["code"] == DEATH_IN_REMISSION).sum())
    if measure == "incidence":
        return [f"*Event:* {rule.event} ({events}); apart from it, death in remission ({deaths}).",
                "*Competing event:* each for the other; who has had one can no longer have the other and stays in the "
                "denominator, so the estimate is of what happens to patients who can also die.",
                f"*Censored:* at last contact in remission ({len(data) - events - deaths})."]
    of_whom = f", of whom {deaths} by a death in remission" if paramcd == "TTRLP" else ""
    return [f"*Event:* {rule.event} ({events}).", f"*Competing event:* {rule.competing}.",
            f"*Censored:* {rule.censored} ({len(data) - events}{of_whom})."]


def listing(data: pd.DataFrame, study: Study, longest: int = 200) -> str:
    """Every time of an endpoint, arm by arm: the figures that no rank test shows.

    Parameters
    ----------
    data : DataFrame
        From `endpoint`.
    study : Study
    longest : int
        Arms with more patients are shown by their first and last ten times.

    Returns
    -------
    str
        Markdown, a line an arm; days, sorted; `+` censored, `d` death in remission. Empty when there are no times.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> one = Study("demo", "own", "", "", (Arm("A", "A"),))
    >>> listing(pd.DataFrame({"arm": "A", "time": [9, 4], "event": [False, True], "code": [0, 1]}), one)
    '- **A** (1 of 2 with event), days: 4, 9+'
    """
    lines = []
    for arm, group in by_arm(data, study).items():
        group = group.sort_values(["time", "code"])
        marks = group["code"].map({0: "+", RELAPSE: "", DEATH_IN_REMISSION: "d"})
        times = list(group["time"].astype(str) + marks)
        times = times if len(times) <= longest else [*times[:10], "…", *times[-10:]]
        lines.append(f"- **{arm}** ({int(group['event'].sum())} of {len(group)} with event), days: {', '.join(times)}")
    return "\n".join(lines)
