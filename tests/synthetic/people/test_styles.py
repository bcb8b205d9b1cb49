"""Styles over the grid of the hair: as varied as people's, and sensible."""

import numpy as np
import pytest

from deep3d.face_model import read_face_model
from deep3d.hair.grid import COLUMNS, ROWS
from deep3d.hair.model import hair_model
from deep3d.synthetic.people.styles import _round_ears, random_style


@pytest.fixture(scope="module")
def styles():
    rng = np.random.default_rng(1)
    model = hair_model(read_face_model())
    assert model is not None
    return [random_style(rng, model) for _ in range(300)]


def test_some_are_bald_some_wear_hats_and_most_have_hair(styles):
    worn = [style for style in styles if style is not None]
    assert 3 < len(styles) - len(worn) < 40
    assert 10 < sum(style.headwear is not None for style in worn) < 70
    assert sum((style.fields.edge > 0).mean() > 0.1 for style in worn) > 200


def test_lengths_vary_from_the_skull_to_the_shoulders(styles):
    lowest = [
        np.flatnonzero((style.fields.edge.reshape(ROWS, COLUMNS) > 0).any(axis=1)).max(initial=0)
        for style in styles
        if style is not None
    ]
    assert np.quantile(lowest, 0.1) < 40 and np.quantile(lowest, 0.9) > 46


def test_hair_behind_ears_leaves_them_free():
    free = _round_ears(np.random.default_rng(2))
    assert free.shape == (ROWS, COLUMNS)
    azimuth = np.arange(COLUMNS) * (2 * np.pi / COLUMNS) - np.pi
    ear = np.argmin(np.abs(azimuth - 1.75))
    assert free[33, ear] < 0 < free[20, ear] and free[33, COLUMNS // 2] > 0
