"""Every kind of disorder that cleaning repairs, sets aside, or refuses."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from cohort_on_disk import STUDY, TABLES, put

from remission import checks, raw, schema
from remission.cleaning import LOG_COLUMNS, QUARANTINE_COLUMNS, account, clean, report, vocabulary
from remission.errors import ContractError
from remission.study import read as read_study

#: Results by input, as several tests look at the same one. Nobody changes a result.
DONE: dict = {}


OPTIONAL = {name for name, table in schema.RAW.items() if not table.required}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Clean the hand-written cohort; with some tables replaced, only these and the required ones are there."""
    def once(study: str = STUDY, **tables):
        others = OPTIONAL - tables.keys() if tables else ()
        put(tmp_path, dict.fromkeys(others) | tables, study)
        monkeypatch.chdir(tmp_path)
        given = (study, *sorted(tables.items()))
        if given not in DONE:
            read = read_study("mini")
            DONE[given] = clean(raw.read(read), read)
        return DONE[given]
    return once


def swap(table: str, old: str, new: str) -> dict[str, str]:
    """One table with one text replaced; the text must occur once."""
    assert TABLES[table].count(old) == 1, (table, old)
    return {table: TABLES[table].replace(old, new)}


def add(table: str, *rows: str) -> dict[str, str]:
    """One table with rows added at its end."""
    return {table: TABLES[table] + "".join(f"{row}\n" for row in rows)}


def test_the_clean_cohort_needs_no_repair(run):
    result = run()
    assert result.log.empty and result.quarantine.empty
    assert list(result.log) == LOG_COLUMNS and list(result.quarantine) == QUARANTINE_COLUMNS
    assert {name: len(table) for name, table in result.tables.items()} == {
        name: text.count("\n") - 1 for name, text in TABLES.items()}


def test_study_time_counts_from_each_patients_origin(run):
    tables = run().tables
    # 2003-12-01 to 2004-09-01 is 275 days, to 2005-03-01 456 (2004 is a leap year).
    assert tables["remission_events"]["day"].tolist() == [275]
    assert tables["disposition"]["death_day"].tolist() == [456, pd.NA, 950]
    assert tables["patients"]["maintenance_start_day"].tolist() == [0, 0, 0]
    assert tables["patients"]["diagnosis_day"].tolist() == [-325, -338, -273]
    assert str(tables["mrd"]["date"].dtype) == "datetime64[ns]"


def test_mrd_text_becomes_state_and_ratio(run):
    mrd = run().tables["mrd"]
    assert mrd["state"].tolist() == ["QUANTIFIED", "NEGATIVE", "PNQ"]
    assert mrd["ratio"].iloc[0] == 0.05 and mrd["ratio"].iloc[1:].isna().all()
    assert "result_text" not in mrd and list(mrd)[-1] == "source_line"


