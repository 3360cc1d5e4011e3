"""How deep the response went: samples by category, deepest level of each patient, and the state results by arm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from remission import results
from remission.adam.molecular import COMPLETE, DEPTHS, FAILURE, INTERMEDIATE
from remission.estimators import wording
from remission.estimators.proportions import proportion
from remission.mrd.states import CATEGORIES, molecular_relapse, occupancy, samples_in_remission, transitions
from remission.study import Study

PERIODS = ("FRONTLINE", "MAINTENANCE")
CATEGORY_COLUMNS = ["arm", "period", "patients", "samples", COMPLETE, INTERMEDIATE, FAILURE]
BEST_COLUMNS = ["USUBJID", "TRT01A", "PERIOD", "SAMPLES", "DEPTH", "DEPTHDY", "LOGRED", "LOGREDST", "LOGREDDY"]


def categories(admrd: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Samples in remission by arm, period and category.

    Parameters
    ----------
    admrd, adsl : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        `arm`, `period`, `patients`, `samples`, and the samples of each category. Insufficient samples are out.

    Examples
    --------
    >>> from remission import schema
    >>> categories(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")),
    ...            Study("demo", "own", "", "", ())).empty
    True
    """
    used, made = samples_in_remission(admrd, adsl), []
    for arm in study.arm_keys:
        for period in PERIODS:
            mine = used[(used["TRT01A"] == arm) & (used["PERIOD"] == period)]
            if len(mine):
                counts = mine["CATEGORY"].value_counts()
                made.append([arm, period, mine["USUBJID"].nunique(), len(mine),
                             *(int(counts.get(one, 0)) for one in CATEGORIES[:3])])
    return pd.DataFrame(made, columns=CATEGORY_COLUMNS)


