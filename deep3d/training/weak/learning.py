"""Weakly supervised training on real photos (Deng et al., 2019): no true coefficients, only landmarks and the photo.

It starts from a checkpoint and does not change batch-norm statistics, since batches are small and eight-bit checkpoints
have folded batch norms: training from one of these continues from the rounded weights, with batch norms that are only
biases.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import DatasetError
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_regressor import RegressorNetwork, StandardizedRegressor, build_network
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.precision import fast_arithmetic
from deep3d.training.run import Run, averaged_regressor, output_scale
from deep3d.training.team import Team
from deep3d.training.weak.augmentation import Augmenter, regressor_input
from deep3d.training.weak.config import TRUNK_PARTS, WeakConfig
from deep3d.training.weak.drawn_faces import FaceDrawer
from deep3d.training.weak.losses import TERMS, WeakLoss
from deep3d.training.weak.photo_sources import read_sources, split
from deep3d.training.weak.recogniser import Recogniser
from deep3d.training.weak.watch import watching
from deep3d.training.weak.wide_crops import WideCrops, WideCropSet, random_batches

FEATURES_OF_DENSE = "layer3"
"""The last part of the trunk that is input of the dense landmarks' head."""


def train_weakly(
    config: WeakConfig, start: Checkpoint, model: FaceModel, folder: Path, team: Team, progress: Progress
) -> RegressorNetwork:
    """Train from the weights of a checkpoint, or continue a run, and return the averaged network.

    `folder` gets what `run_stages` writes, held_out.csv with the landmark error of the photos held out, and a folder
    tensorboard with all of it and pictures.

    Raises: ConfigError if the folder has the state of another run; DatasetError; PhotoError; LandmarksInvalid;
    CheckpointError; TrainingStopped.
    """
    trained, held_out = split(read_sources(config.photos), config.held_out)
    if not trained:
        raise DatasetError(f"{config.photos[0]}: a single photo, which is held out; name more photos")
    regressor = StandardizedRegressor.unfold(build_network(start), *output_scale())
    regressor.eval()
    freeze_before(regressor.network, config.train_from)
    teacher = copy.deepcopy(regressor).to(team.device) if _dense_features_change(regressor.network) else None
    run = Run.new("weak", config, model.info.sha256, folder, regressor, start.info.trunk, team)
    torch.manual_seed(config.seed + 1000 * run.step + team.rank)
    drawer = FaceDrawer.on(team.device, model)
    recogniser = Recogniser.read(config.recogniser, drawer.device) if config.recogniser else None
    loss = WeakLoss(model, config.loss, recogniser)
    schedule, photos = config.schedule, WideCropSet(trained)

    @contextmanager
    def open_stage(_: object) -> Iterator[Losses]:
        seed = config.seed + 1000 * run.step + team.rank
        left = schedule.steps - run.step
        batches = random_batches(photos, schedule.batch_size, left, config.workers, seed)
        yield _Losses(config, batches, drawer, loss, teacher, team.device)

    with watching(run, drawer, WideCropSet(held_out), schedule.crop_size) as watch:
        run_stages(run, [schedule], open_stage, TERMS, progress, watch)
    return averaged_regressor(run)


def freeze_before(network: RegressorNetwork, part: str) -> None:
    """Freeze the trunk before one of its parts.

    The head of dense landmarks is trained if its features change; otherwise it stays identical.
    """
    network.requires_grad_(False)
    reached = TRUNK_PARTS[TRUNK_PARTS.index(part) :]
    trained: list[nn.Module] = [network.final_layers]
    trained += [getattr(network.backbone, name) for name in reached if name != "heads"]
    if "conv1" in reached:
        trained.append(network.backbone.bn1)
    if FEATURES_OF_DENSE in reached and network.dense is not None:
        trained.append(network.dense)
    for module in trained:
        module.requires_grad_(True)


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch of photos."""

    config: WeakConfig
    batches: Iterator[WideCrops]
    drawer: FaceDrawer
    loss: WeakLoss
    teacher: nn.Module | None  # the start network, if dense landmarks must not drift
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        crops = Augmenter(self.config.augmentation)(next(self.batches).to(self.device))
        seen = regressor_input(crops, self.config.schedule.crop_size)
        predicted = _predict(module, seen)
        terms = self.loss(self.drawer(predicted[:, :COEFFICIENT_COUNT]), crops)
        if self.teacher is not None:
            with torch.no_grad():
                known = _predict(self.teacher, seen)
            terms["dense"] = drift(predicted[:, COEFFICIENT_COUNT:], known[:, COEFFICIENT_COUNT:])
            terms["total"] = terms["total"] + self.config.loss.dense * terms["dense"].to(terms["total"].device)
        return terms


def drift(predicted: Tensor, known: Tensor) -> Tensor:
    """The drift of dense landmarks (B, 3 N): mean distance in crop pixels, and of the logarithms of deviations.

    The start network was trained on exact geometry, which photos do not provide.
    """
    change = (predicted - known).unflatten(1, (-1, 3))
    distance = change[..., :2].square().sum(dim=-1).add(1e-6).sqrt()
    return distance.mean() + change[..., 2].abs().mean()


def _dense_features_change(network: RegressorNetwork) -> bool:
    return network.dense is not None and any(parameter.requires_grad for parameter in network.dense.parameters())


def _predict(module: nn.Module, seen: Tensor) -> Tensor:
    with fast_arithmetic(seen.device):
        return module(seen).float()
