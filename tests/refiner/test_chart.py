"""What a photo looks like on the chart of a face."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deep3d.camera import DEEP3D_CAMERA, Camera, place, project
from deep3d.refiner.chart import CHART_SIZE, brighten


def points_of(chart, vertices: np.ndarray) -> np.ndarray:
    """The chart's points (S, S, 3) on vertices (V, 3)."""
    return np.einsum("pk,pkd->pd", chart.weights, vertices[chart.corners]).reshape(CHART_SIZE, CHART_SIZE, 3)


def test_every_place_shows_a_point_of_the_face(chart):
    assert_allclose(chart.weights.sum(axis=1), 1, atol=1e-5)
    assert chart.weights.min() > -1e-4
    assert chart.corners.min() >= 0


def test_landmarks_lie_at_their_places(model, chart, vertices):
    points = points_of(chart, model.mean_shape)
    column, row = np.rint(chart.places).astype(int).clip(0, CHART_SIZE - 1).T
    distance = np.linalg.norm(points[row, column] - model.mean_shape[list(vertices)], axis=1)
    assert np.median(distance) < 0.01  # decimetres: a place is some 1.5 mm wide
    assert np.quantile(distance, 0.9) < 0.04  # lips and lids hide what lies behind them


@pytest.mark.parametrize("camera", [DEEP3D_CAMERA, Camera(600.0, 100.0, 120.0, 7.0)])
def test_colours_are_those_of_the_photo_where_the_points_are_seen(model, chart, camera):
    rows, columns = np.mgrid[:224, :224]
    crop = np.stack([columns, rows, np.full_like(rows, 99)], axis=2).astype(np.uint8)
    placed = place(model.mean_shape[None], np.array([[0.1, 0.4, -0.2]]), np.array([[0.05, -0.1, 0.3]]))[0]

    unwrapped = chart.unwrap(crop, placed, camera)

    seen = project(points_of(chart, placed)[None].reshape(1, -1, 3), camera)[0].T.reshape(2, CHART_SIZE, CHART_SIZE)
    assert_allclose((unwrapped[:2] + 0.45) * 255, seen.clip(0, 223), atol=0.02)
    assert_allclose((unwrapped[2] + 0.45) * 255, 99, atol=0.02)


def test_normals_turn_with_the_head(model, chart):
    crop = np.zeros((224, 224, 3), np.uint8)
    inner = slice(30, 98), slice(30, 98)
    for yaw in (0.0, 0.8):
        turned = place(model.mean_shape[None], np.array([[0.0, yaw, 0.0]]), np.zeros((1, 3)))[0]
        normals = chart.unwrap(crop, turned, DEEP3D_CAMERA)[(slice(3, 6), *inner)] / 0.3
        assert_allclose(np.linalg.norm(normals, axis=0), 1, atol=1e-3)
        mean = normals.mean(axis=(1, 2))
        assert abs(np.arctan2(mean[0], mean[2]) - yaw) < 0.1


def test_vertices_are_seen_by_the_camera_of_their_own_face(model, chart):
    faces = np.stack([model.mean_shape, 1.1 * model.mean_shape])
    cameras = [DEEP3D_CAMERA, Camera(focal_length_px=700.0, distance=8.0)]
    seen = chart.seen(faces, cameras)
    for face, camera, pixels in zip(faces, cameras, seen):
        assert_allclose(pixels, project(face[None, chart.vertices], camera)[0])


def test_a_chart_of_what_it_needs_shows_the_same(model, chart):
    crop = np.random.default_rng(3).integers(0, 256, (224, 224, 3), np.uint8)
    needed = chart.needed
    part, few = model.mean_shape[needed], chart.among(needed)
    assert len(needed) < len(model.mean_shape) / 2
    assert_array_equal(few.unwrap(crop, part, DEEP3D_CAMERA), chart.unwrap(crop, model.mean_shape, DEEP3D_CAMERA))
    assert_array_equal(few.seen(part[None], [DEEP3D_CAMERA]), chart.seen(model.mean_shape[None], [DEEP3D_CAMERA]))


def test_a_mesh_that_ends_before_the_outline_still_shows_what_is_beyond(model, chart):
    """A head in profile before a white wall, black as far as the mesh reaches: from its surface alone, all is black."""
    placed = place(model.mean_shape[None], np.array([[0.0, np.pi / 2, 0.0]]), np.zeros((1, 3)))[0]
    seen = project(placed[None], DEEP3D_CAMERA)[0]
    crop = np.full((224, 224, 3), 255, np.uint8)
    outline = np.array([seen[np.abs(seen[:, 1] - row) < 1.5, 0].max(initial=0) for row in range(224)])
    crop[np.arange(224) < outline[:, None] + 1.5] = 0
    brows_to_lips = slice(int(chart.places[17:27, 1].max()), int(chart.places[48:60, 1].min()))
    on_surface, outside = np.split(chart.unwrap(crop, placed, DEEP3D_CAMERA)[[0, 6], brows_to_lips] + 0.45, 2)
    assert on_surface.max() < 0.3
    assert outside.max() > 0.9


def test_dark_faces_are_brightened_and_others_left_alone(model, chart):
    colours = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    bright, dark, black = (
        chart.unwrap((colours * factor).astype(np.uint8), model.mean_shape, DEEP3D_CAMERA) for factor in (1.0, 0.2, 0.0)
    )
    charts = np.stack([bright, dark, black])
    brighten(charts)
    assert_allclose(charts[0], bright)
    middle = charts[1][:3, 30:98, 30:98] + 0.45
    assert middle.mean() == pytest.approx(0.35, abs=1e-3) and middle.max() <= 1
    assert_allclose(charts[1][3:6], dark[3:6])
    assert charts[1][6:].mean() > dark[6:].mean() + 0.1
    assert_allclose(charts[2], black, atol=1e-6)
