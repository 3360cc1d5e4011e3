"""One run on a cohort at a time: hold the cohort's lock, put the folder in order, then become the command.

`python -m remission.alone COHORT [--wait SECONDS] [-- COMMAND …]` is how make starts a run. The lock is the kernel's
(flock) and is handed on to the command and what it starts, so that it ends with the last of them, however they end; no
file has to be deleted after a crash.
"""

from __future__ import annotations

import argparse
import os
import sys

from remission import lock, paths, provenance, study
from remission.errors import ContractError


def prepare(cohort: str) -> list[str]:
    """Put a cohort's folders in order before a run; the caller holds the lock.

    Parameters
    ----------
    cohort : str

    Returns
    -------
    list of str
        What was found out of order, one line each.

    Notes
    -----
    What a killed run left half-written is removed. An executed notebook whose outputs are no longer as it left them is
    removed, so that make runs it again, and with it all that build on it. A figure that no run vouches for is removed
    too: figures are kept while their numbers hold, and a tampered one must not be.
    """
    for home in (paths.processed(cohort), paths.figures(cohort), paths.build(cohort)):
        for path in [*home.rglob(f"{paths.UNFINISHED}*"), *home.glob("*.journal")]:
            path.unlink(missing_ok=True)
    provenance.stamp(cohort)
    wrong = {name: provenance.faults(cohort, name) for name in _settled(cohort)}
    said = sorted({line for lines in wrong.values() for line in lines})
    results = paths.processed(cohort) / "results.csv"
    if any(line.startswith(paths.shown(results)) for line in said):
        results.unlink(missing_ok=True)  # all notebooks write into it, so all write it anew
        wrong = dict.fromkeys(wrong, said)
    for name, lines in wrong.items():
        if lines:
            (paths.build(cohort) / f"{name}.ipynb").unlink()
    _drop_figures(cohort)
    return said


def _settled(cohort: str) -> list[str]:
    """Executed notebooks that were made from what is there now; make sees the others by their times."""
    now = provenance.digest(provenance.ingredients(cohort))
    records = {name: provenance.load(provenance.record_path(cohort, name)) for name in provenance.notebooks()
               if (paths.build(cohort) / f"{name}.ipynb").is_file()}
    return [name for name, one in records.items()
            if not one or (one.get("made_from"), one.get("cells")) == (now, provenance.cells(name))]


def _drop_figures(cohort: str) -> None:
    vouched = dict(provenance.load(paths.processed(cohort) / "manifest.json").get("outputs", {}))
    for notebook in provenance.notebooks():
        vouched |= provenance.load(provenance.record_path(cohort, notebook)).get("files", {})
    for path in paths.figures(cohort).glob("*.png"):
        if vouched.get(paths.shown(path), "") not in ("", provenance.sha(path)):
            path.unlink()


def _dry() -> bool:
    """Whether make only says what it would do (make -n)."""
    flags = os.environ.get("MAKEFLAGS", "").partition(" ")[0]
    return "n" in flags and not flags.startswith("-") and "=" not in flags


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status, or becomes the command and never returns."""
    parser = argparse.ArgumentParser(prog="python -m remission.alone", description="Run a command alone on a cohort.",
                                     usage="%(prog)s COHORT [--wait SECONDS] [-- COMMAND ...]")
    parser.add_argument("cohort", help="folder under data/raw")
    parser.add_argument("--wait", type=float, default=600, help="most seconds to wait for another run")
    arguments = sys.argv[1:] if arguments is None else arguments
    split = arguments.index("--") if "--" in arguments else len(arguments)
    given, command = parser.parse_args(arguments[:split]), arguments[split + 1:]
    try:
        study.read(given.cohort)
        lock.hold(given.cohort, given.wait)
        said = [] if _dry() else prepare(given.cohort)
    except (ContractError, lock.Busy) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if said:
        more = f" and {len(said) - 5} more" if len(said) > 5 else ""
        print(f"not as the last run left it, so made anew: {'; '.join(said[:5])}{more}", file=sys.stderr)
    if command:
        sys.stdout.flush()
        os.execvp(command[0], command)  # no shell: arguments go over as they are
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
