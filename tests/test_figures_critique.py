"""Figures of the design and of its assumptions: what is drawn is what was computed, and nothing overlaps."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from remission import store
from remission.critique import censoring, covariates, cure, followup, overlap
from remission.figures import critique, sensitivity
from remission.study import Arm, Study
from remission.study import read as read_study
from remission.survival.endpoints import endpoint

DATA = Path(__file__).parent / "data"
TWO = Study("made", "own", "", "", (Arm("IFN+IM", "Combination"), Arm("IM", "Imatinib", True)), report_unit="year",
            fixed_times=(1, 5), endpoint_labels={"TTRLP": "time to relapse"})
COHORTS = ["ash2012_reconstructed", "freireich1963", "wassmann2003", "chiaretti2004", "scrucca_bmt"]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def adtte():
    one = pd.read_csv(DATA / "exemplar.csv")
    common = {"USUBJID": one["patient"], "TRT01A": one["arm"]}
    parts = [pd.DataFrame(common | {"PARAMCD": name, "AVAL": time, "CNSR": cnsr, "ENTRYDY": entry, "ORIGIN": origin})
             for name, time, cnsr, entry, origin in (
                 ("TTRLP", one["time"], one["code"].map({1: 0, 0: 1, 2: 2}), 0, "start of maintenance"),
                 ("OSDX", one["os_time"], 1 - one["os_event"], one["entry"], "diagnosis"),
                 ("OSMT", one["os_time"] - one["entry"], 1 - one["os_event"], 0, "start of maintenance"))]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def adsl():
    n, rng = 31, np.random.default_rng(4)
    return pd.DataFrame({
        "USUBJID": [f"{number:02d}" for number in range(n)], "TRT01A": ["IFN+IM"] * 19 + ["IM"] * 12, "TTEFL": "Y",
        "AGE": rng.integers(58, 76, n), "NCYCLES": None, "DXDY": -rng.integers(160, 420, n), "CRDY": None,
        "SEX": rng.choice(["F", "M"], n), "TRANSC": rng.choice(["p190", "p210", "both"], n), "STATUS": "relapse",
        "MTSTDT": pd.Timestamp("2003-01-01") + pd.to_timedelta(rng.integers(0, 2000, n), unit="D"),
        "LSTALVDY": rng.integers(50, 3000, n)})


def texts_apart(axes) -> bool:
    """Whether no two texts inside an axes touch."""
    renderer = axes.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
    return not any(one.overlaps(two) for one, two in combinations(boxes, 2))


class TestComparability:
    def test_every_patient_and_difference_is_drawn(self, adsl):
        _, plotted = critique.comparability(adsl, overlap.compare(adsl, TWO, 100, 20), TWO)
        assert (plotted["part"] == "patient").sum() == 2 * 31
        balanced = overlap.balance(adsl, TWO, 100)
        drawn = plotted[plotted["part"] == "difference"].set_index("covariate")["value"]
        assert drawn.to_dict() == pytest.approx(balanced["difference"].to_dict())

    def test_counts_of_a_category_add_up(self, adsl):
        _, plotted = critique.comparability(adsl, overlap.compare(adsl, TWO, 100, 20), TWO)
        counts = plotted[(plotted["part"] == "count") & plotted["covariate"].str.startswith("transcript")]
        assert counts.groupby("arm")["value"].sum().to_dict() == {"IFN+IM": 19, "IM": 12}

    def test_histogram_holds_every_refit_and_the_line_is_the_c_statistic(self, adsl):
        figure, plotted = critique.comparability(adsl, overlap.compare(adsl, TWO, 100, 20), TWO)
        assert plotted.loc[plotted["part"] == "relabelled", "value"].sum() == 20
        c = plotted.loc[plotted["part"] == "c", "value"].item()
        assert f"c-statistic {c:.2f}" in [axes.get_title(loc="left") for axes in figure.axes]

    def test_points_of_a_swarm_keep_apart(self):
        offset = critique.beeswarm(np.array([1.0, 1.0, 1.0, 5.0]))
        assert len(set(offset[:3])) == 3
        assert abs(offset).max() < 0.35

    def test_many_patients_are_not_drawn_one_by_one(self, adsl):
        many = pd.concat([adsl] * 80, ignore_index=True)
        many["USUBJID"] = many.index.astype(str)
        figure, plotted = critique.comparability(many, overlap.compare(many, TWO, 10, 5), TWO)
        assert len(many) > covariates.MOST_RELABELLED
        assert figure is not None
        assert not (plotted["part"] == "patient").any()


class TestCalendar:
    def test_a_lane_a_patient_and_a_curve_an_arm(self, adsl, adtte):
        figure, plotted = critique.calendar(adsl, adtte, TWO)
        lanes = plotted[plotted["part"] == "lane"]
        assert len(lanes) == 31
        assert (lanes["last"] > lanes["entry"]).all()
        assert set(plotted.loc[plotted["part"] == "follow-up", "arm"]) == {"IFN+IM", "IM"}
        assert figure.axes[1].get_xlabel() == "years from start of maintenance"

    def test_without_dates_follow_up_stands_alone(self, adsl, adtte):
        figure, plotted = critique.calendar(adsl.assign(MTSTDT=pd.NaT), adtte, TWO)
        assert len(figure.axes) == 1
        assert set(plotted["part"]) == {"follow-up"}

    def test_synthetic_dates_are_called_made_up(self):
        study = read_study("ash2012_reconstructed")
        figure, _ = critique.calendar(store.read(study.name, "adsl"), store.read(study.name, "adtte"), study)
        assert "made up" in figure.get_supxlabel()

    def test_medians_of_the_curves_are_those_of_the_results(self, adsl, adtte):
        _, plotted = critique.calendar(adsl, adtte, TWO)
        rows = followup.analyse(adsl, adtte, TWO).set_index("result_id")
        line = plotted[(plotted["part"] == "follow-up") & (plotted["arm"] == "IM")]
        assert line.loc[line["followed"] <= 0.5, "day"].min() == rows.loc["order.OSMT.all.IM.followup_median", "value"]


class TestClocks:
    def test_three_panels_with_entries_where_the_clock_starts_early(self, adtte):
        figure, plotted = critique.clocks(adtte, TWO)
        assert [axes.get_xlabel() for axes in figure.axes] == ["years from diagnosis", "years from diagnosis",
                                                               "years from start of maintenance"]
        entries = plotted.loc[plotted["part"] == "entry", "clock"]
        assert entries.value_counts().to_dict() == {"naive": 31, "truncated": 31}

    def test_no_late_entry_no_figure(self, adtte):
        assert critique.clocks(adtte.assign(ENTRYDY=0), TWO)[0] is None


class TestTipping:
    def test_cells_are_the_grid(self, adtte):
        _, plotted = sensitivity.tipping(adtte, TWO)
        grid = censoring.grid(endpoint(adtte, "TTRLP"), TWO)
        drawn = plotted[plotted["pool"] == "all"]
        assert drawn["p"].to_numpy() == pytest.approx(grid["p"].to_numpy())
        assert (plotted["pool"] == "deaths").sum() == 5

    def test_p_stands_in_every_cell_above_the_ratio(self, adtte):
        figure, plotted = sensitivity.tipping(adtte, TWO)
        figure.canvas.draw()
        assert sum(len(axes.texts) for axes in figure.axes) == len(plotted)
        assert figure.axes[0].texts[0].get_text() == "0.070\n0.46"
        assert all(texts_apart(axes) for axes in figure.axes)

    def test_line_runs_between_cells_on_either_side_of_the_threshold(self, adtte):
        figure, plotted = sensitivity.tipping(adtte, TWO)
        first = plotted[(plotted["pool"] == "all") & (plotted["end"] == "earliest")]
        below = first.pivot_table(index="reference", columns="other", values="p").to_numpy() < 0.05
        edges = (below[:, 1:] != below[:, :-1]).sum() + (below[1:] != below[:-1]).sum()
        assert len(figure.axes[0].lines) == edges > 0


class TestCure:
    def test_curves_and_likelihoods_are_those_of_the_fits(self, adtte):
        fitted = cure.fits(adtte, TWO)
        _, plotted = sensitivity.cure(adtte, TWO, fitted)
        tail = plotted[(plotted["part"] == "cure") & (plotted["arm"] == "IM")]["survival"].iloc[-1]
        assert tail == pytest.approx(fitted["IM"]["Weibull"].best.fraction, abs=1e-3)
        line = plotted[(plotted["part"] == "profile, log-normal") & (plotted["arm"] == "IM")]
        assert line["loglik"].to_numpy() == pytest.approx(fitted["IM"]["log-normal"].profile["loglik"].to_numpy())

    def test_fits_go_twice_as_far_as_follow_up(self, adtte):
        _, plotted = sensitivity.cure(adtte, TWO)
        assert plotted.loc[plotted["part"] == "no cure", "day"].max() == 2 * endpoint(adtte, "TTRLP")["time"].max()

    def test_too_few_events_no_figure(self, adtte):
        assert sensitivity.cure(adtte.assign(CNSR=1), TWO)[0] is None


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_cohort_has_figures_or_none_without_a_fault(cohort):
    study, adsl, adtte = read_study(cohort), store.read(cohort, "adsl"), store.read(cohort, "adtte")
    compared = overlap.compare(adsl, study, 50, 10)
    made = {"comparability": critique.comparability(adsl, compared, study), "clocks": critique.clocks(adtte, study),
            "calendar": critique.calendar(adsl, adtte, study), "tipping": sensitivity.tipping(adtte, study)}
    for figure, plotted in made.values():
        assert (figure is None) == plotted.empty
        if figure is not None:
            figure.canvas.draw()
    assert made["calendar"][0] is not None
    assert (made["tipping"][0] is None) == (study.contrast is None)
