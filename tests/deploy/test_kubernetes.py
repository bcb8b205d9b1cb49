"""The Kubernetes manifests: of the right form, and each name in them is the name of something."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest

from serving.app import create_app
from serving.notices import webhook
from serving.settings import PREFIX, Settings

BY_HAND = {"secrets", "nginx", "redis"}  # the Secrets and the ConfigMap that docs/deployment.md has made


@pytest.fixture
def deployments(manifests) -> dict[str, dict[str, Any]]:
    """The pods of each."""
    return {name: each["spec"]["template"]["spec"] for (kind, name), each in manifests.items() if kind == "Deployment"}


def test_kubernetes_knows_every_field(manifests):
    for (kind, _), manifest in manifests.items():
        if kind != "ScaledObject":  # of KEDA
            kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_services_lead_to_pods_and_ports(manifests, deployments):
    for (kind, name), service in manifests.items():
        if kind == "Service":
            (container,) = deployments[name]["containers"]
            assert (
                manifests["Deployment", name]["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
            )
            assert [each["port"] for each in service["spec"]["ports"]] == [
                each["containerPort"] for each in container["ports"]
            ]


def test_no_service_makes_settings_of_its_name(manifests):
    """Kubernetes puts NAME_PORT and the like into every pod, and the site refuses settings that it does not know."""
    names = [name.upper().replace("-", "_") + "_" for kind, name in manifests if kind == "Service"]
    assert not any(name.startswith(PREFIX) for name in names)


def test_whatever_pods_refer_to_is_there(manifests, deployments):
    there = {name for kind, name in manifests if kind in ("ConfigMap", "PersistentVolumeClaim")} | BY_HAND
    for pod in deployments.values():
        volumes = {each["name"] for each in pod.get("volumes", [])}
        assert set(_named(pod.get("volumes", []), "claimName")) <= there
        mounted = [each for container in _containers(pod) for each in container.get("volumeMounts", [])]
        assert {each["name"] for each in mounted} == volumes
        for container in pod["containers"]:
            assert set(_named(container.get("envFrom", []), "name")) <= there


def test_probes_ask_for_pages_that_exist(deployments, tmp_path):
    pages = {str(rule) for rule in create_app(Settings(data_dir=tmp_path)).url_map.iter_rules()}
    probed = [
        path for name in ("web", "nginx", "live", "worker") for path in _named(deployments[name]["containers"], "path")
    ]
    assert len(probed) == 7
    assert set(probed) <= pages  # the figures of a worker are at any path


def test_the_ingress_leads_to_nginx(manifests):
    host = urlsplit(manifests["ConfigMap", "settings"]["data"]["DEEP3D_BASE_URL"]).hostname
    (rule,) = manifests["Ingress", "site"]["spec"]["rules"]
    assert rule["host"] == host
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert manifests["Service", backend["name"]]["spec"]["ports"] == [{"port": backend["port"]["number"]}]


def test_workers_are_scaled_by_a_figure_that_exists(manifests, tmp_path):
    scaled = manifests["ScaledObject", "worker"]["spec"]
    assert ("Deployment", scaled["scaleTargetRef"]["name"]) in manifests
    (trigger,) = scaled["triggers"]
    address = urlsplit(trigger["metadata"]["url"])
    assert address.netloc == "web.deep3d.svc:8000"
    figures = create_app(Settings(data_dir=tmp_path)).test_client().get(address.path).text
    assert f"\n{trigger['metadata']['valueLocation']} 0.0\n" in figures


def test_the_image_is_of_this_version(deploy, deployments):
    version = tomllib.loads((deploy.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for name in ("web", "live", "worker"):
        assert deployments[name]["containers"][0]["image"].endswith(f"/deep3d:{version}")


def test_pods_run_without_root_as_the_user_of_the_image(dockerfile, deployments):
    for pod in deployments.values():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
    for name in ("web", "live", "worker"):
        context = deployments[name]["securityContext"]
        assert f"USER {context['fsGroup']}" in dockerfile
        assert context["runAsUser"] == context["fsGroup"]


def test_no_container_may_do_more_than_it_needs(deployments):
    for pod in deployments.values():
        for container in _containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_nobody_talks_to_anybody_but_as_listed(manifests, deployments):
    policies = {name: each["spec"] for (kind, name), each in manifests.items() if kind == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name in deployments:
        (ports,) = [each["ports"] for each in policies[name]["ingress"]]
        assert {each["port"] for each in ports} == {
            each["containerPort"] for container in deployments[name]["containers"] for each in container["ports"]
        }
    named = {each["app"] for each in _values(policies, "matchLabels") if "app" in each}
    assert named == set(deployments)


def test_redis_has_a_password_and_evicts_nothing(deployments):
    (container,) = deployments["redis"]["containers"]
    assert "requirepass" in container["command"][-1]
    assert "--maxmemory-policy noeviction" in container["command"][-1]


def test_a_pod_finds_what_its_image_has_compiled(dockerfile, deployments):
    folder = re.findall(r"NUMBA_CACHE_DIR=(\S+)", dockerfile)[0]
    for name in ("web", "live", "worker"):
        (first,) = deployments[name]["initContainers"]
        assert first["command"] == ["cp", "-R", f"{folder}/.", "/cache"]
        (container,) = deployments[name]["containers"]
        assert {"name": "cache", "mountPath": folder} in container["volumeMounts"]
        assert first["image"] == container["image"]


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def _values(value: Any, key: str) -> Iterator[Any]:
    """All values of a key, however deep, of whatever kind."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, key)


def _named(value: Any, key: str) -> Iterator[str]:
    """All values of a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key and isinstance(inner, str):
                yield inner
            yield from _named(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, key)


def test_notices_go_to_the_public_alone(manifests):
    """As the workers themselves see to: no range with a special purpose."""
    [egress] = manifests["NetworkPolicy", "notices"]["spec"]["egress"]
    [to] = egress["to"]
    assert to["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert set(to["ipBlock"]["except"]) == {str(each) for each in webhook._SPECIAL if each.version == 4}
