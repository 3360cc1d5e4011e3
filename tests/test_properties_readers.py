"""Properties of the readers: what was written is read back; no text makes them fail."""

from __future__ import annotations

import calendar
import datetime as dt
import math

import numpy as np
import openpyxl
import pandas as pd
import pytest
from cohort_on_disk import STUDY, TABLES, put
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remission import checks, raw, schema
from remission.cleaning import clean, molecular, readers, vocabulary
from remission.cleaning.dates import MONTHS
from remission.errors import ContractError
from remission.raw import text, workbook
from remission.study import read as read_study

DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
PIVOTED = st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31))
TEXT = st.text(max_size=40)
#: Text of the signs that dates, numbers and results are made of: nearly right is more telling than random.
NEARLY = st.text("0123456789.,-/: <>%+eExTZ^⁻⁴×negpos()'=#\u00a0\u200b", max_size=16)
SIGNS = st.sampled_from([".", ","])
ORDERS = {"DMY": "{0.day}{1}{0.month}{1}{0.year}", "MDY": "{0.month}{1}{0.day}{1}{0.year}"}


def one(made: pd.DataFrame):
    row = made.iloc[0]
    return row["value"], row["fault"]


def rules_of(made: pd.DataFrame) -> None:
    """Every text is read, or has a fault of the catalogue; every rule is in the catalogue."""
    for row in made.itertuples():
        assert row.rule in {"", *checks.RULES}
        assert isinstance(row.fault, str)
        assert row.fault == "" or (row.value is None or pd.isna(row.value))
        assert row.fault == "" or checks.of_fault(row.fault).rule != "unreadable_value"


@given(DAYS, st.sampled_from(["DMY", "MDY", "YMD", None]), st.sampled_from([
    "{0:%Y-%m-%d}", "{0:%Y%m%d}", "{0:%Y/%m/%d}", "{0.year}-{0.month}-{0.day}", "{0:%Y-%m-%d} 00:00:00",
    "{0:%Y-%m-%d}T23:59:59.999+02:00", "{0:%Y-%m-%d}T00:00Z"]))
def test_year_first_is_read_in_every_order(day, order, form):
    assert one(readers.read_dates([form.format(day)], order)) == (day, "")


@given(DAYS, st.sampled_from(["DMY", "MDY"]), st.sampled_from("/-"), st.booleans())
def test_three_numbers_are_read_in_the_declared_order(day, order, sign, padded):
    style = {"DMY": f"%d{sign}%m{sign}%Y", "MDY": f"%m{sign}%d{sign}%Y"}[order]
    written = day.strftime(style) if padded else ORDERS[order].format(day, sign)
    if not padded or day.year >= 1000:
        assert one(readers.read_dates([written], order)) == (day, "")


@given(DAYS, st.sampled_from(["DMY", "MDY", "YMD", None]))
def test_points_are_day_first(day, order):
    written = f"{day.day}.{day.month}.{day.year}"
    value, fault = one(readers.read_dates([written], order))
    # Only where a date with points cannot be day first is it left open.
    assert (value, fault) == (day, "")


@given(PIVOTED, st.sampled_from([("DMY", "%d.%m.%y"), ("DMY", "%d/%m/%y"), ("MDY", "%m/%d/%y"), ("YMD", "%y-%m-%d")]))
def test_two_digit_years_turn_at_the_pivot(day, form):
    assert one(readers.read_dates([day.strftime(form[1])], form[0])) == (day, "")


@given(DAYS, st.sampled_from(sorted(MONTHS.items())), st.sampled_from(["{d}. {m} {y}", "{d}-{m}-{y}", "{m} {d}, {y}",
                                                                      "{y}-{m}-{d}", "{d}{m}{y}"]), st.booleans())
def test_names_of_months_are_read(day, month, form, upper):
    name, number = month
    day = day.replace(month=number, day=min(day.day, calendar.monthrange(day.year, number)[1]))
    written = form.format(d=day.day, m=name.upper() if upper else name.title(), y=day.year)
    assert one(readers.read_dates([written], None)) == (day, "")


