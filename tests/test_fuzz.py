"""Random changes of the bytes of raw files: a clean verdict or a list of findings, and no row that is lost on the way.

`REMISSION_FUZZ=2000 python -m pytest tests/test_fuzz.py -n0 -s` is the long run; 1000-2000 is its second half.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from faulty_cohort import REQUIRED, put, small_cohort

from remission import check, cleaning, raw, schema
from remission.study import read as read_study

RUNS = range(*map(int, (["0", *os.environ.get("REMISSION_FUZZ", "60").split("-")])[-2:]))
SEED = 20120621
OPTIONAL = [name for name in schema.RAW if name not in REQUIRED]
#: Bytes that mean something to some reader on the way.
PIECES = [b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"|", b'"', b"'", b"=", b"\x00", b"\x1a", b"\xff", b"\xfc", b"\xc3",
          b"\xef\xbb\xbf", b"\xff\xfe", b"-", b".", b"/", b"%", b"<", b">", b"1e999", b"9" * 30, b"00", b"NaN", b"inf",
          b"#REF!", b"n.d.", b"\xe2\x80\x8b", b"\xd9\xa3", b"31.02.2004", b"01/02/03", b"99999", b"patient_id",
          b"_line"]


def _flip(content: bytes, draw: np.random.Generator) -> bytes:
    place = int(draw.integers(len(content)))
    return content[:place] + bytes([content[place] ^ (1 << int(draw.integers(8)))]) + content[place + 1:]


def _delete(content: bytes, draw: np.random.Generator) -> bytes:
    place = int(draw.integers(len(content)))
    return content[:place] + content[place + int(draw.integers(1, 40)):]


def _insert(content: bytes, draw: np.random.Generator) -> bytes:
    place = int(draw.integers(len(content) + 1))
    piece = PIECES[draw.integers(len(PIECES))] if draw.random() < 0.7 else draw.bytes(int(draw.integers(1, 8)))
    return content[:place] + piece + content[place:]


def _truncate(content: bytes, draw: np.random.Generator) -> bytes:
    return content[:int(draw.integers(len(content)))]


def _lines(content: bytes, draw: np.random.Generator) -> bytes:
    """A line twice, gone, or in another place."""
    lines = content.splitlines(keepends=True)
    taken, place = int(draw.integers(len(lines))), int(draw.integers(len(lines) + 1))
    what = draw.integers(3)
    if what == 0:
        return b"".join([*lines[:place], lines[taken], *lines[place:]])
    line = lines.pop(taken)
    return b"".join(lines if what == 1 else [*lines[:place], line, *lines[place:]])


def _swap(content: bytes, draw: np.random.Generator) -> bytes:
    """Two columns exchanged, in every row or in the rows from one line on."""
    lines = content.splitlines(keepends=True)
    sign = max((b",", b";"), key=lines[0].count)
    one, other = draw.integers(lines[0].count(sign) + 1, size=2)
    start = 0 if draw.random() < 0.5 else int(draw.integers(len(lines)))
    for number, line in enumerate(lines[start:], start):
        cells = line.rstrip(b"\r\n").split(sign)
        if len(cells) > max(one, other):
            cells[one], cells[other] = cells[other], cells[one]
            lines[number] = sign.join(cells) + b"\n"
    return b"".join(lines)


def _cell(content: bytes, draw: np.random.Generator) -> bytes:
    """A cell replaced by a piece, or by a cell from elsewhere."""
    lines = content.splitlines(keepends=True)
    sign = max((b",", b";"), key=lines[0].count)
    given = lines[draw.integers(len(lines))].rstrip(b"\r\n").split(sign)
    piece = given[draw.integers(len(given))] if draw.random() < 0.5 else PIECES[draw.integers(len(PIECES))]
    number = int(draw.integers(len(lines)))
    cells = lines[number].rstrip(b"\r\n").split(sign)
    cells[draw.integers(len(cells))] = piece
    lines[number] = sign.join(cells) + b"\n"
    return b"".join(lines)


CHANGES = (_flip, _flip, _delete, _insert, _insert, _truncate, _lines, _lines, _swap, _cell, _cell)


def mutated(number: int) -> dict[str, bytes]:
    """Files of the small cohort's required tables and one other, changed in one to five places; by the run's number."""
    draw = np.random.default_rng([SEED, number])
    whole = small_cohort()
    other = OPTIONAL[number % len(OPTIONAL)]
    files = {name: whole[name] for name in [*(f"{table}.csv" for table in (*REQUIRED, other)), "study.toml"]}
    # Mostly the optional table and one other file, as a fault in a required table hides what lies behind it.
    targets = [f"{other}.csv" if draw.random() < 0.6 else list(files)[draw.integers(len(files))]
               for _ in range(int(draw.choice([1, 1, 1, 2, 3, 5])))]
    for target in targets:
        if files[target]:
            files[target] = CHANGES[draw.integers(len(CHANGES))](files[target], draw)
    return files


def _rows(content: bytes) -> int | None:
    """Rows of a file by its lines; None where a line need not be a row."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if any(sign in text for sign in '"\r\x00') or text[:4].casefold() == "sep=":
        return None
    return max(sum(line != "" for line in text.removesuffix("\x1a").removeprefix("\ufeff").split("\n")) - 1, 0)