def best_depth(admrd: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Deepest level that each patient reached in remission, before the origin and from it on.

    Parameters
    ----------
    admrd, adsl : DataFrame

    Returns
    -------
    DataFrame
        One row a patient and PERIOD with samples: SAMPLES, DEPTH (`unknown` only if no sample could tell) and its first
        day DEPTHDY; LOGRED, the largest log10 reduction from diagnosis, with the state and day of that sample in
        LOGREDST and LOGREDDY (NEGATIVE: at least so much; PNQ: at most), blank without a level at diagnosis.

    Examples
    --------
    >>> from remission import schema
    >>> best_depth(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl"))).empty
    True
    """
    by = ["USUBJID", "PERIOD"]
    used = samples_in_remission(admrd, adsl)
    used["RANK"] = used["DEPTH"].map({level: number for number, level in enumerate(DEPTHS)}).fillna(-1)
    made = used.groupby(by, sort=True).agg(TRT01A=("TRT01A", "first"), SAMPLES=("ADY", "size"))
    deepest = used.sort_values([*by, "RANK", "ADY"], ascending=[True, True, False, True], kind="stable")
    deepest = deepest.drop_duplicates(by).set_index(by)
    largest = used.sort_values([*by, "LOGRED", "ADY"], ascending=[True, True, False, True], kind="stable",
                               na_position="last")
    largest = largest.drop_duplicates(by).set_index(by)
    known = largest["LOGRED"].notna()
    made = made.assign(DEPTH=deepest["DEPTH"], DEPTHDY=deepest["ADY"].astype("Int64"), LOGRED=largest["LOGRED"],
                       LOGREDST=largest["MRDSTATE"].where(known),
                       LOGREDDY=largest["ADY"].astype("Int64").where(known))
    return made.reset_index()[BEST_COLUMNS]


def analyse_states(admrd: pd.DataFrame, adsl: pd.DataFrame, adtv: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Results of states, depth and molecular relapse, by arm.

    Parameters
    ----------
    admrd, adsl, adtv : DataFrame
    study : Study

    Returns
    -------
    DataFrame
        Results `category.-.<period>.<arm>.samples[<category>]`, `depth.-.<period>.<arm>.patients[<level> or deeper]`,
        `state.-.in_remission.<arm>.patients[<category> at <m> months]`,
        `state.TTRLP.in_remission.<arm>.rate[<category>]` and
        `molecular_relapse.-.mrd_complete.<arm>.patients[<definition>]`; none without samples.

    Examples
    --------
    >>> from remission import schema
    >>> analyse_states(*(schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl", "adtv")),
    ...                Study("demo", "own", "", "", ())).empty
    True
    """
    if admrd.empty:
        return results.frame([])
    best, found = best_depth(admrd, adsl), molecular_relapse(admrd, adsl, study)
    return results.frame([*_category_rows(categories(admrd, adsl, study)), *_depth_rows(best, study),
                          *_occupancy_rows(occupancy(adtv, study)), *_rate_rows(adtv, study),
                          *_molecular_rows(found, study)])


def _category_rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for one in table.to_dict("records"):
        for name in CATEGORIES[:3]:
            yield results.row(
                "category", "-", one["period"].lower(), one["arm"], f"samples[{name}]", one[name], unit="n",
                n=one["patients"], method="samples in remission, one a day; no interval, since a patient gives several",
                display=f"{one[name]} of {one['samples']} samples ({wording.percent(one[name] / one['samples'])}%)")


def _depth_rows(best: pd.DataFrame, study: Study) -> Iterator[dict[str, Any]]:
    for arm in study.arm_keys:
        for period in PERIODS:
            mine = best[(best["TRT01A"] == arm) & (best["PERIOD"] == period) & (best["DEPTH"] != "unknown")]
            for number, level in enumerate(DEPTHS[1:] if len(mine) else (), 1):
                yield _count("depth", period.lower(), arm, f"patients[{level} or deeper]",
                             int(mine["DEPTH"].isin(DEPTHS[number:]).sum()), len(mine),
                             "deepest level of each patient with a sample that can tell")


def _occupancy_rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for one in table[table["in_remission"] > 0].to_dict("records"):
        for name in CATEGORIES:
            yield _count("state", "in_remission", one["arm"], f"patients[{name} at {one['month']:g} months]", one[name],
                         one["in_remission"], "last known category of patients in remission and followed beyond")


def _rate_rows(adtv: pd.DataFrame, study: Study) -> Iterator[dict[str, Any]]:
    patients = adtv.groupby(["TRT01A", "CATEGORY"])["USUBJID"].nunique()
    table = transitions(adtv, study)
    for one in table[table["next"] == "relapse"].to_dict("records"):
        yield results.row(
            "state", "TTRLP", "in_remission", one["arm"], f"rate[{one['state']}]", one["rate"], lower=one["lower"],
            upper=one["upper"], unit="per 100 patient-years", n=int(patients[one["arm"], one["state"]]),
            events=one["count"], method="relapses per follow-up while the last known category held; exact Poisson "
                                        "interval",
            display=f"{one['rate']:.0f} per 100 patient-years (95% CI {one['lower']:.0f} to {one['upper']:.0f})")


def _molecular_rows(found: pd.DataFrame, study: Study) -> Iterator[dict[str, Any]]:
    for arm in study.arm_keys:
        for name, mine in found[found["TRT01A"] == arm].groupby("DEFINITION", sort=False):
            met = mine[mine["MRELDY"].notna()]
            made = _count("molecular_relapse", "mrd_complete", arm, f"patients[{name}]", len(met), len(mine),
                          "patients with a complete sample who met the definition under maintenance")
            yield made | {"events": int((met["STATUS"] == "relapse").sum())}


def _count(analysis: str, population: str, arm: str, statistic: str, count: int, of: int,
           method: str) -> dict[str, Any]:
    exact = proportion(count, of)
    return results.row(analysis, "-", population, arm, statistic, count, lower=100 * exact.lower,
                       upper=100 * exact.upper, unit="n", n=of, display=wording.count_of(count, of, exact),
                       method=f"{method}; Clopper-Pearson interval of the proportion in %")


def states_in_words(rows: pd.DataFrame, adtv: pd.DataFrame, study: Study) -> str:
    """What the state tables say, in a sentence or two an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_states`.
    adtv : DataFrame
    study : Study

    Returns
    -------
    str
        Markdown; one line where there is nothing to say.

    Examples
    --------
    >>> from remission import schema
    >>> states_in_words(results.frame([]), schema.empty(schema.ANALYSIS["adtv"]), Study("demo", "own", "", "", ()))
    'This cohort has no MRD samples, so no patient has a state.'
    """
    if rows.empty:
        return "This cohort has no MRD samples, so no patient has a state."
    shown, words = rows.set_index("result_id")["display"], []
    days = (adtv["TSTOP"] - adtv["TSTART"]).astype(float)
    for arm in study.arm_keys:
        mine = adtv["TRT01A"] == arm
        total, known = days[mine].sum(), days[mine & (adtv["CATEGORY"] != "unknown")].sum()
        if not total > 0:
            continue
        said = [f"**{arm}.** The state is known for {wording.percent(known / total)}% of the remission observed from "
                "the origin on."]
        rates = [f"{name} {shown[key]}" for name in CATEGORIES
                 if (key := f"state.TTRLP.in_remission.{arm}.rate[{name}]") in shown]
        said += [f"Relapses by last known category: {'; '.join(rates)}."] if rates else []
        words.append(" ".join(said))
    return "\n\n".join(words) or "No patient has follow-up in remission from the origin on."


def molecular_in_words(found: pd.DataFrame, study: Study) -> str:
    """What molecular relapse foretold, by arm, under the definition that the study rests on and under the other.

    Parameters
    ----------
    found : DataFrame
        From `states.molecular_relapse`.
    study : Study

    Returns
    -------
    str
        Markdown; one line where nobody could have one.

    Examples
    --------
    >>> molecular_in_words(pd.DataFrame(columns=["TRT01A", "DEFINITION"]), Study("demo", "own", "", "", ()))
    'No patient had a complete sample in remission, so none could have a molecular relapse.'
    """
    words = []
    for arm in study.arm_keys:
        for name, mine in found[found["TRT01A"] == arm].groupby("DEFINITION", sort=False):
            met = mine[mine["MRELDY"].notna()]
            said = f"**{arm}, {name}.** {len(met)} of {len(mine)} patients at risk met the definition"
            relapsed = met[met["STATUS"] == "relapse"]
            if len(met):
                lead = relapsed["LEADMIN"].astype(float)
                said += f"; {len(relapsed)} of them relapsed" + (
                    "" if math.isnan(lead.median()) else f", a median of {lead.median():.0f} days later")
            words.append(f"- {said}.")
    return "\n".join(words) or "No patient had a complete sample in remission, so none could have a molecular relapse."
