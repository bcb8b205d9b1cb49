import numpy as np
import pytest

from deep3d.video.smoothing import Response, Smoothing, smooth

RESPONSE = Response(cutoff=1.5, slope=8.0, together=True)
TIMES = np.arange(150) / 30


def test_a_still_curve_keeps_still():
    noise = np.random.default_rng(0).normal(0, 1, (150, 3))
    steady = smooth(TIMES, 5 + noise, Smoothing(), Response(1.5, 0.0, True))
    assert steady[20:-20].std(axis=0).max() < 0.35
    np.testing.assert_allclose(steady.mean(axis=0), 5 + noise.mean(axis=0), atol=0.1)


@pytest.mark.parametrize("how", [Smoothing(), Smoothing("window", 2, 2)])
def test_nothing_comes_late(how):
    curve = np.sin(2 * np.pi * 1.2 * TIMES)[:, None]
    noisy = curve + np.random.default_rng(1).normal(0, 0.02, curve.shape)
    steady = smooth(TIMES, noisy, how, RESPONSE)[:, 0]
    inner = slice(15, -15)
    fits = [np.corrcoef(curve[inner, 0], np.roll(steady, -lag)[inner])[0, 1] for lag in range(-4, 5)]
    assert int(np.argmax(fits)) - 4 == 0


def test_time_runs_both_ways_alike():
    curve = np.random.default_rng(2).normal(size=(150, 2)).cumsum(axis=0)
    forward = smooth(TIMES, curve, Smoothing(), RESPONSE)
    backward = smooth(TIMES, curve[::-1], Smoothing(), RESPONSE)[::-1]
    np.testing.assert_allclose(forward, backward, atol=1e-9)


def test_what_is_quick_opens_the_filter_of_all_that_belong_together_and_of_no_others():
    rng = np.random.default_rng(3)
    curves = rng.normal(0, 0.02, (150, 2))
    curves[:, 0] += 4 * np.sin(2 * np.pi * 2 * TIMES)
    rough = {
        together: smooth(TIMES, curves, Smoothing(), Response(0.5, 5.0, together))[:, 1].std()
        for together in (True, False)
    }
    assert rough[False] < 0.6 * rough[True]


def test_the_window_is_the_mean_of_frames_before_and_after():
    curve = np.arange(10.0)[:, None] ** 2
    steady = smooth(TIMES[:10], curve, Smoothing("window", 2, 1), RESPONSE)
    expected = [curve[max(n - 2, 0) : n + 2].mean() for n in range(10)]
    np.testing.assert_allclose(steady[:, 0], expected)


def test_none_and_single_frames_are_left_as_they_are():
    curve = np.random.default_rng(4).normal(size=(9, 2))
    assert smooth(TIMES[:9], curve, Smoothing("none"), RESPONSE) is curve
    assert smooth(TIMES[:1], curve[:1], Smoothing(), RESPONSE) is not None
