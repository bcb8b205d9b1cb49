"""Three photos of made-up people, from the front and from both sides: each shows what the others do not."""

# pyright: reportOptionalMemberAccess=false
from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import Pose
from deep3d.hair import make_hair

FRONT, BEHIND, DIM = (60, 70, 90), (150, 50, 40), 0.6  # colours of hair, and how bright the photos from the sides are
BORDER = -0.6  # decimetres in model space, behind which hair has the other colour
YAWS = (0.0, 75.0, -75.0)


@pytest.fixture(scope="module")
def people(make_head, cover):
    """Per person the heads in three photos. Hair is of two colours, of which the one behind is not seen in front."""

    def photographed(style, yaw):
        head = make_head(style, yaw)
        behind = head.worn.vertices[head.worn.triangles].mean(axis=1)[:, 2] < BORDER
        far, near = (cover(head.worn.vertices, head.worn.triangles[which], head.pose) for which in (behind, ~behind))
        hair = np.where((far < near)[..., None], BEHIND, FRONT)
        photo = np.where(head.shown[..., None], hair, head.photo) * (DIM if yaw else 1)
        return replace(head, photo=photo.astype(np.uint8))

    rng = np.random.default_rng(5)
    return [[photographed(style, yaw) for yaw in YAWS] for style in rng.normal(size=(3, 12))]


def hair_of(heads):
    return make_hair([head.sight() for head in heads], heads[0].model)


def error(hair, behind):
    """Mean difference of opaque colours from the truth, 0..255, well behind the border or well before it."""
    depth = hair.mesh.vertices[:, 2]
    place = depth < BORDER - 0.1 if behind else depth > BORDER + 0.3
    columns, rows = (hair.mesh.uv[place] * [1, -1] + [0, 1]).T * len(hair.image)
    texels = hair.image[rows.astype(int), columns.astype(int)].astype(float)
    opaque = texels[texels[:, 3] > 200][:, :3]
    return np.abs(opaque - (BEHIND if behind else FRONT)).mean()


def overlap(head, hair, cover, yaw):
    """Intersection over union of the silhouettes of head and hair with the truth."""
    pose = Pose(yaw, 0, 0)
    bare = np.isfinite(cover(head.vertices, head.model.triangles, pose))
    true, found = (bare | np.isfinite(cover(each.vertices, each.triangles, pose)) for each in (head.worn, hair.mesh))
    return (true & found).sum() / (true | found).sum()


def test_other_photos_colour_what_the_first_does_not_show(people):
    """In the light of the first photo, though they are darker."""
    for heads in people:
        alone, together = hair_of(heads[:1]), hair_of(heads)
        assert error(together, behind=True) < 0.3 * error(alone, behind=True)
        assert error(together, behind=False) < error(alone, behind=False) + 3


def test_the_outline_from_a_side_is_better_by_three_photos_than_by_one(people, cover):
    overlaps = [[overlap(heads[0], hair_of(heads[:count]), cover, 90.0) for count in (1, 3)] for heads in people]
    alone, together = np.array(overlaps).T
    assert (together >= alone).all()
    assert together.mean() > alone.mean() + 0.03


def test_a_photo_with_other_hair_is_left_out(make_head):
    """Tied back in one photo and open in the other, or below a hat: one head has one style."""
    short, long = make_head(np.zeros(1)), make_head(np.array([6.0]), 75.0)
    alone, both = make_hair([short.sight()], short.model), make_hair([short.sight(), long.sight()], short.model)
    assert np.array_equal(alone.image, both.image)
    assert np.array_equal(alone.mesh.vertices, both.mesh.vertices)
