import numpy as np

from deep3d.material.directions import even_directions, real_harmonics
from deep3d.material.transfer import compute_transfer, visibility


def test_harmonics_are_orthonormal():
    directions = even_directions(4000)
    functions = real_harmonics(directions).astype(np.float64)
    assert np.abs(functions.T @ functions * (4 * np.pi / 4000) - np.eye(25)).max() < 1e-3


def test_harmonics_of_the_first_bands_are_the_textbook_ones():
    directions = even_directions(50)
    x, y, z = directions.T
    functions = real_harmonics(directions)
    assert np.allclose(functions[:, 0], 0.2820948)
    assert np.allclose(functions[:, 1:4], 0.4886025 * np.stack([y, z, x], axis=1), atol=1e-6)
    assert np.allclose(functions[:, 6], 0.3153916 * (3 * z**2 - 1), atol=1e-5)


def test_a_ball_hides_nothing_of_itself_and_half_of_the_sky():
    import trimesh

    ball = trimesh.creation.icosphere(3)
    normals = np.array(ball.vertices)
    transfer = compute_transfer(np.array(ball.vertices), normals, np.array(ball.faces, np.int32))
    expected = transfer.lit.sum(axis=1) * transfer.solid_angle / np.pi
    assert np.abs(expected - 1).max() < 0.05


def test_a_nose_casts_a_shadow_on_the_cheek_away_from_the_lamp(head):
    model = head.face_model
    points = model.landmarks(head.vertices[None])[0]
    lamp = np.array([[1.0, 0.15, 0.35]])
    lamp /= np.linalg.norm(lamp)
    visible = visibility(head.vertices, head.normals, model.triangles, lamp)[:, 0]
    nose = points[31]  # at the wing on the picture's left, away from the lamp
    beside = np.linalg.norm(head.vertices - (nose + [-0.06, 0.02, 0]), axis=1) < 0.06
    other = np.linalg.norm(head.vertices - (points[35] + [0.1, 0.05, 0]), axis=1) < 0.06
    facing = head.normals @ lamp[0] > 0.05
    assert visible[other & facing].mean() > 0.8
    assert visible[beside].mean() < 0.3


def test_a_turned_light_is_the_same_light(paint):
    from deep3d.camera import rotation_matrix
    from deep3d.material import separate

    light = separate(paint().face, 256).separated.light
    turn = rotation_matrix(np.array([[0.3, -0.7, 0.2]], np.float32))[0]
    directions = even_directions(300)
    before, after = light.radiance(directions), light.turned(turn).radiance(directions @ turn.T)
    assert np.abs(before - after).max() < 0.1 * before.max()
