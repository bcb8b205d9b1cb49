from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import Camera, Pose, clip_space, depth, place, project
from deep3d.errors import ShapeError
from deep3d.face_model import FaceModel, default_face_model
from deep3d.face_model.components import Components
from deep3d.mesh import vertex_triangles
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.texture import Atlas, extract_texture
from deep3d.texture.atlas import WHOLE, vertex_texels
from deep3d.texture.background import background
from deep3d.texture.compose import Source
from deep3d.texture.extract import _for_hair, _match
from deep3d.texture.fill import spread
from deep3d.texture.hair import Hair, scalp
from deep3d.texture.reflectance import openness
from deep3d.texture.sampling import Picture
from deep3d.texture.skin_colour import front_of_face, neck, skin_likeness

GRID = 41
SIZE = 160
PHOTO = 256
CAMERA = Camera(focal_length_px=900.0, column=127.5, row=127.5, distance=10.0)
GREEN = np.array([0, 255, 0])
SKIN = np.array([200, 140, 120])
BLUE, RED = np.array([40, 60, 220]), np.array([220, 30, 30])


@pytest.fixture(scope="module")
def head(toy_face_model) -> FaceModel:
    """A half ellipsoid with a steep nose, 41 x 41 vertices, whose chart leaves a margin in the atlas."""
    u, v = (grid.ravel() for grid in np.meshgrid(np.linspace(-1, 1, GRID), np.linspace(1, -1, GRID)))
    angle = u * np.pi / 2
    height = v * 0.98
    ring = np.sqrt(1 - height**2)
    nose = 0.55 * np.exp(-((u / 0.08) ** 4) - (v / 0.25) ** 4)
    radius = 0.8 * ring + nose
    shape = np.stack([radius * np.sin(angle), height, radius * np.cos(angle)], axis=1)
    number = np.arange(GRID**2).reshape(GRID, GRID)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    middle = GRID // 2
    landmarks = np.full(68, number[middle, middle])  # the tip of the nose
    landmarks[[0, 16]], landmarks[8] = number[middle, [1, -2]], number[-2, middle]  # ears and chin
    return replace(
        toy_face_model,
        mean_shape=(shape - [0, 0, 0.4]).astype(np.float32),
        mean_albedo=np.tile(SKIN / 255, (GRID**2, 1)).astype(np.float32),
        albedo_components=Components.of(np.zeros((80, 3 * GRID**2), np.float32)),
        triangles=triangles,
        adjacency=vertex_triangles(triangles, GRID**2),
        uv=(0.5 + 0.42 * np.stack([u, v], axis=1)).astype(np.float32),
        uv_triangles=triangles,
        landmark_triangles=np.array([np.flatnonzero((triangles == vertex).any(axis=1))[0] for vertex in landmarks]),
        skin=np.ones(GRID**2, np.float32),
        mirror=number[:, ::-1].ravel().astype(np.int32),
    )


def nose_of(head: FaceModel) -> np.ndarray:
    """Which vertices are on the nose."""
    u, v = ((head.uv - 0.5) / 0.42).T
    return (np.abs(u) < 0.11) & (np.abs(v) < 0.35)


