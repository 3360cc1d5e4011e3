"""The definition grid: one comparison of two arms under every reading of its words, event rule x clock x test."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import results
from remission.estimators import comparisons, competing, curves, models, wording
from remission.estimators.models import HazardRatio
from remission.study import Study
from remission.survival import exact
from remission.survival.endpoints import DEATH_IN_REMISSION, RELAPSE, by_arm, endpoint

#: Event rules. The last one chooses patients by what happened to them later; it is seen in print and is wrong.
RULES = {
    "relapse": "relapse; death in remission censored",
    "either": "relapse or death in remission",
    "competing": "relapse; death in remission competing",
    "excluded": "wrong: the dead in remission left out",
}
WRONG = ("excluded",)
#: Clocks that start before observation may do so: column of `adsl` with the starting day, and words.
EARLIER = {"remission": ("CRDY", "first complete remission"), "diagnosis": ("DXDY", "diagnosis")}


class Kind(NamedTuple):
    """A test: words, head of its column, the hazard ratio that goes with it, and the test it stands for elsewhere."""

    words: str
    short: str
    ratio: str
    stands_for: str


#: Tests in the order of tables and figures. Where tests are held fixed, one of the subdistribution stands for its
#: likeness among the others; the one-sided test stands for none.
TESTS = {
    "logrank": Kind("log-rank", "log-rank", "HR", "logrank"),
    "one_sided": Kind("log-rank, one-sided", "one-sided", "HR", ""),
    "gehan": Kind("Gehan", "Gehan", "HR", "gehan"),
    "fh01": Kind("Fleming-Harrington (0, 1)", "FH (0, 1)", "HR", "fh01"),
    "fh11": Kind("Fleming-Harrington (1, 1)", "FH (1, 1)", "HR", "fh11"),
    "permutation": Kind("log-rank, permutation", "permutation", "HR", "permutation"),
    "cox_wald": Kind("Cox, Wald", "Cox, Wald", "HR", "cox_wald"),
    "cox_lr": Kind("Cox, likelihood ratio", "Cox, LR", "profile_HR", "cox_lr"),
    "firth": Kind("Cox, Firth-penalised", "Firth", "firth_HR", "firth"),
    "gray": Kind("Gray", "Gray", "subdistribution_HR", "logrank"),
    "fine_gray": Kind("Fine-Gray, Wald", "Fine-Gray", "subdistribution_HR", "cox_wald"),
}
WEIGHTS = {"logrank": "log-rank", "gehan": "Gehan", "fh01": (0, 1), "fh11": (1, 1)}
PRIMARY = ("relapse", "start", "logrank")
#: Above this many patients permutation adds nothing that the log-rank test does not say, and takes long.
MOST_PERMUTED = 500
SPECIFICATIONS = ["rule", "origin", "test", "p", "estimate", "lower", "upper", "median_ratio", "n", "events", "note",
                  "wrong", "primary", "rule_key", "origin_key", "test_key"]


class Clock(NamedTuple):
    """Where time is counted from, as days before the start of observation, and whether entry is allowed for."""

    name: str
    label: str
    start: np.ndarray
    truncated: bool


def grid(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study, seed: int, draws: int = 50_000) -> pd.DataFrame:
    """Compare two arms under every event rule, from every clock, by every test.

    Parameters
    ----------
    adsl : DataFrame
        Analysis table `adsl`: `CRDY` and `DXDY` are the days of the earlier clocks, zero or negative.
    adtte : DataFrame
        Analysis table `adtte` with endpoint TTRLP; days.
    study : Study
    seed : int
        For permutation tests that cannot be enumerated.
    draws : int
        Random allocations of such a test; fewer in a large cohort.

    Returns
    -------
    DataFrame
        Results `grid.<rule>@<clock>`: a p for each test, the hazard ratios that go with them, and the ratio of the
        medians, other arm to reference. Empty without two arms.

    Notes
    -----
    With death in remission competing, the cause-specific test of relapse is that of the rule that censors the dead, to
    the last digit, and is not repeated. Under delayed entry there is no permutation test, since patients who entered at
    different times cannot change places, and no Gray test.

    Source
    ------
    Specification curves: Simonsohn and others, Nat Hum Behav 2020;4:1208.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> grid(pd.DataFrame(), nobody, Study("demo", "own", "", "", (Arm("A", "A"),)), seed=1).empty
    True
    """
    data = endpoint(adtte, "TTRLP")
    if not study.contrast or data["arm"].nunique() != 2:
        return results.frame([])
    rows = []
    for rule in rules(data):
        for clock in clocks(adsl, data, study)[0]:
            if not possible(rule, clock):
                continue
            mine = counted(data, rule, clock)
            if mine["arm"].nunique() != 2:
                continue
            rows += _competing_rows(mine, clock, study) if rule == "competing" else \
                _rule_rows(mine, rule, clock, study, seed, draws)
    return results.frame(rows)


def rules(data: pd.DataFrame) -> list[str]:
    """Event rules that differ in these patients: one where nobody died in remission.

    Examples
    --------
    >>> rules(pd.DataFrame({"code": [0, 1]}))
    ['relapse']
    """
    return list(RULES) if (data["code"] == DEATH_IN_REMISSION).any() else ["relapse"]


def clocks(adsl: pd.DataFrame, data: pd.DataFrame, study: Study) -> tuple[list[Clock], list[str]]:
    """Clocks that a cohort allows, and why it does not allow the others.

    Parameters
    ----------
    adsl : DataFrame
    data : DataFrame
        From `endpoints.endpoint`, time counted from the study's own origin.
    study : Study

    Returns
    -------
    tuple
        Clocks, and a phrase for each that is absent. An earlier clock comes twice: with the time before observation
        taken as time at risk, and with entry delayed until observation starts.

    Examples
    --------
    >>> from remission.study import Arm
    >>> adsl = pd.DataFrame({"USUBJID": ["1"], "CRDY": [-90], "DXDY": [0]})
    >>> found, absent = clocks(adsl, pd.DataFrame({"patient": ["1"]}), Study("demo", "own", "", "", (Arm("A", "A"),)))
    >>> [clock.name for clock in found], absent
    (['start', 'remission', 'remission_truncated'], ['diagnosis is the time origin itself'])
    """
    made, absent = [Clock("start", study.origin_label, np.zeros(len(data)), False)], []
    for name, (column, label) in EARLIER.items():
        start = pd.to_numeric(adsl.set_index("USUBJID")[column]).reindex(data["patient"])
        start = start.to_numpy(float, na_value=np.nan)
        late = int((start > 0).sum())
        if np.isnan(start).all():
            absent.append(f"{label} is not recorded")
        elif late:
            absent.append(f"{label} comes after the start of observation in {late} of {len(data)} patients")
        elif not (start < 0).any():
            absent.append(f"{label} is the time origin itself")
        else:
            made += [Clock(name, label, start, False),
                     Clock(f"{name}_truncated", f"{label}, at risk from {study.origin_label}", start, True)]
    return made, absent


def grid_scope(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study) -> str:
    """Say which rules and clocks a cohort allows, and why not the others.

    Parameters
    ----------
    adsl, adtte : DataFrame
        As in `grid`.
    study : Study

    Returns
    -------
    str
        Markdown; empty without two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> nobody = pd.DataFrame(columns=["USUBJID", "TRT01A", "PARAMCD", "AVAL", "CNSR", "ENTRYDY"])
    >>> grid_scope(pd.DataFrame(), nobody, Study("demo", "own", "", "", (Arm("A", "A"),)))
    ''
    """
    data = endpoint(adtte, "TTRLP")
    if not study.contrast or data["arm"].nunique() != 2:
        return ""
    found, absent = clocks(adsl, data, study)
    number = len(rules(data))
    said = [f"*Event rules:* {'one, since nobody died in remission' if number == 1 else number}.",
            f"*Clocks:* {'; '.join(_clock_words(clock.name, study) for clock in found)}."]
    if absent:
        said.append(f"*Not possible here:* {'; '.join(absent)}.")
    for clock in found:
        known = int((~np.isnan(clock.start)).sum())
        if known < len(data) and not clock.truncated:
            said.append(f"From {clock.label}: the {known} of {len(data)} patients with that date.")
    return " ".join(said)


def possible(rule: str, clock: Clock) -> bool:
    """Whether a rule can be read from a clock: there is no test of competing events under delayed entry.

    Examples
    --------
    >>> possible("competing", Clock("remission_truncated", "first complete remission", np.zeros(1), True))
    False
    """
    return rule != "competing" or not clock.truncated


def counted(data: pd.DataFrame, rule: str, clock: Clock) -> pd.DataFrame:
    """Patients, times and events as one rule and one clock have them.

    Parameters
    ----------
    data : DataFrame
        From `endpoints.endpoint`, time counted from the study's own origin.
    rule : str
        One of `RULES`.
    clock : Clock
        From `clocks`.

    Returns
    -------
    DataFrame
        Those whom both have, with `time`, `entry` (days from the clock's start) and `event`.

    Examples
    --------
    >>> one = pd.DataFrame({"patient": ["a"], "time": [50], "code": [2], "event": [False], "entry": [0]})
    >>> late = Clock("remission", "first complete remission", np.array([-30.0]), True)
    >>> counted(one, "either", late)[["time", "entry", "event"]].values.tolist()
    [[80, 30, True]]
    """
    before = np.where(np.isnan(clock.start), 0, -clock.start).astype("int64")
    made = data.assign(time=data["time"] + before, entry=before if clock.truncated else 0,
                       event=data["code"] > 0 if rule == "either" else data["code"] == RELAPSE)
    kept = ~np.isnan(clock.start) & ((made["time"] > made["entry"]) | (not clock.truncated))
    if rule == "excluded":
        kept &= made["code"] != DEATH_IN_REMISSION
    return made[kept].reset_index(drop=True)


def _rule_rows(data: pd.DataFrame, rule: str, clock: Clock, study: Study, seed: int, draws: int) -> list[dict]:
    """Every test of one rule under one clock, the hazard ratios, and the ratio of the medians."""
    reference, late = study.reference, clock.truncated
    tests = {name: comparisons.weighted_logrank(data, reference, weight, truncated=late)
             for name, weight in WEIGHTS.items()}
    entries = [_p(name, test.p, test.note) for name, test in tests.items()]
    entries.append(_p("one_sided", comparisons.one_sided(tests["logrank"]), tests["logrank"].note))
    if not late:
        entries.append(_permutation(data, reference, seed, draws))
    for test, fit, words in (("cox_wald", models.cox, "Cox model, Efron ties; Wald 95% interval"),
                             ("cox_lr", models.cox_profile, "Cox model, Efron ties; profile-likelihood 95% interval"),
                             ("firth", models.firth, "Firth-penalised Cox model, Efron ties; profile 95% interval")):
        found = fit(data, reference, truncated=late)
        entries += [_p(test, found.p, found.note), _ratio(TESTS[test].ratio, found, words)]
    medians = {arm: curves.quantile(curves.kaplan_meier(group, late)).value
               for arm, group in by_arm(data, study).items()}
    entries.append(_medians(medians, reference, "Kaplan-Meier medians, midpoint of a plateau on the level"))
    return _rows(entries, data, rule, clock, study)


def _permutation(data: pd.DataFrame, reference: str, seed: int, draws: int) -> dict:
    """Linear permutation test, exact where the allocations can be counted."""
    if not data["event"].any():
        return _p("permutation", math.nan, "no events")
    found, _ = exact.exact_or_not(*exact.arrays(data, reference), exact.affordable(draws, len(data)), seed)
    made = _p("permutation", found.p, more=f", {found.method}")
    return made | {"display": exact.shown(found.p, found.error)}


def _competing_rows(data: pd.DataFrame, clock: Clock, study: Study) -> list[dict]:
    """Gray's test and the Fine-Gray ratio of relapse, and the ratio of the times at which half have relapsed."""
    test, found = competing.gray(data, RELAPSE), competing.fine_gray(data, study.reference, RELAPSE)
    halves = {arm: curves.quantile(complement(competing.cumulative_incidence(group))).value
              for arm, group in by_arm(data, study).items()}
    entries = [_p("gray", test.p, test.note), _p("fine_gray", found.p, found.note),
               _ratio("subdistribution_HR", found, "Fine-Gray model; robust Wald 95% interval"),
               _medians(halves, study.reference, "times at which the cumulative incidence of relapse reaches one half")]
    return _rows(entries, data, "competing", clock, study)


def _rows(entries: list[dict], data: pd.DataFrame, rule: str, clock: Clock, study: Study) -> list[dict]:
    """Entries of one rule and one clock as results."""
    words = f"; {RULES[rule]}; time from {clock.label}"
    return [results.row("grid", f"{rule}@{clock.name}", "all", study.contrast, n=len(data),
                        events=int(data["event"].sum()), **entry | {"method": entry["method"] + words})
            for entry in entries]


def _p(test: str, p: float, note: str = "", more: str = "") -> dict:
    return {"statistic": f"{test}_p", "value": p, "unit": "p", "method": TESTS[test].words + more,
            "display": wording.p_value(p, note)}


def _ratio(statistic: str, found: HazardRatio, method: str) -> dict:
    return {"statistic": statistic, "value": found.value, "lower": found.lower, "upper": found.upper, "unit": "HR",
            "method": method, "display": wording.ratio_interval(found.value, found.lower, found.upper, found.note)}


def _medians(medians: dict[str, float], reference: str, method: str) -> dict:
    """Ratio of two medians, the other arm's to the reference's."""
    missing = [arm for arm, median in medians.items() if math.isnan(median)]
    other = next(arm for arm in medians if arm != reference)
    ratio = math.nan if missing or medians[reference] == 0 else medians[other] / medians[reference]
    why = f"median not reached in {' and '.join(missing)}" if missing else "the reference arm's median is 0"
    return {"statistic": "median_ratio", "value": ratio, "unit": "ratio", "method": method,
            "display": f"not estimable: {why}" if math.isnan(ratio) else f"{ratio:.2f}"}


def complement(incidence: pd.DataFrame) -> pd.DataFrame:
    """One minus the incidence of relapse, in the shape of a survival curve.

    Parameters
    ----------
    incidence : DataFrame
        From `competing.cumulative_incidence`.

    Returns
    -------
    DataFrame
        `time` (days), `survival`, `lower`, `upper`.

    Examples
    --------
    >>> complement(pd.DataFrame({"cause": [1], "time": [9.0], "incidence": [0.2], "lower": [0.1], "upper": [0.4]}))
       time  survival  lower  upper
    0   9.0       0.8    0.6    0.9
    """
    mine = incidence[incidence["cause"] == RELAPSE]
    return pd.DataFrame({"time": mine["time"], "survival": 1 - mine["incidence"], "lower": 1 - mine["upper"],
                         "upper": 1 - mine["lower"]})


def specifications(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The grid as one line a cell: the choices made, p, and the estimate that goes with it.

    Parameters
    ----------
    rows : DataFrame
        From `grid`.
    study : Study

    Returns
    -------
    DataFrame
        `rule`, `origin`, `test` in words (ordered categories) and as keys; `p`; `estimate`, `lower`, `upper` (hazard
        ratio); `median_ratio`; `n`, `events`; `note` where there is no p; `wrong` for a reading that no estimand
        supports; `primary` for one cell.

    Examples
    --------
    >>> from remission.study import Arm
    >>> specifications(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    mine = rows[rows["analysis"] == "grid"]
    found = {(row.endpoint, row.statistic): row for row in mine.itertuples()}
    lines = []
    for place in pd.unique(mine["endpoint"]):
        rule, clock = place.split("@")
        for test, kind in TESTS.items():
            p = found.get((place, f"{test}_p"))
            if p is None:
                continue
            ratio = found[place, kind.ratio]
            lines.append((RULES[rule], _clock_words(clock, study), kind.words, p.value, ratio.value, ratio.lower,
                          ratio.upper, found[place, "median_ratio"].value, p.n, p.events,
                          p.display.removeprefix("not estimable: ") if math.isnan(p.value) else "",
                          rule in WRONG, (rule, clock, test) == PRIMARY, rule, clock, test))
    made = pd.DataFrame(lines, columns=SPECIFICATIONS).astype({"wrong": bool, "primary": bool})
    for column in ("rule", "origin"):
        made[column] = pd.Categorical(made[column], pd.unique(made[column]), ordered=True)
    words = [kind.words for kind in TESTS.values() if (made["test"] == kind.words).any()]
    return made.assign(test=pd.Categorical(made["test"], words, ordered=True))


def _clock_words(clock: str, study: Study) -> str:
    if clock == "start":
        return study.origin_label
    label = EARLIER[clock.removesuffix("_truncated")][1]
    return f"{label}, delayed entry" if clock.endswith("_truncated") else label


def grid_table(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The grid for reading: a line a rule and clock, a column a test.

    Parameters
    ----------
    rows : DataFrame
        From `grid`.
    study : Study

    Returns
    -------
    DataFrame
        Rule, clock, events of patients, hazard ratio, ratio of medians, and p of each test; `-` where a test does not
        exist. Empty without two arms.

    Examples
    --------
    >>> from remission.study import Arm
    >>> grid_table(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),))).empty
    True
    """
    cells = specifications(rows, study)
    lines = []
    shown = {(row.endpoint, row.statistic): row.display for row in rows.itertuples()}
    for (rule, clock), mine in cells.groupby(["rule_key", "origin_key"], sort=False):
        place = f"{rule}@{clock}"
        ratio = "subdistribution_HR" if rule == "competing" else "HR"
        line = {"event": RULES[rule], "clock": _clock_words(clock, study),
                "events": f"{mine['events'].iloc[0]} of {mine['n'].iloc[0]}",
                "hazard ratio": shown[place, ratio].replace("95% CI ", ""),
                "ratio of medians": shown[place, "median_ratio"].split(":")[0]}
        by_test = dict(zip(mine["test_key"], mine["p"], strict=True))
        lines.append(line | {f"p, {kind.short}": "-" if test not in by_test else short_p(by_test[test])
                             for test, kind in TESTS.items() if (cells["test_key"] == test).any()})
    return pd.DataFrame(lines)


def short_p(p: float) -> str:
    """A p-value without its name.

    Examples
    --------
    >>> short_p(0.0697), short_p(0.00001)
    ('0.070', '< 0.0001')
    """
    return wording.p_value(p).removeprefix("p ").removeprefix("= ")
