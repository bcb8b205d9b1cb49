"""The calibration finds landmarks again that were moved along a made-up face."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deep3d.camera import Camera, Pose
from deep3d.datasets.frozen import PortraitSet
from deep3d.errors import DatasetError, FaceModelInvalid
from deep3d.evaluation.mean_face import WeakPerspective
from deep3d.face_model import FaceModel
from deep3d.landmarks import MIRROR
from deep3d.reconstruction import Reconstruction


@pytest.fixture(scope="module")
def calibration():
    """The script, as a module."""
    path = Path(__file__).parents[2] / "bfm" / "calibrate_landmarks.py"
    spec = importlib.util.spec_from_file_location("calibrate_landmarks", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    setattr(module, "INNER_REACH", module.JAW_REACH)  # noqa: B010, vertices of the toy face lie up to 17 mm apart
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def model(toy_face_model) -> FaceModel:
    """The toy face with a mesh that is its own mirror image, all of it skin, its landmarks at vertices."""
    triangles, mirror = toy_face_model.triangles, toy_face_model.mirror
    left = triangles[(toy_face_model.mean_shape[triangles, 0] < 0.01).all(axis=1)]
    triangles = np.concatenate([left, mirror[left][:, ::-1]]).astype(np.int32)
    vertices = toy_face_model.landmark_vertices.copy()
    twins = np.array(MIRROR)
    vertices[twins > np.arange(68)] = mirror[vertices[twins]][twins > np.arange(68)]
    vertices[twins == np.arange(68)] = vertices[twins == np.arange(68)] // 11 * 11 + 5  # the middle of a row
    holders = np.array([np.flatnonzero((triangles == vertex).any(axis=1))[0] for vertex in vertices], np.int32)
    weights = (triangles[holders] == vertices[:, None]).astype(np.float32)
    return replace(
        toy_face_model,
        triangles=triangles,
        landmark_triangles=holders,
        landmark_weights=weights,
        skin=np.ones(len(mirror), np.float32),
    )


@pytest.fixture(scope="module")
def views() -> list[WeakPerspective]:
    generator = np.random.default_rng(0)
    poses = [Pose(*generator.uniform([-24, -15, -15], [24, 15, 15])) for _ in range(24)]
    return [WeakPerspective(pose.to_rotation().astype(float), Camera(130 * 1e5, 250, 250, 1e5)) for pose in poses]


def places(model: FaceModel, triangles: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("lc,lcd->ld", weights, model.mean_shape[model.triangles[triangles]])


def observed(calibration, model: FaceModel, views, truth: np.ndarray):
    """What a perfect regressor and reference would give: placed vertices and reference landmarks (P, 68, 2)."""
    names = [f"portrait_{2 * number:03d}.jpg" for number in range(len(views))]
    pixels = np.stack([view.project(model.mean_shape.astype(float)) for view in views])
    yaw = np.array([Pose.from_rotation(view.rotation).yaw for view in views])
    placed = calibration.PlacedVertices(tuple(names), pixels, yaw)
    return placed, PortraitSet(tuple(map(Path, names)), np.stack([view.project(truth) for view in views]))


@pytest.fixture(scope="module")
def truth(model) -> np.ndarray:
    """Places (68, 3) some millimetres from the model's present landmarks, on the surface, symmetric."""
    moved = np.zeros((68, 3))
    for landmark, twin in enumerate(MIRROR):
        vertex = model.landmark_vertices[landmark]
        if landmark == twin:
            edge = vertex - 11 if landmark == 27 else vertex + 11  # along the midline
            moved[landmark] = model.mean_shape[[vertex, edge]].T @ [2 / 3, 1 / 3]
        elif landmark < twin:
            corners = model.triangles[model.landmark_triangles[landmark]]
            moved[landmark] = model.mean_shape[corners].T @ [1 / 3, 1 / 2, 1 / 6]
            moved[twin] = model.mean_shape[model.mirror[corners]].T @ [1 / 3, 1 / 2, 1 / 6]
    return moved


