from __future__ import annotations

import numpy as np
import pytest
import torch

from deep3d.errors import ShapeError
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.interface import Fragments
from deep3d.rendering.kernels import fronts

RASTERIZER = CpuRasterizer()


def random_scene(seed: int, dtype=np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of 12 random triangles of all sizes and both windings, some partly outside, w from 0.5 to 3."""
    generator = np.random.default_rng(seed)
    w = generator.uniform(0.5, 3, (2, 20, 1))
    clip = np.concatenate([generator.uniform(-1.3, 1.3, (2, 20, 2)), generator.uniform(-0.9, 0.9, (2, 20, 1))], axis=2)
    clip = np.concatenate([clip * w, w], axis=2).astype(dtype)
    triangles = np.stack([generator.permutation(20)[:3] for _ in range(12)])
    return clip, triangles.astype(np.int32)


def clip_of(screen: list, size: tuple[int, int]) -> np.ndarray:
    """Clip coordinates (1, V, 4) with w = 1 of vertices (column, row, depth) in pixels."""
    places = np.array(screen, np.float32)
    x, y = (places[:, 0] + 0.5) * 2 / size[1] - 1, (places[:, 1] + 0.5) * 2 / size[0] - 1
    return np.stack([x, y, places[:, 2], np.ones_like(x)], axis=1)[None].astype(np.float32)


def rasterize_by_loop(clip: np.ndarray, triangles: np.ndarray, size: tuple[int, int]):
    """Triangle, three weights and depth of each pixel by solving for the point where its ray meets each triangle."""
    height, width = size
    triangle, depth = np.full(size, -1), np.full(size, np.inf)
    weights = np.zeros((*size, 3))
    for row in range(height):
        for column in range(width):
            x, y = (2 * column + 1) / width - 1, (2 * row + 1) / height - 1
            for t, corners in enumerate(clip[triangles].astype(np.float64)):
                # Weights sum to one and their mix of corners projects to (x, y).
                system = np.stack([corners[:, 0] - x * corners[:, 3], corners[:, 1] - y * corners[:, 3], np.ones(3)])
                solution = np.linalg.solve(system, [0, 0, 1])
                point = solution @ corners
                if solution.min() > 0 and point[2] / point[3] < depth[row, column]:
                    triangle[row, column], weights[row, column] = t, solution
                    depth[row, column] = point[2] / point[3]
    return triangle, weights, depth


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["numpy", "float64", "torch"])
@pytest.mark.parametrize("size", [(17, 23), (12, 5), (9, 8), (4, 33)])  # narrower than what is drawn at a time, too
def test_rasterize_and_interpolate_match_a_loop(seed, kind, size):
    clip, triangles = random_scene(seed)
    attributes = np.random.default_rng(seed).normal(size=(2, 20, 5)).astype(np.float32)
    if kind == "float64":
        clip = clip.astype(np.float64)
    if kind == "torch":
        tensors = torch.from_numpy(clip), torch.from_numpy(triangles), torch.from_numpy(attributes)
        fragments = RASTERIZER.rasterize(*tensors[:2], size)
        colors = RASTERIZER.interpolate(tensors[2], fragments, tensors[1])
        fragments = Fragments(fragments.triangle.numpy(), fragments.weights.numpy(), fragments.depth.numpy())
    else:
        fragments = RASTERIZER.rasterize(clip, triangles, size)
        colors = RASTERIZER.interpolate(attributes, fragments, triangles)
    for b in range(2):
        triangle, weights, depth = rasterize_by_loop(clip[b], triangles, size)
        assert (triangle >= 0).any() and (triangle < 0).any()
        np.testing.assert_array_equal(fragments.triangle[b], triangle)
        np.testing.assert_allclose(fragments.weights[b], weights[..., :2], atol=1e-4)
        np.testing.assert_allclose(fragments.depth[b], depth, atol=1e-3)
        expected = (weights[..., None] * attributes[b][triangles[triangle]]).sum(axis=2)
        np.testing.assert_allclose(colors[b], expected, atol=1e-3)


@pytest.mark.parametrize("size", [(4, 0), (0, 4), (1, 1)])
def test_hardly_a_picture(size):
    clip, triangles = random_scene(0)
    assert RASTERIZER.rasterize(clip, triangles, size).weights.shape == (2, *size, 2)


def test_without_triangles_nothing_is_seen():
    fragments = RASTERIZER.rasterize(random_scene(0)[0], np.empty((0, 3), np.int32), (6, 9))
    assert (fragments.triangle == -1).all() and not fragments.weights.any()


def test_row_0_is_at_y_minus_1_and_column_0_at_x_minus_1():
    clip = clip_of([(-0.4, -0.4, 0), (0.9, -0.4, 0), (-0.4, 0.9, 0)], (4, 6))
    triangle = RASTERIZER.rasterize(clip, np.array([[0, 1, 2]], np.int32), (4, 6)).triangle[0]
    assert np.argwhere(triangle == 0).tolist() == [[0, 0]]


def test_interpolation_is_perspective_correct():
    """On a floor that recedes from w = 1 to w = 9, the pixel halfway sees the point at 1/10 of the way, not at 1/2."""
    floor = np.array([[-1, -1, 0, 1], [1, -1, 0, 1], [-9, 9, 0, 9], [9, 9, 0, 9]], np.float32)[None]
    triangles = np.array([[0, 1, 2], [2, 1, 3]], np.int32)
    fragments = RASTERIZER.rasterize(floor, triangles, (101, 101))
    way = RASTERIZER.interpolate(np.array([[[0.0], [0.0], [1.0], [1.0]]], np.float32), fragments, triangles)
    np.testing.assert_allclose(way[0, 50, :, 0], 0.1, atol=1e-5)


def test_nearer_triangle_wins_whatever_the_order_and_the_winding():
    clip = clip_of([(0, 0, 0.5), (9, 0, 0.5), (0, 9, 0.5), (0, 0, -0.5), (9, 0, -0.5), (0, 9, -0.5)], (8, 8))
    for far, near in (([0, 1, 2], [3, 4, 5]), ([0, 2, 1], [3, 5, 4]), ([0, 1, 2], [3, 5, 4])):
        triangles = np.array([far, near], np.int32)
        assert RASTERIZER.rasterize(clip, triangles, (8, 8)).triangle[0, 2, 2] == 1
        assert RASTERIZER.rasterize(clip, triangles[::-1], (8, 8)).triangle[0, 2, 2] == 0


def sphere(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed unit sphere, as (V, 3) vertices and (T, 3) triangles."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, rows)[1:-1], np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    ring = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1).reshape(-1, 3)
    number = np.arange(len(ring)).reshape(rows - 2, columns)
    after = np.roll(number, -1, axis=1)
    a, b, c, d = (part.ravel() for part in (number[:-1], number[1:], after[1:], after[:-1]))
    north, south = np.full(columns, len(ring)), np.full(columns, len(ring) + 1)
    triangles = [(a, b, c), (a, c, d), (north, number[0], after[0]), (south, after[-1], number[-1])]
    vertices = np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]])
    return vertices, np.concatenate([np.stack(corners, axis=1) for corners in triangles]).astype(np.int32)


@pytest.mark.parametrize("size", [16, 97, 300])
def test_closed_surface_has_no_cracks(size):
    vertices, triangles = sphere(90, 60)
    clip = np.concatenate([vertices * 0.8, np.ones((len(vertices), 1))], axis=1)[None].astype(np.float32)
    covered = RASTERIZER.rasterize(clip, triangles, (size, size)).triangle[0] >= 0
    x = (np.arange(size) + 0.5) * 2 / size - 1
    inside = np.hypot(x[None], x[:, None]) < 0.79
    assert covered[inside].all() and not covered[np.hypot(x[None], x[:, None]) > 0.8].any()


def test_neighbouring_triangles_share_no_pixel_and_leave_none():
    """A flat grid whose edges and vertices run through pixel centres, drawn one triangle at a time."""
    generator = np.random.default_rng(5)
    n = 6
    row, column = np.divmod(np.arange((n + 1) ** 2), n + 1)
    places = np.stack([column * 4.0, row * 4.0], axis=1)
    inner = (row % n > 0) & (column % n > 0)
    places[inner] += generator.integers(-2, 3, (inner.sum(), 2)) / 2  # whole and half pixels
    corner = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (p.ravel() for p in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    clip = clip_of(np.column_stack([places, np.zeros(len(places))]).tolist(), (32, 32))
    drawn = sum((RASTERIZER.rasterize(clip, one[None], (32, 32)).triangle[0] == 0).astype(int) for one in triangles)
    expected = np.zeros((32, 32), int)
    expected[: 4 * n, : 4 * n] = 1  # left and top border included, right and bottom border not
    np.testing.assert_array_equal(drawn, expected)


def test_triangles_behind_the_camera_and_broken_ones_are_left_out():
    good = [[-1, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]
    odd = [[0, 0, 0, -1], [0, 0, 0, 0], [np.nan, 0, 0, 1], [np.inf, 0, 0, 1], [1e38, 1e38, 0, 1e-30], [0, 0, -9, 1]]
    clip = np.array([good + odd], np.float32)
    triangles = np.array([[0, 1, 1], *([0, 1, bad] for bad in range(3, 7)), [7, 7, 0], [8, 8, 8]], np.int32)
    assert (RASTERIZER.rasterize(clip, triangles, (8, 8)).triangle == -1).all()
    assert np.isfinite(RASTERIZER.rasterize(clip, np.array([[0, 1, 7]], np.int32), (8, 8)).weights).all()
    assert (RASTERIZER.rasterize(clip, np.array([[0, 1, 2]], np.int32), (8, 8)).triangle == 0).all()


def test_pixels_before_the_near_and_past_the_far_plane_are_left_out():
    clip = clip_of([(-0.5, -0.5, -3), (63.5, -0.5, 3), (-0.5, 3.5, -3), (63.5, 3.5, 3)], (4, 64))
    fragments = RASTERIZER.rasterize(clip, np.array([[0, 1, 2], [2, 1, 3]], np.int32), (4, 64))
    seen = (fragments.triangle[0] >= 0).all(axis=0)
    assert np.flatnonzero(seen).tolist() == list(range(21, 43))  # depth is -3 + 6 * (column + 0.5) / 64
    assert np.isposinf(fragments.depth[0][:, ~seen]).all()


def sample_by_loop(image: np.ndarray, u: float, v: float) -> np.ndarray:
    height, width = image.shape[:2]
    x, y = u * width - 0.5, (1 - v) * height - 0.5
    total = np.zeros(image.shape[2])
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            share = (1 - abs(x - column)) * (1 - abs(y - row))
            total += share * image[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return total


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_texture_matches_a_loop(kind):
    generator = np.random.default_rng(0)
    image = generator.random((2, 5, 7, 3)).astype(np.float32)
    uv = generator.uniform(-0.2, 1.2, (2, 4, 6, 2)).astype(np.float32)
    if kind == "torch":
        colors = RASTERIZER.texture(torch.from_numpy(image), torch.from_numpy(uv)).numpy()
    else:
        colors = RASTERIZER.texture(image, uv)
    expected = [[[sample_by_loop(image[b], *place) for place in row] for row in uv[b]] for b in range(2)]
    np.testing.assert_allclose(colors, expected, atol=1e-5)


def test_texture_has_row_0_at_v_1():
    image = np.array([[[[1.0, 0, 0], [0, 1.0, 0]], [[0, 0, 1.0], [1.0, 1.0, 1.0]]]], np.float32)
    uv = np.array([[[[0, 1], [1, 1]], [[0, 0], [1, 0]]]], np.float32)
    np.testing.assert_array_equal(RASTERIZER.texture(image, uv), image)


def test_texture_takes_bytes_and_survives_what_is_no_number():
    image = np.full((1, 3, 3, 1), 200, np.uint8)
    uv = np.array([[[[np.nan, np.inf], [-np.inf, 0.5]]]], np.float32)
    np.testing.assert_array_equal(RASTERIZER.texture(image, uv), np.full((1, 1, 2, 1), 200, np.float32))


def test_arguments_are_not_written_to_and_may_be_strided_or_read_only():
    clip, triangles = random_scene(7)
    expected = RASTERIZER.rasterize(clip, triangles, (9, 9))
    frozen, strided = clip.copy(), np.repeat(clip, 2, axis=1)[:, ::2]
    frozen.flags.writeable = False
    for same in (frozen, strided):
        np.testing.assert_array_equal(RASTERIZER.rasterize(same, triangles, (9, 9)).triangle, expected.triangle)
    np.testing.assert_array_equal(strided, clip)


def test_shape_errors_name_the_argument_and_its_shape():
    clip, triangles = random_scene(0)
    fragments = RASTERIZER.rasterize(clip, triangles, (5, 6))
    attributes = np.zeros((2, 20, 3), np.float32)
    with pytest.raises(ShapeError, match=r"clip: expected shape \(B, V, 4\), got \(2, 20, 3\)"):
        RASTERIZER.rasterize(attributes, triangles, (5, 6))
    with pytest.raises(ShapeError, match=r"triangles: expected shape \(T, 3\), got \(3, 12\)"):
        RASTERIZER.rasterize(clip, triangles.T, (5, 6))
    with pytest.raises(ShapeError, match=r"triangles: expected indices in 0..9"):
        RASTERIZER.rasterize(clip[:, :10], triangles, (5, 6))
    with pytest.raises(ShapeError, match=r"triangles: expected indices in 0..19, got -1"):
        RASTERIZER.rasterize(clip, triangles * 0 - 1, (5, 6))
    with pytest.raises(ShapeError, match=r"attributes: expected shape \(2, V, C\), got \(1, 20, 3\)"):
        RASTERIZER.interpolate(attributes[:1], fragments, triangles)
    with pytest.raises(ShapeError, match="triangles: expected those of the fragments, got 1"):
        RASTERIZER.interpolate(attributes, fragments, triangles[:1])
    with pytest.raises(ShapeError, match=r"uv: expected shape \(B, H, W, 2\)"):
        RASTERIZER.texture(np.zeros((1, 4, 4, 3), np.float32), attributes)
    with pytest.raises(ShapeError, match=r"image: expected shape \(1, h, w, C\), got \(2, 4, 4, 3\)"):
        RASTERIZER.texture(np.zeros((2, 4, 4, 3), np.float32), np.zeros((1, 5, 6, 2), np.float32))


def test_a_triangle_shows_its_front_when_its_corners_go_round_as_seen_from_outside():
    pixels = np.array([[0, 0], [0, 10], [10, 0]], float)  # down, then right: counter-clockwise on the screen
    triangles = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0], [0, 0, 1]], np.int32)
    assert fronts(pixels, triangles).tolist() == [True, False, True, False]
