"""The measuring sets are read whole, split by number, and refused with a clear line."""

import numpy as np
import pytest

from deep3d.errors import DatasetError
from deep3d.evaluation import read_heads, read_portraits


def rewrite(file, **changes):
    """The same archive with some arrays changed, or left out where the change is None."""
    arrays = {**np.load(file), **changes}
    np.savez(file, **{name: value for name, value in arrays.items() if value is not None})


@pytest.mark.parametrize(("half", "numbers"), [("tune", [0, 2, 4]), ("report", [1, 3])])
def test_even_photos_tune_and_odd_ones_report(portraits_folder, half, numbers):
    portraits = read_portraits(portraits_folder, half)
    assert [photo.name for photo in portraits.photos] == [f"portrait_{number:03d}.jpg" for number in numbers]
    everything = np.load(portraits_folder / "landmarks.npz")["mediapipe68"]
    np.testing.assert_array_equal(portraits.landmarks, everything[numbers])


def test_heads_come_with_their_photos(heads_folder):
    heads = read_heads(heads_folder)
    assert [photo.name for photo in heads.photos] == ["head_000.jpg", "head_001.jpg"]
    assert heads.scans.shape == (2, 143, 3) and heads.scans.dtype == np.float64


@pytest.mark.parametrize("reader", [lambda folder: read_portraits(folder, "tune"), read_heads])
def test_a_folder_without_the_archive_is_refused(tmp_path, reader):
    with pytest.raises(DatasetError, match=r"npz: no such file"):
        reader(tmp_path)


def test_a_damaged_archive_is_refused(portraits_folder):
    file = portraits_folder / "landmarks.npz"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"landmarks.npz: damaged"):
        read_portraits(portraits_folder, "tune")


def test_a_file_that_is_no_archive_is_refused(portraits_folder):
    np.save(portraits_folder / "landmarks.npy", np.zeros(3))
    (portraits_folder / "landmarks.npy").replace(portraits_folder / "landmarks.npz")
    with pytest.raises(DatasetError, match=r"landmarks.npz: damaged"):
        read_portraits(portraits_folder, "tune")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mediapipe68": None}, "'mediapipe68' is missing"),
        ({"mediapipe68": np.zeros((5, 51, 2))}, r"\(5, 51, 2\), expected \(5, 68, 2\)"),
        ({"names": np.array(["a.jpg"] * 5)}, "'a.jpg' ends in no number"),
        ({"names": np.array(["portrait_009.jpg"] * 5)}, "no portrait of the 'tune' half"),
        ({"names": np.array(["portrait_008.jpg"] * 5)}, r"portrait_008.jpg: photo missing, 5 in all"),
    ],
)
def test_portraits_that_are_not_as_documented_are_refused(portraits_folder, changes, message):
    rewrite(portraits_folder / "landmarks.npz", **changes)
    with pytest.raises(DatasetError, match=message):
        read_portraits(portraits_folder, "tune")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scan_landmarks51": None}, "'scan_landmarks51' is missing"),
        ({"scan_mm": np.zeros((2, 143))}, r"\(2, 143\), expected \(heads, points, 3\)"),
        ({"scan_landmarks51": np.arange(51) + 100}, "must be 51 numbers below 143"),
        ({"landmarks68": np.zeros((2, 51, 2))}, r"'landmarks68' is \(2, 51, 2\), expected \(2, 68, 2\)"),
        (
            {"scan_mm": np.zeros((3, 143, 3)), "landmarks68": np.zeros((3, 68, 2))},
            "head_002.jpg: photo missing, 1 in all",
        ),
    ],
)
def test_heads_that_are_not_as_documented_are_refused(heads_folder, changes, message):
    rewrite(heads_folder / "scans.npz", **changes)
    with pytest.raises(DatasetError, match=message):
        read_heads(heads_folder)


def test_an_unknown_half_is_refused(portraits_folder):
    with pytest.raises(DatasetError, match="use 'tune' or 'report'"):
        read_portraits(portraits_folder, "test")  # pyright: ignore[reportArgumentType]
