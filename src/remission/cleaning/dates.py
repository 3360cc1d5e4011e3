"""Reader of dates: every form that is met in exports, and no guess where a text can be read in two ways."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from remission.cleaning.reading import readings, strange
from remission.cleaning.vocabulary import fold

#: Two-digit years up to this one belong to the 2000s.
PIVOT = 49
FIRST_YEAR, LAST_YEAR = 1900, 2100
#: Longer texts are no dates.
LONGEST = 60
ORDERS = {"DMY": "day first", "MDY": "month first", "YMD": "year first"}
_MONTH_NAMES = """januar january jan jaen jaenner; februar february feb febr feber; maerz march mar mrz maer; april apr;
mai may; juni june jun; juli july jul; august aug; september sep sept; oktober october okt oct; november nov;
dezember december dez dec"""
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES.split(";"), 1) for name in names.split()}

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_CLOCK = re.compile(r"(?P<date>.+?)(?:T|[ ,]\s*)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
                    r"\s*(?P<half>[ap]\.?m\.?|uhr|h)?\s*"
                    r"(?P<zone>Z|UTC|GMT|MEZ|MESZ|CES?T|(?:UTC|GMT)?[+\-−]\d{1,2}(?::?\d{2})?)?", re.IGNORECASE)
_THREE = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})\.?[\s-]*([a-z]+)\.?[\s,-]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([a-z]+)\.?[\s-]*(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+|-)(\d{4})")
_NAMED_LAST = re.compile(r"(\d{4})[\s-]*([a-z]+)\.?[\s-]*(\d{1,2})")
_PARTIAL = re.compile(r"(?:(?:00|x{1,2}|-{1,2}|\?{1,2}|u[kn]k?|nk)[./-])?(\d{1,2})[./](\d{4})"
                      r"|(\d{4})-(\d{1,2})(?:-(?:00|xx|\?\?|u[kn]k?|nk))?")
_PARTIAL_NAMED = re.compile(r"(?:(?:00|x{1,2}|\?{1,2}|u[kn]k?|nk)[-. ])?([a-z]+)\.?[\s-]*(\d{4})")
_DAY_MONTH = re.compile(r"\d{1,2}[. -]+([a-z]+)\.?|([a-z]+)\.?[ -]*\d{2}")
#: How registries write a day that is not known.
_ZERO_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-00|00([./])(?:0?[1-9]|1[0-2])\1\d{4}")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_NO_DAY = re.compile(r"(?:(?:00|x{1,2}|\?{1,2}|u[kn]k?|nk)[./-]){2}\d{4}|(?:19|20)\d{2}(?:-(?:00|xx|\?\?)){0,2}")

Reading = tuple[dt.date | None, str, str]


@dataclass(frozen=True)
class Order:
    """In which orders a column's dates of three numbers can be read.

    One candidate is an order that is known; several leave the question open; none means that the column mixes orders.
    `against` says that a date contradicts the declared order, `points` that one with points is month first. `deciding`
    are the texts that rule the other orders out; "" where nothing had to be decided.
    """

    candidates: tuple[str, ...]
    declared: bool = True
    against: bool = False
    points: bool = False
    deciding: str = ""

    @property
    def words(self) -> str:
        """The order that was found, with the texts that show it."""
        return f"{ORDERS[self.candidates[0]]}, as only this order fits {self.deciding}"


def read_dates(texts: Iterable[str], order: str | Order | None = None, edge: str = "", *, epoch: int | None = None,
               latest: dt.date | None = None) -> pd.DataFrame:
    """Read dates.

    Parameters
    ----------
    texts : iterable of str
        Distinct texts of one column: its order of day and month is taken from all of them.
    order : str, Order or None
        Declared order of numbers, `DMY`, `MDY` or `YMD`; None to take it from the texts, and an `Order` where these
        are not the whole column. ISO is read under each;
        `D.M.YYYY` is day first everywhere and native to DMY, `M/D/YYYY` is native to MDY.
    edge : str
        `first` or `last`: a month without a day becomes its first or last day; "" refuses it.
    epoch : int or None
        1900 or 1904: how a spreadsheet's serial numbers count; None refuses them.
    latest : date or None
        Data cutoff: later dates are faults.

    Returns
    -------
    DataFrame
        `value` is a datetime.date or None. Where a column mixes both orders of slashed dates, those that can be read
        either way are faults.

    Examples
    --------
    >>> read_dates(["2004-05-12", "12.5.2004", "12. Mai 2004", "05/2004"], "DMY", "last")["value"].astype(str).tolist()
    ['2004-05-12', '2004-05-12', '2004-05-12', '2004-05-31']
    >>> read_dates(["1/2/2003", "25/2/2003"])["value"].astype(str).tolist()
    ['2003-02-01', '2003-02-25']
    >>> read_dates(["1/2/2003"])["fault"].item()
    'day or month first: no cell of this column tells'
    """
    texts = list(texts)
    found = order if isinstance(order, Order) else column_order(texts, order)
    return readings({text: _checked(_read(text, found, edge, epoch), latest) for text in texts})


def column_order(texts: Iterable[str], declared: str | None = None) -> Order:
    """Orders in which all dates with slashes or hyphens of a column can be read.

    Parameters
    ----------
    texts : iterable of str
        Distinct texts of the column.
    declared : str or None
        Order of `study.toml`.

    Returns
    -------
    Order
        The declared order, unless a date contradicts it; else what the texts tell. Two-digit years may stand first,
        so that more than day and month must be told apart.

    Examples
    --------
    >>> column_order(["1/2/2003", "13/2/2003"]).words
    'day first, as only this order fits 13/2/2003'
    >>> column_order(["1/2/03", "13/2/03"]).candidates
    ('DMY', 'YMD')
    """
    bare = [_without_clock(text) for text in texts if len(text) <= LONGEST]
    found = {text: three for text in bare if (three := _THREE.fullmatch(text))}
    points = any(three[2] == "." and not _day(three, "DMY") and _day(three, "MDY") for three in found.values())
    dates = {text: three for text, three in found.items() if three[2] != "."}
    short = bool(dates) and all(len(three[4]) == 2 for three in dates.values())
    orders = tuple(ORDERS) if short else ("DMY", "MDY")
    days = {text: {way: day for way in orders if (day := _day(three, way))} for text, three in dates.items()}
    days = {text: ways for text, ways in days.items() if ways}
    if declared:
        two = {"DMY", "MDY"}
        against = declared in two and any(declared not in ways and two & set(ways) for ways in days.values())
        return Order((declared,), against=against, points=points)
    left = tuple(way for way in orders if all(way in ways for ways in days.values()))
    asked = any(len(set(ways.values())) > 1 for ways in days.values())
    deciding = [min(text for text, ways in days.items() if way not in ways)
                for way in orders if len(left) == 1 and asked and way not in left]
    return Order(left, declared=False, points=points, deciding=" and ".join(dict.fromkeys(deciding)))


def is_date(text: str) -> bool:
    """Whether a text is a date in some order, or what spreadsheets make of 1.5 and 5/99: a day and a month.

    Examples
    --------
    >>> is_date("2004-05-12"), is_date("01. Mai"), is_date("May-99"), is_date("1.5")
    (True, True, True, False)
    """
    if len(text) > LONGEST:
        return False
    if (found := _DAY_MONTH.fullmatch(fold(text))) and (found[1] or found[2]) in MONTHS:
        return True
    return _read(text, Order(("DMY",)), "first", None)[2] in ("", "ambiguous date")


def _without_clock(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    return found["date"].strip() if found else text


def _read(text: str, order: Order, edge: str, epoch: int | None) -> Reading:
    """One date, with or without a clock time."""
    if strange(text) or len(text) > LONGEST:
        return None, "", "not a date"
    clock = _CLOCK.fullmatch(text)
    if not clock:
        return _read_day(text, order, edge, epoch)
    hour, minute, second = (int(clock[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:
        return None, "", "not a date: no such time of the day"
    value, rule, fault = _read_day(clock["date"].strip(), order, "", None)
    if fault:
        return None, "", fault
    return value, "drop_time_zone" if clock["zone"] else rule if rule == "two_digit_year" else "drop_clock_time", ""


def _read_day(text: str, order: Order, edge: str, epoch: int | None) -> Reading:
    folded = fold(text)
    if _ZERO_DAY.fullmatch(text) and order.candidates != ("MDY",):
        return _partial(folded, edge)
    if found := _ISO.fullmatch(text):
        return _date(*map(int, found.groups()), rule="")
    if found := _THREE.fullmatch(text):
        return _three(found, order)
    if found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *compact = found.groups()
        return _date(*map(int, (year, month, day) if year else compact), rule="iso_spelling")
    if (found := _NAMED.fullmatch(folded)) and found[2] in MONTHS:
        return _date(_year(found[3]), MONTHS[found[2]], int(found[1]), rule="month_name_date")
    if (found := _NAMED_FIRST.fullmatch(folded)) and found[1] in MONTHS:
        return _date(int(found[3]), MONTHS[found[1]], int(found[2]), rule="month_name_date")
    if (found := _NAMED_LAST.fullmatch(folded)) and found[2] in MONTHS:
        return _date(int(found[1]), MONTHS[found[2]], int(found[3]), rule="month_name_date")
    if found := _SERIAL.fullmatch(text):
        return _serial(int(found[1]), epoch)
    return _partial(folded, edge)


def _partial(folded: str, edge: str) -> Reading:
    """Month and year, completed where that is allowed; everything else is no date."""
    year = month = 0
    if found := _PARTIAL.fullmatch(folded):
        month, year = (int(found[1]), int(found[2])) if found[1] else (int(found[4]), int(found[3]))
    elif (found := _PARTIAL_NAMED.fullmatch(folded)) and found[1] in MONTHS:
        month, year = MONTHS[found[1]], int(found[2])
    if 1 <= month <= 12:
        if not edge:
            return None, "", "date without a day"
        last = calendar.monthrange(year, month)[1] if FIRST_YEAR <= year <= LAST_YEAR else 1
        return _date(year, month, last if edge == "last" else 1, rule="impute_partial_date")
    return None, "", "date without a day and a month" if _NO_DAY.fullmatch(folded) else "not a date"


def _serial(number: int, epoch: int | None) -> Reading:
    """A spreadsheet's day number, at least five digits: from 1927 on, far from the leap day of 1900 that never was."""
    if epoch is None:
        return None, "", "a spreadsheet's serial number, not a date"
    zero = dt.date(1904, 1, 1) if epoch == 1904 else dt.date(1899, 12, 30)
    made = zero + dt.timedelta(days=number)
    return _date(made.year, made.month, made.day, rule="serial_date_read")


