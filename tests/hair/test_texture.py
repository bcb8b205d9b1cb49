# pyright: reportOptionalMemberAccess=false
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deep3d.hair import Sight, make_hair
from deep3d.hair.shell import heights
from deep3d.hair.shown import Shown
from deep3d.hair.strands import PLAIN, curls, look_of, strand_noise
from deep3d.hair.texture import shell_image

HAIR, WALL = np.array([90, 60, 40]), np.array([20, 120, 220])
SKIN = np.array([205, 160, 140])


@pytest.fixture(scope="module")
def made(short):
    return make_hair([Sight(short.photo, short.mask, short.vertices, short.matrix)], short.model)


def test_all_hair_has_the_colour_of_hair_and_none_that_of_the_wall(made):
    opaque = made.image[made.image[..., 3] > 128][:, :3].astype(float)
    assert np.abs(np.median(opaque, axis=0) - HAIR).max() < 12
    assert np.linalg.norm(opaque - WALL, axis=1).min() > 60


def test_it_is_nowhere_flat(made):
    opaque = made.image[..., 3] > 250
    change = np.abs(np.diff(made.image[..., 0].astype(float), axis=1))[opaque[:, 1:] & opaque[:, :-1]]
    back, front = change[: len(change) // 3], change[-len(change) // 3 :]  # v runs up: the back comes first
    assert back.mean() > 0.5
    assert 0.2 < back.mean() / front.mean() < 5


def test_it_ends_softly(made):
    opacity = made.image[..., 3]
    assert ((opacity > 10) & (opacity < 245)).sum() > 500
    assert (opacity[0] == 0).all() and (opacity[:, 0] == 0).all()


def test_the_head_shows_through_where_the_photo_has_bare_skin(short):
    """The shell's border is smooth; where it lay before a forehead it showed pale skin in hair of its own."""
    rows = np.arange(len(short.mask.hair))[:, None]
    first, last = np.flatnonzero(short.mask.hair.any(axis=1))[[0, -1]]
    bare = short.mask.hair * (abs(rows - (first + 0.35 * (last - first))) < 4)
    mask = replace(short.mask, hair=short.mask.hair - bare, skin=short.mask.skin + bare)
    outer = short.head().skin + heights(short.fields, short.hair.ears)[:, None] * short.head().directions
    shown = [
        shell_image([Shown.of(short.photo, each, short.head(), outer)], short.fields)[..., 3] > 200
        for each in (short.mask, mask)
    ]
    assert not (shown[1] & ~shown[0]).any()
    assert 0.02 * shown[0].sum() < (shown[0] & ~shown[1]).sum() < 0.3 * shown[0].sum()


def test_what_is_not_surely_hair_at_its_border_is_left_to_the_head(short):
    """Strands were drawn there, as black marks beside a hairline that is half skin and half hair."""
    border = ndimage.binary_dilation(short.mask.skin > 0.5, iterations=4) & (short.mask.hair > 0.5)
    border &= np.arange(len(border))[:, None] < 100  # above the ears
    hair, skin = np.where(border, 0.3, short.mask.hair), np.where(border, 0.3, short.mask.skin)
    mask = replace(short.mask, hair=hair.astype(np.float32), skin=skin.astype(np.float32))
    outer = short.head().skin + heights(short.fields, short.hair.ears)[:, None] * short.head().directions
    opaque = [
        (shell_image([Shown.of(short.photo, each, short.head(), outer)], short.fields)[..., 3] > 128).sum()
        for each in (short.mask, mask)
    ]
    assert opaque[1] < opaque[0] - 400


def test_a_mask_that_leaks_onto_a_wall_of_one_side_leaves_the_other_in_its_colour(short):
    hair = short.mask.hair.copy()
    columns = np.flatnonzero(hair.any(axis=0))
    hair[30:50, columns[-1] : columns[-1] + 6] = 1
    made = make_hair([Sight(short.photo, replace(short.mask, hair=hair), short.vertices, short.matrix)], short.model)
    opaque = made.image[made.image[..., 3] > 128][:, :3].astype(float)
    assert np.abs(np.median(opaque, axis=0) - HAIR).max() < 15


def test_the_far_side_of_a_turned_head_has_no_skin_of_the_near_one(turned):
    """Hairlines that the photo does not show were pale lines: skin of the other side, in the light of that."""
    made = make_hair([Sight(turned.photo, turned.mask, turned.vertices, turned.matrix)], turned.model)
    opaque = made.image[..., 3] > 128
    skin = np.linalg.norm(made.image[..., :3].astype(float) - SKIN, axis=-1) < 60
    assert (opaque & skin).sum() < 0.004 * opaque.sum()


def test_no_strand_is_brighter_than_the_hair_that_is_seen(short):
    """Where hard light made the hair of one side bright, strands of the contrast of all of it were white streaks."""
    rng = np.random.default_rng(1)
    columns = np.arange(short.photo.shape[1])[None]
    bright = np.where(columns > short.photo.shape[1] / 2, 170, 110)[..., None]
    hair = np.abs(short.photo.astype(int) - HAIR).max(axis=-1, keepdims=True) < 40
    strands = np.minimum(bright * np.exp(rng.normal(0, 0.4, (1, columns.size, 1))), 190)
    photo = np.where(hair, strands, short.photo).astype(np.uint8)
    made = make_hair([Sight(photo, short.mask, short.vertices, short.matrix)], short.model)
    behind = made.image[: len(made.image) // 3][..., :3][made.image[: len(made.image) // 3, :, 3] > 250]
    assert (behind.mean(axis=1) > 215).mean() < 0.002


def test_hats_go_on_without_the_strands_of_the_hair_below(short):
    hem = 100  # row of the mask
    hat = short.mask.hair * (np.arange(len(short.mask.hair))[:, None] < hem)
    rows = np.arange(len(short.photo))[:, None] > short.mask.origin[1] + hem * short.mask.step
    strands = np.exp(np.random.default_rng(2).normal(0, 0.3, (1, short.photo.shape[1], 1)))
    hair = np.abs(short.photo.astype(int) - HAIR).max(axis=-1, keepdims=True) < 40
    photo = np.where(hair, HAIR * np.where(rows[..., None], strands, 1), short.photo).astype(np.uint8)
    images = [
        make_hair([Sight(photo, each, short.vertices, short.matrix)], short.model).image[
            150:240
        ]  # behind, above the ears
        for each in (short.mask, replace(short.mask, hat=hat))
    ]
    changes = [np.abs(np.diff(each[:, 160:350, 0].astype(float), axis=1)) for each in images]
    assert changes[1].mean() < 0.3 * changes[0].mean()


def test_strands_are_spread_evenly_over_all_brightnesses():
    noise = strand_noise()
    assert noise.min() >= 0 and noise.max() < 1
    assert np.abs(np.histogram(noise[0], 10)[0] / noise[0].size - 0.1).max() < 0.01
    along, across = (np.abs(np.diff(noise[0], axis=axis)).mean() for axis in (0, 1))
    assert across > 1.2 * along


def test_a_look_has_the_contrast_of_the_hair_it_is_of():
    rng = np.random.default_rng(0)
    mask = np.ones((60, 60), np.float32)
    calm, wild = (np.full((60, 60, 3), 100) + rng.normal(0, size, (60, 60, 1)) for size in (2, 20))
    ranges = [np.ptp(look_of(each, mask, 1 / 40).palette) for each in (calm, wild)]
    assert ranges[1] > 4 * ranges[0]
    assert look_of(calm, np.zeros((60, 60), np.float32), 1 / 40) is PLAIN


def test_curls_are_repeated_as_large_and_as_even_as_they_are_seen():
    """Behind curls there were smooth blots."""
    rng = np.random.default_rng(3)
    mask, spots = np.ones((80, 80), np.float32), ndimage.gaussian_filter(rng.normal(size=(80, 80)), 1.0)
    curly = 90 * np.exp(0.5 * spots / spots.std())[..., None].repeat(3, axis=2)
    straight = np.tile(curly[40], (80, 1, 1))
    assert [look_of(each, mask, 1 / 60).curled > 0.5 for each in (curly, straight)] == [True, False]
    look = look_of(curly, mask, 1 / 60)
    for texel in (1 / 60, 1 / 120):
        made = curls(look, texel, 256)
        assert np.abs(np.histogram(made, 8, (0, 1))[0] / made.size - 1 / 8).max() < 0.04
        shifted = [np.corrcoef(made[:, :-n].ravel(), made[:, n:].ravel())[0, 1] for n in range(1, 12)]
        reach = np.argmax(np.array(shifted) < 0.5)
        assert 0.6 < (reach + 1) * texel * 60 < 2.6
    assert not curls(look_of(straight, mask, 1 / 60), 1 / 60, 256).any()


def test_strands_are_fine_and_none_is_a_stripe_from_crown_to_tip():
    straight = strand_noise()[0] - 0.5
    far = (straight[:-40] * straight[40:]).mean() / straight.var()
    blurred = ndimage.uniform_filter(straight, (40, 24), mode="wrap")  # pyright: ignore[reportArgumentType]
    wide = blurred.std() / straight.std()
    assert far < 0.1 and wide < 0.35
