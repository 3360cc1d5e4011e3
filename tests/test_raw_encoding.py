"""Character sets: what proves itself is read, what can be told is noted, everything else is refused with its line."""

from __future__ import annotations

import pytest

from remission import checks
from remission.raw import text
from remission.raw.encoding import decode

TABLE = "patient_id;term\n01;Müdigkeit\n02;Fieber ≥ 38 °C\n"
LATIN = TABLE.replace("≥", "über")


@pytest.mark.parametrize(("content", "note"), [
    (TABLE.encode(), None), (TABLE.encode("utf-8-sig"), None),
    (TABLE.encode("utf-16"), "UTF-16"), (b"\xfe\xff" + TABLE.encode("utf-16-be"), "UTF-16"),
    (TABLE.encode("utf-16-le"), "UTF-16"), (TABLE.encode("utf-16-be"), "UTF-16"), (TABLE.encode("utf-32"), "UTF-32"),
    (TABLE.encode() + b"\x1a", None),
], ids=["utf-8", "mark", "utf-16", "utf-16-be", "le without mark", "be without mark", "utf-32", "ctrl-z"])
def test_unicode_in_all_its_forms(content, note):
    made = text.read(content, "adverse_events")
    assert made["term"].tolist() == ["Müdigkeit", "Fieber ≥ 38 °C"]
    assert made.attrs["notes"] == ([("other_encoding", "", -1, "not UTF-8", f"read as {note}")] if note else [])
    assert made.attrs["problems"] == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_are_seen_from_four_letters_on(encoding):
    assert decode("a\n1\n".encode(encoding), "mrd")[0] == "a\n1\n"
    assert decode("a\n1".encode(encoding), "mrd")[0] == ""


def test_latin_letters_are_read_and_named():
    made = text.read(LATIN.encode("cp1252"), "adverse_events")
    assert made["term"].tolist() == ["Müdigkeit", "Fieber über 38 °C"]
    assert made.attrs["notes"] == [("other_encoding", "", -1, "not UTF-8", "read as Windows-1252: ° ü")]


def test_typography_of_windows_is_read():
    content = "a;b\n1;“ten” – 5 €…\n2;l’été\n".encode("cp1252")
    assert decode(content, "mrd")[0] == content.decode("cp1252")


@pytest.mark.parametrize(("content", "line", "what"), [
    # One letter in UTF-8 says that the file is UTF-8: the broken byte is an accident.
    (TABLE.encode() + b"03;M\xfcde\n", 4, "not UTF-8 (byte 0xfc)"),
    (LATIN.encode("cp437"), 2, "not UTF-8 (byte 0x81)"), (LATIN.encode("mac-roman"), 2, "not UTF-8 (byte 0x9f)"),
    (b"a;b\n1;\x90\n", 2, "not UTF-8 (byte 0x90)"), (TABLE.encode("utf-16")[:-1], 3, "broken UTF-16"),
    (b"\xef\xbb\xbfa;b\n1;\xfc\n", 2, "byte 0xfc"),
], ids=["broken", "dos", "mac", "undefined", "cut", "mark"])
def test_what_no_set_explains_is_refused_with_its_line(content, line, what):
    made = text.read(content, "adverse_events")
    problem, = made.attrs["problems"]
    assert problem.code == checks.code("broken_encoding") and problem.rows == (line,) and what in problem.what


def test_garbled_letters_are_a_question():
    garbled = TABLE.replace("≥", "").encode().decode("cp1252")
    made = text.read(garbled.encode(), "adverse_events")
    assert made.attrs["notes"] == [
        ("garbled_letters", "term", 2, "Ã¼", "unchanged; looks like ü"),
        ("garbled_letters", "term", 3, "Â°", "unchanged; looks like °")]
    lost = text.read("a;b\n1;M\ufffdde\n2;m\ufffdde\n".encode(), "mrd")
    assert lost.attrs["notes"] == [("garbled_letters", "b", 2, "\ufffd", "unchanged; the letter is lost; 2 cells")]


def test_letters_of_other_languages_are_no_garble():
    for word in ("Ângela", "NÃO", "â", "café", "Ærø", "Łódź", "ÂGE"):
        assert text.read(f"a;b\n1;{word}\n".encode(), "mrd").attrs["notes"] == []
