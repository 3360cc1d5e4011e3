"""A thousand small cohorts with everything that goes wrong in small cohorts; data/batch_reference.R asks R about them.

They are drawn with `random.Random(seed).random()` alone, which Python keeps the same from version to version, so only
R's answers are stored. `python tests/batch_cohorts.py` prints them for R.
"""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

import numpy as np

COUNT, SEED = 1000, 20120913
#: Kinds take turns. What each is for is said where it is made.
KINDS = ("days", "ties", "unbalanced", "censored arm", "last censored", "monotone", "tiny", "plateau", "empty", "trial")


class Cohort(NamedTuple):
    """Patients of one cohort: whole times, a cause (0 for censored), an arm (1 for the other), a marker."""

    kind: str
    time: np.ndarray
    code: np.ndarray
    other: np.ndarray
    marker: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """Whether any event ended the time."""
        return self.code > 0

    def moments(self) -> list[int]:
        """Times at which curves are read: a quarter and a half of the patients through, and the last one."""
        ordered, n = np.sort(self.time), len(self.time)
        return [int(ordered[-(-n // 4) - 1]), int(ordered[-(-n // 2) - 1]), int(ordered[-1])]

    def taus(self) -> list[int]:
        """Times to which means are restricted: R wants none before the first time of an arm."""
        first = [int(self.time[self.other == one].min()) for one in (0, 1) if (self.other == one).any()]
        return [max(self.moments()[1], *first), self.moments()[2]]


@cache
def cohorts() -> list[Cohort]:
    """All of them, in order."""
    draw = random.Random(SEED).random
    return [_cohort(KINDS[number % len(KINDS)], draw) for number in range(COUNT)]


def _cohort(kind: str, draw) -> Cohort:
    """One cohort of a kind."""
    def whole(low, high):
        return low + int(draw() * (high - low + 1))

    n = {"tiny": whole(2, 5), "trial": 31}.get(kind, whole(2, 60))
    longest = {"ties": whole(2, 6), "trial": 60, "tiny": 9}.get(kind, 3000)
    share = {"unbalanced": 0.1, "empty": 0.0}.get(kind, 0.4)
    time = [whole(1, longest) for _ in range(n)]
    code = [0 if draw() < 0.35 else whole(1, 2) for _ in range(n)]
    other = [int(draw() < share) for _ in range(n)]
    marker = [whole(0, 5) for _ in range(n)]
    if kind == "trial":
        other = [1] * 12 + [0] * 19
    if kind == "unbalanced":  # one patient at least
        other[0] = 1
    if kind == "censored arm":
        code = [0 if arm else one for one, arm in zip(code, other, strict=True)]
    if kind == "last censored":
        code[time.index(max(time))] = 0
    if kind == "monotone":  # the other arm fails first, one after another, and the rest is censored
        time = [min(one, 1000) if arm else 1000 + one for one, arm in zip(time, other, strict=True)]
        code = [1 if arm else 0 for arm in other]
    if kind == "plateau":  # all events, even arms: both curves rest at exactly one half
        n = 4 * (n // 4) or 4
        time, code, other, marker = list(range(7, 7 + 11 * n, 11)), [1] * n, [0, 1] * (n // 2), (marker * 2)[:n]
    if kind == "empty" and draw() < 0.5:  # nobody in the other arm, or no event at all
        code, other = [0] * n, [int(draw() < 0.5) for _ in range(n)]
    return Cohort(kind, *map(np.array, (time, code, other, marker)))


if __name__ == "__main__":
    print("cohort,time,code,other,marker")
    for number, one in enumerate(cohorts()):
        for row in zip(*one[1:], strict=True):
            print(number, *row, sep=",")
