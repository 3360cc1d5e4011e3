"""Time to event: one row a patient and endpoint, from event and censoring sources that are named data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from remission import schema
from remission.study import Study


@dataclass(frozen=True)
class Source:
    """A day of `adsl` that ends observation: what it means, CNSR it stands for, and the flag that must hold."""

    day: str
    what: str
    cnsr: int = 0
    flag: str = ""
    value: str = ""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: where its clock starts (a day of `adsl`, or the time origin), its events, its censorings in order.

    The earliest event counts; without one, the first censoring that has a day.
    """

    events: tuple[Source, ...]
    censorings: tuple[Source, ...]
    start: str = ""
    origin: str = ""
    truncated: bool = False


_RELAPSE = Source("RELDY", "relapse")
_IN_REMISSION = Source("LSTALVDY", "alive in remission at last contact", 1)
_DEATH, _ALIVE = Source("DTHDY", "death"), Source("LSTALVDY", "alive at last contact", 1)
ENDPOINTS = {
    "TTRLP": Endpoint((_RELAPSE,), (Source("DTHDY", "death in remission", 2), _IN_REMISSION)),
    "RFS": Endpoint((_RELAPSE, Source("DTHDY", "death in remission")), (_IN_REMISSION,)),
    # Nobody enters before the time origin is reached: survival from diagnosis is left-truncated there.
    "OSDX": Endpoint((_DEATH,), (_ALIVE,), start="DXDY", origin="diagnosis", truncated=True),
    "OSMT": Endpoint((_DEATH,), (_ALIVE,)),
    "MTDUR": Endpoint((Source("MTENDY", "end of maintenance", 0, "MTONFL", "N"),),
                      (Source("MTENDY", "on maintenance at last contact", 1, "MTONFL", "Y"),),
                      start="TRTSDY", origin="first maintenance dose"),
}


def derive_adtte(adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive the time-to-event table for the study's endpoints.

    Parameters
    ----------
    adsl : DataFrame
        Subject level. Patients with TTEFL = N are left out; so are patients without a dose from MTDUR.
    study : Study
        Its `endpoints` are derived, others are not.

    Returns
    -------
    DataFrame
        Table `adtte`; AVAL in whole days, 0 allowed (an event recorded on the day of the origin).

    Raises
    ------
    ValueError
        When a time is negative or cannot be computed.

    Examples
    --------
    >>> from remission.study import Study
    >>> day = lambda *values: pd.array(values, dtype="Int64")
    >>> adsl = pd.DataFrame({"STUDYID": "demo", "USUBJID": ["1", "2", "3"], "TRT01A": "A", "TTEFL": "Y",
    ...     "RELDY": day(90, None, None), "DTHDY": day(200, 50, None), "LSTALVDY": day(200, 50, 80)})
    >>> study = Study("demo", "own", "", "", (), endpoints=("TTRLP", "RFS"))
    >>> derive_adtte(adsl, study)[["PARAMCD", "AVAL", "CNSR"]].to_numpy().tolist()
    [['RFS', 90, 0], ['RFS', 50, 0], ['RFS', 80, 1], ['TTRLP', 90, 0], ['TTRLP', 50, 2], ['TTRLP', 80, 1]]
    """
    evaluable = adsl[adsl["TTEFL"] == "Y"]
    parts = [_derive(evaluable, code, study) for code in study.endpoints]
    made = pd.concat([schema.empty(schema.ANALYSIS["adtte"]), *parts]) if not parts else pd.concat(parts)
    wrong = made["AVAL"].isna() | (made["AVAL"] < 0).fillna(False)
    if wrong.any():
        named = (made.loc[wrong, "PARAMCD"] + " of patient " + made.loc[wrong, "USUBJID"]).tolist()
        raise ValueError(f"adtte: no or negative time for {', '.join(named[:8])}: adsl should have excluded these")
    return schema.conform(made, schema.ANALYSIS["adtte"])


def _derive(adsl: pd.DataFrame, code: str, study: Study) -> pd.DataFrame:
    endpoint = ENDPOINTS[code]
    if code == "MTDUR":
        adsl = adsl[adsl["TRTSDY"].notna()]
    start = adsl[endpoint.start] if endpoint.start else pd.Series(0, index=adsl.index, dtype="Int64")
    event_day, event = _earliest(adsl, endpoint.events)
    censor_day, censoring = _first_known(adsl, endpoint.censorings)
    happened = event_day.notna()
    codes = {source.what: source.cnsr for source in endpoint.censorings}
    return pd.DataFrame({
        "STUDYID": adsl["STUDYID"], "USUBJID": adsl["USUBJID"], "TRT01A": adsl["TRT01A"], "PARAMCD": code,
        "PARAM": study.endpoint_labels.get(code, code), "ORIGIN": endpoint.origin or study.origin_label,
        "STARTDY": start, "ENTRYDY": -start if endpoint.truncated else 0,
        "AVAL": event_day.fillna(censor_day) - start,
        "CNSR": censoring.map(codes).mask(happened, 0).astype("Int64"),
        "EVNTDESC": event, "CNSDTDSC": censoring.where(~happened, None)})


def _days(adsl: pd.DataFrame, sources: tuple[Source, ...]) -> np.ndarray:
    """Day of each source (columns) in each patient (rows), NaN where it did not happen."""
    days = np.full((len(adsl), len(sources)), np.nan)
    for column, source in enumerate(sources):
        holds = adsl[source.flag].eq(source.value).to_numpy() if source.flag else True
        days[:, column] = np.where(holds, adsl[source.day].to_numpy(dtype=float, na_value=np.nan), np.nan)
    return days


def _earliest(adsl: pd.DataFrame, sources: tuple[Source, ...]) -> tuple[pd.Series, pd.Series]:
    """Earliest day over the sources and its name; on a tie, the source named first."""
    days = _days(adsl, sources)
    return _chosen(adsl, sources, days, np.where(np.isnan(days), np.inf, days).argmin(axis=1))


def _first_known(adsl: pd.DataFrame, sources: tuple[Source, ...]) -> tuple[pd.Series, pd.Series]:
    """First source that has a day: its day and name."""
    days = _days(adsl, sources)
    return _chosen(adsl, sources, days, (~np.isnan(days)).argmax(axis=1))


def _chosen(adsl: pd.DataFrame, sources: tuple[Source, ...], days: np.ndarray,
            column: np.ndarray) -> tuple[pd.Series, pd.Series]:
    day = days[np.arange(len(days)), column]
    name = np.array([source.what for source in sources], dtype=object)[column]
    return (pd.Series(day, index=adsl.index).astype("Int64"),
            pd.Series(np.where(np.isnan(day), None, name), index=adsl.index, dtype=object))
