"""Readers of single cells: every form that is met in exports, and no guess."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from cohort_on_disk import STUDY, TABLES, put

from remission import checks, raw
from remission.cleaning import clean, molecular, readers
from remission.errors import ContractError
from remission.study import read as read_study


def one(frame, column="value"):
    return frame[column].tolist()[0]


DATES = [
    # text, declared order, day, rule
    ("2004-05-12", "DMY", "2004-05-12", ""), ("12.5.2004", "DMY", "2004-05-12", ""),
    ("12. 05. 2004", "DMY", "2004-05-12", ""), ("12.5.04", "DMY", "2004-05-12", "two_digit_year"),
    ("12.5.50", "DMY", "1950-05-12", "two_digit_year"), ("12.5.49", "DMY", "2049-05-12", "two_digit_year"),
    ("1/2/2004", "DMY", "2004-02-01", "slash_date"), ("1/2/2004", "MDY", "2004-01-02", ""),
    ("1-2-2004", "MDY", "2004-01-02", "dashed_date"), ("12.5.2004", "MDY", "2004-05-12", "dotted_date"),
    ("04/5/12", "YMD", "2004-05-12", "two_digit_year"), ("2004/5/12", "DMY", "2004-05-12", "iso_spelling"),
    ("20040512", "MDY", "2004-05-12", "iso_spelling"), ("12. Mai 2004", "DMY", "2004-05-12", "month_name_date"),
    ("12-MAY-2004", "MDY", "2004-05-12", "month_name_date"), ("May 12th, 2004", "DMY", "2004-05-12", "month_name_date"),
    ("2004-Mai-12", "DMY", "2004-05-12", "month_name_date"), ("3. Jänner 2004", "DMY", "2004-01-03", "month_name_date"),
    ("2004-05-12T23:30:00", "DMY", "2004-05-12", "drop_clock_time"),
    ("12.5.2004 8:30 Uhr", "DMY", "2004-05-12", "drop_clock_time"),
    ("5/12/2004 11:30 PM", "MDY", "2004-05-12", "drop_clock_time"),
    ("12.5.04, 08:30", "DMY", "2004-05-12", "two_digit_year"),
    # The local date stands, whatever day it was in Greenwich.
    ("2004-05-12T23:30:00+02:00", "DMY", "2004-05-12", "drop_time_zone"),
    ("2004-05-12T00:30:00.000Z", "DMY", "2004-05-12", "drop_time_zone"),
    ("2004-05-12 00:30 MESZ", "DMY", "2004-05-12", "drop_time_zone"),
    ("29.2.2004", "DMY", "2004-02-29", ""), ("31. Dez. 2004", "DMY", "2004-12-31", "month_name_date"),
]


@pytest.mark.parametrize(("text", "order", "day", "rule"), DATES, ids=[f"{case[0]} {case[1]}" for case in DATES])
def test_dates(text, order, day, rule):
    made = readers.read_dates([text], order)
    assert (str(one(made)), one(made, "rule"), one(made, "fault")) == (day, rule, "")


NO_DATES = [
    ("30.2.2004", "no such day in the calendar"), ("29.2.2003", "no such day"), ("2004-13-01", "no such day"),
    ("31/4/2004", "no such day"), ("00.05.2004", "date without a day"), ("5/2004", "date without a day"),
    ("Mai 2004", "date without a day"), ("UNK-MAY-2004", "date without a day"), ("2004", "date without a day"),
    ("xx.xx.2004", "date without a day"), ("5/13/2004", "no such day in the order DMY"), ("05-01-04", "ambiguous date"),
    ("37991", "a spreadsheet's serial number"), ("37991.5", "a spreadsheet's serial number"),
    ("1.1.1850", "year outside"), ("2004-05-12 25:00", "not a date: no such time"), ("soon", "not a date"),
    ("12052004", "no such day"), ("١٢.٣.2003", "not a date"), ("12.5.", "not a date"), ("Q2 2004", "not a date"),
    ("12.5.2004-13.5.2004", "not a date"), ("-", "not a date"), ("x" * 5000, "not a date"), ("12:30", "not a date"),
    ("< 12.5.2004", "not a date"), ("0000-00-00", "no such day"),
]


@pytest.mark.parametrize(("text", "fault"), NO_DATES, ids=[case[0][:20] for case in NO_DATES])
def test_no_dates(text, fault):
    made = readers.read_dates([text], "DMY")
    assert one(made) is None and one(made, "fault").startswith(fault)
    assert checks.of_fault(one(made, "fault")).rule != "unreadable_value"


@pytest.mark.parametrize(("text", "epoch", "day"), [
    # =DATE(2004,1,5) is 37991 in a workbook that counts from 1900, and 36529 in one that counts from 1904.
    ("37991", 1900, "2004-01-05"), ("36529", 1904, "2004-01-05"), ("37991,75", 1900, "2004-01-05"),
    ("99999", 1900, None)])
def test_serial_numbers_are_read_where_their_epoch_is_declared(text, epoch, day):
    made = readers.read_dates([text], "DMY", epoch=epoch)
    assert (str(one(made)) if one(made) else None) == day
    assert one(made, "rule") == ("serial_date_read" if day else "")


COLUMNS = [
    # texts, what comes out (None is a fault), beginning of the faults
    (["1/2/2004", "13/2/2004"], ["2004-02-01", "2004-02-13"], ""),
    (["1/2/2004", "2/13/2004"], ["2004-01-02", "2004-02-13"], ""),
    (["1/2/2004", "3/4/2004"], [None, None], "day or month first"),
    (["1/2/2004", "5/5/2004"], [None, "2004-05-05"], "day or month first"),
    (["1/2/2004", "13/2/2004", "2/13/2004"], [None, "2004-02-13", "2004-02-13"], "ambiguous date"),
    (["1-2-2004", "13/2/2004"], ["2004-02-01", "2004-02-13"], ""),
    # Two-digit years may stand first: 13/2/04 is 2013-02-04 as well, 13/2/99 is not.
    (["1/2/04", "13/2/04"], [None, None], "day or month first"),
    (["1/2/04", "13/2/99"], ["2004-02-01", "1999-02-13"], ""),
    (["1/2/04", "2/13/99"], ["2004-01-02", "1999-02-13"], ""),
    (["1/2/04", "2003/2/13"], [None, "2003-02-13"], "day or month first"),
    (["1/2/04", "99/2/13"], ["2001-02-04", "1999-02-13"], ""),
    # Points mean day first; a date that shows the contrary leaves the others open.
    (["1.2.2004", "13.2.2004"], ["2004-02-01", "2004-02-13"], ""),
    (["1.2.2004", "2.13.2004"], [None, None], ""),
    (["1.2.2004", "2/13/2004"], ["2004-02-01", "2004-02-13"], ""),
    # What is impossible in every order tells nothing.
    (["1/2/2004", "31/31/2004"], [None, None], ""),
    (["1/2/2004 8:30", "13/2/2004 9:00"], ["2004-02-01", "2004-02-13"], ""),
    ([], [], ""),
]


@pytest.mark.parametrize(("texts", "days", "fault"), COLUMNS, ids=[" ".join(case[0]) for case in COLUMNS])
def test_the_order_is_taken_from_the_whole_column(texts, days, fault):
    made = readers.read_dates(texts)
    assert [str(day) if day else None for day in made["value"]] == days
    assert all(found.startswith(fault) for found in made["fault"] if found)


@pytest.mark.parametrize("order", ["DMY", "MDY"])
def test_dates_against_the_declared_order_leave_the_others_open(order):
    against = {"DMY": "2/13/2004", "MDY": "13/2/2004"}[order]
    right = {"DMY": "13/2/2004", "MDY": "2/13/2004"}[order]
    made = readers.read_dates(["1/2/2004", against, right, "2004-01-01"], order)
    assert [bool(day) for day in made["value"]] == [False, False, True, True]
    assert made["fault"].tolist()[:2] == ["ambiguous date, as this column mixes day/month and month/day",
                                          f"no such day in the order {order}"]


@pytest.mark.parametrize("text", ["05/2004", "5.2004", "00.05.2004", "00/05/2004", "2004-05-00", "2004-05", "Mai 2004",
                                  "UNK-MAY-2004", "xx.05.2004", "??/05/2004"])
def test_a_month_is_completed_only_where_that_is_allowed(text):
    made = [readers.read_dates([text], "DMY", edge) for edge in ("first", "last", "")]
    assert [str(one(frame)) for frame in made] == ["2004-05-01", "2004-05-31", "None"]
    assert [one(frame, "rule") for frame in made] == ["impute_partial_date"] * 2 + [""]
    assert one(made[2], "fault") == "date without a day"


def test_dates_after_the_cutoff_are_faults():
    made = readers.read_dates(["2012-06-01", "2.6.2012"], "DMY", latest=dt.date(2012, 6, 1))
    assert made["fault"].tolist() == ["", "after the data cutoff 2012-06-01"]
    months = readers.read_dates(["06/2012", "07/2012"], "DMY", "last", latest=dt.date(2012, 6, 1))
    assert months["fault"].tolist() == ["", "after the data cutoff 2012-06-01"]
    assert checks.of_fault(made["fault"].iloc[1]).rule == "after_cutoff"


NUMBERS = [
    # text, decimal sign, value, rule
    ("1,5", ",", 1.5, ""), ("1.5", ".", 1.5, ""), ("1.5", ",", 1.5, "number_notation"), ("-3", ".", -3, ""),
    ("−3", ".", -3, "number_notation"), ("+3", ".", 3, ""), (".5", ".", 0.5, "number_notation"),
    ("1.234,56", ".", 1234.56, "number_notation"), ("1,234.56", ",", 1234.56, "number_notation"),
    ("1.000.000", ",", 1e6, "number_notation"), ("1,000,000", ",", 1e6, "number_notation"),
    ("1 234", ".", 1234, "number_notation"), ("1'234,5", ",", 1234.5, "number_notation"),
    ("1\u202f234", ".", 1234, "number_notation"), ("1.2E-03", ",", 0.0012, "number_notation"),
    ("1,5x10^3", ",", 1500, "number_notation"), ("1.5 × 10^-3", ".", 0.0015, "number_notation"),
    ("0.500", ",", 0.5, "number_notation"), ("0", ".", 0, ""),
]


@pytest.mark.parametrize(("text", "decimal", "value", "rule"), NUMBERS,
                         ids=[f"{case[0]} {case[1]}" for case in NUMBERS])
def test_numbers(text, decimal, value, rule):
    assert readers.read_number(text, decimal, "refuse") == (value, rule, "")


NO_NUMBERS = [
    ("12.500", "ambiguous number"), ("<0,5", "a limit, not a value"), ("≥ 5", "a limit, not a value"),
    ("ca. 5", "a limit, not a value"), ("3 MU", "a unit inside the number"), ("3MU", "a unit inside the number"),
    ("5 %", "a unit inside the number"), ("600 mg/d", "a unit inside the number"),
    ("12.5.2004", "a date, not a number"),
    ("1. Mai", "a date, not a number"), ("May-99", "a date, not a number"), ("1e400", "number out of range"),
    ("1e999999999", "number out of range"), ("9" * 50, "number out of range"), ("inf", "not a number"),
    ("nan", "not a number"), ("1.2.3", "not a number"), ("1,23,456", "not a number"), ("½", "not a number"),
    ("١٢", "not a number"), ("geronnen", "not a number"), ("5-10", "not a number"),
    ("0x10", "a unit inside the number"),
    ("1_000", "not a number"), ("--5", "not a number"), ("", "not a number"), ("9" * 5000, "not a number"),
]


@pytest.mark.parametrize(("text", "fault"), NO_NUMBERS, ids=[case[0][:20] for case in NO_NUMBERS])
def test_no_numbers(text, fault):
    value, rule, found = readers.read_number(text, ",", "refuse")
    assert value is None and rule == "" and found.startswith(fault)
    assert checks.of_fault(found).rule != "unreadable_value"


def test_a_percent_sign_adds_nothing_in_a_column_of_percent():
    assert readers.read_number("5 %", ",", "refuse", percent=True) == (5, "percent_sign", "")
    assert readers.read_number("5.5%", ",", "refuse", percent=True) == (5.5, "number_notation", "")


RESULTS = [
    # text, state, ratio, limit, sign
    ("neg", "NEGATIVE", None, None, ""), ("negativ", "NEGATIVE", None, None, ""), ("NEG.", "NEGATIVE", None, None, ""),
    ("not detected", "NEGATIVE", None, None, ""), ("nicht nachweisbar", "NEGATIVE", None, None, ""),
    ("<LOD", "NEGATIVE", None, None, ""),
    ("<0,001 %", "NEGATIVE", None, 0.001, "<"), ("<0.001", "NEGATIVE", None, 0.001, "<"),
    ("≤0,001%", "NEGATIVE", None, 0.001, "<"), ("<10-5", "NEGATIVE", None, 0.001, "<"),
    ("< 10^-5", "NEGATIVE", None, 0.001, "<"), ("<10⁻⁵", "NEGATIVE", None, 0.001, "<"),
    ("< 1:100.000", "NEGATIVE", None, 0.001, "<"), ("<1E-3", "NEGATIVE", None, 0.001, "<"),
    ("unter 0,001 %", "NEGATIVE", None, 0.001, "<"), ("neg (<10-5)", "NEGATIVE", None, 0.001, "<"),
    ("neg. (Sens. 10-5)", "NEGATIVE", None, 0.001, "<"),
    ("negativ, Sensitivität 1:100000", "NEGATIVE", None, 0.001, "<"),
    ("nicht nachweisbar (NWG 0,001 %)", "NEGATIVE", None, 0.001, "<"), ("PNQ", "PNQ", None, None, ""),
    ("pos., nicht quantifizierbar", "PNQ", None, None, ""), ("pos <10-4", "PNQ", None, None, "<"),
    ("positiv (<0,01%)", "PNQ", None, None, "<"), ("<LOQ", "PNQ", None, None, ""), ("Spuren", "PNQ", None, None, ""),
    ("0,05", "QUANTIFIED", 0.05, None, ""), ("0.05 %", "QUANTIFIED", 0.05, None, ""),
    ("1.2E-03", "QUANTIFIED", 0.0012, None, ""), ("10-4", "QUANTIFIED", 0.01, None, ""),
    ("10⁻⁴", "QUANTIFIED", 0.01, None, ""), ("2,5x10^-3", "QUANTIFIED", 0.25, None, ""),
    ("2 x 10-3 %", "QUANTIFIED", 0.002, None, ""), ("1:10000", "QUANTIFIED", 0.01, None, ""),
    ("1 : 10.000", "QUANTIFIED", 0.01, None, ""), ("0,05 % IS", "QUANTIFIED", 0.05, None, ""),
    ("BCR-ABL/ABL 0,05 %", "QUANTIFIED", 0.05, None, ""), ("pos. (0,05 %)", "QUANTIFIED", 0.05, None, ""),
    ("0,05 % pos", "QUANTIFIED", 0.05, None, ""), (">100", "QUANTIFIED", 100, None, ">"),
    ("> 100 %", "QUANTIFIED", 100, None, ">"), ("≥10", "QUANTIFIED", 10, None, ">"),
    ("150", "QUANTIFIED", 150, None, ""),
]


@pytest.mark.parametrize(("text", "state", "ratio", "limit", "sign"), RESULTS, ids=[case[0] for case in RESULTS])
def test_molecular_results(text, state, ratio, limit, sign):
    made = molecular.read_results([text], ",").iloc[0]
    assert (made["value"], made["fault"], made["censor"]) == (state, "", sign)
    for name, value in (("ratio", ratio), ("limit", limit)):
        assert made[name] == value if value is not None else pd.isna(made[name])


NO_RESULTS = [
    ("0", "a ratio of zero"), ("0,000", "a ratio of zero"), ("-0,05", "a ratio of zero"), ("0 %", "a ratio of zero"),
    ("n.d.", "ambiguous result"), ("ND", "ambiguous result"), ("siehe Befund", "not a result"), ("+", "not a result"),
    ("Material reicht nicht", "not a result"), ("MMR", "not a result"), ("MR4.5", "not a result"),
    ("0,05-0,1", "not a result"), ("0,05 ± 0,01", "not a result"), ("ca. 0,05", "not a result"), ("<", "not a result"),
    (">", "not a result"), (">LOQ", "not a result"), ("< neg", "not a result"), ("3 log", "not a result"),
    ("1/3", "not a result"), ("5/10000", "not a result"), ("fraglich", "not a result"), ("<0", "not a result"),
    (">0,0.1", "not a result"), ("12.5.2004", "not a result"), ("0,3‰", "not a result"), ("x" * 5000, "not a result"),
    ("(" * 5000, "not a result"), ("nicht neg", "not a result"), ("fraglich <10-4", "not a result"),
]


@pytest.mark.parametrize(("text", "fault"), NO_RESULTS, ids=[case[0][:20] for case in NO_RESULTS])
def test_what_is_no_molecular_result_is_a_query_and_never_a_zero(text, fault):
    made = molecular.read_results([text], ",").iloc[0]
    assert made["value"] is None and pd.isna(made["ratio"]) and made["fault"].startswith(fault)
    assert checks.of_fault(made["fault"]).rule in {"zero_ratio", "ambiguous_result", "unreadable_result"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Clean the hand-written cohort with one text replaced, in one table."""
    def once(table, old, new, study=STUDY):
        assert TABLES[table].count(old) == 1, (table, old)
        put(tmp_path, {table: TABLES[table].replace(old, new)}, study)
        monkeypatch.chdir(tmp_path)
        read = read_study("mini")
        return clean(raw.read(read), read)
    return once


