"""A request that is sent again, and requests from pages of other sites."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from serving.app import create_app

KEY = {"Idempotency-Key": "holiday-17"}


def send(client, photo: bytes, headers=KEY, **fields):
    return client.post("/api/v1/jobs", data={"photo": (io.BytesIO(photo), "anna.jpg"), **fields}, headers=headers)


def test_the_same_request_with_the_same_key_is_the_same_job(client, photo_bytes):
    first, second = send(client, photo_bytes), send(client, photo_bytes)

    assert first.status_code == second.status_code == 202
    assert first.json["id"] == second.json["id"]


def test_without_a_key_every_request_is_a_job(client, photo_bytes):
    assert send(client, photo_bytes, {}).json["id"] != send(client, photo_bytes, {}).json["id"]


@pytest.mark.parametrize(
    "change",
    [{"headers": {"Idempotency-Key": "other"}}, {"faces": "all"}, {"photo": b""}, {"headers": {**KEY, "X": "y"}}],
)
def test_whatever_is_another_request_is_another_job(client, photo_bytes, change):
    other = {"photo": photo_bytes, **change}
    if other["photo"] == b"":
        other["photo"] = photo_bytes + b"\0"
    same_request = change == {"headers": {**KEY, "X": "y"}}

    assert (send(client, photo_bytes).json["id"] == send(client, **other).json["id"]) == same_request


def test_after_deletion_it_begins_anew(client, photo_bytes):
    first = send(client, photo_bytes)
    client.delete(first.json["links"]["self"])
    second = send(client, photo_bytes)

    assert second.status_code == 202
    assert second.json["id"] != first.json["id"]
    assert client.get(first.json["links"]["self"]).status_code == 410


def test_a_key_that_is_too_long_is_refused(client, photo_bytes):
    assert send(client, photo_bytes, {"Idempotency-Key": "x" * 201}).status_code == 422


@pytest.mark.parametrize("request_", [{"json": {"url": "https://x.example/a.jpg"}}, {"data": {"photo": "https://x"}}])
def test_an_address_instead_of_a_photo_is_refused_with_the_reason(client, request_):
    answer = client.post("/api/v1/jobs", **request_)

    assert answer.status_code == 422
    assert "fetches nothing" in answer.get_json(force=True)["detail"]


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("", "https://a.example", None),
        ("https://a.example, https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example", "https://evil.example", None),
        ("*", "https://any.example", "*"),
    ],
)
def test_pages_of_other_sites_may_call_if_the_setting_says_so(settings, allowed, origin, expected):
    app = create_app(replace(settings, cors_origins=allowed))
    client = app.test_client()
    for answer in (
        client.get("/api/v1/openapi.json", headers={"Origin": origin}),
        client.options("/api/v1/jobs", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert answer.headers.get("Access-Control-Allow-Origin") == expected
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.get("/", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin") is None
    app.extensions["site"].close()
