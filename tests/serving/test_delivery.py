"""How answers travel: compressed, in parts, and scripts kept for good."""

from __future__ import annotations

import gzip
import re

import brotli
import pytest

from serving.app import create_app
from serving.delivery import LARGE, MOST_LARGE, stored_file
from serving.settings import Settings

CONTENT = b"v 1.0 2.0 3.0\n" * 1000
LARGE_CONTENT = CONTENT * (LARGE // len(CONTENT) + 1)


@pytest.fixture
def client(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, secret_key="x" * 32))
    path = tmp_path / "face.obj"
    path.write_bytes(CONTENT)
    app.add_url_rule("/file", view_func=lambda: stored_file(path.open("rb"), len(CONTENT), "face.obj", "model/obj"))
    large = tmp_path / "large.obj"
    large.write_bytes(LARGE_CONTENT)
    served = large.name, "model/obj"
    app.add_url_rule("/large", "large", lambda: stored_file(large.open("rb"), len(LARGE_CONTENT), *served))
    yield app.test_client()
    app.extensions["site"].close()


@pytest.mark.parametrize(("wanted", "opened"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
@pytest.mark.parametrize("path", ["/", "/static/site.css", "/file", "/api/v1/openapi.json"])
def test_texts_and_meshes_go_out_compressed(client, path, wanted, opened):
    plain = client.get(path, buffered=True)
    answer = client.get(path, headers={"Accept-Encoding": wanted}, buffered=True)

    assert answer.headers["Content-Encoding"] == wanted
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert opened(answer.data) == plain.data
    assert len(answer.data) < len(plain.data) / 2


def test_of_many_large_answers_a_few_are_compressed_and_nobody_waits_for_the_others(client):
    def ask(wanted="br", **headers):
        return client.get("/large", headers={"Accept-Encoding": wanted, **headers}, buffered=True)

    for _ in range(MOST_LARGE + 1):  # none of these keeps a place
        assert brotli.decompress(ask().data) == LARGE_CONTENT
        assert ask("identity").data == ask("identity", Range="bytes=0-").data == LARGE_CONTENT
    places = client.application.extensions["compressing"]
    for _ in range(MOST_LARGE):
        assert places.acquire(blocking=False)
    plain = ask()
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert plain.data == LARGE_CONTENT
    assert "Content-Encoding" in client.get("/file", headers={"Accept-Encoding": "br"}, buffered=True).headers


def test_pictures_are_small_already(client):
    answer = client.get("/static/examples/mira/preview.jpg", headers={"Accept-Encoding": "br"}, buffered=True)

    assert "Content-Encoding" not in answer.headers


def test_a_broken_download_goes_on_where_it_ended(client):
    whole = client.get("/file", buffered=True)
    headers = {"Range": "bytes=100-", "If-Range": whole.headers["ETag"], "Accept-Encoding": "br"}
    rest = client.get("/file", headers=headers, buffered=True)

    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes 100-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert rest.data == CONTENT[100:]
    assert "Content-Encoding" not in rest.headers


def test_a_file_that_is_there_already_is_not_sent_again(client):
    etag = client.get("/file", buffered=True).headers["ETag"]

    assert client.get("/file", headers={"If-None-Match": etag}, buffered=True).status_code == 304


def test_addresses_of_scripts_say_what_they_hold_and_browsers_keep_them(client):
    page = client.get("/").text
    linked = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)

    assert len(linked) > 3
    for address in linked:
        assert "immutable" in client.get(address, buffered=True).headers["Cache-Control"], address


def test_other_versions_are_not_kept(client):
    assert "immutable" not in client.get("/static/site.css?v=000000000000", buffered=True).headers["Cache-Control"]