def test_a_zero_counts_as_negative_only_beside_counted_control_copies(run):
    result = run("mrd", ";0;40000;neg;", ";0;40000;0,000 %;")
    assert result.tables["mrd"]["state"].tolist() == ["QUANTIFIED", "NEGATIVE", "PNQ"]
    assert result.log[["rule", "before", "after"]].to_numpy().tolist() == [["mrd_zero_negative", "0,000 %", "NEGATIVE"]]
    for copies in (";;40000;0;", ";0;;0;", ";2;40000;0;"):
        result = run("mrd", ";0;40000;neg;", copies)
        assert result.quarantine["rule"].tolist() == ["unreadable_value"]
        assert "a ratio of zero" in result.quarantine["reason"].iloc[0]


def test_a_result_above_the_range_is_its_limit_and_no_contradiction_to_more_copies(run):
    result = run("mrd", ";25;50000;0,05;", ";80000;50000;>100;")
    assert result.tables["mrd"]["ratio"].tolist()[0] == 100
    assert result.log["rule"].tolist() == ["mrd_above_range"]


def test_a_word_for_not_known_is_a_missing_result(run):
    result = run("mrd", ";0,05;", ";n.a.;")
    assert result.log["rule"].tolist() == ["missing_word"] and result.quarantine["rule"].tolist() == ["missing_value"]


