"""Where work is done: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

#: Seconds to find a scheduler, and then a worker.
PATIENCE = 10
#: Seconds between looks at a cluster that returns nothing, and those without any worker after which it is given up.
LOOK, LOST = 5, 300
#: Tasks at a worker's thread or on the way to it: it need not wait for the next, and few results wait for us.
AHEAD = 2


class Stopped(Exception):
    """Work cannot go on; the message says why and what to do."""


def local(work: Callable[[Any], Any], tasks: Iterable[Any], jobs: int = 0) -> Iterator[Any]:
    """Results of `work` on tasks, as they come, from processes of this machine (joblib, loky).

    Parameters
    ----------
    work : callable
        Must be importable, or be one that cloudpickle can carry.
    tasks : iterable
        Drawn from as processes come free.
    jobs : int
        Number of processes; 0 takes all cores, 1 works in this process.

    Yields
    ------
    object
        Results in no order.

    Raises
    ------
    Stopped
        When a process was ended from outside.

    Examples
    --------
    >>> sorted(local(abs, [-2, 1, -3], jobs=1))
    [1, 2, 3]
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    pool = Parallel(n_jobs=jobs or -1, backend="loky", return_as="generator_unordered", batch_size=1,
                    initializer=end_with, initargs=(os.getpid(),))
    try:
        with closing(pool(delayed(work)(task) for task in tasks)) as results:
            yield from results
    except BrokenProcessPool:
        raise Stopped("a worker process was ended from outside: memory may have run out. Finished parts are "
                      "kept. Mend: run the same command again, with fewer JOBS") from None


def end_with(parent: int) -> None:
    """End this process soon after its parent; a worker whose run was killed would otherwise finish its task first."""
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def address(text: str) -> str:
    """The address of a Dask scheduler, if it looks like one.

    Examples
    --------
    >>> address("tcp://10.0.0.1:8786")
    'tcp://10.0.0.1:8786'
    """
    found = re.fullmatch(r"(?:tcp|tls)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", text, re.ASCII)
    if not found or not 0 < int(found[1]) < 65536:
        raise ValueError(f"{text!r} is not the address of a Dask scheduler: write it as tcp://host:port")
    return text


def cluster(work: Callable[[Any], Any], tasks: Iterable[Any], scheduler: str) -> Iterator[Any]:
    """Results of `work` on tasks, as they come, from the workers of a Dask cluster.

    What a lost worker had in hand, the scheduler gives to another: `work` must be pure. When all are lost, this waits
    `LOST` seconds for the next one.

    Parameters
    ----------
    work : callable
        Must be importable on the workers.
    tasks : iterable
        Drawn from as workers come free.
    scheduler : str
        Such as `tcp://host:8786`.

    Yields
    ------
    object
        Results in no order.

    Raises
    ------
    Stopped
        When there is no scheduler or no worker, when workers lack the package, and when the cluster was lost.
    """
    import logging
    from concurrent.futures import CancelledError

    from distributed import Client
    from distributed.client import FutureCancelledError, FuturesCancelledError
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost scheduler is said below, in one line
    try:
        client = Client(address(scheduler), timeout=PATIENCE, set_as_default=False, direct_to_workers=False)
    except (OSError, TimeoutError):
        raise Stopped(f"no Dask scheduler answers at {scheduler}. Mend: start one (dask scheduler), or mend "
                      "the address") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            yield from _as_they_come(client, work, iter(tasks))
        except TimeoutError:
            raise Stopped(f"the Dask scheduler at {scheduler} has no worker. Finished parts are kept. Mend: start "
                          f"some (dask worker {scheduler})") from None
        except (CancelledError, FutureCancelledError, FuturesCancelledError, CommClosedError):
            raise Stopped(f"the Dask scheduler at {scheduler} was lost. Finished parts are kept. Mend: run the "
                          "same command again") from None
        except KilledWorker as error:
            raise Stopped("workers ended again and again at one part: memory may run out there. Finished parts are "
                          f"kept. ({error})") from None
        except (ImportError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "deserialization" not in str(error):
                raise
            raise Stopped(f"the scheduler or a worker of {scheduler} lacks this package. Mend: install this repository "
                          "there as here") from None


def _as_they_come(client, work: Callable[[Any], Any], waiting: Iterator[Any]) -> Iterator[Any]:
    """Results from a cluster whose workers may come and go; a TimeoutError when there has been none for long."""
    from distributed import wait

    running, seen = set(), time.monotonic()
    while True:
        threads = sum(client.nthreads().values())
        seen = time.monotonic() if threads else seen
        room = max(AHEAD * threads, 1) - len(running)
        running |= {client.submit(work, task, pure=False) for task in islice(waiting, max(room, 0))}
        if not running:
            return
        try:
            with client.as_current():
                done, running = wait(running, timeout=LOOK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            if time.monotonic() > seen + LOST:
                raise
            continue
        for future in done:
            result = future.result()
            future.release()  # its result leaves the cluster's memory
            yield result
