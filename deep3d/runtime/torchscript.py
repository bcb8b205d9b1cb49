"""The network traced, frozen and optimised by TorchScript."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.eager import EagerRuntime, PreparedNetwork, example_crops


class TorchScriptRuntime(EagerRuntime):
    """A `Runtime` for any batch size, with the threads and precisions of `EagerRuntime`."""

    name = "torchscript"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        super().__init__(checkpoint, threads, precision)
        with _quietly():
            self._network = torch.jit.optimize_for_inference(_frozen(checkpoint, precision))


def write_torchscript(checkpoint: Checkpoint, precision: str, path: Path) -> None:
    """Write the frozen network; machine-specific optimisations cannot be stored."""
    with _quietly(), path.open("wb") as file:  # as a stream: with a path, its name would be part of the file
        torch.jit.save(_frozen(checkpoint, precision), file)


def _frozen(checkpoint: Checkpoint, precision: str) -> torch.jit.ScriptModule:
    network = PreparedNetwork(checkpoint, precision).eval()
    return torch.jit.freeze(torch.jit.trace(network, example_crops(checkpoint), check_trace=False))


@contextmanager
def _quietly() -> Iterator[None]:
    """Silences the deprecation of TorchScript, which starts faster than torch.compile and needs no compiler."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", message=r".torch\.jit\.")
        yield
