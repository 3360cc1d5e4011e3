"""Cohorts that the sampler accepts, held one by one against every claim by the ledger's own estimators and windows.

`REMISSION_RECHECK=10000 python -m pytest tests/test_ensemble_recheck.py -n0 -s` is the long run, on all processors.
"""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

from remission import reconstruct
from remission.ensemble import abstract, recheck, sample
from remission.study import read

COHORTS = int(os.environ.get("REMISSION_RECHECK", "24"))
#: Whoever asks for many asks for chains that have gone far.
BURN = 3000 if COHORTS > 1000 else 50
PART = 100


@pytest.fixture(scope="module")
def accepted():
    report = abstract.read(reconstruct.COHORT)
    found = sample.ensemble(report, COHORTS, 20121130, burn=BURN)
    return report, found.ready.layout, found.cohorts


def settled(report, layout, cohorts):
    study, ids = read(reconstruct.COHORT), [claim.id for claim in report.claims]
    rows = np.array_split(np.arange(len(cohorts.time)), -(-len(cohorts.time) // PART))
    parts = Parallel(n_jobs=-1 if len(rows) > 1 else 1)(
        delayed(recheck.recheck)(cohorts.take(part), layout, study, ids) for part in rows)
    return pd.concat(parts).groupby("claim", sort=False)[["cohorts", "agree"]].sum()


def test_every_accepted_cohort_agrees_with_every_claim(accepted):
    report, layout, cohorts = accepted
    found = settled(report, layout, cohorts)
    print(f"\n{found['cohorts'].iloc[0]} cohorts, {len(found)} claims, {int(found['agree'].sum())} agreements")
    assert found.index.tolist() and set(found.index) == {claim.id for claim in report.claims}
    assert (found["cohorts"] == len(cohorts.time)).all() and len(cohorts.time) >= COHORTS
    assert (found["agree"] == found["cohorts"]).all()


def test_a_cohort_that_breaks_claims_is_seen(accepted):
    """A year added to every time of the other arm moves its median, its range and p; counts stay."""
    report, layout, cohorts = accepted
    later = cohorts.take(np.arange(2))
    later.time[:, layout.arms["IFN+IM"]] += 366
    found = settled(report, layout, later)["agree"]
    assert found[["R01", "R02", "R03", "R07"]].tolist() == [0, 0, 0, 0]
    assert found[["F06", "F12", "R04"]].tolist() == [2, 2, 2]