REPAIRS = [
    # table, text as it should be, text as received, rule, column, after
    ("patients", "10.1.2003", " 10.1.2003", "strip_whitespace", "diagnosis_date", "10.1.2003"),
    ("patients", "10.1.2003", "10.1.03", "two_digit_year", "diagnosis_date", "2003-01-10"),
    ("patients", "20.3.2003", "20/3/2003", "slash_date", "cr_date", "2003-03-20"),
    ("patients", "10.1.2003", "10. Januar 2003", "month_name_date", "diagnosis_date", "2003-01-10"),
    ("patients", "10.1.2003", "10-JAN-2003", "month_name_date", "diagnosis_date", "2003-01-10"),
    ("patients", "10.1.2003", "2003-01-10 00:00:00", "drop_clock_time", "diagnosis_date", "2003-01-10"),
    ("patients", "10.1.2003", "20030110", "iso_spelling", "diagnosis_date", "2003-01-10"),
    ("patients", "5.5.2003", "unbekannt", "missing_word", "diagnosis_date", ""),
    ("patients", "01;IFN+IM", "01;im+ifn", "alias_arm", "arm", "IFN+IM"),
    ("patients", ";F;", ";w;", "alias_value", "sex", "F"),
    ("patients", "p210", "b3a2", "alias_value", "transcript", "p210"),
    ("disposition", "alive in remission", "lebt in CR", "alias_value", "status", "alive in remission"),
    ("remission_events", ";BM", ";KM", "alias_value", "site", "BM"),
    ("procedures", "CNS irradiation", "Schädelbestrahlung", "alias_value", "procedure", "CNS irradiation"),
    ("chemotherapy_cycles", "1;induction;15.1.2003", "1;Induktion;15.1.2003", "alias_value", "phase", "induction"),
    ("chemotherapy_cycles", "20.4.2003", "04/2003", "impute_partial_date", "end_date", "2003-04-30"),
    ("dosing", "01;imatinib", "01;Glivec", "alias_drug", "drug", "imatinib"),
    ("dosing", "2003;escalation", "2003;Dosissteigerung", "alias_value", "reason_for_change", "escalation"),
    ("dosing", ";3;MU;", ";3;Mio. I.E.;", "unit_drug", "unit", "MU"),
    ("dosing", ";3;MU;", ";3.000.000;IE;", "unit_drug", "dose", "3"),
    ("dosing", ";3;MU;TIW", ";9;Mio IE/Woche;", "weekly_dose", "dose", "3"),
    ("dosing", ";3;MU;TIW", ";9;MU/week;weekly", "weekly_dose", "frequency", "TIW"),
    ("dosing", "600;mg;QD;15", "0,6;g;QD;15", "unit_drug", "dose", "600"),
    ("dosing", "600;mg;QD;15", "600;mg;1x tgl.;15", "alias_value", "frequency", "QD"),
    ("adverse_events", "Depression", "depressive Verstimmung", "translate_term", "term", "Depression"),
    ("adverse_events", "Fatigue", "Müdigkeit", "translate_term", "term", "Fatigue"),
    ("adverse_events", ";2;Y", ";II;Y", "roman_grade", "grade", "2"),
    ("adverse_events", ";2;Y", ";Grad 2;Y", "grade_spelling", "grade", "2"),
    ("adverse_events", ";2;Y", ";2;Ja", "alias_value", "related_ifn", "Y"),
    ("adverse_events", "5.1.2004", "01/2004", "impute_partial_date", "start_date", "2004-01-01"),
    ("laboratory", ";0,9;10^9/L;1,8;7,7", ";900;/µl;1800;7700", "unit_count", "value", "0.9"),
    ("laboratory", ";0,9;10^9/L;1,8;7,7", ";0,9;Tsd/µl;1,8;7,7", "unit_count", "unit", "10^9/L"),
    ("laboratory", "0,9", "0.9", "number_notation", "value", "0.9"),
    ("laboratory", "11,2;g/dL;12;16", "112;g/l;120;160", "unit_mass", "value", "11.2"),
    ("laboratory", "1,1;mg/dL;0,5;1,2", "97,3;µmol/l;44,2;106,1", "unit_mass", "upper_limit_normal", "1.2"),
    ("laboratory", "2,1", "2,1E0", "number_notation", "value", "2.1"),
    ("laboratory", ";5.1.2004;ANC", ";5.1.2004;Neutrophile", "alias_value", "test", "ANC"),
    ("mrd", "50000", "50.000", "number_notation", "abl_copies", "50000"),
    ("mrd", "01;1.12.2003;BM", "01;1.12.2003;Knochenmark", "alias_value", "source", "BM"),
    ("mrd", ";0,05;", ";5E-02;", "number_notation", "result_text", "QUANTIFIED 0.05"),
    ("mrd", ";0,05;", ";0,05 %;", "mrd_text", "result_text", "QUANTIFIED 0.05"),
    ("mrd", ";neg;", ";nicht nachweisbar;", "mrd_text", "result_text", "NEGATIVE"),
    ("mrd", ";neg;0,0025", ";<0,0025 %;", "limit_from_text", "detection_limit", "0.0025"),
    ("mrd", ";neg;0,0025", ";neg (<10-5);", "limit_from_text", "detection_limit", "0.001"),
    ("mrd", ";PNQ;", ";pos., nicht quantifizierbar;", "mrd_text", "result_text", "PNQ"),
    ("mrd", ";PNQ;", ";pos <10-4;", "mrd_text", "result_text", "PNQ"),
    ("mrd", ";0,05;", ";0,5;", "mrd_ratio_disagrees", "result_text", "unchanged; 100 x copies gives 0.05 %"),
    ("mutations", "T315I", "T-315-I", "mutation_spelling", "variant", "T315I"),
    ("mutations", "T315I", "p.Thr315Ile", "mutation_spelling", "variant", "T315I"),
    ("mutations", "none", "kein", "alias_value", "variant", "none"),
    ("dosing", "28.12.2003;esc", ";esc", "close_open_dose", "end_date", "2003-12-28"),
    ("dosing", "28.12.2003;esc", "3.1.2004;esc", "end_overlap", "end_date", "2003-12-28"),
    ("adverse_events", "20.2.2004", "1.4.2005", "end_after_death", "end_date", "2005-03-01"),
    ("adverse_events", ";2;Y", ";schlimm;Y", "unreadable_value", "grade", ""),
    ("adverse_events", ";2;Y", ";7;Y", "unreadable_value", "grade", ""),
    ("adverse_events", "Depression", "Verhexung", "uncoded_term", "term", "Verhexung"),
    ("disposition", "alive in remission", "alive after relapse", "status_disagrees", "status",
     "unchanged; no relapse is recorded"),
]


