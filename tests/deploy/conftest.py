"""The files of deploy/, read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder."""
    return REPOSITORY / "deploy"


@pytest.fixture(scope="session")
def dockerfile(deploy: Path) -> str:
    """The Dockerfile, each instruction in one line."""
    return (deploy / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.fixture(scope="session")
def compose(deploy: Path) -> dict[str, Any]:
    """The compose file, with no variable of its ${...} set but those that have to be."""
    text = (deploy / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{\w+:\?[^}]*}", "secret", text)
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)}", r"\1", text))


@pytest.fixture(scope="session")
def manifests(deploy: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The Kubernetes manifests by kind and name."""
    documents = [
        document
        for file in sorted((deploy / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]
    by_name = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    assert len(by_name) == len(documents), "two manifests of one kind have the same name"
    return by_name


@pytest.fixture(scope="session")
def units(deploy: Path) -> dict[str, str]:
    """The text of the systemd units by name."""
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((deploy / "systemd").glob("*.service"))}
