"""Truths that are known, held against bounds and draws that know their printed summaries alone."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from scipy import stats

from remission.ensemble import coverage, walk, worlds
from remission.ensemble.abstract import Abstract, Quantity, build, read
from remission.ensemble.cohorts import DEATH, RELAPSE, Layout, layout
from remission.ensemble.quantities import value
from remission.ensemble.unprinted import targets
from remission.errors import ContractError

SMALL = coverage.Effort(cohorts=40, burn=500, apart=50, each=4, steps=100, climbers=2, rounds=2, aims=0)


def freireich() -> tuple[Abstract, pd.DataFrame]:
    folder = ROOT / "data" / "raw" / "freireich1963"
    rows = pd.read_csv(folder / "patients.csv").merge(pd.read_csv(folder / "disposition.csv"))
    return read("freireich1963"), pd.DataFrame({"arm": rows["arm"], "time": rows["last_contact_day"],
                                                "relapse": rows["status"] == "alive after relapse"})


def aml() -> tuple[Abstract, pd.DataFrame]:
    return read(ROOT / "examples" / "aml_maintenance.toml"), pd.read_csv(ROOT / "examples" / "aml_maintenance.csv")


class TestRealPatients:
    """The true patients are inside the bounds, and their hazard ratio and mean times inside the draws."""

    @pytest.mark.parametrize("of", [freireich, aml], ids=lambda of: of.__name__)
    def test_truth_is_where_the_summary_says(self, of):
        report, rows = of()
        made = coverage.hold(report, worlds.known(report, rows), 1, SMALL).set_index("quantity")
        assert made["inside_bounds"].all()
        assert len(made) >= 8
        contrasts = made[made.index.str.startswith(("hazard_ratio", "rmst_difference"))]
        assert len(contrasts) == 2
        assert contrasts["inside_95"].all()
        assert (made["lower"] <= made["inner_lower"]).all() and (made["inner_upper"] <= made["upper"]).all()

    # R 4.2.2, survival 3.5-3. aml: coxph(Surv(time, status) ~ x) has 2.498 for nonmaintained against maintained;
    # print(survfit(...), rmean = 45) has 30.74 and 22.71. 6-MP: coxph 0.2076; see data/raw/freireich1963/claims.csv.
    @pytest.mark.parametrize(("of", "kind", "at", "expected", "within"), [
        (aml, "hazard_ratio", 0, 1 / 2.498, 1e-4), (aml, "rmst_difference", 45, 30.74 - 22.71, 0.01),
        (freireich, "hazard_ratio", 0, 0.2076, 5e-5)])
    def test_truth_is_rs(self, of, kind, at, expected, within):
        report, rows = of()
        found = value(worlds.known(report, rows), layout(report), Quantity(kind, "relapse", at=at))
        assert found[0] == pytest.approx(expected, abs=within)

    def test_other_patients_are_refused(self):
        report, rows = aml()
        with pytest.raises(ValueError, match="the patients are not those of maintained, nonmaintained"):
            worlds.known(report, rows[1:])
        early = worlds.known(report, rows.assign(time=rows["time"].clip(upper=160)))
        with pytest.raises(ValueError, match="the true patients do not agree with L1"):
            coverage.hold(report, early, 1, coverage.Effort(8, 0, 10, 1, 1, 1))


class TestSummary:
    def test_every_truth_agrees_with_its_own_summary(self):
        for world in worlds.WORLDS:
            for number in range(30):
                _, truth = worlds.trial(world, (19, 12), np.random.default_rng([2, number]))
                report = build(world, worlds.print_summary(truth, (19, 12), ongoing=number % 2 == 0))
                ready = walk.setting(report)
                assert ready.ruler.holds(truth, list(range(len(report.claims))))[0]
                assert report.count("A", "deaths_in_remission") == (truth.code[0, :19] == DEATH).sum()

    def test_numbers_are_printed_as_a_report_would(self):
        truth = worlds.patients([30, 91, 92, 700, 40, 50, 60, 400], [1, 0, 0, 0, 1, 1, 1, 0])
        said = {row["id"]: row["printed"] for row in worlds.print_summary(truth, (4, 4), ongoing=True)["claims"]}
        # 91 and 92 days are 2.99 and 3.02 months of 30.4375 days; 3 of 4 patients of arm A never relapse.
        assert said | {"median.A": "not reached", "ongoing_1.A": "3.0", "ongoing_2.A": "3.0", "ongoing_3.A": "23.0",
                       "relapses.B": "3", "median.B": "1.8", "longest.B": "13.1"} == said

    @pytest.mark.parametrize(("p", "printed"), [(0.0004, "<0.001"), (0.0123, "0.012"), (0.0999, "0.10"), (0.5, "0.50"),
                                                (0.997, "1.0")])
    def test_p_has_two_digits(self, p, printed):
        assert worlds._two_digits(p) == printed

    def test_halves_go_up(self):
        assert [worlds._tenths(days) for days in (1.5 * 30.4375 + 0.05 * 30.4375, math.inf)] == ["1.6", "not reached"]


class TestWorlds:
    """Curves of large simulated trials are those of scipy's laws."""

    # Relapse alone: lognorm(s = 1.4 or 0.6, median 16 or 12 months); a share never relapses, the rest by gamma(2, 6).
    @pytest.mark.parametrize(("world", "expected"), [
        ("crossing", (stats.lognorm(1.4, scale=16).sf, stats.lognorm(0.6, scale=12).sf)),
        ("cured", (lambda x: 0.35 + 0.65 * stats.gamma(2, scale=6).sf(x),
                   lambda x: 0.15 + 0.85 * stats.gamma(2, scale=6).sf(x)))])
    def test_curves(self, world, expected):
        family, truth = worlds.trial(world, (4000, 4000), np.random.default_rng(3))
        place = Layout({"A": slice(0, 4000), "B": slice(4000, 8000)}, np.repeat([True, False], 4000), False, False,
                       False, None)
        assert family == ""
        for arm, law in zip("AB", expected, strict=True):
            for months in (6, 12, 24):
                found = value(truth, place, Quantity("survival", "relapse", arm, at=months * 30.4375))[0]
                assert found == pytest.approx(law(months), abs=4 * 0.6 / math.sqrt(4000))

    def test_every_trial_has_relapses_in_both_arms(self):
        for number in range(40):
            family, truth = worlds.trial("prior", (4, 3), np.random.default_rng([4, number]))
            assert family and min((truth.code[0, part] == RELAPSE).sum() for part in (slice(0, 4), slice(4, 7))) >= 2
            assert truth.time.max() < worlds._horizon()


