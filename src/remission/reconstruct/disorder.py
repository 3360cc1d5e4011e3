"""Realistic disorder: the clean truth as a busy trial office would have sent it, and what that really destroyed."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from remission import schema
from remission import study as studies

MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
          "Dezember")
#: Share of cells that carry another word of the vocabulary, by table and column.
WORDS = {
    ("patients", "arm"): 0.45, ("patients", "sex"): 0.35, ("patients", "transcript"): 0.4,
    ("chemotherapy_cycles", "phase"): 0.5, ("dosing", "drug"): 0.5, ("dosing", "frequency"): 0.45,
    ("dosing", "reason_for_change"): 0.5, ("adverse_events", "related_ifn"): 0.3,
    ("adverse_events", "related_imatinib"): 0.3, ("adverse_events", "action_taken"): 0.4,
    ("adverse_events", "serious"): 0.3, ("laboratory", "test"): 0.25, ("mrd", "source"): 0.35,
    ("mutations", "method"): 0.4, ("remission_events", "event"): 0.4, ("remission_events", "site"): 0.5,
    ("disposition", "status"): 0.5, ("procedures", "procedure"): 0.5,
}
#: Share of each way to write a date, by table: the first two are native to the study, ISO is native everywhere.
DATES = {"laboratory": {"iso": 0.9, "dotted": 0.07, "short": 0.03},
         "mrd": {"dotted": 0.6, "iso": 0.2, "short": 0.1, "slash": 0.05, "named": 0.05}}
USUAL = {"dotted": 0.72, "plain": 0.08, "iso": 0.06, "short": 0.07, "slash": 0.04, "named": 0.03}
COUNTS = ("ANC", "PLT", "WBC")
#: First row label of rows that the truth does not have.
EXTRA = 1_000_000
KEYS = ["table", "patient_id", "line", "key", "column", "truth"]


def disorder(truth: dict[str, pd.DataFrame], seed: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Turn the clean truth into tables as received.

    Parameters
    ----------
    truth : dict of DataFrame
        From `truth`.
    seed : int

    Returns
    -------
    raw : dict of DataFrame
        Text cells, "" for blank, in file order.
    destroyed : DataFrame
        What no cleaning can give back: table, patient_id, line (in the file; the header is line 1), key (of the true
        row), column (of the clean table), truth (as text). Everything else the cleaning rules recover exactly.
    """
    raw, lost = {}, []
    for number, (name, clean) in enumerate(truth.items()):
        rng = np.random.default_rng([seed, 100 + number])
        text, destroyed = _table(name, clean, truth, rng)
        text = text.loc[_file_order(text, rng)]
        line = pd.Series(np.arange(2, len(text) + 2), index=text.index)
        lost.append(destroyed.assign(line=destroyed["row"].map(line)))
        raw[name] = text.reset_index(drop=True)
    destroyed = pd.concat(lost, ignore_index=True)[KEYS].sort_values(["table", "line", "column"], ignore_index=True)
    return raw, destroyed.astype({"line": "int64"})


