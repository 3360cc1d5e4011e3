"""Sentences that carry the numbers of dose delivery, so that no number is typed by hand."""

from __future__ import annotations

import pandas as pd

from remission.toxicity.exposure_response import LANDMARKS


def _groups(rows: pd.DataFrame, analysis: str):
    """Place in words and displays by statistic, a drug and arm at a time."""
    chosen = rows[rows["analysis"] == analysis]
    for (drug, arm), group in chosen.groupby(["endpoint", "arm"], sort=False):
        yield f"**{drug}**, {arm}", group.set_index("statistic")


def _at(group: pd.DataFrame, statistic: str) -> list[tuple[str, str]]:
    """Label in square brackets and display of every time of one statistic."""
    mine = group[group.index.str.startswith(f"{statistic}[")]
    return [(name.partition("[")[2].removesuffix("]"), said) for name, said in mine["display"].items()]


def _listed(pairs: list[tuple[str, str]]) -> str:
    return "; ".join(f"{label} {said}" for label, said in pairs)


def target(rows: pd.DataFrame) -> str:
    """Sentence on the time to the target dose; empty without any.

    Examples
    --------
    >>> from remission.results import frame
    >>> target(frame([]))
    ''
    """
    parts = [f"{place} (n = {group['n'].iloc[0]}): target reached by {_listed(_at(group, 'reached'))}. Half of all had "
             f"reached it by: {group.loc['half', 'display']}." for place, group in _groups(rows, "target")]
    return " ".join(parts)


def at_target(rows: pd.DataFrame) -> str:
    """Sentence on who was at the target dose on fixed days, under both denominators; empty without any."""
    parts = [f"{place}: at target on the day, of all evaluable: {_listed(_at(group, 'at'))}. Of those alive in "
             f"remission: {_listed(_at(group, 'at_in_remission'))}." for place, group in _groups(rows, "target")
             if _at(group, "at")]
    return " ".join(parts)


def first_reduction(rows: pd.DataFrame) -> str:
    """Sentence on the cumulative incidence of the first reduction for an adverse event; empty without any."""
    parts = [f"{place}: {_listed(_at(group, 'adverse_event'))}." for place, group in _groups(rows, "first_reduction")]
    return "Cumulative incidence of the first reduction for an adverse event. " + " ".join(parts) if parts else ""


def interruptions(rows: pd.DataFrame) -> str:
    """Sentence on interruptions; empty without doses."""
    parts = []
    for place, group in _groups(rows, "interruption"):
        long = f", {group.loc['days', 'display']} each patient" if "days" in group.index else ""
        parts.append(f"{place}: interrupted in {group.loc['patients', 'display']}; interruptions: "
                     f"{group.loc['number', 'display']}{long}; {group.loc['share', 'display']} of the days from first "
                     "to last dose.")
    return " ".join(parts)


def persistence(rows: pd.DataFrame) -> str:
    """Sentence on how long patients stayed on each drug, under each reading; empty without any."""
    parts = []
    for place, group in _groups(rows, "persistence"):
        parts.append(f"{place}: median time on the drug {group.loc['on_drug_median', 'display']} when every end "
                     f"counts, {group.loc['censored_median', 'display']} with relapse and death censored. Given up "
                     f"while in remission: {_listed(_at(group, 'stopped_in_remission'))}.")
    return " ".join(parts)


def exposure(rows: pd.DataFrame) -> str:
    """Sentence on dose and relapse: the bias as a number, and what the data can say; empty without interferon."""
    parts = []
    for place, group in _groups(rows, "exposure_response"):
        said = [f"{place}. {_naive(group)}"]
        said += [_pair(group, label) for label in LANDMARKS if f"landmark_HR[{label}]" in group.index]
        parts.append(" ".join([*said, _conclusion(group)]))
    return " ".join(parts)


def _naive(group: pd.DataFrame) -> str:
    words = f"From day 0, by total dose (looks ahead): hazard ratio {group.loc['total_HR', 'display']}"
    chance = group.loc["total_null_HR", "display"] if "total_null_HR" in group.index else ""
    return words + (f"; this comparison returns {chance} when dose cannot matter." if chance else ".")


def _pair(group: pd.DataFrame, label: str) -> str:
    fair, naive = group.loc[f"landmark_HR[{label}]"], group.loc[f"same_patients_HR[{label}]"]
    return (f"In remission at {label} (n = {fair['n']}, {fair['events']} relapses later): {naive['display']} by total "
            f"dose, {fair['display']} by the dose up to then; the first over the second is "
            f"{group.loc[f'bias[{label}]', 'display']}.")


def _conclusion(group: pd.DataFrame) -> str:
    known = [name for name in group.index if name.startswith("landmark_HR[") and pd.notna(group.loc[name, "lower"])]
    if not known:
        return "No landmark comparison can be estimated: these data say nothing about dose and relapse."
    clear = [name for name in known if group.loc[name, "lower"] > 1 or group.loc[name, "upper"] < 1]
    seen = [group.loc[f"detectable_HR[{name.partition('[')[2]}", "display"] for name in known]
    verdict = (f"{len(clear)} of {len(known)} landmark intervals exclude 1, without correction for their number; dose "
               "was not assigned at random, so even that is no effect of dose." if clear else
               "Every landmark interval holds 1: these data neither show nor exclude an effect of dose.")
    return (f"{verdict} Smallest effects that the splits would have shown with 80% power: hazard ratios "
            f"{'; '.join(seen)}.")
