"""The training loop: synthetic heads in, a regressor out; can be stopped and resumed at any step."""

from __future__ import annotations

import csv
import math
import pickle
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deep3d.checkpoints import read_checkpoint
from deep3d.coefficients import COEFFICIENT_COUNT, FIELDS
from deep3d.errors import ConfigError
from deep3d.face_model import FaceModel, read_face_model
from deep3d.network import RegressorConfig, RegressorNetwork, StandardizedRegressor, build_network
from deep3d.training.config import Stage, TrainingConfig
from deep3d.training.dense_points import choose_dense_landmarks
from deep3d.training.losses import FaceLoss, dense_terms
from deep3d.training.portraits import Portraits
from deep3d.training.stream import HeadStream

WARM_UP_STEPS = 200
LOG_EVERY = 20
LOG_COLUMNS: list[str] = [
    "step",
    "seconds",
    "crop_size",
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
]
OUTPUT_SCALE = {
    "identity": 1.0,
    "expression": 0.25,
    "albedo": 1.0,
    "rotation": 0.4,
    "lighting": 0.2,
    "translation": 0.3,
}


class Progress(Protocol):
    """Told after every step."""

    def __call__(self, step: int, total: int, loss: float) -> None:
        """Steps done, steps of all stages, and the loss of this one."""
        ...


@dataclass
class _Run:
    """What a checkpoint of a run holds."""

    config: TrainingConfig
    regressor: StandardizedRegressor
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    face_model_sha256: str = ""  # of the face model's file
    step: int = 0
    seconds: float = 0.0  # that the steps took, in all calls

    @property
    def dense_vertices(self) -> tuple[int, ...]:
        """The vertices of the dense landmarks."""
        return self.regressor.network.config.dense_vertices

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all."""
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "config": asdict(self.config),
                "face_model_sha256": self.face_model_sha256,
                "regressor": self.regressor.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
            },
            partial,
        )
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Continue from a saved state; stages, weights of the loss and the like may have changed since.

        Raises: ConfigError if the state is damaged, or of another trunk or face model.
        """
        try:
            state = torch.load(path, weights_only=True)
            trunk = state.get("config", {}).get("trunk", self.config.trunk)
            sha256 = state.get("face_model_sha256", self.face_model_sha256)
            if trunk != self.config.trunk:
                raise ConfigError(
                    f"{path}: of a run with trunk {trunk}, not {self.config.trunk}; choose another folder"
                )
            if self.face_model_sha256 and sha256 and sha256 != self.face_model_sha256:
                raise ConfigError(
                    f"{path}: of a run with face model {sha256[:12]}, not {self.face_model_sha256[:12]}; "
                    "choose another folder, or the former face model"
                )
            self.regressor.load_state_dict(state["regressor"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds = state["step"], state.get("seconds", 0.0)
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, pickle.UnpicklingError) as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                f"{path}: not the state of such a run, or damaged ({reason}); remove it, or choose another folder"
            ) from error


def train(config: TrainingConfig, model_path: Path, folder: Path, progress: Progress) -> RegressorNetwork:
    """Run all stages, or what is left of them, and return the averaged network.

    `folder` gets state.pt, from which a later call goes on, and log.csv with one row every 20 steps. However the call
    ends, by Ctrl-C too, the state of its last step is kept.

    Raises: ConfigError if the folder holds the state of another run; FaceModelError; DatasetError; TrainingError.
    """
    torch.manual_seed(config.seed)
    model = read_face_model(model_path)
    run = _start(config, model)
    state, log = folder / "state.pt", folder / "log.csv"
    folder.mkdir(parents=True, exist_ok=True)
    if state.exists():
        run.load(state)
    _cut_log(log, run.step)
    loss = FaceLoss(model, config.loss)
    portraits = Portraits(Path(config.portraits), config.seed + run.step) if config.portraits else None
    first, total = 0, sum(stage.steps for stage in config.stages)
    try:
        for stage in config.stages:
            if run.step < first + stage.steps:
                with HeadStream(model_path, run.dense_vertices, config, stage, config.seed + 1000 * run.step) as heads:
                    while run.step < first + stage.steps:
                        terms = _step(run, stage, run.step - first, heads, portraits, loss)
                        progress(run.step, total, terms["total"])
                        if run.step % LOG_EVERY == 0:
                            _log(log, run, stage, terms)
                        if run.step % config.checkpoint_every == 0:
                            run.save(state)
            first += stage.steps
    finally:
        run.save(state)
    return averaged_network(run.average)


def averaged_network(average: AveragedModel) -> RegressorNetwork:
    """The plain network of an averaged regressor."""
    regressor = average.module
    if not isinstance(regressor, StandardizedRegressor):
        raise TypeError(f"average: expected of a StandardizedRegressor, got {type(regressor).__name__}")
    return regressor.fold().eval()


