"""Heads from rendering processes, against the same heads drawn here."""

import multiprocessing
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from deep3d.errors import TrainingError
from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.synthetic.heads import HeadGenerator
from deep3d.training.stream import CHUNK, HeadStream
from tests.training.conftest import CONFIG, STAGE

SIZE = 32
DENSE = (5, 1, 4000)
SHORT = replace(STAGE, batch_size=8, steps=2)


@pytest.fixture(scope="module")
def expected() -> dict[bytes, tuple[np.ndarray, np.ndarray]]:
    """Small crops and dense landmarks of the first heads that the renderer will draw, by their labels."""
    generator = HeadGenerator(read_face_model(asset("bfm", OPEN_MODEL)), 8, DENSE)
    heads = [generator.draw(CHUNK) for _ in range(6)]  # 96: no more are rendered for the draws below
    crops = [
        np.asarray(Image.fromarray(crop).resize((SIZE, SIZE), Image.Resampling.BOX))
        for part in heads
        for crop in part.crops
    ]
    points = [point for part in heads for point in part.points]
    names = (vector.tobytes() for part in heads for vector in part.vectors)
    return dict(zip(names, zip(crops, points, strict=True), strict=True))


def test_labels_belong_to_their_crops_while_the_ring_goes_round_and_a_dead_renderer_is_noticed(expected):
    with HeadStream(asset("bfm", OPEN_MODEL), DENSE, CONFIG, SHORT, seed=7) as stream:
        seen = set()
        for round_ in range(8):  # of 16 draws: the ring of 64 heads goes round
            heads = stream.batch(16)
            assert heads.crops.shape == (16, SIZE, SIZE, 3) and heads.vectors.shape == (16, 257)
            for crop, vector, points in zip(heads.crops, heads.vectors, heads.points, strict=True):
                assert_array_equal(crop, expected[vector.tobytes()][0])
                assert_array_equal(points, expected[vector.tobytes()][1])
                seen.add(vector.tobytes())
            drawn = 16 * (round_ + 1)
            assert drawn / CONFIG.reuse <= stream.made <= 2 * CHUNK + drawn / CONFIG.reuse
        assert len(seen) > 40  # of the 64 to 96 that were rendered by then

        next(child for child in multiprocessing.active_children() if child.name == "renderer 1").kill()
        with pytest.raises(TrainingError, match=r"renderer 1.*exit code -9"):
            for _ in range(100):  # long before the heads that are there run out of use
                stream.batch(1)
                time.sleep(0.02)

    assert not [child for child in multiprocessing.active_children() if child.name.startswith("renderer")]


def test_a_renderer_that_never_starts_is_noticed(tmp_path):
    with (
        HeadStream(tmp_path / "none.safetensors", DENSE, CONFIG, SHORT, seed=7) as stream,
        pytest.raises(TrainingError, match="exit code 1"),
    ):
        stream.batch(8)
