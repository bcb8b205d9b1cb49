"""Choose a runtime and a precision by name, or the best that is here."""

from __future__ import annotations

from importlib.util import find_spec

from deep3d.checkpoints import Checkpoint
from deep3d.errors import ConfigError, RuntimeUnavailable
from deep3d.runtime.cores import has_bf16
from deep3d.runtime.interface import Runtime

RUNTIMES = {"openvino": "openvino", "onnx": "onnxruntime", "torchscript": "torch", "eager": "torch"}
"""Each runtime's name and the package that it needs, the fastest first."""
PRECISIONS = {
    "openvino": ("bf16", "fp32"),
    "onnx": ("fp32",),
    "torchscript": ("bf16", "fp32"),
    "eager": ("bf16", "fp32"),
}
"""The precisions that each runtime has, the fastest first."""


def load_runtime(
    checkpoint: Checkpoint, name: str | None = None, threads: int | None = None, precision: str | None = None
) -> Runtime:
    """Make a checkpoint's network ready.

    None takes the fastest runtime that is installed, all usable cores, and the fastest precision that the processor
    has.

    Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine cannot do it.
    """
    name = name or available_runtimes()[0]
    if name not in RUNTIMES:
        raise ConfigError(f"runtime: {name!r} is unknown, choose one of {', '.join(RUNTIMES)}")
    if find_spec(RUNTIMES[name]) is None:
        raise RuntimeUnavailable(
            f"runtime: {name} needs the package {RUNTIMES[name]}, which is not installed; "
            f"choose one of {', '.join(available_runtimes())}, or install it"
        )
    precision = precision or available_precisions(name)[0]
    if precision not in PRECISIONS[name]:
        raise ConfigError(
            f"precision: {precision!r} is unknown to runtime {name}, choose one of {', '.join(PRECISIONS[name])}"
        )
    if precision not in available_precisions(name):
        raise RuntimeUnavailable(f"precision: this processor has no {precision} arithmetic, choose fp32")
    match name:  # each imports its framework only when chosen
        case "openvino":
            from deep3d.runtime.openvino import OpenVinoRuntime

            return OpenVinoRuntime(checkpoint, threads, precision)
        case "onnx":
            from deep3d.runtime.onnx import OnnxRuntime

            return OnnxRuntime(checkpoint, threads, precision)
        case "torchscript":
            from deep3d.runtime.torchscript import TorchScriptRuntime

            return TorchScriptRuntime(checkpoint, threads, precision)
        case _:
            from deep3d.runtime.eager import EagerRuntime

            return EagerRuntime(checkpoint, threads, precision)


def available_runtimes() -> list[str]:
    """Names of those whose package is installed, the fastest first; onnx always is."""
    return [name for name, package in RUNTIMES.items() if find_spec(package) is not None]


def available_precisions(name: str) -> list[str]:
    """The precisions of a runtime that this processor computes in, the fastest first."""
    return [precision for precision in PRECISIONS[name] if precision != "bf16" or has_bf16()]