@pytest.mark.parametrize(("table", "old", "new", "rule", "column", "after"), REPAIRS,
                         ids=[f"{case[3]}-{case[2]}" for case in REPAIRS])
def test_a_repair_is_logged_by_name(run, table, old, new, rule, column, after):
    result = run(**swap(table, old, new))
    entry = result.log[(result.log["rule"] == rule) & (result.log["column"] == column)]
    assert entry["after"].tolist() == [after]
    assert entry["table"].tolist() == [table]
    assert rule in checks.RULES
    assert TABLES[table].replace(old, new).splitlines()[entry["line"].iloc[0] - 1].startswith(
        entry["patient_id"].iloc[0])
    assert result.quarantine.empty


#: Repairs that must give back the hand-written cohort, but for what the rule cannot know.
SAME = [case for case in REPAIRS if case[3] not in {
    "impute_partial_date", "missing_word", "limit_from_text", "mrd_ratio_disagrees", "end_after_death",
    "unreadable_value", "uncoded_term", "status_disagrees"}]


@pytest.mark.parametrize(("table", "old", "new"), [case[:3] for case in SAME], ids=[case[2] for case in SAME])
def test_a_repair_gives_back_the_truth(run, table, old, new):
    truth, mended = run(**{table: TABLES[table]}).tables[table], run(**swap(table, old, new)).tables[table]
    pd.testing.assert_frame_equal(mended.drop(columns="reported_term", errors="ignore"),
                                  truth.drop(columns="reported_term", errors="ignore"))


