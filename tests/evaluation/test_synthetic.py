"""Heads drawn for the evaluation: labels that are where the photos show them, people that stay themselves."""

import numpy as np
import pytest

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.evaluation import PredictedLandmarks
from deep3d.evaluation.mean_face import MeanFace
from deep3d.evaluation.synthetic import SEED, same_person_benchmark, synthetic_benchmark
from deep3d.synthetic.heads import HeadGenerator


def test_true_landmarks_are_those_of_the_labels(model, tmp_path):
    class Knowing:
        name = "knowing"

        def predict_landmarks(self, photos):
            corners = model.triangles[model.landmark_triangles].ravel()
            faces = FaceCoefficients.from_vector(HeadGenerator(model, SEED, corners).draw(4).vectors)
            placed = place(model.shape(faces), faces.rotation, faces.translation)
            yield from (PredictedLandmarks(points) for points in project(model.landmarks(placed)))

    measured = synthetic_benchmark(model, 4, tmp_path).measure(Knowing(), None)  # pyright: ignore[reportArgumentType]
    assert measured is not None
    assert measured.main.max() < 3  # the fixed camera of the labels bends perspective a little
    assert all(photo.is_file() for photo in measured.photos)


def test_the_mean_face_knows_nobody_from_any_number_of_photos(model, tmp_path):
    mean_face = MeanFace(model, lambda photos: [])
    measured = same_person_benchmark(model, 2, tmp_path).measure(mean_face, None)
    assert measured is not None
    groups = measured.by_group("photos of a person")
    assert {name: summary.count for name, summary in groups.items()} == {"1": 16, "2": 8, "4": 4, "8": 2}
    assert groups["1"].mean == pytest.approx(groups["8"].mean) and groups["1"].mean > 0.5
    assert np.unique(measured.main.round(6)).size == 2  # one error for each person
