"""`make lab`: a start page that leads to every notebook, settings that JupyterLab knows, the project's own kernel."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT
from jupyter_client.kernelspec import KernelSpecManager

SETTINGS = json.loads((ROOT / ".jupyter/labconfig/default_setting_overrides.json").read_text(encoding="utf-8"))
SCHEMAS = Path(sys.prefix) / "share/jupyter/lab/schemas"


def test_the_start_page_is_there_and_leads_to_every_notebook():
    recipe = re.search(r"^lab:.*\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M).group(1)
    assert "JUPYTER_CONFIG_PATH=.jupyter " in recipe
    page = ROOT / re.search(r"default_url=/lab/tree/(\S+)", recipe).group(1)
    links = re.findall(r"\]\(([\w.]+\.ipynb)\)", page.read_text(encoding="utf-8"))
    shipped = {path.name for path in (ROOT / "notebooks").glob("0*.ipynb")} | {"explore_template.ipynb"}
    assert len(links) == len(set(links)) and set(links) == shipped


@pytest.mark.parametrize("plugin", SETTINGS)
def test_settings_are_known_to_jupyterlab(plugin):
    package, _, name = plugin.partition(":")
    schema = json.loads((SCHEMAS / package / f"{name}.json").read_text(encoding="utf-8"))
    assert set(SETTINGS[plugin]) <= set(schema["properties"])
    jsonschema.validate(SETTINGS[plugin], schema)


def test_the_kernel_is_the_one_of_this_environment():
    spec = KernelSpecManager().get_kernel_spec("python3")
    assert Path(spec.resource_dir).is_relative_to(sys.prefix) and Path(spec.argv[0]).name.startswith("python")
