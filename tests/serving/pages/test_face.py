from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from serving.jobs.naming import title
from serving.jobs.submission import Taken


def test_a_finished_job_shows_its_face(client: FlaskClient, ended_job: Callable[..., Taken]) -> None:
    job = ended_job(faces=1)

    page = client.get(f"/jobs/{job.secret}").text

    for name in ("web", "albedo", "json", "photo"):
        assert f'data-{name}="/api/v1/jobs/{job.secret}/faces/0/' in page


@pytest.mark.parametrize(("name", "shown"), [("anna.JPG", "anna"), ("Dr. Anna B. Smith", "Dr. Anna B. Smith")])
def test_pages_name_a_face_without_the_suffix_of_its_photo(name: str, shown: str) -> None:
    assert title(name) == shown


def test_each_of_several_faces_has_its_page(client: FlaskClient, ended_job: Callable[..., Taken]) -> None:
    job = ended_job(faces=2)

    assert "/faces/1/face.glb" in client.get(f"/jobs/{job.secret}?face=2").text
    assert client.get(f"/jobs/{job.secret}?face=3").status_code == 404


def test_a_failed_job_says_why(client: FlaskClient, ended_job: Callable[..., Taken]) -> None:
    job = ended_job(error="anna.jpg: no face found")

    assert "anna.jpg: no face found" in client.get(f"/jobs/{job.secret}").text


def test_a_deleted_job_is_gone(client: FlaskClient, ended_job: Callable[..., Taken]) -> None:
    job = ended_job(faces=1)

    answer = client.post(f"/jobs/{job.secret}/delete", follow_redirects=True)

    assert "Everything is deleted." in answer.text
    gone = client.get(f"/jobs/{job.secret}")
    assert gone.status_code == 410
    assert "This face is gone" in gone.text


def test_no_page_deletes_without_asking(client: FlaskClient, ended_job: Callable[..., Taken], photo: bytes) -> None:
    """A form that deletes is inside of what opens first, and its button says that it is meant."""
    client.post("/", data={"photo": (io.BytesIO(photo), "anna.jpg"), "consent": "yes"})
    pages = [f"/jobs/{ended_job(faces=1).secret}", f"/jobs/{ended_job(error='no face').secret}", "/faces"]
    for page in pages:
        text = client.get(page).text
        forms = [match.start() for match in re.finditer(r'<form [^>]*action="[^"]*/delete"', text)]
        assert forms, page
        for start in forms:
            before, after = text[:start], text[start : text.index("</form>", start)]
            assert before.count("<details") > before.count("</details>"), page
            assert "Yes, delete it now" in after


def test_an_unknown_job_is_a_page_too(client: FlaskClient) -> None:
    answer = client.get("/jobs/unknown")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_my_faces_are_those_of_this_browser(client: FlaskClient, photo: bytes) -> None:
    client.post("/", data={"photo": (io.BytesIO(photo), "<i>anna.jpg"), "consent": "yes"})

    mine, others = client.get("/faces").text, client.application.test_client().get("/faces").text

    assert ">&lt;i&gt;anna<" in mine
    assert "No faces yet." in others


@pytest.mark.parametrize("path", ["/", "/faces", "/admin/sign-in", "/nothing"])
def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "style=" not in answer.text
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
