# pyright: reportOptionalMemberAccess=false
import numpy as np

from deep3d.hair import Sight, make_hair
from deep3d.hair.grid import POINTS
from deep3d.hair.light import LIMITS, light_on_hair, light_on_skin, normals_of
from deep3d.hair.shell import heights
from deep3d.texture.light import fallen_light, light_slope


def outer_of(short):
    return short.head().skin + heights(short.fields, short.hair.ears)[:, None] * short.head().directions


def test_a_slope_is_found_again_where_enough_is_seen():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(500, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    slope = np.array([0.3, 0.2, -0.1])
    seen = (normals[:, 2] > 0).astype(float)
    np.testing.assert_allclose(light_slope(normals @ slope + 4, normals, seen, 0.0), slope, atol=1e-6)
    doubted = light_slope(normals @ slope + 4, normals, seen, 10.0)
    assert np.linalg.norm(doubted) < 0.1 * np.linalg.norm(slope)
    assert not light_slope(normals @ slope, normals, 0 * seen, 0.1).any()


def test_light_is_even_on_average_where_it_is_seen_and_limited():
    rng = np.random.default_rng(0)
    normals, weight = rng.normal(size=(500, 3)), rng.random(500)
    light = fallen_light(np.array([0.1, 0, 0]), normals, weight, (-9, 9))
    assert abs(weight @ light) < 1e-3 * weight.sum()
    light = fallen_light(np.array([5.0, 0, 0]), normals, weight, (-0.5, 0.2))
    assert light.min() >= -0.5 and light.max() <= np.float32(0.2)


def test_hair_behind_is_lit_from_the_side_that_lights_the_face(short):
    """It went on as bright as the hair that is seen, so that heads were lit from everywhere behind."""
    columns = np.arange(short.photo.shape[1])
    dimmed = short.photo * (0.55 + 0.45 * np.clip((columns - 130) / 160, 0, 1))[None, :, None]
    made = make_hair([Sight(dimmed.astype(np.uint8), short.mask, short.vertices, short.matrix)], short.model)
    sides = []
    size = len(made.image)
    rows, columns = (np.indices((size, size)) + 0.5) / size - 0.5
    around, radius = np.arctan2(columns, -rows), np.hypot(rows, columns)
    for side in (1, -1):
        behind = (made.image[..., 3] > 200) & (radius > 0.2) & (abs(around * side + 2.4 - np.pi) < 0.4)
        sides.append(float(made.image[behind][:, :3].mean()))
    assert max(sides) > 1.15 * min(sides)


def test_bright_rims_do_not_brighten_what_lies_behind(short):
    """Dark hair lit from both sides came out white behind."""
    outer = outer_of(short)
    normals = normals_of(outer, 1.5)
    seen = (normals[:, 2] > 0.1).astype(float)
    light = light_on_hair(4 - 0.6 * normals[:, 2], seen, outer, np.array([0, 0, -0.6]))
    assert light[normals[:, 2] < -0.5].max() < 0.1


def test_even_light_leaves_hair_as_it_is(short):
    outer = outer_of(short)
    small = np.full((*short.mask.hair.shape, 3), 120, np.float32)
    on_skin = light_on_skin(small, short.mask, short.head())
    assert np.abs(on_skin).max() < 1e-3
    light = light_on_hair(np.full(POINTS, 4.0), np.ones(POINTS), outer, on_skin)
    assert np.abs(light).max() < 0.01 < LIMITS[1]


def test_normals_point_out_of_the_head(short):
    normals = normals_of(outer_of(short), 1.5)
    assert ((normals * short.head().directions).sum(axis=1) > 0).mean() > 0.95
