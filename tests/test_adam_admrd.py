"""MRD samples: states, limits, one sample a day. Markers at the origin: regular, boundary, missing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remission import schema
from remission.adam.admk import derive_admk, ever_negative, level_at_start, mutated, response
from remission.adam.admrd import DEFAULTS, derive_admrd, detection_limit, rules, state
from remission.cleaning.molecular import read_results
from remission.errors import ContractError
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

    def test_ever_negative_counts_the_day_of_the_origin_and_not_that_of_diagnosis(self):
        rows = [("origin", 0, "NEGATIVE", None, 0.01), ("diagnosis", -300, "NEGATIVE", None, 0.01),
                ("next day", -299, "NEGATIVE", None, 0.01), ("too late", 1, "NEGATIVE", None, 0.01)]
        assert ever_negative(used(*rows), DEFAULTS).to_dict() == {"next day": "Y", "origin": "Y"}

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


def scaled(*rows, transcript="p210", mrd=None, **columns):
    """MRD table of one patient with a transcript, and laboratories named `L` unless the row names its own."""
    adsl = subjects(TRANSC=[transcript], **columns)
    laboratories = [row[7] if len(row) > 7 else "L" for row in rows]
    clean = samples(*(row[:7] for row in rows)).assign(laboratory=laboratories)
    return derive_admrd({"mrd": clean}, adsl, Study("demo", "own", "", "", (Arm("A", "A"),), mrd=mrd or {}))


def one(state="QUANTIFIED", ratio=None, copies=200_000.0, limit=None, **more):
    return scaled(("p1", 10, "BM", state, ratio, copies, limit), **more).iloc[0]


class TestDepth:
    """Cross et al., Leukemia 2015;29:999: ratios 0.1, 0.01, 0.0032, 0.001 %; ABL1 10,000, 32,000, 100,000 copies."""

    @pytest.mark.parametrize(
        ("ratio", "expected"),
        [
            (50, "none"),
            (0.1001, "none"),
            (0.1, "MMR"),
            (0.0101, "MMR"),
            (0.01, "MR4"),
            (0.0033, "MR4"),
            (0.0032, "MR4.5"),
            (0.0011, "MR4.5"),
            (0.001, "MR5"),
            (0.0001, "MR5"),
        ],
    )
    def test_quantified_at_each_ratio(self, ratio, expected):
        assert one(ratio=ratio)["DEPTH"] == expected

    @pytest.mark.parametrize(
        ("copies", "expected"),
        [
            (9_999, "unknown"),
            (10_000, "MR4"),
            (10_001, "MR4"),
            (31_999, "MR4"),
            (32_000, "MR4.5"),
            (99_999, "MR4.5"),
            (100_000, "MR5"),
            (500_000, "MR5"),
        ],
    )
    def test_negative_at_each_number_of_copies(self, copies, expected):
        assert one("NEGATIVE", copies=copies)["DEPTH"] == expected

    @pytest.mark.parametrize(
        ("copies", "expected"),
        [(9_999, "MMR"), (10_000, "MR4"), (31_999, "MR4"), (32_000, "MR4.5"), (99_999, "MR4.5"), (100_000, "MR5")],
    )
    def test_copies_are_asked_for_where_transcripts_are_found_too(self, copies, expected):
        assert one(ratio=0.0005, copies=copies)["DEPTH"] == expected

    @pytest.mark.parametrize(
        ("limit", "expected"),
        [
            (0.11, "unknown"),
            (0.1, "MMR"),
            (0.011, "MMR"),
            (0.01, "MR4"),
            (0.0033, "MR4"),
            (0.0032, "MR4.5"),
            (0.001, "MR5"),
            (None, "unknown"),
        ],
    )
    def test_without_copies_the_reported_limit_decides(self, limit, expected):
        assert one("NEGATIVE", copies=None, limit=limit)["DEPTH"] == expected

    def test_a_negative_is_no_deeper_than_its_laboratory_could_see(self):
        assert one("NEGATIVE", copies=200_000, limit=0.02)["DEPTH"] == "MMR"

    @pytest.mark.parametrize(("limit", "expected"), [(0.001, "MMR"), (0.1, "MMR"), (0.11, "unknown")])
    def test_positive_not_quantifiable_is_never_deeper_than_major(self, limit, expected):
        assert one("PNQ", limit=limit)["DEPTH"] == expected

    def test_a_study_may_set_other_levels(self):
        own = {"depth_ratio": {"MMR": 0.2}, "depth_abl": {}}
        assert one(ratio=0.2, mrd=own)["DEPTH"] == one(ratio=0.001, mrd=own)["DEPTH"] == "MMR"


class TestCategory:
    """PMC8824253, table 1: complete, failure and everything else."""

    @pytest.mark.parametrize(
        ("state", "ratio", "copies", "limit", "expected"),
        [
            ("QUANTIFIED", 0.0101, 50_000, 0.002, "failure"),
            ("QUANTIFIED", 0.01, 50_000, 0.002, "failure"),
            ("QUANTIFIED", 0.0099, 50_000, 0.002, "intermediate"),
            ("QUANTIFIED", 0.5, 900, None, "failure"),
            ("PNQ", None, 50_000, 0.002, "intermediate"),
            ("PNQ", None, 900, 0.5, "intermediate"),
            ("NEGATIVE", None, 50_000, 0.0099, "complete"),
            ("NEGATIVE", None, 50_000, 0.01, "complete"),
            ("NEGATIVE", None, 50_000, 0.0101, "intermediate"),
            ("NEGATIVE", None, 10_000, None, "complete"),
            ("NEGATIVE", None, 9_999, 0.001, "intermediate"),
            ("NEGATIVE", None, None, 0.01, "complete"),
            ("NEGATIVE", None, None, None, "intermediate"),
        ],
    )
    def test_at_and_around_each_boundary(self, state, ratio, copies, limit, expected):
        assert one(state, ratio, copies, limit)["CATEGORY"] == expected

    def test_complete_is_what_ever_negative_asks_for(self):
        rows = [("p1", day, "BM", "NEGATIVE", None, 50_000, limit) for day, limit in ((-9, 0.01), (-5, 0.02))]
        assert scaled(*rows)["CATEGORY"].tolist() == ["complete", "intermediate"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("neg", "complete"),
            ("nicht nachweisbar", "complete"),
            ("not detected", "complete"),
            ("<0,01 %", "complete"),
            ("< 10-4", "complete"),
            ("neg (<0,01%)", "complete"),
            ("<0,02", "intermediate"),
            ("PNQ", "intermediate"),
            ("pos., nicht quantifizierbar", "intermediate"),
            ("pos <10-4", "intermediate"),
            ("0,0099", "intermediate"),
            ("0,01", "failure"),
            ("0.01 %", "failure"),
            ("1E-02", "failure"),
            ("12,5%", "failure"),
        ],
    )
    def test_from_the_text_of_the_laboratory(self, text, expected):
        read = read_results([text], ",").iloc[0]
        limit = read["limit"] if read["limit"] > 0 else 0.005
        assert one(read["value"], read["ratio"], None, limit)["CATEGORY"] == expected


FACTOR = {"international_scale_factor": {"L": 0.5, "M": 2.0}}


class TestScale:
    @pytest.mark.parametrize("transcript", ["p190", "p190/p210", None])
    def test_only_p210_is_converted(self, transcript):
        row = one(ratio=0.2, transcript=transcript, mrd=FACTOR)
        assert (row["SCALE"], row["RATIO"]) == ("local", 0.2)

    def test_each_laboratory_has_its_factor_and_without_one_nothing_changes(self):
        sample = ("BM", "QUANTIFIED", 0.2, 50_000, 0.004)
        rows = scaled(*(("p1", day, *sample, lab) for day, lab in enumerate(("L", "M", "X", None))), mrd=FACTOR)
        assert rows["SCALE"].tolist() == ["IS", "IS", "local", "local"]
        assert rows["RATIO"].tolist() == [0.1, 0.4, 0.2, 0.2]
        assert rows["LOGRATIO"].tolist() == pytest.approx([-1, np.log10(0.4), np.log10(0.2), np.log10(0.2)])
        assert rows["LOD"].tolist() == [0.002, 0.008, 0.004, 0.004] and rows["DEPTH"].tolist()[0] == "MMR"

    def test_without_a_factor_p210_stays_local(self):
        assert one(ratio=0.2)["SCALE"] == "local"

    def test_copies_mean_the_same_on_either_scale(self):
        assert one("NEGATIVE", copies=32_000, mrd={"international_scale_factor": {"L": 1.5}})["DEPTH"] == "MR4.5"


class TestReduction:
    DIAGNOSIS = ("p1", -300, "BM", "QUANTIFIED", 50.0, 50_000, 0.002)

    def reduction(self, *rows, **columns):
        made = scaled(*rows, **({"CRDY": [-250]} | columns))
        return made.set_index(["ADY", "SOURCE"])["LOGRED"].round(9).to_dict()

    def test_log10_of_the_ratio_of_ratios(self):
        found = self.reduction(self.DIAGNOSIS, ("p1", 5, "BM", "QUANTIFIED", 0.05, 50_000, 0.002))
        assert found == {(-300, "BM"): 0, (5, "BM"): 3}

    def test_a_limit_stands_in_and_an_insufficient_sample_says_nothing(self):
        found = self.reduction(
            self.DIAGNOSIS,
            ("p1", 5, "BM", "NEGATIVE", None, 50_000, 0.005),
            ("p1", 6, "BM", "PNQ", None, 50_000, 0.005),
            ("p1", 7, "BM", "NEGATIVE", None, 900, 0.005),
        )
        assert (found[5, "BM"], found[6, "BM"]) == (4, 4) and math.isnan(found[7, "BM"])

    @pytest.mark.parametrize(("day", "known"), [(-331, False), (-330, True), (-293, True), (-292, False)])
    def test_the_window_around_diagnosis(self, day, known):
        found = self.reduction(
            ("p1", day, "BM", "QUANTIFIED", 50.0, 50_000, 0.002), ("p1", 5, "BM", "QUANTIFIED", 0.5, 50_000, 0.002)
        )
        assert math.isnan(found[5, "BM"]) != known

    def test_a_sample_from_the_first_remission_on_is_no_level_at_diagnosis(self):
        found = self.reduction(
            self.DIAGNOSIS,
            ("p1", -295, "BM", "QUANTIFIED", 0.5, 50_000, 0.002),
            ("p1", 5, "BM", "QUANTIFIED", 0.5, 50_000, 0.002),
            CRDY=[-295],
        )
        assert found[5, "BM"] == found[-295, "BM"] == 2

    def test_like_is_compared_with_like_where_both_exist(self):
        blood = ("p1", -299, "PB", "QUANTIFIED", 5.0, 50_000, 0.002)
        later = [("p1", 5, source, "QUANTIFIED", 0.05, 50_000, 0.002) for source in ("BM", "PB", None)]
        assert self.reduction(self.DIAGNOSIS, blood, *later[:2]) == {
            (-300, "BM"): 0, (-299, "PB"): 0, (5, "BM"): 3, (5, "PB"): 2
        }  # fmt: skip
        assert self.reduction(self.DIAGNOSIS, later[1])[5, "PB"] == 3
        made = scaled(self.DIAGNOSIS, blood, later[2])
        assert made["BASERATIO"].tolist() == [50, 5, 5]

    def test_scales_are_never_mixed(self):
        rows = [("p1", -300, "BM", "QUANTIFIED", 50.0, 50_000, 0.002, "L"),
                ("p1", 5, "BM", "QUANTIFIED", 0.05, 50_000, 0.002, "X")]  # fmt: skip
        made = scaled(*rows, mrd={"international_scale_factor": {"L": 0.5}})
        assert made["BASERATIO"].tolist()[0] == 25 and made["LOGRED"].isna().tolist() == [False, True]

    def test_without_a_day_of_diagnosis(self):
        assert scaled(self.DIAGNOSIS, DXDY=[None])["LOGRED"].isna().all()

    def test_patients_do_not_share_a_baseline(self):
        adsl = subjects(USUBJID=["p1", "p2"])
        made = admrd(self.DIAGNOSIS, ("p2", 5, "BM", "QUANTIFIED", 0.5, 50_000, 0.002), adsl=adsl)
        assert made["LOGRED"].isna().tolist() == [False, True]


class TestRules:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"responce_ratio": 0.1},
            {"response_ratio": 0},
            {"rise_log10": True},
            {"negative_lod": math.nan},
            {"margins": [2, 0.5]},
            {"margins": [0, 2]},
            {"start_window_days": [7]},
            {"landmarks": []},
            {"international_scale_factor": {"L": -1}},
            {"international_scale_factor": 0.8},
            {"depth_ratio": {"MR3": 0.1}},
            {"molecular_relapse": "three positive"},
        ],
    )
    def test_a_wrong_definition_gives_one_message(self, wrong):
        with pytest.raises(ContractError, match=rf"demo: 1 problem\n *study\.toml\.mrd\.{next(iter(wrong))}: "):
            rules(Study("demo", "own", "", "", (), mrd=wrong))

    def test_every_fault_at_once(self):
        with pytest.raises(ContractError, match="2 problems"):
            rules(Study("demo", "own", "", "", (), mrd={"what": 1, "rise_log10": "one"}))

    def test_no_fewest_copies_is_a_choice(self):
        assert rules(Study("demo", "own", "", "", (), mrd={"insufficient_abl": 0}))["insufficient_abl"] == 0


#: Many samples around diagnosis, which is day -300: there a later sample could pass for the level at diagnosis.
DAY = st.integers(-335, -285) | st.integers(-340, 395)
SAMPLE = st.tuples(
    st.sampled_from(["p1", "p2"]),
    DAY,
    st.sampled_from(["BM", "PB", None]),
    st.sampled_from(["QUANTIFIED", "QUANTIFIED", "QUANTIFIED", "PNQ", "NEGATIVE"]),
    st.sampled_from([80.0, 3.0, 0.1, 0.01, 0.002]),
    st.sampled_from([None, 900.0, 20_000.0, 150_000.0]),
    st.sampled_from([None, 0.001, 0.02]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(SAMPLE, min_size=8, max_size=20), st.lists(SAMPLE, min_size=8, max_size=20), DAY)
def test_what_a_sample_says_never_depends_on_a_later_one(drawn, other, today):
    adsl = subjects(USUBJID=["p1", "p2"], CRDY=[-260] * 2, TRANSC=["p210"] * 2)
    past = [one for one in drawn if one[1] <= today]

    def table(after):
        rows = [(*one[:4], one[4] if one[3] == "QUANTIFIED" else None, *one[5:]) for one in [*past, *after]]
        made = admrd(*rows, adsl=adsl)
        return made[made["ADY"] <= today].reset_index(drop=True)

    expected = table([one for one in drawn if one[1] > today])
    pd.testing.assert_frame_equal(table([one for one in other if one[1] > today]), expected)


def test_a_later_sample_is_never_the_level_at_diagnosis():
    random, names = np.random.default_rng(3), [f"p{n}" for n in range(50)]
    adsl, today = subjects(USUBJID=names, CRDY=[-260] * 50), -305

    def drawn(first, last, state):
        return [(name, int(day), "BM", state, random.lognormal(2, 2) if state == "QUANTIFIED" else None, 50_000, 0.002)
                for name, day in zip(names, random.integers(first, last, 50), strict=True)]  # fmt: skip

    past = [*drawn(-330, -315, "QUANTIFIED"), *drawn(-310, today + 1, "NEGATIVE")]
    tables = [admrd(*past, *drawn(today + 1, -293, "QUANTIFIED"), adsl=adsl) for _ in range(2)]
    known = [made[made["ADY"] <= today].reset_index(drop=True) for made in [*tables, admrd(*past, adsl=adsl)]]
    pd.testing.assert_frame_equal(known[0], known[1])
    pd.testing.assert_frame_equal(known[0], known[2])
    assert known[0]["BASERATIO"].notna().all()
