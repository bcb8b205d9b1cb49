import json

import numpy as np
import pytest
from scipy.io import savemat

from deep3d.coefficients import FIELDS, FaceCoefficients
from deep3d.decoding.coefficient_files import read_coefficients
from deep3d.errors import CoefficientsInvalid
from deep3d.export import write_results
from deep3d.lighting import irradiance


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.5, (3, 257)).astype(np.float32)


def test_an_array_of_many_faces_or_of_one(tmp_path, vectors):
    for name, array in [("many", vectors), ("one", vectors[0]), ("double", vectors.astype(np.float64))]:
        np.save(tmp_path / f"{name}.npy", array)
        (tmp_path / f"{name}.json").write_text(json.dumps(array.tolist()))
        for suffix in ("npy", "json"):
            face = read_coefficients(tmp_path / f"{name}.{suffix}")
            np.testing.assert_array_equal(face.to_vector(), np.atleast_2d(array).astype(np.float32))
            assert face.identity.dtype == np.float32


def test_what_a_result_folder_holds_reads_back(tmp_path, toy_reconstruction):
    write_results(toy_reconstruction, tmp_path / "anna", ["json", "mat"])
    expected = toy_reconstruction.coefficients.to_vector()
    for name in ("face.json", "face_pytorch.mat", "face_tensorflow.mat"):
        np.testing.assert_allclose(read_coefficients(tmp_path / "anna" / name).to_vector(), expected, atol=1e-7)


def test_white_light_has_nine_numbers(tmp_path, vectors, toy_face_model):
    white = np.delete(vectors, np.s_[236:254], axis=1)
    np.save(tmp_path / "white.npy", white)
    fields = {name: vectors[0, part].tolist() for name, part in FIELDS.items()}
    (tmp_path / "white.json").write_text(
        json.dumps({"coefficients": fields | {"lighting": vectors[0, 227:236].tolist()}})
    )
    face = read_coefficients(tmp_path / "white.npy")
    np.testing.assert_array_equal(face.translation, vectors[:, 254:])
    normals = toy_face_model.normals(toy_face_model.mean_shape[None]).repeat(3, axis=0)
    np.testing.assert_allclose(irradiance(normals, face.lighting), irradiance(normals, vectors[:, 227:236]), atol=1e-6)
    np.testing.assert_array_equal(read_coefficients(tmp_path / "white.json").to_vector(), face[0].to_vector())


def refuse(path, *words):
    with pytest.raises(CoefficientsInvalid) as caught:
        read_coefficients(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message


def test_numbers_that_are_no_coefficients(tmp_path, vectors):
    for name, array, word in [
        ("short", vectors[:, :200], "(3, 200)"),
        ("none", vectors[:0], "(0, 257)"),
        ("deep", vectors[None], "(1, 3, 257)"),
    ]:
        np.save(tmp_path / f"{name}.npy", array)
        refuse(tmp_path / f"{name}.npy", word)
    vectors[2, 81] = np.nan
    np.save(tmp_path / "nan.npy", vectors)
    refuse(tmp_path / "nan.npy", "coefficient 81 of face 2", "not finite")


def test_fields_that_are_missing_or_too_long(tmp_path, vectors):
    face = FaceCoefficients.from_vector(vectors)
    savemat(tmp_path / "part.mat", {"id": face.identity, "exp": face.expression})
    refuse(tmp_path / "part.mat", "without albedo, rotation, lighting, translation")
    fields = {name: getattr(face, name)[0].tolist() for name in FIELDS}
    (tmp_path / "long.json").write_text(json.dumps({"coefficients": fields | {"expression": [0.0] * 65}}))
    refuse(tmp_path / "long.json", "expression has 65 numbers instead of 64")
    (tmp_path / "other.json").write_text(json.dumps({"landmarks68": []}))
    refuse(tmp_path / "other.json", "coefficients")


def test_files_that_cannot_be_read(tmp_path, vectors):
    refuse(tmp_path / "nowhere.npy", "No such file")
    refuse(tmp_path / "face.txt", ".npy, .mat, .json")
    for suffix in ("npy", "mat", "json"):
        (tmp_path / f"broken.{suffix}").write_bytes(b"\x93broken")
        refuse(tmp_path / f"broken.{suffix}")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], object), allow_pickle=True)
    refuse(tmp_path / "objects.npy")
