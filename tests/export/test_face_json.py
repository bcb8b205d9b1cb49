import json
from dataclasses import replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from deep3d.camera import place, project
from deep3d.export import write_json, write_obj
from deep3d.export.face_json import SCHEMA, SCHEMA_FILE


@pytest.fixture(scope="module")
def folder(toy_reconstruction, tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    write_json(toy_reconstruction, folder)
    write_obj(toy_reconstruction, folder)
    return folder


@pytest.fixture(scope="module")
def face(folder):
    return json.loads((folder / "face.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_shipped_schema_accepts_it(face, validator):
    assert face["schema"] == SCHEMA
    validator.validate(face)


@pytest.mark.parametrize("field", ["pose", "landmarks68", "camera", "coefficients", "landmark_embedding"])
def test_shipped_schema_refuses_less(face, validator, field):
    assert not validator.is_valid({key: value for key, value in face.items() if key != field})
    assert not validator.is_valid({**face, field: {}})


def test_embedding_on_the_obj_through_the_matrix_gives_the_landmarks(folder, face):
    lines = (folder / "face.obj").read_text().splitlines()
    vertices = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    corners = [line.split()[1:] for line in lines if line.startswith("f ")]
    triangles = np.array([[int(corner.split("/")[0]) - 1 for corner in line] for line in corners])
    embedding = face["landmark_embedding"]
    chosen = vertices[triangles[embedding["triangles"]]]
    points = (chosen * np.array(embedding["weights"])[..., None]).sum(axis=1)
    pixels = np.column_stack([points, np.ones(68)]) @ np.array(face["camera"]["matrix"]).T
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], face["landmarks68"], atol=0.01)


def test_landmarks_are_those_of_the_crop_brought_to_the_photo(face, toy_reconstruction):
    given = toy_reconstruction
    placed = place(given.vertices[None], given.coefficients.rotation, given.coefficients.translation)
    in_crop = project(given.face_model.landmarks(placed), given.camera)[0]
    np.testing.assert_allclose(face["landmarks68"], given.crop.to_photo(in_crop), atol=0.01)
    assert np.ptp(np.array(face["landmarks68"]), axis=0).min() > 30  # a face, not a point


def test_landmark_vertices_are_the_heaviest_corners(face, toy_reconstruction):
    embedding = face["landmark_embedding"]
    for vertex, triangle, weights in zip(face["landmark_vertices"], embedding["triangles"], embedding["weights"]):
        assert vertex == toy_reconstruction.face_model.triangles[triangle][np.argmax(weights)]


def test_numbers_that_are_none_are_not_written(toy_reconstruction, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(replace(toy_reconstruction, timings_ms={"detect": float("nan")}), tmp_path)
    assert not (tmp_path / "face.json").exists()


def test_values_are_the_reconstructions(face, toy_reconstruction):
    assert face["photo"] == {"name": "anna.jpg", "width": 400, "height": 300, "turn": 0, "sha256": "1" * 64}
    assert face["detection"]["box"] == [120, 60, 300, 260]
    assert face["pose"] == pytest.approx(
        {"yaw": np.degrees(-0.3), "pitch": -np.degrees(0.1), "roll": -np.degrees(0.05)}, abs=1e-3
    )
    crop = toy_reconstruction.crop
    assert face["camera"]["focal_length_px"] == 1015
    assert face["camera"]["crop"] == {"scale": crop.scale, "left": crop.left, "up": crop.up}
    for name, values in face["coefficients"].items():
        np.testing.assert_allclose(values, getattr(toy_reconstruction.coefficients, name)[0], atol=1e-6)
    assert face["expression_names"] == list(toy_reconstruction.face_model.expression_names)
    assert face["face_model"]["sha256"] == toy_reconstruction.face_model.info.sha256
    assert face["checkpoint"] == {"name": "toy", "sha256": "2" * 64}
    assert face["timings_ms"] == {"detect": 12.35}


def test_three_lists_of_landmarks_share_one_order(face, toy_reconstruction):
    np.testing.assert_allclose(face["landmarks68_mediapipe"], toy_reconstruction.landmarks68_mediapipe, atol=0.01)
    np.testing.assert_array_equal(face["landmarks68_contour"][17:], face["landmarks68"][17:])
    assert np.shape(face["landmarks68_contour"]) == (68, 2)
