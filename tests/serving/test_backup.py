"""A site that is saved and put back is the same site."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from serving.app import create_app
from serving.backup import back_up, restore
from serving.errors import ServingError
from serving.settings import Settings


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def send(app) -> str:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "peru").save(content, "JPEG")
    photo = (io.BytesIO(content.getvalue()), "anna.jpg")
    return app.test_client().post("/api/v1/jobs", data={"photo": photo}).json["links"]["self"]


def test_what_was_sent_is_there_again(settings, tmp_path):
    app = create_app(settings)
    link = send(app)
    back_up(settings, tmp_path / "saved.tar")  # while it runs
    app.extensions["site"].close()

    other = replace(settings, data_dir=tmp_path / "other")
    restore(other, tmp_path / "saved.tar")
    again = create_app(other)

    job: Any = again.test_client().get(link).json
    assert job["photos"][0]["name"] == "anna.jpg"
    assert again.config["SECRET_KEY"] == app.config["SECRET_KEY"]
    site = again.extensions["site"]
    assert site.storage.read("jobs/1/photos/0.jpg")[:2] == b"\xff\xd8"
    site.close()


def test_only_its_owner_can_read_it(settings, tmp_path):
    create_app(settings).extensions["site"].close()
    back_up(settings, tmp_path / "saved.tar")

    assert (tmp_path / "saved.tar").stat().st_mode & 0o077 == 0


def test_nothing_that_is_there_is_replaced(settings, tmp_path):
    create_app(settings).extensions["site"].close()
    back_up(settings, tmp_path / "saved.tar")

    with pytest.raises(ServingError, match="not empty"):
        restore(settings, tmp_path / "saved.tar")
    with pytest.raises(ServingError, match="already exists"):
        back_up(settings, tmp_path / "saved.tar")


def test_what_is_no_backup_is_told(settings, tmp_path):
    (tmp_path / "saved.tar").write_bytes(b"no archive")

    with pytest.raises(ServingError, match="is it a backup"):
        restore(settings, tmp_path / "saved.tar")
