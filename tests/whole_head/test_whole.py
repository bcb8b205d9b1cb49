import numpy as np
import pytest
from scipy.spatial import KDTree

from deep3d.camera import Pose
from deep3d.drawing.view import draw_view
from deep3d.export.gltf.face import shared_parts
from deep3d.texture import Atlas
from deep3d.texture.atlas import cover
from deep3d.whole_head import USUAL, PartColours, WholeHead
from deep3d.whole_head.painting import mouth_colours
from deep3d.whole_head.parts import BODY, COLLAR


@pytest.fixture(scope="module")
def head(model):
    return WholeHead.of(model)


@pytest.fixture
def person(model):
    return model.neutral_shape(np.random.default_rng(0).normal(size=(1, 80)).astype(np.float32))[0]


def lone_edges(triangles):
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    key, twin = edges @ [1 << 32, 1], edges @ [1, 1 << 32]
    return edges[~np.isin(key, twin)]


def test_the_models_vertices_keep_their_numbers(head, person, model):
    whole = head.vertices(person)
    assert len(whole) > len(person) and np.array_equal(whole[: len(person)], person)
    kept = ~np.isin(model.triangles, head.parts.replaced).all(axis=1)
    assert kept.mean() > 0.9 and np.array_equal(head.triangles[: kept.sum()], model.triangles[kept])
    assert np.array_equal(head.uv[: len(model.uv)], model.uv)


def test_the_neck_has_no_open_end(head, model, person):
    low = model.mean_shape[:, 1].min() + 0.05
    open_before = lone_edges(model.triangles)
    assert (model.mean_shape[open_before, 1] < low).all(axis=1).sum() > 50  # the model ends as a tube
    whole = head.vertices(model.mean_shape)
    assert not (whole[lone_edges(head.triangles), 1] < low).any()
    bust = head.parts.triangles[head.parts.triangles.max(axis=1) < len(person) + len(head.parts.light)]
    a, b, c = (head.vertices(person)[bust[:, corner]] for corner in range(3))
    middle = (a + b + c) / 3
    outward = (middle - middle.mean(axis=0)) * np.cross(b - a, c - a)
    body = (np.pad(head.parts.worn, (len(person), 0))[bust] == BODY).all(axis=1)
    assert body.sum() > 1000 and (outward[body].sum(axis=1) > 0).mean() > 0.97


def test_normals_of_the_cut_neck_point_out_of_it(head, model):
    border = np.unique(lone_edges(model.triangles))
    border = border[model.mean_shape[border, 1] < model.mean_shape[:, 1].min() + 0.02]
    out = model.mean_shape[border] - model.mean_shape[border].mean(axis=0)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    cut, whole = model.normals(model.mean_shape[None])[0], head.model_normals(model.mean_shape)
    assert (out * cut[border]).sum(axis=1).min() < 0.1  # those of slivers in the plane of the cut
    assert (out * whole[border]).sum(axis=1).min() > 0.4


def test_the_bust_follows_the_neck(head, model):
    moved = head.vertices(model.mean_shape + np.array([0.2, -0.1, 0.3], np.float32))
    assert np.allclose(moved - head.vertices(model.mean_shape), [0.2, -0.1, 0.3], atol=2e-3)


def test_uvs_of_the_parts_lie_between_the_charts(head, model):
    corners = (head.parts.uv * [1024, -1024] + [-0.5, 1023.5])[head.parts.uv_triangles]
    mine = cover(corners, 1024)[0] >= 0
    charts = Atlas.of(model, 1024).triangle >= 0
    left, bottom, right, top = np.rint(head.parts.palette * 1024).astype(int)
    assert mine.sum() > 10_000 and not (mine & charts).any()
    assert not charts[1024 - top : 1024 - bottom, left:right].any()


def texels(head, worn):
    """(1024, 1024) bool: where the bust wears a part of a shirt, or nothing."""
    count = len(head.face_model.mean_shape)
    bust = head.parts.triangles[head.parts.triangles.max(axis=1) < count + len(head.parts.worn)]
    shown = (np.pad(head.parts.worn, (count, 0))[bust] == worn).all(axis=1)
    corners = head.parts.uv_triangles[: len(bust)][shown]
    return cover((head.parts.uv * [1024, -1024] + [-0.5, 1023.5])[corners], 1024)[0] >= 0


