"""What a run is made from and what each of its notebooks made: hashes, and records that tell a whole run from a part.

A *stamp* in `build/<cohort>/` holds the hashes of inputs, code and lock; make sees by its time that they changed, and
not by the times of the files themselves, which a copy, an archive or a checkout sets at will. A *record* beside each
executed notebook says from which stamp it was made and which files and results it left.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from remission import paths

#: Name of the stamp, and how the name of a record ends.
STAMP, RECORD = "made_from.json", ".files.json"
#: The notebook that ends a run, whatever its number.
LEDGER = "05_claim_ledger"
#: Prose may be mended without a run; the rest is litter of desktop programs.
NO_INPUTS = (".md",)
LITTER = (".", "~$", "Thumbs.db", "desktop.ini")


def sha(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def files(folder: Path) -> list[Path]:
    """Files below a folder that belong to a cohort, in order: no hidden ones, no prose, not the manifest itself."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(LITTER))
    return sorted(path for path in found if path.name != "manifest.json" and path.suffix not in NO_INPUTS)


def notebooks() -> list[str]:
    """Names of the notebooks of a run, in order: the ledger last, since its manifest names the files of all others.

    The one that rebuilds raw tables is none of them.

    Examples
    --------
    >>> notebooks()[0], notebooks()[-1]
    ('01_clean_patient_tables', '05_claim_ledger')
    """
    found = (path.stem for path in (paths.root() / "notebooks").glob("0[1-9]*.ipynb"))
    return sorted(found, key=lambda name: (name == LEDGER, name))


def code() -> dict[str, str]:
    """Hash of every module and data file that results are made with, by its place in the repository.

    The report is left out: it reads what a run has left.

    Examples
    --------
    >>> "src/remission/provenance.py" in code()
    True
    """
    home = Path(__file__).parent
    found = [*(path for path in home.rglob("*.py") if home / "report" not in path.parents),
             *(path for path in (home / "data").iterdir() if path.is_file())]
    return {f"src/remission/{path.relative_to(home).as_posix()}": _text_sha(path) for path in sorted(found)}


def cells(notebook: str) -> str:
    """Hash of a notebook's code cells: its prose and its outputs may change without a run."""
    path = paths.root() / "notebooks" / f"{notebook}.ipynb"
    found = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    texts = ["".join(cell["source"]) for cell in found]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def lock_file() -> str:
    """Hash of `requirements.lock`; empty where there is none."""
    path = paths.root() / "requirements.lock"
    return _text_sha(path) if path.is_file() else ""


def inputs(cohort: str) -> dict[str, str]:
    """Hash of every file of a cohort as received, prose apart.

    Examples
    --------
    >>> sorted(inputs("freireich1963"))[-1]
    'data/raw/freireich1963/study.toml'
    """
    return {paths.shown(path): sha(path) for path in files(paths.raw(cohort))}


def ingredients(cohort: str) -> dict[str, str]:
    """Hash of everything that a run is made from, by name: inputs, code and lock; notebooks speak for themselves."""
    return {**inputs(cohort), **code(), "requirements.lock": lock_file()}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Names whose hashes differ, or that one side alone has.

    Examples
    --------
    >>> changed({"a": "1", "b": "2"}, {"a": "1", "c": "3"})
    ['b', 'c']
    """
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def stamp(cohort: str) -> list[str]:
    """Bring a cohort's stamp up to date; where nothing has changed the file is left alone, its time too.

    Parameters
    ----------
    cohort : str

    Returns
    -------
    list of str
        Names that changed since the last stamp; empty when there was none.
    """
    target, now = paths.build(cohort) / STAMP, ingredients(cohort)
    before = load(target)
    if before != now:
        with paths.atomic(target) as temporary:
            temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return changed(before, now) if before else []


def load(path: Path) -> dict:
    """A stamp or a record; empty when it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def record_path(cohort: str, notebook: str) -> Path:
    """Where the record of an executed notebook stands."""
    return paths.build(cohort) / f"{notebook}{RECORD}"


def record(cohort: str, notebook: str, journal: Path, made_from: dict[str, str]) -> None:
    """Write the record of a notebook that ran to its end.

    Parameters
    ----------
    cohort, notebook : str
    journal : Path
        Paths that the notebook wrote or kept, one a line.
    made_from : dict of str
        From `ingredients`, before the notebook ran.
    """
    whole = {"made_from": digest(made_from), "cells": cells(notebook), "rows": rows(cohort, notebook),
             "files": {paths.shown(path): sha(path) for path in noted(journal, cohort)}}
    with paths.atomic(record_path(cohort, notebook)) as temporary:
        temporary.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def noted(journal: Path, cohort: str) -> list[Path]:
    """Files of a cohort that a journal names and that are there, in order; `results.csv` belongs to all notebooks."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []
    homes = (paths.processed(cohort).absolute(), paths.figures(cohort).absolute())
    return sorted(path for path in map(Path, dict.fromkeys(lines))
                  if path.is_file() and path.name != "results.csv" and any(path.is_relative_to(home) for home in homes))


def rows(cohort: str, notebook: str) -> str:
    """Hash of a notebook's rows in the cohort's `results.csv`."""
    path = paths.processed(cohort) / "results.csv"
    if not path.is_file():
        return ""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            mine = [list(row.values()) for row in csv.DictReader(handle) if row.get("notebook") == notebook]
    except (csv.Error, UnicodeDecodeError):
        return "damaged"
    return hashlib.sha256(json.dumps(mine).encode()).hexdigest()


def faults(cohort: str, notebook: str) -> list[str]:
    """What of an executed notebook is no longer as it left it, one line each; empty when all is."""
    said = load(record_path(cohort, notebook))
    if not isinstance(said.get("files"), dict) or "rows" not in said:
        return [f"{notebook}: no record of what it made"]
    root = paths.output_root()
    wrong = [f"{name}: {'changed' if (root / name).is_file() else 'missing'}" for name, known in said["files"].items()
             if not (root / name).is_file() or sha(root / name) != known]
    if said["rows"] != rows(cohort, notebook):
        wrong.append(f"{paths.shown(paths.processed(cohort))}/results.csv: changed in the rows of {notebook}")
    return wrong


def digest(made_from: dict[str, str]) -> str:
    """One hash for a set of hashes."""
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _text_sha(path: Path) -> str:
    """Hash of a text whose line ends may have been changed by a checkout."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
