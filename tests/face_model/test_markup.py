"""The field's 68 landmarks on the open model, and their jaw on the outline of turned heads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import clip_space, depth, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import FaceModelInvalid
from deep3d.face_model import FaceModel
from deep3d.face_model.markup import MARKUP_FILE, find_markup
from deep3d.files.assets import asset
from deep3d.landmarks import JAW, MIRROR
from deep3d.rendering.cpu import CpuRasterizer


def seen(model: FaceModel, yaw: float, roll: float = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fixed and outline landmarks (68, 2) of the mean face, and where its skin is (224, 224)."""
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.rotation[0] = np.radians([0, yaw, roll])
    placed = place(model.shape(face), face.rotation, face.translation)
    markup = model.markup
    chosen = markup.outline(project(markup.jaw_rows(placed)), face.rotation[:, 2])[0]
    clip = clip_space(project(placed), depth(placed), (224, 224)).astype(np.float32)
    triangle = CpuRasterizer().rasterize(clip, model.triangles, (224, 224)).triangle[0]
    return project(markup.points(placed))[0], project(markup.on_outline(chosen)(placed))[0], triangle >= 0


def test_points_are_symmetric_and_on_their_triangles(model):
    points = model.markup.points(model.mean_shape[None])[0]
    np.testing.assert_allclose(points[list(MIRROR)] * [-1, 1, 1], points, atol=0.01)
    np.testing.assert_array_equal(model.triangles[model.markup.triangles], model.markup.points.corners)
    np.testing.assert_allclose(model.markup.points.weights.sum(axis=1), 1, atol=1e-5)


def test_jaw_begins_at_the_ears_below_mediapipes(model):
    markup, mediapipe = model.markup.points(model.mean_shape[None])[0], model.landmarks(model.mean_shape[None])[0]
    eye = markup[36, 1]
    assert markup[0, 1] < mediapipe[0, 1] - 0.1 and abs(markup[0, 1] - eye) < 0.15
    assert markup[0, 2] < mediapipe[0, 2] - 0.1


def test_rows_begin_at_the_jaw_and_end_near_the_middle(model):
    markup = model.markup
    rows = markup.jaw_rows(model.mean_shape[None])[0].reshape(17, -1, 3)
    np.testing.assert_allclose(rows[:, 0], markup.points(model.mean_shape[None])[0, JAW], atol=1e-5)
    assert (np.abs(rows[:, -1, 0]) < 0.2).all()
    assert (np.abs(np.diff(rows, axis=1)).max(axis=(1, 2)) < 0.25).all()  # no leap to another part of the head


@pytest.mark.parametrize("roll", [0, 30])
@pytest.mark.parametrize("yaw", [-40, 40])
def test_far_jaw_follows_the_outline_and_the_near_one_stays(model, yaw, roll):
    fixed, contour, head = seen(model, yaw, roll)
    far, near = (slice(1, 7), slice(10, 16)) if yaw < 0 else (slice(10, 16), slice(1, 7))
    np.testing.assert_allclose(contour[near], fixed[near], atol=1)
    np.testing.assert_array_equal(contour[17:], fixed[17:])
    outward = np.sign(yaw) * np.array([np.cos(np.radians(roll)), -np.sin(np.radians(roll))])
    assert ((contour[far] - fixed[far]) @ outward).mean() > 3
    beyond = np.rint(contour[far] + 4 * outward).astype(int)
    assert not head[beyond[:, 1], beyond[:, 0]].all()


def test_from_the_front_both_are_one(model):
    fixed, contour, _ = seen(model, 0)
    assert np.linalg.norm(contour - fixed, axis=1).max() < 2.5


def test_another_model_keeps_its_own_landmarks(toy_face_model):
    markup = toy_face_model.markup
    mean = toy_face_model.mean_shape[None]
    np.testing.assert_allclose(markup.points(mean), toy_face_model.landmarks(mean), atol=1e-6)
    np.testing.assert_array_equal(markup.points.nearest, toy_face_model.landmark_vertices)
    assert len(markup.jaw_rows.corners) == 17 * 19


def test_a_model_without_the_triangles_is_refused(toy_face_model):
    name = json.loads(asset("bfm", MARKUP_FILE).read_text(encoding="utf-8"))["face_model"]
    with pytest.raises(FaceModelInvalid, match="triangle of landmark 0 is not in the model"):
        find_markup(replace(toy_face_model, info=replace(toy_face_model.info, name=name)))
