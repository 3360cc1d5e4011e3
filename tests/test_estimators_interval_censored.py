"""Turnbull's estimate against closed forms, R and the conditions of a maximum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remission.estimators import curves
from remission.estimators.interval_censored import quantile, turnbull

LEFT = [35, 33, 23, 32, 27, 33, 32, 33, 28, 114, 26, 24, 79, 62, 61, 54, 26, 57, 64, 2196, 10, 10, 40]
RIGHT = [205, 136, 75, 163, 72, 209, 190, 132, 134, 198, 55, 56, 262, 103, 103, 91, 57, 95, 104, math.inf, math.inf,
         12, 40]


def test_closed_forms():
    # R 4.2.2: survfit(Surv(c(10, 20, 5), c(20, 30, 50), type = "interval2") ~ 1): 0.5 after 15, 0 after 25.
    assert turnbull([10, 20, 5], [20, 30, 50])["survival"].tolist() == pytest.approx([0.5, 0])
    # R: ... c(10, 20, 20), c(20, 30, 20): an exact time at 20 takes the interval that ends there: 1/3 after 20, then 0.
    found = turnbull([10, 20, 20], [20, 30, 20])
    assert found[["left", "right"]].to_numpy().tolist() == [[20, 20], [20, 30]]
    assert found["survival"].tolist() == pytest.approx([1 / 3, 0])


def test_against_r():
    # R 4.2.2, survival 3.5-3: summary(survfit(Surv(l, r, type = "interval2") ~ 1)); jumps at the midpoints 11, 40,
    # 54.5, 68, 85, 123. R stops when its curve moves less than 5e-5, with 0.002 at 54.5, which is zero at the maximum.
    found = turnbull(LEFT, RIGHT)
    middle = ((found["left"] + found["right"]) / 2).tolist()[:5]
    assert middle == [11, 40, 68, 85, 123]
    assert found["survival"].tolist()[:5] == pytest.approx(
        [0.954545454545455, 0.592409911797665, 0.348588173725381, 0.136359199800827, 0.045454545454545], abs=4e-3
    )
    assert quantile(found) == (64, 72)  # R: 68, the midpoint


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1, max_size=12))
def test_it_is_the_maximum(rows):
    left = np.array([row[0] for row in rows], float)
    right = left + [row[1] for row in rows]
    right[left == 30] = math.inf
    found = turnbull(left, right)
    assert found["mass"].sum() == pytest.approx(1, abs=1e-6)
    low, high, mass = (found[name].to_numpy() for name in ("left", "right", "mass"))
    exact = left == right
    holds = np.where(exact[:, None], (low == left[:, None]) & (high == right[:, None]), (low >= left[:, None]) & (
        high <= right[:, None]) & ((high > low) | (low > left[:, None])))
    # At a maximum every interval with mass has derivative n; none with mass gains from more.
    assert (holds.T @ (1 / (holds @ mass)) / len(rows)) == pytest.approx(np.ones(len(mass)), abs=1e-3)


def test_with_exact_and_censored_times_it_is_kaplan_meier():
    import pandas as pd

    rng = np.random.default_rng(7)
    time, event = rng.integers(1, 40, 30), rng.random(30) < 0.6
    found = turnbull(time, np.where(event, time, math.inf))
    seen = curves.kaplan_meier(pd.DataFrame({"time": time, "event": event}))
    seen = seen[seen["events"] > 0]
    exact = found[found["right"] < math.inf]
    assert exact["left"].tolist() == seen["time"].tolist()
    assert exact["survival"].tolist() == pytest.approx(seen["survival"].tolist(), abs=1e-6)


def test_a_median_beyond_what_was_seen():
    assert quantile(turnbull([3, 4, 5], [math.inf] * 3)) == (5, math.inf)
    assert math.isnan(quantile(turnbull([], [])).lower)
    with pytest.raises(ValueError, match="left one not above"):
        turnbull([3], [2])
