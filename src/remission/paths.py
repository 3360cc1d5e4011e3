"""Where things are: the one module that knows the folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Set this to send every output of a run elsewhere; tests do, so that checking never writes into the checkout.
OUTPUT_VARIABLE = "REMISSION_OUTPUT"


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


def raw(cohort: str) -> Path:
    """Folder of a cohort's tables as received."""
    return root() / "data" / "raw" / cohort


def processed(cohort: str) -> Path:
    """Folder of a cohort's analysis tables, results and logs."""
    return output_root() / "data" / "processed" / cohort


def figures(cohort: str) -> Path:
    """Folder of a cohort's figures."""
    return output_root() / "figures" / cohort


def build(cohort: str) -> Path:
    """Folder of a cohort's executed notebooks; never committed."""
    return output_root() / "build" / cohort


def shown(path: Path) -> str:
    """Path as a reader should see it: relative to the output root or the root, with forward slashes.

    Examples
    --------
    >>> shown(root() / "data" / "raw")
    'data/raw'
    """
    for base in (output_root(), root()):
        if path.resolve().is_relative_to(base):
            return path.resolve().relative_to(base).as_posix()
    return path.as_posix()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary path beside `path`, renamed onto it on success.

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
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