QUARANTINED = [
    # case, tables, table, line, rule, part of the reason
    ("exact duplicate", add("laboratory", "01;1.12.2003;ANC;2,1;10^9/L;1,8;7,7"), "laboratory", 6, "duplicate_row",
     "same as line 2"),
    ("duplicate once cleaned", add("laboratory", "01;2003-12-01;Neutrophile;2100;/µl;1800;7700"), "laboratory", 6,
     "duplicate_row", "same as line 2"),
    ("sample after death", add("mrd", "01;1.4.2005;PB;0;40000;neg;0,0025;A"), "mrd", 5, "after_death", "death"),
    ("unknown patient", add("laboratory", "99;1.12.2003;ANC;2,1;10^9/L;1,8;7,7"), "laboratory", 6, "unknown_patient",
     "patient 99"),
    ("negative dose", swap("dosing", "02;imatinib;600", "02;imatinib;-600"), "dosing", 5, "impossible_value",
     "dose -600"),
    ("unknown unit", swap("dosing", "600;mg;QD;15", "600;drops;QD;15"), "dosing", 5, "unreadable_value",
     "unknown unit for imatinib 'drops'"),
    ("unit of another drug", swap("dosing", "600;mg;QD;15", "600;MU;QD;15"), "dosing", 5, "unreadable_value", "'MU'"),
    ("unknown drug", swap("dosing", "02;imatinib", "02;aspirin"), "dosing", 5, "unreadable_value", "unknown drug"),
    ("no dose", swap("dosing", "02;imatinib;600", "02;imatinib;"), "dosing", 5, "missing_value", "dose"),
    ("dose in two readings", swap("dosing", "02;imatinib;600", "02;imatinib;1.600"), "dosing", 5, "unreadable_value",
     "ambiguous number"),
    ("end before start", swap("dosing", "2003;28.12.2003", "2003;28.11.2003"), "dosing", 2, "negative_duration",
     "before the start"),
    ("month as a dosing date", swap("dosing", "15.1.2004", "01/2004"), "dosing", 5, "unreadable_value",
     "date without a day"),
    ("no such day", swap("laboratory", ";5.1.2004", ";31.2.2004"), "laboratory", 3, "unreadable_value", "no such day"),
    ("a spreadsheet's number", swap("laboratory", ";5.1.2004", ";37991"), "laboratory", 3, "unreadable_value",
     "serial number"),
    ("hyphens and two digits", swap("laboratory", ";5.1.2004", ";05-01-04"), "laboratory", 3, "unreadable_value",
     "ambiguous date"),
    ("unknown test", swap("laboratory", "CREAT", "Ferritin"), "laboratory", 5, "unreadable_value", "'Ferritin'"),
    ("text for a value", swap("laboratory", "11,2", "hämolytisch"), "laboratory", 4, "unreadable_value",
     "not a number"),
    ("limit for a value", swap("laboratory", "0,9", "<1"), "laboratory", 3, "unreadable_value", "'<1'"),
    ("a unit that cannot be", swap("laboratory", "11,2;g/dL", "112;g/dL"), "laboratory", 4, "impossible_value",
     "above 25"),
    ("negative count", swap("laboratory", "0,9", "-0,9"), "laboratory", 3, "impossible_value", "below 0"),
    ("zero as a ratio", swap("mrd", ";0,05;", ";0;"), "mrd", 2, "unreadable_value", "zero or less"),
    ("n.d.", swap("mrd", ";0,05;", ";n.d.;"), "mrd", 2, "unreadable_value", "not detected or not done"),
    ("no result", swap("mrd", ";0,05;", ";;"), "mrd", 2, "missing_value", "result_text"),
    ("two changes in one cell", swap("mutations", "T315I", "T315I + E255K"), "mutations", 2, "unreadable_value",
     "not one amino-acid change"),
    ("fraction above 100", swap("mutations", ";60", ";160"), "mutations", 2, "impossible_value", "above 100"),
    ("no adverse-event term", swap("adverse_events", "Fatigue", ""), "adverse_events", 3, "missing_value", "term"),
    ("short row", add("laboratory", "02;16.1.2004;HB;11"), "laboratory", 6, "ragged_row", "4 cells, the header has 7"),
    ("long row", add("laboratory", "02;16.1.2004;HB;11;2;g/dL;12;16"), "laboratory", 6, "ragged_row", "8 cells"),
    ("row of separators", add("laboratory", ";;;;;;"), "laboratory", 6, "blank_row", "no cell"),
    ("row without a patient", add("laboratory", ";15.1.2004;HB;11,2;g/dL;12;16"), "laboratory", 6, "missing_value",
     "patient_id"),
]


@pytest.mark.parametrize(("tables", "table", "line", "rule", "reason"), [case[1:] for case in QUARANTINED],
                         ids=[case[0] for case in QUARANTINED])
def test_an_unusable_row_goes_whole_to_quarantine(run, tables, table, line, rule, reason):
    result = run(**tables)
    row = result.quarantine[(result.quarantine["table"] == table) & (result.quarantine["line"] == line)]
    assert row["rule"].tolist() == [rule]
    assert reason in row["reason"].iloc[0]
    cells = json.loads(row["content"].iloc[0])
    received = tables[table].splitlines()[line - 1].split(";")
    assert (cells if isinstance(cells, list) else list(cells.values())) == received
    counts = account(result, raw.read(read_study("mini"))).set_index("table").loc[table]
    assert counts["read"] == counts["clean"] + counts["quarantined"] == tables[table].count("\n") - 1


def test_two_doses_from_one_day_are_both_set_aside(run):
    result = run(**add("dosing", "02;imatinib;400;mg;QD;15.1.2004;;"))
    assert result.quarantine["rule"].tolist() == ["conflicting_rows"] * 2
    assert result.quarantine["line"].tolist() == [5, 6]