CELLS = [
    # table, old, new, study, rule, after
    ("laboratory", ";5.1.2004", ";37991", STUDY.replace("date_order", "serial_epoch = 1900\ndate_order"),
     "serial_date_read", "2004-01-05"),
    ("laboratory", ";5.1.2004", ";2004-01-05T23:59:00+01:00", STUDY, "drop_time_zone", "2004-01-05"),
    ("mutations", ";60", ";60 %", STUDY, "percent_sign", "60"),
    ("mrd", "neg;0,0025", "neg;0,0025 %", STUDY, "percent_sign", "0.0025"),
    ("mrd", "neg;0,0025", "neg;2,5x10-5", STUDY, "number_notation", "2.5e-05"),
    ("patients", "\n02;", "\n=\"02\";", STUDY, "spreadsheet_text", "02"),
    ("patients", "\n02;", "\n'02;", STUDY, "spreadsheet_text", "02"),
    ("patients", "\n02;", "\n\u200b02\u00ad;", STUDY, "invisible_characters", "02"),
    ("adverse_events", "Fatigue", "Mu\u0308digkeit", STUDY, "invisible_characters", "Müdigkeit"),
]


@pytest.mark.parametrize(("table", "old", "new", "study", "rule", "after"), CELLS, ids=[case[4] for case in CELLS])
def test_a_new_repair_is_logged_by_name(run, table, old, new, study, rule, after):
    result = run(table, old, new, study)
    entry = result.log[result.log["rule"] == rule]
    assert entry["after"].tolist() == [after] and rule in checks.RULES
    assert result.quarantine.empty


