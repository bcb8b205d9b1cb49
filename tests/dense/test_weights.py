"""Files of dense networks: what comes back, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.dense import FULL, SLIM, dense_path, read_dense, write_dense
from deep3d.dense.architecture import to_metadata
from deep3d.dense.layers import array_shapes
from deep3d.dense.weights import DENSE_FILES
from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.network.companions import CompanionKind


@pytest.fixture
def owner(checkpoint, tmp_path):
    return replace(checkpoint, path=tmp_path / "face.safetensors")


def test_a_checkpoint_may_have_none(owner):
    assert read_dense(owner) is None


def test_weights_come_back_nearly_as_they_were_in_three_megabytes(owner, info, arrays):
    write_dense(dense_path(owner), info, SLIM, arrays)
    read = read_dense(owner)
    assert read is not None and read.info == info and read.architecture == SLIM
    assert dense_path(owner).stat().st_size < 3e6
    for name, value in arrays.items():
        assert_allclose(read.arrays[name], value, atol=np.abs(value).max() / 20, err_msg=name)  # few are clipped


def test_networks_for_others_are_refused(owner, info, arrays):
    write_dense(dense_path(owner), replace(info, face_model_sha256="0" * 64), SLIM, arrays)
    with pytest.raises(CheckpointMismatch, match="trained for another face model"):
        read_dense(owner)
    write_dense(dense_path(owner), info, SLIM, arrays)
    with pytest.raises(CheckpointMismatch, match="stands on resnet50 for crops of 112"):
        read_dense(replace(owner, info=replace(owner.info, trunk="resnet18")))


def test_damaged_files_are_named(owner, info, arrays):
    write_dense(dense_path(owner), info, SLIM, arrays)
    content = dense_path(owner).read_bytes()
    dense_path(owner).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointInvalid, match=r"face\.dense\.safetensors: damaged"):
        read_dense(owner)
    with pytest.raises(CheckpointInvalid, match="missing, not"):
        rest = {name: value for name, value in arrays.items() if name != "maps.bias"}
        write_dense(dense_path(owner), info, SLIM, rest)


def test_networks_of_the_first_version_are_refused(owner, info, arrays):
    first = CompanionKind("dense network", ".dense.safetensors", "deep3d.dense/1")
    first.write(dense_path(owner), info, arrays, array_shapes(SLIM))
    with pytest.raises(CheckpointInvalid, match="no dense network of this version"):
        read_dense(owner)


def test_files_without_an_architecture_hold_a_slim_one(owner, info, arrays):
    DENSE_FILES.write(dense_path(owner), info, arrays, array_shapes(SLIM))
    read = read_dense(owner)
    assert read is not None and read.architecture == SLIM


def test_an_unknown_architecture_is_refused(owner, info, arrays):
    DENSE_FILES.write(dense_path(owner), info, arrays, array_shapes(SLIM), metadata={"architecture": '{"kind": "gan"}'})
    with pytest.raises(CheckpointInvalid, match=r"face\.dense\.safetensors: unknown architecture .*gan"):
        read_dense(owner)


def test_weights_of_another_architecture_are_refused(owner, info, arrays):
    stated = {"architecture": to_metadata(FULL)}
    DENSE_FILES.write(dense_path(owner), info, arrays, array_shapes(SLIM), metadata=stated)
    with pytest.raises(CheckpointInvalid, match="missing, not"):
        read_dense(owner)
