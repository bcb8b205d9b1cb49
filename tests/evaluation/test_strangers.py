"""Figures of who is told apart."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.evaluation.strangers import area_under_curve, told_apart


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    same = np.array([True, True, False, False])
    assert area_under_curve(np.array([0.9, 0.8, 0.2, 0.1]), same) == 1
    assert area_under_curve(np.array([0.9, 0.3, 0.5, 0.1]), same) == 0.75
    assert area_under_curve(np.zeros(4), same) == 0.5


@pytest.fixture
def faces(toy_reconstruction):
    rng = np.random.default_rng(7)
    people = rng.normal(size=(3, 80))

    def face(person: int, noise: float):
        identity = (people[person] + noise * rng.normal(size=80)).astype(np.float32)[None]
        coefficients = replace(toy_reconstruction.coefficients, identity=identity)
        return replace(toy_reconstruction, coefficients=coefficients, covariance=0.1 * np.eye(144))

    return [face(person, 0.3) for person in (0, 0, 0, 1, 1, 1, 2, 2, 2)]


NAMES = np.repeat(["anna", "bert", "carl"], 3)


def test_people_who_differ_are_told_apart(faces):
    assert [*told_apart(faces, NAMES).values()] == [1, 0, 0]


def test_one_with_a_wrong_name_is_left_out_and_kept_elsewhere(faces):
    names = NAMES.copy()
    names[8] = "bert"
    area, left_out, kept = told_apart(faces, names).values()
    assert area < 1
    assert left_out == pytest.approx(100 / 9)
    assert kept == pytest.approx(100 * 1 / 18, abs=3)


def test_photos_without_a_face_or_a_fit_are_no_pairs(faces):
    figures = told_apart([None, *faces[1:8], replace(faces[8], covariance=None)], NAMES)
    assert figures == told_apart(faces[1:8], NAMES[1:8])
    assert told_apart([None] * 9, NAMES) == {}
