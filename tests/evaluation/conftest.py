"""Small data sets in the form of the frozen ones."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def portraits_folder(tmp_path: Path, toy_face_model) -> Path:
    """Five portraits, numbers 0 to 4, with landmarks of the toy face model's mean at 200 to 240 pixels a decimetre."""
    folder = tmp_path / "portraits"
    (folder / "photos").mkdir(parents=True)
    names = [f"portrait_{number:03d}.jpg" for number in range(5)]
    mean = toy_face_model.landmarks(toy_face_model.mean_shape[None])[0, :, :2] * [1, -1]
    landmarks = np.stack([256 + (200 + 10 * number) * mean for number in range(5)])
    for name in names:
        (folder / "photos" / name).touch()
    np.savez(folder / "landmarks.npz", names=names, mediapipe68=landmarks.astype(np.float32))
    return folder


@pytest.fixture
def heads_folder(tmp_path: Path, toy_face_model) -> Path:
    """Two heads whose scans are the toy face model's mean shape, 2 and 3 times as large, moved and a little rough."""
    folder = tmp_path / "heads"
    (folder / "photos").mkdir(parents=True)
    for number in range(2):
        (folder / "photos" / f"head_{number:03d}.jpg").touch()
    roughness = np.random.default_rng(5).normal(0, 0.5, (2, *toy_face_model.mean_shape.shape))
    scans = np.stack([100 * size * toy_face_model.mean_shape + [10, 20, size] for size in (2, 3)]) + roughness
    np.savez(folder / "scans.npz", scan_mm=scans, scan_landmarks51=toy_face_model.landmark_vertices[17:])
    return folder
