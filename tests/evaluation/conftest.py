"""Small data sets in the form of the frozen ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep3d.evaluation import PredictedMesh


@pytest.fixture
def portraits_folder(tmp_path: Path, toy_face_model) -> Path:
    """Five portraits, numbers 0 to 4, with landmarks of the toy face model's mean at 200 to 240 pixels a decimetre."""
    folder = tmp_path / "portraits"
    (folder / "photos").mkdir(parents=True)
    names = [f"portrait_{number:03d}.jpg" for number in range(5)]
    mean = toy_face_model.landmarks(toy_face_model.mean_shape[None])[0, :, :2] * [1, -1]
    landmarks = np.stack([256 + (200 + 10 * number) * mean for number in range(5)])
    for name in names:
        write_photo(folder / "photos" / name)
    np.savez(folder / "landmarks.npz", names=names, mediapipe68=landmarks.astype(np.float32))
    return folder


@pytest.fixture
def heads_folder(tmp_path: Path, toy_face_model) -> Path:
    """Two heads whose scans are the toy face model's mean shape, 2 and 3 times as large, moved and a little rough."""
    folder = tmp_path / "heads"
    (folder / "photos").mkdir(parents=True)
    for number in range(2):
        write_photo(folder / "photos" / f"head_{number:03d}.jpg")
    roughness = np.random.default_rng(5).normal(0, 0.5, (2, *toy_face_model.mean_shape.shape))
    scans = np.stack([100 * size * toy_face_model.mean_shape + [10, 20, size] for size in (2, 3)]) + roughness
    landmarks = 256 + 200 * toy_face_model.landmarks(toy_face_model.mean_shape[None])[0, :, :2] * [1, -1]
    rows = toy_face_model.landmark_vertices[17:]
    np.savez(folder / "scans.npz", scan_mm=scans, scan_landmarks51=rows, landmarks68=np.stack([landmarks] * 2))
    return folder


@pytest.fixture
def mesh(toy_face_model) -> PredictedMesh:
    """The mean of the toy face model, 200 mm high, which smiles by moving its mouth 5 mm forward."""
    neutral = 100 * toy_face_model.mean_shape.astype(float)
    smiling = neutral + (neutral[:, 1:2] < -30) * [0, 0, 5.0]
    return PredictedMesh(smiling, toy_face_model.triangles, toy_face_model.landmark_vertices, neutral)


class Fixed:
    """A predictor that gives the same for every photo, and nothing for the last one."""

    def __init__(self, mesh: PredictedMesh) -> None:
        self.name, self.mesh = "fixed", mesh

    def predict_landmarks(self, photos):
        raise NotImplementedError

    def predict_meshes(self, photos):
        yield from (self.mesh for _ in photos[:-1])
        yield None

    def predict_person(self, photos):
        return self.mesh


def write_photo(path: Path, colour: tuple[int, int, int] = (200, 160, 140)) -> None:
    """A photo of nothing but skin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (512, 512), colour).save(path)


def write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    """An OBJ file as scanners write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in np.asarray(triangles) + 1]
    path.write_text("\n".join(lines) + "\n")


def write_picked_points(path: Path, points: np.ndarray) -> None:
    """A file of MeshLab's point picking."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f' <point active="1" name="{i}" x="{x}" y="{y}" z="{z}"/>\n' for i, (x, y, z) in enumerate(points))
    path.write_text(f"<!DOCTYPE PickedPoints>\n<PickedPoints>\n <DocumentData/>\n{rows}</PickedPoints>\n")
