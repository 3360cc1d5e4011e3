"""The partial likelihood with any covariates. Expected numbers: R 4.2.2 (survival 3.5-3); Firth as the log likelihood
of `coxph(..., init = b, iter.max = 0)` plus half the log determinant of its information, by optim and uniroot."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from survival_examples import AML, MONOTONE, STRATUM, UNTIED

from remission.estimators import models, partial


def bmt():
    """KMsurv::bmt with platelet recovery as a covariate that changes: rows of survival::tmerge."""
    rows = []
    for one in pd.read_csv(ROOT / "tests" / "data" / "km_bmt_platelet.csv").itertuples():
        at = one.tp if one.dp == 1 and 0 < one.tp < one.t2 else 0
        if at:
            rows.append((0, at, 0, 0, one.group))
        rows.append((at, one.t2, one.d3, int(at > 0 or (one.dp == 1 and one.tp == 0)), one.group))
    return pd.DataFrame(rows, columns=["start", "stop", "event", "plt", "group"])


class TestFit:
    def test_ties_and_groups(self):
        # R: coxph(Surv(time, status) ~ x, aml, ties = "efron")
        found = partial.ratio(partial.prepare(*AML))
        assert found[:4] == pytest.approx(
            (2.498105326172, 0.9159072574364, 6.813495766063, 0.07371486063907), rel=1e-11)

    def test_continuous(self):
        # R: coxph(Surv(t, e) ~ x), coxph.control(eps = 1e-14)
        found = partial.fit(partial.prepare(*UNTIED))
        assert math.exp(found.coefficients[0]) == pytest.approx(3.4530342584666, rel=1e-12)
        assert math.sqrt(found.covariance[0, 0]) == pytest.approx(0.5999027005299, rel=1e-11)

    def test_strata(self):
        # R: coxph(Surv(t, e) ~ x + strata(rep(1:2, 5))); and aml with strata
        found = partial.fit(partial.prepare(*UNTIED, strata=[1, 2] * 5))
        assert found.coefficients[0] == pytest.approx(1.2631876034611, rel=1e-11)
        assert math.sqrt(found.covariance[0, 0]) == pytest.approx(0.7264014181396, rel=1e-11)
        assert (found.loglik_null, found.loglik) == pytest.approx((-6.3969296552161, -3.9457521621742), rel=1e-12)
        assert partial.ratio(partial.prepare(*AML, strata=STRATUM))[:3] == pytest.approx(
            (2.27447301769, 0.835609647269, 6.19096192234), rel=1e-10)

    def test_late_entry_and_three_covariates(self):
        # R: coxph(Surv(start, stop, event) ~ plt + factor(group)); reference: Klein and Moeschberger, example 9.1
        rows = bmt()
        x = np.column_stack([rows["plt"], rows["group"] == 2, rows["group"] == 3]).astype(float)
        found = partial.fit(partial.prepare(rows["stop"], rows["event"], x, start=rows["start"]))
        assert found.coefficients == pytest.approx((-1.12023473597523, -0.49714889926127, 0.38183651017690), rel=1e-11)
        assert np.sqrt(np.diag(found.covariance)) == pytest.approx(
            (0.32917769598497, 0.28924633519530, 0.26761020506287), rel=1e-11)
        assert (found.loglik_null, found.loglik) == pytest.approx((-373.29574964323, -361.85916282421), rel=1e-12)
        within = partial.fit(partial.prepare(rows["stop"], rows["event"], rows["plt"], rows["start"], rows["group"]))
        assert within.coefficients[0] == pytest.approx(-1.0969512747094, rel=1e-11)

    def test_a_start_of_zero_for_all_is_no_start(self):
        one, two = (partial.fit(partial.prepare(*AML, start=start)) for start in (None, np.zeros(23)))
        assert one.coefficients[0] == pytest.approx(two.coefficients[0], rel=1e-13)


class TestFirth:
    @pytest.mark.parametrize(("records", "expected", "p"), [
        (partial.prepare(*AML), (0.8800692123373, -0.06609984361674, 1.913519797298), 0.06848625376622),
        (partial.prepare(*MONOTONE), (3.243051347511, 0.974470727256, 8.142976644796), 0.002538985185141),
        (partial.prepare(*UNTIED), (1.1033354363275, 0.15155396725452, 2.38605924970836), 0.021792697281279),
        (partial.prepare(*AML, strata=STRATUM), (0.78645427171964, -0.15789782173533, 1.81756967960955),
         0.10326495328693)])
    def test_against_r(self, records, expected, p):
        found = partial.ratio(records, "firth")
        assert np.log(found[:3]) == pytest.approx(expected, abs=1e-7)  # R's optimize stops there
        assert found.p == pytest.approx(p, rel=1e-9)

    def test_profile_over_other_covariates(self):
        rows = bmt()
        x = np.column_stack([rows["plt"], rows["group"] == 2, rows["group"] == 3]).astype(float)
        found = partial.ratio(partial.prepare(rows["stop"], rows["event"], x, start=rows["start"]), "firth")
        assert np.log(found[:3]) == pytest.approx((-1.1482054222842, -1.7534569890095, -0.4715800039938), abs=1e-7)
        assert found.p == pytest.approx(0.001455973522168, rel=1e-8)

    def test_penalised_likelihood_in_units_of_the_marker(self):
        assert partial.loglik(partial.prepare(*UNTIED), 1.0, firth=True) == pytest.approx(-6.7803900871831, rel=1e-12)

    def test_one_event_by_hand(self):
        # At the event n0 and n1 patients are at risk, the event in group 0: the penalised score (1 / 2 - 2 * share
        # of group 1 = 0 gives share 1 / 4) puts the log ratio at log(n0 / (3 * n1)); in group 1, share 3 / 4.
        for zeros, ones in ((7, 3), (23, 3), (2, 9), (400, 1)):
            x = np.repeat([0, 1], [zeros, ones])
            for place, share in ((0, 1 / 4), (len(x) - 1, 3 / 4)):
                event = np.arange(len(x)) == place
                time = np.where(event, 1, 2 + np.arange(len(x)))
                found = partial.fit(partial.prepare(time, event, x), firth=True).coefficients[0]
                assert found == pytest.approx(math.log(share / (1 - share) * zeros / ones), rel=1e-10)

    def test_scale_does_not_matter(self):
        time, event, x = UNTIED
        one, two = (partial.ratio(partial.prepare(time, event, scale * np.array(x)), "firth") for scale in (1, 1e4))
        assert two.value**1e4 == pytest.approx(one.value, rel=1e-9)

    def test_a_flat_maximum_converges_without_a_warning(self):
        # Found by simulation: another library's strictest tolerance fails here.
        rng = np.random.default_rng(120)
        for _ in range(40):
            time, event, x = rng.integers(30, 2000, 31), rng.random(31) < 0.7, rng.integers(0, 2, 31)
            found = partial.ratio(partial.prepare(time, event, x, strata=np.repeat(["A", "B"], [19, 12])), "firth")
            assert found.lower < found.value < found.upper
            assert 0 < found.p <= 1


def test_two_arms_are_a_special_case():
    random = np.random.default_rng(3)
    for _ in range(25):
        rows = pd.DataFrame({"time": random.integers(1, 15, 20), "event": random.random(20) < 0.7,
                             "arm": np.where(random.random(20) < 0.5, "B", "A")})
        records = partial.prepare(rows["time"], rows["event"], rows["arm"] == "B")
        for method, function in (("wald", models.cox), ("profile", models.cox_profile), ("firth", models.firth)):
            one, two = partial.ratio(records, method), function(rows, "A")
            assert one[:4] == pytest.approx(two[:4], rel=1e-8, nan_ok=True)


class TestWithoutNumber:
    @pytest.mark.parametrize(("data", "words"), [
        (([1, 2], [0, 0], [0, 1]), "no events"), (([], [], []), "no events"),
        (([1, 2], [1, 1], [1, 1]), "no event fell while patients at risk differed"),
        (([1, 2], [0, 1], [0, 1]), "no event fell while patients at risk differed")])
    def test_nothing_to_estimate(self, data, words):
        for method in ("wald", "profile", "firth"):
            found = partial.ratio(partial.prepare(*data), method)
            assert math.isnan(found.value) and found.note == words

    def test_no_maximum(self):
        assert partial.ratio(partial.prepare(*MONOTONE)).note == partial.ENDLESS
        assert partial.ratio(partial.prepare([1, 2, 3], [1, 1, 0], [3.0, 2.0, 1.0])).note == partial.ENDLESS
        late = partial.prepare([5, 6, 7], [1, 1, 0], [3.0, 2.0, 1.0], start=[0, 1, 2])
        assert partial.ratio(late).note == partial.ENDLESS
        two = np.column_stack([MONOTONE[2], np.arange(10) % 3])
        assert partial.ratio(partial.prepare(*MONOTONE[:2], two)).note == partial.ENDLESS

    def test_a_marker_that_is_the_stratum(self):
        time, event, x = AML
        assert partial.ratio(partial.prepare(time, event, x, strata=x), "firth").note == partial.FLAT

    @pytest.mark.parametrize("wrong", [{"stop": [1, math.nan]}, {"x": [1, math.nan]}, {"start": [0, 2]}])
    def test_refused(self, wrong):
        given = {"stop": [1, 2], "event": [1, 1], "x": [0, 1]} | wrong
        with pytest.raises(ValueError, match="must be known"):
            partial.prepare(**given)
        with pytest.raises(ValueError, match="a method is"):
            partial.ratio(partial.prepare(*AML), "exact")
