"""Choose a runtime by name."""

from __future__ import annotations

from deep3d.checkpoints import Checkpoint
from deep3d.errors import ConfigError
from deep3d.runtime.interface import Runtime

RUNTIMES = ("eager", "torchscript")


def load_runtime(name: str, checkpoint: Checkpoint, threads: int | None = None, precision: str = "fp32") -> Runtime:
    """Make a checkpoint's network ready; threads None takes all usable cores, precision is fp32 or bf16.

    Raises: ConfigError if a name is unknown, RuntimeUnavailable if this machine cannot do it.
    """
    match name:  # each imports its framework only when chosen
        case "eager":
            from deep3d.runtime.eager import EagerRuntime

            return EagerRuntime(checkpoint, threads, precision)
        case "torchscript":
            from deep3d.runtime.torchscript import TorchScriptRuntime

            return TorchScriptRuntime(checkpoint, threads, precision)
    raise ConfigError(f"runtime: {name!r} is unknown, choose one of {', '.join(RUNTIMES)}")