def test_the_neck_goes_on_below_the_border_and_darkens_behind_the_collar(head):
    texture = np.full((1024, 1024, 3), (200, 150, 120), np.uint8)
    painted = head.painted(texture)
    assert (texture == [200, 150, 120]).all()
    seen = painted[texels(head, 0)].astype(float)
    assert np.abs(seen[:, 0] / seen[:, 1] - 200 / 150).max() < 0.05  # shaded, not tinted
    assert seen[:, 0].max() > 190 and seen[:, 0].min() < 110


def test_the_shirt_has_the_colours_of_the_clothes_beside_the_skin(head):
    shirt = PartColours(np.array([[0.9, 0.9, 0.9], [0.1, 0.3, 0.6]], np.float32))
    for brightness in (1.0, 0.5):
        skin = brightness * np.array([200.0, 150, 120])
        texture = np.broadcast_to(skin, (1024, 1024, 3)).astype(np.uint8)
        painted = head.painted(texture, shirt, lit=False)
        for part, expected in zip((COLLAR, BODY), shirt.shirt):
            mean = painted[texels(head, part)].mean(axis=0)
            assert np.allclose(mean, expected * (skin @ [0.3, 0.59, 0.11]), atol=4)
        assert np.allclose(head.part_colours(painted).shirt, shirt.shirt, atol=0.03)
    lit = head.painted(texture, shirt)[texels(head, BODY)].astype(float)
    assert lit.std() > 3 and lit.mean() < painted[texels(head, BODY)].mean()


def test_maps_of_other_things_say_what_a_shirt_has(head):
    rough = np.full((1024, 1024), 90, np.uint8)
    assert (head.filled(rough, (235,))[texels(head, BODY)] == 235).all()
    assert (head.filled(rough)[texels(head, BODY)] == 90).all()


def test_no_neck_comes_through_the_shirt(head, model):
    """Of ten people from behind: nothing red below where green begins."""
    green = PartColours(np.array([[0, 3, 0], [0, 3, 0]], np.float32))
    texture = head.painted(np.full((1024, 1024, 3), (255, 0, 0), np.uint8), green, lit=False)
    for identity in np.random.default_rng(3).normal(size=(10, 80)).astype(np.float32):
        mesh = head.mesh(model.neutral_shape(identity[None])[0])
        for yaw in (120, 150, 180, 210, 240):
            picture = draw_view(mesh, texture, Pose(yaw, 0, 0), 256).astype(int)
            shirt = (picture[..., 1] > 150) & (picture[..., 0] < 100)
            skin = (picture[..., 0] > 150) & (picture[..., 1] < 100)
            below = np.cumsum(shirt, axis=0) > 2
            assert shirt.sum() > 1000 and skin.sum() > 5000 and not (below & skin).any()


