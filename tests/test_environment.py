"""Both routes, venv and conda, install the same versions: the lock's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from conftest import ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def locked(text):
    """Name and version of every requirement of a lock that applies to this interpreter."""
    found = {}
    for entry in re.findall(r"^([a-zA-Z0-9][^\\\n]*?) *\\?$", text, re.M):
        requirement = Requirement(entry)
        if requirement.marker is None or Marker(str(requirement.marker)).evaluate():
            found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


@pytest.fixture(scope="module")
def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def conda_requirements(conda):
    """What pip is given on the conda route, files read in."""
    lines = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    files = [line.removeprefix("-r ") for line in lines if line.startswith("-r ")]
    assert [line for line in lines if not line.startswith("-")] == [], "a package named beside the lock escapes it"
    assert "--require-hashes" in lines
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in files)


def test_every_requirement_is_pinned_and_hashed():
    entries = re.findall(r"^[a-zA-Z0-9].*?(?=^[a-zA-Z0-9]|\Z)", LOCK, re.M | re.S)
    assert len(entries) > 100
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_both_routes_install_the_same_versions(conda):
    running = {canonicalize_name(found.metadata["Name"]): found.version for found in metadata.distributions()}
    by_conda = locked(conda_requirements(conda))
    assert len(by_conda) > 100
    assert {name: running.get(name) for name in by_conda} == by_conda


def test_nothing_is_installed_beside_the_lock():
    running = {canonicalize_name(found.metadata["Name"]) for found in metadata.distributions()}
    assert running - set(locked(LOCK)) <= {"remission", "pip", "setuptools"}


def test_extras_that_packages_ask_for_stand_in_the_lock():
    # pip, on the conda route, takes an extra that the lock does not name for an unpinned requirement.
    pinned = {}
    for entry in re.findall(r"^([a-zA-Z0-9][^\\\n]*?) *\\?$", LOCK, re.M):
        requirement = Requirement(entry)
        pinned[canonicalize_name(requirement.name)] = requirement.extras
    asked = [Requirement(text) for found in metadata.distributions() for text in found.requires or []
             if canonicalize_name(found.metadata["Name"]) in pinned]
    asked = [one for one in asked if one.extras and (one.marker is None or one.marker.evaluate({"extra": ""}))]
    assert asked
    assert [str(one) for one in asked if not one.extras <= pinned.get(canonicalize_name(one.name), set())] == []


def test_the_lock_answers_every_name_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = locked(LOCK)
    for name in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        requirement = Requirement(name)
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), name


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_the_package_is_found_on_the_conda_route(conda, folder):
    code = "import importlib.util; print(importlib.util.find_spec('remission').origin)"
    environment = {**os.environ, **conda["variables"]}
    said = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT / folder, env=environment, check=True,
                          capture_output=True, text=True).stdout
    assert (ROOT / "src" / "remission" / "__init__.py").samefile(said.strip())


def test_conda_and_venv_agree_on_python(conda):
    wanted = next(entry for entry in conda["dependencies"] if isinstance(entry, str) and entry.startswith("python"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] in wanted


def test_the_container_makes_the_same_environment():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = re.fullmatch(r"python:(3\.\d+)-\w+", container["image"]).group(1)
    assert SpecifierSet(project["requires-python"]).contains(version)
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
