"""Which tests and notebooks could notice a change of a module, from what they import and what they are called."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: As many test files that use a module through others are tried.
NEAREST = 6
#: Files whose tests take a minute or more: last.
SLOW = ("test_checks", "test_faults", "test_fuzz", "test_mrd_cohorts", "test_kill", "test_ensemble_spread",
        "test_ensemble_coverage", "test_r_parity", "test_engines", "test_properties_readers", "test_peers")


@cache
def code_of(path: Path) -> str:
    """Python text of a file or of a notebook's cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
    return text


@cache
def imported(path: Path) -> frozenset[str]:
    """Modules of the package that a file or notebook names in its imports, and what it takes from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code_of(path))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "remission":
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("remission.")}
    return frozenset(names)


def module_of(path: str) -> str:
    """Dotted name of a source file."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def reach(path: Path) -> frozenset[str]:
    """Modules that a file imports, by whatever way."""
    found, ahead = set(), [path]
    while ahead:
        for name in imported(ahead.pop()):
            base = ROOT / "src" / name.replace(".", "/")
            for source in (base.with_suffix(".py"), base / "__init__.py"):
                if source.is_file() and name not in found:
                    found.add(name)
                    ahead.append(source)
    return frozenset(found)


@cache
def known_to_tests() -> dict[Path, frozenset[str]]:
    """What each test file imports of the package, by itself or through a helper beside it."""
    helpers = {file.stem: imported(file) for file in ROOT.glob("tests/*.py") if not file.stem.startswith("test_")}
    return {file: imported(file).union(*(helpers[name] for name in re.findall(
        r"^(?:from|import) (\w+)", code_of(file), re.M) if name in helpers))
        for file in sorted(ROOT.glob("tests/test_*.py"))}


@cache
def tests_of(path: str) -> tuple[tuple[str, ...], ...]:
    """Test files for a module, in groups: importing it, bearing its name, using it, of its package; slow ones last."""
    if not path.endswith(".py"):
        nearest = {"ctcae": ("tests/test_ctcae.py",), "units": ("tests/test_cleaning.py", "tests/test_study.py")}
        return (nearest[Path(path).stem],)
    module = module_of(path)
    parts = module.split(".")[1:]
    named = known_to_tests()
    files = list(named)
    own = [file for file in files if file.stem.removeprefix("test_") in {"_".join(parts[:n]) for n in (1, 2, 3)}
           or file.stem.startswith(f"test_{'_'.join(parts[:2])}")]
    direct = [file for file, names in named.items() if module in names
              or any(name.startswith(f"{module}.") for name in names)]
    package = [file for file in files if file.stem.startswith(f"test_{parts[0]}")]
    # The nearest of those that use it through others: a module may be tested by what is built on it.
    through = sorted((file for file in files if module in reach(file)), key=lambda file: len(reach(file)))[:NEAREST]
    groups, seen = [], set()
    for group in (sorted(direct, key=lambda file: file not in own), own, through, package):
        for slow in (False, True):
            fresh = [file for file in group if file not in seen and (file.stem in SLOW) == slow
                     and file.stem != "test_pipeline"]
            seen |= set(fresh)
            if fresh:
                groups.append(tuple(file.relative_to(ROOT).as_posix() for file in fresh))
    return tuple(sorted(groups, key=is_slow))


def is_slow(group: tuple[str, ...]) -> bool:
    """Whether test files of a group take minutes."""
    return any(Path(name).stem in SLOW for name in group)


def notebooks_of(module: str) -> list[str]:
    """Notebooks that use a module, those first that need least besides."""
    found = {path.stem: reach(path) for path in sorted((ROOT / "notebooks").glob("0[1-9]*.ipynb"))}
    return sorted((name for name, names in found.items() if module in names), key=lambda name: len(found[name]))[:3]


@cache
def maker(name: str) -> str:
    """Notebook that makes a figure."""
    for path in sorted((ROOT / "notebooks").glob("0[1-9]*.ipynb")):
        code = code_of(path)
        begins = [said for said in re.findall(r"style\.show\([^\n]*f\"(\w+_)\{", code) if name.startswith(said)]
        if f'"{name}")' in code or begins:
            return path.stem
    raise ValueError(f"no notebook makes {name}")
