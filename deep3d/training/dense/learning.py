"""Training of the dense network on synthetic heads with ground truth per pixel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from deep3d.dense import dense_path, read_dense
from deep3d.dense.layers import GREY
from deep3d.errors import ConfigError
from deep3d.face_model import read_face_model
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_regressor import build_network
from deep3d.network.torch_resnet import ResNet
from deep3d.training.batch_norms import restore_batch_norms
from deep3d.training.dense.config import DenseConfig, DenseLossWeights
from deep3d.training.dense.examples import Examples, kept_surface
from deep3d.training.dense.losses import TERMS, Known, dense_loss, pixel_weight
from deep3d.training.dense.network import DenseNetwork
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.run import Run
from deep3d.training.team import ALONE, Team

MIRROR = np.array([1, -1, 1, 1, -1, 1, 1], np.float32)
"""Signs of height, normal and place in the mirror image."""
HEADS_FOR_BATCH_NORMS = 64
_GREY_SHARE = 0.06  # of the crops without colours
_EXPOSURE, _TINT, _LIFT = 0.12, 0.05, 0.03  # deviations of gain, tint and offset of crops


def train_dense(
    config: DenseConfig, start: Checkpoint, model_path: Path, folder: Path, progress: Progress, team: Team = ALONE
) -> DenseNetwork:
    """Render the heads, run the schedule or the rest of it, and return the averaged network; see `run_stages`.

    Raises: ConfigError if the folder holds the state of another run, or there is no network to go on from;
    CheckpointError; FaceModelError; RuntimeUnavailable; TrainingStopped.
    """
    torch.manual_seed(config.seed)
    model = read_face_model(model_path).info
    heads = (folder / "heads", config.heads, config.seed, start, model_path, config.workers)
    team.from_leader(lambda: Examples.made(*heads) and None)
    examples = Examples.made(*heads)  # they exist by now
    trunk, network = frozen_trunk(start), DenseNetwork()
    if config.go_on:
        start_from_dense(network, start, trunk, examples)
    run = Run.new("dense", config, model.sha256, folder, network, "dense", team)
    trunk = trunk.to(team.device)
    rng = np.random.default_rng((config.seed, team.rank, run.step))

    @contextmanager
    def open_stage(_: object) -> Iterator[Losses]:
        yield _Losses(config.loss, examples, trunk, rng, config.schedule.batch_size, team.device)

    run_stages(run, [config.schedule], open_stage, TERMS, progress)
    average = run.average.module
    assert isinstance(average, DenseNetwork)
    return average.eval().cpu()


def start_from_dense(network: DenseNetwork, start: Checkpoint, trunk: ResNet, examples: Examples) -> None:
    """Make the network the one that lies beside a checkpoint. Raises: ConfigError if there is none; CheckpointError."""
    weights = read_dense(start)
    if weights is None:
        raise ConfigError(f"{dense_path(start)}: not there; without 'go_on' training starts from random weights")
    network.take(weights.arrays)
    rng = np.random.default_rng(0)
    seen, _ = learnt(examples.batch(rng, HEADS_FOR_BATCH_NORMS), rng)
    restore_batch_norms(network, seen, trunk_features(trunk, seen[:, :3] + GREY))


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch."""

    weights: DenseLossWeights
    examples: Examples
    trunk: ResNet
    rng: np.random.Generator
    batch_size: int
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        module.train()
        seen, known = learnt(self.examples.batch(self.rng, self.batch_size), self.rng)
        seen = seen.to(self.device, memory_format=torch.channels_last)
        known = Known(*(part.to(self.device) for part in (known.surface, known.weight, known.classes)))
        with torch.autocast(self.device.type, torch.bfloat16):
            maps = module(seen, trunk_features(self.trunk, seen[:, :3] + GREY))
        return dense_loss(self.weights, maps.float(), known)


def frozen_trunk(start: Checkpoint) -> ResNet:
    """The trunk of a checkpoint's regressor, not to be trained."""
    trunk = build_network(start).backbone.eval().requires_grad_(False)
    return trunk.to(memory_format=torch.channels_last)


def trunk_features(trunk: ResNet, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The features of its first three stages for crops (B, 3, S, S) in [0, 1], on grids of S / 4, S / 8 and S / 16."""
    with torch.no_grad():
        quarter = trunk.layer1(trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(crops)))))
        eighth = trunk.layer2(quarter)
        return quarter, eighth, trunk.layer3(eighth)


def learnt(examples: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Known]:
    """The network's input (B, 11, S, S) for (B,) of EXAMPLE, recoloured, half of them mirrored; and the truth."""
    count = len(examples)
    start, true = kept_surface(examples, "start_"), kept_surface(examples)
    crops = recoloured(examples["crop"], rng) - GREY
    seen = np.concatenate([crops, examples["start_covered"][..., None], start], axis=-1, dtype=np.float32)
    head, classes = examples["head"].copy(), examples["classes"].astype(np.int64)
    mirrored = rng.random(count) < 0.5
    for maps in (seen, true, head, classes):
        maps[mirrored] = maps[mirrored, :, ::-1]
    seen[mirrored, ..., -len(MIRROR) :] *= MIRROR
    true[mirrored] *= MIRROR
    there, kinds = torch.from_numpy(head), torch.from_numpy(classes)
    known = Known(torch.from_numpy(true).permute(0, 3, 1, 2), pixel_weight(there, kinds), kinds)
    return torch.from_numpy(seen).permute(0, 3, 1, 2), known


def recoloured(crops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(B, S, S, 3) float32 in [0, 1] of bytes: brighter or darker, tinted, some of them grey."""
    count = len(crops)
    gain = np.exp(rng.normal(0, _EXPOSURE, (count, 1, 1, 1)) + rng.normal(0, _TINT, (count, 1, 1, 3)))
    lift = rng.normal(0, _LIFT, (count, 1, 1, 1))
    changed = np.clip(crops * (gain / 255).astype(np.float32) + lift.astype(np.float32), 0, 1)
    grey = rng.random(count) < _GREY_SHARE
    changed[grey] = changed[grey].mean(axis=-1, keepdims=True)
    return changed
