from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from serving.jobs import lookup
from serving.places import Places


def form(photo: bytes | None, **fields: str) -> dict:
    files = [] if photo is None else [(io.BytesIO(photo), "anna.jpg")]
    return {"photo": files, "consent": "yes", **fields}


def wrong(page: str, field: str) -> str:
    """What the page says beside a field."""
    said = re.search(rf'id="{field}-wrong"[^>]*>([^<]*)<', page)
    assert said is not None
    return said[1]


def test_a_form_leads_to_the_page_of_its_job(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/", data=form(photo))

    assert answer.status_code == 303
    assert "Your face is on its way" in client.get(answer.location).text


def test_asking_for_the_head_of_the_first_page_is_no_wrong_form(client: FlaskClient) -> None:
    assert client.head("/").status_code == 200


@pytest.mark.parametrize(("chosen", "expected"), [("largest", False), ("all", False), ("together", True)])
def test_photos_of_one_person_can_be_sent_as_such(
    app: Flask, client: FlaskClient, photo: bytes, chosen, expected
) -> None:
    answer = client.post("/", data=form(photo, faces=chosen))

    job = lookup.find(app.extensions["site"], answer.location.rpartition("/")[2])
    assert (job.same_person, job.faces_wanted) == (expected, "all" if chosen == "all" else "largest")


@pytest.mark.parametrize(
    ("chosen", "expected"), [(None, "normal"), ("fast", "fast"), ("best", "best"), ("x", "normal")]
)
def test_how_much_is_done_for_a_face_can_be_chosen(app: Flask, client: FlaskClient, photo, chosen, expected) -> None:
    answer = client.post("/", data=form(photo, **({"quality": chosen} if chosen else {})))

    assert lookup.find(app.extensions["site"], answer.location.rpartition("/")[2]).quality == expected


def test_a_script_gets_the_page_as_json(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/", data=form(photo), headers={"Accept": "application/json"})

    assert answer.json is not None
    assert client.get(answer.json["page"]).status_code == 200


def test_everything_wrong_is_told_beside_its_field_and_what_was_typed_stays(client: FlaskClient) -> None:
    answer = client.post("/", data={"email": "anna at home", "faces": "all"})

    assert answer.status_code == 422
    assert wrong(answer.text, "photo") == "Please choose a photo."
    assert "email address" in wrong(answer.text, "email")
    assert wrong(answer.text, "consent") == "Please confirm this first."
    assert 'value="anna at home"' in answer.text
    assert re.search(r'value="all" checked', answer.text)


def test_a_script_gets_every_error_with_its_field(client: FlaskClient) -> None:
    answer = client.post("/", data={"email": "anna at home"}, headers={"Accept": "application/json"})

    assert answer.content_type == "application/problem+json"
    assert [each["field"] for each in answer.get_json(force=True)["errors"]] == ["photo", "email", "consent"]


def test_errors_speak_the_language_of_the_person(client: FlaskClient) -> None:
    answer = client.post("/", data=form(b""), headers={"Accept-Language": "de-AT,en;q=0.5"})

    assert wrong(answer.text, "photo") == "anna.jpg: Die Datei ist leer; bitte ein Foto auswählen."


def test_too_many_photos_are_refused(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/", data={"photo": [(io.BytesIO(photo), "anna.jpg")] * 4, "consent": "yes"})

    assert answer.status_code == 413
    assert "3 at most" in wrong(answer.text, "photo")


def test_a_form_that_is_too_large_is_shown_again(app: Flask, client: FlaskClient, photo: bytes) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 100

    answer = client.post("/", data=form(photo))

    assert answer.status_code == 413
    assert "Together, the photos are too large" in wrong(answer.text, "photo")


def test_a_full_queue_is_told_and_says_when_to_come_back(app: Flask, client: FlaskClient, photo: bytes) -> None:
    site = app.extensions["site"]
    app.extensions["site"] = replace(site, settings=replace(site.settings, max_queue=1))
    client.post("/", data=form(photo))

    answer = client.post("/", data=form(photo))

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "busy" in wrong(answer.text, "form")


def test_a_site_for_programs_alone_takes_no_forms(app: Flask, client: FlaskClient, photo: bytes) -> None:
    site = app.extensions["site"]
    app.extensions["site"] = replace(site, settings=replace(site.settings, anonymous=False))

    assert client.get("/").status_code == client.post("/", data=form(photo)).status_code == 403


FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
]


def test_scripts_get_other_errors_in_words_too(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/", data=form(photo), headers={"Accept": "application/json", **FROM_ELSEWHERE[0]})

    assert answer.status_code == 400
    assert [each["field"] for each in answer.get_json(force=True)["errors"]] == ["form"]


@pytest.mark.parametrize("path", ["/jobs/x/delete", "/jobs/x/rename", "/admin/sign-in"])
def test_forms_need_their_token(app: Flask, client: FlaskClient, photo: bytes, path: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True

    answer = client.post(path, data=form(photo))

    assert answer.status_code == 400
    assert "load the page again" in answer.text


@pytest.mark.parametrize("path", ["/", "/examples/mira", "/preview"])
@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_other_sites_cannot_send_the_forms_without_a_token(client: FlaskClient, photo: bytes, path, headers) -> None:
    assert client.post(path, data=form(photo), headers=headers).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_our_own_forms_are_taken_without_a_cookie(app: Flask, client: FlaskClient, photo: bytes, headers) -> None:
    app.config["WTF_CSRF_ENABLED"] = True

    assert "Set-Cookie" not in client.get("/").headers
    assert client.post("/", data=form(photo), headers=headers).status_code == 303


def test_a_photo_that_no_browser_shows_gets_a_preview_that_is_not_kept(client: FlaskClient) -> None:
    content = io.BytesIO()
    Image.new("RGB", (400, 300), "peru").save(content, "TIFF")

    answer = client.post("/preview", data={"photo": (io.BytesIO(content.getvalue()), "anna.tif")})

    with Image.open(io.BytesIO(answer.data)) as preview:
        assert (preview.format, preview.size) == ("JPEG", (320, 240))
    assert "No faces yet." in client.get("/faces").text


def test_previews_do_not_hold_up_submissions(client: FlaskClient, photo_bytes: bytes) -> None:
    places = client.application.extensions["previews"] = Places("previews", 1, waiting=0, patience=60)
    with places.take():
        busy = client.post("/preview", data={"photo": (io.BytesIO(photo_bytes), "anna.heic")})
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
        assert client.post("/", data=form(photo_bytes)).status_code == 303


@pytest.mark.parametrize(("waiting", "asked"), [(0, False), (30, True)])
def test_the_address_is_asked_for_when_the_wait_is_long(client: FlaskClient, monkeypatch, waiting, asked) -> None:
    monkeypatch.setattr("serving.pages.submit.foretold", lambda site: waiting)

    assert ("We can email you" in client.get("/").text) == asked


def test_limits_are_on_the_page_for_its_script(client: FlaskClient) -> None:
    page = client.get("/").text

    assert 'data-most-photos="3"' in page
    assert 'data-most-bytes="25000000"' in page
    assert "%sent%" in page
