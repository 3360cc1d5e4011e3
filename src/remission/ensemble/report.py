"""What an inquiry found, for readers: tables in the report's unit, sentences made from numbers, result rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from remission import results
from remission.ensemble import bounds, conflicts, sample
from remission.ensemble.abstract import CONTRASTS, Abstract, Claim
from remission.ensemble.cohorts import endpoint, on_one_day
from remission.ensemble.inquiry import Inquiry
from remission.ensemble.own import CODES
from remission.ensemble.unprinted import ENDPOINT_WORDS
from remission.ensemble.verdicts import BOUNDED, PINNED, UNDETERMINED
from remission.estimators import wording
from remission.study import DAYS

#: A claim moves a quantity visibly from this widening on; below it lies what two searches may differ by.
VISIBLE = 1.1
#: Units of result rows, by scale.
UNITS = {"hazard ratio": "HR", "p": "p", "probability": "probability", "power": "probability", "time": "d"}
TIMED = ("survival", "incidence", "rmst_difference")


def shown(value: float, scale: str, abstract: Abstract, signed: bool = False) -> str:
    """A value as a reader should see it.

    Parameters
    ----------
    value : float
        Times in grains.
    scale : str
        A key of `unprinted.TOLERANCES`.
    abstract : Abstract
    signed : bool
        Whether a time is a difference.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> weeks = read("freireich1963")
    >>> shown(0.457, "hazard ratio", weeks), shown(8.0, "time", weeks), shown(0.25, "probability", weeks)
    ('0.46', '8.0 weeks', '25.0%')
    """
    if math.isnan(value):
        return ""
    if scale == "hazard ratio":
        return f"{value:.2f}" if math.isfinite(value) else "infinite"
    if scale == "p":
        return wording.p_value(value).removeprefix("p ").removeprefix("= ")
    if scale == "time":
        days = value * DAYS[abstract.grain]
        if not signed or not math.isfinite(days):
            return wording.duration(days, abstract.unit)
        return f"{wording.signed(days / DAYS[abstract.unit], wording.DECIMALS[abstract.unit])} {abstract.unit}s"
    return f"{wording.percent(value)}%"


def span(low: float, high: float, scale: str, abstract: Abstract, signed: bool = False) -> str:
    """Two values, the unit once; one where both look alike.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> weeks = read("freireich1963")
    >>> span(3.0, 8.0, "time", weeks), span(0.2, 0.2, "p", weeks), span(0.5, 1.0, "probability", weeks)
    ('3.0 to 8.0 weeks', '0.20', '50.0% to 100.0%')
    """
    first, last = (shown(value, scale, abstract, signed) for value in (low, high))
    if first == last:
        return first
    unit = f" {abstract.unit}s"
    return f"{first.removesuffix(unit) if last.endswith(unit) else first} to {last}"


def claim_words(abstract: Abstract, claim: Claim) -> str:
    """What a claim says, without its number; comparisons too.

    Examples
    --------
    >>> from remission.ensemble.abstract import read
    >>> report = read("freireich1963")
    >>> claim_words(report, report.claims[-1])
    'log-rank p of relapse, 6-MP vs placebo'
    """
    asked = claim.quantity
    if asked.kind not in CONTRASTS:
        return conflicts.words(abstract, claim)
    of = f"{' against '.join(reversed(abstract.groups))}, {asked.arm}" if asked.arm else abstract.contrast
    kind = f"{asked.test} p" if asked.kind == "p" else asked.kind.replace("_", " ")
    return f"{kind} of {ENDPOINT_WORDS.get(asked.endpoint, asked.endpoint)}, {of}"


def subject(inquiry: Inquiry) -> str:
    """What is asked: the report, its printed numbers and its readings; the note where there is none."""
    report = inquiry.abstract
    if report is None:
        return f"*{inquiry.note}*"
    arms = " and ".join(f"{arm.patients} on {arm.label}" for arm in report.order)
    aside = "; ".join(f"{what}: {why}" for what, why in report.unused.items())
    return (f"**{report.title}** ({report.citation}): {arms}. {len(report.claims)} printed numbers are used; times are "
            f"searched in whole {report.grain}s, up to {report.horizon / report.per_unit:g} {report.unit}s from "
            f"{report.origin}." + (f" Left out: {aside}." if aside else ""))


def drawn(inquiry: Inquiry) -> str:
    """How many cohorts were drawn, and that every one of them agrees with every printed number."""
    if inquiry.found is None:
        return f"*{inquiry.note}*"
    ready, draws = inquiry.found.ready, inquiry.found.draws
    agree = int(ready.ruler.holds(inquiry.found.cohorts, list(range(len(ready.ruler.claims)))).sum())
    return (f"{len(draws):,} cohorts were drawn, from {draws['family'].nunique()} families of laws "
            f"({', '.join(draws['family'].unique())}). {agree:,} of them agree with all {len(ready.ruler.claims)} "
            "printed numbers.")


def conflict_table(found: tuple[Abstract, list[tuple[str, ...]]] | None) -> pd.DataFrame:
    """Claims that cannot hold together, from `inquiry.contradictions`; no rows without an abstract or a conflict."""
    return conflicts.table(*found) if found else pd.DataFrame()


def conflict_reading(inquiry: Inquiry, found: tuple[Abstract, list[tuple[str, ...]]] | None, reading: str = "") -> str:
    """What `inquiry.contradictions` found under a reading, or why there is nothing to say."""
    if inquiry.abstract is None:
        return f"*{inquiry.note}*"
    if found is None:
        return f"*This abstract has no reading called {reading!r}.*"
    return f"{f'Under *{reading}*' if reading else 'As read here'}: {conflicts.reading(*found)}"


def diagnostics_table(inquiry: Inquiry) -> pd.DataFrame:
    """Diagnostics of the draws by family: numbers of draws and starts, effective numbers, drift.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.draw`.

    Returns
    -------
    DataFrame
        One row a family; no rows without draws.
    """
    columns = ["family", "draws", "starts", "effective number, least", "effective number, median",
               "drift, largest (SD)", "drift, median (SD)"]
    if inquiry.found is None:
        return pd.DataFrame(columns=columns)
    found = sample.diagnostics(inquiry.found.draws)
    rows = [(family, int(mine["draws"].max()), int(mine["starts"].max()), mine["effective"].min(),
             mine["effective"].median(), mine["drift"].abs().max(), mine["drift"].abs().median())
            for family, mine in found.groupby("family", sort=False)]
    return pd.DataFrame(rows, columns=columns)


def diagnostics_reading(inquiry: Inquiry) -> str:
    """What the diagnostics mean for the last digit of a drawn quantile."""
    table = diagnostics_table(inquiry)
    if table.empty:
        return f"*{inquiry.note}*"
    found = sample.diagnostics(inquiry.found.draws)
    worst = found.loc[found["effective"].idxmin()]
    words = {target.name: _named(target.words, target.arm) for target in inquiry.found.targets}
    return (f"Least is known of {words[worst['quantity']]} in the family {worst['family']}: {worst['effective']:.0f} "
            f"independent draws' worth out of {worst['draws']:.0f}, so that its mean is known to "
            f"{1 / math.sqrt(worst['effective']):.2f} standard deviations. Drift from the first draws to the last is "
            f"{table['drift, median (SD)'].max():.2f} standard deviations or less for half of the quantities in every "
            f"family, and {table['drift, largest (SD)'].max():.2f} at most.")


def verdict_table(inquiry: Inquiry, beside: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every unprinted quantity with its verdict.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.bound`.
    beside : DataFrame, optional
        From `own.beside`: adds the cohort's own values and whether they lie between the extremes.

    Returns
    -------
    DataFrame
        One row a quantity, in words.
    """
    rows = [{"quantity": row.words, "of": row.arm, "extremes": _span(row, row.lower, row.upper, inquiry),
             "95% of draws": _span(row, row.inner_lower, row.inner_upper, inquiry),
             "families disagree": round(row.disagreement, 2), "draws reach": round(row.reach, 2),
             "verdict": row.verdict} for row in inquiry.settled.itertuples()]
    made = pd.DataFrame(rows, columns=["quantity", "of", "extremes", "95% of draws", "families disagree", "draws reach",
                                       "verdict"])
    if beside is None or beside.empty or made.empty:
        return made
    known = beside.set_index("target")
    own = [_shown(row, known["own"].get(row.target, math.nan), inquiry) for row in inquiry.settled.itertuples()]
    inside = [{True: "yes", False: "no"}.get(known["inside"].get(row.target), "")
              for row in inquiry.settled.itertuples()]
    return made.assign(own=own, inside=inside).rename(columns={"own": "own tables"})


def verdict_reading(inquiry: Inquiry) -> str:
    """How many quantities are settled, and how."""
    if inquiry.settled.empty:
        return f"*{inquiry.note}*"
    counts = inquiry.settled["verdict"].value_counts()
    said = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in (PINNED, BOUNDED, UNDETERMINED))
    pinned = [f"{_named(row.words, row.arm)} ({_span(row, row.lower, row.upper, inquiry)})"
              for row in inquiry.settled.itertuples() if row.verdict == PINNED]
    return (f"Of {len(inquiry.settled)} quantities that the report does not print: {said}."
            + (f" Pinned: {'; '.join(pinned)}." if pinned else ""))


def worth_table(inquiry: Inquiry, most: int = 3) -> pd.DataFrame:
    """For each quantity the claims without which its extremes lie furthest apart.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.weigh`.
    most : int
        Claims of each quantity, at most; those below `VISIBLE` are left out.

    Returns
    -------
    DataFrame
        `quantity`, `of`, `with every claim`, `without`, `printed`, `then`, `widening`.
    """
    columns = ["quantity", "of", "with every claim", "without", "printed", "then", "widening"]
    rows = []
    settled = inquiry.settled.set_index("target")
    claims = {claim.id: claim for claim in inquiry.abstract.claims} if inquiry.abstract else {}
    for name, mine in inquiry.worth.groupby("target", sort=False):
        one = settled.loc[name]
        top = mine[mine["widening"] >= VISIBLE].sort_values("widening", ascending=False, kind="stable").head(most)
        rows += [(one["words"], one["arm"], _span(one, one["lower"], one["upper"], inquiry, name),
                  f"{row.claim}: {claim_words(inquiry.abstract, claims[row.claim])}", claims[row.claim].printed,
                  _span(one, row.lower, row.upper, inquiry, name), row.widening) for row in top.itertuples()]
    return pd.DataFrame(rows, columns=columns)


def worth_reading(inquiry: Inquiry) -> str:
    """Which claims carry the most, and how many move nothing that was asked after."""
    if inquiry.worth.empty:
        return f"*{inquiry.note}*"
    most = inquiry.worth.groupby("claim", sort=False)["widening"].max()
    idle = most[most < VISIBLE]
    best = inquiry.worth.loc[inquiry.worth["widening"].replace(np.inf, np.nan).idxmax()]
    one = inquiry.settled.set_index("target").loc[best["target"]]
    claim = next(claim for claim in inquiry.abstract.claims if claim.id == best["claim"])
    return (f"The number worth most is {claim.id}, {claim_words(inquiry.abstract, claim)}, printed {claim.printed}: "
            f"without it the extremes of {_named(one['words'], one['arm'])} lie {best['widening']:.1f} times as far "
            f"apart ({_span(one, best['lower'], best['upper'], inquiry, best['target'])} instead of "
            f"{_span(one, one['lower'], one['upper'], inquiry, best['target'])}). For {len(idle)} of {len(most)} "
            f"printed numbers, left out one at a time, the short searches made here saw none of the "
            f"{inquiry.worth['target'].nunique()} quantities move by a factor of {VISIBLE:g}; longer ones may.")


def switched_table(inquiry: Inquiry) -> pd.DataFrame:
    """Extremes by reading: a row a reading, a column a quantity."""
    if inquiry.switched.empty:
        return pd.DataFrame(columns=["reading"])
    said = inquiry.switched.assign(said=[row.note or _span(row, row.lower, row.upper, inquiry)
                                         for row in inquiry.switched.itertuples()])
    wide = said.pivot_table(index="reading", columns="words", values="said", aggfunc="first")
    return wide.loc[pd.unique(said["reading"]), pd.unique(said["words"])].reset_index().rename_axis(columns=None)


def place_reading(inquiry: Inquiry, beside: pd.DataFrame, synthetic: bool) -> str:
    """Where the cohort's own values lie: between the extremes or not, and where among the draws.

    Parameters
    ----------
    inquiry : Inquiry
    beside : DataFrame
        From `own.beside`.
    synthetic : bool
        Whether the cohort was built from the report.

    Returns
    -------
    str
    """
    if inquiry.settled.empty:
        return f"*{inquiry.note}*"
    if beside.empty:
        return "The cohort's own table holds none of these quantities."
    settled = inquiry.settled.set_index("target")
    outside = beside.loc[~beside["inside"].astype(bool), "target"]
    tails = [row.target for row in beside.itertuples()
             if not settled.loc[row.target, "inner_lower"] <= row.own <= settled.loc[row.target, "inner_upper"]]
    said = (f"{len(beside) - len(outside)} of the {len(beside)} quantities that can be computed from the cohort's own "
            f"table lie between the extremes" + (f"; outside: {_list(outside, settled)}" if len(outside) else "")
            + f". {len(beside) - len(tails)} lie within the central 95% of the draws"
            + (f"; not so: {_list(tails, settled)}" if tails else "") + ".")
    if synthetic:
        return ("**The synthetic cohort is one of many.** " + said + " Another cohort with the same printed numbers "
                "could have stood in its place, and whatever is not pinned would then be another number.")
    return "**Held against the truth.** " + said


def surprises(inquiry: Inquiry) -> list[str]:
    """Sentences about what few readers would expect, made from the settled table.

    Parameters
    ----------
    inquiry : Inquiry
        After `inquiry.bound`.

    Returns
    -------
    list of str
        One where there is nothing to say: the note.
    """
    if inquiry.settled.empty:
        return [f"*{inquiry.note}*"]
    made = [_pinned_but_open(inquiry), _ties(inquiry), *_p_values(inquiry), _certain(inquiry), _groups(inquiry)]
    return [sentence for sentence in made if sentence]


def rows(inquiry: Inquiry) -> pd.DataFrame:
    """Result rows of analysis `ensemble`.

    Parameters
    ----------
    inquiry : Inquiry

    Returns
    -------
    DataFrame
        For each quantity the median of the draws with its extremes; times in days. An end that is not reached, or
        infinite, is left empty.
    """
    if inquiry.settled.empty:
        return results.frame([])
    known = inquiry.found.named
    sizes = inquiry.sizes
    method = (f"{sizes['draws']} cohorts that agree with every printed number (claims as read in abstract.toml), "
              f"families alike: median; extremes by {sizes['climbers']} searches of {sizes['rounds']} times "
              f"{sizes['steps']} steps of up to {bounds.TRIES} moves, attained; seed {inquiry.seed}")
    made = []
    for row in inquiry.settled.itertuples():
        asked = known[row.target].quantity
        unit = DAYS[inquiry.abstract.grain] if row.scale == "time" else 1.0
        value, low, high = (number * unit if math.isfinite(number) else math.nan
                            for number in (row.median, row.lower, row.upper))
        at = f"[{asked.at / inquiry.abstract.per_unit:g} {inquiry.abstract.unit}s]" if asked.kind in TIMED else ""
        kind = f"{asked.endpoint}_{asked.kind}" if asked.kind == "incidence" else \
            "follow_up" if asked.endpoint == "follow_up" else asked.kind
        kind = f"groups_{kind}" if row.target.endswith(".groups") else kind
        made.append(results.row("ensemble", CODES[asked.endpoint], "all", row.arm, f"{kind}{at}", value, lower=low,
                                upper=high, unit=UNITS[row.scale], method=method,
                                display=f"{_span(row, row.lower, row.upper, inquiry)} ({row.verdict})"))
    return results.frame(made)


def _pinned_but_open(inquiry: Inquiry) -> str:
    """A pinned ratio beside the widest probability of the same endpoint."""
    table = inquiry.settled
    for ratio in table[(table["scale"] == "hazard ratio") & (table["verdict"] == PINNED)].itertuples():
        curves = table[table["target"].str.startswith(f"survival.{ratio.target.split('.')[1]}.")]
        if len(curves):
            widest = curves.loc[(curves["upper"] - curves["lower"]).idxmax()]
            return (f"The {ratio.words} is pinned to {_span(ratio, ratio.lower, ratio.upper, inquiry)}, although the "
                    f"curves behind it are not: {_named(widest['words'], widest['arm'])} can be anything from "
                    f"{_span(widest, widest['lower'], widest['upper'], inquiry, widest['target'])}.")
    return ""


def _ties(inquiry: Inquiry) -> str:
    """How many events share their day where a pinned ratio is outermost."""
    table, (ends, cohorts) = inquiry.settled, inquiry.outermost
    for ratio in table[(table["scale"] == "hazard ratio") & (table["verdict"] == PINNED)].itertuples():
        asked = inquiry.found.named[ratio.target].quantity
        low, high = (cohorts.take(np.flatnonzero((ends["target"] == ratio.target) & (ends["sign"] == sign)))
                     for sign in (-1, 1))
        shared = [on_one_day(*endpoint(some, asked.endpoint, slice(None))) for some in (low, high)]
        usual = np.median(on_one_day(*endpoint(inquiry.found.cohorts, asked.endpoint, slice(None))))
        if max(shared)[0] > usual:
            return (f"Both ends of the {ratio.words} were looked for among all cohorts, however odd: where it is "
                    f"{_shown(ratio, ratio.lower, inquiry)}, {shared[0][0]} events share their day with another, where "
                    f"it is {_shown(ratio, ratio.upper, inquiry)}, {shared[1][0]}, and in the median draw {usual:.0f}. "
                    f"Events on one day move the log-rank p that belongs to a ratio.")
    return ""


def _p_values(inquiry: Inquiry) -> list[str]:
    """Of every unprinted p-value of the arms: on which side of 0.05 it can lie."""
    said = []
    for row in inquiry.settled[inquiry.settled["scale"] == "p"].itertuples():
        if row.target.endswith(".groups"):
            continue
        below = float((inquiry.found.draws[row.target] < 0.05).mean())
        side = ("in no cohort found below 0.05" if row.lower >= 0.05 else
                "in every cohort found below 0.05" if row.upper < 0.05 else
                f"on either side of 0.05, and below it in {wording.percent(below)}% of the draws")
        said.append(f"The {row.words} is {row.verdict}: {_span(row, row.lower, row.upper, inquiry)}, {side}.")
    return said


def _certain(inquiry: Inquiry) -> str:
    """Probabilities that are the same in every cohort."""
    table = inquiry.settled
    same = table[(table["scale"] == "probability") & (table["upper"] - table["lower"] < 1e-9)]
    said = [f"{_named(row.words, row.arm)} ({_shown(row, row.lower, inquiry)})" for row in same.itertuples()]
    return f"Fixed without being printed, because a range says so: {'; '.join(said)}." if said else ""


def _groups(inquiry: Inquiry) -> str:
    """What the groups of an arm could have shown."""
    table = inquiry.settled.set_index("target")
    arm = inquiry.abstract.group_arm
    ratio, power = f"hazard_ratio.{arm}.groups", f"power.{arm}.groups"
    if not arm or ratio not in table.index or power not in table.index:
        return ""
    ends, most = table.loc[ratio], table.loc[power]
    likely = float(np.nanmedian(inquiry.found.draws[power]))
    said = _span(ends, ends["lower"], ends["upper"], inquiry, ratio)
    return (f"The {ends['words']} ({arm}) is {ends['verdict']}: {said}. "
            f"The chance that a test at the 5% level sees a ratio such as the cohort's own is "
            f"{wording.percent(most['upper'])}% at most, and {wording.percent(likely)}% in the median draw.")


def _named(words: str, arm: str) -> str:
    return words if not arm or " vs " in arm else f"{words} ({arm})"


def _list(names, settled: pd.DataFrame) -> str:
    return "; ".join(_named(settled.loc[name, "words"], settled.loc[name, "arm"]) for name in names)


def _span(row, low: float, high: float, inquiry: Inquiry, target: str = "") -> str:
    name = target or row.target
    return span(low, high, row.scale, inquiry.abstract, name.startswith("rmst_difference"))


def _shown(row, value: float, inquiry: Inquiry) -> str:
    return shown(value, row.scale, inquiry.abstract, row.target.startswith("rmst_difference"))
