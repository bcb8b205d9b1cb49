"""Pictures without a face, and which of them a reconstructor gives one."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deep3d.confidence import Confidence
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.robustness.faceless import GIVEN, faceless_benchmark
from deep3d.evaluation.robustness.faceless_pictures import KINDS, LARGEST, SMALLEST, TUNING, faceless_picture


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_each_kind_is_drawn_the_same_again_and_other_ones_differ(number):
    kind, picture = faceless_picture(number)
    assert kind == list(KINDS)[number]
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.std() > 3
    assert all(SMALLEST <= side < LARGEST for side in picture.shape[:2])
    assert np.array_equal(picture, faceless_picture(number)[1])
    other = faceless_picture(number, TUNING)[1]
    assert other.shape != picture.shape or not np.array_equal(other, picture)


def test_faces_in_drawn_and_given_pictures_are_counted(tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    (given / "a.jpg").touch()
    benchmark = faceless_benchmark(3, given, tmp_path / "drawn")
    assert len([*(tmp_path / "drawn").iterdir()]) == 3

    class Predictor(ReconstructorPredictor):
        def __init__(self) -> None:
            """Without a reconstructor."""

        def reconstructions(self, photos):
            found: Any = SimpleNamespace(confidence=Confidence(4.5, ()))
            yield from [None, found, None, None][: len(photos)]

    told = []
    measured = benchmark.measure(Predictor(), lambda *progress: told.append(progress))
    assert measured is not None and told[-1] == (4, 4)
    assert np.array_equal(measured.errors["expected"], [np.nan, 4.5, np.nan, np.nan], equal_nan=True)
    assert list(measured.groups["picture"]) == [GIVEN, *list(KINDS)[:3]]
    mean_face: Any = SimpleNamespace(name="mean face")
    assert benchmark.measure(mean_face, None) is None
