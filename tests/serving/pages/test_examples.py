from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from serving.jobs import lookup
from serving.pages.examples import EXAMPLES, FOLDER


@pytest.mark.parametrize("key", EXAMPLES)
def test_anyone_can_look_at_an_example_without_sending_anything(client: FlaskClient, key: str) -> None:
    page = client.get(f"/examples/{key}")

    assert page.status_code == 200
    assert f"/static/examples/{key}/face.web.glb?v=" in page.text
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_has_all_files_that_its_page_names(client: FlaskClient, key: str) -> None:
    for name in ("photo.jpg", "face.web.glb", "face.json", "albedo.webp", "preview.jpg", "front.webp", "overlay.jpg"):
        assert (FOLDER / key / name).is_file()


def test_the_photo_of_an_example_can_be_sent(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/examples/astronaut")

    assert answer.status_code == 303
    job = lookup.find(app.extensions["site"], answer.location.rpartition("/")[2])
    assert [upload.name for upload in job.uploads] == ["Eileen Collins"]


def test_there_are_no_other_examples(client: FlaskClient) -> None:
    assert client.get("/examples/nobody").status_code == client.post("/examples/nobody").status_code == 404
