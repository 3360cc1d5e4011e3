"""MRD samples: states, limits, one sample a day. Markers at the origin: regular, boundary, missing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from remission import schema
from remission.adam.admk import derive_admk, ever_negative, level_at_start, mutated, response
from remission.adam.admrd import DEFAULTS, derive_admrd, detection_limit, rules, state
from remission.study import Arm, Study

STUDY = Study("demo", "own", "", "", (Arm("A", "A"),))


def subjects(**columns):
    """Subject level for patients p1, p2 …: relapse on day 400 unless said otherwise."""
    patients = max(len(values) for values in columns.values()) if columns else 1
    given = {
        "STUDYID": "demo",
        "TRT01A": "A",
        "TRT01AN": 1,
        "USUBJID": [f"p{n + 1}" for n in range(patients)],
        "SAFFL": "Y",
        "IFNEVLFL": "N",
        "TTEFL": "Y",
        "STATUS": "relapse",
        "DXDY": -300,
        "RELDY": 400,
        "LSTALVDY": 900,
    } | columns
    frame = schema.empty(schema.ANALYSIS["adsl"]).reindex(range(patients))
    return schema.conform(frame.assign(**given), schema.ANALYSIS["adsl"])


def samples(*rows):
    """Clean MRD rows: patient, day, source, state, ratio, ABL1 copies, reported limit."""
    columns = ["patient_id", "day", "source", "state", "ratio", "abl_copies", "detection_limit"]
    frame = pd.DataFrame(rows, columns=columns).astype({"day": "Int64"})
    return frame.assign(laboratory="L", date=pd.NaT)


def admrd(*rows, adsl=None):
    return derive_admrd({"mrd": samples(*rows)}, subjects() if adsl is None else adsl, STUDY)


class TestState:
    def test_a_negative_needs_enough_abl1_and_a_positive_does_not(self):
        found = state(
            pd.Series(["NEGATIVE", "NEGATIVE", "PNQ", "QUANTIFIED"]), pd.Series([9999.0, 10000, 50, 50]), 10_000
        )
        assert found.tolist() == ["INSUFFICIENT", "NEGATIVE", "PNQ", "QUANTIFIED"]

    def test_unknown_copies_leave_the_state_alone(self):
        assert state(pd.Series(["NEGATIVE"]), pd.Series([np.nan]), 10_000).tolist() == ["NEGATIVE"]

    def test_the_limit_is_never_better_than_one_copy(self):
        found = detection_limit(
            pd.Series([0.001, 0.02, None, None, 0.0]), pd.Series([20_000.0, 20_000, 20_000, None, 20_000])
        )
        assert found.tolist()[:3] == [0.005, 0.02, 0.005]
        assert math.isnan(found[3]) and found[4] == 0.005


class TestAdmrd:
    def test_levels_are_log10_and_blank_unless_quantified(self):
        made = admrd(
            ("p1", -100, "BM", "QUANTIFIED", 0.01, 50_000, 0.002),
            ("p1", 10, "PB", "NEGATIVE", None, 50_000, 0.002),
            ("p1", 20, "PB", "PNQ", None, 50_000, 0.002),
        )
        assert made["LOGRATIO"].tolist()[0] == pytest.approx(-2)
        assert made["LOGRATIO"].isna().tolist() == [False, True, True] == made["RATIO"].isna().tolist()

    def test_periods_at_their_boundaries(self):
        made = admrd(*(("p1", day, "PB", "PNQ", None, 50_000, 0.01) for day in (-1, 0, 400, 401)))
        assert made["PERIOD"].tolist() == ["FRONTLINE", "MAINTENANCE", "MAINTENANCE", "POSTRELAPSE"]

    def test_marrow_before_blood_then_more_copies(self):
        made = admrd(
            ("p1", 5, "PB", "PNQ", None, 90_000, 0.01),
            ("p1", 5, "BM", "NEGATIVE", None, 20_000, 0.01),
            ("p1", 5, "BM", "PNQ", None, 30_000, 0.01),
        )
        chosen = made[made["ANL01FL"] == "Y"]
        assert chosen[["SOURCE", "ABLCOP"]].to_numpy().tolist() == [["BM", 30_000]]

    def test_an_insufficient_sample_never_stands_for_its_day(self):
        made = admrd(
            ("p1", 5, "BM", "NEGATIVE", None, 500, 0.01),
            ("p1", 5, "PB", "NEGATIVE", None, 90_000, 0.01),
            ("p1", 9, "BM", "NEGATIVE", None, 500, 0.01),
        )
        assert made.loc[made["ANL01FL"] == "Y", ["ADY", "SOURCE"]].to_numpy().tolist() == [[5, "PB"]]

    def test_samples_that_cannot_be_placed_are_left_out(self):
        made = admrd(("p1", None, "BM", "PNQ", None, 50_000, 0.01), ("p9", 3, "BM", "PNQ", None, 50_000, 0.01))
        assert made.empty and list(made) == schema.ANALYSIS["admrd"].names

    def test_without_the_table(self):
        assert derive_admrd({}, subjects(), STUDY).empty

    def test_a_study_overrides_the_defaults(self):
        assert rules(Study("demo", "own", "", "", (), mrd={"insufficient_abl": 5000})) == DEFAULTS | {
            "insufficient_abl": 5000
        }


def used(*rows, dx=-300, end=400):
    """Analysed samples as the marker functions take them: patient, day, state, ratio, limit."""
    frame = pd.DataFrame(rows, columns=["USUBJID", "ADY", "MRDSTATE", "RATIO", "LOD"])
    return frame.astype({"ADY": "Int64"}).assign(
        DXDY=pd.array([dx] * len(frame), "Int64"), END=pd.array([end] * len(frame), "Int64")
    )


class TestMarkers:
    def test_response_at_the_ratio_and_at_the_edges_of_the_window(self):
        found = response(
            used(
                ("at", -117, "QUANTIFIED", 0.1, 0.01),
                ("late", -116, "QUANTIFIED", 0.01, 0.01),
                ("above", -200, "QUANTIFIED", 0.11, 0.01),
                ("diagnosis", -300, "QUANTIFIED", 0.01, 0.01),
                ("negative", -200, "NEGATIVE", None, 0.1),
                ("blind", -200, "NEGATIVE", None, 0.2),
            ),
            DEFAULTS,
        )
        assert found.to_dict() == {"above": "N", "at": "Y", "negative": "Y"}

    def test_response_does_not_look_beyond_the_origin(self):
        found = response(used(("p", 0, "QUANTIFIED", 1.0, 0.01), ("p", 1, "QUANTIFIED", 0.01, 0.01), dx=-100), DEFAULTS)
        assert found.to_dict() == {"p": "N"}

    def test_ever_negative_wants_sensitivity(self):
        found = ever_negative(
            used(
                ("yes", -50, "NEGATIVE", None, 0.01),
                ("yes", -20, "QUANTIFIED", 1.0, 0.01),
                ("late", 1, "NEGATIVE", None, 0.001),
                ("late", -20, "PNQ", None, 0.01),
                ("blind", -20, "NEGATIVE", None, 0.011),
            ),
            DEFAULTS,
        )
        assert found.to_dict() == {"late": "N", "yes": "Y"}

    def test_level_takes_the_closest_sample_and_of_two_the_earlier(self):
        found = level_at_start(
            used(
                ("a", -42, "QUANTIFIED", 0.1, 0.01),
                ("a", 8, "QUANTIFIED", 1.0, 0.01),
                ("b", -7, "NEGATIVE", None, 0.001),
                ("b", 7, "QUANTIFIED", 1.0, 0.01),
                ("c", -43, "QUANTIFIED", 1.0, 0.01),
                ("d", 0, "PNQ", None, None),
            ),
            DEFAULTS,
        )
        assert found["LVLSTART"].round(9).to_dict() == {"a": -1, "b": -3}
        assert found["LVLCENS"].to_dict() == {"a": "N", "b": "Y"}

    def test_level_never_comes_from_the_day_of_relapse_or_after(self):
        assert level_at_start(used(("a", 5, "QUANTIFIED", 9.0, 0.01), end=5), DEFAULTS).empty

    def test_mutation_counts_up_to_the_day(self):
        table = pd.DataFrame(
            {
                "patient_id": ["a", "a", "b", "c"],
                "day": pd.array([-9, 0, 1, -9], "Int64"),
                "variant": ["none", "T315I", "E255K", "none"],
            }
        )
        assert mutated(table, pd.Series(0, ["a", "b", "c"], dtype="Int64")).to_dict() == {"a": "Y", "c": "N"}

    def test_table_has_every_patient_and_blanks_where_nothing_is_known(self):
        adsl = subjects(USUBJID=["p1", "p2"], NCYCLES=[4, None])
        made = derive_admk({}, adsl, admrd(("p1", -3, "BM", "QUANTIFIED", 0.01, 50_000, 0.002), adsl=adsl), STUDY)
        assert made["LVLSTART"].round(6).tolist()[0] == -2 and made.loc[1, ["RESP6M", "LVLSTART", "MUTFL"]].isna().all()
        assert made["NCYCLES"].tolist()[0] == 4 and made["MRDEVLFL"].tolist() == ["N", "N"]

    def test_markers_do_not_change_when_the_future_does(self):
        random, adsl = np.random.default_rng(1), subjects(USUBJID=[f"p{n}" for n in range(20)])
        past = [
            (f"p{n}", day, "PB", "QUANTIFIED", random.lognormal(-2, 2), 50_000, 0.002)
            for n in range(20)
            for day in (-250, -150, -20, 3)
        ]
        future = [
            [
                (f"p{n}", day, "BM", "QUANTIFIED", random.lognormal(-2, 2), 50_000, 0.002)
                for n in range(20)
                for day in random.integers(8, 380, 3)
            ]
            for _ in range(2)
        ]
        one, other = (derive_admk({}, adsl, admrd(*past, *after, adsl=adsl), STUDY) for after in future)
        pd.testing.assert_frame_equal(one, other)
