"""What is committed says one thing: tables follow from the raw ones, figures show the results, the ledger quotes them.

Quick, and beside `test_pipeline`: that one makes every file anew, this one holds files against each other and against
curves computed here from the table of times, by the textbook.
"""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import COHORTS, ROOT

from remission import adam, cleaning, exports, ledger, paths, raw, results, store
from remission.figures import ledger as ledger_figure
from remission.study import read as read_study

#: Figures of estimates: the columns of an estimate and its limits; every row must be a row of `results.csv`.
ESTIMATES = {"mrd_marker_forest": "HR", "mrd_guarantee_time": "value", "definition_grid": "estimate",
             "mrd_levels": "value"}
#: What a number of `results.csv` is multiplied by where a forest shows it in another unit.
UNITS = {"percentage points": 100, "weeks": 1 / 7, "months": 12 / 365.25, "years": 1 / 365.25}
CURVES = {"km_time_to_relapse": "TTRLP", "km_overall_survival": "OSDX", "km_survival_from_origin": "OSMT"}
#: Half a unit of the eighth digit, in which figures hold their numbers.
CLOSE = 1e-7


def figure(cohort: str, name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "figures" / cohort / f"{name}.csv")


def drawn(*names: str):
    """A test for every cohort and figure that there is."""
    pairs = [(cohort, name) for cohort in COHORTS for name in names
             if (ROOT / "figures" / cohort / f"{name}.csv").is_file()]
    return pytest.mark.parametrize(("cohort", "name"), pairs)


@pytest.mark.parametrize("cohort", COHORTS)
def test_tables_follow_from_the_raw_ones(cohort, elsewhere):
    study = read_study(cohort)
    cleaned = cleaning.clean(raw.read(study), study)
    store.write_all(adam.derive_all(cleaned.tables, study), cohort)
    store.write(cleaned.log, cohort, "cleaning_log")
    store.write(cleaned.quarantine, cohort, "quarantine")
    made = {path.name: path.read_bytes() for path in paths.processed(cohort).glob("*.csv")}
    kept = ROOT / "data" / "processed" / cohort
    assert {path.name for path in kept.glob("ad*.csv")} == {name for name in made if name.startswith("ad")}
    assert [name for name in made if made[name] != (kept / name).read_bytes()] == []


@pytest.mark.parametrize("cohort", COHORTS)
def test_the_ledger_follows_from_claims_and_results(cohort, monkeypatch, tmp_path):
    study, found = read_study(cohort), results.load(cohort)
    claims = ledger.read_claims(study)
    settled = ledger.settle(claims, found)
    readings = ledger.settle_readings(claims, ledger.read_readings(study), found)
    drawing, plotted = ledger_figure.claim_ledger(settled, study)
    plt.close(drawing)
    shown = exports.neutral(plotted).to_csv(index=False, float_format="%.8g", lineterminator="\n")
    assert shown == (ROOT / "figures" / cohort / "claim_ledger.csv").read_text(encoding="utf-8")
    monkeypatch.setenv("REMISSION_OUTPUT", str(tmp_path))
    ledger.save(settled, study, readings)
    made = {path.name: path.read_bytes() for path in paths.processed(cohort).iterdir()}
    assert {"claims.csv", "verdict.txt"} <= made.keys()
    assert [name for name in made if made[name] != (ROOT / "data/processed" / cohort / name).read_bytes()] == []


@drawn(*ESTIMATES)
def test_estimates_of_a_figure_are_results(cohort, name):
    shown = figure(cohort, name)[[ESTIMATES[name], "lower", "upper"]].astype(float)
    found = results.load(cohort)[["value", "lower", "upper"]].to_numpy(float)
    shown = shown[shown.notna().all(axis=1)]
    assert len(shown)
    assert [row.tolist() for row in shown.to_numpy() if not np.isclose(
        found, row, rtol=CLOSE, atol=0).all(axis=1).any()] == []


@drawn("forest")
def test_a_forest_quotes_the_rows_it_names(cohort, name):
    shown = figure(cohort, name)
    found = results.load(cohort).set_index("result_id").loc[shown["result_id"]].reset_index()
    factor = shown["unit"].map(UNITS).fillna(1)
    for column in ("value", "lower", "upper"):
        assert np.allclose(shown[column], found[column] * factor, rtol=CLOSE, atol=0, equal_nan=True)
    for column in ("events", "n"):
        assert shown[column].fillna(-1).tolist() == found[column].astype(float).fillna(-1).tolist()
    assert shown["display"].str.lstrip("'").tolist() == found["display"].tolist()


@drawn(*CURVES)
def test_survival_curves_follow_from_the_times(cohort, name):
    shown = figure(cohort, name)
    adtte = store.read(cohort, "adtte")
    adtte = adtte[(adtte["PARAMCD"] == CURVES[name]) & adtte["AVAL"].notna()]
    for arm, mine in adtte.groupby("TRT01A"):
        time, event = mine["AVAL"].to_numpy(float), mine["CNSR"].to_numpy() == 0
        of_arm = shown[shown["arm"] == arm].set_index("part")
        start, curve = of_arm.loc[["curve"]].iloc[0], of_arm.loc[["curve"]].iloc[1:]
        assert (start["day"], start["survival"], start["at_risk"]) == (0, 1, len(time))
        assert curve["day"].tolist() == sorted(set(time))
        for row in curve.itertuples():
            survival, lower, upper = product_limit(time, event, row.day)
            assert (row.survival, row.at_risk) == (pytest.approx(survival, abs=CLOSE), (time >= row.day).sum())
            assert (row.events, row.censored) == tuple(((time == row.day) & kind).sum() for kind in (event, ~event))
            if 0 < survival < 1:
                assert (row.lower, row.upper) == (pytest.approx(lower, abs=CLOSE), pytest.approx(upper, abs=CLOSE))
        for row in of_arm.loc[["counts"]].itertuples():
            assert row.at_risk == (time >= row.day).sum()
            assert (row.events, row.censored) == tuple(((time < row.day) & kind).sum() for kind in (event, ~event))


def product_limit(time: np.ndarray, event: np.ndarray, day: float) -> tuple[float, float, float]:
    """Kaplan-Meier estimate on a day with log-log limits (Greenwood's variance), by the textbook."""
    survival, variance = 1.0, 0.0
    for when in sorted(set(time[event & (time <= day)])):
        risk, events = (time >= when).sum(), (event & (time == when)).sum()
        survival *= 1 - events / risk
        variance += events / (risk * (risk - events)) if risk > events else math.inf
    if not 0 < survival < 1:
        return survival, math.nan, math.nan
    width = 1.959963984540054 * math.sqrt(variance) / math.log(survival)
    return survival, survival ** math.exp(-width), survival ** math.exp(width)


@drawn("leave_one_out")
def test_leaving_nobody_out_is_the_main_result(cohort, name):
    shown = figure(cohort, name).set_index("part").loc["everybody", ["HR", "p", "exact_p"]].dropna()
    found, contrast = results.load(cohort).set_index("result_id")["value"], read_study(cohort).contrast
    names = {"HR": f"cox.TTRLP.all.{contrast}.HR", "p": f"logrank.TTRLP.all.{contrast}.p",
             "exact_p": f"permutation.TTRLP.all.{contrast}.linear_p"}
    assert len(shown) and shown.to_dict() == pytest.approx({one: found[names[one]] for one in shown.index}, rel=CLOSE)
