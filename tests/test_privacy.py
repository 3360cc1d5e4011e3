"""Direct identifiers are found wherever they stand, no value is repeated, and clinical data are left in peace."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from conftest import COHORTS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remission import identifiers, privacy, raw, schema
from remission.study import read as read_study


def table(**columns):
    frame = pd.DataFrame({"patient_id": ["P1"], **{name: [value] for name, value in columns.items()}})
    return frame.assign(_line=[2])


def codes(frame, name="patients"):
    return sorted({problem.code for problem in privacy.scan({name: frame})})


@pytest.mark.parametrize("cohort", COHORTS)
def test_no_false_alarm_on_a_shipped_cohort(cohort):
    assert privacy.scan(raw.read(read_study(cohort))) == []


REFUSED_COLUMNS = re.findall(r"\S+", """
name Name patient_name PatientName patientenname Vorname Nachname NACHNAME surname first_name last-name
familienname Geburtsname mothers_maiden_name initials Initialen mrn MRN medical_record_number hospital_no
Fallnummer ssn social_security_number KVNR Versichertennummer versicherten_nr insurance_number nhs_number NHS_No
email E-Mail e_mail_address phone phone_number Telefon Tel. telefonnummer mobile_number Handy fax address Adresse
street Straße Strasse Hausnummer PLZ postleitzahl zip_code postcode Wohnort city IBAN passport_no birthplace
Geburtsort Name_der_Mutter Sozialversicherungsnummer""")
INNOCENT_COLUMNS = re.findall(r"\S+", """
drug_name test_name laboratory site center transcript mol_biol citog bt mdr kinet ccr relapse remission toxicity
ort_des_rezidivs phenotype telomere_length initial_dose stage age birth_year geburtsjahr name_of_drug
wbc_at_diagnosis mobilisation karyotype plzf insurance_status versichertenstatus cr outcome comment log_wbc t_9_22""")


@pytest.mark.parametrize("name", REFUSED_COLUMNS)
def test_a_column_named_like_an_identifier_is_refused(name):
    assert codes(table(**{name: "x"})) == ["P01"]


@pytest.mark.parametrize("name", INNOCENT_COLUMNS)
def test_a_column_of_clinical_data_is_not(name):
    assert privacy.column_rule(name) == ""


@pytest.mark.parametrize("name", ["birth_date", "DOB", "Geburtsdatum", "geb_datum", "date_of_birth", "Geburtstag",
                                  "birthdate"])
def test_a_date_of_birth_is_refused_by_its_column(name):
    assert codes(table(**{name: "12.3.1948"})) == ["P02"]


@pytest.mark.parametrize("value", ["12.03.1948", "1948-03-12", "3/12/1948", "12. Mar 1948", "19480312", "17604",
                                   "12.3.48", "1948-03-12T00:00:00"])
def test_a_full_date_in_the_year_of_birth_is_refused(value):
    assert codes(table(birth_year=value)) == ["P02"]


def test_a_year_of_birth_is_accepted_and_so_is_an_empty_column():
    assert codes(table(birth_year="1948")) == []
    assert codes(table(Vorname="", Geburtsdatum=" ")) == []


def test_dates_that_repeat_the_year_of_birth_are_found_under_any_name():
    years = ["1938", "1940", "1935", "1951"]
    frame = pd.DataFrame({"patient_id": list("abcd"), "birth_year": years, "d1": [f"3.4.{year}" for year in years],
                          "sampled": ["3.4.2004"] * 4, "_line": [2, 3, 4, 5]})
    found = privacy.scan({"patients": frame})
    assert [(one.column, one.code, one.rows) for one in found] == [("d1", "P02", (2, 3, 4, 5))]


CELLS = {
    "P03": ["write to anna.mueller@klinik-beispiel.de", "a_b+c@example.co.uk", "a.b(at)example.org",
            "x [at] example.com"],
    "P04": ["+49 69 6301-0123", "0049 69 63010123", "Tel.: 069 63011", "call 0151 23456789", "089/1234567",
            "(069) 6301-1234", "(212) 555-1234", "212-555-1234", "+4915123456789",
            "Telefon 0711 685 12345", "phone: 555 1234", "01512345678"],
    "P05": ["A123456780", "KVNR A123456780", "943 476 5919", "9434765919", "NHS 943-476-5919", "123-45-6789",
            "15070649C103", "756.9217.0769.85", "1237 010180", "MRN 00123456",
            "Versichertennr. X 1234567", "Fallnummer: 20041234"],
    "P06": ["DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"],
    "P07": ["Herr Müller wishes to stop", "seen by Dr. Schmidt", "Mrs Smith called", "Petra Klein", "Müller, Hans",
            "discussed with Prof. Dr. Weber", "Fr. Özdemir"],
    "P08": ["geb. 12.3.1948", "born 12 March 1948", "DOB: 1948-03-12", "*12.03.1948", "geboren am 12.3.48",
            "date of birth 3/12/1948"],
    "P09": ["wohnt Goethestraße 12", "Lange Str. 5", "12 Main Street", "Hauptstr. 7a"],
}
QUIET = ["46,XX,t(9;22)(q34;q11)[20]", "47,XY,+8,+21", "+8 +21", "2004-05-12T23:30:00+02:00", "12.03.2004",
         "0,01666666667", "0.0123456789", "01/02/2011",
         "0405 2004", "1.2E-03", "< 10^-5", "pos <10-4", "PNQ", "siehe Befund", "T315I", "p190/p210", "IFN 3 MU TIW",
         "BCR-ABL1 p.Thr315Ile", "4500000000", "1,500,000", "at day 28", "relapse at 2.3 years", "Frank hematuria",
         "Herpes zoster", "Morbus Hodgkin", "Robert-Bosch-Krankenhaus", "patient wish", "died of sepsis", "2003-2004",
         "100000 / 43000", "600 mg QD until 1.9.2004", "Grade 3 (CTCAE 3.0)", "lab A, run 00012345", "Day 1",
         "1:10000", "IFN+IM", "CSF 12/3 cells", "BM 5 % blasts", "Hb 11.2 g/dL", "x10E9/l", "10⁻⁴",
         "born by Caesarean section"]


@pytest.mark.parametrize("code, text", [(code, text) for code, texts in CELLS.items() for text in texts])
def test_an_identifier_in_free_text_is_found_and_never_repeated(code, text):
    found = privacy.scan({"adverse_events": table(comment=text)})
    assert code in {problem.code for problem in found}
    assert {(problem.table, problem.column, problem.rows) for problem in found} == {("adverse_events", "comment", (2,))}
    assert not [problem for problem in found if text in repr(problem)]


@pytest.mark.parametrize("text", QUIET)
def test_clinical_text_is_left_in_peace(text):
    assert codes(table(comment=text)) == []


@pytest.mark.parametrize("text, code", [("Müller, Hans", "P07"), ("Hans Müller", "P07"), ("MUELLER_HANS", "P07"),
                                        ("Schneider", "P07"), ("Erika-01", "P07"), ("A123456780", "P05"),
                                        ("9434765919", "P05"), ("123-45-6789", "P05"), ("a@b.de", "P03")])
def test_a_patient_number_that_is_an_identifier_is_refused(text, code):
    assert code in codes(table().assign(patient_id=text))


@pytest.mark.parametrize("texts", [["P01", "P02"], ["ASH-IFN-01"], ["007"], ["AB", "CD"], ["ABCDEF", "QXZRT"],
                                   ["Patient 3"],
                                   ["276-01-0001", "276-01-0002", "276-01-0003"], ["0101-000123", "0101-000124"],
                                   ["P0000001", "P0000002"], ["20041234"], ["Alpha"], ["Case A"], ["CTL-04"], ["S1"],
                                   [f"{k:010d}" for k in range(1000000000, 1000000050)],
                                   [f"P{k:09d}" for k in range(1000, 1050)], ["ALI-003"], ["3f2a-88c1"]])
def test_a_pseudonymous_number_is_accepted(texts):
    frame = pd.DataFrame({"patient_id": texts, "_line": range(2, len(texts) + 2)})
    assert codes(frame) == []


@pytest.mark.parametrize("text", ["0,01666666667", "01512345678", "9434765919", "+491512345678", "1e10", "4500000000"])
def test_a_number_where_a_number_is_asked_for_is_a_number(text):
    assert codes(table(value=text), "laboratory") == []


def test_a_telephone_number_in_a_column_of_numbers_is_found():
    assert codes(table(value="0151 23456789"), "laboratory") == ["P04"]
    assert codes(table(value="943 476 5919"), "laboratory") == ["P05"]


def test_every_table_is_looked_at_those_outside_the_contract_too():
    assert codes(table(note="a@b.de"), "letters") == ["P03"]


def test_a_header_that_is_a_person_is_called_by_its_place():
    frame = pd.DataFrame({"patient_id": ["1"], "Müller, Hans": ["x"], "_line": [2]})
    (problem,) = privacy.scan({"patients": frame})
    assert (problem.column, problem.rows) == ("column 2", (1,))
    assert "Müller" not in str(problem)
    assert list(privacy.veil({"patients": frame}, [problem])["patients"]) == ["patient_id", "column 2", "_line"]


def test_cells_of_a_ragged_row_are_looked_at():
    frame = table()
    frame.attrs["ragged"] = {2: ["P1", "x", "a@b.de"]}
    (problem,) = privacy.scan({"patients": frame})
    assert (problem.code, problem.rows) == ("P03", (2,))
    assert privacy.veil({"patients": frame}, [problem])["patients"].attrs["ragged"] == {}


def test_a_veil_hides_what_was_found_and_nothing_else():
    frame = pd.DataFrame({"patient_id": ["1", "2"], "comment": ["a@b.de", "well"], "_line": [2, 3]})
    frame.attrs["separator"] = ";"
    found = privacy.scan({"patients": frame})
    veiled = privacy.veil({"patients": frame}, found)["patients"]
    assert veiled["comment"].tolist() == ["", "well"] and veiled.attrs["separator"] == ";"
    assert frame["comment"].tolist() == ["a@b.de", "well"]
    assert privacy.refused(found) == {("patients", "comment")}
    assert privacy.scan({"patients": veiled}) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=5), st.text(min_size=1, max_size=20))
@example(["DE8937040044053201300"], "Ⅷ")
@example(["٣٤٥٦٧٨٩٠١٢"], "x")
@example(["²²²²²²²²²²", "A²²²²²²²²²"], "x")
def test_arbitrary_text_never_raises(texts, column):
    frame = pd.DataFrame({"patient_id": texts, column: texts})
    problems = privacy.scan({"patients": frame, "other": frame.iloc[:, :1]})
    assert all(problem.code.startswith("P") for problem in problems)
    privacy.veil({"patients": frame}, problems)


# Examples of the issuing bodies; each with every other last digit must fail.
@pytest.mark.parametrize("test, number", [
    (identifiers.health_insurance, "A123456780"), (identifiers.health_service, "9434765919"),
    (identifiers.health_service, "4010232137"), (identifiers.social_insurance, "7569217076985"),
    (identifiers.pension_insurance, "15070649C103")])
def test_check_digits(test, number):
    assert [test(number[:-1] + digit) for digit in "0123456789"] == [digit == number[-1] for digit in "0123456789"]


@pytest.mark.parametrize("number", ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606",
                                    "AT611904300234573201", "CH9300762011623852957", "NL91ABNA0417164300"])
def test_bank_accounts(number):
    assert identifiers.bank_account(number)
    assert not identifiers.bank_account(number[:4] + str((int(number[4], 36) + 1) % 10) + number[5:])


def test_the_columns_of_the_contract_pass():
    assert {privacy.column_rule(name) for one in schema.RAW.values() for name in one.names} == {""}


@pytest.mark.parametrize(("texts", "found"), [
    (["HM03041939", "AB12111940", "CD30051951"], 3), (["HM-03.04.1939", "P-2", "P-3"], 1), (["19390403"], 1),
    (["P-1", "P-2", "12011998"], 0), (["20050101", "20050102"], 0), (["1998-01-12", "1998-01-13"], 0),
    (["99191234", "45671935"], 0)])
def test_a_day_of_birth_in_a_patients_number(texts, found):
    frame = pd.DataFrame({"patient_id": texts, "_line": range(2, len(texts) + 2)})
    rows = [len(problem.rows) for problem in privacy.scan({"patients": frame}) if problem.code == "P08"]
    assert sum(rows) == found
