import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing
from deep3d.face_model import read_face_model
from deep3d.face_model.bfm2017 import LANDMARKS, WHOLE, read_bfm2017
from deep3d.face_model.bfm2019 import read_bfm2019
from deep3d.face_model.importers import import_face_model
from deep3d.face_model.statismo import NAMED_LANDMARKS, RELEASES

READERS = {2017: read_bfm2017, 2019: read_bfm2019}


@pytest.fixture(scope="module")
def content(toy_model_arrays, toy_face_model) -> dict[str, Any]:
    """What an HDF5 file of the toy face model holds: millimetres, unit vectors and variances, off the origin."""
    datasets: dict[str, Any] = {}
    bases = {"shape": "identity_basis", "expression": "expression_basis", "color": "albedo_basis"}
    means = {"shape": toy_model_arrays["mean_shape"] * 100 + [1, 2, 3], "color": toy_model_arrays["mean_albedo"]}
    for part, name in bases.items():
        columns = toy_model_arrays[name].reshape(len(toy_model_arrays[name]), -1).T.astype(np.float64)
        columns = columns * (1 if part == "color" else 100)
        lengths = np.linalg.norm(columns, axis=0)
        mean = means.get(part, np.full(toy_model_arrays["mean_shape"].shape, 0.5))
        datasets[f"{part}/model/mean"] = np.asarray(mean, np.float32).ravel()
        datasets[f"{part}/model/pcaBasis"] = (columns / lengths).astype(np.float32)
        datasets[f"{part}/model/pcaVariance"] = lengths**2
    datasets["shape/representer/cells"] = toy_model_arrays["triangles"].T
    places = {
        name: datasets["shape/model/mean"].reshape(-1, 3)[toy_face_model.landmark_vertices[landmark]] + 0.5
        for name, landmark in NAMED_LANDMARKS.items()
    }
    listed = [{"id": name, "coordinates": place.tolist()} for name, place in places.items()]
    datasets["metadata/landmarks/json"] = json.dumps([*listed, {"id": "left.ear", "coordinates": [0, 0, 0]}])
    return datasets


@pytest.fixture
def write(content, tmp_path) -> Callable[..., Path]:
    """A function that writes the file with some datasets replaced, or removed by None."""

    def write(name: str, **changed: Any) -> Path:
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            for key, value in (content | {key.replace("__", "/"): value for key, value in changed.items()}).items():
                if value is not None:
                    file[key] = value
        return path

    return write


@pytest.mark.parametrize("year", READERS)
def test_shapes_colours_and_triangles_come_over_in_our_units(write, toy_model_arrays, year):
    model = READERS[year](write("mine.h5"))
    assert model.name == f"Basel Face Model {year}" and model.version == "143 vertices"
    for name in ("mean_shape", "identity_basis", "expression_basis", "mean_albedo", "albedo_basis"):
        np.testing.assert_allclose(getattr(model, name), toy_model_arrays[name], atol=2e-6, err_msg=name)
    np.testing.assert_array_equal(model.triangles, toy_model_arrays["triangles"])


def test_named_landmarks_are_found(write, toy_face_model, content):
    expected = {landmark: toy_face_model.landmark_vertices[landmark] for landmark in NAMED_LANDMARKS.values()}
    assert read_bfm2019(write("list.h5")).landmarks == expected
    listed = json.loads(content["metadata/landmarks/json"])
    by_name = json.dumps({each["id"]: each["coordinates"] for each in listed})
    assert read_bfm2019(write("object.h5", metadata__landmarks__json=[by_name])).landmarks == expected
    assert read_bfm2019(write("none.h5", metadata__landmarks__json=None)).landmarks == {}


def test_components_beyond_ours_are_left_out_and_fewer_are_fewer(write, content):
    basis, variance = content["shape/model/pcaBasis"], content["shape/model/pcaVariance"]
    many = write("many.h5", shape__model__pcaBasis=np.hstack([basis] * 3), shape__model__pcaVariance=[*variance] * 3)
    few = write("few.h5", shape__model__pcaBasis=basis[:, :20], shape__model__pcaVariance=variance[:20])
    assert len(read_bfm2017(many).identity_basis) == 80
    np.testing.assert_array_equal(read_bfm2017(few).identity_basis, read_bfm2017(many).identity_basis[:20])