@given(st.dates(dt.date(1932, 1, 1), dt.date(2100, 12, 31)), st.sampled_from([1900, 1904]))
def test_serial_numbers_are_those_of_a_spreadsheet(day, epoch):
    zero = openpyxl.utils.datetime.CALENDAR_MAC_1904 if epoch == 1904 else openpyxl.utils.datetime.CALENDAR_WINDOWS_1900
    written = str(int(openpyxl.utils.datetime.to_excel(dt.datetime.combine(day, dt.time()), zero)))
    assert one(readers.read_dates([written], "DMY", epoch=epoch)) == (day, "")
    assert one(readers.read_dates([written], "DMY"))[0] is None


@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(["DMY", "MDY"]), st.sampled_from("/-"))
def test_an_order_that_is_found_is_the_true_one(days, order, sign):
    """Inference may ask, and may never be wrong."""
    written = [ORDERS[order].format(day, sign) for day in days]
    made = readers.read_dates(list(dict.fromkeys(written)))
    for day, form in zip(days, written, strict=True):
        assert made.loc[form, "value"] in (day, None)
    if any(day.day > 12 for day in days):
        assert (made["fault"] == "").all()


@given(st.lists(PIVOTED, min_size=1, max_size=8), st.sampled_from(["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"]))
def test_an_order_of_two_digit_years_is_never_guessed(days, form):
    written = [day.strftime(form) for day in days]
    made = readers.read_dates(list(dict.fromkeys(written)))
    for day, text_ in zip(days, written, strict=True):
        assert made.loc[text_, "value"] in (day, None)


@given(st.lists(st.tuples(DAYS, st.sampled_from(["DMY", "MDY"])), min_size=2, max_size=8))
def test_a_column_of_both_orders_is_read_only_where_one_reading_exists(days):
    written = {ORDERS[order].format(day, "/"): (day, order) for day, order in days}
    made = readers.read_dates(list(written))
    if {"DMY", "MDY"} <= {order for day, order in days if day.day > 12}:
        for form, (day, _) in written.items():
            assert made.loc[form, "value"] == (day if day.day > 12 or day.day == day.month else None)


#: Numbers that somebody could write without a power of ten.
NUMBER = st.floats(-1e11, 1e11, allow_nan=False).map(lambda value: float(f"{value:.6g}")).filter(
    lambda value: value == 0 or abs(value) > 1e-9)


def plain(value: float, decimal: str) -> str:
    """The shortest number that reads back as the same float, without a power of ten."""
    return np.format_float_positional(value, trim="-").replace(".", decimal)


@given(NUMBER, SIGNS)
def test_a_plain_number_is_read_back(value, decimal):
    assert readers.read_number(plain(value, decimal), decimal, "refuse") == (value, "", "")


@given(NUMBER, SIGNS, st.sampled_from(["{:e}", "{:E}", "{:.6g}"]))
def test_a_power_of_ten_is_read_back(value, decimal, form):
    read, _, fault = readers.read_number(form.format(value), decimal, "decimal")
    assert fault == "" and math.isclose(read, float(form.format(value)), rel_tol=1e-12)


@given(st.integers(-10 ** 11, 10 ** 11), st.integers(0, 99), SIGNS, st.sampled_from([".", ",", " ", "'", "\u202f"]))
def test_grouped_thousands_are_read_back_or_asked_for(whole, cents, decimal, group):
    if group == decimal:
        return
    written = f"{whole:,}".replace(",", group) + (f"{decimal}{cents:02d}" if cents else "")
    value, _, fault = readers.read_number(written, decimal, "refuse")
    true = float(f"{whole}.{cents:02d}") if cents else float(whole)
    ambiguous = group in ".," and 1000 <= abs(whole) < 10 ** 6 and not cents
    assert (value, fault) == ((None, "ambiguous number: thousands or decimals") if ambiguous else (true, ""))
    assert readers.read_number(written, decimal, "group")[0] == true


@given(st.integers(-10 ** 9, 10 ** 9), SIGNS)
def test_whole_numbers_are_read_back(whole, decimal):
    assert one(readers.read_integers([str(whole)], decimal)) == (whole, "")


#: A whole cohort takes its time: no shrinking, and a folder that every example overwrites.
SLOW = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
                suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(SLOW, max_examples=3)
