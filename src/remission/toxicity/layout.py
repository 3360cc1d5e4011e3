"""Results of this part laid out as tables for publication: every cell is the display string of one result."""

from __future__ import annotations

import pandas as pd

from remission.ctcae import LABELS
from remission.publication import Table, arrange, heading
from remission.study import Study
from remission.toxicity.counts import population
from remission.toxicity.events import ANY_CLASS, ORDER, WHOLE_CLASS
from remission.toxicity.laboratory import JOINED

#: Words for a statistic; what stands in brackets behind it goes in the place of {time}. They give the order of lines.
EVENT_WORDS = {"any": "any grade", "grade3plus": "grade 3 or worse"}
GRADE_WORDS = {"any": "any grade", "grade3": "worst grade 3", "grade4": "worst grade 4",
               "grade3plus": "grade 3 or worse"}
DOSE_WORDS = {
    ("dose", "start"): "first dose", ("dose", "target"): "highest dose", ("dose", "planned"): "first dose",
    ("dose", "at_target"): "ever at the target dose",
    ("target", "half"): "day by which half had reached the target dose",
    ("target", "at"): "at the target dose after {time}",
    ("reduction", "patients"): "reduced, interrupted or stopped for an adverse event",
    ("reduction", "lowered"): "lower dose for an adverse event",
    ("reduction", "stopped"): "stopped for an adverse event",
    ("first_reduction", "adverse_event"): "first change for an adverse event within {time}, incidence",
    ("interruption", "patients"): "interrupted for any reason",
    ("persistence", "on_drug"): "still on the drug after {time}",
    ("persistence", "on_drug_median"): "median time on the drug",
    ("rdi", "median"): "relative dose intensity, {time}",
}
BASELINE_WORDS = {"age": "Age, years", "sex": "Sex", "transcript": "BCR::ABL1 transcript",
                  "cycles": "Cycles of intensive chemotherapy", "lead": "From diagnosis to the time origin"}
NUMBER_WORDS = {"median": "median", "min": "lowest", "max": "highest"}
EXACT = "CI: exact (Clopper-Pearson) 95% confidence interval of the percentage."
PATIENTS = "Each patient counts once a line, at the worst grade; N is the number of patients, with or without an event."
ARMS = "Arms stand side by side and are not tested against each other."
EMPTY = "An empty cell: not counted for that arm or population."


