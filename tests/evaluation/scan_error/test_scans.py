"""The scan-to-mesh error, compared with the script that defines it and with shapes of known distance."""

import importlib.util
import inspect
from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import rotation_matrix
from deep3d.errors import ShapeError
from deep3d.evaluation import PredictedMesh, read_heads
from deep3d.evaluation.scan_error import registration
from deep3d.evaluation.scan_error.registration import Similarity, sample_surface
from deep3d.evaluation.scan_error.scans import SCAN_STRIDE, evaluate_scans, scan_to_mesh


def inner_landmarks(mesh: PredictedMesh) -> np.ndarray:
    return mesh.vertices_mm[mesh.landmark_vertices[17:]].astype(float)


def moved(points: np.ndarray) -> np.ndarray:
    turn = rotation_matrix(np.array([[0.3, -0.5, 0.2]]))[0]
    return 1.3 * points @ turn.T + [40, -20, 700]


def test_agrees_with_the_script_that_defines_it(shared, mesh, monkeypatch):
    spec = importlib.util.spec_from_file_location("scan_to_mesh", shared / "heads" / "scan_to_mesh.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert inspect.signature(script.scan_to_mesh).parameters["rounds"].default == registration.ROUNDS
    monkeypatch.setattr(registration, "ROUNDS", 4)
    heads = read_heads(shared / "heads")
    mesh = replace(mesh, vertices_mm=0.9 * mesh.vertices_mm)
    first = replace(heads, photos=heads.photos[:1], scans=heads.scans[:1])
    errors = evaluate_scans([mesh], first).errors
    scan, vertices = heads.scans[0], mesh.vertices_mm.astype(float)
    landmarks = scan[heads.scan_landmarks]
    expected = script.scan_to_mesh(scan[::4], landmarks, vertices, mesh.triangles, inner_landmarks(mesh), rounds=4)
    np.testing.assert_allclose((errors["median"][0], errors["mean"][0]), expected, atol=1e-3)


def test_a_moved_turned_and_larger_copy_has_no_error(mesh):
    scan = sample_surface(mesh.vertices_mm.astype(float), mesh.triangles)[0][:500]
    errors = scan_to_mesh(mesh, moved(scan), moved(inner_landmarks(mesh)))
    assert errors.max() < 0.05  # 120,000 samples on 300 square centimetres lie half a millimetre apart


def test_the_error_is_the_distance_along_the_normal():
    plane = np.random.default_rng(0).uniform(-50, 50, (1000, 3)) * [1, 1, 0]
    side = np.linspace(-70, 70, 8)
    vertices = np.array([(x, y, 0.0) for y in side for x in side])
    corners = [(r * 8 + c, r * 8 + c + 1, r * 8 + c + 9) for r in range(7) for c in range(7)]
    corners += [(r * 8 + c, r * 8 + c + 9, r * 8 + c + 8) for r in range(7) for c in range(7)]
    mesh = PredictedMesh(vertices, np.array(corners), np.arange(68) % 64)
    plane[::25, 2] = 5  # the worst 4%, which no fit sees
    errors = scan_to_mesh(mesh, plane, inner_landmarks(mesh))
    np.testing.assert_allclose(errors, plane[:, 2], atol=1e-6)  # though no sample lies right under a point


def test_samples_are_uniform_by_area_and_carry_the_normals():
    vertices = np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 1]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])  # areas 1.5 and 0.5
    points, normals = sample_surface(vertices, triangles)
    on_first = normals[:, 2] > 0.5
    assert on_first.mean() == pytest.approx(0.75, abs=0.01)
    np.testing.assert_allclose(points[on_first].mean(axis=0), [1, 1 / 3, 0], atol=0.01)
    np.testing.assert_allclose(points[~on_first].mean(axis=0), [0, 1 / 3, 1 / 3], atol=0.01)
    np.testing.assert_allclose(normals[~on_first], np.broadcast_to([1, 0, 0], (int((~on_first).sum()), 3)))


def test_similarity_is_recovered_and_inverted():
    points = np.random.default_rng(4).normal(size=(20, 3))
    fit = Similarity.fit(points, moved(points))
    assert fit.scale == pytest.approx(1.3)
    np.testing.assert_allclose(fit.inverse(moved(points)), points, atol=1e-9)


def test_a_rigid_fit_keeps_the_size_and_weights_choose_the_pairs():
    points = np.random.default_rng(4).normal(size=(20, 3))
    assert Similarity.fit(points, 2 * points, scaled=False).scale == 1
    target = moved(points)
    target[:5] += 50
    fit = Similarity.fit(points, target, np.r_[np.zeros(5), np.ones(15)])
    np.testing.assert_allclose(fit(points)[5:], target[5:], atol=1e-9)


def test_similarity_never_reflects():
    points = np.random.default_rng(4).normal(size=(20, 3))
    assert np.linalg.det(Similarity.fit(points, points * [-1, 1, 1]).rotation) == pytest.approx(1)


def test_heads_without_a_face_have_no_error(heads_folder, mesh):
    heads, told = read_heads(heads_folder), []
    errors = evaluate_scans([None, mesh.neutral], heads, progress=lambda done, count: told.append((done, count))).errors
    assert all(np.isnan(values[0]) for values in errors.values())
    assert 0.1 < errors["median"][1] < errors["mean"][1] * 1.2 < 1  # noise of 0.5 mm on each axis
    assert told == [(1, 2), (2, 2)]
    assert len(heads.scans[1, ::SCAN_STRIDE]) == 36


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertices_mm": np.zeros((9, 2))}, r"vertices .* expected shape \(N, 3\), got \(9, 2\)"),
        ({"triangles": np.zeros((9, 4), int)}, r"triangles .* expected shape \(N, 3\), got \(9, 4\)"),
        ({"landmark_vertices": np.zeros(51, int)}, r"landmark vertices: expected shape \(68,\), got \(51,\)"),
    ],
)
def test_other_shapes_are_refused(mesh, change, message):
    with pytest.raises(ShapeError, match=message):
        scan_to_mesh(replace(mesh, **change), np.zeros((8, 3)), np.zeros((51, 3)))
