"""A cohort's lock: one run at a time writes the outputs of a cohort."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from remission import paths

LOCK = ".lock"


class Busy(Exception):
    """Another run on the cohort is under way."""


def hold(cohort: str, wait: float, say=lambda line: print(line, file=sys.stderr, flush=True)) -> int:
    """Take a cohort's lock, waiting for another run to end.

    Parameters
    ----------
    cohort : str
    wait : float
        Most seconds to wait; 0 refuses at once.
    say : callable
        Takes the one line that tells a reader why nothing happens.

    Returns
    -------
    int
        File descriptor that holds the lock; child processes inherit it.

    Raises
    ------
    Busy
        When the other run did not end in time; the message says what can be done.
    """
    path = paths.build(cohort) / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    ends, said = time.monotonic() + wait, False
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _lock(handle) and _same(handle, path):
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            os.set_inheritable(handle, True)
            return handle
        os.close(handle)
        other = _owner(path)
        if time.monotonic() >= ends:
            after = f" after {wait:g} s of waiting" if wait else ""
            raise Busy(f"{cohort}: another run{other} is under way, so this one stops{after} and has changed nothing. "
                       f"Mend: wait until it has ended (WAIT=seconds waits longer).")
        if not said:
            say(f"{cohort}: another run{other} is under way; waiting for it, at most {wait:g} s (WAIT=0 refuses)")
            said = True
        time.sleep(0.2)


def under_way(cohort: str) -> bool:
    """Whether a run on the cohort holds its lock at this moment."""
    path = paths.build(cohort) / LOCK
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        return not _lock(handle.fileno(), fcntl.LOCK_SH)


def _lock(handle: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(handle: int, path: Path) -> bool:
    """Whether the lock file still is the one that was opened: `make clean` may have deleted it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        number = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (process {number})" if number.isdigit() else ""
