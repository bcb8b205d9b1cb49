"""Dashboard and alerts ask for figures that the site has."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from prometheus_client import generate_latest

from serving.metrics import WorkerMetrics, site_registry
from serving.settings import Settings
from serving.site import Site

SUFFIXES = ("_total", "_bucket", "_sum", "_count")


@pytest.fixture
def figures(tmp_path) -> set[str]:
    """The names of all of them."""
    site = Site.open(Settings(data_dir=tmp_path))
    text = generate_latest(site_registry(site)) + generate_latest(WorkerMetrics().registry)
    site.close()
    return {name for name in re.findall(r"^# TYPE (\S+)", text.decode(), re.MULTILINE)}


def known(expression: str, figures: set[str]) -> bool:
    named = set(re.findall(r"deep3d_\w+", expression))
    bare = {next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in named}
    return bool(named) and bare <= figures | {name.removesuffix("_total") for name in figures}


def test_every_alert_can_fire_and_says_what_to_do(deploy, figures):
    rules = yaml.safe_load((deploy / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    assert len(rules) >= 6
    for rule in rules:
        assert known(rule["expr"], figures), rule["expr"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_panel_shows_something(deploy, figures):
    board = json.loads((deploy / "monitoring/grafana.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) >= 9
    for panel in board["panels"]:
        assert all(known(target["expr"], figures) for target in panel["targets"]), panel["title"]
