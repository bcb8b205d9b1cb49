"""What photos do to hair that are not portraits before a plain wall: a natural head, with nothing of the background."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.hair import Sight, make_hair
from deep3d.hair.evidence import Evidence
from deep3d.hair.fit import fit_fields
from deep3d.hair.grid import COLUMNS, POINTS


def hair_of(head, **changes):
    mask = replace(head.mask, **{name: value for name, value in changes.items() if name != "photo"})
    return make_hair([Sight(changes.get("photo", head.photo), mask, head.vertices, head.matrix)], head.model)


def colours_of(made):
    return made.image[made.image[..., 3] > 128][:, :3].astype(float)


def test_black_hair_before_black_stays_black(short):
    photo = short.photo.copy()
    hair = np.abs(photo.astype(int) - (90, 60, 40)).max(axis=2) < 40
    photo[hair] = 8
    made = hair_of(short, photo=photo)
    assert np.median(colours_of(made)) < 20


@pytest.mark.parametrize("level", [0, 255])
def test_clear_ground_of_a_cut_out_never_gets_into_the_hair(short, level):
    photo = short.photo.copy()
    photo[photo[..., 2] > 180] = level
    made = hair_of(short, photo=photo)
    assert np.abs(np.median(colours_of(made), axis=0) - (90, 60, 40)).max() < 15


def test_a_veil_of_one_colour_gets_the_same_colour_all_round(short):
    photo = short.photo.copy()
    hair = np.abs(photo.astype(int) - (90, 60, 40)).max(axis=2) < 40
    photo[hair] = (200, 30, 60)
    made = hair_of(short, photo=photo)
    assert np.abs(np.median(colours_of(made), axis=0) - (200, 30, 60)).max() < 20


def test_hair_over_one_eye_covers_that_side_alone(short):
    hair = short.mask.hair.copy()
    rows, columns = np.nonzero(short.mask.skin > 0.5)
    middle = int(np.median(columns))
    hair[rows.min() : rows.min() + 20, middle : columns.max()] = 1
    mask = replace(short.mask, hair=hair, skin=short.mask.skin * (hair < 0.5))
    edge = fit_fields([Evidence.of(mask, short.head())], short.hair).edge.reshape(-1, COLUMNS)
    right, left = edge[16:26, COLUMNS // 2 + 2 : COLUMNS // 2 + 9], edge[16:26, COLUMNS // 2 - 8 : COLUMNS // 2 - 1]
    assert right.mean() > left.mean() + 0.1


def test_a_hand_in_the_hair_leaves_no_skin_in_it(short):
    hair, photo = short.mask.hair.copy(), short.photo.copy()
    rows, columns = np.nonzero(hair > 0.5)
    hand = slice(rows.min(), rows.min() + 14), slice(int(np.median(columns)), int(np.median(columns)) + 14)
    hair[hand] = 0
    x, y = (np.array([part.start, part.stop]) * short.mask.step for part in (hand[1], hand[0]))
    left, top = short.mask.origin
    photo[int(top + y[0]) : int(top + y[1]), int(left + x[0]) : int(left + x[1])] = (205, 160, 140)
    made = hair_of(short, hair=hair, photo=photo)
    light = (colours_of(made)[:, 0] > 160).mean()
    assert light < 0.03


def test_no_hair_is_farther_out_than_a_decimetre(varied):
    for head in varied:
        everywhere = replace(head.mask, hair=np.ones_like(head.mask.hair))
        assert fit_fields([Evidence.of(everywhere, head.head())], head.hair).thickness.max() <= 1.0
        assert len(fit_fields([Evidence.of(everywhere, head.head())], head.hair).edge) == POINTS
