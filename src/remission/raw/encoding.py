"""From bytes to text: which character set a file is in, or what it is instead of a table."""

from __future__ import annotations

import codecs

from remission import checks
from remission.errors import Problem

#: Note of a file: rule, column, line (-1 for the whole table), before, after.
Note = tuple[str, str, int, str, str]

#: First bytes of files that are no text, and what they are.
SIGNATURES = (
    (b"PK\x03\x04", "not a text file: a workbook or archive under the name of a CSV file"),
    (b"PK\x05\x06", "not a text file: an empty archive"),
    (b"\xd0\xcf\x11\xe0", "not a text file: a workbook in the format before 2007"),
    (b"%PDF", "not a table: a PDF document"), (b"{\\rtf", "not a table: a text document (RTF)"),
    (b"\x1f\x8b", "not a text file: compressed (gzip)"), (b"7z\xbc\xaf", "not a text file: an archive (7z)"),
    (b"Rar!", "not a text file: an archive (RAR)"), (b"SQLite format 3", "not a table: a database"),
    (b"\x89PNG", "not a table: a picture"), (b"\xff\xd8\xff", "not a table: a picture"),
    (b"$FL", "not a text file: an SPSS file"), (b"<stata_dta>", "not a text file: a Stata file"),
    (b"RDX", "not a text file: an R file"),
)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = frozenset(map(chr, range(32))) - set("\t\n\r\f")
#: Bytes between 0x80 and 0x9f that stand in running text in Windows-1252; the others are letters of older sets.
_TYPOGRAPHY = frozenset(b"\x80\x82\x84\x85\x91\x92\x93\x94\x95\x96\x97\x99")


def decode(content: bytes, name: str) -> tuple[str, list[Note], Problem | None]:
    """Text of a file, what was repaired to read it, or why it has none.

    Parameters
    ----------
    content : bytes
    name : str
        Name of the table in messages.

    Returns
    -------
    text : str
        "" where there is a problem.
    notes : list of Note
        That the file is in another character set than UTF-8, and the letters that depend on it.
    problem : Problem or None

    Notes
    -----
    UTF-8 and UTF-16 prove themselves. Bytes that are no UTF-8 are read as Windows-1252 (which holds Latin-1) only
    where the file has no single letter in UTF-8, and only letters and signs of running text come out.

    Examples
    --------
    >>> decode("a,b\\n1,Müde\\n".encode("cp1252"), "mrd")[:2]
    ('a,b\\n1,Müde\\n', [('other_encoding', '', -1, 'not UTF-8', 'read as Windows-1252: ü')])
    """
    for start, what in SIGNATURES:
        if content.startswith(start):
            return "", [], checks.problem("not_a_table", name, "", (1,), what)
    mark, charset = next(((mark, charset) for mark, charset in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    if not mark:
        charset = _wide(content) or "utf-8"
    try:
        text = content[len(mark):].decode(charset)
    except UnicodeDecodeError as error:
        if charset != "utf-8" or mark:
            return _broken(content[len(mark):], error, charset, name)
        return _single_byte(content, error, name)
    notes = [] if charset == "utf-8" else [_note(charset[:6].upper(), "")]
    return _text(text, notes, name)


def _text(text: str, notes: list[Note], name: str) -> tuple[str, list[Note], Problem | None]:
    """The text, unless it holds signs that no table holds."""
    # Old programs end a file with Ctrl-Z.
    text = text.removesuffix("\x1a")
    if text.startswith("\ufeff"):
        text = text[1:]
    found = _CONTROL.intersection(text)
    if found:
        line = text[:min(map(text.index, found))].count("\n") + 1
        return "", [], checks.problem("not_a_table", name, "", (line,),
                                      "not a text file: it holds control characters",
                                      "export the table as CSV, character set UTF-8")
    return text, notes, None


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: every other byte of the beginning is zero, and none of the rest."""
    start = content[:4096]
    pairs = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if pairs >= 4 and odd >= 0.8 * pairs and not even:
        return "utf-16-le"
    return "utf-16-be" if pairs >= 4 and even >= 0.8 * pairs and not odd else ""


def _single_byte(content: bytes, error: UnicodeDecodeError, name: str) -> tuple[str, list[Note], Problem | None]:
    """Windows-1252, where nothing speaks against it."""
    if b"\x00" in content:
        line = content[:error.start].count(b"\n") + 1
        return "", [], checks.problem("not_a_table", name, "", (line,), "not a text file: it holds zero bytes")
    high = [(place, byte) for place, byte in enumerate(content) if byte >= 0x80]
    letters = {byte for _, byte in high}
    some_utf8 = content.decode("utf-8", "ignore").isascii() is False
    strange = any(byte < 0xa0 and (byte not in _TYPOGRAPHY or (byte != 0x92 and _inside_word(content, place)))
                  for place, byte in high)
    if some_utf8 or strange:
        return _broken(content, error, "utf-8", name)
    signs = "".join(sorted(bytes(letters).decode("cp1252")))
    text, notes, problem = _text(content.decode("cp1252"), [_note("Windows-1252", signs)], name)
    return text, notes, problem


def _inside_word(content: bytes, place: int) -> bool:
    return content[place - 1:place].isalpha() and content[place + 1:place + 2].isalpha()


def _broken(content: bytes, error: UnicodeDecodeError, charset: str,
            name: str) -> tuple[str, list[Note], Problem]:
    before = content[:error.start].decode(charset, "ignore")
    what = f"not UTF-8 (byte 0x{content[error.start]:02x})" if charset == "utf-8" else f"broken {charset[:6].upper()}"
    return "", [], checks.problem("broken_encoding", name, "", (before.count("\n") + 1,), what)


def _note(charset: str, signs: str) -> Note:
    shown = f": {' '.join(signs[:20])}" + (" …" if len(signs) > 20 else "") if signs else ""
    return "other_encoding", "", -1, "not UTF-8", f"read as {charset}{shown}"
