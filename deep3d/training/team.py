"""The processes of a run: a single one, or several started by torchrun, on one machine or many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from deep3d.errors import Deep3DError, TrainingError

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """One process among those of a run. The leader, with rank 0, reads, writes and reports."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this is the leader."""
        return self.rank == 0

    def share(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over all processes, and the leader's weights."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, devices, broadcast_buffers=False)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all must call it."""
        if self.size == 1:
            return flag
        flags = torch.tensor(float(flag), device=self.device)
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return bool(flags)

    def from_leader(self, get: Callable[[], T]) -> T:
        """The leader's result or `Deep3DError`; only the leader needs the files."""
        if self.size == 1:
            return get()
        answer: list[T | Deep3DError | None] = [None]
        if self.leads:
            try:
                answer[0] = get()
            except Deep3DError as error:
                answer[0] = error
        distributed.broadcast_object_list(answer, device=self.device)
        if isinstance(answer[0], Deep3DError):
            raise answer[0]
        return answer[0]  # pyright: ignore[reportReturnType]


ALONE = Team(0, 1, torch.device("cpu"))
"""The team of a single process without a GPU."""


@contextmanager
def join_team(device: str) -> Iterator[Team]:
    """The team from torchrun's environment variables, or a team of one; `device` is cpu or cuda.

    Each process uses the GPU of its local rank and NCCL; on CPUs they use Gloo.

    Raises: TrainingError if the device does not exist.
    """
    here = torch.device(device)
    if here.type == "cuda":
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if local >= torch.cuda.device_count():
            raise TrainingError(f"device {device}: torch finds {torch.cuda.device_count()} CUDA devices; use cpu")
        here = torch.device("cuda", local)
        torch.cuda.set_device(here)
    if "WORLD_SIZE" not in os.environ:
        yield Team(0, 1, here)
        return
    distributed.init_process_group("nccl" if here.type == "cuda" else "gloo")
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size(), here)
    finally:
        distributed.destroy_process_group()
