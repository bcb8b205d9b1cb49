"""Labelled faces: both layouts are read, and each label is compared with the face that is nearest to it."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from deep3d.camera import Pose
from deep3d.errors import DatasetError
from deep3d.evaluation.labelled import labelled_benchmark, read_labelled
from deep3d.evaluation.mean_face import MeanFace
from deep3d.evaluation.predictor import ReconstructorPredictor

LABELS = np.random.default_rng(1).uniform(0, 40, (2, 68, 2)) + [[[10, 10]], [[150, 20]]]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (256, 128)).save(tmp_path / "photos" / "two.png")
    np.savez(tmp_path / "landmarks.npz", names=["two.png", "two.png"], landmarks68=LABELS)
    return tmp_path


def predictor(*contours: np.ndarray) -> ReconstructorPredictor:
    """Of a reconstructor that finds these faces, with other landmarks off the outline."""
    faces = [
        SimpleNamespace(
            landmarks68=points + 30,
            landmarks68_contour=points,
            landmarks68_mediapipe=points - 30,
            pose=Pose(0, 0, 0),
        )
        for points in contours
    ]
    return ReconstructorPredictor(SimpleNamespace(reconstruct=lambda photos, which: [faces]))  # pyright: ignore[reportArgumentType]


def test_each_label_is_compared_with_its_own_face(folder):
    measured = labelled_benchmark(folder).measure(predictor(LABELS[1] + [3, 4], LABELS[0]), None)
    assert measured is not None
    box = np.sqrt(np.prod(np.ptp(LABELS[1], axis=0)))
    np.testing.assert_allclose(measured.errors["nme68"], [0, 500 / box], atol=1e-9)


def test_a_label_without_a_face_near_it_is_not_found(folder):
    measured = labelled_benchmark(folder).measure(predictor(LABELS[0]), None)
    assert measured is not None
    np.testing.assert_array_equal(np.isnan(measured.errors["nme51"]), [False, True])


def test_the_mean_face_is_not_measured(folder, toy_face_model):
    assert labelled_benchmark(folder).measure(MeanFace(toy_face_model, lambda photos: photos), None) is None  # pyright: ignore[reportArgumentType]


def test_photos_with_points_beside_them_are_read(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    lines = "\n".join(f"{x + 1} {y + 1}" for x, y in LABELS[0])
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    (tmp_path / "without_photo.pts").write_text("")
    faces = read_labelled(tmp_path)
    assert [photo.name for photo in faces.photos] == ["a.png"]
    np.testing.assert_allclose(faces.landmarks[0], LABELS[0])


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"neither landmarks\.npz nor photos with \.pts"):
        read_labelled(tmp_path)