@given(data=st.data())
@pytest.mark.parametrize("table", ["laboratory", "dosing"])
def test_values_and_doses_in_any_unit_come_back(data, table, tmp_path, monkeypatch):
    """A value in the canonical unit, written in any other one, is read as itself, up to the digits of that unit."""
    put(tmp_path, {}, STUDY)
    monkeypatch.chdir(tmp_path)
    study = read_study("mini")
    units = vocabulary.units(table, study).reset_index()
    given_ = data.draw(st.lists(st.integers(1, 24), min_size=len(units), max_size=len(units)))
    header, rows, often = TABLES[table].splitlines()[0], [], {"mg": "QD", "MU": "TIW"}
    for day, (unit, value) in enumerate(zip(units.itertuples(), given_, strict=True)):
        written = np.format_float_positional(float(f"{value / unit.factor:.10g}"), trim="-").replace(".", ",")
        when = (dt.date(2003, 12, 1) + dt.timedelta(days=day)).strftime("%d.%m.%Y")
        rows.append(f"01;{when};{unit.subject};{written};{unit.text};;" if table == "laboratory" else
                    f"01;{unit.subject};{written};{unit.text};{often[unit.canonical]};{when};{when};")
    put(tmp_path, {table: "\n".join([header, *rows]) + "\n"}, STUDY)
    made = clean(raw.read(study), study)
    frame = made.tables[table].set_index("source_line").sort_index()
    assert made.quarantine.empty and frame["unit"].tolist() == units["canonical"].tolist()
    # Half of the last digit that a unit keeps; molar units keep one or two, others all.
    slack = 0.5001 * 10.0 ** -units["digits"].fillna(8)
    off = (frame["value" if table == "laboratory" else "dose"].to_numpy() - np.array(given_, dtype=float))
    assert (np.abs(off) <= slack).all()


RATIO = st.floats(1e-6, 999, allow_nan=False).map(lambda value: float(f"{value:.3g}"))


@given(RATIO, SIGNS, st.sampled_from(["{0}", "{0} %", "{0}%", "pos. ({0} %)", "{0} % IS", "BCR-ABL/ABL {0} %"]))
def test_a_ratio_is_read_back(ratio, decimal, form):
    made = molecular.read_results([form.format(plain(ratio, decimal))], decimal).iloc[0]
    assert (made["value"], made["ratio"], made["fault"]) == ("QUANTIFIED", ratio, "")


@given(RATIO, SIGNS, st.sampled_from(["<{0}", "< {0} %", "neg (<{0})", "negativ (Sens. {0} %)", "≤{0}%",
                                      "nicht nachweisbar <{0}", "unter {0} %"]))
def test_a_detection_limit_is_read_back(limit, decimal, form):
    made = molecular.read_results([form.format(plain(limit, decimal))], decimal).iloc[0]
    assert (made["value"], made["limit"], made["censor"], made["fault"]) == ("NEGATIVE", limit, "<", "")
    assert pd.isna(made["ratio"])


@given(RATIO, SIGNS, st.sampled_from([">{0}", "> {0} %", "≥{0}"]))
def test_a_ratio_above_the_range_is_read_back(bound, decimal, form):
    made = molecular.read_results([form.format(plain(bound, decimal))], decimal).iloc[0]
    assert (made["value"], made["ratio"], made["bound"], made["censor"]) == ("QUANTIFIED", bound, bound, ">")


@given(st.integers(1, 9), st.sampled_from(["10-{0}", "10^-{0}", "1x10-{0}", "1 · 10^-{0}", "1:1" + "0" * 6]))
def test_powers_and_proportions_are_fractions(power, form):
    made = molecular.read_results([form.format(power)], ",").iloc[0]
    true = 1e-4 if ":" in form else 10.0 ** (2 - power)
    assert made["value"] == "QUANTIFIED" and math.isclose(made["ratio"], true, rel_tol=1e-12)


@given(st.one_of(TEXT, NEARLY), SIGNS)
def test_no_text_is_read_as_a_ratio_of_zero_or_less(given_, decimal):
    made = molecular.read_results([given_], decimal).iloc[0]
    assert not made["ratio"] <= 0 and not made["limit"] <= 0
    assert made["value"] in {"QUANTIFIED", "PNQ", "NEGATIVE", None}
    assert (made["value"] == "QUANTIFIED") == (not pd.isna(made["ratio"]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(TEXT, NEARLY), max_size=4, unique=True), SIGNS,
       st.sampled_from([None, "DMY", "MDY", "YMD"]), st.sampled_from(["", "first", "last"]),
       st.sampled_from([None, 1900, 1904]))
