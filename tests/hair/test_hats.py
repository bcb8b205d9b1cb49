# pyright: reportOptionalMemberAccess=false
from dataclasses import replace

import numpy as np
import pytest

from deep3d.hair import Sight, make_hair
from deep3d.hair.grid import COLUMNS, ROWS
from deep3d.hair.hats import QUARTER, front_column, repeated, repeated_column, with_whole_hat
from deep3d.hair.shown import colours_of

EARS = 110  # row of the mask


def striped(photo, rng=None):
    """The photo with patches of black and white, 30 pixels wide, where it shows hair; or with strands of as many."""
    hair = np.abs(photo.astype(int) - (90, 60, 40)).max(axis=-1) < 40
    stripes = np.add(*np.indices(photo.shape[:2])) // 15 % 2 if rng is None else rng.random((1, photo.shape[1])) < 0.5
    picture = photo.copy()
    picture[hair] = np.where(np.broadcast_to(stripes, hair.shape)[hair][:, None], 230, 20)
    return picture


def found(head, photo=None, **maps):
    mask = replace(head.mask, **maps)
    return with_whole_hat(mask, colours_of(head.photo if photo is None else photo, mask), EARS)


def test_stripes_as_wide_as_no_strand_are_a_hat(short):
    assert found(short, striped(short.photo)).hat[:EARS][short.mask.hair[:EARS] > 0.9].min() > 0.9


def test_hair_of_one_colour_and_salt_and_pepper_are_none(short):
    assert found(short).hat.max() == 0
    assert found(short, striped(short.photo, np.random.default_rng(0))).hat.max() == 0


def test_a_crown_that_is_seen_brings_the_brim_along(short):
    rows = np.flatnonzero(short.mask.hair[:EARS].any(axis=1))
    crown = short.mask.hair * (np.arange(len(short.mask.hair))[:, None] < rows[len(rows) // 3])
    hat = found(short, hat=crown).hat
    assert hat[:EARS][short.mask.hair[:EARS] > 0.9].min() > 0.9
    assert hat[EARS:].max() == 0


def test_a_speck_of_a_hat_is_none(short):
    speck = np.zeros_like(short.mask.hat)
    row, column = np.argwhere(short.mask.hair[:EARS] > 0.9)[40]
    speck[row : row + 4, column : column + 4] = 1
    assert found(short, hat=speck).hat.max() == 0


def test_the_pattern_goes_on_behind(short):
    """It was strands of grey."""
    hair = make_hair([Sight(striped(short.photo), short.mask, short.vertices, short.matrix)], short.model)
    back = hair.image[150:240, 160:350]  # v runs up: the back comes first
    light = back[back[..., 3] > 250][:, :3].mean(axis=1)
    assert (light > 170).mean() > 0.2 and (light < 80).mean() > 0.2


def test_it_repeats_what_faces_the_camera_without_a_seam(short, turned):
    front, aside = (round(front_column(each.head())) for each in (short, turned))
    assert front == COLUMNS // 2 and abs(aside - front) > 2
    for middle in (front, aside):
        columns = repeated(middle).reshape(ROWS, COLUMNS)[0]
        assert columns[middle] == middle and np.ptp(columns) == 2 * QUARTER
        assert np.abs(np.diff(np.append(columns, columns[0]))).max() == 1


@pytest.mark.parametrize("front", [30, 36, 44])
def test_pictures_and_points_repeat_alike(front):
    ours = [repeated_column(np.float32(column), np.float32(front)) for column in range(COLUMNS)]
    np.testing.assert_allclose(ours, repeated(front).reshape(ROWS, COLUMNS)[0], atol=1e-4)
    whole = [
        (front + QUARTER - abs((column - front + QUARTER) % (4 * QUARTER) - 2 * QUARTER)) for column in range(COLUMNS)
    ]
    np.testing.assert_allclose(ours, np.array(whole) % COLUMNS, atol=1e-4)
