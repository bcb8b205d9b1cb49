"""`deep3d doctor` finds what is wrong, and only that."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from PIL import ImageFont

from serving.doctor import examine
from serving.settings import Settings


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def wrong(settings: Settings, port: int = 1) -> dict[str, str]:
    return {each.what: each.said for each in examine(settings, port) if not each.good}


def test_a_fresh_installation_is_fit_and_stays_as_it_is(settings, tmp_path):
    new = replace(settings, data_dir=tmp_path / "new" / "data")
    assert wrong(new) == {}
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_told(settings, tmp_path):
    (tmp_path / "file").touch()

    said = wrong(replace(settings, data_dir=tmp_path / "file"))

    assert "choose another folder" in said["data folder"]


def test_a_pillow_without_fonts_is_told(settings, monkeypatch):
    def no_freetype(size: int) -> None:
        raise ImportError("The _imagingft C module is not installed")

    monkeypatch.setattr(ImageFont, "load_default", no_freetype)
    assert "no FreeType to write legends with" in wrong(settings)["font"]


def test_a_mail_server_that_is_not_there_is_told(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert "DEEP3D_SMTP_URL" in wrong(replace(settings, smtp_url=f"smtp://127.0.0.1:{port}"))["mail"]


def test_a_redis_that_evicts_is_told(settings, redis_server):
    import redis

    other = replace(settings, broker_url=redis_server.url, database_url="sqlite://")
    assert "queue" not in wrong(other)
    redis.Redis.from_url(redis_server.url).config_set("maxmemory-policy", "allkeys-lru")
    assert "noeviction" in wrong(other)["queue"]


@pytest.mark.parametrize(("what", "before"), [("port", 0), ("port of the live page", 1)])
def test_a_port_in_use_is_said(settings, what, before):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1] - before
        (finding,) = [each for each in examine(settings, port) if each.what == what]

    assert "in use" in finding.said