def test_moved_landmarks_are_found_again(calibration, model, views, truth):
    placed, portraits = observed(calibration, model, views, truth)
    placement = calibration.calibrate(model, placed, portraits)
    found = places(model, placement.triangles, placement.weights)
    before = np.linalg.norm(model.landmarks(model.mean_shape[None])[0] - truth, axis=1)
    assert before.min() > 0.02  # decimetres
    np.testing.assert_allclose(found, truth, atol=1e-5)


def test_photos_gone_wrong_and_noise_pull_little(calibration, model, views, truth):
    placed, portraits = observed(calibration, model, views, truth)
    generator = np.random.default_rng(2)
    portraits.landmarks[...] += generator.normal(0, 1.5, portraits.landmarks.shape)
    portraits.landmarks[::6, ::3] += [60, 40]  # one photo in six has a third of its landmarks 70 pixels off
    placement = calibration.calibrate(model, placed, portraits)
    distance_mm = 100 * np.linalg.norm(places(model, placement.triangles, placement.weights) - truth, axis=1)
    assert np.median(distance_mm) < 2 and distance_mm.max() < 8  # lattice points lie 2.5 mm apart, 1 mm is 1.3 pixels


def test_left_and_right_mirror_each_other_whatever_is_seen(calibration, model, views, truth):
    placed, portraits = observed(calibration, model, views, truth)
    portraits.landmarks[:, 30:] += [3, 2]
    placement = calibration.calibrate(model, placed, portraits)
    found = places(model, placement.triangles, placement.weights)
    np.testing.assert_allclose(found[list(MIRROR)] * [-1, 1, 1], found, atol=1e-5)
    np.testing.assert_allclose(placement.weights.sum(axis=1), 1)


def test_landmarks_without_evidence_stay(calibration, model, views):
    present = model.landmarks(model.mean_shape[None])[0].astype(float)
    placed, portraits = observed(calibration, model, views, present)
    portraits.landmarks[:, 17:] += 200  # every inner landmark is an outlier in every photo
    placement = calibration.calibrate(model, placed, portraits)
    np.testing.assert_allclose(places(model, placement.triangles, placement.weights), present, atol=1e-5)


def test_photos_of_the_reporting_half_are_refused(calibration, model, views, truth):
    placed, portraits = observed(calibration, model, views, truth)
    placed = replace(placed, photos=("portrait_001.jpg", *placed.photos[1:]))
    with pytest.raises(DatasetError, match=r"portrait_001.jpg: not in the tuning half"):
        calibration.calibrate(model, placed, portraits)


def test_a_landmark_off_the_skin_is_refused(calibration, model, views, truth):
    placed, portraits = observed(calibration, model, views, truth)
    bald = replace(model, skin=np.zeros_like(model.skin))
    with pytest.raises(FaceModelInvalid, match="landmark 0: no facial skin"):
        calibration.calibrate(bald, placed, portraits)


def test_the_file_holds_vertices_and_weights(calibration, model, tmp_path):
    placement = calibration.Placement(model.landmark_triangles, model.landmark_weights.astype(float))
    calibration.write_placement(tmp_path / "landmarks.json", model, placement, 24)
    content = json.loads((tmp_path / "landmarks.json").read_text())
    assert content["photos"] == 24 and content["face_model"]["vertices"] == 143
    blended = np.einsum("lc,lcd->ld", content["weights"], model.mean_shape[np.array(content["vertices"])])
    np.testing.assert_allclose(blended, model.landmarks(model.mean_shape[None])[0], atol=1e-5)
    assert max(content["moved_mm"]) == 0


def test_vertices_are_placed_in_photo_pixels_where_there_is_a_face(calibration, model):
    class Result:
        """The part of a reconstruction that is written."""

        vertices = model.mean_shape
        photo_matrix = np.array([[100.0, 0, -250, 2500], [0, -100, -200, 2000], [0, 0, -1, 10]])
        pose = Pose(12, 3, 4)
        to_photo = Reconstruction.to_photo

    placed = calibration.place_vertices([Path("portrait_000.jpg"), Path("portrait_002.jpg")], [Result(), None])
    assert placed.photos == ("portrait_000.jpg",) and placed.yaw.tolist() == [12]
    x, y, z = model.mean_shape[7].astype(float)
    np.testing.assert_allclose(placed.pixels[0, 7], [250 + 100 * x / (10 - z), 200 - 100 * y / (10 - z)], rtol=1e-5)
