"""The live page: there where a live process is, and its scripts may connect to that."""

import re

import pytest

from serving.app import create_app
from serving.pages.live import socket_address
from serving.settings import Settings


@pytest.fixture
def live_client(tmp_path):
    settings = Settings(data_dir=tmp_path, secret_key="x" * 32, live_port=8001)
    app = create_app(settings)
    yield app.test_client()
    app.extensions["site"].close()


def test_without_a_live_process_there_is_no_page_and_nothing_leads_to_it(client):
    assert client.get("/live").status_code == 404
    assert 'href="/live"' not in client.get("/").text


def test_the_landing_page_leads_to_it(live_client):
    assert live_client.get("/").text.count('href="/live"') == 2


def test_its_scripts_may_connect_to_the_live_process_and_no_other_page_may(live_client):
    answer = live_client.get("/live", headers={"Host": "faces.example:8000"})
    assert "connect-src 'self' blob: data: ws://faces.example:8001;" in answer.headers["Content-Security-Policy"]
    assert 'data-socket="ws://faces.example:8001/live/socket"' in answer.text
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert "connect-src 'self' blob: data:;" in live_client.get("/").headers["Content-Security-Policy"]


def test_a_host_that_is_none_is_not_told_to_the_browser(live_client):
    assert live_client.get("/live", headers={"Host": "a;script-src *"}).status_code in (400, 404)


@pytest.mark.parametrize(
    ("settings", "host", "secure", "address"),
    [
        ({"live_port": 8001}, "127.0.0.1:8000", False, "ws://127.0.0.1:8001/live/socket"),
        ({"live_port": 8001}, "[::1]:8000", False, "ws://[::1]:8001/live/socket"),
        ({"live_url": "/live/socket"}, "faces.example", True, "wss://faces.example/live/socket"),
        ({"live_url": "wss://live.example/x"}, "faces.example", True, "wss://live.example/x"),
    ],
)
def test_where_the_live_process_is(settings, host, secure, address):
    assert socket_address(Settings(**settings), host, secure) == address


@pytest.mark.parametrize("language", ["en", "de", "es", "zh"])
def test_it_says_in_each_language_that_frames_are_not_stored(live_client, language):
    page = live_client.get(f"/live?language={language}").text
    never = {"en": "never stored", "de": "nie gespeichert", "es": "nunca se guardan", "zh": "绝不保存"}
    assert never[language] in page
    texts = re.findall(r'data-(?:denied|missing|taken|webgl|busy|insecure)="([^"]+)"', page)
    assert len(texts) == 6 and all(texts)


def test_the_basis_is_kept_for_good(live_client):
    page = live_client.get("/live").text
    (address,) = re.findall(r'data-basis="([^"]+)"', page)
    answer = live_client.get(address)
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    assert len(answer.data) == int(re.findall(r'data-bytes="(\d+)"', page)[0])
    assert live_client.get("/live/0123456789abcdef.bin").status_code == 404
