"""Small counts: intervals against R, the rule of three against what it stands for, contrasts with their warning."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from remission.estimators.proportions import exact_interval
from remission.results import frame
from remission.study import Arm, Study
from remission.toxicity import contrasts, rare, sentences
from remission.toxicity.counts import count_result

TWO = Study("demo", "own", "demo", "none", (Arm("A", "a"), Arm("B", "b", reference=True)))
#: R 4.2.2: binom.test(x, n)$conf.int; prop.test(x, n, correct = FALSE)$conf.int; mid-P by uniroot() of
#: 0.5 * dbinom(x, n, p) + pbinom(...) - 0.025, tol = 1e-14.
KNOWN = {
    (0, 12): ([0, 0.2646484693971], [0, 0.2209221919456], [0, 0.2424940066552]),
    (2, 12): ([0.02086252546009, 0.484137748686], [0.0289480144533, 0.4505648003406],
              [0.04696514218385, 0.448030862253]),
    (2, 18): ([0.013751215664364, 0.347120438608672], [0.01906582168615, 0.3210856934077],
              [0.031019522645612, 0.327997651301788]),
    (2, 19): ([0.01301216437178, 0.3313766644568], [0.01803969894706, 0.3063317635139],
              [0.02935856029887, 0.3139408271111]),
    (3, 19): ([0.03382624900176, 0.3957845512667], [0.04179199447947, 0.372145938301],
              [0.05520471638534, 0.3756547527033]),
    (4, 19): ([0.06052453770929, 0.4556530818915], [0.07070629697548, 0.4331721008857],
              [0.08507676632916, 0.4333427844381]),
    (9, 18): ([0.2601905828951, 0.7398094171049], [0.2781183003311, 0.7218816996689],
              [0.2903102150517, 0.7096897849483]),
    (12, 12): ([0.73535153060295, 1], [0.77907780805444, 1], [0.75750599334476, 1]),
    (12, 19): ([0.3835779233144, 0.8371141278449], [0.4031681880464, 0.8224598963865],
               [0.410395331648, 0.8085048725486]),
}


@pytest.mark.parametrize(("counts", "limits"), KNOWN.items())
def test_three_intervals_are_those_of_r(counts, limits):
    for interval, known in zip((exact_interval, rare.mid_p_interval, rare.wilson_interval), limits, strict=True):
        assert [float(limit) for limit in interval(*counts)] == pytest.approx(known, abs=1e-9)


def test_intervals_take_arrays_and_refuse_nobody():
    for interval in (rare.mid_p_interval, rare.wilson_interval):
        lower, upper = interval([0, 2, 0], [12, 19, 0])
        assert lower[0] == 0 and np.isnan([lower[2], upper[2]]).all()
        assert upper[1] == pytest.approx(float(interval(2, 19)[1]), abs=1e-15)


def test_rule_of_three_and_what_it_is_short_for():
    # R 4.2.2: binom.test(0, 12, alternative = "less")$conf.int, binom.test(2, 19, alternative = "less")$conf.int
    assert float(rare.one_sided_upper(0, 12)) == pytest.approx(0.22092219194556, abs=1e-9)
    assert float(rare.one_sided_upper(2, 19)) == pytest.approx(0.29580201397505, abs=1e-9)
    for n in (5, 12, 19, 30, 300):
        exact = 1 - 0.05 ** (1 / n)
        assert float(rare.one_sided_upper(0, n)) == pytest.approx(exact, abs=1e-12)
        assert float(rare.rule_of_three(n)) > exact
    assert float(rare.rule_of_three(2)) == 1
    assert [float(rare.rule_of_three(n)) / (1 - 0.05 ** (1 / n)) < 1.055 for n in (29, 30, 31)] == [True, True, True]
    assert math.isnan(float(rare.rule_of_three(0)))


def test_smallest_rate_that_would_have_shown():
    from scipy.stats import binom

    for n, least in ((12, 1), (19, 1), (19, 2)):
        rate = float(rare.shown_rate(n, least=least))
        assert binom.sf(least - 1, n, rate) == pytest.approx(0.95, abs=1e-12)
    assert float(rare.shown_rate(12)) == pytest.approx(1 - 0.05 ** (1 / 12), abs=1e-12)
    assert math.isnan(float(rare.shown_rate(1, least=2)))


def counted():
    return frame([count_result(("cytopenia", "-", "all", "A", "grade3plus"), 2, 19),
                  count_result(("cytopenia", "-", "all", "B", "grade3plus"), 0, 12),
                  count_result(("cytopenia", "-", "all", "A", "unknown"), 0, 19),
                  count_result(("ae", "Rash", "all", "A", "any"), 9, 19)])


def test_small_counts_are_found_among_result_rows():
    made = rare.rare_table(counted()).set_index("arm")
    assert len(rare.rare_table(counted(), most=9, wanted=None)) == 3  # nine is in; a count of unknowns is no event
    assert made.index.tolist() == ["A", "B"]
    assert made.loc["B", ["patients", "N", "exact_upper", "rule_of_three"]].tolist() == pytest.approx(
        [0, 12, 26.464846939705, 25], abs=1e-9)
    assert math.isnan(made.loc["A", "rule_of_three"]) and "zero events alone" in made.loc["A", "note"]
    assert "n below 30: the rule of three gives 25.0%, the exact one-sided limit is 22.1%" in made.loc["B", "note"]
    said = sentences.rare(made.reset_index())
    assert said.startswith("**0 of 12** is compatible with a true rate of up to 26.5%") and "22.1% one-sided" in said
    rows = frame(rare.rare_results(made.reset_index())).set_index("result_id")
    assert rows.loc["rare_cytopenia.-.all.B.grade3plus[midp]", "upper"] == pytest.approx(22.09221919456, abs=1e-7)
    assert rows.loc["rare_cytopenia.-.all.A.grade3plus[shown]", "display"] == "14.6%"


@pytest.mark.parametrize(("counts", "known"), [
    # Newcombe, Stat Med 1998;17:873, table II, method 10, to the four decimals printed there
    ((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((10, 10, 0, 20), (0.6791, 1.0000))])
def test_difference_of_proportions_against_the_paper(counts, known):
    found = contrasts.risk_difference(*counts)
    assert (round(found.lower, 4), round(found.upper, 4)) == known


def test_difference_and_fisher_against_r():
    # R 4.2.2: limits from prop.test(..., correct = FALSE)$conf.int of each arm; fisher.test(matrix(...))$p.value
    found = contrasts.risk_difference(2, 19, 0, 12)
    assert list(found[:4]) == pytest.approx([2 / 19, -0.1488329876878, 0.31394082711109, 0.50967741935484], abs=1e-9)
    # fisher.test(matrix(c(12, 7, 10, 2), 2, byrow = TRUE)) and the like, from the counts of the abstract
    for counts, p in (((12, 19, 10, 12), 0.4184099017489), ((3, 19, 2, 12), 1.0), ((2, 12, 2, 10), 1.0)):
        assert contrasts.risk_difference(*counts).p == pytest.approx(p, abs=1e-9)
    assert contrasts.risk_difference(0, 0, 1, 2).note == "an arm has no patients"


def test_a_contrast_never_comes_without_its_warning():
    made = contrasts.contrast_table(counted(), TWO)
    assert made[["contrast", "other", "reference"]].to_numpy().tolist() == [["A vs B", "2 of 19", "0 of 12"]]
    assert contrasts.contrast_table(counted(), TWO, (("ae", None, "any"),)).empty  # one arm alone has that row
    assert made["warning"].tolist() == [contrasts.warning(TWO)] and "randomised" in contrasts.warning(TWO)
    rows = frame(contrasts.contrast_results(made))
    assert rows.loc[0, "result_id"] == "contrast_cytopenia.-.all.A vs B.grade3plus[difference]"
    assert contrasts.warning(TWO) in rows.loc[0, "display"] and contrasts.warning(TWO) in rows.loc[0, "method"]
    assert sentences.contrasts(made).startswith(f"**{contrasts.warning(TWO)}**")
    synthetic = Study("demo", "reconstructed", "demo", "none", TWO.arms)
    assert "not randomised, and the source reports no toxicity of B" in contrasts.warning(synthetic)


def test_one_arm_and_no_rows_are_said_with_empty_tables():
    single = Study("demo", "own", "demo", "none", (Arm("A", "a"),))
    for table in (contrasts.contrast_table(counted(), single), contrasts.contrast_table(frame([]), TWO)):
        assert contrasts.contrast_results(table) == [] and sentences.contrasts(table) == ""
    assert rare.rare_results(rare.rare_table(frame([]))) == []
    assert sentences.rare(rare.rare_table(frame([]))) == ""
    assert isinstance(rare.rare_table(frame([])), pd.DataFrame)
