import json
from dataclasses import replace

import numpy as np
import pytest

from deep3d.errors import CoefficientsInvalid
from deep3d.export.face_json import describe
from deep3d.pipeline.reopening import reopen_face


@pytest.fixture(scope="module")
def content(toy_reconstruction):
    """The face.json of the toy face."""
    return json.dumps(describe(toy_reconstruction)).encode()


def test_a_face_comes_back_as_it_was(toy_reconstruction, content):
    again = reopen_face(content, toy_reconstruction.photo, toy_reconstruction.face_model)
    np.testing.assert_allclose(again.vertices, toy_reconstruction.vertices, atol=1e-5)
    np.testing.assert_allclose(again.photo_matrix, toy_reconstruction.photo_matrix, rtol=1e-5, atol=1e-3)
    for name in ("focal_length_px", "column", "row", "distance"):
        assert getattr(again.camera, name) == pytest.approx(getattr(toy_reconstruction.camera, name), abs=2e-3)
    np.testing.assert_array_equal(again.crop.image, toy_reconstruction.crop.image)
    np.testing.assert_allclose(again.crop.trans_params, toy_reconstruction.crop.trans_params, atol=2)


def test_a_photo_that_lay_on_a_side_is_turned(toy_reconstruction, content):
    lying = replace(toy_reconstruction.photo.turned(270), turn=0)
    told = json.loads(content)
    told["photo"]["turn"] = 90
    again = reopen_face(json.dumps(told).encode(), lying, toy_reconstruction.face_model)
    np.testing.assert_array_equal(again.crop.image, toy_reconstruction.crop.image)


def test_displacements_are_added(toy_reconstruction, content):
    moved = np.full_like(toy_reconstruction.vertices, 3.0)
    again = reopen_face(content, toy_reconstruction.photo, toy_reconstruction.face_model, moved)
    np.testing.assert_allclose(again.vertices, toy_reconstruction.vertices + 0.03, atol=1e-5)


@pytest.mark.parametrize(
    ("moved", "reason"),
    [(None, "missing"), (np.zeros((7, 3)), "another face model"), (np.full((1, 3), np.nan), "damaged")],
)
def test_a_shape_without_its_displacements_is_refused(toy_reconstruction, content, moved, reason):
    told = json.loads(content) | {"displacement": "displacement.npy"}
    if moved is not None and len(moved) == 1:
        moved = np.repeat(moved, len(toy_reconstruction.vertices), axis=0)
    with pytest.raises(CoefficientsInvalid, match=reason):
        reopen_face(json.dumps(told).encode(), toy_reconstruction.photo, toy_reconstruction.face_model, moved)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told["photo"].update(width=7), "another photo"),
        (lambda told: told["face_model"].update(sha256="0"), "another face model"),
        (lambda told: told.pop("camera"), "damaged"),
        (lambda told: told["camera"].update(matrix=[[1, 2], [3, 4]]), "damaged"),
    ],
)
def test_a_file_of_something_else_is_refused_in_a_line(toy_reconstruction, content, change, reason):
    told = json.loads(content)
    change(told)
    with pytest.raises(CoefficientsInvalid, match=reason):
        reopen_face(json.dumps(told).encode(), toy_reconstruction.photo, toy_reconstruction.face_model)
