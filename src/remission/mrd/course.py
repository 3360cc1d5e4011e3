"""MRD under maintenance: prolonged positivity, rise before relapse, relapse rate by last known state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.rates import confint_poisson

from remission import results
from remission import study as units
from remission.adam.admrd import rules
from remission.adam.adtv import POSITIVE, in_remission, remission_end
from remission.estimators import wording
from remission.estimators.proportions import proportion
from remission.study import Study

RUN_COLUMNS = ["USUBJID", "TRT01A", "FIRSTDY", "LASTDY", "SPAN", "SAMPLES", "AFTER", "STATUS", "PROLONGED"]
RISE_COLUMNS = ["USUBJID", "TRT01A", "STATUS", "ENDDY", "SAMPLES", "LASTDY", "LASTPOS", "NADIR", "PREVDY", "RISEDY",
                "LEADMIN", "LEADMAX"]
RATE_COLUMNS = ["arm", "state", "patients", "years", "relapses", "rate", "lower", "upper"]


def coverage(admrd: pd.DataFrame) -> pd.DataFrame:
    """Samples by arm and period: how many, in what state, how sensitive.

    Parameters
    ----------
    admrd : DataFrame

    Returns
    -------
    DataFrame
        `arm`, `period`, `patients`, `samples`, one column a state, `analysed` (samples that stand for their day),
        `median_lod` (%).

    Examples
    --------
    >>> from remission import schema
    >>> coverage(schema.empty(schema.ANALYSIS["admrd"])).empty
    True
    """
    states = ("QUANTIFIED", "PNQ", "NEGATIVE", "INSUFFICIENT")
    flags = admrd.assign(ANALYSED=admrd["ANL01FL"] == "Y", **{one: admrd["MRDSTATE"] == one for one in states})
    grouped = flags.groupby(["TRT01A", "PERIOD"], sort=True)
    made = grouped.agg(patients=("USUBJID", "nunique"), samples=("USUBJID", "size"),
                       **{one.lower(): (one, "sum") for one in states}, analysed=("ANALYSED", "sum"),
                       median_lod=("LOD", "median"))
    return made.reset_index().rename(columns={"TRT01A": "arm", "PERIOD": "period"})


def under_maintenance(admrd: pd.DataFrame, adsl: pd.DataFrame, first_day: int = 0,
                      at_relapse: bool = False) -> pd.DataFrame:
    """Samples that stand for their day, from `first_day` to the end of remission, in order.

    Parameters
    ----------
    admrd, adsl : DataFrame
    first_day : int
        Days from the origin.
    at_relapse : bool
        Whether samples of the day of relapse count too.

    Returns
    -------
    DataFrame
        Columns of `admrd` with STATUS, END (day on which remission ends), POS (bool) and LEVEL (log10 %; the detection
        limit stands in for a level below it).
    """
    at_risk = adsl[adsl["TTEFL"] == "Y"]
    subject = at_risk[["USUBJID", "STATUS"]].assign(END=remission_end(at_risk))
    used = admrd[(admrd["ANL01FL"] == "Y") & (admrd["ADY"] >= first_day)]
    used = used.merge(subject, on="USUBJID", how="inner", validate="many_to_one")
    kept = in_remission(used) | (at_relapse & (used["ADY"] == used["END"]).fillna(False).astype(bool))
    used = used[kept].sort_values(["USUBJID", "ADY"], kind="stable")
    level = np.log10(used["RATIO"].where(used["MRDSTATE"] == "QUANTIFIED", used["LOD"]).astype(float))
    return used.assign(POS=used["MRDSTATE"].isin(POSITIVE), LEVEL=level).reset_index(drop=True)


def positive_runs(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Runs of consecutive positive samples under maintenance, and which of them are prolonged positivity.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        `prolonged_days` and `prolonged_samples` of `[mrd]`.

    Returns
    -------
    DataFrame
        One row a run: patient, arm, FIRSTDY, LASTDY, SPAN and AFTER in days (AFTER: remission observed after the last
        sample), SAMPLES, STATUS, PROLONGED (Y, N). A run is prolonged when it holds enough samples over enough days
        and no relapse came during it or within `prolonged_days` after its last sample.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> positive_runs(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...               Study("demo", "own", "", "", ())).empty
    True
    """
    definition = rules(study)
    used = under_maintenance(admrd, adsl)
    used["RUN"] = (used["POS"] != used.groupby("USUBJID")["POS"].shift()).cumsum()
    made = used[used["POS"]].groupby(["USUBJID", "RUN"], sort=False).agg(
        TRT01A=("TRT01A", "first"), FIRSTDY=("ADY", "first"), LASTDY=("ADY", "last"), SAMPLES=("ADY", "size"),
        STATUS=("STATUS", "first"), END=("END", "first")).reset_index()
    made["SPAN"], made["AFTER"] = made["LASTDY"] - made["FIRSTDY"], made["END"] - made["LASTDY"]
    long = (made["SPAN"] >= definition["prolonged_days"]) & (made["SAMPLES"] >= definition["prolonged_samples"])
    quiet = (made["STATUS"] != "relapse") | (made["AFTER"] > definition["prolonged_days"])
    made["PROLONGED"] = np.where((long & quiet).astype(bool), "Y", "N")
    return made[RUN_COLUMNS]


