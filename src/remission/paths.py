"""Where things are: the one module that knows the folders."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remission.errors import ContractError, Problem

#: Set this to send every output of a run elsewhere; tests do, so that checking never writes into the checkout.
OUTPUT_VARIABLE = "REMISSION_OUTPUT"
#: Set by `remission.run` for the kernel of a notebook: the file in which the notebook's writes are noted, and the
#: process that runs it. A kernel whose run was killed lives on for a moment; it must not write then.
JOURNAL_VARIABLE, OWNER_VARIABLE = "REMISSION_JOURNAL", "REMISSION_OWNER"
#: How the name of a file begins that is not yet whole.
UNFINISHED = ".unfinished-"
#: A cohort's name: one folder name, the same on every file system, and no word of a shell, of make or of an option.
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?")


def root() -> Path:
    """Find the project's root by searching upward from the working directory.

    Returns
    -------
    Path
        The nearest folder, from the working directory upward, that holds `pyproject.toml` and `data/raw`.

    Raises
    ------
    FileNotFoundError
        When no such folder exists.

    Examples
    --------
    >>> (root() / "notebooks").is_dir()
    True
    """
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "data" / "raw").is_dir():
            return folder
    raise FileNotFoundError(f"no project root above {here}: run from inside the repository")


def output_root() -> Path:
    """Folder under which `data/processed` and `figures` are written: the root, unless `REMISSION_OUTPUT` is set.

    Examples
    --------
    >>> output_root().is_absolute()
    True
    """
    return Path(os.environ.get(OUTPUT_VARIABLE) or root()).resolve()


def cohort_name(name: str) -> str:
    """Check that a name is that of one folder, and that this folder lies where it seems to lie.

    Parameters
    ----------
    name : str
        As a user gave it.

    Returns
    -------
    str
        The name itself.

    Raises
    ------
    ContractError
        When the name is a path, starts with a sign, holds any other sign than letters, digits, `_`, `-` and `.`, or
        when `data/raw/<name>`, a file in it, or a folder of its outputs is a symbolic link that leads out of its
        place.

    Examples
    --------
    >>> cohort_name("freireich1963")
    'freireich1963'
    >>> cohort_name("../freireich1963")
    Traceback (most recent call last):
    remission.errors.ContractError: cohort '../freireich1963': 1 problem
      cohort: not the name of one folder. Mend: use letters, digits, _, - and . only, a letter or digit first. [S32]
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _misnamed(name, "not the name of one folder",
                        "use letters, digits, _, - and . only, a letter or digit first")
    for home in (root() / "data" / "raw", *(output_root() / part for part in ("data/processed", "figures", "build"))):
        _refuse_link_out(name, home / name, "folder")
    tables = root() / "data" / "raw" / name
    for path in sorted(tables.iterdir()) if tables.is_dir() else ():
        _refuse_link_out(name, path, "file")
    return name


def _refuse_link_out(name: str, path: Path, kind: str) -> None:
    if path.is_symlink() and path.resolve().parent != path.parent.resolve():
        raise _misnamed(name, f"{shown(path.parent)}/{path.name} is a symbolic link that leads elsewhere",
                        f"put the {kind} itself there")


def _misnamed(name: object, what: str, mend: str) -> ContractError:
    said = name if isinstance(name, str) and NAME.fullmatch(name) else ascii(str(name)[:60])
    return ContractError(said, [Problem("cohort", "", (), what, mend, "S32")])


def raw(cohort: str) -> Path:
    """Folder of a cohort's tables as received."""
    return root() / "data" / "raw" / cohort_name(cohort)


def processed(cohort: str) -> Path:
    """Folder of a cohort's analysis tables, results and logs."""
    return output_root() / "data" / "processed" / cohort_name(cohort)


def figures(cohort: str) -> Path:
    """Folder of a cohort's figures."""
    return output_root() / "figures" / cohort_name(cohort)


def build(cohort: str) -> Path:
    """Folder of a cohort's executed notebooks; never committed."""
    return output_root() / "build" / cohort_name(cohort)


def shown(path: Path) -> str:
    """Path as a reader should see it: relative to the output root or the root, with forward slashes.

    Examples
    --------
    >>> shown(root() / "data" / "raw")
    'data/raw'
    """
    for place in (path.absolute(), path.resolve()):
        for base in (output_root(), root()):
            if place.is_relative_to(base):
                return place.relative_to(base).as_posix()
    return path.as_posix()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary path beside `path`, renamed onto it on success.

    Raises
    ------
    RuntimeError
        In the kernel of a run that has been killed: nothing is written any more.

    Notes
    -----
    A process that is killed in between leaves a file whose name begins with `UNFINISHED`; the next run removes it.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{UNFINISHED}{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _stop_orphan()
        keep(path)  # noted first: a file that is noted and not there is found, the reverse would not be
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def keep(path: Path) -> None:
    """Note that the running notebook vouches for a file, be it written now or left as it was."""
    if journal := os.environ.get(JOURNAL_VARIABLE):
        with open(journal, "a", encoding="utf-8") as handle:
            handle.write(f"{path.absolute()}\n")


def remove(path: Path) -> None:
    """Remove an output that this cohort does not have, if an earlier run left one."""
    _stop_orphan()
    path.unlink(missing_ok=True)


def _stop_orphan() -> None:
    owner = os.environ.get(OWNER_VARIABLE)
    if owner and int(owner) not in (os.getppid(), os.getpid()):
        raise RuntimeError("the run that this kernel belongs to has ended, so nothing is written any more")
