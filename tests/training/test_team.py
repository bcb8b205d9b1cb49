"""Processes that train together see the same gradients, wishes and errors."""

from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn

from deep3d.errors import ConfigError, TrainingError
from deep3d.training.team import ALONE, Team, join_team


def of_two(rank: int, folder: str) -> None:
    """What one of two processes sees, into a file."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    team = Team(rank, 2, torch.device("cpu"))
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, rank + 1.0)
    shared = team.share(layer)
    (shared(torch.tensor([[1.0 + 2 * rank]])) * 3).sum().backward()
    try:
        team.from_leader(lambda: refuse() if team.leads else None)
        error = ""
    except ConfigError as caught:
        error = str(caught)
    seen = {
        "weight": layer.weight.detach(),
        "gradient": layer.weight.grad,
        "any": [team.any(rank == 1), team.any(False)],
        "read": team.from_leader(lambda: f"read by {rank}"),
        "error": error,
    }
    torch.save(seen, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


def refuse() -> None:
    raise ConfigError("state.pt: damaged")


def test_two_processes_are_of_one_mind(tmp_path):
    spawn(of_two, (str(tmp_path),), nprocs=2)
    seen = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for one in seen:
        assert float(one["weight"]) == 1.0  # the leader's
        assert float(one["gradient"]) == 6.0  # the mean of 3 and 9
        assert one["any"] == [True, False]
        assert one["read"] == "read by 0"
        assert one["error"] == "state.pt: damaged"


def test_a_team_of_one_asks_nobody():
    layer = nn.Linear(1, 1)
    assert ALONE.share(layer) is layer
    assert ALONE.any(True) and not ALONE.any(False)
    assert ALONE.from_leader(lambda: 7) == 7
    with join_team("cpu") as team:
        assert team.leads and team.size == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_named():
    with pytest.raises(TrainingError, match="device cuda: torch finds 0 CUDA devices; use cpu"), join_team("cuda"):
        pass
