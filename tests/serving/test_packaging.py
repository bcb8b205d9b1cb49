"""Whoever installs deep3d[serving] gets everything that the site imports."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import serving

PACKAGE = Path(serving.__file__).parent
OURS = {"deep3d", "serving"}
FOR_LOAD_TESTS = {"aiosmtpd", "playwright"}  # of the extra `dev`; who lacks them is told so


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    nodes = ast.walk(ast.parse(path.read_text()))
    names = [
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    return {name.partition(".")[0] for name in names} - OURS - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def declared() -> set[str]:
    """The distributions that deep3d[serving] names, its own included."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["serving"]
    return {normal(re.split(r"[^\w.-]", each)[0]) for each in wanted}


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_everything_that_is_imported_is_declared(declared):
    distributions = packages_distributions()
    used = {name for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts for name in imported(path)}
    assert {"flask", "sqlalchemy"} <= used
    undeclared = {
        name for name in used - FOR_LOAD_TESTS if not {normal(each) for each in distributions[name]} & declared
    }
    assert undeclared == set()