def lowest_before(level: pd.Series, group: pd.Series) -> pd.Series:
    """Lowest level among the earlier samples of a group; a sample without a level is passed over.

    Examples
    --------
    >>> lowest_before(pd.Series([-1.0, None, -2.0, 0.0]), pd.Series(["a", "a", "a", "a"])).tolist()
    [nan, -1.0, -1.0, -2.0]
    """
    lowest = level.groupby(group).cummin().groupby(group).ffill()
    return lowest.groupby(group).shift()


def rises(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """First molecular rise of each patient, and the time from it to the end of remission.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study
        `rise_log10` and the first day of `start_window_days` of `[mrd]`.

    Returns
    -------
    DataFrame
        One row a patient with samples. RISEDY: first quantified sample at least `rise_log10` above the lowest earlier
        level (a limit stands in for a level below it, so the true rise is at least as large); PREVDY: the sample
        before it. The rise happened in (PREVDY, RISEDY], so the lead time to the end of remission lies between LEADMIN
        and LEADMAX days. NADIR in log10 %, LASTPOS: last sample before the end of remission positive (Y, N).

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> rises(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...       Study("demo", "own", "", "", ())).empty
    True
    """
    definition = rules(study)
    used = under_maintenance(admrd, adsl, definition["start_window_days"][0])
    by_patient = used.groupby("USUBJID", sort=False)
    used["BEFORE"] = lowest_before(used["LEVEL"], used["USUBJID"])
    used["PREVDY"] = by_patient["ADY"].shift()
    # Levels come out of logarithms; a rise of exactly the threshold counts.
    risen = (used["MRDSTATE"] == "QUANTIFIED") & (used["LEVEL"] - used["BEFORE"] >= definition["rise_log10"] - 1e-9)
    first = used[risen].drop_duplicates("USUBJID").set_index("USUBJID")[["PREVDY", "ADY"]]
    made = by_patient.agg(TRT01A=("TRT01A", "first"), STATUS=("STATUS", "first"), ENDDY=("END", "first"),
                          SAMPLES=("ADY", "size"), LASTDY=("ADY", "last"), LASTPOS=("POS", "last"),
                          NADIR=("LEVEL", "min"))
    made = made.join(first.rename(columns={"ADY": "RISEDY"})).reset_index()
    made["LASTPOS"] = made["LASTPOS"].map({True: "Y", False: "N"})
    made["LEADMIN"], made["LEADMAX"] = made["ENDDY"] - made["RISEDY"], made["ENDDY"] - made["PREVDY"]
    return made[RISE_COLUMNS]


def rates(adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Relapse rate while the last known MRD state was negative, and while it was positive.

    Parameters
    ----------
    adtv : DataFrame
        Counting process; each interval is labelled by the sample before it, so nothing looks ahead.
    study : Study

    Returns
    -------
    DataFrame
        `arm`, `state`, `patients` ever in that state, `years` of follow-up in it, `relapses`, `rate` per 100 patient-
        years with exact Poisson limits.

    Notes
    -----
    Source: Garwood, Biometrika 1936;28:437, for the limits.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.study import Study
    >>> rates(schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ())).empty
    True
    """
    made = []
    days = (adtv["TSTOP"] - adtv["TSTART"]).astype(float)
    for arm in study.arm_keys:
        for code, state in ((0, "negative"), (1, "positive")):
            mine = adtv[(adtv["TRT01A"] == arm) & (adtv["MRDPOS"] == code)]
            if mine.empty:
                continue
            years, relapses = units.from_days(days[mine.index].sum(), "year"), int(mine["EVENT"].sum())
            made.append({"arm": arm, "state": state, "patients": mine["USUBJID"].nunique(), "years": years,
                         "relapses": relapses, **rate_of(relapses, years)})
    return pd.DataFrame(made, columns=RATE_COLUMNS)


def rate_of(events: int, years: float) -> dict[str, float]:
    """Events per 100 patient-years with exact Poisson limits.

    Examples
    --------
    >>> {name: round(value, 1) for name, value in rate_of(3, 41.25).items()}
    {'rate': 7.3, 'lower': 1.5, 'upper': 21.3}
    """
    low, high = confint_poisson(events, years, method="exact-c")
    return {"rate": 100 * events / years, "lower": 0.0 if events == 0 else 100 * float(low),
            "upper": 100 * float(high)}


def analyse_course(admrd: pd.DataFrame, adsl: pd.DataFrame, adtv: pd.DataFrame, admk: pd.DataFrame,
                   study: Study) -> pd.DataFrame:
    """Results of the course under maintenance, by arm.

    Parameters
    ----------
    admrd, adsl, adtv, admk : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Results `prolonged.-.mrd_evaluable.<arm>.patients`, `rise.-.relapsed.<arm>.patients | lead`,
        `rise.-.not_relapsed.<arm>.patients` and `state.TTRLP.mrd_evaluable.<arm>.rate[negative] | rate[positive]`;
        none without samples.
    """
    if admrd.empty:
        return results.frame([])
    runs, risen, rate = positive_runs(admrd, adsl, study), rises(admrd, adsl, study), rates(adtv, study)
    evaluable = set(admk.loc[admk["MRDEVLFL"] == "Y", "USUBJID"]) & set(adsl.loc[adsl["TTEFL"] == "Y", "USUBJID"])
    made: list[dict[str, Any]] = []
    for arm in study.arm_keys:
        mine = evaluable & set(adsl.loc[adsl["TRT01A"] == arm, "USUBJID"])
        if not mine:
            continue
        held = runs.loc[(runs["TRT01A"] == arm) & (runs["PROLONGED"] == "Y"), "USUBJID"].nunique()
        made.append(_proportion("prolonged", "mrd_evaluable", arm, held, len(mine), "patients with prolonged MRD "
                                "positivity without relapse, written definition"))
        made += _rise_rows(risen[(risen["TRT01A"] == arm) & risen["USUBJID"].isin(mine)], arm, study)
    for one in rate.itertuples():
        made.append(results.row(
            "state", "TTRLP", "mrd_evaluable", one.arm, f"rate[{one.state}]", one.rate, lower=one.lower,
            upper=one.upper, unit="per 100 patient-years", n=int(one.patients), events=int(one.relapses),
            method="relapses per follow-up while the last known state held; exact Poisson interval",
            display=f"{one.rate:.0f} per 100 patient-years (95% CI {one.lower:.0f} to {one.upper:.0f})"))
    return results.frame(made)


def _rise_rows(mine: pd.DataFrame, arm: str, study: Study) -> list[dict[str, Any]]:
    made = []
    for population, group in (("relapsed", mine[mine["STATUS"] == "relapse"]),
                              ("not_relapsed", mine[mine["STATUS"] != "relapse"])):
        if len(group):
            made.append(_proportion("rise", population, arm, int(group["RISEDY"].notna().sum()), len(group),
                                    "patients with a molecular rise while in remission, written definition"))
    lead = mine.loc[(mine["STATUS"] == "relapse") & mine["RISEDY"].notna(), ["LEADMIN", "LEADMAX"]].astype(float)
    if len(lead):
        low, high = lead["LEADMIN"].median(), lead["LEADMAX"].median()
        made.append(results.row(
            "rise", "-", "relapsed", arm, "lead", low, lower=low, upper=high, unit="d", n=len(lead),
            method="median days from first rise to relapse; limits: from the rising sample and from the one before it "
                   "(interval censoring, no sampling error)",
            display=f"{low:.0f} days from the rising sample, {high:.0f} from the one before it"))
    return made


def _proportion(analysis: str, population: str, arm: str, count: int, of: int, method: str) -> dict[str, Any]:
    exact = proportion(count, of)
    return results.row(analysis, "-", population, arm, "patients", count, lower=100 * exact.lower,
                       upper=100 * exact.upper, unit="n", n=of, display=wording.count_of(count, of, exact),
                       method=f"{method}; Clopper-Pearson interval of the proportion in %")
