"""The network traced, frozen and optimised by TorchScript."""

from __future__ import annotations

import warnings

import torch

from deep3d.checkpoints import Checkpoint
from deep3d.runtime.eager import EagerRuntime


class TorchScriptRuntime(EagerRuntime):
    """A `Runtime` for any batch size, with the threads and precisions of `EagerRuntime`."""

    name = "torchscript"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        super().__init__(checkpoint, threads, precision)
        example = torch.zeros(1, 3, checkpoint.info.crop_size, checkpoint.info.crop_size)
        self._network = _compiled(self._network, self._input(example))


def _compiled(network: torch.nn.Module, example: torch.Tensor) -> torch.nn.Module:
    with warnings.catch_warnings(), torch.no_grad():
        # TorchScript is deprecated for development, yet starts faster than torch.compile and needs no compiler.
        warnings.filterwarnings("ignore", message=r".torch\.jit\.")
        frozen = torch.jit.freeze(torch.jit.trace(network, example, check_trace=False))
        return torch.jit.optimize_for_inference(frozen)
