"""Simulated trials whose patients are known, and the summary that a report would print of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from remission.ensemble import priors
from remission.ensemble.abstract import Abstract, Quantity
from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts, Layout
from remission.ensemble.quantities import value
from remission.study import DAYS

#: Simulated trials: reported in months, followed for five years at most, times in days.
UNIT, GRAIN, HORIZON = "month", "day", 60
ARMS = ("A", "B")
#: Where a summary is asked for what it leaves out: months.
SURVIVAL, RMST = [24], [24]
WORDS = {
    "prior": "Truths from the sampler's own laws, family known",
    "crossing": "Truths with log-normal remissions whose hazards cross",
    "cured": "Truths with a cured share and gamma remissions",
}


def _prior(sizes: tuple[int, int], rng: np.random.Generator) -> tuple[str, Cohorts]:
    """A family at random, and its laws and patients from the prior."""
    family = str(rng.choice(list(priors.FAMILIES)))
    arms = [priors.simulate(family, rng.standard_normal((1, priors.WIDTH)), size, _horizon(), priors.Parts(), rng)
            for size in sizes]
    return family, Cohorts(*(np.concatenate(parts, axis=1) for parts in zip(*arms, strict=True)))


def _crossing(sizes: tuple[int, int], rng: np.random.Generator) -> tuple[str, Cohorts]:
    """Log-normal remissions, of the same median or nearly, but twice as spread in one arm."""
    return "", _ended([np.exp(np.log(middle) + spread * rng.standard_normal(size)) for size, middle, spread in zip(
        sizes, (16.0, 12.0), (1.4, 0.6), strict=True)], rng)


def _cured(sizes: tuple[int, int], rng: np.random.Generator) -> tuple[str, Cohorts]:
    """A cured share of 35% and 15%; the others relapse by one gamma law."""
    return "", _ended([np.where(rng.random(size) < cured, math.inf, rng.gamma(2.0, 6.0, size))
                       for size, cured in zip(sizes, (0.35, 0.15), strict=True)], rng)


#: Worlds by name: a trial of two sizes gives the family of its truth (empty for none) and its patients.
WORLDS = {"prior": _prior, "crossing": _crossing, "cured": _cured}


def _horizon() -> int:
    return math.ceil(HORIZON * DAYS[UNIT] / DAYS[GRAIN])


def _ended(relapse: list[np.ndarray], rng: np.random.Generator) -> Cohorts:
    """Patients who enter over three years and are followed to the fifth; some die in remission. Months in, days out."""
    made = []
    for times in relapse:
        death, last = rng.exponential(150.0, len(times)), rng.uniform(24, 60, len(times))
        first = np.minimum(np.minimum(times, death), last)
        made.append((np.floor(first * DAYS[UNIT]), np.select([times == first, death == first], [RELAPSE, DEATH],
                                                             ONGOING)))
    time, code = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return patients(np.minimum(time, _horizon() - 1), code)


def patients(time: np.ndarray, code: np.ndarray) -> Cohorts:
    """One cohort of which remissions alone are known.

    Parameters
    ----------
    time : array (n,)
        Grains.
    code : array (n,)
        As in `cohorts`.

    Returns
    -------
    Cohorts
        Arrays (1, n).

    Examples
    --------
    >>> patients([5, 9], [1, 0]).time.tolist()
    [[5, 9]]
    """
    time = np.atleast_2d(np.asarray(time, np.int32))
    blank = np.zeros_like(time)
    return Cohorts(time, np.atleast_2d(np.asarray(code, np.int8)), blank, blank, blank.astype(bool), blank + 1.0,
                   blank.astype(np.int8))


def known(report: Abstract, rows: pd.DataFrame) -> Cohorts:
    """True patients of a report, in the order of its arms.

    Parameters
    ----------
    report : Abstract
    rows : DataFrame
        `arm`, `time` (grains), `relapse` (bool or 0 and 1).

    Returns
    -------
    Cohorts
        Arrays (1, n).

    Raises
    ------
    ValueError
        When an arm has other patients than the report says.
    """
    parts = [rows[rows["arm"] == arm.key] for arm in report.order]
    if [len(part) for part in parts] != [arm.patients for arm in report.order]:
        raise ValueError(f"the patients are not those of {', '.join(arm.key for arm in report.order)}")
    whole = pd.concat(parts)
    return patients(whole["time"].to_numpy(), np.where(whole["relapse"].astype(bool), RELAPSE, ONGOING))


def trial(world: str, sizes: tuple[int, int], rng: np.random.Generator) -> tuple[str, Cohorts]:
    """Simulate a trial that can be reported: relapses in both arms.

    Parameters
    ----------
    world : str
        Of `WORLDS`.
    sizes : tuple of int
        Patients of the other arm and of the reference arm.
    rng : Generator

    Returns
    -------
    family : str
        Empty where the truth follows none.
    truth : Cohorts
        Arrays (1, n), times in days.

    Examples
    --------
    >>> family, truth = trial("cured", (19, 12), np.random.default_rng(1))
    >>> family, truth.time.shape
    ('', (1, 31))
    """
    while True:
        family, truth = WORLDS[world](sizes, rng)
        relapsed = truth.code[0] == RELAPSE
        # What is chosen here is printed as well, so that it favours no cohort over another that prints the same.
        if min(relapsed[:sizes[0]].sum(), relapsed[sizes[0]:].sum()) >= 2:
            return family, truth


def print_summary(cohort: Cohorts, sizes: tuple[int, int], ongoing: bool = False) -> dict[str, Any]:
    """Print what a report would of one cohort.

    Parameters
    ----------
    cohort : Cohorts
        Arrays (1, n), times in days; arm A first, then the reference arm B.
    sizes : tuple of int
    ongoing : bool
        Print the times of remissions that go on, too.

    Returns
    -------
    dict
        As from an `abstract.toml`: numbers of relapses and of deaths in remission, medians and ranges of remission to a
        tenth of a month, and the log-rank p-value to two digits.

    Examples
    --------
    >>> made = print_summary(patients([100, 300, 200, 400], [1, 0, 1, 1]), (2, 2))
    >>> [row["printed"] for row in made["claims"] if row["quantity"] == "median"]
    ['6.6', '9.9']
    """
    place = Layout(dict(zip(ARMS, (slice(0, sizes[0]), slice(sizes[0], sum(sizes))), strict=True)),
                   np.repeat([True, False], sizes), False, False, False, None)

    def found(kind: str, arm: str = "", **more: Any) -> float:
        return float(value(cohort, place, Quantity(kind, "relapse", arm, **more))[0])

    claims = []
    for arm in ARMS:
        claims += [{"id": f"{kind}.{arm}", "quantity": kind, "arm": arm, "printed": f"{found(kind, arm):.0f}"}
                   for kind in ("relapses", "deaths_in_remission")]
        claims += [{"id": f"{kind}.{arm}", "quantity": kind, "endpoint": "relapse", "arm": arm, "among": among,
                    "printed": _tenths(found(kind, arm, among=among))}
                   for kind, among in (("median", "events"), ("shortest", "events"), ("longest", "all"))]
        claims += [{"id": f"ongoing_{rank}.{arm}", "quantity": "ongoing_time", "arm": arm, "rank": rank,
                    "printed": _tenths(found("ongoing_time", arm, rank=rank))}
                   for rank in range(1, int(found("ongoing", arm)) + 1) if ongoing]
    if not math.isnan(p := found("p")):
        claims.append({"id": "p", "quantity": "p", "endpoint": "relapse", "printed": _two_digits(p)})
    return {"unit": UNIT, "grain": GRAIN, "horizon": HORIZON, "ask": {"survival": SURVIVAL, "rmst": RMST},
            "arms": [{"key": arm, "patients": size, "reference": arm == ARMS[1]}
                     for arm, size in zip(ARMS, sizes, strict=True)], "claims": claims}


def _tenths(days: float) -> str:
    """Months to one decimal, half up."""
    if math.isinf(days):
        return "not reached"
    return f"{math.floor(days / DAYS[UNIT] * 10 + 0.5) / 10:.1f}"


def _two_digits(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:#.2g}"