def test_the_order_of_a_column_is_logged_once(run):
    result = run("laboratory", ";5.1.2004", ";01/05/2004", STUDY.replace('date_order = "DMY"\n', ""))
    assert "day or month first" in result.quarantine["reason"].iloc[0]
    study = STUDY.replace('date_order = "DMY"\n', "")
    result = run("patients", "10.1.2003;20.3.2003;1.12.2003;p190\n02;IFN+IM;M;1940;2003-02-11",
                 "10/1/2003;20.3.2003;1.12.2003;p190\n02;IFN+IM;M;1940;23/2/2003", study)
    entry = result.log[result.log["rule"] == "date_order_found"]
    assert entry[["table", "column", "after"]].to_numpy().tolist() == [
        ["patients", "diagnosis_date", "day first, as only this order fits 23/2/2003"]]
    assert entry["line"].isna().all()


@pytest.mark.parametrize("text", ["#REF!", "#DIV/0!", "#NV", "#####", "Err:502", "=B2*2"])
def test_a_spreadsheets_error_is_a_fault_in_any_column(run, text):
    with pytest.raises(ContractError) as caught:
        run("disposition", "stroke", text)
    problem, = caught.value.problems
    assert problem.column == "cause_of_death" and problem.rows == (4,)
    assert problem.code == checks.code("formula_without_value" if text.startswith("=") else "error_cell")


def test_dates_after_the_cutoff_of_the_study_are_refused(run):
    study = STUDY.replace("date_order", "data_cutoff = 2007-01-01\ndate_order")
    with pytest.raises(ContractError) as caught:
        run("disposition", "stroke", "infarction", study)
    problem, = caught.value.problems
    assert problem.code == checks.code("after_cutoff") and problem.rows == (3,)


def test_what_was_noted_of_a_file_stands_in_the_log(tmp_path, monkeypatch):
    events = TABLES["adverse_events"].replace("Fatigue", "Müdigkeit").encode("cp1252")
    put(tmp_path, {"adverse_events": b"sep=;\n" + events}, STUDY)
    monkeypatch.chdir(tmp_path)
    study = read_study("mini")
    log = clean(raw.read(study), study).log
    assert log[["rule", "table"]].to_numpy().tolist() == [
        ["other_encoding", "adverse_events"], ["separator_line", "adverse_events"],
        ["translate_term", "adverse_events"]]
    assert log["line"].tolist() == [pd.NA, pd.NA, 4]
