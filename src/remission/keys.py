"""Every key of `study.toml`, declared once: the reader checks against it, and a new cohort's file is made from it."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remission.errors import Problem

ENDPOINTS = {
    "TTRLP": "time to relapse, death in remission censored", "RFS": "relapse-free survival",
    "OSDX": "overall survival from diagnosis", "OSMT": "overall survival from the time origin",
    "MTDUR": "duration of maintenance",
}
UNITS = ("day", "week", "month", "year")
_KINDS = {"text": "a text in quotes", "number": "a number", "integer": "a whole number", "boolean": "true or false",
          "date": "a date such as 2012-06-30, without quotes", "texts": 'a list of texts, ["…", "…"]',
          "numbers": "a list of numbers, [1, 2]"}


@dataclass(frozen=True)
class Key:
    """One key: `name` with dots; `*` stands for a name of the user's, `[]` for each of a list. `example` is TOML."""

    name: str
    kind: str
    meaning: str
    example: str
    values: tuple[Any, ...] = ()
    least: float | None = None
    greatest: float | None = None
    required: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The name, split."""
        return tuple(self.name.replace("[]", ".[]").split("."))


K = Key
KEYS: tuple[Key, ...] = (
    K("kind", "text", "own: a cohort of your own; published and reconstructed are those that come with the repository",
      '"own"', ("reconstructed", "published", "own"), required=True),
    K("title", "text", "what the cohort is, in one line", '"maintenance at our centre, 2004 to 2012"', required=True),
    K("citation", "text", "where the data come from, in one line", '"our own records, export of 2012-06-30"',
      required=True),
    K("decimal", "text", "decimal sign of the tables", '","', (".", ",")),
    K("time.origin", "text", "date column of patients from which time counts; a name of your own is allowed",
      '"maintenance_start"'),
    K("time.origin_label", "text", "the same in words, for figures", '"start of maintenance"'),
    K("time.unit", "text", "unit of study time in the tables, where they give days instead of dates", '"day"', UNITS),
    K("time.report_unit", "text", "unit in which results are shown", '"year"', UNITS),
    K("time.fixed_times", "numbers", "times at which survival is read off, in report_unit", "[1, 2, 3, 5]", least=0),
    K("time.rmst_times", "numbers", "horizons of restricted mean times, in report_unit", "[5]", least=0),
    K("time.date_order", "text", "order of day, month and year in dates such as 01/02/2011; without it each column "
      "must tell by itself", '"DMY"', ("DMY", "MDY", "YMD")),
    K("time.serial_epoch", "integer", "only if dates came as serial numbers of a spreadsheet: 1900, or 1904 (old Mac)",
      "1900", (1900, 1904)),
    K("time.data_cutoff", "date", "day of the export: nothing may be dated later", "2012-06-30"),
    K("endpoints.*", "text", "endpoints to analyse, with the words for figures", '"time to relapse"'),
    K("arms[].key", "text", "short name of the arm, as results show it", '"A"', required=True),
    K("arms[].label", "text", "name of the arm in figures", '"interferon + imatinib"', required=True),
    K("arms[].reference", "boolean", "true for the arm that the others are compared with", "true"),
    K("arms[].aliases", "texts", "other names of the arm in the tables", '["combination", "1"]'),
    K("arms[].drugs", "texts", "drugs that the arm plans", '["imatinib"]'),
    K("dose.*.unit", "text", "unit of one administration", '"mg"'),
    K("dose.*.start", "number", "first planned dose of one administration", "600", least=0),
    K("dose.*.target", "number", "planned dose of one administration once the ramp is over", "600", least=0),
    K("dose.*.per_week", "number", "planned administrations a week", "7", least=0, greatest=70),
    K("dose.*.ramp_days", "number", "days from the first dose to the target", "0", least=0),
    K("toxicity.ctcae_version", "text", "version of CTCAE by which laboratory values are graded", '"5.0"',
      ("3.0", "4.03", "5.0", "6.0")),
    K("toxicity.unions.*", "texts", "terms that are counted together, under a name of your own",
      '["Depression", "Fatigue"]'),
    K("mrd.response_ratio", "number", "ratio in % at or below which a sample is a response", "0.1", least=0),
    K("mrd.response_window_days", "number", "days from diagnosis within which a response counts", "183", least=0),
    K("mrd.start_window_days", "numbers", "days around the origin within which a sample stands for it", "[-42, 7]"),
    K("mrd.insufficient_abl", "number", "ABL1 copies below which a negative sample says nothing", "10000", least=0),
    K("mrd.negative_lod", "number", "detection limit in % that a negative sample needs to count as such", "0.01",
      least=0),
    K("mrd.prolonged_days", "number", "span of positive samples that counts as prolonged", "183", least=0),
    K("mrd.prolonged_samples", "number", "positive samples that the span needs", "3", least=1),
    K("mrd.rise_log10", "number", "rise in log10 that counts as molecular relapse", "1.0", least=0),
    K("mrd.margins", "numbers", "hazard ratios beyond which a difference would matter", "[0.5, 2.0]", least=0),
    K("mrd.failure_ratio", "number", "ratio in % from which a quantified sample counts as failure", "0.01", least=0),
    K("mrd.baseline_window_days", "numbers", "days around diagnosis within which a sample stands for it", "[-30, 7]"),
    K("mrd.molecular_relapse", "text", "definition that results rest on; the other is counted beside it",
      '"two positive"', ("two positive", "rise")),
    K("mrd.landmarks", "numbers", "landmarks in months from the origin", "[3, 6, 12]", least=0),
    K("mrd.landmark_age_days", "number", "age in days beyond which a sample does not tell the state at a landmark",
      "183", least=0),
    K("mrd.lag_days", "numbers", "how old a sample must be before its state counts, in turn", "[30, 90]", least=0),
    K("mrd.horizon_months", "number", "how far ahead dynamic prediction looks", "12", least=0),
    K("mrd.quantifiable_log10", "number", "log10 from the detection limit to where levels are quantified; 0: unknown",
      "0.0", least=0),
    K("mrd.international_scale_factor.*", "number", "a laboratory's conversion to the International Scale; p210 only",
      "0.8", least=0),
    K("mrd.depth_ratio.*", "number", "ratio in % of each depth: MMR, MR4, MR4.5, MR5", "0.01", least=0),
    K("mrd.depth_abl.*", "number", "ABL1 copies that each depth needs: MR4, MR4.5, MR5", "10000", least=0),
    K("known_defects.*", "texts", "exact texts of table.column that stand for no value", '["00/09/01"]'),
    K("report.suppress_below", "integer", "counts of patients below this are shown as <n; 0 shows all", "5", least=0,
      greatest=20),
)
#: What each section is about.
SECTIONS = {"time": "how time is given and shown", "endpoints": "what is analysed",
            "arms": "the groups of patients, in the order of display; one block each",
            "dose": "planned doses, one section a drug", "toxicity": "how adverse events are graded and grouped",
            "mrd": "definitions for molecular residual disease", "known_defects": "texts that can never be mended",
            "report": "what is shown"}


def verify(given: dict[str, Any]) -> list[Problem]:
    """Everything wrong with single keys of a `study.toml`.

    Parameters
    ----------
    given : dict
        As parsed.

    Returns
    -------
    list of Problem

    Examples
    --------
    >>> for problem in verify({"kind": "own", "title": "t", "citation": "c", "arms": [{"key": "A", "label": "a"}],
    ...                        "time": {"unti": "day"}}):
    ...     print(problem)
    study.toml.time.unti: unknown key. Mend: did you mean unit? keys here: origin, origin_label, unit, report_unit, \
