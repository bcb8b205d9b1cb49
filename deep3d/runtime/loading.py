"""Choose a runtime and a precision by name, or the best available one."""

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
"""Each runtime's name and its package, the fastest first."""
PRECISIONS = {
    "cuda": ("bf16", "fp32"),
    "openvino": ("int8", "bf16", "fp32"),
    "onnx": ("fp32",),
    "torchscript": ("bf16", "fp32"),
    "eager": ("bf16", "fp32"),
}
"""The precisions of each runtime, the default first."""

_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")  # a call of torch would import it


class Choice(NamedTuple):
    """The runtime and precision of a network on this machine."""

    name: str  # of the runtime, or of an .onnx file
    precision: str  # None for such a file, which has its own


def choose_runtime(checkpoint: Checkpoint, name: str | None = None, precision: str | None = None) -> Choice:
    """The choice for the arguments of `load_runtime`; raises the same errors."""
    if name is not None and _is_file(name):
        return Choice(name, precision or "fp32")
    name = name or available_runtimes()[0]
    _require_available(name, precision)
    return Choice(name, precision or _precision_for(checkpoint, name))


def load_runtime(
    checkpoint: Checkpoint, name: str | None = None, threads: int | None = None, precision: str | None = None
) -> Runtime:
    """Load a checkpoint's network.

    By default this uses the fastest installed runtime, all usable cores, and the runtime's first precision that the
    processor supports: int8 only for calibrated weights, and fp32 for weights stored in float32, which suggests that
    precision matters. The name may also be an .onnx file of `write_artefact`, which has its own precision.

    Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine does not support it or a file is
    invalid.
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
    """Load another network from an ONNX file's content, in the runtime `beside` it if that reads ONNX.

    Otherwise, such as beside a regressor in torch, it uses ONNX Runtime.
    """
    if beside.name == "openvino":
        from deep3d.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(model, threads, beside.precision)
    from deep3d.runtime.onnx import OnnxNetwork

    return OnnxNetwork(model, threads)


def network_precision(beside: Choice) -> str:
    """The precision of `load_network` beside a regressor."""
    return beside.precision if beside.name == "openvino" else "fp32"


def _is_file(name: str) -> bool:
    return name.endswith(SUFFIXES["onnx"])


def _require_available(name: str, precision: str | None) -> None:
    """Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine does not have it."""
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
    """The first of a runtime's precisions that this machine and the checkpoint support."""
    if checkpoint.storage == "float32":
        return "fp32"
    return next(p for p in available_precisions(name) if p != "int8" or Calibration.of(checkpoint).is_readable)


def available_runtimes() -> list[str]:
    """Names of the installed runtimes, the fastest first; onnx always is, cuda only with a GPU's driver."""
    return [
        name
        for name, package in RUNTIMES.items()
        if find_spec(package) is not None and (name != "cuda" or _NVIDIA_DRIVER.exists())
    ]


def available_precisions(name: str) -> list[str]:
    """The precisions of a runtime that this machine supports, the default first."""
    return [precision for precision in PRECISIONS[name] if name == "cuda" or precision in processor_precisions()]
