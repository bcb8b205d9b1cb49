from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from deep3d.errors import CheckpointInvalid, CheckpointMismatch, CheckpointMissing
from deep3d.network.architecture import TRUNKS
from deep3d.network.checkpoints import SCHEMA, read_checkpoint, write_checkpoint

FIRST = "backbone.conv1.weight"
LAST = "final_layers.6.bias"


@pytest.fixture
def damaged(tmp_path, toy_checkpoint_path):
    """A function that writes the toy checkpoint with some arrays or metadata replaced, or removed by None."""
    from safetensors import safe_open

    with safe_open(toy_checkpoint_path, "numpy") as file:
        original = file.metadata()

    def write(arrays=None, metadata=None):
        path = tmp_path / "damaged.safetensors"
        changed = load_file(toy_checkpoint_path) | (arrays or {})
        texts = original | (metadata or {})
        save_file(
            {name: value for name, value in changed.items() if value is not None},
            path,
            {name: value for name, value in texts.items() if value is not None},
        )
        return path

    return write


def assert_refused(path, *words):
    with pytest.raises(CheckpointInvalid) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message


def test_float32_comes_back_unchanged(tmp_path, toy_checkpoint_arrays, toy_checkpoint_info):
    path = tmp_path / "plain.safetensors"
    write_checkpoint(path, toy_checkpoint_info, toy_checkpoint_arrays)
    checkpoint = read_checkpoint(path)
    assert checkpoint.info == toy_checkpoint_info
    assert checkpoint.storage == "float32"
    assert [*checkpoint.arrays] == [*TRUNKS["resnet18"].tensor_shapes()]
    for name, value in toy_checkpoint_arrays.items():
        np.testing.assert_array_equal(checkpoint.arrays[name], value, strict=True)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_float16_halves_the_file_and_rounds_weights_only(tmp_path, toy_checkpoint_arrays, toy_checkpoint_info):
    path = tmp_path / "half.safetensors"
    write_checkpoint(path, toy_checkpoint_info, toy_checkpoint_arrays, "float16")
    checkpoint = read_checkpoint(path)
    count = sum(value.size for value in toy_checkpoint_arrays.values())
    assert path.stat().st_size < 2.05 * count
    for name, value in toy_checkpoint_arrays.items():
        np.testing.assert_allclose(checkpoint.arrays[name], value, rtol=5e-4 if value.ndim == 4 else 0, atol=3e-8)


def test_int8_is_a_complete_state_dict_in_a_quarter_of_the_space(
    toy_checkpoint, toy_checkpoint_path, toy_checkpoint_arrays
):
    count = sum(value.size for value in toy_checkpoint_arrays.values())
    assert toy_checkpoint_path.stat().st_size < 1.03 * count
    assert toy_checkpoint.storage == "int8"
    for name, shape in TRUNKS["resnet18"].tensor_shapes().items():
        assert toy_checkpoint.arrays[name].shape == shape
        assert toy_checkpoint.arrays[name].dtype == toy_checkpoint_arrays[name].dtype
    name = "final_layers.4.weight"
    np.testing.assert_allclose(toy_checkpoint.arrays[name], toy_checkpoint_arrays[name], rtol=5e-4, atol=3e-8)


def test_sha256_is_of_the_file(toy_checkpoint, toy_checkpoint_path):
    import hashlib

    assert toy_checkpoint.sha256 == hashlib.sha256(toy_checkpoint_path.read_bytes()).hexdigest()


def test_belongs_to_the_face_model_it_was_trained_for(toy_checkpoint, toy_face_model):
    toy_checkpoint.require_model(toy_face_model.info)
    other = replace(toy_face_model.info, name="other", version="2", sha256="ab" * 32)
    with pytest.raises(CheckpointMismatch) as caught:
        toy_checkpoint.require_model(other)
    assert "toy 1" in str(caught.value) and "other 2" in str(caught.value) and "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointMissing, match=r"none\.safetensors: no checkpoint there"):
        read_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointMissing, match="no checkpoint there"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 3000, -1])