REFUSED = [
    # case, tables, parts of the message
    ("no patients table", {"patients": None}, ["patients: required table is missing"]),
    ("no events table", {"remission_events": None}, ["remission_events: required table is missing"]),
    ("no disposition table", {"disposition": None}, ["disposition: required table is missing"]),
    ("no arm column", swap("patients", "arm;", "group;"), ["patients.arm", "required column is missing"]),
    ("no status column", swap("disposition", ";status;", ";state;"), ["disposition.status", "columns here"]),
    ("no last contact", swap("disposition", "last_contact", "seen"), ["disposition.last_contact", "last_contact_day"]),
    ("no origin", swap("patients", "maintenance_start", "start"), ["patients.maintenance_start", "required column"]),
    ("optional table without a column", swap("mrd", "result_text", "result"), ["mrd.result_text", "missing"]),
    ("date and study time", {"remission_events": "patient_id;date;day;event;site\n01;1.9.2004;275;relapse;BM\n"},
     ["remission_events.day", "both date and day"]),
    ("patients without rows", {"patients": TABLES["patients"].splitlines()[0] + "\n"},
     ["patients: the table has no rows"]),
    ("relapses lost", {"remission_events": "patient_id;date;event;site\n"},
     ["remission_events", "no rows", "1 patients"]),
    ("unknown arm", swap("patients", "03;IM;", "03;dasatinib;"), ["patients.arm (line 4)", "unknown arm 'dasatinib'",
                                                                  "IFN+IM, IM", "study.toml"]),
    ("blank arm", swap("patients", "03;IM;", "03;;"), ["patients.arm (line 4)", "blank"]),
    ("unparsable date", swap("patients", "10.7.2003", "summer"), ["patients.cr_date (line 4)", "not a date 'summer'"]),
    ("impossible date", swap("disposition", "1.6.2008", "31.6.2008"), ["disposition.last_contact (line 3)",
                                                                      "no such day", "31.6.2008"]),
    ("month only", swap("remission_events", "1.9.2004", "09/2004"),
     ["remission_events.date (line 2)", "without a day"]),
    ("ambiguous two-digit date", swap("remission_events", "1.9.2004", "01-09-04"), ["remission_events.date (line 2)",
                                                                                   "ambiguous date"]),
    ("orders mixed", {"patients": TABLES["patients"].replace("10.1.2003", "03/04/2003").replace(
        "5.5.2003", "04/25/2003")},
     ["patients.diagnosis_date (line 2)", "ambiguous date", "patients.diagnosis_date (line 4)"]),
    ("far year", swap("disposition", "1.6.2008", "1.6.2808"), ["disposition.last_contact (line 3)", "year outside"]),
    ("relapse before origin", swap("remission_events", "1.9.2004", "1.9.2003"),
     ["remission_events.date (line 2)", "relapse before the time origin", "negative duration", "patient 01"]),
    ("relapse before remission", swap("remission_events", "1.9.2004", "1.3.2003"), ["relapse before first remission"]),
    ("death before origin", {"disposition": TABLES["disposition"].replace("9.9.2006", "9.9.2003")},
     ["disposition.death_date (line 4)", "negative duration"]),
    ("last contact before origin", swap("disposition", "1.6.2008", "1.6.2003"), ["disposition.last_contact (line 3)",
                                                                                "negative duration"]),
    ("relapse after death", swap("remission_events", "1.9.2004", "1.9.2005"), ["remission_events.date", "after death"]),
    ("seen after death", swap("disposition", "03;9.9.2006", "03;9.9.2007"), ["disposition.death_date (line 4)",
                                                                            "after death"]),
    ("remission before diagnosis", swap("patients", "20.3.2003", "20.12.2002"), ["patients.cr_date (line 2)",
                                                                                "before diagnosis"]),
    ("duplicate patient", add("patients", "02;IFN+IM;M;1940;2003-02-11;2003-04-15;2004-01-15;p210"),
     ["patients.patient_id (line 3, 5)", "duplicate patient: 02"]),
    ("patient without disposition", {"disposition": TABLES["disposition"].replace(
        "02;1.6.2008;alive in remission;;\n", "")},
     ["disposition.patient_id", "no row for patient 02"]),
    ("two last words", add("disposition", "02;1.6.2009;alive in remission;;"), ["disposition.patient_id (line 3, 5)"]),
    ("relapse of nobody", add("remission_events", "77;1.9.2004;relapse;BM"), ["remission_events.patient_id (line 3)",
                                                                             "unknown patient 77"]),
    ("unknown status", swap("disposition", "alive in remission", "fine"), ["disposition.status (line 3)", "'fine'",
                                                                          "one of alive in remission"]),
    ("age that cannot be", {"patients": TABLES["patients"].replace("birth_year", "age").replace("1940", "640")
                            .replace("1938", "65").replace("1935", "68")},
     ["patients.age (line 3)", "above 120", "640"]),
    ("born too late", swap("patients", "1940", "2004"), ["patients.birth_year (line 3)", "born after", "patient 02"]),
    ("HTML page", {"mrd": "<!DOCTYPE html><html><body>Login</body></html>"}, ["mrd (line 1)", "HTML page"]),
    ("empty file", {"dosing": ""}, ["dosing", "the file is empty"]),
    ("binary", {"laboratory": b"PK\x03\x04\x00\xff\xfe garbage"}, ["laboratory (line 1)", "not a text file"]),
    ("another character set", {"adverse_events": TABLES["adverse_events"].replace(
        "Fatigue", "Müdigkeit").encode("cp437")},
     ["adverse_events (line 3)", "not UTF-8 (byte 0x81)", "[S06]"]),
    ("short required row", add("disposition", "02;1.6.2008"), ["disposition (line 5)", "without the 5 cells"]),
    ("decimal commas unquoted", {"laboratory": TABLES["laboratory"].replace(";", ",")}, ["laboratory (line 2, 3, 4, 5)",
                                                                                        "quote decimal commas"]),
    ("nameless column", swap("procedures", "procedure\n", "\n"), ["procedures (line 1)", "column 3 has no name"]),
    ("column named twice", swap("procedures", ";procedure\n", ";date\n"), ["procedures.date (line 1)", "twice"]),
]


