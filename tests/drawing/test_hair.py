import numpy as np
import pytest

from deep3d import Hair, Mesh, Pose, draw_view
from deep3d.drawing.hair import shown_depth

SIZE = 128


def square(low, high, depth, u):
    """Corners (4, 3) of an upright square at a depth, and their UVs (4, 2), all of the same u."""
    corners = np.array([[low, low, depth], [high, low, depth], [high, high, depth], [low, high, depth]], np.float32)
    return corners, np.column_stack([np.full(4, u), np.linspace(0.2, 0.8, 4)]).astype(np.float32)


def joined(*squares):
    """One mesh of squares."""
    square_triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    triangles = np.concatenate([square_triangles + 4 * k for k in range(len(squares))])
    corners, uv = (np.concatenate(parts) for parts in zip(*squares, strict=True))
    return Mesh(corners, triangles, uv, triangles)


@pytest.mark.parametrize("edge", [0.013, 0.02, 0.027, 0.031])
def test_a_clear_border_shows_nothing_of_what_lies_behind_the_head(edge):
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, 4:, 3] = 255  # clear on the left, black on the right
    hair = Hair(joined(square(edge - 0.4, edge, 0.5, 0.2), square(-0.9, 0.9, -0.5, 0.8)), image)
    head, white = joined(square(-0.9, 0.9, 0.0, 0.5)), np.full((8, 8, 3), 255, np.uint8)
    picture = draw_view(head, white, Pose(0, 0, 0), SIZE, (255, 255, 255), hair)
    middle = picture[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4]
    assert middle.min() > 250


def test_hair_seen_from_within_ends_as_softly_as_from_outside():
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :, 3] = np.linspace(255, 0, 8)[:, None]
    far = joined(square(-0.5, 0.5, 0.0, 0.5))
    turned = Hair(Mesh(far.vertices, far.triangles[:, ::-1], far.uv, far.uv_triangles[:, ::-1]), image)
    head, white = joined(square(-0.9, -0.8, -0.5, 0.5)), np.full((8, 8, 3), 255, np.uint8)
    shown = [draw_view(head, white, Pose(0, 0, 0), SIZE, (255, 255, 255), each) for each in (Hair(far, image), turned)]
    assert shown[0].min() < 100
    assert np.abs(shown[0].astype(int) - shown[1]).max() < 20


def test_depth_of_what_a_pixel_shows():
    depth = np.array([[np.inf, 3.0, 3.0], [np.inf, 1.0, 9.0]])
    opacity = np.array([[0.0, 1.0, 1.0], [0.0, 0.2, 1.0]])
    assert shown_depth(depth, opacity).tolist() == [[3.0, 3.0, 3.0], [1.0, 9.0, 9.0]]