def test_truncated_file(tmp_path, toy_checkpoint_path, kept):
    path = tmp_path / "truncated.safetensors"
    path.write_bytes(toy_checkpoint_path.read_bytes()[:kept])
    assert_refused(path, "damaged")


def test_file_of_another_kind(tmp_path, toy_model_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"PK\x03\x04 a pickle of torch" * 100)
    assert_refused(path, "damaged")
    assert_refused(toy_model_path, "schema 'deep3d.face_model/1'", SCHEMA)


def test_metadata_that_are_a_list(tmp_path):
    header = b'{"__metadata__":["schema"]}'
    path = tmp_path / "list.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert_refused(path, "damaged")


def test_file_without_metadata(tmp_path):
    path = tmp_path / "bare.safetensors"
    save_file({FIRST: np.zeros(3, np.float32)}, path)
    assert_refused(path, "schema None", SCHEMA)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"schema": "deep3d.checkpoint/9"}, ["deep3d.checkpoint/9", SCHEMA]),
        ({"licence": None, "created": None}, ["metadata lacks created, licence"]),
        ({"trunk": "resnet99"}, ["resnet99"]),
        ({"storage": "int3"}, ["int3"]),
        ({"accuracy": "very good"}, ["accuracy"]),
        ({"trunk": "resnet50"}, ["missing", "resnet50"]),
        ({"storage": "float32"}, ["missing"]),
    ],
)
def test_wrong_metadata(damaged, metadata, words):
    assert_refused(damaged(metadata=metadata), *words)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({FIRST: None}, [FIRST, "missing"]),
        ({LAST: None}, [LAST, "missing"]),
        ({"backbone.fc.weight": np.zeros((4, 4), np.float32)}, ["backbone.fc.weight", "foreign"]),
        ({LAST: np.zeros(2, np.float32)}, [LAST, "(2,)", "(1,)"]),
        ({LAST: np.full(1, np.nan, np.float32)}, [LAST, "not finite"]),
        ({f"{FIRST}_scale": np.full(64, np.inf, np.float32)}, [FIRST, "finite scale"]),
        ({f"{FIRST}_scale": None}, [FIRST, "scale"]),
        ({f"{FIRST}_scale": np.ones(3, np.float32)}, [FIRST, "scale"]),
    ],
)
def test_wrong_arrays(damaged, arrays, words):
    assert_refused(damaged(arrays=arrays), *words)


def test_nothing_is_written_that_could_not_be_read(tmp_path, toy_checkpoint_arrays, toy_checkpoint_info):
    path = tmp_path / "new.safetensors"
    broken = toy_checkpoint_arrays | {LAST: np.full(1, np.nan, np.float32)}
    with pytest.raises(CheckpointInvalid, match="not finite"):
        write_checkpoint(path, toy_checkpoint_info, broken)
    with pytest.raises(CheckpointInvalid, match="is missing for trunk resnet50"):
        write_checkpoint(path, replace(toy_checkpoint_info, trunk="resnet50"), toy_checkpoint_arrays)
    with pytest.raises(CheckpointInvalid, match="storage 'int4' is unknown"):
        write_checkpoint(path, toy_checkpoint_info, toy_checkpoint_arrays, "int4")
    assert not list(tmp_path.iterdir())


def test_without_weights_it_still_tells_where_it_comes_from():
    checkpoint = read_checkpoint()
    light = checkpoint.without_weights()
    assert (light.path, light.sha256, light.info) == (checkpoint.path, checkpoint.sha256, checkpoint.info)
    assert light.dense_vertices == checkpoint.dense_vertices
    assert len(light.dense_vertices) > 68
    assert sum(array.nbytes for array in light.stored.values()) < 10_000
    with pytest.raises(CheckpointInvalid, match=r"backbone.bn1.bias was not kept; read_checkpoint reads"):
        light.array("backbone.bn1.bias")
