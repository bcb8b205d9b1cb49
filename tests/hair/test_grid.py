import numpy as np

from deep3d.hair.grid import COLUMNS, LOWEST, MIDDLE, POINTS, ROWS, UPPER, neighbours, rays


def test_rays_go_from_the_crown_to_the_horizon_and_then_down():
    origins, directions = rays()
    assert np.allclose(np.linalg.norm(directions, axis=-1), 1)
    assert (directions[0, :, 1] > 0.99).all() and np.allclose(directions[UPPER:, :, 1], 0)
    assert np.allclose(origins[:UPPER], MIDDLE) and np.allclose(origins[-1, :, 1], LOWEST)
    assert np.allclose(directions[-1, COLUMNS // 2], [0, 0, 1])


def test_neighbours_are_mutual_and_go_round_the_head():
    ring = neighbours()
    assert ring.shape == (POINTS, 4)
    assert ring[0, 2] == COLUMNS - 1 and ring[COLUMNS - 1, 3] == 0
    inner = np.arange(COLUMNS, (ROWS - 1) * COLUMNS)
    for there, back in ((0, 1), (1, 0), (2, 3), (3, 2)):
        assert (ring[ring[inner, there], back] == inner).all()
