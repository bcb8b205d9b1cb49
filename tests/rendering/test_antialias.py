from __future__ import annotations

import numpy as np
import pytest
import torch

from deep3d.errors import ShapeError
from deep3d.rendering.antialias import antialias
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.silhouettes import mesh_edges

RASTERIZER = CpuRasterizer()


def edges_by_dictionary(triangles: np.ndarray) -> dict[tuple[int, int], list[int]]:
    edges: dict[tuple[int, int], list[int]] = {}
    for triangle in triangles.tolist():
        for corner in range(3):
            a, b, c = triangle[corner], triangle[corner - 1], triangle[corner - 2]
            edges.setdefault((min(a, b), max(a, b)), []).append(c)
    return edges


def test_mesh_edges_match_a_dictionary(toy_face_model):
    triangles, count = toy_face_model.triangles, len(toy_face_model.mean_shape)
    found = mesh_edges(triangles, count)
    expected = edges_by_dictionary(triangles)
    assert len(found) == len(expected)
    for a, b, c, d in found.tolist():
        assert sorted(expected[a, b]) == sorted([c] if d < 0 else [c, d])


def disc(corners: int, radius: float, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Clip coordinates (V, 4) and triangles of a disc round (0.03, -0.02) with its centre as vertex 0."""
    angle = np.arange(corners) * 2 * np.pi / corners
    rim = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    places = np.concatenate([np.zeros((1, 2)), rim]) + [0.03, -0.02]
    clip = np.column_stack([places, np.full(len(places), depth), np.ones(len(places))]).astype(np.float32)
    number = np.arange(corners)
    return clip, np.stack([0 * number, number + 1, (number + 1) % corners + 1], axis=1).astype(np.int32)


def coverage(clip: np.ndarray, triangles: np.ndarray, size: int, samples: int = 16) -> np.ndarray:
    """The share of each pixel that is covered, by drawing `samples` squared places in it."""
    fine = RASTERIZER.rasterize(clip[None], triangles, (size * samples, size * samples)).triangle[0] >= 0
    return fine.reshape(size, samples, size, samples).mean(axis=(1, 3))


@pytest.mark.parametrize("corners", [7, 60, 2000])  # from long edges to ones much smaller than a pixel
def test_mask_comes_near_true_coverage(corners):
    clip, triangles = disc(corners, 0.8, 0.0)
    fragments = RASTERIZER.rasterize(clip[None], triangles, (48, 48))
    covered = (fragments.triangle >= 0).astype(np.float32)[..., None]
    smooth = antialias(covered, fragments, clip[None], triangles)[0, ..., 0]
    truth = coverage(clip, triangles, 48)
    assert abs(smooth - truth).sum() < 0.15 * abs(covered[0, ..., 0] - truth).sum()
    assert smooth.min() >= 0 and smooth.max() <= 1


def test_a_vertical_edge_blends_by_the_exact_share():
    """The edge at 3.7 pixels past the left border leaves pixel 3 covered by 0.7 and keeps all others as they are."""
    right = 3.7 * 2 / 8 - 1
    clip = np.array([[[-2, -2, 0, 1], [right, -2, 0, 1], [right, 2, 0, 1], [-2, 2, 0, 1]]], np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    fragments = RASTERIZER.rasterize(clip, triangles, (5, 8))
    covered = (fragments.triangle >= 0).astype(np.float32)[..., None]
    smooth = antialias(covered, fragments, clip, triangles)[0, ..., 0]
    np.testing.assert_allclose(smooth, np.tile([1, 1, 1, 0.7, 0, 0, 0, 0], (5, 1)), atol=1e-5)


def test_edges_between_neighbours_and_hidden_edges_leave_the_picture_alone():
    near, near_triangles = disc(30, 0.9, -0.5)
    far, far_triangles = disc(9, 0.4, 0.5)
    clip = np.concatenate([near, far])[None]
    triangles = np.concatenate([near_triangles, far_triangles + len(near)])
    fragments = RASTERIZER.rasterize(clip, triangles, (40, 40))
    inside = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, 40)] * 2)) < 0.8
    noise = np.random.default_rng(0).random((1, 40, 40, 3)).astype(np.float32)
    smooth = antialias(noise, fragments, clip, triangles)
    np.testing.assert_array_equal(smooth[0, inside], noise[0, inside])
    assert (smooth != noise).any()


def test_an_edge_before_another_surface_blends_with_it():
    near, near_triangles = disc(40, 0.4, -0.5)
    far, far_triangles = disc(30, 0.9, 0.5)
    clip = np.concatenate([far, near])[None]
    triangles = np.concatenate([far_triangles, near_triangles + len(far)])
    fragments = RASTERIZER.rasterize(clip, triangles, (40, 40))
    is_near = (fragments.triangle >= len(far_triangles)).astype(np.float32)[..., None]
    smooth = antialias(is_near, fragments, clip, triangles)[0, ..., 0]
    truth = coverage(near, near_triangles, 40)
    assert abs(smooth - truth).sum() < 0.15 * abs(is_near[0, ..., 0] - truth).sum()


def test_torch_gives_what_numpy_gives():
    clip, triangles = disc(50, 0.7, 0.1)
    clips = np.stack([clip, clip * np.array([0.5, 0.7, 1, 1], np.float32)])
    picture = np.random.default_rng(1).random((2, 20, 30, 3)).astype(np.float32)
    fragments = RASTERIZER.rasterize(clips, triangles, (20, 30))
    expected = antialias(picture, fragments, clips, triangles)
    tensors = torch.from_numpy(clips), torch.from_numpy(triangles)
    fragments = RASTERIZER.rasterize(*tensors, (20, 30))
    smooth = antialias(torch.from_numpy(picture), fragments, *tensors)
    np.testing.assert_allclose(smooth.numpy(), expected, atol=1e-6)


def test_corners_behind_the_camera_and_far_outside_do_no_harm():
    odd = [[0, 0, 0, -1], [np.nan, 0, 0, 1], [1e38, -1e38, 0, 1e-30], [1e30, 1e30, 0, 1]]
    clip = np.array([[[-0.5, -0.5, 0, 1], [0.5, -0.5, 0, 1], [0, 0.5, 0, 1], *odd]], np.float32)
    triangles = np.array([[0, 1, 2], *([a, b, bad] for bad in range(3, 7) for a, b in ((0, 1), (1, 2)))], np.int32)
    fragments = RASTERIZER.rasterize(clip, triangles, (16, 16))
    picture = np.ones((1, 16, 16, 3), np.float32)
    np.testing.assert_array_equal(antialias(picture, fragments, clip, triangles), picture)


def test_errors_name_the_argument():
    clip, triangles = disc(5, 0.5, 0.0)
    fragments = RASTERIZER.rasterize(clip[None], triangles, (6, 5))
    picture = np.zeros((1, 6, 5, 3), np.float32)
    with pytest.raises(ShapeError, match=r"picture: expected shape \(1, 6, 5, C\), got \(1, 5, 6, 3\)"):
        antialias(picture.transpose(0, 2, 1, 3), fragments, clip[None], triangles)
    with pytest.raises(ShapeError, match=r"clip: expected shape \(1, V, 4\), got \(2, 6, 4\)"):
        antialias(picture, fragments, np.stack([clip, clip]), triangles)
    with pytest.raises(ShapeError, match=r"triangles: expected indices in 0..5, got 1..6"):
        antialias(picture, fragments, clip[None], triangles + 1)
