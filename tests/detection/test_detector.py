from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep3d.detection.cascade import not_covered
from deep3d.detection.detector import Detection, FaceDetector
from deep3d.errors import ShapeError
from deep3d.landmarks import five_points

SAMPLE = Path(__file__).parents[2] / "docs" / "sample" / "astronaut.jpg"
# Read off the sample photo at eight times its size: pupils, nose tip, corners of the mouth.
SAMPLE_POINTS = np.array([[203.3, 100.4], [246.1, 102.8], [224.8, 126.4], [203.9, 140.2], [243.6, 141.2]])


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    return np.asarray(Image.open(SAMPLE))


@pytest.fixture(scope="module")
def face(detector: FaceDetector, sample: np.ndarray) -> Detection:
    (faces,) = detector.detect([sample])
    return faces[0]


def test_landmarks_of_the_sample(face: Detection):
    assert face.score > 0.95
    assert np.abs(face.landmarks - SAMPLE_POINTS).max() < 4
    left, top, right, bottom = face.box
    inside = (face.landmarks > [left, top]) & (face.landmarks < [right, bottom])
    assert inside.all()


def test_mirrored_photo_gives_mirrored_landmarks(detector: FaceDetector, sample: np.ndarray, face: Detection):
    """Half a pixel of offset would show as a whole one here; the eye on the image left stays first."""
    mirrored = detector.detect([sample[:, ::-1]])[0][0]
    expected = face.landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [sample.shape[1] - 1, 0]
    difference = mirrored.landmarks - expected
    assert np.abs(difference).max() < 1.2
    assert np.abs(difference.mean(axis=0)).max() < 0.7


def test_landmarks_follow_the_size_of_the_photo(detector: FaceDetector, sample: np.ndarray, face: Detection):
    large = np.asarray(Image.fromarray(sample).resize((1536, 1536), Image.Resampling.BICUBIC))
    found = detector.detect([large])[0][0]
    assert np.abs((found.landmarks + 0.5) / 3 - 0.5 - face.landmarks).max() < 1.5


def test_small_face_in_a_large_photo(detector: FaceDetector, sample: np.ndarray):
    # given a face of 25 pixels in 1280, too small for the first look
    photo = np.full((1280, 1000, 3), 120, np.uint8)
    small = np.asarray(Image.fromarray(sample[30:230, 120:320]).resize((60, 60), Image.Resampling.BOX))
    photo[900:960, 300:360] = small
    # when and then
    (found,) = detector.detect([photo])
    assert len(found) == 1
    expected = (SAMPLE_POINTS + 0.5 - [120, 30]) * 0.3 - 0.5 + [300, 900]
    assert np.abs(found[0].landmarks - expected).max() < 3