def test_no_text_makes_a_reader_fail(texts, decimal, order, edge, epoch):
    rules_of(readers.read_dates(texts, order, edge, epoch=epoch, latest=dt.date(2030, 1, 1)))
    for single in ("group", "decimal", "refuse"):
        made = readers.read_numbers(texts, decimal, single, percent=single == "group")
        rules_of(made)
        assert made["value"].dropna().map(math.isfinite).all()
    rules_of(readers.read_integers(texts, decimal))
    rules_of(readers.read_grades(texts, {}))
    rules_of(readers.read_words(texts, ["Y", "N"], {"ja": "Y"}, "alias_value"))
    rules_of(readers.read_terms(texts, vocabulary.terms()))
    rules_of(readers.read_open(texts, {"km": "BM"}))
    rules_of(molecular.read_variants(texts))
    rules_of(molecular.read_results(texts, decimal))
    rules_of(molecular.read_limits(texts, decimal))


CELL = st.one_of(st.text(max_size=12), st.text('ab;,\t|" \r\n', max_size=8))


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=10),
                         min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from(raw.SEPARATORS),
       st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\n", "\r\n"]))
def test_a_written_table_is_read_back(rows, separator, charset, end):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"'
    lines = [["patient_id", "b", "c"], *rows]
    content = end.join(separator.join(map(quoted, row)) for row in lines)
    made = text.read(content.encode(charset), "mrd")
    if made.attrs["problems"]:
        # A cell that looks like whole rows is asked for, never taken.
        assert any(cell.count(separator) >= 2 for row in rows for cell in row)
    else:
        assert made[["patient_id", "b", "c"]].to_numpy().tolist() == rows
        assert made["_line"].tolist() == list(range(2, len(rows) + 2))


@given(st.one_of(st.binary(max_size=200), st.lists(st.lists(CELL, max_size=4), max_size=5).map(
    lambda rows: "\n".join(";".join(row) for row in rows).encode("utf-8", "surrogatepass"))))
def test_no_bytes_make_reading_fail(content):
    made = text.read(content, "mrd")
    codes = {problem.code for problem in made.attrs["problems"]}
    assert codes <= set(checks.CHECKS)
    assert {note[0] for note in made.attrs["notes"]} <= set(checks.RULES)
    assert made["_line"].is_monotonic_increasing


@settings(SLOW, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_make_a_workbook_fail(tmp_path, content):
    (tmp_path / "mrd.xlsx").write_bytes(content)
    made = workbook.read(tmp_path / "mrd.xlsx")
    assert [problem.code for problem in made["mrd"].attrs["problems"]] == [checks.code("broken_workbook")]


NATIVE = {name: [line.split(";") for line in content.splitlines()] for name, content in TABLES.items()}


@settings(SLOW, max_examples=12)
@given(data=st.data())
@pytest.mark.parametrize("required", [True, False])
def test_any_text_in_any_cell_is_read_set_aside_or_refused(data, required, tmp_path, monkeypatch):
    """One cell a table becomes any text: rows stay accounted for, and nothing but the contract's error is raised."""
    damaged = {}
    names = [name for name, table in schema.RAW.items() if table.required == required]
    # A fault in a required table hides what follows, so that only one of them is damaged at a time.
    for table in [data.draw(st.sampled_from(names))] if required else names:
        rows = [list(row) for row in NATIVE[table]]
        row, column = data.draw(st.integers(1, len(rows) - 1)), data.draw(st.integers(0, len(rows[0]) - 1))
        rows[row][column] = '"' + data.draw(st.one_of(NEARLY, TEXT)).replace('"', '""') + '"'
        damaged[table] = ("\n".join(";".join(cells) for cells in rows) + "\n").encode("utf-8", "replace")
    put(tmp_path, damaged, STUDY)
    monkeypatch.chdir(tmp_path)
    study = read_study("mini")
    received = raw.read(study)
    try:
        made = clean(received, study)
    except ContractError as error:
        assert error.problems and all(problem.code in checks.CHECKS for problem in error.problems)
        return
    for name, frame in made.tables.items():
        aside = int((made.quarantine["table"] == name).sum())
        assert len(frame) + aside == len(received[name]) == TABLES[name].count("\n") - 1
    assert set(made.log["rule"]) <= set(checks.RULES) and set(made.quarantine["rule"]) <= set(checks.RULES)
