import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from deep3d.errors import ExtraMissing, FaceModelInvalid
from deep3d.face_model import default_face_model, read_face_model
from deep3d.face_model.completion import at_vertices, mirror_map, unwrap
from deep3d.face_model.foreign import ForeignModel, write_foreign_model


@pytest.fixture
def foreign(toy_model_arrays, toy_face_model) -> ForeignModel:
    """The toy face model with fewer components, as an importer would read it."""
    return ForeignModel(
        name="somebody's model",
        version="3",
        licence="somebody's",
        source="somebody",
        mean_shape=toy_model_arrays["mean_shape"],
        identity_basis=toy_model_arrays["identity_basis"][:63],
        expression_basis=toy_model_arrays["expression_basis"][:6],
        mean_albedo=toy_model_arrays["mean_albedo"],
        albedo_basis=toy_model_arrays["albedo_basis"][:0],
        triangles=toy_model_arrays["triangles"],
        landmarks=dict(enumerate(toy_face_model.landmark_vertices.tolist())),
    )


def test_a_complete_model_file_is_written(foreign, tmp_path, toy_face_model):
    write_foreign_model(tmp_path / "theirs.safetensors", foreign)
    model = read_face_model(tmp_path / "theirs.safetensors")
    assert (model.info.name, model.info.version, model.info.licence) == ("somebody's model", "3", "somebody's")
    np.testing.assert_array_equal(model.landmark_vertices, toy_face_model.landmark_vertices)
    np.testing.assert_array_equal(model.mirror, toy_face_model.mirror)
    np.testing.assert_array_equal(model.identity_basis[:63], toy_face_model.identity_basis[:63])
    assert not model.identity_basis[63:].any() and not model.expression_basis[6:].any()
    np.testing.assert_array_equal(
        model.landmarks(model.mean_shape[None])[0], model.mean_shape[toy_face_model.landmark_vertices]
    )
    assert len(set(model.expression_names)) == 64
    assert not set(model.expression_names) & set(default_face_model().expression_names)


def test_the_atlas_shows_every_triangle_once(toy_face_model):
    uv, corners = unwrap(toy_face_model.mean_shape, toy_face_model.triangles)
    assert uv.min() >= 0 and uv.max() <= 1
    a, b, c = (uv[corners[:, corner]] for corner in range(3))
    area = 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    assert (area > 0).all() and 0.3 < area.sum() <= 1
    vertex_of_uv = np.full(len(uv), -1)
    vertex_of_uv[corners] = toy_face_model.triangles
    np.testing.assert_array_equal(vertex_of_uv[corners], toy_face_model.triangles)


def test_the_mirror_map_is_that_of_a_symmetric_model():
    model = default_face_model()
    mirrored = mirror_map(model.mean_shape)
    assert (mirrored == model.mirror).mean() > 0.99


def test_a_landmark_without_triangles_is_refused(tmp_path):
    with pytest.raises(FaceModelInvalid, match="landmark is at a vertex without triangles"):
        at_vertices(tmp_path / "m", np.full(68, 3), np.array([[0, 1, 2]]))


def test_nothing_is_written_of_a_model_that_is_not_sound(foreign, tmp_path):
    path = tmp_path / "theirs.safetensors"
    path.write_bytes(b"an older one")
    broken = foreign.identity_basis.copy()
    broken[3, 5, 1] = np.nan
    with pytest.raises(FaceModelInvalid, match="identity_basis of somebody's model has numbers that are not finite"):
        write_foreign_model(path, replace(foreign, identity_basis=broken))
    with pytest.raises(FaceModelInvalid, match="expected V x 3"):
        write_foreign_model(path, replace(foreign, mean_albedo=foreign.mean_albedo[:-1]))
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(path.name, b"an older one")]


def test_without_xatlas_the_extra_is_named(foreign, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xatlas", None)
    with pytest.raises(ExtraMissing, match=r"deep3d\[models\]"):
        write_foreign_model(tmp_path / "theirs.safetensors", foreign)
    write_foreign_model(
        tmp_path / "own.safetensors", replace(foreign, uv=(np.zeros((143, 2), "f4"), foreign.triangles))
    )
    assert json.loads((tmp_path / "own.safetensors").read_bytes()[8:].partition(b"}}")[0].decode() + "}}")
