"""What is drawn, cut into parts: each is a pure function of the job, a family and a number."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from remission import paths, provenance
from remission.ensemble import abstract as abstracts
from remission.ensemble import engines, parts, priors
from remission.errors import ContractError

FAMILIES = tuple(priors.FAMILIES)
#: Cohorts in a part: drawing them takes long against handing them over, and a killed run loses few.
SIZE = 4000
#: Folders of the package, and libraries, on which the numbers of a cohort depend.
CODE = ("src/remission/ensemble/", "src/remission/batch/")
LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy")


@functools.lru_cache(maxsize=1)
def computed_by() -> dict[str, str]:
    """What computes in this process: a hash of the code that matters, and the versions of libraries."""
    code = {name: known for name, known in provenance.code().items() if name.startswith(CODE)}
    return {"code": provenance.digest(code)} | {name: metadata.version(name) for name in LIBRARIES}


@dataclass(frozen=True)
class Job:
    """What is drawn; how many and on which machines is no part of it.

    `draw(abstract, family, size, seed, **parameters)` returns one row a cohort, at most `size`, and depends on nothing
    but its arguments; `seed` is a `numpy.random.SeedSequence`, `parameters` are what JSON knows.
    """

    abstract: abstracts.Abstract
    draw: Callable[..., pd.DataFrame]
    seed: int
    families: tuple[str, ...] = FAMILIES
    size: int = SIZE
    parameters: dict[str, Any] = field(default_factory=dict)
    computed_by: dict[str, str] = field(default_factory=computed_by)
    lock: str = field(default_factory=provenance.lock_file)

    def made_from(self) -> dict[str, Any]:
        """All that a part depends on; of the TOML file what was read, so that a comment may be mended."""
        return {
            "abstract": self.abstract.name, "reading": self.abstract.reading, "claims": len(self.abstract.claims),
            "abstract_sha256": hashlib.sha256(repr(self.abstract).encode()).hexdigest(), "seed": self.seed,
            "families": self.families, "size": self.size, "parameters": self.parameters,
            "draw": f"{self.draw.__module__}.{self.draw.__qualname__}", **self.computed_by,
            "requirements.lock": self.lock}

    @functools.cached_property
    def key(self) -> str:
        """Hash of `made_from`: parts of different jobs never share a folder."""
        return provenance.digest(self.made_from())[:16]

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return paths.build("ensemble") / paths.cohort_name(self.abstract.name) / self.key


class Task(NamedTuple):
    """One part to be made."""

    job: Job
    family: str
    number: int

    @property
    def path(self) -> Path:
        """File of the part."""
        return self.job.folder / f"part-{self.family}-{self.number:06d}.parquet"

    @property
    def said(self) -> dict[str, Any]:
        """What the part's file says of itself."""
        return {"key": self.job.key, "family": self.family, "number": self.number}

    @property
    def seed(self) -> np.random.SeedSequence:
        """A stream of its own, by place: the same whoever asks for it, and when."""
        return np.random.SeedSequence(self.job.seed, spawn_key=(self.job.families.index(self.family), self.number))


class Part(NamedTuple):
    """A part as a worker hands it back."""

    task: Task
    rows: int
    data: bytes


def chunk(task: Task) -> Part:
    """Draw one part; runs on a worker.

    Raises
    ------
    Stopped
        When the worker has other code or other versions than the run (its numbers would be another job's), and when the
        job cannot be drawn.
    """
    job = task.job
    if differs := provenance.changed(job.computed_by, computed_by()):
        raise engines.Stopped(f"a worker has another version of {', '.join(differs)} than this run. Mend: install this "
                              "repository and its requirements.lock there, then start the workers again")
    _one_thread()
    try:
        found = job.draw(job.abstract, task.family, job.size, task.seed, **job.parameters)
    except ContractError as error:  # does not travel between processes
        raise engines.Stopped(str(error)) from None
    if len(found) > job.size:
        raise engines.Stopped(f"{len(found)} cohorts drawn where {job.size} were asked for")
    family = pd.Categorical([task.family] * len(found), categories=job.families)
    place = pd.DataFrame({"family": family, "chunk": np.int32(task.number)})
    frame = place.join(found.drop(columns=["family", "chunk"], errors="ignore").reset_index(drop=True))
    return Part(task, len(frame), parts.pack(frame, **task.said))


@functools.lru_cache(maxsize=1)
def _one_thread() -> None:
    """Sums inside BLAS depend on its number of threads, and there is a worker a core."""
    threadpool_limits(1)


def share(cohorts: int, families: tuple[str, ...]) -> dict[str, int]:
    """Cohorts of each family: as even as can be.

    Examples
    --------
    >>> share(10, ("weibull", "cure", "uniform"))
    {'weibull': 4, 'cure': 3, 'uniform': 3}
    """
    each, more = divmod(cohorts, len(families))
    return {family: each + (number < more) for number, family in enumerate(families)}


def plan(job: Job, cohorts: int) -> list[Task]:
    """Parts that hold a number of cohorts, first parts of all families first.

    Parts are always drawn whole, so that a run for more cohorts goes on from them, and one for fewer finds them.
    """
    need = {family: -(-wanted // job.size) for family, wanted in share(cohorts, job.families).items()}
    return [Task(job, family, number) for number in range(max(need.values())) for family in job.families
            if number < need[family]]
