"""Questions within a patient: what can be read and may even be true, and should be looked at; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from remission import schema
from remission.cleaning import across
from remission.cleaning.audit import Audit
from remission.cleaning.cells import day_name
from remission.cleaning.rows import received_texts
from remission.study import Study

YEAR = 365
#: A dose beyond this many times the highest planned one is asked about, and a count so far from the cohort's median.
FAR_DOSE, FAR_COUNT, ENOUGH = 3, 200, 5
COUNTS = ("ANC", "WBC", "PLT")


@dataclass(frozen=True)
class Facts:
    """Clean rows of each table, and one row a patient: `patients` and `disposition` side by side, by patient_id."""

    tables: dict[str, pd.DataFrame]
    known: pd.DataFrame
    received: dict[str, pd.DataFrame]
    study: Study
    audits: dict[str, Audit]

    def ask(self, rule: str, table: str, column: str, rows: pd.Series, why: pd.Series | str = "") -> None:
        """Put a question about some rows on record; `why` where it says more than the catalogue."""
        frame, audit = self.tables[table], self.audits[table]
        asked = rows.reindex(frame.index, fill_value=False).fillna(False).astype(bool)
        if not asked.any():
            return
        # A cell that could not be read has been named already.
        index = frame.index[asked & ~frame.index.isin(audit.faulty(column))]
        after = "unchanged; " + why if isinstance(why, pd.Series) or why else "unchanged"
        audit.log(rule, column, received_texts(audit, column), after, index)


@dataclass(frozen=True)
class Tally:
    """What of a part of a cohort is needed to judge the whole: `arms` from `across.arms`, `counts` of blood cells."""

    arms: pd.DataFrame
    counts: pd.DataFrame | None


def gather(made: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame], study: Study,
           audits: dict[str, Audit]) -> Facts:
    """Facts from typed tables; rows in quarantine and rows without a patient are left out."""
    tables = {name: frame[audits[name].kept & frame["patient_id"].notna()] for name, frame in made.items()}
    one = [tables[name].drop_duplicates("patient_id").set_index("patient_id") for name in ("patients", "disposition")]
    return Facts(tables, one[0].join(one[1].add_prefix("last_")), received, study, audits)


def ask(made: dict[str, pd.DataFrame], received: dict[str, pd.DataFrame], study: Study,
        audits: dict[str, Audit]) -> Tally:
    """Put every question on record that the rows of a patient answer.

    Parameters
    ----------
    made, received : dict of DataFrame
        Typed and raw tables, the three required ones among them.
    study : Study
    audits : dict of Audit
        Take the questions, as log entries under rules of severity `warning`.

    Returns
    -------
    Tally
        For `ask_whole`.
    """
    facts = gather(made, received, study, audits)
    for name in [name for name in facts.tables if schema.RAW[name].time]:
        _ask_times(facts, name)
    _ask_patients(facts)
    for name, asks in (("remission_events", _ask_relapses), ("chemotherapy_cycles", _ask_cycles),
                       ("dosing", _ask_doses), ("laboratory", _ask_laboratory)):
        if name in facts.tables:
            asks(facts)
    if "adverse_events" in facts.tables:
        _ask_events(facts)
    across.ask(facts)
    return Tally(across.arms(facts), _counts(facts) if "laboratory" in facts.tables else None)


def ask_whole(tallies: list[Tally], audits: dict[str, Audit]) -> None:
    """Put the questions on record that only the whole cohort answers.

    Parameters
    ----------
    tallies : list of Tally
        Of every part.
    audits : dict of Audit
        Of `patients`, and of a `laboratory` that holds the rows of `far`.
    """
    across.ask_arms(pd.concat([one.arms for one in tallies]).groupby("arm", sort=False, as_index=False).sum(),
                    audits["patients"])
    found = far(tallies)
    if len(found):
        lines = audits["laboratory"].lines
        audits["laboratory"].log("far_from_others", "value", received_texts(audits["laboratory"], "value"),
                                 "unchanged; " + lines.map(found), lines.index[lines.isin(found.index)])


def far(tallies: list[Tally]) -> pd.Series:
    """Lines of blood counts so far from the cohort's median that the unit may be wrong, with words that say so."""
    counts = [one.counts for one in tallies if one.counts is not None]
    if not counts:
        return pd.Series(dtype=object)
    whole = pd.concat(counts, ignore_index=True)
    by_test = whole.groupby("test", observed=True)["value"]
    median, enough = by_test.transform("median"), by_test.transform("size") >= ENOUGH
    rows = (whole["value"] > FAR_COUNT * median) & enough
    return _said("the median is", median[rows]).set_axis(whole.loc[rows, "line"])


