"""The shape of the house: imports run one way, notebooks are documents, paths that the README names exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib

import nbformat
import pytest
from conftest import ROOT

from remission import results

#: Layers from the ground up; a module may import from layers below its own, and from its own package.
LAYERS = [
    {"errors", "paths", "batch"}, {"keys", "checks", "schema", "study", "dictionary"},
    {"store", "results", "show", "estimators", "ctcae", "publication", "exports", "disclosure", "provenance", "lock",
     "identifiers"},
    {"raw"}, {"privacy"}, {"cleaning"}, {"adam"}, {"toxicity", "survival", "mrd"}, {"critique"}, {"ledger", "manifest"},
    {"identification", "ensemble"}, {"figures"}, {"run", "alone", "check", "new", "report", "club"},
]
#: Beside the line: makers of raw tables know what tables look like and nothing of the analysis.
BESIDE = {"reconstruct": {"paths", "schema", "study", "errors"}, "published": {"paths", "schema", "study", "errors"}}
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imported(path):
    """First-level names below `remission` that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "remission":
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("remission.")}
    return names


MODULES = sorted(path for path in (ROOT / "src" / "remission").rglob("*.py") if path.parent.name != "remission"
                 or path.name != "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_imports_run_one_way(path):
    own = path.relative_to(ROOT / "src" / "remission").parts[0].removesuffix(".py")
    others = imported(path) - {own}
    if own in BESIDE:
        assert others <= BESIDE[own]
    else:
        assert own in LEVEL, f"give {own} a layer"
        # Modules of one layer stand side by side, except on the lowest floors, where plain helpers may lean on another.
        lean = 1 if LEVEL[own] <= 2 else 0
        assert {name for name in others if LEVEL[name] >= LEVEL[own] + lean} == set()


def test_importing_the_package_is_cheap():
    heavy = ["numpy", "pandas", "papermill", "scipy"]
    code = f"import sys, remission.study, remission.run; print(any(name in sys.modules for name in {heavy}))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert said.strip() == "False"


#: A reader's own copies of the template are the reader's.
NOTEBOOKS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
             if path.name == "explore_template.ipynb" or not path.name.startswith("explore_")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    """What nbval cannot see: it passes a cell that was never run, and any length of code."""

    @pytest.fixture
    def cells(self, path):
        return nbformat.read(path, as_version=4).cells

    def test_every_cell_was_run_in_order_without_error_or_warning(self, cells):
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        outputs = [output for cell in code for output in cell.outputs]
        assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]

    def test_cells_tell_and_the_package_computes(self, cells):
        code = ["".join(cell.source) for cell in cells if cell.cell_type == "code"]
        assert max(len([line for line in cell.splitlines() if line.strip()]) for cell in code) <= 15
        assert not [cell for cell in code if re.search(r"^\s*(def|class) |sys\.path|autoreload", cell, re.M)]

    def test_prose_is_at_least_twice_the_code(self, cells):
        lines = sum(len(cell.source.splitlines()) for cell in cells if cell.cell_type == "code")
        words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
        assert words >= 2 * lines * 3  # a line of code holds about three words

    def test_it_has_the_anatomy(self, cells):
        first = cells[0].source
        assert cells[0].cell_type == "markdown" and first.startswith("# ")
        assert "**Question.**" in first and "**Reads**" in first and "**Writes**" in first
        assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1
        assert "Limitations" in cells[-1].source

    def test_it_carries_no_trace_of_the_machine(self, path):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|tmp|Users|work)/|papermill\"|\"execution\"", text)


def markdown_paths(text):
    """Paths that a Markdown text names: targets of links, and code spans that look like a path of this repository."""
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    spans = re.findall(r"`((?:notebooks|data|figures|src|tests|docs|\.ci)/[^`\s<>*…{}]*|[A-Z][\w.]*\.(?:md|cff)|"
                       r"Makefile|environment\.yml|pyproject\.toml|requirements\.lock)`", text)
    return {name for name in [*links, *spans] if not name.startswith(("http", "build/"))}


@pytest.mark.parametrize("name", ["README.md", "docs/decisions.md", "docs/reviewer_guide.md", "notebooks/start.md"])
def test_paths_named_in_documents_exist(name):
    path = ROOT / name
    named = markdown_paths(path.read_text(encoding="utf-8"))
    missing = [one for one in named if not (ROOT / one).exists() and not (path.parent / one).exists()]
    assert named and missing == []


def test_readme_quotes_results_as_they_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| [^|]+ \| ([^|]+) \| `([^`|]+)` \|$", text, re.M)
    found = results.load("ash2012_reconstructed")
    assert len(quoted) >= 5
    assert quoted == [(results.pick(found, name)["display"], name) for _, name in quoted]


def test_readme_has_a_row_for_every_notebook():
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| [")]
    assert [path.name for path in NOTEBOOKS] == [re.search(r"\(notebooks/([^)]+)\)", row).group(1) for row in rows
                                                 if "(notebooks/" in row]


def test_readme_figures_are_few_and_say_that_they_are_synthetic():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[([^]]+)\]\((figures/ash2012_reconstructed/\w+\.png)\)\n\n\*([^*]+)\*$", text, re.M)
    assert len(shown) == text.count("![") <= 3
    for words, name, caption in shown:
        assert (ROOT / name).is_file() and len(words) > 60
        assert caption.startswith("Synthetic patients.") and "start of maintenance" in caption


def test_data_dictionary_is_what_the_schema_says():
    from remission import dictionary

    assert (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8") == dictionary.dictionary()


def test_no_address_of_a_registry_and_no_path_of_a_machine_in_any_file():
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    texts = [name for name in listed.split() if not name.endswith(".png") and name != "tests/test_house.py"]
    pattern = re.compile(r"(?<!no-emit-)index-url|find-links|pythonhosted|pypi\.org/simple|file:///|/(home|Users|root)/\w")
    assert [name for name in texts if pattern.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))] == []


def test_version_is_the_same_everywhere():
    import remission

    assert f"version: {remission.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {remission.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dynamic"] == ["version"]
