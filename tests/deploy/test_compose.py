"""The compose file: of the right form, and each name in it is the name of something."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


def test_it_has_the_form_of_a_compose_file(deploy):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    result = subprocess.run(command, cwd=deploy, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_has_all_that_a_site_needs(compose):
    assert set(compose["services"]) == {"nginx", "web", "worker", "redis", "postgres", "mail"}
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", ["nginx", "web", "worker"])
def test_whom_a_service_waits_for_can_say_that_it_is_healthy(compose, name):
    for other, condition in compose["services"][name]["depends_on"].items():
        assert condition["condition"] == "service_healthy"
        assert compose["services"][other]["healthcheck"]["test"][0] == "CMD"


def test_hosts_in_settings_are_services(compose):
    urls = [str(value) for value in compose["services"]["web"]["environment"].values() if "://" in str(value)]
    hosts = {re.sub(r".*@", "", url.split("://")[1]).split("/")[0].split(":")[0] for url in urls}
    assert hosts - {"localhost"} == {"postgres", "redis", "mail"}


def test_volumes_are_declared_or_files(deploy, compose):
    used = [volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])]
    assert {name for name in used if not name.startswith(".")} == set(compose["volumes"])
    assert all((deploy / name).is_file() for name in used if name.startswith("."))


def test_all_images_have_a_version(compose):
    images = {service["image"] for service in compose["services"].values()}
    assert all(re.search(r":v?\d", image) for image in images - {"deep3d"}), images


def test_only_nginx_is_reached_from_outside(compose):
    published = {name: ports for name, each in compose["services"].items() if (ports := each.get("ports"))}
    assert published.pop("nginx") == ["8080:80"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
