from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from serving.jobs import lookup
from serving.jobs.submission import Taken
from serving.places import Places
from serving.site import Site
from serving.store.tables import Status

PASSWORD = "open sesame"  # of the fixture `app`


def test_the_page_asks_for_the_password(client: FlaskClient) -> None:
    assert client.get("/admin").location == "/admin/sign-in"
    assert client.post("/admin/jobs/1/retry").location == "/admin/sign-in"
    assert "not the password" in client.post("/admin/sign-in", data={"password": "sesame"}).text
    assert client.get("/admin").status_code == 303


def test_without_a_password_there_is_no_page(app: Flask, client: FlaskClient, site: Site) -> None:
    app.extensions["site"] = replace(site, settings=replace(site.settings, admin_password=""))

    assert client.get("/admin").status_code == 404
    assert client.post("/admin/sign-in", data={"password": ""}).status_code == 404


def test_a_failed_job_is_listed_without_its_secret_and_can_be_tried_again(
    client: FlaskClient, site: Site, ended_job: Callable[..., Taken]
) -> None:
    job = ended_job(error="no face found")
    client.post("/admin/sign-in", data={"password": PASSWORD})

    page = client.get("/admin").text
    assert "no face found" in page
    assert str(job.secret) not in page
    assert f'aria-label="Delete job {job.id}">Delete</summary>' in page
    assert "Yes, delete it now" in page

    client.post(f"/admin/jobs/{job.id}/retry")
    assert lookup.state(site, str(job.secret)).status is Status.SUBMITTED


def test_signing_out_closes_the_page(client: FlaskClient) -> None:
    client.post("/admin/sign-in", data={"password": PASSWORD})
    assert client.get("/admin").status_code == 200

    client.post("/admin/sign-out")
    assert client.get("/admin").status_code == 303


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow guesses take no time."""
    monkeypatch.setattr("serving.limits.SLOW_SECONDS", 0.0)


def test_nobody_may_guess_on_and_on(client: FlaskClient, quick: None) -> None:
    statuses = [client.post("/admin/sign-in", data={"password": str(guess)}).status_code for guess in range(11)]

    assert statuses == [422] * 10 + [429]


def test_guesses_of_others_do_not_keep_the_operator_out(app: Flask, client: FlaskClient, quick: None) -> None:
    operator = app.test_client()
    for guess in range(15):
        client.post("/admin/sign-in", data={"password": str(guess)})

    assert operator.post("/admin/sign-in", data={"password": PASSWORD}).status_code == 303
    operator.post("/admin/sign-out")
    for guess in range(15):
        client.post("/admin/sign-in", data={"password": str(guess)})

    assert operator.post("/admin/sign-in", data={"password": "a slip"}).status_code == 422, (
        "it is known, and counted alone"
    )
    assert operator.post("/admin/sign-in", data={"password": PASSWORD}).status_code == 303


def test_who_wants_to_guess_slowly_is_sent_away_while_many_do(app: Flask, client: FlaskClient, monkeypatch) -> None:
    slowly = app.extensions["limits"].slowly = Places("guesses", 1, waiting=0, patience=0)
    for guess in range(10):
        client.post("/admin/sign-in", data={"password": str(guess)})
    with slowly.take():
        assert client.post("/admin/sign-in", data={"password": PASSWORD}).status_code == 429
