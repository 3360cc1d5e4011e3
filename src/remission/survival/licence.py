"""What a definition grid licenses: one paragraph made from its rows."""

from __future__ import annotations

import math

import pandas as pd

from remission.estimators import wording
from remission.study import Study
from remission.survival.grid import TESTS, short_p, specifications

AXES = {"rule": "the event rule", "origin": "the clock", "test": "the test"}


def grid_reading(rows: pd.DataFrame, study: Study, window: tuple[float, float] | None = None) -> str:
    """Say what the grid licenses: shares of cells, ranges, the choice that moves p most, and what follows.

    Parameters
    ----------
    rows : DataFrame
        From `grid.grid`.
    study : Study
    window : tuple of float, optional
        A p in here, lower limit included, would have been printed as the published p was. By default the
        `printed_window` of the primary cell.

    Returns
    -------
    str
        Markdown; empty without two arms.

    Examples
    --------
    >>> from remission import results
    >>> from remission.study import Arm
    >>> grid_reading(results.frame([]), Study("demo", "own", "", "", (Arm("A", "A"),)))
    ''
    """
    cells = specifications(rows, study)
    without = int(cells["p"].isna().sum())
    cells = cells[cells["p"].notna()]
    one, wrong = cells["test_key"] == "one_sided", cells["wrong"]
    two = cells[~wrong & ~one]
    if two.empty:
        return ""
    window = window or printed_window(two)
    said = [_shares(two, cells[~wrong & one], window), _ranges(two), _axes(two)]
    left_out = cells[wrong & ~one]
    if len(left_out):
        said.append("To leave out the patients who died in remission is to choose patients by their outcome; no "
                    f"estimand supports it, and its {len(left_out)} cells (p {_span(left_out['p'], short_p)}) are not "
                    "counted.")
    if without:
        said.append(f"{without} cells have no p.")
    return " ".join(part for part in said if part) + f"\n\n**What this licenses.** {_licence(two)}"


def printed_window(cells: pd.DataFrame) -> tuple[float, float] | None:
    """The values of p that would be printed as that of the primary cell is.

    Parameters
    ----------
    cells : DataFrame
        From `grid.specifications`.

    Returns
    -------
    tuple of float, optional
        Lower limit, included, and upper limit: of two decimals, below 0.01 of one figure that counts, below 0.0001 of
        `< 0.0001`. None without a primary p.

    Examples
    --------
    >>> [printed_window(pd.DataFrame({"primary": [True], "p": [p]})) for p in (0.0697, 0.0032, 1e-6)]
    [(0.065, 0.075), (0.0025, 0.0035), (0.0, 0.0001)]
    """
    primary = cells.loc[cells["primary"], "p"].dropna()
    if primary.empty:
        return None
    p = float(primary.iloc[0])
    if p < 0.0001:
        return 0.0, 0.0001
    decimals = 2 if p >= 0.01 else -math.floor(math.log10(p))
    shown, half = wording.half_up(p, decimals), 0.5 * 10.0**-decimals
    return round(shown - half, decimals + 1), round(shown + half, decimals + 1)


def axis_factors(cells: pd.DataFrame) -> dict[str, float]:
    """By what factor each choice alone moves p: largest over smallest p, the other choices held; median over these.

    Parameters
    ----------
    cells : DataFrame
        From `grid.specifications`.

    Returns
    -------
    dict
        Factor of `rule`, `origin` and `test`; NaN where there is nothing to choose. Wrong cells are left out, and so
        are one-sided ones, since half of p is no finding; Gray's test stands beside the log-rank test, Fine-Gray's
        beside Cox's.

    Examples
    --------
    >>> cells = pd.DataFrame({"rule": list("ab"), "origin": "o", "test_key": "logrank", "p": [0.1, 0.3],
    ...                       "wrong": False})
    >>> {axis: round(factor, 6) for axis, factor in axis_factors(cells).items()}
    {'rule': 3.0, 'origin': nan, 'test': nan}
    """
    cells = cells.assign(test=cells["test_key"].map({name: kind.stands_for for name, kind in TESTS.items()}))
    cells = cells[(cells["test"] != "") & (cells["p"] > 0) & ~cells["wrong"]]
    factors = {}
    for axis in AXES:
        groups = cells.groupby([other for other in AXES if other != axis], observed=True)["p"]
        groups = groups.agg(["min", "max", "size"]).query("size > 1")
        factors[axis] = float((groups["max"] / groups["min"]).median()) if len(groups) else math.nan
    return factors