def _three(found: re.Match, order: Order) -> Reading:
    """Three numbers: the year last, or first where it has two digits and may be."""
    sign, short = found[2], len(found[4]) == 2
    declared = order.candidates[0] if order.declared else ""
    if sign == "-" and short and declared in ("DMY", "MDY"):
        return None, "", "ambiguous date"
    names = {".": "dotted_date", "/": "slash_date", "-": "dashed_date"}
    rule = "two_digit_year" if short else names[sign]
    if sign == "." and not (declared == "YMD" and short):
        # Points mean day first everywhere, unless a date of the column shows the contrary: then the rest is open.
        ways = ("DMY", "MDY") if order.points and declared != "DMY" and _day(found, "DMY") else ("DMY",)
        native = not short and order.candidates != ("MDY",) and declared != "YMD"
    elif declared == "YMD":
        ways, native = ("YMD",) if short else ("DMY", "MDY"), False
    elif order.against or not order.candidates:
        ways, native = ("DMY", "MDY", "YMD") if short else ("DMY", "MDY"), sign == "/" and declared == "MDY"
    else:
        ways, native = order.candidates, not short and sign == "/" and "MDY" in order.candidates
    days = {way: day for way in ways if (day := _day(found, way))}
    if order.against and sign != "." and declared not in days:
        days = {}
    if fault := _open_question(found, ways, days, order, declared):
        return None, "", fault
    day = next(iter(days.values()))
    if not order.candidates and sign != "." and len(days) < len(ways):
        rule, native = "mixed_date_order", False
    return _date(day.year, day.month, day.day, rule="" if native and not short else rule)


