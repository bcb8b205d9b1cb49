"""The list of all that a site is made of."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest


@pytest.fixture(scope="module")
def add_npm(deploy):
    """deploy/add_npm.py."""
    spec = importlib.util.spec_from_file_location("add_npm", deploy / "add_npm.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_pages_run_is_listed_and_no_tool(deploy, add_npm):
    viewer = deploy.parent / "serving/viewer"
    wanted = json.loads((viewer / "package.json").read_text())
    listed = {each["name"]: each for each in add_npm.components(json.loads((viewer / "package-lock.json").read_text()))}
    assert listed.keys() >= wanted["dependencies"].keys()
    assert not listed.keys() & wanted["devDependencies"].keys()
    three = listed["three"]
    assert three["purl"] == f"pkg:npm/three@{wanted['dependencies']['three']}"
    assert re.fullmatch("[0-9a-f]{128}", three["hashes"][0]["content"])
    assert three["licenses"] == [{"license": {"id": "MIT"}}]