@pytest.mark.parametrize("faces", ["largest", "all"])
@pytest.mark.parametrize(("height", "width"), [(20_000, 512), (512, 12_000)])
def test_a_small_face_in_a_very_long_picture(detector: FaceDetector, sample: np.ndarray, height, width, faces):
    photo = np.full((height, width, 3), 120, np.uint8)
    top, left = (height - height // 4) * (height > width), (width - width // 4) * (width > height)
    photo[top : top + 512, left : left + 512] = sample
    (found,) = detector.detect([photo], faces)
    assert np.abs(found[0].landmarks - SAMPLE_POINTS - [left, top]).max() < 6


def test_a_long_picture_changes_nothing_for_others(detector: FaceDetector, sample: np.ndarray):
    long = np.full((3000, 300, 3), 90, np.uint8)
    (alone,), (_, beside, _) = detector.detect([sample]), detector.detect([long, sample, long])
    assert np.array_equal(beside[0].landmarks, alone[0].landmarks)


def test_a_glance_sees_what_is_large(detector: FaceDetector, sample: np.ndarray):
    photo = np.full((1280, 1000, 3), 120, np.uint8)
    photo[900:960, 300:360] = np.asarray(Image.fromarray(sample[30:230, 120:320]).resize((60, 60)))
    for faces in ("largest", "all"):
        assert [len(found) for found in detector.detect([sample, photo], faces, "glance")] == [1, 0]


@pytest.mark.parametrize("size", [60, 34])  # in 400: found by the second glance, and by neither
def test_glances_do_not_lose_small_faces(detector: FaceDetector, sample: np.ndarray, size: int):
    photo = np.full((400, 330, 3), 120, np.uint8)
    face = Image.fromarray(sample[30:230, 120:320]).resize((size, size), Image.Resampling.BOX)
    photo[300 : 300 + size, 40 : 40 + size] = np.asarray(face)
    (found,) = detector.detect([photo], "largest")
    expected = (SAMPLE_POINTS + 0.5 - [120, 30]) * size / 200 - 0.5 + [40, 300]
    assert np.abs(found[0].landmarks - expected).max() < 3


def test_largest_face_comes_first(detector: FaceDetector, sample: np.ndarray):
    face = Image.fromarray(sample[20:260, 110:350])
    photo = np.full((400, 900, 3), 100, np.uint8)
    for left, size in ((20, 120), (200, 360), (620, 200)):
        photo[20 : 20 + size, left : left + size] = np.asarray(face.resize((size, size), Image.Resampling.BOX))
    (found,) = detector.detect([photo])
    heights = [face.box[3] - face.box[1] for face in found]
    assert len(found) == 3
    assert all(first > second for first, second in pairwise(heights))
    assert 200 < found[0].landmarks[:, 0].mean() < 560


@pytest.mark.parametrize("change", ["dim", "tight", "cut"])
def test_hard_photos(detector: FaceDetector, sample: np.ndarray, change: str):
    corner = np.zeros(2)
    photo = sample
    if change == "dim":
        photo = (sample * 0.1 + 60).astype(np.uint8)
    elif change == "tight":
        photo, corner = sample[70:180, 175:275], np.array([175, 70])
    elif change == "cut":
        photo = sample[:, :245]
    (found,) = detector.detect([photo])
    assert np.abs(found[0].landmarks + corner - SAMPLE_POINTS).mean() < 5


def test_no_face(detector: FaceDetector):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    narrow = np.zeros((32, 2000, 3), np.uint8)
    assert detector.detect([noise, narrow, np.full((300, 300, 3), 255, np.uint8)]) == [[], [], []]
    assert detector.detect([]) == []


def test_wrong_shape_is_named(detector: FaceDetector):
    with pytest.raises(ShapeError, match=r"photo: expected \(H, W, 3\) uint8, got \(40, 40\) uint8"):
        detector.detect([np.zeros((40, 40), np.uint8)])


def test_not_covered_matches_loop():
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 100, (60, 2))
    boxes = np.hstack([corner, corner + generator.uniform(5, 60, (60, 2))])
    scores = generator.uniform(size=60)
    kept: list[int] = []
    for number in sorted(range(60), key=lambda n: -scores[n]):
        for other in kept:
            a, b = boxes[number], boxes[other]
            width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
            if width > 0 and height > 0 and width * height > 0.7 * smaller:
                break
        else:
            kept.append(number)
    assert not_covered(boxes, scores, 0.7) == kept


def test_portraits(detector: FaceDetector, shared: Path):
    """A few of the portraits that calibrate; the landmarks are near another detector's."""
    with np.load(shared / "portraits" / "landmarks.npz") as archive:
        names, reference = archive["names"][::80], archive["mediapipe68"][::80]
    photos = [np.asarray(Image.open(shared / "portraits" / "photos" / str(name)).convert("RGB")) for name in names]
    for faces, points in zip(detector.detect(photos), reference):
        size = np.sqrt(np.prod(np.ptp(points, axis=0)))
        assert np.linalg.norm(faces[0].landmarks - five_points(points), axis=1).mean() < 0.06 * size


def test_photos_seen_together_give_what_each_gives_alone(detector: FaceDetector, sample: np.ndarray):
    wide = np.full((300, 700, 3), 90, np.uint8)
    wide[20:260, 400:640] = sample[20:260, 110:350]
    photos = [sample, np.zeros((200, 200, 3), np.uint8), wide]
    together = detector.detect(photos)
    assert [len(faces) for faces in together] == [1, 0, 1]
    for photo, faces in zip(photos, together):
        for face, alone in zip(faces, detector.detect([photo])[0]):
            assert np.abs(face.landmarks - alone.landmarks).max() < 1.0  # of a face 90 pixels wide


def test_the_largest_face_alone_is_the_first_of_all(detector: FaceDetector, sample: np.ndarray, face: Detection):
    (faces,) = detector.detect([sample], "largest")
    assert np.abs(faces[0].landmarks - face.landmarks).max() < 0.015 * np.ptp(face.box[::2])
