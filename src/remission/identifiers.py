"""Numbers and words that name a person: their form and, where they have them, their check digits.

Every function takes one text. A number without a check digit counts only in a form that clinical data do not have.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from functools import cache
from importlib import resources

#: Lengths of an IBAN by country.
IBAN_LENGTH = {"AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
               "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27, "LI": 21, "LT": 20,
               "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
               "SK": 24, "TR": 26}
DATE = (r"(?:\d{1,2}[./-]\s?\d{1,2}[./-]\s?(?:\d{4}|\d{2})|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|"
        r"\d{1,2}\.?[ -](?:Jan|Feb|M(?:ar|är|rz)|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])[a-zä]*\.?[ ,-]+\d{2,4})")
FULL_DATE = re.compile(rf"\s*(?:{DATE}|(?:19|20)\d\d[01]\d[0-3]\d)(?:[T ]\d\d:.*)?\s*", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]+(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
BORN = re.compile(rf"(?:\bgeb(?:oren)?\b\.?|\bborn\b|\bdob\b|\bdate of birth\b|\bgeb(?:urts)?\.?-?dat(?:um)?\b\.?|"
                  rf"(?<!\w)\*)[\s:]*(?:am|on)?[\s:]*{DATE}", re.IGNORECASE)
STREET = re.compile(r"\b[A-ZÄÖÜ][\wäöüß-]*(?:stra(?:ß|ss)e|str\.)\s*\d+|"
                    r"\b[A-ZÄÖÜ][\wäöüß-]* (?:Straße|Strasse|Str\.)\s*\d+|"
                    r"\b\d{1,5} (?:[A-Z][a-z]+ ){1,2}(?:Street|St\.|Road|Rd\.|Avenue|Ave\.|Lane)(?!\w)")
TITLED = re.compile(r"\b(?:Herrn?|Frau|Hr\.|Fr\.|Mrs?\.?|Ms\.?|Dr\.(?: ?med\.)?|Prof\.)\s+(?:(?:Dr\.|Prof\.|med\.)\s*)*"
                    r"[A-ZÄÖÜ][a-zäöüßàáâçéèêíñóôú]{2,}")
_PHONES = [
    re.compile(r"(?<![\w+])\+[1-9](?:[ ()/.-]{0,2}\d){7,14}(?!\d)"),
    re.compile(r"(?<!\w)00(?:1|3\d|4\d)[ (/-]+\d(?:[ ()/-]{0,2}\d){6,11}(?!\d)"),
    re.compile(r"\b(?:tel|telefon|telephone|phone|mobile?|handy|fax)\b\.?\s*(?:nr|no|number|nummer)?\s*[:.]?\s*"
               r"[+(]?\d(?:[ ()/-]{0,2}\d){4,13}", re.IGNORECASE)]
_NATIONAL = re.compile(r"(?<![\w.,/-])\(?0[1-9]\d{1,3}\)? ?[/ -] ?\d(?:[ -]?\d){4,9}(?!\w)|"
                       r"(?<![\w.-])(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}(?![\w-])|"
                       r"(?<![\w.,])01[567]\d{8,9}(?!\w)")
_SOCIAL = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_NUMBERED = re.compile(r"\b(?:MRN|KVNR|SSN|NHS|(?:Versicherten|Versicherungs|Fall)(?:-?nr|nummer)|Aktenzeichen|"
                       r"(?:hospital|medical record|insurance) (?:no|number))\b[.:# ]*(?:[A-Z] ?)?\d[\d -]{3,}",
                       re.IGNORECASE)
_CHECKED = re.compile(r"(?<![A-Za-z0-9.,])(?:[A-Z]\d{9}|\d{8}[A-Z]\d{3}|\d\d \d{6} [A-Z] \d{3}|"
                      r"\d{3}[ -]\d{3}[ -]\d{4}|756\.?\d{4}\.?\d{4}\.?\d\d|\d{4} ?\d{6})(?![A-Za-z0-9])")
#: Years with hyphens first are left out: they may be year, site and number of a study.
_DAY_INSIDE = re.compile(r"(?<!\d)(?:(?P<day>\d\d?)(?P<sign>[./-])(?P<month>\d\d?)(?P=sign)(?P<year>19\d\d)|"
                         r"(?P<d>\d\d)(?P<m>\d\d)(?P<y>19\d\d)|(?P<y2>19\d\d)(?P<m2>\d\d)(?P<d2>\d\d))(?!\d)")
_DAY_GROUPS = (("day", "d", "d2"), ("month", "m", "m2"), ("year", "y", "y2"))
_WORD = re.compile(r"[^\W\d_][^\W\d_'’]*")
#: Words of an identifier that is no name, and words that pseudonyms are made of.
_PLAIN = frozenset(re.findall(r"\w+", """
    patient patientin pat subject subj case control proband probandin fall nr no number id study site centre
    center arm group ctl ifn ph all im unknown dummy test alpha beta gamma delta epsilon zeta theta kappa lambda
    sigma omega bravo charlie echo foxtrot golf hotel india"""))


@cache
def given_names() -> frozenset[str]:
    """Given names that are no words of medicine, from `data/given_names.csv`."""
    with (resources.files("remission") / "data" / "given_names.csv").open(encoding="utf-8") as handle:
        return frozenset(row["name"] for row in csv.DictReader(handle))


@cache
def _folded() -> frozenset[str]:
    return frozenset(name.casefold() for name in given_names())


@cache
def _named() -> re.Pattern:
    names = "|".join(sorted(map(re.escape, given_names()), key=len, reverse=True))
    word = r"[A-ZÄÖÜ][a-zäöüßàáâçéèêíñóôú'’-]{2,}"
    return re.compile(rf"\b(?:{names})(?:-(?:{names}))? {word}|\b{word},\s*(?:{names})\b(?!-)")


def health_insurance(text: str) -> bool:
    """German health insurance number (KVNR): a letter, eight digits and a check digit.

    Notes
    -----
    Source: section 290 of the fifth book of the German social code; the letter counts as two digits, every second digit
    doubles, sums of digits are added, modulo 10.

    Examples
    --------
    >>> health_insurance("A123456780"), health_insurance("A123456789")
    (True, False)
    """
    if not re.fullmatch(r"[A-Z]\d{9}", text):
        return False
    digits = f"{ord(text[0]) - 64:02d}{text[1:9]}"
    sums = [sum(map(int, str(int(digit) * (1 + place % 2)))) for place, digit in enumerate(digits)]
    return sum(sums) % 10 == int(text[9])


def health_service(text: str) -> bool:
    """NHS number of England: ten digits, the last one a check digit modulo 11.

    Examples
    --------
    >>> health_service("9434765919"), health_service("9434765918")
    (True, False)
    """
    if not re.fullmatch(r"\d{10}", text) or len(set(text)) == 1:
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return {11: 0}.get(check, check) == int(text[9])


def pension_insurance(text: str) -> bool:
    """German pension insurance number: area, date of birth, letter, serial number, check digit.

    Examples
    --------
    >>> pension_insurance("15070649C103"), pension_insurance("15070649C104")
    (True, False)
    """
    if not re.fullmatch(r"\d\d(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[A-Z]\d{3}", text):
        return False
    digits = f"{text[:8]}{ord(text[8]) - 64:02d}{text[9:11]}"
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    return sum(sum(map(int, str(int(digit) * weight))) for digit, weight in zip(digits, weights, strict=True)
               ) % 10 == int(text[11])


def social_insurance(text: str) -> bool:
    """Austrian social insurance number (four digits and a date of birth) or Swiss one (756 and an EAN-13).

    Examples
    --------
    >>> social_insurance("1237010180"), social_insurance("7569217076985"), social_insurance("7569217076984")
    (True, True, False)
    """
    if re.fullmatch(r"\d{4}(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d", text):
        weights = (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)
        return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=True)) % 11 == int(text[3])
    if re.fullmatch(r"756\d{10}", text):
        return (10 - sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(text[:12])) % 10) % 10 == int(
            text[12])
    return False


def bank_account(text: str) -> bool:
    """IBAN with the length of its country and right check digits (ISO 13616, modulo 97).

    Examples
    --------
    >>> bank_account("DE89370400440532013000"), bank_account("DE88370400440532013000")
    (True, False)
    """
    if len(text) != IBAN_LENGTH.get(text[:2]) or not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]+", text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def national_phone(text: str) -> bool:
    """Whether a text holds a telephone number without the code of a country."""
    long = any(9 <= sum(map(str.isdigit, found[0])) <= 13 for found in _NATIONAL.finditer(text))
    return long and not holds_iban(text)


def social_security(text: str) -> bool:
    """Whether a text holds a number in the form of a United States social security number."""
    return _SOCIAL.search(text) is not None


def checked_numbers(text: str) -> list[tuple[str, bool]]:
    """Numbers in a text that have the form of one with check digits: each as it stands, and whether it is right.

    Examples
    --------
    >>> checked_numbers("KVNR A123456780, 943 476 5919")
    [('A123456780', True), ('943 476 5919', True)]
    """
    made = []
    for found in _CHECKED.finditer(text):
        bare = re.sub(r"[ .-]", "", found[0])
        right = any(test(bare) for test in (health_insurance, health_service, pension_insurance, social_insurance))
        made.append((found[0], right))
    return made


def holds_iban(text: str) -> bool:
    """Whether a text holds an IBAN, with or without spaces."""
    for found in re.finditer(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", text):
        bare = found[0].replace(" ", "")
        if bank_account(bare[:IBAN_LENGTH.get(bare[:2], 0)]):
            return True
    return False


def rules(text: str) -> set[str]:
    """Rules of `checks` that a text breaks by itself, whatever its column.

    Examples
    --------
    >>> sorted(rules("Frau Schmidt, geb. 3.4.1948, ruft an: 069/6301-1234 oder a.b@example.org"))
    ['birth_date_in_text', 'email_address', 'named_person']
    """
    made = set()
    if "@" in text or "at" in text.casefold():
        made |= {"email_address"} if EMAIL.search(text) else set()
    # The groups of a bank account look like a telephone number.
    if holds_iban(text):
        made.add("bank_account")
    elif any(phone.search(text) for phone in _PHONES):
        made.add("telephone_number")
    if _NUMBERED.search(text):
        made.add("insurance_number")
    if TITLED.search(text) or _named().search(text):
        made.add("named_person")
    if BORN.search(text):
        made.add("birth_date_in_text")
    if STREET.search(text):
        made.add("postal_address")
    return made


def names_a_person(identifier: str) -> bool:
    """Whether a patient's number is a name instead.

    Examples
    --------
    >>> [names_a_person(one) for one in ("Müller, Hans", "Petra Klein", "Schneider", "HANS_M1", "P-01", "Patient 3")]
    [True, True, True, True, False, False]
    """
    words = _WORD.findall(identifier)
    if not words or {word.casefold() for word in words} & _PLAIN:
        return False
    digits = any(map(str.isdigit, identifier))
    if any(word.casefold() in _folded() and (len(word) > 3 or not digits) for word in words):
        return True
    if digits or any(sign in identifier for sign in "/#"):
        return False
    titled = [word for word in words if len(word) > 1 and word[0].isupper() and word[1:].islower()]
    if len(titled) == len(words) and (len(words) > 1 or len(words[0]) > 3):
        return True
    return re.fullmatch(r"[^\W\d_]{3,}\s*,\s*[^\W\d_]+\.?", identifier) is not None


def birth_date_inside(identifier: str) -> str:
    """A day of the twentieth century inside a patient's number: "written" as a date, "digits" alone, "" for none.

    A number of eight digits may be such a day by chance; a date with its points may not.

    Examples
    --------
    >>> [birth_date_inside(one) for one in ("HM-03.04.1939", "HM03041939", "19390403", "20050101", "1998-01-12", "P-1")]
    ['written', 'digits', 'digits', '', '', '']
    """
    for found in _DAY_INSIDE.finditer(identifier):
        written = found["sign"] is not None
        day, month, year = (next(filter(None, map(found.group, names))) for names in _DAY_GROUPS)
        for one, other in ((day, month), (month, day)):
            try:
                dt.date(int(year), int(other), int(one))
            except ValueError:
                continue
            return "written" if written else "digits"
    return ""