def _start(config: TrainingConfig, model: FaceModel) -> _Run:
    """A run at step 0, from random weights or those of a checkpoint, which may lack the dense landmarks."""
    scale = torch.ones(COEFFICIENT_COUNT)
    for name, part in FIELDS.items():
        scale[part] = OUTPUT_SCALE[name]
    dense = choose_dense_landmarks(model, config.dense_landmarks) if config.dense_landmarks else ()
    network = RegressorNetwork(RegressorConfig(config.trunk, dense))
    mean = torch.zeros(COEFFICIENT_COUNT)
    if config.start is None:
        regressor = StandardizedRegressor(network, mean, scale)
    else:
        network.load_state_dict(network.state_dict() | _starting_weights(config, model, dense))
        regressor = StandardizedRegressor.unfold(network, mean, scale)
    regressor = regressor.to(memory_format=torch.channels_last)
    average = AveragedModel(regressor, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay), use_buffers=True)
    optimizer = torch.optim.AdamW(regressor.parameters(), lr=1e-3, weight_decay=config.weight_decay)
    return _Run(config, regressor, average, optimizer, model.info.sha256)


def _starting_weights(config: TrainingConfig, model: FaceModel, dense: tuple[int, ...]) -> dict[str, Tensor]:
    """The state dict of the checkpoint that the configuration starts from; of other dense landmarks only the rest.

    Raises: ConfigError if it is of another trunk, or in eight bits; CheckpointError.
    """
    checkpoint = read_checkpoint(str(config.start))
    checkpoint.require_model(model.info)
    if checkpoint.info.trunk != config.trunk:
        raise ConfigError(f"{config.start}: of trunk {checkpoint.info.trunk}, not {config.trunk}; choose another")
    if checkpoint.storage == "int8":
        raise ConfigError(f"{config.start}: in eight bits, without batch norms; start from its float32 file")
    state = build_network(checkpoint).state_dict()
    if checkpoint.dense_vertices != dense:
        state = {name: value for name, value in state.items() if not name.startswith("dense.")}
    return state


def _step(
    run: _Run,
    stage: Stage,
    stage_step: int,
    heads: HeadStream,
    portraits: Portraits | None,
    loss: FaceLoss,
) -> dict[str, float]:
    """One update; the terms of the loss as numbers."""
    start = time.monotonic()
    rate = _learning_rate(stage, stage_step)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.regressor.train()
    real = round(stage.batch_size * stage.portrait_share)
    drawn = heads.batch(stage.batch_size - real)
    crops, landmarks = drawn.crops, None
    if portraits is not None and real:
        photos, landmarks = portraits.batch(real, stage.crop_size)
        crops = np.concatenate([crops, photos])
    with torch.autocast("cpu", torch.bfloat16):
        predicted = run.regressor(_tensor(crops))
    predicted = predicted.float()
    vectors, dense = predicted[:, :COEFFICIENT_COUNT], predicted[:, COEFFICIENT_COUNT:].unflatten(1, (-1, 3))
    count, weights = len(drawn.vectors), run.config.loss
    terms = loss.synthetic(vectors[:count], torch.from_numpy(drawn.vectors))
    if run.dense_vertices:
        terms |= dense_terms(dense[:count], torch.from_numpy(drawn.points))
        terms["total"] = terms["total"] + weights.dense * terms["dense"] + weights.certainty * terms["certainty"]
    if landmarks is not None:
        terms["landmarks"] = loss.portraits(vectors[count:], dense[count:], torch.from_numpy(landmarks))
        terms["total"] = terms["total"] + weights.landmarks * terms["landmarks"]
    run.optimizer.zero_grad(set_to_none=True)
    terms["total"].backward()
    torch.nn.utils.clip_grad_norm_(run.regressor.parameters(), 20.0)
    run.optimizer.step()
    run.average.update_parameters(run.regressor)
    run.step += 1
    run.seconds += time.monotonic() - start
    return {name: float(term.detach()) for name, term in terms.items()}


def _learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine from the peak to `final_rate` of it."""
    rise = min(1.0, (step + 1) / WARM_UP_STEPS)
    fall = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return stage.learning_rate * rise * (stage.final_rate + (1 - stage.final_rate) * fall)


def _tensor(crops: np.ndarray) -> Tensor:
    """(B, 3, S, S) in [0, 1], channels last in memory."""
    return torch.from_numpy(crops).permute(0, 3, 1, 2).to(torch.float32).div(255)


def _log(path: Path, run: _Run, stage: Stage, terms: dict[str, float]) -> None:
    """Add a row: the step, the seconds that all steps took so far, the crop size, and the terms of the loss."""
    row: dict[str, object] = {name: f"{value:.5g}" for name, value in terms.items()}
    row |= {"step": run.step, "seconds": round(run.seconds, 1), "crop_size": stage.crop_size}
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=LOG_COLUMNS, restval="nan")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _cut_log(path: Path, step: int) -> None:
    """Drop the rows after this step: they come again."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["step"] and int(row["step"]) <= step]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=LOG_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