def _is_later(frame: pd.DataFrame, column: str, known: pd.DataFrame, than: str, *, reverse: bool = False) -> pd.Series:
    """Whether a row's time lies after (or before) a time of its patient, by study day, else by date."""
    day, date = frame["patient_id"].map(known[day_name(than)]), frame["patient_id"].map(known[than])
    mine, my_date = frame[day_name(column)].astype("Float64"), frame[column]
    by_day = (mine < day.astype("Float64")) if reverse else (mine > day.astype("Float64"))
    by_date = (my_date < date) if reverse else (my_date > date)
    return by_day.fillna(False).astype(bool) | ((mine.isna() | day.isna()) & by_date)


def _ask_times(facts: Facts, name: str) -> None:
    """Rows after the last contact of a patient not known dead, and before the diagnosis."""
    frame, column, known = facts.tables[name], schema.RAW[name].time, facts.known
    last = known.rename(columns={"last_last_contact": "last_contact", "last_last_contact_day": "last_contact_day"})
    dead = known.index[known["last_death_date"].notna() | known["last_death_day"].notna()]
    alive = ~frame["patient_id"].isin(dead)
    facts.ask("after_last_contact", name, column, alive & _is_later(frame, column, last, "last_contact"))
    early = _is_later(frame, column, known, "diagnosis_date", reverse=True)
    # A month without a day was completed to its first: that may lie before the diagnosis of the same month.
    early &= ~frame.index.isin(facts.audits[name].rows("impute_partial_date", column))
    facts.ask("before_diagnosis", name, column, early)


def _ask_patients(facts: Facts) -> None:
    """Age against year of birth."""
    patients = facts.tables["patients"]
    year = patients[facts.study.origin].dt.year.fillna(patients["diagnosis_date"].dt.year)
    gap = (year - patients["birth_year"].astype("Float64") - patients["age"].astype("Float64")).astype("Float64")
    facts.ask("age_disagrees", "patients", "age", (gap > 1) | (gap < -1))


def _ask_relapses(facts: Facts) -> None:
    events = facts.tables["remission_events"].sort_values(["day", "date"])
    facts.ask("several_relapses", "remission_events", "date", events.duplicated("patient_id"))


def _ask_cycles(facts: Facts) -> None:
    """Cycles of intensive chemotherapy after maintenance began, or numbered against their dates."""
    cycles = facts.tables["chemotherapy_cycles"]
    if facts.study.origin == "maintenance_start":
        facts.ask("cycle_after_origin", "chemotherapy_cycles", "start_date", cycles["start_day"] > 0)
    ordered = cycles[cycles["start_day"].notna()].sort_values(["patient_id", "cycle"], kind="stable")
    before = ordered.groupby("patient_id")["start_day"].cummax().groupby(ordered["patient_id"]).shift(1)
    facts.ask("cycles_out_of_order", "chemotherapy_cycles", "start_date", ordered["start_day"] < before)


def _ask_doses(facts: Facts) -> None:
    """Doses before the first remission, and far beyond the plan."""
    dosing, plans = facts.tables["dosing"], facts.study.dose_plans
    given = dosing["dose"] > 0
    facts.ask("dose_before_remission", "dosing", "start_date",
              given & _is_later(dosing, "start_date", facts.known, "cr_date", reverse=True))
    most = {drug: max(plan["start"], plan["target"]) for drug, plan in plans.items()}
    highest = dosing["drug"].map(most).astype(float)
    planned = dosing["unit"] == dosing["drug"].map({drug: plan["unit"] for drug, plan in plans.items()})
    far = planned & (dosing["dose"] > FAR_DOSE * highest)
    facts.ask("dose_far_from_plan", "dosing", "dose", far, _said("the plan goes up to", highest[far]))


def _ask_laboratory(facts: Facts) -> None:
    """Limits of normal the wrong way round."""
    values = facts.tables["laboratory"]
    facts.ask("limits_reversed", "laboratory", "lower_limit_normal",
              values["lower_limit_normal"] > values["upper_limit_normal"])


def _counts(facts: Facts) -> pd.DataFrame:
    """Line, test and value of every blood count."""
    values = facts.tables["laboratory"]
    counts = values[values["test"].isin(COUNTS) & (values["value"] > 0)]
    return pd.DataFrame({"line": counts["source_line"].astype("int64"), "test": pd.Categorical(counts["test"], COUNTS),
                         "value": counts["value"]})


def _said(words: str, values: pd.Series) -> pd.Series:
    return pd.Series([f"{words} {value:g}" for value in values], values.index, dtype=object)


def _ask_events(facts: Facts) -> None:
    """Adverse events long before follow-up, and fatal ones of living patients."""
    events, known = facts.tables["adverse_events"], facts.known
    facts.ask("event_before_followup", "adverse_events", "start_date", events["start_day"] < -YEAR)
    dead = known["last_death_date"].notna() | known["last_death_day"].notna() | known["last_status"].fillna(
        "").str.startswith("died")
    facts.ask("grade_five_alive", "adverse_events", "grade",
              (events["grade"] == 5) & ~events["patient_id"].isin(known.index[dead]))
