"""Absence of evidence: needs, posteriors, published contrasts, printed medians, readings, checklist.

Expected numbers: R 4.2.2 (survival 3.5-3), the calls beside the literals; closed forms; printed values.
"""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from remission import batch, ledger, mrd, paths, results, store, survival
from remission.errors import ContractError
from remission.figures import mrd_evidence as figures
from remission.mrd import bayes, evidence, external, needs, posterior, remark, subsets
from remission.mrd.markers import MARKERS
from remission.study import Arm, Study, read

MARGINS = (0.5, 2.0)
DEFAULT = "ash2012_reconstructed"
STUDY = Study("demo", "own", "", "", (Arm("A", "A"),))
#: Embury et al. 1977, as in R's survival::aml; the last number is 1 without maintenance.
AML = (
    [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161, 5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45],
    [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
    [0] * 11 + [1] * 12,
)
#: All events on one side: the maximum-likelihood hazard ratio is infinite.
MONOTONE = ([3, 5, 7, 8, 10, 12, 20, 22, 25, 30], [1] * 5 + [0] * 5, [1] * 5 + [0] * 5)


def outcome(time, event):
    return pd.DataFrame({"patient": [f"p{n + 1}" for n in range(len(time))], "arm": "A", "time": time, "event": event})


def known(**columns):
    patients = len(next(iter(columns.values())))
    blank = {marker.column: [None] * patients for marker in MARKERS}
    return pd.DataFrame(blank | {"USUBJID": [f"p{n + 1}" for n in range(patients)]} | columns)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cohort():
    """The default cohort: study, time to relapse, markers, marker results with few resamples."""
    study = read(DEFAULT)
    relapse, admk = survival.endpoint(store.read(DEFAULT, "adtte"), "TTRLP"), store.read(DEFAULT, "admk")
    return study, relapse, admk, mrd.analyse_markers(relapse, admk, study, seed=1, permutations=9, bootstraps=0)


class TestPriors:
    def test_each_leaves_five_percent_to_the_side_it_does_not_believe_in(self):
        # R: log(2) / qnorm(0.95) = 0.4214035639418; pnorm(log(2), 0, sd, lower = FALSE) = pnorm(0, log(2), sd) = 0.05
        sceptic, enthusiast = bayes.priors(MARGINS)
        assert sceptic.sd == enthusiast.sd == pytest.approx(0.4214035639418, abs=1e-12)
        assert (sceptic.mean, enthusiast.mean) == (0, math.log(2))
        assert bayes.worth(sceptic) == pytest.approx(22.5249368884678)  # R: 4 / sd^2

    def test_wider_margins_make_wider_priors(self):
        assert bayes.priors((0.25, 4.0))[0].sd == pytest.approx(2 * bayes.priors(MARGINS)[0].sd)


class TestGrid:
    """R: dnorm times exp of coxph(init = b, iter.max = 0, ties = "efron")$loglik on 22,001 points from -5 to 6."""

    @pytest.mark.parametrize(
        ("data", "prior", "expected"),
        [
            (AML, 0, (1.4663126157976, 0.7821423888453, 2.7552575930797, 0.8839991820380, 0.000419471631864,
                      0.8329833103773, 0.1665972179909)),
            (AML, 1, (2.197124511007, 1.169630863922, 4.178092290905, 0.9928332046140, 2.133953587941e-06,
                      0.3856525667844, 0.6143452992620)),
            (MONOTONE, 0, (1.612066816874615, 0.757455871149748, 3.425051715011260, 0.892651424985399,
                           0.001223025863977, 0.711428883295706, 0.287348090840317)),
            (MONOTONE, 1, (2.872294100379, 1.351558026702, 6.135030766835, 0.9969565141525, 2.859333422923e-06,
                           0.1734893144471, 0.8265078262195)),
        ])
    def test_against_r(self, data, prior, expected):
        grid = bayes.likelihood(*data, None, MARGINS)
        found = bayes.grid_posterior(grid, bayes.priors(MARGINS)[prior], MARGINS)
        assert found[:3] == pytest.approx(expected[:3], rel=1e-6)
        assert found[3:7] == pytest.approx(expected[3:], abs=3e-7)  # as far as R's trapezoids are exact

    def test_stratified_and_continuous_against_r(self):
        # R: the same with Surv(time, status) ~ z + strata(s), s = rep(c(1, 2, 1), 8)[1:23], z = time %% 7
        time, event, _ = AML
        grid = bayes.likelihood(time, event, np.array(time) % 7, ([1, 2, 1] * 8)[:23], MARGINS)
        found = bayes.grid_posterior(grid, bayes.priors(MARGINS)[0], MARGINS)
        assert found[:4] == pytest.approx((1.069365946791, 0.8503858131780, 1.351950631376, 0.7171826464283), rel=1e-6)

    def test_a_flat_likelihood_gives_the_prior_back(self):
        flat = bayes.Grid(np.linspace(-4, 4, 801), np.zeros(801))
        found = bayes.grid_posterior(flat, bayes.priors(MARGINS)[1], MARGINS)
        assert found[:3] == pytest.approx((2, math.exp(math.log(2) - 1.959963984540 * 0.4214035639),
                                           math.exp(math.log(2) + 1.959963984540 * 0.4214035639)), rel=1e-5)
        assert found.above_one == pytest.approx(0.95, abs=1e-8)

    def test_probabilities_add_up_and_the_intervals_hold_the_median(self):
        grid = bayes.likelihood(*AML, None, MARGINS)
        for prior in bayes.priors(MARGINS):
            found = bayes.grid_posterior(grid, prior, MARGINS)
            assert found.below_margin + found.within + found.above_margin == pytest.approx(1)
            assert found.lower < found.median < found.upper

    def test_nothing_to_learn_is_said_in_words(self):
        grid = bayes.likelihood([1, 2], [0, 0], [0, 1], None, MARGINS)
        found = bayes.grid_posterior(grid, bayes.priors(MARGINS)[0], MARGINS)
        assert found.note == "no events" and math.isnan(found.median)


class TestConjugate:
    def test_against_r(self):
        # R: f <- coxph(Surv(time, status) ~ x, aml); w <- 1 / (1 / vcov(f) + 1 / sd^2); mu <- w * coef(f) / vcov(f)
        fit = results.pick(posterior_of(AML), "posterior.response6m.all.A.HR[sceptical, normal]")
        assert fit[["value", "lower", "upper"]].tolist() == pytest.approx(
            [1.4474311119823, 0.7649917555731, 2.7386658858367], rel=1e-8)
        log_ratio, se = (float(one[0]) for one in batch.cox(*(np.array(one) for one in AML)))
        found = bayes.normal_posterior(log_ratio, se, bayes.priors(MARGINS)[0], MARGINS)
        assert (found.above_one, found.within) == pytest.approx((0.8721433012317, 0.8393120456532), rel=1e-8)

    def test_grid_and_shortcut_agree_when_events_abound(self):
        random = np.random.default_rng(3)
        poor = random.random(2000) < 0.5
        time = random.exponential(1 / np.where(poor, 1.3, 1))
        log_ratio, se = (float(one[0]) for one in batch.cox(time, np.ones(2000, bool), poor))
        grid = bayes.likelihood(time, np.ones(2000, bool), poor, None, MARGINS)
        for prior in bayes.priors(MARGINS):
            slow = bayes.grid_posterior(grid, prior, MARGINS)
            quick = bayes.normal_posterior(log_ratio, se, prior, MARGINS)
            assert slow[:3] == pytest.approx(quick[:3], rel=2e-3)

    def test_without_an_estimate_the_shortcut_says_why_and_the_grid_goes_on(self):
        found = posterior_of(MONOTONE).set_index("statistic")
        assert found.loc["HR[sceptical, normal]", "display"].startswith("not estimable: ")
        assert found.loc["HR[sceptical]", "value"] == pytest.approx(1.612066816874615, rel=1e-6)


def posterior_of(data):
    time, event, x = data
    admk = known(RESP6M=["N" if one else "Y" for one in x])
    return mrd.posterior_rows(outcome(time, [bool(one) for one in event]), admk, STUDY)


class TestPosteriorVerdict:
    @pytest.mark.parametrize(
        ("above", "within", "said"),
        [(0.976, 0.1, evidence.FOR), (0.975, 0.1, evidence.NEITHER), (0.02, 0.1, evidence.REVERSE),
         (0.5, 0.951, evidence.AGAINST), (0.5, 0.95, evidence.NEITHER), (0.99, 0.99, evidence.FOR)])
    def test_boundaries(self, above, within, said):
        assert evidence.posterior_verdict(above, 1 - above, within) == said

    def test_a_compromise_between_prior_and_data_is_no_evidence_of_no_effect(self):
        # Data at a hazard ratio of 0.4: the enthusiast ends near 1 and inside the margins, the sceptic below 0.5.
        prior = bayes.priors(MARGINS)
        ends = [bayes.normal_posterior(math.log(0.4), 0.4, one, MARGINS) for one in prior]
        assert ends[1].within > evidence.GIVEN_UP > ends[0].within
        assert evidence.posterior_verdict(ends[0].above_one, 1 - ends[0].above_one,
                                          min(one.within for one in ends)) == evidence.NEITHER

    def test_undefined(self):
        assert evidence.posterior_verdict(math.nan, math.nan, 0.5) == evidence.NONE


class TestNeeds:
    def test_closed_forms(self):
        # R: ((qnorm(0.975) + qnorm(0.9)) / log(2))^2 * 4; exp(c(-1, 1) * qnorm(0.975) * 2 / sqrt(12))
        assert evidence.events_to_rule_out(MARGINS) == pytest.approx(87.4792977215420)
        assert evidence.null_interval(12) == pytest.approx((0.3225214175073, 3.1005692822787))
        assert all(math.isnan(one) for one in (*evidence.null_interval(0), evidence.events_to_rule_out((1, 1))))

    def test_table_of_a_known_cohort(self):
        time, event, x = AML
        admk = known(RESP6M=["N" if one else "Y" for one in x])
        found = mrd.requirements(outcome(time, [bool(one) for one in event]), admk, STUDY).iloc[0]
        spread = 11 * 12 / 23**2
        assert found["events_needed"] == pytest.approx(evidence.events_needed(2, spread))
        assert found["patients_needed"] == pytest.approx(evidence.events_to_rule_out(MARGINS, spread) * 23 / 18)
        assert found["power"] == pytest.approx(evidence.power(18, 2, spread))

    def test_numbers_are_rounded_up(self):
        assert needs.whole(65.0) == "65" and needs.whole(65.01) == "66"

    def test_words_do_not_promise_what_no_interval_could_show(self, cohort):
        study, relapse, admk, _ = cohort
        said = mrd.requirements_in_words(mrd.requirements(relapse[relapse["arm"] == "IFN+IM"], admk, study), study)
        assert "In no comparison would even an estimate of exactly 1" in said

    def test_verdicts_as_numbers(self):
        rows = results.frame([results.row("mrd", "cycles", "all", arm, "verdict", math.nan, method="m", display=words)
                              for arm, words in zip("ABC", (evidence.AGAINST, evidence.NEITHER, evidence.NONE),
                                                    strict=True)])
        assert mrd.verdict_rows(rows)["value"].tolist()[:2] == [1, 0]
        assert math.isnan(mrd.verdict_rows(rows)["value"].iloc[2])


class TestExternal:
    """R: lr <- log(18.3 / 7.2); z <- qnorm(0.001, lower = FALSE); exp(lr + c(0, -1, 1) * qnorm(0.975) * lr / z)."""

    def test_against_r(self):
        found = external.hazard_ratios(external.read_external(read(DEFAULT))).set_index(["id", "method"])
        fit = found.loc[("Ottmann 2007", external.MEDIANS_P)]
        assert fit[["HR", "lower", "upper"]].tolist() == pytest.approx([2.541666666667, 1.406611630771, 4.592646117183])
        assert fit["implied_events"] == pytest.approx(44.812725818445) and fit["consistent"] == "Y"
        assert found.loc[("Ottmann 2007", external.P_EVENTS), "HR"] == pytest.approx(2.440183464658)
        fit = found.loc[("Blood 2007: mutation", external.MEDIANS_P)]
        assert fit[["HR", "lower", "upper"]].tolist() == pytest.approx([1.5, 0.9830771258883, 2.2887319221947])
        assert fit["implied_events"] == pytest.approx(86.0667288361141) and fit["consistent"] == "N"
        fit = found.loc[("Blood 2007: mutation", external.P_EVENTS)]
        assert fit[["HR", "lower", "upper"]].tolist() == pytest.approx(
            [2.3701832948275, 0.9643260070065, 5.8255909415100])
        fit = found.loc[("Blood 2007: MRD", external.MEDIANS_EVENTS)]
        assert fit[["HR", "lower", "upper"]].tolist() == pytest.approx(
            [0.9230769230769, 0.3755604409723, 2.2687986085841])

    def test_the_interval_gives_the_printed_p_back(self):
        fit = external.hazard_ratios(external.read_external(read(DEFAULT))).iloc[0]
        se = math.log(fit["upper"] / fit["lower"]) / (2 * 1.959963984540054)
        assert math.erfc(math.log(fit["HR"]) / se / math.sqrt(2)) == pytest.approx(0.002)

    def test_neither_p_nor_patients_leaves_a_ratio_without_interval(self):
        one = pd.DataFrame({"id": ["x"], "marker": ["cycles"], "n": [math.nan], "n_unfavourable": [math.nan],
                            "events": [math.nan], "favourable_median": [12.0], "unfavourable_median": [6.0],
                            "p": [math.nan]})
        found = external.hazard_ratios(one).iloc[0]
        assert (found["method"], found["HR"]) == (external.MEDIANS, 2) and math.isnan(found["lower"])
        with_p = external.hazard_ratios(one.assign(p=0.05))
        assert with_p["method"].tolist() == [external.MEDIANS_P] and with_p["consistent"].tolist() == ["Y"]

    def test_equal_medians_need_no_division(self):
        one = pd.DataFrame({"id": ["x"], "marker": ["cycles"], "n": [40.0], "n_unfavourable": [20.0], "events": [30.0],
                            "favourable_median": [12.0], "unfavourable_median": [12.0], "p": [0.9]})
        found = external.hazard_ratios(one)
        assert found["method"].tolist() == [external.MEDIANS_EVENTS] and found["HR"].tolist() == [1]

    def test_results_and_words_name_source_and_origin(self, cohort):
        study, _, _, rows = cohort
        published = mrd.read_external(study)
        made = mrd.external_rows(published)
        assert made["result_id"].is_unique and len(made) == 5
        assert made["method"].str.contains("origin not stated").all()
        words = mrd.external_in_words(published, rows)
        assert "Cancer 2007;109:2068" in words and "87 events" in words
        assert set(mrd.external_table(published)["published"]) == {*published["id"], ""}
        against = external.against_cohort(published, rows)
        assert against["difference_p"].between(0, 1).all()

    def test_every_fault_of_the_file_is_named_at_once(self, tmp_path, monkeypatch):
        good = pd.read_csv(paths.raw(DEFAULT) / "external.csv", dtype=str, keep_default_na=False)
        bad = good.assign(marker="foo", unit="fortnight", p=["0.002", "1.2", "x"], n=["49", "0", ""], id="same",
                          events=["60", "", "-3"], source="", n_unfavourable=["50", "", ""])
        monkeypatch.setattr(paths, "raw", lambda cohort: tmp_path)
        bad.to_csv(tmp_path / "external.csv", index=False)
        with pytest.raises(ContractError) as error:
            external.read_external(Study("demo", "own", "", "", ()))
        said = str(error.value)
        for words in ("external.marker (line 2, 3, 4)", "external.unit", "external.p (line 3): not below 1",
                      "external.p (line 4): no number", "external.n (line 3): not above 0", "external.id (line 3, 4)",
                      "external.events (line 2): more than patients", "external.events (line 4): not above 0",
                      "external.source", "external.n_unfavourable (line 2)"):
            assert words in said, words
        good.drop(columns="origin").to_csv(tmp_path / "external.csv", index=False)
        with pytest.raises(ContractError, match=r"external\.origin: column missing"):
            external.read_external(Study("demo", "own", "", "", ()))


class TestPrinted:
    def test_readings_carry_an_interval_as_narrow_as_the_events_allow(self):
        found = evidence.readings({"good": 16, "poor": 26}, 12, 0.5, (math.nan, math.nan))
        # R: exp(log(16 / 26) + c(-1, 1) * qnorm(0.975) * 2 / sqrt(12))
        assert found.loc[0, ["lower", "upper"]].tolist() == pytest.approx([0.1984747184660, 1.9080426352484])

    def test_the_carriers_of_the_printed_medians(self, cohort):
        study, relapse, admk, _ = cohort
        found = mrd.median_carriers(relapse, admk, ledger.read_claims(study), study).set_index("group")
        assert found["patients"].tolist() == [7, 12, 19] and found["relapses"].tolist() == [5, 7, 12]
        for group, (low, high) in {"response": (15.5, 16.5), "no response": (25.5, 26.5)}.items():
            assert low <= 12 * found.loc[group, "median"] < high
            time = relapse.set_index("patient").loc[found.loc[group, "carried_by"].split(", "), "time"]
            assert time.mean() / 365.25 == pytest.approx(found.loc[group, "median"])

    def test_a_plateau_has_two_carriers(self):
        part = outcome([1, 2, 3, 4], True)
        assert subsets._at_half(part) == ["p2", "p3"]
        assert subsets._at_half(outcome([1, 2, 3], True)) == ["p2"]
        assert subsets._at_half(outcome([1, 2, 3], False)) == ["nobody: not reached"]

    def test_the_search_keeps_only_splits_that_give_both_medians(self, cohort):
        study, relapse, _, _ = cohort
        one = subsets.printed_medians(ledger.read_claims(study), study)[0]
        mine = relapse[relapse["arm"] == one.arm]
        time, event = mine["time"].to_numpy(float), mine["event"].to_numpy(bool)
        found = subsets._matches(time, event, 19, 7, one.bounds, 4000, np.random.default_rng(1))
        assert 0 < len(found) < 400 and (found["events"] == 12).all() and found["p"].between(0, 1).all()
        everything = dict.fromkeys(one.bounds, (0.0, math.inf))
        # Bounds that hold every median keep every split in which both medians are reached.
        assert len(subsets._matches(time, event, 19, 7, everything, 500, np.random.default_rng(1))) > 300

    def test_the_search_by_enumeration_in_a_small_cohort(self):
        # Six relapses on days 1 to 6, three a group: of choose(6, 3) = 20 splits those with {x, 2, y} first (median 2)
        # and median 5 second are {1, 2, 3}, {1, 2, 4}: {3, 5, 6}; {1, 2, 6}: {3, 4, 5} has 4. So {1,2,3}: {4,5,6} and
        # {1,2,4}: {3,5,6}: 2 of 20.
        relapse = outcome([1, 2, 3, 4, 5, 6], True)
        claims = pd.DataFrame({"result_id": [f"mrd.response6m.all.A.median[{one}]" for one in ("good", "poor")],
                               "lower": [1.5, 4.5], "upper": [2.5, 5.5], "unit": "day"})
        found = mrd.subset_readings(relapse, claims, STUDY, seed=2, draws=20_000)
        assert found["patients"].tolist() == [6]
        assert found["share"].iloc[0] == pytest.approx(0.1, abs=4 * found["error"].iloc[0])
        # Log-rank p by R: survdiff(Surv(1:6) ~ g): 0.02460234995 and 0.1098308661
        assert found["p_low"].iloc[0] == pytest.approx(0.02460234995, abs=1e-9)
        assert found["p_high"].iloc[0] == pytest.approx(0.1098308661, abs=1e-9)

    def test_seed_fixes_it_and_rows_are_named_by_size(self, cohort):
        study, relapse, _, _ = cohort
        claims = ledger.read_claims(study)
        one, other = (mrd.subset_readings(relapse, claims, study, seed=4, draws=300) for _ in range(2))
        pd.testing.assert_frame_equal(one, other)
        assert one["patients"].tolist() == list(range(12, 20))
        rows = mrd.subset_rows(one)
        assert "printed.response6m.12_evaluable.IFN+IM.match_share" in set(rows["result_id"])


class TestReadings:
    def test_first_crossing_and_deaths_counted(self):
        # R: quantile(survfit(Surv(time, status) ~ x, aml)); aml has no plateau at one half in either group
        time, event, x = AML
        relapse = outcome(time, [bool(one) for one in event])
        admk = known(RESP6M=["N" if one else "Y" for one in x])
        found = mrd.marker_readings(relapse, relapse, admk, STUDY).set_index("statistic")["value"]
        assert found[["median_first[good]", "median_first[poor]", "rfs_median[good]"]].tolist() == [31, 23, 31]
        # R: Firth as in test_mrd.TestFirth, Efron ties
        assert found["p_firth"] == found["rfs_p_firth"]

    def test_every_reading_of_a_marker_claim_on_file_is_answered(self):
        study = read(DEFAULT)
        claims, file = ledger.read_claims(study), ledger.read_readings(study)
        mine = file[file["id"].str.startswith("M")]
        settled = ledger.settle_readings(claims, mine, results.load(DEFAULT))
        numbered = claims[claims["id"].str.startswith("M") & (claims["result_id"] != "")]
        assert set(mine["id"]) == set(numbered["id"])
        assert settled.loc[settled["answer"] == "no result", "result_id"].tolist() == []
        meaning = settled[settled["issue"] == "meaning of no relation"]
        assert len(meaning) == 8 and set(meaning["answer"]) <= {"holds", "does not hold"}


class TestRemark:
    def test_twenty_items_each_with_a_judgement_and_a_place(self):
        found = remark.items()
        assert found["item"].tolist() == [str(number) for number in range(1, 21)]
        assert set(found["abstract"]) | set(found["notebook"]) <= set(remark.ANSWERS)
        assert (found[["asks", "reports", "answered"]] != "").all(axis=None)

    def test_claims_named_exist(self):
        named = {one for cell in remark.items()["claims"] for one in cell.split(";") if one}
        assert named <= set(ledger.read_claims(read(DEFAULT))["id"])

    def test_counts(self):
        rows = mrd.remark_rows(read(DEFAULT))
        assert rows.groupby("population")["value"].sum().tolist() == [20, 20]
        assert mrd.remark_table(read("wassmann2003")).empty and mrd.remark_rows(read("wassmann2003")).empty


class TestFigures:
    def test_the_forest_draws_every_line_with_its_group(self, cohort):
        study, _, _, rows = cohort
        printed = mrd.printed_readings(ledger.read_claims(study), rows, study)
        figure, plotted = figures.forest(rows, printed, mrd.read_external(study), study)
        assert plotted.groupby("group", sort=False).size().tolist() == [5, 5, 2, 5]
        words = " ".join(text.get_text() for text in figure.axes[0].texts)
        assert all(one in words for one in plotted["group"]) and "origin" in words
        assert all(one.replace("95% CI ", "") in words for one in plotted["display"])

    def test_the_forest_without_markers_still_shows_what_was_published(self):
        study = Study("demo", "own", "", "", (Arm("A", "A"),))
        claims = pd.DataFrame({"result_id": [], "printed": [], "unit": []})
        nothing = mrd.printed_readings(claims, results.frame([]), study)
        figure, plotted = figures.forest(results.frame([]), nothing, mrd.read_external(read(DEFAULT)), study)
        assert figure is not None and len(plotted) == 5

    def test_posterior_densities_integrate_to_one(self, cohort):
        study, relapse, admk, _ = cohort
        figure, plotted = figures.posteriors(relapse, admk, study)
        assert len(figure.axes) == 10
        for (arm, marker, curve, prior), one in plotted.groupby(["arm", "marker", "curve", "prior"]):
            whole = np.trapezoid(one["density"], one["log_ratio"])
            assert whole == pytest.approx(1, abs=0.02 if curve != "likelihood" else 0.1), (arm, marker, curve, prior)

    def test_nothing_to_draw(self):
        assert figures.posteriors(outcome([], []), known(RESP6M=[]), STUDY)[0] is None


@pytest.mark.parametrize("letters", [["Y"] * 4, [None] * 4])
def test_a_marker_that_does_not_vary_or_is_unknown(letters):
    relapse = outcome([10, 20, 30, 40], True)
    admk = known(RESP6M=letters)
    belief, wanted = mrd.posterior_rows(relapse, admk, STUDY), mrd.requirements(relapse, admk, STUDY)
    assert not belief["display"].str.contains("nan").any()
    assert not mrd.requirements_table(wanted).astype(str).eq("nan").any(axis=None)
    if letters[0]:
        assert set(belief.loc[belief["statistic"] == "verdict", "display"]) == {evidence.NONE}
        assert "not estimable" in set(mrd.requirements_table(wanted)["power"])
    assert mrd.requirements_in_words(wanted, STUDY) and mrd.posterior_in_words(belief, STUDY)
    assert posterior.posterior_table(belief).shape[0] == (2 if letters[0] else 0)


def test_every_marker_of_the_house_has_a_place_in_the_checklist_of_needs(cohort):
    study, relapse, admk, _ = cohort
    assert set(mrd.requirements(relapse, admk, study)["endpoint"]) == {one.key for one in MARKERS}
