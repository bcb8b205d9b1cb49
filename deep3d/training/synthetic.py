"""Training on synthetic heads, whose coefficients are known, and a share of real portraits with landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deep3d.checkpoints import read_checkpoint
from deep3d.coefficients import COEFFICIENT_COUNT, Array
from deep3d.errors import ConfigError
from deep3d.face_model import FaceModel, read_face_model
from deep3d.network import RegressorConfig, RegressorNetwork, StandardizedRegressor, build_network
from deep3d.training.card import card_rasterizer
from deep3d.training.config import LossWeights, Stage, TrainingConfig
from deep3d.training.dense_points import choose_dense_landmarks
from deep3d.training.device_heads import DeviceHeadGenerator
from deep3d.training.device_stream import DeviceHeadStream
from deep3d.training.heads import Heads
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.losses import FaceLoss, dense_terms
from deep3d.training.portraits import Portraits
from deep3d.training.run import Run, averaged_regressor, output_scale
from deep3d.training.stream import HeadSource, HeadStream
from deep3d.training.team import ALONE, Team

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
    """Run all stages, or what is left of them, and return the averaged network; see `run_stages`.

    The network learns on the team's device. A graphics card draws its heads itself; where it cannot, processes of the
    CPU do, `config.workers` for each process of the team.

    Raises: ConfigError if the folder holds the state of another run; FaceModelError; DatasetError; TrainingError.
    """
    torch.manual_seed(config.seed)
    model = read_face_model(model_path)
    regressor = starting_regressor(config, model)
    dense = regressor.network.config.dense_vertices
    run = Run.new("synthetic", config, model.info.sha256, folder, regressor, config.trunk, team)
    loss = FaceLoss(model, config.loss, team.device)
    seed = config.seed + 1_000_000 * team.rank
    portraits = Portraits(Path(config.portraits), seed + run.step) if config.portraits else None

    @contextmanager
    def open_stage(stage: Stage) -> Iterator[Losses]:
        with _heads(model, model_path, dense, team, config, stage, seed + 1000 * run.step) as heads:
            yield _Losses(stage, heads, portraits, loss, config.loss, team.device)

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
    rasterizer = card_rasterizer(device)
    if rasterizer is None:
        return HeadStream(model_path, dense, config, stage, seed)
    generator = DeviceHeadGenerator(model, seed + 1, dense, rasterizer, device)
    return DeviceHeadStream(generator, config, stage, seed)


def starting_regressor(config: TrainingConfig, model: FaceModel) -> StandardizedRegressor:
    """The regressor at step 0: of random weights, or of a checkpoint, which may lack the dense landmarks.

    Raises: ConfigError if the checkpoint is of another trunk, or in eight bits; CheckpointError.
    """
    dense = choose_dense_landmarks(model, config.dense_landmarks) if config.dense_landmarks else ()
    network = RegressorNetwork(RegressorConfig(config.trunk, dense))
    if config.start is None:
        return StandardizedRegressor(network, *output_scale())
    network.load_state_dict(network.state_dict() | _starting_weights(config.start, config.trunk, model, dense))
    return StandardizedRegressor.unfold(network, *output_scale())


def _starting_weights(start: str, trunk: str, model: FaceModel, dense: tuple[int, ...]) -> dict[str, Tensor]:
    """The state dict of the checkpoint that the configuration starts from; of other dense landmarks only the rest."""
    checkpoint = read_checkpoint(start)
    checkpoint.require_model(model.info)
    if checkpoint.info.trunk != trunk:
        raise ConfigError(f"{start}: of trunk {checkpoint.info.trunk}, not {trunk}; choose another")
    if checkpoint.storage == "int8":
        raise ConfigError(f"{start}: in eight bits, without batch norms; start from its float32 file")
    state = build_network(checkpoint).state_dict()
    if checkpoint.dense_vertices != dense:
        state = {name: value for name, value in state.items() if not name.startswith("dense.")}
    return state


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch of heads and portraits."""

    stage: Stage
    heads: HeadSource
    photos: Portraits | None
    loss: FaceLoss
    weights: LossWeights
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        module.train()
        real = round(self.stage.batch_size * self.stage.portrait_share)
        drawn = self.heads.batch(self.stage.batch_size - real)
        crops, landmarks = self._tensor(drawn.crops), None
        if self.photos is not None and real:
            photos, landmarks = self.photos.batch(real, self.stage.crop_size)
            crops = torch.cat([crops, self._tensor(photos)])
        with torch.autocast(self.device.type, torch.bfloat16):
            predicted = module(_images(crops))
        predicted = predicted.float()
        vectors, dense = predicted[:, :COEFFICIENT_COUNT], predicted[:, COEFFICIENT_COUNT:].unflatten(1, (-1, 3))
        terms = self._synthetic(drawn, vectors[: len(drawn.vectors)], dense[: len(drawn.vectors)])
        if landmarks is not None:
            terms["landmarks"] = self.loss.portraits(vectors[-real:], dense[-real:], self._tensor(landmarks))
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
        return torch.as_tensor(array, device=self.device)


def _images(crops: Tensor) -> Tensor:
    """(B, 3, S, S) in [0, 1], channels last in memory, of (B, S, S, 3) bytes."""
    return crops.permute(0, 3, 1, 2).to(torch.float32).div(255)