def _table(name: str, clean: pd.DataFrame, truth: dict[str, pd.DataFrame],
           rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One table: plain German text first, then its own disorder, words, rows that should not be there, stray spaces."""
    text = plain(name, clean)
    lost: list[dict] = []
    if name in SPECIAL:
        text = SPECIAL[name](text, clean, rng, lost)
    text = _write_dates(name, text, clean, rng, lost)
    for (table, column), share in WORDS.items():
        if table == name:
            text[column] = _other_words(text[column], _aliases(name, column), share, rng)
    text = pd.concat([text, _extra_rows(name, text, truth, rng, {row["row"] for row in lost})])
    spaced = text.index[rng.random(len(text)) < 0.01]
    text.loc[spaced, "patient_id"] = " " + text.loc[spaced, "patient_id"] + " "
    destroyed = pd.DataFrame(lost, columns=["row", "column", "truth"])
    rows = destroyed["row"].to_list()
    key = clean[[column for column in schema.RAW[name].key if column in clean]].astype(str).agg(" | ".join, axis=1)
    return text, destroyed.assign(table=name, patient_id=clean["patient_id"].reindex(rows).to_numpy(),
                                  key=key.reindex(rows).to_numpy())


def plain(name: str, clean: pd.DataFrame) -> pd.DataFrame:
    """The table as text in the study's native notation: decimal comma, D.M.YYYY, canonical words.

    Parameters
    ----------
    name : str
        Table.
    clean : DataFrame
        Its clean form.

    Returns
    -------
    DataFrame
        Columns of the contract that the table fills; text.
    """
    made = {}
    for column in schema.RAW[name].columns:
        if column.name == "result_text":
            made[column.name] = clean["ratio"].map(lambda ratio: german(ratio)).where(
                clean["state"] == "QUANTIFIED", clean["state"].map({"NEGATIVE": "neg", "PNQ": "PNQ"}))
        elif clean[column.name].isna().all() and not column.required:
            continue
        elif column.kind == "date":
            made[column.name] = clean[column.name].dt.strftime("%d.%m.%Y").fillna("")
        elif column.kind == "number":
            made[column.name] = clean[column.name].map(german, na_action="ignore").astype(object).fillna("")
        else:
            made[column.name] = clean[column.name].astype(object).map(str, na_action="ignore").fillna("")
    return pd.DataFrame(made, dtype=object)


def german(value: float) -> str:
    """A number with decimal comma, never in powers of ten.

    Examples
    --------
    >>> german(0.00123), german(600.0)
    ('0,00123', '600')
    """
    return "" if pd.isna(value) else f"{Decimal(repr(round(float(value), 10))).normalize():f}".replace(".", ",")


def _grouped(whole: int) -> str:
    """A whole number with German dots between thousands."""
    return f"{whole:,}".replace(",", ".")


@cache
def _vocabulary(name: str) -> pd.DataFrame:
    with (resources.files("remission") / "data" / f"{name}.csv").open(encoding="utf-8") as source:
        return pd.read_csv(source, dtype=str, keep_default_na=False)


def _aliases(table: str, column: str) -> dict[str, list[str]]:
    """Other words for each canonical value, from the vocabulary and, for arms, from the study."""
    if column == "arm":
        return {arm.key: list(arm.aliases) for arm in studies.read("ash2012_reconstructed").arms}
    rows = _vocabulary("vocabulary")
    rows = rows[(rows["table"] == table) & (rows["column"] == column)]
    return rows.groupby("canonical")["alias"].agg(list).to_dict()


def _other_words(cells: pd.Series, words: dict[str, list[str]], share: float, rng: np.random.Generator) -> pd.Series:
    """Replace a share of the cells by aliases; the first ones of a list are the more usual ones."""
    made = cells.copy()
    for row in cells.index[rng.random(len(cells)) < share]:
        known = words.get(cells[row], [])
        if known:
            made[row] = known[min(len(known) - 1, int(rng.exponential(3)))]
    return made


def _written(date: pd.Timestamp, style: str) -> str:
    if style == "named":
        return f"{date.day}. {MONTHS[date.month - 1]} {date.year}"
    if style == "plain":
        return f"{date.day}.{date.month}.{date.year}"
    return date.strftime({"iso": "%Y-%m-%d", "dotted": "%d.%m.%Y", "short": "%d.%m.%y", "slash": "%d/%m/%Y"}[style])


def _write_dates(name: str, text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator,
                 lost: list[dict]) -> pd.DataFrame:
    """Dates in several notations; some without a day where the day decides nothing."""
    shares = DATES.get(name, USUAL)
    for column in schema.RAW[name].columns:
        if column.kind != "date" or column.name not in text:
            continue
        given = text[column.name]
        native = given != ""
        styles = rng.choice(list(shares), len(text), p=list(shares.values()))
        dates = pd.to_datetime(given.where(native), format="%d.%m.%Y")
        text[column.name] = [_written(date, style) if ok else "" for date, style, ok in
                             zip(dates, styles, native, strict=True)]
        harmless = _harmless(name, column.name, clean)
        partial = harmless[rng.random(len(harmless)) < PARTIAL.get((name, column.name), 0)]
        twin = schema.DAY_COLUMN[column.name]
        for row in partial:
            date = clean.loc[row, column.name]
            text.loc[row, column.name] = date.strftime("%m/%Y" if rng.random() < 0.6 else "%Y-%m")
            lost.append({"row": row, "column": column.name, "truth": f"{date:%Y-%m-%d}"})
            lost.append({"row": row, "column": twin, "truth": str(clean.loc[row, twin])})
    return text


#: Share of the harmless dates that lack their day.
PARTIAL = {("adverse_events", "start_date"): 0.12, ("adverse_events", "end_date"): 0.1,
           ("chemotherapy_cycles", "start_date"): 0.05, ("chemotherapy_cycles", "end_date"): 0.05,
           ("mutations", "date"): 0.2, ("procedures", "date"): 0.06}


def _harmless(name: str, column: str, clean: pd.DataFrame) -> pd.Index:
    """Rows whose date may lose its day: no state, no order and no count depends on it."""
    if (name, column) not in PARTIAL:
        return clean.index[:0]
    day, dates = clean[schema.DAY_COLUMN[column]], clean[column]
    first = day - (dates.dt.day.astype("Int64") - 1)
    last = day + (dates.dt.days_in_month - dates.dt.day).astype("Int64")
    if name == "adverse_events":
        quiet = (clean["action_taken"] == "none") & ~clean["term"].isin(["Depression", "Fatigue"])
        ok = quiet & (first > 0 if column == "start_date" else last - day < 20)
    elif name == "chemotherapy_cycles":
        ok = last < -10
    elif name == "mutations":
        ok = first > 0
    else:
        ok = (clean["procedure"] == "intrathecal") & (last < -10) & (dates.dt.day < 12)
    return clean.index[ok.fillna(False).astype(bool)]


def _dosing(text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator, lost: list[dict]) -> pd.DataFrame:
    """Units of either drug, weekly doses, stretches left open or running into the next."""
    for row in text.index:
        dose, interferon, form = clean.loc[row, "dose"], clean.loc[row, "unit"] == "MU", rng.random()
        if interferon and form < 0.35:
            text.loc[row, "unit"] = str(rng.choice(["Mio IE", "Mio. IE", "Mio. I.E.", "MIU", "Mio E"]))
        elif interferon and form < 0.5:
            text.loc[row, "dose"] = german(3 * dose)
            text.loc[row, "unit"] = str(rng.choice(["MU/week", "Mio IE/Woche", "Mio. IE/Woche"]))
            text.loc[row, "frequency"] = str(rng.choice(["", "pro Woche", "weekly"]))
        elif interferon and form < 0.62:
            units = round(dose * 1_000_000)
            text.loc[row, "dose"] = _grouped(units) if rng.random() < 0.5 else str(units)
            text.loc[row, "unit"] = str(rng.choice(["IE", "I.E.", "IU"]))
        elif interferon and form < 0.75:
            text.loc[row, "dose"] = text.loc[row, "dose"].replace(",", ".")
        elif not interferon and form < 0.15:
            text.loc[row, ["dose", "unit"]] = german(dose / 1000), "g"
        elif not interferon and form < 0.4:
            text.loc[row, "unit"] = str(rng.choice(["mg/d", "mg/Tag", "mg tgl."]))
    following = clean.groupby(["patient_id", "drug"])["start_date"].shift(-1)
    for row in text.index[following.notna()]:
        form = rng.random()
        if form < 0.15:
            text.loc[row, "end_date"] = ""
        elif form < 0.35:
            late = following[row] + pd.Timedelta(days=int(rng.integers(0, 4)))
            text.loc[row, "end_date"] = late.strftime("%d.%m.%Y")
    return text


def _adverse_events(text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator,
                    lost: list[dict]) -> pd.DataFrame:
    """German and lay terms; Roman grades; grades left out where no count of the study rests on them."""
    terms = _vocabulary("terms").groupby("AEDECOD")["alias"].agg(list)
    text["term"] = _other_words(text["term"], terms.to_dict(), 0.6, rng)
    roman = rng.random(len(text)) < 0.35
    text.loc[roman, "grade"] = text.loc[roman, "grade"].map({"1": "I", "2": "II", "3": "III", "4": "IV"})
    worded = ~roman & (rng.random(len(text)) < 0.08)
    text.loc[worded, "grade"] = "Grad " + text.loc[worded, "grade"]
    safe = (clean["action_taken"] == "none") & (clean["grade"] == 1) & ~clean["term"].isin(
        ["Depression", "Fatigue", "Neutropenia", "Thrombocytopenia", "Anaemia"])
    for row in rng.choice(text.index[safe], 7, replace=False):
        lost.append({"row": row, "column": "grade", "truth": str(clean.loc[row, "grade"])})
        text.loc[row, "grade"] = ""
    return text


def _laboratory(text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator, lost: list[dict]) -> pd.DataFrame:
    """Per microlitre or 10^9/L, g/L, µmol/L; decimal points; limits of normal follow the unit of the value."""
    form = rng.random(len(text))
    numbers = ["value", "lower_limit_normal", "upper_limit_normal"]

    def rewrite(rows: pd.Series, unit: list[str], write) -> None:
        units = rng.choice(unit, len(text))
        text.loc[rows, "unit"] = units[rows.to_numpy()]
        for column in numbers:
            text.loc[rows, column] = clean.loc[rows, column].map(write)

    count = clean["test"].isin(COUNTS)
    rewrite(count & (form < 0.2), ["/µl", "/ul", "/µl"], lambda v: str(round(1000 * v)))
    rewrite(count & (form >= 0.2) & (form < 0.24), ["/µl"], lambda v: _grouped(round(1000 * v)))
    rewrite(count & (form >= 0.24) & (form < 0.4), ["/nl", "G/l", "Tsd/µl", "x10E9/l"], german)
    rewrite((clean["test"] == "HB") & (form < 0.2), ["g/l"], lambda v: german(10 * v))
    rewrite((clean["test"] == "CREAT") & (form < 0.25), ["µmol/l"], lambda v: german(round(88.42 * v, 1)))
    rewrite((clean["test"] == "BILI") & (form < 0.15), ["µmol/l"], lambda v: german(round(17.104 * v, 1)))
    points = rng.random(len(text)) < 0.15
    for column in numbers:
        text.loc[points, column] = text.loc[points, column].str.replace(",", ".")
    return text


def _mrd(text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator, lost: list[dict]) -> pd.DataFrame:
    """Results as laboratories write them."""
    negative = ["neg", "negativ", "neg.", "PCR negativ", "nicht nachweisbar"]
    unquantified = ["PNQ", "pos., nicht quantifizierbar", "pos. n.q.", "positiv, nicht quantifizierbar"]
    for row in text.index:
        state, form = clean.loc[row, "state"], rng.random()
        limit, ratio = german(clean.loc[row, "detection_limit"]), clean.loc[row, "ratio"]
        if state == "NEGATIVE" and form < 0.35:
            text.loc[row, "result_text"] = f"<{limit} %" if form < 0.25 else f"< {limit}%"
            if form < 0.15:
                text.loc[row, "detection_limit"] = ""
        elif state == "NEGATIVE":
            text.loc[row, "result_text"] = str(rng.choice(negative))
        elif state == "PNQ":
            text.loc[row, "result_text"] = str(rng.choice(unquantified))
        elif form < 0.35:
            text.loc[row, "result_text"] += " %"
        elif form < 0.45:
            text.loc[row, "result_text"] = text.loc[row, "result_text"].replace(",", ".") + "%"
        elif form < 0.55:
            text.loc[row, "result_text"] = f"{ratio:.2E}"
    dotted = rng.random(len(text)) < 0.15
    text.loc[dotted, "abl_copies"] = clean.loc[dotted, "abl_copies"].map(lambda copies: _grouped(int(copies)))
    return text


def _mutations(text: pd.DataFrame, clean: pd.DataFrame, rng: np.random.Generator, lost: list[dict]) -> pd.DataFrame:
    """T-315-I and its relatives."""
    names = {"T": "Thr", "I": "Ile", "Y": "Tyr", "H": "His", "E": "Glu", "K": "Lys", "V": "Val", "F": "Phe", "Q": "Gln",
             "L": "Leu", "G": "Gly"}
    for row in text.index:
        variant, form = clean.loc[row, "variant"], rng.random()
        if variant == "none":
            text.loc[row, "variant"] = str(rng.choice(["none", "keine", "Wildtyp", "wt"]))
        elif form < 0.2:
            text.loc[row, "variant"] = f"{variant[0]}-{variant[1:-1]}-{variant[-1]}"
        elif form < 0.35:
            text.loc[row, "variant"] = f"{variant[0]} {variant[1:-1]} {variant[-1]}"
        elif form < 0.45:
            text.loc[row, "variant"] = f"{names[variant[0]]}{variant[1:-1]}{names[variant[-1]]}"
        elif form < 0.55:
            text.loc[row, "variant"] = f"p.{variant}"
    return text


SPECIAL = {"dosing": _dosing, "adverse_events": _adverse_events, "laboratory": _laboratory, "mrd": _mrd,
           "mutations": _mutations}
#: Rows sent twice, and rows dated after the patient's death, by table.
TWICE = {"dosing": 2, "adverse_events": 3, "laboratory": 9, "mrd": 5, "mutations": 1, "procedures": 2,
         "chemotherapy_cycles": 1}
LATE = {"adverse_events": 2, "laboratory": 4, "mrd": 3, "procedures": 1}


def _extra_rows(name: str, text: pd.DataFrame, truth: dict[str, pd.DataFrame], rng: np.random.Generator,
                damaged: set[int]) -> pd.DataFrame:
    """Rows that cleaning must set aside: sent twice, after death, of nobody, without a readable result."""
    whole = text.loc[[row for row in text.index if row not in damaged]]
    time = next((column.name for column in schema.RAW[name].columns if column.kind == "date"), "")
    # Of dosing only closed stretches are copied: an open one would be closed by its own copy.
    again = whole[whole["end_date"] != ""] if name == "dosing" else whole
    parts = [again.sample(TWICE.get(name, 0), random_state=rng)]
    dead = truth["disposition"].set_index("patient_id")["death_date"].dropna()
    late = whole[whole["patient_id"].isin(dead.index)].sample(LATE.get(name, 0), random_state=rng)
    for row in late.index:
        after = dead[late.loc[row, "patient_id"]] + pd.Timedelta(days=int(rng.integers(5, 90)))
        late.loc[row, time] = after.strftime("%d.%m.%Y")
        if "end_date" in late:
            late.loc[row, "end_date"] = ""
    parts.append(late)
    if name in ("laboratory", "mrd"):
        strange = whole.sample(4, random_state=rng)
        strange.iloc[:2, strange.columns.get_loc("patient_id")] = ["IFN-21", "CTL-88"]
        column = "value" if name == "laboratory" else "result_text"
        words = ["geronnen", "hämolytisch"] if name == "laboratory" else ["nicht auswertbar", "Material reicht nicht"]
        strange.iloc[2:, strange.columns.get_loc(column)] = words
        parts.append(strange)
    extra = pd.concat(parts)
    return extra.set_axis(EXTRA + np.arange(len(extra)))


def _file_order(text: pd.DataFrame, rng: np.random.Generator) -> pd.Index:
    """Rows by patient as exported, the extra ones somewhere below the patient's other rows."""
    place = text.index.to_numpy(float)
    extra = place >= EXTRA
    place[extra] = rng.uniform(0.5 * (~extra).sum(), (~extra).sum(), extra.sum())
    return text.index[np.argsort(place, kind="stable")]