fixed_times, rmst_times, date_order, serial_epoch, data_cutoff. [S31]
    """
    problems = [fault(key.name, "missing", f"add {key.name} = {key.example}") for key in KEYS
                if key.required and len(key.parts) == 1 and not given.get(key.name)]
    if not given.get("arms"):
        problems.append(fault("arms", "missing", 'add one block an arm: [[arms]], key = "…", label = "…"'))
    return problems + list(_walk(given, (), ""))


def fault(key: str, what: str, mend: str) -> Problem:
    """A problem of `study.toml`."""
    return Problem("study.toml", key, (), what, mend, "S31")


def _walk(given: dict[str, Any], path: tuple[str, ...], shown: str) -> Iterator[Problem]:
    for name, value in given.items():
        here = f"{shown}.{name}" if shown else name
        below = [key for key in KEYS if _matches(key.parts[:len(path) + 1], (*path, name))]
        exact = next((key for key in below if len(key.parts) == len(path) + 1), None)
        if path == ("endpoints",) and name not in ENDPOINTS:
            yield fault("endpoints", f"{name!r} is unknown", f"of {', '.join(ENDPOINTS)}")
        elif exact is not None:
            # What is required and blank has been named already.
            if value or not exact.required:
                yield from _value(exact, value, here)
        elif below and below[0].parts[len(path) + 1] == "[]":
            yield from _blocks(value, (*path, name), here)
        elif below:
            if isinstance(value, dict):
                yield from _walk(value, (*path, name), here)
            else:
                yield fault(here, f"{_shown(value)} where a section is expected", f"write [{here}] and its keys below")
        else:
            yield _unknown(name, path, here)


def _blocks(value: Any, path: tuple[str, ...], shown: str) -> Iterator[Problem]:
    if not isinstance(value, list) or not all(isinstance(block, dict) for block in value):
        yield fault(shown, "not written as blocks", f"begin each with [[{shown}]]")
        return
    needed = [key.parts[-1] for key in KEYS if key.required and key.parts[:-1] == (*path, "[]")]
    for number, block in enumerate(value, 1):
        if lacking := [name for name in needed if block.get(name, "") == ""]:
            yield fault(f"{shown}[{number}]", f"needs {' and '.join(needed)}", f"add {' and '.join(lacking)}")
        yield from _walk({name: one for name, one in block.items() if name not in lacking}, (*path, "[]"),
                         f"{shown}[{number}]")


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(one in ("*", name) for one, name in zip(pattern, path, strict=True))


def _unknown(name: str, path: tuple[str, ...], shown: str) -> Problem:
    names = list(dict.fromkeys(key.parts[len(path)] for key in KEYS if _matches(key.parts[:len(path)], path)
                               and len(key.parts) > len(path)))
    close = difflib.get_close_matches(name, names, 1)
    guess = f"did you mean {close[0]}? " if close else ""
    return fault(shown, "unknown key", f"{guess}keys here: {', '.join(names)}")


def _value(key: Key, value: Any, shown: str) -> Iterator[Problem]:
    """Faults of one value: its type, its vocabulary, its range."""
    if not _is(key.kind, value):
        yield fault(shown, f"{_shown(value)} is not {_KINDS[key.kind]}", f"write it like {key.example}")
        return
    for one in value if isinstance(value, list) else [value]:
        if key.values and one not in key.values:
            yield fault(shown, f"{one!r} is unknown", "one of " + ", ".join(map(str, key.values)))
        elif (key.least is not None and one < key.least) or (key.greatest is not None and one > key.greatest):
            to = "" if key.greatest is None else f" to {key.greatest:g}"
            yield fault(shown, f"{one!r} is out of range", f"{'from ' if to else 'at least '}{key.least:g}{to}")


def _is(kind: str, value: Any) -> bool:
    if kind in ("texts", "numbers"):
        # No alias is as good as none named; no time would be nothing to show.
        return isinstance(value, list) and (kind == "texts" or bool(value)) and all(
            _is(kind[:-1], one) for one in value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "date":
        return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    return isinstance(value, bool) if kind == "boolean" else isinstance(value, str) and bool(value.strip())


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
