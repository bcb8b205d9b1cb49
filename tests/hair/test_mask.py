from dataclasses import replace

import numpy as np
from scipy import ndimage

from deep3d.dense.layers import CLASSES
from deep3d.hair.guided import Guide
from deep3d.hair.mask import (
    GROUPS,
    HAIR,
    OTHER,
    SKIN,
    HairMask,
    _joined,
    _looked_up,
    _members,
    _prior,
    _refined,
    _share,
)


def naive_guided(picture, mask, radius, smoothness):
    """Equation by equation for one-coloured windows (He, Sun and Tang, 2010, section 3)."""
    size = picture.shape[:2]
    padded = [
        np.pad(each, [(radius, radius), (radius, radius), (0, 0)], mode="edge") for each in (picture, mask[..., None])
    ]
    slopes, offsets = np.zeros((*size, 3)), np.zeros(size)
    for row in range(size[0]):
        for column in range(size[1]):
            window = [
                each[row : row + 2 * radius + 1, column : column + 2 * radius + 1].reshape(-1, each.shape[2])
                for each in padded
            ]
            mean = window[0].mean(axis=0)
            covariance = (window[0] - mean).T @ (window[0] - mean) / len(window[0])
            shared = (window[0] * window[1]).mean(axis=0) - mean * window[1].mean()
            slopes[row, column] = np.linalg.solve(covariance + smoothness * np.eye(3), shared)
            offsets[row, column] = window[1].mean() - slopes[row, column] @ mean
    return slopes, offsets


def test_guided_filter_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    picture, mask = rng.random((14, 15, 3)), rng.random((14, 15))
    slopes, offsets = naive_guided(picture, mask, 2, 0.01)
    filtered = Guide(picture, 2, 0.01)(mask)
    for row, column in ((5, 6), (7, 8)):
        window = slice(row - 2, row + 3), slice(column - 2, column + 3)
        expected = slopes[window].mean(axis=(0, 1)) @ picture[row, column] + offsets[window].mean()
        assert abs(filtered[row, column] - np.clip(expected, 0, 1)) < 1e-3


def test_colours_correct_a_rough_prior():
    size = (128, 128)
    colours = np.full((*size, 3), (0.1, 0.4, 0.8), np.float32)  # wall
    colours[32:112, 40:88] = (0.8, 0.6, 0.5)  # face
    truth = np.zeros(size, bool)
    truth[13:48, 29:99] = True
    colours[truth] = (0.2, 0.12, 0.08)
    prior = np.zeros((*size, 3), np.float32)
    rough = np.zeros(size, bool)
    rough[8:42, 38:112] = True  # too far to one side, too short on the other
    prior[..., HAIR] = 0.8 * rough
    prior[48:112, 40:88, SKIN] = 0.9
    prior[..., 2] = 1 - prior.sum(axis=-1)
    head = np.zeros(size, np.float32)
    head[22:112, 35:93] = 1
    hair, _ = _refined(colours, prior, np.ones(size, bool), head)
    found = hair > 0.5
    overlaps = [(each & truth).sum() / (each | truth).sum() for each in (rough, found)]
    assert overlaps[0] < 0.6 and overlaps[1] > 0.65


def test_hair_that_is_not_joined_to_the_face_is_not_its_own():
    hair, skin = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    skin[15:35, 10:25] = True
    hair[8:15, 10:25] = True
    hair[5:30, 45:55] = True
    joined = _joined(hair, skin)
    assert joined[10, 15] and not joined[10, 50]


def test_maps_are_looked_up_as_between_their_points():
    maps = np.random.default_rng(1).random((2, 112, 112)).astype(np.float32)
    to_crop = np.array([[0.7, 0, 20.3], [0, 0.7, 31.1], [0, 0, 1]])
    rows, columns = np.indices((30, 40))
    places = [((0.7 * index + start) + 0.5) / 2 - 0.5 for index, start in ((rows, 31.1), (columns, 20.3))]
    expected = np.stack([ndimage.map_coordinates(part, places, order=1) for part in maps])
    np.testing.assert_allclose(
        np.moveaxis(_looked_up(np.moveaxis(maps, 0, -1), to_crop, (30, 40)), -1, 0), expected, atol=1e-5
    )


def test_where_the_network_saw_nothing_little_hair_is_expected():
    seen = np.zeros((20, 20, len(GROUPS)), np.float32)
    seen[..., HAIR] = 1  # hair all over
    far = np.array([[1.0, 0, -300], [0, 1, -300], [0, 0, 1]])
    assert _prior(seen, _share(far, (20, 20)))[..., HAIR].max() < 0.2
    here = np.array([[1.0, 0, 80], [0, 1, 80], [0, 0, 1]])
    assert _prior(seen, _share(here, (20, 20)))[..., HAIR].min() > 0.99


def test_hats_are_no_hair_and_beards_are_skin():
    whole = np.ones((4, 4), np.float32)
    for name, part in (("hat", OTHER), ("clothes", OTHER), ("beard", SKIN), ("brows", SKIN), ("hair", HAIR)):
        classes = np.zeros((4, 4, len(CLASSES)), np.float32)
        classes[..., CLASSES.index(name)] = 1
        assert _prior(classes @ _members(), whole)[..., part].min() > 0.99, name


def test_a_mask_tells_hair_head_and_glasses_at_photo_pixels(short):
    glasses = np.zeros_like(short.mask.hair)
    row, column = (int(np.median(each)) for each in np.nonzero(short.mask.skin > 0.5))
    glasses[row, column] = 1
    place = np.array([[column, row], [0, 0]]) * short.mask.step + short.mask.origin
    told = replace(short.mask, glasses=glasses).at(place)
    assert told.round(3).tolist() == [[0, 1, 1], [0, 0, 0]]


def test_beards_and_glasses_count_long_before_they_are_likely():
    """The network gives a beard less than half, and bare skin next to nothing."""
    nothing, step = np.zeros((4, 4), np.float32), 2.0
    beard, glasses = (np.tile(np.array(row, np.float32), (4, 1)) for row in ([0.01, 0.3, 0, 0], [0, 0, 0.3, 0]))
    mask = HairMask(nothing, nothing, nothing == 0, nothing, nothing, beard, glasses, np.zeros(2), step)
    places = np.stack([np.arange(4), np.ones(4)], axis=1) * step
    np.testing.assert_allclose(mask.on_skin(places), [[0, 0], [1, 0], [0, 1], [0, 0]], atol=1e-6)
