"""Marker results for readers: two tables and a paragraph."""

from __future__ import annotations

import pandas as pd

from remission.mrd import evidence
from remission.mrd.markers import GROUPS, MARKERS, Marker


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Times by marker group, with the two tests.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    DataFrame
        One row an arm, marker and group: `arm`, `marker`, `group`, `patients`, `relapses`, `median`; `log-rank` and
        `permutation` stand in the marker's first row.

    Examples
    --------
    >>> from remission import results
    >>> table(results.frame([])).empty
    True
    """
    found = rows.set_index(["arm", "endpoint", "statistic"])
    made = []
    for arm, marker in _analysed(rows):
        tests = [found.loc[(arm, marker.key, name), "display"] for name in ("p", "permutation_p")]
        for group, words in zip(GROUPS, marker.words, strict=True):
            if (arm, marker.key, f"median[{group}]") in found.index:
                median = found.loc[(arm, marker.key, f"median[{group}]")]
                made.append([arm, marker.label, words, *median[["n", "events", "display"]], *tests])
                tests = ["", ""]
    return pd.DataFrame(made, columns=["arm", "marker", "group", "patients", "relapses", "median", "log-rank",
                                       "permutation"])


def estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios of every marker, one row a comparison.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    DataFrame
        `arm`, `marker`, `comparison`, `HR`, `lower`, `upper` (Firth), `patients`, `relapses`, `display`; then, in the
        marker's first row, `ordinary Cox`, `Harrell`, `IPCW`, `power`, `verdict`.

    Examples
    --------
    >>> from remission import results
    >>> estimates(results.frame([])).empty
    True
    """
    found = rows.set_index(["arm", "endpoint", "statistic"])
    whole = ("HR_cox", "concordance", "concordance_ipcw", "power", "verdict")
    made = []
    for arm, marker in _analysed(rows):
        for statistic in ("HR", "HR[IQR]", "HR[split]"):
            if (arm, marker.key, statistic) not in found.index:
                continue
            fit = found.loc[(arm, marker.key, statistic)]
            what = fit["method"].split("; ")[-1].split(" (")[0]
            others = [found.loc[(arm, marker.key, name), "display"] if statistic == "HR" else "" for name in whole]
            made.append([arm, marker.label, what, *fit[["value", "lower", "upper", "n", "events", "display"]], *others])
    return pd.DataFrame(made, columns=["arm", "marker", "comparison", "HR", "lower", "upper", "patients", "relapses",
                                       "display", "ordinary Cox", "Harrell", "IPCW", "power", "verdict"])


def in_words(rows: pd.DataFrame) -> str:
    """What the markers can and cannot say, in one paragraph an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_markers`.

    Returns
    -------
    str
        Markdown; one line when there is nothing to say.

    Examples
    --------
    >>> from remission import results
    >>> in_words(results.frame([]))
    'No marker is known in this cohort.'
    """
    arms = list(dict.fromkeys(rows.loc[rows["statistic"] == "verdict", "arm"]))
    if not arms:
        return "No marker is known in this cohort."
    words = [_arm_in_words(rows[rows["arm"] == arm], arm) for arm in arms]
    if (rows["display"] == evidence.NEITHER).any():
        words.append("Where there is no evidence either way, a non-significant p-value is absence of evidence. It is "
                     "no evidence of absence, and does not support the sentence that the marker is not predictive.")
    return "\n\n".join(words)


def _arm_in_words(mine: pd.DataFrame, arm: str) -> str:
    labels = {marker.key: marker.label for marker in MARKERS}
    verdicts = mine[mine["statistic"] == "verdict"]
    words = [f"**{'All arms together' if arm == 'all' else arm}.**"]
    for said in (evidence.FOR, evidence.REVERSE, evidence.AGAINST, evidence.NEITHER, evidence.NONE):
        names = [labels[key] for key in verdicts.loc[verdicts["display"] == said, "endpoint"]]
        if names:
            words.append(f"{said[0].upper()}{said[1:]}: {'; '.join(names)}.")
    power = mine.loc[(mine["statistic"] == "power") & mine["value"].notna(), "value"]
    least = mine.loc[(mine["statistic"] == "detectable_HR") & mine["value"].notna(), "value"]
    if len(power):
        words.append(f"Power to see a hazard ratio at the upper margin was {_span(power, '.0f')}%, the hazard ratio "
                     f"that would have been seen with 80% power {_span(least, '.1f')}.")
    return " ".join(words)


def _analysed(rows: pd.DataFrame) -> list[tuple[str, Marker]]:
    """Arm and marker of everything that was analysed, in the order of the rows."""
    by_key = {marker.key: marker for marker in MARKERS}
    pairs = dict.fromkeys(zip(rows["arm"], rows["endpoint"], strict=True))
    return [(arm, by_key[key]) for arm, key in pairs if key in by_key]


def _span(values: pd.Series, form: str) -> str:
    low, high = f"{values.min():{form}}", f"{values.max():{form}}"
    return low if low == high else f"{low} to {high}"