def pose(head: FaceModel, yaw: float, enlarged: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Placed vertices, photo pixels and depths of the head."""
    rotation = Pose(yaw=yaw, pitch=0, roll=0).to_rotation()[None]
    placed = place(head.mean_shape[None] * np.float32(enlarged), rotation, np.zeros((1, 3), np.float32))
    return placed[0], project(placed, CAMERA)[0], depth(placed, CAMERA)[0]


def photograph(head: FaceModel, colours: np.ndarray, yaw: float, size: int = PHOTO) -> np.ndarray:
    """A photo of the head with vertex colours 0..255 on a green background."""
    _, pixels, depths = pose(head, yaw)
    pixels = ((pixels + 0.5) * (size / PHOTO) - 0.5).astype(np.float32)
    clip = clip_space(pixels[None], depths[None], (size, size)).astype(np.float32)
    rasterizer = CpuRasterizer()
    fragments = rasterizer.rasterize(clip, head.triangles, (size, size))
    shown = rasterizer.interpolate(colours.astype(np.float32)[None], fragments, head.triangles)[0]
    return np.where(fragments.triangle[0][..., None] >= 0, shown, GREEN).round().astype(np.uint8)


def pattern(head: FaceModel) -> np.ndarray:
    """Smooth vertex colours, alike on both sides of the face."""
    u, v = ((head.uv - 0.5) / 0.42).T
    waves = np.stack([np.cos(4 * u) + v, np.cos(5 * v + 1), np.cos(3 * u) * v], axis=1)
    return SKIN + 30 * waves * [1, 0.6, 1]


def in_texels(head: FaceModel, values: np.ndarray) -> np.ndarray:
    """Vertex values (V, C) at each texel, NaN between the charts."""
    atlas = Atlas.of(head, SIZE)
    corners = values[head.triangles[atlas.triangle]]
    first = atlas.weights / WHOLE
    weights = np.concatenate([first, 1 - first.sum(axis=2, keepdims=True)], axis=2)
    return np.where((atlas.triangle >= 0)[..., None], (corners * weights[..., None]).sum(axis=2), np.nan)


def shaded(head: FaceModel, colour: np.ndarray) -> np.ndarray:
    """(160, 160, 3) of one colour, in the light of the sky that the head leaves."""
    codes = np.outer(255 * np.exp(openness(head)), np.ones(3))
    return colour * Atlas.of(head, SIZE).paint(codes, head.triangles) / 255


def plain(head: FaceModel, colour: np.ndarray = SKIN) -> np.ndarray:
    """One colour for all vertices, in [0, 1]."""
    return np.tile(colour / 255, (len(head.mean_shape), 1)).astype(np.float32)


def test_every_texel_knows_its_point_of_the_mesh(head):
    size = 24
    atlas = Atlas.of(head, size)
    for row in range(size):
        for column in range(size):
            place_uv = np.array([(column + 0.5) / size, 1 - (row + 0.5) / size])
            inside = np.abs(place_uv - 0.5).max() < 0.42 - 1e-6
            t = atlas.triangle[row, column]
            assert (t >= 0) == inside
            if inside:
                a, b = atlas.weights[row, column] / WHOLE
                assert min(a, b, 1 - a - b) > -1e-4
                corners = head.uv[head.uv_triangles[t]]
                np.testing.assert_allclose([a, b, 1 - a - b] @ corners, place_uv, atol=1e-5)


def test_gutter_takes_the_nearest_texel_of_a_chart(head):
    atlas = Atlas.of(head, 48)
    covered = np.argwhere(atlas.triangle >= 0)
    assert len(atlas.gutter) == 48 * 48 - len(covered)
    for between, source in atlas.gutter:
        here, there = np.array(divmod(between, 48)), np.array(divmod(source, 48))
        nearest = np.linalg.norm(covered - here, axis=1).min()
        assert np.linalg.norm(there - here) <= nearest + 0.5
        assert atlas.triangle.reshape(-1)[source] >= 0


def test_neighbours_are_the_edges_of_the_mesh(head):
    atlas = Atlas.of(head, 24)
    expected = [set() for _ in head.mean_shape]
    for triangle in head.triangles:
        for i in range(3):
            expected[triangle[i]].update({int(triangle[i - 1]), int(triangle[i - 2])})
    assert [set(row[row >= 0].tolist()) for row in atlas.neighbours] == expected


def test_an_atlas_is_built_once_for_a_model_and_a_size(head):
    assert Atlas.of(head, 24) is Atlas.of(head, 24)
    assert Atlas.of(head, 24) is not Atlas.of(head, 32)


def test_spread_solves_laplace_on_the_mesh(head):
    atlas = Atlas.of(head, 24)
    count = len(head.mean_shape)
    known = np.random.default_rng(3).random(count) < 0.05
    values = np.random.default_rng(4).normal(size=(count, 3)).astype(np.float32)
    result = spread(values, known.astype(np.float32), np.zeros_like(values), atlas.neighbours, atlas.conductance)
    system, right = np.zeros((count, count)), np.zeros((count, 3))
    for v, others in enumerate(atlas.neighbours):
        others = others[others >= 0]
        if known[v]:
            system[v, v], right[v] = 1, values[v]
        else:
            system[v, v], system[v, others] = len(others), -1
    np.testing.assert_allclose(result, np.linalg.solve(system, right), atol=0.02)


def test_spread_leaves_parts_without_a_known_vertex_alone():
    neighbours = np.array([[1, -1], [0, 2], [1, -1], [4, -1], [3, -1]], np.int32)
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    known = np.array([1, 0, 0, 0, 0], np.float32)
    result = spread(values, known, np.full((5, 3), -7, np.float32), neighbours, np.ones((5, 2), np.float32))
    np.testing.assert_allclose(result[:3], np.tile(values[0], (3, 1)), atol=1e-4)
    np.testing.assert_array_equal(result[3:], -7)


def test_spread_comes_near_its_anchor_away_from_known_vertices():
    count = 40
    chain = np.column_stack([np.arange(count) - 1, np.append(np.arange(1, count), -1)]).astype(np.int32)
    chain[0] = [1, -1]
    values, known = np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
    values[0], known[0] = 5, 1
    pull = np.where(np.arange(count) < 30, 0.05, 0).astype(np.float32)
    anchors, anchor = np.array([[7, 7, 7], [1, 2, 3.0]]), np.ones(count, np.int32)
    result = spread(values, known, values, chain, np.ones((count, 2), np.float32), anchors, anchor, pull)
    system, right = np.eye(count), np.zeros((count, 3))
    for v, others in enumerate(chain):
        others = others[others >= 0]
        system[v, others] = -1 / len(others) / (1 + pull[v])
        right[v] = pull[v] / (1 + pull[v]) * np.array([1, 2, 3])
    system[0], right[0] = np.eye(count)[0], values[0]
    np.testing.assert_allclose(result, np.linalg.solve(system, right), atol=0.1)
    np.testing.assert_allclose(result[30:], np.tile([1, 2, 3], (10, 1)), atol=0.1)


def test_skin_is_not_black_where_only_hair_is_seen():
    model = default_face_model()
    scalp = (model.skin == 0) & (model.mean_shape[:, 1] > 0.8)
    hair, skin = np.full_like(model.mean_shape, 90), np.full_like(model.mean_shape, 160)
    shown = scalp.astype(np.float32)
    bare = np.ones_like(shown)
    normals = model.normals(model.mean_shape[None])[0]
    _, fill = _match(hair, skin, shown, bare, bare, Hair.seen(hair, shown, model), normals, model, Atlas.of(model, 64))
    assert scalp.sum() > 500
    shown = fill[model.skin > 0.99]
    assert np.median(shown) > 80
    assert shown.min() > 40  # nostrils and the folds of ears


def test_hair_of_the_other_side_is_not_brightened_like_skin():
    """Grey temples of a side in the shade were white on the other one."""
    model = default_face_model()
    gain = np.full_like(model.mean_shape, 1.5)
    hairy = np.zeros((len(gain), 2), np.float32)
    left = model.mean_shape[:, 0] < -0.1
    hairy[left, 0] = 1
    limited = _for_hair(gain, model, hairy)
    right = left[model.mirror]
    np.testing.assert_allclose(limited[right], 1)
    np.testing.assert_allclose(limited[~right], 1.5)
    np.testing.assert_allclose(_for_hair(0.5 * gain, model, hairy), 0.75)
    assert _for_hair(gain, model, None) is gain


def test_skin_that_is_not_seen_is_lit_like_the_face():
    """Necks and bald heads were evenly lit, with a dark band between them and the dark side of a face."""
    model = default_face_model()
    normals = model.normals(model.mean_shape[None])[0]
    shown = ((normals[:, 2] > 0.4) * model.derived(front_of_face)).astype(np.float32)
    even = np.full_like(model.mean_shape, 150)
    fills, ones = [], np.ones_like(shown)
    for light in (0.0, 0.4):
        photo = (even * np.exp(light * normals[:, :1])).astype(np.float32)
        hair = Hair.seen(photo, shown, model)
        fills.append(_match(photo, even, shown, ones, ones, hair, normals, model, Atlas.of(model, 64))[1])
    below = model.derived(neck) > 0.9
    sides = [np.median(fills[1][below & (side * normals[:, 0] > 0.7)]) for side in (1, -1)]
    assert sides[0] > 1.2 * sides[1]
    assert np.ptp(fills[0][below]) < 12


@pytest.mark.parametrize("yaw", [-30.0, 0.0, 20.0])
def test_seen_texels_show_the_photo(head, yaw):
    colours = pattern(head)
    texture = extract_texture(photograph(head, colours, yaw), *pose(head, yaw), head, plain(head), SIZE)
    truth = in_texels(head, colours)
    seen = (texture.weight > 250) & np.isfinite(truth[..., 0])
    assert seen.mean() > 0.15
    error = np.abs(texture.image - truth)[seen]
    assert error.mean() < 1.5
    assert np.quantile(error, 0.99) < 8


@pytest.mark.parametrize("light", [-0.25, 0.25])
def test_unseen_side_is_the_mirrored_photo_under_its_own_light(head, light):
    """The side turned away is the darker one, or the lighter one."""
    yaw = 40.0
    across = head.normals(head.mean_shape[None])[0][:, :1]
    colours = (SKIN + (pattern(head) - SKIN) / 4) * np.exp(light * across)
    texture = extract_texture(photograph(head, colours, yaw), *pose(head, yaw), head, plain(head), SIZE)
    truth = in_texels(head, colours)
    mirrored_weight = texture.weight[:, ::-1]
    filled = (texture.weight == 0) & (mirrored_weight > 250) & np.isfinite(truth[..., 0])
    assert filled.sum() > 500
    assert np.abs(texture.image - truth)[filled].mean() < 14


def test_a_coloured_glare_on_the_near_side_is_not_on_the_far_one(head):
    """Mirrored as it was, it made cheeks bluish, and shine where no light fell."""
    yaw = 40.0
    u, v = ((head.uv - 0.5) / 0.42).T
    glare = np.exp(-(((np.abs(u) - 0.45) / 0.2) ** 2) - (v / 0.3) ** 2)[:, None]
    near = head.mean_shape[:, :1] < 0
    blue = pattern(head) + near * glare * [0, 40, 110]
    texture = extract_texture(photograph(head, blue, yaw), *pose(head, yaw), head, plain(head), SIZE)
    seen, there = in_texels(head, near * glare)[..., 0] > 0.8, in_texels(head, ~near * glare)[..., 0] > 0.8
    assert (texture.weight[seen] > 250).mean() > 0.9
    assert (texture.weight[there] == 0).mean() > 0.3
    filled = there & (texture.weight == 0)
    hidden = (texture.image - in_texels(head, pattern(head)))[filled].mean(axis=0)
    assert hidden[2] - hidden[0] < 0.46 * 110


def test_what_the_nose_hides_does_not_take_its_colour(head):
    nose, yaw = nose_of(head), 60.0
    colours = np.where(nose[:, None], RED, BLUE)
    texture = extract_texture(photograph(head, colours, yaw), *pose(head, yaw), head, plain(head, BLUE), SIZE)
    u = (np.arange(SIZE) + 0.5) / SIZE
    cheeks = (np.abs(u - 0.5) > 0.1) & (np.abs(u - 0.5) < 0.4)
    image = texture.image[:, cheeks].astype(int)
    assert (image[..., 0] < image[..., 2]).all()
    hidden = texture.weight[SIZE // 2, cheeks] == 0
    assert hidden.any() and not hidden.all()


@pytest.mark.parametrize("yaw", [0.0, 35.0, -60.0])
def test_background_never_bleeds_even_if_the_mesh_is_too_large(head, yaw):
    photo = photograph(head, np.tile(SKIN, (len(head.mean_shape), 1)), yaw)
    for enlarged in (1.0, 1.06):
        image = extract_texture(photo, *pose(head, yaw, enlarged), head, plain(head), SIZE).image.astype(int)
        assert np.abs(image - SKIN).max() < 26


def test_fill_takes_the_brightness_of_the_photo(head):
    photo = photograph(head, np.tile(SKIN * 0.5, (len(head.mean_shape), 1)), 0.0)
    texture = extract_texture(photo, *pose(head, 0.0), head, plain(head), SIZE)
    assert (texture.weight == 0).any()
    assert np.abs(texture.image.astype(int) - shaded(head, SKIN * 0.5)).max() < 12


def test_a_face_turned_away_gets_the_model_colours(head):
    yaw = 180.0
    texture = extract_texture(photograph(head, pattern(head), yaw), *pose(head, yaw), head, plain(head), SIZE)
    middle = slice(SIZE // 4, -SIZE // 4)
    assert (texture.weight[middle, middle] == 0).all()
    assert np.abs(texture.image.astype(int) - shaded(head, SKIN))[middle, middle].max() <= 4


def test_a_face_half_outside_the_photo_is_seen_only_inside(head):
    placed, pixels, depths = pose(head, 0.0)
    photo = photograph(head, np.tile(SKIN, (len(head.mean_shape), 1)), 0.0)[:, : PHOTO // 2]
    texture = extract_texture(photo, placed, pixels, depths, head, plain(head), SIZE)
    assert (texture.weight[:, SIZE // 2 + 2 :] == 0).all()
    assert (texture.weight[:, : SIZE // 2] > 250).any()
    assert np.abs(texture.image.astype(int) - SKIN).max() < 25


def test_a_face_wholly_outside_the_photo_gets_the_model_colours(head):
    placed, pixels, depths = pose(head, 0.0)
    photo = np.full((64, 64, 3), 255, np.uint8)
    texture = extract_texture(photo, placed, pixels - 500, depths, head, plain(head), SIZE)
    assert not texture.weight.any()
    assert np.abs(texture.image.astype(int) - shaded(head, SKIN)).max() <= 4


def test_texels_between_charts_repeat_the_chart(head):
    texture = extract_texture(photograph(head, pattern(head), 0.0), *pose(head, 0.0), head, plain(head), SIZE)
    between, source = Atlas.of(head, SIZE).gutter.T
    flat = texture.image.reshape(-1, 3)
    np.testing.assert_array_equal(flat[between], flat[source])


def test_detail_finer_than_texels_is_averaged(head):
    size = 4 * PHOTO
    photo = photograph(head, np.tile(SKIN, (len(head.mean_shape), 1)), 0.0, size)
    board = (np.indices((size, size)).sum(axis=0) % 2 * 80 - 40)[..., None]
    photo = np.where((photo == GREEN).all(axis=2, keepdims=True), photo, photo.astype(int) + board).astype(np.uint8)
    placed, pixels, depths = pose(head, 0.0)
    pixels = (pixels + 0.5) * 4 - 0.5
    texture = extract_texture(photo, placed, pixels, depths, head, plain(head), SIZE)
    assert np.abs(texture.image.astype(int) - SKIN)[texture.weight > 250].max() <= 5


def test_reduced_pictures_keep_their_place():
    rows, columns = np.mgrid[0:40, 0:50]
    ramp = np.stack([columns * 4, rows * 4, columns + rows], axis=-1).astype(np.uint8)
    places = np.array([[20.0, 17.0], [24.25, 12.5], [31.0, 29.75]])
    expected = np.stack([places[:, 0] * 4, places[:, 1] * 4, places.sum(axis=1)], axis=1)
    for step in (1, 2, 3):
        picture = Picture.cut(ramp, 8, 4, 50, 40).reduce(step)
        np.testing.assert_allclose(picture.sample(places), expected, atol=1.01)


def test_background_follows_the_edge_in_the_picture_not_the_outline_of_the_mesh():
    columns = np.broadcast_to(np.arange(100), (60, 100))
    colours = np.where((columns >= 40)[..., None], SKIN, GREEN).astype(np.float32)
    signed = (columns - 30) * 0.02  # the mesh begins ten pixels too far left
    inside, outside = np.maximum(signed, 0), np.maximum(-signed, 0)
    np.testing.assert_array_equal(background(colours, np.full((60, 100), 0.9), inside, outside), columns < 40)


def test_what_lies_beside_the_head_at_the_border_of_the_photo_is_background():
    columns = np.broadcast_to(np.arange(100), (60, 100))
    colours = np.where((columns >= 40)[..., None], SKIN, GREEN).astype(np.float32)
    signed = (columns - 30) * 0.01  # 0.3 decimetres are left beside the mesh
    inside, outside = np.maximum(signed, 0), np.maximum(-signed, 0)
    doubt = np.where(columns > 70, 0.15, 0.9)
    np.testing.assert_array_equal(background(colours, doubt, inside, outside), columns < 40)


def test_neither_ears_nor_neck_vouch_for_what_the_photo_shows_there():
    model = default_face_model()
    front, landmarks = front_of_face(model), model.landmark_vertices
    ears = (np.abs(model.mean_shape[:, 0]) > 0.78) & (model.skin > 0.9)
    neck = (model.mean_shape[:, 1] < model.mean_shape[landmarks[8], 1] - 0.3) & (model.skin > 0.9)
    assert ears.any() and neck.any()
    assert front[ears | neck].max() < 0.1
    assert front[landmarks[17:36]].min() > 0.8  # brows and nose


def arguments_of(head: FaceModel) -> dict[str, np.ndarray]:
    """The arrays that `extract_texture` takes."""
    placed, pixels, depths = pose(head, 0.0)
    photo = photograph(head, pattern(head), 0.0)
    return {"photo": photo, "placed_vertices": placed, "pixels": pixels, "depth": depths, "albedo": plain(head)}


def test_arguments_stay_as_they_were(head):
    arguments = arguments_of(head)
    copies = {name: value.copy() for name, value in arguments.items()}
    extract_texture(**arguments, face_model=head, size=SIZE)
    for name, value in arguments.items():
        np.testing.assert_array_equal(value, copies[name])


@pytest.mark.parametrize("name", ["photo", "placed_vertices", "pixels", "depth", "albedo"])
def test_wrong_shapes_are_named(head, name):
    arguments = arguments_of(head)
    arguments[name] = arguments[name][..., :1]
    with pytest.raises(ShapeError, match=name):
        extract_texture(**arguments, face_model=head, size=SIZE)


def test_a_red_flag_behind_the_ear_is_not_skin():
    """Colours far from those of the face in front are trusted on the front itself, but not on ears and neck."""
    model = default_face_model()
    generator = np.random.default_rng(0)
    colours = np.tile([190.0, 140, 120], (len(model.mean_shape), 1)) * generator.uniform(0.9, 1.1, (len(model.skin), 1))
    ears = (np.abs(model.mean_shape[:, 0]) > 0.78) & (model.skin > 0.9)
    lips = model.landmark_vertices[48:60]
    colours[ears] = 200, 20, 30
    colours[lips] = 150, 40, 60
    trust = skin_likeness(colours, np.ones(len(colours), np.float32), np.zeros(len(colours), np.float32), model)
    assert trust[ears].mean() < 0.1
    assert trust[lips].min() == 1
    above = model.derived(neck) == 0
    assert trust[(model.skin > 0.9) & ~ears & above].mean() > 0.97


def test_a_red_collar_is_no_skin_where_the_jaw_turns_away():
    """It is farther from the face's hue than any light or beard; on the front, where lips are, nothing is judged so."""
    model = default_face_model()
    colours = np.tile([190.0, 140, 120], (len(model.mean_shape), 1))
    jaw = (np.abs(model.mean_shape[:, 0]) > 0.3) & (model.mean_shape[:, 1] < -0.6) & (model.derived(neck) == 0)
    beard = model.mean_shape[:, 0] > 0
    colours[jaw] = np.where(beard[jaw, None], [70, 52, 45], [150, 5, 5])
    jaw &= model.skin > 0.9
    ones, zeros = np.ones(len(colours), np.float32), np.zeros(len(colours), np.float32)
    turned, frontal = (skin_likeness(colours, ones, unsure, model) for unsure in (ones, zeros))
    assert turned[jaw & ~beard].max() < 0.05
    assert turned[jaw & beard].mean() > 0.9 * frontal[jaw & beard].mean()
    assert frontal[jaw & ~beard].mean() > 0.2


def test_a_mask_keeps_the_wall_beside_a_cheek_off_it(head):
    """Where the face turns away, how far it goes back is a guess; in front of the camera, masks are not asked."""
    arguments = arguments_of(head)
    u, v = ((head.uv - 0.5) / 0.42).T
    beside, front = (u > 0.55) & (u < 0.7), (np.abs(u) < 0.3) & (v > 0.4) & (v < 0.6)
    seen = []
    for wrong in (np.zeros_like(beside), beside | front):
        masks = np.stack([np.zeros(len(u)), 1.0 - wrong, np.zeros(len(u))], axis=1).astype(np.float32)
        weight = extract_texture(**arguments, face_model=head, size=SIZE, masks=masks).weight
        at = vertex_texels(head, SIZE)
        seen.append(weight[at[:, 1], at[:, 0]])
    assert seen[0][beside].mean() > 100 and seen[1][beside].mean() < 0.3 * seen[0][beside].mean()
    assert np.abs(seen[1][front].astype(float) - seen[0][front]).mean() < 5


def test_a_side_that_lies_in_hard_shade_is_not_black_where_it_is_hidden():
    """A strip of shade along the nose was taken for the light of the whole other side."""
    model = default_face_model()
    side = model.mean_shape[:, 0]
    colours = np.where(side < 0, 20.0, 190.0)[:, None] * [1, 0.75, 0.65]
    weight = (model.skin * (side > -0.1) * (model.derived(front_of_face) > 0.5)).astype(np.float32)
    lit = np.full((len(side), 3), 150.0)
    normals = model.normals(model.mean_shape[None])[0]
    hair, ones = Hair.seen(colours, weight, model), np.ones_like(weight)
    gain, _ = _match(colours, lit, weight, ones, ones, hair, normals, model, Atlas.of(model, 64))
    cheek = (side < -0.3) & (model.derived(front_of_face) > 0.9)
    assert 0.25 < np.median(gain[cheek]) < 0.7


def test_nothing_on_the_neck_is_taken_from_the_photo():
    """A collar of the colour of skin, pearls, the shadow of the chin: all of it would run down to the shoulders."""
    model = default_face_model()
    colours = np.tile([190.0, 140, 120], (len(model.mean_shape), 1))
    trust = skin_likeness(colours, np.ones(len(colours), np.float32), np.zeros(len(colours), np.float32), model)
    below = model.mean_shape[:, 1] < model.landmarks(model.mean_shape[None])[0][8, 1] - 0.2
    assert trust[below & (model.skin > 0.9)].mean() < 0.4
    assert trust[model.mean_shape[:, 1] < -1.15].max() < 0.05
    assert trust[model.derived(front_of_face) > 0.9].min() > 0.99


def test_a_neck_in_light_from_above_gets_the_colour_of_the_face():
    model = default_face_model()
    normals = model.normals(model.mean_shape[None])[0]
    colours = np.tile(np.array([190.0, 140, 120], np.float32), (len(model.mean_shape), 1))
    low = model.mean_shape[:, 1] < -1.0
    lit = (colours * np.exp(0.3 * normals[:, 1:2])).astype(np.float32)
    weight = (model.skin * (model.derived(front_of_face) > 0.5)).astype(np.float32)
    hair, ones = Hair.seen(lit, weight, model), np.ones_like(weight)
    _, fill = _match(lit, colours, weight, ones, ones, hair, normals, model, Atlas.of(model, 64))
    assert np.median(fill[low & (model.skin > 0.9), 1]) > 0.75 * 140


def test_what_corners_are_sure_of_may_be_asked_of_every_texel(head, monkeypatch):
    """The shortcut changes colours by no more than the share of a texel that is not worth a look."""
    quick = extract_texture(**arguments_of(head), face_model=head, size=SIZE)

    def unsure(position, depth, angle, weight, *others):
        return Source(position, depth, angle, np.zeros_like(weight), *others)

    monkeypatch.setattr("deep3d.texture.extract.Source", unsure)
    slow = extract_texture(**arguments_of(head), face_model=head, size=SIZE)
    assert (quick.weight > 250).mean() > 0.15
    assert np.abs(quick.image.astype(int) - slow.image).mean() < 1
    assert np.abs(quick.weight.astype(int) - slow.weight).mean() < 2


def test_white_hair_becomes_a_brown_nape_without_a_border():
    model = default_face_model()
    top = model.derived(scalp) > 0.5
    colours = np.where(top[:, None], 225.0, np.array([[110.0, 75, 60]])).astype(np.float32)
    weight = (model.mean_shape[:, 2] > -0.1).astype(np.float32)
    lit = np.full_like(colours, 120)
    normals = model.normals(model.mean_shape[None])[0]
    hair, ones = Hair.seen(colours, weight, model), np.ones_like(weight)
    _, fill = _match(colours, lit, weight, ones, ones, hair, normals, model, Atlas.of(model, 64))
    height, behind = model.mean_shape[:, 1], model.mean_shape[:, 2] < -1.1
    bands = [behind & (np.abs(height - level) < 0.05) for level in np.arange(-0.8, 0.8, 0.1)]
    levels = np.array([np.median(fill[band, 0]) for band in bands])
    assert np.median(fill[top & (height > 1), 0]) > 180
    assert levels[0] < 135
    assert np.diff(levels).max() < 25
