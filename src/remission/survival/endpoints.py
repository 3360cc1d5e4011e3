"""What is counted: one endpoint at a time, in the direction that survival software expects."""

from __future__ import annotations

import pandas as pd

from remission import study as units
from remission.study import Study

COLUMNS = ["patient", "arm", "time", "event", "code", "entry"]
#: Causes in competing-risk coding; 0 is censored.
RELAPSE, DEATH_IN_REMISSION = 1, 2
CAUSES = {RELAPSE: "relapse", DEATH_IN_REMISSION: "death_in_remission"}
#: Per endpoint: what counts as the event, and what ends the observation of a patient without it.
RULES = {
    "TTRLP": ("relapse at any site", "at death in remission, and at last contact in remission"),
    "RFS": ("relapse or death in remission, whichever is first", "at last contact in remission"),
    "OSDX": ("death of any cause", "at last contact alive"),
    "OSMT": ("death of any cause", "at last contact alive"),
    "MTDUR": ("end of the last maintenance drug, for whatever reason", "while treatment goes on"),
}


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
    return {f"{value:g} {study.report_unit}{'' if value == 1 else 's'}": units.to_days(value, study.report_unit)
            for value in study.fixed_times}


def estimand(adtte: pd.DataFrame, study: Study, paramcd: str, truncated: bool = False) -> str:
    """Say in words what is estimated: population, clock, event, censoring.

    Parameters
    ----------
    adtte : DataFrame
    study : Study
    paramcd : str
        Endpoint code.
    truncated : bool
        Whether patients count as at risk only from their start of observation.

    Returns
    -------
    str
        One paragraph of Markdown, with counts; one line when the cohort lacks the endpoint.

    Examples
    --------
    >>> from remission.study import Arm, Study
    >>> estimand(pd.DataFrame({"PARAMCD": []}), Study("demo", "own", "", "", (Arm("A", "A"),)), "OSDX")
    'This cohort does not record the endpoint OSDX.'
    """
    if not (adtte["PARAMCD"] == paramcd).any():
        return f"This cohort does not record the endpoint {paramcd}."
    data = endpoint(adtte, paramcd)
    first = adtte.loc[adtte["PARAMCD"] == paramcd].iloc[0]
    event, censored = RULES[paramcd]
    deaths = int((data["code"] == DEATH_IN_REMISSION).sum())
    words = [f"**{study.endpoint_labels.get(paramcd, first['PARAM'])}** ({paramcd}).",
             f"*Population:* {len(data)} patients with usable dates.", f"*Clock:* runs from {first['ORIGIN']}.",
             f"*Event:* {event} ({int(data['event'].sum())}).",
             f"*Censored:* {censored} ({int((~data['event']).sum())}"
             + (f", of whom {deaths} by a death in remission)." if paramcd == "TTRLP" else ").")]
    if truncated:
        words.append("*At risk:* only from the day on which the patient came under observation, since nobody who died "
                     "before that day could enter this cohort (left truncation).")
    return " ".join(words)


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