def test_gums_tongue_and_lashes_have_their_colours_without_light_too(head):
    """They had that of teeth in albedo.png and base_color.png: cream lashes in every lit viewer."""
    texture = np.full((1024, 1024, 3), (200, 160, 140), np.uint8)
    left, bottom, right, top = np.rint(head.parts.palette * 1024).astype(int)
    rows = head.painted(texture, lit=False)[1024 - top : 1024 - bottom, left:right].astype(int)
    enamel, gums, tongue, lashes = (part[len(part) // 2, -2] for part in np.array_split(rows, 4))
    assert gums[0] > 1.4 * gums[1] and tongue[0] > 1.4 * tongue[1] and enamel[0] < 1.2 * enamel[1]
    assert lashes.max() < 0.5 * enamel.min()
    values = head.filled(texture)[1024 - top : 1024 - bottom, left:right]
    assert (values == [200, 160, 140]).all()


def test_lashes_are_the_strands_of_the_mesh(head, model):
    mesh = head.mesh(model.mean_shape)
    lashes = mesh.triangles[len(mesh.triangles) - mesh.strands :]
    eyes = model.landmarks(model.mean_shape[None])[0][36:48]
    reach = np.abs(mesh.vertices[lashes][..., 1] - eyes[:, 1].mean())
    assert mesh.strands > 500 and reach.max() < 0.25
    assert len(mesh.solid.triangles) + mesh.strands == len(mesh.triangles)


def test_teeth_are_as_bright_as_the_photo_shows_them_but_never_dark(head):
    skin = np.array([190.0, 150, 130])
    shown = mouth_colours(np.tile([225.0, 215, 200], (20, 1)), skin)[0]
    hidden = mouth_colours(np.tile([60.0, 40, 40], (20, 1)), skin)[0]
    dark = mouth_colours(np.tile([60.0, 40, 40], (20, 1)), skin * 0.4)[0]
    assert np.allclose(shown, [225, 215, 200], atol=12)
    assert hidden.min() > 140 and 100 < dark.mean() < hidden.mean()


def test_gums_lie_in_the_shade_of_the_lips():
    """As bright as in full light they are red dots in the corners of a smile."""
    enamel, gums = mouth_colours(np.tile([225.0, 215, 200], (20, 1)), np.array([190.0, 150, 130]))[:2]
    assert 0.2 * enamel.mean() < gums.mean() < 0.5 * enamel.mean()


def test_a_mouth_in_a_grey_photo_is_grey():
    grey = mouth_colours(np.full((9, 3), 200.0), np.full(3, 150.0))
    assert np.ptp(grey[1:], axis=1).max() < 3
    coloured = mouth_colours(np.full((9, 3), 200.0), np.array([190.0, 150, 120]))
    assert (coloured[1:3, 0] > 1.4 * coloured[1:3, 1]).all()  # gums and tongue are red


def test_upper_teeth_stay_when_the_jaw_opens_and_lower_ones_turn_with_it(head, model):
    jaw = model.expression_basis.reshape(64, -1, 3)[model.expression_names.index("jawOpen")]
    moved = np.linalg.norm(head.offsets(jaw), axis=1)[len(model.mean_shape) + len(head.parts.light) :]
    rest = head.parts.vertices[len(head.parts.light) :]
    front = rest[:, 2] > 0.33
    upper, lower = front & (rest[:, 1] > -0.35) & (rest[:, 1] < 0), front & (rest[:, 1] < -0.5)
    assert upper.sum() > 40 and moved[upper].max() < 0.03
    assert lower.sum() > 100 and moved[lower].min() > 0.3


def test_no_tooth_comes_through_a_lip(head, model):
    """In wide smiles the model pulls lips back as far as behind its teeth; here all of them by a centimetre."""
    skin = model.mean_shape.copy()
    skin[head.parts.lips, 2] -= 0.1
    count, bust = len(skin), len(head.parts.light)
    rest, behind = (head.vertices(each)[count:] for each in (model.mean_shape, skin))

    def through(points):
        """Share of the mouth's points that come out of the skin in front of them."""
        teeth = points[head.parts.arch > 0]
        found = KDTree(skin[head.parts.lips, :2]).query(teeth[:, :2], 3, distance_upper_bound=0.04)
        distance, place = np.asarray(found[0]), np.asarray(found[1])
        covered = np.isfinite(distance).all(axis=1)
        return (teeth[covered, 2] > skin[head.parts.lips][np.asarray(place)[covered], 2].mean(axis=1)).mean()

    assert through(rest) > 0.03 and through(behind) < 0.01
    for arch in (1, 2):
        moved = (behind - rest)[head.parts.arch == arch]
        assert np.ptp(moved, axis=0).max() < 1e-4 and -0.15 < moved[0, 2] < -0.02  # as a whole
    assert np.array_equal(behind[:bust], rest[:bust])


def test_lashes_go_with_the_lids(head, model):
    blink = model.expression_basis.reshape(64, -1, 3)[model.expression_names.index("eyeBlink_L")]
    moved = head.offsets(blink)[len(model.mean_shape) :]
    lashes = head.parts.vertices[:, 1] > 0.1
    left = lashes & (head.parts.vertices[:, 0] > 0)
    assert lashes.sum() > 500 and np.median(moved[left, 1]) < -0.05
    assert np.abs(moved[lashes & ~left]).max() < 0.01


def test_another_model_is_as_it_was(toy_face_model):
    head = WholeHead.of(toy_face_model)
    assert len(head.vertices(toy_face_model.mean_shape)) == len(toy_face_model.mean_shape)
    texture = np.zeros((64, 64, 3), np.uint8)
    assert head.painted(texture) is texture and head.filled(texture) is texture
    assert head.part_colours(texture) is USUAL
    assert head.mesh(toy_face_model.mean_shape).triangles.shape == toy_face_model.triangles.shape
    assert shared_parts(toy_face_model).vertex.max() < len(toy_face_model.mean_shape)
