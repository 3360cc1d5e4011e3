"""Questions across tables: patients, arms and events of which the tables tell different stories; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from remission.cleaning.audit import Audit
    from remission.cleaning.questions import Facts

#: Drug that an action with study treatment is about, by the action's first word.
ACTED_ON = {"IFN": "interferon", "imatinib": "imatinib"}


def ask(facts: Facts) -> None:
    """Put every question about the agreement of tables on record.

    Parameters
    ----------
    facts : Facts
        From `questions.gather`.
    """
    _ask_status(facts)
    if "dosing" in facts.tables:
        _ask_exposure(facts)
        _ask_reasons(facts)
    if "mrd" in facts.tables:
        _ask_samples(facts)


def _ask_status(facts: Facts) -> None:
    """Last words that leave a patient out of the analysis, or say less than they should."""
    last, known = facts.tables["disposition"], facts.known
    status = last["status"].fillna("")
    dated = last["death_date"].notna() | last["death_day"].notna()
    facts.ask("died_without_date", "disposition", "death_date", status.str.startswith("died") & ~dated)
    facts.ask("status_unknown", "disposition", "status", status == "unknown")
    seen = last["last_contact"].notna() | last["last_contact_day"].notna() | dated
    refractory = status == "never in remission"
    facts.ask("contact_missing", "disposition", "last_contact", ~seen & ~refractory)
    patients, origin = facts.tables["patients"], facts.study.origin
    if origin in facts.received["patients"]:
        never = known.index[known["last_status"] == "never in remission"]
        facts.ask("origin_missing", "patients", origin,
                  patients[origin].isna() & ~patients["patient_id"].isin(never))
    relapsed = last["patient_id"].isin(facts.tables["remission_events"]["patient_id"])
    facts.ask("no_follow_up", "disposition", "last_contact", (last["last_contact_day"] == 0) & ~dated & ~relapsed)


def arms(facts: Facts) -> pd.DataFrame:
    """Patients of each arm, and those of them who relapsed or died; one row an arm of study.toml.

    Returns
    -------
    DataFrame
        arm, patients, ill, and `unread`: how many patients' arms cannot be read.
    """
    patients, known = facts.tables["patients"], facts.known
    dead = known.index[known["last_death_date"].notna() | known["last_death_day"].notna() | known["last_status"].fillna(
        "").str.startswith("died")]
    told = known.index[known["last_status"].fillna("").str.endswith("after relapse")]
    ill = patients["patient_id"].isin({*facts.tables["remission_events"]["patient_id"], *dead, *told})
    unread = len(facts.audits["patients"].faulty("arm"))
    return pd.DataFrame([(arm, int(mine.sum()), int((mine & ill).sum()), unread) for arm in facts.study.arm_keys
                         for mine in [patients["arm"] == arm]], columns=["arm", "patients", "ill", "unread"])


def ask_arms(counts: pd.DataFrame, audit: Audit) -> None:
    """Arms of study.toml without patients, and without any event; not while the arm of a patient is open.

    Parameters
    ----------
    counts : DataFrame
        From `arms`, of the whole cohort.
    audit : Audit
        Of `patients`.
    """
    for row in counts[counts["unread"] == 0].itertuples():
        if not row.patients:
            audit.log_table("arm_without_patients", "arm", row.arm, "unchanged")
        elif not row.ill:
            audit.log_table("arm_without_event", "arm", row.arm,
                            f"unchanged; none of {row.patients} patients relapsed or died")


def _ask_exposure(facts: Facts) -> None:
    """Drugs that an arm plans and a patient did not get, and the reverse."""
    patients, dosing = facts.tables["patients"], facts.tables["dosing"]
    planned = {arm.key: arm.drugs for arm in facts.study.arms if arm.drugs}
    given = set(zip(dosing["patient_id"], dosing["drug"], strict=True))
    lacking = {row: [drug for drug in planned.get(arm, ()) if (who, drug) not in given]
               for row, who, arm in zip(patients.index, patients["patient_id"], patients["arm"], strict=True)}
    why = pd.Series({row: "no dose of " + " and ".join(drugs) + " is recorded"
                     for row, drugs in lacking.items() if drugs}, dtype=object)
    facts.ask("without_exposure", "patients", "patient_id", pd.Series(True, why.index), why)
    arms = dosing["patient_id"].map(facts.known["arm"])
    pairs = {(arm, drug) for arm, drugs in planned.items() for drug in drugs}
    strange = pd.Series([arm in planned and drug is not None and (arm, drug) not in pairs
                         for arm, drug in zip(arms, dosing["drug"], strict=True)], dosing.index, dtype=bool)
    facts.ask("drug_outside_arm", "dosing", "drug", strange & (dosing["dose"] > 0))


def _ask_reasons(facts: Facts) -> None:
    """Doses that ended for an event that no table knows; actions on a drug that nobody got."""
    dosing, known = facts.tables["dosing"], facts.known
    relapsed = set(facts.tables["remission_events"]["patient_id"]) | set(
        known.index[known["last_status"].fillna("").str.endswith("after relapse")])
    dead = set(known.index[known["last_death_date"].notna() | known["last_death_day"].notna() | known[
        "last_status"].fillna("").str.startswith("died")])
    for reason, those in (("relapse", relapsed), ("death", dead)):
        facts.ask("stopped_without_event", "dosing", "reason_for_change",
                  (dosing["reason_for_change"] == reason) & ~dosing["patient_id"].isin(those),
                  f"no {reason} of this patient is recorded")
    if "adverse_events" in facts.tables:
        events = facts.tables["adverse_events"]
        for word, drug in ACTED_ON.items():
            got = set(dosing.loc[dosing["drug"].fillna("").str.startswith(drug), "patient_id"])
            acted = events["action_taken"].fillna("").str.startswith(f"{word} ")
            facts.ask("action_without_drug", "adverse_events", "action_taken",
                      acted & ~events["patient_id"].isin(got), f"no dose of {drug} is recorded")


def _ask_samples(facts: Facts) -> None:
    """Mutations of patients without samples, and samples of patients without a transcript."""
    sampled = set(facts.tables["mrd"]["patient_id"])
    if "mutations" in facts.tables:
        mutations = facts.tables["mutations"]
        found = mutations["variant"].notna() & (mutations["variant"] != "none")
        facts.ask("mutation_without_mrd", "mutations", "variant", found & ~mutations["patient_id"].isin(sampled))
    patients = facts.tables["patients"]
    if "transcript" in facts.received["patients"]:
        facts.ask("transcript_missing", "patients", "transcript",
                  patients["transcript"].isna() & patients["patient_id"].isin(sampled))
