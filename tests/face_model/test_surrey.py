import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing
from deep3d.face_model import default_face_model
from deep3d.face_model.surrey import BLENDSHAPES, LANDMARKS, SHAPE, read_surrey

VERTICES = 3448


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in (SHAPE, BLENDSHAPES):
        (tmp_path / name).write_bytes(b"read by eos")
    return tmp_path


@pytest.fixture
def eos(monkeypatch) -> SimpleNamespace:
    """A stand-in for eos: the first vertices of the open model, millimetres, off the origin, v down."""
    open_model = default_face_model()
    triangles = open_model.triangles[(open_model.triangles < VERTICES).all(axis=1)]
    shape = SimpleNamespace(
        get_mean=lambda: 100 * open_model.mean_shape[:VERTICES].ravel() + 7,
        get_rescaled_pca_basis=lambda: 100 * open_model.identity_basis[:63, : 3 * VERTICES].T,
        get_triangle_list=lambda: triangles.tolist(),
    )
    module = SimpleNamespace(
        load_model=lambda path: SimpleNamespace(
            get_shape_model=lambda: shape, get_texture_coordinates=lambda: [[0.25, 0.1]] * VERTICES
        ),
        load_blendshapes=lambda path: [
            SimpleNamespace(name="smile", deformation=100 * basis[: 3 * VERTICES])
            for basis in open_model.expression_basis[:6]
        ],
    )
    monkeypatch.setitem(sys.modules, "eos", SimpleNamespace(morphablemodel=module))
    return module


def test_the_model_comes_over_in_our_units(folder, eos):
    open_model = default_face_model()
    model = read_surrey(folder)
    mean = open_model.mean_shape[:VERTICES] - open_model.mean_shape[:VERTICES].mean(axis=0)
    np.testing.assert_allclose(model.mean_shape, mean, atol=2e-6)
    np.testing.assert_allclose(model.identity_basis.reshape(63, -1), open_model.identity_basis[:63, : 3 * VERTICES])
    np.testing.assert_allclose(model.expression_basis.reshape(6, -1), open_model.expression_basis[:6, : 3 * VERTICES])
    assert model.uv is not None
    np.testing.assert_allclose(model.uv[0][0], [0.25, 0.9], rtol=1e-6)
    np.testing.assert_array_equal(model.uv[1], model.triangles)
    assert model.landmarks == LANDMARKS and len(set(LANDMARKS.values())) == len(LANDMARKS) == 50


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FaceModelMissing, match=f"{SHAPE}, {BLENDSHAPES} missing"):
        read_surrey(tmp_path)


def test_without_eos_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "eos", None)
    with pytest.raises(ExtraMissing, match="pip install eos-py"):
        read_surrey(folder)


def test_files_that_eos_cannot_read(folder, eos):
    def broken(path):
        raise RuntimeError("Failed to read 8 bytes from input stream")

    eos.load_model = broken
    with pytest.raises(FaceModelInvalid, match="eos cannot read"):
        read_surrey(folder)


def test_files_that_do_not_belong_together(folder, eos):
    eos.load_blendshapes = lambda path: [SimpleNamespace(deformation=np.zeros(30))]
    with pytest.raises(FaceModelInvalid, match="3448 vertices, 3448 UVs, 10 of the blendshapes"):
        read_surrey(folder)
