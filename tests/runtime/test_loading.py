"""All runtimes against the plain network, and the choice among them."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from deep3d.errors import ConfigError, RuntimeUnavailable
from deep3d.network.checkpoints import read_checkpoint
from deep3d.network.torch_regressor import build_network
from deep3d.runtime import (
    RUNTIMES,
    Runtime,
    available_precisions,
    available_runtimes,
    choose_runtime,
    load_runtime,
    loading,
)
from deep3d.runtime.cores import processor_precisions

CPU = [name for name in RUNTIMES if name != "cuda"]
TORCH = [name for name in CPU if RUNTIMES[name] == "torch"]


@pytest.fixture(autouse=True)
def threads_as_before():
    """Torch's runtimes set the number of threads of the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(224).random((3, 3, 224, 224), np.float32)


@pytest.fixture(scope="module")
def expected(toy_checkpoint, crops) -> np.ndarray:
    with torch.inference_mode():
        return build_network(toy_checkpoint)(torch.from_numpy(crops)).numpy()


@pytest.mark.parametrize("name", CPU)
def test_agrees_with_the_network_for_any_batch_size(name, toy_checkpoint, crops, expected):
    runtime: Runtime = load_runtime(toy_checkpoint, name, threads=1, precision="fp32")
    assert (runtime.name, runtime.precision) == (name, "fp32")
    for count in (1, 3, 2, 1):
        output = runtime(crops[:count])
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, expected[:count], atol=1e-4 * np.abs(expected).max())


@pytest.mark.skipif("bf16" not in processor_precisions(), reason="this processor has no bf16 arithmetic")
@pytest.mark.parametrize("name", [name for name in CPU if "bf16" in loading.PRECISIONS[name]])
def test_bf16_agrees_within_its_precision(name, toy_checkpoint, crops, expected):
    runtime = load_runtime(toy_checkpoint, name, threads=1, precision="bf16")
    for count in (1, 3):
        output = runtime(crops[:count])
        assert output.dtype == np.float32
        error = np.linalg.norm(output - expected[:count])
        assert 0 < error < 0.02 * np.linalg.norm(expected[:count])


@pytest.mark.parametrize("name", CPU)
def test_crops_stay_as_they_are_and_results_are_separate(name, toy_checkpoint, crops):
    runtime = load_runtime(toy_checkpoint, name, threads=1)
    before = crops.copy()
    first = runtime(crops[:1])
    kept = first.copy()
    runtime(crops[1:2])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(crops, before)


@pytest.mark.parametrize("name", TORCH)
def test_torch_takes_the_chosen_number_of_threads(name, toy_checkpoint):
    load_runtime(toy_checkpoint, name, threads=1)
    assert torch.get_num_threads() == 1


def test_users_see_no_deprecation_warning(toy_checkpoint, crops):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_runtime(toy_checkpoint, "torchscript", threads=1)(crops[:1])


def test_the_first_that_is_installed_is_taken(monkeypatch, toy_checkpoint):
    assert [name for name in available_runtimes() if name != "cuda"] == CPU
    monkeypatch.setattr(loading, "find_spec", lambda package: package == "onnxruntime" or None)
    assert available_runtimes() == ["onnx"]
    runtime = load_runtime(toy_checkpoint)
    assert (runtime.name, runtime.precision) == ("onnx", "fp32")
    with pytest.raises(RuntimeUnavailable, match=r"runtime: openvino needs the package openvino.*choose one of onnx"):
        load_runtime(toy_checkpoint, "openvino")


def test_bf16_needs_a_processor_that_has_it(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(loading, "processor_precisions", lambda: ("fp32",))
    assert available_precisions("openvino") == ["fp32"]
    with pytest.raises(RuntimeUnavailable, match="no bf16 arithmetic, choose fp32"):
        load_runtime(toy_checkpoint, "torchscript", precision="bf16")


@pytest.mark.parametrize("processor", [("fp32", "int8"), ("fp32", "bf16", "int8")])
def test_eight_bits_are_taken_where_they_are_calibrated(monkeypatch, toy_checkpoint, processor):
    monkeypatch.setattr(loading, "processor_precisions", lambda: processor)
    assert available_precisions("openvino")[0] == "int8"
    # given a checkpoint that has no calibration, then one that has
    assert choose_runtime(toy_checkpoint, "openvino").precision != "int8"
    assert choose_runtime(read_checkpoint(), "openvino").precision == "int8"


def test_bf16_is_taken_where_eight_bits_are_not_to_be_had(monkeypatch):
    monkeypatch.setattr(loading, "processor_precisions", lambda: ("fp32", "bf16"))
    assert choose_runtime(read_checkpoint(), "openvino").precision == "bf16"


def test_unknown_names(toy_checkpoint):
    with pytest.raises(ConfigError, match="runtime: 'tpu' is unknown, choose one of cuda, openvino, onnx"):
        load_runtime(toy_checkpoint, "tpu")
    with pytest.raises(ConfigError, match="precision: 'fp8' is unknown to runtime eager, choose one of bf16, fp32"):
        load_runtime(toy_checkpoint, "eager", precision="fp8")


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_from_photo_to_files_without_torch(runtime, tmp_path):
    code = (
        "import sys, deep3d\n"
        "face = deep3d.Reconstructor.load(runtime=sys.argv[1])('docs/sample/astronaut.jpg')\n"
        "deep3d.write_results(face, sys.argv[2])\n"
        "assert not {'torch', 'torchvision', 'facenet_pytorch'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code, runtime, str(tmp_path / "face")], check=True)
    assert (tmp_path / "face" / "face.glb").stat().st_size > 1_000_000


def test_torch_comes_without_its_compiler_which_takes_seconds_to_import():
    code = (
        "import sys\n"
        "from deep3d.network.checkpoints import read_checkpoint\n"
        "from deep3d.runtime import load_runtime\n"
        "load_runtime(read_checkpoint(), 'eager')\n"
        "assert not {'torchvision', 'torch._dynamo', 'sympy'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_needs_a_gpu(toy_checkpoint):
    assert "cuda" not in available_runtimes()
    with pytest.raises(RuntimeUnavailable, match="runtime: cuda needs an NVIDIA GPU"):
        load_runtime(toy_checkpoint, "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 0.02)])
def test_a_gpu_agrees_with_the_network(precision, tolerance, toy_checkpoint, crops, expected):
    runtime = load_runtime(toy_checkpoint, "cuda", precision=precision)
    for count in (1, 3):
        assert np.linalg.norm(runtime(crops[:count]) - expected[:count]) < tolerance * np.linalg.norm(expected[:count])
