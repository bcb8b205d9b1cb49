"""Commands and settings of all ways to deploy are those that the site, gunicorn and Dramatiq know."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module

import pytest
from dramatiq.cli import make_argument_parser
from gunicorn.config import Config

from serving.settings import Settings


@pytest.fixture
def commands(dockerfile, compose, manifests, units) -> dict[str, list[str]]:
    """Every command that starts a process of the site."""
    image = re.search(r"^CMD (.+)$", dockerfile, re.MULTILINE)
    assert image
    worker = manifests["Deployment", "worker"]["spec"]["template"]["spec"]["containers"][0]
    return {
        "image": json.loads(image[1]),
        "compose": compose["services"]["worker"]["command"],
        "kubernetes": worker["command"],
        **{name: shlex.split(re.findall(r"^ExecStart=(.+)$", text, re.M)[0]) for name, text in units.items()},
    }


@pytest.fixture
def environments(deploy, compose, manifests) -> dict[str, dict[str, str]]:
    """Every environment that the site is started in."""
    env_file = (deploy / "systemd" / "deep3d.env").read_text(encoding="utf-8")
    worker = manifests["Deployment", "worker"]["spec"]["template"]["spec"]["containers"][0]
    secret = {  # as docs/deployment.md has it made
        "DEEP3D_DATABASE_URL": "postgresql://host/name",
        "DEEP3D_BROKER_URL": "redis://:secret@redis:6379/0",
    }
    return {
        "compose": {k: str(v) for k, v in compose["services"]["web"]["environment"].items()},
        "systemd": dict(line.split("=", 1) for line in env_file.splitlines() if not line.startswith("#")),
        "kubernetes": {
            **secret,
            **manifests["ConfigMap", "settings"]["data"],
            **{each["name"]: each.get("value", "2") for each in worker["env"]},
        },
    }


@pytest.mark.parametrize("where", ["image", "deep3d-web.service"])
def test_gunicorn_knows_its_command(commands, where):
    program, *arguments = commands[where]
    assert program.endswith("gunicorn")
    known = Config().parser().parse_args(arguments)
    assert known.worker_class == "gthread"  # events hold a thread each
    assert _is_there(known.args[0].removesuffix("()"))


@pytest.mark.parametrize("where", ["compose", "kubernetes", "deep3d-worker.service"])
def test_dramatiq_knows_its_command(commands, where):
    program, *arguments = commands[where]
    assert program.endswith("dramatiq")
    known = make_argument_parser().parse_args(arguments)
    assert known.processes == 1
    assert _is_there(known.broker)


@pytest.mark.parametrize("where", ["compose", "systemd", "kubernetes"])
def test_settings_are_right(environments, where):
    settings = Settings.from_env(environments[where])
    assert not settings.embedded
    assert settings.database.startswith("postgresql:")
    assert settings.proxies, "nginx is in front"


def test_web_and_workers_have_the_same_settings(compose):
    services = compose["services"]
    assert services["web"]["environment"] == services["worker"]["environment"]
    assert services["web"]["volumes"] == services["worker"]["volumes"]


def test_the_documentation_names_only_settings_that_exist(deploy):
    text = (deploy.parent / "docs" / "deployment.md").read_text(encoding="utf-8")
    named = set(re.findall(r"DEEP3D_([A-Z_]+)", text))
    assert named <= {name.upper() for name in Settings.__dataclass_fields__}


def _is_there(name: str) -> bool:
    module, attribute = name.split(":")
    return callable(getattr(import_module(module), attribute))
