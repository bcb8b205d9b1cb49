"""What `make run` says while it sets up."""

from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture
def install(deploy):
    """deploy/install.py."""
    spec = importlib.util.spec_from_file_location("install", deploy / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PIP = """Obtaining file:///deep3d
  Preparing editable metadata (pyproject.toml): finished with status 'done'
Collecting numba<1,>=0.61 (from deep3d==0.1.0)
  Using cached numba.whl (3.8 MB)
Collecting array-api-compat<2 (from deep3d==0.1.0)
Installing collected packages: array-api-compat, numba, deep3d
Successfully installed numba-0.61
"""


def test_what_pip_is_at_is_told_in_one_line_each(install):
    assert list(install._steps(PIP.splitlines(keepends=True))) == [
        "Fetching packages: 1 (numba)",
        "Fetching packages: 2 (array-api-compat)",
        "Unpacking 3 packages",
    ]


def test_the_site_needs_neither_torch_nor_tools(deploy):
    makefile = (deploy.parent / "Makefile").read_text()
    site, everything = (makefile.split(name)[1].split("@touch")[0] for name in ("/.site-ready:", "/.ready:"))

    assert "serving,openvino\n" in site
    assert "torch" not in site.split("\n", 1)[1]
    assert "deep3d compile" in site
    assert "dev" in everything
    assert "\nrun: $(VENV)/.site-ready\n" in makefile
