"""Dressed heads: what their pixels are called is what they show."""

import numpy as np
import pytest

from deep3d.dense.layers import CLASSES
from deep3d.face_model import read_face_model
from deep3d.synthetic.backdrops import random_backdrop, read_strips
from deep3d.synthetic.dressed_heads import UNKNOWN, DressedHeadGenerator, _cut_off
from deep3d.synthetic.painting import noise_bank
from deep3d.synthetic.strands import halved


@pytest.fixture(scope="module")
def heads():
    return DressedHeadGenerator(read_face_model(), 5).draw_dressed(48)


def test_the_same_seed_gives_the_same_heads():
    first, second = (DressedHeadGenerator(read_face_model(), 2).draw_dressed(2) for _ in range(2))
    np.testing.assert_array_equal(first.crops, second.crops)
    np.testing.assert_array_equal(first.classes, second.classes)


def test_every_class_occurs(heads):
    assert heads.crops.shape == (48, 224, 224, 3) and heads.classes.shape == (48, 112, 112)
    assert set(np.unique(heads.classes)) >= set(range(len(CLASSES)))


def test_most_people_have_hair_and_clothes_and_all_have_skin(heads):
    known = heads.classes != UNKNOWN
    share = {name: ((heads.classes == k) & known).mean(axis=(1, 2)) for k, name in enumerate(CLASSES)}
    assert (share["skin"] > 0.02).mean() > 0.9
    assert 0.6 < (share["hair"] > 0.01).mean() < 1
    assert (share["clothes"] > 0.02).mean() > 0.6


def test_the_rough_mesh_lies_on_the_head(heads):
    on_head = np.isin(heads.classes, [CLASSES.index(name) for name in ("skin", "hair", "glasses", "beard", "brows")])
    inside = heads.start.covered & (heads.classes != UNKNOWN)
    assert (on_head & inside).sum() / inside.sum() > 0.75


def test_beyond_the_photo_its_border_goes_on_and_nothing_is_known():
    rng = np.random.default_rng(0)
    photo, classes = rng.integers(0, 255, (224, 224, 3), np.uint8), np.zeros((112, 112), np.uint8)
    cut = [_cut_off(rng, photo, classes) for _ in range(60)]
    ended = [(picture, kinds) for picture, kinds in cut if (kinds == UNKNOWN).any()]
    assert 5 < len(ended) < 40
    for picture, kinds in ended:
        unknown = np.repeat(np.repeat(kinds == UNKNOWN, 2, axis=0), 2, axis=1)
        np.testing.assert_array_equal(picture[~unknown], photo[~unknown])
        assert (picture[unknown] != photo[unknown]).any()


def test_halving_keeps_what_most_pixels_are():
    assert halved(np.array([[1, 2], [2, 3]], np.uint8))[0, 0] == 2
    assert halved(np.array([[1, 1], [2, 3]], np.uint8))[0, 0] == 1
    assert halved(np.array([[4, 5], [6, 6]], np.uint8))[0, 0] == 6


def test_backdrops_are_pictures(tmp_path):
    rng = np.random.default_rng(3)
    noise, alike = noise_bank(rng), np.array([[0.3, 0.2, 0.1], [0.8, 0.6, 0.5]])
    strips = [rng.integers(0, 255, (280, 80, 3), np.uint8)]
    plain = np.full((224, 224, 3), 0.5, np.float32)
    drawn = [random_backdrop(rng, plain, noise, alike, strips) for _ in range(40)]
    assert all(each.shape == plain.shape and np.isfinite(each).all() for each in drawn)
    assert len({float(each.std()) for each in drawn}) > 20
    assert read_strips(tmp_path, [0, 2]) == [] and read_strips(None, [0]) == []
