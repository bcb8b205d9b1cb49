"""Files of refiners: what comes back, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.network.architecture import DENSE_VERTICES
from deep3d.network.checkpoints import Checkpoint
from deep3d.refiner import read_refiner, refiner_path, write_refiner


@pytest.fixture
def checkpoint(toy_checkpoint, model, vertices, tmp_path) -> Checkpoint:
    """One whose dense landmarks are those that the refiner is for."""
    return replace(
        toy_checkpoint,
        path=tmp_path / "face.safetensors",
        info=replace(toy_checkpoint.info, face_model_sha256=model.info.sha256),
        stored={DENSE_VERTICES: np.array(vertices)},
    )


def test_a_checkpoint_may_have_none(checkpoint):
    assert read_refiner(checkpoint) is None


def test_weights_come_back_nearly_as_they_were(checkpoint, info, vertices, arrays):
    write_refiner(refiner_path(checkpoint), info, vertices, arrays)

    read = read_refiner(checkpoint)

    assert read is not None
    assert refiner_path(checkpoint).name == "face.refiner.safetensors"
    assert read.info == info and read.vertices == vertices
    assert refiner_path(checkpoint).stat().st_size < 1.7e6
    for name, value in arrays.items():
        step = np.abs(value).max() / (127 if value.ndim == 4 else 1000)
        assert_allclose(read.arrays[name], value, atol=step, err_msg=name)


def test_a_refiner_of_other_landmarks_is_refused(checkpoint, info, vertices, arrays):
    write_refiner(refiner_path(checkpoint), info, vertices[::-1], arrays)
    with pytest.raises(CheckpointMismatch, match=r"face\.refiner\.safetensors: trained for other landmarks"):
        read_refiner(checkpoint)


def test_a_refiner_of_another_face_model_is_refused(checkpoint, info, vertices, arrays):
    write_refiner(refiner_path(checkpoint), replace(info, face_model_sha256="0" * 64), vertices, arrays)
    with pytest.raises(CheckpointMismatch, match="trained for another face model"):
        read_refiner(checkpoint)


def test_damaged_files_are_named(checkpoint, info, vertices, arrays):
    path = refiner_path(checkpoint)
    write_refiner(path, info, vertices, arrays)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointInvalid, match=r"face\.refiner\.safetensors: damaged"):
        read_refiner(checkpoint)


def test_numbers_that_are_not_finite_are_never_written(checkpoint, info, vertices, arrays):
    arrays["fine.0.first.bias"] = np.full_like(arrays["fine.0.first.bias"], np.nan)
    with pytest.raises(CheckpointInvalid, match=r"fine\.0\.first\.bias"):
        write_refiner(refiner_path(checkpoint), info, vertices, arrays)
    assert not refiner_path(checkpoint).exists()


def test_a_missing_array_is_named(checkpoint, info, vertices, arrays):
    del arrays["context.weight"]
    with pytest.raises(CheckpointInvalid, match=r"context\.weight"):
        write_refiner(refiner_path(checkpoint), info, vertices, arrays)
