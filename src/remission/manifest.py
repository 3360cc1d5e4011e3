"""What went in and what came out: hashes of every file of a run, checked later."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from remission import lock, paths, provenance
from remission.errors import ContractError, Problem

FOREIGN = ": not part of the run"
#: What to do about each kind of fault, said once below the files.
MENDS = {
    "manifest": "No run was finished: make COHORT={cohort}",
    "inputs": "The results do not belong to these inputs: put back what was changed by mistake, then make "
    "COHORT={cohort}",
    "code": "The results do not belong to this code: make COHORT={cohort}",
    "outputs": "Results were changed after the run, or a run was cut off: make COHORT={cohort} makes them anew",
    "foreign": "No run made these files: move or delete them",
}


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
    """Write `manifest.json`: SHA-256 of every input and output of a cohort, of the code and the lock, and the seeds.

    Parameters
    ----------
    cohort : str

    Returns
    -------
    str
        One line for the reader.

    Raises
    ------
    ContractError
        When inputs or code changed after the first notebook had read them: such outputs belong to no one state.

    Notes
    -----
    No commit is named: the file is committed itself. Versions are those of `requirements.lock`, named by its hash. In a
    run by make the outputs are the files that its notebooks wrote or kept, so that a file of another origin is never
    taken in; a notebook run by hand has no record of the others and takes every file of the two folders.
    """
    made = {
        "cohort": cohort,
        "lock": provenance.lock_file(),
        "seeds": seeds(),
        "code": _code(),
        "inputs": provenance.inputs(cohort),
        "outputs": {paths.shown(path): provenance.sha(path) for path in _outputs(cohort)},
    }
    target = paths.processed(cohort) / "manifest.json"
    with paths.atomic(target) as temporary:
        temporary.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return f"{paths.shown(target)}: {len(made['inputs'])} inputs, {len(made['outputs'])} outputs"


def _code() -> dict[str, str]:
    """Hashes of the package and of the code cells of notebooks."""
    return provenance.code() | {f"notebooks/{name}.ipynb": provenance.cells(name) for name in provenance.notebooks()}


def _outputs(cohort: str) -> list[Path]:
    """Outputs of the run that is under way, or every file of the cohort's output folders."""
    everything = _found(cohort, "outputs")
    journal = os.environ.get(paths.JOURNAL_VARIABLE)
    if not journal:
        return list(everything.values())
    mine = Path(journal).name.partition(".")[0]
    others = {name: provenance.load(provenance.record_path(cohort, name)) for name in provenance.notebooks()
              if name != mine}
    if not all(others.values()):
        return list(everything.values())
    _refuse_mixture(cohort, others)
    known = {name for one in others.values() for name in one["files"]}
    known |= {paths.shown(path) for path in provenance.noted(Path(journal), cohort)}
    results = paths.shown(paths.processed(cohort) / "results.csv")
    return [path for name, path in everything.items() if name in known | {results}]


def _refuse_mixture(cohort: str, others: dict[str, dict]) -> None:
    now = provenance.ingredients(cohort)
    late = [name for name, one in others.items()
            if one["made_from"] != provenance.digest(now) or one["cells"] != provenance.cells(name)]
    if late:
        names = provenance.changed(provenance.load(paths.build(cohort) / provenance.STAMP), now)
        what = f"{', '.join(names) or 'code'} changed after {late[0]} had run"
        raise ContractError(cohort, [Problem("manifest.json", "", (), what, f"make COHORT={cohort}")])


def _found(cohort: str, kind: str) -> dict[str, Path]:
    folders = {"inputs": [paths.raw(cohort)], "outputs": [paths.processed(cohort), paths.figures(cohort)]}[kind]
    return {paths.shown(path): path for folder in folders for path in provenance.files(folder)}


def faults(cohort: str) -> dict[str, list[str]]:
    """Compare a cohort's files, and the code, with its manifest.

    Parameters
    ----------
    cohort : str

    Returns
    -------
    dict of list of str
        One line for every file that is changed, missing or not named, by kind (the keys of `MENDS`); kinds without a
        fault are left out.

    Raises
    ------
    ContractError
        When there is no such cohort.
    """
    target, home = paths.processed(cohort) / "manifest.json", paths.raw(cohort)
    if not home.is_dir():
        raise ContractError(cohort, [Problem("cohort", "", (), f"there is no folder {paths.shown(home)}",
                                             "check the spelling", "S32")])
    said = provenance.load(target)
    if not all(isinstance(said.get(kind), dict) for kind in ("code", "inputs", "outputs")):
        what = "damaged, or of an older version" if target.is_file() else "missing"
        return {"manifest": [f"{paths.shown(target)}: {what}"]}
    code = {**_code(), "requirements.lock": provenance.lock_file()}
    made: dict[str, list[str]] = {"code": _compare(said["code"] | {"requirements.lock": said.get("lock")}, code)}
    for kind in ("inputs", "outputs"):
        made[kind] = _compare(said[kind], {name: provenance.sha(path) for name, path in _found(cohort, kind).items()})
    foreign = [line for line in made["outputs"] if line.endswith(FOREIGN)]
    made["outputs"] = [line for line in made["outputs"] if line not in foreign]
    return {kind: lines for kind, lines in {**made, "foreign": foreign}.items() if lines}


def _compare(said: dict[str, str], found: dict[str, str]) -> list[str]:
    words = {(True, False): ": missing", (True, True): ": changed since the run", (False, True): FOREIGN}
    return [name + words[name in said, name in found] for name in provenance.changed(said, found)]


def check(cohort: str) -> list[str]:
    """Every fault of `faults`, sorted; empty when all is as the last run left it.

    Examples
    --------
    >>> isinstance(check("freireich1963"), list)
    True
    """
    return sorted(line for lines in faults(cohort).values() for line in lines)


def main(arguments: list[str]) -> int:
    """`python -m remission.manifest COHORT`: name every fault and what to do about it; 1 if there is one."""
    if len(arguments) != 1:
        print("usage: python -m remission.manifest COHORT", file=sys.stderr)
        return 2
    try:
        found = faults(paths.cohort_name(arguments[0]))
    except ContractError as error:
        print(error, file=sys.stderr)
        return 1
    if found and lock.under_way(arguments[0]):
        print(f"{arguments[0]}: a run is under way; what follows may be settled when it ends")
    for kind, lines in found.items():
        print(*lines, sep="\n")
        print(f"-> {MENDS[kind].format(cohort=arguments[0])}.")
    if not found:
        print(f"{arguments[0]}: results, inputs, code and lock are as the last run left them")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
