"""What went in and what came out: hashes of every file of a run, checked later."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

from remission import paths


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    # Prose may be mended without a run.
    return sorted(path for path in found if path.name != "manifest.json" and path.suffix != ".md")


def seeds() -> dict[str, int]:
    """Seed of each notebook that draws random numbers, from its parameters cell.

    Examples
    --------
    >>> all(isinstance(seed, int) for seed in seeds().values())
    True
    """
    found = {}
    for path in sorted((paths.root() / "notebooks").glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "parameters" in cell["metadata"].get("tags", []):
                said = re.search(r"^seed = ([\d_]+)", "".join(cell["source"]), re.MULTILINE)
                found |= {path.stem: int(said[1])} if said else {}
    return found


def write(cohort: str) -> str:
    """Write `manifest.json`: SHA-256 of every input and output of a cohort, of the lock, and the seeds.

    Parameters
    ----------
    cohort : str

    Returns
    -------
    str
        One line for the reader.

    Notes
    -----
    No commit is named: the file is committed itself. Versions are those of `requirements.lock`, named by its hash.
    """
    made = {
        "cohort": cohort,
        "lock": _sha(paths.root() / "requirements.lock"),
        "seeds": seeds(),
        "inputs": {paths.shown(path): _sha(path) for path in _files(paths.raw(cohort))},
        "outputs": {paths.shown(path): _sha(path)
                    for folder in (paths.processed(cohort), paths.figures(cohort)) for path in _files(folder)},
    }
    target = paths.processed(cohort) / "manifest.json"
    with paths.atomic(target) as temporary:
        temporary.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return f"{paths.shown(target)}: {len(made['inputs'])} inputs, {len(made['outputs'])} outputs"


def check(cohort: str) -> list[str]:
    """Compare a cohort's files with its manifest.

    Returns
    -------
    list of str
        One line for every file that is changed, missing or not named; empty when all is as it was.

    Examples
    --------
    >>> check("freireich1963")
    []
    """
    target = paths.processed(cohort) / "manifest.json"
    if not target.is_file():
        return [f"{paths.shown(target)}: missing; run make COHORT={cohort}"]
    said = json.loads(target.read_text(encoding="utf-8"))
    named = {**said["inputs"], **said["outputs"]}
    found = {paths.shown(path): path for folder in (paths.raw(cohort), paths.processed(cohort), paths.figures(cohort))
             for path in _files(folder)}
    faults = [f"{name}: missing" for name in named if name not in found]
    faults += [f"{name}: changed since the run" for name, sha in named.items()
               if name in found and _sha(found[name]) != sha]
    faults += [f"{name}: not part of the run" for name in found if name not in named]
    if _sha(paths.root() / "requirements.lock") != said["lock"]:
        faults.append("requirements.lock: changed since the run")
    return sorted(faults)


def main(arguments: list[str]) -> int:
    """`python -m remission.manifest COHORT`: print every fault; 1 if there is one."""
    cohort = arguments[0]
    faults = check(cohort)
    print("\n".join(faults) if faults else f"{cohort}: every file is as the last run left it")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
