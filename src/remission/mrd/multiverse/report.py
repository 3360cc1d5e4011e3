"""The multiverse as results, tables and sentences."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission import results
from remission.adam.admrd import rules
from remission.estimators import wording
from remission.mrd.multiverse.analyses import FEWEST, PRIMARY, TESTS, Multiverse, middle
from remission.mrd.multiverse.chance import Reference, chance_p
from remission.mrd.multiverse.coding import CHOICES, MONTHS, WINDOW
from remission.study import Study

ANALYSIS = "multiverse"
BY_CHOICE = ["choice", "reading", "specifications", "analysed", "distinct", "predicts", "reverse", "median HR",
             "smallest HR", "largest HR", "smallest p"]
METHOD = ("log-rank (hypergeometric variance) and Firth-penalised Cox (Efron ties, penalised likelihood-ratio p) under "
          "every coding of MRD by the start and every endpoint; ")


def words(choice: str, key: str, study: Study) -> str:
    """A reading in words: of a coding, an endpoint or a test.

    Examples
    --------
    >>> words("source", "BM", Study("demo", "own", "", "", ()))
    'marrow only'
    """
    if choice == "endpoint":
        return study.endpoint_labels.get(key, key)
    return {**CHOICES, "test": TESTS}[choice][key]


def multiverse_rules(study: Study) -> str:
    """What the multiverse varies, what it holds fixed and what it calls primary, as a Markdown list.

    Examples
    --------
    >>> multiverse_rules(Study("demo", "own", "", "", ())).splitlines()[0][:14]
    '- *Threshold.*'
    """
    used = rules(study)
    depths = ", ".join(f"{name} {ratio:g}%" for name, ratio in used["depth_ratio"].items() if name in
                       CHOICES["threshold"])
    months = ", ".join(str(one) for one in MONTHS)
    first, last = used["start_window_days"]
    return "\n".join([
        f"- *Threshold.* {depths}, any negativity, or a split at the median of the patients with a sample.",
        f"- *Time point.* {months} months from diagnosis (the nearest sample within {WINDOW} days), the best value by "
        f"{study.origin_label}, or the sample nearest to it (day {first} to {last}).",
        "- *Source.* Whatever there is, marrow only, blood only, or marrow and else blood.",
        "- *Below the detection limit.* Low as reported; as low as the ABL1 copies prove; at half the limit; or left "
        "out where the sample was too insensitive for the threshold.",
        f"- *Endpoint.* Those of the study that count relapse. *Test.* {' or '.join(TESTS.values())}.",
        f"- *Held fixed.* Nothing from after day {last} or from relapse on is looked at; fewer than {FEWEST} patients "
        "on one side are not compared; all arms together means stratified by arm; p < 0.05 with the higher level "
        "earlier is called *predicts*.",
        "- *Primary.* " + ", ".join(words(choice, key, study) for choice, key in
                                    zip((*CHOICES, "endpoint", "test"), PRIMARY, strict=True)) + "."])


def analyse_multiverse(multiverse: Multiverse, reference: Reference) -> pd.DataFrame:
    """Results of one multiverse and its permutation reference.

    Parameters
    ----------
    multiverse : Multiverse
    reference : Reference

    Returns
    -------
    DataFrame
        Results `multiverse.codings.all.<arm>.<statistic>`: counts of specifications, of those that can be analysed, of
        distinct analyses and data sets, of those that predict or point the other way; the median hazard ratio with the
        smallest and largest; what permutations give, with p. No rows where nothing was analysed.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.mrd.multiverse import reference, specify
    >>> empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]
    >>> nothing = specify({}, *empty, Study("demo", "own", "", "", ()))
    >>> analyse_multiverse(nothing, reference(nothing, seed=1)).empty
    True
    """
    return multiverse_rows({multiverse.arm: multiverse}, {multiverse.arm: reference})


def multiverse_rows(multiverses: dict[str, Multiverse], references: dict[str, Reference]) -> pd.DataFrame:
    """Results of several multiverses: `analyse_multiverse` of each arm, in their order.

    Parameters
    ----------
    multiverses, references : dict
        By arm.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> multiverse_rows({}, {}).empty
    True
    """
    rows = []
    for arm, one in multiverses.items():
        counted = one.cells[one.cells["counted"].eq(True)]
        rows += _counts(one.cells, counted, arm) if len(one.cells) else []
        if len(counted):
            rows += _effects(counted, references[arm], arm) + _chance(references[arm], arm, len(counted))
    return results.frame(rows)


def _row(arm: str, statistic: str, value: float, display: str, method: str, **more) -> dict:
    return results.row(ANALYSIS, "codings", "all", arm, statistic, value, method=METHOD + method, display=display,
                       **more)


def _counts(cells: pd.DataFrame, counted: pd.DataFrame, arm: str) -> list[dict]:
    numbers = {
        "specifications": (len(cells), "every combination of choices"),
        "analysed": (int(cells["p"].notna().sum()), "combinations that give a p"),
        "distinct": (len(counted), "combinations that give a p and differ in a patient's group or outcome, or in test"),
        "data_sets": (counted["dataset"].nunique(), "the same, whatever the test"),
        "predicts": (int(counted["predicts"].sum()), "distinct analyses, p < 0.05 with the poor side earlier"),
        "reverse": (int(counted["reverse"].sum()), "distinct analyses, p < 0.05 with the good side earlier")}
    return [_row(arm, name, value, f"{value:,}", method, unit="n") for name, (value, method) in numbers.items()]


def _effects(counted: pd.DataFrame, reference: Reference, arm: str) -> list[dict]:
    ratios = counted.drop_duplicates("dataset")["estimate"]
    share = float(reference.share[0])
    least, most = float(ratios.min()), float(ratios.max())
    value = float(reference.middle[0])
    return [
        _row(arm, "share", share, _percent(share), "share of distinct analyses that predict", unit="share",
             n=len(counted)),
        _row(arm, "median_HR", value, f"{value:.2f} (from {least:.2f} to {most:.2f})",
             "median hazard ratio of the distinct data sets; limits: the smallest and largest", lower=least, upper=most,
             unit="HR", n=len(ratios))]


def _chance(reference: Reference, arm: str, distinct: int) -> list[dict]:
    how = f"outcomes permuted within arms, {reference.draws:,} permutations, seed {reference.seed}"
    drawn = reference.share[1:]
    if not len(drawn):
        return []
    low, high = np.percentile(drawn, [50, 95])
    some = float((drawn > 0).mean())
    ratios = reference.middle[1:][np.isfinite(reference.middle[1:])]
    fewest, most = np.percentile(ratios, [2.5, 97.5]) if len(ratios) else (math.nan, math.nan)
    made = [
        _row(arm, "chance_share", low, f"{_percent(low)} (95th percentile {_percent(high)})",
             f"median share that predicts by chance, upper limit: 95th percentile; {how}", upper=high, unit="share",
             n=distinct),
        _row(arm, "chance_any", some, _percent(some), f"share of permutations in which at least one predicts; {how}",
             unit="share", n=distinct),
        _row(arm, "chance_HR", 1.0, f"{fewest:.2f} to {most:.2f}",
             f"middle 95% of the median hazard ratio by chance; {how}", lower=fewest, upper=most, unit="HR")]
    for name, values, large in (("share", reference.share, True), ("reverse", reference.reverse, True),
                                ("smallest", reference.smallest, False)):
        p = chance_p(values, large)
        error = math.sqrt(p * (1 - p) / reference.draws)
        what = {"share": "of the share that predicts", "reverse": "of the share that points the other way",
                "smallest": "of the smallest p with the poor side earlier"}[name]
        made.append(_row(arm, f"p_{name}", p, wording.p_value(p), f"permutation p {what}; {how}; Monte Carlo standard "
                         f"error {error:.4f}", unit="p", n=distinct))
    return made


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share == 0 or share >= 0.1 else f"{100 * share:.1f}%"


def multiverse_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Results of the multiverse for reading: a line an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_multiverse`; several may be concatenated.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> multiverse_table(results.frame([])).empty
    True
    """
    heads = {"specifications": "specifications", "analysed": "analysed", "distinct": "distinct",
             "predicts": "predict", "reverse": "reverse", "median_HR": "median HR (range)",
             "chance_share": "predict by chance, median", "chance_any": "any by chance", "p_share": "p of the share",
             "p_smallest": "p of the smallest p"}
    mine = rows[rows["analysis"] == ANALYSIS]
    if mine.empty:
        return pd.DataFrame(columns=["arm", *heads.values()])
    lines = [{"arm": arm} | {head: dict(zip(one["statistic"], one["display"], strict=True)).get(name, "-")
                             for name, head in heads.items()} for arm, one in mine.groupby("arm", sort=False)]
    return pd.DataFrame(lines)


