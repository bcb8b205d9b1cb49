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
from deep3d.dense.layers import CLASSES, GREY
from deep3d.errors import ConfigError
from deep3d.face_model import read_face_model
from deep3d.network.checkpoints import Checkpoint
from deep3d.synthetic.dressed_heads import UNKNOWN
from deep3d.training.batch_norms import restore_batch_norms
from deep3d.training.dense.backbones import DenseNetwork, new_network, use_arrays
from deep3d.training.dense.config import DenseConfig
from deep3d.training.dense.dressed import DressedExamples, dressed_type
from deep3d.training.dense.examples import Examples, kept_surface
from deep3d.training.dense.losses import TERMS, Known, dense_loss, pixel_weight
from deep3d.training.dense.outlined import NOT_HAIR, outlined_examples
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.precision import fast_arithmetic
from deep3d.training.run import Run
from deep3d.training.team import ALONE, Team

MIRROR = np.array([1, -1, 1, 1, -1, 1, 1], np.float32)
"""Signs of height, normal and place in the mirror image."""
ROUGH = torch.tensor(
    [
        sum(1 << CLASSES.index(name) for name in names)
        for names in (
            ("background", "clothes"),
            ("skin", "beard", "brows"),
            ("hair", "hat"),
            ("glasses",),
            ("occluder",),
        )
    ]
)
"""What a pixel of `MappedHeads` may be, by its class there: these heads do not tell clothes, beards, brows and hats."""
ALL = (1 << len(CLASSES)) - 1
SETS = np.zeros(256, np.int64)
"""What a pixel of `dressed_type` may be, by the number that is stored."""
SETS[: len(CLASSES)] = 1 << np.arange(len(CLASSES))
SETS[NOT_HAIR], SETS[UNKNOWN] = ALL & ~(1 << CLASSES.index("hair")), 0
KNOWN = ("surface", "weight", "classes")
HEADS_FOR_BATCH_NORMS = 64
_GREY_SHARE = 0.06  # of the crops without colours
_EXPOSURE, _TINT, _LIFT = 0.12, 0.05, 0.03  # deviations of gain, tint and offset of crops


def train_dense(
    config: DenseConfig, start: Checkpoint, model_path: Path, folder: Path, progress: Progress, team: Team = ALONE
) -> tuple[nn.Module, DenseNetwork]:
    """Render the heads, run the schedule or the rest of it, and return the backbone and the averaged network.

    See `run_stages`.

    Raises: ConfigError if the folder holds the state of another run, or there is no network to go on from;
    CheckpointError; FaceModelError; RuntimeUnavailable; ExtraMissing; TrainingStopped.
    """
    torch.manual_seed(config.seed)
    backbone, network = new_network(config, start)
    model, size = read_face_model(model_path).info, config.network.map_size
    heads = (folder / "heads", size, config.heads, config.seed, start, model_path, config.workers)
    team.from_leader(lambda: Examples.made(*heads) and None)
    examples = Examples.made(*heads)  # they exist by now
    if config.go_on:
        start_from_dense(config, network, start, backbone, examples)
    run = Run.new("dense", config, model.sha256, folder, network, config.architecture, team)
    backbone = backbone.to(team.device)
    rng = np.random.default_rng((config.seed, team.rank, run.step))

    portraits = Path(config.portraits) if config.portraits else None
    outlined = np.empty(0, dressed_type(size))
    if config.masks is not None and portraits is not None:
        sources = Path(config.masks), portraits, config.seed, start.path, model_path
        outlined = outlined_examples(folder, size, *sources)
    dressed_heads = (folder / "dressed", size, config.dressed, config.seed, model_path, portraits, config.workers)

    @contextmanager
    def open_stage(_: object) -> Iterator[Losses]:
        with DressedExamples(*dressed_heads) as dressed:
            yield _Losses(config, examples, dressed, outlined, backbone, rng, team.device)

    run_stages(run, [config.schedule], open_stage, TERMS, progress)
    average = run.average.module
    assert isinstance(average, DenseNetwork)
    return backbone.cpu(), average.eval().cpu()


def start_from_dense(
    config: DenseConfig, network: DenseNetwork, start: Checkpoint, backbone: nn.Module, examples: Examples
) -> None:
    """Make the network the one that lies beside a checkpoint.

    Raises: ConfigError if there is none of its architecture; CheckpointError.
    """
    weights = read_dense(start)
    if weights is None or weights.architecture != config.network:
        raise ConfigError(
            f"{dense_path(start)}: no network of the architecture {config.architecture}; "
            "without 'go_on' training starts from random weights"
        )
    use_arrays(network, weights.arrays)
    rng = np.random.default_rng(0)
    seen, _ = learnt(examples.batch(rng, HEADS_FOR_BATCH_NORMS), rng)
    restore_batch_norms(network, seen, backbone(seen[:, :3] + GREY))


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch."""

    config: DenseConfig
    examples: Examples
    dressed: DressedExamples
    outlined: np.ndarray  # (N,) of `dressed_type`
    backbone: nn.Module
    rng: np.random.Generator
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        module.train()
        size = self.config.schedule.batch_size
        dressed = round(size * self.config.dressed_share)
        outlined = round(dressed * self.config.outlined_share) if len(self.outlined) else 0
        parts = [learnt(self.examples.batch(self.rng, size - dressed), self.rng)]
        if dressed > outlined:
            parts.append(classified(self.dressed.batch(self.rng, dressed - outlined), self.rng))
        if outlined:
            rows = self.rng.integers(0, len(self.outlined), outlined)
            parts.append(classified(self.outlined[rows], self.rng))
        seen = torch.cat([part for part, _ in parts])
        known = Known(*(torch.cat([getattr(part, name) for _, part in parts]) for name in KNOWN))
        seen = seen.to(self.device, memory_format=torch.channels_last)
        known = Known(*(part.to(self.device) for part in (known.surface, known.weight, known.classes)))
        with fast_arithmetic(self.device):
            maps = module(seen, self.backbone(seen[:, :3] + GREY))
        return dense_loss(self.config.loss, maps.float(), known)


def learnt(examples: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Known]:
    """The network's input (B, 11, S, S) for (B,) heads, recoloured, half of them mirrored; and the truth."""
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
    known = Known(torch.from_numpy(true).permute(0, 3, 1, 2), pixel_weight(there, kinds), ROUGH[kinds])
    return torch.from_numpy(seen).permute(0, 3, 1, 2), known


def classified(examples: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Known]:
    """The same for (B,) of `dressed_type`, of which the classes alone are known."""
    start, classes = kept_surface(examples, "start_"), examples["classes"].astype(np.int64)
    crops = recoloured(examples["crop"], rng) - GREY
    seen = np.concatenate([crops, examples["start_covered"][..., None], start], axis=-1, dtype=np.float32)
    mirrored = rng.random(len(examples)) < 0.5
    for maps in (seen, classes):
        maps[mirrored] = maps[mirrored, :, ::-1]
    seen[mirrored, ..., -len(MIRROR) :] *= MIRROR
    sets = torch.from_numpy(SETS[classes])
    nothing = torch.zeros(sets.shape)
    known = Known(torch.from_numpy(start).permute(0, 3, 1, 2), nothing, sets)
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
