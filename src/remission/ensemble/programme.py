"""A mixed-integer programme as it grows: variables, rows, and what the solver says of them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

#: Branches and seconds before the solver gives up; it is then not known whether a cohort exists.
NODES, SECONDS = 20_000, 30.0

#: Sum of variables times coefficients; the key -1 holds a constant.
Expression = dict[int, float]


class Programme:
    """Variables and rows as they are added.

    Examples
    --------
    >>> programme = Programme()
    >>> one, other = programme.variable(3), programme.variable(3)
    >>> programme.row(add(one, other), 5)
    >>> programme.row(other, high=2)
    >>> programme.solve().tolist()
    [3.0, 2.0]
    """

    def __init__(self):
        self.limits: list[tuple[float, float, bool]] = []
        self.rows: list[tuple[Expression, float, float]] = []

    def variable(self, high: float = 1, low: float = 0, whole: bool = True) -> Expression:
        """A new variable between two limits."""
        self.limits.append((low, high, whole))
        return {len(self.limits) - 1: 1.0}

    def row(self, expression: Expression, low: float = -math.inf, high: float = math.inf) -> None:
        """Demand low <= expression <= high."""
        constant = expression.get(-1, 0.0)
        self.rows.append(({key: value for key, value in expression.items() if key >= 0}, low - constant,
                          high - constant))

    def solve(self, presolve: bool = True) -> np.ndarray | None:
        """A solution; None when there is none; an empty array when the search was given up."""
        if any(not terms and (low > 0 or high < 0) for terms, low, high in self.rows):
            return None
        cells = [(number, key, value) for number, (terms, *_) in enumerate(self.rows) for key, value in terms.items()]
        place, key, value = zip(*cells, strict=True)
        low, high, whole = map(np.array, zip(*self.limits, strict=True))
        matrix = coo_array((value, (place, key)), shape=(len(self.rows), len(low))).tocsr()
        found = milp(np.zeros(len(low)), integrality=whole.astype(int), bounds=Bounds(low, high),
                     constraints=LinearConstraint(matrix, [row[1] for row in self.rows], [row[2] for row in self.rows]),
                     options={"presolve": presolve, "node_limit": NODES, "time_limit": SECONDS})
        if found.status == 2:
            return None
        return np.array([]) if found.x is None else found.x


def add(one: Expression, other: Expression, factor: float = 1.0) -> Expression:
    """one + factor * other.

    Examples
    --------
    >>> add({0: 1.0, -1: 2.0}, {0: 1.0}, -3)
    {0: -2.0, -1: 2.0}
    """
    made = dict(one)
    for key, value in other.items():
        made[key] = made.get(key, 0.0) + factor * value
    return made


def total(parts: Iterable[Expression]) -> Expression:
    """Sum of expressions.

    Examples
    --------
    >>> total([{0: 1.0}, {0: 1.0, 1: 1.0}])
    {0: 2.0, 1: 1.0}
    """
    made: Expression = {}
    for part in parts:
        for key, value in part.items():
            made[key] = made.get(key, 0.0) + value
    return made


def key_of(variable: Expression) -> int:
    """Place of a variable in a solution.

    Examples
    --------
    >>> key_of(Programme().variable())
    0
    """
    return next(iter(variable))
