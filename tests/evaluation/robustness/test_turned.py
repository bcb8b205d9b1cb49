"""Turned portraits count as found when they come upright."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.datasets.frozen import PortraitSet
from deep3d.evaluation.robustness.turned import TURNS, evaluate_turned, turned_benchmark
from deep3d.landmarks import box_size

LANDMARKS = np.random.default_rng(0).uniform(60, 160, (2, 68, 2))


def test_only_those_that_come_upright_are_measured(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for path in paths:
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (220, 240, 3), np.uint8)).save(path)

    class Reconstructor:
        """Turns all photos upright but those upside down, and is off by 1%."""

        def __init__(self) -> None:
            self.seen = 0

        def reconstruct(self, photos):
            reference = LANDMARKS[self.seen]
            self.seen += 1
            faces = []
            for number, photo in enumerate(photos):
                right = photo.turned(-TURNS[number]) if number else photo
                faces.append(
                    [SimpleNamespace(photo=right, landmarks68_mediapipe=reference + [box_size(reference) / 100, 0])]
                )
            faces[2][0].photo = replace(faces[2][0].photo, turn=0)
            return faces

    reconstructor: Any = Reconstructor()
    measured = evaluate_turned(reconstructor, PortraitSet(tuple(paths), LANDMARKS))
    assert_allclose(measured.errors["nme51"], [1, 1, np.nan, 1] * 2)
    assert {turn: summary.found for turn, summary in measured.by_group("turn").items()} == {
        "0": 2,
        "90": 2,
        "180": 0,
        "270": 2,
    }


def test_the_mean_face_turns_nothing(tmp_path):
    mean_face: Any = SimpleNamespace(name="mean face")
    assert turned_benchmark(PortraitSet((), LANDMARKS[:0])).measure(mean_face, None) is None