def _open_question(found: re.Match, ways: tuple[str, ...], days: dict[str, dt.date], order: Order,
                   declared: str) -> str:
    """Why three numbers are no date, or more than one; "" where they are one."""
    if not days:
        other = any(_day(found, way) for way in ("DMY", "MDY"))
        words = "DMY" if found[2] == "." else declared or "/".join(ways)
        return f"no such day in the order {words}" if other else "no such day in the calendar"
    if len(set(days.values())) == 1:
        return ""
    if order.against or not order.candidates or (order.points and found[2] == "."):
        return "ambiguous date, as this column mixes day/month and month/day"
    return "ambiguous date" if declared else "day or month first: no cell of this column tells"


def _day(found: re.Match, way: str) -> dt.date | None:
    """The day that three numbers name in one order; None where the calendar has none."""
    first, second, third = int(found[1]), int(found[3]), found[4]
    year, month, day = {"DMY": (third, second, first), "MDY": (third, first, second),
                        "YMD": (found[1], second, int(third))}[way]
    try:
        return dt.date(_year(year), month, day)
    except ValueError:
        return None


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year <= PIVOT else 1900)


def _date(year: int, month: int, day: int, *, rule: str) -> Reading:
    try:
        made = dt.date(year, month, day)
    except ValueError:
        return None, "", "no such day in the calendar"
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None, "", f"year outside {FIRST_YEAR} to {LAST_YEAR}"
    return made, rule, ""


def _checked(reading: Reading, latest: dt.date | None) -> Reading:
    value, rule, _ = reading
    # A month that was completed to its last day may have ended earlier.
    first = value.replace(day=1) if value is not None and rule == "impute_partial_date" else value
    late = latest is not None and first is not None and first > latest
    return (None, "", f"after the data cutoff {latest.isoformat()}") if late else reading
