"""Peaks of liver tests under treatment, and the screen for serious drug-induced liver injury."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission.study import Study
from remission.toxicity.counts import count_result, population, with_interval
from remission.toxicity.worst import in_period

#: Multiples of the upper limit of normal that part the screen. Source: FDA, Guidance for Industry, Drug-Induced Liver
#: Injury: Premarketing Clinical Evaluation, July 2009 (aminotransferase above 3, bilirubin above 2).
CUTS = {"AMINO": 3.0, "BILI": 2.0}
QUARTERS = ("both", "aminotransferase only", "bilirubin only", "neither", "unknown")


def peaks(adlb: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Highest value of each liver test under treatment, in multiples of the upper limit of normal.

    Parameters
    ----------
    adlb, adsl : DataFrame

    Returns
    -------
    DataFrame
        USUBJID, TRT01A, ALT, AST, ALP, BILI, AMINO (the higher of ALT and AST), quarter (of `QUARTERS`); every patient
        of the safety population. Missing where no value with a limit of normal exists. Empty without liver tests.
    """
    subjects, tests = population(adsl, "all")[["USUBJID", "TRT01A"]], ["ALT", "AST", "ALP", "BILI"]
    rows = adlb[in_period(adlb, "maintenance") & adlb["PARAMCD"].isin(tests)]
    if rows.empty:
        return pd.DataFrame(columns=["USUBJID", "TRT01A", *tests, "AMINO", "quarter"])
    limit = rows["ANRHI"].astype(float)
    ratio = rows["AVAL"].astype(float) / limit.where(limit > 0)
    wide = rows.assign(ratio=ratio).pivot_table(index="USUBJID", columns="PARAMCD", values="ratio", aggfunc="max")
    wide = wide.reindex(columns=tests)
    made = subjects.merge(wide, left_on="USUBJID", right_index=True, how="left", validate="one_to_one")
    made["AMINO"] = made[["ALT", "AST"]].max(axis=1)
    amino, bili = (np.round(made[name], 9) > cut for name, cut in CUTS.items())
    known = made["AMINO"].notna() & made["BILI"].notna()
    made["quarter"] = np.select([~known, amino & bili, amino, bili], ["unknown", *QUARTERS[:3]], default="neither")
    return made.reset_index(drop=True)


def screen(peak: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Patients of each arm by quarter of the screen.

    Parameters
    ----------
    peak : DataFrame
        From `peaks`.
    study : Study

    Returns
    -------
    DataFrame
        TRT01A, N, one column a quarter (both: a peak aminotransferase above 3 x ULN and a peak bilirubin above 2 x ULN,
        not necessarily on one day), percentage and exact limits (%) of `both`, highest_amino, highest_bili (x ULN).
    """
    arms = [arm for arm in study.arm_keys if (peak["TRT01A"] == arm).any()]
    if not arms:
        return pd.DataFrame(columns=["TRT01A", "N", *QUARTERS])
    counted = pd.crosstab(peak["TRT01A"], peak["quarter"]).reindex(index=arms, columns=list(QUARTERS), fill_value=0)
    made = counted.rename_axis(columns=None)
    made.insert(0, "N", made.sum(axis=1))
    highest = peak.groupby("TRT01A")[["AMINO", "BILI"]].max()
    made["highest_amino"], made["highest_bili"] = highest["AMINO"], highest["BILI"]
    return with_interval(made.reset_index(), "both")


def screen_results(table: pd.DataFrame) -> list[dict]:
    """Result rows of `screen`: `liver.-.all.<arm>.both|unknown`."""
    method = ("peak ALT or AST above 3 x ULN and peak bilirubin above 2 x ULN under treatment, on any days; "
              "Clopper-Pearson interval on the percentage")
    return [count_result(("liver", "-", "all", one.TRT01A, statistic), getattr(one, statistic), one.N, method)
            for one in table.itertuples() for statistic in ("both", "unknown")]
