"""Direct identifiers of patients in tables as received: found, refused, and never repeated in a message.

There is no way to allow them. Nothing here proves that a table is anonymous: it finds what is plainly there.
"""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from remission import checks, identifiers, raw, schema
from remission.errors import Problem

#: Words of a column's name that name an identifier by themselves.
WORDS = frozenset(re.findall(r"\w+", """
    dob mrn ssn nhs kvnr svnr rvnr ahv iban email emails mail phone telephone telefon tel handy fax address
    adresse anschrift strasse street hausnummer hausnr plz postleitzahl zip zipcode postcode wohnort wohnsitz
    city town surname forename firstname lastname fullname vorname nachname familienname zuname geburtsname
    rufname initials initialen passport reisepass personalausweis birthplace geburtsort versichertennummer
    versichertennr versicherungsnummer versicherungsnr fallnummer fallnr aktenzeichen krankenaktennummer
    kontonummer kontonr"""))
#: Parts of a column's name, written together, that name one.
PARTS = re.compile(
    "versichertenn|versichertenid|sozialversicherung|socialsec|insurancen|insuranceid|medicalrecord|"
    "recordnumber|recordno|hospitalnumber|hospitalno|nhsn|patientenname|patientname|patname|emailad|"
    "telefon|telephone|phonen|mobilen|mobilnu|strasse|anschrift|postleitz|postalcode|hausnum|"
    "vorname|nachname|familienname|maidenname|passportn|bankkonto|kontonum|nextofkin|placeofbirth")
#: Words that turn a plain "name" into that of a person.
WHOSE = frozenset(re.findall(r"\w+", """
    patient patienten pat subject proband probanden first last full middle given family maiden mother father
    mutter vater birth geburts physician doctor arzt person surname kin contact"""))
NAME = frozenset(("name", "names", "namen"))
BIRTH_DATE = re.compile(r"geburtsdat|gebdat|birthdat|dateofbirth|birthday|geburtstag|datumgeburt|geburtam|^dob$|^geb$")
BIRTH_YEAR = re.compile(r"birth|geburt|geb(?:jahr|j)|jahrgang|yob")
#: Texts without any of these hold no identifier; most cells of a table are passed over by this.
WORTH_A_LOOK = re.compile(r"@|\d(?:[\d ()/.+-]*\d){6}|[^\W\d_]{3}")
#: A number is no telephone number: a decimal one nowhere, any other not where the contract asks for a number.
_DECIMAL = re.compile(r"\s*[+-]?\d+[.,]\d+(?:[eE][+-]?\d+)?\s*")
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[eE][+-]?\d+)?\s*")
_SERIAL = re.compile(r"\s*[1-4]\d{4}(?:[.,]0+)?\s*")


def scan(tables: dict[str, pd.DataFrame]) -> list[Problem]:
    """Look for direct identifiers in every table, column, header and cell of a cohort as received.

    Parameters
    ----------
    tables : dict of DataFrame
        From `raw.read`, or text tables of that form; tables outside the contract are looked at too.

    Returns
    -------
    list of Problem
        One a table, column and rule, with the lines and without any value. A column whose own name identifies a person
        is called by its place.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["1"], "comment": ["please call anna@example.org"], "_line": [2]})
    >>> print(*scan({"patients": table}))
    patients.comment (line 2): e-mail address in a cell. Mend: delete that column, or that part of the text, and use a \
pseudonymous patient_id. [P03]
    """
    return [problem for name, frame in tables.items() for problem in _table(frame, name)]


def _table(frame: pd.DataFrame, name: str) -> list[Problem]:
    lines = frame[raw.LINE] if raw.LINE in frame else pd.Series(frame.index + 2, index=frame.index)
    problems = []
    for place, column in enumerate(frame.columns, 1):
        if column == raw.LINE:
            continue
        said = str(column)
        if identifiers.rules(said) - {"postal_address"}:
            said = f"column {place}"
            problems.append(checks.problem("identifier_column", name, said, (1,)))
        distinct = [text for text in map(str, frame[column].dropna().unique()) if text.strip()]
        rule = column_rule(said)
        found = {rule: set(distinct)} if rule and distinct else _cells(distinct, said, name)
        problems += [checks.problem(rule, name, said, tuple(lines[frame[column].astype(str).isin(texts)]))
                     for rule, texts in sorted(found.items())]
    for line, cells in frame.attrs.get("ragged", {}).items():
        found = set().union(*(identifiers.rules(str(cell)) for cell in cells))
        problems += [checks.problem(rule, name, "", (line,)) for rule in sorted(found)]
    return problems + _birth_dates_by_year(frame, name, lines)


def column_rule(name: str) -> str:
    """Rule that a column's name breaks; empty for an innocent one.

    Examples
    --------
    >>> [column_rule(name) for name in ("PatientenName", "E-Mail", "Geburtsdatum", "drug_name", "birth_year")]
    ['identifier_column', 'identifier_column', 'birth_date', '', '']
    """
    words = _words(name)
    joined = "".join(words)
    if joined in {column.replace("_", "") for table in schema.RAW.values() for column in table.names}:
        return ""
    if BIRTH_DATE.search(joined):
        return "birth_date"
    named = bool(NAME & set(words)) and set(words) <= WHOSE | NAME | {"der", "des", "of", "the", "s"}
    return "identifier_column" if named or set(words) & WORDS or PARTS.search(joined) or joined in WORDS else ""


