"""The analysis results dataset."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from remission import results


def made(statistic, value=1.0):
    return results.row("km", "TTRLP", "all", "A", statistic, value, unit="d", n=3, method="m", display="one")


def test_rows_come_back_and_missing_stays_missing(elsewhere):
    results.save(results.frame([made("median", 803.5), made("upper", float("nan"))]), "x", "03_b")
    back = results.load("x")
    assert results.pick(back, "km.TTRLP.all.A.median")["value"] == 803.5
    assert back["value"].isna().tolist() == [False, True]
    assert back["notebook"].unique().tolist() == ["03_b"]


def test_a_notebook_replaces_its_own_rows_only(elsewhere):
    results.save(results.frame([made("a"), made("b")]), "x", "02_a")
    results.save(results.frame([made("c")]), "x", "03_b")
    results.save(results.frame([made("b", 2)]), "x", "02_a")
    assert results.load("x")["statistic"].tolist() == ["b", "c"]


def test_one_name_twice_is_an_error():
    with pytest.raises(ValueError, match=r"km\.TTRLP\.all\.A\.median"):
        results.frame([made("median"), made("median")])


def test_one_name_in_two_notebooks_is_an_error(elsewhere):
    results.save(results.frame([made("a")]), "x", "02_a")
    with pytest.raises(ValueError, match="named twice"):
        results.save(results.frame([made("a")]), "x", "03_b")


def test_notebooks_side_by_side_lose_nothing(elsewhere):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: results.save(results.frame([made(f"s{k}")]), "x", f"{k:02d}"), range(24)))
    assert len(results.load("x")) == 24


def test_pick_names_what_is_missing():
    with pytest.raises(KeyError, match="no result named nothing"):
        results.pick(results.frame([]), "nothing")