@pytest.fixture(scope="module")
def small():
    return coverage.study(("prior",), ((9, 7),), 2, 5, SMALL)


@pytest.fixture(scope="module")
def many():
    """Draws are asked after and not extremes, so that the search for these is short."""
    return coverage.study(("prior",), ((9, 7),), 24, 5, SMALL._replace(steps=10, rounds=1))


class TestStudy:
    """Simulation-based calibration (Talts et al., arXiv 1804.06788): truths from the prior rank evenly among draws."""

    @pytest.mark.parametrize("quantity", ["hazard_ratio.relapse", "survival.relapse.A[24]", "survival.relapse.B[24]"])
    def test_intervals_and_ranks_are_as_they_should(self, many, quantity):
        """Coverage within binomial limits of 1 in 1000, and ranks not far from uniform."""
        assert many["replicate"].nunique() == 24
        mine = many[many["quantity"] == quantity]
        assert len(mine) >= 12
        for column, level in (("inside_95", 0.95), ("inside_80", 0.80)):
            assert stats.binom.sf(len(mine) - mine[column].sum() - 1, len(mine), 1 - level) > 1e-3
        assert stats.kstest(mine["rank"], "uniform").pvalue > 1e-3

    def test_the_truth_is_found_where_no_climb_leads(self):
        """A median between two relapses, as few cohorts with this summary have it: climbs alone do not come to it."""
        hard = coverage.replicate("prior", (9, 7), 4, 5, coverage.Effort()).set_index("quantity")
        assert hard.loc["survival.relapse.A[24]", "truth"] == pytest.approx(0.25)
        assert hard["inside_bounds"].all() and len(hard) == 13

    def test_the_same_numbers_from_another_process(self, small, tmp_path):
        options = {name: str(number) for name, number in SMALL._asdict().items()}
        out = tmp_path / "made.csv"
        coverage.main([str(out), "--worlds", "prior", "--sizes", "9/7", "--replicates", "2", "--seed", "5", "--workers",
                       "2", *(word for name, number in options.items() for word in (f"--{name}", number))])
        again = pd.read_csv(out).fillna({"quantity": ""})
        pd.testing.assert_frame_equal(again, small, rtol=1e-5)

    def test_a_trial_without_an_ensemble_counts_as_outside(self, monkeypatch):
        def nobody(*_):
            raise ContractError("x", [])

        monkeypatch.setattr(coverage, "ensemble", nobody)
        made = coverage.study(("cured",), ((9, 7),), 2, 5, SMALL)
        assert made["inside_bounds"].tolist() == [False, False]
        assert "Of 2 simulated trials, 2 gave no ensemble" in coverage.reading(made)

    def test_table_counts(self):
        rows = [("cured", "9/7", number, f"p.x{place}", number + place > 0, True, False, (number + 0.5) / 4, 9)
                for number in range(4) for place in range(2)]
        made = pd.DataFrame(rows, columns=["world", "sizes", "replicate", "quantity", "inside_bounds", "inside_95",
                                           "inside_80", "rank", "draws"])
        found = coverage.table(made).iloc[0]
        assert found[["trials", "quantities", "bounds", "interval_95", "interval_80"]].tolist() == [4, 8, 7 / 8, 1, 0]
        # Ranks 1/8, 3/8, 5/8, 7/8 leave the diagonal by 1/8 at most.
        assert found["uniform_p"] == pytest.approx(stats.kstwo.sf(1 / 8, 4))


