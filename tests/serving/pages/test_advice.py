"""Every warning of the library has words of ours, and says what to do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from flask.testing import FlaskClient

from deep3d import FaceCoefficients
from deep3d.confidence import assess
from deep3d.fitting.photometric import MOVED_AWAY, NO_NUMBERS, NO_SKIN
from deep3d.photo.jpeg import CUT_OFF
from deep3d.pipeline.fitter import NO_FACE_FITS
from deep3d.pipeline.reconstructor import FIT_FAILED, FOLDED, STAYS_LINEAR
from deep3d.pipeline.same_person import STRANGER, who_is_left_out
from serving.pages.advice import advise, quality
from serving.site import Site


@pytest.fixture
def warnings() -> list[str]:
    """All that the library can say of one photo."""
    coefficients = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    coefficients.rotation[0, 1] = 1.2
    coefficients.translation[0, 2] = 7.0
    points = np.random.default_rng(0).uniform(0, 224, (336, 2))
    deviation = np.full(336, 20.0)
    deviation[48:68] = 60.0
    said = assess(points, deviation, True, 0.05, np.zeros(336, bool), coefficients).warnings
    assert len(said) >= 6
    failed = [FIT_FAILED.format(reason) for reason in (NO_SKIN, NO_NUMBERS, MOVED_AWAY, NO_FACE_FITS)]
    return [*said, STRANGER, *failed, FOLDED.format(3), STAYS_LINEAR.format(40), CUT_OFF]


def test_every_warning_has_advice(warnings) -> None:
    for text, what_to_do in advise(warnings, str):
        assert text not in warnings, f"{text!r} is told as the library says it"
        assert what_to_do


def test_a_warning_that_nobody_foresaw_is_told_as_it_is() -> None:
    assert advise(["The moon is full."], str) == [("The moon is full.", "")]


def test_better_faces_have_better_words() -> None:
    words = [quality(error, str) for error in (0.5, 2.0, 3.0, 9.0)]
    assert len(set(words)) == 4
    assert quality(None, str) == ""


def test_pages_and_programs_are_told(client: FlaskClient, site: Site, ended_job) -> None:
    job = ended_job(faces=1)
    content = {
        "confidence": {"landmark_error_percent": 3.1},
        "warnings": ["The head is turned far to the side. Its hidden half is a guess."],
    }
    site.storage.write(f"jobs/{job.id}/0/face.json", json.dumps(content).encode())

    page = client.get(f"/jobs/{job.secret}").text
    face = client.get(f"/api/v1/jobs/{job.secret}").get_json()["faces"][0]

    assert "The head is turned to the side" in page
    assert "Roughly like the photo" in page
    assert face["expected_error"] == 3.1
    assert face["warnings"] == content["warnings"]


def test_photos_without_a_face_are_named_beside_those_with_one(client: FlaskClient, site: Site, ended_job) -> None:
    job = ended_job(faces=1, error="%(name)s: no face found; please use a photo with a larger face.")

    assert "anna.jpg: no face found" in client.get(f"/jobs/{job.secret}").text


def test_a_face_can_be_renamed(client: FlaskClient, ended_job) -> None:
    job = ended_job(faces=1)

    answer = client.post(
        f"/jobs/{job.secret}/rename", data={"name": "<b>Grandma</b>", "face": "1"}, follow_redirects=True
    )

    assert "<h1>&lt;b&gt;Grandma&lt;/b&gt;</h1>" in answer.text
    assert client.post(f"/jobs/{job.secret}/rename", data={"name": " "}).status_code == 422


def test_photos_that_were_left_out_are_told_by_the_page_alone():
    left_out = who_is_left_out(
        ["wall.jpg", "bert.jpg", "anna.jpg"], found=[1, 2], reasons={1: "it seems to show another person"}
    )
    warnings = (*left_out, "The mouth seems covered. Its shape is a guess.", "Something new.")
    told = advise(warnings, str)
    assert [text for text, _ in told] == [
        "Each of the photos seems to show somebody else, so the face is that of one photo.",
        "Something covers the mouth, so its shape had to be guessed.",
        "Something new.",
    ]
    assert told[2][1] == ""
