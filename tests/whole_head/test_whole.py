import numpy as np
import pytest

from deep3d.export.gltf import shared_parts
from deep3d.face_model import default_face_model
from deep3d.whole_head import WholeHead


@pytest.fixture(scope="module")
def model():
    return default_face_model()


@pytest.fixture(scope="module")
def head(model):
    return WholeHead.of(model)


@pytest.fixture
def person(model):
    return model.neutral_shape(np.random.default_rng(0).normal(size=(1, 80)).astype(np.float32))[0]


def lone_edges(triangles):
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    key, twin = edges @ [1 << 32, 1], edges @ [1, 1 << 32]
    return edges[~np.isin(key, twin)]


def test_the_models_vertices_keep_their_numbers(head, person, model):
    whole = head.vertices(person)
    assert len(whole) > len(person) and np.array_equal(whole[: len(person)], person)
    assert np.array_equal(head.triangles[: len(model.triangles)], model.triangles)
    assert np.array_equal(head.uv[: len(model.uv)], model.uv)


def test_the_neck_has_no_open_end(head, model, person):
    low = model.mean_shape[:, 1].min() + 0.05
    open_before = lone_edges(model.triangles)
    assert (model.mean_shape[open_before, 1] < low).all(axis=1).sum() > 50  # the model ends as a tube
    whole = head.vertices(model.mean_shape)
    assert not (whole[lone_edges(head.triangles), 1] < low).any()
    a, b, c = (head.vertices(person)[head.parts.triangles[:, corner]] for corner in range(3))
    middle = (a + b + c) / 3
    outward = (middle - middle.mean(axis=0)) * np.cross(b - a, c - a)
    assert (outward.sum(axis=1) > 0).mean() > 0.97


def test_the_bust_follows_the_neck(head, model):
    moved = head.vertices(model.mean_shape + np.array([0.2, -0.1, 0.3], np.float32))
    assert np.allclose(moved - head.vertices(model.mean_shape), [0.2, -0.1, 0.3], atol=2e-3)


def test_uvs_of_the_parts_lie_between_the_charts(head, model):
    from deep3d.texture import Atlas
    from deep3d.texture.atlas import cover

    corners = (head.parts.uv * [1024, -1024] + [-0.5, 1023.5])[head.parts.uv_triangles]
    mine = cover(corners, 1024)[0] >= 0
    assert mine.sum() > 10_000 and not (mine & (Atlas.of(model, 1024).triangle >= 0)).any()


def test_the_bust_has_the_colour_of_the_neck(head, model):
    texture = np.zeros((1024, 1024, 3), np.uint8)
    texture[:] = 200, 150, 120
    painted = head.painted(texture)
    changed = (painted != texture).any(axis=2)
    assert (texture == [200, 150, 120]).all() and changed.any()
    seen = painted[changed].astype(float)
    assert np.abs(seen[:, 0] / seen[:, 1] - 200 / 150).max() < 0.05  # lit, not tinted
    assert np.median(seen[:, 0]) > 120


def test_another_model_is_as_it_was(toy_face_model):
    head = WholeHead.of(toy_face_model)
    assert len(head.vertices(toy_face_model.mean_shape)) == len(toy_face_model.mean_shape)
    texture = np.zeros((64, 64, 3), np.uint8)
    assert head.painted(texture) is texture
    assert head.mesh(toy_face_model.mean_shape).triangles.shape == toy_face_model.triangles.shape
    assert shared_parts(toy_face_model).vertex.max() < len(toy_face_model.mean_shape)
