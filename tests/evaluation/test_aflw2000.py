"""AFLW2000-3D: its files, its lists, its bands."""

import numpy as np
import pytest
from scipy.io import savemat

from deep3d.errors import DatasetError
from deep3d.evaluation import PredictedLandmarks
from deep3d.evaluation.published.aflw2000 import LIST, SKIPPED, aflw2000_benchmark, read_aflw2000
from tests.evaluation.conftest import write_photo

YAWS = (-10, 20, 45, -75, 90)
POINTS = np.random.default_rng(0).uniform(50, 400, (len(YAWS), 3, 68))


@pytest.fixture
def folder(tmp_path):
    for number, (yaw, points) in enumerate(zip(YAWS, POINTS)):
        write_photo(tmp_path / f"image{number:05d}.jpg")
        pose = np.array([[0.1, np.radians(yaw), 0.2, 0, 0, 0, 1]])
        savemat(tmp_path / f"image{number:05d}.mat", {"pt3d_68": points, "Pose_Para": pose})
    return tmp_path


def test_matlab_pixels_become_ours(folder):
    faces = read_aflw2000(folder)
    np.testing.assert_allclose(faces.landmarks, POINTS[:, :2].transpose(0, 2, 1) - 1)
    np.testing.assert_allclose(faces.yaw, YAWS)


def test_lists_choose_and_skip(folder):
    (folder / LIST).write_text("image00003.jpg\nimage00001.jpg\n\nimage00000.jpg\n")
    (folder / SKIPPED).write_text("image00001.jpg\n")
    assert [photo.stem for photo in read_aflw2000(folder).photos] == ["image00003", "image00000"]


def test_errors_are_told_by_true_yaw_and_balanced(folder):
    class Shifted:
        name = "shifted"

        def predict_landmarks(self, photos):
            boxes = [np.sqrt(np.prod(np.ptp(points[:2], axis=1))) for points in POINTS]
            for points, box, percent in zip(POINTS, boxes, (1, 3, 4, 6, 8)):
                yield PredictedLandmarks(points[:2].T - 1 + [box * percent / 100, 0], yaw=0.0)

    measured = aflw2000_benchmark(folder).measure(Shifted(), None)  # pyright: ignore[reportArgumentType]
    assert measured is not None
    means = {band: summary.mean for band, summary in measured.by_group("yaw").items()}
    assert means == pytest.approx({"0-30": 2, "30-60": 4, "60-90": 7})
    assert measured.figures["balanced"] == pytest.approx(13 / 3)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: [file.unlink() for file in folder.glob("*.mat")], "no .mat file there"),
        (lambda folder: (folder / "image00002.jpg").unlink(), "image00002.jpg: photo missing, 1 in all"),
        (lambda folder: (folder / "image00002.mat").write_bytes(b"no"), "image00002.mat: damaged"),
        (lambda folder: savemat(folder / "image00002.mat", {"pt2d": 1}), "'pt3d_68' is missing"),
        (
            lambda folder: savemat(folder / "image00002.mat", {"pt3d_68": np.ones((2, 68)), "Pose_Para": np.ones(7)}),
            r"must be \(3, 68\) finite numbers, got \(2, 68\)",
        ),
    ],
)
def test_broken_sets_are_refused(folder, break_it, message):
    break_it(folder)
    with pytest.raises(DatasetError, match=message):
        read_aflw2000(folder)