def test_triangles_that_look_inward_are_turned(write, toy_model_arrays):
    inward = toy_model_arrays["triangles"][:, ::-1].T
    np.testing.assert_array_equal(
        read_bfm2019(write("inward.h5", shape__representer__cells=inward)).triangles, toy_model_arrays["triangles"]
    )


def test_the_import_is_a_face_model(write, tmp_path, toy_model_arrays):
    out = tmp_path / "bfm2019.safetensors"
    import_face_model("bfm2019", write("model2019_face12.h5").parent, out)
    model = read_face_model(out)
    np.testing.assert_allclose(model.mean_shape, toy_model_arrays["mean_shape"], atol=2e-6)
    assert model.skin.any()


@pytest.mark.parametrize("year", READERS)
@pytest.mark.parametrize("number", [0, 1])
def test_real_sizes_are_recognised(tmp_path, year, number):
    name, vertices = [*RELEASES[year].items()][number]
    _write_flat(tmp_path / "renamed.h5", vertices)
    model = READERS[year](tmp_path / "renamed.h5")
    assert model.version == name.removesuffix(".h5") and model.mean_shape.shape == (vertices, 3)
    assert model.landmarks == (LANDMARKS if vertices == WHOLE else {})
    other = 2017 + 2019 - year
    with pytest.raises(FaceModelInvalid, match=rf"{vertices} vertices, which is .* of {year}; import it as bfm{year}"):
        READERS[other](tmp_path / "renamed.h5")


def _write_flat(path: Path, vertices: int) -> None:
    """A file of that many vertices and a single component."""
    with h5py.File(path, "w") as file:
        for part in ("shape", "expression", "color"):
            file[f"{part}/model/mean"] = np.random.default_rng(1).normal(size=3 * vertices).astype(np.float32)
            file[f"{part}/model/pcaBasis"] = np.ones((3 * vertices, 1), np.float32)
            file[f"{part}/model/pcaVariance"] = np.ones(1)
        file["shape/representer/cells"] = np.array([[0], [1], [2]])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"expression__model__pcaBasis": None}, "expression/model/pcaBasis is missing"),
        ({"color__model__mean": None}, "color/model/mean is missing"),
        ({"shape__representer__cells": None}, "shape/representer/cells is missing"),
        ({"shape__model__pcaVariance": np.ones(79)}, r"a basis of \(429, 80\) and 79 variances"),
        ({"expression__model__mean": np.ones(428)}, "expression has a mean of 428"),
        ({"shape__representer__cells": np.full((3, 9), 143)}, r"is \(3, 9\), expected \(3, T\) numbers below 143"),
        ({"shape__representer__cells": np.zeros((9, 4), int)}, r"is \(9, 4\), expected \(3, T\)"),
        ({"metadata__landmarks__json": "{]"}, "landmarks/json is no list of landmarks"),
        ({"metadata__landmarks__json": '[{"name": "chin"}]'}, "landmarks/json is no list of landmarks"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(write, changed, told):
    path = write("wrong.h5", **changed)
    with pytest.raises(FaceModelInvalid, match=told) as caught:
        read_bfm2019(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_parts_of_different_meshes(write):
    smaller = {
        "color__model__mean": np.ones(426),
        "color__model__pcaBasis": np.ones((426, 2)),
        "color__model__pcaVariance": np.ones(2),
    }
    with pytest.raises(FaceModelInvalid, match="shape, expression and color have 143, 143 and 142 vertices"):
        read_bfm2019(write("parts.h5", **smaller))


def test_files_that_are_missing_damaged_or_too_many(write, tmp_path, monkeypatch):
    with pytest.raises(FaceModelMissing, match=r"nowhere: no such file.*model2017-1_bfm_nomouth\.h5"):
        read_bfm2017(tmp_path / "nowhere")
    with pytest.raises(FaceModelMissing, match=r"no HDF5 file in this folder.*model2019_fullHead\.h5"):
        read_bfm2019(tmp_path)
    path = write("model2019_bfm.h5")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(FaceModelInvalid, match=r"model2019_bfm\.h5: damaged"):
        read_bfm2019(tmp_path)
    write("model2019_face12.h5")
    with pytest.raises(FaceModelInvalid, match=r"model2019_bfm\.h5, model2019_face12\.h5 found; name one"):
        read_bfm2019(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ExtraMissing, match=r"deep3d\[models\]"):
        read_bfm2019(tmp_path / "model2019_face12.h5")