@pytest.mark.parametrize(("tables", "parts"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_analysed_is_refused(run, tables, parts):
    with pytest.raises(ContractError) as caught:
        run(**tables)
    message = str(caught.value)
    assert message.startswith("cohort mini: ")
    for part in [*parts, "Mend: "]:
        assert part in message


@pytest.mark.parametrize("table", sorted(OPTIONAL))
def test_an_optional_table_may_hold_no_rows(run, table):
    result = run(**{table: TABLES[table].splitlines()[0] + "\n"})
    full = run(**{table: TABLES[table]})
    assert result.tables[table].empty
    assert result.tables[table].dtypes.to_dict() == full.tables[table].dtypes.to_dict()


GARBAGE = ["§?§", "-999", "inf", "1e400", "9" * 400, "#REF!", "=1+1", "½", "١٢.٣.2003", "00.00.2003", "<", "neg <",
           "x" * 5000]
#: Columns in which any text is as good as any other.
FREE_TEXT = {("mutations", "method"), ("mrd", "laboratory"), ("disposition", "cause_of_death")}


@pytest.mark.parametrize("table", list(TABLES))
def test_nonsense_in_any_cell_is_refused_logged_or_set_aside(run, table):
    required = schema.RAW[table].required
    header, first, *rest = TABLES[table].splitlines()
    for place, column in enumerate(header.split(";")):
        if (table, column) in FREE_TEXT:
            continue
        damaged = [";".join([*cells[:place], text, *cells[place + 1:]]) for text in GARBAGE
                   for cells in [first.split(";")]]
        # Required tables are refused as a whole, so each text needs a run of its own; two will do.
        for lines in [[line, *rest] for line in damaged[:2]] if required else [damaged]:
            try:
                result = run(**{table: "\n".join([header, *lines]) + "\n"})
            except ContractError:
                continue
            seen = {*result.log["line"].dropna(), *result.quarantine["line"]}
            assert seen >= set(range(2, 2 + (1 if required else len(GARBAGE)))), (table, column)


def test_all_problems_come_at_once(run):
    with pytest.raises(ContractError) as caught:
        run(**swap("patients", "03;IM;", "03;dasatinib;") | swap("disposition", "1.6.2008", "soon") | {"mrd": ""}
            | swap("laboratory", "test;", "assay;") | {"remission_events": None})
    assert {problem.table for problem in caught.value.problems} == {
        "patients", "disposition", "mrd", "laboratory", "remission_events"}


def test_known_defects_become_missing_and_stay_on_record(run):
    study = STUDY + '[known_defects]\n"disposition.last_contact" = ["00/09/01"]\n'
    result = run(study, **swap("disposition", "1.6.2008", "00/09/01"))
    assert result.log[["rule", "line", "patient_id", "before", "after"]].to_numpy().tolist() == [
        ["known_defect", 3, "02", "00/09/01", ""], ["contact_missing", 3, "02", "00/09/01", "unchanged"]]
    assert result.tables["disposition"]["last_contact"].isna().tolist() == [False, True, False]


def test_unknown_columns_and_tables_are_kept_or_named(run):
    patients = "\n".join(f"{line};{cell}" for line, cell in zip(
        TABLES["patients"].splitlines(), ["note", "a", "", "c"], strict=True)) + "\n"
    result = run(patients=patients, labs="a;b\n1;2\n")
    assert result.tables["patients"]["note"].tolist() == ["a", None, "c"]
    assert result.log[["rule", "table", "column"]].to_numpy().tolist() == [
        ["extra_column", "patients", "note"], ["extra_table", "labs", ""]]


def test_the_order_of_rows_leaves_no_trace(run):
    tables = {name: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]) + "\n"
              for name, text in TABLES.items()}
    dosing = TABLES["dosing"].replace("28.12.2003;esc", ";esc")
    tables["dosing"] = "\n".join([dosing.splitlines()[0], *reversed(dosing.splitlines()[1:])]) + "\n"
    straight, turned = run(dosing=dosing), run(**tables)
    for name, frame in straight.tables.items():
        other = turned.tables[name].drop(columns="source_line")
        pd.testing.assert_frame_equal(frame.drop(columns="source_line"), other)


