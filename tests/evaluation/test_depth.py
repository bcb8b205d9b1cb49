"""Measures of depth and normals."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.evaluation.depth import SEED, depth_benchmark, depth_errors, inside_face, mean_errors
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.mapped_heads import MappedHeadGenerator
from deep3d.synthetic.people.free_shapes import FreeShapes

SIZE = 60
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
HEIGHT = 20 - 0.02 * ((ROWS - 30) ** 2 + (COLUMNS - 30) ** 2)
UP = np.broadcast_to([0.0, 0.0, 1.0], (SIZE, SIZE, 3))
ALL = np.ones((SIZE, SIZE), bool)


def test_offset_is_told_apart_from_shape():
    errors = depth_errors(HEIGHT + 7, UP, HEIGHT, UP, ALL)
    assert errors is not None
    assert errors.offset == pytest.approx(7)
    assert (errors.rmse, errors.mae, errors.angle) == pytest.approx((0, 0, 0), abs=1e-9)
    assert errors.delta1 == 1


def test_scale_is_told_apart_too():
    errors = depth_errors(1.5 * HEIGHT, UP, HEIGHT, UP, ALL)
    assert errors is not None
    assert errors.rmse == pytest.approx(0.5 * HEIGHT.std())
    assert errors.scale_invariant == pytest.approx(0, abs=1e-9)


def test_thresholds_count_pixels_and_angles_are_degrees():
    wrong = HEIGHT + np.where(COLUMNS < 30, 1.5, -1.5)
    tipped = np.broadcast_to([0.0, np.sin(0.1), np.cos(0.1)], UP.shape)
    errors = depth_errors(wrong, tipped, HEIGHT, UP, ALL)
    assert errors is not None
    assert (errors.delta1, errors.delta2, errors.delta4) == (0, 1, 1)
    assert (errors.angle, errors.angle_median) == pytest.approx((np.degrees(0.1),) * 2)


def test_jumps_and_borders_are_no_inside():
    step = np.where(COLUMNS < 30, 0.0, 30.0)
    inside = inside_face(ALL, step)
    assert not inside[:, 28:32].any() and inside[30, 10] and not inside[0].any()


def test_a_face_of_few_pixels_is_not_measured():
    assert depth_errors(HEIGHT, UP, HEIGHT, UP, (ROWS < 2)) is None


def test_means_are_over_faces():
    both = [depth_errors(HEIGHT + k, UP, HEIGHT, UP, ALL) for k in (-2, 4)]
    assert mean_errors([each for each in both if each]).offset == pytest.approx(3)


def test_mesh_and_network_are_measured_on_drawn_heads(tmp_path):
    reconstructor = Reconstructor.load(threads=1)
    model = reconstructor.face_model
    truth = MappedHeadGenerator(model, SEED, FreeShapes.of(model).draw).draw_mapped(1).vectors

    def knows_one(crops):  # all but what leaves the linear model
        face = FaceCoefficients.from_vector(np.repeat(truth, len(crops), axis=0))
        return face, (DEEP3D_CAMERA,) * len(crops)

    benchmark = depth_benchmark(model, 2, tmp_path)
    measured = benchmark.measure(ReconstructorPredictor(reconstructor), None)
    reconstructor.fit_crops = knows_one
    known = benchmark.measure(ReconstructorPredictor(reconstructor), None)
    assert measured is not None and known is not None
    assert {name for name, _ in benchmark.columns} <= measured.errors.keys()
    assert len(measured.photos) == 2 and all(photo.exists() for photo in measured.photos)
    assert 0.2 < known.errors["mesh rmse"][0] < measured.errors["mesh rmse"][0] < 10
    assert known.errors["mesh rmse"][1] > known.errors["mesh rmse"][0]  # for the second head it is the wrong face
    assert (measured.errors["rmse"] != measured.errors["mesh rmse"]).all()


def test_without_a_network_the_mesh_alone_is_measured(tmp_path):
    reconstructor = Reconstructor.load(threads=1)
    reconstructor.checkpoint = replace(reconstructor.checkpoint, path=tmp_path / "alone.safetensors")
    benchmark = depth_benchmark(reconstructor.face_model, 2, tmp_path)
    reconstructor.checkpoint.path.write_bytes(Reconstructor.load(threads=1).checkpoint.path.read_bytes())
    measured = benchmark.measure(ReconstructorPredictor(reconstructor), None)
    assert measured is not None and np.isnan(measured.errors["rmse"]).all()
    assert np.isfinite(measured.errors["mesh rmse"]).all()
