"""Several photos of one person: fitted together, looked at again from that shape, fitted again."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.face_model import default_face_model
from deep3d.pipeline.fitter import Fitter
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.pipeline.same_person import share_identity
from deep3d.regression import DenseLandmarks
from deep3d.synthetic.heads import HeadGenerator

PERSON = np.array([0, 3, 0])


class Watched:
    """A refiner that gives known landmarks, and keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __call__(self, crops, coefficients, cameras):
        self.asked.append((crops, coefficients, cameras))
        return self.answer


@pytest.fixture(scope="module")
def seen():
    """Crops of one person, what the networks see in them, and a fitter."""
    reconstructor = Reconstructor.load(refinement="landmarks")
    crops = HeadGenerator(default_face_model(), 990_000_021).draw_person(3).crops
    regression = reconstructor.observer.look(crops)
    shared = share_identity(regression.coefficients, np.full(3, 1 / 3))
    regression = replace(regression, coefficients=shared)
    vertices = tuple(reconstructor.checkpoint.dense_vertices)
    return crops, regression, Fitter(reconstructor.face_model, reconstructor.basis, vertices, "landmarks", None)


def test_the_second_look_is_from_the_shape_that_all_photos_gave(seen):
    crops, regression, fitter = seen
    first = fitter.fit(crops, regression, PERSON)
    moved = DenseLandmarks(regression.dense.points[[0, 2]] + 1.5, regression.dense.deviation[[0, 2]])
    watched = Watched(moved)
    second = replace(fitter, refiner=watched).fit_person(crops, regression, PERSON)
    ((asked, coefficients, cameras),) = watched.asked
    np.testing.assert_array_equal(np.stack(asked), crops[[0, 2]])
    np.testing.assert_array_equal(coefficients.identity, first.coefficients.identity[[0, 2]])
    assert (coefficients.identity[0] == coefficients.identity[1]).all()
    assert cameras == (first.cameras[0], first.cameras[2])
    shift = second.coefficients.translation - first.coefficients.translation
    assert (np.abs(shift[[0, 2], 0]) > 0.005).all()  # they follow what was seen the second time
    np.testing.assert_allclose(second.coefficients.to_vector()[1], first.coefficients.to_vector()[1], atol=1e-5)


def test_one_photo_is_not_looked_at_twice(seen):
    crops, regression, fitter = seen
    watched = Watched(None)
    alone = replace(fitter, refiner=watched).fit_person(crops, regression, np.array([0, 1, 2]))
    assert not watched.asked
    np.testing.assert_allclose(
        alone.coefficients.identity, fitter.fit(crops, regression).coefficients.identity, atol=0.01
    )


def test_the_arguments_stay_as_they_were(seen):
    crops, regression, fitter = seen
    points = regression.dense.points.copy()
    watched = Watched(DenseLandmarks(regression.dense.points[[0, 2]] + 9, regression.dense.deviation[[0, 2]]))
    replace(fitter, refiner=watched).fit_person(crops, regression, PERSON)
    np.testing.assert_array_equal(regression.dense.points, points)
