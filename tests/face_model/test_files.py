import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from deep3d.errors import Deep3DError, FaceModelInvalid, FaceModelMissing, OutputNotWritable
from deep3d.face_model import default_face_model, read_face_model, write_face_model
from deep3d.face_model.files import SCHEMA


def test_reading_gives_back_what_was_written(toy_model_path, toy_model_arrays, toy_model_metadata):
    model = read_face_model(toy_model_path)
    for name in (
        "mean_shape",
        "mean_albedo",
        "triangles",
        "uv",
        "uv_triangles",
        "landmark_triangles",
        "mirror",
    ):
        np.testing.assert_array_equal(getattr(model, name), toy_model_arrays[name])
    np.testing.assert_array_equal(model.skin, toy_model_arrays["skin"] / 255)
    np.testing.assert_array_equal(model.identity_basis.reshape(80, -1, 3), toy_model_arrays["identity_basis"])
    np.testing.assert_array_equal(model.expression_basis.reshape(64, -1, 3), toy_model_arrays["expression_basis"])
    assert model.expression_names == tuple(json.loads(toy_model_metadata["expression_names"]))
    assert (model.info.name, model.info.version, model.info.licence) == ("toy", "1", "MIT")
    assert model.info.sha256 == hashlib.sha256(toy_model_path.read_bytes()).hexdigest()


def test_half_precision_and_eight_bit_components_are_read_as_single(tmp_path, toy_model_arrays, toy_model_metadata):
    scale = np.linspace(0.001, 0.002, 80, dtype=np.float32)
    small = np.random.default_rng(8).integers(-127, 128, toy_model_arrays["albedo_basis"].shape).astype(np.int8)
    half = toy_model_arrays["identity_basis"].astype(np.float16)
    arrays = toy_model_arrays | {"albedo_basis": small, "albedo_scale": scale, "identity_basis": half}
    write_face_model(tmp_path / "small.safetensors", arrays, toy_model_metadata)
    model = read_face_model(tmp_path / "small.safetensors")
    assert model.identity_basis.dtype == model.albedo_basis.dtype == np.float32
    assert model.albedo_components.values.dtype == np.int8
    assert model.identity_components.values.dtype == np.int16
    np.testing.assert_allclose(model.albedo_basis.reshape(small.shape), small * scale[:, None, None], rtol=1e-6)
    largest = np.abs(half.astype(np.float32)).max(axis=(1, 2), keepdims=True)
    assert (np.abs(model.identity_basis.reshape(half.shape) - half) <= largest / 65_000).all()
    albedo = np.random.default_rng(9).normal(size=(2, 80)).astype(np.float32)
    expected = model.mean_albedo + np.einsum("bk,kvc->bvc", albedo * scale, small)
    np.testing.assert_allclose(model.albedo(albedo), expected, atol=1e-5)
    np.testing.assert_allclose(model.to_torch().to_torch().albedo(torch.as_tensor(albedo)), expected, atol=1e-5)


def test_non_contiguous_arrays_are_written_in_order(tmp_path, toy_model_arrays, toy_model_metadata):
    strided = np.asfortranarray(toy_model_arrays["identity_basis"])
    write_face_model(tmp_path / "m.safetensors", toy_model_arrays | {"identity_basis": strided}, toy_model_metadata)
    np.testing.assert_array_equal(read_face_model(tmp_path / "m.safetensors").identity_basis, strided.reshape(80, -1))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FaceModelMissing, match=r"none\.safetensors: no face model there"):
        read_face_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"\xff" * 40, b"a face", (2).to_bytes(8, "little") + b"{}"])
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    with pytest.raises(FaceModelInvalid, match=r"foreign\.safetensors"):
        read_face_model(path)


def test_a_truncated_file_is_refused(tmp_path, toy_model_path):
    path = tmp_path / "short.safetensors"
    path.write_bytes(toy_model_path.read_bytes()[:-100])
    with pytest.raises(FaceModelInvalid, match=r"short\.safetensors: damaged"):
        read_face_model(path)


def test_another_schema_is_refused(tmp_path, toy_model_arrays, toy_model_metadata):
    path = tmp_path / "future.safetensors"
    save_file(toy_model_arrays, path, {**toy_model_metadata, "schema": "deep3d.face_model/2"})
    with pytest.raises(FaceModelInvalid, match=r"deep3d\.face_model/2.*deep3d\.face_model/1"):
        read_face_model(path)