def _words(name: str) -> list[str]:
    split = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", "_", name)
    plain = unicodedata.normalize("NFKD", split.casefold().replace("ß", "ss"))
    return re.findall(r"[a-z]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))


def _cells(every: list[str], column: str, table: str) -> dict[str, set[str]]:
    """Distinct texts of a column that break a rule, by rule."""
    kinds = {one.name: one.kind for one in schema.RAW[table].columns} if table in schema.RAW else {}
    numeric = kinds.get(column) in ("number", "integer", "day")
    distinct = [text for text in every if WORTH_A_LOOK.search(text) and not _DECIMAL.fullmatch(text)
                and not (numeric and _NUMBER.fullmatch(text))]
    found: dict[str, set[str]] = {}
    for text in distinct:
        for rule in identifiers.rules(text):
            found.setdefault(rule, set()).add(text)
    _add(found, "insurance_number", _right_numbers(distinct))
    _add(found, "insurance_number", _no_numbering([text for text in distinct if identifiers.social_security(text)]))
    if column == "patient_id":
        _add(found, "named_person", {text for text in distinct if identifiers.names_a_person(text)})
        _add(found, "birth_date_in_text", _birth_dates(every))
    else:
        _add(found, "telephone_number", _no_numbering([text for text in distinct if identifiers.national_phone(text)]))
    if BIRTH_YEAR.search("".join(_words(column))):
        born = {text for text in every if identifiers.FULL_DATE.fullmatch(text) or _SERIAL.fullmatch(text)}
        _add(found, "birth_date", born)
    return found


def _add(found: dict[str, set[str]], rule: str, texts: set[str]) -> None:
    if texts:
        found.setdefault(rule, set()).update(texts)


def _right_numbers(texts: list[str]) -> set[str]:
    """Texts with a number whose check digit is right; where most of that form are wrong, one is right by chance."""
    shaped = {text: identifiers.checked_numbers(text) for text in texts}
    shaped = {text: numbers for text, numbers in shaped.items() if numbers}
    right = {text for text, numbers in shaped.items() if any(good for _, good in numbers)}
    return right if 2 * len(right) > len(shaped) else set()


def _birth_dates(texts: list[str]) -> set[str]:
    """Patient numbers that hold a day of birth; where most numbers hold none, digits that look like one are chance."""
    inside = {text: how for text in texts if (how := identifiers.birth_date_inside(text))}
    alone = {text for text, how in inside.items() if how == "digits"}
    return set(inside) if 2 * len(alone) > len(texts) else set(inside) - alone


def _no_numbering(texts: list[str]) -> set[str]:
    """Texts of a form that a study's own running numbers may have: those that begin alike and are as long as others."""
    if len(texts) < 3:
        return set(texts)
    heads = pd.Series([(text[:4], len(text)) for text in texts]).value_counts()
    return set() if heads.iloc[0] * 2 > len(texts) else set(texts)


def _birth_dates_by_year(frame: pd.DataFrame, name: str, lines: pd.Series) -> list[Problem]:
    """Columns outside the contract whose dates all fall in the patient's year of birth, under whatever name."""
    if name != "patients" or "birth_year" not in frame:
        return []
    years, problems = frame["birth_year"].astype(str).str.strip(), []
    for column in frame.columns.difference([*raw.known_columns(name), raw.LINE], sort=False):
        texts = frame[column].fillna("").astype(str)
        dated = texts.map(lambda text: identifiers.FULL_DATE.fullmatch(text) is not None) & (years != "")
        same = [year in text for year, text in zip(years[dated], texts[dated], strict=True)]
        if len(same) >= 3 and sum(same) >= 0.8 * len(same) and not column_rule(str(column)):
            problems.append(checks.problem("birth_date", name, str(column), tuple(lines[dated])))
    return problems


def refused(problems: list[Problem]) -> set[tuple[str, str]]:
    """Table and column of every finding, so that no other message quotes a value from there."""
    return {(problem.table, problem.column) for problem in problems if problem.code.startswith("P")}


def veil(tables: dict[str, pd.DataFrame], problems: list[Problem]) -> dict[str, pd.DataFrame]:
    """Tables in which every cell that was found is blank, and every name of a column that was found is its place.

    Parameters
    ----------
    tables : dict of DataFrame
    problems : list of Problem
        From `scan`.

    Returns
    -------
    dict of DataFrame
        New frames where something was found, the same frames elsewhere; `attrs` are kept, ragged rows found left out.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["1"], "Vorname": ["Anna"], "_line": [2]})
    >>> veil({"patients": table}, scan({"patients": table}))["patients"]["Vorname"].tolist()
    ['']
    """
    made = dict(tables)
    for problem in problems:
        if not problem.code.startswith("P") or problem.table not in made:
            continue
        before = made[problem.table]
        after = before.copy()
        after.attrs = dict(before.attrs)
        place = re.fullmatch(r"column (\d+)", problem.column)
        if place and problem.column not in after:
            after = after.set_axis([problem.column if number == int(place[1]) else column
                                    for number, column in enumerate(after.columns, 1)], axis=1)
            after.attrs = dict(before.attrs)
        lines = after[raw.LINE] if raw.LINE in after else pd.Series(after.index + 2, index=after.index)
        if problem.column in after:
            after[problem.column] = after[problem.column].mask(lines.isin(problem.rows), "")
        else:
            after.attrs["ragged"] = {line: cells for line, cells in after.attrs.get("ragged", {}).items()
                                     if line not in problem.rows}
        made[problem.table] = after
    return made
