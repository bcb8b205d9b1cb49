"""The stated uncertainty of shape: what it is made of, and that it is right on made-up heads."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.coefficients import FaceCoefficients
from deep3d.evaluation.robustness.uncertainty import region_errors, uncertainty_benchmark
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.uncertainty import BEYOND, FACE, INFLATION, REGIONS, region_deviation, vertex_deviation, vertex_regions


def test_it_is_the_spread_of_shapes_with_that_covariance(model):
    rng = np.random.default_rng(5)
    spread = np.diag(rng.uniform(0.1, 0.6, 144)) @ rng.normal(size=(144, 144)) / 12
    vector = np.zeros((150, 257), np.float32)
    vector[:, :144] = rng.normal(size=(150, 144)) @ spread.T
    region = vertex_regions(model)
    stated = vertex_deviation(model, spread @ spread.T)
    squares = np.mean([(_apart(model, row[None]) ** 2) for row in vector], axis=0)
    expected = np.sqrt(INFLATION**2 * squares + BEYOND**2)
    for number in range(len(FACE)):
        assert np.sqrt((stated[region == number] ** 2).mean()) == pytest.approx(
            np.sqrt((expected[region == number] ** 2).mean()), rel=0.1
        )


def _apart(model, vector):
    """(V,) millimetres from the mean shape, aligned as the evaluation does."""
    from deep3d.evaluation.scan_error.registration import Similarity
    from deep3d.uncertainty import face_vertices

    shape, mean = 100 * model.shape(FaceCoefficients.from_vector(vector))[0], 100 * model.mean_shape
    inside = face_vertices(model)
    return np.linalg.norm(Similarity.fit(shape[inside], mean[inside])(shape) - mean, axis=1)


def test_regions_are_means_of_their_vertices(model):
    covariance = np.diag(np.linspace(0.2, 1.0, 144))
    each, region = vertex_deviation(model, covariance), vertex_regions(model)
    for number, (name, stated) in enumerate(region_deviation(model, covariance).items()):
        assert name == REGIONS[number]
        assert stated == pytest.approx(np.sqrt((each[region == number] ** 2).mean()), rel=0.1)


def test_what_is_known_exactly_is_as_uncertain_as_the_linear_model(model):
    assert vertex_deviation(model, np.zeros((144, 144))) == pytest.approx(BEYOND)
    assert [*region_deviation(model, np.zeros((80, 80))).values()] == pytest.approx([BEYOND] * len(REGIONS))


def test_stated_errors_are_the_true_ones_on_heads_that_nothing_was_chosen_on(model, tmp_path):
    predictor = _predictor()
    measured = uncertainty_benchmark(model, 16, tmp_path).measure(predictor, None)
    assert measured is not None
    true, stated = measured.errors["true"], measured.errors["stated"]
    assert 0.75 < np.sqrt(np.nanmean(true**2) / np.nanmean(stated**2)) < 1.33
    assert measured.figures["rank correlation over faces and regions"] > 0.5
    assert 75 < measured.figures["regions within 1.5 times the stated error, %"] < 99


def _predictor():
    from deep3d.evaluation.predictor import ReconstructorPredictor

    return ReconstructorPredictor(Reconstructor.load())


def test_errors_of_regions_ignore_place_turn_and_size(model, toy_reconstruction):
    face = replace(toy_reconstruction, face_model=model, displacement=None)
    moved = 1.1 * face.vertices + [0.3, -0.1, 0.2]
    assert region_errors(face, moved) == pytest.approx(0, abs=1e-2)
    moved[vertex_regions(model) == REGIONS.index("nose")] += [0, 0, 0.02]
    errors = region_errors(face, moved)
    assert errors.argmax() == REGIONS.index("nose") and errors.max() == pytest.approx(2 / 1.1, rel=0.3)
