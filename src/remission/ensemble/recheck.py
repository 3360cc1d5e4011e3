"""Hold drawn cohorts against the claim ledger, one by one: its estimators and windows, nothing of the draw's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import ledger
from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts, Layout, endpoint
from remission.estimators import comparisons, curves
from remission.study import Study

#: Endpoints of results, by their names here; results carry the ledger's.
ENDPOINTS = {"TTRLP": "relapse", "RFS": "relapse_or_death", "OSDX": "survival_from_diagnosis", "OSMT": "survival",
             "MTDUR": "treatment"}
STATUSES = {"relapse": RELAPSE, "death_in_remission": DEATH, "ongoing": ONGOING}


def recheck(cohorts: Cohorts, layout: Layout, study: Study, ids: list[str]) -> pd.DataFrame:
    """Settle claims for every cohort, as the ledger settles them for the cohort of this study.

    Parameters
    ----------
    cohorts : Cohorts
        In days.
    layout : Layout
    study : Study
        Whose `claims.csv` has the claims.
    ids : list of str
        Claims to be settled; those that `claims.csv` does not have are left out.

    Returns
    -------
    DataFrame
        One row a claim: `claim`, `cohorts`, `agree`. A claim that contradicts another as worded agrees when it holds
        under the reading that the ledger names.
    """
    claims = ledger.read_claims(study)
    claims = claims[claims["id"].isin(ids) & (claims["result_id"] != "")].reset_index(drop=True)
    wanted = sorted({*claims["result_id"], *claims["reading_result_id"]} - {""})
    agree = np.zeros(len(claims), int)
    for row in range(len(cohorts.time)):
        data = _frames(cohorts.take([row]), layout)
        found = [_result(name, data, study) for name in wanted]
        settled = ledger.settle(claims, pd.DataFrame(found, columns=["result_id", "value", "unit"]).assign(
            display="", notebook=""))
        agree += ((settled["status"] == "reproduced") | settled["reading_holds"]).to_numpy()
    return pd.DataFrame({"claim": claims["id"], "cohorts": len(cohorts.time), "agree": agree})


def _frames(cohort: Cohorts, layout: Layout) -> dict[str, pd.DataFrame]:
    """One cohort's endpoints as `survival.endpoint` would give them."""
    arm = np.concatenate([[name] * (part.stop - part.start) for name, part in layout.arms.items()])
    made = {}
    for code, name in ENDPOINTS.items():
        time, event = endpoint(cohort, name, slice(None))
        made[code] = pd.DataFrame({"arm": arm, "time": time[0], "event": event[0], "code": cohort.code[0],
                                   "group": np.where(cohort.label[0] == 1, "poor", "good")})
    return made


def _result(name: str, data: dict[str, pd.DataFrame], study: Study) -> tuple[str, float, str]:
    """One result of a cohort, by its name: analysis, endpoint, population, arm, statistic."""
    analysis, code, _, arm, statistic = name.split(".", 4)
    whole = data[code if code in data else "TTRLP"]
    mine = whole if arm in ("all", study.contrast) else whole[whole["arm"] == arm]
    if analysis == "status":
        return name, float((mine["code"] == STATUSES[statistic]).sum()), "n"
    if analysis == "ongoing":
        return name, np.sort(mine.loc[mine["code"] == ONGOING, "time"])[int(statistic.removeprefix("time")) - 1], "d"
    if analysis == "range":
        end, _, among = statistic.partition("_")
        times = mine["time"] if among == "any" else mine.loc[mine["event"], "time"]
        return name, float(getattr(times, end)()), "d"
    if analysis == "logrank":
        return name, comparisons.logrank(mine, study.reference).p, "p"
    if analysis == "mrd" and statistic == "p":
        return name, comparisons.logrank(mine.assign(arm=mine["group"]), "good").p, "p"
    if analysis == "mrd":
        mine = mine[mine["group"] == statistic.removeprefix("median[").removesuffix("]")]
    return name, curves.quantile(curves.kaplan_meier(mine)).value, "d"
