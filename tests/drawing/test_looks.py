"""Each look of a head: what its colours say, and that its light stays while the head turns."""

import numpy as np
import pytest

import deep3d
from deep3d.camera import Pose
from deep3d.cli.drawing import LookChoice
from deep3d.drawing import LOOKS, dressed, in_clay, in_normals, in_photo, in_skin
from deep3d.hair import Hair
from deep3d.mesh import Mesh

SIZE = 96
FRONT = Pose(0, 0, 0)


@pytest.fixture(scope="module")
def model():
    return deep3d.default_face_model()


@pytest.fixture(scope="module")
def grey(model):
    """The mean head without its light: its material is grey."""
    head = in_clay(model, model.mean_shape)
    assert head.mesh.triangles.shape[1] == 3
    return deep3d.RelightableHead.of_maps(
        model, model.mean_shape, *(np.full((256, 256, *more), 120, np.uint8) for more in ((3,), (), ()))
    )


def middle(picture):
    """The mean colour of the face (3,)."""
    return picture[SIZE * 4 // 10 : SIZE * 6 // 10, SIZE * 4 // 10 : SIZE * 6 // 10].reshape(-1, 3).mean(axis=0)


def half(picture, left):
    """How bright the left or the right half of a face is."""
    columns = slice(SIZE * 35 // 100, SIZE // 2) if left else slice(SIZE // 2, SIZE * 65 // 100)
    return picture[SIZE * 4 // 10 : SIZE * 6 // 10, columns].mean()


def test_the_command_offers_every_look():
    assert tuple(LookChoice) == LOOKS


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_can_be_put_on(toy_reconstruction, look):
    picture = dressed(toy_reconstruction, look).view(FRONT, 64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert (picture < 250).any(axis=2).mean() > 0.1, "there is a head"


def test_looks_differ(toy_reconstruction):
    pictures = [dressed(toy_reconstruction, look).view(FRONT, 64) for look in LOOKS]
    for number, one in enumerate(pictures):
        assert all((one != other).any() for other in pictures[:number])


def test_an_unknown_look_is_refused(toy_reconstruction):
    with pytest.raises(ValueError, match="choose from photo, clay, skin, normals, relit"):
        dressed(toy_reconstruction, "marble")


def test_the_photo_is_what_is_drawn_without_a_look(model):
    texture = np.full((64, 64, 3), (200, 140, 110), np.uint8)
    mesh = deep3d.WholeHead.of(model).mesh(model.mean_shape)
    expected = deep3d.draw_view(mesh, texture, Pose(30, 0, 0), SIZE)
    np.testing.assert_array_equal(in_photo(mesh, texture, None).view(Pose(30, 0, 0), SIZE), expected)


def test_clay_is_in_one_colour_and_darker_where_less_light_falls(model):
    clay = in_clay(model, model.mean_shape)
    front, back = clay.view(FRONT, SIZE), clay.view(Pose(70, 0, 0), SIZE)
    red, green, blue = middle(front)
    assert red > green > blue
    assert half(front, left=True) > 1.05 * half(front, left=False), "the studio's key light is on the left"
    assert (front != back).any()


def test_normals_are_those_of_the_camera(model):
    head = in_normals(model, model.mean_shape)
    front = head.view(FRONT, SIZE).astype(float)
    assert middle(front)[2] > 200, "the face looks at the camera"
    assert front[SIZE // 2, : SIZE // 2, 0][front[SIZE // 2, : SIZE // 2, 2] < 250].mean() < 127
    turned = head.view(Pose(60, 0, 0), SIZE).astype(float)
    assert middle(turned)[0] < middle(front)[0] + 40 and middle(turned)[2] > 127


def test_skin_has_the_colours_of_the_albedo(model):
    red, green, blue = (
        middle(in_skin(model, model.mean_shape, np.full((64, 64, 3), colour, np.uint8), None).view(FRONT, SIZE))
        for colour in ((200, 90, 90), (90, 200, 90), (90, 90, 200))
    )
    for channel, each in enumerate((red, green, blue)):
        assert np.argmax(each) == channel


def hair_over(model):
    """Brown hair that floats before the face, where nothing hides it."""
    vertices = (
        model.mean_shape.max(axis=0) * [0, 0, 1]
        + [0, 0, 0.1]
        + np.array([[-0.3, -0.3, 0], [0.3, -0.3, 0], [0, 0.3, 0]])
    )
    corners = np.array([[0, 1, 2]], np.int32)
    uv = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], np.float32)
    image = np.full((16, 16, 4), (120, 80, 50, 255), np.uint8)
    return Hair(Mesh(vertices.astype(np.float32), corners, uv, corners), image)


def test_hair_stands_in_the_light_of_the_head(model, grey):
    hair, evened = hair_over(model), np.ones(3)
    warmth = {}
    for name in ("overcast", "sunset"):
        _, shown = deep3d.in_light(grey, name, hair, evened).shown(FRONT)
        assert shown is not None
        red, _, blue = shown.image[0, 0, :3].astype(float)
        warmth[name] = red / max(blue, 1)
    assert warmth["sunset"] > 1.3 * warmth["overcast"]
    assert deep3d.in_light(grey, "night", hair).shown(FRONT)[1] is hair, "without its albedo it is as in the photo"


def test_light_on_hair_stays_where_it_is_while_the_head_turns(model, grey):
    above = deep3d.environment("overcast").copy()
    above[:16] *= 20
    below = above[::-1]
    assert grey.light_on_scalp(above, FRONT).mean() > 2 * grey.light_on_scalp(below, FRONT).mean()
    upside_down = grey.light_on_scalp(below, Pose(0, 0, 180)).mean()
    assert upside_down == pytest.approx(grey.light_on_scalp(above, FRONT).mean(), rel=0.1)
