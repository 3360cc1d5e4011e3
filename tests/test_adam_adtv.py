"""The counting process of MRD: what was known when, and never more."""

from __future__ import annotations

import numpy as np
import pandas as pd
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


def test_without_a_sample_by_the_origin_the_patient_enters_late():
    assert intervals(("p1", 30, *POSITIVE)) == [["p1", 30, 400, 1, 1]]


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


def test_shuffling_future_samples_never_changes_a_past_state():
    random = np.random.default_rng(2)
    names, today = [f"p{n}" for n in range(30)], 200
    adsl = subjects(USUBJID=names)
    past = [
        (name, int(day), *(POSITIVE if random.random() < 0.5 else NEGATIVE))
        for name in names
        for day in random.integers(-60, today, 4)
    ]
    future = [
        [
            (name, int(day), *(POSITIVE if random.random() < 0.5 else NEGATIVE))
            for name in names
            for day in random.integers(today, 399, 4)
        ]
        for _ in range(2)
    ]
    one, other = (derive_adtv(admrd(*past, *after, adsl=adsl), adsl) for after in future)

    def known(made):
        return made.loc[made["TSTART"] < today, ["USUBJID", "TSTART", "MRDPOS"]].reset_index(drop=True)

    pd.testing.assert_frame_equal(known(one), known(other))


def test_follow_up_is_neither_lost_nor_counted_twice():
    found = pd.DataFrame(
        intervals(*(("p1", day, *NEGATIVE) for day in (-5, 20, 90, 91, 300))),
        columns=["id", "start", "stop", "positive", "event"],
    )
    assert (found["stop"] - found["start"]).sum() == 400 and found["event"].sum() == 1
    assert (found["start"].iloc[1:].to_numpy() == found["stop"].iloc[:-1].to_numpy()).all()