def test_random_changes_end_in_a_verdict_and_lose_no_row(tmp_path, monkeypatch):
    counts: Counter = Counter()
    reports, call = [], check.check

    def kept(name: str) -> check.Report:
        reports.append(call(name))
        return reports[-1]

    monkeypatch.setattr(check, "check", kept)
    for number in RUNS:
        files = mutated(number)
        put(tmp_path, files)
        with monkeypatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
            patch.chdir(tmp_path)
            with contextlib.redirect_stderr(said):
                status = check.main(["mini"])
            assert status in (0, 1) and said.getvalue().startswith("cohort mini: "), (number, said.getvalue())
            report = reports.pop()
            _account(report, status, files, number)
            if number % 5 == 0:
                parts = call("mini", 20)
                assert [parts.verdict, *parts.accounts.to_numpy().tolist()] == [
                    report.verdict, *report.accounts.to_numpy().tolist()], number
                pd.testing.assert_frame_equal(parts.queries, report.queries)
        codes = set(report.queries.loc[report.queries["severity"] == "error", "code"])
        counts.update([report.verdict, *(f"stopped by {code}" for code in codes)])
    print(f"\n{len(RUNS)} runs: {dict(sorted(counts.items()))}")


def _account(report: check.Report, status: int, files: dict[str, bytes], number: int) -> None:
    """Every row is somewhere; the number in a failure makes the same files again, by `mutated`."""
    accounts, stopped = report.accounts.set_index("table"), report.verdict == "cannot run"
    errors = report.queries[report.queries["severity"] == "error"]
    assert stopped == (status == 1) == (len(errors) > 0), number
    assert (report.queries["mend"] != "").all(), number
    assert (accounts["read"] == accounts["analysed"] + accounts["aside"] + accounts["held"]).all(), number
    for name, read in accounts["read"].items():
        rows = _rows(files[f"{name}.csv"])
        assert rows is None or read == rows or (read == 0 and name in set(errors["table"])), (number, name)
    if not stopped:
        # The run takes the same tables: every row is analysed or in quarantine.
        study = read_study("mini")
        made = cleaning.clean(raw.read(study), study)
        aside = made.quarantine["table"].value_counts()
        for name, frame in made.tables.items():
            expected = [len(frame) + aside.get(name, 0), len(frame), aside.get(name, 0), 0]
            assert accounts.loc[name, ["read", "analysed", "aside", "held"]].tolist() == expected, (number, name)


@pytest.mark.parametrize("change", sorted(set(CHANGES), key=lambda one: one.__name__))
def test_every_kind_of_change_changes_something(change):
    content = small_cohort()["mrd.csv"]
    assert any(change(content, np.random.default_rng(seed)) != content for seed in range(5))
