"""The counting process of MRD: what was known when, and never more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_adam_admrd import admrd, subjects

from remission.adam.adtv import derive_adtv, remission_end

NEGATIVE = ("PB", "NEGATIVE", None, 50_000, 0.005)
POSITIVE = ("PB", "QUANTIFIED", 0.5, 50_000, 0.005)


def intervals(*rows, **columns):
    adsl = subjects(**columns)
    made = derive_adtv(admrd(*rows, adsl=adsl), adsl)
    return made[["USUBJID", "TSTART", "TSTOP", "MRDPOS", "EVENT"]].to_numpy().tolist()


def test_a_sample_governs_the_time_after_it():
    found = intervals(("p1", -10, *NEGATIVE), ("p1", 100, *POSITIVE), ("p1", 250, *NEGATIVE))
    assert found == [["p1", 0, 100, 0, 0], ["p1", 100, 250, 1, 0], ["p1", 250, 400, 0, 1]]


def test_only_the_last_sample_before_the_origin_opens():
    assert intervals(("p1", -90, *POSITIVE), ("p1", -9, *NEGATIVE), ("p1", 0, *POSITIVE)) == [["p1", 0, 400, 1, 1]]


def test_without_a_sample_by_the_origin_the_state_is_unknown_until_the_first():
    assert intervals(("p1", 30, *POSITIVE)) == [["p1", 0, 30, pd.NA, 0], ["p1", 30, 400, 1, 1]]


def test_a_patient_without_any_usable_sample_is_observed_in_an_unknown_state():
    found = intervals(("p1", 30, *POSITIVE), ("p2", 5, "PB", "NEGATIVE", None, 900, 0.005), USUBJID=["p1", "p2"])
    assert found[2:] == [["p2", 0, 400, pd.NA, 1]]


def test_a_sample_from_before_the_first_remission_opens_no_state():
    assert intervals(("p1", -200, *POSITIVE), CRDY=[-199]) == [["p1", 0, 400, pd.NA, 1]]
    assert intervals(("p1", -199, *POSITIVE), CRDY=[-199]) == [["p1", 0, 400, 1, 1]]
    assert intervals(("p1", -300, *POSITIVE)) == [["p1", 0, 400, pd.NA, 1]]
    assert intervals(("p1", -299, *POSITIVE)) == [["p1", 0, 400, 1, 1]]


def test_what_the_labelling_sample_said():
    adsl = subjects()
    made = derive_adtv(
        admrd(
            ("p1", 20, "PB", "QUANTIFIED", 0.001, 50_000, 0.002),
            ("p1", 50, *NEGATIVE),
            ("p1", 90, "PB", "NEGATIVE", None, None, None),
            ("p1", 120, "PB", "PNQ", None, 50_000, 0.01),
            ("p1", 200, *POSITIVE),
            adsl=adsl,
        ),
        adsl,
    )
    assert made["CATEGORY"].tolist() == [
        "unknown", "intermediate", "complete", "intermediate", "intermediate", "failure"
    ]  # fmt: skip
    assert made["SAMPDY"].tolist() == [pd.NA, 20, 50, 90, 120, 200]
    assert made["LEVEL"].tolist() == pytest.approx(
        [np.nan, -3, np.log10(0.005), np.nan, -2, np.log10(0.5)], nan_ok=True
    )
    assert made["LEVCENS"].fillna("").tolist() == ["", "N", "Y", "", "Y", "N"]


def test_death_in_remission_is_told_apart_from_the_end_of_observation():
    adsl = subjects(
        USUBJID=["p1", "p2", "p3"],
        STATUS=["death in remission", "ongoing remission", "relapse"],
        RELDY=[None, None, 400],
        DTHDY=[300, None, 450],
        LSTALVDY=[300, 700, 450],
    )
    made = derive_adtv(admrd(*((name, day, *NEGATIVE) for name in adsl["USUBJID"] for day in (0, 90)), adsl=adsl), adsl)
    assert made["CNSR2"].tolist() == [0, 1, 0, 0, 0, 0] and made["EVENT"].tolist() == [0, 0, 0, 0, 0, 1]


def test_a_sample_on_the_day_of_relapse_or_later_governs_nothing():
    assert intervals(("p1", 0, *NEGATIVE), ("p1", 400, *POSITIVE), ("p1", 500, *POSITIVE)) == [["p1", 0, 400, 0, 1]]


def test_death_in_remission_and_last_contact_censor():
    found = intervals(
        ("p1", 0, *NEGATIVE),
        ("p2", 0, *POSITIVE),
        STATUS=["death in remission", "ongoing remission"],
        RELDY=[None, None],
        DTHDY=[300, None],
        LSTALVDY=[300, 700],
    )
    assert found == [["p1", 0, 300, 0, 0], ["p2", 0, 700, 1, 0]]


def test_patients_without_usable_dates_are_left_out():
    assert intervals(("p1", 0, *NEGATIVE), TTEFL=["N"]) == []


def test_remission_ends_once():
    adsl = subjects(
        STATUS=["relapse", "death in remission", "ongoing remission"],
        RELDY=[10, None, None],
        DTHDY=[90, 80, None],
        LSTALVDY=[90, 80, 70],
    )
    assert remission_end(adsl).tolist() == [10, 80, 70]


NAMES = [f"p{n}" for n in range(5)]
SAMPLE = st.sampled_from([NEGATIVE, POSITIVE, ("PB", "PNQ", None, 50_000, 0.02), ("BM", "NEGATIVE", None, 900, 0.02)])
DRAWN = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-310, 420), SAMPLE), min_size=10, max_size=40)


def table(drawn, **columns):
    adsl = subjects(USUBJID=NAMES, **columns)
    return derive_adtv(admrd(*((name, day, *sample) for name, day, sample in drawn), adsl=adsl), adsl)


@settings(max_examples=10, deadline=None)
@given(DRAWN, DRAWN, st.integers(1, 399), st.integers(0, 99))
def test_samples_of_the_future_never_change_a_past_state(drawn, other, today, seed):
    past = [one for one in drawn if one[1] < today]
    future = [one for one in drawn if one[1] >= today]
    # The same samples, their states and patients dealt out anew among their days: the future in another order.
    order = np.random.default_rng(seed).permutation(len(future))
    shuffled = [(future[k][0], future[n][1], future[k][2]) for n, k in enumerate(order)]

    def known(after):
        # The state of each day up to today: that of the interval (start, stop] which holds it.
        made = table([("p0", -5, NEGATIVE), *past, *after], CRDY=[-280] * 5)
        rows = made[made["TSTART"] < today].assign(TSTOP=lambda rows: rows["TSTOP"].clip(upper=today))
        return rows[["USUBJID", "TSTART", "TSTOP", "SAMPDY", "MRDPOS", "CATEGORY", "LEVEL", "LEVCENS"]].reset_index(
            drop=True)

    expected = known(future)
    for after in ([], shuffled, [one for one in other if one[1] >= today]):
        pd.testing.assert_frame_equal(known(after), expected)


@settings(max_examples=15, deadline=None)
@given(DRAWN)
def test_intervals_of_a_patient_add_up_to_the_remission_observed(drawn):
    found = table(drawn)
    for _, mine in found.groupby("USUBJID"):
        assert mine["TSTART"].tolist() == [0, *mine["TSTOP"].tolist()[:-1]] and mine["TSTOP"].tolist()[-1] == 400
        assert mine["EVENT"].tolist() == [0] * (len(mine) - 1) + [1]
    assert found["USUBJID"].nunique() == 5 and (found["TSTOP"] > found["TSTART"]).all()
    assert (found["CATEGORY"] == "unknown").eq(found["MRDPOS"].isna()).all()


def test_follow_up_is_neither_lost_nor_counted_twice():
    found = pd.DataFrame(
        intervals(*(("p1", day, *NEGATIVE) for day in (-5, 20, 90, 91, 300))),
        columns=["id", "start", "stop", "positive", "event"],
    )
    assert (found["stop"] - found["start"]).sum() == 400 and found["event"].sum() == 1
    assert (found["start"].iloc[1:].to_numpy() == found["stop"].iloc[:-1].to_numpy()).all()
