import numpy as np

from deep3d.texture.background import background
from deep3d.texture.view import distance_to

SIDE, PIXEL = 120, 0.02  # pixels, and decimetres in one
SKIN, WALL, CURTAIN = [190, 130, 110], [225, 215, 120], [30, 40, 80]


def pictured(crown: int) -> tuple[np.ndarray, np.ndarray]:
    """A head from row `crown` down before a wall, between two curtains, and where a mesh with a higher crown lies."""
    picture = np.empty((SIDE, SIDE, 3))
    picture[:] = WALL
    picture[:crown, 30:40] = picture[:crown, 80:90] = CURTAIN
    picture[crown:100, 40:80] = SKIN
    on_mesh = np.zeros((SIDE, SIDE), bool)
    on_mesh[:100, 40:80] = True
    return picture + np.random.default_rng(0).normal(0, 3, picture.shape), on_mesh


def test_a_piece_of_wall_above_a_low_crown_is_no_hair():
    """Given a wall that is seen above the crown, though curtains part it from what surely lies behind."""
    crown = 25
    picture, on_mesh = pictured(crown)
    inside = distance_to(np.pad(~on_mesh, 1, constant_values=True))[1:-1, 1:-1] * PIXEL
    mask = background(picture, np.full(on_mesh.shape, 0.15, np.float32), inside, distance_to(on_mesh) * PIXEL)
    assert mask[: crown - 1, 42:78].mean() > 0.95
    assert mask[crown + 1 : 99, 42:78].mean() < 0.05
