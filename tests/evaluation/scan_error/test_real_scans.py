"""The scanned head: errors over those of the mean face, by light, and the script beside the data agrees."""

import sys

import numpy as np
import pytest

from deep3d.errors import DatasetError
from deep3d.evaluation.mean_face import mean_mesh
from deep3d.evaluation.measurement import PredictedMesh
from deep3d.evaluation.scan_error.real_scans import read_scanned_head, scanned_head_benchmark
from deep3d.evaluation.scan_error.registration import sample_surface
from deep3d.evaluation.scan_error.scans import scan_to_mesh
from deep3d.face_model import default_face_model


@pytest.fixture
def folder(tmp_path, toy_face_model):
    """A scan of a wider face than the mean."""
    (tmp_path / "photos").mkdir()
    for name in ("soft_front", "soft_above", "warm_front"):
        (tmp_path / "photos" / f"{name}.jpg").touch()
    wide = toy_face_model.mean_shape.astype(float) * [115, 100, 100]
    points, _ = sample_surface(wide, toy_face_model.triangles)
    landmarks = wide[toy_face_model.landmark_vertices[17:]]
    np.savez(tmp_path / "scan.npz", points_mm=points[::100], landmarks51_mm=landmarks)
    return tmp_path


class Predictor:
    """Gives the mean face for single pictures, and for several the scan's own."""

    name = "halfway"

    def __init__(self, model):
        mesh = mean_mesh(model)
        self.mean = mesh
        vertices = mesh.vertices_mm * [1.15, 1, 1]
        self.wide = PredictedMesh(vertices, mesh.triangles, mesh.landmark_vertices)

    def predict_landmarks(self, photos):
        return [None] * len(photos)

    def predict_meshes(self, photos):
        return (self.mean for _ in photos)

    def predict_person(self, photos):
        return self.wide if len(photos) > 1 else None


def test_errors_are_told_over_the_mean_faces(folder, toy_model_path, toy_face_model):
    measured = scanned_head_benchmark(folder, toy_model_path).measure(Predictor(toy_face_model), None)
    assert measured is not None
    assert [photo.stem for photo in measured.photos] == [
        "soft_above", "soft_front", "warm_front", "soft_above", "warm_front",
    ]  # fmt: skip
    assert measured.figures["soft: median over the mean face's"] == pytest.approx(1)
    assert measured.figures["soft, all views of a light: median over the mean face's"] < 0.1
    assert "warm, all views of a light: median over the mean face's" not in measured.figures
    by_view = measured.groups["view"]["front"]
    assert by_view.sum() == 2


@pytest.mark.parametrize("missing", ["scan.npz", "photos/*.jpg"])
def test_an_incomplete_folder_is_refused(folder, missing):
    for file in folder.glob(missing):
        file.unlink()
    with pytest.raises(DatasetError, match=r"copy|no such file"):
        read_scanned_head(folder)


def test_the_script_beside_the_data_agrees(shared, monkeypatch):
    if not (shared / "scans" / "score.py").exists():
        pytest.skip("the scanned head is not here")
    monkeypatch.setattr(sys, "path", [str(shared / "heads"), *sys.path])
    import scan_to_mesh as script  # pyright: ignore[reportMissingImports]

    head, mean = read_scanned_head(shared / "scans"), mean_mesh(default_face_model())
    own = scan_to_mesh(mean, head.points, head.landmarks)
    vertices = mean.vertices_mm.astype(float)
    inner = vertices[mean.landmark_vertices[17:]]
    expected = script.scan_to_mesh(head.points, head.landmarks, vertices, mean.triangles, inner)
    np.testing.assert_allclose([np.median(own), own.mean()], expected, atol=0.01)