def by_choice(multiverse: Multiverse, study: Study) -> pd.DataFrame:
    """What each reading of each choice does to the answer.

    Parameters
    ----------
    multiverse : Multiverse
    study : Study

    Returns
    -------
    DataFrame
        One row a reading: `specifications`; `analysed`; `distinct` analyses among these, and of them how many predict
        or point the other way; median, smallest and largest hazard ratio, and smallest p.

    Examples
    --------
    >>> from remission import schema
    >>> from remission.mrd.multiverse import specify
    >>> empty = [schema.empty(schema.ANALYSIS[name]) for name in ("admrd", "adsl")]
    >>> by_choice(specify({}, *empty, Study("demo", "own", "", "", ())), Study("demo", "own", "", "", ())).empty
    True
    """
    cells, lines = multiverse.cells, []
    for choice in (*CHOICES, "endpoint", "test"):
        for reading in pd.unique(cells[choice]):
            mine = cells[cells[choice] == reading]
            told = mine[mine["p"].notna()]
            once = told.drop_duplicates(["dataset", "test"])
            ratio = once.drop_duplicates("dataset")["estimate"]
            lines.append([choice, words(choice, reading, study), len(mine), len(told), len(once),
                          int(once["predicts"].sum()), int(once["reverse"].sum()), middle(ratio), ratio.min(),
                          ratio.max(), once["p"].min()])
    return pd.DataFrame(lines, columns=BY_CHOICE)


