"""Eyes in another light: a lamp shows where it is mirrored, and nowhere behind a lid."""

import numpy as np
import pytest

from deep3d.camera import Pose
from deep3d.material import RelightableHead
from deep3d.material.environments import looked_up, sphere
from deep3d.material.eyes import EyeTexels
from deep3d.texture.skin_colour import eyeballs

SIZE = 256


@pytest.fixture(scope="module")
def grey(open_model):
    """The mean head in a dark grey that shines nowhere but on its eyes."""
    maps = [np.full((SIZE, SIZE, *more), value, np.uint8) for more, value in (((3,), 40), ((), 255), ((), 0))]
    return RelightableHead.of_maps(open_model, open_model.mean_shape, *maps)


def lamp(side):
    """A small lamp before the head, to the left or right and a little above: a panorama."""
    toward = np.array([side, 0.4, 1.0]) / np.linalg.norm([side, 0.4, 1.0])
    return (0.05 + 60 * (sphere(64, 128) @ toward > 0.98))[..., None].repeat(3, axis=2).astype(np.float32)


def test_directions_are_found_in_a_panorama():
    directions = sphere(32, 64)
    panorama = np.maximum(directions, 0).astype(np.float32)
    some = directions[4:28:3, ::5].reshape(-1, 3)
    np.testing.assert_allclose(looked_up(panorama, some), np.maximum(some, 0), atol=1e-4)
    seam = np.array([[-1.0, 0.0, 0.0]])  # where the first column meets the last
    assert looked_up(directions[..., :1].repeat(3, axis=2), seam)[0, 0] == pytest.approx(-1, abs=0.01)


def test_a_lamp_is_mirrored_on_its_own_side_of_the_eye(grey, open_model):
    texels = EyeTexels.of(open_model, SIZE)
    right_eye = texels.between(open_model.mean_shape)[:, 0] > 0
    middle = texels.between(open_model.mean_shape)[right_eye, 0].mean()
    places = []
    for side in (-0.8, 0.8):
        light = grey.texture(lamp(side), Pose(0, 0, 0)).reshape(-1, 3)[texels.places[right_eye], 1].astype(float)
        bright = light > light.max() - 20
        assert light.max() > np.median(light) + 40  # a highlight, and small
        assert bright.mean() < 0.1
        places.append(texels.between(open_model.mean_shape)[right_eye][bright, 0].mean())
    assert places[0] < middle < places[1]


def test_the_highlight_stays_with_the_lamp_when_the_head_turns(grey, open_model):
    texels = EyeTexels.of(open_model, SIZE)
    own = texels.between(open_model.mean_shape)[:, 0]

    def place(yaw):
        light = grey.texture(lamp(0.0), Pose(yaw, 0, 0)).reshape(-1, 3)[texels.places, 1].astype(float)
        bright = (light > light.max() - 20) & (own > 0)
        return own[bright].mean()

    assert place(-15) > place(15)  # it moves against the turn of the eyeball


def test_what_lids_hide_mirrors_nothing(grey, open_model):
    texels = EyeTexels.of(open_model, SIZE)
    points = texels.between(open_model.mean_shape)
    light = grey.texture(lamp(0.0), Pose(0, 0, 0)).reshape(-1, 3)[texels.places, 1].astype(float)
    high = points[:, 1] > np.percentile(points[:, 1], 90)  # under the upper lids
    assert light[high].max() < light.max() - 40
    assert open_model.derived(eyeballs)[texels.corners].all()
