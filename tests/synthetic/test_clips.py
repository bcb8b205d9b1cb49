"""Drawn clips: the same each time, and true to what they say of themselves."""

import numpy as np
import pytest

from deep3d.synthetic.clips import crossing_clip, nodding_clip, still_clip, talking_clip

SIZE = (320, 180)


def test_the_same_seed_gives_the_same_clip_and_frames_come_in_any_order(model):
    one, other = (talking_clip(model, 10, seed=5, size=SIZE) for _ in range(2))
    assert len(one) == 10
    np.testing.assert_array_equal(one.frame(7), other.frame(7))
    np.testing.assert_array_equal([*other][3], one.frame(3))
    assert (talking_clip(model, 10, seed=6, size=SIZE).frame(7) != one.frame(7)).any()


def test_frames_differ_by_the_cameras_noise_alone_where_nobody_moves(model):
    clip = still_clip(model, 3, size=SIZE)
    a, b = (clip.frame(number).astype(float) for number in (0, 1))
    assert np.std(a - b) == pytest.approx(clip.noise * np.sqrt(2), rel=0.15)
    np.testing.assert_array_equal(clip.landmarks68(0, 0), clip.landmarks68(0, 2))


def test_landmarks_are_on_the_face_that_is_drawn(model):
    clip = talking_clip(model, 2, size=SIZE)
    picture = clip.frame(0).astype(float)
    background = np.median(picture[:20], axis=(0, 1))
    columns, rows = np.rint(clip.landmarks68(0, 0)[27:36]).astype(int).T
    assert (np.abs(picture[rows, columns] - background).max(axis=1) > 15).all()


def test_people_talk_blink_and_turn(model):
    clip = talking_clip(model, 120, size=SIZE)
    does, names = clip.performances[0], model.expression_names
    assert np.ptp(np.degrees(does.rotation[:, 1])) > 25
    assert does.expression[:, names.index("jawOpen")].max() > 0.2
    blink = does.expression[:, names.index("eyeBlink_L")]
    assert blink.max() > 0.9 and np.median(blink) < 0.1
    assert does.expression.min() >= 0 and does.expression.max() <= 1


def test_a_nod_is_a_nod(model):
    pitch = -np.degrees(nodding_clip(model, 60, size=SIZE).performances[0].rotation[:, 0])
    assert pitch.max() == pytest.approx(12, abs=0.5) and pitch.min() == pytest.approx(-12, abs=0.5)


def test_three_cross_and_one_leaves(model):
    clip = crossing_clip(model, 60, size=SIZE)
    first, second, third = (does.position[:, 0] for does in clip.performances)
    assert (first[0] < second[0]) and (first[30] > second[30]) and (first[-1] < second[-1])
    assert third.max() > 0.5 * SIZE[0] / SIZE[1] + 0.3 and third[-1] < 0.7
