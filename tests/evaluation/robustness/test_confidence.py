"""The figures of confidence, from faces whose error and confidence are known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.confidence import Confidence
from deep3d.datasets.frozen import PortraitSet
from deep3d.evaluation.robustness.confidence import _figures, confidence_benchmark, evaluate_confidence
from deep3d.evaluation.robustness.degradation import DEGRADATIONS
from deep3d.landmarks import box_size

LANDMARKS = np.random.default_rng(0).uniform(60, 160, (2, 68, 2))


@pytest.fixture
def portraits(tmp_path) -> PortraitSet:
    pixels = np.random.default_rng(1).integers(0, 256, (220, 240, 3), np.uint8)
    photos = [tmp_path / "a_1.png", tmp_path / "a_3.png"]
    for photo in photos:
        Image.fromarray(pixels).save(photo)
    return PortraitSet(tuple(photos), LANDMARKS)


def test_spoiled_photos_keep_their_size_and_lose_something(portraits):
    photo = np.asarray(Image.open(portraits.photos[0]))
    box = np.array([60.0, 60, 160, 160])
    for name, spoil in DEGRADATIONS.items():
        copy = spoil(photo, box, np.random.default_rng(2))
        assert copy.shape == photo.shape and copy.dtype == np.uint8
        assert (copy != photo).any(axis=2)[60:160, 60:160].mean() > 0.1, name


def test_expected_and_true_errors_belong_to_the_same_face(portraits):
    class Reconstructor:
        """Off by 1% in every direction for each copy more, and says half of it; finds nothing in the last."""

        def __init__(self) -> None:
            self.seen = 0

        def reconstruct(self, photos):
            reference = LANDMARKS[self.seen]
            self.seen += 1
            step = box_size(reference) / 100
            faces = [
                SimpleNamespace(landmarks68_mediapipe=reference + [k * step, 0], confidence=Confidence(k / 2, ()))
                for k in range(len(photos))
            ]
            return [*([face] for face in faces[:-1]), []]

    reconstructor: Any = Reconstructor()
    errors = evaluate_confidence(reconstructor, portraits)
    assert_allclose(errors.errors["true"], [0, 1, 2, 3, 4] * 2, atol=1e-9)
    assert_allclose(errors.errors["expected"], errors.errors["true"] / 2)
    means = {kind: summary.mean for kind, summary in errors.by_group("photo").items()}
    assert means == pytest.approx({"as it is": 0, "blurred": 1, "noisy": 2, "dark": 3, "small": 4}, abs=1e-9)
    assert errors.figures["rank correlation"] > 0.95  # ties are broken by rounding
    assert errors.figures["said to be within 2.5%"] == 10
    assert errors.figures["of these truly, %"] == pytest.approx(60)
    assert [path.name for path in errors.photos] == ["a_1.png"] * 5 + ["a_3.png"] * 5


def test_the_mean_face_expects_nothing(portraits):
    mean_face: Any = SimpleNamespace(name="mean face")
    assert confidence_benchmark(portraits).measure(mean_face, None) is None


def test_nothing_claimed_is_nothing_covered():
    figures = _figures(np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    assert np.isnan(figures["of these truly, %"])