def _shares(two: pd.DataFrame, one: pd.DataFrame, window: tuple[float, float] | None) -> str:
    below, near = _counts(two, window)
    said = f"Of {len(two)} two-sided analyses that the words allow, {below} ({_percent(below, two)}) give p below 0.05"
    if window:
        low, high = (f"{limit:.6f}".rstrip("0").rstrip(".") for limit in window)
        said += (f" and {near} ({_percent(near, two)}) a p that would be printed as the primary one is "
                 + (f"({low} up to {high})" if window[0] > 0 else f"(below {high})"))
    if len(one):
        said += f"; one-sided {' and '.join(map(str, _counts(one, window)[:2 if window else 1]))} of {len(one)}"
    return said + ". The cells share their patients, so a share is no probability."


def _counts(cells: pd.DataFrame, window: tuple[float, float] | None) -> tuple[int, int]:
    near = (cells["p"] >= window[0]) & (cells["p"] < window[1]) if window else cells["p"] < 0
    return int((cells["p"] < 0.05).sum()), int(near.sum())


def _percent(count: int, cells: pd.DataFrame) -> str:
    return f"{100 * count / len(cells):.0f}%"


def _ranges(cells: pd.DataFrame) -> str:
    lowest, highest = cells.loc[cells["p"].idxmin()], cells.loc[cells["p"].idxmax()]
    said = f"p runs from {short_p(lowest['p'])} ({_where(lowest)}) to {short_p(highest['p'])} ({_where(highest)})"
    if cells["estimate"].notna().any():
        said += f", the hazard ratio {_span(cells['estimate'].dropna(), '{:.2f}'.format)}"
    medians = cells.drop_duplicates(["rule", "origin"])["median_ratio"]
    if medians.notna().any():
        said += f", the ratio of the medians {_span(medians.dropna(), '{:.2f}'.format)}"
        said += " where both are reached" if medians.isna().any() else ""
    return said + "."


def _where(cell: pd.Series) -> str:
    return f"{cell['rule']}; from {cell['origin']}; {cell['test']}"


def _span(values: pd.Series, shown) -> str:
    low, high = shown(values.min()), shown(values.max())
    return f"is {low} throughout" if low == high else f"from {low} to {high}"


def _axes(cells: pd.DataFrame) -> str:
    factors = {AXES[axis]: factor for axis, factor in axis_factors(cells).items() if not math.isnan(factor)}
    if not factors:
        return ""
    first, *others = sorted(factors, key=factors.get, reverse=True)
    if not others:
        return f"Only {first} can be chosen here; it moves p by a factor of {factors[first]:.1f}."
    rest = " and ".join(f"{axis} by {factors[axis]:.1f}" for axis in others)
    return (f"The choice that moves p most is {first}: changed alone, it moves p by a factor of {factors[first]:.1f}, "
            f"{rest} (largest over smallest p, median over the other choices).")


def _licence(cells: pd.DataFrame) -> str:
    """What may be claimed whatever the words meant."""
    below = cells["p"] < 0.05
    if below.any() and not below.all():
        said = ("Whether the two-sided p is below 0.05 depends on what the words meant; a report that leaves them open "
                "cannot claim it")
    else:
        said = f"Whatever the words meant, the two-sided p is {'' if below.any() else 'not '}below 0.05"
    limits = cells[["estimate", "lower", "upper"]].dropna().drop_duplicates()
    if limits.empty:
        return f"{said}."
    side = ("every hazard ratio is below 1" if (limits["estimate"] < 1).all() else "every hazard ratio is above 1"
            if (limits["estimate"] > 1).all() else "the hazard ratios do not all lie on one side of 1")
    crossing = int(((limits["lower"] < 1) & (limits["upper"] > 1)).sum())
    many = {0: "none", len(limits): "all"}.get(crossing, crossing)
    return f"{said}; {side}, and {many} of their {len(limits)} intervals include 1."
