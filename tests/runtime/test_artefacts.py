"""The network as files of other formats, and what is refused when they are read again."""

import shutil

import numpy as np
import onnx
import openvino
import pytest
import torch

from deep3d.cli import runtimes
from deep3d.errors import RuntimeUnavailable
from deep3d.network.checkpoints import read_checkpoint
from deep3d.runtime import load_runtime
from deep3d.runtime.artefacts import SUFFIXES, write_artefact
from deep3d.runtime.calibration import Calibration, regressor_ranges
from deep3d.runtime.regressor_graph import observed


@pytest.fixture
def checkpoint(toy_checkpoint, tmp_path):
    """A copy, so that a calibration can lie beside it."""
    path = tmp_path / "toy.safetensors"
    shutil.copyfile(toy_checkpoint.path, path)
    return read_checkpoint(path)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(3).random((4, 3, 224, 224), np.float32)


def _run(path, crops):
    match path.suffix:
        case ".xml":
            return openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([crops])[0]
        case ".pt":
            return torch.jit.load(path)(torch.from_numpy(crops)).detach().numpy()
        case _:
            return torch.export.load(path).module()(torch.from_numpy(crops)).detach().numpy()


@pytest.mark.parametrize("runtime", [name for name in SUFFIXES if name != "onnx"])
def test_files_give_what_the_network_gives(runtime, checkpoint, crops, tmp_path):
    path = tmp_path / f"network{SUFFIXES[runtime]}"
    write_artefact(checkpoint, runtime, "fp32", path)
    expected = load_runtime(checkpoint, "eager", precision="fp32")(crops[:2])
    np.testing.assert_allclose(_run(path, crops[:2]), expected, atol=1e-4 * np.abs(expected).max())
    assert {file.stem for file in tmp_path.iterdir()} == {"network", "toy"}
    assert b"partial" not in path.read_bytes()


def test_an_onnx_file_is_a_runtime(checkpoint, crops, tmp_path):
    path = tmp_path / "network.onnx"
    write_artefact(checkpoint, "onnx", "fp32", path)
    runtime = load_runtime(checkpoint, str(path))
    expected = load_runtime(checkpoint, "onnx")(crops)
    np.testing.assert_array_equal(runtime(crops), expected)


def test_eight_bits_stay_near_the_network(checkpoint, crops, tmp_path):
    # given
    Calibration.of(checkpoint).write(regressor_ranges(checkpoint, crops))
    write_artefact(checkpoint, "onnx", "int8", tmp_path / "network.onnx")
    # when
    rounded = load_runtime(checkpoint, str(tmp_path / "network.onnx"))
    # then it differs, but by little of what crops differ by
    exact = load_runtime(checkpoint, "onnx")(crops)
    error = np.linalg.norm(rounded(crops) - exact)
    assert rounded.precision == "int8"
    assert 0 < error < 0.1 * np.linalg.norm(exact)


def test_eight_bits_hold_all_but_what_the_last_block_works_on(checkpoint):
    kept = observed(checkpoint).activations
    assert {"crops", "backbone.conv1", "backbone.layer4.0.conv1"} <= kept.keys()
    assert not {name for name in kept if name.startswith(("backbone.layer4.1", "final_layers"))}
    assert "backbone.layer4.0" not in kept  # which the last block adds to what it finds


def test_a_file_that_is_not_ours_is_refused_by_name(checkpoint, toy_checkpoint, tmp_path):
    path = tmp_path / "network.onnx"
    write_artefact(checkpoint, "onnx", "fp32", path)
    model = onnx.load(path)

    model.graph.initializer[0].raw_data = bytes(len(model.graph.initializer[0].raw_data))
    onnx.save(model, tmp_path / "edited.onnx")
    with pytest.raises(RuntimeUnavailable, match=r"edited\.onnx: has changed since deep3d wrote it"):
        load_runtime(checkpoint, str(tmp_path / "edited.onnx"))

    del model.metadata_props[:]
    onnx.save(model, tmp_path / "foreign.onnx")
    with pytest.raises(RuntimeUnavailable, match=r"foreign\.onnx: not a network that deep3d wrote"):
        load_runtime(checkpoint, str(tmp_path / "foreign.onnx"))

    (tmp_path / "broken.onnx").write_bytes(path.read_bytes()[:5000])
    with pytest.raises(RuntimeUnavailable, match=r"broken\.onnx: damaged, or not an ONNX file"):
        load_runtime(checkpoint, str(tmp_path / "broken.onnx"))

    with pytest.raises(RuntimeUnavailable, match=r"none\.onnx: cannot be read"):
        load_runtime(checkpoint, str(tmp_path / "none.onnx"))


def test_a_calibration_that_cannot_be_used_is_replaced(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(runtimes, "CALIBRATION_HEADS", 2)
    monkeypatch.setattr(runtimes, "HEADS_AT_ONCE", 2)
    calibration = Calibration.of(checkpoint)
    calibration.path.write_text("{}")
    runtimes.export(tmp_path / "network.onnx", "onnx", "int8", checkpoint.path)
    assert calibration.read()["crops"].high > 0


def test_a_calibration_belongs_to_its_checkpoint(checkpoint, crops):
    calibration = Calibration.of(checkpoint)
    assert not calibration.is_readable
    with pytest.raises(RuntimeUnavailable, match="int8 needs this file, which does not exist; deep3d export"):
        calibration.read()
    calibration.write(regressor_ranges(checkpoint, crops[:1]))
    assert calibration.path == checkpoint.path.with_name("toy.int8.json")
    assert calibration.is_readable
    written = calibration.path.read_text()
    high = calibration.read()["crops"].high
    for wrong, message in [
        (written.replace(checkpoint.sha256, "0" * 64), "belongs to other weights"),
        (written.replace("backbone.conv1", "elsewhere"), "'ranges' is not a range for each activation"),
        (written.replace(f"[0.0, {high}]", "[0.0, -1.0]"), "'ranges' is not a range"),
        (written.replace(f"[0.0, {high}]", "[0.1, 1.0]"), "'ranges' is not a range"),
        (written.replace(f"[0.0, {high}]", "[0.0, NaN]"), "'ranges' is not a range"),
        (written.replace(f"[0.0, {high}]", "[0.0]"), "'ranges' is not a range"),
        (written[:50], "not JSON"),
        ("[]", "not a calibration file of this version"),
    ]:
        calibration.path.write_text(wrong)
        with pytest.raises(RuntimeUnavailable, match=message):
            calibration.read()
