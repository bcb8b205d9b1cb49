"""The typology angle, compared with values from the literature of colour."""

import numpy as np
import pytest

from deep3d.evaluation.skin_tone import group_by_skin_tone, lab, typology_angle
from tests.evaluation.conftest import write_photo

LANDMARKS = np.stack([np.linspace(20, 100, 68), np.zeros(68)], axis=1)
LANDMARKS[[40, 41]], LANDMARKS[31], LANDMARKS[48] = [30, 40], [50, 60], [35, 80]
LANDMARKS[[46, 47]], LANDMARKS[35], LANDMARKS[54] = [80, 40], [62, 60], [78, 80]


def test_lab_of_known_colours():
    np.testing.assert_allclose(lab(np.ones(3)), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab(np.array([1.0, 0, 0])), [53.24, 80.09, 67.20], atol=0.02)
    np.testing.assert_allclose(lab(np.zeros((2, 3))), np.zeros((2, 3)), atol=1e-9)


def test_the_angle_is_that_of_the_cheek():
    photo = np.full((120, 120, 3), (0, 255, 0), np.uint8)
    photo[35:85, 25:85] = (224, 172, 105)
    lightness, _, blue_yellow = lab(np.array([224, 172, 105]) / 255)
    assert typology_angle(photo, LANDMARKS) == pytest.approx(np.degrees(np.arctan2(lightness - 50, blue_yellow)))
    assert np.isnan(typology_angle(photo[:30], LANDMARKS))


def test_lighter_skin_has_the_larger_angle(tmp_path):
    colours = [(243, 220, 208), (200, 150, 115), (70, 45, 35)]
    photos = [tmp_path / f"{number}.png" for number in range(3)]
    for photo, colour in zip(photos, colours):
        write_photo(photo, colour)
    groups = group_by_skin_tone(photos, np.stack([LANDMARKS] * 3))["skin"]
    assert {name: inside.tolist() for name, inside in groups.items()} == {
        "light": [True, False, False],
        "medium": [False, True, False],
        "dark": [False, False, True],
    }
