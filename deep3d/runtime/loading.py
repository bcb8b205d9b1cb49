"""Choose a runtime and a precision by name, or the best that is here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from deep3d.errors import ConfigError, RuntimeUnavailable
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.artefacts import SUFFIXES, network_graph, read_artefact
from deep3d.runtime.calibration import Calibration
from deep3d.runtime.cores import processor_precisions
from deep3d.runtime.interface import Network, Runtime

RUNTIMES = {
    "cuda": "torch",
    "openvino": "openvino",
    "onnx": "onnxruntime",
    "torchscript": "torch",
    "eager": "torch",
}
"""Each runtime's name and the package that it needs, the fastest first."""
PRECISIONS = {
    "cuda": ("bf16", "fp32"),
    "openvino": ("bf16", "int8", "fp32"),
    "onnx": ("fp32",),
    "torchscript": ("bf16", "fp32"),
    "eager": ("bf16", "fp32"),
}
"""The precisions that each runtime has, the one that is used unless another is asked for first."""

_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")  # asking torch would import it


class Choice(NamedTuple):
    """How a checkpoint's network is run on this machine."""

    name: str  # of the runtime, or of an .onnx file
    precision: str  # which such a file has of its own


def choose_runtime(checkpoint: Checkpoint, name: str | None = None, precision: str | None = None) -> Choice:
    """What `load_runtime` takes, and raises."""
    if name is not None and _is_file(name):
        return Choice(name, precision or "fp32")
    name = name or available_runtimes()[0]
    _require_available(name, precision)
    return Choice(name, precision or _precision_for(checkpoint, name))


def load_runtime(
    checkpoint: Checkpoint, name: str | None = None, threads: int | None = None, precision: str | None = None
) -> Runtime:
    """Make a checkpoint's network ready.

    None takes the fastest runtime that is installed, all usable cores, and the runtime's first precision that the
    processor has, int8 only for calibrated weights; but fp32 for weights that are kept in float32, where every digit
    seems to count. The name may also be that of an .onnx file of `write_artefact`, which has a precision of its own.

    Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine cannot do it or a file that it needs is
    not as it should be.
    """
    name, precision = choose_runtime(checkpoint, name, precision)
    if _is_file(name):
        from deep3d.runtime.onnx import OnnxRuntime

        content, precision = read_artefact(checkpoint, Path(name))
        return OnnxRuntime(content, threads, precision)
    match name:  # each imports its framework only when chosen
        case "openvino":
            from deep3d.runtime.openvino import OpenVinoRuntime

            return OpenVinoRuntime(network_graph(checkpoint, precision), threads, precision)
        case "onnx":
            from deep3d.runtime.onnx import OnnxRuntime

            return OnnxRuntime(network_graph(checkpoint, precision), threads, precision)
        case "torchscript":
            from deep3d.runtime.torchscript import TorchScriptRuntime

            return TorchScriptRuntime(checkpoint, threads, precision)
        case "cuda":
            from deep3d.runtime.cuda import CudaRuntime

            return CudaRuntime(checkpoint, threads, precision)
        case _:
            from deep3d.runtime.eager import EagerRuntime

            return EagerRuntime(checkpoint, threads, precision)


def load_network(model: bytes, beside: Choice, threads: int | None = None) -> Network:
    """Make another network ready, an ONNX file's content, in the runtime `beside` it if that is one for those.

    Otherwise, and beside a regressor that runs in torch, it is ONNX Runtime.
    """
    if beside.name == "openvino":
        from deep3d.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(model, threads, beside.precision)
    from deep3d.runtime.onnx import OnnxNetwork

    return OnnxNetwork(model, threads)


def network_precision(beside: Choice) -> str:
    """The precision that `load_network` has beside a regressor."""
    return beside.precision if beside.name == "openvino" else "fp32"


def _is_file(name: str) -> bool:
    return name.endswith(SUFFIXES["onnx"])


def _require_available(name: str, precision: str | None) -> None:
    """Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine lacks one."""
    if name not in RUNTIMES:
        raise ConfigError(f"runtime: {name!r} is unknown, choose one of {', '.join(RUNTIMES)}")
    if find_spec(RUNTIMES[name]) is None:
        raise RuntimeUnavailable(
            f"runtime: {name} needs the package {RUNTIMES[name]}, which is not installed; "
            f"choose one of {', '.join(available_runtimes())}, or install it"
        )
    if precision is None:
        return
    if precision not in PRECISIONS[name]:
        raise ConfigError(
            f"precision: {precision!r} is unknown to runtime {name}, choose one of {', '.join(PRECISIONS[name])}"
        )
    if precision not in available_precisions(name):
        raise RuntimeUnavailable(f"precision: this processor has no {precision} arithmetic, choose fp32")


def _precision_for(checkpoint: Checkpoint, name: str) -> str:
    """The first of a runtime's precisions that this machine computes in and the checkpoint is ready for."""
    if checkpoint.storage == "float32":
        return "fp32"
    return next(p for p in available_precisions(name) if p != "int8" or Calibration.of(checkpoint).is_readable)


def available_runtimes() -> list[str]:
    """Names of those whose package is installed, the fastest first; onnx always is, cuda only beside a GPU's driver."""
    return [
        name
        for name, package in RUNTIMES.items()
        if find_spec(package) is not None and (name != "cuda" or _NVIDIA_DRIVER.exists())
    ]


def available_precisions(name: str) -> list[str]:
    """The precisions of a runtime that this machine computes in, the one to use first."""
    return [precision for precision in PRECISIONS[name] if name == "cuda" or precision in processor_precisions()]
