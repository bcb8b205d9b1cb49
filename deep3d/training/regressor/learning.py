"""Training on synthetic heads, whose coefficients are known, and a share of real portraits with landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from deep3d.arrays import Array
from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import ConfigError
from deep3d.face_model import FaceModel, read_face_model
from deep3d.face_model.dense_landmarks import choose_dense_landmarks
from deep3d.network.checkpoints import read_checkpoint
from deep3d.network.torch_regressor import RegressorConfig, RegressorNetwork, StandardizedRegressor, build_network
from deep3d.regression.regressor import network_input
from deep3d.rendering.gpu import gpu_rasterizer
from deep3d.synthetic.device.heads import DeviceHeadGenerator
from deep3d.synthetic.device.transfer import to_device
from deep3d.synthetic.heads import HeadGenerator, Heads
from deep3d.training.batch_norms import restore_batch_norms
from deep3d.training.config import LossWeights, Stage, TrainingConfig
from deep3d.training.device_stream import DeviceHeadStream
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.losses import FaceLoss, dense_terms
from deep3d.training.precision import fast_arithmetic
from deep3d.training.regressor.portrait_stream import PortraitStream
from deep3d.training.run import Run, averaged_regressor, output_scale
from deep3d.training.stream import HeadSource, HeadStream
from deep3d.training.team import ALONE, Team

HEADS_FOR_BATCH_NORMS = 256

TERMS = (
    "total",
    "projection",
    "identity",
    "expression",
    "profile",
    "pose",
    "colour",
    "coefficients",
    "landmarks",
    "dense",
    "certainty",
)


def train(
    config: TrainingConfig, model_path: Path, folder: Path, progress: Progress, team: Team = ALONE
) -> RegressorNetwork:
    """Run all stages, or the rest of them, and return the averaged network; see `run_stages`.

    The network trains on the team's device. A GPU renders its own heads; without it, CPU processes do,
    `config.workers` for each process of the team.

    Raises: ConfigError if the folder has the state of another run; FaceModelError; DatasetError; TrainingError.
    """
    torch.manual_seed(config.seed)
    model = read_face_model(model_path)
    regressor = starting_regressor(config, model)
    dense = regressor.network.config.dense_vertices
    run = Run.new("synthetic", config, model.info.sha256, folder, regressor, config.trunk, team)
    loss = FaceLoss(model, config.loss, team.device)
    seed = config.seed + 1_000_000 * team.rank

    @contextmanager
    def open_stage(stage: Stage) -> Iterator[Losses]:
        with ExitStack() as sources:
            heads = _heads(model, model_path, dense, team, config, stage, seed + 1000 * run.step)
            portraits = _portraits(config, stage, seed + run.step)
            if portraits is not None:
                sources.enter_context(portraits)
            yield _Losses(stage, sources.enter_context(heads), portraits, loss, config.loss, team.device)

    run_stages(run, config.stages, open_stage, TERMS, progress)
    return averaged_regressor(run)


def _heads(
    model: FaceModel,
    model_path: Path,
    dense: tuple[int, ...],
    team: Team,
    config: TrainingConfig,
    stage: Stage,
    seed: int,
) -> HeadSource:
    device = team.device
    rasterizer = gpu_rasterizer(device)
    if rasterizer is None:
        return HeadStream(model_path, dense, config, stage, seed)
    generator = DeviceHeadGenerator(model, seed + 1, dense, rasterizer, device)
    return DeviceHeadStream(generator, config, stage, seed)


def _portraits(config: TrainingConfig, stage: Stage, seed: int) -> PortraitStream | None:
    """The portraits of every batch of a stage, if it has some."""
    size = round(stage.batch_size * stage.portrait_share)
    if config.portraits is None or not size:
        return None
    return PortraitStream(Path(config.portraits), seed, size, stage.crop_size, config.workers)


def starting_regressor(config: TrainingConfig, model: FaceModel) -> StandardizedRegressor:
    """The regressor at step 0: with random weights, or from a checkpoint, with or without dense landmarks.

    Raises: ConfigError if the checkpoint has another trunk; CheckpointError.
    """
    dense = choose_dense_landmarks(model, config.dense_landmarks) if config.dense_landmarks else ()
    network = RegressorNetwork(RegressorConfig(config.trunk, dense))
    if config.start is None:
        return StandardizedRegressor(network, *output_scale())
    checkpoint = read_checkpoint(config.start)
    checkpoint.require_model(model.info)
    if checkpoint.info.trunk != config.trunk:
        raise ConfigError(f"{config.start}: of trunk {checkpoint.info.trunk}, not {config.trunk}; choose another")
    state = build_network(checkpoint).state_dict()
    if checkpoint.dense_vertices != dense:  # a head for other landmarks cannot be used
        state = {name: value for name, value in state.items() if not name.startswith("dense.")}
    network.load_state_dict(network.state_dict() | state)
    if checkpoint.storage == "int8":
        heads = HeadGenerator(model, config.seed).draw(HEADS_FOR_BATCH_NORMS)
        crops = network_input(np.asarray(heads.crops), config.stages[0].crop_size)
        restore_batch_norms(network, torch.from_numpy(crops))
    return StandardizedRegressor.unfold(network, *output_scale())


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch of heads and portraits."""

    stage: Stage
    heads: HeadSource
    portraits: PortraitStream | None
    loss: FaceLoss
    weights: LossWeights
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        module.train()
        photos = [] if self.portraits is None else [self._tensor(part) for part in self.portraits.batch()]
        real = len(photos[0]) if photos else 0
        drawn = self.heads.batch(self.stage.batch_size - real)
        crops = torch.cat([self._tensor(drawn.crops), *photos[:1]])
        with fast_arithmetic(self.device):
            predicted = module(_images(crops))
        predicted = predicted.float()
        vectors, dense = predicted[:, :COEFFICIENT_COUNT], predicted[:, COEFFICIENT_COUNT:].unflatten(1, (-1, 3))
        terms = self._synthetic(drawn, vectors[: len(drawn.vectors)], dense[: len(drawn.vectors)])
        if photos:
            terms["landmarks"] = self.loss.portraits(vectors[-real:], dense[-real:], photos[1])
            terms["total"] = terms["total"] + self.weights.landmarks * terms["landmarks"]
        return terms

    def _synthetic(self, drawn: Heads, vectors: Tensor, dense: Tensor) -> dict[str, Tensor]:
        terms = self.loss.synthetic(vectors, self._tensor(drawn.vectors))
        if dense.shape[1]:
            terms |= dense_terms(dense, self._tensor(drawn.points))
            terms["total"] = (
                terms["total"] + self.weights.dense * terms["dense"] + self.weights.certainty * terms["certainty"]
            )
        return terms

    def _tensor(self, array: Array) -> Tensor:
        return to_device(array, self.device) if isinstance(array, np.ndarray) else array


def _images(crops: Tensor) -> Tensor:
    """(B, 3, S, S) in [0, 1], channels last in memory, of (B, S, S, 3) bytes."""
    return crops.permute(0, 3, 1, 2).to(torch.float32).div(255)