def in_words(rows: pd.DataFrame) -> str:
    """The multiverse in sentences, a paragraph an arm.

    Parameters
    ----------
    rows : DataFrame
        From `analyse_multiverse`.

    Returns
    -------
    str
        Markdown; one reason where nothing was analysed.

    Examples
    --------
    >>> in_words(results.frame([]))
    'No multiverse: no patient with this endpoint has an MRD sample.'
    """
    mine = rows[rows["analysis"] == ANALYSIS]
    if mine.empty:
        return "No multiverse: no patient with this endpoint has an MRD sample."
    return "\n\n".join(_paragraph(arm, one.set_index("statistic")) for arm, one in mine.groupby("arm", sort=False))


def _paragraph(arm: str, found: pd.DataFrame) -> str:
    shown, value = found["display"], found["value"]
    head = f"**{'All arms' if arm == 'all' else arm}.** "
    if "share" not in shown:
        return (f"{head}None of the {shown['specifications']} specifications can be analysed: under each, fewer than "
                f"{FEWEST} patients are on one side, or there are no events.")
    said = [f"{head}Of {shown['specifications']} specifications {shown['analysed']} can be analysed; many group every "
            f"patient alike, so that {shown['distinct']} distinct analyses of {shown['data_sets']} data sets remain.",
            f"{_predict(int(value['predicts']), shown['share'])} {_reverse(int(value['reverse']))} The hazard ratio of "
            f"the higher level has its median at {shown['median_HR']}."]
    if "chance_any" in shown:
        said.append(f"With outcomes permuted, at least one analysis predicts in {shown['chance_any']} of permutations, "
                    f"and the share that predicts has its median at {shown['chance_share']}. Against that chance the "
                    f"share seen has {shown['p_share']}, and the smallest p seen has {shown['p_smallest']}.")
        said.append(_verdict(value))
    return " ".join(said)


def _predict(count: int, share: str) -> str:
    return "None of them predicts." if not count else f"{count:,} of them ({share}) predict{'s' if count == 1 else ''}."


def _reverse(count: int) -> str:
    if not count:
        return "None points the other way."
    return f"{count:,} point{'s' if count == 1 else ''} the other way, the lower level relapsing earlier."


def _verdict(value: pd.Series) -> str:
    if value["p_share"] < 0.05 or value["p_smallest"] < 0.05:
        return "*That is more than the freedom to choose a coding gives by chance.*"
    if value["predicts"]:
        return "*No more than the freedom to choose a coding gives by chance: a paper could have printed one of these.*"
    answer = "made MRD predict" if value["reverse"] else "changed the answer"
    return f"*No choice of coding would have {answer}; that is no evidence that there is no effect.*"