def test_incomplete_metadata_is_refused(tmp_path, toy_model_arrays, toy_model_metadata):
    path = tmp_path / "anonymous.safetensors"
    save_file(toy_model_arrays, path, {"schema": SCHEMA, "name": "toy"})
    with pytest.raises(FaceModelInvalid, match="expression_names, licence, source, version"):
        read_face_model(path)


@pytest.mark.parametrize("names", ["", "[", "{}", '["one"]', json.dumps(list(range(64)))])
def test_expression_names_must_be_a_list_of_64(tmp_path, toy_model_arrays, toy_model_metadata, names):
    path = tmp_path / "names.safetensors"
    save_file(toy_model_arrays, path, {"schema": SCHEMA} | toy_model_metadata | {"expression_names": names})
    with pytest.raises(FaceModelInvalid, match=r"names\.safetensors.*expression_names"):
        read_face_model(path)


@pytest.mark.parametrize(
    "name, value",
    [
        ("mean_shape", np.zeros((143, 2), np.float32)),
        ("mean_albedo", np.zeros((142, 3), np.float32)),
        ("identity_basis", np.zeros((79, 143, 3), np.float32)),
        ("triangles", np.zeros((240, 3), np.float32)),
        ("triangles", np.full((240, 3), 143, np.int32)),
        ("uv_triangles", np.full((240, 3), -1, np.int32)),
        ("landmark_triangles", np.full(68, 240, np.int32)),
    ],
)
def test_an_array_of_another_shape_or_range_is_named(tmp_path, toy_model_arrays, toy_model_metadata, name, value):
    with pytest.raises(FaceModelInvalid, match=name):
        write_face_model(tmp_path / "bad.safetensors", toy_model_arrays | {name: value}, toy_model_metadata)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mean_shape", "identity_basis", "albedo_scale"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(tmp_path, toy_model_arrays, toy_model_metadata, name, value):
    path = tmp_path / "wild.safetensors"
    wild = toy_model_arrays[name].copy()
    wild.flat[-1] = value
    save_file(toy_model_arrays | {name: wild}, path, toy_model_metadata | {"schema": SCHEMA})
    with pytest.raises(FaceModelInvalid, match=rf"wild\.safetensors: '{name}' has numbers that are not finite"):
        read_face_model(path)


def test_no_triangles_at_all_are_refused(tmp_path, toy_model_arrays, toy_model_metadata):
    none = {name: np.zeros((0, 3), np.int32) for name in ("triangles", "uv_triangles")}
    with pytest.raises(FaceModelInvalid, match="T = 0"):
        write_face_model(tmp_path / "bad.safetensors", toy_model_arrays | none, toy_model_metadata)


def test_metadata_that_are_a_list_are_refused(tmp_path):
    header = b'{"__metadata__":["schema"]}'
    path = tmp_path / "list.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(FaceModelInvalid, match=r"^[^\n]*list\.safetensors: damaged[^\n]*$"):
        read_face_model(path)


def test_a_missing_array_is_named(tmp_path, toy_model_arrays, toy_model_metadata):
    arrays = {name: value for name, value in toy_model_arrays.items() if name != "mirror"}
    with pytest.raises(FaceModelInvalid, match="'mirror' is missing"):
        write_face_model(tmp_path / "bad.safetensors", arrays, toy_model_metadata)


def test_the_shipped_model_has_the_documented_sizes():
    model = default_face_model()
    assert 10_000 <= len(model.mean_shape) <= 14_000
    assert model.identity_basis.shape[0] == model.albedo_basis.shape[0] == 80
    assert model.expression_names[:2] == ("browDown_L", "browDown_R")
    assert model.expression_names[52] == "noseSneer_R"
    np.testing.assert_allclose(model.mean_shape.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_array_equal(model.mirror[model.mirror], np.arange(len(model.mirror)))
    np.testing.assert_allclose(model.landmark_weights.sum(axis=1), 1, atol=1e-3)


def test_errors_are_of_one_tree():
    assert issubclass(FaceModelInvalid, Deep3DError) and issubclass(FaceModelMissing, Deep3DError)


def test_a_place_where_nothing_can_be_written_is_told_and_left_clean(tmp_path, toy_model_arrays, toy_model_metadata):
    (tmp_path / "model.safetensors").mkdir()
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        path = folder / "model.safetensors"
        with pytest.raises(OutputNotWritable, match="cannot be written"):
            write_face_model(path, toy_model_arrays, toy_model_metadata)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "file"}
