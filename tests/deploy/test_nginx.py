"""The configuration of nginx: valid, and the site understands what it is told of the world outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import crossplane
import pytest
from flask import request

from serving.app import create_app
from serving.live.server import PING_SECONDS
from serving.settings import LIVE_PATH, Settings


@pytest.fixture
def directives(deploy) -> list[dict[str, Any]]:
    """All of them, with the blocks they stand in opened."""
    parsed = crossplane.parse(str(deploy / "nginx.conf"), strict=True, check_ctx=False)  # it is included in `http`
    assert parsed["status"] == "ok", parsed["errors"]
    return list(_opened(parsed["config"][0]["parsed"]))


def test_it_passes_on_what_the_site_takes(directives):
    (limit,) = _arguments(directives, "client_max_body_size")
    assert int(limit[0].removesuffix("m")) * 2**20 > Settings().max_upload_mb * 1e6


def test_the_site_is_where_it_looks(directives, compose, manifests):
    places = {("http://web:8000",), ("http://live:8001",)}
    assert {tuple(each) for each in _arguments(directives, "proxy_pass")} == places
    for name, port in (("web", 8000), ("live", 8001)):
        assert name in compose["services"]
        assert manifests["Service", name]["spec"]["ports"] == [{"port": port}]


def test_websockets_reach_the_live_process(directives, compose):
    block = next(each for each in directives if each["args"] == ["=", LIVE_PATH])
    inside = {" ".join([each["directive"], *each["args"]]) for each in block["block"]}
    assert {"proxy_set_header Upgrade $http_upgrade", "proxy_set_header Connection upgrade"} <= inside
    assert "proxy_set_header Host $http_host" in inside  # by which it knows a page of its own
    seconds = next(each["args"][0] for each in block["block"] if each["directive"] == "proxy_read_timeout")
    assert int(seconds.removesuffix("s")) > 2 * PING_SECONDS
    assert compose["services"]["web"]["environment"]["DEEP3D_LIVE_URL"] == LIVE_PATH
    assert compose["services"]["live"]["environment"]["DEEP3D_LIVE_PORT"] == 8001


def test_no_log_holds_a_path(directives):
    ((_, log_format),) = _arguments(directives, "log_format")
    assert not re.search(r"\$(request|request_uri|uri|args|http_referer|remote_addr)\b", log_format)
    assert [each[1] for each in _arguments(directives, "access_log")] == ["deep3d"]
    assert [each[1] for each in _arguments(directives, "error_log")] == ["alert"]


def test_figures_are_not_for_the_public(directives):
    block = next(each for each in directives if each["args"] == ["=", "/metrics"])
    assert [(each["directive"], each["args"]) for each in block["block"]] == [("return", ["404"])]


@pytest.mark.parametrize("balancer", [False, True], ids=["nginx", "balancer and nginx"])
def test_the_site_knows_how_people_came_whatever_they_say(directives, tmp_path, balancer):
    said = {"for": "6.6.6.6", "proto": "http", "host": "evil.example"}
    true = {"for": "9.9.9.9", "proto": "https", "host": "faces.example"}
    if balancer:  # TLS ends there; it adds what is true, and nginx sees only the balancer
        said = {name: f"{said[name]}, {true[name]}" for name in said}
        true = {"for": "10.0.0.1", "proto": "http", "host": "faces.example"}
    variables = {
        "$http_host": true["host"],
        "$scheme": true["proto"],
        "$proxy_add_x_forwarded_for": f"{said['for']}, {true['for']}",
        "$http_x_forwarded_proto": said["proto"],
        "$http_x_forwarded_host": said["host"],
    }
    headers = {
        name: re.sub(r"\$\w+", lambda found: variables[found[0]], value)
        for name, value in _arguments(directives, "proxy_set_header")
        if name not in ("Upgrade", "Connection")
    }
    app = create_app(Settings(data_dir=tmp_path, proxies=1 + balancer))
    app.add_url_rule("/seen", view_func=lambda: {"url": request.url, "address": request.remote_addr})
    seen = app.test_client().get("/seen", headers=headers).json
    assert seen == {"url": "https://faces.example/seen", "address": "9.9.9.9"}


def test_forms_are_taken_behind_tls(tmp_path):
    """Although browsers send no Referer, as the site asks them."""
    app = create_app(Settings(data_dir=tmp_path, base_url="https://faces.example", admin_password="hush"))
    client = app.test_client()
    page = client.get("/admin/sign-in", base_url="https://faces.example").text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    form = {"csrf_token": token, "password": "hush"}
    assert client.post("/admin/sign-in", data=form, base_url="https://faces.example").status_code == 303
    assert client.post("/admin/sign-in", data={"password": "hush"}, base_url="https://faces.example").status_code == 400


def _opened(block: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for directive in block:
        yield directive
        yield from _opened(directive.get("block", []))


def _arguments(directives: list[dict[str, Any]], name: str) -> list[list[str]]:
    return [each["args"] for each in directives if each["directive"] == name]
