"""Adverse events: flags at their boundaries."""

from __future__ import annotations

import pandas as pd

from remission import schema
from remission.adam.adae import NOT_CODED, derive_adae

ADSL = pd.DataFrame({"STUDYID": "demo", "USUBJID": ["P1", "P2"], "TRT01A": ["A", "B"], "TRTSDY": [5, None],
                     "MTENDY": [100, None]}).astype({"TRTSDY": "Int64", "MTENDY": "Int64"})


def events(rows):
    frame = pd.DataFrame(rows, columns=["patient_id", "term", "start_day", "end_day", "grade"])
    frame = frame.astype({"start_day": "Int64", "end_day": "Int64", "grade": "Int64"})
    return frame.assign(related_ifn="Y", related_imatinib="N", action_taken="none", serious="N")


def test_emergent_from_first_dose_to_thirty_days_after_the_last():
    rows = [("P1", "Fatigue", day, None, 1) for day in (4, 5, 130, 131)]
    made = derive_adae({"adverse_events": events(rows)}, ADSL)
    assert made["TRTEMFL"].tolist() == ["N", "Y", "Y", "N"]


def test_unknown_onset_counts_unless_it_ended_before_the_first_dose():
    rows = [("P1", "Fatigue", None, -3, 1), ("P1", "Nausea", None, None, 2), ("P2", "Rash", 9999, None, None)]
    made = derive_adae({"adverse_events": events(rows)}, ADSL).set_index("AEDECOD")
    assert made["TRTEMFL"].to_dict() == {"Fatigue": "N", "Nausea": "Y", "Rash": "Y"}
    assert pd.isna(made.loc["Rash", "ATOXGR"])  # unknown stays unknown


def test_terms_are_coded_and_uncoded_ones_kept():
    rows = [("P1", "Depression", 1, 2, 2), ("P1", "Green hair", 1, 2, 1), ("unknown", "Fatigue", 1, 2, 1)]
    table = events(rows).assign(reported_term=["depr. Verstimmung", "gruene Haare", "muede"])
    made = derive_adae({"adverse_events": table}, ADSL).set_index("AEDECOD")
    assert made["AEBODSYS"].to_dict() == {"Depression": "Psychiatric disorders", "Green hair": NOT_CODED}
    assert made.loc["Depression", "AETERM"] == "depr. Verstimmung"
    assert made["TRT01A"].tolist() == ["A", "A"]


def test_no_events_give_an_empty_table():
    made = derive_adae({"adverse_events": events([]).iloc[:0]}, ADSL)
    assert made.empty
    assert list(made.columns) == schema.ANALYSIS["adae"].names


def test_a_prior_event_that_goes_on_is_not_emergent():
    made = derive_adae({"adverse_events": events([("P1", "Fatigue", -5, 50, 3), ("P1", "Fatigue", 6, 50, 1)])}, ADSL)
    assert made["TRTEMFL"].tolist() == ["N", "Y"]


def test_details_are_carried_over_and_unknown_ones_stay_unknown():
    table = events([("P1", "Fatigue", 6, None, None)]).assign(related_ifn=None, serious="Y", action_taken="IFN reduced")
    made = derive_adae({"adverse_events": table}, ADSL).iloc[0]
    assert (made["AESER"], made["AEACN"], made["AERELIM"]) == ("Y", "IFN reduced", "N")
    assert pd.isna(made["AERELIFN"]) and pd.isna(made["AENDY"]) and pd.isna(made["ATOXGR"])