class TestStoredStudy:
    """The study in examples/, made once by the command in examples/README.md.

    Simulation-based calibration (Talts et al., arXiv 1804.06788): truths from the prior rank evenly among draws.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def stored(cls):
        return pd.read_csv(ROOT / "examples" / "coverage.csv").fillna({"family": "", "quantity": ""})

    def test_it_is_of_all_worlds_and_sizes(self, stored):
        assert stored.columns.tolist() == ["world", "sizes", "replicate", "family", *coverage.COLUMNS]
        assert set(zip(stored["world"], stored["sizes"], strict=True)) == set(product(
            worlds.WORLDS, ("9/7", "19/12", "30/30")))
        assert set(stored.groupby(["world", "sizes"])["replicate"].nunique()) == {12}

    def test_its_truths_are_those_of_simulated_trials(self, stored):
        for (world, sizes, number), mine in stored.groupby(["world", "sizes", "replicate"]):
            size = tuple(int(part) for part in sizes.split("/"))
            rng = np.random.default_rng([1, list(worlds.WORLDS).index(world), *size, number])
            family, truth = worlds.trial(world, size, rng)
            report = build(world, worlds.print_summary(truth, size))
            place = layout(report)
            known = {target.name: target.quantity for target in targets(report, place)}
            again = [value(truth, place, known[name])[0] for name in mine["quantity"]]
            assert mine["truth"].tolist() == pytest.approx(again, rel=1e-5) and set(mine["family"]) == {family}

    def test_bounds_always_hold_the_truth(self, stored):
        assert (stored["draws"] > 0).all()
        assert stored["inside_bounds"].all()

    def test_its_flags_follow_from_its_limits(self, stored):
        close = 1e-5 * stored["truth"].abs().replace(np.inf, 0) + 1e-9  # six digits are stored
        for flag, low, high in (("inside_bounds", "lower", "upper"), ("inside_95", "inner_lower", "inner_upper"),
                                ("inside_80", "lower_80", "upper_80")):
            inside = (stored["truth"] >= stored[low] - close) & (stored["truth"] <= stored[high] + close)
            assert (inside == stored[flag]).all()

    @pytest.mark.parametrize("quantity", ["hazard_ratio.relapse", "rmst_difference.relapse[24]",
                                          "survival.relapse.A[24]", "survival.relapse.B[24]"])
    def test_intervals_are_calibrated_where_the_family_is_known(self, stored, quantity):
        """Coverage within binomial limits of 1 in 1000, and ranks not far from uniform."""
        mine = stored[(stored["world"] == "prior") & (stored["quantity"] == quantity)]
        assert len(mine) >= 20
        for column, level in (("inside_95", 0.95), ("inside_80", 0.80)):
            assert stats.binom.sf(len(mine) - mine[column].sum() - 1, len(mine), 1 - level) > 1e-3
        assert stats.kstest(mine["rank"], "uniform").pvalue > 1e-3

    def test_the_readme_says_what_it_shows(self, stored):
        said = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
        assert all(line in said for line in coverage.reading(stored).splitlines())