def test_study_time_in_months(run):
    study = STUDY.replace('unit = "day"', 'unit = "month"').replace('"maintenance_start"', '"transplant"')
    result = run(study, **{
        "patients": "patient_id,arm\n1,IM\n2,IM\n",
        "remission_events": 'patient_id,day,event\n1,6,relapse\n',
        "disposition": 'patient_id,last_contact_day,status,death_day\n1,"7,5",died after relapse,"7,5"\n'
                       '2,12,alive in remission,\n'})
    # 6 x 30.4375 = 182.625; 7.5 x 30.4375 = 228.28; 12 x 30.4375 = 365.25
    assert result.tables["remission_events"]["day"].tolist() == [183]
    assert result.tables["disposition"]["last_contact_day"].tolist() == [228, 365]
    assert result.tables["disposition"]["death_date"].isna().all()
    assert "transplant" not in result.tables["patients"]
    assert result.log["rule"].tolist() == ["arm_without_patients"]  # the other arm of study.toml


def test_an_event_of_the_first_month_starts_with_treatment(run):
    result = run(**swap("adverse_events", "1.2.2004", "01/2004"))
    event = result.tables["adverse_events"].set_index("patient_id").loc["02"]
    assert str(event["start_date"].date()) == "2004-01-15" and event["start_day"] == 0
    assert result.log["rule"].tolist() == ["impute_partial_date", "onset_at_origin"]


def test_the_reported_term_is_kept(run):
    events = run(**swap("adverse_events", "Fatigue", "Abgeschlagenheit")).tables["adverse_events"]
    assert events.loc[events["term"] == "Fatigue", "reported_term"].tolist() == ["Abgeschlagenheit"]


def test_us_dates_and_points(run):
    study = STUDY.replace('"DMY"', '"MDY"').replace('decimal = ","', 'decimal = "."')
    result = run(study, **{
        "patients": "patient_id\tarm\tmaintenance_start\n1\tIM\t5/21/1997\n",
        "remission_events": "patient_id\tdate\tevent\n1\t6/20/1997\trelapse\n",
        "disposition": "patient_id\tlast_contact\tstatus\n1\t12/1/1997\talive after relapse\n"})
    assert result.tables["remission_events"]["day"].tolist() == [30]
    assert result.log["rule"].tolist() == ["arm_without_patients"]


def test_column_names_are_brought_to_the_contract(run):
    result = run(**swap("patients", "patient_id;arm;", "Patient ID; ARM;"))
    assert result.tables["patients"]["arm"].tolist() == ["IFN+IM", "IFN+IM", "IM"]
    assert result.log[["rule", "before", "after"]].to_numpy().tolist() == [
        ["column_name", "Patient ID", "patient_id"], ["column_name", " ARM", "arm"]]