def adverse_events(rows: pd.DataFrame, order: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Table:
    """Patients with adverse events, by system organ class and preferred term.

    Parameters
    ----------
    rows : DataFrame
        Results of `event_results` and, if wanted, of `class_results`.
    order : DataFrame
        From `class_table` or `event_table`: columns AEBODSYS and AEDECOD give each term its class, and the lines their
        order.
    adsl : DataFrame
        Gives N.
    study : Study

    Returns
    -------
    Table
        A group a class, a line a term, and for each arm any grade and grade 3 or worse.
    """
    lines = order.reindex(columns=["AEBODSYS", "AEDECOD"]).drop_duplicates(ignore_index=True)
    terms = lines[lines["AEDECOD"] != WHOLE_CLASS].set_index("AEDECOD")["AEBODSYS"]
    rows = rows[rows["analysis"].isin(["ae", "ae_class"]) & (rows["endpoint"] != ANY_CLASS)
                & (rows["population"] == "all")].copy()
    of_class = rows["analysis"] == "ae_class"
    rows["group"] = rows["endpoint"].where(of_class, rows["endpoint"].map(terms))
    rows["label"] = rows["endpoint"].where(~of_class, WHOLE_CLASS)
    place = pd.Series(range(len(lines)), index=pd.MultiIndex.from_frame(lines), dtype=int)
    rows["place"] = place.reindex(pd.MultiIndex.from_frame(rows[["group", "label"]])).to_numpy()
    shown = rows[rows["statistic"].isin(EVENT_WORDS)].sort_values("place", kind="stable")
    said = _unknown(rows[rows["analysis"] == "ae"].sort_values("place", kind="stable"))
    notes = (PATIENTS, EXACT, "Treatment-emergent events only. " + ORDER, ARMS,
             f"A patient whose grade is unknown counts under any grade and not under grade 3 or worse: {said}.")
    frame = arrange(_by_arm(shown, adsl, study, EVENT_WORDS), "label", "column", "group")
    return Table(frame, "adverse_events", "Adverse events by system organ class and preferred term", notes)


def _unknown(rows: pd.DataFrame) -> str:
    """Patients of unknown grade, in words; rows with `label`."""
    found = rows[(rows["statistic"] == "unknown") & (rows["population"] == "all") & (rows["value"] > 0)]
    return "; ".join(f"{one.label} {one.events} of {one.n} ({one.arm})" for one in found.itertuples()) or "none here"


def laboratory(rows: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Table:
    """Patients by worst laboratory grade under treatment.

    Parameters
    ----------
    rows : DataFrame
        Results of `cytopenia_results` and, if wanted, of `laboratory_results`.
    adsl : DataFrame
    study : Study

    Returns
    -------
    Table
        A group a test (cytopenia under each version of the criteria first), a line a grade, a column an arm and
        population.
    """
    rows = _split(rows[rows["analysis"].isin(["cytopenia", "laboratory"])])
    single = rows["analysis"] == "laboratory"
    # Single tests stand under the study's version; the worst of all blood counts is the cytopenia of the first groups.
    other = single & (rows["endpoint"].str.contains(" CTCAE ", regex=False) | (rows["endpoint"] == JOINED["cytopenia"]))
    rows, single = rows[~other], single[~other]
    first = "Any cytopenia, CTCAE "
    said = _unknown(rows[single].assign(label=rows.loc[single, "endpoint"].replace(LABELS)))
    rows = rows[rows["short"].isin(GRADE_WORDS)].copy()
    version = rows["endpoint"].replace("-", study.ctcae_version).str.removeprefix("CTCAE ")
    rows["group"] = (first + version).where(rows["analysis"] == "cytopenia", rows["endpoint"].replace(LABELS))
    rows["label"] = rows["short"].map(GRADE_WORDS)
    notes = ("Each patient counts once a line, at the worst grade under treatment: after the time origin, before "
             "relapse, at most 30 days after the last dose.", EXACT,
             "Any cytopenia: the worst of neutrophils, platelets, haemoglobin and leukocytes. "
             f"Single tests are graded under CTCAE {study.ctcae_version}.",
             f"Patients without a gradable value stay in N: {said}.", EMPTY, ARMS)
    order = {name: place for place, name in enumerate(GRADE_WORDS)}
    groups = {name: place for place, name in enumerate(rows.sort_values("analysis", kind="stable")["group"].unique())}
    rows["place"] = [(groups[group], order[short]) for group, short in zip(rows["group"], rows["short"], strict=True)]
    rows = rows.sort_values("place", kind="stable")
    frame = arrange(_by_arm(rows, adsl, study), "label", "column", "group")
    return Table(frame, "laboratory", "Worst laboratory grades under treatment", notes)


def dose(rows: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Table:
    """Delivery of each drug: doses, reductions, persistence, dose intensity.

    Parameters
    ----------
    rows : DataFrame
        Results of this part; those named in `DOSE_WORDS` are taken.
    adsl : DataFrame
    study : Study

    Returns
    -------
    Table
        A group a drug, a line a statistic, a column an arm and population.
    """
    rows = _split(rows)
    keys, order = list(zip(rows["analysis"], rows["short"], strict=True)), list(DOSE_WORDS)
    rows["label"] = [DOSE_WORDS[key].format(time=time) if key in DOSE_WORDS else None
                     for key, time in zip(keys, rows["time"], strict=True)]
    rows["place"] = [order.index(key) if key in DOSE_WORDS else -1 for key in keys]
    rows = rows[rows["place"] >= 0].assign(group=rows["endpoint"])
    drugs = dict.fromkeys([*study.dose_plans, *sorted(rows["endpoint"].unique())])  # planned drugs first
    rows["drug"] = rows["group"].map({drug: place for place, drug in enumerate(drugs)})
    rows = rows.sort_values(["drug", "place"], kind="stable")
    notes = ("Doses: the commonest among treated patients, with the range. Counts: patients of N; " + EXACT,
             "Relative dose intensity: median and range over n patients. To stop: against the target dose from day 1, "
             "until the last dose of the drug; to end of maintenance: the same until the last dose of any drug, with "
             "zeros after the stop; ramp plan: against the planned escalation.",
             "Incidence: Aalen-Johansen; a stop, relapse or death before it competes. Still on the drug: Kaplan-Meier, "
             "relapse and death are stops.",
             EMPTY, ARMS)
    frame = arrange(_by_arm(rows, adsl, study), "label", "column", "group")
    return Table(frame, "dose_delivery", "Delivery of the planned doses", notes)


def baseline(rows: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> Table:
    """Patients at baseline.

    Parameters
    ----------
    rows : DataFrame
        Baseline results: analyses `age`, `sex`, `transcript`, `cycles`, `lead`.
    adsl : DataFrame
        All its patients count.
    study : Study

    Returns
    -------
    Table
        A group a characteristic, a line a statistic or category, a column an arm.
    """
    rows = rows[rows["analysis"].isin(list(BASELINE_WORDS)) & rows["arm"].isin(study.arm_keys)].copy()
    sizes = adsl["TRT01A"].value_counts()
    rows["group"], rows["label"] = rows["analysis"].map(BASELINE_WORDS), rows["statistic"].replace(NUMBER_WORDS)
    rows["place"] = rows["analysis"].map({name: place for place, name in enumerate(BASELINE_WORDS)})
    rows["column"] = [heading(arm, sizes[arm]) for arm in rows["arm"]]
    rows = rows.sort_values("place", kind="stable")
    few = rows[rows["n"].astype(int) < rows["arm"].map(sizes).astype(int)].drop_duplicates(["group", "arm"])
    said = "; ".join(f"{one.group}, {one.arm}: {one.n} of {sizes[one.arm]} known" for one in few.itertuples())
    notes = ("Medians and counts are over patients with a value" + (f" ({said})." if said else "."),
             "Differences between arms are not tested: a test does not say whether an imbalance matters.")
    return Table(arrange(rows, "label", "column", "group"), "baseline", "Patients at baseline", notes)


def _split(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `short` and `time`: a statistic's name, and what stands in brackets behind it."""
    parts = [one.removesuffix("]").partition("[") for one in rows["statistic"]]
    return rows.assign(short=[part[0] for part in parts], time=[part[2] for part in parts])


def _by_arm(rows: pd.DataFrame, adsl: pd.DataFrame, study: Study, words: dict[str, str] | None = None) -> pd.DataFrame:
    """Add `column`, in the order of arms: arm and N of the population, and with `words` the statistic."""
    populations = {"all": "", "ifn_evaluable": ", evaluable for interferon"}
    columns = {}
    for code, said in populations.items():
        sizes = population(adsl, code)["TRT01A"].value_counts()
        for arm in study.arm_keys:
            for statistic in words or [""]:
                columns[arm, code, statistic] = heading(arm + said, sizes.get(arm, 0), (words or {}).get(statistic, ""))
    keys = list(zip(rows["arm"], rows["population"], rows["statistic"] if words else [""] * len(rows), strict=True))
    heads = pd.Categorical([columns.get(key) for key in keys], categories=list(columns.values()))
    return rows.assign(column=heads).dropna(subset="column")
