"""Spread the drawing of an ensemble over processes or a cluster, in parts that a killed run leaves whole.

`python -m remission.ensemble.spread ABSTRACT --cohorts 1000000` is how make starts it. It does not matter who computes
a part, when, beside what and at which attempt. Workers hand a part back as the bytes of its file and this process alone
writes: workers need no disk in common with it, and one whose run was killed can write nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from remission import lock, paths, provenance
from remission.ensemble import abstract as abstracts
from remission.ensemble import engines, parts
from remission.ensemble.job import FAMILIES, SIZE, Job, Part, Task, chunk, plan, share
from remission.errors import ContractError


class Outcome(NamedTuple):
    """What a run has: cohorts asked for and had, parts found and drawn, what families lack, seconds; and where."""

    folder: Path
    asked: int
    cohorts: int
    found: int
    drawn: int
    short: dict[str, int]
    seconds: float

    def __str__(self) -> str:
        less = "".join(f"; {family} lacks {count:,}" for family, count in self.short.items())
        return (f"{self.cohorts:,} cohorts of {self.asked:,} asked for{less} ({self.drawn} parts drawn, {self.found} "
                f"found, {self.seconds:.0f} s): {paths.shown(self.folder)}")


def run(job: Job, cohorts: int, *, jobs: int = 0, dask: str = "", wait: float = 600,
        progress: bool | None = None) -> Outcome:
    """Draw an ensemble, going on from whole parts of earlier runs of the same job.

    Parameters
    ----------
    job : Job
    cohorts : int
        Cohorts of all families together.
    jobs : int
        Local processes; 0 takes all cores, 1 none beside this.
    dask : str
        Address of a Dask scheduler, such as `tcp://host:8786`; empty for local processes.
    wait : float
        Most seconds to wait for another run; 0 refuses at once.
    progress : bool, optional
        Show a progress bar; by default where standard error is a terminal.

    Returns
    -------
    Outcome
        `remission.ensemble.parts.load(outcome.folder)` reads the cohorts.

    Raises
    ------
    Busy
        When another run is under way.
    ContractError
        When the abstract's name cannot be that of a folder.
    Stopped
        When workers cannot be had or were lost; parts that are finished stay.
    ValueError
        When a number is out of range or `dask` is no address.

    Notes
    -----
    Results do not depend on `jobs`, `dask`, the order in which parts end, or on how often a run was killed.
    """
    if cohorts < 1 or job.size < 1 or job.seed < 0 or jobs < 0:
        raise ValueError("cohorts and size must be at least 1, seed and jobs at least 0")
    if dask:
        engines.address(dask)
    began, folder = time.monotonic(), job.folder
    with _alone(wait):
        _open(job)
        tasks = plan(job, cohorts)
        rows = {(task.family, task.number): parts.rows(task.path, **task.said) for task in tasks}
        missing = [task for task in tasks if rows[task.family, task.number] is None]
        with (tqdm(total=len(tasks) * job.size, initial=(len(tasks) - len(missing)) * job.size, unit=" cohorts",
                   unit_scale=True, desc=job.abstract.name, disable=None if progress is None else not progress) as bar,
              closing(_drawn(missing, jobs, dask)) as drawn):
            for part in drawn:
                with paths.atomic(part.task.path) as temporary:
                    temporary.write_bytes(part.data)
                rows[part.task.family, part.task.number] = part.rows
                bar.update(job.size)
        wanted = share(cohorts, job.families)
        taken = _index(job, cohorts, wanted, rows)
    short = {family: count - taken[family] for family, count in wanted.items() if taken[family] < count}
    return Outcome(folder, cohorts, sum(taken.values()), len(tasks) - len(missing), len(missing), short,
                   time.monotonic() - began)


def _drawn(tasks: list[Task], jobs: int, dask: str) -> Iterator[Part]:
    if not tasks:
        return
    with threadpool_limits(1):  # what `_one_thread` does, undone at the end, for work in this very process
        yield from engines.cluster(chunk, tasks, dask) if dask else engines.local(chunk, tasks, jobs)


@contextmanager
def _alone(wait: float) -> Iterator[None]:
    """Hold the lock of all ensembles; it ends with this process, however that ends."""
    handle = lock.hold("ensemble", wait)
    try:
        yield
    finally:
        os.close(handle)


def _open(job: Job) -> None:
    """Make the job's folder ready: say what it holds, clear what a killed run left half-written."""
    job.folder.mkdir(parents=True, exist_ok=True)
    for path in job.folder.glob(f"{paths.UNFINISHED}*"):
        path.unlink()
    text, target = json.dumps(job.made_from(), indent=1) + "\n", job.folder / "job.json"
    if provenance.load(target) != json.loads(text):
        with paths.atomic(target) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _index(job: Job, cohorts: int, wanted: dict[str, int], rows: dict[tuple[str, int], int]) -> dict[str, int]:
    """Write which rows of which parts make the ensemble; returns the number of cohorts of each family."""
    taken, listed = dict.fromkeys(job.families, 0), []
    for (family, number), there in sorted(rows.items(), key=lambda row: (job.families.index(row[0][0]), row[0][1])):
        take = min(there, wanted[family] - number * job.size)
        taken[family] += take
        listed.append({"file": Task(job, family, number).path.name, "rows": take})
    text = json.dumps({"key": job.key, "asked": cohorts, "cohorts": taken, "parts": listed}, indent=1) + "\n"
    with paths.atomic(job.folder / parts.INDEX) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return taken


def main(arguments: list[str] | None = None, draw: Callable[..., pd.DataFrame] | None = None) -> int:
    """Command line; returns the exit status. `draw` takes the place of the sampler."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers are ended
    try:
        whole = abstracts.read(given.abstract, tuple(filter(None, given.reading.split(","))))
        if draw is None:
            from remission.ensemble import sample

            draw = sample.draw
        job = Job(whole, draw, given.seed, size=given.size)
        print(run(job, given.cohorts, jobs=given.jobs, dask=given.dask, wait=given.wait))
    except (ContractError, engines.Stopped, lock.Busy) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; finished parts are kept, and the same command goes on from them", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make ensemble", description="Draw cohorts that agree with all that an abstract prints.",
        usage="make ensemble [COHORT=name] [COHORTS=number] [SEED=number] [READING=name,name] [JOBS=number] "
        "[DASK=tcp://host:port]")
    parser.add_argument("abstract", metavar="COHORT", help="cohort with an abstract.toml, or the path of a TOML file")
    parser.add_argument("--cohorts", metavar="COHORTS", type=_whole(len(FAMILIES)), default=100_000)
    parser.add_argument("--seed", metavar="SEED", type=_whole(0), default=2012)
    parser.add_argument("--reading", metavar="READING", default="", help="readings of the abstract, by comma")
    parser.add_argument("--jobs", metavar="JOBS", type=lambda text: _whole(1)(text) if text else 0, default=0,
                        help="local processes; all cores without")
    parser.add_argument("--dask", metavar="DASK", type=_address, default="", help="address of a Dask scheduler")
    parser.add_argument("--size", metavar="SIZE", type=_whole(1), default=SIZE, help="cohorts in a part")
    parser.add_argument("--wait", metavar="WAIT", type=float, default=600, help="seconds to wait for another run")
    return parser


def _whole(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return number


def _address(text: str) -> str:
    try:
        return engines.address(text) if text else ""
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