def test_the_report_counts_cells_rows_and_what_is_missing(run):
    result = run(**swap("mrd", ";0,05;", "; 0,5 %;") | add("laboratory", "99;1.12.2003;ANC;2,1;10^9/L;1,8;7,7"))
    rows = account(result, raw.read(read_study("mini"))).set_index("table")
    assert rows.loc["mrd"].to_dict() == {"read": 3, "clean": 3, "repaired": 1, "quarantined": 0}
    assert rows.loc["laboratory"].to_dict() == {"read": 5, "clean": 4, "repaired": 0, "quarantined": 1}
    repairs = report.repairs(result.log).set_index("rule")
    assert repairs["cells"].to_dict() == {"mrd_text": 1, "strip_whitespace": 1}
    assert repairs.loc["mrd_text", ["before", "after"]].tolist() == ["0,5 %", "QUANTIFIED 0.5"]
    assert report.repairs(result.log, queries=True)["rule"].tolist() == ["mrd_ratio_disagrees"]
    assert report.examples(result.log)["line"].tolist() == [2, 2]
    missing = report.missing(result.tables).set_index(["table", "column"])["blank"]
    assert missing["mrd", "ratio"] == 2 and missing["patients", "transcript"] == 1
    assert ("patients", "sex") not in missing.index
    saved = report.account_results(rows.reset_index()).set_index("result_id")["value"]
    assert saved["rows.-.all.all.read"] == rows["read"].sum() == 15
    assert saved["rows.laboratory.all.all.quarantined"] == 1


def test_each_alias_has_one_meaning():
    rows = vocabulary._rows("vocabulary")
    rows = rows.assign(alias=rows["alias"].map(vocabulary.fold))
    assert not rows.duplicated(["table", "column", "alias"]).any()
    terms = vocabulary._rows("terms")
    assert not terms["alias"].map(vocabulary.fold).duplicated().any()
    assert len(terms[["AEDECOD", "AEBODSYS"]].drop_duplicates()) == terms["AEDECOD"].nunique()
    assert set(terms["AEDECOD"]) <= set(terms["alias"])


def test_aliases_lead_into_the_closed_vocabularies():
    rows = vocabulary._rows("vocabulary")
    for (table, column), group in rows.groupby(["table", "column"]):
        closed = {"result_text": {"neg", "PNQ"}, "variant": {"none"}}.get(column, set(
            schema.RAW[table][column].values))
        assert not closed or set(group["canonical"]) <= closed, (table, column)
        # A canonical value must not be an alias of another one.
        names = vocabulary.aliases(table, column)
        assert all(names.get(vocabulary.fold(value), value) == value for value in closed)


def test_every_unit_leads_to_a_canonical_one():
    units = vocabulary._rows("units")
    assert set(units["canonical"]) <= {
        *schema.RAW["laboratory"]["unit"].values, *schema.RAW["dosing"]["unit"].values}  # noqa: PD011
    assert set(units["rule"]) <= set(checks.RULES)
    assert not units.assign(alias=units["alias"].map(vocabulary.fold)).duplicated(["table", "subject", "alias"]).any()


#: What the shipped cohorts really lack, counted in their files by hand.
QUESTIONS = {
    "chiaretti2004": {"origin_missing": 11, "contact_missing": 16, "died_without_date": 8, "status_unknown": 6},
    "ash2012_reconstructed": {"without_exposure": 1},
}


@pytest.mark.parametrize("name", ["freireich1963", "wassmann2003", "chiaretti2004", "scrucca_bmt",
                                  "ash2012_reconstructed"])
def test_shipped_cohorts_raise_no_false_alarm(name):
    study = read_study(name)
    result = clean(raw.read(study), study)
    asked = result.log.loc[result.log["rule"].isin(report.QUERIES) & (result.log["rule"] != "extra_column"), "rule"]
    assert asked.value_counts().to_dict() == QUESTIONS.get(name, {})
    if name != "ash2012_reconstructed":
        assert result.quarantine.empty
        assert set(result.log["rule"]) <= {"extra_column", "known_defect", "alias_value", *QUESTIONS.get(name, ())}
