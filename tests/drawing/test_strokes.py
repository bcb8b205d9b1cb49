import numpy as np
import pytest

from deep3d.drawing.strokes import draw_dots, draw_lines, draw_rings, draw_words, word_width

WHITE = np.array([255, 255, 255])


def black():
    return np.zeros((40, 60, 3), np.uint8)


def test_a_dot_covers_its_area():
    picture = black()
    draw_dots(picture, np.array([[20.3, 15.6]]), 6.0, WHITE)
    assert picture[..., 0].sum() / 255 == pytest.approx(np.pi * 36, rel=0.02)
    rows, columns = np.mgrid[:40, :60]
    total = picture[..., 0].sum()
    assert (columns * picture[..., 0]).sum() / total == pytest.approx(20.3, abs=0.05)
    assert (rows * picture[..., 0]).sum() / total == pytest.approx(15.6, abs=0.05)


def test_a_ring_is_empty_inside():
    picture = black()
    draw_rings(picture, np.array([[20.0, 15.0]]), 6.0, 2.0, WHITE)
    assert picture[15, 20, 0] == 0 and picture[15, 26, 0] == 255
    assert picture[..., 0].sum() / 255 == pytest.approx(2 * np.pi * 6 * 2, rel=0.03)


def test_a_line_covers_its_length_and_a_thin_one_is_faint():
    for width in (3.0, 0.5):
        picture = black()
        draw_lines(picture, np.array([[[10.0, 10], [40, 25]]]), width, WHITE)
        length = np.hypot(30, 15)
        assert picture[..., 0].sum() / 255 == pytest.approx(length * width + np.pi * width**2 / 4, rel=0.06)
    assert picture.max() < 140


def test_colours_are_each_its_own_and_opacity_mixes():
    picture = black() + np.uint8(100)
    draw_dots(picture, np.array([[10.0, 10], [40, 10]]), 3.0, np.array([[200, 0, 0], [0, 200, 0]]), 0.5)
    np.testing.assert_array_equal(picture[10, [10, 40]], [[150, 50, 50], [50, 150, 50]])


def test_what_is_outside_or_no_number_is_left_out():
    picture = black()
    draw_dots(picture, np.array([[np.nan, 3.0], [1e9, -1e9], [-500, 20]]), 3.0, WHITE)
    draw_lines(picture, np.array([[[np.inf, 0.0], [3, 3]], [[-50, -50], [-20, 90]]]), 2.0, WHITE)
    draw_words(picture, "far away", 100, 100, 12)
    draw_words(picture, "far away", -300, -300, 12)
    assert not picture.any()


def test_words_are_white_with_a_dark_edge_where_they_were_wanted():
    picture = black() + np.uint8(120)
    draw_words(picture, "12°", 5, 8, 14)
    changed = np.argwhere((picture != 120).any(axis=2))
    assert (picture == 255).any() and (picture < 10).any()
    assert changed.min(axis=0).tolist() >= [8, 5] and changed[:, 1].max() <= 5 + word_width("12°", 14)
