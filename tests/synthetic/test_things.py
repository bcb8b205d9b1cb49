"""Flat things before and behind faces."""

import numpy as np

from deep3d.synthetic.things import CORNERS, MOST_OCCLUDERS, Things, random_occluders, random_things_behind

COUNT = 2000


def areas(things: Things) -> np.ndarray:
    """(B, K) pixels that each outline encloses."""
    x, y = np.moveaxis(things.outlines, -1, 0)
    return 0.5 * np.abs((x * np.roll(y, -1, axis=2) - y * np.roll(x, -1, axis=2)).sum(axis=2))


def test_one_face_in_five_has_something_before_it_and_hands_have_five_fingers():
    things = random_occluders(np.random.default_rng(0), np.full(COUNT, 80.0))
    assert things.outlines.shape == (COUNT, MOST_OCCLUDERS, CORNERS, 2)
    parts = (areas(things) > 1).sum(axis=1)
    assert 0.16 < (parts > 0).mean() < 0.24
    hands = (parts == MOST_OCCLUDERS) & (things.colours[:, 0, 0] > things.colours[:, 0, 2] + 0.02)
    assert 0.03 < hands.mean() < 0.08
    palm, *fingers = (areas(things)[hands] / 80**2).T  # square decimetres
    assert (palm > 0.4).all() and (palm < 1.2).all()
    assert all((finger > 0.03).all() and (finger < 0.5 * palm).all() for finger in fingers)


def test_shoulders_lie_under_the_neck_and_things_that_are_not_there_have_no_size():
    neck = np.random.default_rng(1).uniform(80, 200, (COUNT, 2))
    things = random_things_behind(np.random.default_rng(2), neck)
    size = areas(things)
    shoulders = things.outlines[:, -2]
    assert (np.abs(shoulders[..., 0].mean(axis=1) - neck[:, 0]) < 100).all()
    assert (shoulders[..., 1].min(axis=1) - neck[:, 1] < 6).all() and (size[:, -2] > 5000).all()
    assert 0.1 < (size[:, :-2] > 1).all(axis=1).mean() + (size[:, 0] < 1).mean() < 0.3
    assert np.isin(size[:, -1] > 1, [True, False]).all() and 0.4 < (size[:, -1] > 1).mean() < 0.6
