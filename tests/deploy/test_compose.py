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
    assert set(compose["services"]) == {"nginx", "web", "live", "worker", "redis", "postgres", "mail"}
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


def test_all_images_have_a_version_and_a_digest(deploy, compose, dockerfile):
    """That of the image's index, so that any processor finds its own; the same wherever an image is named."""
    images = {service["image"] for service in compose["services"].values()} - {"deep3d"}
    images |= {image for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)}
    for file in (deploy / "kubernetes").glob("*.yaml"):
        images |= {image for image in re.findall(r"image: (\S+)", file.read_text()) if "example.org" not in image}
    assert all(re.fullmatch(r"[\w/]+:v?\d[\w.-]*@sha256:[0-9a-f]{64}", image) for image in images), images
    assert len({image.split(":")[0] for image in images}) == len(images) == 5


def test_ports_are_bound_to_the_loopback_unless_set(compose):
    published = {name: ports for name, each in compose["services"].items() if (ports := each.get("ports"))}
    assert published["nginx"] == ["127.0.0.1:8080:80"]
    assert set(published) == {"nginx", "mail"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_no_password_has_a_default(deploy):
    text = (deploy / "compose.yaml").read_text(encoding="utf-8")
    used = re.findall(r"\$\{(\w*PASSWORD)(:[-?])([^}]*)}", text)
    assert {name for name, *_ in used} == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "DEEP3D_ADMIN_PASSWORD"}
    assert all(kind == ":?" or not default for _, kind, default in used)


def test_passwords_are_made_for_each_site(deploy):
    made = [subprocess.run(["sh", "secrets.sh"], cwd=deploy, capture_output=True, text=True).stdout for _ in range(2)]
    first, second = (dict(line.split("=") for line in each.splitlines()) for each in made)
    assert set(first) == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "DEEP3D_ADMIN_PASSWORD"}
    assert len({*first.values(), *second.values()}) == 6
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in first.values())


def test_no_service_may_do_more_than_it_needs(compose):
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"], name
        assert "privileged" not in service


def test_stores_are_reached_from_inside_only(compose):
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("redis", "postgres"):
        assert compose["services"][name]["networks"] == ["inside"]


def test_redis_has_a_password_and_evicts_nothing(compose):
    *_, script = compose["services"]["redis"]["command"]
    assert "requirepass" in script
    assert "--maxmemory-policy noeviction" in script
    assert compose["services"]["web"]["environment"]["DEEP3D_BROKER_URL"] == "redis://:secret@redis:6379/0"
